//! Cuts: where one shot ends and another begins.

use crate::plane::Luma;

/// The first frame of another shot, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// 0-based; the cut is before it.
    pub frame: usize,
    /// Mean difference of the small pictures over what the frames around differ by.
    pub strength: f32,
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

/// The first hard cut of a clip, if there is one: a frame that differs from the one before as no frames
/// around it differ, in brightness or in structure. Dissolves are not found; they end tracks instead.
pub fn find_cut(frames: &[Luma]) -> Option<Cut> {
    let small: Vec<Vec<f32>> = frames.iter().map(shrink).collect();
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
        is_cut.then_some(Cut {
            frame: at + 1,
            strength,
        })
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
    // Flat pictures (a fade through black) have no structure to differ in.
    if aa.min(bb) < count {
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
        assert_eq!(find_cut(&frames).map(|cut| cut.frame), Some(7));
        assert_eq!(find_cut(&frames[..7]), None);
        assert_eq!(find_cut(&frames[7..8]), None);
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
