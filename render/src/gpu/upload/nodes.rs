//! The CPU's trees as the shaders walk them: eight children a node, boxes in bytes.
//!
//! Ylitie, Karras and Laine 2017, "Efficient Incoherent Ray Traversal on GPUs Through Compressed Wide
//! BVHs", with leaves of one or two items, and with corners on a grid over the whole tree, so that a node is
//! four times 16 bytes: one line of a cache.
//!
//! | word | what |
//! |---|---|
//! | 0 | in bits 8–31 the node of slot 0: children are nodes by slot, with gaps for those that are not inner |
//! | 1 | index of the first item: the items of all leaves follow each other in slot order, or stand by slot too |
//! | 2 | a byte each: a bit for each inner child, for each leaf, for each leaf with two items; x of the smallest corner |
//! | 3 | y and z of the corner, a byte each, in units of the grid; then how often a step along x, y, z is half a unit, four bits each |
//! | 4–9 | smallest x, y, z of the children, a byte each, in steps from the corner |
//! | 10–15 | largest x, y, z |
//!
//! Children stand in the slot of the octant that they are in, as far as that is free, so that slots in
//! the order of `slot xor octant of the ray` go from near to far.

use glam::Vec3;

use crate::accel::{Child, Target};

/// A tree ready for upload.
pub(crate) struct CompressedTree {
    /// [`NODE`] for each node; the root is the first.
    pub(crate) words: Vec<[u32; 4]>,
    /// Items, leaf after leaf; [`GAP`] where there is none.
    pub(crate) items: Vec<u32>,
    /// Levels of nodes.
    pub(crate) depth: u32,
    /// What the corners of nodes count in.
    pub(crate) grid: Grid,
}

/// Stands where a slot has no item.
pub(crate) const GAP: u32 = u32::MAX;

/// Most nodes that a tree can have room for, gaps included: groups in the shaders have 24 bits for where they are.
pub(crate) const MOST_NODES: u64 = 1 << 24;

/// Most items of a tree that are found by slot: groups have a bit less for these.
pub(crate) const MOST_ITEMS_BY_SLOT: u64 = MOST_NODES / 2;

/// 16-byte elements of a node.
pub(crate) const NODE: usize = 4;

/// Places that nodes can begin at: 256 along each axis, over the whole tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) corner: Vec3,
    /// Biased exponents of a unit along x, y and z.
    exponents: [u32; 3],
}

/// A step is at most so often half a unit.
const MOST_HALVINGS: u32 = 15;

impl Grid {
    /// Over some boxes.
    fn over(children: &[Child]) -> Self {
        let (min, max) = bounds(children.iter());
        let (min, max) = if min.is_finite() && max.is_finite() {
            (min, max)
        } else {
            (Vec3::ZERO, Vec3::ZERO)
        };
        let extent = max.as_dvec3() - min.as_dvec3();
        // Rays are scaled by units: one of a flat axis must not be so small that they overflow.
        let largest = extent.max_element().max(f64::from(min.abs().max_element()));
        let least = (largest * 1e-7).max(1e-20);
        // The least power of two whose 255 steps reach across; its inverse is no denormal either.
        let unit = |extent: f64| {
            (1..=253_u32)
                .find(|e| 255.0 * step(*e) >= extent.max(least))
                .unwrap_or(253)
        };
        Self {
            corner: min,
            exponents: extent.to_array().map(unit),
        }
    }

    /// As the shaders read them: a byte each.
    pub(crate) fn packed_exponents(&self) -> u32 {
        let [x, y, z] = self.exponents;
        x | y << 8 | z << 16
    }
}

impl CompressedTree {
    /// Nodes that there is room for.
    pub(crate) fn nodes(&self) -> u64 {
        (self.words.len() / NODE) as u64
    }
}

/// The box around some children.
fn bounds<'a>(children: impl Iterator<Item = &'a Child>) -> (Vec3, Vec3) {
    children.fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(min, max), child| {
        (min.min(child.min), max.max(child.max))
    })
}

/// Most items in a leaf. The CPU tests eight triangles at once, a shader one by one: larger leaves
/// become a node with a box for each item.
const LARGEST_LEAF: usize = 2;

/// A tree to compress.
pub(crate) trait Source {
    /// Leaves have one item each, which is found by the leaf's slot, as nodes are.
    const ITEMS_BY_SLOT: bool;
    /// The children of a node.
    fn children_of(&self, node: u32) -> Vec<Child>;
    /// What is in a leaf, at most eight items.
    fn items_of(&self, leaf: u32) -> Vec<u32>;
    /// The box of an item.
    fn box_of(&self, item: u32) -> (Vec3, Vec3);
}

/// What becomes a node.
enum Part {
    /// A node of the source.
    Children(Vec<Child>),
    /// The items of a large leaf.
    Items(Vec<u32>),
}

/// Compresses the tree that starts with `root`, a node that holds everything.
pub(crate) fn compress<S: Source>(root: Vec<Child>, source: &S) -> CompressedTree {
    let mut tree = CompressedTree {
        words: vec![[0; 4]; NODE],
        items: Vec::new(),
        depth: 0,
        grid: Grid::over(&root),
    };
    let mut open = vec![(Part::Children(root), 0_usize, 1_u32)];
    while let Some((part, index, depth)) = open.pop() {
        tree.depth = tree.depth.max(depth);
        let (children, are_items) = match part {
            Part::Children(children) => (children, false),
            Part::Items(items) => {
                let child = |item: u32| {
                    let (min, max) = source.box_of(item);
                    let target = Target::Leaf(item);
                    Child { min, max, target }
                };
                (items.into_iter().map(child).collect(), true)
            }
        };
        let slots = assign_slots(&children);
        let first_child = tree.words.len() / NODE;
        let first_item = tree.items.len();
        let (mut inner, mut leaves, mut pairs) = (0_u32, 0_u32, 0_u32);
        for (slot, child) in slots.iter().enumerate() {
            let Some(child) = child else { continue };
            let part = match child.target {
                Target::Node(node) => Part::Children(source.children_of(node)),
                Target::Leaf(item) if are_items => Part::Items(vec![item]),
                Target::Leaf(leaf) => Part::Items(source.items_of(leaf)),
            };
            match part {
                Part::Items(items) if items.len() <= LARGEST_LEAF => {
                    leaves |= 1 << slot;
                    pairs |= u32::from(items.len() == LARGEST_LEAF) << slot;
                    if S::ITEMS_BY_SLOT {
                        tree.items.resize(first_item + slot, GAP);
                    }
                    tree.items.extend(items);
                }
                inside => {
                    inner |= 1 << slot;
                    tree.words.resize(NODE * (first_child + 8), [0; 4]);
                    open.push((inside, first_child + slot, depth + 1));
                }
            }
        }
        let links = [(first_child as u32) << 8, first_item as u32];
        let node = Boxes::new(&slots, &tree.grid).words(links, [inner, leaves, pairs]);
        tree.words[NODE * index..NODE * (index + 1)].copy_from_slice(&node);
    }
    tree
}

/// Children by octant: each pair of child and slot in the order of how well they fit.
fn assign_slots(children: &[Child]) -> [Option<Child>; 8] {
    let mut slots = [None; 8];
    if children.is_empty() {
        return slots;
    }
    let centre = |c: &Child| (c.min + c.max) * 0.5;
    let middle = children.iter().map(centre).sum::<Vec3>() / children.len() as f32;
    let mut fits: Vec<(f32, usize, usize)> = Vec::with_capacity(8 * children.len());
    for (index, child) in children.iter().enumerate() {
        let away = centre(child) - middle;
        for slot in 0..8 {
            let side = |bit: usize| if slot & bit == 0 { -1.0 } else { 1.0 };
            let towards = Vec3::new(side(1), side(2), side(4));
            fits.push((away.dot(towards), index, slot));
        }
    }
    fits.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut placed = vec![false; children.len()];
    for (_, index, slot) in fits {
        if !placed[index] && slots[slot].is_none() {
            slots[slot] = Some(children[index]);
            placed[index] = true;
        }
    }
    slots
}

/// The boxes of a node's children in steps from its corner.
struct Boxes {
    /// In units.
    corner: [u32; 3],
    /// How often a step is half a unit.
    halvings: [u32; 3],
    low: [[u8; 8]; 3],
    high: [[u8; 8]; 3],
}

impl Boxes {
    fn new(slots: &[Option<Child>; 8], grid: &Grid) -> Self {
        let (min, max) = bounds(slots.iter().flatten());
        let mut boxes = Self {
            corner: [0; 3],
            halvings: [0; 3],
            // Children that are not there have their planes the wrong way round.
            low: [[255; 8]; 3],
            high: [[0; 8]; 3],
        };
        for axis in 0..3 {
            let unit = step(grid.exponents[axis]);
            // Units are powers of two: dividing by them changes no digit.
            let units = |x: f32| (f64::from(x) - f64::from(grid.corner[axis])) / unit;
            let corner = units(min[axis]).floor().clamp(0.0, 255.0);
            boxes.corner[axis] = corner as u32;
            let extent = units(max[axis]) - corner;
            let halvings = (0..=MOST_HALVINGS)
                .rev()
                .find(|h| 255.0 / f64::from(1_u32 << h) >= extent)
                .unwrap_or(0);
            boxes.halvings[axis] = halvings;
            let steps = |x: f32| (units(x) - corner) * f64::from(1_u32 << halvings);
            for (slot, child) in slots.iter().enumerate() {
                let Some(child) = child else { continue };
                // Rounded outwards.
                boxes.low[axis][slot] = steps(child.min[axis]).floor().clamp(0.0, 255.0) as u8;
                boxes.high[axis][slot] = steps(child.max[axis]).ceil().clamp(0.0, 255.0) as u8;
            }
        }
        boxes
    }

    fn words(&self, links: [u32; 2], [inner, leaves, pairs]: [u32; 3]) -> [[u32; 4]; NODE] {
        let [x, y, z] = self.corner;
        let [hx, hy, hz] = self.halvings;
        let pair = |bytes: &[u8; 8]| {
            let [a, b, c, d, e, f, g, h] = *bytes;
            [
                u32::from_le_bytes([a, b, c, d]),
                u32::from_le_bytes([e, f, g, h]),
            ]
        };
        let row = |a: &[u8; 8], b: &[u8; 8]| {
            let ([p, q], [r, s]) = (pair(a), pair(b));
            [p, q, r, s]
        };
        [
            [
                links[0],
                links[1],
                inner | leaves << 8 | pairs << 16 | x << 24,
                y | z << 8 | hx << 16 | hy << 20 | hz << 24,
            ],
            row(&self.low[0], &self.low[1]),
            row(&self.low[2], &self.high[0]),
            row(&self.high[1], &self.high[2]),
        ]
    }
}

/// 2 to the power of a biased exponent.
fn step(exponent: u32) -> f64 {
    f64::from(f32::from_bits(exponent << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(min: [f32; 3], max: [f32; 3], leaf: u32) -> Child {
        Child {
            min: Vec3::from(min),
            max: Vec3::from(max),
            target: Target::Leaf(leaf),
        }
    }

    /// Leaves of one, two and three items.
    struct Three([Child; 3]);

    impl Source for Three {
        const ITEMS_BY_SLOT: bool = false;

        fn children_of(&self, _: u32) -> Vec<Child> {
            self.0.to_vec()
        }
        fn items_of(&self, leaf: u32) -> Vec<u32> {
            (0..=leaf).map(|i| 10 * leaf + i).collect()
        }
        fn box_of(&self, item: u32) -> (Vec3, Vec3) {
            let whole = self.0[item as usize / 10];
            (whole.min, whole.max)
        }
    }

    /// Items below a node, and whether every box holds those of its items.
    fn walk(tree: &CompressedTree, source: &Three, node: usize, found: &mut Vec<u32>) {
        let words: Vec<u32> = tree.words[NODE * node..NODE * (node + 1)].concat();
        let byte = |word: usize, slot: usize| words[word + slot / 4] >> (8 * (slot % 4)) & 255;
        let corner = [words[2] >> 24, words[3] & 255, words[3] >> 8 & 255];
        let (first_child, mut next_item) = (words[0] as usize >> 8, words[1] as usize);
        for slot in 0..8 {
            let before = found.len();
            let has = |shift: usize| words[2] >> shift >> slot & 1;
            let count = (has(8) + has(16)) as usize;
            assert!(count <= LARGEST_LEAF && has(16) <= has(8));
            found.extend(&tree.items[next_item..next_item + count]);
            next_item += count;
            if has(0) != 0 {
                walk(tree, source, first_child + slot, found);
            }
            for item in &found[before..] {
                let (min, max) = source.box_of(*item);
                for axis in 0..3 {
                    let unit = step(tree.grid.exponents[axis]);
                    let halvings = words[3] >> (16 + 4 * axis) & 15;
                    let scale = unit / f64::from(1_u32 << halvings);
                    let start = f64::from(tree.grid.corner[axis]) + f64::from(corner[axis]) * unit;
                    let low = start + f64::from(byte(4 + 2 * axis, slot)) * scale;
                    let high = start + f64::from(byte(10 + 2 * axis, slot)) * scale;
                    assert!(low <= f64::from(min[axis]) && high >= f64::from(max[axis]));
                    // Not larger than a step each way.
                    assert!(f64::from(min[axis]) - low <= scale);
                    assert!(high - f64::from(max[axis]) <= scale);
                }
            }
        }
    }

    #[test]
    fn compressed_boxes_hold_the_boxes_and_every_item_is_there_once() {
        let source = Three([
            child([-3.1, 0.0, 7.0], [1e-3, 0.0, 7.5], 0),
            child([0.1, -1e-20, 6.9], [0.3, 1e4, 7.1], 1),
            child([2.0, 3.0, -5e3], [2.5, 3.5, 4.0], 2),
        ]);
        let tree = compress(source.children_of(0), &source);
        assert_eq!(tree.depth, 2);
        let mut found = Vec::new();
        walk(&tree, &source, 0, &mut found);
        found.sort_unstable();
        assert_eq!(found, [0, 10, 11, 20, 21, 22]);
    }

    #[test]
    fn grids_reach_across_and_rays_can_be_scaled_by_their_units() {
        let flat = child([-4.0, 2.0, 1.0], [6.0, 2.0, 1.5], 0);
        let point = child([3.0; 3], [3.0; 3], 0);
        let origin = child([0.0; 3], [0.0; 3], 0);
        let far = child([-1e30; 3], [1e30; 3], 0);
        for boxed in [flat, point, origin, far] {
            let grid = Grid::over(&[boxed]);
            assert_eq!(grid.corner, boxed.min);
            for axis in 0..3 {
                let unit = f32::from_bits(grid.exponents[axis] << 23);
                assert!(unit.is_normal() && (1.0 / unit).is_normal());
                assert!(255.0 * unit >= boxed.max[axis] - boxed.min[axis]);
                assert!((1e6 / unit).is_finite());
            }
        }
        let none = Grid::over(&[]);
        assert_eq!(none.corner, Vec3::ZERO);
    }
}
