//! What can go wrong on a GPU.

/// A GPU that is not there or does not do what it should.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// There is no Vulkan loader on this machine.
    #[error("there is no Vulkan loader (libvulkan.so.1)")]
    NoLoader,
    /// The loader finds no device.
    #[error("Vulkan finds no device")]
    NoAdapter,
    /// There are devices, but none that was asked for.
    #[error("no GPU is called `{wanted}` (there is {known})")]
    UnknownAdapter {
        /// What was asked for.
        wanted: String,
        /// Names there are.
        known: String,
    },
    /// There are only devices that are processors in disguise.
    #[error("the only Vulkan device is `{known}`, which runs on the processor")]
    OnlySoftware {
        /// Its name.
        known: String,
    },
    /// The device cannot do or hold what is needed.
    #[error("GPU `{adapter}`: {what} needs {need}, its limit {limit} is {most}")]
    Limit {
        /// Name of the adapter.
        adapter: String,
        /// What needs too much.
        what: String,
        /// How much.
        need: u64,
        /// Name of the limit, as in Vulkan and WebGPU.
        limit: &'static str,
        /// The limit.
        most: u64,
    },
    /// The driver did not give a device.
    #[error("GPU `{adapter}` cannot be opened: {reason}")]
    Open {
        /// Name of the adapter.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// Memory of the device is used up.
    #[error("GPU `{adapter}` has no memory left")]
    OutOfMemory {
        /// Name of the adapter.
        adapter: String,
    },
    /// The device is gone: unplugged, reset by its driver, or fallen asleep.
    #[error("GPU `{adapter}` was lost: {reason}")]
    Lost {
        /// Name of the adapter.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The driver refuses our programs.
    #[error("GPU `{adapter}` cannot compile `{shader}`: {reason}")]
    Shader {
        /// Name of the adapter.
        adapter: String,
        /// Which program.
        shader: &'static str,
        /// The driver's words.
        reason: String,
    },
    /// The device computes something else than the CPU.
    #[error("GPU `{adapter}` fails its self-test: {reason}")]
    SelfTest {
        /// Name of the adapter.
        adapter: String,
        /// What differed.
        reason: String,
    },
    /// Anything else: our fault.
    #[error("GPU `{adapter}`: {reason}")]
    Internal {
        /// Name of the adapter.
        adapter: String,
        /// What happened.
        reason: String,
    },
}

impl GpuError {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoLoader => {
                "install the Vulkan loader (Debian: libvulkan1) and the driver of your GPU, or use `--backend cpu`"
            }
            Self::NoAdapter => {
                "install the driver of your GPU; a broken file in /usr/share/vulkan/icd.d or VK_DRIVER_FILES hides it"
            }
            Self::UnknownAdapter { .. } => {
                "name a part of one of these names: `--backend gpu:NAME`"
            }
            Self::OnlySoftware { .. } => {
                "use `--backend cpu`, which is faster; `--backend gpu:llvmpipe` takes it all the same"
            }
            Self::Limit { .. } => "use `--backend cpu`, or smaller textures and meshes",
            Self::OutOfMemory { .. } => {
                "close other programs that use the GPU, or use `--backend cpu`"
            }
            Self::Open { .. } | Self::Lost { .. } | Self::Shader { .. } | Self::SelfTest { .. } => {
                "update the GPU's driver, or use `--backend cpu`"
            }
            Self::Internal { .. } => return None,
        })
    }
}
