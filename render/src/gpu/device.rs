//! An opened GPU: buffers, programs, and what it complains about.

use std::sync::{Arc, Mutex, PoisonError};

use super::adapter::{Adapter, AdapterKind, Adapters, ready};
use super::shaders::{FIRST_PAGE, ROW_SHIFT, ShaderOptions, program};
use super::upload::nodes::{MOST_ITEMS_BY_SLOT, MOST_NODES};
use super::{GpuError, layout::Chunk, layout::Frame};

/// Buffers that a program sees.
const STORAGE_BUFFERS: u32 = 10;
/// Textures besides the pages that a program sees.
const OWN_TEXTURES: u32 = FIRST_PAGE - 1;
/// Of a texture of records.
const RECORDS: wgpu::TextureFormat = wgpu::TextureFormat::Rgba32Uint;
/// Most rows of a texture that holds records, as a power of two: half a gigabyte of them.
const LARGEST_HEIGHT_SHIFT: u32 = 13;

/// An opened GPU.
pub struct Gpu {
    adapter: Adapter,
    limits: wgpu::Limits,
    /// log₂ of the elements of 16 bytes that a texture holds.
    page_shift: u32,
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
    /// One after the other.
    pub(super) steps: Vec<wgpu::ComputePipeline>,
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
        let textures = most_textures(&limits, described.kind == AdapterKind::Software);
        let needs = [
            (
                "max_storage_buffers_per_shader_stage",
                STORAGE_BUFFERS,
                limits.max_storage_buffers_per_shader_stage,
            ),
            (textures.0, OWN_TEXTURES + 2, textures.1),
            (
                "max_texture_dimension_2d",
                1 << ROW_SHIFT,
                limits.max_texture_dimension_2d,
            ),
        ];
        if let Some((limit, need, most)) = needs.into_iter().find(|(_, need, most)| most < need) {
            return Err(GpuError::Limit {
                adapter: name,
                what: "the path tracer".into(),
                need: u64::from(need),
                limit,
                most: u64::from(most),
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
            page_shift: ROW_SHIFT
                + limits
                    .max_texture_dimension_2d
                    .ilog2()
                    .min(LARGEST_HEIGHT_SHIFT),
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
    pub(super) fn largest_buffer(&self) -> u64 {
        let most = self
            .limits
            .max_storage_buffer_binding_size
            .min(self.limits.max_buffer_size);
        1 << most.max(1).ilog2()
    }

    /// log₂ of the elements of 16 bytes that a texture holds.
    pub(super) fn page_shift(&self) -> u32 {
        self.page_shift
    }

    /// Refuses what one buffer cannot hold.
    pub(super) fn check_size(&self, what: &str, bytes: u64) -> Result<(), GpuError> {
        self.check_limit(
            what,
            bytes,
            "max_storage_buffer_binding_size",
            self.largest_buffer(),
        )
    }

    /// Refuses what one texture of records cannot hold.
    pub(super) fn check_records(&self, what: &str, bytes: u64) -> Result<(), GpuError> {
        self.check_limit(
            what,
            bytes,
            "max_texture_dimension_2d",
            16 << self.page_shift(),
        )
    }

    fn check_limit(
        &self,
        what: &str,
        bytes: u64,
        limit: &'static str,
        most: u64,
    ) -> Result<(), GpuError> {
        if bytes <= most {
            return Ok(());
        }
        Err(GpuError::Limit {
            adapter: self.adapter.name.clone(),
            what: format!("{what} (bytes)"),
            need: bytes,
            limit,
            most,
        })
    }

    /// Refuses trees that the links between nodes cannot span.
    pub(super) fn check_tree(&self, nodes: u64, items_by_slot: u64) -> Result<(), GpuError> {
        let parts = [
            ("nodes of a tree", nodes, MOST_NODES),
            (
                "a tree's places for objects",
                items_by_slot,
                MOST_ITEMS_BY_SLOT,
            ),
        ];
        match parts.into_iter().find(|(_, need, most)| need > most) {
            None => Ok(()),
            Some((what, need, most)) => Err(GpuError::Limit {
                adapter: self.adapter.name.clone(),
                what: what.into(),
                need,
                limit: "links between nodes",
                most,
            }),
        }
    }

    /// Refuses scenes that need more pages than programs can see.
    pub(super) fn check_pages(&self, geometry: u32, texels: u32) -> Result<(), GpuError> {
        let (limit, most) = most_textures(&self.limits, self.is_software());
        if geometry + texels + OWN_TEXTURES <= most {
            return Ok(());
        }
        Err(GpuError::Limit {
            adapter: self.adapter.name.clone(),
            what: format!(
                "the scene, {geometry} textures of geometry and {texels} of pictures of {} MiB,",
                (16_u64 << self.page_shift()) >> 20
            ),
            need: u64::from(geometry + texels + OWN_TEXTURES),
            limit,
            most: u64::from(most),
        })
    }

    /// A texture of elements of 16 bytes, row after row: what programs read. Unlike a buffer it is read by
    /// all lanes at once on every driver.
    pub(super) fn records<T: bytemuck::Pod>(&self, label: &str, contents: &[T]) -> wgpu::Texture {
        let bytes: &[u8] = bytemuck::cast_slice(contents);
        let elements = bytes.len().div_ceil(16).max(1) as u32;
        let width = elements.min(1 << ROW_SHIFT);
        let texture = self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size: wgpu::Extent3d {
                width,
                height: elements.div_ceil(width),
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: RECORDS,
            usage: wgpu::TextureUsages::COPY_DST
                | if self.is_software() {
                    wgpu::TextureUsages::STORAGE_BINDING
                } else {
                    wgpu::TextureUsages::TEXTURE_BINDING
                },
            view_formats: &[],
        });
        self.write_records(&texture, bytes);
        texture
    }

    /// Writes elements of 16 bytes from the first on.
    pub(super) fn write_records(&self, texture: &wgpu::Texture, bytes: &[u8]) {
        let row = texture.width() as usize * 16;
        let whole = bytes.len() / row;
        let write = |bytes: &[u8], first: usize, width: usize, height: usize| {
            self.queue.write_texture(
                wgpu::TexelCopyTextureInfo {
                    texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d {
                        x: 0,
                        y: first as u32,
                        z: 0,
                    },
                    aspect: wgpu::TextureAspect::All,
                },
                bytes,
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(row as u32),
                    rows_per_image: None,
                },
                wgpu::Extent3d {
                    width: width as u32,
                    height: height as u32,
                    depth_or_array_layers: 1,
                },
            );
        };
        if whole > 0 {
            write(&bytes[..whole * row], 0, texture.width() as usize, whole);
        }
        let rest = &bytes[whole * row..];
        if !rest.is_empty() {
            // The last element may be cut short.
            let mut padded = rest.to_vec();
            padded.resize(rest.len().next_multiple_of(16), 0);
            write(&padded, whole, padded.len() / 16, 1);
        }
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
        let steps = if self.is_software() {
            vec![pipeline("render.work", "work")]
        } else {
            vec![
                pipeline("render.trace", "trace"),
                pipeline("render.shade", "shade"),
            ]
        };
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
            steps,
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
        let records = if options.software {
            wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::ReadOnly,
                format: RECORDS,
                view_dimension: wgpu::TextureViewDimension::D2,
            }
        } else {
            wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Uint,
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            }
        };
        entries.extend((1..FIRST_PAGE + pages).map(|binding| entry(binding, records)));
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("render.scene"),
                entries: &entries,
            })
    }

    fn work_layout(&self) -> wgpu::BindGroupLayout {
        let mut entries = vec![uniform(0, size_of::<Chunk>()), storage(1, true)];
        entries.extend((2..=STORAGE_BUFFERS).map(|binding| storage(binding, false)));
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("render.work"),
                entries: &entries,
            })
    }
}

/// Textures of records that a program can see, after the name of the limit.
fn most_textures(limits: &wgpu::Limits, software: bool) -> (&'static str, u32) {
    if software {
        (
            "max_storage_textures_per_shader_stage",
            limits.max_storage_textures_per_shader_stage,
        )
    } else {
        (
            "max_sampled_textures_per_shader_stage",
            limits.max_sampled_textures_per_shader_stage,
        )
    }
}

fn keep_first(complaint: &Mutex<Option<GpuError>>, error: GpuError) {
    complaint
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(error);
}

fn entry(binding: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty,
        count: None,
    }
}

fn buffer(ty: wgpu::BufferBindingType, size: usize) -> wgpu::BindingType {
    wgpu::BindingType::Buffer {
        ty,
        has_dynamic_offset: false,
        min_binding_size: std::num::NonZeroU64::new(size as u64),
    }
}

fn uniform(binding: u32, size: usize) -> wgpu::BindGroupLayoutEntry {
    entry(binding, buffer(wgpu::BufferBindingType::Uniform, size))
}

fn storage(binding: u32, read_only: bool) -> wgpu::BindGroupLayoutEntry {
    entry(
        binding,
        buffer(wgpu::BufferBindingType::Storage { read_only }, 0),
    )
}

#[cfg(test)]
mod tests {
    //! Faults, on whatever Vulkan device there is (lavapipe in the checks). Without one the tests pass.

    use super::*;
    use crate::gpu::features::Features;
    use crate::gpu::self_test;
    use crate::{RenderError, RenderSettings, Renderer};

    fn any_gpu() -> Option<Arc<Gpu>> {
        let adapters = Adapters::find();
        let name = adapters.list().next()?.name.clone();
        Some(Gpu::open_of(&adapters, Some(&name)).unwrap())
    }

    fn renderer(gpu: &Arc<Gpu>) -> Result<Renderer, RenderError> {
        let (shot, assets) = self_test::scene();
        let settings = RenderSettings {
            samples: 2,
            full_labels: false,
            gpu: Some(gpu.clone()),
            ..RenderSettings::default()
        };
        Renderer::new(&shot, &assets, settings)
    }

    #[test]
    fn what_the_driver_reports_ends_the_frame_and_not_the_next() {
        let Some(gpu) = any_gpu() else { return };
        let adapter = gpu.adapter.name.clone();
        keep_first(
            &gpu.complaint,
            GpuError::OutOfMemory {
                adapter: adapter.clone(),
            },
        );
        let error = renderer(&gpu).unwrap_err();
        assert!(
            matches!(error, RenderError::Gpu(GpuError::OutOfMemory { .. })),
            "{error}"
        );
        assert!(error.to_string().contains(&adapter), "{error}");

        let renderer = renderer(&gpu).unwrap();
        let reason = "reset by its driver".to_owned();
        keep_first(&gpu.complaint, GpuError::Lost { adapter, reason });
        let error = renderer.render_frame(0).unwrap_err();
        assert!(
            matches!(error, RenderError::Gpu(GpuError::Lost { .. })),
            "{error}"
        );
        assert!(renderer.render_frame(0).is_ok());
    }

    #[test]
    fn a_device_that_is_gone_is_an_error() {
        let Some(gpu) = any_gpu() else { return };
        let renderer = renderer(&gpu).unwrap();
        renderer.render_frame(0).unwrap();
        gpu.device.destroy();
        let error = renderer.render_frame(0).unwrap_err();
        assert!(error.to_string().contains(&gpu.adapter.name), "{error}");
    }

    #[test]
    fn programs_that_do_not_compile_are_named() {
        let Some(gpu) = any_gpu() else { return };
        let options = ShaderOptions {
            geometry_pages: 1,
            texel_pages: 1,
            page_shift: 25,
            // An array of no elements.
            stack: 0,
            worlds: 1,
            software: false,
            features: Features::NONE,
        };
        let error = gpu.programs(&options).unwrap_err();
        assert!(
            matches!(
                error,
                GpuError::Shader {
                    shader: "the path tracer",
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains(&gpu.adapter.name), "{error}");
        assert!(
            gpu.programs(&ShaderOptions {
                stack: 8,
                ..options
            })
            .is_ok()
        );
    }

    #[test]
    fn scenes_that_are_too_large_are_refused_with_the_limit() {
        let Some(gpu) = any_gpu() else { return };
        let (limit, most) = most_textures(&gpu.limits, gpu.is_software());
        let fits = most - OWN_TEXTURES - 1;
        assert!(gpu.check_pages(fits, 1).is_ok());
        let error = gpu.check_pages(fits, 2).unwrap_err();
        let words = error.to_string();
        assert!(words.contains(limit), "{words}");
        assert!(words.contains(&gpu.adapter.name), "{words}");
        assert!(error.hint().is_some());
        let page = 16_u64 << gpu.page_shift();
        assert!(gpu.check_records("all objects", page).is_ok());
        assert!(gpu.check_records("all objects", page + 1).is_err());
        assert!(gpu.check_tree(MOST_NODES, MOST_ITEMS_BY_SLOT).is_ok());
        assert!(gpu.check_tree(MOST_NODES + 1, 0).is_err());
        let error = gpu.check_tree(0, MOST_ITEMS_BY_SLOT + 1).unwrap_err();
        let words = error.to_string();
        assert!(words.contains("objects"), "{words}");
    }

    #[test]
    fn pages_change_no_bit() {
        let Some(mut gpu) = any_gpu() else { return };
        let (mut shot, mut assets) = self_test::scene();
        let (width, height) = (128, 64);
        let image = diorama_assets::Image {
            name: "sky".into(),
            width,
            height,
            pixels: diorama_assets::Pixels::RgbF32(
                (0..width * height)
                    .map(|i| [i as f32 * 1e-4, 0.3, 2.0])
                    .collect(),
            ),
        };
        let sky = diorama_assets::EnvironmentMap {
            image,
            sun: None,
            description: String::new(),
            night: false,
        };
        assets.environments.insert("sky".into(), Arc::new(sky));
        shot.environment.asset = Some("sky".into());
        let render = |gpu: &Arc<Gpu>| {
            let settings = RenderSettings {
                samples: 4,
                full_labels: false,
                gpu: Some(gpu.clone()),
                ..RenderSettings::default()
            };
            let renderer = Renderer::new(&shot, &assets, settings).unwrap();
            renderer.render_frame(0).unwrap()
        };
        let whole = render(&gpu);
        let pages = |gpu: &Gpu| {
            let programs = gpu.programs.lock().unwrap();
            let (options, _) = programs.last().unwrap();
            [options.geometry_pages, options.texel_pages]
        };
        assert_eq!(pages(&gpu), [1, 1]);
        // A row each: the tree over the objects, the meshes; the map, its tables.
        Arc::get_mut(&mut gpu).unwrap().page_shift = ROW_SHIFT;
        let parted = render(&gpu);
        let [geometry, texels] = pages(&gpu);
        assert!(geometry >= 2 && texels >= 2, "{geometry} {texels}");
        assert_eq!(whole.rays, parted.rays);
        assert!(whole.worlds == parted.worlds);
    }
}
