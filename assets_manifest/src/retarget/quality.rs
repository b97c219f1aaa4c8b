//! How good a motion is on a rig, measured.

use glam::Vec3;
use serde::{Deserialize, Serialize};

use super::Skeleton;
use super::roles::{Role, Side};
use crate::rig::{JointTransform, Rig};

/// What was measured on a motion; for all, smaller is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MotionQuality {
    /// Mean speed over the floor of feet that stand, cm/s.
    ///
    /// Taken between neighbouring frames at the ball of the foot or at the heel, whichever is nearer to its
    /// height at rest. The heel is taken to be on the floor, behind the ankle by 0.45 of the way from ankle
    /// to ball. A foot stands where that point is less than 2 cm above its height at rest and
    /// slower than 30 cm/s in all directions: faster ones are taken for feet in the air.
    pub foot_slide_cm_per_s: f32,
    /// Deepest that a heel or ball of a foot gets below its height at rest, cm.
    pub floor_penetration_cm: f32,
    /// Knees bent backwards by more than 5° against rest, and knees and elbows bent by more than 165°:
    /// one per joint and frame.
    pub joint_limit_violations: u32,
}

/// Speed below which a low foot stands, metres per second.
const STANDING_SPEED: f32 = 0.30;
/// Height above rest below which a foot may stand, metres.
const STANDING_HEIGHT: f32 = 0.02;

pub(super) fn measure(
    rig: &Rig,
    roles: &[Option<Role>],
    frames: &[Vec<JointTransform>],
    rate_hz: f32,
) -> MotionQuality {
    let at = |role: Role| roles.iter().position(|r| *r == Some(role));
    let rest = Skeleton::at_rest(&rig.joints);
    let poses: Vec<Skeleton> = frames
        .iter()
        .map(|f| Skeleton::posed(&rig.joints, f))
        .collect();
    let mut quality = MotionQuality::default();
    let (mut slide, mut count) = (0.0_f32, 0.0_f32);
    for side in [Side::Left, Side::Right] {
        let points = soles(&rest, at(Role::Foot(side)), at(Role::Toe(side)));
        let place = |pose: &Skeleton, point: &Sole| {
            Vec3::from(pose.places[point.joint].transform_point3a(point.place.into()))
        };
        let above = |pose: &Skeleton, point: &Sole| place(pose, point).z - place(&rest, point).z;
        for pose in &poses {
            for point in &points {
                quality.floor_penetration_cm = quality
                    .floor_penetration_cm
                    .max(-100.0 * above(pose, point));
            }
        }
        for pair in poses.windows(2) {
            let Some(low) = points
                .iter()
                .min_by(|a, b| above(&pair[0], a).total_cmp(&above(&pair[0], b)))
            else {
                continue;
            };
            let way = place(&pair[1], low) - place(&pair[0], low);
            let high = above(&pair[0], low).max(above(&pair[1], low));
            if high < STANDING_HEIGHT && way.length() * rate_hz < STANDING_SPEED {
                slide += way.truncate().length() * rate_hz * 100.0;
                count += 1.0;
            }
        }
        let toe = at(Role::Toe(side));
        let knee = at(Role::Thigh(side))
            .zip(at(Role::Shin(side)))
            .zip(at(Role::Foot(side)));
        if let Some(((thigh, shin), foot)) = knee {
            let forward = toe.map_or(-Vec3::Y, |toe| {
                (rest.place(toe) - rest.place(foot)).with_z(0.0)
            });
            let hinge = forward.cross(-Vec3::Z).normalize_or(Vec3::X);
            let rest_bend = bend(&rest, &rest, hinge, [thigh, shin, foot]);
            for pose in &poses {
                let bent = bend(pose, &rest, hinge, [thigh, shin, foot]) - rest_bend;
                if !(-5.0..=165.0).contains(&bent) {
                    quality.joint_limit_violations += 1;
                }
            }
        }
        let elbow = at(Role::UpperArm(side))
            .zip(at(Role::ForeArm(side)))
            .zip(at(Role::Hand(side)));
        if let Some(((arm, fore), hand)) = elbow {
            for pose in &poses {
                let [a, b] = bones(pose, [arm, fore, hand]);
                if a.angle_between(b).to_degrees() > 165.0 {
                    quality.joint_limit_violations += 1;
                }
            }
        }
    }
    if count > 0.0 {
        quality.foot_slide_cm_per_s = slide / count;
    }
    quality
}

/// A point of a foot that touches the floor.
struct Sole {
    joint: usize,
    /// In the joint.
    place: Vec3,
}

/// Ball and heel, or the ankle alone where there are no toes to tell the length of the foot.
fn soles(rest: &Skeleton, foot: Option<usize>, toe: Option<usize>) -> Vec<Sole> {
    let origin = |joint: usize| Sole {
        joint,
        place: Vec3::ZERO,
    };
    let (Some(foot), Some(toe)) = (foot, toe) else {
        return foot.or(toe).map(origin).into_iter().collect();
    };
    let (ankle, ball) = (rest.place(foot), rest.place(toe));
    let heel = (ankle - (ball - ankle) * 0.45).with_z(0.0);
    let in_foot = rest.places[foot].inverse().transform_point3a(heel.into());
    vec![
        origin(toe),
        Sole {
            joint: foot,
            place: in_foot.into(),
        },
    ]
}

fn bones(pose: &Skeleton, [a, b, c]: [usize; 3]) -> [Vec3; 2] {
    let direction =
        |from: usize, to: usize| (pose.place(to) - pose.place(from)).normalize_or(-Vec3::Z);
    [direction(a, b), direction(b, c)]
}

/// Degrees from the thigh's line to the shin, > 0: heel to the seat. The hinge moves with the thigh.
fn bend(pose: &Skeleton, rest: &Skeleton, hinge_at_rest: Vec3, leg: [usize; 3]) -> f32 {
    let thigh = leg[0];
    let hinge = pose.rotations[thigh] * rest.rotations[thigh].inverse() * hinge_at_rest;
    let [first, second] = bones(pose, leg);
    let across = second - hinge * second.dot(hinge);
    let angle = libm::atan2f(first.cross(across).dot(hinge), first.dot(across));
    angle.to_degrees()
}
