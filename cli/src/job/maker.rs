//! The real [`Maker`] and [`Ledger`]: samples into a folder, lines into its journals.

use std::collections::BTreeMap;

use anyhow::Result;
use diorama_postproc::PostprocError;
use diorama_postproc::dataset::{DoneEntry, FailedEntry, Journal, Journals, is_complete};
use diorama_postproc::sample::SampleOptions;
use diorama_render::RenderError;
use diorama_synth::draw::DrawError;

use super::batch::{Failure, Ledger, Maker};
use super::sample::{Made, Studio};
use crate::exit::in_words;
use crate::plan::{Job, sample_id};
use crate::progress::Progress;

/// Makes the samples of a `diorama removal` run.
pub struct RemovalMaker<'a> {
    /// What samples are made with.
    pub studio: Studio<'a>,
    /// Where they go.
    pub job: &'a Job,
    /// What is written of each.
    pub options: SampleOptions,
    /// Ours, open and locked.
    pub journal: Journal,
    /// What all journals of the folder said when we began.
    pub before: Journals,
    /// Bars.
    pub progress: &'a Progress,
    /// Rejected attempts of the sample that failed last.
    pub rejected: BTreeMap<String, u32>,
}

impl RemovalMaker<'_> {
    fn make_sample(&mut self, seed: u64) -> Result<Made> {
        let id = sample_id(seed);
        self.progress.stage(&id, "placing", 0);
        let drawn = std::time::Instant::now();
        let shot = self.studio.draw(seed)?;
        let draw_secs = drawn.elapsed().as_millis() as f64 / 1000.0;
        let frames = u64::from(shot.frame_count);
        self.progress.stage(&id, "rendering", frames);
        let mut made = self
            .studio
            .film(shot, &self.job.output_dir, &self.options, &|| {
                self.progress.frame();
            })?;
        made.timings.insert("draw".into(), draw_secs);
        Ok(made)
    }

    fn remember(&mut self, seed: u64, made: Made) -> Result<()> {
        // The first tuple's line comes last: when it is there, all are.
        for sample in made.samples.into_iter().rev() {
            self.journal.push_done(&DoneEntry {
                id: sample.id,
                seed,
                backend: self.studio.backend.setting.to_string(),
                files: sample.files,
                quality: sample.quality,
                timings: made.timings.clone(),
            })?;
        }
        Ok(())
    }
}

impl Maker for RemovalMaker<'_> {
    fn make(&mut self, seed: u64) -> Result<(), Failure> {
        self.rejected.clear();
        match self.make_sample(seed) {
            // A journal that cannot be written concerns every sample.
            Ok(made) => self.remember(seed, made).map_err(Failure::Batch),
            Err(error) => {
                if let Some(DrawError::Exhausted { rejected, .. }) = error.downcast_ref() {
                    self.rejected.clone_from(rejected);
                }
                Err(sort_failure(error))
            }
        }
    }
}

impl Ledger for RemovalMaker<'_> {
    fn is_done(&self, seed: u64) -> bool {
        let id = sample_id(seed);
        let folder = if self.job.flat {
            self.job.output_dir.clone()
        } else {
            self.job.output_dir.join(&id)
        };
        self.before.done.contains_key(&id) && is_complete(&folder)
    }

    fn failed(&self) -> Vec<u64> {
        self.before.failed_seeds()
    }

    fn record_failure(&mut self, seed: u64, reason: &str) -> Result<()> {
        self.journal.push_failed(&FailedEntry {
            id: sample_id(seed),
            seed,
            reason: reason.to_owned(),
            attempts: std::mem::take(&mut self.rejected),
        })?;
        Ok(())
    }
}

/// Does this error concern one sample (a bad asset, no usable Shot), or would it hit every other one
/// too (a flag that cannot be obeyed, a full disk)?
pub(super) fn sort_failure(error: anyhow::Error) -> Failure {
    let hits_all =
        error.chain().any(|cause| {
            cause.downcast_ref::<DrawError>().is_some_and(|error| {
                matches!(error, DrawError::Recipe(_) | DrawError::Empty { .. })
            }) || cause.downcast_ref::<RenderError>().is_some_and(|error| {
                // A missing instruction set or denoiser stays missing; assets differ from sample to sample.
                !matches!(
                    error,
                    RenderError::Asset { .. } | RenderError::NoMesh { .. }
                )
            }) || cause
                .downcast_ref::<PostprocError>()
                .is_some_and(|error| match error {
                    PostprocError::Media(media) => media.is_users_to_mend(),
                    PostprocError::Option { .. } | PostprocError::ShardRunning { .. } => true,
                    _ => false,
                })
        });
    if hits_all {
        Failure::Batch(error)
    } else {
        Failure::Sample(in_words(&error))
    }
}

#[cfg(test)]
mod tests {
    use diorama_assets::AssetError;

    use super::*;

    #[test]
    fn bad_assets_cost_a_sample_and_full_disks_the_batch() {
        let asset = DrawError::Asset(AssetError::Unknown { id: "mug".into() });
        match sort_failure(asset.into()) {
            Failure::Sample(reason) => assert!(reason.contains("mug"), "{reason}"),
            Failure::Batch(error) => panic!("{error:#}"),
        }
        let full =
            diorama_video::fsx::FsError::new("write", "x", std::io::ErrorKind::StorageFull.into());
        let full = PostprocError::from(full);
        assert!(matches!(sort_failure(full.into()), Failure::Batch(_)));
        assert!(matches!(
            sort_failure(anyhow::anyhow!("odd\n  thing")),
            Failure::Sample(reason) if reason == "odd thing"
        ));
    }
}
