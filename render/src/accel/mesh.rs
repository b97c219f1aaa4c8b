//! The tree of one mesh.

use std::ops::Range;

use glam::Vec3;

use super::{
    build::{Bounds, BuildOptions, LEAF, Node, WideTree},
    simd::Simd8,
    triangle::{BOX_MARGIN, Leaf, MIX_SLACK},
};

/// Entries that the traversal of one mesh can have waiting.
pub(super) const MESH_STACK: usize = 160;

/// Most boxes whose corners make the outline of a mesh.
const OUTLINE_BOXES: usize = 64;

/// A triangle mesh ready to be hit, in its own space; holds its own copy of the geometry.
#[derive(Debug, Clone)]
pub struct MeshBvh {
    /// Leaf times eight plus lane of each triangle.
    slots: Vec<u32>,
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
    /// The leaves as the shutter closes, `leaves` being as it opens; none where nothing moves.
    closing: Vec<Leaf>,
    root: u32,
    outline: Outline,
    reach: f32,
}

/// What boxes around a mesh in other spaces are made from.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    /// None without triangles.
    pub(super) points: Vec<Vec3>,
    /// The hull of the points, grown by this on all sides, holds all triangles and their margins.
    pub(super) margin: f32,
}

/// The box of a triangle where it is, or where it is as the shutter opens and as it closes.
pub(super) fn triangle_box(ends: &[[Vec3; 3]]) -> Bounds {
    let at = |corners: &[Vec3; 3]| {
        let bounds = Bounds::around(*corners);
        bounds.grown((bounds.max - bounds.min).max_element() * BOX_MARGIN)
    };
    match ends {
        [open, close] => {
            // On the way a triangle is no larger than at the larger end.
            let both = at(open).union(at(close));
            both.grown(both.reach() * MIX_SLACK)
        }
        _ => at(&ends[0]),
    }
}

impl MeshBvh {
    /// The tree over `triangles`, whose indices are in range and whose positions are finite.
    ///
    /// A mesh without triangles is allowed; no ray hits it. Triangles without area are allowed and
    /// never hit. The options change how fast rays are, never what they hit.
    ///
    /// # Panics
    /// An index is out of range.
    pub fn build(positions: &[Vec3], triangles: &[[u32; 3]], options: BuildOptions) -> Self {
        Self::over_time(&[positions], triangles, options)
    }

    /// As [`Self::build`], of a mesh that is bent while the shutter is open: vertices are at `open` at
    /// time 0, at `close` at time 1, and move straight and evenly between.
    ///
    /// # Panics
    /// An index is out of range.
    pub fn build_moving(
        open: &[Vec3],
        close: &[Vec3],
        triangles: &[[u32; 3]],
        options: BuildOptions,
    ) -> Self {
        Self::over_time(&[open, close], triangles, options)
    }

    /// `ends`: positions as the shutter opens and, where they move, as it closes.
    fn over_time(ends: &[&[Vec3]], triangles: &[[u32; 3]], options: BuildOptions) -> Self {
        let boxes: Vec<Bounds> = triangles
            .iter()
            .map(|corners| {
                let at = |positions: &[Vec3]| corners.map(|i| positions[i as usize]);
                match ends {
                    [open, close] => triangle_box(&[at(open), at(close)]),
                    _ => triangle_box(&[at(ends[0])]),
                }
            })
            .collect();
        let tree = WideTree::build(&boxes, options, MESH_STACK);
        let filled = |positions: &[Vec3]| -> Vec<Leaf> {
            let fill = |range: &Range<u32>| {
                let mut leaf = Leaf::EMPTY;
                let items = &tree.items[range.start as usize..range.end as usize];
                for (lane, &item) in items.iter().enumerate() {
                    leaf.primitives[lane] = item;
                    for (vertex, &index) in triangles[item as usize].iter().enumerate() {
                        for (axis, x) in positions[index as usize].to_array().iter().enumerate() {
                            leaf.vertices[vertex][axis][lane] = *x;
                        }
                    }
                }
                leaf
            };
            tree.leaves.iter().map(fill).collect()
        };
        let leaves = filled(ends[0]);
        let closing = ends.get(1).map(|close| filled(close)).unwrap_or_default();
        let reach = boxes.iter().map(|b| b.reach()).fold(0.0, f32::max);
        // Turned, many small boxes stay tighter than one, and corners tighter still.
        let outline = if boxes.len() <= OUTLINE_BOXES {
            let corners = triangles.iter().flatten();
            let points = |positions: &[Vec3]| -> Vec<Vec3> {
                corners.clone().map(|i| positions[*i as usize]).collect()
            };
            Outline {
                points: ends
                    .iter()
                    .flat_map(|positions| points(positions))
                    .collect(),
                margin: reach * (2.0 * BOX_MARGIN + MIX_SLACK),
            }
        } else {
            let boxes = tree.boxes_near_root(OUTLINE_BOXES);
            Outline {
                points: boxes.iter().flat_map(|b| b.corners()).collect(),
                margin: 0.0,
            }
        };
        let mut slots = vec![0; triangles.len()];
        for (leaf, range) in tree.leaves.iter().enumerate() {
            let items = &tree.items[range.start as usize..range.end as usize];
            for (lane, &item) in items.iter().enumerate() {
                slots[item as usize] = (8 * leaf + lane) as u32;
            }
        }
        Self {
            slots,
            nodes: tree.nodes,
            leaves,
            closing,
            root: tree.root,
            outline,
            reach,
        }
    }

    /// How many triangles there are.
    pub fn triangle_count(&self) -> usize {
        self.slots.len()
    }

    /// Whether it is bent while the shutter is open.
    pub fn moves(&self) -> bool {
        !self.closing.is_empty()
    }

    /// The corners of one triangle, as given, at a time from 0 to 1.
    #[inline]
    pub fn corners(&self, primitive: u32, time: f32) -> [Vec3; 3] {
        self.corners_at(self.slots[primitive as usize], time)
    }

    /// The corners of the triangle in a slot.
    #[inline(always)]
    pub(super) fn corners_at(&self, slot: u32, time: f32) -> [Vec3; 3] {
        let (leaf, lane) = (slot / 8, slot as usize % 8);
        match self.moved_leaf(leaf, time) {
            Some(moved) => moved.corners(lane),
            None => self.leaf(leaf).corners(lane),
        }
    }

    /// A leaf at a time from 0 to 1; `None` where it is the same at all times.
    #[inline(always)]
    pub(super) fn moved_leaf(&self, index: u32, time: f32) -> Option<Leaf> {
        let close = self.closing.get(index as usize)?;
        Some(self.leaf(index).mixed(close, time))
    }

    pub(super) fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The largest magnitude of a coordinate of the boxes.
    #[inline(always)]
    pub(super) fn reach(&self) -> f32 {
        self.reach
    }

    #[inline(always)]
    pub(super) fn root(&self) -> u32 {
        self.root
    }

    #[inline(always)]
    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    #[inline(always)]
    pub(super) fn leaf(&self, index: u32) -> &Leaf {
        &self.leaves[index as usize]
    }

    /// Asks the caches for what a reference leads to.
    #[inline(always)]
    pub(super) fn prefetch<S: Simd8>(&self, simd: S, reference: u32) {
        if reference & LEAF == 0 {
            simd.prefetch(self.node(reference));
        } else {
            simd.prefetch(self.leaf(reference & !LEAF));
        }
    }
}
