//! Directions drawn from the lobes.

use super::evaluate::reflect_probability;
use super::{
    Bsdf, COAT, DIELECTRIC, DIFFUSE, DIFFUSE_TRANSMISSION, GLASS, LOBES, METAL, REFRACTION, SHEEN,
};
use crate::kernels::fresnel::TintedDielectric;
use crate::kernels::ggx::{self, SMOOTH_ALPHA};
use crate::kernels::math::safe_sqrt;
use crate::kernels::real::{Mask as _, Real};
use crate::kernels::sampling::{concentric_disc, cosine_hemisphere, rest_of_choice};
use crate::kernels::vector::Vector3;

/// A sampled direction.
#[derive(Debug, Clone, Copy)]
pub struct Scattered<R: Real> {
    /// There is one: the sample was not absorbed and did not leave on the wrong side.
    pub valid: R::Mask,
    /// World, unit.
    pub wi: Vector3<R>,
    /// BSDF × |cos| ÷ pdf.
    pub weight: Vector3<R>,
    /// Per steradian; infinite for a perfectly smooth lobe.
    pub pdf: R,
    /// Went through the surface.
    pub transmitted: R::Mask,
}

/// The lobe that was chosen.
struct Chosen<R: Real> {
    /// By kind: where it is this one.
    is: [R::Mask; LOBES],
    weight: Vector3<R>,
    choice: R,
    /// Where its share of the unit interval begins.
    start: R,
}

impl<R: Real> Chosen<R> {
    #[inline(always)]
    fn is_any_of<const N: usize>(&self, kinds: [usize; N]) -> R::Mask {
        let mut is = self.is[kinds[0]];
        for kind in &kinds[1..] {
            is = is | self.is[*kind];
        }
        is
    }
}

impl<R: Real> Bsdf<R> {
    /// Samples a direction. `u` chooses the lobe and the direction within it, `u_interface` between reflection
    /// and refraction.
    #[inline(always)]
    pub fn scatter(&self, u: [R; 2], u_interface: R) -> Scattered<R> {
        u_interface.apart(
            #[inline(always)]
            || self.scatter_lobes(u, u_interface),
        )
    }

    #[inline(always)]
    fn scatter_lobes(&self, u: [R; 2], u_interface: R) -> Scattered<R> {
        let chosen = self.choose(u[0]);
        let u = [rest_of_choice(u[0], chosen.start, chosen.choice), u[1]];
        let (wi, smooth_value, valid) = self.draw(&chosen, u, u_interface);
        let wi_world = self.frame.to_world(wi).normalize_or(self.frame.n);
        let transmitted = wi.z.below(0.0);
        let outside = wi_world.dot(self.geometric_normal).above(0.0);
        let agree = (transmitted & !outside) | (outside & !transmitted);
        let (value, pdf) = self.evaluate_local(wi);
        let mut smooth = pdf.everywhere(false);
        for kind in 0..LOBES {
            smooth = smooth | (chosen.is[kind] & !self.rough(kind));
        }
        Scattered {
            valid: valid & agree & (smooth | pdf.above(0.0)),
            wi: wi_world,
            weight: Vector3::select(
                smooth,
                chosen.weight * smooth_value / chosen.choice,
                value / pdf,
            ),
            pdf: R::select(smooth, pdf.like(f32::INFINITY), pdf),
            transmitted,
        }
    }

    /// The lobe whose share of the unit interval holds `u`.
    #[inline(always)]
    fn choose(&self, u: R) -> Chosen<R> {
        let nowhere = u.everywhere(false);
        let mut chosen = Chosen {
            is: [nowhere; LOBES],
            weight: Vector3::splat(u.like(0.0)),
            choice: u.like(1.0),
            start: u.like(0.0),
        };
        let mut open = u.everywhere(true);
        let mut start = u.like(0.0);
        for (kind, lobe) in self.lobes.iter().enumerate() {
            let Some(lobe) = lobe else { continue };
            // As long as none held `u` the last one met will do: rounding leaves a gap before 1.
            let here = open & lobe.there;
            for is in &mut chosen.is[..kind] {
                *is = *is & !here;
            }
            chosen.is[kind] = here;
            chosen.weight = Vector3::select(here, lobe.weight, chosen.weight);
            chosen.choice = R::select(here, lobe.choice, chosen.choice);
            chosen.start = R::select(here, start, chosen.start);
            start = start + lobe.choice;
            open = open & !(lobe.there & u.lt(start));
        }
        chosen
    }

    /// A direction, BSDF × cos ÷ (probability within the lobe) for smooth lobes, and whether there is one.
    #[inline(always)]
    fn draw(
        &self,
        chosen: &Chosen<R>,
        u: [R; 2],
        u_interface: R,
    ) -> (Vector3<R>, Vector3<R>, R::Mask) {
        let up = Vector3::uniform(u_interface, glam::Vec3::Z);
        let mut wi = up;
        let mut value = Vector3::splat(up.z);
        let mut valid = chosen.is_any_of([DIFFUSE, DIFFUSE_TRANSMISSION, SHEEN]);
        if valid.any() {
            let [x, y] = concentric_disc(u);
            wi = cosine_hemisphere([x, y]);
            if chosen.is[SHEEN].any() {
                // Uniform over the hemisphere.
                let r2 = x * x + y * y;
                let scale = safe_sqrt(r2.like(2.0) - r2);
                let even = Vector3::new(x * scale, y * scale, r2.complement());
                wi = Vector3::select(chosen.is[SHEEN], even, wi);
            }
            wi.z = R::select(chosen.is[DIFFUSE_TRANSMISSION], -wi.z, wi.z);
        }
        if chosen
            .is_any_of([COAT, METAL, GLASS, REFRACTION, DIELECTRIC])
            .any()
        {
            let (facet_wi, facet_value, facet_valid) = self.draw_facet(chosen, u, u_interface);
            wi = Vector3::select(valid, wi, facet_wi);
            value = Vector3::select(valid, value, facet_value);
            valid = valid | facet_valid;
        }
        (wi, value, valid)
    }

    /// As [`Self::draw`], for lobes of facets.
    #[inline(always)]
    fn draw_facet(
        &self,
        chosen: &Chosen<R>,
        u: [R; 2],
        u_interface: R,
    ) -> (Vector3<R>, Vector3<R>, R::Mask) {
        let is = &chosen.is;
        let mut alpha = R::select(is[COAT], self.coat_alpha, self.alpha);
        alpha = R::select(is[GLASS], self.glass_alpha, alpha);
        alpha = R::select(is[REFRACTION], self.refraction_alpha, alpha);
        let visible = ggx::sample_visible_normal(self.wo, alpha, u);
        let up = Vector3::uniform(alpha, glam::Vec3::Z);
        let h = Vector3::select(alpha.below(SMOOTH_ALPHA), up, visible);
        let cos = self.wo.dot(h);
        let reflected = h * (cos * 2.0) - self.wo;
        let mut wi = reflected;
        let mut valid = chosen.is_any_of([COAT, METAL, DIELECTRIC, GLASS]) & wi.z.above(0.0);
        let metal = self.metal.at(cos);
        let mut fresnel = TintedDielectric::select(is[COAT], &self.coat, &self.dielectric);
        let glassy = is[GLASS] | is[REFRACTION];
        fresnel = TintedDielectric::select(glassy, &self.glass, &fresnel);
        let both_ways = glassy & !(is[GLASS] & self.refraction_apart);
        let (f, cos_t) = fresnel.at(R::select(both_ways, cos.at_least(0.0), cos));
        let mut value = Vector3::select(is[METAL], metal, f);
        if both_ways.any() {
            let through = f.complement() * self.tint;
            let p = reflect_probability(f, through);
            let p = p.only(!is[REFRACTION]);
            let back = u_interface.lt(p);
            let passes = both_ways & !back;
            let refracted = ggx::refract(self.wo, h, cos_t, fresnel.eta);
            let mirrored = Vector3::new(reflected.x, reflected.y, -reflected.z);
            let thin = is[GLASS] & self.thin;
            wi = Vector3::select(passes & thin, mirrored, wi);
            wi = Vector3::select(passes & !thin, refracted, wi);
            value = Vector3::select(both_ways & back, f / p, value);
            value = Vector3::select(passes, through / p.complement(), value);
            let bent = cos_t.above(0.0) & refracted.z.below(0.0);
            valid = (valid & !(passes & !thin)) | (passes & !thin & bent);
        }
        (wi, value, valid)
    }
}
