//! Directional albedos of microfacet lobes, integrated once per process by quasi-Monte Carlo.
//!
//! They drive energy compensation (Turquin 2019) and albedo-scaled layering, as in Blender 4.
//! Axes: perceptual roughness r = √α, µ = cosθ_o, and z = √((η − 1)/(η + 1)) for the index of refraction.
//! All numbers come from the kernels' own arithmetic, so they are the same on every machine.

use std::sync::OnceLock;

use glam::Vec3;

use super::fresnel::{dielectric, f0_from_ior};
use super::ggx;
use super::math::{INV_PI, TWO_PI, exp, ln, safe_sqrt, sqr};
use super::sampling::concentric_disc;

/// Points per axis of the two-dimensional tables.
pub(crate) const FINE: usize = 32;
/// Points per axis of the three-dimensional tables.
pub(crate) const COARSE: usize = 16;
/// Points of the Hammersley set behind each entry: interpolation error dominates beyond this.
const POINTS: u32 = 512;
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

/// The tables of this process, made by the first who asks, on that thread alone: whoever shares out work
/// while others wait for the result may be handed one of those who wait.
pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::integrate)
}

fn hammersley(i: u32) -> [f32; 2] {
    [
        (i as f32 + 0.5) / POINTS as f32,
        (i.reverse_bits() >> 8) as f32 * (1.0 / 16_777_216.0),
    ]
}

/// View direction in local space for grid coordinate µ; never exactly grazing.
fn view(mu: f32) -> Vec3 {
    let mu = mu.max(1e-3);
    Vec3::new(safe_sqrt(1.0 - mu * mu), 0.0, mu)
}

fn ior_from_z(z: f32) -> f32 {
    let z2 = z * z;
    (1.0 + z2) / (1.0 - z2)
}

/// Grid coordinate z of an index of refraction ≥ 1.
fn z_from_ior(eta: f32) -> f32 {
    safe_sqrt((eta - 1.0) / (eta + 1.0))
}

/// α of roughness grid coordinate r; the smooth end is a small α rather than a delta.
fn alpha_from_grid(r: f32) -> f32 {
    sqr(r).max(1e-4)
}

/// Means over visible normals: of G₂/G₁ where they reflect, of s (see `dielectric_share`), and the
/// single-scattering albedo of glass.
fn integrate_ggx(r: f32, mu: f32, eta: f32) -> (f32, f32, f32) {
    let alpha = alpha_from_grid(r);
    let wo = view(mu);
    let lambda_o = ggx::lambda(wo, alpha);
    let f0 = f0_from_ior(eta);
    let (mut reflected, mut shared, mut glass) = (0.0, 0.0, 0.0);
    for i in 0..POINTS {
        // Both halves of the azimuth are alike: all points go to one.
        let [u, v] = hammersley(i);
        let h = ggx::sample_visible_normal(wo, alpha, [u, 0.5 * v]);
        let cos = wo.dot(h);
        let (f, cos_t) = dielectric(cos.max(0.0), eta);
        let wi = h * (2.0 * cos) - wo;
        if wi.z > 0.0 {
            let weight = (1.0 + lambda_o) / (1.0 + lambda_o + ggx::lambda(wi, alpha));
            reflected += weight;
            shared += ((f - f0) / (1.0 - f0).max(1e-6)).clamp(0.0, 1.0);
            glass += weight * f;
        }
        if cos_t > 0.0 {
            let wi = ggx::refract(wo, h, cos_t, eta);
            if wi.z < 0.0 {
                glass += (1.0 - f) * (1.0 + lambda_o) / (1.0 + lambda_o + ggx::lambda(wi, alpha));
            }
        }
    }
    let n = POINTS as f32;
    (reflected / n, shared / n, glass / n)
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
pub fn sheen_alpha(roughness: f32) -> f32 {
    sqr(roughness).clamp(0.01, 1.0)
}

fn integrate_sheen(r: f32, mu: f32) -> f32 {
    let (wo, alpha) = (view(mu), sheen_alpha(r));
    let sum: f32 = (0..POINTS)
        .map(|i| {
            // Uniform over the hemisphere: pdf 1/2π.
            let [x, y] = concentric_disc(hammersley(i));
            let r2 = x * x + y * y;
            let scale = safe_sqrt(2.0 - r2);
            sheen_value(wo, Vec3::new(x * scale, y * scale, 1.0 - r2), alpha)
        })
        .sum();
    sum * TWO_PI / POINTS as f32
}

fn grid(index: usize, count: usize) -> f32 {
    index as f32 / (count - 1) as f32
}

/// ∫ 2µ E(µ) dµ of values at equal steps of µ from 0 to 1, E taken as linear between them.
fn mean_over_mu(values: impl ExactSizeIterator<Item = f32> + Clone) -> f32 {
    let step = 1.0 / (values.len() - 1) as f32;
    let next = values.clone().skip(1);
    values
        .zip(next)
        .enumerate()
        .map(|(i, (a, b))| {
            // ∫ of µ (a + (b − a) t) over one step, t from 0 to 1.
            let mu = i as f32 * step;
            step * (mu * (a + b) + step * (a + 2.0 * b) * (1.0 / 3.0))
        })
        .sum()
}

impl Tables {
    fn integrate() -> Self {
        let fine = |entry: &dyn Fn(f32, f32) -> f32| -> Vec<f32> {
            (0..FINE * FINE)
                .map(|i| entry(grid(i / FINE, FINE), grid(i % FINE, FINE)))
                .collect()
        };
        let reflection = fine(&|r, mu| integrate_ggx(r, mu, 1.5).0);
        let sheen = fine(&integrate_sheen);
        let reflection_average = reflection
            .chunks(FINE)
            .map(|row| mean_over_mu(row.iter().copied()))
            .collect();
        let coarse: Vec<[f32; 3]> = (0..COARSE * COARSE * COARSE)
            .map(|i| {
                let r = grid(i / (COARSE * COARSE), COARSE);
                let mu = grid(i / COARSE % COARSE, COARSE);
                let eta = ior_from_z(grid(i % COARSE, COARSE) * LARGEST_Z);
                let (_, share, enter) = integrate_ggx(r, mu, eta.max(1.000_01));
                let (_, _, leave) = integrate_ggx(r, mu, 1.0 / eta.max(1.000_01));
                [share, enter, leave]
            })
            .collect();
        // Index (r, z) of (r, µ, z) grids.
        let averages = |which: usize| -> Vec<f32> {
            (0..COARSE * COARSE)
                .map(|i| {
                    let (r, z) = (i / COARSE, i % COARSE);
                    let at = |mu: usize| coarse[(r * COARSE + mu) * COARSE + z][which];
                    mean_over_mu((0..COARSE).map(at))
                })
                .collect()
        };
        Self {
            reflection,
            reflection_average,
            glass_enter_average: averages(1),
            glass_leave_average: averages(2),
            dielectric_share: coarse.iter().map(|c| c[0]).collect(),
            glass_enter: coarse.iter().map(|c| c[1]).collect(),
            glass_leave: coarse.iter().map(|c| c[2]).collect(),
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
    pub fn reflection(&self, r: f32, mu: f32) -> f32 {
        bilinear::<FINE>(&self.reflection, r, mu)
    }

    /// Mean E(r).
    #[inline(always)]
    pub fn reflection_average(&self, r: f32) -> f32 {
        let (i, t) = cell(r, FINE);
        self.reflection_average[i] * (1.0 - t) + self.reflection_average[i + 1] * t
    }

    /// s(r, µ, η) for η ≥ 1: mean reflectance is `mix(f0, 1, s)`.
    #[inline(always)]
    pub fn dielectric_share(&self, r: f32, mu: f32, eta: f32) -> f32 {
        trilinear(&self.dielectric_share, r, mu, z_from_ior(eta) / LARGEST_Z)
    }

    /// Single-scattering albedo of glass of relative index `eta`.
    #[inline(always)]
    pub fn glass(&self, r: f32, mu: f32, eta: f32) -> f32 {
        if eta >= 1.0 {
            trilinear(&self.glass_enter, r, mu, z_from_ior(eta) / LARGEST_Z)
        } else {
            trilinear(&self.glass_leave, r, mu, z_from_ior(1.0 / eta) / LARGEST_Z)
        }
    }

    /// Cosine-weighted mean of [`Self::glass`] over µ.
    #[inline(always)]
    pub fn glass_average(&self, r: f32, eta: f32) -> f32 {
        let (table, ior) = if eta >= 1.0 {
            (&self.glass_enter_average, eta)
        } else {
            (&self.glass_leave_average, 1.0 / eta)
        };
        bilinear::<COARSE>(table, r, z_from_ior(ior) / LARGEST_Z)
    }

    /// Albedo of the sheen lobe before the scaling that keeps it below 1: at grazing angles Charlie's
    /// exceeds it.
    #[inline(always)]
    pub fn sheen_unscaled(&self, r: f32, mu: f32) -> f32 {
        bilinear::<FINE>(&self.sheen, r, mu)
    }
}

#[inline(always)]
fn cell(x: f32, count: usize) -> (usize, f32) {
    let scaled = x.clamp(0.0, 1.0) * (count - 1) as f32;
    let i = (scaled as usize).min(count - 2);
    (i, scaled - i as f32)
}

#[inline(always)]
fn bilinear<const N: usize>(table: &[f32], x: f32, y: f32) -> f32 {
    let (i, s) = cell(x, N);
    let (j, t) = cell(y, N);
    let row = |i: usize| table[i * N + j] * (1.0 - t) + table[i * N + j + 1] * t;
    row(i) * (1.0 - s) + row(i + 1) * s
}

#[inline(always)]
fn trilinear(table: &[f32], x: f32, y: f32, z: f32) -> f32 {
    let (i, s) = cell(x, COARSE);
    let (j, t) = cell(y, COARSE);
    let (k, w) = cell(z, COARSE);
    let line = |i: usize, j: usize| {
        let base = (i * COARSE + j) * COARSE + k;
        table[base] * (1.0 - w) + table[base + 1] * w
    };
    let plane = |i: usize| line(i, j) * (1.0 - t) + line(i, j + 1) * t;
    plane(i) * (1.0 - s) + plane(i + 1) * s
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
