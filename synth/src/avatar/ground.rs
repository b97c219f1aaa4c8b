//! Feet on the floor, frame by frame.
//!
//! Motions are not exact to a centimetre: recorded feet hover by a few, and a foot of another shape is lower
//! at the heel or the toes than the one that the motion was made for. So whoever is not in the air is
//! lowered or lifted until the lowest point of the body touches the floor; whoever is goes up and comes down
//! from there.

use diorama_assets::retarget::Retargeted;
use diorama_assets::rig::BodyPose;
use diorama_assets::{Motion, Rig};

use super::performer::SweptBox;

/// Most that somebody who stands is above the lowest point of the clip, metres: higher is no error of the
/// motion, nor of a foot of another shape (the large shoes of a cartoon).
const HOVER: f32 = 0.2;
/// Somebody who is higher than this, metres, and higher still and falling one frame on or before is about
/// to fly or to land: legs push until the hips have their speed.
const LEAVING: f32 = 0.025;
/// Acceleration of the hips, m/s², from which on downward they fall: 9.8 in free flight, less where arms and
/// legs swing against them; walking hips stay well below.
const FALLING: f32 = -5.0;
/// Seconds between the three heights that make an acceleration: shorter ones measure noise.
const STEP_SECS: f32 = 1.0 / 15.0;

/// Is the body in free flight at each of `times` (seconds of what is shown)? The motion itself knows:
/// hips that were lowered for shorter legs fall like nobody's.
pub(crate) fn in_flight(
    motion: &Motion,
    performed: &Retargeted,
    times: impl Iterator<Item = f64>,
) -> Vec<bool> {
    let skeleton = Rig {
        joints: motion.joints.clone(),
        ..Rig::default()
    };
    let hips = performed.matched[performed.root].map_or(0, usize::from);
    let heights: Vec<f32> = (motion.frames.iter())
        .map(|frame| skeleton.pose(frame).joints[hips].translation.z)
        .collect();
    let Some(last) = heights.len().checked_sub(1) else {
        return times.map(|_| false).collect();
    };
    let step = ((motion.rate_hz * STEP_SECS).round() as usize).max(1);
    let step_secs = step as f32 / motion.rate_hz;
    times
        .map(|time| {
            let at = performed.take_time(time as f32) * motion.rate_hz;
            let at = (at.round() as usize).min(last);
            let (before, after) = (at.saturating_sub(step), (at + step).min(last));
            let bend = heights[before] - 2.0 * heights[at] + heights[after];
            bend / (step_secs * step_secs) <= FALLING
        })
        .collect()
}

/// Shifts poses up or down so that those that stand do so at z = 0, and none is below. `boxes` are around
/// them, in the model's own size, and are shifted alike.
pub(crate) fn stand(
    bodies: &mut [BodyPose],
    boxes: &mut [SweptBox],
    in_flight: &[bool],
    scale: f32,
) {
    let lows: Vec<f32> = boxes.iter().map(|around| around.low.z).collect();
    let lowest = lows.iter().copied().fold(f32::INFINITY, f32::min);
    let leaves = |frame: usize| {
        let beside = [frame.checked_sub(1), Some(frame + 1)];
        let mut beside = beside.into_iter().flatten().filter(|at| *at < lows.len());
        beside.any(|other| in_flight[other] && lows[other] > lows[frame])
    };
    // The lowest of all stands, whatever its hips do.
    let stands = |frame: usize| {
        let above = (lows[frame] - lowest) * scale;
        let flies = in_flight[frame] || (above > LEAVING && leaves(frame));
        above <= 0.0 || (above <= HOVER && !flies)
    };
    let standing: Vec<usize> = (0..lows.len()).filter(|frame| stands(*frame)).collect();
    for (frame, (body, around)) in bodies.iter_mut().zip(boxes).enumerate() {
        let next = standing.partition_point(|known| *known < frame);
        let between = match (
            next.checked_sub(1).map(|at| standing[at]),
            standing.get(next),
        ) {
            (Some(from), Some(to)) => {
                let share = (frame - from) as f32 / (to - from) as f32;
                lows[from] + (lows[*to] - lows[from]) * share
            }
            (Some(only), None) => lows[only],
            (None, Some(only)) => lows[*only],
            (None, None) => 0.0,
        };
        let shift = between.min(lows[frame]);
        for joint in &mut body.joints {
            joint.translation.z -= shift;
        }
        around.low.z -= shift;
        around.high.z -= shift;
    }
}

#[cfg(test)]
mod tests {
    use glam::{Affine3A, Vec3};

    use super::*;

    #[test]
    fn who_stands_touches_the_floor_and_who_jumps_leaves_it() {
        // Hovers, lands, jumps by 30 cm, and stands in the floor.
        let lows = [0.03, 0.02, 0.0, 0.15, 0.31, 0.12, 0.02, 0.05];
        let in_flight = [false, false, false, true, true, true, false, true];
        let mut bodies = vec![
            BodyPose {
                joints: vec![Affine3A::IDENTITY],
                morph_weights: vec![],
            };
            lows.len()
        ];
        let mut boxes = lows.map(|low| SweptBox {
            low: Vec3::Z * (low - 0.5),
            high: Vec3::Z,
        });
        stand(&mut bodies, &mut boxes, &in_flight, 1.0);
        let expected = [0.0, 0.0, 0.0, 0.145, 0.30, 0.105, 0.0, 0.03];
        for ((around, body), (low, expected)) in
            boxes.iter().zip(&bodies).zip(lows.iter().zip(expected))
        {
            assert!((around.low.z - expected).abs() < 1e-6, "{boxes:?}");
            let moved = body.joints[0].translation.z;
            assert!((low - 0.5 + moved - expected).abs() < 1e-6);
        }
    }
}
