//! What tests share: scratch folders, files of the shared asset pack, ffmpeg if it is there.

use std::path::{Path, PathBuf};

use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, DEFAULT_QP, Encoder, MaskVideoOptions, MaskVideoWriter,
    ReadFormat, ReadOptions, Tools, VideoError, VideoReader, VideoSummary,
};

/// False, with a word about it, where ffmpeg is not installed.
pub(crate) fn has_ffmpeg() -> bool {
    let is_there = Tools::find(None).is_ok_and(|tools| tools.ffprobe.is_file());
    if !is_there {
        eprintln!("skipped: ffmpeg and ffprobe are not installed");
    }
    is_there
}

/// A file or folder of the shared asset pack; `None`, with a word about it, where the pack is not.
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DIORAMA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {relative} is not there (set DIORAMA_SHARED to the asset pack)");
    None
}

pub(crate) fn color_options(width: u32, height: u32) -> ColorVideoOptions {
    ColorVideoOptions {
        width,
        height,
        fps: 16.0,
        qp: DEFAULT_QP,
        encoder: Encoder::Embedded,
    }
}

pub(crate) fn write_color(
    path: &Path,
    options: &ColorVideoOptions,
    frames: &[Vec<u8>],
) -> Result<VideoSummary, VideoError> {
    let mut writer = ColorVideoWriter::create(path, options)?;
    for frame in frames {
        writer.push(frame)?;
    }
    writer.finish()
}

pub(crate) fn write_mask(
    path: &Path,
    (width, height): (u32, u32),
    frames: &[Vec<u8>],
) -> Result<VideoSummary, VideoError> {
    let options = MaskVideoOptions {
        width,
        height,
        fps: 16.0,
    };
    let mut writer = MaskVideoWriter::create(path, &options)?;
    for frame in frames {
        writer.push(frame)?;
    }
    writer.finish()
}

/// All frames, decoded.
pub(crate) fn read_all(path: &Path, format: ReadFormat) -> Result<Vec<Vec<u8>>, VideoError> {
    VideoReader::open(path, format, &ReadOptions::default())?
        .map(|frame| frame.map(|frame| frame.data))
        .collect()
}

/// Mean, 99th percentile and largest of |a − b|.
pub(crate) fn differences(pairs: impl Iterator<Item = (u8, u8)>) -> (f64, u8, u8) {
    let mut counts = [0u64; 256];
    for (a, b) in pairs {
        counts[a.abs_diff(b) as usize] += 1;
    }
    let total: u64 = counts.iter().sum();
    let sum: u64 = counts
        .iter()
        .zip(0u64..)
        .map(|(count, level)| count * level)
        .sum();
    let mut below = 0;
    let p99 = counts
        .iter()
        .position(|count| {
            below += count;
            below * 100 >= total * 99
        })
        .unwrap();
    let largest = counts.iter().rposition(|&count| count > 0).unwrap();
    (sum as f64 / total as f64, p99 as u8, largest as u8)
}
