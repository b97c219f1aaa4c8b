// What host and shaders share: structures (layout.rs has the same, and a test that compares them),
// buffers, and where things are in them.

struct Camera {
    origin: vec3<f32>,
    tan_half_width: f32,
    right: vec3<f32>,
    width: f32,
    up: vec3<f32>,
    height: f32,
    forward: vec3<f32>,
    aperture_radius: f32,
    shift: vec2<f32>,
    focus_distance: f32,
    unused: u32,
}

// What is the same for all paths of a frame.
struct Frame {
    // At the shutter's opening, centre and closing.
    cameras: array<Camera, 3>,
    environment_scale: vec3<f32>,
    motion_blur: u32,
    // Sine and cosine of the turn about +Z.
    environment_turn: vec2<f32>,
    environment_is_black: u32,
    // 0: a constant.
    environment_width: u32,
    environment_height: u32,
    // In the texel pages.
    environment_texels: u32,
    environment_rows: u32,
    environment_columns: u32,
    seed: u32,
    max_bounces: u32,
    clamp_indirect: f32,
    world_count: u32,
    material_count: u32,
    shared_lights: u32,
    other_lights: u32,
    // Where the instance numbers of the upper tree's leaves begin.
    upper_items: u32,
    instance_count: u32,
    // The box test of the upper tree moves planes outwards by this share of coordinates.
    upper_slack: f32,
    // Largest magnitude that goes into one of its coordinates.
    upper_reach: f32,
    // 0, which no compiler knows.
    zero: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
    unused3: u32,
    // The grid of the upper tree, as in PlacedRecord.
    upper_corner: vec3<f32>,
    upper_exponents: u32,
}

// The part of a frame that one chunk of pixels is.
struct Chunk {
    slots: u32,
    // Of the picture.
    width: u32,
    // The first sample to trace.
    first_sample: u32,
    unused: u32,
}

// A mesh in the world, as shading sees it. Places of meshes are in the geometry pages; NONE for what a mesh
// does not have.
struct InstanceRecord {
    // Rows of world_from_object as the shutter opens and as it closes.
    open: array<vec4<f32>, 3>,
    close: array<vec4<f32>, 3>,
    // Rows of object_from_world at rest.
    inverse: array<vec4<f32>, 3>,
    triangles: u32,
    shading: u32,
    normals: u32,
    uvs: u32,
    colors: u32,
    tangents: u32,
    worlds: u32,
    id: u32,
    flags: u32,
    first_material: u32,
    role: u32,
    // Where the triangles and the normals are as the shutter closes, of a mesh that is bent meanwhile.
    closing: u32,
    closing_normals: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

// The same as rays find it: behind the nodes of the upper tree.
struct PlacedRecord {
    inverse: array<vec4<f32>, 3>,
    nodes: u32,
    triangles: u32,
    worlds: u32,
    instance: u32,
    // Largest magnitude of a coordinate.
    reach: f32,
    // Normals of the triangles, two elements apart.
    planes: u32,
    flags: u32,
    // The triangles as the shutter closes; NONE where the mesh is not bent meanwhile.
    closing: u32,
    // The grid that corners of nodes lie on: where it begins, and the biased exponents of its units, a byte each.
    corner: vec3<f32>,
    exponents: u32,
}

const INSTANCE_IS_WORLD: u32 = 1u;
const INSTANCE_MOVES: u32 = 2u;
const INSTANCE_HAS_ALPHA: u32 = 4u;
const NONE: u32 = 0xffffffffu;

struct TextureUse {
    matrix: vec4<f32>,
    offset: vec2<f32>,
    // In the texel pages.
    texels: u32,
    // 0: no texture.
    kind: u32,
    width: u32,
    height: u32,
    // Bits 0–1 wrap of u, 2–3 of v (repeat, mirror, clamp), 4 nearest, 5 second UV set.
    flags: u32,
    unused: u32,
}

const TEXTURE_NONE: u32 = 0u;
const TEXTURE_SRGB: u32 = 1u;
const TEXTURE_DATA: u32 = 2u;
const TEXTURE_FLOAT: u32 = 3u;

struct MaterialRecord {
    base_color: vec3<f32>,
    metallic: f32,
    specular_tint: vec3<f32>,
    roughness: f32,
    coat_tint: vec3<f32>,
    ior: f32,
    sheen_tint: vec3<f32>,
    specular: f32,
    emission: vec3<f32>,
    transmission: f32,
    absorption: vec3<f32>,
    transmission_roughness: f32,
    diffuse_transmission: f32,
    coat: f32,
    coat_roughness: f32,
    coat_ior: f32,
    sheen: f32,
    sheen_roughness: f32,
    alpha: f32,
    alpha_cutoff: f32,
    normal_scale: f32,
    flags: u32,
    // Bit for each of its eight texture uses that is there.
    texture_bits: u32,
    unused: u32,
}

const MATERIAL_THIN: u32 = 1u;
const MATERIAL_HAS_ALPHA: u32 = 2u;
const MATERIAL_EMISSIVE: u32 = 4u;
const MATERIAL_HAS_INSIDE: u32 = 8u;
const MATERIAL_ALPHA_BLEND: u32 = 16u;
const MATERIAL_ALPHA_MASK: u32 = 32u;
const MATERIAL_TRANSMITS: u32 = 64u;

const TEXTURE_BASE_COLOR: u32 = 0u;
const TEXTURE_METALLIC_ROUGHNESS: u32 = 1u;
const TEXTURE_SPECULAR: u32 = 2u;
const TEXTURE_TRANSMISSION: u32 = 3u;
const TEXTURE_COAT: u32 = 4u;
const TEXTURE_COAT_ROUGHNESS: u32 = 5u;
const TEXTURE_EMISSION: u32 = 6u;
const TEXTURE_NORMAL: u32 = 7u;

struct LightRecord {
    kind: u32,
    worlds: u32,
    power: f32,
    // Sun: 1 − cos of its half angle; point: radius; mesh: radius of its box.
    size: f32,
    // Sun: towards it; area and spot: where it shines.
    direction: vec3<f32>,
    cos_outer: f32,
    radiance: vec3<f32>,
    // Of a spot's edge; 0: not a spot.
    sharpness: f32,
    position: vec3<f32>,
    // Mesh: m².
    area: f32,
    side_u: vec3<f32>,
    // Mesh: in `emitters`.
    first_emitter: u32,
    side_v: vec3<f32>,
    emitter_count: u32,
    instance: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

const LIGHT_ENVIRONMENT: u32 = 0u;
const LIGHT_SUN: u32 = 1u;
const LIGHT_SPHERE: u32 = 2u;
const LIGHT_AREA: u32 = 3u;
const LIGHT_MESH: u32 = 4u;

// An emitting triangle in the world.
struct Emitter {
    p0: vec3<f32>,
    // Share of the area of all up to this one, this one included.
    cumulative: f32,
    p1: vec3<f32>,
    // Where the mesh keeps the triangle.
    slot: u32,
    p2: vec3<f32>,
    unused: u32,
}

// Where a pixel is in its work.
struct SlotState {
    phase: u32,
    sample: u32,
    // Paths that wait behind the one at hand.
    parts: u32,
    // The path at hand goes on.
    alive: u32,
    // Bit w: some sample met something that tells world w from world 0.
    touched: u32,
    background: u32,
    keep: u32,
    remove: u32,
    rays: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

const FRESH: u32 = 0u;
const WORKING: u32 = 1u;
const DONE: u32 = 2u;

// Everything a path needs to go on.
struct PathState {
    origin: vec3<f32>,
    time: f32,
    direction: vec3<f32>,
    worlds: u32,
    beta: vec3<f32>,
    bounce: u32,
    // Where the direction was sampled, for the densities of light sampling.
    from_position: vec3<f32>,
    // DELTA after a smooth lobe and at the camera.
    pdf: f32,
    from_normal: vec3<f32>,
    from_transmits: u32,
    // Of all insides that the path is in, 1/m.
    absorption: vec3<f32>,
    // The triangle that the ray leaves: a plane is met once only.
    left_instance: u32,
    left_slot: u32,
    // `media` holds something for it.
    is_inside: u32,
    unused0: u32,
    unused1: u32,
}

// Objects that a path is inside of, and their absorption.
struct MediaState {
    ids: vec4<u32>,
    absorption: array<vec4<f32>, 4>,
    count: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

// A ray to a light, and what it brings where it is not blocked.
struct ShadowState {
    origin: vec3<f32>,
    t_max: f32,
    direction: vec3<f32>,
    // 0: no ray.
    worlds: u32,
    contribution: vec3<f32>,
    blocked: u32,
    left_instance: u32,
    left_slot: u32,
    path_worlds: u32,
    bounce: u32,
}

struct HitState {
    t: f32,
    u: f32,
    v: f32,
    instance: u32,
    slot: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

// What a sample found in a world, or the sum over samples.
struct Found {
    radiance: vec3<f32>,
    distance: f32,
    albedo: vec3<f32>,
    // Index of the first instance plus one.
    first: u32,
    normal: vec3<f32>,
    unused: u32,
}

// Sums over the samples of a run, with what their roundings lost.
struct Sums {
    sum: Found,
    lost: Found,
}

// A pixel to trace: its number in the picture and what its random numbers start from (sampler.wgsl).
struct PixelRecord {
    pixel: u32,
    picture_seed: u32,
    first: u32,
    pixel_seed: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
// Records lie in textures, row after row, an element of 16 bytes a texel.
@group(0) @binding(1) var instances: Records;
@group(0) @binding(2) var materials: Records;
@group(0) @binding(3) var texture_uses: Records;
@group(0) @binding(4) var lights: Records;
@group(0) @binding(5) var emitters: Records;
@group(0) @binding(6) var tables: Records;

@group(1) @binding(0) var<uniform> chunk: Chunk;
// A PixelRecord for each slot, then the counts of samples that each has when it is done: four worlds an element.
@group(1) @binding(1) var<storage, read> pixels: array<vec4<u32>>;
@group(1) @binding(2) var<storage, read_write> slots: array<SlotState>;
@group(1) @binding(3) var<storage, read_write> paths: array<PathState>;
@group(1) @binding(4) var<storage, read_write> media: array<MediaState>;
@group(1) @binding(5) var<storage, read_write> shadows: array<ShadowState>;
@group(1) @binding(6) var<storage, read_write> hits: array<HitState>;
@group(1) @binding(7) var<storage, read_write> found: array<Found>;
@group(1) @binding(8) var<storage, read_write> sums: array<Sums>;
@group(1) @binding(9) var<storage, read_write> runs: array<Found>;
@group(1) @binding(10) var<storage, read_write> working: atomic<u32>;

// An element of a texture of records.
fn row(records: Records, address: u32) -> vec4<u32> {
    let mask = (1u << ROW_SHIFT) - 1u;
    return element(records, vec2<u32>(address & mask, address >> ROW_SHIFT));
}

fn row_f32(records: Records, address: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(row(records, address));
}

// The slot of an invocation; NONE beyond the last.
fn slot_of(id: vec3<u32>) -> u32 {
    return select(NONE, id.x, id.x < chunk.slots);
}

fn geometry_f32(address: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(geometry(address));
}

// A word of the texel pages.
fn texel(address: u32) -> u32 {
    return texels(address >> 2u)[address & 3u];
}

// An entry of a table, the next one, and both in the next line.
fn table(index: u32) -> vec4<f32> {
    return row_f32(tables, index);
}

// The value between an entry of a table without lines and the next one.
fn linear_table(index: u32, t: f32) -> f32 {
    let v = table(index);
    return v.x * (1.0 - t) + v.y * t;
}

// Words triangles, shading, normals, uvs of an instance.
fn instance_places(instance: u32) -> vec4<u32> {
    return row(instances, instance * INSTANCE_ROWS + 9u);
}

// Words colors, tangents, worlds, id.
fn instance_names(instance: u32) -> vec4<u32> {
    return row(instances, instance * INSTANCE_ROWS + 10u);
}

// Words flags, first_material, role, closing.
fn instance_kinds(instance: u32) -> vec4<u32> {
    return row(instances, instance * INSTANCE_ROWS + 11u);
}

fn instance_closing_normals(instance: u32) -> u32 {
    return row(instances, instance * INSTANCE_ROWS + 12u).x;
}

// The three corners of a triangle, one a column, at a time while the shutter is open. `closing`: see
// PlacedRecord.
fn triangle_corners(triangles: u32, closing: u32, slot: u32, time: f32) -> mat3x3<f32> {
    let at = triangles + 3u * slot;
    let open = mat3x3<f32>(
        geometry_f32(at).xyz,
        geometry_f32(at + 1u).xyz,
        geometry_f32(at + 2u).xyz,
    );
    if !HAS_BENDING || closing == NONE {
        return open;
    }
    let moved = closing + 3u * slot;
    return mat3x3<f32>(
        open[0] * (1.0 - time) + geometry_f32(moved).xyz * time,
        open[1] * (1.0 - time) + geometry_f32(moved + 1u).xyz * time,
        open[2] * (1.0 - time) + geometry_f32(moved + 2u).xyz * time,
    );
}

fn material_at(index: u32) -> MaterialRecord {
    let at = index * MATERIAL_ROWS;
    let a = row_f32(materials, at);
    let b = row_f32(materials, at + 1u);
    let c = row_f32(materials, at + 2u);
    let d = row_f32(materials, at + 3u);
    let e = row_f32(materials, at + 4u);
    let f = row_f32(materials, at + 5u);
    let g = row_f32(materials, at + 6u);
    let h = row_f32(materials, at + 7u);
    let i = row(materials, at + 8u);
    return MaterialRecord(
        a.xyz, a.w, b.xyz, b.w, c.xyz, c.w, d.xyz, d.w, e.xyz, e.w, f.xyz, f.w,
        g.x, g.y, g.z, g.w, h.x, h.y, h.z, h.w,
        bitcast<f32>(i.x), i.y, i.z, i.w,
    );
}

fn texture_use_at(material: u32, which: u32) -> TextureUse {
    let at = (material * 8u + which) * TEXTURE_ROWS;
    let a = row(texture_uses, at + 1u);
    let b = row(texture_uses, at + 2u);
    return TextureUse(
        row_f32(texture_uses, at),
        bitcast<vec2<f32>>(a.xy), a.z, a.w,
        b.x, b.y, b.z, b.w,
    );
}

fn light_at(index: u32) -> LightRecord {
    let at = index * LIGHT_ROWS;
    let a = row(lights, at);
    let b = row_f32(lights, at + 1u);
    let c = row_f32(lights, at + 2u);
    let d = row_f32(lights, at + 3u);
    let e = row(lights, at + 4u);
    let f = row(lights, at + 5u);
    return LightRecord(
        a.x, a.y, bitcast<f32>(a.z), bitcast<f32>(a.w),
        b.xyz, b.w, c.xyz, c.w, d.xyz, d.w,
        bitcast<vec3<f32>>(e.xyz), e.w, bitcast<vec3<f32>>(f.xyz), f.w,
        row(lights, at + 6u).x, 0u, 0u, 0u,
    );
}

fn emitter_at(index: u32) -> Emitter {
    let at = index * EMITTER_ROWS;
    let a = row_f32(emitters, at);
    let b = row(emitters, at + 1u);
    let c = row_f32(emitters, at + 2u);
    return Emitter(a.xyz, a.w, bitcast<vec3<f32>>(b.xyz), b.w, c.xyz, 0u);
}

// What an invocation has at hand: its slot's pixel and how far its work is.
var<private> pixel: PixelRecord;
var<private> counts: array<u32, WORLDS>;
var<private> state: SlotState;
var<private> path: PathState;
// Rays to a light of each group.
var<private> sent: array<ShadowState, 2>;
// What the path's ray met.
var<private> hit: HitState;
// What the sample at hand has found in each world, and the sums of those before it.
var<private> seen: array<Found, WORLDS>;
var<private> summed: array<Sums, WORLDS>;
// MANY_STEPS: what is rarely written waits here for the invocation's end, for a buffer costs its time in every step.
// Paths that wait behind the one at hand, and the sums of runs that have ended, with a bit of its world for each
// of these.
var<private> rests: array<PathState, WORLDS>;
var<private> closed: array<array<Found, WORLDS>, RUNS>;
var<private> closed_runs: array<u32, WORLDS>;
