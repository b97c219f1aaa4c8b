//! From the net of a person's envelope to a mesh of its layers: finer where the face is, cut exactly
//! where one material ends, with an edge where a hem is.

use std::collections::HashMap;

use glam::Vec3;
use rayon::prelude::*;

use super::body::{Body, Slot};
use super::nets::Net;
use super::solid::{gradient, onto_surface};

/// A mesh whose triangles have slots; corners in one place may have several normals.
#[derive(Debug, Clone, Default)]
pub(super) struct Layered {
    pub(super) positions: Vec<Vec3>,
    pub(super) normals: Vec<Vec3>,
    pub(super) triangles: Vec<[u32; 3]>,
    pub(super) slots: Vec<Slot>,
}

/// Undirected.
type Edge = (u32, u32);

fn edge(a: u32, b: u32) -> Edge {
    (a.min(b), a.max(b))
}

/// Replaces every triangle some of whose edges have a vertex on them by two to four.
fn split(triangles: &[[u32; 3]], on_edge: &HashMap<Edge, u32>) -> Vec<[u32; 3]> {
    let mut result = Vec::with_capacity(triangles.len() + on_edge.len() * 2);
    for &[a, b, c] in triangles {
        let on = |p: u32, q: u32| on_edge.get(&edge(p, q)).copied();
        match (on(a, b), on(b, c), on(c, a)) {
            (None, None, None) => result.push([a, b, c]),
            (Some(m), None, None) => result.extend([[a, m, c], [m, b, c]]),
            (None, Some(m), None) => result.extend([[b, m, a], [m, c, a]]),
            (None, None, Some(m)) => result.extend([[c, m, b], [m, a, b]]),
            // The corner between the two split edges, and the quadrilateral that is left.
            (Some(m), Some(n), None) => result.extend([[m, b, n], [m, n, c], [m, c, a]]),
            (None, Some(m), Some(n)) => result.extend([[m, c, n], [m, n, a], [m, a, b]]),
            (Some(n), None, Some(m)) => result.extend([[m, a, n], [m, n, b], [m, b, c]]),
            (Some(ab), Some(bc), Some(ca)) => {
                result.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
            }
        }
    }
    result
}

/// Splits edges longer than `longest` says for their middle, some times over.
pub(super) fn refine(net: &mut Net, passes: usize, body: &Body, longest: impl Fn(Vec3) -> f32) {
    for _ in 0..passes {
        let mut on_edge: HashMap<Edge, u32> = HashMap::new();
        let first = net.positions.len();
        for &[a, b, c] in &net.triangles {
            for (p, q) in [(a, b), (b, c), (c, a)] {
                let (at, to) = (net.positions[p as usize], net.positions[q as usize]);
                let middle = (at + to) * 0.5;
                let limit = longest(middle);
                if at.distance_squared(to) > limit * limit && !on_edge.contains_key(&edge(p, q)) {
                    on_edge.insert(edge(p, q), net.positions.len() as u32);
                    net.positions.push(middle);
                }
            }
        }
        if on_edge.is_empty() {
            return;
        }
        net.triangles = split(&net.triangles, &on_edge);
        onto_envelope(&mut net.positions[first..], body, 2);
    }
}

/// Moves points to the envelope.
pub(super) fn onto_envelope(points: &mut [Vec3], body: &Body, steps: usize) {
    points
        .par_iter_mut()
        .for_each(|p| *p = onto_surface(|q| body.envelope(q), *p, steps, 0.008));
}

/// Cuts the net where slots change and gives every layer its own surface.
pub(super) fn into_layers(mut net: Net, body: &Body) -> Layered {
    let mut slot_of: Vec<Slot> = net.positions.par_iter().map(|p| body.slot(*p)).collect();
    // Which edges change slots, in the order they are met.
    let mut on_edge: HashMap<Edge, u32> = HashMap::new();
    let mut changing: Vec<Edge> = Vec::new();
    for &[a, b, c] in &net.triangles {
        for (p, q) in [(a, b), (b, c), (c, a)] {
            if slot_of[p as usize] != slot_of[q as usize] && !on_edge.contains_key(&edge(p, q)) {
                on_edge.insert(edge(p, q), (net.positions.len() + changing.len()) as u32);
                changing.push(edge(p, q));
            }
        }
    }
    let crossings: Vec<Vec3> = changing
        .par_iter()
        .map(|&(p, q)| {
            let slots = (slot_of[p as usize], slot_of[q as usize]);
            crossing(
                body,
                net.positions[p as usize],
                net.positions[q as usize],
                slots,
            )
        })
        .collect();
    let corners = net.positions.len();
    net.positions.extend(crossings);
    net.triangles = split(&net.triangles, &on_edge);
    let slots: Vec<Slot> = net
        .triangles
        .par_iter()
        .map(|triangle| {
            match triangle.iter().find(|v| (**v as usize) < corners) {
                Some(corner) => slot_of[*corner as usize],
                // In the middle of three slots.
                None => body.slot(
                    triangle
                        .iter()
                        .map(|v| net.positions[*v as usize])
                        .sum::<Vec3>()
                        / 3.0,
                ),
            }
        })
        .collect();
    slot_of.clear();
    layers(&net, &slots, body)
}

/// Where the slot changes between two points, the first change from `a` on.
fn crossing(body: &Body, a: Vec3, b: Vec3, slots: (Slot, Slot)) -> Vec3 {
    let (mut low, mut high) = (0.0_f32, 1.0_f32);
    for _ in 0..10 {
        let middle = (low + high) * 0.5;
        if body.slot(a.lerp(b, middle)) == slots.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut p = a.lerp(b, (low + high) * 0.5);
    if slots.0.is_solid_of_its_own() || slots.1.is_solid_of_its_own() {
        // The crease where the two solids meet.
        for _ in 0..4 {
            p = onto_surface(|q| body.layer(slots.0, q), p, 1, 0.004);
            p = onto_surface(|q| body.layer(slots.1, q), p, 1, 0.004);
        }
    }
    p
}

/// Copies of a vertex closer than this, metres, are one: that border has no hem.
const WELD: f32 = 1.2e-3;

/// A vertex of the cut net on one layer.
type Copy = (u32, Slot);

fn layers(net: &Net, slots: &[Slot], body: &Body) -> Layered {
    // The slots at each vertex.
    let mut copies: Vec<Copy> = net
        .triangles
        .iter()
        .zip(slots)
        .flat_map(|(triangle, slot)| triangle.map(|v| (v, *slot)))
        .collect();
    copies.sort_unstable();
    copies.dedup();
    let mut count = vec![0_u8; net.positions.len()];
    for (vertex, _) in &copies {
        count[*vertex as usize] += 1;
    }
    let placed: Vec<(Vec3, Vec3)> = copies
        .par_iter()
        .map(|&(vertex, slot)| {
            let at = net.positions[vertex as usize];
            let on_layer = |q: Vec3| body.layer(slot, q);
            // Three layers that meet share one place, or their hems would leave a hole.
            let p = if count[vertex as usize] > 2 {
                at
            } else {
                onto_surface(on_layer, at, 3, 0.012)
            };
            let (_, slope) = gradient(on_layer, p, 1e-3);
            (p, slope.normalize_or(Vec3::Z))
        })
        .collect();
    let mut layered = Layered {
        positions: placed.iter().map(|(p, _)| *p).collect(),
        normals: placed.iter().map(|(_, n)| *n).collect(),
        ..Layered::default()
    };
    for pair in 1..copies.len() {
        let (a, b) = (copies[pair - 1], copies[pair]);
        if a.0 == b.0 && layered.positions[pair].distance(layered.positions[pair - 1]) < WELD {
            layered.positions[pair] = layered.positions[pair - 1];
        }
    }
    let copy = |v: u32, slot: Slot| {
        // Present: the list was made from the same triangles.
        copies.binary_search(&(v, slot)).unwrap_or(0) as u32
    };
    let mut side: HashMap<(u32, u32), Slot> = HashMap::new();
    for (&[a, b, c], slot) in net.triangles.iter().zip(slots) {
        layered
            .triangles
            .push([copy(a, *slot), copy(b, *slot), copy(c, *slot)]);
        layered.slots.push(*slot);
        for directed in [(a, b), (b, c), (c, a)] {
            side.insert(directed, *slot);
        }
    }
    for (&[a, b, c], slot) in net.triangles.iter().zip(slots) {
        for (p, q) in [(a, b), (b, c), (c, a)] {
            let Some(other) = side.get(&(q, p)) else {
                continue;
            };
            // Once per border, in the material of the thicker layer (they are listed later).
            if other < slot {
                let quad = [
                    copy(q, *slot),
                    copy(p, *slot),
                    copy(p, *other),
                    copy(q, *other),
                ];
                layered.hem(quad, *slot);
            }
        }
    }
    layered
}

impl Layered {
    /// The narrow face of a hem, with normals of its own; nothing where the layers are one.
    fn hem(&mut self, quad: [u32; 4], slot: Slot) {
        let [a, b, c, d] = quad.map(|v| self.positions[v as usize]);
        let normal = (c - a).cross(d - b).normalize_or_zero();
        for corners in [[a, b, c], [a, c, d]] {
            let [p, q, r] = corners;
            if p == q || q == r || r == p {
                continue;
            }
            let first = self.positions.len() as u32;
            self.positions.extend(corners);
            self.normals.extend([normal; 3]);
            self.triangles.push([first, first + 1, first + 2]);
            self.slots.push(slot);
        }
    }
}
