// Walks of the trees, and the ray–triangle test: twin of accel/.
//
// Nodes have up to eight children with boxes in bytes on each axis (Ylitie, Karras and Laine
// 2017); upload/nodes.rs makes them. Which triangle is the nearest does not depend on them: boxes only
// ever grow, and equal distances go to the lower (instance, primitive).

// As on the CPU, with room for one more product.
const BOX_SLACK: f32 = 64.0 / 16777216.0;
const STEEPEST: f32 = 1e-18;
// Projected areas below this share of their products are computed again with more digits.
const SMALL_AREA: f32 = 0.25;
// Distances below this share of the corners' distances too.
const NEAR: f32 = 1.0 / 262144.0;
// Groups of children that wait: bits 0–7 those that are met, nearest first, and above them where the eight
// are: nodes, or the instances of a leaf of the upper tree.
const GROUP_INSTANCES: u32 = 0x80000000u;
const GROUP_PLACES: u32 = 0x7fffffu;

// A ray on the grid of some tree, ready for box tests. It changes wherever a ray goes from tree to tree, in the
// midst of the walk: what only triangles ask for is in MeshRay.
struct BoxRay {
    // In units of the grid.
    origin: vec3<f32>,
    inverse: vec3<f32>,
    // By how much later or earlier than computed a plane may be met.
    reach: vec3<f32>,
    // Bit for each axis along which it runs backwards.
    octant: u32,
}

// A ray in the space of a mesh, ready for triangle tests.
struct MeshRay {
    origin: vec3<f32>,
    direction: vec3<f32>,
    // The axis of the largest component, and steps along the other two for one along it.
    axis: u32,
    slopes: vec2<f32>,
    inverse_depth: f32,
}

fn box_ray(
    origin: vec3<f32>,
    direction: vec3<f32>,
    reach: f32,
    slack: f32,
    corner: vec3<f32>,
    exponents: u32,
) -> BoxRay {
    let size = abs(direction);
    let least = largest3(size) * STEEPEST;
    let steep = select(vec3<f32>(least), -vec3<f32>(least), direction < vec3<f32>(0.0));
    let inverse = 1.0 / select(direction, steep, size < vec3<f32>(least));
    let margin = (largest3(abs(origin)) + reach) * slack;
    let backwards = select(vec3<u32>(0u), vec3<u32>(1u, 2u, 4u), direction < vec3<f32>(0.0));
    // Powers of two: scaling by them changes no digit.
    let unit = vec3<u32>(exponents & 255u, (exponents >> 8u) & 255u, (exponents >> 16u) & 255u);
    return BoxRay(
        (origin - corner) * bitcast<vec3<f32>>((vec3<u32>(254u) - unit) << vec3<u32>(23u)),
        inverse * bitcast<vec3<f32>>(unit << vec3<u32>(23u)),
        abs(inverse) * margin,
        backwards.x | backwards.y | backwards.z,
    );
}

fn mesh_ray(origin: vec3<f32>, direction: vec3<f32>) -> MeshRay {
    let size = abs(direction);
    let axis = select(select(0u, 1u, size.y > size.x), 2u, size.z > max(size.x, size.y));
    let turned = turn(direction, axis);
    let inverse_depth = 1.0 / turned.z;
    return MeshRay(origin, direction, axis, turned.xy * inverse_depth, inverse_depth);
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
    ray: ptr<function, MeshRay>,
    p0: vec3<f32>,
    p1: vec3<f32>,
    p2: vec3<f32>,
    // The triangle's normal; NONE: it is bent, and the normal its corners'.
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
        var normal = geometry_f32(plane).xyz;
        if HAS_BENDING && plane == NONE {
            normal = cross(p1 - p0, p2 - p0);
        }
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
    ray: ptr<function, BoxRay>,
    head: vec4<u32>,
    low_xy: vec4<u32>,
    low_z_high_x: vec4<u32>,
    high_yz: vec4<u32>,
    limit: f32,
) -> u32 {
    let corner = vec3<f32>(vec3<u32>(head.z >> 24u, head.w & 255u, (head.w >> 8u) & 255u));
    let halvings = vec3<u32>(head.w >> 16u, head.w >> 20u, head.w >> 24u) & vec3<u32>(15u);
    let step =
        bitcast<vec3<f32>>((vec3<u32>(127u) - halvings) << vec3<u32>(23u)) * (*ray).inverse;
    let start = (corner - (*ray).origin) * (*ray).inverse;
    let near = start - (*ray).reach;
    let far = start + (*ray).reach;
    let back_x = ((*ray).octant & 1u) != 0u;
    let back_y = ((*ray).octant & 2u) != 0u;
    let back_z = ((*ray).octant & 4u) != 0u;
    // Two words for each: four children, then the other four.
    let near_x = select(low_xy.xy, low_z_high_x.zw, back_x);
    let far_x = select(low_z_high_x.zw, low_xy.xy, back_x);
    let near_y = select(low_xy.zw, high_yz.xy, back_y);
    let far_y = select(high_yz.xy, low_xy.zw, back_y);
    let near_z = select(low_z_high_x.xy, high_yz.zw, back_z);
    let far_z = select(high_yz.zw, low_z_high_x.xy, back_z);
    let first = four_hits(
        step, near, far, limit,
        vec3<u32>(near_x.x, near_y.x, near_z.x), vec3<u32>(far_x.x, far_y.x, far_z.x),
    );
    let second = four_hits(
        step, near, far, limit,
        vec3<u32>(near_x.y, near_y.y, near_z.y), vec3<u32>(far_x.y, far_y.y, far_z.y),
    );
    return first | (second << 4u);
}

fn bytes_f32(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(255u));
}

fn four_hits(
    step: vec3<f32>,
    near: vec3<f32>,
    far: vec3<f32>,
    limit: f32,
    near_words: vec3<u32>,
    far_words: vec3<u32>,
) -> u32 {
    let nx = bytes_f32(near_words.x) * step.x + near.x;
    let ny = bytes_f32(near_words.y) * step.y + near.y;
    let nz = bytes_f32(near_words.z) * step.z + near.z;
    let fx = bytes_f32(far_words.x) * step.x + far.x;
    let fy = bytes_f32(far_words.y) * step.y + far.y;
    let fz = bytes_f32(far_words.z) * step.z + far.z;
    // As whole numbers, which are in the order of the floats that they are the bits of where none is negative. A
    // negative one stays behind 0 either way. Some drivers look for NaNs in each minimum of floats.
    let entry = max(
        max(bitcast<vec4<i32>>(nx), bitcast<vec4<i32>>(ny)),
        max(bitcast<vec4<i32>>(nz), vec4<i32>(0)),
    );
    let exit = min(
        min(bitcast<vec4<i32>>(fx), bitcast<vec4<i32>>(fy)),
        min(bitcast<vec4<i32>>(fz), vec4<i32>(bitcast<i32>(limit))),
    );
    let b = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), entry <= exit);
    return b.x | b.y | b.z | b.w;
}

// Children in the order of slot xor octant: nearest first.
fn permute(bits: u32, octant: u32) -> u32 {
    var m = bits;
    m = select(m, ((m & 0x55u) << 1u) | ((m >> 1u) & 0x55u), (octant & 1u) != 0u);
    m = select(m, ((m & 0x33u) << 2u) | ((m >> 2u) & 0x33u), (octant & 2u) != 0u);
    return select(m, ((m & 0x0fu) << 4u) | (m >> 4u), (octant & 4u) != 0u);
}

// A tree's first node alone: child 0 of no node.
fn root_group(octant: u32) -> u32 {
    return 1u << octant;
}

// The nearest of a group.
fn first_of(group: u32) -> u32 {
    // The exponent of the lowest bit as a float: cheaper than firstTrailingBit where that is not an instruction.
    let lowest = group & (0u - group);
    return (bitcast<u32>(f32(i32(lowest))) >> 23u) - 127u;
}

// Where the items of the leaf `child` of a node begin, behind those of its first leaf; `kinds`: the node's third
// word.
fn items_before(kinds: u32, child: u32) -> u32 {
    // Leaves and leaves with two items.
    let below = ((1u << child) - 1u) * 0x10100u;
    return countOneBits(kinds & below);
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
    let id = instance_names(instance).w;
    return alpha > 0.0 && alpha_number(s, bounce, id, primitive, light) < alpha;
}

// What a slot's ray needs on its way.
struct TracedRay {
    origin: vec3<f32>,
    t_max: f32,
    direction: vec3<f32>,
    // 0: no ray.
    worlds: u32,
    left_instance: u32,
    left_slot: u32,
    bounce: u32,
}

fn shadow_ray(s: ShadowState) -> TracedRay {
    return TracedRay(s.origin, s.t_max, s.direction, s.worlds, s.left_instance, s.left_slot, s.bounce);
}

// Groups that wait. Not a variable of the function, which would have to be set to zeros in every step.
var<private> stack: array<u32, STACK>;

// Looks for what the rays of the slot at hand meet.
fn trace_rays() {
    var rays = array<TracedRay, 3>(
        shadow_ray(sent[0]),
        shadow_ray(sent[1]),
        TracedRay(
            path.origin,
            FAR,
            path.direction,
            select(0u, path.worlds, state.alive != 0u),
            path.left_instance,
            path.left_slot,
            path.bounce,
        ),
    );
    if !HAS_OTHER_LIGHTS {
        rays[1].worlds = 0u;
    }
    var numbers: Sampler;
    if HAS_ALPHA {
        numbers = sampler_new(pixel, state.sample);
    }

    // 0 and 1: rays to lights; 2: the path's.
    var kind = 0u;
    var busy = false;
    var traced = 0u;
    var world: TracedRay;
    var blocked = 0u;
    var blocked_first = 0u;
    var blocked_second = 0u;
    hit = HitState(FAR, 0.0, 0.0, NONE, 0u, 0u, 0u, 0u);
    var hit_primitive = 0u;
    var world_ray: BoxRay;
    var ray: BoxRay;
    var within: MeshRay;
    var waiting = 0u;
    // Entries that belong to the upper tree while a mesh is walked.
    var base = 0u;
    var in_mesh = false;
    var group = 0u;
    var instance = 0u;
    // Of the tree at hand; the upper one begins at 0.
    var nodes = 0u;
    var triangles = 0u;
    var planes = 0u;
    var closing = NONE;
    var filtered = false;
    // Of the instance at hand.
    var mesh_worlds = 0u;

    loop {
        if !busy {
            // The next ray of this slot, if there is one.
            if kind == 0u && rays[0].worlds == 0u {
                kind = 1u;
            }
            if kind == 1u && rays[1].worlds == 0u {
                kind = 2u;
            }
            if kind == 2u && rays[2].worlds == 0u {
                kind = 3u;
            }
            if kind == 3u {
                break;
            }
            if kind == 0u {
                world = rays[0];
            } else if kind == 1u {
                world = rays[1];
            } else {
                world = rays[2];
            }
            hit.t = world.t_max;
            hit.instance = NONE;
            blocked = 0u;
            traced += 1u;
            busy = true;
            in_mesh = false;
            waiting = 0u;
            base = 0u;
            nodes = 0u;
            world_ray = box_ray(
                world.origin,
                world.direction,
                frame.upper_reach,
                frame.upper_slack,
                frame.upper_corner,
                frame.upper_exponents,
            );
            ray = world_ray;
            group = select(0u, root_group(ray.octant), frame.instance_count > 0u);
        }

        // Down to the next leaf, or to the end of the ray. Lanes wait for each other here, so that the
        // triangles below are tested by many at once.
        var met = 0u;
        // Where the items of the node's leaves begin, and how many each has.
        var leaf = vec2<u32>(0u);
        var placed = NONE;
        var done = false;
        loop {
            if (group & 0xffu) == 0u {
                if waiting == 0u {
                    done = true;
                    break;
                }
                waiting -= 1u;
                group = stack[waiting];
                if in_mesh && waiting < base {
                    // Back to the upper tree.
                    in_mesh = false;
                    nodes = 0u;
                    ray = world_ray;
                }
            }

            let child = first_of(group) ^ ray.octant;
            let place = (group >> 8u) + child;
            let is_instance = !in_mesh && (group & GROUP_INSTANCES) != 0u;
            // Without the nearest.
            group &= group - 1u;
            if is_instance {
                placed = place & GROUP_PLACES;
                break;
            }
            if (group & 0xffu) != 0u {
                stack[waiting] = group;
                waiting += 1u;
            }
            let at = nodes + NODE_ROWS * place;
            let head = geometry(at);
            let bits =
                node_hits(&ray, head, geometry(at + 1u), geometry(at + 2u), geometry(at + 3u), hit.t);
            let inner = bits & head.z;
            let leaves = bits & (head.z >> 8u);
            // Instances first: nearer hits then cull the rest.
            let to_instances = !in_mesh && leaves != 0u;
            if HAS_DEEP_UPPER && to_instances && inner != 0u {
                stack[waiting] = permute(inner, ray.octant) | head.x;
                waiting += 1u;
            }
            group = permute(select(inner, leaves, to_instances), ray.octant)
                | select(head.x, (head.y << 8u) | GROUP_INSTANCES, to_instances);
            if in_mesh && leaves != 0u {
                met = leaves;
                leaf = head.yz;
                break;
            }
        }
        if done {
            if kind == 0u {
                blocked_first = blocked;
            }
            if kind == 1u {
                blocked_second = blocked;
            }
            kind += 1u;
            busy = false;
            continue;
        }

        if placed != NONE {
            let at = frame.upper_items + PLACED_ROWS * placed;
            let a = geometry(at + 3u);
            if (a.z & world.worlds & ~blocked) != 0u {
                let b = geometry(at + 4u);
                let grid = geometry(at + 5u);
                var inverse = pose_of_rows(
                    geometry_f32(at),
                    geometry_f32(at + 1u),
                    geometry_f32(at + 2u),
                );
                if HAS_MOTION && (b.z & INSTANCE_MOVES) != 0u {
                    inverse = pose_inverse(instance_pose(a.w, b.z, path.time));
                }
                let origin = pose_point(inverse, world.origin);
                let direction = pose_vector(inverse, world.direction);
                if is_finite3(origin) && is_finite3(direction) {
                    if (group & 0xffu) != 0u {
                        stack[waiting] = group;
                        waiting += 1u;
                    }
                    nodes = a.x;
                    triangles = a.y;
                    instance = a.w;
                    mesh_worlds = a.z;
                    planes = b.y;
                    closing = b.w;
                    filtered = (b.z & INSTANCE_HAS_ALPHA) != 0u;
                    in_mesh = true;
                    base = waiting;
                    ray = box_ray(
                        origin,
                        direction,
                        bitcast<f32>(b.x),
                        BOX_SLACK,
                        bitcast<vec3<f32>>(grid.xyz),
                        grid.w,
                    );
                    within = mesh_ray(origin, direction);
                    group = root_group(ray.octant);
                }
            }
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
                next = leaf.x + items_before(leaf.y, which);
                end = next + 1u + ((leaf.y >> (16u + which)) & 1u);
            }
            let triangle = next;
            next += 1u;
            if instance == world.left_instance && triangle == world.left_slot {
                continue;
            }
            let corners = triangle_corners(triangles, closing, triangle, path.time);
            var plane = planes + 2u * triangle;
            if HAS_BENDING && closing != NONE {
                plane = NONE;
            }
            let tested = intersect_triangle(&within, corners[0], corners[1], corners[2], plane, hit.t);
            if !tested.hit {
                continue;
            }
            let primitive = geometry(triangles + 3u * triangle).w;
            if tested.t == hit.t {
                // Equal distances go to the lower (instance, primitive); the end of a ray is outside.
                let lower = instance < hit.instance
                    || (instance == hit.instance && primitive < hit_primitive);
                if hit.instance == NONE || !lower {
                    continue;
                }
            }
            if HAS_ALPHA && filtered && !is_present(
                numbers,
                instance,
                triangle,
                primitive,
                tested.u,
                tested.v,
                world.bounce,
                select(kind + 1u, 0u, kind == 2u),
            ) {
                continue;
            }
            if kind < 2u {
                blocked |= mesh_worlds & world.worlds;
                // Nothing more of this instance; nothing at all where no world is left.
                group = 0u;
                waiting = select(base, 0u, blocked == world.worlds);
                break;
            }
            hit = HitState(tested.t, tested.u, tested.v, instance, triangle, 0u, 0u, 0u);
            hit_primitive = primitive;
        }
    }
    sent[0].blocked = blocked_first;
    sent[1].blocked = blocked_second;
    state.rays += traced;
}
