//! Light from infinitely far away: lookup and importance sampling.

use std::sync::Arc;

use diorama_assets::{EnvironmentMap, Pixels};
use glam::Vec3;

use crate::kernels::math::{INV_PI, TWO_PI, acos, atan2, safe_sqrt, sin_cos, sin_cos_2pi};

/// Radiance from infinity in every direction.
#[derive(Debug)]
pub struct Environment {
    /// Factor of everything.
    scale: Vec3,
    /// sin and cos of the turn about +Z.
    rotation: (f32, f32),
    map: Option<Map>,
    /// Mean luminance-like brightness over the sphere, times the scale: for choosing among lights.
    pub mean_brightness: f32,
}

#[derive(Debug)]
struct Map {
    source: Arc<EnvironmentMap>,
    width: usize,
    height: usize,
    rows: Distribution,
    /// Within each row.
    columns: Vec<Distribution>,
    /// pdf over the unit square of (u, v), per texel.
    density: Vec<f32>,
}

/// A piecewise-constant distribution over [0, 1): cumulative table with a guide that starts the
/// search next to its answer (Chen and Asmussen 1974, cutpoint method).
#[derive(Debug)]
struct Distribution {
    /// `n + 1` values from 0 to 1.
    cumulative: Vec<f32>,
    /// For each of `n` equal parts of [0, 1) the interval that holds its start.
    guide: Vec<u16>,
}

impl Distribution {
    /// From any non-negative weights with a positive sum; at most 65,536 of them.
    fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let mut cumulative = Vec::with_capacity(weights.len() + 1);
        cumulative.push(0.0);
        let mut sum = 0.0;
        for weight in weights {
            sum += weight;
            cumulative.push((sum / total) as f32);
        }
        let mut interval = 0;
        let count = weights.len();
        let guide = (0..count)
            .map(|i| {
                while interval + 1 < count && cumulative[interval + 1] <= i as f32 / count as f32 {
                    interval += 1;
                }
                interval as u16
            })
            .collect();
        Self { cumulative, guide }
    }

    /// Probability of an interval.
    #[inline(always)]
    fn probability(&self, interval: usize) -> f32 {
        self.cumulative[interval + 1] - self.cumulative[interval]
    }

    /// The interval that holds `u`, and where in it (0..1).
    #[inline(always)]
    fn find(&self, u: f32) -> (usize, f32) {
        let count = self.guide.len();
        let mut interval = usize::from(self.guide[((u * count as f32) as usize).min(count - 1)]);
        while interval + 1 < count && self.cumulative[interval + 1] <= u {
            interval += 1;
        }
        // u times count may have rounded up into the next part.
        while self.cumulative[interval] > u {
            interval -= 1;
        }
        let width = self.probability(interval);
        let within = if width > 0.0 {
            ((u - self.cumulative[interval]) / width).clamp(0.0, 1.0)
        } else {
            0.5
        };
        (interval, within)
    }
}

fn brightness(c: Vec3) -> f32 {
    (c.x + c.y + c.z) * (1.0 / 3.0)
}

impl Environment {
    /// `map` turned by `rotation_rad` about +Z and multiplied by `scale`; without a map a constant.
    pub fn new(map: Option<Arc<EnvironmentMap>>, scale: Vec3, rotation_rad: f32) -> Self {
        let map = map.and_then(Map::new);
        let mean = map.as_ref().map_or(Vec3::ONE, |m| m.mean().max(Vec3::ZERO));
        Self {
            scale,
            rotation: sin_cos(rotation_rad),
            mean_brightness: brightness(mean * scale),
            map,
        }
    }

    /// Is there any light at all?
    pub fn is_black(&self) -> bool {
        self.mean_brightness <= 0.0
    }

    #[inline(always)]
    fn map_from_world(&self, d: Vec3) -> Vec3 {
        let (s, c) = self.rotation;
        Vec3::new(c * d.x + s * d.y, c * d.y - s * d.x, d.z)
    }

    /// Radiance seen in world direction `d` (unit) and the pdf per steradian of [`Self::sample`].
    #[inline(always)]
    pub fn radiance_and_pdf(&self, d: Vec3) -> (Vec3, f32) {
        let Some(map) = &self.map else {
            return (self.scale, 0.25 * INV_PI);
        };
        let local = self.map_from_world(d);
        let (u, v) = uv_from_direction(local);
        let sin = safe_sqrt(1.0 - local.z * local.z);
        let pdf = if sin <= 0.0 {
            0.0
        } else {
            map.density_at(u, v) / (TWO_PI * std::f32::consts::PI * sin)
        };
        (map.bilinear(u, v) * self.scale, pdf)
    }

    /// Direction (world), radiance and pdf per steradian.
    #[inline(always)]
    pub fn sample(&self, u: [f32; 2]) -> (Vec3, Vec3, f32) {
        let Some(map) = &self.map else {
            let z = 1.0 - 2.0 * u[0];
            let r = safe_sqrt(1.0 - z * z);
            let (s, c) = sin_cos_2pi(u[1]);
            return (Vec3::new(r * c, r * s, z), self.scale, 0.25 * INV_PI);
        };
        let (row, dv) = map.rows.find(u[0]);
        let (column, du) = map.columns[row].find(u[1]);
        let x = (column as f32 + du) / map.width as f32;
        let y = (row as f32 + dv) / map.height as f32;
        let (sin, cos) = sin_cos_2pi(0.5 * y);
        if sin <= 0.0 {
            return (Vec3::Z, Vec3::ZERO, 0.0);
        }
        // u = 0.5 − φ/2π.
        let (sin_phi, cos_phi) = sin_cos_2pi(1.5 - x);
        let local = Vec3::new(sin * cos_phi, sin * sin_phi, cos);
        let (s, c) = self.rotation;
        let world = Vec3::new(
            c * local.x - s * local.y,
            c * local.y + s * local.x,
            local.z,
        );
        let pdf = map.density[row * map.width + column] / (TWO_PI * std::f32::consts::PI * sin);
        (world, map.bilinear(x, y) * self.scale, pdf)
    }
}

#[inline(always)]
fn uv_from_direction(d: Vec3) -> (f32, f32) {
    let u = 0.5 - atan2(d.y, d.x) * (1.0 / TWO_PI);
    (u, acos(d.z) * INV_PI)
}

impl Map {
    fn new(source: Arc<EnvironmentMap>) -> Option<Self> {
        let (width, height) = (source.image.width as usize, source.image.height as usize);
        let Pixels::RgbF32(pixels) = &source.image.pixels else {
            return None;
        };
        let value = |x: usize, y: usize| f64::from(brightness(Vec3::from(pixels[y * width + x])));
        // The integral of the bilinear picture over one texel: weights 1/8, 6/8, 1/8 each way.
        let mut weights = vec![0f64; width * height];
        for y in 0..height {
            let sin = libm::sin(std::f64::consts::PI * (y as f64 + 0.5) / height as f64);
            for x in 0..width {
                let (left, right) = ((x + width - 1) % width, (x + 1) % width);
                let row = |y: usize| (value(left, y) + 6.0 * value(x, y) + value(right, y)) / 8.0;
                let (up, down) = (y.saturating_sub(1), (y + 1).min(height - 1));
                weights[y * width + x] = (row(up) + 6.0 * row(y) + row(down)) / 8.0 * sin;
            }
        }
        let total: f64 = weights.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return None;
        }
        // A floor of 1 % of the mean keeps every lit direction reachable.
        let floor = 0.01 * total / (width * height) as f64;
        for weight in &mut weights {
            *weight += floor;
        }
        let row_weights: Vec<f64> = weights.chunks(width).map(|row| row.iter().sum()).collect();
        let rows = Distribution::new(&row_weights);
        let columns: Vec<Distribution> = weights.chunks(width).map(Distribution::new).collect();
        // Densities from the stored cumulative tables, so that pdf and sampling agree exactly.
        let mut density = Vec::with_capacity(width * height);
        for (y, columns) in columns.iter().enumerate() {
            let row = rows.probability(y) * height as f32;
            density.extend((0..width).map(|x| row * columns.probability(x) * width as f32));
        }
        Some(Self {
            source,
            width,
            height,
            rows,
            columns,
            density,
        })
    }

    fn mean(&self) -> Vec3 {
        let Pixels::RgbF32(pixels) = &self.source.image.pixels else {
            return Vec3::ZERO;
        };
        let mut sum = glam::DVec3::ZERO;
        let mut weight = 0f64;
        for (y, row) in pixels.chunks(self.width).enumerate() {
            let sin = libm::sin(std::f64::consts::PI * (y as f64 + 0.5) / self.height as f64);
            for p in row {
                sum += Vec3::from(*p).as_dvec3() * sin;
                weight += sin;
            }
        }
        (sum / weight).as_vec3()
    }

    #[inline(always)]
    fn density_at(&self, u: f32, v: f32) -> f32 {
        let x = ((u * self.width as f32) as usize).min(self.width - 1);
        let y = ((v * self.height as f32) as usize).min(self.height - 1);
        self.density[y * self.width + x]
    }

    #[inline(always)]
    fn bilinear(&self, u: f32, v: f32) -> Vec3 {
        let Pixels::RgbF32(pixels) = &self.source.image.pixels else {
            return Vec3::ZERO;
        };
        let x = u * self.width as f32 - 0.5;
        let y = (v * self.height as f32 - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x.floor(), y.floor());
        let (s, t) = (x - x0, y - y0);
        // u is in [0, 1], so x0 is −1 at the least and the width at the most.
        let last = self.width - 1;
        let column = x0 as i64;
        let left = if column < 0 {
            last
        } else {
            (column as usize).min(last)
        };
        let right = if left == last { 0 } else { left + 1 };
        let top = y0 as usize;
        let bottom = (top + 1).min(self.height - 1);
        let at = |x: usize, y: usize| Vec3::from(pixels[y * self.width + x]);
        (at(left, top) * (1.0 - s) + at(right, top) * s) * (1.0 - t)
            + (at(left, bottom) * (1.0 - s) + at(right, bottom) * s) * t
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diorama_assets::Image;

    fn spotty_map() -> Arc<EnvironmentMap> {
        let (width, height) = (32u32, 16u32);
        let pixels = (0..width * height)
            .map(|i| {
                if i == 5 * width + 20 {
                    [50.0, 40.0, 30.0]
                } else {
                    [0.2 + (i % 7) as f32 * 0.1; 3]
                }
            })
            .collect();
        Arc::new(EnvironmentMap {
            image: Image {
                name: "spotty".into(),
                width,
                height,
                pixels: Pixels::RgbF32(pixels),
            },
            sun: None,
            description: String::new(),
            night: false,
        })
    }

    #[test]
    fn sampled_radiance_over_pdf_integrates_to_the_mean_and_pdfs_agree() {
        let environment = Environment::new(Some(spotty_map()), Vec3::splat(2.0), 0.7);
        let n = 768;
        let (mut sum, mut uniform) = (0f64, 0f64);
        for i in 0..n * n {
            let u = [
                ((i % n) as f32 + 0.5) / n as f32,
                ((i / n) as f32 + 0.5) / n as f32,
            ];
            let (d, radiance, pdf) = environment.sample(u);
            assert!(
                (environment.radiance_and_pdf(d).1 / pdf - 1.0).abs() < 0.02 || pdf < 1e-3,
                "{} {pdf}",
                environment.radiance_and_pdf(d).1
            );
            assert!(
                (environment.radiance_and_pdf(d).0 - radiance)
                    .abs()
                    .max_element()
                    < 0.05 * radiance.max_element() + 1e-3
            );
            sum += f64::from(radiance.y / pdf);
            let z = 1.0 - 2.0 * u[0];
            let (s, c) = sin_cos_2pi(u[1]);
            let r = safe_sqrt(1.0 - z * z);
            uniform += f64::from(environment.radiance_and_pdf(Vec3::new(r * c, r * s, z)).0.y)
                * 4.0
                * std::f64::consts::PI;
        }
        let (a, b) = (sum / f64::from(n * n), uniform / f64::from(n * n));
        assert!((a / b - 1.0).abs() < 5e-3, "{a} {b}");
    }
}
