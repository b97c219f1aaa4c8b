//! Where an asset's bytes come from: a folder on disk, or an archive held in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::scan::Stamp;
use crate::{AssetError, Warnings};

/// Largest single file that is read, bytes (2 GiB): beyond it a file is taken for damaged.
const MAX_FILE_BYTES: u64 = 2 << 30;
/// Largest content of an archive, bytes (1 GiB).
const MAX_ARCHIVE_BYTES: u64 = 1 << 30;
/// Content that any archive may have, bytes, and how many more for each packed byte: a gzip bomb stops
/// here.
const FREE_ARCHIVE_BYTES: u64 = 64 << 20;
const MAX_ARCHIVE_EXPANSION: u64 = 100;
/// Most files in an archive.
const MAX_ARCHIVE_FILES: usize = 10_000;
/// First bytes of the text file that Git leaves where a large file was not fetched.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

enum Origin {
    Folder(PathBuf),
    Archive {
        path: PathBuf,
        hash: blake3::Hash,
        files: BTreeMap<String, Vec<u8>>,
    },
}

/// One asset's files. Names are relative to the folder (or the archive's root), with `/`.
///
/// Archives are never unpacked to disk: nothing can escape, nothing is left behind, and two
/// processes cannot meet.
pub(crate) struct Source {
    origin: Origin,
    read: BTreeMap<String, blake3::Hash>,
    /// Files on disk that the asset depends on, as they were when they were read; `None`: it was looked
    /// for and not there.
    pub(crate) touched: BTreeMap<PathBuf, Option<Stamp>>,
    /// Sum of all that was read.
    pub(crate) bytes_read: u64,
    /// Files that the asset wants and that are not there, as it names them.
    pub(crate) missing: BTreeSet<String>,
    /// Recoverable trouble met so far.
    pub(crate) warnings: Warnings,
    /// Author and terms that the file itself states.
    pub(crate) attribution: Option<String>,
}

impl Source {
    /// Files below `folder`.
    pub(crate) fn folder(folder: &Path) -> Self {
        Self::new(Origin::Folder(folder.to_owned()))
    }

    /// The folder of `file`, and the file's name in it.
    pub(crate) fn beside(file: &Path) -> Result<(Self, String), AssetError> {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| AssetError::Unusable {
                path: file.to_owned(),
                reason: "its name is not a UTF-8 file name".into(),
            })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Ok((Self::folder(folder), name.to_owned()))
    }

    /// The content of a `.tar.gz`, unpacked in memory. Folders, links and devices in it are
    /// skipped; entries that point outside make it unusable.
    pub(crate) fn archive(path: &Path) -> Result<Self, AssetError> {
        let (packed, stamp) = read_stamped(path)?;
        refuse_placeholders(path, &packed)?;
        let bad = |reason: String| AssetError::Decode {
            path: path.to_owned(),
            reason,
        };
        let mut files = BTreeMap::new();
        let most = FREE_ARCHIVE_BYTES + packed.len() as u64 * MAX_ARCHIVE_EXPANSION;
        let most = most.min(MAX_ARCHIVE_BYTES);
        let mut left = most;
        let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(packed.as_slice()));
        for entry in archive.entries().map_err(|error| bad(error.to_string()))? {
            let entry = entry.map_err(|error| bad(error.to_string()))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path().map_err(|error| bad(error.to_string()))?;
            let name = name
                .to_str()
                .and_then(normalised)
                .ok_or_else(|| bad(format!("its entry `{}` points outside", name.display())))?;
            if files.len() == MAX_ARCHIVE_FILES {
                return Err(bad(format!("it holds more than {MAX_ARCHIVE_FILES} files")));
            }
            let mut content = Vec::new();
            entry
                .take(left + 1)
                .read_to_end(&mut content)
                .map_err(|error| bad(error.to_string()))?;
            left = left
                .checked_sub(content.len() as u64)
                .ok_or_else(|| bad(format!("it unpacks to more than {} MiB", most >> 20)))?;
            files.insert(name, content);
        }
        let mut source = Self::new(Origin::Archive {
            path: path.to_owned(),
            hash: blake3::hash(&packed),
            files,
        });
        source.touched.insert(path.to_owned(), Some(stamp));
        Ok(source)
    }

    fn new(origin: Origin) -> Self {
        Self {
            origin,
            read: BTreeMap::new(),
            touched: BTreeMap::new(),
            bytes_read: 0,
            missing: BTreeSet::new(),
            warnings: Warnings::default(),
            attribution: None,
        }
    }

    /// Where `name` lies, for messages.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        match &self.origin {
            Origin::Folder(folder) => folder.join(name),
            Origin::Archive { path, .. } => path.join(name),
        }
    }

    /// Is there a file of this name?
    pub(crate) fn has(&mut self, name: &str) -> bool {
        match &self.origin {
            Origin::Folder(folder) => {
                let path = folder.join(name);
                let is_there = is_relative(name) && path.is_file();
                if !is_there && is_relative(name) {
                    self.touched.insert(path, None);
                }
                is_there
            }
            Origin::Archive { files, .. } => {
                normalised(name).is_some_and(|name| files.contains_key(&name))
            }
        }
    }

    /// The bytes of `name`, which are remembered in [`Source::digest`]. Absolute names and URLs are
    /// refused; `..` may lead out of a folder on disk (glTF files do that), never out of an archive.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, AssetError> {
        let path = self.path_of(name);
        let bytes = match &self.origin {
            Origin::Folder(_) if !is_relative(name) => {
                return Err(AssetError::Unusable {
                    path,
                    reason: "only files named relative to the asset are read".into(),
                });
            }
            Origin::Folder(folder) => {
                let path = folder.join(name);
                match read_stamped(&path) {
                    Ok((bytes, stamp)) => {
                        self.touched.insert(path.clone(), Some(stamp));
                        self.bytes_read += bytes.len() as u64;
                        self.read.insert(name.to_owned(), blake3::hash(&bytes));
                        refuse_placeholders(&path, &bytes)?;
                        return Ok(bytes);
                    }
                    Err(error) => {
                        if error.is_not_found() {
                            self.missing.insert(name.to_owned());
                            self.touched.insert(path, None);
                        }
                        return Err(error);
                    }
                }
            }
            Origin::Archive { files, .. } => {
                let bytes = normalised(name).and_then(|name| files.get(&name).cloned());
                let bytes = bytes.ok_or_else(|| AssetError::Read {
                    path: path.clone(),
                    source: std::io::Error::new(
                        std::io::ErrorKind::NotFound,
                        "no such file in the archive",
                    ),
                })?;
                refuse_placeholders(&path, &bytes)?;
                self.bytes_read += bytes.len() as u64;
                bytes
            }
        };
        self.read.insert(name.to_owned(), blake3::hash(&bytes));
        Ok(bytes)
    }

    /// [`Source::digest`], empty when nothing could be read.
    pub(crate) fn digest_or_none(&self) -> String {
        match &self.origin {
            Origin::Folder(_) if self.read.is_empty() => String::new(),
            _ => self.digest(),
        }
    }

    /// blake3 of what the asset was made of, hex: of the one file (or archive), or, for several
    /// files, of the lines `<hash>  <name>\n` sorted by name.
    pub(crate) fn digest(&self) -> String {
        if let Origin::Archive { hash, .. } = &self.origin {
            return hash.to_hex().to_string();
        }
        if let (1, Some(hash)) = (self.read.len(), self.read.values().next()) {
            return hash.to_hex().to_string();
        }
        let mut hasher = blake3::Hasher::new();
        for (name, hash) in &self.read {
            hasher.update(format!("{}  {name}\n", hash.to_hex()).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Reads a whole file of sane size that really is there.
pub(crate) fn read_disk(path: &Path) -> Result<Vec<u8>, AssetError> {
    let (bytes, _) = read_stamped(path)?;
    refuse_placeholders(path, &bytes)?;
    Ok(bytes)
}

fn read_stamped(path: &Path) -> Result<(Vec<u8>, Stamp), AssetError> {
    let failed = |source: std::io::Error| AssetError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(AssetError::Unusable {
            path: path.to_owned(),
            reason: "it is no plain file".into(),
        });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(AssetError::Unusable {
            path: path.to_owned(),
            reason: format!("it is larger than {} GiB", MAX_FILE_BYTES >> 30),
        });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok((bytes, Stamp::of(&metadata)))
}

/// Empty files and Git LFS pointers get words of their own: no decoder's message is as clear.
fn refuse_placeholders(path: &Path, bytes: &[u8]) -> Result<(), AssetError> {
    let reason = if bytes.is_empty() {
        "it is empty (0 bytes)"
    } else if bytes.starts_with(LFS_POINTER) {
        "it is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`"
    } else {
        return Ok(());
    };
    Err(AssetError::Unusable {
        path: path.to_owned(),
        reason: reason.into(),
    })
}

fn is_relative(name: &str) -> bool {
    !name.is_empty() && !name.contains("://") && Path::new(name).is_relative()
}

/// `a/./b/../c` as `a/c`; `None` when it leaves the root.
fn normalised(name: &str) -> Option<String> {
    if !is_relative(name) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    fn archive(entries: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::Builder::new()
            .suffix(".tar.gz")
            .tempfile()
            .unwrap();
        let gz = flate2::write::GzEncoder::new(file.as_file(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gz);
        for (name, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            // `set_path` refuses `..`; a hostile archive is written by hand.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        file
    }

    #[test]
    fn archive_files_are_read_by_normalised_name() {
        let file = archive(&[("./a/b.txt", b"hello")]);
        let mut source = Source::archive(file.path()).unwrap();
        assert!(source.has("a/b.txt"));
        assert_eq!(source.read("a/x/../b.txt").unwrap(), b"hello");
        assert!(source.read("../a/b.txt").is_err());
        let packed = fs::read(file.path()).unwrap();
        assert_eq!(source.digest(), blake3::hash(&packed).to_hex().to_string());
    }

    #[test]
    fn archive_entries_that_point_outside_are_refused() {
        for name in ["../evil", "a/../../evil", "/etc/evil"] {
            let file = archive(&[(name, b"x")]);
            let error = Source::archive(file.path()).err().unwrap().to_string();
            assert!(error.contains("points outside"), "{name}: {error}");
        }
    }

    #[test]
    fn damaged_archives_are_errors() {
        let file = archive(&[("a", &[7; 5000])]);
        let packed = fs::read(file.path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cut = folder.path().join("cut.tar.gz");
        fs::write(&cut, &packed[..packed.len() / 2]).unwrap();
        assert!(Source::archive(&cut).is_err());
        fs::write(&cut, b"no gzip at all").unwrap();
        assert!(Source::archive(&cut).is_err());
    }

    #[test]
    fn placeholders_are_named_for_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.hdr");
        fs::write(&path, b"").unwrap();
        assert!(
            read_disk(&path)
                .unwrap_err()
                .to_string()
                .contains("0 bytes")
        );
        fs::write(&path, b"version https://git-lfs.github.com/spec/v1\noid").unwrap();
        assert!(
            read_disk(&path)
                .unwrap_err()
                .to_string()
                .contains("Git LFS")
        );
    }

    #[test]
    fn digest_does_not_depend_on_reading_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), b"1").unwrap();
        fs::write(folder.path().join("b"), b"2").unwrap();
        let digest = |names: [&str; 2]| {
            let mut source = Source::folder(folder.path());
            for name in names {
                source.read(name).unwrap();
            }
            source.digest()
        };
        assert_eq!(digest(["a", "b"]), digest(["b", "a"]));
        let mut single = Source::folder(folder.path());
        single.read("a").unwrap();
        assert_eq!(single.digest(), blake3::hash(b"1").to_hex().to_string());
    }
}
