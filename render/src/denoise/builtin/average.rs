//! First pass: a weighted mean, the pilot that the second pass compares patches on.

use glam::Vec3;
use rayon::prelude::*;

use super::Stays;
use super::features::Features;
use super::planes::{Channel, Tile, assemble, tiles};
use super::prepare::Prepared;
use super::weights::{Comparison, Guide, Scratch, patch_weights};
use crate::accel::{Isa, Kernel, Simd8};

/// Weights need no storage here: a large tile wastes less on the rims of patches.
const TILE: (usize, usize) = (64, 32);

/// Picture and the variance left in it.
pub(super) struct Pilot {
    pub(super) color: Vec<Vec3>,
    pub(super) variance: Vec<Vec3>,
}

/// Weighted mean over a window of (2 `search` + 1)² pixels, where some pixel within `reach` does not stay as
/// it is.
pub(super) fn average(
    (width, height): (usize, usize),
    noisy: &Prepared,
    features: &Features,
    (stays, reach, search): (&Stays, usize, isize),
    comparison: Comparison,
    isa: Isa,
) -> Pilot {
    let guide = Guide::new(
        (width, height),
        &noisy.color,
        &noisy.variance,
        &noisy.variance,
        comparison,
    );
    let color = Channel::three(width, height, &noisy.color);
    let variance = Channel::three(width, height, &noisy.variance);
    let parts: Vec<_> = tiles(width, height, TILE)
        .into_par_iter()
        .map(|tile| {
            if stays.all(tile, reach) {
                let nothing = vec![Vec3::ZERO; tile.pixels()];
                return ((tile, nothing.clone()), (tile, nothing));
            }
            let pilot = isa.dispatch(AverageTile {
                guide: &guide,
                color: &color,
                variance: &variance,
                features,
                search,
                tile,
            });
            ((tile, pilot.color), (tile, pilot.variance))
        })
        .collect();
    let (color, variance): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Pilot {
        color: assemble(width, height, &color),
        variance: assemble(width, height, &variance),
    }
}

struct AverageTile<'a> {
    guide: &'a Guide,
    color: &'a [Channel; 3],
    variance: &'a [Channel; 3],
    features: &'a Features,
    search: isize,
    tile: Tile,
}

impl Kernel for AverageTile<'_> {
    type Output = Pilot;

    #[inline(always)]
    fn run<S: Simd8>(self, _simd: S) -> Pilot {
        let tile = self.tile;
        let (stride, pixels) = (tile.width, tile.pixels());
        let mut scratch = Scratch::new(TILE, self.guide);
        let mut weights = vec![0.0_f32; pixels];
        let mut total = vec![0.0_f32; pixels];
        let mut color: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; pixels]);
        let mut variance = color.clone();
        for dy in -self.search..=self.search {
            for dx in -self.search..=self.search {
                if (dx, dy) == (0, 0) {
                    weights.fill(1.0);
                } else {
                    patch_weights(
                        self.guide,
                        tile,
                        (dx, dy),
                        &mut scratch,
                        &mut weights,
                        stride,
                    );
                    self.features
                        .weigh(tile, (dx, dy), true, &mut weights, stride);
                }
                for row in 0..tile.height {
                    let range = row * stride..(row + 1) * stride;
                    let (x, y) = (tile.x as isize + dx, (tile.y + row) as isize + dy);
                    let w = &weights[range.clone()];
                    for (sum, w) in total[range.clone()].iter_mut().zip(w) {
                        *sum += w;
                    }
                    for c in 0..3 {
                        let values = self.color[c].row(x, y, stride);
                        let sums = &mut color[c][range.clone()];
                        for i in 0..stride {
                            sums[i] += w[i] * values[i];
                        }
                        let values = self.variance[c].row(x, y, stride);
                        let sums = &mut variance[c][range.clone()];
                        for i in 0..stride {
                            sums[i] += w[i] * w[i] * values[i];
                        }
                    }
                }
            }
        }
        let gather = |sums: &[Vec<f32>; 3], i: usize| Vec3::new(sums[0][i], sums[1][i], sums[2][i]);
        Pilot {
            color: (0..pixels).map(|i| gather(&color, i) / total[i]).collect(),
            variance: (0..pixels)
                .map(|i| gather(&variance, i) / (total[i] * total[i]))
                .collect(),
        }
    }
}
