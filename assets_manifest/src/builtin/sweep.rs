//! Tubes along curves in space, and the fillets that join them to a body.

use core::f32::consts::{FRAC_PI_2, TAU};

use glam::{Vec2, Vec3};

use super::lathe::circle;
use super::surface::{Surface, Vertex};

/// One cross-section of a tube.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// Centre.
    pub(super) centre: Vec3,
    /// Unit direction of travel.
    pub(super) tangent: Vec3,
    /// Unit vector across; `side × up = tangent`.
    pub(super) side: Vec3,
    /// Unit vector across.
    pub(super) up: Vec3,
    /// Radii along `side` and `up`.
    pub(super) radius: Vec2,
    /// Growth of the radius per metre travelled.
    pub(super) growth: f32,
    /// Distance travelled, metres.
    pub(super) length: f32,
}

impl Section {
    /// A vertex of the section in the direction `(cos, sin)`; `uv.x` is left 0.
    fn vertex(&self, direction: Vec2) -> Vertex {
        let offset =
            self.side * (direction.x * self.radius.x) + self.up * (direction.y * self.radius.y);
        // Gradient of the ellipse, leaning back where the tube widens.
        let across = (self.side * (direction.x * self.radius.y)
            + self.up * (direction.y * self.radius.x))
            .normalize_or(self.side);
        Vertex {
            position: self.centre + offset,
            normal: (across - self.tangent * self.growth).normalize_or(across),
            uv: Vec2::new(0.0, -self.length),
        }
    }

    /// `count` vertices around, counter-clockwise seen against the direction of travel.
    pub(super) fn ring(&self, count: usize) -> Vec<Vertex> {
        circle(count)
            .into_iter()
            .map(|direction| self.vertex(direction))
            .collect()
    }
}

/// Sections along a curve, with frames that do not twist (double reflection, Wang et al. 2008,
/// "Computation of rotation minimizing frames"). A closed curve's remaining twist is spread evenly.
///
/// `radius(t)` gives the radii at the share t of the length, 0 ..= 1. `side` is a hint for the first
/// section's `side`.
pub(super) fn sections(
    points: &[Vec3],
    closed: bool,
    side: Vec3,
    radius: impl Fn(f32) -> Vec2,
) -> Vec<Section> {
    let count = points.len();
    let neighbours = |index: usize| {
        if closed {
            (
                points[(index + count - 1) % count],
                points[(index + 1) % count],
            )
        } else {
            (
                points[index.saturating_sub(1)],
                points[(index + 1).min(count - 1)],
            )
        }
    };
    let tangents: Vec<Vec3> = (0..count)
        .map(|index| {
            let (before, after) = neighbours(index);
            (after - before).normalize_or(Vec3::Z)
        })
        .collect();
    let lengths: Vec<f32> = points
        .iter()
        .scan((points[0], 0.0), |(last, length), point| {
            *length += last.distance(*point);
            *last = *point;
            Some(*length)
        })
        .collect();
    let closing = if closed {
        points[count - 1].distance(points[0])
    } else {
        0.0
    };
    let total = lengths[count - 1] + closing;

    let first = (side - tangents[0] * side.dot(tangents[0]))
        .normalize_or(tangents[0].any_orthonormal_vector());
    let mut sides = vec![first];
    let carry = |from: usize, to: usize, side: Vec3| {
        let step = points[to] - points[from];
        let reflected = side - step * (2.0 * step.dot(side) / step.length_squared());
        let tangent =
            tangents[from] - step * (2.0 * step.dot(tangents[from]) / step.length_squared());
        let second = tangents[to] - tangent;
        let length = second.length_squared();
        let carried = if length > 1e-12 {
            reflected - second * (2.0 * second.dot(reflected) / length)
        } else {
            reflected
        };
        (carried - tangents[to] * carried.dot(tangents[to])).normalize_or(carried)
    };
    for index in 1..count {
        let next = carry(index - 1, index, sides[index - 1]);
        sides.push(next);
    }
    let twist = if closed {
        let back = carry(count - 1, 0, sides[count - 1]);
        libm::atan2f(back.cross(first).dot(tangents[0]), back.dot(first))
    } else {
        0.0
    };
    (0..count)
        .map(|index| {
            let share = lengths[index] / total;
            let tangent = tangents[index];
            let angle = twist * share;
            let side =
                sides[index] * libm::cosf(angle) + tangent.cross(sides[index]) * libm::sinf(angle);
            let step = 1e-3;
            let growth = (radius((share + step).min(1.0)) - radius((share - step).max(0.0)))
                .element_sum()
                * 0.5
                / (((share + step).min(1.0) - (share - step).max(0.0)) * total);
            Section {
                centre: points[index],
                tangent,
                side,
                up: tangent.cross(side),
                radius: radius(share),
                growth,
                length: lengths[index],
            }
        })
        .collect()
}

/// Texture repeats around a tube of this radius.
fn repeats(section: &Section) -> f32 {
    (TAU * section.radius.max_element()).round().max(1.0)
}

/// Adds the wall of a tube; `sides` vertices around. A closed tube also joins its last section to the
/// first.
pub(super) fn add_tube(surface: &mut Surface, sections: &[Section], sides: usize, closed: bool) {
    let directions = circle(sides);
    let repeats = repeats(&sections[0]);
    let total = sections[sections.len() - 1].length
        + sections[sections.len() - 1]
            .centre
            .distance(sections[0].centre);
    // A closed tube's texture must close too.
    let (v_scale, v_end) = if closed {
        (total.round().max(1.0) / total, -total.round().max(1.0))
    } else {
        (1.0, 0.0)
    };
    let rows = sections.len() + usize::from(closed);
    surface.grid(rows, sides + 1, |row, column| {
        let mut vertex = sections[row % sections.len()].vertex(directions[column % sides]);
        vertex.uv = Vec2::new(
            column as f32 / sides as f32 * repeats,
            if row == sections.len() {
                v_end
            } else {
                vertex.uv.y * v_scale
            },
        );
        vertex
    });
}

/// Adds a half-ball end to a tube at `section`; `forward`: at its far end, otherwise at its near end.
pub(super) fn add_round_end(surface: &mut Surface, section: &Section, sides: usize, forward: bool) {
    const STEPS: usize = 6;
    let directions = circle(sides);
    let way = if forward {
        section.tangent
    } else {
        -section.tangent
    };
    let depth = section.radius.min_element();
    surface.grid(STEPS + 1, sides + 1, |row, column| {
        let angle = FRAC_PI_2 * row as f32 / STEPS as f32;
        let (sine, cosine) = if row == STEPS {
            (1.0, 0.0)
        } else {
            (libm::sinf(angle), libm::cosf(angle))
        };
        let rim = Section {
            growth: 0.0,
            ..*section
        }
        .vertex(directions[column % sides]);
        let tip = section.centre + way * (depth * sine);
        Vertex {
            // Row 0 is the tube's own last ring, bit for bit.
            position: match row {
                0 => rim.position,
                STEPS => tip,
                _ => tip + (rim.position - section.centre) * cosine,
            },
            normal: (rim.normal * cosine + way * sine).normalize_or(way),
            uv: Vec2::new(
                column as f32 / sides as f32 * repeats(section),
                rim.uv.y - if forward { angle } else { -angle } * depth,
            ),
        }
    });
}

/// Adds a smooth fillet from a hole's border in a body to the first ring of a tube.
///
/// Both run counter-clockwise seen from outside the body and have the same number of vertices.
/// `away` is the direction in which the tube leaves the body at the ring.
pub(super) fn add_fillet(surface: &mut Surface, border: &[Vertex], ring: &[Vertex], away: Vec3) {
    const STEPS: usize = 7;
    let count = border.len();
    let shift = (0..count)
        .min_by(|a, b| {
            let cost = |shift: usize| -> f32 {
                (0..count)
                    .map(|k| {
                        border[k]
                            .position
                            .distance_squared(ring[(k + shift) % count].position)
                    })
                    .sum()
            };
            cost(*a).total_cmp(&cost(*b))
        })
        .unwrap_or(0);
    let target = |k: usize| &ring[(k + shift) % count];
    let centre = ring.iter().map(|v| v.position).sum::<Vec3>() / count as f32;
    let point = |row: usize, k: usize| {
        let (from, to) = (&border[k % count], target(k % count));
        match row {
            0 => return from.position,
            STEPS => return to.position,
            _ => {}
        }
        let inwards = centre - from.position;
        let along = (inwards - from.normal * inwards.dot(from.normal)).normalize_or(away);
        let span = from.position.distance(to.position);
        // Cubic Bézier: leaves in the body's tangent plane, arrives along the tube.
        let control = [
            from.position,
            from.position + along * (span * 0.45),
            to.position - away * (span * 0.45),
            to.position,
        ];
        let t = row as f32 / STEPS as f32;
        let s = 1.0 - t;
        control[0] * (s * s * s)
            + control[1] * (3.0 * s * s * t)
            + control[2] * (3.0 * s * t * t)
            + control[3] * (t * t * t)
    };
    surface.grid(STEPS + 1, count + 1, |row, column| {
        let (from, to) = (&border[column % count], target(column % count));
        let outward = from.normal.lerp(to.normal, row as f32 / STEPS as f32);
        let normal = match row {
            0 => from.normal,
            STEPS => to.normal,
            _ => {
                let along = point(row + 1, column) - point(row - 1, column);
                let around = point(row, column + 1) - point(row, column + count - 1);
                let normal = along.cross(around).normalize_or(outward);
                if normal.dot(outward) < 0.0 {
                    -normal
                } else {
                    normal
                }
            }
        };
        // The body's texture goes on over the fillet.
        let position = point(row, column);
        let moved = position - from.position;
        let east = Vec3::Z.cross(from.normal).normalize_or(Vec3::X);
        let north = from.normal.cross(east);
        Vertex {
            position,
            normal,
            uv: border[column % count].uv + Vec2::new(moved.dot(east), -moved.dot(north)),
        }
    });
}

/// Convex pieces of a tube: hulls of neighbouring sections, `stride` sections long.
pub(super) fn tube_pieces(sections: &[Section], stride: usize, closed: bool) -> Vec<Vec<Vec3>> {
    const SIDES: usize = 10;
    let count = sections.len();
    let ring = |index: usize| {
        sections[index % count]
            .ring(SIDES)
            .into_iter()
            .map(|v| v.position)
    };
    let last = if closed { count } else { count - 1 };
    (0..last)
        .step_by(stride)
        .map(|from| {
            let to = (from + stride).min(last);
            // The middle ring keeps the outside of a bend.
            ring(from)
                .chain(ring(usize::midpoint(from, to)))
                .chain(ring(to))
                .collect()
        })
        .collect()
}
