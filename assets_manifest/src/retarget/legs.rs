//! Legs solved from the feet up, so that what stands in the source stands in the target.

use glam::{Quat, Vec3};

use super::roles::{Role, Side};
use super::{Map, Skeleton};
use crate::rig::JointTransform;

/// Joints of one leg: in the rig, and those that they follow.
pub(super) struct Leg {
    thigh: usize,
    shin: usize,
    foot: usize,
    toe: Option<(usize, usize)>,
    source_foot: usize,
}

/// Longest share of the leg's length that a knee is stretched to.
const STRETCH: f32 = 0.9995;

impl Leg {
    /// `None` unless thigh, shin and foot are matched.
    pub(super) fn find(
        side: Side,
        roles: &[Option<Role>],
        matched: &[Option<u16>],
    ) -> Option<Self> {
        let at = |role: Role| {
            let joint = roles.iter().position(|r| *r == Some(role))?;
            Some((joint, usize::from(matched[joint]?)))
        };
        let (foot, source_foot) = at(Role::Foot(side))?;
        Some(Self {
            thigh: at(Role::Thigh(side))?.0,
            shin: at(Role::Shin(side))?.0,
            foot,
            toe: at(Role::Toe(side)),
            source_foot,
        })
    }

    /// Where the ankle belongs: under the scaled source's ankle while the heel is down, where it keeps the
    /// ball of the foot under the scaled source's ball while it is up.
    fn goal(&self, map: &Map<'_>, source: &Skeleton, target: &Skeleton) -> Vec3 {
        let carried = |from: usize, to: usize| {
            map.carried(
                source.place(from),
                map.source_rest.place(from),
                map.target_rest.place(to),
            )
        };
        let ankle = carried(self.source_foot, self.foot);
        let Some((toe, source_toe)) = self.toe else {
            return ankle;
        };
        let by_ball = carried(source_toe, toe) - (target.place(toe) - target.place(self.foot));
        let lifted = |from: usize| source.place(from).z - map.source_rest.place(from).z;
        let size = map.source_rest.place(self.source_foot).z.abs().max(1e-6);
        let share =
            ((lifted(self.source_foot) - lifted(source_toe)) / (0.25 * size)).clamp(0.0, 1.0);
        ankle.lerp(by_ball, share * share * (3.0 - 2.0 * share))
    }
}

/// Turns the legs of a frame so that ankles are where they belong; lowers the hips where legs are too
/// short for that.
pub(super) fn plant(
    map: &Map<'_>,
    source: &Skeleton,
    locals: &mut [JointTransform],
    mut hips: Vec3,
) {
    let joints = &map.rig.joints;
    let target = Skeleton::posed(joints, locals);
    let goals: Vec<Vec3> = map
        .legs
        .iter()
        .map(|leg| leg.goal(map, source, &target))
        .collect();
    let mut lower = 0.0_f32;
    for (leg, goal) in map.legs.iter().zip(&goals) {
        let [hip, knee, ankle] = [leg.thigh, leg.shin, leg.foot].map(|j| target.place(j));
        let reach = (hip.distance(knee) + knee.distance(ankle)) * STRETCH;
        let across = (*goal - hip).truncate().length_squared();
        let highest = goal.z + libm::sqrtf((reach * reach - across).max(0.0));
        lower = lower.max(hip.z - highest);
    }
    if lower > 1e-5 {
        // No deeper than a squat: a foot that far off is an error of the source.
        hips.z -= lower.min(0.25 * map.target_rest.place(map.root).z.abs());
        map.place_root(locals, hips);
    }
    for (leg, goal) in map.legs.iter().zip(&goals) {
        let target = Skeleton::posed(joints, locals);
        let [hip, knee, ankle] = [leg.thigh, leg.shin, leg.foot].map(|j| target.place(j));
        if ankle.distance(*goal) < 1e-5 {
            continue;
        }
        let (a, b) = (hip.distance(knee), knee.distance(ankle));
        let Some(down) = (*goal - hip).try_normalize() else {
            continue;
        };
        let distance = hip
            .distance(*goal)
            .clamp((a - b).abs() + 1e-4, (a + b) * STRETCH);
        // The knee stays on the side that it is on; a straight one goes where the foot points.
        let old = (ankle - hip).normalize_or(down);
        let side = (knee - hip) - old * (knee - hip).dot(old);
        let toes = leg
            .toe
            .map_or(-Vec3::Y, |(toe, _)| target.place(toe) - ankle);
        let side = if side.length() > 0.02 * a {
            side
        } else {
            side + toes.normalize_or_zero() * (0.02 * a)
        };
        let turned = Quat::from_rotation_arc(old, down) * side;
        let out = (turned - down * turned.dot(down)).normalize_or(-Vec3::Y);
        let along = (a * a - b * b + distance * distance) / (2.0 * distance);
        let new_knee = hip + down * along + out * libm::sqrtf((a * a - along * along).max(0.0));
        let new_ankle = hip + down * distance;
        let arc = |from: Vec3, to: Vec3| {
            Quat::from_rotation_arc(from.normalize_or(Vec3::Z), to.normalize_or(Vec3::Z))
        };
        let foot_before = target.rotations[leg.foot];
        let thigh = arc(knee - hip, new_knee - hip);
        let shin = arc(thigh * (ankle - knee), new_ankle - new_knee) * thigh;
        let mut set = |joint: usize, rotation: Quat| {
            let now = Skeleton::posed(&joints[..joint], &locals[..joint]);
            let parent = joints[joint]
                .parent
                .map_or(Quat::IDENTITY, |p| now.rotations[usize::from(p)]);
            locals[joint].rotation = (parent.inverse() * rotation).normalize();
        };
        set(leg.thigh, thigh * target.rotations[leg.thigh]);
        set(leg.shin, shin * target.rotations[leg.shin]);
        set(leg.foot, foot_before);
    }
    map.settle(locals);
}
