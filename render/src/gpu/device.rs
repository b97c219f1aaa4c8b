//! An opened GPU: buffers, programs, and what it complains about.

use std::sync::{Arc, Mutex, PoisonError};

use super::adapter::{Adapter, AdapterKind, Adapters, ready};
use super::shaders::{FIRST_PAGE, ShaderOptions, program};
use super::{GpuError, layout::Chunk, layout::Frame};

/// Buffers besides the pages that a program sees.
const OWN_STORAGE_BUFFERS: u32 = 15;

/// An opened GPU.
pub struct Gpu {
    adapter: Adapter,
    limits: wgpu::Limits,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// What the driver reported outside of a call.
    complaint: Arc<Mutex<Option<GpuError>>>,
    /// Compiled so far: every scene of about the same size shares them.
    programs: Mutex<Vec<(ShaderOptions, Arc<Programs>)>>,
    _instance: wgpu::Instance,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gpu").field(&self.adapter).finish()
    }
}

/// The programs for one way of spreading scenes over buffers.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) trace: wgpu::ComputePipeline,
    pub(super) shade: wgpu::ComputePipeline,
    pub(super) scene_layout: wgpu::BindGroupLayout,
    pub(super) work_layout: wgpu::BindGroupLayout,
}

impl Gpu {
    /// Opens the adapter that `wanted` names; without a name the best hardware.
    ///
    /// # Errors
    /// There is none, or its driver does not open it.
    pub fn open(wanted: Option<&str>) -> Result<Arc<Self>, GpuError> {
        Self::open_of(&Adapters::find(), wanted)
    }

    /// As [`Gpu::open`], of adapters found sooner.
    ///
    /// # Errors
    /// As there.
    pub fn open_of(adapters: &Adapters, wanted: Option<&str>) -> Result<Arc<Self>, GpuError> {
        let (adapter, described) = adapters.choose(wanted)?;
        let limits = adapter.limits();
        let name = described.name.clone();
        if limits.max_storage_buffers_per_shader_stage < OWN_STORAGE_BUFFERS + 2 {
            return Err(GpuError::Limit {
                adapter: name,
                what: "the path tracer".into(),
                need: u64::from(OWN_STORAGE_BUFFERS + 2),
                limit: "max_storage_buffers_per_shader_stage",
                most: u64::from(limits.max_storage_buffers_per_shader_stage),
            });
        }
        let (device, queue) = ready(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("render"),
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| GpuError::Open {
            adapter: name.clone(),
            reason: error.to_string(),
        })?;
        let complaint: Arc<Mutex<Option<GpuError>>> = Arc::default();
        let (note, named) = (complaint.clone(), name.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let adapter = named.clone();
            keep_first(
                &note,
                match error {
                    wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory { adapter },
                    other => GpuError::Internal {
                        adapter,
                        reason: other.to_string(),
                    },
                },
            );
        }));
        let note = complaint.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Our own end is no loss.
            if reason != wgpu::DeviceLostReason::Destroyed {
                let adapter = name.clone();
                let reason = message;
                keep_first(&note, GpuError::Lost { adapter, reason });
            }
        });
        Ok(Arc::new(Self {
            adapter: described.clone(),
            limits,
            device,
            queue,
            complaint,
            programs: Mutex::default(),
            _instance: adapters.instance().clone(),
        }))
    }

    /// What its driver says of it.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    pub(super) fn is_software(&self) -> bool {
        self.adapter.kind == AdapterKind::Software
    }

    /// What went wrong since the last call, if anything.
    pub(super) fn check(&self) -> Result<(), GpuError> {
        let mut complaint = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        complaint.take().map_or(Ok(()), Err)
    }

    pub(super) fn internal(&self, reason: impl std::fmt::Display) -> GpuError {
        GpuError::Internal {
            adapter: self.adapter.name.clone(),
            reason: reason.to_string(),
        }
    }

    /// Largest part of a buffer that a program may see, bytes, and a power of two.
    fn page_bytes(&self) -> u64 {
        let most = self
            .limits
            .max_storage_buffer_binding_size
            .min(self.limits.max_buffer_size);
        1 << most.max(1).ilog2()
    }

    /// log₂ of the elements of a page, of `size` bytes each. Addresses have 32 bits.
    pub(super) fn page_shift(&self, size: u64) -> u32 {
        (self.page_bytes() / size).ilog2().min(31)
    }

    /// Refuses a buffer larger than the device's.
    pub(super) fn check_size(&self, what: &str, bytes: u64) -> Result<(), GpuError> {
        let most = self.page_bytes();
        if bytes <= most {
            return Ok(());
        }
        Err(GpuError::Limit {
            adapter: self.adapter.name.clone(),
            what: format!("{what} (bytes)"),
            need: bytes,
            limit: "max_storage_buffer_binding_size",
            most,
        })
    }

    /// Refuses scenes that need more pages than programs can see.
    pub(super) fn check_pages(&self, geometry: u32, texels: u32) -> Result<(), GpuError> {
        let most = self.limits.max_storage_buffers_per_shader_stage - OWN_STORAGE_BUFFERS;
        if geometry + texels <= most {
            return Ok(());
        }
        Err(GpuError::Limit {
            adapter: self.adapter.name.clone(),
            what: format!(
                "the scene, {geometry} buffers of geometry and {texels} of pictures of {} MiB,",
                self.page_bytes() >> 20
            ),
            need: u64::from(geometry + texels + OWN_STORAGE_BUFFERS),
            limit: "max_storage_buffers_per_shader_stage",
            most: u64::from(self.limits.max_storage_buffers_per_shader_stage),
        })
    }

    /// An empty buffer.
    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            // Bindings must not be empty, and structures end on 16 bytes.
            size: bytes.next_multiple_of(16).max(256),
            usage,
            mapped_at_creation: false,
        })
    }

    /// A buffer that programs read, with contents.
    pub(super) fn filled<T: bytemuck::Pod>(
        &self,
        label: &str,
        contents: &[T],
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        let bytes: &[u8] = bytemuck::cast_slice(contents);
        let buffer = self.buffer(
            label,
            bytes.len() as u64,
            usage | wgpu::BufferUsages::COPY_DST,
        );
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    /// The programs for some options, compiled once.
    pub(super) fn programs(&self, options: &ShaderOptions) -> Result<Arc<Programs>, GpuError> {
        let mut known = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, programs)) = known.iter().find(|(known, _)| known == options) {
            return Ok(programs.clone());
        }
        let programs = Arc::new(self.compile(options)?);
        known.push((*options, programs.clone()));
        Ok(programs)
    }

    fn compile(&self, options: &ShaderOptions) -> Result<Programs, GpuError> {
        let text = program(options);
        let scene_layout = self.scene_layout(options);
        let work_layout = self.work_layout();
        let layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("render.programs"),
                bind_group_layouts: &[Some(&scene_layout), Some(&work_layout)],
                immediate_size: 0,
            });
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let module = self.module(text);
        let pipeline = |label, entry_point| {
            self.device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(label),
                    layout: Some(&layout),
                    module: &module,
                    entry_point: Some(entry_point),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        // Every buffer that is read was written.
                        zero_initialize_workgroup_memory: false,
                        ..wgpu::PipelineCompilationOptions::default()
                    },
                    cache: None,
                })
        };
        let (trace, shade) = (
            pipeline("render.trace", "trace"),
            pipeline("render.shade", "shade"),
        );
        let refused = ready(internal.pop()).or(ready(scope.pop()));
        if let Some(error) = refused {
            return Err(GpuError::Shader {
                adapter: self.adapter.name.clone(),
                shader: "the path tracer",
                reason: error.to_string(),
            });
        }
        self.check()?;
        Ok(Programs {
            trace,
            shade,
            scene_layout,
            work_layout,
        })
    }

    #[expect(
        unsafe_code,
        reason = "checks in inner loops cost a third of the speed"
    )]
    fn module(&self, text: String) -> wgpu::ShaderModule {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some("render.path_tracer"),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        };
        // SAFETY: the shaders are our own. Loops end: they count up to a bound, clear a bit of a mask in
        // each turn, or walk a finite tree. Indices come from buffers that this crate wrote, divisors
        // of integers are sizes of pictures and not 0.
        unsafe {
            self.device
                .create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        }
    }

    fn scene_layout(&self, options: &ShaderOptions) -> wgpu::BindGroupLayout {
        let pages = options.geometry_pages + options.texel_pages;
        let mut entries = vec![uniform(0, size_of::<Frame>())];
        entries.extend((1..FIRST_PAGE + pages).map(|binding| storage(binding, true)));
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("render.scene"),
                entries: &entries,
            })
    }

    fn work_layout(&self) -> wgpu::BindGroupLayout {
        let mut entries = vec![uniform(0, size_of::<Chunk>()), storage(1, true)];
        entries.extend((2..10).map(|binding| storage(binding, false)));
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("render.work"),
                entries: &entries,
            })
    }
}

fn keep_first(complaint: &Mutex<Option<GpuError>>, error: GpuError) {
    complaint
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(error);
}

fn entry(binding: u32, ty: wgpu::BufferBindingType, size: u64) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: std::num::NonZeroU64::new(size),
        },
        count: None,
    }
}

fn uniform(binding: u32, size: usize) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BufferBindingType::Uniform, size as u64)
}

fn storage(binding: u32, read_only: bool) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BufferBindingType::Storage { read_only }, 0)
}
