use glam::Vec3;

use super::super::character::{CharacterParameters, character};
use super::*;
use crate::retarget::retarget;

fn all() -> Vec<Motion> {
    motion_ids().iter().map(|id| motion(id).unwrap()).collect()
}

#[test]
fn standing_feet_do_not_slide_and_nothing_sinks_into_the_floor() {
    let rig = character(&CharacterParameters::standard()).rig.unwrap();
    for motion in all() {
        let quality = retarget(&rig, &motion).unwrap().quality;
        assert!(
            quality.foot_slide_cm_per_s < 2.0,
            "{}: {quality:?}",
            motion.name
        );
        assert!(
            quality.floor_penetration_cm < 1.0,
            "{}: {quality:?}",
            motion.name
        );
        assert_eq!(
            quality.joint_limit_violations, 0,
            "{}: {quality:?}",
            motion.name
        );
    }
}

#[test]
fn shoes_stay_above_the_floor() {
    let model = character(&CharacterParameters::standard());
    let rig = model.rig.as_ref().unwrap();
    for motion in all() {
        for frame in motion.frames.iter().step_by(5) {
            let (low, _) = model.posed(0, &rig.pose(frame)).bounds().unwrap();
            assert!(low.z > -0.01, "{}: {}", motion.name, low.z);
        }
    }
}

#[test]
fn loops_join() {
    for (id, motion) in motion_ids().iter().zip(all()) {
        if motion_loops(id) != Some(true) {
            continue;
        }
        let (first, last) = (&motion.frames[0], motion.frames.last().unwrap());
        for (joint, (a, b)) in first.iter().zip(last).enumerate() {
            let alike = a.rotation.dot(b.rotation).abs();
            assert!(
                alike > 0.99995,
                "{}: {} {alike}",
                motion.name,
                motion.joints[joint].name
            );
            let way = b.translation - a.translation;
            assert!(
                way.z.abs() < 1e-3 && way.x.abs() < 1e-3,
                "{}: {way}",
                motion.name
            );
        }
    }
}

#[test]
fn walking_and_running_go_forward_at_their_speed() {
    for (name, speed) in [("walk", gait::WALK.speed), ("run", gait::RUN.speed)] {
        let motion = motion(&format!("builtin/motion/{name}")).unwrap();
        let way = motion.frames.last().unwrap()[0].translation - motion.frames[0][0].translation;
        let wanted = Vec3::new(0.0, -speed * motion.duration_secs(), 0.0);
        assert!(way.distance(wanted) < 1e-3, "{name}: {way} {wanted}");
    }
}

#[test]
fn no_joint_jumps() {
    for motion in all() {
        for pair in motion.frames.windows(2) {
            for (joint, (a, b)) in pair[0].iter().zip(&pair[1]).enumerate() {
                let angle = 2.0 * libm::acosf(a.rotation.dot(b.rotation).abs().min(1.0));
                assert!(
                    angle.to_degrees() < 32.0,
                    "{}: {} {}",
                    motion.name,
                    motion.joints[joint].name,
                    angle.to_degrees()
                );
            }
        }
    }
}

#[test]
fn unknown_motions_are_none() {
    assert!(motion("builtin/motion/fly").is_none());
    assert!(motion("builtin/walk").is_none());
    assert_eq!(motion_verb("builtin/motion/run"), Some("runs"));
}
