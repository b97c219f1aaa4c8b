//! Takes of an FBX file, sampled at its own rate.
//!
//! `ufbx` turns Euler angles with the C library's sine and cosine, in double precision: its last bit,
//! which may differ between processors, is gone in the single precision that is kept. (Taking
//! instructions from glibc with `GLIBC_TUNABLES` changed no bit of any motion tried.)

use super::morphs::MorphChannel;
use super::skeleton::{Skeleton, transform};
use crate::decode::Source;
use crate::decode::takes::{DEFAULT_RATE_HZ, most_transforms, steady};
use crate::motion::Motion;
use crate::rig::JointTransform;

/// Rates beyond these are no frame rates but somebody's clock, Hz.
const RATES_HZ: std::ops::RangeInclusive<f64> = 1.0..=240.0;

/// All takes that move something. The first sample is at the take's own start.
pub(super) fn sample(
    scene: &ufbx::Scene,
    skeleton: &Skeleton,
    channels: &[MorphChannel],
    label: &str,
    source: &mut Source,
) -> Vec<Motion> {
    let stated = scene.settings.frames_per_second;
    let rate = if RATES_HZ.contains(&stated) {
        stated
    } else {
        source.warnings.push(format!(
            "{label}: its frame rate is {stated} Hz; sampled at {DEFAULT_RATE_HZ} Hz"
        ));
        f64::from(DEFAULT_RATE_HZ)
    };
    let mut left = most_transforms(source);
    let mut motions = Vec::new();
    for stack in &scene.anim_stacks {
        let name = &*stack.element.name;
        let (moves_joints, moves_morphs) = moves(stack, skeleton, scene, channels);
        if !moves_joints && !moves_morphs {
            source
                .warnings
                .push(format!("{label}: take `{name}` moves nothing; left out"));
            continue;
        }
        let (begin, end) = range(stack);
        let duration = end - begin;
        let last = (duration * rate + 1e-4).floor();
        let cost = (last + 1.0) * (skeleton.joints.len() + channels.len()).max(1) as f64;
        if cost.is_nan() || cost > left as f64 {
            source.warnings.push(format!(
                "{label}: take `{name}` of {duration} s is too long; left out"
            ));
            continue;
        }
        left -= cost as usize;
        let mut motion = Motion {
            name: name.to_owned(),
            joints: skeleton.joints.clone(),
            rate_hz: rate as f32,
            ..Motion::default()
        };
        if moves_morphs || channels.iter().any(MorphChannel::rests_moved) {
            motion.morph_names = channels.iter().flat_map(MorphChannel::names).collect();
        }
        for frame in 0..=(last as usize) {
            let time = begin + frame as f64 / rate;
            let locals: Vec<JointTransform> = skeleton
                .nodes
                .iter()
                .map(|node| transform(&scene.nodes[*node].evaluate_transform(&stack.anim, time)))
                .collect();
            motion.frames.push(locals);
            if !motion.morph_names.is_empty() {
                let weights = channels.iter().flat_map(|channel| {
                    let element = &scene.blend_channels[channel.index];
                    channel.weights(element.evaluate_blend_weight(&stack.anim, time))
                });
                motion.morph_weights.push(weights.collect());
            }
        }
        steady(&mut motion);
        motions.push(motion);
    }
    motions
}

/// First and last second of a take: as it states, else those of its keys.
fn range(stack: &ufbx::AnimStack) -> (f64, f64) {
    if stack.time_end > stack.time_begin {
        return (stack.time_begin, stack.time_end);
    }
    let values = stack.layers.iter().flat_map(|layer| &layer.anim_values);
    let curves = values.flat_map(|value| value.curves.iter().flatten());
    let (mut begin, mut end) = (f64::INFINITY, f64::NEG_INFINITY);
    for key in curves.flat_map(|curve| &curve.keyframes) {
        begin = begin.min(key.time);
        end = end.max(key.time);
    }
    if begin <= end {
        (begin, end)
    } else {
        (stack.time_begin, stack.time_begin)
    }
}

/// Does a take move any joint, any morph target?
fn moves(
    stack: &ufbx::AnimStack,
    skeleton: &Skeleton,
    scene: &ufbx::Scene,
    channels: &[MorphChannel],
) -> (bool, bool) {
    let (mut joints, mut morphs) = (false, false);
    for layer in &stack.layers {
        for animated in &layer.anim_props {
            let element = &animated.element;
            let number = element.typed_id as usize;
            match element.type_ {
                ufbx::ElementType::Node => {
                    let node = scene.nodes.get(number);
                    joints |= node.is_some_and(|node| skeleton.joint(node).is_some());
                }
                ufbx::ElementType::BlendChannel => {
                    morphs |= channels.iter().any(|channel| channel.index == number);
                }
                _ => {}
            }
        }
    }
    (joints, morphs)
}
