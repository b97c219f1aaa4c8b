//! Writing: `ftyp`, then `mdat` as frames come, then `moov` when their number is known.

use std::io::{self, Seek, SeekFrom, Write};

use super::colour_tags;
use crate::rate::FrameRate;

/// Frames stored side by side as one chunk: one group of pictures.
const FRAMES_PER_CHUNK: u32 = 16;

/// Identity of the display matrix, 16.16 and 2.30 fixed point.
const UNITY_MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// "und" as three 5-bit letters (ISO 639-2/T).
const LANGUAGE_UNDETERMINED: u16 = 0x55C4;

/// What the one track holds.
#[derive(Debug, Clone)]
pub(crate) struct TrackFormat {
    /// Pixels after cropping.
    pub(crate) width: u16,
    /// Pixels after cropping.
    pub(crate) height: u16,
    /// Constant.
    pub(crate) rate: FrameRate,
    /// Sequence parameter set, a NAL unit with its header byte.
    pub(crate) sps: Vec<u8>,
    /// Picture parameter set, a NAL unit with its header byte.
    pub(crate) pps: Vec<u8>,
}

/// Streams frames into an MP4 file. Memory: four bytes per frame.
#[derive(Debug)]
pub(crate) struct Mp4Writer<W> {
    out: W,
    /// Position of the 16 bytes that hold `free` and `mdat`, or one 64-bit `mdat`.
    media_header_at: u64,
    /// Bytes of frames so far.
    media_bytes: u64,
    /// Bytes of each frame.
    frame_bytes: Vec<u32>,
    /// 1-based numbers of the frames that decode alone.
    key_frames: Vec<u32>,
}

impl<W: Write + Seek> Mp4Writer<W> {
    /// Writes what goes before the first frame.
    pub(crate) fn start(mut out: W) -> io::Result<Self> {
        let mut head = Vec::new();
        boxed(&mut head, *b"ftyp", |b| {
            b.extend(b"isom");
            put_u32(b, 512);
            for brand in [b"isom", b"iso2", b"avc1", b"mp41"] {
                b.extend(brand);
            }
        });
        let media_header_at = head.len() as u64;
        // Room for a 64-bit size, should the frames come to more than 4 GiB.
        boxed(&mut head, *b"free", |_| {});
        boxed(&mut head, *b"mdat", |_| {});
        out.write_all(&head)?;
        Ok(Self {
            out,
            media_header_at,
            media_bytes: 0,
            frame_bytes: Vec::new(),
            key_frames: Vec::new(),
        })
    }

    /// Appends one frame: its NAL units, without start codes.
    pub(crate) fn frame(&mut self, nals: &[Vec<u8>], is_key: bool) -> io::Result<()> {
        let mut bytes = 0u64;
        for nal in nals {
            let length = u32::try_from(nal.len()).map_err(|_| too_large())?;
            self.out.write_all(&length.to_be_bytes())?;
            self.out.write_all(nal)?;
            bytes += 4 + u64::from(length);
        }
        self.frame_bytes
            .push(u32::try_from(bytes).map_err(|_| too_large())?);
        self.media_bytes += bytes;
        if is_key {
            self.key_frames.push(self.frame_bytes.len() as u32);
        }
        Ok(())
    }

    /// Frames so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frame_bytes.len() as u64
    }

    /// Writes the index and gives back the output and the size of the whole file in bytes.
    pub(crate) fn finish(mut self, format: &TrackFormat) -> io::Result<(W, u64)> {
        let mut header = Vec::with_capacity(16);
        if let Ok(size) = u32::try_from(self.media_bytes + 8) {
            boxed(&mut header, *b"free", |_| {});
            put_u32(&mut header, size);
            header.extend(b"mdat");
        } else {
            put_u32(&mut header, 1);
            header.extend(b"mdat");
            put_u64(&mut header, self.media_bytes + 16);
        }
        self.out.seek(SeekFrom::Start(self.media_header_at))?;
        self.out.write_all(&header)?;
        self.out.seek(SeekFrom::End(0))?;
        let index = self.movie(format);
        self.out.write_all(&index)?;
        let total = self.media_header_at + 16 + self.media_bytes + index.len() as u64;
        Ok((self.out, total))
    }

    /// The `moov` box.
    fn movie(&self, format: &TrackFormat) -> Vec<u8> {
        // One tick is 1/numerator s and a frame lasts `denominator` ticks, so that every time is exact.
        let timescale = format.rate.numerator;
        let ticks_per_frame = format.rate.denominator;
        let duration = self.frames() * u64::from(ticks_per_frame);
        let mut out = Vec::new();
        boxed(&mut out, *b"moov", |b| {
            boxed(b, *b"mvhd", |b| {
                put_times(b, 0, duration, |b| put_u32(b, timescale));
                put_u32(b, 0x1_0000); // rate 1.0
                put_u16(b, 0x100); // volume 1.0
                b.extend([0; 10]);
                for value in UNITY_MATRIX {
                    put_u32(b, value);
                }
                b.extend([0; 24]);
                put_u32(b, 2); // next track
            });
            boxed(b, *b"trak", |b| {
                boxed(b, *b"tkhd", |b| {
                    let enabled_in_movie = 3;
                    put_times(b, enabled_in_movie, duration, |b| {
                        put_u32(b, 1); // track id
                        put_u32(b, 0);
                    });
                    b.extend([0; 8]);
                    put_u16(b, 0); // layer
                    put_u16(b, 0); // alternate group
                    put_u16(b, 0); // volume: not audio
                    put_u16(b, 0);
                    for value in UNITY_MATRIX {
                        put_u32(b, value);
                    }
                    put_u32(b, u32::from(format.width) << 16);
                    put_u32(b, u32::from(format.height) << 16);
                });
                boxed(b, *b"mdia", |b| {
                    boxed(b, *b"mdhd", |b| {
                        put_times(b, 0, duration, |b| put_u32(b, timescale));
                        put_u16(b, LANGUAGE_UNDETERMINED);
                        put_u16(b, 0);
                    });
                    boxed(b, *b"hdlr", |b| {
                        put_u32(b, 0);
                        put_u32(b, 0);
                        b.extend(b"vide");
                        b.extend([0; 12]);
                        b.extend(b"VideoHandler\0");
                    });
                    boxed(b, *b"minf", |b| {
                        boxed(b, *b"vmhd", |b| {
                            put_u32(b, 1);
                            b.extend([0; 8]);
                        });
                        boxed(b, *b"dinf", |b| {
                            boxed(b, *b"dref", |b| {
                                put_u32(b, 0);
                                put_u32(b, 1);
                                boxed(b, *b"url ", |b| put_u32(b, 1)); // in this file
                            });
                        });
                        boxed(b, *b"stbl", |b| {
                            self.sample_tables(b, format, ticks_per_frame);
                        });
                    });
                });
            });
        });
        out
    }

    fn sample_tables(&self, b: &mut Vec<u8>, format: &TrackFormat, ticks_per_frame: u32) {
        let frames = self.frame_bytes.len() as u32;
        boxed(b, *b"stsd", |b| {
            put_u32(b, 0);
            put_u32(b, 1);
            boxed(b, *b"avc1", |b| {
                b.extend([0; 6]);
                put_u16(b, 1); // data reference
                b.extend([0; 16]);
                put_u16(b, format.width);
                put_u16(b, format.height);
                put_u32(b, 72 << 16); // 72 dpi, the value the standard fixes
                put_u32(b, 72 << 16);
                put_u32(b, 0);
                put_u16(b, 1); // frames per sample
                b.extend([0; 32]); // compressor name
                put_u16(b, 24); // depth
                put_u16(b, 0xFFFF);
                boxed(b, *b"avcC", |b| {
                    // Profile, compatibility and level are the three bytes after the SPS's header.
                    b.push(1);
                    b.extend(&format.sps[1..4]);
                    b.push(0xFC | 3); // lengths of four bytes
                    b.push(0xE0 | 1); // one SPS
                    put_u16(b, format.sps.len() as u16);
                    b.extend(&format.sps);
                    b.push(1); // one PPS
                    put_u16(b, format.pps.len() as u16);
                    b.extend(&format.pps);
                    if format.sps[1] >= 100 {
                        // High profile: 4:2:0, 8 bits, no SPS extensions.
                        b.extend([0xFC | 1, 0xF8, 0xF8, 0]);
                    }
                });
                boxed(b, *b"colr", |b| {
                    b.extend(b"nclx");
                    put_u16(b, u16::from(colour_tags::PRIMARIES));
                    put_u16(b, u16::from(colour_tags::TRANSFER));
                    put_u16(b, u16::from(colour_tags::MATRIX));
                    b.push(0); // limited range
                });
                boxed(b, *b"pasp", |b| {
                    put_u32(b, 1);
                    put_u32(b, 1);
                });
            });
        });
        boxed(b, *b"stts", |b| {
            put_u32(b, 0);
            put_u32(b, 1);
            put_u32(b, frames);
            put_u32(b, ticks_per_frame);
        });
        boxed(b, *b"stss", |b| {
            put_u32(b, 0);
            put_u32(b, self.key_frames.len() as u32);
            self.key_frames
                .iter()
                .for_each(|&number| put_u32(b, number));
        });
        let full_chunks = frames / FRAMES_PER_CHUNK;
        let last_chunk = frames % FRAMES_PER_CHUNK;
        boxed(b, *b"stsc", |b| {
            let runs: Vec<(u32, u32)> = [
                (1, FRAMES_PER_CHUNK, full_chunks > 0),
                (full_chunks + 1, last_chunk, last_chunk > 0),
            ]
            .into_iter()
            .filter_map(|(first, count, present)| present.then_some((first, count)))
            .collect();
            put_u32(b, 0);
            put_u32(b, runs.len() as u32);
            for (first_chunk, frames_in_chunk) in runs {
                put_u32(b, first_chunk);
                put_u32(b, frames_in_chunk);
                put_u32(b, 1); // sample description
            }
        });
        boxed(b, *b"stsz", |b| {
            put_u32(b, 0);
            put_u32(b, 0); // sizes differ
            put_u32(b, frames);
            self.frame_bytes.iter().for_each(|&bytes| put_u32(b, bytes));
        });
        let first = self.media_header_at + 16;
        let chunk_offsets: Vec<u64> = self
            .frame_bytes
            .chunks(FRAMES_PER_CHUNK as usize)
            .scan(first, |next, chunk| {
                let offset = *next;
                *next += chunk.iter().map(|&bytes| u64::from(bytes)).sum::<u64>();
                Some(offset)
            })
            .collect();
        let is_long = u32::try_from(first + self.media_bytes).is_err();
        boxed(b, if is_long { *b"co64" } else { *b"stco" }, |b| {
            put_u32(b, 0);
            put_u32(b, chunk_offsets.len() as u32);
            for &offset in &chunk_offsets {
                if is_long {
                    put_u64(b, offset);
                } else {
                    put_u32(b, offset as u32);
                }
            }
        });
    }
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame of more than 4 GiB")
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_be_bytes());
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_be_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_be_bytes());
}

/// Appends a box whose body `fill` writes.
fn boxed(out: &mut Vec<u8>, kind: [u8; 4], fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_u32(out, 0);
    out.extend(kind);
    fill(out);
    let size = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// The start that `mvhd`, `tkhd` and `mdhd` share: version, flags, times of making (0: no clock
/// reaches a file), what `between` writes, duration.
fn put_times(out: &mut Vec<u8>, flags: u32, duration: u64, between: impl FnOnce(&mut Vec<u8>)) {
    let short = u32::try_from(duration);
    put_u32(out, u32::from(short.is_err()) << 24 | flags);
    out.extend(if short.is_ok() { &[0; 8][..] } else { &[0; 16] });
    between(out);
    match short {
        Ok(short) => put_u32(out, short),
        Err(_) => put_u64(out, duration),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn format() -> TrackFormat {
        TrackFormat {
            width: 64,
            height: 48,
            rate: FrameRate::reduced(16, 1),
            sps: vec![0x67, 66, 0xC0, 30],
            pps: vec![0x68, 1],
        }
    }

    fn find(bytes: &[u8], name: [u8; 4]) -> Option<usize> {
        bytes
            .windows(4)
            .position(|window| window == name.as_slice())
    }

    #[test]
    fn more_than_four_gigabytes_take_sixty_four_bit_places() {
        let mut writer = Mp4Writer::start(Cursor::new(Vec::new())).unwrap();
        let head = writer.media_header_at as usize;
        // As if 40 frames of 2^28 bytes had been written.
        writer.frame_bytes = vec![1 << 28; 40];
        writer.media_bytes = 40 << 28;
        writer.key_frames = vec![1];
        let (out, total) = writer.finish(&format()).unwrap();
        let bytes = out.into_inner();
        assert_eq!(bytes[head..head + 8], *b"\0\0\0\x01mdat");
        let size = (40u64 << 28) + 16;
        assert_eq!(bytes[head + 8..head + 16], size.to_be_bytes());
        assert_eq!(total, (40 << 28) + bytes.len() as u64);
        let table = find(&bytes, *b"co64").unwrap();
        let last_chunk = head as u64 + 16 + (32 << 28);
        assert_eq!(
            bytes[table + 12 + 16..table + 12 + 24],
            last_chunk.to_be_bytes()
        );
        assert_eq!(find(&bytes, *b"stco"), None);
    }

    #[test]
    fn a_small_file_has_thirty_two_bit_places_and_no_clock() {
        let write = || {
            let mut writer = Mp4Writer::start(Cursor::new(Vec::new())).unwrap();
            writer.frame(&[vec![0x65, 1, 2]], true).unwrap();
            writer.finish(&format()).unwrap().0.into_inner()
        };
        let bytes = write();
        assert!(find(&bytes, *b"stco").is_some() && find(&bytes, *b"co64").is_none());
        for name in [*b"mvhd", *b"tkhd", *b"mdhd"] {
            let at = find(&bytes, name).unwrap();
            assert_eq!(bytes[at + 8..at + 16], [0; 8], "times of making");
        }
        assert_eq!(bytes, write());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_fills_up_is_an_error_that_says_so() {
        let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
            return; // not mounted in every sandbox
        };
        let refused = Mp4Writer::start(full).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
}
