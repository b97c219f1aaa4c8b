//! The Menger sponge of level 2 with every edge, outer and inner, rounded.

use std::collections::BTreeSet;

use glam::{IVec3, Vec2, Vec3};

use super::polyhedron::box_corners;
use super::surface::{Solid, Surface, Vertex};

/// Cells along a side.
const CELLS: i32 = 9;
/// Bevel radius in cells.
const BEVEL: f32 = 0.15;
/// Each cell face is a grid of 3×3 quads: a margin of the bevel's width around the flat.
const STEPS: i32 = 3;

/// Level-2 sponge. Its mesh is the boundary alone: no faces between cells.
///
/// Physics sees level 1: twelve bars and blocks; the holes of 1/9 m are filled there.
pub(super) fn sponge() -> Solid {
    let mut surface = Surface::default();
    for x in 0..CELLS {
        for y in 0..CELLS {
            for z in 0..CELLS {
                let cell = IVec3::new(x, y, z);
                if !is_solid(cell) {
                    continue;
                }
                for axis in 0..3 {
                    for sign in [-1, 1] {
                        let mut normal = IVec3::ZERO;
                        normal[axis] = sign;
                        if !is_solid(cell + normal) {
                            add_face(&mut surface, cell, axis, sign);
                        }
                    }
                }
            }
        }
    }

    let block = |low: [i32; 3], high: [i32; 3]| {
        let (low, high) = (IVec3::from(low).as_vec3(), IVec3::from(high).as_vec3());
        let (centre, half) = ((low + high) * 0.5, (high - low) * 0.5);
        box_corners(half)
            .into_iter()
            .map(|p| p + centre)
            .collect::<Vec<Vec3>>()
    };
    let mut pieces = Vec::new();
    for a in [0, 6] {
        for b in [0, 6] {
            pieces.push(block([0, a, b], [9, a + 3, b + 3]));
            pieces.push(block([a, 3, b], [a + 3, 6, b + 3]));
            pieces.push(block([a, b, 3], [a + 3, b + 3, 6]));
        }
    }
    Solid {
        mesh: surface.into_mesh("sponge"),
        pieces,
    }
}

/// Is the cell part of the sponge? Cells outside the cube are not.
fn is_solid(cell: IVec3) -> bool {
    if cell.min_element() < 0 || cell.max_element() >= CELLS {
        return false;
    }
    [1, 3].into_iter().all(|size| {
        let digits = (cell / size) % 3;
        let middles = [digits.x, digits.y, digits.z]
            .iter()
            .filter(|d| **d == 1)
            .count();
        middles < 2
    })
}

fn add_face(surface: &mut Surface, cell: IVec3, axis: usize, sign: i32) {
    let (right, down) = ((axis + 1) % 3, (axis + 2) % 3);
    let mut face_normal = Vec3::ZERO;
    face_normal[axis] = sign as f32;
    let points = STEPS as usize + 1;
    surface.grid(points, points, |row, column| {
        let mut key = cell * STEPS;
        key[axis] += if sign > 0 { STEPS } else { 0 };
        key[right] += column as i32;
        key[down] += row as i32;
        let (position, normal) = rounded_point(key, face_normal);
        let sharp = sharp_point(key) / CELLS as f32;
        Vertex {
            position,
            normal,
            uv: Vec2::new(sharp[right], sharp[down]),
        }
    });
}

/// Position of a lattice point before rounding, in cells.
fn sharp_point(key: IVec3) -> Vec3 {
    let at = |k: i32| {
        let cell = k.div_euclid(STEPS) as f32;
        match k.rem_euclid(STEPS) {
            0 => cell,
            1 => cell + BEVEL,
            _ => cell + 1.0 - BEVEL,
        }
    };
    Vec3::new(at(key.x), at(key.y), at(key.z))
}

/// Position of a lattice point and its normal; `face_normal` where the point is on no crease.
///
/// A point on a crease moves to the middle of the round of radius `BEVEL` that replaces the crease; at
/// corners the moves of the creases that meet are combined, scaled so that a plain convex corner lands
/// on the ball.
fn rounded_point(key: IVec3, face_normal: Vec3) -> (Vec3, Vec3) {
    let cell_of = |octant: IVec3| {
        // The lattice cell on that side of the point belongs to this grid cell.
        let beside = key + (octant - IVec3::ONE) / 2;
        IVec3::new(
            beside.x.div_euclid(STEPS),
            beside.y.div_euclid(STEPS),
            beside.z.div_euclid(STEPS),
        )
    };
    let mut moved = Vec3::ZERO;
    let mut creases = 0;
    let mut normals: BTreeSet<(usize, i32)> = BTreeSet::new();
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for along in [-1, 1] {
            // The four octants around the half-edge that leaves the point in this direction.
            let mut solid = Vec3::ZERO;
            let mut count = 0;
            for (s, t) in [(-1, -1), (1, -1), (-1, 1), (1, 1)] {
                let mut octant = IVec3::ZERO;
                octant[axis] = along;
                octant[u] = s;
                octant[v] = t;
                if is_solid(cell_of(octant)) {
                    count += 1;
                    solid += octant.as_vec3();
                }
            }
            solid[axis] = 0.0;
            // One solid quarter: move into it. Three: the sum points away from the empty one.
            match count {
                1 => moved += solid,
                3 => moved -= solid,
                _ => continue,
            }
            creases += 1;
        }
        for (s, t) in [(-1, -1), (1, -1), (-1, 1), (1, 1)] {
            let mut octant = IVec3::ZERO;
            octant[u] = s;
            octant[v] = t;
            octant[axis] = -1;
            let below = is_solid(cell_of(octant));
            octant[axis] = 1;
            let above = is_solid(cell_of(octant));
            if below != above {
                normals.insert((axis, if below { 1 } else { -1 }));
            }
        }
    }
    // 1 − 1/√2 of the bevel per normal along a crease, 1 − 1/√3 at a convex corner of three.
    let share = match creases {
        3 => (1.0 - 0.57735026) / 2.0,
        _ => (1.0 - core::f32::consts::FRAC_1_SQRT_2) / 2.0,
    };
    let normal = normals
        .into_iter()
        .map(|(axis, sign)| {
            let mut normal = Vec3::ZERO;
            normal[axis] = sign as f32;
            normal
        })
        .sum::<Vec3>();
    (
        sharp_point(key) + moved * (BEVEL * share),
        normal.normalize_or(face_normal),
    )
}
