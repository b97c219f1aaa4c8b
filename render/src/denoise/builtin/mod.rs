//! Our own denoiser: deterministic, for one picture at a time, on the CPU.
//!
//! Two passes over the picture in linear radiance:
//!
//! 1. A non-local mean: each pixel becomes the weighted mean of a small window. Weights compare the
//!    patches around two pixels against the noise that their variances predict (Rousselle, Knaus &
//!    Zwicker 2012), times how alike the first surfaces are. This is the *pilot*.
//! 2. A first-order regression (Bitterli et al. 2016): in a larger window the noisy colour is fitted
//!    as a linear function of base colour, normal and depth. Weights compare patches of the pilot, as
//!    it is and divided by the base colour, whichever is more alike.
//!
//! Distances are relative to noise and brightness, so the result does not depend on the unit of
//! radiance. Nothing assumes a diffuse surface: where the features say nothing (mirrors, glass), the
//! pilot alone decides what is averaged.
//!
//! Pixels whose variance is 0 are exact and stay as they are, bit for bit (black ones only where
//! their neighbours are exact too, since a pixel that has missed all light so far is not exact). So do
//! pixels that show nothing but the environment with noise that nobody could see
//! ([`Settings::invisible`]): half of many pictures, which costs nothing then.
//!
//! The result is the same for any number of threads and any instruction set: tiles depend on the
//! picture's size only, every sum has one order, and no operation is fused. A pixel depends on no
//! other farther away than [`Settings::reach`].

mod average;
mod features;
mod planes;
mod prepare;
mod regression;
#[cfg(test)]
mod tests;
mod weights;

use std::sync::LazyLock;

use glam::Vec3;
use rayon::prelude::*;

use super::DenoiseInput;
use crate::accel::Isa;
use features::Features;
use planes::{LARGEST_REACH, Tile};
use regression::Guides;
use weights::{Comparison, Guide};

/// Parameters, found by search over path-traced scenes of 128 samples per pixel (diffuse, glossy,
/// metal, glass; textured; under sun and sky, and in a studio) against references of 6,144.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Search radius of the first pass, pixels, at most 8. Smaller: noisier pilot; larger: slower.
    pub pilot_search: usize,
    /// Patch radius of the first pass, pixels. Smaller: noise is taken for structure; larger: the rims
    /// of structures keep their noise. With the search radius at most 11.
    pub pilot_patch: usize,
    /// Difference of patches, in standard deviations of their noise, that lowers the weight to 1/e
    /// in the first pass. Larger smooths more.
    pub pilot_damping: f32,
    /// Search radius of the second pass, pixels, at most 10. Larger: less noise left in even regions,
    /// quadratically slower.
    pub search: usize,
    /// Patch radius of the second pass, pixels.
    pub patch: usize,
    /// As `pilot_damping`, for the second pass.
    pub damping: f32,
    /// Relative difference that counts like one standard deviation where the pilot has no noise
    /// left, at most the noise of the picture. Larger: smoother, and soft detail fades.
    pub tolerance: f32,
    /// Difference of base colour that is tolerated on top of what is usual around the pixel, 0..1.
    pub albedo_tolerance: f32,
    /// The same for unit normals.
    pub normal_tolerance: f32,
    /// The same for depth as d / (d + median depth).
    pub depth_tolerance: f32,
    /// Expected change of colour, relative to its mean, per unit of a feature. Larger: features explain
    /// more, and noise is mistaken for their effect.
    pub slope_prior: f32,
    /// Base colours are divided out as if at least this bright.
    pub darkest_albedo: f32,
    /// Standard deviation, as a share of each channel's value, below which a pixel of the environment stays
    /// as it is. A level of eight bits is about 0.017 of a middle grey. Not for surfaces: the variance of
    /// well-placed samples says little about an edge.
    pub invisible: f32,
}

/// How far the smoothing of features (5 px) with the noise that guides it (4 px) and the steepness
/// (1 px) see; the smoothing of colour and variance sees less.
const PREPARATION_REACH: usize = 10;

impl Default for Settings {
    fn default() -> Self {
        Self {
            pilot_search: 4,
            pilot_patch: 3,
            pilot_damping: 0.6,
            search: 7,
            patch: 1,
            damping: 1.2,
            tolerance: 0.03,
            albedo_tolerance: 0.05,
            normal_tolerance: 0.05,
            depth_tolerance: 0.03,
            slope_prior: 2.0,
            darkest_albedo: 0.1,
            invisible: 0.008,
        }
    }
}

impl Settings {
    /// Pixels farther apart than this, in x or in y, do not influence each other: both passes with
    /// their patches, and the windows of the preparation and of the features.
    pub fn reach(&self) -> usize {
        self.pilot_search + self.pilot_patch + self.search + self.patch + PREPARATION_REACH
    }
}

/// `DIORAMA_ISA`, or the widest; a wrong name there is reported where rays are traced. The result
/// does not depend on it.
static ISA: LazyLock<Isa> = LazyLock::new(|| Isa::detect().unwrap_or(Isa::Portable));

/// The picture without its noise; see the module text.
///
/// # Panics
/// When a slice of `input` has not `width * height` values.
pub fn denoise(input: &DenoiseInput) -> Vec<Vec3> {
    denoise_with(input, &Settings::default(), *ISA)
}

/// [`denoise`] with other settings or another instruction set.
///
/// # Panics
/// When a slice of `input` has not `width * height` values, or windows are larger than [`Settings`]
/// allows.
pub fn denoise_with(input: &DenoiseInput, settings: &Settings, isa: Isa) -> Vec<Vec3> {
    input.check();
    assert!(
        settings.pilot_search + settings.pilot_patch <= LARGEST_REACH
            && settings.search + settings.patch <= LARGEST_REACH,
        "windows too large: {settings:?}"
    );
    let size = (input.width, input.height);
    let (width, height) = size;
    if input.variance.iter().all(|&v| v == Vec3::ZERO) {
        return input.color.to_vec();
    }
    let noisy = prepare::prepare(width, height, input.color, input.variance);
    let stays = Stays {
        width,
        pixels: (0..input.color.len())
            .into_par_iter()
            .map(|i| is_exact(input, i) || is_clean_sky(input, &noisy, i, settings.invisible))
            .collect(),
    };
    let features = Features::new(input, settings);
    let pilot = average::average(
        size,
        &noisy,
        &features,
        (
            &stays,
            settings.search + settings.patch,
            settings.pilot_search as isize,
        ),
        Comparison {
            patch: settings.pilot_patch,
            damping: settings.pilot_damping,
            tolerance: settings.tolerance,
        },
        isa,
    );
    let base: Vec<Vec3> = input
        .albedo
        .iter()
        .map(|albedo| albedo.map(|a| a.max(settings.darkest_albedo).min(1.0)))
        .collect();
    let divided = |picture: &[Vec3], times: u32| -> Vec<Vec3> {
        picture
            .iter()
            .zip(&base)
            .map(|(&value, &base)| (0..times).fold(value, |value, _| value / base))
            .collect()
    };
    let comparison = Comparison {
        patch: settings.patch,
        damping: settings.damping,
        tolerance: settings.tolerance,
    };
    let guides = Guides {
        plain: Guide::new(
            size,
            &pilot.color,
            &pilot.variance,
            &noisy.variance,
            comparison,
        ),
        divided: Guide::new(
            size,
            &divided(&pilot.color, 1),
            &divided(&pilot.variance, 2),
            &divided(&noisy.variance, 2),
            comparison,
        ),
    };
    let mut denoised = regression::regress(size, &noisy, &stays, &guides, &features, settings, isa);
    for ((pixel, color), stays) in denoised.iter_mut().zip(input.color).zip(&stays.pixels) {
        if *stays {
            *pixel = *color;
        }
    }
    denoised
}

/// Which pixels stay as they are: nothing needs to be worked out for them.
struct Stays {
    width: usize,
    pixels: Vec<bool>,
}

impl Stays {
    /// Do all pixels of the tile, and all that are at most `around` pixels from it?
    fn all(&self, tile: Tile, around: usize) -> bool {
        let columns = tile.x.saturating_sub(around)..self.width.min(tile.x + tile.width + around);
        self.pixels
            .chunks(self.width)
            .skip(tile.y.saturating_sub(around))
            .take(tile.y + tile.height + around - tile.y.saturating_sub(around))
            .all(|row| row[columns.clone()].iter().all(|stays| *stays))
    }
}

/// Has no sample of pixel `i` met a surface, and is its noise below `share` of its value? By the smoothed
/// variance: that of few samples may be small by chance.
fn is_clean_sky(input: &DenoiseInput, noisy: &prepare::Prepared, i: usize, share: f32) -> bool {
    let limit = noisy.color[i] * share;
    input.depth[i] == 0.0
        && input.normal[i] == Vec3::ZERO
        && input.albedo[i] == Vec3::ZERO
        && noisy.variance[i].cmplt(limit * limit).all()
}

/// Has pixel `i` no noise? See the module text.
fn is_exact(input: &DenoiseInput, i: usize) -> bool {
    let exact = |i: usize| input.variance[i] == Vec3::ZERO;
    if !exact(i) || !input.color[i].is_finite() {
        return false;
    }
    let (x, y) = (i % input.width, i / input.width);
    input.color[i] != Vec3::ZERO
        || (y.saturating_sub(1)..=(y + 1).min(input.height - 1)).all(|y| {
            (x.saturating_sub(1)..=(x + 1).min(input.width - 1)).all(|x| exact(y * input.width + x))
        })
}
