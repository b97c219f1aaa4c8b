//! Straight extrusions of a plane outline with rounded rims.

use core::f32::consts::FRAC_PI_2;

use glam::{Vec2, Vec3};

use super::outline::{PathPoint, perimeter};
use super::surface::{Surface, Vertex};

/// Segments of the rim's quarter round.
const RIM_STEPS: usize = 4;

/// An outline in the XY plane, extruded over z ∈ [−half_height, half_height].
pub(super) struct Prism<'a> {
    /// Counter-clockwise and closed. Convex fillets must be at least as large as `rim`.
    pub(super) outline: &'a [PathPoint],
    /// Metres.
    pub(super) half_height: f32,
    /// Radius of the rounded rims.
    pub(super) rim: f32,
}

impl Prism<'_> {
    /// Position of the outline's sample `index` where the surface leans by `angle` towards ±Z.
    fn point(&self, index: usize, row: usize) -> (Vec3, Vec3) {
        let steps = RIM_STEPS;
        let sample = self.outline[index % self.outline.len()];
        let top = row > steps;
        let step = if top { row - steps - 1 } else { steps - row };
        let (sine, cosine) = match step {
            0 => (0.0, 1.0),
            RIM_STEPS => (1.0, 0.0),
            _ => {
                let angle = FRAC_PI_2 * step as f32 / steps as f32;
                (libm::sinf(angle), libm::cosf(angle))
            }
        };
        let sign = if top { 1.0 } else { -1.0 };
        let at = sample.at - sample.normal * (self.rim * (1.0 - cosine));
        let z = sign * (self.half_height - self.rim * (1.0 - sine));
        (
            at.extend(z),
            Vec3::new(
                sample.normal.x * cosine,
                sample.normal.y * cosine,
                sign * sine,
            ),
        )
    }

    /// Adds the side with both rims.
    pub(super) fn add_side(&self, surface: &mut Surface) {
        let count = self.outline.len();
        let around = perimeter(self.outline);
        let repeats = around.round().max(1.0);
        surface.grid(2 * RIM_STEPS + 2, count + 1, |row, column| {
            let (position, normal) = self.point(column, row);
            let travelled = if column == count {
                around
            } else {
                self.outline[column].length
            };
            Vertex {
                position,
                normal,
                uv: Vec2::new(travelled / around * repeats, 0.5 - position.z),
            }
        });
    }

    /// Border of the flat top (or bottom), seen counter-clockwise from +Z.
    pub(super) fn cap_border(&self, top: bool) -> Vec<Vertex> {
        let row = if top { 2 * RIM_STEPS + 1 } else { 0 };
        (0..self.outline.len())
            .map(|index| cap_vertex(self.point(index, row).0, top))
            .collect()
    }

    /// The closed solid: side and both caps.
    pub(super) fn add_to(&self, surface: &mut Surface) {
        self.add_side(surface);
        surface.fill(&self.cap_border(true));
        let mut bottom = self.cap_border(false);
        bottom.reverse();
        surface.fill(&bottom);
    }
}

/// A vertex of a level face, mapped from above (from below for the bottom).
pub(super) fn cap_vertex(position: Vec3, top: bool) -> Vertex {
    let sign = if top { 1.0 } else { -1.0 };
    Vertex {
        position,
        normal: Vec3::Z * sign,
        uv: Vec2::new(position.x + 0.5, 0.5 - position.y * sign),
    }
}

/// A convex piece: a polygon over a height range.
pub(super) fn prism_piece(polygon: &[Vec2], low: f32, high: f32) -> Vec<Vec3> {
    polygon
        .iter()
        .flat_map(|p| [p.extend(low), p.extend(high)])
        .collect()
}
