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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::library::cache::Cache;
use crate::library::{BUILTIN, load_character_file, load_motion_file, model_bytes};
use crate::rig::JointTransform;
use crate::{
    AssetError, AssetRecord, AssetSource, EnvironmentMap, Library, Model, Motion, Warnings, builtin,
};

/// Begins the ids of characters.
const CHARACTER: &str = "character/";

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

/// Files of `folder` with one of these extensions, sorted by name; none where there is no such folder.
fn files_of(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, AssetError> {
    let read = |source| AssetError::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(read)?.path();
        let known = path
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| extensions.contains(&e.to_ascii_lowercase().as_str()));
        if known && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Endings of files that may hold characters or motions.
const RIGGED: [&str; 3] = ["fbx", "glb", "gltf"];

impl Workspace {
    /// Opens `<base>/raw`.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds no character with a motion.
    pub fn open(base: &Path) -> Result<(Self, Warnings), AssetError> {
        let raw = base.join("raw");
        let mut warnings = Warnings::default();
        let entries = std::fs::read_dir(&raw).map_err(|source| AssetError::Read {
            path: raw.clone(),
            source,
        })?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir() && path.file_name().is_some_and(|n| n != "skybox"))
            .collect();
        folders.sort();
        let mut characters = Vec::new();
        let mut files = BTreeMap::new();
        for folder in folders {
            let name = folder
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            let own = files_of(&folder, &RIGGED)?;
            let Some(file) = own.iter().find(|file| stem(file) == name) else {
                warnings.push(format!(
                    "{}: there is no {name}.fbx, .glb or .gltf in it; it is left out",
                    folder.display()
                ));
                continue;
            };
            let id = format!("{CHARACTER}{name}");
            files.insert(id.clone(), file.clone());
            let mut motions = Vec::new();
            for motion in files_of(&folder.join("motion"), &RIGGED)? {
                let motion_id = format!("{name}/{}", stem(&motion));
                files.insert(motion_id.clone(), motion);
                motions.push(motion_id);
            }
            if motions.is_empty() {
                warnings.push(format!(
                    "{}: there is no motion in it; the takes of the character itself are used",
                    folder.join("motion").display()
                ));
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
        let sky = raw.join("skybox");
        let pictures = files_of(&sky, &["png", "jpg", "jpeg", "hdr", "exr"])?;
        let dirs = if pictures.is_empty() {
            warnings.push(format!(
                "{}: there is no picture in it; backgrounds are plain",
                sky.display()
            ));
            vec![PathBuf::from(BUILTIN)]
        } else {
            vec![sky]
        };
        let (library, found) = Library::open_environments(&dirs)?;
        for warning in found.0 {
            warnings.push(warning);
        }
        let skyboxes = if pictures.is_empty() {
            Vec::new()
        } else {
            let records = library.environments().iter();
            records.map(|record| record.id.clone()).collect()
        };
        Ok((
            Self {
                characters,
                files,
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
            skyboxes: skyboxes.map(|record| record.id.clone()).collect(),
            library,
            decoded: Mutex::default(),
        })
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

    /// The longest take of a motion file.
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
        let longest = takes
            .into_iter()
            .max_by_key(|take| take.frames.len())
            .ok_or_else(|| AssetError::Unusable {
                path: path.clone(),
                reason: "there is no take in it".into(),
            })?;
        let mut decoded = self.decoded();
        for warning in warnings.0 {
            decoded.warnings.push(warning);
        }
        Ok(decoded.keep_motion(id, longest))
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
