//! What a folder given with `--assets` holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::terms::{self, TermsReader};
use super::{Files, Found, Place, blank_record};
use super::{manifest, scanned};
use crate::decode::{Format, environment, read_disk};
use crate::{AssetError, Warnings};

/// Levels of sub-folders that are looked into.
const MAX_DEPTH: usize = 3;

/// What a broken manifest or a folder that cannot be read below the root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    /// The user asked for what is in it.
    AreErrors,
    /// The user asked what there is.
    AreWarnings,
}

/// All assets in `path`: those of its Kubric manifests, and plain files in it and its sub-folders.
/// `path` may also be one manifest or one asset file. Sorted by id.
pub(crate) fn scan(
    path: &Path,
    faults: Faults,
    terms: &mut TermsReader,
    warnings: &mut Warnings,
) -> Result<Vec<Found>, AssetError> {
    let metadata = fs::metadata(path).map_err(|source| AssetError::Read {
        path: path.to_owned(),
        source,
    })?;
    if metadata.is_file()
        && let Some(found) = scanned::found(path)
    {
        return Ok(found);
    }
    let mut scan = Scan {
        root: path.to_owned(),
        faults,
        terms,
        warnings,
        found: Vec::new(),
        ids: BTreeSet::new(),
        claimed: BTreeSet::new(),
    };
    if metadata.is_file() {
        path.parent()
            .unwrap_or(Path::new(""))
            .clone_into(&mut scan.root);
        let manifest = scan.manifest(path);
        if !scan.allowed(manifest)?.unwrap_or(true) {
            scan.single(path);
        }
    } else {
        let listing = Listing::of(path, scan.warnings)?;
        for file in listing.files_with_extension("json") {
            let manifest = scan.manifest(&file);
            scan.allowed(manifest)?;
        }
        scan.folder(path, listing, 0)?;
    }
    let mut found = scan.found;
    found.sort_by(|a, b| a.record.id.cmp(&b.record.id));
    Ok(found)
}

struct Scan<'a> {
    root: PathBuf,
    faults: Faults,
    terms: &'a mut TermsReader,
    warnings: &'a mut Warnings,
    found: Vec<Found>,
    ids: BTreeSet<String>,
    /// Folders and archives of manifest assets: not looked at again.
    claimed: BTreeSet<PathBuf>,
}

/// Sorted names in a folder, without hidden ones and, with a warning, ones that are no UTF-8.
struct Listing {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Listing {
    fn of(folder: &Path, warnings: &mut Warnings) -> Result<Self, AssetError> {
        let failed = |source: std::io::Error| AssetError::Read {
            path: folder.to_owned(),
            source,
        };
        let mut listing = Self {
            files: Vec::new(),
            folders: Vec::new(),
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some(name) if name.starts_with('.') => continue,
                Some(_) => {}
                None => {
                    warnings.push(format!(
                        "{}: its name is not UTF-8; left out",
                        path.display()
                    ));
                    continue;
                }
            }
            if path.is_dir() {
                listing.folders.push(path);
            } else if path.is_file() {
                listing.files.push(path);
            }
        }
        listing.files.sort();
        listing.folders.sort();
        Ok(listing)
    }

    fn files_with_extension(&self, extension: &str) -> Vec<PathBuf> {
        let wanted = |path: &&PathBuf| {
            path.extension()
                .is_some_and(|found| found.eq_ignore_ascii_case(extension))
        };
        self.files.iter().filter(wanted).cloned().collect()
    }
}

impl Scan<'_> {
    /// A fault is passed on, or said.
    fn allowed<T>(&mut self, result: Result<T, AssetError>) -> Result<Option<T>, AssetError> {
        match (result, self.faults) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(error), Faults::AreErrors) => Err(error),
            (Err(error), Faults::AreWarnings) => {
                self.warnings.push(error.to_string());
                Ok(None)
            }
        }
    }

    /// Adds the assets of `path` when it is a manifest; says whether it was one.
    fn manifest(&mut self, path: &Path) -> Result<bool, AssetError> {
        if path.extension().is_none_or(|found| found != "json") {
            return Ok(false);
        }
        let Some(parsed) = manifest::parse(path)? else {
            return Ok(false);
        };
        for found in manifest::scan(path, &parsed, self.terms, self.warnings)? {
            let (Place::Object { files, .. } | Place::Environment { files, .. }) = &found.place;
            let (Files::Folder(place) | Files::Archive(place)) = files;
            // Compared with listed paths: without the `.` of a relative data_dir.
            self.claimed.insert(place.components().collect());
            self.ids.insert(found.record.id.clone());
            self.found.push(found);
        }
        Ok(true)
    }

    /// Adds one file that was given by itself.
    fn single(&mut self, path: &Path) {
        let stem = stem_of(path);
        match Format::of(path) {
            Some(format) if format.is_model() => self.object(path, &stem, None),
            Some(_) => self.environment(path, &stem),
            None => {}
        }
    }

    fn folder(&mut self, folder: &Path, listing: Listing, depth: usize) -> Result<(), AssetError> {
        let collision = |path: &Path| stem_of(path).starts_with("collision");
        let models: Vec<&PathBuf> = listing
            .files
            .iter()
            .filter(|path| Format::of(path).is_some_and(Format::is_model) && !collision(path))
            .collect();
        let prefix = self.prefix(folder);
        let kubric = models
            .iter()
            .find(|path| stem_of(path) == "visual_geometry")
            .filter(|_| depth > 0);
        if let Some(visual) = kubric {
            self.object(visual, &prefix, Some(folder));
        } else if let ([only], true) = (models.as_slice(), depth > 0) {
            self.object(only, &prefix, Some(folder));
        } else {
            for model in &models {
                let id = joined(&prefix, &stem_of(model));
                self.object(model, &id, None);
            }
        }
        if models.is_empty() && folder.join("object.urdf").is_file() {
            self.warnings.push(format!(
                "{} has an object.urdf but no model file; left out",
                folder.display()
            ));
        }
        for picture in &listing.files {
            match Format::of(picture) {
                Some(Format::Radiance) => {}
                // Beside models pictures are textures, and in deeper folders too.
                Some(Format::Picture) if models.is_empty() && depth == 0 => {
                    if !is_panorama(picture) {
                        self.warnings.push(format!(
                            "{} is not twice as wide as high, so it is no environment; left out",
                            picture.display()
                        ));
                        continue;
                    }
                }
                _ => continue,
            }
            let id = joined(&prefix, &stem_of(picture));
            self.environment(picture, &id);
        }
        if depth < MAX_DEPTH {
            for inner in listing.folders {
                let plain: PathBuf = inner.components().collect();
                if !self.claimed.contains(&plain) {
                    let listing = Listing::of(&inner, self.warnings);
                    if let Some(listing) = self.allowed(listing)? {
                        self.folder(&inner, listing, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Path below the root, with `/`: the first part of ids.
    fn prefix(&self, folder: &Path) -> String {
        let parts: Vec<_> = folder
            .strip_prefix(&self.root)
            .unwrap_or(Path::new(""))
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        parts.join("/")
    }

    /// Adds a model file. `own_folder` is the folder when all of it belongs to this asset.
    fn object(&mut self, path: &Path, id: &str, own_folder: Option<&Path>) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = name_of(path);
        let id = self.unique(id, &name);
        let mut record = blank_record(&id);
        let mut simulation = None;
        if let Some(folder) = own_folder {
            self.data_json(&folder.join("data.json"), &mut record);
            if folder.join("object.urdf").is_file() {
                simulation = Some("object.urdf".to_owned());
            }
        }
        let folder_name = own_folder.map(name_of).unwrap_or_default();
        self.terms.fill(
            &mut record,
            folder,
            &self.root,
            &[&name, &id, &folder_name, terms::distinctive_stem(&name)],
        );
        self.found.push(Found {
            record,
            place: Place::Object {
                files: Files::Folder(folder.to_owned()),
                render: name,
                simulation,
            },
        });
    }

    fn environment(&mut self, path: &Path, id: &str) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = name_of(path);
        let id = self.unique(id, &name);
        let mut record = blank_record(&id);
        self.terms.fill(
            &mut record,
            folder,
            &self.root,
            &[&name, &id, terms::distinctive_stem(&name)],
        );
        self.found.push(Found {
            record,
            place: Place::Environment {
                files: Files::Folder(folder.to_owned()),
                picture: name,
            },
        });
    }

    /// What a single Kubric asset's data.json says; a broken one is a warning.
    fn data_json(&mut self, path: &Path, record: &mut crate::AssetRecord) {
        if !path.is_file() {
            return;
        }
        let asset = read_disk(path).map_err(|error| error.to_string()).and_then(
            |bytes| -> Result<manifest::Asset, String> {
                serde_json::from_slice(&bytes).map_err(|error| error.to_string())
            },
        );
        match asset {
            Ok(asset) => asset.fill(record),
            Err(error) => self
                .warnings
                .push(format!("{} is ignored: {error}", path.display())),
        }
    }

    /// `id`, or, when a file of another format took it (`a.hdr`, `a.png`), with the extension.
    fn unique(&mut self, id: &str, name: &str) -> String {
        let mut id = id.to_owned();
        if self.ids.contains(&id)
            && let Some(extension) = Path::new(name).extension()
        {
            id = format!("{id}.{}", extension.to_string_lossy());
        }
        self.ids.insert(id.clone());
        id
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    }
}

fn stem_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Reads no more than the header.
fn is_panorama(path: &Path) -> bool {
    ::image::ImageReader::open(path)
        .and_then(::image::ImageReader::with_guessed_format)
        .ok()
        .and_then(|reader| reader.into_dimensions().ok())
        .is_some_and(|(width, height)| environment::is_equirectangular(width, height))
}
