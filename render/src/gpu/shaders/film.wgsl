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

// A sum with one more sample.
fn film_add(before: Sums, sample: Found) -> Sums {
    var s = before;
    let radiance = add_compensated(s.sum.radiance, s.lost.radiance, sample.radiance);
    if is_finite3(sample.radiance) {
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
    return s;
}

const NOTHING: Found = Found(vec3<f32>(0.0), 0.0, vec3<f32>(0.0), 0u, vec3<f32>(0.0), 0u);

fn run_place(slot: u32, run: u32, world: u32) -> u32 {
    return (run * WORLDS + world) * chunk.slots + slot;
}

// Writes the sums of runs that have ended.
fn store_closed_runs(slot: u32) {
    for (var r = 0u; r < RUNS; r++) {
        if ((closed_runs >> r) & 1u) != 0u {
            for (var w = 0u; w < WORLDS; w++) {
                runs[run_place(slot, r, w)] = closed[r][w];
            }
        }
    }
}

// Takes what the slot has seen of a sample into its sums, where the sample is `finished`, and leaves `seen`
// as the next step finds it.
fn finish_sample(slot: u32, finished: bool) {
    let first = seen[0].first;
    var role = NONE;
    if finished {
        role = 0u;
        if first != 0u {
            role = instance_kinds(first - 1u).z;
        }
    }
    state.background += select(0u, 1u, role == 0u);
    state.keep += select(0u, 1u, role == 1u);
    state.remove += select(0u, 1u, role == 2u);
    state.sample += select(0u, 1u, finished);
    state.in_run += select(0u, 1u, finished);
    let full = state.in_run == frame.run_length || state.sample == frame.samples;
    let close = finished && full;
    for (var w = 0u; w < WORLDS; w++) {
        if finished {
            summed[w] = film_add(summed[w], seen[w]);
            seen[w] = NOTHING;
        }
        if MANY_STEPS {
            for (var r = 0u; r < RUNS; r++) {
                if close && state.run == r {
                    closed[r][w] = summed[w].sum;
                }
            }
        } else if close {
            runs[run_place(slot, state.run, w)] = summed[w].sum;
        }
        if close {
            summed[w] = Sums(NOTHING, NOTHING);
        }
    }
    if close {
        closed_runs |= 1u << state.run;
        state.run += 1u;
        state.in_run = 0u;
    }
}
