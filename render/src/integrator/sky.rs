//! Where a block of pixels shows nothing but the sky.
//!
//! Known from the camera and the geometry before a ray is traced, so that samples may be saved there
//! without a look at any: a pixel that counted its own samples would come out too dark or too bright.

use std::ops::Range;

use glam::Vec2;

use super::worlds::WorldTracer;
use crate::accel::Beam;
use crate::kernels::camera::FILTER_WIDTH;

/// Pixels that a texel of the environment must span for a few samples to find all there is to see: what
/// is between texels is interpolated, and smooth.
const ENLARGED: f32 = 2.0;
/// Pixels that the beam of a block is wider than its samples reach, for rounding.
const MARGIN: f32 = 0.01;

impl WorldTracer<'_> {
    /// The worlds in which a camera ray of the block may show more than the smooth parts of an enlarged
    /// sky.
    pub(super) fn worlds_beyond_sky(&self, columns: &Range<u32>, rows: &Range<u32>) -> u32 {
        let (scene, camera) = (self.scene, &self.scene.cameras[1]);
        let worlds = scene.all_worlds();
        let is_pinhole = camera.aperture_radius <= 0.0 && scene.cameras[0] == scene.cameras[2];
        // In the middle of the picture, where pixels are widest.
        let pixel_rad = 2.0 * camera.tan_half_width / camera.width;
        if !is_pinhole || scene.fixed.environment.texel_rad() < ENLARGED * pixel_rad {
            return worlds;
        }
        // From the centre of the outermost pixel to the end of its filter.
        let beyond = 0.5 * FILTER_WIDTH - 0.5 + MARGIN;
        let (left, right) = (columns.start as f32 - beyond, columns.end as f32 + beyond);
        let (top, bottom) = (rows.start as f32 - beyond, rows.end as f32 + beyond);
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let beam = Beam::new(
            camera.origin,
            corners.map(|(x, y)| camera.direction_through(Vec2::new(x, y))),
        );
        scene.tlas.worlds_that_may_be_met(&beam, worlds)
    }
}
