//! `sample.json`: what is known about a finished sample, for programs.
//!
//! The field docs here are the documentation of the file. Units are SI; boxes are in pixels, origin
//! top-left, maxima exclusive; matrices row-major. Nothing in it changes from run to run. The file
//! is written in two parts so that no clip is ever held in memory: everything but `frames` comes
//! from [`SampleJson`], and `frames`, the last field, is copied from records written one per line
//! while the clip was rendered.

use std::collections::BTreeMap;

use diorama_synth::frame::Frame;
use diorama_synth::shot::{AssetRecord, Attempts, Contact, Exposure, Object, Shot, View};
use glam::{DVec3, Vec3};
use serde::{Deserialize, Serialize};

use crate::camera::{self, CameraRecord};
use crate::effect::{self, EffectAreas};
use crate::error::{PostprocError, Result};
use crate::mask::MaskOptions;
use crate::pass::Pass;
use crate::tuple::{Fate, Tuple};

/// Version of the layout of sample.json that this build writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Smallest and largest corner of each object's mesh in object space before scale, by object id.
/// Objects that are missing here have no 3D box in sample.json.
pub type ObjectBounds = BTreeMap<u32, [Vec3; 2]>;

/// What happened in the removed world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairKind {
    /// Same motion; the objects and their light transport are gone.
    Effect,
    /// Physics re-run without them.
    Counterfactual,
}

/// Figures of quality of one sample; also in its journal line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Mean over frames of the remove region's share of pixels.
    pub mean_mask_share: f64,
    /// Mean over frames of the share of pixels with bit-equal radiance in both worlds.
    pub mean_untouched_share: f64,
    /// Mean over frames of the share of pixels whose finished values differ by more than 4.
    pub mean_effect_share: f64,
    /// The part of it outside the remove region.
    pub mean_effect_outside_mask_share: f64,
    /// Mean over frames of the share of pixels with an exposed effect above 0 and below 1/255.
    pub mean_faint_share: f64,
    /// Over the removed objects but those in the hand of another, the smallest share of frames in which at
    /// least 0.1 % of the picture shows the object; with a through-glass mask also through glass.
    pub least_seen_removed: f64,
    /// Largest depth, metres, by which any object was inside something else.
    pub largest_penetration: f32,
    /// Largest distance, metres, of a settled object to what it rests on; null: none settled.
    pub largest_resting_gap: Option<f32>,
    /// Touches between objects during the clip.
    pub contacts: u32,
}

/// One object over the whole clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRecord {
    /// Value of the instance pass.
    pub id: u32,
    /// Name in the Shot; twins of a counterfactual pair share it.
    pub name: String,
    /// Plain noun.
    pub noun: String,
    /// Words about its look.
    pub adjectives: Vec<String>,
    /// Asset id.
    pub asset: String,
    /// What it is to this sample.
    pub role: Fate,
    /// Id of who holds it in a hand; not written for what nobody holds. Where the holder is removed it is too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<u32>,
    /// Scale applied before the pose.
    pub scale: Vec3,
    /// Size of its 3D box along its own axes, metres, scale included; null: mesh bounds unknown.
    pub box_3d_size: Option<[f64; 3]>,
    /// Mass, kg; null: not simulated.
    pub mass_kg: Option<f32>,
    /// Coulomb friction.
    pub friction: Option<f32>,
    /// Restitution.
    pub restitution: Option<f32>,
    /// Stationary through the clip.
    pub stationary: Option<bool>,
    /// Largest depth, metres, by which it was inside something else.
    pub largest_penetration: Option<f32>,
    /// Distance, metres, to what it rests on at the first frame, when settled.
    pub resting_gap: Option<f32>,
    /// It touches another object at some time during the clip.
    pub has_contact: bool,
    /// Frames in which at least one pixel of the full world shows it; with a through-glass mask also
    /// through glass.
    pub frames_visible: u32,
    /// Seen well enough in the removed world to be named in the captions.
    pub in_captions: bool,
}

/// One object in one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectFrame {
    /// Object id.
    pub id: u32,
    /// `world_from_object` translation, metres.
    pub position: [f32; 3],
    /// `world_from_object` rotation, unit quaternion x, y, z, w.
    pub rotation_xyzw: [f32; 4],
    /// Centre of its 3D box in the world, metres; the box has the object's rotation and the size
    /// in `objects`. Null: mesh bounds unknown.
    pub box_3d_center: Option<[f64; 3]>,
    /// 2D box of the pixels that show it as their first surface; null: not visible.
    pub box_2d: Option<[u32; 4]>,
    /// 2D box of its amodal mask, cut at the picture's border; null: outside the picture.
    pub box_2d_amodal: Option<[u32; 4]>,
    /// Pixels that show it as their first surface.
    pub visible_pixels: u32,
    /// Pixels that would show it were it alone.
    pub amodal_pixels: u32,
    /// Ratio of the two, 0 to 1; null: outside the picture.
    pub visible_fraction: Option<f64>,
    /// It begins to touch another object in this frame.
    pub contact_starts: bool,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRecord {
    /// 0-based.
    pub frame: u32,
    /// Every camera of the Shot; the pictures are of the first.
    pub cameras: Vec<CameraRecord>,
    /// Every object that is in one of the two worlds, ids ascending.
    pub objects: Vec<ObjectFrame>,
    /// What the removed objects change.
    pub effect: EffectAreas,
}

/// The whole file. See the module text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleJson {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Program and version.
    pub generator: String,
    /// Sample id: the folder's name in the folder layout.
    pub id: String,
    /// Run seed.
    pub seed: u64,
    /// Recipe of the Shot.
    pub recipe: String,
    /// Kind of pair.
    pub pair: PairKind,
    /// World of the Shot that `rgb_removed` shows.
    pub world: String,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// Frames in every video.
    pub frame_count: u32,
    /// Rate written into the video files, frames per second.
    pub video_fps: f64,
    /// Rate of the simulated scene, frames per second: 1 / `frame_time_secs`.
    pub scene_fps: f64,
    /// Simulated time between frames, seconds.
    pub frame_time_secs: f64,
    /// Physics step, seconds.
    pub physics_step_secs: f64,
    /// Exposure, stops: radiance is multiplied by 2^exposure_ev.
    pub exposure_ev: f32,
    /// Display transform.
    pub view: View,
    /// Night scene.
    pub night: bool,
    /// Place and light in words.
    pub light_description: String,
    /// How the mask was made.
    pub mask: MaskOptions,
    /// `effect_mask` is 255 where display values differ by more than this.
    pub effect_mask_threshold: u8,
    /// Settings of the renderer that change pixels, by name.
    pub render: BTreeMap<String, serde_json::Value>,
    /// EXR passes present, one file per frame under `passes/`.
    pub passes: Vec<Pass>,
    /// Names of the classes of the semantic pass; class 1 is the first.
    pub semantic_classes: Vec<String>,
    /// Objects of the Shot, ids ascending.
    pub objects: Vec<ObjectRecord>,
    /// Ids of kept objects that move differently in the removed world (background in the mask).
    pub moved_objects: Vec<u32>,
    /// Touches between objects, by frame.
    pub contacts: Vec<Contact>,
    /// How the Shot was accepted.
    pub attempts: Attempts,
    /// Licences of what was used.
    pub assets: Vec<AssetRecord>,
    /// Figures over the clip.
    pub quality: Quality,
    /// One record per frame.
    pub frames: Vec<FrameRecord>,
}

impl SampleJson {
    /// Reads a sample.json, newest version last known.
    ///
    /// # Errors
    /// Words for the user when it is not one, or newer than this program.
    pub fn from_json(text: &str) -> std::result::Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let version: Version = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if version.schema_version > SCHEMA_VERSION {
            return Err(format!(
                "schema version {} is newer than {SCHEMA_VERSION}, the newest this program reads",
                version.schema_version
            ));
        }
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    /// The file up to and including the opening bracket of `frames`, which must be empty here.
    /// Records follow, separated by commas, then [`FRAMES_END`].
    pub(crate) fn head(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        // `frames` is the last field: the text ends with `"frames": []\n}`.
        text.strip_suffix("]\n}").unwrap_or(&text).to_owned()
    }
}

/// What follows the last frame record in the file.
pub(crate) const FRAMES_END: &str = "\n  ]\n}\n";

/// The semantic class names of a Shot: its nouns, sorted, each once.
pub(crate) fn semantic_classes(shot: &Shot) -> Vec<String> {
    let mut classes: Vec<String> = shot.objects.iter().map(|o| o.noun.clone()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// Exposure of the clip in stops.
///
/// # Errors
/// When it was never chosen: a sample must state it.
pub(crate) fn exposure_ev(shot: &Shot) -> Result<f32> {
    match shot.exposure {
        Exposure::Ev(ev) => Ok(ev),
        Exposure::Auto => Err(PostprocError::Shot {
            id: shot.sample_id.clone(),
            reason: "its exposure is still `auto`; it must be a number before frames are finished"
                .into(),
        }),
    }
}

/// The static record of one object. `frames_visible` and `in_captions` come from the clip.
pub(crate) fn object_record(
    shot: &Shot,
    object: &Object,
    fate: Fate,
    bounds: &ObjectBounds,
    frames_visible: u32,
    in_captions: bool,
) -> ObjectRecord {
    let physics = object.physics.as_ref();
    ObjectRecord {
        id: object.id,
        name: object.name.clone(),
        noun: object.noun.clone(),
        adjectives: object.adjectives.clone(),
        asset: object.asset.clone(),
        role: fate,
        held_by: shot.holder(object.id).map(|(holder, _)| holder.id),
        scale: object.scale,
        box_3d_size: bounds
            .get(&object.id)
            .map(|[low, high]| ((*high - *low) * object.scale).abs().as_dvec3().to_array()),
        mass_kg: physics.map(|p| p.mass_kg),
        friction: physics.map(|p| p.friction),
        restitution: physics.map(|p| p.restitution),
        stationary: physics.map(|p| p.stationary),
        largest_penetration: physics.map(|p| p.largest_penetration),
        resting_gap: physics.and_then(|p| p.resting_gap),
        has_contact: shot.contacts.iter().any(|c| c.objects.contains(&object.id)),
        frames_visible,
        in_captions,
    }
}

/// The record of one frame of one tuple.
pub(crate) fn frame_record(
    shot: &Shot,
    tuple: &Tuple,
    frame: &Frame,
    bounds: &ObjectBounds,
    effect: EffectAreas,
) -> FrameRecord {
    let index = i64::from(frame.index);
    let objects = shot
        .objects
        .iter()
        .enumerate()
        .filter(|(i, _)| tuple.fates[*i] != Fate::Elsewhere)
        .map(|(i, object)| {
            let pose = object.pose.at(index);
            let (visible, amodal) = (frame.visible_pixels[i], frame.amodal_pixels[i]);
            ObjectFrame {
                id: object.id,
                position: pose.position.to_array(),
                rotation_xyzw: pose.rotation.to_array(),
                box_3d_center: bounds.get(&object.id).map(|[low, high]| {
                    let centre: DVec3 = ((*low + *high) * 0.5 * object.scale).as_dvec3();
                    camera::world_from_local(pose)
                        .transform_point3(centre)
                        .to_array()
                }),
                box_2d: frame.visible_box[i],
                box_2d_amodal: frame.amodal_box[i],
                visible_pixels: visible,
                amodal_pixels: amodal,
                visible_fraction: (amodal > 0).then(|| f64::from(visible) / f64::from(amodal)),
                contact_starts: shot
                    .contacts
                    .iter()
                    .any(|c| c.frame == frame.index && c.objects.contains(&object.id)),
            }
        })
        .collect();
    FrameRecord {
        frame: frame.index,
        cameras: shot
            .cameras
            .iter()
            .map(|c| camera::record(c, index, shot.resolution))
            .collect(),
        objects,
        effect,
    }
}

/// Frame sums that become [`Quality`]; constant size.
#[derive(Debug, Clone, Default)]
pub(crate) struct QualitySums {
    frames: u32,
    areas: EffectAreas,
    /// Per object of the Shot: frames in which it shows.
    pub(crate) frames_visible: Vec<u32>,
    /// Per object of the Shot: frames in which it covers at least 0.1 % of the picture.
    frames_well_visible: Vec<u32>,
}

impl QualitySums {
    /// For a Shot of so many objects.
    pub(crate) fn new(objects: usize) -> Self {
        Self {
            frames_visible: vec![0; objects],
            frames_well_visible: vec![0; objects],
            ..Self::default()
        }
    }

    /// Adds one frame; `shown`: per object of the Shot, pixels that show it as the mask sees it.
    pub(crate) fn push(&mut self, frame: &Frame, areas: &EffectAreas, shown: &[u32]) {
        self.frames += 1;
        let sums = &mut self.areas;
        sums.mask_share += areas.mask_share;
        sums.untouched_share += areas.untouched_share;
        sums.effect_share += areas.effect_share;
        sums.effect_outside_mask_share += areas.effect_outside_mask_share;
        sums.faint_share += areas.faint_share;
        let pixels = frame.labels.instance.data.len() as u64;
        for (i, visible) in shown.iter().enumerate() {
            self.frames_visible[i] += u32::from(*visible > 0);
            self.frames_well_visible[i] += u32::from(u64::from(*visible) * 1000 >= pixels);
        }
    }

    /// The figures.
    pub(crate) fn finish(&self, shot: &Shot, tuple: &Tuple) -> Quality {
        let frames = f64::from(self.frames.max(1));
        let physics = || shot.objects.iter().filter_map(|o| o.physics.as_ref());
        Quality {
            mean_mask_share: self.areas.mask_share / frames,
            mean_untouched_share: self.areas.untouched_share / frames,
            mean_effect_share: self.areas.effect_share / frames,
            mean_effect_outside_mask_share: self.areas.effect_outside_mask_share / frames,
            mean_faint_share: self.areas.faint_share / frames,
            least_seen_removed: self
                .frames_well_visible
                .iter()
                .zip(tuple.fates.iter().zip(&shot.objects))
                .filter(|(_, (fate, object))| {
                    let holder = shot.holder(object.id).map(|(holder, _)| holder.id);
                    let goes_along = holder.is_some_and(|id| tuple.fate_of(id) == Fate::Remove);
                    **fate == Fate::Remove && !goes_along
                })
                .map(|(seen, _)| f64::from(*seen) / frames)
                .reduce(f64::min)
                .unwrap_or(0.0),
            largest_penetration: physics().map(|p| p.largest_penetration).fold(0.0, f32::max),
            largest_resting_gap: physics().filter_map(|p| p.resting_gap).reduce(f32::max),
            contacts: shot.contacts.len() as u32,
        }
    }
}

/// Everything of the file but the frames.
pub(crate) fn header(
    shot: &Shot,
    tuple: &Tuple,
    pair: PairKind,
    mask: MaskOptions,
    render: &BTreeMap<String, serde_json::Value>,
    passes: Vec<Pass>,
) -> Result<SampleJson> {
    Ok(SampleJson {
        schema_version: SCHEMA_VERSION,
        generator: concat!("diorama ", env!("CARGO_PKG_VERSION")).into(),
        id: tuple.sample_id.clone(),
        seed: shot.seed,
        recipe: shot.recipe.clone(),
        pair,
        world: shot.worlds[tuple.world].name.clone(),
        resolution: shot.resolution,
        frame_count: shot.frame_count,
        video_fps: shot.video_fps,
        scene_fps: 1.0 / shot.frame_time_secs,
        frame_time_secs: shot.frame_time_secs,
        physics_step_secs: shot.physics_step_secs,
        exposure_ev: exposure_ev(shot)?,
        view: shot.view,
        night: shot.night,
        light_description: shot.light_description.clone(),
        mask,
        effect_mask_threshold: effect::MASK_THRESHOLD,
        render: render.clone(),
        passes,
        semantic_classes: semantic_classes(shot),
        objects: Vec::new(),
        moved_objects: shot
            .objects
            .iter()
            .zip(&tuple.fates)
            .filter(|(_, fate)| **fate == Fate::Moved)
            .map(|(object, _)| object.id)
            .collect(),
        contacts: shot.contacts.clone(),
        attempts: shot.attempts.clone(),
        assets: shot.assets.clone(),
        quality: Quality::default(),
        frames: Vec::new(),
    })
}
