//! Pictures whose motion is known.

use crate::plane::Luma;

/// A smooth random texture, defined everywhere: value noise of three octaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texture {
    seed: u32,
}

impl Texture {
    pub(crate) fn new(seed: u32) -> Self {
        Self { seed }
    }

    /// Value at a place, 0 to 255.
    pub(crate) fn at(self, x: f32, y: f32) -> f32 {
        let mut sum = 0.0;
        for (octave, (size, strength)) in [(23.0, 90.0), (9.0, 60.0), (4.0, 40.0)]
            .into_iter()
            .enumerate()
        {
            let (u, v) = (x / size, y / size);
            let (i, j) = (u.floor(), v.floor());
            let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
            let (s, t) = (smooth(u - i), smooth(v - j));
            let at = |di: i32, dj: i32| self.hash(i as i32 + di, j as i32 + dj, octave as u32);
            let top = at(0, 0) + (at(1, 0) - at(0, 0)) * s;
            let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * s;
            sum += strength * (top + (bottom - top) * t);
        }
        30.0 + sum
    }

    fn hash(self, x: i32, y: i32, octave: u32) -> f32 {
        let mut h = (x as u32).wrapping_mul(0x9E37_79B1)
            ^ (y as u32).wrapping_mul(0x85EB_CA77)
            ^ octave.wrapping_mul(0xC2B2_AE3D)
            ^ self.seed.wrapping_mul(0x27D4_EB2F);
        h ^= h >> 15;
        h = h.wrapping_mul(0x2C1B_3C6D);
        h ^= h >> 12;
        h = h.wrapping_mul(0x297A_2D39);
        h ^= h >> 15;
        (h >> 8) as f32 / (1u32 << 24) as f32
    }
}

/// The texture after it has moved by (dx, dy) pixels.
pub(crate) fn moved_texture(
    texture: Texture,
    width: usize,
    height: usize,
    dx: f32,
    dy: f32,
) -> Luma {
    paint(width, height, |x, y| texture.at(x - dx, y - dy))
}

/// A picture of the values at pixel centres.
pub(crate) fn paint(width: usize, height: usize, value: impl Fn(f32, f32) -> f32) -> Luma {
    let data = (0..width * height)
        .map(|i| value((i % width) as f32 + 0.5, (i / width) as f32 + 0.5))
        .collect();
    Luma {
        width,
        height,
        data,
    }
}
