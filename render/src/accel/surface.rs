//! Points on surfaces, with bounds of their rounding errors, and rays that leave them.
//!
//! Pharr, Jakob and Humphreys, "Physically Based Rendering" (4th edition), section 6.8: a hit point
//! comes from its triangle's corners, not from the ray, with a bound of its error; a ray that leaves
//! starts just outside that bound. No length is chosen by hand.

use glam::{Affine3A, DVec3, Mat3A, Vec3, Vec3A};

/// γₙ: bound of the relative error of n roundings of f32.
const fn gamma(n: u32) -> f32 {
    let x = n as f32 / 16777216.0;
    x / (1.0 - x)
}

/// A point of a surface in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfacePoint {
    /// Metres.
    pub position: Vec3,
    /// Unit normal of the triangle's front, corners counter-clockwise seen from there in object
    /// space (a mirroring pose keeps outside outside). +Z for a triangle without area.
    pub normal: Vec3,
    /// Bound per axis of the distance of `position` to the triangle's plane as rays that start there
    /// see it: errors of the point, of its way to the world and of a ray's way back. Metres.
    pub error: Vec3,
}

/// How points and normals of an instance come to the world at one instant.
#[derive(Debug, Clone, Copy)]
pub struct SurfaceFrame {
    world_from_object: Affine3A,
    /// What no rounding has to be allowed for.
    is_world: bool,
    /// |world_from_object|, without the translation.
    size: Mat3A,
    /// What errors in object space grow to that rays have after their way back: `size` times the
    /// inverse's.
    back: Mat3A,
    /// Cofactors of the pose, columns for x, y, z, with the sign of its determinant: normals follow the
    /// inverse transpose, which is that but for a positive factor.
    normal_from_object: [DVec3; 3],
}

impl SurfaceFrame {
    /// Of a pose.
    pub(super) fn new(world_from_object: Affine3A) -> Self {
        let matrix = world_from_object.matrix3;
        let [x, y, z] =
            [matrix.x_axis, matrix.y_axis, matrix.z_axis].map(|axis| Vec3::from(axis).as_dvec3());
        let cofactors = [y.cross(z), z.cross(x), x.cross(y)];
        let sign = x.dot(cofactors[0]).signum();
        Self {
            is_world: world_from_object == Affine3A::IDENTITY,
            world_from_object,
            size: matrix.abs(),
            back: matrix.abs() * matrix.inverse().abs(),
            normal_from_object: cofactors.map(|column| column * sign),
        }
    }

    /// The pose.
    #[inline(always)]
    pub fn world_from_object(&self) -> &Affine3A {
        &self.world_from_object
    }

    /// A direction that stands on surfaces: not normalised.
    #[inline(always)]
    pub fn normal(&self, n: Vec3) -> Vec3 {
        if self.is_world {
            return n;
        }
        let [x, y, z] = self.normal_from_object.map(DVec3::as_vec3);
        x * n.x + y * n.y + z * n.z
    }

    /// The point with weights (1 − u − v, u, v) of a triangle's corners, which are in object space.
    #[inline(always)]
    pub fn point(&self, corners: [Vec3; 3], u: f32, v: f32) -> SurfacePoint {
        let weights = [1.0 - u - v, u, v];
        let [a, b, c] = [0, 1, 2].map(|i| corners[i] * weights[i]);
        let point = a + b + c;
        let sizes = a.abs() + b.abs() + c.abs();
        // The triangle test moves corners by a few units in the last place of their distances.
        let extent = (corners[1] - corners[0])
            .abs()
            .max((corners[2] - corners[0]).abs())
            .max_element();
        let error = sizes * gamma(7) + Vec3::splat(extent * gamma(4));
        let [p0, p1, p2] = corners.map(Vec3::as_dvec3);
        let normal = (p1 - p0).cross(p2 - p0);
        if self.is_world {
            return SurfacePoint {
                position: point,
                normal: unit(normal),
                error,
            };
        }
        let pose = &self.world_from_object;
        let position = pose.transform_point3a(point.into());
        let there = self.size * Vec3A::from(point.abs()) + pose.translation.abs();
        // A ray's origin comes back through the inverse, whose errors the pose carries to the world.
        let back = self.back * (position.abs() + pose.translation.abs());
        let error =
            self.size * Vec3A::from(error) * (1.0 + gamma(4)) + there * gamma(4) + back * gamma(13);
        let [x, y, z] = self.normal_from_object;
        SurfacePoint {
            position: position.into(),
            normal: unit(x * normal.x + y * normal.y + z * normal.z),
            error: error.into(),
        }
    }
}

#[inline(always)]
fn unit(v: DVec3) -> Vec3 {
    let length = v.length();
    if length > 0.0 {
        (v / length).as_vec3()
    } else {
        Vec3::Z
    }
}

/// The origin of a ray that leaves a surface point towards `direction`: on the side of the surface
/// that it goes to, beyond the point's error.
#[inline(always)]
pub fn offset_origin(position: Vec3, error: Vec3, normal: Vec3, direction: Vec3) -> Vec3 {
    // A hair more than the bound, for the normal is rounded too.
    let distance = normal.abs().dot(error) * (1.0 + 1.0 / 1024.0);
    let offset = if direction.dot(normal) < 0.0 {
        -normal * distance
    } else {
        normal * distance
    };
    let moved = position + offset;
    let away = |x: f32, by: f32| {
        if by > 0.0 {
            x.next_up()
        } else if by < 0.0 {
            x.next_down()
        } else {
            x
        }
    };
    Vec3::new(
        away(moved.x, offset.x),
        away(moved.y, offset.y),
        away(moved.z, offset.z),
    )
}

impl SurfacePoint {
    /// [`offset_origin`] from this point.
    #[inline]
    pub fn ray_origin(&self, direction: Vec3) -> Vec3 {
        offset_origin(self.position, self.error, self.normal, direction)
    }
}
