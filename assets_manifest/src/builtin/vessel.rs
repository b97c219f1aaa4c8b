//! Lathe bodies with handles and spouts grown out of them: one closed surface, no parts stuck through
//! each other.

use core::f32::consts::{FRAC_PI_2, PI};
use core::ops::Range;

use glam::{Vec2, Vec3};

use super::lathe::{Lathe, Mapping, circle, ring_sectors, slabs};
use super::outline::{Fineness, PathPoint, corner, open_path};
use super::surface::{Solid, Surface, Vertex};
use super::sweep::{Section, add_fillet, add_tube, sections, tube_pieces};

/// A rectangle of quads left out of a lathe so that a tube can grow there.
struct Window {
    rows: Range<usize>,
    /// First column (modulo the number of columns).
    column: usize,
    width: usize,
    columns: usize,
}

impl Window {
    /// The window around height `z` of the path's outside and the column `middle`, `2 * half_rows` rows
    /// and `2 * half_width` columns large.
    fn new(
        path: &[PathPoint],
        columns: usize,
        z: f32,
        half_rows: usize,
        middle: usize,
        half_width: usize,
    ) -> Self {
        let outside = path
            .iter()
            .position(|point| point.at.y > z && point.normal.x > 0.0)
            .unwrap_or(0);
        Self {
            rows: outside - half_rows..outside + half_rows,
            column: (columns + middle - half_width) % columns,
            width: half_width * 2,
            columns,
        }
    }

    fn holds(&self, row: usize, column: usize) -> bool {
        self.rows.contains(&row)
            && (column + self.columns - self.column) % self.columns < self.width
    }

    /// The hole's border, counter-clockwise seen from outside.
    fn border(&self, lathe: &Lathe) -> Vec<Vertex> {
        let (bottom, top) = (self.rows.start, self.rows.end);
        let (left, right) = (self.column, self.column + self.width);
        (left..right)
            .map(|column| (bottom, column))
            .chain((bottom..top).map(|row| (row, right)))
            .chain((left + 1..=right).rev().map(|column| (top, column)))
            .chain((bottom + 1..=top).rev().map(|row| (row, left)))
            .map(|(row, column)| lathe.vertex(row, column))
            .collect()
    }

    fn border_len(&self) -> usize {
        2 * (self.width + self.rows.len())
    }
}

/// Sections of a tube along a plane curve in the XZ plane, resampled evenly.
fn plane_tube(path: &[PathPoint], radius: impl Fn(f32) -> Vec2) -> Vec<Section> {
    let points: Vec<Vec3> = path
        .iter()
        .map(|p| Vec3::new(p.at.x, 0.0, p.at.y))
        .collect();
    sections(&points, false, Vec3::Y, radius)
}

const TUBE: Fineness = Fineness {
    turn: 0.2,
    arc: 0.05,
    line: 0.05,
};

/// A coffee mug: hollow, with a handle on the +X side.
pub(super) fn mug() -> Solid {
    const COLUMNS: usize = 80;
    let fineness = Fineness {
        turn: 0.35,
        arc: 0.03,
        line: 0.032,
    };
    let path = open_path(
        &[
            corner(0.0, 0.015, 0.0),
            corner(0.29, 0.015, 0.012),
            corner(0.30, 0.0, 0.012),
            corner(0.345, 0.0, 0.03),
            corner(0.375, 0.90, 0.018),
            corner(0.335, 0.90, 0.018),
            corner(0.310, 0.06, 0.07),
            corner(0.0, 0.06, 0.0),
        ],
        fineness,
    );
    let lathe = Lathe::open(&path, COLUMNS, Mapping::FlatEnds);
    let upper = Window::new(&path, COLUMNS, 0.70, 3, 0, 3);
    let lower = Window::new(&path, COLUMNS, 0.22, 3, 0, 3);
    let mut surface = Surface::default();
    lathe.add_to(&mut surface, |row, column| {
        !upper.holds(row, column) && !lower.holds(row, column)
    });
    let handle_path = open_path(
        &[
            corner(0.44, 0.70, 0.0),
            corner(0.64, 0.72, 0.16),
            corner(0.62, 0.20, 0.22),
            corner(0.425, 0.22, 0.0),
        ],
        TUBE,
    );
    let handle = plane_tube(&handle_path, |_| Vec2::new(0.052, 0.034));
    grow(&mut surface, &lathe, &upper, &lower, &handle);

    let mut pieces = ring_sectors(
        &[(0.305, 0.0), (0.345, 0.0), (0.375, 0.90), (0.335, 0.90)].map(|(x, y)| Vec2::new(x, y)),
        12,
    );
    pieces.extend(slabs(&open_path(
        &[
            corner(0.0, 0.0, 0.0),
            corner(0.345, 0.0, 0.0),
            corner(0.345, 0.065, 0.0),
            corner(0.0, 0.065, 0.0),
        ],
        fineness,
    )));
    pieces.extend(tube_pieces(&handle, 3, false));
    pieces.extend(stubs(&handle, 0.34));
    Solid {
        mesh: surface.into_mesh("mug"),
        pieces,
    }
}

/// A teapot: round body with foot and lid, a spout with a real mouth (+X) and a handle (−X).
pub(super) fn teapot() -> Solid {
    const COLUMNS: usize = 80;
    let fineness = Fineness {
        turn: 0.45,
        arc: 0.08,
        line: 0.08,
    };
    let path = open_path(
        &[
            corner(0.0, 0.04, 0.0),
            corner(0.58, 0.04, 0.03),
            corner(0.62, 0.0, 0.03),
            corner(0.70, 0.0, 0.04),
            corner(0.74, 0.09, 0.06),
            corner(1.06, 0.20, 0.52),
            corner(1.17, 0.66, 0.55),
            corner(0.98, 1.12, 1.00),
            corner(0.66, 1.36, 0.06),
            // Rim, seam and lid.
            corner(0.66, 1.42, 0.025),
            corner(0.60, 1.42, 0.025),
            corner(0.60, 1.375, 0.012),
            corner(0.57, 1.375, 0.012),
            corner(0.57, 1.45, 0.03),
            corner(0.36, 1.58, 0.35),
            corner(0.09, 1.60, 0.05),
            corner(0.08, 1.68, 0.05),
            // Knob.
            corner(0.19, 1.71, 0.06),
            corner(0.19, 1.88, 0.11),
            corner(0.0, 1.90, 0.0),
        ],
        fineness,
    );
    let lathe = Lathe::open(&path, COLUMNS, Mapping::FlatEnds);
    let half_turn = COLUMNS / 2;
    let spout_root = Window::new(&path, COLUMNS, 0.58, 5, 0, 5);
    let handle_top = Window::new(&path, COLUMNS, 1.06, 2, half_turn, 2);
    let handle_foot = Window::new(&path, COLUMNS, 0.40, 2, half_turn, 2);
    let mut surface = Surface::default();
    lathe.add_to(&mut surface, |row, column| {
        ![&spout_root, &handle_top, &handle_foot]
            .iter()
            .any(|window| window.holds(row, column))
    });

    let handle_path = open_path(
        &[
            corner(-1.04, 1.12, 0.0),
            corner(-1.70, 1.36, 0.32),
            corner(-1.66, 0.62, 0.50),
            corner(-1.20, 0.36, 0.0),
        ],
        Fineness {
            turn: 0.14,
            arc: 0.08,
            line: 0.08,
        },
    );
    let handle = plane_tube(&handle_path, |_| Vec2::new(0.105, 0.075));
    grow(&mut surface, &lathe, &handle_top, &handle_foot, &handle);

    let spout_path = open_path(
        &[
            corner(1.25, 0.59, 0.0),
            corner(1.53, 0.66, 0.55),
            corner(1.66, 1.22, 0.45),
            corner(1.92, 1.44, 0.0),
        ],
        Fineness {
            turn: 0.14,
            arc: 0.06,
            line: 0.06,
        },
    );
    let spout = plane_tube(&spout_path, |t| {
        let s = 1.0 - t;
        Vec2::splat(0.10 + 0.17 * s * s + 0.02 * s)
    });
    let sides = spout_root.border_len();
    add_fillet(
        &mut surface,
        &spout_root.border(&lathe),
        &spout[0].ring(sides),
        spout[0].tangent,
    );
    add_tube(&mut surface, &spout, sides, false);
    let tip = &spout[spout.len() - 1];
    add_mouth(&mut surface, tip, sides, 0.022, 0.12);

    let mut pieces = slabs(&path);
    pieces.extend(tube_pieces(&handle, 3, false));
    pieces.extend(stubs(&handle, 0.85));
    pieces.extend(tube_pieces(&spout, 3, false));
    pieces.push(
        spout_root
            .border(&lathe)
            .iter()
            .map(|v| v.position)
            .chain(spout[0].ring(12).iter().map(|v| v.position))
            .collect(),
    );
    Solid {
        mesh: surface.into_mesh("teapot"),
        pieces,
    }
}

/// Joins both ends of a handle to their windows, which have one size.
fn grow(surface: &mut Surface, lathe: &Lathe, from: &Window, to: &Window, handle: &[Section]) {
    let (first, last) = (&handle[0], &handle[handle.len() - 1]);
    let sides = from.border_len();
    assert_eq!(
        sides,
        to.border_len(),
        "both windows of a handle have one size"
    );
    add_fillet(
        surface,
        &from.border(lathe),
        &first.ring(sides),
        first.tangent,
    );
    add_tube(surface, handle, sides, false);
    // Seen from outside the body the far end runs the other way around.
    let mut ring = last.ring(sides);
    ring.reverse();
    add_fillet(surface, &to.border(lathe), &ring, -last.tangent);
}

/// Convex pieces from both ends of a handle straight to the body, whose wall is `wall` from the axis.
fn stubs(handle: &[Section], wall: f32) -> Vec<Vec<Vec3>> {
    [&handle[0], &handle[handle.len() - 1]]
        .map(|end| {
            let ring: Vec<Vec3> = end.ring(10).iter().map(|v| v.position).collect();
            let inner = ring.iter().map(|p| {
                let spread = (*p - end.centre) * 1.4 + end.centre;
                Vec3::new(wall * end.centre.x.signum(), spread.y, spread.z)
            });
            ring.iter().copied().chain(inner).collect()
        })
        .to_vec()
}

/// Adds the mouth of a tube: a rounded lip and a blind hole.
fn add_mouth(surface: &mut Surface, end: &Section, sides: usize, lip: f32, depth: f32) {
    const LIP_STEPS: usize = 8;
    const HOLE_STEPS: usize = 6;
    let outer = end.radius.x;
    let inner = outer - 2.0 * lip;
    // (radius, distance forward, normal across, normal forward)
    let mut profile: Vec<[f32; 4]> = (0..=LIP_STEPS)
        .map(|step| {
            let angle = PI * step as f32 / LIP_STEPS as f32;
            let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
            [outer - lip + lip * cosine, lip * sine, cosine, sine]
        })
        .collect();
    profile.extend((0..=HOLE_STEPS).map(|step| {
        let angle = FRAC_PI_2 * step as f32 / HOLE_STEPS as f32;
        let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
        let radius = if step == HOLE_STEPS {
            0.0
        } else {
            inner * cosine
        };
        [radius, -depth - inner * sine, -cosine, sine]
    }));
    let directions = circle(sides);
    let rim = end.ring(sides);
    surface.grid(profile.len(), sides + 1, |row, column| {
        let direction = directions[column % sides];
        let across = end.side * direction.x + end.up * direction.y;
        let [radius, forward, n_across, n_forward] = profile[row];
        Vertex {
            position: if row == 0 {
                rim[column % sides].position
            } else {
                end.centre + across * radius + end.tangent * forward
            },
            normal: (across * n_across + end.tangent * n_forward).normalize_or(end.tangent),
            uv: Vec2::new(
                column as f32 / sides as f32,
                -end.length - row as f32 * lip * 0.4,
            ),
        }
    });
}
