//! Somebody who goes over the floor, what they hold, and what stands in their way.

use std::sync::Arc;

use diorama_assets::retarget::retarget;
use glam::{Affine3A, Quat, Vec3};

use super::accept::Rejection;
use super::objects::{CLEARANCE, Group};
use super::sample::uniform;
use super::{Drawing, Halt, Thing, motion, props};
use crate::avatar::hold::{Holder, hands};
use crate::avatar::limbs::limbs;
use crate::avatar::performer::{
    around, bodies, boxes, motion_record, scale_to_fit, take_way, times,
};
use crate::avatar::prompt::person;
use crate::avatar::{AvatarError, ground};
use crate::physics::{Body, BodyShape, Led, Motion};
use crate::recipe::Stationary;
use crate::shot::{MotionRecord, Object, Pose, Role, Track, WorldSet};

/// Height, metres, of characters whose file says something senseless.
const FIT_HEIGHT: f32 = 1.7;
/// The body that others meet ends this far above the floor, metres, so that the two never touch.
const OVER_FLOOR: f32 = 0.03;

/// Draws a character and finds it a way that nothing of `backdrop` stands in; then what it holds, and what
/// lies in its way to be pushed. Nobody where the recipe wants none.
///
/// Its body is posed in place and its object moved along the way of its hips, so that feet stand as they
/// do in the motion, and what is said of objects' motions holds for it. A place must be free for a box around
/// all its poses; once it goes, others meet its limbs.
pub(super) fn draw(
    drawing: &Drawing<'_>,
    backdrop: &[Thing],
    group: &Group,
    steps_per_frame: u32,
) -> Result<Vec<Thing>, Halt> {
    let recipe = drawing.recipe;
    let mut stream = drawing.stream("character");
    let is_wanted = stream.chance(recipe.prob_character);
    let floats = group.stationary && recipe.stationary == Stationary::Float;
    if !is_wanted || floats {
        return Ok(Vec::new());
    }
    let library = drawing.library;
    let Some(performance) = library.walker(&mut |count| stream.below(count)) else {
        return Ok(Vec::new());
    };
    let model = library.model(&performance.character)?;
    let take = library.motion(&performance.motion)?;
    let rig = model
        .rig
        .as_ref()
        .ok_or_else(|| AvatarError::NoRig(performance.character.clone()))?;
    let performed = retarget(rig, &take).map_err(|source| AvatarError::Retarget {
        character: performance.character.clone(),
        motion: performance.motion.clone(),
        source,
    })?;
    let record = library.record(&performance.character)?;
    let frame_secs = f64::from(steps_per_frame) * motion::step_secs();
    let times = || times(recipe.video_length, frame_secs, 0.0);
    let hands = hands(rig, &mut drawing.stream("held"), recipe.range_held);
    let mut poses = bodies(rig, &performed, &hands, times());
    let ways: Vec<Vec3> = poses
        .iter_mut()
        .map(|pose| take_way(pose, performed.root))
        .collect();
    let scale = scale_to_fit(&model, FIT_HEIGHT);
    let mut boxes = boxes(&model, &poses, Quat::IDENTITY);
    let in_flight = ground::in_flight(&take, &performed, times());
    ground::stand(&mut poses, &mut boxes, &in_flight, scale);
    let around = around(&boxes, scale);
    let middle = ways.get(ways.len() / 2).copied().unwrap_or(Vec3::ZERO);

    // Corners of the box in the object's own space.
    let mut low = around.low;
    low.z += OVER_FLOOR;
    let corners: Vec<Vec3> = (0..8)
        .map(|i| {
            let far = glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4);
            Vec3::select(far, around.high, low)
        })
        .collect();
    let shape = BodyShape::of_pieces(&performance.character, &[corners], Vec3::ONE)?;
    let place = (0..recipe.placement_tries).find_map(|_| {
        let rotation = Quat::from_rotation_z(stream.range(0.0, core::f64::consts::TAU) as f32);
        let centre = Vec3::new(
            uniform(&mut stream, recipe.range_spawn_xy),
            uniform(&mut stream, recipe.range_spawn_xy),
            -around.low.z,
        );
        let way: Vec<Vec3> = ways
            .iter()
            .map(|at| centre + rotation * ((*at - middle) * scale))
            .collect();
        let pose_at = |position: &Vec3| Pose {
            position: *position,
            rotation,
        };
        let meets = |position: &Vec3, other: &Thing| {
            let own = pose_at(position);
            let theirs = &other.body;
            shape
                .distance(&own, &theirs.shape, &theirs.pose, CLEARANCE)
                .is_some()
        };
        let is_free = way
            .iter()
            .all(|at| !backdrop.iter().any(|other| meets(at, other)))
            && way
                .first()
                .is_some_and(|at| !group.things.iter().any(|other| meets(at, other)));
        is_free.then_some((rotation, way))
    });
    let (rotation, way) = place.ok_or(Halt::Redraw(Rejection::Placement))?;
    let id = (backdrop.len() + group.things.len() + 1) as u32;
    let number = group.things.len() as u32 + 1;
    let way: Vec<Pose> = way
        .into_iter()
        .map(|position| Pose { position, rotation })
        .collect();
    let start = way.first().copied().unwrap_or(Pose::IDENTITY);
    let world_from_model: Vec<Affine3A> = way
        .iter()
        .map(|pose| pose.world_from_object(Vec3::splat(scale)))
        .collect();
    let limbs = limbs(&model, &poses, &world_from_model);
    let holder = Holder {
        rig,
        scale,
        bodies: &poses,
        world_from_model: &world_from_model,
        limbs: &limbs,
    };
    let mut held = Vec::new();
    let mut party = Vec::new();
    for (index, hand) in hands.iter().enumerate() {
        let named = (format!("held/{index}"), number + 1 + party.len() as u32);
        let next = id + 1 + party.len() as u32;
        if let Some((thing, record)) = props::held(drawing, backdrop, &holder, hand, next, named)? {
            party.push(thing);
            held.push(record);
        }
    }
    let object = Object {
        id,
        name: format!("{}_{number}", record.noun.replace([' ', '/'], "_")),
        asset: performance.character.clone(),
        mesh: 0,
        materials: Vec::new(),
        role: Role::Keep,
        // What it wears is no adjective.
        noun: person(&record.noun),
        adjectives: Vec::new(),
        worlds: WorldSet::ALL,
        scale: Vec3::splat(scale),
        pose: Track::Constant(start),
        body: Some(Track::PerFrame(poses)),
        motion: Some(MotionRecord {
            held,
            ..motion_record(&performance, &take, &performed, scale)
        }),
        physics: None,
    };
    let body = Body {
        id,
        shape: Arc::new(shape),
        motion: Motion::Led(Arc::new(Led {
            way: way.clone(),
            limbs: limbs.into_iter().map(|(_, limb)| limb).collect(),
        })),
        friction: recipe.friction as f32,
        restitution: recipe.restitution as f32,
        pose: start,
    };
    let walker = Thing {
        object,
        body,
        record,
    };
    party.insert(0, walker);
    let pushed = props::pushed(drawing, backdrop, &group.things, &party, &way)?;
    party.extend(pushed);
    Ok(party)
}
