//! How a picture is made: samples, bounces, denoiser. Shared by `removal` and `render`.

use clap::{Args, ValueEnum};
use diorama_render::Denoise;
use serde::{Deserialize, Serialize};

use crate::backend::BackendSetting;

/// What removes noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DenoiseArg {
    /// Nothing
    None,
    /// Our own; the same bytes everywhere
    Builtin,
    /// OpenImageDenoise, where its library is installed
    Oidn,
}

impl From<DenoiseArg> for Denoise {
    fn from(which: DenoiseArg) -> Self {
        match which {
            DenoiseArg::None => Self::None,
            DenoiseArg::Builtin => Self::Builtin,
            DenoiseArg::Oidn => Self::Oidn,
        }
    }
}

/// How a picture is made. A flag that is not given leaves the value of the config file or preset;
/// field names are keys of the plan.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Picture")]
pub struct PictureArgs {
    /// Samples per pixel (default 128; `avatar` 32)
    #[arg(long, alias = "samples", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spp: Option<u32>,
    /// A pixel has samples enough once its surroundings show this much noise, as a share of their light;
    /// `--spp` is then the most (default 0: all pixels get all samples; try 0.05 with 256 samples)
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_threshold: Option<f64>,
    /// Most bounces of a path (default 20; `avatar` 8)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bounces: Option<u32>,
    /// Clamp on the radiance of one indirect sample, 0: none (default 10, `render`: 0)
    #[arg(long, value_name = "L")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clamp_indirect: Option<f64>,
    /// What removes noise (default builtin, `render`: none)
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denoise: Option<DenoiseArg>,
    /// Where light is traced (default auto: a GPU that is hardware and works, else the CPU). NAME is a
    /// part of the adapter's name
    #[arg(long, value_name = "auto|cpu|gpu[:NAME]")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendSetting>,
}
