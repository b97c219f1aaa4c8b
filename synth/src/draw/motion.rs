//! What the objects do during the clip, in the full world and in worlds without some of them.

use glam::{Quat, Vec3};

use super::accept::Rejection;
use super::{Drawing, Halt, Thing};
use crate::physics::{Body, STEPS_PER_SECOND, Timing, gaps, penetrations, simulate, touching};
use crate::recipe::Stationary;
use crate::shot::{Contact, ObjectPhysics, Pose, Track};

/// Two motions are the same when no frame differs by more: metres, and the same at an arm of one
/// metre for rotations. The solver orders its sums by who is there, so bits may differ.
const SAME_MOTION: f32 = 1.0e-4;

/// One run of the physics: motions of the things given, in their order.
pub(super) struct Run {
    pub(super) tracks: Vec<Track<Pose>>,
    pub(super) physics: Vec<Option<ObjectPhysics>>,
    pub(super) contacts: Vec<Contact>,
}

/// Runs the clip with `things` (backdrop first). `steps_per_frame` is the drawn time per frame.
/// Stationary objects stay as they are when `frozen`.
pub(super) fn run(
    drawing: &Drawing<'_>,
    things: &[&Thing],
    steps_per_frame: u32,
    frozen: bool,
) -> Result<Run, Halt> {
    let bodies: Vec<Body> = things.iter().map(|thing| thing.body.clone()).collect();
    if frozen {
        return Ok(still(drawing, &bodies));
    }
    let frames = drawing.recipe.video_length;
    let keep_steps = drawing.recipe.keep_step_poses || drawing.recipe.shutter > 0.0;
    let timing = Timing {
        steps_per_frame,
        intervals: frames + 1,
        keep_steps,
    };
    let recording = simulate(&bodies, drawing.gravity(), timing).map_err(Halt::physics)?;
    let mut deepest = vec![0.0f32; bodies.len()];
    for frame in 0..=frames as usize + 1 {
        let poses: Vec<Pose> = recording.frames.iter().map(|track| track[frame]).collect();
        for (deepest, depth) in deepest.iter_mut().zip(penetrations(&bodies, &poses, frame)) {
            *deepest = deepest.max(depth);
        }
    }
    let limit = drawing.recipe.max_penetration as f32;
    if deepest.iter().any(|depth| *depth > limit) {
        return Err(Halt::Redraw(Rejection::Penetration));
    }
    let physics = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| {
            let steps = if keep_steps && !body.is_fixed() {
                // The recording starts one frame before the clip; frame N is its last.
                recording.steps[index][steps_per_frame as usize..].to_vec()
            } else {
                Vec::new()
            };
            physics_of(body, false, deepest[index], None, steps)
        })
        .collect();
    let tracks = bodies
        .iter()
        .zip(recording.frames)
        .map(|(body, frames)| {
            if body.is_fixed() {
                Track::Constant(body.pose)
            } else {
                Track::PerFrame(frames)
            }
        })
        .collect();
    let contacts = recording
        .contacts
        .into_iter()
        .filter(|contact| contact.frame < frames)
        .collect();
    Ok(Run {
        tracks,
        physics,
        contacts,
    })
}

/// The clip in which nothing moves: what touches does so in frame 0.
fn still(drawing: &Drawing<'_>, bodies: &[Body]) -> Run {
    let poses: Vec<Pose> = bodies.iter().map(|body| body.pose).collect();
    let depths = penetrations(bodies, &poses, 0);
    let settled = drawing.recipe.stationary == Stationary::Settle;
    let gaps = gaps(bodies, &poses, super::objects::RESTING);
    let contacts = touching(bodies, &poses)
        .into_iter()
        .map(|([i, j], position)| Contact {
            frame: 0,
            objects: [bodies[i].id, bodies[j].id],
            position,
            impulse: 0.0,
        })
        .collect();
    Run {
        tracks: poses.iter().map(|pose| Track::Constant(*pose)).collect(),
        physics: bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
                let gap = gaps[index].filter(|_| settled);
                physics_of(body, true, depths[index], gap, Vec::new())
            })
            .collect(),
        contacts,
    }
}

pub(crate) fn physics_of(
    body: &Body,
    stationary: bool,
    largest_penetration: f32,
    resting_gap: Option<f32>,
    step_poses: Vec<Pose>,
) -> Option<ObjectPhysics> {
    let crate::physics::Motion::Dynamic { mass_kg, .. } = body.motion else {
        return None;
    };
    Some(ObjectPhysics {
        mass_kg,
        friction: body.friction,
        restitution: body.restitution,
        stationary,
        largest_penetration,
        resting_gap,
        step_poses,
    })
}

/// Seconds of one physics step.
pub(super) fn step_secs() -> f64 {
    1.0 / f64::from(STEPS_PER_SECOND)
}

/// Do two tracks over the same frames show the same motion?
pub(super) fn same_motion(a: &Track<Pose>, b: &Track<Pose>, frames: u32) -> bool {
    (-1..=i64::from(frames)).all(|frame| {
        let (a, b) = (a.at(frame), b.at(frame));
        let moved = (a.position - b.position).length() > SAME_MOTION;
        let turned = turned_by(a.rotation, b.rotation) > SAME_MOTION;
        !moved && !turned
    })
}

/// Largest displacement of the ends of the axes between two rotations.
fn turned_by(a: Quat, b: Quat) -> f32 {
    [Vec3::X, Vec3::Y, Vec3::Z]
        .into_iter()
        .map(|axis| (a * axis - b * axis).length())
        .fold(0.0, f32::max)
}
