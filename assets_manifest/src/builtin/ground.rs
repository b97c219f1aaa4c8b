//! Floors, walls and mirrors: what a scene stands on and between.

use core::f32::consts::TAU;

use glam::{Vec2, Vec3};

use crate::{Image, Material, TextureRef};

use super::lathe::circle;
use super::noise::{cells, fbm, hash, range, smooth_step, unit};
use super::palette::{Rgb, blend, scheme, shade};
use super::surface::{Solid, Surface, Vertex};
use super::texture::{paint, wood};

/// Radius of the floor, metres.
pub(super) const FLOOR_RADIUS: f32 = 200.0;
/// Side of ground pictures, pixels.
const SIZE: u32 = 1024;

/// Kinds of ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    Asphalt,
    Checker,
    Concrete,
    Grass,
    Gravel,
    Planks,
    Sand,
    Tiles,
}

/// Id words of the kinds, in the order of [`ALL`].
pub(super) static NAMES: [&str; 8] = [
    "asphalt", "checker", "concrete", "grass", "gravel", "planks", "sand", "tiles",
];

static ALL: [Ground; 8] = [
    Ground::Asphalt,
    Ground::Checker,
    Ground::Concrete,
    Ground::Grass,
    Ground::Gravel,
    Ground::Planks,
    Ground::Sand,
    Ground::Tiles,
];

/// Floor boards: light and dark wood of one board.
static BOARDS: [(Rgb, Rgb, &str); 4] = [
    ([0.76, 0.61, 0.43], [0.62, 0.46, 0.30], "light"),
    ([0.60, 0.43, 0.28], [0.45, 0.30, 0.18], "brown"),
    ([0.42, 0.29, 0.20], [0.30, 0.19, 0.13], "dark"),
    ([0.62, 0.59, 0.55], [0.48, 0.45, 0.41], "grey"),
];

/// Ceramic tiles: tile, grout, caption word.
static CERAMICS: [(Rgb, Rgb, &str); 5] = [
    ([0.86, 0.85, 0.82], [0.62, 0.61, 0.59], "white"),
    ([0.66, 0.42, 0.31], [0.58, 0.55, 0.50], "terracotta"),
    ([0.40, 0.42, 0.44], [0.58, 0.58, 0.57], "grey"),
    ([0.80, 0.74, 0.63], [0.55, 0.51, 0.45], "beige"),
    ([0.28, 0.36, 0.42], [0.66, 0.66, 0.64], "blue-grey"),
];

impl Ground {
    /// The kind of that id word.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let index = NAMES.iter().position(|known| *known == name)?;
        Some(ALL[index])
    }

    /// Plain noun for captions.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Asphalt => "asphalt",
            Self::Checker => "checkered floor",
            Self::Concrete => "concrete floor",
            Self::Grass => "lawn",
            Self::Gravel => "gravel",
            Self::Planks => "wooden floor",
            Self::Sand => "sand",
            Self::Tiles => "tiled floor",
        }
    }

    /// Words for a caption that go before the noun.
    pub(super) fn words(self, seed: u32) -> Vec<String> {
        let word = match self {
            Self::Checker => scheme(self.stream(seed))[0].word,
            Self::Planks => BOARDS[self.pick(seed, BOARDS.len())].2,
            Self::Tiles => CERAMICS[self.pick(seed, CERAMICS.len())].2,
            Self::Concrete => "grey",
            Self::Asphalt => "dark",
            Self::Grass => "green",
            Self::Gravel | Self::Sand => "pale",
        };
        vec![word.to_owned()]
    }

    fn stream(self, seed: u32) -> u64 {
        hash(u64::from(seed), self as i32, 1, 99)
    }

    fn pick(self, seed: u32, count: usize) -> usize {
        (hash(self.stream(seed), 7, 0, 0) % count as u64) as usize
    }

    /// Side of one texture tile, metres.
    fn tile_metres(self) -> f32 {
        match self {
            Self::Checker => 2.0,
            Self::Tiles => 2.4,
            Self::Asphalt | Self::Gravel | Self::Grass => 3.0,
            Self::Planks => 3.2,
            Self::Concrete | Self::Sand => 5.0,
        }
    }

    /// Surface of the floor; UVs are metres.
    pub(super) fn material(self) -> Material {
        let roughness = match self {
            Self::Tiles | Self::Checker => 0.3,
            Self::Planks => 0.45,
            Self::Concrete => 0.75,
            _ => 0.92,
        };
        let scale = 1.0 / self.tile_metres();
        Material {
            name: NAMES[self as usize].to_owned(),
            base_color: [1.0; 3],
            base_color_texture: Some(TextureRef {
                matrix: [scale, 0.0, 0.0, scale],
                ..TextureRef::of(0)
            }),
            roughness,
            ..Material::default()
        }
    }

    /// The picture, sRGB-encoded, tileable in both directions.
    pub(super) fn image(self, seed: u32) -> Image {
        let stream = self.stream(seed);
        let px = 1.0 / SIZE as f32;
        let name = format!("{}-{seed}", NAMES[self as usize]);
        match self {
            Self::Asphalt => {
                let tone = range(hash(stream, 0, 0, 1), 0.24, 0.34);
                paint(name, SIZE, |u, v| {
                    let stones = cells(u, v, 110, stream);
                    let stone = 0.72 + 0.75 * unit(hash(stones.id, 0, 0, 2));
                    let grain = smooth_step(0.05, 0.3, stones.second - stones.nearest);
                    let worn = 1.0 + 0.16 * fbm(u, v, 3, 3, 4, stream ^ 1);
                    let value = tone * worn * (0.72 + 0.28 * grain) * (0.8 + 0.25 * stone);
                    [value, value * 0.995, value * 0.985]
                })
            }
            Self::Checker => {
                let [a, b, _] = scheme(stream).map(|paint| paint.rgb);
                paint(name, SIZE, |u, v| {
                    let (x, y) = (u * 4.0, v * 4.0);
                    let even = (x as i32 + y as i32) % 2 == 0;
                    let joint = joint_distance(x, 4.0).min(joint_distance(y, 4.0));
                    let marble = 1.0 + 0.07 * fbm(u, v, 5, 5, 5, stream ^ 2);
                    let tile = shade(if even { a } else { b }, marble);
                    blend(
                        shade(tile, 0.72),
                        tile,
                        smooth_step(0.001, 0.001 + 1.5 * px, joint),
                    )
                })
            }
            Self::Concrete => {
                let tone = range(hash(stream, 0, 0, 1), 0.54, 0.68);
                let warm = range(hash(stream, 0, 0, 2), -0.012, 0.02);
                paint(name, SIZE, |u, v| {
                    let clouds = fbm(u, v, 3, 3, 6, stream);
                    let grain = fbm(u, v, 150, 150, 2, stream ^ 3);
                    let pore = cells(u, v, 60, stream ^ 4);
                    let size = range(hash(pore.id, 0, 0, 5), -0.25, 0.12);
                    let hole = 1.0 - smooth_step(size - 0.05, size + 0.03, pore.nearest);
                    let value = tone * (1.0 + 0.13 * clouds + 0.06 * grain - 0.28 * hole);
                    [value + warm, value, value - warm]
                })
            }
            Self::Grass => paint(name, SIZE, |u, v| grass(u, v, stream)),
            Self::Gravel => {
                let n = [34, 46, 60][(hash(stream, 0, 0, 1) % 3) as usize];
                paint(name, SIZE, |u, v| {
                    // Uneven stones: the lookup is bent a little.
                    let bend = 0.35 / n as f32;
                    let du = bend * fbm(u, v, n / 2, n / 2, 2, stream ^ 8);
                    let dv = bend * fbm(u, v, n / 2, n / 2, 2, stream ^ 9);
                    let stone = cells(u + du, v + dv, n, stream);
                    let tone = range(hash(stone.id, 0, 0, 2), 0.42, 0.80);
                    let warm = range(hash(stone.id, 0, 0, 3), -0.02, 0.05);
                    let gap = stone.second - stone.nearest;
                    let round = smooth_step(0.0, 0.28, gap);
                    let rough = 1.0 + 0.10 * fbm(u, v, 128, 128, 2, stream ^ 5);
                    let value = tone * (0.34 + 0.66 * round) * rough;
                    [value + warm, value + 0.3 * warm, value - 0.6 * warm]
                })
            }
            Self::Planks => {
                let (light, dark, _) = BOARDS[self.pick(seed, BOARDS.len())];
                paint(name, SIZE, |u, v| planks(u, v, light, dark, stream))
            }
            Self::Sand => {
                let tone = range(hash(stream, 0, 0, 1), 0.92, 1.06);
                paint(name, SIZE, |u, v| {
                    let bend = 0.06 * fbm(u, v, 3, 3, 4, stream);
                    let ripple = fbm(u + bend, v, 5, 22, 3, stream ^ 2);
                    let grain = fbm(u, v, 256, 256, 2, stream ^ 3);
                    let broad = fbm(u, v, 2, 2, 4, stream ^ 4);
                    let value = tone * (1.0 + 0.07 * ripple + 0.09 * grain + 0.06 * broad);
                    shade([0.80, 0.70, 0.53], value)
                })
            }
            Self::Tiles => {
                let (tile, grout, _) = CERAMICS[self.pick(seed, CERAMICS.len())];
                paint(name, SIZE, |u, v| {
                    let (x, y) = (u * 6.0, v * 6.0);
                    let id = hash(stream, x as i32, y as i32, 3);
                    let joint = joint_distance(x, 6.0).min(joint_distance(y, 6.0));
                    let glaze = 1.0 + 0.06 * fbm(u, v, 10, 10, 4, stream ^ 6);
                    let face = shade(tile, range(id, 0.93, 1.05) * glaze);
                    let mortar = shade(grout, 1.0 + 0.1 * fbm(u, v, 120, 120, 2, stream ^ 7));
                    // The glaze rolls off towards the joint.
                    let edge = 0.86 + 0.14 * smooth_step(0.0016, 0.005, joint);
                    blend(
                        mortar,
                        shade(face, edge),
                        smooth_step(0.0011, 0.0011 + 1.5 * px, joint),
                    )
                })
            }
        }
    }
}

/// Distance to the nearest line between `count` cells, in tiles.
fn joint_distance(x: f32, count: f32) -> f32 {
    (0.5 - (x - x.floor() - 0.5).abs()) / count
}

/// Blades as fine stretched noise in several directions, over patches of growth.
fn grass(u: f32, v: f32, stream: u64) -> Rgb {
    let patches = fbm(u, v, 4, 4, 5, stream);
    let dry = smooth_step(0.1, 0.7, fbm(u, v, 6, 6, 4, stream ^ 1));
    // Sheared lookups turn the blades; shears of whole tiles keep the tiling.
    let blades = fbm(u, v, 150, 36, 2, stream ^ 2)
        .max(fbm(u + v, v, 150, 36, 2, stream ^ 3))
        .max(fbm(u - v, v, 150, 36, 2, stream ^ 4));
    let fine = fbm(u, v, 250, 250, 2, stream ^ 5);
    let light = 0.62 + 0.55 * blades + 0.18 * patches + 0.12 * fine;
    let green = blend([0.33, 0.44, 0.17], [0.52, 0.52, 0.26], dry * 0.55);
    shade(green, light.clamp(0.2, 1.35))
}

/// Sixteen rows of two boards, ends staggered by hash.
fn planks(u: f32, v: f32, light: Rgb, dark: Rgb, stream: u64) -> Rgb {
    const ROWS: f32 = 16.0;
    let x = u * ROWS;
    let row = x as i32;
    let start = unit(hash(stream, row, 0, 1));
    // Two boards a tile in each row.
    let y = (v + start) * 2.0;
    let board = (y.floor() as i32).rem_euclid(2);
    let id = hash(stream, row, board, 2);
    let joint = joint_distance(x, ROWS).min(joint_distance(y, 2.0));
    // Each board is cut from another place of the trunk.
    let grain = wood(u + unit(id), v + unit(id << 20), 11.0, light, dark, stream);
    let tinted = shade(grain, range(id << 10, 0.82, 1.12));
    blend(
        shade(dark, 0.35),
        tinted,
        smooth_step(0.0004, 0.0016, joint),
    )
}

/// A disc of radius [`FLOOR_RADIUS`] at z = 0 facing +Z; UV in metres.
///
/// Rings grow with the distance, so that triangles near the middle, where objects stand, are small.
/// Physics sees a slab of 1 m below it.
pub(super) fn floor() -> Solid {
    const COLUMNS: usize = 64;
    let mut rings = vec![0.0_f32];
    let mut radius = 1.0;
    while radius < FLOOR_RADIUS {
        rings.push(radius);
        radius *= 1.4;
    }
    rings.push(FLOOR_RADIUS);
    let directions = circle(COLUMNS);
    let mut surface = Surface::default();
    surface.grid(rings.len(), COLUMNS + 1, |row, column| {
        let position = (directions[column % COLUMNS] * rings[row]).extend(0.0);
        Vertex {
            position,
            normal: Vec3::Z,
            uv: Vec2::new(position.x, -position.y),
        }
    });
    let slab = (0..16)
        .flat_map(|step| {
            let angle = TAU * step as f32 / 16.0;
            let (x, y) = (libm::cosf(angle), libm::sinf(angle));
            [0.0, -1.0].map(|z| Vec3::new(x * FLOOR_RADIUS, y * FLOOR_RADIUS, z))
        })
        .collect();
    Solid {
        mesh: surface.into_mesh("floor"),
        pieces: vec![slab],
    }
}

/// A smooth mirror.
pub(super) fn mirror_material() -> Material {
    Material {
        name: "mirror".to_owned(),
        base_color: [0.92; 3],
        metallic: 1.0,
        roughness: 0.0,
        ..Material::default()
    }
}

/// Painted wall.
pub(super) fn wall_material() -> Material {
    Material {
        name: "wall".to_owned(),
        base_color: [0.72, 0.71, 0.68],
        roughness: 0.8,
        ..Material::default()
    }
}
