//! Frame rates as exact fractions.

use serde::{Deserialize, Serialize};

/// Frames per second as a fraction in lowest terms: 16/1, 24000/1001, 80/3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameRate {
    /// Frames …
    pub numerator: u32,
    /// … per this many seconds, at least 1.
    pub denominator: u32,
}

impl FrameRate {
    /// Largest rate a writer takes, frames per second.
    pub const LARGEST: f64 = 1000.0;

    /// The fraction that `fps` stands for: a whole number, one of television's n·1000/1001 (23.976 is
    /// 24000/1001), or the one with the smallest denominator within one part in 10^7; `None` outside
    /// 0.01..=1000.
    pub fn from_fps(fps: f64) -> Option<Self> {
        if !(0.01..=Self::LARGEST).contains(&fps) {
            return None;
        }
        let near = |numerator: f64, denominator: f64, tolerance: f64| {
            (numerator / denominator - fps).abs() <= tolerance * fps
        };
        let whole = fps.round();
        if near(whole, 1.0, 1e-7) {
            return Some(Self::reduced(whole as u32, 1));
        }
        let television = (fps * 1.001).round();
        // 23.976 and 59.94 as people type them are off by up to 2 in 10^5.
        if television > 0.0 && near(television * 1000.0, 1001.0, 2e-5) {
            return Some(Self::reduced(television as u32 * 1000, 1001));
        }
        let mut best = (f64::INFINITY, Self::reduced(1, 1));
        for denominator in 2..=10_000u32 {
            let numerator = (fps * f64::from(denominator)).round();
            let error = (numerator / f64::from(denominator) - fps).abs();
            if numerator >= 1.0 && error < best.0 {
                best = (error, Self::reduced(numerator as u32, denominator));
                if error <= 1e-7 * fps {
                    break;
                }
            }
        }
        Some(best.1)
    }

    /// `numerator / denominator` in lowest terms; both at least 1.
    pub fn reduced(numerator: u32, denominator: u32) -> Self {
        let (mut a, mut b) = (numerator.max(1), denominator.max(1));
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self {
            numerator: numerator.max(1) / a,
            denominator: denominator.max(1) / a,
        }
    }

    /// Frames per second.
    pub fn fps(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

impl std::fmt::Display for FrameRate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(fps: f64) -> (u32, u32) {
        let rate = FrameRate::from_fps(fps).unwrap();
        (rate.numerator, rate.denominator)
    }

    #[test]
    fn rates_are_the_fractions_people_mean() {
        assert_eq!(rate(16.0), (16, 1));
        assert_eq!(rate(24000.0 / 1001.0), (24000, 1001));
        assert_eq!(rate(23.976), (24000, 1001));
        assert_eq!(rate(29.97), (30000, 1001));
        assert_eq!(rate(240.0 / 9.0), (80, 3));
        assert_eq!(rate(240.0 / 11.0), (240, 11));
        assert_eq!(rate(12.5), (25, 2));
        assert_eq!(rate(0.1), (1, 10));
    }

    #[test]
    fn rates_that_are_none_are_refused() {
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9, 1e-9] {
            assert_eq!(FrameRate::from_fps(fps), None, "{fps}");
        }
    }
}
