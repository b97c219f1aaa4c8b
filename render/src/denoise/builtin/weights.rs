//! Non-local means: how alike the surroundings of two pixels are, measured against their noise.

use glam::Vec3;

use super::planes::{Channel, Tile};

/// Keeps quotients finite where a picture is black and without noise; far below any radiance that
/// shows.
const TINY: f32 = 1e-12;

/// What patches are compared on.
pub(super) struct Guide {
    color: [Channel; 3],
    /// Variance of `color`.
    noise: [Channel; 3],
    /// Squared difference that counts as 1, together with the other pixel's.
    scale: [Channel; 3],
    /// Patches have (2 r + 1)² pixels.
    patch: usize,
}

/// How patches are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison {
    /// Patches have (2 r + 1)² pixels.
    pub(super) patch: usize,
    /// Share of the noise's standard deviation that counts as a difference of 1.
    pub(super) damping: f32,
    /// Relative difference that counts as 1 even without noise in the guide, as far as it is not
    /// above the noise of the picture: what was never noisy is not smoothed.
    pub(super) tolerance: f32,
}

/// Room for [`patch_weights`].
pub(super) struct Scratch {
    line: Vec<f32>,
    sums: Vec<f32>,
}

impl Scratch {
    /// For tiles of at most this size.
    pub(super) fn new(tile: (usize, usize), guide: &Guide) -> Self {
        let extra = 2 * guide.patch;
        Self {
            line: vec![0.0; tile.0 + extra],
            sums: vec![0.0; tile.0 * (tile.1 + extra)],
        }
    }
}

impl Guide {
    /// `variance` is that of `color`, `picture_variance` that of the picture to be denoised.
    pub(super) fn new(
        (width, height): (usize, usize),
        color: &[Vec3],
        variance: &[Vec3],
        picture_variance: &[Vec3],
        comparison: Comparison,
    ) -> Self {
        let damping = comparison.damping * comparison.damping;
        let tolerance = 2.0 * comparison.tolerance * comparison.tolerance;
        let scale: Vec<Vec3> = (0..color.len())
            .map(|i| {
                let tolerated = (tolerance * color[i] * color[i]).min(picture_variance[i]);
                damping * variance[i] + tolerated + Vec3::splat(TINY)
            })
            .collect();
        Self {
            color: Channel::three(width, height, color),
            noise: Channel::three(width, height, variance),
            scale: Channel::three(width, height, &scale),
            patch: comparison.patch,
        }
    }
}

/// exp(−x) for x ≥ 0, nearly: (1 − x/8)⁸, and 0 from 8 on.
#[inline(always)]
pub(super) fn falloff(x: f32) -> f32 {
    let rest = 1.0 - x * 0.125;
    let t = if rest > 0.0 { rest } else { 0.0 };
    let t = t * t;
    let t = t * t;
    t * t
}

/// Weight of the pixel at `offset` for each pixel of the tile: the falloff of the mean over the patch
/// of `(Δ² − noise) / scale`, where `noise` is what two pixels of the same
/// expectation would differ by (Rousselle et al. 2012, section 3.1).
///
/// Weights are written row by row, `stride` apart.
#[inline(always)]
pub(super) fn patch_weights(
    guide: &Guide,
    tile: Tile,
    offset: (isize, isize),
    scratch: &mut Scratch,
    weights: &mut [f32],
    stride: usize,
) {
    let radius = guide.patch;
    let wide = tile.width + 2 * radius;
    let x = tile.x as isize - radius as isize;
    for line in 0..tile.height + 2 * radius {
        let y = (tile.y + line) as isize - radius as isize;
        let distance = &mut scratch.line[..wide];
        distance.fill(0.0);
        for c in 0..3 {
            let p = guide.color[c].row(x, y, wide);
            let q = guide.color[c].row(x + offset.0, y + offset.1, wide);
            let noise_p = guide.noise[c].row(x, y, wide);
            let noise_q = guide.noise[c].row(x + offset.0, y + offset.1, wide);
            let scale_p = guide.scale[c].row(x, y, wide);
            let scale_q = guide.scale[c].row(x + offset.0, y + offset.1, wide);
            for i in 0..wide {
                let difference = p[i] - q[i];
                let smaller = if noise_p[i] < noise_q[i] {
                    noise_p[i]
                } else {
                    noise_q[i]
                };
                let excess = difference * difference - (noise_p[i] + smaller);
                distance[i] += excess / (scale_p[i] + scale_q[i]);
            }
        }
        let sums = &mut scratch.sums[line * tile.width..(line + 1) * tile.width];
        sums.copy_from_slice(&distance[..tile.width]);
        for step in 1..=2 * radius {
            let shifted = &distance[step..step + tile.width];
            for i in 0..tile.width {
                sums[i] += shifted[i];
            }
        }
    }
    let side = 2 * radius + 1;
    let mean = 1.0 / (3 * side * side) as f32;
    for row in 0..tile.height {
        let weights = &mut weights[row * stride..row * stride + tile.width];
        weights.fill(0.0);
        for line in row..row + side {
            let sums = &scratch.sums[line * tile.width..(line + 1) * tile.width];
            for i in 0..tile.width {
                weights[i] += sums[i];
            }
        }
        for weight in weights {
            let distance = *weight * mean;
            *weight = falloff(if distance > 0.0 { distance } else { 0.0 });
        }
    }
}
