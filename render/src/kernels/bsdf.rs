//! Blender 4.3's Principled BSDF as a short list of lobes at one surface point.
//!
//! Layers from the top: sheen, coat, then metal | glass | dielectric over diffuse. Each layer passes
//! on what its directional albedo leaves ("albedo scaling"), GGX lobes are compensated for multiple
//! scattering. One lobe is chosen to sample; all are evaluated (one-sample balance heuristic).

use glam::Vec3;

use super::fresnel::{F82, TintedDielectric, dielectric, f0_from_ior, ior_from_f0};
use super::ggx::{self, SMOOTH_ALPHA};
use super::math::{pow, safe_sqrt, sqr};
use super::sampling::{Frame3, cosine_hemisphere, cosine_hemisphere_pdf, rest_of_choice};
use super::tables::{Tables, UNIFORM_HEMISPHERE_PDF, sheen_alpha, sheen_value};

/// Weights below this add nothing visible and are dropped (Blender's CLOSURE_WEIGHT_CUTOFF).
pub(crate) const CUTOFF: f32 = 1e-5;
/// Steps of the index of refraction below this do not refract.
pub(crate) const LEAST_STEP: f32 = 1e-3;
/// Single-scattering albedos are not taken below this: they divide.
pub(crate) const LEAST_ALBEDO: f32 = 1e-3;
/// Most lobes one surface can have.
pub(crate) const MAX_LOBES: usize = 7;

/// Principled inputs at one point, textures already looked up, clamped to their ranges.
#[derive(Debug, Clone, Copy)]
pub struct SurfaceValues {
    /// Albedo, linear.
    pub base_color: Vec3,
    /// 0..1.
    pub metallic: f32,
    /// 0..1.
    pub roughness: f32,
    /// ≥ 1.
    pub ior: f32,
    /// Blender's level, 0.5 neutral.
    pub specular: f32,
    /// See material.
    pub specular_tint: Vec3,
    /// 0..1.
    pub transmission: f32,
    /// Refraction's own roughness; negative: as `roughness`.
    pub transmission_roughness: f32,
    /// See material.
    pub thin_walled: bool,
    /// 0..1.
    pub diffuse_transmission: f32,
    /// 0..1.
    pub coat: f32,
    /// 0..1.
    pub coat_roughness: f32,
    /// ≥ 1.
    pub coat_ior: f32,
    /// Colour.
    pub coat_tint: Vec3,
    /// Weight.
    pub sheen: f32,
    /// 0..1.
    pub sheen_roughness: f32,
    /// Colour.
    pub sheen_tint: Vec3,
}

#[derive(Debug, Clone, Copy)]
enum LobeKind {
    Diffuse,
    DiffuseTransmission,
    Sheen {
        alpha: f32,
    },
    Metal {
        alpha: f32,
        fresnel: F82,
    },
    Dielectric {
        alpha: f32,
        fresnel: TintedDielectric,
    },
    /// Reflection and refraction by the same facets.
    Glass {
        alpha: f32,
        fresnel: TintedDielectric,
        tint: Vec3,
    },
    /// Only the reflected part, for glass whose refraction has its own roughness.
    GlassReflection {
        alpha: f32,
        fresnel: TintedDielectric,
    },
    /// Only the refracted part.
    GlassRefraction {
        alpha: f32,
        fresnel: TintedDielectric,
        tint: Vec3,
    },
    /// Both faces at once: reflects, or passes mirrored through the surface.
    ThinGlass {
        alpha: f32,
        fresnel: TintedDielectric,
        tint: Vec3,
    },
}

impl LobeKind {
    /// Not made of facets.
    #[inline(always)]
    fn is_diffuse(&self) -> bool {
        matches!(
            self,
            Self::Diffuse | Self::DiffuseTransmission | Self::Sheen { .. }
        )
    }
}

#[derive(Debug, Clone, Copy)]
struct Lobe {
    kind: LobeKind,
    weight: Vec3,
    /// Probability with which it is chosen.
    choice: f32,
}

impl Lobe {
    #[inline(always)]
    fn smooth(&self) -> bool {
        match self.kind {
            LobeKind::Diffuse | LobeKind::DiffuseTransmission | LobeKind::Sheen { .. } => false,
            LobeKind::Metal { alpha, .. }
            | LobeKind::Dielectric { alpha, .. }
            | LobeKind::Glass { alpha, .. }
            | LobeKind::GlassReflection { alpha, .. }
            | LobeKind::GlassRefraction { alpha, .. }
            | LobeKind::ThinGlass { alpha, .. } => alpha < SMOOTH_ALPHA,
        }
    }
}

/// What a normal map changes for diffuse lobes. Facets get a normal that is bent until mirror
/// directions leave the surface; diffuse lobes keep the mapped one, softened.
#[derive(Debug, Clone, Copy)]
struct Bump {
    /// The normal the map gives, local.
    mapped: Vec3,
    /// The interpolated normal, local.
    smooth: Vec3,
    /// α² of the facets that stand for the bumps (Conty Estevez, Lecocq and Stein 2019, "A
    /// Microfacet-Based Shadowing Function to Solve the Bump Terminator Problem").
    alpha2: f32,
}

impl Bump {
    #[inline(always)]
    fn new(mapped: Vec3, smooth: Vec3) -> Self {
        let cos2 = sqr(mapped.dot(smooth)).max(1e-6);
        Self {
            mapped,
            smooth,
            alpha2: (0.125 * (1.0 / cos2 - 1.0)).clamp(0.0, 1.0),
        }
    }

    /// Factor of diffuse lobes: their cosine is with the mapped normal, and the bumps shadow light
    /// from `wi`.
    #[inline(always)]
    fn factor(&self, wi: Vec3) -> f32 {
        let cos2 = sqr(self.smooth.dot(wi));
        if cos2 < 1e-12 || wi.z == 0.0 || self.leaks(wi) {
            return 0.0;
        }
        let tan2 = (1.0 / cos2 - 1.0).max(0.0);
        let shadowing = 2.0 / (1.0 + (1.0 + self.alpha2 * tan2).sqrt());
        (self.mapped.dot(wi) / wi.z).max(0.0) * shadowing
    }

    /// `wi` lies on different sides of the two normals.
    #[inline(always)]
    fn leaks(&self, wi: Vec3) -> bool {
        self.smooth.dot(wi) * self.smooth.dot(self.mapped) * self.mapped.dot(wi) < 0.0
    }
}

/// The BSDF at one point for one viewing direction.
#[derive(Debug, Clone, Copy)]
pub struct Bsdf {
    lobes: [Lobe; MAX_LOBES],
    count: usize,
    frame: Frame3,
    /// Geometric normal on the side of the viewer.
    geometric_normal: Vec3,
    /// Towards the viewer, local.
    wo: Vec3,
    /// Weight of emission seen through the coat.
    pub emission_weight: Vec3,
    /// Has at least one lobe with a density.
    pub has_density: bool,
    bump: Option<Bump>,
}

/// A sampled direction.
#[derive(Debug, Clone, Copy)]
pub struct BsdfSample {
    /// World, unit.
    pub wi: Vec3,
    /// BSDF × |cos| ÷ pdf.
    pub weight: Vec3,
    /// Per steradian; infinite for a perfectly smooth lobe.
    pub pdf: f32,
    /// Went through the surface.
    pub transmitted: bool,
}

#[inline(always)]
fn largest(v: Vec3) -> f32 {
    v.max_element()
}

#[inline(always)]
fn mean(v: Vec3) -> f32 {
    (v.x + v.y + v.z) * (1.0 / 3.0)
}

/// What a layer of `albedo` leaves of `weight` (Blender's closure_layering_weight): one factor for
/// all channels, so that a coloured layer does not colour what is under it.
#[inline(always)]
fn under(albedo: Vec3, weight: Vec3) -> Vec3 {
    let safe = |a: f32, w: f32| if w > 0.0 { a / w } else { 0.0 };
    let covered = safe(albedo.x, weight.x)
        .max(safe(albedo.y, weight.y))
        .max(safe(albedo.z, weight.z));
    weight * (1.0 - covered).clamp(0.0, 1.0)
}

/// Albedo of facets that lose nothing, single scattering only; the same for all lobes of one
/// roughness.
#[derive(Debug, Clone, Copy)]
struct FacetAlbedo {
    /// E(µ).
    here: f32,
    /// Its cosine-weighted mean.
    average: f32,
}

impl FacetAlbedo {
    /// Of facets that only reflect.
    #[inline(always)]
    fn reflection(tables: &Tables, r: f32, mu: f32) -> Self {
        Self {
            here: tables.reflection(r, mu).max(LEAST_ALBEDO),
            average: tables.reflection_average(r),
        }
    }

    /// Of facets that reflect and refract, relative index `eta`.
    #[inline(always)]
    fn glass(tables: &Tables, r: f32, mu: f32, eta: f32) -> Self {
        Self {
            here: tables.glass(r, mu, eta).max(LEAST_ALBEDO),
            average: tables.glass_average(r, eta),
        }
    }

    /// Factor for the energy that single scattering loses: 1 + F_ms (1 − E)/E (Kulla and Conty 2017
    /// in the scaled form of Turquin 2019). A facet keeps `share` of what it meets.
    #[inline(always)]
    fn compensation(self, share: Vec3) -> Vec3 {
        let f_ms = share * self.average
            / (Vec3::ONE - share * (1.0 - self.average)).max(Vec3::splat(1e-4));
        Vec3::ONE + f_ms * ((1.0 - self.here) / self.here)
    }
}

impl Bsdf {
    /// Builds the lobes. `normal` is the shading normal and `geometric_normal` the triangle's, both
    /// on the viewer's side; `entering` tells whether the viewer is outside.
    #[inline(always)]
    pub fn new(
        values: &SurfaceValues,
        wo_world: Vec3,
        normal: Vec3,
        geometric_normal: Vec3,
        entering: bool,
        tables: &Tables,
    ) -> Self {
        let frame = Frame3::from_z(normal);
        let mut wo = frame.to_local(wo_world);
        // A shading normal may face away from the viewer at silhouettes: look from just above it.
        wo.z = wo.z.max(1e-4);
        let wo = wo.normalize_or(Vec3::Z);
        let mu = wo.z;
        let empty = Lobe {
            kind: LobeKind::Diffuse,
            weight: Vec3::ZERO,
            choice: 0.0,
        };
        let mut bsdf = Self {
            lobes: [empty; MAX_LOBES],
            count: 0,
            frame,
            geometric_normal,
            wo,
            emission_weight: Vec3::ONE,
            has_density: false,
            bump: None,
        };
        let mut weight = Vec3::ONE;
        let base = values.base_color.clamp(Vec3::ZERO, Vec3::ONE);
        let r = values.roughness;
        let alpha = sqr(r);

        if values.sheen > CUTOFF {
            let unscaled = tables.sheen_unscaled(values.sheen_roughness, mu);
            let (albedo, scale) = if unscaled > 1.0 {
                (1.0, 1.0 / unscaled)
            } else {
                (unscaled, 1.0)
            };
            let tinted = values.sheen_tint * values.sheen;
            bsdf.push(
                LobeKind::Sheen {
                    alpha: sheen_alpha(values.sheen_roughness),
                },
                tinted * scale,
                tinted * albedo,
            );
            weight = under(tinted * albedo, weight);
        }
        if values.coat > CUTOFF {
            let fresnel =
                TintedDielectric::new(values.coat_ior, Vec3::splat(f0_from_ior(values.coat_ior)));
            let facets = FacetAlbedo::reflection(tables, values.coat_roughness, mu);
            let compensation = facets.compensation(fresnel.average());
            // Blender takes a coat's albedo for that of a smooth one (but not the base's).
            let (albedo, _) = fresnel.at(mu);
            let coat = weight * values.coat;
            bsdf.push(
                LobeKind::Dielectric {
                    alpha: sqr(values.coat_roughness),
                    fresnel,
                },
                coat * compensation,
                coat * albedo,
            );
            weight = under(coat * albedo, weight);
            if values.coat_tint != Vec3::ONE {
                // Absorption along the refracted path through the coat, both ways folded in one.
                let cos_t = safe_sqrt(1.0 - (1.0 - mu * mu) / sqr(values.coat_ior)).max(1e-3);
                let depth = 1.0 / cos_t;
                let tint = Vec3::new(
                    pow(values.coat_tint.x, depth),
                    pow(values.coat_tint.y, depth),
                    pow(values.coat_tint.z, depth),
                );
                weight *= Vec3::ONE + (tint - Vec3::ONE) * values.coat;
            }
        }
        bsdf.emission_weight = weight;

        let facets = FacetAlbedo::reflection(tables, r, mu);
        if values.metallic > CUTOFF {
            let fresnel = F82::new(base, values.specular_tint.clamp(Vec3::ZERO, Vec3::ONE));
            let compensation = facets.compensation(fresnel.average());
            let metal = weight * values.metallic;
            bsdf.push(
                LobeKind::Metal { alpha, fresnel },
                metal * compensation,
                metal * compensation * facets.here * fresnel.at(mu),
            );
            weight *= 1.0 - values.metallic;
        }
        if values.transmission > CUTOFF && largest(weight) > CUTOFF {
            bsdf.push_glass(
                values,
                weight * values.transmission,
                base,
                mu,
                entering,
                tables,
            );
            weight *= 1.0 - values.transmission;
        }
        if largest(weight) > CUTOFF {
            let mut eta = values.ior;
            let mut f0 = f0_from_ior(eta);
            if values.specular != 0.5 {
                f0 *= 2.0 * values.specular;
                eta = ior_from_f0(f0);
            }
            if eta > 1.0 + 1e-5 {
                let fresnel = TintedDielectric::new(
                    eta,
                    (values.specular_tint * f0).clamp(Vec3::ZERO, Vec3::ONE),
                );
                let share = tables.dielectric_share(r, mu, eta);
                let compensation = facets.compensation(fresnel.average());
                let albedo = compensation * facets.here * fresnel.between(share);
                bsdf.push(
                    LobeKind::Dielectric { alpha, fresnel },
                    weight * compensation,
                    weight * albedo,
                );
                weight = under(weight * albedo, weight);
            }
            let diffuse = weight * values.base_color;
            let through = values.diffuse_transmission;
            if through > CUTOFF {
                bsdf.push(
                    LobeKind::DiffuseTransmission,
                    diffuse * through,
                    diffuse * through,
                );
            }
            if through < 1.0 {
                let diffuse = diffuse * (1.0 - through);
                bsdf.push(LobeKind::Diffuse, diffuse, diffuse);
            }
        }
        bsdf.finish();
        bsdf
    }

    /// Says what normals the facets' one was made of (unit, viewer's side): `mapped` is what the normal
    /// map gives, before mirror directions were kept outside; `smooth` is the interpolated one.
    #[inline(always)]
    #[must_use]
    pub fn over(mut self, mapped: Vec3, smooth: Vec3) -> Self {
        if mapped != smooth {
            self.bump = Some(Bump::new(
                self.frame.to_local(mapped),
                self.frame.to_local(smooth),
            ));
        }
        self
    }

    #[inline(always)]
    fn push_glass(
        &mut self,
        values: &SurfaceValues,
        weight: Vec3,
        base: Vec3,
        mu: f32,
        entering: bool,
        tables: &Tables,
    ) {
        // Without a step in the index nothing bends, and the half vector that rough facets would
        // need does not exist: light passes straight through.
        let r = if values.ior - 1.0 < LEAST_STEP {
            0.0
        } else {
            values.roughness
        };
        let alpha = sqr(r);
        let eta = if entering || values.thin_walled {
            values.ior
        } else {
            1.0 / values.ior
        };
        let f0 = values.specular_tint.clamp(Vec3::ZERO, Vec3::ONE) * f0_from_ior(values.ior);
        let fresnel = TintedDielectric::new(eta, f0);
        if values.thin_walled {
            let share = Vec3::ONE;
            self.push(
                LobeKind::ThinGlass {
                    alpha,
                    fresnel,
                    tint: base,
                },
                weight,
                weight * share,
            );
            return;
        }
        // Light crosses two faces: each takes the square root of the tint.
        let tint = Vec3::new(safe_sqrt(base.x), safe_sqrt(base.y), safe_sqrt(base.z));
        let own = values.transmission_roughness;
        let through_r = if own >= 0.0 && r > 0.0 {
            1.0 - (1.0 - r) * (1.0 - own)
        } else {
            r
        };
        if (through_r - r).abs() < 1e-4 {
            // As Blender: each further bounce is taken to be a tinted passage.
            let facets = FacetAlbedo::glass(tables, r, mu, eta);
            let compensation = facets.compensation(tint);
            self.push(
                LobeKind::Glass {
                    alpha,
                    fresnel,
                    tint,
                },
                weight * compensation,
                weight * compensation * facets.here,
            );
        } else {
            let (f, _) = fresnel.at(mu);
            let reflection = FacetAlbedo::reflection(tables, r, mu).compensation(fresnel.average());
            let refraction = FacetAlbedo::glass(tables, through_r, mu, eta).compensation(tint);
            self.push(
                LobeKind::GlassReflection { alpha, fresnel },
                weight * reflection,
                weight * f,
            );
            self.push(
                LobeKind::GlassRefraction {
                    alpha: sqr(through_r),
                    fresnel,
                    tint,
                },
                weight * refraction,
                weight * (Vec3::ONE - f) * tint,
            );
        }
    }

    /// `albedo` estimates the lobe's energy for this viewing direction and decides how often it is chosen.
    #[inline(always)]
    fn push(&mut self, kind: LobeKind, weight: Vec3, albedo: Vec3) {
        let choice = mean(albedo);
        if choice > CUTOFF && self.count < MAX_LOBES {
            self.lobes[self.count] = Lobe {
                kind,
                weight,
                choice,
            };
            self.count += 1;
        }
    }

    #[inline(always)]
    fn finish(&mut self) {
        let total: f32 = self.lobes[..self.count].iter().map(|l| l.choice).sum();
        let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
        for lobe in &mut self.lobes[..self.count] {
            lobe.choice *= scale;
        }
        self.has_density = self.lobes[..self.count].iter().any(|lobe| !lobe.smooth());
    }

    /// BSDF × |cosθ_i| and the pdf per steradian of [`Self::sample`] for `wi` (world, unit), smooth
    /// lobes left out. Zero where shading and geometric normal disagree about the side: no light leaks.
    #[inline(always)]
    pub fn eval(&self, wi_world: Vec3) -> (Vec3, f32) {
        let wi = self.frame.to_local(wi_world);
        if (wi.z > 0.0) != (wi_world.dot(self.geometric_normal) > 0.0) {
            return (Vec3::ZERO, 0.0);
        }
        let (value, pdf) = self.eval_local(wi);
        match &self.bump {
            // Light from below the horizon of the unmapped surface would shine through it. (As in
            // Cycles, only where the light was chosen: facets may send paths there.)
            Some(bump) if bump.leaks(wi) => (Vec3::ZERO, pdf),
            _ => (value, pdf),
        }
    }

    #[inline(always)]
    fn eval_local(&self, wi: Vec3) -> (Vec3, f32) {
        let mut value = Vec3::ZERO;
        let mut diffuse = Vec3::ZERO;
        let mut pdf = 0.0;
        let mut mirror = Mirror::new(self.wo, wi);
        for lobe in &self.lobes[..self.count] {
            if !lobe.smooth() {
                let (f, p) = eval_lobe(&lobe.kind, &mut mirror);
                if lobe.kind.is_diffuse() {
                    diffuse += lobe.weight * f;
                } else {
                    value += lobe.weight * f;
                }
                pdf += lobe.choice * p;
            }
        }
        match &self.bump {
            Some(bump) => (value + diffuse * bump.factor(wi), pdf),
            None => (value + diffuse, pdf),
        }
    }

    /// Samples a direction; `None` when the sample is absorbed or leaves on the wrong side. `u` chooses
    /// the lobe and the direction within it, `u_interface` between reflection and refraction.
    #[inline(always)]
    pub fn sample(&self, u: [f32; 2], u_interface: f32) -> Option<BsdfSample> {
        let mut start = 0.0;
        let mut chosen = self.count.checked_sub(1)?;
        for (i, lobe) in self.lobes[..chosen].iter().enumerate() {
            if u[0] < start + lobe.choice {
                chosen = i;
                break;
            }
            start += lobe.choice;
        }
        let u = [rest_of_choice(u[0], start, self.lobes[chosen].choice), u[1]];
        let lobe = &self.lobes[chosen];
        let (wi, smooth_value) = sample_lobe(&lobe.kind, self.wo, u, u_interface)?;
        let wi_world = self.frame.to_world(wi).normalize_or(self.frame.n);
        let transmitted = wi.z < 0.0;
        if transmitted == (wi_world.dot(self.geometric_normal) > 0.0) {
            return None;
        }
        if lobe.smooth() {
            return Some(BsdfSample {
                wi: wi_world,
                weight: lobe.weight * smooth_value / lobe.choice,
                pdf: f32::INFINITY,
                transmitted,
            });
        }
        let (value, pdf) = self.eval_local(wi);
        (pdf > 0.0).then(|| BsdfSample {
            wi: wi_world,
            weight: value / pdf,
            pdf,
            transmitted,
        })
    }
}

/// Share of facets' light that reflects, as the probability of choosing reflection.
#[inline(always)]
fn reflect_probability(f: Vec3, through: Vec3) -> f32 {
    let (f, t) = (mean(f), mean(through));
    if f + t > 0.0 { f / (f + t) } else { 1.0 }
}

/// What all facets that reflect between two directions share, whatever they are made of.
#[derive(Debug, Clone, Copy)]
struct Mirror {
    wo: Vec3,
    wi: Vec3,
    /// `wi` is on the side of `wo`.
    reflected: bool,
    /// Half vector of `wo` and `wi` turned to the side of `wo`.
    h: Vec3,
    /// wo·h.
    cos: f32,
    /// The roughness asked for last.
    alpha: f32,
    /// [`ggx::reflection`] of it: lobes of one surface mostly share their roughness.
    found: (f32, f32),
}

impl Mirror {
    #[inline(always)]
    fn new(wo: Vec3, wi: Vec3) -> Self {
        let h = (wo + Vec3::new(wi.x, wi.y, wi.z.abs())).normalize_or(Vec3::Z);
        Self {
            wo,
            wi,
            reflected: wi.z > 0.0,
            h,
            cos: wo.dot(h).clamp(0.0, 1.0),
            alpha: f32::NAN,
            found: (0.0, 0.0),
        }
    }

    /// Density and value of facets of roughness `alpha` as [`ggx::reflection`], `wi` taken on the side
    /// of `wo`.
    #[inline(always)]
    fn facets(&mut self, alpha: f32) -> (f32, f32) {
        if alpha != self.alpha {
            self.alpha = alpha;
            self.found = ggx::reflection(self.wo, self.wi, self.h, alpha);
        }
        self.found
    }

    /// Value and pdf of a lobe that only reflects.
    #[inline(always)]
    fn reflection(&mut self, alpha: f32, fresnel: impl Fn(f32) -> Vec3) -> (Vec3, f32) {
        if !self.reflected {
            return (Vec3::ZERO, 0.0);
        }
        let (pdf, value) = self.facets(alpha);
        (fresnel(self.cos) * value, pdf)
    }
}

/// BSDF × |cosθ_i| and pdf of a lobe.
#[inline(always)]
fn eval_lobe(kind: &LobeKind, mirror: &mut Mirror) -> (Vec3, f32) {
    let Mirror { wo, wi, .. } = *mirror;
    match *kind {
        LobeKind::Diffuse => {
            let pdf = cosine_hemisphere_pdf(wi.z);
            (Vec3::splat(pdf), pdf)
        }
        LobeKind::DiffuseTransmission => {
            let pdf = cosine_hemisphere_pdf(-wi.z);
            (Vec3::splat(pdf), pdf)
        }
        LobeKind::Sheen { alpha } => {
            if mirror.reflected {
                (
                    Vec3::splat(sheen_value(wo, wi, alpha)),
                    UNIFORM_HEMISPHERE_PDF,
                )
            } else {
                (Vec3::ZERO, 0.0)
            }
        }
        LobeKind::Metal { alpha, fresnel } => mirror.reflection(alpha, |cos| fresnel.at(cos)),
        LobeKind::Dielectric { alpha, fresnel } | LobeKind::GlassReflection { alpha, fresnel } => {
            mirror.reflection(alpha, |cos| fresnel.at(cos).0)
        }
        LobeKind::Glass {
            alpha,
            fresnel,
            tint,
        } => {
            if mirror.reflected {
                let (f, _) = fresnel.at(mirror.cos);
                let (pdf, value) = mirror.facets(alpha);
                (
                    f * value,
                    pdf * reflect_probability(f, (Vec3::ONE - f) * tint),
                )
            } else {
                eval_refraction(wo, wi, alpha, &fresnel, tint, true)
            }
        }
        LobeKind::GlassRefraction {
            alpha,
            fresnel,
            tint,
        } => {
            if mirror.reflected {
                (Vec3::ZERO, 0.0)
            } else {
                eval_refraction(wo, wi, alpha, &fresnel, tint, false)
            }
        }
        LobeKind::ThinGlass {
            alpha,
            fresnel,
            tint,
        } => {
            let (f, _) = fresnel.at(mirror.cos);
            let through = (Vec3::ONE - f) * tint;
            let (pdf, value) = mirror.facets(alpha);
            let p = reflect_probability(f, through);
            if mirror.reflected {
                (f * value, pdf * p)
            } else {
                (through * value, pdf * (1.0 - p))
            }
        }
    }
}

#[inline(always)]
fn eval_refraction(
    wo: Vec3,
    wi: Vec3,
    alpha: f32,
    fresnel: &TintedDielectric,
    tint: Vec3,
    shared: bool,
) -> (Vec3, f32) {
    let eta = fresnel.eta;
    let sum = wo + wi * eta;
    let length = sum.length();
    if length < 1e-6 {
        return (Vec3::ZERO, 0.0);
    }
    let mut h = sum / length;
    if h.z < 0.0 {
        h = -h;
    }
    let cos = wo.dot(h);
    if cos <= 0.0 || wi.dot(h) >= 0.0 {
        return (Vec3::ZERO, 0.0);
    }
    let (f, _) = fresnel.at(cos);
    let through = (Vec3::ONE - f) * tint;
    let (pdf, value) = ggx::refraction(wo, wi, h, 1.0 / length, eta, alpha);
    let choice = if shared {
        1.0 - reflect_probability(f, through)
    } else {
        1.0
    };
    (through * value, pdf * choice)
}

/// A direction and, for smooth lobes, the value BSDF × cos ÷ (probability within the lobe).
#[inline(always)]
fn sample_lobe(kind: &LobeKind, wo: Vec3, u: [f32; 2], u_interface: f32) -> Option<(Vec3, Vec3)> {
    let facet = |alpha: f32| {
        if alpha < SMOOTH_ALPHA {
            Vec3::Z
        } else {
            ggx::sample_visible_normal(wo, alpha, u)
        }
    };
    let mirror = |h: Vec3| h * (2.0 * wo.dot(h)) - wo;
    match *kind {
        LobeKind::Diffuse => Some((cosine_hemisphere(u), Vec3::ONE)),
        LobeKind::DiffuseTransmission => {
            let w = cosine_hemisphere(u);
            Some((Vec3::new(w.x, w.y, -w.z), Vec3::ONE))
        }
        LobeKind::Sheen { .. } => {
            let [x, y] = super::sampling::concentric_disc(u);
            let r2 = x * x + y * y;
            let scale = safe_sqrt(2.0 - r2);
            Some((Vec3::new(x * scale, y * scale, 1.0 - r2), Vec3::ONE))
        }
        LobeKind::Metal { alpha, fresnel } => {
            let h = facet(alpha);
            let wi = mirror(h);
            (wi.z > 0.0).then(|| (wi, fresnel.at(wo.dot(h))))
        }
        LobeKind::Dielectric { alpha, fresnel } | LobeKind::GlassReflection { alpha, fresnel } => {
            let h = facet(alpha);
            let wi = mirror(h);
            (wi.z > 0.0).then(|| (wi, fresnel.at(wo.dot(h)).0))
        }
        LobeKind::Glass {
            alpha,
            fresnel,
            tint,
        } => {
            let h = facet(alpha);
            let (f, cos_t) = fresnel.at(wo.dot(h).max(0.0));
            let through = (Vec3::ONE - f) * tint;
            let p = reflect_probability(f, through);
            if u_interface < p {
                let wi = mirror(h);
                (wi.z > 0.0).then(|| (wi, f / p))
            } else {
                let wi = ggx::refract(wo, h, cos_t, fresnel.eta);
                (cos_t > 0.0 && wi.z < 0.0).then(|| (wi, through / (1.0 - p)))
            }
        }
        LobeKind::GlassRefraction {
            alpha,
            fresnel,
            tint,
        } => {
            let h = facet(alpha);
            let (f, cos_t) = fresnel.at(wo.dot(h).max(0.0));
            let wi = ggx::refract(wo, h, cos_t, fresnel.eta);
            (cos_t > 0.0 && wi.z < 0.0).then(|| (wi, (Vec3::ONE - f) * tint))
        }
        LobeKind::ThinGlass {
            alpha,
            fresnel,
            tint,
        } => {
            let h = facet(alpha);
            let (f, _) = dielectric(wo.dot(h).max(0.0), fresnel.eta);
            let f = fresnel.remap(f);
            let through = (Vec3::ONE - f) * tint;
            let p = reflect_probability(f, through);
            let wi = mirror(h);
            if wi.z <= 0.0 {
                None
            } else if u_interface < p {
                Some((wi, f / p))
            } else {
                Some((Vec3::new(wi.x, wi.y, -wi.z), through / (1.0 - p)))
            }
        }
    }
}
