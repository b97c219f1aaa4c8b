//! Tests of the renderer as a whole: known answers, pair law, label laws, determinism.

mod chi_squared;
mod known_answers;
mod labels;
mod pair_law;
mod scenes;
