//! Where decoded assets come from, as renderers and recipes see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{AssetError, EnvironmentMap, Model};

/// Gives decoded assets by id.
pub trait AssetSource: Sync {
    /// The model called `id`.
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError>;
    /// The environment called `id`.
    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError>;
}

/// Assets that are already in memory: glTF scenes and tests.
#[derive(Debug, Clone, Default)]
pub struct InMemoryAssets {
    /// Models by id.
    pub models: BTreeMap<String, Arc<Model>>,
    /// Environments by id.
    pub environments: BTreeMap<String, Arc<EnvironmentMap>>,
}

impl AssetSource for InMemoryAssets {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        self.models
            .get(id)
            .cloned()
            .ok_or_else(|| AssetError::Unknown { id: id.into() })
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        self.environments
            .get(id)
            .cloned()
            .ok_or_else(|| AssetError::Unknown { id: id.into() })
    }
}
