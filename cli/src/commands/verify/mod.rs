//! `diorama verify`: measures finished samples against the laws they promise.

mod darkroom;

use std::path::Path;

use anyhow::Result;
use diorama_assets::workspace::is_character;
use diorama_postproc::SampleJson;
use diorama_postproc::dataset::das::{das_sample_folder, das_sample_ids, is_das_dataset};
use diorama_postproc::verify::{Report, Rerender, Reshoot, VerifyOptions, verify, verify_das};
use diorama_synth::shot::Shot;

use self::darkroom::Darkroom;
use crate::args::{AssetArgs, VerifyArgs};
use crate::exit::{Status, UserError};
use crate::output::Output;
use crate::progress::Progress;
use crate::shelf::Shelf;

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, output: &Output) -> Result<Status> {
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
        let shelf = Shelf::open(&assets_of(dir, &args.assets), output)?;
        if !args.no_render && shelf.workspace.is_none() {
            refuse_without_characters(dir)?;
        }
        let progress = Progress::new(output, 0, 0);
        let mut darkroom = Darkroom::new(&shelf, output);
        let mut pairs = Darkroom::new(&shelf, output);
        let mut rerender =
            |shot: &Shot, sample: &SampleJson, index: u32| pairs.pair(shot, sample, index);
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
            let reshoot: Option<&mut dyn Reshoot> = if args.no_render {
                None
            } else {
                Some(&mut darkroom)
            };
            verify_das(dir, &options, reshoot, &mut sample_done)?
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

/// Refuses a dataset whose first clip shows a character from a file: without its workspace every clip would fail.
fn refuse_without_characters(dataset: &Path) -> Result<()> {
    let Some(id) = das_sample_ids(dataset)?.into_iter().next() else {
        return Ok(());
    };
    let path = das_sample_folder(dataset, &id).join("sample.json");
    let sample: serde_json::Value = match fs_err::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
        // What is missing is for the laws to say.
        Err(_) => return Ok(()),
    };
    let assets = sample["assets"].as_array().into_iter().flatten();
    let mut ids = assets.filter_map(|asset| asset["id"].as_str());
    match ids.find(|id| is_character(id)) {
        None => Ok(()),
        Some(id) => Err(UserError::new(format!(
            "{} shows `{id}` of a workspace that is not known",
            dataset.display()
        ))
        .hint(
            "give the workspace as `--base-path`, or `--no-render` to leave out what renders again",
        )
        .into()),
    }
}

/// Assets of a dataset: where nobody says, a dataset inside a workspace is of its characters.
fn assets_of(dataset: &Path, given: &AssetArgs) -> AssetArgs {
    let mut assets = given.clone();
    if assets.base_path.is_none() {
        let outside = dataset.canonicalize().ok();
        let outside = outside.as_deref().and_then(Path::parent);
        assets.base_path = outside
            .filter(|base| base.join("raw").is_dir())
            .map(Path::to_owned);
    }
    assets
}

fn say(report: &Report, output: &Output) -> Result<()> {
    output.json(report)?;
    output.plain(report.to_string().trim_end())
}
