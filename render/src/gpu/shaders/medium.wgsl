// Which absorbing insides a path is in: twin of integrator/medium.rs.

const MEDIA: u32 = 4u;

// `at`: the path's place in `media`, which holds something from its first inside on.
fn medium_enter(at: u32, id: u32, absorption: vec3<f32>) {
    var inside = media[at];
    if path.is_inside == 0u {
        inside.count = 0u;
    }
    if inside.count == MEDIA {
        // The oldest is forgotten.
        for (var i = 0u; i + 1u < MEDIA; i++) {
            inside.absorption[i] = inside.absorption[i + 1u];
            inside.ids[i] = inside.ids[i + 1u];
        }
        inside.count -= 1u;
    }
    inside.absorption[inside.count] = vec4<f32>(absorption, 0.0);
    inside.ids[inside.count] = id;
    inside.count += 1u;
    medium_store(at, inside);
}

// Nothing happens when the path was not inside (the camera was).
fn medium_leave(at: u32, id: u32) {
    if path.is_inside == 0u {
        return;
    }
    var inside = media[at];
    var left = NONE;
    for (var i = 0u; i < inside.count; i++) {
        if inside.ids[i] == id {
            left = i;
        }
    }
    if left == NONE {
        return;
    }
    for (var i = left; i + 1u < inside.count; i++) {
        inside.absorption[i] = inside.absorption[i + 1u];
        inside.ids[i] = inside.ids[i + 1u];
    }
    inside.count -= 1u;
    medium_store(at, inside);
}

// Keeps the insides, and with the path the absorption of all together.
fn medium_store(at: u32, inside: MediaState) {
    var sigma = vec3<f32>(0.0);
    for (var i = 0u; i < inside.count; i++) {
        sigma += inside.absorption[i].xyz;
    }
    path.absorption = sigma;
    path.is_inside = select(0u, 1u, inside.count > 0u);
    media[at] = inside;
}

fn medium_depth(sigma: f32, distance: f32) -> f32 {
    return select(1.0, exponential(-sigma * distance), sigma > 0.0);
}

// Share of light left after `distance` metres.
fn transmittance(sigma: vec3<f32>, distance: f32) -> vec3<f32> {
    if !HAS_MEDIA || is_zero(sigma) {
        return vec3<f32>(1.0);
    }
    return vec3<f32>(
        medium_depth(sigma.x, distance),
        medium_depth(sigma.y, distance),
        medium_depth(sigma.z, distance),
    );
}
