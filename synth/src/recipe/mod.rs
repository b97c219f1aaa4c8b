//! Recipes: what may be drawn, before anything is.

mod parameters;
mod removal;

pub use parameters::{
    AutoExposure, ExposureChoice, Kind, Layers, PairKind, Parameter, RecipeError, SceneRate,
    Stationary, VideoFps,
};
pub use removal::{RemovalRecipe, TARGETS, Target};
