//! Which GPUs there are, and which one to take.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::GpuError;

/// What an adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterKind {
    /// A card of its own.
    Discrete,
    /// Part of the processor's chip.
    Integrated,
    /// Given to a virtual machine.
    Virtual,
    /// A driver that computes on the processor.
    Software,
    /// The driver does not say.
    Unknown,
}

impl AdapterKind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Software => "software, on the processor",
            Self::Unknown => "unknown kind",
        }
    }
}

/// A GPU as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// As `--backend gpu:NAME` finds it.
    pub name: String,
    /// What it is.
    pub kind: AdapterKind,
    /// Vulkan, Metal, …
    pub api: String,
    /// Driver and its version, in the driver's words.
    pub driver: String,
    /// Largest part of a buffer that a shader may see, bytes.
    pub largest_binding: u64,
    /// Buffers that one shader may see.
    pub bindings: u32,
    /// Largest buffer, bytes.
    pub largest_buffer: u64,
}

/// The GPUs of this machine.
#[derive(Debug)]
pub struct Adapters {
    instance: wgpu::Instance,
    found: Vec<(wgpu::Adapter, Adapter)>,
}

/// Waits for what is ready at once on every native system.
pub(super) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

/// Whether the system shows any graphics device at all. Where it shows none, no driver needs to be loaded
/// (and talk to the terminal) to find that there is only software.
pub fn hardware_is_possible() -> bool {
    // Mesa's and AMD's nodes, NVIDIA's, Windows' below Linux.
    const NODES: [&str; 4] = ["/dev/dri", "/dev/kfd", "/dev/nvidiactl", "/dev/dxg"];
    !cfg!(target_os = "linux") || NODES.iter().any(|node| std::path::Path::new(node).exists())
}

/// Whether the Vulkan loader can be loaded. Where the system has an API of its own (Metal), always.
pub fn loader_is_there() -> bool {
    if cfg!(target_os = "macos") {
        return true;
    }
    let name = if cfg!(windows) {
        "vulkan-1.dll"
    } else {
        "libvulkan.so.1"
    };
    library_loads(name)
}

/// Whether the Vulkan loader or one of its drivers can be loaded, by path or bare name.
#[expect(unsafe_code, reason = "loading a library runs its initialisers")]
pub fn library_loads(name: &str) -> bool {
    // SAFETY: wgpu and the loader load the same libraries the same way; their initialisers have no
    // preconditions.
    unsafe { libloading::Library::new(name) }.is_ok()
}

impl Adapters {
    /// Asks the drivers. Takes some tenths of a second where a driver starts slowly.
    pub fn find() -> Self {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
        descriptor.flags = wgpu::InstanceFlags::empty();
        let instance = wgpu::Instance::new(descriptor);
        let mut found: Vec<(wgpu::Adapter, Adapter)> =
            ready(instance.enumerate_adapters(wgpu::Backends::all()))
                .into_iter()
                .map(|adapter| {
                    let described = describe(&adapter);
                    (adapter, described)
                })
                .collect();
        // The order in which `auto` prefers them; drivers' order within.
        found.sort_by_key(|(_, adapter)| match adapter.kind {
            AdapterKind::Discrete => 0,
            AdapterKind::Virtual => 1,
            AdapterKind::Integrated => 2,
            AdapterKind::Unknown => 3,
            AdapterKind::Software => 4,
        });
        Self { instance, found }
    }

    /// What was found, best first.
    pub fn list(&self) -> impl Iterator<Item = &Adapter> {
        self.found.iter().map(|(_, adapter)| adapter)
    }

    /// The adapter that `wanted` names (a part of its name, in any case); without a name the best piece
    /// of hardware.
    ///
    /// # Errors
    /// There is none, with the reason.
    pub(super) fn choose(
        &self,
        wanted: Option<&str>,
    ) -> Result<(&wgpu::Adapter, &Adapter), GpuError> {
        let known = || {
            let names: Vec<String> = self.list().map(|a| format!("`{}`", a.name)).collect();
            names.join(", ")
        };
        let Some((first, described)) = self.found.first() else {
            return Err(if loader_is_there() {
                GpuError::NoAdapter
            } else {
                GpuError::NoLoader
            });
        };
        let Some(wanted) = wanted else {
            return if described.kind == AdapterKind::Software {
                Err(GpuError::OnlySoftware {
                    known: described.name.clone(),
                })
            } else {
                Ok((first, described))
            };
        };
        let lower = wanted.to_lowercase();
        self.found
            .iter()
            .find(|(_, a)| a.name.to_lowercase().contains(&lower))
            .map(|(adapter, described)| (adapter, described))
            .ok_or_else(|| GpuError::UnknownAdapter {
                wanted: wanted.into(),
                known: known(),
            })
    }

    /// Keeps the drivers loaded.
    pub(super) fn instance(&self) -> &wgpu::Instance {
        &self.instance
    }
}

fn describe(adapter: &wgpu::Adapter) -> Adapter {
    let info = adapter.get_info();
    let limits = adapter.limits();
    Adapter {
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::Other => AdapterKind::Unknown,
        },
        api: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        name: info.name,
        largest_binding: limits.max_storage_buffer_binding_size,
        bindings: limits.max_storage_buffers_per_shader_stage,
        largest_buffer: limits.max_buffer_size,
    }
}
