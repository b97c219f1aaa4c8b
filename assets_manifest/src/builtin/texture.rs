//! Procedural textures of the built-in objects: tileable, seeded, with words for captions.

use crate::{Image, Material, Pixels, TextureRef};

use super::noise::{cells, fbm, hash, range, smooth_step, triangle, unit};
use super::palette::{Named, Rgb, blend, scheme, shade};

/// Kinds of pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Brick,
    Checker,
    Dots,
    Hexagons,
    Marble,
    Noise,
    Plaid,
    Plain,
    Stripes,
    Terrazzo,
    Wood,
    Zigzag,
}

/// Id words of the kinds, in the order of [`ALL`].
pub(super) static NAMES: [&str; 12] = [
    "brick", "checker", "dots", "hexagons", "marble", "noise", "plaid", "plain", "stripes",
    "terrazzo", "wood", "zigzag",
];

static ALL: [Kind; 12] = [
    Kind::Brick,
    Kind::Checker,
    Kind::Dots,
    Kind::Hexagons,
    Kind::Marble,
    Kind::Noise,
    Kind::Plaid,
    Kind::Plain,
    Kind::Stripes,
    Kind::Terrazzo,
    Kind::Wood,
    Kind::Zigzag,
];

/// Side of the square pictures, pixels.
const SIZE: u32 = 512;

/// Wood shades: light early wood, dark late wood, caption word.
static WOODS: [(Rgb, Rgb, &str); 5] = [
    ([0.82, 0.66, 0.46], [0.66, 0.47, 0.29], "light"),
    ([0.68, 0.48, 0.30], [0.47, 0.29, 0.16], "brown"),
    ([0.47, 0.30, 0.19], [0.27, 0.16, 0.10], "dark"),
    ([0.66, 0.36, 0.22], [0.43, 0.19, 0.11], "reddish"),
    ([0.74, 0.68, 0.58], [0.55, 0.49, 0.41], "pale"),
];

/// Brick shades: face, mortar, caption word.
static BRICKS: [(Rgb, Rgb, &str); 4] = [
    ([0.62, 0.29, 0.22], [0.74, 0.71, 0.66], "red"),
    ([0.72, 0.60, 0.42], [0.62, 0.60, 0.56], "yellow"),
    ([0.50, 0.50, 0.51], [0.70, 0.69, 0.67], "grey"),
    ([0.44, 0.26, 0.20], [0.56, 0.53, 0.49], "brown"),
];

impl Kind {
    /// The kind of that id word.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let index = NAMES.iter().position(|known| *known == name)?;
        Some(ALL[index])
    }

    /// Words for a caption, pattern first: `["striped", "red"]`.
    pub(super) fn words(self, seed: u32) -> Vec<String> {
        let colour = self.colours(seed)[0].word;
        let words: Vec<&str> = match self {
            Self::Brick => vec!["brick-patterned", BRICKS[self.shade_index(seed, 4)].2],
            Self::Checker => vec!["checkered", colour],
            Self::Dots => vec!["dotted", colour],
            Self::Hexagons => vec!["honeycomb-patterned", colour],
            Self::Marble => vec!["marbled", colour],
            Self::Noise => vec!["mottled", colour],
            Self::Plaid => vec!["plaid", colour],
            Self::Plain => vec![colour],
            Self::Stripes => vec!["striped", colour],
            Self::Terrazzo => vec!["speckled", colour],
            Self::Wood => vec!["wooden", WOODS[self.shade_index(seed, 5)].2],
            Self::Zigzag => vec!["zigzag-patterned", colour],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn stream(self, seed: u32) -> u64 {
        hash(u64::from(seed), self as i32, 0, 77)
    }

    fn colours(self, seed: u32) -> [Named; 3] {
        scheme(self.stream(seed))
    }

    fn shade_index(self, seed: u32, count: u64) -> usize {
        (hash(self.stream(seed), 1, 0, 78) % count) as usize
    }

    /// A Principled surface that fits the pattern, its colour from image 0.
    pub(super) fn material(self) -> Material {
        let (roughness, coat) = match self {
            Self::Brick => (0.9, 0.0),
            Self::Marble | Self::Terrazzo => (0.22, 0.0),
            Self::Noise => (0.6, 0.0),
            Self::Plain => (0.35, 0.0),
            Self::Wood => (0.5, 0.25),
            _ => (0.42, 0.0),
        };
        Material {
            name: NAMES[self as usize].to_owned(),
            base_color: [1.0; 3],
            base_color_texture: Some(TextureRef::of(0)),
            roughness,
            coat,
            ..Material::default()
        }
    }

    /// The picture, sRGB-encoded, tileable in both directions.
    pub(super) fn image(self, seed: u32) -> Image {
        let stream = self.stream(seed);
        let [a, b, c] = self.colours(seed).map(|paint| paint.rgb);
        // Width of one pixel in tiles, for edges.
        let px = 1.0 / SIZE as f32;
        let count = |label: u32, options: &[i32]| {
            options[(hash(stream, 2, 0, label) % options.len() as u64) as usize]
        };
        let name = format!("{}-{seed}", NAMES[self as usize]);
        match self {
            Self::Plain => paint(name, SIZE / 2, |u, v| {
                shade(a, 1.0 + 0.02 * fbm(u, v, 4, 4, 3, stream))
            }),
            Self::Checker => {
                let n = count(0, &[4, 6, 8]) as f32;
                paint(name, SIZE, |u, v| {
                    // Signed distances to the cell borders multiply like the pattern itself.
                    let (x, y) = (triangle(u * n * 0.5 + 0.25), triangle(v * n * 0.5 + 0.25));
                    let edge = |t: f32| ((t - 0.5) / (n * px) * 0.9).clamp(-0.5, 0.5) * 2.0;
                    blend(a, b, 0.5 - 0.5 * edge(x) * edge(y))
                })
            }
            Self::Stripes => {
                let n = count(0, &[3, 4, 6, 8]) as f32;
                let slant = count(1, &[0, 0, 1]) as f32;
                let share = range(hash(stream, 3, 0, 0), 0.4, 0.65);
                paint(name, SIZE, |u, v| {
                    let t = triangle((u * slant + v) * n);
                    blend(a, b, 0.5 + (t - share) / (2.4 * n * px))
                })
            }
            Self::Dots => {
                let n = count(0, &[4, 6, 8]) as f32;
                let radius = range(hash(stream, 3, 0, 0), 0.24, 0.36);
                paint(name, SIZE, |u, v| {
                    let row = (v * n).floor();
                    let shift = if row as i32 % 2 == 0 { 0.0 } else { 0.5 };
                    let x = (u * n + shift) - (u * n + shift).floor() - 0.5;
                    let y = v * n - row - 0.5;
                    let distance = (x * x + y * y).sqrt();
                    blend(b, a, 0.5 + (distance - radius) / (1.2 * n * px))
                })
            }
            Self::Zigzag => {
                let n = count(0, &[3, 4, 6]) as f32;
                let teeth = count(1, &[4, 6]) as f32;
                paint(name, SIZE, |u, v| {
                    let t = triangle(v * n + 0.5 * triangle(u * teeth));
                    blend(a, b, 0.5 + (t - 0.5) / (3.6 * n * px))
                })
            }
            Self::Hexagons => hexagons(name, [a, b, c], stream),
            Self::Plaid => {
                let n = count(0, &[2, 3]) as f32;
                let band = |t: f32, n: f32, low: f32, high: f32| {
                    let t = triangle(t * n);
                    let w = 1.5 * n * px;
                    smooth_step(low - w, low + w, t) * (1.0 - smooth_step(high - w, high + w, t))
                };
                paint(name, SIZE, |u, v| {
                    let wide = band(u, n, 0.55, 2.0) + band(v, n, 0.55, 2.0);
                    let thin = band(u, n, 0.18, 0.24).max(band(v, n, 0.18, 0.24));
                    // Twill: a fine diagonal weave.
                    let twill = 0.97 + 0.06 * triangle((u + v) * 128.0);
                    shade(blend(blend(a, b, wide * 0.45), c, thin * 0.8), twill)
                })
            }
            Self::Noise => paint(name, SIZE, |u, v| {
                let t = 0.5 + 0.9 * fbm(u, v, 4, 4, 5, stream);
                let near = blend(a, b, 0.38);
                shade(
                    blend(a, near, t),
                    1.0 + 0.05 * fbm(u, v, 64, 64, 2, stream ^ 5),
                )
            }),
            Self::Marble => paint(name, SIZE, |u, v| {
                let warp = fbm(u, v, 3, 3, 4, stream);
                let vein = |period: i32, seed: u64, width: f32| {
                    let ridge = fbm(u, v, period, period, 5, stream ^ seed) + 0.25 * warp;
                    1.0 - smooth_step(0.0, width, ridge.abs())
                };
                let ground = blend(a, shade(blend(a, b, 0.3), 0.94), 0.5 + 0.9 * warp);
                let fine = vein(5, 21, 0.035) * 0.45;
                let wide = vein(2, 22, 0.08) * 0.8;
                blend(ground, b, fine.max(wide))
            }),
            Self::Terrazzo => {
                let n = count(0, &[12, 16, 22]);
                paint(name, SIZE, |u, v| {
                    let chips = cells(u, v, n, stream);
                    let kind = unit(hash(chips.id, 0, 0, 3));
                    let chip = if kind < 0.3 {
                        b
                    } else if kind < 0.55 {
                        c
                    } else if kind < 0.7 {
                        shade(a, 0.72)
                    } else {
                        a
                    };
                    let gap = range(hash(chips.id, 0, 0, 4), 0.12, 0.34);
                    let width = 1.4 * n as f32 * px;
                    let inside = 0.5 + (chips.second - chips.nearest - gap) / width;
                    blend(
                        shade(a, 1.0 + 0.04 * fbm(u, v, 48, 48, 2, stream)),
                        chip,
                        inside,
                    )
                })
            }
            Self::Wood => {
                let (light, dark, _) = WOODS[self.shade_index(seed, 5)];
                let rings = count(0, &[5, 7, 9]) as f32;
                paint(name, SIZE, |u, v| wood(u, v, rings, light, dark, stream))
            }
            Self::Brick => {
                let (face, mortar, _) = BRICKS[self.shade_index(seed, 4)];
                paint(name, SIZE, |u, v| brick(u, v, face, mortar, stream))
            }
        }
    }
}

/// Fills a square picture from a function of the pixel centres in tiles.
pub(super) fn paint(name: String, size: u32, colour: impl Fn(f32, f32) -> Rgb) -> Image {
    let mut pixels = Vec::with_capacity((size * size) as usize);
    for j in 0..size {
        for i in 0..size {
            let rgb = colour(
                (i as f32 + 0.5) / size as f32,
                (j as f32 + 0.5) / size as f32,
            );
            let [r, g, b] = rgb.map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            pixels.push([r, g, b, 255]);
        }
    }
    Image {
        name,
        width: size,
        height: size,
        pixels: Pixels::Rgba8(pixels),
    }
}

/// Grain along v: rings bent by slow noise, fibres stretched along the grain.
pub(super) fn wood(u: f32, v: f32, rings: f32, light: Rgb, dark: Rgb, stream: u64) -> Rgb {
    let bend = fbm(u, v, 3, 1, 4, stream);
    let ring = triangle(u * rings + 1.6 * bend);
    // Late wood: a slow rise and a sudden end.
    let late = ring * ring;
    let fibre = fbm(u, v, 96, 4, 3, stream ^ 1);
    let pores = smooth_step(0.25, 0.6, fbm(u, v, 128, 8, 2, stream ^ 2));
    let colour = blend(light, dark, 0.15 + 0.6 * late + 0.25 * fibre);
    shade(colour, 1.0 - 0.16 * pores + 0.06 * bend)
}

/// Running bond: 8 courses of 4 bricks a tile.
fn brick(u: f32, v: f32, face: Rgb, mortar: Rgb, stream: u64) -> Rgb {
    const COURSES: f32 = 8.0;
    const BRICKS_A_COURSE: f32 = 4.0;
    // Uneven edges.
    let wobble = 0.004 * fbm(u, v, 24, 24, 2, stream ^ 3);
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
    let rough = fbm(u, v, 40, 40, 3, stream ^ 4);
    let tint = range(id, 0.78, 1.14);
    let warm = range(id << 20, -0.025, 0.025);
    let body = shade(
        [face[0] + warm, face[1], face[2] - warm],
        tint + 0.12 * rough,
    );
    blend(shade(mortar, 0.92 + 0.12 * rough), body, inside)
}

/// Hexagons of three colours with a thin border of the second.
fn hexagons(name: String, [a, b, c]: [Rgb; 3], stream: u64) -> Image {
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
        blend(
            b,
            fill,
            0.5 + (gap - 0.07) / (2.5 * COLUMNS as f32 / SIZE as f32),
        )
    })
}
