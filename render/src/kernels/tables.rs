//! Directional albedos of microfacet lobes.
//!
//! They drive energy compensation (Turquin 2019) and albedo-scaled layering, as in Blender 4.
//! Axes: perceptual roughness r = √α, µ = cosθ_o, and z = √((η − 1)/(η + 1)) for the index of refraction.
//! The numbers are in a file beside this one, since making them takes 0.3 s; what they are is `integrate`,
//! and its test says whether the file is that.

#[cfg(test)]
mod integrate;

use std::sync::OnceLock;

use glam::Vec3;

use super::math::{INV_PI, TWO_PI, exp, ln, safe_sqrt, sqr};
use super::real::{Mask as _, Real};

/// Points per axis of the two-dimensional tables.
pub(crate) const FINE: usize = 32;
/// Points per axis of the three-dimensional tables.
pub(crate) const COARSE: usize = 16;
/// Largest z: index of refraction 40, a mirror.
pub(crate) const LARGEST_Z: f32 = 0.975;

/// All tables. See the module text.
#[derive(Debug)]
pub struct Tables {
    /// E(r, µ) of the GGX reflection lobe without Fresnel.
    reflection: Vec<f32>,
    /// Cosine-weighted mean of `reflection` over µ.
    reflection_average: Vec<f32>,
    /// Share s(r, µ, z) of the way from F0 to 1 at which a dielectric's mean reflectance lies: the mean
    /// over the facets seen, 0 where one reflects into the surface (Blender's definition).
    dielectric_share: Vec<f32>,
    /// Albedo (r, µ, z) of reflection and refraction together, from the outside.
    glass_enter: Vec<f32>,
    /// The same from the inside.
    glass_leave: Vec<f32>,
    /// Cosine-weighted means (r, z) of the two over µ.
    glass_enter_average: Vec<f32>,
    glass_leave_average: Vec<f32>,
    /// Albedo (r, µ) of the sheen lobe.
    sheen: Vec<f32>,
}

/// `f32`s, little-endian, table by table in the order of the fields.
const FILE: &[u8] = include_bytes!("tables.f32");

/// Entries of each table, in the order of the fields.
const LENGTHS: [usize; 8] = [
    FINE * FINE,
    FINE,
    COARSE * COARSE * COARSE,
    COARSE * COARSE * COARSE,
    COARSE * COARSE * COARSE,
    COARSE * COARSE,
    COARSE * COARSE,
    FINE * FINE,
];

/// The tables.
pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables::read(FILE))
}

/// Grid coordinate z of an index of refraction ≥ 1.
#[inline(always)]
fn z_from_ior<R: Real>(eta: R) -> R {
    safe_sqrt((eta - 1.0) / (eta + 1.0))
}

/// "Charlie" sheen distribution times Ashikhmin's visibility times cosθ_i (Estevez and Kulla 2017).
pub fn sheen_value(wo: Vec3, wi: Vec3, alpha: f32) -> f32 {
    if wi.z <= 0.0 || wo.z <= 0.0 {
        return 0.0;
    }
    let h = (wo + wi).normalize_or(Vec3::Z);
    let sin = safe_sqrt(1.0 - h.z * h.z).max(1e-6);
    let inverse = 1.0 / alpha;
    let distribution = (2.0 + inverse) * exp(ln(sin) * inverse) * (1.0 / TWO_PI);
    distribution / (4.0 * (wo.z + wi.z - wo.z * wi.z)) * wi.z
}

/// α of the sheen lobe.
#[inline(always)]
pub fn sheen_alpha<R: Real>(roughness: R) -> R {
    sqr(roughness).at_least(0.01).at_most(1.0)
}

impl Tables {
    /// From the bytes of the file, which has as many as the tables have.
    fn read(bytes: &[u8]) -> Self {
        const { assert!(FILE.len() == 4 * total(LENGTHS)) };
        let mut values = bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes));
        let [
            reflection,
            reflection_average,
            dielectric_share,
            glass_enter,
            glass_leave,
            glass_enter_average,
            glass_leave_average,
            sheen,
        ] = LENGTHS.map(|length| values.by_ref().take(length).collect());
        Self {
            reflection,
            reflection_average,
            dielectric_share,
            glass_enter,
            glass_leave,
            glass_enter_average,
            glass_leave_average,
            sheen,
        }
    }

    /// All of them in the order of the fields.
    pub(crate) fn all(&self) -> [&[f32]; 8] {
        [
            &self.reflection,
            &self.reflection_average,
            &self.dielectric_share,
            &self.glass_enter,
            &self.glass_leave,
            &self.glass_enter_average,
            &self.glass_leave_average,
            &self.sheen,
        ]
    }

    /// E(r, µ): see the field.
    #[inline(always)]
    pub fn reflection<R: Real>(&self, r: R, mu: R) -> R {
        bilinear::<FINE, R>(&self.reflection, r, mu)
    }

    /// Mean E(r).
    #[inline(always)]
    pub fn reflection_average<R: Real>(&self, r: R) -> R {
        let (i, t) = cell(r, FINE);
        between(i.look_up(&self.reflection_average, [0, 1]), t)
    }

    /// s(r, µ, η) for η ≥ 1: mean reflectance is `mix(f0, 1, s)`.
    #[inline(always)]
    pub fn dielectric_share<R: Real>(&self, r: R, mu: R, eta: R) -> R {
        trilinear(&self.dielectric_share, r, mu, z_from_ior(eta) / LARGEST_Z)
    }

    /// Single-scattering albedo of glass of relative index `eta`.
    #[inline(always)]
    pub fn glass<R: Real>(&self, r: R, mu: R, eta: R) -> R {
        on_either_side(
            eta,
            #[inline(always)]
            |inside, z| {
                let table = if inside {
                    &self.glass_leave
                } else {
                    &self.glass_enter
                };
                trilinear(table, r, mu, z)
            },
        )
    }

    /// Cosine-weighted mean of [`Self::glass`] over µ.
    #[inline(always)]
    pub fn glass_average<R: Real>(&self, r: R, eta: R) -> R {
        on_either_side(
            eta,
            #[inline(always)]
            |inside, z| {
                let table = if inside {
                    &self.glass_leave_average
                } else {
                    &self.glass_enter_average
                };
                bilinear::<COARSE, R>(table, r, z)
            },
        )
    }

    /// Albedo of the sheen lobe before the scaling that keeps it below 1: at grazing angles Charlie's
    /// exceeds it.
    #[inline(always)]
    pub fn sheen_unscaled<R: Real>(&self, r: R, mu: R) -> R {
        bilinear::<FINE, R>(&self.sheen, r, mu)
    }
}

/// `entry(inside, z)`, from inside where `eta` is below 1.
#[inline(always)]
fn on_either_side<R: Real>(eta: R, entry: impl Fn(bool, R) -> R) -> R {
    let inside = eta.below(1.0);
    let z = z_from_ior(R::select(inside, eta.recip(), eta)) / LARGEST_Z;
    match (inside.any(), (!inside).any()) {
        (true, true) => R::select(inside, entry(true, z), entry(false, z)),
        (one, _) => entry(one, z),
    }
}

const fn total(lengths: [usize; 8]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < lengths.len() {
        sum += lengths[i];
        i += 1;
    }
    sum
}

/// The point of the grid below `x`, and how far `x` is on the way to the next.
#[inline(always)]
fn cell<R: Real>(x: R, count: usize) -> (R, R) {
    let scaled = x.saturate() * (count - 1) as f32;
    let i = scaled.floor().at_most((count - 2) as f32);
    (i, scaled - i)
}

#[inline(always)]
fn between<R: Real>([a, b]: [R; 2], t: R) -> R {
    a * t.complement() + b * t
}

#[inline(always)]
fn bilinear<const N: usize, R: Real>(table: &[f32], x: R, y: R) -> R {
    let (i, s) = cell(x, N);
    let (j, t) = cell(y, N);
    let [a, b, c, d] = (i * N as f32 + j).look_up(table, [0, 1, N, N + 1]);
    between([between([a, b], t), between([c, d], t)], s)
}

#[inline(always)]
fn trilinear<R: Real>(table: &[f32], x: R, y: R, z: R) -> R {
    const PLANE: usize = COARSE * COARSE;
    let (i, s) = cell(x, COARSE);
    let (j, t) = cell(y, COARSE);
    let (k, w) = cell(z, COARSE);
    let first = i * PLANE as f32 + j * COARSE as f32 + k;
    between(
        [
            plane(table, first, 0, [w, t]),
            plane(table, first, PLANE, [w, t]),
        ],
        s,
    )
}

/// Between four neighbours in a plane of a three-dimensional table.
#[inline(always)]
fn plane<R: Real>(table: &[f32], first: R, start: usize, [w, t]: [R; 2]) -> R {
    let offsets = [start, start + 1, start + COARSE, start + COARSE + 1];
    let [a, b, c, d] = first.look_up(table, offsets);
    between([between([a, b], w), between([c, d], w)], t)
}

/// 1/π, re-exported for the sheen's sampling pdf.
pub const UNIFORM_HEMISPHERE_PDF: f32 = 0.5 * INV_PI;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn albedos_lie_in_zero_one_and_smooth_lobes_lose_nothing() {
        let t = tables();
        for table in [
            &t.reflection,
            &t.dielectric_share,
            &t.glass_enter,
            &t.glass_leave,
            &t.glass_enter_average,
            &t.glass_leave_average,
        ] {
            assert!(
                table.iter().all(|v| (-1e-5..=1.0001).contains(v)),
                "albedo out of range"
            );
        }
        assert!((t.reflection(0.05, 0.7) - 1.0).abs() < 2e-3);
        assert!((t.glass(0.05, 0.7, 1.5) - 1.0).abs() < 2e-3);
        // At α = 1 and normal incidence cosθ_i is uniform in (−1, 1): E = ½∫₀¹ 2c/(1+c) dc = 1 − ln 2.
        assert!((t.reflection(1.0, 1.0) - (1.0 - std::f32::consts::LN_2)).abs() < 2e-3);
    }
}
