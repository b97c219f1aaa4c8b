//! Light from infinitely far away.

use serde::{Deserialize, Serialize};

use crate::{Image, Pixels};

/// An equirectangular picture of incoming radiance, W/(m²·sr), linear Rec.709.
///
/// Row 0 is the zenith (+Z). Column direction follows Blender's equirectangular mapping:
/// a direction d has `u = 0.5 − atan2(d.y, d.x) / 2π` and `v = acos(d.z) / π` (v from the top).
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentMap {
    /// 2:1 picture with [`crate::Pixels::RgbF32`].
    pub image: Image,
    /// The sun, when it is kept out of the picture because it would be a few pixels wide.
    pub sun: Option<SunRecord>,
    /// What to call the light in a caption, e.g. `a clear evening sky`.
    pub description: String,
    /// True when the picture is a night scene (the exposure limits of a shot differ).
    pub night: bool,
}

impl EnvironmentMap {
    /// Irradiance of level ground under the picture alone, the sun left out, W/m², linear Rec.709.
    /// Zero for a picture that is not float.
    pub fn level_irradiance(&self) -> [f32; 3] {
        let Pixels::RgbF32(pixels) = &self.image.pixels else {
            return [0.0; 3];
        };
        let (width, height) = (self.image.width as usize, self.image.height as usize);
        let mut sum = [0.0f64; 3];
        // Rows above the horizon; of an odd number the middle one counts by its upper half.
        for (row, line) in pixels.chunks(width.max(1)).enumerate() {
            let angle = |row: f64| (row / height as f64).min(0.5) * std::f64::consts::PI;
            let (top, bottom) = (angle(row as f64), angle(row as f64 + 1.0));
            // ∫ cos θ sin θ dθ over the row, times the azimuths of one column.
            let sine = |angle: f64| libm::sin(angle) * libm::sin(angle) * 0.5;
            let weight = (sine(bottom) - sine(top)) * std::f64::consts::TAU / width as f64;
            if weight <= 0.0 {
                break;
            }
            for pixel in line {
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += f64::from(*value) * weight;
                }
            }
        }
        sum.map(|channel| channel as f32)
    }

    /// Irradiance of level ground under the picture and the sun, W/m², linear Rec.709.
    pub fn ground_irradiance(&self) -> [f32; 3] {
        let mut irradiance = self.level_irradiance();
        if let Some(sun) = &self.sun {
            for (level, facing) in irradiance.iter_mut().zip(sun.irradiance) {
                *level += facing * sun.direction_to_sun[2].max(0.0);
            }
        }
        irradiance
    }
}

/// A distant disc of constant radiance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SunRecord {
    /// Unit vector from the scene to the disc's centre.
    pub direction_to_sun: [f32; 3],
    /// Irradiance on a surface facing it, W/m², linear Rec.709.
    pub irradiance: [f32; 3],
    /// Full angle of the disc, radians; 0: a point.
    pub angular_diameter_rad: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_ground_sees_the_upper_half_by_its_cosine() {
        let (width, height) = (6usize, 3usize);
        // Row 1 spans the horizon: its upper half is 60° to 90° from the zenith.
        let pixels = [[4.0f32, 0.0, 1.0], [0.0, 4.0, 1.0], [9.0, 9.0, 1.0]]
            .iter()
            .flat_map(|row| vec![*row; width])
            .collect();
        let map = EnvironmentMap {
            image: Image {
                name: String::new(),
                width: width as u32,
                height: height as u32,
                pixels: Pixels::RgbF32(pixels),
            },
            sun: None,
            description: String::new(),
            night: false,
        };
        // π times sin² 60° of one, the rest of the other; a sky of radiance 1 gives π.
        let expected = [3.0, 1.0, 1.0].map(|share| share * core::f32::consts::PI);
        for (found, expected) in map.level_irradiance().into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }
}
