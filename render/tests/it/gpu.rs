//! The GPU against the CPU, on whatever Vulkan device there is (lavapipe in the checks). Without one each
//! test says so and passes.

use std::sync::{Arc, OnceLock};

use diorama_assets::{
    AlphaMode, AssetSource, EnvironmentMap, Image, Library, Material, Pixels, TextureRef,
};
use diorama_render::gpu::{Adapters, Gpu, GpuError, self_test};
use diorama_render::{RenderError, RenderSettings, Renderer};
use diorama_synth::draw::{Measurements, RemovedSet, draw_shot};
use diorama_synth::frame::{Frame, Plane};
use diorama_synth::physics::PieceStore;
use diorama_synth::recipe::RemovalRecipe;
use diorama_synth::shot::{Light, LightKind, Pose, Role, Shot, Track, WorldSet};
use glam::{DVec3, Quat, Vec3};

use crate::bodies::bent_scene;
use crate::known_answers;
use crate::scenes::{Scene, at, look, matte, pair_scene, sphere, square};

/// Largest difference of the mean of a channel, as a share of it.
const MEAN: f64 = 1e-3;
/// Share of pixels that may differ by more than a hundredth: paths that a rounding sends elsewhere.
const STRAYED: f64 = 0.02;

/// Largest difference of the number of rays, as a share of it: both take as many samples.
const RAYS: f64 = 2e-3;

/// Standard deviations within which a pixel's difference is noise.
const Z: f64 = 3.0;
/// Share of pixels that may be further off: single paths that a rounding sends to a light.
const BEYOND_NOISE: f64 = 2e-3;

/// The first device, a processor in disguise too; `None`, said, where there is none.
#[expect(clippy::print_stderr, reason = "skipped tests must be seen")]
fn gpu() -> Option<Arc<Gpu>> {
    static GPU: OnceLock<Option<Arc<Gpu>>> = OnceLock::new();
    let found = GPU.get_or_init(|| {
        let adapters = Adapters::find();
        let name = adapters.list().next()?.name.clone();
        Some(Gpu::open_of(&adapters, Some(&name)).unwrap())
    });
    if found.is_none() {
        eprintln!("skipped: no Vulkan device on this machine");
    }
    found.clone()
}

fn render(scene: &Scene, samples: u32, gpu: Option<Arc<Gpu>>) -> Frame {
    render_shot(&scene.shot, &scene.assets, &of_samples(samples), gpu)
}

fn of_samples(samples: u32) -> RenderSettings {
    RenderSettings {
        samples,
        ..RenderSettings::default()
    }
}

fn render_shot(
    shot: &Shot,
    assets: &dyn AssetSource,
    settings: &RenderSettings,
    gpu: Option<Arc<Gpu>>,
) -> Frame {
    let settings = RenderSettings {
        gpu,
        ..settings.clone()
    };
    Renderer::new(shot, assets, settings)
        .unwrap()
        .render_frame(0)
        .unwrap()
}

fn mean(radiance: &[Vec3]) -> DVec3 {
    radiance.iter().map(|c| c.as_dvec3()).sum::<DVec3>() / radiance.len() as f64
}

/// Renders on both with the same samples and compares everything.
fn compare(name: &str, scene: &Scene, samples: u32) {
    compare_shot(name, &scene.shot, &scene.assets, &of_samples(samples));
}

fn compare_shot(name: &str, shot: &Shot, assets: &dyn AssetSource, settings: &RenderSettings) {
    let Some(gpu) = gpu() else { return };
    let on_cpu = render_shot(shot, assets, settings, None);
    let on_gpu = render_shot(shot, assets, settings, Some(gpu));
    let rays = on_gpu.rays as f64 / on_cpu.rays as f64;
    assert!((rays - 1.0).abs() < RAYS, "{name}: {rays} of the rays");
    assert!(
        on_cpu.labels.instance == on_gpu.labels.instance,
        "{name}: ids"
    );
    assert!(
        on_cpu.instance_of_world == on_gpu.instance_of_world,
        "{name}: ids"
    );
    assert_eq!(on_cpu.worlds.len(), on_gpu.worlds.len());
    // What another seed changes: the noise, which a difference of backends must stay far below.
    let other = Shot {
        seed: shot.seed ^ 0x5eed,
        ..shot.clone()
    };
    let other = render_shot(&other, assets, settings, None);
    let worlds = on_cpu.worlds.iter().zip(&on_gpu.worlds);
    for (world, ((ours, theirs), other)) in worlds.zip(&other.worlds).enumerate() {
        let (a, b) = (&ours.radiance.data, &theirs.radiance.data);
        let off = ((mean(b) - mean(a)) / mean(a)).abs().max_element();
        assert!(
            off < MEAN,
            "{name}, world {world}: mean {} instead of {}",
            mean(b),
            mean(a)
        );
        let strayed = a.iter().zip(b).filter(|(a, b)| {
            let difference = (**a - **b).abs().max_element();
            difference.is_nan() || difference > 0.01 * a.max_element() + 1e-6
        });
        let strayed = strayed.count() as f64 / a.len() as f64;
        assert!(
            strayed <= STRAYED,
            "{name}, world {world}: {strayed} strayed"
        );
        let far = beyond_noise(&ours.radiance, &theirs.radiance, &other.radiance);
        assert!(
            far <= BEYOND_NOISE,
            "{name}, world {world}: {far} beyond the noise"
        );
        let touched = ours.touched.data.iter().zip(&theirs.touched.data);
        let differing = touched.filter(|(a, b)| a != b).count();
        assert!(
            differing as f64 <= STRAYED * a.len() as f64,
            "{name}: {differing} touched pixels differ"
        );
    }
    let covered = on_cpu.coverage.data.iter().zip(&on_gpu.coverage.data);
    let differing = covered.filter(|(a, b)| a != b).count();
    assert!(
        differing as f64 <= STRAYED * on_cpu.coverage.data.len() as f64,
        "{name}: coverage of {differing} pixels differs"
    );
}

/// Share of pixels in which two pictures differ by more than [`Z`] standard deviations of a pixel's noise,
/// as a third picture with other random numbers shows it around the pixel.
fn beyond_noise(a: &Plane<Vec3>, b: &Plane<Vec3>, other: &Plane<Vec3>) -> f64 {
    let (width, height) = (a.width as usize, a.height as usize);
    let brightness = |plane: &Plane<Vec3>, i: usize| f64::from(plane.data[i].element_sum());
    let mut far = 0;
    for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
        let (mut variance, mut count) = (0.0, 0.0);
        for y in row.saturating_sub(2)..(row + 3).min(height) {
            for x in column.saturating_sub(2)..(column + 3).min(width) {
                let i = y * width + x;
                let difference = brightness(a, i) - brightness(other, i);
                variance += 0.5 * difference * difference;
                count += 1.0;
            }
        }
        let i = row * width + column;
        let difference = (brightness(a, i) - brightness(b, i)).abs();
        let roundings = 1e-4 * brightness(a, i);
        far += usize::from(difference > Z * (variance / count).sqrt() + roundings);
    }
    far as f64 / a.data.len() as f64
}

#[test]
fn pairs_are_the_cpus_whatever_is_removed() {
    for removed in [&[2][..], &[3], &[4], &[5], &[3, 4]] {
        compare(
            &format!("{removed:?} removed"),
            &pair_scene([40, 28], removed),
            16,
        );
    }
}

#[test]
fn untouched_pixels_of_a_pair_are_equal_bit_for_bit() {
    let Some(gpu) = gpu() else { return };
    let pair = render(&pair_scene([40, 28], &[2]), 8, Some(gpu));
    let [full, without] = &pair.worlds[..] else {
        panic!("two worlds")
    };
    let mut differing = 0;
    for (i, touched) in without.touched.data.iter().enumerate() {
        let same = full.radiance.data[i] == without.radiance.data[i];
        assert!(same || *touched == 1, "pixel {i} differs untouched");
        differing += u32::from(!same);
    }
    assert!(differing > 20);
}

#[test]
fn the_same_device_gives_the_same_bytes() {
    let Some(gpu) = gpu() else { return };
    let mut scene = pair_scene([40, 28], &[3]);
    scene.world_without("second", &[2, 5]);
    let first = render(&scene, 8, Some(gpu.clone()));
    assert!(first == render(&scene, 8, Some(gpu)));
}

#[test]
fn more_worlds_than_two_are_the_cpus() {
    let mut scene = pair_scene([32, 24], &[3]);
    scene.world_without("second", &[2, 5]);
    scene.world_without("third", &[2, 3, 4, 5]);
    compare("four worlds", &scene, 8);
}

/// Balls of a material in a row over a floor, under sun and sky.
fn balls(materials: Vec<Material>) -> Scene {
    let mut scene = Scene::new(
        [48, 24],
        look(Vec3::new(0.0, -9.0, 3.5), Vec3::new(0.0, 0.0, 0.6)),
        [0.5, 0.6, 0.8],
    );
    scene.sun(Vec3::new(0.5, 0.6, -0.8), 3.0, 0.05);
    let floor = matte([0.4, 0.5, 0.4]);
    scene.add(
        "floor",
        square(),
        floor,
        Vec3::splat(20.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    let count = materials.len() as f32;
    for (i, material) in materials.into_iter().enumerate() {
        let x = (i as f32 - 0.5 * (count - 1.0)) * 1.6;
        scene.add(
            &format!("ball{i}"),
            sphere(),
            material,
            Vec3::splat(0.75),
            at(x, 0.0, 0.75),
            Role::Keep,
        );
    }
    scene
}

#[test]
fn all_kinds_of_surfaces_are_the_cpus() {
    let base = Material {
        base_color: [0.8, 0.5, 0.3],
        ..Material::default()
    };
    let opaque = vec![
        Material {
            coat: 0.8,
            coat_roughness: 0.1,
            coat_tint: [0.9, 0.7, 0.7],
            ..base.clone()
        },
        Material {
            sheen: 1.0,
            sheen_tint: [0.3, 0.8, 0.5],
            ..base.clone()
        },
        Material {
            metallic: 1.0,
            roughness: 0.35,
            specular_tint: [0.8, 0.9, 1.0],
            ..base.clone()
        },
        Material {
            metallic: 0.5,
            specular: 0.9,
            roughness: 0.6,
            ..base.clone()
        },
        Material {
            diffuse_transmission: 0.6,
            ..base.clone()
        },
    ];
    compare("opaque", &balls(opaque), 16);
    let clear = vec![
        Material {
            transmission: 1.0,
            roughness: 0.0,
            ..base.clone()
        },
        Material {
            transmission: 1.0,
            roughness: 0.3,
            attenuation_color: [0.5, 0.9, 0.6],
            attenuation_distance: 0.7,
            ..base.clone()
        },
        Material {
            transmission: 1.0,
            roughness: 0.1,
            transmission_roughness: Some(0.5),
            ..base.clone()
        },
        Material {
            transmission: 0.7,
            thin_walled: true,
            roughness: 0.2,
            ..base.clone()
        },
        Material {
            alpha: 0.5,
            alpha_mode: AlphaMode::Blend,
            ..base
        },
    ];
    compare("clear", &balls(clear), 16);
}

#[test]
fn all_kinds_of_lights_are_the_cpus() {
    let mut scene = balls(vec![
        Material::default(),
        Material {
            roughness: 0.1,
            ..Material::default()
        },
    ]);
    scene.shot.environment.color = [0.05; 3];
    let down = |x: f32, y: f32, z: f32| Pose {
        position: Vec3::new(x, y, z),
        rotation: Quat::from_rotation_x(0.3),
    };
    let kinds = [
        LightKind::Point {
            watts: [60.0; 3],
            radius: 0.0,
        },
        LightKind::Point {
            watts: [80.0, 40.0, 20.0],
            radius: 0.4,
        },
        LightKind::Spot {
            watts: [200.0; 3],
            radius: 0.1,
            outer_half_angle_rad: 0.5,
            blend: 0.3,
        },
        LightKind::Area {
            watts: [50.0, 60.0, 90.0],
            size: [1.0, 0.5],
        },
    ];
    for (i, kind) in kinds.into_iter().enumerate() {
        scene.shot.lights.push(Light {
            name: format!("light{i}"),
            worlds: WorldSet::ALL,
            kind,
            pose: Track::Constant(down(i as f32 - 1.5, -1.0, 3.0)),
        });
    }
    compare("lights", &scene, 32);
}

/// For pictures of too few pixels to count those that stray: ids and means.
fn compare_means(name: &str, scene: &Scene, samples: u32) {
    let Some(gpu) = gpu() else { return };
    let on_cpu = render(scene, samples, None);
    let on_gpu = render(scene, samples, Some(gpu));
    assert!(
        on_cpu.labels.instance == on_gpu.labels.instance,
        "{name}: ids"
    );
    let [a, b] = [&on_cpu, &on_gpu].map(|frame| mean(&frame.worlds[0].radiance.data));
    let off = ((b - a) / a).abs().max_element();
    assert!(off < MEAN, "{name}: mean {b} instead of {a}");
}

#[test]
fn scenes_with_known_answers_are_the_cpus() {
    for (name, scene, samples) in known_answers::scenes() {
        compare_means(name, &scene, samples);
    }
}

#[test]
#[ignore = "slow on a processor in disguise: a program for each of a dozen materials"]
fn white_balls_in_a_furnace_are_the_cpus() {
    for (name, scene, _) in known_answers::white_balls() {
        compare_means(name, &scene, 64);
    }
}

#[test]
fn textures_and_normal_maps_are_the_cpus() {
    let textured = Material {
        base_color_texture: Some(TextureRef::of(0)),
        metallic_roughness_texture: Some(TextureRef {
            matrix: [3.0, 0.5, 0.0, 2.0],
            ..TextureRef::of(0)
        }),
        normal_texture: Some(TextureRef::of(0)),
        metallic: 0.6,
        ..Material::default()
    };
    let mut scene = balls(vec![textured]);
    let pixels = (0..64u32)
        .map(|i| {
            [
                100 + (i * 37 % 80) as u8,
                110 + (i * 11 % 60) as u8,
                230,
                255,
            ]
        })
        .collect();
    scene.texture("ball0", 8, 8, pixels);
    compare("textures", &scene, 16);
}

#[test]
fn motion_blur_and_depth_of_field_are_the_cpus() {
    let mut scene = pair_scene([40, 28], &[2]);
    scene.shot.frame_count = 2;
    scene.shot.cameras[0].shutter = 0.8;
    if let Track::Constant(lens) = &mut scene.shot.cameras[0].lens {
        lens.aperture_radius = 0.1;
        lens.focus_distance = 7.0;
    }
    let moves = |from: Pose| {
        let mut to = from;
        to.position += Vec3::new(0.5, 0.1, 0.2);
        to.rotation = Quat::from_rotation_z(0.4) * to.rotation;
        to
    };
    let object = &mut scene.shot.objects[1];
    let Track::Constant(from) = object.pose else {
        panic!("a still object")
    };
    object.pose = Track::PerFrame(vec![from, from, moves(from), moves(moves(from))]);
    compare("motion", &scene, 16);
}

#[test]
fn bodies_are_the_cpus_still_and_blurred() {
    for shutter in [0.0, 1.0] {
        let scene = bent_scene(shutter);
        compare(&format!("body, shutter {shutter}"), &scene, 24);
    }
}

#[test]
fn every_frame_of_a_body_has_its_own_pose() {
    let Some(gpu) = gpu() else { return };
    let scene = bent_scene(0.0);
    let renderer = |gpu| {
        let settings = RenderSettings {
            samples: 16,
            gpu,
            ..RenderSettings::default()
        };
        Renderer::new(&scene.shot, &scene.assets, settings).unwrap()
    };
    let (on_cpu, on_gpu) = (renderer(None), renderer(Some(gpu)));
    let frame = |renderer: &Renderer, index| {
        let mut frame = renderer.render_frame(index).unwrap();
        frame.worlds.remove(0).radiance
    };
    // Back and forth: nothing of another frame stays.
    let mut before = None;
    for index in [0, 1, 0] {
        let (ours, theirs) = (frame(&on_cpu, index), frame(&on_gpu, index));
        let strayed = |other: &Plane<Vec3>| {
            let pairs = ours.data.iter().zip(&other.data);
            let off = pairs.filter(|(a, b)| (**a - **b).abs().max_element() > 0.01);
            off.count() as f64 / ours.data.len() as f64
        };
        assert!(
            strayed(&theirs) <= STRAYED,
            "frame {index}: {}",
            strayed(&theirs)
        );
        assert!(before.is_none_or(|before| strayed(&before) > STRAYED));
        before = Some(theirs);
    }
}

#[test]
fn a_noise_threshold_and_an_enlarged_sky_ask_for_as_many_samples() {
    let scene = pair_scene([48, 32], &[3]);
    for noise_threshold in [0.0, 0.1] {
        let settings = RenderSettings {
            noise_threshold,
            ..of_samples(64)
        };
        let name = format!("noise threshold {noise_threshold}");
        compare_shot(&name, &scene.shot, &scene.assets, &settings);
    }
}

#[test]
fn environment_maps_are_the_cpus() {
    let mut scene = balls(vec![
        Material::default(),
        Material {
            metallic: 1.0,
            roughness: 0.05,
            ..Material::default()
        },
    ]);
    scene.shot.lights.clear();
    // A dim sky with a small bright window, of more than a byte's range.
    let (width, height) = (64, 32);
    let pixels = (0..width * height)
        .map(|i| {
            let (x, y) = (i % width, i / width);
            let window = (20..24).contains(&x) && (6..9).contains(&y);
            let sky = 0.2 + 0.3 * y as f32 / height as f32;
            if window {
                [900.0, 700.0, 400.0]
            } else {
                [sky, sky, 1.5 * sky]
            }
        })
        .collect();
    let map = EnvironmentMap {
        image: Image {
            name: "window".into(),
            width,
            height,
            pixels: Pixels::RgbF32(pixels),
        },
        sun: None,
        description: String::new(),
        night: false,
    };
    scene
        .assets
        .environments
        .insert("window".into(), Arc::new(map));
    let environment = &mut scene.shot.environment;
    environment.asset = Some("window".into());
    environment.color = [1.0; 3];
    environment.rotation_rad = 0.7;
    compare("environment map", &scene, 16);
}

/// The first frame of a removal sample, as small as it can be.
fn compare_removal(seed: u64) {
    let (library, _) = Library::open(&[]).unwrap();
    let recipe = RemovalRecipe {
        video_length: 5,
        width: 48,
        height: 32,
        // The underside of a mirror lies in the floor's plane, and which of the two is met first is a matter
        // of the last bit: nobody may look through to it.
        range_material_alpha: [1.0, 1.0],
        ..RemovalRecipe::default()
    };
    let mut seen = |shot: &Shot| {
        let removed = shot.worlds.iter().filter(|w| w.name.starts_with("removed"));
        let removed = removed.map(|world| RemovedSet {
            area: vec![0.1],
            objects: vec![vec![0.1]; world.removed.len()],
        });
        Ok(Measurements {
            removed: removed.collect(),
            brightness: None,
        })
    };
    let pieces = PieceStore::default();
    let shot = draw_shot(&recipe, seed, "000000", &library, &pieces, &mut seen).unwrap();
    compare_shot(&format!("removal {seed}"), &shot, &library, &of_samples(16));
}

#[test]
fn a_removal_sample_is_the_cpus() {
    compare_removal(0);
}

#[test]
#[ignore = "slow on a processor in disguise: four programs to compile"]
fn further_removal_samples_are_the_cpus() {
    (1..5).for_each(compare_removal);
}

#[test]
fn gpus_that_are_not_there_are_named() {
    let adapters = Adapters::find();
    let error = Gpu::open_of(&adapters, Some("no such GPU")).unwrap_err();
    assert!(error.hint().is_some());
    match adapters.list().next() {
        Some(first) => assert!(error.to_string().contains(&first.name), "{error}"),
        None => assert!(matches!(error, GpuError::NoLoader | GpuError::NoAdapter)),
    }
    let wrapped = RenderError::from(error);
    assert!(wrapped.hint().is_some());
}

#[test]
fn a_device_passes_the_self_test() {
    let Some(gpu) = gpu() else { return };
    self_test(&gpu).unwrap();
}
