//! Journals: one line per finished or failed sample, appended and synced.
//!
//! A run owns `done.jsonl`, `failed.jsonl` and, once something is left out by a rule, `skipped.jsonl`; as
//! shard i of n `done.i-of-n.jsonl` and so on. It holds a lock on the first while it lives, so that shards
//! may share a folder.
//! A line counts when it ends with a line feed: a line torn by a crash is ignored by readers and cut
//! off by the next owner. Of several lines about one id the last counts.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use diorama_video::fsx;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{PostprocError, Result, fs_error};
use crate::sample_json::Quality;

/// Part `index` of `count` equal parts of a run, written `index/count`; index from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// 0-based.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

impl Shard {
    /// Does the sample at `position` in the run's list belong to this shard?
    pub fn owns(self, position: u64) -> bool {
        position % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("`{text}` is not a shard `i/n` with i from 0 to n − 1");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        match (index.parse(), count.parse()) {
            (Ok(index), Ok(count)) if index < count => Ok(Self { index, count }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Line of `done.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoneEntry {
    /// Sample id.
    pub id: String,
    /// Seed of the sample.
    pub seed: u64,
    /// Renderer that made it wholly, e.g. `cpu`.
    pub backend: String,
    /// blake3 of each file, hex, by path inside the sample folder.
    pub files: BTreeMap<String, String>,
    /// Figures of the sample.
    pub quality: Quality,
    /// Wall-clock seconds by stage: the only thing that differs between runs.
    pub timings: BTreeMap<String, f64>,
}

/// Line of `failed.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedEntry {
    /// Sample id.
    pub id: String,
    /// Seed of the sample.
    pub seed: u64,
    /// Why, in one line.
    pub reason: String,
    /// Rejected attempts by reason, where the Shot could not be drawn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<String, u32>,
}

/// What all journals of a folder say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journals {
    /// Last `done` line of each id.
    pub done: BTreeMap<String, DoneEntry>,
    /// Last `failed` line of each id that is neither done nor skipped.
    pub failed: BTreeMap<String, FailedEntry>,
    /// Last `skipped` line of each id that is not done: left out by a rule, and by no fault.
    pub skipped: BTreeMap<String, FailedEntry>,
}

impl Journals {
    /// Seeds that failed and were not made since, in the order of their ids.
    pub fn failed_seeds(&self) -> Vec<u64> {
        self.failed.values().map(|entry| entry.seed).collect()
    }
}

/// The journals of one run, open and locked.
#[derive(Debug)]
pub struct Journal {
    done: File,
    done_path: PathBuf,
    failed: File,
    failed_path: PathBuf,
    /// There from the first line on: most runs leave nothing out.
    skipped: Option<File>,
    skipped_path: PathBuf,
}

impl Journal {
    /// Opens (or starts) the journals of `shard` in `folder`, which must exist, locks them, and cuts
    /// off a torn last line.
    ///
    /// # Errors
    /// [`PostprocError::ShardRunning`] when another process holds the lock.
    pub fn open(folder: &Path, shard: Option<Shard>) -> Result<Self> {
        let suffix = shard.map_or_else(String::new, |s| format!(".{}-of-{}", s.index, s.count));
        let done_path = folder.join(format!("done{suffix}.jsonl"));
        let failed_path = folder.join(format!("failed{suffix}.jsonl"));
        let skipped_path = folder.join(format!("skipped{suffix}.jsonl"));
        let mut done = open_append(&done_path)?;
        match done.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PostprocError::ShardRunning { path: done_path });
            }
            Err(TryLockError::Error(source)) => return Err(fs_error("lock", &done_path)(source)),
        }
        let mut failed = open_append(&failed_path)?;
        cut_torn_line(&mut done, &done_path)?;
        cut_torn_line(&mut failed, &failed_path)?;
        let skipped = if skipped_path.exists() {
            let mut skipped = open_append(&skipped_path)?;
            cut_torn_line(&mut skipped, &skipped_path)?;
            Some(skipped)
        } else {
            None
        };
        // The names themselves must survive a power cut before lines are trusted to them.
        fsx::sync_dir(folder)?;
        Ok(Self {
            done,
            done_path,
            failed,
            failed_path,
            skipped,
            skipped_path,
        })
    }

    /// Appends a finished sample; on return the line is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push_done(&mut self, entry: &DoneEntry) -> Result<()> {
        append(&mut self.done, &self.done_path, entry)
    }

    /// Appends a failure; on return the line is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push_failed(&mut self, entry: &FailedEntry) -> Result<()> {
        append(&mut self.failed, &self.failed_path, entry)
    }

    /// Appends a sample that is left out by a rule; on return the line is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push_skipped(&mut self, entry: &FailedEntry) -> Result<()> {
        let file = match &mut self.skipped {
            Some(file) => file,
            none => {
                let file = open_append(&self.skipped_path)?;
                if let Some(folder) = self.skipped_path.parent() {
                    fsx::sync_dir(folder)?;
                }
                none.insert(file)
            }
        };
        append(file, &self.skipped_path, entry)
    }
}

fn open_append(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(fs_error("open", path))
}

/// Ends the file after its last line feed.
fn cut_torn_line(file: &mut File, path: &Path) -> Result<()> {
    let length = file
        .seek(SeekFrom::End(0))
        .map_err(fs_error("read", path))?;
    let mut end = length;
    let mut block = [0u8; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(part))
            .map_err(fs_error("read", path))?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)
            .and_then(|()| file.sync_data())
            .map_err(fs_error("mend", path))?;
    }
    Ok(())
}

fn append(file: &mut File, path: &Path, entry: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(entry).map_err(|error| PostprocError::Json {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    line.push(b'\n');
    // One write, so that a kill tears at most this line.
    file.write_all(&line)
        .and_then(|()| file.sync_data())
        .map_err(fs_error("write", path))
}

/// Reads every journal of a folder (all shards). A missing folder has none.
///
/// # Errors
/// [`PostprocError::Journal`] for a complete line that is not an entry.
pub fn read_journals(folder: &Path) -> Result<Journals> {
    let mut names = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                names.push(entry.map_err(fs_error("list", folder))?.file_name());
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fs_error("list", folder)(error)),
    }
    names.sort_unstable();
    let mut journals = Journals::default();
    for name in names {
        let path = folder.join(&name);
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let name = name.to_string_lossy();
        if name.starts_with("done.") {
            for entry in read_lines::<DoneEntry>(&path)? {
                journals.done.insert(entry.id.clone(), entry);
            }
        } else if name.starts_with("failed.") {
            for entry in read_lines::<FailedEntry>(&path)? {
                journals.failed.insert(entry.id.clone(), entry);
            }
        } else if name.starts_with("skipped.") {
            for entry in read_lines::<FailedEntry>(&path)? {
                journals.skipped.insert(entry.id.clone(), entry);
            }
        }
    }
    let (done, skipped) = (&journals.done, &journals.skipped);
    (journals.failed).retain(|id, _| !done.contains_key(id) && !skipped.contains_key(id));
    journals.skipped.retain(|id, _| !done.contains_key(id));
    Ok(journals)
}

fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read(path).map_err(fs_error("read", path))?;
    let whole = text
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    let mut entries = Vec::new();
    for (index, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        entries.push(
            serde_json::from_slice(line).map_err(|error| PostprocError::Journal {
                path: path.to_owned(),
                line: index + 1,
                reason: error.to_string(),
            })?,
        );
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(id: &str, seed: u64) -> DoneEntry {
        DoneEntry {
            id: id.into(),
            seed,
            backend: "cpu".into(),
            files: BTreeMap::from([("mask.mp4".into(), "00".repeat(32))]),
            quality: Quality::default(),
            timings: BTreeMap::from([("render".into(), 1.5)]),
        }
    }

    fn failed(id: &str) -> FailedEntry {
        FailedEntry {
            id: id.into(),
            seed: 1,
            reason: "no placement".into(),
            attempts: BTreeMap::from([("unseen".into(), 100)]),
        }
    }

    #[test]
    fn lines_come_back_and_done_beats_failed() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), None).unwrap();
        journal.push_failed(&failed("000001")).unwrap();
        journal.push_failed(&failed("000002")).unwrap();
        assert!(!folder.path().join("skipped.jsonl").exists());
        journal.push_skipped(&failed("000000")).unwrap();
        journal.push_skipped(&failed("000003")).unwrap();
        journal.push_done(&done("000001", 1)).unwrap();
        journal.push_done(&done("000000", 0)).unwrap();
        journal.push_done(&done("000000", 9)).unwrap();
        drop(journal);
        let journals = read_journals(folder.path()).unwrap();
        assert_eq!(journals.done.len(), 2);
        assert_eq!(
            journals.done["000000"],
            done("000000", 9),
            "the last line counts"
        );
        assert_eq!(journals.failed.keys().collect::<Vec<_>>(), ["000002"]);
        assert_eq!(journals.skipped.keys().collect::<Vec<_>>(), ["000003"]);
    }

    #[test]
    fn a_torn_last_line_is_ignored_and_then_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("done.jsonl");
        let mut journal = Journal::open(folder.path(), None).unwrap();
        journal.push_done(&done("000000", 0)).unwrap();
        journal.push_done(&done("000001", 1)).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        for length in [first + 1, whole.len() - 1, first, 0, 5] {
            File::create(&path)
                .unwrap()
                .write_all(&whole[..length])
                .unwrap();
            let expected = usize::from(length >= first);
            assert_eq!(read_journals(folder.path()).unwrap().done.len(), expected);
            let mut journal = Journal::open(folder.path(), None).unwrap();
            journal.push_done(&done("000009", 9)).unwrap();
            drop(journal);
            let journals = read_journals(folder.path()).unwrap();
            assert_eq!(journals.done.len(), expected + 1, "cut at {length}");
            assert!(journals.done.contains_key("000009"));
        }
    }

    #[test]
    fn a_torn_line_longer_than_a_block_is_cut_off_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("done.jsonl");
        let mut journal = Journal::open(folder.path(), None).unwrap();
        journal.push_done(&done("000000", 0)).unwrap();
        drop(journal);
        let good = std::fs::read(&path).unwrap();
        let mut torn = good.clone();
        torn.extend(std::iter::repeat_n(b'x', 10_000));
        File::create(&path).unwrap().write_all(&torn).unwrap();
        drop(Journal::open(folder.path(), None).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), good);
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("done.jsonl");
        File::create(&path)
            .unwrap()
            .write_all(b"\nnot json\n")
            .unwrap();
        let error = read_journals(folder.path()).unwrap_err();
        assert!(
            matches!(error, PostprocError::Journal { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_running_shard_locks_its_own_journal_only() {
        let folder = tempfile::tempdir().unwrap();
        let shard = |text: &str| Some(text.parse::<Shard>().unwrap());
        let first = Journal::open(folder.path(), shard("0/2")).unwrap();
        let error = Journal::open(folder.path(), shard("0/2")).unwrap_err();
        assert!(
            error.to_string().contains("a shard is already running"),
            "{error}"
        );
        assert!(error.hint().is_some());
        drop(Journal::open(folder.path(), shard("1/2")).unwrap());
        drop(first);
        drop(Journal::open(folder.path(), shard("0/2")).unwrap());
        assert!(folder.path().join("done.0-of-2.jsonl").exists());
    }

    #[test]
    fn shards_split_a_run_without_overlap() {
        let shards: Vec<Shard> = (0..3).map(|i| format!("{i}/3").parse().unwrap()).collect();
        for position in 0..10 {
            assert_eq!(shards.iter().filter(|s| s.owns(position)).count(), 1);
        }
        for bad in ["3/3", "0/0", "1", "a/2", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
