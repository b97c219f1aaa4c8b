//! Texture lookup.

use std::sync::LazyLock;

use diorama_assets::{Image, Pixels, TextureRef, Wrap};
use glam::{Vec2, Vec3, Vec4};

/// sRGB byte → linear, IEC 61966-2-1.
static SRGB_TO_LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let x = byte as f64 / 255.0;
        (if x <= 0.040_45 {
            x / 12.92
        } else {
            libm::pow((x + 0.055) / 1.055, 2.4)
        }) as f32
    })
});

/// Linear values of sRGB bytes.
pub(crate) fn srgb_to_linear() -> &'static [f32; 256] {
    &SRGB_TO_LINEAR
}

/// An image ready for lookup.
#[derive(Debug)]
pub struct Texture {
    width: u32,
    height: u32,
    pixels: Pixels,
}

/// How 8-bit colour values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Colour: decode sRGB.
    Srgb,
    /// Data: as they are.
    Data,
}

fn wrap_coordinate(i: i64, size: i64, wrap: Wrap) -> usize {
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

    #[inline(always)]
    fn texel(&self, x: i64, y: i64, use_: &TextureRef, reading: Reading) -> Vec4 {
        let column = wrap_coordinate(x, i64::from(self.width), use_.wrap_u);
        let row = wrap_coordinate(y, i64::from(self.height), use_.wrap_v);
        let index = row * self.width as usize + column;
        match &self.pixels {
            Pixels::RgbF32(values) => Vec3::from(values[index]).extend(1.0),
            Pixels::Rgba8(values) => {
                let [r, g, b, a] = values[index];
                let alpha = f32::from(a) * (1.0 / 255.0);
                match reading {
                    Reading::Srgb => {
                        let table = &*SRGB_TO_LINEAR;
                        Vec4::new(
                            table[r as usize],
                            table[g as usize],
                            table[b as usize],
                            alpha,
                        )
                    }
                    Reading::Data => {
                        let scale = 1.0 / 255.0;
                        Vec4::new(
                            f32::from(r) * scale,
                            f32::from(g) * scale,
                            f32::from(b) * scale,
                            alpha,
                        )
                    }
                }
            }
        }
    }

    /// Bilinear (or nearest) value at `uv` (origin top-left, v down).
    pub fn lookup(&self, uv: Vec2, use_: &TextureRef, reading: Reading) -> Vec4 {
        let [a, b, c, d] = use_.matrix;
        let u = a * uv.x + b * uv.y + use_.offset[0];
        let v = c * uv.x + d * uv.y + use_.offset[1];
        // Far coordinates lose their fraction anyway: keep the casts in range.
        let x = (u * self.width as f32).clamp(-1e9, 1e9);
        let y = (v * self.height as f32).clamp(-1e9, 1e9);
        if use_.nearest {
            return self.texel(x.floor() as i64, y.floor() as i64, use_, reading);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (s, t) = (x - x0, y - y0);
        let (x0, y0) = (x0 as i64, y0 as i64);
        let top = self.texel(x0, y0, use_, reading) * (1.0 - s)
            + self.texel(x0 + 1, y0, use_, reading) * s;
        let bottom = self.texel(x0, y0 + 1, use_, reading) * (1.0 - s)
            + self.texel(x0 + 1, y0 + 1, use_, reading) * s;
        top * (1.0 - t) + bottom * t
    }
}
