//! What somebody who goes over the floor holds, and pushes.

use glam::Vec3;

use super::objects::{CLEARANCE, draw_asset, draw_object};
use super::sample::{rotation, uniform};
use super::{DrawError, Drawing, Halt, Thing, listed};
use crate::avatar::hold::{Hand, Holder};
use crate::physics::{Body, settle};
use crate::shot::{Held, Pose};

/// Stretch of the way, as shares of it, where things lie that are pushed: not at once, and not at its end.
const STRETCH: [f64; 2] = [0.2, 0.85];
/// How far to a side of the way they lie, metres.
const ASIDE: [f64; 2] = [-0.2, 0.2];
/// How far above the floor they start to settle, metres.
const DROP: f32 = 0.02;

/// Draws something for `hand`; `None` where nothing fits, or `backdrop` is in its way.
pub(super) fn held(
    drawing: &Drawing<'_>,
    backdrop: &[Thing],
    holder: &Holder<'_>,
    hand: &Hand,
    id: u32,
    (label, number): (String, u32),
) -> Result<Option<(Thing, Held)>, DrawError> {
    let recipe = drawing.recipe;
    let mut thing = draw_thing(drawing, id, (label.clone(), number), recipe.range_held_size)?;
    let model = drawing.library.model(&thing.object.asset)?;
    let pieces = drawing.pieces.pieces(&thing.object.asset, &model)?;
    let turn = drawing
        .stream(&format!("{label}/turn"))
        .range(0.0, core::f64::consts::TAU);
    let Thing { object, body, .. } = &mut thing;
    let Some(held) = holder.hold(hand, object, body, &model, &pieces, turn as f32)? else {
        return Ok(None);
    };
    let meets = |pose: &Pose| {
        let body = &thing.body;
        let found = |other: &Thing| body.distance(pose, &other.body, &other.body.pose, 0, 0.0);
        backdrop.iter().any(|other| found(other).is_some())
    };
    let is_free = !thing.object.pose.values().iter().any(meets);
    Ok(is_free.then_some((thing, held)))
}

fn draw_thing(
    drawing: &Drawing<'_>,
    id: u32,
    named: (String, u32),
    range: [f64; 2],
) -> Result<Thing, DrawError> {
    let allowed = listed(
        drawing.library.objects(),
        &drawing.recipe.objects,
        "objects",
    )?;
    let asset = draw_asset(drawing, &allowed, &format!("{}/asset", named.0));
    draw_object(drawing, id, named, &asset, range)
}

/// Draws what lies in the `way` of somebody, at rest and clear of everybody at the start. What finds no place
/// is left out.
pub(super) fn pushed(
    drawing: &Drawing<'_>,
    backdrop: &[Thing],
    others: &[Thing],
    party: &[Thing],
    way: &[Pose],
) -> Result<Vec<Thing>, Halt> {
    let recipe = drawing.recipe;
    let count = drawing.stream("pushed").count(recipe.range_pushed);
    let mut pushed: Vec<Thing> = Vec::new();
    for index in 0..count {
        let number = (others.len() + party.len() + pushed.len() + 1) as u32;
        let id = backdrop.len() as u32 + number;
        let named = (format!("pushed/{index}"), number);
        let mut thing = draw_thing(drawing, id, named, recipe.range_pushed_size)?;
        let mut stream = drawing.stream(&format!("pushed/{index}/place"));
        let everybody = || backdrop.iter().chain(others).chain(party).chain(&pushed);
        let is_free = |body: &Body, pose: &Pose, but_backdrop: bool| {
            let skipped = if but_backdrop { backdrop.len() } else { 0 };
            everybody().skip(skipped).all(|other| {
                let other = &other.body;
                body.distance(pose, other, &other.pose, 0, CLEARANCE)
                    .is_none()
            })
        };
        let body = &thing.body;
        let place = (0..recipe.placement_tries).find_map(|_| {
            let share = stream.range(STRETCH[0], STRETCH[1]);
            let at = way.get((share * way.len() as f64) as usize)?.position;
            let rotation = rotation(&mut stream);
            let (low, high) = body.shape.bounds(rotation);
            let middle = (low + high) * 0.5;
            let aside = Vec3::new(
                uniform(&mut stream, ASIDE),
                uniform(&mut stream, ASIDE),
                0.0,
            );
            let wanted = at.with_z(DROP) + aside;
            let pose = Pose {
                position: wanted - Vec3::new(middle.x, middle.y, low.z),
                rotation,
            };
            is_free(body, &pose, false).then_some(pose)
        });
        let Some(pose) = place else { continue };
        thing.body.pose = pose;
        let fixed = backdrop.iter().map(|other| other.body.clone());
        let bodies: Vec<Body> = fixed.chain([thing.body.clone()]).collect();
        let limit = recipe.settle_limit as f32;
        let settled = settle(&bodies, drawing.gravity(), limit).map_err(Halt::physics)?;
        let Some(pose) = settled.and_then(|poses| poses.last().copied()) else {
            continue;
        };
        if is_free(&thing.body, &pose, true) {
            thing.body.pose = pose;
            pushed.push(thing);
        }
    }
    Ok(pushed)
}
