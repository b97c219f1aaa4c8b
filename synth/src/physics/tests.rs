//! Known answers and laws of the simulation.

use std::sync::Arc;

use glam::{Quat, Vec3};

use super::*;
use crate::shot::Pose;
use crate::stream::Stream;

const GRAVITY: Vec3 = Vec3::new(0.0, 0.0, -10.0);

/// `intervals` frames of `steps_per_frame` steps, every step recorded.
fn frames(steps_per_frame: u32, intervals: u32) -> Timing {
    Timing {
        steps_per_frame,
        intervals,
        keep_steps: true,
    }
}

fn floor() -> Body {
    Body {
        id: 1,
        shape: Arc::new(BodyShape::floor()),
        motion: Motion::Fixed,
        friction: 0.5,
        restitution: 0.5,
        pose: Pose::IDENTITY,
    }
}

fn cube(id: u32, position: Vec3, velocity: Vec3) -> Body {
    Body {
        id,
        shape: Arc::new(BodyShape::cuboid(Vec3::splat(0.5)).unwrap()),
        motion: Motion::Dynamic {
            mass_kg: 1.0,
            linear_velocity: velocity,
        },
        friction: 0.5,
        restitution: 0.5,
        pose: Pose {
            position,
            rotation: Quat::IDENTITY,
        },
    }
}

fn sphere(id: u32, radius: f32, position: Vec3) -> Body {
    let mut points = Vec::new();
    for i in 0..24 {
        for j in 0..=12 {
            let azimuth = i as f32 * core::f32::consts::TAU / 24.0;
            let polar = j as f32 * core::f32::consts::PI / 12.0;
            points.push(Vec3::new(
                libm::sinf(polar) * libm::cosf(azimuth),
                libm::sinf(polar) * libm::sinf(azimuth),
                libm::cosf(polar),
            ));
        }
    }
    Body {
        shape: Arc::new(BodyShape::of_pieces("sphere", &[points], Vec3::splat(radius)).unwrap()),
        ..cube(id, position, Vec3::ZERO)
    }
}

#[test]
fn free_fall_follows_the_parabola() {
    let velocity = Vec3::new(1.0, -2.0, 3.0);
    let start = Vec3::new(0.5, 0.5, 20.0);
    let recording = simulate(
        &[floor(), cube(2, start, velocity)],
        GRAVITY,
        frames(10, 24),
    )
    .unwrap();
    for (frame, pose) in recording.frames[1].iter().enumerate() {
        let t = frame as f32 * 10.0 / 240.0;
        let expected = start + velocity * t + GRAVITY * (0.5 * t * t);
        let error = (pose.position - expected).length();
        // Symplectic Euler with substeps is g·t·h/2 off; h ≤ 1/240 s.
        assert!(error <= 10.0 * t / 480.0 + 1e-4, "{error} m at {t} s");
    }
    assert!(recording.contacts.is_empty());
}

#[test]
fn a_sliding_cube_stops_where_friction_says() {
    let speed = 3.0;
    let mut slider = cube(2, Vec3::new(0.0, 0.0, 0.5), Vec3::new(speed, 0.0, 0.0));
    // Flat, so that it cannot tip.
    slider.shape = Arc::new(BodyShape::cuboid(Vec3::new(0.5, 0.5, 0.1)).unwrap());
    slider.pose.position.z = 0.1;
    let recording = simulate(&[floor(), slider], GRAVITY, frames(10, 48)).unwrap();
    let travelled = recording.frames[1].last().unwrap().position.x;
    let expected = speed * speed / (2.0 * 0.5 * 10.0);
    assert!(
        (travelled / expected - 1.0).abs() < 0.05,
        "{travelled} m, expected {expected} m"
    );
}

#[test]
fn a_bounce_keeps_the_square_of_the_restitution() {
    for height in [0.3f32, 1.0, 3.0] {
        let ball = sphere(2, 0.5, Vec3::new(0.0, 0.0, 0.5 + height));
        let recording = simulate(&[floor(), ball], GRAVITY, frames(1, 480)).unwrap();
        let heights: Vec<f32> = recording.frames[1]
            .iter()
            .map(|pose| pose.position.z - 0.5)
            .collect();
        let landing = heights
            .iter()
            .position(|h| *h < 0.02)
            .expect("it reaches the floor");
        let rebound = heights[landing..].iter().copied().fold(0.0, f32::max);
        let expected = 0.25 * height;
        assert!(
            (rebound / expected - 1.0).abs() < 0.12,
            "{rebound} m after {height} m, expected {expected} m"
        );
    }
}

#[test]
fn contacts_name_who_when_and_how_hard() {
    let recording = simulate(
        &[floor(), cube(2, Vec3::new(0.0, 0.0, 1.75), Vec3::ZERO)],
        GRAVITY,
        frames(8, 40),
    )
    .unwrap();
    let first = &recording.contacts[0];
    assert_eq!(first.objects, [1, 2]);
    // 1.25 m in half a second: frame 15 of 1/30 s.
    assert!((14..=15).contains(&first.frame), "frame {}", first.frame);
    // 5 m/s in, 2.5 m/s out, 1 kg.
    assert!((first.impulse - 7.5).abs() < 1.0, "{} N·s", first.impulse);
    assert!(first.position.z.abs() < 0.02);
}

#[test]
fn settled_bodies_rest_within_two_millimetres_and_stay_where_they_are() {
    let mut stream = Stream::new(3, "settle", "pile");
    let mut bodies = vec![floor()];
    for i in 0..6 {
        let turn = Quat::from_xyzw(
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
        )
        .normalize();
        let mut body = if i % 2 == 0 {
            cube(i + 2, Vec3::ZERO, Vec3::ZERO)
        } else {
            sphere(i + 2, 0.4, Vec3::ZERO)
        };
        body.pose = Pose {
            position: Vec3::new(
                (i % 2) as f32 * 0.7,
                (i / 2) as f32 * 1.1,
                1.0 + 1.5 * i as f32,
            ),
            rotation: turn,
        };
        bodies.push(body);
    }
    let poses = settle(&bodies, GRAVITY, 20.0).unwrap().expect("at rest");
    for (body, depth) in bodies.iter().zip(penetrations(&bodies, &poses, 0)) {
        assert!(depth < 2e-3, "object {} is {depth} m inside", body.id);
    }
    for (body, gap) in bodies.iter().zip(gaps(&bodies, &poses, 0.1)).skip(1) {
        assert!(gap.unwrap() < 2e-3, "object {} hovers {gap:?}", body.id);
    }
    // Started from there without damping, nothing drifts.
    for (body, pose) in bodies.iter_mut().zip(&poses) {
        body.pose = *pose;
    }
    let recording = simulate(&bodies, GRAVITY, frames(8, 60)).unwrap();
    for (body, frames) in bodies.iter().zip(&recording.frames) {
        let drift = (frames.last().unwrap().position - body.pose.position).length();
        assert!(drift < 5e-3, "object {} drifts {drift} m", body.id);
    }
}

/// A pile that reaches every part of the solver: tosses, rolls, compound shapes, long contacts.
fn pile() -> Vec<Body> {
    let mut stream = Stream::new(11, "physics", "pile");
    let mut bodies = vec![floor()];
    for i in 0..8u32 {
        let position = Vec3::new(
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
            1.0 + 1.3 * i as f32,
        );
        let mut body = match i % 3 {
            0 => cube(i + 2, position, Vec3::new(1.0, 0.0, 0.0)),
            1 => sphere(i + 2, 0.45, position),
            _ => {
                let cuboid = |half: Vec3, center: Vec3| -> Vec<Vec3> {
                    (0..8)
                        .map(|k| {
                            center
                                + Vec3::select(
                                    glam::BVec3::new(k & 1 == 1, k & 2 == 2, k & 4 == 4),
                                    half,
                                    -half,
                                )
                        })
                        .collect()
                };
                let pieces = [
                    cuboid(Vec3::new(0.6, 0.2, 0.2), Vec3::ZERO),
                    cuboid(Vec3::new(0.2, 0.2, 0.4), Vec3::new(-0.4, 0.0, 0.6)),
                ];
                Body {
                    shape: Arc::new(BodyShape::of_pieces("l", &pieces, Vec3::ONE).unwrap()),
                    ..cube(i + 2, position, Vec3::ZERO)
                }
            }
        };
        body.pose.rotation = Quat::from_xyzw(
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
            stream.range(-1.0, 1.0) as f32,
            1.0,
        )
        .normalize();
        bodies.push(body);
    }
    bodies
}

fn digest(recording: &Recording) -> (usize, String) {
    let mut bytes = Vec::new();
    for pose in recording.steps.iter().flatten() {
        for value in pose
            .position
            .to_array()
            .into_iter()
            .chain(pose.rotation.to_array())
        {
            bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }
    for contact in &recording.contacts {
        bytes.extend_from_slice(&contact.frame.to_le_bytes());
        bytes.extend(contact.objects.iter().flat_map(|id| id.to_le_bytes()));
        bytes.extend_from_slice(&contact.impulse.to_bits().to_le_bytes());
    }
    (bytes.len(), blake3::hash(&bytes).to_hex()[..16].to_owned())
}

#[test]
fn poses_are_the_same_bits_every_time_on_any_thread_and_any_machine() {
    let alone = digest(&simulate(&pile(), GRAVITY, frames(8, 60)).unwrap());
    let beside: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| digest(&simulate(&pile(), GRAVITY, frames(8, 60)).unwrap())))
            .collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    for other in beside {
        assert_eq!(alone, other);
    }
    // (bytes, blake3): a changed length means that contacts changed in number, a changed digest
    // that values did. Both change with a version of rapier or parry, and with nothing else.
    assert_eq!((alone.0, alone.1.as_str()), GOLDEN_PILE);
}

const GOLDEN_PILE: (usize, &str) = (122_012, "9f8eab6dd45bf1fe");

#[test]
fn a_longer_clip_begins_with_the_shorter_one() {
    let short = simulate(&pile(), GRAVITY, frames(8, 20)).unwrap();
    let long = simulate(&pile(), GRAVITY, frames(8, 30)).unwrap();
    for (short, long) in short.frames.iter().zip(&long.frames) {
        assert_eq!(short[..], long[..short.len()]);
    }
}
