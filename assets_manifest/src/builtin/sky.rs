//! The clear and hazy sky as an environment map.
//!
//! Scale: 1 W/m² here is the light that weighs 19.0 klx outdoors, so that the noon sun (60° up,
//! turbidity 2.5) gives 5 W/m² on a surface that faces it: radiance and irradiance are luminous values
//! divided by 683 lm/W times [`SCALE`], in linear Rec.709 with Y = Rec.709 luma.

use core::f32::consts::{FRAC_PI_2, PI};

use crate::environment::SunRecord;
use crate::{EnvironmentMap, Image, Pixels};

use super::atmosphere::{
    Atmosphere, ColourOfSunlight, Conditions, GROUND_ALBEDO, MIE_G, SUN_RADIUS_RAD, Spectrum,
};
use super::panorama::{HEIGHT, WIDTH, fill_panorama, luma};

/// Our W/m² per luminous W/m² (lux over 683).
pub(super) const SCALE: f32 = 0.03596;
/// Height of the eye over the distant ground, km: how far below the horizon haze gives way to ground.
const EYE_KM: f32 = 0.03;
/// Colour of the distant ground: dry grass and soil.
const GROUND_TINT: [f32; 3] = [1.12, 1.0, 0.72];

const ELEVATIONS: usize = 80;
const AZIMUTHS: usize = 48;

/// Sky radiance above the horizon: smooth part and the factor of the aerosol's phase function.
struct SkyTable {
    smooth: Vec<[f32; 3]>,
    peaked: Vec<[f32; 3]>,
}

impl SkyTable {
    fn new(atmosphere: &Atmosphere, colour: &ColourOfSunlight, sun_elevation: f64) -> Self {
        let mut table = Self {
            smooth: Vec::with_capacity(ELEVATIONS * AZIMUTHS),
            peaked: Vec::with_capacity(ELEVATIONS * AZIMUTHS),
        };
        for i in 0..ELEVATIONS {
            // Fine near the horizon, where the path changes most.
            let share = i as f64 / (ELEVATIONS - 1) as f64;
            let elevation = share * share * core::f64::consts::FRAC_PI_2;
            for j in 0..AZIMUTHS {
                let azimuth = core::f64::consts::PI * j as f64 / (AZIMUTHS - 1) as f64;
                let [smooth, peaked] = atmosphere.radiance(elevation, azimuth, sun_elevation);
                let rgb = |spectrum: &Spectrum| colour.rgb(spectrum).map(|c| c * SCALE);
                table.smooth.push(rgb(&smooth));
                table.peaked.push(rgb(&peaked));
            }
        }
        table
    }

    /// Radiance towards a unit direction with z ≥ 0.
    fn at(&self, direction: [f32; 3], to_sun: [f32; 3]) -> [f32; 3] {
        let elevation = libm::asinf(direction[2].clamp(0.0, 1.0));
        let azimuth = libm::atan2f(direction[1], direction[0]).abs();
        let y = (elevation / FRAC_PI_2).sqrt() * (ELEVATIONS - 1) as f32;
        let x = azimuth / PI * (AZIMUTHS - 1) as f32;
        let (i, j) = (
            (y as usize).min(ELEVATIONS - 2),
            (x as usize).min(AZIMUTHS - 2),
        );
        let (fy, fx) = (y - i as f32, x - j as f32);
        let cosine = (0..3).map(|c| direction[c] * to_sun[c]).sum::<f32>();
        let phase = aerosol_phase(cosine);
        [0, 1, 2].map(|channel| {
            let mix = |table: &[[f32; 3]]| {
                let at = |i: usize, j: usize| table[i * AZIMUTHS + j][channel];
                let low = at(i, j) + (at(i, j + 1) - at(i, j)) * fx;
                let high = at(i + 1, j) + (at(i + 1, j + 1) - at(i + 1, j)) * fx;
                low + (high - low) * fy
            };
            mix(&self.smooth) + mix(&self.peaked) * phase
        })
    }
}

/// Cornette and Shanks 1992, 1/sr.
fn aerosol_phase(cosine: f32) -> f32 {
    let g = MIE_G;
    let base = 1.0 + g * g - 2.0 * g * cosine;
    3.0 / (8.0 * PI) * (1.0 - g * g) * (1.0 + cosine * cosine)
        / ((2.0 + g * g) * base * base.sqrt())
}

/// The sky of these conditions, sun over +X and kept out of the picture.
pub(super) fn sky(conditions: Conditions) -> EnvironmentMap {
    let elevation = f64::from(conditions.elevation_deg).to_radians();
    let atmosphere = Atmosphere::new(conditions.turbidity);
    let colour = ColourOfSunlight::new();
    let table = SkyTable::new(&atmosphere, &colour, elevation);
    let to_sun = [
        libm::cos(elevation) as f32,
        0.0,
        libm::sin(elevation) as f32,
    ];
    let sun = colour
        .rgb(&atmosphere.sunlight_at_ground(elevation))
        .map(|c| c * SCALE);

    // What the ground receives and sends back.
    let from_sky = sky_irradiance(&table, to_sun);
    let ground = [0, 1, 2]
        .map(|c| GROUND_ALBEDO * GROUND_TINT[c] / PI * (sun[c] * to_sun[2].max(0.0) + from_sky[c]));
    // Haze in front of it: bands around 610, 550 and 465 nm.
    let extinction = atmosphere.extinction_at_ground();
    let haze = [extinction[8], extinction[6], extinction[3]];

    let pixels = fill_panorama(1, |direction| {
        if direction[2] >= 0.0 {
            return table.at(direction, to_sun);
        }
        let level = (direction[0] * direction[0] + direction[1] * direction[1]).sqrt();
        let horizon = table.at([direction[0] / level, direction[1] / level, 0.0], to_sun);
        let distance = EYE_KM / -direction[2];
        [0, 1, 2].map(|c| {
            // Squared: nearby haze has not yet the brightness of the whole path to the horizon.
            let veil = 1.0 - libm::expf(-haze[c] * distance);
            ground[c] + (horizon[c] - ground[c]) * veil * veil
        })
    });
    EnvironmentMap {
        image: Image {
            name: format!(
                "sky, sun {}° up, turbidity {}",
                conditions.elevation_deg, conditions.turbidity
            ),
            width: WIDTH,
            height: HEIGHT,
            pixels: Pixels::RgbF32(pixels),
        },
        // A sun that gives less than moonlight is left out.
        sun: (luma(sun) > 1e-5).then_some(SunRecord {
            direction_to_sun: to_sun,
            irradiance: sun,
            angular_diameter_rad: (2.0 * SUN_RADIUS_RAD) as f32,
        }),
        description: format!("a {}", noun(conditions)),
        night: conditions.elevation_deg < 0.0,
    }
}

/// Irradiance of a level surface under the sky alone.
fn sky_irradiance(table: &SkyTable, to_sun: [f32; 3]) -> [f32; 3] {
    const ZENITHS: usize = 24;
    const AROUND: usize = 24;
    let mut sum = [0.0; 3];
    for i in 0..ZENITHS {
        // Equal steps of sin² zenith: each direction weighs the same.
        let sine = ((i as f32 + 0.5) / ZENITHS as f32).sqrt();
        for j in 0..AROUND {
            let azimuth = PI * (j as f32 + 0.5) / AROUND as f32;
            let direction = [
                sine * libm::cosf(azimuth),
                sine * libm::sinf(azimuth),
                (1.0 - sine * sine).sqrt(),
            ];
            let radiance = table.at(direction, to_sun);
            for channel in 0..3 {
                sum[channel] += radiance[channel] * PI / (ZENITHS * AROUND) as f32;
            }
        }
    }
    sum
}

/// What to call it, without article: `clear evening sky`.
pub(super) fn noun(conditions: Conditions) -> String {
    let air = if conditions.turbidity < 3.0 {
        "clear"
    } else if conditions.turbidity < 6.0 {
        "hazy"
    } else {
        "murky"
    };
    let elevation = conditions.elevation_deg;
    if elevation < -4.0 {
        "dark blue night sky".to_owned()
    } else if elevation < 0.0 {
        format!("{air} twilight sky")
    } else if elevation < 6.0 {
        format!("{air} sunset sky")
    } else if elevation < 15.0 {
        format!("{air} evening sky")
    } else if elevation < 40.0 {
        format!("{air} afternoon sky")
    } else {
        format!("{air} midday sky")
    }
}
