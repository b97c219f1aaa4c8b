//! Pictures of the first frame for those who repaint it.

use std::path::Path;

use diorama_synth::frame::Labels;
use diorama_synth::shot::{Role, Shot};
use diorama_video::{write_png_gray8, write_png_gray16, write_png_rgb8};
use glam::Vec3;

use super::place::CONTROLS;
use crate::error::{Result, fs_error};

/// Writes the controls of frame 0 into `folder`:
///
/// * `inverse_depth.png`, `inverse_depth_16.png`: (1/z − least)/(largest − least) over the picture
///   from 0 to 255 and to 65535, near is white; the environment has 1/z = 0,
/// * `normals.png`: shading normal n in camera space (x right, y up, z to the camera) as
///   255·(n + 1)/2; the environment is black,
/// * `mask.png`: 255 where an object is seen that is not background.
pub(super) fn write(folder: &Path, shot: &Shot, labels: &Labels) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(fs_error("create", folder))?;
    let [width, height] = shot.resolution;
    let [depth8, depth16, normals, mask] = CONTROLS.map(|name| folder.join(format!("{name}.png")));

    let inverse: Vec<f32> = labels.depth.data.iter().map(|z| 1.0 / z).collect();
    let finite = inverse.iter().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f32::INFINITY, 0.0f32), |(low, high), v| {
        (low.min(*v), high.max(*v))
    });
    let shares: Vec<f32> = inverse
        .iter()
        .map(|v| {
            let share = (v - low) / (high - low);
            if share.is_finite() {
                share.clamp(0.0, 1.0)
            } else {
                0.0
            }
        })
        .collect();
    let bytes: Vec<u8> = shares
        .iter()
        .map(|v| libm::rintf(v * 255.0) as u8)
        .collect();
    let words: Vec<u16> = shares
        .iter()
        .map(|v| libm::rintf(v * 65535.0) as u16)
        .collect();
    write_png_gray8(&depth8, width, height, &bytes)?;
    write_png_gray16(&depth16, width, height, &words)?;

    let camera_from_world = shot
        .cameras
        .first()
        .map(|camera| camera.pose.at(0).rotation.inverse())
        .unwrap_or_default();
    let colours: Vec<u8> = labels
        .normal
        .data
        .iter()
        .flat_map(|normal| {
            if *normal == Vec3::ZERO {
                return [0; 3];
            }
            let n = camera_from_world * *normal;
            n.to_array()
                .map(|v| libm::rintf(255.0 * (v + 1.0) / 2.0).clamp(0.0, 255.0) as u8)
        })
        .collect();
    write_png_rgb8(&normals, width, height, &colours)?;

    let foreground: Vec<u32> = shot
        .objects
        .iter()
        .filter(|object| object.role != Role::Background)
        .map(|object| object.id)
        .collect();
    let seen: Vec<u8> = labels
        .instance
        .data
        .iter()
        .map(|id| if foreground.contains(id) { 255 } else { 0 })
        .collect();
    Ok(write_png_gray8(&mask, width, height, &seen)?)
}
