//! The built-in library: objects, floors, walls and environments made by formula, so that a fresh
//! install needs no file.
//!
//! | id | what |
//! |---|---|
//! | `builtin/<shape>` | an object, largest side 1 m, bounding box centred on the origin; see [`object_records`] |
//! | `builtin/<shape>?texture=<kind>-<seed>` | the same with another pattern; kinds: [`object_texture_kinds`] |
//! | `builtin/person/<n>` | a dressed person, feet on z = 0, facing −Y, with a rig; see [`character`] |
//! | `builtin/motion/<name>` | a take of that skeleton; see [`motion`] |
//! | `builtin/floor?texture=<kind>-<seed>` | a disc of radius 200 m at z = 0; kinds: [`floor_texture_kinds`] |
//! | `builtin/floor?environment=<id>` | the same, showing what that environment shows below its horizon, from 1.6 m above the middle; known to a [`crate::Library`] only |
//! | `builtin/wall`, `builtin/mirror_slab` | a bevelled cube of half extent 1 m, to be scaled |
//! | `builtin/sky?elevation=<deg>&turbidity=<t>` | physical sky, sun over +X; −6 … 90, 1.5 … 10 |
//! | `builtin/overcast?seed=<n>` | CIE overcast sky with clouds |
//! | `builtin/studio?seed=<n>` | softboxes in a dark room |
//!
//! Seeds are decimal, 0 … 4294967295. Everything is a pure function of the id and
//! [`GENERATOR_VERSION`], the same bytes on every machine.

mod atmosphere;
pub mod character;
mod gear;
mod ground;
mod id;
mod lathe;
pub mod motion;
mod noise;
mod outline;
mod overcast;
mod palette;
mod panorama;
mod patterns;
mod polyhedron;
mod prism;
mod projected;
mod shapes;
mod sky;
mod sponge;
mod studio;
mod surface;
mod sweep;
#[cfg(test)]
mod tests;
mod texture;
mod vessel;

use crate::{AssetRecord, EnvironmentMap, Model};

use id::{Builtin, parse};
pub(crate) use projected::projected_floor;
use surface::Solid;

/// Goes up whenever any built-in asset changes: part of every built-in asset's hash.
pub const GENERATOR_VERSION: u32 = 1;

/// Ids of floors that show the ground of the environment named after it.
const PROJECTED_FLOOR: &str = "builtin/floor?environment=";
/// Sun elevations of the listed skies, degrees.
const LISTED_ELEVATIONS: [&str; 8] = ["-4", "0.5", "3", "8", "15", "30", "50", "70"];
/// Turbidities of the listed skies.
const LISTED_TURBIDITIES: [&str; 3] = ["1.8", "2.5", "4"];
/// Listed overcast skies.
const LISTED_OVERCASTS: u32 = 4;
/// Listed studios.
const LISTED_STUDIOS: u32 = 6;

/// Every object of the library with its default texture, by id. Floors, walls and mirrors are not
/// among them.
pub fn object_records() -> Vec<AssetRecord> {
    shapes::SHAPES
        .iter()
        .filter_map(|shape| record(&format!("builtin/{}", shape.name)))
        .collect()
}

/// A family of environments that covers the day and the weather. Any other parameters within range
/// are as good.
pub fn environment_records() -> Vec<AssetRecord> {
    let skies = LISTED_ELEVATIONS.iter().flat_map(|elevation| {
        LISTED_TURBIDITIES.iter().map(move |turbidity| {
            format!("builtin/sky?elevation={elevation}&turbidity={turbidity}")
        })
    });
    let overcasts = (0..LISTED_OVERCASTS).map(|seed| format!("builtin/overcast?seed={seed}"));
    let studios = (0..LISTED_STUDIOS).map(|seed| format!("builtin/studio?seed={seed}"));
    skies
        .chain(overcasts)
        .chain(studios)
        .filter_map(|id| record(&id))
        .collect()
}

/// Pattern words of `builtin/<shape>?texture=<kind>-<seed>`.
pub fn object_texture_kinds() -> &'static [&'static str] {
    &texture::NAMES
}

/// The id of the floor that shows the ground of an environment (`builtin/floor?environment=<id>`).
pub fn projected_floor_id(environment: &str) -> String {
    format!("{PROJECTED_FLOOR}{environment}")
}

/// The environment of a projected floor; `None` when `id` is none.
pub(crate) fn environment_of_floor(id: &str) -> Option<&str> {
    id.strip_prefix(PROJECTED_FLOOR)
}

/// Record of the floor that shows the ground of `environment`, of which it takes the terms.
pub(crate) fn projected_floor_record(
    environment: &AssetRecord,
    map: &EnvironmentMap,
) -> AssetRecord {
    let id = projected_floor_id(&environment.id);
    let source = format!(
        "{id}\n{}\ngenerator {GENERATOR_VERSION}",
        environment.blake3
    );
    let indoors = ["room", "studio"]
        .iter()
        .any(|word| map.description.contains(word));
    AssetRecord {
        id,
        blake3: blake3::hash(source.as_bytes()).to_hex().to_string(),
        noun: if indoors { "floor" } else { "ground" }.to_owned(),
        ..environment.clone()
    }
}

/// Pattern words of `builtin/floor?texture=<kind>-<seed>`.
pub fn floor_texture_kinds() -> &'static [&'static str] {
    id::ground_kinds()
}

/// Record of any valid id, listed or not; `None` when the id names nothing built in.
pub fn record(id: &str) -> Option<AssetRecord> {
    let noun = match parse(id)? {
        Builtin::Object { shape, .. } => shape.noun.to_owned(),
        Builtin::Floor { ground, .. } => ground.noun().to_owned(),
        Builtin::Person { seed } => character::CharacterParameters::from_seed(seed)
            .noun()
            .to_owned(),
        Builtin::Wall => "wall".to_owned(),
        Builtin::Mirror => "mirror".to_owned(),
        Builtin::Sky(conditions) => sky::noun(conditions),
        Builtin::Overcast { seed } => overcast::noun(seed).to_owned(),
        Builtin::Studio { seed } => studio::noun(seed).to_owned(),
    };
    let source = format!("{id}\ngenerator {GENERATOR_VERSION}");
    Some(AssetRecord {
        id: id.to_owned(),
        blake3: blake3::hash(source.as_bytes()).to_hex().to_string(),
        license: "CC0-1.0".to_owned(),
        attribution: "Diorama built-in library".to_owned(),
        noun,
        mass_kg: None,
        friction: None,
        restitution: None,
    })
}

/// Words for a caption about the generated texture of an object or floor, pattern before colour:
/// `["striped", "red"]`. `None` for ids without one.
pub fn texture_words(id: &str) -> Option<Vec<String>> {
    match parse(id)? {
        Builtin::Object {
            texture: (kind, seed),
            ..
        } => Some(kind.words(seed)),
        Builtin::Floor { ground, seed } => Some(ground.words(seed)),
        _ => None,
    }
}

/// Builds an object, person, floor, wall or mirror; `None` for any other id.
pub fn model(id: &str) -> Option<Model> {
    let (solid, material, image) = match parse(id)? {
        Builtin::Object {
            shape,
            texture: (kind, seed),
        } => (
            (shape.build)().into_unit_size(),
            kind.material(),
            Some(kind.image(seed)),
        ),
        Builtin::Floor { ground, seed } => {
            (ground::floor(), ground.material(), Some(ground.image(seed)))
        }
        Builtin::Person { seed } => {
            let parameters = character::CharacterParameters::from_seed(seed);
            return Some(character::character(&parameters));
        }
        Builtin::Wall => (shapes::slab(), ground::wall_material(), None),
        Builtin::Mirror => (shapes::slab(), ground::mirror_material(), None),
        Builtin::Sky(_) | Builtin::Overcast { .. } | Builtin::Studio { .. } => return None,
    };
    let Solid { mesh, pieces } = solid;
    Some(Model {
        meshes: vec![mesh.into()],
        materials: vec![material],
        images: image.into_iter().collect(),
        convex_pieces: pieces,
        rig: None,
        motions: Vec::new(),
    })
}

/// Builds a sky, an overcast or a studio; `None` for any other id. About a tenth of a second.
pub fn environment(id: &str) -> Option<EnvironmentMap> {
    match parse(id)? {
        Builtin::Sky(conditions) => Some(sky::sky(conditions)),
        Builtin::Overcast { seed } => Some(overcast::overcast(seed)),
        Builtin::Studio { seed } => Some(studio::studio(seed)),
        _ => None,
    }
}
