//! From an [`AvatarRecipe`], a character and a motion to a Shot.

mod camera;
mod clothes;
pub(crate) mod ground;
pub(crate) mod hold;
pub(crate) mod limbs;
pub(crate) mod performer;
mod place;
pub(crate) mod prompt;
mod props;
mod stage;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use diorama_assets::retarget::RetargetError;
use diorama_assets::{AssetError, AssetSource, Motion, Workspace, builtin};

use self::performer::Performer;
use crate::draw::AssetLibrary as _;
use crate::physics::{PhysicsError, PieceStore};
use crate::recipe::AvatarRecipe;
use crate::shot::{Attempts, Exposure, SCHEMA_VERSION, Shot, World};
use crate::stream::Stream;

pub use prompt::das_prompt;
pub use prompt::prompt;

/// Instance id of the floor.
const FLOOR_ID: u32 = 1;
/// Instance id of the first character; others and props follow.
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
    /// A character and one of its motions; `pick(n)` draws a whole number below n.
    fn performance(&self, pick: &mut dyn FnMut(u64) -> u64) -> Performance;
    /// An object to stand about.
    fn prop(&self, pick: &mut dyn FnMut(u64) -> u64) -> String;
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

    fn performance(&self, pick: &mut dyn FnMut(u64) -> u64) -> Performance {
        let characters = self.characters();
        let character = &characters[pick(characters.len() as u64) as usize];
        let motions = &character.motions;
        Performance {
            character: character.id.clone(),
            name: character.name.clone(),
            motion: motions[pick(motions.len() as u64) as usize].clone(),
        }
    }

    fn prop(&self, pick: &mut dyn FnMut(u64) -> u64) -> String {
        let objects = builtin::object_records();
        let object = &objects[pick(objects.len() as u64) as usize];
        self.library().textured(&object.id, pick)
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
    /// A prop cannot be simulated.
    #[error(transparent)]
    Physics(#[from] PhysicsError),
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

/// Draws the clip of `performance`; further characters are drawn from the library. Streams are named by
/// `seed` and `sample_id`, `pieces` keeps collision shapes of props.
///
/// # Errors
/// An asset that cannot be loaded, or a motion that does not fit.
pub fn draw_avatar(
    recipe: &AvatarRecipe,
    seed: u64,
    sample_id: &str,
    performance: &Performance,
    library: &dyn AvatarLibrary,
    pieces: &PieceStore,
) -> Result<Shot, AvatarError> {
    let stream = |label: &str| Stream::new(seed, sample_id, label);
    let set = stage::draw(recipe, &stream, library)?;
    let mut casting = stream("characters");
    let count = casting.count(recipe.range_characters);
    let mut cast: Vec<Performer> = Vec::new();
    let mut next_id = CHARACTER_ID + count;
    for index in 0..count {
        let performance = match index {
            0 => performance.clone(),
            _ => library.performance(&mut |count| casting.below(count)),
        };
        let ids = [index, next_id];
        let one = performer::draw(recipe, &stream, ids, &performance, library, pieces)?;
        next_id += one.held.len() as u32;
        cast.push(one);
    }
    place::companions(recipe, &stream, &mut cast, &set.camera);
    let props = props::draw(
        recipe,
        &stream,
        next_id,
        &cast,
        &set.camera,
        library,
        pieces,
    )?;

    let mut assets = set.assets;
    let mut objects = vec![set.floor];
    let mut in_hands = Vec::new();
    for one in cast {
        assets.push(one.record);
        objects.push(one.object);
        in_hands.extend(one.held);
    }
    for (object, record) in in_hands {
        assets.push(record);
        objects.push(object);
    }
    assets.extend(props.assets);
    objects.extend(props.objects);
    assets.sort_by(|a, b| a.id.cmp(&b.id));
    assets.dedup_by(|a, b| a.id == b.id);
    Ok(Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "avatar".into(),
        seed,
        sample_id: sample_id.to_owned(),
        video_fps: recipe.video_fps,
        frame_time_secs: 1.0 / recipe.video_fps,
        physics_step_secs: 1.0 / recipe.video_fps / f64::from(props.steps_per_frame),
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
        objects,
        contacts: props.contacts,
        assets,
        attempts: Attempts::default(),
        night: set.night,
        light_description: set.description,
    })
}
