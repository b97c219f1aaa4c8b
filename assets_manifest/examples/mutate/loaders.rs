//! The loaders that take damaged files, each as programs use it.

use std::path::Path;

use diorama_assets::scene::{LoadOptions, load_scene};
use diorama_assets::{
    AssetError, Library, load_character_file, load_environment_file, load_model_file,
    load_motion_file,
};

/// One reader of foreign bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loader {
    Obj,
    Mtl,
    Fbx,
    Gltf,
    Hdr,
    Exr,
    Png,
    Jpg,
    Webp,
    Bmp,
    Tga,
    Archive,
    Manifest,
    Urdf,
}

impl Loader {
    pub(crate) const ALL: [(&str, Self); 14] = [
        ("obj", Self::Obj),
        ("mtl", Self::Mtl),
        ("fbx", Self::Fbx),
        ("gltf", Self::Gltf),
        ("hdr", Self::Hdr),
        ("exr", Self::Exr),
        ("png", Self::Png),
        ("jpg", Self::Jpg),
        ("webp", Self::Webp),
        ("bmp", Self::Bmp),
        ("tga", Self::Tga),
        ("archive", Self::Archive),
        ("manifest", Self::Manifest),
        ("urdf", Self::Urdf),
    ];

    /// Endings of the files of a corpus that this loader reads alone.
    pub(crate) fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Obj => &["obj"],
            Self::Fbx => &["fbx"],
            Self::Gltf => &["gltf", "glb"],
            Self::Hdr => &["hdr"],
            Self::Exr => &["exr"],
            Self::Png => &["png"],
            Self::Jpg => &["jpg", "jpeg"],
            Self::Webp => &["webp"],
            Self::Bmp => &["bmp"],
            Self::Tga => &["tga"],
            Self::Mtl | Self::Archive | Self::Manifest | Self::Urdf => &[],
        }
    }

    /// Reads the damaged `file` in `folder`; formats with several uses take turns.
    pub(crate) fn read(self, folder: &Path, file: &Path, input: u64) -> Result<(), AssetError> {
        match self {
            Self::Obj => load_model_file(file).map(drop),
            Self::Mtl => load_model_file(&folder.join("a.obj")).map(drop),
            Self::Fbx => match input % 3 {
                0 => load_character_file(file).map(drop),
                1 => load_motion_file(file).map(drop),
                _ => load_model_file(file).map(drop),
            },
            Self::Gltf => match input % 4 {
                0..=1 => load_character_file(file).map(drop),
                2 => load_motion_file(file).map(drop),
                _ => load_scene(file, LoadOptions::default()).map(drop),
            },
            Self::Hdr | Self::Exr | Self::Png | Self::Jpg | Self::Webp | Self::Bmp | Self::Tga => {
                load_environment_file(file).map(drop)
            }
            Self::Archive | Self::Manifest | Self::Urdf => library(folder),
        }
    }
}

/// Opens a library and loads everything in it.
fn library(folder: &Path) -> Result<(), AssetError> {
    let (library, _) = Library::open(&[folder.to_owned()])?;
    for record in library.objects() {
        library.load_model(&record.id)?;
    }
    Ok(())
}
