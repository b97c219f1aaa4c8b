//! Dense optical flow from one picture to another, coarse to fine.

use crate::dis::search;
use crate::plane::{Luma, Pyramid, Spot};
use crate::refine::{RefineSettings, refine};

/// Where every pixel of a picture goes, pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// To the right, row by row.
    pub u: Vec<f32>,
    /// Downwards.
    pub v: Vec<f32>,
}

impl Flow {
    pub(crate) fn zero(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            u: vec![0.0; width * height],
            v: vec![0.0; width * height],
        }
    }

    /// Bilinear between pixel centres; outside the picture that of its border.
    pub fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let spot = Spot::new(x, y, self.width, self.height);
        [spot.of(&self.u), spot.of(&self.v)]
    }

    /// The same motion for a picture twice as large.
    fn doubled(&self, width: usize, height: usize) -> Self {
        let mut flow = Self::zero(width, height);
        for y in 0..height {
            for x in 0..width {
                let spot = Spot::new(
                    (x as f32 + 0.5) * 0.5,
                    (y as f32 + 0.5) * 0.5,
                    self.width,
                    self.height,
                );
                flow.u[y * width + x] = 2.0 * spot.of(&self.u);
                flow.v[y * width + x] = 2.0 * spot.of(&self.v);
            }
        }
        flow
    }
}

/// How flow is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowSettings {
    /// Finest level on which patches are searched for: 0 is the whole picture, 1 its half.
    pub finest_search: usize,
    /// Pixels between patches.
    pub stride: usize,
    /// Steps of the search from each start.
    pub search_steps: usize,
    /// Strength of smoothness against brightness, of the refinement.
    pub smoothness: f32,
    /// Outer steps of the refinement on the levels below the finest, and on the finest.
    pub refine_steps: [usize; 2],
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            finest_search: 1,
            stride: 4,
            search_steps: 12,
            smoothness: 20.0,
            refine_steps: [5, 4],
        }
    }
}

/// Estimates flow: patches found by inverse search from coarse to fine (Kroeger, Timofte, Dai and Van
/// Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016), each level refined by a variational
/// model of constant brightness and gradient (Brox, Bruhn, Papenberg and Weickert, "High Accuracy Optical
/// Flow Estimation Based on a Theory for Warping", ECCV 2004).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DenseFlow {
    /// How.
    pub settings: FlowSettings,
}

impl DenseFlow {
    /// Where each pixel of `from` is in `to`; both of one size.
    pub fn estimate(&self, from: &Pyramid, to: &Pyramid) -> Flow {
        let settings = &self.settings;
        let count = from.levels.len().min(to.levels.len());
        let smallest = &from.levels[count - 1];
        let mut flow = Flow::zero(smallest.width, smallest.height);
        for level in (0..count).rev() {
            let (a, b) = (&from.levels[level], &to.levels[level]);
            if (flow.width, flow.height) != (a.width, a.height) {
                flow = flow.doubled(a.width, a.height);
            }
            // A picture too small to have a half is searched as it is.
            if level >= settings.finest_search.min(count - 1) {
                flow = search(a, b, &flow, settings);
            }
            let [below, finest] = settings.refine_steps;
            let how = RefineSettings {
                smoothness: settings.smoothness,
                steps: if level == 0 { finest } else { below },
                ..RefineSettings::default()
            };
            refine(a, b, &mut flow, &how);
        }
        flow
    }

    /// Flow there and back.
    pub(crate) fn both_ways(&self, a: &Pyramid, b: &Pyramid) -> [Flow; 2] {
        let (there, back) = rayon::join(|| self.estimate(a, b), || self.estimate(b, a));
        [there, back]
    }
}

/// Derivatives along x and y: central differences of five points, as flow models take them.
pub(crate) fn gradients(picture: &Luma) -> [Vec<f32>; 2] {
    let (width, height) = (picture.width, picture.height);
    let mut dx = vec![0.0; width * height];
    let mut dy = vec![0.0; width * height];
    let five = |a: f32, b: f32, c: f32, d: f32| (8.0 * (c - b) - (d - a)) / 12.0;
    for y in 0..height {
        let row = &picture.data[y * width..(y + 1) * width];
        let at = |dy: isize| {
            let y = (y as isize + dy).clamp(0, height as isize - 1) as usize;
            &picture.data[y * width..(y + 1) * width]
        };
        let (a, b, c, d) = (at(-2), at(-1), at(1), at(2));
        for x in 0..width {
            dy[y * width + x] = five(a[x], b[x], c[x], d[x]);
            let left = |k: usize| row[x.saturating_sub(k)];
            let right = |k: usize| row[(x + k).min(width - 1)];
            dx[y * width + x] = five(left(2), left(1), right(1), right(2));
        }
    }
    [dx, dy]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, moved_texture, paint};

    fn flow(a: Luma, b: Luma) -> Flow {
        DenseFlow::default().estimate(&Pyramid::new(a), &Pyramid::new(b))
    }

    /// Mean length of the error, over pixels at least `margin` from the border.
    fn error(flow: &Flow, margin: usize, truth: impl Fn(f32, f32) -> [f32; 2]) -> f32 {
        let (mut sum, mut count) = (0.0, 0.0);
        for y in margin..flow.height - margin {
            for x in margin..flow.width - margin {
                let [u, v] = truth(x as f32 + 0.5, y as f32 + 0.5);
                let i = y * flow.width + x;
                sum +=
                    ((flow.u[i] - u) * (flow.u[i] - u) + (flow.v[i] - v) * (flow.v[i] - v)).sqrt();
                count += 1.0;
            }
        }
        sum / count
    }

    #[test]
    fn translations_are_found_to_a_few_hundredths_of_a_pixel() {
        let texture = Texture::new(5);
        for (dx, dy) in [
            (0.0, 0.0),
            (0.4, -0.3),
            (3.7, 2.2),
            (-13.4, 6.1),
            (30.0, -9.0),
        ] {
            let found = flow(
                moved_texture(texture, 160, 96, 0.0, 0.0),
                moved_texture(texture, 160, 96, dx, dy),
            );
            let error = error(&found, 34, |_, _| [dx, dy]);
            assert!(error < 0.06, "({dx}, {dy}): {error}");
        }
    }

    #[test]
    fn rotation_and_zoom_are_found() {
        let texture = Texture::new(6);
        let (sin, cos, zoom) = (0.05f32, 0.998_75f32, 1.04f32);
        let place = |x: f32, y: f32| {
            let (x, y) = (x - 80.0, y - 48.0);
            [
                zoom * (cos * x - sin * y) + 80.0,
                zoom * (sin * x + cos * y) + 48.0,
            ]
        };
        let back = |x: f32, y: f32| {
            let (x, y) = ((x - 80.0) / zoom, (y - 48.0) / zoom);
            [cos * x + sin * y + 80.0, cos * y - sin * x + 48.0]
        };
        let found = flow(
            paint(160, 96, |x, y| texture.at(x, y)),
            paint(160, 96, |x, y| {
                let [x, y] = back(x, y);
                texture.at(x, y)
            }),
        );
        let error = error(&found, 12, |x, y| {
            let [px, py] = place(x, y);
            [px - x, py - y]
        });
        assert!(error < 0.08, "{error}");
    }

    #[test]
    fn a_change_of_light_moves_nothing() {
        let texture = Texture::new(7);
        let bright = moved_texture(texture, 128, 96, 0.0, 0.0);
        let mut dark = moved_texture(texture, 128, 96, 2.0, 1.0);
        for v in &mut dark.data {
            *v = *v * 0.9 + 8.0;
        }
        let error = error(&flow(bright, dark), 8, |_, _| [2.0, 1.0]);
        assert!(error < 0.15, "{error}");
    }

    #[test]
    fn an_object_before_a_background_keeps_its_own_motion() {
        let (ground, object) = (Texture::new(8), Texture::new(9));
        let picture = |f: f32| {
            paint(160, 96, |x, y| {
                let (ox, oy) = (x - 60.0 - 5.0 * f, y - 30.0 - 2.0 * f);
                if (0.0..40.0).contains(&ox) && (0.0..36.0).contains(&oy) {
                    object.at(ox, oy)
                } else {
                    ground.at(x + 2.0 * f, y)
                }
            })
        };
        let found = flow(picture(0.0), picture(1.0));
        let mean = |x0: usize, x1: usize, y0: usize, y1: usize, truth: [f32; 2]| {
            let pixels = (y0..y1).flat_map(|y| (x0..x1).map(move |x| y * 160 + x));
            let errors = pixels.map(|i| {
                (found.u[i] - truth[0])
                    .abs()
                    .max((found.v[i] - truth[1]).abs())
            });
            let errors: Vec<f32> = errors.collect();
            errors.iter().sum::<f32>() / errors.len() as f32
        };
        assert!(mean(64, 96, 34, 62, [5.0, 2.0]) < 0.1);
        assert!(mean(8, 50, 8, 88, [-2.0, 0.0]) < 0.1);
        assert!(mean(115, 150, 8, 88, [-2.0, 0.0]) < 0.1);
    }

    #[test]
    fn pictures_without_texture_or_size_are_no_trouble() {
        for (width, height) in [(1, 1), (2, 3), (7, 90), (64, 48)] {
            let flat = || Luma::filled(width, height, 128.0);
            assert_eq!(flow(flat(), flat()), Flow::zero(width, height));
        }
    }
}
