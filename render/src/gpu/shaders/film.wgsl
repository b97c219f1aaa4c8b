// From samples to the sums of runs; the host finishes them (film.rs).

// The same number, in a way that no compiler sees through: sums with compensation must not be
// simplified away.
fn opaque3(v: vec3<f32>) -> vec3<f32> {
    return bitcast<vec3<f32>>(bitcast<vec3<u32>>(v) ^ vec3<u32>(frame.zero));
}

// Adds to a sum and to what its roundings lost (Kahan 1965).
fn add_compensated(sum: vec3<f32>, lost: vec3<f32>, x: vec3<f32>) -> array<vec3<f32>, 2> {
    let y = x - lost;
    let t = opaque3(sum + y);
    return array<vec3<f32>, 2>(t, opaque3(t - sum) - y);
}

fn film_add(at: u32, sample: Found) {
    var s = sums[at];
    if is_finite3(sample.radiance) {
        let radiance = add_compensated(s.sum.radiance, s.lost.radiance, sample.radiance);
        s.sum.radiance = radiance[0];
        s.lost.radiance = radiance[1];
    }
    let albedo = add_compensated(s.sum.albedo, s.lost.albedo, sample.albedo);
    s.sum.albedo = albedo[0];
    s.lost.albedo = albedo[1];
    let normal = add_compensated(s.sum.normal, s.lost.normal, sample.normal);
    s.sum.normal = normal[0];
    s.lost.normal = normal[1];
    let distance = add_compensated(
        vec3<f32>(s.sum.distance),
        vec3<f32>(s.lost.distance),
        vec3<f32>(sample.distance),
    );
    s.sum.distance = distance[0].x;
    s.lost.distance = distance[1].x;
    sums[at] = s;
}

// Takes the finished sample of a slot into its sums.
fn finish_sample(slot: u32, state: ptr<function, SlotState>) {
    let worlds = frame.world_count;
    let nothing = Found(vec3<f32>(0.0), 0.0, vec3<f32>(0.0), 0u, vec3<f32>(0.0), 0u);
    let first = found[slot * worlds].first;
    var role = 0u;
    if first != 0u {
        role = instances[first - 1u].role;
    }
    (*state).background += select(0u, 1u, role == 0u);
    (*state).keep += select(0u, 1u, role == 1u);
    (*state).remove += select(0u, 1u, role == 2u);
    (*state).sample += 1u;
    (*state).in_run += 1u;
    let close = (*state).in_run == frame.run_length || (*state).sample == frame.samples;
    for (var w = 0u; w < worlds; w++) {
        let at = slot * worlds + w;
        film_add(at, found[at]);
        found[at] = nothing;
        if close {
            runs[((*state).run * worlds + w) * chunk.slots + slot] = sums[at].sum;
            sums[at] = Sums(nothing, nothing);
        }
    }
    if close {
        (*state).run += 1u;
        (*state).in_run = 0u;
    }
}
