//! What can go wrong with a video or picture file.

use std::path::{Path, PathBuf};

use crate::fsx::FsError;

/// An error of this crate. [`VideoError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FsError),

    /// 4:2:0 video has one colour sample per 2×2 pixels.
    #[error("{}: a video cannot be {width}x{height}: {reason}", path.display())]
    Size {
        /// The video.
        path: PathBuf,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// The rule that it breaks.
        reason: &'static str,
        /// What to do.
        hint: &'static str,
    },

    /// Not a rate.
    #[error("{}: a video cannot have {fps} frames per second", path.display())]
    FrameRate {
        /// The video.
        path: PathBuf,
        /// What was asked for.
        fps: f64,
    },

    /// Not an H.264 quantiser.
    #[error("{}: quantiser {qp} is outside 0..=51", path.display())]
    Quantiser {
        /// The video.
        path: PathBuf,
        /// What was asked for.
        qp: u8,
    },

    /// A frame or picture whose data does not fit its size.
    #[error("{}: {what} has {got} values where {expected} are needed", path.display())]
    DataLength {
        /// The file.
        path: PathBuf,
        /// Frame, plane or channel.
        what: String,
        /// Width × height × channels.
        expected: usize,
        /// What came.
        got: usize,
    },

    /// A video without frames is no video.
    #[error("{}: no frame was written", path.display())]
    NoFrames {
        /// The video.
        path: PathBuf,
    },

    /// The built-in encoder has no room for so much detail.
    #[error("{}: frame {frame} has too much fine detail for the built-in encoder at this quantiser", path.display())]
    TooDetailed {
        /// The video.
        path: PathBuf,
        /// 0-based.
        frame: u64,
    },
    /// The built-in encoder failed: our fault.
    #[error("{}: the built-in encoder failed at frame {frame}: {reason}", path.display())]
    Encoder {
        /// The video.
        path: PathBuf,
        /// 0-based.
        frame: u64,
        /// What it said.
        reason: String,
    },

    /// A PNG or EXR file could not be put together.
    #[error("{}: cannot encode the picture: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        reason: String,
    },

    /// A file of depth is none, or not of the clip.
    #[error("{}: {reason}", path.display())]
    NotDepth {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// ffmpeg or ffprobe is not there.
    #[error("`{tool}` was not found ({looked})")]
    ToolMissing {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// Where it was looked for.
        looked: String,
    },

    /// ffmpeg or ffprobe ended with an error.
    #[error("{}: {tool} failed ({status}): {message}", path.display())]
    Tool {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// The video.
        path: PathBuf,
        /// Exit status in words.
        status: String,
        /// The end of what it wrote to stderr.
        message: String,
    },

    /// ffmpeg or ffprobe was stopped because nothing came from it any more.
    #[error("{}: {tool} gave nothing for {seconds} s and was stopped", path.display())]
    Stalled {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// The video.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },

    /// The file is no whole PNG picture.
    #[error("{}: not a whole PNG picture: {reason}", path.display())]
    NotPicture {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// The file cannot be read as a video.
    #[error("{}: not a readable video: {reason}", path.display())]
    NotVideo {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl VideoError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::File(error) => error.hint(),
            Self::Size { hint, .. } => Some(hint),
            Self::FrameRate { .. } => {
                Some("use a rate between 0.01 and 1000, such as 16 or 23.976")
            }
            Self::Quantiser { .. } => Some("0 is the finest, 51 the coarsest"),
            Self::TooDetailed { .. } => Some(
                "use a larger picture, a coarser `--qp`, or `--encoder ffmpeg` where the command has it",
            ),
            Self::ToolMissing { .. } => Some(
                "install ffmpeg (Debian and Ubuntu: `apt install ffmpeg`; `brew install ffmpeg`; `winget install ffmpeg`), \
                 or set the environment variable FFMPEG to its path",
            ),
            Self::Tool { message, .. } if message.contains("Unknown encoder") => {
                Some("this build of ffmpeg has no such encoder: `ffmpeg -encoders` lists them")
            }
            Self::Tool { message, .. } if message.contains("No space left") => {
                Some("the disk is full: free some space and run the same command again")
            }
            Self::Stalled { .. } | Self::NotVideo { .. } => {
                Some("the file may be damaged, or not a video: try to play it, or leave it out")
            }
            _ => None,
        }
    }

    /// True where the user, not the program, can mend the cause.
    pub fn is_users_to_mend(&self) -> bool {
        match self {
            Self::File(error) => error.is_users_to_mend(),
            Self::Size { .. }
            | Self::FrameRate { .. }
            | Self::Quantiser { .. }
            | Self::ToolMissing { .. }
            | Self::Stalled { .. }
            | Self::TooDetailed { .. }
            | Self::NotVideo { .. }
            | Self::NotDepth { .. }
            | Self::NotPicture { .. }
            | Self::Tool { .. } => true,
            Self::DataLength { .. }
            | Self::NoFrames { .. }
            | Self::Encoder { .. }
            | Self::Picture { .. } => false,
        }
    }

    /// An error of `action` (a verb) on `path`.
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        FsError::new(action, path, source).into()
    }
}
