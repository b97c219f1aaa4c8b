//! Reads the tracks of one frame back from `tracks.npz`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use glam::{DVec2, DVec3};

/// Longest header of an array that is read, bytes.
const MAX_HEADER: usize = 1 << 16;

/// One point in one frame, as tracks.npz has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordedTrack {
    /// Pixels; NaN behind the camera.
    pub position: DVec2,
    /// World, metres; NaN for the environment.
    pub world: DVec3,
    /// It is the nearest surface at its position.
    pub is_visible: bool,
}

/// The tracks of frame `frame` in the file `path`, which this crate wrote. Only they are kept in memory.
///
/// # Errors
/// Why the file cannot be read.
pub fn recorded_tracks(path: &Path, frame: u32) -> Result<Vec<RecordedTrack>, String> {
    let wrong = |reason: String| format!("{}: {reason}", path.display());
    let mut npz = Npz::open(path).map_err(wrong)?;
    let mut column = |name: &str, bytes: usize| npz.column(name, bytes, frame).map_err(wrong);
    let positions = column("target_points", 8)?;
    let worlds = column("tracks_xyz_world", 12)?;
    let occluded = column("occluded", 1)?;
    let floats = |bytes: &[u8]| -> Vec<f64> {
        bytes
            .chunks_exact(4)
            .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            .collect()
    };
    let rows = positions
        .chunks_exact(8)
        .zip(worlds.chunks_exact(12))
        .zip(&occluded);
    Ok(rows
        .map(|((position, world), occluded)| {
            let (position, world) = (floats(position), floats(world));
            RecordedTrack {
                position: DVec2::from_slice(&position),
                world: DVec3::from_slice(&world),
                is_visible: *occluded == 0,
            }
        })
        .collect())
}

/// An array that is stored in the file as it is.
struct Array {
    /// Of its first value.
    offset: u64,
    /// In C order.
    shape: Vec<u64>,
    /// Of all values.
    bytes: u64,
}

struct Npz {
    file: BufReader<File>,
    arrays: BTreeMap<String, Array>,
}

impl Npz {
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut npz = Self {
            file: BufReader::new(file),
            arrays: BTreeMap::new(),
        };
        let mut at = 0u64;
        loop {
            npz.seek(at)?;
            let head: [u8; 30] = npz.take()?;
            // The list of members begins where they end.
            if !head.starts_with(b"PK\x03\x04") {
                return Ok(npz);
            }
            let half = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
            let word = |at: usize| half(at) | half(at + 2) << 16;
            if half(8) != 0 || word(18) != word(22) {
                return Err("it is compressed, which no file of ours is".into());
            }
            let mut name = vec![0; half(26) as usize];
            npz.read(&mut name)?;
            let data = at + 30 + half(26) + half(28);
            npz.seek(data)?;
            let (header, shape) = npz.header()?;
            let length = word(18);
            let array = Array {
                offset: data + header,
                shape,
                bytes: length.saturating_sub(header),
            };
            let name = String::from_utf8_lossy(&name);
            let name = name.strip_suffix(".npy").unwrap_or(&name);
            npz.arrays.insert(name.to_owned(), array);
            at = data + length;
        }
    }

    /// Length of the header that begins here, and the shape in it.
    fn header(&mut self) -> Result<(u64, Vec<u64>), String> {
        let head: [u8; 10] = self.take()?;
        if !head.starts_with(b"\x93NUMPY\x01\x00") {
            return Err("a member is no array".into());
        }
        let length = usize::from(u16::from_le_bytes([head[8], head[9]])).min(MAX_HEADER);
        let mut text = vec![0; length];
        self.read(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let shape = text
            .split_once("'shape': (")
            .and_then(|(_, rest)| rest.split_once(')'))
            .ok_or("an array has no shape")?;
        let sizes = shape.0.split(',').map(str::trim).filter(|s| !s.is_empty());
        let sizes = sizes.map(|size| size.parse::<u64>().map_err(|error| error.to_string()));
        Ok((10 + length as u64, sizes.collect::<Result<_, _>>()?))
    }

    /// Values of `frame` for every point, of an array [points, frames, …] with `bytes` for each.
    fn column(&mut self, name: &str, bytes: usize, frame: u32) -> Result<Vec<u8>, String> {
        let array = self
            .arrays
            .get(name)
            .ok_or_else(|| format!("it has no `{name}`"))?;
        let (points, frames) = match array.shape.as_slice() {
            [points, frames, ..] => (*points, *frames),
            _ => return Err(format!("`{name}` has another shape")),
        };
        let row = frames.checked_mul(bytes as u64).filter(|row| {
            row.checked_mul(points) == Some(array.bytes) && u64::from(frame) < frames
        });
        let Some(row) = row else {
            return Err(format!("`{name}` has another shape"));
        };
        let first = array.offset + u64::from(frame) * bytes as u64;
        self.seek(first)?;
        let mut column = Vec::new();
        let mut value = vec![0; bytes];
        for point in 0..points {
            self.read(&mut value)?;
            column.extend_from_slice(&value);
            if point + 1 < points {
                let skip = (row - bytes as u64) as i64;
                self.file
                    .seek_relative(skip)
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(column)
    }

    fn seek(&mut self, at: u64) -> Result<(), String> {
        let sought = self.file.seek(SeekFrom::Start(at));
        sought.map(|_| ()).map_err(|error| error.to_string())
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), String> {
        self.file
            .read_exact(into)
            .map_err(|error| error.to_string())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.read(&mut bytes)?;
        Ok(bytes)
    }
}
