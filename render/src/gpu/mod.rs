//! The path tracer on a GPU, through wgpu: the twin of [`crate::integrator::worlds`].
//!
//! Two programs take turns over all pixels of a part of the picture: `trace` finds what each pixel's rays
//! meet, `shade` adds light and decides which rays come next. A pixel whose path ends goes on with its
//! next sample by itself, so that no lane waits. Each pixel belongs to one lane, which adds its
//! samples in order: the same device and driver give the same bytes. Every step is short, so that no
//! driver takes it for hung, and the host only looks at a counter of pixels that still work.
//!
//! Labels, denoiser and view stay on the CPU: labels are then the same bits whatever traced the light.

mod adapter;
mod device;
mod error;
mod features;
mod layout;
mod pages;
mod pixels;
mod self_test;
mod shaders;
mod tables;
mod tracer;
mod upload;

pub use adapter::{
    Adapter, AdapterKind, Adapters, hardware_is_possible, library_loads, loader_is_there,
};
pub use device::Gpu;
pub use error::GpuError;
pub use self_test::{rays_per_second, self_test};
pub(crate) use tracer::{GpuScene, TracedFrame};
