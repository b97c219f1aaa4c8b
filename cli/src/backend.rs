//! Where light is traced: `--backend auto|cpu|gpu[:NAME]`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use diorama_render::RenderError;
use diorama_render::gpu::{Adapters, Gpu, GpuError, hardware_is_possible, self_test};
use serde::{Deserialize, Serialize};

use crate::exit::in_words;
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

/// What a run traces with.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Never `auto`, and a GPU by its full name: the plan keeps this.
    pub setting: BackendSetting,
    /// The GPU, opened; `None`: the CPU.
    pub gpu: Option<Arc<Gpu>>,
    /// The choice was left to `auto`, which may still take the CPU where the GPU fails before anything is made.
    may_fall_back: bool,
}

impl Backend {
    /// The CPU.
    pub fn cpu() -> Self {
        Self {
            setting: BackendSetting::Cpu,
            gpu: None,
            may_fall_back: false,
        }
    }

    fn of(gpu: Arc<Gpu>) -> Self {
        Self {
            setting: BackendSetting::Gpu(Some(gpu.adapter().name.clone())),
            gpu: Some(gpu),
            may_fall_back: false,
        }
    }

    /// Does `work`. Where `auto` chose a GPU and that fails before anything is made (no memory, a scene too
    /// large for it, a driver that refuses our programs or loses the device), says so and does it on the CPU.
    ///
    /// `work` sets its second argument as soon as something is made: no sample, and no folder of samples, comes
    /// from two backends.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn with_fallback<T>(
        self,
        output: &Output,
        mut work: impl FnMut(Self, &mut bool) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let may_fall_back = self.may_fall_back;
        let mut begun = false;
        match work(self, &mut begun) {
            Err(error) if may_fall_back && !begun && is_the_gpus(&error) => {
                warn_of_cpu(output, &in_words(&error));
                work(Self::cpu(), &mut begun)
            }
            result => result,
        }
    }

    /// Finds what a setting asks for; what `auto` takes is said with the reason.
    ///
    /// # Errors
    /// A GPU that was asked for by name is not there or does not work.
    pub fn resolve(setting: &BackendSetting, output: &Output) -> Result<Self, GpuError> {
        match setting {
            BackendSetting::Cpu => Ok(Self::cpu()),
            BackendSetting::Gpu(name) => Gpu::open(name.as_deref()).map(Self::of),
            BackendSetting::Auto => {
                let (backend, because) = if hardware_is_possible() {
                    Self::auto()
                } else {
                    // No driver is loaded for that, some of which talk to the terminal.
                    (Self::cpu(), Because::NoDevice)
                };
                match because {
                    Because::Fails(error) => warn_of_cpu(output, &error),
                    because => output.note(format!("note: backend {}: {because}", backend.setting)),
                }
                Ok(Self {
                    may_fall_back: backend.gpu.is_some(),
                    ..backend
                })
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

/// Says what is wrong with the GPU that `auto` would have taken.
fn warn_of_cpu(output: &Output, fault: &dyn fmt::Display) {
    output.warning(format!("{fault}; the CPU is used instead"));
}

/// Is a GPU, and neither the input nor the disk, what failed?
fn is_the_gpus(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<GpuError>() || matches!(cause.downcast_ref(), Some(RenderError::Gpu(_)))
    })
}

/// Why `auto` takes what it takes.
#[derive(Debug)]
pub enum Because {
    /// There is hardware of this name, and it passes the self-test.
    Hardware(String),
    /// The system shows no graphics device at all.
    NoDevice,
    /// There is no hardware that Vulkan finds.
    NoHardware(GpuError),
    /// There is some that does not work.
    Fails(GpuError),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardware(name) => write!(f, "GPU `{name}` passes the self-test"),
            Self::NoDevice => f.write_str("this system shows no graphics device"),
            Self::NoHardware(error) | Self::Fails(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn automatic() -> Backend {
        Backend {
            may_fall_back: true,
            setting: BackendSetting::Gpu(Some("Card".into())),
            gpu: None,
        }
    }

    fn quiet() -> Output {
        Output::new(crate::output::Style {
            quiet: true,
            ..Default::default()
        })
    }

    /// Fails on every GPU with what `fault` says, after making something where `makes`.
    fn run_with(
        backend: Backend,
        makes: bool,
        fault: impl Fn() -> anyhow::Error,
    ) -> (anyhow::Result<()>, Vec<String>) {
        let mut tried = Vec::new();
        let result = backend.with_fallback(&quiet(), |backend, begun| {
            tried.push(backend.setting.to_string());
            *begun |= makes;
            if backend.setting == BackendSetting::Cpu {
                return Ok(());
            }
            Err(fault())
        });
        (result, tried)
    }

    #[test]
    fn auto_falls_back_once_and_only_before_anything_is_made() {
        let adapter = || "Card".to_owned();
        let faults: [fn(String) -> GpuError; 4] = [
            |adapter| GpuError::OutOfMemory { adapter },
            |adapter| GpuError::Limit {
                adapter,
                what: "the scene".into(),
                need: 2,
                limit: "max_texture_dimension_2d",
                most: 1,
            },
            |adapter| GpuError::Shader {
                adapter,
                shader: "the path tracer",
                reason: "no".into(),
            },
            |adapter| GpuError::Lost {
                adapter,
                reason: "unplugged".into(),
            },
        ];
        for fault in faults {
            let wrapped =
                || anyhow::Error::from(RenderError::from(fault(adapter()))).context("frame 0");
            let (result, tried) = run_with(automatic(), false, wrapped);
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(tried, ["gpu:Card", "cpu"]);
            // Not when something is there already, and never away from a GPU that was named.
            for (backend, makes) in [
                (automatic(), true),
                (
                    Backend {
                        may_fall_back: false,
                        ..automatic()
                    },
                    false,
                ),
            ] {
                let (result, tried) = run_with(backend, makes, wrapped);
                assert!(
                    result
                        .unwrap_err()
                        .chain()
                        .any(|e| e.to_string().contains("Card"))
                );
                assert_eq!(tried, ["gpu:Card"]);
            }
        }
        // A full disk is no reason to change the backend.
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull).into();
        let (result, tried) = run_with(automatic(), false, full);
        assert!(result.is_err());
        assert_eq!(tried, ["gpu:Card"]);
    }

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
