//! What a recipe draws from.

use std::sync::Arc;

use diorama_assets::builtin;
use diorama_assets::model::AssetRecord;
use diorama_assets::{AssetError, AssetSource, Library, Motion};

use crate::avatar::Performance;

/// Objects and built-in floors come in this many seeds of each pattern.
const TEXTURE_SEEDS: u64 = 10_000;

/// A library of assets, seen by a recipe: the decoded assets, and lists to choose from.
///
/// Lists are in a fixed order (by id): what is drawn is an index into them.
pub trait AssetLibrary: AssetSource {
    /// Objects that may stand in the foreground.
    fn objects(&self) -> &[AssetRecord];
    /// Environments.
    fn environments(&self) -> &[AssetRecord];
    /// The full record of any id, listed or not (ids of built-in assets carry parameters).
    fn record(&self, id: &str) -> Result<AssetRecord, AssetError>;

    /// The object or floor `id` in a texture of its own, where it comes in many; `pick(n)` draws a
    /// whole number below n.
    fn textured(&self, id: &str, pick: &mut dyn FnMut(u64) -> u64) -> String {
        let _ = pick;
        id.to_owned()
    }

    /// The floor that shows what the environment `id` shows below its horizon, where it is a picture
    /// of a real place.
    fn floor_of(&self, environment: &str) -> Option<String> {
        let _ = environment;
        None
    }

    /// The environment `id` with its sun at this elevation, where it has one to move.
    fn with_sun(&self, id: &str, elevation_deg: f64) -> String {
        let _ = elevation_deg;
        id.to_owned()
    }

    /// Somebody who can go over the floor; `pick(n)` draws a whole number below n. `None`: nobody is there.
    fn walker(&self, pick: &mut dyn FnMut(u64) -> u64) -> Option<Performance> {
        let _ = pick;
        None
    }

    /// A motion by id.
    fn motion(&self, id: &str) -> Result<Arc<Motion>, AssetError> {
        Err(AssetError::Unknown { id: id.to_owned() })
    }

    /// Words for the pattern and colour of an object, when the library knows them.
    fn words(&self, id: &str) -> Vec<String> {
        let _ = id;
        Vec::new()
    }
}

impl AssetLibrary for Library {
    fn objects(&self) -> &[AssetRecord] {
        Self::objects(self)
    }

    fn environments(&self) -> &[AssetRecord] {
        Self::environments(self)
    }

    fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        Self::record(self, id)
    }

    fn textured(&self, id: &str, pick: &mut dyn FnMut(u64) -> u64) -> String {
        let kinds = match id {
            "builtin/floor" => builtin::floor_texture_kinds(),
            _ if id.starts_with("builtin/") && !id.contains('?') => builtin::object_texture_kinds(),
            _ => return id.to_owned(),
        };
        let kind = kinds[pick(kinds.len() as u64) as usize];
        format!("{id}?texture={kind}-{}", pick(TEXTURE_SEEDS))
    }

    fn floor_of(&self, environment: &str) -> Option<String> {
        let is_picture = !environment.starts_with("builtin/");
        is_picture.then(|| builtin::projected_floor_id(environment))
    }

    fn with_sun(&self, id: &str, elevation_deg: f64) -> String {
        let Some(query) = id.strip_prefix("builtin/sky?") else {
            return id.to_owned();
        };
        let rest: String = query
            .split('&')
            .filter(|part| !part.starts_with("elevation="))
            .flat_map(|part| ["&", part])
            .collect();
        format!("builtin/sky?elevation={elevation_deg}{rest}")
    }

    fn words(&self, id: &str) -> Vec<String> {
        builtin::texture_words(id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_built_in_assets_exist() {
        let (library, _) = Library::open(&[]).unwrap();
        let mut next = 0;
        let mut pick = |count: u64| {
            next += 1;
            next % count
        };
        for id in ["builtin/floor", "builtin/torus"] {
            let textured = library.textured(id, &mut pick);
            assert_ne!(textured, id);
            assert!(AssetLibrary::record(&library, &textured).is_ok());
            assert!(!library.words(&textured).is_empty());
        }
        for sky in AssetLibrary::environments(&library) {
            let moved = library.with_sun(&sky.id, 23.45);
            assert!(AssetLibrary::record(&library, &moved).is_ok(), "{moved}");
            assert_eq!(
                moved.contains("elevation=23.45"),
                sky.id.contains("elevation=")
            );
        }
    }
}
