//! From samples to pixels.

use glam::{DVec3, Vec3};

use crate::integrator::worlds::WorldSample;

/// Runs that the samples of a pixel are counted in, for the variance.
pub(crate) const RUNS: u32 = 4;

/// Samples of each run but the last, of `samples` samples.
pub(crate) fn run_length(samples: u32) -> u32 {
    samples.div_ceil(RUNS).max(1)
}

/// Sums over the samples of one pixel for one world, in double precision and sample order.
///
/// Variances come from the means of `RUNS` runs of consecutive samples. The sampler spreads
/// every run evenly, and single samples would not show how much of their differences that averages
/// out: at 128 samples their variance is up to three hundred times the true one where a texture or
/// the environment is seen directly, and a denoiser that believes it smooths the texture away.
#[derive(Debug, Clone, Copy)]
pub struct PixelSums {
    runs: [Run; RUNS as usize],
    /// The one at hand.
    current: usize,
    run_length: u32,
}

/// Samples that follow each other.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    sums: Sums,
    samples: u32,
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
            runs: [Run::default(); RUNS as usize],
            current: 0,
            run_length: run_length(samples),
        }
    }

    /// The same sums with room for more samples: `samples` in all, a multiple of those it was made for.
    #[must_use]
    pub fn widened(&self, samples: u32) -> Self {
        let mut wide = Self::new(samples);
        for run in &self.runs {
            wide.add_run(run);
        }
        wide
    }

    /// Adds one sample. Samples that are not finite count as black: one bad path must not eat a pixel.
    #[inline(always)]
    pub fn add(&mut self, sample: &WorldSample) {
        let run = &mut self.runs[self.current];
        if sample.radiance.is_finite() {
            run.sums.radiance += sample.radiance.as_dvec3();
        }
        run.sums.albedo += sample.albedo.as_dvec3();
        run.sums.normal += sample.normal.as_dvec3();
        run.sums.distance += f64::from(sample.distance);
        run.samples += 1;
        self.close_full_run();
    }

    /// Adds a whole run, summed elsewhere, of `samples` samples.
    pub(crate) fn add_summed(&mut self, sum: &WorldSample, samples: u32) {
        self.add_run(&Run {
            sums: Sums {
                radiance: sum.radiance.as_dvec3(),
                albedo: sum.albedo.as_dvec3(),
                normal: sum.normal.as_dvec3(),
                distance: f64::from(sum.distance),
            },
            samples,
        });
    }

    fn add_run(&mut self, other: &Run) {
        let run = &mut self.runs[self.current];
        run.sums.add(&other.sums);
        run.samples += other.samples;
        self.close_full_run();
    }

    #[inline(always)]
    fn close_full_run(&mut self) {
        if self.runs[self.current].samples >= self.run_length {
            self.current = (self.current + 1).min(RUNS as usize - 1);
        }
    }

    /// Means over all samples that were added, at least one.
    pub fn finish(&self) -> Pixel {
        let mut total = Sums::default();
        let (mut squares, mut feature_squares) = (DVec3::ZERO, DVec3::ZERO);
        let (mut samples, mut runs) = (0, 0);
        for run in self.runs.iter().filter(|run| run.samples > 0) {
            let length = f64::from(run.samples);
            squares += run.sums.radiance * run.sums.radiance / length;
            feature_squares += run.sums.feature_squares() / length;
            total.add(&run.sums);
            samples += run.samples;
            runs += 1;
        }
        let n = f64::from(samples);
        // Σ length (mean of the run − mean)² has the expectation (runs − 1) σ².
        let variance_of_mean = |squares: DVec3, squared_sums: DVec3| {
            if runs > 1 {
                let freedom = f64::from(runs - 1);
                ((squares - squared_sums / n) / (freedom * n)).max(DVec3::ZERO)
            } else {
                DVec3::ZERO
            }
        };
        let variance = variance_of_mean(squares, total.radiance * total.radiance);
        let feature_variance = variance_of_mean(feature_squares, total.feature_squares());
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
        sums.finish()
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
