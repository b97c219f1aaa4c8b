//! AgX as formed by Blender 4: FilmLight E-Gamut, a log2 encoding over 25 stops, and a 57³ lattice
//! interpolated tetrahedrally, whose values are display-linear to the power 1/2.4.
//!
//! Colours of the Rec.709 gamut keep to a band around the lattice's grey axis, since every E-Gamut
//! channel contains some of each Rec.709 primary. `agx_nodes.bin` holds the nodes of that band
//! alone, measured: for each (red, green) in 0..=45 the first blue node and the number of blue
//! nodes (one byte each), then the nodes' values (three u16) in that order. Past node 45 everything
//! in the band is white.

use std::sync::LazyLock;

use glam::{Mat3, Vec3};

use super::{fractions, srgb, tetrahedron};

/// log2 of the radiance at node 0: 0.18 · 2^−10.
const LOG2_MIN: f32 = -12.473_93;
/// Nodes per stop.
const NODES_PER_STOP: f32 = 56.0 / 25.0;
/// Last node stored along each axis.
const LAST: usize = 45;
/// Bytes before the values.
const HEADER: usize = 2 * (LAST + 1) * (LAST + 1);

/// E-Gamut (white D65) from linear Rec.709; row by row as published, hence the transpose.
const E_GAMUT_FROM_REC709: [[f32; 3]; 3] = [
    [0.559_463_05, 0.304_775_81, 0.135_812_94],
    [0.076_233_26, 0.787_952_4, 0.135_774_85],
    [0.065_537_51, 0.164_542_73, 0.769_741_53],
];

/// The stored band.
struct Band {
    /// For each (red, green): index of the value of blue node 0 if it were stored (so that adding
    /// the blue node gives the index), and the stored range of blue nodes.
    runs: Vec<(isize, usize, usize)>,
    values: Vec<Vec3>,
}

static BAND: LazyLock<Band> = LazyLock::new(|| {
    let bytes: &[u8] = include_bytes!("agx_nodes.bin");
    let mut runs = Vec::with_capacity(HEADER / 2);
    let mut next = 0isize;
    for pair in bytes[..HEADER].chunks_exact(2) {
        let (first, count) = (pair[0] as usize, pair[1] as usize);
        runs.push((next - first as isize, first, first + count));
        next += count as isize;
    }
    let flat: Vec<f32> = fractions(&bytes[HEADER..]).collect();
    let values = flat
        .chunks_exact(3)
        .map(|v| Vec3::new(v[0], v[1], v[2]))
        .collect();
    Band { runs, values }
});

impl Band {
    /// Value of a node. A node just outside the band has weight 0 up to rounding of the encoding:
    /// the nearest stored one serves.
    fn value(&self, node: [usize; 3]) -> Vec3 {
        let (offset, first, end) = self.runs[node[0] * (LAST + 1) + node[1]];
        if first >= end {
            return Vec3::ZERO;
        }
        let blue = node[2].clamp(first, end - 1);
        self.values[(offset + blue as isize) as usize]
    }
}

/// Display value, 0..=1, of a non-negative linear Rec.709 colour.
pub(super) fn agx(linear: Vec3) -> Vec3 {
    let e_gamut = Mat3::from_cols_array_2d(&E_GAMUT_FROM_REC709).transpose() * linear;
    let node = e_gamut.map(|c| {
        if c > 0.0 {
            ((libm::log2f(c) - LOG2_MIN) * NODES_PER_STOP).clamp(0.0, LAST as f32)
        } else {
            0.0
        }
    });
    let band: &Band = &BAND;
    let mut formed = Vec3::ZERO;
    for (corner, weight) in tetrahedron(node.to_array(), LAST) {
        if weight > 0.0 {
            formed += weight * band.value(corner);
        }
    }
    formed.map(|v| srgb::srgb_from_power_2_4(v.min(1.0)))
}
