//! Removing Monte-Carlo noise from finished pictures.
//!
//! [`builtin`] is ours: deterministic, on any CPU. [`oidn`] is OpenImageDenoise where it is
//! installed. [`pair`] joins the denoised pictures of the worlds of one frame so that they are equal
//! where the worlds are.

pub mod builtin;
pub mod oidn;
pub mod pair;

use glam::Vec3;

pub use builtin::denoise;
pub use oidn::{Oidn, OidnError};
pub use pair::{JOIN_RADIUS_PX, join_worlds};

/// One noisy picture with what is known about it. All slices are row-major, top row first, of
/// `width * height` values.
#[derive(Debug, Clone, Copy)]
pub struct DenoiseInput<'a> {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Mean radiance of the samples, linear.
    pub color: &'a [Vec3],
    /// Variance of that mean: sample variance / number of samples. 0 where the pixel is exact.
    pub variance: &'a [Vec3],
    /// Base colour at the first hit, mean over the samples, 0..=1. For the environment its radiance
    /// clamped to 1 (or 0 when not known), for glass and mirrors 1.
    pub albedo: &'a [Vec3],
    /// World normal at the first hit, mean over the samples (so at most unit length); 0 for the
    /// environment.
    pub normal: &'a [Vec3],
    /// Depth of the first hit, metres, mean over the samples that hit something; 0 or infinite for
    /// the environment.
    pub depth: &'a [f32],
    /// Variance of those three means (x: albedo, y: normal, each summed over its channels; z: depth):
    /// large where they are seen through a lens out of focus, in motion, or past alpha; 0 when not
    /// known.
    pub feature_variance: &'a [Vec3],
}

impl DenoiseInput<'_> {
    /// Panics when a slice has another length than `width * height`: a mistake of the caller.
    fn check(&self) {
        let pixels = self.width * self.height;
        for (name, length) in [
            ("color", self.color.len()),
            ("variance", self.variance.len()),
            ("albedo", self.albedo.len()),
            ("normal", self.normal.len()),
            ("depth", self.depth.len()),
            ("feature_variance", self.feature_variance.len()),
        ] {
            assert_eq!(length, pixels, "`{name}` has not width * height values");
        }
    }
}
