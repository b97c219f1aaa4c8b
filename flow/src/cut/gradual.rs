//! Dissolves and fades.

use super::ranges::Ranges;
use super::thumbnail::Thumbnail;
use super::{CutKind, LEAST_APART, LEAST_GRADUALLY_UNLIKE, LEAST_UNLIKE, STEPS, Transition};

/// Frames of a dissolve are mixtures of its ends but for this share of what the ends differ by: what moves
/// in the two shots. A camera that turns shows things that are in neither.
const LARGEST_REST: f32 = 0.15;
/// Frames between the ends that must be true mixtures…
const FEWEST_MIXED: usize = 3;
/// … with this much of both.
const LEAST_MIXED: f32 = 0.15;
/// How far the share of the second shot may fall back from one frame to the next.
const BACK: f32 = 0.03;
/// Frames on each side of an empty one in which shots are looked for.
const FADE: usize = 24;
/// Going away from an empty frame, contrast grows by this from frame to frame for as long as the fade lasts.
const DIMMER: f32 = 1.03;

/// Dissolves. The pictures have a mean of 0: light that changes is no other shot.
pub(super) fn dissolves(small: &[Thumbnail]) -> impl Iterator<Item = Transition> {
    (0..small.len()).filter_map(|start| {
        STEPS.into_iter().find_map(|length| {
            let end = start + length;
            let shots = [small.get(start)?, small.get(end)?];
            let apart = shots[0].difference(shots[1]);
            if apart < LEAST_APART || shots[0].unlike(shots[1]) < LEAST_GRADUALLY_UNLIKE {
                return None;
            }
            let mut last = 0.0_f32;
            let mut mixed = Vec::new();
            for (frame, picture) in small.iter().enumerate().take(end).skip(start + 1) {
                let (share, rest) = mixture(picture, shots);
                if rest > LARGEST_REST * apart || share < last - BACK {
                    return None;
                }
                if (LEAST_MIXED..=1.0 - LEAST_MIXED).contains(&share) {
                    mixed.push(frame);
                }
                last = share;
            }
            let (first, last) = (mixed.first()?, mixed.last()?);
            let at = mixed[mixed.len() / 2];
            if mixed.len() < FEWEST_MIXED || Ranges::of(shots[0]).are_moved_to(&small[at]) {
                return None;
            }
            // Where the share is less than that of a mixture it is more than none.
            let hidden = (LEAST_MIXED * mixed.len() as f32).ceil() as usize;
            Some(Transition {
                from: first.saturating_sub(1 + hidden).max(start),
                to: (last + 1 + hidden).min(end),
                at,
                kind: CutKind::Dissolve,
            })
        })
    })
}

/// The share of the second picture in the mixture that `picture` is nearest to, and the mean difference
/// from it, levels.
fn mixture(picture: &Thumbnail, [first, second]: [&Thumbnail; 2]) -> (f32, f32) {
    let (mut along, mut whole) = (0.0_f32, 0.0_f32);
    for ((x, a), b) in picture.0.iter().zip(&first.0).zip(&second.0) {
        along += (x - a) * (b - a);
        whole += (b - a) * (b - a);
    }
    let share = (along / whole).clamp(0.0, 1.0);
    let mixed = (first.0.iter().zip(&second.0))
        .map(|(a, b)| a + (b - a) * share)
        .collect();
    (share, picture.difference(&Thumbnail(mixed)))
}

/// Fades: frames without structure between shots of different structure.
pub(super) fn fades(small: &[Thumbnail]) -> impl Iterator<Item = Transition> {
    let flat: Vec<bool> = small.iter().map(Thumbnail::is_flat).collect();
    (1..small.len()).filter_map(move |at| {
        let shown = |range: std::ops::Range<usize>| range.filter(|frame| !flat[*frame]);
        let around = at.saturating_sub(FADE)..(at + FADE).min(small.len());
        let first = shown(around.start..at).next()?;
        let last = shown(at + 1..around.end).next_back()?;
        if !flat[at] || small[first].unlike(&small[last]) < LEAST_UNLIKE {
            return None;
        }
        let grows = |from: usize, to: usize| {
            small[to].is_flat() || small[to].contrast() > DIMMER * small[from].contrast()
        };
        let mut from = at;
        while from > around.start && grows(from, from - 1) {
            from -= 1;
        }
        let mut to = at;
        while to + 1 < around.end && grows(to, to + 1) {
            to += 1;
        }
        Some(Transition {
            from,
            to,
            at,
            kind: CutKind::Fade,
        })
    })
}
