// Light transport: twin of integrator/worlds.rs. The entry point `shade` takes every slot one step on:
// what rays to lights brought, what the path's ray met, which rays come next. A slot whose path has ended
// goes on with the part that waits behind it, then with the pixel's next sample.

// The worlds of `all` part into `some` and the rest: notes who is now unlike world 0.
fn part(touched: u32, all: u32, some: u32) -> u32 {
    if some == all || some == 0u || (all & 1u) == 0u {
        return touched;
    }
    return touched | select(some, all & ~some, (some & 1u) == 1u);
}

fn add_radiance(slot: u32, worlds: u32, radiance: vec3<f32>) {
    var rest = worlds;
    while rest != 0u {
        let w = firstTrailingBit(rest);
        rest &= rest - 1u;
        found[slot * frame.world_count + w].radiance += radiance;
    }
}

// Limits an indirect contribution; `bounce` counts the scatterings before the light was met.
fn clamp_contribution(contribution: vec3<f32>, bounce: u32) -> vec3<f32> {
    let limit = frame.clamp_indirect * 3.0;
    let sum = contribution.x + contribution.y + contribution.z;
    if bounce == 0u || limit <= 0.0 || sum <= limit {
        return contribution;
    }
    return contribution * (limit / sum);
}

fn earlier(bounce: u32) -> u32 {
    return max(bounce, 1u) - 1u;
}

fn light_context(path: ptr<function, PathState>) -> LightContext {
    return LightContext((*path).from_position, (*path).from_normal, (*path).from_transmits != 0u);
}

fn camera_path(pixel: u32, s: Sampler) -> PathState {
    let f = get_2d(s, 0u, PURPOSE_FILTER);
    let position = vec2<f32>(
        f32(pixel % chunk.width) + 0.5 + filter_offset(f.x),
        f32(pixel / chunk.width) + 0.5 + filter_offset(f.y),
    );
    var lens = vec2<f32>(0.0);
    if frame.cameras[1].aperture_radius > 0.0 {
        lens = get_2d(s, 0u, PURPOSE_LENS);
    }
    var path: PathState;
    if frame.motion_blur != 0u {
        // The same linear motion as the objects': between the ends of the shutter.
        path.time = get_1d(s, 0u, PURPOSE_TIME);
        let open = camera_ray(0u, position, lens);
        let close = camera_ray(2u, position, lens);
        path.origin = open.origin * (1.0 - path.time) + close.origin * path.time;
        let direction = open.direction * (1.0 - path.time) + close.direction * path.time;
        path.direction = normalize_or(direction, open.direction);
    } else {
        let ray = camera_ray(1u, position, lens);
        path.origin = ray.origin;
        path.direction = ray.direction;
    }
    path.worlds = ALL_WORLDS >> (32u - frame.world_count);
    path.beta = vec3<f32>(1.0);
    path.pdf = DELTA;
    path.from_position = path.origin;
    path.from_normal = path.direction;
    path.from_transmits = 1u;
    path.left_instance = NONE;
    path.left_slot = NONE;
    return path;
}

const ALL_WORLDS: u32 = 0xffffffffu;

// Suns, spheres and rectangles that the path's ray runs through; they block nothing.
fn add_crossed_lights(
    slot: u32,
    state: ptr<function, SlotState>,
    path: ptr<function, PathState>,
    distance: f32,
) {
    for (var i = 0u; i < frame.shared_lights + frame.other_lights; i++) {
        let worlds = lights[i].worlds & (*path).worlds;
        if worlds == 0u {
            continue;
        }
        let crossing = cross_light(i, (*path).origin, (*path).direction, distance);
        if crossing.pdf <= 0.0 {
            continue;
        }
        (*state).touched = part((*state).touched, (*path).worlds, worlds);
        var weight = 1.0;
        if (*path).pdf != DELTA {
            let group = select(1u, 0u, i < frame.shared_lights);
            let choice = choice_probability(group, i, light_context(path));
            weight = power_heuristic((*path).pdf, crossing.pdf * choice);
        }
        var attenuation = vec3<f32>(1.0);
        if crossing.distance < FAR {
            attenuation = transmittance(medium_absorption(path), crossing.distance);
        }
        let contribution = (*path).beta * attenuation * crossing.radiance * weight;
        add_radiance(slot, worlds, clamp_contribution(contribution, (*path).bounce - 1u));
    }
}

// What a path that meets nothing brings, weighed against light sampling.
fn environment_contribution(path: ptr<function, PathState>) -> vec3<f32> {
    let seen = environment_radiance_and_pdf((*path).direction);
    var weight = 1.0;
    if (*path).pdf != DELTA && frame.environment_is_black == 0u {
        // The environment is the shared group's first light when it is not black.
        let choice = choice_probability(0u, 0u, light_context(path));
        weight = power_heuristic((*path).pdf, choice * seen.w);
    }
    return (*path).beta * seen.xyz * weight;
}

fn emission_weight(values: SurfaceValues, normal: vec3<f32>, wo: vec3<f32>) -> vec3<f32> {
    return upper_layers(values, local_view(frame_from_z(normal), wo).z, false);
}

// Radiance of a light sample, looked up on emitting surfaces.
fn light_radiance(light: LightSample, time: f32) -> vec3<f32> {
    if light.instance == NONE {
        return light.radiance;
    }
    let b = light.barycentrics;
    let wo = -light.wi;
    let surface = surface_at(light.instance, light.slot, b.x, b.y, wo, time);
    if is_zero(surface.point.emission) {
        return surface.point.emission;
    }
    // Presence in the mean instead of by a draw: paths that hit it make the draw.
    var alpha = 1.0;
    if (materials[surface.material].flags & MATERIAL_HAS_ALPHA) != 0u {
        alpha = surface.point.alpha;
    }
    let weight = emission_weight(surface.point.values, surface.normal, wo);
    return surface.point.emission * weight * alpha;
}

// Takes a path on from what its ray met; whether it lives.
fn follow(
    slot: u32,
    state: ptr<function, SlotState>,
    path: ptr<function, PathState>,
    s: Sampler,
) -> bool {
    let hit = hits[slot];
    let bounce = (*path).bounce;
    let missed = hit.instance == NONE;
    var here = (*path).worlds;
    if !missed {
        here &= instances[hit.instance].worlds;
    }
    if here != (*path).worlds {
        // The path parts: the worlds without this instance trace the same ray again, later.
        (*state).touched = part((*state).touched, (*path).worlds, here);
        var rest = *path;
        rest.worlds = (*path).worlds & ~here;
        paths[slot * frame.world_count + (*state).parts] = rest;
        (*state).parts += 1u;
        (*path).worlds = here;
    }
    let distance = select(hit.t, FAR, missed);
    if bounce > 0u {
        add_crossed_lights(slot, state, path, distance);
    }
    if missed {
        let contribution = environment_contribution(path);
        add_radiance(slot, (*path).worlds, clamp_contribution(contribution, earlier(bounce)));
        return false;
    }
    (*path).beta *= transmittance(medium_absorption(path), distance);
    let wo = -(*path).direction;
    var surface = surface_at(hit.instance, hit.slot, hit.u, hit.v, wo, (*path).time);
    let values = surface.point.values;
    let bsdf = bsdf_new(values, wo, &surface);
    if bounce == 0u {
        var rest = (*path).worlds;
        while rest != 0u {
            let at = slot * frame.world_count + firstTrailingBit(rest);
            rest &= rest - 1u;
            found[at].albedo = values.base_color;
            found[at].normal = surface.normal;
            found[at].distance = distance;
            found[at].first = hit.instance + 1u;
        }
    }
    let material = &materials[surface.material];
    if ((*material).flags & MATERIAL_EMISSIVE) != 0u && !is_zero(surface.point.emission) {
        var weight = 1.0;
        if (*path).pdf != DELTA {
            let c = dot3(surface.geometric_normal, (*path).direction);
            let pdf = mesh_pdf(hit.instance, distance, c, light_context(path));
            weight = power_heuristic((*path).pdf, pdf);
        }
        let layers = emission_weight(values, surface.normal, wo);
        let contribution = (*path).beta * surface.point.emission * layers * weight;
        add_radiance(slot, (*path).worlds, clamp_contribution(contribution, earlier(bounce)));
    }
    if bounce >= frame.max_bounces {
        return false;
    }

    let transmits = ((*material).flags & MATERIAL_TRANSMITS) != 0u;
    let has_inside = ((*material).flags & MATERIAL_HAS_INSIDE) != 0u;
    var u_interface = 0.0;
    if transmits {
        u_interface = get_1d(s, bounce, PURPOSE_INTERFACE);
    }
    let sampled = bsdf_sample_local(
        bsdf.wo,
        get_2d(s, bounce, PURPOSE_DIRECTION),
        u_interface,
    );
    let context = LightContext(surface.position, surface.normal, transmits);
    var scattered = BsdfValue(vec3<f32>(0.0), 0.0);
    // Directions to evaluate: to a light of each group, and the scattered one.
    for (var k = 0u; k < 3u; k++) {
        var wi = sampled.wi;
        var light: LightSample;
        if k < 2u {
            if !bsdf.has_density || group_count(k) == 0u {
                continue;
            }
            let u = get_2d(s, bounce, select(PURPOSE_OTHER_LIGHT, PURPOSE_LIGHT, k == 0u));
            light = light_sample(k, context, u);
            if light.light == NONE || (lights[light.light].worlds & (*path).worlds) == 0u {
                continue;
            }
            wi = to_local(bsdf.frame, light.wi);
            if (wi.z > 0.0) != (dot3(light.wi, bsdf.geometric_normal) > 0.0) {
                continue;
            }
        } else if !sampled.valid || sampled.smooth_lobe {
            continue;
        }
        var value = bsdf_eval_local(bsdf.wo, wi, bsdf.bump);
        // Light from below the horizon of the unmapped surface would shine through it.
        if k < 2u && bsdf.bump.is_some && bump_leaks(bsdf.bump, wi) {
            value.value = vec3<f32>(0.0);
        }
        if k == 2u {
            scattered = value;
            continue;
        }
        if is_zero(value.value) {
            continue;
        }
        var weight = 1.0;
        if !light.delta {
            weight = power_heuristic(light.pdf, value.pdf);
        }
        var attenuation = vec3<f32>(1.0);
        if light.distance < FAR && dot3(light.wi, surface.geometric_normal) > 0.0 {
            attenuation = transmittance(medium_absorption(path), light.distance);
        }
        let share = (*path).beta * attenuation * value.value * (weight / light.pdf);
        let contribution = share * light_radiance(light, (*path).time);
        if is_zero(contribution) {
            continue;
        }
        var shadow: ShadowState;
        shadow.origin = offset_origin(&surface, light.wi);
        shadow.direction = light.wi;
        shadow.t_max = select(FAR, light.distance * SHADOW_END, light.distance < FAR);
        shadow.worlds = lights[light.light].worlds & (*path).worlds;
        shadow.contribution = clamp_contribution(contribution, bounce);
        shadow.path_worlds = (*path).worlds;
        shadow.left_instance = hit.instance;
        shadow.left_slot = hit.slot;
        shadow.time = (*path).time;
        shadow.bounce = bounce;
        shadows[2u * slot + k] = shadow;
    }

    if !sampled.valid {
        return false;
    }
    let direction = normalize_or(to_world(bsdf.frame, sampled.wi), bsdf.frame.n);
    let transmitted = sampled.wi.z < 0.0;
    if transmitted == (dot3(direction, bsdf.geometric_normal) > 0.0) {
        return false;
    }
    var weight = sampled.weight;
    var pdf = DELTA;
    if !sampled.smooth_lobe {
        if scattered.pdf <= 0.0 {
            return false;
        }
        weight = scattered.value / scattered.pdf;
        pdf = scattered.pdf;
    }
    var beta = (*path).beta * weight;
    let largest = largest3(beta);
    if !(largest > 0.0 && largest < FAR) {
        return false;
    }
    if bounce >= ROULETTE_FROM {
        let keep = min(safe_sqrt(largest), 1.0);
        if get_1d(s, bounce, PURPOSE_ROULETTE) >= keep {
            return false;
        }
        beta /= keep;
    }
    if transmitted && has_inside {
        let id = instances[hit.instance].id;
        if surface.entering {
            medium_enter(path, id, (*material).absorption);
        } else {
            medium_leave(path, id);
        }
    }
    (*path).origin = offset_origin(&surface, direction);
    (*path).direction = direction;
    (*path).beta = beta;
    (*path).bounce = bounce + 1u;
    (*path).pdf = pdf;
    (*path).from_position = surface.position;
    (*path).from_normal = surface.normal;
    (*path).from_transmits = select(0u, 1u, transmits);
    (*path).left_instance = hit.instance;
    (*path).left_slot = hit.slot;
    return true;
}

@compute @workgroup_size(WORKGROUP)
fn shade(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let slot = slot_of(invocation);
    if slot == NONE {
        return;
    }
    var state = slots[slot];
    if state.phase == DONE {
        return;
    }
    let pixel = pixels[slot];
    var path: PathState;
    var pending = false;
    if state.phase == WORKING {
        for (var k = 0u; k < 2u; k++) {
            let shadow = shadows[2u * slot + k];
            if shadow.worlds != 0u {
                let lit = shadow.worlds & ~shadow.blocked;
                state.touched = part(state.touched, shadow.path_worlds, lit);
                add_radiance(slot, lit, shadow.contribution);
                shadows[2u * slot + k].worlds = 0u;
            }
        }
        if state.alive != 0u {
            path = paths[slot * frame.world_count + state.parts];
            let s = sampler_new(
                frame.seed,
                pixel % chunk.width,
                pixel / chunk.width,
                state.sample,
                frame.samples,
            );
            state.alive = select(0u, 1u, follow(slot, &state, &path, s));
            pending = shadows[2u * slot].worlds != 0u || shadows[2u * slot + 1u].worlds != 0u;
        }
    }
    if state.alive != 0u {
        paths[slot * frame.world_count + state.parts] = path;
    } else if !pending {
        // Nothing of this path is left to wait for.
        if state.phase == WORKING && state.parts > 0u {
            state.parts -= 1u;
            state.alive = 1u;
        } else {
            if state.phase == WORKING {
                finish_sample(slot, &state);
            }
            state.phase = select(WORKING, DONE, state.sample == frame.samples);
            if state.phase == WORKING {
                let s = sampler_new(
                    frame.seed,
                    pixel % chunk.width,
                    pixel / chunk.width,
                    state.sample,
                    frame.samples,
                );
                paths[slot * frame.world_count] = camera_path(pixel, s);
                state.alive = 1u;
            }
        }
    }
    slots[slot] = state;
    if state.phase != DONE {
        atomicAdd(&working, 1u);
    }
}
