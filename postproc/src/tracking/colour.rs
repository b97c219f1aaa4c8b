//! From a place in frame 0 to a colour.

use glam::DVec2;
use serde::{Deserialize, Serialize};

use super::TrackingRule;
use super::grid::query_grid;
use super::percentile::InverseRange;

/// A rule with its numbers: see the table in [`super`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstFrameColours {
    rule: TrackingRule,
    /// x at which red is 0 and 255, pixels.
    red: [f64; 2],
    /// y at which green is 0 and 255, pixels.
    green: [f64; 2],
    /// 1/z (das-blender: 1/d) at which blue is 0 and 255.
    blue: InverseRange,
}

impl FirstFrameColours {
    /// The rule for a picture of `resolution`; das also asks for the size of its grid.
    pub fn new(
        rule: TrackingRule,
        resolution: [u32; 2],
        grid_size: u32,
        blue: InverseRange,
    ) -> Self {
        let [width, height] = resolution.map(f64::from);
        let (red, green) = match rule {
            TrackingRule::Das => {
                let grid = query_grid(resolution, grid_size);
                let (first, last) = match (grid.first(), grid.last()) {
                    (Some(first), Some(last)) => (*first, *last),
                    _ => (DVec2::ZERO, DVec2::ZERO),
                };
                ([first.x, last.x], [first.y, last.y])
            }
            TrackingRule::DasDense => ([0.5, width - 0.5], [0.5, height - 0.5]),
            TrackingRule::DasBlender => ([0.0, width], [0.0, height]),
        };
        Self {
            rule,
            red,
            green,
            blue,
        }
    }

    /// Colour of a point that was at `position` in frame 0, `depth` metres along the axis and
    /// `distance` metres from the camera (both infinite for the environment).
    pub fn colour(&self, position: DVec2, depth: f64, distance: f64) -> [u8; 3] {
        let inverse = match self.rule {
            TrackingRule::Das | TrackingRule::DasDense => 1.0 / depth,
            TrackingRule::DasBlender => 1.0 / distance,
        };
        [
            level(share(position.x, self.red)),
            level(share(position.y, self.green)),
            level(self.blue.share(inverse)),
        ]
    }
}

/// 0 where the range is a point.
fn share(value: f64, [low, high]: [f64; 2]) -> f64 {
    if high > low {
        (value - low) / (high - low)
    } else {
        0.0
    }
}

/// 255·v as OpenCV stores it: rounded half to even, saturated; NaN is 0.
fn level(v: f64) -> u8 {
    libm::rint(255.0 * v).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLUE: InverseRange = InverseRange {
        low: 0.125,
        high: 0.625,
    };

    #[test]
    fn das_runs_over_the_extent_of_the_grid() {
        let colours = FirstFrameColours::new(TrackingRule::Das, [720, 480], 70, BLUE);
        for (index, position) in query_grid([720, 480], 70).into_iter().enumerate() {
            let [r, g, _] = colours.colour(position, 2.0, 2.0);
            let expected = |i: usize| libm::rint(255.0 * i as f64 / 69.0) as u8;
            assert_eq!([r, g], [expected(index % 70), expected(index / 70)]);
        }
        // Between percentiles, at infinity, nearer than the 98th.
        let blue = |z| colours.colour(DVec2::splat(50.0), z, z)[2];
        assert_eq!([blue(4.0), blue(f64::INFINITY), blue(0.5)], [64, 0, 255]);
        assert_eq!(blue(f64::NAN), 0);
    }

    #[test]
    fn das_dense_runs_from_the_first_pixel_to_the_last() {
        let colours = FirstFrameColours::new(TrackingRule::DasDense, [256, 3], 70, BLUE);
        let at = |x, y| colours.colour(DVec2::new(x, y), 4.0, 4.0);
        assert_eq!(at(0.5, 0.5), [0, 0, 64]);
        assert_eq!(at(17.5, 1.5), [17, 128, 64], "half to even: 127.5 is 128");
        assert_eq!(at(255.5, 2.5), [255, 255, 64]);
        assert_eq!(at(255.99, 2.99)[0], 255);
    }

    #[test]
    fn das_blender_has_screen_coordinates_and_euclidean_distance() {
        let colours = FirstFrameColours::new(TrackingRule::DasBlender, [720, 480], 70, BLUE);
        // Blender: r = screen x, g = 1 − screen y with y up, b from 1/d: here z is another.
        let (x, y_up, d) = (0.25, 0.75, 2.5);
        let position = DVec2::new(x * 720.0, (1.0 - y_up) * 480.0);
        assert_eq!(colours.colour(position, 1.0, d), [64, 64, 140]);
    }
}
