//! What the tables hold: means of the lobes by quasi-Monte Carlo, in the kernels' own arithmetic, so the
//! same on every machine.

use super::super::fresnel::{dielectric, f0_from_ior};
use super::super::ggx;
use super::super::math::{TWO_PI, safe_sqrt, sqr};
use super::super::sampling::concentric_disc;
use super::super::vector::Vector3;
use super::{COARSE, FILE, FINE, LARGEST_Z, Tables, sheen_alpha, sheen_value};

/// Points of the Hammersley set behind each entry: interpolation error dominates beyond this.
const POINTS: u32 = 512;
fn hammersley(i: u32) -> [f32; 2] {
    [
        (i as f32 + 0.5) / POINTS as f32,
        (i.reverse_bits() >> 8) as f32 * (1.0 / 16_777_216.0),
    ]
}

/// View direction in local space for grid coordinate µ; never exactly grazing.
fn view(mu: f32) -> Vector3<f32> {
    let mu = mu.max(1e-3);
    Vector3::new(safe_sqrt(1.0 - mu * mu), 0.0, mu)
}

fn ior_from_z(z: f32) -> f32 {
    let z2 = z * z;
    (1.0 + z2) / (1.0 - z2)
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

fn integrate_sheen(r: f32, mu: f32) -> f32 {
    let (wo, alpha) = (view(mu), sheen_alpha(r));
    let sum: f32 = (0..POINTS)
        .map(|i| {
            // Uniform over the hemisphere: pdf 1/2π.
            let [x, y] = concentric_disc(hammersley(i));
            let r2 = x * x + y * y;
            let scale = safe_sqrt(2.0 - r2);
            let wi = Vector3::new(x * scale, y * scale, 1.0 - r2);
            sheen_value(wo.into(), wi.into(), alpha)
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
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "writes a source file, for a developer who asks for it"
)]
fn the_file_holds_what_integration_gives() {
    let bytes: Vec<u8> = Tables::integrate()
        .all()
        .concat()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    if std::env::var_os("DIORAMA_WRITE_TABLES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kernels/tables.f32");
        std::fs::write(path, &bytes).unwrap();
        return;
    }
    assert!(
        bytes == FILE,
        "the kernels changed: run this test with DIORAMA_WRITE_TABLES=1, look at what changed in pictures, \
         and commit src/kernels/tables.f32"
    );
}
