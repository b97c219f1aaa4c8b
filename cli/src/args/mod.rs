//! Flags. Parsing only: what a missing flag means is decided in [`crate::plan`].

mod assets;
mod avatar;
mod normalise;
mod picture;
mod recipe;
mod removal;
mod render;
mod track;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use assets::{AssetsCommand, CheckAssetsArgs, ScanAssetsArgs, ShowAssetArgs};
pub use avatar::{AvatarArgs, AvatarBatchArgs, AvatarOutputArgs, ShotAvatarArgs, Takes};
pub use picture::{DenoiseArg, PictureArgs};
pub use recipe::{ParameterArgs, RecipeArgs, SourceArgs};
pub use removal::{BatchArgs, LayoutArg, OutputArgs, RemovalArgs};
pub use render::{RenderArgs, ViewArg};
pub use track::{ClipRule, DepthKind, TrackArgs, TrackChoiceArgs};
pub use values::{Redo, SeedRange};

/// Synthetic training video with the truth behind every pixel.
#[derive(Debug, Parser)]
#[command(
    name = "diorama",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 all good, 1 some samples failed (they are listed), \
    2 bad input or something you can mend, 3 our fault."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Running")]
pub struct GlobalArgs {
    /// Threads to compute with [default: all]. The result does not depend on it
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// JSON lines on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make object-removal samples: rgb_full, rgb_removed and mask of the same motion
    Removal(Box<RemovalArgs>),
    /// Make clips of characters in motion with exact 3D tracking videos, as Diffusion as Shader trains on
    Avatar(Box<AvatarArgs>),
    /// Follow points through real clips: the same dataset, with tracking videos found in the pictures
    Track(Box<TrackArgs>),
    /// Draw a Shot (everything that happens in one clip) and write it as JSON
    #[command(subcommand)]
    Shot(ShotCommand),
    /// Render a glTF file or a shot.json
    Render(Box<RenderArgs>),
    /// Look through libraries of assets: what there is, what cannot be used and why
    #[command(subcommand)]
    Assets(AssetsCommand),
    /// Check finished samples against the laws they promise
    Verify(VerifyArgs),
    /// Rebuild or merge the lists of finished datasets
    Index(IndexArgs),
    /// Join Diffusion-as-Shader datasets into a new one
    Merge(MergeArgs),
    /// Say what this machine has, what would be chosen, and what stands in the way
    Doctor(DoctorArgs),
    /// Print the version
    Version,
}

/// Recipes that can draw a Shot.
#[derive(Debug, Subcommand)]
pub enum ShotCommand {
    /// The Shot of an object-removal sample
    Removal(Box<ShotRemovalArgs>),
    /// The Shot of a clip of a character
    Avatar(Box<ShotAvatarArgs>),
}

/// Libraries of assets beside the built-in one.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Assets")]
pub struct AssetArgs {
    /// Kubric manifest folder, or folder of .obj, .glb, .hdr, .exr; may be repeated
    #[arg(long, value_name = "DIR")]
    pub assets: Vec<PathBuf>,
    /// Workspace of characters and skyboxes, as for `avatar`
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
}

/// `diorama shot removal`
#[derive(Debug, Args)]
pub struct ShotRemovalArgs {
    /// Seed of the sample
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// File to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "shot.json")]
    pub output: PathBuf,
    /// What to draw.
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// `diorama verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Dataset or sample folders
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Frames of each sample to render again and compare
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub frames: u32,
    /// Look at files only, render nothing again
    #[arg(long, conflicts_with = "frames")]
    pub no_render: bool,
    /// Where assets are.
    #[command(flatten)]
    pub assets: AssetArgs,
}

/// `diorama index`
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Dataset folders
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Write one merged list here, instead of one list beside each folder
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Take repainted first frames, ID.png of the video's size, as the images of a
    /// Diffusion-as-Shader dataset; what was rendered is kept
    #[arg(long, value_name = "DIR", conflicts_with = "output_dir")]
    pub images_from: Option<PathBuf>,
}

/// `diorama merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Dataset folders, ours or any with prompt.txt, videos.txt and trackings.txt; `DIR=R`: R samples of
    /// it for one of a folder without `=R` (no `=R` at all: everything of every folder)
    #[arg(required = true, value_name = "DIR[=R]")]
    pub sources: Vec<String>,
    /// What the datasets are
    #[arg(long, value_name = "WHICH", value_parser = ["das"], default_value = "das")]
    pub format: String,
    /// New folder for the joined dataset
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: PathBuf,
    /// Copy files instead of linking them
    #[arg(long)]
    pub copy: bool,
}

/// `diorama doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Do not trace two seconds with each backend
    #[arg(long)]
    pub no_probe: bool,
}

/// Parses the arguments of the process (the program's own name first).
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(normalise::normalise(args))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    fn removal(flags: &str) -> RemovalArgs {
        let args = format!("diorama removal {flags}");
        match parse(args.split_whitespace().map(OsString::from))
            .unwrap()
            .command
        {
            Command::Removal(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_seed_tools_spellings_are_understood() {
        let args = removal(
            "--seed 43 --output_dir D --video_length 80 --mask_mode binary --render_width 256 \
             --range_object_scale 1 3 --camera_range_position=5,15 --prob_wall .25 --save_images \
             --range_num_objs 1,6 --light_range_lookat 0 1",
        );
        assert_eq!(args.batch.seed, Some(43));
        assert_eq!(
            args.recipe.parameters.given,
            [
                ("render_width", "256".into()),
                ("video_length", "80".into()),
                ("range_num_objs", "1,6".into()),
                ("range_object_scale", "1,3".into()),
                ("prob_wall", ".25".into()),
                ("camera_range_position", "5,15".into()),
                ("light_range_lookat", "0,1".into()),
            ]
        );
        assert_eq!(args.output.mask_mode.as_deref(), Some("binary"));
        assert!(args.output.save_images);
    }

    #[test]
    fn ranges_may_be_negative_and_one_number_is_both_ends() {
        let args =
            removal("--range-velocity -2,3 --range-spawn-xy -4 4 --range-spawn-z 2 --seed 1");
        assert_eq!(
            args.recipe.parameters.given,
            [
                ("range_spawn_xy", "-4,4".into()),
                ("range_spawn_z", "2,2".into()),
                ("range_velocity", "-2,3".into()),
            ]
        );
    }

    #[test]
    fn targets_are_those_of_the_recipe() {
        let args = removal("--target das --motion-blur 0.5");
        assert_eq!(
            args.recipe.parameters.target.map(|t| t.video_length),
            Some(49)
        );
        assert_eq!(args.recipe.parameters.given, [("shutter", "0.5".into())]);
    }
}
