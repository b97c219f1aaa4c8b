//! A glTF scene as a [`Shot`] of one frame.

use diorama_assets::environment::SunRecord;
use diorama_assets::model::AssetRecord;
use diorama_assets::scene::{SceneCamera, SceneFile, SceneLight, SceneLightKind, ScenePose};
use glam::{Mat3, Quat, Vec3};

use crate::shot::{
    Attempts, Camera, Environment, Exposure, Lens, Light, LightKind, Object, Pose, Role,
    SCHEMA_VERSION, Shot, ShotError, Track, View, World, WorldSet,
};

/// Sensor width of cameras that state an angle only, mm (Blender's default).
const SENSOR_WIDTH_MM: f32 = 36.0;
/// Lens of the camera made for a scene without one, mm.
const FOCAL_LENGTH_MM: f32 = 50.0;
/// Radiance of the grey surroundings of a scene without light, W/(m²·sr).
const GREY: f32 = 0.5;
/// How much more than the bounds the camera of a scene without one sees.
const MARGIN: f32 = 1.08;

/// What a glTF file does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneOptions {
    /// Seed of the render's own hash.
    pub seed: u64,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// Camera by name; `None`: the first one.
    pub camera: Option<String>,
    /// Environment map: its record, its turn about +Z in radians, the factor of its radiance.
    pub environment: Option<(AssetRecord, f32, f32)>,
    /// Names of objects to remove: makes the world `removed`.
    pub remove: Vec<String>,
    /// Exposure.
    pub exposure: Exposure,
    /// Display transform.
    pub view: View,
}

/// Why a scene does not become a shot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// No camera or object is called so.
    #[error("the scene has no {what} `{name}` (hint: {})", known_words(.known))]
    Unknown {
        /// `camera` or `object`.
        what: &'static str,
        /// Name asked for.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
    /// A value of the scene is out of the documented range.
    #[error("the scene cannot be used: {0}")]
    Shot(#[from] ShotError),
}

fn known_words(known: &[String]) -> String {
    const SHOWN: usize = 12;
    if known.is_empty() {
        return "it has none".into();
    }
    let words = known
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match known.len().saturating_sub(SHOWN) {
        0 => format!("it has {words}"),
        more => format!("it has {words} and {more} more"),
    }
}

/// A shot of one frame that shows `scene` at rest, and notes for the user about what the scene left
/// open and how it was filled in.
///
/// Objects are the scene's instances, in order, with the asset's own materials and the role `keep`,
/// or `remove` for the named ones. Instances that share a name get `.2`, `.3`, … and are removed
/// together by their common name, or one by one.
pub fn shot_from_scene(
    scene: &SceneFile,
    options: &SceneOptions,
) -> Result<(Shot, Vec<String>), SceneError> {
    let mut notes = Vec::new();
    let (objects, removed) = objects(scene, &options.remove)?;
    let cameras = cameras(scene, options, &mut notes)?;
    let lights: Vec<Light> = scene.lights.iter().map(light).collect();
    let mut assets = vec![scene.record.clone()];
    let environment = environment(scene, options, &mut notes, &mut assets);
    let mut worlds = vec![World {
        name: "full".into(),
        removed: Vec::new(),
    }];
    if !removed.is_empty() {
        worlds.push(World {
            name: "removed".into(),
            removed,
        });
    }
    let shot = Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "gltf".into(),
        seed: options.seed,
        sample_id: scene.record.id.clone(),
        video_fps: 24.0,
        frame_time_secs: 1.0 / 24.0,
        physics_step_secs: 1.0 / 240.0,
        frame_count: 1,
        resolution: options.resolution,
        exposure: options.exposure,
        view: options.view,
        worlds,
        cameras,
        environment,
        lights,
        objects,
        contacts: Vec::new(),
        assets,
        attempts: Attempts::default(),
        night: false,
        light_description: String::new(),
    };
    shot.validate()?;
    Ok((shot, notes))
}

fn pose(of: &ScenePose) -> Pose {
    Pose {
        position: of.position,
        rotation: of.rotation,
    }
}

/// The objects, and the ids of those to remove, ascending.
fn objects(scene: &SceneFile, remove: &[String]) -> Result<(Vec<Object>, Vec<u32>), SceneError> {
    let mut objects: Vec<Object> = Vec::new();
    for instance in &scene.instances {
        let copies = scene.instances[..objects.len()]
            .iter()
            .filter(|earlier| earlier.name == instance.name)
            .count();
        let mut name = match copies {
            0 => instance.name.clone(),
            n => format!("{}.{}", instance.name, n + 1),
        };
        // A file may use such a name itself.
        while objects.iter().any(|object| object.name == name) {
            name.push('_');
        }
        objects.push(Object {
            id: objects.len() as u32 + 1,
            name,
            asset: scene.record.id.clone(),
            mesh: instance.mesh,
            materials: Vec::new(),
            role: Role::Keep,
            noun: noun(&instance.name),
            adjectives: Vec::new(),
            worlds: WorldSet::ALL,
            scale: instance.scale,
            pose: Track::Constant(pose(&instance.pose)),
            body: None,
            motion: None,
            physics: None,
        });
    }
    let mut removed = Vec::new();
    for name in remove {
        let matches: Vec<usize> = (0..objects.len())
            .filter(|i| objects[*i].name == *name || scene.instances[*i].name == *name)
            .collect();
        if matches.is_empty() {
            return Err(SceneError::Unknown {
                what: "object",
                name: name.clone(),
                known: objects.into_iter().map(|object| object.name).collect(),
            });
        }
        removed.extend(matches);
    }
    removed.sort_unstable();
    removed.dedup();
    for index in &removed {
        objects[*index].role = Role::Remove;
        objects[*index].worlds = WorldSet::only(0);
    }
    let ids = removed.iter().map(|i| objects[*i].id).collect();
    Ok((objects, ids))
}

/// A plain noun out of a node name: `Suzanne.001` is a `suzanne`.
fn noun(name: &str) -> String {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '_');
    let words = stem.replace(['_', '-', '.'], " ").to_lowercase();
    let words = words.trim();
    if words.is_empty() {
        "object".into()
    } else {
        words.to_owned()
    }
}

/// The chosen camera, then the others in their order.
fn cameras(
    scene: &SceneFile,
    options: &SceneOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<Camera>, SceneError> {
    let chosen = match &options.camera {
        None => 0,
        Some(name) => scene
            .cameras
            .iter()
            .position(|camera| camera.name == *name)
            .ok_or_else(|| SceneError::Unknown {
                what: "camera",
                name: name.clone(),
                known: scene.cameras.iter().map(|c| c.name.clone()).collect(),
            })?,
    };
    if scene.cameras.is_empty() {
        notes.push("the scene has no camera: one that frames everything is used".into());
        return Ok(vec![framing_camera(scene, options.resolution)]);
    }
    if options.camera.is_none() && scene.cameras.len() > 1 {
        notes.push(format!(
            "the scene has {} cameras: the first, `{}`, is used",
            scene.cameras.len(),
            scene.cameras[0].name
        ));
    }
    let others = (0..scene.cameras.len()).filter(|index| *index != chosen);
    Ok(std::iter::once(chosen)
        .chain(others)
        .map(|index| camera(&scene.cameras[index], options.resolution))
        .collect())
}

/// glTF cameras keep their vertical angle whatever the shape of the picture.
fn camera(camera: &SceneCamera, [width, height]: [u32; 2]) -> Camera {
    let sensor_height_mm = SENSOR_WIDTH_MM * height as f32 / width.max(1) as f32;
    let focal_length_mm = 0.5 * sensor_height_mm / libm::tanf(0.5 * camera.yfov_rad);
    Camera {
        name: camera.name.clone(),
        pose: Track::Constant(pose(&camera.pose)),
        lens: Track::Constant(lens(focal_length_mm)),
        shutter: 0.0,
    }
}

fn lens(focal_length_mm: f32) -> Lens {
    Lens {
        focal_length_mm,
        sensor_width_mm: SENSOR_WIDTH_MM,
        aperture_radius: 0.0,
        focus_distance: 10.0,
        shift: [0.0; 2],
    }
}

/// A camera from the front, right and above that sees the whole bounding sphere.
fn framing_camera(scene: &SceneFile, [width, height]: [u32; 2]) -> Camera {
    let (low, high) = bounds(scene).unwrap_or((Vec3::splat(-1.0), Vec3::ONE));
    let center = (low + high) * 0.5;
    let radius = ((high - low) * 0.5).length().max(1.0e-3);
    let narrow = (height as f32 / width.max(1) as f32).min(1.0);
    // The sphere touches the edge of the picture where its tangent has this slope.
    let slope = 0.5 * SENSOR_WIDTH_MM * narrow / FOCAL_LENGTH_MM;
    let sine = slope / (1.0 + slope * slope).sqrt();
    let back = Vec3::new(0.55, -0.75, 0.37)
        .try_normalize()
        .unwrap_or(Vec3::NEG_Y);
    let right = Vec3::Z.cross(back).try_normalize().unwrap_or(Vec3::X);
    let rotation = Quat::from_mat3(&Mat3::from_cols(right, back.cross(right), back)).normalize();
    Camera {
        name: "camera".into(),
        pose: Track::Constant(Pose {
            position: center + back * (radius * MARGIN / sine),
            rotation,
        }),
        lens: Track::Constant(lens(FOCAL_LENGTH_MM)),
        shutter: 0.0,
    }
}

/// Box around everything, world.
fn bounds(scene: &SceneFile) -> Option<(Vec3, Vec3)> {
    scene
        .instances
        .iter()
        .filter_map(|instance| {
            let (low, high) = scene.model.meshes.get(instance.mesh as usize)?.bounds()?;
            let world_from_object = pose(&instance.pose).world_from_object(instance.scale);
            (0..8)
                .map(|i| {
                    let upper = glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4);
                    world_from_object.transform_point3(Vec3::select(upper, high, low))
                })
                .map(|corner| (corner, corner))
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        })
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

fn light(of: &SceneLight) -> Light {
    let kind = match of.kind {
        SceneLightKind::Sun {
            irradiance,
            angular_diameter_rad,
        } => LightKind::Sun(SunRecord {
            direction_to_sun: (of.pose.rotation * Vec3::Z).to_array(),
            irradiance,
            angular_diameter_rad,
        }),
        SceneLightKind::Point { watts, radius } => LightKind::Point { watts, radius },
        SceneLightKind::Spot {
            watts,
            radius,
            outer_half_angle_rad,
            blend,
        } => LightKind::Spot {
            watts,
            radius,
            outer_half_angle_rad,
            blend,
        },
    };
    Light {
        name: of.name.clone(),
        worlds: WorldSet::ALL,
        kind,
        pose: Track::Constant(pose(&of.pose)),
    }
}

fn environment(
    scene: &SceneFile,
    options: &SceneOptions,
    notes: &mut Vec<String>,
    assets: &mut Vec<AssetRecord>,
) -> Environment {
    if let Some((record, rotation_rad, strength)) = &options.environment {
        assets.push(record.clone());
        return Environment {
            asset: Some(record.id.clone()),
            color: [1.0; 3],
            rotation_rad: *rotation_rad,
            strength: *strength,
        };
    }
    let glows = scene.model.materials.iter().any(|material| {
        material.emission_strength > 0.0 && material.emission.iter().any(|value| *value > 0.0)
    });
    let color = if scene.lights.is_empty() && !glows {
        notes.push(format!(
            "the scene has no light: grey surroundings of radiance {GREY} are used (`--environment FILE` for others)"
        ));
        [GREY; 3]
    } else {
        [0.0; 3]
    };
    Environment {
        asset: None,
        color,
        rotation_rad: 0.0,
        strength: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use diorama_assets::scene::SceneInstance;
    use diorama_assets::{Mesh, Model};

    use super::*;

    fn record(id: &str) -> AssetRecord {
        AssetRecord {
            id: id.into(),
            blake3: String::new(),
            license: "CC0-1.0".into(),
            attribution: String::new(),
            noun: "scene".into(),
            mass_kg: None,
            friction: None,
            restitution: None,
        }
    }

    fn options() -> SceneOptions {
        SceneOptions {
            seed: 0,
            resolution: [320, 240],
            camera: None,
            environment: None,
            remove: Vec::new(),
            exposure: Exposure::Ev(0.0),
            view: View::Standard,
        }
    }

    fn scene() -> SceneFile {
        let mesh = Mesh {
            positions: vec![Vec3::ZERO, Vec3::X, Vec3::new(0.0, 1.0, 2.0)],
            triangles: vec![[0, 1, 2]],
            material_of_triangle: vec![0],
            ..Mesh::default()
        };
        let instance = |name: &str, x: f32| SceneInstance {
            name: name.into(),
            mesh: 0,
            pose: ScenePose {
                position: Vec3::new(x, 0.0, 0.0),
                rotation: Quat::IDENTITY,
            },
            scale: Vec3::ONE,
        };
        SceneFile {
            model: Model {
                meshes: vec![mesh.into()],
                materials: vec![diorama_assets::Material::default()],
                ..Model::default()
            },
            instances: vec![
                instance("Cup.001", 0.0),
                instance("Plate", 3.0),
                instance("Plate", 5.0),
            ],
            cameras: Vec::new(),
            lights: Vec::new(),
            record: record("table"),
        }
    }

    #[test]
    fn a_scene_without_camera_or_light_is_framed_and_lit_and_says_so() {
        let (shot, notes) = shot_from_scene(&scene(), &options()).unwrap();
        assert_eq!(notes.len(), 2);
        assert_eq!(shot.environment.color, [0.5; 3]);
        assert_eq!(shot.worlds.len(), 1);
        let names: Vec<&str> = shot.objects.iter().map(|o| o.name.as_str()).collect();
        assert_eq!(names, ["Cup.001", "Plate", "Plate.2"]);
        assert_eq!(shot.objects[0].noun, "cup");
        // Every corner of the bounds is inside the picture.
        let camera = &shot.cameras[0];
        let pose = camera.pose.at(0);
        let lens = camera.lens.at(0);
        let (low, high) = bounds(&scene()).unwrap();
        for i in 0..8 {
            let upper = glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4);
            let corner = Vec3::select(upper, high, low);
            let seen = pose.rotation.inverse() * (corner - pose.position);
            assert!(seen.z < 0.0);
            let x = seen.x / -seen.z * lens.focal_length_mm / lens.sensor_width_mm;
            let y = seen.y / -seen.z * lens.focal_length_mm / lens.sensor_width_mm;
            assert!(x.abs() <= 0.5 && y.abs() <= 0.5 * 240.0 / 320.0);
        }
    }

    #[test]
    fn names_remove_objects_together_or_one_by_one() {
        let removed = |names: &[&str]| {
            let mut options = options();
            options.remove = names.iter().map(|n| (*n).to_owned()).collect();
            let (shot, _) = shot_from_scene(&scene(), &options).unwrap();
            for object in &shot.objects {
                let gone = shot.worlds[1].removed.contains(&object.id);
                assert_eq!(object.role == Role::Remove, gone);
                assert_eq!(object.worlds.contains(1), !gone);
            }
            shot.worlds[1].removed.clone()
        };
        assert_eq!(removed(&["Plate"]), [2, 3]);
        assert_eq!(removed(&["Plate.2", "Cup.001"]), [1, 3]);
        let mut options = options();
        options.remove = vec!["Fork".into()];
        let error = shot_from_scene(&scene(), &options).unwrap_err().to_string();
        assert!(
            error.contains("no object `Fork`") && error.contains("`Plate.2`"),
            "{error}"
        );
    }

    #[test]
    fn cameras_keep_their_vertical_angle_and_the_chosen_one_comes_first() {
        let mut scene = scene();
        for (name, yfov_rad) in [("wide", 1.0), ("narrow", 0.5)] {
            scene.cameras.push(SceneCamera {
                name: name.into(),
                pose: ScenePose {
                    position: Vec3::Z,
                    rotation: Quat::IDENTITY,
                },
                yfov_rad,
                aspect_ratio: None,
                znear: 0.1,
            });
        }
        let mut options = options();
        options.camera = Some("narrow".into());
        let (shot, _) = shot_from_scene(&scene, &options).unwrap();
        assert_eq!(shot.cameras[0].name, "narrow");
        assert_eq!(shot.cameras.len(), 2);
        let lens = shot.cameras[0].lens.at(0);
        let half_height = 0.5 * lens.sensor_width_mm * 240.0 / 320.0;
        let found = 2.0 * libm::atanf(half_height / lens.focal_length_mm);
        assert!((found - 0.5).abs() < 1e-5);
        options.camera = Some("none".into());
        assert!(shot_from_scene(&scene, &options).is_err());
    }

    #[test]
    fn given_light_leaves_no_grey() {
        let mut scene = scene();
        scene.lights.push(SceneLight {
            name: "lamp".into(),
            pose: ScenePose {
                position: Vec3::Z,
                rotation: Quat::IDENTITY,
            },
            kind: SceneLightKind::Point {
                watts: [10.0; 3],
                radius: 0.0,
            },
        });
        let (shot, _) = shot_from_scene(&scene, &options()).unwrap();
        assert_eq!(shot.environment.color, [0.0; 3]);
        let mut options = options();
        options.environment = Some((record("venice"), 0.5, 2.0));
        let (shot, _) = shot_from_scene(&scene, &options).unwrap();
        assert_eq!(shot.environment.asset.as_deref(), Some("venice"));
        assert!(shot.assets.iter().any(|record| record.id == "venice"));
    }
}
