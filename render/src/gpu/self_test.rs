//! A small pair of pictures, made on a GPU and on the CPU: a device that gets it wrong is not used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diorama_assets::environment::SunRecord;
use diorama_assets::{InMemoryAssets, Material, Mesh, Model};
use diorama_synth::frame::Frame;
use diorama_synth::shot::{
    Attempts, Camera, Environment, Exposure, Lens, Light, LightKind, Object, Pose, Role,
    SCHEMA_VERSION, Shot, Track, View, World, WorldSet,
};
use glam::{DVec3, Quat, Vec3};

use super::{Gpu, GpuError};
use crate::{RenderSettings, Renderer};

/// Pixels.
const RESOLUTION: [u32; 2] = [24, 16];
/// Enough that every kind of bounce is there.
const SAMPLES: u32 = 16;
/// Largest difference of a mean radiance, as a share of it. Both draw the same numbers, so that only
/// roundings and the few paths that they send elsewhere are left.
const TOLERANCE: f64 = 5e-3;

/// Compares a GPU's picture of a scene with metal, glass, a lamp and a removed object with the CPU's.
///
/// # Errors
/// They differ, or the GPU fails.
pub fn self_test(gpu: &Arc<Gpu>) -> Result<(), GpuError> {
    let fails = |reason: String| GpuError::SelfTest {
        adapter: gpu.adapter().name.clone(),
        reason,
    };
    let on_cpu = render(None).map_err(|error| fails(error.to_string()))?;
    let on_gpu = render(Some(gpu.clone())).map_err(|error| match error {
        crate::RenderError::Gpu(error) => error,
        other => fails(other.to_string()),
    })?;
    for (world, (ours, theirs)) in on_cpu.worlds.iter().zip(&on_gpu.worlds).enumerate() {
        let (ours, theirs) = (mean(&ours.radiance.data), mean(&theirs.radiance.data));
        let off = ((ours - theirs) / ours).abs().max_element();
        if off.is_nan() || off > TOLERANCE {
            return Err(fails(format!(
                "mean radiance of world {world} is {theirs} instead of {ours}"
            )));
        }
    }
    Ok(())
}

/// Rays per second over the self-test's scene, larger: on a GPU, or with `None` on the CPU. Takes
/// `least`, and the time of a frame more.
///
/// # Errors
/// The GPU fails.
pub fn rays_per_second(gpu: Option<Arc<Gpu>>, least: Duration) -> Result<f64, crate::RenderError> {
    let (mut shot, assets) = scene();
    shot.resolution = [160, 112];
    let settings = RenderSettings {
        samples: 4,
        full_labels: false,
        gpu,
        ..RenderSettings::default()
    };
    let renderer = Renderer::new(&shot, &assets, settings)?;
    // The first frame compiles.
    renderer.render_frame(0)?;
    let start = Instant::now();
    let mut rays = 0;
    while start.elapsed() < least {
        rays += renderer.render_frame(0)?.rays;
    }
    Ok(rays as f64 / start.elapsed().as_secs_f64())
}

fn mean(radiance: &[Vec3]) -> DVec3 {
    radiance.iter().map(|c| c.as_dvec3()).sum::<DVec3>() / radiance.len() as f64
}

fn render(gpu: Option<Arc<Gpu>>) -> Result<Frame, crate::RenderError> {
    let (shot, assets) = scene();
    let settings = RenderSettings {
        samples: SAMPLES,
        full_labels: false,
        gpu,
        ..RenderSettings::default()
    };
    Renderer::new(&shot, &assets, settings)?.render_frame(0)
}

/// An octahedron of radius 1, or with `flat` the square of side 2 facing up.
fn mesh(flat: bool) -> Mesh {
    let (positions, triangles) = if flat {
        let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        let positions = corners.map(|[x, y]| Vec3::new(x, y, 0.0)).to_vec();
        (positions, vec![[0, 1, 2], [0, 2, 3]])
    } else {
        let tips = [
            Vec3::X,
            Vec3::Y,
            Vec3::NEG_X,
            Vec3::NEG_Y,
            Vec3::Z,
            Vec3::NEG_Z,
        ];
        let triangles = (0..4)
            .flat_map(|i| {
                let next = (i + 1) % 4;
                [[i, next, 4], [next, i, 5]]
            })
            .collect();
        (tips.to_vec(), triangles)
    };
    Mesh {
        positions,
        material_of_triangle: vec![0; triangles.len()],
        triangles,
        ..Mesh::default()
    }
}

/// A small scene with some of everything.
pub(super) fn scene() -> (Shot, InMemoryAssets) {
    let plain = Material::default();
    let mirror = Material {
        metallic: 1.0,
        roughness: 0.2,
        ..plain.clone()
    };
    let glass = Material {
        transmission: 1.0,
        roughness: 0.1,
        attenuation_color: [0.7, 0.9, 0.8],
        attenuation_distance: 0.5,
        ..plain.clone()
    };
    let lamp = Material {
        emission: [4.0, 3.0, 2.0],
        coat: 0.5,
        ..plain.clone()
    };
    let parts = [
        ("floor", true, plain, 10.0, Vec3::ZERO, Role::Background),
        (
            "mirror",
            false,
            mirror,
            0.8,
            Vec3::new(-1.2, 0.5, 0.8),
            Role::Keep,
        ),
        (
            "glass",
            false,
            glass,
            0.7,
            Vec3::new(0.6, -0.4, 0.7),
            Role::Remove,
        ),
        (
            "lamp",
            false,
            lamp,
            0.3,
            Vec3::new(1.6, 0.9, 0.3),
            Role::Keep,
        ),
    ];
    let mut assets = InMemoryAssets::default();
    let mut objects = Vec::new();
    for (index, (name, flat, material, scale, position, role)) in parts.into_iter().enumerate() {
        let model = Model {
            meshes: vec![mesh(flat).into()],
            materials: vec![material],
            ..Model::default()
        };
        assets.models.insert(name.into(), Arc::new(model));
        let worlds = if role == Role::Remove {
            WorldSet::ALL.without(1)
        } else {
            WorldSet::ALL
        };
        objects.push(Object {
            id: index as u32 + 1,
            name: name.into(),
            asset: name.into(),
            mesh: 0,
            materials: vec![],
            role,
            noun: name.into(),
            adjectives: vec![],
            worlds,
            scale: Vec3::splat(scale),
            pose: Track::Constant(Pose {
                position,
                rotation: Quat::IDENTITY,
            }),
            body: None,
            motion: None,
            physics: None,
        });
    }
    let upright = Quat::from_xyzw(
        std::f32::consts::FRAC_1_SQRT_2,
        0.0,
        0.0,
        std::f32::consts::FRAC_1_SQRT_2,
    );
    let world = |name: &str, removed: Vec<u32>| World {
        name: name.into(),
        removed,
    };
    let shot = Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "self-test".into(),
        seed: 7,
        sample_id: "self-test".into(),
        video_fps: 16.0,
        frame_time_secs: 1.0 / 24.0,
        physics_step_secs: 1.0 / 240.0,
        frame_count: 1,
        resolution: RESOLUTION,
        exposure: Exposure::Ev(0.0),
        view: View::Standard,
        worlds: vec![world("full", vec![]), world("removed", vec![3])],
        cameras: vec![Camera {
            name: "camera".into(),
            pose: Track::Constant(Pose {
                position: Vec3::new(0.0, -6.0, 1.2),
                rotation: upright,
            }),
            lens: Track::Constant(Lens {
                focal_length_mm: 35.0,
                sensor_width_mm: 32.0,
                aperture_radius: 0.02,
                focus_distance: 6.0,
                shift: [0.0; 2],
            }),
            shutter: 0.0,
        }],
        environment: Environment {
            asset: None,
            color: [0.5, 0.6, 0.8],
            rotation_rad: 0.0,
            strength: 1.0,
        },
        lights: vec![Light {
            name: "sun".into(),
            worlds: WorldSet::ALL,
            kind: LightKind::Sun(SunRecord {
                direction_to_sun: [0.0; 3],
                irradiance: [2.0; 3],
                angular_diameter_rad: 0.05,
            }),
            pose: Track::Constant(Pose {
                position: Vec3::ZERO,
                rotation: Quat::from_xyzw(0.2, 0.1, 0.0, 1.0).normalize(),
            }),
        }],
        objects,
        contacts: vec![],
        assets: vec![],
        attempts: Attempts::default(),
        night: false,
        light_description: String::new(),
    };
    (shot, assets)
}
