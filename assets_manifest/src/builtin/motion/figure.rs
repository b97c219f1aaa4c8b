//! A standard body that is posed by what an animator thinks of: where the hips are, how the back
//! bends, where the feet stand.

use core::f32::consts::FRAC_PI_4;

use glam::{Mat3, Quat, Vec3};

use super::super::character::skeleton::{ARM, Landmarks, joints};
use super::super::character::standard_landmarks;
use crate::rig::{Joint, JointTransform};

/// Where a foot is and how it is turned.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Foot {
    /// Point of the floor that is under the ankle when the sole is flat; higher in the air.
    pub(super) place: Vec3,
    /// Turn about the vertical, radians, counter-clockwise from above.
    pub(super) yaw: f32,
    /// Radians; > 0: toes up, turned about the heel; < 0: heel up, turned about the ball.
    pub(super) pitch: f32,
    /// 1: toes stay level while the heel is up … 0: they are in line with the foot.
    pub(super) toes_level: f32,
}

/// One arm, as for the left one; the right is mirrored. Radians.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arm {
    /// From hanging (0) sideways up (π).
    pub(super) raise: f32,
    /// Forward.
    pub(super) swing: f32,
    /// About its own axis, > 0: thumb inward.
    pub(super) twist: f32,
    /// Elbow.
    pub(super) flex: f32,
    /// Wrist, > 0: to the palm.
    pub(super) wrist: f32,
    /// Fingers, > 0: to a fist.
    pub(super) curl: f32,
    /// Shoulder up.
    pub(super) shrug: f32,
}

/// Everything at one time. Left before right.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stance {
    /// Of the joint, model space, metres; lowered where legs would not reach.
    pub(super) hips: Vec3,
    /// Of the hips against rest.
    pub(super) hips_turn: Quat,
    /// Added over the three joints of the spine together.
    pub(super) back: Quat,
    /// Added over neck and head together.
    pub(super) gaze: Quat,
    pub(super) arms: [Arm; 2],
    pub(super) feet: [Foot; 2],
    /// Knees outward, radians.
    pub(super) knees_out: f32,
}

/// The standard body, to be posed.
pub(super) struct Figure {
    pub(super) landmarks: Landmarks,
    pub(super) joints: Vec<Joint>,
}

/// Rotation whose mirror image in the plane between left and right this is.
fn mirrored(q: Quat) -> Quat {
    Quat::from_xyzw(q.x, -q.y, -q.z, q.w)
}

/// About X: > 0 leans back.
pub(super) fn pitch(angle: f32) -> Quat {
    Quat::from_rotation_x(angle)
}

/// About Y: > 0 leans to the left.
pub(super) fn roll(angle: f32) -> Quat {
    Quat::from_rotation_y(angle)
}

/// About Z: > 0 turns to the left.
pub(super) fn yaw(angle: f32) -> Quat {
    Quat::from_rotation_z(angle)
}

/// Part of a small rotation.
fn share(q: Quat, t: f32) -> Quat {
    Quat::IDENTITY.lerp(q, t)
}

impl Figure {
    pub(super) fn new() -> Self {
        let landmarks = standard_landmarks();
        Self {
            joints: joints(&landmarks),
            landmarks,
        }
    }

    /// Hips over the middle of feet that stand as at rest.
    pub(super) fn standing(&self) -> Stance {
        let foot = |side: f32| Foot {
            place: Vec3::new(
                side * (self.landmarks.ankle.x + 0.01),
                self.landmarks.ankle.y,
                0.0,
            ),
            yaw: side * 0.10,
            toes_level: 1.0,
            ..Foot::default()
        };
        let arm = Arm {
            raise: 0.17,
            flex: 0.22,
            curl: 0.25,
            ..Arm::default()
        };
        Stance {
            hips: self.landmarks.hips - Vec3::new(0.0, 0.0, 0.006),
            arms: [arm; 2],
            feet: [foot(1.0), foot(-1.0)],
            ..Stance::default()
        }
    }

    /// Ankle of a foot, and the foot's rotation.
    fn ankle(&self, foot: &Foot) -> (Vec3, Quat) {
        let l = &self.landmarks;
        let turn = yaw(foot.yaw);
        let rotation = turn * pitch(-foot.pitch);
        let pivot = if foot.pitch > 0.0 {
            Vec3::new(0.0, 0.055 * l.scale, -l.ankle.z)
        } else {
            l.toe - l.ankle
        };
        let flat = foot.place + Vec3::new(0.0, 0.0, l.ankle.z);
        (flat + turn * pivot - rotation * pivot, rotation)
    }

    /// Local transforms of all joints.
    pub(super) fn pose(&self, stance: &Stance) -> Vec<JointTransform> {
        let l = &self.landmarks;
        let mut locals: Vec<JointTransform> = self.joints.iter().map(|j| j.rest).collect();
        let mut set = |name: &str, rotation: Quat| {
            let joint = self.joints.iter().position(|j| j.name[10..] == *name);
            if let Some(joint) = joint {
                locals[joint].rotation = rotation;
            }
        };
        set("Hips", stance.hips_turn);
        for name in ["Spine", "Spine1", "Spine2"] {
            set(name, share(stance.back, 1.0 / 3.0));
        }
        set("Neck", share(stance.gaze, 0.4));
        set("Head", share(stance.gaze, 0.6));
        for (side, arm) in ["Left", "Right"].into_iter().zip(&stance.arms) {
            let place = |q: Quat| if side == "Left" { q } else { mirrored(q) };
            let mut set_sided = |name: &str, q: Quat| set(&format!("{side}{name}"), place(q));
            // A raised arm takes the collar bone along.
            let lift = arm.shrug + 0.25 * (arm.raise - 0.9).max(0.0);
            set_sided("Shoulder", roll(-lift));
            let upper = pitch(-arm.swing)
                * roll(FRAC_PI_4 - arm.raise + lift)
                * Quat::from_axis_angle(ARM, -arm.twist);
            set_sided("Arm", upper);
            // Elbow and wrist bend about the axes that point forward and to the palm at rest.
            let hinge = Vec3::new(-ARM.z, 0.0, ARM.x);
            set_sided("ForeArm", Quat::from_axis_angle(hinge, -arm.flex));
            set_sided("Hand", Quat::from_rotation_y(arm.wrist));
            for finger in ["Index", "Middle", "Ring", "Pinky"] {
                for segment in 1..=3 {
                    set_sided(&format!("Hand{finger}{segment}"), roll(arm.curl));
                }
            }
            for segment in 2..=3 {
                set_sided(
                    &format!("HandThumb{segment}"),
                    Quat::from_axis_angle(ARM, 0.5 * arm.curl),
                );
            }
        }

        // Legs, from the feet up.
        let ankles = [0, 1].map(|i| self.ankle(&stance.feet[i]));
        let hip = |i: usize| {
            let side = if i == 0 { 1.0 } else { -1.0 };
            stance.hips_turn * ((l.hip - l.hips) * Vec3::new(side, 1.0, 1.0))
        };
        let reach = ((l.knee - l.hip).length() + (l.ankle - l.knee).length()) * 0.9975;
        let mut hips = stance.hips;
        for (i, (ankle, _)) in ankles.iter().enumerate() {
            let across = (hips + hip(i) - *ankle).truncate();
            let highest = libm::sqrtf((reach * reach - across.length_squared()).max(0.0));
            let limit = ankle.z + highest - hip(i).z;
            // Rounded, so that a knee does not snap straight.
            let k = 0.03;
            let h = (k - (hips.z - limit).abs()).max(0.0) / k;
            hips.z = hips.z.min(limit) - h * h * k * 0.25;
        }
        locals[0].translation = hips;
        for (i, side) in ["Left", "Right"].into_iter().enumerate() {
            let (ankle, foot) = ankles[i];
            let sign = if i == 0 { 1.0 } else { -1.0 };
            let rest = Vec3::new(sign, 1.0, 1.0);
            let facing = stance.feet[i].yaw * 0.7 + sign * stance.knees_out;
            let pole = yaw(facing) * share(stance.hips_turn, 0.3) * -Vec3::Y;
            let thigh_rest = (l.knee - l.hip) * rest;
            let shin_rest = (l.ankle - l.knee) * rest;
            let [thigh, shin] = two_bones(hips + hip(i), ankle, pole, thigh_rest, shin_rest);
            let level = yaw(stance.feet[i].yaw);
            let toes = if stance.feet[i].pitch < 0.0 {
                foot.slerp(level, stance.feet[i].toes_level)
            } else {
                foot
            };
            let mut set_sided =
                |name: &str, q: Quat| set_local(&self.joints, &mut locals, side, name, q);
            set_sided("UpLeg", stance.hips_turn.inverse() * thigh);
            set_sided("Leg", thigh.inverse() * shin);
            set_sided("Foot", shin.inverse() * foot);
            set_sided("ToeBase", foot.inverse() * toes);
        }
        locals
    }
}

fn set_local(
    joints: &[Joint],
    locals: &mut [JointTransform],
    side: &str,
    name: &str,
    rotation: Quat,
) {
    let found = joints
        .iter()
        .position(|j| j.name[10..].strip_prefix(side) == Some(name));
    if let Some(joint) = found {
        locals[joint].rotation = rotation.normalize();
    }
}

/// World rotations of two bones in a chain from `from` to `to`, bent towards `pole`; `first` and
/// `second` are the bones at rest, where their hinge is about +X.
fn two_bones(from: Vec3, to: Vec3, pole: Vec3, first: Vec3, second: Vec3) -> [Quat; 2] {
    let (a, b) = (first.length(), second.length());
    let span = to - from;
    let distance = span.length().clamp((a - b).abs() + 1e-3, (a + b) * 0.9999);
    let down = span.normalize_or(-Vec3::Z);
    let hinge = pole.cross(down).normalize_or(Vec3::X);
    let forward = down.cross(hinge);
    let along = (a * a - b * b + distance * distance) / (2.0 * distance);
    let out = libm::sqrtf((a * a - along * along).max(0.0));
    let knee = from + down * along + forward * out;
    let ankle = from + down * distance;
    let frame = |bone: Vec3, hinge: Vec3| {
        let y = bone.normalize_or(-Vec3::Z);
        let x = (hinge - y * hinge.dot(y)).normalize_or(Vec3::X);
        Mat3::from_cols(x, y, x.cross(y))
    };
    let turn = |now: Vec3, rest: Vec3| {
        Quat::from_mat3(&(frame(now, hinge) * frame(rest, Vec3::X).transpose())).normalize()
    };
    [turn(knee - from, first), turn(ankle - knee, second)]
}
