//! Finding, hashing, licensing and decoding of meshes, materials, textures and environments,
//! and the built-in library that needs no file at all.
//!
//! Everything here is renderer-neutral plain data in world conventions: right-handed, Z up, metres.
//! This crate and `diorama-video` are the only ones that open media files.

pub mod builtin;
mod decode;
pub mod environment;
pub mod error;
mod expand;
pub mod image;
pub mod library;
pub mod material;
pub mod mesh;
pub mod model;
pub mod motion;
pub mod retarget;
pub mod rig;
pub mod scan;
pub mod scene;
pub mod source;
pub mod workspace;

pub use environment::EnvironmentMap;
pub use error::AssetError;
pub use image::{ColorSpace, Image, Pixels};
pub use library::{
    Library, load_character_file, load_environment_file, load_model_file, load_motion_file,
};
pub use material::{AlphaMode, Material, TextureRef, Wrap};
pub use mesh::Mesh;
pub use model::{AssetRecord, Model, Warnings};
pub use motion::Motion;
pub use retarget::{MotionQuality, RetargetError, Retargeted, retarget};
pub use rig::{BodyPose, Rig};
pub use scene::{LoadOptions, SceneFile, load_scene};
pub use source::{AssetSource, InMemoryAssets};
pub use workspace::{Character, Workspace};
