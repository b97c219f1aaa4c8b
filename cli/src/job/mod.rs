//! Batches: seeds → samples, resumable, bounded in memory.

mod avatar;
mod batch;
mod estimate;
mod eyes;
mod footage;
mod maker;
mod measure;
mod memory;
mod pipeline;
mod runlog;
mod sample;
mod track;

pub use avatar::{AvatarMaker, Casting};
pub use batch::{Failure, Ledger, Maker, Report, run, run_side_by_side, seeds_to_make};
pub use estimate::{Estimate, bytes_in_words, estimate};
pub use eyes::Eyes;
pub use maker::RemovalMaker;
pub use measure::measure;
pub use pipeline::stream;
pub use runlog::RunLog;
pub use sample::{Made, Studio, encoder};
pub use track::{Inputs, Tally, TrackMaker, videos};
