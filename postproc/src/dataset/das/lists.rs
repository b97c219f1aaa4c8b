//! The lists of a dataset, derived from its complete samples.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use diorama_video::fsx;

use super::place::{das_sample_folder, das_sample_ids, is_complete_das, link_sample, main_names};
use super::{LISTS, SAMPLES};
use crate::dataset::index::{Attributions, Summary, holds_removal_samples, read_json, two_kinds};
use crate::dataset::{Totals, Turn, write_json};
use crate::error::{PostprocError, Result, fs_error};

/// The list of all of them, with captions.
const CSV: &str = "dataset.csv";
/// Its first line.
const COLUMNS: &str = "text,video,tracking,image";

/// What [`index_das`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct DasIndexReport {
    /// Lines of each list.
    pub samples: u64,
    /// Sums over the samples.
    pub totals: Totals,
    /// Folders under `samples/` that are not complete.
    pub incomplete: Vec<PathBuf>,
}

/// One line of each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// One line, not empty.
    pub(crate) prompt: String,
    /// Relative to the dataset, with `/`.
    pub(crate) video: String,
    pub(crate) tracking: String,
    pub(crate) image: String,
}

/// Rebuilds the derived files of `dataset` from the complete samples under `samples/`, by ascending
/// id, and gives their files their flat names.
///
/// # Errors
/// When something cannot be read or written; and where the lists would be lost (a merged dataset, or
/// another tool's, has nothing to make them from) or samples of object removal be left out.
pub fn index_das(dataset: &Path) -> Result<DasIndexReport> {
    std::fs::create_dir_all(dataset).map_err(fs_error("create", dataset))?;
    let _turn = Turn::take(dataset)?;
    let samples = dataset.join(SAMPLES);
    let wrong = |reason: String| PostprocError::Option {
        option: "index",
        reason,
    };
    if holds_removal_samples(dataset)? {
        return Err(wrong(two_kinds(dataset, dataset)));
    }
    if !samples.is_dir() && read_list(&dataset.join(LISTS[1])).is_ok_and(|list| !list.is_empty()) {
        return Err(wrong(format!(
            "{} has lists but no samples/ to make them from again: it was merged, or made elsewhere",
            dataset.display()
        )));
    }
    let mut lines = Vec::new();
    let mut incomplete = Vec::new();
    let mut totals = Totals::default();
    let mut attributions = Attributions::default();
    for id in das_sample_ids(dataset)? {
        let folder = samples.join(&id);
        if !is_complete_das(&folder) {
            incomplete.push(folder);
            continue;
        }
        let summary: Summary = read_json(&folder.join("sample.json"))?;
        let prompt = own_prompt(dataset, &id)?;
        link_sample(dataset, &id)?;
        totals.add(&summary);
        attributions.add(&summary);
        let [video, tracking, image] = main_names(&id);
        lines.push(Line {
            prompt,
            video,
            tracking,
            image,
        });
    }
    write_lists(dataset, &lines)?;
    write_json(&dataset.join("totals.json"), &totals)?;
    fsx::write_atomic(
        &dataset.join("ATTRIBUTION.md"),
        attributions.text().as_bytes(),
    )?;
    Ok(DasIndexReport {
        samples: lines.len() as u64,
        totals,
        incomplete,
    })
}

/// Writes all lists and the CSV file: first all old ones go, then the new ones get their names, so
/// that no two of different samples are ever there together. Equal content is left alone.
pub(super) fn write_lists(dataset: &Path, lines: &[Line]) -> Result<()> {
    let column = |pick: fn(&Line) -> &str| {
        lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{}", pick(line));
            text
        })
    };
    let texts = [
        column(|line| &line.prompt),
        column(|line| &line.video),
        column(|line| &line.tracking),
        column(|line| &line.image),
        csv(lines),
    ];
    let names: Vec<&str> = LISTS.into_iter().chain([CSV]).collect();
    let is_current = |(name, text): (&&str, &String)| {
        std::fs::read(dataset.join(name)).is_ok_and(|old| old == text.as_bytes())
    };
    if names.iter().zip(&texts).all(is_current) {
        return Ok(());
    }
    let mut ready = Vec::new();
    for (name, text) in names.iter().zip(&texts) {
        let path = dataset.join(format!("{name}.tmp-{}", std::process::id()));
        File::create(&path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .map_err(fs_error("write", &path))?;
        ready.push((path, dataset.join(name)));
    }
    for (_, place) in &ready {
        match std::fs::remove_file(place) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(fs_error("remove", place)(error));
            }
            _ => {}
        }
    }
    // A power cut must not bring an old one back beside a new one.
    fsx::sync_dir(dataset)?;
    for (path, place) in &ready {
        std::fs::rename(path, place).map_err(fs_error("put in place", place))?;
    }
    Ok(fsx::sync_dir(dataset)?)
}

/// Columns text, video, tracking, image; every field quoted.
fn csv(lines: &[Line]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for line in lines {
        let fields = [&line.prompt, &line.video, &line.tracking, &line.image]
            .map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
        let _ = writeln!(text, "{}", fields.join(","));
    }
    text
}

/// A list as the trainer reads it: lines stripped, empty ones left out.
pub(crate) fn read_list(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(fs_error("read", path))?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// The prompt of the complete sample `id`, as one line.
pub(crate) fn own_prompt(dataset: &Path, id: &str) -> Result<String> {
    let path = das_sample_folder(dataset, id).join("prompt.txt");
    let prompt = std::fs::read_to_string(&path).map_err(fs_error("read", &path))?;
    Ok(prompt.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The lines of `dataset.csv`; `None` where there is none or it is not of our form.
pub(crate) fn read_csv(dataset: &Path) -> Option<Vec<Line>> {
    let text = std::fs::read_to_string(dataset.join(CSV)).ok()?;
    let mut rows = text.lines();
    (rows.next()? == COLUMNS).then_some(())?;
    rows.map(|row| {
        // From the right: only prompts can hold quotes.
        let mut fields = row
            .strip_prefix('"')?
            .strip_suffix('"')?
            .rsplitn(4, "\",\"");
        let mut field = || Some(fields.next()?.replace("\"\"", "\""));
        let (image, tracking, video, prompt) = (field()?, field()?, field()?, field()?);
        Some(Line {
            prompt,
            video,
            tracking,
            image,
        })
    })
    .collect()
}
