//! Cuts, dissolves and fades: where one shot ends and another begins.

use crate::plane::Luma;

/// How one shot becomes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// From one frame to the next.
    Hard,
    /// Both are seen at once for a time.
    Dissolve,
    /// Nothing is seen for a time.
    Fade,
}

/// Where another shot begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// 0-based; the cut is before it, the middle of a dissolve or fade at it.
    pub frame: usize,
    /// How it begins.
    pub kind: CutKind,
}

/// Sides of the small pictures that are compared, pixels.
const SMALL: [usize; 2] = [36, 24];
/// Mean difference, levels, below which nothing is a cut: the same shot under changing light.
const LEAST_DIFFERENCE: f32 = 12.0;
/// How often the difference must be that of the frames around. Fast camera moves differ all the time, a
/// cut only once.
const LEAST_STRENGTH: f32 = 4.0;
/// Frames around on each side.
const AROUND: usize = 4;
/// Levels of the histograms are put into this many bins.
const BINS: usize = 32;
/// Least share of the structure that goes at a cut: 1 − correlation of the small pictures…
const LEAST_UNLIKE: f32 = 0.45;
/// … or this, where brightness changes as well: light alone changes no structure…
const LEAST_CHANGED: f32 = 0.15;
/// … in this share of the picture.
const LEAST_MOVED: f32 = 0.16;

/// Lengths of dissolves that are looked for, steps from frame to frame.
const DISSOLVES: [usize; 8] = [4, 6, 8, 12, 16, 20, 24, 32];
/// Frames of a dissolve are mixtures of its ends but for this share of what the ends differ by: what moves
/// in the two shots. A camera that turns shows things that are in neither.
const LARGEST_REST: f32 = 0.15;
/// Mean difference between the ends, levels, brightness apart: light that changes is no other shot.
const LEAST_APART: f32 = 10.0;
/// Frames between the ends that must be true mixtures…
const FEWEST_MIXED: usize = 3;
/// … with this much of both.
const LEAST_MIXED: f32 = 0.15;
/// How far the share of the second shot may fall back from one frame to the next.
const BACK: f32 = 0.03;
/// Frames on each side of an empty one in which shots are looked for.
const FADE: usize = 24;

/// The first place where a clip is no longer the shot that it was, if there is one.
///
/// - A hard cut: a frame differs from the one before as no frames around it differ, in brightness or in
///   structure.
/// - A dissolve: two frames of different structure, and all between them are mixtures of the two with more
///   and more of the second.
/// - A fade: frames without structure (black, white), and different structure before and after them.
///
/// Wipes are not found; they end tracks instead.
pub fn find_cut(frames: &[Luma]) -> Option<Cut> {
    let small: Vec<Vec<f32>> = frames.iter().map(shrink).collect();
    let found = |kind: CutKind, frame: Option<usize>| frame.map(|frame| Cut { frame, kind });
    [
        found(CutKind::Hard, hard_cut(&small)),
        found(CutKind::Dissolve, dissolve(&without_brightness(&small))),
        found(CutKind::Fade, fade(&small)),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|cut| cut.frame)
}

/// The pictures with a mean of 0.
fn without_brightness(small: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let levelled = |picture: &Vec<f32>| {
        let mean = picture.iter().sum::<f32>() / picture.len() as f32;
        picture.iter().map(|v| v - mean).collect()
    };
    small.iter().map(levelled).collect()
}

/// The middle of the first dissolve.
fn dissolve(small: &[Vec<f32>]) -> Option<usize> {
    (0..small.len()).find_map(|start| {
        DISSOLVES.into_iter().find_map(|length| {
            let end = start + length;
            let shots = [small.get(start)?, small.get(end)?];
            let apart = difference(shots[0], shots[1]);
            if apart < LEAST_APART || unlike(shots[0], shots[1]) < LEAST_UNLIKE {
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
            (mixed.len() >= FEWEST_MIXED).then(|| mixed[mixed.len() / 2])
        })
    })
}

/// The share of the second picture in the mixture that `picture` is nearest to, and the mean difference
/// from it, levels.
fn mixture(picture: &[f32], [first, second]: [&Vec<f32>; 2]) -> (f32, f32) {
    let (mut along, mut whole) = (0.0_f32, 0.0_f32);
    for ((x, a), b) in picture.iter().zip(first).zip(second) {
        along += (x - a) * (b - a);
        whole += (b - a) * (b - a);
    }
    let share = (along / whole).clamp(0.0, 1.0);
    let mixed: Vec<f32> = (first.iter().zip(second))
        .map(|(a, b)| a + (b - a) * share)
        .collect();
    (share, difference(picture, &mixed))
}

/// The first frame without structure between shots of different structure.
fn fade(small: &[Vec<f32>]) -> Option<usize> {
    let flat: Vec<bool> = small.iter().map(|picture| is_flat(picture)).collect();
    (1..small.len()).find(|at| {
        let shown = |range: std::ops::Range<usize>| range.filter(|frame| !flat[*frame]);
        let before = shown(at.saturating_sub(FADE)..*at).next();
        let after = shown(*at + 1..(at + FADE).min(small.len())).next_back();
        flat[*at]
            && before.zip(after).is_some_and(|(before, after)| {
                unlike(&small[before], &small[after]) >= LEAST_UNLIKE
            })
    })
}

/// The first frame after a hard cut.
fn hard_cut(small: &[Vec<f32>]) -> Option<usize> {
    let steps: Vec<f32> = small
        .windows(2)
        .map(|pair| difference(&pair[0], &pair[1]))
        .collect();
    (0..steps.len()).find_map(|at| {
        let around =
            (at.saturating_sub(AROUND)..=(at + AROUND).min(steps.len() - 1)).filter(|i| *i != at);
        let usual = around.map(|i| steps[i]).fold(0.0, f32::max);
        let strength = steps[at] / usual.max(1.0);
        let [before, after] = [&small[at], &small[at + 1]];
        let is_cut = steps[at] >= LEAST_DIFFERENCE
            && (strength >= LEAST_STRENGTH
                || (strength >= 1.5 && unlike(before, after) >= 2.0 * LEAST_UNLIKE))
            && (unlike(before, after) >= LEAST_UNLIKE
                || (unlike(before, after) >= LEAST_CHANGED && moved(before, after) >= LEAST_MOVED));
        is_cut.then_some(at + 1)
    })
}

/// Means over equal boxes.
fn shrink(picture: &Luma) -> Vec<f32> {
    let [columns, rows] = SMALL;
    let bounds = |index: usize, count: usize, size: usize| {
        let (from, to) = (index * size / count, (index + 1) * size / count);
        from.min(size - 1)..to.max(from + 1).min(size)
    };
    let mut small = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (mut sum, mut count) = (0.0, 0.0);
            for y in bounds(row, rows, picture.height) {
                for x in bounds(column, columns, picture.width) {
                    sum += picture.data[y * picture.width + x];
                    count += 1.0;
                }
            }
            small.push(sum / count);
        }
    }
    small
}

/// Mean absolute difference, levels.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
    sum / a.len() as f32
}

/// Share of the pixels whose brightness is in another bin, whatever their place.
fn moved(a: &[f32], b: &[f32]) -> f32 {
    let histogram = |values: &[f32]| {
        let mut bins = [0.0f32; BINS];
        for value in values {
            bins[((value / 256.0 * BINS as f32) as usize).min(BINS - 1)] += 1.0;
        }
        bins
    };
    let (a_bins, b_bins) = (histogram(a), histogram(b));
    let sum: f32 = a_bins.iter().zip(&b_bins).map(|(a, b)| (a - b).abs()).sum();
    0.5 * sum / a.len() as f32
}

/// Has the picture no structure to differ in (black, white)?
fn is_flat(picture: &[f32]) -> bool {
    let count = picture.len() as f32;
    let mean = picture.iter().sum::<f32>() / count;
    picture.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() < count
}

/// 1 − correlation: 0 for the same picture, however bright, 1 for another.
fn unlike(a: &[f32], b: &[f32]) -> f32 {
    let count = a.len() as f32;
    let mean = |values: &[f32]| values.iter().sum::<f32>() / count;
    let (ma, mb) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0f32, 0.0f32, 0.0f32);
    for (x, y) in a.iter().zip(b) {
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
        ab += (x - ma) * (y - mb);
    }
    if is_flat(a) || is_flat(b) {
        return 0.0;
    }
    1.0 - ab / (aa * bb).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, moved_texture};

    #[test]
    fn a_cut_is_found_at_its_frame() {
        let (one, other) = (Texture::new(1), Texture::new(2));
        let frames: Vec<Luma> = (0..12)
            .map(|f| {
                let texture = if f < 7 { one } else { other };
                moved_texture(texture, 96, 64, f as f32 * 1.5, 0.0)
            })
            .collect();
        let cut = Cut {
            frame: 7,
            kind: CutKind::Hard,
        };
        assert_eq!(find_cut(&frames), Some(cut));
        assert_eq!(find_cut(&frames[..7]), None);
        assert_eq!(find_cut(&frames[7..8]), None);
    }

    /// Two moving shots, the second with the share that `share` says of frame f.
    fn mixed(share: impl Fn(usize) -> f32, light: impl Fn(usize) -> f32) -> Vec<Luma> {
        (0..30)
            .map(|f| {
                let (way, share, light) = (f as f32 * 0.15, share(f), light(f));
                let mut picture = moved_texture(Texture::new(4), 96, 64, way, 0.0);
                let other = moved_texture(Texture::new(5), 96, 64, 0.0, way);
                for (a, b) in picture.data.iter_mut().zip(&other.data) {
                    *a = (*a * (1.0 - share) + b * share) * light;
                }
                picture
            })
            .collect()
    }

    #[test]
    fn dissolves_and_fades_are_found_at_their_middle() {
        let ramp =
            |from: f32, to: f32| move |f: usize| ((f as f32 - from) / (to - from)).clamp(0.0, 1.0);
        for (from, to) in [(8.0, 14.0), (8.0, 22.0), (4.0, 26.0)] {
            let cut = find_cut(&mixed(ramp(from, to), |_| 1.0)).unwrap();
            assert_eq!(cut.kind, CutKind::Dissolve);
            let middle = (from + to) * 0.5;
            assert!(
                (cut.frame as f32 - middle).abs() <= 4.0,
                "{cut:?} of {from} to {to}"
            );
        }
        // Through black, and only to it.
        let dip = |f: usize| ((f as f32 - 15.0).abs() - 1.0).clamp(0.0, 6.0) / 6.0;
        let cut = find_cut(&mixed(|f| f32::from(f > 15), dip)).unwrap();
        assert_ne!(cut.kind, CutKind::Hard);
        assert!((9..=21).contains(&cut.frame), "{cut:?}");
        assert_eq!(find_cut(&mixed(|_| 0.0, dip)), None);
    }

    #[test]
    fn fast_motion_and_changing_light_are_no_cuts() {
        let texture = Texture::new(3);
        let panned: Vec<Luma> = (0..12)
            .map(|f| moved_texture(texture, 96, 64, f as f32 * 9.0, 0.0))
            .collect();
        assert_eq!(find_cut(&panned), None);
        let darkened: Vec<Luma> = (0..12)
            .map(|f| {
                let mut picture = moved_texture(texture, 96, 64, 0.0, 0.0);
                let light = if f < 6 { 1.0 } else { 0.8 };
                for v in &mut picture.data {
                    *v *= light;
                }
                picture
            })
            .collect();
        assert_eq!(find_cut(&darkened), None);
    }
}
