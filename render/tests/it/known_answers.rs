//! Scenes whose radiance is known in closed form.

use diorama_assets::Material;
use diorama_synth::shot::{Role, Track};
use glam::Vec3;

use crate::scenes::{Scene, at, look, matte, sphere, square};

fn mean(scene: &Scene, samples: u32) -> Vec3 {
    let frame = scene.render(samples);
    let data = &frame.worlds[0].radiance.data;
    data.iter().copied().sum::<Vec3>() / data.len() as f32
}

/// The scenes below but the white balls, with samples enough.
pub(crate) fn scenes() -> Vec<(&'static str, Scene, u32)> {
    vec![
        ("closed furnace", closed_furnace(), 64),
        ("sharp sun", sunlit_floor(0.0), 64),
        ("wide sun", sunlit_floor(0.02), 64),
        ("clear slab", clear_slab(), 1024),
        ("tinted slab", tinted_slab(), 64),
    ]
}

fn closed_furnace() -> Scene {
    let mut scene = Scene::new([10, 10], look(Vec3::ZERO, Vec3::X), [0.0; 3]);
    let wall = Material {
        emission: [0.5; 3],
        ..matte([0.5; 3])
    };
    scene.add(
        "wall",
        sphere(),
        wall,
        Vec3::splat(3.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    scene
}

#[test]
fn closed_furnace_of_albedo_and_emission_one_half_has_radiance_one() {
    let l = mean(&closed_furnace(), 64);
    // The faceted sphere is closed, so the series Σ 0.5·0.5ⁿ to 20 bounces is 1 but for 2⁻²¹.
    assert!((l - Vec3::ONE).abs().max_element() < 0.01, "{l}");
}

/// White balls under a white sky: name, scene, least radiance.
pub(crate) fn white_balls() -> Vec<(&'static str, Scene, f32)> {
    let white = Material {
        base_color: [1.0; 3],
        ..Material::default()
    };
    let cases = [
        // Where smooth normals lean out of their facets some light goes into the ball: 0.0007 of it
        // over twelve seeds.
        ("matte", matte([1.0; 3]), 0.998),
        (
            "plastic",
            Material {
                roughness: 0.3,
                ..white.clone()
            },
            0.97,
        ),
        (
            "rough plastic",
            Material {
                roughness: 1.0,
                ..white.clone()
            },
            0.97,
        ),
        (
            "smooth metal",
            Material {
                metallic: 1.0,
                roughness: 0.0,
                ..white.clone()
            },
            0.995,
        ),
        (
            "metal",
            Material {
                metallic: 1.0,
                roughness: 0.4,
                ..white.clone()
            },
            0.97,
        ),
        (
            "rough metal",
            Material {
                metallic: 1.0,
                roughness: 1.0,
                ..white.clone()
            },
            0.95,
        ),
        (
            "smooth glass",
            Material {
                transmission: 1.0,
                roughness: 0.0,
                ..white.clone()
            },
            0.99,
        ),
        (
            "rough glass",
            Material {
                transmission: 1.0,
                roughness: 0.5,
                ..white.clone()
            },
            0.93,
        ),
        (
            "dense glass",
            Material {
                transmission: 1.0,
                roughness: 0.2,
                ior: 2.4,
                ..white.clone()
            },
            0.93,
        ),
        (
            "own refraction",
            Material {
                transmission: 1.0,
                roughness: 0.1,
                transmission_roughness: Some(0.4),
                ..white.clone()
            },
            0.78,
        ),
        (
            "no step",
            Material {
                transmission: 1.0,
                ior: 1.0,
                roughness: 0.4,
                ..white.clone()
            },
            0.999,
        ),
        (
            "thin glass",
            Material {
                transmission: 1.0,
                thin_walled: true,
                roughness: 0.1,
                ..white.clone()
            },
            0.97,
        ),
        (
            "coat",
            Material {
                coat: 1.0,
                ..white.clone()
            },
            0.9,
        ),
        (
            "sheen",
            Material {
                sheen: 1.0,
                ..white.clone()
            },
            0.9,
        ),
        (
            "paper",
            Material {
                diffuse_transmission: 0.5,
                ..matte([1.0; 3])
            },
            0.99,
        ),
    ];
    let ball = |(name, material, least)| {
        let mut scene = Scene::new(
            [12, 12],
            look(Vec3::new(0.0, -2.2, 0.0), Vec3::ZERO),
            [1.0; 3],
        );
        scene.add(
            "ball",
            sphere(),
            material,
            Vec3::ONE,
            at(0.0, 0.0, 0.0),
            Role::Keep,
        );
        (name, scene, least)
    };
    cases.into_iter().map(ball).collect()
}

#[test]
fn no_material_returns_more_than_it_receives_and_white_ones_lose_little() {
    for (name, scene, least) in white_balls() {
        let l = mean(&scene, 256);
        assert!(
            l.max_element() < 1.012 && l.min_element() > least,
            "{name}: {l}"
        );
    }
}

const SUN: Vec3 = Vec3::new(0.3, 0.4, -1.0);

fn sunlit_floor(angle: f32) -> Scene {
    let mut scene = Scene::new(
        [8, 8],
        look(Vec3::new(0.0, -3.0, 3.0), Vec3::ZERO),
        [0.0; 3],
    );
    scene.add(
        "floor",
        square(),
        matte([0.6; 3]),
        Vec3::splat(50.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    scene.sun(SUN, 5.0, angle);
    scene
}

#[test]
fn matte_plane_under_a_sun_returns_albedo_over_pi_times_irradiance() {
    for angle in [0.0, 0.02] {
        let cos = 1.0 / SUN.length();
        let expected = 0.6 / std::f32::consts::PI * 5.0 * cos;
        let l = mean(&sunlit_floor(angle), 64);
        assert!((l.x / expected - 1.0).abs() < 2e-3, "{l} {expected}");
    }
}

/// A black world with a glowing floor, seen straight from above through a long lens.
fn straight_down() -> Scene {
    let mut scene = Scene::new(
        [4, 4],
        look(Vec3::new(0.0, -0.01, 4.0), Vec3::ZERO),
        [0.0; 3],
    );
    if let Track::Constant(lens) = &mut scene.shot.cameras[0].lens {
        lens.focal_length_mm = 2000.0;
    }
    let glowing = Material {
        emission: [1.0; 3],
        ..matte([0.0; 3])
    };
    scene.add(
        "below",
        square(),
        glowing,
        Vec3::splat(50.0),
        at(0.0, 0.0, -1.0),
        Role::Background,
    );
    scene
}

/// A wide slab of `material`, its top at z = 0; `thickness` in metres.
fn add_slab(scene: &mut Scene, thickness: f32, material: Material) {
    let mut slab = square();
    let below: Vec<Vec3> = slab
        .positions
        .iter()
        .map(|p| *p - Vec3::Z * thickness)
        .collect();
    slab.positions.extend(below);
    slab.uvs.clear();
    slab.triangles.extend([[4, 6, 5], [4, 7, 6]]);
    slab.material_of_triangle = vec![0; 4];
    scene.add(
        "slab",
        slab,
        material,
        Vec3::new(20.0, 20.0, 1.0),
        at(0.0, 0.0, 0.0),
        Role::Keep,
    );
}

fn clear_slab() -> Scene {
    let mut scene = straight_down();
    let glass = Material {
        base_color: [1.0; 3],
        transmission: 1.0,
        roughness: 0.0,
        ior: 1.5,
        ..Material::default()
    };
    add_slab(&mut scene, 0.01, glass);
    scene
}

#[test]
fn smooth_glass_slab_shows_its_fresnel_share_of_the_world_behind() {
    // Two faces with F = 0.04 and all interreflections: T = (1 − F)/(1 + F).
    let expected = 0.96 / 1.04;
    let l = mean(&clear_slab(), 1024);
    assert!((l.x - expected).abs() < 0.01, "{l} {expected}");
}

fn tinted_slab() -> Scene {
    let mut scene = straight_down();
    let tinted = Material {
        base_color: [1.0; 3],
        transmission: 1.0,
        roughness: 0.0,
        ior: 1.0,
        attenuation_color: [0.5, 0.25, 1.0],
        attenuation_distance: 0.2,
        ..Material::default()
    };
    add_slab(&mut scene, 0.1, tinted);
    scene
}

#[test]
fn absorbing_glass_follows_beer() {
    // 0.1 m of the 0.2 m at which the colour is reached: its square root.
    let l = mean(&tinted_slab(), 64);
    assert!(
        (l - Vec3::new(0.5f32.sqrt(), 0.5, 1.0)).abs().max_element() < 0.01,
        "{l}"
    );
}
