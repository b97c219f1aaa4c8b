//! The documented ranges of a Shot, checked when one is read.

use crate::shot::{
    BodyPose, Exposure, LightKind, MAX_FRAMES, MAX_WORLDS, Pose, Shot, ShotError, Track,
};

/// Positions beyond this, metres, are taken for damage: f32 has centimetres left there.
const MAX_COORDINATE: f32 = 1.0e5;
/// Largest exposure in either direction, stops.
const MAX_STOPS: f32 = 60.0;
/// Largest side of a picture, pixels.
const MAX_SIDE: u32 = 16_384;

fn wrong(field: impl Into<String>, reason: impl Into<String>) -> ShotError {
    ShotError::Value {
        field: field.into(),
        reason: reason.into(),
    }
}

fn check_track<T>(
    field: &str,
    track: &Track<T>,
    frames: u32,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<(), ShotError> {
    if let Track::PerFrame(values) = track
        && values.len() != frames as usize + 2
    {
        return Err(wrong(
            field,
            format!(
                "has {} values for {frames} frames (frames + 2 are needed)",
                values.len()
            ),
        ));
    }
    for value in track.values() {
        check(value).map_err(|reason| wrong(field, reason))?;
    }
    Ok(())
}

fn check_body(body: &BodyPose) -> Result<(), String> {
    for (index, joint) in body.joints.iter().enumerate() {
        let far = joint.translation.abs().max_element() > MAX_COORDINATE;
        if !joint.is_finite() || far {
            return Err(format!("moves joint {index} to {}", joint.translation));
        }
    }
    if let Some(weight) = body.morph_weights.iter().find(|w| !w.is_finite()) {
        return Err(format!("has a morph weight of {weight}"));
    }
    Ok(())
}

fn check_pose(pose: &Pose) -> Result<(), String> {
    if !pose.position.is_finite() || pose.position.abs().max_element() > MAX_COORDINATE {
        return Err(format!(
            "has a position of {} (finite, at most {MAX_COORDINATE} m)",
            pose.position
        ));
    }
    if !pose.rotation.is_normalized() {
        return Err("has a rotation that is not a unit quaternion".into());
    }
    Ok(())
}

impl Shot {
    /// Checks every documented range.
    pub fn validate(&self) -> Result<(), ShotError> {
        let frames = self.frame_count;
        if frames == 0 || frames > MAX_FRAMES {
            return Err(wrong(
                "frame_count",
                format!("is {frames} (1 to {MAX_FRAMES})"),
            ));
        }
        if self
            .resolution
            .iter()
            .any(|side| *side == 0 || *side > MAX_SIDE)
        {
            return Err(wrong(
                "resolution",
                format!("is {:?} (each side 1 to {MAX_SIDE})", self.resolution),
            ));
        }
        for (field, value) in [
            ("video_fps", self.video_fps),
            ("frame_time_secs", self.frame_time_secs),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(wrong(field, format!("is {value} (it must be positive)")));
            }
        }
        if self.worlds.is_empty() || self.worlds.len() > MAX_WORLDS {
            return Err(wrong(
                "worlds",
                format!("has {} entries (1 to {MAX_WORLDS})", self.worlds.len()),
            ));
        }
        if self.cameras.is_empty() {
            return Err(wrong("cameras", "is empty"));
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            check_track(
                &format!("cameras[{index}].pose"),
                &camera.pose,
                frames,
                check_pose,
            )?;
            check_track(
                &format!("cameras[{index}].lens"),
                &camera.lens,
                frames,
                |lens| {
                    let positive = [
                        lens.focal_length_mm,
                        lens.sensor_width_mm,
                        lens.focus_distance,
                    ];
                    if positive.iter().all(|v| v.is_finite() && *v > 0.0)
                        && lens.aperture_radius.is_finite()
                        && lens.aperture_radius >= 0.0
                    {
                        Ok(())
                    } else {
                        Err("has a focal length, sensor width, focus distance or aperture out of range".into())
                    }
                },
            )?;
            if !(0.0..=1.0).contains(&camera.shutter) {
                return Err(wrong(
                    format!("cameras[{index}].shutter"),
                    "is not in 0..=1",
                ));
            }
        }
        for (index, light) in self.lights.iter().enumerate() {
            check_track(
                &format!("lights[{index}].pose"),
                &light.pose,
                frames,
                check_pose,
            )?;
            if !light_is_sound(&light.kind) {
                return Err(wrong(
                    format!("lights[{index}].kind"),
                    "has a power, size or angle that is negative or not finite",
                ));
            }
        }
        let surroundings = &self.environment;
        let [r, g, b] = surroundings.color;
        if !surroundings.rotation_rad.is_finite()
            || !not_negative(&[r, g, b, surroundings.strength])
        {
            return Err(wrong(
                "environment",
                "has a colour, rotation or strength that is negative or not finite",
            ));
        }
        if let Some(asset) = &surroundings.asset
            && !self.assets.iter().any(|record| record.id == *asset)
        {
            return Err(wrong(
                "environment.asset",
                format!("`{asset}` is not in `assets`"),
            ));
        }
        if let Exposure::Ev(stops) = self.exposure
            && (stops.is_nan() || stops.abs() > MAX_STOPS)
        {
            return Err(wrong(
                "exposure",
                format!("is {stops} (-{MAX_STOPS} to {MAX_STOPS} stops)"),
            ));
        }
        let mut last = 0;
        for (index, object) in self.objects.iter().enumerate() {
            if object.id <= last {
                return Err(wrong(
                    format!("objects[{index}].id"),
                    "is not above the one before (ids ascend from 1)",
                ));
            }
            last = object.id;
            if !object.scale.is_finite() || object.scale.abs().max_element() > MAX_COORDINATE {
                return Err(wrong(
                    format!("objects[{index}].scale"),
                    "is not finite or too large",
                ));
            }
            check_track(
                &format!("objects[{index}].pose"),
                &object.pose,
                frames,
                check_pose,
            )?;
            if let Some(body) = &object.body {
                let field = format!("objects[{index}].body");
                check_track(&field, body, frames, check_body)?;
            }
            let held = object.motion.iter().flat_map(|motion| &motion.held);
            for held in held {
                let field = || format!("objects[{index}].motion.held");
                let Some(other) = self.object(held.object) else {
                    let reason = format!("names object {}, which does not exist", held.object);
                    return Err(wrong(field(), reason));
                };
                let joint = usize::from(held.joint);
                let poses = object.body.iter().flat_map(Track::values);
                if object.body.is_none() || poses.into_iter().any(|b| b.joints.len() <= joint) {
                    return Err(wrong(
                        field(),
                        format!("names joint {joint}, which is not there"),
                    ));
                }
                if other.worlds.0 & !object.worlds.0 != 0 {
                    let reason = format!(
                        "names object {}, which exists in a world without its holder",
                        held.object
                    );
                    return Err(wrong(field(), reason));
                }
            }
            if let Some(physics) = &object.physics {
                for pose in &physics.step_poses {
                    check_pose(pose).map_err(|reason| {
                        wrong(format!("objects[{index}].physics.step_poses"), reason)
                    })?;
                }
            }
            if !self.assets.iter().any(|a| a.id == object.asset) {
                return Err(wrong(
                    format!("objects[{index}].asset"),
                    format!("`{}` is not in `assets`", object.asset),
                ));
            }
        }
        for (index, world) in self.worlds.iter().enumerate() {
            if index == 0 && (world.name != "full" || !world.removed.is_empty()) {
                return Err(wrong(
                    "worlds[0]",
                    "is not the world `full` with nothing removed",
                ));
            }
            if self.worlds[..index].iter().any(|w| w.name == world.name) {
                return Err(wrong(
                    format!("worlds[{index}].name"),
                    format!("`{}` is there twice", world.name),
                ));
            }
            for id in &world.removed {
                match self.object(*id) {
                    Some(object) if !object.worlds.contains(index) => {}
                    Some(_) => {
                        return Err(wrong(
                            format!("worlds[{index}].removed"),
                            format!("names object {id}, which exists in that world"),
                        ));
                    }
                    None => {
                        return Err(wrong(
                            format!("worlds[{index}].removed"),
                            format!("names object {id}, which does not exist"),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

fn not_negative(values: &[f32]) -> bool {
    values.iter().all(|v| v.is_finite() && *v >= 0.0)
}

fn light_is_sound(kind: &LightKind) -> bool {
    match kind {
        LightKind::Sun(sun) => {
            not_negative(&sun.irradiance) && not_negative(&[sun.angular_diameter_rad])
        }
        LightKind::Point { watts, radius } => not_negative(watts) && not_negative(&[*radius]),
        LightKind::Spot {
            watts,
            radius,
            outer_half_angle_rad,
            blend,
        } => not_negative(watts) && not_negative(&[*radius, *outer_half_angle_rad, *blend]),
        LightKind::Area { watts, size } => not_negative(watts) && not_negative(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shot::{Attempts, Camera, Environment, Lens, SCHEMA_VERSION, View, World, WorldSet};

    fn sound() -> Shot {
        Shot {
            schema_version: SCHEMA_VERSION,
            recipe: "removal".into(),
            seed: 0,
            sample_id: "000000".into(),
            video_fps: 16.0,
            frame_time_secs: 0.04,
            physics_step_secs: 1.0 / 240.0,
            frame_count: 2,
            resolution: [64, 64],
            exposure: Exposure::Auto,
            view: View::Filmic,
            worlds: vec![World {
                name: "full".into(),
                removed: vec![],
            }],
            cameras: vec![Camera {
                name: "camera".into(),
                pose: Track::Constant(Pose::IDENTITY),
                lens: Track::Constant(Lens {
                    focal_length_mm: 35.0,
                    sensor_width_mm: 32.0,
                    aperture_radius: 0.0,
                    focus_distance: 10.0,
                    shift: [0.0; 2],
                }),
                shutter: 0.0,
            }],
            environment: Environment {
                asset: None,
                color: [1.0; 3],
                rotation_rad: 0.0,
                strength: 1.0,
            },
            lights: vec![],
            objects: vec![],
            contacts: vec![],
            assets: vec![],
            attempts: Attempts::default(),
            night: false,
            light_description: String::new(),
        }
    }

    #[test]
    fn wild_values_are_refused_with_the_name_of_the_field() {
        sound().validate().unwrap();
        let refused = |field: &str, change: &dyn Fn(&mut Shot)| {
            let mut shot = sound();
            change(&mut shot);
            let message = shot.validate().unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
            assert!(!message.contains('\n'));
        };
        refused("frame_count", &|s| s.frame_count = 1_000_000_000);
        refused("frame_count", &|s| s.frame_count = 0);
        refused("resolution", &|s| s.resolution = [64, 1 << 30]);
        refused("video_fps", &|s| s.video_fps = f64::NAN);
        refused("cameras[0].pose", &|s| {
            let mut pose = Pose::IDENTITY;
            pose.position.x = 1.0e30;
            s.cameras[0].pose = Track::Constant(pose);
        });
        refused("cameras[0].pose", &|s| {
            s.cameras[0].pose = Track::PerFrame(vec![Pose::IDENTITY; 3]);
        });
        refused("environment", &|s| s.environment.strength = f32::INFINITY);
        refused("environment.asset", &|s| {
            s.environment.asset = Some("sky".into());
        });
        refused("exposure", &|s| s.exposure = Exposure::Ev(f32::NAN));
        refused("worlds[0]", &|s| s.worlds[0].removed = vec![1]);
        refused("worlds[1].removed", &|s| {
            s.worlds.push(World {
                name: "removed".into(),
                removed: vec![7],
            });
        });
        refused("worlds", &|s| s.worlds.clear());
        assert!(WorldSet::first(2).contains(1) && !WorldSet::first(2).contains(2));
    }

    #[test]
    fn a_newer_file_is_refused_before_its_fields_are_read() {
        let text = sound().to_json().replacen(
            "\"schema_version\": 1",
            "\"schema_version\": 99, \"new_field\": true",
            1,
        );
        assert!(matches!(
            Shot::from_json(&text),
            Err(ShotError::Newer { found: 99 })
        ));
        for text in ["", "{", "[]", "{\"schema_version\": 1}", "nonsense"] {
            assert!(matches!(Shot::from_json(text), Err(ShotError::Parse(_))));
        }
    }
}
