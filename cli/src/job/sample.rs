//! One seed → one Shot → finished samples.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use diorama_assets::AssetSource;
use diorama_postproc::{
    FinishedSample, Layout, ObjectBounds, PairKind, SampleOptions, SampleWriter,
};
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::draw::{DrawError, draw_shot};
use diorama_synth::physics::PieceStore;
use diorama_synth::recipe;
use diorama_synth::shot::{Exposure, Shot};
use diorama_video::Encoder;

use super::measure::measure;
use super::pipeline::stream;
use crate::backend::Backend;
use crate::plan::{Plan, sample_id};
use crate::shelf::Shelf;

/// What every sample of a run needs.
pub struct Studio<'a> {
    /// What to make.
    pub plan: &'a Plan,
    /// What to make it of.
    pub shelf: &'a Shelf,
    /// Where light is traced.
    pub backend: Backend,
    /// Collision shapes, made once.
    pub pieces: &'a PieceStore,
}

/// Finished samples of one seed, and how long the stages took.
pub struct Made {
    /// One per tuple.
    pub samples: Vec<FinishedSample>,
    /// Wall-clock seconds by stage.
    pub timings: BTreeMap<String, f64>,
}

/// Wall-clock seconds by stage.
#[derive(Debug)]
struct Stages {
    since: Instant,
    timings: BTreeMap<String, f64>,
}

impl Stages {
    fn start() -> Self {
        Self {
            since: Instant::now(),
            timings: BTreeMap::new(),
        }
    }

    /// The stage that began with the last call ends here.
    fn end(&mut self, stage: &str) {
        let now = Instant::now();
        // Milliseconds: more digits only make the journal long.
        let secs = (now - self.since).as_millis() as f64 / 1000.0;
        self.timings.insert(stage.into(), secs);
        self.since = now;
    }
}

impl Studio<'_> {
    /// The accepted Shot of a seed. Its exposure is still `Auto` unless the plan names stops.
    pub fn draw(&self, seed: u64) -> Result<Shot, DrawError> {
        let recipe = &self.plan.recipe;
        draw_shot(
            recipe,
            seed,
            &sample_id(seed),
            self.shelf,
            self.pieces,
            &mut |shot| {
                let through_glass = self.plan.output.mask_through_glass;
                measure(shot, recipe, through_glass, self.shelf).map_err(Into::into)
            },
        )
    }

    /// Renders a Shot into finished sample folders under `output`. `frame_done` is called after each
    /// frame is written, from another thread.
    pub fn film(
        &self,
        shot: Shot,
        output: &Path,
        options: &SampleOptions,
        frame_done: &(dyn Fn() + Sync),
    ) -> Result<Made> {
        let mut stages = Stages::start();
        let mut renderer = Renderer::new(&shot, self.shelf, self.render_settings())?;
        drop(shot);
        stages.end("build");
        let first = renderer.render_frame(0)?;
        if matches!(renderer.shot().exposure, Exposure::Auto) {
            // One number for the whole clip, stored in the Shot. The first frame has been shown with
            // it already.
            let ev = Renderer::automatic_exposure(&first);
            renderer.set_exposure(ev);
        }
        // One copy for renderer and writer: that of a long clip is large.
        let shot = renderer.shot().clone();
        let options = SampleOptions {
            bounds: bounds(&shot, self.shelf)?,
            ..options.clone()
        };
        let mut writer = SampleWriter::begin(output, shot.clone(), &options)?;
        let mut first = Some(first);
        stream(
            shot.frame_count,
            |index| match first.take() {
                Some(frame) => Ok(frame),
                None => Ok(renderer.render_frame(index)?),
            },
            |frame| {
                writer.push(&frame)?;
                frame_done();
                Ok(())
            },
        )?;
        stages.end("render");
        let samples = writer.finish()?;
        stages.end("finish");
        Ok(Made {
            samples,
            timings: stages.timings,
        })
    }

    /// How frames are rendered, and on what.
    pub fn render_settings(&self) -> RenderSettings {
        RenderSettings {
            gpu: self.backend.gpu.clone(),
            ..self.plan.picture.render_settings()
        }
    }

    /// What to write of each sample.
    pub fn sample_options(&self, layout: Layout) -> SampleOptions {
        let Plan {
            picture,
            output,
            recipe,
            ..
        } = self.plan;
        SampleOptions {
            layout,
            pair: match recipe.pair {
                recipe::PairKind::Effect => PairKind::Effect,
                recipe::PairKind::Counterfactual => PairKind::Counterfactual,
            },
            mask: self.plan.mask_options(),
            qp: output.qp,
            encoder: encoder(&output.encoder),
            frames_png: output.frames == "png",
            passes: output.passes.clone(),
            layers: recipe.layers == recipe::Layers::Object,
            bounds: ObjectBounds::new(),
            render: picture.record(),
        }
    }
}

/// `builtin` or `ffmpeg[:ARGS]`; the plan has checked which.
pub fn encoder(text: &str) -> Encoder {
    match text.strip_prefix("ffmpeg") {
        None => Encoder::Embedded,
        Some(rest) => Encoder::Ffmpeg {
            args: rest
                .trim_start_matches(':')
                .split_whitespace()
                .map(String::from)
                .collect(),
            program: None,
        },
    }
}

/// Corners of every object's mesh over the clip, by object id.
fn bounds(shot: &Shot, assets: &dyn AssetSource) -> Result<ObjectBounds> {
    let mut bounds = ObjectBounds::new();
    for object in &shot.objects {
        let model = assets.model(&object.asset)?;
        let own = match &object.body {
            None => model
                .meshes
                .get(object.mesh as usize)
                .and_then(|mesh| mesh.bounds()),
            // At rest arms are spread as they never are in the clip.
            Some(body) => body
                .values()
                .iter()
                .filter_map(|pose| model.posed(object.mesh as usize, pose).bounds())
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
        };
        if let Some((low, high)) = own {
            bounds.insert(object.id, [low, high]);
        }
    }
    Ok(bounds)
}
