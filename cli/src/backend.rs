//! Where light is traced: `--backend auto|cpu|gpu[:NAME]`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use diorama_render::gpu::{Adapters, Gpu, GpuError, hardware_is_possible, self_test};
use serde::{Deserialize, Serialize};

use crate::output::Output;

/// The choice as flags and plan spell it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BackendSetting {
    /// The best GPU that is hardware and passes a self-test, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The adapter with this in its name; without a name the best hardware.
    Gpu(Option<String>),
}

impl FromStr for BackendSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "gpu" => Ok(Self::Gpu(None)),
            Some(("gpu", name)) if !name.trim().is_empty() => {
                Ok(Self::Gpu(Some(name.trim().into())))
            }
            _ => Err(format!("`{text}` is none of auto, cpu, gpu, gpu:NAME")),
        }
    }
}

impl fmt::Display for BackendSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(name)) => write!(f, "gpu:{name}"),
        }
    }
}

impl TryFrom<String> for BackendSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<BackendSetting> for String {
    fn from(setting: BackendSetting) -> Self {
        setting.to_string()
    }
}

impl BackendSetting {
    /// What is asked for where only the CPU can do the work: `auto` need not look for a GPU then, while one
    /// that is asked for by name says that it cannot.
    #[must_use]
    pub fn on_cpu_if(&self, only_cpu: bool) -> Self {
        match self {
            Self::Auto if only_cpu => Self::Cpu,
            other => other.clone(),
        }
    }
}

/// What a run traces with.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Never `auto`, and a GPU by its full name: the plan keeps this.
    pub setting: BackendSetting,
    /// The GPU, opened; `None`: the CPU.
    pub gpu: Option<Arc<Gpu>>,
}

impl Backend {
    /// The CPU.
    pub fn cpu() -> Self {
        Self {
            setting: BackendSetting::Cpu,
            gpu: None,
        }
    }

    fn of(gpu: Arc<Gpu>) -> Self {
        Self {
            setting: BackendSetting::Gpu(Some(gpu.adapter().name.clone())),
            gpu: Some(gpu),
        }
    }

    /// Finds what a setting asks for. Where `auto` finds hardware that does not work it says so, once,
    /// and takes the CPU.
    ///
    /// # Errors
    /// A GPU that was asked for by name is not there or does not work.
    pub fn resolve(setting: &BackendSetting, output: &Output) -> Result<Self, GpuError> {
        match setting {
            BackendSetting::Cpu => Ok(Self::cpu()),
            BackendSetting::Gpu(name) => Gpu::open(name.as_deref()).map(Self::of),
            BackendSetting::Auto if !hardware_is_possible() => Ok(Self::cpu()),
            BackendSetting::Auto => {
                let (backend, because) = Self::auto();
                if let Because::Fails(error) = because {
                    output.warning(format!("{error}; the CPU is used instead"));
                }
                Ok(backend)
            }
        }
    }

    /// What `auto` takes, and why.
    pub fn auto() -> (Self, Because) {
        let adapters = Adapters::find();
        match Gpu::open_of(&adapters, None) {
            Ok(gpu) => match self_test(&gpu) {
                Ok(()) => {
                    let name = gpu.adapter().name.clone();
                    (Self::of(gpu), Because::Hardware(name))
                }
                Err(error) => (Self::cpu(), Because::Fails(error)),
            },
            Err(
                error @ (GpuError::NoLoader | GpuError::NoAdapter | GpuError::OnlySoftware { .. }),
            ) => (Self::cpu(), Because::NoHardware(error)),
            Err(error) => (Self::cpu(), Because::Fails(error)),
        }
    }
}

/// Why `auto` takes what it takes.
#[derive(Debug)]
pub enum Because {
    /// There is hardware of this name, and it passes the self-test.
    Hardware(String),
    /// There is none.
    NoHardware(GpuError),
    /// There is some that does not work.
    Fails(GpuError),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardware(name) => write!(f, "GPU `{name}` passes the self-test"),
            Self::NoHardware(error) | Self::Fails(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_written() {
        for text in ["auto", "cpu", "gpu", "gpu:llvmpipe (LLVM 15.0.6, 256 bits)"] {
            let setting: BackendSetting = text.parse().unwrap();
            assert_eq!(setting.to_string(), text);
        }
        for wrong in ["", "GPU", "gpu:", "cuda", "cpu:1"] {
            assert!(wrong.parse::<BackendSetting>().is_err(), "{wrong}");
        }
    }
}
