//! The batch: seeds in, samples and a report out. The failure of one sample never ends it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context as _, Result};

use super::memory;
use crate::exit::panic_message;
use crate::plan::{Job, Selection};

/// Why a sample was not made.
#[derive(Debug)]
pub enum Failure {
    /// Only this sample is concerned: it is listed, and the batch goes on.
    Sample(String),
    /// Nothing else would work either (disk full, no permission): the batch ends.
    Batch(anyhow::Error),
}

/// Makes one sample, complete and in its place when it returns.
pub trait Maker {
    /// Makes the sample of `seed`, or says why not.
    fn make(&mut self, seed: u64) -> Result<(), Failure>;
}

/// What is known about samples across runs.
pub trait Ledger {
    /// Is the sample there, complete?
    fn is_done(&self, seed: u64) -> bool;
    /// Seeds that failed and were not made since.
    fn failed(&self) -> Vec<u64>;
    /// Remembers a failure.
    fn record_failure(&mut self, seed: u64, reason: &str) -> Result<()>;
}

/// How a batch went.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples made by this run.
    pub made: u64,
    /// Samples that were there before.
    pub present: u64,
    /// Seeds that failed in this run, with the reason.
    pub failed: Vec<(u64, String)>,
}

/// The seeds of a job that are to be made, ascending, and how many are there already.
pub fn seeds_to_make(job: &Job, ledger: &dyn Ledger) -> (Vec<u64>, u64) {
    let mut present = 0;
    let seeds = match &job.selection {
        Selection::Missing(range) => (range.first..range.end)
            .filter(|seed| job.owns(*seed))
            .filter(|seed| {
                let done = ledger.is_done(*seed);
                present += u64::from(done);
                !done
            })
            .collect(),
        Selection::Again(seeds) => seeds.iter().copied().filter(|s| job.owns(*s)).collect(),
        Selection::Failed(range) => {
            let failed: BTreeSet<u64> = ledger.failed().into_iter().collect();
            failed
                .into_iter()
                .filter(|seed| range.is_none_or(|r| (r.first..r.end).contains(seed)))
                .filter(|seed| job.owns(*seed))
                .collect()
        }
    };
    (seeds, present)
}

/// Makes `seeds` one after another. `after` is called after each with its result so far.
pub fn run<W: Maker + Ledger>(
    seeds: &[u64],
    work: &mut W,
    mut after: impl FnMut(u64, Result<(), &str>) -> Result<()>,
) -> Result<Report> {
    memory::give_back_what_is_free();
    let mut report = Report::default();
    for seed in seeds {
        match caught(|| work.make(*seed)) {
            Ok(()) => {
                report.made += 1;
                after(*seed, Ok(()))?;
            }
            Err(Failure::Sample(reason)) => {
                work.record_failure(*seed, &reason)?;
                after(*seed, Err(&reason))?;
                report.failed.push((*seed, reason));
            }
            Err(Failure::Batch(error)) => return Err(error),
        }
    }
    Ok(report)
}

/// What a maker says, a panic included.
fn caught(make: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|payload| {
        Err(Failure::Sample(format!(
            "internal error: {}",
            panic_message(payload.as_ref())
        )))
    })
}

/// The same as [`run`] for work of which `jobs` items may be done at the same time. `after`, which is
/// called here as items end, in any order, also remembers failures. Items are begun in order; after a
/// failure that ends the batch no other is begun.
pub fn run_side_by_side(
    items: &[u64],
    jobs: usize,
    make: &(dyn Fn(u64) -> Result<(), Failure> + Sync),
    mut after: impl FnMut(u64, Result<(), &str>) -> Result<()>,
) -> Result<Report> {
    memory::give_back_what_is_free();
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let mut report = Report::default();
    let mut outcome = Ok(());
    thread::scope(|scope| -> Result<()> {
        let (sender, receiver) = sync_channel(1);
        for job in 0..jobs.min(items.len()) {
            let (sender, next, stopped) = (sender.clone(), &next, &stopped);
            thread::Builder::new()
                .name(format!("job {job}"))
                .spawn_scoped(scope, move || {
                    while !stopped.load(Ordering::SeqCst) {
                        let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) else {
                            return;
                        };
                        let made = caught(|| make(*item));
                        if matches!(made, Err(Failure::Batch(_))) {
                            stopped.store(true, Ordering::SeqCst);
                        }
                        if sender.send((*item, made)).is_err() {
                            return;
                        }
                    }
                })
                .context("cannot start a thread")?;
        }
        drop(sender);
        for (item, made) in receiver {
            let told = match made {
                Ok(()) => {
                    report.made += 1;
                    after(item, Ok(()))
                }
                Err(Failure::Sample(reason)) => {
                    let told = after(item, Err(&reason));
                    report.failed.push((item, reason));
                    told
                }
                Err(Failure::Batch(error)) => Err(error),
            };
            // The first error counts; what is in work is waited for.
            if told.is_err() {
                stopped.store(true, Ordering::SeqCst);
                if outcome.is_ok() {
                    outcome = told;
                }
            }
        }
        Ok(())
    })?;
    outcome?;
    report.failed.sort_unstable();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use diorama_postproc::dataset::Shard;

    use super::*;
    use crate::args::SeedRange;

    #[derive(Default)]
    struct Fake {
        done: BTreeSet<u64>,
        failed: Vec<u64>,
        log: Vec<u64>,
    }

    impl Maker for Fake {
        fn make(&mut self, seed: u64) -> Result<(), Failure> {
            self.log.push(seed);
            match seed {
                3 => Err(Failure::Sample("bad asset".into())),
                4 => panic!("odd"),
                9 => Err(Failure::Batch(anyhow!("disk full"))),
                _ => {
                    self.done.insert(seed);
                    Ok(())
                }
            }
        }
    }

    impl Ledger for Fake {
        fn is_done(&self, seed: u64) -> bool {
            self.done.contains(&seed)
        }
        fn failed(&self) -> Vec<u64> {
            self.failed.clone()
        }
        fn record_failure(&mut self, seed: u64, _reason: &str) -> Result<()> {
            self.failed.push(seed);
            Ok(())
        }
    }

    fn job(selection: Selection) -> Job {
        Job {
            output_dir: "d".into(),
            flat: false,
            selection,
            shard: None,
        }
    }

    fn range(first: u64, end: u64) -> Selection {
        Selection::Missing(SeedRange { first, end })
    }

    #[test]
    fn a_failure_and_even_a_panic_cost_their_own_sample_only() {
        let mut work = Fake::default();
        let report = run(&[1, 3, 4, 5], &mut work, |_, _| Ok(())).unwrap();
        assert_eq!(report.made, 2);
        assert_eq!(
            report.failed,
            [(3, "bad asset".into()), (4, "internal error: odd".into())]
        );
        assert_eq!(work.failed, [3, 4]);
    }

    #[test]
    fn side_by_side_all_are_made_and_failures_cost_their_own() {
        for jobs in [1, 3, 40] {
            let made = std::sync::Mutex::new(BTreeSet::new());
            let items: Vec<u64> = (0..9).collect();
            let make = |item: u64| match item {
                3 => Err(Failure::Sample("bad video".into())),
                4 => panic!("odd"),
                _ => {
                    made.lock().unwrap().insert(item);
                    Ok(())
                }
            };
            let mut told = 0;
            let report = run_side_by_side(&items, jobs, &make, |_, _| {
                told += 1;
                Ok(())
            });
            let report = report.unwrap();
            assert_eq!((report.made, told), (7, 9));
            assert_eq!(
                report.failed,
                [(3, "bad video".into()), (4, "internal error: odd".into())]
            );
            assert_eq!(made.lock().unwrap().len(), 7);
        }
        let make = |item: u64| match item {
            0 => Err(Failure::Batch(anyhow!("disk full"))),
            _ => Ok(()),
        };
        let items: Vec<u64> = (0..1000).collect();
        let mut told = 0;
        let error = run_side_by_side(&items, 2, &make, |_, _| {
            told += 1;
            Ok(())
        });
        assert_eq!(error.unwrap_err().to_string(), "disk full");
        assert!(told < 1000, "{told}");
    }

    #[test]
    fn what_would_hit_every_sample_ends_the_batch() {
        let mut work = Fake::default();
        let error = run(&[8, 9, 10], &mut work, |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(work.log, [8, 9]);
    }

    #[test]
    fn a_finished_dataset_has_nothing_to_make() {
        let mut work = Fake::default();
        let (seeds, present) = seeds_to_make(&job(range(0, 3)), &work);
        assert_eq!((seeds.as_slice(), present), ([0, 1, 2].as_slice(), 0));
        run(&seeds, &mut work, |_, _| Ok(())).unwrap();
        assert_eq!(seeds_to_make(&job(range(0, 3)), &work), (vec![], 3));
        assert_eq!(seeds_to_make(&job(range(0, 5)), &work), (vec![3, 4], 3));
    }

    #[test]
    fn redo_and_shards_choose_their_seeds() {
        let work = Fake {
            done: (0..10).collect(),
            failed: vec![11, 12, 11],
            ..Fake::default()
        };
        let again = job(Selection::Again(vec![2, 5]));
        assert_eq!(seeds_to_make(&again, &work).0, [2, 5]);
        assert_eq!(
            seeds_to_make(&job(Selection::Failed(None)), &work).0,
            [11, 12]
        );
        let some = Selection::Failed(Some(SeedRange { first: 12, end: 99 }));
        assert_eq!(seeds_to_make(&job(some), &work).0, [12]);
        let mut half = job(range(8, 14));
        half.shard = Some(Shard { index: 1, count: 2 });
        assert_eq!(seeds_to_make(&half, &work), (vec![11, 13], 1));
    }
}
