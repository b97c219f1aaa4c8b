//! What the first surfaces say: base colour, normal, distance.

use glam::Vec3;
use rayon::prelude::*;

use super::planes::{Channel, Tile};
use super::weights::falloff;
use super::{DenoiseInput, Settings};

/// Regressors of the second pass, without the constant: albedo, normal, depth.
pub(super) const COUNT: usize = 7;

/// Feature pictures, and for each pixel how much difference is normal there.
pub(super) struct Features {
    /// Albedo, normal, depth.
    groups: [Group; 3],
    inside: Channel,
}

impl Features {
    pub(super) fn new(input: &DenoiseInput, settings: &Settings) -> Self {
        let (width, height) = (input.width, input.height);
        let finite = |v: Vec3| if v.is_finite() { v } else { Vec3::ZERO };
        let albedo: Vec<Vec3> = input.albedo.iter().map(|&a| finite(a)).collect();
        let normal: Vec<Vec3> = input.normal.iter().map(|&n| finite(n)).collect();
        // Depth without a unit and without an end: d / (d + median), so that scenes of any size and
        // an infinite background behave alike.
        let seen = |d: f32| d.is_finite() && d > 0.0;
        let mut depths: Vec<f32> = input.depth.iter().copied().filter(|&d| seen(d)).collect();
        depths.sort_unstable_by(f32::total_cmp);
        let median = depths.get(depths.len() / 2).copied().unwrap_or(1.0);
        let depth = Channel::new(width, height, |i| {
            let d = input.depth[i];
            if seen(d) { d / (d + median) } else { 0.0 }
        });
        let variance = |group: usize, i: usize| {
            let stated = input.feature_variance[i][group];
            let stated = if stated.is_finite() {
                stated.max(0.0)
            } else {
                0.0
            };
            if group < 2 {
                return stated;
            }
            let d = if seen(input.depth[i]) {
                input.depth[i]
            } else {
                0.0
            };
            let slope = median / ((d + median) * (d + median));
            let scaled = stated * slope * slope;
            if scaled.is_finite() { scaled } else { 0.0 }
        };
        let group = |index: usize, channels: Vec<Channel>, tolerance: f32| {
            Group::new((width, height), channels, |i| variance(index, i), tolerance)
        };
        let albedo = Channel::three(width, height, &albedo).to_vec();
        let normal = Channel::three(width, height, &normal).to_vec();
        Self {
            groups: [
                group(0, albedo, settings.albedo_tolerance),
                group(1, normal, settings.normal_tolerance),
                group(2, vec![depth], settings.depth_tolerance),
            ],
            inside: Channel::inside(width, height),
        }
    }

    /// Albedo (3), normal (3), depth (1).
    #[inline(always)]
    pub(super) fn channel(&self, index: usize) -> &Channel {
        &self.groups[index / 3].channels[index % 3]
    }

    /// Variance of the noise of feature `index`, of which part is left in [`Self::channel`].
    #[inline(always)]
    pub(super) fn noise(&self, index: usize) -> &Channel {
        &self.groups[index / 3].noise
    }

    /// Multiplies the weights of the tile's pixels by how alike the features of each and of the one
    /// at `offset` are; 0 outside the picture. Without `with_albedo` the base colour may differ.
    #[inline(always)]
    pub(super) fn weigh(
        &self,
        tile: Tile,
        offset: (isize, isize),
        with_albedo: bool,
        weights: &mut [f32],
        stride: usize,
    ) {
        let count = tile.width;
        let albedo_counts = if with_albedo { 1.0 } else { 0.0 };
        for row in 0..tile.height {
            let (x, y) = (tile.x as isize, (tile.y + row) as isize);
            let own = |c: usize| self.channel(c).row(x, y, count);
            let other = |c: usize| self.channel(c).row(x + offset.0, y + offset.1, count);
            let scale = |g: usize| self.groups[g].inverse_tolerance.row(x, y, count);
            let inside = self.inside.row(x + offset.0, y + offset.1, count);
            let (p0, p1, p2, p3, p4, p5, p6) =
                (own(0), own(1), own(2), own(3), own(4), own(5), own(6));
            let (q0, q1, q2, q3, q4, q5, q6) = (
                other(0),
                other(1),
                other(2),
                other(3),
                other(4),
                other(5),
                other(6),
            );
            let (s0, s1, s2) = (scale(0), scale(1), scale(2));
            let weights = &mut weights[row * stride..row * stride + count];
            let squared = |a: f32, b: f32| (a - b) * (a - b);
            for i in 0..count {
                let albedo = squared(p0[i], q0[i]) + squared(p1[i], q1[i]) + squared(p2[i], q2[i]);
                let normal = squared(p3[i], q3[i]) + squared(p4[i], q4[i]) + squared(p5[i], q5[i]);
                let depth = squared(p6[i], q6[i]);
                let a = albedo * s0[i] * albedo_counts;
                let n = normal * s1[i];
                let z = depth * s2[i];
                let an = if a > n { a } else { n };
                let worst = if an > z { an } else { z };
                weights[i] *= falloff(worst) * inside[i];
            }
        }
    }
}

/// One feature.
struct Group {
    /// Its components, smoothed where they are noisy.
    channels: Vec<Channel>,
    /// For each pixel 1 / (tolerance² + steepness² + noise), where the steepness is the smaller step
    /// of each axis: a slope is normal, the edge of an object is not.
    inverse_tolerance: Channel,
    /// Variance that one component had before it was smoothed.
    noise: Channel,
}

impl Group {
    fn new(
        size: (usize, usize),
        noisy: Vec<Channel>,
        variance: impl Fn(usize) -> f32,
        tolerance: f32,
    ) -> Self {
        /// One step to a neighbour is half of a window of two.
        const STEP_WEIGHT: f32 = 4.0;
        let (width, height) = size;
        let noise = noise(size, &noisy, variance);
        let (channels, noise_left) = smooth(size, noisy, &noise);
        let inverse_tolerance = Channel::new(width, height, |i| {
            let (x, y) = ((i % width) as isize, (i / width) as isize);
            let mut steepness = 0.0;
            for channel in &channels {
                let own = channel.at(x, y);
                for (dx, dy) in [(1, 0), (0, 1)] {
                    let before = (channel.at(x - dx, y - dy) - own).abs();
                    let after = (channel.at(x + dx, y + dy) - own).abs();
                    let step = before.min(after);
                    steepness += step * step;
                }
            }
            let noise = NOISE_WEIGHT * noise_left.at(x, y);
            1.0 / (tolerance * tolerance + STEP_WEIGHT * steepness + noise)
        });
        let share = 1.0 / channels.len() as f32;
        Self {
            noise: Channel::new(width, height, |i| {
                share * noise.at((i % width) as isize, (i / width) as isize)
            }),
            channels,
            inverse_tolerance,
        }
    }
}

/// Two pixels of the same expectation differ by twice the variance on average; their weight is to
/// stay high.
const NOISE_WEIGHT: f32 = 8.0;

/// Variance of the features' noise, summed over `channels`: the smaller one of
///
/// * the stated variance, which also counts what well-placed samples average out (edges, texture);
/// * the mean square of second differences, which also counts texture,
///
/// each as the mean of 3 × 3 pixels in that of the four directions where it is least, so that the edge
/// of an object is not taken for noise.
fn noise(
    (width, height): (usize, usize),
    channels: &[Channel],
    variance: impl Fn(usize) -> f32,
) -> Channel {
    /// (1 + ¼ + ¼) σ² for each of two axes.
    const GAIN: f32 = 3.0;
    let stated = Channel::new(width, height, variance);
    if stated.is_zero() {
        return stated;
    }
    let rough = Channel::new(width, height, |i| {
        let (x, y) = ((i % width) as isize, (i / width) as isize);
        let mut sum = 0.0;
        for channel in channels {
            let own = channel.at(x, y);
            for (dx, dy) in [(1, 0), (0, 1)] {
                let beside = 0.5 * (channel.at(x - dx, y - dy) + channel.at(x + dx, y + dy));
                sum += (own - beside) * (own - beside);
            }
        }
        sum / GAIN
    });
    let (stated, rough) = (
        least_mean((width, height), &stated),
        least_mean((width, height), &rough),
    );
    Channel::new(width, height, |i| stated[i].min(rough[i]))
}

/// The least of the means over 3 × 3 pixels that lie in the four diagonal directions.
fn least_mean((width, height): (usize, usize), values: &Channel) -> Vec<f32> {
    const AWAY: isize = 2;
    let mean = Channel::new(width, height, |i| {
        let (x, y) = ((i % width) as isize, (i / width) as isize);
        let mut sum = 0.0;
        for dy in -1..=1 {
            for value in values.row(x - 1, y + dy, 3) {
                sum += value;
            }
        }
        sum / 9.0
    });
    (0..width * height)
        .map(|i| {
            let (x, y) = ((i % width) as isize, (i / width) as isize);
            [(-AWAY, -AWAY), (AWAY, -AWAY), (-AWAY, AWAY), (AWAY, AWAY)]
                .iter()
                .map(|&(dx, dy)| mean.at(x + dx, y + dy))
                .fold(f32::INFINITY, f32::min)
        })
        .collect()
}

/// Noisy features averaged with their like: a regression would carry their noise into the picture.
/// Gives the channels and the noise left in them.
fn smooth(
    (width, height): (usize, usize),
    noisy: Vec<Channel>,
    noise: &Channel,
) -> (Vec<Channel>, Channel) {
    /// Noise below this standard deviation does no harm.
    const HARMLESS: f32 = 0.004;
    if noise.is_zero() {
        return (noisy, noise.clone());
    }
    let averaged: Vec<([f32; 3], f32)> = (0..width * height)
        .into_par_iter()
        .map(|i| {
            let (x, y) = ((i % width) as isize, (i / width) as isize);
            let own: [f32; 3] = std::array::from_fn(|c| noisy.get(c).map_or(0.0, |n| n.at(x, y)));
            let own_noise = noise.at(x, y);
            if own_noise < HARMLESS * HARMLESS {
                return (own, own_noise);
            }
            let (mut sums, mut total, mut squares) = ([0.0; 3], 0.0, 0.0);
            for dy in -SMOOTHING..=SMOOTHING {
                for dx in -SMOOTHING..=SMOOTHING {
                    let (p, q) = (x + dx, y + dy);
                    let other: [f32; 3] =
                        std::array::from_fn(|c| noisy.get(c).map_or(0.0, |n| n.at(p, q)));
                    let mut distance = 0.0;
                    for c in 0..3 {
                        distance += (own[c] - other[c]) * (own[c] - other[c]);
                    }
                    let scale = 0.5 * NOISE_WEIGHT * (own_noise + noise.at(p, q));
                    let weight = falloff(distance / scale);
                    total += weight;
                    squares += weight * weight;
                    for c in 0..3 {
                        sums[c] += weight * other[c];
                    }
                }
            }
            (
                sums.map(|s| s / total),
                own_noise * squares / (total * total),
            )
        })
        .collect();
    let channels = (0..noisy.len())
        .map(|c| Channel::new(width, height, |i| averaged[i].0[c]))
        .collect();
    (channels, Channel::new(width, height, |i| averaged[i].1))
}

/// Radius of the window of [`smooth`], pixels.
const SMOOTHING: isize = 5;
