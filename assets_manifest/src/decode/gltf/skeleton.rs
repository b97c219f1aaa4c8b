//! Which nodes of a glTF scene are joints, and where they rest, Z up: where skins were bound to
//! them, against the joint above; other nodes where the file has them.

use std::collections::BTreeMap;

use glam::{DAffine3, DMat3, DMat4, DQuat, DVec3, Quat, Vec3};

use super::container::Document;
use super::schema::Node;
use super::{SHEAR_TOLERANCE, joints_of_skin, local_matrix, z_up_from_y_up};
use crate::decode::binding::{MAX_JOINTS, inverse, make_unique, split};
use crate::rig::{Joint, JointTransform};

/// The nodes of the default scene that move, with all their ancestors, parents first.
pub(super) struct Skeleton {
    pub(super) joints: Vec<Joint>,
    /// Transforms of the joints as the file shows them: what a take does not move stays there.
    pub(super) shown: Vec<JointTransform>,
    /// Node of each joint.
    pub(super) nodes: Vec<usize>,
    /// What was mended.
    pub(super) warnings: Vec<String>,
    joint_of_node: Vec<Option<u16>>,
    parent_of_node: Vec<Option<usize>>,
}

impl Skeleton {
    /// Joints of all skins and `moving` nodes, with all ancestors. `world_from_node` says which nodes
    /// are in the scene. `None`: there are too many.
    pub(super) fn of(
        document: &Document,
        world_from_node: &[Option<DMat4>],
        moving: &[usize],
    ) -> Option<Self> {
        let nodes = &document.root.nodes;
        let mut parent_of_node = vec![None; nodes.len()];
        let in_scene = |node: usize| world_from_node.get(node).copied().flatten().is_some();
        for (parent, node) in nodes.iter().enumerate().filter(|(n, _)| in_scene(*n)) {
            for child in &node.children {
                if let Some(slot) = parent_of_node.get_mut(*child) {
                    *slot = Some(parent);
                }
            }
        }
        let mut is_joint = vec![false; nodes.len()];
        let of_skins = document.root.skins.iter().flat_map(|skin| &skin.joints);
        for node in of_skins.chain(moving).copied().filter(|n| in_scene(*n)) {
            let mut above = Some(node);
            while let Some(node) = above.filter(|node| !is_joint[*node]) {
                is_joint[node] = true;
                above = parent_of_node[node];
            }
        }
        if is_joint.iter().filter(|flag| **flag).count() >= MAX_JOINTS {
            return None;
        }
        let mut skeleton = Self {
            joints: Vec::new(),
            shown: Vec::new(),
            nodes: Vec::new(),
            warnings: Vec::new(),
            joint_of_node: vec![None; nodes.len()],
            parent_of_node,
        };
        let parent_from_bound = bound(document, &skeleton.parent_of_node);
        let mut open: Vec<usize> = (0..nodes.len())
            .rev()
            .filter(|node| is_joint[*node] && skeleton.parent_of_node[*node].is_none())
            .collect();
        while let Some(number) = open.pop() {
            let node = &nodes[number];
            let parent = skeleton.parent_of_node[number];
            skeleton.joint_of_node[number] = Some(skeleton.joints.len() as u16);
            skeleton.nodes.push(number);
            let (shown, exact) = transform(node);
            let bound = parent.and_then(|parent| parent_from_bound.get(&(parent, number)));
            let rest = bound.copied().unwrap_or(shown);
            let name = node.name.clone().unwrap_or_default();
            if !exact {
                skeleton.warnings.push(format!(
                    "the matrix of node `{name}` is sheared; the shear is left out"
                ));
            }
            skeleton.shown.push(shown);
            skeleton.joints.push(Joint {
                name,
                parent: parent.and_then(|parent| skeleton.joint_of_node[parent]),
                rest,
            });
            open.extend(node.children.iter().rev().filter(|child| is_joint[**child]));
        }
        let mut names: Vec<String> = skeleton.joints.iter().map(|j| j.name.clone()).collect();
        for twice in make_unique(&mut names, "joint") {
            let words = format!("several joints are named `{twice}`; numbered");
            skeleton.warnings.push(words);
        }
        for (joint, name) in skeleton.joints.iter_mut().zip(names) {
            joint.name = name;
        }
        Some(skeleton)
    }

    pub(super) fn joint(&self, node: usize) -> Option<u16> {
        self.joint_of_node.get(node).copied().flatten()
    }

    /// The nearest joint at or above a node, and `joint_from_geometry` of what hangs on the node.
    pub(super) fn carrier(&self, document: &Document, node: usize) -> Option<(u16, DAffine3)> {
        let mut from_geometry = DAffine3::IDENTITY;
        let mut above = Some(node);
        while let Some(node) = above {
            if let Some(joint) = self.joint(node) {
                return Some((joint, from_geometry));
            }
            let local = z_up_from_y_up(local_matrix(&document.root.nodes[node]));
            from_geometry = local * from_geometry;
            above = self.parent_of_node[node];
        }
        None
    }
}

/// Transforms of joints against their parents, by (parent, joint), from the inverse bind matrices
/// of skins that hold both: what space those lead to does not matter then. Skins that cannot be read
/// are left to those who need them.
fn bound(
    document: &Document,
    parent_of_node: &[Option<usize>],
) -> BTreeMap<(usize, usize), JointTransform> {
    let mut bound = BTreeMap::new();
    for (skin, data) in document.root.skins.iter().enumerate() {
        if data.inverse_bind_matrices.is_none() {
            continue;
        }
        let joints = joints_of_skin(document, skin).unwrap_or_default();
        let joint_from_bind: BTreeMap<usize, DAffine3> = joints
            .into_iter()
            .map(|(joint, matrix)| (joint, z_up_from_y_up(matrix)))
            .collect();
        for (joint, matrix) in &joint_from_bind {
            let parent = parent_of_node.get(*joint).copied().flatten();
            let Some((parent, above)) = parent.and_then(|p| Some((p, joint_from_bind.get(&p)?)))
            else {
                continue;
            };
            if let Some(local) = inverse(*matrix).and_then(|inverse| split(*above * inverse)) {
                bound.entry((parent, *joint)).or_insert(local);
            }
        }
    }
    bound
}

/// Transform as the file has it, Z up; `false`: the node's matrix is more than translation, rotation and scale.
fn transform(node: &Node) -> (JointTransform, bool) {
    if node.matrix.is_none() {
        let rotation = Quat::from_array(node.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]).map(to_f32));
        return (
            JointTransform {
                translation: translation(node.translation.unwrap_or([0.0; 3]).map(to_f32)),
                rotation: self::rotation(rotation),
                scale: scale(node.scale.unwrap_or([1.0; 3]).map(to_f32)),
            },
            true,
        );
    }
    let matrix = z_up_from_y_up(local_matrix(node));
    let mut columns = [
        matrix.matrix3.x_axis,
        matrix.matrix3.y_axis,
        matrix.matrix3.z_axis,
    ];
    let mut scale = columns.map(DVec3::length);
    if matrix.matrix3.determinant() < 0.0 {
        scale[0] = -scale[0];
    }
    for (column, length) in columns.iter_mut().zip(scale) {
        *column = if length.abs() > 1e-12 {
            *column / length
        } else {
            DVec3::ZERO
        };
    }
    let [x, y, z] = columns;
    let exact = [x.dot(y), y.dot(z), z.dot(x)]
        .iter()
        .all(|cosine| cosine.abs() <= SHEAR_TOLERANCE);
    let x = x.try_normalize().unwrap_or_else(|| {
        let other = y.cross(z);
        other.try_normalize().unwrap_or(DVec3::X)
    });
    let y = (y - x * x.dot(y)).try_normalize().unwrap_or_else(|| {
        z.cross(x)
            .try_normalize()
            .unwrap_or(x.any_orthonormal_vector())
    });
    let turned = DMat3::from_cols(x, y, x.cross(y));
    (
        JointTransform {
            translation: matrix.translation.as_vec3(),
            rotation: DQuat::from_mat3(&turned).normalize().as_quat(),
            scale: DVec3::from_array(scale).as_vec3(),
        },
        exact,
    )
}

fn to_f32(value: f64) -> f32 {
    value as f32
}

/// A glTF translation, Z up.
pub(super) fn translation([x, y, z]: [f32; 3]) -> Vec3 {
    Vec3::new(x, -z, y)
}

/// A glTF rotation, Z up and of unit length.
pub(super) fn rotation(q: Quat) -> Quat {
    let length = q.length();
    if !(length.is_finite() && length > 1e-6) {
        return Quat::IDENTITY;
    }
    Quat::from_xyzw(q.x, -q.z, q.y, q.w) * (1.0 / length)
}

/// A glTF scale, Z up.
pub(super) fn scale([x, y, z]: [f32; 3]) -> Vec3 {
    Vec3::new(x, z, y)
}
