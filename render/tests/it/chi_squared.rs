//! χ² goodness of fit of every BSDF's `sample` against its `eval` pdf (Mitsuba's and pbrt's test).

use diorama_render::kernels::bsdf::{Bsdf, SurfaceValues};
use diorama_render::kernels::sampler::{combine, unit_from_bits};
use glam::Vec3;

use crate::scenes::flat;

/// Cells of the sphere: z by azimuth.
const ROWS: usize = 20;
const COLUMNS: usize = 40;
/// Draws; enough for cells of probability 1e-4 to expect 20.
const DRAWS: u32 = 200_000;
/// Cells expecting fewer are pooled (Cochran's rule).
const FEWEST_EXPECTED: f64 = 5.0;
/// Probability of a false alarm over all cases, shared out by Šidák.
const SIGNIFICANCE: f64 = 0.01;
/// Midpoints per side when a cell's pdf is integrated.
const FINE: usize = 14;

fn values() -> SurfaceValues {
    SurfaceValues {
        base_color: Vec3::new(0.8, 0.5, 0.3),
        metallic: 0.0,
        roughness: 0.4,
        ior: 1.5,
        specular: 0.5,
        specular_tint: Vec3::ONE,
        transmission: 0.0,
        transmission_roughness: -1.0,
        thin_walled: false,
        diffuse_transmission: 0.0,
        coat: 0.0,
        coat_roughness: 0.3,
        coat_ior: 1.5,
        coat_tint: Vec3::ONE,
        sheen: 0.0,
        sheen_roughness: 0.5,
        sheen_tint: Vec3::ONE,
    }
}

fn cases() -> Vec<(&'static str, SurfaceValues)> {
    let v = values();
    vec![
        ("plastic", v),
        ("matte", SurfaceValues { specular: 0.0, ..v }),
        ("metal", SurfaceValues { metallic: 1.0, ..v }),
        (
            "rough metal",
            SurfaceValues {
                metallic: 1.0,
                roughness: 0.9,
                ..v
            },
        ),
        (
            "glass",
            SurfaceValues {
                transmission: 1.0,
                ..v
            },
        ),
        (
            "dense rough glass",
            SurfaceValues {
                transmission: 1.0,
                ior: 2.2,
                roughness: 0.7,
                ..v
            },
        ),
        (
            "glass with its own refraction",
            SurfaceValues {
                transmission: 1.0,
                transmission_roughness: 0.5,
                ..v
            },
        ),
        (
            "thin glass",
            SurfaceValues {
                transmission: 1.0,
                thin_walled: true,
                ..v
            },
        ),
        ("coat", SurfaceValues { coat: 1.0, ..v }),
        ("sheen", SurfaceValues { sheen: 1.0, ..v }),
        (
            "paper",
            SurfaceValues {
                diffuse_transmission: 0.4,
                ..v
            },
        ),
        (
            "everything",
            SurfaceValues {
                coat: 0.5,
                sheen: 0.3,
                metallic: 0.3,
                transmission: 0.4,
                ..v
            },
        ),
    ]
}

fn direction(z: f64, phi: f64) -> Vec3 {
    let r = (1.0 - z * z).max(0.0).sqrt();
    Vec3::new(
        (r * libm::cos(phi)) as f32,
        (r * libm::sin(phi)) as f32,
        z as f32,
    )
}

fn cell(d: Vec3) -> usize {
    let row = (((d.z + 1.0) * 0.5 * ROWS as f32) as usize).min(ROWS - 1);
    let turn = libm::atan2f(d.y, d.x) / std::f32::consts::TAU;
    let column = ((turn - turn.floor()) * COLUMNS as f32) as usize;
    row * COLUMNS + column.min(COLUMNS - 1)
}

/// Upper tail of the χ² distribution by Wilson and Hilferty's normal approximation.
fn p_value(statistic: f64, freedom: f64) -> f64 {
    let k = 2.0 / (9.0 * freedom);
    let z = (libm::cbrt(statistic / freedom) - (1.0 - k)) / k.sqrt();
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// p-value of the fit; `bias` scales the expected counts of one half of the sphere, to prove that the
/// test can fail.
fn fit(bsdf: &Bsdf<f32>, seed: u32, bias: f64) -> f64 {
    let mut observed = vec![0f64; ROWS * COLUMNS];
    for i in 0..DRAWS {
        let u = |k: u32| unit_from_bits(combine(combine(seed, i), k));
        if let Some(sample) = bsdf.sample([u(1), u(2)], u(3)) {
            observed[cell(sample.wi)] += 1.0;
        }
    }
    let mut expected = vec![0f64; ROWS * COLUMNS];
    let area = 4.0 * std::f64::consts::PI / (ROWS * COLUMNS) as f64;
    for (index, value) in expected.iter_mut().enumerate() {
        let (row, column) = (index / COLUMNS, index % COLUMNS);
        for i in 0..FINE * FINE {
            let z =
                -1.0 + 2.0 * (row as f64 + ((i / FINE) as f64 + 0.5) / FINE as f64) / ROWS as f64;
            let turn = (column as f64 + ((i % FINE) as f64 + 0.5) / FINE as f64) / COLUMNS as f64;
            let (_, pdf) = bsdf.eval(direction(z, turn * std::f64::consts::TAU));
            *value += f64::from(pdf);
        }
        *value *= area / (FINE * FINE) as f64 * f64::from(DRAWS);
        if column < COLUMNS / 2 {
            *value *= bias;
        }
    }
    let (mut statistic, mut cells) = (0.0, 0.0);
    let (mut pooled_observed, mut pooled_expected) = (0.0, 0.0);
    for (o, e) in observed.iter().zip(&expected) {
        if *e < FEWEST_EXPECTED {
            pooled_observed += o;
            pooled_expected += e;
        } else {
            statistic += (o - e) * (o - e) / e;
            cells += 1.0;
        }
    }
    if pooled_expected >= FEWEST_EXPECTED {
        statistic += (pooled_observed - pooled_expected) * (pooled_observed - pooled_expected)
            / pooled_expected;
        cells += 1.0;
    }
    p_value(statistic, cells)
}

#[test]
fn samples_follow_their_pdf() {
    let views = [
        direction(0.95, 0.3),
        direction(0.55, 1.1),
        direction(0.2, 4.0),
    ];
    let cases = cases();
    let runs = cases.len() * views.len() * 2;
    let threshold = 1.0 - libm::pow(1.0 - SIGNIFICANCE, 1.0 / runs as f64);
    let mut failures = Vec::new();
    for (name, values) in &cases {
        for (v, wo) in views.iter().enumerate() {
            for entering in [true, false] {
                let bsdf = flat(values, *wo, entering);
                let p = fit(&bsdf, 77 + v as u32, 1.0);
                if p < threshold {
                    failures.push(format!("{name}, view {v}, entering {entering}: p = {p:e}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_planted_error_of_six_percent_is_found() {
    let bsdf = flat(&values(), direction(0.55, 1.1), true);
    assert!(fit(&bsdf, 78, 1.06) < 1e-4);
}

#[test]
fn weights_are_value_over_pdf() {
    for (name, values) in cases() {
        let bsdf = flat(&values, direction(0.6, 0.4), true);
        for i in 0..2000 {
            let u = |k: u32| unit_from_bits(combine(i, k));
            if let Some(sample) = bsdf.sample([u(1), u(2)], u(3)) {
                let (value, pdf) = bsdf.eval(sample.wi);
                // Sampling and evaluation meet the half vector on different ways: f32 noise only.
                assert!(
                    (pdf / sample.pdf - 1.0).abs() < 0.02,
                    "{name}: {pdf} {}",
                    sample.pdf
                );
                let ratio = value / pdf;
                assert!(
                    (ratio - sample.weight).abs().max_element() < 0.03 * ratio.max_element() + 1e-4,
                    "{name}"
                );
            }
        }
    }
}

/// Mean of a million weights from four sets of a thousand strata.
fn albedo(values: &SurfaceValues, wo: Vec3) -> f32 {
    let bsdf = flat(values, wo, true);
    let n = 256u32;
    let mut sum = 0f64;
    for i in 0..n * n {
        let u = |k: u32| unit_from_bits(combine(i, k));
        let strata = [
            ((i % n) as f32 + u(1)) / n as f32,
            ((i / n) as f32 + u(2)) / n as f32,
        ];
        if let Some(sample) = bsdf.sample(strata, u(3)) {
            sum += f64::from(sample.weight.y);
        }
    }
    (sum / f64::from(n * n)) as f32
}

#[test]
fn white_metal_and_glass_neither_lose_nor_gain() {
    let white = SurfaceValues {
        base_color: Vec3::ONE,
        ..values()
    };
    for roughness in [0.1, 0.25, 0.5, 0.75, 1.0] {
        for z in [0.15, 0.4, 0.7, 0.95] {
            let metal = SurfaceValues {
                metallic: 1.0,
                roughness,
                ..white
            };
            let glass = SurfaceValues {
                transmission: 1.0,
                roughness,
                ..white
            };
            let (m, g) = (
                albedo(&metal, direction(z, 0.3)),
                albedo(&glass, direction(z, 0.3)),
            );
            assert!(
                (m - 1.0).abs() < 0.01,
                "metal, roughness {roughness}, z {z}: {m}"
            );
            assert!(
                (g - 1.0).abs() < 0.02,
                "glass, roughness {roughness}, z {z}: {g}"
            );
        }
    }
}
