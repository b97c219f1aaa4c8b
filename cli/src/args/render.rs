//! Flags of `diorama render`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{AssetArgs, PictureArgs};

/// Display transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewArg {
    /// Blender's Filmic
    Filmic,
    /// AgX as in Blender 4
    Agx,
    /// Plain sRGB
    Standard,
    /// Linear values, clipped
    None,
}

/// `diorama render`
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// A .glb, .gltf or shot.json file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// X.exr (all passes, linear), X.png (finished picture), or a folder (both, one pair per frame)
    #[arg(long, short, value_name = "X.exr|X.png|DIR")]
    pub output: PathBuf,
    /// Picture width, pixels [default: the shot's, glTF: 512]
    #[arg(long, value_name = "PX")]
    pub width: Option<u32>,
    /// Picture height, pixels [default: the shot's, glTF: 512]
    #[arg(long, value_name = "PX")]
    pub height: Option<u32>,
    /// Seed of the noise [default: the shot's, glTF: 0]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// First frame to render, from 0 [default: 0]
    #[arg(long, value_name = "F")]
    pub frame: Option<u32>,
    /// Frames to render from there [default: one, into a folder all]
    #[arg(long, value_name = "N")]
    pub frames: Option<u32>,
    /// Camera to look through, by name [default: the first; without any, one that frames the scene]
    #[arg(long, value_name = "NAME")]
    pub camera: Option<String>,
    /// Equirectangular picture that lights the scene, .hdr or .exr
    #[arg(long, value_name = "FILE")]
    pub environment: Option<PathBuf>,
    /// Turn of the environment about the vertical, degrees, counter-clockwise from above [default: 0]
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    pub environment_rotation: Option<f32>,
    /// Factor of the environment's radiance [default: 1]
    #[arg(long, value_name = "K")]
    pub environment_strength: Option<f32>,
    /// Objects that are absent in a second picture (the pair of a removal sample), by name
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub remove: Vec<String>,
    /// glTF's reading of transmission without thickness: no refraction
    #[arg(long)]
    pub thin_walled: bool,
    /// Display transform of PNGs [default: the shot's, glTF: standard]
    #[arg(long, value_name = "WHICH")]
    pub view: Option<ViewArg>,
    /// `auto`, or stops: radiance is multiplied by 2^EV in PNGs [default: the shot's, glTF: 0]
    #[arg(long, value_name = "auto|EV", allow_negative_numbers = true)]
    pub exposure: Option<String>,
    /// How the picture is made.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// Where assets of a shot.json are.
    #[command(flatten)]
    pub assets: AssetArgs,
}
