//! `sample.json` of a Diffusion-as-Shader sample.

use std::collections::BTreeMap;

use diorama_synth::shot::{AssetRecord, Attempts, MotionRecord, Shot};
use serde::{Deserialize, Serialize};

use crate::tracking::{EnvironmentTracks, FirstFrameColours, TrackingOptions};

/// Version of the layout that this build writes.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// What is known about a finished sample, for programs. Nothing in it changes from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DasRecord {
    /// Version of this layout.
    pub schema_version: u32,
    /// Sample id.
    pub id: String,
    /// Run seed.
    pub seed: u64,
    /// Recipe of the Shot.
    pub recipe: String,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// Frames of both videos.
    pub frame_count: u32,
    /// Rate of both videos.
    pub video_fps: f64,
    /// The line of prompt.txt.
    pub prompt: String,
    /// How the tracking video was made.
    pub tracking: TrackingOptions,
    /// The environment's part in it, default resolved.
    pub environment: EnvironmentTracks,
    /// Colours of the rule with their numbers.
    pub colours: FirstFrameColours,
    /// Quantiser of the video.
    pub qp: u8,
    /// Quantiser of the tracking video.
    pub tracking_qp: u8,
    /// Figures.
    pub quality: DasQuality,
    /// Settings of the renderer that change pixels.
    pub render: BTreeMap<String, serde_json::Value>,
    /// How the Shot was accepted.
    pub attempts: Attempts,
    /// Who moves, and how well the motions fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub characters: Vec<CharacterRecord>,
    /// Assets used.
    pub assets: Vec<AssetRecord>,
    /// Where the frames are from, of a filmed clip; a rendered one has its shot.json.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipRecord>,
}

/// A body of a rendered clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharacterRecord {
    /// Its object in the Shot.
    pub object: u32,
    /// Name of that.
    pub name: String,
    /// What it is.
    pub asset: String,
    /// What it does, with feet that slide or sink measured after retargeting.
    pub motion: MotionRecord,
}

impl CharacterRecord {
    /// All of a Shot.
    pub(super) fn of_shot(shot: &Shot) -> Vec<Self> {
        let moved = shot.objects.iter();
        moved
            .filter_map(|object| {
                Some(Self {
                    object: object.id,
                    name: object.name.clone(),
                    asset: object.asset.clone(),
                    motion: object.motion.clone()?,
                })
            })
            .collect()
    }
}

/// Where the frames and points of a filmed clip are from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipRecord {
    /// Name of the video.
    pub source: String,
    /// Its width and height, pixels.
    pub source_resolution: [u32; 2],
    /// Its first frame that is in the clip, from 0.
    pub first_frame: u64,
    /// Its frames per frame of the clip.
    pub frame_step: u64,
    /// Left, top, width and height of its part that is shown, pixels.
    pub window: [f64; 4],
    /// Who followed the points, and with what settings.
    pub tracker: String,
    /// Frame of the queries.
    pub query_frame: u32,
    /// Where depths are from, in words.
    pub depth: String,
    /// The prompt is [`super::PLACEHOLDER_PROMPT`]: nobody gave one.
    pub prompt_is_placeholder: bool,
}

/// Figures of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DasQuality {
    /// Points followed; 0 where a dense rule is drawn and nothing asked for points.
    pub points: u64,
    /// Share of them that is visible in the last frame.
    pub visible_share_at_end: f64,
    /// The same, mean over all frames.
    pub mean_visible_share: f64,
    /// Share of the tracking picture that is not black, mean over all frames.
    pub mean_coloured_share: f64,
}
