//! One module per command, and what they share.

mod assets;
mod avatar;
mod doctor;
mod index;
mod merge;
mod removal;
mod render;
mod shot;
#[cfg(test)]
mod testing;
mod track;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diorama_assets::{Library, Workspace};

use crate::args::{AssetArgs, Cli, Command};
use crate::backend::{Backend, BackendSetting};
use crate::exit::{Status, UserError};
use crate::job::Report;
use crate::output::Output;
use crate::plan::{Job, Selection, backend_of_folder, has_plan, sample_id, trained_frames};
use crate::shelf::Shelf;

/// Runs the command.
pub fn run(cli: Cli, output: &Output) -> Result<Status> {
    if let Some(threads) = cli.global.threads {
        set_threads(threads)?;
    }
    match cli.command {
        Command::Removal(args) => removal::run(&args, output),
        Command::Avatar(args) => avatar::run(&args, output),
        Command::Assets(command) => assets::run(&command, output),
        Command::Track(args) => track::run(&args, output),
        Command::Shot(recipe) => shot::run(&recipe, output),
        Command::Render(args) => render::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Index(args) => index::run(&args, output),
        Command::Merge(args) => merge::run(&args, output),
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
fn open_shelf(args: &AssetArgs, output: &Output) -> Result<(Shelf, Vec<String>)> {
    let shelf = Shelf::open(args, output)?;
    let mut hashes = Vec::new();
    if !args.assets.is_empty() {
        hashes.push(list_hash(&shelf.library));
    }
    hashes.extend(shelf.workspace.as_ref().map(workspace_hash));
    Ok((shelf, hashes))
}

/// blake3 over the ids that clips are made of; contents are hashed when they are first used, and stand
/// in the shot.json of each sample.
fn workspace_hash(workspace: &Workspace) -> String {
    let mut hasher = blake3::Hasher::new();
    for character in workspace.characters() {
        hasher.update(format!("character\t{}\n", character.id).as_bytes());
        for motion in &character.motions {
            hasher.update(format!("motion\t{motion}\n").as_bytes());
        }
    }
    for skybox in workspace.skyboxes() {
        hasher.update(format!("skybox\t{skybox}\n").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
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

/// Refuses a job without samples before it leaves a folder: numbers that hold nothing, or samples to make again
/// where none was made.
fn check_selection(job: &Job) -> Result<()> {
    let error = match &job.selection {
        Selection::Missing(range) if range.first >= range.end => {
            UserError::new("no sample is asked for")
        }
        Selection::Again(_) | Selection::Failed(_) if !has_plan(&job.output_dir) => UserError::new(
            format!("{} has no samples to make again", job.output_dir.display()),
        )
        .hint("`--redo` is for the folder of an earlier run: name it with `--output-dir`"),
        _ => return Ok(()),
    };
    Err(error.into())
}

/// `auto` goes on with what a folder was begun with.
fn backend_for(asked: &BackendSetting, dir: &Path, output: &Output) -> Result<Backend> {
    let begun = match asked {
        BackendSetting::Auto => backend_of_folder(dir),
        BackendSetting::Cpu | BackendSetting::Gpu(_) => None,
    };
    let resolved = Backend::resolve(begun.as_ref().unwrap_or(asked), output);
    Ok(match &begun {
        Some(begun) => resolved
            .with_context(|| format!("{} was made with `--backend {begun}`", dir.display()))?,
        None => resolved?,
    })
}

/// Says how many frames trainers will use; those of Diffusion as Shader take 4k frames too.
fn say_trained_frames(length: u32, takes_multiples: bool, output: &Output) {
    let trained = trained_frames(length);
    if trained != length && !(takes_multiples && length.is_multiple_of(4)) {
        output.note(format!(
            "note: {length} frames are not 4k+1; trainers will use {trained} of them"
        ));
    }
}

/// The end of a batch in words, and what the program ends with.
fn say_batch(report: &Report, list: &Path, output: &Output) -> Status {
    let Report {
        made,
        present,
        failed,
    } = report;
    if *made == 0 && failed.is_empty() {
        output.note(match present {
            0 => "nothing to do: no sample is asked for that could be made".into(),
            1 => "nothing to do: the sample is there".into(),
            _ => format!("nothing to do: all {present} samples are there"),
        });
    } else {
        output.note(format!(
            "{made} made, {present} were there, {} failed; list: {}",
            failed.len(),
            list.display()
        ));
    }
    if failed.is_empty() {
        return Status::Good;
    }
    for (seed, reason) in failed {
        output.note(format!("  {}  {reason}", sample_id(*seed)));
    }
    output.hint("`--redo failed` tries these again");
    Status::SomeFailed
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
