//! Floors, walls and mirrors: what a scene stands on and between.

use core::f32::consts::TAU;

use glam::{Vec2, Vec3};

use crate::{Image, Material, TextureRef};

use super::lathe::circle;
use super::noise::{Cells, Noise, hash, range, smooth_step, unit};
use super::palette::{Rgb, blend, scheme, shade};
use super::patterns::{Wood, paint};
use super::surface::{Solid, Surface, Vertex};

/// Radius of the floor, metres.
pub(super) const FLOOR_RADIUS: f32 = 200.0;
/// Side of ground pictures, pixels.
const SIZE: u32 = 1024;
/// Width of one pixel in tiles.
const PX: f32 = 1.0 / SIZE as f32;

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
        let name = format!("{}-{seed}", NAMES[self as usize]);
        match self {
            Self::Asphalt => asphalt(name, stream),
            Self::Checker => {
                let [a, b, _] = scheme(stream).map(|paint| paint.rgb);
                checker(name, [a, b], stream)
            }
            Self::Concrete => concrete(name, stream),
            Self::Grass => grass(name, stream),
            Self::Gravel => gravel(name, stream),
            Self::Planks => {
                let (light, dark, _) = BOARDS[self.pick(seed, BOARDS.len())];
                planks(name, light, dark, stream)
            }
            Self::Sand => sand(name, stream),
            Self::Tiles => {
                let (tile, grout, _) = CERAMICS[self.pick(seed, CERAMICS.len())];
                tiles(name, tile, grout, stream)
            }
        }
    }
}

/// Light and dark grit in bitumen, worn in patches.
fn asphalt(name: String, stream: u64) -> Image {
    let tone = range(hash(stream, 0, 0, 1), 0.24, 0.34);
    let stones = Cells::new(110, stream);
    let wear = Noise::new(3, 3, 4, stream ^ 1);
    paint(name, SIZE, |u, v| {
        let stone = stones.at(u, v);
        let bright = 0.72 + 0.75 * unit(hash(stone.id, 0, 0, 2));
        let grain = smooth_step(0.05, 0.3, stone.second - stone.nearest);
        let worn = 1.0 + 0.16 * wear.at(u, v);
        let value = tone * worn * (0.72 + 0.28 * grain) * (0.8 + 0.25 * bright);
        [value, value * 0.995, value * 0.985]
    })
}

/// Large glazed tiles of two colours, faintly marbled.
fn checker(name: String, colours: [Rgb; 2], stream: u64) -> Image {
    let veins = Noise::new(5, 5, 5, stream ^ 2);
    paint(name, SIZE, |u, v| {
        let (x, y) = (u * 4.0, v * 4.0);
        let joint = joint_distance(x, 4.0).min(joint_distance(y, 4.0));
        let colour = colours[(x as usize + y as usize) % 2];
        let tile = shade(colour, 1.0 + 0.07 * veins.at(u, v));
        blend(
            shade(tile, 0.72),
            tile,
            smooth_step(0.001, 0.001 + 1.5 * PX, joint),
        )
    })
}

/// Cloudy cement with grain and pores.
fn concrete(name: String, stream: u64) -> Image {
    let tone = range(hash(stream, 0, 0, 1), 0.54, 0.68);
    let warm = range(hash(stream, 0, 0, 2), -0.012, 0.02);
    let clouds = Noise::new(3, 3, 6, stream);
    let grain = Noise::new(150, 150, 2, stream ^ 3);
    let pores = Cells::new(60, stream ^ 4);
    paint(name, SIZE, |u, v| {
        let pore = pores.at(u, v);
        // Most cells have none.
        let size = range(hash(pore.id, 0, 0, 5), -0.25, 0.12);
        let hole = 1.0 - smooth_step(size - 0.05, size + 0.03, pore.nearest);
        let uneven = 0.13 * clouds.at(u, v) + 0.06 * grain.at(u, v);
        let value = tone * (1.0 + uneven - 0.28 * hole);
        [value + warm, value, value - warm]
    })
}

/// Blades as fine stretched noise in several directions, over patches of growth.
fn grass(name: String, stream: u64) -> Image {
    let patches = Noise::new(4, 4, 5, stream);
    let drought = Noise::new(6, 6, 4, stream ^ 1);
    let blades = [2, 3, 4].map(|label| Noise::new(150, 36, 2, stream ^ label));
    let grain = Noise::new(250, 250, 2, stream ^ 5);
    paint(name, SIZE, |u, v| {
        let dry = smooth_step(0.1, 0.7, drought.at(u, v));
        // Sheared lookups turn the blades; shears of whole tiles keep the tiling.
        let blade = blades[0]
            .at(u, v)
            .max(blades[1].at(u + v, v))
            .max(blades[2].at(u - v, v));
        let light = 0.62 + 0.55 * blade + 0.18 * patches.at(u, v) + 0.12 * grain.at(u, v);
        let green = blend([0.33, 0.44, 0.17], [0.52, 0.52, 0.26], dry * 0.55);
        shade(green, light.clamp(0.2, 1.35))
    })
}

/// Pebbles of several greys.
fn gravel(name: String, stream: u64) -> Image {
    let n = [34, 46, 60][(hash(stream, 0, 0, 1) % 3) as usize];
    let stones = Cells::new(n, stream);
    // Uneven stones: the lookup is bent a little.
    let bends = [8, 9].map(|label| Noise::new(n / 2, n / 2, 2, stream ^ label));
    let grain = Noise::new(128, 128, 2, stream ^ 5);
    paint(name, SIZE, |u, v| {
        let [du, dv] = [0, 1].map(|axis: usize| bends[axis].at(u, v) * 0.35 / n as f32);
        let stone = stones.at(u + du, v + dv);
        let tone = range(hash(stone.id, 0, 0, 2), 0.42, 0.80);
        let warm = range(hash(stone.id, 0, 0, 3), -0.02, 0.05);
        let round = smooth_step(0.0, 0.28, stone.second - stone.nearest);
        let value = tone * (0.34 + 0.66 * round) * (1.0 + 0.10 * grain.at(u, v));
        [value + warm, value + 0.3 * warm, value - 0.6 * warm]
    })
}

/// Sixteen rows of two boards, ends staggered by hash.
fn planks(name: String, light: Rgb, dark: Rgb, stream: u64) -> Image {
    const ROWS: f32 = 16.0;
    let trunk = Wood::new(11.0, light, dark, stream);
    paint(name, SIZE, |u, v| {
        let x = u * ROWS;
        let row = x as i32;
        let start = unit(hash(stream, row, 0, 1));
        let y = (v + start) * 2.0;
        let board = (y.floor() as i32).rem_euclid(2);
        let id = hash(stream, row, board, 2);
        let joint = joint_distance(x, ROWS).min(joint_distance(y, 2.0));
        // Each board is cut from another place of the trunk.
        let grain = trunk.at(u + unit(id), v + unit(id << 20));
        let tinted = shade(grain, range(id << 10, 0.82, 1.12));
        blend(
            shade(dark, 0.35),
            tinted,
            smooth_step(0.0004, 0.0016, joint),
        )
    })
}

/// Wind ripples and grain.
fn sand(name: String, stream: u64) -> Image {
    let tone = range(hash(stream, 0, 0, 1), 0.92, 1.06);
    let bend = Noise::new(3, 3, 4, stream);
    let ripples = Noise::new(5, 22, 3, stream ^ 2);
    let grain = Noise::new(256, 256, 2, stream ^ 3);
    let broad = Noise::new(2, 2, 4, stream ^ 4);
    paint(name, SIZE, |u, v| {
        let ripple = ripples.at(u + 0.06 * bend.at(u, v), v);
        let uneven = 0.07 * ripple + 0.09 * grain.at(u, v) + 0.06 * broad.at(u, v);
        shade([0.80, 0.70, 0.53], tone * (1.0 + uneven))
    })
}

/// Glazed square tiles in grout.
fn tiles(name: String, tile: Rgb, grout: Rgb, stream: u64) -> Image {
    let glaze = Noise::new(10, 10, 4, stream ^ 6);
    let grain = Noise::new(120, 120, 2, stream ^ 7);
    paint(name, SIZE, |u, v| {
        let (x, y) = (u * 6.0, v * 6.0);
        let id = hash(stream, x as i32, y as i32, 3);
        let joint = joint_distance(x, 6.0).min(joint_distance(y, 6.0));
        let face = range(id, 0.93, 1.05) * (1.0 + 0.06 * glaze.at(u, v));
        // The glaze rolls off towards the joint.
        let edge = 0.86 + 0.14 * smooth_step(0.0016, 0.005, joint);
        blend(
            shade(grout, 1.0 + 0.1 * grain.at(u, v)),
            shade(tile, face * edge),
            smooth_step(0.0011, 0.0011 + 1.5 * PX, joint),
        )
    })
}

/// Distance to the nearest line between `count` cells, in tiles.
fn joint_distance(x: f32, count: f32) -> f32 {
    (0.5 - (x - x.floor() - 0.5).abs()) / count
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
    Solid {
        mesh: surface.into_mesh("floor"),
        pieces: vec![slab()],
    }
}

/// What physics sees of a floor: corners of a slab of 1 m below it.
pub(super) fn slab() -> Vec<Vec3> {
    (0..16)
        .flat_map(|step| {
            let angle = TAU * step as f32 / 16.0;
            let (x, y) = (libm::cosf(angle), libm::sinf(angle));
            [0.0, -1.0].map(|z| Vec3::new(x * FLOOR_RADIUS, y * FLOOR_RADIUS, z))
        })
        .collect()
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
