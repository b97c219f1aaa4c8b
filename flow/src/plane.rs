//! Pictures as the estimators see them: one channel of floats, and ever smaller ones of it.

/// A picture of one channel, row by row, 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub struct Luma {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// `width × height` values.
    pub data: Vec<f32>,
}

impl Luma {
    /// All of one value.
    #[cfg(test)]
    pub(crate) fn filled(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            height,
            data: vec![value; width * height],
        }
    }

    /// Rec.601 luma of `width × height` RGB bytes (the weights that videos are coded with).
    pub fn of_rgb(width: usize, height: usize, rgb: &[u8]) -> Self {
        let luma =
            |c: &[u8]| 0.299 * f32::from(c[0]) + 0.587 * f32::from(c[1]) + 0.114 * f32::from(c[2]);
        Self {
            width,
            height,
            data: rgb.chunks_exact(3).map(luma).collect(),
        }
    }

    /// Half as wide and high (rounded up): means of 2×2 pixels, so that positions halve exactly.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            let top = &self.data[2 * y * self.width..];
            let bottom = &self.data[(2 * y + 1).min(self.height - 1) * self.width..];
            for x in 0..width {
                let (left, right) = (2 * x, (2 * x + 1).min(self.width - 1));
                data.push(0.25 * ((top[left] + top[right]) + (bottom[left] + bottom[right])));
            }
        }
        Self {
            width,
            height,
            data,
        }
    }

    /// Value of the nearest pixel of the picture.
    pub(crate) fn clamped(&self, x: isize, y: isize) -> f32 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.data[y * self.width + x]
    }

    /// Bilinear value at a continuous position; outside the picture that of its border.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let spot = Spot::new(x, y, self.width, self.height);
        spot.of(&self.data)
    }
}

/// Four pixels and the weights of a position between their centres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    index: usize,
    right: usize,
    down: usize,
    fx: f32,
    fy: f32,
}

impl Spot {
    /// At continuous position (x, y) of a picture of that size, held inside it; NaN is its corner.
    pub(crate) fn new(x: f32, y: f32, width: usize, height: usize) -> Self {
        let hold = |v: f32, size: usize| {
            // `max` first: it takes NaN away.
            let v = (v - 0.5).max(0.0).min((size - 1) as f32);
            let low = (v as usize).min(size.saturating_sub(2));
            (low, v - low as f32)
        };
        let ((x, fx), (y, fy)) = (hold(x, width), hold(y, height));
        Self {
            index: y * width + x,
            right: usize::from(width > 1),
            down: if height > 1 { width } else { 0 },
            fx,
            fy,
        }
    }

    /// The value there.
    pub(crate) fn of(&self, data: &[f32]) -> f32 {
        let (a, b) = (data[self.index], data[self.index + self.right]);
        let below = self.index + self.down;
        let (c, d) = (data[below], data[below + self.right]);
        let top = a + (b - a) * self.fx;
        let bottom = c + (d - c) * self.fx;
        top + (bottom - top) * self.fy
    }
}

/// A picture and its halves, the largest first.
#[derive(Debug, Clone)]
pub struct Pyramid {
    pub(crate) levels: Vec<Luma>,
}

impl Pyramid {
    /// Shortest side of the smallest level, pixels: a patch of the search still fits a few times.
    const SMALLEST: usize = 12;

    /// All levels.
    pub fn new(picture: Luma) -> Self {
        let mut levels = vec![picture];
        loop {
            let last = &levels[levels.len() - 1];
            if last.width.min(last.height) < 2 * Self::SMALLEST {
                return Self { levels };
            }
            levels.push(last.halved());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_the_mean_and_the_place() {
        let mut picture = Luma::filled(8, 6, 10.0);
        picture.data[8 * 3 + 5] = 50.0;
        let half = picture.halved();
        assert_eq!((half.width, half.height), (4, 3));
        assert_eq!(half.data[4 + 2], 20.0, "pixel (5, 3) is in (2, 1)");
        assert_eq!(half.data.iter().filter(|v| **v != 10.0).count(), 1);
        assert_eq!(Luma::filled(5, 5, 3.0).halved(), Luma::filled(3, 3, 3.0));
    }

    #[test]
    fn values_between_centres_are_bilinear_and_held_at_the_border() {
        let ramp = Luma {
            width: 4,
            height: 2,
            data: vec![0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0],
        };
        assert_eq!(ramp.at(1.5, 0.5), 1.0);
        assert_eq!(ramp.at(2.25, 1.0), 1.75 + 5.0);
        assert_eq!(ramp.at(-7.0, -7.0), 0.0);
        assert_eq!(ramp.at(99.0, 99.0), 13.0);
        assert_eq!(ramp.at(f32::NAN, 0.5), 0.0);
        assert_eq!(Luma::filled(1, 1, 4.0).at(0.3, 0.9), 4.0);
    }
}
