//! Statistics of differences between 8-bit pictures.

/// Absolute differences of 8-bit values, counted by size.
#[derive(Debug, Clone)]
pub(super) struct LevelDifferences {
    counts: [u64; 256],
}

impl LevelDifferences {
    pub(super) fn new() -> Self {
        Self { counts: [0; 256] }
    }

    /// Differences over the pixels (three values each) that `is_in` picks.
    pub(super) fn between(a: &[u8], b: &[u8], is_in: impl Fn(usize) -> bool) -> Self {
        let mut all = Self::new();
        for (pixel, (a, b)) in a.chunks_exact(3).zip(b.chunks_exact(3)).enumerate() {
            if is_in(pixel) {
                for (a, b) in a.iter().zip(b) {
                    all.counts[usize::from(a.abs_diff(*b))] += 1;
                }
            }
        }
        all
    }

    /// Differences of luma (BT.601, as the videos have it): what 4:2:0 keeps of every pixel. Of colour it
    /// keeps one value for four, so that noise may differ by many levels in a faultless video.
    pub(super) fn of_luma(a: &[u8], b: &[u8]) -> Self {
        let luma = |rgb: &[u8]| {
            let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
            (299 * r + 587 * g + 114 * b + 500) / 1000
        };
        let mut all = Self::new();
        for (a, b) in a.chunks_exact(3).zip(b.chunks_exact(3)) {
            all.counts[luma(a).abs_diff(luma(b)) as usize] += 1;
        }
        all
    }

    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Mean, levels; `None` when nothing was picked.
    pub(super) fn mean(&self) -> Option<f64> {
        let total = self.total();
        let sum: u64 = self
            .counts
            .iter()
            .enumerate()
            .map(|(level, n)| level as u64 * n)
            .sum();
        (total > 0).then(|| sum as f64 / total as f64)
    }

    /// Smallest level that at least `share` of the differences do not exceed.
    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        let mut seen = 0;
        self.counts
            .iter()
            .position(|n| {
                seen += n;
                seen > 0 && seen as f64 >= share * total as f64
            })
            .map(|level| level as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_percentile_of_known_differences() {
        // 99 pixels equal, one off by 10 in every channel.
        let a = vec![50u8; 300];
        let mut b = a.clone();
        b[297..].copy_from_slice(&[60, 40, 60]);
        let all = LevelDifferences::between(&a, &b, |_| true);
        assert!((all.mean().unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(all.percentile(0.99), Some(0.0));
        assert_eq!(all.percentile(0.999), Some(10.0));
        let none = LevelDifferences::between(&a, &b, |_| false);
        assert_eq!((none.mean(), none.percentile(0.99)), (None, None));
        let only = LevelDifferences::between(&a, &b, |pixel| pixel == 99);
        assert_eq!(only.mean(), Some(10.0));
    }
}
