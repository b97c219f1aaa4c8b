//! Equirectangular pictures to [`EnvironmentMap`]s.

use std::path::Path;

use super::{Source, image};
use crate::{AssetError, EnvironmentMap, Image, Pixels, Warnings};

/// A picture, and whether its file could hold nothing brighter than white.
pub(crate) struct Loaded {
    pub(crate) map: EnvironmentMap,
    /// Eight bits a channel.
    pub(crate) is_low_range: bool,
}

/// Reads a 2:1 picture of any supported format. HDR values are taken as linear radiance; 8-bit ones
/// are sRGB-decoded. Texels that are no light (NaN, infinite, negative) are mended with a warning.
///
/// The picture keeps its layout: row 0 is the zenith and columns run as Blender reads them, which is
/// the convention of [`EnvironmentMap`].
pub(crate) fn load(source: &mut Source, name: &str) -> Result<Loaded, AssetError> {
    let bytes = source.read(name)?;
    let path = source.path_of(name);
    let picture = image::decode(&bytes, &path, &mut source.warnings)?;
    drop(bytes);
    check_shape(&path, picture.width, picture.height)?;
    let is_low_range = matches!(picture.pixels, Pixels::Rgba8(_));
    let texels = match picture.pixels {
        Pixels::RgbF32(mut texels) => {
            mend(&mut texels, &path, &mut source.warnings);
            texels
        }
        Pixels::Rgba8(texels) => {
            let bytes = texels.len() as u64 * 12;
            if bytes > image::MAX_DECODED_BYTES {
                return Err(AssetError::Unusable {
                    path,
                    reason: format!(
                        "{}×{} pixels are too many for an environment: at most {} MiB as floats",
                        picture.width,
                        picture.height,
                        image::MAX_DECODED_BYTES >> 20
                    ),
                });
            }
            let linear = srgb_table();
            texels
                .iter()
                .map(|[r, g, b, _]| [r, g, b].map(|value| linear[*value as usize]))
                .collect()
        }
    };
    let (description, night) = describe(name);
    let map = EnvironmentMap {
        image: Image {
            name: picture.name,
            width: picture.width,
            height: picture.height,
            pixels: Pixels::RgbF32(texels),
        },
        sun: None,
        description,
        night,
    };
    Ok(Loaded { map, is_low_range })
}

/// Is a picture of this size an equirectangular one? Off by a pixel or a percent still is.
pub(crate) fn is_equirectangular(width: u32, height: u32) -> bool {
    let (width, height) = (u64::from(width), u64::from(height));
    let slack = (height / 50).max(1);
    height > 0 && width.abs_diff(2 * height) <= slack
}

fn check_shape(path: &Path, width: u32, height: u32) -> Result<(), AssetError> {
    if is_equirectangular(width, height) {
        return Ok(());
    }
    Err(AssetError::Unusable {
        path: path.to_owned(),
        reason: format!(
            "an environment must be an equirectangular picture, twice as wide as high; this one is {width}×{height}"
        ),
    })
}

/// NaN and negative values become 0, infinite ones the largest finite value of the picture.
fn mend(texels: &mut [[f32; 3]], path: &Path, warnings: &mut Warnings) {
    let largest = texels
        .iter()
        .flatten()
        .filter(|value| value.is_finite())
        .fold(0.0f32, |a, b| a.max(*b));
    let mut mended = 0u64;
    for texel in texels {
        let before = *texel;
        for value in texel.iter_mut() {
            if *value == f32::INFINITY {
                *value = largest;
            } else if value.is_nan() || *value < 0.0 {
                *value = 0.0;
            }
        }
        mended += u64::from(before != *texel);
    }
    if mended > 0 {
        warnings.push(format!(
            "{}: {mended} pixels are NaN, infinite or negative; set to 0 or the largest value",
            path.display()
        ));
    }
}

/// IEC 61966-2-1 decoding of the 256 stored values.
fn srgb_table() -> [f32; 256] {
    std::array::from_fn(|value| {
        let encoded = value as f64 / 255.0;
        let linear = if encoded <= 0.04045 {
            encoded / 12.92
        } else {
            libm::pow((encoded + 0.055) / 1.055, 2.4)
        };
        linear as f32
    })
}

/// Words for captions, and whether it is night, from the words of the file name.
fn describe(name: &str) -> (String, bool) {
    /// First match wins.
    const PLACES: [(&[&str], &str, bool); 8] = [
        (&["night", "moon", "midnight"], "a night scene", true),
        (
            &[
                "room", "office", "indoor", "interior", "hall", "house", "home", "kitchen",
                "garage", "church", "gallery", "lobby",
            ],
            "the light of a room",
            false,
        ),
        (&["studio"], "studio light", false),
        (&["sunset", "evening", "dusk"], "a sky at sunset", false),
        (&["dawn", "sunrise", "morning"], "a sky at dawn", false),
        (
            &["park", "garden", "forest", "meadow", "field", "lake"],
            "daylight outdoors",
            false,
        ),
        (&["overcast", "cloudy"], "an overcast sky", false),
        (
            &["street", "city", "square", "platz", "plaza", "bridge"],
            "daylight in a city",
            false,
        ),
    ];
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphabetic()).collect();
    PLACES
        .iter()
        .find(|(keys, ..)| keys.iter().any(|key| words.contains(key)))
        .map_or_else(
            || ("natural light".to_owned(), false),
            |(_, description, night)| ((*description).to_owned(), *night),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    fn write_hdr(folder: &Path, name: &str, width: usize, texels: &[[f32; 3]]) {
        let mut bytes = Vec::new();
        let texels: Vec<_> = texels.iter().map(|t| ::image::Rgb(*t)).collect();
        ::image::codecs::hdr::HdrEncoder::new(&mut bytes)
            .encode(&texels, width, texels.len() / width)
            .unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }

    #[test]
    fn first_row_stays_the_zenith() {
        let folder = tempfile::tempdir().unwrap();
        let mut texels = vec![[0.25f32; 3]; 32];
        texels[..8].fill([4.0; 3]);
        write_hdr(folder.path(), "sunset_sky_1k.hdr", 8, &texels);
        let mut source = Source::folder(folder.path());
        let Loaded { map, is_low_range } = load(&mut source, "sunset_sky_1k.hdr").unwrap();
        assert!(!is_low_range);
        assert_eq!((map.image.width, map.image.height), (8, 4));
        let Pixels::RgbF32(read) = &map.image.pixels else {
            panic!("an environment must be float")
        };
        assert_eq!(read[0], [4.0; 3]);
        assert_eq!(read[31], [0.25; 3]);
        assert_eq!(map.description, "a sky at sunset");
        assert!(!map.night);
        assert!(source.warnings.0.is_empty());
    }

    #[test]
    fn eight_bit_pictures_are_srgb_decoded() {
        let table = srgb_table();
        assert_eq!(table[0], 0.0);
        assert_eq!(table[255], 1.0);
        assert!((table[188] - 0.5029).abs() < 1e-4);
        assert!(table.is_sorted());
    }

    #[test]
    fn other_shapes_are_refused() {
        assert!(is_equirectangular(1024, 512));
        assert!(is_equirectangular(1023, 512));
        assert!(is_equirectangular(2, 1));
        assert!(!is_equirectangular(512, 512));
        assert!(!is_equirectangular(6 * 256, 256));
        assert!(!is_equirectangular(0, 0));
        let folder = tempfile::tempdir().unwrap();
        write_hdr(folder.path(), "square.hdr", 8, &[[1.0; 3]; 64]);
        let error = load(&mut Source::folder(folder.path()), "square.hdr")
            .err()
            .unwrap();
        assert!(error.to_string().contains("8×8"), "{error}");
    }

    #[test]
    fn texels_that_are_no_light_are_mended_and_said() {
        let mut texels = [[f32::NAN, 1.0, -3.0], [f32::INFINITY, 2.0, 0.5], [1.0; 3]];
        let mut warnings = Warnings::default();
        mend(&mut texels, Path::new("x.exr"), &mut warnings);
        assert_eq!(texels, [[0.0, 1.0, 0.0], [2.0, 2.0, 0.5], [1.0; 3]]);
        assert_eq!(warnings.0.len(), 1);
        assert!(warnings.0[0].contains("2 pixels"), "{:?}", warnings.0);
    }
}
