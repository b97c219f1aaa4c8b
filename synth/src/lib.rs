//! From a recipe and a seed to a [`shot::Shot`]: named random streams, placement, physics.
//!
//! Also the nouns that renderers and post-processing share: [`shot`] and [`frame`]. This crate does
//! not know any renderer; what it must ask of one is a parameter.

pub mod avatar;
pub mod draw;
pub mod frame;
pub mod geometry;
pub mod gltf_shot;
pub mod physics;
pub mod recipe;
pub mod shot;
pub mod stream;
pub mod turntable;
mod validate;
