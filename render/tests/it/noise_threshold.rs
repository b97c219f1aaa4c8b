//! Pixels that stop when their surroundings are clean enough: less work, the same laws, the same mean.

use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;
use diorama_synth::shot::Shot;
use glam::DVec3;

use crate::scenes::{Scene, pair_scene};

const SIZE: [u32; 2] = [44, 30];
const SAMPLES: u32 = 128;
const THRESHOLD: f32 = 0.035;

fn render(scene: &Scene, shot: &Shot, noise_threshold: f32) -> Frame {
    let settings = RenderSettings {
        samples: SAMPLES,
        noise_threshold,
        // As recipes do: without it caustics of a small lamp hide a percent.
        clamp_indirect: 10.0,
        ..RenderSettings::default()
    };
    Renderer::new(shot, &scene.assets, settings)
        .unwrap()
        .render_frame(0)
        .unwrap()
}

#[test]
fn the_laws_of_a_pair_hold_and_work_is_saved() {
    for removed in [&[2][..], &[3], &[5]] {
        let scene = pair_scene(SIZE, removed);
        let pair = render(&scene, &scene.shot, THRESHOLD);
        for (world, image) in pair.worlds.iter().enumerate() {
            let alone = render(&scene, &scene.shot.only_world(world), THRESHOLD);
            assert!(
                image.radiance.data == alone.worlds[0].radiance.data,
                "removed {removed:?}, world {world}: not the picture that it is alone"
            );
        }
        let [full, without] = &pair.worlds[..] else {
            panic!("two worlds")
        };
        let touched = &without.touched.data;
        for (pixel, touched) in touched.iter().enumerate() {
            assert!(
                full.radiance.data[pixel] == without.radiance.data[pixel] || *touched == 1,
                "pixel {pixel} differs untouched, removed {removed:?}"
            );
        }
        assert!(touched.contains(&0), "every pixel is touched");
        let all = render(&scene, &scene.shot, 0.0);
        let share = pair.rays as f64 / all.rays as f64;
        assert!(
            (0.15..0.9).contains(&share),
            "{share} of the rays, removed {removed:?}"
        );
    }
}

/// Mean and variance of the mean over runs of the picture's mean radiance less that of all samples.
fn excess(scene: &Scene, runs: u64, threshold: f32) -> (f64, f64, f64) {
    let mean = |frame: &Frame| {
        let data = &frame.worlds[0].radiance.data;
        let sum: DVec3 = data.iter().map(|c| c.as_dvec3()).sum();
        sum.element_sum() / (3 * data.len()) as f64
    };
    let (differences, means): (Vec<f64>, Vec<f64>) = (0..runs)
        .map(|seed| {
            let mut shot = scene.shot.only_world(0);
            shot.seed = seed;
            // The same random numbers: what the two share is no part of the difference.
            let all = mean(&render(scene, &shot, 0.0));
            (mean(&render(scene, &shot, threshold)) - all, all)
        })
        .unzip();
    let n = runs as f64;
    let average = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences
        .iter()
        .map(|d| (d - average) * (d - average))
        .sum();
    (
        average,
        squares / (n - 1.0) / n,
        means.iter().sum::<f64>() / n,
    )
}

#[test]
fn stopping_early_does_not_change_the_mean() {
    // Mirror, glass and a small lamp: rare bright samples, which a rule that looks at a pixel's own
    // samples would lose.
    let scene = pair_scene(SIZE, &[2]);
    let (excess, variance, mean) = excess(&scene, 48, THRESHOLD);
    let z = |excess: f64| excess / variance.sqrt();
    // 1 % two-sided, Student's t with 47 degrees of freedom.
    let limit = 2.685;
    assert!(
        z(excess).abs() < limit,
        "mean off by {} of itself, z = {}",
        excess / mean,
        z(excess)
    );
    for planted in [0.01, -0.01] {
        assert!(
            z(excess + planted * mean).abs() > limit,
            "{} would not be seen: deviation {} of the mean",
            planted,
            variance.sqrt() / mean
        );
    }
}
