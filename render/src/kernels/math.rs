//! Transcendental functions as fixed sequences of IEEE operations.
//!
//! libc's differ from machine to machine in the last bit; these do not. Polynomials are Cephes'
//! single-precision minimax fits (Moshier 1992), relative error below 2e-7 on the ranges kernels use.
//! Only + − × ÷, sqrt, comparisons and bit casts are used, no FMA.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LOG2_E, PI, SQRT_2};

use super::real::Real;

/// 1/π.
pub const INV_PI: f32 = std::f32::consts::FRAC_1_PI;
/// 2π.
pub const TWO_PI: f32 = std::f32::consts::TAU;
/// Largest f32 below 1.
pub const ONE_MINUS_EPSILON: f32 = 0.999_999_94;

/// x².
#[inline(always)]
pub fn sqr<R: Real>(x: R) -> R {
    x * x
}

/// √max(x, 0).
#[inline(always)]
pub fn safe_sqrt<R: Real>(x: R) -> R {
    x.at_least(0.0).sqrt()
}

/// a + (b − a) t.
#[inline(always)]
pub fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Sine and cosine of 2πu for any u ≥ 0 small enough that its fraction is exact (u < 2²²).
#[inline(always)]
pub fn sin_cos_2pi<R: Real>(u: R) -> (R, R) {
    // Nearest quarter turn, then a polynomial on ±1/8 turn: the reduction is exact.
    let quadrant = (u * 4.0 + 0.5).floor();
    let x = (u - quadrant * 0.25) * TWO_PI;
    let z = x * x;
    let sin = ((z * -1.951_529_6e-4 + 8.332_161e-3) * z - 1.666_665_5e-1) * z * x + x;
    let cos = ((z * 2.443_315_7e-5 - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - z * 0.5 + 1.0;
    // (sin, cos), (cos, −sin), (−sin, −cos), (−cos, sin).
    let turn = quadrant - (quadrant * 0.25).floor() * 4.0;
    let first = turn.below(0.5);
    let second = turn.below(1.5) & !first;
    let fourth = turn.above(2.5);
    let odd = second | fourth;
    let (a, b) = (R::select(odd, cos, sin), R::select(odd, sin, cos));
    (
        R::select(first | second, a, -a),
        R::select(first | fourth, b, -b),
    )
}

/// Sine and cosine of an angle in radians, |x| < 1e5.
#[inline(always)]
pub fn sin_cos(x: f32) -> (f32, f32) {
    let turns = x * (1.0 / TWO_PI);
    sin_cos_2pi(turns - turns.floor())
}

/// Arc tangent of y/x in (−π, π], quadrant by the signs; 0 for (0, 0).
#[inline(always)]
pub fn atan2(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let (low, high) = if ax < ay { (ax, ay) } else { (ay, ax) };
    if high == 0.0 {
        return 0.0;
    }
    // atan(t) on [0, 1]: above tan(π/8) use atan(t) = π/4 + atan((t − 1)/(t + 1)).
    let t = low / high;
    let (base, s) = if t > 0.414_213_56 {
        (FRAC_PI_4, (t - 1.0) / (t + 1.0))
    } else {
        (0.0, t)
    };
    let z = s * s;
    let polynomial =
        (((8.053_744_5e-2 * z - 1.387_768_6e-1) * z + 1.997_771_1e-1) * z - 3.333_294_9e-1) * z * s
            + s;
    let mut angle = base + polynomial;
    if ax < ay {
        angle = FRAC_PI_2 - angle;
    }
    if x < 0.0 {
        angle = PI - angle;
    }
    if y < 0.0 { -angle } else { angle }
}

/// Arc cosine, argument clamped to [−1, 1].
#[inline(always)]
pub fn acos(x: f32) -> f32 {
    atan2(safe_sqrt((1.0 - x) * (1.0 + x)), x)
}

/// eˣ; 0 below −87, clamped above 88.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    if x < -87.0 {
        return 0.0;
    }
    let x = x.min(88.0);
    let n = (x * LOG2_E + 0.5).floor();
    // ln 2 in two parts, so that the product with n is exact.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let z = r * r;
    let p = (((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r
        + 1.666_666_5e-1)
        * r
        + 5.000_000_1e-1)
        * z
        + r
        + 1.0;
    p * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// Natural logarithm of a positive normal number.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.max(f32::MIN_POSITIVE).to_bits();
    let mut exponent = (bits >> 23) as i32 - 126;
    let mut m = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    if m < SQRT_2 * 0.5 {
        exponent -= 1;
        m = m + m - 1.0;
    } else {
        m -= 1.0;
    }
    let z = m * m;
    let p = ((((((((7.037_683_6e-2 * m - 1.151_461e-1) * m + 1.167_699_9e-1) * m
        - 1.242_014_1e-1)
        * m
        + 1.424_932_3e-1)
        * m
        - 1.666_805_8e-1)
        * m
        + 2.000_071_5e-1)
        * m
        - 2.499_999_4e-1)
        * m
        + 3.333_333_1e-1)
        * m
        * z;
    let e = exponent as f32;
    let y = p - e * 2.121_944_4e-4 - 0.5 * z;
    m + y + e * 0.693_359_4
}

/// log₂ of a positive normal number.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    ln(x) * LOG2_E
}

/// 2ˣ.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    exp(x * LN_2)
}

/// xʸ for x ≥ 0; 0⁰ = 1.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    if x <= 0.0 {
        return if y == 0.0 { 1.0 } else { 0.0 };
    }
    exp(y * ln(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(
        points: impl Iterator<Item = f64>,
        ours: impl Fn(f32) -> f32,
        exact: impl Fn(f64) -> f64,
    ) -> f64 {
        points
            .map(|x| {
                let x = f64::from(x as f32);
                let truth = exact(x);
                (f64::from(ours(x as f32)) - truth).abs() / truth.abs().max(0.1)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn transcendentals_agree_with_double_precision() {
        let grid = |low: f64, high: f64| {
            (0..20_000).map(move |i| low + (high - low) * f64::from(i) / 20_000.0)
        };
        let tau = std::f64::consts::TAU;
        assert!(worst(grid(0.0, 4.0), |x| sin_cos_2pi(x).0, |x| libm::sin(tau * x)) < 3e-6);
        assert!(worst(grid(0.0, 4.0), |x| sin_cos_2pi(x).1, |x| libm::cos(tau * x)) < 3e-6);
        assert!(worst(grid(-80.0, 80.0), exp, libm::exp) < 5e-7);
        assert!(worst(grid(1e-6, 10.0), ln, libm::log) < 5e-7);
        assert!(worst(grid(-1.0, 1.0), acos, libm::acos) < 5e-6);
        assert!(
            worst(
                grid(-3.0, 3.0),
                |x| atan2(x, -0.7),
                |x| libm::atan2(x, f64::from(-0.7f32))
            ) < 5e-7
        );
        assert!(
            worst(
                grid(1e-3, 8.0),
                |x| pow(x, 2.2),
                |x| libm::pow(x, f64::from(2.2f32))
            ) < 3e-6
        );
    }
}
