//! From samples to pixels.

use glam::{DVec3, Vec3};

use crate::integrator::worlds::WorldSample;

/// Sums over the samples of one pixel for one world, in double precision and sample order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PixelSums {
    radiance: DVec3,
    squares: DVec3,
    albedo: DVec3,
    normal: DVec3,
    distance: f64,
}

/// One pixel of one world.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pixel {
    /// Mean radiance, linear Rec.709.
    pub radiance: Vec3,
    /// Variance of that mean, per channel.
    pub variance: Vec3,
    /// Mean base colour of first surfaces.
    pub albedo: Vec3,
    /// Mean shading normal of first surfaces, world.
    pub normal: Vec3,
    /// Mean distance of first surfaces, metres (0 for the environment).
    pub distance: f32,
}

impl PixelSums {
    /// Adds one sample. Samples that are not finite count as black: one bad path must not eat a pixel.
    #[inline(always)]
    pub fn add(&mut self, sample: &WorldSample) {
        if sample.radiance.is_finite() {
            let radiance = sample.radiance.as_dvec3();
            self.radiance += radiance;
            self.squares += radiance * radiance;
        }
        self.albedo += sample.albedo.as_dvec3();
        self.normal += sample.normal.as_dvec3();
        self.distance += f64::from(sample.distance);
    }

    /// Means over `samples` samples.
    pub fn finish(&self, samples: u32) -> Pixel {
        let n = f64::from(samples);
        let mean = self.radiance / n;
        let variance = if samples > 1 {
            ((self.squares / n - mean * mean) / (n - 1.0)).max(DVec3::ZERO)
        } else {
            DVec3::ZERO
        };
        Pixel {
            radiance: mean.as_vec3(),
            variance: variance.as_vec3(),
            albedo: (self.albedo / n).as_vec3(),
            normal: (self.normal / n).as_vec3(),
            distance: (self.distance / n) as f32,
        }
    }
}
