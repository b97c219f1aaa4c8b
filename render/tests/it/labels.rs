//! Label passes obey the laws of geometry.

use diorama_synth::shot::{Pose, Role, Track};
use glam::{Quat, Vec2, Vec3};

use crate::scenes::{Scene, at, look, matte, pair_scene, sphere, square};

#[test]
fn depth_of_a_plane_is_linear_in_inverse_depth_and_distance_follows() {
    let mut scene = Scene::new(
        [32, 24],
        look(Vec3::new(0.0, -5.0, 3.0), Vec3::ZERO),
        [1.0; 3],
    );
    scene.add(
        "floor",
        square(),
        matte([0.5; 3]),
        Vec3::splat(30.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    let labels = scene.renderer(1).label_frame(0).labels;
    for row in 0..24 {
        for column in 1..31 {
            let inverse = |c| 1.0 / f64::from(*labels.depth.at(c, row));
            if *labels.instance.at(column, row) == 1
                && inverse(column - 1).is_normal()
                && inverse(column + 1).is_normal()
            {
                let bend = inverse(column - 1) - 2.0 * inverse(column) + inverse(column + 1);
                assert!(
                    bend.abs() < 1e-5 * inverse(column),
                    "bend {bend} at {column} {row}"
                );
                let at = Vec2::new(column as f32 + 0.5 - 16.0, row as f32 + 0.5 - 12.0) / 32.0
                    * (32.0 / 35.0);
                let expected = labels.depth.at(column, row) * (1.0 + at.length_squared()).sqrt();
                assert!((labels.distance.at(column, row) / expected - 1.0).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn flow_of_static_scene_is_camera_motion_only() {
    let mut scene = pair_scene([64, 48], &[3]);
    scene.shot.frame_count = 3;
    let (a, b) = (Vec3::new(0.0, -7.0, 3.0), Vec3::new(0.4, -6.8, 3.1));
    let poses: Vec<Pose> = (0..5)
        .map(|i| look(a.lerp(b, i as f32 / 4.0), Vec3::new(0.0, 0.0, 0.7)))
        .collect();
    scene.shot.cameras[0].pose = Track::PerFrame(poses.clone());
    let labels = scene.renderer(1).label_frame(1).labels;
    let lens = scene.shot.cameras[0].lens.at(0);
    let scale = lens.focal_length_mm / lens.sensor_width_mm * 64.0;
    let project = |pose: &Pose, p: Vec3| {
        let v = pose.rotation.inverse() * (p - pose.position);
        Vec2::new(32.0 - v.x / v.z * scale, 24.0 + v.y / v.z * scale)
    };
    let (now, next) = (&poses[2], &poses[3]);
    let mut checked = 0;
    for row in 0..48 {
        for column in 0..64 {
            if *labels.instance.at(column, row) == 0 {
                continue;
            }
            // World position from depth alone, then through the next camera.
            let position = Vec2::new(column as f32 + 0.5, row as f32 + 0.5);
            let depth = *labels.depth.at(column, row);
            let v = Vec3::new(
                (position.x - 32.0) / scale,
                (24.0 - position.y) / scale,
                -1.0,
            ) * depth;
            let expected = project(next, now.position + now.rotation * v) - position;
            let found = *labels.flow_forward.at(column, row);
            assert!(
                (found - expected).length() < 2e-3,
                "{found} {expected} at {column} {row}"
            );
            checked += 1;
        }
    }
    assert!(checked > 1000);
}

#[test]
fn surface_identity_gives_back_the_position_under_any_motion() {
    let mut scene = Scene::new(
        [40, 40],
        look(Vec3::new(0.0, -4.0, 0.0), Vec3::ZERO),
        [1.0; 3],
    );
    scene.add(
        "ball",
        sphere(),
        matte([0.5; 3]),
        Vec3::splat(0.8),
        at(0.0, 0.0, 0.0),
        Role::Keep,
    );
    scene.shot.frame_count = 2;
    let turning = |f: f32| Pose {
        position: Vec3::new(0.1 * f, 0.0, 0.05 * f),
        rotation: Quat::from_rotation_z(0.1 * f),
    };
    scene.shot.objects[0].pose = Track::PerFrame((0..4).map(|i| turning(i as f32)).collect());
    let renderer = scene.renderer(1);
    let (first, second) = (
        renderer.label_frame(0).labels,
        renderer.label_frame(1).labels,
    );
    let mesh = &scene.assets.models["ball"].meshes[0];
    let mut followed = 0;
    for row in 0..40 {
        for column in 0..40 {
            if *first.instance.at(column, row) == 0 || first.occlusion.at(column, row) & 1 == 1 {
                continue;
            }
            let there = Vec2::new(column as f32 + 0.5, row as f32 + 0.5)
                + *first.flow_forward.at(column, row);
            let s = first.surface.at(column, row);
            let [a, b, c] =
                mesh.triangles[s.primitive as usize].map(|i| mesh.positions[i as usize]);
            let local = a + (b - a) * s.barycentrics.x + (c - a) * s.barycentrics.y;
            let pose = turning(2.0);
            let world = pose.position + pose.rotation * (local * 0.8);
            let depth = world.y + 4.0;
            let near = second
                .depth
                .at((there.x as u32).min(39), (there.y as u32).min(39));
            // Within a pixel the surface's slope decides: compare with the neighbourhood's depth loosely,
            // and the projection exactly.
            let scale = 35.0 / 32.0 * 40.0;
            let projected = Vec2::new(
                20.0 + world.x / depth * scale,
                20.0 - world.z / depth * scale,
            );
            assert!((projected - there).length() < 1e-3, "{projected} {there}");
            assert!(!near.is_finite() || (near - depth).abs() < 0.3);
            followed += 1;
        }
    }
    assert!(followed > 200);
}
