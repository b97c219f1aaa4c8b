//! What can go wrong between Frames and a finished Sample, always with the place and a hint.

use std::path::{Path, PathBuf};

use diorama_synth::geometry::GeometryError;
use diorama_video::VideoError;
use diorama_video::fsx::FsError;

/// A fault of post-processing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostprocError {
    /// A file, video, PNG or EXR could not be written or read; the message names it.
    #[error(transparent)]
    Media(#[from] VideoError),
    /// The meshes of a Shot cannot be had.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A Shot that no sample can be made of.
    #[error("shot `{id}`: {reason}")]
    Shot {
        /// Sample id of the Shot.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// A Frame that does not belong to the Shot.
    #[error("shot `{id}`, frame {frame}: {reason}")]
    Frame {
        /// Sample id of the Shot.
        id: String,
        /// Index of the frame.
        frame: u32,
        /// What is wrong.
        reason: String,
    },
    /// An option that cannot be obeyed.
    #[error("{option}: {reason}")]
    Option {
        /// The option in the words of the command line.
        option: &'static str,
        /// Why not.
        reason: String,
    },
    /// Another process holds the journal.
    #[error("{} is locked: a shard is already running", path.display())]
    ShardRunning {
        /// The journal.
        path: PathBuf,
    },
    /// A line of a journal, other than a torn last one, is not what this program writes.
    #[error("{}, line {line}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// A JSON file of a sample cannot be read back.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// Two folders claim one id with different contents.
    #[error(
        "two different samples are called `{id}`: {} and {} (`{file}` differs)",
        first.display(),
        second.display()
    )]
    Duplicate {
        /// The id.
        id: String,
        /// Folder met first.
        first: PathBuf,
        /// Folder met second.
        second: PathBuf,
        /// First file that differs, relative to both.
        file: String,
    },
}

impl PostprocError {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::ShardRunning { .. } => {
                Some("wait for it, stop it, or give this run another `--shard i/n` or folder")
            }
            Self::Journal { .. } => {
                Some("delete the damaged line: its sample is made again by the next run")
            }
            Self::Json { .. } => Some("make the sample again with `--redo ID`"),
            Self::Duplicate { .. } => {
                Some("the folders were made with different plans; index them apart or rename one")
            }
            Self::Media(error) => error.hint(),
            Self::Option { .. } | Self::Shot { .. } | Self::Frame { .. } | Self::Geometry(_) => {
                None
            }
        }
    }

    /// True where the user, not the program, can mend the cause (exit code 2, not 3).
    pub fn is_users_to_mend(&self) -> bool {
        match self {
            Self::Media(error) => error.is_users_to_mend(),
            Self::Frame { .. } => false,
            Self::Shot { .. }
            | Self::Geometry(_)
            | Self::Option { .. }
            | Self::ShardRunning { .. }
            | Self::Journal { .. }
            | Self::Json { .. }
            | Self::Duplicate { .. } => true,
        }
    }
}

impl From<FsError> for PostprocError {
    fn from(error: FsError) -> Self {
        Self::Media(VideoError::File(error))
    }
}

/// Names the operation (a verb) and the path in an error of the system.
pub(crate) fn fs_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> PostprocError {
    move |source| FsError::new(action, path, source).into()
}

/// Short for the results of this crate.
pub type Result<T> = std::result::Result<T, PostprocError>;
