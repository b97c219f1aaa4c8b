//! An MP4 file in the making, as both built-in writers use it.

use std::path::{Path, PathBuf};

use crate::color_writer::VideoSummary;
use crate::error::VideoError;
use crate::fsx::AtomicFile;
use crate::h264::CodedFrame;
use crate::mp4::{Mp4Writer, TrackFormat};

/// Takes coded frames and names the file in every error.
#[derive(Debug)]
pub(crate) struct Clip {
    path: PathBuf,
    muxer: Mp4Writer<AtomicFile>,
}

impl Clip {
    pub(crate) fn create(path: &Path) -> Result<Self, VideoError> {
        let file = AtomicFile::create(path)?;
        let muxer = Mp4Writer::start(file).map_err(|e| VideoError::io("write", path, e))?;
        Ok(Self {
            path: path.to_path_buf(),
            muxer,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn frames(&self) -> u64 {
        self.muxer.frames()
    }

    pub(crate) fn push(&mut self, frame: &CodedFrame) -> Result<(), VideoError> {
        self.muxer
            .frame(&frame.nals, frame.is_key)
            .map_err(|e| VideoError::io("write", &self.path, e))
    }

    /// Checks that a frame has `expected` values.
    pub(crate) fn check_length(&self, expected: usize, got: usize) -> Result<(), VideoError> {
        if expected == got {
            return Ok(());
        }
        Err(VideoError::DataLength {
            path: self.path.clone(),
            what: format!("frame {}", self.frames()),
            expected,
            got,
        })
    }

    /// Writes the index and gives the file its name.
    pub(crate) fn finish(self, format: &TrackFormat) -> Result<VideoSummary, VideoError> {
        let Self { path, muxer } = self;
        let frames = muxer.frames();
        if frames == 0 {
            return Err(VideoError::NoFrames { path });
        }
        let (file, bytes) = muxer
            .finish(format)
            .map_err(|e| VideoError::io("write", &path, e))?;
        file.finish()?;
        Ok(VideoSummary { frames, bytes })
    }
}
