//! Materials and textures of FBX and OBJ files, as Blender 4.3's importers of the two formats read
//! them.

use std::path::Path;

use super::{Dialect, join};
use crate::decode::Source;
use crate::decode::textures::Textures;
use crate::{AlphaMode, AssetError, Material, TextureRef, Wrap};

/// What Blender gives a face without material on import.
pub(super) fn default_material(dialect: Dialect) -> Material {
    Material {
        name: "default".into(),
        roughness: if dialect == Dialect::Obj { 1.0 } else { 0.5 },
        specular: if dialect == Dialect::Obj { 0.0 } else { 0.5 },
        ..Material::default()
    }
}

pub(super) struct MaterialReader<'a> {
    pub(super) source: &'a mut Source,
    pub(super) textures: &'a mut Textures,
    pub(super) path: &'a Path,
    /// Folder of the model, and its name without extension.
    pub(super) folder: &'a str,
    pub(super) stem: &'a str,
}

impl MaterialReader<'_> {
    /// Blender's `wm.obj_import`: Ks is the specular level, Ns becomes roughness, the Pbr lines
    /// (Pr, Pm, Ps, Pc, Pcr) win.
    pub(super) fn obj(&mut self, material: &ufbx::Material) -> Result<Material, AssetError> {
        let (fbx, pbr) = (&material.fbx, &material.pbr);
        let illumination = material
            .element
            .props
            .find_prop("illum")
            .map_or(-1, |prop| prop.value_int);
        let highlight = illumination >= 2;
        let exponent = scalar(&fbx.specular_exponent);
        let emission = color(&pbr.emission_color).unwrap_or([0.0; 3]);
        let base_color_texture = self.texture(&pbr.base_color)?;
        let normal_texture = self.texture(&pbr.normal_map)?;
        let roughness_map = self.texture(&pbr.roughness)?;
        let metallic_map = self.texture(&pbr.metalness)?;
        let roughness = match (features_pbr(material), scalar(&pbr.roughness), exponent) {
            (true, Some(roughness), _) => roughness,
            (_, _, Some(exponent)) => 1.0 - libm::sqrtf((exponent / 1000.0).clamp(0.0, 1.0)),
            _ if highlight => 0.0,
            _ => 1.0,
        };
        let alpha = scalar(&pbr.opacity).unwrap_or(1.0);
        Ok(Material {
            name: material.element.name.to_string(),
            base_color: color(&pbr.base_color).unwrap_or([0.8; 3]),
            base_color_texture,
            metallic: scalar(&pbr.metalness).unwrap_or(0.0),
            roughness,
            metallic_roughness_texture: self.packed(roughness_map, metallic_map)?,
            ior: scalar(&pbr.specular_ior).unwrap_or(1.5),
            specular: color(&pbr.specular_color).map_or(f32::from(u8::from(highlight)), mean),
            alpha,
            alpha_mode: blend_below_one(alpha),
            emission,
            emission_texture: self.texture(&pbr.emission_color)?,
            coat: scalar(&pbr.coat_factor).unwrap_or(0.0),
            coat_roughness: scalar(&pbr.coat_roughness).unwrap_or(0.03),
            sheen: color(&pbr.sheen_color).map_or(0.0, mean),
            normal_texture,
            ..Material::default()
        })
    }

    /// Blender's FBX importer for Lambert and Phong; the file's own numbers for materials that say
    /// they are physically based.
    pub(super) fn fbx(&mut self, material: &ufbx::Material) -> Result<Material, AssetError> {
        let (fbx, pbr) = (&material.fbx, &material.pbr);
        let base = color(&pbr.base_color).unwrap_or([0.8; 3]);
        // Blender takes a Lambert or Phong colour as it is, without its factor.
        let base_factor = scalar(&pbr.base_factor)
            .filter(|_| features_pbr(material))
            .unwrap_or(1.0);
        let emission_factor = scalar(&pbr.emission_factor).unwrap_or(1.0);
        let emission = color(&pbr.emission_color).unwrap_or([0.0; 3]);
        let base_color_texture = self.texture(&pbr.base_color)?;
        let normal_texture = self.texture(&pbr.normal_map)?;
        let emission_texture = self.texture(&pbr.emission_color)?;
        let mut read = Material {
            name: material.element.name.to_string(),
            base_color: if base_color_texture.is_some() {
                [base_factor; 3]
            } else {
                base.map(|channel| channel * base_factor)
            },
            base_color_texture,
            emission: if emission_texture.is_some() {
                [emission_factor; 3]
            } else {
                emission.map(|channel| channel * emission_factor)
            },
            emission_texture,
            normal_texture,
            ..Material::default()
        };
        if features_pbr(material) {
            let roughness_map = self.texture(&pbr.roughness)?;
            let metallic_map = self.texture(&pbr.metalness)?;
            read.metallic_roughness_texture = self.packed(roughness_map, metallic_map)?;
            let default = |map: Option<TextureRef>, other| if map.is_some() { 1.0 } else { other };
            read.roughness = scalar(&pbr.roughness).unwrap_or(default(roughness_map, 0.5));
            read.metallic = scalar(&pbr.metalness).unwrap_or(default(metallic_map, 0.0));
            read.ior = scalar(&pbr.specular_ior).unwrap_or(1.5);
            read.transmission = scalar(&pbr.transmission_factor).unwrap_or(0.0);
            read.alpha = scalar(&pbr.opacity).unwrap_or(1.0);
            read.coat = scalar(&pbr.coat_factor).unwrap_or(0.0);
            read.coat_roughness = scalar(&pbr.coat_roughness).unwrap_or(0.03);
        } else {
            if let Some(exponent) = scalar(&fbx.specular_exponent) {
                read.roughness = 1.0 - libm::sqrtf(exponent.clamp(0.0, 100.0)) / 10.0;
            }
            // Maya writes factor 1 with a black colour for opaque.
            let transparent = color(&fbx.transparency_color).map_or(1.0, mean)
                * scalar(&fbx.transparency_factor).unwrap_or(0.0);
            read.alpha = 1.0 - transparent.clamp(0.0, 1.0);
        }
        if read.alpha <= 0.0 && read.transmission == 0.0 {
            // Blender shows nothing at all then; exporters write a factor of 1 for opaque surfaces.
            self.source.warnings.push(format!(
                "{}: material `{}` has an opacity of 0; taken for opaque",
                self.path.display(),
                read.name
            ));
            read.alpha = 1.0;
        }
        read.alpha_mode = blend_below_one(read.alpha);
        Ok(read)
    }

    fn packed(
        &mut self,
        roughness: Option<TextureRef>,
        metallic: Option<TextureRef>,
    ) -> Result<Option<TextureRef>, AssetError> {
        let image = self.textures.pack_metallic_roughness(
            roughness.map(|map| map.image),
            metallic.map(|map| map.image),
            self.path,
        )?;
        Ok(image.map(|image| TextureRef {
            image,
            ..roughness
                .or(metallic)
                .unwrap_or_else(|| TextureRef::of(image))
        }))
    }

    fn texture(&mut self, map: &ufbx::MaterialMap) -> Result<Option<TextureRef>, AssetError> {
        let Some(texture) = map.texture.as_ref().filter(|_| map.texture_enabled) else {
            return Ok(None);
        };
        // A layered or procedural texture names the files it is made of: the first stands for it.
        let file = if texture.has_file || texture.file_textures.is_empty() {
            texture
        } else {
            &texture.file_textures[0]
        };
        let name = if file.relative_filename.is_empty() {
            &*file.filename
        } else {
            &*file.relative_filename
        };
        let name = name.replace('\\', "/");
        let image = if file.content.is_empty() {
            self.textures.load(self.source, &self.candidates(&name))?
        } else {
            let content: &[u8] = &file.content;
            let path = self.path.join(&name);
            Some(self.textures.embedded(self.source, &name, content, &path)?)
        };
        Ok(image.map(|image| reference(image, file)))
    }

    /// Where a texture may lie: as named, beside the model, in its `textures` or `.fbm` folder; also
    /// as a picture of the same name in a plain format. Absolute names
    /// are the author's own disk; only their last part means anything here.
    fn candidates(&self, name: &str) -> Vec<String> {
        let last = name.rsplit('/').next().unwrap_or(name);
        if last.is_empty() {
            return Vec::new();
        }
        let mut candidates = Vec::new();
        if Path::new(name).is_relative() && !name.contains(':') {
            candidates.push(join(self.folder, name));
        }
        // A program's own picture format is often delivered as a plain one.
        let (stem, _) = last.rsplit_once('.').unwrap_or((last, ""));
        let delivered =
            ["png", "jpg", "jpeg", "tga"].map(|extension| format!("{stem}.{extension}"));
        for file in std::iter::once(last).chain(delivered.iter().map(String::as_str)) {
            candidates.push(join(self.folder, file));
            for folder in ["textures", "Textures", &format!("{}.fbm", self.stem)] {
                candidates.push(join(self.folder, &format!("{folder}/{file}")));
            }
        }
        candidates
    }
}

/// FBX and OBJ count v upwards, we downwards: the transform is conjugated with the flip.
fn reference(image: u32, texture: &ufbx::Texture) -> TextureRef {
    let wrap = |mode| match mode {
        ufbx::WrapMode::Clamp => Wrap::Clamp,
        ufbx::WrapMode::Repeat => Wrap::Repeat,
    };
    let mut reference = TextureRef {
        wrap_u: wrap(texture.wrap_u),
        wrap_v: wrap(texture.wrap_v),
        ..TextureRef::of(image)
    };
    if texture.has_uv_transform {
        let m = &texture.uv_to_texture;
        reference.matrix = [m.m00, -m.m01, -m.m10, m.m11].map(|value| value as f32);
        reference.offset = [m.m03 + m.m01, 1.0 - m.m11 - m.m13].map(|value| value as f32);
    }
    reference
}

fn features_pbr(material: &ufbx::Material) -> bool {
    material.features.pbr.enabled
}

fn scalar(map: &ufbx::MaterialMap) -> Option<f32> {
    map.has_value
        .then_some(map.value_vec4.x as f32)
        .filter(|value| value.is_finite())
}

fn color(map: &ufbx::MaterialMap) -> Option<[f32; 3]> {
    let value = &map.value_vec4;
    map.has_value
        .then_some([value.x, value.y, value.z].map(|channel| channel as f32))
        .filter(|channels| channels.iter().all(|channel| channel.is_finite()))
}

fn mean([r, g, b]: [f32; 3]) -> f32 {
    (r + g + b) / 3.0
}

fn blend_below_one(alpha: f32) -> AlphaMode {
    if alpha < 1.0 {
        AlphaMode::Blend
    } else {
        AlphaMode::Opaque
    }
}
