//! What happens to a picture before it is filtered: bad values, fireflies, and the variance.

use glam::Vec3;
use rayon::prelude::*;

use super::planes::Channel;
use super::weights::falloff;

/// Relative standard error from which a pixel's value is not to be trusted against its
/// neighbours'. A small highlight that every sample sees stays below it, a value that one lucky
/// sample made has about 1.
const UNTRUSTED: f32 = 0.25;
/// A firefly is brighter than its neighbours' mean by this many of their standard deviations …
const FIREFLY_DEVIATIONS: f32 = 4.0;
/// … which count as at least this share of the mean, for neighbours without noise.
const SMALLEST_DEVIATION: f32 = 0.3;
/// Squared difference, relative to the sum, that counts as 1 between two pixels' brightness.
const SAME_BRIGHTNESS: f32 = 0.05;
/// Share of the neighbourhood's relative variance that every pixel has at least.
const LEAST_RELATIVE_VARIANCE: f32 = 0.03;
/// Brighter values are cut off here, so that no square of them overflows.
const LARGEST: f32 = 1e12;
/// Neighbourhood of fireflies and of the variance: (2 r + 1)² pixels.
const RADIUS: isize = 2;

/// Picture and variance of its pixels, both finite and not negative.
pub(super) struct Prepared {
    pub(super) color: Vec<Vec3>,
    pub(super) variance: Vec<Vec3>,
}

/// Replaces what is not finite or is negative by 0, dims fireflies, and smooths the variance.
///
/// A sample variance is itself noisy, the more the heavier the tail of the samples; a mean over a
/// small window is what the filters can rely on.
pub(super) fn prepare(width: usize, height: usize, color: &[Vec3], variance: &[Vec3]) -> Prepared {
    let limited = |v: &Vec3, largest: f32| {
        v.map(|c| {
            if c.is_finite() && c > 0.0 {
                c.min(largest)
            } else {
                0.0
            }
        })
    };
    let color: Vec<Vec3> = color.iter().map(|c| limited(c, LARGEST)).collect();
    let variance: Vec<Vec3> = variance
        .iter()
        .map(|v| limited(v, LARGEST * LARGEST))
        .collect();

    let brightness = Channel::new(width, height, |i| color[i].max_element());
    let dimmed: Vec<f32> = (0..color.len())
        .into_par_iter()
        .map(|i| {
            let at = ((i % width) as isize, (i / width) as isize);
            firefly_factor(&brightness, at, variance[i].max_element())
        })
        .collect();
    let color: Vec<Vec3> = color.iter().zip(&dimmed).map(|(&c, &f)| c * f).collect();
    let variance: Vec<Vec3> = variance
        .iter()
        .zip(&dimmed)
        .map(|(&v, &f)| v * (f * f))
        .collect();

    let variance = smooth_variance(width, height, &color, &variance);
    Prepared { color, variance }
}

/// Mean variance of the neighbours that are about as bright.
///
/// Noise grows with brightness: a dark pixel beside a highlight must not be given the highlight's
/// variance, or its detail would be smoothed away. Yet a pixel that is dark by chance, because few
/// of its samples found the light, has next to no variance of its own and few neighbours like it; so
/// it is given at least a share of the relative variance around it.
fn smooth_variance(width: usize, height: usize, color: &[Vec3], variance: &[Vec3]) -> Vec<Vec3> {
    let colors = Channel::three(width, height, color);
    let variances = Channel::three(width, height, variance);
    let side = (2 * RADIUS + 1) as usize;
    let smooth = |x: isize, y: isize, c: usize| {
        let own = colors[c].at(x, y);
        let (mut weights, mut weighted) = (0.0, 0.0);
        let (mut plain, mut squares) = (0.0, 0.0);
        for dy in -RADIUS..=RADIUS {
            let color = colors[c].row(x - RADIUS, y + dy, side);
            let variance = variances[c].row(x - RADIUS, y + dy, side);
            for (&other, &variance) in color.iter().zip(variance) {
                let (difference, sum) = (other - own, other + own);
                let scale = SAME_BRIGHTNESS * sum * sum + f32::MIN_POSITIVE;
                let weight = falloff(difference * difference / scale);
                weights += weight;
                weighted += weight * variance;
                plain += variance;
                squares += other * other;
            }
        }
        let least = LEAST_RELATIVE_VARIANCE * plain * (own * own / squares.max(f32::MIN_POSITIVE));
        (weighted / weights).max(least)
    };
    (0..color.len())
        .into_par_iter()
        .map(|i| {
            let (x, y) = ((i % width) as isize, (i / width) as isize);
            Vec3::from(std::array::from_fn(|c| smooth(x, y, c)))
        })
        .collect()
}

/// Factor that dims a firefly to the brightest that its neighbours allow; 1 for other pixels.
fn firefly_factor(brightness: &Channel, (x, y): (isize, isize), variance: f32) -> f32 {
    let own = brightness.at(x, y);
    if variance.sqrt() < UNTRUSTED * own || own == 0.0 {
        return 1.0;
    }
    let (mut sum, mut squares) = (-own, -own * own);
    let side = (2 * RADIUS + 1) as usize;
    for dy in -RADIUS..=RADIUS {
        for &value in brightness.row(x - RADIUS, y + dy, side) {
            sum += value;
            squares += value * value;
        }
    }
    let count = (side * side - 1) as f32;
    let mean = (sum / count).max(0.0);
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    let limit = mean + FIREFLY_DEVIATIONS * deviation.max(SMALLEST_DEVIATION * mean);
    if own > limit { limit / own } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lucky_sample_is_dimmed_and_a_steady_highlight_is_not() {
        let (width, height) = (9, 9);
        let mut color = vec![Vec3::ONE; width * height];
        let mut variance = vec![Vec3::splat(0.01); width * height];
        let at = 4 * width + 4;
        color[at] = Vec3::new(80.0, 40.0, 20.0);
        variance[at] = color[at] * color[at];
        let firefly = prepare(width, height, &color, &variance);
        assert!(
            firefly.color[at].max_element() < 3.0,
            "{}",
            firefly.color[at]
        );
        let ratio = firefly.color[at] / firefly.color[at].x;
        assert!(
            (ratio - Vec3::new(1.0, 0.5, 0.25)).length() < 1e-5,
            "its hue stays"
        );
        variance[at] = color[at] * color[at] * 0.001;
        let highlight = prepare(width, height, &color, &variance);
        assert_eq!(highlight.color, color);
    }

    #[test]
    fn bad_values_become_black() {
        let color = [
            Vec3::new(f32::NAN, 1.0, f32::INFINITY),
            Vec3::new(-1.0, 2.0, 3.0),
        ];
        let variance = [Vec3::splat(f32::NAN), Vec3::splat(f32::NEG_INFINITY)];
        let prepared = prepare(2, 1, &color, &variance);
        assert_eq!(
            prepared.color,
            [Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 2.0, 3.0)]
        );
        assert_eq!(prepared.variance, [Vec3::ZERO; 2]);
    }
}
