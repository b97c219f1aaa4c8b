//! The pictures of [`super::texture`]: functions of the place in one tile.

use rayon::prelude::*;

use crate::{Image, Pixels};

use super::noise::{Cells, Noise, hash, range, smooth_step, triangle, unit};
use super::palette::{Rgb, blend, shade};

/// Side of the square pictures, pixels.
const SIZE: u32 = 512;
/// Width of one pixel in tiles.
const PX: f32 = 1.0 / SIZE as f32;

/// Fills a square picture from a function of the pixel centres in tiles.
pub(super) fn paint(name: String, size: u32, colour: impl Fn(f32, f32) -> Rgb + Sync) -> Image {
    let side = size as usize;
    let mut pixels = vec![[0, 0, 0, 255]; side * side];
    pixels
        .par_chunks_exact_mut(side)
        .enumerate()
        .for_each(|(j, row)| {
            let v = (j as f32 + 0.5) / size as f32;
            for (i, pixel) in row.iter_mut().enumerate() {
                let rgb = colour((i as f32 + 0.5) / size as f32, v);
                let [r, g, b] = rgb.map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
                *pixel = [r, g, b, 255];
            }
        });
    Image {
        name,
        width: size,
        height: size,
        pixels: Pixels::Rgba8(pixels),
    }
}

/// One of the options, by seed.
fn choose<T: Copy>(stream: u64, label: u32, options: &[T]) -> T {
    options[(hash(stream, 2, 0, label) % options.len() as u64) as usize]
}

/// Paint that is not quite even.
pub(super) fn plain(name: String, [a, ..]: [Rgb; 3], stream: u64) -> Image {
    let uneven = Noise::new(4, 4, 3, stream);
    paint(name, SIZE / 2, |u, v| {
        shade(a, 1.0 + 0.02 * uneven.at(u, v))
    })
}

/// Chessboard.
pub(super) fn checker(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let n: f32 = choose(stream, 0, &[4.0, 6.0, 8.0]);
    paint(name, SIZE, |u, v| {
        // Signed distances to the cell borders multiply like the pattern itself.
        let (x, y) = (triangle(u * n * 0.5 + 0.25), triangle(v * n * 0.5 + 0.25));
        let edge = |t: f32| ((t - 0.5) / (n * PX) * 0.9).clamp(-0.5, 0.5) * 2.0;
        blend(a, b, 0.5 - 0.5 * edge(x) * edge(y))
    })
}

/// Level or slanted stripes.
pub(super) fn stripes(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let n: f32 = choose(stream, 0, &[3.0, 4.0, 6.0, 8.0]);
    let slant: f32 = choose(stream, 1, &[0.0, 0.0, 1.0]);
    let share = range(hash(stream, 3, 0, 0), 0.4, 0.65);
    paint(name, SIZE, |u, v| {
        let t = triangle((u * slant + v) * n);
        blend(a, b, 0.5 + (t - share) / (2.4 * n * PX))
    })
}

/// Staggered dots of the second colour.
pub(super) fn dots(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let n: f32 = choose(stream, 0, &[4.0, 6.0, 8.0]);
    let radius = range(hash(stream, 3, 0, 0), 0.24, 0.36);
    paint(name, SIZE, |u, v| {
        let row = (v * n).floor();
        let shift = if row as i32 % 2 == 0 { 0.0 } else { 0.5 };
        let x = (u * n + shift) - (u * n + shift).floor() - 0.5;
        let y = v * n - row - 0.5;
        let distance = (x * x + y * y).sqrt();
        blend(b, a, 0.5 + (distance - radius) / (1.2 * n * PX))
    })
}

/// Zigzag bands.
pub(super) fn zigzag(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let n: f32 = choose(stream, 0, &[3.0, 4.0, 6.0]);
    let teeth: f32 = choose(stream, 1, &[4.0, 6.0]);
    paint(name, SIZE, |u, v| {
        let t = triangle(v * n + 0.5 * triangle(u * teeth));
        blend(a, b, 0.5 + (t - 0.5) / (3.6 * n * PX))
    })
}

/// Tartan: wide bands of the second colour woven over the first, thin lines of the third.
pub(super) fn plaid(name: String, [a, b, c]: [Rgb; 3], stream: u64) -> Image {
    let n: f32 = choose(stream, 0, &[2.0, 3.0]);
    let band = |t: f32, low: f32, high: f32| {
        let t = triangle(t * n);
        let w = 1.5 * n * PX;
        smooth_step(low - w, low + w, t) * (1.0 - smooth_step(high - w, high + w, t))
    };
    paint(name, SIZE, |u, v| {
        let wide = band(u, 0.55, 2.0) + band(v, 0.55, 2.0);
        let thin = band(u, 0.18, 0.24).max(band(v, 0.18, 0.24));
        // Twill: a fine diagonal weave.
        let twill = 0.97 + 0.06 * triangle((u + v) * 128.0);
        shade(blend(blend(a, b, wide * 0.45), c, thin * 0.8), twill)
    })
}

/// Cloudy paint.
pub(super) fn mottled(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let clouds = Noise::new(4, 4, 5, stream);
    let grain = Noise::new(64, 64, 2, stream ^ 5);
    let near = blend(a, b, 0.38);
    paint(name, SIZE, |u, v| {
        let t = 0.5 + 0.9 * clouds.at(u, v);
        shade(blend(a, near, t), 1.0 + 0.05 * grain.at(u, v))
    })
}

/// Veins of the second colour where bent noise crosses zero.
pub(super) fn marble(name: String, [a, b, _]: [Rgb; 3], stream: u64) -> Image {
    let warp = Noise::new(3, 3, 4, stream);
    let fine = Noise::new(5, 5, 5, stream ^ 8);
    let wide = Noise::new(2, 2, 5, stream ^ 9);
    let clouded = shade(blend(a, b, 0.3), 0.94);
    paint(name, SIZE, |u, v| {
        let warp = warp.at(u, v);
        let vein = |noise: &Noise, width: f32| {
            1.0 - smooth_step(0.0, width, (noise.at(u, v) + 0.25 * warp).abs())
        };
        let ground = blend(a, clouded, 0.5 + 0.9 * warp);
        blend(
            ground,
            b,
            (0.45 * vein(&fine, 0.035)).max(0.8 * vein(&wide, 0.08)),
        )
    })
}

/// Stone chips of several colours and sizes in the first.
pub(super) fn terrazzo(name: String, [a, b, c]: [Rgb; 3], stream: u64) -> Image {
    let n: usize = choose(stream, 0, &[12, 16, 22]);
    let cells = Cells::new(n, stream);
    let grain = Noise::new(48, 48, 2, stream);
    paint(name, SIZE, |u, v| {
        let chip = cells.at(u, v);
        let kind = unit(hash(chip.id, 0, 0, 3));
        let colour = if kind < 0.3 {
            b
        } else if kind < 0.55 {
            c
        } else if kind < 0.7 {
            shade(a, 0.72)
        } else {
            a
        };
        let gap = range(hash(chip.id, 0, 0, 4), 0.12, 0.34);
        let inside = 0.5 + (chip.second - chip.nearest - gap) / (1.4 * n as f32 * PX);
        blend(shade(a, 1.0 + 0.04 * grain.at(u, v)), colour, inside)
    })
}

/// Hexagons of three colours with a thin border of the second.
pub(super) fn hexagons(name: String, [a, b, c]: [Rgb; 3], stream: u64) -> Image {
    // 7 columns by 8 rows are regular hexagons within 1 %.
    const COLUMNS: i32 = 7;
    const ROWS: i32 = 8;
    paint(name, SIZE, |u, v| {
        let (x, y) = (u * COLUMNS as f32, v * ROWS as f32);
        let row = y.floor() as i32;
        let mut near: [(f32, i32, i32); 2] = [(f32::MAX, 0, 0); 2];
        for r in row - 1..=row + 1 {
            let shift = if r.rem_euclid(2) == 0 { 0.0 } else { 0.5 };
            let column = (x - shift).floor() as i32;
            for k in column - 1..=column + 1 {
                let dx = x - (k as f32 + shift + 0.5);
                let dy = (y - (r as f32 + 0.5)) * 0.866;
                let distance = (dx * dx + dy * dy).sqrt();
                if distance < near[0].0 {
                    near = [(distance, k, r), near[0]];
                } else if distance < near[1].0 {
                    near[1] = (distance, k, r);
                }
            }
        }
        let (_, k, r) = near[0];
        let id = hash(stream, k.rem_euclid(COLUMNS), r.rem_euclid(ROWS), 6);
        let fill = match id % 5 {
            0 => c,
            1 => shade(a, 0.82),
            _ => a,
        };
        let gap = near[1].0 - near[0].0;
        blend(b, fill, 0.5 + (gap - 0.07) / (2.5 * COLUMNS as f32 * PX))
    })
}

/// Grain along v: rings bent by slow noise, fibres stretched along the grain.
pub(super) struct Wood {
    /// Rings per tile; whole.
    pub(super) rings: f32,
    /// Early and late wood.
    pub(super) light: Rgb,
    pub(super) dark: Rgb,
    bend: Noise,
    fibre: Noise,
    pores: Noise,
}

impl Wood {
    pub(super) fn new(rings: f32, light: Rgb, dark: Rgb, stream: u64) -> Self {
        Self {
            rings,
            light,
            dark,
            bend: Noise::new(3, 1, 4, stream),
            fibre: Noise::new(96, 4, 3, stream ^ 1),
            pores: Noise::new(128, 8, 2, stream ^ 2),
        }
    }

    pub(super) fn at(&self, u: f32, v: f32) -> Rgb {
        let bend = self.bend.at(u, v);
        let ring = triangle(u * self.rings + 1.6 * bend);
        // Late wood: a slow rise and a sudden end.
        let late = ring * ring;
        let pores = smooth_step(0.25, 0.6, self.pores.at(u, v));
        let t = 0.15 + 0.6 * late + 0.25 * self.fibre.at(u, v);
        shade(
            blend(self.light, self.dark, t),
            1.0 - 0.16 * pores + 0.06 * bend,
        )
    }
}

/// A sawn board.
pub(super) fn wood(name: String, light: Rgb, dark: Rgb, stream: u64) -> Image {
    let wood = Wood::new(choose(stream, 0, &[5.0, 7.0, 9.0]), light, dark, stream);
    paint(name, SIZE, |u, v| wood.at(u, v))
}

/// Running bond: 8 courses of 4 bricks a tile.
pub(super) fn brick(name: String, face: Rgb, mortar: Rgb, stream: u64) -> Image {
    const COURSES: f32 = 8.0;
    const BRICKS_A_COURSE: f32 = 4.0;
    let edges = Noise::new(24, 24, 2, stream ^ 3);
    let grain = Noise::new(40, 40, 3, stream ^ 4);
    paint(name, SIZE, |u, v| {
        let wobble = 0.004 * edges.at(u, v);
        let y = (v + wobble) * COURSES;
        let course = y.floor();
        let shift = if course as i32 % 2 == 0 { 0.0 } else { 0.5 };
        let x = (u + wobble) * BRICKS_A_COURSE + shift;
        let column = x.floor();
        let id = hash(
            stream,
            (column as i32).rem_euclid(BRICKS_A_COURSE as i32),
            (course as i32).rem_euclid(COURSES as i32),
            5,
        );
        // Distance to the nearest joint, in tiles.
        let to_joint = (0.5 - (x - column - 0.5).abs()) / BRICKS_A_COURSE;
        let to_bed = (0.5 - (y - course - 0.5).abs()) / COURSES;
        let inside = smooth_step(0.0045, 0.0085, to_joint.min(to_bed));
        let rough = grain.at(u, v);
        let warm = range(id << 20, -0.025, 0.025);
        let body = shade(
            [face[0] + warm, face[1], face[2] - warm],
            range(id, 0.78, 1.14) + 0.12 * rough,
        );
        blend(shade(mortar, 0.92 + 0.12 * rough), body, inside)
    })
}
