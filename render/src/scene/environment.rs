//! Light from infinitely far away: lookup and importance sampling.

use std::sync::Arc;

use diorama_assets::{EnvironmentMap, Pixels};
use glam::Vec3;

use crate::accel::Simd8;
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

/// A direction towards the environment. Its radiance is a look-up of its own, because most samples
/// turn out not to need it: hidden, or facing away.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentSample {
    /// Unit, world.
    pub direction: Vec3,
    /// Per steradian; 0 at the poles, where there is no direction.
    pub pdf: f32,
    /// Where in the map it lies, for [`Environment::radiance_of`].
    pub place: [f32; 2],
}

/// An environment map as other backends read it.
pub(crate) struct MapTables<'a> {
    /// Texels.
    pub(crate) width: u32,
    /// Texels.
    pub(crate) height: u32,
    /// Row-major, top row first.
    pub(crate) pixels: &'a [[f32; 3]],
    /// Cumulative probability of the rows, `height + 1` values.
    pub(crate) rows: &'a [f32],
    /// The same within each row, `width + 1` values each.
    pub(crate) columns: &'a [f32],
}

#[derive(Debug)]
struct Map {
    source: Arc<EnvironmentMap>,
    width: usize,
    height: usize,
    rows: Distribution,
    /// Within each row.
    columns: Distribution,
}

/// Piecewise-constant distributions over [0, 1), one after the other: cumulative tables with guides
/// that start the search next to its answer (Chen and Asmussen 1974, cutpoint method).
#[derive(Debug)]
struct Distribution {
    /// Intervals of each distribution.
    count: usize,
    /// `count + 1` values from 0 to 1 for each.
    cumulative: Vec<f32>,
    /// For each of `count` equal parts of [0, 1) the interval that holds its start.
    guide: Vec<u16>,
}

impl Distribution {
    /// `weights` are non-negative; each `count` of them, at most 65,536, are a distribution and have a
    /// positive sum.
    fn new(weights: &[f64], count: usize) -> Self {
        let mut cumulative = Vec::with_capacity(weights.len() + weights.len() / count);
        let mut guide = Vec::with_capacity(weights.len());
        for weights in weights.chunks(count) {
            let own = cumulative.len();
            let total: f64 = weights.iter().sum();
            let mut sum = 0.0;
            cumulative.push(0.0);
            for weight in weights {
                sum += weight;
                cumulative.push((sum / total) as f32);
            }
            let mut interval = 0;
            guide.extend((0..count).map(|i| {
                while interval + 1 < count
                    && cumulative[own + interval + 1] <= i as f32 / count as f32
                {
                    interval += 1;
                }
                interval as u16
            }));
        }
        Self {
            count,
            cumulative,
            guide,
        }
    }

    /// Probability of an interval of distribution `which`.
    #[inline(always)]
    fn probability(&self, which: usize, interval: usize) -> f32 {
        let at = which * (self.count + 1) + interval;
        self.cumulative[at + 1] - self.cumulative[at]
    }

    /// Which entry of the guide is asked for `u`.
    #[inline(always)]
    fn guide_index(&self, which: usize, u: f32) -> usize {
        which * self.count + ((u * self.count as f32) as usize).min(self.count - 1)
    }

    /// The first interval that the search for `u` looks at.
    #[inline(always)]
    fn start(&self, which: usize, u: f32) -> usize {
        usize::from(self.guide[self.guide_index(which, u)])
    }

    /// The interval of distribution `which` that holds `u`, where in it (0..1), and its probability.
    #[inline(always)]
    fn find(&self, which: usize, u: f32) -> (usize, f32, f32) {
        let own = which * (self.count + 1);
        let cumulative = &self.cumulative[own..=own + self.count];
        let mut interval = self.start(which, u);
        while interval + 1 < self.count && cumulative[interval + 1] <= u {
            interval += 1;
        }
        // u times count may have rounded up into the next part.
        while cumulative[interval] > u {
            interval -= 1;
        }
        let width = cumulative[interval + 1] - cumulative[interval];
        let within = if width > 0.0 {
            ((u - cumulative[interval]) / width).clamp(0.0, 1.0)
        } else {
            0.5
        };
        (interval, within, width)
    }
}

/// A row of the map, chosen by its light.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentRow {
    row: usize,
    /// Where in it, 0 to 1 from its upper edge; without a map the number it was chosen by.
    within: f32,
    probability: f32,
}

/// A direction in an [`Environment`].
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentPlace {
    /// On the map, 0 to 1 from its left and top edges.
    uv: [f32; 2],
    /// Sine of the angle to the map's poles.
    sin: f32,
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

    /// Angle that a texel of the map spans, radians; infinite without a map.
    pub fn texel_rad(&self) -> f32 {
        self.map.as_ref().map_or(f32::INFINITY, |map| {
            (TWO_PI / map.width as f32).min(std::f32::consts::PI / map.height as f32)
        })
    }

    /// Factor of everything, and sine and cosine of the turn about +Z.
    pub(crate) fn scale_and_turn(&self) -> (Vec3, (f32, f32)) {
        (self.scale, self.rotation)
    }

    /// The map's picture and the cumulative tables that directions are drawn from.
    pub(crate) fn map_tables(&self) -> Option<MapTables<'_>> {
        let map = self.map.as_ref()?;
        let Pixels::RgbF32(pixels) = &map.source.image.pixels else {
            return None;
        };
        Some(MapTables {
            width: map.width as u32,
            height: map.height as u32,
            pixels,
            rows: &map.rows.cumulative,
            columns: &map.columns.cumulative,
        })
    }

    #[inline(always)]
    fn map_from_world(&self, d: Vec3) -> Vec3 {
        let (s, c) = self.rotation;
        Vec3::new(c * d.x + s * d.y, c * d.y - s * d.x, d.z)
    }

    /// Where world direction `d` (unit) lies.
    #[inline(always)]
    pub fn place(&self, d: Vec3) -> EnvironmentPlace {
        if self.map.is_none() {
            return EnvironmentPlace {
                uv: [0.0; 2],
                sin: 1.0,
            };
        }
        let local = self.map_from_world(d);
        let (u, v) = uv_from_direction(local);
        EnvironmentPlace {
            uv: [u, v],
            sin: safe_sqrt(1.0 - local.z * local.z),
        }
    }

    /// Asks the caches for what [`Self::radiance_and_pdf`] reads.
    #[inline(always)]
    pub fn prefetch<S: Simd8>(&self, simd: S, place: &EnvironmentPlace) {
        if let Some(map) = &self.map {
            map.prefetch(simd, place.uv[0], place.uv[1]);
            map.prefetch_density(simd, place.uv[0], place.uv[1]);
        }
    }

    /// Radiance seen at a place and the pdf per steradian with which [`Self::sample`] finds it.
    #[inline(always)]
    pub fn radiance_and_pdf(&self, place: &EnvironmentPlace) -> (Vec3, f32) {
        let Some(map) = &self.map else {
            return (self.scale, 0.25 * INV_PI);
        };
        let [u, v] = place.uv;
        let pdf = if place.sin <= 0.0 {
            0.0
        } else {
            map.density_at(u, v) / (TWO_PI * std::f32::consts::PI * place.sin)
        };
        (map.bilinear(u, v) * self.scale, pdf)
    }

    /// The row of the map that the first of the two numbers of [`Self::sample`] chooses.
    #[inline(always)]
    pub fn row(&self, u: f32) -> EnvironmentRow {
        match &self.map {
            Some(map) => {
                let (row, within, probability) = map.rows.find(0, u);
                EnvironmentRow {
                    row,
                    within,
                    probability,
                }
            }
            None => EnvironmentRow {
                row: 0,
                within: u,
                probability: 1.0,
            },
        }
    }

    /// Asks the caches for what [`Self::sample`] with the same numbers reads first. The tables are larger
    /// than the fast caches and each sample reads another part of them: asked for while the surface is
    /// still being prepared, they are there when they are needed.
    #[inline(always)]
    pub fn prefetch_guide<S: Simd8>(&self, simd: S, row: &EnvironmentRow, u: f32) {
        if let Some(map) = &self.map {
            simd.prefetch(&map.columns.guide[map.columns.guide_index(row.row, u)]);
        }
    }

    /// As [`Self::prefetch_guide`], for what is read next; to be called some time after it.
    #[inline(always)]
    pub fn prefetch_interval<S: Simd8>(&self, simd: S, row: &EnvironmentRow, u: f32) {
        if let Some(map) = &self.map {
            let own = row.row * (map.width + 1);
            simd.prefetch(&map.columns.cumulative[own + map.columns.start(row.row, u)]);
        }
    }

    /// A direction by importance, in a row chosen by [`Self::row`].
    #[inline(always)]
    pub fn sample<S: Simd8>(&self, simd: S, row: &EnvironmentRow, u: f32) -> EnvironmentSample {
        let Some(map) = &self.map else {
            let z = 1.0 - 2.0 * row.within;
            let r = safe_sqrt(1.0 - z * z);
            let (s, c) = sin_cos_2pi(u);
            return EnvironmentSample {
                direction: Vec3::new(r * c, r * s, z),
                pdf: 0.25 * INV_PI,
                place: [row.within, u],
            };
        };
        let (column, du, column_probability) = map.columns.find(row.row, u);
        let x = (column as f32 + du) / map.width as f32;
        let y = (row.row as f32 + row.within) / map.height as f32;
        map.prefetch(simd, x, y);
        let (sin, cos) = sin_cos_2pi(0.5 * y);
        if sin <= 0.0 {
            return EnvironmentSample {
                direction: Vec3::Z,
                pdf: 0.0,
                place: [x, y],
            };
        }
        // u = 0.5 − φ/2π.
        let (sin_phi, cos_phi) = sin_cos_2pi(1.5 - x);
        let local = Vec3::new(sin * cos_phi, sin * sin_phi, cos);
        let (s, c) = self.rotation;
        EnvironmentSample {
            direction: Vec3::new(
                c * local.x - s * local.y,
                c * local.y + s * local.x,
                local.z,
            ),
            pdf: map.density(row.probability, column_probability)
                / (TWO_PI * std::f32::consts::PI * sin),
            place: [x, y],
        }
    }

    /// Radiance at the place of an [`EnvironmentSample`].
    #[inline(always)]
    pub fn radiance_of(&self, place: [f32; 2]) -> Vec3 {
        match &self.map {
            Some(map) => map.bilinear(place[0], place[1]) * self.scale,
            None => self.scale,
        }
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
        let rows = Distribution::new(&row_weights, height);
        let columns = Distribution::new(&weights, width);
        Some(Self {
            source,
            width,
            height,
            rows,
            columns,
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

    /// pdf over the unit square of (u, v) in a texel with these probabilities: from the tables that
    /// sampling reads, so that the two agree exactly.
    #[inline(always)]
    fn density(&self, row_probability: f32, column_probability: f32) -> f32 {
        row_probability * self.height as f32 * column_probability * self.width as f32
    }

    /// Column and row of the texel at (u, v).
    #[inline(always)]
    fn texel(&self, u: f32, v: f32) -> (usize, usize) {
        (
            ((u * self.width as f32) as usize).min(self.width - 1),
            ((v * self.height as f32) as usize).min(self.height - 1),
        )
    }

    /// Asks the caches for what [`Self::density_at`] reads.
    #[inline(always)]
    fn prefetch_density<S: Simd8>(&self, simd: S, u: f32, v: f32) {
        let (x, y) = self.texel(u, v);
        simd.prefetch(&self.columns.cumulative[y * (self.width + 1) + x]);
    }

    #[inline(always)]
    fn density_at(&self, u: f32, v: f32) -> f32 {
        let (x, y) = self.texel(u, v);
        self.density(self.rows.probability(0, y), self.columns.probability(y, x))
    }

    /// Asks the caches for the texels of [`Self::bilinear`].
    #[inline(always)]
    fn prefetch<S: Simd8>(&self, simd: S, u: f32, v: f32) {
        let Pixels::RgbF32(pixels) = &self.source.image.pixels else {
            return;
        };
        let x = (u * self.width as f32 - 0.5).max(0.0) as usize;
        let y = (v * self.height as f32 - 0.5).max(0.0) as usize;
        let at = y * self.width + x;
        let last = pixels.len() - 1;
        simd.prefetch(&pixels[at.min(last)]);
        simd.prefetch(&pixels[(at + self.width).min(last)]);
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
    use crate::accel::Portable;
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
        let seen = |d| environment.radiance_and_pdf(&environment.place(d));
        let n = 768;
        let (mut sum, mut uniform) = (0f64, 0f64);
        for i in 0..n * n {
            let u = [
                ((i % n) as f32 + 0.5) / n as f32,
                ((i / n) as f32 + 0.5) / n as f32,
            ];
            let EnvironmentSample {
                direction: d,
                pdf,
                place,
            } = environment.sample(Portable::TOKEN, &environment.row(u[0]), u[1]);
            let radiance = environment.radiance_of(place);
            assert!(
                (seen(d).1 / pdf - 1.0).abs() < 0.02 || pdf < 1e-3,
                "{} {pdf}",
                seen(d).1
            );
            assert!(
                (seen(d).0 - radiance).abs().max_element() < 0.05 * radiance.max_element() + 1e-3
            );
            sum += f64::from(radiance.y / pdf);
            let z = 1.0 - 2.0 * u[0];
            let (s, c) = sin_cos_2pi(u[1]);
            let r = safe_sqrt(1.0 - z * z);
            uniform += f64::from(seen(Vec3::new(r * c, r * s, z)).0.y) * 4.0 * std::f64::consts::PI;
        }
        let (a, b) = (sum / f64::from(n * n), uniform / f64::from(n * n));
        assert!((a / b - 1.0).abs() < 5e-3, "{a} {b}");
    }
}
