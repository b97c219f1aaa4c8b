//! `diorama avatar`: characters in motion → a Diffusion-as-Shader dataset.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diorama_assets::Workspace;
use diorama_postproc::dataset::das::{DasSampleOptions, das_sample_folder, index_das, sweep_das};
use diorama_postproc::dataset::{Journal, read_journals};
use diorama_synth::physics::PieceStore;
use serde_json::json;

use crate::args::{AvatarArgs, AvatarBatchArgs, Redo, SeedRange, Takes};
use crate::backend::Backend;
use crate::exit::Status;
use crate::job::{AvatarMaker, Casting, Report, RunLog, encoder, run as run_batch, seeds_to_make};
use crate::output::Output;
use crate::plan::{
    AvatarPlan, Job, Selection, check_folder, forget_plan, has_plan, sample_id, write_plan,
};
use crate::progress::Progress;
use crate::shelf::PEOPLE;

/// Clips of built-in people when nobody says how many.
const FEW: u64 = 10;

/// Runs the command.
pub(super) fn run(args: &AvatarArgs, output: &Output) -> Result<Status> {
    let drawn = is_drawn(&args.batch);
    let mut plan = AvatarPlan::resolve(args, drawn)?;
    let workspace = open_workspace(args.batch.base_path.as_deref(), plan.takes, output)?;
    plan.library = super::workspace_hash(&workspace);
    let casting = Casting::new(&workspace, drawn.then_some(plan.seed));
    let clips = match (args.batch.count, drawn) {
        (Some(count), _) => count,
        (None, true) => FEW,
        (None, false) => casting.pairs(),
    };
    let job = job(args, clips);
    super::check_selection(&job)?;
    let backend = super::backend_for(&plan.picture.backend, &job.output_dir, output)?;
    super::say_trained_frames(plan.recipe.video_length, true, output);
    let pieces = PieceStore::new(super::cache_dir("convex-pieces"));
    backend.with_fallback(output, |backend, begun| {
        plan.picture.backend = backend.setting.clone();
        check_folder(&plan, &job.output_dir)?;
        super::make_dir(&job.output_dir)?;
        let is_new = !has_plan(&job.output_dir);
        let studio = Studio {
            plan: &plan,
            workspace: &workspace,
            casting: Casting::new(&workspace, drawn.then_some(plan.seed)),
            pieces: &pieces,
            backend,
        };
        let made = make(studio, &job, output, begun);
        if made.is_err() && is_new && !*begun {
            // Nothing was made by this plan: another backend may begin the folder.
            forget_plan(&job.output_dir)?;
        }
        made
    })
}

/// What makes clips, whichever they are.
struct Studio<'a> {
    plan: &'a AvatarPlan,
    workspace: &'a Workspace,
    casting: Casting<'a>,
    pieces: &'a PieceStore,
    backend: Backend,
}

/// Makes the clips of a job; `begun`: there is one.
fn make(studio: Studio<'_>, job: &Job, output: &Output, begun: &mut bool) -> Result<Status> {
    let Studio {
        plan,
        workspace,
        casting,
        pieces,
        backend,
    } = studio;
    let journal = Journal::open(&job.output_dir, job.shard)?;
    write_plan(plan, &job.output_dir)?;
    sweep_das(&job.output_dir, |id| {
        id.parse().is_ok_and(|index| job.owns(index))
    })?;
    let before = read_journals(&job.output_dir)?;
    *begun |= !before.done.is_empty();
    let nothing_shown = Progress::hidden();
    let mut maker = AvatarMaker {
        plan,
        casting,
        pieces,
        backend,
        job,
        options: options(plan),
        journal,
        before,
        progress: &nothing_shown,
    };
    let (clips, present) = seeds_to_make(job, &maker);
    let mut log = RunLog::open(&job.output_dir)?;
    log.begin(clips.len(), present)?;
    let progress = Progress::new(output, clips.len() as u64 + present, present);
    maker.progress = &progress;
    let result = run_batch(&clips, &mut maker, |index, made| {
        *begun |= made.is_ok();
        progress.sample();
        say_sample(job, output, index, made)
    });
    progress.finish();
    let mut report = result.inspect_err(|error| log.stopped(error))?;
    report.present = present;
    index_das(&job.output_dir)
        .context("the samples are complete, but their lists cannot be written")?;
    for warning in workspace.warnings().0 {
        output.warning(&warning);
        log.line(&format!("warning: {warning}"))?;
    }
    log.end(&report)?;
    say_report(&report, job, output)
}

/// Are characters and motions drawn? Every built-in person with every motion would be thousands of
/// clips.
pub(super) fn is_drawn(batch: &AvatarBatchArgs) -> bool {
    batch.count.is_some() || batch.base_path.is_none()
}

/// The workspace of a flag, or the built-in people.
pub(super) fn open_workspace(
    base: Option<&Path>,
    takes: Takes,
    output: &Output,
) -> Result<Workspace> {
    let Some(base) = base else {
        return Ok(Workspace::builtin(0..PEOPLE)?);
    };
    let (workspace, warnings) = Workspace::open(base)?;
    for warning in warnings.0 {
        output.warning(warning);
    }
    Ok(match takes {
        Takes::Longest => workspace,
        Takes::All => workspace.with_all_takes(),
    })
}

fn job(args: &AvatarArgs, clips: u64) -> Job {
    let all = SeedRange {
        first: 0,
        end: clips,
    };
    Job {
        output_dir: args.batch.output_dir.clone().unwrap_or_else(|| {
            let base = args.batch.base_path.as_deref();
            base.map_or_else(
                || PathBuf::from("test_avatars"),
                |base| base.join("trackingavatars"),
            )
        }),
        flat: false,
        selection: match &args.batch.redo {
            None => Selection::Missing(all),
            Some(Redo::Failed) => Selection::Failed(Some(all)),
            Some(Redo::Seeds(indices)) => Selection::Again(indices.clone()),
        },
        shard: args.batch.shard,
    }
}

fn options(plan: &AvatarPlan) -> DasSampleOptions {
    let output = &plan.output;
    DasSampleOptions {
        tracking: plan.tracking_options(),
        qp: output.qp,
        tracking_qp: output.tracking_qp,
        encoder: encoder(&output.encoder),
        tracking_lossless: output.tracking_lossless,
        das_tracks: output.das_tracks,
        first_frame_controls: output.first_frame_controls,
        render: plan.picture.record(),
        ..DasSampleOptions::default()
    }
}

/// A line per sample: JSON on standard output, words only where something is wrong.
fn say_sample(job: &Job, output: &Output, index: u64, made: Result<(), &str>) -> Result<()> {
    let id = sample_id(index);
    match made {
        Ok(()) => output.json(&json!({
            "id": id, "status": "done", "folder": das_sample_folder(&job.output_dir, &id),
        })),
        Err(reason) => {
            output.warning(format!("sample {id} failed: {reason}"));
            output.json(&json!({ "id": id, "status": "failed", "reason": reason }))
        }
    }
}

fn say_report(report: &Report, job: &Job, output: &Output) -> Result<Status> {
    output.json(&json!({
        "made": report.made, "present": report.present, "failed": report.failed.len(),
        "dataset": job.output_dir,
    }))?;
    output.plain(job.output_dir.display().to_string())?;
    Ok(super::say_batch(
        report,
        &job.output_dir.join("prompt.txt"),
        output,
    ))
}
