//! One decoded asset: meshes with their materials and images.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Image, Material, Mesh, Motion, Rig};

/// Everything one asset file holds, ready to be placed in a Shot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// At least one; an object of a Shot names one by index.
    pub meshes: Vec<Arc<Mesh>>,
    /// Material slots; `Mesh::material_of_triangle` points here. At least one.
    pub materials: Vec<Material>,
    /// Images that materials refer to.
    pub images: Vec<Image>,
    /// Convex pieces for physics in object space, each a point cloud whose hull is meant;
    /// empty: decompose the meshes.
    pub convex_pieces: Vec<Vec<glam::Vec3>>,
    /// What can move in it; `None`: it is rigid.
    pub rig: Option<Rig>,
    /// Takes found in the file, for its own skeleton.
    pub motions: Vec<Motion>,
}

/// Where an asset came from and under which terms. Goes into shot.json and ATTRIBUTION.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetRecord {
    /// Unique in a Shot, e.g. `builtin/torus`, `ycb_004_sugar_box`, `venice_sunset_1k`.
    pub id: String,
    /// blake3 of the source bytes, hex (for built-in assets of their name and generator version).
    pub blake3: String,
    /// SPDX identifier or the words found beside the asset; `unknown` when none was found.
    pub license: String,
    /// Who made it, and where it is from.
    pub attribution: String,
    /// What to call it in a caption: a plain noun, e.g. `gear`, `sugar box`.
    pub noun: String,
    /// Kilograms when the library says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mass_kg: Option<f32>,
    /// Coulomb friction when the library says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friction: Option<f32>,
    /// Restitution when the library says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restitution: Option<f32>,
}

/// Recoverable trouble found while loading: what was wrong and what was done about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Warnings(pub Vec<String>);

impl Warnings {
    /// Adds one, once: the same words are not repeated.
    pub fn push(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }
}
