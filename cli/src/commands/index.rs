//! `diorama index`: rebuilds or merges the lists of finished datasets.

use std::path::{Path, PathBuf};

use anyhow::Result;
use diorama_postproc::dataset::das::{index_das, is_das_dataset};
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
    let mut incomplete = Vec::new();
    if let Some(merged) = &args.output_dir {
        super::make_dir(merged)?;
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
    Ok(if incomplete.is_empty() {
        Status::Good
    } else {
        Status::SomeFailed
    })
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
