//! Fresnel reflectances.

use glam::Vec3;

use super::math::{safe_sqrt, sqr};

/// Reflectance at normal incidence of relative index `eta`.
#[inline(always)]
pub fn f0_from_ior(eta: f32) -> f32 {
    sqr((eta - 1.0) / (eta + 1.0))
}

/// Index of refraction ≥ 1 that has reflectance `f0` at normal incidence.
#[inline(always)]
pub fn ior_from_f0(f0: f32) -> f32 {
    let root = f0.clamp(0.0, 0.99).sqrt();
    (1.0 + root) / (1.0 - root)
}

/// Unpolarised dielectric reflectance and the cosine of the transmitted angle (0 at total
/// reflection). `cos` ≥ 0 on the incident side, `eta` = index there ÷ here.
#[inline(always)]
pub fn dielectric(cos: f32, eta: f32) -> (f32, f32) {
    let sin2_t = (1.0 - cos * cos) / (eta * eta);
    if sin2_t >= 1.0 {
        return (1.0, 0.0);
    }
    let cos_t = safe_sqrt(1.0 - sin2_t);
    let parallel = (eta * cos - cos_t) / (eta * cos + cos_t);
    let perpendicular = (cos - eta * cos_t) / (cos + eta * cos_t);
    (
        0.5 * (parallel * parallel + perpendicular * perpendicular),
        cos_t,
    )
}

/// Cosine-weighted mean of [`dielectric`] over the hemisphere (d'Eon 2021, fitted).
#[inline(always)]
pub fn dielectric_average(eta: f32) -> f32 {
    if eta < 1.0 {
        0.997_118 + eta * (0.101_4 - eta * (0.965_241 + eta * 0.130_607))
    } else {
        (eta - 1.0) / (4.085_67 + 1.000_71 * eta)
    }
}

/// Metal: Schlick with a tint at 82° (Kutz et al. 2021, "Novel aspects of the Adobe Standard
/// Material"), as Blender's Principled.
#[derive(Debug, Clone, Copy)]
pub struct F82 {
    /// Reflectance at normal incidence.
    pub f0: Vec3,
    /// Strength of the correction term, from the edge tint.
    pub b: Vec3,
}

impl F82 {
    /// `f0` and edge `tint` in [0, 1].
    #[inline(always)]
    pub fn new(f0: Vec3, tint: Vec3) -> Self {
        // b such that F(cos = 1/7) is Schlick's value there times the tint: the bump x(1−x)⁶ peaks at 1/7.
        const SIX_SEVENTHS_5: f32 = 0.462_664_36;
        const SCALE: f32 = 7.0 / (SIX_SEVENTHS_5 * (6.0 / 7.0));
        let schlick = f0 + (Vec3::ONE - f0) * SIX_SEVENTHS_5;
        Self {
            f0,
            b: schlick * SCALE * (Vec3::ONE - tint),
        }
    }

    /// Reflectance at `cos`.
    #[inline(always)]
    pub fn at(&self, cos: f32) -> Vec3 {
        let m = (1.0 - cos).clamp(0.0, 1.0);
        let m5 = sqr(sqr(m)) * m;
        (self.f0 + (Vec3::ONE - self.f0) * m5 - self.b * (cos * m5 * m))
            .clamp(Vec3::ZERO, Vec3::ONE)
    }

    /// Cosine-weighted mean over the hemisphere.
    #[inline(always)]
    pub fn average(&self) -> Vec3 {
        // ∫ 2c (1−c)⁵ dc = 1/21, ∫ 2c·c(1−c)⁶ dc = 1/126.
        (self.f0 + (Vec3::ONE - self.f0) * (1.0 / 21.0) - self.b * (1.0 / 126.0))
            .clamp(Vec3::ZERO, Vec3::ONE)
    }
}

/// Dielectric reflectance with a tint at normal incidence: the real curve of `eta`, remapped so that
/// it runs from `f0` to 1 (Blender's Generalized Schlick with negative exponent).
#[derive(Debug, Clone, Copy)]
pub struct TintedDielectric {
    /// Relative index of refraction, there ÷ here.
    pub eta: f32,
    /// Reflectance wanted at normal incidence.
    pub f0: Vec3,
    /// Real reflectance at normal incidence.
    real_f0: f32,
    /// 1/(1 − real_f0).
    scale: f32,
}

impl TintedDielectric {
    /// See the fields.
    #[inline(always)]
    pub fn new(eta: f32, f0: Vec3) -> Self {
        let real_f0 = f0_from_ior(eta);
        Self {
            eta,
            f0,
            real_f0,
            scale: 1.0 / (1.0 - real_f0).max(1e-6),
        }
    }

    /// Reflectance the share `s` of the way from `f0` to 1.
    #[inline(always)]
    pub fn between(&self, s: f32) -> Vec3 {
        self.f0 + (Vec3::ONE - self.f0) * s
    }

    /// Reflectance (per channel) for a real dielectric reflectance `f`.
    #[inline(always)]
    pub fn remap(&self, f: f32) -> Vec3 {
        self.between(((f - self.real_f0) * self.scale).clamp(0.0, 1.0))
    }

    /// Reflectance at `cos` and cosine of the transmitted angle.
    #[inline(always)]
    pub fn at(&self, cos: f32) -> (Vec3, f32) {
        let (f, cos_t) = dielectric(cos, self.eta);
        (self.remap(f), cos_t)
    }

    /// Cosine-weighted mean over the hemisphere.
    #[inline(always)]
    pub fn average(&self) -> Vec3 {
        self.remap(dielectric_average(self.eta))
    }
}
