//! What rays hit: a two-level tree of triangle meshes.
//!
//! [`MeshBvh`] is the tree of one mesh in its own space; [`Tlas`] places meshes in a frame's world.
//! A query gives the nearest hit, equal distances going to the lower (instance, primitive), so that
//! nothing depends on the trees ([`BuildOptions`] changes speed only):
//! - the triangle test is the same IEEE operations everywhere and never leaks through shared edges;
//! - box tests are conservative: they never drop a triangle that its own test would hit.
//!
//! Queries take a [`Simd8`] token. Get one from [`Isa::dispatch`], once per tile:
//!
//! ```
//! use diorama_render::accel::{Hit, Isa, Kernel, Ray, Simd8, Tlas};
//!
//! struct Trace<'a>(&'a Tlas, &'a Ray);
//! impl Kernel for Trace<'_> {
//!     type Output = Option<Hit>;
//!     #[inline(always)]
//!     fn run<S: Simd8>(self, simd: S) -> Option<Hit> {
//!         self.0.intersect(simd, self.1, |_| true)
//!     }
//! }
//!
//! let (tlas, ray) = (Tlas::build(Vec::new()), Ray::default());
//! assert!(Isa::detect()?.dispatch(Trace(&tlas, &ray)).is_none());
//! # Ok::<(), diorama_render::accel::IsaError>(())
//! ```

mod beam;
mod build;
mod export;
mod mesh;
mod simd;
mod surface;
#[cfg(test)]
mod tests;
mod tlas;
mod traverse;
mod triangle;

use glam::Vec3;

pub use beam::Beam;
pub use build::{BuildOptions, Quality};
pub(crate) use export::{Child, Target};
pub use mesh::MeshBvh;
pub use simd::{Isa, IsaError, Kernel, Portable, Simd8};
pub use surface::{SurfaceFrame, SurfacePoint, offset_origin};
pub use tlas::{Instance, Pose, Tlas};

/// A ray in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it starts, metres.
    pub origin: Vec3,
    /// Which way; not zero, any length. Distances count in lengths of it.
    pub direction: Vec3,
    /// Hits count from beyond this distance; at least 0.
    pub t_min: f32,
    /// Hits count before this distance.
    pub t_max: f32,
    /// Moment within the shutter: 0 open, 1 close.
    pub time: f32,
    /// One bit for each world it stands for; instances of none of these are not there.
    pub worlds: u32,
}

impl Default for Ray {
    /// From the origin along +Z without end, at shutter opening, in every world.
    fn default() -> Self {
        Self {
            origin: Vec3::ZERO,
            direction: Vec3::Z,
            t_min: 0.0,
            t_max: f32::INFINITY,
            time: 0.0,
            worlds: u32::MAX,
        }
    }
}

/// A ray's meeting with a triangle, found or offered to a filter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Distance in lengths of the ray's direction.
    pub t: f32,
    /// Index of the instance.
    pub instance: u32,
    /// Index of the triangle in its mesh.
    pub primitive: u32,
    /// Weight of the second corner.
    pub u: f32,
    /// Weight of the third corner; the first has 1 − u − v.
    pub v: f32,
    /// Where its mesh keeps the triangle: depends on the tree, so it leads nowhere but to the corners.
    slot: u32,
}

/// The larger of two numbers, the second where one is NaN: one instruction, unlike `f32::max`.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
