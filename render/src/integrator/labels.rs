//! The truth: one ray per pixel through pixel centre and lens centre, at the shutter's centre. A
//! surface counts where its alpha is at least one half. Nothing here is filtered, denoised or random.
//! Where the ray meets glass it also goes on through it, to the second layer.

use diorama_synth::frame;
use glam::{Vec2, Vec3};

use super::medium::MediumStack;
use super::ray;
use crate::accel::{Hit, Ray, Simd8, offset_origin};
use crate::kernels::camera::CameraFrame;
use crate::kernels::glass::{GlassWay, way_through};
use crate::scene::FrameScene;
use crate::scene::frame_scene::SurfacePoint;

/// Presence from which a surface counts.
const COUNTS: f32 = 0.5;
/// A point is visible when what a ray to it meets is no nearer than this share of its distance: only
/// rounding separates the two, since both come from the same triangle.
const SAME_DISTANCE: f32 = 1.0 - 1.0e-4;
/// Surfaces of glass that the way to the second layer may cross or be reflected at.
const MOST_INTERFACES: u32 = 8;

/// The frame and its neighbours, none of them blurred.
#[derive(Debug, Clone, Copy)]
pub struct LabelTracer<'a> {
    /// The frame itself.
    pub now: &'a FrameScene,
    /// The frame after.
    pub next: &'a FrameScene,
    /// The frame before.
    pub previous: &'a FrameScene,
}

/// All label passes of one pixel.
#[derive(Debug, Clone, Copy, Default)]
pub struct LabelPixel {
    /// Object id; 0: environment.
    pub instance: u32,
    /// Index in `Shot::objects` plus one; 0: environment.
    pub object: u32,
    /// Along the camera axis, metres.
    pub depth: f32,
    /// Along the ray, metres.
    pub distance: f32,
    /// Shading normal, world.
    pub normal: Vec3,
    /// Geometric normal, world, facing the camera.
    pub normal_geometric: Vec3,
    /// Base colour.
    pub albedo: Vec3,
    /// First UV set.
    pub uv: Vec2,
    /// Surface identity.
    pub surface: frame::SurfacePoint,
    /// To the next frame, pixels.
    pub flow_forward: Vec2,
    /// To the previous frame, pixels.
    pub flow_backward: Vec2,
    /// Bit 0: hidden in the next frame; bit 1: in the previous.
    pub occlusion: u8,
    /// What is seen through the first surface.
    pub second: SecondLayerPixel,
}

/// The second layer of one pixel; the default where there is none. See [`frame::SecondLayer`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SecondLayerPixel {
    /// Object id; 0: environment.
    pub instance: u32,
    /// Along the bent ray, metres.
    pub distance: f32,
    /// Shading normal, world.
    pub normal: Vec3,
    /// Surface identity.
    pub surface: frame::SurfacePoint,
    /// Share of light that comes through.
    pub transmittance: Vec3,
}

impl Default for SecondLayerPixel {
    fn default() -> Self {
        Self {
            instance: 0,
            distance: f32::INFINITY,
            normal: Vec3::ZERO,
            surface: frame::SurfacePoint::default(),
            transmittance: Vec3::ZERO,
        }
    }
}

/// Label rays' rule for alpha.
#[inline(always)]
pub(super) fn counts(scene: &FrameScene, c: &Hit) -> bool {
    scene.alpha(c.instance, c.primitive, [c.u, c.v]) >= COUNTS
}

fn center(column: u32, row: u32) -> Vec2 {
    Vec2::new(column as f32 + 0.5, row as f32 + 0.5)
}

fn pinhole_ray(camera: &CameraFrame, position: Vec2, worlds: u32) -> Ray {
    let direction = camera
        .direction_through(position)
        .normalize_or(camera.forward);
    ray(camera.origin, direction, f32::INFINITY, 0.0, worlds)
}

impl LabelPixel {
    /// Object ids of the first surface and of the second layer.
    pub fn instances(&self) -> [u32; 2] {
        [self.instance, self.second.instance]
    }
}

impl LabelTracer<'_> {
    fn first_hit<S: Simd8>(
        &self,
        simd: S,
        column: u32,
        row: u32,
        worlds: u32,
    ) -> (Ray, Option<Hit>) {
        let ray = pinhole_ray(&self.now.cameras[1], center(column, row), worlds);
        (
            ray,
            self.now
                .tlas
                .intersect(simd, &ray, |c: &Hit| counts(self.now, c)),
        )
    }

    /// Every pass of the full world at one pixel; without `flow` those of the frame itself only.
    #[inline(always)]
    pub fn pixel<S: Simd8>(&self, simd: S, column: u32, row: u32, flow: bool) -> LabelPixel {
        let (ray, hit) = self.first_hit(simd, column, row, 1);
        let position = center(column, row);
        let Some(hit) = hit else {
            return self.environment_pixel(simd, &ray, position, flow);
        };
        let camera = &self.now.cameras[1];
        let barycentrics = [hit.u, hit.v];
        let point = self.now.surface_of(&hit, -ray.direction, 0.0);
        let coordinates = self
            .now
            .coordinates(hit.instance, hit.primitive, barycentrics);
        let id = self.now.instances[hit.instance as usize].id;
        let to = |other| {
            if flow {
                surface_flow(simd, other, &hit, position)
            } else {
                (Vec2::NAN, true)
            }
        };
        let (flow_forward, hidden_next) = to(self.next);
        let (flow_backward, hidden_previous) = to(self.previous);
        LabelPixel {
            instance: id,
            object: hit.instance + 1,
            depth: (point.position - camera.origin).dot(camera.forward),
            distance: hit.t,
            normal: point.normal,
            normal_geometric: point.geometric_normal,
            albedo: point.values(self.now).base_color,
            uv: coordinates.uv[0],
            surface: frame::SurfacePoint {
                instance: id,
                primitive: hit.primitive,
                barycentrics: barycentrics.into(),
            },
            flow_forward,
            flow_backward,
            occlusion: u8::from(hidden_next) | u8::from(hidden_previous) << 1,
            second: self.second_layer(simd, &ray, &hit),
        }
    }

    /// Follows `ray` on through the glass at its first `hit`.
    #[inline(always)]
    fn second_layer<S: Simd8>(&self, simd: S, ray: &Ray, hit: &Hit) -> SecondLayerPixel {
        let (mut ray, mut hit) = (*ray, *hit);
        let mut media = MediumStack::default();
        let mut transmittance = Vec3::ONE;
        let mut distance = 0.0;
        for interfaces in 0..=MOST_INTERFACES {
            let wo = -ray.direction;
            let barycentrics = [hit.u, hit.v];
            let point = self
                .now
                .surface(hit.instance, hit.primitive, barycentrics, wo, 0.0);
            distance += hit.t;
            transmittance *= media.transmittance(hit.t);
            let Some(onward) = way_on(self.now, &point, wo) else {
                if interfaces == 0 {
                    break; // the first surface is what is seen
                }
                let instance = self.now.instances[hit.instance as usize].id;
                return SecondLayerPixel {
                    instance,
                    distance,
                    normal: point.normal,
                    surface: frame::SurfacePoint {
                        instance,
                        primitive: hit.primitive,
                        barycentrics: barycentrics.into(),
                    },
                    transmittance,
                };
            };
            transmittance *= onward.transmittance;
            if onward.transmitted && point.material.has_inside {
                let id = self.now.instances[hit.instance as usize].id;
                if point.entering {
                    media.enter(id, point.material.absorption);
                } else {
                    media.leave(id);
                }
            }
            ray.origin = offset_origin(
                point.position,
                point.error,
                point.geometric_normal,
                onward.direction,
            );
            ray.direction = onward.direction;
            let next = self
                .now
                .tlas
                .intersect(simd, &ray, |c: &Hit| counts(self.now, c));
            match next {
                Some(next) => hit = next,
                None => {
                    return SecondLayerPixel {
                        transmittance,
                        ..SecondLayerPixel::default()
                    };
                }
            }
        }
        SecondLayerPixel::default()
    }

    fn environment_pixel<S: Simd8>(
        &self,
        simd: S,
        out: &Ray,
        position: Vec2,
        wanted: bool,
    ) -> LabelPixel {
        let flow = |other: &FrameScene| {
            if !wanted {
                return (Vec2::NAN, true);
            }
            let camera = &other.cameras[1];
            let there = camera.project_direction(out.direction);
            let visible = there.is_finite() && inside(camera, there) && {
                let out = ray(camera.origin, out.direction, f32::INFINITY, 0.0, 1);
                other
                    .tlas
                    .intersect(simd, &out, |c: &Hit| counts(other, c))
                    .is_none()
            };
            (there - position, !visible)
        };
        let (flow_forward, hidden_next) = flow(self.next);
        let (flow_backward, hidden_previous) = flow(self.previous);
        LabelPixel {
            depth: f32::INFINITY,
            distance: f32::INFINITY,
            flow_forward,
            flow_backward,
            occlusion: u8::from(hidden_next) | u8::from(hidden_previous) << 1,
            ..LabelPixel::default()
        }
    }

    /// Object ids at a pixel in world `world`: of the first surface and of the second layer.
    #[inline(always)]
    pub fn instances_in_world<S: Simd8>(
        &self,
        simd: S,
        column: u32,
        row: u32,
        world: usize,
    ) -> [u32; 2] {
        match self.first_hit(simd, column, row, 1 << world) {
            (ray, Some(hit)) => [
                self.now.instances[hit.instance as usize].id,
                self.second_layer(simd, &ray, &hit).instance,
            ],
            (_, None) => [0; 2],
        }
    }

    /// Would object `object` (index in the Shot) cover this pixel if it were alone?
    #[inline(always)]
    pub fn covers_alone<S: Simd8>(&self, simd: S, column: u32, row: u32, object: u32) -> bool {
        let ray = pinhole_ray(&self.now.cameras[1], center(column, row), u32::MAX);
        self.now
            .tlas
            .intersect_instance(simd, object, &ray, |c: &Hit| counts(self.now, c))
            .is_some()
    }
}

/// Where a ray goes at a surface of glass; `None` at any other.
#[inline(always)]
fn way_on(scene: &FrameScene, point: &SurfacePoint<'_>, wo: Vec3) -> Option<GlassWay> {
    let values = point.values(scene);
    let onward = way_through(&values, wo, point.normal, point.entering)?;
    // Smooth shading may bend a ray to the wrong side of the triangle: it then goes by the triangle.
    let is_behind = onward.direction.dot(point.geometric_normal) < 0.0;
    if is_behind == onward.transmitted {
        Some(onward)
    } else {
        way_through(&values, wo, point.geometric_normal, point.entering)
    }
}

/// Where the surface point of `hit` is in another frame, and whether it is hidden there.
fn surface_flow<S: Simd8>(simd: S, other: &FrameScene, hit: &Hit, position: Vec2) -> (Vec2, bool) {
    let camera = &other.cameras[1];
    // By the triangle, not by its slot: a body has other trees in other frames.
    let corners = other
        .tlas
        .instance(hit.instance)
        .mesh
        .corners(hit.primitive, 0.0);
    let point = other
        .tlas
        .surface_frame(hit.instance, 0.0)
        .point(corners, hit.u, hit.v)
        .position;
    let (there, depth) = camera.project(point);
    if depth <= 0.0 {
        return (Vec2::NAN, true);
    }
    if !inside(camera, there) {
        return (there - position, true);
    }
    let to = point - camera.origin;
    let distance = to.length();
    let sight = ray(
        camera.origin,
        to / distance,
        distance * SAME_DISTANCE,
        0.0,
        1,
    );
    let blocked = other
        .tlas
        .intersect(simd, &sight, |c: &Hit| counts(other, c))
        .is_some();
    (there - position, blocked)
}

fn inside(camera: &CameraFrame, position: Vec2) -> bool {
    position.x >= 0.0
        && position.y >= 0.0
        && position.x < camera.width
        && position.y < camera.height
}
