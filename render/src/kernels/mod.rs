//! Kernels: pure functions of plain structs, f32 and u32 arithmetic, our own transcendental
//! polynomials. No buffers, no traversal, no loops over paths: those belong to each backend. What is done for
//! many surfaces side by side is written over `real::Real`, a number or eight.
//!
//! Names are pbrt's: `wo` towards the viewer, `wi` towards the light, `n` normal, `h` half vector,
//! `eta` relative index of refraction, `beta` throughput. `wo`/`wi` in local shading space have the
//! shading normal as z.

pub mod bsdf;
pub mod camera;
pub mod fresnel;
pub mod ggx;
pub mod glass;
pub mod lanes;
pub mod math;
pub mod real;
pub mod sampler;
pub mod sampling;
pub mod tables;
pub mod vector;
