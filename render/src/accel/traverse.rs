//! Walks of the eight-wide trees.

use glam::Vec3A;

use super::{
    Hit,
    build::{LEAF, Node},
    mesh::MeshBvh,
    simd::{Row, Simd8, Stack},
    triangle::{TriangleHit, TriangleRay, refine},
};

/// How far the box test moves planes outwards, as a share of the largest coordinate of the ray's
/// origin and of the boxes: the subtractions, products and divisions of the box test, and the triangle
/// test's own errors, displace things by a few units of 2⁻²⁴ of these each (compare Ize 2013; here
/// with room).
pub(super) const SLACK: f32 = 32.0 / 16777216.0;
/// Largest inverse of a direction component, in inverses of the largest component, that the box test
/// works with: finite for axis-parallel rays too.
const STEEPEST: f32 = 1e18;

/// A ray in the space of some tree.
#[derive(Clone, Copy)]
pub(super) struct LocalRay {
    pub(super) origin: Vec3A,
    /// Not zero; distances count in lengths of it.
    pub(super) direction: Vec3A,
    /// 1 / `direction`, finite: see [`STEEPEST`].
    pub(super) inverse: Vec3A,
    pub(super) t_min: f32,
}

impl LocalRay {
    #[inline(always)]
    pub(super) fn new(origin: Vec3A, direction: Vec3A, t_min: f32) -> Self {
        let inverse = direction.recip();
        let steepest = Vec3A::splat(inverse.abs().min_element() * STEEPEST);
        Self {
            origin,
            direction,
            inverse: inverse.min(steepest).max(-steepest),
            // Never −0, whose bits would sort last.
            t_min: if t_min > 0.0 { t_min } else { 0.0 },
        }
    }
}

/// A ray made ready for conservative tests of eight boxes.
#[derive(Clone, Copy)]
pub(super) struct BoxRay<S: Simd8> {
    scale: [S::F; 3],
    near_offset: [S::F; 3],
    far_offset: [S::F; 3],
    /// Which of `Node::planes` a ray enters through along each axis.
    entries: [Row<6>; 3],
    t_min: S::F,
}

impl<S: Simd8> BoxRay<S> {
    /// Planes are moved outwards by `margin`, in units of space.
    #[inline(always)]
    pub(super) fn new(simd: S, ray: &LocalRay, margin: f32) -> Self {
        let inverse = ray.inverse;
        let middle = ray.origin * inverse;
        let reach = inverse.abs() * margin;
        Self {
            scale: splat3(simd, inverse),
            near_offset: splat3(simd, middle + reach),
            far_offset: splat3(simd, middle - reach),
            entries: [
                Row::new(usize::from(inverse.x < 0.0)),
                Row::new(2 + usize::from(inverse.y < 0.0)),
                Row::new(4 + usize::from(inverse.z < 0.0)),
            ],
            t_min: simd.splat(ray.t_min),
        }
    }

    /// Where the planes through which a ray enters along an axis are met.
    #[inline(always)]
    fn near(&self, simd: S, node: &Node, axis: usize) -> S::F {
        let planes = simd.load_row(&node.planes, self.entries[axis]);
        simd.mul_sub(planes, self.scale[axis], self.near_offset[axis])
    }

    /// Where the planes through which it leaves are met.
    #[inline(always)]
    fn far(&self, simd: S, node: &Node, axis: usize) -> S::F {
        let planes = simd.load_row(&node.planes, self.entries[axis].partner());
        simd.mul_sub(planes, self.scale[axis], self.far_offset[axis])
    }

    /// Entry distances of a node's children, and a bit for each that may hold something as near as
    /// `limit`.
    #[inline(always)]
    fn enter(&self, simd: S, node: &Node, limit: S::F) -> (S::F, u32) {
        let entry = simd.max(
            simd.max(self.near(simd, node, 0), self.near(simd, node, 1)),
            simd.max(self.near(simd, node, 2), self.t_min),
        );
        let exit = simd.min(
            simd.min(self.far(simd, node, 0), self.far(simd, node, 1)),
            simd.min(self.far(simd, node, 2), limit),
        );
        (entry, simd.bits(simd.le(entry, exit)))
    }
}

/// Each component in eight lanes.
#[inline(always)]
fn splat3<S: Simd8>(simd: S, v: Vec3A) -> [S::F; 3] {
    [simd.splat(v.x), simd.splat(v.y), simd.splat(v.z)]
}

/// The nearest hit so far, ties to the lower (instance, primitive).
pub(super) struct Nearest {
    t: f32,
    hit: Option<Hit>,
}

impl Nearest {
    /// Nothing yet; hits count before `t_max`.
    #[inline(always)]
    pub(super) fn before(t_max: f32) -> Self {
        Self {
            t: t_max,
            hit: None,
        }
    }

    #[inline(always)]
    pub(super) fn into_hit(self) -> Option<Hit> {
        self.hit
    }

    /// Where the search ends: distance of the hit, or the largest of interest.
    #[inline(always)]
    pub(super) fn limit(&self) -> f32 {
        self.t
    }

    /// Whether a hit at `t` would be the nearest.
    #[inline(always)]
    fn takes(&self, t: f32, instance: u32, primitive: u32) -> bool {
        t < self.t
            || (t == self.t
                && self
                    .hit
                    .is_some_and(|hit| (instance, primitive) < (hit.instance, hit.primitive)))
    }

    #[inline(always)]
    fn offer(&mut self, hit: Hit) {
        self.t = hit.t;
        self.hit = Some(hit);
    }
}

/// A waiting subtree: entry distance in the upper half, so that entries sort by distance.
#[inline(always)]
fn entry(t: f32, reference: u32) -> u64 {
    // Distances are not negative nor −0, so their bits sort as they do.
    (u64::from(t.to_bits()) << 32) | u64::from(reference)
}

#[inline(always)]
fn entry_distance(entry: u64) -> f32 {
    f32::from_bits((entry >> 32) as u32)
}

/// The nearest of the children in `mask`, which is not empty, as an entry; the others are pushed,
/// farthest first.
#[inline(always)]
fn descend<S: Simd8>(simd: S, stack: &mut Stack, node: &Node, distances: S::F, mask: u32) -> u32 {
    let first = (mask.trailing_zeros() & 7) as usize;
    let mut rest = mask & (mask - 1);
    if rest == 0 {
        return node.children[first];
    }
    let mut t = [0.0; 8];
    simd.store(distances, &mut t);
    let first = entry(t[first], node.children[first]);
    let second = (rest.trailing_zeros() & 7) as usize;
    let second = entry(t[second], node.children[second]);
    rest &= rest - 1;
    let (mut near, far) = if first < second {
        (first, second)
    } else {
        (second, first)
    };
    if rest == 0 {
        stack.push(far);
        return near as u32;
    }
    let base = stack.len();
    stack.push(far);
    while rest != 0 {
        let child = (rest.trailing_zeros() & 7) as usize;
        let other = entry(t[child], node.children[child]);
        stack.push(near.max(other));
        near = near.min(other);
        rest &= rest - 1;
    }
    stack.sort_above(base);
    near as u32
}

/// The nearest waiting entry above `base` if it begins before `limit`; drops those that do not.
#[inline(always)]
fn pop_before(stack: &mut Stack, base: usize, limit: f32) -> Option<u32> {
    loop {
        let waiting = stack.pop_above(base)?;
        if entry_distance(waiting) <= limit {
            return Some(waiting as u32);
        }
    }
}

/// One mesh and the ray in its space.
pub(super) struct MeshWalk<'a, S: Simd8> {
    mesh: &'a MeshBvh,
    ray: LocalRay,
    boxes: BoxRay<S>,
    triangles: TriangleRay<S>,
    /// Index of the instance, for ties and the filter.
    instance: u32,
    /// Whether hits are shown to the filter.
    needs_filter: bool,
    /// Moment within the shutter.
    time: f32,
}

impl<'a, S: Simd8> MeshWalk<'a, S> {
    /// Of a ray in the mesh's space.
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        mesh: &'a MeshBvh,
        ray: &LocalRay,
        boxes: BoxRay<S>,
        instance: u32,
        needs_filter: bool,
        time: f32,
    ) -> Self {
        Self {
            mesh,
            ray: *ray,
            boxes,
            triangles: TriangleRay::new(simd, ray),
            instance,
            needs_filter,
            time,
        }
    }

    /// Looks for hits nearer than `nearest`.
    #[inline(always)]
    pub(super) fn nearest(
        &self,
        simd: S,
        stack: &mut Stack,
        nearest: &mut Nearest,
        filter: &mut impl FnMut(&Hit) -> bool,
    ) {
        let base = stack.len();
        let mut limit = simd.splat(nearest.limit());
        let mut next = self.mesh.root();
        loop {
            if next & LEAF == 0 {
                let node = self.mesh.node(next);
                let (distances, mask) = self.boxes.enter(simd, node, limit);
                if mask != 0 {
                    let waiting = stack.len();
                    next = descend(simd, stack, node, distances, mask);
                    if let Some(after) = stack.top_above(waiting) {
                        self.mesh.prefetch(simd, after as u32);
                    }
                    continue;
                }
            } else if self.nearest_in_leaf(simd, next & !LEAF, nearest, filter) {
                limit = simd.splat(nearest.limit());
            }
            match pop_before(stack, base, nearest.limit()) {
                Some(waiting) => next = waiting,
                None => return,
            }
        }
    }

    /// Whether a nearer hit was found.
    #[inline(always)]
    fn nearest_in_leaf(
        &self,
        simd: S,
        leaf: u32,
        nearest: &mut Nearest,
        filter: &mut impl FnMut(&Hit) -> bool,
    ) -> bool {
        let first_slot = leaf << 3;
        let moved = self.mesh.moved_leaf(leaf, self.time);
        let leaf = moved.as_ref().unwrap_or(self.mesh.leaf(leaf));
        let Some(tested) = self.triangles.test(simd, leaf, simd.splat(nearest.t)) else {
            return false;
        };
        let mut found = false;
        let mut lanes = tested.sure | tested.unsure;
        while lanes != 0 {
            let lane = (lanes.trailing_zeros() & 7) as usize;
            let primitive = leaf.primitives[lane];
            let hit = if tested.sure >> lane & 1 != 0 {
                if nearest.takes(tested.t[lane], self.instance, primitive) {
                    Some(tested.hit(lane))
                } else {
                    None
                }
            } else {
                refine(self.ray, leaf, lane)
                    .filter(|hit| nearest.takes(hit.t, self.instance, primitive))
            };
            if let Some(hit) = hit {
                let hit = self.named(hit, primitive, first_slot + lane as u32);
                if !self.needs_filter || filter(&hit) {
                    nearest.offer(hit);
                    found = true;
                }
            }
            lanes &= lanes - 1;
        }
        found
    }

    /// Whether anything is hit before `t_max`.
    #[inline(always)]
    pub(super) fn any(
        &self,
        simd: S,
        stack: &mut Stack,
        t_max: f32,
        filter: &mut impl FnMut(&Hit) -> bool,
    ) -> bool {
        let base = stack.len();
        let limit = simd.splat(t_max);
        let mut next = self.mesh.root();
        loop {
            if next & LEAF == 0 {
                let node = self.mesh.node(next);
                let (_, mut mask) = self.boxes.enter(simd, node, limit);
                if mask != 0 {
                    next = node.children[(mask.trailing_zeros() & 7) as usize];
                    mask &= mask - 1;
                    while mask != 0 {
                        let child = (mask.trailing_zeros() & 7) as usize;
                        stack.push(u64::from(node.children[child]));
                        self.mesh.prefetch(simd, node.children[child]);
                        mask &= mask - 1;
                    }
                    continue;
                }
            } else if self.any_in_leaf(simd, next & !LEAF, limit, t_max, filter) {
                stack.truncate(base);
                return true;
            }
            match stack.pop_above(base) {
                Some(waiting) => next = waiting as u32,
                None => return false,
            }
        }
    }

    #[inline(always)]
    fn any_in_leaf(
        &self,
        simd: S,
        leaf: u32,
        limit: S::F,
        t_max: f32,
        filter: &mut impl FnMut(&Hit) -> bool,
    ) -> bool {
        let first_slot = leaf << 3;
        let moved = self.mesh.moved_leaf(leaf, self.time);
        let leaf = moved.as_ref().unwrap_or(self.mesh.leaf(leaf));
        let Some(tested) = self.triangles.test(simd, leaf, limit) else {
            return false;
        };
        let mut lanes = tested.sure | tested.unsure;
        while lanes != 0 {
            let lane = (lanes.trailing_zeros() & 7) as usize;
            let hit = if tested.sure >> lane & 1 != 0 {
                // Ties with t_max are outside.
                if tested.t[lane] < t_max {
                    Some(tested.hit(lane))
                } else {
                    None
                }
            } else {
                refine(self.ray, leaf, lane).filter(|hit| hit.t < t_max)
            };
            if let Some(hit) = hit
                && (!self.needs_filter
                    || filter(&self.named(hit, leaf.primitives[lane], first_slot + lane as u32)))
            {
                return true;
            }
            lanes &= lanes - 1;
        }
        false
    }

    #[inline(always)]
    fn named(&self, hit: TriangleHit, primitive: u32, slot: u32) -> Hit {
        Hit {
            t: hit.t,
            instance: self.instance,
            primitive,
            u: hit.u,
            v: hit.v,
            slot,
        }
    }
}

/// Walks an upper tree, nearest subtree first: `visit(item leaf)` is called for each leaf that the
/// ray may enter before `limit()`, until it returns false.
#[inline(always)]
pub(super) fn walk_upper<S: Simd8>(
    simd: S,
    nodes: &[Node],
    root: u32,
    boxes: &BoxRay<S>,
    stack: &mut Stack,
    mut limit: f32,
    mut visit: impl FnMut(u32, &mut Stack) -> Option<f32>,
) {
    let mut next = root;
    loop {
        if next & LEAF == 0 {
            let node = &nodes[next as usize];
            let (distances, mask) = boxes.enter(simd, node, simd.splat(limit));
            if mask != 0 {
                next = descend(simd, stack, node, distances, mask);
                continue;
            }
        } else {
            match visit(next & !LEAF, stack) {
                Some(new_limit) => limit = new_limit,
                None => return,
            }
        }
        match pop_before(stack, 0, limit) {
            Some(waiting) => next = waiting,
            None => return,
        }
    }
}
