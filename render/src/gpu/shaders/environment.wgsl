// Light from infinitely far away: twin of scene/environment.rs.

fn environment_bilinear(u: f32, v: f32) -> vec3<f32> {
    let width = frame.environment_width;
    let height = frame.environment_height;
    let x = u * f32(width) - 0.5;
    let y = clamp(v * f32(height) - 0.5, 0.0, f32(height - 1u));
    let x0 = floor(x);
    let y0 = floor(y);
    let s = x - x0;
    let t = y - y0;
    let last = i32(width) - 1;
    let column = i32(x0);
    let left = select(min(column, last), last, column < 0);
    let right = select(left + 1, 0, left == last);
    let top = u32(y0);
    let bottom = min(top + 1u, height - 1u);
    let first = frame.environment_texels;
    let a = float_texel(first, top * width + u32(left));
    let b = float_texel(first, top * width + u32(right));
    let c = float_texel(first, bottom * width + u32(left));
    let d = float_texel(first, bottom * width + u32(right));
    return (a * (1.0 - s) + b * s) * (1.0 - t) + (c * (1.0 - s) + d * s) * t;
}

fn cumulative(first: u32, index: u32) -> f32 {
    return bitcast<f32>(texel(first + index));
}

// The interval (x) of a cumulative table with `count` intervals that holds `u`, the place in it (y),
// and its probability (z).
fn find_interval(first: u32, count: u32, u: f32) -> vec3<f32> {
    // The first interval that ends beyond u.
    var low = 0u;
    var high = count - 1u;
    while low < high {
        let middle = (low + high) / 2u;
        if cumulative(first, middle + 1u) > u {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    let start = cumulative(first, low);
    let width = cumulative(first, low + 1u) - start;
    let within = select(0.5, clamp((u - start) / width, 0.0, 1.0), width > 0.0);
    return vec3<f32>(f32(low), within, width);
}

fn environment_density(row_probability: f32, column_probability: f32) -> f32 {
    return row_probability * f32(frame.environment_height) * column_probability
        * f32(frame.environment_width);
}

// Radiance seen in a direction, and in w the pdf per steradian of sampling it.
fn environment_radiance_and_pdf(d: vec3<f32>) -> vec4<f32> {
    if !HAS_ENVIRONMENT_MAP {
        return vec4<f32>(frame.environment_scale, 0.25 * INV_PI);
    }
    let s = frame.environment_turn.x;
    let c = frame.environment_turn.y;
    let local = vec3<f32>(c * d.x + s * d.y, c * d.y - s * d.x, d.z);
    let u = 0.5 - arc_tangent(local.y, local.x) * (1.0 / TWO_PI);
    let v = arc_cosine(local.z) * INV_PI;
    let sine = safe_sqrt(1.0 - local.z * local.z);
    var pdf = 0.0;
    if sine > 0.0 {
        let x = min(u32(u * f32(frame.environment_width)), frame.environment_width - 1u);
        let y = min(u32(v * f32(frame.environment_height)), frame.environment_height - 1u);
        let rows = frame.environment_rows;
        let columns = frame.environment_columns + y * (frame.environment_width + 1u);
        let row = cumulative(rows, y + 1u) - cumulative(rows, y);
        let column = cumulative(columns, x + 1u) - cumulative(columns, x);
        pdf = environment_density(row, column) / (TWO_PI * PI * sine);
    }
    return vec4<f32>(environment_bilinear(u, v) * frame.environment_scale, pdf);
}

struct EnvironmentSample {
    direction: vec3<f32>,
    pdf: f32,
    radiance: vec3<f32>,
}

fn environment_sample(u: vec2<f32>) -> EnvironmentSample {
    if !HAS_ENVIRONMENT_MAP {
        let z = 1.0 - 2.0 * u.x;
        let r = safe_sqrt(1.0 - z * z);
        let sc = sin_cos_2pi(u.y);
        let direction = vec3<f32>(r * sc.y, r * sc.x, z);
        return EnvironmentSample(direction, 0.25 * INV_PI, frame.environment_scale);
    }
    let row = find_interval(frame.environment_rows, frame.environment_height, u.x);
    let columns = frame.environment_columns + u32(row.x) * (frame.environment_width + 1u);
    let column = find_interval(columns, frame.environment_width, u.y);
    let x = (column.x + column.y) / f32(frame.environment_width);
    let y = (row.x + row.y) / f32(frame.environment_height);
    let theta = sin_cos_2pi(0.5 * y);
    if theta.x <= 0.0 {
        return EnvironmentSample(UP, 0.0, vec3<f32>(0.0));
    }
    let phi = sin_cos_2pi(1.5 - x);
    let local = vec3<f32>(theta.x * phi.y, theta.x * phi.x, theta.y);
    let s = frame.environment_turn.x;
    let c = frame.environment_turn.y;
    let direction =
        vec3<f32>(c * local.x - s * local.y, c * local.y + s * local.x, local.z);
    let pdf = environment_density(row.z, column.z) / (TWO_PI * PI * theta.x);
    return EnvironmentSample(direction, pdf, environment_bilinear(x, y) * frame.environment_scale);
}
