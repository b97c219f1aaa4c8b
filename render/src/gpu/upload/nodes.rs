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

/// Compresses the tree that starts with `root`, a node that holds everything.
pub(crate) fn compress(
    root: &[Child],
    children_of: impl Fn(u32) -> Vec<Child>,
    items_of: impl Fn(u32) -> Vec<u32>,
) -> CompressedTree {
    let mut tree = CompressedTree {
        words: vec![[0; 4]; 5],
        items: Vec::new(),
        depth: 0,
    };
    let mut open = vec![(root.to_vec(), 0_usize, 1_u32)];
    while let Some((children, index, depth)) = open.pop() {
        tree.depth = tree.depth.max(depth);
        let slots = assign_slots(&children);
        let first_child = tree.words.len() / 5;
        let first_item = tree.items.len();
        let (mut inner, mut leaves, mut counts) = (0_u32, 0_u32, 0_u32);
        for (slot, child) in slots.iter().enumerate() {
            let Some(child) = child else { continue };
            match child.target {
                Target::Node(node) => {
                    inner |= 1 << slot;
                    let at = tree.words.len() / 5;
                    tree.words.extend([[0; 4]; 5]);
                    open.push((children_of(node), at, depth + 1));
                }
                Target::Leaf(leaf) => {
                    leaves |= 1 << slot;
                    let items = items_of(leaf);
                    counts |= (items.len() as u32) << (4 * slot);
                    tree.items.extend(items);
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

    #[test]
    fn compressed_boxes_hold_the_boxes() {
        let children = [
            child([-3.1, 0.0, 7.0], [1e-3, 0.0, 7.5], 0),
            child([0.1, -1e-20, 6.9], [0.3, 1e4, 7.1], 1),
            child([2.0, 3.0, -5e3], [2.5, 3.5, 4.0], 2),
        ];
        let tree = compress(&children, |_| Vec::new(), |leaf| vec![leaf; 2]);
        let words: Vec<u32> = tree.words.iter().flatten().copied().collect();
        let byte = |row: usize, slot: usize| words[row + slot / 4] >> (8 * (slot % 4)) & 255;
        assert_eq!(tree.items.len(), 6);
        let mut next = 0;
        for slot in 0..8 {
            let count = words[6] >> (4 * slot) & 15;
            assert_eq!(count != 0, words[7] >> slot & 1 != 0);
            if count == 0 {
                continue;
            }
            let original = &children[tree.items[next] as usize];
            next += count as usize;
            for axis in 0..3 {
                let corner = f64::from(f32::from_bits(words[axis]));
                let scale = step(words[3] >> (8 * axis) & 255);
                let low = corner + f64::from(byte(8 + 2 * axis, slot)) * scale;
                let high = corner + f64::from(byte(14 + 2 * axis, slot)) * scale;
                assert!(low <= f64::from(original.min[axis]));
                assert!(high >= f64::from(original.max[axis]));
                // Not larger than a step each way.
                assert!(f64::from(original.min[axis]) - low <= scale);
                assert!(high - f64::from(original.max[axis]) <= scale);
            }
        }
        assert_eq!(next, 6);
    }
}
