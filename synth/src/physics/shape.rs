//! The shape of one body: convex hulls at their final scale, or the endless floor.

use glam::{Quat, Vec3};
use rapier3d::parry::bounding_volume::Aabb;
use rapier3d::parry::query;
use rapier3d::parry::shape::{ConvexPolyhedron, SharedShape};
use rapier3d::prelude::{MassProperties, Pose as RapierPose};

use super::PhysicsError;
use super::hull::{Hull, convex_hull};
use super::inertia;
use crate::shot::Pose;

/// A collision shape in object space, scale already applied.
#[derive(Clone)]
pub struct BodyShape {
    pub(super) shape: SharedShape,
    /// Empty for the floor.
    hulls: Vec<Hull>,
}

impl std::fmt::Debug for BodyShape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BodyShape")
            .field("hulls", &self.hulls.len())
            .finish_non_exhaustive()
    }
}

impl BodyShape {
    /// The half space z ≤ 0 of its object space.
    pub fn floor() -> Self {
        Self {
            shape: SharedShape::halfspace(Vec3::Z),
            hulls: Vec::new(),
        }
    }

    /// A solid box, `half` metres to each side of the origin.
    pub fn cuboid(half: Vec3) -> Result<Self, PhysicsError> {
        let corners: Vec<Vec3> = (0..8)
            .map(|i| {
                Vec3::select(
                    glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4),
                    half,
                    -half,
                )
            })
            .collect();
        Self::of_pieces("box", &[corners], Vec3::ONE)
    }

    /// The union of the hulls of `pieces` times `scale`. `asset` is for messages.
    pub fn of_pieces(asset: &str, pieces: &[Vec<Vec3>], scale: Vec3) -> Result<Self, PhysicsError> {
        let wrong = |reason: &str| PhysicsError::Shape {
            asset: asset.to_owned(),
            reason: reason.to_owned(),
        };
        let mut hulls = Vec::new();
        let mut parts = Vec::new();
        for piece in pieces {
            let scaled: Vec<Vec3> = piece.iter().map(|p| *p * scale).collect();
            let hull = convex_hull(&scaled)
                .ok_or_else(|| wrong("a collision piece is empty or not finite"))?;
            let solid = ConvexPolyhedron::from_convex_mesh(hull.vertices.clone(), &hull.triangles)
                .ok_or_else(|| wrong("a collision piece has no closed hull"))?;
            parts.push((RapierPose::IDENTITY, SharedShape::new(solid)));
            hulls.push(hull);
        }
        let shape = match parts.len() {
            0 => return Err(wrong("it has no collision pieces")),
            1 => parts.remove(0).1,
            _ => SharedShape::compound(parts),
        };
        Ok(Self { shape, hulls })
    }

    /// Mass, centre and inertia at uniform density.
    pub fn mass_properties(&self, mass_kg: f32) -> MassProperties {
        inertia::mass_properties(&self.hulls, mass_kg)
    }

    /// Box around the shape turned by `rotation` about its object origin, relative to that origin.
    /// Empty (zero) for the floor.
    pub fn bounds(&self, rotation: Quat) -> (Vec3, Vec3) {
        let mut corners = self
            .hulls
            .iter()
            .flat_map(|hull| &hull.vertices)
            .map(|v| rotation * *v);
        let Some(first) = corners.next() else {
            return (Vec3::ZERO, Vec3::ZERO);
        };
        corners.fold((first, first), |(low, high), p| (low.min(p), high.max(p)))
    }

    fn box_at(&self, pose: &Pose) -> Aabb {
        self.shape.compute_aabb(&rapier_pose(pose))
    }

    /// Distance, metres, to another shape: negative when they overlap (the depth of the deepest
    /// contact); `None` when they are farther apart than `reach`. With the middle of the two
    /// closest points, world.
    pub fn distance(
        &self,
        pose: &Pose,
        other: &Self,
        other_pose: &Pose,
        reach: f32,
    ) -> Option<(f32, Vec3)> {
        // parry answers wrongly for a half space as the second shape; the exact answer is short.
        if other.is_floor() {
            return self.height_above(pose, other_pose, reach);
        }
        if self.is_floor() {
            return other.height_above(other_pose, pose, reach);
        }
        if !boxes_meet(&self.box_at(pose), &other.box_at(other_pose), reach) {
            return None;
        }
        let contact = query::contact(
            &rapier_pose(pose),
            &*self.shape,
            &rapier_pose(other_pose),
            &*other.shape,
            reach,
        )
        .ok()??;
        Some((contact.dist, (contact.point1 + contact.point2) * 0.5))
    }

    fn is_floor(&self) -> bool {
        self.hulls.is_empty()
    }

    /// Signed distance of the lowest corner from the floor at `floor`, and that corner's foot.
    fn height_above(&self, pose: &Pose, floor: &Pose, reach: f32) -> Option<(f32, Vec3)> {
        let up = floor.rotation * Vec3::Z;
        let (height, corner) = self
            .hulls
            .iter()
            .flat_map(|hull| &hull.vertices)
            .map(|v| {
                let corner = pose.position + pose.rotation * *v;
                (up.dot(corner - floor.position), corner)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        (height <= reach).then(|| (height, corner - up * height))
    }

    /// Distance, metres, of a world point from the surface; 0 inside.
    pub fn distance_to_point(&self, pose: &Pose, point: Vec3) -> f32 {
        self.shape
            .distance_to_point(&rapier_pose(pose), point, true)
    }
}

/// Do the boxes come within `reach` of each other?
fn boxes_meet(a: &Aabb, b: &Aabb, reach: f32) -> bool {
    let reach = Vec3::splat(reach);
    (a.mins - reach).cmple(b.maxs).all() && (b.mins - reach).cmple(a.maxs).all()
}

/// Our pose as rapier's.
pub(super) fn rapier_pose(pose: &Pose) -> RapierPose {
    RapierPose::from_parts(pose.position, pose.rotation)
}
