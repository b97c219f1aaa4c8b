//! Things that stand about, or fall: built-in objects, moved by the physics of object removal.

use std::sync::Arc;

use diorama_assets::builtin;
use diorama_assets::model::AssetRecord;
use glam::Vec3;

use super::performer::Performer;
use super::performer::SweptBox;
use super::place::{CAMERA_GAP, leaves_free};
use super::{AvatarError, AvatarLibrary, FLOOR_ID};
use crate::draw::material::adjectives;
use crate::draw::motion::physics_of;
use crate::draw::sample::{rotation, uniform};
use crate::physics::{
    Body, BodyShape, Motion, PieceStore, STEPS_PER_SECOND, Timing, gaps, penetrations, settle,
    simulate,
};
use crate::recipe::AvatarRecipe;
use crate::shot::{Contact, Object, Pose, Role, Track, WorldSet};
use crate::stream::Stream;

/// Earth's, m/s².
const GRAVITY: Vec3 = Vec3::new(0.0, 0.0, -9.81);
/// Friction and restitution of props and floor.
const FRICTION: f32 = 0.6;
const RESTITUTION: f32 = 0.4;
/// Density of props whose mass nobody knows, kg/m³ of the cube of their longest side.
const DENSITY: f32 = 120.0;
/// Free space between a prop and everything else at its start, metres.
const GAP: f32 = 0.02;
/// How far a prop starts above the floor that rests later, metres.
const SETTLE_FROM: f32 = 0.02;
/// Seconds in which a prop must come to rest.
const SETTLE_SECS: f32 = 8.0;
/// Depth, metres, by which a prop may be in something for a moment, as where it lands.
const DEEPEST: f32 = 0.02;
/// Places tried for a prop, and groups of places tried for all of them.
const PLACES: u32 = 50;
const GROUPS: u32 = 12;
/// Of these, the last that leave out who finds no place.
const LAST: u32 = 6;

/// Props and what they do.
pub(super) struct Props {
    pub(super) objects: Vec<Object>,
    pub(super) assets: Vec<AssetRecord>,
    pub(super) contacts: Vec<Contact>,
    /// Physics steps between two frames; 1 without physics.
    pub(super) steps_per_frame: u32,
}

/// Draws the props of a clip, with ids from `first_id` on. None ever meets what a character sweeps: a
/// group of which one does is placed anew, and at last who does is left out.
pub(super) fn draw(
    recipe: &AvatarRecipe,
    stream: &dyn Fn(&str) -> Stream,
    first_id: u32,
    cast: &[Performer],
    camera: &crate::shot::Camera,
    library: &dyn AvatarLibrary,
    pieces: &PieceStore,
) -> Result<Props, AvatarError> {
    let count = stream("props").count(recipe.range_props);
    let steps_per_frame = libm::round(f64::from(STEPS_PER_SECOND) / recipe.video_fps).max(1.0);
    let mut group = Group {
        recipe,
        cast,
        camera,
        steps_per_frame: steps_per_frame as u32,
        things: Vec::new(),
    };
    for index in 0..count {
        let mut stream = stream(&format!("prop/{index}"));
        let thing = thing(recipe, &mut stream, first_id + index, library, pieces)?;
        group.things.push(thing);
    }
    for attempt in 0..GROUPS {
        if group.things.is_empty() {
            break;
        }
        let mut stream = stream(&format!("props/{attempt}"));
        let outcome = group.attempt(&mut stream)?;
        if outcome.strays.is_empty() {
            return Ok(group.finish(outcome));
        }
        // Towards the end who cannot stay is left out, so that the others get their place.
        if attempt + LAST >= GROUPS {
            let strays = outcome.strays;
            let mut index = 0;
            group.things.retain(|_| {
                index += 1;
                !strays.contains(&(index - 1))
            });
        }
    }
    Ok(Props {
        objects: Vec::new(),
        assets: Vec::new(),
        contacts: Vec::new(),
        steps_per_frame: 1,
    })
}

/// A prop before it has a place.
struct Thing {
    object: Object,
    record: AssetRecord,
    body: Body,
    falls: bool,
}

struct Group<'a> {
    recipe: &'a AvatarRecipe,
    cast: &'a [Performer],
    camera: &'a crate::shot::Camera,
    steps_per_frame: u32,
    things: Vec<Thing>,
}

/// What became of a group.
struct Outcome {
    /// Poses of frames −1 ..= N, of each thing.
    tracks: Vec<Vec<Pose>>,
    contacts: Vec<Contact>,
    deepest: Vec<f32>,
    resting_gaps: Vec<Option<f32>>,
    /// Who finds no place, does not come to rest, goes deep into something, or meets a character.
    strays: Vec<usize>,
}

fn thing(
    recipe: &AvatarRecipe,
    stream: &mut Stream,
    id: u32,
    library: &dyn AvatarLibrary,
    pieces: &PieceStore,
) -> Result<Thing, AvatarError> {
    let (object, body, record) = object(stream, id, recipe.range_prop_size, library, pieces)?;
    let falls = stream.chance(recipe.prob_prop_falls);
    Ok(Thing {
        object,
        record,
        body,
        falls,
    })
}

/// Draws a built-in object without a place, its longest side in `range`, metres.
pub(super) fn object(
    stream: &mut Stream,
    id: u32,
    range: [f64; 2],
    library: &dyn AvatarLibrary,
    pieces: &PieceStore,
) -> Result<(Object, Body, AssetRecord), AvatarError> {
    let asset = library.prop(&mut |count| stream.below(count));
    let record = library.record(&asset)?;
    let model = library.model(&asset)?;
    let bounds = model.meshes.first().and_then(|mesh| mesh.bounds());
    let longest = bounds.map_or(1.0, |(low, high)| (high - low).max_element());
    let side = uniform(stream, range);
    let scale = Vec3::splat(side / longest);
    let shape = BodyShape::of_pieces(&asset, &pieces.pieces(&asset, &model)?, scale)?;
    let known = builtin::texture_words(&asset).unwrap_or_default();
    let material = model.materials.first().cloned().unwrap_or_default();
    let body = Body {
        id,
        shape: Arc::new(shape),
        motion: Motion::Dynamic {
            mass_kg: DENSITY * side * side * side,
            linear_velocity: Vec3::ZERO,
        },
        friction: FRICTION,
        restitution: RESTITUTION,
        pose: Pose::IDENTITY,
    };
    let object = Object {
        id,
        name: format!("{}_{id}", record.noun.replace([' ', '/'], "_")),
        asset,
        mesh: 0,
        materials: Vec::new(),
        role: Role::Keep,
        noun: record.noun.clone(),
        adjectives: adjectives(known, &model, &material),
        worlds: WorldSet::ALL,
        scale,
        pose: Track::Constant(Pose::IDENTITY),
        body: None,
        motion: None,
        physics: None,
    };
    Ok((object, body, record))
}

impl Group<'_> {
    fn attempt(&mut self, stream: &mut Stream) -> Result<Outcome, AvatarError> {
        let floor = Body {
            id: FLOOR_ID,
            shape: Arc::new(BodyShape::floor()),
            motion: Motion::Fixed,
            friction: FRICTION,
            restitution: RESTITUTION,
            pose: Pose::IDENTITY,
        };
        let mut strays = self.place(stream);
        // Those that rest fall first, by themselves.
        for (index, thing) in self.things.iter_mut().enumerate() {
            if !thing.falls {
                let bodies = [floor.clone(), thing.body.clone()];
                match settle(&bodies, GRAVITY, SETTLE_SECS)? {
                    Some(poses) => thing.body.pose = poses[1],
                    None => strays.push(index),
                }
            }
        }
        let mut bodies = vec![floor];
        bodies.extend(self.things.iter().map(|thing| thing.body.clone()));
        let start: Vec<Pose> = bodies.iter().map(|body| body.pose).collect();
        let resting_gaps = gaps(&bodies, &start, 1.0);
        let frames = self.recipe.video_length;
        let timing = Timing {
            steps_per_frame: self.steps_per_frame,
            intervals: frames + 1,
            keep_steps: false,
        };
        let mut recording = simulate(&bodies, GRAVITY, timing)?;
        let tracks = recording.frames.split_off(1);
        let mut deepest = vec![0.0f32; bodies.len()];
        for frame in 0..tracks.first().map_or(0, Vec::len) {
            let poses: Vec<Pose> = std::iter::once(start[0])
                .chain(tracks.iter().map(|track| track[frame]))
                .collect();
            for (deepest, depth) in deepest.iter_mut().zip(penetrations(&bodies, &poses, frame)) {
                *deepest = deepest.max(depth);
            }
        }
        let deepest = deepest.split_off(1);
        for (index, (thing, track)) in self.things.iter().zip(&tracks).enumerate() {
            let strays_away = track
                .iter()
                .any(|pose| !self.is_free(&thing.body, pose, 0.0));
            if strays_away || deepest[index] > DEEPEST {
                strays.push(index);
            }
        }
        Ok(Outcome {
            tracks,
            contacts: recording
                .contacts
                .into_iter()
                .filter(|contact| contact.frame < frames)
                .collect(),
            deepest,
            resting_gaps: resting_gaps.into_iter().skip(1).collect(),
            strays,
        })
    }

    /// Gives each thing a place; who finds none.
    fn place(&mut self, stream: &mut Stream) -> Vec<usize> {
        let mut strays = Vec::new();
        for index in 0..self.things.len() {
            let falls = self.things[index].falls;
            let found = (0..PLACES).find_map(|_| {
                let azimuth = stream.range(0.0, core::f64::consts::TAU);
                let away = uniform(stream, self.recipe.range_prop_distance);
                let height = if falls {
                    uniform(stream, self.recipe.range_prop_height)
                } else {
                    SETTLE_FROM
                };
                let rotation = rotation(stream);
                let body = &self.things[index].body;
                let (low, high) = body.shape.bounds(rotation);
                let middle = (low + high) * 0.5;
                let wanted = Vec3::new(
                    away * libm::cos(azimuth) as f32,
                    away * libm::sin(azimuth) as f32,
                    height,
                );
                let pose = Pose {
                    position: wanted - Vec3::new(middle.x, middle.y, low.z),
                    rotation,
                };
                let is_apart = self.things[..index].iter().all(|other| {
                    let shape = &other.body.shape;
                    body.shape
                        .distance(&pose, shape, &other.body.pose, GAP)
                        .is_none()
                });
                (is_apart && self.is_free(body, &pose, GAP)).then_some(pose)
            });
            match found {
                Some(pose) => self.things[index].body.pose = pose,
                None => strays.push(index),
            }
        }
        strays
    }

    /// Is a body at `pose` clear of every character, and of the camera?
    fn is_free(&self, body: &Body, pose: &Pose, gap: f32) -> bool {
        let (low, high) = body.shape.bounds(pose.rotation);
        let own = SweptBox {
            low: low + pose.position,
            high: high + pose.position,
        };
        self.cast.iter().all(|other| !own.meets(&other.swept, gap))
            && leaves_free(&own, self.camera, CAMERA_GAP)
    }

    fn finish(self, outcome: Outcome) -> Props {
        let mut props = Props {
            objects: Vec::new(),
            assets: Vec::new(),
            contacts: outcome.contacts,
            steps_per_frame: self.steps_per_frame,
        };
        let motions = outcome
            .tracks
            .into_iter()
            .zip(outcome.deepest)
            .zip(outcome.resting_gaps);
        for (thing, ((track, deepest), gap)) in self.things.into_iter().zip(motions) {
            let Thing {
                mut object,
                record,
                body,
                falls,
            } = thing;
            object.physics = physics_of(&body, !falls, deepest, gap.filter(|_| !falls), Vec::new());
            object.pose = Track::PerFrame(track);
            props.objects.push(object);
            props.assets.push(record);
        }
        props
    }
}
