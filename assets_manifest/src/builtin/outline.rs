//! Plane curves made of straight lines and circular fillets, with exact normals.
//!
//! One primitive draws them all: a polygon whose corners are rounded. Small fillets are bevels, large
//! ones are the belly of a vase, and a fillet as large as its sides is a semicircle.

use glam::Vec2;

/// A corner of the control polygon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner {
    /// Where the corner would be if it were sharp.
    pub(super) at: Vec2,
    /// Radius of the arc that replaces it; made smaller where neighbours leave no room.
    pub(super) fillet: f32,
}

/// Shorthand for a [`Corner`].
pub(super) const fn corner(x: f32, y: f32, fillet: f32) -> Corner {
    Corner {
        at: Vec2::new(x, y),
        fillet,
    }
}

/// A sample of the curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathPoint {
    /// Position.
    pub(super) at: Vec2,
    /// Unit normal to the right of the direction of travel: outward for a counter-clockwise outline
    /// and for a lathe profile that climbs the outside.
    pub(super) normal: Vec2,
    /// Distance travelled since the first sample.
    pub(super) length: f32,
}

/// How finely a curve is sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fineness {
    /// Largest turn per arc segment, radians.
    pub(super) turn: f32,
    /// Longest arc segment.
    pub(super) arc: f32,
    /// Longest straight segment.
    pub(super) line: f32,
}

impl Fineness {
    /// 15° bevels, 4 cm arcs, straight lines left whole: for outlines.
    pub(super) const OUTLINE: Self = Self {
        turn: 0.27,
        arc: 0.04,
        line: 10.0,
    };
    /// As [`Self::OUTLINE`] with lines cut every 6 cm: for lathe profiles.
    pub(super) const PROFILE: Self = Self {
        turn: 0.27,
        arc: 0.03,
        line: 0.06,
    };
}

/// Samples an open path. The first and last corner are its ends; their fillets are ignored.
pub(super) fn open_path(corners: &[Corner], fineness: Fineness) -> Vec<PathPoint> {
    path(corners, fineness, false)
}

/// Samples a closed path; the first sample is not repeated at the end.
pub(super) fn closed_path(corners: &[Corner], fineness: Fineness) -> Vec<PathPoint> {
    path(corners, fineness, true)
}

/// Length of a closed path, the way back from the last sample included.
pub(super) fn perimeter(points: &[PathPoint]) -> f32 {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => last.length + first.at.distance(last.at),
        _ => 0.0,
    }
}

fn right_of(direction: Vec2) -> Vec2 {
    Vec2::new(direction.y, -direction.x)
}

fn path(corners: &[Corner], fineness: Fineness, closed: bool) -> Vec<PathPoint> {
    let count = corners.len();
    let sides = if closed { count } else { count - 1 };
    let at = |index: usize| corners[index % count].at;
    let directions: Vec<Vec2> = (0..sides)
        .map(|side| (at(side + 1) - at(side)).normalize_or(Vec2::X))
        .collect();
    // Distance from corner to the start of its arc: R tan(turn / 2).
    let mut cuts: Vec<f32> = vec![0.0; count];
    let is_end = |index: usize| !closed && (index == 0 || index == count - 1);
    let half_tangent = |index: usize| {
        let (d0, d1) = (
            directions[(index + sides - 1) % sides],
            directions[index % sides],
        );
        d0.perp_dot(d1).abs() / (1.0 + d0.dot(d1))
    };
    for index in 0..count {
        if !is_end(index) {
            cuts[index] = corners[index].fillet * half_tangent(index);
        }
    }
    let wanted = cuts.clone();
    for side in 0..sides {
        let (from, to) = (side, (side + 1) % count);
        let room = at(side + 1).distance(at(side));
        let asked = wanted[from] + wanted[to];
        if asked > room {
            cuts[from] = cuts[from].min(wanted[from] * room / asked);
            cuts[to] = cuts[to].min(wanted[to] * room / asked);
        }
    }

    let mut points: Vec<PathPoint> = Vec::new();
    let mut push = |at: Vec2, normal: Vec2| {
        let length = points
            .last()
            .map_or(0.0, |last: &PathPoint| last.length + last.at.distance(at));
        let repeated = points
            .last()
            .is_some_and(|last| last.at.distance_squared(at) < 1e-12);
        if !repeated {
            points.push(PathPoint { at, normal, length });
        }
    };
    for index in 0..count {
        if is_end(index) {
            let side = if index == 0 { 0 } else { sides - 1 };
            push(at(index), right_of(directions[side]));
        } else {
            let (d0, d1) = (
                directions[(index + sides - 1) % sides],
                directions[index % sides],
            );
            let turn = libm::atan2f(d0.perp_dot(d1), d0.dot(d1));
            let radius = if cuts[index] > 0.0 {
                cuts[index] / half_tangent(index)
            } else {
                0.0
            };
            let (from, to) = (right_of(d0), right_of(d1));
            let start = at(index) - d0 * cuts[index];
            let side = if turn > 0.0 { 1.0 } else { -1.0 };
            let centre = start - from * (radius * side);
            let steps = (turn.abs() / fineness.turn)
                .max(turn.abs() * radius / fineness.arc)
                .ceil()
                .max(1.0) as usize;
            for step in 0..=steps {
                let normal = if step == steps {
                    to
                } else {
                    let angle = turn * step as f32 / steps as f32;
                    Vec2::new(libm::cosf(angle), libm::sinf(angle)).rotate(from)
                };
                push(centre + normal * (radius * side), normal);
            }
        }
        if index < sides {
            let start = at(index) + directions[index] * cuts[index];
            let end = at(index + 1) - directions[index] * cuts[(index + 1) % count];
            let pieces = (start.distance(end) / fineness.line).ceil() as usize;
            for piece in 1..pieces {
                push(
                    start.lerp(end, piece as f32 / pieces as f32),
                    right_of(directions[index]),
                );
            }
        }
    }
    if closed
        && points.len() > 1
        && points[0].at.distance_squared(points[points.len() - 1].at) < 1e-12
    {
        points.pop();
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillet_as_large_as_its_sides_is_a_semicircle() {
        let path = open_path(
            &[
                corner(0.0, -1.0, 0.0),
                corner(1.0, -1.0, 1.0),
                corner(1.0, 1.0, 1.0),
                corner(0.0, 1.0, 0.0),
            ],
            Fineness::PROFILE,
        );
        for point in &path {
            assert!((point.at.length() - 1.0).abs() < 1e-5, "{point:?}");
            assert!(point.normal.distance(point.at) < 1e-4, "{point:?}");
        }
        assert!(path.len() > 20);
    }

    #[test]
    fn outline_of_a_square_has_outward_normals_and_the_right_perimeter() {
        let square =
            [(1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)].map(|(x, y)| corner(x, y, 0.1));
        let path = closed_path(&square, Fineness::OUTLINE);
        assert!(path.iter().all(|point| point.normal.dot(point.at) > 0.9));
        let expected = 8.0 - 0.8 + core::f32::consts::TAU * 0.1;
        assert!((perimeter(&path) - expected).abs() < 0.01);
    }
}
