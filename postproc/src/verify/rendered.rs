//! Laws on frames rendered again, and what they let the decoded videos be compared with.

use std::collections::BTreeMap;

use diorama_synth::frame::Frame;
use diorama_synth::shot::Shot;

use super::report::{SampleFindings, laws};
use super::{Rerender, flow};
use crate::effect;
use crate::mask;
use crate::sample_json::SampleJson;
use crate::tuple::Tuple;

/// Distance, px, from touched pixels beyond which the decoded pair must agree.
pub(super) const MARGIN_PX: u32 = 8;

/// What the decoded videos must show in one frame.
#[derive(Debug)]
pub(super) struct Expected {
    /// RGB.
    pub(super) full: Vec<u8>,
    /// RGB.
    pub(super) removed: Vec<u8>,
    /// Mask values.
    pub(super) mask: Vec<u8>,
    /// 0 or 255.
    pub(super) effect_mask: Vec<u8>,
    /// At most [`MARGIN_PX`] from a touched pixel.
    pub(super) near_touched: Vec<bool>,
}

/// The frames to render again: neighbours in pairs, spread over the clip, so that flow can be
/// followed. At most `count`, ascending.
pub(super) fn chosen_frames(frame_count: u32, count: u32) -> Vec<u32> {
    let pairs = count.div_ceil(2);
    let mut frames: Vec<u32> = (0..pairs)
        .flat_map(|pair| {
            let middle = (u64::from(frame_count) * (2 * u64::from(pair) + 1)
                / (2 * u64::from(pairs))) as u32;
            let first = middle.min(frame_count.saturating_sub(2));
            [first, (first + 1).min(frame_count - 1)]
        })
        .collect();
    frames.sort_unstable();
    frames.dedup();
    frames.truncate(count as usize);
    frames
}

/// Renders the chosen frames again and measures them. Returns what the videos must show.
pub(super) fn check(
    shot: &Shot,
    tuple: &Tuple,
    sample: &SampleJson,
    count: u32,
    rerender: &mut Rerender<'_>,
    findings: &mut SampleFindings,
) -> BTreeMap<u32, Expected> {
    let mut expected = BTreeMap::new();
    let mut previous: Option<Frame> = None;
    for index in chosen_frames(shot.frame_count, count) {
        let frame = match rerender(shot, sample, index) {
            Ok(frame) => frame,
            Err(reason) => {
                findings.check(laws::RENDERS, Some(format!("frame {index}: {reason}")));
                break;
            }
        };
        if let Err(error) = crate::sample::check_frame(shot, &frame, index) {
            findings.check(laws::RENDERS, Some(error.to_string()));
            break;
        }
        findings.check(laws::RENDERS, None);
        expected.insert(index, measure(shot, tuple, sample, &frame, findings));
        if let Some(before) = previous.filter(|before| before.index + 1 == index)
            && let Some(followed) = flow::follow(&before, &frame)
        {
            let at = Some(before.index);
            findings.measure(laws::TRACK, at, followed.wrong_id_share);
            findings.measure(laws::ROUND_TRIP, at, followed.round_trip_p99);
        }
        previous = Some(frame);
    }
    expected
}

fn measure(
    shot: &Shot,
    tuple: &Tuple,
    sample: &SampleJson,
    frame: &Frame,
    findings: &mut SampleFindings,
) -> Expected {
    let at = Some(frame.index);
    let [width, height] = shot.resolution;
    let (full, removed) = (&frame.worlds[0], &frame.worlds[tuple.world]);
    let touched = &removed.touched.data;

    let unequal = full
        .radiance
        .data
        .iter()
        .zip(&removed.radiance.data)
        .zip(touched)
        .filter(|((a, b), touched)| {
            // Bits, so that NaN equals itself and −0 does not equal 0.
            **touched == 0 && a.to_array().map(f32::to_bits) != b.to_array().map(f32::to_bits)
        })
        .count();
    findings.measure(laws::LINEAR_PAIR, at, unequal as f64);

    let near_touched = mask::within(touched, width, height, MARGIN_PX, |t| t != 0);
    let finished_unequal = full
        .display
        .data
        .iter()
        .zip(&removed.display.data)
        .zip(&near_touched)
        .filter(|((a, b), near)| !**near && a != b)
        .count();
    findings.measure(laws::FINISHED_PAIR, at, finished_unequal as f64);
    findings.measure(laws::FLOW, at, flow::against_pose_and_depth(shot, frame));

    if let Some(record) = sample.frames.get(frame.index as usize) {
        let mut residual = 0;
        for object in &record.objects {
            let ids = &frame.labels.instance;
            let truth = effect::box_of(&ids.data, ids.width, |id| id == object.id);
            residual = residual.max(box_distance(truth, object.box_2d, shot.resolution));
        }
        findings.measure(laws::BOX_IDS, at, f64::from(residual));
    }
    Expected {
        full: full.display.data.as_flattened().to_vec(),
        removed: removed.display.data.as_flattened().to_vec(),
        mask: mask::mask(frame, tuple, &sample.mask),
        effect_mask: effect::mask(&full.display, &removed.display),
        near_touched,
    }
}

/// Largest difference of a side, px; the picture's larger side when only one box is there.
pub(super) fn box_distance(a: Option<[u32; 4]>, b: Option<[u32; 4]>, resolution: [u32; 2]) -> u32 {
    match (a, b) {
        (None, None) => 0,
        (Some(a), Some(b)) => (0..4)
            .map(|side| a[side].abs_diff(b[side]))
            .max()
            .unwrap_or(0),
        _ => resolution[0].max(resolution[1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_neighbouring_pairs_inside_the_clip() {
        assert_eq!(chosen_frames(80, 2), [40, 41]);
        assert_eq!(chosen_frames(80, 4), [20, 21, 60, 61]);
        assert_eq!(chosen_frames(80, 3), [20, 21, 60]);
        assert_eq!(chosen_frames(80, 1), [40]);
        assert_eq!(chosen_frames(1, 2), [0]);
        assert_eq!(chosen_frames(2, 8), [0, 1]);
        assert!(chosen_frames(80, 0).is_empty());
    }

    #[test]
    fn boxes_are_compared_side_by_side() {
        let size = [64, 32];
        assert_eq!(
            box_distance(Some([1, 2, 3, 4]), Some([1, 2, 3, 4]), size),
            0
        );
        assert_eq!(
            box_distance(Some([1, 2, 3, 4]), Some([1, 7, 3, 4]), size),
            5
        );
        assert_eq!(box_distance(None, Some([1, 7, 3, 4]), size), 64);
    }
}
