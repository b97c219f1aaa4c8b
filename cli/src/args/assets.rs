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
}

/// `diorama assets scan`
#[derive(Debug, Args)]
pub struct ScanAssetsArgs {
    /// Folders with raw/<character>/…, Kubric manifests with their archives, or loose .fbx, .glb, .gltf,
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
