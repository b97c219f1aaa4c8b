//! Pictures as small as shots are compared in.

use crate::plane::Luma;

/// Columns and rows.
pub(super) const SIZE: [usize; 2] = [36, 24];
/// Levels of the histograms are put into this many bins.
const BINS: usize = 32;
/// Levels below and above which a pixel says nothing of structure: it may be cut off.
const CUT_OFF: [f32; 2] = [6.0, 249.0];
/// Least share of the pixels that must say something.
const LEAST_SAYING: f32 = 0.2;

/// A picture of 36×24 means over equal boxes, levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail(pub(super) Vec<f32>);

impl Thumbnail {
    /// The thumbnail of a picture.
    pub fn of(picture: &Luma) -> Self {
        let [columns, rows] = SIZE;
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
        Self(small)
    }

    fn mean(&self) -> f32 {
        self.0.iter().sum::<f32>() / self.0.len() as f32
    }

    /// The same with a mean of 0.
    pub(super) fn without_brightness(&self) -> Self {
        let mean = self.mean();
        Self(self.0.iter().map(|v| v - mean).collect())
    }

    /// Mean absolute difference, levels.
    pub(super) fn difference(&self, other: &Self) -> f32 {
        let sum: f32 = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a - b).abs())
            .sum();
        sum / self.0.len() as f32
    }

    /// Share of the pixels whose brightness is in another bin, whatever their place.
    pub(super) fn moved(&self, other: &Self) -> f32 {
        let histogram = |values: &[f32]| {
            let mut bins = [0.0f32; BINS];
            for value in values {
                bins[((value / 256.0 * BINS as f32) as usize).min(BINS - 1)] += 1.0;
            }
            bins
        };
        let (a_bins, b_bins) = (histogram(&self.0), histogram(&other.0));
        let sum: f32 = a_bins.iter().zip(&b_bins).map(|(a, b)| (a - b).abs()).sum();
        0.5 * sum / self.0.len() as f32
    }

    /// Standard deviation, levels.
    pub(super) fn contrast(&self) -> f32 {
        let mean = self.mean();
        let sum: f32 = self.0.iter().map(|v| (v - mean) * (v - mean)).sum();
        (sum / self.0.len() as f32).sqrt()
    }

    /// Has the picture no structure to differ in (black, white)?
    pub(super) fn is_flat(&self) -> bool {
        self.contrast() < 1.0
    }

    /// 1 − correlation: 0 for the same picture, however bright, 1 for another.
    pub(super) fn unlike(&self, other: &Self) -> f32 {
        if self.is_flat() || other.is_flat() {
            return 0.0;
        }
        1.0 - correlation(&self.0, &other.0)
    }

    /// [`Self::unlike`] where neither is cut off; 0 where hardly anything is left: a flash, an explosion.
    pub(super) fn unlike_where_exposed(&self, other: &Self) -> f32 {
        let shows = |v: f32| v > CUT_OFF[0] && v < CUT_OFF[1];
        let pairs = self.0.iter().zip(&other.0);
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.filter(|(a, b)| shows(**a) && shows(**b)).unzip();
        if (a.len() as f32) < LEAST_SAYING * self.0.len() as f32 {
            return 0.0;
        }
        let (a, b) = (Self(a), Self(b));
        a.unlike(&b)
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let count = a.len() as f32;
    let mean = |values: &[f32]| values.iter().sum::<f32>() / count;
    let (ma, mb) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0f32, 0.0f32, 0.0f32);
    for (x, y) in a.iter().zip(b) {
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
        ab += (x - ma) * (y - mb);
    }
    ab / (aa * bb).sqrt()
}
