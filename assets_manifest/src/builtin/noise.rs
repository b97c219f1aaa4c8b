//! Tileable noise from integer hashes: the same on every machine.
//!
//! Coordinates are in tiles: any place and the same place a whole number of tiles away are one.

use core::f32::consts::FRAC_1_SQRT_2;

/// Well-mixed 64 bits from four integers (SplitMix64's finaliser, Steele et al. 2014).
pub(super) fn hash(seed: u64, x: i32, y: i32, label: u32) -> u64 {
    let packed = (u64::from(x as u32) << 32) | u64::from(y as u32);
    mix(mix(mix(seed.wrapping_add(0x9E37_79B9_7F4A_7C15)) ^ packed)
        ^ u64::from(label).wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Uniform in [0, 1).
pub(super) fn unit(hash: u64) -> f32 {
    (hash >> 40) as f32 / (1_u32 << 24) as f32
}

/// Uniform in [low, high).
pub(super) fn range(hash: u64, low: f32, high: f32) -> f32 {
    low + (high - low) * unit(hash)
}

/// Directions of gradients; eight are enough once octaves are summed.
static DIRECTIONS: [[f32; 2]; 8] = [
    [1.0, 0.0],
    [-1.0, 0.0],
    [0.0, 1.0],
    [0.0, -1.0],
    [FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [-FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
    [-FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
];

/// One octave: a lattice of gradients over one tile.
struct Layer {
    columns: usize,
    rows: usize,
    /// Index into [`DIRECTIONS`], row by row.
    gradients: Vec<u8>,
    weight: f32,
}

impl Layer {
    /// Gradient noise (Perlin 2002), about −1 … 1; `u` and `v` in [0, 1).
    fn at(&self, u: f32, v: f32) -> f32 {
        let (x, y) = (u * self.columns as f32, v * self.rows as f32);
        let (column, row) = (
            (x as usize).min(self.columns - 1),
            (y as usize).min(self.rows - 1),
        );
        let (fx, fy) = (x - column as f32, y - row as f32);
        let next_column = if column + 1 == self.columns {
            0
        } else {
            column + 1
        };
        let next_row = if row + 1 == self.rows { 0 } else { row + 1 };
        let corner = |row: usize, column: usize, dx: f32, dy: f32| {
            let [gx, gy] = DIRECTIONS[usize::from(self.gradients[row * self.columns + column])];
            gx * (fx - dx) + gy * (fy - dy)
        };
        let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
        let (wx, wy) = (fade(fx), fade(fy));
        let top_left = corner(row, column, 0.0, 0.0);
        let top = top_left + (corner(row, next_column, 1.0, 0.0) - top_left) * wx;
        let bottom_left = corner(next_row, column, 0.0, 1.0);
        let bottom = bottom_left + (corner(next_row, next_column, 1.0, 1.0) - bottom_left) * wx;
        (top + (bottom - top) * wy) * 1.5
    }
}

/// Tileable noise of several octaves, each twice as fine and half as strong as the one before.
pub(super) struct Noise(Vec<Layer>);

impl Noise {
    /// The first octave has `columns × rows` lattice cells per tile.
    pub(super) fn new(columns: usize, rows: usize, octaves: u32, seed: u64) -> Self {
        let total: f32 = (0..octaves).map(|octave| 1.0 / (1 << octave) as f32).sum();
        let layers = (0..octaves).map(|octave| {
            let (columns, rows) = (columns << octave, rows << octave);
            let seed = seed.wrapping_add(u64::from(octave));
            Layer {
                columns,
                rows,
                gradients: (0..columns * rows)
                    .map(|cell| {
                        (hash(seed, (cell % columns) as i32, (cell / columns) as i32, 0) & 7) as u8
                    })
                    .collect(),
                weight: 1.0 / (1 << octave) as f32 / total,
            }
        });
        Self(layers.collect())
    }

    /// Value at a place, in tiles; about −1 … 1.
    pub(super) fn at(&self, u: f32, v: f32) -> f32 {
        let (u, v) = (u - u.floor(), v - v.floor());
        self.0
            .iter()
            .map(|layer| layer.weight * layer.at(u, v))
            .sum()
    }
}

/// The two nearest feature points of a jittered grid.
pub(super) struct Near {
    /// Distance to the nearest, in cells.
    pub(super) nearest: f32,
    /// Distance to the second nearest, in cells.
    pub(super) second: f32,
    /// Hash of the nearest point's cell.
    pub(super) id: u64,
}

/// A tileable jittered grid of feature points (Worley 1996).
pub(super) struct Cells {
    side: usize,
    /// Place within its cell and hash, row by row.
    points: Vec<([f32; 2], u64)>,
}

impl Cells {
    /// `side × side` points per tile.
    pub(super) fn new(side: usize, seed: u64) -> Self {
        let points = (0..side * side).map(|cell| {
            let id = hash(seed, (cell % side) as i32, (cell / side) as i32, 1);
            ([0.15 + 0.7 * unit(id), 0.15 + 0.7 * unit(id << 24)], id)
        });
        Self {
            side,
            points: points.collect(),
        }
    }

    /// Looks around a place, in tiles.
    pub(super) fn at(&self, u: f32, v: f32) -> Near {
        let (u, v) = (u - u.floor(), v - v.floor());
        let (x, y) = (u * self.side as f32, v * self.side as f32);
        let (column, row) = (
            (x as usize).min(self.side - 1),
            (y as usize).min(self.side - 1),
        );
        let (fx, fy) = (x - column as f32, y - row as f32);
        let mut found = Near {
            nearest: f32::MAX,
            second: f32::MAX,
            id: 0,
        };
        // Squared until the end.
        for dy in 0..3 {
            let line = (row + self.side + dy - 1) % self.side * self.side;
            for dx in 0..3 {
                let ([px, py], id) = self.points[line + (column + self.side + dx - 1) % self.side];
                let (ox, oy) = (px + dx as f32 - 1.0 - fx, py + dy as f32 - 1.0 - fy);
                let distance = ox * ox + oy * oy;
                if distance < found.nearest {
                    found.second = found.nearest;
                    found.nearest = distance;
                    found.id = id;
                } else if distance < found.second {
                    found.second = distance;
                }
            }
        }
        found.nearest = found.nearest.sqrt();
        found.second = found.second.sqrt();
        found
    }
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smooth_step(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Triangle wave of period 1: 0 at integers, 1 half way.
pub(super) fn triangle(x: f32) -> f32 {
    1.0 - (2.0 * (x - x.floor()) - 1.0).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_tiles_and_stays_in_range() {
        let (mut low, mut high) = (f32::MAX, f32::MIN);
        let noise = Noise::new(4, 6, 4, 9);
        let cells = Cells::new(5, 9);
        for step in 0..500 {
            let t = step as f32 / 500.0;
            let value = noise.at(t, 0.37);
            (low, high) = (low.min(value), high.max(value));
            let below_one = 1.0 - f32::EPSILON;
            assert!((noise.at(0.0, t) - noise.at(below_one, t)).abs() < 1e-4);
            assert!((noise.at(t, 0.0) - noise.at(t, below_one)).abs() < 1e-4);
            assert!((cells.at(t, 0.0).nearest - cells.at(t, below_one).nearest).abs() < 1e-4);
        }
        assert!(low > -1.2 && high < 1.2 && high - low > 0.4, "{low} {high}");
    }
}
