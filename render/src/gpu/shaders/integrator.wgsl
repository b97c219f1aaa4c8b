// Light transport: twin of integrator/worlds.rs. A slot goes on step by step: its rays (up to two to lights,
// and its path's own) are traced, then what they brought is added and the next rays are chosen. A slot whose
// path has ended goes on with the part that waits behind it, then with the pixel's next sample.
//
// Hardware takes turns: the entry points `trace` and `shade` do one half of a step of all slots each, and
// need few registers. A processor in disguise has none to spare either way and takes many steps at once (`work`),
// which saves the reading and writing between them.

// The worlds of `all` part into `some` and the rest: notes who is now unlike world 0.
fn part(touched: u32, all: u32, some: u32) -> u32 {
    if some == all || some == 0u || (all & 1u) == 0u {
        return touched;
    }
    return touched | select(some, all & ~some, (some & 1u) == 1u);
}

fn add_radiance(worlds: u32, radiance: vec3<f32>) {
    for (var w = 0u; w < WORLDS; w++) {
        if ((worlds >> w) & 1u) != 0u {
            seen[w].radiance += radiance;
        }
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

fn light_context() -> LightContext {
    return LightContext(path.from_position, path.from_normal, path.from_transmits != 0u);
}

fn camera_path(number: u32, s: Sampler) -> PathState {
    let f = get_2d(s, 0u, PURPOSE_FILTER);
    let position = vec2<f32>(
        f32(number % chunk.width) + 0.5 + filter_offset(f.x),
        f32(number / chunk.width) + 0.5 + filter_offset(f.y),
    );
    var lens = vec2<f32>(0.0);
    if frame.cameras[1].aperture_radius > 0.0 {
        lens = get_2d(s, 0u, PURPOSE_LENS);
    }
    var start: PathState;
    if HAS_MOTION {
        // The same linear motion as the objects': between the ends of the shutter.
        start.time = get_1d(s, 0u, PURPOSE_TIME);
        let open = camera_ray(0u, position, lens);
        let close = camera_ray(2u, position, lens);
        start.origin = open.origin * (1.0 - start.time) + close.origin * start.time;
        let direction = open.direction * (1.0 - start.time) + close.direction * start.time;
        start.direction = normalize_or(direction, open.direction);
    } else {
        let ray = camera_ray(1u, position, lens);
        start.origin = ray.origin;
        start.direction = ray.direction;
    }
    start.worlds = sampled_worlds();
    start.beta = vec3<f32>(1.0);
    start.pdf = DELTA;
    start.from_position = start.origin;
    start.from_normal = start.direction;
    start.from_transmits = 1u;
    start.left_instance = NONE;
    start.left_slot = NONE;
    return start;
}

// Suns, spheres and rectangles that the path's ray runs through; they block nothing.
fn add_crossed_lights(distance: f32) {
    for (var i = 0u; i < frame.shared_lights + frame.other_lights; i++) {
        let worlds = light_at(i).worlds & path.worlds;
        if worlds == 0u {
            continue;
        }
        let crossing = cross_light(i, path.origin, path.direction, distance);
        if crossing.pdf <= 0.0 {
            continue;
        }
        state.touched = part(state.touched, path.worlds, worlds);
        var weight = 1.0;
        if path.pdf != DELTA {
            let group = select(1u, 0u, i < frame.shared_lights);
            let choice = choice_probability(group, i, light_context());
            weight = power_heuristic(path.pdf, crossing.pdf * choice);
        }
        var attenuation = vec3<f32>(1.0);
        if crossing.distance < FAR {
            attenuation = transmittance(path.absorption, crossing.distance);
        }
        let contribution = path.beta * attenuation * crossing.radiance * weight;
        add_radiance(worlds, clamp_contribution(contribution, path.bounce - 1u));
    }
}

// What a path that meets nothing brings, weighed against light sampling.
fn environment_contribution() -> vec3<f32> {
    let seen = environment_radiance_and_pdf(path.direction);
    var weight = 1.0;
    if path.pdf != DELTA && frame.environment_is_black == 0u {
        // The environment is the shared group's first light when it is not black.
        let choice = choice_probability(0u, 0u, light_context());
        weight = power_heuristic(path.pdf, choice * seen.w);
    }
    return path.beta * seen.xyz * weight;
}

fn emission_weight(values: SurfaceValues, normal: vec3<f32>, wo: vec3<f32>) -> vec3<f32> {
    return upper_layers(values, local_view(frame_from_z(normal), wo).z, false);
}

// Radiance of a light sample, looked up on emitting surfaces.
fn light_radiance(light: LightSample, time: f32) -> vec3<f32> {
    if !HAS_MESH_LIGHTS || light.instance == NONE {
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
    if (surface.point.flags & MATERIAL_HAS_ALPHA) != 0u {
        alpha = surface.point.alpha;
    }
    let weight = emission_weight(surface.point.values, surface.normal, wo);
    return surface.point.emission * weight * alpha;
}

// Sends a ray from a surface to a light of a group, unless it can bring nothing.
fn send_to_light(
    group: u32,
    surface: ptr<function, Surface>,
    bsdf: Bsdf,
    context: LightContext,
    s: Sampler,
) {
    if group_count(group) == 0u {
        return;
    }
    let bounce = path.bounce;
    let u = get_2d(s, bounce, select(PURPOSE_OTHER_LIGHT, PURPOSE_LIGHT, group == 0u));
    let light = light_sample(group, context, u);
    if light.light == NONE {
        return;
    }
    let worlds = light.worlds & path.worlds;
    let wi = to_local(bsdf.frame, light.wi);
    if worlds == 0u || (wi.z > 0.0) != (dot3(light.wi, bsdf.geometric_normal) > 0.0) {
        return;
    }
    // Light from below the horizon of the unmapped surface would shine through it.
    if HAS_NORMAL_MAPS && bsdf.bump.is_some && bump_leaks(bsdf.bump, wi) {
        return;
    }
    let value = bsdf_eval_local(bsdf.wo, wi, bsdf.bump);
    var weight = 1.0;
    if !light.delta {
        weight = power_heuristic(light.pdf, value.pdf);
    }
    var attenuation = vec3<f32>(1.0);
    if light.distance < FAR && dot3(light.wi, (*surface).geometric_normal) > 0.0 {
        attenuation = transmittance(path.absorption, light.distance);
    }
    let share = path.beta * attenuation * value.value * (weight / light.pdf);
    let contribution = share * light_radiance(light, path.time);
    if is_zero(contribution) {
        return;
    }
    sent[group] = ShadowState(
        offset_origin(surface, light.wi),
        select(FAR, light.distance * SHADOW_END, light.distance < FAR),
        light.wi,
        worlds,
        clamp_contribution(contribution, bounce),
        0u,
        hit.instance,
        hit.slot,
        path.worlds,
        bounce,
    );
}

// Takes the path on from what its ray met; whether it lives.
fn follow(slot: u32, s: Sampler) -> bool {
    let bounce = path.bounce;
    let missed = hit.instance == NONE;
    var here = path.worlds;
    if !missed {
        here &= instance_names(hit.instance).z;
    }
    let place = slot * WORLDS + state.parts;
    if WORLDS > 1u && here != path.worlds {
        // The path parts: the worlds without this instance trace the same ray again, later.
        state.touched = part(state.touched, path.worlds, here);
        var rest = path;
        rest.worlds = path.worlds & ~here;
        if MANY_STEPS {
            for (var w = 0u; w < WORLDS; w++) {
                if state.parts == w {
                    rests[w] = rest;
                }
            }
        } else {
            paths[place] = rest;
        }
        if HAS_MEDIA {
            media[place + 1u] = media[place];
        }
        state.parts += 1u;
        path.worlds = here;
    }
    let distance = select(hit.t, FAR, missed);
    if (HAS_SUNS || HAS_SPHERES || HAS_AREAS) && bounce > 0u {
        add_crossed_lights(distance);
    }
    if missed {
        let contribution = environment_contribution();
        add_radiance(path.worlds, clamp_contribution(contribution, earlier(bounce)));
        return false;
    }
    path.beta *= transmittance(path.absorption, distance);
    let wo = -path.direction;
    var surface = surface_at(hit.instance, hit.slot, hit.u, hit.v, wo, path.time);
    let values = surface.point.values;
    let bsdf = bsdf_new(values, wo, &surface);
    if bounce == 0u {
        for (var w = 0u; w < WORLDS; w++) {
            if ((path.worlds >> w) & 1u) != 0u {
                seen[w].albedo = values.base_color;
                seen[w].normal = surface.normal;
                seen[w].distance = distance;
                seen[w].first = hit.instance + 1u;
            }
        }
    }
    let flags = surface.point.flags;
    if HAS_EMISSION && (flags & MATERIAL_EMISSIVE) != 0u && !is_zero(surface.point.emission) {
        var weight = 1.0;
        if path.pdf != DELTA {
            let c = dot3(surface.geometric_normal, path.direction);
            let pdf = mesh_pdf(hit.instance, distance, c, light_context());
            weight = power_heuristic(path.pdf, pdf);
        }
        let layers = emission_weight(values, surface.normal, wo);
        let contribution = path.beta * surface.point.emission * layers * weight;
        add_radiance(path.worlds, clamp_contribution(contribution, earlier(bounce)));
    }
    if bounce >= frame.max_bounces {
        return false;
    }

    let transmits = (flags & MATERIAL_TRANSMITS) != 0u;
    let has_inside = (flags & MATERIAL_HAS_INSIDE) != 0u;
    var u_interface = 0.0;
    if HAS_GLASS && transmits {
        u_interface = get_1d(s, bounce, PURPOSE_INTERFACE);
    }
    let sampled = bsdf_sample_local(
        bsdf.wo,
        get_2d(s, bounce, PURPOSE_DIRECTION),
        u_interface,
    );
    let context = LightContext(surface.position, surface.normal, transmits);
    if bsdf.has_density {
        send_to_light(0u, &surface, bsdf, context, s);
        if HAS_OTHER_LIGHTS {
            send_to_light(1u, &surface, bsdf, context, s);
        }
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
        let scattered = bsdf_eval_local(bsdf.wo, sampled.wi, bsdf.bump);
        if scattered.pdf <= 0.0 {
            return false;
        }
        weight = scattered.value / scattered.pdf;
        pdf = scattered.pdf;
    }
    var beta = path.beta * weight;
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
    if HAS_MEDIA && transmitted && has_inside {
        let place = slot * WORLDS + state.parts;
        let id = surface.id;
        if surface.entering {
            medium_enter(place, id, surface.point.absorption);
        } else {
            medium_leave(place, id);
        }
    }
    path.origin = offset_origin(&surface, direction);
    path.direction = direction;
    path.beta = beta;
    path.bounce = bounce + 1u;
    path.pdf = pdf;
    path.from_position = surface.position;
    path.from_normal = surface.normal;
    path.from_transmits = select(0u, 1u, transmits);
    path.left_instance = hit.instance;
    path.left_slot = hit.slot;
    return true;
}

// Takes the slot at hand one step on.
fn shade_step(slot: u32) {
    for (var k = 0u; k < 2u; k++) {
        if k == 1u && !HAS_OTHER_LIGHTS {
            continue;
        }
        let lit = sent[k].worlds & ~sent[k].blocked;
        if sent[k].worlds != 0u {
            state.touched = part(state.touched, sent[k].path_worlds, lit);
        }
        add_radiance(lit, sent[k].contribution);
        sent[k].worlds = 0u;
    }
    if state.alive != 0u {
        state.alive = select(0u, 1u, follow(slot, sampler_new(pixel, state.sample)));
    }
    let pending = sent[0].worlds != 0u || (HAS_OTHER_LIGHTS && sent[1].worlds != 0u);
    // Nothing of this path is left to wait for.
    let ended = state.alive == 0u && !pending;
    let waits = WORLDS > 1u && state.parts > 0u;
    if ended && waits {
        state.parts -= 1u;
        state.alive = 1u;
        if MANY_STEPS {
            for (var w = 0u; w < WORLDS; w++) {
                if state.parts == w {
                    path = rests[w];
                }
            }
        } else {
            path = paths[slot * WORLDS + state.parts];
        }
    }
    finish_sample(slot, ended && !waits && state.phase == WORKING);
    if state.phase == FRESH {
        state.sample = chunk.first_sample;
    }
    if ended && !waits {
        state.phase = select(WORKING, DONE, sampled_worlds() == 0u);
        if state.phase == WORKING {
            path = camera_path(pixel.pixel, sampler_new(pixel, state.sample));
            state.alive = 1u;
        }
    }
}

// Everything is read before lanes part and written after they have met again: what only some of them read
// or write is read or written one by one on some drivers.
fn load_rays(slot: u32) {
    let record = pixels[slot];
    pixel = PixelRecord(record.x, record.y, record.z, record.w);
    let rows = (WORLDS + 3u) / 4u;
    for (var w = 0u; w < WORLDS; w++) {
        counts[w] = pixels[chunk.slots + slot * rows + w / 4u][w % 4u];
    }
    state = slots[slot];
    path = paths[slot * WORLDS + state.parts];
    sent[0] = shadows[2u * slot];
    if HAS_OTHER_LIGHTS {
        sent[1] = shadows[2u * slot + 1u];
    }
}

fn load_rest(slot: u32) {
    for (var w = 0u; w < WORLDS; w++) {
        seen[w] = found[slot * WORLDS + w];
        summed[w] = sums[slot * WORLDS + w];
    }
}

fn store(slot: u32) {
    slots[slot] = state;
    paths[slot * WORLDS + state.parts] = path;
    shadows[2u * slot] = sent[0];
    if HAS_OTHER_LIGHTS {
        shadows[2u * slot + 1u] = sent[1];
    }
    for (var w = 0u; w < WORLDS; w++) {
        found[slot * WORLDS + w] = seen[w];
        sums[slot * WORLDS + w] = summed[w];
    }
    if state.phase != DONE {
        atomicAdd(&working, 1u);
    }
}

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let slot = slot_of(invocation);
    if slot == NONE {
        return;
    }
    load_rays(slot);
    if state.phase != WORKING {
        return;
    }
    trace_rays();
    hits[slot] = hit;
    shadows[2u * slot].blocked = sent[0].blocked;
    if HAS_OTHER_LIGHTS {
        shadows[2u * slot + 1u].blocked = sent[1].blocked;
    }
    slots[slot].rays = state.rays;
}

@compute @workgroup_size(WORKGROUP)
fn shade(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let slot = slot_of(invocation);
    if slot == NONE {
        return;
    }
    load_rays(slot);
    load_rest(slot);
    hit = hits[slot];
    if state.phase == DONE {
        return;
    }
    shade_step(slot);
    store(slot);
}

// Both for many steps.
@compute @workgroup_size(WORKGROUP)
fn work(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let slot = slot_of(invocation);
    if slot == NONE {
        return;
    }
    load_rays(slot);
    if state.phase == DONE {
        return;
    }
    load_rest(slot);
    for (var w = 0u; w < WORLDS; w++) {
        rests[w] = paths[slot * WORLDS + w];
    }
    for (var step = 0u; step < STEPS_AT_ONCE && state.phase != DONE; step++) {
        trace_rays();
        shade_step(slot);
    }
    store_closed_runs(slot);
    for (var w = 0u; w < WORLDS; w++) {
        if w < state.parts {
            paths[slot * WORLDS + w] = rests[w];
        }
    }
    store(slot);
}
