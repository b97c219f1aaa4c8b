//! Which nodes of an FBX file are joints, and where they rest: where the file says they were when
//! its meshes were bound to them, as in Blender. The transforms of the nodes themselves are often
//! those of some frame of a take.

use glam::{DAffine3, DVec3, Quat, Vec3};

use super::geometry::affine;
use crate::decode::binding::{MAX_JOINTS, inverse, local_matrix, make_unique, split};
use crate::rig::{Joint, JointTransform};

/// The nodes of a file that move, with all their ancestors, parents first.
pub(super) struct Skeleton {
    pub(super) joints: Vec<Joint>,
    /// Transforms of the joints as the file shows them.
    pub(super) shown: Vec<JointTransform>,
    /// Node of each joint, index into the scene's list.
    pub(super) nodes: Vec<usize>,
    /// Names that several nodes have.
    pub(super) twice: Vec<String>,
    joint_of_node: Vec<Option<u16>>,
}

impl Skeleton {
    /// Bones, nodes that skins are bound to, animated nodes, and those of `more`; with all ancestors,
    /// because a transform is against its parent. `None`: there are too many.
    pub(super) fn of(scene: &ufbx::Scene, more: &[usize]) -> Option<Self> {
        let mut is_joint = vec![false; scene.nodes.len()];
        let mut mark = |node: usize| {
            if let Some(flag) = is_joint.get_mut(node) {
                *flag = true;
            }
        };
        more.iter().copied().for_each(&mut mark);
        for node in &scene.nodes {
            if node.bone.is_some() {
                mark(index(node));
            }
        }
        for cluster in &scene.skin_clusters {
            if let Some(node) = &cluster.bone_node {
                mark(index(node));
            }
        }
        for node in animated(scene) {
            mark(node);
        }
        // Children come after their parents in the scene's list.
        for node in (0..scene.nodes.len()).rev() {
            if is_joint[node]
                && let Some(parent) = &scene.nodes[node].parent
            {
                is_joint[index(parent)] = true;
            }
        }
        // The root is the model itself, unless it has a transform of its own.
        if let Some(root) = scene.nodes.iter().next()
            && root.is_root
            && transform(&root.local_transform) == JointTransform::IDENTITY
        {
            is_joint[0] = false;
        }
        let count = is_joint.iter().filter(|flag| **flag).count();
        if count >= MAX_JOINTS {
            return None;
        }
        let mut skeleton = Self {
            joints: Vec::with_capacity(count),
            shown: Vec::with_capacity(count),
            nodes: Vec::with_capacity(count),
            twice: Vec::new(),
            joint_of_node: vec![None; scene.nodes.len()],
        };
        let model_from_bound = bound(scene);
        let mut model_from_joint: Vec<DAffine3> = Vec::with_capacity(count);
        for (number, node) in scene.nodes.iter().enumerate() {
            if !is_joint[number] {
                continue;
            }
            let parent = node.parent.as_ref();
            let parent = parent.and_then(|parent| skeleton.joint_of_node[index(parent)]);
            let model_from_parent = parent.map_or(DAffine3::IDENTITY, |parent| {
                model_from_joint[usize::from(parent)]
            });
            let shown = transform(&node.local_transform);
            let rest = model_from_bound[number]
                .and_then(|bound| split(inverse(model_from_parent)? * bound))
                .unwrap_or(shown);
            skeleton.joint_of_node[number] = Some(skeleton.joints.len() as u16);
            skeleton.joints.push(Joint {
                name: node.element.name.to_string(),
                parent,
                rest,
            });
            model_from_joint.push(model_from_parent * local_matrix(&rest));
            skeleton.shown.push(shown);
            skeleton.nodes.push(number);
        }
        let mut names: Vec<String> = skeleton.joints.iter().map(|j| j.name.clone()).collect();
        skeleton.twice = make_unique(&mut names, "joint");
        for (joint, name) in skeleton.joints.iter_mut().zip(names) {
            joint.name = name;
        }
        Some(skeleton)
    }

    pub(super) fn joint(&self, node: &ufbx::Node) -> Option<u16> {
        self.joint_of_node.get(index(node)).copied().flatten()
    }

    /// The nearest joint at or above a node, and `joint_from_geometry` of what hangs on the node.
    pub(super) fn carrier(&self, node: &ufbx::Node) -> Option<(u16, DAffine3)> {
        let mut from_geometry = affine(&node.geometry_to_node);
        let mut above = Some(node);
        while let Some(node) = above {
            if let Some(joint) = self.joint(node) {
                return Some((joint, from_geometry));
            }
            from_geometry = affine(&node.node_to_parent) * from_geometry;
            above = node.parent.as_deref();
        }
        None
    }
}

/// Where nodes were when meshes were bound to them, as skins and bind poses state it.
fn bound(scene: &ufbx::Scene) -> Vec<Option<DAffine3>> {
    let mut bound = vec![None; scene.nodes.len()];
    for cluster in &scene.skin_clusters {
        if let Some(node) = &cluster.bone_node {
            bound[index(node)].get_or_insert_with(|| affine(&cluster.bind_to_world));
        }
    }
    for pose in scene.poses.iter().filter(|pose| pose.is_bind_pose) {
        for bone in &pose.bone_poses {
            bound[index(&bone.bone_node)].get_or_insert_with(|| affine(&bone.bone_to_world));
        }
    }
    bound
}

/// Nodes that some take moves. Cameras and lights are no part of a body.
fn animated(scene: &ufbx::Scene) -> Vec<usize> {
    let mut nodes = Vec::new();
    for layer in &scene.anim_layers {
        for animated in &layer.anim_props {
            let element = &animated.element;
            if element.type_ == ufbx::ElementType::Node
                && animated.prop_name.starts_with("Lcl ")
                && let Some(node) = scene.nodes.get(element.typed_id as usize)
                && node.camera.is_none()
                && node.light.is_none()
            {
                nodes.push(index(node));
            }
        }
    }
    nodes
}

/// Index of a node in the scene's list.
pub(super) fn index(node: &ufbx::Node) -> usize {
    node.element.typed_id as usize
}

/// A local transform with finite numbers and a unit rotation, whatever the file says.
pub(super) fn transform(local: &ufbx::Transform) -> JointTransform {
    let finite = |v: &ufbx::Vec3, other: DVec3| {
        let v = DVec3::new(v.x, v.y, v.z).as_vec3();
        if v.is_finite() { v } else { other.as_vec3() }
    };
    let q = &local.rotation;
    let rotation = Quat::from_xyzw(q.x as f32, q.y as f32, q.z as f32, q.w as f32);
    let length = rotation.length();
    JointTransform {
        translation: finite(&local.translation, DVec3::ZERO) + Vec3::ZERO,
        rotation: if length.is_finite() && length > 1e-6 {
            rotation * (1.0 / length)
        } else {
            Quat::IDENTITY
        },
        scale: finite(&local.scale, DVec3::ONE),
    }
}
