//! `diorama merge`: joins Diffusion-as-Shader datasets.

use std::path::PathBuf;

use anyhow::Result;
use diorama_postproc::dataset::das::{DasSource, MergeMode, merge_das};
use serde_json::json;

use crate::args::MergeArgs;
use crate::exit::{Status, UserError};
use crate::output::{Output, counted};

/// Runs the command.
pub(super) fn run(args: &MergeArgs, output: &Output) -> Result<Status> {
    let sources = args
        .sources
        .iter()
        .map(|text| source(text))
        .collect::<Result<Vec<_>, UserError>>()?;
    let mode = if args.copy {
        MergeMode::Copy
    } else {
        MergeMode::Link
    };
    let report = merge_das(&sources, &args.output_dir, mode)?;
    output.json(&json!({
        "dataset": args.output_dir, "taken": report.taken, "available": report.available,
    }))?;
    output.plain(args.output_dir.display().to_string())?;
    for ((source, taken), available) in sources.iter().zip(&report.taken).zip(&report.available) {
        output.note(format!(
            "{}: {taken} of {}",
            source.folder.display(),
            counted(*available, "sample")
        ));
    }
    Ok(Status::Good)
}

/// `DIR`, or `DIR=R`. A folder whose name holds a `=` is meant where it exists.
fn source(text: &str) -> Result<DasSource, UserError> {
    let whole = PathBuf::from(text);
    let parts = text.rsplit_once('=').filter(|_| !whole.is_dir());
    let Some((folder, ratio)) = parts else {
        return Ok(DasSource {
            folder: whole,
            ratio: None,
        });
    };
    let ratio: f64 = ratio
        .parse()
        .ok()
        .filter(|ratio: &f64| ratio.is_finite() && *ratio > 0.0)
        .ok_or_else(|| {
            UserError::new(format!("`{ratio}` of `{text}` is no ratio"))
                .hint("a number above 0, e.g. `avatars=2`")
        })?;
    Ok(DasSource {
        folder: folder.into(),
        ratio: Some(ratio),
    })
}
