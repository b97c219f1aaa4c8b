//! Laws of the denoiser on pictures whose expectation is known.

use glam::Vec3;

use super::{Settings, denoise, denoise_with};
use crate::accel::Isa;
use crate::denoise::DenoiseInput;

/// Planes of one picture, and what it would be with endless samples.
#[derive(Clone)]
struct Picture {
    width: usize,
    height: usize,
    truth: Vec<Vec3>,
    color: Vec<Vec3>,
    variance: Vec<Vec3>,
    albedo: Vec<Vec3>,
    normal: Vec<Vec3>,
    depth: Vec<f32>,
    feature_variance: Vec<Vec3>,
}

impl Picture {
    fn input(&self) -> DenoiseInput<'_> {
        DenoiseInput {
            width: self.width,
            height: self.height,
            color: &self.color,
            variance: &self.variance,
            albedo: &self.albedo,
            normal: &self.normal,
            depth: &self.depth,
            feature_variance: &self.feature_variance,
        }
    }

    /// Without features, every pixel `value(i)` with variance `variance(i)`.
    fn flat(
        (width, height): (usize, usize),
        value: impl Fn(usize) -> Vec3,
        variance: impl Fn(usize) -> f32,
    ) -> Self {
        let pixels = 0..width * height;
        let color: Vec<Vec3> = pixels.clone().map(value).collect();
        Self {
            width,
            height,
            truth: color.clone(),
            color,
            variance: pixels.map(|i| Vec3::splat(variance(i))).collect(),
            albedo: vec![Vec3::ONE; width * height],
            normal: vec![Vec3::Z; width * height],
            depth: vec![3.0; width * height],
            feature_variance: vec![Vec3::ZERO; width * height],
        }
    }
}

/// A small deterministic sequence in 0..1.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let x = ((self.0 >> 18) ^ self.0) >> 27;
        let x = (x as u32).rotate_right((self.0 >> 59) as u32);
        (x >> 8) as f32 / 16_777_216.0
    }
}

const WIDTH: usize = 96;
const HEIGHT: usize = 72;

/// A checkered floor with a soft shadow and a highlight, an upright object that mirrors stripes (which
/// no feature knows of), and a background without noise; `samples` samples with a heavy tail: most
/// light comes from one sample in `1 / share`.
fn scene(samples: usize, share: f32, seed: u64) -> Picture {
    let mut uniform = Uniform(seed);
    uniform.next();
    let mut picture = Picture::flat((WIDTH, HEIGHT), |_| Vec3::ZERO, |_| 0.0);
    for i in 0..WIDTH * HEIGHT {
        let (x, y) = ((i % WIDTH) as f32 + 0.5, (i / WIDTH) as f32 + 0.5);
        let smooth = |t: f32| {
            let t = t.clamp(0.0, 1.0);
            t * t * (3.0 - 2.0 * t)
        };
        let (albedo, normal, depth, light, mirrored);
        if y < 14.0 {
            (albedo, normal, depth) = (Vec3::ZERO, Vec3::ZERO, 0.0);
            (light, mirrored) = (0.0, Vec3::new(0.3, 0.5, 0.9) * (1.0 + y / 28.0));
        } else if (60.0..84.0).contains(&x) && y < 52.0 {
            (albedo, normal, depth) = (Vec3::ONE, Vec3::NEG_Y, 4.0);
            let stripe = if (x as usize / 4).is_multiple_of(2) {
                1.0
            } else {
                0.15
            };
            (light, mirrored) = (0.0, Vec3::new(0.9, 0.8, 0.5) * stripe);
        } else {
            let white = (x as usize / 12 + y as usize / 12).is_multiple_of(2);
            albedo = if white {
                Vec3::new(0.8, 0.7, 0.6)
            } else {
                Vec3::new(0.15, 0.2, 0.3)
            };
            (normal, depth) = (Vec3::Z, 2.0 + 160.0 / y);
            let shadow = 0.25 + 0.75 * smooth((x - 24.0) / 5.0);
            let from_highlight = (x - 44.0) * (x - 44.0) + (y - 40.0) * (y - 40.0);
            (light, mirrored) = (
                shadow,
                Vec3::splat(2.0 * libm::expf(-from_highlight / 18.0)),
            );
        }
        let truth = albedo * light + mirrored;
        picture.truth[i] = truth;
        (picture.albedo[i], picture.normal[i], picture.depth[i]) = (albedo, normal, depth);
        let (mut sum, mut squares) = (Vec3::ZERO, Vec3::ZERO);
        for _ in 0..samples {
            let lucky = uniform.next() < share;
            let strength = if y < 14.0 {
                1.0
            } else if lucky {
                -0.7 * libm::logf(1.0 - uniform.next()) / share + 0.3
            } else {
                0.3
            };
            sum += truth * strength;
            squares += truth * truth * (strength * strength);
        }
        let n = samples as f32;
        let mean = sum / n;
        picture.color[i] = mean;
        if y < 14.0 {
            picture.color[i] = truth;
        } else {
            picture.variance[i] = (squares / n - mean * mean).max(Vec3::ZERO) / (n - 1.0);
        }
    }
    picture
}

/// Mean squared error relative to the squared truth.
fn relative_error(picture: &[Vec3], truth: &[Vec3]) -> f64 {
    let sum: f64 = picture
        .iter()
        .zip(truth)
        .map(|(&a, &b)| {
            let difference = a - b;
            f64::from((difference * difference / (b * b + 0.01)).element_sum())
        })
        .sum();
    sum / (3 * truth.len()) as f64
}

fn total(picture: &[Vec3]) -> f64 {
    picture.iter().map(|p| f64::from(p.element_sum())).sum()
}

#[test]
fn error_falls_and_energy_stays() {
    for (share, factor) in [(0.2, 15.0), (0.05, 9.0), (0.02, 5.0)] {
        let picture = scene(128, share, 5);
        let denoised = denoise(&picture.input());
        let before = relative_error(&picture.color, &picture.truth);
        let after = relative_error(&denoised, &picture.truth);
        assert!(
            after * factor < before,
            "share {share}: {before} to {after}"
        );
        let energy = total(&denoised) / total(&picture.truth);
        assert!(
            (energy - 1.0).abs() < 0.01,
            "share {share}: energy {energy}"
        );
    }
}

#[test]
fn edges_that_no_feature_knows_are_kept() {
    let picture = scene(128, 0.2, 9);
    let denoised = denoise(&picture.input());
    // Mean over rows of the mirrored stripes, at the columns on both sides of each edge.
    let column = |pixels: &[Vec3], x: usize| -> f32 {
        (20..48).map(|y| pixels[y * WIDTH + x].y).sum::<f32>() / 28.0
    };
    for edge in (64..84).step_by(4) {
        let contrast = column(&denoised, edge) - column(&denoised, edge - 1);
        let truth = column(&picture.truth, edge) - column(&picture.truth, edge - 1);
        assert!(
            (contrast / truth - 1.0).abs() < 0.06,
            "stripe edge at {edge}: contrast {contrast}, should be {truth}"
        );
    }
    // The soft shadow's middle and the highlight's top.
    let at = |pixels: &[Vec3], x: usize, y: usize| pixels[y * WIDTH + x].y;
    let peak = at(&denoised, 43, 39) / at(&picture.truth, 43, 39);
    assert!(
        (peak - 1.0).abs() < 0.1,
        "highlight {peak} of what it should be"
    );
    let slope = |p: &[Vec3]| (54..60).map(|y| at(p, 27, y) / at(p, 24, y)).sum::<f32>();
    let kept = slope(&denoised) / slope(&picture.truth);
    assert!(
        (kept - 1.0).abs() < 0.15,
        "shadow edge {kept} of what it should be"
    );
}

#[test]
fn picture_without_noise_stays_bit_for_bit() {
    let mut uniform = Uniform(3);
    let values: Vec<Vec3> = (0..40 * 30)
        .map(|_| Vec3::new(uniform.next(), uniform.next() * 1e3, 0.0))
        .collect();
    let picture = Picture::flat((40, 30), |i| values[i], |_| 0.0);
    assert_eq!(denoise(&picture.input()), picture.color);
}

#[test]
fn exact_pixels_stay_bit_for_bit_beside_noisy_ones() {
    let picture = scene(32, 0.1, 11);
    let denoised = denoise(&picture.input());
    let mut exact = 0;
    for i in 0..picture.color.len() {
        if picture.variance[i] == Vec3::ZERO {
            assert_eq!(denoised[i], picture.color[i]);
            exact += 1;
        }
    }
    assert!(exact >= 14 * WIDTH);
    assert_ne!(denoised, picture.color);
}

#[test]
fn constant_picture_with_variance_stays_constant() {
    let value = Vec3::new(0.25, 3.0, 0.001);
    let picture = Picture::flat((50, 20), |_| value, |_| 0.04);
    for pixel in denoise(&picture.input()) {
        assert!(
            ((pixel - value) / value).abs().max_element() < 1e-5,
            "{pixel}"
        );
    }
}

#[test]
fn result_does_not_depend_on_threads_or_instruction_set() {
    let picture = scene(16, 0.1, 2);
    let input = picture.input();
    let reference = denoise_with(&input, &Settings::default(), Isa::Portable);
    let bits = |pixels: &[Vec3]| -> Vec<[u32; 3]> {
        pixels
            .iter()
            .map(|p| p.to_array().map(f32::to_bits))
            .collect()
    };
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let other = pool.install(|| denoise_with(&input, &Settings::default(), isa));
            assert!(
                bits(&other) == bits(&reference),
                "{} with {threads} threads",
                isa.name()
            );
        }
    }
}

#[test]
fn pixels_beyond_reach_are_not_influenced() {
    let picture = scene(32, 0.1, 4);
    let mut changed = picture.clone();
    let (x, y) = (50, 45);
    let at = y * WIDTH + x;
    changed.color[at] = Vec3::splat(30.0);
    changed.variance[at] = Vec3::splat(4.0);
    changed.albedo[at] = Vec3::ZERO;
    changed.normal[at] = Vec3::X;
    let (a, b) = (denoise(&picture.input()), denoise(&changed.input()));
    let reach = Settings::default().reach();
    assert_ne!(a, b);
    for i in 0..a.len() {
        if (i % WIDTH).abs_diff(x) > reach || (i / WIDTH).abs_diff(y) > reach {
            assert_eq!(a[i], b[i], "pixel ({}, {})", i % WIDTH, i / WIDTH);
        }
    }
}

#[test]
fn result_scales_with_radiance() {
    let picture = scene(64, 0.1, 6);
    let mut brighter = picture.clone();
    for (color, variance) in brighter.color.iter_mut().zip(&mut brighter.variance) {
        *color *= 1024.0;
        *variance *= 1024.0 * 1024.0;
    }
    for (a, b) in denoise(&picture.input())
        .iter()
        .zip(denoise(&brighter.input()))
    {
        assert!(
            (*a * 1024.0 - b).abs().max_element() <= 2e-3 * b.max_element().max(1.0),
            "{a} {b}"
        );
    }
}

#[test]
fn wild_values_give_finite_pixels() {
    let wild = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -1.0,
        0.0,
        1e-40,
        f32::MAX,
        0.5,
    ];
    let mut uniform = Uniform(1);
    let mut value = || wild[(uniform.next() * 8.0) as usize];
    let mut picture = Picture::flat((37, 21), |_| Vec3::ZERO, |_| 0.0);
    for i in 0..picture.color.len() {
        picture.color[i] = Vec3::new(value(), value(), value());
        picture.variance[i] = Vec3::new(value(), value(), value());
        picture.albedo[i] = Vec3::new(value(), value(), value());
        picture.normal[i] = Vec3::new(value(), value(), value());
        picture.depth[i] = value();
        picture.feature_variance[i] = Vec3::new(value(), value(), value());
    }
    for (i, pixel) in denoise(&picture.input()).iter().enumerate() {
        assert!(pixel.is_finite(), "pixel {i}: {pixel}");
    }
}

#[test]
fn any_size_works() {
    for size in [(0, 0), (1, 1), (1, 9), (9, 1), (3, 2), (33, 17), (65, 33)] {
        let picture = Picture::flat(size, |i| Vec3::splat(1.0 + (i % 7) as f32 * 0.1), |_| 0.02);
        let denoised = denoise(&picture.input());
        assert_eq!(denoised.len(), size.0 * size.1);
        for pixel in denoised {
            assert!(pixel.cmpge(Vec3::splat(0.99)).all() && pixel.cmple(Vec3::splat(1.61)).all());
        }
    }
}

#[test]
fn noise_of_the_features_does_not_get_into_the_picture() {
    // A surface seen past alpha: each sample meets it or what is behind, so that features are as noisy
    // as the colour, and their noise is the colour's.
    let (width, height) = (48, 40);
    let mut uniform = Uniform(8);
    let mut picture = Picture::flat((width, height), |_| Vec3::splat(0.55), |_| 0.0);
    for i in 0..width * height {
        let met = (0..128).filter(|_| uniform.next() < 0.5).count() as f32 / 128.0;
        let variance = met * (1.0 - met) / 127.0;
        picture.color[i] = Vec3::splat(0.1 + 0.9 * met);
        picture.variance[i] = Vec3::splat(0.81 * variance);
        picture.albedo[i] = Vec3::splat(met);
        picture.normal[i] = Vec3::Z * met;
        picture.depth[i] = 4.0 * met;
        picture.feature_variance[i] = Vec3::new(3.0 * variance, variance, 16.0 * variance);
    }
    let denoised = denoise(&picture.input());
    let before = relative_error(&picture.color, &picture.truth);
    let after = relative_error(&denoised, &picture.truth);
    assert!(after * 2.5 < before, "relMSE {before} to {after}");
}

#[test]
fn a_clean_sky_stays_as_it_is_and_nothing_else_is_changed_by_that() {
    let mut uniform = Uniform(5);
    let horizon = 30;
    let is_sky = |i: usize| i / WIDTH < horizon;
    // Standard deviations of 0.3 % in the sky and on a strip of ground, 20 % on the rest.
    let deviation = |i: usize| if i / WIDTH < horizon + 20 { 0.003 } else { 0.2 };
    let mut picture = Picture::flat(
        (WIDTH, HEIGHT),
        |_| Vec3::ONE,
        |i| deviation(i) * deviation(i),
    );
    for (i, color) in picture.color.iter_mut().enumerate() {
        *color += 3.4 * deviation(i) * (uniform.next() - 0.5);
    }
    for i in (0..WIDTH * HEIGHT).filter(|i| is_sky(*i)) {
        (picture.albedo[i], picture.normal[i], picture.depth[i]) = (Vec3::ZERO, Vec3::ZERO, 0.0);
    }
    let isa = Isa::detect().unwrap();
    let ours = denoise(&picture.input());
    let all = Settings {
        invisible: 0.0,
        ..Settings::default()
    };
    let all = denoise_with(&picture.input(), &all, isa);
    for i in 0..WIDTH * HEIGHT {
        let expected = if is_sky(i) { picture.color[i] } else { all[i] };
        assert_eq!(ours[i], expected, "pixel {} {}", i % WIDTH, i / WIDTH);
        assert!(
            is_sky(i) || ours[i] != picture.color[i],
            "{i} is not denoised"
        );
    }
}
