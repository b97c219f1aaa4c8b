//! What lies where in `<base>/raw`; names only, nothing is decoded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{AssetError, Warnings};

/// Begins the ids of characters.
pub(crate) const CHARACTER: &str = "character/";
/// Name of the folder of skies.
const SKYBOX: &str = "skybox";

/// One character's files.
pub(crate) struct LaidOut {
    /// Name of its folder.
    pub(crate) name: String,
    /// Asset id.
    pub(crate) id: String,
    pub(crate) file: PathBuf,
    /// Ids and files of its motions, by name; none: its own takes are meant.
    pub(crate) motions: Vec<(String, PathBuf)>,
}

/// The files of a workspace.
pub(crate) struct Layout {
    /// By name.
    pub(crate) characters: Vec<LaidOut>,
    /// The folder of skies, when there is a picture in it.
    pub(crate) skybox: Option<PathBuf>,
    pub(crate) warnings: Warnings,
}

impl Layout {
    /// Looks into `raw`.
    pub(crate) fn read(raw: &Path) -> Result<Self, AssetError> {
        let mut warnings = Warnings::default();
        let entries = std::fs::read_dir(raw).map_err(|source| AssetError::Read {
            path: raw.to_owned(),
            source,
        })?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir() && path.file_name().is_some_and(|n| n != SKYBOX))
            .collect();
        folders.sort();
        let mut characters = Vec::new();
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
            let motion_folder = folder.join("motion");
            for unread in files_of(&motion_folder, &OTHER_MOTIONS)? {
                warnings.push(format!(
                    "{}: motions are read from .fbx, .glb and .gltf files; it is left out",
                    unread.display()
                ));
            }
            let motions: Vec<(String, PathBuf)> = named(files_of(&motion_folder, &RIGGED)?)
                .into_iter()
                .map(|(motion, file)| (format!("{name}/{motion}"), file))
                .collect();
            if motions.is_empty() {
                warnings.push(format!(
                    "{}: there is no motion in it; the takes of the character itself are used",
                    motion_folder.display()
                ));
            }
            characters.push(LaidOut {
                id: format!("{CHARACTER}{name}"),
                file: file.clone(),
                motions,
                name,
            });
        }
        let skybox = raw.join(SKYBOX);
        let pictures = files_of(&skybox, &["png", "jpg", "jpeg", "hdr", "exr"])?;
        if pictures.is_empty() {
            warnings.push(format!(
                "{}: there is no picture in it; backgrounds are plain",
                skybox.display()
            ));
        }
        Ok(Self {
            characters,
            skybox: (!pictures.is_empty()).then_some(skybox),
            warnings,
        })
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

/// Files by their stems. Of several that differ in their endings only, the first has the stem, the others
/// have the ending behind it: `walk`, `walk_glb`.
fn named(files: Vec<PathBuf>) -> Vec<(String, PathBuf)> {
    let mut taken: BTreeSet<String> = files.iter().map(|file| stem(file)).collect();
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for file in files {
        let mut name = stem(&file);
        if named.iter().any(|(known, _)| *known == name) {
            let ending = file.extension().unwrap_or_default().to_string_lossy();
            while !taken.insert(name.clone()) {
                name = format!("{name}_{}", ending.to_lowercase());
            }
        }
        named.push((name, file));
    }
    named
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Endings of files that people keep motions in and that are not read.
const OTHER_MOTIONS: [&str; 9] = [
    "abc", "blend", "bvh", "dae", "npz", "usd", "usda", "usdc", "usdz",
];

/// Endings of files that may hold characters or motions.
const RIGGED: [&str; 3] = ["fbx", "glb", "gltf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_in_their_endings_have_names_of_their_own() {
        let files = ["a.fbx", "walk.FBX", "walk.GLB", "walk.gltf", "walk_glb.fbx"];
        let named = named(files.map(PathBuf::from).to_vec());
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["a", "walk", "walk_glb_glb", "walk_gltf", "walk_glb"]
        );
    }
}
