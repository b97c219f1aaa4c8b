//! Pictures as separate channels with a margin, so that filter windows need no bounds checks, and
//! the tiles they are worked on in.

use glam::Vec3;

/// Lanes of a block of pixels that are worked on together.
pub(super) const LANES: usize = 8;

/// Largest sum of search radius and patch radius; also, with room for a block that starts at the
/// last pixel, the width of the margin.
pub(super) const LARGEST_REACH: usize = 11;
const MARGIN: usize = LARGEST_REACH + LANES;

/// One channel; the margin repeats the nearest pixel.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    /// Values per row, margin included.
    stride: usize,
    /// All rows, margin included.
    data: Vec<f32>,
}

impl Channel {
    /// Channel of a `width` × `height` picture (both at least 1) with value `value(index)`.
    pub(super) fn new(width: usize, height: usize, value: impl Fn(usize) -> f32) -> Self {
        let stride = width + 2 * MARGIN;
        let mut data = Vec::with_capacity(stride * (height + 2 * MARGIN));
        for y in 0..height + 2 * MARGIN {
            let row = y.saturating_sub(MARGIN).min(height - 1) * width;
            for x in 0..stride {
                data.push(value(row + x.saturating_sub(MARGIN).min(width - 1)));
            }
        }
        Self { stride, data }
    }

    /// The three components of a picture.
    pub(super) fn three(width: usize, height: usize, picture: &[Vec3]) -> [Self; 3] {
        std::array::from_fn(|c| Self::new(width, height, |i| picture[i][c]))
    }

    /// 1 inside the picture, 0 in the margin.
    pub(super) fn inside(width: usize, height: usize) -> Self {
        let mut channel = Self::new(width, height, |_| 0.0);
        for y in 0..height {
            let start = channel.index(0, y as isize);
            channel.data[start..start + width].fill(1.0);
        }
        channel
    }

    #[inline(always)]
    fn index(&self, x: isize, y: isize) -> usize {
        let margin = MARGIN as isize;
        ((y + margin) * self.stride as isize + x + margin) as usize
    }

    /// Value at (x, y), which may lie in the margin.
    #[inline(always)]
    pub(super) fn at(&self, x: isize, y: isize) -> f32 {
        self.data[self.index(x, y)]
    }

    /// Is every value 0?
    pub(super) fn is_zero(&self) -> bool {
        self.data.iter().all(|&value| value == 0.0)
    }

    /// `count` values from (x, y) to the right.
    #[inline(always)]
    pub(super) fn row(&self, x: isize, y: isize, count: usize) -> &[f32] {
        let start = self.index(x, y);
        &self.data[start..start + count]
    }

    /// [`LANES`] values from (x, y) to the right.
    #[inline(always)]
    pub(super) fn block(&self, x: isize, y: isize) -> [f32; LANES] {
        let start = self.index(x, y);
        let mut block = [0.0; LANES];
        block.copy_from_slice(&self.data[start..start + LANES]);
        block
    }
}

/// A rectangle of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Tile {
    /// Number of pixels.
    pub(super) fn pixels(self) -> usize {
        self.width * self.height
    }
}

/// The picture in tiles of at most the given size, row by row. They depend on the picture's size
/// only, never on the number of threads.
pub(super) fn tiles(width: usize, height: usize, tile: (usize, usize)) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for y in (0..height).step_by(tile.1) {
        for x in (0..width).step_by(tile.0) {
            tiles.push(Tile {
                x,
                y,
                width: tile.0.min(width - x),
                height: tile.1.min(height - y),
            });
        }
    }
    tiles
}

/// Puts the pixels of tiles back into one picture.
pub(super) fn assemble(width: usize, height: usize, parts: &[(Tile, Vec<Vec3>)]) -> Vec<Vec3> {
    let mut picture = vec![Vec3::ZERO; width * height];
    for (tile, pixels) in parts {
        for (row, line) in pixels.chunks_exact(tile.width).enumerate() {
            let start = (tile.y + row) * width + tile.x;
            picture[start..start + tile.width].copy_from_slice(line);
        }
    }
    picture
}
