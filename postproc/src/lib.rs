//! Frames into Samples: masks, effects, captions, exact passes, journals, lists, verification.
//!
//! [`SampleWriter`] takes the Frames of one Shot, one after another, and leaves one complete folder
//! per tuple; [`dataset`] keeps the books of many; [`verify`] measures the laws that a finished
//! dataset must keep. Memory is bounded whatever the length of a clip.

pub mod camera;
pub mod caption;
pub mod dataset;
pub mod effect;
pub mod error;
pub mod mask;
pub mod pass;
pub mod sample;
pub mod sample_json;
pub mod tracking;
pub mod tuple;
pub mod verify;

#[cfg(test)]
mod quads;
#[cfg(test)]
mod testing;

pub use caption::Captions;
pub use error::PostprocError;
pub use mask::{MaskMode, MaskOptions, MaskRule};
pub use pass::Pass;
pub use sample::{FinishedSample, Layout, SampleOptions, SampleWriter, sweep_temporary};
pub use sample_json::{ObjectBounds, PairKind, Quality, SampleJson};
pub use tuple::{Fate, Tuple};
