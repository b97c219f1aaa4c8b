//! Flags of `diorama track`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use diorama_postproc::dataset::Shard;
use diorama_postproc::tracking::Occluded;
use serde::{Deserialize, Serialize};

use super::Redo;

/// Which frames of a video become a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClipRule {
    /// The first ones.
    #[default]
    First,
    /// Evenly spread over the whole video.
    Stride,
    /// As many clips, one after another, as fit.
    All,
}

impl FromStr for ClipRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "first" => Ok(Self::First),
            "stride" => Ok(Self::Stride),
            "all" => Ok(Self::All),
            _ => Err(format!("there is no `{text}` (known: first, stride, all)")),
        }
    }
}

/// What the numbers of depth files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DepthKind {
    /// Along the camera axis: larger is farther.
    #[default]
    Depth,
    /// One over it: larger is nearer.
    Inverse,
}

impl FromStr for DepthKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "depth" => Ok(Self::Depth),
            "inverse" => Ok(Self::Inverse),
            _ => Err(format!("there is no `{text}` (known: depth, inverse)")),
        }
    }
}

/// `diorama track`
#[derive(Debug, Args)]
pub struct TrackArgs {
    /// A video, or a folder of videos (not its subfolders)
    #[arg(value_name = "VIDEO_OR_DIR", required_unless_present = "root")]
    pub input: Option<PathBuf>,
    /// Which clips, and where they go.
    #[command(flatten)]
    pub batch: TrackBatchArgs,
    /// What is followed and written.
    #[command(flatten)]
    pub choices: TrackChoiceArgs,
    /// Flags of the public tool that mean nothing here.
    #[command(flatten)]
    pub refused: RefusedArgs,
}

/// Which clips, and where they go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Batch")]
pub struct TrackBatchArgs {
    /// The folder of videos in the words of the public tool
    #[arg(
        long,
        alias = "data-root",
        value_name = "DIR",
        conflicts_with = "input"
    )]
    pub root: Option<PathBuf>,
    /// Folder of the dataset (default vis_results)
    #[arg(long, short, alias = "outdir", value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// TOML file of the form of a plan.toml; any part of it will do
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prompts: lines `<name of the video><TAB><prompt>`, or a line for each video in the order of their
    /// names (default: a line that `diorama verify` warns of)
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// Depth of the frames: a folder with <name>.npy, <name>.png, <name>.exr or a folder <name>/ of frames
    /// for each video; for one video the file or folder itself (default: a plane that rises to the horizon)
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub depth: Option<PathBuf>,
    /// Videos in work at the same time (default 1; one alone uses all threads)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// Make part i of n, from 0; the parts may run at the same time into one folder
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// Work on these again: `failed`, or numbers of videos, from 0 in the order of their names, such as
    /// `3,17`
    #[arg(long, value_name = "failed|N,…")]
    pub redo: Option<Redo>,
}

/// What is followed and written. A flag that is not given leaves the default; field names are keys of the
/// plan.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Clips and tracking videos")]
pub struct TrackChoiceArgs {
    /// `first`, `stride` (spread over the whole video) or `all` (as many clips as fit) (default first)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipRule>,
    /// Frames of a clip, 4k + 1 (default 49: the trainer's)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_length: Option<u32>,
    /// Pixels, even (default 720: the trainer's)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, even (default 480)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames per second of both videos, whatever the source has: frames are taken one to one (default 24)
    #[arg(long, value_name = "FPS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_fps: Option<f64>,
    /// Show only the middle of the source, 576x384 pixels times `--crop-factor`
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub crop: bool,
    /// See `--crop` (default 1)
    #[arg(long, value_name = "F")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop_factor: Option<f64>,
    /// Dots on a side of the grid (default 70)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_size: Option<u32>,
    /// Frame of the clip, from 0, on which the dots are a grid and get their colours (default 0)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_frame: Option<u32>,
    /// Also follow the dots from `--query-frame` to the beginning; else there are none before it
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backward: bool,
    /// Track on pictures this much smaller, 0.25 to 1: quicker, less exact (default 1)
    #[arg(long, value_name = "F")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downsample: Option<f64>,
    /// `hide` or `draw` dots whose point is hidden (default hide; the public tool draws them)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occluded: Option<Occluded>,
    /// Numbers in depth files: `depth` (larger is farther) or `inverse` (default depth)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_kind: Option<DepthKind>,
    /// Metres that 1 in depth files is (of `inverse`: 1/metres) (default 1; PNG: 0.001)
    #[arg(long, value_name = "S")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_scale: Option<f64>,
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
    /// `builtin`, or `ffmpeg[:ARGS]` (default builtin)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
}

/// Flags of the public tool that do nothing there, or would spoil the result. Values that it has without
/// them are taken.
#[derive(Debug, Clone, Default, Args)]
pub struct RefusedArgs {
    #[arg(long, hide = true)]
    rgbd: bool,
    #[arg(long, hide = true)]
    vis_support: bool,
    #[arg(long, hide = true, value_name = "N")]
    len_track: Option<u32>,
    #[arg(long, hide = true, value_name = "N")]
    point_size: Option<u32>,
    #[arg(long, hide = true, value_name = "N")]
    gpu: Option<String>,
    #[arg(long, hide = true, value_name = "N")]
    fps: Option<f64>,
}

impl RefusedArgs {
    /// The first that cannot be obeyed: flag, reason, hint.
    pub fn complaint(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let none = "leave it out";
        if self.rgbd {
            let hint = "give depth with `--depth`";
            return Some((
                "--rgbd",
                "videos have no fourth channel to take depth from",
                hint,
            ));
        }
        if self.vis_support {
            return Some((
                "--vis-support",
                "this tracker has no support points to show",
                none,
            ));
        }
        if self.len_track.is_some_and(|length| length != 0) {
            let reason = "trails would paint places where no point is, and the trainer reads every colour as a point's";
            return Some(("--len-track", reason, none));
        }
        if self.point_size.is_some_and(|size| size != 10) {
            let reason = "in the public tool it is the width of trails and changes no dot; there are no trails here";
            return Some(("--point-size", reason, "more or fewer dots: `--grid-size`"));
        }
        if self.gpu.as_ref().is_some_and(|gpu| gpu != "0") {
            return Some((
                "--gpu",
                "tracking is done on the CPU",
                "`--jobs`, `--shard` and `--threads` share out the work",
            ));
        }
        if self.fps.is_some_and(|fps| fps != 1.0) {
            return Some((
                "--fps",
                "the public tool reads it and does nothing with it",
                "`--clip stride` leaves frames out",
            ));
        }
        None
    }
}
