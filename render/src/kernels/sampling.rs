//! Points on discs, hemispheres, cones; frames.

use glam::Vec3;

use super::math::{INV_PI, ONE_MINUS_EPSILON, safe_sqrt, sin_cos_2pi, sqr};
use super::real::Real;
use super::vector::Vector3;

/// An orthonormal basis around `n` (Duff et al. 2017, Building an Orthonormal Basis, Revisited).
#[derive(Debug, Clone, Copy)]
pub struct Frame3<R: Real> {
    /// x axis.
    pub s: Vector3<R>,
    /// y axis.
    pub t: Vector3<R>,
    /// z axis, the given unit vector.
    pub n: Vector3<R>,
}

impl<R: Real> Frame3<R> {
    /// Basis with z = `n` (unit).
    #[inline(always)]
    pub fn from_z(n: Vector3<R>) -> Self {
        let sign = n.z.signed_one();
        let a = n.z.like(-1.0) / (sign + n.z);
        let b = n.x * n.y * a;
        Self {
            s: Vector3::new(sign * n.x * n.x * a + 1.0, sign * b, -sign * n.x),
            t: Vector3::new(b, sign + n.y * n.y * a, -n.y),
            n,
        }
    }

    /// World to local.
    #[inline(always)]
    pub fn to_local(&self, v: Vector3<R>) -> Vector3<R> {
        Vector3::new(v.dot(self.s), v.dot(self.t), v.dot(self.n))
    }

    /// Local to world.
    #[inline(always)]
    pub fn to_world(&self, v: Vector3<R>) -> Vector3<R> {
        self.s * v.x + self.t * v.y + self.n * v.z
    }
}

/// Uniform point on the unit disc, concentric map (Shirley and Chiu 1997), keeps stratification.
#[inline(always)]
pub fn concentric_disc<R: Real>(u: [R; 2]) -> [R; 2] {
    let [x, y] = [u[0] * 2.0 - 1.0, u[1] * 2.0 - 1.0];
    let wide = y.abs().lt(x.abs());
    let r = R::select(wide, x, y);
    // Angle in turns: (π/4)(y/x) is y/x/8 of a turn.
    let eighths = R::select(wide, y, x) / r * 0.125;
    let turns = R::select(wide, eighths, eighths.like(0.25) - eighths);
    let (sin, cos) = sin_cos_2pi(turns + 1.0);
    let outside = r.abs().above(0.0);
    [(r * cos).only(outside), (r * sin).only(outside)]
}

/// Cosine-weighted direction about +z from a point of the unit disc; pdf = z/π per steradian.
#[inline(always)]
pub fn cosine_hemisphere<R: Real>([x, y]: [R; 2]) -> Vector3<R> {
    Vector3::new(x, y, safe_sqrt((x * x).complement() - y * y))
}

/// pdf of [`cosine_hemisphere`] per steradian.
#[inline(always)]
pub fn cosine_hemisphere_pdf<R: Real>(cos: R) -> R {
    cos.at_least(0.0) * INV_PI
}

/// Uniform direction in a cone about `axis` (unit), `one_minus_cos` = 1 − cos(half angle);
/// pdf = 1/(2π·one_minus_cos).
#[inline(always)]
pub fn uniform_cone(axis: Vec3, u: [f32; 2], one_minus_cos: f32) -> Vec3 {
    // Through the disc, so that strata stay compact; 1 − cos θ = r² (1 − cos θ_max).
    let [x, y] = concentric_disc(u);
    let r2 = x * x + y * y;
    let drop = r2 * one_minus_cos;
    // sin²θ = (1 − cos θ)(1 + cos θ) = drop (2 − drop); divided by r² to scale the disc point.
    let scale = safe_sqrt(one_minus_cos * (2.0 - drop));
    let local = Vector3::new(x * scale, y * scale, 1.0 - drop);
    Frame3::from_z(axis.into()).to_world(local).into()
}

/// The number left of `u` once it has chosen the part [`start`, `start` + `width`) of [0, 1): uniform in
/// [0, 1) again. One point of a well-spread set then makes the choice and what follows from it, and those
/// that made the same choice stay well spread.
#[inline(always)]
pub fn rest_of_choice<R: Real>(u: R, start: R, width: R) -> R {
    ((u - start) / width)
        .at_least(0.0)
        .at_most(ONE_MINUS_EPSILON)
}

/// Balance-free power heuristic, exponent 2 (Veach 1997), safe for infinite and zero pdfs.
#[inline(always)]
pub fn power_heuristic(pdf: f32, other: f32) -> f32 {
    if pdf <= 0.0 {
        return 0.0;
    }
    1.0 / (1.0 + sqr(other / pdf))
}

/// Barycentric weights (of vertices 1 and 2) uniform over a triangle (Heitz 2019, low distortion).
#[inline(always)]
pub fn uniform_triangle(u: [f32; 2]) -> [f32; 2] {
    let [mut b1, mut b2] = u;
    if b1 < b2 {
        b1 *= 0.5;
        b2 -= b1;
    } else {
        b2 *= 0.5;
        b1 -= b2;
    }
    [b1, b2]
}
