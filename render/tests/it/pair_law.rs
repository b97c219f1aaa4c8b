//! The pictures of a pair are what separate renders would give, bit for bit.

use diorama_render::accel::{Isa, Kernel, Simd8};
use diorama_render::integrator::worlds::{Batch, WorldTracer};
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;
use glam::Vec3;

use crate::scenes::{Scene, pair_scene};

const SIZE: [u32; 2] = [48, 32];
/// Mirror, glass, lamp, cut-out: each removed alone, and two together.
const REMOVED: [&[u32]; 5] = [&[2], &[3], &[4], &[5], &[3, 4]];

fn bits(image: &[Vec3]) -> Vec<[u32; 3]> {
    image
        .iter()
        .map(|c| [c.x.to_bits(), c.y.to_bits(), c.z.to_bits()])
        .collect()
}

fn render_only(scene: &Scene, world: usize, samples: u32) -> Frame {
    let plain = scene.shot.only_world(world);
    let settings = RenderSettings {
        samples,
        ..RenderSettings::default()
    };
    Renderer::new(&plain, &scene.assets, settings)
        .unwrap()
        .render_frame(0)
        .unwrap()
}

#[test]
fn both_pictures_equal_plain_renders_bit_for_bit() {
    for removed in REMOVED {
        let scene = pair_scene(SIZE, removed);
        let pair = scene.render(8);
        // A removed lamp is drawn by itself in the pair and among all lights in a plain render of the
        // full world: that picture is then equal in the mean only.
        let worlds = if removed.contains(&4) { 1..2 } else { 0..2 };
        for world in worlds {
            let plain = render_only(&scene, world, 8);
            assert!(
                bits(&pair.worlds[world].radiance.data) == bits(&plain.worlds[0].radiance.data),
                "removed {removed:?}, world {world}"
            );
            assert_eq!(pair.instance_of_world[world], plain.labels.instance);
        }
    }
}

#[test]
fn untouched_pixels_are_equal_and_every_difference_is_touched() {
    for removed in REMOVED {
        let pair = pair_scene(SIZE, removed).render(8);
        let [full, without] = &pair.worlds[..] else {
            panic!("two worlds")
        };
        let mut differing = 0;
        for (i, touched) in without.touched.data.iter().enumerate() {
            let same = full.radiance.data[i] == without.radiance.data[i];
            assert!(
                same || *touched == 1,
                "pixel {i} differs untouched, removed {removed:?}"
            );
            differing += u32::from(!same);
        }
        assert!(differing > 20, "nothing changed when {removed:?} went");
    }
}

/// The referee's mean over a pixel's samples, in sample order.
struct Referee<'a>(&'a WorldTracer<'a>, u32, u32, u32);

impl Kernel for Referee<'_> {
    type Output = (Vec<Vec3>, Vec<Vec3>);
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let Self(tracer, world, column, row) = self;
        let mut batch = Batch::new(tracer.scene.world_count);
        let pixel = tracer.pixel(column, row);
        let worlds = tracer.scene.all_worlds();
        let asked = [(pixel, 0..tracer.settings.samples)];
        tracer.trace(simd, &asked, worlds, &mut batch);
        batch
            .samples()
            .zip(0..)
            .map(|(found, s)| {
                (
                    found[world as usize].radiance,
                    tracer.referee(simd, world, column, row, s),
                )
            })
            .unzip()
    }
}

#[test]
fn the_world_tracer_agrees_with_the_referee_sample_by_sample() {
    for removed in REMOVED {
        let mut scene = pair_scene(SIZE, removed);
        scene.world_without("second", &[2, 5]);
        let renderer = scene.renderer(4);
        let frame_scene = renderer.frame_scene(0);
        let tracer = renderer.tracer(&frame_scene, 0);
        for world in 0..3 {
            for row in (0..SIZE[1]).step_by(3) {
                for column in (0..SIZE[0]).step_by(3) {
                    let (ours, referee) = Isa::detect()
                        .unwrap()
                        .dispatch(Referee(&tracer, world, column, row));
                    assert!(
                        bits(&ours) == bits(&referee),
                        "world {world}, pixel {column} {row}: {ours:?} {referee:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_object_of_alpha_zero_is_not_there() {
    let mut scene = pair_scene(SIZE, &[4]);
    let mut ghost = scene.shot.clone();
    for (name, slot) in [("lamp", 3usize), ("mirror", 1)] {
        let model = &scene.assets.models[name];
        let mut material = model.materials[0].clone();
        material.alpha = 0.0;
        material.alpha_mode = diorama_assets::AlphaMode::Blend;
        ghost.objects[slot].materials = vec![material];
    }
    scene.shot.objects.retain(|o| o.id != 2 && o.id != 4);
    let absent = scene.render(8);
    let settings = RenderSettings {
        samples: 8,
        ..RenderSettings::default()
    };
    let invisible = Renderer::new(&ghost, &scene.assets, settings)
        .unwrap()
        .render_frame(0)
        .unwrap();
    // A lamp of alpha 0 still is in the list of lights; it must neither shine nor take samples from others.
    assert!(bits(&absent.worlds[1].radiance.data) == bits(&invisible.worlds[1].radiance.data));
    assert!(bits(&absent.worlds[0].radiance.data) == bits(&invisible.worlds[0].radiance.data));
}

#[test]
fn threads_and_instruction_sets_change_nothing() {
    let scene = pair_scene(SIZE, &[3]);
    let reference = scene.render(4);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| scene.render(4)).worlds, reference.worlds);
    }
    // Other instruction sets run in processes of their own: see the end-to-end tests.
}
