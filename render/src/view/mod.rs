//! Display transforms: scene-linear Rec.709 radiance to sRGB display values.
//!
//! `filmic` and `agx` reproduce Blender 4.3's views of the same names (look "None", exposure 0,
//! gamma 1, sRGB display) from tables measured through Blender's own `Image.save_render`; the script
//! is `xtask/python/measure_view.py`. `standard` is the sRGB curve of IEC 61966-2-1, clipped; `none`
//! is the radiance itself, clipped.
//!
//! Rounding to 8 bits is round-half-up of the clamped value, without dither: `floor(255 v + 0.5)`.
//! Every function is pure and computes with IEEE operations and `libm` only, so that its bits depend
//! on nothing but its arguments.

mod agx;
mod filmic;
mod srgb;

use diorama_synth::{frame::Plane, shot::View};
use glam::Vec3;
use rayon::prelude::*;

/// Largest exposed radiance that is told apart; every view is white long before.
const RADIANCE_LIMIT: f32 = 1e9;

/// Display values in 0..=1, sRGB encoded (linear for [`View::None`]), of one linear Rec.709
/// `radiance` times `exposure_scale` (2^ev). Negative and NaN components count as 0.
pub fn display_f32(view: View, exposure_scale: f32, radiance: Vec3) -> Vec3 {
    let exposed = exposed(exposure_scale, radiance);
    let shown = match view {
        View::Filmic => filmic::filmic(exposed),
        View::Agx => agx::agx(exposed),
        View::Standard => exposed.map(|c| srgb::srgb_from_linear(c.min(1.0))),
        View::None => exposed,
    };
    shown.clamp(Vec3::ZERO, Vec3::ONE)
}

/// [`display_f32`] rounded to 8 bits.
pub fn display(view: View, exposure_scale: f32, radiance: Vec3) -> [u8; 3] {
    if view == View::Standard {
        exposed(exposure_scale, radiance)
            .to_array()
            .map(srgb::srgb_level_from_linear)
    } else {
        display_f32(view, exposure_scale, radiance)
            .to_array()
            .map(level)
    }
}

fn exposed(exposure_scale: f32, radiance: Vec3) -> Vec3 {
    (radiance * exposure_scale).map(|c| {
        // False for NaN.
        if c > 0.0 { c.min(RADIANCE_LIMIT) } else { 0.0 }
    })
}

/// 8 bits of a display value.
fn level(shown: f32) -> u8 {
    (shown * 255.0 + 0.5) as u8
}

/// [`display`] of every pixel; rows in parallel, same result for any number of threads.
pub fn display_plane(view: View, exposure_scale: f32, radiance: &Plane<Vec3>) -> Plane<[u8; 3]> {
    let mut shown = Plane::filled(radiance.width, radiance.height, [0; 3]);
    let width = (radiance.width as usize).max(1);
    shown
        .data
        .par_chunks_mut(width)
        .zip(radiance.data.par_chunks(width))
        .for_each(|(row_shown, row)| {
            for (pixel, &value) in row_shown.iter_mut().zip(row) {
                *pixel = display(view, exposure_scale, value);
            }
        });
    shown
}

/// Unsigned 16-bit little-endian fractions of 65535, as the measured tables store them.
fn fractions(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes
        .chunks_exact(2)
        .map(|pair| f32::from(u16::from_le_bytes([pair[0], pair[1]])) / 65535.0)
}

/// A point inside one cell of a cubic lattice: the four corners of its tetrahedron (the Kuhn
/// triangulation that OpenColorIO's tetrahedral interpolation uses) with their weights.
///
/// `position` is in node units, each component in 0..=`last`.
fn tetrahedron(position: [f32; 3], last: usize) -> [([usize; 3], f32); 4] {
    let base = position.map(|p| (p as usize).min(last - 1));
    let mut part: [(f32, usize); 3] =
        std::array::from_fn(|axis| (position[axis] - base[axis] as f32, axis));
    // Walk from the lower to the upper corner along the axes in order of falling fraction.
    let swap = |part: &mut [(f32, usize); 3], a: usize, b: usize| {
        if part[a].0 < part[b].0 {
            part.swap(a, b);
        }
    };
    swap(&mut part, 0, 1);
    swap(&mut part, 1, 2);
    swap(&mut part, 0, 1);
    let mut corner = base;
    let first = (corner, 1.0 - part[0].0);
    corner[part[0].1] += 1;
    let second = (corner, part[0].0 - part[1].0);
    corner[part[1].1] += 1;
    let third = (corner, part[1].0 - part[2].0);
    corner[part[2].1] += 1;
    [first, second, third, (corner, part[2].0)]
}

#[cfg(test)]
mod tests;
