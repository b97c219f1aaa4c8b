//! From samples to pixels.

use glam::{DVec3, Vec3};

use crate::integrator::worlds::WorldSample;

/// Batches that the samples of a pixel are counted in, for the variance.
pub(crate) const BATCHES: u32 = 4;

/// Samples of each batch but the last, of `samples` samples.
pub(crate) fn batch_length(samples: u32) -> u32 {
    samples.div_ceil(BATCHES).max(1)
}

/// Sums over the samples of one pixel for one world, in double precision and sample order.
///
/// Variances come from the means of `BATCHES` runs of consecutive samples. The sampler spreads
/// every run evenly, and single samples would not show how much of their differences that averages
/// out: at 128 samples their variance is up to three hundred times the true one where a texture or
/// the environment is seen directly, and a denoiser that believes it smooths the texture away.
#[derive(Debug, Clone, Copy)]
pub struct PixelSums {
    /// Finished batches.
    total: Sums,
    /// The batch at hand.
    batch: Sums,
    batch_length: u32,
    samples_in_batch: u32,
    batches: u32,
    /// Σ over batches of (sum of the batch)² / samples of the batch: radiance per channel.
    squares: DVec3,
    /// The same for albedo, normal (each summed over its components) and distance.
    feature_squares: DVec3,
}

/// What is summed.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    radiance: DVec3,
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
    /// Variance of the means of albedo, normal (each summed over its components) and distance.
    pub feature_variance: Vec3,
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, other: &Self) {
        self.radiance += other.radiance;
        self.albedo += other.albedo;
        self.normal += other.normal;
        self.distance += other.distance;
    }

    /// Squares of albedo, normal and distance.
    #[inline(always)]
    fn feature_squares(&self) -> DVec3 {
        DVec3::new(
            self.albedo.length_squared(),
            self.normal.length_squared(),
            self.distance * self.distance,
        )
    }
}

impl PixelSums {
    /// Nothing yet; `samples` are to come.
    pub fn new(samples: u32) -> Self {
        Self {
            total: Sums::default(),
            batch: Sums::default(),
            batch_length: batch_length(samples),
            samples_in_batch: 0,
            batches: 0,
            squares: DVec3::ZERO,
            feature_squares: DVec3::ZERO,
        }
    }

    /// Adds one sample. Samples that are not finite count as black: one bad path must not eat a pixel.
    #[inline(always)]
    pub fn add(&mut self, sample: &WorldSample) {
        if sample.radiance.is_finite() {
            self.batch.radiance += sample.radiance.as_dvec3();
        }
        self.batch.albedo += sample.albedo.as_dvec3();
        self.batch.normal += sample.normal.as_dvec3();
        self.batch.distance += f64::from(sample.distance);
        self.samples_in_batch += 1;
        if self.samples_in_batch == self.batch_length {
            self.close_batch();
        }
    }

    /// Adds a whole batch, summed elsewhere, of `samples` samples.
    pub(crate) fn add_batch(&mut self, sum: &WorldSample, samples: u32) {
        self.batch = Sums {
            radiance: sum.radiance.as_dvec3(),
            albedo: sum.albedo.as_dvec3(),
            normal: sum.normal.as_dvec3(),
            distance: f64::from(sum.distance),
        };
        self.samples_in_batch = samples;
        self.close_batch();
    }

    #[inline(always)]
    fn close_batch(&mut self) {
        let length = f64::from(self.samples_in_batch);
        self.squares += self.batch.radiance * self.batch.radiance / length;
        self.feature_squares += self.batch.feature_squares() / length;
        self.total.add(&self.batch);
        self.batch = Sums::default();
        self.samples_in_batch = 0;
        self.batches += 1;
    }

    /// Means over `samples` samples, all that were added.
    pub fn finish(&self, samples: u32) -> Pixel {
        let mut sums = *self;
        if sums.samples_in_batch > 0 {
            sums.close_batch();
        }
        let n = f64::from(samples);
        let total = sums.total;
        // Σ length (mean of the batch − mean)² has the expectation (batches − 1) σ².
        let variance_of_mean = |squares: DVec3, squared_sums: DVec3| {
            if sums.batches > 1 {
                let freedom = f64::from(sums.batches - 1);
                ((squares - squared_sums / n) / (freedom * n)).max(DVec3::ZERO)
            } else {
                DVec3::ZERO
            }
        };
        let variance = variance_of_mean(sums.squares, total.radiance * total.radiance);
        let feature_variance = variance_of_mean(sums.feature_squares, total.feature_squares());
        Pixel {
            radiance: (total.radiance / n).as_vec3(),
            variance: variance.as_vec3(),
            albedo: (total.albedo / n).as_vec3(),
            normal: (total.normal / n).as_vec3(),
            distance: (total.distance / n) as f32,
            feature_variance: feature_variance.as_vec3(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(samples: u32, value: impl Fn(u32) -> f32) -> Pixel {
        let mut sums = PixelSums::new(samples);
        for i in 0..samples {
            sums.add(&WorldSample {
                radiance: Vec3::splat(value(i)),
                normal: Vec3::Z * value(i),
                ..WorldSample::default()
            });
        }
        sums.finish(samples)
    }

    #[test]
    fn variance_of_the_mean_is_expected_from_independent_samples() {
        // 4,000 pixels of n uniform samples: σ² = 1/12, so the mean's variance is 1/(12 n).
        for n in [2, 3, 7, 16, 50] {
            let mut state = 1_u32;
            let mut draw = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0
            };
            let mut sum = 0.0;
            for _ in 0..4000 {
                let values: Vec<f32> = (0..n).map(|_| draw()).collect();
                let pixel = pixel(n, |i| values[i as usize]);
                assert_eq!(pixel.variance.x, pixel.feature_variance.y);
                sum += pixel.variance.x;
            }
            let ratio = sum / 4000.0 * 12.0 * n as f32;
            assert!(
                (ratio - 1.0).abs() < 0.08,
                "{n} samples: {ratio} of the variance"
            );
        }
    }

    #[test]
    fn what_every_run_of_samples_averages_out_is_not_noise() {
        let even = pixel(128, |i| (i % 2) as f32);
        assert_eq!(even.radiance, Vec3::splat(0.5));
        assert_eq!(even.variance, Vec3::ZERO);
        assert_eq!(pixel(1, |_| 3.0).variance, Vec3::ZERO);
    }
}
