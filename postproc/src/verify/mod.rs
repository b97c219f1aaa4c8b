//! Measures a finished dataset against the laws it must keep.
//!
//! Files, hashes, JSON and captions are read; videos are decoded whole (through ffmpeg); some frames
//! are rendered again from shot.json, where the caller can, for the laws that need linear radiance
//! and ids. Samples without sample.json, made by another tool, are measured too: what they show is
//! reported, and only what every reader relies on (counts, sizes, decoding) is a fault.

mod das;
mod das_own;
mod das_rendered;
mod files;
mod flow;
mod levels;
mod rendered;
mod report;
mod videos;

use std::path::Path;

use diorama_synth::frame::Frame;
use diorama_synth::shot::Shot;
use diorama_video::ReadOptions;

pub use das::{das_laws, verify_das};
pub use das_rendered::Reshoot;
use report::SampleFindings;
pub use report::{Fault, Law, LawResult, Report, laws};

use crate::dataset::{read_journals, sample_folders};
use crate::error::{PostprocError, Result};
use crate::sample_json::SampleJson;

/// Renders frame `index` of a Shot again with the settings in sample.json (`render`), or says why
/// it cannot. Frames of one sample are asked for in ascending order, one sample after another.
pub type Rerender<'a> =
    dyn FnMut(&Shot, &SampleJson, u32) -> std::result::Result<Frame, String> + 'a;

/// How to verify.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// Frames of each sample to render again (default 2: neighbours, so that flow can be followed).
    pub frames_per_sample: u32,
    /// How to decode.
    pub read: ReadOptions,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            frames_per_sample: 2,
            read: ReadOptions::default(),
        }
    }
}

/// Verifies every sample of a dataset folder (or the one sample that the folder is).
///
/// `rerender`: see [`Rerender`]; `None` leaves out the laws that need it. `sample_done` is told the
/// number of samples looked at and their total after each.
///
/// # Errors
/// When the folder cannot be listed or holds no sample, a journal is damaged, or ffmpeg is missing.
/// What is wrong with samples is in the report.
pub fn verify(
    dataset: &Path,
    options: &VerifyOptions,
    mut rerender: Option<&mut Rerender<'_>>,
    sample_done: &mut dyn FnMut(usize, usize),
) -> Result<Report> {
    let folders = sample_folders(dataset)?;
    if folders.is_empty() {
        return Err(PostprocError::Option {
            option: "verify",
            reason: format!("{} holds no sample", dataset.display()),
        });
    }
    let journals = read_journals(dataset)?;
    let mut report = Report::default();
    let mut unseen = journals.done.clone();
    for (index, folder) in folders.iter().enumerate() {
        let name = sample_name(folder);
        let mut findings = SampleFindings::new(name.clone());
        report.samples += 1;
        let mut expected = std::collections::BTreeMap::new();
        let mut sample = None;
        if folder.join("sample.json").exists() {
            sample = files::read_sample(folder, &mut findings);
            let shot = files::read_shot(folder, &mut findings);
            if let Some(sample) = &sample {
                let journal = unseen.remove(&sample.id);
                files::check_files(folder, sample, journal.as_ref(), &mut findings);
                files::check_captions(folder, sample, &mut findings);
                if let Some(shot) = shot
                    && let Some(tuple) = files::check_sample(&shot, sample, &mut findings)
                    && let Some(rerender) = rerender.as_deref_mut()
                {
                    let count = options.frames_per_sample;
                    expected =
                        rendered::check(&shot, &tuple, sample, count, rerender, &mut findings);
                    report.rendered += expected.len() as u64;
                }
            } else {
                unseen.remove(&name);
            }
        } else {
            report.foreign += 1;
        }
        report.frames += videos::check(
            folder,
            sample.as_ref(),
            &expected,
            &options.read,
            &mut findings,
        )?;
        report.add(findings);
        sample_done(index + 1, folders.len());
    }
    // What the journal calls done must be there.
    for id in unseen.keys() {
        let mut findings = SampleFindings::new(id.clone());
        findings.check(
            laws::FILES,
            Some("the journal calls it done, but its folder is gone".into()),
        );
        report.add(findings);
    }
    Ok(report)
}

fn sample_name(folder: &Path) -> String {
    let named = if folder.file_name().is_some() {
        folder.to_owned()
    } else {
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    };
    named.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests;
