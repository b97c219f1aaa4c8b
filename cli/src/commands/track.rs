//! `diorama track`: real clips → a Diffusion-as-Shader dataset.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use diorama_flow::FlowTracker;
use diorama_postproc::dataset::das::{FilmedSampleOptions, index_das, sweep_das};
use diorama_postproc::dataset::{Journal, read_journals};
use serde_json::json;

use crate::args::{Redo, SeedRange, TrackArgs};
use crate::exit::{Status, UserError};
use crate::job::{
    Inputs, Report, RunLog, Tally, TrackMaker, encoder, run_side_by_side, seeds_to_make, videos,
};
use crate::output::{Output, counted};
use crate::plan::{Job, Selection, TrackPlan, check_folder, sample_id, write_plan};
use crate::progress::Progress;

/// Most videos in work at the same time.
const MAX_JOBS: usize = 256;

/// Runs the command.
pub(super) fn run(args: &TrackArgs, output: &Output) -> Result<Status> {
    if let Some((flag, reason, hint)) = args.refused.complaint() {
        return Err(UserError::new(format!("`{flag}`: {reason}"))
            .hint(hint)
            .into());
    }
    if !(1..=MAX_JOBS).contains(&args.batch.jobs) {
        let jobs = args.batch.jobs;
        return Err(
            UserError::new(format!("`--jobs {jobs}` is out of range (1 to {MAX_JOBS})")).into(),
        );
    }
    let inputs = inputs(args, output)?;
    let plan = TrackPlan::resolve(
        &args.choices,
        args.batch.config.as_deref(),
        hash(&inputs.videos),
        hash_prompts(&inputs.prompts),
        args.batch
            .depth
            .as_deref()
            .map_or_else(|| Ok(String::new()), hash_depth)?,
    )?;
    let job = Job {
        output_dir: args
            .batch
            .output_dir
            .clone()
            .unwrap_or_else(|| "vis_results".into()),
        flat: false,
        selection: selection(args.batch.redo.as_ref(), inputs.videos.len() as u64)?,
        shard: args.batch.shard,
    };
    super::say_trained_frames(plan.track.video_length, true, output);
    check_folder(&plan, &job.output_dir)?;
    super::make_dir(&job.output_dir)?;
    let journal = Journal::open(&job.output_dir, job.shard)?;
    write_plan(&plan, &job.output_dir)?;
    sweep_das(&job.output_dir, |id| {
        let video = id.split('_').next().unwrap_or(id);
        video.parse().is_ok_and(|index| job.owns(index))
    })?;
    let before = read_journals(&job.output_dir)?;
    let tracker = FlowTracker::default();
    let nothing_shown = Progress::hidden();
    let mut maker = TrackMaker {
        plan: &plan,
        inputs: &inputs,
        tracker: &tracker,
        job: &job,
        options: options(&plan),
        journal: Mutex::new(journal),
        before,
        again: matches!(job.selection, Selection::Again(_)),
        progress: &nothing_shown,
        tally: Tally::default(),
    };
    let (todo, present) = seeds_to_make(&job, &maker);
    let mut log = RunLog::open(&job.output_dir)?;
    log.begin(todo.len(), present)?;
    let progress = Progress::new(output, todo.len() as u64 + present, present);
    maker.progress = &progress;
    let result = run_side_by_side(
        &todo,
        args.batch.jobs,
        &|video| maker.make(video),
        |video, made| {
            progress.sample();
            if let Err(reason) = made {
                maker.note_failure(video, reason)?;
            }
            say_video(&inputs, output, video, made)
        },
    );
    progress.finish();
    let mut report = result.inspect_err(|error| log.stopped(error))?;
    report.present = present;
    index_das(&job.output_dir)
        .context("the samples are complete, but their lists cannot be written")?;
    log.end(&report)?;
    say_report(&report, &maker.tally, &job, output)
}

/// Of `--redo`; without it everything that is not there.
fn selection(redo: Option<&Redo>, videos: u64) -> Result<Selection> {
    let all = SeedRange {
        first: 0,
        end: videos,
    };
    Ok(match redo {
        None => Selection::Missing(all),
        Some(Redo::Failed) => Selection::Failed(Some(all)),
        Some(Redo::Seeds(numbers)) => {
            if let Some(beyond) = numbers.iter().find(|number| **number >= videos) {
                return Err(UserError::new(format!(
                    "`--redo {beyond}`: there are {}",
                    counted(videos, "video")
                ))
                .hint("numbers count from 0, in the order of the videos' names")
                .into());
            }
            Selection::Again(numbers.clone())
        }
    })
}

fn options(plan: &TrackPlan) -> FilmedSampleOptions {
    let track = &plan.track;
    FilmedSampleOptions {
        resolution: [track.width, track.height],
        frame_count: track.video_length,
        fps: track.output_fps,
        tracking: plan.tracking_options(),
        qp: track.qp,
        tracking_qp: track.tracking_qp,
        encoder: encoder(&track.encoder),
        tracking_lossless: track.tracking_lossless,
        das_tracks: track.das_tracks,
    }
}

/// Videos, their prompts, and where depth is.
fn inputs(args: &TrackArgs, output: &Output) -> Result<Inputs> {
    // clap sees to it that one of them is there.
    let input = args.input.as_ref().or(args.batch.root.as_ref());
    let Some(input) = input.filter(|path| path.exists()) else {
        let shown = input.map_or_else(String::new, |path| path.display().to_string());
        return Err(UserError::new(format!("{shown} does not exist"))
            .hint("give a video, or a folder of videos")
            .into());
    };
    let videos = videos(input)?;
    if videos.is_empty() {
        return Err(UserError::new(format!("{} holds no video", input.display()))
            .hint("videos are looked for by their endings (.mp4, .mkv, .webm, .mov, …), not in subfolders")
            .into());
    }
    if let Some(depth) = args.batch.depth.as_ref().filter(|depth| !depth.exists()) {
        return Err(
            UserError::new(format!("{} does not exist", depth.display()))
                .hint("`--depth` is a file, or a folder with a file for each video")
                .into(),
        );
    }
    if args.batch.depth.is_none() {
        output.note(
            "note: without `--depth` blue and the order of dots follow a plane that rises to the horizon; \
             sample.json says so",
        );
    }
    let prompts = match &args.batch.prompts {
        Some(file) => prompts(file, &videos)?,
        None => vec![None; videos.len()],
    };
    let missing = prompts.iter().filter(|prompt| prompt.is_none()).count();
    if missing > 0 {
        output.note(format!(
            "note: {} without a prompt: a line that `diorama verify` warns of stands for it (`--prompts FILE`)",
            counted(missing as u64, "video")
        ));
    }
    Ok(Inputs {
        videos,
        prompts,
        depth: args.batch.depth.clone(),
    })
}

/// Lines `<name><TAB><prompt>`, or one for each video.
fn prompts(file: &Path, videos: &[PathBuf]) -> Result<Vec<Option<String>>> {
    let text = fs_err::read_to_string(file).context("cannot read the file of `--prompts`")?;
    let lines: Vec<&str> = text
        .lines()
        // A TAB at the end is kept: it says that the line names a video.
        .map(|line| line.trim_matches(' '))
        .filter(|line| !line.trim().is_empty())
        .collect();
    let named = lines.iter().filter(|line| line.contains('\t')).count();
    if named == 0 {
        if lines.len() != videos.len() {
            return Err(UserError::new(format!(
                "{} has {} for {}",
                file.display(),
                counted(lines.len() as u64, "line"),
                counted(videos.len() as u64, "video")
            ))
            .hint("a line for each video in the order of their names, or `<name><TAB><prompt>`")
            .into());
        }
        return Ok(lines
            .into_iter()
            .map(|line| Some(line.trim().to_owned()))
            .collect());
    }
    let mut prompts = vec![None; videos.len()];
    for line in lines {
        let (name, prompt) = line.split_once('\t').unwrap_or((line, ""));
        let is_meant = |video: &&PathBuf| {
            let whole = video.file_name().unwrap_or_default();
            let stem = video.file_stem().unwrap_or_default();
            whole == name || stem == name
        };
        if prompt.trim().is_empty() {
            return Err(
                UserError::new(format!("{}: `{name}` has no prompt", file.display()))
                    .hint("each line is `<name of the video><TAB><prompt>`")
                    .into(),
            );
        }
        // Prompts of videos that are not there are no fault: one file may serve several folders.
        let found = videos
            .iter()
            .enumerate()
            .filter(|(_, video)| is_meant(video));
        for (index, _) in found {
            prompts[index] = Some(prompt.trim().to_owned());
        }
    }
    Ok(prompts)
}

/// blake3 over names and sizes: another or a changed file makes another dataset.
fn hash(files: &[PathBuf]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        hasher.update(format!("{name}\t{size}\n").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn hash_prompts(prompts: &[Option<String>]) -> String {
    if prompts.iter().all(Option::is_none) {
        return String::new();
    }
    let mut hasher = blake3::Hasher::new();
    for prompt in prompts {
        hasher.update(format!("{}\n", prompt.as_deref().unwrap_or_default()).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Of a file, or of everything in a folder and its folders.
fn hash_depth(path: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            files.push(folder);
            continue;
        }
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(hash(&files))
}

/// A line per video: JSON on standard output, words only where something is wrong.
fn say_video(inputs: &Inputs, output: &Output, video: u64, made: Result<(), &str>) -> Result<()> {
    let name = inputs.videos[video as usize]
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    match made {
        Ok(()) => output.json(&json!({ "id": sample_id(video), "video": name, "status": "done" })),
        Err(reason) => {
            output.warning(format!("{name} failed: {reason}"));
            output.json(&json!({
                "id": sample_id(video), "video": name, "status": "failed", "reason": reason,
            }))
        }
    }
}

fn say_report(report: &Report, tally: &Tally, job: &Job, output: &Output) -> Result<Status> {
    let made = tally.made.load(std::sync::atomic::Ordering::Relaxed);
    let mut skipped = tally
        .skipped
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    // Videos side by side end in any order.
    skipped.sort_unstable();
    output.json(&json!({
        "made": made, "present": report.present, "failed": report.failed.len(),
        "left_out": skipped.iter().map(|(id, reason)| json!({ "id": id, "reason": reason })).collect::<Vec<_>>(),
        "dataset": job.output_dir,
    }))?;
    output.plain(job.output_dir.display().to_string())?;
    if made == 0 && skipped.is_empty() && report.failed.is_empty() {
        output.note("nothing to do: all videos have been worked on");
        return Ok(Status::Good);
    }
    output.note(format!(
        "{} made, {} left out, {} failed, {} done before; list: {}",
        counted(made, "clip"),
        skipped.len(),
        counted(report.failed.len() as u64, "video"),
        counted(report.present, "video"),
        job.output_dir.join("prompt.txt").display()
    ));
    for (id, reason) in &skipped {
        output.note(format!("  {id}  left out: {reason}"));
    }
    for (video, reason) in &report.failed {
        output.note(format!("  {}  {reason}", sample_id(*video)));
    }
    if report.failed.is_empty() {
        return Ok(Status::Good);
    }
    output.hint("the same command tries failed videos again, `--redo failed` no others");
    Ok(Status::SomeFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_by_line_or_by_name_and_never_blank() {
        let dir = tempfile::tempdir().unwrap();
        let videos = ["a.mp4", "b.mp4"].map(PathBuf::from);
        let read = |text: &str| {
            let file = dir.path().join("prompts.txt");
            fs_err::write(&file, text).unwrap();
            prompts(&file, &videos).map_err(|error| error.to_string())
        };
        let both = Ok(vec![Some("one".into()), Some("two".into())]);
        assert_eq!(read("one\n  two \r\n\n"), both);
        assert_eq!(read("b\ttwo\na.mp4\t one\nc\tthree\n"), both);
        assert_eq!(read("b.mp4\ttwo"), Ok(vec![None, Some("two".into())]));
        for blank in ["a.mp4\t\nb.mp4\ttwo\n", "a.mp4\t  \n", "a.mp4\t \r\n"] {
            assert!(read(blank).unwrap_err().contains("`a.mp4` has no prompt"));
        }
        assert!(read("one\n").unwrap_err().contains("1 line for 2 videos"));
    }
}
