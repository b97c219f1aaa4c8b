//! Light transport.
//!
//! [`worlds`] is the renderer: one set of paths for all worlds of a Shot, and `shading` what they do at surfaces;
//! [`blocks`] makes pixels of them. [`referee`] is the slow, plain tracer of one world that it must agree with bit for bit. [`labels`] asks one ray per pixel
//! for the truth, [`visibility`] as many as there are tracked points.

pub mod blocks;
pub mod counts;
pub mod labels;
pub mod medium;
pub mod referee;
mod shading;
mod sky;
pub mod visibility;
pub mod worlds;

/// Choices that change the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathSettings {
    /// Samples per pixel, ≥ 1; the most where there is a threshold.
    pub samples: u32,
    /// Noise at which a pixel has samples enough, as a share of its radiance; 0: all get all samples.
    /// See [`counts`].
    pub noise_threshold: f32,
    /// Radiance that the exposure shows as 1, where it is known, else 1: what noise in the dark is
    /// measured against.
    pub white: f32,
    /// Longest path in bounces after the first hit.
    pub max_bounces: u32,
    /// Largest mean of the three channels that one indirect contribution may have; 0: no limit.
    pub clamp_indirect: f32,
    /// Seed of all kernels' random numbers.
    pub seed: u32,
}

impl PathSettings {
    /// Limits an indirect contribution; `bounce` counts the scatterings before the light was met.
    #[inline(always)]
    pub(crate) fn clamp(&self, contribution: glam::Vec3, bounce: u32) -> glam::Vec3 {
        let limit = self.clamp_indirect * 3.0;
        let sum = contribution.element_sum();
        if bounce == 0 || limit <= 0.0 || sum <= limit {
            contribution
        } else {
            contribution * (limit / sum)
        }
    }
}

/// A ray whose every hit counts: origins are already beyond their surface's error.
#[inline(always)]
fn ray(
    origin: glam::Vec3,
    direction: glam::Vec3,
    t_max: f32,
    time: f32,
    worlds: u32,
) -> crate::accel::Ray {
    crate::accel::Ray {
        origin,
        direction,
        t_min: 0.0,
        t_max,
        time,
        worlds,
    }
}
