//! Label passes obey the laws of geometry.

use diorama_assets::{Material, Mesh};
use diorama_synth::frame::{Frame, SurfacePoint};
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

/// A camera at z = 5 that looks down at a pane with faces at the heights of `panes` (those below 0
/// look down), over a removed square of side 2 at z = −2 and a floor of side 8 at z = −3. Ids in
/// that order.
fn under_glass(panes: &[(f32, Material)]) -> Frame {
    let down = Pose {
        position: Vec3::new(0.0, 0.0, 5.0),
        rotation: Quat::IDENTITY,
    };
    let mut scene = Scene::new([32, 32], down, [1.0; 3]);
    // Faces of a pane are squares; the lower one of a thick pane looks down.
    let mut pane = square();
    for (height, material) in panes {
        let turned = Pose {
            position: Vec3::new(0.0, 0.0, *height),
            rotation: if *height < 0.0 {
                Quat::from_rotation_x(std::f32::consts::PI)
            } else {
                Quat::IDENTITY
            },
        };
        let name = format!("pane {height}");
        let size = Vec3::splat(50.0);
        scene.add(
            &name,
            pane.clone(),
            material.clone(),
            size,
            turned,
            Role::Keep,
        );
    }
    pane = square();
    let low = at(0.0, 0.0, -2.0);
    let (red, grey) = (matte([0.8, 0.1, 0.1]), matte([0.5; 3]));
    scene.add("box", pane.clone(), red, Vec3::ONE, low, Role::Remove);
    let floor = at(0.0, 0.0, -3.0);
    scene.add(
        "floor",
        pane,
        grey,
        Vec3::splat(4.0),
        floor,
        Role::Background,
    );
    let removed = panes.len() as u32 + 1;
    scene.world_without("removed", &[removed]);
    scene.renderer(1).label_frame(0)
}

/// Reflectance of a dielectric of index `n` at sine `sin` outside (Fresnel).
fn reflectance(n: f64, sin: f64) -> f64 {
    let inside = sin / n;
    let (c, t) = ((1.0 - sin * sin).sqrt(), (1.0 - inside * inside).sqrt());
    let (parallel, perpendicular) = ((n * c - t) / (n * c + t), (c - n * t) / (c + n * t));
    0.5 * (parallel * parallel + perpendicular * perpendicular)
}

#[test]
fn behind_a_thick_pane_lies_what_snell_says_at_the_distance_of_the_bent_path() {
    // Each face is an object of its own; rough glass shows the way of smooth glass.
    let (n, tint) = (1.5, 0.64f64);
    let glass = Material {
        base_color: [1.0, tint as f32, 0.25],
        ior: n as f32,
        transmission: 1.0,
        roughness: 0.3,
        ..Material::default()
    };
    let frame = under_glass(&[(0.0, glass.clone()), (-1.0, glass)]);
    let (labels, second) = (&frame.labels, &frame.labels.second);
    let (mut boxes, mut floors) = (0, 0);
    for row in 0..32 {
        for column in 0..32 {
            let off = Vec2::new(column as f32 - 15.5, row as f32 - 15.5) / 35.0;
            let tangent = f64::from(off.length());
            let sin = tangent / (1.0 + tangent * tangent).sqrt();
            let sin_inside = sin / n;
            let tangent_inside = sin_inside / (1.0 - sin_inside * sin_inside).sqrt();
            // 5 m of air, 1 m of glass, then air to the box at 1 m or the floor at 2 m below.
            let at_box = tangent * 6.0 + tangent_inside;
            let toward = off.as_dvec2() / tangent * at_box;
            if (toward.abs().max_element() - 1.0).abs() < 1e-3 {
                continue;
            }
            let is_box = toward.abs().max_element() < 1.0;
            let air = if is_box { 6.0 } else { 7.0 };
            assert_eq!(*labels.instance.at(column, row), 1);
            let found = *second.instance.at(column, row);
            assert_eq!(found, if is_box { 3 } else { 4 }, "{column} {row}");
            let removed = *frame.second_instance_of_world[1].at(column, row);
            assert_eq!(removed, 4, "without the box its floor is seen");
            let length =
                air / (1.0 - sin * sin).sqrt() + 1.0 / (1.0 - sin_inside * sin_inside).sqrt();
            let distance = f64::from(*second.distance.at(column, row));
            assert!(
                (distance / length - 1.0).abs() < 1e-5,
                "{distance} {length}"
            );
            let face = 1.0 - reflectance(n, sin);
            let passed = face * face;
            let through = second.transmittance.at(column, row).as_dvec3();
            for (share, colour) in through.to_array().into_iter().zip([1.0, tint, 0.25]) {
                assert!((share / (passed * colour) - 1.0).abs() < 1e-4, "{through}");
            }
            assert!((*second.normal.at(column, row) - Vec3::Z).length() < 1e-6);
            assert_eq!(second.surface.at(column, row).instance, found);
            boxes += u32::from(is_box);
            floors += u32::from(!is_box);
        }
    }
    assert!(boxes > 50 && floors > 500, "{boxes} {floors}");
    assert_eq!(
        frame.showing(3, true).filter(|shows| *shows).count(),
        boxes as usize
    );
    assert_eq!(frame.showing(3, false).filter(|shows| *shows).count(), 0);
}

#[test]
fn a_thin_pane_bends_nothing_and_what_is_no_glass_has_no_second_layer() {
    let thin = Material {
        base_color: [0.5; 3],
        transmission: 1.0,
        thin_walled: true,
        ..Material::default()
    };
    let clear = under_glass(&[(0.0, thin.clone())]);
    let plain = under_glass(&[]);
    let second = &clear.labels.second;
    // Ids behind one pane are one higher.
    for (behind, first) in second.instance.data.iter().zip(&plain.labels.instance.data) {
        assert_eq!(*behind, first + 1);
    }
    for (behind, first) in second.distance.data.iter().zip(&plain.labels.distance.data) {
        assert!((behind / first - 1.0).abs() < 1e-5);
    }
    let middle = second.transmittance.at(16, 16).x;
    assert!((middle - 0.5 * 0.96).abs() < 1e-3, "{middle}");

    // Sentinels: before an opaque pane (mostly metal), and where there is no pane.
    let metal = Material {
        metallic: 0.6,
        ..thin
    };
    for frame in [under_glass(&[(0.0, metal)]), plain] {
        let second = &frame.labels.second;
        assert!(second.instance.data.iter().all(|id| *id == 0));
        assert!(second.distance.data.iter().all(|d| *d == f32::INFINITY));
        assert!(second.transmittance.data.iter().all(|t| *t == Vec3::ZERO));
        assert!(
            second
                .surface
                .data
                .iter()
                .all(|s| *s == SurfacePoint::default())
        );
        assert!(
            frame.second_instance_of_world[1]
                .data
                .iter()
                .all(|id| *id == 0)
        );
    }
}

#[test]
fn at_total_reflection_a_prism_shows_what_is_at_its_side() {
    // A right-angled prism: the ray comes down through its top, meets the slope at 45° (more than
    // the 41.8° of total reflection) and leaves through the wall at −X, towards the screen there.
    let (x, y) = ([-1.0f32, 1.0], [-5.0f32, 5.0]);
    let mut prism = Mesh::default();
    for y in y {
        for [x, z] in [[x[0], -1.0], [x[0], 1.0], [x[1], 1.0]] {
            prism.positions.push(Vec3::new(x, y, z));
        }
    }
    prism.triangles = vec![
        [0, 2, 1],
        [3, 4, 5],
        [1, 2, 5],
        [1, 5, 4],
        [0, 1, 4],
        [0, 4, 3],
        [0, 3, 5],
        [0, 5, 2],
    ];
    prism.material_of_triangle = vec![0; 8];
    let color = [0.5f32, 1.0, 1.0];
    let glass = Material {
        base_color: [1.0; 3],
        transmission: 1.0,
        roughness: 0.0,
        attenuation_distance: 1.0,
        attenuation_color: color,
        ..Material::default()
    };
    let down = Pose {
        position: Vec3::new(0.0, 0.0, 30.0),
        rotation: Quat::IDENTITY,
    };
    let mut scene = Scene::new([9, 9], down, [1.0; 3]);
    scene.add(
        "prism",
        prism,
        glass,
        Vec3::ONE,
        at(0.0, 0.0, 0.0),
        Role::Keep,
    );
    let upright = Pose {
        position: Vec3::new(-4.0, 0.0, 0.0),
        rotation: Quat::from_rotation_y(std::f32::consts::FRAC_PI_2),
    };
    let size = Vec3::splat(3.0);
    scene.add(
        "screen",
        square(),
        matte([0.5; 3]),
        size,
        upright,
        Role::Remove,
    );
    scene.shot.cameras[0].lens = Track::Constant(diorama_synth::shot::Lens {
        focal_length_mm: 1000.0,
        ..*scene.shot.cameras[0].lens.at(0)
    });
    let labels = scene.renderer(1).label_frame(0).labels;
    assert_eq!(*labels.instance.at(4, 4), 1);
    assert_eq!(*labels.second.instance.at(4, 4), 2);
    // 29 m of air, 1 m down, 1 m to the side, 3 m of air.
    let distance = *labels.second.distance.at(4, 4);
    assert!((distance - 34.0).abs() < 1e-4, "{distance}");
    // Two faces at normal incidence, 2 m of glass that halves red at each metre.
    let expected = Vec3::new(0.25, 1.0, 1.0) * (0.96 * 0.96);
    let found = *labels.second.transmittance.at(4, 4);
    assert!((found - expected).abs().max_element() < 1e-3, "{found}");
}
