//! From a recipe, a seed and a library to a [`Shot`].
//!
//! A sample is drawn in attempts. Every stored number comes from a stream named by the attempt and
//! by what it is for (`attempt/3/lights`), so a new kind of draw moves no other; clip-wide choices
//! (size, rate, time per frame) are drawn once, outside the attempts, so that rejecting a shot
//! favours none of them. What must be asked of a renderer (what is seen, how bright it is) is a
//! parameter.

mod accept;
mod backdrop;
mod camera;
mod character;
mod library;
mod light;
pub(crate) mod material;
pub(crate) mod motion;
mod objects;
mod props;
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod worlds;

use std::collections::BTreeMap;

use diorama_assets::AssetError;
use diorama_assets::model::AssetRecord;
use glam::Vec3;

pub use accept::{Brightness, Measurements, Rejection, RemovedSet, accept};
pub use library::AssetLibrary;

use crate::avatar::AvatarError;
use crate::physics::{Body, PhysicsError, PieceStore};
use crate::recipe::{ExposureChoice, RecipeError, RemovalRecipe, Stationary, VideoFps};
use crate::shot::{Attempts, Exposure, Object, SCHEMA_VERSION, Shot, ShotError};
use crate::stream::Stream;

/// Frame rates of which the scene's own is drawn, frames per second.
const SCENE_RATES: [f64; 5] = [8.0, 12.0, 16.0, 20.0, 24.0];
/// The camera keeps this distance from every surface, metres.
const CAMERA_CLEARANCE: f32 = 0.2;

/// An error of the caller's check.
pub type CheckError = Box<dyn std::error::Error + Send + Sync>;

/// Why a sample has no shot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The recipe contradicts itself.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// An asset of the sample cannot be used.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// A character of the sample cannot be used.
    #[error(transparent)]
    Character(#[from] AvatarError),
    /// A collision shape cannot be made.
    #[error(transparent)]
    Physics(#[from] PhysicsError),
    /// An asset has no extent.
    #[error("`{asset}` has no size (hint: its mesh is a point, or not finite)")]
    Flat {
        /// Asset id.
        asset: String,
    },
    /// Nothing to draw from.
    #[error("the library has no {what} that the recipe allows (hint: {hint})")]
    Empty {
        /// `objects` or `environments`.
        what: &'static str,
        /// What to do.
        hint: String,
    },
    /// The caller's check could not be made.
    #[error("the shot cannot be checked: {0}")]
    Check(CheckError),
    /// The shot drawn is outside the documented ranges.
    #[error("the recipe drew a shot that cannot be used: {0}")]
    Shot(#[from] ShotError),
    /// No attempt was accepted.
    #[error("no usable shot in {attempts} attempts: {}", in_words(.rejected))]
    Exhausted {
        /// How many were drawn.
        attempts: u32,
        /// Reason → how many attempts it ended.
        rejected: BTreeMap<String, u32>,
    },
}

fn in_words(rejected: &BTreeMap<String, u32>) -> String {
    let mut reasons: Vec<(&String, &u32)> = rejected.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    reasons
        .iter()
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Why an attempt ended: try again, or give up.
enum Halt {
    Redraw(Rejection),
    Fail(DrawError),
}

impl<E: Into<DrawError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

impl Halt {
    /// A run that diverged is redrawn; a shape that cannot be made is not.
    fn physics(error: PhysicsError) -> Self {
        match error {
            PhysicsError::Diverged { .. } => Self::Redraw(Rejection::Divergence),
            other @ PhysicsError::Shape { .. } => Self::Fail(other.into()),
        }
    }
}

/// An object with its body and origin, while the shot is made.
#[derive(Debug, Clone)]
struct Thing {
    object: Object,
    body: Body,
    record: AssetRecord,
}

/// What every step of an attempt needs.
struct Drawing<'a> {
    recipe: &'a RemovalRecipe,
    library: &'a dyn AssetLibrary,
    pieces: &'a PieceStore,
    run_seed: u64,
    sample_id: &'a str,
    attempt: u32,
}

impl Drawing<'_> {
    /// The stream of one purpose within this attempt.
    fn stream(&self, label: &str) -> Stream {
        let label = format!("attempt/{}/{label}", self.attempt);
        Stream::new(self.run_seed, self.sample_id, &label)
    }

    /// The stream of one purpose for the whole sample.
    fn clip_stream(&self, label: &str) -> Stream {
        Stream::new(self.run_seed, self.sample_id, &format!("clip/{label}"))
    }

    fn gravity(&self) -> Vec3 {
        Vec3::new(0.0, 0.0, -self.recipe.gravity as f32)
    }
}

/// The records of `all` that the recipe allows, at least one.
fn listed(
    all: &[AssetRecord],
    allowed: &[String],
    what: &'static str,
) -> Result<Vec<AssetRecord>, DrawError> {
    if let Some(missing) = allowed
        .iter()
        .find(|id| !all.iter().any(|record| record.id == **id))
    {
        return Err(DrawError::Empty {
            what,
            hint: format!("`{missing}` is not in the library; give its folder with `--assets DIR`"),
        });
    }
    let listed: Vec<AssetRecord> = all
        .iter()
        .filter(|record| allowed.is_empty() || allowed.contains(&record.id))
        .cloned()
        .collect();
    if listed.is_empty() {
        return Err(DrawError::Empty {
            what,
            hint: "give a folder with some, `--assets DIR`".into(),
        });
    }
    Ok(listed)
}

/// One of a list that is not empty.
fn choice<'a, T>(stream: &mut Stream, from: &'a [T]) -> &'a T {
    &from[stream.below(from.len() as u64) as usize]
}

/// Draws the shot of one sample.
///
/// Attempts go on until `check` finds one that [`accept`] takes, at most `max_attempts`; how many
/// each reason ended is recorded in [`Shot::attempts`]. `check` looks at a complete shot and says
/// what is seen of its removed objects ([`Measurements::removed`]: one entry per world whose name
/// begins with `removed`, in order).
pub fn draw_shot(
    recipe: &RemovalRecipe,
    run_seed: u64,
    sample_id: &str,
    library: &dyn AssetLibrary,
    pieces: &PieceStore,
    check: &mut dyn FnMut(&Shot) -> Result<Measurements, CheckError>,
) -> Result<Shot, DrawError> {
    recipe.validate()?;
    let mut rejected: BTreeMap<String, u32> = BTreeMap::new();
    for attempt in 0..recipe.max_attempts {
        let drawing = Drawing {
            recipe,
            library,
            pieces,
            run_seed,
            sample_id,
            attempt,
        };
        let outcome = drawing.attempt().and_then(|shot| {
            let measurements = check(&shot).map_err(|e| Halt::Fail(DrawError::Check(e)))?;
            accept(&measurements, recipe, shot.night).map_err(Halt::Redraw)?;
            Ok(shot)
        });
        match outcome {
            Ok(mut shot) => {
                shot.attempts = Attempts {
                    accepted: attempt,
                    rejected,
                };
                return Ok(shot);
            }
            Err(Halt::Redraw(reason)) => {
                *rejected.entry(reason.words().to_owned()).or_insert(0) += 1;
            }
            Err(Halt::Fail(error)) => return Err(error),
        }
    }
    Err(DrawError::Exhausted {
        attempts: recipe.max_attempts,
        rejected,
    })
}

impl Drawing<'_> {
    fn attempt(&self) -> Result<Shot, Halt> {
        let recipe = self.recipe;
        let path = camera::CameraPath::draw(&mut self.stream("camera"), recipe)
            .ok_or(Halt::Redraw(Rejection::CameraBlocked))?;
        let lighting = light::Lighting::draw(self)?;
        let backdrop = backdrop::draw(self, &path, &lighting)?;
        let mut group = objects::draw(self, &backdrop)?;
        let steps_per_frame = self.steps_per_frame();
        let mut frozen = group.stationary;
        let party = character::draw(self, &backdrop, &group, steps_per_frame)?;
        if !party.is_empty() {
            // What has come to rest stays there, unless it is pushed.
            frozen = false;
            group.things.extend(party);
        }
        let background = backdrop.len();
        let mut things = backdrop;
        things.extend(group.things);

        let everything: Vec<&Thing> = things.iter().collect();
        let full = motion::run(self, &everything, steps_per_frame, frozen)?;
        // Without physics of their own, floating objects stay where they are whatever goes.
        let rerun = |kept: &[&Thing]| {
            let frozen = frozen && recipe.stationary == Stationary::Float;
            motion::run(self, kept, steps_per_frame, frozen)
        };
        let contacts = full.contacts.clone();
        let staged = worlds::stage(self, things, background, full, &rerun)?;
        let camera = path.camera(recipe);
        if camera_blocked(&camera, &staged) {
            return Err(Halt::Redraw(Rejection::CameraBlocked));
        }

        let mut assets: BTreeMap<String, AssetRecord> = staged
            .things
            .iter()
            .map(|thing| (thing.record.id.clone(), thing.record.clone()))
            .collect();
        if let Some(id) = &lighting.environment.asset {
            assets.insert(id.clone(), self.library.record(id)?);
        }
        let shot = Shot {
            schema_version: SCHEMA_VERSION,
            recipe: "removal".into(),
            seed: self.run_seed,
            sample_id: self.sample_id.to_owned(),
            video_fps: self.video_fps(),
            frame_time_secs: f64::from(steps_per_frame) * motion::step_secs(),
            physics_step_secs: motion::step_secs(),
            frame_count: recipe.video_length,
            resolution: self.resolution(),
            exposure: match recipe.exposure {
                ExposureChoice::Measured(_) => Exposure::Auto,
                ExposureChoice::Ev(stops) => Exposure::Ev(stops as f32),
            },
            view: recipe.view,
            worlds: staged.worlds,
            cameras: vec![camera],
            environment: lighting.environment,
            lights: vec![lighting.sun],
            objects: staged.things.into_iter().map(|t| t.object).collect(),
            contacts,
            assets: assets.into_values().collect(),
            attempts: Attempts::default(),
            night: lighting.night,
            light_description: lighting.description,
        };
        shot.validate()?;
        Ok(shot)
    }

    fn steps_per_frame(&self) -> u32 {
        let [low, high] = self.recipe.range_frame_time;
        low + self
            .clip_stream("frame-time")
            .below(u64::from(high - low) + 1) as u32
    }

    fn video_fps(&self) -> f64 {
        let drawn = *choice(&mut self.clip_stream("scene-rate"), &SCENE_RATES);
        match self.recipe.video_fps {
            VideoFps::Fixed(rate) => rate,
            VideoFps::Drawn(_) => drawn,
        }
    }

    fn resolution(&self) -> [u32; 2] {
        if self.recipe.resolutions.is_empty() {
            [self.recipe.width, self.recipe.height]
        } else {
            *choice(
                &mut self.clip_stream("resolution"),
                &self.recipe.resolutions,
            )
        }
    }
}

/// Is the camera inside something, or so close that it fills the picture?
fn camera_blocked(camera: &crate::shot::Camera, staged: &worlds::Staged) -> bool {
    camera
        .pose
        .values()
        .iter()
        .enumerate()
        .any(|(index, pose)| {
            let frame = index as i64 - 1;
            pose.position.z < camera::LOWEST as f32
                || staged.things.iter().any(|thing| {
                    let at = thing.object.pose.at(frame);
                    let is_floor = thing.object.id == 1;
                    let distance = thing.body.shape.distance_to_point(at, pose.position);
                    !is_floor && distance < CAMERA_CLEARANCE
                })
        })
}
