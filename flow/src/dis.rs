//! Inverse search of patches on one level of the pyramid, and the dense flow they vote for.

use crate::dense::{Flow, FlowSettings, gradients};
use crate::plane::Luma;

/// Side of a patch, pixels.
const PATCH: usize = 8;
const PIXELS: usize = PATCH * PATCH;
/// Squared gradients that a patch is thought to have of itself, levels².
const DAMPING: f32 = PIXELS as f32;
/// Pixels repeated around the second picture, so that windows may hang over its border.
const BORDER: usize = PATCH;

/// A picture with its border pixels repeated outwards.
struct Padded {
    stride: usize,
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl Padded {
    fn new(picture: &Luma) -> Self {
        // One more to the right and below, for bilinear neighbours.
        let (stride, rows) = (
            picture.width + 2 * BORDER + 1,
            picture.height + 2 * BORDER + 1,
        );
        let mut data = Vec::with_capacity(stride * rows);
        for y in 0..rows as isize {
            for x in 0..stride as isize {
                data.push(picture.clamped(x - BORDER as isize, y - BORDER as isize));
            }
        }
        Self {
            stride,
            width: picture.width,
            height: picture.height,
            data,
        }
    }

    /// The window whose first pixel lies at (x, y) in pixel indices; held where at least the border is seen.
    fn window(&self, x: f32, y: f32, out: &mut [f32; PIXELS]) {
        let hold = |v: f32, size: usize| {
            let v = (v + BORDER as f32)
                .max(0.0)
                .min((size + BORDER) as f32 - 0.001);
            let low = v as usize;
            (low, v - low as f32)
        };
        let (i, fx) = hold(x, self.width.max(PATCH) - PATCH + BORDER);
        let (j, fy) = hold(y, self.height.max(PATCH) - PATCH + BORDER);
        let (i, j) = (
            i.min(self.stride - PATCH - 1),
            j.min(self.data.len() / self.stride - PATCH - 1),
        );
        let weights = [
            (1.0 - fx) * (1.0 - fy),
            fx * (1.0 - fy),
            (1.0 - fx) * fy,
            fx * fy,
        ];
        for row in 0..PATCH {
            let from = (j + row) * self.stride + i;
            let top = &self.data[from..=from + PATCH];
            let bottom = &self.data[from + self.stride..=from + self.stride + PATCH];
            let line = &mut out[row * PATCH..(row + 1) * PATCH];
            for k in 0..PATCH {
                line[k] = (weights[0] * top[k] + weights[1] * top[k + 1])
                    + (weights[2] * bottom[k] + weights[3] * bottom[k + 1]);
            }
        }
    }
}

/// A patch of the first picture, its mean taken away, and what the search needs of it.
struct Template {
    x: usize,
    y: usize,
    values: [f32; PIXELS],
    dx: [f32; PIXELS],
    dy: [f32; PIXELS],
    /// Inverse of the matrix of the normal equations.
    inverse: [f32; 3],
}

impl Template {
    fn new(picture: &Luma, gradient: &[Vec<f32>; 2], x: usize, y: usize) -> Self {
        let cut = |data: &[f32]| -> [f32; PIXELS] {
            std::array::from_fn(|i| {
                let column = (x + i % PATCH).min(picture.width - 1);
                let row = (y + i / PATCH).min(picture.height - 1);
                data[row * picture.width + column]
            })
        };
        let centred = |mut values: [f32; PIXELS]| {
            let mean = values.iter().sum::<f32>() / PIXELS as f32;
            for v in &mut values {
                *v -= mean;
            }
            values
        };
        // With means gone from values and gradients a change of brightness is no motion.
        let (dx, dy) = (centred(cut(&gradient[0])), centred(cut(&gradient[1])));
        let dot =
            |a: &[f32; PIXELS], b: &[f32; PIXELS]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (xx, xy, yy) = (dot(&dx, &dx), dot(&dx, &dy), dot(&dy, &dy));
        // Damped: a patch of noise, or along an edge, hardly leaves where it starts.
        let (xx, yy) = (xx + DAMPING, yy + DAMPING);
        let determinant = xx * yy - xy * xy;
        let inverse = [yy / determinant, -xy / determinant, xx / determinant];
        Self {
            x,
            y,
            values: centred(cut(&picture.data)),
            dx,
            dy,
            inverse,
        }
    }

    /// What is left of the difference at a displacement, and its sum of squares.
    fn residual(&self, to: &Padded, at: [f32; 2], difference: &mut [f32; PIXELS]) -> f32 {
        to.window(self.x as f32 + at[0], self.y as f32 + at[1], difference);
        let mean = difference.iter().sum::<f32>() / PIXELS as f32;
        let mut sum = 0.0;
        for (d, value) in difference.iter_mut().zip(&self.values) {
            *d -= mean + value;
            sum += *d * *d;
        }
        sum
    }

    /// The displacement near `start` where the patch fits best.
    fn descend(&self, to: &Padded, start: [f32; 2], steps: usize) -> ([f32; 2], f32) {
        let mut difference = [0.0; PIXELS];
        let first = self.residual(to, start, &mut difference);
        let (mut best, mut least) = (start, first);
        let mut at = start;
        for _ in 0..steps {
            let dot =
                |g: &[f32; PIXELS]| g.iter().zip(&difference).map(|(g, d)| g * d).sum::<f32>();
            let (bx, by) = (dot(&self.dx), dot(&self.dy));
            let step = [
                self.inverse[0] * bx + self.inverse[1] * by,
                self.inverse[1] * bx + self.inverse[2] * by,
            ];
            at = [at[0] - step[0], at[1] - step[1]];
            let sum = self.residual(to, at, &mut difference);
            if sum >= least {
                break;
            }
            (best, least) = (at, sum);
            if step[0] * step[0] + step[1] * step[1] < 1e-4 {
                break;
            }
        }
        let way = [best[0] - start[0], best[1] - start[1]];
        if way[0] * way[0] + way[1] * way[1] > (PATCH * PATCH) as f32 {
            // It ran away along something that looks alike.
            return (start, first);
        }
        (best, least)
    }
}

/// Flow on one level from patches that start at `init` and at what their neighbours found.
pub(crate) fn search(from: &Luma, to: &Luma, init: &Flow, settings: &FlowSettings) -> Flow {
    let (width, height) = (from.width, from.height);
    let gradient = gradients(from);
    let padded = Padded::new(to);
    let places = |size: usize| -> Vec<usize> {
        let last = size.saturating_sub(PATCH);
        let mut at: Vec<usize> = (0..last).step_by(settings.stride.max(1)).collect();
        at.push(last);
        at
    };
    let (columns, rows) = (places(width), places(height));
    let templates: Vec<Template> = rows
        .iter()
        .flat_map(|y| columns.iter().map(move |x| (*x, *y)))
        .map(|(x, y)| Template::new(from, &gradient, x, y))
        .collect();
    let mut found: Vec<([f32; 2], f32)> = Vec::with_capacity(templates.len());
    let mut scratch = [0.0; PIXELS];
    // There: from the left and from above. Back: from the right and from below.
    for (index, template) in templates.iter().enumerate() {
        let middle = init.at(
            (template.x + PATCH / 2) as f32,
            (template.y + PATCH / 2) as f32,
        );
        let mut start = (middle, template.residual(&padded, middle, &mut scratch));
        let (column, row) = (index % columns.len(), index / columns.len());
        let neighbours = [
            (column > 0).then(|| index - 1),
            (row > 0).then(|| index - columns.len()),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            start = better(template, &padded, start, found[neighbour].0, &mut scratch);
        }
        found.push(template.descend(&padded, start.0, settings.search_steps));
    }
    for index in (0..templates.len()).rev() {
        let template = &templates[index];
        let (column, row) = (index % columns.len(), index / columns.len());
        let neighbours = [
            (column + 1 < columns.len()).then(|| index + 1),
            (row + 1 < rows.len()).then(|| index + columns.len()),
        ];
        let before = found[index];
        let mut start = before;
        for neighbour in neighbours.into_iter().flatten() {
            start = better(template, &padded, start, found[neighbour].0, &mut scratch);
        }
        if start != before {
            found[index] = template.descend(&padded, start.0, settings.search_steps);
        }
    }
    densify(from, &padded, &templates, &found, init)
}

fn better(
    template: &Template,
    to: &Padded,
    start: ([f32; 2], f32),
    other: [f32; 2],
    scratch: &mut [f32; PIXELS],
) -> ([f32; 2], f32) {
    let sum = template.residual(to, other, scratch);
    if sum < start.1 { (other, sum) } else { start }
}

/// Each pixel gets the mean of the patches over it, weighted by how well it itself fits.
fn densify(
    from: &Luma,
    to: &Padded,
    templates: &[Template],
    found: &[([f32; 2], f32)],
    init: &Flow,
) -> Flow {
    let (width, height) = (from.width, from.height);
    let mut flow = Flow::zero(width, height);
    let mut weights = vec![0.0f32; width * height];
    let mut difference = [0.0; PIXELS];
    for (template, (at, _)) in templates.iter().zip(found) {
        template.residual(to, *at, &mut difference);
        for row in 0..PATCH.min(height) {
            for column in 0..PATCH.min(width) {
                let weight = 1.0 / difference[row * PATCH + column].abs().max(1.0);
                let i = (template.y + row) * width + template.x + column;
                flow.u[i] += weight * at[0];
                flow.v[i] += weight * at[1];
                weights[i] += weight;
            }
        }
    }
    for (i, weight) in weights.iter().enumerate() {
        if *weight > 0.0 {
            flow.u[i] /= weight;
            flow.v[i] /= weight;
        } else {
            (flow.u[i], flow.v[i]) = (init.u[i], init.v[i]);
        }
    }
    flow
}
