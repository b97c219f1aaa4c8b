//! Pictures of any size into frames of one size: covered, the rest cut off on both sides.

use crate::reader::VideoFrame;

/// The part of a source picture that is shown, and how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    source: [u32; 2],
    target: [u32; 2],
    /// Left, top, width and height, pixels of the source.
    window: [f64; 4],
}

impl Fit {
    /// The largest part in the middle of `source` (of its middle `crop`, as far as the source has it) that
    /// has the shape of `target`. Exact: nothing is rounded to whole pixels, so no size is a pixel short.
    pub fn cover(source: [u32; 2], crop: Option<[f64; 2]>, target: [u32; 2]) -> Self {
        let [width, height] = source.map(f64::from);
        let [shown_width, shown_height] = match crop {
            Some([w, h]) => [w.min(width), h.min(height)],
            None => [width, height],
        };
        let [target_width, target_height] = target.map(|side| f64::from(side.max(1)));
        let scale = (target_width / shown_width).max(target_height / shown_height);
        let window = [target_width / scale, target_height / scale];
        Self {
            source,
            target,
            window: [
                0.5 * (width - window[0]),
                0.5 * (height - window[1]),
                window[0],
                window[1],
            ],
        }
    }

    /// Left, top, width and height of what is shown, pixels of the source.
    pub fn window(&self) -> [f64; 4] {
        self.window
    }

    /// Where a position of the target (pixels from its top-left corner) is in the source, in shares of its
    /// width and height.
    pub fn share_of_source(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, top, width, height] = self.window;
        let [target_width, target_height] = self.target.map(f64::from);
        [
            (left + x / target_width * width) / f64::from(self.source[0]),
            (top + y / target_height * height) / f64::from(self.source[1]),
        ]
    }

    /// The target's RGB bytes, row by row. Linear between pixels where it is made larger, means under a
    /// tent of the target's pixels where it is made smaller, so that nothing flickers.
    ///
    /// `None`: the frame is not of the source's size.
    pub fn apply(&self, frame: &VideoFrame) -> Option<Vec<u8>> {
        let [width, height] = self.source;
        if [frame.width, frame.height] != self.source
            || frame.data.len() != width as usize * height as usize * 3
        {
            return None;
        }
        let [left, top, shown_width, shown_height] = self.window;
        if self.source == self.target && (left, top) == (0.0, 0.0) {
            return Some(frame.data.clone());
        }
        let columns = taps(left, shown_width, self.target[0], width);
        let rows = taps(top, shown_height, self.target[1], height);
        // One row of the result at a time: first the rows it takes are summed up, then the columns.
        let mut sums = vec![0.0f32; width as usize * 3];
        let mut out = Vec::with_capacity(self.target[0] as usize * self.target[1] as usize * 3);
        for row in &rows {
            sums.fill(0.0);
            for (tap, weight) in row.weights.iter().enumerate() {
                let from = (row.first + tap) * width as usize * 3;
                let line = &frame.data[from..from + width as usize * 3];
                for (sum, value) in sums.iter_mut().zip(line) {
                    *sum += weight * f32::from(*value);
                }
            }
            for column in &columns {
                let mut colour = [0.0f32; 3];
                for (tap, weight) in column.weights.iter().enumerate() {
                    let at = (column.first + tap) * 3;
                    for channel in 0..3 {
                        colour[channel] += weight * sums[at + channel];
                    }
                }
                out.extend(colour.map(|v| (v + 0.5).clamp(0.0, 255.0) as u8));
            }
        }
        Some(out)
    }
}

/// Source pixels of one target pixel along one axis; their weights add up to one.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

fn taps(start: f64, length: f64, target: u32, source: u32) -> Vec<Taps> {
    let step = length / f64::from(target);
    // Half width of the tent, source pixels.
    let reach = step.max(1.0);
    (0..target)
        .map(|index| {
            let middle = start + (f64::from(index) + 0.5) * step;
            let hold = |v: f64| v.clamp(0.0, f64::from(source) - 1.0) as usize;
            let (first, last) = (
                hold((middle - reach).floor()),
                hold((middle + reach).ceil()),
            );
            let weight = |pixel: usize| {
                let distance = (pixel as f64 + 0.5 - middle).abs();
                (1.0 - distance / reach).max(0.0)
            };
            let mut weights: Vec<f64> = (first..=last).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            if sum <= 0.0 {
                weights = vec![1.0];
                return Taps {
                    first: hold(middle.floor()),
                    weights: vec![1.0],
                };
            }
            for weight in &mut weights {
                *weight /= sum;
            }
            Taps {
                first,
                weights: weights.into_iter().map(|w| w as f32).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red grows to the right, green downwards, blue is constant.
    fn ramp(width: u32, height: u32) -> VideoFrame {
        let value = |i: u32, size: u32| ((f64::from(i) + 0.5) / f64::from(size) * 255.0) as u8;
        let pixels =
            (0..width * height).map(|i| [value(i % width, width), value(i / width, height), 77]);
        VideoFrame {
            width,
            height,
            data: pixels.flatten().collect(),
        }
    }

    #[test]
    fn every_size_is_covered_and_its_middle_stays_in_the_middle() {
        // 103x183 and 88x132 end a pixel short where sizes are rounded down.
        for [width, height] in [
            [1920, 1080],
            [103, 183],
            [88, 132],
            [720, 480],
            [16, 16],
            [1, 1],
            [3000, 17],
        ] {
            let fit = Fit::cover([width, height], None, [72, 48]);
            let out = fit.apply(&ramp(width, height)).unwrap();
            assert_eq!(out.len(), 72 * 48 * 3);
            assert!(out.chunks_exact(3).all(|c| c[2] == 77), "{width}x{height}");
            let [left, top, w, h] = fit.window();
            assert!((w / h - 1.5).abs() < 1e-9);
            assert!(left >= -1e-9 && top >= -1e-9);
            assert!((left + 0.5 * w - 0.5 * f64::from(width)).abs() < 1e-9);
            if width > 8 && height > 8 {
                for (x, y) in [(20usize, 20usize), (50, 30)] {
                    let [u, v] = fit.share_of_source([x as f64 + 0.5, y as f64 + 0.5]);
                    let at = (y * 72 + x) * 3;
                    // Steps of the ramp, and half a level of rounding on each side.
                    let step = |size: u32| 255.0 / f64::from(size) + 1.5;
                    assert!(
                        (f64::from(out[at]) - 255.0 * u).abs() <= step(width),
                        "{width}x{height}"
                    );
                    assert!((f64::from(out[at + 1]) - 255.0 * v).abs() <= step(height));
                }
            }
        }
        let frame = ramp(72, 48);
        let same = Fit::cover([72, 48], None, [72, 48]);
        assert_eq!(same.apply(&frame).unwrap(), frame.data);
        assert_eq!(same.apply(&ramp(72, 47)), None);
    }

    #[test]
    fn a_crop_shows_the_middle_and_no_more_than_there_is() {
        let fit = Fit::cover([1920, 1080], Some([576.0, 384.0]), [720, 480]);
        assert_eq!(fit.window(), [672.0, 348.0, 576.0, 384.0]);
        let fit = Fit::cover([480, 400], Some([576.0, 384.0]), [720, 480]);
        assert_eq!(fit.window(), [0.0, 40.0, 480.0, 320.0]);
    }
}
