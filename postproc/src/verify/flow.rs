//! Laws of optical flow on frames rendered again.

use diorama_synth::frame::{Frame, Labels};
use diorama_synth::shot::Shot;
use glam::{DVec2, DVec3, Vec2};

use crate::camera::{Projection, world_from_local};

/// Largest distance, px, between the flow of a frame and what poses, camera and depth say, over both
/// directions and all pixels whose point is in front of the camera at both times. Objects are rigid.
pub(super) fn against_pose_and_depth(shot: &Shot, frame: &Frame) -> f64 {
    let labels = &frame.labels;
    let width = labels.instance.width as usize;
    let now = i64::from(frame.index);
    let camera = &shot.cameras[0];
    let here = Projection::of(camera, now, shot.resolution);
    let mut worst: f64 = 0.0;
    for (step, flow) in [(1, &labels.flow_forward), (-1, &labels.flow_backward)] {
        let there = Projection::of(camera, now + step, shot.resolution);
        // Per object: where a point of the world of this frame is one step later. Of what bends, poses do
        // not say it.
        let moved: Vec<(u32, Option<glam::DMat4>)> = shot
            .objects
            .iter()
            .map(|object| {
                let from = world_from_local(object.pose.at(now));
                let to = world_from_local(object.pose.at(now + step));
                let is_stiff = object.body.is_none();
                (object.id, is_stiff.then(|| to * from.inverse()))
            })
            .collect();
        for (index, flow) in flow.data.iter().enumerate() {
            if !flow.is_finite() {
                continue;
            }
            let pixel = DVec2::new((index % width) as f64 + 0.5, (index / width) as f64 + 0.5);
            let id = labels.instance.data[index];
            let depth = f64::from(labels.depth.data[index]);
            let target = if id == 0 || !depth.is_finite() {
                // At infinity: moved by the camera's rotation alone.
                let direction = here.direction_in_world(pixel);
                let origin = there.world_from_camera.transform_point3(DVec3::ZERO);
                there.pixel_from_world(origin + direction)
            } else {
                let Ok(object) = moved.binary_search_by_key(&id, |(id, _)| *id) else {
                    return f64::INFINITY; // The picture shows an object that the Shot does not have.
                };
                let Some(step) = moved[object].1 else {
                    continue;
                };
                let point = here.world_from_pixel(pixel, depth);
                there.pixel_from_world(step.transform_point3(point))
            };
            if let Some((target, _)) = target {
                worst = worst.max((target - pixel).distance(flow.as_dvec2()));
            }
        }
    }
    worst
}

/// What following the forward flow into the next frame shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct FollowedFlow {
    /// Share of the tested points that land on another object.
    pub(super) wrong_id_share: f64,
    /// 99th percentile of |forward + backward there|, px.
    pub(super) round_trip_p99: f64,
}

/// Follows every point that the frame calls visible in the next one. Only points that land where
/// four neighbouring pixel centres show one object are tested: elsewhere a pixel's id says nothing
/// about the places between centres. `None` when there is none.
pub(super) fn follow(frame: &Frame, next: &Frame) -> Option<FollowedFlow> {
    let (from, to) = (&frame.labels, &next.labels);
    let width = from.instance.width as usize;
    let mut tested = 0u64;
    let mut wrong = 0u64;
    let mut round_trips: Vec<f32> = Vec::new();
    for (index, flow) in from.flow_forward.data.iter().enumerate() {
        if from.occlusion.data[index] & 1 != 0 || !flow.is_finite() {
            continue;
        }
        let pixel = Vec2::new((index % width) as f32 + 0.5, (index / width) as f32 + 0.5);
        let Some((id, backward)) = sample_between(to, pixel + *flow) else {
            continue;
        };
        tested += 1;
        if id == from.instance.data[index] {
            round_trips.push((*flow + backward).length());
        } else {
            wrong += 1;
        }
    }
    if tested == 0 {
        return None;
    }
    round_trips.sort_by(f32::total_cmp);
    let at = (round_trips.len() * 99 / 100).min(round_trips.len().saturating_sub(1));
    Some(FollowedFlow {
        wrong_id_share: wrong as f64 / tested as f64,
        round_trip_p99: round_trips.get(at).map_or(0.0, |v| f64::from(*v)),
    })
}

/// Id, and bilinear backward flow, at a place between four pixel centres that show one object.
fn sample_between(labels: &Labels, place: Vec2) -> Option<(u32, Vec2)> {
    let corner = place - 0.5;
    let base = corner.floor();
    let (width, height) = (labels.instance.width, labels.instance.height);
    // The comparison also refuses NaN.
    let is_inside = base.x >= 0.0
        && base.y >= 0.0
        && base.x + 1.0 < width as f32
        && base.y + 1.0 < height as f32;
    if !is_inside {
        return None;
    }
    let (x, y) = (base.x as u32, base.y as u32);
    let indices =
        [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)].map(|(x, y)| labels.instance.index(x, y));
    let id = labels.instance.data[indices[0]];
    if indices.iter().any(|i| labels.instance.data[*i] != id) {
        return None;
    }
    let [a, b, c, d] = indices.map(|i| labels.flow_backward.data[i]);
    let t = corner - base;
    let backward = a.lerp(b, t.x).lerp(c.lerp(d, t.x), t.y);
    backward.is_finite().then_some((id, backward))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn analytic_flow_keeps_every_law() {
        let shot = testing::one_tuple_shot();
        let (frame, next) = (testing::frame(&shot, 1), testing::frame(&shot, 2));
        assert!(against_pose_and_depth(&shot, &frame) < 1e-3);
        let followed = follow(&frame, &next).unwrap();
        assert!(followed.wrong_id_share < 0.01, "{followed:?}");
        assert!(followed.round_trip_p99 < 0.05, "{followed:?}");
    }

    #[test]
    fn planted_faults_of_flow_are_found() {
        let shot = testing::one_tuple_shot();
        let (mut frame, next) = (testing::frame(&shot, 1), testing::frame(&shot, 2));
        frame.labels.flow_backward.data[200].x += 0.2;
        assert!(against_pose_and_depth(&shot, &frame) > 0.19);
        // Flow of half a pixel's error everywhere (the classic centre mistake).
        for flow in &mut frame.labels.flow_forward.data {
            *flow += Vec2::splat(4.0);
        }
        let followed = follow(&frame, &next).unwrap();
        assert!(
            followed.round_trip_p99 > 3.0 && followed.wrong_id_share > 0.01,
            "{followed:?}"
        );
    }
}
