//! The one way that a ray takes through clear glass: what label rays follow, where paths draw.

use glam::Vec3;

use super::bsdf::SurfaceValues;
use super::fresnel::{TintedDielectric, f0_from_ior};
use super::ggx;
use super::math::safe_sqrt;

/// Share of a surface that must be glass for it to be seen through, as with alpha.
const COUNTS: f32 = 0.5;

/// Where a ray goes at a surface of glass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlassWay {
    /// World, unit, away from the surface.
    pub direction: Vec3,
    /// Share of the radiance from there that comes back along the ray: of the surface's glass, coat
    /// and sheen left out.
    pub transmittance: Vec3,
    /// Went through; otherwise it was totally reflected inside.
    pub transmitted: bool,
}

/// The way of a ray that sees a surface from `wo` (unit, away from it): refracted as by smooth glass
/// whatever the roughness, reflected at total reflection; straight on where the surface stands for
/// both faces of a thin pane. `None` where less than half of the surface is glass.
///
/// `normal` is on the viewer's side; `entering` tells whether the viewer is outside.
#[inline(always)]
pub fn way_through(
    values: &SurfaceValues,
    wo: Vec3,
    normal: Vec3,
    entering: bool,
) -> Option<GlassWay> {
    let glass = values.transmission * (1.0 - values.metallic);
    if glass < COUNTS {
        return None;
    }
    let base = values.base_color.clamp(Vec3::ZERO, Vec3::ONE);
    let thin = values.thin_walled;
    let eta = if entering || thin {
        values.ior
    } else {
        1.0 / values.ior
    };
    let f0 = values.specular_tint.clamp(Vec3::ZERO, Vec3::ONE) * f0_from_ior(values.ior);
    let cos = wo.dot(normal).clamp(0.0, 1.0);
    let (reflected, cos_t) = TintedDielectric::new(eta, f0.into()).at(cos);
    let reflected = Vec3::from(reflected);
    if thin {
        return Some(GlassWay {
            direction: -wo,
            transmittance: (Vec3::ONE - reflected) * base * glass,
            transmitted: true,
        });
    }
    if cos_t <= 0.0 {
        return Some(GlassWay {
            direction: (normal * (2.0 * cos) - wo).normalize_or(normal),
            transmittance: reflected * glass,
            transmitted: false,
        });
    }
    // Light crosses two faces: each takes the square root of the tint, as in the BSDF.
    let tint = Vec3::new(safe_sqrt(base.x), safe_sqrt(base.y), safe_sqrt(base.z));
    Some(GlassWay {
        direction: ggx::refract(wo.into(), normal.into(), cos_t, eta).into(),
        transmittance: (Vec3::ONE - reflected) * tint * glass,
        transmitted: true,
    })
}
