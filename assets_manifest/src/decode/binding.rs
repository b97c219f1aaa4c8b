//! Fitting geometry to the joints of one rig.
//!
//! Files state for each piece of geometry and each joint where the joint sees the geometry
//! (`joint_from_geometry`, constant). A [`Skin`](crate::rig::Skin) has one `joint_from_model` per
//! joint for the whole joined mesh. So each piece is laid into the model such that pieces agree on
//! it; where they cannot (bound in different poses), a joint of its own that sits on the first makes
//! up for the difference. Vertices then follow exactly, whatever poses a file was bound in.

use std::collections::{BTreeMap, BTreeSet};

use glam::{Affine3A, DAffine3, DMat3, DVec3};

use crate::rig::{Influence, Joint, JointTransform, Skin};

/// Difference up to which two bindings of a joint are the same: relative for the linear part,
/// metres in the model for the translation. Exporters write single precision.
const SAME_BINDING: f64 = 2e-5;
/// Difference up to which a matrix is translation, rotation and scale, relative.
const UNSHEARED: f64 = 1e-4;
/// Most joints of one rig: their indices have 16 bits.
pub(super) const MAX_JOINTS: usize = u16::MAX as usize;

/// Lists of (index, weight), one after another: what each point follows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WeightLists {
    entries: Vec<(u32, f32)>,
    first: Vec<u32>,
}

impl Default for WeightLists {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            first: vec![0],
        }
    }
}

impl WeightLists {
    /// `count` points that follow index 0 alone.
    pub(super) fn rigid(count: usize) -> Self {
        let mut lists = Self::default();
        for _ in 0..count {
            lists.push([(0, 1.0)]);
        }
        lists
    }

    /// Adds a point. Weights need not sum to 1; those that are not above zero do not count. `false`:
    /// none did, and its list is empty.
    pub(super) fn push(&mut self, weights: impl IntoIterator<Item = (u32, f64)>) -> bool {
        let mut list: Vec<(u32, f64)> = Vec::new();
        for (index, weight) in weights {
            if !(weight.is_finite() && weight > 0.0) {
                continue;
            }
            match list.iter_mut().find(|(known, _)| *known == index) {
                Some((_, sum)) => *sum += weight,
                None => list.push((index, weight)),
            }
        }
        let sum: f64 = list.iter().map(|(_, weight)| weight).sum();
        list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let normalised = list
            .iter()
            .map(|(index, weight)| (*index, (weight / sum) as f32));
        self.entries.extend(normalised);
        self.first.push(self.entries.len() as u32);
        !list.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() - 1
    }

    pub(super) fn of(&self, point: usize) -> &[(u32, f32)] {
        match (self.first.get(point), self.first.get(point + 1)) {
            (Some(start), Some(end)) => &self.entries[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Lets points without any weight follow `index`; how many there were.
    pub(super) fn fill_empty(&mut self, index: u32) -> usize {
        let old = std::mem::take(self);
        let mut filled = 0;
        for point in 0..old.len() {
            let list = old.of(point);
            if list.is_empty() {
                filled += 1;
                self.entries.push((index, 1.0));
            } else {
                self.entries.extend(list);
            }
            self.first.push(self.entries.len() as u32);
        }
        filled
    }

    pub(super) fn has_empty(&self) -> bool {
        self.first.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Gives the indices other numbers.
    pub(super) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        for (index, _) in &mut self.entries {
            *index = number(*index);
        }
    }

    /// The indices that some point follows.
    pub(super) fn used(&self) -> BTreeSet<u32> {
        self.entries.iter().map(|(index, _)| *index).collect()
    }
}

/// One joint that a piece of geometry is bound to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub(super) joint: u16,
    pub(super) joint_from_geometry: DAffine3,
}

/// Where a piece of geometry came to lie.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    /// Puts the geometry at rest.
    pub(super) model_from_geometry: DAffine3,
    /// Joint of the rig for each binding.
    pub(super) joints: Vec<u16>,
}

/// The joints of a rig while geometry is bound to them.
pub(super) struct Binder {
    pub(super) joints: Vec<Joint>,
    model_from_joint: Vec<DAffine3>,
    joint_from_model: Vec<Option<DAffine3>>,
    /// Joints that were added on top of a joint.
    doubles: BTreeMap<u16, Vec<u16>>,
}

impl Binder {
    pub(super) fn new(joints: Vec<Joint>) -> Self {
        let mut model_from_joint: Vec<DAffine3> = Vec::with_capacity(joints.len());
        for joint in &joints {
            let local = local_matrix(&joint.rest);
            model_from_joint.push(match joint.parent {
                Some(parent) => model_from_joint[usize::from(parent)] * local,
                None => local,
            });
        }
        Self {
            joint_from_model: vec![None; joints.len()],
            joints,
            model_from_joint,
            doubles: BTreeMap::new(),
        }
    }

    /// Lays a piece of geometry into the model. Pieces with many bindings come first, so that those
    /// with few follow them. Without bindings it lies at `unbound`. `None`: there are too many joints.
    pub(super) fn place(&mut self, bindings: &[Binding], unbound: DAffine3) -> Option<Placement> {
        let model_from_geometry = self.anchor(bindings).unwrap_or(unbound);
        let geometry_from_model = inverse(model_from_geometry);
        let joints = bindings
            .iter()
            .map(|binding| {
                let wanted = match geometry_from_model {
                    Some(inverse) => binding.joint_from_geometry * inverse,
                    // Flat geometry: it lies where the joint at rest has it.
                    None => inverse(self.model_from_joint[usize::from(binding.joint)])?,
                };
                self.joint(binding.joint, wanted)
            })
            .collect::<Option<Vec<u16>>>()?;
        Some(Placement {
            model_from_geometry,
            joints,
        })
    }

    /// Where one joint wants the geometry: one whose binding is known, else the topmost as it rests.
    fn anchor(&self, bindings: &[Binding]) -> Option<DAffine3> {
        let known = bindings.iter().find_map(|binding| {
            let joint_from_model = self.joint_from_model[usize::from(binding.joint)]?;
            Some(inverse(joint_from_model)? * binding.joint_from_geometry)
        });
        known.or_else(|| {
            bindings
                .iter()
                .filter(|binding| {
                    inverse(self.model_from_joint[usize::from(binding.joint)]).is_some()
                })
                .min_by_key(|binding| binding.joint)
                .map(|b| self.model_from_joint[usize::from(b.joint)] * b.joint_from_geometry)
        })
    }

    /// The joint, or a double of it, that has this `joint_from_model`.
    fn joint(&mut self, joint: u16, wanted: DAffine3) -> Option<u16> {
        let rest = self.model_from_joint[usize::from(joint)];
        let doubles = self.doubles.get(&joint);
        for candidate in std::iter::once(&joint).chain(doubles.into_iter().flatten()) {
            let slot = &mut self.joint_from_model[usize::from(*candidate)];
            match slot {
                None => {
                    *slot = Some(wanted);
                    return Some(*candidate);
                }
                Some(known) if same(rest, *known, wanted) => return Some(*candidate),
                Some(_) => {}
            }
        }
        let double = u16::try_from(self.joints.len())
            .ok()
            .filter(|index| usize::from(*index) < MAX_JOINTS)?;
        let number = 2 + doubles.map_or(0, Vec::len);
        let name = &self.joints[usize::from(joint)].name;
        self.joints.push(Joint {
            name: format!("{name} (binding {number})"),
            parent: Some(joint),
            rest: JointTransform::IDENTITY,
        });
        self.model_from_joint.push(rest);
        self.joint_from_model.push(Some(wanted));
        self.doubles.entry(joint).or_default().push(double);
        Some(double)
    }

    /// `joint_from_model` of all joints; of those that nothing is bound to, from their rest pose.
    pub(super) fn joint_from_model(&self) -> Vec<Affine3A> {
        self.joint_from_model
            .iter()
            .zip(&self.model_from_joint)
            .map(|(bound, rest)| {
                bound
                    .or_else(|| inverse(*rest))
                    .unwrap_or(DAffine3::IDENTITY)
                    .as_affine3a()
            })
            .collect()
    }
}

/// Is it the same to what hangs on a joint at rest?
fn same(model_from_joint: DAffine3, a: DAffine3, b: DAffine3) -> bool {
    let (a, b) = (model_from_joint * a, model_from_joint * b);
    let size = a.matrix3.x_axis.length() + a.matrix3.y_axis.length() + a.matrix3.z_axis.length();
    let near = |a: DVec3, b: DVec3, scale: f64| (a - b).abs().max_element() <= SAME_BINDING * scale;
    let columns = |m: DMat3| [m.x_axis, m.y_axis, m.z_axis];
    near(a.translation, b.translation, 1.0)
        && columns(a.matrix3)
            .into_iter()
            .zip(columns(b.matrix3))
            .all(|(a, b)| near(a, b, size / 3.0))
}

pub(super) fn inverse(matrix: DAffine3) -> Option<DAffine3> {
    let inverse = matrix.inverse();
    (matrix.matrix3.determinant().abs() > 1e-30 && inverse.is_finite()).then_some(inverse)
}

/// `parent_from_joint` in double precision.
pub(super) fn local_matrix(local: &JointTransform) -> DAffine3 {
    DAffine3::from_scale_rotation_translation(
        local.scale.as_dvec3(),
        local.rotation.as_dquat().normalize(),
        local.translation.as_dvec3(),
    )
}

/// A matrix as translation, rotation and scale. `None`: it is more than that, or less.
pub(super) fn split(matrix: DAffine3) -> Option<JointTransform> {
    inverse(matrix)?;
    let (scale, rotation, translation) = matrix.to_scale_rotation_translation();
    let local = JointTransform {
        translation: translation.as_vec3(),
        rotation: rotation.normalize().as_quat(),
        scale: scale.as_vec3(),
    };
    let size = scale.abs().max_element();
    let again = local_matrix(&local).matrix3;
    let differs = [
        again.x_axis - matrix.matrix3.x_axis,
        again.y_axis - matrix.matrix3.y_axis,
        again.z_axis - matrix.matrix3.z_axis,
    ];
    let whole = local.translation.is_finite() && local.rotation.is_finite();
    let near = |column: &DVec3| column.abs().max_element() <= UNSHEARED * size;
    (whole && differs.iter().all(near)).then_some(local)
}

/// Collects the skin of the joined mesh, vertex by vertex.
#[derive(Default)]
pub(super) struct SkinBuilder {
    influences: Vec<Influence>,
    first: Vec<u32>,
}

impl SkinBuilder {
    /// Adds the next vertex, which follows `joints` by this list of indices into them.
    pub(super) fn vertex(&mut self, joints: &[u16], list: &[(u32, f32)]) {
        self.first.push(self.influences.len() as u32);
        self.influences
            .extend(list.iter().map(|(index, weight)| Influence {
                joint: joints[*index as usize],
                weight: *weight,
            }));
    }

    /// `None`: no vertex follows any joint.
    pub(super) fn finish(mut self, binder: &Binder, blend: crate::rig::Blend) -> Option<Skin> {
        self.first.push(self.influences.len() as u32);
        (!self.influences.is_empty()).then(|| Skin {
            influences: self.influences,
            first_influence: self.first,
            joint_from_model: binder.joint_from_model(),
            blend,
        })
    }
}

/// Makes names unique by a number, as Blender does, and gives the nameless one. The names that
/// occurred twice.
pub(super) fn make_unique(names: &mut [String], nameless: &str) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut twice: Vec<String> = Vec::new();
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    let all: BTreeSet<String> = names.iter().cloned().collect();
    for name in names {
        if name.is_empty() {
            nameless.clone_into(name);
        } else if taken.contains(name) && !twice.contains(name) {
            twice.push(name.clone());
        }
        if !taken.insert(name.clone()) {
            let number = next.entry(name.clone()).or_insert(1);
            let free = loop {
                let candidate = format!("{name}.{number:03}");
                *number += 1;
                if !taken.contains(&candidate) && !all.contains(&candidate) {
                    break candidate;
                }
            };
            taken.insert(free.clone());
            *name = free;
        }
    }
    twice
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::{DQuat, Quat, Vec3};

    fn joint(parent: Option<u16>, z: f32) -> Joint {
        Joint {
            name: format!("z{z}"),
            parent,
            rest: JointTransform {
                translation: Vec3::Z * z,
                rotation: Quat::IDENTITY,
                scale: Vec3::ONE,
            },
        }
    }

    #[test]
    fn weights_are_normalised_merged_and_sorted() {
        let mut lists = WeightLists::default();
        assert!(lists.push([
            (3, 1.0),
            (1, 1.0),
            (3, 2.0),
            (7, 0.0),
            (8, f64::NAN),
            (9, -1.0)
        ]));
        assert!(!lists.push([(1, 0.0)]));
        assert_eq!(lists.of(0), [(3, 0.75), (1, 0.25)]);
        assert!(lists.has_empty());
        assert_eq!(lists.fill_empty(5), 1);
        assert_eq!(lists.of(1), [(5, 1.0)]);
        assert_eq!(lists.of(2), []);
    }

    #[test]
    fn geometry_bound_in_one_pose_shares_the_joints() {
        let mut binder = Binder::new(vec![joint(None, 1.0), joint(Some(0), 1.0)]);
        // Bound in a pose that is turned against the rest pose.
        let bind = DAffine3::from_quat(DQuat::from_rotation_x(0.5));
        let seen = |geometry: DAffine3| {
            [0u16, 1].map(|joint| Binding {
                joint,
                joint_from_geometry: DAffine3::from_translation(DVec3::Z * -f64::from(joint + 1))
                    * bind
                    * geometry,
            })
        };
        let first = binder.place(&seen(DAffine3::IDENTITY), DAffine3::IDENTITY);
        let moved = DAffine3::from_translation(DVec3::X);
        let second = binder.place(&seen(moved), DAffine3::IDENTITY).unwrap();
        assert_eq!(second.joints, [0, 1]);
        assert_eq!(binder.joints.len(), 2);
        let expected = first.unwrap().model_from_geometry * moved;
        assert!(second.model_from_geometry.abs_diff_eq(expected, 1e-12));
        // Nothing moves at rest.
        assert!(expected.abs_diff_eq(bind * moved, 1e-12));
    }

    #[test]
    fn geometry_bound_in_another_pose_gets_joints_of_its_own() {
        let mut binder = Binder::new(vec![joint(None, 1.0), joint(Some(0), 1.0)]);
        let binding = |joint, z: f64| Binding {
            joint,
            joint_from_geometry: DAffine3::from_translation(DVec3::Z * z),
        };
        let place = |binder: &mut Binder, bindings: &[Binding]| {
            binder.place(bindings, DAffine3::IDENTITY).unwrap().joints
        };
        let plain = [binding(0, -1.0), binding(1, -2.0)];
        let bent = [binding(0, -1.0), binding(1, -2.5)];
        assert_eq!(place(&mut binder, &plain), [0, 1]);
        assert_eq!(place(&mut binder, &bent), [0, 2]);
        assert_eq!(place(&mut binder, &bent), [0, 2]);
        assert_eq!(binder.joints[2].parent, Some(1));
        assert_eq!(binder.joints[2].rest, JointTransform::IDENTITY);
    }

    #[test]
    fn names_become_unique() {
        let mut names = ["a", "a", "", "a.001", "a", ""].map(String::from);
        let twice = make_unique(&mut names, "joint");
        assert_eq!(
            names,
            ["a", "a.002", "joint", "a.001", "a.003", "joint.001"]
        );
        assert_eq!(twice, ["a"]);
    }
}
