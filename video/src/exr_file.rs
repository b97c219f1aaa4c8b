//! OpenEXR pictures: exact values of any number of named passes in one file, complete or absent.

use std::path::Path;

use exr::block::chunk::Chunk;
use exr::block::writer::ChunksWriter;
use exr::error::Error as ExrError;
use exr::image::write::WritableImage;
use exr::image::write::layers::{LayersWriter, WritableLayers};
use exr::image::{AnyChannel, AnyChannels, Encoding, FlatSamples, Image, Layer};
use exr::math::Vec2;
use exr::meta::attribute::{Chromaticities, LineOrder, Text};
use exr::meta::header::{ImageAttributes, LayerAttributes};
use exr::prelude::{Blocks, Compression};
use half::f16;
use rayon::prelude::*;

use crate::error::VideoError;
use crate::fsx::AtomicFile;

/// One picture of scene-linear, Rec.709 passes.
#[derive(Debug, Clone)]
pub struct ExrPicture<'a> {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Passes.
    pub layers: Vec<ExrLayer<'a>>,
}

/// A pass: some channels under one name.
#[derive(Debug, Clone)]
pub struct ExrLayer<'a> {
    /// Stands before its channels' names with a dot (`depth.Z`); empty: the main picture, which viewers
    /// that know nothing of layers show.
    pub name: String,
    /// Name within the layer (`R`, `X`, `id`, …) and values.
    pub channels: Vec<(String, ExrSamples<'a>)>,
}

/// `width × height` values, row by row; stored as they are, without rounding.
#[derive(Debug, Clone, Copy)]
pub enum ExrSamples<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 16-bit floats.
    F16(&'a [f16]),
    /// Ids.
    U32(&'a [u32]),
}

impl ExrSamples<'_> {
    fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::U32(values) => values.len(),
        }
    }

    fn owned(self) -> FlatSamples {
        match self {
            Self::F32(values) => FlatSamples::F32(values.to_vec()),
            Self::F16(values) => FlatSamples::F16(values.to_vec()),
            Self::U32(values) => FlatSamples::U32(values.to_vec()),
        }
    }
}

/// Writes `picture`: one part whose channels are named `layer.channel`, which every EXR reader understands
/// (parts after the first are lost on many), lossless ZIP in blocks of 16 rows. Blocks are compressed on the threads of the caller's pool (the crate
/// would make a pool of its own, of all cores) and written in order: the bytes are always the same.
pub fn write_exr(path: &Path, picture: &ExrPicture<'_>) -> Result<(), VideoError> {
    let bad = |reason: &str| VideoError::Picture {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    };
    let expected = picture.width as usize * picture.height as usize;
    let mut channels = Vec::new();
    for layer in &picture.layers {
        for (name, samples) in &layer.channels {
            let full_name = if layer.name.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", layer.name)
            };
            if samples.len() != expected {
                return Err(VideoError::DataLength {
                    path: path.to_path_buf(),
                    what: format!("channel {full_name}"),
                    expected,
                    got: samples.len(),
                });
            }
            let text = Text::new_or_none(&full_name)
                .ok_or_else(|| bad(&format!("channel name {full_name:?} is not plain ASCII")))?;
            channels.push((text, *samples));
        }
    }
    channels.sort_by(|a, b| a.0.as_slice().cmp(b.0.as_slice()));
    if channels.is_empty() || expected == 0 {
        return Err(bad("it has no channel or no pixel"));
    }
    if channels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(bad("two channels have the same name"));
    }

    let size = Vec2(picture.width as usize, picture.height as usize);
    let list = channels
        .into_iter()
        .map(|(name, samples)| AnyChannel::new(name, samples.owned()))
        .collect();
    let encoding = Encoding {
        compression: Compression::ZIP16,
        blocks: Blocks::ScanLines,
        line_order: LineOrder::Increasing,
    };
    let mut attributes = ImageAttributes::with_size(size);
    attributes.chromaticities = Some(REC709);
    let image = Image {
        attributes,
        layer_data: Layer::new(
            size,
            LayerAttributes::default(),
            encoding,
            AnyChannels::sort(list),
        ),
    };

    let mut file = AtomicFile::create(path)?;
    write_blocks(&image, &mut file).map_err(|error| match error {
        ExrError::Io(source) => VideoError::File(file.error(source)),
        other => bad(&other.to_string()),
    })?;
    Ok(file.finish()?)
}

fn write_blocks(
    image: &Image<Layer<AnyChannels<FlatSamples>>>,
    file: &mut AtomicFile,
) -> Result<(), ExrError> {
    let headers = image.write().infer_meta_data();
    let layer = image.layer_data.create_writer(&headers);
    exr::block::write(file, headers, true, |meta, writer| {
        let chunks: Vec<(usize, Chunk)> = meta
            .collect_ordered_block_data(|block| {
                layer.extract_uncompressed_block(&meta.headers, block)
            })
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(index, block)| Ok((index, block.compress_to_chunk(&meta.headers)?)))
            .collect::<Result<_, ExrError>>()?;
        for (index, chunk) in chunks {
            writer.write_chunk(index, chunk)?;
        }
        Ok(())
    })
}

/// CIE xy of the Rec.709 primaries and D65.
const REC709: Chromaticities = Chromaticities {
    red: Vec2(0.64, 0.33),
    green: Vec2(0.30, 0.60),
    blue: Vec2(0.15, 0.06),
    white: Vec2(0.3127, 0.3290),
};

#[cfg(test)]
mod tests {
    use exr::prelude::{ReadChannels, ReadLayers, read};

    use super::*;

    fn picture<'a>(rgb: &'a [Vec<f32>; 3], ids: &'a [u32], halves: &'a [f16]) -> ExrPicture<'a> {
        ExrPicture {
            width: 19,
            height: 33,
            layers: vec![
                ExrLayer {
                    name: String::new(),
                    channels: ["R", "G", "B"]
                        .iter()
                        .zip(rgb)
                        .map(|(name, values)| (name.to_string(), ExrSamples::F32(values)))
                        .collect(),
                },
                ExrLayer {
                    name: "instance".into(),
                    channels: vec![("id".into(), ExrSamples::U32(ids))],
                },
                ExrLayer {
                    name: "coverage".into(),
                    channels: vec![("Y".into(), ExrSamples::F16(halves))],
                },
            ],
        }
    }

    #[test]
    fn every_pass_reads_back_bit_for_bit_and_bytes_repeat() {
        let count = 19 * 33;
        let rgb: [Vec<f32>; 3] = std::array::from_fn(|c| {
            (0..count)
                .map(|i| match i {
                    0 => f32::INFINITY,
                    1 => 1e-40,
                    _ => (i as f32 - 50.0) * 0.37 + c as f32,
                })
                .collect()
        });
        let ids: Vec<u32> = (0..count as u32).map(|i| i * 6_700_417).collect();
        let halves: Vec<f16> = (0..count)
            .map(|i| f16::from_f32(i as f32 / 700.0))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.exr");
        write_exr(&path, &picture(&rgb, &ids, &halves)).unwrap();
        let first = std::fs::read(&path).unwrap();
        write_exr(&path, &picture(&rgb, &ids, &halves)).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());

        let image = read()
            .no_deep_data()
            .largest_resolution_level()
            .all_channels()
            .first_valid_layer()
            .all_attributes()
            .from_file(&path)
            .unwrap();
        assert_eq!(image.layer_data.size, Vec2(19, 33));
        let channel = |name: &str| {
            let list = &image.layer_data.channel_data.list;
            let found = list.iter().find(|channel| channel.name == *name);
            found.unwrap().sample_data.clone()
        };
        assert_eq!(channel("R"), FlatSamples::F32(rgb[0].clone()));
        assert_eq!(channel("B"), FlatSamples::F32(rgb[2].clone()));
        assert_eq!(channel("instance.id"), FlatSamples::U32(ids.clone()));
        assert_eq!(channel("coverage.Y"), FlatSamples::F16(halves.clone()));
    }

    #[test]
    fn a_wrong_length_a_double_name_and_nothing_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.exr");
        let values = vec![0.0; 4];
        let write = |channels: Vec<(String, ExrSamples<'_>)>| {
            let layers = vec![ExrLayer {
                name: "depth".into(),
                channels,
            }];
            let picture = ExrPicture {
                width: 2,
                height: 2,
                layers,
            };
            write_exr(&path, &picture).unwrap_err().to_string()
        };
        let short = write(vec![("Z".into(), ExrSamples::F32(&values[..3]))]);
        assert!(short.contains("depth.Z has 3 values where 4"), "{short}");
        let z = ("Z".to_owned(), ExrSamples::F32(&values));
        let double = write(vec![z.clone(), z]);
        assert!(double.contains("same name"), "{double}");
        assert!(write(vec![]).contains("no channel"));
        assert!(!path.exists());
    }
}
