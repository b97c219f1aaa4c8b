//! What bodies of every format have in common once their parts are read.

use crate::motion::Motion;
use crate::rig::{Joint, JointTransform, MorphTarget, Rig};
use crate::{Mesh, Warnings};

/// Most triangles of all uses of a file's meshes: nodes may share a mesh, so that the size of the
/// file is no bound.
pub(super) const MAX_TRIANGLES: usize = 1 << 24;

/// Puts morph targets on a mesh as the file shows it: weights at rest go into the mesh, so that a
/// weight of 0 means "as at rest".
pub(super) fn add_morphs(mesh: &mut Mesh, targets: Vec<(MorphTarget, f32)>) -> Vec<MorphTarget> {
    for (target, weight) in &targets {
        if *weight != 0.0 {
            target.add_to(mesh, *weight);
        }
    }
    targets
        .into_iter()
        .map(|(target, _)| target)
        .filter(|target| !target.vertices.is_empty())
        .collect()
}

/// Fits motions that were sampled from a skeleton to the rig it became, which may have more joints.
pub(super) fn finish_motions(mut motions: Vec<Motion>, rig: &Rig) -> Vec<Motion> {
    for motion in &mut motions {
        for joint in &rig.joints[motion.joints.len()..] {
            for frame in &mut motion.frames {
                frame.push(joint.rest);
            }
        }
        motion.joints.clone_from(&rig.joints);
    }
    motions
}

/// The motion of a file without takes: its rest pose, once.
pub(super) fn no_takes(
    name: &str,
    joints: Vec<Joint>,
    label: &str,
    warnings: &mut Warnings,
) -> Motion {
    warnings.push(format!(
        "{label}: it has no take that moves a joint; its one frame is the rest pose"
    ));
    let rest: Vec<JointTransform> = joints.iter().map(|joint| joint.rest).collect();
    let stem = std::path::Path::new(name).file_stem().unwrap_or_default();
    Motion {
        name: stem.to_string_lossy().into_owned(),
        joints,
        rate_hz: super::takes::DEFAULT_RATE_HZ,
        frames: vec![rest],
        ..Motion::default()
    }
}
