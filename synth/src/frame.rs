//! Frames: what a renderer hands to post-processing, one after another.

use glam::{DVec2, Vec2, Vec3};

/// A row-major picture, top row first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plane<T> {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width * height` values.
    pub data: Vec<T>,
}

impl<T: Clone> Plane<T> {
    /// A plane filled with `value`.
    pub fn filled(width: u32, height: u32, value: T) -> Self {
        Self {
            width,
            height,
            data: vec![value; width as usize * height as usize],
        }
    }
}

impl<T> Plane<T> {
    /// Index of pixel (column, row).
    pub fn index(&self, column: u32, row: u32) -> usize {
        row as usize * self.width as usize + column as usize
    }

    /// Value at (column, row).
    pub fn at(&self, column: u32, row: u32) -> &T {
        &self.data[self.index(column, row)]
    }
}

/// The picture of one world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorldImage {
    /// Linear Rec.709 radiance before exposure, before denoising.
    pub radiance: Plane<Vec3>,
    /// Linear radiance after denoising and joining, before exposure; empty (0×0) without a denoiser.
    pub denoised: Plane<Vec3>,
    /// Finished 8-bit sRGB picture: denoised, exposed, through the view transform.
    pub display: Plane<[u8; 3]>,
    /// Pixels where some path or light sample met something that is not in every world: 1. For the
    /// full world this is about any other world; for another world about the full one.
    pub touched: Plane<u8>,
}

/// Where a surface point is: identity that survives motion.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SurfacePoint {
    /// Object id; 0: environment.
    pub instance: u32,
    /// Triangle of the object's mesh.
    pub primitive: u32,
    /// Barycentric weights of the triangle's second and third vertex.
    pub barycentrics: Vec2,
}

/// A question: is `point` what is seen at `position`?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Where the point is in the picture, pixels from the top-left corner.
    pub position: DVec2,
    /// The point; instance 0: the environment.
    pub point: SurfacePoint,
}

/// Truth of the label rays of one world: pixel centre, lens centre, shutter centre, alpha ≥ 0.5.
///
/// Sentinels where the ray meets the environment: instance 0, semantic 0, depth and distance
/// infinity, normals, albedo and uv zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    /// Object id, 0 = environment (the dome's shell included).
    pub instance: Plane<u32>,
    /// z along the camera axis, metres.
    pub depth: Plane<f32>,
    /// Along the ray, metres.
    pub distance: Plane<f32>,
    /// Shading normal, world, unit.
    pub normal: Plane<Vec3>,
    /// Geometric normal, world, unit, facing the camera.
    pub normal_geometric: Plane<Vec3>,
    /// Base colour, linear.
    pub albedo: Plane<Vec3>,
    /// First UV set.
    pub uv: Plane<Vec2>,
    /// Surface identity.
    pub surface: Plane<SurfacePoint>,
    /// Pixels from here to where the same surface point is in the next frame; for the environment
    /// by camera rotation alone. NaN where it is behind the camera.
    pub flow_forward: Plane<Vec2>,
    /// The same to the previous frame.
    pub flow_backward: Plane<Vec2>,
    /// Bit 0: hidden in the next frame. Bit 1: hidden in the previous frame (outside the picture counts as hidden).
    pub occlusion: Plane<u8>,
    /// What is seen through the first surface where that is glass.
    pub second: SecondLayer,
}

/// What label rays meet that go on through glass: refracted as by smooth glass, straight through
/// thin panes, reflected at total reflection, over at most 8 surfaces of glass to the first that is
/// not. At least half of a surface must be glass for this; alpha is no glass.
///
/// Sentinels where there is no second layer (the first surface is not glass, or more than 8 are):
/// instance 0, distance infinity, transmittance, normal and surface zero. Where the environment is
/// seen through glass only the transmittance is not such.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SecondLayer {
    /// Object id, 0 = environment.
    pub instance: Plane<u32>,
    /// Along the bent ray from the camera, metres.
    pub distance: Plane<f32>,
    /// Shading normal, world, unit.
    pub normal: Plane<Vec3>,
    /// Surface identity.
    pub surface: Plane<SurfacePoint>,
    /// Share of the light from there that comes through the glass to the camera.
    pub transmittance: Plane<Vec3>,
}

/// Everything known about one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// 0-based index.
    pub index: u32,
    /// One per `Shot::worlds`.
    pub worlds: Vec<WorldImage>,
    /// Label rays of the full world.
    pub labels: Labels,
    /// Label instance of every other world (index 0 is the full world's again).
    pub instance_of_world: Vec<Plane<u32>>,
    /// The same of the second layer.
    pub second_instance_of_world: Vec<Plane<u32>>,
    /// Soft coverage by role from the RGB rays of the full world: x background, y keep, z remove.
    /// The environment is background.
    pub coverage: Plane<Vec3>,
    /// Per object of `Shot::objects` in order: pixels it would cover alone, unoccluded (amodal).
    pub amodal_pixels: Vec<u32>,
    /// Per object: pixels of the label pass.
    pub visible_pixels: Vec<u32>,
    /// Per object: 2D box of what is visible, `[x_min, y_min, x_max, y_max)` in pixels; `None`: not visible.
    pub visible_box: Vec<Option<[u32; 4]>>,
    /// Per object: 2D box of the amodal mask.
    pub amodal_box: Vec<Option<[u32; 4]>>,
    /// Rays traced for the radiance; a figure for benches, in no file.
    pub rays: u64,
    /// Mean log2 luminance of the full radiance over pixels (for exposure), before exposure.
    pub log2_mean_luminance: f32,
}

impl Frame {
    /// Which pixels of the full world show object `id`, row by row: as the first surface or, with
    /// `through_glass`, also in the second layer.
    pub fn showing(&self, id: u32, through_glass: bool) -> impl Iterator<Item = bool> {
        let first = self.labels.instance.data.iter();
        let second = self.labels.second.instance.data.iter();
        first
            .zip(second)
            .map(move |(first, second)| *first == id || (through_glass && *second == id))
    }
}
