//! One frame of a Shot: poses, top-level tree, lights, camera.

use std::sync::Arc;

use diorama_synth::shot::{Camera, Role, Shot};
use glam::{Mat3A, Vec3, Vec3A};
use rayon::prelude::*;

use super::camera::{camera_frame, pose_at};
use super::lights::{LightContext, LightGroup, MeshLight, SceneLight, Shape, world_bits};
use super::material::{SurfaceCoordinates, SurfaceMaterial};
use super::static_scene::{SceneMesh, StaticScene};
use crate::accel::{self, Hit, Instance, Pose, Simd8, SurfaceFrame, Tlas};
use crate::kernels::bsdf::{Bsdf, Seen, SurfaceValues};
use crate::kernels::camera::CameraFrame;
use crate::kernels::tables::Tables;

/// What shading needs to know of an object beyond its tree.
#[derive(Debug)]
pub struct SceneInstance {
    /// `Object::id`.
    pub id: u32,
    /// Role in the removal task.
    pub role: Role,
    /// Worlds, limited to those of the Shot.
    pub worlds: u32,
}

/// A ray's meeting with a surface, ready for shading.
#[derive(Debug)]
pub struct SurfacePoint<'a> {
    /// Index of the instance, which is the index in `Shot::objects`.
    pub instance: u32,
    /// Triangle.
    pub primitive: u32,
    /// Barycentric weights of vertices 1 and 2.
    pub barycentrics: [f32; 2],
    /// World.
    pub position: Vec3,
    /// Bound of the rounding error of `position`, metres per axis.
    pub error: Vec3,
    /// Unit, on the viewer's side.
    pub geometric_normal: Vec3,
    /// Unit, on the viewer's side, interpolated between the corners.
    pub smooth_normal: Vec3,
    /// Unit, on the viewer's side, normal map applied.
    pub mapped_normal: Vec3,
    /// Unit, on the viewer's side: `mapped_normal` bent so that mirror directions stay outside.
    pub normal: Vec3,
    /// The viewer is on the outside.
    pub entering: bool,
    /// Texture coordinates.
    pub coordinates: SurfaceCoordinates,
    /// Material.
    pub material: &'a SurfaceMaterial,
}

impl SurfacePoint<'_> {
    /// Principled inputs here.
    #[inline(always)]
    pub fn values(&self, scene: &FrameScene) -> SurfaceValues {
        self.material
            .values(&scene.fixed.textures, &self.coordinates)
    }

    /// A normal map turns the normal.
    #[inline(always)]
    pub fn is_bumped(&self) -> bool {
        self.mapped_normal != self.smooth_normal
    }

    /// What the choice of a light may look at.
    #[inline(always)]
    pub fn light_context(&self) -> LightContext {
        LightContext {
            position: self.position,
            normal: self.normal,
            transmits: self.material.transmits,
        }
    }

    /// The point as the BSDF sees it from `wo` (unit, world).
    #[inline(always)]
    pub fn seen<'v>(&self, values: &'v SurfaceValues, wo: Vec3) -> Seen<'v> {
        Seen {
            values,
            wo,
            normal: self.normal,
            geometric_normal: self.geometric_normal,
            entering: self.entering,
        }
    }

    /// BSDF towards `wo` (unit, world).
    #[inline(always)]
    pub fn bsdf(&self, values: &SurfaceValues, wo: Vec3, tables: &Tables) -> Bsdf<f32> {
        Bsdf::new(&self.seen(values, wo), tables)
            .over(self.mapped_normal.into(), self.smooth_normal.into())
    }
}

/// See the module text.
#[derive(Debug)]
pub struct FrameScene {
    /// What does not change.
    pub fixed: Arc<StaticScene>,
    /// Mesh of each object of the Shot in this frame.
    pub meshes: Vec<Arc<SceneMesh>>,
    /// Top-level tree; instance i is object i.
    pub tlas: Tlas,
    /// Instance i is object i of the Shot.
    pub instances: Vec<SceneInstance>,
    /// Camera at shutter opening, centre and closing.
    pub cameras: [CameraFrame; 3],
    /// Lights in every world.
    pub shared_lights: LightGroup,
    /// Lights in some worlds only.
    pub other_lights: LightGroup,
    /// Number of worlds.
    pub world_count: usize,
    /// The shutter is open for a time.
    pub motion_blur: bool,
}

impl FrameScene {
    /// Frame `frame` of `shot` seen by `camera`.
    pub fn new(shot: &Shot, camera: &Camera, fixed: Arc<StaticScene>, frame: i64) -> Self {
        let world_count = shot.worlds.len();
        let all = (1u64 << world_count).wrapping_sub(1) as u32;
        let center = frame as f64;
        let half = 0.5 * f64::from(camera.shutter);
        let motion_blur = camera.shutter > 0.0;
        let meshes: Vec<Arc<SceneMesh>> = shot
            .objects
            .par_iter()
            .enumerate()
            .map(|(index, object)| {
                if motion_blur {
                    fixed.mesh_over(object, index, frame, [center - half, center + half])
                } else {
                    fixed.mesh_at(object, index, frame)
                }
            })
            .collect();
        let mut instances = Vec::with_capacity(shot.objects.len());
        let mut tree_instances = Vec::with_capacity(shot.objects.len());
        for (index, object) in shot.objects.iter().enumerate() {
            let at = |time: f64| pose_at(&object.pose, time).world_from_object(object.scale);
            let moving = motion_blur && !object.pose.is_constant();
            let pose = if moving {
                Pose::Moving {
                    open: at(center - half),
                    close: at(center + half),
                }
            } else {
                Pose::Still(at(center))
            };
            let mesh = &meshes[index];
            let worlds = world_bits(object.worlds, world_count);
            let materials = fixed.materials_of(index, mesh);
            let is_absent = materials.iter().all(SurfaceMaterial::is_absent);
            tree_instances.push(Instance {
                mesh: mesh.bvh.clone(),
                pose,
                // What is nowhere present is in no ray's way, and in no way of telling what pixels show.
                worlds: if is_absent { 0 } else { worlds },
                needs_filter: materials.iter().any(|m| m.has_alpha),
            });
            instances.push(SceneInstance {
                id: object.id,
                role: object.role,
                worlds,
            });
        }
        let cameras = [center - half, center, center + half]
            .map(|t| camera_frame(camera, t, shot.resolution));
        let mut scene = Self {
            tlas: Tlas::build(tree_instances),
            fixed,
            meshes,
            instances,
            cameras,
            shared_lights: LightGroup::default(),
            other_lights: LightGroup::default(),
            world_count,
            motion_blur,
        };
        scene.add_lights(shot, center, all);
        scene
    }

    fn add_lights(&mut self, shot: &Shot, center: f64, all: u32) {
        let fixed = self.fixed.clone();
        let mut lights = Vec::new();
        if !fixed.environment.is_black() {
            // Irradiance under a constant sky is π times its radiance.
            let power = fixed.environment.mean_brightness * std::f32::consts::PI;
            lights.push(SceneLight {
                worlds: all,
                shape: Shape::Environment,
                radiance: Vec3::ZERO,
                power,
            });
        }
        for light in &shot.lights {
            let pose = pose_at(&light.pose, center);
            lights.push(SceneLight::new(light, &pose, light.worlds.0 & all));
        }
        for (index, instance) in self.instances.iter().enumerate() {
            let mesh = &self.meshes[index];
            // Most objects do not shine: their triangles need not be looked at, frame by frame.
            if !fixed.materials_of(index, mesh).iter().any(|m| m.emissive) {
                continue;
            }
            let emits = |primitive: u32| fixed.material(index, primitive).emissive;
            let primitives: Vec<u32> = (0..mesh.data().triangles.len() as u32)
                .filter(|p| emits(*p))
                .collect();
            let Some(first) = primitives.first() else {
                continue;
            };
            let emission = fixed.material(index, *first).emission_estimate();
            let world_from_object = self.tlas.instance(index as u32).pose.world_from_object(0.5);
            let corners: Vec<[Vec3; 3]> = primitives
                .iter()
                .map(|p| {
                    mesh.corners(*p)
                        .map(|v| world_from_object.transform_point3(v))
                })
                .collect();
            if let Some(mesh_light) = MeshLight::new(index as u32, primitives, corners) {
                let power = emission.element_sum() / 3.0 * mesh_light.projected_area();
                let shape = Shape::Mesh(mesh_light);
                lights.push(SceneLight {
                    worlds: instance.worlds,
                    shape,
                    radiance: Vec3::ZERO,
                    power,
                });
            }
        }
        for light in lights {
            if light.worlds == all {
                self.shared_lights.lights.push(light);
            } else if light.worlds != 0 {
                self.other_lights.lights.push(light);
            }
        }
    }

    /// A bit for each world.
    pub fn all_worlds(&self) -> u32 {
        (1u64 << self.world_count).wrapping_sub(1) as u32
    }

    /// Asks the caches for what [`Self::surface_of`] reads first.
    #[inline(always)]
    pub fn prefetch<S: Simd8>(&self, simd: S, hit: &Hit) {
        self.meshes[hit.instance as usize].prefetch(simd, hit.primitive);
    }

    /// As [`Self::prefetch`], for what is read next; to be called some time after it.
    #[inline(always)]
    pub fn prefetch_next<S: Simd8>(&self, simd: S, hit: &Hit) {
        self.meshes[hit.instance as usize].prefetch_corners(simd, hit.primitive);
    }

    /// Presence of a surface at a candidate hit, 0..=1.
    #[inline]
    pub fn alpha(&self, instance: u32, primitive: u32, barycentrics: [f32; 2]) -> f32 {
        let material = self.fixed.material(instance as usize, primitive);
        if !material.has_alpha {
            return 1.0;
        }
        let mesh = &self.meshes[instance as usize];
        material.alpha(
            &self.fixed.textures,
            &mesh.coordinates(primitive, barycentrics),
        )
    }

    /// Texture coordinates and vertex colour of a point.
    pub fn coordinates(
        &self,
        instance: u32,
        primitive: u32,
        barycentrics: [f32; 2],
    ) -> SurfaceCoordinates {
        self.meshes[instance as usize].coordinates(primitive, barycentrics)
    }

    /// Everything shading needs to know about a point of a surface; `wo` points to the viewer.
    #[inline(always)]
    pub fn surface(
        &self,
        instance: u32,
        primitive: u32,
        barycentrics: [f32; 2],
        wo: Vec3,
        time: f32,
    ) -> SurfacePoint<'_> {
        let frame = self.tlas.surface_frame(instance, time);
        let corners = self.tlas.instance(instance).mesh.corners(primitive, time);
        let point = frame.point(corners, barycentrics[0], barycentrics[1]);
        self.surface_at(instance, primitive, barycentrics, wo, time, &frame, &point)
    }

    /// [`Self::surface`] where a ray met it, found sooner.
    #[inline(always)]
    pub fn surface_of(&self, hit: &Hit, wo: Vec3, time: f32) -> SurfacePoint<'_> {
        let frame = self.tlas.surface_frame(hit.instance, time);
        let point = frame.point(self.tlas.corners(hit, time), hit.u, hit.v);
        self.surface_at(
            hit.instance,
            hit.primitive,
            [hit.u, hit.v],
            wo,
            time,
            &frame,
            &point,
        )
    }

    #[inline(always)]
    fn surface_at(
        &self,
        instance: u32,
        primitive: u32,
        barycentrics: [f32; 2],
        wo: Vec3,
        time: f32,
        frame: &SurfaceFrame,
        point: &accel::SurfacePoint,
    ) -> SurfacePoint<'_> {
        let mesh = &self.meshes[instance as usize];
        let entering = wo.dot(point.normal) > 0.0;
        let geometric_normal = if entering {
            point.normal
        } else {
            -point.normal
        };
        let material = self.fixed.material(instance as usize, primitive);
        let coordinates = if material.reads_textures {
            mesh.coordinates(primitive, barycentrics)
        } else {
            mesh.color(primitive, barycentrics)
        };
        let mut smooth_normal = geometric_normal;
        if let Some(n) = mesh.shading_normal(primitive, barycentrics, time) {
            let outside = frame.normal(n).normalize_or_zero();
            if outside != Vec3::ZERO {
                smooth_normal = if entering { outside } else { -outside };
            }
        }
        let mut mapped_normal = smooth_normal;
        if let Some((mapped, uv_set)) = material.tangent_normal(&self.fixed.textures, &coordinates)
            && let Some(tangent) = mesh.tangent(primitive, barycentrics, uv_set)
        {
            let linear = frame.world_from_object().matrix3;
            mapped_normal = apply_normal_map(smooth_normal, mapped, tangent, linear, entering);
        }
        SurfacePoint {
            instance,
            primitive,
            barycentrics,
            position: point.position,
            error: point.error,
            geometric_normal,
            smooth_normal,
            mapped_normal,
            normal: keep_reflection_outside(geometric_normal, mapped_normal, wo),
            entering,
            coordinates,
            material,
        }
    }
}

/// Turns `normal` (viewer's side) by the tangent-space direction `mapped`.
fn apply_normal_map(
    normal: Vec3,
    mapped: Vec3,
    tangent: glam::Vec4,
    linear: Mat3A,
    entering: bool,
) -> Vec3 {
    let outside = if entering { normal } else { -normal };
    let t = Vec3::from(linear * Vec3A::from(tangent.truncate()));
    let t = (t - outside * outside.dot(t)).normalize_or_zero();
    if t == Vec3::ZERO {
        return normal;
    }
    let b = outside.cross(t) * tangent.w;
    let turned = (t * mapped.x + b * mapped.y + outside * mapped.z).normalize_or(outside);
    if entering { turned } else { -turned }
}

/// Bends a shading normal just enough that the mirror direction of `wo` leaves the surface
/// (Blender's `ensure_valid_specular_reflection`, in its iterative-free spirit): smooth-shaded
/// silhouettes would otherwise turn black.
#[inline(always)]
fn keep_reflection_outside(geometric: Vec3, normal: Vec3, wo: Vec3) -> Vec3 {
    let reflected = normal * (2.0 * wo.dot(normal)) - wo;
    let threshold = (0.9 * geometric.dot(wo)).clamp(0.0, 0.01);
    if reflected.dot(geometric) >= threshold {
        return normal;
    }
    // In the plane of the normal and the geometric normal: the half vector of wo and the most
    // grazing allowed reflection.
    let lifted =
        (reflected + geometric * (threshold - reflected.dot(geometric))).normalize_or(geometric);
    (lifted + wo).normalize_or(geometric)
}
