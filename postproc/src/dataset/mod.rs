//! Many samples: journals of a run, and what is derived from the finished folders.

pub mod das;
mod index;
mod journal;
mod turn;

pub use index::{IndexReport, Totals, index, is_complete, sample_folders};
pub(crate) use index::{read_json, write_json};
pub use journal::{DoneEntry, FailedEntry, Journal, Journals, Shard, read_journals};
pub use turn::Turn;
