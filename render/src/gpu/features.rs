//! What a frame's scene has. Programs are made for it: code for what is not there costs time even where no
//! lane takes it, above all on drivers that walk both sides of every branch.

use super::layout::{
    LIGHT_AREA, LIGHT_MESH, LIGHT_SPHERE, LIGHT_SUN, LightRecord, MATERIAL_EMISSIVE,
    MATERIAL_HAS_ALPHA, MATERIAL_HAS_INSIDE, MaterialRecord,
};
use super::upload::frame::UpperTree;
use super::upload::geometry::MeshPlaces;
use super::upload::texels::Texels;
use crate::gpu::layout::NONE;
use crate::kernels::bsdf::CUTOFF;
use crate::scene::FrameScene;

/// Declares the features, with the names of their constants in the shaders.
macro_rules! features {
    ($($(#[$doc:meta])* $field:ident $name:literal,)*) => {
        /// What there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) struct Features {
            $($(#[$doc])* pub(super) $field: bool,)*
        }

        impl Features {
            /// Everything.
            #[cfg(test)]
            pub(super) const ALL: Self = Self { $($field: true,)* };
            /// Nothing.
            pub(super) const NONE: Self = Self { $($field: false,)* };

            /// Names in the shaders, and values.
            pub(super) fn constants(&self) -> Vec<(&'static str, bool)> {
                vec![$(($name, self.$field),)*]
            }
        }
    };
}

features! {
    /// Vertices have colours.
    colors "HAS_COLORS",
    /// Materials use pictures.
    textures "HAS_TEXTURES",
    /// One of them is a normal map.
    normal_maps "HAS_NORMAL_MAPS",
    sheen "HAS_SHEEN",
    coat "HAS_COAT",
    metal "HAS_METAL",
    /// Transmission.
    glass "HAS_GLASS",
    /// Light passes diffusely.
    diffuse_transmission "HAS_DIFFUSE_TRANSMISSION",
    /// Surfaces may be absent at a point.
    alpha "HAS_ALPHA",
    /// Insides absorb.
    media "HAS_MEDIA",
    emission "HAS_EMISSION",
    /// The shutter is open for a time.
    motion "HAS_MOTION",
    /// Meshes are bent meanwhile.
    bending "HAS_BENDING",
    /// The environment is a picture.
    environment_map "HAS_ENVIRONMENT_MAP",
    suns "HAS_SUNS",
    spheres "HAS_SPHERES",
    areas "HAS_AREAS",
    /// Emitting meshes.
    mesh_lights "HAS_MESH_LIGHTS",
    /// Several lights in every world.
    several_lights "HAS_SEVERAL_LIGHTS",
    /// Lights in some worlds.
    other_lights "HAS_OTHER_LIGHTS",
    /// The tree over the instances has more than one node.
    deep_upper "HAS_DEEP_UPPER",
}

impl Features {
    /// What stays the same over the clip.
    pub(super) fn of_scene(
        materials: &[MaterialRecord],
        meshes: &[MeshPlaces],
        texels: &Texels,
    ) -> Self {
        let any = |has: fn(&MaterialRecord) -> bool| materials.iter().any(has);
        Self {
            colors: meshes.iter().any(|mesh| mesh.colors != NONE),
            textures: any(|m| m.texture_bits != 0),
            normal_maps: any(|m| m.texture_bits >> 7 != 0),
            sheen: any(|m| m.sheen > CUTOFF),
            coat: any(|m| m.coat > CUTOFF),
            metal: any(|m| m.metallic > CUTOFF),
            glass: any(|m| m.transmission > CUTOFF),
            diffuse_transmission: any(|m| m.diffuse_transmission > CUTOFF),
            alpha: any(|m| m.flags & MATERIAL_HAS_ALPHA != 0),
            media: any(|m| m.flags & MATERIAL_HAS_INSIDE != 0 && m.absorption != [0.0; 3]),
            emission: any(|m| m.flags & MATERIAL_EMISSIVE != 0),
            environment_map: texels.environment.is_some(),
            ..Self::NONE
        }
    }

    /// With what a frame adds.
    pub(super) fn with_frame(
        self,
        scene: &FrameScene,
        lights: &[LightRecord],
        upper: &UpperTree,
    ) -> Self {
        let any = |kind: u32| lights.iter().any(|light| light.kind == kind);
        Self {
            motion: scene.motion_blur,
            bending: scene.meshes.iter().any(|mesh| mesh.bvh.moves()),
            suns: any(LIGHT_SUN),
            spheres: any(LIGHT_SPHERE),
            areas: any(LIGHT_AREA),
            mesh_lights: any(LIGHT_MESH),
            several_lights: scene.shared_lights.lights.len() > 1,
            other_lights: !scene.other_lights.lights.is_empty(),
            deep_upper: upper.depth > 1,
            ..self
        }
    }
}
