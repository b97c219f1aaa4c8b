//! The isotropic GGX microfacet distribution in local space (normal = +z, `wo.z` > 0).

use glam::Vec3;

use super::math::{INV_PI, safe_sqrt, sin_cos_2pi, sqr};

/// Below this α a lobe is taken as perfectly smooth (no density, no light sampling).
pub const SMOOTH_ALPHA: f32 = 1.0e-4;

/// Smith's Λ.
#[inline(always)]
pub fn lambda(w: Vec3, alpha: f32) -> f32 {
    let cos2 = w.z * w.z;
    let tan2 = (w.x * w.x + w.y * w.y) / cos2.max(1e-20);
    0.5 * ((1.0 + alpha * alpha * tan2).sqrt() - 1.0)
}

/// Normal distribution D(h), per steradian.
#[inline(always)]
pub fn distribution(h: Vec3, alpha: f32) -> f32 {
    // α²/(π (h_x² + h_y² + α² h_z²)²): no cancellation for small α, unlike the cos² form.
    let a2 = alpha * alpha;
    let d = h.x * h.x + h.y * h.y + a2 * h.z * h.z;
    a2 * INV_PI / (d * d).max(1e-36)
}

/// Visible normal for `wo`, density `D(h) (wo·h) / (wo.z (1 + Λ(wo)))` (Dupuy and Benyoub 2023,
/// spherical caps).
#[inline(always)]
pub fn sample_visible_normal(wo: Vec3, alpha: f32, u: [f32; 2]) -> Vec3 {
    let stretched = Vec3::new(wo.x * alpha, wo.y * alpha, wo.z).normalize_or(Vec3::Z);
    let z = (1.0 - u[0]) * (1.0 + stretched.z) - stretched.z;
    let sin = safe_sqrt(1.0 - z * z);
    let (s, c) = sin_cos_2pi(u[1]);
    let h = Vec3::new(sin * c, sin * s, z) + stretched;
    Vec3::new(h.x * alpha, h.y * alpha, h.z.max(0.0)).normalize_or(Vec3::Z)
}

/// Reflection density per steradian of `wi`, and `D·G₂/(4 cosθ_o)` = BRDF × cosθ_i without Fresnel.
#[inline(always)]
pub fn reflection(wo: Vec3, wi: Vec3, h: Vec3, alpha: f32) -> (f32, f32) {
    let common = distribution(h, alpha) * 0.25 / wo.z;
    let lambda_o = lambda(wo, alpha);
    let lambda_i = lambda(wi, alpha);
    (
        common / (1.0 + lambda_o),
        common / (1.0 + lambda_o + lambda_i),
    )
}

/// The same for refraction with index `eta` (there ÷ here); `h` on the side of `wo`.
#[inline(always)]
pub fn refraction(wo: Vec3, wi: Vec3, h: Vec3, inv_len_h: f32, eta: f32, alpha: f32) -> (f32, f32) {
    // Jacobian of the half vector, Walter et al. 2007, eq. 17.
    let jacobian = sqr(eta * inv_len_h) * (wo.dot(h) * wi.dot(h)).abs();
    let common = distribution(h, alpha) / wo.z * jacobian;
    let lambda_o = lambda(wo, alpha);
    let lambda_i = lambda(wi, alpha);
    (
        common / (1.0 + lambda_o),
        common / (1.0 + lambda_o + lambda_i),
    )
}

/// Refracts `wo` through the facet `h` (both local, `wo·h` > 0); `cos_t` from the Fresnel function.
#[inline(always)]
pub fn refract(wo: Vec3, h: Vec3, cos_t: f32, eta: f32) -> Vec3 {
    let inv = 1.0 / eta;
    (h * (wo.dot(h) * inv - cos_t) - wo * inv).normalize_or(-h)
}
