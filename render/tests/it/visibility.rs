//! What label rays say of tracked points: made from the picture they are seen in it, and not behind
//! something else.

use std::sync::Arc;

use diorama_synth::frame::{Sight, SurfacePoint};
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::{Pose, Role, Track};
use glam::{DVec2, DVec3, Quat, Vec3};

use crate::scenes::{Scene, at, look, matte, pair_scene, sphere, square};

fn center(column: u32, row: u32) -> DVec2 {
    DVec2::new(f64::from(column) + 0.5, f64::from(row) + 0.5)
}

/// Positions of a coarse irregular net over the picture.
fn net(resolution: [u32; 2], count: u32) -> Vec<DVec2> {
    // Kronecker sequence of the plastic number.
    (0..count)
        .map(|i| {
            let at = |step: f64| (0.5 + step * f64::from(i)).fract();
            DVec2::new(
                at(0.754_877_666) * f64::from(resolution[0]),
                at(0.569_840_296) * f64::from(resolution[1]),
            )
        })
        .collect()
}

#[test]
fn every_point_made_from_a_label_pixel_is_visible_in_its_own_frame() {
    let mut scene = pair_scene([96, 64], &[3]);
    scene.shot.frame_count = 2;
    scene.shot.objects[1].pose = Track::PerFrame(
        (0..4)
            .map(|f| Pose {
                position: Vec3::new(-1.2 + 0.2 * f as f32, 1.0, 0.9),
                rotation: Quat::from_rotation_z(0.3 * f as f32),
            })
            .collect(),
    );
    let renderer = scene.renderer(1);
    for frame in 0..2 {
        let surface = renderer.label_frame(frame).labels.surface;
        let tracer = renderer.visibility(i64::from(frame));
        let sights: Vec<Sight> = (0..64u32)
            .flat_map(|row| (0..96).map(move |column| (column, row)))
            .map(|(column, row)| Sight {
                position: center(column, row),
                point: *surface.at(column, row),
            })
            .collect();
        let visible = tracer.are_visible(&sights);
        assert_eq!(visible.iter().filter(|v| !**v).count(), 0, "frame {frame}");
        let positions: Vec<DVec2> = sights.iter().map(|s| s.position).collect();
        let found = tracer.surfaces_at(&positions);
        let other = found.iter().zip(&sights);
        let differ = other.filter(|(a, b)| a.instance != b.point.instance);
        assert_eq!(
            differ.count(),
            0,
            "surfaces of pixel centres are the labels'"
        );
    }
}

#[test]
fn geometry_projects_points_back_to_where_their_ray_went() {
    let scene = pair_scene([320, 200], &[3]);
    let renderer = scene.renderer(1);
    let tracer = renderer.visibility(0);
    let posed = ShotGeometry::new(Arc::new(scene.shot.clone()), &scene.assets)
        .unwrap()
        .at(0);
    let camera = scene.shot.cameras[0].pose.at(0);
    let lens = scene.shot.cameras[0].lens.at(0);
    let focal = f64::from(lens.focal_length_mm / lens.sensor_width_mm) * 320.0;
    let positions = net([320, 200], 4000);
    let mut sights = Vec::new();
    for (position, point) in positions.iter().zip(tracer.surfaces_at(&positions)) {
        let Some(world) = posed.world_position(&point) else {
            assert_eq!(point.instance, 0);
            sights.push(Sight {
                position: *position,
                point,
            });
            continue;
        };
        let v: DVec3 = camera.rotation.as_dquat().inverse() * (world - camera.position.as_dvec3());
        let there = DVec2::new(160.0 - v.x / v.z * focal, 100.0 + v.y / v.z * focal);
        assert!(there.distance(*position) < 1e-3, "{there} {position}");
        sights.push(Sight {
            position: there,
            point,
        });
    }
    let hidden = tracer.are_visible(&sights).iter().filter(|v| !**v).count();
    assert_eq!(hidden, 0, "of {}", sights.len());
}

#[test]
fn what_an_occluder_covers_is_hidden() {
    let mut scene = Scene::new(
        [64, 64],
        look(Vec3::new(0.0, 0.0, 5.0), Vec3::ZERO),
        [1.0; 3],
    );
    scene.shot.cameras[0].pose = Track::Constant(Pose {
        position: Vec3::new(0.0, 0.0, 5.0),
        rotation: Quat::IDENTITY,
    });
    let wall = scene.add(
        "wall",
        square(),
        matte([0.5; 3]),
        Vec3::splat(4.0),
        at(0.0, 0.0, 0.0),
        Role::Background,
    );
    let ball = scene.add(
        "ball",
        sphere(),
        matte([0.5; 3]),
        Vec3::splat(0.5),
        at(-3.0, 0.0, 1.0),
        Role::Keep,
    );
    scene.shot.frame_count = 2;
    // In the picture in frame 1 only.
    scene.shot.objects[1].pose =
        Track::PerFrame([-9.0, -9.0, 0.0, 0.0].map(|x| at(x, 0.0, 1.0)).to_vec());
    let renderer = scene.renderer(1);
    let positions = net([64, 64], 1000);
    let points = renderer.visibility(0).surfaces_at(&positions);
    assert!(points.iter().all(|p| p.instance == wall));
    let sights: Vec<Sight> = positions
        .iter()
        .zip(&points)
        .map(|(position, point)| Sight {
            position: *position,
            point: *point,
        })
        .collect();
    let later = renderer.visibility(1);
    let now = later.surfaces_at(&positions);
    let visible = later.are_visible(&sights);
    let mut covered = 0;
    for (seen, now) in visible.iter().zip(&now) {
        assert_eq!(*seen, now.instance == wall);
        covered += u32::from(now.instance == ball);
    }
    assert!(covered > 20, "{covered}");
    // The far side of the ball itself, the environment behind the wall, and positions outside.
    let front = SurfacePoint {
        instance: ball,
        primitive: 0,
        ..SurfacePoint::default()
    };
    let sky = SurfacePoint::default();
    let middle = DVec2::splat(32.0);
    let asked = [
        Sight {
            position: middle,
            point: sky,
        },
        Sight {
            position: DVec2::new(-0.1, 3.0),
            point: points[0],
        },
        Sight {
            position: DVec2::new(3.0, 64.0),
            point: points[0],
        },
        Sight {
            position: middle,
            point: SurfacePoint {
                primitive: u32::MAX,
                ..front
            },
        },
    ];
    assert_eq!(later.are_visible(&asked), [false; 4]);
}
