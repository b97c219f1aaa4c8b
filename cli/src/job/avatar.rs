//! The [`Maker`] of `diorama avatar`: clips of characters into a Diffusion-as-Shader dataset.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use diorama_assets::Workspace;
use diorama_postproc::dataset::das::{
    DasSampleOptions, DasSampleWriter, FinishedDasSample, das_sample_folder, is_complete_das,
};
use diorama_postproc::dataset::{FailedEntry, Journal, Journals};
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::avatar::{Performance, das_prompt, draw_avatar, prompt};
use diorama_synth::frame::Frame;
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::physics::PieceStore;
use diorama_synth::shot::Shot;
use diorama_synth::stream::Stream;

use super::batch::{Failure, Ledger, Maker};
use super::eyes::Eyes;
use super::maker::sort_failure;
use super::pipeline::{stream, stream_two};
use crate::backend::Backend;
use crate::plan::{AvatarPlan, Job, sample_id};
use crate::progress::Progress;

/// Who does what in each clip.
pub struct Casting<'a> {
    /// Where they come from.
    pub workspace: &'a Workspace,
    /// Every character with every motion, in order.
    pairs: Vec<Performance>,
    /// Pairs are drawn with this seed; `None`: clip k is pair k.
    drawn: Option<u64>,
}

impl<'a> Casting<'a> {
    /// See the fields.
    pub fn new(workspace: &'a Workspace, drawn: Option<u64>) -> Self {
        let pairs = workspace
            .characters()
            .iter()
            .flat_map(|character| {
                character.motions.iter().map(|motion| Performance {
                    character: character.id.clone(),
                    name: character.name.clone(),
                    motion: motion.clone(),
                })
            })
            .collect();
        Self {
            workspace,
            pairs,
            drawn,
        }
    }

    /// How many different clips there are.
    pub fn pairs(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// The Shot of clip `index`.
    pub fn draw(&self, plan: &AvatarPlan, index: u64, pieces: &PieceStore) -> Result<Shot> {
        Ok(draw_avatar(
            &plan.recipe,
            plan.seed,
            &sample_id(index),
            self.performance(index),
            self.workspace,
            pieces,
        )?)
    }

    /// Of clip `index`.
    pub fn performance(&self, index: u64) -> &Performance {
        let count = self.pairs.len() as u64;
        let pair = match self.drawn {
            None => index % count,
            Some(seed) => Stream::new(seed, &sample_id(index), "casting").below(count),
        };
        &self.pairs[pair as usize]
    }
}

/// Makes the samples of a run.
pub struct AvatarMaker<'a> {
    /// What to make.
    pub plan: &'a AvatarPlan,
    /// Of whom.
    pub casting: Casting<'a>,
    /// Collision shapes of props, made once.
    pub pieces: &'a PieceStore,
    /// Where light is traced.
    pub backend: Backend,
    /// Where it goes.
    pub job: &'a Job,
    /// What is written of each.
    pub options: DasSampleOptions,
    /// Ours, open and locked.
    pub journal: Journal,
    /// What all journals of the folder said when we began.
    pub before: Journals,
    /// Bars.
    pub progress: &'a Progress,
}

impl AvatarMaker<'_> {
    fn make_sample(&mut self, index: u64) -> Result<(FinishedDasSample, BTreeMap<String, f64>)> {
        let id = sample_id(index);
        let mut timings = BTreeMap::new();
        let mut since = Instant::now();
        let mut stage = |name: &str| {
            let secs = since.elapsed().as_millis() as f64 / 1000.0;
            timings.insert(name.to_owned(), secs);
            since = Instant::now();
        };
        self.progress.stage(&id, "posing", 0);
        let shot = self.casting.draw(self.plan, index, self.pieces)?;
        stage("draw");
        self.progress
            .stage(&id, "rendering", u64::from(shot.frame_count));
        let sample = self.film(&id, shot, &mut stage)?;
        Ok((sample, timings))
    }

    fn film(&self, id: &str, shot: Shot, stage: &mut dyn FnMut(&str)) -> Result<FinishedDasSample> {
        let workspace = self.casting.workspace;
        let settings = RenderSettings {
            gpu: self.backend.gpu.clone(),
            // Tracks come from surface points: nobody asks for flow.
            full_labels: false,
            ..self.plan.picture.render_settings()
        };
        let renderer = Renderer::new(&shot, workspace, settings)?;
        // One copy for renderer, geometry and writer: that of a long clip is large.
        drop(shot);
        let shot = renderer.shot();
        let geometry = ShotGeometry::new(shot.clone(), workspace)?;
        let dataset: &Path = &self.job.output_dir;
        let mut writer = DasSampleWriter::new(dataset, id, geometry, &self.options)?;
        let eyes = Eyes::new(&renderer);
        stage("build");
        let render = |index| Ok(renderer.render_frame(index)?);
        let write = |frame: Frame| {
            writer.push(&frame, &eyes)?;
            self.progress.frame();
            Ok(())
        };
        // A GPU does one thing at a time.
        if self.backend.gpu.is_some() {
            stream(shot.frame_count, render, write)?;
        } else {
            stream_two(shot.frame_count, render, write)?;
        }
        stage("render");
        let line = if self.plan.output.prompt_style == "das" {
            das_prompt(shot)
        } else {
            prompt(shot)
        };
        let sample = writer.finish(&line)?;
        stage("finish");
        Ok(sample)
    }
}

impl Maker for AvatarMaker<'_> {
    fn make(&mut self, index: u64) -> Result<(), Failure> {
        let (sample, timings) = self.make_sample(index).map_err(sort_failure)?;
        let entry = sample.done_entry(index, self.backend.setting.to_string(), timings);
        // A journal that cannot be written concerns every sample.
        self.journal
            .push_done(&entry)
            .map_err(|error| Failure::Batch(error.into()))
    }
}

impl Ledger for AvatarMaker<'_> {
    fn is_done(&self, index: u64) -> bool {
        let id = sample_id(index);
        self.before.done.contains_key(&id)
            && is_complete_das(&das_sample_folder(&self.job.output_dir, &id))
    }

    fn failed(&self) -> Vec<u64> {
        self.before.failed_seeds()
    }

    fn record_failure(&mut self, index: u64, reason: &str) -> Result<()> {
        self.journal.push_failed(&FailedEntry {
            id: sample_id(index),
            seed: index,
            reason: reason.to_owned(),
            attempts: BTreeMap::new(),
        })?;
        Ok(())
    }
}
