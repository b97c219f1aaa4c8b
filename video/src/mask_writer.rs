//! Mask videos that lose nothing.

use std::path::Path;

use crate::clip::Clip;
use crate::color_writer::VideoSummary;
use crate::error::VideoError;
use crate::h264::{MaskCoder, MaskStream};
use crate::mp4::TrackFormat;
use crate::rate::FrameRate;
use crate::size;

/// The shape of a mask video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskVideoOptions {
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Frames per second, constant.
    pub fps: f64,
}

/// Writes grey frames into an H.264 MP4 file without loss.
///
/// The levels 0, 128 and 255 are exactly 0, 128 and 255 again in OpenCV, PyAV, decord, mediapy and ffmpeg. Other
/// levels keep their nearest limited-range brightness (219 steps), so they come back within 1.
/// A key frame comes every 16 frames. Holds two frames, never a clip.
#[derive(Debug)]
pub struct MaskVideoWriter {
    clip: Clip,
    stream: MaskStream,
    coder: MaskCoder,
}

impl MaskVideoWriter {
    /// Starts the file that will be `path`.
    pub fn create(path: &Path, options: &MaskVideoOptions) -> Result<Self, VideoError> {
        size::check(path, options.width, options.height)?;
        let rate = FrameRate::from_fps(options.fps).ok_or_else(|| VideoError::FrameRate {
            path: path.to_path_buf(),
            fps: options.fps,
        })?;
        let stream = MaskStream {
            width: options.width,
            height: options.height,
            rate,
        };
        Ok(Self {
            clip: Clip::create(path)?,
            stream,
            coder: MaskCoder::new(stream),
        })
    }

    /// Appends one frame: width × height greys, row by row.
    pub fn push(&mut self, levels: &[u8]) -> Result<(), VideoError> {
        let expected = self.stream.width as usize * self.stream.height as usize;
        self.clip.check_length(expected, levels.len())?;
        let frame = self.coder.encode(levels);
        self.clip.push(&frame)
    }

    /// Completes the file. Dropped without this, the writer leaves nothing.
    pub fn finish(self) -> Result<VideoSummary, VideoError> {
        self.clip.finish(&TrackFormat {
            width: self.stream.width as u16,
            height: self.stream.height as u16,
            rate: self.stream.rate,
            sps: self.stream.sps(),
            pps: MaskStream::pps(),
        })
    }
}
