use super::*;
use crate::builtin::character::{CharacterParameters, character};
use crate::builtin::motion::{motion, motion_ids};
use crate::rig::JointTransform;

fn standard() -> Rig {
    character(&CharacterParameters::standard()).rig.unwrap()
}

fn walk() -> Motion {
    motion("builtin/motion/walk").unwrap()
}

/// Joints of a rig with other names.
fn renamed(rig: &Rig, name: impl Fn(&str) -> String) -> Rig {
    let mut rig = rig.clone();
    for joint in &mut rig.joints {
        joint.name = name(&joint.name[10..]);
    }
    rig
}

/// A rig whose joints rest turned, in the same places.
fn turned(rig: &Rig, turn: Quat) -> Rig {
    let mut rig = rig.clone();
    for joint in &mut rig.joints {
        // World rotation becomes `turn` for all.
        let rest = &mut joint.rest;
        match joint.parent {
            None => rest.rotation = turn,
            Some(_) => rest.translation = turn.inverse() * rest.translation,
        }
    }
    rig
}

fn places(rig: &Rig, frame: &[JointTransform]) -> Vec<Vec3> {
    rig.pose(frame)
        .joints
        .iter()
        .map(|m| m.translation.into())
        .collect()
}

fn assert_same_places(
    rig: &Rig,
    frames: &[Vec<JointTransform>],
    motion: &Motion,
    other: &Rig,
    within: f32,
) {
    for (a, b) in frames.iter().zip(&motion.frames) {
        for (p, q) in places(rig, a).iter().zip(places(other, b)) {
            assert!(p.distance(q) < within, "{p} {q}");
        }
    }
}

#[test]
fn the_same_rig_gets_the_same_pose() {
    let rig = standard();
    for id in motion_ids() {
        let motion = motion(&id).unwrap();
        assert_eq!(retarget(&rig, &motion).unwrap().frames, motion.frames);
    }
}

#[test]
fn how_joints_rest_turned_changes_no_place() {
    let rig = standard();
    let other = turned(
        &rig,
        Quat::from_rotation_x(0.7) * Quat::from_rotation_y(-1.1),
    );
    let result = retarget(&other, &walk()).unwrap();
    assert_same_places(&other, &result.frames, &walk(), &rig, 2e-3);
}

#[test]
fn prefixes_do_not_matter() {
    let rig = standard();
    let other = turned(&rig, Quat::from_rotation_x(0.4));
    let plain = retarget(&other, &walk()).unwrap();
    for prefix in [
        "",
        "mixamorig1:",
        "mixamorig12_",
        "mixamorig",
        "character:mixamorig:",
    ] {
        let variant = renamed(&other, |name| format!("{prefix}{name}"));
        assert_eq!(retarget(&variant, &walk()).unwrap(), plain, "{prefix}");
    }
    let shouting = renamed(&other, str::to_ascii_uppercase);
    assert_eq!(retarget(&shouting, &walk()).unwrap().frames, plain.frames);
}

#[test]
fn roles_do_as_well_as_names() {
    let rig = standard();
    let other = renamed(&rig, |name| match name {
        "Hips" => "pelvis".into(),
        "Spine" => "spine_01".into(),
        "Spine1" => "spine_02".into(),
        "Spine2" => "spine_03".into(),
        "LeftUpLeg" => "thigh_l".into(),
        "LeftLeg" => "calf_l".into(),
        "LeftFoot" => "foot_l".into(),
        "LeftToeBase" => "ball_l".into(),
        "RightArm" => "upperarm_r".into(),
        "RightForeArm" => "lowerarm_r".into(),
        name => name.into(),
    });
    let result = retarget(&other, &walk()).unwrap();
    assert!(result.matched.iter().all(Option::is_some));
    assert_same_places(&other, &result.frames, &walk(), &rig, 2e-3);
}

#[test]
fn a_scaled_rig_goes_a_scaled_way() {
    let mut rig = standard();
    for joint in &mut rig.joints {
        joint.rest.translation *= 1.4;
    }
    let motion = walk();
    let result = retarget(&rig, &motion).unwrap();
    for (a, b) in result.frames.iter().zip(&motion.frames) {
        let (p, q) = (a[result.root].translation, b[0].translation * 1.4);
        assert!(p.distance(q) < 2e-3, "{p} {q}");
    }
    assert!(
        result.quality.foot_slide_cm_per_s < 2.0,
        "{:?}",
        result.quality
    );
}

#[test]
fn a_t_pose_follows_an_a_pose() {
    // The same body, arms sideways at rest. How a hand rolls about its arm is not told by bones alone:
    // a few millimetres at the fingertips.
    let mut rig = standard();
    let lift = |side: f32| Quat::from_rotation_y(-side * core::f32::consts::FRAC_PI_4);
    for (side, name) in [(1.0, "Left"), (-1.0, "Right")] {
        for joint in &mut rig.joints {
            let below = ["ForeArm", "Hand"]
                .iter()
                .any(|part| joint.name[10..].starts_with(&format!("{name}{part}")));
            if below {
                joint.rest.translation = lift(side) * joint.rest.translation;
            }
        }
    }
    let result = retarget(&rig, &walk()).unwrap();
    assert_same_places(&rig, &result.frames, &walk(), &standard(), 6e-3);
}

#[test]
fn all_people_do_all_motions_well() {
    for seed in [1, 2, 3, 4, 5, 6] {
        let rig = character(&CharacterParameters::from_seed(seed))
            .rig
            .unwrap();
        for id in motion_ids() {
            let quality = retarget(&rig, &motion(&id).unwrap()).unwrap().quality;
            assert!(
                quality.foot_slide_cm_per_s < 3.0,
                "{seed} {id}: {quality:?}"
            );
            assert!(
                quality.floor_penetration_cm < 1.5,
                "{seed} {id}: {quality:?}"
            );
            assert_eq!(quality.joint_limit_violations, 0, "{seed} {id}");
        }
    }
}

#[test]
fn strangers_are_refused_by_name() {
    let mut motion = walk();
    for (index, joint) in motion.joints.iter_mut().enumerate() {
        joint.name = format!("door{index}");
    }
    let error = retarget(&standard(), &motion).unwrap_err();
    assert!(error.to_string().contains("door0") && error.to_string().contains("mixamorig:Hips"));
    motion.frames.clear();
    assert_eq!(
        retarget(&standard(), &motion),
        Err(RetargetError::NoFrames("walk".into()))
    );
}

#[test]
fn what_follows_the_end() {
    let rig = standard();
    let of =
        |name: &str| retarget(&rig, &motion(&format!("builtin/motion/{name}")).unwrap()).unwrap();
    let walk = of("walk");
    assert_eq!(walk.ending(), Ending::Loop);
    let whole = walk.duration_secs();
    let (once, twice) = (walk.sample(0.3), walk.sample(0.3 + whole * 2.0));
    let way = walk.frames.last().unwrap()[0].translation - walk.frames[0][0].translation;
    assert!((twice[0].translation - once[0].translation).distance(way * 2.0) < 1e-3);
    let sit = of("sit_down");
    assert_ne!(sit.ending(), Ending::Loop);
    assert!(
        sit.sample(1e4)
            .iter()
            .all(|local| local.rotation.is_normalized())
    );
    // One frame is held.
    let still = Retargeted {
        frames: vec![walk.frames[3].clone()],
        ..walk.clone()
    };
    assert_eq!(still.ending(), Ending::Hold);
    assert_eq!(still.sample(7.0), walk.frames[3]);
}

/// The standard rig as animators build theirs: feet hang from the floor, and legs beside the hips from a body.
fn for_animators() -> Rig {
    let rig = standard();
    let rest = rig.rest_pose();
    let place = |joint: usize| Vec3::from(rest.joints[joint].translation);
    let hips = rig.joint("mixamorig:Hips").unwrap();
    let mut body = rig.joints[hips].clone();
    body.name = "Body".to_owned();
    let mut joints = vec![body];
    for (index, joint) in rig.joints.iter().enumerate() {
        let mut joint = joint.clone();
        joint.parent = joint.parent.map(|parent| parent + 1);
        let from_body = |joint: &mut Joint| {
            joint.parent = Some(0);
            joint.rest.translation = place(index) - place(hips);
        };
        match joint.name.trim_start_matches("mixamorig:") {
            "Hips" | "LeftUpLeg" | "RightUpLeg" => from_body(&mut joint),
            "LeftFoot" | "RightFoot" => {
                joint.parent = None;
                joint.rest.translation = place(index);
            }
            _ => {}
        }
        joints.push(joint);
    }
    Rig {
        joints,
        ..Rig::default()
    }
}

#[test]
fn feet_that_hang_from_the_floor_go_where_their_legs_go() {
    let rig = for_animators();
    let roles = roles(&rig.joints);
    assert_eq!(roles[0], Some(Role::Hips), "what carries trunk and legs");
    assert_eq!(roles[1], None);
    for id in motion_ids() {
        let motion = motion(&id).unwrap();
        let result = retarget(&rig, &motion).unwrap();
        let own = standard();
        for (frame, expected) in result.frames.iter().zip(&motion.frames) {
            let found = places(&rig, frame);
            // The same joints, one farther on.
            for (joint, expected) in places(&own, expected).into_iter().enumerate() {
                let off = found[joint + 1].distance(expected);
                assert!(off < 0.01, "{id}: {} by {off}", own.joints[joint].name);
            }
        }
    }
}
