//! `diorama shot`: draws a Shot and writes it.

use std::path::Path;

use anyhow::Result;
use diorama_synth::physics::PieceStore;
use diorama_video::fsx;

use crate::args::{OutputArgs, ShotCommand, ShotRemovalArgs};
use crate::backend::Backend;
use crate::exit::Status;
use crate::job::Studio;
use crate::output::Output;
use crate::plan::Plan;

/// Runs the command.
pub(super) fn run(recipe: &ShotCommand, output: &Output) -> Result<Status> {
    match recipe {
        ShotCommand::Removal(args) => removal(args, output),
    }
}

fn removal(args: &ShotRemovalArgs, output: &Output) -> Result<Status> {
    let (library, hashes) = super::open_library(&args.recipe.assets, output)?;
    let plan = Plan::resolve(&args.recipe, &OutputArgs::default(), hashes)?;
    let pieces = PieceStore::new(super::cache_dir("convex-pieces"));
    let studio = Studio {
        // A Shot is judged on the CPU, so that it does not depend on the machine.
        backend: Backend::cpu(),
        plan: &plan,
        library: &library,
        pieces: &pieces,
    };
    let shot = studio.draw(args.seed)?;
    for warning in library.warnings().0 {
        output.warning(warning);
    }
    let text = shot.to_json();
    if args.output == Path::new("-") {
        output.data(text.trim_end())?;
    } else {
        fsx::write_atomic(&args.output, text.as_bytes())?;
        output.plain(args.output.display().to_string())?;
        output.json(&serde_json::json!({ "shot": args.output, "seed": args.seed }))?;
    }
    Ok(Status::Good)
}
