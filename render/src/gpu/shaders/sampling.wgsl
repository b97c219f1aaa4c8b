// Points on discs, hemispheres, cones; frames: twin of kernels/sampling.rs.

// An orthonormal basis; n is its z axis.
struct Frame3 {
    s: vec3<f32>,
    t: vec3<f32>,
    n: vec3<f32>,
}

// Duff et al. 2017.
fn frame_from_z(n: vec3<f32>) -> Frame3 {
    let s = select(1.0, -1.0, (bitcast<u32>(n.z) >> 31u) == 1u);
    let a = -1.0 / (s + n.z);
    let b = n.x * n.y * a;
    return Frame3(
        vec3<f32>(1.0 + s * n.x * n.x * a, s * b, -s * n.x),
        vec3<f32>(b, s + n.y * n.y * a, -n.y),
        n,
    );
}

fn to_local(f: Frame3, v: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(dot3(v, f.s), dot3(v, f.t), dot3(v, f.n));
}

fn to_world(f: Frame3, v: vec3<f32>) -> vec3<f32> {
    return f.s * v.x + f.t * v.y + f.n * v.z;
}

// Shirley and Chiu 1997.
fn concentric_disc(u: vec2<f32>) -> vec2<f32> {
    let x = 2.0 * u.x - 1.0;
    let y = 2.0 * u.y - 1.0;
    if x == 0.0 && y == 0.0 {
        return vec2<f32>(0.0, 0.0);
    }
    var r = y;
    var turns = 0.0;
    if abs(x) > abs(y) {
        r = x;
        turns = 0.125 * (y / x);
    } else {
        turns = 0.25 - 0.125 * (x / y);
    }
    let sc = sin_cos_2pi(turns + 1.0);
    return vec2<f32>(r * sc.y, r * sc.x);
}

fn cosine_hemisphere(u: vec2<f32>) -> vec3<f32> {
    let d = concentric_disc(u);
    return vec3<f32>(d.x, d.y, safe_sqrt(1.0 - d.x * d.x - d.y * d.y));
}

fn cosine_hemisphere_pdf(c: f32) -> f32 {
    return max(c, 0.0) * INV_PI;
}

fn uniform_hemisphere(u: vec2<f32>) -> vec3<f32> {
    let d = concentric_disc(u);
    let r2 = d.x * d.x + d.y * d.y;
    let scale = safe_sqrt(2.0 - r2);
    return vec3<f32>(d.x * scale, d.y * scale, 1.0 - r2);
}

fn uniform_cone(u: vec2<f32>, one_minus_cos: f32) -> vec3<f32> {
    let d = concentric_disc(u);
    let r2 = d.x * d.x + d.y * d.y;
    let drop = r2 * one_minus_cos;
    let scale = safe_sqrt(one_minus_cos * (2.0 - drop));
    return vec3<f32>(d.x * scale, d.y * scale, 1.0 - drop);
}

// What is left of `u` once it has chosen the part of [0, 1) that begins at `start`.
fn rest_of_choice(u: f32, start: f32, width: f32) -> f32 {
    return clamp((u - start) / width, 0.0, 0.99999994);
}

// Weight of a sample with density `pdf` against another way that would find it with `other`.
fn power_heuristic(pdf: f32, other: f32) -> f32 {
    if pdf <= 0.0 {
        return 0.0;
    }
    return 1.0 / (1.0 + sqr(other / pdf));
}

// Weights of vertices 1 and 2 (Heitz 2019).
fn uniform_triangle(u: vec2<f32>) -> vec2<f32> {
    var b1 = u.x;
    var b2 = u.y;
    if b1 < b2 {
        b1 *= 0.5;
        b2 -= b1;
    } else {
        b2 *= 0.5;
        b1 -= b2;
    }
    return vec2<f32>(b1, b2);
}
