//! What the captions may say: gathered from the Shot and from what rgb_removed shows.

use diorama_synth::frame::Frame;
use diorama_synth::shot::{Object, Role, Shot};
use glam::{Mat3, Vec3};

use super::motion::{self, Act, CameraMove};
use super::words::{contains_phrase, plain_noun};
use crate::sample_json::ObjectBounds;
use crate::tuple::{Fate, Tuple};

/// An object is named when it covers at least this share of the picture …
const SEEN_SHARE: f64 = 0.001;
/// … in at least this share of the frames.
const SEEN_FRAMES: f64 = 0.2;

/// What the removed world shows of each object of the Shot, summed over frames. Constant size.
#[derive(Debug, Clone)]
pub struct SeenInRemoved {
    frames: u32,
    width: u32,
    objects: Vec<Seen>,
}

/// Sums for one object.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Frames in which it covers [`SEEN_SHARE`] of the picture.
    frames: u32,
    /// Pixels over all frames.
    pixels: u64,
    /// Sum of their columns.
    columns: u64,
}

impl SeenInRemoved {
    /// Nothing seen yet, for a Shot of so many objects.
    pub fn new(objects: usize) -> Self {
        Self {
            frames: 0,
            width: 1,
            objects: vec![Seen::default(); objects],
        }
    }

    /// Adds one frame.
    pub fn push(&mut self, frame: &Frame, tuple: &Tuple) {
        let instance = &frame.instance_of_world[tuple.world];
        self.frames += 1;
        self.width = instance.width.max(1);
        let mut now = vec![(0u64, 0u64); self.objects.len()];
        let mut last: (u32, Option<usize>) = (0, None);
        for (index, &id) in instance.data.iter().enumerate() {
            if id != last.0 {
                last = (id, tuple.index_of(id));
            }
            if let Some(object) = last.1 {
                now[object].0 += 1;
                now[object].1 += index as u64 % u64::from(self.width);
            }
        }
        let least = SEEN_SHARE * instance.data.len() as f64;
        for (seen, (pixels, columns)) in self.objects.iter_mut().zip(now) {
            seen.frames += u32::from(pixels > 0 && pixels as f64 >= least);
            seen.pixels += pixels;
            seen.columns += columns;
        }
    }

    /// Is object `index` of the Shot seen well and long enough to be named?
    pub fn is_seen(&self, index: usize) -> bool {
        let seen = &self.objects[index];
        seen.frames > 0 && f64::from(seen.frames) >= SEEN_FRAMES * f64::from(self.frames)
    }

    /// Mean column over the clip, 0 left to 1 right.
    fn centre(&self, index: usize) -> f64 {
        let seen = &self.objects[index];
        seen.columns as f64 / seen.pixels.max(1) as f64 / f64::from(self.width)
    }
}

/// Third of the picture where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left third.
    Left,
    /// Middle third.
    Middle,
    /// Right third.
    Right,
}

/// One foreground object that may be named.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Plain noun.
    pub noun: String,
    /// Words about its look.
    pub adjectives: Vec<String>,
    /// What it does, in order of time; never empty.
    pub acts: Vec<Act>,
    /// Where it is on average.
    pub side: Side,
}

/// All objects of one noun.
#[derive(Debug, Clone)]
pub struct Group {
    /// Plain noun.
    pub noun: String,
    /// How many.
    pub count: usize,
    /// Adjectives that all of them share.
    pub adjectives: Vec<String>,
}

/// Everything the captions may say.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Foreground seen in the removed world, by object id.
    pub things: Vec<Thing>,
    /// The same by noun, in the order of their first object.
    pub groups: Vec<Group>,
    /// What they stand on or move over, e.g. `floor`, with its adjectives.
    pub support: Option<(Vec<String>, String)>,
    /// Other scenery, e.g. `wall`.
    pub scenery: Vec<(Vec<String>, String)>,
    /// Place and light, e.g. `under a clear evening sky`; may be empty.
    pub light: String,
    /// Camera move, and whether it is slow.
    pub camera: (CameraMove, bool),
    /// Nouns that must not be said: of removed objects, unless something of that noun is seen.
    pub forbidden: Vec<String>,
    /// Nouns that may be said although a forbidden one may be part of them.
    pub allowed: Vec<String>,
}

impl Facts {
    /// Gathers the facts of one tuple.
    pub fn gather(shot: &Shot, tuple: &Tuple, seen: &SeenInRemoved, bounds: &ObjectBounds) -> Self {
        let mut things = Vec::new();
        let mut supports: Vec<(f32, (Vec<String>, String))> = Vec::new();
        let mut scenery = Vec::new();
        let mut positions = Vec::new();
        for (index, object) in shot.objects.iter().enumerate() {
            if !object.worlds.contains(tuple.world) || !seen.is_seen(index) {
                continue;
            }
            let words = (plain_adjectives(object), plain_noun(&object.noun));
            if object.role == Role::Background {
                match support_height(object, bounds) {
                    Some(height) => supports.push((height, words)),
                    None => scenery.push(words),
                }
                continue;
            }
            positions.push(object.pose.at(0).position);
            let centre = seen.centre(index);
            things.push(Thing {
                adjectives: words.0,
                noun: words.1,
                acts: motion::acts(shot, object, bounds),
                side: if centre < 1.0 / 3.0 {
                    Side::Left
                } else if centre < 2.0 / 3.0 {
                    Side::Middle
                } else {
                    Side::Right
                },
            });
        }
        // The highest support is the one that things stand on (a mirror lying on a floor).
        supports.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut support = supports.into_iter().next().map(|(_, words)| words);

        let allowed: Vec<String> = things
            .iter()
            .map(|thing| thing.noun.clone())
            .chain(support.iter().map(|(_, noun)| noun.clone()))
            .chain(scenery.iter().map(|(_, noun)| noun.clone()))
            .collect();
        let removed = shot
            .objects
            .iter()
            .zip(&tuple.fates)
            .filter(|(_, fate)| **fate == Fate::Remove)
            .map(|(object, _)| plain_noun(&object.noun));
        let forbidden = forbidden(removed, &allowed);
        // An orange ball must not be called so once an orange is gone; nor may the light name it.
        let is_said = |text: &str| forbidden.iter().any(|noun| contains_phrase(text, noun));
        let adjectives = things.iter_mut().map(|thing| &mut thing.adjectives).chain(
            support
                .iter_mut()
                .chain(&mut scenery)
                .map(|words| &mut words.0),
        );
        for list in adjectives {
            list.retain(|word| !is_said(word));
        }
        let groups = group(&things);
        let light = shot.light_description.trim().trim_end_matches('.');
        let subject = if positions.is_empty() {
            Vec3::ZERO
        } else {
            positions.iter().sum::<Vec3>() / positions.len() as f32
        };
        Self {
            light: if is_said(light) {
                String::new()
            } else {
                light.to_owned()
            },
            groups,
            things,
            support,
            scenery,
            camera: motion::camera_move(shot, &shot.cameras[0], subject),
            forbidden,
            allowed,
        }
    }
}

/// The nouns of `removed` that nothing in `allowed` shares, sorted, each once.
pub fn forbidden(removed: impl IntoIterator<Item = String>, allowed: &[String]) -> Vec<String> {
    let mut nouns: Vec<String> = removed
        .into_iter()
        .filter(|noun| !allowed.contains(noun))
        .collect();
    nouns.sort_unstable();
    nouns.dedup();
    nouns
}

/// Adjectives that are plain words and do not repeat the noun (no mirror-like mirror).
fn plain_adjectives(object: &Object) -> Vec<String> {
    let noun = plain_noun(&object.noun);
    let repeats = |word: &str| {
        word.split('-')
            .any(|part| noun.split(' ').any(|own| own == part))
    };
    object
        .adjectives
        .iter()
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| {
            !word.is_empty()
                && word.len() <= 20
                && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
                && !repeats(word)
        })
        .take(3)
        .collect()
}

/// Nouns of scenery that things stand on when its shape is not known.
const SUPPORTS: [&str; 9] = [
    "floor", "ground", "table", "stage", "platform", "desk", "surface", "plane", "carpet",
];

/// World height of the upper side of scenery that things can stand on; `None`: walls and the like.
fn support_height(object: &Object, bounds: &ObjectBounds) -> Option<f32> {
    let pose = object.pose.at(0);
    let noun = plain_noun(&object.noun);
    let is_named = noun.split(' ').any(|word| SUPPORTS.contains(&word));
    let Some([low, high]) = bounds.get(&object.id) else {
        return is_named.then_some(pose.position.z);
    };
    let half = ((*high - *low) * object.scale * 0.5).abs();
    let centre = pose
        .world_from_object(object.scale)
        .transform_point3((*low + *high) * 0.5);
    let turn = Mat3::from_quat(pose.rotation);
    // Half extents of the box around the turned box.
    let extent =
        turn.x_axis.abs() * half.x + turn.y_axis.abs() * half.y + turn.z_axis.abs() * half.z;
    let is_flat = extent.z < 0.5 * extent.x.min(extent.y);
    (is_flat || is_named).then_some(centre.z + extent.z)
}

fn group(things: &[Thing]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for thing in things {
        if let Some(group) = groups.iter_mut().find(|g| g.noun == thing.noun) {
            group.count += 1;
            group
                .adjectives
                .retain(|word| thing.adjectives.contains(word));
        } else {
            groups.push(Group {
                noun: thing.noun.clone(),
                count: 1,
                adjectives: thing.adjectives.clone(),
            });
        }
    }
    groups
}
