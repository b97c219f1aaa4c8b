// The isotropic GGX distribution in local space: twin of kernels/ggx.rs.

const UP: vec3<f32> = vec3<f32>(0.0, 0.0, 1.0);

fn ggx_lambda(w: vec3<f32>, alpha: f32) -> f32 {
    let cos2 = w.z * w.z;
    let tan2 = (w.x * w.x + w.y * w.y) / max(cos2, 1e-20);
    return 0.5 * (sqrt(1.0 + alpha * alpha * tan2) - 1.0);
}

fn ggx_distribution(h: vec3<f32>, alpha: f32) -> f32 {
    let a2 = alpha * alpha;
    let d = h.x * h.x + h.y * h.y + a2 * h.z * h.z;
    return a2 * INV_PI / max(d * d, 1e-36);
}

// Visible normal for `wo` (Dupuy and Benyoub 2023).
fn ggx_sample(wo: vec3<f32>, alpha: f32, u: vec2<f32>) -> vec3<f32> {
    let stretched = normalize_or(vec3<f32>(wo.x * alpha, wo.y * alpha, wo.z), UP);
    let z = (1.0 - u.x) * (1.0 + stretched.z) - stretched.z;
    let s = safe_sqrt(1.0 - z * z);
    let sc = sin_cos_2pi(u.y);
    let h = vec3<f32>(s * sc.y, s * sc.x, z) + stretched;
    return normalize_or(vec3<f32>(h.x * alpha, h.y * alpha, max(h.z, 0.0)), UP);
}

// Density per steradian (x) and BRDF × cosθ_i without Fresnel (y) of facets that reflect.
fn ggx_reflection(wo: vec3<f32>, wi: vec3<f32>, h: vec3<f32>, alpha: f32) -> vec2<f32> {
    let shared_part = ggx_distribution(h, alpha) * 0.25 / wo.z;
    let lambda_o = ggx_lambda(wo, alpha);
    let lambda_i = ggx_lambda(wi, alpha);
    return vec2<f32>(shared_part / (1.0 + lambda_o), shared_part / (1.0 + lambda_o + lambda_i));
}

// The same for facets that refract with index `eta`.
fn ggx_refraction(
    wo: vec3<f32>,
    wi: vec3<f32>,
    h: vec3<f32>,
    inv_len_h: f32,
    eta: f32,
    alpha: f32,
) -> vec2<f32> {
    let jacobian = sqr(eta * inv_len_h) * abs(dot3(wo, h) * dot3(wi, h));
    let shared_part = ggx_distribution(h, alpha) / wo.z * jacobian;
    let lambda_o = ggx_lambda(wo, alpha);
    let lambda_i = ggx_lambda(wi, alpha);
    return vec2<f32>(shared_part / (1.0 + lambda_o), shared_part / (1.0 + lambda_o + lambda_i));
}

fn refract_through(wo: vec3<f32>, h: vec3<f32>, cos_t: f32, eta: f32) -> vec3<f32> {
    let inv = 1.0 / eta;
    return normalize_or(h * (dot3(wo, h) * inv - cos_t) - wo * inv, -h);
}
