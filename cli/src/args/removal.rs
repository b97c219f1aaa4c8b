//! Flags of `diorama removal`: which samples, where, and which files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use diorama_postproc::dataset::Shard;
use serde::Serialize;

use super::{RecipeArgs, Redo, SeedRange};

/// Folders of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// One folder per seed
    Nested,
    /// One seed's files straight into the folder
    Flat,
}

/// `diorama removal`
#[derive(Debug, Args)]
pub struct RemovalArgs {
    /// Which samples, and where they go.
    #[command(flatten)]
    pub batch: BatchArgs,
    /// What they show.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// What is written.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which samples, and where they go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Batch")]
pub struct BatchArgs {
    /// One seed (default 0)
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Seeds A to B - 1
    #[arg(long, value_name = "A..B")]
    pub seeds: Option<SeedRange>,
    /// Folder of the dataset (default test_outputs)
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// `flat`: one seed's files straight into the folder (default nested)
    #[arg(long, value_name = "WHICH")]
    pub layout: Option<LayoutArg>,
    /// Make part i of n, from 0; the parts may run at the same time into one folder
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// Make these again: `failed`, or seeds such as `43,57`
    #[arg(long, value_name = "failed|S,…", conflicts_with = "estimate")]
    pub redo: Option<Redo>,
    /// Say how long it would take, how much disk and memory; write nothing
    #[arg(long)]
    pub estimate: bool,
    /// The public tool's .blend; here every sample has its shot.json
    #[arg(long, hide = true)]
    pub save_state: bool,
}

/// What is written. A flag that is not given leaves the value of the config file or preset; field
/// names are keys of the plan.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Masks and files")]
pub struct OutputArgs {
    /// `trimask` (0 remove, 128 background, 255 keep) or `binary` (0 remove, 255 else) (default trimask)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_mode: Option<String>,
    /// `centre`: the surface at the pixel centre; `coverage:T`: more than T of the pixel (default
    /// centre; coverage:0.5 with motion blur or depth of field)
    #[arg(long, value_name = "centre|coverage:T")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_rule: Option<String>,
    /// What is seen through glass counts in the mask beside the glass itself (default false)
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_through_glass: Option<bool>,
    /// Grow the removed region by this many pixels (default 0)
    #[arg(long, value_name = "PX")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_dilate: Option<u32>,
    /// Exact values as EXR: effect, depth, normal, flow, instance, … (default none)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
    /// `png`: every frame as a lossless picture too (default none)
    #[arg(long, value_name = "png|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<String>,
    /// The same as `--frames png`
    #[arg(long, conflicts_with = "frames")]
    #[serde(skip)]
    pub save_images: bool,
    /// Constant quantiser of the colour videos, lower is closer to the picture (default 2)
    #[arg(long, value_name = "QP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qp: Option<u8>,
    /// `builtin`, or `ffmpeg[:ARGS]`, e.g. "ffmpeg:-c:v libx264 -qp 10" (default builtin)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
}
