//! What others bump into: rigid parts that follow the joints of somebody who moves.

use diorama_assets::Model;
use diorama_assets::retarget::{Role, roles};
use diorama_assets::rig::{BodyPose, Rig, Skin};
use glam::{Affine3A, Vec3};

use crate::physics::{BodyShape, Limb};
use crate::shot::Pose;

/// Directions in which a limb's shape is as far out as its skin.
const DIRECTIONS: usize = 48;
/// Fewest vertices of a limb worth a shape.
const LEAST_VERTICES: usize = 8;

/// Where a joint is in the world: its matrix without scale. `world_from_model` may scale.
pub(crate) fn joint_pose(world_from_model: &Affine3A, model_from_joint: &Affine3A) -> Pose {
    let world_from_joint = *world_from_model * *model_from_joint;
    let (_, rotation, position) = world_from_joint.to_scale_rotation_translation();
    Pose {
        position,
        rotation: rotation.normalize(),
    }
}

/// The limbs of mesh 0 of `model` in its poses, each with its joint; `world_from_model` is where the model is at each of them, scale
/// included. None without a skin.
///
/// Every vertex goes with the joint that it follows most, fingers with their hand; a limb is the hull of what
/// goes with one joint at rest, and as rigid as that joint.
pub(crate) fn limbs(
    model: &Model,
    bodies: &[BodyPose],
    world_from_model: &[Affine3A],
) -> Vec<(usize, Limb)> {
    let (Some(rig), Some(mesh)) = (&model.rig, model.meshes.first()) else {
        return Vec::new();
    };
    let Some(Some(skin)) = rig.skins.first() else {
        return Vec::new();
    };
    let carriers = carriers(rig);
    let mut skins: Vec<Vec<Vec3>> = vec![Vec::new(); rig.joints.len()];
    for (vertex, place) in mesh.positions.iter().enumerate() {
        if let Some(joint) = leader(skin, vertex) {
            skins[carriers[joint]].push(*place);
        }
    }
    let mut limbs = Vec::new();
    for (joint, vertices) in skins.iter().enumerate() {
        if vertices.len() < LEAST_VERTICES {
            continue;
        }
        // As large as it is in the first pose; joints keep their scale.
        let first = world_from_model.first().zip(bodies.first());
        let Some((world, body)) = first else {
            continue;
        };
        let now = *world * body.joints[joint];
        let pose = joint_pose(world, &body.joints[joint]);
        let joint_from_world = pose.world_from_object(Vec3::ONE).inverse();
        let moved = joint_from_world * now * skin.joint_from_model[joint];
        let corners: Vec<Vec3> = vertices
            .iter()
            .map(|v| moved.transform_point3(*v))
            .collect();
        // A flat limb has no hull, and nobody meets it.
        let Ok(shape) = BodyShape::of_pieces("limb", &[outermost(&corners)], Vec3::ONE) else {
            continue;
        };
        let way = bodies.iter().zip(world_from_model);
        let way = way.map(|(body, world)| joint_pose(world, &body.joints[joint]));
        let way = way.collect();
        limbs.push((joint, Limb { shape, way }));
    }
    limbs
}

/// The joint that a vertex follows most.
fn leader(skin: &Skin, vertex: usize) -> Option<usize> {
    let range = skin.first_influence[vertex] as usize..skin.first_influence[vertex + 1] as usize;
    let mut most = None;
    for influence in &skin.influences[range] {
        if most.is_none_or(|(_, weight)| influence.weight > weight) {
            most = Some((usize::from(influence.joint), influence.weight));
        }
    }
    most.map(|(joint, _)| joint)
}

/// For each joint the one whose limb it belongs to: itself or the nearest ancestor that stands for a part of
/// the body; fingers, twists and tips do not.
fn carriers(rig: &Rig) -> Vec<usize> {
    let roles = roles(&rig.joints);
    let mut carriers: Vec<usize> = Vec::with_capacity(rig.joints.len());
    for (index, (joint, role)) in rig.joints.iter().zip(&roles).enumerate() {
        let is_part = !matches!(role, None | Some(Role::Finger(..)));
        carriers.push(match joint.parent {
            Some(parent) if !is_part => carriers[usize::from(parent)],
            _ => index,
        });
    }
    carriers
}

/// Those of `points` that are farthest out in many directions.
fn outermost(points: &[Vec3]) -> Vec<Vec3> {
    let mut chosen: Vec<usize> = (0..DIRECTIONS)
        .filter_map(|i| {
            // A spiral over the sphere: even enough.
            let z = 1.0 - (2.0 * i as f32 + 1.0) / DIRECTIONS as f32;
            let (sin, cos) = libm::sincosf(2.399_963_2 * i as f32);
            let across = libm::sqrtf(1.0 - z * z);
            let direction = Vec3::new(across * cos, across * sin, z);
            let far = |index: &usize| points[*index].dot(direction);
            (0..points.len()).max_by(|a, b| far(a).total_cmp(&far(b)).then(b.cmp(a)))
        })
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|index| points[index]).collect()
}
