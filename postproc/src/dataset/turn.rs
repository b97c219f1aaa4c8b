//! Derived files of a dataset have one writer at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use diorama_video::fsx;

use crate::error::{Result, fs_error};

/// The right to write the files of a dataset that belong to no sample (plan, lists, totals), held while it
/// lives: two shards that end together would else give each other's lists their names by turns.
///
/// It is a lock on the folder, which leaves no file behind and dies with its process. Where a file system
/// has no such locks (some network ones), everybody has the right, and nothing is swept.
#[derive(Debug)]
pub struct Turn {
    locked: Option<File>,
}

impl Turn {
    /// Waits until nobody else has the right in `dataset`, which must exist; then removes what dead
    /// writers left half written there.
    ///
    /// # Errors
    /// When the folder cannot be listed or something not be removed.
    pub fn take(dataset: &Path) -> Result<Self> {
        let folder = File::open(dataset).ok();
        let turn = Self {
            locked: folder.filter(|folder| folder.lock().is_ok()),
        };
        turn.sweep(dataset, |_| true)?;
        Ok(turn)
    }

    /// Removes what dead writers left of the file `path`, which only holders of this right write.
    pub(crate) fn sweep_file(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Vec::new());
        };
        let name = name.to_string_lossy();
        self.sweep(folder, |temporary| temporary.starts_with(&*name))
    }

    /// Removes files of `folder` with temporary names that `is_ours` claims. Folders stay: they are
    /// samples at work.
    fn sweep(&self, folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let mut swept = Vec::new();
        if self.locked.is_none() {
            return Ok(swept);
        }
        for entry in std::fs::read_dir(folder).map_err(fs_error("list", folder))? {
            let entry = entry.map_err(fs_error("list", folder))?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let path = entry.path();
            if is_file
                && fsx::is_temporary(&path)
                && entry.file_name().to_str().is_some_and(&is_ours)
            {
                std::fs::remove_file(&path).map_err(fs_error("remove", &path))?;
                swept.push(path);
            }
        }
        swept.sort_unstable();
        Ok(swept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_turn_sweeps_what_dead_writers_left_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = folder.path().join("d");
        std::fs::create_dir_all(dataset.join(".000001.tmp-9")).unwrap();
        let write = |path: PathBuf| fsx::write_atomic(&path, b"x").unwrap();
        write(dataset.join("prompt.txt"));
        write(dataset.join("videos.txt.tmp-9"));
        write(folder.path().join("d.json.tmp-9"));
        write(folder.path().join("e.json.tmp-9"));
        let turn = Turn::take(&dataset).unwrap();
        if turn.locked.is_none() {
            return; // a file system without locks
        }
        turn.sweep_file(&folder.path().join("d.json")).unwrap();
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&dataset), [".000001.tmp-9", "prompt.txt"]);
        assert_eq!(names(folder.path()), ["d", "e.json.tmp-9"]);
    }

    #[test]
    fn there_is_one_turn_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let turn = Turn::take(folder.path()).unwrap();
        if turn.locked.is_none() {
            return; // a file system without locks
        }
        let other = File::open(folder.path()).unwrap();
        assert!(other.try_lock().is_err());
        drop(turn);
        assert!(other.try_lock().is_ok());
    }
}
