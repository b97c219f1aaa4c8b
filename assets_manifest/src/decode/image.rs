//! Pictures: PNG, JPEG, WebP, BMP, TGA and Radiance HDR through `image`, OpenEXR through `exr`.

use std::io::Cursor;
use std::path::Path;

use ::image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use exr::prelude as exr;

use crate::{AssetError, Image, Pixels, Warnings};

/// Largest width or height of a picture, pixels.
pub(crate) const MAX_SIDE: u32 = 16_384;
/// Largest decoded picture of floats, bytes: 8192×4096 pixels take 384 MiB.
pub(crate) const MAX_DECODED_BYTES: u64 = 512 << 20;
/// Largest decoded picture of 8 bits a channel, bytes: 8192×8192 pixels.
const MAX_DECODED_8BIT: u64 = 256 << 20;
/// Size that any file may decode to, bytes: a picture of one colour is a few bytes in some formats.
const FREE_BYTES: u64 = 64 << 20;
/// Beyond that, decoded bytes for each byte of the file: PNG's deflate cannot reach 1032, JPEG no 2048.
const MAX_EXPANSION: u64 = 4096;

const EXR_MAGIC: &[u8] = &[0x76, 0x2f, 0x31, 0x01];

/// A decoded picture as it was stored: 8-bit encoded colour, or linear floats.
///
/// `path` is for messages, and its extension is the tie-breaker for formats without a signature.
pub(crate) fn decode(
    bytes: &[u8],
    path: &Path,
    warnings: &mut Warnings,
) -> Result<Image, AssetError> {
    guarded(path, || {
        if bytes.starts_with(EXR_MAGIC) {
            decode_exr(bytes, path, warnings)
        } else {
            decode_common(bytes, path, warnings)
        }
    })
}

/// The only place where a panic is caught. `image`, its codecs and `exr` are meant to return errors
/// for any bytes, but they are large, take hostile files, and have had indexing panics on corrupt
/// ones; a batch must survive one bad picture.
fn guarded(
    path: &Path,
    decode: impl FnOnce() -> Result<Image, AssetError>,
) -> Result<Image, AssetError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(AssetError::Decode {
            path: path.to_owned(),
            reason: "the decoder gave up on corrupt data".into(),
        })
    })
}

fn decode_common(bytes: &[u8], path: &Path, warnings: &mut Warnings) -> Result<Image, AssetError> {
    let bad = |reason: String| AssetError::Decode {
        path: path.to_owned(),
        reason,
    };
    let named = ImageFormat::from_path(path).ok();
    let found = ::image::guess_format(bytes).ok();
    // TGA has no signature: there the name decides.
    let format = found
        .or(named.filter(|format| *format == ImageFormat::Tga))
        .ok_or_else(|| bad("it is no picture of a known format".into()))?;
    if found.is_some() && named.is_some_and(|named| named != format) {
        warnings.push(format!(
            "{} is in truth a {format:?} file; read as such",
            path.display()
        ));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // What a decoder needs beside the picture itself is less than the picture.
    limits.max_alloc = Some(2 * bound(MAX_DECODED_BYTES, bytes));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|error| bad(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    let is_float = matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F);
    let (texel, most) = if is_float {
        (12, MAX_DECODED_BYTES)
    } else {
        (4, MAX_DECODED_8BIT)
    };
    let size = (width as usize, height as usize);
    check_size(path, size, texel, bound(most, bytes))?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| bad(error.to_string()))?;
    let pixels = match picture {
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => Pixels::RgbF32(
            picture
                .into_rgb32f()
                .pixels()
                .map(|pixel| pixel.0)
                .collect(),
        ),
        _ => Pixels::Rgba8(picture.into_rgba8().pixels().map(|pixel| pixel.0).collect()),
    };
    Ok(Image {
        name: name_of(path),
        width,
        height,
        pixels,
    })
}

fn decode_exr(bytes: &[u8], path: &Path, warnings: &mut Warnings) -> Result<Image, AssetError> {
    use exr::{ReadChannels as _, ReadLayers as _};
    let bad = |reason: String| AssetError::Decode {
        path: path.to_owned(),
        reason,
    };
    // Sizes first: the reader below allocates what the header declares.
    let meta = ::exr::meta::MetaData::read_from_buffered(Cursor::new(bytes), false)
        .map_err(|error| bad(error.to_string()))?;
    for header in &meta.headers {
        let size = header.layer_size;
        let most = bound(MAX_DECODED_BYTES, bytes);
        check_size(path, (size.width(), size.height()), 12, most)?;
        // Measured: under qemu's Nehalem the crate's inverse cosine transform rounds otherwise.
        if matches!(
            header.compression,
            exr::Compression::DWAA(_) | exr::Compression::DWAB(_)
        ) {
            warnings.push(format!(
                "{} is DWA-compressed: a few texels decode differently in the last bit on \
                 processors without AVX2; store it as ZIP where bytes must be the same everywhere",
                path.display()
            ));
        }
    }
    let image = exr::read()
        .no_deep_data()
        .largest_resolution_level()
        .rgb_channels(
            |size, _| Grid {
                width: size.width(),
                texels: vec![[0.0; 3]; size.width() * size.height()],
            },
            |texels: &mut Grid, at, (r, g, b): (f32, f32, f32)| {
                texels.set(at.x(), at.y(), [r, g, b]);
            },
        )
        .first_valid_layer()
        .all_attributes()
        .non_parallel()
        .from_buffered(Cursor::new(bytes))
        .map_err(|error| bad(error.to_string()))?;
    let size = image.layer_data.size;
    Ok(Image {
        name: name_of(path),
        width: size.width() as u32,
        height: size.height() as u32,
        pixels: Pixels::RgbF32(image.layer_data.channel_data.pixels.texels),
    })
}

/// Texels that an EXR reader fills in any order.
struct Grid {
    width: usize,
    texels: Vec<[f32; 3]>,
}

impl Grid {
    fn set(&mut self, x: usize, y: usize, texel: [f32; 3]) {
        self.texels[y * self.width + x] = texel;
    }
}

/// What a file of these bytes may decode to: `most`, and no more than so many bytes can hold.
fn bound(most: u64, bytes: &[u8]) -> u64 {
    let held = (bytes.len() as u64).saturating_mul(MAX_EXPANSION);
    most.min(held.max(FREE_BYTES))
}

fn check_size(
    path: &Path,
    (width, height): (usize, usize),
    texel: u64,
    most: u64,
) -> Result<(), AssetError> {
    let bytes = (width as u64)
        .saturating_mul(height as u64)
        .saturating_mul(texel);
    let reason = if width == 0 || height == 0 {
        format!("it has {width}×{height} pixels")
    } else if width > MAX_SIDE as usize || height > MAX_SIDE as usize || bytes > most {
        format!(
            "{width}×{height} pixels are too many: at most {MAX_SIDE} a side, and {} MiB decoded of a file of this size",
            most >> 20
        )
    } else {
        return Ok(());
    };
    Err(AssetError::Unusable {
        path: path.to_owned(),
        reason,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
