//! Parameters of a recipe as data: names, words for the user, and how text becomes a value.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a parameter holds, and so how its text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number, e.g. `0.5`.
    Number,
    /// A whole number, e.g. `80`.
    Whole,
    /// `true` or `false`.
    Switch,
    /// Two numbers, low and high: `1,3` or `1 3`.
    Range,
    /// Two whole numbers, low and high.
    WholeRange,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number, or one of these words.
    NumberOr(&'static [&'static str]),
    /// Sizes in pixels: `672x384,832x480`.
    Sizes,
    /// Words, separated by commas.
    Words,
}

/// One parameter, for tools that mirror parameters as flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Name in TOML files; the flag is the same with dashes.
    pub name: &'static str,
    /// What, unit and range, default, and what goes wrong at the extremes.
    pub help: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Parameter {
    /// The flag, e.g. `--range-object-scale`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }
}

/// Why a recipe cannot be used. One line, with a hint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// There is no preset of this name.
    #[error("there is no preset `{name}` (hint: the presets are {known})")]
    Preset {
        /// Name asked for.
        name: String,
        /// The names there are.
        known: &'static str,
    },
    /// There is no parameter of this name.
    #[error("there is no parameter `{name}`{nearest}")]
    Unknown {
        /// Name asked for.
        name: String,
        /// ` (hint: did you mean …?)`, or empty.
        nearest: String,
    },
    /// The text of a value cannot be read.
    #[error("`{name}` cannot be `{text}` (hint: {expected})")]
    Text {
        /// Parameter.
        name: String,
        /// What was given.
        text: String,
        /// What would do.
        expected: String,
    },
    /// A value is out of range.
    #[error("`{name}` {reason} (hint: {hint})")]
    Value {
        /// Parameter.
        name: &'static str,
        /// What is wrong.
        reason: String,
        /// What would do.
        hint: String,
    },
    /// The file is not TOML of a recipe.
    #[error("the recipe cannot be read: {reason}")]
    Toml {
        /// The parser's words on one line, with the place.
        reason: String,
    },
}

/// A type that a parameter may have.
pub(super) trait Held {
    const KIND: Kind;
}

macro_rules! held {
    ($($held:ty => $kind:expr;)*) => {
        $(impl Held for $held { const KIND: Kind = $kind; })*
    };
}

held! {
    f64 => Kind::Number;
    u32 => Kind::Whole;
    bool => Kind::Switch;
    [f64; 2] => Kind::Range;
    [u32; 2] => Kind::WholeRange;
    Vec<[u32; 2]> => Kind::Sizes;
    Vec<String> => Kind::Words;
    VideoFps => Kind::NumberOr(&["scene"]);
    ExposureChoice => Kind::NumberOr(&["auto"]);
    Focus => Kind::NumberOr(&["lookat"]);
    Stationary => Kind::Choice(&["settle", "float"]);
    PairKind => Kind::Choice(&["effect", "counterfactual"]);
    Layers => Kind::Choice(&["none", "object"]);
    Floor => Kind::Choice(&["environment", "texture"]);
    RootMotion => Kind::Choice(&["centred", "keep", "in_place"]);
    crate::shot::View => Kind::Choice(&["filmic", "agx", "standard", "none"]);
}

/// One name, one type, one default and one text for each parameter: the struct, the defaults and
/// the list that flags are made from cannot drift apart.
macro_rules! parameters {
    (
        $(#[$outer:meta])*
        pub struct $recipe:ident {
            $($(#[doc = $doc:literal])+ $field:ident: $held:ty = $default:expr;)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $recipe {
            $($(#[doc = $doc])+ pub $field: $held,)*
        }

        impl Default for $recipe {
            /// The preset that is taken where none is named.
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $recipe {
            /// Every parameter, in the order of the struct.
            pub const PARAMETERS: &'static [Parameter] = &[
                $(Parameter {
                    name: stringify!($field),
                    help: concat!($($doc),+),
                    kind: <$held as Held>::KIND,
                },)*
            ];
        }
    };
}

pub(super) use parameters;

/// Sets one parameter of a recipe from the text of its flag. Ranges are not checked.
pub(super) fn set<R: Serialize + DeserializeOwned>(
    recipe: &mut R,
    parameters: &[Parameter],
    name: &str,
    text: &str,
) -> Result<(), RecipeError> {
    let name = name.replace('-', "_");
    let parameter = find(parameters, &name)?;
    let value = value_of(parameter.kind, text).map_err(|expected| RecipeError::Text {
        name: name.clone(),
        text: text.to_owned(),
        expected,
    })?;
    replace(recipe, parameters, &name, value)
}

/// Sets one parameter of a recipe to a TOML value. Ranges are not checked.
pub(super) fn replace<R: Serialize + DeserializeOwned>(
    recipe: &mut R,
    parameters: &[Parameter],
    name: &str,
    value: toml::Value,
) -> Result<(), RecipeError> {
    let parameter = find(parameters, name)?;
    let text = value.to_string();
    let wrong = || RecipeError::Text {
        name: name.to_owned(),
        text: text.clone(),
        expected: value_of(parameter.kind, "\0")
            .err()
            .unwrap_or_else(|| "a list of words".into()),
    };
    let mut table = toml::Table::try_from(&*recipe).map_err(|_| wrong())?;
    table.insert(name.to_owned(), value);
    *recipe = table.try_into().map_err(|_| wrong())?;
    Ok(())
}

fn find<'a>(parameters: &'a [Parameter], name: &str) -> Result<&'a Parameter, RecipeError> {
    parameters
        .iter()
        .find(|p| p.name == name)
        .ok_or_else(|| RecipeError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, parameters.iter().map(|p| p.name)),
        })
}

/// Rate written into the video files.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VideoFps {
    /// This many frames per second.
    Fixed(f64),
    /// The rate drawn for the scene.
    Drawn(SceneRate),
}

/// The word for a drawn rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneRate {
    /// One of 8, 12, 16, 20, 24, drawn per sample.
    Scene,
}

/// How the exposure is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExposureChoice {
    /// In stops.
    Ev(f64),
    /// By the first frame.
    Measured(AutoExposure),
}

/// The word for a measured exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoExposure {
    /// The log-mean of the first full frame becomes 0.18.
    Auto,
}

/// What is in focus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Focus {
    /// The plane at this distance along the camera's axis, metres.
    Distance(f64),
    /// A point of the scene.
    Point(FocusPoint),
}

/// The word for a point in focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FocusPoint {
    /// The point looked at, frame by frame.
    Lookat,
}

/// What stationary objects do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stationary {
    /// Fall before the clip begins, and rest on something.
    Settle,
    /// Hang in the air where they were placed, as in the original tool.
    Float,
}

/// Which difference the pair shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairKind {
    /// Same motion; the object and its light transport are gone.
    Effect,
    /// Physics run again without it.
    Counterfactual,
}

/// What the floor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Floor {
    /// The ground of the environment where that is a picture of a place, elsewhere as `texture`.
    Environment,
    /// A generated ground.
    Texture,
}

/// What becomes of the way a character goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootMotion {
    /// Kept, its middle over the clip put above the origin.
    Centred,
    /// Kept as in the file.
    Keep,
    /// Taken out: the hips stay above the origin.
    InPlace,
}

/// Extra worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layers {
    /// None.
    None,
    /// One per foreground object: everything but that object.
    Object,
}

/// Numbers in `text`, separated by commas or blanks.
fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<f64>().ok().filter(|v| v.is_finite()))
        .collect()
}

fn whole(value: f64) -> Option<toml::Value> {
    (value.fract() == 0.0 && value.abs() <= f64::from(u32::MAX))
        .then_some(toml::Value::Integer(value as i64))
}

/// The TOML value that `text` means for a parameter of this kind, or what was expected.
fn value_of(kind: Kind, text: &str) -> Result<toml::Value, String> {
    let text = text.trim();
    let word_of = |words: &[&str]| -> Option<toml::Value> {
        words
            .contains(&text)
            .then(|| toml::Value::String(text.to_owned()))
    };
    let list = |values: Vec<toml::Value>| toml::Value::Array(values);
    match kind {
        Kind::Number => numbers(text)
            .filter(|v| v.len() == 1)
            .map(|v| toml::Value::Float(v[0]))
            .ok_or_else(|| "a number".into()),
        Kind::Whole => numbers(text)
            .filter(|v| v.len() == 1)
            .and_then(|v| whole(v[0]))
            .ok_or_else(|| format!("a whole number up to {}", u32::MAX)),
        Kind::Switch => text
            .parse()
            .map(toml::Value::Boolean)
            .map_err(|_| "`true` or `false`".into()),
        Kind::Range => numbers(text)
            .filter(|v| v.len() == 2)
            .map(|v| list(v.into_iter().map(toml::Value::Float).collect()))
            .ok_or_else(|| "two numbers, e.g. `1,3`".into()),
        Kind::WholeRange => numbers(text)
            .filter(|v| v.len() == 2)
            .and_then(|v| v.into_iter().map(whole).collect::<Option<Vec<_>>>())
            .map(list)
            .ok_or_else(|| "two whole numbers, e.g. `1,6`".into()),
        Kind::Choice(words) => word_of(words).ok_or_else(|| format!("one of {}", words.join(", "))),
        Kind::NumberOr(words) => word_of(words)
            .or_else(|| {
                numbers(text)
                    .filter(|v| v.len() == 1)
                    .map(|v| toml::Value::Float(v[0]))
            })
            .ok_or_else(|| format!("a number, or {}", words.join(", "))),
        Kind::Sizes => text
            .split([',', ' '])
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (width, height) = part.split_once(['x', 'X', '×'])?;
                let side = |side: &str| {
                    let side: u32 = side.parse().ok()?;
                    Some(toml::Value::Integer(i64::from(side)))
                };
                Some(toml::Value::Array(vec![side(width)?, side(height)?]))
            })
            .collect::<Option<Vec<_>>>()
            .map(list)
            .ok_or_else(|| "sizes such as `672x384,832x480`".into()),
        Kind::Words => Ok(list(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| toml::Value::String(part.to_owned()))
                .collect(),
        )),
    }
}

/// ` (hint: did you mean …?)` for a misspelt name, or nothing.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .map_or_else(String::new, |(_, candidate)| {
            format!(" (hint: did you mean `{candidate}`?)")
        })
}

/// Levenshtein distance in bytes.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
