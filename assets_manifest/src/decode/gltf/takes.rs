//! Animations of a glTF file, sampled. glTF states times of keys and no rate: where all keys lie on
//! the frames of a usual rate, that is the rate, else 30 Hz.

use std::collections::BTreeMap;

use glam::{DQuat, Quat};

use super::accessor::{components, floats};
use super::container::Document;
use super::schema::{Animation, AnimationSampler};
use super::skeleton::{self, Skeleton};
use crate::decode::Source;
use crate::decode::takes::{DEFAULT_RATE_HZ, most_transforms, steady};
use crate::motion::Motion;
use crate::rig::JointTransform;

/// Rates that keys are tried against, Hz, the first that fits being taken.
const USUAL_RATES_HZ: [f32; 6] = [30.0, 24.0, 25.0, 60.0, 50.0, 120.0];
/// How far keys may be from the frames of a rate, frames.
const ON_FRAME: f32 = 0.02;

/// The weights of one node's morph targets.
pub(super) struct NodeMorphs {
    pub(super) node: usize,
    /// Index of its first weight into the names of all.
    pub(super) first: usize,
    /// Weights as the file shows it.
    pub(super) rest: Vec<f32>,
}

/// All animations that parse; a damaged one is left out with a warning.
pub(super) fn animations(document: &Document, warnings: &mut Vec<String>) -> Vec<Animation> {
    let mut read = Vec::new();
    for (index, value) in document.root.animations.iter().enumerate() {
        match <Animation as serde::Deserialize>::deserialize(value) {
            Ok(mut animation) => {
                animation
                    .name
                    .get_or_insert_with(|| format!("animation_{index}"));
                read.push(animation);
            }
            Err(error) => warnings.push(format!("animation {index} is left out: {error}")),
        }
    }
    read
}

/// Nodes whose transform some animation moves.
pub(super) fn moving_nodes(animations: &[Animation]) -> Vec<usize> {
    animations
        .iter()
        .flat_map(|animation| &animation.channels)
        .filter(|channel| {
            matches!(
                channel.target.path.as_str(),
                "translation" | "rotation" | "scale"
            )
        })
        .filter_map(|channel| channel.target.node)
        .collect()
}

/// Samples all animations. A channel that cannot be read costs its animation.
pub(super) fn sample(
    document: &Document,
    animations: &[Animation],
    skeleton: &Skeleton,
    morphs: &[NodeMorphs],
    morph_names: &[String],
    label: &str,
    source: &mut Source,
) -> Vec<Motion> {
    let mut left = most_transforms(source);
    let mut motions = Vec::new();
    for animation in animations {
        let name = animation.name.as_deref().unwrap_or_default();
        let tracks = match tracks(document, animation, skeleton, morphs) {
            Ok(tracks) if tracks.is_empty() => {
                source
                    .warnings
                    .push(format!("{label}: take `{name}` moves nothing; left out"));
                continue;
            }
            Ok(tracks) => tracks,
            Err(reason) => {
                source
                    .warnings
                    .push(format!("{label}: take `{name}` is left out: {reason}"));
                continue;
            }
        };
        let keys = || tracks.iter().flat_map(|(_, track)| &track.times).copied();
        let start = keys().fold(f32::INFINITY, f32::min);
        let end = keys().fold(f32::NEG_INFINITY, f32::max);
        let rate = rate_of(&keys().map(|time| time - start).collect::<Vec<f32>>());
        let last = ((end - start) * rate + ON_FRAME).floor();
        let cost = (f64::from(last) + 1.0) * (skeleton.joints.len() + morph_names.len()) as f64;
        if cost.is_nan() || cost > left as f64 {
            source.warnings.push(format!(
                "{label}: take `{name}` of {} s is too long; left out",
                end - start
            ));
            continue;
        }
        left -= cost as usize;
        motions.push(sampled(
            name,
            &tracks,
            skeleton,
            morphs,
            morph_names,
            start,
            rate,
            last as usize,
        ));
    }
    motions
}

fn sampled(
    name: &str,
    tracks: &[(Target, Track)],
    skeleton: &Skeleton,
    morphs: &[NodeMorphs],
    morph_names: &[String],
    start: f32,
    rate_hz: f32,
    last: usize,
) -> Motion {
    let mut motion = Motion {
        name: name.to_owned(),
        joints: skeleton.joints.clone(),
        rate_hz,
        ..Motion::default()
    };
    let with_morphs = tracks
        .iter()
        .any(|(target, _)| matches!(target, Target::Weights(_)));
    if with_morphs {
        motion.morph_names = morph_names.to_vec();
    }
    for frame in 0..=last {
        let time = start + frame as f32 / rate_hz;
        let mut locals: Vec<JointTransform> = skeleton.shown.clone();
        // Weights count from those at rest, which are in the mesh.
        let mut weights = vec![0.0; motion.morph_names.len()];
        for (target, track) in tracks {
            let value = track.at(time, matches!(target, Target::Rotation(_)));
            match target {
                Target::Translation(joint) => {
                    locals[*joint].translation = skeleton::translation(three(&value));
                }
                Target::Rotation(joint) => {
                    let quat = Quat::from_xyzw(value[0], value[1], value[2], value[3]);
                    locals[*joint].rotation = skeleton::rotation(quat);
                }
                Target::Scale(joint) => locals[*joint].scale = skeleton::scale(three(&value)),
                Target::Weights(index) => {
                    let node = &morphs[*index];
                    for (number, (value, rest)) in value.iter().zip(&node.rest).enumerate() {
                        weights[node.first + number] = value - rest;
                    }
                }
            }
        }
        motion.frames.push(locals);
        if with_morphs {
            motion.morph_weights.push(weights);
        }
    }
    steady(&mut motion);
    motion
}

fn three(value: &[f32]) -> [f32; 3] {
    [value[0], value[1], value[2]]
}

/// What a track moves: an index of a joint, or into the nodes with morph targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Translation(usize),
    Rotation(usize),
    Scale(usize),
    Weights(usize),
}

fn tracks(
    document: &Document,
    animation: &Animation,
    skeleton: &Skeleton,
    morphs: &[NodeMorphs],
) -> Result<Vec<(Target, Track)>, String> {
    let mut tracks = BTreeMap::new();
    for channel in &animation.channels {
        let Some(node) = channel.target.node else {
            continue;
        };
        let joint = skeleton.joint(node).map(usize::from);
        let (target, width) = match (channel.target.path.as_str(), joint) {
            ("translation", Some(joint)) => (Target::Translation(joint), 3),
            ("rotation", Some(joint)) => (Target::Rotation(joint), 4),
            ("scale", Some(joint)) => (Target::Scale(joint), 3),
            ("weights", _) => {
                let Some(index) = morphs.iter().position(|morphs| morphs.node == node) else {
                    continue;
                };
                (Target::Weights(index), morphs[index].rest.len())
            }
            _ => continue,
        };
        let sampler = animation
            .samplers
            .get(channel.sampler)
            .ok_or_else(|| format!("sampler {} does not exist", channel.sampler))?;
        tracks.insert(target, Track::read(document, sampler, width)?);
    }
    Ok(tracks.into_iter().collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interpolation {
    Step,
    Linear,
    CubicSpline,
}

/// Keys of one channel.
struct Track {
    /// Seconds, ascending.
    times: Vec<f32>,
    /// `width` numbers per key; with cubic splines three times as many: in-tangent, value,
    /// out-tangent.
    values: Vec<f32>,
    width: usize,
    interpolation: Interpolation,
}

impl Track {
    fn read(document: &Document, sampler: &AnimationSampler, width: usize) -> Result<Self, String> {
        let times: Vec<f32> = floats::<1>(document, sampler.input, "key times")?
            .into_iter()
            .map(|[time]| time)
            .collect();
        let values: Vec<f32> = match components(document, sampler.output) {
            Some(1) => floats::<1>(document, sampler.output, "key values")?.concat(),
            Some(3) => floats::<3>(document, sampler.output, "key values")?.concat(),
            _ => floats::<4>(document, sampler.output, "key values")?.concat(),
        };
        let interpolation = match sampler.interpolation.as_deref() {
            None | Some("LINEAR") => Interpolation::Linear,
            Some("STEP") => Interpolation::Step,
            Some("CUBICSPLINE") => Interpolation::CubicSpline,
            Some(other) => return Err(format!("the interpolation `{other}` is unknown")),
        };
        let per_key = match interpolation {
            Interpolation::CubicSpline => 3 * width,
            _ => width,
        };
        if times.is_empty() || values.len() != times.len() * per_key {
            return Err(format!(
                "{} key times have {} numbers, not {per_key} each",
                times.len(),
                values.len()
            ));
        }
        if !times.iter().chain(&values).all(|number| number.is_finite())
            || times.windows(2).any(|pair| pair[0] > pair[1])
        {
            return Err("its key times or values are not finite or not ascending".into());
        }
        Ok(Self {
            times,
            values,
            width,
            interpolation,
        })
    }

    fn key(&self, index: usize, part: usize) -> &[f32] {
        let parts = self.values.len() / self.times.len() / self.width.max(1);
        let start = (index * parts + part.min(parts - 1)) * self.width;
        &self.values[start..start + self.width]
    }

    fn value(&self, index: usize) -> &[f32] {
        self.key(index, 1)
    }

    /// glTF 2.0 appendix C. Before the first key and after the last, the value stays.
    fn at(&self, time: f32, is_rotation: bool) -> Vec<f32> {
        let next = self.times.partition_point(|key| *key <= time);
        if next == 0 {
            return self.value(0).to_vec();
        }
        if next == self.times.len() {
            return self.value(next - 1).to_vec();
        }
        let before = next - 1;
        let span = self.times[next] - self.times[before];
        let t = (time - self.times[before]) / span;
        let (a, b) = (self.value(before), self.value(next));
        match self.interpolation {
            Interpolation::Step => a.to_vec(),
            Interpolation::Linear if is_rotation => slerp(a, b, t),
            Interpolation::Linear => a.iter().zip(b).map(|(a, b)| a + (b - a) * t).collect(),
            Interpolation::CubicSpline => {
                let (t2, t3) = (t * t, t * t * t);
                let (out, into) = (self.key(before, 2), self.key(next, 0));
                (0..self.width)
                    .map(|i| {
                        (2.0 * t3 - 3.0 * t2 + 1.0) * a[i]
                            + span * (t3 - 2.0 * t2 + t) * out[i]
                            + (3.0 * t2 - 2.0 * t3) * b[i]
                            + span * (t3 - t2) * into[i]
                    })
                    .collect()
            }
        }
    }
}

/// The shorter way between two rotations at constant speed.
fn slerp(a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    let quat = |v: &[f32]| {
        let q = DQuat::from_xyzw(v[0].into(), v[1].into(), v[2].into(), v[3].into());
        if q.length() > 1e-9 {
            q.normalize()
        } else {
            DQuat::IDENTITY
        }
    };
    let (a, mut b) = (quat(a), quat(b));
    let mut cosine = a.dot(b);
    if cosine < 0.0 {
        b = -b;
        cosine = -cosine;
    }
    let t = f64::from(t);
    let (from, to) = if cosine > 0.999_999 {
        (1.0 - t, t)
    } else {
        let angle = libm::acos(cosine);
        let sine = libm::sin(angle);
        (
            libm::sin((1.0 - t) * angle) / sine,
            libm::sin(t * angle) / sine,
        )
    };
    let q = a * from + b * to;
    [q.x, q.y, q.z, q.w].map(|number| number as f32).to_vec()
}

/// The first usual rate on whose frames all keys lie; times are from the first key.
fn rate_of(times: &[f32]) -> f32 {
    let fits = |rate: &f32| {
        times.iter().all(|time| {
            let frame = time * rate;
            (frame - frame.round()).abs() <= ON_FRAME
        })
    };
    let usual = USUAL_RATES_HZ.into_iter().find(fits);
    usual.unwrap_or(DEFAULT_RATE_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_the_rate() {
        let keys = |rate: f32| -> Vec<f32> { (0..50).map(|frame| frame as f32 / rate).collect() };
        for rate in [30.0, 24.0, 25.0, 60.0] {
            assert_eq!(rate_of(&keys(rate)), rate);
        }
        assert_eq!(rate_of(&keys(15.0)), 30.0);
        assert_eq!(rate_of(&[0.0, 0.0123, 0.7]), DEFAULT_RATE_HZ);
        assert_eq!(rate_of(&[0.0]), 30.0);
    }
}
