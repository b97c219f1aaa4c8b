//! Motions of one skeleton for another.
//!
//! Joints are matched by name, then by role. Rotations go over as what they add to the rest pose, in
//! model space, after the rest poses' bones have been aligned: an A-pose follows a T-pose. The hips'
//! way is scaled by their height, and legs are solved again so that feet stand where the scaled motion
//! has them.

mod legs;
mod quality;
mod roles;
mod sample;
#[cfg(test)]
mod tests;

use glam::{Affine3A, Quat, Vec3};

use crate::Motion;
use crate::rig::{Joint, JointTransform, Rig};

pub use quality::MotionQuality;
pub(crate) use roles::plain_name;
pub use roles::{Role, Side, roles};
pub use sample::{Ending, sample};

/// A motion for another rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Retargeted {
    /// Transforms against their parents of all joints of the rig, one list per frame of the motion.
    pub frames: Vec<Vec<JointTransform>>,
    /// Samples per second.
    pub rate_hz: f32,
    /// Index of the joint that carries the way.
    pub root: usize,
    /// For each joint of the rig the joint of the motion it follows; `None`: it keeps its rest.
    pub matched: Vec<Option<u16>>,
    /// What was measured on the result.
    pub quality: MotionQuality,
}

/// Why a motion does not fit a rig.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetargetError {
    /// Nothing to play.
    #[error("the motion `{0}` has no frames")]
    NoFrames(String),
    /// A rate that is not a positive number.
    #[error("the motion `{0}` has no sensible frame rate")]
    NoRate(String),
    /// No hips, or nothing but hips, are in both.
    #[error(
        "the motion `{motion}` and the rig have too few joints in common; the motion has {source_names}; the rig has {target_names}"
    )]
    NothingInCommon {
        /// Name of the take.
        motion: String,
        /// Some of the motion's joints.
        source_names: String,
        /// Some of the rig's joints.
        target_names: String,
    },
}

/// Fewest joints in common that make a match.
const FEWEST: usize = 4;

/// Carries `motion` over to `rig`.
pub fn retarget(rig: &Rig, motion: &Motion) -> Result<Retargeted, RetargetError> {
    if motion.frames.is_empty() {
        return Err(RetargetError::NoFrames(motion.name.clone()));
    }
    if !(motion.rate_hz.is_finite() && motion.rate_hz > 0.0) {
        return Err(RetargetError::NoRate(motion.name.clone()));
    }
    let (source_roles, target_roles) = (roles(&motion.joints), roles(&rig.joints));
    let matched = match_joints(&motion.joints, &source_roles, &rig.joints, &target_roles);
    let root = target_roles
        .iter()
        .zip(&matched)
        .position(|(role, source)| *role == Some(Role::Hips) && source.is_some());
    let root = match root {
        Some(root) if matched.iter().flatten().count() >= FEWEST => root,
        _ => {
            return Err(RetargetError::NothingInCommon {
                motion: motion.name.clone(),
                source_names: some_names(&motion.joints),
                target_names: some_names(&rig.joints),
            });
        }
    };
    let source = Skeleton::at_rest(&motion.joints);
    let target = Skeleton::at_rest(&rig.joints);
    let same = is_same(&motion.joints, &rig.joints, &matched);
    let mut frames: Vec<Vec<JointTransform>> = if same {
        // Nothing to work out, nothing to round.
        motion
            .frames
            .iter()
            .map(|frame| {
                let pick = |(joint, source): (&Joint, &Option<u16>)| {
                    source.map_or(joint.rest, |s| frame[usize::from(s)])
                };
                rig.joints.iter().zip(&matched).map(pick).collect()
            })
            .collect()
    } else {
        let map = Map::new(
            &source,
            &target,
            &source_roles,
            &target_roles,
            &matched,
            root,
            rig,
            motion,
        );
        motion.frames.iter().map(|frame| map.frame(frame)).collect()
    };
    for frame in &mut frames {
        for (local, joint) in frame.iter_mut().zip(&rig.joints) {
            if !(local.translation.is_finite() && local.rotation.is_finite()) {
                *local = joint.rest;
            }
        }
    }
    let quality = quality::measure(rig, &target_roles, &frames, motion.rate_hz);
    Ok(Retargeted {
        frames,
        rate_hz: motion.rate_hz,
        root,
        matched,
        quality,
    })
}

fn some_names(joints: &[Joint]) -> String {
    let names: Vec<&str> = joints.iter().take(12).map(|j| j.name.as_str()).collect();
    match joints.len() {
        0 => "none".to_owned(),
        1..=12 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), more - 12),
    }
}

/// For each target joint the source joint it follows: of the same name, else of the same role.
fn match_joints(
    source: &[Joint],
    source_roles: &[Option<Role>],
    target: &[Joint],
    target_roles: &[Option<Role>],
) -> Vec<Option<u16>> {
    let source_names: Vec<String> = source.iter().map(|j| roles::plain_name(&j.name)).collect();
    let count_spines = |roles: &[Option<Role>]| {
        roles
            .iter()
            .flatten()
            .filter(|r| matches!(r, Role::Spine(_)))
            .count()
    };
    let (m, n) = (count_spines(source_roles), count_spines(target_roles));
    target
        .iter()
        .zip(target_roles)
        .map(|(joint, role)| {
            let plain = roles::plain_name(&joint.name);
            let by_name = source_names.iter().position(|name| *name == plain);
            let spine = matches!(role, Some(Role::Spine(_)));
            // Chains of other lengths: first to first, last to last.
            if let Some(found) = by_name.filter(|_| !spine || m == n) {
                return Some(found as u16);
            }
            let wanted = match (*role)? {
                Role::Spine(_) if m == 0 => return None,
                Role::Spine(i) if n > 1 => {
                    let i = (usize::from(i) * (m - 1) + (n - 1) / 2) / (n - 1);
                    Role::Spine(i as u8)
                }
                Role::Spine(_) => Role::Spine(m as u8 - 1),
                role => role,
            };
            let found = source_roles.iter().position(|role| *role == Some(wanted))?;
            Some(found as u16)
        })
        .collect()
}

/// Whether the matched joints rest alike and hang from matching parents.
fn is_same(source: &[Joint], target: &[Joint], matched: &[Option<u16>]) -> bool {
    source.len() == target.len()
        && target.iter().zip(matched).all(|(joint, found)| {
            found.is_some_and(|found| {
                let other = &source[usize::from(found)];
                let parent = joint.parent.and_then(|p| matched[usize::from(p)]);
                other.rest == joint.rest && other.parent == parent
            })
        })
}

/// Where all joints are, model space.
struct Skeleton {
    rotations: Vec<Quat>,
    places: Vec<Affine3A>,
}

impl Skeleton {
    fn at_rest(joints: &[Joint]) -> Self {
        let locals: Vec<JointTransform> = joints.iter().map(|j| j.rest).collect();
        Self::posed(joints, &locals)
    }

    fn posed(joints: &[Joint], locals: &[JointTransform]) -> Self {
        let mut rotations: Vec<Quat> = Vec::with_capacity(joints.len());
        let mut places: Vec<Affine3A> = Vec::with_capacity(joints.len());
        for (joint, local) in joints.iter().zip(locals) {
            let (rotation, place) = match joint.parent {
                Some(p) => (rotations[usize::from(p)], places[usize::from(p)]),
                None => (Quat::IDENTITY, Affine3A::IDENTITY),
            };
            rotations.push((rotation * local.rotation).normalize());
            places.push(place * local.parent_from_joint());
        }
        Self { rotations, places }
    }

    fn place(&self, joint: usize) -> Vec3 {
        self.places[joint].translation.into()
    }
}

/// Everything about a pair of skeletons that is the same in all frames.
struct Map<'a> {
    rig: &'a Rig,
    motion: &'a Motion,
    matched: &'a [Option<u16>],
    root: usize,
    source_rest: &'a Skeleton,
    target_rest: &'a Skeleton,
    /// Turns the source to face the way the target faces.
    facing: Quat,
    /// Target's size over the source's.
    scale: f32,
    /// For each target joint: its model rotation when the source is at rest.
    aligned: Vec<Quat>,
    legs: Vec<legs::Leg>,
    /// Joints of limbs that hang from something else than the bone they end, with that bone's joint, from the
    /// hips on: in rigs for animators feet hang from the floor, and something moves legs after them.
    loose: Vec<[usize; 2]>,
}

impl<'a> Map<'a> {
    fn new(
        source_rest: &'a Skeleton,
        target_rest: &'a Skeleton,
        source_roles: &[Option<Role>],
        target_roles: &[Option<Role>],
        matched: &'a [Option<u16>],
        root: usize,
        rig: &'a Rig,
        motion: &'a Motion,
    ) -> Self {
        let left_from_right = |skeleton: &Skeleton, roles: &[Option<Role>]| {
            let at = |role: Role| {
                roles
                    .iter()
                    .position(|r| *r == Some(role))
                    .map(|j| skeleton.place(j))
            };
            let pair = at(Role::Thigh(Side::Left))
                .zip(at(Role::Thigh(Side::Right)))
                .or_else(|| at(Role::UpperArm(Side::Left)).zip(at(Role::UpperArm(Side::Right))));
            pair.and_then(|(left, right)| (left - right).with_z(0.0).try_normalize())
        };
        let facing = match (
            left_from_right(source_rest, source_roles),
            left_from_right(target_rest, target_roles),
        ) {
            (Some(source), Some(target)) if source.distance(target) > 1e-4 => {
                let angle = libm::atan2f(
                    source.x * target.y - source.y * target.x,
                    source.dot(target),
                );
                Quat::from_rotation_z(angle)
            }
            _ => Quat::IDENTITY,
        };
        let source_of = |joint: usize| matched[joint].map(usize::from);
        let height = |skeleton: &Skeleton, roles: &[Option<Role>], hips: usize| {
            let feet = roles.iter().enumerate().filter(|(_, role)| {
                matches!(role, Some(Role::Foot(_) | Role::Toe(_) | Role::Shin(_)))
            });
            let lowest = feet
                .map(|(j, _)| skeleton.place(j).z)
                .fold(f32::INFINITY, f32::min);
            let top = skeleton.place(hips).z;
            if lowest < top {
                top - lowest
            } else {
                top.abs()
            }
        };
        let source_hips = source_of(root).unwrap_or(0);
        let (from, to) = (
            height(source_rest, source_roles, source_hips),
            height(target_rest, target_roles, root),
        );
        let scale = if from > 1e-6 { to / from } else { 1.0 };
        let bone = |skeleton: &Skeleton, joint: usize, child: usize| {
            (skeleton.place(child) - skeleton.place(joint)).try_normalize()
        };
        // What turns each joint of the target at rest to the source's rest. Bones below an aligned one start
        // from its turn: they roll with it, and ends that have no bone of their own keep their place in it.
        let mut turns: Vec<Quat> = Vec::with_capacity(rig.joints.len());
        for (joint, description) in rig.joints.iter().enumerate() {
            let role = target_roles[joint];
            let above = match (description.parent, role) {
                (_, Some(role)) if begins_anew(role) => Quat::IDENTITY,
                (Some(parent), _) => turns[usize::from(parent)],
                (None, _) => Quat::IDENTITY,
            };
            let next = role.and_then(next_in_limb);
            let child = next.and_then(|next| target_roles.iter().position(|r| *r == Some(next)));
            let bones = child.and_then(|child| {
                let now = bone(target_rest, joint, child)?;
                let wanted = bone(source_rest, source_of(joint)?, source_of(child)?)?;
                Some((above * now, facing * wanted))
            });
            turns.push(match bones {
                Some((now, wanted)) if now.distance(wanted) > 1e-4 => {
                    Quat::from_rotation_arc(now, wanted) * above
                }
                _ => above,
            });
        }
        let aligned = turns
            .iter()
            .zip(&target_rest.rotations)
            .map(|(turn, rest)| *turn * *rest)
            .collect();
        let legs = [Side::Left, Side::Right]
            .into_iter()
            .filter_map(|side| legs::Leg::find(side, target_roles, matched))
            .collect();
        Self {
            rig,
            motion,
            matched,
            root,
            source_rest,
            target_rest,
            facing,
            scale,
            aligned,
            legs,
            loose: loose(&rig.joints, target_roles),
        }
    }

    /// Where the target has what the source has at `now`, when it rests at `source_rest` and the target at
    /// `target_rest`.
    fn carried(&self, now: Vec3, source_rest: Vec3, target_rest: Vec3) -> Vec3 {
        target_rest + self.facing * (now - source_rest) * self.scale
    }

    fn frame(&self, frame: &[JointTransform]) -> Vec<JointTransform> {
        let source = Skeleton::posed(&self.motion.joints, frame);
        let source_hips = self.matched[self.root].map_or(0, usize::from);
        let hips = self.carried(
            source.place(source_hips),
            self.source_rest.place(source_hips),
            self.target_rest.place(self.root),
        );
        let mut rotations: Vec<Quat> = Vec::with_capacity(self.rig.joints.len());
        let mut locals: Vec<JointTransform> = Vec::with_capacity(self.rig.joints.len());
        for (joint, description) in self.rig.joints.iter().enumerate() {
            let parent = description
                .parent
                .map_or(Quat::IDENTITY, |p| rotations[usize::from(p)]);
            let rotation = match self.matched[joint] {
                Some(found) => {
                    let found = usize::from(found);
                    let added =
                        source.rotations[found] * self.source_rest.rotations[found].inverse();
                    self.facing * added * self.facing.inverse() * self.aligned[joint]
                }
                None => parent * description.rest.rotation,
            };
            rotations.push(rotation.normalize());
            locals.push(JointTransform {
                rotation: (parent.inverse() * rotation).normalize(),
                ..description.rest
            });
        }
        self.place_root(&mut locals, hips);
        legs::plant(self, &source, &mut locals, hips);
        locals
    }

    /// Puts the root joint at a place of the model.
    fn place_root(&self, locals: &mut [JointTransform], place: Vec3) {
        let parent = self.rig.joints[self.root]
            .parent
            .map_or(Affine3A::IDENTITY, |p| {
                Skeleton::posed(&self.rig.joints[..self.root], &locals[..self.root]).places
                    [usize::from(p)]
            });
        locals[self.root].translation = parent.inverse().transform_point3(place);
        self.settle(locals);
    }

    /// Puts loose joints to the ends of their bones.
    fn settle(&self, locals: &mut [JointTransform]) {
        for [joint, bone] in &self.loose {
            let now = Skeleton::posed(&self.rig.joints, locals);
            let rest = &self.target_rest.places;
            let in_bone = rest[*bone]
                .inverse()
                .transform_point3a(rest[*joint].translation);
            let place = now.places[*bone].transform_point3a(in_bone);
            let parent = self.rig.joints[*joint].parent;
            let parent = parent.map_or(Affine3A::IDENTITY, |p| now.places[usize::from(p)]);
            locals[*joint].translation = parent.inverse().transform_point3a(place).into();
        }
    }
}

/// Joints that do not hang, over any others, from the bone that they end; each with the joint of that bone.
fn loose(joints: &[Joint], roles: &[Option<Role>]) -> Vec<[usize; 2]> {
    let at = |role: Role| roles.iter().position(|own| *own == Some(role));
    let limbs = [Side::Left, Side::Right].map(|side| {
        [
            [Role::Hips, Role::Thigh(side)],
            [Role::Thigh(side), Role::Shin(side)],
            [Role::Shin(side), Role::Foot(side)],
            [Role::Foot(side), Role::Toe(side)],
            [Role::UpperArm(side), Role::ForeArm(side)],
            [Role::ForeArm(side), Role::Hand(side)],
        ]
    });
    let pairs = limbs.into_iter().flatten();
    pairs
        .filter_map(|[bone, end]| Some([at(end)?, at(bone)?]))
        .filter(|[joint, bone]| !roles::ancestors(joints, *joint).any(|above| above == *bone))
        .collect()
}

/// Joints whose rest does not hang on how the bone above is turned: feet rest flat on the floor in every
/// pose, and trunk, collar bones and the first bones of limbs rest alike.
fn begins_anew(role: Role) -> bool {
    !matches!(
        role,
        Role::ForeArm(_) | Role::Hand(_) | Role::Finger(..) | Role::Shin(_)
    )
}

/// The joint at the other end of the bone, for bones whose direction at rest depends on the pose (A or
/// T), not on the build.
fn next_in_limb(role: Role) -> Option<Role> {
    Some(match role {
        Role::UpperArm(side) => Role::ForeArm(side),
        Role::ForeArm(side) => Role::Hand(side),
        Role::Hand(side) => Role::Finger(side, 2, 0),
        Role::Thigh(side) => Role::Shin(side),
        Role::Shin(side) => Role::Foot(side),
        Role::Finger(side, finger, segment) if segment < 2 => {
            Role::Finger(side, finger, segment + 1)
        }
        _ => return None,
    })
}
