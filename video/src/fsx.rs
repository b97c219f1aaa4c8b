//! Files that appear complete or not at all, and errors that say which file and what to do.
//!
//! A file is written under a temporary name beside its place, flushed, synced and renamed. A reader
//! therefore never sees half a file, and a run that is killed leaves only names for which
//! [`is_temporary`] is true.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What every temporary name contains.
const TEMPORARY_MARK: &str = ".tmp-";

/// Bytes gathered before a system call.
const BUFFER_BYTES: usize = 1 << 16;

/// A file operation that failed: what was tried, on which path, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FsError {
    /// What was tried, as a verb: "create", "write", "rename", …
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FsError {
    /// An error of `action` (a verb such as "read") on `path`.
    pub fn new(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            action,
            path: path.into(),
            source,
        }
    }

    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self.source.kind() {
            ErrorKind::StorageFull => {
                Some("the disk is full: free some space and run the same command again")
            }
            ErrorKind::QuotaExceeded => {
                Some("your disk quota is used up: free some space and run the same command again")
            }
            ErrorKind::PermissionDenied => {
                Some("no permission: choose a folder you may write to, or change its permissions")
            }
            ErrorKind::ReadOnlyFilesystem => {
                Some("this file system is read-only: choose another output folder")
            }
            ErrorKind::FileTooLarge => {
                Some("this file system or your limits (`ulimit -f`) do not allow a file this large")
            }
            ErrorKind::NotFound => Some("check the path: a folder or file in it does not exist"),
            ErrorKind::NotADirectory => Some("a part of this path is a file, not a folder"),
            ErrorKind::InvalidFilename => Some("the name is too long or has forbidden characters"),
            _ => None,
        }
    }

    /// True where the user, not the program, can mend the cause: disk full, no permission, a wrong path.
    pub fn is_users_to_mend(&self) -> bool {
        self.hint().is_some()
    }
}

/// True for the name of a file that is being written, or was when its writer was killed.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name()
        .and_then(OsStr::to_str)
        .is_some_and(|name| name.contains(TEMPORARY_MARK))
}

/// Writes `bytes` to `path`: all of them, synced, or nothing. An older file is replaced.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)
        .map_err(|source| FsError::new("write", path, source))?;
    file.finish()
}

/// Makes the names in `folder` durable, so that a rename survives a power cut.
pub fn sync_dir(folder: &Path) -> Result<(), FsError> {
    // Only Unix can open and sync a folder; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(|source| FsError::new("sync", folder, source))?;
    }
    Ok(())
}

/// The folder that holds `path`.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// An empty temporary file beside `path`, with the permissions a plain new file would have.
pub(crate) fn temporary_beside(path: &Path) -> Result<NamedTempFile, FsError> {
    let mut prefix = path
        .file_name()
        .ok_or_else(|| FsError::new("create", path, ErrorKind::InvalidFilename.into()))?
        .to_os_string();
    prefix.push(TEMPORARY_MARK);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        // The default is private to the user; a data set is for others to read. The umask still counts.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
        .tempfile_in(folder_of(path))
        .map_err(|source| FsError::new("create", path, source))
}

/// Syncs a finished temporary file and puts it in its place.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<(), FsError> {
    file.as_file()
        .sync_all()
        .map_err(|source| FsError::new("sync", path, source))?;
    file.persist(path)
        .map_err(|refused| FsError::new("rename into", path, refused.error))?;
    sync_dir(folder_of(path))
}

/// A file that takes its name only when [`AtomicFile::finish`] is called; dropped before, it is removed.
///
/// Writes are buffered. Errors of `Write` and `Seek` are plain [`io::Error`]s: wrap them with
/// [`AtomicFile::error`] to name the file.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    buffer: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Starts a file that will be `path`.
    pub fn create(path: &Path) -> Result<Self, FsError> {
        Ok(Self {
            target: path.to_path_buf(),
            buffer: BufWriter::with_capacity(BUFFER_BYTES, temporary_beside(path)?),
        })
    }

    /// Where the file will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Names this file in an error of a write or seek.
    pub fn error(&self, source: io::Error) -> FsError {
        FsError::new("write", &self.target, source)
    }

    /// Flushes, syncs and renames: afterwards the file is there, whole.
    pub fn finish(self) -> Result<(), FsError> {
        let Self { target, buffer } = self;
        let file = buffer
            .into_inner()
            .map_err(|refused| FsError::new("write", &target, refused.into_error()))?;
        persist(file, &target)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.buffer.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn an_unfinished_file_is_temporary_and_vanishes() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(&folder.path().join("clip.mp4")).unwrap();
        file.write_all(b"half").unwrap();
        file.flush().unwrap();
        let seen = names(folder.path());
        assert_eq!(seen.len(), 1);
        assert!(is_temporary(Path::new(&seen[0])), "{seen:?}");
        assert!(!is_temporary(Path::new("clip.mp4")));
        drop(file);
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_plain_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomic(&ours, b"x").unwrap();
        File::create(&plain).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn errors_name_the_path_and_say_what_to_do() {
        let missing = Path::new("no/such/folder/a.json");
        let error = write_atomic(missing, b"x").unwrap_err();
        assert!(
            error.to_string().contains("no/such/folder/a.json"),
            "{error}"
        );
        assert!(error.is_users_to_mend());
        assert!(error.hint().unwrap().contains("does not exist"));

        let full = FsError::new("write", "a", ErrorKind::StorageFull.into());
        assert!(full.is_users_to_mend() && full.hint().unwrap().contains("disk is full"));
        let denied = FsError::new("write", "a", ErrorKind::PermissionDenied.into());
        assert!(denied.is_users_to_mend() && denied.hint().unwrap().contains("permission"));
        let other = FsError::new("write", "a", io::Error::other("odd"));
        assert!(!other.is_users_to_mend());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_the_users_to_mend() {
        let Ok(mut full) = File::options().write(true).open("/dev/full") else {
            return; // not mounted in every sandbox
        };
        let refused = full.write_all(b"x").unwrap_err();
        let error = FsError::new("write", "/dev/full", refused);
        assert!(error.is_users_to_mend());
        assert!(error.hint().unwrap().contains("disk is full"));
    }
}
