//! Filmic: a log2 encoding over 25 stops, desaturation of what is brighter than 16.5 stops allow,
//! and a contrast curve over the first 16.5 stops.
//!
//! Blender's desaturation is a 33³ lattice, interpolated tetrahedrally. Measured at its nodes
//! (i, j, k) it is, in linear light, `x + s(M) (max − x)` for each channel, where M = max(i, j, k)
//! and s depends on nothing else; s is zero up to node 20. So seven numbers replace the lattice, and
//! interpolating between nodes as Blender does gives its values.

use std::sync::LazyLock;

use glam::Vec3;

use super::{fractions, tetrahedron};

/// log2 of the radiance at encoded 0 and 1: 0.18 · 2^−10 and 0.18 · 2^15.
const LOG2_MIN: f32 = -12.473_931;
const STOPS: f32 = 25.0;
/// Share of the encoding that the contrast curve covers.
const SHOWN: f32 = 0.66;
/// Last node of the lattice.
const LAST: usize = 32;
/// Nodes up to this one are not desaturated.
const PURE: usize = 20;
/// Share by which a node's channels move towards its largest, in linear light, at nodes
/// `PURE + 1..`; beyond the last entry every channel is past [`SHOWN`].
const DESATURATION: [f32; 7] = [
    0.000305, 0.001373, 0.003402, 0.007153, 0.014022, 0.026552, 0.049323,
];
/// Lower end of the lattice's own values, measured.
const NODE_ZERO: f32 = 0.000_175_8;

/// Filmic Log to Filmic at 257 even steps.
static CURVE: LazyLock<Vec<f32>> =
    LazyLock::new(|| fractions(include_bytes!("filmic_curve.bin")).collect());

/// Desaturated encoded value of a channel at node `x` whose colour has its maximum at node `m`:
/// entry `m * (LAST + 1) + x`.
static LATTICE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let linear = |node: usize| libm::exp2f(LOG2_MIN + STOPS * node as f32 / LAST as f32);
    let mut lattice = Vec::with_capacity((LAST + 1) * (LAST + 1));
    for m in 0..=LAST {
        for x in 0..=LAST {
            let encoded = x as f32 / LAST as f32;
            let share = match m.checked_sub(PURE + 1) {
                None => 0.0,
                // Past the last measured node everything shown is already white.
                Some(above) => DESATURATION[above.min(DESATURATION.len() - 1)],
            };
            let value = if share == 0.0 || x >= m {
                encoded
            } else {
                let mixed = linear(x) + share * (linear(m) - linear(x));
                (libm::log2f(mixed) - LOG2_MIN) / STOPS
            };
            lattice.push(value.max(NODE_ZERO));
        }
    }
    lattice
});

/// Display value, 0..=1, of a non-negative linear colour.
pub(super) fn filmic(linear: Vec3) -> Vec3 {
    let encoded = linear.map(|c| {
        if c > 0.0 {
            ((libm::log2f(c) - LOG2_MIN) / STOPS).clamp(0.0, 1.0)
        } else {
            0.0
        }
    });
    let node = (encoded * LAST as f32).to_array();
    let log = if encoded.max_element() * LAST as f32 <= PURE as f32 {
        // The lattice is the identity here, but for its first node.
        Vec3::from(node.map(|n| {
            let identity = n / LAST as f32;
            if n < 1.0 {
                identity + NODE_ZERO * (1.0 - n)
            } else {
                identity
            }
        }))
    } else {
        let mut sum = Vec3::ZERO;
        for (corner, weight) in tetrahedron(node, LAST) {
            let m = corner[0].max(corner[1]).max(corner[2]);
            let row = &LATTICE[m * (LAST + 1)..];
            sum += weight * Vec3::new(row[corner[0]], row[corner[1]], row[corner[2]]);
        }
        sum
    };
    log.map(|e| contrast((e / SHOWN).min(1.0)))
}

/// The contrast curve, linear between measured nodes; 0..=1 to 0..=1.
fn contrast(log: f32) -> f32 {
    let curve: &[f32] = &CURVE;
    let last = curve.len() - 1;
    let at = log * last as f32;
    let i = (at as usize).min(last - 1);
    let t = at - i as f32;
    curve[i] * (1.0 - t) + curve[i + 1] * t
}
