//! `diorama index`: rebuilds or merges the lists of finished datasets.

use std::path::PathBuf;

use anyhow::Result;
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
