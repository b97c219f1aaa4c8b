//! Texture lookup.

use std::sync::LazyLock;

use diorama_assets::{Image, Pixels, TextureRef, Wrap};
use glam::{Vec2, Vec3, Vec4};

/// One for each byte, and one to interpolate towards.
pub(crate) const SRGB_ENTRIES: usize = 257;

/// sRGB byte → linear, IEC 61966-2-1; the last entry is there to interpolate towards.
static SRGB_TO_LINEAR: LazyLock<[f32; SRGB_ENTRIES]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let x = byte.min(255) as f64 / 255.0;
        (if x <= 0.040_45 {
            x / 12.92
        } else {
            libm::pow((x + 0.055) / 1.055, 2.4)
        }) as f32
    })
});

/// Linear values of sRGB bytes.
pub(crate) fn srgb_to_linear() -> &'static [f32; SRGB_ENTRIES] {
    &SRGB_TO_LINEAR
}

/// An image ready for lookup.
#[derive(Debug)]
pub struct Texture {
    width: u32,
    height: u32,
    pixels: Pixels,
}

/// Linear value of an sRGB value in 0..=255, also between the whole numbers.
#[inline(always)]
fn linear_from_srgb(value: f32) -> f32 {
    let table = &*SRGB_TO_LINEAR;
    let below = (value as usize).min(255);
    let t = value - below as f32;
    table[below] * (1.0 - t) + table[below + 1] * t
}

/// How 8-bit colour values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Colour: decode sRGB.
    Srgb,
    /// Data: as they are.
    Data,
}

#[inline(always)]
fn wrap_coordinate(i: i64, size: i64, wrap: Wrap) -> usize {
    // Most are inside, and divisions are slow.
    if (0..size).contains(&i) {
        return i as usize;
    }
    let wrapped = match wrap {
        Wrap::Repeat => i.rem_euclid(size),
        Wrap::Clamp => i.clamp(0, size - 1),
        Wrap::Mirror => {
            let j = i.rem_euclid(2 * size);
            if j < size { j } else { 2 * size - 1 - j }
        }
    };
    wrapped as usize
}

/// The largest whole number that is not above `x`, for |x| below 2⁶³: without a call where the instruction set has
/// no instruction for it.
#[inline(always)]
fn below(x: f32) -> i64 {
    let towards_zero = x as i64;
    towards_zero - i64::from(towards_zero as f32 > x)
}

impl Texture {
    /// Takes over the pixels of `image`.
    pub fn new(image: &Image) -> Self {
        Self {
            width: image.width,
            height: image.height,
            pixels: image.pixels.clone(),
        }
    }

    /// Width and height, texels.
    pub(crate) fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// Row-major, top row first.
    pub(crate) fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Column in the picture of a column of the plane that it covers.
    #[inline(always)]
    fn column(&self, x: i64, use_: &TextureRef) -> usize {
        wrap_coordinate(x, i64::from(self.width), use_.wrap_u)
    }

    /// The same for rows.
    #[inline(always)]
    fn row(&self, y: i64, use_: &TextureRef) -> usize {
        wrap_coordinate(y, i64::from(self.height), use_.wrap_v)
    }

    /// A pixel as it is stored: 0..=255 of 8-bit images.
    #[inline(always)]
    fn texel(&self, column: usize, row: usize) -> Vec4 {
        let index = row * self.width as usize + column;
        match &self.pixels {
            Pixels::RgbF32(values) => Vec3::from(values[index]).extend(1.0),
            Pixels::Rgba8(values) => {
                let [r, g, b, a] = values[index];
                Vec4::new(f32::from(r), f32::from(g), f32::from(b), f32::from(a))
            }
        }
    }

    /// What a stored (or interpolated) pixel means.
    #[inline(always)]
    fn decode(&self, stored: Vec4, reading: Reading) -> Vec4 {
        match (&self.pixels, reading) {
            (Pixels::RgbF32(_), _) => stored,
            (Pixels::Rgba8(_), Reading::Data) => stored * (1.0 / 255.0),
            (Pixels::Rgba8(_), Reading::Srgb) => Vec4::new(
                linear_from_srgb(stored.x),
                linear_from_srgb(stored.y),
                linear_from_srgb(stored.z),
                stored.w * (1.0 / 255.0),
            ),
        }
    }

    /// Bilinear (or nearest) value at `uv` (origin top-left, v down). Interpolates what is stored and
    /// decodes sRGB after that, as Cycles does: edges in a picture come out darker than in light.
    pub fn lookup(&self, uv: Vec2, use_: &TextureRef, reading: Reading) -> Vec4 {
        let [a, b, c, d] = use_.matrix;
        let u = a * uv.x + b * uv.y + use_.offset[0];
        let v = c * uv.x + d * uv.y + use_.offset[1];
        // Far coordinates lose their fraction anyway: keep the casts in range.
        let x = (u * self.width as f32).clamp(-1e9, 1e9);
        let y = (v * self.height as f32).clamp(-1e9, 1e9);
        if use_.nearest {
            let stored = self.texel(self.column(below(x), use_), self.row(below(y), use_));
            return self.decode(stored, reading);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, above) = (below(x), below(y));
        let (s, t) = (x - left as f32, y - above as f32);
        let columns = [left, left + 1].map(|x| self.column(x, use_));
        let [top, bottom] = [above, above + 1].map(|y| {
            let row = self.row(y, use_);
            self.texel(columns[0], row) * (1.0 - s) + self.texel(columns[1], row) * s
        });
        self.decode(top * (1.0 - t) + bottom * t, reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_is_the_floor() {
        for x in [
            0.0,
            -0.0,
            0.5,
            -0.5,
            -1.0,
            7.25,
            -7.25,
            1e9,
            -1e9,
            16_777_215.5,
            -8_388_607.5,
        ] {
            assert_eq!(below(x), x.floor() as i64, "{x}");
        }
    }

    #[test]
    fn colours_are_mixed_as_stored_and_decoded_after() {
        let texture = Texture {
            width: 2,
            height: 1,
            pixels: Pixels::Rgba8(vec![[0, 0, 0, 255], [255, 255, 255, 255]]),
        };
        let use_ = TextureRef {
            wrap_u: Wrap::Clamp,
            ..TextureRef::of(0)
        };
        let half = |reading| texture.lookup(Vec2::new(0.5, 0.5), &use_, reading);
        assert_eq!(half(Reading::Data), Vec4::new(0.5, 0.5, 0.5, 1.0));
        // sRGB 0.5.
        let srgb = half(Reading::Srgb);
        assert!((srgb.x - 0.214_04).abs() < 1e-4 && srgb.w == 1.0, "{srgb}");
        let white = texture.lookup(Vec2::new(0.9, 0.5), &use_, Reading::Srgb);
        assert_eq!(white, Vec4::ONE);
    }
}
