//! What the first surfaces say: base colour, normal, distance.

use glam::Vec3;

use super::planes::{Channel, Tile};
use super::weights::falloff;
use super::{DenoiseInput, Settings};

/// Regressors of the second pass, without the constant: albedo, normal, depth.
pub(super) const COUNT: usize = 7;

/// Feature pictures, and for each pixel how much difference is normal there.
pub(super) struct Features {
    /// Albedo (3), normal (3), depth (1).
    pub(super) channels: [Channel; COUNT],
    /// 1 / (squared tolerance + squared steepness) of albedo, normal and depth.
    tolerance: [Channel; 3],
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
        let [a, b, c] = Channel::three(width, height, &albedo);
        let [d, e, f] = Channel::three(width, height, &normal);
        let channels = [a, b, c, d, e, f, depth];
        let tolerance = [
            (0..3, settings.albedo_tolerance),
            (3..6, settings.normal_tolerance),
            (6..7, settings.depth_tolerance),
        ]
        .map(|(range, tolerance)| inverse_tolerance(width, height, &channels[range], tolerance));
        Self {
            channels,
            tolerance,
            inside: Channel::inside(width, height),
        }
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
            let own = |c: usize| self.channels[c].row(x, y, count);
            let other = |c: usize| self.channels[c].row(x + offset.0, y + offset.1, count);
            let scale = |g: usize| self.tolerance[g].row(x, y, count);
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

/// For each pixel 1 / (tolerance² + steepness²), where the steepness is the smaller step of each
/// axis: a slope is normal, the edge of an object is not.
fn inverse_tolerance(width: usize, height: usize, channels: &[Channel], tolerance: f32) -> Channel {
    // One step to a neighbour is half of a window of two.
    const STEP_WEIGHT: f32 = 4.0;
    Channel::new(width, height, |i| {
        let (x, y) = ((i % width) as isize, (i / width) as isize);
        let mut steepness = 0.0;
        for channel in channels {
            let own = channel.at(x, y);
            for (dx, dy) in [(1, 0), (0, 1)] {
                let before = (channel.at(x - dx, y - dy) - own).abs();
                let after = (channel.at(x + dx, y + dy) - own).abs();
                let step = before.min(after);
                steepness += step * step;
            }
        }
        1.0 / (tolerance * tolerance + STEP_WEIGHT * steepness)
    })
}
