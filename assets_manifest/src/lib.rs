//! Finding, hashing, licensing and decoding of meshes, materials, textures and environments,
//! and the built-in library that needs no file at all.
//!
//! Everything here is renderer-neutral plain data in world conventions: right-handed, Z up, metres.
//! This crate and `diorama-video` are the only ones that open media files.

pub mod environment;
pub mod error;
pub mod image;
pub mod material;
pub mod mesh;
pub mod model;

pub use environment::EnvironmentMap;
pub use error::AssetError;
pub use image::{ColorSpace, Image, Pixels};
pub use material::{AlphaMode, Material, TextureRef, Wrap};
pub use mesh::Mesh;
pub use model::{AssetRecord, Model, Warnings};
