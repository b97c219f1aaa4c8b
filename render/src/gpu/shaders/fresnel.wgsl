// Fresnel reflectances: twin of kernels/fresnel.rs.

fn f0_from_ior(eta: f32) -> f32 {
    return sqr((eta - 1.0) / (eta + 1.0));
}

fn ior_from_f0(f0: f32) -> f32 {
    let root = sqrt(clamp(f0, 0.0, 0.99));
    return (1.0 + root) / (1.0 - root);
}

// Reflectance (x) and cosine of the transmitted angle (y), 0 at total reflection.
fn fresnel_dielectric(c: f32, eta: f32) -> vec2<f32> {
    let sin2_t = (1.0 - c * c) / (eta * eta);
    if sin2_t >= 1.0 {
        return vec2<f32>(1.0, 0.0);
    }
    let cos_t = safe_sqrt(1.0 - sin2_t);
    let parallel = (eta * c - cos_t) / (eta * c + cos_t);
    let perpendicular = (c - eta * cos_t) / (c + eta * cos_t);
    return vec2<f32>(0.5 * (parallel * parallel + perpendicular * perpendicular), cos_t);
}

// Its cosine-weighted mean (d'Eon 2021, fitted).
fn fresnel_dielectric_average(eta: f32) -> f32 {
    if eta < 1.0 {
        return 0.997118 + eta * (0.1014 - eta * (0.965241 + eta * 0.130607));
    }
    return (eta - 1.0) / (4.08567 + 1.00071 * eta);
}

// The correction term of an F82 metal (Kutz et al. 2021) with edge tint `tint`.
fn f82_b(f0: vec3<f32>, tint: vec3<f32>) -> vec3<f32> {
    const SIX_SEVENTHS_5: f32 = 0.46266436;
    const SCALE: f32 = 7.0 / (SIX_SEVENTHS_5 * (6.0 / 7.0));
    let schlick = f0 + (1.0 - f0) * SIX_SEVENTHS_5;
    return schlick * SCALE * (1.0 - tint);
}

fn f82(f0: vec3<f32>, b: vec3<f32>, c: f32) -> vec3<f32> {
    let m = clamp(1.0 - c, 0.0, 1.0);
    let m5 = sqr(sqr(m)) * m;
    return clamp(f0 + (1.0 - f0) * m5 - b * (c * m5 * m), vec3<f32>(0.0), vec3<f32>(1.0));
}

fn f82_average(f0: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    return clamp(
        f0 + (1.0 - f0) * (1.0 / 21.0) - b * (1.0 / 126.0),
        vec3<f32>(0.0),
        vec3<f32>(1.0),
    );
}

// A dielectric's curve of index `eta` remapped to run from `f0` to 1.
struct TintedDielectric {
    f0: vec3<f32>,
    eta: f32,
    real_f0: f32,
    scale: f32,
}

fn tinted_dielectric(eta: f32, f0: vec3<f32>) -> TintedDielectric {
    let real_f0 = f0_from_ior(eta);
    return TintedDielectric(f0, eta, real_f0, 1.0 / max(1.0 - real_f0, 1e-6));
}

// Reflectance the share `s` of the way from f0 to 1.
fn tinted_between(fresnel: TintedDielectric, s: f32) -> vec3<f32> {
    return fresnel.f0 + (1.0 - fresnel.f0) * s;
}

fn tinted_remap(fresnel: TintedDielectric, f: f32) -> vec3<f32> {
    return tinted_between(fresnel, clamp((f - fresnel.real_f0) * fresnel.scale, 0.0, 1.0));
}

// Reflectance, and the cosine of the transmitted angle in w.
fn tinted_at(fresnel: TintedDielectric, c: f32) -> vec4<f32> {
    let f = fresnel_dielectric(c, fresnel.eta);
    return vec4<f32>(tinted_remap(fresnel, f.x), f.y);
}

fn tinted_average(fresnel: TintedDielectric) -> vec3<f32> {
    return tinted_remap(fresnel, fresnel_dielectric_average(fresnel.eta));
}
