//! One module per command, and what they share.

mod doctor;
mod index;
mod removal;
mod render;
mod shot;
#[cfg(test)]
mod testing;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diorama_assets::Library;

use crate::args::{AssetArgs, Cli, Command};
use crate::exit::{Status, UserError};
use crate::output::Output;

/// Runs the command.
pub fn run(cli: Cli, output: &Output) -> Result<Status> {
    if let Some(threads) = cli.global.threads {
        set_threads(threads)?;
    }
    match cli.command {
        Command::Removal(args) => removal::run(&args, output),
        Command::Shot(recipe) => shot::run(&recipe, output),
        Command::Render(args) => render::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Index(args) => index::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Version => {
            output.data(&format!("diorama {}", env!("CARGO_PKG_VERSION")))?;
            Ok(Status::Good)
        }
    }
}

fn set_threads(threads: usize) -> Result<()> {
    if !(1..=1024).contains(&threads) {
        return Err(
            UserError::new(format!("`--threads {threads}` is out of range (1 to 1024)")).into(),
        );
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("worker-{index}"))
        .build_global()
        .context("cannot start the worker threads")
}

/// The asset library, and the hashes of what it holds beside the built-in one: they are part of the
/// plan, because other assets make other samples.
fn open_library(args: &AssetArgs, output: &Output) -> Result<(Library, Vec<String>)> {
    let (library, warnings) = Library::open(&args.assets)?;
    for warning in warnings.0 {
        output.warning(warning);
    }
    let hashes = if args.assets.is_empty() {
        Vec::new()
    } else {
        vec![list_hash(&library)]
    };
    Ok((library, hashes))
}

/// blake3 over the ids that can be drawn. Contents are hashed when an asset is first used, and stand
/// in the shot.json of each sample: hashing a whole library here would take hours for large ones.
fn list_hash(library: &Library) -> String {
    let mut hasher = blake3::Hasher::new();
    for (kind, records) in [
        ("object", library.objects()),
        ("environment", library.environments()),
    ] {
        for record in records {
            hasher.update(format!("{kind}\t{}\n", record.id).as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Makes an output folder, or says what stands in the way.
fn make_dir(dir: &Path) -> Result<()> {
    if dir.is_file() {
        return Err(
            UserError::new(format!("{} is a file, not a folder", dir.display()))
                .hint("choose another `--output-dir`")
                .into(),
        );
    }
    fs_err::create_dir_all(dir).map_err(Into::into)
}

/// A folder for things that can be made again: `$DIORAMA_CACHE`, else the user's cache folder.
fn cache_dir(name: &str) -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = var("DIORAMA_CACHE")
        .map(PathBuf::from)
        .or_else(|| var("XDG_CACHE_HOME").map(|dir| PathBuf::from(dir).join("diorama")))
        .or_else(|| var("HOME").map(|dir| PathBuf::from(dir).join(".cache").join("diorama")))?;
    Some(base.join(name))
}
