//! The maker of `diorama track`: real clips into a Diffusion-as-Shader dataset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use diorama_flow::{Clip, CutKind, Luma, PointTracker, Query, Thumbnail, Tracks, find_cut};
use diorama_postproc::dataset::das::{
    ClipRecord, FilmedSampleOptions, FilmedSampleWriter, FinishedDasSample, PLACEHOLDER_PROMPT,
    das_sample_folder, is_complete_das,
};
use diorama_postproc::dataset::{FailedEntry, Journal, Journals};
use diorama_postproc::tracking::{ClipPainter, PointState, query_grid};
use diorama_video::{Fit, VideoError, VideoFrame};
use glam::DVec2;

use super::batch::{Failure, Ledger};
use super::footage::{Depth, Footage, Footages, NextClip};
use super::maker::sort_failure;
use crate::args::ClipRule;
use crate::plan::{Job, TrackPlan, sample_id};
use crate::progress::Progress;

/// Least share of the points that is still seen at the end of a clip that is kept.
const LEAST_ALIVE: f64 = 0.5;

/// Videos and what is known of them.
#[derive(Debug)]
pub struct Inputs {
    /// In the order of their names.
    pub videos: Vec<PathBuf>,
    /// Of each; `None`: nobody wrote one.
    pub prompts: Vec<Option<String>>,
    /// As `--depth` says.
    pub depth: Option<PathBuf>,
}

/// Makes the clips of a run. Videos may be worked on side by side.
pub struct TrackMaker<'a> {
    /// What to make.
    pub plan: &'a TrackPlan,
    /// Of which videos.
    pub inputs: &'a Inputs,
    /// Who follows points.
    pub tracker: &'a dyn PointTracker,
    /// Where it goes.
    pub job: &'a Job,
    /// What is written of each.
    pub options: FilmedSampleOptions,
    /// Ours, open and locked.
    pub journal: Mutex<Journal>,
    /// What all journals of the folder said when we began.
    pub before: Journals,
    /// Clips that are made or left out are worked on too.
    pub again: bool,
    /// Bars.
    pub progress: &'a Progress,
    /// What became of clips.
    pub tally: Tally,
}

/// What became of clips in this run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Clips made.
    pub made: AtomicU64,
    /// Clips left out, and why.
    pub skipped: Mutex<Vec<(String, String)>>,
}

/// Why there is no sample of a clip.
enum Verdict {
    Made(Box<FinishedDasSample>),
    LeftOut(String),
}

impl TrackMaker<'_> {
    /// Id of a clip of a video.
    fn clip_id(&self, video: u64, clip: u64) -> String {
        match self.plan.track.clip {
            ClipRule::First | ClipRule::Stride => sample_id(video),
            ClipRule::All => format!("{}_{clip:04}", sample_id(video)),
        }
    }

    /// Is this clip made, or left out for good?
    fn is_settled(&self, id: &str) -> bool {
        self.before.skipped.contains_key(id)
            || (self.before.done.contains_key(id)
                && is_complete_das(&das_sample_folder(&self.job.output_dir, id)))
    }

    /// Remembers a failure, under the id that the journal has once the video is done.
    pub fn note_failure(&self, video: u64, reason: &str) -> Result<()> {
        let entry = FailedEntry {
            id: match self.plan.track.clip {
                ClipRule::First | ClipRule::Stride => self.clip_id(video, 0),
                ClipRule::All => end_id(video),
            },
            seed: video,
            reason: reason.to_owned(),
            attempts: BTreeMap::new(),
        };
        Ok(self.journal().push_failed(&entry)?)
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all clips of a video that are not settled.
    pub fn make(&self, video: u64) -> Result<(), Failure> {
        self.make_clips(video).map_err(|error| {
            let is_no_tool = |cause: &(dyn std::error::Error + 'static)| {
                matches!(cause.downcast_ref(), Some(VideoError::ToolMissing { .. }))
            };
            // Without ffmpeg no video can be read; a video that cannot says nothing about the next.
            if error.chain().any(is_no_tool) {
                Failure::Batch(error)
            } else {
                sort_failure(error)
            }
        })
    }

    fn make_clips(&self, video: u64) -> Result<()> {
        let path = &self.inputs.videos[video as usize];
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut footages = Footages::open(path, &self.plan.track, None)?;
        let mut clip = 0;
        loop {
            let id = self.clip_id(video, clip);
            let wanted = self.again || !self.is_settled(&id);
            let since = Instant::now();
            self.progress.stage(&id, "decoding", 0);
            let next = footages.next_clip(wanted)?;
            if matches!(next, NextClip::End) {
                let decoded = footages.decoded();
                if clip == 0
                    && footages.is_spread()
                    && decoded >= u64::from(self.plan.track.video_length)
                {
                    // The container promised more frames than there are.
                    footages = Footages::open(path, &self.plan.track, Some(decoded))?;
                    continue;
                }
                break;
            }
            if let NextClip::Here(footage) = next {
                let verdict = self
                    .make_clip(&id, video, &name, &footage)
                    .with_context(|| name.clone())?;
                match verdict {
                    Verdict::LeftOut(reason) => self.leave_out(id, video, &name, &reason)?,
                    Verdict::Made(sample) => {
                        let secs = since.elapsed().as_millis() as f64 / 1000.0;
                        let timings = BTreeMap::from([("track".to_owned(), secs)]);
                        let entry = sample.done_entry(video, self.tracker.name(), timings);
                        self.journal().push_done(&entry)?;
                        self.tally.made.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            clip += 1;
        }
        if clip == 0 {
            let reason = format!(
                "{} frames, a clip has {}",
                footages.decoded(),
                self.plan.track.video_length
            );
            self.leave_out(self.clip_id(video, 0), video, &name, &reason)?;
        }
        if self.plan.track.clip == ClipRule::All {
            // Says for the next run how many clips there are.
            self.journal().push_skipped(&FailedEntry {
                id: end_id(video),
                seed: clip,
                reason: format!("{name}: its end was reached after {clip} clips"),
                attempts: BTreeMap::new(),
            })?;
        }
        Ok(())
    }

    fn leave_out(&self, id: String, video: u64, name: &str, reason: &str) -> Result<()> {
        let reason = format!("{name}: {reason}");
        self.journal().push_skipped(&FailedEntry {
            id: id.clone(),
            seed: video,
            reason: reason.clone(),
            attempts: BTreeMap::new(),
        })?;
        let mut skipped = self
            .tally
            .skipped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        skipped.push((id, reason));
        Ok(())
    }

    fn make_clip(&self, id: &str, video: u64, name: &str, footage: &Footage) -> Result<Verdict> {
        let choices = &self.plan.track;
        let path = &self.inputs.videos[video as usize];
        let clip = &footage.clip;
        let thumbnail = |frame: &Vec<u8>| {
            Thumbnail::of(&Luma::of_rgb(
                clip.width as usize,
                clip.height as usize,
                frame,
            ))
        };
        let own = clip.frames.iter().map(thumbnail);
        let (before, after) = (&footage.before, &footage.after);
        let shown = before.len()..before.len() + clip.frames.len();
        let pictures: Vec<Thumbnail> = before
            .iter()
            .cloned()
            .chain(own)
            .chain(after.iter().cloned())
            .collect();
        if let Some(cut) = find_cut(&pictures, shown.clone()) {
            // With frames before the clip there are none left out.
            let frame = footage.first_frame + cut.frame as u64 * footage.frame_step;
            let frame = frame.saturating_sub(shown.start as u64);
            return Ok(Verdict::LeftOut(match cut.kind {
                CutKind::Hard => format!("there is a cut before frame {frame}"),
                CutKind::Dissolve => format!("there is a dissolve about frame {frame}"),
                CutKind::Fade => format!("it fades to another shot at frame {frame}"),
                CutKind::Wipe => format!("there is a wipe about frame {frame}"),
            }));
        }
        // Depth first: files that do not fit are found before the work.
        let mut depth = Depth::open(self.inputs.depth.as_deref(), path, choices)?;
        let positions = query_grid([choices.width, choices.height], choices.grid_size);
        let places: Vec<[f64; 2]> = positions.iter().map(DVec2::to_array).collect();
        let query_frame = choices.query_frame;
        let mut depths = depth.at(footage, u64::from(query_frame), &places)?;
        fill_unknown(&mut depths);
        let painter = ClipPainter::new(
            [choices.width, choices.height],
            &self.options.tracking,
            query_frame,
            &depths,
        )?;
        self.progress
            .stage(id, "tracking", u64::from(choices.video_length) - 1);
        let tracks = self.follow(clip, &positions)?;
        let alive = tracks.visible_share(clip.frames.len() - 1);
        if alive < LEAST_ALIVE {
            return Ok(Verdict::LeftOut(format!(
                "{:.0} % of the points are still seen at the end, fewer than {:.0} %",
                100.0 * alive,
                100.0 * LEAST_ALIVE
            )));
        }
        self.progress
            .stage(id, "writing", u64::from(choices.video_length));
        let mut writer = FilmedSampleWriter::new(&self.job.output_dir, id, painter, &self.options)?;
        for (index, rgb) in clip.frames.iter().enumerate() {
            let states = self.states(&tracks, index, &mut depth, footage, &mut depths)?;
            writer.push(rgb, &states)?;
            self.progress.frame();
        }
        let prompt = self.inputs.prompts[video as usize].as_deref();
        let record = ClipRecord {
            source: name.to_owned(),
            source_resolution: footage.source_resolution,
            first_frame: footage.first_frame,
            frame_step: footage.frame_step,
            window: footage.fit.window(),
            tracker: self.tracker.name(),
            query_frame,
            depth: depth.in_words(),
            prompt_is_placeholder: prompt.is_none(),
        };
        let sample = writer.finish(prompt.unwrap_or(PLACEHOLDER_PROMPT), record)?;
        Ok(Verdict::Made(Box::new(sample)))
    }

    /// Tracks of the grid, on pictures as small as asked for.
    fn follow(&self, clip: &Clip, positions: &[DVec2]) -> Result<Tracks> {
        let choices = &self.plan.track;
        let side = |side: u32| ((f64::from(side) * choices.downsample).round() as u32).max(16);
        let size = [side(clip.width), side(clip.height)];
        let scale = DVec2::new(
            f64::from(size[0]) / f64::from(clip.width),
            f64::from(size[1]) / f64::from(clip.height),
        );
        let queries: Vec<Query> = positions
            .iter()
            .map(|position| Query {
                frame: choices.query_frame,
                position: *position * scale,
            })
            .collect();
        let done = || self.progress.frame();
        if size == [clip.width, clip.height] {
            return Ok(self.tracker.track(clip, &queries, &done)?);
        }
        let fit = Fit::cover([clip.width, clip.height], None, size);
        let small = clip.frames.iter().filter_map(|frame| {
            fit.apply(&VideoFrame {
                width: clip.width,
                height: clip.height,
                data: frame.clone(),
            })
        });
        let small = Clip {
            width: size[0],
            height: size[1],
            frames: small.collect(),
        };
        let mut tracks = self.tracker.track(&small, &queries, &done)?;
        for position in &mut tracks.positions {
            *position /= scale;
        }
        Ok(tracks)
    }

    /// Where the points are in one frame, and how deep: by the files where they are seen, else as deep as
    /// they were last.
    fn states(
        &self,
        tracks: &Tracks,
        frame: usize,
        depth: &mut Depth,
        footage: &Footage,
        depths: &mut [f64],
    ) -> Result<Vec<PointState>> {
        let choices = &self.plan.track;
        let is_before = (frame as u64) < u64::from(choices.query_frame);
        let range = tracks.frame(frame);
        let positions = &tracks.positions[range.clone()];
        if matches!(depth, Depth::Given { .. }) {
            let places: Vec<[f64; 2]> = positions.iter().map(DVec2::to_array).collect();
            let now = depth.at(footage, frame as u64, &places)?;
            for ((z, now), index) in depths.iter_mut().zip(now).zip(range.clone()) {
                if tracks.visible[index] && now.is_finite() {
                    *z = now;
                }
            }
        }
        let state = |(position, depth): (&DVec2, &f64), index: usize| PointState {
            position: *position,
            depth: *depth,
            is_visible: tracks.visible[index],
            confidence: f64::from(tracks.confidence[index]),
            ..PointState::default()
        };
        // Without `--backward` nothing is known before the queries.
        let is_unknown = is_before && !choices.backward;
        Ok(positions
            .iter()
            .zip(depths.iter())
            .zip(range)
            .map(|(of, index)| {
                if is_unknown {
                    PointState {
                        confidence: 0.0,
                        ..PointState::default()
                    }
                } else {
                    state(of, index)
                }
            })
            .collect())
    }
}

impl Ledger for TrackMaker<'_> {
    /// Of `--clip all` the end of a video is known only where it was reached.
    fn is_done(&self, video: u64) -> bool {
        match self.plan.track.clip {
            ClipRule::First | ClipRule::Stride => self.is_settled(&self.clip_id(video, 0)),
            ClipRule::All => {
                let end = end_id(video);
                let Some(end) = self.before.skipped.get(&end) else {
                    return false;
                };
                (0..end.seed).all(|clip| self.is_settled(&self.clip_id(video, clip)))
            }
        }
    }

    fn failed(&self) -> Vec<u64> {
        self.before.failed_seeds()
    }

    fn record_failure(&mut self, video: u64, reason: &str) -> Result<()> {
        self.note_failure(video, reason)
    }
}

/// What stands in the journal for the end of a video.
fn end_id(video: u64) -> String {
    format!("{}_end", sample_id(video))
}

/// Points whose depth nobody knows are as deep as the middle of the others; all alike where none is known.
fn fill_unknown(depths: &mut [f64]) {
    let mut known: Vec<f64> = depths.iter().copied().filter(|z| z.is_finite()).collect();
    known.sort_unstable_by(f64::total_cmp);
    let middle = known.get(known.len() / 2).copied().unwrap_or(1.0);
    for depth in depths.iter_mut().filter(|z| !z.is_finite()) {
        *depth = middle;
    }
}

/// The videos of a folder, or the one that `input` is, by their names.
pub fn videos(input: &Path) -> Result<Vec<PathBuf>> {
    /// Endings of files that are taken for videos.
    const VIDEOS: [&str; 14] = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "flv", "wmv", "ogv", "gif",
        "mxf",
    ];
    if !input.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let mut videos = Vec::new();
    for entry in fs_err::read_dir(input)? {
        let path = entry?.path();
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !is_hidden && ending.is_some_and(|e| VIDEOS.contains(&e.as_str())) {
            videos.push(path);
        }
    }
    videos.sort_unstable();
    Ok(videos)
}
