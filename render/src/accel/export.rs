//! The trees as other backends read them.

use glam::Vec3;

use super::{
    MeshBvh, Tlas,
    build::{LEAF, Node},
    mesh::triangle_box,
};

/// What a reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A node, by index.
    Node(u32),
    /// A leaf, by index.
    Leaf(u32),
}

impl Target {
    fn of(reference: u32) -> Self {
        if reference & LEAF == 0 {
            Self::Node(reference)
        } else {
            Self::Leaf(reference & !LEAF)
        }
    }
}

/// A child of a node: conservative box and what is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Child {
    /// Smallest corner.
    pub(crate) min: Vec3,
    /// Largest corner.
    pub(crate) max: Vec3,
    /// What is in the box.
    pub(crate) target: Target,
}

fn children(node: &Node) -> Vec<Child> {
    (0..8)
        .filter_map(|slot| {
            let plane = |side: usize| {
                Vec3::from_array([0, 1, 2].map(|axis| node.planes[2 * axis + side][slot]))
            };
            let (min, max) = (plane(0), plane(1));
            // The planes of a child that is not there are the wrong way round.
            min.cmple(max).all().then(|| Child {
                min,
                max,
                target: Target::of(node.children[slot]),
            })
        })
        .collect()
}

impl MeshBvh {
    /// Where a walk begins. A mesh without triangles has leaf 0, which is not there.
    pub(crate) fn root_target(&self) -> Target {
        Target::of(self.root())
    }

    /// The children of a node.
    pub(crate) fn children_of(&self, node: u32) -> Vec<Child> {
        children(self.node(node))
    }

    /// Indices of the triangles of a leaf, increasing.
    pub(crate) fn triangles_of(&self, leaf: u32) -> impl Iterator<Item = u32> {
        let primitives = self.leaf(leaf).primitives;
        primitives.into_iter().take_while(|p| *p != u32::MAX)
    }

    /// A triangle's own box, as the tree was built from.
    pub(crate) fn box_of(&self, primitive: u32) -> (Vec3, Vec3) {
        let open = self.corners(primitive, 0.0);
        let bounds = if self.moves() {
            triangle_box(&[open, self.corners(primitive, 1.0)])
        } else {
            triangle_box(&[open])
        };
        (bounds.min, bounds.max)
    }

    /// The largest magnitude of a coordinate of the boxes.
    pub(crate) fn largest_coordinate(&self) -> f32 {
        self.reach()
    }
}

impl Tlas {
    /// Where a walk begins; `None` where nothing can be hit.
    pub(crate) fn root_target(&self) -> Option<Target> {
        (!self.instance_of_leaf.is_empty()).then(|| Target::of(self.root))
    }

    /// The children of a node.
    pub(crate) fn children_of(&self, node: u32) -> Vec<Child> {
        children(&self.nodes[node as usize])
    }

    /// The instance in a leaf.
    pub(crate) fn instance_in(&self, leaf: u32) -> u32 {
        self.instance_of_leaf[leaf as usize]
    }

    /// By which share of coordinates the box test must move planes outwards, and the largest
    /// magnitude that goes into a coordinate.
    pub(crate) fn slack_and_reach(&self) -> (f32, f32) {
        (self.slack, self.reach)
    }
}
