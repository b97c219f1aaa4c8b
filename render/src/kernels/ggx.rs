//! The isotropic GGX microfacet distribution in local space (normal = +z, `wo.z` > 0).

use super::math::{INV_PI, safe_sqrt, sin_cos_2pi, sqr};
use super::real::Real;
use super::vector::Vector3;

/// Below this α a lobe is taken as perfectly smooth (no density, no light sampling).
pub const SMOOTH_ALPHA: f32 = 1.0e-4;

/// Smith's Λ.
#[inline(always)]
pub fn lambda<R: Real>(w: Vector3<R>, alpha: R) -> R {
    let cos2 = w.z * w.z;
    let tan2 = (w.x * w.x + w.y * w.y) / cos2.at_least(1e-20);
    ((alpha * alpha * tan2 + 1.0).sqrt() - 1.0) * 0.5
}

/// Normal distribution D(h), per steradian.
#[inline(always)]
pub fn distribution<R: Real>(h: Vector3<R>, alpha: R) -> R {
    // α²/(π (h_x² + h_y² + α² h_z²)²): no cancellation for small α, unlike the cos² form.
    let a2 = alpha * alpha;
    let d = h.x * h.x + h.y * h.y + a2 * h.z * h.z;
    a2 * INV_PI / (d * d).at_least(1e-36)
}

/// Visible normal for `wo`, density `D(h) (wo·h) / (wo.z (1 + Λ(wo)))` (Dupuy and Benyoub 2023,
/// spherical caps).
#[inline(always)]
pub fn sample_visible_normal<R: Real>(wo: Vector3<R>, alpha: R, u: [R; 2]) -> Vector3<R> {
    let up = Vector3::uniform(alpha, glam::Vec3::Z);
    let stretched = Vector3::new(wo.x * alpha, wo.y * alpha, wo.z).normalize_or(up);
    let z = u[0].complement() * (stretched.z + 1.0) - stretched.z;
    let sin = safe_sqrt((z * z).complement());
    let (s, c) = sin_cos_2pi(u[1]);
    let h = Vector3::new(sin * c, sin * s, z) + stretched;
    Vector3::new(h.x * alpha, h.y * alpha, h.z.at_least(0.0)).normalize_or(up)
}

/// Reflection density per steradian of `wi`, and `D·G₂/(4 cosθ_o)` = BRDF × cosθ_i without Fresnel.
#[inline(always)]
pub fn reflection<R: Real>(wo: Vector3<R>, wi: Vector3<R>, h: Vector3<R>, alpha: R) -> (R, R) {
    seen(distribution(h, alpha) * 0.25 / wo.z, wo, wi, alpha)
}

/// The same for refraction with index `eta` (there ÷ here); `h` on the side of `wo`.
#[inline(always)]
pub fn refraction<R: Real>(
    wo: Vector3<R>,
    wi: Vector3<R>,
    h: Vector3<R>,
    inv_len_h: R,
    eta: R,
    alpha: R,
) -> (R, R) {
    // Jacobian of the half vector, Walter et al. 2007, eq. 17.
    let jacobian = sqr(eta * inv_len_h) * (wo.dot(h) * wi.dot(h)).abs();
    seen(distribution(h, alpha) / wo.z * jacobian, wo, wi, alpha)
}

/// `all` facets times the share that is seen from `wo`, and from both `wo` and `wi`.
#[inline(always)]
fn seen<R: Real>(all: R, wo: Vector3<R>, wi: Vector3<R>, alpha: R) -> (R, R) {
    let from_wo = lambda(wo, alpha) + 1.0;
    (all / from_wo, all / (from_wo + lambda(wi, alpha)))
}

/// Refracts `wo` through the facet `h` (both local, `wo·h` > 0); `cos_t` from the Fresnel function.
#[inline(always)]
pub fn refract<R: Real>(wo: Vector3<R>, h: Vector3<R>, cos_t: R, eta: R) -> Vector3<R> {
    let inv = eta.recip();
    (h * (wo.dot(h) * inv - cos_t) - wo * inv).normalize_or(-h)
}
