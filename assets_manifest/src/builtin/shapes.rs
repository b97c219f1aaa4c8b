//! The table of built-in objects, and the simple ones among them.

use core::f32::consts::{FRAC_PI_2, TAU};

use glam::{Vec2, Vec3};

use super::gear::gear;
use super::lathe::{Lathe, Mapping, circle, ring_sectors, slabs};
use super::outline::{Corner, Fineness, PathPoint, closed_path, corner, open_path};
use super::polyhedron::{box_corners, rounded};
use super::prism::{Prism, prism_piece};
use super::sponge::sponge;
use super::surface::{Solid, Surface, Vertex};
use super::sweep::{add_round_end, add_tube, sections, tube_pieces};
use super::texture::Kind;
use super::vessel::{mug, teapot};

/// One entry of the library.
pub(super) struct Shape {
    /// What follows `builtin/`.
    pub(super) name: &'static str,
    /// Plain noun for captions.
    pub(super) noun: &'static str,
    /// Texture of the plain id.
    pub(super) texture: (Kind, u32),
    /// Builds it; size and place are normalised afterwards.
    pub(super) build: fn() -> Solid,
}

const fn shape(
    name: &'static str,
    noun: &'static str,
    kind: Kind,
    seed: u32,
    build: fn() -> Solid,
) -> Shape {
    Shape {
        name,
        noun,
        texture: (kind, seed),
        build,
    }
}

/// All objects, by name.
pub(super) static SHAPES: &[Shape] = &[
    shape("arrow", "arrow", Kind::Plain, 13, arrow),
    shape("barrel", "barrel", Kind::Wood, 2, barrel),
    shape("bottle", "bottle", Kind::Plain, 9, bottle),
    shape("bowl", "bowl", Kind::Marble, 5, bowl),
    shape("bowling_pin", "bowling pin", Kind::Plain, 16, bowling_pin),
    shape("capsule", "capsule", Kind::Stripes, 5, capsule),
    shape("chain_link", "chain link", Kind::Plain, 34, chain_link),
    shape("cone", "cone", Kind::Stripes, 2, cone),
    shape("cross", "cross", Kind::Terrazzo, 2, cross),
    shape("cube", "cube", Kind::Checker, 1, cube),
    shape("cylinder", "cylinder", Kind::Dots, 3, cylinder),
    shape(
        "dodecahedron",
        "faceted ball",
        Kind::Marble,
        1,
        dodecahedron,
    ),
    shape("dumbbell", "dumbbell", Kind::Plain, 39, dumbbell),
    shape("egg", "egg", Kind::Noise, 10, egg),
    shape("gear", "gear", Kind::Plain, 28, gear),
    shape("goblet", "goblet", Kind::Hexagons, 2, goblet),
    shape("heart", "heart", Kind::Plain, 13, heart),
    shape(
        "hexagonal_block",
        "hexagonal block",
        Kind::Brick,
        3,
        hexagonal_block,
    ),
    shape("hourglass", "hourglass", Kind::Wood, 4, hourglass),
    shape(
        "icosahedron",
        "many-sided die",
        Kind::Marble,
        6,
        icosahedron,
    ),
    shape("mug", "mug", Kind::Stripes, 7, mug),
    shape("mushroom", "mushroom", Kind::Dots, 1, mushroom),
    shape("octahedron", "diamond", Kind::Noise, 9, octahedron),
    shape("pawn", "chess pawn", Kind::Wood, 1, pawn),
    shape("pebble", "stone", Kind::Noise, 11, pebble),
    shape("pipe", "pipe", Kind::Noise, 6, pipe),
    shape("pyramid", "pyramid", Kind::Brick, 1, pyramid),
    shape("rounded_box", "box", Kind::Zigzag, 3, rounded_box),
    shape("sphere", "ball", Kind::Checker, 4, sphere),
    shape("sponge", "cube full of holes", Kind::Plain, 4, sponge),
    shape("spool", "spool", Kind::Wood, 5, spool),
    shape("spring", "coil spring", Kind::Plain, 2, spring),
    shape("star", "star", Kind::Plain, 4, star),
    shape("teapot", "teapot", Kind::Plain, 7, teapot),
    shape(
        "tetrahedron",
        "triangular pyramid",
        Kind::Hexagons,
        4,
        tetrahedron,
    ),
    shape("torus", "ring", Kind::Stripes, 9, torus),
    shape("torus_knot", "knot", Kind::Zigzag, 1, torus_knot),
    shape("vase", "vase", Kind::Zigzag, 6, vase),
    shape("wheel", "wheel", Kind::Plain, 2, wheel),
];

/// Columns around a lathe of unit size.
const COLUMNS: usize = 72;

/// A solid of revolution whose hollows physics may fill.
fn turned(name: &str, corners: &[Corner], mapping: Mapping) -> Solid {
    let path = open_path(corners, Fineness::PROFILE);
    Solid {
        mesh: turned_mesh(name, &path, mapping),
        pieces: slabs(&path),
    }
}

fn turned_mesh(name: &str, path: &[PathPoint], mapping: Mapping) -> crate::Mesh {
    let mut surface = Surface::default();
    Lathe::open(path, COLUMNS, mapping).add_to(&mut surface, |_, _| true);
    surface.into_mesh(name)
}

/// A prism with rounded rims and the given convex polygons as its pieces.
fn extruded(name: &str, corners: &[Corner], half_height: f32, polygons: &[Vec<Vec2>]) -> Solid {
    let outline = closed_path(corners, Fineness::OUTLINE);
    let mut surface = Surface::default();
    Prism {
        outline: &outline,
        half_height,
        rim: RIM,
    }
    .add_to(&mut surface);
    Solid {
        mesh: surface.into_mesh(name),
        pieces: polygons
            .iter()
            .map(|polygon| prism_piece(polygon, -half_height, half_height))
            .collect(),
    }
}

/// Rim radius of extrusions; outlines have no convex fillet smaller than this.
const RIM: f32 = 0.025;

/// Lays an extrusion upright: its plane becomes XZ.
fn upright(mut solid: Solid) -> Solid {
    let turn = |v: &mut Vec3| *v = Vec3::new(v.x, -v.z, v.y);
    solid.mesh.positions.iter_mut().for_each(turn);
    solid.mesh.normals.iter_mut().for_each(turn);
    solid.pieces.iter_mut().flatten().for_each(turn);
    solid
}

fn cube() -> Solid {
    rounded("cube", &box_corners(Vec3::splat(0.5)), 0.025)
}

fn rounded_box() -> Solid {
    rounded(
        "rounded_box",
        &box_corners(Vec3::new(0.5, 0.34, 0.24)),
        0.09,
    )
}

/// Half extent 1 on every side, for walls and slabs that a recipe scales.
pub(super) fn slab() -> Solid {
    rounded("slab", &box_corners(Vec3::ONE), 0.012)
}

fn tetrahedron() -> Solid {
    // Standing on a face: corners of the alternate cube turned until (−1, −1, −1) looks down.
    let low = -1.0 / 3.0;
    let out = libm::sqrtf(8.0) / 3.0;
    let mut corners = vec![Vec3::Z];
    corners.extend(circle(3).into_iter().map(|d| (d * out).extend(low)));
    rounded("tetrahedron", &corners, 0.045)
}

fn octahedron() -> Solid {
    let corners = [Vec3::X, Vec3::Y, Vec3::Z]
        .map(|axis| [axis, -axis])
        .concat();
    rounded("octahedron", &corners, 0.05)
}

fn pyramid() -> Solid {
    let mut corners = vec![Vec3::new(0.0, 0.0, 0.55)];
    for (x, y) in [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)] {
        corners.push(Vec3::new(x * 0.5, y * 0.5, -0.28));
    }
    rounded("pyramid", &corners, 0.025)
}

fn hexagonal_block() -> Solid {
    let corners: Vec<Vec3> = circle(6)
        .into_iter()
        .flat_map(|d| [(d * 0.5).extend(0.3), (d * 0.5).extend(-0.3)])
        .collect();
    rounded("hexagonal_block", &corners, 0.03)
}

/// Cyclic permutations of (0, ±a, ±b).
fn golden(a: f32, b: f32) -> Vec<Vec3> {
    let mut corners = Vec::new();
    for s in [-1.0, 1.0] {
        for t in [-1.0, 1.0] {
            corners.extend([
                Vec3::new(0.0, s * a, t * b),
                Vec3::new(t * b, 0.0, s * a),
                Vec3::new(s * a, t * b, 0.0),
            ]);
        }
    }
    corners
}

const GOLDEN_RATIO: f32 = 1.618_034;

fn icosahedron() -> Solid {
    rounded("icosahedron", &golden(1.0, GOLDEN_RATIO), 0.10)
}

fn dodecahedron() -> Solid {
    let mut corners = box_corners(Vec3::ONE);
    corners.extend(golden(1.0 / GOLDEN_RATIO, GOLDEN_RATIO));
    rounded("dodecahedron", &corners, 0.09)
}

fn sphere() -> Solid {
    turned(
        "sphere",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.5, -0.5, 0.5),
            corner(0.5, 0.5, 0.5),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::Wrapped,
    )
}

fn egg() -> Solid {
    turned(
        "egg",
        &[
            corner(0.0, -0.42, 0.0),
            corner(0.37, -0.42, 0.355),
            corner(0.385, 0.12, 0.9),
            corner(0.25, 0.58, 0.26),
            corner(0.0, 0.58, 0.0),
        ],
        Mapping::Wrapped,
    )
}

fn cylinder() -> Solid {
    turned(
        "cylinder",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.36, -0.5, 0.025),
            corner(0.36, 0.5, 0.025),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn cone() -> Solid {
    turned(
        "cone",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.44, -0.5, 0.025),
            corner(0.03, 0.5, 0.02),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn capsule() -> Solid {
    turned(
        "capsule",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.22, -0.5, 0.22),
            corner(0.22, 0.5, 0.22),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::Wrapped,
    )
}

fn barrel() -> Solid {
    turned(
        "barrel",
        &[
            corner(0.0, -0.47, 0.0),
            corner(0.26, -0.47, 0.01),
            corner(0.27, -0.5, 0.012),
            corner(0.31, -0.5, 0.012),
            corner(0.42, 0.0, 1.0),
            corner(0.31, 0.5, 0.012),
            corner(0.27, 0.5, 0.012),
            corner(0.26, 0.47, 0.01),
            corner(0.0, 0.47, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn pawn() -> Solid {
    turned(
        "pawn",
        &[
            corner(0.0, 0.0, 0.0),
            corner(0.27, 0.0, 0.02),
            corner(0.28, 0.085, 0.03),
            corner(0.235, 0.12, 0.02),
            corner(0.235, 0.165, 0.022),
            corner(0.15, 0.22, 0.08),
            corner(0.085, 0.60, 0.25),
            corner(0.085, 0.635, 0.02),
            corner(0.175, 0.65, 0.02),
            corner(0.175, 0.69, 0.018),
            corner(0.08, 0.71, 0.02),
            corner(0.155, 0.73, 0.14),
            corner(0.165, 1.0, 0.145),
            corner(0.0, 1.0, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn bowling_pin() -> Solid {
    turned(
        "bowling_pin",
        &[
            corner(0.0, 0.0, 0.0),
            corner(0.068, 0.0, 0.015),
            corner(0.20, 0.26, 0.28),
            corner(0.145, 0.44, 0.30),
            corner(0.048, 0.66, 0.30),
            corner(0.052, 0.78, 0.18),
            corner(0.115, 0.90, 0.12),
            corner(0.085, 1.0, 0.075),
            corner(0.0, 1.0, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn dumbbell() -> Solid {
    let end = [
        corner(0.0, -0.5, 0.0),
        corner(0.12, -0.5, 0.03),
        corner(0.20, -0.43, 0.05),
        corner(0.20, -0.25, 0.05),
        corner(0.065, -0.20, 0.03),
        corner(0.055, -0.10, 0.1),
    ];
    let mut corners = end.to_vec();
    corners.push(corner(0.062, 0.0, 0.3));
    corners.extend(end.iter().rev().map(|c| corner(c.at.x, -c.at.y, c.fillet)));
    let mut solid = turned("dumbbell", &corners, Mapping::FlatEnds);
    // Lies along X.
    let turn = |v: &mut Vec3| *v = Vec3::new(v.z, v.y, -v.x);
    solid.mesh.positions.iter_mut().for_each(turn);
    solid.mesh.normals.iter_mut().for_each(turn);
    solid.pieces.iter_mut().flatten().for_each(turn);
    solid
}

fn hourglass() -> Solid {
    turned(
        "hourglass",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.33, -0.5, 0.02),
            corner(0.33, -0.42, 0.02),
            corner(0.27, -0.40, 0.02),
            corner(0.29, -0.18, 0.18),
            corner(0.05, 0.0, 0.10),
            corner(0.29, 0.18, 0.18),
            corner(0.27, 0.40, 0.02),
            corner(0.33, 0.42, 0.02),
            corner(0.33, 0.5, 0.02),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn spool() -> Solid {
    turned(
        "spool",
        &[
            corner(0.0, -0.5, 0.0),
            corner(0.38, -0.5, 0.025),
            corner(0.38, -0.40, 0.025),
            corner(0.22, -0.36, 0.03),
            corner(0.22, 0.36, 0.03),
            corner(0.38, 0.40, 0.025),
            corner(0.38, 0.5, 0.025),
            corner(0.0, 0.5, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn mushroom() -> Solid {
    turned(
        "mushroom",
        &[
            corner(0.0, 0.0, 0.0),
            corner(0.13, 0.0, 0.05),
            corner(0.17, 0.10, 0.12),
            corner(0.11, 0.48, 0.10),
            corner(0.30, 0.46, 0.08),
            corner(0.49, 0.44, 0.05),
            corner(0.47, 0.86, 0.36),
            corner(0.0, 0.88, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn vase() -> Solid {
    turned(
        "vase",
        &[
            corner(0.0, 0.02, 0.0),
            corner(0.15, 0.02, 0.01),
            corner(0.16, 0.0, 0.01),
            corner(0.20, 0.0, 0.02),
            corner(0.21, 0.05, 0.03),
            corner(0.43, 0.38, 0.30),
            corner(0.10, 0.78, 0.22),
            corner(0.14, 0.90, 0.12),
            corner(0.25, 1.0, 0.014),
            corner(0.225, 1.015, 0.012),
            corner(0.10, 0.90, 0.10),
            corner(0.06, 0.78, 0.10),
            corner(0.06, 0.62, 0.04),
            corner(0.0, 0.62, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn bottle() -> Solid {
    turned(
        "bottle",
        &[
            corner(0.0, 0.02, 0.0),
            corner(0.09, 0.02, 0.01),
            corner(0.11, 0.0, 0.012),
            corner(0.16, 0.0, 0.03),
            corner(0.16, 0.58, 0.14),
            corner(0.055, 0.74, 0.12),
            corner(0.052, 0.92, 0.008),
            corner(0.066, 0.925, 0.008),
            corner(0.066, 0.97, 0.008),
            corner(0.056, 1.0, 0.008),
            corner(0.036, 1.0, 0.008),
            corner(0.036, 0.86, 0.03),
            corner(0.0, 0.86, 0.0),
        ],
        Mapping::FlatEnds,
    )
}

fn goblet() -> Solid {
    let inside = [
        corner(0.225, 1.0, 0.01),
        corner(0.255, 0.62, 0.22),
        corner(0.0, 0.55, 0.0),
    ];
    let mut corners = vec![
        corner(0.0, 0.0, 0.0),
        corner(0.25, 0.0, 0.012),
        corner(0.25, 0.028, 0.012),
        corner(0.05, 0.07, 0.08),
        corner(0.036, 0.22, 0.2),
        corner(0.036, 0.27, 0.012),
        corner(0.065, 0.29, 0.022),
        corner(0.065, 0.345, 0.022),
        corner(0.036, 0.365, 0.012),
        corner(0.04, 0.47, 0.05),
        corner(0.29, 0.58, 0.24),
        corner(0.25, 1.0, 0.01),
    ];
    corners.extend(inside);
    let path = open_path(&corners, Fineness::PROFILE);
    // Foot and stem are solid; the cup is a wall.
    let solid_part = open_path(
        &[
            &corners[..10],
            &[
                corner(0.20, 0.54, 0.1),
                corner(0.20, 0.57, 0.0),
                corner(0.0, 0.57, 0.0),
            ][..],
        ]
        .concat(),
        Fineness::PROFILE,
    );
    let mut pieces = slabs(&solid_part);
    let wall = |points: &[(f32, f32)]| -> Vec<Vec2> {
        points.iter().map(|(r, z)| Vec2::new(*r, *z)).collect()
    };
    pieces.extend(ring_sectors(
        &wall(&[
            (0.10, 0.50),
            (0.10, 0.575),
            (0.205, 0.635),
            (0.19, 0.54),
            (0.255, 0.60),
        ]),
        10,
    ));
    pieces.extend(ring_sectors(
        &wall(&[
            (0.195, 0.61),
            (0.25, 0.59),
            (0.272, 0.66),
            (0.272, 0.72),
            (0.25, 1.0),
            (0.225, 1.0),
            (0.24, 0.73),
        ]),
        12,
    ));
    Solid {
        mesh: turned_mesh("goblet", &path, Mapping::FlatEnds),
        pieces,
    }
}

fn bowl() -> Solid {
    let outside = [
        corner(0.0, 0.015, 0.0),
        corner(0.16, 0.015, 0.008),
        corner(0.165, 0.0, 0.008),
        corner(0.205, 0.0, 0.015),
        corner(0.215, 0.035, 0.02),
        corner(0.46, 0.06, 0.26),
        corner(0.50, 0.36, 0.016),
    ];
    let inside = [
        corner(0.465, 0.36, 0.016),
        corner(0.425, 0.09, 0.22),
        corner(0.0, 0.06, 0.0),
    ];
    let path = open_path(&[&outside[..], &inside[..]].concat(), Fineness::PROFILE);
    // Floor, then the wall in bands: hulls of the samples of both sides between two heights.
    let outer = open_path(&outside[3..], Fineness::PROFILE);
    let inner = open_path(&inside, Fineness::PROFILE);
    let band = |low: f32, high: f32| -> Vec<Vec2> {
        let within =
            |p: &&PathPoint| p.at.y >= low - 0.02 && p.at.y <= high + 0.02 && p.at.x > 0.15;
        let mut samples: Vec<Vec2> = outer.iter().filter(within).map(|p| p.at).collect();
        samples.extend(inner.iter().filter(within).map(|p| p.at));
        samples
    };
    let mut pieces = vec![prism_piece(
        &circle(20).iter().map(|d| *d * 0.22).collect::<Vec<_>>(),
        0.0,
        0.065,
    )];
    for (low, high) in [(0.02, 0.09), (0.09, 0.20), (0.20, 0.36)] {
        pieces.extend(ring_sectors(&band(low, high), 12));
    }
    Solid {
        mesh: turned_mesh("bowl", &path, Mapping::FlatEnds),
        pieces,
    }
}

/// A closed ring of revolution: `section` runs counter-clockwise in (radius, height).
fn ring_solid(name: &str, section: &[Corner], bands: &[Vec<Vec2>], sectors: usize) -> Solid {
    let path = closed_path(section, Fineness::PROFILE);
    let mut surface = Surface::default();
    Lathe::closed(&path, COLUMNS, Mapping::FlatLevels).add_to(&mut surface, |_, _| true);
    Solid {
        mesh: surface.into_mesh(name),
        pieces: bands
            .iter()
            .flat_map(|band| ring_sectors(band, sectors))
            .collect(),
    }
}

fn pipe() -> Solid {
    let section = [(0.22, -0.5), (0.30, -0.5), (0.30, 0.5), (0.22, 0.5)];
    let corners = section.map(|(r, z)| corner(r, z, 0.02));
    ring_solid(
        "pipe",
        &corners,
        &[section.map(|(r, z)| Vec2::new(r, z)).to_vec()],
        12,
    )
}

/// Tyre on a rim with a bored disc.
fn wheel() -> Solid {
    let half = [
        corner(0.06, 0.085, 0.015),
        corner(0.115, 0.085, 0.015),
        corner(0.125, 0.04, 0.025),
        corner(0.30, 0.04, 0.025),
        corner(0.31, 0.10, 0.015),
        corner(0.345, 0.11, 0.012),
        corner(0.37, 0.135, 0.03),
        corner(0.48, 0.13, 0.06),
        corner(0.50, 0.06, 0.03),
    ];
    let mut section: Vec<Corner> = half
        .iter()
        .map(|c| corner(c.at.x, -c.at.y, c.fillet))
        .collect();
    section.extend(half.iter().rev());
    let band = |inner: f32, outer: f32, half: f32| {
        [(inner, -half), (outer, -half), (outer, half), (inner, half)]
            .map(|(r, z)| Vec2::new(r, z))
            .to_vec()
    };
    let tyre = [
        (0.31, 0.10),
        (0.37, 0.13),
        (0.455, 0.125),
        (0.49, 0.08),
        (0.497, 0.03),
    ];
    let tyre: Vec<Vec2> = tyre
        .iter()
        .flat_map(|(r, z)| [Vec2::new(*r, *z), Vec2::new(*r, -*z)])
        .collect();
    upright(ring_solid(
        "wheel",
        &section,
        &[band(0.06, 0.12, 0.085), band(0.11, 0.32, 0.045), tyre],
        12,
    ))
}

fn tube_solid(
    name: &str,
    points: &[Vec3],
    closed: bool,
    radius: f32,
    sides: usize,
    stride: usize,
) -> Solid {
    let tube = sections(points, closed, Vec3::Z, |_| Vec2::splat(radius));
    let mut surface = Surface::default();
    add_tube(&mut surface, &tube, sides, closed);
    let mut pieces = tube_pieces(&tube, stride, closed);
    if !closed {
        for (section, forward) in [(&tube[0], false), (&tube[tube.len() - 1], true)] {
            add_round_end(&mut surface, section, sides, forward);
            let way = if forward {
                section.tangent
            } else {
                -section.tangent
            };
            let mut cap: Vec<Vec3> = section.ring(10).iter().map(|v| v.position).collect();
            let middle = cap.clone();
            cap.extend(
                middle
                    .iter()
                    .map(|p| section.centre + (*p - section.centre) * 0.7 + way * (radius * 0.7)),
            );
            cap.push(section.centre + way * radius);
            pieces.push(cap);
        }
    }
    Solid {
        mesh: surface.into_mesh(name),
        pieces,
    }
}

fn torus() -> Solid {
    let points: Vec<Vec3> = circle(80)
        .into_iter()
        .map(|d| (d * 0.35).extend(0.0))
        .collect();
    tube_solid("torus", &points, true, 0.15, 40, 5)
}

/// The (2, 3) torus knot.
fn torus_knot() -> Solid {
    let points: Vec<Vec3> = (0..240)
        .map(|step| {
            let angle = TAU * step as f32 / 240.0;
            let radius = 0.31 + 0.135 * libm::cosf(3.0 * angle);
            Vec3::new(
                radius * libm::cosf(2.0 * angle),
                radius * libm::sinf(2.0 * angle),
                0.16 * libm::sinf(3.0 * angle),
            )
        })
        .collect();
    tube_solid("torus_knot", &points, true, 0.075, 24, 5)
}

fn chain_link() -> Solid {
    let path = closed_path(
        &[
            corner(0.40, -0.20, 0.20),
            corner(0.40, 0.20, 0.20),
            corner(-0.40, 0.20, 0.20),
            corner(-0.40, -0.20, 0.20),
        ],
        Fineness {
            turn: 0.13,
            arc: 0.03,
            line: 0.04,
        },
    );
    let points: Vec<Vec3> = path.iter().map(|p| p.at.extend(0.0)).collect();
    tube_solid("chain_link", &points, true, 0.085, 24, 4)
}

fn spring() -> Solid {
    let turns = 4.5;
    let steps = 200;
    let points: Vec<Vec3> = (0..=steps)
        .map(|step| {
            let t = step as f32 / steps as f32;
            let angle = TAU * turns * t;
            Vec3::new(0.3 * libm::cosf(angle), 0.3 * libm::sinf(angle), 0.86 * t)
        })
        .collect();
    tube_solid("spring", &points, false, 0.055, 18, 4)
}

/// Points of an outline whose angle is within half of `1/count` of a turn from direction `index`, with
/// the centre: a convex kite of a star.
fn kite(outline: &[PathPoint], count: usize, index: usize) -> Vec<Vec2> {
    let middle = FRAC_PI_2 + TAU * index as f32 / count as f32;
    let axis = Vec2::new(libm::cosf(middle), libm::sinf(middle));
    let widest = TAU * 0.5 / count as f32 + 0.02;
    let mut points: Vec<Vec2> = outline
        .iter()
        .map(|p| p.at)
        .filter(|p| libm::atan2f(axis.perp_dot(*p), axis.dot(*p)).abs() <= widest)
        .collect();
    points.push(Vec2::ZERO);
    points
}

fn star() -> Solid {
    let corners: Vec<Corner> = (0..10)
        .map(|index| {
            let angle = FRAC_PI_2 + TAU * index as f32 / 10.0;
            let (radius, fillet) = if index % 2 == 0 {
                (0.54, 0.035)
            } else {
                (0.25, 0.03)
            };
            corner(
                radius * libm::cosf(angle),
                radius * libm::sinf(angle),
                fillet,
            )
        })
        .collect();
    let outline = closed_path(&corners, Fineness::OUTLINE);
    let polygons: Vec<Vec<Vec2>> = (0..5).map(|index| kite(&outline, 5, index)).collect();
    upright(extruded("star", &corners, 0.11, &polygons))
}

fn heart() -> Solid {
    let corners = [
        corner(0.0, -0.47, 0.05),
        corner(0.53, 0.06, 0.30),
        corner(0.40, 0.44, 0.20),
        corner(0.10, 0.44, 0.14),
        corner(0.0, 0.25, 0.02),
        corner(-0.10, 0.44, 0.14),
        corner(-0.40, 0.44, 0.20),
        corner(-0.53, 0.06, 0.30),
    ];
    let outline = closed_path(&corners, Fineness::OUTLINE);
    let half = |sign: f32| -> Vec<Vec2> {
        outline
            .iter()
            .map(|p| p.at)
            .filter(|p| p.x * sign >= -1e-4)
            .collect()
    };
    upright(extruded("heart", &corners, 0.14, &[half(1.0), half(-1.0)]))
}

fn cross() -> Solid {
    let (long, wide) = (0.5, 0.17);
    let quarter = [(long, -wide, 0.03), (long, wide, 0.03), (wide, wide, 0.03)];
    let corners: Vec<Corner> = (0..4)
        .flat_map(|turn| {
            quarter.map(|(x, y, fillet)| {
                let (x, y) = match turn {
                    0 => (x, y),
                    1 => (-y, x),
                    2 => (-x, -y),
                    _ => (y, -x),
                };
                corner(x, y, fillet)
            })
        })
        .collect();
    let bar = |x: f32, y: f32| {
        vec![
            Vec2::new(-x, -y),
            Vec2::new(x, -y),
            Vec2::new(x, y),
            Vec2::new(-x, y),
        ]
    };
    upright(extruded(
        "cross",
        &corners,
        0.17,
        &[bar(long, wide), bar(wide, long)],
    ))
}

fn arrow() -> Solid {
    let corners = [
        corner(-0.5, -0.12, 0.03),
        corner(0.08, -0.12, 0.03),
        corner(0.08, -0.32, 0.04),
        corner(0.54, 0.0, 0.05),
        corner(0.08, 0.32, 0.04),
        corner(0.08, 0.12, 0.03),
        corner(-0.5, 0.12, 0.03),
    ];
    let at = |indices: &[usize]| indices.iter().map(|i| corners[*i].at).collect::<Vec<_>>();
    let outline = closed_path(&corners, Fineness::OUTLINE);
    let head = outline
        .iter()
        .map(|p| p.at)
        .filter(|p| p.x >= 0.07)
        .collect();
    upright(extruded(
        "arrow",
        &corners,
        0.11,
        &[at(&[0, 1, 5, 6]), head],
    ))
}

/// A river stone: a flattened ball with slow bumps.
fn pebble() -> Solid {
    const STEPS: usize = 26;
    let size = Vec3::new(0.5, 0.40, 0.29);
    // Smooth in every direction: a few low-order waves.
    let swell = |d: Vec3| {
        1.0 + 0.06 * libm::sinf(1.9 * d.x + 1.1 * d.y + 0.6)
            + 0.05 * libm::sinf(2.3 * d.y - 1.7 * d.z + 2.0)
            + 0.03 * libm::sinf(2.9 * d.z + 2.1 * d.x + 4.0)
    };
    let place = |d: Vec3| {
        let d = d.normalize_or(Vec3::Z);
        // Between ball and box: stones are blunt. |x|^2.5 = x² √|x|.
        let power = |x: f32| x * x * x.abs().sqrt();
        let blunt = libm::powf(power(d.x) + power(d.y) + power(d.z), -0.4);
        d * size * (blunt * swell(d))
    };
    let mut surface = Surface::default();
    for axis in 0..3 {
        for sign in [-1.0_f32, 1.0] {
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            let tangent = |step: usize| {
                // Equal angles along the edge of the cube; the border is exactly ±1.
                match step {
                    0 => -1.0,
                    STEPS => 1.0,
                    _ => libm::tanf(FRAC_PI_2 * (step as f32 / STEPS as f32 - 0.5)),
                }
            };
            surface.grid(STEPS + 1, STEPS + 1, |row, column| {
                let mut direction = Vec3::ZERO;
                direction[axis] = sign;
                direction[u] = tangent(column);
                direction[v] = tangent(row);
                let unit = direction.normalize_or(Vec3::Z);
                let across = unit.any_orthonormal_vector();
                let along = unit.cross(across);
                let step = 4e-3;
                let slope = |way: Vec3| place(unit + way * step) - place(unit - way * step);
                Vertex {
                    position: place(direction),
                    normal: slope(across).cross(slope(along)).normalize_or(unit),
                    uv: Vec2::new(column as f32 / STEPS as f32, row as f32 / STEPS as f32),
                }
            });
        }
    }
    let mesh = surface.into_mesh("pebble");
    let pieces = vec![mesh.positions.iter().step_by(7).copied().collect()];
    Solid { mesh, pieces }
}
