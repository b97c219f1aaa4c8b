//! How much of a point at rest follows which joint.
//!
//! Each limb hands over from bone to bone along its own axis, so that no limb pulls on another.

use glam::Vec3;

use super::body::{Body, Slot};
use super::skeleton::finger;
use super::solid::smoothstep;
use crate::rig::{Influence, Joint};

/// Most joints that move one vertex.
const MOST: usize = 4;

/// Indices of the joints that weights name.
pub(super) struct Weights<'a> {
    body: &'a Body,
    joints: &'a [Joint],
}

/// Weights of joints under construction: shares of 1 are handed out in turn.
struct Shares<'a> {
    joints: &'a [Joint],
    list: Vec<Influence>,
}

impl Shares<'_> {
    fn give(&mut self, name: &str, weight: f32) {
        if weight <= 1e-4 {
            return;
        }
        let found = self
            .joints
            .iter()
            .position(|j| j.name.strip_prefix("mixamorig:") == Some(name));
        if let Some(joint) = found {
            self.list.push(Influence {
                joint: joint as u16,
                weight,
            });
        }
    }

    /// The strongest, summing to 1.
    fn finish(mut self) -> Vec<Influence> {
        self.list
            .sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.joint.cmp(&b.joint)));
        self.list.truncate(MOST);
        let sum: f32 = self.list.iter().map(|i| i.weight).sum();
        for influence in &mut self.list {
            influence.weight /= sum;
        }
        self.list
    }
}

impl<'a> Weights<'a> {
    pub(super) fn new(body: &'a Body, joints: &'a [Joint]) -> Self {
        Self { body, joints }
    }

    fn shares(&self) -> Shares<'a> {
        Shares {
            joints: self.joints,
            list: Vec::with_capacity(8),
        }
    }

    /// Of a part that follows one joint, or a finger.
    pub(super) fn of_part(&self, joint: &str, p: Vec3) -> Vec<Influence> {
        let mut shares = self.shares();
        let name = joint.strip_prefix("mixamorig:").unwrap_or(joint);
        match name.strip_suffix('1') {
            Some(stem) => {
                let index = super::skeleton::FINGERS
                    .iter()
                    .position(|f| stem.ends_with(f))
                    .unwrap_or(0);
                let near = Vec3::new(p.x.abs(), p.y, p.z);
                let [a, b, c, _] = finger(&self.body.landmarks, index);
                let bend = 0.006 * self.body.landmarks.scale;
                let past = |joint: Vec3, from: Vec3| {
                    let along = (near - joint).dot((joint - from).normalize_or(Vec3::X));
                    smoothstep(-bend, bend, along)
                };
                let (s1, s2, s3) = (past(a, a - (b - a)), past(b, a), past(c, b));
                let side = if stem.starts_with("Left") {
                    "LeftHand"
                } else {
                    "RightHand"
                };
                shares.give(side, 1.0 - s1);
                shares.give(name, s1 * (1.0 - s2));
                shares.give(&format!("{stem}2"), s1 * s2 * (1.0 - s3));
                shares.give(&format!("{stem}3"), s1 * s2 * s3);
            }
            None => shares.give(name, 1.0),
        }
        shares.finish()
    }

    /// Of the body's surface.
    pub(super) fn of_body(&self, slot: Slot, p: Vec3) -> Vec<Influence> {
        let l = &self.body.landmarks;
        let u = l.scale;
        let mut shares = self.shares();
        if slot == Slot::Hair {
            shares.give("Head", 1.0);
            return shares.finish();
        }
        let parts = self.body.parts(p);
        let near = Vec3::new(p.x.abs(), p.y, p.z);
        let side = if p.x >= 0.0 { "Left" } else { "Right" };
        let name = |joint: &str| format!("{side}{joint}");

        // Arm: by which solid is nearer, and how far along.
        let nearer = smoothstep(-0.03 * u, 0.03 * u, parts.torso.min(parts.leg) - parts.arm);
        let past_shoulder = smoothstep(-0.055 * u, 0.075 * u, parts.arm_along);
        // About the shoulder both are near; the breast is as far along as the shoulder, but not near.
        let about = smoothstep(0.04 * u, -0.01 * u, parts.arm_along);
        let close = smoothstep(0.060 * u, 0.018 * u, parts.arm);
        let arm = past_shoulder * nearer.max(about) * close.max(nearer);
        if arm > 0.0 {
            let upper = (l.elbow - l.shoulder).length();
            let whole = upper + (l.wrist - l.elbow).length();
            let elbow = smoothstep(upper - 0.040 * u, upper + 0.040 * u, parts.arm_along);
            let wrist = smoothstep(whole - 0.022 * u, whole + 0.022 * u, parts.arm_along);
            shares.give(&name("Arm"), arm * (1.0 - elbow));
            shares.give(&name("ForeArm"), arm * elbow * (1.0 - wrist));
            shares.give(&name("Hand"), arm * wrist);
        }
        let mut rest = 1.0 - arm;

        // Leg: below a crease that runs from the crotch up to the hip bone.
        let crease = l.hip.z - 0.035 * u + 0.35 * (near.x - l.hip.x * 0.4);
        let skirt = slot == Slot::Bottom && self.body.wears_skirt();
        let leg = if skirt {
            0.92 * smoothstep(l.hip.z + 0.06 * u, l.hip.z - 0.22 * u, p.z)
        } else {
            smoothstep(crease + 0.065 * u, crease - 0.065 * u, p.z)
        } * rest;
        if leg > 0.0 {
            let between = if skirt { 0.13 } else { 0.032 } * u;
            let left = smoothstep(-between, between, p.x);
            let knee = if skirt {
                0.0
            } else {
                smoothstep(l.knee.z + 0.05 * u, l.knee.z - 0.05 * u, p.z)
            };
            let ankle_z = l.ankle.z + 0.008 * u;
            let ankle = smoothstep(ankle_z + 0.026 * u, ankle_z - 0.022 * u, p.z)
                .max(smoothstep(l.ankle.y - 0.06 * u, l.ankle.y - 0.09 * u, p.y) * knee);
            let toe = smoothstep(l.toe.y + 0.020 * u, l.toe.y - 0.020 * u, p.y) * ankle;
            for (which, share) in [("Left", left), ("Right", 1.0 - left)] {
                let share = share * leg;
                shares.give(&format!("{which}UpLeg"), share * (1.0 - knee));
                shares.give(&format!("{which}Leg"), share * knee * (1.0 - ankle));
                shares.give(&format!("{which}Foot"), share * knee * ankle * (1.0 - toe));
                shares.give(&format!("{which}ToeBase"), share * knee * ankle * toe);
            }
            rest -= leg;
        }

        // Collar bone, then the spine.
        let outward = smoothstep(l.clavicle.x + 0.01 * u, l.shoulder.x, near.x);
        let upward = smoothstep(l.shoulder.z - 0.13 * u, l.shoulder.z - 0.02 * u, p.z);
        let below_neck = smoothstep(l.neck.z + 0.05 * u, l.neck.z + 0.01 * u, p.z);
        let clavicle = rest * outward * upward * below_neck;
        shares.give(&name("Shoulder"), clavicle);
        rest -= clavicle;
        let spine = ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"];
        let skull = l.head + Vec3::new(0.0, 0.0, 0.005 * u);
        let heights = [
            l.spine[0].z,
            l.spine[1].z,
            l.spine[2].z,
            l.neck.z + 0.01 * u,
        ];
        let widths = [0.06, 0.06, 0.07, 0.035];
        let mut above = 1.0;
        let mut passed = [0.0_f32; 6];
        for (i, (height, width)) in heights.iter().zip(widths).enumerate() {
            let next = smoothstep(height - width * u, height + width * u, p.z);
            passed[i] = above * (1.0 - next);
            above *= next;
        }
        // The skull's lower border rises to the back: the chin is lower than the nape.
        let tilt = skull.z - 0.018 * u + 0.45 * (p.y - skull.y);
        let head = smoothstep(tilt - 0.028 * u, tilt + 0.022 * u, p.z);
        passed[4] = above * (1.0 - head);
        passed[5] = above * head;
        for (name, share) in spine.iter().zip(passed) {
            shares.give(name, rest * share);
        }
        shares.finish()
    }
}
