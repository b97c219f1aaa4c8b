//! glTF materials as Blender 4.3's importer maps them to its Principled node.

use std::path::Path;

use super::accessor;
use super::container::{self, Document};
use super::schema;
use crate::decode::Source;
use crate::decode::textures::Textures;
use crate::scene::LoadOptions;
use crate::{AlphaMode, AssetError, Material, TextureRef, Wrap};

/// `GL_NEAREST`, `GL_NEAREST_MIPMAP_NEAREST`, `GL_NEAREST_MIPMAP_LINEAR`.
const NEAREST: [u32; 3] = [9728, 9984, 9986];
const MIRRORED_REPEAT: u32 = 33_648;
const CLAMP_TO_EDGE: u32 = 33_071;
/// What Blender's importer takes for a coat without stated roughness.
const BLENDER_COAT_ROUGHNESS: f32 = 0.03;

/// Reads all materials of a document; the images they use go to `textures`.
pub(super) struct MaterialReader<'a> {
    pub(super) document: &'a Document,
    pub(super) source: &'a mut Source,
    pub(super) textures: &'a mut Textures,
    pub(super) path: &'a Path,
    pub(super) folder: &'a str,
    pub(super) options: LoadOptions,
}

/// What Cycles shows for a face without material: a plain grey diffuse surface (the specification
/// says white metal; pictures are compared with Blender's).
pub(super) fn default_material() -> Material {
    Material {
        name: "default".into(),
        roughness: 1.0,
        specular: 0.0,
        ..Material::default()
    }
}

impl MaterialReader<'_> {
    pub(super) fn read(
        &mut self,
        index: usize,
        material: &schema::Material,
    ) -> Result<Material, AssetError> {
        let pbr = &material.pbr_metallic_roughness;
        let extensions = &material.extensions;
        let name = material
            .name
            .clone()
            .unwrap_or_else(|| format!("material_{index}"));
        let alpha_mode = match material.alpha_mode.as_str() {
            "MASK" => AlphaMode::Mask(material.alpha_cutoff),
            "BLEND" => AlphaMode::Blend,
            _ => AlphaMode::Opaque,
        };
        let [r, g, b, alpha] = pbr.base_color_factor;
        let mut read = Material {
            base_color: [r, g, b],
            base_color_texture: self.texture(pbr.base_color_texture.as_ref())?,
            metallic: pbr.metallic_factor,
            roughness: pbr.roughness_factor,
            metallic_roughness_texture: self.texture(pbr.metallic_roughness_texture.as_ref())?,
            alpha: opaque_is_one(alpha, alpha_mode),
            alpha_mode,
            emission: material.emissive_factor,
            emission_texture: self.texture(material.emissive_texture.as_ref())?,
            emission_strength: extensions
                .emissive_strength
                .as_ref()
                .map_or(1.0, |extension| extension.emissive_strength),
            normal_texture: self.texture(material.normal_texture.as_ref())?,
            normal_scale: material
                .normal_texture
                .as_ref()
                .map_or(1.0, |texture| texture.scale),
            ior: extensions
                .ior
                .as_ref()
                .map_or(1.5, |extension| extension.ior),
            name,
            ..Material::default()
        };
        if extensions.unlit.is_some() {
            return Ok(unlit(read));
        }
        if let Some(glossy) = &extensions.specular_glossiness {
            self.specular_glossiness(&mut read, glossy)?;
        }
        if let Some(transmission) = &extensions.transmission {
            read.transmission = transmission.transmission_factor;
            read.transmission_texture = self.texture(transmission.transmission_texture.as_ref())?;
        }
        self.volume(&mut read, extensions.volume.as_ref());
        if let Some(specular) = &extensions.specular {
            // Blender: Specular IOR Level = specularFactor / 2.
            read.specular = 0.5 * specular.specular_factor;
            read.specular_texture = self.texture(specular.specular_texture.as_ref())?;
            read.specular_tint = specular.specular_color_factor;
            self.not_read(
                &read,
                "specularColorTexture",
                specular.specular_color_texture.is_some(),
            );
        }
        if let Some(coat) = &extensions.clearcoat {
            read.coat = coat.clearcoat_factor;
            read.coat_texture = self.texture(coat.clearcoat_texture.as_ref())?;
            read.coat_roughness_texture =
                self.texture(coat.clearcoat_roughness_texture.as_ref())?;
            let unstated = if coat.clearcoat_roughness_texture.is_some() {
                0.0
            } else {
                BLENDER_COAT_ROUGHNESS
            };
            read.coat_roughness = coat.clearcoat_roughness_factor.unwrap_or(unstated);
            let textured = coat.clearcoat_normal_texture.is_some();
            self.not_read(&read, "clearcoatNormalTexture", textured);
        }
        if let Some(sheen) = &extensions.sheen {
            read.sheen = 1.0;
            read.sheen_tint = sheen.sheen_color_factor;
            read.sheen_roughness = sheen.sheen_roughness_factor;
            self.not_read(
                &read,
                "sheenColorTexture",
                sheen.sheen_color_texture.is_some(),
            );
            let textured = sheen.sheen_roughness_texture.is_some();
            self.not_read(&read, "sheenRoughnessTexture", textured);
        }
        if extensions.dispersion.is_some() {
            self.not_read(&read, "dispersion", true);
        }
        Ok(read)
    }

    /// Blender gives a material an absorbing inside only when it has a thickness, and its Volume
    /// Absorption node has the coefficient `(1 − color) / distance`, not `−ln(color) / distance`:
    /// after one distance `exp(color − 1)` is left of the light. The load options ask for the
    /// specification's reading instead.
    fn volume(&self, read: &mut Material, volume: Option<&schema::Volume>) {
        let thickness = volume.map_or(0.0, |volume| volume.thickness_factor);
        if let Some(volume) = volume.filter(|_| thickness > 0.0) {
            read.attenuation_distance = if volume.attenuation_distance > 0.0 {
                volume.attenuation_distance
            } else {
                f32::INFINITY
            };
            read.attenuation_color = if self.options.specified_absorption {
                volume.attenuation_color
            } else {
                volume
                    .attenuation_color
                    .map(|color| libm::expf(color.clamp(0.0, 1.0) - 1.0))
            };
        } else if self.options.thin_walled && read.transmission > 0.0 {
            read.thin_walled = true;
        }
    }

    /// The archived specular-glossiness workflow, near enough: its diffuse colour, and roughness
    /// from glossiness.
    fn specular_glossiness(
        &mut self,
        read: &mut Material,
        glossy: &schema::SpecularGlossiness,
    ) -> Result<(), AssetError> {
        let [r, g, b, alpha] = glossy.diffuse_factor;
        read.base_color = [r, g, b];
        read.alpha = opaque_is_one(alpha, read.alpha_mode);
        read.base_color_texture = self.texture(glossy.diffuse_texture.as_ref())?;
        read.metallic = 0.0;
        read.roughness = 1.0 - glossy.glossiness_factor;
        read.metallic_roughness_texture = None;
        // F0 of 0.04 is level 0.5 at IOR 1.5.
        let f0 = glossy.specular_factor.iter().copied().fold(0.0, f32::max);
        read.specular = (0.5 * f0 / 0.04).clamp(0.0, 1.0);
        let textured = glossy.specular_glossiness_texture.is_some();
        self.not_read(read, "specularGlossinessTexture", textured);
        Ok(())
    }

    fn not_read(&mut self, material: &Material, what: &str, present: bool) {
        if present {
            self.source.warnings.push(format!(
                "{}: {what} of material `{}` is ignored",
                self.path.display(),
                material.name
            ));
        }
    }

    fn texture(
        &mut self,
        info: Option<&schema::TextureInfo>,
    ) -> Result<Option<TextureRef>, AssetError> {
        let Some(info) = info else { return Ok(None) };
        let root = &self.document.root;
        let bad = |reason: String| AssetError::Decode {
            path: self.path.to_owned(),
            reason,
        };
        let texture = root
            .textures
            .get(info.index)
            .ok_or_else(|| bad(format!("texture {} does not exist", info.index)))?;
        let webp = texture
            .extensions
            .webp
            .as_ref()
            .and_then(|webp| webp.source);
        let source = webp.or(texture.source);
        let Some(image_index) = source else {
            self.source.warnings.push(format!(
                "{}: texture {} has no image of a supported format; its plain factor is used",
                self.path.display(),
                info.index
            ));
            return Ok(None);
        };
        let image = root
            .images
            .get(image_index)
            .ok_or_else(|| bad(format!("image {image_index} does not exist")))?;
        let Some(loaded) = self.image(image_index, image)? else {
            return Ok(None);
        };
        let sampler = match texture.sampler {
            Some(sampler) => root
                .samplers
                .get(sampler)
                .ok_or_else(|| bad(format!("sampler {sampler} does not exist")))?,
            None => &schema::Sampler::default(),
        };
        let mut reference = TextureRef {
            wrap_u: wrap(sampler.wrap_s),
            wrap_v: wrap(sampler.wrap_t),
            nearest: is_nearest(sampler),
            uv_set: info.tex_coord,
            ..TextureRef::of(loaded)
        };
        if let Some(transform) = &info.extensions.transform {
            reference.uv_set = transform.tex_coord.unwrap_or(info.tex_coord);
            (reference.matrix, reference.offset) = uv_transform(transform);
        }
        if reference.uv_set > 1 {
            self.source.warnings.push(format!(
                "{}: a texture uses UV set {}; only 0 and 1 are read, 0 is used",
                self.path.display(),
                reference.uv_set
            ));
            reference.uv_set = 0;
        }
        Ok(Some(reference))
    }
    fn image(&mut self, index: usize, image: &schema::Image) -> Result<Option<u32>, AssetError> {
        let label = image
            .name
            .clone()
            .unwrap_or_else(|| format!("image {index}"));
        let key = format!("#{index}");
        let inner = self.path.join(&label);
        match (&image.uri, image.buffer_view) {
            (Some(uri), _) if uri.starts_with("data:") => {
                let bytes = container::resolve(self.source, self.folder, uri, &label)?;
                self.textures
                    .embedded(self.source, &key, &bytes, &inner)
                    .map(Some)
            }
            (Some(uri), _) => self
                .textures
                .load(self.source, &[container::file_name(self.folder, uri)]),
            (None, Some(view)) => {
                let (bytes, _) =
                    accessor::view_bytes(self.document, view, 0).map_err(|reason| {
                        AssetError::Decode {
                            path: inner.clone(),
                            reason,
                        }
                    })?;
                self.textures
                    .embedded(self.source, &key, bytes, &inner)
                    .map(Some)
            }
            (None, None) => Err(AssetError::Decode {
                path: inner,
                reason: "it has neither a URI nor a buffer view".into(),
            }),
        }
    }
}

/// An unlit surface glows in its base colour and reflects nothing. (Blender's shows it to the
/// camera only; ours also lights its surroundings.)
fn unlit(read: Material) -> Material {
    Material {
        emission: read.base_color,
        emission_texture: read.base_color_texture,
        emission_strength: 1.0,
        base_color: [0.0; 3],
        metallic: 0.0,
        metallic_roughness_texture: None,
        roughness: 1.0,
        specular: 0.0,
        normal_texture: None,
        ..read
    }
}

fn opaque_is_one(alpha: f32, mode: AlphaMode) -> f32 {
    if mode == AlphaMode::Opaque {
        1.0
    } else {
        alpha
    }
}

fn wrap(code: Option<u32>) -> Wrap {
    match code {
        Some(MIRRORED_REPEAT) => Wrap::Mirror,
        Some(CLAMP_TO_EDGE) => Wrap::Clamp,
        _ => Wrap::Repeat,
    }
}

/// Blender's rule: nearest when every filter that is stated is nearest.
fn is_nearest(sampler: &schema::Sampler) -> bool {
    let stated = [sampler.min_filter, sampler.mag_filter];
    stated.iter().any(Option::is_some)
        && stated
            .iter()
            .flatten()
            .all(|filter| NEAREST.contains(filter))
}

/// `uv' = T · R · S · uv` with v down and the rotation counter-clockwise as seen on the picture.
fn uv_transform(transform: &schema::TextureTransform) -> ([f32; 4], [f32; 2]) {
    let (sine, cosine) = (libm::sin(transform.rotation), libm::cos(transform.rotation));
    let [su, sv] = transform.scale;
    (
        [cosine * su, sine * sv, -sine * su, cosine * sv].map(|value| value as f32),
        transform.offset.map(|value| value as f32),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texture_rotation_turns_like_blenders_mapping_node() {
        let transform = schema::TextureTransform {
            offset: [0.25, 0.5],
            rotation: std::f64::consts::FRAC_PI_2,
            scale: [2.0, 3.0],
            tex_coord: None,
        };
        let (m, offset) = uv_transform(&transform);
        // Blender: flip v, scale, rotate by +90°, move to (ox + sv·sin, 1 − oy − sv·cos), flip back.
        let (u, v) = (0.3f32, 0.2f32);
        let flipped = 1.0 - v;
        let expected = [-3.0 * flipped + 0.25 + 3.0, 1.0 - (2.0 * u + 1.0 - 0.5)];
        let ours = [
            m[0] * u + m[1] * v + offset[0],
            m[2] * u + m[3] * v + offset[1],
        ];
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{ours:?} is not {expected:?}");
        }
    }

    #[test]
    fn nearest_needs_every_stated_filter_nearest() {
        let sampler = |mag_filter, min_filter| schema::Sampler {
            mag_filter,
            min_filter,
            ..schema::Sampler::default()
        };
        assert!(is_nearest(&sampler(Some(9728), None)));
        assert!(is_nearest(&sampler(Some(9728), Some(9986))));
        assert!(!is_nearest(&sampler(Some(9728), Some(9987))));
        assert!(!is_nearest(&sampler(None, None)));
    }
}
