//! Percentiles as numpy has them, and the range of blue.

use serde::{Deserialize, Serialize};

/// The `percent`-th percentile of ascending `sorted` with linear interpolation between the two
/// neighbours (numpy's default), bit for bit; `None` without values.
pub fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = percent / 100.0 * last as f64;
    let low = (at.floor() as usize).min(last);
    let (a, b) = (sorted[low], sorted[(low + 1).min(last)]);
    let t = at - low as f64;
    let difference = b - a;
    // numpy goes from the nearer end, so that t = 1 gives b itself.
    Some(if t >= 0.5 {
        b - difference * (1.0 - t)
    } else {
        a + difference * t
    })
}

/// Inverse depths, 1/m, from which blue is 0 and 1: the 2nd and the 98th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseRange {
    /// 2nd percentile.
    pub low: f64,
    /// 98th percentile.
    pub high: f64,
}

impl InverseRange {
    /// Of some values; those that are not finite are left out.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        Self {
            low: percentile(&values, 2.0).unwrap_or(0.0),
            high: percentile(&values, 98.0).unwrap_or(0.0),
        }
    }

    /// Place of `inverse` in the range, held in 0..=1; 0 where the range is a point.
    pub fn share(&self, inverse: f64) -> f64 {
        let share = (inverse - self.low) / (self.high - self.low);
        if self.high > self.low && share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([...], [2, 50, 98]) of numpy 2.4.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(percentile(&ten, 2.0), Some(1.18));
        assert_eq!(percentile(&ten, 50.0), Some(5.5));
        assert_eq!(percentile(&ten, 98.0), Some(9.82));
        let odd = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4];
        assert_eq!(percentile(&odd, 2.0), Some(0.112));
        assert_eq!(percentile(&odd, 98.0), Some(6.016));
        assert_eq!(percentile(&[7.5], 98.0), Some(7.5));
        assert_eq!(percentile(&[], 2.0), None);
    }

    #[test]
    fn a_range_that_is_a_point_gives_no_blue() {
        let flat = InverseRange::of([0.25; 9].into_iter());
        assert_eq!((flat.low, flat.high), (0.25, 0.25));
        assert_eq!(flat.share(0.25), 0.0);
        assert_eq!(InverseRange::of(std::iter::empty()).share(1.0), 0.0);
        let range = InverseRange::of([0.0, 1.0, f64::INFINITY, f64::NAN].into_iter());
        assert_eq!((range.low, range.high), (0.02, 0.98));
        assert_eq!([-1.0, 0.5, 2.0].map(|v| range.share(v)), [0.0, 0.5, 1.0]);
        assert_eq!(range.share(f64::NAN), 0.0);
    }
}
