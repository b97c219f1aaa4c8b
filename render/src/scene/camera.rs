//! The Shot's camera, and whatever else moves, at one instant.

use std::borrow::Cow;

use diorama_assets::rig::BodyPose;
use diorama_synth::shot::{Camera, Lens, Pose, Track};
use glam::Vec3;

use crate::kernels::camera::CameraFrame;

/// `pose` between two frames; `frame` may be fractional.
pub fn pose_at(track: &Track<Pose>, frame: f64) -> Pose {
    let first = frame.floor();
    let t = (frame - first) as f32;
    let a = track.at(first as i64);
    if t == 0.0 || track.is_constant() {
        return *a;
    }
    let b = track.at(first as i64 + 1);
    // Normalised linear interpolation along the shorter arc: frames are close to each other.
    let end = if a.rotation.dot(b.rotation) < 0.0 {
        -b.rotation
    } else {
        b.rotation
    };
    Pose {
        position: a.position.lerp(b.position, t),
        rotation: (a.rotation * (1.0 - t) + end * t).normalize(),
    }
}

/// A body between two frames; `frame` may be fractional.
pub fn body_at(track: &Track<BodyPose>, frame: f64) -> Cow<'_, BodyPose> {
    let first = frame.floor();
    let t = (frame - first) as f32;
    let a = track.at(first as i64);
    if t == 0.0 || track.is_constant() {
        return Cow::Borrowed(a);
    }
    Cow::Owned(a.lerp(track.at(first as i64 + 1), t))
}

/// Camera of `frame` (may be fractional) for a picture of `resolution` pixels.
pub fn camera_frame(camera: &Camera, frame: f64, resolution: [u32; 2]) -> CameraFrame {
    let pose = pose_at(&camera.pose, frame);
    let lens: &Lens = camera.lens.at(frame.round() as i64);
    CameraFrame {
        origin: pose.position,
        right: pose.rotation * Vec3::X,
        up: pose.rotation * Vec3::Y,
        forward: pose.rotation * Vec3::NEG_Z,
        tan_half_width: 0.5 * lens.sensor_width_mm / lens.focal_length_mm,
        shift: lens.shift,
        aperture_radius: lens.aperture_radius,
        focus_distance: lens.focus_distance,
        width: resolution[0] as f32,
        height: resolution[1] as f32,
    }
}
