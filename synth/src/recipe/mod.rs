//! Recipes: what may be drawn, before anything is.

mod avatar;
mod parameters;
mod removal;

pub use avatar::AvatarRecipe;
pub use parameters::{
    AutoExposure, ExposureChoice, Floor, Focus, FocusPoint, Kind, Layers, PairKind, Parameter,
    RecipeError, RootMotion, SceneRate, Stationary, VideoFps,
};
pub(crate) use removal::LEAST_FOCUS;
pub use removal::{RemovalRecipe, TARGETS, Target};
