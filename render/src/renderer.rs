//! Shot in, Frames out.

use std::sync::Arc;

use diorama_assets::AssetSource;
use diorama_synth::frame::{Frame, Labels, Plane, SecondLayer, WorldImage};
use diorama_synth::shot::{Camera, Exposure, Shot};
use glam::Vec3;
use rayon::prelude::*;

use crate::RenderError;
use crate::accel::{Isa, Kernel, Simd8};
use crate::denoise::{DenoiseInput, join_worlds};
use crate::denoiser::{Denoise, Denoiser};
use crate::film::Pixel;
use crate::gpu::{Gpu, GpuScene, TracedFrame};
use crate::integrator::PathSettings;
use crate::integrator::blocks::{Block, TraceBlock};
use crate::integrator::counts::BLOCK;
use crate::integrator::labels::{LabelPixel, LabelTracer};
use crate::integrator::visibility::VisibilityTracer;
use crate::integrator::worlds::WorldTracer;
use crate::kernels::camera::FilterTable;
use crate::kernels::sampler::combine;
use crate::kernels::tables::{Tables, tables};
use crate::scene::{FrameScene, StaticScene};
use crate::view::display_plane;

/// Log-mean luminance that automatic exposure aims at: photography's middle grey.
const MIDDLE_GREY: f32 = 0.18;
/// Luminance below which a pixel counts as this much, so that black ones do not pull the log-mean to −∞.
const DARKEST: f32 = 1.0e-4;

/// What to render and how well.
#[derive(Debug, Clone)]
pub struct RenderSettings {
    /// Samples per pixel, ≥ 1 (default 128); the most where there is a noise threshold.
    pub samples: u32,
    /// See [`PathSettings::noise_threshold`] (default 0).
    pub noise_threshold: f32,
    /// Longest path in bounces (default 20).
    pub max_bounces: u32,
    /// See [`PathSettings::clamp_indirect`].
    pub clamp_indirect: f32,
    /// Denoiser of the display pictures; radiance planes stay as traced.
    pub denoise: Denoise,
    /// A noise pattern of its own for every frame. Off: still pictures stay still, as with Blender's
    /// fixed seed.
    pub animate_noise: bool,
    /// Name of the camera; `None`: the first.
    pub camera: Option<String>,
    /// Also fill flow, occlusion and amodal counts.
    pub full_labels: bool,
    /// Trace light on this GPU instead of the CPU. The same adapter and driver give the same bytes;
    /// others, and the CPU, the same picture but for roundings. Labels come from the CPU always.
    pub gpu: Option<Arc<Gpu>>,
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            samples: 128,
            noise_threshold: 0.0,
            max_bounces: 20,
            clamp_indirect: 0.0,
            denoise: Denoise::None,
            animate_noise: false,
            camera: None,
            full_labels: true,
            gpu: None,
        }
    }
}

/// A compiled Shot.
#[derive(Debug)]
pub struct Renderer {
    shot: Arc<Shot>,
    camera: Camera,
    fixed: Arc<StaticScene>,
    settings: RenderSettings,
    isa: Isa,
    denoiser: Denoiser,
    filter: FilterTable,
    tables: &'static Tables,
    on_gpu: Option<GpuScene>,
}

/// Traces the label rays of a row.
struct LabelRow<'a> {
    tracer: LabelTracer<'a>,
    row: u32,
    width: u32,
    objects: u32,
    worlds: usize,
    full: bool,
}

/// One row of label pixels, every world's instances (first surface and second layer) and a bit per
/// (object, column) of amodal cover.
struct LabelledRow {
    pixels: Vec<LabelPixel>,
    instances: Vec<Vec<[u32; 2]>>,
    alone: Vec<Vec<bool>>,
}

impl Kernel for LabelRow<'_> {
    type Output = LabelledRow;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> LabelledRow {
        let columns = 0..self.width;
        let pixels: Vec<LabelPixel> = columns
            .clone()
            .map(|c| self.tracer.pixel(simd, c, self.row, self.full))
            .collect();
        let instances = (0..self.worlds)
            .map(|w| match w {
                // The world that the pixels are of.
                0 => pixels.iter().map(LabelPixel::instances).collect(),
                _ => columns
                    .clone()
                    .map(|c| self.tracer.instances_in_world(simd, c, self.row, w))
                    .collect(),
            })
            .collect();
        let objects = if self.full { self.objects } else { 0 };
        let alone = (0..objects)
            .map(|o| {
                columns
                    .clone()
                    .map(|c| self.tracer.covers_alone(simd, c, self.row, o))
                    .collect()
            })
            .collect();
        LabelledRow {
            pixels,
            instances,
            alone,
        }
    }
}

impl Renderer {
    /// Compiles `shot`: loads its assets and builds their trees.
    ///
    /// # Errors
    /// A missing asset or camera, an instruction set or a denoiser that is not there, a scene that is too
    /// large for the GPU.
    pub fn new(
        shot: &Shot,
        assets: &dyn AssetSource,
        settings: RenderSettings,
    ) -> Result<Self, RenderError> {
        let isa = Isa::detect().map_err(|e| RenderError::InstructionSet(e.to_string()))?;
        let camera = match &settings.camera {
            None => shot.cameras.first(),
            Some(name) => shot.cameras.iter().find(|c| c.name == *name),
        }
        .ok_or_else(|| RenderError::NoCamera {
            name: settings.camera.clone().unwrap_or_default(),
            known: shot
                .cameras
                .iter()
                .map(|c| c.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })?
        .clone();
        let tables = tables();
        let fixed = Arc::new(StaticScene::new(shot, assets)?);
        let denoiser = Denoiser::new(settings.denoise)?;
        let filter = FilterTable::blackman_harris();
        let on_gpu = match &settings.gpu {
            None => None,
            Some(gpu) => Some(GpuScene::new(gpu.clone(), &fixed, tables, &filter)?),
        };
        Ok(Self {
            denoiser,
            shot: Arc::new(shot.clone()),
            camera,
            fixed,
            settings,
            isa,
            filter,
            tables,
            on_gpu,
        })
    }

    /// Instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The Shot being rendered.
    pub fn shot(&self) -> &Arc<Shot> {
        &self.shot
    }

    /// Fixes the exposure, normally after [`Self::automatic_exposure`].
    pub fn set_exposure(&mut self, ev: f32) {
        Arc::make_mut(&mut self.shot).exposure = Exposure::Ev(ev);
    }

    /// Stops that bring the log-mean luminance of `frame` (full world) to middle grey.
    pub fn automatic_exposure(frame: &Frame) -> f32 {
        libm::log2f(MIDDLE_GREY) - frame.log2_mean_luminance
    }

    /// The frame's scene; for tests and benches.
    pub fn frame_scene(&self, frame: i64) -> FrameScene {
        FrameScene::new(&self.shot, &self.camera, self.fixed.clone(), frame)
    }

    /// Answers what is seen at any image position of frame `frame`, by label rays.
    pub fn visibility(&self, frame: i64) -> VisibilityTracer {
        VisibilityTracer::new(self.unblurred_scene(frame), self.isa)
    }

    /// The frame's scene at the shutter's centre.
    fn unblurred_scene(&self, frame: i64) -> FrameScene {
        let still = Camera {
            shutter: 0.0,
            ..self.camera.clone()
        };
        FrameScene::new(&self.shot, &still, self.fixed.clone(), frame)
    }

    /// The tracer of one frame's scene.
    pub fn tracer<'a>(&'a self, scene: &'a FrameScene, frame: u32) -> WorldTracer<'a> {
        let noise = if self.settings.animate_noise {
            frame
        } else {
            0
        };
        let seed = combine(
            combine(self.shot.seed as u32, (self.shot.seed >> 32) as u32),
            noise,
        );
        WorldTracer {
            scene,
            settings: PathSettings {
                samples: self.settings.samples.max(1),
                noise_threshold: self.settings.noise_threshold,
                white: match self.shot.exposure {
                    Exposure::Ev(ev) => libm::exp2f(-ev),
                    Exposure::Auto => 1.0,
                },
                max_bounces: self.settings.max_bounces,
                clamp_indirect: self.settings.clamp_indirect,
                seed,
            },
            filter: &self.filter,
            tables: self.tables,
        }
    }

    /// Renders everything of frame `index`.
    ///
    /// # Errors
    /// The denoiser or the GPU fails.
    pub fn render_frame(&self, index: u32) -> Result<Frame, RenderError> {
        let [width, height] = self.shot.resolution;
        let mut frame = self.label_frame(index);
        let scene = self.frame_scene(i64::from(index));
        let TracedFrame {
            worlds,
            touched,
            coverage,
            rays,
        } = match &self.on_gpu {
            Some(gpu) => gpu.trace(&self.tracer(&scene, index), self.shot.resolution)?,
            None => self.trace_on_cpu(&scene, index),
        };
        frame.rays = rays;
        frame.coverage = plane(width, height, coverage.into_iter());
        frame.worlds = worlds
            .iter()
            .enumerate()
            .map(|(w, pixels)| WorldImage {
                radiance: plane(width, height, pixels.iter().map(|p| p.radiance)),
                touched: plane(
                    width,
                    height,
                    touched.iter().map(|bits| {
                        u8::from(if w == 0 {
                            *bits != 0
                        } else {
                            bits >> w & 1 == 1
                        })
                    }),
                ),
                denoised: Plane::default(),
                display: Plane::default(),
            })
            .collect();
        frame.log2_mean_luminance = log2_mean_luminance(&frame.worlds[0].radiance.data);
        self.finish_displays(&mut frame, &worlds)?;
        Ok(frame)
    }

    fn trace_on_cpu(&self, scene: &FrameScene, index: u32) -> TracedFrame {
        let [width, height] = self.shot.resolution;
        let tracer = self.tracer(scene, index);
        let across = width.div_ceil(BLOCK);
        let pixels_of = |index: u32| {
            let (column, row) = (index % across * BLOCK, index / across * BLOCK);
            (
                column..width.min(column + BLOCK),
                row..height.min(row + BLOCK),
            )
        };
        let blocks: Vec<Block> = (0..across * height.div_ceil(BLOCK))
            .into_par_iter()
            .map(|index| {
                let (columns, rows) = pixels_of(index);
                self.isa.dispatch(TraceBlock {
                    tracer: &tracer,
                    columns,
                    rows,
                })
            })
            .collect();
        let count = width as usize * height as usize;
        let mut frame = TracedFrame {
            worlds: vec![vec![Pixel::default(); count]; scene.world_count],
            touched: vec![0; count],
            coverage: vec![Vec3::ZERO; count],
            rays: blocks.iter().map(|b| b.rays).sum(),
        };
        for (index, block) in (0..).zip(&blocks) {
            let (columns, rows) = pixels_of(index);
            for (line, row) in rows.enumerate() {
                let from = line * columns.len()..(line + 1) * columns.len();
                let start = row as usize * width as usize + columns.start as usize;
                let to = start..start + columns.len();
                for (pixels, traced) in frame.worlds.iter_mut().zip(&block.pixels) {
                    pixels[to.clone()].copy_from_slice(&traced[from.clone()]);
                }
                frame.touched[to.clone()].copy_from_slice(&block.touched[from.clone()]);
                frame.coverage[to].copy_from_slice(&block.coverage[from]);
            }
        }
        frame
    }

    /// Denoises every world by itself, joins them where they are equal, and takes them through
    /// exposure and view.
    fn finish_displays(&self, frame: &mut Frame, worlds: &[Vec<Pixel>]) -> Result<(), RenderError> {
        let [width, height] = self.shot.resolution;
        let scale = match self.shot.exposure {
            Exposure::Ev(ev) => libm::exp2f(ev),
            Exposure::Auto => libm::exp2f(Self::automatic_exposure(frame)),
        };
        let mut clean: Vec<Plane<Vec3>> = Vec::with_capacity(worlds.len());
        for pixels in worlds {
            clean.push(Plane {
                width,
                height,
                data: self.denoiser.run(&guides(pixels, width, height).input())?,
            });
        }
        if self.denoiser.spreads()
            && let Some((full, others)) = clean.split_first_mut()
        {
            let touched: Vec<&Plane<u8>> = frame.worlds[1..].iter().map(|w| &w.touched).collect();
            join_worlds(full, others, &touched);
        }
        for (image, world) in clean.into_iter().zip(&mut frame.worlds) {
            world.display = display_plane(self.shot.view, scale, &image);
            if self.denoiser.spreads() {
                world.denoised = image;
            }
        }
        Ok(())
    }

    /// Only the label passes of frame `index`: no light is traced, `worlds` stays empty.
    pub fn label_frame(&self, index: u32) -> Frame {
        let [width, height] = self.shot.resolution;
        let full = self.settings.full_labels;
        let scene = |f: i64| self.unblurred_scene(f);
        let center = i64::from(index);
        let now = scene(center);
        // Only flow asks for them.
        let neighbours = full.then(|| [scene(center + 1), scene(center - 1)]);
        let [next, previous] = match &neighbours {
            Some([next, previous]) => [next, previous],
            None => [&now; 2],
        };
        let tracer = LabelTracer {
            now: &now,
            next,
            previous,
        };
        let objects = self.shot.objects.len() as u32;
        let worlds = now.world_count;
        let rows: Vec<LabelledRow> = (0..height)
            .into_par_iter()
            .map(|row| {
                self.isa.dispatch(LabelRow {
                    tracer,
                    row,
                    width,
                    objects,
                    worlds,
                    full,
                })
            })
            .collect();
        let mut frame = Frame {
            index,
            ..Frame::default()
        };
        frame.labels = labels(width, height, &rows);
        let instances_of_worlds = |layer: usize| {
            (0..worlds)
                .map(|w| {
                    let ids = rows
                        .iter()
                        .flat_map(|r| r.instances[w].iter().map(|i| i[layer]));
                    plane(width, height, ids)
                })
                .collect()
        };
        frame.instance_of_world = instances_of_worlds(0);
        frame.second_instance_of_world = instances_of_worlds(1);
        for object in 0..objects {
            let visible = rows
                .iter()
                .map(|r| r.pixels.iter().map(move |p| p.object == object + 1));
            let (pixels, bounds) = count(visible);
            frame.visible_pixels.push(pixels);
            frame.visible_box.push(bounds);
            let (pixels, bounds) = if full {
                count(
                    rows.iter()
                        .map(|r| r.alone[object as usize].iter().copied()),
                )
            } else {
                (0, None)
            };
            frame.amodal_pixels.push(pixels);
            frame.amodal_box.push(bounds);
        }
        frame
    }
}

/// A world's pixels as the planes that denoisers read.
struct Guides {
    width: usize,
    height: usize,
    color: Vec<Vec3>,
    variance: Vec<Vec3>,
    albedo: Vec<Vec3>,
    normal: Vec<Vec3>,
    depth: Vec<f32>,
    feature_variance: Vec<Vec3>,
}

fn guides(pixels: &[Pixel], width: u32, height: u32) -> Guides {
    let gather = |f: fn(&Pixel) -> Vec3| pixels.iter().map(f).collect();
    Guides {
        width: width as usize,
        height: height as usize,
        color: gather(|p| p.radiance),
        variance: gather(|p| p.variance),
        albedo: gather(|p| p.albedo),
        normal: gather(|p| p.normal),
        depth: pixels.iter().map(|p| p.distance).collect(),
        feature_variance: gather(|p| p.feature_variance),
    }
}

impl Guides {
    fn input(&self) -> DenoiseInput<'_> {
        DenoiseInput {
            width: self.width,
            height: self.height,
            color: &self.color,
            variance: &self.variance,
            albedo: &self.albedo,
            normal: &self.normal,
            depth: &self.depth,
            feature_variance: &self.feature_variance,
        }
    }
}

/// Number of set pixels and the box `[x_min, y_min, x_max, y_max)` around them.
fn count(rows: impl Iterator<Item = impl Iterator<Item = bool>>) -> (u32, Option<[u32; 4]>) {
    let mut pixels = 0;
    let mut bounds: Option<[u32; 4]> = None;
    for (y, row) in rows.enumerate() {
        for (x, set) in row.enumerate() {
            if set {
                let (x, y) = (x as u32, y as u32);
                pixels += 1;
                let b = bounds.get_or_insert([x, y, x + 1, y + 1]);
                *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1), b[3].max(y + 1)];
            }
        }
    }
    (pixels, bounds)
}

fn plane<T>(width: u32, height: u32, values: impl Iterator<Item = T>) -> Plane<T> {
    Plane {
        width,
        height,
        data: values.collect(),
    }
}

fn labels(width: u32, height: u32, rows: &[LabelledRow]) -> Labels {
    fn gather<T>(
        width: u32,
        height: u32,
        rows: &[LabelledRow],
        f: impl Fn(&LabelPixel) -> T,
    ) -> Plane<T> {
        plane(
            width,
            height,
            rows.iter().flat_map(|r| r.pixels.iter()).map(f),
        )
    }
    Labels {
        instance: gather(width, height, rows, |p| p.instance),
        depth: gather(width, height, rows, |p| p.depth),
        distance: gather(width, height, rows, |p| p.distance),
        normal: gather(width, height, rows, |p| p.normal),
        normal_geometric: gather(width, height, rows, |p| p.normal_geometric),
        albedo: gather(width, height, rows, |p| p.albedo),
        uv: gather(width, height, rows, |p| p.uv),
        surface: gather(width, height, rows, |p| p.surface),
        flow_forward: gather(width, height, rows, |p| p.flow_forward),
        flow_backward: gather(width, height, rows, |p| p.flow_backward),
        occlusion: gather(width, height, rows, |p| p.occlusion),
        second: SecondLayer {
            instance: gather(width, height, rows, |p| p.second.instance),
            distance: gather(width, height, rows, |p| p.second.distance),
            normal: gather(width, height, rows, |p| p.second.normal),
            surface: gather(width, height, rows, |p| p.second.surface),
            transmittance: gather(width, height, rows, |p| p.second.transmittance),
        },
    }
}

fn log2_mean_luminance(radiance: &[Vec3]) -> f32 {
    let weights = Vec3::new(0.2126, 0.7152, 0.0722);
    let sum: f64 = radiance
        .iter()
        .map(|c| libm::log2(f64::from(c.dot(weights).max(DARKEST))))
        .sum();
    (sum / radiance.len() as f64) as f32
}
