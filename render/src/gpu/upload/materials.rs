//! Materials as the shaders read them.

use diorama_assets::{AlphaMode, Pixels, TextureRef, Wrap};

use super::texels::Texels;
use crate::gpu::layout::{
    MATERIAL_ALPHA_BLEND, MATERIAL_ALPHA_MASK, MATERIAL_EMISSIVE, MATERIAL_HAS_ALPHA,
    MATERIAL_HAS_INSIDE, MATERIAL_THIN, MATERIAL_TRANSMITS, MaterialRecord, TEXTURE_DATA,
    TEXTURE_FLOAT, TEXTURE_SRGB, TextureUse,
};
use crate::scene::StaticScene;
use crate::scene::material::SurfaceMaterial;

/// Pictures that a material can use.
const TEXTURES: usize = 8;

/// One record for each material of a scene, and eight uses of pictures.
pub(crate) fn materials(
    scene: &StaticScene,
    texels: &Texels,
) -> (Vec<MaterialRecord>, Vec<TextureUse>) {
    let records = scene.materials.iter().map(|m| record(m, scene, texels));
    let (records, textures): (Vec<_>, Vec<_>) = records.unzip();
    (records, textures.concat())
}

fn record(
    material: &SurfaceMaterial,
    scene: &StaticScene,
    texels: &Texels,
) -> (MaterialRecord, [TextureUse; TEXTURES]) {
    let source = material.source();
    let values = material.constant();
    // In the order of bindings.wgsl; only colours are encoded.
    let uses = [
        (&source.base_color_texture, TEXTURE_SRGB),
        (&source.metallic_roughness_texture, TEXTURE_DATA),
        (&source.specular_texture, TEXTURE_DATA),
        (&source.transmission_texture, TEXTURE_DATA),
        (&source.coat_texture, TEXTURE_DATA),
        (&source.coat_roughness_texture, TEXTURE_DATA),
        (&source.emission_texture, TEXTURE_SRGB),
        (&source.normal_texture, TEXTURE_DATA),
    ];
    let textures = uses.map(|(use_, kind)| {
        use_.as_ref()
            .and_then(|use_| texture_use(material, use_, kind, scene, texels))
            .unwrap_or(bytemuck::Zeroable::zeroed())
    });
    let texture_bits = textures
        .iter()
        .enumerate()
        .filter(|(_, t)| t.kind != 0)
        .map(|(i, _)| 1 << i)
        .sum();
    let flag = |set: bool, bit: u32| if set { bit } else { 0 };
    let cutoff = match source.alpha_mode {
        AlphaMode::Mask(cutoff) => Some(cutoff),
        AlphaMode::Opaque | AlphaMode::Blend => None,
    };
    let record = MaterialRecord {
        base_color: values.base_color.to_array(),
        metallic: values.metallic,
        specular_tint: values.specular_tint.to_array(),
        roughness: values.roughness,
        coat_tint: values.coat_tint.to_array(),
        ior: values.ior,
        sheen_tint: values.sheen_tint.to_array(),
        specular: values.specular,
        emission: material.emission_estimate().to_array(),
        transmission: values.transmission,
        absorption: material.absorption.to_array(),
        transmission_roughness: values.transmission_roughness,
        diffuse_transmission: values.diffuse_transmission,
        coat: values.coat,
        coat_roughness: values.coat_roughness,
        coat_ior: values.coat_ior,
        sheen: values.sheen,
        sheen_roughness: values.sheen_roughness,
        alpha: source.alpha,
        alpha_cutoff: cutoff.unwrap_or(0.0),
        normal_scale: source.normal_scale,
        flags: flag(values.thin_walled, MATERIAL_THIN)
            | flag(material.has_alpha, MATERIAL_HAS_ALPHA)
            | flag(material.emissive, MATERIAL_EMISSIVE)
            | flag(material.has_inside, MATERIAL_HAS_INSIDE)
            | flag(material.transmits, MATERIAL_TRANSMITS)
            | flag(source.alpha_mode == AlphaMode::Blend, MATERIAL_ALPHA_BLEND)
            | flag(cutoff.is_some(), MATERIAL_ALPHA_MASK),
        texture_bits,
        unused: 0,
    };
    (record, textures)
}

/// `None` for an image that the asset does not have.
fn texture_use(
    material: &SurfaceMaterial,
    use_: &TextureRef,
    kind: u32,
    scene: &StaticScene,
    texels: &Texels,
) -> Option<TextureUse> {
    let index = material.texture_index(use_);
    let texture = scene.textures.get(index)?;
    let [width, height] = texture.size();
    let wrap = |wrap: Wrap| match wrap {
        Wrap::Repeat => 0,
        Wrap::Mirror => 1,
        Wrap::Clamp => 2,
    };
    Some(TextureUse {
        matrix: use_.matrix,
        offset: use_.offset,
        texels: texels.first_of_texture[index],
        kind: match texture.pixels() {
            Pixels::Rgba8(_) => kind,
            Pixels::RgbF32(_) => TEXTURE_FLOAT,
        },
        width,
        height,
        flags: wrap(use_.wrap_u)
            | wrap(use_.wrap_v) << 2
            | u32::from(use_.nearest) << 4
            | u32::from(use_.uv_set >= 1) << 5,
        unused: 0,
    })
}
