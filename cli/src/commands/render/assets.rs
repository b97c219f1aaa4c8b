//! Assets of one render: those of the scene file, then those of libraries.

use std::collections::BTreeMap;
use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use diorama_assets::{AssetError, AssetSource, EnvironmentMap, Model, Warnings};

use crate::shelf::Shelf;

/// See the module text.
pub(in crate::commands) struct StageAssets {
    models: BTreeMap<String, Arc<Model>>,
    environments: BTreeMap<String, Arc<EnvironmentMap>>,
    shelf: Option<Shelf>,
    warnings: Vec<String>,
}

impl StageAssets {
    /// Assets of a Shot, which its libraries hold.
    pub(in crate::commands) fn with_shelf(shelf: Shelf) -> Self {
        Self {
            models: BTreeMap::new(),
            environments: BTreeMap::new(),
            shelf: Some(shelf),
            warnings: Vec::new(),
        }
    }

    /// Assets of a scene file, to be added; nothing else is known.
    pub(super) fn of_scene(warnings: Vec<String>) -> Self {
        Self {
            models: BTreeMap::new(),
            environments: BTreeMap::new(),
            shelf: None,
            warnings,
        }
    }

    /// Adds the model of a scene file.
    pub(in crate::commands) fn add_model(&mut self, id: String, model: Model) {
        self.models.insert(id, Arc::new(model));
    }

    /// Adds a picture that lights the scene.
    pub(in crate::commands) fn add_environment(
        &mut self,
        (map, record, warnings): (EnvironmentMap, AssetRecord, Warnings),
    ) -> AssetRecord {
        self.environments.insert(record.id.clone(), Arc::new(map));
        self.warnings.extend(warnings.0);
        record
    }

    /// Everything odd that was found while loading.
    pub(super) fn warnings(&self) -> Vec<String> {
        let of_shelf = self.shelf.as_ref().map(Shelf::warnings);
        let mut all = self.warnings.clone();
        all.extend(of_shelf.into_iter().flatten());
        all
    }
}

impl AssetSource for StageAssets {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        match (self.models.get(id), &self.shelf) {
            (Some(model), _) => Ok(Arc::clone(model)),
            (None, Some(shelf)) => shelf.model(id),
            (None, None) => Err(AssetError::Unknown { id: id.into() }),
        }
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        match (self.environments.get(id), &self.shelf) {
            (Some(map), _) => Ok(Arc::clone(map)),
            (None, Some(shelf)) => shelf.environment(id),
            (None, None) => Err(AssetError::Unknown { id: id.into() }),
        }
    }
}
