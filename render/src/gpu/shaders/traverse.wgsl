// Walks of the trees, and the ray–triangle test: twin of accel/. The entry point `trace` looks for what
// the rays of every slot meet: up to two rays to lights, then the path's own.
//
// Nodes have up to eight children with boxes in eighths of a byte each axis (Ylitie, Karras and Laine
// 2017); upload/nodes.rs makes them. Which triangle is the nearest does not depend on them: boxes only
// ever grow, and equal distances go to the lower (instance, primitive).

// As on the CPU, with room for one more product.
const BOX_SLACK: f32 = 64.0 / 16777216.0;
const STEEPEST: f32 = 1e-18;
// Projected areas below this share of their products are computed again with more digits.
const SMALL_AREA: f32 = 0.25;
// Distances below this share of the corners' distances too.
const NEAR: f32 = 1.0 / 262144.0;
const HIT_KIND_INSTANCES: u32 = 0x10000u;

// A ray in the space of some tree, ready for box and triangle tests.
struct LocalRay {
    origin: vec3<f32>,
    direction: vec3<f32>,
    inverse: vec3<f32>,
    margin: f32,
    // Bit for each axis along which it runs backwards.
    octant: u32,
    // The axis of the largest component, and steps along the other two for one along it.
    axis: u32,
    slopes: vec2<f32>,
    inverse_depth: f32,
}

fn local_ray(origin: vec3<f32>, direction: vec3<f32>, reach: f32, slack: f32) -> LocalRay {
    var ray: LocalRay;
    ray.origin = origin;
    ray.direction = direction;
    let size = abs(direction);
    let largest = largest3(size);
    let least = largest * STEEPEST;
    let steep = select(vec3<f32>(least), -vec3<f32>(least), direction < vec3<f32>(0.0));
    ray.inverse = 1.0 / select(direction, steep, size < vec3<f32>(least));
    ray.margin = (largest3(abs(origin)) + reach) * slack;
    let backwards = select(vec3<u32>(0u), vec3<u32>(1u, 2u, 4u), direction < vec3<f32>(0.0));
    ray.octant = backwards.x | backwards.y | backwards.z;
    ray.axis = select(select(0u, 1u, size.y > size.x), 2u, size.z > max(size.x, size.y));
    let turned = turn(direction, ray.axis);
    ray.inverse_depth = 1.0 / turned.z;
    ray.slopes = turned.xy * ray.inverse_depth;
    return ray;
}

// The coordinates with `axis` last, handedness kept.
fn turn(v: vec3<f32>, axis: u32) -> vec3<f32> {
    return select(select(v.yzx, v.zxy, axis == 1u), v.xyz, axis == 2u);
}

struct TriangleHit {
    t: f32,
    u: f32,
    v: f32,
    hit: bool,
}

// The upper half of the digits; products of such numbers are exact.
fn upper_digits(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// a·b − c·d with eleven more digits than the plain expression. Swapping the two products changes the
// sign and nothing else, whatever a compiler fuses: shared edges stay shared.
fn difference_of_products(a: f32, b: f32, c: f32, d: f32) -> f32 {
    let ah = upper_digits(a);
    let bh = upper_digits(b);
    let ch = upper_digits(c);
    let dh = upper_digits(d);
    let al = a - ah;
    let bl = b - bh;
    let cl = c - ch;
    let dl = d - dh;
    return ((ah * bh - ch * dh) + ((ah * bl - ch * dl) + (al * bh - cl * dh))) + (al * bl - cl * dl);
}

// Woop, Benthin and Wald 2013; see accel/triangle.rs. Hits count in (0, limit].
fn intersect_triangle(
    ray: ptr<function, LocalRay>,
    p0: vec3<f32>,
    p1: vec3<f32>,
    p2: vec3<f32>,
    plane: u32,
    limit: f32,
) -> TriangleHit {
    var result = TriangleHit(0.0, 0.0, 0.0, false);
    let origin = turn((*ray).origin, (*ray).axis);
    let slopes = (*ray).slopes;
    let va = turn(p0, (*ray).axis) - origin;
    let vb = turn(p1, (*ray).axis) - origin;
    let vc = turn(p2, (*ray).axis) - origin;
    let a = vec3<f32>(va.x - slopes.x * va.z, va.y - slopes.y * va.z, va.z);
    let b = vec3<f32>(vb.x - slopes.x * vb.z, vb.y - slopes.y * vb.z, vb.z);
    let c = vec3<f32>(vc.x - slopes.x * vc.z, vc.y - slopes.y * vc.z, vc.z);
    // Signs by comparing rounded products: two triangles that share an edge never both miss.
    let first = vec3<f32>(c.x * b.y, a.x * c.y, b.x * a.y);
    let second = vec3<f32>(c.y * b.x, a.y * c.x, b.y * a.x);
    if any(first < second) && any(first > second) {
        return result;
    }
    var u = first.x - second.x;
    var v = first.y - second.y;
    var w = first.z - second.z;
    var area = u + v + w;
    let scale_x = max(max(abs(a.x), abs(b.x)), abs(c.x));
    let scale_y = max(max(abs(a.y), abs(b.y)), abs(c.y));
    let farthest = max(max(abs(a.z), abs(b.z)), abs(c.z));
    if abs(area) <= scale_x * scale_y * SMALL_AREA {
        u = difference_of_products(c.x, b.y, c.y, b.x);
        v = difference_of_products(a.x, c.y, a.y, c.x);
        w = difference_of_products(b.x, a.y, b.y, a.x);
        if min(min(u, v), w) < 0.0 && max(max(u, v), w) > 0.0 {
            return result;
        }
        area = u + v + w;
        if area == 0.0 {
            return result;
        }
    }
    let depth = (u * a.z + v * b.z + w * c.z) / area;
    let t = depth * (*ray).inverse_depth;
    if !(t > 0.0 && t <= limit) {
        return result;
    }
    if abs(depth) <= NEAR * farthest {
        // Which side of the plane the origin is on: a ray that leaves a surface must not find it again.
        let normal = geometry_f32(plane).xyz;
        let height = dot3(normal, p0 - (*ray).origin);
        let slope = dot3(normal, (*ray).direction);
        if !(height * slope > 0.0) {
            return result;
        }
    }
    return TriangleHit(t, v / area, w / area, true);
}

// Which children of a node a ray may meet before `limit`.
fn node_hits(
    ray: ptr<function, LocalRay>,
    head: vec4<u32>,
    low_xy: vec4<u32>,
    low_z_high_x: vec4<u32>,
    high_yz: vec4<u32>,
    limit: f32,
) -> u32 {
    let origin = bitcast<vec3<f32>>(head.xyz);
    let scale = bitcast<vec3<f32>>(
        vec3<u32>(head.w & 255u, (head.w >> 8u) & 255u, (head.w >> 16u) & 255u) << vec3<u32>(23u),
    );
    let step = scale * (*ray).inverse;
    let start = (origin - (*ray).origin) * (*ray).inverse;
    let reach = abs((*ray).inverse) * (*ray).margin;
    let near = start - reach;
    let far = start + reach;
    let back_x = ((*ray).octant & 1u) != 0u;
    let back_y = ((*ray).octant & 2u) != 0u;
    let back_z = ((*ray).octant & 4u) != 0u;
    var bits = 0u;
    for (var half = 0u; half < 2u; half++) {
        let lx = low_xy[half];
        let ly = low_xy[half + 2u];
        let lz = low_z_high_x[half];
        let hx = low_z_high_x[half + 2u];
        let hy = high_yz[half];
        let hz = high_yz[half + 2u];
        let nx = vec4<f32>(unpack4xU8(select(lx, hx, back_x))) * step.x + near.x;
        let ny = vec4<f32>(unpack4xU8(select(ly, hy, back_y))) * step.y + near.y;
        let nz = vec4<f32>(unpack4xU8(select(lz, hz, back_z))) * step.z + near.z;
        let fx = vec4<f32>(unpack4xU8(select(hx, lx, back_x))) * step.x + far.x;
        let fy = vec4<f32>(unpack4xU8(select(hy, ly, back_y))) * step.y + far.y;
        let fz = vec4<f32>(unpack4xU8(select(hz, lz, back_z))) * step.z + far.z;
        let entry = max(max(nx, ny), max(nz, vec4<f32>(0.0)));
        let exit = min(min(fx, fy), min(fz, vec4<f32>(limit)));
        let b = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), entry <= exit);
        bits |= (b.x | b.y | b.z | b.w) << (4u * half);
    }
    return bits;
}

// Children in the order of slot xor octant: nearest first.
fn permute(bits: u32, octant: u32) -> u32 {
    var m = bits;
    m = select(m, ((m & 0x55u) << 1u) | ((m >> 1u) & 0x55u), (octant & 1u) != 0u);
    m = select(m, ((m & 0x33u) << 2u) | ((m >> 2u) & 0x33u), (octant & 2u) != 0u);
    return select(m, ((m & 0x0fu) << 4u) | (m >> 4u), (octant & 4u) != 0u);
}

// Sum of the nibbles of `counts` below nibble `child`.
fn count_before(counts: u32, child: u32) -> u32 {
    let below = counts & ((1u << (4u * child)) - 1u);
    let pairs = (below & 0x0f0f0f0fu) + ((below >> 4u) & 0x0f0f0f0fu);
    return (pairs * 0x01010101u) >> 24u;
}

// Is the surface at a candidate hit there for this sample?
fn is_present(
    s: Sampler,
    instance: u32,
    slot: u32,
    primitive: u32,
    u: f32,
    v: f32,
    bounce: u32,
    light: u32,
) -> bool {
    let alpha = alpha_at(instance, slot, u, v);
    if alpha >= 1.0 {
        return true;
    }
    let id = instances[instance].id;
    return alpha > 0.0 && alpha_number(s, bounce, id, primitive, light) < alpha;
}

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let slot = slot_of(invocation);
    if slot == NONE {
        return;
    }
    let phase = slots[slot].phase;
    if phase != WORKING {
        return;
    }
    let pixel = pixels[slot];
    let numbers = sampler_new(
        frame.seed,
        pixel % chunk.width,
        pixel / chunk.width,
        slots[slot].sample,
        frame.samples,
    );
    let path_index = slot * frame.world_count + slots[slot].parts;
    let path_alive = slots[slot].alive != 0u;

    // 0 and 1: rays to lights; 2: the path's.
    var kind = 0u;
    var busy = false;
    var traced = 0u;
    var world_origin = vec3<f32>(0.0);
    var world_direction = vec3<f32>(0.0);
    var time = 0.0;
    var worlds = 0u;
    var blocked = 0u;
    var bounce = 0u;
    var left_instance = NONE;
    var left_slot = NONE;
    var hit = HitState(FAR, 0.0, 0.0, NONE, 0u, 0u, 0u, 0u);
    var ray: LocalRay;
    var stack: array<vec2<u32>, STACK>;
    var waiting = 0u;
    // Entries that belong to the upper tree while a mesh is walked.
    var base = 0u;
    var in_mesh = false;
    var group = vec2<u32>(0u, 0u);
    var instance = 0u;
    var nodes = 0u;
    var triangles = 0u;
    var shading = 0u;
    var filtered = false;

    loop {
        if !busy {
            // The next ray of this slot, if there is one.
            if kind < 2u && shadows[2u * slot + kind].worlds == 0u {
                kind += 1u;
                if kind < 2u && shadows[2u * slot + kind].worlds == 0u {
                    kind += 1u;
                }
            }
            if kind == 2u && !path_alive {
                kind = 3u;
            }
            if kind >= 3u {
                break;
            }
            if kind < 2u {
                let s = &shadows[2u * slot + kind];
                world_origin = (*s).origin;
                world_direction = (*s).direction;
                time = (*s).time;
                worlds = (*s).worlds;
                bounce = (*s).bounce;
                left_instance = (*s).left_instance;
                left_slot = (*s).left_slot;
                hit.t = (*s).t_max;
            } else {
                let p = &paths[path_index];
                world_origin = (*p).origin;
                world_direction = (*p).direction;
                time = (*p).time;
                worlds = (*p).worlds;
                bounce = (*p).bounce;
                left_instance = (*p).left_instance;
                left_slot = (*p).left_slot;
                hit.t = FAR;
            }
            hit.instance = NONE;
            blocked = 0u;
            traced += 1u;
            busy = true;
            in_mesh = false;
            waiting = 0u;
            base = 0u;
            ray = local_ray(world_origin, world_direction, frame.upper_reach, frame.upper_slack);
            group = vec2<u32>(0u, select(0u, (1u << ray.octant) | 0x100u, frame.instance_count > 0u));
        }

        // Down to the next leaf, or to the end of the ray. Lanes wait for each other here, so that the
        // triangles below are tested by many at once.
        var met = 0u;
        var links = vec4<u32>(0u);
        var done = false;
        loop {
            if (group.y & 0xffu) == 0u {
                if waiting > base {
                    waiting -= 1u;
                    group = stack[waiting];
                } else if in_mesh {
                    // Back to the upper tree.
                    in_mesh = false;
                    base = 0u;
                    ray = local_ray(world_origin, world_direction, frame.upper_reach, frame.upper_slack);
                    if waiting > 0u {
                        waiting -= 1u;
                        group = stack[waiting];
                    }
                }
                if (group.y & 0xffu) == 0u {
                    done = true;
                    break;
                }
            }

            let place = firstTrailingBit(group.y & 0xffu);
            let child = place ^ ray.octant;
            let index = group.x + countOneBits((group.y >> 8u) & ((1u << child) - 1u) & 0xffu);
            group.y &= ~(1u << place);

            if (group.y & HIT_KIND_INSTANCES) != 0u {
                let item = upper[frame.upper_items + (index >> 2u)][index & 3u];
                let here = instances[item].worlds & worlds;
                if (here & ~blocked) == 0u {
                    continue;
                }
                var origin = world_origin;
                var direction = world_direction;
                let flags = instances[item].flags;
                if (flags & INSTANCE_IS_WORLD) == 0u {
                    let inverse = instance_inverse(item, time);
                    origin = pose_point(inverse, world_origin);
                    direction = pose_vector(inverse, world_direction);
                }
                if !is_finite3(origin) || !is_finite3(direction) {
                    continue;
                }
                if (group.y & 0xffu) != 0u {
                    stack[waiting] = group;
                    waiting += 1u;
                }
                let mesh = meshes[instances[item].mesh];
                instance = item;
                in_mesh = true;
                base = waiting;
                nodes = mesh.nodes;
                triangles = mesh.triangles;
                shading = mesh.shading;
                filtered = (flags & INSTANCE_HAS_ALPHA) != 0u;
                ray = local_ray(origin, direction, mesh.reach, BOX_SLACK);
                group = vec2<u32>(0u, (1u << ray.octant) | 0x100u);
                continue;
            }

            if (group.y & 0xffu) != 0u {
                stack[waiting] = group;
                waiting += 1u;
            }
            // One place for both trees: the test is long.
            var rows: array<vec4<u32>, 5>;
            if in_mesh {
                let at = nodes + 5u * index;
                rows = array<vec4<u32>, 5>(
                    geometry(at),
                    geometry(at + 1u),
                    geometry(at + 2u),
                    geometry(at + 3u),
                    geometry(at + 4u),
                );
            } else {
                let at = 5u * index;
                rows = array<vec4<u32>, 5>(
                    upper[at],
                    upper[at + 1u],
                    upper[at + 2u],
                    upper[at + 3u],
                    upper[at + 4u],
                );
            }
            let bits = node_hits(&ray, rows[0], rows[2], rows[3], rows[4], hit.t);
            links = rows[1];
            let inner = rows[0].w >> 24u;
            group = vec2<u32>(links.x, permute(bits & inner, ray.octant) | (inner << 8u));
            met = bits & links.w;
            if met == 0u {
                continue;
            }
            if in_mesh {
                break;
            }
            // Instances first: nearer hits then cull the rest.
            if (group.y & 0xffu) != 0u {
                stack[waiting] = group;
                waiting += 1u;
            }
            let order = permute(met, ray.octant);
            group = vec2<u32>(links.y, order | (links.w << 8u) | HIT_KIND_INSTANCES);
            met = 0u;
        }
        if done {
            if kind < 2u {
                shadows[2u * slot + kind].blocked = blocked;
            } else {
                hits[slot] = hit;
            }
            kind += 1u;
            busy = false;
            continue;
        }

        var next = 0u;
        var end = 0u;
        loop {
            if next == end {
                if met == 0u {
                    break;
                }
                let which = firstTrailingBit(met);
                met &= met - 1u;
                next = links.y + count_before(links.z, which);
                end = next + ((links.z >> (4u * which)) & 15u);
            }
            let triangle = next;
            next += 1u;
            let at = triangles + 3u * triangle;
            let p0 = geometry(at);
            if instance == left_instance && triangle == left_slot {
                continue;
            }
            let tested = intersect_triangle(
                &ray,
                bitcast<vec3<f32>>(p0.xyz),
                geometry_f32(at + 1u).xyz,
                geometry_f32(at + 2u).xyz,
                shading + 2u * triangle + 1u,
                hit.t,
            );
            if !tested.hit {
                continue;
            }
            let primitive = p0.w;
            if tested.t == hit.t {
                // Equal distances go to the lower (instance, primitive); the end of a ray is outside.
                let lower = instance < hit.instance
                    || (instance == hit.instance && primitive < hit.primitive);
                if hit.instance == NONE || !lower {
                    continue;
                }
            }
            if filtered && !is_present(
                numbers,
                instance,
                triangle,
                primitive,
                tested.u,
                tested.v,
                bounce,
                select(kind + 1u, 0u, kind == 2u),
            ) {
                continue;
            }
            if kind < 2u {
                blocked |= instances[instance].worlds & worlds;
                // Nothing more of this instance; nothing at all where no world is left.
                group.y = 0u;
                waiting = select(base, 0u, blocked == worlds);
                base = select(base, 0u, blocked == worlds);
                in_mesh = blocked != worlds;
                break;
            }
            hit = HitState(tested.t, tested.u, tested.v, instance, triangle, primitive, 0u, 0u);
        }
    }
    slots[slot].rays += traced;
}
