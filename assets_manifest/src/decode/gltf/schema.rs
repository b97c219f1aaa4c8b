//! The parts of the glTF 2.0 JSON schema that are read, with the specification's defaults.
//!
//! Own types rather than the `gltf` crate's: WebP sources, quantised attributes, clear coat and
//! sheen need its raw JSON anyway, and every index and range is checked at its one place of use
//! ([`super::accessor`], [`super::geometry`], [`super::material`]).

#![expect(
    clippy::struct_field_names,
    reason = "fields are named as in the specification"
)]

use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Root {
    pub(super) asset: Asset,
    pub(super) scene: Option<usize>,
    pub(super) scenes: Vec<Scene>,
    pub(super) nodes: Vec<Node>,
    pub(super) meshes: Vec<Mesh>,
    pub(super) skins: Vec<Skin>,
    pub(super) accessors: Vec<Accessor>,
    pub(super) buffer_views: Vec<BufferView>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) materials: Vec<Material>,
    pub(super) textures: Vec<Texture>,
    pub(super) images: Vec<Image>,
    pub(super) samplers: Vec<Sampler>,
    pub(super) cameras: Vec<Camera>,
    /// Looked into by [`super::takes`] only: a damaged one costs a take, not the file.
    pub(super) animations: Vec<serde_json::Value>,
    pub(super) extensions_used: Vec<String>,
    pub(super) extensions: RootExtensions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asset {
    pub(super) copyright: Option<String>,
    pub(super) extras: serde_json::Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RootExtensions {
    #[serde(rename = "KHR_lights_punctual")]
    pub(super) lights: LightList,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct LightList {
    pub(super) lights: Vec<Light>,
}

#[derive(Deserialize)]
pub(super) struct Light {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default = "white")]
    pub(super) color: [f32; 3],
    #[serde(default = "one")]
    pub(super) intensity: f32,
    #[serde(default)]
    pub(super) spot: Spot,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spot {
    pub(super) inner_cone_angle: f32,
    pub(super) outer_cone_angle: f32,
}

impl Default for Spot {
    fn default() -> Self {
        Self {
            inner_cone_angle: 0.0,
            outer_cone_angle: std::f32::consts::FRAC_PI_4,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Scene {
    pub(super) nodes: Vec<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Node {
    pub(super) name: Option<String>,
    pub(super) mesh: Option<usize>,
    pub(super) skin: Option<usize>,
    pub(super) camera: Option<usize>,
    pub(super) children: Vec<usize>,
    pub(super) matrix: Option<[f64; 16]>,
    pub(super) translation: Option<[f64; 3]>,
    pub(super) rotation: Option<[f64; 4]>,
    pub(super) scale: Option<[f64; 3]>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) extensions: NodeExtensions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct NodeExtensions {
    #[serde(rename = "KHR_lights_punctual")]
    pub(super) light: Option<LightIndex>,
}

#[derive(Deserialize)]
pub(super) struct LightIndex {
    pub(super) light: usize,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Mesh {
    pub(super) name: Option<String>,
    pub(super) primitives: Vec<Primitive>,
    pub(super) weights: Vec<f32>,
    /// `targetNames`: what exporters call the morph targets.
    pub(super) extras: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct Primitive {
    #[serde(default)]
    pub(super) attributes: Attributes,
    pub(super) indices: Option<usize>,
    pub(super) material: Option<usize>,
    /// 4: triangles.
    pub(super) mode: Option<u32>,
    #[serde(default)]
    pub(super) targets: Vec<Attributes>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", default)]
pub(super) struct Attributes {
    pub(super) position: Option<usize>,
    pub(super) normal: Option<usize>,
    pub(super) tangent: Option<usize>,
    pub(super) texcoord_0: Option<usize>,
    pub(super) texcoord_1: Option<usize>,
    pub(super) color_0: Option<usize>,
    pub(super) joints_0: Option<usize>,
    pub(super) weights_0: Option<usize>,
    pub(super) joints_1: Option<usize>,
    pub(super) weights_1: Option<usize>,
    pub(super) joints_2: Option<usize>,
    pub(super) weights_2: Option<usize>,
    pub(super) joints_3: Option<usize>,
    pub(super) weights_3: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Skin {
    pub(super) joints: Vec<usize>,
    pub(super) inverse_bind_matrices: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Animation {
    pub(super) name: Option<String>,
    pub(super) channels: Vec<Channel>,
    pub(super) samplers: Vec<AnimationSampler>,
}

#[derive(Deserialize)]
pub(super) struct Channel {
    pub(super) sampler: usize,
    pub(super) target: ChannelTarget,
}

#[derive(Deserialize)]
pub(super) struct ChannelTarget {
    pub(super) node: Option<usize>,
    pub(super) path: String,
}

#[derive(Deserialize)]
pub(super) struct AnimationSampler {
    pub(super) input: usize,
    pub(super) output: usize,
    /// LINEAR when absent.
    pub(super) interpolation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<usize>,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) component_type: u32,
    #[serde(default)]
    pub(super) normalized: bool,
    pub(super) count: usize,
    #[serde(rename = "type")]
    pub(super) shape: String,
    pub(super) sparse: Option<Sparse>,
}

#[derive(Deserialize)]
pub(super) struct Sparse {
    pub(super) count: usize,
    pub(super) indices: SparsePart,
    pub(super) values: SparsePart,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparsePart {
    pub(super) buffer_view: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    /// Of the indices; the values have the accessor's own.
    pub(super) component_type: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BufferView {
    pub(super) buffer: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) byte_length: usize,
    pub(super) byte_stride: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buffer {
    pub(super) uri: Option<String>,
    pub(super) byte_length: usize,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Texture {
    pub(super) sampler: Option<usize>,
    pub(super) source: Option<usize>,
    pub(super) extensions: TextureExtensions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TextureExtensions {
    #[serde(rename = "EXT_texture_webp")]
    pub(super) webp: Option<WebpSource>,
}

#[derive(Deserialize)]
pub(super) struct WebpSource {
    pub(super) source: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Image {
    pub(super) name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) buffer_view: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Sampler {
    pub(super) mag_filter: Option<u32>,
    pub(super) min_filter: Option<u32>,
    pub(super) wrap_s: Option<u32>,
    pub(super) wrap_t: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct Camera {
    pub(super) name: Option<String>,
    pub(super) perspective: Option<Perspective>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
pub(super) struct Perspective {
    pub(super) yfov: f32,
    pub(super) aspect_ratio: Option<f32>,
    #[serde(default)]
    pub(super) znear: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Material {
    pub(super) name: Option<String>,
    pub(super) pbr_metallic_roughness: MetallicRoughness,
    pub(super) normal_texture: Option<TextureInfo>,
    pub(super) emissive_texture: Option<TextureInfo>,
    pub(super) emissive_factor: [f32; 3],
    pub(super) alpha_mode: String,
    pub(super) alpha_cutoff: f32,
    pub(super) extensions: MaterialExtensions,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            name: None,
            pbr_metallic_roughness: MetallicRoughness::default(),
            normal_texture: None,
            emissive_texture: None,
            emissive_factor: [0.0; 3],
            alpha_mode: "OPAQUE".into(),
            alpha_cutoff: 0.5,
            extensions: MaterialExtensions::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetallicRoughness {
    pub(super) base_color_factor: [f32; 4],
    pub(super) base_color_texture: Option<TextureInfo>,
    pub(super) metallic_factor: f32,
    pub(super) roughness_factor: f32,
    pub(super) metallic_roughness_texture: Option<TextureInfo>,
}

impl Default for MetallicRoughness {
    fn default() -> Self {
        Self {
            base_color_factor: [1.0; 4],
            base_color_texture: None,
            metallic_factor: 1.0,
            roughness_factor: 1.0,
            metallic_roughness_texture: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureInfo {
    pub(super) index: usize,
    #[serde(default)]
    pub(super) tex_coord: u32,
    /// Of normal maps only.
    #[serde(default = "one")]
    pub(super) scale: f32,
    #[serde(default)]
    pub(super) extensions: TextureInfoExtensions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TextureInfoExtensions {
    #[serde(rename = "KHR_texture_transform")]
    pub(super) transform: Option<TextureTransform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TextureTransform {
    pub(super) offset: [f64; 2],
    pub(super) rotation: f64,
    pub(super) scale: [f64; 2],
    pub(super) tex_coord: Option<u32>,
}

impl Default for TextureTransform {
    fn default() -> Self {
        Self {
            offset: [0.0; 2],
            rotation: 0.0,
            scale: [1.0; 2],
            tex_coord: None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct MaterialExtensions {
    #[serde(rename = "KHR_materials_transmission")]
    pub(super) transmission: Option<Transmission>,
    #[serde(rename = "KHR_materials_ior")]
    pub(super) ior: Option<Ior>,
    #[serde(rename = "KHR_materials_volume")]
    pub(super) volume: Option<Volume>,
    #[serde(rename = "KHR_materials_specular")]
    pub(super) specular: Option<Specular>,
    #[serde(rename = "KHR_materials_clearcoat")]
    pub(super) clearcoat: Option<Clearcoat>,
    #[serde(rename = "KHR_materials_sheen")]
    pub(super) sheen: Option<Sheen>,
    #[serde(rename = "KHR_materials_emissive_strength")]
    pub(super) emissive_strength: Option<EmissiveStrength>,
    #[serde(rename = "KHR_materials_unlit")]
    pub(super) unlit: Option<serde::de::IgnoredAny>,
    #[serde(rename = "KHR_materials_pbrSpecularGlossiness")]
    pub(super) specular_glossiness: Option<SpecularGlossiness>,
    #[serde(rename = "KHR_materials_dispersion")]
    pub(super) dispersion: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Transmission {
    pub(super) transmission_factor: f32,
    pub(super) transmission_texture: Option<TextureInfo>,
}

#[derive(Deserialize)]
pub(super) struct Ior {
    #[serde(default = "default_ior")]
    pub(super) ior: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Volume {
    pub(super) thickness_factor: f32,
    pub(super) attenuation_distance: f32,
    pub(super) attenuation_color: [f32; 3],
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            thickness_factor: 0.0,
            attenuation_distance: f32::INFINITY,
            attenuation_color: [1.0; 3],
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Specular {
    pub(super) specular_factor: f32,
    pub(super) specular_texture: Option<TextureInfo>,
    pub(super) specular_color_factor: [f32; 3],
    pub(super) specular_color_texture: Option<TextureInfo>,
}

impl Default for Specular {
    fn default() -> Self {
        Self {
            specular_factor: 1.0,
            specular_texture: None,
            specular_color_factor: [1.0; 3],
            specular_color_texture: None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Clearcoat {
    pub(super) clearcoat_factor: f32,
    pub(super) clearcoat_texture: Option<TextureInfo>,
    pub(super) clearcoat_roughness_factor: Option<f32>,
    pub(super) clearcoat_roughness_texture: Option<TextureInfo>,
    pub(super) clearcoat_normal_texture: Option<TextureInfo>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Sheen {
    pub(super) sheen_color_factor: [f32; 3],
    pub(super) sheen_color_texture: Option<TextureInfo>,
    pub(super) sheen_roughness_factor: f32,
    pub(super) sheen_roughness_texture: Option<TextureInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmissiveStrength {
    #[serde(default = "one")]
    pub(super) emissive_strength: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SpecularGlossiness {
    pub(super) diffuse_factor: [f32; 4],
    pub(super) diffuse_texture: Option<TextureInfo>,
    pub(super) specular_factor: [f32; 3],
    pub(super) glossiness_factor: f32,
    pub(super) specular_glossiness_texture: Option<TextureInfo>,
}

impl Default for SpecularGlossiness {
    fn default() -> Self {
        Self {
            diffuse_factor: [1.0; 4],
            diffuse_texture: None,
            specular_factor: [1.0; 3],
            glossiness_factor: 1.0,
            specular_glossiness_texture: None,
        }
    }
}

fn one() -> f32 {
    1.0
}

fn white() -> [f32; 3] {
    [1.0; 3]
}

fn default_ior() -> f32 {
    1.5
}
