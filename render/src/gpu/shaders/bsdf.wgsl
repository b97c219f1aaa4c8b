// Blender 4.3's Principled BSDF as a short list of lobes: twin of kernels/bsdf.rs.

const LOBE_DIFFUSE: u32 = 0u;
const LOBE_DIFFUSE_TRANSMISSION: u32 = 1u;
const LOBE_SHEEN: u32 = 2u;
const LOBE_METAL: u32 = 3u;
const LOBE_DIELECTRIC: u32 = 4u;
const LOBE_GLASS: u32 = 5u;
const LOBE_GLASS_REFLECTION: u32 = 6u;
const LOBE_GLASS_REFRACTION: u32 = 7u;
const LOBE_THIN_GLASS: u32 = 8u;

// Principled inputs at one point.
struct SurfaceValues {
    base_color: vec3<f32>,
    metallic: f32,
    specular_tint: vec3<f32>,
    roughness: f32,
    coat_tint: vec3<f32>,
    ior: f32,
    sheen_tint: vec3<f32>,
    specular: f32,
    transmission: f32,
    transmission_roughness: f32,
    diffuse_transmission: f32,
    coat: f32,
    coat_roughness: f32,
    coat_ior: f32,
    sheen: f32,
    sheen_roughness: f32,
    thin_walled: bool,
}

struct Lobe {
    weight: vec3<f32>,
    // Probability with which it is chosen.
    choice: f32,
    // Metal: the correction term; glass: the tint of what passes.
    second: vec3<f32>,
    alpha: f32,
    fresnel: TintedDielectric,
    kind: u32,
}

// The BSDF at hand. One at a time is enough, and copies of it would be large. Each lobe has a place of its
// own, in the order in which the CPU lists them, so that no index is only known at run time: `choice` is 0
// where the surface does not have it.
var<private> sheen_lobe: Lobe;
var<private> coat_lobe: Lobe;
var<private> metal_lobe: Lobe;
// Glass, thin glass, or the reflection of glass whose refraction has a roughness of its own.
var<private> glass_lobe: Lobe;
var<private> refraction_lobe: Lobe;
var<private> dielectric_lobe: Lobe;
var<private> passing_lobe: Lobe;
var<private> diffuse_lobe: Lobe;
var<private> lobe_count: u32;

struct Bsdf {
    frame: Frame3,
    geometric_normal: vec3<f32>,
    wo: vec3<f32>,
    has_density: bool,
    bump: Bump,
}

// What a normal map changes for diffuse lobes; see Bump in kernels/bsdf.rs.
struct Bump {
    // What the map gives and what is interpolated, local.
    mapped: vec3<f32>,
    smoothed: vec3<f32>,
    alpha2: f32,
    is_some: bool,
}

fn bump_new(f: Frame3, mapped_world: vec3<f32>, smooth_world: vec3<f32>) -> Bump {
    let mapped = to_local(f, mapped_world);
    let smoothed = to_local(f, smooth_world);
    let cos2 = max(sqr(dot3(mapped, smoothed)), 1e-6);
    let alpha2 = clamp(0.125 * (1.0 / cos2 - 1.0), 0.0, 1.0);
    return Bump(mapped, smoothed, alpha2, any(mapped_world != smooth_world));
}

fn bump_leaks(bump: Bump, wi: vec3<f32>) -> bool {
    return dot3(bump.smoothed, wi) * dot3(bump.smoothed, bump.mapped) * dot3(bump.mapped, wi) < 0.0;
}

// Factor of diffuse lobes.
fn bump_factor(bump: Bump, wi: vec3<f32>) -> f32 {
    if !HAS_NORMAL_MAPS || !bump.is_some {
        return 1.0;
    }
    let cos2 = sqr(dot3(bump.smoothed, wi));
    if cos2 < 1e-12 || wi.z == 0.0 || bump_leaks(bump, wi) {
        return 0.0;
    }
    let tan2 = max(1.0 / cos2 - 1.0, 0.0);
    let shadowing = 2.0 / (1.0 + sqrt(1.0 + bump.alpha2 * tan2));
    return max(dot3(bump.mapped, wi) / wi.z, 0.0) * shadowing;
}

struct BsdfValue {
    value: vec3<f32>,
    pdf: f32,
}

// What a layer of `albedo` leaves of `weight`.
fn under(albedo: vec3<f32>, weight: vec3<f32>) -> vec3<f32> {
    let covered = select(vec3<f32>(0.0), albedo / weight, weight > vec3<f32>(0.0));
    return weight * clamp(1.0 - largest3(covered), 0.0, 1.0);
}

// Albedo of facets that lose nothing (x) and its cosine-weighted mean (y).
fn facets_reflection(r: f32, mu: f32) -> vec2<f32> {
    return vec2<f32>(max(reflection_albedo(r, mu), LEAST_ALBEDO), reflection_albedo_average(r));
}

fn facets_glass(r: f32, mu: f32, eta: f32) -> vec2<f32> {
    return vec2<f32>(max(glass_albedo(r, mu, eta), LEAST_ALBEDO), glass_albedo_average(r, eta));
}

// Factor for the energy that single scattering loses; a facet keeps `share` of what it meets.
fn compensation_of(facets: vec2<f32>, share: vec3<f32>) -> vec3<f32> {
    let f_ms = share * facets.y / max(1.0 - share * (1.0 - facets.y), vec3<f32>(1e-4));
    return 1.0 + f_ms * ((1.0 - facets.x) / facets.x);
}

fn is_smooth(kind: u32, alpha: f32) -> bool {
    return kind > LOBE_SHEEN && alpha < SMOOTH_ALPHA;
}

fn new_lobe(
    kind: u32,
    alpha: f32,
    fresnel: TintedDielectric,
    second: vec3<f32>,
    weight: vec3<f32>,
    albedo: vec3<f32>,
) -> Lobe {
    var choice = mean3(albedo);
    if choice > CUTOFF {
        lobe_count++;
    } else {
        choice = 0.0;
    }
    return Lobe(weight, choice, second, alpha, fresnel, kind);
}

// What sheen and coat leave of the light from below: also the weight of emission. `push`: their lobes too.
fn upper_layers(values: SurfaceValues, mu: f32, push: bool) -> vec3<f32> {
    let none = TintedDielectric(vec3<f32>(0.0), 1.0, 0.0, 1.0);
    var weight = vec3<f32>(1.0);
    if HAS_SHEEN && values.sheen > CUTOFF {
        let unscaled = sheen_albedo_unscaled(values.sheen_roughness, mu);
        let albedo = min(unscaled, 1.0);
        let scale = select(1.0, 1.0 / unscaled, unscaled > 1.0);
        let tinted = values.sheen_tint * values.sheen;
        if push {
            let alpha = sheen_alpha(values.sheen_roughness);
            sheen_lobe = new_lobe(LOBE_SHEEN, alpha, none, vec3<f32>(0.0), tinted * scale, tinted * albedo);
        }
        weight = under(tinted * albedo, weight);
    }
    if HAS_COAT && values.coat > CUTOFF {
        let fresnel = tinted_dielectric(values.coat_ior, vec3<f32>(f0_from_ior(values.coat_ior)));
        // Blender takes a coat's albedo for that of a smooth one.
        let albedo = tinted_at(fresnel, mu).xyz;
        let coat = weight * values.coat;
        if push {
            let facets = facets_reflection(values.coat_roughness, mu);
            let compensation = compensation_of(facets, tinted_average(fresnel));
            coat_lobe = new_lobe(
                LOBE_DIELECTRIC,
                sqr(values.coat_roughness),
                fresnel,
                vec3<f32>(0.0),
                coat * compensation,
                coat * albedo,
            );
        }
        weight = under(coat * albedo, weight);
        if any(values.coat_tint != vec3<f32>(1.0)) {
            let cos_t = max(safe_sqrt(1.0 - (1.0 - mu * mu) / sqr(values.coat_ior)), 1e-3);
            let depth = 1.0 / cos_t;
            let tint = vec3<f32>(
                power(values.coat_tint.x, depth),
                power(values.coat_tint.y, depth),
                power(values.coat_tint.z, depth),
            );
            weight *= 1.0 + (tint - 1.0) * values.coat;
        }
    }
    return weight;
}

// The viewing direction in local space: from just above the surface where a shading normal faces away.
fn local_view(f: Frame3, wo_world: vec3<f32>) -> vec3<f32> {
    var wo = to_local(f, wo_world);
    wo.z = max(wo.z, 1e-4);
    return normalize_or(wo, UP);
}

fn bsdf_new(
    values: SurfaceValues,
    wo_world: vec3<f32>,
    surface: ptr<function, Surface>,
) -> Bsdf {
    let f = frame_from_z((*surface).normal);
    let bump = bump_new(f, (*surface).mapped_normal, (*surface).smooth_normal);
    let geometric_normal = (*surface).geometric_normal;
    let entering = (*surface).entering;
    let wo = local_view(f, wo_world);
    let mu = wo.z;
    let none = TintedDielectric(vec3<f32>(0.0), 1.0, 0.0, 1.0);
    let zero = vec3<f32>(0.0);
    let one = vec3<f32>(1.0);
    lobe_count = 0u;
    let absent = Lobe(zero, 0.0, zero, 1.0, none, LOBE_DIFFUSE);
    sheen_lobe = absent;
    coat_lobe = absent;
    metal_lobe = absent;
    glass_lobe = absent;
    refraction_lobe = absent;
    dielectric_lobe = absent;
    passing_lobe = absent;
    diffuse_lobe = absent;
    let base = clamp(values.base_color, zero, one);
    let r = values.roughness;
    let alpha = sqr(r);
    var weight = upper_layers(values, mu, true);
    let facets = facets_reflection(r, mu);

    if HAS_METAL && values.metallic > CUTOFF {
        let b = f82_b(base, clamp(values.specular_tint, zero, one));
        let compensation = compensation_of(facets, f82_average(base, b));
        let metal = weight * values.metallic;
        var fresnel = none;
        fresnel.f0 = base;
        let albedo = metal * compensation * facets.x * f82(base, b, mu);
        metal_lobe = new_lobe(LOBE_METAL, alpha, fresnel, b, metal * compensation, albedo);
        weight *= 1.0 - values.metallic;
    }
    if HAS_GLASS && values.transmission > CUTOFF && largest3(weight) > CUTOFF {
        push_glass(values, weight * values.transmission, base, mu, entering);
        weight *= 1.0 - values.transmission;
    }
    if largest3(weight) > CUTOFF {
        var eta = values.ior;
        var f0 = f0_from_ior(eta);
        if values.specular != 0.5 {
            f0 *= 2.0 * values.specular;
            eta = ior_from_f0(f0);
        }
        if eta > 1.0 + 1e-5 {
            let fresnel = tinted_dielectric(eta, clamp(values.specular_tint * f0, zero, one));
            let share = dielectric_share(r, mu, eta);
            let compensation = compensation_of(facets, tinted_average(fresnel));
            let albedo = compensation * facets.x * tinted_between(fresnel, share);
            dielectric_lobe =
                new_lobe(LOBE_DIELECTRIC, alpha, fresnel, zero, weight * compensation, weight * albedo);
            weight = under(weight * albedo, weight);
        }
        let diffuse = weight * values.base_color;
        let through = values.diffuse_transmission;
        if HAS_DIFFUSE_TRANSMISSION && through > CUTOFF {
            let passed = diffuse * through;
            passing_lobe = new_lobe(LOBE_DIFFUSE_TRANSMISSION, 1.0, none, zero, passed, passed);
        }
        if through < 1.0 {
            let kept = diffuse * (1.0 - through);
            diffuse_lobe = new_lobe(LOBE_DIFFUSE, 1.0, none, zero, kept, kept);
        }
    }

    let total = sheen_lobe.choice + coat_lobe.choice + metal_lobe.choice + glass_lobe.choice
        + refraction_lobe.choice + dielectric_lobe.choice + passing_lobe.choice
        + diffuse_lobe.choice;
    let scale = select(0.0, 1.0 / total, total > 0.0);
    sheen_lobe.choice *= scale;
    coat_lobe.choice *= scale;
    metal_lobe.choice *= scale;
    glass_lobe.choice *= scale;
    refraction_lobe.choice *= scale;
    dielectric_lobe.choice *= scale;
    passing_lobe.choice *= scale;
    diffuse_lobe.choice *= scale;
    let has_density = is_dense(sheen_lobe) || is_dense(coat_lobe) || is_dense(metal_lobe)
        || is_dense(glass_lobe) || is_dense(refraction_lobe) || is_dense(dielectric_lobe)
        || is_dense(passing_lobe) || is_dense(diffuse_lobe);
    return Bsdf(f, geometric_normal, wo, has_density, bump);
}

// A lobe that is there and has a density.
fn is_dense(lobe: Lobe) -> bool {
    return lobe.choice > 0.0 && !is_smooth(lobe.kind, lobe.alpha);
}

fn push_glass(
    values: SurfaceValues,
    weight: vec3<f32>,
    base: vec3<f32>,
    mu: f32,
    entering: bool,
) {
    let zero = vec3<f32>(0.0);
    // Without a step in the index nothing bends.
    let r = select(values.roughness, 0.0, values.ior - 1.0 < LEAST_STEP);
    let alpha = sqr(r);
    let eta = select(1.0 / values.ior, values.ior, entering || values.thin_walled);
    let f0 = clamp(values.specular_tint, zero, vec3<f32>(1.0)) * f0_from_ior(values.ior);
    let fresnel = tinted_dielectric(eta, f0);
    if values.thin_walled {
        glass_lobe = new_lobe(LOBE_THIN_GLASS, alpha, fresnel, base, weight, weight);
        return;
    }
    // Light crosses two faces: each takes the square root of the tint.
    let tint = vec3<f32>(safe_sqrt(base.x), safe_sqrt(base.y), safe_sqrt(base.z));
    let own = values.transmission_roughness;
    let through_r = select(r, 1.0 - (1.0 - r) * (1.0 - own), own >= 0.0 && r > 0.0);
    // As Blender: each further bounce is taken to be a tinted passage.
    let facets = facets_glass(through_r, mu, eta);
    let refraction = compensation_of(facets, tint);
    if abs(through_r - r) < 1e-4 {
        let albedo = weight * refraction * facets.x;
        glass_lobe = new_lobe(LOBE_GLASS, alpha, fresnel, tint, weight * refraction, albedo);
    } else {
        let f = tinted_at(fresnel, mu).xyz;
        let reflection = compensation_of(facets_reflection(r, mu), tinted_average(fresnel));
        glass_lobe =
            new_lobe(LOBE_GLASS_REFLECTION, alpha, fresnel, zero, weight * reflection, weight * f);
        refraction_lobe = new_lobe(
            LOBE_GLASS_REFRACTION,
            sqr(through_r),
            fresnel,
            tint,
            weight * refraction,
            weight * (1.0 - f) * tint,
        );
    }
}

// Probability of choosing reflection.
fn reflect_probability(f: vec3<f32>, through: vec3<f32>) -> f32 {
    let a = mean3(f);
    let b = mean3(through);
    return select(1.0, a / (a + b), a + b > 0.0);
}

fn eval_refraction(lobe: Lobe, wo: vec3<f32>, wi: vec3<f32>, shared_facets: bool) -> BsdfValue {
    let nothing = BsdfValue(vec3<f32>(0.0), 0.0);
    let eta = lobe.fresnel.eta;
    let sum = wo + wi * eta;
    let length = length3(sum);
    if length < 1e-6 {
        return nothing;
    }
    var h = sum / length;
    if h.z < 0.0 {
        h = -h;
    }
    let c = dot3(wo, h);
    if c <= 0.0 || dot3(wi, h) >= 0.0 {
        return nothing;
    }
    let f = tinted_at(lobe.fresnel, c).xyz;
    let through = (1.0 - f) * lobe.second;
    let facets = ggx_refraction(wo, wi, h, 1.0 / length, eta, lobe.alpha);
    let choice = select(1.0, 1.0 - reflect_probability(f, through), shared_facets);
    return BsdfValue(through * facets.y, facets.x * choice);
}

// What the lobes share for one direction.
struct Directions {
    wo: vec3<f32>,
    wi: vec3<f32>,
    // Half vector with wi turned to the side of wo, and its cosine.
    h: vec3<f32>,
    c: f32,
    of_diffuse: f32,
}

// Adds a lobe to BSDF × |cosθ_i| and pdf. `may_be`: the kinds that can be in its place, a bit each, so that
// the code of others is left out.
fn add_lobe(sum: ptr<function, BsdfValue>, lobe: Lobe, may_be: u32, d: Directions) {
    if !is_dense(lobe) {
        return;
    }
    let reflected = d.wi.z > 0.0;
    var f = vec3<f32>(0.0);
    var p = 0.0;
    if (may_be & (1u << LOBE_DIFFUSE)) != 0u {
        p = cosine_hemisphere_pdf(d.wi.z);
        f = vec3<f32>(p);
    } else if (may_be & (1u << LOBE_DIFFUSE_TRANSMISSION)) != 0u {
        p = cosine_hemisphere_pdf(-d.wi.z);
        f = vec3<f32>(p);
    } else if (may_be & (1u << LOBE_SHEEN)) != 0u {
        if reflected {
            f = vec3<f32>(sheen_value(d.wo, d.wi, lobe.alpha));
            p = 0.5 * INV_PI;
        }
    } else if (may_be & ((1u << LOBE_METAL) | (1u << LOBE_DIELECTRIC))) != 0u {
        if reflected {
            let facets = ggx_reflection(d.wo, d.wi, d.h, lobe.alpha);
            if (may_be & (1u << LOBE_METAL)) != 0u {
                f = f82(lobe.fresnel.f0, lobe.second, d.c) * facets.y;
            } else {
                f = tinted_at(lobe.fresnel, d.c).xyz * facets.y;
            }
            p = facets.x;
        }
    } else if reflected || lobe.kind == LOBE_THIN_GLASS {
        if lobe.kind != LOBE_GLASS_REFRACTION {
            let facets = ggx_reflection(d.wo, d.wi, d.h, lobe.alpha);
            let fresnel = tinted_at(lobe.fresnel, d.c).xyz;
            f = fresnel * facets.y;
            p = facets.x;
            if lobe.kind != LOBE_GLASS_REFLECTION {
                let through = (1.0 - fresnel) * lobe.second;
                let choice = reflect_probability(fresnel, through);
                if reflected {
                    p = facets.x * choice;
                } else {
                    f = through * facets.y;
                    p = facets.x * (1.0 - choice);
                }
            }
        }
    } else if lobe.kind == LOBE_GLASS || lobe.kind == LOBE_GLASS_REFRACTION {
        let refracted = eval_refraction(lobe, d.wo, d.wi, lobe.kind == LOBE_GLASS);
        f = refracted.value;
        p = refracted.pdf;
    }
    (*sum).value += lobe.weight * f * select(1.0, d.of_diffuse, lobe.kind <= LOBE_SHEEN);
    (*sum).pdf += lobe.choice * p;
}

const ANY_GLASS: u32 = (1u << LOBE_GLASS) | (1u << LOBE_GLASS_REFLECTION)
    | (1u << LOBE_GLASS_REFRACTION) | (1u << LOBE_THIN_GLASS);

// BSDF × |cosθ_i| and pdf of all lobes that are not smooth; directions are local.
fn bsdf_eval_local(wo: vec3<f32>, wi: vec3<f32>, bump: Bump) -> BsdfValue {
    let h = normalize_or(wo + vec3<f32>(wi.x, wi.y, abs(wi.z)), UP);
    let d = Directions(wo, wi, h, clamp(dot3(wo, h), 0.0, 1.0), bump_factor(bump, wi));
    var sum = BsdfValue(vec3<f32>(0.0), 0.0);
    if HAS_SHEEN {
        add_lobe(&sum, sheen_lobe, 1u << LOBE_SHEEN, d);
    }
    if HAS_COAT {
        add_lobe(&sum, coat_lobe, 1u << LOBE_DIELECTRIC, d);
    }
    if HAS_METAL {
        add_lobe(&sum, metal_lobe, 1u << LOBE_METAL, d);
    }
    if HAS_GLASS {
        add_lobe(&sum, glass_lobe, ANY_GLASS, d);
        add_lobe(&sum, refraction_lobe, ANY_GLASS, d);
    }
    add_lobe(&sum, dielectric_lobe, 1u << LOBE_DIELECTRIC, d);
    if HAS_DIFFUSE_TRANSMISSION {
        add_lobe(&sum, passing_lobe, 1u << LOBE_DIFFUSE_TRANSMISSION, d);
    }
    add_lobe(&sum, diffuse_lobe, 1u << LOBE_DIFFUSE, d);
    return sum;
}

struct LobeSample {
    // Local.
    wi: vec3<f32>,
    // Smooth lobes: weight × BSDF × cos ÷ probability.
    weight: vec3<f32>,
    smooth_lobe: bool,
    valid: bool,
}

// The lobe that a number chooses; the last one if it is beyond all.
struct LobeChoice {
    lobe: Lobe,
    // Of the stretch of numbers that choose it.
    start: f32,
    // Of the next one's.
    next: f32,
    found: bool,
}

fn offer_lobe(choice: ptr<function, LobeChoice>, lobe: Lobe, number: f32) {
    if (*choice).found || lobe.choice <= 0.0 {
        return;
    }
    (*choice).lobe = lobe;
    (*choice).start = (*choice).next;
    (*choice).next += lobe.choice;
    (*choice).found = number < (*choice).next;
}

// A direction by one lobe; not valid when the sample is absorbed. `numbers` choose the lobe and the
// direction within it.
fn bsdf_sample_local(wo: vec3<f32>, numbers: vec2<f32>, u_interface: f32) -> LobeSample {
    var result = LobeSample(UP, vec3<f32>(0.0), false, false);
    if lobe_count == 0u {
        return result;
    }
    var choice = LobeChoice(diffuse_lobe, 0.0, 0.0, false);
    if HAS_SHEEN {
        offer_lobe(&choice, sheen_lobe, numbers.x);
    }
    if HAS_COAT {
        offer_lobe(&choice, coat_lobe, numbers.x);
    }
    if HAS_METAL {
        offer_lobe(&choice, metal_lobe, numbers.x);
    }
    if HAS_GLASS {
        offer_lobe(&choice, glass_lobe, numbers.x);
        offer_lobe(&choice, refraction_lobe, numbers.x);
    }
    offer_lobe(&choice, dielectric_lobe, numbers.x);
    if HAS_DIFFUSE_TRANSMISSION {
        offer_lobe(&choice, passing_lobe, numbers.x);
    }
    offer_lobe(&choice, diffuse_lobe, numbers.x);
    let lobe = choice.lobe;
    let start = choice.start;
    let u = vec2<f32>(rest_of_choice(numbers.x, start, lobe.choice), numbers.y);
    result.smooth_lobe = is_smooth(lobe.kind, lobe.alpha);
    var wi = UP;
    var value = vec3<f32>(1.0);
    var valid = true;
    if lobe.kind <= LOBE_DIFFUSE_TRANSMISSION {
        wi = cosine_hemisphere(u);
        if lobe.kind == LOBE_DIFFUSE_TRANSMISSION {
            wi.z = -wi.z;
        }
    } else if HAS_SHEEN && lobe.kind == LOBE_SHEEN {
        wi = uniform_hemisphere(u);
    } else {
        var h = UP;
        if !result.smooth_lobe {
            h = ggx_sample(wo, lobe.alpha, u);
        }
        let wo_h = dot3(wo, h);
        let mirrored = h * (2.0 * wo_h) - wo;
        let clamped = HAS_GLASS && lobe.kind >= LOBE_GLASS && lobe.kind != LOBE_GLASS_REFLECTION;
        let fresnel = tinted_at(lobe.fresnel, select(wo_h, max(wo_h, 0.0), clamped));
        let f = fresnel.xyz;
        let through = (1.0 - f) * lobe.second;
        let p = reflect_probability(f, through);
        wi = mirrored;
        valid = mirrored.z > 0.0;
        if HAS_METAL && lobe.kind == LOBE_METAL {
            value = f82(lobe.fresnel.f0, lobe.second, wo_h);
        } else if !HAS_GLASS || lobe.kind == LOBE_DIELECTRIC || lobe.kind == LOBE_GLASS_REFLECTION {
            value = f;
        } else if lobe.kind == LOBE_THIN_GLASS {
            if u_interface < p {
                value = f / p;
            } else {
                wi.z = -wi.z;
                value = through / (1.0 - p);
            }
        } else if lobe.kind == LOBE_GLASS && u_interface < p {
            value = f / p;
        } else {
            wi = refract_through(wo, h, fresnel.w, lobe.fresnel.eta);
            valid = fresnel.w > 0.0 && wi.z < 0.0;
            value = select(through, through / (1.0 - p), lobe.kind == LOBE_GLASS);
        }
    }
    result.wi = wi;
    result.weight = lobe.weight * value / lobe.choice;
    result.valid = valid;
    return result;
}
