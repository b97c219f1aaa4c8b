//! What a point looked like, and where in another picture that is: keeps chained flow from drifting.

use std::cmp::Ordering;

use glam::{DMat2, DVec2};

use crate::plane::Luma;

/// Half side of the patch, pixels of the frame it was taken from.
const HALF: isize = 7;
const SIDE: usize = 2 * HALF as usize + 1;
const PIXELS: usize = SIDE * SIDE;
/// Steps of the search.
const STEPS: usize = 8;
/// Variance of the difference below which it is not believed to lie, levels²: coding and noise.
const LEAST_NOISE: f32 = 6.0;
/// Neighbouring pixels say nearly the same: so many count as one.
const CORRELATED: f32 = 12.0;
/// Half side of the middle, pixels, and the standard deviation of the weights over it.
const MIDDLE: isize = 4;
const MIDDLE_SIGMA: f32 = 2.0;
/// Least standard deviation of a patch that looks like something, levels.
const LEAST_CONTRAST: f32 = 3.0;

/// A patch around a point.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    /// Mean taken away.
    values: Box<[f32; PIXELS]>,
    mean: f32,
    dx: Box<[f32; PIXELS]>,
    dy: Box<[f32; PIXELS]>,
    contrast: f32,
}

/// Where a patch was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Pixels.
    pub(crate) position: DVec2,
    /// Correlation there, 1 at best.
    pub(crate) likeness: f32,
    /// Variance of the position along the direction that is known worst, pixels².
    pub(crate) variance: f64,
}

impl Anchor {
    /// What is seen around `position`.
    pub(crate) fn new(picture: &Luma, position: DVec2) -> Self {
        let value = |x: isize, y: isize| {
            picture.at(position.x as f32 + x as f32, position.y as f32 + y as f32)
        };
        let offsets = offsets();
        let mut values: Box<[f32; PIXELS]> = Box::new(offsets.map(|(x, y)| value(x, y)));
        let mean = values.iter().sum::<f32>() / PIXELS as f32;
        for v in values.iter_mut() {
            *v -= mean;
        }
        let squares: f32 = values.iter().map(|v| v * v).sum();
        Self {
            values,
            mean,
            dx: Box::new(offsets.map(|(x, y)| 0.5 * (value(x + 1, y) - value(x - 1, y)))),
            dy: Box::new(offsets.map(|(x, y)| 0.5 * (value(x, y + 1) - value(x, y - 1)))),
            contrast: (squares / PIXELS as f32).sqrt(),
        }
    }

    /// Does it look like something that can be told from its surroundings?
    pub(crate) fn is_telling(&self) -> bool {
        self.contrast >= LEAST_CONTRAST
    }

    /// The patch as seen at `position` of `picture`, deformed by `shape`: with the anchor's own mean and
    /// contrast, its anchor's values taken away. Also the correlation.
    fn residual(
        &self,
        picture: &Luma,
        position: DVec2,
        shape: DMat2,
        out: &mut [f32; PIXELS],
    ) -> f32 {
        let [a, b, c, d] = shape.to_cols_array().map(|v| v as f32);
        let (px, py) = (position.x as f32, position.y as f32);
        for (value, (x, y)) in out.iter_mut().zip(offsets()) {
            let (x, y) = (x as f32, y as f32);
            *value = picture.at(px + a * x + c * y, py + b * x + d * y);
        }
        let mean = out.iter().sum::<f32>() / PIXELS as f32;
        let (mut squares, mut product) = (0.0, 0.0);
        for (value, own) in out.iter_mut().zip(self.values.iter()) {
            *value -= mean;
            squares += *value * *value;
            product += *value * own;
        }
        let contrast = (squares / PIXELS as f32).sqrt();
        // Light may double or halve; more is another thing.
        let gain = (self.contrast / contrast.max(1e-3)).clamp(0.5, 2.0);
        for (value, own) in out.iter_mut().zip(self.values.iter()) {
            *value = *value * gain - own;
        }
        let scale = PIXELS as f32 * contrast * self.contrast;
        if scale > 0.0 { product / scale } else { 0.0 }
    }

    /// Correlation at a place.
    pub(crate) fn likeness(&self, picture: &Luma, position: DVec2, shape: DMat2) -> f32 {
        self.residual(picture, position, shape, &mut [0.0; PIXELS])
    }

    /// How much the very middle differs at a place, levels: root of the mean square, brightness and all.
    /// What covers a point differs there before the whole patch does.
    pub(crate) fn difference(&self, picture: &Luma, position: DVec2, shape: DMat2) -> f32 {
        let [a, b, c, d] = shape.to_cols_array().map(|v| v as f32);
        let (px, py) = (position.x as f32, position.y as f32);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (own, (x, y)) in self.values.iter().zip(offsets()) {
            if x.abs() > MIDDLE || y.abs() > MIDDLE {
                continue;
            }
            let (x, y) = (x as f32, y as f32);
            let weight = libm::expf(-(x * x + y * y) / (2.0 * MIDDLE_SIGMA * MIDDLE_SIGMA));
            let now = picture.at(px + a * x + c * y, py + b * x + d * y);
            let difference = now - self.mean - own;
            sum += weight * difference * difference;
            weights += weight;
        }
        (sum / weights).sqrt()
    }

    /// Where near `start` the patch is, given that `start` is right with `variance` (pixels²): both are
    /// weighed against each other, so that a patch without texture, or with texture along one direction
    /// only, moves nothing where it knows nothing.
    pub(crate) fn find(&self, picture: &Luma, start: DVec2, shape: DMat2, variance: f64) -> Found {
        let mut residual = [0.0; PIXELS];
        let mut likeness = self.residual(picture, start, shape, &mut residual);
        let dot = |a: &[f32; PIXELS], b: &[f32; PIXELS]| {
            f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>())
        };
        let (xx, xy, yy) = (
            dot(&self.dx, &self.dx),
            dot(&self.dx, &self.dy),
            dot(&self.dy, &self.dy),
        );
        // Displacements are in the anchor's own pixels from here on.
        let back = if shape.determinant().abs() > 1e-6 {
            shape.inverse()
        } else {
            DMat2::IDENTITY
        };
        let mut way = DVec2::ZERO;
        let mut best = Found {
            position: start,
            likeness,
            variance,
        };
        for _ in 0..STEPS {
            let noise = residual.iter().map(|r| r * r).sum::<f32>() / PIXELS as f32;
            let noise = f64::from(noise.max(LEAST_NOISE) * CORRELATED);
            let prior = 1.0
                / (variance * (back.x_axis.length_squared() + back.y_axis.length_squared()) * 0.5);
            let (a, b, d) = (xx / noise + prior, xy / noise, yy / noise + prior);
            let determinant = a * d - b * b;
            let gx = dot(&self.dx, &residual) / noise + prior * way.x;
            let gy = dot(&self.dy, &residual) / noise + prior * way.y;
            let step = DVec2::new(d * gx - b * gy, a * gy - b * gx) / determinant;
            way -= step;
            let position = start + shape * way;
            likeness = self.residual(picture, position, shape, &mut residual);
            // A NaN ends the search too.
            if likeness.partial_cmp(&best.likeness) != Some(Ordering::Greater) {
                break;
            }
            // The smaller eigenvalue of the information.
            let least = 0.5 * (a + d) - (0.25 * (a - d) * (a - d) + b * b).sqrt();
            best = Found {
                position,
                likeness,
                variance: (1.0 / least).min(variance),
            };
            if step.length_squared() < 1e-4 {
                break;
            }
        }
        best
    }
}

/// Places of the patch's pixels around its middle, row by row.
fn offsets() -> [(isize, isize); PIXELS] {
    std::array::from_fn(|i| ((i % SIDE) as isize - HALF, (i / SIDE) as isize - HALF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, moved_texture, paint};

    #[test]
    fn a_patch_is_found_where_it_went() {
        let texture = Texture::new(11);
        let before = moved_texture(texture, 96, 64, 0.0, 0.0);
        let after = moved_texture(texture, 96, 64, 1.3, -0.8);
        for start in [DVec2::new(40.0, 30.0), DVec2::new(25.7, 41.2)] {
            let anchor = Anchor::new(&before, start);
            assert!(anchor.is_telling());
            let found = anchor.find(&after, start, DMat2::IDENTITY, 4.0);
            let expected = start + DVec2::new(1.3, -0.8);
            assert!(found.position.distance(expected) < 0.05, "{found:?}");
            assert!(found.likeness > 0.99 && found.variance < 0.05, "{found:?}");
        }
    }

    #[test]
    fn a_deformed_and_darker_patch_is_found_by_its_shape() {
        let texture = Texture::new(12);
        let shape = DMat2::from_cols(DVec2::new(1.2, 0.1), DVec2::new(-0.15, 1.1));
        let inverse = shape.inverse();
        let middle = DVec2::new(48.0, 32.0);
        let before = paint(96, 64, |x, y| texture.at(x, y));
        let after = paint(96, 64, |x, y| {
            let p = inverse * (DVec2::new(f64::from(x), f64::from(y)) - middle) + middle;
            0.7 * texture.at(p.x as f32, p.y as f32) + 5.0
        });
        let found =
            Anchor::new(&before, middle).find(&after, middle + DVec2::new(0.9, -0.7), shape, 4.0);
        assert!(found.position.distance(middle) < 0.06, "{found:?}");
        assert!(found.likeness > 0.98);
    }

    #[test]
    fn nothing_is_found_along_an_edge() {
        let edge = |dx: f32| paint(96, 64, move |x, _| if x < 48.0 + dx { 40.0 } else { 200.0 });
        let start = DVec2::new(48.0, 32.0);
        let found = Anchor::new(&edge(0.0), start).find(
            &edge(1.0),
            start + DVec2::new(0.4, 0.4),
            DMat2::IDENTITY,
            1.0,
        );
        assert!((found.position.x - 49.0).abs() < 0.1, "{found:?}");
        assert!((found.position.y - 32.4).abs() < 0.01, "{found:?}");
        assert!(found.variance > 0.9);
        assert!(!Anchor::new(&Luma::filled(64, 64, 9.0), DVec2::splat(32.0)).is_telling());
    }
}
