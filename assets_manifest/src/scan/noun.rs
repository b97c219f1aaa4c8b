//! What a scan writes down: `manifest.json`.

use std::fs::Metadata;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::AssetRecord;

/// Version of the file's form and of what is looked at. A manifest of another version is no help for the
/// next scan.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything found in some folders. Paths use `/` and are relative to their root; lists are sorted, so
/// that the same files make the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScannedAssets {
    /// [`SCHEMA_VERSION`] of the scan.
    pub schema_version: u32,
    /// Program and version that looked.
    pub made_by: String,
    /// In the order they were given.
    pub roots: Vec<ScannedRoot>,
}

/// One folder that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScannedRoot {
    /// Where it is: against the manifest's own folder when it lies below that, else absolute.
    pub path: String,
    /// What was odd about the folder itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// By id, then by file.
    pub assets: Vec<ScannedAsset>,
}

/// What an asset can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A model with something that moves.
    Character,
    /// Takes of a skeleton.
    Motion,
    /// A rigid model.
    Object,
    /// An equirectangular picture.
    Environment,
}

impl Kind {
    /// One lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Character => "character",
            Self::Motion => "motion",
            Self::Object => "object",
            Self::Environment => "environment",
        }
    }
}

/// One asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScannedAsset {
    /// Id, hash and terms, as in shot.json. The id is what `--assets` and `--base-path` call it; an empty
    /// hash says that nothing could be read.
    #[serde(flatten)]
    pub record: AssetRecord,
    /// What it is; of one that cannot be read, what its place or name promises.
    pub kind: Kind,
    /// Where it is.
    pub place: ScannedPlace,
    /// What is in it.
    pub content: Content,
}

/// Where an asset is, and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScannedPlace {
    /// Its file, or the archive it is in.
    pub path: String,
    /// Its file inside the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// URDF beside it that names its collision meshes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<String>,
    /// What its place says it is; absent: the file alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant_as: Option<Kind>,
}

/// A file that an asset is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedFile {
    /// Relative to the root; with `..` where it lies outside.
    pub path: String,
    /// As it was when it was read; absent: it was looked for and not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

/// What the bytes of an asset say: all that reading it again would tell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Size of all its files.
    pub bytes: u64,
    /// What it depends on, by path.
    pub files: Vec<ScannedFile>,
    /// Its triangles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh: Option<MeshFacts>,
    /// Its bones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<SkeletonFacts>,
    /// Its takes, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<TakeFacts>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureFacts>,
    /// Files that it wants and that are not there, as it names them: textures, material libraries,
    /// buffers. Empty: everything resolves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Author and terms that the file itself states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// What was odd, and what was done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why it cannot be used; absent: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<Fault>,
}

/// Why an asset cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// One line.
    pub reason: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The mesh of a model at rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeshFacts {
    /// Triangles.
    pub triangles: u64,
    /// Vertices.
    pub vertices: u64,
    /// Material slots.
    pub materials: u32,
    /// Textures that were found and decoded.
    pub textures: u32,
    /// Convex pieces for physics.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub convex_pieces: u32,
    /// Smallest corner, metres, Z up.
    pub low: [f32; 3],
    /// Largest corner, metres, Z up.
    pub high: [f32; 3],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Whose way of naming bones a skeleton follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// `mixamorig:Hips` or the same names without prefix.
    Mixamo,
    /// Hips, head and both arms and legs can be told by name.
    Humanoid,
    /// Neither.
    Other,
}

/// A skeleton.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkeletonFacts {
    /// Bones (joints).
    pub bones: u32,
    /// How they are named.
    pub signature: Signature,
    /// Morph targets beside them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub morphs: u32,
}

/// One take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakeFacts {
    /// Name in the file.
    pub name: String,
    /// Samples.
    pub frames: u32,
    /// Samples per second.
    pub rate_hz: f32,
    /// Seconds from the first sample to the last.
    pub secs: f32,
}

/// An environment's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureFacts {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Largest value, W/(m²·sr); at most 1 for pictures of 8 bits.
    pub brightest: f32,
    /// What a caption calls the light.
    pub description: String,
}

/// Size and time of change of a file: what tells that it is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size.
    pub bytes: u64,
    /// Nanoseconds since 1970 of the last change; 0 where the system does not say.
    pub modified_ns: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = metadata.modified().ok().and_then(since);
        Self {
            bytes: metadata.len(),
            modified_ns: modified.map_or(0, |time| time.as_nanos() as i64),
        }
    }
}
