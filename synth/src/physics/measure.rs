//! How good a simulation is: what is inside what, and what rests on what.

use glam::Vec3;

use super::simulate::{Motion, TOUCH_DISTANCE};
use super::{Body, BodyShape};
use crate::shot::Pose;

impl Body {
    /// Its shape at `pose`, or its limbs after `frame` frames of their ways.
    fn parts(&self, pose: &Pose, frame: usize) -> Vec<(&BodyShape, Pose)> {
        match &self.motion {
            Motion::Led(led) if !led.limbs.is_empty() => {
                let limbs = led.limbs.iter();
                let at = |way: &[Pose]| way.get(frame).or(way.last()).copied();
                limbs
                    .map(|limb| (&limb.shape, at(&limb.way).unwrap_or(*pose)))
                    .collect()
            }
            _ => vec![(&self.shape, *pose)],
        }
    }

    /// As [`BodyShape::distance`], from limb to limb; `frame` counts the frames that those of somebody who
    /// moves are on their way.
    pub fn distance(
        &self,
        pose: &Pose,
        other: &Self,
        other_pose: &Pose,
        frame: usize,
        reach: f32,
    ) -> Option<(f32, Vec3)> {
        let theirs = other.parts(other_pose, frame);
        let mut nearest: Option<(f32, Vec3)> = None;
        for (shape, pose) in self.parts(pose, frame) {
            for (other_shape, other_pose) in &theirs {
                let found = shape.distance(&pose, other_shape, other_pose, reach);
                nearest = match (nearest, found) {
                    (Some(a), Some(b)) if a.0 <= b.0 => Some(a),
                    (known, found) => found.or(known),
                };
            }
        }
        nearest
    }
}

/// Depth, metres, by which each body is inside any other at these poses (one per body), after `frame` frames;
/// 0: free.
pub fn penetrations(bodies: &[Body], poses: &[Pose], frame: usize) -> Vec<f32> {
    let mut depths = vec![0.0f32; bodies.len()];
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            if !bodies[i].is_dynamic() && !bodies[j].is_dynamic() {
                continue;
            }
            if let Some((distance, _)) =
                bodies[i].distance(&poses[i], &bodies[j], &poses[j], frame, 0.0)
            {
                let depth = (-distance).max(0.0);
                depths[i] = depths[i].max(depth);
                depths[j] = depths[j].max(depth);
            }
        }
    }
    depths
}

/// Distance, metres, of each body to the nearest other one at these poses, at the start (0: touching or
/// inside); `None`: nothing within `reach`.
pub fn gaps(bodies: &[Body], poses: &[Pose], reach: f32) -> Vec<Option<f32>> {
    (0..bodies.len())
        .map(|i| {
            (0..bodies.len())
                .filter(|j| *j != i)
                .filter_map(|j| bodies[i].distance(&poses[i], &bodies[j], &poses[j], 0, reach))
                .map(|(distance, _)| distance.max(0.0))
                .min_by(f32::total_cmp)
        })
        .collect()
}

/// Pairs (indices, ascending) of bodies that touch at these poses, at the start, at least one of them movable.
pub fn touching(bodies: &[Body], poses: &[Pose]) -> Vec<([usize; 2], Vec3)> {
    let mut pairs = Vec::new();
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            if !bodies[i].is_dynamic() && !bodies[j].is_dynamic() {
                continue;
            }
            if let Some((_, point)) =
                bodies[i].distance(&poses[i], &bodies[j], &poses[j], 0, TOUCH_DISTANCE)
            {
                pairs.push(([i, j], point));
            }
        }
    }
    pairs
}
