//! How good a simulation is: what is inside what, and what rests on what.

use super::Body;
use super::simulate::TOUCH_DISTANCE;
use crate::shot::Pose;

/// Depth, metres, by which each body is inside any other at these poses (one per body); 0: free.
pub fn penetrations(bodies: &[Body], poses: &[Pose]) -> Vec<f32> {
    let mut depths = vec![0.0f32; bodies.len()];
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            if !bodies[i].is_dynamic() && !bodies[j].is_dynamic() {
                continue;
            }
            if let Some((distance, _)) =
                bodies[i]
                    .shape
                    .distance(&poses[i], &bodies[j].shape, &poses[j], 0.0)
            {
                let depth = (-distance).max(0.0);
                depths[i] = depths[i].max(depth);
                depths[j] = depths[j].max(depth);
            }
        }
    }
    depths
}

/// Distance, metres, of each body to the nearest other one at these poses (0: touching or inside);
/// `None`: nothing within `reach`.
pub fn gaps(bodies: &[Body], poses: &[Pose], reach: f32) -> Vec<Option<f32>> {
    (0..bodies.len())
        .map(|i| {
            (0..bodies.len())
                .filter(|j| *j != i)
                .filter_map(|j| {
                    bodies[i]
                        .shape
                        .distance(&poses[i], &bodies[j].shape, &poses[j], reach)
                })
                .map(|(distance, _)| distance.max(0.0))
                .min_by(f32::total_cmp)
        })
        .collect()
}

/// Pairs (indices, ascending) of bodies that touch at these poses, at least one of them movable.
pub fn touching(bodies: &[Body], poses: &[Pose]) -> Vec<([usize; 2], glam::Vec3)> {
    let mut pairs = Vec::new();
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            if !bodies[i].is_dynamic() && !bodies[j].is_dynamic() {
                continue;
            }
            if let Some((_, point)) =
                bodies[i]
                    .shape
                    .distance(&poses[i], &bodies[j].shape, &poses[j], TOUCH_DISTANCE)
            {
                pairs.push(([i, j], point));
            }
        }
    }
    pairs
}
