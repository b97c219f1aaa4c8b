//! What the names and the rest pose of a skeleton tell.

use glam::Vec3;

use super::noun::{Signature, SkeletonFacts};
use crate::Rig;
use crate::retarget::{Role, Side, roles};
use crate::rig::Joint;

/// Sensible heights of people and of what moves like them, metres.
const HEIGHTS: std::ops::RangeInclusive<f32> = 0.3..=4.0;
/// Cosine against up below which a body lies.
const UPRIGHT: f32 = 0.5;

/// Names that Mixamo gives and others hardly do together.
const MIXAMO: [&str; 6] = [
    "hips",
    "spine",
    "leftupleg",
    "rightupleg",
    "leftforearm",
    "rightforearm",
];

pub(super) fn facts(joints: &[Joint], morphs: usize) -> SkeletonFacts {
    SkeletonFacts {
        bones: joints.len() as u32,
        signature: signature(joints),
        morphs: morphs as u32,
    }
}

fn signature(joints: &[Joint]) -> Signature {
    let names: Vec<String> = joints
        .iter()
        .map(|joint| crate::retarget::plain_name(&joint.name))
        .collect();
    if MIXAMO.iter().all(|name| names.iter().any(|n| n == name)) {
        return Signature::Mixamo;
    }
    let found: Vec<Role> = roles(joints).into_iter().flatten().collect();
    let both = |role: fn(Side) -> Role| {
        found.contains(&role(Side::Left)) && found.contains(&role(Side::Right))
    };
    let limbs = both(Role::Thigh) && both(Role::Shin) && both(Role::UpperArm);
    if found.contains(&Role::Hips) && limbs {
        Signature::Humanoid
    } else {
        Signature::Other
    }
}

/// What is odd about the size and the rest pose of a humanoid: the unit or an axis is likely wrong.
pub(super) fn odd_pose(rig: &Rig, height: f32) -> Vec<String> {
    let mut words = Vec::new();
    if signature(&rig.joints) == Signature::Other {
        return words;
    }
    if !HEIGHTS.contains(&height) {
        words.push(format!(
            "it is {height:.3} m tall: is its unit right? It is scaled to a person's size where it is used"
        ));
    }
    let pose = rig.rest_pose();
    let roles = roles(&rig.joints);
    let place = |role: Role| {
        let index = roles.iter().position(|found| *found == Some(role))?;
        Some(Vec3::from(pose.joints.get(index)?.translation))
    };
    if let (Some(hips), Some(head)) = (place(Role::Hips), place(Role::Head))
        && let Some(up) = (head - hips).try_normalize()
        && up.z < UPRIGHT
    {
        words.push(format!(
            "its head is not above its hips at rest (direction {:.2} {:.2} {:.2}): is an axis wrong?",
            up.x, up.y, up.z
        ));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::JointTransform;

    fn joints(names: &[&str]) -> Vec<Joint> {
        names
            .iter()
            .map(|name| Joint {
                name: (*name).to_owned(),
                parent: None,
                rest: JointTransform::IDENTITY,
            })
            .collect()
    }

    #[test]
    fn names_tell_the_skeletons_apart() {
        let mixamo = [
            "mixamorig9:Hips",
            "mixamorig9:Spine",
            "mixamorig9:LeftUpLeg",
            "mixamorig9:RightUpLeg",
            "mixamorig9:LeftForeArm",
            "mixamorig9:RightForeArm",
        ];
        assert_eq!(signature(&joints(&mixamo)), Signature::Mixamo);
        let humanoid = [
            "pelvis",
            "thigh.L",
            "thigh.R",
            "shin.L",
            "shin.R",
            "upper_arm.L",
            "upper_arm.R",
            "head",
        ];
        assert_eq!(signature(&joints(&humanoid)), Signature::Humanoid);
        assert_eq!(signature(&joints(&humanoid[..4])), Signature::Other);
        assert_eq!(signature(&joints(&["Bone", "Bone.001"])), Signature::Other);
    }

    #[test]
    fn giants_and_those_who_lie_are_named() {
        let mut rig = Rig {
            joints: joints(&[
                "Hips",
                "Head",
                "LeftUpLeg",
                "RightUpLeg",
                "LeftLeg",
                "RightLeg",
                "LeftArm",
                "RightArm",
            ]),
            ..Rig::default()
        };
        rig.joints[1].rest.translation = Vec3::Z;
        assert!(odd_pose(&rig, 1.7).is_empty());
        assert!(odd_pose(&rig, 170.0)[0].contains("170.000 m tall"));
        rig.joints[1].rest.translation = Vec3::Y;
        assert!(odd_pose(&rig, 1.7)[0].contains("head is not above"));
    }
}
