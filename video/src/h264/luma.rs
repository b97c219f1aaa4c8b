//! The brightness plane of a mask frame, in whole macroblocks.

/// Limited-range brightness, padded to whole macroblocks by repeating the last column and row.
#[derive(Debug, Clone)]
pub(super) struct Luma {
    /// Pixels, a multiple of 16.
    pub(super) width: usize,
    /// Pixels, a multiple of 16.
    pub(super) height: usize,
    data: Vec<u8>,
}

/// A rectangle of pixels inside the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Luma {
    pub(super) fn new(columns: u32, rows: u32) -> Self {
        let (width, height) = (columns as usize * 16, rows as usize * 16);
        Self {
            width,
            height,
            data: vec![0; width * height],
        }
    }

    /// Takes the picture `levels` (`width` × `height` full-range greys) in.
    pub(super) fn fill(&mut self, levels: &[u8], width: usize, height: usize) {
        for y in 0..self.height {
            let source = &levels[y.min(height - 1) * width..][..width];
            let row = &mut self.data[y * self.width..][..self.width];
            for (to, &level) in row.iter_mut().zip(source) {
                *to = limited_from_full(level);
            }
            let last = row[width - 1];
            row[width..].fill(last);
        }
    }

    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        self.data[y * self.width + x]
    }

    /// `width` pixels from (x, y) on.
    pub(super) fn row(&self, x: usize, y: usize, width: usize) -> &[u8] {
        &self.data[y * self.width + x..][..width]
    }

    /// Four pixels from (x, y) on, as one word.
    pub(super) fn quad(&self, x: usize, y: usize) -> u32 {
        let at = y * self.width + x;
        u32::from_le_bytes([
            self.data[at],
            self.data[at + 1],
            self.data[at + 2],
            self.data[at + 3],
        ])
    }

    /// The 4×4 block at (x, y) as one number.
    pub(super) fn pattern(&self, x: usize, y: usize) -> u128 {
        (0..4).fold(0, |pattern, row| {
            pattern | u128::from(self.quad(x, y + row)) << (32 * row)
        })
    }

    /// The one value of `block`, if it has only one.
    pub(super) fn flat_value(&self, block: Block) -> Option<u8> {
        let value = self.at(block.x, block.y);
        (0..block.height)
            .all(|row| {
                self.row(block.x, block.y + row, block.width)
                    .iter()
                    .all(|&v| v == value)
            })
            .then_some(value)
    }
}

/// Limited-range brightness of a full-range grey: 0, 128, 255 are 16, 126, 235, from which every reader's
/// arithmetic comes back to exactly 0, 128, 255.
fn limited_from_full(level: u8) -> u8 {
    16 + ((u32::from(level) * 219 * 2 + 255) / 510) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_levels_have_the_brightness_of_the_contract() {
        assert_eq!([0, 128, 255].map(limited_from_full), [16, 126, 235]);
    }

    #[test]
    fn brightness_is_the_nearest_and_never_falls() {
        for level in 0..=255u8 {
            let exact = 16.0 + f64::from(level) * 219.0 / 255.0;
            assert!((f64::from(limited_from_full(level)) - exact).abs() <= 0.5);
        }
    }

    #[test]
    fn padding_repeats_the_edge() {
        let mut luma = Luma::new(1, 1);
        luma.fill(&[0, 255, 128, 255, 0, 0], 2, 3);
        assert_eq!(luma.row(0, 0, 4), [16, 235, 235, 235]);
        assert_eq!((luma.at(0, 15), luma.at(15, 15)), (16, 16));
        let block = Block {
            x: 1,
            y: 0,
            width: 15,
            height: 2,
        };
        assert_eq!(luma.flat_value(block), Some(235));
    }
}
