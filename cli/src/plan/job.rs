//! What a run does with the plan: which seeds, where, in which shard. No part of the plan.

use std::path::PathBuf;

use diorama_postproc::dataset::Shard;

use crate::args::{BatchArgs, LayoutArg, Redo, SeedRange};
use crate::exit::UserError;

/// Which samples a run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of these that are not there yet.
    Missing(SeedRange),
    /// These, even if they are there.
    Again(Vec<u64>),
    /// Those that failed before, of these seeds or of all.
    Failed(Option<SeedRange>),
}

/// One run of the batch runner.
#[derive(Debug, Clone)]
pub struct Job {
    /// Folder of the dataset.
    pub output_dir: PathBuf,
    /// One seed's files straight into the folder.
    pub flat: bool,
    /// Which samples.
    pub selection: Selection,
    /// Which part of them.
    pub shard: Option<Shard>,
}

impl Job {
    /// Resolves the batch flags.
    pub fn resolve(args: &BatchArgs) -> Result<Self, UserError> {
        let given = args.seeds.or(args.seed.map(|seed| SeedRange {
            first: seed,
            end: seed.saturating_add(1),
        }));
        let selection = match &args.redo {
            Some(Redo::Seeds(seeds)) => {
                if let Some(given) = given
                    && let Some(outside) =
                        seeds.iter().find(|s| !(given.first..given.end).contains(s))
                {
                    return Err(UserError::new(format!(
                        "`--redo` names seed {outside}, which is not among the seeds given"
                    )));
                }
                let mut seeds = seeds.clone();
                seeds.sort_unstable();
                seeds.dedup();
                Selection::Again(seeds)
            }
            Some(Redo::Failed) => Selection::Failed(given),
            None => Selection::Missing(given.unwrap_or(SeedRange { first: 0, end: 1 })),
        };
        let flat = args.layout == Some(LayoutArg::Flat);
        let single = match &selection {
            Selection::Missing(range) => range.end - range.first == 1,
            Selection::Again(seeds) => seeds.len() == 1,
            Selection::Failed(_) => false,
        };
        if flat && (!single || args.shard.is_some()) {
            return Err(UserError::new(
                "`--layout flat` holds one sample: give one `--seed` and no `--shard`",
            ));
        }
        Ok(Self {
            output_dir: args
                .output_dir
                .clone()
                .unwrap_or_else(|| "test_outputs".into()),
            flat,
            selection,
            shard: args.shard,
        })
    }

    /// Is this seed in our shard? Decided by the seed alone, so that more seeds move none.
    pub fn owns(&self, seed: u64) -> bool {
        self.shard.is_none_or(|shard| shard.owns(seed))
    }
}

/// Folder name of a seed's sample: at least six digits.
pub fn sample_id(seed: u64) -> String {
    format!("{seed:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_seeds_without_overlap() {
        let job = |index| Job {
            output_dir: "d".into(),
            flat: false,
            selection: Selection::Missing(SeedRange { first: 0, end: 1 }),
            shard: Some(Shard { index, count: 3 }),
        };
        for seed in 0..20 {
            assert_eq!((0..3).filter(|i| job(*i).owns(seed)).count(), 1);
        }
    }

    #[test]
    fn a_flat_folder_holds_one_sample() {
        let args = BatchArgs {
            layout: Some(LayoutArg::Flat),
            seeds: Some(SeedRange { first: 0, end: 2 }),
            ..BatchArgs::default()
        };
        assert!(Job::resolve(&args).is_err());
        let args = BatchArgs {
            layout: Some(LayoutArg::Flat),
            seed: Some(4),
            ..BatchArgs::default()
        };
        assert!(Job::resolve(&args).is_ok_and(|job| job.flat));
    }

    #[test]
    fn redo_lists_are_sorted_and_stay_inside_the_seeds() {
        let args = BatchArgs {
            redo: Some(Redo::Seeds(vec![9, 4, 9])),
            ..BatchArgs::default()
        };
        assert_eq!(
            Job::resolve(&args).map(|job| job.selection).ok(),
            Some(Selection::Again(vec![4, 9]))
        );
        let args = BatchArgs {
            redo: Some(Redo::Seeds(vec![9])),
            seeds: Some(SeedRange { first: 0, end: 5 }),
            ..BatchArgs::default()
        };
        assert!(Job::resolve(&args).is_err());
    }
}
