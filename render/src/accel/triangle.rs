//! The ray–triangle test, eight triangles at a time.
//!
//! Woop, Benthin and Wald 2013, "Watertight Ray/Triangle Intersection": vertices are moved and
//! sheared so that the ray becomes the last axis, and the signs of three edge functions decide. Two
//! triangles that share an edge see the same moved vertices, and a product of floats never changes
//! order by rounding, so an edge function is wrong only by being zero, which counts as inside:
//! whatever truly covers the ray is found.
//!
//! Where the projected area is small beside the products it comes from (slivers, grazing rays), and
//! where the hit is as near as rounding errors reach, the weights are computed again in f64, where
//! those products are exact. So the distance of a hit always lies within the triangle's extent but
//! for a margin of [`BOX_MARGIN`], which the boxes of the tree have.

use bytemuck::{Pod, Zeroable};
use glam::Vec3;

use super::{
    larger,
    simd::{Row, Simd8},
    traverse::LocalRay,
};

/// What each triangle's box grows by, as a share of its largest side; see the module documentation.
pub(super) const BOX_MARGIN: f32 = 1.0 / 524288.0;
/// How far a moving vertex may be off its straight way, as a share of its coordinates: four roundings.
pub(super) const MIX_SLACK: f32 = 4.0 / 16777216.0;
/// Projected areas below this share of their products are computed in f64.
const SMALL_AREA: f32 = 1.0 / 4.0;
/// Distances below this share of the vertices' distances are computed in f64.
const NEAR: f32 = 1.0 / 262144.0;

/// Up to eight triangles; 320 bytes.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Leaf {
    /// `vertices[vertex][axis][lane]`; NaN in lanes without a triangle.
    pub(super) vertices: [[[f32; 8]; 3]; 3],
    /// Triangle index of each lane, increasing.
    pub(super) primitives: [u32; 8],
}

impl Leaf {
    /// No triangle in any lane.
    pub(super) const EMPTY: Self = Self {
        vertices: [[[f32::NAN; 8]; 3]; 3],
        primitives: [u32::MAX; 8],
    };

    /// The triangles at a time from 0 (this) to 1 (`close`); each vertex moves straight and evenly.
    ///
    /// Vertices that two triangles share are the same operations on the same numbers, and stay shared.
    #[inline(never)]
    pub(super) fn mixed(&self, close: &Self, time: f32) -> Self {
        let mut mixed = *self;
        for (vertex, close) in mixed.vertices.iter_mut().zip(&close.vertices) {
            for (axis, close) in vertex.iter_mut().zip(close) {
                for (x, close) in axis.iter_mut().zip(close) {
                    *x = mix(*x, *close, time);
                }
            }
        }
        mixed
    }

    /// The corners of the triangle in a lane.
    #[inline(always)]
    pub(super) fn corners(&self, lane: usize) -> [Vec3; 3] {
        [
            self.corner(0, lane),
            self.corner(1, lane),
            self.corner(2, lane),
        ]
    }

    #[inline(always)]
    fn corner(&self, vertex: usize, lane: usize) -> Vec3 {
        let [x, y, z] = &self.vertices[vertex];
        Vec3::new(x[lane], y[lane], z[lane])
    }
}

/// Between two numbers; at most [`MIX_SLACK`] of the larger outside of them by rounding.
#[inline(always)]
fn mix(a: f32, b: f32, t: f32) -> f32 {
    a * (1.0 - t) + b * t
}

/// The frame in which a ray is the last axis.
#[derive(Clone, Copy)]
struct Shear {
    /// The axes in the order: two sheared ones, then that of the largest direction component.
    axes: [usize; 3],
    /// Steps along the first two for one along the last.
    slopes: [f32; 2],
    /// 1 / the direction's component along the last.
    inverse_depth: f32,
}

impl Shear {
    #[inline(always)]
    fn new(ray: &LocalRay) -> Self {
        static AXES: [[usize; 3]; 3] = [[1, 2, 0], [2, 0, 1], [0, 1, 2]];
        let size = ray.direction.abs();
        // Selections, not branches: directions are unpredictable.
        let y_over_x = usize::from(size.y > size.x);
        let z_over_both = size.z > larger(size.x, size.y);
        let axes = AXES[if z_over_both { 2 } else { y_over_x }];
        // Arrays, for indexing a Vec3 is branches.
        let direction = ray.direction.to_array();
        let inverse_depth = ray.inverse.to_array()[axes[2]];
        Self {
            axes,
            slopes: [
                direction[axes[0]] * inverse_depth,
                direction[axes[1]] * inverse_depth,
            ],
            inverse_depth,
        }
    }
}

/// A ray made ready for triangle tests, eight at a time.
pub(super) struct TriangleRay<S: Simd8> {
    /// Which coordinates are the two sheared ones and the depth.
    axes: [Row<3>; 3],
    /// Origin along `axes`.
    origin: [S::F; 3],
    slopes: [S::F; 2],
    inverse_depth: S::F,
    t_min: S::F,
}

/// Where a ray meets a triangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct TriangleHit {
    pub(super) t: f32,
    pub(super) u: f32,
    pub(super) v: f32,
}

/// Eight tests: which lanes hit for certain, which must be looked at again, and the numbers.
pub(super) struct Tested {
    /// Lanes whose numbers below hold.
    pub(super) sure: u32,
    /// Lanes to give to [`refine`].
    pub(super) unsure: u32,
    pub(super) t: [f32; 8],
    weight_u: [f32; 8],
    weight_v: [f32; 8],
    area: [f32; 8],
}

impl Tested {
    /// The hit of a sure lane.
    #[inline(always)]
    pub(super) fn hit(&self, lane: usize) -> TriangleHit {
        TriangleHit {
            t: self.t[lane],
            u: self.weight_u[lane] / self.area[lane],
            v: self.weight_v[lane] / self.area[lane],
        }
    }
}

impl<S: Simd8> TriangleRay<S> {
    #[inline(always)]
    pub(super) fn new(simd: S, ray: &LocalRay) -> Self {
        let shear = Shear::new(ray);
        let [x, y, z] = shear.axes;
        let origin = ray.origin.to_array();
        Self {
            axes: [Row::new(x), Row::new(y), Row::new(z)],
            origin: [
                simd.splat(origin[x]),
                simd.splat(origin[y]),
                simd.splat(origin[z]),
            ],
            slopes: [simd.splat(shear.slopes[0]), simd.splat(shear.slopes[1])],
            inverse_depth: simd.splat(shear.inverse_depth),
            t_min: simd.splat(ray.t_min),
        }
    }

    /// One corner of each triangle relative to the ray: two sheared coordinates and the depth.
    #[inline(always)]
    fn moved(&self, simd: S, v: &[[f32; 8]; 3]) -> [S::F; 3] {
        let [kx, ky, kz] = self.axes;
        let z = simd.sub(simd.load_row(v, kz), self.origin[2]);
        let x = simd.sub(simd.load_row(v, kx), self.origin[0]);
        let y = simd.sub(simd.load_row(v, ky), self.origin[1]);
        [
            simd.sub(x, simd.mul(self.slopes[0], z)),
            simd.sub(y, simd.mul(self.slopes[1], z)),
            z,
        ]
    }

    /// Tests all triangles of `leaf` for `t_min < t <= limit`; `None` where no lane can hit.
    #[inline(always)]
    pub(super) fn test(&self, simd: S, leaf: &Leaf, limit: S::F) -> Option<Tested> {
        let a = self.moved(simd, &leaf.vertices[0]);
        let b = self.moved(simd, &leaf.vertices[1]);
        let c = self.moved(simd, &leaf.vertices[2]);
        let u = simd.sub(simd.mul(c[0], b[1]), simd.mul(c[1], b[0]));
        let v = simd.sub(simd.mul(a[0], c[1]), simd.mul(a[1], c[0]));
        let w = simd.sub(simd.mul(b[0], a[1]), simd.mul(b[1], a[0]));
        let zero = simd.splat(0.0);
        let inside = simd.or(
            simd.le(zero, simd.min(simd.min(u, v), w)),
            simd.le(simd.max(simd.max(u, v), w), zero),
        );
        if simd.bits(inside) == 0 {
            return None;
        }
        let area = simd.add(simd.add(u, v), w);
        let depth = simd.add(
            simd.add(simd.mul(u, a[2]), simd.mul(v, b[2])),
            simd.mul(w, c[2]),
        );
        let t = simd.mul(simd.div(depth, area), self.inverse_depth);
        let scale = simd.mul(
            largest(simd, a[0], b[0], c[0]),
            largest(simd, a[1], b[1], c[1]),
        );
        let small = simd.le(simd.abs(area), simd.mul(scale, simd.splat(SMALL_AREA)));
        let far = simd.mul(
            simd.mul(largest(simd, a[2], b[2], c[2]), simd.splat(NEAR)),
            simd.abs(self.inverse_depth),
        );
        let near = simd.le(t, far);
        let in_range = simd.and(simd.lt(self.t_min, t), simd.le(t, limit));
        let inside = simd.bits(inside);
        let unsure = inside & simd.bits(simd.or(small, simd.and(in_range, near)));
        let sure = inside & simd.bits(in_range) & !unsure;
        if sure | unsure == 0 {
            return None;
        }
        let mut tested = Tested {
            sure,
            unsure,
            t: [0.0; 8],
            weight_u: [0.0; 8],
            weight_v: [0.0; 8],
            area: [0.0; 8],
        };
        simd.store(t, &mut tested.t);
        simd.store(v, &mut tested.weight_u);
        simd.store(w, &mut tested.weight_v);
        simd.store(area, &mut tested.area);
        Some(tested)
    }
}

/// The largest magnitude of three.
#[inline(always)]
fn largest<S: Simd8>(simd: S, a: S::F, b: S::F, c: S::F) -> S::F {
    simd.max(simd.max(simd.abs(a), simd.abs(b)), simd.abs(c))
}

/// The test of one lane with exact edge functions; the caller compares t with its limit.
#[cold]
#[inline(never)]
pub(super) fn refine(ray: LocalRay, leaf: &Leaf, lane: usize) -> Option<TriangleHit> {
    let Shear {
        axes: [kx, ky, kz],
        slopes,
        ..
    } = Shear::new(&ray);
    // The same f32 operations as in the vector test, so that shared edges stay shared.
    let [a, b, c] = [0, 1, 2].map(|vertex| {
        let v = &leaf.vertices[vertex];
        let z = v[kz][lane] - ray.origin[kz];
        let x = v[kx][lane] - ray.origin[kx];
        let y = v[ky][lane] - ray.origin[ky];
        let sheared = [x - slopes[0] * z, y - slopes[1] * z, z];
        sheared.map(f64::from)
    });
    let u = c[0] * b[1] - c[1] * b[0];
    let v = a[0] * c[1] - a[1] * c[0];
    let w = b[0] * a[1] - b[1] * a[0];
    if (u < 0.0 || v < 0.0 || w < 0.0) && (u > 0.0 || v > 0.0 || w > 0.0) {
        return None;
    }
    let area = u + v + w;
    if area == 0.0 {
        return None;
    }
    let depth = (u * a[2] + v * b[2] + w * c[2]) / area;
    let t = (depth / f64::from(ray.direction[kz])) as f32;
    if t <= ray.t_min {
        return None;
    }
    let farthest = a[2].abs().max(b[2].abs()).max(c[2].abs());
    if depth.abs() <= f64::from(NEAR) * farthest {
        // Which side of the plane the origin is on, free of any rounding that matters: a ray
        // that leaves a surface must not find it again.
        let [p0, p1, p2] = leaf.corners(lane).map(Vec3::as_dvec3);
        let normal = (p1 - p0).cross(p2 - p0);
        let height = normal.dot(p0 - Vec3::from(ray.origin).as_dvec3());
        let slope = normal.dot(Vec3::from(ray.direction).as_dvec3());
        // Also refuses 0/0, a ray within the plane.
        let ahead = height / slope > f64::from(ray.t_min);
        if !ahead {
            return None;
        }
    }
    Some(TriangleHit {
        t,
        u: (v / area) as f32,
        v: (w / area) as f32,
    })
}
