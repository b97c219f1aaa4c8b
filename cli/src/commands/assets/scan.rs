//! `diorama assets scan`: libraries to a manifest.

use std::path::Path;

use anyhow::{Context as _, Result};
use diorama_assets::scan::{Previous, ScanRoot};
use diorama_video::fsx::{AtomicFile, write_atomic};
use serde_json::json;

use super::{root, scan_with_words, totals};
use crate::args::ScanAssetsArgs;
use crate::exit::{Status, UserError};
use crate::output::Output;

/// Runs the command.
pub(super) fn run(args: &ScanAssetsArgs, output: &Output) -> Result<Status> {
    let previous = previous(&args.output)?.filter(|_| !args.fresh);
    // Before a library of hours is read.
    drop(AtomicFile::create(&args.output)?);
    let roots: Vec<ScanRoot> = args
        .dirs
        .iter()
        .map(|dir| root(dir, &args.output))
        .collect();
    let scan = scan_with_words(&roots, previous.as_ref(), output)?;
    let mut text = serde_json::to_string_pretty(&scan.assets)?;
    text.push('\n');
    write_atomic(&args.output, text.as_bytes())?;
    let (totals, words) = totals(&scan.assets);
    output.note(words);
    output.json(&json!({
        "manifest": args.output, "totals": totals,
        "read": scan.read, "read_bytes": scan.read_bytes,
    }))?;
    output.plain(args.output.display().to_string())?;
    if totals["unusable"] != 0 {
        output.hint(format!(
            "`diorama assets check {}` says what cannot be used and why",
            args.output.display()
        ));
    }
    Ok(Status::Good)
}

/// The scan that the file holds. Another file of that name, such as a Kubric manifest, is not touched.
fn previous(path: &Path) -> Result<Option<Previous>> {
    if !path.exists() {
        return Ok(None);
    }
    Previous::read(path).with_context(|| {
        UserError::new(format!("{} is in the way", path.display()))
            .hint("choose another `--output`")
    })
}
