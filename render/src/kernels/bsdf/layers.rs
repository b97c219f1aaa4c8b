//! How layers share the light: from the Principled inputs to weighted lobes.

use super::values::Inputs;
use super::{
    Bsdf, COAT, CUTOFF, DIELECTRIC, DIFFUSE, DIFFUSE_TRANSMISSION, GLASS, LOBES, Lobe, METAL,
};
use super::{LEAST_ALBEDO, LEAST_STEP, REFRACTION, SHEEN};
use crate::kernels::fresnel::{F82, TintedDielectric, f0_from_ior, ior_from_f0};
use crate::kernels::math::{pow, safe_sqrt, sqr};
use crate::kernels::real::{Mask as _, Real};
use crate::kernels::sampling::Frame3;
use crate::kernels::tables::{Tables, sheen_alpha};
use crate::kernels::vector::Vector3;

/// What a layer of `albedo` leaves of `weight` (Blender's closure_layering_weight): one factor for
/// all channels, so that a coloured layer does not colour what is under it.
#[inline(always)]
fn under<R: Real>(albedo: Vector3<R>, weight: Vector3<R>) -> Vector3<R> {
    let covered = covered(albedo.x, weight.x)
        .max(covered(albedo.y, weight.y))
        .max(covered(albedo.z, weight.z));
    weight * covered.complement().saturate()
}

/// Share of `weight` that `albedo` is.
#[inline(always)]
fn covered<R: Real>(albedo: R, weight: R) -> R {
    (albedo / weight).only(weight.above(0.0))
}

/// Albedo of facets that lose nothing, single scattering only; the same for all lobes of one
/// roughness.
#[derive(Debug, Clone, Copy)]
struct FacetAlbedo<R: Real> {
    /// E(µ).
    here: R,
    /// Its cosine-weighted mean.
    average: R,
}

impl<R: Real> FacetAlbedo<R> {
    /// Of facets that only reflect.
    #[inline(always)]
    fn reflection(tables: &Tables, r: R, mu: R) -> Self {
        Self {
            here: tables.reflection(r, mu).at_least(LEAST_ALBEDO),
            average: tables.reflection_average(r),
        }
    }

    /// Of facets that reflect and refract, relative index `eta`.
    #[inline(always)]
    fn glass(tables: &Tables, r: R, mu: R, eta: R) -> Self {
        Self {
            here: tables.glass(r, mu, eta).at_least(LEAST_ALBEDO),
            average: tables.glass_average(r, eta),
        }
    }

    /// Factor for the energy that single scattering loses: 1 + F_ms (1 − E)/E (Kulla and Conty 2017
    /// in the scaled form of Turquin 2019). A facet keeps `share` of what it meets.
    #[inline(always)]
    fn compensation(self, share: Vector3<R>) -> Vector3<R> {
        let lost = self.average.complement();
        let missing = self.here.complement() / self.here;
        share.map(
            #[inline(always)]
            |share| {
                let f_ms = share * self.average / (share * lost).complement().at_least(1e-4);
                f_ms * missing + 1.0
            },
        )
    }
}

/// Index and reflectance at normal incidence of the base's glossy layer.
#[inline(always)]
fn specular<R: Real>(inputs: &Inputs<R>) -> (R, R) {
    let f0 = f0_from_ior(inputs.ior);
    let neutral = inputs.specular.eq(inputs.specular.like(0.5));
    let scaled = f0 * (inputs.specular * 2.0);
    (
        R::select(neutral, inputs.ior, ior_from_f0(scaled)),
        R::select(neutral, f0, scaled),
    )
}

impl<R: Real> Bsdf<R> {
    /// Builds the lobes.
    #[inline(always)]
    pub(super) fn from_inputs(inputs: &Inputs<R>, tables: &Tables) -> Self {
        let frame = Frame3::from_z(inputs.normal);
        let mut wo = frame.to_local(inputs.wo);
        // A shading normal may face away from the viewer at silhouettes: look from just above it.
        wo.z = wo.z.at_least(1e-4);
        let one = wo.z.like(1.0);
        let wo = wo.normalize_or(Vector3::uniform(one, glam::Vec3::Z));
        let mu = wo.z;
        let base = inputs.base_color.saturate();
        let r = inputs.roughness;
        let no_fresnel = TintedDielectric::new(one, Vector3::splat(one));
        let nowhere = mu.everywhere(false);
        let mut bsdf = Self {
            lobes: [None; LOBES],
            sheen_alpha: one,
            coat_alpha: one,
            coat: no_fresnel,
            alpha: sqr(r),
            glass_alpha: one,
            metal: F82::new(base, Vector3::splat(one)),
            dielectric: no_fresnel,
            glass: no_fresnel,
            tint: base,
            thin: inputs.thin_walled,
            refraction_apart: nowhere,
            refraction_alpha: one,
            frame,
            geometric_normal: inputs.geometric_normal,
            wo,
            emission_weight: Vector3::splat(one),
            has_density: nowhere,
            bump: None,
        };
        let mut weight = Vector3::splat(one);

        let has_sheen = inputs.sheen.above(CUTOFF);
        if has_sheen.any() {
            let unscaled = tables.sheen_unscaled(inputs.sheen_roughness, mu);
            let albedo = unscaled.at_most(1.0);
            let scale = R::select(unscaled.above(1.0), unscaled.recip(), one);
            let tinted = inputs.sheen_tint * inputs.sheen;
            bsdf.sheen_alpha = sheen_alpha(inputs.sheen_roughness);
            bsdf.put(SHEEN, has_sheen, tinted * scale, tinted * albedo);
            weight = Vector3::select(has_sheen, under(tinted * albedo, weight), weight);
        }
        let has_coat = inputs.coat.above(CUTOFF);
        if has_coat.any() {
            weight = bsdf.put_coat(inputs, has_coat, weight, mu, tables);
        }
        bsdf.emission_weight = weight;

        let facets = FacetAlbedo::reflection(tables, r, mu);
        let is_metal = inputs.metallic.above(CUTOFF);
        if is_metal.any() {
            bsdf.metal = F82::new(base, inputs.specular_tint.saturate());
            let compensation = facets.compensation(bsdf.metal.average());
            let metal = weight * inputs.metallic;
            bsdf.put(
                METAL,
                is_metal,
                metal * compensation,
                metal * compensation * facets.here * bsdf.metal.at(mu),
            );
            let left = weight * inputs.metallic.complement();
            weight = Vector3::select(is_metal, left, weight);
        }
        let is_glass = inputs.transmission.above(CUTOFF) & weight.max_element().above(CUTOFF);
        if is_glass.any() {
            let glass = weight * inputs.transmission;
            bsdf.put_glass(inputs, is_glass, glass, base, mu, tables);
            let left = weight * inputs.transmission.complement();
            weight = Vector3::select(is_glass, left, weight);
        }
        let is_opaque = weight.max_element().above(CUTOFF);
        if is_opaque.any() {
            let (eta, f0) = specular(inputs);
            let glossy = is_opaque & eta.above(1.0 + 1e-5);
            if glossy.any() {
                let tinted = (inputs.specular_tint * f0).saturate();
                bsdf.dielectric = TintedDielectric::new(eta, tinted);
                let share = tables.dielectric_share(r, mu, eta);
                let compensation = facets.compensation(bsdf.dielectric.average());
                let albedo = compensation * facets.here * bsdf.dielectric.between(share);
                bsdf.put(DIELECTRIC, glossy, weight * compensation, weight * albedo);
                weight = Vector3::select(glossy, under(weight * albedo, weight), weight);
            }
            let diffuse = weight * inputs.base_color;
            let through = inputs.diffuse_transmission;
            let some_through = is_opaque & through.above(CUTOFF);
            if some_through.any() {
                let diffuse = diffuse * through;
                bsdf.put(DIFFUSE_TRANSMISSION, some_through, diffuse, diffuse);
            }
            let diffuse = diffuse * through.complement();
            bsdf.put(DIFFUSE, is_opaque & through.below(1.0), diffuse, diffuse);
        }
        bsdf.finish();
        bsdf
    }

    /// Gives what the coat leaves of `weight`.
    #[inline(always)]
    fn put_coat(
        &mut self,
        inputs: &Inputs<R>,
        there: R::Mask,
        weight: Vector3<R>,
        mu: R,
        tables: &Tables,
    ) -> Vector3<R> {
        self.coat_alpha = sqr(inputs.coat_roughness);
        self.coat = TintedDielectric::new(
            inputs.coat_ior,
            Vector3::splat(f0_from_ior(inputs.coat_ior)),
        );
        let facets = FacetAlbedo::reflection(tables, inputs.coat_roughness, mu);
        let compensation = facets.compensation(self.coat.average());
        // Blender takes a coat's albedo for that of a smooth one (but not the base's).
        let (albedo, _) = self.coat.at(mu);
        let coat = weight * inputs.coat;
        self.put(COAT, there, coat * compensation, coat * albedo);
        let mut left = under(coat * albedo, weight);
        let tint = inputs.coat_tint;
        let white = Vector3::splat(mu.like(1.0));
        let tinted = there & !tint.eq(white);
        if tinted.any() {
            // Absorption along the refracted path through the coat, both ways folded in one.
            let sin2 = (mu * mu).complement() / sqr(inputs.coat_ior);
            let depth = safe_sqrt(sin2.complement()).at_least(1e-3).recip();
            let absorbed = tint.map(
                #[inline(always)]
                |tint| {
                    let passed = R::lanewise(
                        [tint, depth],
                        #[inline(always)]
                        |[tint, depth]| pow(tint, depth),
                    );
                    (passed - 1.0) * inputs.coat + 1.0
                },
            );
            left = Vector3::select(tinted, left * absorbed, left);
        }
        Vector3::select(there, left, weight)
    }

    #[inline(always)]
    fn put_glass(
        &mut self,
        inputs: &Inputs<R>,
        there: R::Mask,
        weight: Vector3<R>,
        base: Vector3<R>,
        mu: R,
        tables: &Tables,
    ) {
        // Without a step in the index nothing bends, and the half vector that rough facets would
        // need does not exist: light passes straight through.
        let bends = !(inputs.ior - 1.0).below(LEAST_STEP);
        let r = inputs.roughness.only(bends);
        self.glass_alpha = sqr(r);
        let outside = inputs.entering | inputs.thin_walled;
        let eta = R::select(outside, inputs.ior, inputs.ior.recip());
        let f0 = inputs.specular_tint.saturate() * f0_from_ior(inputs.ior);
        self.glass = TintedDielectric::new(eta, f0);
        // Light crosses two faces: each takes the square root of the tint.
        let tint = Vector3::new(safe_sqrt(base.x), safe_sqrt(base.y), safe_sqrt(base.z));
        self.tint = Vector3::select(inputs.thin_walled, base, tint);
        let own = inputs.transmission_roughness;
        let rougher = (r.complement() * own.complement()).complement();
        let has_own = !own.below(0.0) & r.above(0.0);
        let through_r = R::select(has_own, rougher, r);
        self.refraction_apart = !inputs.thin_walled & !(through_r - r).abs().below(1e-4);

        // As Blender: each further bounce is taken to be a tinted passage.
        let facets = FacetAlbedo::glass(tables, through_r, mu, eta);
        let compensation = facets.compensation(tint);
        let shared = weight * compensation;
        let thin = inputs.thin_walled;
        let mut glass = (
            Vector3::select(thin, weight, shared),
            Vector3::select(thin, weight, shared * facets.here),
        );
        let apart = there & self.refraction_apart;
        if apart.any() {
            let (f, _) = self.glass.at(mu);
            let reflection = FacetAlbedo::reflection(tables, r, mu);
            let reflection = weight * reflection.compensation(self.glass.average());
            glass = (
                Vector3::select(self.refraction_apart, reflection, glass.0),
                Vector3::select(self.refraction_apart, weight * f, glass.1),
            );
            self.refraction_alpha = R::select(apart, sqr(through_r), mu.like(1.0));
            self.put(REFRACTION, apart, shared, weight * f.complement() * tint);
        }
        self.put(GLASS, there, glass.0, glass.1);
    }

    /// `albedo` estimates the lobe's energy for this viewing direction and decides how often it is chosen.
    #[inline(always)]
    fn put(&mut self, kind: usize, there: R::Mask, weight: Vector3<R>, albedo: Vector3<R>) {
        let choice = albedo.mean();
        let there = there & choice.above(CUTOFF);
        if there.any() {
            self.lobes[kind] = Some(Lobe {
                there,
                weight,
                choice: choice.only(there),
            });
        }
    }

    #[inline(always)]
    fn finish(&mut self) {
        let mut total = self.wo.z.like(0.0);
        for lobe in self.lobes.iter().flatten() {
            total = total + lobe.choice;
        }
        let scale = total.recip().only(total.above(0.0));
        for kind in 0..LOBES {
            let rough = self.rough(kind);
            if let Some(lobe) = &mut self.lobes[kind] {
                lobe.choice = lobe.choice * scale;
                self.has_density = self.has_density | (lobe.there & rough);
            }
        }
    }
}
