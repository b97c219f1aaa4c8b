//! Lights of a frame as the shaders read them.

use glam::Vec3;

use super::geometry::MeshPlaces;
use crate::gpu::layout::{
    Emitter, LIGHT_AREA, LIGHT_ENVIRONMENT, LIGHT_MESH, LIGHT_SPHERE, LIGHT_SUN, LightRecord, NONE,
};
use crate::scene::FrameScene;
use crate::scene::lights::{SceneLight, Shape};

/// All lights of a frame: those in every world first.
pub(crate) struct Lights {
    pub(crate) lights: Vec<LightRecord>,
    pub(crate) emitters: Vec<Emitter>,
}

impl Lights {
    /// Of a frame whose objects have these meshes.
    pub(crate) fn new(scene: &FrameScene, meshes: &[MeshPlaces]) -> Self {
        let mut all = Self {
            lights: Vec::new(),
            emitters: Vec::new(),
        };
        let groups = [&scene.shared_lights, &scene.other_lights];
        for light in groups.into_iter().flat_map(|group| &group.lights) {
            let record = all.record(light, meshes);
            all.lights.push(record);
        }
        all
    }

    fn record(&mut self, light: &SceneLight, meshes: &[MeshPlaces]) -> LightRecord {
        let record = LightRecord {
            radiance: light.radiance.to_array(),
            worlds: light.worlds,
            power: light.power,
            instance: NONE,
            ..bytemuck::Zeroable::zeroed()
        };
        match &light.shape {
            Shape::Environment => LightRecord {
                kind: LIGHT_ENVIRONMENT,
                ..record
            },
            Shape::Sun {
                direction,
                one_minus_cos,
            } => LightRecord {
                kind: LIGHT_SUN,
                direction: direction.to_array(),
                size: *one_minus_cos,
                ..record
            },
            Shape::Point {
                position,
                radius,
                cone,
            } => LightRecord {
                kind: LIGHT_SPHERE,
                position: position.to_array(),
                size: *radius,
                direction: cone.map_or(Vec3::Z, |c| c.direction).to_array(),
                cos_outer: cone.map_or(0.0, |c| c.cos_outer),
                sharpness: cone.map_or(0.0, |c| c.sharpness),
                ..record
            },
            Shape::Area {
                position,
                half_sides,
                direction,
            } => LightRecord {
                kind: LIGHT_AREA,
                position: position.to_array(),
                side_u: half_sides[0].to_array(),
                side_v: half_sides[1].to_array(),
                direction: direction.to_array(),
                ..record
            },
            Shape::Mesh(mesh) => {
                let first = self.emitters.len();
                let slots = &meshes[mesh.instance as usize].slots;
                let triangles = mesh.primitives.iter().zip(&mesh.corners);
                self.emitters
                    .extend(triangles.zip(&mesh.cumulative()[1..]).map(
                        |((primitive, [p0, p1, p2]), cumulative)| Emitter {
                            p0: p0.to_array(),
                            cumulative: *cumulative,
                            p1: p1.to_array(),
                            slot: slots[*primitive as usize],
                            p2: p2.to_array(),
                            unused: 0,
                        },
                    ));
                let (center, radius) = mesh.sphere();
                LightRecord {
                    kind: LIGHT_MESH,
                    position: center.to_array(),
                    size: radius,
                    area: mesh.area(),
                    first_emitter: first as u32,
                    emitter_count: mesh.primitives.len() as u32,
                    instance: mesh.instance,
                    ..record
                }
            }
        }
    }
}
