//! Where surface points are: the meshes of a Shot posed at any frame, without any renderer.
//!
//! A tracked point is (instance, primitive, barycentrics): its position in any frame follows from the
//! posed mesh, never from a depth image.

use std::collections::BTreeMap;
use std::sync::Arc;

use diorama_assets::{AssetError, AssetSource, Mesh, Model};
use glam::{DAffine3, DMat3, DVec3};

use crate::frame::SurfacePoint;
use crate::shot::Shot;

/// Why the geometry of a Shot cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// An asset cannot be loaded.
    #[error("object `{object}`: {source}")]
    Asset {
        /// Name of the object.
        object: String,
        /// What the library said.
        source: AssetError,
    },
    /// An object names a mesh that its asset does not have.
    #[error("object `{object}`: asset `{asset}` has no mesh {mesh}")]
    NoMesh {
        /// Name of the object.
        object: String,
        /// Asset id.
        asset: String,
        /// Index asked for.
        mesh: u32,
    },
}

/// The assets of a Shot's objects, loaded once for the whole clip.
#[derive(Debug, Clone)]
pub struct ShotGeometry {
    shot: Arc<Shot>,
    /// Asset of each object, in the Shot's order.
    models: Vec<Arc<Model>>,
}

impl ShotGeometry {
    /// Loads what the objects of `shot` are made of.
    ///
    /// # Errors
    /// An asset that cannot be loaded or lacks the mesh that is asked for.
    pub fn new(shot: Arc<Shot>, assets: &dyn AssetSource) -> Result<Self, GeometryError> {
        let mut loaded: BTreeMap<&str, Arc<Model>> = BTreeMap::new();
        let mut models = Vec::with_capacity(shot.objects.len());
        for object in &shot.objects {
            let model = match loaded.get(object.asset.as_str()) {
                Some(model) => model.clone(),
                None => assets
                    .model(&object.asset)
                    .map_err(|source| GeometryError::Asset {
                        object: object.name.clone(),
                        source,
                    })?,
            };
            if object.mesh as usize >= model.meshes.len() {
                return Err(GeometryError::NoMesh {
                    object: object.name.clone(),
                    asset: object.asset.clone(),
                    mesh: object.mesh,
                });
            }
            loaded.insert(&object.asset, model.clone());
            models.push(model);
        }
        Ok(Self { shot, models })
    }

    /// The Shot it is of.
    pub fn shot(&self) -> &Arc<Shot> {
        &self.shot
    }

    /// Every object as it is at `frame` (−1 ..= frame_count, shutter centre). Bodies are posed here,
    /// once; rigid objects share the asset's mesh.
    pub fn at(&self, frame: i64) -> PosedGeometry {
        let objects = self.shot.objects.iter().zip(&self.models);
        let objects = objects
            .map(|(object, model)| {
                let mesh = match &object.body {
                    Some(body) => Arc::new(model.posed(object.mesh as usize, body.at(frame))),
                    None => model.meshes[object.mesh as usize].clone(),
                };
                // The renderer's own f32 matrix: both then speak of the same place.
                let pose = object.pose.at(frame).world_from_object(object.scale);
                let [x, y, z] = [
                    pose.matrix3.x_axis,
                    pose.matrix3.y_axis,
                    pose.matrix3.z_axis,
                ]
                .map(|axis| glam::Vec3::from(axis).as_dvec3());
                let world_from_object = DAffine3 {
                    matrix3: DMat3::from_cols(x, y, z),
                    translation: glam::Vec3::from(pose.translation).as_dvec3(),
                };
                let posed = PosedObject {
                    mesh,
                    world_from_object,
                    in_full_world: object.worlds.contains(0),
                };
                (object.id, posed)
            })
            .collect();
        PosedGeometry { frame, objects }
    }
}

/// One object at one frame.
#[derive(Debug, Clone)]
struct PosedObject {
    /// Object space, before scale.
    mesh: Arc<Mesh>,
    /// Scale included.
    world_from_object: DAffine3,
    in_full_world: bool,
}

/// All objects of a Shot at one frame. f64, from the Shot's f32.
#[derive(Debug, Clone)]
pub struct PosedGeometry {
    frame: i64,
    /// By object id.
    objects: BTreeMap<u32, PosedObject>,
}

impl PosedGeometry {
    /// The frame.
    pub fn frame(&self) -> i64 {
        self.frame
    }

    /// World position, metres, of a surface point: (1 − u − v)·a + u·b + v·c of its triangle's
    /// corners. `None` for the environment (instance 0), which is at infinity, and for points that
    /// the Shot does not have.
    pub fn world_position(&self, point: &SurfacePoint) -> Option<DVec3> {
        let object = self.objects.get(&point.instance)?;
        let triangle = object.mesh.triangles.get(point.primitive as usize)?;
        let [u, v] = point.barycentrics.as_dvec2().to_array();
        let corner = |i: usize| Some(object.mesh.positions.get(triangle[i] as usize)?.as_dvec3());
        let local = corner(0)? * (1.0 - u - v) + corner(1)? * u + corner(2)? * v;
        Some(object.world_from_object.transform_point3(local))
    }

    /// World position, metres, of every vertex of every object of the full world, by object id.
    pub fn vertices(&self) -> impl Iterator<Item = DVec3> + '_ {
        self.objects
            .values()
            .filter(|object| object.in_full_world)
            .flat_map(|object| {
                let pose = &object.world_from_object;
                let positions = object.mesh.positions.iter();
                positions.map(|p| pose.transform_point3(p.as_dvec3()))
            })
    }
}

#[cfg(test)]
mod tests {
    use diorama_assets::rig::{Influence, Joint, JointTransform, Skin};
    use diorama_assets::{InMemoryAssets, Rig};
    use glam::{Affine3A, Quat, Vec2, Vec3};

    use super::*;
    use crate::shot::{
        Attempts, BodyPose, Environment, Exposure, Object, Pose, Role, SCHEMA_VERSION, Track, View,
        World, WorldSet,
    };

    /// A triangle whose third corner follows a joint that rises by a tenth of a metre a frame.
    fn shot() -> (Shot, InMemoryAssets) {
        let skin = Skin {
            influences: vec![Influence {
                joint: 0,
                weight: 1.0,
            }],
            first_influence: vec![0, 0, 0, 1],
            joint_from_model: vec![Affine3A::IDENTITY],
            ..Skin::default()
        };
        let model = Model {
            meshes: vec![Arc::new(Mesh {
                positions: vec![Vec3::ZERO, Vec3::X, Vec3::Y],
                triangles: vec![[0, 1, 2]],
                material_of_triangle: vec![0],
                ..Mesh::default()
            })],
            rig: Some(Rig {
                joints: vec![Joint {
                    name: "tip".into(),
                    parent: None,
                    rest: JointTransform::IDENTITY,
                }],
                skins: vec![Some(skin)],
                morphs: vec![vec![]],
                morph_names: vec![],
            }),
            ..Model::default()
        };
        let mut assets = InMemoryAssets::default();
        assets.models.insert("flag".into(), Arc::new(model));
        let rising = |frame: i64| BodyPose {
            joints: vec![Affine3A::from_translation(Vec3::Z * (0.1 * frame as f32))],
            morph_weights: vec![],
        };
        let object = Object {
            id: 3,
            name: "flag".into(),
            asset: "flag".into(),
            mesh: 0,
            materials: vec![],
            role: Role::Keep,
            noun: "flag".into(),
            adjectives: vec![],
            worlds: WorldSet::ALL,
            scale: Vec3::new(2.0, 4.0, 10.0),
            pose: Track::Constant(Pose {
                position: Vec3::new(1.0, 0.0, 0.0),
                rotation: Quat::from_rotation_z(std::f32::consts::FRAC_PI_2),
            }),
            body: Some(Track::PerFrame((-1..=2).map(rising).collect())),
            motion: None,
            physics: None,
        };
        let shot = Shot {
            schema_version: SCHEMA_VERSION,
            recipe: "test".into(),
            seed: 1,
            sample_id: "000001".into(),
            video_fps: 24.0,
            frame_time_secs: 1.0 / 24.0,
            physics_step_secs: 1.0 / 240.0,
            frame_count: 2,
            resolution: [8, 8],
            exposure: Exposure::Ev(0.0),
            view: View::Standard,
            worlds: vec![World {
                name: "full".into(),
                removed: vec![],
            }],
            cameras: vec![],
            environment: Environment {
                asset: None,
                color: [1.0; 3],
                rotation_rad: 0.0,
                strength: 1.0,
            },
            lights: vec![],
            objects: vec![object],
            contacts: vec![],
            assets: vec![],
            attempts: Attempts::default(),
            night: false,
            light_description: String::new(),
        };
        (shot, assets)
    }

    #[test]
    fn a_point_follows_skin_scale_and_pose() {
        let (shot, assets) = shot();
        let geometry = ShotGeometry::new(Arc::new(shot.clone()), &assets).unwrap();
        let point = SurfacePoint {
            instance: 3,
            primitive: 0,
            barycentrics: Vec2::new(0.25, 0.5),
        };
        for frame in 0..3 {
            let found = geometry.at(frame).world_position(&point).unwrap();
            // Local (0.25, 0.5, 0.05 f), scaled (0.5, 2, 0.5 f), a quarter turn, one metre along x.
            let expected = DVec3::new(-1.0, 0.5, 0.5 * frame as f64);
            assert!(found.distance(expected) < 1e-6, "{frame}: {found}");
        }
        assert_eq!(geometry.at(0).vertices().count(), 3);
    }

    #[test]
    fn the_environment_and_unknown_points_have_no_position() {
        let (shot, assets) = shot();
        let posed = ShotGeometry::new(Arc::new(shot.clone()), &assets)
            .unwrap()
            .at(0);
        for (instance, primitive) in [(0, 0), (9, 0), (3, 1)] {
            let point = SurfacePoint {
                instance,
                primitive,
                barycentrics: Vec2::ZERO,
            };
            assert_eq!(posed.world_position(&point), None);
        }
    }

    #[test]
    fn a_missing_asset_or_mesh_is_named() {
        let (mut shot, assets) = shot();
        shot.objects[0].mesh = 7;
        let error = ShotGeometry::new(Arc::new(shot.clone()), &assets).unwrap_err();
        assert_eq!(
            error.to_string(),
            "object `flag`: asset `flag` has no mesh 7"
        );
        shot.objects[0].asset = "none".into();
        let error = ShotGeometry::new(Arc::new(shot.clone()), &assets).unwrap_err();
        assert!(error.to_string().contains("`flag`"), "{error}");
    }
}
