//! The overcast sky: CIE standard overcast with the soft structure of a stratus layer.

use core::f32::consts::PI;

use crate::{EnvironmentMap, Image, Pixels};

use super::noise::{Noise, hash, range, smooth_step};
use super::panorama::{HEIGHT, WIDTH, fill_panorama};

/// What to call it, without article.
pub(super) fn noun(seed: u32) -> &'static str {
    if level_irradiance(seed) < 0.7 {
        "dark overcast sky"
    } else {
        "bright overcast sky"
    }
}

/// Irradiance of a level surface, W/m² on the scale of [`super::sky`]: 8 to 22 klx.
fn level_irradiance(seed: u32) -> f32 {
    range(hash(u64::from(seed), 0, 0, 31), 0.45, 1.3)
}

/// Luminance follows the CIE standard overcast sky (CIE S 011, type 1 in Moon and Spencer's form):
/// L = L_zenith (1 + 2 sin elevation) / 3.
pub(super) fn overcast(seed: u32) -> EnvironmentMap {
    let stream = hash(u64::from(seed), 0, 0, 32);
    // ∫ L cos = L_zenith π 7/9.
    let zenith = level_irradiance(seed) * 9.0 / (7.0 * PI);
    // Between 6500 and 7500 K; thick parts are bluer.
    let blue = range(hash(stream, 0, 0, 1), 0.0, 0.06);
    let tint = [1.0 - 0.7 * blue, 1.0, 1.0 + 1.3 * blue];
    let depth = range(hash(stream, 0, 0, 2), 0.25, 0.55);
    let ground = zenith * 7.0 / 9.0 * 0.18;
    let horizon = zenith / 3.0;
    let bend = Noise::new(24, 24, 3, stream ^ 9);
    let billow = Noise::new(36, 36, 5, stream);
    let pixels = fill_panorama(1, |direction| {
        let [x, y, z] = direction;
        if z < 0.0 {
            // Haze gives way to ground within a few degrees.
            let clear = libm::expf(-0.012 / -z);
            let earth = [ground * 1.12, ground, ground * 0.75];
            return [0, 1, 2].map(|c| earth[c] * clear + horizon * tint[c] * (1.0 - clear));
        }
        // A flat layer seen from below; its structure is lost in haze towards the horizon.
        let away = 1.0 / (z + 0.12);
        let (u, v) = (x * away / 32.0 + 0.5, y * away / 32.0 + 0.5);
        let bend = 0.012 * bend.at(u, v);
        let billow = billow.at(u + bend, v - bend);
        let clouds = 1.0 + depth * billow * smooth_step(0.02, 0.35, z);
        let radiance = zenith * (1.0 + 2.0 * z) / 3.0 * clouds.max(0.3);
        [0, 1, 2].map(|c| radiance * (1.0 + (tint[c] - 1.0) * (1.6 - clouds)))
    });
    EnvironmentMap {
        image: Image {
            name: format!("overcast {seed}"),
            width: WIDTH,
            height: HEIGHT,
            pixels: Pixels::RgbF32(pixels),
        },
        sun: None,
        description: format!("a {}", noun(seed)),
        night: false,
    }
}
