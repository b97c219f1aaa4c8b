//! What is derived from finished sample folders: the list, the totals, the attributions.
//!
//! For an output folder `D` of the samples: `D.json` beside it (array of `{"path", "short_prompt",
//! "prompt", "verbose_prompt"}`, sorted by path), `D/totals.json` and `D/ATTRIBUTION.md`. They are
//! always rebuilt from complete folders alone, so they can be lost or stale without harm. `path` is
//! relative to `D`: the sample's id, or the way to a sample that lies in another folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use diorama_synth::shot::{AssetRecord, Attempts};
use diorama_video::fsx;
use serde::{Deserialize, Serialize};

use super::Turn;
use super::das::holds_das_samples;
use crate::caption::Captions;
use crate::error::{PostprocError, Result, fs_error};

/// Files without which a folder is no complete sample.
const NEEDED: [&str; 6] = [
    "sample.json",
    "caption.json",
    "shot.json",
    "rgb_full.mp4",
    "rgb_removed.mp4",
    "mask.mp4",
];

/// The part of sample.json that totals need. Unknown fields are skipped while reading, so that long
/// clips cost no memory.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    id: String,
    resolution: [u32; 2],
    frame_count: u32,
    video_fps: f64,
    assets: Vec<AssetRecord>,
    attempts: Attempts,
}

impl Summary {
    /// Width and height, pixels.
    pub(super) fn resolution(&self) -> [u32; 2] {
        self.resolution
    }
}

/// Sums over all samples of a list: the content of totals.json.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Sample folders.
    pub samples: u64,
    /// Frames of rgb_full.
    pub frames: u64,
    /// Playing time at the files' own rates, seconds.
    pub seconds: f64,
    /// Samples by size, `256x256`.
    pub by_resolution: BTreeMap<String, u64>,
    /// Attempts that were rejected before a Shot was accepted, by reason.
    pub rejected_attempts: BTreeMap<String, u64>,
    /// Assets used, by id, with the number of samples that use them.
    pub assets: BTreeMap<String, u64>,
}

/// What [`index`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexReport {
    /// The list beside the output folder.
    pub list: PathBuf,
    /// Sums over the samples.
    pub totals: Totals,
    /// Folders that look like samples but are not complete, with the first missing file.
    pub incomplete: Vec<(PathBuf, String)>,
}

/// One entry of the list.
#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    #[serde(flatten)]
    captions: &'a Captions,
}

/// Is this folder a complete sample?
pub fn is_complete(folder: &Path) -> bool {
    first_missing(folder).is_none()
}

fn first_missing(folder: &Path) -> Option<&'static str> {
    NEEDED
        .into_iter()
        .find(|name| std::fs::metadata(folder.join(name)).map_or(true, |file| file.len() == 0))
}

/// The sample folders of a dataset folder, sorted by name: its subfolders that hold a sample, or the
/// folder itself in the flat layout. Temporary names are skipped; so are folders without any of a
/// sample's files. Incomplete samples are included.
///
/// # Errors
/// When the folder cannot be listed.
pub fn sample_folders(dataset: &Path) -> Result<Vec<PathBuf>> {
    let is_sample = |folder: &Path| {
        ["sample.json", "rgb_full.mp4", "rgb_removed.mp4", "mask.mp4"]
            .into_iter()
            .any(|name| folder.join(name).is_file())
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dataset).map_err(fs_error("list", dataset))? {
        let path = entry.map_err(fs_error("list", dataset))?.path();
        if !fsx::is_temporary(&path) && path.is_dir() && is_sample(&path) {
            found.push(path);
        }
    }
    found.sort_unstable();
    if found.is_empty() && is_sample(dataset) {
        found.push(dataset.to_owned());
    }
    Ok(found)
}

/// Rebuilds the derived files of `output` from the samples of `datasets` (usually the same folder).
///
/// # Errors
/// [`PostprocError::Duplicate`] when two folders claim one id with different contents, and
/// [`PostprocError::Option`] when one holds samples of the other kind, which no list of this one can
/// name; nothing is written then, nor a folder left. Equal duplicates are listed once, from the first
/// folder.
pub fn index(datasets: &[PathBuf], output: &Path) -> Result<IndexReport> {
    one_kind(datasets)?;
    let missing: Vec<&Path> = output
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    std::fs::create_dir_all(output).map_err(fs_error("create", output))?;
    let report = index_into(datasets, output);
    if report.is_err() {
        for folder in missing {
            // Fails where somebody has put something in meanwhile.
            let _ = std::fs::remove_dir(folder);
        }
    }
    report
}

/// Refuses datasets for Diffusion as Shader: their samples would be left out of the list.
fn one_kind(datasets: &[PathBuf]) -> Result<()> {
    let Some(das) = datasets.iter().find(|dataset| holds_das_samples(dataset)) else {
        return Ok(());
    };
    let mut removal = None;
    for dataset in datasets {
        if holds_removal_samples(dataset)? {
            removal = Some(dataset);
            break;
        }
    }
    Err(PostprocError::Option {
        option: "index",
        reason: match removal {
            Some(removal) => two_kinds(removal, das),
            None => format!(
                "{} is a Diffusion-as-Shader dataset: `diorama merge` joins those",
                das.display()
            ),
        },
    })
}

/// Are there complete samples of object removal in `dataset`?
pub(super) fn holds_removal_samples(dataset: &Path) -> Result<bool> {
    Ok(sample_folders(dataset)?
        .iter()
        .any(|folder| is_complete(folder)))
}

/// Why these two cannot be in one list.
pub(super) fn two_kinds(removal: &Path, das: &Path) -> String {
    format!(
        "{} holds object-removal samples, {} Diffusion-as-Shader samples: no list can have both, index \
         each kind in a folder of its own",
        removal.display(),
        das.display()
    )
}

fn index_into(datasets: &[PathBuf], output: &Path) -> Result<IndexReport> {
    let turn = Turn::take(output)?;
    let list = list_path(output)?;
    turn.sweep_file(&list)?;
    let mut samples: BTreeMap<String, (PathBuf, Captions)> = BTreeMap::new();
    let mut incomplete = Vec::new();
    let mut totals = Totals::default();
    let mut attributions = Attributions::default();
    for dataset in datasets {
        for folder in sample_folders(dataset)? {
            if let Some(missing) = first_missing(&folder) {
                incomplete.push((folder, missing.to_owned()));
                continue;
            }
            let summary: Summary = read_json(&folder.join("sample.json"))?;
            let captions: Captions = read_json(&folder.join("caption.json"))?;
            if let Some((first, _)) = samples.get(&summary.id) {
                let is_same_folder = match (first.canonicalize(), folder.canonicalize()) {
                    (Ok(a), Ok(b)) => a == b,
                    _ => false,
                };
                if !is_same_folder && let Some(file) = first_difference(first, &folder)? {
                    return Err(PostprocError::Duplicate {
                        id: summary.id,
                        first: first.clone(),
                        second: folder,
                        file,
                    });
                }
                continue;
            }
            totals.add(&summary);
            attributions.add(&summary);
            samples.insert(summary.id, (folder, captions));
        }
    }

    let mut entries = Vec::new();
    for (folder, captions) in samples.values() {
        entries.push((relative_path(output, folder)?, captions));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    write_list(&list, &entries)?;
    write_json(&output.join("totals.json"), &totals)?;
    fsx::write_atomic(
        &output.join("ATTRIBUTION.md"),
        attributions.text().as_bytes(),
    )?;
    Ok(IndexReport {
        list,
        totals,
        incomplete,
    })
}

/// `<output>.json` beside the output folder.
fn list_path(output: &Path) -> Result<PathBuf> {
    let absolute = output.canonicalize().map_err(fs_error("find", output))?;
    let Some(name) = absolute.file_name() else {
        return Err(PostprocError::Option {
            option: "--output-dir",
            reason: format!("{} has no name to call the list by", output.display()),
        });
    };
    let mut name = name.to_os_string();
    name.push(".json");
    Ok(absolute.with_file_name(name))
}

/// One entry per line of the array, streamed.
fn write_list(path: &Path, entries: &[(String, &Captions)]) -> Result<()> {
    let mut file = fsx::AtomicFile::create(path)?;
    let mut text = String::from("[");
    for (index, (sample, captions)) in entries.iter().enumerate() {
        let entry = Entry {
            path: sample,
            captions,
        };
        let json = serde_json::to_string(&entry).map_err(|error| PostprocError::Json {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let _ = write!(text, "{}\n  {json}", if index == 0 { "" } else { "," });
        file.write_all(text.as_bytes()).map_err(|e| file.error(e))?;
        text.clear();
    }
    text.push_str("\n]\n");
    file.write_all(text.as_bytes()).map_err(|e| file.error(e))?;
    Ok(file.finish()?)
}

impl Totals {
    pub(super) fn add(&mut self, summary: &Summary) {
        self.samples += 1;
        self.frames += u64::from(summary.frame_count);
        self.seconds += f64::from(summary.frame_count) / summary.video_fps;
        let [width, height] = summary.resolution;
        *self
            .by_resolution
            .entry(format!("{width}x{height}"))
            .or_default() += 1;
        for (reason, count) in &summary.attempts.rejected {
            *self.rejected_attempts.entry(reason.clone()).or_default() += u64::from(*count);
        }
        for asset in &summary.assets {
            *self.assets.entry(asset.id.clone()).or_default() += 1;
        }
    }
}

/// Every asset used: licence, then id, then who made it.
#[derive(Debug, Default)]
pub(super) struct Attributions(BTreeMap<String, BTreeMap<String, String>>);

impl Attributions {
    pub(super) fn add(&mut self, summary: &Summary) {
        let known = |text: &str| match one_line(text) {
            empty if empty.is_empty() => "unknown".to_owned(),
            text => text,
        };
        for asset in &summary.assets {
            let assets = self.0.entry(known(&asset.license)).or_default();
            if !assets.contains_key(&asset.id) {
                assets.insert(asset.id.clone(), known(&asset.attribution));
            }
        }
    }

    /// ATTRIBUTION.md.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(
            "# Attribution\n\n\
             Assets used in these samples, with their licences as found beside them.\n",
        );
        for (license, assets) in &self.0 {
            let _ = write!(text, "\n## {license}\n\n");
            for (id, words) in assets {
                let _ = writeln!(text, "- `{}`: {words}", one_line(id));
            }
        }
        text
    }
}

/// Asset metadata comes from other people's files: a line feed in it must not make new headings.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The way from folder `from` to `to`, with `/`: a plain name when `to` lies in `from`, `.` when
/// they are the same.
fn relative_path(from: &Path, to: &Path) -> Result<String> {
    let from = from.canonicalize().map_err(fs_error("find", from))?;
    let to = to.canonicalize().map_err(fs_error("find", to))?;
    let (from, to): (Vec<Component>, Vec<Component>) =
        (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec!["..".to_owned(); from.len() - shared];
    parts.extend(
        to[shared..]
            .iter()
            .map(|c| c.as_os_str().to_string_lossy().into_owned()),
    );
    if parts.is_empty() {
        parts.push(".".into());
    }
    Ok(parts.join("/"))
}

/// The first file, by path, that is not the same in both folders.
fn first_difference(first: &Path, second: &Path) -> Result<Option<String>> {
    let hashes = (
        crate::sample::hash_files(first)?,
        crate::sample::hash_files(second)?,
    );
    let names = hashes.0.keys().chain(hashes.1.keys());
    Ok(names
        .filter(|name| hashes.0.get(*name) != hashes.1.get(*name))
        .min()
        .cloned())
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let file = std::fs::File::open(path).map_err(fs_error("open", path))?;
    serde_json::from_reader(std::io::BufReader::new(file)).map_err(|error| PostprocError::Json {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Writes `value` as pretty JSON with a final newline, piece by piece: the text of a long clip is
/// never whole in memory.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut file = fsx::AtomicFile::create(path)?;
    serde_json::to_writer_pretty(&mut file, value).map_err(|error| {
        if error.is_io() {
            fs_error("write", path)(error.into())
        } else {
            PostprocError::Json {
                path: path.to_owned(),
                reason: error.to_string(),
            }
        }
    })?;
    file.write_all(b"\n").map_err(fs_error("write", path))?;
    Ok(file.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        fsx::write_atomic(path, text.as_bytes()).unwrap();
    }

    /// A folder that index takes for a sample.
    fn sample(folder: &Path, id: &str, caption: &str, license: &str) {
        for name in ["shot.json", "rgb_full.mp4", "rgb_removed.mp4", "mask.mp4"] {
            put(&folder.join(name), "content");
        }
        let captions = Captions {
            short_prompt: caption.into(),
            prompt: caption.into(),
            verbose_prompt: caption.into(),
        };
        put(
            &folder.join("caption.json"),
            &serde_json::to_string(&captions).unwrap(),
        );
        let json = serde_json::json!({
            "id": id, "resolution": [32, 16], "frame_count": 8, "video_fps": 16.0,
            "attempts": {"accepted": 1, "rejected": {"unseen": 1}},
            "assets": [{"id": "gear", "blake3": "00", "license": license,
                        "attribution": "A\n# Person", "noun": "gear"}],
            "frames": [{"anything": 1}],
        });
        put(&folder.join("sample.json"), &json.to_string());
    }

    #[test]
    fn the_list_is_sorted_and_derived_from_complete_folders_only() {
        let root = tempfile::tempdir().unwrap();
        let dataset = root.path().join("kubric");
        sample(
            &dataset.join("000010"),
            "000010",
            "Ten \"quoted\".",
            "CC0-1.0",
        );
        sample(&dataset.join("000002"), "000002", "Two.", "CC-BY-4.0");
        sample(&dataset.join("000003"), "000003", "Three.", "CC0-1.0");
        sample(
            &dataset.join(".000004.tmp-1"),
            "000004",
            "Never.",
            "CC0-1.0",
        );
        std::fs::remove_file(dataset.join("000003/mask.mp4")).unwrap();
        put(&dataset.join("done.jsonl"), "");
        let report = index(std::slice::from_ref(&dataset), &dataset).unwrap();
        assert_eq!(
            report.incomplete,
            [(dataset.join("000003"), "mask.mp4".to_owned())]
        );
        assert_eq!(report.totals.samples, 2);
        assert_eq!(report.totals.frames, 16);
        assert_eq!(report.totals.rejected_attempts["unseen"], 2);

        let text = std::fs::read_to_string(root.path().join("kubric.json")).unwrap();
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list[0]["path"], "000002");
        assert_eq!(list[1]["path"], "000010");
        assert_eq!(list[1]["short_prompt"], "Ten \"quoted\".");
        assert_eq!(list.as_array().unwrap().len(), 2);
        assert_eq!(list[0].as_object().unwrap().len(), 4);

        let attribution = std::fs::read_to_string(dataset.join("ATTRIBUTION.md")).unwrap();
        assert!(attribution.contains("## CC-BY-4.0"));
        assert!(attribution.contains("- `gear`: A # Person"));
        assert!(!attribution.contains("\n# Person"));

        let again = index(std::slice::from_ref(&dataset), &dataset).unwrap();
        assert_eq!(again, report);
        assert_eq!(
            std::fs::read_to_string(root.path().join("kubric.json")).unwrap(),
            text
        );
    }

    #[test]
    fn merging_lists_equal_samples_once_and_refuses_different_ones() {
        let root = tempfile::tempdir().unwrap();
        let [a, b, all] = ["a", "b", "all"].map(|name| root.path().join(name));
        sample(&a.join("000001"), "000001", "One.", "CC0-1.0");
        sample(&b.join("000001"), "000001", "One.", "CC0-1.0");
        sample(&b.join("000002"), "000002", "Two.", "CC0-1.0");
        let both = [a.clone(), b.clone()];
        let report = index(&both, &all).unwrap();
        assert_eq!(report.totals.samples, 2);
        let list = std::fs::read_to_string(&report.list).unwrap();
        assert!(
            list.contains("\"../a/000001\"") && list.contains("\"../b/000002\""),
            "{list}"
        );

        put(&b.join("000001/mask.mp4"), "other content");
        let error = index(&both, &all).unwrap_err();
        assert!(
            matches!(&error, PostprocError::Duplicate { id, file, .. } if id == "000001" && file == "mask.mp4"),
            "{error}"
        );
        assert_eq!(
            std::fs::read_to_string(&report.list).unwrap(),
            list,
            "nothing was written"
        );
    }

    #[test]
    fn a_refused_list_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| root.path().join(name));
        sample(&a.join("000001"), "000001", "One.", "CC0-1.0");
        sample(&b.join("000001"), "000001", "Another.", "CC0-1.0");
        put(&c.join("trackings.txt"), "tracking/000000_tracking.mp4\n");
        let new = root.path().join("new/all");
        let refused = |datasets: &[&PathBuf], output: &Path| {
            let datasets: Vec<PathBuf> =
                datasets.iter().map(|dataset| (*dataset).clone()).collect();
            index(&datasets, output).unwrap_err().to_string()
        };
        assert!(refused(&[&a, &b], &new).contains("two different samples"));
        assert!(!root.path().join("new").exists());
        for datasets in [[&a, &c], [&c, &a]] {
            let words = refused(&datasets, &new);
            for name in [&a, &c] {
                assert!(words.contains(&*name.to_string_lossy()), "{words}");
            }
        }
        assert!(refused(&[&c, &c], &new).contains("diorama merge"));
        assert!(!root.path().join("new").exists());
        // A folder that was there stays, and so does what lies beside it.
        std::fs::create_dir(root.path().join("new")).unwrap();
        refused(&[&a, &b], &new);
        assert!(root.path().join("new").exists() && !new.exists());
        assert!(index(std::slice::from_ref(&a), &new).is_ok());
        let before = std::fs::read(root.path().join("new/all.json")).unwrap();
        refused(&[&a, &b], &new);
        assert_eq!(
            std::fs::read(root.path().join("new/all.json")).unwrap(),
            before
        );
        assert!(new.join("totals.json").is_file());
    }

    #[test]
    fn an_empty_dataset_has_an_empty_list() {
        let root = tempfile::tempdir().unwrap();
        let dataset = root.path().join("none");
        std::fs::create_dir(&dataset).unwrap();
        let report = index(std::slice::from_ref(&dataset), &dataset).unwrap();
        let text = std::fs::read_to_string(report.list).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<serde_json::Value>>(&text)
                .unwrap()
                .len(),
            0
        );
    }
}
