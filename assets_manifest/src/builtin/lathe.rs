//! Surfaces of revolution about +Z, and the convex pieces that fill them.

use core::f32::consts::{FRAC_1_SQRT_2, TAU};

use glam::{Vec2, Vec3};

use super::outline::PathPoint;
use super::surface::{Surface, Vertex};

/// A profile (x = radius, y = height) turned about +Z. The path climbs on the outside.
pub(super) struct Lathe<'a> {
    path: &'a [PathPoint],
    closed: bool,
    directions: Vec<Vec2>,
    repeats: f32,
    mapping: Mapping,
}

/// How texture lies on the parts that are less than 45° from level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapping {
    /// Wrapped around like the rest: for balls.
    Wrapped,
    /// From above (below) where such a part reaches the axis: for vessels.
    FlatEnds,
    /// From above (below) everywhere: for machine parts.
    FlatLevels,
}

impl<'a> Lathe<'a> {
    /// An open path; where it ends clear of the axis, another patch must join.
    pub(super) fn open(path: &'a [PathPoint], columns: usize, mapping: Mapping) -> Self {
        Self::new(path, columns, mapping, false)
    }

    /// A closed path that stays clear of the axis.
    pub(super) fn closed(path: &'a [PathPoint], columns: usize, mapping: Mapping) -> Self {
        Self::new(path, columns, mapping, true)
    }

    fn new(path: &'a [PathPoint], columns: usize, mapping: Mapping, closed: bool) -> Self {
        let widest = path.iter().fold(0.0_f32, |w, point| w.max(point.at.x));
        Self {
            path,
            closed,
            directions: circle(columns),
            repeats: (TAU * widest).round().max(1.0),
            mapping,
        }
    }

    /// The vertex at a row and a column, both modulo their number; texture wrapped around.
    pub(super) fn vertex(&self, row: usize, column: usize) -> Vertex {
        let columns = self.directions.len();
        let direction = self.directions[column % columns];
        let PathPoint { at, normal, .. } = self.path[row % self.path.len()];
        let length = match self.path.get(row) {
            Some(point) => point.length,
            None => super::outline::perimeter(self.path),
        };
        // At a pole the tips of the fan sit half way between the columns.
        let half = if at.x == 0.0 { 0.5 } else { 0.0 };
        Vertex {
            position: Vec3::new(direction.x * at.x, direction.y * at.x, at.y),
            normal: Vec3::new(direction.x * normal.x, direction.y * normal.x, normal.y),
            uv: Vec2::new(
                (column as f32 + half) / columns as f32 * self.repeats,
                -length,
            ),
        }
    }

    /// Adds the quads from (row, column) to (row + 1, column + 1) for which `keep` holds.
    pub(super) fn add_to(&self, surface: &mut Surface, keep: impl Fn(usize, usize) -> bool) {
        let columns = self.directions.len();
        let quads = self.path.len() - usize::from(!self.closed);
        // Is the strip from this row to the next mapped from above (1), below (−1) or wrapped (0)?
        let mut lies: Vec<f32> = (0..quads)
            .map(|row| {
                let next = self.path[(row + 1) % self.path.len()];
                let lean = (self.path[row].normal.y + next.normal.y) * 0.5;
                if self.mapping == Mapping::Wrapped || lean.abs() < FRAC_1_SQRT_2 {
                    0.0
                } else {
                    lean.signum()
                }
            })
            .collect();
        if self.mapping == Mapping::FlatEnds {
            let head = lies.iter().take_while(|lie| **lie != 0.0).count();
            let tail = lies.iter().rev().take_while(|lie| **lie != 0.0).count();
            if head + tail < quads {
                lies[head..quads - tail].fill(0.0);
            }
        }
        let mut from = 0;
        while from < quads {
            let lie = lies[from];
            let to = (from..quads).find(|row| lies[*row] != lie).unwrap_or(quads);
            surface.grid_where(
                to - from + 1,
                columns + 1,
                |row, column| {
                    let vertex = self.vertex(row + from, column);
                    let Vec3 { x, y, .. } = vertex.position;
                    if lie == 0.0 {
                        vertex
                    } else {
                        Vertex {
                            uv: Vec2::new(x + 0.5, 0.5 - y * lie),
                            ..vertex
                        }
                    }
                },
                |row, column| keep(row + from, column),
            );
            from = to;
        }
    }
}

/// Unit vectors around a circle, counter-clockwise from +X.
pub(super) fn circle(count: usize) -> Vec<Vec2> {
    (0..count)
        .map(|index| {
            let angle = TAU * index as f32 / count as f32;
            Vec2::new(libm::cosf(angle), libm::sinf(angle))
        })
        .collect()
}

/// Points around of a convex piece of revolution. Chosen so that the flats of a piece lie at most
/// 1 % of the radius inside the surface.
const PIECE_SIDES: usize = 20;

/// Largest radius by which a slab's hull may stand out of the solid.
const SLAB_TOLERANCE: f32 = 0.012;
/// Heights at which a profile is looked at to find its slabs.
const SLAB_SAMPLES: usize = 160;

/// Convex slabs for a solid of revolution: the profile is cut at heights until the hull of each part
/// stands out of the solid by little. Hollows are filled.
pub(super) fn slabs(path: &[PathPoint]) -> Vec<Vec<Vec3>> {
    let low = path.iter().fold(f32::MAX, |z, p| z.min(p.at.y));
    let high = path.iter().fold(f32::MIN, |z, p| z.max(p.at.y));
    let outside: Vec<Vec2> = (0..=SLAB_SAMPLES)
        .map(|sample| {
            let z = low + (high - low) * sample as f32 / SLAB_SAMPLES as f32;
            Vec2::new(outer_radius(path, z), z)
        })
        .collect();
    let mut slabs = Vec::new();
    let mut todo = vec![(0, SLAB_SAMPLES)];
    while let Some((from, to)) = todo.pop() {
        let hull = thinned(&outside[from..=to]);
        let bulge = |point: &Vec2| radius_on(&hull, point.y) - point.x;
        let worst = (from + 1..to)
            .max_by(|a, b| bulge(&outside[*a]).total_cmp(&bulge(&outside[*b])))
            .filter(|sample| bulge(&outside[*sample]) > SLAB_TOLERANCE);
        if let Some(split) = worst {
            todo.push((split, to));
            todo.push((from, split));
        } else {
            slabs.push(revolve(&hull, PIECE_SIDES, 0..PIECE_SIDES));
        }
    }
    slabs
}

/// Largest radius of a profile at a height.
fn outer_radius(path: &[PathPoint], z: f32) -> f32 {
    path.windows(2)
        .map(|pair| (pair[0].at, pair[1].at))
        .filter(|(a, b)| a.y.min(b.y) <= z && z <= a.y.max(b.y))
        .map(|(a, b)| {
            if a.y == b.y {
                a.x.max(b.x)
            } else {
                a.lerp(b, (z - a.y) / (b.y - a.y)).x
            }
        })
        .fold(0.0, f32::max)
}

/// Radius of a polyline of ascending height.
fn radius_on(hull: &[Vec2], z: f32) -> f32 {
    hull.windows(2)
        .find(|pair| z <= pair[1].y)
        .map_or(0.0, |pair| {
            let (a, b) = (pair[0], pair[1]);
            a.lerp(b, ((z - a.y) / (b.y - a.y)).clamp(0.0, 1.0)).x
        })
}

/// The hull of (radius, height) samples of ascending height towards large radius, without points that
/// stand out of their neighbours' chord by less than 2 mm.
fn thinned(profile: &[Vec2]) -> Vec<Vec2> {
    let mut hull: Vec<Vec2> = Vec::new();
    for point in profile.iter().copied() {
        while let [.., a, b] = hull[..] {
            if (b - a).perp_dot(point - a) > 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    let mut kept: Vec<Vec2> = hull.first().copied().into_iter().collect();
    let mut from = 0;
    for to in 1..hull.len() {
        let along = (hull[to] - hull[from]).normalize_or(Vec2::Y);
        let straight = hull[from..to]
            .iter()
            .all(|p| (*p - hull[from]).perp_dot(along) < 2e-3);
        if !straight {
            from = to - 1;
            kept.push(hull[from]);
        }
    }
    kept.extend(hull.last());
    kept
}

/// Points of a profile turned to the given steps of a circle of `sides` steps.
fn revolve(profile: &[Vec2], sides: usize, steps: core::ops::Range<usize>) -> Vec<Vec3> {
    let directions = circle(sides);
    let mut points = Vec::new();
    for point in profile {
        if point.x < 1e-6 {
            points.push(Vec3::new(0.0, 0.0, point.y));
            continue;
        }
        for step in steps.clone() {
            let direction = directions[step % sides];
            points.push(Vec3::new(
                direction.x * point.x,
                direction.y * point.x,
                point.y,
            ));
        }
    }
    points
}

/// Convex wedges of a hollow wall: its cross-section is the hull of `section` (radius, height), turned
/// about +Z in `sectors` pieces.
pub(super) fn ring_sectors(section: &[Vec2], sectors: usize) -> Vec<Vec<Vec3>> {
    // Two steps per sector keep the outside round.
    (0..sectors)
        .map(|sector| revolve(section, sectors * 2, sector * 2..sector * 2 + 3))
        .collect()
}
