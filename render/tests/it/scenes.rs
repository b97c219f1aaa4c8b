//! Small scenes made in memory.

use std::sync::Arc;

use diorama_assets::environment::SunRecord;
use diorama_assets::{
    AlphaMode, AssetRecord, Image, InMemoryAssets, Material, Mesh, Model, Pixels, TextureRef,
};
use diorama_render::kernels::bsdf::{Bsdf, Seen, SurfaceValues};
use diorama_render::kernels::tables::tables;
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;
use diorama_synth::shot::{
    Camera, Environment, Exposure, Lens, Light, LightKind, Object, Pose, Role, SCHEMA_VERSION,
    Shot, Track, View, World, WorldSet,
};
use glam::{Mat3, Quat, Vec2, Vec3};

/// A scene under construction.
pub(crate) struct Scene {
    pub(crate) shot: Shot,
    pub(crate) assets: InMemoryAssets,
}

/// UV sphere of radius 1.
pub(crate) fn sphere() -> Mesh {
    let (columns, rows) = (48u32, 24u32);
    let mut mesh = Mesh::default();
    for j in 0..=rows {
        for i in 0..=columns {
            let (u, v) = (i as f32 / columns as f32, j as f32 / rows as f32);
            let (phi, theta) = (u * std::f32::consts::TAU, v * std::f32::consts::PI);
            let p = Vec3::new(
                libm::sinf(theta) * libm::cosf(phi),
                libm::sinf(theta) * libm::sinf(phi),
                libm::cosf(theta),
            );
            mesh.positions.push(p);
            mesh.normals.push(p);
            mesh.uvs.push(Vec2::new(u, v));
        }
    }
    let at = |i, j| j * (columns + 1) + i;
    for j in 0..rows {
        for i in 0..columns {
            let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            if j > 0 {
                mesh.triangles.push([a, c, b]);
            }
            if j + 1 < rows {
                mesh.triangles.push([a, d, c]);
            }
        }
    }
    mesh.material_of_triangle = vec![0; mesh.triangles.len()];
    mesh
}

/// Square of side 2 in the XY plane facing +Z.
pub(crate) fn square() -> Mesh {
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    Mesh {
        positions: corners
            .iter()
            .map(|(x, y)| Vec3::new(*x, *y, 0.0))
            .collect(),
        uvs: corners
            .iter()
            .map(|(x, y)| Vec2::new(0.5 * x + 0.5, 0.5 - 0.5 * y))
            .collect(),
        triangles: vec![[0, 1, 2], [0, 2, 3]],
        material_of_triangle: vec![0; 2],
        ..Mesh::default()
    }
}

/// Diffuse only.
pub(crate) fn matte(color: [f32; 3]) -> Material {
    Material {
        base_color: color,
        specular: 0.0,
        roughness: 1.0,
        ..Material::default()
    }
}

/// Pose at `position` without rotation.
pub(crate) fn at(x: f32, y: f32, z: f32) -> Pose {
    Pose {
        position: Vec3::new(x, y, z),
        rotation: Quat::IDENTITY,
    }
}

/// Rotation that turns −Z towards `to` seen from `from`.
pub(crate) fn look(from: Vec3, to: Vec3) -> Pose {
    let back = (from - to).normalize_or(Vec3::Z);
    let right = Vec3::Z.cross(back).normalize_or(Vec3::X);
    let rotation = Quat::from_mat3(&Mat3::from_cols(right, back.cross(right), back));
    Pose {
        position: from,
        rotation: rotation.normalize(),
    }
}

impl Scene {
    /// Nothing but a camera and a constant environment.
    pub(crate) fn new(resolution: [u32; 2], camera: Pose, environment: [f32; 3]) -> Self {
        let lens = Lens {
            focal_length_mm: 35.0,
            sensor_width_mm: 32.0,
            aperture_radius: 0.0,
            focus_distance: 10.0,
            shift: [0.0; 2],
        };
        let shot = Shot {
            schema_version: SCHEMA_VERSION,
            recipe: "test".into(),
            seed: 11,
            sample_id: "test".into(),
            video_fps: 16.0,
            frame_time_secs: 1.0 / 24.0,
            physics_step_secs: 1.0 / 240.0,
            frame_count: 1,
            resolution,
            exposure: Exposure::Ev(0.0),
            view: View::Standard,
            worlds: vec![World {
                name: "full".into(),
                removed: vec![],
            }],
            cameras: vec![Camera {
                name: "camera".into(),
                pose: Track::Constant(camera),
                lens: Track::Constant(lens),
                shutter: 0.0,
            }],
            environment: Environment {
                asset: None,
                color: environment,
                rotation_rad: 0.0,
                strength: 1.0,
            },
            lights: vec![],
            objects: vec![],
            contacts: vec![],
            assets: vec![],
            attempts: diorama_synth::shot::Attempts::default(),
            night: false,
            light_description: String::new(),
        };
        Self {
            shot,
            assets: InMemoryAssets::default(),
        }
    }

    /// Adds an object of its own asset.
    pub(crate) fn add(
        &mut self,
        name: &str,
        mesh: Mesh,
        material: Material,
        scale: Vec3,
        pose: Pose,
        role: Role,
    ) -> u32 {
        let id = self.shot.objects.len() as u32 + 1;
        let model = Model {
            meshes: vec![mesh.into()],
            materials: vec![material],
            ..Model::default()
        };
        self.assets.models.insert(name.into(), Arc::new(model));
        self.shot.assets.push(AssetRecord {
            id: name.into(),
            blake3: String::new(),
            license: "CC0-1.0".into(),
            attribution: "test".into(),
            noun: name.into(),
            mass_kg: None,
            friction: None,
            restitution: None,
        });
        self.shot.objects.push(Object {
            id,
            name: name.into(),
            asset: name.into(),
            mesh: 0,
            materials: vec![],
            role,
            noun: name.into(),
            adjectives: vec![],
            worlds: WorldSet::ALL,
            scale,
            pose: Track::Constant(pose),
            body: None,
            motion: None,
            physics: None,
        });
        id
    }

    /// Gives the asset of `name` one image; its material may refer to it as 0.
    pub(crate) fn texture(&mut self, name: &str, width: u32, height: u32, pixels: Vec<[u8; 4]>) {
        let model = Arc::make_mut(self.assets.models.get_mut(name).unwrap());
        model.images.push(Image {
            name: name.into(),
            width,
            height,
            pixels: Pixels::Rgba8(pixels),
        });
    }

    /// A sun shining along `direction`.
    pub(crate) fn sun(&mut self, direction: Vec3, irradiance: f32, angular_diameter_rad: f32) {
        let sun = SunRecord {
            direction_to_sun: [0.0; 3],
            irradiance: [irradiance; 3],
            angular_diameter_rad,
        };
        self.shot.lights.push(Light {
            name: "sun".into(),
            worlds: WorldSet::ALL,
            kind: LightKind::Sun(sun),
            pose: Track::Constant(look(Vec3::ZERO, direction)),
        });
    }

    /// Adds world `name` in which the objects `removed` are absent.
    pub(crate) fn world_without(&mut self, name: &str, removed: &[u32]) {
        let index = self.shot.worlds.len();
        self.shot.worlds.push(World {
            name: name.into(),
            removed: removed.to_vec(),
        });
        for object in &mut self.shot.objects {
            if removed.contains(&object.id) {
                object.worlds = object.worlds.without(index);
            }
        }
    }

    /// Renders frame 0.
    pub(crate) fn render(&self, samples: u32) -> Frame {
        self.renderer(samples).render_frame(0).unwrap()
    }

    /// A renderer without clamping or denoising.
    pub(crate) fn renderer(&self, samples: u32) -> Renderer {
        Renderer::new(
            &self.shot,
            &self.assets,
            RenderSettings {
                samples,
                ..RenderSettings::default()
            },
        )
        .unwrap()
    }
}

/// A floor with a mirror ball, a glass ball, a matte ball that glows, and a square cut out by alpha;
/// everything the pair law is hard for. Objects 3.. are `remove` in turn.
pub(crate) fn pair_scene(resolution: [u32; 2], removed: &[u32]) -> Scene {
    let mut scene = Scene::new(
        resolution,
        look(Vec3::new(0.0, -7.0, 3.0), Vec3::new(0.0, 0.0, 0.7)),
        [0.5, 0.6, 0.8],
    );
    scene.sun(Vec3::new(0.5, 0.6, -0.8), 3.0, 0.05);
    scene.add(
        "floor",
        square(),
        Material {
            roughness: 0.2,
            ..Material::default()
        },
        Vec3::splat(20.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    let mirror = Material {
        metallic: 1.0,
        roughness: 0.0,
        ..Material::default()
    };
    scene.add(
        "mirror",
        sphere(),
        mirror,
        Vec3::splat(0.9),
        at(-1.2, 1.0, 0.9),
        Role::Keep,
    );
    let glass = Material {
        base_color: [0.9, 1.0, 0.9],
        transmission: 1.0,
        roughness: 0.05,
        ..Material::default()
    };
    scene.add(
        "glass",
        sphere(),
        glass,
        Vec3::splat(0.7),
        at(0.9, -0.6, 0.7),
        Role::Keep,
    );
    let glowing = Material {
        emission: [3.0, 2.0, 1.0],
        ..matte([0.5; 3])
    };
    scene.add(
        "lamp",
        sphere(),
        glowing,
        Vec3::splat(0.4),
        at(0.2, 0.6, 0.4),
        Role::Keep,
    );
    let cut = Material {
        base_color_texture: Some(TextureRef::of(0)),
        alpha_mode: AlphaMode::Blend,
        ..matte([0.9, 0.3, 0.2])
    };
    let upright = Pose {
        position: Vec3::new(-0.3, -1.0, 0.8),
        rotation: Quat::from_rotation_x(1.5),
    };
    scene.add(
        "screen",
        square(),
        cut,
        Vec3::splat(0.6),
        upright,
        Role::Keep,
    );
    let pixels = (0..64)
        .map(|i| [200, 120, 60, [0u8, 128, 255, 40][(i % 8 / 2 + i / 16) % 4]])
        .collect();
    scene.texture("screen", 8, 8, pixels);
    scene.world_without("removed", removed);
    scene
}

/// BSDF of a flat surface that faces up.
pub(crate) fn flat(values: &SurfaceValues, wo: Vec3, entering: bool) -> Bsdf<f32> {
    let seen = Seen {
        values,
        wo,
        normal: Vec3::Z,
        geometric_normal: Vec3::Z,
        entering,
    };
    Bsdf::new(&seen, tables())
}
