//! Builds the eight-wide trees, over triangles and over instances alike.
//!
//! A binary tree is made top-down by full sweeps of the surface area heuristic, improved by moving
//! subtrees to better places (Meister and Bittner 2018, in obvhs), and cut into eight-wide nodes and
//! leaves at least expected cost (Ylitie, Karras and Laine 2017, section 3.2). One thread and no
//! clock: the same boxes give the same tree.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use glam::{BVec3, Vec3, Vec3A};
use obvhs::{
    aabb::Aabb,
    bvh2::{Bvh2, node::Bvh2Node, reinsertion::ReinsertionOptimizer},
};

/// Most items (triangles) in a leaf: what one vector test takes.
pub(super) const LEAF_CAPACITY: usize = 8;
/// Set in a child reference that names a leaf; the rest is its index.
pub(super) const LEAF: u32 = 1 << 31;
/// Depth of the binary tree from which on ranges are halved, so that no input makes it a list.
const SWEEP_DEPTH: usize = 64;
/// Share of the nodes tried for a better place in the first of sixteen rounds.
const REINSERTION_RATIO: f32 = 0.15;
/// Coordinates beyond this are not optimised: areas would overflow.
const LARGEST_COORDINATE: f32 = 1e15;

/// How much work goes into a tree. It never changes what a ray hits, only how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    /// Surface area heuristic, then reinsertion: for what many rays meet.
    #[default]
    Best,
    /// Surface area heuristic alone: for what is rebuilt often.
    Fast,
    /// Halves of equal count: nothing but a bounded depth.
    Halves,
}

/// Costs and limits of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuildOptions {
    /// How much work goes into it.
    pub quality: Quality,
    /// Most triangles in a leaf, 1 to 8.
    pub leaf_size: usize,
    /// Expected cost of testing a leaf, in tests of one eight-wide node.
    pub leaf_cost: f32,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            quality: Quality::Best,
            leaf_size: LEAF_CAPACITY,
            leaf_cost: 1.2,
        }
    }
}

/// An axis-aligned box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    /// Smallest corner.
    pub(super) min: Vec3,
    /// Largest corner.
    pub(super) max: Vec3,
}

impl Bounds {
    /// Holds nothing; any union with it is the other box.
    pub(super) const EMPTY: Self = Self {
        min: Vec3::INFINITY,
        max: Vec3::NEG_INFINITY,
    };

    /// The smallest box around `points`.
    pub(super) fn around(points: impl IntoIterator<Item = Vec3>) -> Self {
        points.into_iter().fold(Self::EMPTY, |bounds, point| Self {
            min: bounds.min.min(point),
            max: bounds.max.max(point),
        })
    }

    /// The smallest box around both.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Its eight corners.
    pub(super) fn corners(self) -> impl Iterator<Item = Vec3> {
        (0..8).map(move |corner| {
            Vec3::select(
                BVec3::new(corner & 1 != 0, corner & 2 != 0, corner & 4 != 0),
                self.max,
                self.min,
            )
        })
    }

    /// The largest magnitude of a coordinate.
    pub(super) fn reach(self) -> f32 {
        self.min.abs().max(self.max.abs()).max_element()
    }

    /// Grown by at least `margin` on each side, rounded outwards.
    pub(super) fn grown(self, margin: f32) -> Self {
        let outward = |x: Vec3, step: fn(f32) -> f32| Vec3::from_array(x.to_array().map(step));
        Self {
            min: outward(self.min - margin, f32::next_down),
            max: outward(self.max + margin, f32::next_up),
        }
    }
}

/// A node with up to eight children; 256 bytes.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Node {
    /// `planes[2 * axis]` are the eight smallest coordinates, `planes[2 * axis + 1]` the largest. A
    /// child that is not there has its planes the wrong way round at infinity: no ray enters it.
    pub(super) planes: [[f32; 8]; 6],
    /// Node index, or leaf index with [`LEAF`] set.
    pub(super) children: [u32; 8],
    unused: [u32; 8],
}

impl Node {
    /// No children.
    const EMPTY: Self = Self {
        planes: {
            let (nowhere, everywhere) = ([f32::INFINITY; 8], [f32::NEG_INFINITY; 8]);
            [
                nowhere, everywhere, nowhere, everywhere, nowhere, everywhere,
            ]
        },
        children: [LEAF; 8],
        unused: [0; 8],
    };
}

/// An eight-wide tree over numbered items.
#[derive(Debug, Clone)]
pub(super) struct WideTree {
    /// Nodes, parents first.
    pub(super) nodes: Vec<Node>,
    /// Reference to start from; [`LEAF`] with index 0 for a tree that is one leaf.
    pub(super) root: u32,
    /// Item indices, leaf after leaf, increasing within each leaf.
    pub(super) items: Vec<u32>,
    /// The part of `items` in each leaf; no leaf is empty.
    pub(super) leaves: Vec<Range<u32>>,
    /// Entries that a traversal can have waiting at once.
    pub(super) stack_need: usize,
}

impl WideTree {
    /// A tree over `boxes` whose traversal never has more than `stack_limit` entries waiting.
    ///
    /// `stack_limit` must be at least 7·12 + 1, the need of a tree of halves over 2³² items.
    pub(super) fn build(boxes: &[Bounds], options: BuildOptions, stack_limit: usize) -> Self {
        if boxes.is_empty() {
            return Self {
                nodes: Vec::new(),
                root: LEAF,
                items: Vec::new(),
                leaves: Vec::new(),
                stack_need: 0,
            };
        }
        let tree = collapse(&binary_tree(boxes, options.quality), options);
        if tree.stack_need <= stack_limit {
            return tree;
        }
        let halves = BuildOptions {
            quality: Quality::Halves,
            ..options
        };
        collapse(&binary_tree(boxes, Quality::Halves), halves)
    }

    /// At most `limit` boxes that together hold everything; the tree is not one leaf.
    pub(super) fn boxes_near_root(&self, limit: usize) -> Vec<Bounds> {
        let children = |node: u32| {
            let node = &self.nodes[node as usize];
            (0..8).filter_map(move |slot| {
                let plane = |side: usize| {
                    Vec3::from_array([0, 1, 2].map(|axis| node.planes[2 * axis + side][slot]))
                };
                let (min, max) = (plane(0), plane(1));
                min.cmple(max)
                    .all()
                    .then_some((Bounds { min, max }, node.children[slot]))
            })
        };
        let mut boxes: Vec<(Bounds, u32)> = children(self.root).collect();
        loop {
            // Level by level, while there is room.
            let finer: Vec<(Bounds, u32)> = boxes
                .iter()
                .flat_map(|&(bounds, reference)| {
                    let inner = if reference & LEAF == 0 {
                        children(reference).collect()
                    } else {
                        vec![(bounds, reference)]
                    };
                    inner.into_iter()
                })
                .collect();
            if finer.len() > limit || finer.len() == boxes.len() {
                return boxes.into_iter().map(|(bounds, _)| bounds).collect();
            }
            boxes = finer;
        }
    }
}

/// Half the surface of a box; what the heuristic takes for the chance of a ray to meet it.
fn half_area(min: Vec3A, max: Vec3A) -> f32 {
    let d = max - min;
    d.x * d.y + d.y * d.z + d.z * d.x
}

/// A binary tree with one item in each leaf; children are neighbours, the root is node 0.
fn binary_tree(boxes: &[Bounds], quality: Quality) -> Vec<Bvh2Node> {
    let sane = boxes.iter().all(|b| b.reach() < LARGEST_COORDINATE);
    let quality = if sane { quality } else { Quality::Halves };
    let nodes = Sweep::new(boxes).build(quality == Quality::Halves);
    if quality != Quality::Best || nodes.len() < 8 {
        return nodes;
    }
    let mut tree = Bvh2 {
        nodes,
        primitive_indices: (0..boxes.len() as u32).collect(),
        max_depth: 2 * SWEEP_DEPTH,
        ..Bvh2::default()
    };
    ReinsertionOptimizer::default().run(&mut tree, REINSERTION_RATIO, None);
    tree.nodes
}

/// Top-down builder that tries every split along every axis.
struct Sweep<'a> {
    boxes: &'a [Bounds],
    /// Items in order of their centres along each axis.
    order: [Vec<u32>; 3],
    /// Half area of everything from a position to the end of the range.
    area_after: Vec<f32>,
    goes_left: Vec<bool>,
    scratch: Vec<u32>,
}

impl<'a> Sweep<'a> {
    fn new(boxes: &'a [Bounds]) -> Self {
        let order = [0, 1, 2].map(|axis| {
            let mut keyed: Vec<(f32, u32)> = boxes
                .iter()
                .enumerate()
                .map(|(i, b)| (0.5 * b.min[axis] + 0.5 * b.max[axis], i as u32))
                .collect();
            keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            keyed.into_iter().map(|(_, i)| i).collect()
        });
        Self {
            boxes,
            order,
            area_after: vec![0.0; boxes.len() + 1],
            goes_left: vec![false; boxes.len()],
            scratch: vec![0; boxes.len()],
        }
    }

    fn corners(&self, item: u32) -> (Vec3A, Vec3A) {
        let bounds = &self.boxes[item as usize];
        (bounds.min.into(), bounds.max.into())
    }

    fn build(mut self, halves: bool) -> Vec<Bvh2Node> {
        let mut nodes = Vec::with_capacity(2 * self.boxes.len());
        nodes.push(Bvh2Node::default());
        let mut open = vec![(0, 0..self.boxes.len(), 0)];
        while let Some((node, range, depth)) = open.pop() {
            let (min, max) = self.order[0][range.clone()].iter().fold(
                (Vec3A::INFINITY, Vec3A::NEG_INFINITY),
                |(low, high), item| {
                    let (min, max) = self.corners(*item);
                    (low.min(min), high.max(max))
                },
            );
            let bounds = Aabb::new(min, max);
            if range.len() == 1 {
                nodes[node] = Bvh2Node::new(bounds, 1, self.order[0][range.start]);
                continue;
            }
            let (axis, middle) = if halves || depth >= SWEEP_DEPTH {
                let extent = max - min;
                let axis = if extent.x >= extent.y && extent.x >= extent.z {
                    0
                } else if extent.y >= extent.z {
                    1
                } else {
                    2
                };
                (axis, range.start + range.len() / 2)
            } else {
                self.best_split(&range)
            };
            self.partition(&range, axis, middle);
            let left = nodes.len();
            nodes[node] = Bvh2Node::new(bounds, 0, left as u32);
            nodes.extend([Bvh2Node::default(); 2]);
            open.push((left + 1, middle..range.end, depth + 1));
            open.push((left, range.start..middle, depth + 1));
        }
        nodes
    }

    /// Axis and position of the split with the least expected cost; ties go to the first.
    fn best_split(&mut self, range: &Range<usize>) -> (usize, usize) {
        let mut best = (0, range.start + range.len() / 2);
        let mut best_cost = f32::INFINITY;
        for axis in 0..3 {
            let (mut low, mut high) = (Vec3A::INFINITY, Vec3A::NEG_INFINITY);
            for position in (range.start + 1..range.end).rev() {
                let (min, max) = self.corners(self.order[axis][position]);
                (low, high) = (low.min(min), high.max(max));
                self.area_after[position] = half_area(low, high);
            }
            (low, high) = (Vec3A::INFINITY, Vec3A::NEG_INFINITY);
            for middle in range.start + 1..range.end {
                let (min, max) = self.corners(self.order[axis][middle - 1]);
                (low, high) = (low.min(min), high.max(max));
                let cost = half_area(low, high) * (middle - range.start) as f32
                    + self.area_after[middle] * (range.end - middle) as f32;
                if cost < best_cost {
                    best_cost = cost;
                    best = (axis, middle);
                }
            }
        }
        best
    }

    /// Puts the items before `middle` along `axis` first along the other axes too, order kept.
    fn partition(&mut self, range: &Range<usize>, axis: usize, middle: usize) {
        for position in range.clone() {
            self.goes_left[self.order[axis][position] as usize] = position < middle;
        }
        for other in (0..3).filter(|other| *other != axis) {
            let items = &mut self.order[other][range.clone()];
            let (mut left, mut right) = (0, 0);
            for i in 0..items.len() {
                let item = items[i];
                if self.goes_left[item as usize] {
                    items[left] = item;
                    left += 1;
                } else {
                    self.scratch[right] = item;
                    right += 1;
                }
            }
            items[left..].copy_from_slice(&self.scratch[..right]);
        }
    }
}

/// Least costs of one binary subtree, and how to reach them.
#[derive(Clone, Copy)]
struct Cut {
    /// `cost[i]`: least expected cost of the subtree as at most i + 1 children of one node, i < 7.
    cost: [f32; 7],
    /// `left[i]`: how many of those i + 1 children the left part gets; 0: as with one child fewer.
    /// Entry 7 is for all eight children of a node of its own.
    left: [u8; 8],
    /// As one child it is a leaf.
    leaf: bool,
}

/// Cuts a binary tree into eight-wide nodes and leaves at least expected cost.
fn collapse(binary: &[Bvh2Node], options: BuildOptions) -> WideTree {
    let leaf_size = options.leaf_size.clamp(1, LEAF_CAPACITY) as u32;
    // Parents before children, whatever the order in memory.
    let mut top_down = Vec::with_capacity(binary.len());
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        top_down.push(index);
        let node = &binary[index as usize];
        if node.prim_count == 0 {
            open.extend([node.first_index + 1, node.first_index]);
        }
    }
    let mut cuts = vec![
        Cut {
            cost: [0.0; 7],
            left: [0; 8],
            leaf: true,
        };
        binary.len()
    ];
    let mut counts = vec![1_u32; binary.len()];
    for index in top_down.iter().rev().map(|i| *i as usize) {
        let node = &binary[index];
        let area = node.aabb().half_area();
        let as_leaf = area * options.leaf_cost;
        if node.prim_count != 0 {
            cuts[index].cost = [as_leaf; 7];
            continue;
        }
        let (left, right) = (node.first_index as usize, node.first_index as usize + 1);
        counts[index] = counts[left] + counts[right];
        let (left, right) = (cuts[left], cuts[right]);
        let distribute = |children: usize| {
            let mut best = (f32::INFINITY, 1);
            for to_left in 1..children.min(8) {
                let to_right = children - to_left;
                if to_left > 7 || to_right > 7 {
                    continue;
                }
                let cost = left.cost[to_left - 1] + right.cost[to_right - 1];
                if cost < best.0 {
                    best = (cost, to_left as u8);
                }
            }
            best
        };
        let cut = &mut cuts[index];
        if options.quality == Quality::Halves {
            // Three binary levels to a node, whatever it costs: this bounds the depth.
            cut.leaf = counts[index] <= leaf_size;
            if !cut.leaf {
                cut.left = [0, 1, 1, 2, 2, 3, 3, 4];
            }
            continue;
        }
        let (inside, split) = distribute(8);
        cut.left[7] = split;
        let as_node = inside + area;
        cut.leaf = counts[index] <= leaf_size && as_leaf <= as_node;
        cut.cost[0] = if cut.leaf { as_leaf } else { as_node };
        for children in 2..=7 {
            let (cost, split) = distribute(children);
            let fewer = cut.cost[children - 2];
            if cost < fewer {
                cut.cost[children - 1] = cost;
                cut.left[children - 1] = split;
            } else {
                cut.cost[children - 1] = fewer;
            }
        }
    }
    emit(binary, &cuts)
}

/// Writes the chosen nodes and leaves, depth first.
fn emit(binary: &[Bvh2Node], cuts: &[Cut]) -> WideTree {
    let mut tree = WideTree {
        nodes: Vec::new(),
        root: 0,
        items: Vec::new(),
        leaves: Vec::new(),
        stack_need: 0,
    };
    let mut open = Vec::new();
    if cuts[0].leaf {
        tree.root = push_leaf(binary, 0, &mut tree.items, &mut tree.leaves);
    } else {
        tree.nodes.push(Node::EMPTY);
        // (binary node, wide node, entries waiting when it is entered)
        open.push((0, 0, 0));
    }
    let mut children = Vec::with_capacity(8);
    let mut parts = Vec::with_capacity(16);
    while let Some((index, wide, waiting)) = open.pop() {
        children.clear();
        parts.clear();
        let (left, split) = (binary[index].first_index as usize, cuts[index].left[7]);
        parts.extend([(left + 1, 8 - split), (left, split)]);
        while let Some((part, mut allowed)) = parts.pop() {
            while allowed > 1 && cuts[part].left[usize::from(allowed) - 1] == 0 {
                allowed -= 1;
            }
            if allowed == 1 {
                children.push(part);
            } else {
                let (left, split) = (
                    binary[part].first_index as usize,
                    cuts[part].left[usize::from(allowed) - 1],
                );
                parts.extend([(left + 1, allowed - split), (left, split)]);
            }
        }
        let waiting_below = waiting + children.len() - 1;
        tree.stack_need = tree.stack_need.max(waiting_below + 1);
        let first_open = open.len();
        for (slot, &child) in children.iter().enumerate() {
            let bounds = binary[child].aabb();
            let reference = if cuts[child].leaf {
                push_leaf(binary, child, &mut tree.items, &mut tree.leaves)
            } else {
                tree.nodes.push(Node::EMPTY);
                let reference = tree.nodes.len() - 1;
                open.push((child, reference, waiting_below));
                reference as u32
            };
            let node = &mut tree.nodes[wide];
            node.children[slot] = reference;
            for axis in 0..3 {
                node.planes[2 * axis][slot] = bounds.min[axis];
                node.planes[2 * axis + 1][slot] = bounds.max[axis];
            }
        }
        open[first_open..].reverse();
    }
    tree
}

/// Adds the items under a binary node as a leaf; gives the reference to it.
fn push_leaf(
    binary: &[Bvh2Node],
    node: usize,
    items: &mut Vec<u32>,
    leaves: &mut Vec<Range<u32>>,
) -> u32 {
    let start = items.len();
    let mut open = vec![node];
    while let Some(index) = open.pop() {
        let node = &binary[index];
        if node.prim_count != 0 {
            items.push(node.first_index);
        } else {
            open.extend([node.first_index as usize + 1, node.first_index as usize]);
        }
    }
    items[start..].sort_unstable();
    leaves.push(start as u32..items.len() as u32);
    LEAF | (leaves.len() - 1) as u32
}
