//! Removed sets and worlds: which object exists where, and with which motion.

use super::motion::{Run, same_motion};
use super::{Drawing, Halt, Thing};
use crate::recipe::{Layers, PairKind};
use crate::shot::{Role, World, WorldSet};

/// Tries to draw a removed set that differs from those before.
const SET_TRIES: u32 = 64;

/// Objects and worlds of a shot.
pub(super) struct Staged {
    pub(super) things: Vec<Thing>,
    pub(super) worlds: Vec<World>,
}

/// Draws the removed sets, makes the worlds (`full`, `removed`, `removed_2`, …, then
/// `layer/<name>`, which lacks just that object and what it holds) and gives every object its worlds and motion.
///
/// What somebody holds is in no world without them: it would hang in the air.
///
/// In a counterfactual pair `rerun` simulates what is left; an object that then moves differently
/// becomes two: the original leaves that world to a twin of the same name, which exists in no other.
pub(super) fn stage(
    drawing: &Drawing<'_>,
    mut things: Vec<Thing>,
    background: usize,
    full: Run,
    rerun: &dyn Fn(&[&Thing]) -> Result<Run, Halt>,
) -> Result<Staged, Halt> {
    let recipe = drawing.recipe;
    for (thing, (track, physics)) in things
        .iter_mut()
        .zip(full.tracks.into_iter().zip(full.physics))
    {
        thing.object.pose = track;
        thing.object.physics = physics;
    }
    let held = held_by(&things[background..]);
    let sets = removed_sets(drawing, &held);
    let mut worlds = vec![World {
        name: "full".into(),
        removed: Vec::new(),
    }];
    for (index, set) in sets.iter().enumerate() {
        worlds.push(World {
            name: match index {
                0 => "removed".into(),
                _ => format!("removed_{}", index + 1),
            },
            removed: set
                .iter()
                .map(|i| things[background + i].object.id)
                .collect(),
        });
    }
    if recipe.layers == Layers::Object {
        for (index, thing) in things[background..].iter().enumerate() {
            let with_held = closed(vec![index], &held);
            worlds.push(World {
                name: format!("layer/{}", thing.object.name),
                removed: with_held
                    .iter()
                    .map(|i| things[background + i].object.id)
                    .collect(),
            });
        }
    }
    let all = WorldSet::first(worlds.len());
    for thing in &mut things[background..] {
        thing.object.worlds = all;
        for (index, world) in worlds.iter().enumerate() {
            if world.removed.contains(&thing.object.id) {
                thing.object.worlds = thing.object.worlds.without(index);
            }
        }
        if worlds[1].removed.contains(&thing.object.id) {
            thing.object.role = Role::Remove;
        }
    }
    if recipe.pair == PairKind::Counterfactual {
        let mut twins = Vec::new();
        for world in 1..=sets.len() {
            let kept: Vec<usize> = (0..things.len())
                .filter(|i| *i < background || things[*i].object.worlds.contains(world))
                .collect();
            let left: Vec<&Thing> = kept.iter().map(|i| &things[*i]).collect();
            let run = rerun(&left)?;
            for (index, (track, physics)) in kept
                .into_iter()
                .zip(run.tracks.into_iter().zip(run.physics))
            {
                let original = &mut things[index];
                if same_motion(&original.object.pose, &track, recipe.video_length) {
                    continue;
                }
                let mut twin = original.clone();
                original.object.worlds = original.object.worlds.without(world);
                twin.object.worlds = WorldSet::only(world);
                twin.object.role = Role::Keep;
                twin.object.pose = track;
                twin.object.physics = physics;
                twins.push(twin);
            }
        }
        for mut twin in twins {
            twin.object.id = things.len() as u32 + 1;
            twin.body.id = twin.object.id;
            things.push(twin);
        }
    }
    Ok(Staged { things, worlds })
}

/// For each thing the indices of what it holds.
fn held_by(things: &[Thing]) -> Vec<Vec<usize>> {
    let held = |thing: &Thing| {
        let held = thing.object.motion.iter().flat_map(|motion| &motion.held);
        held.filter_map(|held| things.iter().position(|t| t.object.id == held.object))
            .collect()
    };
    things.iter().map(held).collect()
}

/// A set with all that its members hold, ascending.
fn closed(mut set: Vec<usize>, held: &[Vec<usize>]) -> Vec<usize> {
    let with: Vec<usize> = set.iter().flat_map(|i| held[*i].clone()).collect();
    set.extend(with);
    set.sort_unstable();
    set.dedup();
    set
}

/// Different sets of 1 or more objects, each without replacement and with what its members hold, indices
/// ascending. Fewer sets than asked for when there are not that many.
fn removed_sets(drawing: &Drawing<'_>, held: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let count = held.len();
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for index in 0..drawing.recipe.tuples_per_shot {
        let label = match index {
            0 => "removed".to_owned(),
            _ => format!("removed/{}", index + 1),
        };
        let mut stream = drawing.stream(&label);
        let fresh = (0..SET_TRIES).find_map(|_| {
            let size = 1 + stream.below(count as u64) as usize;
            let set = closed(stream.choose(count, size), held);
            (!sets.contains(&set)).then_some(set)
        });
        sets.extend(fresh);
    }
    sets
}
