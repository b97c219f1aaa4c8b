//! RGB to the 4:2:0 that videos hold: BT.601 matrix, limited range, in integers, so that every machine gets
//! the same bytes.
//!
//! **Chroma siting.** One colour sample stands for 2×2 pixels and is the mean of their R'G'B' (centre siting,
//! chroma_sample_loc_type 1, tagged in the stream). OpenCV, decord, PyAV, mediapy and ffmpeg's own rgb24 all
//! repeat a colour sample over its 2×2 pixels whatever the tag says; for them the mean is the least-squares
//! optimum, while the left siting of MPEG-2 would shift colours by half a pixel.

/// Fraction bits of the matrix.
const SCALE_BITS: u32 = 16;

/// BT.601 (Kr 0.299, Kb 0.114) brightness, times 219/255. The sum is that of the exact values, so that grey is exact.
const Y_FROM_RGB: [i32; 3] = [16_829, 33_039, 6_416];
/// Blue difference, times 224/255; sums to 0, so that grey is exactly 128.
const CB_FROM_RGB: [i32; 3] = [-9_714, -19_070, 28_784];
/// Red difference, times 224/255; sums to 0.
const CR_FROM_RGB: [i32; 3] = [28_784, -24_103, -4_681];

/// A 4:2:0 picture of even size.
#[derive(Debug, Clone)]
pub(crate) struct Yuv420 {
    /// Pixels, even.
    pub(crate) width: usize,
    /// Pixels, even.
    pub(crate) height: usize,
    /// `width × height`.
    pub(crate) y: Vec<u8>,
    /// `width/2 × height/2`.
    pub(crate) cb: Vec<u8>,
    /// `width/2 × height/2`.
    pub(crate) cr: Vec<u8>,
}

impl Yuv420 {
    /// A picture of unspecified content; the sides are even.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            y: vec![16; width * height],
            cb: vec![128; width * height / 4],
            cr: vec![128; width * height / 4],
        }
    }

    /// Takes `rgb` in: `width × height × 3`, row by row.
    pub(crate) fn fill(&mut self, rgb: &[u8]) {
        let width = self.width;
        let half = width / 2;
        let rows_of_two = rgb.chunks_exact(width * 6);
        let brightness = self.y.chunks_exact_mut(width * 2);
        let chroma = self
            .cb
            .chunks_exact_mut(half)
            .zip(self.cr.chunks_exact_mut(half));
        for ((pair, y), (cb, cr)) in rows_of_two.zip(brightness).zip(chroma) {
            for (to, pixel) in y.iter_mut().zip(pair.chunks_exact(3)) {
                let pixel = [pixel[0], pixel[1], pixel[2]].map(i32::from);
                let offset = (16 << SCALE_BITS) + (1 << (SCALE_BITS - 1));
                *to = ((dot(Y_FROM_RGB, pixel) + offset) >> SCALE_BITS) as u8;
            }
            let (upper, lower) = pair.split_at(width * 3);
            let columns = upper.chunks_exact(6).zip(lower.chunks_exact(6));
            for ((a, b), (cb, cr)) in columns.zip(cb.iter_mut().zip(cr)) {
                // The sum of four pixels: two more fraction bits.
                let four = std::array::from_fn(|c| {
                    i32::from(a[c]) + i32::from(a[c + 3]) + i32::from(b[c]) + i32::from(b[c + 3])
                });
                let bits = SCALE_BITS + 2;
                let offset = (128 << bits) + (1 << (bits - 1));
                *cb = ((dot(CB_FROM_RGB, four) + offset) >> bits) as u8;
                *cr = ((dot(CR_FROM_RGB, four) + offset) >> bits) as u8;
            }
        }
    }
}

fn dot(weights: [i32; 3], values: [i32; 3]) -> i32 {
    weights[0] * values[0] + weights[1] * values[1] + weights[2] * values[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One colour over 2×2 pixels.
    fn yuv(r: u8, g: u8, b: u8) -> [u8; 3] {
        let mut picture = Yuv420::new(2, 2);
        picture.fill(&[r, g, b].repeat(4));
        assert!(picture.y.iter().all(|&y| y == picture.y[0]));
        [picture.y[0], picture.cb[0], picture.cr[0]]
    }

    #[test]
    fn the_corners_of_the_cube_are_those_of_bt601() {
        assert_eq!(yuv(0, 0, 0), [16, 128, 128]);
        assert_eq!(yuv(255, 255, 255), [235, 128, 128]);
        assert_eq!(yuv(255, 0, 0), [81, 90, 240]);
        assert_eq!(yuv(0, 255, 0), [145, 54, 34]);
        assert_eq!(yuv(0, 0, 255), [41, 240, 110]);
        assert_eq!(yuv(255, 255, 0), [210, 16, 146]);
    }

    #[test]
    fn greys_have_no_colour() {
        for level in 0..=255 {
            assert_eq!(yuv(level, level, level)[1..], [128, 128]);
        }
    }

    #[test]
    fn rounding_is_to_the_nearest() {
        for r in (0..=255u8).step_by(15) {
            for g in (0..=255u8).step_by(15) {
                for b in (0..=255u8).step_by(15) {
                    let [y, cb, cr] = yuv(r, g, b).map(f64::from);
                    let (rn, gn, bn) = (
                        f64::from(r) / 255.0,
                        f64::from(g) / 255.0,
                        f64::from(b) / 255.0,
                    );
                    let luma = 0.299 * rn + 0.587 * gn + 0.114 * bn;
                    assert!((y - (16.0 + 219.0 * luma)).abs() < 0.501);
                    assert!((cb - (128.0 + 224.0 * (bn - luma) / 1.772)).abs() < 0.505);
                    assert!((cr - (128.0 + 224.0 * (rn - luma) / 1.402)).abs() < 0.505);
                }
            }
        }
    }

    #[test]
    fn colour_is_the_mean_of_four_pixels() {
        let mut picture = Yuv420::new(2, 2);
        picture.fill(&[255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
        let [_, cb, cr] = yuv(128, 0, 0);
        assert_eq!((picture.cb[0], picture.cr[0]), (cb, cr));
    }
}
