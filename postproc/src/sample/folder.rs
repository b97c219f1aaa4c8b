//! A sample folder while it is being made: under a temporary name, gone unless it is put in place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use diorama_video::fsx;

use crate::error::{Result, fs_error};

/// How samples lie in the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// `<output-dir>/<sample id>/…`.
    #[default]
    Folders,
    /// Files straight in the output folder; one sample only.
    Flat,
}

/// A folder `.<sample id>.tmp-<process id>` inside the output folder. Removed when dropped.
#[derive(Debug)]
pub(crate) struct BuildFolder {
    output: PathBuf,
    id: String,
    path: PathBuf,
}

impl BuildFolder {
    /// Makes the folder, and the output folder if need be.
    pub(crate) fn create(output: &Path, id: &str) -> Result<Self> {
        std::fs::create_dir_all(output).map_err(fs_error("create", output))?;
        let path = output.join(temporary_name(id, ""));
        remove_if_there(&path)?;
        std::fs::create_dir(&path).map_err(fs_error("create", &path))?;
        Ok(Self {
            output: output.to_owned(),
            id: id.to_owned(),
            path,
        })
    }

    /// Where files of the sample are written.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the finished folder in its place; an older sample there is replaced. Returns where it is.
    pub(crate) fn put_in_place(self, layout: Layout) -> Result<PathBuf> {
        sync_folders(&self.path)?;
        let place = match layout {
            Layout::Folders => self.replace_folder()?,
            Layout::Flat => self.move_files()?,
        };
        fsx::sync_dir(&self.output)?;
        Ok(place)
    }

    fn replace_folder(&self) -> Result<PathBuf> {
        let place = self.output.join(&self.id);
        let aside = self.output.join(temporary_name(&self.id, "old-"));
        let is_replaced = place.exists();
        if is_replaced {
            remove_if_there(&aside)?;
            std::fs::rename(&place, &aside).map_err(fs_error("move aside", &place))?;
        }
        std::fs::rename(&self.path, &place).map_err(fs_error("put in place", &place))?;
        if is_replaced {
            remove_if_there(&aside)?;
        }
        Ok(place)
    }

    /// sample.json goes last: a folder without it is no complete sample.
    fn move_files(&self) -> Result<PathBuf> {
        let mut names: Vec<OsString> = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(fs_error("list", &self.path))? {
            names.push(entry.map_err(fs_error("list", &self.path))?.file_name());
        }
        names.sort_by_key(|name| (name == "sample.json", name.clone()));
        let marker = self.output.join("sample.json");
        remove_if_there(&marker)?;
        for name in names {
            let (from, to) = (self.path.join(&name), self.output.join(&name));
            if to.is_dir() {
                remove_if_there(&to)?;
            }
            std::fs::rename(&from, &to).map_err(fs_error("put in place", &to))?;
        }
        Ok(self.output.clone())
    }
}

impl Drop for BuildFolder {
    fn drop(&mut self) {
        // Best effort: what is left is a temporary name that readers skip and the next run sweeps.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn temporary_name(id: &str, mark: &str) -> String {
    format!(".{id}.tmp-{mark}{}", std::process::id())
}

fn remove_if_there(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(fs_error("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes folders that dead runs left half made: every `.<id>.tmp-*` whose id `owns` claims.
/// Call it while holding the journal's lock and claim only samples of that shard (with the suffix
/// `_2`, … of further tuples), so that no living run loses its folder. Returns what was removed.
///
/// # Errors
/// When the folder cannot be listed or something not be removed; a missing folder is empty.
pub fn sweep_temporary(output: &Path, owns: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(output) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fs_error("list", output)(error)),
    };
    let mut swept = Vec::new();
    for entry in entries {
        let path = entry.map_err(fs_error("list", output))?.path();
        let is_ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix('.')?.split_once(".tmp-"))
            .is_some_and(|(id, _)| owns(id));
        if is_ours && path.is_dir() {
            remove_if_there(&path)?;
            swept.push(path);
        }
    }
    swept.sort_unstable();
    Ok(swept)
}

/// Makes the names in a folder and below durable.
fn sync_folders(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(fs_error("list", folder))? {
        let path = entry.map_err(fs_error("list", folder))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    Ok(fsx::sync_dir(folder)?)
}

/// blake3 (hex) of every file in a folder and below, by path inside it with `/`; temporary names
/// are skipped.
///
/// # Errors
/// When something cannot be read.
pub fn hash_files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    hash_below(folder, "", &mut hashes)?;
    Ok(hashes)
}

fn hash_below(folder: &Path, prefix: &str, hashes: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(fs_error("list", folder))? {
        let path = entry.map_err(fs_error("list", folder))?.path();
        if fsx::is_temporary(&path) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            hash_below(&path, &format!("{prefix}{name}/"), hashes)?;
        } else {
            hashes.insert(format!("{prefix}{name}"), hash_file(&path)?);
        }
    }
    Ok(())
}

/// blake3 of a file, hex.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn hash_file(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(fs_error("read", path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
