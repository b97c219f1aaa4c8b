//! The documented ranges of a Shot, checked when one is read.

use crate::shot::{MAX_FRAMES, MAX_WORLDS, Pose, Shot, ShotError, Track};

/// Positions beyond this, metres, are taken for damage: f32 has centimetres left there.
const MAX_COORDINATE: f32 = 1.0e5;
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
            if !self.assets.iter().any(|a| a.id == object.asset) {
                return Err(wrong(
                    format!("objects[{index}].asset"),
                    format!("`{}` is not in `assets`", object.asset),
                ));
            }
        }
        Ok(())
    }
}
