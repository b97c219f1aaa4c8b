//! Depth that somebody else made: `.npy` arrays, PNG and EXR pictures, alone or as a folder of frames.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use exr::prelude::{FlatSamples, MetaData, ReadChannels, ReadLayers, read};
use half::f16;

use crate::error::VideoError;

/// Largest side of a map, pixels.
const LARGEST_SIDE: usize = 1 << 14;
/// Most bytes that an array's header may have.
const LARGEST_HEADER: usize = 1 << 16;

/// Values of one frame, row by row, in the unit of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthMap {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width × height`.
    pub values: Vec<f32>,
}

impl DepthMap {
    /// The value of the pixel at a place in shares of width and height, held inside.
    pub fn at(&self, [x, y]: [f64; 2]) -> f32 {
        let pixel = |share: f64, size: u32| {
            ((share * f64::from(size)).max(0.0) as usize).min(size as usize - 1)
        };
        self.values[pixel(y, self.height) * self.width as usize + pixel(x, self.width)]
    }
}

/// The depth of a clip, frame by frame; one map is read at a time.
#[derive(Debug)]
pub struct DepthMaps {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// One picture for all frames.
    Still(DepthMap),
    /// A picture for each frame, in the order of their names.
    Pictures(Vec<PathBuf>),
    /// An array of frames.
    Array(Array),
}

#[derive(Debug)]
struct Array {
    file: File,
    start: u64,
    number: Number,
    frames: usize,
    height: usize,
    width: usize,
}

/// Numbers of an `.npy` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    F16,
    F32,
    F64,
    U8,
    U16,
}

impl Number {
    fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 | Self::U16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn value(self, b: &[u8]) -> f32 {
        match (self, b) {
            (Self::U8, [a]) => f32::from(*a),
            (Self::U16, [a, b]) => f32::from(u16::from_le_bytes([*a, *b])),
            (Self::F16, [a, b]) => f16::from_le_bytes([*a, *b]).to_f32(),
            (Self::F32, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
            (Self::F64, [a, b, c, d, e, f, g, h]) => {
                f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32
            }
            _ => f32::NAN,
        }
    }
}

fn wrong(path: &Path, reason: impl Into<String>) -> VideoError {
    VideoError::NotDepth {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| ["png", "exr", "npy"].contains(&e.as_str()))
}

impl DepthMaps {
    /// Opens an `.npy` file ([H, W] or [T, H, W], floats or unsigned integers, little-endian, C order), a
    /// grey PNG of 8 or 16 bits, an EXR picture (channel Z, or the only one), or a folder of such pictures,
    /// one for each frame in the order of their names.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn open(path: &Path) -> Result<Self, VideoError> {
        let kind = if path.is_dir() {
            let mut pictures = Vec::new();
            let entries = std::fs::read_dir(path).map_err(|e| VideoError::io("list", path, e))?;
            for entry in entries {
                let file = entry.map_err(|e| VideoError::io("list", path, e))?.path();
                if is_picture(&file) {
                    pictures.push(file);
                }
            }
            pictures.sort_unstable();
            if pictures.is_empty() {
                return Err(wrong(path, "the folder has no .npy, .png or .exr file"));
            }
            Kind::Pictures(pictures)
        } else if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("npy"))
        {
            let mut array = Array::open(path)?;
            if array.frames == 1 {
                Kind::Still(array.frame(path, 0)?)
            } else {
                Kind::Array(array)
            }
        } else {
            Kind::Still(read_picture(path)?)
        };
        Ok(Self {
            path: path.to_owned(),
            kind,
        })
    }

    /// Number of frames; `None`: one map stands for all.
    pub fn frames(&self) -> Option<u64> {
        match &self.kind {
            Kind::Still(_) => None,
            Kind::Pictures(pictures) => Some(pictures.len() as u64),
            Kind::Array(array) => Some(array.frames as u64),
        }
    }

    /// The map of a frame, from 0.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn frame(&mut self, index: u64) -> Result<DepthMap, VideoError> {
        let missing = |count: usize| {
            wrong(
                &self.path,
                format!("it has {count} frames, frame {index} is asked for"),
            )
        };
        match &mut self.kind {
            Kind::Still(map) => Ok(map.clone()),
            Kind::Pictures(pictures) => match pictures.get(index as usize) {
                Some(picture)
                    if picture
                        .extension()
                        .is_some_and(|e| e.eq_ignore_ascii_case("npy")) =>
                {
                    Array::open(picture)?.frame(picture, 0)
                }
                Some(picture) => read_picture(picture),
                None => Err(missing(pictures.len())),
            },
            Kind::Array(array) if index >= array.frames as u64 => Err(missing(array.frames)),
            Kind::Array(array) => array.frame(&self.path, index as usize),
        }
    }
}

impl Array {
    fn open(path: &Path) -> Result<Self, VideoError> {
        let mut file = File::open(path).map_err(|e| VideoError::io("open", path, e))?;
        let no_array = |_| wrong(path, "it is no NumPy array");
        let mut head = [0; 10];
        file.read_exact(&mut head).map_err(no_array)?;
        if !head.starts_with(b"\x93NUMPY") {
            return Err(wrong(path, "it is no NumPy array"));
        }
        let length = if head[6] == 1 {
            usize::from(u16::from_le_bytes([head[8], head[9]]))
        } else {
            let mut rest = [0; 2];
            file.read_exact(&mut rest).map_err(no_array)?;
            u32::from_le_bytes([head[8], head[9], rest[0], rest[1]]) as usize
        };
        if length > LARGEST_HEADER {
            return Err(wrong(path, "its header is too long"));
        }
        let mut header = vec![0; length];
        file.read_exact(&mut header).map_err(no_array)?;
        let header = String::from_utf8_lossy(&header).into_owned();
        let start = file
            .stream_position()
            .map_err(|e| VideoError::io("read", path, e))?;
        let field = |name: &str| {
            let rest = header.split_once(&format!("'{name}':"))?.1.trim_start();
            Some(rest.to_owned())
        };
        let descr = field("descr").unwrap_or_default();
        let number = match descr
            .trim_start_matches('\'')
            .split('\'')
            .next()
            .unwrap_or_default()
        {
            "<f2" => Number::F16,
            "<f4" => Number::F32,
            "<f8" => Number::F64,
            "|u1" | "<u1" => Number::U8,
            "<u2" => Number::U16,
            other => {
                let reason = format!("numbers of type `{other}`; f2, f4, f8, u1 and u2 are read");
                return Err(wrong(path, reason));
            }
        };
        if field("fortran_order").is_some_and(|order| order.starts_with("True")) {
            return Err(wrong(
                path,
                "it is in Fortran order: store `numpy.ascontiguousarray` of it",
            ));
        }
        let shape = field("shape").unwrap_or_default();
        let shape = shape
            .trim_start_matches('(')
            .split(')')
            .next()
            .unwrap_or_default();
        let sides: Vec<usize> = shape
            .split(',')
            .map(str::trim)
            .filter(|side| !side.is_empty())
            .map(|side| side.parse().unwrap_or(0))
            // Axes of one beside the three are no trouble.
            .collect();
        let (frames, height, width) = match sides.as_slice() {
            [height, width] => (1, *height, *width),
            [frames, height, width] | [frames, 1, height, width] | [frames, height, width, 1] => {
                (*frames, *height, *width)
            }
            _ => {
                return Err(wrong(
                    path,
                    format!("its shape is ({shape}), not [T, H, W] or [H, W]"),
                ));
            }
        };
        let is_sound = |side: usize| (1..=LARGEST_SIDE).contains(&side);
        if frames == 0 || !is_sound(width) || !is_sound(height) {
            return Err(wrong(path, format!("its shape is ({shape})")));
        }
        let expected = (frames as u64).saturating_mul((height * width * number.bytes()) as u64);
        let there = file
            .metadata()
            .map_err(|e| VideoError::io("read", path, e))?
            .len()
            - start;
        if there < expected {
            return Err(wrong(
                path,
                format!("it is cut short: {there} bytes of {expected}"),
            ));
        }
        Ok(Self {
            file,
            start,
            number,
            frames,
            height,
            width,
        })
    }

    fn frame(&mut self, path: &Path, index: usize) -> Result<DepthMap, VideoError> {
        let length = self.height * self.width * self.number.bytes();
        let mut bytes = vec![0; length];
        self.file
            .seek(SeekFrom::Start(self.start + index as u64 * length as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|e| VideoError::io("read", path, e))?;
        let values = bytes.chunks_exact(self.number.bytes());
        Ok(DepthMap {
            width: self.width as u32,
            height: self.height as u32,
            values: values.map(|b| self.number.value(b)).collect(),
        })
    }
}

fn read_picture(path: &Path) -> Result<DepthMap, VideoError> {
    let is = |name: &str| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(name))
    };
    if is("exr") {
        read_exr(path)
    } else if is("png") {
        read_png(path)
    } else {
        Err(wrong(path, "depth is read from .npy, .png and .exr files"))
    }
}

fn read_png(path: &Path) -> Result<DepthMap, VideoError> {
    let file = File::open(path).map_err(|e| VideoError::io("open", path, e))?;
    let bad = |error: png::DecodingError| wrong(path, error.to_string());
    let mut reader = png::Decoder::new(BufReader::new(file))
        .read_info()
        .map_err(bad)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    if info.color_type != png::ColorType::Grayscale || info.is_animated() {
        return Err(wrong(
            path,
            format!("its pixels are {:?}, not grey", info.color_type),
        ));
    }
    if width as usize > LARGEST_SIDE || height as usize > LARGEST_SIDE {
        return Err(wrong(path, format!("it is {width}x{height}")));
    }
    let depth = info.bit_depth;
    let size = reader.output_buffer_size().unwrap_or(0);
    let mut bytes = vec![0; size];
    reader.next_frame(&mut bytes).map_err(bad)?;
    let values = match depth {
        png::BitDepth::Eight => bytes.iter().map(|b| f32::from(*b)).collect(),
        png::BitDepth::Sixteen => bytes
            .chunks_exact(2)
            .map(|b| f32::from(u16::from_be_bytes([b[0], b[1]])))
            .collect(),
        other => {
            return Err(wrong(
                path,
                format!("it has {} bits, not 8 or 16", other as u8),
            ));
        }
    };
    Ok(DepthMap {
        width,
        height,
        values,
    })
}

fn read_exr(path: &Path) -> Result<DepthMap, VideoError> {
    let bad = |error: exr::error::Error| wrong(path, error.to_string());
    // The size is looked at before anything is allocated for pixels.
    let meta = MetaData::read_from_file(path, false).map_err(bad)?;
    for header in &meta.headers {
        let size = header.layer_size;
        if size.width() > LARGEST_SIDE || size.height() > LARGEST_SIDE {
            return Err(wrong(
                path,
                format!("it is {}x{}", size.width(), size.height()),
            ));
        }
    }
    let image = read()
        .no_deep_data()
        .largest_resolution_level()
        .all_channels()
        .first_valid_layer()
        .all_attributes()
        .from_file(path)
        .map_err(bad)?;
    let (size, channels) = (image.layer_data.size, image.layer_data.channel_data.list);
    let named = |wanted: &[&str]| {
        channels.iter().find(|channel| {
            let name = channel.name.to_string();
            let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
            wanted.iter().any(|w| last.eq_ignore_ascii_case(w))
        })
    };
    let channel = match named(&["Z", "depth"]) {
        Some(channel) => channel,
        None if channels.len() == 1 => &channels[0],
        None => {
            let names: Vec<String> = channels.iter().map(|c| c.name.to_string()).collect();
            let reason = format!("it has the channels {}, and none is Z", names.join(", "));
            return Err(wrong(path, reason));
        }
    };
    let values = match &channel.sample_data {
        FlatSamples::F16(values) => values.iter().map(|v| v.to_f32()).collect(),
        FlatSamples::F32(values) => values.clone(),
        FlatSamples::U32(values) => values.iter().map(|v| *v as f32).collect(),
    };
    Ok(DepthMap {
        width: size.width() as u32,
        height: size.height() as u32,
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ExrLayer, ExrPicture, ExrSamples, fsx, write_exr, write_png_gray16, write_png_rgb8,
    };

    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn arrays_are_read_frame_by_frame() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.npy");
        let floats: Vec<u8> = (0..12)
            .flat_map(|i| (i as f32 * 0.5).to_le_bytes())
            .collect();
        fsx::write_atomic(&path, &npy("<f4", "(2, 2, 3)", &floats)).unwrap();
        let mut maps = DepthMaps::open(&path).unwrap();
        assert_eq!(maps.frames(), Some(2));
        let map = maps.frame(1).unwrap();
        assert_eq!((map.width, map.height), (3, 2));
        assert_eq!(map.values, [3.0, 3.5, 4.0, 4.5, 5.0, 5.5]);
        assert_eq!(
            [
                map.at([0.0, 0.0]),
                map.at([0.99, 0.99]),
                map.at([2.0, -1.0])
            ],
            [3.0, 5.5, 4.0]
        );
        assert!(maps.frame(2).unwrap_err().to_string().contains("2 frames"));
        let shorts: Vec<u8> = [7u16, 9].iter().flat_map(|v| v.to_le_bytes()).collect();
        fsx::write_atomic(&path, &npy("<u2", "(1, 2)", &shorts)).unwrap();
        let mut maps = DepthMaps::open(&path).unwrap();
        assert_eq!(
            (maps.frames(), maps.frame(40).unwrap().values),
            (None, vec![7.0, 9.0])
        );
    }

    #[test]
    fn pictures_and_folders_of_them_are_read() {
        let folder = tempfile::tempdir().unwrap();
        write_png_gray16(&folder.path().join("00001.png"), 2, 1, &[300, 65535]).unwrap();
        let z = [1.5f32, 2.5];
        let picture = ExrPicture {
            width: 2,
            height: 1,
            layers: vec![ExrLayer {
                name: "depth".into(),
                channels: vec![("Z".into(), ExrSamples::F32(&z))],
            }],
        };
        write_exr(&folder.path().join("00000.exr"), &picture).unwrap();
        let mut maps = DepthMaps::open(folder.path()).unwrap();
        assert_eq!(maps.frames(), Some(2));
        assert_eq!(maps.frame(0).unwrap().values, [1.5, 2.5]);
        assert_eq!(maps.frame(1).unwrap().values, [300.0, 65535.0]);
    }

    #[test]
    fn what_is_no_depth_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let refused = |name: &str, bytes: &[u8]| {
            fsx::write_atomic(&path(name), bytes).unwrap();
            DepthMaps::open(&path(name)).unwrap_err().to_string()
        };
        assert!(refused("a.npy", b"short").contains("no NumPy array"));
        assert!(refused("b.npy", &npy("<f4", "(9, 9)", &[0; 40])).contains("cut short"));
        assert!(refused("c.npy", &npy("<i8", "(1, 1)", &[0; 8])).contains("`<i8`"));
        assert!(refused("d.npy", &npy("<f4", "(4,)", &[0; 16])).contains("shape"));
        assert!(refused("e.npy", &npy("<f4", "(1, 99999999999, 1)", &[])).contains("shape"));
        assert!(refused("f.png", b"no picture").len() > 10);
        assert!(refused("g.exr", b"no picture").len() > 10);
        assert!(refused("h.jpg", b"").contains(".npy, .png and .exr"));
        write_png_rgb8(&path("i.png"), 1, 1, &[1, 2, 3]).unwrap();
        assert!(
            DepthMaps::open(&path("i.png"))
                .unwrap_err()
                .to_string()
                .contains("not grey")
        );
        std::fs::create_dir(path("empty")).unwrap();
        assert!(DepthMaps::open(&path("empty")).is_err());
    }
}
