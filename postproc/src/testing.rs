//! Hand-made Shots and Frames for tests: a floor and three square objects seen from above, drawn
//! without any renderer, with a shadow beside whatever is to be removed.

use diorama_synth::frame::{Frame, Labels, Plane, SecondLayer, SurfacePoint, WorldImage};
use diorama_synth::shot::{
    AssetRecord, Attempts, Camera, Contact, Environment, Exposure, Lens, Object, ObjectPhysics,
    Pose, Role, SCHEMA_VERSION, Shot, Track, View, World, WorldSet,
};
use glam::{DVec2, Quat, Vec2, Vec3};

use crate::camera::{Projection, world_from_local};

/// Side of the test pictures, pixels.
pub(crate) const SIDE: u32 = 32;
/// Frames of the test clips.
pub(crate) const FRAMES: u32 = 4;
/// Half side of every test object, metres.
pub(crate) const HALF: f32 = 0.35;

fn per_frame(pose: impl Fn(i64) -> Pose) -> Track<Pose> {
    Track::PerFrame((-1..=i64::from(FRAMES)).map(pose).collect())
}

fn at(x: f32, y: f32, z: f32) -> Pose {
    Pose {
        position: Vec3::new(x, y, z),
        rotation: Quat::IDENTITY,
    }
}

fn object(id: u32, name: &str, noun: &str, role: Role, worlds: u32, pose: Track<Pose>) -> Object {
    Object {
        id,
        name: name.into(),
        asset: format!("builtin/{noun}"),
        mesh: 0,
        materials: Vec::new(),
        role,
        noun: noun.into(),
        adjectives: Vec::new(),
        worlds: WorldSet(worlds),
        scale: Vec3::ONE,
        pose,
        body: None,
        motion: None,
        physics: (role != Role::Background).then(|| ObjectPhysics {
            mass_kg: 1.0,
            friction: 0.5,
            restitution: 0.5,
            stationary: true,
            largest_penetration: 0.001,
            resting_gap: Some(0.0),
            step_poses: Vec::new(),
        }),
    }
}

fn record(noun: &str, license: &str) -> AssetRecord {
    AssetRecord {
        id: format!("builtin/{noun}"),
        blake3: "0".repeat(64),
        license: license.into(),
        attribution: "Diorama".into(),
        noun: noun.into(),
        mass_kg: None,
        friction: None,
        restitution: None,
    }
}

fn shot(worlds: &[(&str, &[u32])], objects: Vec<Object>) -> Shot {
    Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "removal".into(),
        seed: 7,
        sample_id: "000007".into(),
        video_fps: 16.0,
        frame_time_secs: 1.0 / 24.0,
        physics_step_secs: 1.0 / 240.0,
        frame_count: FRAMES,
        resolution: [SIDE, SIDE],
        exposure: Exposure::Ev(0.0),
        view: View::Standard,
        worlds: worlds
            .iter()
            .map(|(name, removed)| World {
                name: (*name).into(),
                removed: removed.to_vec(),
            })
            .collect(),
        cameras: vec![Camera {
            name: "camera".into(),
            // Straight above, looking down; +Y of the world is up in the picture.
            pose: per_frame(|frame| at(0.02 * frame as f32, 0.0, 6.0)),
            lens: Track::Constant(Lens {
                focal_length_mm: 35.0,
                sensor_width_mm: 32.0,
                aperture_radius: 0.0,
                focus_distance: 6.0,
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
        lights: Vec::new(),
        objects,
        contacts: vec![Contact {
            frame: 1,
            objects: [1, 2],
            position: Vec3::ZERO,
            impulse: 0.1,
        }],
        assets: ["floor", "ball", "cube", "gear"]
            .iter()
            .map(|noun| record(noun, "MIT OR Apache-2.0"))
            .collect(),
        attempts: Attempts::default(),
        night: false,
        light_description: "under a clear evening sky".into(),
    }
}

/// Floor 1, ball 2 (removed in `removed`), cube 3 (removed in `removed_2`), gear 4 (always kept,
/// and the only one that moves).
pub(crate) fn two_tuple_shot() -> Shot {
    let still = |x, y| Track::Constant(at(x, y, HALF));
    shot(
        &[("full", &[]), ("removed", &[2]), ("removed_2", &[3])],
        vec![
            object(
                1,
                "floor",
                "floor",
                Role::Background,
                u32::MAX,
                Track::Constant(Pose::IDENTITY),
            ),
            object(2, "ball", "ball", Role::Remove, 0b101, still(-1.2, 0.8)),
            object(3, "cube", "cube", Role::Keep, 0b011, still(1.1, -0.9)),
            object(
                4,
                "gear",
                "gear",
                Role::Keep,
                u32::MAX,
                per_frame(|frame| at(0.1 + 0.06 * frame as f32, 1.3, HALF)),
            ),
        ],
    )
}

/// The first tuple of [`two_tuple_shot`] alone.
pub(crate) fn one_tuple_shot() -> Shot {
    let mut shot = two_tuple_shot();
    shot.worlds.truncate(2);
    shot.objects[2].worlds = WorldSet::ALL;
    shot
}

/// [`one_tuple_shot`] with a layer world for each foreground object.
pub(crate) fn layered_shot() -> Shot {
    let mut shot = one_tuple_shot();
    for (name, id) in [("ball", 2u32), ("cube", 3)] {
        let world = shot.worlds.len();
        shot.worlds.push(World {
            name: format!("layer/{name}"),
            removed: vec![id],
        });
        let object = &mut shot.objects[id as usize - 1];
        object.worlds = WorldSet(object.worlds.0 & 0b1111).without(world);
    }
    shot.objects[1].worlds = WorldSet(0b1001);
    shot
}

/// Floor 1, ball 2 (removed), cube 3 as it moves with the ball there, cube 4 as it moves without.
pub(crate) fn counterfactual_shot() -> Shot {
    shot(
        &[("full", &[]), ("removed", &[2, 3])],
        vec![
            object(
                1,
                "floor",
                "floor",
                Role::Background,
                u32::MAX,
                Track::Constant(Pose::IDENTITY),
            ),
            object(
                2,
                "ball",
                "ball",
                Role::Remove,
                0b01,
                Track::Constant(at(-1.2, 0.8, HALF)),
            ),
            object(
                3,
                "cube",
                "cube",
                Role::Keep,
                0b01,
                per_frame(|frame| at(1.1 + 0.02 * frame as f32, -0.9, HALF)),
            ),
            object(
                4,
                "cube",
                "cube",
                Role::Keep,
                0b10,
                per_frame(|frame| at(1.1 - 0.1 * frame as f32, -0.9, HALF)),
            ),
        ],
    )
}

/// Object id, and point in the world, of what a ray through `pixel` meets: objects are flat squares
/// at their upper side, the floor is the plane z = 0.
fn hit(shot: &Shot, world: usize, frame: i64, pixel: DVec2) -> (u32, glam::DVec3) {
    let projection = Projection::of(&shot.cameras[0], frame, shot.resolution);
    let origin = projection
        .world_from_camera
        .transform_point3(glam::DVec3::ZERO);
    let direction = projection.direction_in_world(pixel);
    let on_plane = |z: f64| origin + direction * ((z - origin.z) / direction.z);
    for object in shot.objects.iter().skip(1) {
        if !object.worlds.contains(world) {
            continue;
        }
        let pose = object.pose.at(frame);
        let point = on_plane(f64::from(pose.position.z + HALF));
        let local = point - pose.position.as_dvec3();
        if local.x.abs() <= f64::from(HALF) && local.y.abs() <= f64::from(HALF) {
            return (object.id, point);
        }
    }
    (1, on_plane(0.0))
}

/// Frame `index`, drawn analytically. The picture is smooth, so that it survives lossy video.
pub(crate) fn frame(shot: &Shot, index: u32) -> Frame {
    let f = i64::from(index);
    let [width, height] = shot.resolution;
    let camera = &shot.cameras[0];
    let count = (width * height) as usize;
    let pixel = |i: usize| {
        DVec2::new(
            (i % width as usize) as f64 + 0.5,
            (i / width as usize) as f64 + 0.5,
        )
    };
    let ids: Vec<Vec<u32>> = (0..shot.worlds.len())
        .map(|world| {
            (0..count)
                .map(|i| hit(shot, world, f, pixel(i)).0)
                .collect()
        })
        .collect();
    let plane_of = |data: Vec<u32>| Plane {
        width,
        height,
        data,
    };

    // Radiance: a colour per object on a soft gradient; whatever is missing from some other world
    // has a shadow on the floor beside it (to the right).
    let radiance_of = |world: usize, i: usize| {
        let id = ids[world][i];
        let base = match id {
            1 => Vec3::splat(0.30),
            2 => Vec3::new(0.70, 0.15, 0.10),
            3 => Vec3::new(0.12, 0.25, 0.65),
            _ => Vec3::new(0.20, 0.55, 0.20),
        };
        let gradient = 1.0 + 0.2 * (i as f32 / count as f32);
        let shadow_from = i - (i % width as usize).min(3);
        let caster = ids[world][shadow_from];
        let moves_or_goes = caster > 1
            && shot
                .object(caster)
                .is_some_and(|o| !(0..shot.worlds.len()).all(|w| o.worlds.contains(w)));
        let shadow = if id == 1 && moves_or_goes { 0.7 } else { 1.0 };
        base * gradient * shadow
    };
    let worlds: Vec<WorldImage> = (0..shot.worlds.len())
        .map(|world| {
            let radiance: Vec<Vec3> = (0..count).map(|i| radiance_of(world, i)).collect();
            let touched = (0..count)
                .map(|i| {
                    let others = if world == 0 {
                        1..shot.worlds.len()
                    } else {
                        0..1
                    };
                    let differs = others
                        .into_iter()
                        .any(|other| radiance_of(other, i) != radiance[i]);
                    u8::from(differs)
                })
                .collect();
            let display = radiance
                .iter()
                .map(|v| (*v * 255.0).to_array().map(|c| c.clamp(0.0, 255.0) as u8))
                .collect();
            WorldImage {
                radiance: Plane {
                    width,
                    height,
                    data: radiance,
                },
                denoised: Plane::default(),
                display: Plane {
                    width,
                    height,
                    data: display,
                },
                touched: Plane {
                    width,
                    height,
                    data: touched,
                },
            }
        })
        .collect();

    let now = Projection::of(camera, f, shot.resolution);
    let mut labels = Labels {
        instance: plane_of(ids[0].clone()),
        depth: Plane::filled(width, height, 0.0),
        distance: Plane::filled(width, height, 0.0),
        normal: Plane::filled(width, height, Vec3::Z),
        normal_geometric: Plane::filled(width, height, Vec3::Z),
        albedo: Plane::filled(width, height, Vec3::splat(0.5)),
        uv: Plane::filled(width, height, Vec2::ZERO),
        surface: Plane::filled(width, height, SurfacePoint::default()),
        flow_forward: Plane::filled(width, height, Vec2::ZERO),
        flow_backward: Plane::filled(width, height, Vec2::ZERO),
        occlusion: Plane::filled(width, height, 0),
        second: SecondLayer {
            instance: Plane::filled(width, height, 0),
            distance: Plane::filled(width, height, f32::INFINITY),
            normal: Plane::filled(width, height, Vec3::ZERO),
            surface: Plane::filled(width, height, SurfacePoint::default()),
            transmittance: Plane::filled(width, height, Vec3::ZERO),
        },
    };
    for i in 0..count {
        let (id, point) = hit(shot, 0, f, pixel(i));
        let (_, depth) = now.pixel_from_world(point).expect("in front of the camera");
        labels.depth.data[i] = depth as f32;
        labels.distance.data[i] = (point - now.world_from_camera.w_axis.truncate()).length() as f32;
        labels.surface.data[i].instance = id;
        let pose = &shot.object(id).expect("drawn from the shot").pose;
        let local = world_from_local(pose.at(f))
            .inverse()
            .transform_point3(point);
        for (step, flow, bit) in [
            (1, &mut labels.flow_forward, 1u8),
            (-1, &mut labels.flow_backward, 2u8),
        ] {
            let there = world_from_local(pose.at(f + step)).transform_point3(local);
            let (target, _) = Projection::of(camera, f + step, shot.resolution)
                .pixel_from_world(there)
                .expect("in front of the camera");
            flow.data[i] = (target - pixel(i)).as_vec2();
            let inside = target.cmpge(DVec2::ZERO).all()
                && target.x < f64::from(width)
                && target.y < f64::from(height);
            if !inside || hit(shot, 0, f + step, target).0 != id {
                labels.occlusion.data[i] |= bit;
            }
        }
    }

    let role_of = |id: u32| shot.object(id).map_or(Role::Background, |o| o.role);
    let coverage = ids[0]
        .iter()
        .map(|id| match role_of(*id) {
            Role::Background => Vec3::X,
            Role::Keep => Vec3::Y,
            Role::Remove => Vec3::Z,
        })
        .collect();
    let count_of = |id: u32| ids[0].iter().filter(|other| **other == id).count() as u32;
    let box_of = |id: u32| crate::effect::box_of(&ids[0], width, |other| other == id);
    Frame {
        index,
        worlds,
        instance_of_world: ids.iter().map(|ids| plane_of(ids.clone())).collect(),
        second_instance_of_world: vec![Plane::filled(width, height, 0); ids.len()],
        coverage: Plane {
            width,
            height,
            data: coverage,
        },
        amodal_pixels: shot.objects.iter().map(|o| count_of(o.id) + 2).collect(),
        visible_pixels: shot.objects.iter().map(|o| count_of(o.id)).collect(),
        visible_box: shot.objects.iter().map(|o| box_of(o.id)).collect(),
        amodal_box: shot.objects.iter().map(|o| box_of(o.id)).collect(),
        labels,
        log2_mean_luminance: -2.0,
        ..Frame::default()
    }
}
