//! Dots as the public tools draw them: filled rectangles, far to near, on black.

use diorama_synth::frame::Plane;
use glam::DVec2;

/// One dot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Pixels.
    pub position: DVec2,
    /// Along the camera axis; decides the order only.
    pub depth: f64,
    /// s of [`half_sizes`], pixels.
    pub half_size: f64,
    /// Of all its pixels.
    pub colour: [u8; 3],
}

/// Sizes s of the dots in frame 0, in the order of `points` (position, depth), and the one size that
/// all dots have in later frames.
///
/// s = floor(least distance to another dot in (x, y, z))/2, where z goes from 0 at the nearest to 1
/// at the farthest as in the public tools' depth (the environment has 1). Later frames use the s of
/// the dot drawn last in frame 0, which is the nearest: that is what the public tools do. 70×70 dots
/// over 720×480 have s = 3, that is 7×5 pixels. A dot without another has s = 0.
pub fn half_sizes(points: &[(DVec2, f64)]) -> (Vec<f64>, f64) {
    let finite = points.iter().map(|(_, z)| *z).filter(|z| z.is_finite());
    let (near, far) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| {
        (low.min(z), high.max(z))
    });
    let unit = |z: f64| {
        if !z.is_finite() {
            1.0
        } else if far > near {
            (z - near) / (far - near)
        } else {
            0.0
        }
    };
    let places: Vec<(DVec2, f64)> = points.iter().map(|(p, z)| (*p, unit(*z))).collect();
    let size = |i: usize| {
        let (position, z) = places[i];
        let least = places
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != i)
            .map(|(_, (other, w))| position.distance_squared(*other) + (z - w) * (z - w))
            .fold(f64::INFINITY, f64::min);
        if least.is_finite() {
            least.sqrt().floor() / 2.0
        } else {
            0.0
        }
    };
    let sizes: Vec<f64> = (0..places.len()).map(size).collect();
    // The last of the smallest depths: the order is stable.
    let mut last = None;
    for (i, (_, z)) in points.iter().enumerate() {
        if last.is_none_or(|(_, least)| *z <= least) {
            last = Some((i, *z));
        }
    }
    let later = last.map_or(0.0, |(i, _)| sizes[i]);
    (sizes, later)
}

/// Paints `dots` far to near (equal depths in the given order) on a black picture. The rectangle is
/// (int(x − s), int(y − s/1.5)) … (int(x + s), int(y + s/1.5)), both inclusive, with Python's `int`,
/// which cuts towards zero; what is outside the picture is cut off; a dot at x or y of exactly 0 is
/// left out.
pub fn paint(width: u32, height: u32, mut dots: Vec<Dot>) -> Plane<[u8; 3]> {
    let mut picture = Plane::filled(width, height, [0; 3]);
    dots.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    for dot in dots {
        let DVec2 { x, y } = dot.position;
        if x == 0.0 || y == 0.0 {
            continue;
        }
        let (s, t) = (dot.half_size, dot.half_size / 1.5);
        let Some((left, right)) = clipped(x - s, x + s, width) else {
            continue;
        };
        let Some((top, bottom)) = clipped(y - t, y + t, height) else {
            continue;
        };
        for row in top..=bottom {
            let first = picture.index(left, row);
            let last = picture.index(right, row);
            picture.data[first..=last].fill(dot.colour);
        }
    }
    picture
}

/// Pixels from int(low) to int(high) that are inside 0..size; `None`: none is.
fn clipped(low: f64, high: f64, size: u32) -> Option<(u32, u32)> {
    let (low, high) = (low.trunc(), high.trunc());
    let last = f64::from(size) - 1.0;
    // Also false for NaN.
    (high >= 0.0 && low <= last).then(|| (low.max(0.0) as u32, high.min(last) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(x: f64, y: f64, depth: f64, colour: [u8; 3]) -> Dot {
        Dot {
            position: DVec2::new(x, y),
            depth,
            half_size: 3.0,
            colour,
        }
    }

    /// Columns and rows that are not black.
    fn extent(picture: &Plane<[u8; 3]>) -> Option<[u32; 4]> {
        crate::effect::box_of(&picture.data, picture.width, |c| c != [0; 3])
    }

    #[test]
    fn corners_are_cut_towards_zero_as_pythons_int_does() {
        let white = [255; 3];
        // int(10.75 − 3) = 7, int(10.75 + 3) = 13; int(8.2 − 2) = 6, int(8.2 + 2) = 10.
        let one = |x, y| extent(&paint(32, 24, vec![dot(x, y, 1.0, white)]));
        assert_eq!(one(10.75, 8.2), Some([7, 6, 14, 11]));
        // int(2.5 − 3) = int(−0.5) = 0 and int(1.9 − 2) = 0.
        assert_eq!(one(2.5, 1.9), Some([0, 0, 6, 4]));
        // int(−3.5 + 3) = int(−0.5) = 0: the first column is still painted.
        assert_eq!(one(-3.5, 8.0), Some([0, 6, 1, 11]));
        assert_eq!(one(-4.0, 8.0), None);
        assert_eq!(one(34.5, 8.0), Some([31, 6, 32, 11]));
        assert_eq!(one(35.0, 8.0), None);
        assert_eq!(one(0.0, 8.0), None, "x of exactly 0 is left out");
        assert_eq!(one(f64::NAN, 8.0), None);
    }

    #[test]
    fn nearer_dots_cover_farther_ones_and_ties_go_to_the_later() {
        let (red, green, blue) = ([255, 0, 0], [0, 255, 0], [0, 0, 255]);
        let at = |dots| *paint(32, 24, dots).at(10, 10);
        let near = dot(11.0, 10.0, 1.0, red);
        assert_eq!(at(vec![near, dot(9.0, 10.0, f64::INFINITY, blue)]), red);
        assert_eq!(at(vec![near, dot(9.0, 10.0, 1.0, green)]), green);
    }

    #[test]
    fn the_grid_of_the_public_tools_has_dots_of_seven_by_five() {
        let grid = super::super::query_grid([720, 480], 70);
        let points: Vec<(DVec2, f64)> = grid
            .iter()
            .enumerate()
            .map(|(i, p)| {
                (
                    *p,
                    if i % 7 == 0 {
                        f64::INFINITY
                    } else {
                        2.0 + i as f64
                    },
                )
            })
            .collect();
        let (sizes, later) = half_sizes(&points);
        assert!(sizes.iter().all(|s| *s == 3.0) && later == 3.0);
        let dots = points
            .iter()
            .map(|(p, z)| dot(p.x, p.y, *z, [255; 3]))
            .collect();
        let picture = paint(720, 480, dots);
        let covered = picture.data.iter().filter(|c| **c != [0; 3]).count();
        let share = covered as f64 / (720.0 * 480.0);
        assert!((share - 0.496).abs() < 5e-4, "{share}");
    }
}
