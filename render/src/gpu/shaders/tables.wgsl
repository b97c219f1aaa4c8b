// Look-ups of the directional albedos that the CPU integrated: twin of kernels/tables.rs.

fn z_from_ior(eta: f32) -> f32 {
    return safe_sqrt((eta - 1.0) / (eta + 1.0));
}

// Cell (x) and place in it (y) on an axis of `count` points.
fn table_cell(x: f32, count: u32) -> vec2<f32> {
    let scaled = clamp(x, 0.0, 1.0) * f32(count - 1u);
    let i = min(floor(scaled), f32(count - 2u));
    return vec2<f32>(i, scaled - i);
}

fn bilinear_table(first: u32, size: u32, x: f32, y: f32) -> f32 {
    let a = table_cell(x, size);
    let b = table_cell(y, size);
    let at = first + u32(a.x) * size + u32(b.x);
    let v = table(at);
    let here = v.x * (1.0 - b.y) + v.y * b.y;
    let there = v.z * (1.0 - b.y) + v.w * b.y;
    return here * (1.0 - a.y) + there * a.y;
}

fn trilinear_table(first: u32, x: f32, y: f32, z: f32) -> f32 {
    let a = table_cell(x, TABLE_COARSE);
    let b = table_cell(y, TABLE_COARSE);
    let c = table_cell(z, TABLE_COARSE);
    let at = first + (u32(a.x) * TABLE_COARSE + u32(b.x)) * TABLE_COARSE + u32(c.x);
    let v = table(at);
    let w = table(at + TABLE_COARSE * TABLE_COARSE);
    let here = (v.x * (1.0 - c.y) + v.y * c.y) * (1.0 - b.y) + (v.z * (1.0 - c.y) + v.w * c.y) * b.y;
    let there = (w.x * (1.0 - c.y) + w.y * c.y) * (1.0 - b.y) + (w.z * (1.0 - c.y) + w.w * c.y) * b.y;
    return here * (1.0 - a.y) + there * a.y;
}

fn reflection_albedo(r: f32, mu: f32) -> f32 {
    return bilinear_table(TABLE_REFLECTION, TABLE_FINE, r, mu);
}

fn reflection_albedo_average(r: f32) -> f32 {
    let a = table_cell(r, TABLE_FINE);
    return linear_table(TABLE_REFLECTION_AVERAGE + u32(a.x), a.y);
}

fn dielectric_share(r: f32, mu: f32, eta: f32) -> f32 {
    return trilinear_table(TABLE_DIELECTRIC_SHARE, r, mu, z_from_ior(eta) / TABLE_LARGEST_Z);
}

fn glass_albedo(r: f32, mu: f32, eta: f32) -> f32 {
    let entering = eta >= 1.0;
    let first = select(TABLE_GLASS_LEAVE, TABLE_GLASS_ENTER, entering);
    let z = z_from_ior(select(1.0 / eta, eta, entering)) / TABLE_LARGEST_Z;
    return trilinear_table(first, r, mu, z);
}

// Its cosine-weighted mean.
fn glass_albedo_average(r: f32, eta: f32) -> f32 {
    let entering = eta >= 1.0;
    let first = select(TABLE_GLASS_LEAVE_AVERAGE, TABLE_GLASS_ENTER_AVERAGE, entering);
    let z = z_from_ior(select(1.0 / eta, eta, entering)) / TABLE_LARGEST_Z;
    return bilinear_table(first, TABLE_COARSE, r, z);
}

fn sheen_albedo_unscaled(r: f32, mu: f32) -> f32 {
    return bilinear_table(TABLE_SHEEN, TABLE_FINE, r, mu);
}

fn sheen_alpha(roughness: f32) -> f32 {
    return clamp(sqr(roughness), 0.01, 1.0);
}

// "Charlie" distribution times Ashikhmin's visibility times cosθ_i (Estevez and Kulla 2017).
fn sheen_value(wo: vec3<f32>, wi: vec3<f32>, alpha: f32) -> f32 {
    if wi.z <= 0.0 || wo.z <= 0.0 {
        return 0.0;
    }
    let h = normalize_or(wo + wi, vec3<f32>(0.0, 0.0, 1.0));
    let s = max(safe_sqrt(1.0 - h.z * h.z), 1e-6);
    let inverse = 1.0 / alpha;
    let distribution = (2.0 + inverse) * exponential(logarithm(s) * inverse) * (1.0 / TWO_PI);
    return distribution / (4.0 * (wo.z + wi.z - wo.z * wi.z)) * wi.z;
}
