//! `diorama shot`: draws a Shot and writes it.

use std::path::Path;

use anyhow::Result;
use diorama_synth::physics::PieceStore;
use diorama_synth::shot::Shot;
use diorama_video::fsx;

use super::avatar::{is_drawn, open_workspace};
use crate::args::{
    AvatarArgs, AvatarBatchArgs, AvatarOutputArgs, OutputArgs, PictureArgs, ShotAvatarArgs,
    ShotCommand, ShotRemovalArgs,
};
use crate::backend::Backend;
use crate::exit::Status;
use crate::job::{Casting, Studio};
use crate::output::Output;
use crate::plan::{AvatarPlan, Plan};

/// Runs the command.
pub(super) fn run(recipe: &ShotCommand, output: &Output) -> Result<Status> {
    match recipe {
        ShotCommand::Removal(args) => removal(args, output),
        ShotCommand::Avatar(args) => avatar(args, output),
    }
}

fn removal(args: &ShotRemovalArgs, output: &Output) -> Result<Status> {
    let (shelf, hashes) = super::open_shelf(&args.recipe.assets, output)?;
    let plan = Plan::resolve(&args.recipe, &OutputArgs::default(), hashes)?;
    let pieces = PieceStore::new(super::cache_dir("convex-pieces"));
    let studio = Studio {
        // A Shot is judged on the CPU, so that it does not depend on the machine.
        backend: Backend::cpu(),
        plan: &plan,
        shelf: &shelf,
        pieces: &pieces,
    };
    let shot = studio.draw(args.seed)?;
    for warning in shelf.warnings() {
        output.warning(warning);
    }
    write(&shot, args.seed, &args.output, output)
}

fn avatar(args: &ShotAvatarArgs, output: &Output) -> Result<Status> {
    let args = args.clone();
    let batch = AvatarBatchArgs {
        base_path: args.base_path,
        config: args.config,
        takes: args.takes,
        count: args.count,
        seed: args.seed,
        ..AvatarBatchArgs::default()
    };
    let drawn = is_drawn(&batch);
    let whole = AvatarArgs {
        batch,
        parameters: args.parameters,
        picture: PictureArgs::default(),
        output: AvatarOutputArgs::default(),
    };
    let mut plan = AvatarPlan::resolve(&whole, drawn)?;
    let workspace = open_workspace(whole.batch.base_path.as_deref(), plan.takes, output)?;
    plan.library = super::workspace_hash(&workspace);
    let casting = Casting::new(&workspace, drawn.then_some(plan.seed));
    let pieces = PieceStore::new(super::cache_dir("convex-pieces"));
    let shot = casting.draw(&plan, args.clip, &pieces)?;
    for warning in workspace.warnings().0 {
        output.warning(warning);
    }
    write(&shot, plan.seed, &args.output, output)
}

fn write(shot: &Shot, seed: u64, path: &Path, output: &Output) -> Result<Status> {
    let text = shot.to_json();
    if path == Path::new("-") {
        output.data(text.trim_end())?;
    } else {
        fsx::write_atomic(path, text.as_bytes())?;
        output.plain(path.display().to_string())?;
        output.json(&serde_json::json!({ "shot": path, "seed": seed }))?;
    }
    Ok(Status::Good)
}
