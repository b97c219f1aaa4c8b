// Points on surfaces, with bounds of their errors: twin of accel/surface.rs and of the surface part of
// scene/frame_scene.rs.

const ROUNDING: f32 = 1.0 / 16777216.0;
const GAMMA_4: f32 = 4.0 * ROUNDING / (1.0 - 4.0 * ROUNDING);
const GAMMA_7: f32 = 7.0 * ROUNDING / (1.0 - 7.0 * ROUNDING);
const GAMMA_13: f32 = 13.0 * ROUNDING / (1.0 - 13.0 * ROUNDING);

// Columns of a linear part and a translation.
struct Pose {
    x: vec3<f32>,
    y: vec3<f32>,
    z: vec3<f32>,
    w: vec3<f32>,
}

fn pose_of_rows(x: vec4<f32>, y: vec4<f32>, z: vec4<f32>) -> Pose {
    return Pose(
        vec3<f32>(x.x, y.x, z.x),
        vec3<f32>(x.y, y.y, z.y),
        vec3<f32>(x.z, y.z, z.z),
        vec3<f32>(x.w, y.w, z.w),
    );
}

// The pose of an instance as the shutter opens (0), as it closes (1), or the inverse at rest (2).
fn stored_pose(instance: u32, which: u32) -> Pose {
    let at = instance * INSTANCE_ROWS + 3u * which;
    return pose_of_rows(
        row_f32(instances, at),
        row_f32(instances, at + 1u),
        row_f32(instances, at + 2u),
    );
}

fn instance_pose(instance: u32, flags: u32, time: f32) -> Pose {
    let open = stored_pose(instance, 0u);
    if !HAS_MOTION || (flags & INSTANCE_MOVES) == 0u {
        return open;
    }
    let close = stored_pose(instance, 1u);
    return Pose(
        open.x * (1.0 - time) + close.x * time,
        open.y * (1.0 - time) + close.y * time,
        open.z * (1.0 - time) + close.z * time,
        open.w * (1.0 - time) + close.w * time,
    );
}

fn pose_vector(p: Pose, v: vec3<f32>) -> vec3<f32> {
    return p.x * v.x + p.y * v.y + p.z * v.z;
}

fn pose_point(p: Pose, v: vec3<f32>) -> vec3<f32> {
    return p.x * v.x + p.y * v.y + p.z * v.z + p.w;
}

fn pose_abs(p: Pose) -> Pose {
    return Pose(abs(p.x), abs(p.y), abs(p.z), abs(p.w));
}

// The inverse as glam computes it.
fn pose_inverse(p: Pose) -> Pose {
    let a = cross(p.y, p.z);
    let b = cross(p.z, p.x);
    let c = cross(p.x, p.y);
    let scale = 1.0 / dot3(p.z, c);
    let x = vec3<f32>(a.x, b.x, c.x) * scale;
    let y = vec3<f32>(a.y, b.y, c.y) * scale;
    let z = vec3<f32>(a.z, b.z, c.z) * scale;
    let linear = Pose(x, y, z, vec3<f32>(0.0));
    return Pose(x, y, z, -pose_vector(linear, p.w));
}

// object_from_world.
fn instance_inverse(instance: u32, flags: u32, time: f32) -> Pose {
    if !HAS_MOTION || (flags & INSTANCE_MOVES) == 0u {
        return stored_pose(instance, 2u);
    }
    return pose_inverse(instance_pose(instance, flags, time));
}

// How a frame's surface stands in the world.
struct Surface {
    position: vec3<f32>,
    // Bound of the rounding error of `position`, per axis.
    error: vec3<f32>,
    // Unit, on the viewer's side.
    geometric_normal: vec3<f32>,
    // Interpolated between the corners.
    smooth_normal: vec3<f32>,
    // The same with normal map.
    mapped_normal: vec3<f32>,
    // The same bent where mirror directions would go inside.
    normal: vec3<f32>,
    // The viewer is on the outside.
    entering: bool,
    // Of the instance.
    worlds: u32,
    id: u32,
    point: MaterialPoint,
}

fn material_of(first_material: u32, slot_in_material: u32) -> u32 {
    return min(first_material + slot_in_material, frame.material_count - 1u);
}

fn mix3(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, u: f32, v: f32) -> vec4<f32> {
    return a * (1.0 - u - v) + b * u + c * v;
}

// Interpolated vertex values of an attribute; `otherwise` where the mesh has none.
fn vertex_value(first: u32, corners: vec3<u32>, u: f32, v: f32, otherwise: vec4<f32>) -> vec4<f32> {
    if first == NONE {
        return otherwise;
    }
    let a = geometry_f32(first + corners.x);
    let b = geometry_f32(first + corners.y);
    let c = geometry_f32(first + corners.z);
    return mix3(a, b, c, u, v);
}

// Presence of a surface at a candidate hit.
fn alpha_at(instance: u32, slot: u32, u: f32, v: f32) -> f32 {
    let places = instance_places(instance);
    let shading = geometry(places.y + 2u * slot);
    let index = material_of(instance_kinds(instance).y, shading.w);
    let material = material_at(index);
    if (material.flags & MATERIAL_HAS_ALPHA) == 0u {
        return 1.0;
    }
    var drawn = material.alpha;
    if HAS_COLORS {
        let colors = instance_names(instance).x;
        drawn *= vertex_value(colors, shading.xyz, u, v, vec4<f32>(1.0)).a;
    }
    if HAS_TEXTURES && (material.texture_bits & 1u) != 0u {
        let uvs = vertex_value(places.w, shading.xyz, u, v, vec4<f32>(0.0));
        drawn *= texture_lookup(texture_use_at(index, TEXTURE_BASE_COLOR), uvs).a;
    }
    return material_alpha(material.flags, material.alpha_cutoff, drawn);
}

// Tangent (xyz) and handedness (w; 0: there is none), object space.
fn surface_tangent(
    tangents: u32,
    uvs: u32,
    corners: vec3<u32>,
    u: f32,
    v: f32,
    uv_set: u32,
    p0: vec3<f32>,
    p1: vec3<f32>,
    p2: vec3<f32>,
) -> vec4<f32> {
    if tangents != NONE && uv_set == 0u {
        let t = vertex_value(tangents, corners, u, v, vec4<f32>(0.0));
        return vec4<f32>(t.xyz, geometry_f32(tangents + corners.x).w);
    }
    if uvs == NONE {
        return vec4<f32>(0.0);
    }
    let a = geometry_f32(uvs + corners.x);
    let b = geometry_f32(uvs + corners.y);
    let c = geometry_f32(uvs + corners.z);
    let d1 = select(b.xy - a.xy, b.zw - a.zw, uv_set == 1u);
    let d2 = select(c.xy - a.xy, c.zw - a.zw, uv_set == 1u);
    let determinant = d1.x * d2.y - d1.y * d2.x;
    if abs(determinant) < 1e-20 {
        return vec4<f32>(0.0);
    }
    let tangent = ((p1 - p0) * d2.y - (p2 - p0) * d1.y) / determinant;
    return vec4<f32>(tangent, select(-1.0, 1.0, determinant < 0.0));
}

// Turns `outside` by the tangent-space direction `mapped`.
fn apply_normal_map(outside: vec3<f32>, mapped: vec3<f32>, tangent: vec4<f32>, pose: Pose) -> vec3<f32> {
    let raw = pose_vector(pose, tangent.xyz);
    let t = normalize_or(raw - outside * dot3(outside, raw), vec3<f32>(0.0));
    if is_zero(t) {
        return outside;
    }
    let b = cross(outside, t) * tangent.w;
    return normalize_or(t * mapped.x + b * mapped.y + outside * mapped.z, outside);
}

// Bends a shading normal just enough that the mirror direction of `wo` leaves the surface.
fn keep_reflection_outside(geometric: vec3<f32>, normal: vec3<f32>, wo: vec3<f32>) -> vec3<f32> {
    let reflected = normal * (2.0 * dot3(wo, normal)) - wo;
    let threshold = clamp(0.9 * dot3(geometric, wo), 0.0, 0.01);
    if dot3(reflected, geometric) >= threshold {
        return normal;
    }
    let lifted = normalize_or(
        reflected + geometric * (threshold - dot3(reflected, geometric)),
        geometric,
    );
    return normalize_or(lifted + wo, geometric);
}

// Everything shading needs to know about a point; `wo` points to the viewer.
fn surface_at(instance: u32, slot: u32, u: f32, v: f32, wo: vec3<f32>, time: f32) -> Surface {
    let places = instance_places(instance);
    let names = instance_names(instance);
    let kinds = instance_kinds(instance);
    let is_world = (kinds.x & INSTANCE_IS_WORLD) != 0u;
    let corners = triangle_corners(places.x, kinds.w, slot, time);
    let p0 = corners[0];
    let p1 = corners[1];
    let p2 = corners[2];
    let shading = geometry(places.y + 2u * slot);
    var stored_normal = geometry_f32(places.y + 2u * slot + 1u).xyz;
    let bent = HAS_BENDING && kinds.w != NONE;
    if bent {
        stored_normal = normalize_or(cross(p1 - p0, p2 - p0), UP);
    }

    let a = p0 * (1.0 - u - v);
    let b = p1 * u;
    let c = p2 * v;
    let point = a + b + c;
    let sizes = abs(a) + abs(b) + abs(c);
    let extent = largest3(max(abs(p1 - p0), abs(p2 - p0)));
    var surface: Surface;
    surface.position = point;
    surface.error = sizes * GAMMA_7 + vec3<f32>(extent * GAMMA_4);
    var outside = stored_normal;
    let pose = instance_pose(instance, kinds.x, time);
    // Normals follow the inverse transpose: the cofactors, with the sign of the determinant.
    let cofactors = Pose(
        cross(pose.y, pose.z),
        cross(pose.z, pose.x),
        cross(pose.x, pose.y),
        vec3<f32>(0.0),
    );
    let mirrored = select(1.0, -1.0, dot3(pose.x, cofactors.x) < 0.0);
    if !is_world {
        let size = pose_abs(pose);
        let back = pose_abs(instance_inverse(instance, kinds.x, time));
        surface.position = pose_point(pose, point);
        let there = pose_vector(size, abs(point)) + size.w;
        let returned = pose_vector(size, pose_vector(back, abs(surface.position) + size.w));
        surface.error = pose_vector(size, surface.error) * (1.0 + GAMMA_4) + there * GAMMA_4
            + returned * GAMMA_13;
        outside = normalize_or(pose_vector(cofactors, stored_normal) * mirrored, UP);
    }
    surface.entering = dot3(wo, outside) > 0.0;
    surface.geometric_normal = select(-outside, outside, surface.entering);
    surface.worlds = names.z;
    surface.id = names.w;
    let material = material_of(kinds.y, shading.w);
    var uvs = vec4<f32>(0.0);
    if HAS_TEXTURES {
        uvs = vertex_value(places.w, shading.xyz, u, v, uvs);
    }
    var color = vec4<f32>(1.0);
    if HAS_COLORS {
        color = vertex_value(names.x, shading.xyz, u, v, color);
    }
    surface.point = material_point(material, uvs, color);

    if places.z != NONE {
        var n = vertex_value(places.z, shading.xyz, u, v, vec4<f32>(0.0)).xyz;
        if bent {
            let normals = instance_closing_normals(instance);
            n = n * (1.0 - time) + vertex_value(normals, shading.xyz, u, v, vec4<f32>(0.0)).xyz * time;
        }
        if dot3(n, n) > 1e-12 {
            var turned = n;
            if !is_world {
                turned = pose_vector(cofactors, n) * mirrored;
            }
            outside = normalize_or(turned, outside);
        }
    }
    surface.smooth_normal = select(-outside, outside, surface.entering);
    if HAS_NORMAL_MAPS && surface.point.mapped.z < 1.5 {
        let uv_set = surface.point.mapped_uv_set;
        let tangent = surface_tangent(names.y, places.w, shading.xyz, u, v, uv_set, p0, p1, p2);
        if tangent.w != 0.0 {
            outside = apply_normal_map(outside, surface.point.mapped, tangent, pose);
        }
    }
    surface.mapped_normal = select(-outside, outside, surface.entering);
    surface.normal = keep_reflection_outside(surface.geometric_normal, surface.mapped_normal, wo);
    return surface;
}

fn next_away(x: f32, by: f32) -> f32 {
    if by == 0.0 {
        return x;
    }
    let bits = bitcast<u32>(x);
    if x == 0.0 {
        return select(-1e-38, 1e-38, by > 0.0);
    }
    return bitcast<f32>(select(bits - 1u, bits + 1u, (x > 0.0) == (by > 0.0)));
}

// The origin of a ray that leaves a surface point, beyond its error: twice the CPU's distance, for here
// the test of which side of a plane an origin is on is not exact.
fn offset_origin(surface: ptr<function, Surface>, direction: vec3<f32>) -> vec3<f32> {
    let normal = (*surface).geometric_normal;
    let distance = dot3(abs(normal), (*surface).error) * 2.0;
    let offset = normal * select(distance, -distance, dot3(direction, normal) < 0.0);
    let moved = (*surface).position + offset;
    return vec3<f32>(
        next_away(moved.x, offset.x),
        next_away(moved.y, offset.y),
        next_away(moved.z, offset.z),
    );
}
