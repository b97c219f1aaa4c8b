//! Values of the plan that are a number or a word.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The word that a [`NumberOr`] may hold instead of a number.
pub trait Word {
    /// As written in flags and files.
    const WORD: &'static str;
}

/// `auto`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auto;
impl Word for Auto {
    const WORD: &'static str = "auto";
}

/// `scene`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene;
impl Word for Scene {
    const WORD: &'static str = "scene";
}

/// `lookat`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LookAt;
impl Word for LookAt {
    const WORD: &'static str = "lookat";
}

/// A number, or one word that means "decide by itself".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberOr<W> {
    /// `None`: the word.
    pub number: Option<f64>,
    word: PhantomData<W>,
}

impl<W> NumberOr<W> {
    /// The word.
    pub const WORD: Self = Self {
        number: None,
        word: PhantomData,
    };

    /// A number.
    pub const fn number(value: f64) -> Self {
        Self {
            number: Some(value),
            word: PhantomData,
        }
    }
}

impl<W: Word> FromStr for NumberOr<W> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == W::WORD {
            return Ok(Self::WORD);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Self::number(value)),
            _ => Err(format!(
                "`{text}` is neither `{}` nor a finite number",
                W::WORD
            )),
        }
    }
}

impl<W: Word> fmt::Display for NumberOr<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => number.fmt(f),
            None => f.write_str(W::WORD),
        }
    }
}

impl<W: Word> Serialize for NumberOr<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number {
            Some(number) => serializer.serialize_f64(number),
            None => serializer.serialize_str(W::WORD),
        }
    }
}

impl<'de, W: Word> Deserialize<'de> for NumberOr<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<W>(PhantomData<W>);
        impl<W: Word> Visitor<'_> for Either<W> {
            type Value = NumberOr<W>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}` or a number", W::WORD)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                if value.is_finite() {
                    Ok(NumberOr::number(value))
                } else {
                    Err(E::custom("not a finite number"))
                }
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(NumberOr::number(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(NumberOr::number(value as f64))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Which pixels of the mask belong to an object.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MaskRuleSetting {
    /// Not decided: the centre rule, or coverage above a half under motion blur or depth of field.
    Auto,
    /// The surface that the ray through the pixel centre meets.
    Centre,
    /// More than this share of the pixel.
    Coverage(f64),
}

impl TryFrom<String> for MaskRuleSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "centre" | "center" => Ok(Self::Centre),
            "coverage" => Ok(Self::Coverage(0.5)),
            other => other
                .strip_prefix("coverage:")
                .and_then(|share| share.parse::<f64>().ok())
                .filter(|share| (0.0..1.0).contains(share))
                .map(Self::Coverage)
                .ok_or_else(|| {
                    format!(
                        "`{text}` is neither `centre` nor `coverage:T` with T from 0 to below 1"
                    )
                }),
        }
    }
}

impl From<MaskRuleSetting> for String {
    fn from(rule: MaskRuleSetting) -> Self {
        match rule {
            MaskRuleSetting::Auto => "auto".into(),
            MaskRuleSetting::Centre => "centre".into(),
            MaskRuleSetting::Coverage(share) => format!("coverage:{share}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_survive_the_round_trip() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Both {
            a: NumberOr<Auto>,
            b: NumberOr<Scene>,
        }
        let read: Both = toml::from_str("a = 'auto'\nb = 24").unwrap();
        assert_eq!(
            read,
            Both {
                a: NumberOr::WORD,
                b: NumberOr::number(24.0)
            }
        );
        let again: Both = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
        assert_eq!(read, again);
        assert_eq!("-1.5".parse(), Ok(NumberOr::<Auto>::number(-1.5)));
        assert!("nan".parse::<NumberOr<Auto>>().is_err());
    }

    #[test]
    fn mask_rules() {
        assert_eq!(
            MaskRuleSetting::try_from("coverage:0.25".to_owned()),
            Ok(MaskRuleSetting::Coverage(0.25))
        );
        assert!(MaskRuleSetting::try_from("coverage:2".to_owned()).is_err());
    }
}
