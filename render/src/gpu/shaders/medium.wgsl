// Which absorbing insides a path is in: twin of integrator/medium.rs.

const MEDIA: u32 = 4u;

fn medium_enter(path: ptr<function, PathState>, id: u32, absorption: vec3<f32>) {
    if (*path).media_count == MEDIA {
        // The oldest is forgotten.
        for (var i = 0u; i + 1u < MEDIA; i++) {
            (*path).media[i] = (*path).media[i + 1u];
            (*path).media_ids[i] = (*path).media_ids[i + 1u];
        }
        (*path).media_count -= 1u;
    }
    (*path).media[(*path).media_count] = vec4<f32>(absorption, 0.0);
    (*path).media_ids[(*path).media_count] = id;
    (*path).media_count += 1u;
}

// Nothing happens when the path was not inside (the camera was).
fn medium_leave(path: ptr<function, PathState>, id: u32) {
    var at = NONE;
    for (var i = 0u; i < (*path).media_count; i++) {
        if (*path).media_ids[i] == id {
            at = i;
        }
    }
    if at == NONE {
        return;
    }
    for (var i = at; i + 1u < (*path).media_count; i++) {
        (*path).media[i] = (*path).media[i + 1u];
        (*path).media_ids[i] = (*path).media_ids[i + 1u];
    }
    (*path).media_count -= 1u;
}

// Absorption of all insides together, 1/m.
fn medium_absorption(path: ptr<function, PathState>) -> vec3<f32> {
    var sigma = vec3<f32>(0.0);
    for (var i = 0u; i < (*path).media_count; i++) {
        sigma += (*path).media[i].xyz;
    }
    return sigma;
}

fn medium_depth(sigma: f32, distance: f32) -> f32 {
    return select(1.0, exponential(-sigma * distance), sigma > 0.0);
}

// Share of light left after `distance` metres.
fn transmittance(sigma: vec3<f32>, distance: f32) -> vec3<f32> {
    if is_zero(sigma) {
        return vec3<f32>(1.0);
    }
    return vec3<f32>(
        medium_depth(sigma.x, distance),
        medium_depth(sigma.y, distance),
        medium_depth(sigma.z, distance),
    );
}
