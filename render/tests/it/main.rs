//! Tests of the renderer as a whole: known answers, pair law, label laws, determinism.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod chi_squared;
mod furnace;
mod gpu;
mod known_answers;
mod labels;
mod lanes;
mod noise_threshold;
mod pair_law;
mod scenes;
mod sky;
mod visibility;
