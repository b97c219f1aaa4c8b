//! How many samples the pixels of a block get in each world: the same on every backend.
//!
//! Where a block shows nothing but the sky, its pixels get [`SKY_SAMPLES`]: see `sky`.
//!
//! With [`PathSettings::noise_threshold`] a pixel gets as many samples as its surroundings ask for. The
//! first samples of a block (`pilot_samples`) say how noisy each of its pixels is, and the median of all *other*
//! pixels of the block decides about one: a pixel that asked for itself would get more samples just
//! where its first ones happened to be bright, and its mean would come out too dark. Every world decides by
//! what it sees itself, so that its picture is the one that it would have alone; where worlds decide
//! differently, the pixel counts as touched.

use std::ops::Range;

use glam::DVec3;

use super::PathSettings;
use super::worlds::{BATCH, WorldTracer};
use crate::film::{Pixel, PixelSums};

/// Pixels on each side of a block.
pub const BLOCK: u32 = 8;
/// Samples of a pixel that shows nothing but an enlarged sky.
pub const SKY_SAMPLES: u32 = 8;
/// Radiance, as a share of white, below which noise counts as it is and no longer in proportion.
const DARK: f32 = 0.1;

/// What is known of a block before a ray is traced.
#[derive(Debug)]
pub(crate) struct BlockCounts {
    /// First samples of each pixel, by world.
    pub(crate) first: Vec<u32>,
    /// Where these decide about more: how many they are in worlds that may show more than sky.
    pub(crate) pilot: Option<u32>,
    /// These worlds, a bit each.
    beyond_sky: u32,
}

impl BlockCounts {
    /// Of some columns and rows of a picture.
    pub(crate) fn new(tracer: &WorldTracer<'_>, columns: &Range<u32>, rows: &Range<u32>) -> Self {
        let settings = &tracer.settings;
        let pilot = pilot_samples(settings.samples);
        let adaptive = settings.noise_threshold > 0.0 && settings.samples > pilot;
        let beyond_sky = tracer.worlds_beyond_sky(columns, rows);
        let count = |world: usize| {
            if beyond_sky >> world & 1 == 0 {
                settings.samples.min(SKY_SAMPLES)
            } else if adaptive {
                pilot
            } else {
                settings.samples
            }
        };
        Self {
            first: (0..tracer.scene.world_count).map(count).collect(),
            pilot: adaptive.then_some(pilot),
            beyond_sky,
        }
    }

    /// Raises the counts of pixels whose first samples are noisy, and makes room for them in their sums; both
    /// pixel by pixel, the worlds of each.
    pub(crate) fn ask_for_more(
        &self,
        pilot: u32,
        sums: &mut [PixelSums],
        counts: &mut [u32],
        settings: &PathSettings,
    ) {
        let worlds = self.first.len();
        for w in (0..worlds).filter(|w| self.beyond_sky >> w & 1 == 1) {
            let wanted = wanted_counts(sums.iter().skip(w).step_by(worlds), pilot, settings);
            for (count, wanted) in counts.iter_mut().skip(w).step_by(worlds).zip(wanted) {
                *count = wanted;
            }
        }
        for (sums, count) in sums.iter_mut().zip(counts) {
            *sums = sums.widened(*count);
        }
    }
}

/// A bit for each world of a pixel that has another count of samples than the first.
pub(crate) fn worlds_unlike_first(counts: &[u32]) -> u32 {
    let differing = (0..counts.len()).filter(|w| counts[*w] != counts[0]);
    differing.fold(0, |bits, w| bits | 1 << w)
}

/// Samples that pixels get before any is looked at, where [`PathSettings::noise_threshold`] may ask for at
/// most `most`, and of which they get a multiple then.
///
/// Eight are enough to tell noisy blocks from calm ones where 32 are the most; where 256 are, calm pixels
/// with 32 make a better picture in the same time.
fn pilot_samples(most: u32) -> u32 {
    // A power of two: the sampler spreads these best.
    1 << (most / 8).clamp(8, BATCH).ilog2()
}

/// Samples that each pixel of a block should have in one world; `sums` are of `pilot` samples each.
fn wanted_counts<'a>(
    sums: impl Iterator<Item = &'a PixelSums>,
    pilot: u32,
    settings: &PathSettings,
) -> Vec<u32> {
    let most = settings.samples;
    let noise: Vec<f64> = sums
        .map(|sums| relative_noise(&sums.finish(), settings.white))
        .collect();
    let wanted = medians_of_others(&noise).into_iter().map(|noise| {
        // The variance of a mean falls as the samples grow.
        let ratio = noise / f64::from(settings.noise_threshold);
        let pilots = ratio * ratio;
        if pilots < f64::from(most / pilot) {
            (pilots.ceil().max(1.0) as u32 * pilot).min(most)
        } else {
            most
        }
    });
    wanted.collect()
}

/// For each value the (upper) median of all others; infinite where there is none. The median and not
/// the mean: a few sparkles say nothing about what most pixels need, and are the denoiser's work.
fn medians_of_others(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let mut medians = vec![f64::INFINITY; values.len()];
    if values.len() > 1 {
        let middle = (values.len() - 1) / 2;
        for (rank, index) in order.iter().enumerate() {
            // Without this one, those after it move up.
            medians[*index] = values[order[middle + usize::from(rank <= middle)]];
        }
    }
    medians
}

/// Standard deviation of a pixel's mean against what it is, over the channels.
fn relative_noise(pixel: &Pixel, white: f32) -> f64 {
    let (variance, radiance): (DVec3, DVec3) = (pixel.variance.into(), pixel.radiance.into());
    let dark = f64::from(DARK * white);
    let relative = variance / (radiance * radiance + dark * dark);
    (relative.element_sum() / 3.0).sqrt()
}

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::*;

    #[test]
    fn the_median_of_others_is_what_sorting_them_says() {
        let mut state = 7_u32;
        for count in 1..30 {
            let values: Vec<f64> = (0..count)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    // Few values, so that some are equal.
                    f64::from(state >> 29)
                })
                .collect();
            for (index, median) in medians_of_others(&values).into_iter().enumerate() {
                let mut others = values.clone();
                others.remove(index);
                others.sort_unstable_by(f64::total_cmp);
                let expected = others.get(others.len() / 2).copied();
                assert_eq!(
                    median,
                    expected.unwrap_or(f64::INFINITY),
                    "{index} of {values:?}"
                );
            }
        }
    }

    #[test]
    fn noise_is_a_share_of_what_is_seen_and_counts_as_it_is_in_the_dark() {
        let pixel = |radiance: f32, deviation: f32| Pixel {
            radiance: Vec3::splat(radiance),
            variance: Vec3::splat(deviation * deviation),
            ..Pixel::default()
        };
        let noise = |radiance, deviation, white| relative_noise(&pixel(radiance, deviation), white);
        assert!((noise(100.0, 5.0, 1.0) - 0.05).abs() < 1e-6);
        assert!((noise(0.0, 0.005, 1.0) - 0.05).abs() < 1e-6);
        // Ten times the light under a tenth of the exposure looks the same.
        assert!((noise(0.3, 0.01, 1.0) - noise(3.0, 0.1, 10.0)).abs() < 1e-6);
    }
}
