//! Equirectangular pictures from functions of direction.

use core::f32::consts::{PI, TAU};

/// Width of built-in environments, pixels.
pub(super) const WIDTH: u32 = 512;
/// Height of built-in environments, pixels.
pub(super) const HEIGHT: u32 = 256;

/// Unit direction of a place in the picture, both 0 … 1 (see [`crate::EnvironmentMap`]).
fn direction(u: f32, v: f32) -> [f32; 3] {
    let azimuth = (0.5 - u) * TAU;
    let zenith = v * PI;
    let sine = libm::sinf(zenith);
    [
        sine * libm::cosf(azimuth),
        sine * libm::sinf(azimuth),
        libm::cosf(zenith),
    ]
}

/// Row-major picture; each pixel is the mean of `side × side` directions.
pub(super) fn fill_panorama(side: usize, radiance: impl Fn([f32; 3]) -> [f32; 3]) -> Vec<[f32; 3]> {
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT) as usize);
    for j in 0..HEIGHT {
        for i in 0..WIDTH {
            let mut sum = [0.0; 3];
            for s in 0..side * side {
                let at = |pixel: u32, part: usize, size: u32| {
                    (pixel as f32 + (part as f32 + 0.5) / side as f32) / size as f32
                };
                let sample = radiance(direction(at(i, s % side, WIDTH), at(j, s / side, HEIGHT)));
                for channel in 0..3 {
                    sum[channel] += sample[channel] / (side * side) as f32;
                }
            }
            pixels.push(sum);
        }
    }
    pixels
}

/// Rec.709 luma of a linear colour.
pub(super) fn luma(rgb: [f32; 3]) -> f32 {
    0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
}
