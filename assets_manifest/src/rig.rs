//! Skeletons, skins and morph targets: what turns a mesh at rest into a mesh in a pose.
//!
//! Spaces: *model* is the asset's own space (Z up, metres), which meshes at rest are in too; *joint*
//! is the space of one joint. Names read `to_from`: `model_from_joint` takes points from a joint to
//! the model.

use glam::{Affine3A, Mat3A, Quat, Vec3, Vec3A, Vec4};
use serde::{Deserialize, Serialize};

use crate::{Mesh, Model};

/// Translation, rotation and scale of a joint against its parent; scale is applied first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct JointTransform {
    /// Metres.
    pub translation: Vec3,
    /// Unit.
    pub rotation: Quat,
    /// May be non-uniform.
    pub scale: Vec3,
}

impl JointTransform {
    /// Where the parent is.
    pub const IDENTITY: Self = Self {
        translation: Vec3::ZERO,
        rotation: Quat::IDENTITY,
        scale: Vec3::ONE,
    };

    /// `parent_from_joint`.
    pub fn parent_from_joint(&self) -> Affine3A {
        Affine3A::from_scale_rotation_translation(self.scale, self.rotation, self.translation)
    }
}

/// One joint of a skeleton.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// Name in the file.
    pub name: String,
    /// Index of the parent, smaller than this joint's own; `None`: a root, its parent is the model.
    pub parent: Option<u16>,
    /// Rest pose.
    pub rest: JointTransform,
}

/// How much of a vertex follows a joint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// Index into [`Rig::joints`].
    pub joint: u16,
    /// 0..=1; those of one vertex sum to 1.
    pub weight: f32,
}

/// How several joints are mixed at a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blend {
    /// Mean of the matrices.
    #[default]
    Linear,
    /// Kavan et al. 2007: mean of dual quaternions, for the rigid part; scale and shear linearly.
    DualQuaternion,
}

/// Binding of one mesh to the joints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Skin {
    /// Influences of all vertices, one vertex after another.
    pub influences: Vec<Influence>,
    /// Where each vertex's influences begin in `influences`, and their end: one more than vertices.
    /// A vertex without any stays where it is at rest.
    pub first_influence: Vec<u32>,
    /// `joint_from_model` at binding (the inverse bind matrix), for every joint of the rig.
    pub joint_from_model: Vec<Affine3A>,
    /// How joints are mixed.
    pub blend: Blend,
}

/// A shape that a mesh is moved towards by a weight.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MorphTarget {
    /// Index into [`Rig::morph_names`].
    pub weight: u16,
    /// Moved vertices, ascending.
    pub vertices: Vec<u32>,
    /// What is added to their positions at weight 1, model space; as long as `vertices`.
    pub position_deltas: Vec<Vec3>,
    /// What is added to their normals; as long as `vertices`, or empty.
    pub normal_deltas: Vec<Vec3>,
}

/// Everything of a [`Model`] that can move.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rig {
    /// Parents come before their children.
    pub joints: Vec<Joint>,
    /// Binding of each of [`Model::meshes`], in the same order; `None`: it does not follow joints.
    pub skins: Vec<Option<Skin>>,
    /// Morph targets of each of [`Model::meshes`], in the same order.
    pub morphs: Vec<Vec<MorphTarget>>,
    /// Names of the weights of morph targets.
    pub morph_names: Vec<String>,
}

/// A rig at one time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyPose {
    /// `model_from_joint`, one per joint of the rig.
    pub joints: Vec<Affine3A>,
    /// One per morph name; empty: all 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub morph_weights: Vec<f32>,
}

impl BodyPose {
    /// Component-wise mean with `other`, `t` of it: for times between two nearby poses.
    #[must_use]
    pub fn lerp(&self, other: &Self, t: f32) -> Self {
        Self {
            joints: self
                .joints
                .iter()
                .zip(&other.joints)
                .map(|(a, b)| Affine3A {
                    matrix3: a.matrix3 * (1.0 - t) + b.matrix3 * t,
                    translation: a.translation.lerp(b.translation, t),
                })
                .collect(),
            morph_weights: self
                .morph_weights
                .iter()
                .zip(&other.morph_weights)
                .map(|(a, b)| a + (b - a) * t)
                .collect(),
        }
    }
}

impl Rig {
    /// The joint called `name`.
    pub fn joint(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|j| j.name == name)
    }

    /// The pose of joints with these transforms against their parents, one per joint.
    pub fn pose(&self, locals: &[JointTransform]) -> BodyPose {
        let mut joints: Vec<Affine3A> = Vec::with_capacity(self.joints.len());
        for (joint, local) in self.joints.iter().zip(locals) {
            let local = local.parent_from_joint();
            joints.push(match joint.parent {
                Some(parent) => joints[usize::from(parent)] * local,
                None => local,
            });
        }
        BodyPose {
            joints,
            morph_weights: Vec::new(),
        }
    }

    /// All joints as the file has them at rest.
    pub fn rest_pose(&self) -> BodyPose {
        let locals: Vec<JointTransform> = self.joints.iter().map(|j| j.rest).collect();
        self.pose(&locals)
    }
}

impl Model {
    /// Mesh `index` in `pose`: same triangles and coordinates, moved vertices. Without a rig, or for a
    /// mesh that nothing moves, the mesh at rest.
    ///
    /// Normals follow the inverse transpose of what moves their vertex.
    pub fn posed(&self, index: usize, pose: &BodyPose) -> Mesh {
        let mut mesh = Mesh::clone(&self.meshes[index]);
        let Some(rig) = &self.rig else { return mesh };
        for target in rig.morphs.get(index).into_iter().flatten() {
            let weight = pose.morph_weights.get(usize::from(target.weight));
            morph(&mut mesh, target, weight.copied().unwrap_or(0.0));
        }
        if let Some(Some(skin)) = rig.skins.get(index)
            && pose.joints.len() == rig.joints.len()
        {
            // A Shot of another version of the asset may have other joints: then nothing moves.
            skin.apply(&mut mesh, &pose.joints);
        }
        mesh
    }
}

fn morph(mesh: &mut Mesh, target: &MorphTarget, weight: f32) {
    if weight == 0.0 {
        return;
    }
    for (vertex, delta) in target.vertices.iter().zip(&target.position_deltas) {
        mesh.positions[*vertex as usize] += *delta * weight;
    }
    if !mesh.normals.is_empty() {
        for (vertex, delta) in target.vertices.iter().zip(&target.normal_deltas) {
            let normal = &mut mesh.normals[*vertex as usize];
            *normal = (*normal + *delta * weight).normalize_or(*normal);
        }
    }
}

impl Skin {
    /// Moves all vertices of `mesh`.
    fn apply(&self, mesh: &mut Mesh, model_from_joint: &[Affine3A]) {
        // What each joint does to a vertex at rest.
        let moves: Vec<Affine3A> = model_from_joint
            .iter()
            .zip(&self.joint_from_model)
            .map(|(now, bound)| *now * *bound)
            .collect();
        let rigid: Vec<DualQuaternion> = match self.blend {
            Blend::Linear => Vec::new(),
            Blend::DualQuaternion => moves.iter().map(DualQuaternion::of).collect(),
        };
        for vertex in 0..mesh.positions.len() {
            let range =
                self.first_influence[vertex] as usize..self.first_influence[vertex + 1] as usize;
            let influences = &self.influences[range];
            if influences.is_empty() {
                continue;
            }
            let moved = match self.blend {
                Blend::Linear => linear(influences, |joint| moves[joint]),
                Blend::DualQuaternion => {
                    // Scale and shear first, about the origin of the rest pose, then the rigid part.
                    let stretch = linear(influences, |joint| rigid[joint].stretch);
                    DualQuaternion::mean(influences, &rigid) * stretch
                }
            };
            mesh.positions[vertex] = moved.transform_point3(mesh.positions[vertex]);
            if let Some(normal) = mesh.normals.get_mut(vertex) {
                *normal = moved_normal(moved.matrix3, *normal);
            }
            if let Some(tangent) = mesh.tangents.get_mut(vertex) {
                let turned = moved.matrix3 * Vec3A::from(tangent.truncate());
                *tangent = Vec4::from((Vec3::from(turned.normalize_or(turned)), tangent.w));
            }
        }
    }
}

/// Normal under the inverse transpose of `matrix`, by its cofactors: no division, also right where
/// the matrix has no inverse.
fn moved_normal(matrix: Mat3A, normal: Vec3) -> Vec3 {
    let (x, y, z) = (matrix.x_axis, matrix.y_axis, matrix.z_axis);
    let moved = y.cross(z) * normal.x + z.cross(x) * normal.y + x.cross(y) * normal.z;
    let sign = if x.dot(y.cross(z)) < 0.0 { -1.0 } else { 1.0 };
    (Vec3::from(moved) * sign).normalize_or(normal)
}

fn linear(influences: &[Influence], matrix: impl Fn(usize) -> Affine3A) -> Affine3A {
    let mut sum = Affine3A::ZERO;
    for influence in influences {
        let m = matrix(usize::from(influence.joint));
        sum.matrix3 += m.matrix3 * influence.weight;
        sum.translation += m.translation * influence.weight;
    }
    sum
}

/// Rotation and translation of a joint's move, and what is left of it.
struct DualQuaternion {
    real: Quat,
    dual: Quat,
    /// Scale and shear, applied before the rigid part.
    stretch: Affine3A,
}

impl DualQuaternion {
    fn of(moved: &Affine3A) -> Self {
        let (_, rotation, translation) = moved.to_scale_rotation_translation();
        let stretch = Affine3A {
            matrix3: Mat3A::from_quat(rotation).transpose() * moved.matrix3,
            translation: Vec3A::ZERO,
        };
        let t = Quat::from_xyzw(translation.x, translation.y, translation.z, 0.0);
        Self {
            real: rotation,
            dual: t * rotation * 0.5,
            stretch,
        }
    }

    fn mean(influences: &[Influence], all: &[Self]) -> Affine3A {
        let pivot = all[usize::from(influences[0].joint)].real;
        let zero = Quat::from_xyzw(0.0, 0.0, 0.0, 0.0);
        let (mut real, mut dual) = (zero, zero);
        for influence in influences {
            let one = &all[usize::from(influence.joint)];
            // The two quaternions of a rotation: take those that lie on the side of the first.
            let weight = if pivot.dot(one.real) < 0.0 {
                -influence.weight
            } else {
                influence.weight
            };
            real += one.real * weight;
            dual += one.dual * weight;
        }
        let length = real.length();
        let (real, dual) = (real * (1.0 / length), dual * (1.0 / length));
        let t = (dual * real.conjugate()) * 2.0;
        Affine3A::from_rotation_translation(real, Vec3::new(t.x, t.y, t.z))
    }
}
