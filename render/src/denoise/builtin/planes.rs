//! Pictures as separate channels with a margin, so that filter windows need no bounds checks.

/// Pixels around every plane: the largest search radius plus the largest patch radius.
pub(super) const MARGIN: usize = 14;

/// One channel; the margin repeats the nearest pixel.
#[derive(Clone)]
pub(super) struct Channel {
    /// Values per row, margin included.
    pub(super) stride: usize,
    /// All rows, margin included.
    pub(super) data: Vec<f32>,
}

impl Channel {
    /// Channel of a `width` × `height` picture with value `f(index)`.
    pub(super) fn new(width: usize, height: usize, f: impl Fn(usize) -> f32) -> Self {
        let stride = width + 2 * MARGIN;
        let mut data = Vec::with_capacity(stride * (height + 2 * MARGIN));
        for y in 0..height + 2 * MARGIN {
            let row = y.saturating_sub(MARGIN).min(height - 1) * width;
            for x in 0..stride {
                data.push(f(row + x.saturating_sub(MARGIN).min(width - 1)));
            }
        }
        Self { stride, data }
    }

    /// Index of pixel (x, y) of the picture; may lie in the margin.
    pub(super) fn index(&self, x: isize, y: isize) -> usize {
        let margin = MARGIN as isize;
        ((y + margin) * self.stride as isize + x + margin) as usize
    }

    /// `count` values from (x, y) to the right.
    pub(super) fn row(&self, x: isize, y: isize, count: usize) -> &[f32] {
        let start = self.index(x, y);
        &self.data[start..start + count]
    }
}

/// 1 inside the picture, 0 in the margin.
pub(super) fn inside(width: usize, height: usize) -> Channel {
    let mut channel = Channel::new(width, height, |_| 0.0);
    for y in 0..height {
        let start = channel.index(0, y as isize);
        channel.data[start..start + width].fill(1.0);
    }
    channel
}
