//! Flags of `diorama avatar`.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use diorama_postproc::dataset::Shard;
use diorama_postproc::tracking::{EnvironmentTracks, HiddenAtStart, Occluded, TrackingRule};
use diorama_synth::recipe::AvatarRecipe;
use serde::{Deserialize, Serialize};

use super::recipe::{Flag, arg, flags, given};
use super::{PictureArgs, Redo};

/// Headings of the help: each holds from the named parameter on.
const HEADINGS: &[(&str, &str)] = &[
    ("video_length", "Size and length"),
    ("root_motion", "Characters"),
    ("range_props", "Props"),
    ("prob_skybox", "Background"),
    ("range_camera_distance", "Camera"),
    ("range_light_watts", "Light"),
];

static FLAGS: LazyLock<Vec<Flag>> = LazyLock::new(|| flags(AvatarRecipe::PARAMETERS, HEADINGS));

/// Which takes of a motion file are motions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// The longest
    #[default]
    Longest,
    /// All that move
    All,
}

/// `diorama avatar`
#[derive(Debug, Args)]
pub struct AvatarArgs {
    /// Which samples, and where they go.
    #[command(flatten)]
    pub batch: AvatarBatchArgs,
    /// What they show.
    #[command(flatten)]
    pub parameters: AvatarParameterArgs,
    /// How the picture is made.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// What is written.
    #[command(flatten)]
    pub output: AvatarOutputArgs,
}

/// `diorama shot avatar`
#[derive(Debug, Clone, Args)]
pub struct ShotAvatarArgs {
    /// Number of the clip, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub clip: u64,
    /// File to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "shot.json")]
    pub output: PathBuf,
    /// Workspace, as for `avatar`
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// TOML file, as for `avatar`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As for `avatar`
    #[arg(long, value_name = "WHICH")]
    pub takes: Option<Takes>,
    /// As for `avatar`: the clip is one of N that are drawn
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Seed of all draws (default 0)
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// What it shows.
    #[command(flatten)]
    pub parameters: AvatarParameterArgs,
}

/// Which samples, and where they go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Batch")]
pub struct AvatarBatchArgs {
    /// Folder with raw/CHARACTER/CHARACTER.fbx, raw/CHARACTER/motion/*.fbx and raw/skybox/*
    /// (default: the built-in people, motions and skies)
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// Folder of the dataset (default BASE_PATH/trackingavatars, or test_avatars)
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// TOML file of the form of a plan.toml; any part of it will do
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Of a file with several takes: the `longest` is the motion, or `all` that move are one each (default longest)
    #[arg(long, value_name = "WHICH")]
    pub takes: Option<Takes>,
    /// This many clips of characters and motions drawn by the seed (default: every character with every
    /// motion; of the built-in ones 10)
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Seed of all draws (default 0)
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Make part i of n, from 0; the parts may run at the same time into one folder
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// Make these again: `failed`, or numbers of clips such as `43,57`
    #[arg(long, value_name = "failed|N,…")]
    pub redo: Option<Redo>,
}

/// What is written. A flag that is not given leaves the default; field names are keys of the plan.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Tracking video and files")]
pub struct AvatarOutputArgs {
    /// `das` (dots as in the public training set), `das-dense` (every pixel) or `das-blender` (default das)
    #[arg(long, value_name = "RULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<TrackingRule>,
    /// Dots on a side of the grid (default 70)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_size: Option<u32>,
    /// More points at random places, in tracks.npz only (default 0)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_points: Option<u32>,
    /// `hide` or `draw` dots whose point is hidden (default hide)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occluded: Option<Occluded>,
    /// `draw` or `black`: the surroundings in the tracking video (default draw, das-blender: black)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_tracks: Option<EnvironmentTracks>,
    /// `colour` or `black`: what was hidden in the first frame, with das-dense (default colour)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_at_start: Option<HiddenAtStart>,
    /// Constant quantiser of the video (default 6)
    #[arg(long, value_name = "QP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qp: Option<u8>,
    /// Constant quantiser of the tracking video, at most 10 (default 6)
    #[arg(long, value_name = "QP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_qp: Option<u8>,
    /// Also keep the tracking pictures as PNG: no loss
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tracking_lossless: bool,
    /// Also write the public tools' own tracks.npy
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub das_tracks: bool,
    /// Also write depth, normals and mask of the first frame, for repainting
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub first_frame_controls: bool,
    /// `sentence` (who, action, place, light, camera) or `das` (the original's line) (default sentence)
    #[arg(long, value_name = "WHICH", value_parser = ["sentence", "das"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_style: Option<String>,
    /// `builtin`, or `ffmpeg[:ARGS]` (default builtin)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
}

/// The recipe's parameters that were given, in the order of its list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AvatarParameterArgs {
    /// Name and text.
    pub given: Vec<(&'static str, String)>,
}

impl Args for AvatarParameterArgs {
    fn augment_args(command: Command) -> Command {
        FLAGS
            .iter()
            .fold(command, |command, flag| command.arg(arg(flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AvatarParameterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            given: given(&FLAGS, matches),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
