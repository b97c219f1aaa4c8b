//! Flags of `diorama assets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with libraries of assets.
#[derive(Debug, Subcommand)]
pub enum AssetsCommand {
    /// Look into every asset of libraries and write down what is in it; unchanged files are not read again
    Scan(ScanAssetsArgs),
    /// Say what cannot be used and why; ends with 1 if there is something
    Check(CheckAssetsArgs),
    /// Render a contact sheet: models from all sides, characters and motions at several times,
    /// environments tone-mapped
    Show(ShowAssetArgs),
}

/// `diorama assets scan`
#[derive(Debug, Args)]
pub struct ScanAssetsArgs {
    /// Folders with raw/CHARACTER/…, Kubric manifests with their archives, or loose .fbx, .glb, .gltf,
    /// .obj, .hdr, .exr, .png and .jpg
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// File to write; what it holds of an earlier scan is used
    #[arg(long, short, value_name = "FILE", default_value = "manifest.json")]
    pub output: PathBuf,
    /// Read everything again
    #[arg(long)]
    pub fresh: bool,
}

/// `diorama assets check`
#[derive(Debug, Args)]
pub struct CheckAssetsArgs {
    /// Folders, or the manifest of a scan (only what has changed since is read again)
    #[arg(required = true, value_name = "DIR|FILE")]
    pub sources: Vec<PathBuf>,
}

/// `diorama assets show`
#[derive(Debug, Args)]
pub struct ShowAssetArgs {
    /// An asset file, the id of an asset in `--assets`, or a built-in id such as `builtin/torus`,
    /// `builtin/person/3`, `builtin/motion/walk`
    #[arg(value_name = "ID|FILE")]
    pub asset: String,
    /// PNG to write
    #[arg(long, short, value_name = "FILE", default_value = "sheet.png")]
    pub output: PathBuf,
    /// Library that the id is looked up in; may be repeated
    #[arg(long, value_name = "DIR")]
    pub assets: Vec<PathBuf>,
    /// What lights the asset: a built-in environment or a picture
    #[arg(long, value_name = "ID|FILE", default_value = "builtin/studio?seed=0")]
    pub environment: String,
    /// Pictures in a row
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub views: u32,
    /// Side of one picture
    #[arg(long, value_name = "PX", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=2048))]
    pub size: u32,
    /// Samples a pixel
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub spp: u32,
}
