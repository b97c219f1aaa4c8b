//! Which assets there are, and one of them on demand.
//!
//! A folder given to [`Library::open`] may hold
//! - Kubric manifests (`*.json` with `assets` and `data_dir`) with an archive `<id>.tar.gz` or a
//!   folder `<id>` per asset, in the data folder or beside the manifest. Archives are read in memory,
//!   never unpacked to disk;
//! - model files (.obj, .glb, .gltf, .fbx), at the top or up to three folders deep. A folder with one
//!   model, or with a `visual_geometry`, is one asset called after the folder; its `data.json` and
//!   `object.urdf` are read as Kubric writes them. Files called `collision…` are no assets;
//! - environments: .hdr and .exr anywhere, 2:1 .png and .jpg at the top when no model is beside them.
//!
//! A manifest, that of a scan ([`crate::scan`]: what it calls unusable is left out), or a single asset file
//! may be given in a folder's place. Licences come from the
//! manifest, a line of ATTRIBUTION.md (also up to two folders above) that names the file, a LICENSE
//! file, or the asset file itself, in this order.

pub(crate) mod cache;
pub(crate) mod folder;
mod manifest;
mod noun;
mod scanned;
pub(crate) mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::cache::Cache;
use self::terms::TermsReader;
use crate::decode::{self, Source};
use crate::expand::expand;
use crate::{
    AssetError, AssetRecord, AssetSource, EnvironmentMap, Model, Motion, Warnings, builtin,
};

/// The word that stands for the built-in library among the folders given.
pub const BUILTIN: &str = "builtin";
const BUILTIN_PREFIX: &str = "builtin/";
/// Decoded models kept in memory, bytes. What a caller holds stays alive beyond it.
const MODEL_CACHE_BYTES: u64 = 256 << 20;
/// Ends the ids of environments that are read with [`expand`].
const EXPANDED: &str = "?expanded";
/// Decoded environments kept in memory, bytes.
const ENVIRONMENT_CACHE_BYTES: u64 = 128 << 20;

/// All assets that a run may draw from. Shared between threads; opening reads names and small text
/// files only, everything else happens when an asset is first used.
pub struct Library {
    objects: Vec<AssetRecord>,
    environments: Vec<AssetRecord>,
    places: BTreeMap<String, Place>,
    state: Mutex<State>,
}

/// Where one asset lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    Object {
        files: Files,
        /// Model file among `files`.
        render: String,
        /// URDF among `files` that names the collision meshes.
        simulation: Option<String>,
    },
    Environment {
        files: Files,
        picture: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Files {
    Folder(PathBuf),
    Archive(PathBuf),
}

impl Files {
    pub(crate) fn open(&self) -> Result<Source, AssetError> {
        match self {
            Self::Folder(folder) => Ok(Source::folder(folder)),
            Self::Archive(path) => Source::archive(path),
        }
    }
}

/// An asset found while opening. Its record has no hash yet.
pub(crate) struct Found {
    pub(crate) record: AssetRecord,
    pub(crate) place: Place,
}

struct State {
    models: Cache<Model>,
    environments: Cache<EnvironmentMap>,
    /// Records with their hash, of assets that were loaded.
    records: BTreeMap<String, AssetRecord>,
    /// Ids of loaded environments that hold nothing brighter than white.
    low_range: BTreeSet<String>,
    warnings: BTreeSet<String>,
}

impl Library {
    /// Opens the given folders (see the module text for what one may hold): without any, the built-in
    /// library; with some, only what they hold, and the built-in library fills in a kind (objects or
    /// environments) of which they have none, with a warning. The word [`BUILTIN`] among them adds the
    /// built-in library.
    ///
    /// # Errors
    /// A folder that cannot be read or holds no asset, a broken manifest, or one that points nowhere.
    pub fn open(dirs: &[PathBuf]) -> Result<(Self, Warnings), AssetError> {
        Self::open_kinds(dirs, true)
    }

    /// [`Library::open`] for environments alone: no word about objects that are not there.
    ///
    /// # Errors
    /// As [`Library::open`].
    pub(crate) fn open_environments(dirs: &[PathBuf]) -> Result<(Self, Warnings), AssetError> {
        Self::open_kinds(dirs, false)
    }

    fn open_kinds(dirs: &[PathBuf], needs_objects: bool) -> Result<(Self, Warnings), AssetError> {
        let mut warnings = Warnings::default();
        let mut terms = TermsReader::default();
        let mut objects = Vec::new();
        let mut environments = Vec::new();
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        let mut with_builtin = dirs.is_empty();
        for dir in dirs {
            if dir.as_os_str() == BUILTIN {
                with_builtin = true;
                continue;
            }
            let found = folder::scan(dir, folder::Faults::AreErrors, &mut terms, &mut warnings)?;
            if found.is_empty() {
                return Err(AssetError::Unusable {
                    path: dir.clone(),
                    reason:
                        "there is no model (.obj, .glb, .gltf, .fbx), environment (.hdr, .exr, \
                             2:1 .png or .jpg) or Kubric manifest in it"
                            .into(),
                });
            }
            for Found { record, place } in found {
                if places.contains_key(&record.id) {
                    warnings.push(format!(
                        "two assets are named `{}`; the one in {} is left out",
                        record.id,
                        dir.display()
                    ));
                    continue;
                }
                let kind = match place {
                    Place::Object { .. } => &mut objects,
                    Place::Environment { .. } => &mut environments,
                };
                places.insert(record.id.clone(), place);
                kind.push(record);
            }
        }
        for (what, is_needed, found, of_builtin) in [
            (
                "objects",
                needs_objects,
                &mut objects,
                builtin::object_records as fn() -> _,
            ),
            (
                "environments",
                true,
                &mut environments,
                builtin::environment_records,
            ),
        ] {
            if with_builtin {
                found.extend(of_builtin());
            } else if is_needed && found.is_empty() {
                warnings.push(format!(
                    "the asset folders hold no {what}: the built-in ones are used"
                ));
                found.extend(of_builtin());
            }
        }
        objects.sort_by(|a, b| a.id.cmp(&b.id));
        environments.sort_by(|a, b| a.id.cmp(&b.id));
        let library = Self {
            objects,
            environments,
            places,
            state: Mutex::new(State {
                models: Cache::new(MODEL_CACHE_BYTES),
                environments: Cache::new(ENVIRONMENT_CACHE_BYTES),
                records: BTreeMap::new(),
                low_range: BTreeSet::new(),
                warnings: BTreeSet::new(),
            }),
        };
        Ok((library, warnings))
    }

    /// Objects to draw from, sorted by id. The hash of an asset from a folder is empty here: ask
    /// [`Library::record`] for the full record.
    pub fn objects(&self) -> &[AssetRecord] {
        &self.objects
    }

    /// Environments to draw from, sorted by id; hashes as in [`Library::objects`].
    pub fn environments(&self) -> &[AssetRecord] {
        &self.environments
    }

    /// The full record of an asset, with the hash of its source: loads the asset if it was not yet.
    /// Built-in ids, also parametric ones, are always known.
    pub fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        if let Some(environment) = builtin::environment_of_floor(id) {
            let map = self.load_environment(environment)?;
            let record = self.record(environment)?;
            return Ok(builtin::projected_floor_record(&record, &map));
        }
        if let Some(stored) = id.strip_suffix(EXPANDED) {
            return Ok(AssetRecord {
                id: id.to_owned(),
                ..self.record(stored)?
            });
        }
        if id.starts_with(BUILTIN_PREFIX) {
            return builtin::record(id).ok_or_else(|| unknown(id));
        }
        let place = self.places.get(id).ok_or_else(|| unknown(id))?;
        if let Some(record) = self.state().records.get(id) {
            return Ok(record.clone());
        }
        match place {
            Place::Object { .. } => drop(self.load_model(id)?),
            Place::Environment { .. } => drop(self.load_environment(id)?),
        }
        let record = self.state().records.get(id).cloned();
        record.ok_or_else(|| unknown(id))
    }

    /// Decodes an object asset, or hands out the decoded one.
    ///
    /// # Errors
    /// What is wrong with its files. A broken collision mesh is a warning: physics then decomposes
    /// the visible one.
    pub fn load_model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        if let Some(model) = self.state().models.get(id) {
            return Ok(model);
        }
        let model = if let Some(environment) = builtin::environment_of_floor(id) {
            builtin::projected_floor(&*self.load_environment(environment)?)
        } else if id.starts_with(BUILTIN_PREFIX) {
            builtin::model(id).ok_or_else(|| unknown(id))?
        } else {
            let Some(Place::Object {
                files,
                render,
                simulation,
            }) = self.places.get(id)
            else {
                return Err(unknown(id));
            };
            let mut source = files.open()?;
            let mut model = decode::load_object(&mut source, render)?;
            if let Some(simulation) = simulation {
                match decode::collision::load(&mut source, simulation) {
                    Ok(pieces) => model.convex_pieces = pieces,
                    Err(error) => source.warnings.push(format!(
                        "the collision geometry of `{id}` is left out: {error}"
                    )),
                }
            }
            self.loaded(id, &self.objects, source);
            model
        };
        let bytes = model_bytes(&model);
        Ok(self.state().models.insert(id, Arc::new(model), bytes))
    }

    /// Decodes an environment, or hands out the decoded one.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn load_environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        if let Some(map) = self.state().environments.get(id) {
            return Ok(map);
        }
        let map = if let Some(stored) = id.strip_suffix(EXPANDED) {
            expand(&*self.load_environment(stored)?)
        } else if id.starts_with(BUILTIN_PREFIX) {
            builtin::environment(id).ok_or_else(|| unknown(id))?
        } else {
            let Some(Place::Environment { files, picture }) = self.places.get(id) else {
                return Err(unknown(id));
            };
            let mut source = files.open()?;
            let loaded = decode::environment::load(&mut source, picture)?;
            self.loaded(id, &self.environments, source);
            if loaded.is_low_range {
                self.state().low_range.insert(id.to_owned());
            }
            loaded.map
        };
        let bytes = u64::from(map.image.width) * u64::from(map.image.height) * 12;
        Ok(self.state().environments.insert(id, Arc::new(map), bytes))
    }

    /// The id under which an environment of eight bits a channel is known with the light that such a
    /// file cannot hold: clipped areas lifted, and a sun at the brightest spot. Others keep their id.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn expanded_id(&self, id: &str) -> Result<String, AssetError> {
        self.load_environment(id)?;
        Ok(if self.state().low_range.contains(id) {
            format!("{id}{EXPANDED}")
        } else {
            id.to_owned()
        })
    }

    /// Recoverable trouble of all assets loaded so far, sorted.
    pub fn warnings(&self) -> Warnings {
        Warnings(self.state().warnings.iter().cloned().collect())
    }

    /// Keeps what became known by loading asset `id`.
    fn loaded(&self, id: &str, records: &[AssetRecord], source: Source) {
        let known = records.binary_search_by(|record| record.id.as_str().cmp(id));
        let mut state = self.state();
        if let Ok(index) = known {
            let mut record = records[index].clone();
            complete_record(&mut record, &source);
            state.records.insert(id.to_owned(), record);
        }
        state.warnings.extend(source.warnings.0);
    }

    /// A thread that panicked while holding the lock left whole values only: go on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AssetSource for Library {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        self.load_model(id)
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        self.load_environment(id)
    }
}

/// Reads one environment picture by itself (`--environment FILE`); its id is the file name without
/// extension.
///
/// # Errors
/// What is wrong with the file.
pub fn load_environment_file(
    path: &Path,
) -> Result<(EnvironmentMap, AssetRecord, Warnings), AssetError> {
    let (mut source, name) = Source::beside(path)?;
    let map = decode::environment::load(&mut source, &name)?.map;
    let record = lone_record(path, &name, &source);
    Ok((map, record, source.warnings))
}

/// Reads one model file by itself as an object; its id is the file name without extension.
///
/// # Errors
/// What is wrong with the file.
pub fn load_model_file(path: &Path) -> Result<(Model, AssetRecord, Warnings), AssetError> {
    let (mut source, name) = Source::beside(path)?;
    let model = decode::load_object(&mut source, &name)?;
    let record = lone_record(path, &name, &source);
    Ok((model, record, source.warnings))
}

/// Reads one model file by itself with everything in it that moves: one mesh at index 0, its rig,
/// and the takes in it. A file in which nothing moves is a model without a rig, with a warning.
///
/// # Errors
/// What is wrong with the file.
pub fn load_character_file(path: &Path) -> Result<(Model, AssetRecord, Warnings), AssetError> {
    let (mut source, name) = Source::beside(path)?;
    let model = decode::load_character(&mut source, &name)?;
    let record = lone_record(path, &name, &source);
    Ok((model, record, source.warnings))
}

/// Reads the takes of one file, which needs no meshes. At least one: a file with a skeleton and no
/// take is its rest pose, with a warning.
///
/// # Errors
/// What is wrong with the file, or that it has no skeleton.
pub fn load_motion_file(path: &Path) -> Result<(Vec<Motion>, AssetRecord, Warnings), AssetError> {
    let (mut source, name) = Source::beside(path)?;
    let motions = decode::load_motions(&mut source, &name)?;
    let record = lone_record(path, &name, &source);
    Ok((motions, record, source.warnings))
}

/// Record of a file that is in no library.
pub(crate) fn lone_record(path: &Path, name: &str, source: &Source) -> AssetRecord {
    let id = Path::new(name)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut record = blank_record(&id);
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
    let names = [name, &folder_name, terms::distinctive_stem(name)];
    TermsReader::default().fill(&mut record, folder, folder, &names);
    complete_record(&mut record, source);
    record
}

pub(crate) fn blank_record(id: &str) -> AssetRecord {
    AssetRecord {
        id: id.to_owned(),
        blake3: String::new(),
        license: terms::UNKNOWN.into(),
        attribution: String::new(),
        noun: noun::from_id(id),
        mass_kg: None,
        friction: None,
        restitution: None,
    }
}

/// Adds the hash, and what the file itself says about its origin where nothing else did.
fn complete_record(record: &mut AssetRecord, source: &Source) {
    record.blake3 = source.digest();
    if let Some(stated) = &source.attribution {
        state_terms(record, stated);
    }
}

/// Adds what a file itself says about its origin, where nothing else did.
pub(crate) fn state_terms(record: &mut AssetRecord, stated: &str) {
    if record.license == terms::UNKNOWN
        && let Some(license) = terms::spdx(stated)
    {
        record.license = license;
    }
    if record.attribution.is_empty() {
        stated.clone_into(&mut record.attribution);
    }
}

fn unknown(id: &str) -> AssetError {
    AssetError::Unknown { id: id.to_owned() }
}

pub(crate) fn model_bytes(model: &Model) -> u64 {
    let images: u64 = model
        .images
        .iter()
        .map(|image| {
            let texel = match image.pixels {
                crate::Pixels::Rgba8(_) => 4,
                crate::Pixels::RgbF32(_) => 12,
            };
            u64::from(image.width) * u64::from(image.height) * texel
        })
        .sum();
    let meshes: usize = model
        .meshes
        .iter()
        .map(|mesh| mesh.positions.len() * 64 + mesh.triangles.len() * 14)
        .sum();
    images + meshes as u64
}
