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
        for (var w = 0u; w < WORLDS; w++) {
            if ((closed_runs[w] >> r) & 1u) != 0u {
                runs[run_place(slot, r, w)] = closed[r][w];
            }
        }
    }
}

// Samples of each run of a world but the last.
fn run_length(world: u32) -> u32 {
    return max((counts[world] + RUNS - 1u) / RUNS, 1u);
}

// The worlds that have the sample at hand.
fn sampled_worlds() -> u32 {
    var worlds = 0u;
    for (var w = 0u; w < WORLDS; w++) {
        worlds |= select(0u, 1u << w, state.sample < counts[w]);
    }
    return worlds;
}

// Takes what the slot has seen of a sample into its sums, where the sample is `finished`, and leaves `seen`
// as the next step finds it.
fn finish_sample(slot: u32, finished: bool) {
    let worlds = select(0u, sampled_worlds(), finished);
    let first = seen[0].first;
    var role = NONE;
    if (worlds & 1u) != 0u {
        role = 0u;
        if first != 0u {
            role = instance_kinds(first - 1u).z;
        }
    }
    state.background += select(0u, 1u, role == 0u);
    state.keep += select(0u, 1u, role == 1u);
    state.remove += select(0u, 1u, role == 2u);
    for (var w = 0u; w < WORLDS; w++) {
        let takes = ((worlds >> w) & 1u) != 0u;
        let length = run_length(w);
        var run = 0u;
        for (var r = 1u; r < RUNS; r++) {
            run += select(0u, 1u, state.sample >= r * length);
        }
        let next = state.sample + 1u;
        let close = takes && (next == counts[w] || next == (run + 1u) * length);
        if takes {
            summed[w] = film_add(summed[w], seen[w]);
        }
        if finished {
            seen[w] = NOTHING;
        }
        if MANY_STEPS {
            for (var r = 0u; r < RUNS; r++) {
                if close && run == r {
                    closed[r][w] = summed[w].sum;
                }
            }
        } else if close {
            runs[run_place(slot, run, w)] = summed[w].sum;
        }
        if close {
            summed[w] = Sums(NOTHING, NOTHING);
            closed_runs[w] |= 1u << run;
        }
    }
    state.sample += select(0u, 1u, finished);
}
