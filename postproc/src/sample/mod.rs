//! Frames in, one complete sample folder per tuple out.
//!
//! ```text
//! <output-dir>/<sample id>/
//!   rgb_full.mp4 rgb_removed.mp4          the pair
//!   mask.mp4                              lossless; 0 remove, 128 background, 255 keep
//!   tuple.mp4                             full | mask | removed
//!   effect.mp4                            picture of full − removed (see `effect::picture`)
//!   effect_mask.mp4                       lossless; 255 where display values differ by more than 4
//!   mask_removed.mp4                      counterfactual pairs: 255 where kept objects are afterwards
//!   shot.json sample.json caption.json
//!   passes/00000.exr …                    with passes
//!   rgb_full/00000.png …                  with PNG frames; also rgb_removed/ mask/ tuple/
//!   layers/<id>_<name>/                   with layers, per foreground object:
//!     rgb_removed.mp4 effect.mp4          the clip without it, and what it changes
//!     matte.mp4                           lossless; 255 where label rays meet it
//!     effect/00000.exr …                  when the pass `effect` is chosen
//! ```
//! A Shot with worlds `removed`, `removed_2`, … makes the folders `<id>`, `<id>_2`, … in one pass;
//! each is complete by itself. Frames are pushed in order and written at once.

mod folder;
mod passes;
mod writer;

pub(crate) use folder::BuildFolder;
pub(crate) use folder::hash_file;
pub use folder::{Layout, hash_files, sweep_temporary};
pub(crate) use writer::check_frame;
pub use writer::{FinishedSample, SampleOptions, SampleWriter};

#[cfg(test)]
mod tests;
