//! The value and the density of directions.

use super::{
    Bsdf, COAT, DIELECTRIC, DIFFUSE, DIFFUSE_TRANSMISSION, GLASS, METAL, REFRACTION, SHEEN,
};
use crate::kernels::fresnel::TintedDielectric;
use crate::kernels::ggx;
use crate::kernels::real::{Mask as _, Real};
use crate::kernels::sampling::cosine_hemisphere_pdf;
use crate::kernels::tables::{UNIFORM_HEMISPHERE_PDF, sheen_value};
use crate::kernels::vector::Vector3;

/// Share of facets' light that reflects, as the probability of choosing reflection.
#[inline(always)]
pub(super) fn reflect_probability<R: Real>(f: Vector3<R>, through: Vector3<R>) -> R {
    let (f, t) = (f.mean(), through.mean());
    let all = f + t;
    R::select(all.above(0.0), f / all, f.like(1.0))
}

/// What all facets that reflect between two directions share, whatever they are made of.
#[derive(Debug, Clone, Copy)]
struct Mirror<R: Real> {
    wo: Vector3<R>,
    wi: Vector3<R>,
    /// `wi` is on the side of `wo`.
    reflected: R::Mask,
    /// Half vector of `wo` and `wi` turned to the side of `wo`.
    h: Vector3<R>,
    /// wo·h.
    cos: R,
}

impl<R: Real> Mirror<R> {
    #[inline(always)]
    fn new(wo: Vector3<R>, wi: Vector3<R>) -> Self {
        let h = (wo + Vector3::new(wi.x, wi.y, wi.z.abs()))
            .normalize_or(Vector3::uniform(wo.z, glam::Vec3::Z));
        Self {
            wo,
            wi,
            reflected: wi.z.above(0.0),
            h,
            cos: wo.dot(h).saturate(),
        }
    }

    /// Density and value of facets of roughness `alpha` as [`ggx::reflection`], `wi` taken on the side
    /// of `wo`.
    #[inline(always)]
    fn facets(&self, alpha: R) -> (R, R) {
        ggx::reflection(self.wo, self.wi, self.h, alpha)
    }
}

/// Values and densities of lobes, added up.
struct Sum<R: Real> {
    facets: Vector3<R>,
    diffuse: Vector3<R>,
    pdf: R,
}

impl<R: Real> Bsdf<R> {
    /// BSDF × |cosθ_i| and the pdf per steradian of [`Self::scatter`] for `wi` (world, unit), smooth
    /// lobes left out. Zero where shading and geometric normal disagree about the side: no light leaks.
    #[inline(always)]
    pub fn evaluate(&self, wi_world: Vector3<R>) -> (Vector3<R>, R) {
        let wi = self.frame.to_local(wi_world);
        let above = wi.z.above(0.0);
        let outside = wi_world.dot(self.geometric_normal).above(0.0);
        let agree = (above & outside) | !(above | outside);
        let (value, pdf) = self.evaluate_local(wi);
        // Light from below the horizon of the unmapped surface would shine through it. (As in
        // Cycles, only where the light was chosen: facets may send paths there.)
        let lit = match &self.bump {
            Some(bump) => agree & !bump.leaks(wi),
            None => agree,
        };
        (value.only(lit), pdf.only(agree))
    }

    /// [`Self::evaluate`] for a local `wi`, whatever the geometric normal is.
    #[inline(always)]
    pub(super) fn evaluate_local(&self, wi: Vector3<R>) -> (Vector3<R>, R) {
        wi.z.apart(
            #[inline(always)]
            || self.evaluate_lobes(wi),
        )
    }

    #[inline(always)]
    fn evaluate_lobes(&self, wi: Vector3<R>) -> (Vector3<R>, R) {
        let zero = Vector3::splat(wi.z.like(0.0));
        let mut sum = Sum {
            facets: zero,
            diffuse: zero,
            pdf: zero.x,
        };
        let mirror = Mirror::new(self.wo, wi);
        if let Some(lobe) = &self.lobes[SHEEN] {
            let wo = self.wo;
            let inputs = [wo.x, wo.y, wo.z, wi.x, wi.y, wi.z, self.sheen_alpha];
            let value = R::lanewise(
                inputs,
                #[inline(always)]
                |[a, b, c, d, e, f, alpha]| {
                    sheen_value(glam::Vec3::new(a, b, c), glam::Vec3::new(d, e, f), alpha)
                },
            );
            let on = lobe.there & mirror.reflected;
            sum.diffuse += lobe.weight * value.only(on);
            sum.pdf = sum.pdf + lobe.choice * value.like(UNIFORM_HEMISPHERE_PDF).only(on);
        }
        if let Some(on) = self.rough_lanes(COAT, mirror.reflected) {
            let facets = mirror.facets(self.coat_alpha);
            let (f, _) = self.coat.at(mirror.cos);
            self.add_facets(&mut sum, COAT, on, f * facets.1, facets.0);
        }
        // Metal, glass and the glossy layer have the same facets.
        let metal = self.rough_lanes(METAL, mirror.reflected);
        let glass = self.rough_lanes(GLASS, wi.z.everywhere(true));
        let dielectric = self.rough_lanes(DIELECTRIC, mirror.reflected);
        let facets = if metal.is_some() || glass.is_some() || dielectric.is_some() {
            mirror.facets(self.alpha)
        } else {
            (wi.z, wi.z)
        };
        if let Some(on) = metal {
            let value = self.metal.at(mirror.cos) * facets.1;
            self.add_facets(&mut sum, METAL, on, value, facets.0);
        }
        if let Some(on) = glass {
            self.add_glass(&mut sum, &mirror, on, facets);
        }
        if let Some(on) = self.rough_lanes(REFRACTION, !mirror.reflected) {
            let alpha = self.refraction_alpha;
            let (value, pdf, _) = eval_refraction(self.wo, wi, alpha, &self.glass, self.tint);
            self.add_facets(&mut sum, REFRACTION, on, value, pdf);
        }
        if let Some(on) = dielectric {
            let (f, _) = self.dielectric.at(mirror.cos);
            self.add_facets(&mut sum, DIELECTRIC, on, f * facets.1, facets.0);
        }
        for (kind, cos) in [(DIFFUSE_TRANSMISSION, -wi.z), (DIFFUSE, wi.z)] {
            if let Some(lobe) = &self.lobes[kind] {
                let pdf = cosine_hemisphere_pdf(cos).only(lobe.there);
                sum.diffuse += lobe.weight * pdf;
                sum.pdf = sum.pdf + lobe.choice * pdf;
            }
        }
        match &self.bump {
            Some(bump) => (sum.facets + sum.diffuse * bump.factor(wi), sum.pdf),
            None => (sum.facets + sum.diffuse, sum.pdf),
        }
    }

    /// Where a lobe has a density and `asked` is true; `None` where that is nowhere.
    #[inline(always)]
    fn rough_lanes(&self, kind: usize, asked: R::Mask) -> Option<R::Mask> {
        let lobe = self.lobes[kind].as_ref()?;
        let on = lobe.there & self.rough(kind) & asked;
        on.any().then_some(on)
    }

    #[inline(always)]
    fn add_facets(&self, sum: &mut Sum<R>, kind: usize, on: R::Mask, value: Vector3<R>, pdf: R) {
        if let Some(lobe) = &self.lobes[kind] {
            sum.facets += (lobe.weight * value).only(on);
            sum.pdf = sum.pdf + lobe.choice * pdf.only(on);
        }
    }

    /// Reflection, and refraction by the same facets; both faces at once where the glass is thin.
    #[inline(always)]
    fn add_glass(&self, sum: &mut Sum<R>, mirror: &Mirror<R>, on: R::Mask, facets: (R, R)) {
        let (density, area) = facets;
        let (f, _) = self.glass.at(mirror.cos);
        let through = f.complement() * self.tint;
        let p = reflect_probability(f, through);
        let back = mirror.reflected;
        let mut there = on & (back | self.thin);
        let mut value = Vector3::select(back, f, through) * area;
        let share = R::select(back, p, p.complement());
        let mut pdf = R::select(self.refraction_apart, density, density * share);
        let refracted = on & !there & !self.refraction_apart;
        if refracted.any() {
            let (bent, bent_density, bent_choice) =
                eval_refraction(self.wo, mirror.wi, self.alpha, &self.glass, self.tint);
            value = Vector3::select(refracted, bent, value);
            pdf = R::select(refracted, bent_density * bent_choice, pdf);
            there = there | refracted;
        }
        self.add_facets(sum, GLASS, there, value, pdf);
    }
}

/// Value, density and the probability of choosing refraction over reflection.
#[inline(always)]
fn eval_refraction<R: Real>(
    wo: Vector3<R>,
    wi: Vector3<R>,
    alpha: R,
    fresnel: &TintedDielectric<R>,
    tint: Vector3<R>,
) -> (Vector3<R>, R, R) {
    let eta = fresnel.eta;
    let sum = wo + wi * eta;
    let length = sum.length();
    let mut h = sum / length;
    h = Vector3::select(h.z.below(0.0), -h, h);
    let cos = wo.dot(h);
    let possible = !length.below(1e-6) & cos.above(0.0) & wi.dot(h).below(0.0);
    let (f, _) = fresnel.at(cos);
    let through = f.complement() * tint;
    let (pdf, value) = ggx::refraction(wo, wi, h, length.recip(), eta, alpha);
    (
        (through * value).only(possible),
        pdf.only(possible),
        reflect_probability(f, through).complement(),
    )
}
