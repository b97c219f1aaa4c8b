//! A glTF file as a whole scene: meshes, instances, cameras, lights.

use std::path::Path;

use glam::{DAffine3, Quat, Vec3};

use crate::decode::{Source, gltf};
use crate::{AssetError, AssetRecord, Model, Warnings, library};

/// How to read what glTF and Blender's importer understand differently. The defaults are Blender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// Transmission without thickness is a thin wall that does not refract (glTF's reading) instead
    /// of a solid (Blender's).
    pub thin_walled: bool,
    /// `attenuationColor` is what white becomes after `attenuationDistance` (glTF's reading) instead
    /// of the colour of a Volume Absorption node, which leaves `exp(color − 1)` (Blender's).
    pub specified_absorption: bool,
}

/// Position and orientation in the world (Z up, metres).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScenePose {
    /// Metres.
    pub position: Vec3,
    /// `world_from_…`, unit.
    pub rotation: Quat,
}

/// A use of a mesh. Its transform is scale, then rotation, then translation: meshes under a sheared
/// or mirrored transform are copies with that part applied.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneInstance {
    /// Name of the node, or of its mesh.
    pub name: String,
    /// Index into [`SceneFile::model`]'s meshes.
    pub mesh: u32,
    /// `world_from_object` without scale.
    pub pose: ScenePose,
    /// Positive, applied first.
    pub scale: Vec3,
}

impl SceneInstance {
    /// The whole transform.
    pub(crate) fn world_from_object(&self) -> DAffine3 {
        DAffine3::from_scale_rotation_translation(
            self.scale.as_dvec3(),
            self.pose.rotation.as_dquat(),
            self.pose.position.as_dvec3(),
        )
    }
}

/// A perspective camera; it looks along its −Z with +Y up.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneCamera {
    /// Name of the node, or of the camera.
    pub name: String,
    /// `world_from_camera`.
    pub pose: ScenePose,
    /// Full vertical angle of view, radians.
    pub yfov_rad: f32,
    /// Width over height that it was made for; pictures of another shape keep the vertical angle.
    pub aspect_ratio: Option<f32>,
    /// Near plane, metres; for information, nothing is clipped.
    pub znear: f32,
}

/// A punctual light; it shines along its −Z.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneLight {
    /// Name of the node, or of the light.
    pub name: String,
    /// `world_from_light`.
    pub pose: ScenePose,
    /// What it is.
    pub kind: SceneLightKind,
}

/// Kinds of light in Blender's units, as its importer converts them (1 W = 683 lm).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SceneLightKind {
    /// Distant disc.
    Sun {
        /// On a surface facing it, W/m², linear Rec.709.
        irradiance: [f32; 3],
        /// Full angle, radians.
        angular_diameter_rad: f32,
    },
    /// Sphere.
    Point {
        /// Radiant power, W.
        watts: [f32; 3],
        /// Metres; 0: a point.
        radius: f32,
    },
    /// Cone out of a sphere.
    Spot {
        /// Radiant power of the whole sphere, W.
        watts: [f32; 3],
        /// Metres; 0: a point.
        radius: f32,
        /// Half angle of the cone, radians.
        outer_half_angle_rad: f32,
        /// Blender's blend, 0 hard … 1 soft.
        blend: f32,
    },
}

/// Everything in a scene file, in world convention.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SceneFile {
    /// All meshes with their materials and images. May be without meshes.
    pub model: Model,
    /// What stands where, in node order.
    pub instances: Vec<SceneInstance>,
    /// In node order.
    pub cameras: Vec<SceneCamera>,
    /// In node order.
    pub lights: Vec<SceneLight>,
    /// Origin and terms of the file; its id is the file name without extension.
    pub record: AssetRecord,
}

/// Reads a `.glb` or `.gltf` file as a scene at rest.
///
/// # Errors
/// [`AssetError::UnsupportedExtension`] before anything else when the file requires what this build
/// cannot do; otherwise what is wrong with the file or what it refers to.
pub fn load_scene(path: &Path, options: LoadOptions) -> Result<(SceneFile, Warnings), AssetError> {
    let (mut source, name) = Source::beside(path)?;
    let mut scene = gltf::load_scene(&mut source, &name, options)?;
    scene.record = library::lone_record(path, &name, &source);
    Ok((scene, source.warnings))
}
