//! What a joint is for, told from its name: skeletons of common tools have other names for the same
//! thing.

use std::collections::BTreeSet;

use super::Skeleton;
use crate::rig::Joint;

/// Side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The body's own left.
    Left,
    /// The body's own right.
    Right,
}

/// Place of a joint in a human skeleton.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Root of trunk and legs.
    Hips,
    /// One of the chain between hips and neck, counted from below.
    Spine(u8),
    /// The first joint of the neck.
    Neck,
    /// The head.
    Head,
    /// Collar bone.
    Clavicle(Side),
    /// Shoulder to elbow.
    UpperArm(Side),
    /// Elbow to wrist.
    ForeArm(Side),
    /// From the wrist on.
    Hand(Side),
    /// Hip to knee.
    Thigh(Side),
    /// Knee to ankle.
    Shin(Side),
    /// From the ankle on.
    Foot(Side),
    /// From the ball of the foot on.
    Toe(Side),
    /// Finger (0 thumb … 4 little) and segment from the palm (0 …).
    Finger(Side, u8, u8),
}

/// A name without namespace and Mixamo's prefix, in lower case: what must be equal for two joints to be
/// called the same.
pub(crate) fn plain_name(name: &str) -> String {
    let name = name
        .rsplit([':', '|'])
        .next()
        .unwrap_or(name)
        .to_ascii_lowercase();
    match name.strip_prefix("mixamorig") {
        Some(rest) => rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches('_')
            .to_owned(),
        None => name,
    }
}

/// Words and numbers of a name: `J_Bip_L_UpperLeg` → j bip l upper leg.
fn words(name: &str) -> Vec<String> {
    let name = name.rsplit([':', '|']).next().unwrap_or(name);
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in name.chars() {
        let begins = (c.is_ascii_uppercase() && !last.is_ascii_uppercase())
            || (c.is_ascii_digit() != last.is_ascii_digit());
        if !c.is_ascii_alphanumeric() {
            last = ' ';
            continue;
        }
        match words.last_mut() {
            Some(word) if last != ' ' && !begins => word.push(c.to_ascii_lowercase()),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
        last = c;
    }
    words
}

/// Words that say nothing about the place.
const NOISE: [&str; 14] = [
    "mixamorig",
    "bip",
    "j",
    "def",
    "org",
    "bone",
    "joint",
    "jnt",
    "armature",
    "rig",
    "valve",
    "biped",
    "c",
    "b",
];
/// Words of helpers that do not stand for a part of the body.
const HELPERS: [&str; 13] = [
    "end",
    "nub",
    "tip",
    "ik",
    "twist",
    "roll",
    "pole",
    "ctrl",
    "target",
    "metacarpal",
    "share",
    "helper",
    "mch",
];
const FINGERS: [&[&str]; 5] = [
    &["thumb"],
    &["index", "pointer"],
    &["middle", "mid"],
    &["ring"],
    &["pinky", "little", "pinkie"],
];

/// Role by name alone. Spines are not counted yet.
fn role_of(name: &str) -> Option<Role> {
    let mut words = words(name);
    if words.iter().any(|w| HELPERS.contains(&w.as_str())) {
        return None;
    }
    let mut side = None;
    let mut number = None;
    words.retain(|word| {
        match word.as_str() {
            "l" | "left" => side = Some(Side::Left),
            "r" | "right" => side = Some(Side::Right),
            w if w.bytes().all(|b| b.is_ascii_digit()) => number = w.parse::<u8>().ok(),
            w => return !NOISE.contains(&w),
        }
        false
    });
    let mut joined = words.concat();
    // `lthigh`, `rshin`, `leftupleg` in one word.
    if side.is_none() {
        let prefixes = [
            ("left", Side::Left),
            ("right", Side::Right),
            ("l", Side::Left),
            ("r", Side::Right),
        ];
        for (prefix, which) in prefixes {
            if let Some(rest) = joined.strip_prefix(prefix)
                && limb(rest, which, number).is_some()
            {
                return limb(rest, which, number);
            }
        }
    }
    if let Some(rest) = joined.strip_prefix("mixamorig") {
        joined = rest.to_owned();
    }
    match (side, joined.as_str()) {
        (Some(side), part) => limb(part, side, number),
        (None, "hips" | "hip" | "pelvis" | "cog") => Some(Role::Hips),
        (
            None,
            "spine" | "chest" | "upperchest" | "torso" | "abdomen" | "lowerback" | "waist"
            | "spinelower" | "spineupper",
        ) => Some(Role::Spine(0)),
        (None, "neck" | "necklower") => Some(Role::Neck),
        (None, "head") => Some(Role::Head),
        _ => None,
    }
}

fn limb(part: &str, side: Side, number: Option<u8>) -> Option<Role> {
    for (finger, names) in FINGERS.iter().enumerate() {
        if names.iter().any(|name| part.contains(name)) && !part.contains("toe") {
            let segment = if part.contains("proximal") {
                0
            } else if part.contains("intermediate") {
                1
            } else if part.contains("distal") {
                2
            } else {
                number?.checked_sub(1)?
            };
            return (segment < 3).then_some(Role::Finger(side, finger as u8, segment));
        }
    }
    Some(match part {
        "shoulder" | "clavicle" | "collar" | "collarbone" => Role::Clavicle(side),
        "arm" | "upperarm" | "uparm" => Role::UpperArm(side),
        "forearm" | "lowerarm" | "lowarm" | "elbow" => Role::ForeArm(side),
        "hand" | "wrist" => Role::Hand(side),
        "upleg" | "upperleg" | "thigh" | "uppleg" => Role::Thigh(side),
        "leg" | "lowerleg" | "shin" | "calf" | "knee" | "lowleg" => Role::Shin(side),
        "foot" | "ankle" => Role::Foot(side),
        "toe" | "toes" | "toebase" | "ball" => Role::Toe(side),
        _ => return None,
    })
}

/// The role of each joint; the first of a role has it. The spine is counted from the hips on.
pub fn roles(joints: &[Joint]) -> Vec<Option<Role>> {
    let mut seen: BTreeSet<Role> = BTreeSet::new();
    let mut spines = 0;
    let names_hips = joints.iter().any(|j| role_of(&j.name) == Some(Role::Hips));
    let mut has_hips = false;
    let mut roles: Vec<Option<Role>> = joints
        .iter()
        .map(|joint| {
            let mut role = role_of(&joint.name)?;
            if role == Role::Spine(0) {
                // Rigify has no hips: its first spine is there.
                if !has_hips && !names_hips {
                    role = Role::Hips;
                } else {
                    role = Role::Spine(spines);
                    spines = spines.saturating_add(1);
                }
            }
            has_hips |= role == Role::Hips;
            seen.insert(role).then_some(role)
        })
        .collect();
    if let Some((named, carries)) = real_hips(joints, &roles) {
        roles[named] = None;
        roles[carries] = Some(Role::Hips);
    }
    roles
}

/// Joints above `joint`, the nearest first.
pub(super) fn ancestors(joints: &[Joint], joint: usize) -> impl Iterator<Item = usize> {
    let above = move |at: &usize| joints[*at].parent.map(usize::from);
    std::iter::successors(above(&joint), above)
}

/// The joint called hips, and the one that carries both it and the legs, where the legs do not hang from the
/// former (they hang beside it from a `Body`). What is on the floor carries everything and is no hips.
fn real_hips(joints: &[Joint], roles: &[Option<Role>]) -> Option<(usize, usize)> {
    let at = |role: Role| roles.iter().position(|own| *own == Some(role));
    let hips = at(Role::Hips)?;
    let thighs = [at(Role::Thigh(Side::Left))?, at(Role::Thigh(Side::Right))?];
    let shin = at(Role::Shin(Side::Left))?;
    let carries = |joint: usize, below: usize| ancestors(joints, below).any(|up| up == joint);
    if thighs.iter().any(|thigh| carries(hips, *thigh)) {
        return None;
    }
    let common = |joint: &usize| thighs.iter().all(|thigh| carries(*joint, *thigh));
    let found = ancestors(joints, hips).find(common)?;
    let rest = Skeleton::at_rest(joints);
    let is_high = rest.place(found).z > rest.place(shin).z;
    (roles[found].is_none() && is_high).then_some((hips, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_skeletons_are_recognised() {
        let left_thigh = Some(Role::Thigh(Side::Left));
        for name in [
            "mixamorig:LeftUpLeg",
            "mixamorig1_LeftUpLeg",
            "LeftUpLeg",
            "LeftUpperLeg",
            "thigh_l",
            "thigh.L",
            "DEF-thigh.L",
            "J_Bip_L_UpperLeg",
            "UpperLeg.L",
            "Bip01 L Thigh",
            "Bip001_L_Thigh",
            "leftUpperLeg",
            "Character1_LeftUpLeg",
            "lThigh",
        ] {
            let name = name.replace("Character1_", "ns:");
            assert_eq!(role_of(&name), left_thigh, "{name}");
        }
        for (name, role) in [
            ("Bip01 Pelvis", Role::Hips),
            ("pelvis", Role::Hips),
            ("J_Bip_C_Hips", Role::Hips),
            ("J_Bip_C_UpperChest", Role::Spine(0)),
            ("spine_03", Role::Spine(0)),
            ("clavicle_r", Role::Clavicle(Side::Right)),
            ("lowerarm_r", Role::ForeArm(Side::Right)),
            ("Bip01 R Forearm", Role::ForeArm(Side::Right)),
            ("Bip01 R UpperArm", Role::UpperArm(Side::Right)),
            ("ball_l", Role::Toe(Side::Left)),
            ("LeftHandIndex2", Role::Finger(Side::Left, 1, 1)),
            ("J_Bip_R_Little3", Role::Finger(Side::Right, 4, 2)),
            ("Left Thumb Proximal", Role::Finger(Side::Left, 0, 0)),
            ("calf_l", Role::Shin(Side::Left)),
            ("RightToeBase", Role::Toe(Side::Right)),
        ] {
            assert_eq!(role_of(name), Some(role), "{name}");
        }
        for name in [
            "upperarm_twist_01_l",
            "ik_foot_l",
            "LeftToe_End",
            "LHipJoint",
            "Camera",
        ] {
            assert_eq!(role_of(name), None, "{name}");
        }
    }
}
