//! Frames of finished samples once more, by the settings that their sample.json keeps.

use std::collections::BTreeMap;

use diorama_postproc::SampleJson;
use diorama_postproc::tracking::SurfaceVisibility;
use diorama_postproc::verify::Reshoot;
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::Shot;
use serde::Deserialize as _;

use crate::backend::{Backend, BackendSetting};
use crate::exit::in_words;
use crate::job::Eyes;
use crate::output::Output;
use crate::plan::PicturePlan;
use crate::shelf::Shelf;

/// Keeps the renderer of the sample at hand.
pub(super) struct Darkroom<'a> {
    shelf: &'a Shelf,
    output: &'a Output,
    /// The Shot's sample id, and its renderer.
    at_hand: Option<(String, Renderer)>,
}

fn reason(error: impl Into<anyhow::Error>) -> String {
    in_words(&error.into())
}

impl<'a> Darkroom<'a> {
    pub(super) fn new(shelf: &'a Shelf, output: &'a Output) -> Self {
        Self {
            shelf,
            output,
            at_hand: None,
        }
    }

    /// A frame of a removal sample.
    pub(super) fn pair(
        &mut self,
        shot: &Shot,
        sample: &SampleJson,
        index: u32,
    ) -> Result<Frame, String> {
        let known = self.at_hand.as_ref().map(|(id, _)| id.as_str());
        if known != Some(&sample.id) {
            self.turn_to(&sample.id, shot, &sample.render)?;
        }
        self.frame(index)
    }

    fn turn_to(
        &mut self,
        id: &str,
        shot: &Shot,
        render: &BTreeMap<String, serde_json::Value>,
    ) -> Result<(), String> {
        // The old one first: two would take twice the memory.
        self.at_hand = None;
        let settings = settings(render, self.output)?;
        let renderer = Renderer::new(shot, self.shelf, settings).map_err(reason)?;
        self.at_hand = Some((id.to_owned(), renderer));
        Ok(())
    }

    fn renderer(&self) -> Result<&Renderer, String> {
        let renderer = self.at_hand.as_ref().map(|(_, renderer)| renderer);
        renderer.ok_or_else(|| "no sample is open".to_owned())
    }
}

impl Reshoot for Darkroom<'_> {
    fn open(
        &mut self,
        shot: &Shot,
        render: &BTreeMap<String, serde_json::Value>,
    ) -> Result<ShotGeometry, String> {
        self.turn_to(&shot.sample_id, shot, render)?;
        let shot = self.renderer()?.shot().clone();
        ShotGeometry::new(shot, self.shelf).map_err(reason)
    }

    fn labels(&mut self, index: u32) -> Result<Frame, String> {
        Ok(self.renderer()?.label_frame(index))
    }

    fn frame(&mut self, index: u32) -> Result<Frame, String> {
        self.renderer()?.render_frame(index).map_err(reason)
    }

    fn eyes(&self) -> Result<Box<dyn SurfaceVisibility + '_>, String> {
        Ok(Box::new(Eyes::new(self.renderer()?)))
    }
}

/// The renderer's settings as sample.json keeps them.
fn settings(
    stored: &BTreeMap<String, serde_json::Value>,
    output: &Output,
) -> Result<RenderSettings, String> {
    let stored = stored.clone().into_iter().collect();
    let picture = PicturePlan::deserialize(serde_json::Value::Object(stored))
        .map_err(|error| format!("`render` of sample.json: {error}"))?;
    // Samples without the word are older than the choice.
    let backend = match &picture.backend {
        BackendSetting::Auto => Backend::cpu(),
        made_with => Backend::resolve(made_with, output).map_err(|error| {
            format!("the sample was made with `--backend {made_with}`: {error}")
        })?,
    };
    Ok(RenderSettings {
        gpu: backend.gpu,
        ..picture.render_settings()
    })
}
