//! Convex polyhedra with rounded edges and corners: an inner polyhedron dilated by a ball.

use glam::{Vec2, Vec3};

use super::surface::{Solid, Surface, Vertex};

/// Segments of the round over an edge; even, so that its middle can be a texture seam.
const STEPS: usize = 10;

struct Face {
    /// Corner indices, counter-clockwise seen from outside.
    corners: Vec<usize>,
    /// Unit, outward.
    normal: Vec3,
    /// Texture axes in the face's plane.
    right: Vec3,
    down: Vec3,
}

impl Face {
    fn uv(&self, p: Vec3) -> Vec2 {
        Vec2::new(p.dot(self.right) + 0.5, p.dot(self.down) + 0.5)
    }
}

/// The hull of `corners` (all of them on the hull, origin inside), edges rounded with radius `bevel`.
///
/// At each corner, either three faces meet or all faces lie at the same distance from the origin's
/// side, so that moving every face inwards by `bevel` keeps the corner one point.
pub(super) fn rounded(name: &str, corners: &[Vec3], bevel: f32) -> Solid {
    let faces = faces(corners);
    let inner: Vec<Vec3> = (0..corners.len())
        .map(|corner| {
            // The corner moves along the direction that all its faces see alike.
            let around: Vec<&Face> = faces
                .iter()
                .filter(|f| f.corners.contains(&corner))
                .collect();
            meet(
                [
                    around[0].normal,
                    around[1].normal,
                    around[around.len() - 1].normal,
                ],
                bevel,
                corners[corner],
            )
        })
        .collect();

    let mut surface = Surface::default();
    let put = |surface: &mut Surface, corner: usize, direction: Vec3, face: &Face| {
        let position = inner[corner] + direction * bevel;
        surface.vertex(Vertex {
            position,
            normal: direction,
            uv: face.uv(position),
        })
    };

    for face in &faces {
        let ring: Vec<u32> = face
            .corners
            .iter()
            .map(|corner| put(&mut surface, *corner, face.normal, face))
            .collect();
        for index in 1..ring.len() - 1 {
            surface.triangle([ring[0], ring[index], ring[index + 1]]);
        }
    }

    for (f, face) in faces.iter().enumerate() {
        for (a, b) in face.sides() {
            let Some(g) = faces
                .iter()
                .position(|other| other.sides().any(|side| side == (b, a)))
            else {
                continue;
            };
            if g < f {
                continue;
            }
            let other = &faces[g];
            for (chart, range) in [(face, 0..STEPS / 2), (other, STEPS / 2..STEPS)] {
                for step in range {
                    let [near, far] = [step, step + 1].map(|s| arc(face.normal, other.normal, s));
                    let quad = [(a, near), (b, near), (b, far), (a, far)]
                        .map(|(corner, direction)| put(&mut surface, corner, direction, chart));
                    surface.quad(quad);
                }
            }
        }
    }

    for corner in 0..corners.len() {
        let around: Vec<usize> = (0..faces.len())
            .filter(|f| faces[*f].corners.contains(&corner))
            .collect();
        let middle = around
            .iter()
            .map(|f| faces[*f].normal)
            .sum::<Vec3>()
            .normalize_or(Vec3::Z);
        for &f in &around {
            // The side that leaves this corner borders the next face around it.
            let Some(next) = faces[f].sides().find(|side| side.0 == corner) else {
                continue;
            };
            let Some(g) = around
                .iter()
                .copied()
                .find(|g| faces[*g].sides().any(|side| side == (next.1, next.0)))
            else {
                continue;
            };
            // Spherical triangle middle – f – g on a triangular grid.
            let direction = |i: usize, j: usize| {
                // i steps away from the middle, j of these i from f towards g.
                if i == STEPS {
                    // Canonical order, so that both neighbours get the same bits.
                    if f < g {
                        arc(faces[f].normal, faces[g].normal, j)
                    } else {
                        arc(faces[g].normal, faces[f].normal, STEPS - j)
                    }
                } else if j == 0 {
                    arc(middle, faces[f].normal, i)
                } else if j == i {
                    arc(middle, faces[g].normal, i)
                } else {
                    let (from, to) = (
                        arc(middle, faces[f].normal, i),
                        arc(middle, faces[g].normal, i),
                    );
                    from.lerp(to, j as f32 / i as f32).normalize_or(from)
                }
            };
            let grid: Vec<Vec<u32>> = (0..=STEPS)
                .map(|i| {
                    (0..=i)
                        .map(|j| put(&mut surface, corner, direction(i, j), &faces[f]))
                        .collect()
                })
                .collect();
            for i in 0..STEPS {
                for j in 0..=i {
                    surface.triangle([grid[i][j], grid[i + 1][j], grid[i + 1][j + 1]]);
                    if j < i {
                        surface.triangle([grid[i][j], grid[i + 1][j + 1], grid[i][j + 1]]);
                    }
                }
            }
        }
    }
    Solid {
        mesh: surface.into_mesh(name),
        pieces: vec![support_points(&faces, &inner, bevel)],
    }
}

/// Points whose hull physics uses: where each face ends at each corner, and for rounds that can be felt
/// also the middles of the rounds.
fn support_points(faces: &[Face], inner: &[Vec3], bevel: f32) -> Vec<Vec3> {
    let mut points = Vec::new();
    for (corner, centre) in inner.iter().enumerate() {
        let around: Vec<Vec3> = faces
            .iter()
            .filter(|face| face.corners.contains(&corner))
            .map(|face| face.normal)
            .collect();
        let mut directions = around.clone();
        if bevel > 0.03 {
            directions.push(around.iter().sum::<Vec3>().normalize_or_zero());
            for (index, first) in around.iter().enumerate() {
                for second in &around[index + 1..] {
                    directions.push((*first + *second).normalize_or_zero());
                }
            }
        }
        points.extend(
            directions
                .iter()
                .map(|direction| *centre + *direction * bevel),
        );
    }
    points
}

impl Face {
    /// Directed sides (from corner, to corner).
    fn sides(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.corners.len())
            .map(|i| (self.corners[i], self.corners[(i + 1) % self.corners.len()]))
    }
}

/// Point where three planes with these normals meet after each has moved from `corner` inwards.
fn meet(normals: [Vec3; 3], inwards: f32, corner: Vec3) -> Vec3 {
    // Solve n_i · x = −inwards for all three by Cramer's rule.
    let [a, b, c] = normals;
    let determinant = a.dot(b.cross(c));
    corner - (b.cross(c) + c.cross(a) + a.cross(b)) * (inwards / determinant)
}

/// Point `step` of `STEPS` on the great arc between two unit vectors.
fn arc(from: Vec3, to: Vec3, step: usize) -> Vec3 {
    if step == 0 {
        return from;
    }
    if step == STEPS {
        return to;
    }
    let angle = libm::atan2f(from.cross(to).length(), from.dot(to));
    let t = angle * step as f32 / STEPS as f32;
    (from * libm::sinf(angle - t) + to * libm::sinf(t)).normalize_or(from)
}

/// Faces of the hull of a few points, by trying every triple of them as a plane.
fn faces(corners: &[Vec3]) -> Vec<Face> {
    let mut faces: Vec<Face> = Vec::new();
    for i in 0..corners.len() {
        for j in 0..corners.len() {
            for k in j + 1..corners.len() {
                if j <= i {
                    continue;
                }
                let normal = (corners[j] - corners[i])
                    .cross(corners[k] - corners[i])
                    .normalize_or_zero();
                if normal == Vec3::ZERO {
                    continue;
                }
                let outward = if normal.dot(corners[i]) < 0.0 {
                    -normal
                } else {
                    normal
                };
                let level = outward.dot(corners[i]);
                if corners.iter().any(|p| outward.dot(*p) > level + 1e-4) {
                    continue;
                }
                if faces.iter().any(|face| face.normal.dot(outward) > 0.9999) {
                    continue;
                }
                faces.push(face_at(corners, outward, level));
            }
        }
    }
    faces
}

fn face_at(corners: &[Vec3], normal: Vec3, level: f32) -> Face {
    // Texture upright where the face is not level.
    let right = Vec3::Z.cross(normal).normalize_or(Vec3::X);
    let down = right.cross(normal);
    let mut members: Vec<usize> = (0..corners.len())
        .filter(|index| normal.dot(corners[*index]) > level - 1e-4)
        .collect();
    let centre = members.iter().map(|i| corners[*i]).sum::<Vec3>() / members.len() as f32;
    let angle = |index: usize| {
        let p = corners[index] - centre;
        libm::atan2f(-p.dot(down), p.dot(right))
    };
    members.sort_by(|a, b| angle(*a).total_cmp(&angle(*b)));
    Face {
        corners: members,
        normal,
        right,
        down,
    }
}

/// Corners of a box of the given half sides.
pub(super) fn box_corners(half: Vec3) -> Vec<Vec3> {
    (0..8)
        .map(|index: u8| {
            let sign = |bit: u8| if index >> bit & 1 == 1 { 1.0 } else { -1.0 };
            half * Vec3::new(sign(0), sign(1), sign(2))
        })
        .collect()
}
