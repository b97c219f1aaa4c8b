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
    /// Squares of albedo, normal and distance.
    feature_squares: DVec3,
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
    /// Variance of the means of albedo, normal (each summed over its components) and distance.
    pub feature_variance: Vec3,
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
        self.feature_squares += DVec3::new(
            sample.albedo.as_dvec3().length_squared(),
            sample.normal.as_dvec3().length_squared(),
            f64::from(sample.distance) * f64::from(sample.distance),
        );
    }

    /// Means over `samples` samples.
    pub fn finish(&self, samples: u32) -> Pixel {
        let n = f64::from(samples);
        let mean = self.radiance / n;
        let variance_of_mean = |squares: DVec3, squared_means: DVec3| {
            if samples > 1 {
                ((squares / n - squared_means) / (n - 1.0)).max(DVec3::ZERO)
            } else {
                DVec3::ZERO
            }
        };
        let variance = variance_of_mean(self.squares, mean * mean);
        let feature_variance = variance_of_mean(
            self.feature_squares,
            DVec3::new(
                self.albedo.length_squared(),
                self.normal.length_squared(),
                self.distance * self.distance,
            ) / (n * n),
        );
        Pixel {
            radiance: mean.as_vec3(),
            variance: variance.as_vec3(),
            albedo: (self.albedo / n).as_vec3(),
            normal: (self.normal / n).as_vec3(),
            distance: (self.distance / n) as f32,
            feature_variance: feature_variance.as_vec3(),
        }
    }
}
