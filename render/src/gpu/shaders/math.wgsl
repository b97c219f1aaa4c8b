// Transcendental functions as fixed sequences of operations: twin of kernels/math.rs.
//
// Infinity is not portable in WGSL: FAR stands for it in distances, and DELTA for an infinite pdf.

const PI: f32 = 3.14159265;
const TWO_PI: f32 = 6.28318531;
const HALF_PI: f32 = 1.57079633;
const QUARTER_PI: f32 = 0.785398163;
const INV_PI: f32 = 0.318309886;
const LOG2_E: f32 = 1.44269504;
const FAR: f32 = 3.0e38;
const DELTA: f32 = -1.0;

fn sqr(x: f32) -> f32 {
    return x * x;
}

// √max(x, 0).
fn safe_sqrt(x: f32) -> f32 {
    return sqrt(max(x, 0.0));
}

// Sums from the left, as on the CPU; the order of the built-in is the driver's.
fn dot3(a: vec3<f32>, b: vec3<f32>) -> f32 {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

fn length3(v: vec3<f32>) -> f32 {
    return sqrt(dot3(v, v));
}

fn largest3(v: vec3<f32>) -> f32 {
    return max(max(v.x, v.y), v.z);
}

fn smallest3(v: vec3<f32>) -> f32 {
    return min(min(v.x, v.y), v.z);
}

fn mean3(v: vec3<f32>) -> f32 {
    return (v.x + v.y + v.z) * (1.0 / 3.0);
}

fn is_zero(v: vec3<f32>) -> bool {
    return v.x == 0.0 && v.y == 0.0 && v.z == 0.0;
}

// A test of bits: comparisons with infinity are not reliable everywhere.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn is_finite3(v: vec3<f32>) -> bool {
    return is_finite(v.x) && is_finite(v.y) && is_finite(v.z);
}

// `v` with length 1, or `fallback` where it has none.
fn normalize_or(v: vec3<f32>, fallback: vec3<f32>) -> vec3<f32> {
    let squared = dot3(v, v);
    if squared > 0.0 && squared < FAR {
        return v * (1.0 / sqrt(squared));
    }
    return fallback;
}

// Sine (x) and cosine (y) of 2πu, u ≥ 0.
fn sin_cos_2pi(u: f32) -> vec2<f32> {
    let quadrant = floor(u * 4.0 + 0.5);
    let x = (u - quadrant * 0.25) * TWO_PI;
    let z = x * x;
    let s = ((-1.9515296e-4 * z + 8.332161e-3) * z - 1.6666655e-1) * z * x + x;
    let c = ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666646e-2) * z * z - 0.5 * z + 1.0;
    switch u32(quadrant) & 3u {
        case 0u: { return vec2<f32>(s, c); }
        case 1u: { return vec2<f32>(c, -s); }
        case 2u: { return vec2<f32>(-s, -c); }
        default: { return vec2<f32>(-c, s); }
    }
}

// Arc tangent of y/x in (−π, π]; 0 for (0, 0).
fn arc_tangent(y: f32, x: f32) -> f32 {
    let ax = abs(x);
    let ay = abs(y);
    let low = min(ax, ay);
    let high = max(ax, ay);
    if high == 0.0 {
        return 0.0;
    }
    let t = low / high;
    var base = 0.0;
    var s = t;
    if t > 0.41421356 {
        base = QUARTER_PI;
        s = (t - 1.0) / (t + 1.0);
    }
    let z = s * s;
    let polynomial =
        (((8.0537445e-2 * z - 1.3877686e-1) * z + 1.9977711e-1) * z - 3.3332949e-1) * z * s + s;
    var angle = base + polynomial;
    if ax < ay {
        angle = HALF_PI - angle;
    }
    if x < 0.0 {
        angle = PI - angle;
    }
    return select(angle, -angle, y < 0.0);
}

fn arc_cosine(x: f32) -> f32 {
    return arc_tangent(safe_sqrt((1.0 - x) * (1.0 + x)), x);
}

// eˣ; 0 below −87, clamped above 88.
fn exponential(x: f32) -> f32 {
    if x < -87.0 {
        return 0.0;
    }
    let y = min(x, 88.0);
    let n = floor(y * LOG2_E + 0.5);
    let r = y - n * 0.6933594 + n * 2.1219444e-4;
    let z = r * r;
    let p = (((((1.9875691e-4 * r + 1.3982e-3) * r + 8.333452e-3) * r + 4.1665796e-2) * r
        + 1.6666665e-1) * r + 5.0000001e-1) * z + r + 1.0;
    return p * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// Natural logarithm of a positive normal number.
fn logarithm(x: f32) -> f32 {
    let bits = bitcast<u32>(max(x, 1.17549435e-38));
    var exponent = i32(bits >> 23u) - 126;
    var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
    if m < 0.707106781 {
        exponent -= 1;
        m = m + m - 1.0;
    } else {
        m -= 1.0;
    }
    let z = m * m;
    let p = ((((((((7.0376836e-2 * m - 1.151461e-1) * m + 1.1676999e-1) * m - 1.2420141e-1) * m
        + 1.4249323e-1) * m - 1.6668058e-1) * m + 2.0000715e-1) * m - 2.4999994e-1) * m
        + 3.3333331e-1) * m * z;
    let e = f32(exponent);
    let y = p - e * 2.1219444e-4 - 0.5 * z;
    return m + y + e * 0.6933594;
}

// xʸ for x ≥ 0; 0⁰ = 1.
fn power(x: f32, y: f32) -> f32 {
    if x <= 0.0 {
        return select(0.0, 1.0, y == 0.0);
    }
    return exponential(y * logarithm(x));
}
