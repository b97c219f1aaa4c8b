//! Variational refinement of a flow: constant brightness and gradient, robust smoothness.
//!
//! With I the mean of the first picture and the warped second, and z their difference, it lowers over the
//! increments (du, dv)
//!
//! Σ δ·Ψ(|z + Iₓdu + I_ydv|²/(|∇I|² + ζ²)) + γ·Ψ(gradients of the same) + α·Ψ(|∇(u + du)|² + |∇(v + dv)|²)
//!
//! with Ψ(s²) = √(s² + ε²): outer steps fix the weights Ψ′, inner ones solve the linear system by
//! successive over-relaxation in chessboard order, which has no order of its own.

use crate::dense::{Flow, gradients};
use crate::plane::{Luma, Spot};

/// See the module text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RefineSettings {
    /// α.
    pub(crate) smoothness: f32,
    /// δ.
    pub(crate) brightness: f32,
    /// γ.
    pub(crate) gradient: f32,
    /// Outer steps; none leaves the flow as it is.
    pub(crate) steps: usize,
    /// Inner steps of each.
    pub(crate) inner_steps: usize,
    /// Of the over-relaxation, between 1 and 2.
    pub(crate) relaxation: f32,
}

impl Default for RefineSettings {
    fn default() -> Self {
        Self {
            smoothness: 20.0,
            brightness: 5.0,
            gradient: 10.0,
            steps: 5,
            inner_steps: 5,
            relaxation: 1.6,
        }
    }
}

/// On the diagonal of the system, so that it has an answer everywhere.
const SOLVABLE: f32 = 0.01;
/// ζ²: squared gradient below which brightness says less and less, levels² per pixel²: noise and coding
/// have gradients too.
const FLAT: f32 = 1.0;
/// ε².
const ROBUST: f32 = 1e-6;

/// The linear system of one outer step.
struct System {
    a11: Vec<f32>,
    a12: Vec<f32>,
    a22: Vec<f32>,
    b1: Vec<f32>,
    b2: Vec<f32>,
    /// Weight between a pixel and the one to its right, 0 in the last column.
    right: Vec<f32>,
    /// Weight between a pixel and the one below, 0 in the last row.
    below: Vec<f32>,
}

/// Everything about the pictures that increments do not change.
struct Derivatives {
    z: Vec<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
    xx: Vec<f32>,
    xy: Vec<f32>,
    yy: Vec<f32>,
    xz: Vec<f32>,
    yz: Vec<f32>,
    /// 1 where the flow stays in the picture, else 0.
    inside: Vec<f32>,
}

/// Refines `flow` from `a` to `b` in place.
pub(crate) fn refine(a: &Luma, b: &Luma, flow: &mut Flow, settings: &RefineSettings) {
    if settings.steps == 0 || a.width < 2 || a.height < 2 {
        return;
    }
    let of = derivatives(a, b, flow);
    let size = a.width * a.height;
    let (mut du, mut dv) = (vec![0.0f32; size], vec![0.0f32; size]);
    for _ in 0..settings.steps {
        let system = system(&of, flow, [&du, &dv], settings);
        for _ in 0..settings.inner_steps {
            for colour in 0..2 {
                relax(
                    &system,
                    flow,
                    [&mut du, &mut dv],
                    colour,
                    settings.relaxation,
                );
            }
        }
    }
    for i in 0..size {
        flow.u[i] += du[i];
        flow.v[i] += dv[i];
    }
}

fn derivatives(a: &Luma, b: &Luma, flow: &Flow) -> Derivatives {
    let (width, height) = (a.width, a.height);
    let size = width * height;
    let (mut z, mut mean, mut inside) = (vec![0.0; size], a.clone(), vec![0.0; size]);
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let (px, py) = (x as f32 + 0.5 + flow.u[i], y as f32 + 0.5 + flow.v[i]);
            let warped = Spot::new(px, py, width, height).of(&b.data);
            z[i] = warped - a.data[i];
            mean.data[i] = 0.5 * (warped + a.data[i]);
            let is_inside = px >= 0.0 && py >= 0.0 && px <= width as f32 && py <= height as f32;
            inside[i] = if is_inside { 1.0 } else { 0.0 };
        }
    }
    let plane = |data: Vec<f32>| Luma {
        width,
        height,
        data,
    };
    let [x, y] = gradients(&mean).map(plane);
    let z = plane(z);
    let [xz, yz] = gradients(&z);
    let [xx, xy] = gradients(&x);
    let [_, yy] = gradients(&y);
    Derivatives {
        z: z.data,
        x: x.data,
        y: y.data,
        xx,
        xy,
        yy,
        xz,
        yz,
        inside,
    }
}

fn system(
    of: &Derivatives,
    flow: &Flow,
    [du, dv]: [&[f32]; 2],
    settings: &RefineSettings,
) -> System {
    let (width, height) = (flow.width, flow.height);
    let size = width * height;
    let mut system = System {
        a11: vec![0.0; size],
        a12: vec![0.0; size],
        a22: vec![0.0; size],
        b1: vec![0.0; size],
        b2: vec![0.0; size],
        right: vec![0.0; size],
        below: vec![0.0; size],
    };
    let (delta, gamma) = (0.5 * settings.brightness, 0.5 * settings.gradient);
    for i in 0..size {
        let (u, v) = (du[i], dv[i]);
        let (x, y, z) = (of.x[i], of.y[i], of.z[i]);
        let norm = x * x + y * y + FLAT;
        let left = z + x * u + y * v;
        let weight = of.inside[i] * delta / (left * left / norm + ROBUST).sqrt() / norm;
        let (xx, xy, yy) = (of.xx[i], of.xy[i], of.yy[i]);
        let (xz, yz) = (of.xz[i], of.yz[i]);
        let (norm_x, norm_y) = (xx * xx + xy * xy + FLAT, xy * xy + yy * yy + FLAT);
        let left_x = xz + xx * u + xy * v;
        let left_y = yz + xy * u + yy * v;
        let robust = (left_x * left_x / norm_x + left_y * left_y / norm_y + ROBUST).sqrt();
        let (weight_x, weight_y) = (
            of.inside[i] * gamma / robust / norm_x,
            of.inside[i] * gamma / robust / norm_y,
        );
        // On the diagonal this keeps the system solvable where nothing is seen.
        system.a11[i] = weight * x * x + weight_x * xx * xx + weight_y * xy * xy + SOLVABLE;
        system.a12[i] = weight * x * y + weight_x * xx * xy + weight_y * xy * yy;
        system.a22[i] = weight * y * y + weight_x * xy * xy + weight_y * yy * yy + SOLVABLE;
        system.b1[i] = -(weight * z * x + weight_x * xz * xx + weight_y * yz * xy);
        system.b2[i] = -(weight * z * y + weight_x * xz * xy + weight_y * yz * yy);
    }
    let alpha = 0.5 * settings.smoothness;
    let total = |i: usize| (flow.u[i] + du[i], flow.v[i] + dv[i]);
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let (u, v) = total(i);
            let step = |other: usize| {
                let (a, b) = total(other);
                ((a - u) * (a - u), (b - v) * (b - v))
            };
            let (ux, vx) = if x + 1 < width {
                step(i + 1)
            } else {
                (0.0, 0.0)
            };
            let (uy, vy) = if y + 1 < height {
                step(i + width)
            } else {
                (0.0, 0.0)
            };
            let weight = alpha / (ux + uy + vx + vy + ROBUST).sqrt();
            if x + 1 < width {
                system.right[i] = weight;
            }
            if y + 1 < height {
                system.below[i] = weight;
            }
        }
    }
    system
}

/// One step over the pixels of one colour of the chessboard: each sees only pixels of the other.
fn relax(system: &System, flow: &Flow, [du, dv]: [&mut [f32]; 2], colour: usize, omega: f32) {
    let (width, height) = (flow.width, flow.height);
    for y in 0..height {
        for x in ((y + colour) & 1..width).step_by(2) {
            let i = y * width + x;
            let (mut weights, mut su, mut sv) = (0.0, 0.0, 0.0);
            let mut neighbour = |weight: f32, j: usize| {
                weights += weight;
                su += weight * (flow.u[j] + du[j] - flow.u[i]);
                sv += weight * (flow.v[j] + dv[j] - flow.v[i]);
            };
            if x > 0 {
                neighbour(system.right[i - 1], i - 1);
            }
            if x + 1 < width {
                neighbour(system.right[i], i + 1);
            }
            if y > 0 {
                neighbour(system.below[i - width], i - width);
            }
            if y + 1 < height {
                neighbour(system.below[i], i + width);
            }
            let u = (su + system.b1[i] - system.a12[i] * dv[i]) / (system.a11[i] + weights);
            du[i] += omega * (u - du[i]);
            let v = (sv + system.b2[i] - system.a12[i] * du[i]) / (system.a22[i] + weights);
            dv[i] += omega * (v - dv[i]);
        }
    }
}
