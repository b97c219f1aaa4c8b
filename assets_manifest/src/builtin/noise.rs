//! Tileable noise from integer hashes: the same on every machine, no tables, no state.
//!
//! Coordinates are in [0, 1) over one tile; `period` is the number of lattice cells per tile.

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

/// Gradient noise (Perlin 2002), about −1 … 1; `period_u × period_v` cells per tile.
pub(super) fn gradient(u: f32, v: f32, period_u: i32, period_v: i32, seed: u64) -> f32 {
    let (x, y) = (u * period_u as f32, v * period_v as f32);
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let corner = |dx: i32, dy: i32| {
        let h = hash(
            seed,
            (x0 as i32 + dx).rem_euclid(period_u),
            (y0 as i32 + dy).rem_euclid(period_v),
            0,
        );
        // Eight directions are enough once octaves are summed.
        let (gx, gy) = [
            (1.0, 0.0),
            (-1.0, 0.0),
            (0.0, 1.0),
            (0.0, -1.0),
            (0.70711, 0.70711),
            (-0.70711, 0.70711),
            (0.70711, -0.70711),
            (-0.70711, -0.70711),
        ][(h & 7) as usize];
        gx * (fx - dx as f32) + gy * (fy - dy as f32)
    };
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (wx, wy) = (fade(fx), fade(fy));
    let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * wx;
    let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * wx;
    (top + (bottom - top) * wy) * 1.5
}

/// Sum of `octaves` gradient noises, each twice as fine and half as strong; about −1 … 1.
pub(super) fn fbm(u: f32, v: f32, period_u: i32, period_v: i32, octaves: u32, seed: u64) -> f32 {
    let (mut sum, mut weight, mut total) = (0.0, 1.0, 0.0);
    for octave in 0..octaves {
        sum += weight
            * gradient(
                u,
                v,
                period_u << octave,
                period_v << octave,
                seed.wrapping_add(u64::from(octave)),
            );
        total += weight;
        weight *= 0.5;
    }
    sum / total
}

/// The two nearest feature points of a jittered grid (Worley 1996).
pub(super) struct Cells {
    /// Distance to the nearest, in cells.
    pub(super) nearest: f32,
    /// Distance to the second nearest, in cells.
    pub(super) second: f32,
    /// Hash of the nearest point's cell.
    pub(super) id: u64,
}

/// Looks up the jittered grid of `period × period` points per tile.
pub(super) fn cells(u: f32, v: f32, period: i32, seed: u64) -> Cells {
    let (x, y) = (u * period as f32, v * period as f32);
    let (x0, y0) = (x.floor() as i32, y.floor() as i32);
    let mut found = Cells {
        nearest: f32::MAX,
        second: f32::MAX,
        id: 0,
    };
    for dy in -1..=1 {
        for dx in -1..=1 {
            let (cx, cy) = (x0 + dx, y0 + dy);
            let id = hash(seed, cx.rem_euclid(period), cy.rem_euclid(period), 1);
            let px = cx as f32 + 0.15 + 0.7 * unit(id);
            let py = cy as f32 + 0.15 + 0.7 * unit(id << 24);
            let distance = ((px - x) * (px - x) + (py - y) * (py - y)).sqrt();
            if distance < found.nearest {
                found.second = found.nearest;
                found.nearest = distance;
                found.id = id;
            } else if distance < found.second {
                found.second = distance;
            }
        }
    }
    found
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
        for step in 0..500 {
            let t = step as f32 / 500.0;
            let value = fbm(t, 0.37, 4, 6, 4, 9);
            (low, high) = (low.min(value), high.max(value));
            assert!((gradient(0.0, t, 4, 6, 9) - gradient(1.0, t, 4, 6, 9)).abs() < 1e-5);
            assert!((gradient(t, 0.0, 4, 6, 9) - gradient(t, 1.0, 4, 6, 9)).abs() < 1e-5);
        }
        assert!(low > -1.2 && high < 1.2 && high - low > 0.4, "{low} {high}");
    }
}
