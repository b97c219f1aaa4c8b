//! The path tracer: every world of a Shot from one set of paths.
//!
//! A path carries the set of worlds it stands for. The nearest hit is looked for among the instances
//! of those worlds. If that instance is in all of them they go on together; if not, the path parts:
//! the worlds that have it shade it, the others trace the same ray again without it. A shadow ray
//! returns the set of worlds in which it is blocked.
//!
//! Every random number is named by what it is for, and nothing a path decides depends on how many
//! worlds share it; so the picture of each world is, bit for bit, what a renderer that knew only
//! that world would make. Within one world the contributions of a path are added in path order,
//! whatever parted before: worlds are disjoint between the parts.

use std::ops::Range;

use glam::{Vec2, Vec3};

use super::medium::MediumStack;
use super::{PathSettings, ray};
use crate::accel::{Hit, Ray, Simd8};
use crate::kernels::camera::FilterTable;
use crate::kernels::sampler::{PixelSampler, Purpose, Sampler};
use crate::kernels::sampling::power_heuristic;
use crate::kernels::tables::Tables;
use crate::scene::FrameScene;
use crate::scene::environment::EnvironmentPlace;
use crate::scene::frame_scene::SurfacePoint;
use crate::scene::lights::{
    IncidentRadiance, LightChoice, LightContext, LightSample, crossed_lights,
};

/// Shadow rays to a point of a surface stop this share of the way before it.
pub(crate) const SHADOW_END: f32 = 1.0 - 1.0e-4;

/// Bounces before Russian roulette may end a path.
pub(crate) const ROULETTE_FROM: u32 = 1;

/// What one sample of one pixel found, per world.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WorldSample {
    /// Radiance.
    pub radiance: Vec3,
    /// Base colour of the first surface (environment: 0).
    pub albedo: Vec3,
    /// Shading normal of the first surface, world (environment: 0).
    pub normal: Vec3,
    /// Distance to the first surface along the ray; 0 for the environment.
    pub distance: f32,
    /// Index of the first instance plus one; 0 for the environment.
    pub first: u32,
}

/// Everything a path needs to go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// Which of the batch's samples it belongs to.
    pub(super) sample: u32,
    pub(super) worlds: u32,
    pub(super) origin: Vec3,
    pub(super) direction: Vec3,
    pub(super) time: f32,
    pub(super) beta: Vec3,
    pub(super) bounce: u32,
    /// pdf of the direction; infinite after a smooth lobe and at the camera.
    pub(super) pdf: f32,
    /// Where the direction was sampled, for the densities of light sampling.
    pub(super) from: LightContext,
    pub(super) media: MediumStack,
}

/// Traces samples of one frame.
#[derive(Debug)]
pub struct WorldTracer<'a> {
    /// The frame.
    pub scene: &'a FrameScene,
    /// Settings.
    pub settings: PathSettings,
    /// Pixel filter.
    pub filter: &'a FilterTable,
    /// Albedo tables.
    pub tables: &'a Tables,
}

/// Samples that [`WorldTracer::trace`] is best given at once: enough for the caches to bring what
/// one path needs while others are at work, few enough for what they need to stay in the first cache.
pub const BATCH: u32 = 32;

/// Some samples of a few pixels, traced side by side, and the buffers of the thread that does it.
///
/// Each step of a bounce is done for all paths before the next step begins: the code of one step fits
/// into the first instruction cache, as that of a whole bounce does not, and what a step reads of meshes
/// and of the environment is asked for long before it is waited for. Paths know nothing of each other,
/// so no result depends on who is in a batch.
#[derive(Debug)]
pub struct Batch {
    pub(super) found: Found,
    pub(super) samplers: Vec<Sampler>,
    /// At the bounce at hand.
    pub(super) paths: Vec<Path>,
    /// What they become after it.
    pub(super) next: Vec<Path>,
    pub(super) meetings: Vec<Meeting>,
    escapes: Vec<Escape>,
    pub(super) shadow_rays: Vec<ShadowRay>,
}

/// What the samples of a batch have found so far.
#[derive(Debug)]
pub(super) struct Found {
    /// Worlds of the first sample, of the second, ….
    samples: Vec<WorldSample>,
    world_count: usize,
    /// Bit w, by sample: it met something that tells world w from world 0.
    touched: Vec<u32>,
    rays: u64,
}

/// A path of the batch (by index) at a surface.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) path: usize,
    pub(super) hit: Hit,
    /// Of a light that is in every world, where it can be made before the surface is known.
    pub(super) choice: Option<LightChoice>,
}

/// A path of the batch (by index) that met nothing.
#[derive(Debug)]
struct Escape {
    path: usize,
    place: EnvironmentPlace,
}

/// A light sample that waits for its shadow ray.
#[derive(Debug)]
pub(super) struct ShadowRay {
    pub(super) sample: u32,
    /// Worlds of the path.
    pub(super) path_worlds: u32,
    /// To the light, in the worlds in which it exists.
    pub(super) ray: Ray,
    pub(super) light: LightSample,
    /// What radiance 1 would bring.
    pub(super) share: Vec3,
    pub(super) bounce: u32,
    /// Keeps the draws of the two groups of lights apart.
    pub(super) kind: u32,
}

impl Batch {
    /// For `world_count` worlds.
    pub fn new(world_count: usize) -> Self {
        Self {
            found: Found {
                samples: Vec::new(),
                world_count,
                touched: Vec::new(),
                rays: 0,
            },
            samplers: Vec::new(),
            paths: Vec::new(),
            next: Vec::new(),
            meetings: Vec::new(),
            escapes: Vec::new(),
            shadow_rays: Vec::new(),
        }
    }

    /// What each sample of the batch found: one entry per world.
    pub fn samples(&self) -> impl Iterator<Item = &[WorldSample]> {
        self.found.samples.chunks(self.found.world_count)
    }

    /// Bit w, for each sample of the batch: it met something that tells world w from world 0.
    pub fn touched(&self) -> &[u32] {
        &self.found.touched
    }

    /// Rays traced so far, by all batches in these buffers.
    pub fn rays(&self) -> u64 {
        self.found.rays
    }
}

impl Found {
    fn restart(&mut self, samples: usize) {
        self.samples.clear();
        self.samples
            .resize(samples * self.world_count, WorldSample::default());
        self.touched.clear();
        self.touched.resize(samples, 0);
    }

    /// The worlds of `all` part into `some` and the rest: notes who is now unlike world 0.
    #[inline(always)]
    fn part(&mut self, sample: u32, all: u32, some: u32) {
        if some != all && some != 0 {
            self.touched[sample as usize] |= if all & 1 == 0 {
                // World 0 left earlier: all of these were noted then.
                0
            } else if some & 1 == 1 {
                all & !some
            } else {
                some
            };
        }
    }

    /// Calls `change` for the entries of `worlds` of a sample.
    #[inline(always)]
    pub(super) fn each(&mut self, sample: u32, worlds: u32, change: impl Fn(&mut WorldSample)) {
        let first = sample as usize * self.world_count;
        let mut rest = worlds;
        while rest != 0 {
            change(&mut self.samples[first + rest.trailing_zeros() as usize]);
            rest &= rest - 1;
        }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, sample: u32, worlds: u32, radiance: Vec3) {
        self.each(sample, worlds, |world| world.radiance += radiance);
    }
}

impl WorldTracer<'_> {
    /// The random numbers of pixel (`column`, `row`).
    pub fn pixel(&self, column: u32, row: u32) -> PixelSampler {
        PixelSampler::new(self.settings.seed, column, row, self.settings.samples)
    }

    /// Traces some samples of each of some pixels for `worlds` (a bit each) into `batch`, one pixel's after the
    /// other's, best [`BATCH`] in all.
    #[inline(always)]
    pub fn trace<S: Simd8>(
        &self,
        simd: S,
        asked: &[(PixelSampler, Range<u32>)],
        worlds: u32,
        batch: &mut Batch,
    ) {
        let count = asked.iter().map(|(_, samples)| samples.len()).sum();
        batch.found.restart(count);
        batch.samplers.clear();
        for (pixel, samples) in asked {
            for sample in samples.clone() {
                let sampler = pixel.sample(sample);
                batch.paths.push(Path {
                    sample: batch.samplers.len() as u32,
                    worlds,
                    ..self.camera_path(pixel.column, pixel.row, &sampler)
                });
                batch.samplers.push(sampler);
            }
        }
        while !batch.paths.is_empty() {
            self.find_surfaces(simd, batch);
            self.add_environment(batch);
            self.send_for(simd, batch);
            self.shade(simd, batch);
            self.add_direct_light(simd, batch);
            batch.paths.clear();
            std::mem::swap(&mut batch.paths, &mut batch.next);
        }
    }

    #[inline(always)]
    pub(super) fn camera_path(&self, column: u32, row: u32, sampler: &Sampler) -> Path {
        let [fx, fy] = sampler.get_2d(0, Purpose::Filter);
        let position = Vec2::new(
            column as f32 + 0.5 + self.filter.offset(fx),
            row as f32 + 0.5 + self.filter.offset(fy),
        );
        let time = if self.scene.motion_blur {
            sampler.get_1d(0, Purpose::Time)
        } else {
            0.0
        };
        let lens = if self.scene.cameras[1].aperture_radius > 0.0 {
            sampler.get_2d(0, Purpose::Lens)
        } else {
            [0.0; 2]
        };
        let (origin, direction) = if self.scene.motion_blur {
            // The same linear motion as the objects': between the ends of the shutter.
            let (o0, d0) = self.scene.cameras[0].ray(position, lens);
            let (o1, d1) = self.scene.cameras[2].ray(position, lens);
            (o0.lerp(o1, time), d0.lerp(d1, time).normalize_or(d0))
        } else {
            self.scene.cameras[1].ray(position, lens)
        };
        Path {
            sample: 0,
            worlds: self.scene.all_worlds(),
            origin,
            direction,
            time,
            beta: Vec3::ONE,
            bounce: 0,
            pdf: f32::INFINITY,
            from: LightContext {
                position: origin,
                normal: direction,
                transmits: true,
            },
            media: MediumStack::default(),
        }
    }

    /// What each path meets next. Paths part here: the worlds without the instance that was met go on as a
    /// path of their own.
    #[inline(always)]
    fn find_surfaces<S: Simd8>(&self, simd: S, batch: &mut Batch) {
        let Batch {
            found,
            samplers,
            paths,
            meetings,
            escapes,
            ..
        } = batch;
        let environment = &self.scene.fixed.environment;
        meetings.clear();
        escapes.clear();
        let mut index = 0;
        while index < paths.len() {
            let path = &mut paths[index];
            let sampler = &samplers[path.sample as usize];
            let segment = ray(
                path.origin,
                path.direction,
                f32::INFINITY,
                path.time,
                path.worlds,
            );
            let bounce = path.bounce;
            let hit = self.scene.tlas.intersect(simd, &segment, |c: &Hit| {
                self.present(c, sampler, bounce, 0)
            });
            found.rays += 1;
            let here = match &hit {
                Some(hit) => self.scene.instances[hit.instance as usize].worlds & path.worlds,
                None => path.worlds,
            };
            let others = path.worlds & !here;
            if others != 0 {
                found.part(path.sample, path.worlds, here);
                path.worlds = here;
            }
            if bounce > 0 {
                let distance = hit.as_ref().map_or(f32::INFINITY, |h| h.t);
                self.add_crossed_lights(path, distance, found);
            }
            if let Some(hit) = hit {
                self.scene.prefetch(simd, &hit);
                meetings.push(Meeting {
                    path: index,
                    hit,
                    choice: None,
                });
            } else {
                let place = environment.place(path.direction);
                environment.prefetch(simd, &place);
                escapes.push(Escape { path: index, place });
            }
            if others != 0 {
                let rest = Path {
                    worlds: others,
                    ..*path
                };
                paths.push(rest);
            }
            index += 1;
        }
    }

    /// Adds what the paths that met nothing bring.
    #[inline(always)]
    fn add_environment(&self, batch: &mut Batch) {
        for Escape { path, place } in &batch.escapes {
            let path = &batch.paths[*path];
            let contribution = self.environment_contribution(path, place);
            self.add_met(&mut batch.found, path, contribution);
        }
    }

    /// Adds what a path's ray has met.
    #[inline(always)]
    pub(super) fn add_met(&self, found: &mut Found, path: &Path, contribution: Vec3) {
        let scattered_before = path.bounce.saturating_sub(1);
        let contribution = self.settings.clamp(contribution, scattered_before);
        found.add(path.sample, path.worlds, contribution);
    }

    /// Asks the caches for more of what [`Self::shade`] will read.
    #[inline(always)]
    fn send_for<S: Simd8>(&self, simd: S, batch: &mut Batch) {
        let environment = &self.scene.fixed.environment;
        let lights = &self.scene.shared_lights;
        for Meeting { path, hit, choice } in &mut batch.meetings {
            self.scene.prefetch_next(simd, hit);
            let path = &batch.paths[*path];
            let sampler = &batch.samplers[path.sample as usize];
            *choice =
                lights.choose_only(environment, || sampler.get_2d(path.bounce, Purpose::Light));
            if let Some(choice) = choice {
                lights.prefetch(simd, environment, choice);
            }
        }
    }

    /// Adds the light samples that nothing is in the way of, in the worlds in which nothing is.
    #[inline(always)]
    fn add_direct_light<S: Simd8>(&self, simd: S, batch: &mut Batch) {
        let found = &mut batch.found;
        for shadow in &batch.shadow_rays {
            let sampler = &batch.samplers[shadow.sample as usize];
            let blocked = self
                .scene
                .tlas
                .blocked_worlds(simd, &shadow.ray, |c: &Hit| {
                    self.present(c, sampler, shadow.bounce, shadow.kind)
                });
            found.rays += 1;
            let lit = shadow.ray.worlds & !blocked;
            if lit == 0 {
                continue;
            }
            let contribution = shadow.share * self.light_radiance(&shadow.light, shadow.ray.time);
            if contribution == Vec3::ZERO {
                continue;
            }
            // Lit in some of the path's worlds only: by what blocks it, or by where the light exists.
            found.part(shadow.sample, shadow.path_worlds, lit);
            found.add(
                shadow.sample,
                lit,
                self.settings.clamp(contribution, shadow.bounce),
            );
        }
    }

    /// Is the surface at a candidate hit there for this sample? Keyed by (object, primitive).
    #[inline(always)]
    pub(super) fn present(
        &self,
        candidate: &Hit,
        sampler: &Sampler,
        bounce: u32,
        light: u32,
    ) -> bool {
        let alpha = self.scene.alpha(
            candidate.instance,
            candidate.primitive,
            [candidate.u, candidate.v],
        );
        if alpha >= 1.0 {
            return true;
        }
        let id = self.scene.instances[candidate.instance as usize].id;
        alpha > 0.0 && sampler.alpha(bounce, id, candidate.primitive, light) < alpha
    }

    /// What a path that meets nothing brings, weighed against light sampling.
    #[inline(always)]
    pub(super) fn environment_contribution(&self, path: &Path, place: &EnvironmentPlace) -> Vec3 {
        let environment = &self.scene.fixed.environment;
        let (radiance, pdf) = environment.radiance_and_pdf(place);
        let weight = if path.pdf == f32::INFINITY || environment.is_black() {
            1.0
        } else {
            // The environment is the shared group's first light when it is not black.
            let choice = self.scene.shared_lights.choice_probability(0, &path.from);
            power_heuristic(path.pdf, choice * pdf)
        };
        path.beta * radiance * weight
    }

    /// Suns, spheres and rectangles that the path's ray runs through. They block nothing, and the
    /// camera does not see them (as in Blender).
    #[inline(always)]
    fn add_crossed_lights(&self, path: &Path, distance: f32, found: &mut Found) {
        for group in [&self.scene.shared_lights, &self.scene.other_lights] {
            crossed_lights(
                group,
                path.origin,
                path.direction,
                distance,
                |index, radiance, pdf, t| {
                    let worlds = group.lights[index].worlds & path.worlds;
                    if worlds == 0 {
                        return;
                    }
                    found.part(path.sample, path.worlds, worlds);
                    let weight = if path.pdf == f32::INFINITY {
                        1.0
                    } else {
                        power_heuristic(path.pdf, pdf * group.choice_probability(index, &path.from))
                    };
                    let attenuation = if t.is_finite() {
                        path.media.transmittance(t)
                    } else {
                        Vec3::ONE
                    };
                    let contribution = path.beta * attenuation * radiance * weight;
                    found.add(
                        path.sample,
                        worlds,
                        self.settings.clamp(contribution, path.bounce - 1),
                    );
                },
            );
        }
    }

    /// What an emitting surface that a path met brings, weighed against light sampling.
    #[inline(always)]
    pub(super) fn emission_contribution(
        &self,
        path: &Path,
        point: &SurfacePoint<'_>,
        emission_weight: Vec3,
        distance: f32,
    ) -> Vec3 {
        let emission = point
            .material
            .emission(&self.scene.fixed.textures, &point.coordinates);
        if emission == Vec3::ZERO {
            return emission;
        }
        let weight = if path.pdf == f32::INFINITY {
            1.0
        } else {
            let cos = point.geometric_normal.dot(path.direction);
            // A mesh is in one group only: the other returns 0.
            let light_pdf =
                self.scene
                    .shared_lights
                    .mesh_pdf(point.instance, distance, cos, &path.from)
                    + self
                        .scene
                        .other_lights
                        .mesh_pdf(point.instance, distance, cos, &path.from);
            power_heuristic(path.pdf, light_pdf)
        };
        path.beta * emission * emission_weight * weight
    }

    /// Radiance of a light sample, looked up where it has to be.
    #[inline(always)]
    pub(super) fn light_radiance(&self, light: &LightSample, time: f32) -> Vec3 {
        let (instance, primitive, barycentrics) = match light.radiance {
            IncidentRadiance::Known(radiance) => return radiance,
            IncidentRadiance::Environment(place) => {
                return self.scene.fixed.environment.radiance_of(place);
            }
            IncidentRadiance::Surface {
                instance,
                primitive,
                barycentrics,
            } => (instance, primitive, barycentrics),
        };
        let point = self
            .scene
            .surface(instance, primitive, barycentrics, -light.wi, time);
        let emission = point
            .material
            .emission(&self.scene.fixed.textures, &point.coordinates);
        if emission == Vec3::ZERO {
            return emission;
        }
        // Presence in the mean instead of by a draw: paths that hit it make the draw.
        let alpha = self.scene.alpha(instance, primitive, barycentrics);
        let values = point.values(self.scene);
        let bsdf = point.bsdf(&values, -light.wi, self.tables);
        emission * Vec3::from(bsdf.emission_weight) * alpha
    }
}
