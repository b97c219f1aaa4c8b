//! Light that a picture of eight bits has lost: what was brighter than its white.
//!
//! **Lift.** A texel of luminance Y (linear, white is 1) becomes `c · (1 + (L − 1) t²)` with
//! `t = clamp((Y − 0.8) / 0.2, 0, 1)` and L = [`LIFT`]: what is darker than 0.8 stays as it is.
//!
//! **Sun.** The brightest spot is the direction d above the horizon where the mean luminance of the
//! picture within 2° plus that within 12° is largest, moved to the middle of what is as bright there.
//! It gives light as far as it stands out: with a the mean luminance within 2° and b that from 15° to
//! 40°, `p = (a − b) / (a + b)`, the sun's luminance is `S · p · E`, E being the lifted picture's
//! irradiance of level ground and S = [`SUN`]. Its colour is the mean within 2°; its disc has the solid
//! angle of what is as bright within 12°, at least the sun's own. An even sky (p below
//! [`LEAST_CONTRAST`]) gets none.

use core::f32::consts::{PI, TAU};

use glam::{DVec3, Vec3};

use crate::environment::SunRecord;
use crate::{EnvironmentMap, Image, Pixels};

/// How much brighter white was than it is stored.
const LIFT: f32 = 4.0;
/// Luminance from which on a texel is lifted.
const LIFTED_FROM: f32 = 0.8;
/// Irradiance of the sun against that of level ground under the sky, for a spot on black.
const SUN: f32 = 6.0;
/// Contrast below which there is no sun.
const LEAST_CONTRAST: f32 = 0.05;
/// Full angle of the sun in the sky, radians.
const LEAST_DIAMETER: f32 = 0.0093;
/// Half angles of the cones of the module text, degrees.
const SPOT_DEG: f32 = 2.0;
const GLOW_DEG: f32 = 12.0;
const AROUND_DEG: [f32; 2] = [15.0, 40.0];
/// Rows of the picture in which the spot is looked for; twice as many columns.
const ROWS: usize = 128;

/// A picture in luminance, small enough to be searched.
struct Coarse {
    luminance: Vec<f32>,
    /// Solid angle of a cell of each row, steradians.
    weights: Vec<f32>,
    directions: Vec<Vec3>,
}

/// Unit direction of a place in an equirectangular picture, `u` and `v` in 0..1.
fn direction(u: f32, v: f32) -> Vec3 {
    let (azimuth, zenith) = ((0.5 - u) * TAU, v * PI);
    let out = libm::sinf(zenith);
    Vec3::new(
        out * libm::cosf(azimuth),
        out * libm::sinf(azimuth),
        libm::cosf(zenith),
    )
}

fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

impl Coarse {
    fn new(texels: &[[f32; 3]], width: usize, height: usize) -> Self {
        let rows = ROWS.min(height);
        let columns = (2 * rows).min(width);
        let span = |index: usize, count: usize, of: usize| {
            let (from, to) = (index * of / count, (index + 1) * of / count);
            from..to.max(from + 1)
        };
        let mut coarse = Self {
            luminance: Vec::with_capacity(rows * columns),
            weights: Vec::with_capacity(rows * columns),
            directions: Vec::with_capacity(rows * columns),
        };
        for row in 0..rows {
            let edge = |row: usize| libm::cosf(row as f32 / rows as f32 * PI);
            let weight = (edge(row) - edge(row + 1)) * TAU / columns as f32;
            for column in 0..columns {
                let (mut sum, mut count) = (0.0f64, 0.0f64);
                for y in span(row, rows, height) {
                    for x in span(column, columns, width) {
                        sum += f64::from(luminance(texels[y * width + x]));
                        count += 1.0;
                    }
                }
                coarse.luminance.push((sum / count) as f32);
                coarse.weights.push(weight);
                coarse.directions.push(direction(
                    (column as f32 + 0.5) / columns as f32,
                    (row as f32 + 0.5) / rows as f32,
                ));
            }
        }
        coarse
    }

    /// Indices of the cells between two half angles of `around`, degrees.
    fn ring(&self, around: Vec3, from_deg: f32, to_deg: f32) -> impl Iterator<Item = usize> {
        let [near, far] = [from_deg, to_deg].map(|angle| libm::cosf(angle.to_radians()));
        // The cosine of a direction with itself may be rounded to more than 1.
        let near = if from_deg == 0.0 { f32::INFINITY } else { near };
        self.directions
            .iter()
            .enumerate()
            .filter(move |(_, direction)| {
                let cosine = direction.dot(around);
                cosine <= near && cosine >= far
            })
            .map(|(index, _)| index)
    }

    /// Mean luminance between two half angles of `around`, degrees.
    fn mean(&self, around: Vec3, from_deg: f32, to_deg: f32) -> f32 {
        let (mut sum, mut weights) = (0.0f64, 0.0f64);
        for index in self.ring(around, from_deg, to_deg) {
            let weight = f64::from(self.weights[index]);
            sum += weight * f64::from(self.luminance[index]);
            weights += weight;
        }
        if weights > 0.0 {
            (sum / weights) as f32
        } else {
            0.0
        }
    }

    /// See the module text. `None`: nothing above the horizon is bright.
    fn spot(&self) -> Option<Vec3> {
        let above = || (0..self.luminance.len()).filter(|i| self.directions[*i].z > 0.0);
        let most = above().map(|i| self.luminance[i]).fold(0.0, f32::max);
        let mut best: Option<(f32, Vec3)> = None;
        // A cell that is far from the brightest one cannot be in the middle of the brightest spot.
        for index in above().filter(|i| most > 0.0 && self.luminance[*i] >= 0.8 * most) {
            let at = self.directions[index];
            let score = self.mean(at, 0.0, SPOT_DEG) + self.mean(at, 0.0, GLOW_DEG);
            if best.is_none_or(|(found, _)| score > found) {
                best = Some((score, at));
            }
        }
        let (_, found) = best?;
        let middle: DVec3 = self
            .bright_around(found)
            .map(|i| (self.directions[i] * self.weights[i]).as_dvec3())
            .sum();
        Some(middle.try_normalize().map_or(found, DVec3::as_vec3))
    }

    /// Cells of the glow of a spot that are as bright as its middle.
    fn bright_around(&self, spot: Vec3) -> impl Iterator<Item = usize> {
        let least = 0.9 * self.mean(spot, 0.0, SPOT_DEG);
        self.ring(spot, 0.0, GLOW_DEG)
            .filter(move |index| self.luminance[*index] >= least)
    }
}

/// `map` with the light that eight bits could not hold. See the module text for the formulas.
pub(crate) fn expand(map: &EnvironmentMap) -> EnvironmentMap {
    let Pixels::RgbF32(texels) = &map.image.pixels else {
        return map.clone();
    };
    let (width, height) = (map.image.width as usize, map.image.height as usize);
    let lifted = texels.iter().map(|texel| {
        let t = ((luminance(*texel) - LIFTED_FROM) / (1.0 - LIFTED_FROM)).clamp(0.0, 1.0);
        texel.map(|channel| channel * (1.0 + (LIFT - 1.0) * t * t))
    });
    let mut expanded = EnvironmentMap {
        image: Image {
            name: map.image.name.clone(),
            width: map.image.width,
            height: map.image.height,
            pixels: Pixels::RgbF32(lifted.collect()),
        },
        sun: map.sun,
        description: map.description.clone(),
        night: map.night,
    };
    if expanded.sun.is_none() {
        expanded.sun = sun(texels, width, height, expanded.level_irradiance());
    }
    expanded
}

/// The sun of a picture whose sky gives level ground `irradiance`.
fn sun(
    texels: &[[f32; 3]],
    width: usize,
    height: usize,
    irradiance: [f32; 3],
) -> Option<SunRecord> {
    let coarse = Coarse::new(texels, width, height);
    let spot = coarse.spot()?;
    let inside = coarse.mean(spot, 0.0, SPOT_DEG);
    let around = coarse.mean(spot, AROUND_DEG[0], AROUND_DEG[1]);
    let contrast = (inside - around) / (inside + around);
    if contrast.is_nan() || contrast < LEAST_CONTRAST {
        return None;
    }
    let solid_angle: f32 = coarse
        .bright_around(spot)
        .map(|index| coarse.weights[index])
        .sum();
    let radius = libm::acosf((1.0 - solid_angle / TAU).clamp(-1.0, 1.0));
    let color = mean_color(texels, width, height, spot);
    let strength = SUN * contrast * luminance(irradiance) / luminance(color).max(1.0e-6);
    Some(SunRecord {
        direction_to_sun: spot.to_array(),
        irradiance: color.map(|channel| channel * strength),
        angular_diameter_rad: (2.0 * radius).max(LEAST_DIAMETER),
    })
}

/// Mean of the texels within 2° of `spot`.
fn mean_color(texels: &[[f32; 3]], width: usize, height: usize, spot: Vec3) -> [f32; 3] {
    let far = libm::cosf(SPOT_DEG.to_radians());
    let (mut sum, mut weights) = ([0.0f64; 3], 0.0f64);
    for (row, line) in texels.chunks(width).enumerate() {
        let v = (row as f32 + 0.5) / height as f32;
        let weight = f64::from(libm::sinf(v * PI));
        for (column, texel) in line.iter().enumerate() {
            if direction((column as f32 + 0.5) / width as f32, v).dot(spot) >= far {
                weights += weight;
                for (sum, channel) in sum.iter_mut().zip(texel) {
                    *sum += weight * f64::from(*channel);
                }
            }
        }
    }
    if weights > 0.0 {
        sum.map(|channel| (channel / weights) as f32)
    } else {
        [1.0; 3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 128;
    const HEIGHT: usize = 64;

    fn picture(light: impl Fn(Vec3) -> [f32; 3]) -> EnvironmentMap {
        let texels = (0..WIDTH * HEIGHT).map(|i| {
            let (x, y) = (i % WIDTH, i / WIDTH);
            light(direction(
                (x as f32 + 0.5) / WIDTH as f32,
                (y as f32 + 0.5) / HEIGHT as f32,
            ))
        });
        EnvironmentMap {
            image: Image {
                name: String::new(),
                width: WIDTH as u32,
                height: HEIGHT as u32,
                pixels: Pixels::RgbF32(texels.collect()),
            },
            sun: None,
            description: String::new(),
            night: false,
        }
    }

    #[test]
    fn a_white_spot_becomes_a_sun_where_it_is() {
        let towards = Vec3::new(-0.48, 0.36, 0.8);
        let day = picture(|d| {
            if d.angle_between(towards) < 0.12 {
                [1.0, 1.0, 0.9]
            } else if d.z > 0.0 {
                [0.2, 0.3, 0.5]
            } else {
                [0.1; 3]
            }
        });
        let lit = expand(&day);
        let sun = lit.sun.unwrap();
        let off = Vec3::from(sun.direction_to_sun).angle_between(towards);
        assert!(off < 0.03, "{off}");
        assert!((sun.angular_diameter_rad - 0.24).abs() < 0.04);
        // Warm as the spot, and the main light of the scene.
        assert!(sun.irradiance[0] > sun.irradiance[2]);
        assert!(luminance(sun.irradiance) > 2.0 * luminance(day.level_irradiance()));
        let (Pixels::RgbF32(before), Pixels::RgbF32(after)) =
            (&day.image.pixels, &lit.image.pixels)
        else {
            panic!("environments are float")
        };
        for (before, after) in before.iter().zip(after) {
            let factor = if before[0] == 1.0 { LIFT } else { 1.0 };
            assert!((after[0] / before[0] - factor).abs() < 0.1 * factor);
        }
    }

    #[test]
    fn an_even_sky_gets_no_sun_and_a_spot_below_the_horizon_is_none() {
        assert_eq!(expand(&picture(|_| [0.9; 3])).sun, None);
        assert_eq!(expand(&picture(|_| [0.0; 3])).sun, None);
        let reflection = picture(|d| [if d.z < -0.8 { 1.0 } else { 0.4 }; 3]);
        assert_eq!(expand(&reflection).sun, None);
    }
}
