//! Frames traced on a GPU.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use glam::Vec3;

use super::GpuError;
use super::device::{Gpu, Programs};
use super::features::Features;
use super::layout::{
    Chunk, Found, Frame, HitState, InstanceRecord, MediaState, PathState, PixelRecord, ShadowState,
    SlotState, Sums,
};
use super::pages::{GeometryPages, pages_of, upload_pages};
use super::pixels::{PixelsInWork, chunks};
use super::shaders::{FIRST_PAGE, ShaderOptions, WORKGROUP};
use super::upload::frame::{UpperTree, frame, instances};
use super::upload::lights::Lights;
use super::upload::materials::materials;
use super::upload::texels::{EnvironmentTexels, Texels};
use crate::film::{Pixel, RUNS, run_length};
use crate::integrator::PathSettings;
use crate::integrator::counts::{BLOCK, worlds_unlike_first};
use crate::integrator::worlds::{WorldSample, WorldTracer};
use crate::kernels::camera::FilterTable;
use crate::kernels::sampler::PixelSampler;
use crate::kernels::tables::Tables;
use crate::scene::StaticScene;

/// Pixels that hardware traces at once: enough to fill the largest.
const HARDWARE_SLOTS: u32 = 1 << 18;
/// Pixels that a processor in disguise traces at once.
const SOFTWARE_SLOTS: u32 = 1 << 16;
/// Dispatches in one submission: on hardware steps, on a processor in disguise many steps each.
const HARDWARE_STEPS: u32 = 8;
const SOFTWARE_STEPS: u32 = 1;
/// How long a callback of a finished submission may take.
const CALLBACK: Duration = Duration::from_secs(10);
/// Submissions on their way: the device has the next when one ends.
const IN_FLIGHT: usize = 3;

/// A scene on a GPU.
#[derive(Debug)]
pub(crate) struct GpuScene {
    gpu: Arc<Gpu>,
    /// Of one frame at a time: bodies and the tree over all objects change from frame to frame.
    geometry: Mutex<GeometryPages>,
    texels: Vec<wgpu::Texture>,
    materials: wgpu::Texture,
    textures: wgpu::Texture,
    tables: wgpu::Texture,
    environment: Option<EnvironmentTexels>,
    features: Features,
}

/// What was traced of a frame.
pub(crate) struct TracedFrame {
    /// For each world its pixels, row by row.
    pub(crate) worlds: Vec<Vec<Pixel>>,
    /// Bit w: some sample met something that tells world w from world 0.
    pub(crate) touched: Vec<u32>,
    /// Share of samples of each role.
    pub(crate) coverage: Vec<Vec3>,
    /// Rays.
    pub(crate) rays: u64,
}

/// The buffers that paths live in while a chunk is traced.
struct Work {
    slots: wgpu::Buffer,
    runs: wgpu::Buffer,
    working: wgpu::Buffer,
    /// Start from zeros in each chunk.
    cleared: Vec<wgpu::Buffer>,
    others: Vec<wgpu::Buffer>,
    capacity: u32,
}

/// Results on their way to the host.
struct Readback {
    buffer: wgpu::Buffer,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
    submission: wgpu::SubmissionIndex,
}

/// What all chunks of a frame are traced with.
struct Tracing<'a> {
    programs: &'a Programs,
    scene: &'a wgpu::BindGroup,
    work: &'a Work,
    settings: &'a PathSettings,
    width: u32,
    worlds: usize,
}

impl GpuScene {
    /// Uploads what stays the same over the clip.
    ///
    /// # Errors
    /// The scene is larger than the device can hold.
    pub(crate) fn new(
        gpu: Arc<Gpu>,
        scene: &StaticScene,
        albedos: &Tables,
        filter: &FilterTable,
    ) -> Result<Self, GpuError> {
        let texels = Texels::new(scene);
        let texel_pages = pages_of(&gpu, texels.words.len() / 4);
        let geometry = GeometryPages::new(&gpu, scene, texel_pages)?;
        let (materials, textures) = materials(scene, &texels);
        let uploaded = Self {
            features: Features::of_scene(&materials, &geometry.meshes, &texels),
            materials: gpu.records("render.scene.materials", &materials),
            textures: gpu.records("render.scene.textures", &textures),
            tables: gpu.records(
                "render.scene.tables",
                &super::tables::values(albedos, filter),
            ),
            geometry: Mutex::new(geometry),
            texels: upload_pages(&gpu, "texels", bytemuck::cast_slice(&texels.words)),
            environment: texels.environment,
            gpu,
        };
        uploaded.gpu.check()?;
        Ok(uploaded)
    }

    /// Traces all pixels of a frame.
    ///
    /// # Errors
    /// The device fails or is too small.
    pub(crate) fn trace(
        &self,
        tracer: &WorldTracer<'_>,
        [width, height]: [u32; 2],
    ) -> Result<TracedFrame, GpuError> {
        let gpu = &self.gpu;
        let (scene, settings) = (tracer.scene, &tracer.settings);
        let worlds = scene.world_count as u32;
        // A thread that panicked left it whole: what a frame has of its own is written anew.
        let mut geometry = self.geometry.lock().unwrap_or_else(PoisonError::into_inner);
        let own = geometry.of_frame(gpu, scene)?;
        let instances = instances(scene, &own.meshes);
        let upper = UpperTree::new(scene, &instances, &own.meshes);
        let nodes = upper.nodes().max(own.bodies.nodes);
        gpu.check_tree(nodes, u64::from(upper.items))?;
        let lights = Lights::new(scene, &own.meshes);
        let programs = gpu.programs(&ShaderOptions {
            geometry_pages: geometry.pages.len() as u32,
            texel_pages: self.texels.len() as u32,
            page_shift: gpu.page_shift(),
            // A level of a mesh leaves one entry behind, one of the upper tree two. Rounded up, so that
            // frames with trees of about the same depth share their programs.
            stack: (geometry.depth.max(own.bodies.depth) + 2 * upper.depth + 2).next_multiple_of(8),
            worlds,
            software: gpu.is_software(),
            features: self.features.with_frame(scene, &lights.lights, &upper),
        })?;
        geometry.write(gpu, own, &upper)?;
        let frame = frame(scene, settings, &upper, self.environment);
        let scene_group =
            self.scene_group(&programs, &frame, &instances, &lights, &geometry.pages)?;
        let work = Work::new(&self.gpu, worlds, width * height)?;

        let mut traced = TracedFrame {
            worlds: vec![vec![Pixel::default(); (width * height) as usize]; worlds as usize],
            touched: vec![0; (width * height) as usize],
            coverage: vec![Vec3::ZERO; (width * height) as usize],
            rays: 0,
        };
        let tracing = Tracing {
            programs: &programs,
            scene: &scene_group,
            work: &work,
            settings,
            width,
            worlds: scene.world_count,
        };
        let mut before: Option<(PixelsInWork, Readback)> = None;
        for chunk in chunks(tracer, [width, height], work.capacity as usize) {
            let first = self.start(&tracing, &chunk, 0)?;
            // While the device traced this chunk, the last one's results came.
            if let Some((before, readback)) = before.replace((chunk, first)) {
                self.finish(&tracing, before, readback, &mut traced)?;
            }
        }
        if let Some((before, readback)) = before {
            self.finish(&tracing, before, readback, &mut traced)?;
        }
        Ok(traced)
    }

    fn scene_group(
        &self,
        programs: &Programs,
        frame: &Frame,
        instances: &[InstanceRecord],
        lights: &Lights,
        geometry: &[wgpu::Texture],
    ) -> Result<wgpu::BindGroup, GpuError> {
        let gpu = &self.gpu;
        for (what, bytes) in [
            ("all objects", size_of_val(instances)),
            ("all emitting triangles", size_of_val(&*lights.emitters)),
        ] {
            gpu.check_records(what, bytes as u64)?;
        }
        let usage = wgpu::BufferUsages::UNIFORM;
        let frame = gpu.filled("render.frame", std::slice::from_ref(frame), usage);
        let instances = gpu.records("render.frame.instances", instances);
        let emitters = gpu.records("render.frame.emitters", &lights.emitters);
        let lights = gpu.records("render.frame.lights", &lights.lights);
        gpu.check()?;
        let own = [
            &instances,
            &self.materials,
            &self.textures,
            &lights,
            &emitters,
            &self.tables,
        ];
        debug_assert_eq!(own.len() + 1, FIRST_PAGE as usize);
        let views: Vec<wgpu::TextureView> = own
            .into_iter()
            .chain(geometry)
            .chain(&self.texels)
            .map(|texture| texture.create_view(&wgpu::TextureViewDescriptor::default()))
            .collect();
        let views = views.iter().map(wgpu::BindingResource::TextureView);
        Ok(gpu.bind_group(
            "render.scene",
            &programs.scene_layout,
            std::iter::once(frame.as_entire_binding()).chain(views),
        ))
    }

    /// Traces the samples of some pixels from number `from` on, and starts to fetch the results.
    fn start(
        &self,
        tracing: &Tracing<'_>,
        chunk: &PixelsInWork,
        from: u32,
    ) -> Result<Readback, GpuError> {
        let gpu = &self.gpu;
        let Tracing {
            programs,
            work,
            settings,
            width,
            worlds,
            ..
        } = *tracing;
        let count = chunk.pixels.len() as u32;
        let header = Chunk {
            slots: count,
            width,
            first_sample: from,
            unused: 0,
        };
        let header = gpu.filled("render.work.chunk", &[header], wgpu::BufferUsages::UNIFORM);
        let records = chunk.pixels.iter().map(|&pixel| {
            let (column, row) = (pixel % width, pixel / width);
            let sampler = PixelSampler::new(settings.seed, column, row, settings.samples);
            let [picture_seed, first, pixel_seed] = sampler.words();
            bytemuck::cast(PixelRecord {
                pixel,
                picture_seed,
                first,
                pixel_seed,
            })
        });
        let counts = chunk.counts.chunks(worlds).flat_map(|counts| {
            let row = |counts: &[u32]| [0, 1, 2, 3].map(|w| counts.get(w).copied().unwrap_or(0));
            counts.chunks(4).map(row)
        });
        let list: Vec<[u32; 4]> = records.chain(counts).collect();
        let list = gpu.filled("render.work.pixels", &list, wgpu::BufferUsages::STORAGE);
        let work_group = gpu.bind_group(
            "render.work",
            &programs.work_layout,
            [&header, &list]
                .into_iter()
                .chain(&work.others)
                .map(wgpu::Buffer::as_entire_binding),
        );
        let groups = count.div_ceil(WORKGROUP);
        let mut encoder = gpu.encoder("render.start");
        for buffer in &work.cleared {
            encoder.clear_buffer(buffer, 0, None);
        }
        {
            let mut pass = compute_pass(&mut encoder, "render.start");
            pass.set_bind_group(0, tracing.scene, &[]);
            pass.set_bind_group(1, &work_group, &[]);
            if let Some(last) = programs.steps.last() {
                pass.set_pipeline(last);
                pass.dispatch_workgroups(groups, 1, 1);
            }
        }
        gpu.queue.submit([encoder.finish()]);

        let steps = if gpu.is_software() {
            SOFTWARE_STEPS
        } else {
            HARDWARE_STEPS
        };
        let mut flying: VecDeque<Counter> = VecDeque::new();
        loop {
            let mut encoder = gpu.encoder("render.steps");
            for last in [false, true] {
                if last {
                    encoder.clear_buffer(&work.working, 0, None);
                }
                let mut pass = compute_pass(&mut encoder, "render.steps");
                pass.set_bind_group(0, tracing.scene, &[]);
                pass.set_bind_group(1, &work_group, &[]);
                for _ in 0..if last { 1 } else { steps - 1 } {
                    for program in &programs.steps {
                        pass.set_pipeline(program);
                        pass.dispatch_workgroups(groups, 1, 1);
                    }
                }
            }
            flying.push_back(Counter::submit(gpu, encoder, &work.working));
            if flying.len() < IN_FLIGHT {
                continue;
            }
            if let Some(oldest) = flying.pop_front()
                && oldest.read(gpu)? == 0
            {
                break;
            }
        }
        let mut encoder = gpu.encoder("render.results");
        let slot_bytes = u64::from(count) * size_of::<SlotState>() as u64;
        let run_bytes = u64::from(count * worlds as u32 * RUNS) * size_of::<Found>() as u64;
        let buffer = gpu.buffer(
            "render.results",
            slot_bytes + run_bytes,
            wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        );
        encoder.copy_buffer_to_buffer(&work.slots, 0, &buffer, 0, slot_bytes);
        encoder.copy_buffer_to_buffer(&work.runs, 0, &buffer, slot_bytes, run_bytes);
        let submission = gpu.queue.submit([encoder.finish()]);
        let mapped = map(&buffer);
        gpu.check()?;
        Ok(Readback {
            buffer,
            mapped,
            submission,
        })
    }

    /// Takes a chunk's results into the frame, after more samples where the first ones ask for them.
    fn finish(
        &self,
        tracing: &Tracing<'_>,
        mut chunk: PixelsInWork,
        readback: Readback,
        traced: &mut TracedFrame,
    ) -> Result<(), GpuError> {
        let worlds = tracing.worlds;
        self.fetch(readback, &mut chunk, worlds, 0, traced)?;
        if let Some(pilot) = chunk.ask_for_more(tracing.settings) {
            let readback = self.start(tracing, &chunk, pilot)?;
            self.fetch(readback, &mut chunk, worlds, pilot, traced)?;
        }
        let results = chunk.counts.chunks(worlds).zip(chunk.sums.chunks(worlds));
        for (&pixel, (counts, sums)) in chunk.pixels.iter().zip(results) {
            let pixel = pixel as usize;
            traced.touched[pixel] |= worlds_unlike_first(counts);
            traced.coverage[pixel] /= counts[0] as f32;
            for (pixels, sums) in traced.worlds.iter_mut().zip(sums) {
                pixels[pixel] = sums.finish();
            }
        }
        Ok(())
    }

    /// Adds what was traced from sample `from` on to the sums of pixels.
    fn fetch(
        &self,
        readback: Readback,
        chunk: &mut PixelsInWork,
        worlds: usize,
        from: u32,
        traced: &mut TracedFrame,
    ) -> Result<(), GpuError> {
        let gpu = &self.gpu;
        gpu.wait(readback.submission, &readback.mapped)?;
        let view = readback
            .buffer
            .get_mapped_range(..)
            .map_err(|error| gpu.internal(error))?;
        let count = chunk.pixels.len();
        let split = count * size_of::<SlotState>();
        let slots: &[SlotState] = bytemuck::cast_slice(&view[..split]);
        let end = split + count * worlds * RUNS as usize * size_of::<Found>();
        let runs: &[Found] = bytemuck::cast_slice(&view[split..end]);
        for (slot, (state, &pixel)) in slots.iter().zip(&chunk.pixels).enumerate() {
            let pixel = pixel as usize;
            traced.touched[pixel] |= state.touched;
            traced.coverage[pixel] +=
                Vec3::from([state.background, state.keep, state.remove].map(|n| n as f32));
            traced.rays += u64::from(state.rays);
            for world in 0..worlds {
                let at = slot * worlds + world;
                let (samples, sums) = (chunk.counts[at], &mut chunk.sums[at]);
                let length = run_length(samples);
                for run in 0..RUNS {
                    let first = (run * length).max(from);
                    let end = ((run + 1) * length).min(samples);
                    if first < end {
                        let sum = &runs[(run as usize * worlds + world) * count + slot];
                        sums.add_summed(&world_sample(sum), end - first);
                    }
                }
            }
        }
        Ok(())
    }
}

fn world_sample(sum: &Found) -> WorldSample {
    WorldSample {
        radiance: Vec3::from(sum.radiance),
        albedo: Vec3::from(sum.albedo),
        normal: Vec3::from(sum.normal),
        distance: sum.distance,
        first: 0,
    }
}

/// A count of the pixels that still work, on its way to the host.
struct Counter {
    buffer: wgpu::Buffer,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
    submission: wgpu::SubmissionIndex,
}

impl Counter {
    fn submit(gpu: &Gpu, mut encoder: wgpu::CommandEncoder, working: &wgpu::Buffer) -> Self {
        let buffer = gpu.buffer(
            "render.counter",
            4,
            wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        );
        encoder.copy_buffer_to_buffer(working, 0, &buffer, 0, 4);
        let submission = gpu.queue.submit([encoder.finish()]);
        Self {
            mapped: map(&buffer),
            buffer,
            submission,
        }
    }

    fn read(self, gpu: &Gpu) -> Result<u32, GpuError> {
        gpu.wait(self.submission, &self.mapped)?;
        let view = self
            .buffer
            .get_mapped_range(..)
            .map_err(|error| gpu.internal(error))?;
        Ok(bytemuck::pod_read_unaligned(&view[..4]))
    }
}

fn map(buffer: &wgpu::Buffer) -> Receiver<Result<(), wgpu::BufferAsyncError>> {
    let (send, receive) = sync_channel(1);
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        // Nobody waits any more where the frame has failed.
        let _ = send.send(result);
    });
    receive
}

fn compute_pass<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    label: &'static str,
) -> wgpu::ComputePass<'a> {
    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
        label: Some(label),
        timestamp_writes: None,
    })
}

impl Work {
    /// For chunks of at most `pixels` pixels, and as many as the device can hold.
    fn new(gpu: &Gpu, worlds: u32, pixels: u32) -> Result<Self, GpuError> {
        let most = if gpu.is_software() {
            SOFTWARE_SLOTS
        } else {
            HARDWARE_SLOTS
        };
        let largest = [
            size_of::<PathState>() as u64 * u64::from(worlds),
            size_of::<Found>() as u64 * u64::from(worlds * RUNS),
            size_of::<Sums>() as u64 * u64::from(worlds),
            2 * size_of::<ShadowState>() as u64,
        ]
        .into_iter()
        .max()
        .unwrap_or(1);
        gpu.check_size("a block of pixels", largest * u64::from(BLOCK * BLOCK))?;
        let capacity = (gpu.largest_buffer() / largest)
            .min(u64::from(most))
            .min(u64::from(pixels.max(1))) as u32;
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let buffer = |label: &str, size: usize, each: u32| {
            gpu.buffer(
                label,
                size as u64 * u64::from(each) * u64::from(capacity),
                usage,
            )
        };
        let slots = buffer("render.work.slots", size_of::<SlotState>(), 1);
        let paths = buffer("render.work.paths", size_of::<PathState>(), worlds);
        let media = buffer("render.work.media", size_of::<MediaState>(), worlds);
        let shadows = buffer("render.work.shadows", size_of::<ShadowState>(), 2);
        let hits = buffer("render.work.hits", size_of::<HitState>(), 1);
        let found = buffer("render.work.found", size_of::<Found>(), worlds);
        let sums = buffer("render.work.sums", size_of::<Sums>(), worlds);
        let runs = buffer("render.work.runs", size_of::<Found>(), worlds * RUNS);
        let working = gpu.buffer("render.work.working", 4, usage);
        gpu.check()?;
        Ok(Self {
            slots: slots.clone(),
            runs: runs.clone(),
            working: working.clone(),
            cleared: vec![slots.clone(), shadows.clone(), found.clone(), sums.clone()],
            others: vec![
                slots, paths, media, shadows, hits, found, sums, runs, working,
            ],
            capacity,
        })
    }
}

impl Gpu {
    fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }

    fn bind_group<'a>(
        &self,
        label: &str,
        layout: &wgpu::BindGroupLayout,
        resources: impl Iterator<Item = wgpu::BindingResource<'a>>,
    ) -> wgpu::BindGroup {
        let entries: Vec<wgpu::BindGroupEntry<'_>> = resources
            .enumerate()
            .map(|(binding, resource)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource,
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout,
            entries: &entries,
        })
    }

    /// Waits for a submission and the buffer that it filled.
    fn wait(
        &self,
        submission: wgpu::SubmissionIndex,
        mapped: &Receiver<Result<(), wgpu::BufferAsyncError>>,
    ) -> Result<(), GpuError> {
        let polled = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: None,
        });
        // What the driver says itself says more.
        self.check()?;
        polled.map_err(|error| self.internal(error))?;
        // The callback may run in another thread that polls.
        match mapped.recv_timeout(CALLBACK) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.internal(error)),
            Err(error) => Err(self.internal(error)),
        }
    }
}
