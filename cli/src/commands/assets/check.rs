//! `diorama assets check`: what cannot be used, and why.

use std::path::Path;

use anyhow::Result;
use diorama_assets::scan::{Fault, Previous, ScanRoot, ScannedAsset, misfits};
use serde_json::json;

use super::{root, scan_with_words, totals};
use crate::args::CheckAssetsArgs;
use crate::exit::{Status, UserError};
use crate::output::{Output, counted};

/// Runs the command.
pub(super) fn run(args: &CheckAssetsArgs, output: &Output) -> Result<Status> {
    let mut bad = 0u64;
    for source in &args.sources {
        let (roots, previous) = opened(source)?;
        let scan = scan_with_words(&roots, previous.as_ref(), output)?;
        let mut here = 0;
        for (root, scanned) in roots.iter().zip(&scan.assets.roots) {
            for asset in &scanned.assets {
                for words in &asset.content.warnings {
                    output.warning(format!("{}: {words}", asset.record.id));
                }
                if let Some(fault) = &asset.content.unusable {
                    here += 1;
                    say(asset, fault, output)?;
                }
            }
            for (id, reason) in misfits(&root.path, scanned)? {
                here += 1;
                let fault = Fault { reason, hint: None };
                if let Some(asset) = scanned.assets.iter().find(|asset| asset.record.id == id) {
                    say(asset, &fault, output)?;
                }
            }
        }
        let (totals, words) = totals(&scan.assets);
        output.note(words);
        output.json(&json!({ "checked": source, "totals": totals, "faults": here }))?;
        bad += here;
    }
    Ok(if bad == 0 {
        Status::Good
    } else {
        output.note(format!("{} found", counted(bad, "fault")));
        Status::SomeFailed
    })
}

/// The roots of a manifest and what it knows of them; or the folder (or Kubric manifest) itself.
fn opened(source: &Path) -> Result<(Vec<ScanRoot>, Option<Previous>)> {
    let is_json = source
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if !(is_json && source.is_file()) {
        return Ok((vec![root(source, Path::new("manifest.json"))], None));
    }
    match Previous::read(source) {
        Ok(Some(previous)) => Ok((previous.roots(source), Some(previous))),
        Ok(None) => Err(UserError::new(format!(
            "{} was written by another version of diorama",
            source.display()
        ))
        .hint("scan again: `diorama assets scan`")
        .into()),
        Err(_) => Ok((vec![root(source, Path::new("manifest.json"))], None)),
    }
}

fn say(asset: &ScannedAsset, fault: &Fault, output: &Output) -> Result<()> {
    output.json(&json!({
        "id": asset.record.id, "kind": asset.kind, "path": asset.place.path,
        "reason": fault.reason, "hint": fault.hint,
    }))?;
    output.plain(format!(
        "{} ({}, {}): {}",
        asset.record.id,
        asset.kind.word(),
        asset.place.path,
        fault.reason
    ))
}
