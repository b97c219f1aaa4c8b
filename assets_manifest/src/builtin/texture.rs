//! Procedural textures of the built-in objects: tileable, seeded, with words for captions.

use crate::{Image, Material, TextureRef};

use super::noise::hash;
use super::palette::{Named, Rgb, scheme};
use super::patterns;

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
            Self::Brick => vec![
                "brick-patterned",
                BRICKS[self.shade_index(seed, BRICKS.len())].2,
            ],
            Self::Checker => vec!["checkered", colour],
            Self::Dots => vec!["dotted", colour],
            Self::Hexagons => vec!["honeycomb-patterned", colour],
            Self::Marble => vec!["marbled", colour],
            Self::Noise => vec!["mottled", colour],
            Self::Plaid => vec!["plaid", colour],
            Self::Plain => vec![colour],
            Self::Stripes => vec!["striped", colour],
            Self::Terrazzo => vec!["speckled", colour],
            Self::Wood => vec!["wooden", WOODS[self.shade_index(seed, WOODS.len())].2],
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

    fn shade_index(self, seed: u32, count: usize) -> usize {
        (hash(self.stream(seed), 1, 0, 78) % count as u64) as usize
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
        let colours = self.colours(seed).map(|paint| paint.rgb);
        let name = format!("{}-{seed}", NAMES[self as usize]);
        match self {
            Self::Brick => {
                let (face, mortar, _) = BRICKS[self.shade_index(seed, BRICKS.len())];
                patterns::brick(name, face, mortar, stream)
            }
            Self::Checker => patterns::checker(name, colours, stream),
            Self::Dots => patterns::dots(name, colours, stream),
            Self::Hexagons => patterns::hexagons(name, colours, stream),
            Self::Marble => patterns::marble(name, colours, stream),
            Self::Noise => patterns::mottled(name, colours, stream),
            Self::Plaid => patterns::plaid(name, colours, stream),
            Self::Plain => patterns::plain(name, colours, stream),
            Self::Stripes => patterns::stripes(name, colours, stream),
            Self::Terrazzo => patterns::terrazzo(name, colours, stream),
            Self::Wood => {
                let (light, dark, _) = WOODS[self.shade_index(seed, WOODS.len())];
                patterns::wood(name, light, dark, stream)
            }
            Self::Zigzag => patterns::zigzag(name, colours, stream),
        }
    }
}
