//! Cameras as exported: intrinsics and poses in the two conventions people use.
//!
//! Everything in f64 from the Shot's f32, row-major. GL camera: −Z forward, +Y up (Blender, glTF).
//! OpenCV camera: +Z forward, +Y down. `k` has pixel centres at +0.5 (`cx = W/2`), `k_opencv` at
//! integers (`cx = W/2 − 0.5`).

use diorama_synth::shot::{Camera, Pose};
use glam::{DMat3, DMat4, DQuat, DVec2, DVec3};
use serde::{Deserialize, Serialize};

/// One camera at one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraRecord {
    /// Name in the Shot.
    pub name: String,
    /// Intrinsics in pixels, pixel centres at +0.5.
    pub k: [[f64; 3]; 3],
    /// Intrinsics in pixels, pixel centres at integers.
    pub k_opencv: [[f64; 3]; 3],
    /// Camera looks along −Z, +Y up.
    pub world_from_camera: [[f64; 4]; 4],
    /// Camera looks along +Z, +Y down.
    pub world_from_camera_opencv: [[f64; 4]; 4],
    /// Focal length, mm.
    pub focal_length_mm: f32,
    /// Sensor width, mm; it spans the image width.
    pub sensor_width_mm: f32,
    /// Aperture radius, metres; 0: pinhole.
    pub aperture_radius: f32,
    /// Distance of the plane in focus, metres.
    pub focus_distance: f32,
}

/// A rotation in f64, unit also where the stored f32 one is so only to 1e-4.
pub fn rotation(pose: &Pose) -> DQuat {
    let q = pose.rotation;
    DQuat::from_xyzw(q.x.into(), q.y.into(), q.z.into(), q.w.into()).normalize()
}

/// `world_from_local` of a pose without scale.
pub fn world_from_local(pose: &Pose) -> DMat4 {
    DMat4::from_rotation_translation(rotation(pose), pose.position.as_dvec3())
}

/// One camera of a Shot at one frame: enough to project.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    /// Pixels.
    pub focal_px: f64,
    /// Principal point, pixels, centres at +0.5.
    pub centre: DVec2,
    /// `camera_from_world`, GL.
    pub camera_from_world: DMat4,
    /// `world_from_camera`, GL.
    pub world_from_camera: DMat4,
}

impl Projection {
    /// `frame` may be −1 ..= frame_count. `resolution` in pixels.
    pub fn of(camera: &Camera, frame: i64, resolution: [u32; 2]) -> Self {
        let lens = camera.lens.at(frame);
        let [width, height] = resolution.map(f64::from);
        let world_from_camera = world_from_local(camera.pose.at(frame));
        Self {
            focal_px: f64::from(lens.focal_length_mm) / f64::from(lens.sensor_width_mm) * width,
            // Blender's shift moves the view, in image widths, +x right, +y up: the principal point
            // goes the other way.
            centre: DVec2::new(
                width / 2.0 - f64::from(lens.shift[0]) * width,
                height / 2.0 + f64::from(lens.shift[1]) * width,
            ),
            camera_from_world: world_from_camera.inverse(),
            world_from_camera,
        }
    }

    /// Pixel position and depth along the axis (metres) of a world point; `None` behind the camera.
    pub fn pixel_from_world(&self, point: DVec3) -> Option<(DVec2, f64)> {
        let p = self.camera_from_world.transform_point3(point);
        let depth = -p.z;
        (depth > 1e-9).then(|| {
            let x = self.centre.x + self.focal_px * p.x / depth;
            let y = self.centre.y - self.focal_px * p.y / depth;
            (DVec2::new(x, y), depth)
        })
    }

    /// World point seen at `pixel` (centres at +0.5) at `depth` metres along the axis.
    pub fn world_from_pixel(&self, pixel: DVec2, depth: f64) -> DVec3 {
        self.world_from_camera
            .transform_point3(self.ray_in_camera(pixel) * depth)
    }

    /// Direction in the world through `pixel`, not normalised.
    pub fn direction_in_world(&self, pixel: DVec2) -> DVec3 {
        self.world_from_camera
            .transform_vector3(self.ray_in_camera(pixel))
    }

    fn ray_in_camera(&self, pixel: DVec2) -> DVec3 {
        DVec3::new(
            (pixel.x - self.centre.x) / self.focal_px,
            (self.centre.y - pixel.y) / self.focal_px,
            -1.0,
        )
    }
}

/// Camera record of one frame (`frame` −1 ..= frame_count).
pub fn record(camera: &Camera, frame: i64, resolution: [u32; 2]) -> CameraRecord {
    let lens = camera.lens.at(frame);
    let projection = Projection::of(camera, frame, resolution);
    let k = |offset: f64| {
        let f = projection.focal_px;
        [
            [f, 0.0, projection.centre.x - offset],
            [0.0, f, projection.centre.y - offset],
            [0.0, 0.0, 1.0],
        ]
    };
    let flip = DMat4::from_mat3(DMat3::from_diagonal(DVec3::new(1.0, -1.0, -1.0)));
    CameraRecord {
        name: camera.name.clone(),
        k: k(0.0),
        k_opencv: k(0.5),
        world_from_camera: rows(projection.world_from_camera),
        world_from_camera_opencv: rows(projection.world_from_camera * flip),
        focal_length_mm: lens.focal_length_mm,
        sensor_width_mm: lens.sensor_width_mm,
        aperture_radius: lens.aperture_radius,
        focus_distance: lens.focus_distance,
    }
}

fn rows(matrix: DMat4) -> [[f64; 4]; 4] {
    // `+ 0.0` turns −0 into 0, which reads better in JSON.
    matrix
        .transpose()
        .to_cols_array_2d()
        .map(|row| row.map(|v| v + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn both_conventions_project_a_point_to_the_same_place() {
        let shot = testing::two_tuple_shot();
        let resolution = [320, 180];
        let record = record(&shot.cameras[0], 2, resolution);
        let projection = Projection::of(&shot.cameras[0], 2, resolution);
        let world = DVec3::new(0.3, -0.2, 0.7);
        let (pixel, depth) = projection.pixel_from_world(world).unwrap();

        let cv = DMat4::from_cols_array_2d(&record.world_from_camera_opencv)
            .transpose()
            .inverse()
            .transform_point3(world);
        assert!((cv.z - depth).abs() < 1e-9, "OpenCV looks along +Z");
        let u = record.k_opencv[0][0] * cv.x / cv.z + record.k_opencv[0][2];
        let v = record.k_opencv[1][1] * cv.y / cv.z + record.k_opencv[1][2];
        assert!((u + 0.5 - pixel.x).abs() < 1e-9 && (v + 0.5 - pixel.y).abs() < 1e-9);
        assert_eq!(record.k[0][2], 160.0);
        assert_eq!(record.k_opencv[1][2], 89.5);
    }

    #[test]
    fn unprojection_undoes_projection() {
        let shot = testing::two_tuple_shot();
        let projection = Projection::of(&shot.cameras[0], 0, shot.resolution);
        let world = DVec3::new(-0.4, 0.1, 0.2);
        let (pixel, depth) = projection.pixel_from_world(world).unwrap();
        assert!(projection.world_from_pixel(pixel, depth).distance(world) < 1e-9);
    }
}
