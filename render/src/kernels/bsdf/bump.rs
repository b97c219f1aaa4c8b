//! What a normal map changes for diffuse lobes.

use crate::kernels::math::sqr;
use crate::kernels::real::Real;
use crate::kernels::vector::Vector3;

/// Facets get a normal that is bent until mirror directions leave the surface; diffuse lobes keep the mapped
/// one, softened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bump<R: Real> {
    /// There is a map.
    there: R::Mask,
    /// The normal the map gives, local.
    mapped: Vector3<R>,
    /// The interpolated normal, local.
    smooth: Vector3<R>,
    /// α² of the facets that stand for the bumps (Conty Estevez, Lecocq and Stein 2019, "A
    /// Microfacet-Based Shadowing Function to Solve the Bump Terminator Problem").
    alpha2: R,
}

impl<R: Real> Bump<R> {
    #[inline(always)]
    pub(super) fn new(there: R::Mask, mapped: Vector3<R>, smooth: Vector3<R>) -> Self {
        let cos2 = sqr(mapped.dot(smooth)).at_least(1e-6);
        Self {
            there,
            mapped,
            smooth,
            alpha2: ((cos2.recip() - 1.0) * 0.125).saturate(),
        }
    }

    /// Factor of diffuse lobes: their cosine is with the mapped normal, and the bumps shadow light
    /// from `wi`.
    #[inline(always)]
    pub(super) fn factor(&self, wi: Vector3<R>) -> R {
        let cos2 = sqr(self.smooth.dot(wi));
        let tan2 = (cos2.recip() - 1.0).at_least(0.0);
        let shadowing = wi.z.like(2.0) / ((self.alpha2 * tan2 + 1.0).sqrt() + 1.0);
        let factor = (self.mapped.dot(wi) / wi.z).at_least(0.0) * shadowing;
        let dark = cos2.below(1e-12) | wi.z.eq(wi.z.like(0.0)) | self.leaks(wi);
        R::select(self.there, factor.only(!dark), wi.z.like(1.0))
    }

    /// `wi` lies on different sides of the two normals.
    #[inline(always)]
    pub(super) fn leaks(&self, wi: Vector3<R>) -> R::Mask {
        let sides = self.smooth.dot(wi) * self.smooth.dot(self.mapped) * self.mapped.dot(wi);
        self.there & sides.below(0.0)
    }
}
