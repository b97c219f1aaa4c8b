//! Shot → Frames: our own path tracer.
//!
//! [`Renderer`] compiles a Shot with its assets and renders one [`diorama_synth::frame::Frame`] after
//! another. This crate reads no file.

pub mod accel;
pub mod denoise;
pub mod denoiser;
pub mod error;
pub mod film;
pub mod gpu;
pub mod integrator;
pub mod kernels;
pub mod renderer;
pub mod scene;
pub mod view;

pub use denoiser::Denoise;
pub use error::RenderError;
pub use renderer::{RenderSettings, Renderer};
