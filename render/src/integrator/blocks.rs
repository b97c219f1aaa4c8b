//! Pixels traced block by block on the CPU: as many samples of each as `counts` says, and what comes of them.

use std::ops::Range;

use diorama_synth::shot::Role;
use glam::Vec3;

use super::counts::{BlockCounts, worlds_unlike_first};
use super::worlds::{BATCH, Batch, WorldTracer};
use crate::accel::{Kernel, Simd8};
use crate::film::{Pixel, PixelSums};
use crate::kernels::sampler::PixelSampler;

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
        let worlds = self.tracer.scene.world_count;
        let asked = BlockCounts::new(self.tracer, &self.columns, &self.rows);
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
        let mut counts = asked.first.repeat(pixels.len());
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
        if let Some(pilot) = asked.pilot {
            asked.ask_for_more(pilot, &mut sums, &mut counts, &self.tracer.settings);
            block.rays = trace_from(pilot, &mut pixels, &mut sums, &counts);
        }
        for (pixel, counts) in pixels.iter_mut().zip(counts.chunks(worlds)) {
            pixel.touched |= worlds_unlike_first(counts);
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
