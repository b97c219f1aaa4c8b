//! One asset from all sides: a Shot whose frames are views of a contact sheet.

use diorama_assets::{AssetRecord, Material, Model};
use glam::{Quat, Vec3};

use crate::draw::sample::look_at;
use crate::shot::{
    BodyPose, Camera, Environment, Exposure, Lens, Object, Pose, Role, SCHEMA_VERSION, Shot, Track,
    View, World, WorldSet,
};

/// What the asset stands on, in matt grey.
pub const FLOOR: &str = "builtin/floor";
/// Reflectance of the floor.
const GREY: f32 = 0.4;
/// Radius of an asset for which the floor is large enough as it is, metres.
const FLOOR_FOR_RADIUS: f32 = 5.0;
/// Sensor and lens: a short telephoto, so that shapes keep their proportions.
const SENSOR_MM: f32 = 36.0;
const FOCAL_MM: f32 = 70.0;
/// How far the camera is above the middle of the asset, as an angle.
const ELEVATION_RAD: f32 = 0.26;
/// Room around the asset's sphere.
const MARGIN: f32 = 1.02;

/// One view.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facing {
    /// Side that is seen, radians about +Z; 0: the camera looks along +Y, which people's faces are
    /// turned against.
    pub azimuth_rad: f32,
    /// Pose of the asset's rig; `None`: at rest.
    pub body: Option<BodyPose>,
}

/// A Shot with one frame per view, all at one scale; the middle of the asset stays in the middle. The
/// model has one mesh; `floor` is the record of [`FLOOR`], `environment` that of the map that lights it.
pub fn turntable(
    model: &Model,
    record: &AssetRecord,
    floor: AssetRecord,
    views: &[Facing],
    environment: AssetRecord,
    size: u32,
) -> Shot {
    let bounds: Vec<(Vec3, Vec3)> = views
        .iter()
        .map(|view| {
            let mesh = view.body.as_ref().map(|body| model.posed(0, body));
            let at_rest = || model.meshes.first().and_then(|mesh| mesh.bounds());
            let bounds = mesh.map_or_else(at_rest, |mesh| mesh.bounds());
            bounds.unwrap_or_default()
        })
        .collect();
    let radius = bounds
        .iter()
        .map(|(low, high)| (*high - *low).length() / 2.0)
        .fold(1e-6, f32::max);
    let ground = bounds.iter().map(|(low, _)| low.z).fold(f32::MAX, f32::min);
    let half_angle = libm::atanf(SENSOR_MM / 2.0 / FOCAL_MM);
    let distance = radius * MARGIN / libm::sinf(half_angle);
    let poses: Vec<Pose> = views
        .iter()
        .zip(&bounds)
        .map(|(view, (low, high))| {
            let middle = (*low + *high) / 2.0;
            let (sin, cos) = (libm::sinf(ELEVATION_RAD), libm::cosf(ELEVATION_RAD));
            let side = Quat::from_rotation_z(view.azimuth_rad) * Vec3::new(0.0, -cos, sin);
            let position = middle + side * distance;
            Pose {
                position,
                rotation: look_at(position, middle),
            }
        })
        .collect();
    let lens = Lens {
        focal_length_mm: FOCAL_MM,
        sensor_width_mm: SENSOR_MM,
        aperture_radius: 0.0,
        focus_distance: distance,
        shift: [0.0; 2],
    };
    let rest = model.rig.as_ref().map(diorama_assets::Rig::rest_pose);
    let bodies = rest.map(|rest| {
        let body = |view: &Facing| view.body.clone().unwrap_or_else(|| rest.clone());
        padded(views.iter().map(body).collect())
    });
    let object = |id: u32, record: &AssetRecord, role: Role| Object {
        id,
        name: record.id.clone(),
        asset: record.id.clone(),
        mesh: 0,
        materials: Vec::new(),
        role,
        noun: record.noun.clone(),
        adjectives: Vec::new(),
        worlds: WorldSet::ALL,
        scale: Vec3::ONE,
        pose: Track::Constant(Pose::IDENTITY),
        body: None,
        motion: None,
        physics: None,
    };
    let grey = Material {
        base_color: [GREY; 3],
        roughness: 1.0,
        specular: 0.0,
        ..Material::default()
    };
    let below = Object {
        materials: vec![grey],
        scale: Vec3::splat((radius / FLOOR_FOR_RADIUS).max(1.0)),
        pose: Track::Constant(Pose {
            position: Vec3::Z * ground,
            ..Pose::IDENTITY
        }),
        ..object(1, &floor, Role::Background)
    };
    let shown = Object {
        body: bodies,
        ..object(2, record, Role::Keep)
    };
    Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "turntable".into(),
        seed: 0,
        sample_id: record.id.clone(),
        video_fps: 1.0,
        frame_time_secs: 1.0,
        physics_step_secs: 1.0,
        frame_count: views.len() as u32,
        resolution: [size; 2],
        exposure: Exposure::Auto,
        view: View::Agx,
        worlds: vec![World {
            name: "full".into(),
            removed: Vec::new(),
        }],
        cameras: vec![Camera {
            name: "camera".into(),
            pose: padded(poses),
            lens: Track::Constant(lens),
            shutter: 0.0,
        }],
        environment: Environment {
            asset: Some(environment.id.clone()),
            color: [1.0; 3],
            rotation_rad: 0.0,
            strength: 1.0,
        },
        lights: Vec::new(),
        objects: vec![below, shown],
        contacts: Vec::new(),
        assets: vec![floor, record.clone(), environment],
        attempts: crate::shot::Attempts::default(),
        night: false,
        light_description: String::new(),
    }
}

/// With the first value once more before, and the last once more behind.
fn padded<T: Clone>(mut values: Vec<T>) -> Track<T> {
    if let (Some(first), Some(last)) = (values.first().cloned(), values.last().cloned()) {
        values.insert(0, first);
        values.push(last);
    }
    Track::PerFrame(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diorama_assets::builtin;

    #[test]
    fn every_view_has_the_whole_asset_in_it() {
        let record = builtin::object_records().swap_remove(0);
        let model = builtin::model(&record.id).unwrap();
        let views: Vec<Facing> = (0..8)
            .map(|view| Facing {
                azimuth_rad: view as f32 * 0.785,
                body: None,
            })
            .collect();
        let floor = builtin::record(FLOOR).unwrap();
        let environment = builtin::environment_records().swap_remove(0);
        let shot = turntable(&model, &record, floor, &views, environment, 64);
        shot.validate().unwrap();
        assert_eq!(shot.frame_count, 8);
        let half = SENSOR_MM / 2.0 / FOCAL_MM;
        for frame in 0..8 {
            let pose = shot.cameras[0].pose.at(frame);
            let to_camera = pose.rotation.inverse();
            for point in &model.meshes[0].positions {
                let seen = to_camera * (*point - pose.position);
                let (x, y) = (seen.x / -seen.z, seen.y / -seen.z);
                assert!(x.abs() < half && y.abs() < half, "frame {frame}: {seen}");
            }
        }
    }
}
