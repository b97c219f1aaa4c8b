//! The foreground objects: which, how large, of what, and where they start.

use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use glam::Vec3;

use super::accept::Rejection;
use super::material::{RandomInputs, adjectives};
use super::sample::{rotation, uniform};
use super::{DrawError, Drawing, Halt, Thing, choice, listed};
use crate::physics::{Body, BodyShape, Motion, gaps, penetrations, settle};
use crate::recipe::Stationary;
use crate::shot::{Object, Pose, Role, Track, WorldSet};

/// Free space kept between objects at the start, metres.
pub(super) const CLEARANCE: f32 = 0.01;
/// A settled object rests when this close to something, metres, and overlaps by no more.
pub(super) const RESTING: f32 = 2.0e-3;
/// How far outside the spawn box a settled object may come to rest, metres.
const ROLL: f64 = 1.0;

/// What was drawn for the whole group.
pub(super) struct Group {
    pub(super) things: Vec<Thing>,
    /// Nothing but the camera moves.
    pub(super) stationary: bool,
}

/// Draws the objects and finds them places among `backdrop`; stationary ones are settled.
pub(super) fn draw(drawing: &Drawing<'_>, backdrop: &[Thing]) -> Result<Group, Halt> {
    let recipe = drawing.recipe;
    let mut stream = drawing.stream("objects");
    let [fewest, end] = recipe.range_num_objs;
    let count = fewest + stream.below(u64::from(end - fewest)) as u32;
    let stationary = stream.chance(recipe.prob_stationary_object);
    let same = stream.chance(recipe.prob_same_object);
    let allowed = listed(drawing.library.objects(), &recipe.objects, "objects")?;
    let shared = draw_asset(drawing, &allowed, "objects/asset");
    let mut things = Vec::new();
    for index in 0..count {
        let asset = if same {
            shared.clone()
        } else {
            draw_asset(drawing, &allowed, &format!("object/{index}/asset"))
        };
        let id = (backdrop.len() + things.len() + 1) as u32;
        let named = (format!("object/{index}"), index + 1);
        let range = recipe.range_object_scale;
        things.push(draw_object(drawing, id, named, &asset, range)?);
    }
    place(drawing, backdrop, &mut things, stationary)?;
    if stationary && recipe.stationary == Stationary::Settle {
        settle_all(drawing, backdrop, &mut things)?;
    }
    Ok(Group { things, stationary })
}

pub(super) fn draw_asset(drawing: &Drawing<'_>, allowed: &[AssetRecord], label: &str) -> String {
    let mut stream = drawing.stream(label);
    let id = choice(&mut stream, allowed).id.clone();
    drawing
        .library
        .textured(&id, &mut |count| stream.below(count))
}

/// Draws an object of `asset`, without a place: its streams begin with `label`, its name ends in `number`, its
/// longest side is in `range`, metres.
pub(super) fn draw_object(
    drawing: &Drawing<'_>,
    id: u32,
    (label, number): (String, u32),
    asset: &str,
    range: [f64; 2],
) -> Result<Thing, DrawError> {
    let recipe = drawing.recipe;
    let library = drawing.library;
    let record = library.record(asset)?;
    let model = library.model(asset)?;
    let bounds = model
        .meshes
        .iter()
        .filter_map(|mesh| mesh.bounds())
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let longest = bounds.map_or(0.0, |(low, high)| (high - low).max_element());
    if !(longest > 0.0 && longest.is_finite()) {
        return Err(DrawError::Flat {
            asset: asset.to_owned(),
        });
    }
    let mut stream = drawing.stream(&format!("{label}/scale"));
    let scale = Vec3::splat(uniform(&mut stream, range) / longest);
    let pieces = drawing.pieces.pieces(asset, &model)?;
    let shape = BodyShape::of_pieces(asset, &pieces, scale)?;
    let mut stream = drawing.stream(&format!("{label}/material"));
    let inputs = RandomInputs::draw(&mut stream, recipe);
    let materials: Vec<_> = model.materials.iter().map(|own| inputs.over(own)).collect();
    let adjectives = materials
        .first()
        .map(|material| adjectives(library.words(asset), &model, material))
        .unwrap_or_default();
    let body = Body {
        id,
        shape: Arc::new(shape),
        motion: Motion::Dynamic {
            mass_kg: record
                .mass_kg
                .filter(|mass| *mass > 0.0 && mass.is_finite())
                .unwrap_or(recipe.mass as f32),
            linear_velocity: Vec3::ZERO,
        },
        friction: record.friction.unwrap_or(recipe.friction as f32),
        restitution: record.restitution.unwrap_or(recipe.restitution as f32),
        pose: Pose::IDENTITY,
    };
    let object = Object {
        id,
        name: format!("{}_{number}", record.noun.replace([' ', '/'], "_")),
        asset: record.id.clone(),
        mesh: 0,
        materials,
        role: Role::Keep,
        noun: record.noun.clone(),
        adjectives,
        worlds: WorldSet::ALL,
        scale,
        pose: Track::Constant(Pose::IDENTITY),
        body: None,
        motion: None,
        physics: None,
    };
    Ok(Thing {
        object,
        body,
        record,
    })
}

/// Finds each object a turned place that is free of everything placed before, and its velocity.
fn place(
    drawing: &Drawing<'_>,
    backdrop: &[Thing],
    things: &mut [Thing],
    stationary: bool,
) -> Result<(), Halt> {
    let recipe = drawing.recipe;
    let heights = if stationary {
        recipe.range_spawn_z_stationary
    } else {
        recipe.range_spawn_z
    };
    for index in 0..things.len() {
        let mut stream = drawing.stream(&format!("object/{index}/place"));
        let (before, rest) = things.split_at_mut(index);
        let body = &mut rest[0].body;
        let place = (0..recipe.placement_tries).find_map(|_| {
            let rotation = rotation(&mut stream);
            let (low, high) = body.shape.bounds(rotation);
            let middle = (low + high) * 0.5;
            let wanted = Vec3::new(
                uniform(&mut stream, recipe.range_spawn_xy),
                uniform(&mut stream, recipe.range_spawn_xy),
                uniform(&mut stream, heights),
            );
            let pose = Pose {
                position: wanted - Vec3::new(middle.x, middle.y, low.z),
                rotation,
            };
            let free = backdrop.iter().chain(before.iter()).all(|other| {
                body.shape
                    .distance(&pose, &other.body.shape, &other.body.pose, CLEARANCE)
                    .is_none()
            });
            free.then_some((pose, wanted))
        });
        let (pose, middle) = place.ok_or(Halt::Redraw(Rejection::Placement))?;
        body.pose = pose;
        let mut stream = drawing.stream(&format!("object/{index}/velocity"));
        let mut component = || uniform(&mut stream, recipe.range_velocity);
        let drawn = Vec3::new(component(), component(), component());
        if let Motion::Dynamic {
            linear_velocity, ..
        } = &mut body.motion
            && !stationary
        {
            *linear_velocity = drawn - Vec3::new(middle.x, middle.y, 0.0);
        }
    }
    Ok(())
}

/// Lets the objects fall until they rest, and checks that they do, on something, on the stage.
fn settle_all(drawing: &Drawing<'_>, backdrop: &[Thing], things: &mut [Thing]) -> Result<(), Halt> {
    let recipe = drawing.recipe;
    let mut bodies: Vec<Body> = backdrop
        .iter()
        .chain(things.iter())
        .map(|thing| thing.body.clone())
        .collect();
    let poses = settle(&bodies, drawing.gravity(), recipe.settle_limit as f32)
        .map_err(Halt::physics)?
        .ok_or(Halt::Redraw(Rejection::Settling))?;
    for (body, pose) in bodies.iter_mut().zip(&poses) {
        body.pose = *pose;
    }
    let depths = penetrations(&bodies, &poses, 0);
    let gaps = gaps(&bodies, &poses, RESTING);
    let [low, high] = recipe.range_spawn_xy;
    for index in backdrop.len()..bodies.len() {
        let (from, to) = bodies[index].shape.bounds(poses[index].rotation);
        let middle = poses[index].position + (from + to) * 0.5;
        let on_stage = [middle.x, middle.y]
            .iter()
            .all(|v| (low - ROLL..=high + ROLL).contains(&f64::from(*v)));
        if !on_stage || gaps[index].is_none() || depths[index] > RESTING {
            return Err(Halt::Redraw(Rejection::Settling));
        }
    }
    for (thing, body) in things.iter_mut().zip(bodies.drain(backdrop.len()..)) {
        thing.body = body;
    }
    Ok(())
}
