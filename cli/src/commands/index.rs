//! `diorama index`: rebuilds or merges the lists of finished datasets.

use std::path::{Path, PathBuf};

use anyhow::Result;
use diorama_postproc::dataset::das::{index_das, is_das_dataset, take_repainted};
use diorama_postproc::dataset::{IndexReport, index};
use serde_json::json;

use crate::args::IndexArgs;
use crate::exit::{Status, UserError};
use crate::output::{Output, counted, shown};

/// Runs the command.
pub(super) fn run(args: &IndexArgs, output: &Output) -> Result<Status> {
    for dir in &args.dirs {
        if !dir.is_dir() {
            return Err(UserError::new(format!("{} is not a folder", dir.display()))
                .hint("give the folder that `--output-dir` named")
                .into());
        }
    }
    let mut refused = 0;
    if let Some(from) = &args.images_from {
        let [dataset] = args.dirs.as_slice() else {
            return Err(UserError::new("`--images-from` is for one dataset at a time").into());
        };
        if !is_das_dataset(dataset) {
            let words = format!("{} has no first frames to repaint", dataset.display());
            return Err(UserError::new(words)
                .hint("give a dataset that `diorama avatar` made")
                .into());
        }
        refused = take_images(dataset, from, output)?;
    }
    let mut incomplete = Vec::new();
    if let Some(merged) = &args.output_dir {
        let report = index(&args.dirs, merged)?;
        say(&report, output)?;
        incomplete.extend(report.incomplete);
    } else {
        for dir in &args.dirs {
            if is_das_dataset(dir) {
                incomplete.extend(index_avatars(dir, output)?);
                continue;
            }
            let report = index(std::slice::from_ref(dir), dir)?;
            say(&report, output)?;
            incomplete.extend(report.incomplete);
        }
    }
    Ok(if incomplete.is_empty() && refused == 0 {
        Status::Good
    } else {
        Status::SomeFailed
    })
}

/// Samples named in words; programs get all of them.
const NAMED: usize = 10;

/// Takes repainted first frames; how many were refused.
fn take_images(dataset: &Path, from: &Path, output: &Output) -> Result<usize> {
    let report = take_repainted(dataset, from)?;
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|(path, reason)| json!({ "image": path, "reason": reason }))
        .collect();
    output.json(&json!({
        "images_taken": report.taken, "images_refused": refused, "images_missing": report.missing,
        "images_unknown": report.unknown,
    }))?;
    for (_, reason) in &report.refused {
        output.warning(format!("left out: {reason}"));
    }
    let count = |ids: &[String], noun: &str| counted(ids.len() as u64, noun);
    output.note(format!(
        "{} taken from {}",
        count(&report.taken, "image"),
        from.display()
    ));
    if !report.missing.is_empty() {
        output.note(format!(
            "{} without a picture there: {}",
            count(&report.missing, "sample"),
            first_of(report.missing.iter().cloned())
        ));
    }
    if !report.unknown.is_empty() {
        let names = report.unknown.iter().map(|path| path.display().to_string());
        output.warning(format!(
            "no sample of the dataset is meant by {}",
            first_of(names)
        ));
        output.hint("pictures are called as the samples are: 000000.png");
    }
    Ok(report.refused.len())
}

/// The first few names.
fn first_of(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len() > NAMED;
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}

/// Lists of a Diffusion-as-Shader dataset; what is incomplete.
fn index_avatars(dir: &Path, output: &Output) -> Result<Vec<(PathBuf, String)>> {
    let report = index_das(dir)?;
    let list = dir.join("prompt.txt");
    output.json(&json!({
        "list": list, "totals": report.totals, "incomplete": report.incomplete,
    }))?;
    output.plain(list.display().to_string())?;
    output.note(counted(report.samples, "sample"));
    let incomplete = report.incomplete.into_iter();
    Ok(incomplete
        .map(|folder| (folder, "a part of it".to_owned()))
        .inspect(|(folder, _)| {
            output.warning(format!(
                "{} is left out: it is not complete",
                folder.display()
            ));
        })
        .collect())
}

fn say(report: &IndexReport, output: &Output) -> Result<()> {
    let incomplete: Vec<&PathBuf> = report.incomplete.iter().map(|(folder, _)| folder).collect();
    output.json(&json!({
        "list": shown(&report.list), "totals": report.totals, "incomplete": incomplete,
    }))?;
    output.plain(shown(&report.list).display().to_string())?;
    output.note(format!(
        "{}, {}",
        counted(report.totals.samples, "sample"),
        counted(report.totals.frames, "frame")
    ));
    for (folder, missing) in &report.incomplete {
        output.warning(format!(
            "{} is left out: {missing} is missing",
            folder.display()
        ));
    }
    Ok(())
}
