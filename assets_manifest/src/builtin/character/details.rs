//! Closed parts too small for the body's grid: eyes with lids, brows, fingers.

use core::f32::consts::{FRAC_PI_2, PI, TAU};

use glam::{Quat, Vec3};

use super::body::{Body, Slot};
use super::cut::Layered;
use super::head::place;
use super::skeleton::{FINGERS, finger, mirrored};
use super::solid::onto_surface;

/// A part that follows one joint.
pub(super) struct Part {
    pub(super) mesh: Layered,
    pub(super) joint: String,
}

/// All of one person.
pub(super) fn parts(body: &Body) -> Vec<Part> {
    let mut parts = Vec::new();
    for (side, mirror) in [("Left", false), ("Right", true)] {
        for mut mesh in [eye(body), brow(body)] {
            if mirror {
                mesh.mirror();
            }
            parts.push(Part {
                mesh,
                joint: "mixamorig:Head".to_owned(),
            });
        }
        for (index, name) in FINGERS.iter().enumerate() {
            let mut mesh = finger_mesh(body, index);
            if mirror {
                mesh.mirror();
            }
            // The first joint's name; weights run on along the finger.
            parts.push(Part {
                mesh,
                joint: format!("mixamorig:{side}Hand{name}1"),
            });
        }
    }
    parts
}

/// Steps around an eyeball.
const AROUND: usize = 18;

/// Ball with iris and pupil, and two lids that leave an almond between them.
fn eye(body: &Body) -> Layered {
    let head = &body.head;
    let centre = head.model_from_standard(place::EYE);
    let radius = place::EYE_RADIUS * head.scale();
    // Outward and slightly down, as at rest.
    let gaze = Quat::from_rotation_z(0.06) * Quat::from_rotation_x(FRAC_PI_2 + 0.03);
    let mut mesh = Layered::default();
    // Angles from the gaze at which materials begin, degrees.
    let rings: [(f32, Slot); 11] = [
        (0.0, Slot::Pupil),
        (9.0, Slot::Pupil),
        (16.0, Slot::Iris),
        (28.0, Slot::Iris),
        (37.0, Slot::EyeWhite),
        (45.0, Slot::EyeWhite),
        (65.0, Slot::EyeWhite),
        (90.0, Slot::EyeWhite),
        (120.0, Slot::EyeWhite),
        (150.0, Slot::EyeWhite),
        (180.0, Slot::EyeWhite),
    ];
    mesh.dome(&rings, AROUND, centre, Vec3::splat(radius), gaze);
    // Lids: caps of a slightly larger ball; their poles are up and down, tilted to the front.
    let lid = radius * 1.085;
    for (tilt, opening) in [(-0.30_f32, 84.0_f32), (PI + 0.28, 84.0)] {
        let turn = Quat::from_rotation_z(0.10) * Quat::from_rotation_x(tilt);
        let steps = 9;
        let mut rings: Vec<(f32, Slot)> = (0..=steps)
            .map(|i| (opening * i as f32 / steps as f32, Slot::Skin))
            .collect();
        // The lash line, then a flat back.
        if tilt < 0.0 {
            rings[steps - 1].1 = Slot::Brows;
            rings[steps - 1].0 = opening - 5.0;
        }
        mesh.cap(&rings, AROUND, centre, lid, turn);
    }
    mesh
}

/// A tapered arc on the brow.
fn brow(body: &Body) -> Layered {
    let head = &body.head;
    let scale = head.scale();
    let count = 9;
    let path: Vec<(Vec3, f32)> = (0..count)
        .map(|i| {
            let t = i as f32 / (count - 1) as f32;
            let x = 0.0135 + 0.036 * t;
            let z = 0.1375 + 0.0075 * libm::sinf(PI * (0.12 + 0.80 * t)) - 0.003 * t;
            let start = head.model_from_standard(Vec3::new(x, -0.080 + 0.45 * (x - 0.0135), z));
            let on = onto_surface(|q| head.distance(q), start, 6, 0.01);
            let radius = 0.0033
                * libm::sqrtf((1.0 - t * 0.85).max(0.05))
                * (0.75 + 0.25 * (t * 8.0).min(1.0));
            (on, radius * scale)
        })
        .collect();
    let mut mesh = Layered::default();
    mesh.sausage(&path, 8, Slot::Brows);
    mesh
}

/// Rings of a finger along its length, and around it.
const FINGER_RINGS: usize = 11;
const FINGER_AROUND: usize = 8;

fn finger_mesh(body: &Body, index: usize) -> Layered {
    let joints = finger(&body.landmarks, index);
    let unit = body.landmarks.hand() / 0.184;
    let thick =
        [0.0098, 0.0086, 0.0089, 0.0084, 0.0074][index] * unit * (1.0 + 0.08 * body.plumpness());
    // Begin inside the palm.
    let first = joints[0] + (joints[0] - joints[1]).normalize_or(Vec3::X) * 0.012 * unit;
    let knots = [first, joints[0], joints[1], joints[2], joints[3]];
    let lengths: Vec<f32> = knots
        .windows(2)
        .map(|pair| pair[0].distance(pair[1]))
        .collect();
    let total: f32 = lengths.iter().sum();
    let at = |mut along: f32| {
        for (pair, length) in knots.windows(2).zip(&lengths) {
            if along <= *length {
                return pair[0].lerp(pair[1], along / length);
            }
            along -= length;
        }
        knots[4]
    };
    let path: Vec<(Vec3, f32)> = (0..FINGER_RINGS)
        .map(|i| {
            let t = i as f32 / (FINGER_RINGS - 1) as f32;
            (at(total * t), thick * (1.0 - 0.26 * t))
        })
        .collect();
    let mut mesh = Layered::default();
    mesh.sausage(&path, FINGER_AROUND, Slot::Skin);
    mesh
}

impl Layered {
    /// Adds a whole ball; `rings` are polar angles in degrees from the pole (local +Z) with the slot
    /// that goes on from there.
    fn dome(
        &mut self,
        rings: &[(f32, Slot)],
        around: usize,
        centre: Vec3,
        radii: Vec3,
        turn: Quat,
    ) {
        let point = |angle: f32, step: usize| {
            let azimuth = TAU * step as f32 / around as f32;
            let polar = angle.to_radians();
            let out = if angle <= 0.0 || angle >= 180.0 {
                Vec3::Z * (90.0 - angle).signum()
            } else {
                Vec3::new(
                    libm::sinf(polar) * libm::cosf(azimuth),
                    libm::sinf(polar) * libm::sinf(azimuth),
                    libm::cosf(polar),
                )
            };
            (centre + turn * (out * radii), turn * out)
        };
        for pair in rings.windows(2) {
            for step in 0..around {
                let next = (step + 1) % around;
                let quad = [
                    point(pair[0].0, step),
                    point(pair[1].0, step),
                    point(pair[1].0, next),
                    point(pair[0].0, next),
                ];
                self.patch(quad, pair[0].1);
            }
        }
    }

    /// Adds a cap of a ball, closed by a flat disc.
    fn cap(&mut self, rings: &[(f32, Slot)], around: usize, centre: Vec3, radius: f32, turn: Quat) {
        self.dome(rings, around, centre, Vec3::splat(radius), turn);
        let Some((angle, slot)) = rings.last().copied() else {
            return;
        };
        let polar = angle.to_radians();
        let rim = |step: usize| {
            let azimuth = TAU * step as f32 / around as f32;
            let out = Vec3::new(
                libm::sinf(polar) * libm::cosf(azimuth),
                libm::sinf(polar) * libm::sinf(azimuth),
                libm::cosf(polar),
            );
            centre + turn * (out * Vec3::splat(radius))
        };
        let down = turn * -Vec3::Z;
        let middle = centre + turn * (Vec3::Z * (radius * libm::cosf(polar)));
        for step in 0..around {
            let (a, b) = (rim(step), rim((step + 1) % around));
            let quad = [(middle, down), (b, down), (a, down), (middle, down)];
            self.patch(quad, slot);
        }
    }

    /// Adds a tube around a path of centres and radii, with round ends.
    fn sausage(&mut self, path: &[(Vec3, f32)], around: usize, slot: Slot) {
        let last = path.len() - 1;
        let tangent = |i: usize| {
            (path[(i + 1).min(last)].0 - path[i.saturating_sub(1)].0).normalize_or(Vec3::X)
        };
        let reference = if tangent(0).z.abs() < 0.9 {
            Vec3::Z
        } else {
            Vec3::Y
        };
        // Centre, radius, tangent and the tangential part of normals of each ring, ends included.
        let mut rings: Vec<(Vec3, f32, Vec3, f32)> = Vec::new();
        let ends = 3;
        for i in 0..ends {
            let angle = FRAC_PI_2 * i as f32 / ends as f32;
            let (centre, radius) = path[0];
            let back = libm::cosf(angle);
            rings.push((
                centre - tangent(0) * (radius * back),
                radius * libm::sinf(angle),
                tangent(0),
                -back,
            ));
        }
        for (i, (centre, radius)) in path.iter().enumerate() {
            rings.push((*centre, *radius, tangent(i), 0.0));
        }
        for i in (0..ends).rev() {
            let angle = FRAC_PI_2 * i as f32 / ends as f32;
            let (centre, radius) = path[last];
            let ahead = libm::cosf(angle);
            rings.push((
                centre + tangent(last) * (radius * ahead),
                radius * libm::sinf(angle),
                tangent(last),
                ahead,
            ));
        }
        let point = |ring: usize, step: usize| {
            let (centre, radius, along, lean) = rings[ring];
            if radius == 0.0 {
                return (centre, along * lean);
            }
            let u = (reference - along * reference.dot(along)).normalize_or(Vec3::X);
            let v = along.cross(u);
            let azimuth = TAU * step as f32 / around as f32;
            let out = u * libm::cosf(azimuth) + v * libm::sinf(azimuth);
            let share = libm::sqrtf((1.0 - lean * lean).max(0.0));
            (centre + out * radius, out * share + along * lean)
        };
        for ring in 0..rings.len() - 1 {
            for step in 0..around {
                let next = (step + 1) % around;
                let quad = [
                    point(ring, step),
                    point(ring, next),
                    point(ring + 1, next),
                    point(ring + 1, step),
                ];
                self.patch(quad, slot);
            }
        }
    }

    /// A quadrilateral of positions and normals; triangles without area are left out.
    fn patch(&mut self, quad: [(Vec3, Vec3); 4], slot: Slot) {
        for corners in [[0, 1, 2], [0, 2, 3]] {
            let [a, b, c] = corners.map(|i| quad[i]);
            if a.0 == b.0 || b.0 == c.0 || c.0 == a.0 {
                continue;
            }
            let first = self.positions.len() as u32;
            for (position, normal) in [a, b, c] {
                self.positions.push(position);
                self.normals.push(normal);
            }
            self.triangles.push([first, first + 1, first + 2]);
            self.slots.push(slot);
        }
    }

    fn mirror(&mut self) {
        for p in self.positions.iter_mut().chain(&mut self.normals) {
            *p = mirrored(*p);
        }
        for triangle in &mut self.triangles {
            triangle.swap(1, 2);
        }
    }

    /// Makes one vertex of those with equal place and normal.
    pub(super) fn weld(&mut self) {
        let key = |i: u32| {
            let (p, n) = (self.positions[i as usize], self.normals[i as usize]);
            [p.x, p.y, p.z, n.x, n.y, n.z].map(|c| (c + 0.0).to_bits())
        };
        let mut order: Vec<u32> = (0..self.positions.len() as u32).collect();
        order.sort_by_key(|i| (key(*i), *i));
        let mut leader = vec![0_u32; order.len()];
        let mut current = order.first().copied().unwrap_or(0);
        for i in order {
            if key(i) != key(current) {
                current = i;
            }
            leader[i as usize] = current;
        }
        let mut new_index = vec![u32::MAX; leader.len()];
        let (mut positions, mut normals) = (Vec::new(), Vec::new());
        for (i, lead) in leader.iter().enumerate() {
            if *lead as usize == i {
                new_index[i] = positions.len() as u32;
                positions.push(self.positions[i]);
                normals.push(self.normals[i]);
            }
        }
        for triangle in &mut self.triangles {
            *triangle = triangle.map(|v| new_index[leader[v as usize] as usize]);
        }
        self.positions = positions;
        self.normals = normals;
    }

    /// Cubic metres enclosed; negative when inside out.
    #[cfg(test)]
    pub(super) fn volume(&self) -> f32 {
        self.triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|v| self.positions[v as usize]);
                a.dot(b.cross(c)) / 6.0
            })
            .sum()
    }
}
