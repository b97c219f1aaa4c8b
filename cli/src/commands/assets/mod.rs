//! `diorama assets`: what is in libraries.

mod check;
mod scan;
mod show;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use diorama_assets::scan::{Kind, Previous, Scan, ScanRoot, ScannedAsset, ScannedAssets, scan};
use serde_json::{Value, json};

use crate::args::AssetsCommand;
use crate::exit::{Status, UserError};
use crate::output::{Output, counted};
use crate::progress::Progress;

/// Runs the command.
pub(super) fn run(command: &AssetsCommand, output: &Output) -> Result<Status> {
    match command {
        AssetsCommand::Scan(args) => scan::run(args, output),
        AssetsCommand::Check(args) => check::run(args, output),
        AssetsCommand::Show(args) => show::run(args, output),
    }
}

/// Scans with a bar, and says how fast it was.
fn scan_with_words(
    roots: &[ScanRoot],
    previous: Option<&Previous>,
    output: &Output,
) -> Result<Scan> {
    for root in roots {
        if !root.path.exists() {
            return Err(
                UserError::new(format!("there is no {}", root.path.display()))
                    .hint("give folders of assets")
                    .into(),
            );
        }
    }
    let start = Instant::now();
    let progress = Progress::new(output, 0, 0);
    let total = std::sync::atomic::AtomicU64::new(0);
    let found = scan(roots, previous, &|count, is_done| {
        if is_done {
            progress.sample();
        } else {
            let before = total.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
            progress.expect(before + count);
        }
    })?;
    progress.finish();
    let secs = start.elapsed().as_secs_f64();
    let megabytes = found.read_bytes as f64 / 1e6;
    let all: u64 = found
        .assets
        .roots
        .iter()
        .map(|r| r.assets.len() as u64)
        .sum();
    output.note(format!(
        "{} in {secs:.1} s: {} read ({megabytes:.1} MB, {:.1} MB/s), {} unchanged",
        counted(all, "asset"),
        found.read,
        megabytes / secs.max(1e-3),
        all - found.read,
    ));
    for root in &found.assets.roots {
        for words in &root.warnings {
            output.warning(words);
        }
    }
    Ok(found)
}

/// A folder as the manifest `file` calls it: against the file's own folder when it lies below that, so
/// that both can be moved together; else where it is on this machine.
fn root(dir: &Path, file: &Path) -> ScanRoot {
    let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let place = absolute(dir);
    let beside = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => absolute(parent),
        _ => absolute(Path::new(".")),
    };
    let name = match place.strip_prefix(&beside) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => place,
    };
    ScanRoot {
        path: dir.to_owned(),
        name: name.to_string_lossy().into_owned(),
    }
}

/// How many there are of each kind, and how many of them cannot be used.
fn totals(assets: &ScannedAssets) -> (Value, String) {
    let kinds = [
        Kind::Character,
        Kind::Motion,
        Kind::Object,
        Kind::Environment,
    ];
    let all = || assets.roots.iter().flat_map(|root| &root.assets);
    let mut value = serde_json::Map::new();
    let mut words = Vec::new();
    for kind in kinds {
        let count = all().filter(|asset| asset.kind == kind).count() as u64;
        value.insert(format!("{}s", kind.word()), json!(count));
        if count > 0 {
            words.push(counted(count, kind.word()));
        }
    }
    let bad = all().filter(|asset| is_bad(asset)).count();
    let odd = all().filter(|asset| !is_bad(asset) && !asset.content.warnings.is_empty());
    let odd = odd.count();
    value.insert("unusable".into(), json!(bad));
    value.insert("with_warnings".into(), json!(odd));
    words.push(format!("{bad} cannot be used, {odd} with warnings"));
    (Value::Object(value), words.join(", "))
}

fn is_bad(asset: &ScannedAsset) -> bool {
    asset.content.unusable.is_some()
}
