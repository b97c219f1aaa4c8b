//! What happens where paths meet surfaces: light that is sent there, light that shines there, and the way on.
//!
//! Eight meetings at a time. What a BSDF says is found side by side ([`Lanes`]); what is read from meshes,
//! textures and lights, and what depends on worlds, is found one by one.

use std::ops::Range;

use arrayvec::ArrayVec;
use glam::Vec3;

use super::ray;
use super::worlds::{Batch, Meeting, Path, ROULETTE_FROM, SHADOW_END, ShadowRay, WorldTracer};
use crate::accel::{Ray, Simd8, offset_origin};
use crate::kernels::bsdf::{Bsdf, BsdfSample, SurfaceValues};
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::safe_sqrt;
use crate::kernels::real::Real as _;
use crate::kernels::sampler::{Purpose, Sampler};
use crate::kernels::sampling::power_heuristic;
use crate::kernels::vector::Vector3;
use crate::scene::frame_scene::SurfacePoint;
use crate::scene::lights::{IncidentRadiance, LightChoice, LightSample};

/// A path's meeting with a surface, ready for the BSDF.
struct Shaded<'a> {
    /// Index in the batch.
    path: usize,
    /// Of the surface along the path's ray.
    distance: f32,
    /// Towards where the path comes from.
    wo: Vec3,
    point: SurfacePoint<'a>,
    values: SurfaceValues,
    /// Of a light that is in every world.
    choice: Option<LightChoice>,
}

/// Number `k` of each lane.
#[inline(always)]
fn column<S: Simd8>(simd: S, numbers: &[[f32; 3]; LANES], k: usize) -> Lanes<S> {
    Lanes::from_lanes(
        simd,
        #[inline(always)]
        |lane| numbers[lane][k],
    )
}

/// Where a shadow ray to a light at `distance` ends.
#[inline(always)]
fn shadow_length(distance: f32) -> f32 {
    if distance.is_finite() {
        distance * SHADOW_END
    } else {
        f32::INFINITY
    }
}

impl WorldTracer<'_> {
    /// Scatters the paths that met a surface, and chooses the light samples of these.
    #[inline(always)]
    pub(super) fn shade<S: Simd8>(&self, simd: S, batch: &mut Batch) {
        batch.shadow_rays.clear();
        for first in (0..batch.meetings.len()).step_by(LANES) {
            let end = batch.meetings.len().min(first + LANES);
            self.shade_together(simd, batch, first..end);
        }
    }

    /// [`Self::shade`] for one to [`LANES`] meetings.
    #[inline(always)]
    fn shade_together<S: Simd8>(&self, simd: S, batch: &mut Batch, meetings: Range<usize>) {
        let mut shaded = ArrayVec::<Shaded<'_>, LANES>::new();
        for index in meetings {
            shaded.push(self.reach(simd, batch, index));
        }
        // Lanes without a meeting do what the first one does; nobody asks them.
        let mut lanes = [&shaded[0]; LANES];
        for (lane, shaded) in lanes.iter_mut().zip(&shaded) {
            *lane = shaded;
        }
        let mut bsdf = Bsdf::<Lanes<S>>::from_lanes(
            simd,
            #[inline(always)]
            |lane| {
                let shaded = lanes[lane];
                shaded.point.seen(&shaded.values, shaded.wo)
            },
            self.tables,
        );
        if shaded.iter().any(|s| s.point.is_bumped()) {
            bsdf = bsdf.over(
                Vector3::from_lanes(
                    simd,
                    #[inline(always)]
                    |lane| lanes[lane].point.mapped_normal,
                ),
                Vector3::from_lanes(
                    simd,
                    #[inline(always)]
                    |lane| lanes[lane].point.smooth_normal,
                ),
            );
        }
        self.add_surfaces(batch, &shaded, bsdf.emission_weight.to_array());
        if shaded.iter().any(|shaded| self.scatters(batch, shaded)) {
            self.send_to_lights(simd, batch, &shaded, &bsdf);
            self.send_on(simd, batch, &shaded, &bsdf);
        }
    }

    /// The path has bounces left.
    #[inline(always)]
    fn scatters(&self, batch: &Batch, shaded: &Shaded<'_>) -> bool {
        batch.paths[shaded.path].bounce < self.settings.max_bounces
    }

    /// Chooses light samples, and the shadow rays of those that may bring something.
    #[inline(always)]
    fn send_to_lights<S: Simd8>(
        &self,
        simd: S,
        batch: &mut Batch,
        shaded: &[Shaded<'_>],
        bsdf: &Bsdf<Lanes<S>>,
    ) {
        let has_density = bsdf.has_density.bits();
        for kind in [1, 2] {
            let mut lights = [None; LANES];
            for (lane, shaded) in shaded.iter().enumerate() {
                if self.scatters(batch, shaded) && has_density >> lane & 1 == 1 {
                    lights[lane] = self.light_for(simd, batch, shaded, kind);
                }
            }
            if lights.iter().all(Option::is_none) {
                continue;
            }
            let (values, densities) = bsdf.evaluate(Vector3::from_lanes(
                simd,
                #[inline(always)]
                |lane| lights[lane].map_or(Vec3::Z, |light: LightSample| light.wi),
            ));
            let (values, densities) = (values.to_array(), densities.to_array());
            for (lane, (shaded, light)) in shaded.iter().zip(lights).enumerate() {
                let Some(light) = light else { continue };
                let path = &batch.paths[shaded.path];
                let point = &shaded.point;
                let share = direct_share(path, point, &light, values[lane], densities[lane]);
                if share != Vec3::ZERO {
                    let worlds = self.worlds_of(&light, path, kind);
                    batch.shadow_rays.push(ShadowRay {
                        sample: path.sample,
                        path_worlds: path.worlds,
                        ray: ray_to_light(point, &light, path.time, worlds),
                        light,
                        share,
                        bounce: path.bounce,
                        kind,
                    });
                }
            }
        }
    }

    /// Scatters the paths.
    #[inline(always)]
    fn send_on<S: Simd8>(
        &self,
        simd: S,
        batch: &mut Batch,
        shaded: &[Shaded<'_>],
        bsdf: &Bsdf<Lanes<S>>,
    ) {
        let mut numbers = [[0.5; 3]; LANES];
        for (numbers, shaded) in numbers.iter_mut().zip(shaded) {
            let path = &batch.paths[shaded.path];
            let sampler = &batch.samplers[path.sample as usize];
            *numbers = scatter_numbers(path, &shaded.point, sampler);
        }
        let sample = bsdf.scatter(
            [column(simd, &numbers, 0), column(simd, &numbers, 1)],
            column(simd, &numbers, 2),
        );
        let (valid, transmitted) = (sample.valid.bits(), sample.transmitted.bits());
        let (wi, weight) = (sample.wi.to_array(), sample.weight.to_array());
        let pdf = sample.pdf.to_array();
        for (lane, shaded) in shaded.iter().enumerate() {
            if valid >> lane & 1 == 1 && self.scatters(batch, shaded) {
                let sample = BsdfSample {
                    wi: wi[lane],
                    weight: weight[lane],
                    pdf: pdf[lane],
                    transmitted: transmitted >> lane & 1 == 1,
                };
                let path = &batch.paths[shaded.path];
                let sampler = &batch.samplers[path.sample as usize];
                let next = self.continued(path, &shaded.point, &sample, sampler);
                batch.next.extend(next);
            }
        }
    }

    /// The surface of meeting `index`.
    #[inline(always)]
    fn reach<S: Simd8>(&self, simd: S, batch: &mut Batch, index: usize) -> Shaded<'_> {
        let environment = &self.scene.fixed.environment;
        let lights = &self.scene.shared_lights;
        let Meeting { path, hit, choice } = &batch.meetings[index];
        let index = *path;
        if let Some(choice) = choice {
            lights.prefetch_next(simd, environment, choice);
        }
        let path = &mut batch.paths[index];
        path.beta *= path.media.transmittance(hit.t);
        let wo = -path.direction;
        let point = self.scene.surface_of(hit, wo, path.time);
        let choice = choice.or_else(|| {
            let sampler = &batch.samplers[path.sample as usize];
            let u = sampler.get_2d(path.bounce, Purpose::Light);
            let choice = lights.choose(environment, &point.light_context(), u)?;
            lights.prefetch(simd, environment, &choice);
            Some(choice)
        });
        Shaded {
            path: index,
            distance: hit.t,
            wo,
            values: point.values(self.scene),
            point,
            choice,
        }
    }

    /// Notes first surfaces, and adds what surfaces emit.
    #[inline(always)]
    fn add_surfaces(
        &self,
        batch: &mut Batch,
        shaded: &[Shaded<'_>],
        emission_weights: [Vec3; LANES],
    ) {
        for (shaded, emission_weight) in shaded.iter().zip(emission_weights) {
            let path = &batch.paths[shaded.path];
            let point = &shaded.point;
            if path.bounce == 0 {
                batch.found.each(path.sample, path.worlds, |world| {
                    world.albedo = shaded.values.base_color;
                    world.normal = point.normal;
                    world.distance = shaded.distance;
                    world.first = point.instance + 1;
                });
            }
            if point.material.emissive {
                let contribution =
                    self.emission_contribution(path, point, emission_weight, shaded.distance);
                self.add_met(&mut batch.found, path, contribution);
            }
        }
    }

    /// A light sample of the group in every world (kind 1) or of the other (kind 2), where it may bring something.
    #[inline(always)]
    fn light_for<S: Simd8>(
        &self,
        simd: S,
        batch: &Batch,
        shaded: &Shaded<'_>,
        kind: u32,
    ) -> Option<LightSample> {
        let environment = &self.scene.fixed.environment;
        let path = &batch.paths[shaded.path];
        let at = shaded.point.light_context();
        let light = if kind == 1 {
            let choice = shaded.choice.as_ref()?;
            self.scene
                .shared_lights
                .sample(simd, environment, &at, choice)?
        } else {
            let group = &self.scene.other_lights;
            if group.lights.is_empty() {
                return None;
            }
            let sampler = &batch.samplers[path.sample as usize];
            let u = sampler.get_2d(path.bounce, Purpose::OtherLight);
            group.sample(simd, environment, &at, &group.choose(environment, &at, u)?)?
        };
        let is_black = matches!(light.radiance, IncidentRadiance::Known(Vec3::ZERO));
        (!is_black && self.worlds_of(&light, path, kind) != 0).then_some(light)
    }

    /// Worlds of a path in which a light exists.
    #[inline(always)]
    fn worlds_of(&self, light: &LightSample, path: &Path, kind: u32) -> u32 {
        let group = if kind == 1 {
            &self.scene.shared_lights
        } else {
            &self.scene.other_lights
        };
        group.lights[light.light].worlds & path.worlds
    }

    /// The path after it was scattered at `point`; `None` when it ends.
    #[inline(always)]
    pub(super) fn continued(
        &self,
        path: &Path,
        point: &SurfacePoint<'_>,
        sample: &BsdfSample,
        sampler: &Sampler,
    ) -> Option<Path> {
        let bounce = path.bounce;
        let mut beta = path.beta * sample.weight;
        let largest = beta.max_element();
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        if bounce >= ROULETTE_FROM {
            // The square root keeps darkened paths alive longer: less noise behind tinted glass.
            let keep = safe_sqrt(largest).min(1.0);
            if sampler.get_1d(bounce, Purpose::Roulette) >= keep {
                return None;
            }
            beta /= keep;
        }
        let mut media = path.media;
        if sample.transmitted && point.material.has_inside {
            let id = self.scene.instances[point.instance as usize].id;
            if point.entering {
                media.enter(id, point.material.absorption);
            } else {
                media.leave(id);
            }
        }
        Some(Path {
            sample: path.sample,
            worlds: path.worlds,
            origin: offset_origin(
                point.position,
                point.error,
                point.geometric_normal,
                sample.wi,
            ),
            direction: sample.wi,
            time: path.time,
            beta,
            bounce: bounce + 1,
            pdf: sample.pdf,
            from: point.light_context(),
            media,
        })
    }
}

/// The numbers that [`Bsdf::scatter`] wants: two for the direction, one for what an interface does.
#[inline(always)]
pub(super) fn scatter_numbers(
    path: &Path,
    point: &SurfacePoint<'_>,
    sampler: &Sampler,
) -> [f32; 3] {
    let [u, v] = sampler.get_2d(path.bounce, Purpose::Direction);
    let u_interface = if point.material.transmits {
        sampler.get_1d(path.bounce, Purpose::Interface)
    } else {
        0.0
    };
    [u, v, u_interface]
}

impl Path {
    /// Share of a light sample's radiance left by absorption between the surface and the light.
    #[inline(always)]
    fn media_towards(&self, point: &SurfacePoint<'_>, light: &LightSample) -> Vec3 {
        // Behind the surface the path would have changed medium; shadow rays are blocked by glass
        // anyway, so only the same side can carry light.
        if light.wi.dot(point.geometric_normal) > 0.0 {
            self.media.transmittance(light.distance)
        } else {
            Vec3::ONE
        }
    }
}

/// From a surface to the point of a light, less a little at both ends.
#[inline(always)]
pub(super) fn ray_to_light(
    point: &SurfacePoint<'_>,
    light: &LightSample,
    time: f32,
    worlds: u32,
) -> Ray {
    let from = offset_origin(
        point.position,
        point.error,
        point.geometric_normal,
        light.wi,
    );
    ray(from, light.wi, shadow_length(light.distance), time, worlds)
}

/// What a light sample of radiance 1 would bring if nothing were in between, weighed against BSDF
/// sampling; `value` and `density` are the BSDF's for it.
#[inline(always)]
pub(super) fn direct_share(
    path: &Path,
    point: &SurfacePoint<'_>,
    light: &LightSample,
    value: Vec3,
    density: f32,
) -> Vec3 {
    if value == Vec3::ZERO {
        return value;
    }
    let weight = if light.delta {
        1.0
    } else {
        power_heuristic(light.pdf, density)
    };
    let attenuation = if light.distance.is_finite() {
        path.media_towards(point, light)
    } else {
        Vec3::ONE
    };
    path.beta * attenuation * value * (weight / light.pdf)
}
