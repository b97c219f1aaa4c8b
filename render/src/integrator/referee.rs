//! The canonical integrator: one world, one path at a time, nothing shared. Slow and plain on
//! purpose; the world tracer must agree with it bit for bit.
//!
//! It shares the kernels (BSDF, lights, sampler) and the scene, but not the loop: intersections are
//! found by testing every instance by itself, and contributions are added where they arise.

use glam::Vec3;

use super::ray;
use super::shading::{direct_share, ray_to_light, scatter_numbers};
use super::worlds::WorldTracer;
use crate::accel::{Hit, Ray, Simd8};
use crate::kernels::sampler::{Purpose, Sampler};
use crate::kernels::sampling::power_heuristic;
use crate::scene::lights::crossed_lights;

impl WorldTracer<'_> {
    /// Radiance of world `world` for one sample of one pixel.
    pub fn referee<S: Simd8>(
        &self,
        simd: S,
        world: u32,
        column: u32,
        row: u32,
        sample: u32,
    ) -> Vec3 {
        let bit = 1u32 << world;
        let sampler = self.pixel(column, row).sample(sample);
        let mut path = self.camera_path(column, row, &sampler);
        let mut radiance = Vec3::ZERO;
        for bounce in 0..=self.settings.max_bounces {
            let segment = ray(path.origin, path.direction, f32::INFINITY, path.time, bit);
            let hit = self.nearest_by_instance(simd, &segment, &sampler, bounce);
            let distance = hit.map_or(f32::INFINITY, |h| h.t);
            let earlier = bounce.saturating_sub(1);
            if bounce > 0 {
                for group in [&self.scene.shared_lights, &self.scene.other_lights] {
                    crossed_lights(
                        group,
                        path.origin,
                        path.direction,
                        distance,
                        |index, l, pdf, t| {
                            if group.lights[index].worlds & bit != 0 {
                                let weight = if path.pdf == f32::INFINITY {
                                    1.0
                                } else {
                                    power_heuristic(
                                        path.pdf,
                                        pdf * group.choice_probability(index, &path.from),
                                    )
                                };
                                let attenuation = if t.is_finite() {
                                    path.media.transmittance(t)
                                } else {
                                    Vec3::ONE
                                };
                                radiance += self
                                    .settings
                                    .clamp(path.beta * attenuation * l * weight, earlier);
                            }
                        },
                    );
                }
            }
            let Some(hit) = hit else {
                let place = self.scene.fixed.environment.place(path.direction);
                radiance += self
                    .settings
                    .clamp(self.environment_contribution(&path, &place), earlier);
                return radiance;
            };
            path.beta *= path.media.transmittance(distance);
            let wo = -path.direction;
            let point = self.scene.surface_of(&hit, wo, path.time);
            let bsdf = point.bsdf(&point.values(self.scene), wo, self.tables);
            let weight = bsdf.emission_weight.into();
            let emitted = self.emission_contribution(&path, &point, weight, distance);
            radiance += self.settings.clamp(emitted, earlier);
            if bounce == self.settings.max_bounces {
                return radiance;
            }
            if bsdf.has_density {
                let at = point.light_context();
                for (group, purpose, kind) in [
                    (&self.scene.shared_lights, Purpose::Light, 1),
                    (&self.scene.other_lights, Purpose::OtherLight, 2),
                ] {
                    let environment = &self.scene.fixed.environment;
                    let Some(light) = group
                        .choose(environment, &at, sampler.get_2d(bounce, purpose))
                        .and_then(|choice| group.sample(simd, environment, &at, &choice))
                    else {
                        continue;
                    };
                    if group.lights[light.light].worlds & bit == 0 {
                        continue;
                    }
                    let (value, density) = bsdf.eval(light.wi);
                    let contribution = direct_share(&path, &point, &light, value, density)
                        * self.light_radiance(&light, path.time);
                    let shadow = ray_to_light(&point, &light, path.time, bit);
                    let blocked = (0..self.scene.instances.len()).any(|i| {
                        let there = |c: &Hit| self.present(c, &sampler, bounce, kind);
                        self.scene.instances[i].worlds & bit != 0
                            && self
                                .scene
                                .tlas
                                .intersect_instance(simd, i as u32, &shadow, there)
                                .is_some()
                    });
                    if !blocked {
                        radiance += self.settings.clamp(contribution, bounce);
                    }
                }
            }
            let [u, v, u_interface] = scatter_numbers(&path, &point, &sampler);
            let next = bsdf
                .sample([u, v], u_interface)
                .and_then(|sample| self.continued(&path, &point, &sample, &sampler));
            let Some(next) = next else {
                return radiance;
            };
            path = next;
        }
        radiance
    }

    fn nearest_by_instance<S: Simd8>(
        &self,
        simd: S,
        ray: &Ray,
        sampler: &Sampler,
        bounce: u32,
    ) -> Option<Hit> {
        let mut nearest: Option<Hit> = None;
        for (i, instance) in self.scene.instances.iter().enumerate() {
            if instance.worlds & ray.worlds == 0 {
                continue;
            }
            let there = |c: &Hit| self.present(c, sampler, bounce, 0);
            if let Some(hit) = self
                .scene
                .tlas
                .intersect_instance(simd, i as u32, ray, there)
                && nearest.is_none_or(|n| hit.t < n.t)
            {
                nearest = Some(hit);
            }
        }
        nearest
    }
}
