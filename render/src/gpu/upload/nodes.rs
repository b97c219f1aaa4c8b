//! The CPU's trees as the shaders walk them: eight children a node, boxes in bytes.
//!
//! Ylitie, Karras and Laine 2017, "Efficient Incoherent Ray Traversal on GPUs Through Compressed Wide
//! BVHs", with leaves of up to eight items whose counts are nibbles. A node is five times 16 bytes:
//!
//! | word | what |
//! |---|---|
//! | 0–2 | smallest corner, f32 |
//! | 3 | exponents of the steps along x, y, z (biased, a byte each); a bit for each inner child |
//! | 4 | index of the first inner child: they follow each other in slot order |
//! | 5 | index of the first item: the items of all leaves follow each other in slot order |
//! | 6 | items of each child, a nibble each |
//! | 7 | a bit for each leaf child |
//! | 8–13 | smallest x, y, z of the children, a byte each, in steps from the corner |
//! | 14–19 | largest x, y, z |
//!
//! Children stand in the slot of the octant that they are in, as far as that is free, so that slots in
//! the order of `slot xor octant of the ray` go from near to far.

use glam::Vec3;

use crate::accel::{Child, Target};

/// A tree ready for upload.
pub(crate) struct CompressedTree {
    /// Five for each node; the root is the first.
    pub(crate) words: Vec<[u32; 4]>,
    /// Items, leaf after leaf.
    pub(crate) items: Vec<u32>,
    /// Levels of nodes.
    pub(crate) depth: u32,
}

/// Most items in a leaf. The CPU tests eight triangles at once, a shader one by one: larger leaves
/// become a node with a box for each item.
const LARGEST_LEAF: usize = 2;

/// A tree to compress.
pub(crate) trait Source {
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
pub(crate) fn compress(root: Vec<Child>, source: &impl Source) -> CompressedTree {
    let mut tree = CompressedTree {
        words: vec![[0; 4]; 5],
        items: Vec::new(),
        depth: 0,
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
        let first_child = tree.words.len() / 5;
        let first_item = tree.items.len();
        let (mut inner, mut leaves, mut counts) = (0_u32, 0_u32, 0_u32);
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
                    counts |= (items.len() as u32) << (4 * slot);
                    tree.items.extend(items);
                }
                inside => {
                    inner |= 1 << slot;
                    let at = tree.words.len() / 5;
                    tree.words.extend([[0; 4]; 5]);
                    open.push((inside, at, depth + 1));
                }
            }
        }
        let boxes = Boxes::new(&slots);
        let links = [first_child as u32, first_item as u32, counts, leaves];
        tree.words[5 * index..5 * index + 5].copy_from_slice(&boxes.words(inner, links));
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
    corner: Vec3,
    exponents: [u32; 3],
    low: [[u8; 8]; 3],
    high: [[u8; 8]; 3],
}

impl Boxes {
    fn new(slots: &[Option<Child>; 8]) -> Self {
        let present = || slots.iter().flatten();
        let min = present().fold(Vec3::INFINITY, |m, c| m.min(c.min));
        let max = present().fold(Vec3::NEG_INFINITY, |m, c| m.max(c.max));
        let mut boxes = Self {
            corner: if min.is_finite() { min } else { Vec3::ZERO },
            exponents: [1; 3],
            // Children that are not there have their planes the wrong way round.
            low: [[255; 8]; 3],
            high: [[0; 8]; 3],
        };
        for axis in 0..3 {
            let corner = f64::from(boxes.corner[axis]);
            let extent = if max.is_finite() {
                f64::from(max[axis]) - corner
            } else {
                0.0
            };
            // The least power of two whose 255 steps reach across.
            let exponent = (1..=254_u32)
                .find(|e| 255.0 * step(*e) >= extent)
                .unwrap_or(254);
            boxes.exponents[axis] = exponent;
            for (slot, child) in slots.iter().enumerate() {
                let Some(child) = child else { continue };
                let steps = |x: f32| (f64::from(x) - corner) / step(exponent);
                // Rounded outwards; division by a power of two is exact.
                boxes.low[axis][slot] = steps(child.min[axis]).floor().clamp(0.0, 255.0) as u8;
                boxes.high[axis][slot] = steps(child.max[axis]).ceil().clamp(0.0, 255.0) as u8;
            }
        }
        boxes
    }

    fn words(&self, inner: u32, links: [u32; 4]) -> [[u32; 4]; 5] {
        let [x, y, z] = self.corner.to_array().map(f32::to_bits);
        let [ex, ey, ez] = self.exponents;
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
            [x, y, z, ex | ey << 8 | ez << 16 | inner << 24],
            links,
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
        let words: Vec<u32> = tree.words[5 * node..5 * node + 5].concat();
        let byte = |row: usize, slot: usize| words[row + slot / 4] >> (8 * (slot % 4)) & 255;
        let (mut next_child, mut next_item) = (words[4] as usize, words[5] as usize);
        for slot in 0..8 {
            let before = found.len();
            let count = (words[6] >> (4 * slot) & 15) as usize;
            assert_eq!(count != 0, words[7] >> slot & 1 != 0);
            assert!(count <= LARGEST_LEAF);
            found.extend(&tree.items[next_item..next_item + count]);
            next_item += count;
            if words[3] >> 24 >> slot & 1 != 0 {
                walk(tree, source, next_child, found);
                next_child += 1;
            }
            for item in &found[before..] {
                let (min, max) = source.box_of(*item);
                for axis in 0..3 {
                    let corner = f64::from(f32::from_bits(words[axis]));
                    let scale = step(words[3] >> (8 * axis) & 255);
                    let low = corner + f64::from(byte(8 + 2 * axis, slot)) * scale;
                    let high = corner + f64::from(byte(14 + 2 * axis, slot)) * scale;
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
}
