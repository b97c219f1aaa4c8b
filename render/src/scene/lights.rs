//! Lights: which one to sample, where on it, and the density of having done so.
//!
//! Lights that exist in every world form one group, all others a second one. Each group is sampled
//! on its own, with multiple importance sampling inside the group: removing a light that is in some
//! worlds only can then never change a number of the lights that all worlds share.

use diorama_synth::shot::{Light, LightKind, WorldSet};
use glam::Vec3;

use super::environment::{Environment, EnvironmentRow};
use crate::accel::Simd8;
use crate::kernels::math::{INV_PI, TWO_PI, safe_sqrt, sin_cos, sqr};
use crate::kernels::sampling::{rest_of_choice, uniform_cone, uniform_triangle};

/// What the choice of a light may look at: the point being lit.
#[derive(Debug, Clone, Copy)]
pub struct LightContext {
    /// World.
    pub position: Vec3,
    /// Shading normal on the viewer's side.
    pub normal: Vec3,
    /// Light from behind the surface matters too.
    pub transmits: bool,
}

/// A mesh that emits, in world space of one frame.
#[derive(Debug)]
pub struct MeshLight {
    /// Instance index in the frame.
    pub instance: u32,
    /// Emitting triangles' indices in the mesh, ascending.
    pub primitives: Vec<u32>,
    /// World vertices of each emitting triangle.
    pub corners: Vec<[Vec3; 3]>,
    /// Cumulative area, normalised; one entry more than triangles.
    cumulative: Vec<f32>,
    /// Total area, m².
    area: f32,
    center: Vec3,
    radius: f32,
}

impl MeshLight {
    /// From the emitting triangles of one instance; `None` when they have no area.
    pub fn new(instance: u32, primitives: Vec<u32>, corners: Vec<[Vec3; 3]>) -> Option<Self> {
        let mut cumulative = vec![0f32];
        let mut total = 0f64;
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for [a, b, c] in &corners {
            total += f64::from(0.5 * (*b - *a).cross(*c - *a).length());
            cumulative.push(total as f32);
            low = low.min(*a).min(*b).min(*c);
            high = high.max(*a).max(*b).max(*c);
        }
        if !(total > 0.0 && total.is_finite()) {
            return None;
        }
        for value in &mut cumulative {
            *value /= total as f32;
        }
        Some(Self {
            instance,
            primitives,
            corners,
            cumulative,
            area: total as f32,
            center: (low + high) * 0.5,
            radius: (high - low).length() * 0.5,
        })
    }

    /// Mean projected area over all directions of a closed surface, m²: intensity per radiance.
    pub fn projected_area(&self) -> f32 {
        0.25 * self.area
    }

    /// Cumulative share of the area, one entry more than triangles.
    pub(crate) fn cumulative(&self) -> &[f32] {
        &self.cumulative
    }

    /// m².
    pub(crate) fn area(&self) -> f32 {
        self.area
    }

    /// Centre and radius of the box around it.
    pub(crate) fn sphere(&self) -> (Vec3, f32) {
        (self.center, self.radius)
    }

    /// Density per m² of [`LightGroup::sample`]'s points: uniform over the area.
    fn density(&self) -> f32 {
        1.0 / self.area
    }
}

/// The shape of a light.
#[derive(Debug)]
pub enum Shape {
    /// The environment map or constant.
    Environment,
    /// Distant disc (radiance inside a cone) or, with `one_minus_cos` 0, a direction.
    Sun {
        /// Towards the sun.
        direction: Vec3,
        /// 1 − cos of the half angle.
        one_minus_cos: f32,
    },
    /// Sphere, or a point when `radius` is 0; limited to a cone when `cone` is given.
    Point {
        /// World.
        position: Vec3,
        /// Metres.
        radius: f32,
        /// Spot limits.
        cone: Option<Cone>,
    },
    /// One-sided rectangle.
    Area {
        /// Centre, world.
        position: Vec3,
        /// Half side vectors, world.
        half_sides: [Vec3; 2],
        /// Direction it shines to.
        direction: Vec3,
    },
    /// Emitting triangles.
    Mesh(MeshLight),
}

/// Limits of a spot.
#[derive(Debug, Clone, Copy)]
pub struct Cone {
    /// Unit, where it shines.
    pub(crate) direction: Vec3,
    pub(crate) cos_outer: f32,
    /// 1/(width of the soft edge in cosine).
    pub(crate) sharpness: f32,
}

impl Cone {
    fn attenuation(&self, from_light: Vec3) -> f32 {
        let t =
            ((from_light.dot(self.direction) - self.cos_outer) * self.sharpness).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }
}

/// One light of a frame.
#[derive(Debug)]
pub struct SceneLight {
    /// Worlds it exists in.
    pub worlds: u32,
    /// Shape.
    pub shape: Shape,
    /// Radiance of its surface; for points without size the intensity in W/sr, for a sun without
    /// size the irradiance. Unused for environment and meshes (they are looked up).
    pub radiance: Vec3,
    /// Rough irradiance scale for the choice: irradiance (distant) or intensity in W/sr (local).
    pub power: f32,
}

fn brightness(c: Vec3) -> f32 {
    (c.x + c.y + c.z) * (1.0 / 3.0)
}

impl SceneLight {
    /// The light of a Shot at one instant (`pose` already evaluated).
    pub fn new(light: &Light, pose: &diorama_synth::shot::Pose, worlds: u32) -> Self {
        let direction = pose.rotation * Vec3::NEG_Z;
        match &light.kind {
            LightKind::Sun(sun) => {
                let half = 0.5 * sun.angular_diameter_rad.max(0.0);
                let (sin, _) = sin_cos(half);
                let (sin_quarter, _) = sin_cos(0.5 * half);
                // 1 − cos x = 2 sin²(x/2), without cancellation.
                let one_minus_cos = 2.0 * sqr(sin_quarter);
                let irradiance = Vec3::from(sun.irradiance);
                let radiance = if one_minus_cos > 0.0 {
                    irradiance * INV_PI / sqr(sin)
                } else {
                    irradiance
                };
                Self {
                    worlds,
                    shape: Shape::Sun {
                        direction: -direction,
                        one_minus_cos,
                    },
                    radiance,
                    power: brightness(irradiance),
                }
            }
            LightKind::Point { watts, radius } => {
                Self::point(Vec3::from(*watts), *radius, pose.position, None, worlds)
            }
            LightKind::Spot {
                watts,
                radius,
                outer_half_angle_rad,
                blend,
            } => {
                let (_, cos_outer) = sin_cos(*outer_half_angle_rad);
                let sharpness = 1.0 / ((1.0 - cos_outer) * blend).max(1e-5);
                let cone = Cone {
                    direction,
                    cos_outer,
                    sharpness,
                };
                Self::point(
                    Vec3::from(*watts),
                    *radius,
                    pose.position,
                    Some(cone),
                    worlds,
                )
            }
            LightKind::Area { watts, size } => {
                let area = (size[0] * size[1]).max(1e-12);
                let radiance = Vec3::from(*watts) * INV_PI / area;
                let half_sides = [
                    pose.rotation * Vec3::X * (0.5 * size[0]),
                    pose.rotation * Vec3::Y * (0.5 * size[1]),
                ];
                Self {
                    worlds,
                    shape: Shape::Area {
                        position: pose.position,
                        half_sides,
                        direction,
                    },
                    radiance,
                    power: brightness(radiance) * area,
                }
            }
        }
    }

    fn point(watts: Vec3, radius: f32, position: Vec3, cone: Option<Cone>, worlds: u32) -> Self {
        let intensity = watts * (0.25 * INV_PI);
        // Radiance of the sphere whose projected disc gives that intensity.
        let radiance = if radius > 0.0 {
            intensity * INV_PI / sqr(radius)
        } else {
            intensity
        };
        Self {
            worlds,
            shape: Shape::Point {
                position,
                radius: radius.max(0.0),
                cone,
            },
            radiance,
            power: brightness(intensity),
        }
    }

    /// Weight of this light in the choice for a point being lit.
    #[inline(always)]
    fn choice_weight(&self, at: &LightContext) -> f32 {
        let local = |center: Vec3, radius: f32| {
            let d = center - at.position;
            let distance2 = d.length_squared().max(sqr(radius)).max(1e-6);
            let behind = d.dot(at.normal) < -radius && !at.transmits;
            if behind { 0.0 } else { self.power / distance2 }
        };
        match &self.shape {
            Shape::Environment => self.power,
            Shape::Sun {
                direction,
                one_minus_cos,
            } => {
                let cos = direction.dot(at.normal);
                // Below the horizon by more than its half angle: sin θ ≤ √(2(1 − cos θ)).
                if !at.transmits && cos < -safe_sqrt(2.0 * one_minus_cos) {
                    0.0
                } else if at.transmits {
                    self.power
                } else {
                    self.power * cos.max(0.05)
                }
            }
            Shape::Point {
                position, radius, ..
            } => local(*position, *radius),
            Shape::Area {
                position,
                half_sides,
                ..
            } => local(*position, (half_sides[0] + half_sides[1]).length()),
            Shape::Mesh(mesh) => local(mesh.center, mesh.radius),
        }
    }
}

/// Lights that are sampled together.
#[derive(Debug, Default)]
pub struct LightGroup {
    /// In Shot order: environment first, then explicit lights, then meshes.
    pub lights: Vec<SceneLight>,
}

/// A light that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct LightChoice {
    /// Index in the group.
    pub light: usize,
    /// With which it was chosen.
    probability: f32,
    /// For the place on it.
    u: [f32; 2],
    /// Where it is the environment: chosen by the first of them.
    row: Option<EnvironmentRow>,
}

/// A direction towards a light.
#[derive(Debug, Clone, Copy)]
pub struct LightSample {
    /// Index in the group.
    pub light: usize,
    /// Unit, world.
    pub wi: Vec3,
    /// Where the shadow ray ends: metres along `wi`; infinite for distant lights.
    pub distance: f32,
    /// Incident radiance, or where to look it up.
    pub radiance: IncidentRadiance,
    /// Per steradian, the choice included; for lights without size the probability of the choice.
    pub pdf: f32,
    /// No BSDF sample can find it: no MIS.
    pub delta: bool,
}

/// Radiance of a light sample. What has to be looked up waits until the light is known to be seen.
#[derive(Debug, Clone, Copy)]
pub enum IncidentRadiance {
    /// Already divided by everything but the pdf for lights without size.
    Known(Vec3),
    /// At a place of the environment map.
    Environment([f32; 2]),
    /// On an emitting triangle.
    Surface {
        /// Instance in the frame.
        instance: u32,
        /// Triangle.
        primitive: u32,
        /// Weights of vertices 1 and 2.
        barycentrics: [f32; 2],
    },
}

impl LightGroup {
    /// Asks the caches for what the sample of a choice will read first; see
    /// [`Environment::prefetch_guide`].
    #[inline(always)]
    pub fn prefetch<S: Simd8>(&self, simd: S, environment: &Environment, choice: &LightChoice) {
        if let Some(row) = &choice.row {
            environment.prefetch_guide(simd, row, choice.u[1]);
        }
    }

    /// As [`Self::prefetch`], for what is read next.
    #[inline(always)]
    pub fn prefetch_next<S: Simd8>(
        &self,
        simd: S,
        environment: &Environment,
        choice: &LightChoice,
    ) {
        if let Some(row) = &choice.row {
            environment.prefetch_interval(simd, row, choice.u[1]);
        }
    }

    /// Probability of choosing light `index` at `at`.
    #[inline(always)]
    pub fn choice_probability(&self, index: usize, at: &LightContext) -> f32 {
        if self.lights.len() == 1 {
            return 1.0;
        }
        let mut total = 0.0;
        let mut own = 0.0;
        for (i, light) in self.lights.iter().enumerate() {
            let weight = light.choice_weight(at);
            total += weight;
            if i == index {
                own = weight;
            }
        }
        if total > 0.0 { own / total } else { 0.0 }
    }

    /// The choice where there is but one light, so that no point need be looked at; `u` is drawn there only.
    #[inline(always)]
    pub fn choose_only(
        &self,
        environment: &Environment,
        u: impl FnOnce() -> [f32; 2],
    ) -> Option<LightChoice> {
        (self.lights.len() == 1).then(|| self.choice(environment, 0, 1.0, u()))
    }

    /// Chooses a light for a point by the first of two numbers, and leaves what is left of it to choose
    /// the place.
    #[inline(always)]
    pub fn choose(
        &self,
        environment: &Environment,
        at: &LightContext,
        u: [f32; 2],
    ) -> Option<LightChoice> {
        match self.lights.len() {
            0 => None,
            1 => Some(self.choice(environment, 0, 1.0, u)),
            _ => {
                let total: f32 = self.lights.iter().map(|l| l.choice_weight(at)).sum();
                if total <= 0.0 {
                    return None;
                }
                let mut start = 0.0;
                let mut chosen = None;
                for (light, source) in self.lights.iter().enumerate() {
                    let probability = source.choice_weight(at) / total;
                    if probability > 0.0 {
                        chosen = Some((light, start, probability));
                        if u[0] < start + probability {
                            break;
                        }
                        start += probability;
                    }
                }
                chosen.map(|(light, start, probability)| {
                    let rest = [rest_of_choice(u[0], start, probability), u[1]];
                    self.choice(environment, light, probability, rest)
                })
            }
        }
    }

    #[inline(always)]
    fn choice(
        &self,
        environment: &Environment,
        light: usize,
        probability: f32,
        u: [f32; 2],
    ) -> LightChoice {
        let row = match self.lights[light].shape {
            Shape::Environment => Some(environment.row(u[0])),
            _ => None,
        };
        LightChoice {
            light,
            probability,
            u,
            row,
        }
    }

    /// A point on a chosen light.
    #[inline(always)]
    pub fn sample<S: Simd8>(
        &self,
        simd: S,
        environment: &Environment,
        at: &LightContext,
        choice: &LightChoice,
    ) -> Option<LightSample> {
        let LightChoice {
            light: index,
            probability,
            u,
            row,
        } = *choice;
        let light = &self.lights[index];
        let looked_up = |wi, distance, radiance, pdf: f32| LightSample {
            light: index,
            wi,
            distance,
            radiance,
            pdf: pdf * probability,
            delta: false,
        };
        let sample = |wi, distance, radiance, pdf: f32, delta| LightSample {
            delta,
            ..looked_up(wi, distance, IncidentRadiance::Known(radiance), pdf)
        };
        match &light.shape {
            Shape::Environment => {
                let found = environment.sample(simd, &row?, u[1]);
                let radiance = IncidentRadiance::Environment(found.place);
                (found.pdf > 0.0)
                    .then(|| looked_up(found.direction, f32::INFINITY, radiance, found.pdf))
            }
            Shape::Sun {
                direction,
                one_minus_cos,
            } => {
                if *one_minus_cos <= 0.0 {
                    return Some(sample(*direction, f32::INFINITY, light.radiance, 1.0, true));
                }
                let wi = uniform_cone(*direction, u, *one_minus_cos);
                let pdf = 1.0 / (TWO_PI * one_minus_cos);
                Some(sample(wi, f32::INFINITY, light.radiance, pdf, false))
            }
            Shape::Point {
                position,
                radius,
                cone,
            } => {
                let to_center = *position - at.position;
                let distance2 = to_center.length_squared();
                let distance = distance2.sqrt();
                if distance <= *radius || distance <= 0.0 {
                    return None;
                }
                let toward = to_center / distance;
                let attenuation = |wi: Vec3| cone.as_ref().map_or(1.0, |c| c.attenuation(-wi));
                if *radius == 0.0 {
                    let radiance = light.radiance * (attenuation(toward) / distance2);
                    return Some(sample(toward, distance, radiance, 1.0, true));
                }
                let sin2 = sqr(*radius) / distance2;
                let one_minus_cos = sin2 / (1.0 + safe_sqrt(1.0 - sin2));
                let wi = uniform_cone(toward, u, one_minus_cos);
                let hit = sphere_distance(at.position, wi, *position, *radius)?;
                let pdf = 1.0 / (TWO_PI * one_minus_cos);
                Some(sample(
                    wi,
                    hit,
                    light.radiance * attenuation(wi),
                    pdf,
                    false,
                ))
            }
            Shape::Area {
                position,
                half_sides,
                direction,
            } => {
                let point = *position
                    + half_sides[0] * (2.0 * u[0] - 1.0)
                    + half_sides[1] * (2.0 * u[1] - 1.0);
                let to = point - at.position;
                let distance2 = to.length_squared();
                let distance = distance2.sqrt();
                let wi = to / distance.max(1e-20);
                let cos = -wi.dot(*direction);
                if cos <= 0.0 || distance <= 0.0 {
                    return None;
                }
                let area = 4.0 * half_sides[0].length() * half_sides[1].length();
                Some(sample(
                    wi,
                    distance,
                    light.radiance,
                    distance2 / (cos * area),
                    false,
                ))
            }
            Shape::Mesh(mesh) => {
                let (triangle, within) = find(&mesh.cumulative, u[0]);
                let b = uniform_triangle([within, u[1]]);
                let [p0, p1, p2] = mesh.corners[triangle];
                let point = p0 + (p1 - p0) * b[0] + (p2 - p0) * b[1];
                let to = point - at.position;
                let distance2 = to.length_squared();
                let distance = distance2.sqrt();
                if distance <= 0.0 {
                    return None;
                }
                let wi = to / distance;
                let cos = wi.dot((p1 - p0).cross(p2 - p0).normalize_or_zero()).abs();
                if cos <= 1e-7 {
                    return None;
                }
                let radiance = IncidentRadiance::Surface {
                    instance: mesh.instance,
                    primitive: mesh.primitives[triangle],
                    barycentrics: b,
                };
                let pdf = mesh.density() * distance2 / cos;
                Some(looked_up(wi, distance, radiance, pdf))
            }
        }
    }

    /// pdf with which [`Self::sample`] would have found a point of an emitting mesh, at distance
    /// `distance` with geometric cosine `cos`; 0 when `instance` is not a light of this group.
    #[inline]
    pub fn mesh_pdf(&self, instance: u32, distance: f32, cos: f32, at: &LightContext) -> f32 {
        for (i, light) in self.lights.iter().enumerate() {
            if let Shape::Mesh(mesh) = &light.shape
                && mesh.instance == instance
            {
                return mesh.density() * sqr(distance) / cos.abs().max(1e-7)
                    * self.choice_probability(i, at);
            }
        }
        0.0
    }
}

/// Index of the interval of a cumulative table that holds `u`, and the place within it.
fn find(cumulative: &[f32], u: f32) -> (usize, f32) {
    let last = cumulative.len() - 2;
    let index = cumulative
        .partition_point(|c| *c <= u)
        .saturating_sub(1)
        .min(last);
    let width = cumulative[index + 1] - cumulative[index];
    let within = if width > 0.0 {
        ((u - cumulative[index]) / width).clamp(0.0, 0.999_999_94)
    } else {
        0.5
    };
    (index, within)
}

fn sphere_distance(origin: Vec3, direction: Vec3, center: Vec3, radius: f32) -> Option<f32> {
    let to = center - origin;
    let along = to.dot(direction);
    let closest2 = (to - direction * along).length_squared();
    let half = sqr(radius) - closest2;
    // A direction sampled at the rim may just miss by rounding: the rim is then the hit.
    (half > -1e-4 * sqr(radius) && along > 0.0).then(|| along - safe_sqrt(half))
}

/// Lights of finite size that a BSDF sample can run into without there being geometry: suns, spheres
/// and rectangles. Calls `found(light index, radiance, pdf per steradian without the choice, distance)`.
#[inline(always)]
pub fn crossed_lights(
    group: &LightGroup,
    origin: Vec3,
    direction: Vec3,
    t_max: f32,
    mut found: impl FnMut(usize, Vec3, f32, f32),
) {
    for (index, light) in group.lights.iter().enumerate() {
        match &light.shape {
            Shape::Sun {
                direction: to_sun,
                one_minus_cos,
            } if t_max == f32::INFINITY
                // 1 − cos of the angle between unit vectors = |a − b|²/2; never below 0.
                && 0.5 * (direction - *to_sun).length_squared() < *one_minus_cos =>
            {
                let pdf = 1.0 / (TWO_PI * one_minus_cos);
                found(index, light.radiance, pdf, f32::INFINITY);
            }
            Shape::Point {
                position,
                radius,
                cone,
            } if *radius > 0.0 => {
                let to = *position - origin;
                let distance2 = to.length_squared();
                if distance2 > sqr(*radius)
                    && let Some(t) = sphere_distance(origin, direction, *position, *radius)
                    && t < t_max
                    && (to - direction * to.dot(direction)).length_squared() < sqr(*radius)
                {
                    let sin2 = sqr(*radius) / distance2;
                    let one_minus_cos = sin2 / (1.0 + safe_sqrt(1.0 - sin2));
                    let attenuation = cone.as_ref().map_or(1.0, |c| c.attenuation(-direction));
                    found(
                        index,
                        light.radiance * attenuation,
                        1.0 / (TWO_PI * one_minus_cos),
                        t,
                    );
                }
            }
            Shape::Area {
                position,
                half_sides,
                direction: shines,
            } => {
                let cos = -direction.dot(*shines);
                if cos > 0.0 {
                    let t = (origin - *position).dot(*shines) / cos;
                    let at = origin + direction * t - *position;
                    let inside = |side: Vec3| at.dot(side).abs() <= side.length_squared();
                    if t > 0.0 && t < t_max && inside(half_sides[0]) && inside(half_sides[1]) {
                        let area = 4.0 * half_sides[0].length() * half_sides[1].length();
                        found(index, light.radiance, sqr(t) / (cos * area), t);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The set of worlds as bits, all of `world_count` worlds when `set` names them all.
pub fn world_bits(set: WorldSet, world_count: usize) -> u32 {
    set.0 & WorldSet::first(world_count).0
}
