//! What a built-in person looks like, in numbers, and how a seed draws them.

use super::super::noise::{hash, range, unit};
use super::super::palette::Rgb;

/// Hair on the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HairStyle {
    /// None.
    Bald,
    /// A few millimetres, ears free.
    Buzz,
    /// Two centimetres with a fuller top.
    Short,
    /// Down to the jaw, over the ears.
    Bob,
    /// Down to the shoulder blades.
    Long,
    /// Gathered at the back of the head.
    Bun,
    /// Gathered, the rest hanging down.
    Ponytail,
    /// A round cloud of curls.
    Curly,
}

/// What is worn above the waist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Top {
    /// Sleeves to the middle of the upper arm.
    ShortSleeves,
    /// Sleeves to the wrist.
    LongSleeves,
    /// Sleeves to the wrist, thick cloth, longer hem.
    Sweater,
}

impl Top {
    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ShortSleeves => "t-shirt",
            Self::LongSleeves => "shirt",
            Self::Sweater => "sweater",
        }
    }
}

/// What is worn below the waist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bottom {
    /// Down to the shoe.
    Trousers,
    /// Down to the knee.
    Shorts,
    /// Flared, down to the knee.
    Skirt,
}

impl Bottom {
    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Trousers => "trousers",
            Self::Shorts => "shorts",
            Self::Skirt => "skirt",
        }
    }
}

/// Everything that tells one built-in person from another.
///
/// Colours are encoded sRGB, 0 … 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CharacterParameters {
    /// From the floor to the crown, without hair, metres; 0.9 … 2.1.
    pub height_m: f32,
    /// −1 thin … 0 … 1 heavy.
    pub build: f32,
    /// −1 broad hips and narrow shoulders … 1 broad shoulders and narrow hips.
    pub frame: f32,
    /// 0 the proportions of an adult (7.4 heads tall) … 1 of a child of five (5.6 heads).
    pub youth: f32,
    /// Colour of the skin.
    pub skin: Rgb,
    /// Colour of the irises.
    pub iris: Rgb,
    /// Shape of the hair.
    pub hair_style: HairStyle,
    /// Colour of hair and brows.
    pub hair: Rgb,
    /// Kind of the upper garment.
    pub top: Top,
    /// Its colour.
    pub top_color: Rgb,
    /// Kind of the lower garment.
    pub bottom: Bottom,
    /// Its colour.
    pub bottom_color: Rgb,
    /// Colour of the shoes.
    pub shoe_color: Rgb,
    /// Colour of the soles.
    pub sole_color: Rgb,
}

/// Skins from light to dark (after the Monk scale, slightly muted).
static SKINS: [Rgb; 8] = [
    [0.93, 0.79, 0.71],
    [0.91, 0.74, 0.63],
    [0.86, 0.66, 0.53],
    [0.78, 0.58, 0.44],
    [0.67, 0.47, 0.34],
    [0.54, 0.36, 0.25],
    [0.42, 0.28, 0.20],
    [0.31, 0.21, 0.16],
];

static IRISES: [Rgb; 5] = [
    [0.26, 0.15, 0.09],
    [0.36, 0.22, 0.12],
    [0.36, 0.36, 0.20],
    [0.25, 0.40, 0.52],
    [0.34, 0.44, 0.42],
];

static HAIRS: [Rgb; 8] = [
    [0.09, 0.07, 0.06],
    [0.14, 0.10, 0.08],
    [0.24, 0.15, 0.10],
    [0.36, 0.23, 0.14],
    [0.52, 0.35, 0.18],
    [0.78, 0.62, 0.38],
    [0.52, 0.22, 0.10],
    [0.62, 0.61, 0.60],
];

static TOPS: [Rgb; 12] = [
    [0.76, 0.20, 0.18],
    [0.86, 0.50, 0.18],
    [0.90, 0.76, 0.28],
    [0.28, 0.52, 0.32],
    [0.16, 0.50, 0.52],
    [0.20, 0.36, 0.66],
    [0.44, 0.28, 0.58],
    [0.86, 0.52, 0.60],
    [0.88, 0.87, 0.84],
    [0.22, 0.23, 0.26],
    [0.56, 0.58, 0.60],
    [0.58, 0.74, 0.84],
];

static BOTTOMS: [Rgb; 8] = [
    [0.17, 0.22, 0.34],
    [0.28, 0.36, 0.50],
    [0.15, 0.15, 0.17],
    [0.40, 0.41, 0.43],
    [0.60, 0.52, 0.38],
    [0.36, 0.36, 0.24],
    [0.42, 0.26, 0.18],
    [0.50, 0.16, 0.20],
];

static SHOES: [Rgb; 6] = [
    [0.14, 0.14, 0.15],
    [0.82, 0.81, 0.78],
    [0.70, 0.20, 0.18],
    [0.22, 0.34, 0.56],
    [0.42, 0.28, 0.18],
    [0.46, 0.48, 0.50],
];

/// Labels of what the hash draws: one number each, so that a new draw moves no other.
#[derive(Clone, Copy)]
enum Draw {
    Child = 900,
    Height,
    Build,
    Frame,
    Skin,
    Iris,
    HairStyle,
    Hair,
    Top,
    TopColor,
    Bottom,
    BottomColor,
    Shoe,
    Sole,
    Youth,
}

impl CharacterParameters {
    /// Person number `seed`: about one in five is a child, the rest adults of either frame.
    pub fn from_seed(seed: u32) -> Self {
        let draw = |what: Draw| hash(u64::from(seed), 0, 0, what as u32);
        let pick = |what: Draw, colors: &[Rgb]| colors[(draw(what) % colors.len() as u64) as usize];
        let child = unit(draw(Draw::Child)) < 0.2;
        let frame = range(draw(Draw::Frame), -1.0, 1.0);
        let (youth, height_m) = if child {
            let youth = range(draw(Draw::Youth), 0.35, 1.0);
            // Five years old: 1.10 m; 0.35 is about eleven: 1.45 m.
            let spread = range(draw(Draw::Height), -0.05, 0.05);
            (youth, 1.64 - 0.54 * youth + spread)
        } else {
            (
                0.0,
                1.70 + 0.06 * frame + range(draw(Draw::Height), -0.11, 0.11),
            )
        };
        let long_haired = frame < 0.1;
        let styles: &[HairStyle] = if long_haired {
            &[
                HairStyle::Bob,
                HairStyle::Long,
                HairStyle::Bun,
                HairStyle::Ponytail,
                HairStyle::Curly,
                HairStyle::Short,
            ]
        } else {
            &[
                HairStyle::Short,
                HairStyle::Short,
                HairStyle::Buzz,
                HairStyle::Curly,
                HairStyle::Bald,
            ]
        };
        let mut hair_style = styles[(draw(Draw::HairStyle) % styles.len() as u64) as usize];
        if child && hair_style == HairStyle::Bald {
            hair_style = HairStyle::Short;
        }
        let skin = pick(Draw::Skin, &SKINS);
        let dark = SKINS[5..].contains(&skin);
        let mut hair = pick(Draw::Hair, if dark { &HAIRS[..3] } else { &HAIRS });
        if child && hair == HAIRS[7] {
            hair = HAIRS[3];
        }
        let bottom = match draw(Draw::Bottom) % 8 {
            0..4 => Bottom::Trousers,
            4 | 5 => Bottom::Shorts,
            _ if long_haired => Bottom::Skirt,
            _ => Bottom::Trousers,
        };
        let top = match draw(Draw::Top) % 5 {
            0 | 1 => Top::ShortSleeves,
            2 | 3 => Top::LongSleeves,
            _ => Top::Sweater,
        };
        Self {
            height_m,
            // The mean of two draws: the middle is more common than the ends.
            build: range(draw(Draw::Build), -0.9, 1.0) * 0.5
                + range(hash(u64::from(seed), 1, 0, Draw::Build as u32), -0.9, 1.0) * 0.5,
            frame,
            youth,
            skin,
            iris: pick(Draw::Iris, &IRISES),
            hair_style,
            hair,
            top,
            top_color: pick(Draw::TopColor, &TOPS),
            bottom,
            bottom_color: pick(Draw::BottomColor, &BOTTOMS),
            shoe_color: pick(Draw::Shoe, &SHOES),
            sole_color: if draw(Draw::Sole).is_multiple_of(3) {
                [0.2, 0.19, 0.18]
            } else {
                [0.85, 0.84, 0.8]
            },
        }
    }

    /// The person whose skeleton the built-in motions are made for.
    pub fn standard() -> Self {
        Self {
            height_m: 1.75,
            build: 0.0,
            frame: 0.0,
            youth: 0.0,
            skin: SKINS[2],
            iris: IRISES[1],
            hair_style: HairStyle::Short,
            hair: HAIRS[2],
            top: Top::ShortSleeves,
            top_color: TOPS[5],
            bottom: Bottom::Trousers,
            bottom_color: BOTTOMS[1],
            shoe_color: SHOES[1],
            sole_color: [0.85, 0.84, 0.8],
        }
    }

    /// What to call this person in a caption.
    pub fn noun(&self) -> &'static str {
        if self.youth > 0.3 { "child" } else { "person" }
    }
}
