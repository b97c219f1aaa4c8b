//! Is a surface point seen at an image position? Rays of the label pass (lens centre, shutter centre,
//! alpha at least one half, full world) through positions of any fraction of a pixel.

use diorama_synth::frame::{self, Sight};
use glam::{DVec2, DVec3, Vec3};
use rayon::prelude::*;

use super::labels::counts;
use super::ray;
use crate::accel::{Hit, Isa, Kernel, Ray, Simd8};
use crate::kernels::camera::CameraFrame;
use crate::scene::FrameScene;

/// Share of its distance by which what a ray meets may differ from the point asked for: both come
/// from the same triangle, so only rounding separates them.
pub const SAME_DISTANCE: f32 = 1.0e-4;
/// Rays that one task follows.
const RAYS_PER_TASK: usize = 512;

/// Answers for one frame.
#[derive(Debug)]
pub struct VisibilityTracer {
    scene: FrameScene,
    isa: Isa,
}

impl VisibilityTracer {
    /// Of a frame whose shutter is closed (no motion blur): see `Renderer::visibility`.
    pub(crate) fn new(scene: FrameScene, isa: Isa) -> Self {
        Self { scene, isa }
    }

    /// The surface point that is nearest along the ray through each position; instance 0 where that
    /// is the environment.
    pub fn surfaces_at(&self, positions: &[DVec2]) -> Vec<frame::SurfacePoint> {
        let answer = |positions: &[DVec2]| {
            self.isa.dispatch(Surfaces {
                scene: &self.scene,
                positions,
            })
        };
        positions
            .par_chunks(RAYS_PER_TASK)
            .flat_map_iter(answer)
            .collect()
    }

    /// For each sight: is the nearest surface along the ray through that position of the point's own
    /// object, and as far away as the point to [`SAME_DISTANCE`]? For the environment: is there none?
    /// Positions outside the picture see nothing.
    pub fn are_visible(&self, sights: &[Sight]) -> Vec<bool> {
        let answer = |sights: &[Sight]| {
            self.isa.dispatch(Visible {
                scene: &self.scene,
                sights,
            })
        };
        sights
            .par_chunks(RAYS_PER_TASK)
            .flat_map_iter(answer)
            .collect()
    }
}

struct Surfaces<'a> {
    scene: &'a FrameScene,
    positions: &'a [DVec2],
}

impl Kernel for Surfaces<'_> {
    type Output = Vec<frame::SurfacePoint>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let first = |position: &DVec2| match nearest(simd, self.scene, *position) {
            Some(hit) => frame::SurfacePoint {
                instance: self.scene.instances[hit.instance as usize].id,
                primitive: hit.primitive,
                barycentrics: [hit.u, hit.v].into(),
            },
            None => frame::SurfacePoint::default(),
        };
        self.positions.iter().map(first).collect()
    }
}

struct Visible<'a> {
    scene: &'a FrameScene,
    sights: &'a [Sight],
}

impl Kernel for Visible<'_> {
    type Output = Vec<bool>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Vec<bool> {
        let visible = |sight: &Sight| is_visible(simd, self.scene, sight);
        self.sights.iter().map(visible).collect()
    }
}

#[inline(always)]
fn is_visible<S: Simd8>(simd: S, scene: &FrameScene, sight: &Sight) -> bool {
    let camera = &scene.cameras[1];
    let (width, height) = (f64::from(camera.width), f64::from(camera.height));
    let DVec2 { x, y } = sight.position;
    if !(x >= 0.0 && y >= 0.0 && x < width && y < height) {
        return false;
    }
    let hit = nearest(simd, scene, sight.position);
    let id = |hit: &Hit| scene.instances[hit.instance as usize].id;
    match hit {
        None => sight.point.instance == 0,
        Some(hit) if id(&hit) == sight.point.instance => {
            let mesh = &scene.meshes[hit.instance as usize];
            if sight.point.primitive as usize >= mesh.data().triangles.len() {
                return false;
            }
            let [u, v] = sight.point.barycentrics.to_array();
            let corners = mesh.corners(sight.point.primitive);
            let frame = scene.tlas.surface_frame(hit.instance, 0.0);
            let distance = frame.point(corners, u, v).position.distance(camera.origin);
            (hit.t - distance).abs() <= SAME_DISTANCE * distance
        }
        Some(_) => false,
    }
}

#[inline(always)]
fn nearest<S: Simd8>(simd: S, scene: &FrameScene, position: DVec2) -> Option<Hit> {
    let camera = &scene.cameras[1];
    let sight: Ray = ray(
        camera.origin,
        direction_through(camera, position),
        f32::INFINITY,
        0.0,
        1,
    );
    scene
        .tlas
        .intersect(simd, &sight, |c: &Hit| counts(scene, c))
}

/// [`CameraFrame::direction_through`] in f64, unit: a position of seven digits leaves none for the
/// fraction of a pixel, which decides what is met at a grazing angle.
fn direction_through(camera: &CameraFrame, position: DVec2) -> Vec3 {
    let wide = 2.0 * f64::from(camera.tan_half_width);
    let (width, height) = (f64::from(camera.width), f64::from(camera.height));
    let x = (position.x / width - 0.5 + f64::from(camera.shift[0])) * wide;
    let y = ((0.5 * height - position.y) / width + f64::from(camera.shift[1])) * wide;
    let direction: DVec3 =
        camera.right.as_dvec3() * x + camera.up.as_dvec3() * y + camera.forward.as_dvec3();
    direction.normalize_or(camera.forward.as_dvec3()).as_vec3()
}
