//! What a pixel of a shot may show when the shot moves a little.

use super::thumbnail::{SIZE, Thumbnail};

/// Levels by which a pixel may be outside what its surroundings show in a shot.
const MARGIN: f32 = 6.0;
/// A picture is another one moved where less than this share of what both show is strange.
const LARGEST_MOVED_STRANGE: f32 = 0.1;

/// Lowest and highest level of each pixel and those beside it.
pub(super) struct Ranges {
    low: Vec<f32>,
    high: Vec<f32>,
}

impl Ranges {
    pub(super) fn of(picture: &Thumbnail) -> Self {
        let [columns, rows] = SIZE;
        let spread = |pick: fn(f32, f32) -> f32| {
            let at = |x: usize, y: usize| picture.0[y * columns + x];
            let mut result = Vec::with_capacity(columns * rows);
            for y in 0..rows {
                for x in 0..columns {
                    let mut value = at(x, y);
                    for j in y.saturating_sub(1)..=(y + 1).min(rows - 1) {
                        for i in x.saturating_sub(1)..=(x + 1).min(columns - 1) {
                            value = pick(value, at(i, j));
                        }
                    }
                    result.push(value);
                }
            }
            result
        };
        Self {
            low: spread(f32::min),
            high: spread(f32::max),
        }
    }

    pub(super) fn shows(&self, pixel: usize, value: f32) -> bool {
        value > self.low[pixel] - MARGIN && value < self.high[pixel] + MARGIN
    }

    /// Does a picture show this one moved by up to a third of its size? Then it is no half of two.
    pub(super) fn are_moved_to(&self, picture: &Thumbnail) -> bool {
        let [columns, rows] = SIZE.map(|side| side as isize);
        let strange = |dx: isize, dy: isize| {
            let (mut strange, mut count) = (0.0f32, 0.0f32);
            for y in dy.max(0)..rows + dy.min(0) {
                for x in dx.max(0)..columns + dx.min(0) {
                    let value = picture.0[(y * columns + x) as usize];
                    let own = ((y - dy) * columns + x - dx) as usize;
                    strange += f32::from(!self.shows(own, value));
                    count += 1.0;
                }
            }
            strange / count
        };
        let mut shifts = (-rows / 3..=rows / 3)
            .flat_map(|dy| (-columns / 3..=columns / 3).map(move |dx| (dx, dy)));
        shifts.any(|(dx, dy)| strange(dx, dy) < LARGEST_MOVED_STRANGE)
    }
}
