//! Fresnel reflectances.

use super::math::{safe_sqrt, sqr};
use super::real::Real;
use super::vector::Vector3;

/// Reflectance at normal incidence of relative index `eta`.
#[inline(always)]
pub fn f0_from_ior<R: Real>(eta: R) -> R {
    sqr((eta - 1.0) / (eta + 1.0))
}

/// Index of refraction ≥ 1 that has reflectance `f0` at normal incidence.
#[inline(always)]
pub fn ior_from_f0<R: Real>(f0: R) -> R {
    let root = f0.at_least(0.0).at_most(0.99).sqrt();
    (root + 1.0) / root.complement()
}

/// Unpolarised dielectric reflectance and the cosine of the transmitted angle (0 at total
/// reflection). `cos` ≥ 0 on the incident side, `eta` = index there ÷ here.
#[inline(always)]
pub fn dielectric<R: Real>(cos: R, eta: R) -> (R, R) {
    let sin2_t = (cos * cos).complement() / (eta * eta);
    let refracts = sin2_t.below(1.0);
    let cos_t = safe_sqrt(sin2_t.complement());
    let parallel = (eta * cos - cos_t) / (eta * cos + cos_t);
    let perpendicular = (cos - eta * cos_t) / (cos + eta * cos_t);
    let reflected = (parallel * parallel + perpendicular * perpendicular) * 0.5;
    (
        R::select(refracts, reflected, cos.like(1.0)),
        cos_t.only(refracts),
    )
}

/// Cosine-weighted mean of [`dielectric`] over the hemisphere (d'Eon 2021, fitted).
#[inline(always)]
pub fn dielectric_average<R: Real>(eta: R) -> R {
    let inside = eta * (eta.like(0.101_4) - eta * (eta * 0.130_607 + 0.965_241)) + 0.997_118;
    let outside = (eta - 1.0) / (eta * 1.000_71 + 4.085_67);
    R::select(eta.below(1.0), inside, outside)
}

/// Metal: Schlick with a tint at 82° (Kutz et al. 2021, "Novel aspects of the Adobe Standard
/// Material"), as Blender's Principled.
#[derive(Debug, Clone, Copy)]
pub struct F82<R: Real> {
    /// Reflectance at normal incidence.
    pub f0: Vector3<R>,
    /// Strength of the correction term, from the edge tint.
    pub b: Vector3<R>,
}

impl<R: Real> F82<R> {
    /// `f0` and edge `tint` in [0, 1].
    #[inline(always)]
    pub fn new(f0: Vector3<R>, tint: Vector3<R>) -> Self {
        // b such that F(cos = 1/7) is Schlick's value there times the tint: the bump x(1−x)⁶ peaks at 1/7.
        const SIX_SEVENTHS_5: f32 = 0.462_664_36;
        const SCALE: f32 = 7.0 / (SIX_SEVENTHS_5 * (6.0 / 7.0));
        let schlick = f0.map(
            #[inline(always)]
            |f0| f0 + f0.complement() * SIX_SEVENTHS_5,
        );
        Self {
            f0,
            b: schlick.map(
                #[inline(always)]
                |s| s * SCALE,
            ) * tint.complement(),
        }
    }

    /// Reflectance at `cos`.
    #[inline(always)]
    pub fn at(&self, cos: R) -> Vector3<R> {
        let m = cos.complement().saturate();
        let m5 = sqr(sqr(m)) * m;
        (self.f0 + self.f0.complement() * m5 - self.b * (cos * m5 * m)).saturate()
    }

    /// Cosine-weighted mean over the hemisphere.
    #[inline(always)]
    pub fn average(&self) -> Vector3<R> {
        // ∫ 2c (1−c)⁵ dc = 1/21, ∫ 2c·c(1−c)⁶ dc = 1/126.
        let schlick = self.f0.map(
            #[inline(always)]
            |f0| f0 + f0.complement() * (1.0 / 21.0),
        );
        let correction = self.b * self.b.x.like(1.0 / 126.0);
        (schlick - correction).saturate()
    }
}

/// Dielectric reflectance with a tint at normal incidence: the real curve of `eta`, remapped so that
/// it runs from `f0` to 1 (Blender's Generalized Schlick with negative exponent).
#[derive(Debug, Clone, Copy)]
pub struct TintedDielectric<R: Real> {
    /// Relative index of refraction, there ÷ here.
    pub eta: R,
    /// Reflectance wanted at normal incidence.
    pub f0: Vector3<R>,
    /// Real reflectance at normal incidence.
    real_f0: R,
    /// 1/(1 − real_f0).
    scale: R,
}

impl<R: Real> TintedDielectric<R> {
    /// See the fields.
    #[inline(always)]
    pub fn new(eta: R, f0: Vector3<R>) -> Self {
        let real_f0 = f0_from_ior(eta);
        Self {
            eta,
            f0,
            real_f0,
            scale: real_f0.complement().at_least(1e-6).recip(),
        }
    }

    /// `a` where `mask` is true, `b` elsewhere.
    #[inline(always)]
    pub fn select(mask: R::Mask, a: &Self, b: &Self) -> Self {
        Self {
            eta: R::select(mask, a.eta, b.eta),
            f0: Vector3::select(mask, a.f0, b.f0),
            real_f0: R::select(mask, a.real_f0, b.real_f0),
            scale: R::select(mask, a.scale, b.scale),
        }
    }

    /// Reflectance the share `s` of the way from `f0` to 1.
    #[inline(always)]
    pub fn between(&self, s: R) -> Vector3<R> {
        self.f0 + self.f0.complement() * s
    }

    /// Reflectance (per channel) for a real dielectric reflectance `f`.
    #[inline(always)]
    pub fn remap(&self, f: R) -> Vector3<R> {
        self.between(((f - self.real_f0) * self.scale).saturate())
    }

    /// Reflectance at `cos` and cosine of the transmitted angle.
    #[inline(always)]
    pub fn at(&self, cos: R) -> (Vector3<R>, R) {
        let (f, cos_t) = dielectric(cos, self.eta);
        (self.remap(f), cos_t)
    }

    /// Cosine-weighted mean over the hemisphere.
    #[inline(always)]
    pub fn average(&self) -> Vector3<R> {
        self.remap(dielectric_average(self.eta))
    }
}
