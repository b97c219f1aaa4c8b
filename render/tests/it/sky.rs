//! Pixels of the sky get few samples: the laws of a pair hold, and the picture stays what it is.

use std::sync::Arc;

use diorama_assets::{AlphaMode, EnvironmentMap, Image, Material, Pixels};
use diorama_synth::frame::Frame;
use diorama_synth::shot::Role;
use glam::{DVec3, Vec3};

use crate::scenes::{Scene, at, look, matte, sphere};

const SIZE: [u32; 2] = [64, 40];
const SAMPLES: u32 = 24;
/// What a pixel of nothing but sky gets.
const FEW: u64 = 8;

/// A ball, object 1, before a sky of `width` × `width` / 2 texels; the camera sees no ground.
fn scene(width: u32) -> Scene {
    let camera = look(Vec3::new(0.0, -6.0, 0.0), Vec3::ZERO);
    let mut scene = Scene::new(SIZE, camera, [1.0; 3]);
    let texel = |i: u32| {
        let (x, y) = (i % width, i / width);
        let stripe = libm::sinf(x as f32 * 40.0 / width as f32 + y as f32 * 20.0 / width as f32);
        [1.0 + 0.5 * stripe, 0.7, 1.0 - 0.5 * stripe]
    };
    let map = EnvironmentMap {
        image: Image {
            name: "sky".into(),
            width,
            height: width / 2,
            pixels: Pixels::RgbF32((0..width * width / 2).map(texel).collect()),
        },
        sun: None,
        description: "a sky".into(),
        night: false,
    };
    scene
        .assets
        .environments
        .insert("sky".into(), Arc::new(map));
    scene.shot.environment.asset = Some("sky".into());
    let pose = at(0.4, 0.0, 0.2);
    scene.add(
        "ball",
        sphere(),
        matte([0.6; 3]),
        Vec3::ONE,
        pose,
        Role::Remove,
    );
    scene
}

fn mean(frame: &Frame) -> f64 {
    let data = &frame.worlds[0].radiance.data;
    let sum: DVec3 = data.iter().map(|c| c.as_dvec3()).sum();
    sum.element_sum() / (3 * data.len()) as f64
}

#[test]
fn a_pair_keeps_its_laws_where_one_world_sees_the_sky_alone() {
    let mut scene = scene(64);
    scene.world_without("removed", &[1]);
    let pair = scene.render(SAMPLES);
    for (world, image) in pair.worlds.iter().enumerate() {
        let mut alone = self::scene(64);
        alone.shot = scene.shot.only_world(world);
        let alone = alone.render(SAMPLES);
        assert!(
            image.radiance.data == alone.worlds[0].radiance.data,
            "world {world} is not the picture that it is alone"
        );
    }
    let [full, without] = &pair.worlds[..] else {
        panic!("two worlds")
    };
    let touched = &without.touched.data;
    for (pixel, touched) in touched.iter().enumerate() {
        let same = full.radiance.data[pixel] == without.radiance.data[pixel];
        assert!(same || *touched == 1, "pixel {pixel} differs untouched");
    }
    assert!(touched.contains(&0) && touched.contains(&1));
}

#[test]
fn a_ball_of_alpha_zero_before_the_sky_is_not_there() {
    let (mut ghost, mut absent) = (scene(64), scene(64));
    let ball = &mut ghost.shot.objects[0];
    ball.materials = vec![Material {
        alpha: 0.0,
        alpha_mode: AlphaMode::Blend,
        ..matte([0.6; 3])
    }];
    absent.shot.objects.clear();
    let (ghost, absent) = (ghost.render(SAMPLES), absent.render(SAMPLES));
    assert!(ghost.worlds[0].radiance.data == absent.worlds[0].radiance.data);
    assert_eq!(ghost.rays, absent.rays);
}

#[test]
fn an_enlarged_sky_costs_few_samples_and_looks_the_same() {
    let pixels = u64::from(SIZE[0] * SIZE[1]);
    let empty = |width: u32, samples: u32| {
        let mut scene = scene(width);
        scene.shot.objects.clear();
        scene.render(samples)
    };
    let few = empty(64, SAMPLES);
    assert_eq!(few.rays, FEW * pixels);
    // Texels as small as pixels: any sample may find something new.
    let fine = empty(1024, SAMPLES);
    assert_eq!(fine.rays, u64::from(SAMPLES) * pixels);
    let (few, fine) = (mean(&few), mean(&fine));
    assert!((few / fine - 1.0).abs() < 0.01, "{few} {fine}");
    // Around the ball, block by block, all samples are taken.
    let with_ball = scene(64).render(SAMPLES).rays;
    assert!(
        with_ball > 12 * pixels && with_ball < 40 * pixels,
        "{with_ball} rays for {pixels} pixels"
    );
}
