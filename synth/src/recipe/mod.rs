//! Recipes: what may be drawn, before anything is.

mod parameters;
mod removal;

pub use parameters::{
    AutoExposure, ExposureChoice, Floor, Focus, FocusPoint, Kind, Layers, PairKind, Parameter,
    RecipeError, SceneRate, Stationary, VideoFps,
};
pub(crate) use removal::LEAST_FOCUS;
pub use removal::{RemovalRecipe, TARGETS, Target};
