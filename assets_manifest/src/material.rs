//! Blender 4.3's Principled surface as plain values.
//!
//! Values are stored as drawn, also out of range; shading clamps. A material is complete: it holds
//! results, so that a Shot can carry it and another renderer can read it.

use serde::{Deserialize, Serialize};

/// How a texture coordinate outside [0, 1) is read (glTF sampler words).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrap {
    /// Tile.
    #[default]
    Repeat,
    /// Tile, every other one flipped.
    Mirror,
    /// Stretch the border.
    Clamp,
}

/// One use of an image: which, through which coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextureRef {
    /// Index into [`crate::Model::images`] of the asset that the material belongs to.
    pub image: u32,
    /// UV set: 0 or 1.
    #[serde(default)]
    pub uv_set: u32,
    /// `uv' = matrix * uv + offset`, row-major 2×2 (KHR_texture_transform, already composed).
    #[serde(default = "identity2")]
    pub matrix: [f32; 4],
    /// See `matrix`.
    #[serde(default)]
    pub offset: [f32; 2],
    /// Horizontal wrap.
    #[serde(default)]
    pub wrap_u: Wrap,
    /// Vertical wrap.
    #[serde(default)]
    pub wrap_v: Wrap,
    /// Nearest texel instead of bilinear.
    #[serde(default)]
    pub nearest: bool,
}

fn identity2() -> [f32; 4] {
    [1.0, 0.0, 0.0, 1.0]
}

impl TextureRef {
    /// The plain use of image `image`: UV set 0, no transform, repeat, bilinear.
    pub fn of(image: u32) -> Self {
        Self {
            image,
            uv_set: 0,
            matrix: identity2(),
            offset: [0.0; 2],
            wrap_u: Wrap::Repeat,
            wrap_v: Wrap::Repeat,
            nearest: false,
        }
    }
}

/// What alpha means (glTF words).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlphaMode {
    /// Alpha is ignored.
    #[default]
    Opaque,
    /// Present where alpha ≥ the cutoff, absent elsewhere.
    Mask(f32),
    /// Present with probability alpha.
    Blend,
}

/// Principled BSDF inputs. Colours are linear Rec.709. Textures multiply their factor, glTF's way.
///
/// UV origin is the top-left corner of the image, v down (glTF); loaders convert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Material {
    /// Name in the source file; for people.
    pub name: String,
    /// Diffuse albedo, metal F0 and transmission tint.
    pub base_color: [f32; 3],
    /// sRGB image; its alpha multiplies `alpha` unless the mode is opaque.
    pub base_color_texture: Option<TextureRef>,
    /// 0 dielectric … 1 metal.
    pub metallic: f32,
    /// Perceptual roughness; GGX alpha is its square.
    pub roughness: f32,
    /// Linear image: G multiplies roughness, B multiplies metallic.
    pub metallic_roughness_texture: Option<TextureRef>,
    /// Index of refraction of the inside over the outside, ≥ 1 in shading.
    pub ior: f32,
    /// Blender's Specular IOR Level: 0.5 is the plain Fresnel of `ior`, 0 none, 1 doubles F0.
    pub specular: f32,
    /// Linear image: A multiplies `specular` (KHR_materials_specular).
    pub specular_texture: Option<TextureRef>,
    /// Tint of the dielectric reflection at normal incidence; for metals the F82 edge tint.
    pub specular_tint: [f32; 3],
    /// 0 opaque … 1 refracting.
    pub transmission: f32,
    /// Linear image: R multiplies `transmission`.
    pub transmission_texture: Option<TextureRef>,
    /// Roughness of the refraction alone; `None`: the same as `roughness` (Blender 4.x).
    pub transmission_roughness: Option<f32>,
    /// No refraction: light passes straight through both faces at once (glTF without volume).
    pub thin_walled: bool,
    /// Share of the diffuse light that leaves on the far side (paper, leaves), 0…1.
    pub diffuse_transmission: f32,
    /// Colour that white light becomes after `attenuation_distance` inside.
    pub attenuation_color: [f32; 3],
    /// Metres; infinite (null in JSON): no absorption.
    #[serde(with = "infinite_as_null")]
    pub attenuation_distance: f32,
    /// 0 absent … 1 present.
    pub alpha: f32,
    /// What alpha means.
    pub alpha_mode: AlphaMode,
    /// Emitted colour; W/(m²·sr) when times `emission_strength`.
    pub emission: [f32; 3],
    /// sRGB image that multiplies `emission`.
    pub emission_texture: Option<TextureRef>,
    /// Factor of `emission`.
    pub emission_strength: f32,
    /// Clear coat weight 0…1.
    pub coat: f32,
    /// Linear image: R multiplies `coat`.
    pub coat_texture: Option<TextureRef>,
    /// Roughness of the coat.
    pub coat_roughness: f32,
    /// Linear image: G multiplies `coat_roughness`.
    pub coat_roughness_texture: Option<TextureRef>,
    /// IOR of the coat.
    pub coat_ior: f32,
    /// Colour the coat gives to what is under it.
    pub coat_tint: [f32; 3],
    /// Sheen weight.
    pub sheen: f32,
    /// Sheen roughness.
    pub sheen_roughness: f32,
    /// Sheen colour.
    pub sheen_tint: [f32; 3],
    /// Linear image, tangent space, +Y up.
    pub normal_texture: Option<TextureRef>,
    /// Scale of the normal map's x and y.
    pub normal_scale: f32,
}

impl Default for Material {
    /// Blender's defaults of a new Principled node, with base colour 0.8.
    fn default() -> Self {
        Self {
            name: String::new(),
            base_color: [0.8; 3],
            base_color_texture: None,
            metallic: 0.0,
            roughness: 0.5,
            metallic_roughness_texture: None,
            ior: 1.5,
            specular: 0.5,
            specular_texture: None,
            specular_tint: [1.0; 3],
            transmission: 0.0,
            transmission_texture: None,
            transmission_roughness: None,
            thin_walled: false,
            diffuse_transmission: 0.0,
            attenuation_color: [1.0; 3],
            attenuation_distance: f32::INFINITY,
            alpha: 1.0,
            alpha_mode: AlphaMode::Opaque,
            emission: [0.0; 3],
            emission_texture: None,
            emission_strength: 1.0,
            coat: 0.0,
            coat_texture: None,
            coat_roughness: 0.03,
            coat_roughness_texture: None,
            coat_ior: 1.5,
            coat_tint: [1.0; 3],
            sheen: 0.0,
            sheen_roughness: 0.5,
            sheen_tint: [1.0; 3],
            normal_texture: None,
            normal_scale: 1.0,
        }
    }
}

/// JSON has no infinity: an infinite distance is written as null.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_some(value)
        } else {
            serializer.serialize_none()
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        Ok(Option::<f32>::deserialize(deserializer)?.unwrap_or(f32::INFINITY))
    }
}
