//! What host and shaders share, as bytes: twins of the structures in shaders/bindings.wgsl.
//!
//! A test asks naga for the sizes and offsets of the shaders' structures and compares them with these.

use bytemuck::{Pod, Zeroable};

/// Declares structures and, for the test, what their fields are called and where they lie.
macro_rules! layouts {
    ($($(#[$doc:meta])* struct $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, Pod, Zeroable)]
            #[repr(C)]
            pub(super) struct $name {
                $(pub(super) $field: $type,)*
            }
        )*

        /// (structure, size, (field, offset)).
        #[cfg(test)]
        pub(super) fn layouts() -> Vec<(&'static str, usize, Vec<(&'static str, usize)>)> {
            vec![$((
                stringify!($name),
                size_of::<$name>(),
                vec![$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
            ),)*]
        }
    };
}

layouts! {
    /// A camera at one instant.
    struct Camera {
        origin: [f32; 3],
        tan_half_width: f32,
        right: [f32; 3],
        width: f32,
        up: [f32; 3],
        height: f32,
        forward: [f32; 3],
        aperture_radius: f32,
        shift: [f32; 2],
        focus_distance: f32,
        unused: u32,
    }

    /// What is the same for all paths of a frame.
    struct Frame {
        cameras: [Camera; 3],
        environment_scale: [f32; 3],
        motion_blur: u32,
        environment_turn: [f32; 2],
        environment_is_black: u32,
        environment_width: u32,
        environment_height: u32,
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
        upper_items: u32,
        instance_count: u32,
        upper_slack: f32,
        upper_reach: f32,
        zero: u32,
        unused0: u32,
        unused1: u32,
        unused2: u32,
        unused3: u32,
        upper_corner: [f32; 3],
        upper_exponents: u32,
    }

    /// The part of a frame that is traced at once.
    struct Chunk {
        slots: u32,
        width: u32,
        first_sample: u32,
        unused: u32,
    }

    /// A mesh in the world, as shading sees it.
    struct InstanceRecord {
        open: [[f32; 4]; 3],
        close: [[f32; 4]; 3],
        inverse: [[f32; 4]; 3],
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
        closing: u32,
        closing_normals: u32,
        unused0: u32,
        unused1: u32,
        unused2: u32,
    }

    /// A mesh in the world, as rays find it: in the upper tree.
    struct PlacedRecord {
        inverse: [[f32; 4]; 3],
        nodes: u32,
        triangles: u32,
        worlds: u32,
        instance: u32,
        reach: f32,
        planes: u32,
        flags: u32,
        closing: u32,
        corner: [f32; 3],
        exponents: u32,
    }

    /// One use of an image.
    struct TextureUse {
        matrix: [f32; 4],
        offset: [f32; 2],
        texels: u32,
        kind: u32,
        width: u32,
        height: u32,
        flags: u32,
        unused: u32,
    }

    /// A material ready for shading.
    struct MaterialRecord {
        base_color: [f32; 3],
        metallic: f32,
        specular_tint: [f32; 3],
        roughness: f32,
        coat_tint: [f32; 3],
        ior: f32,
        sheen_tint: [f32; 3],
        specular: f32,
        emission: [f32; 3],
        transmission: f32,
        absorption: [f32; 3],
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
        texture_bits: u32,
        unused: u32,
    }

    /// A light of a frame.
    struct LightRecord {
        kind: u32,
        worlds: u32,
        power: f32,
        size: f32,
        direction: [f32; 3],
        cos_outer: f32,
        radiance: [f32; 3],
        sharpness: f32,
        position: [f32; 3],
        area: f32,
        side_u: [f32; 3],
        first_emitter: u32,
        side_v: [f32; 3],
        emitter_count: u32,
        instance: u32,
        unused0: u32,
        unused1: u32,
        unused2: u32,
    }

    /// An emitting triangle.
    struct Emitter {
        p0: [f32; 3],
        cumulative: f32,
        p1: [f32; 3],
        slot: u32,
        p2: [f32; 3],
        unused: u32,
    }

    /// A pixel to trace: its number in the picture and what its random numbers start from.
    struct PixelRecord {
        pixel: u32,
        picture_seed: u32,
        first: u32,
        pixel_seed: u32,
    }

    /// Where a pixel is in its work.
    struct SlotState {
        phase: u32,
        sample: u32,
        parts: u32,
        alive: u32,
        touched: u32,
        background: u32,
        keep: u32,
        remove: u32,
        rays: u32,
        unused0: u32,
        unused1: u32,
        unused2: u32,
    }

    /// A path at work; only its size matters here.
    struct PathState {
        origin: [f32; 3],
        time: f32,
        direction: [f32; 3],
        worlds: u32,
        beta: [f32; 3],
        bounce: u32,
        from_position: [f32; 3],
        pdf: f32,
        from_normal: [f32; 3],
        from_transmits: u32,
        absorption: [f32; 3],
        left_instance: u32,
        left_slot: u32,
        is_inside: u32,
        unused0: u32,
        unused1: u32,
    }

    /// The absorbing insides that a path is in.
    struct MediaState {
        ids: [u32; 4],
        absorption: [[f32; 4]; 4],
        count: u32,
        unused0: u32,
        unused1: u32,
        unused2: u32,
    }

    /// A ray to a light.
    struct ShadowState {
        origin: [f32; 3],
        t_max: f32,
        direction: [f32; 3],
        worlds: u32,
        contribution: [f32; 3],
        blocked: u32,
        left_instance: u32,
        left_slot: u32,
        path_worlds: u32,
        bounce: u32,
    }

    /// What a path's ray met.
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

    /// What a sample found in a world, or a sum of such.
    struct Found {
        radiance: [f32; 3],
        distance: f32,
        albedo: [f32; 3],
        first: u32,
        normal: [f32; 3],
        unused: u32,
    }

    /// A sum with what roundings lost.
    struct Sums {
        sum: Found,
        lost: Found,
    }
}

/// As in bindings.wgsl.
pub(super) const NONE: u32 = u32::MAX;
pub(super) const INSTANCE_IS_WORLD: u32 = 1;
pub(super) const INSTANCE_MOVES: u32 = 2;
pub(super) const INSTANCE_HAS_ALPHA: u32 = 4;
pub(super) const TEXTURE_SRGB: u32 = 1;
pub(super) const TEXTURE_DATA: u32 = 2;
pub(super) const TEXTURE_FLOAT: u32 = 3;
pub(super) const MATERIAL_THIN: u32 = 1;
pub(super) const MATERIAL_HAS_ALPHA: u32 = 2;
pub(super) const MATERIAL_EMISSIVE: u32 = 4;
pub(super) const MATERIAL_HAS_INSIDE: u32 = 8;
pub(super) const MATERIAL_ALPHA_BLEND: u32 = 16;
pub(super) const MATERIAL_ALPHA_MASK: u32 = 32;
pub(super) const MATERIAL_TRANSMITS: u32 = 64;
pub(super) const LIGHT_ENVIRONMENT: u32 = 0;
pub(super) const LIGHT_SUN: u32 = 1;
pub(super) const LIGHT_SPHERE: u32 = 2;
pub(super) const LIGHT_AREA: u32 = 3;
pub(super) const LIGHT_MESH: u32 = 4;
