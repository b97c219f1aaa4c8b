//! A folder of characters, motions and skyboxes as the public Blender script of Diffusion as Shader
//! lays them out:
//!
//! ```text
//! <base>/raw/skybox/*.png|jpg|hdr|exr
//! <base>/raw/<character>/<character>.fbx|glb|gltf
//! <base>/raw/<character>/motion/*.fbx|glb|gltf
//! ```
//!
//! Opening reads names only; files are decoded when first used. [`Workspace::builtin`] is the same
//! without any file.

pub(crate) mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use self::layout::{CHARACTER, LaidOut, Layout};
use crate::library::cache::Cache;
use crate::library::{BUILTIN, load_character_file, load_motion_file, model_bytes};
use crate::rig::JointTransform;
use crate::{
    AssetError, AssetRecord, AssetSource, EnvironmentMap, Library, Model, Motion, Warnings, builtin,
};

/// Is this the id of a character of a workspace?
pub fn is_character(id: &str) -> bool {
    id.starts_with(CHARACTER)
}

/// A character and what it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Character {
    /// Asset id, e.g. `character/mh_male`.
    pub id: String,
    /// Name of its folder.
    pub name: String,
    /// Ids of its motions, e.g. `mh_male/walk`, by name.
    pub motions: Vec<String>,
}

/// See the module text.
pub struct Workspace {
    characters: Vec<Character>,
    files: BTreeMap<String, PathBuf>,
    /// Which take of its file a motion is, by number; of others the longest is.
    takes: BTreeMap<String, usize>,
    /// Skyboxes and floors.
    library: Library,
    skyboxes: Vec<String>,
    decoded: Mutex<Decoded>,
}

/// Memory for decoded characters, and for decoded motions, bytes.
const CHARACTER_CACHE_BYTES: u64 = 256 << 20;
const MOTION_CACHE_BYTES: u64 = 128 << 20;

struct Decoded {
    models: Cache<Model>,
    /// Records with their hash, of characters that were loaded.
    records: BTreeMap<String, AssetRecord>,
    motions: Cache<Motion>,
    warnings: Warnings,
}

impl Default for Decoded {
    fn default() -> Self {
        Self {
            models: Cache::new(CHARACTER_CACHE_BYTES),
            records: BTreeMap::new(),
            motions: Cache::new(MOTION_CACHE_BYTES),
            warnings: Warnings::default(),
        }
    }
}

impl Decoded {
    fn keep_motion(&mut self, id: &str, motion: Motion) -> Arc<Motion> {
        let transforms = motion.frames.len() * motion.joints.len();
        let bytes = transforms * size_of::<JointTransform>();
        self.motions.insert(id, Arc::new(motion), bytes as u64)
    }
}

impl Workspace {
    /// Opens `<base>/raw`.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds no character with a motion.
    pub fn open(base: &Path) -> Result<(Self, Warnings), AssetError> {
        let raw = base.join("raw");
        let Layout {
            characters: laid_out,
            skybox,
            mut warnings,
        } = Layout::read(&raw)?;
        let mut characters = Vec::new();
        let mut files = BTreeMap::new();
        for LaidOut {
            name,
            id,
            file,
            motions: of_character,
        } in laid_out
        {
            files.insert(id.clone(), file);
            let mut motions = Vec::new();
            for (motion, file) in of_character {
                files.insert(motion.clone(), file);
                motions.push(motion);
            }
            if motions.is_empty() {
                motions.push(id.clone());
            }
            characters.push(Character { id, name, motions });
        }
        if characters.is_empty() {
            return Err(AssetError::Unusable {
                path: raw,
                reason: "there is no character in it (<name>/<name>.fbx and <name>/motion/*.fbx)"
                    .into(),
            });
        }
        let dirs = [skybox.clone().unwrap_or_else(|| PathBuf::from(BUILTIN))];
        let (library, found) = Library::open_environments(&dirs)?;
        for warning in found.0 {
            warnings.push(warning);
        }
        let skyboxes = if skybox.is_none() {
            Vec::new()
        } else {
            let records = library.environments().iter();
            records.map(|record| record.id.clone()).collect()
        };
        Ok((
            Self {
                characters,
                files,
                takes: BTreeMap::new(),
                library,
                skyboxes,
                decoded: Mutex::default(),
            },
            warnings,
        ))
    }

    /// The built-in people `seeds`, motions and skies: no file is needed.
    ///
    /// # Errors
    /// None in practice: the built-in library always opens.
    pub fn builtin(seeds: std::ops::Range<u32>) -> Result<Self, AssetError> {
        let (library, _) = Library::open(&[])?;
        let characters = seeds
            .map(|seed| Character {
                id: format!("builtin/person/{seed}"),
                name: format!("person_{seed}"),
                motions: builtin::motion::motion_ids(),
            })
            .collect();
        let skyboxes = library.environments().iter();
        Ok(Self {
            characters,
            files: BTreeMap::new(),
            takes: BTreeMap::new(),
            skyboxes: skyboxes.map(|record| record.id.clone()).collect(),
            library,
            decoded: Mutex::default(),
        })
    }

    /// The same with every take in which something moves as a motion of its own, `<motion>#<take>`, where a file
    /// has several. Reads all motion files; one that cannot be read stays what it was, and is an error when it
    /// is used.
    #[must_use]
    pub fn with_all_takes(mut self) -> Self {
        let motions: BTreeSet<&String> = self.characters.iter().flat_map(|c| &c.motions).collect();
        let split: BTreeMap<String, Vec<(String, usize)>> = motions
            .into_par_iter()
            .filter_map(|id| {
                let (takes, _, _) = load_motion_file(self.files.get(id)?).ok()?;
                let moving = takes.iter().enumerate().filter(|(_, take)| take.moves());
                let named = named_takes(moving.map(|(index, take)| (take.name.as_str(), index)));
                (named.len() > 1).then(|| {
                    let ids = named.into_iter();
                    let ids = ids.map(|(name, index)| (format!("{id}#{name}"), index));
                    (id.clone(), ids.collect())
                })
            })
            .collect();
        for character in &mut self.characters {
            let motions = character.motions.iter();
            character.motions = motions
                .flat_map(|id| match split.get(id) {
                    Some(takes) => takes.iter().map(|(take, _)| take.clone()).collect(),
                    None => vec![id.clone()],
                })
                .collect();
        }
        for (id, takes) in split {
            let Some(file) = self.files.get(&id).cloned() else {
                continue;
            };
            for (take, index) in takes {
                self.files.insert(take.clone(), file.clone());
                self.takes.insert(take, index);
            }
        }
        self
    }

    /// Characters, by name.
    pub fn characters(&self) -> &[Character] {
        &self.characters
    }

    /// Ids of the skyboxes, sorted.
    pub fn skyboxes(&self) -> &[String] {
        &self.skyboxes
    }

    /// The library of skyboxes and floors.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// A motion: the take of its file that lasts longest, or the one that it names.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn motion(&self, id: &str) -> Result<Arc<Motion>, AssetError> {
        if let Some(motion) = self.decoded().motions.get(id) {
            return Ok(motion);
        }
        if let Some(motion) = builtin::motion::motion(id) {
            return Ok(self.decoded().keep_motion(id, motion));
        }
        let path = self.file(id)?;
        let (takes, _, warnings) = load_motion_file(path)?;
        let wanted = match self.takes.get(id) {
            Some(index) => takes.into_iter().nth(*index),
            None => takes
                .into_iter()
                .max_by(|a, b| a.duration_secs().total_cmp(&b.duration_secs())),
        };
        let take = wanted.ok_or_else(|| AssetError::Unusable {
            path: path.clone(),
            reason: "there is no take in it".into(),
        })?;
        let mut decoded = self.decoded();
        for warning in warnings.0 {
            decoded.warnings.push(warning);
        }
        if !take.moves() {
            decoded.warnings.push(format!(
                "{}: nothing moves in it: clips of it show a pose",
                path.display()
            ));
        }
        Ok(decoded.keep_motion(id, take))
    }

    /// Full record of an asset: loads it if it was not yet.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        if is_character(id) {
            if !self.decoded().records.contains_key(id) {
                self.character(id)?;
            }
            let known = self.decoded().records.get(id).cloned();
            return known.ok_or_else(|| AssetError::Unknown { id: id.into() });
        }
        self.library.record(id)
    }

    /// Recoverable trouble of everything loaded so far.
    pub fn warnings(&self) -> Warnings {
        let mut warnings = self.library.warnings();
        for warning in &self.decoded().warnings.0 {
            warnings.push(warning.clone());
        }
        warnings
    }

    fn file(&self, id: &str) -> Result<&PathBuf, AssetError> {
        self.files
            .get(id)
            .ok_or_else(|| AssetError::Unknown { id: id.into() })
    }

    fn character(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        if let Some(model) = self.decoded().models.get(id) {
            return Ok(model);
        }
        let (model, mut record, warnings) = load_character_file(self.file(id)?)?;
        id.clone_into(&mut record.id);
        let mut decoded = self.decoded();
        for warning in warnings.0 {
            decoded.warnings.push(warning);
        }
        decoded.records.insert(id.to_owned(), record);
        let bytes = model_bytes(&model);
        Ok(decoded.models.insert(id, Arc::new(model), bytes))
    }

    /// A thread that panicked while holding the lock left whole values only: go on.
    fn decoded(&self) -> std::sync::MutexGuard<'_, Decoded> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes by names that differ: what stands behind the last `|` of the name in the file (Blender writes
/// `Armature|walk`), without a first word that all begin with (`Robot_Walk`, `Robot_Wave`), and with a number where
/// that is taken.
fn named_takes<'a>(takes: impl Iterator<Item = (&'a str, usize)>) -> Vec<(String, usize)> {
    let takes: Vec<(&str, usize)> = takes
        .map(|(full, index)| (full.rsplit('|').next().unwrap_or(full).trim(), index))
        .collect();
    let first_word = |name: &str| name.split_once('_').map(|(word, _)| word.len() + 1);
    let shared = takes.first().and_then(|(name, _)| {
        let prefix = &name[..first_word(name)?];
        let all = takes.len() > 1
            && takes
                .iter()
                .all(|(name, _)| name.len() > prefix.len() && name.starts_with(prefix));
        all.then_some(prefix.len())
    });
    let mut taken = BTreeSet::new();
    takes
        .into_iter()
        .map(|(name, index)| {
            let short = &name[shared.unwrap_or(0)..];
            let short = if short.is_empty() { "take" } else { short };
            let mut unique = short.to_owned();
            let mut number = 1;
            while !taken.insert(unique.clone()) {
                number += 1;
                unique = format!("{short} {number}");
            }
            (unique, index)
        })
        .collect()
}

impl AssetSource for Workspace {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        if is_character(id) {
            return self.character(id);
        }
        self.library.model(id)
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        self.library.environment(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(takes: &[&str]) -> Vec<String> {
        let named = named_takes(takes.iter().copied().zip(3..));
        assert!(named.iter().zip(3..).all(|((_, index), i)| *index == i));
        named.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn takes_have_short_names_that_differ() {
        assert_eq!(
            names(&["Armature|walk", "walk", "", "Armature|", "Armature|walk"]),
            ["walk", "walk 2", "take", "take 2", "walk 3"]
        );
        assert_eq!(names(&["Robot_Walk", "Robot_Jump"]), ["Walk", "Jump"]);
        assert_eq!(names(&["Robot_Walk", "Robot_"]), ["Robot_Walk", "Robot_"]);
        assert_eq!(names(&["Robot_Walk"]), ["Robot_Walk"]);
    }
}
