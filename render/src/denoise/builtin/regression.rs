//! Second pass: in the window around each pixel, the noisy colour is explained by the features,
//! linearly and weighted, and the explanation is read off at the pixel.

use glam::Vec3;
use rayon::prelude::*;

use super::features::{self, Features};
use super::planes::{Channel, LANES, Tile, assemble, tiles};
use super::prepare::Prepared;
use super::weights::{Guide, Scratch, patch_weights};
use super::{Settings, Stays};
use crate::accel::{Isa, Kernel, Simd8};

/// The weights of a tile for all offsets stay in the second-level cache.
const TILE: (usize, usize) = (32, 16);
/// Unknowns: a constant and one slope per feature.
const UNKNOWNS: usize = features::COUNT + 1;
/// Entries of the lower triangle of the normal equations.
const TRIANGLE: usize = UNKNOWNS * (UNKNOWNS + 1) / 2;
/// Neighbours below this weight do not widen the range that the result is kept in.
const COUNTS: f32 = 0.02;

/// Values of a block of pixels side by side.
type Block = [f32; LANES];

/// What patches are compared on: the pilot as it is, and divided by the base colour. Neighbours
/// that are alike in either sense count: the second lets texture be averaged over, since the
/// regression puts it back.
pub(super) struct Guides {
    pub(super) plain: Guide,
    pub(super) divided: Guide,
}

/// The denoised picture, but for the pixels that stay as they are.
pub(super) fn regress(
    (width, height): (usize, usize),
    noisy: &Prepared,
    stays: &Stays,
    guides: &Guides,
    features: &Features,
    settings: &Settings,
    isa: Isa,
) -> Vec<Vec3> {
    let color = Channel::three(width, height, &noisy.color);
    let noise = Channel::new(width, height, |i| noisy.variance[i].element_sum());
    let parts: Vec<_> = tiles(width, height, TILE)
        .into_par_iter()
        .map(|tile| {
            if stays.all(tile, 0) {
                return (tile, vec![Vec3::ZERO; tile.pixels()]);
            }
            let pixels = isa.dispatch(RegressionTile {
                color: &color,
                noise: &noise,
                stays,
                guides,
                features,
                search: settings.search as isize,
                slope_prior: settings.slope_prior,
                tile,
            });
            (tile, pixels)
        })
        .collect();
    assemble(width, height, &parts)
}

struct RegressionTile<'a> {
    color: &'a [Channel; 3],
    /// Sum of the channels' variances.
    noise: &'a Channel,
    stays: &'a Stays,
    guides: &'a Guides,
    features: &'a Features,
    search: isize,
    slope_prior: f32,
    tile: Tile,
}

impl Kernel for RegressionTile<'_> {
    type Output = Vec<Vec3>;

    #[inline(always)]
    fn run<S: Simd8>(self, _simd: S) -> Vec<Vec3> {
        let tile = self.tile;
        let weights = self.weights();
        let mut pixels = vec![Vec3::ZERO; tile.pixels()];
        for row in 0..tile.height {
            for column in (0..tile.width).step_by(LANES) {
                let lanes = LANES.min(tile.width - column);
                let block = Tile {
                    x: tile.x + column,
                    y: tile.y + row,
                    width: lanes,
                    height: 1,
                };
                if self.stays.all(block, 0) {
                    continue;
                }
                let sums = self.sums(&weights, row, column);
                let (x, y) = ((tile.x + column) as isize, (tile.y + row) as isize);
                let feature_noise = std::array::from_fn(|f| self.features.noise(f).block(x, y));
                let colors = sums.solve(&self.noise.block(x, y), &feature_noise, self.slope_prior);
                for lane in 0..lanes {
                    pixels[row * tile.width + column + lane] =
                        Vec3::from(colors.map(|channel| channel[lane]));
                }
            }
        }
        pixels
    }
}

impl RegressionTile<'_> {
    /// Weights of all offsets, one plane of [`TILE`] size after another; 0 beyond the tile.
    #[inline(always)]
    fn weights(&self) -> Vec<f32> {
        let (tile, stride) = (self.tile, TILE.0);
        let side = (2 * self.search + 1) as usize;
        let plane = TILE.0 * TILE.1;
        let mut scratch = Scratch::new(TILE, &self.guides.plain);
        let mut divided = vec![0.0; plane];
        let mut weights = vec![0.0_f32; side * side * plane];
        let mut planes = weights.chunks_exact_mut(plane);
        for dy in -self.search..=self.search {
            for dx in -self.search..=self.search {
                let Some(plain) = planes.next() else { break };
                if (dx, dy) == (0, 0) {
                    for row in plain.chunks_exact_mut(stride).take(tile.height) {
                        row[..tile.width].fill(1.0);
                    }
                    continue;
                }
                for (guide, out) in [
                    (&self.guides.plain, &mut *plain),
                    (&self.guides.divided, &mut divided[..]),
                ] {
                    patch_weights(guide, tile, (dx, dy), &mut scratch, out, stride);
                }
                self.features.weigh(tile, (dx, dy), true, plain, stride);
                self.features
                    .weigh(tile, (dx, dy), false, &mut divided, stride);
                for (weight, &other) in plain.iter_mut().zip(&divided) {
                    *weight = if other > *weight { other } else { *weight };
                }
            }
        }
        weights
    }

    /// The normal equations of the block of pixels that starts at (`column`, `row`) of the tile.
    #[inline(always)]
    fn sums(&self, weights: &[f32], row: usize, column: usize) -> Sums {
        let (x, y) = (
            (self.tile.x + column) as isize,
            (self.tile.y + row) as isize,
        );
        let own: [Block; features::COUNT] =
            std::array::from_fn(|f| self.features.channel(f).block(x, y));
        let mut sums = Sums::new();
        let mut at = row * TILE.0 + column;
        for dy in -self.search..=self.search {
            for dx in -self.search..=self.search {
                let mut weight = [0.0; LANES];
                weight.copy_from_slice(&weights[at..at + LANES]);
                at += TILE.0 * TILE.1;
                if weight == [0.0; LANES] {
                    continue;
                }
                let color: [Block; 3] =
                    std::array::from_fn(|c| self.color[c].block(x + dx, y + dy));
                let mut regressors = [[1.0; LANES]; UNKNOWNS];
                for f in 0..features::COUNT {
                    let other = self.features.channel(f).block(x + dx, y + dy);
                    for i in 0..LANES {
                        regressors[f + 1][i] = other[i] - own[f][i];
                    }
                }
                sums.add(&weight, &regressors, &color);
            }
        }
        sums
    }
}

/// Weighted sums over the window of a block of pixels.
struct Sums {
    /// Lower triangle of Σ w x xᵀ, row by row.
    matrix: [Block; TRIANGLE],
    /// Σ w x c of each colour channel.
    right: [[Block; UNKNOWNS]; 3],
    /// Smallest and largest colour of neighbours that count.
    low: [Block; 3],
    high: [Block; 3],
}

impl Sums {
    #[inline(always)]
    fn new() -> Self {
        Self {
            matrix: [[0.0; LANES]; TRIANGLE],
            right: [[[0.0; LANES]; UNKNOWNS]; 3],
            low: [[f32::INFINITY; LANES]; 3],
            high: [[0.0; LANES]; 3],
        }
    }

    #[inline(always)]
    fn add(&mut self, weight: &Block, regressors: &[Block; UNKNOWNS], color: &[Block; 3]) {
        let mut entry = 0;
        for u in 0..UNKNOWNS {
            let mut weighted = [0.0; LANES];
            for i in 0..LANES {
                weighted[i] = weight[i] * regressors[u][i];
            }
            for v in 0..=u {
                for i in 0..LANES {
                    self.matrix[entry][i] += weighted[i] * regressors[v][i];
                }
                entry += 1;
            }
            for c in 0..3 {
                for i in 0..LANES {
                    self.right[c][u][i] += weighted[i] * color[c][i];
                }
            }
        }
        for c in 0..3 {
            for i in 0..LANES {
                let value = color[c][i];
                // Selections, not branches, so that lanes stay together.
                let counts = weight[i] > COUNTS;
                let (low, high) = (self.low[c][i], self.high[c][i]);
                let lower = if value < low { value } else { low };
                let higher = if value > high { value } else { high };
                self.low[c][i] = if counts { lower } else { low };
                self.high[c][i] = if counts { higher } else { high };
            }
        }
    }

    /// The fitted colour at the block's pixels, where all regressors but the constant are 0.
    ///
    /// Slopes have a prior: no slope, with a standard deviation of `slope_prior` times the mean
    /// colour per unit of feature; so the ridge is (noise / mean)² / `slope_prior`². With little noise
    /// the features explain all they can; with much, the weighted mean remains. Noise of the features
    /// themselves adds to the ridge, since it would be fitted to the noise of the colour.
    #[inline(always)]
    fn solve(
        &self,
        noise: &Block,
        feature_noise: &[Block; features::COUNT],
        slope_prior: f32,
    ) -> [Block; 3] {
        /// Noise beyond this many times the squared mean says no more.
        const LARGEST_RELATIVE_NOISE: f32 = 10.0;
        /// Against singular equations: features that do not vary in the window.
        const SMALLEST_RIDGE: f64 = 1e-6;
        /// What is left of the features' noise after smoothing still follows that of the colour.
        const FEATURE_NOISE: f32 = 2.0;

        let mut ridge = [[0.0_f64; LANES]; UNKNOWNS];
        for i in 0..LANES {
            let mut squared = 0.0;
            for c in 0..3 {
                let mean = self.right[c][0][i] / self.matrix[0][i].max(f32::MIN_POSITIVE);
                squared += mean * mean;
            }
            let relative = (noise[i] / squared.max(1e-20)).min(LARGEST_RELATIVE_NOISE);
            let prior = f64::from(relative / (slope_prior * slope_prior)) + SMALLEST_RIDGE;
            for f in 0..features::COUNT {
                let errors = FEATURE_NOISE * self.matrix[0][i] * feature_noise[f][i];
                ridge[f + 1][i] = prior + f64::from(errors);
            }
        }

        // L D Lᵀ without square roots; `inverse` holds 1 / D.
        let mut lower = [[[0.0_f64; LANES]; UNKNOWNS]; UNKNOWNS];
        let mut scaled = lower;
        let mut inverse = [[0.0_f64; LANES]; UNKNOWNS];
        let mut entry = 0;
        for u in 0..UNKNOWNS {
            for v in 0..=u {
                for i in 0..LANES {
                    let mut x = f64::from(self.matrix[entry][i]);
                    if u == v {
                        x += ridge[u][i];
                    }
                    for k in 0..v {
                        x -= scaled[u][k][i] * lower[v][k][i];
                    }
                    if u == v {
                        // Rounding may eat a pivot that should be at least the ridge.
                        let floor = (ridge[u][i] * 0.5).max(f64::MIN_POSITIVE);
                        inverse[u][i] = 1.0 / if x > floor { x } else { floor };
                    } else {
                        scaled[u][v][i] = x;
                        lower[u][v][i] = x * inverse[v][i];
                    }
                }
                entry += 1;
            }
        }
        // First row of the inverse matrix: the weight of each right-hand side in the constant.
        let mut row = [[0.0_f64; LANES]; UNKNOWNS];
        row[0] = [1.0; LANES];
        for u in 1..UNKNOWNS {
            for k in 0..u {
                for i in 0..LANES {
                    row[u][i] -= lower[u][k][i] * row[k][i];
                }
            }
        }
        for u in (0..UNKNOWNS).rev() {
            for i in 0..LANES {
                row[u][i] *= inverse[u][i];
            }
            for k in u + 1..UNKNOWNS {
                for i in 0..LANES {
                    row[u][i] -= lower[k][u][i] * row[k][i];
                }
            }
        }
        let mut colors = [[0.0; LANES]; 3];
        for c in 0..3 {
            for i in 0..LANES {
                let mut value = 0.0;
                for u in 0..UNKNOWNS {
                    value += row[u][i] * f64::from(self.right[c][u][i]);
                }
                // A linear fit may overshoot where features are few and far between.
                let value = value as f32;
                let value = if value > self.low[c][i] {
                    value
                } else {
                    self.low[c][i]
                };
                colors[c][i] = if value < self.high[c][i] {
                    value
                } else {
                    self.high[c][i]
                };
            }
        }
        colors
    }
}
