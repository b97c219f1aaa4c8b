//! What a bundle of rays through one point may meet, asked once instead of ray by ray.

use glam::{Affine3A, DVec3, Vec3, Vec3A};

use super::{
    build::{LEAF, Node},
    mesh::MeshBvh,
    tlas::{Pose, Tlas},
};

/// By how much a point may be behind a side and still count as inside, as a share of all lengths that
/// go into the test: far more than rounding, here and in the rays themselves.
const SLACK: f32 = 1.0e-5;

/// All rays from one point between four directions.
#[derive(Debug, Clone, Copy)]
pub struct Beam {
    origin: Vec3A,
    /// Unit normals of the sides, inwards.
    sides: [Vec3A; 4],
}

/// One side in the space of a mesh.
#[derive(Clone, Copy)]
struct Side {
    normal: Vec3A,
    /// Points p with normal · p + offset ≥ 0 are inside.
    offset: f32,
    /// Share of the largest coordinate, and a length, by which points may be outside.
    slack: [f32; 2],
}

/// The four sides in the space of a mesh, once for each end of its motion: what is behind the same side at
/// both ends is behind it all the way.
struct Sides {
    open: [Side; 4],
    /// `None` for a mesh at rest.
    close: Option<[Side; 4]>,
}

impl Beam {
    /// From `origin` between `corners`, which follow each other around the beam and span less than a
    /// half space.
    pub fn new(origin: Vec3, corners: [Vec3; 4]) -> Self {
        let corners = corners.map(Vec3A::from);
        let middle = corners[0] + corners[1] + corners[2] + corners[3];
        Self {
            origin: origin.into(),
            sides: std::array::from_fn(|i| {
                let normal = corners[i].cross(corners[(i + 1) % 4]).normalize_or_zero();
                if normal.dot(middle) < 0.0 {
                    -normal
                } else {
                    normal
                }
            }),
        }
    }

    /// The sides where `world_from_object` is the world.
    fn sides(&self, world_from_object: &Affine3A) -> [Side; 4] {
        let transposed = world_from_object.matrix3.transpose();
        let away = world_from_object.translation - self.origin;
        let far =
            world_from_object.translation.abs().max_element() + self.origin.abs().max_element();
        self.sides.map(|normal| {
            let in_object = transposed * normal;
            Side {
                normal: in_object,
                offset: normal.dot(away),
                slack: [SLACK * in_object.abs().element_sum(), SLACK * far],
            }
        })
    }
}

impl Side {
    /// Is all of the box behind it?
    fn is_before(&self, min: Vec3A, max: Vec3A) -> bool {
        let farthest = Vec3A::select(self.normal.cmpgt(Vec3A::ZERO), max, min);
        let reach = min.abs().max(max.abs()).max_element();
        self.normal.dot(farthest) + self.offset < -(self.slack[0] * reach + self.slack[1])
    }
}

impl Sides {
    /// Is all of the box behind one side? A box that reaches around the point where all rays begin may be
    /// outside of the beam and behind none.
    fn leave_out(&self, min: Vec3A, max: Vec3A) -> bool {
        (0..4).any(|i| {
            let closing = self.close.as_ref().map(|close| &close[i]);
            self.open[i].is_before(min, max) && closing.is_none_or(|side| side.is_before(min, max))
        })
    }

    /// May part of the triangle be inside?
    fn may_hold(&self, corners: [Vec3; 3]) -> bool {
        // What moves is as good as met.
        self.close.is_some() || !is_clipped_away(&self.open, corners)
    }
}

/// Is nothing left of a triangle when what is behind each side is cut off?
fn is_clipped_away(sides: &[Side; 4], corners: [Vec3; 3]) -> bool {
    let reach = corners
        .iter()
        .fold(0.0_f32, |far, p| far.max(p.abs().max_element()));
    let mut polygon: Vec<DVec3> = corners.iter().map(|p| p.as_dvec3()).collect();
    for side in sides {
        let normal = Vec3::from(side.normal).as_dvec3();
        let offset = f64::from(side.offset) + f64::from(side.slack[0] * reach + side.slack[1]);
        let before = |p: DVec3| normal.dot(p) + offset;
        let mut left = Vec::with_capacity(polygon.len() + 1);
        for (i, &from) in polygon.iter().enumerate() {
            let to = polygon[(i + 1) % polygon.len()];
            let (a, b) = (before(from), before(to));
            if a >= 0.0 {
                left.push(from);
            }
            if (a >= 0.0) != (b >= 0.0) {
                left.push(from.lerp(to, a / (a - b)));
            }
        }
        polygon = left;
    }
    polygon.is_empty()
}

impl MeshBvh {
    fn may_be_met(&self, sides: &Sides) -> bool {
        if self.triangle_count() == 0 {
            return false;
        }
        let mut waiting = vec![self.root()];
        while let Some(next) = waiting.pop() {
            if next & LEAF != 0 {
                let leaf = self.leaf(next & !LEAF);
                let lanes = (0..8).filter(|lane| leaf.primitives[*lane] != u32::MAX);
                if lanes
                    .map(|lane| leaf.corners(lane))
                    .any(|t| sides.may_hold(t))
                {
                    return true;
                }
                continue;
            }
            let node = self.node(next);
            for (slot, &child) in node.children.iter().enumerate() {
                let (min, max) = child_box(node, slot);
                // Children that are not there have their planes the wrong way round.
                if min.cmple(max).all() && !sides.leave_out(min, max) {
                    waiting.push(child);
                }
            }
        }
        false
    }
}

fn child_box(node: &Node, slot: usize) -> (Vec3A, Vec3A) {
    let plane = |side: usize| Vec3A::from([0, 1, 2].map(|axis| node.planes[2 * axis + side][slot]));
    (plane(0), plane(1))
}

impl Tlas {
    /// The worlds of `worlds` in which some ray of the beam may meet something while the shutter is open: in
    /// all others none does.
    pub fn worlds_that_may_be_met(&self, beam: &Beam, worlds: u32) -> u32 {
        let mut met = 0;
        for index in 0..self.len() as u32 {
            let instance = self.instance(index);
            let wanted = instance.worlds & worlds & !met;
            if wanted == 0 {
                continue;
            }
            let sides = match &instance.pose {
                Pose::Still(pose) => Sides {
                    open: beam.sides(pose),
                    close: None,
                },
                Pose::Moving { open, close } => Sides {
                    open: beam.sides(open),
                    close: Some(beam.sides(close)),
                },
            };
            if instance.mesh.may_be_met(&sides) {
                met |= wanted;
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::accel::{BuildOptions, Instance, Isa, Kernel, Ray, Simd8};

    /// Beams across the picture, and down.
    const SIDE: u32 = 24;
    /// Rays across a beam, and down.
    const RAYS: u32 = 9;

    struct Meets<'a>(&'a Tlas, Ray);

    impl Kernel for Meets<'_> {
        type Output = bool;

        fn run<S: Simd8>(self, simd: S) -> bool {
            self.0.intersect(simd, &self.1, |_| true).is_some()
        }
    }

    /// A floor of two large triangles around and below the eye, and a turned, squashed blob of small ones
    /// before it.
    fn tlas() -> Tlas {
        let instance = |positions: &[Vec3], triangles: &[[u32; 3]], pose, worlds| Instance {
            mesh: Arc::new(MeshBvh::build(
                positions,
                triangles,
                BuildOptions::default(),
            )),
            pose: Pose::Still(pose),
            worlds,
            needs_filter: false,
        };
        let side = 500.0;
        let floor = [(-side, -side), (side, -side), (side, side), (-side, side)];
        let floor = floor.map(|(x, y)| Vec3::new(x, y, 0.0));
        let ring = |i: u32, k: u32| {
            let (s, c) = crate::kernels::math::sin_cos(i as f32 * 0.3);
            let (t, d) = crate::kernels::math::sin_cos(k as f32 * 0.3);
            Vec3::new(c * d, s * d, t)
        };
        let mut positions = Vec::new();
        let mut triangles = Vec::new();
        for i in 0..21 {
            for k in 0..10 {
                let first = positions.len() as u32;
                positions.extend([ring(i, k), ring(i + 1, k), ring(i, k + 1)]);
                triangles.push([first, first + 1, first + 2]);
            }
        }
        let pose = Affine3A::from_scale_rotation_translation(
            Vec3::new(0.3, 0.9, 0.5),
            glam::Quat::from_xyzw(0.18, 0.36, 0.54, 0.74).normalize(),
            Vec3::new(0.4, 5.0, 1.2),
        );
        Tlas::build(vec![
            instance(&floor, &[[0, 1, 2], [0, 2, 3]], Affine3A::IDENTITY, 0b01),
            instance(&positions, &triangles, pose, 0b10),
        ])
    }

    #[test]
    fn what_a_beam_leaves_out_no_ray_in_it_meets_and_little_else_is_kept() {
        let tlas = tlas();
        let eye = Vec3::new(0.0, 0.0, 0.5);
        let isa = Isa::detect().unwrap();
        let (mut kept, mut met) = ([0; 2], [0; 2]);
        let at = |x: f32, y: f32| Vec3::new(x / SIDE as f32 - 0.5, 1.0, 0.5 - y / SIDE as f32);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (x, y) = (column as f32, row as f32);
                let corners = [(x, y), (x + 1.0, y), (x + 1.0, y + 1.0), (x, y + 1.0)];
                let beam = Beam::new(eye, corners.map(|(x, y)| at(x, y)));
                let found = tlas.worlds_that_may_be_met(&beam, 0b11);
                for world in 0..2 {
                    let is_met = (0..RAYS * RAYS).any(|i| {
                        let step = |k: u32| k as f32 / (RAYS - 1) as f32;
                        let ray = Ray {
                            origin: eye,
                            direction: at(x + step(i % RAYS), y + step(i / RAYS)),
                            worlds: 1 << world,
                            ..Ray::default()
                        };
                        isa.dispatch(Meets(&tlas, ray))
                    });
                    let is_kept = found >> world & 1 == 1;
                    assert!(is_kept || !is_met, "world {world}, beam {column} {row}");
                    kept[world] += u32::from(is_kept);
                    met[world] += u32::from(is_met);
                }
            }
        }
        // Half of what is in front is floor, in whole rows; of the blob the rim is what a few rays miss.
        assert!(
            met[0] == kept[0] && (12..14).contains(&(met[0] / SIDE)),
            "{met:?} {kept:?}"
        );
        assert!(
            met[1] > 20 && kept[1] <= met[1] + met[1] / 4,
            "{met:?} {kept:?}"
        );
    }
}
