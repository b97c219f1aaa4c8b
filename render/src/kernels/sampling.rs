//! Points on discs, hemispheres, cones; frames.

use glam::Vec3;

use super::math::{INV_PI, ONE_MINUS_EPSILON, safe_sqrt, sin_cos_2pi, sqr};

/// An orthonormal basis around `n` (Duff et al. 2017, Building an Orthonormal Basis, Revisited).
#[derive(Debug, Clone, Copy)]
pub struct Frame3 {
    /// x axis.
    pub s: Vec3,
    /// y axis.
    pub t: Vec3,
    /// z axis, the given unit vector.
    pub n: Vec3,
}

impl Frame3 {
    /// Basis with z = `n` (unit).
    #[inline(always)]
    pub fn from_z(n: Vec3) -> Self {
        let sign = 1f32.copysign(n.z);
        let a = -1.0 / (sign + n.z);
        let b = n.x * n.y * a;
        Self {
            s: Vec3::new(1.0 + sign * n.x * n.x * a, sign * b, -sign * n.x),
            t: Vec3::new(b, sign + n.y * n.y * a, -n.y),
            n,
        }
    }

    /// World to local.
    #[inline(always)]
    pub fn to_local(&self, v: Vec3) -> Vec3 {
        Vec3::new(v.dot(self.s), v.dot(self.t), v.dot(self.n))
    }

    /// Local to world.
    #[inline(always)]
    pub fn to_world(&self, v: Vec3) -> Vec3 {
        self.s * v.x + self.t * v.y + self.n * v.z
    }
}

/// Uniform point on the unit disc, concentric map (Shirley and Chiu 1997), keeps stratification.
#[inline(always)]
pub fn concentric_disc(u: [f32; 2]) -> [f32; 2] {
    let x = 2.0 * u[0] - 1.0;
    let y = 2.0 * u[1] - 1.0;
    if x == 0.0 && y == 0.0 {
        return [0.0; 2];
    }
    // Angle in turns: (π/4)(y/x) is y/x/8 of a turn.
    let (r, turns) = if x.abs() > y.abs() {
        (x, 0.125 * (y / x))
    } else {
        (y, 0.25 - 0.125 * (x / y))
    };
    let (sin, cos) = sin_cos_2pi(turns + 1.0);
    [r * cos, r * sin]
}

/// Cosine-weighted direction about +z; pdf = z/π per steradian.
#[inline(always)]
pub fn cosine_hemisphere(u: [f32; 2]) -> Vec3 {
    let [x, y] = concentric_disc(u);
    Vec3::new(x, y, safe_sqrt(1.0 - x * x - y * y))
}

/// pdf of [`cosine_hemisphere`] per steradian.
#[inline(always)]
pub fn cosine_hemisphere_pdf(cos: f32) -> f32 {
    cos.max(0.0) * INV_PI
}

/// Uniform direction in a cone about +z, `one_minus_cos` = 1 − cos(half angle); pdf = 1/(2π·one_minus_cos).
#[inline(always)]
pub fn uniform_cone(u: [f32; 2], one_minus_cos: f32) -> Vec3 {
    // Through the disc, so that strata stay compact; 1 − cos θ = r² (1 − cos θ_max).
    let [x, y] = concentric_disc(u);
    let r2 = x * x + y * y;
    let drop = r2 * one_minus_cos;
    // sin²θ = (1 − cos θ)(1 + cos θ) = drop (2 − drop); divided by r² to scale the disc point.
    let scale = safe_sqrt(one_minus_cos * (2.0 - drop));
    Vec3::new(x * scale, y * scale, 1.0 - drop)
}

/// The number left of `u` once it has chosen the part [`start`, `start` + `width`) of [0, 1): uniform in
/// [0, 1) again. One point of a well-spread set then makes the choice and what follows from it, and those
/// that made the same choice stay well spread.
#[inline(always)]
pub fn rest_of_choice(u: f32, start: f32, width: f32) -> f32 {
    ((u - start) / width).clamp(0.0, ONE_MINUS_EPSILON)
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
