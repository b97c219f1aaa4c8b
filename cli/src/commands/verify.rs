//! `diorama verify`: measures finished samples against the laws they promise.

use std::collections::BTreeMap;

use anyhow::Result;
use diorama_assets::Library;
use diorama_postproc::SampleJson;
use diorama_postproc::dataset::das::is_das_dataset;
use diorama_postproc::verify::{Report, Rerender, VerifyOptions, verify, verify_das};
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;
use diorama_synth::shot::Shot;
use serde::Deserialize as _;

use crate::args::VerifyArgs;
use crate::backend::{Backend, BackendSetting};
use crate::exit::{Status, UserError};
use crate::output::Output;
use crate::plan::PicturePlan;
use crate::progress::Progress;

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, output: &Output) -> Result<Status> {
    let (library, _) = super::open_library(&args.assets, output)?;
    let options = VerifyOptions {
        frames_per_sample: args.frames,
        ..VerifyOptions::default()
    };
    let mut good = true;
    for dir in &args.dirs {
        if !dir.is_dir() {
            return Err(UserError::new(format!("{} is not a folder", dir.display()))
                .hint("give a dataset folder, or the folder of one sample")
                .into());
        }
        let progress = Progress::new(output, 0, 0);
        let mut darkroom = Darkroom {
            library: &library,
            output,
            at_hand: None,
        };
        let mut rerender =
            |shot: &Shot, sample: &SampleJson, index: u32| darkroom.frame(shot, sample, index);
        let rerender: Option<&mut Rerender<'_>> = if args.no_render {
            None
        } else {
            Some(&mut rerender)
        };
        let mut sample_done = |_: usize, total: usize| {
            progress.expect(total as u64);
            progress.sample();
        };
        let report = if is_das_dataset(dir) {
            verify_das(dir, &options, &mut sample_done)?
        } else {
            verify(dir, &options, rerender, &mut sample_done)?
        };
        progress.finish();
        good &= report.is_good();
        say(&report, output)?;
    }
    Ok(if good {
        Status::Good
    } else {
        Status::SomeFailed
    })
}

fn say(report: &Report, output: &Output) -> Result<()> {
    output.json(report)?;
    output.plain(report.to_string().trim_end())
}

/// Renders single frames again, keeping the renderer of the sample at hand.
struct Darkroom<'a> {
    library: &'a Library,
    output: &'a Output,
    at_hand: Option<(String, Renderer)>,
}

impl Darkroom<'_> {
    fn frame(&mut self, shot: &Shot, sample: &SampleJson, index: u32) -> Result<Frame, String> {
        let reason = |error: diorama_render::RenderError| error.to_string();
        let renderer = match self.at_hand.take() {
            Some((id, renderer)) if id == sample.id => renderer,
            _ => {
                let settings = settings(&sample.render, self.output)?;
                Renderer::new(shot, self.library, settings).map_err(reason)?
            }
        };
        let frame = renderer.render_frame(index).map_err(reason);
        self.at_hand = Some((sample.id.clone(), renderer));
        frame
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
