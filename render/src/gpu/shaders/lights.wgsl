// Lights: twin of scene/lights.rs. Those in every world come first in `lights`, the others follow.

// What the choice of a light looks at.
struct LightContext {
    position: vec3<f32>,
    normal: vec3<f32>,
    transmits: bool,
}

struct LightSample {
    wi: vec3<f32>,
    // FAR for distant lights.
    distance: f32,
    radiance: vec3<f32>,
    pdf: f32,
    // NONE: there is no sample.
    light: u32,
    worlds: u32,
    // No BSDF sample can find it.
    delta: bool,
    // An emitting triangle, whose radiance is looked up.
    instance: u32,
    slot: u32,
    barycentrics: vec2<f32>,
}

fn group_first(group: u32) -> u32 {
    return select(frame.shared_lights, 0u, group == 0u);
}

fn group_count(group: u32) -> u32 {
    return select(frame.other_lights, frame.shared_lights, group == 0u);
}

// No scene that this program is for has more than one light in the group.
fn is_lone_group(group: u32) -> bool {
    return group == 0u && !HAS_SEVERAL_LIGHTS;
}

fn choice_weight(light: u32, at: LightContext) -> f32 {
    let l = light_at(light);
    switch l.kind {
        case LIGHT_ENVIRONMENT: { return l.power; }
        case LIGHT_SUN: {
            if !HAS_SUNS {
                return 0.0;
            }
            let c = dot3(l.direction, at.normal);
            if at.transmits {
                return l.power;
            }
            return select(l.power * max(c, 0.05), 0.0, c < -safe_sqrt(2.0 * l.size));
        }
        default: {
            if !(HAS_SPHERES || HAS_AREAS || HAS_MESH_LIGHTS) {
                return 0.0;
            }
            var radius = l.size;
            if l.kind == LIGHT_AREA {
                radius = length3(l.side_u + l.side_v);
            }
            let d = l.position - at.position;
            let distance2 = max(max(dot3(d, d), sqr(radius)), 1e-6);
            let behind = dot3(d, at.normal) < -radius && !at.transmits;
            return select(l.power / distance2, 0.0, behind);
        }
    }
}

// Probability of choosing a light of a group.
fn choice_probability(group: u32, light: u32, at: LightContext) -> f32 {
    let first = group_first(group);
    let count = group_count(group);
    if count == 1u || is_lone_group(group) {
        return 1.0;
    }
    var total = 0.0;
    var own = 0.0;
    for (var i = first; i < first + count; i++) {
        let weight = choice_weight(i, at);
        total += weight;
        if i == light {
            own = weight;
        }
    }
    return select(0.0, own / total, total > 0.0);
}

fn cone_attenuation(light: LightRecord, from_light: vec3<f32>) -> f32 {
    if light.sharpness <= 0.0 {
        return 1.0;
    }
    let c = dot3(from_light, light.direction) - light.cos_outer;
    let t = clamp(c * light.sharpness, 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

// Distance to a sphere along a direction; negative: missed.
fn sphere_distance(origin: vec3<f32>, direction: vec3<f32>, center: vec3<f32>, radius: f32) -> f32 {
    let to = center - origin;
    let along = dot3(to, direction);
    let off = to - direction * along;
    let half = sqr(radius) - dot3(off, off);
    if half > -1e-4 * sqr(radius) && along > 0.0 {
        return along - safe_sqrt(half);
    }
    return -1.0;
}

// Chooses a light of a group by the first number, and a point on it by what is left.
fn light_sample(group: u32, at: LightContext, numbers: vec2<f32>) -> LightSample {
    var s: LightSample;
    s.light = NONE;
    s.instance = NONE;
    let first = group_first(group);
    let count = group_count(group);
    if count == 0u {
        return s;
    }
    var chosen = first;
    var choice = 1.0;
    var u = numbers;
    if count > 1u && !is_lone_group(group) {
        var total = 0.0;
        for (var i = first; i < first + count; i++) {
            total += choice_weight(i, at);
        }
        if total <= 0.0 {
            return s;
        }
        var start = 0.0;
        var chosen_start = 0.0;
        chosen = NONE;
        for (var i = first; i < first + count; i++) {
            let probability = choice_weight(i, at) / total;
            if probability > 0.0 {
                chosen = i;
                chosen_start = start;
                choice = probability;
                if numbers.x < start + probability {
                    break;
                }
                start += probability;
            }
        }
        if chosen == NONE {
            return s;
        }
        u.x = rest_of_choice(numbers.x, chosen_start, choice);
    }
    let l = light_at(chosen);
    s.distance = FAR;
    s.radiance = l.radiance;
    s.worlds = l.worlds;
    s.delta = false;
    var pdf = 0.0;
    switch l.kind {
        case LIGHT_ENVIRONMENT: {
            let e = environment_sample(u);
            s.wi = e.direction;
            s.radiance = e.radiance;
            pdf = e.pdf;
        }
        case LIGHT_SUN: {
            if !HAS_SUNS {
                return s;
            }
            if l.size <= 0.0 {
                s.wi = l.direction;
                s.delta = true;
                pdf = 1.0;
            } else {
                s.wi = to_world(frame_from_z(l.direction), uniform_cone(u, l.size));
                pdf = 1.0 / (TWO_PI * l.size);
            }
        }
        case LIGHT_SPHERE: {
            if !HAS_SPHERES {
                return s;
            }
            let to_center = l.position - at.position;
            let distance2 = dot3(to_center, to_center);
            let distance = sqrt(distance2);
            if distance <= l.size || distance <= 0.0 {
                return s;
            }
            let toward = to_center / distance;
            if l.size == 0.0 {
                s.wi = toward;
                s.distance = distance;
                s.radiance = l.radiance * (cone_attenuation(l, -toward) / distance2);
                s.delta = true;
                pdf = 1.0;
            } else {
                let sin2 = sqr(l.size) / distance2;
                let one_minus_cos = sin2 / (1.0 + safe_sqrt(1.0 - sin2));
                s.wi = to_world(frame_from_z(toward), uniform_cone(u, one_minus_cos));
                s.distance = sphere_distance(at.position, s.wi, l.position, l.size);
                if s.distance < 0.0 {
                    return s;
                }
                s.radiance = l.radiance * cone_attenuation(l, -s.wi);
                pdf = 1.0 / (TWO_PI * one_minus_cos);
            }
        }
        case LIGHT_AREA: {
            if !HAS_AREAS {
                return s;
            }
            let point = l.position + l.side_u * (2.0 * u.x - 1.0)
                + l.side_v * (2.0 * u.y - 1.0);
            let to = point - at.position;
            let distance2 = dot3(to, to);
            let distance = sqrt(distance2);
            s.wi = to / max(distance, 1e-20);
            s.distance = distance;
            let c = -dot3(s.wi, l.direction);
            if c <= 0.0 || distance <= 0.0 {
                return s;
            }
            let area = 4.0 * length3(l.side_u) * length3(l.side_v);
            pdf = distance2 / (c * area);
        }
        default: {
            if !HAS_MESH_LIGHTS {
                return s;
            }
            // The first triangle whose share ends beyond u.
            let first_emitter = l.first_emitter;
            var low = 0u;
            var high = l.emitter_count - 1u;
            while low < high {
                let middle = (low + high) / 2u;
                if emitter_at(first_emitter + middle).cumulative > u.x {
                    high = middle;
                } else {
                    low = middle + 1u;
                }
            }
            let e = emitter_at(first_emitter + low);
            var start = 0.0;
            if low > 0u {
                start = emitter_at(first_emitter + low - 1u).cumulative;
            }
            let width = e.cumulative - start;
            let within = select(0.5, clamp((u.x - start) / width, 0.0, 0.99999994), width > 0.0);
            let b = uniform_triangle(vec2<f32>(within, u.y));
            let point = e.p0 + (e.p1 - e.p0) * b.x + (e.p2 - e.p0) * b.y;
            let to = point - at.position;
            let distance2 = dot3(to, to);
            let distance = sqrt(distance2);
            if distance <= 0.0 {
                return s;
            }
            s.wi = to / distance;
            s.distance = distance;
            let normal = normalize_or(cross(e.p1 - e.p0, e.p2 - e.p0), vec3<f32>(0.0));
            let c = abs(dot3(s.wi, normal));
            if c <= 1e-7 {
                return s;
            }
            pdf = 1.0 / l.area * distance2 / c;
            s.instance = l.instance;
            s.slot = e.slot;
            s.barycentrics = b;
        }
    }
    if pdf > 0.0 {
        s.light = chosen;
        s.pdf = pdf * choice;
    }
    return s;
}

// pdf with which `light_sample` would have found a point of an emitting instance.
fn mesh_pdf(instance: u32, distance: f32, c: f32, at: LightContext) -> f32 {
    if !HAS_MESH_LIGHTS {
        return 0.0;
    }
    for (var group = 0u; group < 2u; group++) {
        let first = group_first(group);
        for (var i = first; i < first + group_count(group); i++) {
            let l = light_at(i);
            if l.kind == LIGHT_MESH && l.instance == instance {
                return 1.0 / l.area * sqr(distance) / max(abs(c), 1e-7)
                    * choice_probability(group, i, at);
            }
        }
    }
    return 0.0;
}

// A light without geometry that a ray runs through.
struct Crossing {
    radiance: vec3<f32>,
    // Without the choice; 0: not crossed.
    pdf: f32,
    // FAR for distant lights.
    distance: f32,
}

fn cross_light(light: u32, origin: vec3<f32>, direction: vec3<f32>, t_max: f32) -> Crossing {
    let l = light_at(light);
    var c = Crossing(l.radiance, 0.0, FAR);
    switch l.kind {
        case LIGHT_SUN: {
            if !HAS_SUNS {
                return c;
            }
            let d = direction - l.direction;
            if t_max >= FAR && 0.5 * dot3(d, d) < l.size {
                c.pdf = 1.0 / (TWO_PI * l.size);
            }
        }
        case LIGHT_SPHERE: {
            if !HAS_SPHERES {
                return c;
            }
            let to = l.position - origin;
            let distance2 = dot3(to, to);
            if l.size > 0.0 && distance2 > sqr(l.size) {
                let t = sphere_distance(origin, direction, l.position, l.size);
                let off = to - direction * dot3(to, direction);
                if t >= 0.0 && t < t_max && dot3(off, off) < sqr(l.size) {
                    let sin2 = sqr(l.size) / distance2;
                    let one_minus_cos = sin2 / (1.0 + safe_sqrt(1.0 - sin2));
                    c.radiance = l.radiance * cone_attenuation(l, -direction);
                    c.pdf = 1.0 / (TWO_PI * one_minus_cos);
                    c.distance = t;
                }
            }
        }
        case LIGHT_AREA: {
            if !HAS_AREAS {
                return c;
            }
            let cosine = -dot3(direction, l.direction);
            if cosine > 0.0 {
                let t = dot3(origin - l.position, l.direction) / cosine;
                let at = origin + direction * t - l.position;
                if t > 0.0 && t < t_max
                    && abs(dot3(at, l.side_u)) <= dot3(l.side_u, l.side_u)
                    && abs(dot3(at, l.side_v)) <= dot3(l.side_v, l.side_v) {
                    let area = 4.0 * length3(l.side_u) * length3(l.side_v);
                    c.pdf = sqr(t) / (cosine * area);
                    c.distance = t;
                }
            }
        }
        default: {}
    }
    return c;
}
