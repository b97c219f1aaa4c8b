//! PNG pictures, complete or absent.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use png::{BitDepth, ColorType, Compression, SrgbRenderingIntent};

use crate::error::VideoError;
use crate::fsx::AtomicFile;

/// Most bytes that a picture may take while it is decoded.
const MOST_BYTES: usize = 512 << 20;

/// Writes `width × height × 3` bytes of finished sRGB, row by row.
pub fn write_png_rgb8(path: &Path, width: u32, height: u32, rgb: &[u8]) -> Result<(), VideoError> {
    check(path, "the picture", width, height, 3, rgb.len())?;
    write(path, width, height, ColorType::Rgb, BitDepth::Eight, rgb)
}

/// Writes `width × height` bytes: labels or a mask, tagged with no colour space.
pub fn write_png_gray8(
    path: &Path,
    width: u32,
    height: u32,
    gray: &[u8],
) -> Result<(), VideoError> {
    check(path, "the picture", width, height, 1, gray.len())?;
    write(
        path,
        width,
        height,
        ColorType::Grayscale,
        BitDepth::Eight,
        gray,
    )
}

/// Writes `width × height` values of 16 bits: ids, or depth in a unit of the caller's.
pub fn write_png_gray16(
    path: &Path,
    width: u32,
    height: u32,
    gray: &[u16],
) -> Result<(), VideoError> {
    check(path, "the picture", width, height, 1, gray.len())?;
    let bytes: Vec<u8> = gray.iter().flat_map(|value| value.to_be_bytes()).collect();
    write(
        path,
        width,
        height,
        ColorType::Grayscale,
        BitDepth::Sixteen,
        &bytes,
    )
}

/// Width and height of a PNG picture that decodes from its first row to its last.
///
/// # Errors
/// [`VideoError::NotPicture`] for what is no whole PNG picture, or a file that cannot be read.
pub fn whole_png_size(path: &Path) -> Result<(u32, u32), VideoError> {
    let wrong = |reason: String| VideoError::NotPicture {
        path: path.to_path_buf(),
        reason,
    };
    let file = File::open(path).map_err(|source| VideoError::io("read", path, source))?;
    let limits = png::Limits { bytes: MOST_BYTES };
    let decoder = png::Decoder::new_with_limits(BufReader::new(file), limits);
    let mut reader = decoder
        .read_info()
        .map_err(|error| wrong(error.to_string()))?;
    let size = reader.info().size();
    while reader
        .next_row()
        .map_err(|error| wrong(error.to_string()))?
        .is_some()
    {}
    reader.finish().map_err(|error| wrong(error.to_string()))?;
    Ok(size)
}

fn check(
    path: &Path,
    what: &str,
    width: u32,
    height: u32,
    channels: usize,
    got: usize,
) -> Result<(), VideoError> {
    let expected = width as usize * height as usize * channels;
    if got == expected {
        Ok(())
    } else {
        Err(VideoError::DataLength {
            path: path.to_path_buf(),
            what: what.to_owned(),
            expected,
            got,
        })
    }
}

fn write(
    path: &Path,
    width: u32,
    height: u32,
    color: ColorType,
    depth: BitDepth,
    bytes: &[u8],
) -> Result<(), VideoError> {
    let mut file = AtomicFile::create(path)?;
    encode(&mut file, width, height, color, depth, bytes).map_err(|error| match error {
        png::EncodingError::IoError(source) => VideoError::File(file.error(source)),
        other => VideoError::Picture {
            path: path.to_path_buf(),
            reason: other.to_string(),
        },
    })?;
    Ok(file.finish()?)
}

fn encode(
    out: &mut impl Write,
    width: u32,
    height: u32,
    color: ColorType,
    depth: BitDepth,
    bytes: &[u8],
) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    if color == ColorType::Rgb {
        encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> (png::OutputInfo, Vec<u8>) {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        bytes.truncate(info.buffer_size());
        (info, bytes)
    }

    #[test]
    fn pictures_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let rgb: Vec<u8> = (0..7 * 5 * 3).map(|i| (i * 37 % 256) as u8).collect();
        write_png_rgb8(&path, 7, 5, &rgb).unwrap();
        let (info, bytes) = read(&path);
        assert_eq!(
            (info.width, info.height, info.color_type),
            (7, 5, ColorType::Rgb)
        );
        assert_eq!(bytes, rgb);

        write_png_gray8(&path, 7, 15, &rgb).unwrap();
        assert_eq!(read(&path).1, rgb);

        let ids: Vec<u16> = (0..35).map(|i| i * 1871).collect();
        write_png_gray16(&path, 7, 5, &ids).unwrap();
        let (info, bytes) = read(&path);
        assert_eq!(info.bit_depth, BitDepth::Sixteen);
        let read: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(read, ids);
    }

    #[test]
    fn only_whole_pictures_have_a_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_png_rgb8(&path, 70, 50, &[7; 70 * 50 * 3]).unwrap();
        assert_eq!(whole_png_size(&path).unwrap(), (70, 50));
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 7, 20, bytes.len() / 2, bytes.len() - 13] {
            crate::fsx::write_atomic(&path, &bytes[..length]).unwrap();
            let error = whole_png_size(&path).unwrap_err();
            assert!(error.to_string().contains("a.png"), "{error}");
        }
        assert!(whole_png_size(&folder.path().join("b.png")).is_err());
    }

    #[test]
    fn data_of_another_length_is_an_error_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let error = write_png_rgb8(&path, 4, 4, &[0; 47]).unwrap_err();
        assert!(error.to_string().contains("47 values where 48"), "{error}");
        assert!(!path.exists());
    }
}
