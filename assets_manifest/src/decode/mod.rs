//! File formats to plain data. Every reader takes its bytes through a [`Source`], so that an asset
//! may lie in a folder or in an archive, and so that what it was made of is hashed on the way.

mod assemble;
mod binding;
mod body;
pub(crate) mod collision;
pub(crate) mod environment;
pub(crate) mod fbx;
pub(crate) mod gltf;
pub(crate) mod image;
mod repair;
mod source;
mod takes;
mod textures;

pub(crate) use repair::finish_mesh;
pub(crate) use source::{Source, read_disk};

use std::path::Path;

use crate::{AssetError, Model, Motion};

/// What a file name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Obj,
    Fbx,
    Gltf,
    /// `.hdr`, `.exr`: always an environment.
    Radiance,
    /// `.png`, `.jpg`: an environment when it is twice as wide as high.
    Picture,
}

impl Format {
    /// By extension, in any case.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "obj" => Self::Obj,
            "fbx" => Self::Fbx,
            "glb" | "gltf" => Self::Gltf,
            "hdr" | "exr" => Self::Radiance,
            "png" | "jpg" | "jpeg" => Self::Picture,
            _ => return None,
        })
    }

    pub(crate) fn is_model(self) -> bool {
        matches!(self, Self::Obj | Self::Fbx | Self::Gltf)
    }
}

/// Reads one model file of any supported format as an object asset: one mesh at index 0.
pub(crate) fn load_object(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    match Format::of(Path::new(name)) {
        Some(Format::Obj) => fbx::load_still(source, name, fbx::Dialect::Obj),
        Some(Format::Fbx) => fbx::load_still(source, name, fbx::Dialect::Fbx),
        Some(Format::Gltf) => gltf::load_object(source, name),
        _ => Err(AssetError::Decode {
            path: source.path_of(name),
            reason: "it is no .obj, .fbx, .glb or .gltf".into(),
        }),
    }
}

/// [`load_moving`] where something is meant to move: that nothing does is a warning.
pub(crate) fn load_character(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    let model = load_moving(source, name)?;
    if model.rig.is_none() {
        source.warnings.push(format!(
            "{}: it has no skeleton and nothing that moves; it is rigid",
            source.path_of(name).display()
        ));
    }
    Ok(model)
}

/// Reads one model file with everything in it that moves: one mesh at index 0, its rig, its takes.
pub(crate) fn load_moving(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    match Format::of(Path::new(name)) {
        Some(Format::Fbx) => fbx::load_character(source, name),
        Some(Format::Gltf) => gltf::load_character(source, name),
        _ => Err(AssetError::Decode {
            path: source.path_of(name),
            reason: "characters are read from .fbx, .glb and .gltf".into(),
        }),
    }
}

/// Reads the takes of one file; meshes do not matter.
pub(crate) fn load_motions(source: &mut Source, name: &str) -> Result<Vec<Motion>, AssetError> {
    match Format::of(Path::new(name)) {
        Some(Format::Fbx) => fbx::load_motions(source, name),
        Some(Format::Gltf) => gltf::load_motions(source, name),
        _ => Err(AssetError::Decode {
            path: source.path_of(name),
            reason: "motions are read from .fbx, .glb and .gltf".into(),
        }),
    }
}
