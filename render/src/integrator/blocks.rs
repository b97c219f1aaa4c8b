//! Pixels, block by block: how many samples each gets, and what comes of them.
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

use diorama_synth::shot::Role;
use glam::{DVec3, Vec3};

use super::PathSettings;
use super::worlds::{BATCH, Batch, WorldTracer};
use crate::accel::{Kernel, Simd8};
use crate::film::{Pixel, PixelSums};
use crate::kernels::sampler::PixelSampler;

/// Pixels on each side of a block.
pub const BLOCK: u32 = 8;
/// Samples of a pixel that shows nothing but an enlarged sky.
pub const SKY_SAMPLES: u32 = 8;
/// Radiance, as a share of white, below which noise counts as it is and no longer in proportion.
const DARK: f32 = 0.1;

/// Traces a block with one instruction set.
#[derive(Debug)]
pub struct TraceBlock<'a> {
    /// What traces.
    pub tracer: &'a WorldTracer<'a>,
    /// Its pixels.
    pub columns: Range<u32>,
    /// Its pixels.
    pub rows: Range<u32>,
}

/// Traced pixels, row by row.
#[derive(Debug, Default)]
pub struct Block {
    /// By world.
    pub pixels: Vec<Vec<Pixel>>,
    /// Bit w: something tells world w from world 0.
    pub touched: Vec<u32>,
    /// Share of the first surfaces in world 0 of each role: background, keep, remove.
    pub coverage: Vec<Vec3>,
    /// Rays traced.
    pub rays: u64,
}

/// A pixel in work.
struct PixelInWork {
    sampler: PixelSampler,
    touched: u32,
    roles: [u32; 3],
}

impl Kernel for TraceBlock<'_> {
    type Output = Block;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Block {
        let settings = &self.tracer.settings;
        let worlds = self.tracer.scene.world_count;
        let pilot = pilot_samples(settings.samples);
        let adaptive = settings.noise_threshold > 0.0 && settings.samples > pilot;
        let beyond_sky = self.tracer.worlds_beyond_sky(&self.columns, &self.rows);
        let firsts: Vec<u32> = (0..worlds)
            .map(|w| {
                if beyond_sky >> w & 1 == 0 {
                    settings.samples.min(SKY_SAMPLES)
                } else if adaptive {
                    pilot
                } else {
                    settings.samples
                }
            })
            .collect();
        let mut batch = Batch::new(worlds);
        let mut block = Block::default();
        let mut pixels: Vec<PixelInWork> = self
            .rows
            .flat_map(|row| self.columns.clone().map(move |column| (column, row)))
            .map(|(column, row)| PixelInWork {
                sampler: self.tracer.pixel(column, row),
                touched: 0,
                roles: [0; 3],
            })
            .collect();
        // Pixel by pixel, the worlds of each.
        let mut counts = firsts.repeat(pixels.len());
        let mut sums: Vec<PixelSums> = counts.iter().map(|n| PixelSums::new(*n)).collect();
        let mut trace_from =
            |from: u32, pixels: &mut [PixelInWork], sums: &mut [PixelSums], counts: &[u32]| {
                let mut stretches = stretches(from, counts, worlds).peekable();
                while let Some(first) = stretches.next() {
                    let (worlds, mut length) = (first.worlds, first.samples.len());
                    let mut together = vec![first];
                    while let Some(next) = stretches.next_if(|next| {
                        next.worlds == worlds && length + next.samples.len() <= BATCH as usize
                    }) {
                        length += next.samples.len();
                        together.push(next);
                    }
                    // In a function of its own: a closure is compiled without the wide registers.
                    simd.call_apart(TraceStretches {
                        tracer: self.tracer,
                        worlds,
                        stretches: &together,
                        pixels,
                        sums,
                        batch: &mut batch,
                    });
                }
                batch.rays()
            };
        block.rays = trace_from(0, &mut pixels, &mut sums, &counts);
        if adaptive {
            for w in (0..worlds).filter(|w| beyond_sky >> w & 1 == 1) {
                let sums = sums.iter().skip(w).step_by(worlds);
                let wanted = wanted_counts(sums, pilot, settings);
                let counts = counts.iter_mut().skip(w).step_by(worlds);
                for (count, wanted) in counts.zip(wanted) {
                    *count = wanted;
                }
            }
            for (sums, count) in sums.iter_mut().zip(&counts) {
                *sums = sums.widened(*count);
            }
            block.rays = trace_from(pilot, &mut pixels, &mut sums, &counts);
        }
        for (pixel, counts) in pixels.iter_mut().zip(counts.chunks(worlds)) {
            let differing = (0..worlds).filter(|w| counts[*w] != counts[0]);
            pixel.touched |= differing.fold(0, |bits, w| bits | 1 << w);
        }
        block.pixels = (0..worlds)
            .map(|w| sums.iter().skip(w).step_by(worlds).map(PixelSums::finish))
            .map(Iterator::collect)
            .collect();
        block.touched = pixels.iter().map(|p| p.touched).collect();
        block.coverage = pixels
            .iter()
            .map(|p| {
                let count: u32 = p.roles.iter().sum();
                Vec3::from(p.roles.map(|n| n as f32 / count as f32))
            })
            .collect();
        block
    }
}

/// Samples of one pixel that follow each other and are for the same worlds.
struct Stretch {
    /// Index in the block.
    pixel: usize,
    /// At most [`BATCH`].
    samples: Range<u32>,
    /// A bit each.
    worlds: u32,
}

/// All samples from number `from` on, pixel by pixel; `counts` has an entry for each world of each pixel.
fn stretches(from: u32, counts: &[u32], worlds: usize) -> impl Iterator<Item = Stretch> {
    let counts = counts.chunks(worlds).enumerate();
    counts.flat_map(move |(pixel, counts)| {
        let mut start = from;
        std::iter::from_fn(move || {
            // Up to where the first world has enough.
            let end = counts.iter().copied().filter(|n| *n > start).min()?;
            let samples = start..end.min(start + BATCH);
            let wanting = (0..worlds).filter(|w| counts[*w] >= end);
            let worlds = wanting.fold(0, |bits, w| bits | 1 << w);
            start = samples.end;
            Some(Stretch {
                pixel,
                samples,
                worlds,
            })
        })
    })
}

/// Traces stretches for the same `worlds` together and adds what they find to the sums of these worlds.
struct TraceStretches<'a> {
    tracer: &'a WorldTracer<'a>,
    worlds: u32,
    stretches: &'a [Stretch],
    pixels: &'a mut [PixelInWork],
    sums: &'a mut [PixelSums],
    batch: &'a mut Batch,
}

impl Kernel for TraceStretches<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) {
        let asked: Vec<_> = self
            .stretches
            .iter()
            .map(|stretch| (self.pixels[stretch.pixel].sampler, stretch.samples.clone()))
            .collect();
        self.tracer.trace(simd, &asked, self.worlds, self.batch);
        let scene = self.tracer.scene;
        let owners = self
            .stretches
            .iter()
            .flat_map(|stretch| stretch.samples.clone().map(|_| stretch.pixel));
        for ((pixel, found), touched) in owners.zip(self.batch.samples()).zip(self.batch.touched())
        {
            let first = pixel * scene.world_count;
            let own = &mut self.sums[first..first + scene.world_count];
            for (w, (sums, found)) in own.iter_mut().zip(found).enumerate() {
                if self.worlds >> w & 1 == 1 {
                    sums.add(found);
                }
            }
            let pixel = &mut self.pixels[pixel];
            pixel.touched |= touched;
            if self.worlds & 1 == 1 {
                let role = match found[0].first {
                    0 => Role::Background,
                    first => scene.instances[first as usize - 1].role,
                };
                pixel.roles[match role {
                    Role::Background => 0,
                    Role::Keep => 1,
                    Role::Remove => 2,
                }] += 1;
            }
        }
    }
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
