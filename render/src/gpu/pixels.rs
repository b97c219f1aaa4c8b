//! Which pixels are traced together, in which order, and how many samples each gets.

use std::ops::Range;

use crate::film::PixelSums;
use crate::integrator::PathSettings;
use crate::integrator::counts::{BLOCK, BlockCounts};
use crate::integrator::worlds::WorldTracer;

/// Pixels that are traced together: whole blocks.
#[derive(Default)]
pub(super) struct PixelsInWork {
    /// Their numbers, block by block.
    pub(super) pixels: Vec<u32>,
    /// Of each block, with how many of the pixels are its.
    blocks: Vec<(BlockCounts, usize)>,
    /// Samples that each has when it is done, pixel by pixel, the worlds of each; and those that it has.
    pub(super) counts: Vec<u32>,
    pub(super) sums: Vec<PixelSums>,
}

impl PixelsInWork {
    /// Raises the counts of noisy pixels. Gives the first sample that is still to be traced, if one is.
    pub(super) fn ask_for_more(&mut self, settings: &PathSettings) -> Option<u32> {
        let mut start = 0;
        let mut pilot = None;
        for (block, pixels) in &self.blocks {
            let own = start..start + pixels * block.first.len();
            start = own.end;
            if let Some(samples) = block.pilot {
                let (sums, counts) = (&mut self.sums[own.clone()], &mut self.counts[own]);
                block.ask_for_more(samples, sums, counts, settings);
                pilot = pilot.or(counts.iter().any(|n| *n > samples).then_some(samples));
            }
        }
        pilot
    }
}

/// All pixels of a picture in blocks, as many blocks together as have room for their pixels in `capacity`, at least
/// one.
pub(super) fn chunks(
    tracer: &WorldTracer<'_>,
    [width, height]: [u32; 2],
    capacity: usize,
) -> impl Iterator<Item = PixelsInWork> {
    let mut blocks = scattered_blocks(width, height).into_iter().peekable();
    let fits = move |have: usize, [columns, rows]: &[Range<u32>; 2]| {
        have == 0 || have + columns.len() * rows.len() <= capacity
    };
    std::iter::from_fn(move || {
        blocks.peek()?;
        let mut chunk = PixelsInWork::default();
        while let Some([columns, rows]) = blocks.next_if(|block| fits(chunk.pixels.len(), block)) {
            let counts = BlockCounts::new(tracer, &columns, &rows);
            let own = along_morton(&columns, &rows, width);
            for count in counts.first.repeat(own.len()) {
                chunk.counts.push(count);
                chunk.sums.push(PixelSums::new(count));
            }
            chunk.blocks.push((counts, own.len()));
            chunk.pixels.extend(own);
        }
        Some(chunk)
    })
}

/// Columns and rows of all blocks of a picture, those that follow one another far apart: lavapipe gives each of its
/// threads one run of a dispatch's workgroups, so runs have to cost the same, whether sky or glass is in the
/// picture's upper half.
fn scattered_blocks(width: u32, height: u32) -> Vec<[Range<u32>; 2]> {
    let [columns, rows] = [width, height].map(|side| side.div_ceil(BLOCK));
    let blocks = columns * rows;
    let stride = scattering_stride(blocks);
    let block = |index: u64| {
        let block = (index * u64::from(stride) % u64::from(blocks)) as u32;
        let (left, top) = (block % columns * BLOCK, block / columns * BLOCK);
        [left..width.min(left + BLOCK), top..height.min(top + BLOCK)]
    };
    (0..u64::from(blocks)).map(block).collect()
}

/// Numbers of the pixels of a block along Morton's curve: those that are traced side by side, in one vector, are
/// neighbours.
fn along_morton(columns: &Range<u32>, rows: &Range<u32>, width: u32) -> Vec<u32> {
    (0..BLOCK * BLOCK)
        .filter_map(|place| {
            let column = columns.start + every_other_bit(place);
            let row = rows.start + every_other_bit(place >> 1);
            (columns.contains(&column) && rows.contains(&row)).then_some(row * width + column)
        })
        .collect()
}

/// Bits 0, 2 and 4 of a number below 64, moved together.
fn every_other_bit(number: u32) -> u32 {
    (number & 1) | (number >> 1 & 2) | (number >> 2 & 4)
}

/// A step that meets each of `count` places once before it comes back, near the golden section of their number:
/// the places met in any stretch of time are spread evenly.
fn scattering_stride(count: u32) -> u32 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let coprime = |stride: &u32| {
        let (mut a, mut b) = (*stride, count);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a == 1
    };
    // One less than their number shares no divisor with it.
    ((f64::from(count) * GOLDEN) as u32..count)
        .find(coprime)
        .unwrap_or(1)
}
