//! What a recipe draws from.

use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use diorama_assets::{AssetError, EnvironmentMap, Model};

/// A library of assets, seen by a recipe.
///
/// Lists are in a fixed order (by id): what is drawn is an index into them.
pub trait AssetSource {
    /// Objects that may stand in the foreground.
    fn objects(&self) -> Vec<AssetRecord>;
    /// Environments.
    fn environments(&self) -> Vec<AssetRecord>;
    /// The record of any id, listed or not (ids of built-in assets carry parameters).
    fn record(&self, id: &str) -> Result<AssetRecord, AssetError>;
    /// The model of an id.
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError>;
    /// The environment of an id.
    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError>;

    /// The listed object `id` in a texture of its own, where it comes in many; `pick(n)` draws a
    /// whole number below n.
    fn textured(&self, id: &str, pick: &mut dyn FnMut(u64) -> u64) -> String {
        let _ = pick;
        id.to_owned()
    }

    /// The listed environment `id` with its sun at this elevation, where it has one to move.
    fn with_sun(&self, id: &str, elevation_deg: f64, pick: &mut dyn FnMut(u64) -> u64) -> String {
        let _ = (elevation_deg, pick);
        id.to_owned()
    }

    /// Words for the pattern and colour of an object, when the library knows them.
    fn words(&self, id: &str) -> Vec<String> {
        let _ = id;
        Vec::new()
    }
}
