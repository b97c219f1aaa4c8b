//! Reading the index of an MP4 file: how many frames, how large, where the key frames are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::VideoError;
use crate::rate::FrameRate;

/// Largest index that is read: 16 million frames take 64 MiB of sizes.
const LARGEST_INDEX_BYTES: u64 = 128 << 20;

/// Boxes at the top of a file that are looked at before giving up.
const MOST_TOP_BOXES: usize = 4096;

/// What the index of an MP4 file states about its first video track, and that the file is long enough
/// to hold it. No frame is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Mp4Index {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of the first frame; constant in files written here.
    pub rate: FrameRate,
    /// Bytes of each frame, in order.
    pub frame_bytes: Vec<u32>,
    /// 0-based numbers of the frames that decode alone, ascending.
    pub key_frames: Vec<u32>,
}

impl Mp4Index {
    /// Reads the index of the file at `path`.
    pub fn read(path: &Path) -> Result<Self, VideoError> {
        let mut file = File::open(path).map_err(|source| VideoError::io("open", path, source))?;
        Self::read_from(&mut file)
            .map_err(|source| VideoError::io("read", path, source))?
            .map_err(|reason| VideoError::NotVideo {
                path: path.to_path_buf(),
                reason: reason.to_owned(),
            })
    }

    fn read_from(source: &mut (impl Read + Seek)) -> io::Result<Result<Self, &'static str>> {
        let length = source.seek(SeekFrom::End(0))?;
        let movie = movie_bytes(source, length)?;
        Ok(movie.and_then(|movie| Self::parse(&movie, length)))
    }

    /// Number of frames.
    pub fn frames(&self) -> u64 {
        self.frame_bytes.len() as u64
    }

    /// Length in seconds.
    pub fn duration_secs(&self) -> f64 {
        self.frame_bytes.len() as f64 / self.rate.fps()
    }

    fn parse(movie: &[u8], file_bytes: u64) -> Result<Self, &'static str> {
        let media = children(movie)
            .filter(|(kind, _)| *kind == b"trak")
            .filter_map(|(_, track)| child(track, *b"mdia"))
            .find(|media| child(media, *b"hdlr").is_some_and(|b| b.get(8..12) == Some(b"vide")))
            .ok_or("no video track")?;
        let times = child(media, *b"mdhd").ok_or("no mdhd box")?;
        let timescale_at = if times.first() == Some(&1) { 20 } else { 12 };
        let timescale = u32_at(times, timescale_at).ok_or("a short mdhd box")?;
        let tables = child(media, *b"minf")
            .and_then(|b| child(b, *b"stbl"))
            .ok_or("no stbl box")?;

        let description = child(tables, *b"stsd").ok_or("no stsd box")?;
        // Version, count; size and name of the entry; 24 bytes before the size of the picture.
        let size = description.get(40..44).ok_or("a short stsd box")?;
        let width = u32::from(u16::from_be_bytes([size[0], size[1]]));
        let height = u32::from(u16::from_be_bytes([size[2], size[3]]));

        let durations = child(tables, *b"stts").ok_or("no stts box")?;
        let ticks_per_frame = u32_at(durations, 12).ok_or("a short stts box")?;
        if timescale == 0 || ticks_per_frame == 0 {
            return Err("no frame rate");
        }

        let sizes = child(tables, *b"stsz").ok_or("no stsz box")?;
        let frames = u32_at(sizes, 8).ok_or("a short stsz box")? as usize;
        let frame_bytes = match u32_at(sizes, 4) {
            Some(0) => words(sizes, 12, frames).ok_or("a short stsz box")?,
            // One size for all: no need to believe a count that nothing else bears out.
            Some(size) if u64::from(size) * frames as u64 <= file_bytes => vec![size; frames],
            _ => return Err("frames of more bytes than the file has"),
        };
        if frame_bytes.iter().map(|&b| u64::from(b)).sum::<u64>() > file_bytes {
            return Err("the file is cut short: its index names more bytes than it has");
        }

        let key_frames = match child(tables, *b"stss") {
            Some(table) => {
                let count = u32_at(table, 4).ok_or("a short stss box")? as usize;
                let numbers = words(table, 8, count).ok_or("a short stss box")?;
                if numbers.iter().any(|&n| n == 0 || n as usize > frames) {
                    return Err("a key frame that does not exist");
                }
                numbers.iter().map(|&number| number - 1).collect()
            }
            // No such table: every frame is one.
            None => (0..frames as u32).collect(),
        };
        Ok(Self {
            width,
            height,
            rate: FrameRate::reduced(timescale, ticks_per_frame),
            frame_bytes,
            key_frames,
        })
    }
}

/// The body of the `moov` box.
fn movie_bytes(
    file: &mut (impl Read + Seek),
    length: u64,
) -> io::Result<Result<Vec<u8>, &'static str>> {
    let mut at = 0u64;
    let mut movie = None;
    for _ in 0..MOST_TOP_BOXES {
        if at == length {
            break;
        }
        if length - at < 8 {
            return Ok(Err("the file is cut short"));
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0u8; 16];
        let read = 16.min(length - at) as usize;
        file.read_exact(&mut head[..read])?;
        let short = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let (header, size) = match short {
            0 => (8, length - at),
            1 if read == 16 => {
                let mut long = [0u8; 8];
                long.copy_from_slice(&head[8..]);
                (16, u64::from_be_bytes(long))
            }
            short => (8, u64::from(short)),
        };
        if size < header || size > length - at {
            return Ok(Err("a box that is longer than the file, or not MP4 at all"));
        }
        if &head[4..8] == b"moov" {
            if size > LARGEST_INDEX_BYTES {
                return Ok(Err("an index of more than 128 MiB"));
            }
            file.seek(SeekFrom::Start(at + header))?;
            let mut body = vec![0; (size - header) as usize];
            file.read_exact(&mut body)?;
            movie = Some(body);
        }
        at += size;
    }
    Ok(movie.ok_or("no moov box: not MP4, or it was never finished"))
}

/// The boxes inside `body`; ends at the first that does not fit.
fn children(body: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let size = u32_at(rest, 0)? as usize;
        let kind = rest.get(4..8)?.first_chunk::<4>()?;
        let inside = rest.get(8..size)?;
        rest = &rest[size..];
        Some((kind, inside))
    })
}

fn child(body: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    children(body)
        .find(|(k, _)| **k == kind)
        .map(|(_, inside)| inside)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// `count` words from `at` on; `None` when there are fewer (so a wild count reserves no memory).
fn words(bytes: &[u8], at: usize, count: usize) -> Option<Vec<u32>> {
    let end = at.checked_add(count.checked_mul(4)?)?;
    Some(
        bytes
            .get(at..end)?
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::{Mp4Writer, TrackFormat};
    use super::*;

    fn file(frames: u32, rate: FrameRate) -> Vec<u8> {
        let format = TrackFormat {
            width: 250,
            height: 198,
            rate,
            sps: vec![0x67, 66, 0xC0, 30, 1, 2],
            pps: vec![0x68, 1],
        };
        let mut writer = Mp4Writer::start(Cursor::new(Vec::new())).unwrap();
        for index in 0..frames {
            let nal = vec![0x61; 10 + index as usize];
            writer.frame(&[nal, vec![6; 3]], index % 16 == 0).unwrap();
        }
        let (out, total) = writer.finish(&format).unwrap();
        assert_eq!(out.get_ref().len() as u64, total);
        out.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Mp4Index, &'static str> {
        Mp4Index::read_from(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn the_index_says_what_was_written() {
        for frames in [1, 16, 17, 33, 80] {
            let rate = FrameRate::from_fps(24000.0 / 1001.0).unwrap();
            let index = read(&file(frames, rate)).unwrap();
            assert_eq!((index.width, index.height), (250, 198));
            assert_eq!(index.frames(), u64::from(frames));
            assert_eq!(index.rate, rate);
            assert_eq!(index.frame_bytes[0], 10 + 4 + 3 + 4);
            let expected: Vec<u32> = (0..frames).step_by(16).collect();
            assert_eq!(index.key_frames, expected);
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        let whole = file(20, FrameRate::reduced(16, 1));
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_index_is_an_error_or_a_value_and_never_a_panic() {
        let whole = file(20, FrameRate::reduced(16, 1));
        let index_at = whole.windows(4).position(|w| w == b"moov").unwrap() - 4;
        for at in index_at..whole.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let length = damaged.len() as u64;
                if let Ok(index) = Mp4Index::parse(&damaged[index_at + 8..], length) {
                    assert!(index.frame_bytes.len() <= damaged.len());
                }
            }
        }
    }
}
