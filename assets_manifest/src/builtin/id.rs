//! Ids of built-in assets: `builtin/<name>`, with parameters as `?key=value&key=value`.

use super::atmosphere;
use super::ground::{self, Ground};
use super::shapes::{SHAPES, Shape};
use super::texture::Kind;

/// What an id names.
#[derive(Clone, Copy)]
pub(super) enum Builtin {
    /// An object with one texture.
    Object {
        shape: &'static Shape,
        texture: (Kind, u32),
    },
    /// `builtin/floor`.
    Floor { ground: Ground, seed: u32 },
    /// `builtin/person/<seed>`.
    Person { seed: u32 },
    /// `builtin/wall`.
    Wall,
    /// `builtin/mirror_slab`.
    Mirror,
    /// `builtin/sky`.
    Sky(atmosphere::Conditions),
    /// `builtin/overcast`.
    Overcast { seed: u32 },
    /// `builtin/studio`.
    Studio { seed: u32 },
}

/// Reads an id; `None` when it names nothing or a parameter is unknown, repeated or out of range.
pub(super) fn parse(id: &str) -> Option<Builtin> {
    let rest = id.strip_prefix("builtin/")?;
    let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parameters = Parameters::read(query)?;
    let builtin = match name {
        "floor" => {
            let (ground, seed) = match parameters.take("texture") {
                None => (Ground::Concrete, 0),
                Some(value) => {
                    let (kind, seed) = kind_and_seed(value)?;
                    (Ground::from_name(kind)?, seed)
                }
            };
            Builtin::Floor { ground, seed }
        }
        "wall" => Builtin::Wall,
        "mirror_slab" => Builtin::Mirror,
        "sky" => Builtin::Sky(atmosphere::Conditions {
            elevation_deg: parameters.number("elevation", 30.0, atmosphere::ELEVATION_DEG)?,
            turbidity: parameters.number("turbidity", 2.5, atmosphere::TURBIDITY)?,
        }),
        "overcast" => Builtin::Overcast {
            seed: parameters.seed()?,
        },
        "studio" => Builtin::Studio {
            seed: parameters.seed()?,
        },
        _ if name.starts_with("person/") => Builtin::Person {
            seed: whole_number(&name["person/".len()..])?,
        },
        _ => {
            let shape = SHAPES.iter().find(|shape| shape.name == name)?;
            let texture = match parameters.take("texture") {
                None => shape.texture,
                Some(value) => {
                    let (kind, seed) = kind_and_seed(value)?;
                    (Kind::from_name(kind)?, seed)
                }
            };
            Builtin::Object { shape, texture }
        }
    };
    parameters.0.is_empty().then_some(builtin)
}

/// `wood-17` → (`wood`, 17).
fn kind_and_seed(value: &str) -> Option<(&str, u32)> {
    let (kind, seed) = value.split_once('-')?;
    Some((kind, whole_number(seed)?))
}

/// Digits only: `+3` and ` 3` are other spellings of an id and would be other hashes.
fn whole_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    fn read(query: &'a str) -> Option<Self> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return None;
            }
            pairs.push((key, value));
        }
        Some(Self(pairs))
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let index = self.0.iter().position(|(known, _)| *known == key)?;
        Some(self.0.remove(index).1)
    }

    fn number(&mut self, key: &str, default: f32, range: (f32, f32)) -> Option<f32> {
        match self.take(key) {
            None => Some(default),
            Some(value) => {
                let number: f32 = value.parse().ok()?;
                (number >= range.0 && number <= range.1).then_some(number)
            }
        }
    }

    fn seed(&mut self) -> Option<u32> {
        self.take("seed").map_or(Some(0), whole_number)
    }
}

/// Words of the kinds of ground that `builtin/floor?texture=<kind>-<seed>` accepts.
pub(super) fn ground_kinds() -> &'static [&'static str] {
    &ground::NAMES
}
