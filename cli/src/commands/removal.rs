//! `diorama removal`: seeds → samples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diorama_postproc::dataset::{Journal, index, read_journals};
use diorama_postproc::{Layout, sweep_temporary};
use diorama_synth::physics::PieceStore;
use serde_json::json;

use crate::args::RemovalArgs;
use crate::exit::{Status, UserError};
use crate::job::{RemovalMaker, Report, RunLog, Studio, estimate, run as run_batch, seeds_to_make};
use crate::output::{Output, shown};
use crate::plan::{
    Job, Plan, Selection, check_folder, forget_plan, has_plan, sample_id, write_plan,
};
use crate::progress::Progress;

/// Runs the command.
pub(super) fn run(args: &RemovalArgs, output: &Output) -> Result<Status> {
    let (shelf, hashes) = super::open_shelf(&args.recipe.assets, output)?;
    let mut plan = Plan::resolve(&args.recipe, &args.output, hashes)?;
    let job = Job::resolve(&args.batch)?;
    super::check_selection(&job)?;
    let backend = super::backend_for(&plan.picture.backend, &job.output_dir, output)?;
    if args.batch.save_state {
        output.note(
            "`--save-state` writes no .blend: the whole state of a sample is in its shot.json",
        );
    }
    super::say_trained_frames(plan.recipe.video_length, false, output);
    let pieces = PieceStore::new(super::cache_dir("convex-pieces"));
    backend.with_fallback(output, |backend, begun| {
        plan.picture.backend = backend.setting.clone();
        let studio = Studio {
            plan: &plan,
            shelf: &shelf,
            backend,
            pieces: &pieces,
        };
        if args.batch.estimate {
            return foretell(&studio, &job, output);
        }
        check_folder(&plan, &job.output_dir)?;
        super::make_dir(&job.output_dir)?;
        let is_new = !has_plan(&job.output_dir);
        let made = make(studio, &job, output, begun);
        if made.is_err() && is_new && !*begun {
            // Nothing was made by this plan: another backend may begin the folder.
            forget_plan(&job.output_dir)?;
        }
        made
    })
}

/// Makes the samples of a job; `begun`: there is one.
fn make(studio: Studio<'_>, job: &Job, output: &Output, begun: &mut bool) -> Result<Status> {
    let shelf = studio.shelf;
    let journal = Journal::open(&job.output_dir, job.shard)?;
    write_plan(studio.plan, &job.output_dir)?;
    sweep_temporary(&job.output_dir, |id| {
        seed_of(id).is_some_and(|seed| job.owns(seed))
    })?;
    let before = read_journals(&job.output_dir)?;
    refuse_another_flat_sample(job, &before.done)?;
    *begun |= !before.done.is_empty();
    let options = studio.sample_options(if job.flat {
        Layout::Flat
    } else {
        Layout::Folders
    });
    let nothing_shown = Progress::hidden();
    let mut maker = RemovalMaker {
        studio,
        job,
        options,
        journal,
        before,
        progress: &nothing_shown,
        rejected: BTreeMap::new(),
    };
    let (seeds, present) = seeds_to_make(job, &maker);
    let mut log = RunLog::open(&job.output_dir)?;
    log.begin(seeds.len(), present)?;
    let progress = Progress::new(output, seeds.len() as u64 + present, present);
    maker.progress = &progress;
    let result = run_batch(&seeds, &mut maker, |seed, made| {
        *begun |= made.is_ok();
        progress.sample();
        report_sample(job, output, seed, made)
    });
    progress.finish();
    let mut report = result.inspect_err(|error| log.stopped(error))?;
    report.present = present;
    let lists = index(std::slice::from_ref(&job.output_dir), &job.output_dir)
        .context("the samples are complete, but their lists cannot be written")?;
    for warning in shelf.warnings() {
        output.warning(&warning);
        log.line(&format!("warning: {warning}"))?;
    }
    log.end(&report)?;
    say_report(&report, job, shown(&lists.list), output)
}

/// The seed of a sample id, with or without the suffix of a further tuple.
fn seed_of(id: &str) -> Option<u64> {
    id.split('_').next()?.parse().ok()
}

/// The flat layout has one place: another seed's sample must not be overwritten in silence.
fn refuse_another_flat_sample<T>(job: &Job, done: &BTreeMap<String, T>) -> Result<()> {
    let seed = match &job.selection {
        Selection::Missing(range) => range.first,
        Selection::Again(seeds) => seeds.first().copied().unwrap_or_default(),
        Selection::Failed(_) => return Ok(()),
    };
    match done.keys().find(|id| **id != sample_id(seed)) {
        Some(other) if job.flat => Err(UserError::new(format!(
            "{} already holds sample {other}",
            job.output_dir.display()
        ))
        .hint("`--layout flat` holds one sample: choose another `--output-dir`")
        .into()),
        _ => Ok(()),
    }
}

fn folder_of(job: &Job, seed: u64) -> PathBuf {
    if job.flat {
        job.output_dir.clone()
    } else {
        job.output_dir.join(sample_id(seed))
    }
}

/// A line per sample: JSON on standard output, words only where something is wrong.
fn report_sample(job: &Job, output: &Output, seed: u64, made: Result<(), &str>) -> Result<()> {
    let id = sample_id(seed);
    match made {
        Ok(()) => output.json(&json!({
            "id": id, "seed": seed, "status": "done", "folder": folder_of(job, seed),
        })),
        Err(reason) => {
            output.warning(format!("sample {id} failed: {reason}"));
            output.json(&json!({
                "id": id, "seed": seed, "status": "failed", "reason": reason,
            }))
        }
    }
}

fn say_report(report: &Report, job: &Job, list: &Path, output: &Output) -> Result<Status> {
    let Report {
        made,
        present,
        failed,
    } = report;
    output.json(&json!({
        "made": made, "present": present, "failed": failed.len(), "list": list,
    }))?;
    // A single sample that failed has no folder.
    if failed.is_empty() || !is_single(job) {
        output.plain(folder_or_dir(job).display().to_string())?;
    }
    Ok(super::say_batch(report, list, output))
}

/// What a script wants to go on with: the sample when there is one, else the dataset.
fn folder_or_dir(job: &Job) -> PathBuf {
    match &job.selection {
        Selection::Missing(range) if is_single(job) => folder_of(job, range.first),
        _ => job.output_dir.clone(),
    }
}

fn is_single(job: &Job) -> bool {
    matches!(&job.selection, Selection::Missing(range) if range.end - range.first == 1)
}

/// `--estimate`.
fn foretell(studio: &Studio<'_>, job: &Job, output: &Output) -> Result<Status> {
    let before = read_journals(&job.output_dir)?;
    let seeds: Vec<u64> = match &job.selection {
        Selection::Missing(range) => (range.first..range.end)
            .filter(|seed| job.owns(*seed) && !before.done.contains_key(&sample_id(*seed)))
            .collect(),
        Selection::Again(seeds) => seeds.clone(),
        Selection::Failed(_) => before.failed_seeds(),
    };
    if seeds.is_empty() {
        output.note("nothing to do: all samples are there");
        return Ok(Status::Good);
    }
    let estimate = estimate(studio, &seeds)?;
    output.plain(estimate.in_words())?;
    output.json(&estimate)?;
    Ok(Status::Good)
}
