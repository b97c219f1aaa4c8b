//! From an [`AvatarRecipe`], a character and a motion to a Shot.

mod prompt;
mod stage;

use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use diorama_assets::retarget::{RetargetError, Retargeted, retarget};
use diorama_assets::rig::BodyPose;
use diorama_assets::{AssetError, AssetSource, Model, Motion, Workspace, builtin};
use glam::{Quat, Vec3, Vec3A};

use crate::recipe::{AvatarRecipe, RootMotion};
use crate::shot::{
    Attempts, Exposure, MotionRecord, Object, Pose, Role, SCHEMA_VERSION, Shot, Track, World,
    WorldSet,
};
use crate::stream::Stream;

pub use prompt::das_prompt;
pub use prompt::prompt;

/// Instance id of the floor.
const FLOOR_ID: u32 = 1;
/// Instance id of the character.
const CHARACTER_ID: u32 = 2;

/// What a clip can be drawn from.
pub trait AvatarLibrary: AssetSource {
    /// Ids of skyboxes, in a fixed order.
    fn skyboxes(&self) -> &[String];
    /// A motion by id.
    fn motion(&self, id: &str) -> Result<Arc<Motion>, AssetError>;
    /// The record of any id.
    fn record(&self, id: &str) -> Result<AssetRecord, AssetError>;
    /// The id of a skybox with the light that its file may be too poor to hold; its own where it is not.
    fn expanded(&self, skybox: &str) -> Result<String, AssetError>;
    /// The floor that shows what a skybox shows below its horizon.
    fn floor_of(&self, skybox: &str) -> String;
}

impl AvatarLibrary for Workspace {
    fn skyboxes(&self) -> &[String] {
        Self::skyboxes(self)
    }

    fn motion(&self, id: &str) -> Result<Arc<Motion>, AssetError> {
        Self::motion(self, id)
    }

    fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        Self::record(self, id)
    }

    fn expanded(&self, skybox: &str) -> Result<String, AssetError> {
        self.library().expanded_id(skybox)
    }

    fn floor_of(&self, skybox: &str) -> String {
        // A generated sky shows no ground of its own.
        if skybox.starts_with("builtin/") {
            "builtin/floor".to_owned()
        } else {
            builtin::projected_floor_id(skybox)
        }
    }
}

/// Who does what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Performance {
    /// Asset id of the character.
    pub character: String,
    /// What to call it.
    pub name: String,
    /// Id of the motion.
    pub motion: String,
}

/// Why a clip cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AvatarError {
    /// An asset cannot be loaded.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// The character has no skeleton.
    #[error("`{0}` has no skeleton (hint: the file needs a skinned mesh)")]
    NoRig(String),
    /// The motion does not fit the character.
    #[error("`{motion}` on `{character}`: {source}")]
    Retarget {
        /// Asset id.
        character: String,
        /// Id of the motion.
        motion: String,
        /// What does not fit.
        source: RetargetError,
    },
}

/// Draws the clip of `performance`. Streams are named by `seed` and `sample_id`.
///
/// # Errors
/// An asset that cannot be loaded, or a motion that does not fit.
pub fn draw_avatar(
    recipe: &AvatarRecipe,
    seed: u64,
    sample_id: &str,
    performance: &Performance,
    library: &dyn AvatarLibrary,
) -> Result<Shot, AvatarError> {
    let stream = |label: &str| Stream::new(seed, sample_id, label);
    let model = library.model(&performance.character)?;
    let motion = library.motion(&performance.motion)?;
    let rig = model
        .rig
        .as_ref()
        .ok_or_else(|| AvatarError::NoRig(performance.character.clone()))?;
    let performed = retarget(rig, &motion).map_err(|source| AvatarError::Retarget {
        character: performance.character.clone(),
        motion: performance.motion.clone(),
        source,
    })?;
    let start_secs = if recipe.random_start {
        let clip = f64::from(recipe.video_length) / recipe.video_fps;
        let spare = (f64::from(motion.duration_secs()) - clip).max(0.0);
        stream("motion").range(0.0, spare)
    } else {
        0.0
    };
    let bodies = bodies(recipe, &model, &performed, start_secs);
    let turn = stream("character").range(recipe.range_turn_deg[0], recipe.range_turn_deg[1]);
    let set = stage::draw(recipe, &stream, library)?;
    let record = library.record(&performance.character)?;
    let placed = stand_on_floor(recipe, &model, &bodies);
    let rotation = Quat::from_rotation_z((turn as f32).to_radians());
    let scale = scale_to_fit(recipe, &model);
    let materials = stage::clothes(recipe, &model, &mut stream("clothes"));
    let adjectives = stage::garments(if materials.is_empty() {
        &model.materials
    } else {
        &materials
    });
    let character = Object {
        id: CHARACTER_ID,
        name: performance.name.clone(),
        asset: performance.character.clone(),
        mesh: 0,
        materials,
        role: Role::Keep,
        noun: record.noun.clone(),
        adjectives,
        worlds: WorldSet::ALL,
        scale: Vec3::splat(scale),
        pose: Track::Constant(Pose {
            position: rotation * placed * scale,
            rotation,
        }),
        body: Some(Track::PerFrame(bodies)),
        motion: Some(MotionRecord {
            id: performance.motion.clone(),
            start_secs,
            duration_secs: f64::from(motion.duration_secs()),
            foot_slide_cm_per_s: performed.quality.foot_slide_cm_per_s,
            floor_penetration_cm: performed.quality.floor_penetration_cm,
            joint_limit_violations: performed.quality.joint_limit_violations,
        }),
        physics: None,
    };
    let mut assets = set.assets;
    assets.push(record);
    assets.sort_by(|a, b| a.id.cmp(&b.id));
    assets.dedup_by(|a, b| a.id == b.id);
    Ok(Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "avatar".into(),
        seed,
        sample_id: sample_id.to_owned(),
        video_fps: recipe.video_fps,
        frame_time_secs: 1.0 / recipe.video_fps,
        physics_step_secs: 1.0 / recipe.video_fps,
        frame_count: recipe.video_length,
        resolution: [recipe.width, recipe.height],
        exposure: Exposure::Ev(recipe.exposure as f32),
        view: recipe.view,
        worlds: vec![World {
            name: "full".into(),
            removed: Vec::new(),
        }],
        cameras: vec![set.camera],
        environment: set.environment,
        lights: set.lights,
        objects: vec![set.floor, character],
        contacts: Vec::new(),
        assets,
        attempts: Attempts::default(),
        night: set.night,
        light_description: set.description,
    })
}

/// Poses of frames −1 ..= frame count.
fn bodies(
    recipe: &AvatarRecipe,
    model: &Model,
    performed: &Retargeted,
    start_secs: f64,
) -> Vec<BodyPose> {
    let Some(rig) = &model.rig else {
        return Vec::new();
    };
    (-1..=i64::from(recipe.video_length))
        .map(|frame| {
            let time = (start_secs + frame as f64 / recipe.video_fps).max(0.0);
            let mut body = rig.pose(&performed.sample(time as f32));
            if recipe.root_motion == RootMotion::InPlace
                && let Some(root) = body.joints.get(performed.root)
            {
                let way = Vec3A::new(root.translation.x, root.translation.y, 0.0);
                for joint in &mut body.joints {
                    joint.translation -= way;
                }
            }
            body
        })
        .collect()
}

/// Heights of characters, metres, that are taken for what they say.
const HEIGHTS: std::ops::RangeInclusive<f32> = 0.4..=2.6;

/// What brings a character of senseless height to that of the recipe.
fn scale_to_fit(recipe: &AvatarRecipe, model: &Model) -> f32 {
    let bounds = model.meshes.first().and_then(|mesh| mesh.bounds());
    let height = bounds.map_or(0.0, |(low, high)| high.z - low.z);
    if recipe.fit_height == 0.0 || HEIGHTS.contains(&height) || height <= 0.0 {
        return 1.0;
    }
    recipe.fit_height as f32 / height
}

/// Where the model's origin goes, in the model's own size: feet on the floor, its way placed as the
/// recipe says. One place for the whole clip, so that nothing is moved that did not move.
///
/// The lowest vertex of the clip touches z = 0: a jump leaves the floor, a crouch does not sink in.
fn stand_on_floor(recipe: &AvatarRecipe, model: &Model, bodies: &[BodyPose]) -> Vec3 {
    let mut lowest = f32::INFINITY;
    let mut middle = Vec3::ZERO;
    // Every second frame: between two, a foot moves by less than it is thick.
    let looked_at: Vec<&BodyPose> = bodies.iter().skip(1).step_by(2).collect();
    for body in &looked_at {
        let Some((from, to)) = model.posed(0, body).bounds() else {
            continue;
        };
        lowest = lowest.min(from.z);
        middle += (from + to) * 0.5 / looked_at.len() as f32;
    }
    if !lowest.is_finite() {
        return Vec3::ZERO;
    }
    let sideways = match recipe.root_motion {
        RootMotion::Keep | RootMotion::InPlace => Vec3::ZERO,
        RootMotion::Centred => Vec3::new(-middle.x, -middle.y, 0.0),
    };
    sideways - Vec3::Z * lowest
}
