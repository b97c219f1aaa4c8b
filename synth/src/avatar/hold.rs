//! Things in hands: a fist, and a prop that follows it.

use std::sync::Arc;

use diorama_assets::Model;
use diorama_assets::retarget::{Role, Side, roles};
use diorama_assets::rig::{BodyPose, JointTransform, Rig};
use glam::{Affine3A, Mat3, Quat, Vec3};

use super::limbs::joint_pose;
use crate::physics::{Body, BodyShape, Led, Limb, Motion, PhysicsError};
use crate::shot::{Held, Object, Pose, Track};
use crate::stream::Stream;

/// How far a finger's three joints bend to a fist, radians.
const CURL: [f32; 3] = [1.35, 1.55, 0.9];
/// How far what is held reaches into the fist, as a share of the hand's length.
const GRIP: f32 = 0.1;
/// Middle of a fist: this share of the way from the wrist to the knuckles, and of that length into the palm.
const FIST: [f32; 2] = [0.95, 0.3];
/// What is held may be this deep, metres, in the one who holds it, other than in the arm.
const DEEPEST: f32 = 0.02;
/// What does not fit is turned on by this, radians, and made smaller by this, so often.
const TURN: f32 = 2.4;
const SMALLER: f32 = 0.87;
const TRIES: u32 = 10;
/// Share of its longest side above which another side of a thing is as good to hold it by.
const AS_LONG: f32 = 0.9;

/// The hands that hold something, as many as `range` draws of the two.
pub(crate) fn hands(rig: &Rig, stream: &mut Stream, range: [u32; 2]) -> Vec<Hand> {
    let count = stream.count(range);
    let mut sides = [Side::Right, Side::Left];
    if stream.chance(0.5) {
        sides.reverse();
    }
    let sides = sides.into_iter().take(count as usize);
    sides.filter_map(|side| Hand::of(rig, side)).collect()
}

/// A hand that can hold something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hand {
    joint: usize,
    elbow: usize,
    /// Where what is held begins, and which way it hangs (along straight fingers), and across that (to the
    /// thumb); model space, at rest.
    place: Vec3,
    along: Vec3,
    across: Vec3,
    /// From wrist to knuckles, metres of the model.
    length: f32,
    /// Joints of fingers and how they bend: model-space axis at rest, radians.
    curls: Vec<(usize, Vec3, f32)>,
}

impl Hand {
    /// The hand of one side; `None`: the skeleton has none.
    pub(crate) fn of(rig: &Rig, side: Side) -> Option<Self> {
        let roles = roles(&rig.joints);
        let rest = rig.rest_pose();
        let find = |role: Role| roles.iter().position(|own| *own == Some(role));
        let at = |joint: usize| Vec3::from(rest.joints[joint].translation);
        let joint = find(Role::Hand(side))?;
        let wrist = at(joint);
        let knuckle = |finger: u8| find(Role::Finger(side, finger, 0));
        let knuckles: Vec<usize> = (1..5).filter_map(knuckle).collect();
        let middle = knuckles.iter().map(|j| at(*j)).sum::<Vec3>() / knuckles.len().max(1) as f32;
        let elbow = find(Role::ForeArm(side))?;
        // Without knuckles they are a third of the forearm from the wrist, straight on.
        let ahead = if knuckles.is_empty() {
            (wrist - at(elbow)) / 3.0
        } else {
            middle - wrist
        };
        let along = ahead.try_normalize()?;
        // The palm at rest faces down with arms out, and inward with arms down.
        let inward = Vec3::new(-wrist.x.signum(), 0.0, -1.0);
        let palm = match (knuckle(1), knuckle(4)) {
            (Some(index), Some(little)) => {
                let to_thumb = at(index) - at(little);
                match side {
                    Side::Left => along.cross(to_thumb),
                    Side::Right => to_thumb.cross(along),
                }
            }
            _ => inward,
        };
        let palm = (palm - along * palm.dot(along)).try_normalize()?;
        let hinge = along.cross(palm);
        let curls = (1..5).flat_map(|finger| (0..3).map(move |segment| (finger, segment)));
        let curls = curls.filter_map(|(finger, segment)| {
            let joint = find(Role::Finger(side, finger, segment))?;
            Some((joint, hinge, CURL[usize::from(segment)]))
        });
        let length = ahead.length();
        Some(Self {
            joint,
            elbow,
            place: wrist + (along * FIST[0] + palm * FIST[1]) * length,
            along,
            across: hinge,
            length,
            curls: curls.collect(),
        })
    }

    /// Makes a fist in a pose given by transforms against parents.
    pub(crate) fn close(&self, rig: &Rig, locals: &mut [JointTransform]) {
        let rest = rig.rest_pose();
        for (joint, axis, angle) in &self.curls {
            let own = &rig.joints[*joint];
            let parent = own.parent.map(|parent| rest.joints[usize::from(parent)]);
            let (_, model_from_parent, _) = parent
                .unwrap_or(Affine3A::IDENTITY)
                .to_scale_rotation_translation();
            let axis = model_from_parent.inverse() * *axis;
            locals[*joint] = JointTransform {
                rotation: (Quat::from_axis_angle(axis, *angle) * own.rest.rotation).normalize(),
                ..own.rest
            };
        }
    }

    /// Where a prop is in the hand: `joint_from_prop`, metres. `low` and `high` bound it at its size,
    /// `turn` is about its axis, radians; `scale` is the holder's.
    fn grip(&self, rig: &Rig, scale: f32, [low, high]: [Vec3; 2], turn: f32) -> Pose {
        let size = high - low;
        let longest = size.max_element();
        // Upright things stay upright in an arm that hangs down.
        let axis = if size.z >= AS_LONG * longest {
            Vec3::Z
        } else if size.x >= size.y {
            Vec3::X
        } else {
            Vec3::Y
        };
        let up = -self.along;
        let side = self.across - up * self.across.dot(up);
        let side = Quat::from_axis_angle(up, turn) * side.normalize_or(Vec3::X);
        // Axes of the prop in the model: its axis to the hand.
        let model_from_axes = Mat3::from_cols(side, up.cross(side), up);
        let other = Vec3::new(axis.y, axis.z, axis.x);
        let prop_from_axes = Mat3::from_cols(other, axis.cross(other), axis);
        let rotation = Quat::from_mat3(&(model_from_axes * prop_from_axes.transpose())).normalize();
        let end = (low + high) * 0.5 + axis * (size.dot(axis) * 0.5);
        let world = Affine3A::from_scale(Vec3::splat(scale));
        let rest = joint_pose(&world, &rig.rest_pose().joints[self.joint]);
        let into = GRIP * self.length * scale;
        let origin = self.place * scale - self.along * into - rotation * end;
        let joint_from_model = rest.rotation.inverse();
        Pose {
            position: joint_from_model * (origin - rest.position),
            rotation: (joint_from_model * rotation).normalize(),
        }
    }
}

/// Somebody with free hands, and how they move.
pub(crate) struct Holder<'a> {
    pub(crate) rig: &'a Rig,
    /// Size of the model.
    pub(crate) scale: f32,
    pub(crate) bodies: &'a [BodyPose],
    /// Where the model is at each of its poses, scale included.
    pub(crate) world_from_model: &'a [Affine3A],
    /// Its limbs, with their joints.
    pub(crate) limbs: &'a [(usize, Limb)],
}

impl Holder<'_> {
    /// Puts an object into a hand, for all frames: its scale, pose and body. It is turned and made smaller until it hangs
    /// clear of the floor and of the rest of the body; `None` when it never does, and it is as it was.
    /// `pieces` are its collision shape, `turn` is about the axis that it is held by, radians.
    pub(crate) fn hold(
        &self,
        hand: &Hand,
        object: &mut Object,
        body: &mut Body,
        model: &Model,
        pieces: &[Vec<Vec3>],
        turn: f32,
    ) -> Result<Option<Held>, PhysicsError> {
        let meshes = model.meshes.iter().filter_map(|mesh| mesh.bounds());
        let Some((low, high)) = meshes.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Ok(None);
        };
        let mut scale = object.scale;
        let mut turn = turn;
        for _ in 0..TRIES {
            let shape = BodyShape::of_pieces(&object.asset, pieces, scale)?;
            let grip = hand.grip(self.rig, self.scale, [low * scale, high * scale], turn);
            let frames = self.bodies.iter().zip(self.world_from_model);
            let way: Vec<Pose> = frames
                .map(|(body, world)| {
                    let joint = joint_pose(world, &body.joints[hand.joint]);
                    Pose {
                        position: joint.position + joint.rotation * grip.position,
                        rotation: (joint.rotation * grip.rotation).normalize(),
                    }
                })
                .collect();
            if self.is_clear(hand, &shape, &way) {
                object.scale = scale;
                body.shape = Arc::new(shape);
                body.pose = way.first().copied().unwrap_or(Pose::IDENTITY);
                object.pose = Track::PerFrame(way.clone());
                body.motion = Motion::Led(Arc::new(Led {
                    way,
                    limbs: Vec::new(),
                }));
                return Ok(Some(Held {
                    object: object.id,
                    joint: hand.joint as u16,
                }));
            }
            scale *= SMALLER;
            turn += TURN;
        }
        Ok(None)
    }

    /// Is a shape on its way above the floor, and out of the limbs but those that carry it?
    fn is_clear(&self, hand: &Hand, shape: &BodyShape, way: &[Pose]) -> bool {
        let carries = |joint: usize| joint == hand.joint || joint == hand.elbow;
        let others = || self.limbs.iter().filter(|(joint, _)| !carries(*joint));
        way.iter().enumerate().all(|(frame, pose)| {
            let lowest = pose.position.z + shape.bounds(pose.rotation).0.z;
            lowest >= 0.0
                && others().all(|(_, limb)| {
                    let met = shape.distance(pose, &limb.shape, &limb.way[frame], 0.0);
                    met.is_none_or(|(distance, _)| distance > -DEEPEST)
                })
        })
    }
}
