//! Batches: seeds → samples, resumable, bounded in memory.

mod avatar;
mod batch;
mod estimate;
mod eyes;
mod maker;
mod measure;
mod pipeline;
mod runlog;
mod sample;

pub use avatar::{AvatarMaker, Casting};
pub use batch::{Failure, Ledger, Maker, Report, run, seeds_to_make};
pub use estimate::{Estimate, bytes_in_words, estimate};
pub use eyes::Eyes;
pub use maker::RemovalMaker;
pub use measure::measure;
pub use pipeline::stream;
pub use runlog::RunLog;
pub use sample::{Made, Studio, encoder};
