//! Kubric asset manifests: one JSON that lists assets, with an archive or a folder for each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::terms::{self, TermsReader};
use super::{Files, Found, Place, blank_record, noun};
use crate::decode::{Format, read_disk};
use crate::{AssetError, AssetRecord, Warnings};

/// What file names in kwargs start with.
const ASSET_DIR: &str = "{asset_dir}/";
/// What Kubric calls the visible mesh when nothing else is said.
const DEFAULT_RENDER: &str = "visual_geometry.obj";

#[derive(Deserialize)]
pub(super) struct Manifest {
    #[serde(default)]
    data_dir: Option<String>,
    assets: BTreeMap<String, Asset>,
}

/// One asset of a manifest; `data.json` of an unpacked asset has the same form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asset {
    #[serde(rename = "asset_type")]
    kind: Option<String>,
    path: Archive,
    license: Option<String>,
    kwargs: Kwargs,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kwargs {
    render_filename: Option<String>,
    simulation_filename: Option<String>,
    /// Of textures.
    filename: Option<String>,
    mass: Option<f32>,
    friction: Option<f32>,
    restitution: Option<f32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    category: Option<String>,
}

/// Where the archive of an asset lies below the data folder.
#[derive(Deserialize, Default)]
#[serde(from = "Option<String>")]
enum Archive {
    /// No `path`: `<id>.tar.gz`.
    #[default]
    Default,
    /// `"path": null`: there is none.
    Absent,
    Named(String),
}

impl From<Option<String>> for Archive {
    fn from(path: Option<String>) -> Self {
        path.map_or(Self::Absent, Self::Named)
    }
}

/// Parses `path` when it is a manifest. `None` for other JSON.
///
/// # Errors
/// JSON that has the words or the name of a manifest but cannot be read as one.
pub(super) fn parse(path: &Path) -> Result<Option<Manifest>, AssetError> {
    let bytes = read_disk(path)?;
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    let is_called_so = path.file_name().is_some_and(|name| name == "manifest.json");
    if !(has(b"\"assets\"") && (is_called_so || has(b"\"data_dir\""))) {
        return Ok(None);
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| AssetError::Decode {
            path: path.to_owned(),
            reason: format!("it looks like a Kubric manifest, but: {error}"),
        })
}

/// The assets of a manifest that are there. A mirror of a bucket keeps the bucket's `data_dir`, so
/// archives are also looked for beside the manifest, and in a folder there of the same last name.
///
/// # Errors
/// When none is there: the error names where the manifest points.
pub(super) fn scan(
    path: &Path,
    manifest: &Manifest,
    terms: &mut TermsReader,
    warnings: &mut Warnings,
) -> Result<Vec<Found>, AssetError> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let stated = manifest.data_dir.as_deref().unwrap_or(".");
    let mut roots: Vec<PathBuf> = Vec::new();
    if !stated.contains("://") {
        roots.push(beside.join(stated));
    }
    roots.push(beside.to_owned());
    if let Some(last) = stated.trim_end_matches('/').rsplit('/').next() {
        roots.push(beside.join(last));
    }
    let mut found = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    for (id, asset) in &manifest.assets {
        match locate(id, asset, &roots) {
            Some(place) => {
                let mut record = blank_record(id);
                asset.fill(&mut record);
                let (folder, name) = match &place {
                    Place::Object {
                        files,
                        render: name,
                        ..
                    }
                    | Place::Environment {
                        files,
                        picture: name,
                    } => match files {
                        Files::Folder(folder) => (folder.clone(), name.clone()),
                        Files::Archive(archive) => {
                            (archive.parent().unwrap_or(beside).to_owned(), name.clone())
                        }
                    },
                };
                terms.fill(&mut record, &folder, beside, &[id, &name]);
                found.push(Found { record, place });
            }
            None => missing.push(id),
        }
    }
    if let Some(first) = missing.first() {
        let all = manifest.assets.len();
        if found.is_empty() {
            return Err(AssetError::Unusable {
                path: path.to_owned(),
                reason: format!(
                    "it points to `{stated}`, and none of its {all} assets is there or beside the manifest"
                ),
            });
        }
        warnings.push(format!(
            "{}: {} of {all} assets are not there, the first is `{first}`",
            path.display(),
            missing.len()
        ));
    }
    Ok(found)
}

/// Place of an asset: its archive, or its unpacked folder, below the first root that has one.
fn locate(id: &str, asset: &Asset, roots: &[PathBuf]) -> Option<Place> {
    let archive = match &asset.path {
        Archive::Absent => None,
        Archive::Named(path) => Some(path.clone()),
        Archive::Default => Some(format!("{id}.tar.gz")),
    };
    roots.iter().find_map(|root| {
        let packed = archive.as_ref().map(|name| root.join(name));
        if let Some(packed) = packed.filter(|packed| packed.is_file()) {
            return asset.place(Files::Archive(packed));
        }
        let folder = root.join(id);
        let place = asset.place(Files::Folder(folder.clone()))?;
        let main = match &place {
            Place::Object { render, .. } => render,
            Place::Environment { picture, .. } => picture,
        };
        folder.join(main).is_file().then_some(place)
    })
}

impl Asset {
    fn place(&self, files: Files) -> Option<Place> {
        let file = |name: &Option<String>| {
            name.as_deref()
                .map(|name| name.strip_prefix(ASSET_DIR).unwrap_or(name).to_owned())
        };
        if self.kind.as_deref() == Some("Texture") {
            return Some(Place::Environment {
                files,
                picture: file(&self.kwargs.filename)?,
            });
        }
        let render = file(&self.kwargs.render_filename).unwrap_or_else(|| DEFAULT_RENDER.into());
        Format::of(Path::new(&render)).filter(|format| format.is_model())?;
        Some(Place::Object {
            files,
            render,
            simulation: file(&self.kwargs.simulation_filename),
        })
    }

    /// Puts what the manifest says into a record.
    pub(super) fn fill(&self, record: &mut AssetRecord) {
        let sane = |value: Option<f32>| value.filter(|value| value.is_finite() && *value >= 0.0);
        record.noun = noun::from_category(self.metadata.category.as_deref(), &record.id);
        record.mass_kg = sane(self.kwargs.mass).filter(|mass| *mass > 0.0);
        record.friction = sane(self.kwargs.friction);
        record.restitution = sane(self.kwargs.restitution);
        if let Some(words) = &self.license {
            record.license = terms::spdx(words).unwrap_or_else(|| words.clone());
        }
    }
}
