//! Blender 4.3's Principled BSDF as a few lobes at one surface point, or at eight side by side.
//!
//! Layers from the top: sheen, coat, then metal | glass | dielectric over diffuse. Each layer passes
//! on what its directional albedo leaves ("albedo scaling"), GGX lobes are compensated for multiple
//! scattering (`layers`). One lobe is chosen to sample (`scatter`); all are evaluated (`evaluate`; one-sample
//! balance heuristic).

mod bump;
mod evaluate;
mod layers;
mod scatter;
mod values;

use glam::Vec3;

use self::bump::Bump;
pub use self::scatter::Scattered;
use self::values::Inputs;
pub use self::values::{Seen, SurfaceValues};
use super::fresnel::{F82, TintedDielectric};
use super::ggx::SMOOTH_ALPHA;
use super::real::{Mask as _, Real};
use super::sampling::Frame3;
use super::tables::Tables;
use super::vector::Vector3;

/// Weights below this add nothing visible and are dropped (Blender's CLOSURE_WEIGHT_CUTOFF).
pub(crate) const CUTOFF: f32 = 1e-5;
/// Steps of the index of refraction below this do not refract.
pub(crate) const LEAST_STEP: f32 = 1e-3;
/// Single-scattering albedos are not taken below this: they divide.
pub(crate) const LEAST_ALBEDO: f32 = 1e-3;

/// Places of the lobes, in the order in which they are chosen and added up.
const SHEEN: usize = 0;
const COAT: usize = 1;
const METAL: usize = 2;
/// Reflection and refraction by the same facets; only reflection where `refraction_apart`.
const GLASS: usize = 3;
/// Refraction with a roughness of its own.
const REFRACTION: usize = 4;
const DIELECTRIC: usize = 5;
const DIFFUSE_TRANSMISSION: usize = 6;
const DIFFUSE: usize = 7;
/// How many there are.
const LOBES: usize = 8;

#[derive(Debug, Clone, Copy)]
struct Lobe<R: Real> {
    /// The surface has it.
    there: R::Mask,
    weight: Vector3<R>,
    /// Probability with which it is chosen.
    choice: R,
}

/// The BSDF at one point for one viewing direction, in each lane.
#[derive(Debug, Clone, Copy)]
pub struct Bsdf<R: Real> {
    /// `None` where no lane has it.
    lobes: [Option<Lobe<R>>; LOBES],
    sheen_alpha: R,
    coat_alpha: R,
    coat: TintedDielectric<R>,
    /// Of metal and dielectric, and of glass that is rough.
    alpha: R,
    /// 0 for glass that bends nothing, which is not rough then.
    glass_alpha: R,
    metal: F82<R>,
    dielectric: TintedDielectric<R>,
    glass: TintedDielectric<R>,
    /// Of what passes through a face of the glass; where it is thin, through both.
    tint: Vector3<R>,
    /// The glass reflects, or passes mirrored through the surface: both faces at once.
    thin: R::Mask,
    /// Refraction has its own roughness, and its own lobe.
    refraction_apart: R::Mask,
    refraction_alpha: R,
    frame: Frame3<R>,
    /// Geometric normal on the side of the viewer.
    geometric_normal: Vector3<R>,
    /// Towards the viewer, local.
    wo: Vector3<R>,
    /// Weight of emission seen through the coat.
    pub emission_weight: Vector3<R>,
    /// Has at least one lobe with a density.
    pub has_density: R::Mask,
    bump: Option<Bump<R>>,
}

impl<R: Real> Bsdf<R> {
    /// Of `seen(i)` in lane i.
    #[inline(always)]
    pub fn from_lanes<'a>(
        token: R::Token,
        seen: impl Fn(usize) -> Seen<'a>,
        tables: &Tables,
    ) -> Self {
        let inputs = Inputs::<R>::from_lanes(token, seen);
        inputs.ior.apart(
            #[inline(always)]
            || Self::from_inputs(&inputs, tables),
        )
    }

    /// Says what normals the facets' one was made of (unit, viewer's side): `mapped` is what the normal
    /// map gives, before mirror directions were kept outside; `smooth` is the interpolated one.
    #[inline(always)]
    #[must_use]
    pub fn over(mut self, mapped: Vector3<R>, smooth: Vector3<R>) -> Self {
        let same = mapped.eq(smooth);
        if (!same).any() {
            self.bump = Some(Bump::new(
                !same,
                self.frame.to_local(mapped),
                self.frame.to_local(smooth),
            ));
        }
        self
    }

    /// Where a lobe, if it is there, has a density.
    #[inline(always)]
    fn rough(&self, kind: usize) -> R::Mask {
        let alpha = match kind {
            COAT => self.coat_alpha,
            METAL | DIELECTRIC => self.alpha,
            GLASS => self.glass_alpha,
            REFRACTION => self.refraction_alpha,
            _ => self.alpha.like(1.0),
        };
        !alpha.below(SMOOTH_ALPHA)
    }
}

/// A sampled direction at one point.
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

/// At one point.
impl Bsdf<f32> {
    /// Builds the lobes.
    pub fn new(seen: &Seen<'_>, tables: &Tables) -> Self {
        Self::from_lanes((), |_| *seen, tables)
    }

    /// [`Self::evaluate`].
    pub fn eval(&self, wi: Vec3) -> (Vec3, f32) {
        let (value, pdf) = self.evaluate(wi.into());
        (value.into(), pdf)
    }

    /// [`Self::scatter`]; `None` when the sample is absorbed or leaves on the wrong side.
    pub fn sample(&self, u: [f32; 2], u_interface: f32) -> Option<BsdfSample> {
        let sample = self.scatter(u, u_interface);
        sample.valid.then(|| BsdfSample {
            wi: sample.wi.into(),
            weight: sample.weight.into(),
            pdf: sample.pdf,
            transmitted: sample.transmitted,
        })
    }
}
