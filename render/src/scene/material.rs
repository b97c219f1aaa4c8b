//! Materials ready for shading: clamped, textures resolved.

use diorama_assets::{AlphaMode, Material, TextureRef};
use glam::{Vec2, Vec3};

use super::texture::{Reading, Texture};
use crate::kernels::bsdf::SurfaceValues;
use crate::kernels::math::{ln, sqr};

/// Blender imports an index of refraction below this as 1; 0 would divide by zero.
const LOWEST_IOR: f32 = 1.0;

/// One material slot of one asset (or an object's replacement of it).
#[derive(Debug)]
pub struct SurfaceMaterial {
    source: Material,
    /// Added to texture indices: where the asset's images start.
    first_texture: usize,
    constant: SurfaceValues,
    textured: bool,
    /// Looks up a texture for anything.
    pub reads_textures: bool,
    /// Emission without texture, radiance.
    emission: Vec3,
    /// Absorption inside, 1/m.
    pub absorption: Vec3,
    /// Alpha can be below 1 somewhere.
    pub has_alpha: bool,
    /// Emits light.
    pub emissive: bool,
    /// Has an inside that a path can enter.
    pub has_inside: bool,
    /// Light from behind can come through somewhere.
    pub transmits: bool,
}

/// Where on the surface to look textures up.
#[derive(Debug, Clone, Copy)]
pub struct SurfaceCoordinates {
    /// First and second UV set.
    pub uv: [Vec2; 2],
    /// Vertex colour and alpha; 1 without.
    pub color: Vec3,
    /// Vertex alpha.
    pub alpha: f32,
}

impl SurfaceMaterial {
    /// `first_texture`: index in the scene's texture list of the asset's image 0.
    pub fn new(source: &Material, first_texture: usize) -> Self {
        let unit = |x: f32| {
            if x.is_finite() {
                x.clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        let color = |c: [f32; 3]| Vec3::from(c).max(Vec3::ZERO);
        let constant = SurfaceValues {
            base_color: color(source.base_color),
            metallic: unit(source.metallic),
            roughness: unit(source.roughness),
            ior: source.ior.max(LOWEST_IOR),
            specular: source.specular.max(0.0),
            specular_tint: color(source.specular_tint),
            transmission: unit(source.transmission),
            transmission_roughness: source.transmission_roughness.map_or(-1.0, unit),
            thin_walled: source.thin_walled,
            diffuse_transmission: unit(source.diffuse_transmission),
            coat: unit(source.coat),
            coat_roughness: unit(source.coat_roughness),
            coat_ior: source.coat_ior.max(LOWEST_IOR),
            coat_tint: color(source.coat_tint),
            sheen: unit(source.sheen),
            sheen_roughness: unit(source.sheen_roughness),
            sheen_tint: color(source.sheen_tint),
        };
        let emission = color(source.emission) * source.emission_strength.max(0.0);
        let absorption =
            if source.attenuation_distance.is_finite() && source.attenuation_distance > 0.0 {
                // Beer: color = exp(−σ distance); a zero channel would be an infinite σ.
                let sigma = |c: f32| -ln(c.clamp(1e-4, 1.0)) / source.attenuation_distance;
                let [r, g, b] = source.attenuation_color;
                Vec3::new(sigma(r), sigma(g), sigma(b))
            } else {
                Vec3::ZERO
            };
        let textured = [
            source.base_color_texture,
            source.metallic_roughness_texture,
            source.specular_texture,
            source.transmission_texture,
            source.coat_texture,
            source.coat_roughness_texture,
        ]
        .iter()
        .any(Option::is_some);
        Self {
            first_texture,
            constant,
            textured,
            reads_textures: textured
                || source.normal_texture.is_some()
                || source.emission_texture.is_some(),
            emission,
            absorption,
            has_alpha: source.alpha_mode != AlphaMode::Opaque
                && (source.alpha < 1.0 || source.base_color_texture.is_some()),
            emissive: emission.max_element() > 0.0,
            has_inside: constant.transmission > 0.0 && !source.thin_walled,
            transmits: constant.transmission > 0.0 || constant.diffuse_transmission > 0.0,
            source: source.clone(),
        }
    }

    /// What it was made from.
    pub(crate) fn source(&self) -> &Material {
        &self.source
    }

    /// The index in the scene's texture list of the image of a use.
    pub(crate) fn texture_index(&self, use_: &TextureRef) -> usize {
        self.first_texture + use_.image as usize
    }

    /// Principled inputs where no texture is.
    pub(crate) fn constant(&self) -> &SurfaceValues {
        &self.constant
    }

    fn texture<'a>(&self, textures: &'a [Texture], use_: &TextureRef) -> Option<&'a Texture> {
        textures.get(self.first_texture + use_.image as usize)
    }

    fn look(
        &self,
        textures: &[Texture],
        use_: Option<&TextureRef>,
        at: &SurfaceCoordinates,
        reading: Reading,
    ) -> Option<glam::Vec4> {
        let use_ = use_?;
        let uv = at.uv[(use_.uv_set as usize).min(1)];
        Some(self.texture(textures, use_)?.lookup(uv, use_, reading))
    }

    /// Principled inputs at a point.
    #[inline]
    pub fn values(&self, textures: &[Texture], at: &SurfaceCoordinates) -> SurfaceValues {
        let mut values = self.constant;
        values.base_color *= at.color;
        if !self.textured {
            return values;
        }
        let source = &self.source;
        if let Some(t) = self.look(
            textures,
            source.base_color_texture.as_ref(),
            at,
            Reading::Srgb,
        ) {
            values.base_color *= t.truncate();
        }
        if let Some(t) = self.look(
            textures,
            source.metallic_roughness_texture.as_ref(),
            at,
            Reading::Data,
        ) {
            values.roughness *= t.y;
            values.metallic *= t.z;
        }
        if let Some(t) = self.look(
            textures,
            source.specular_texture.as_ref(),
            at,
            Reading::Data,
        ) {
            values.specular *= t.w;
        }
        if let Some(t) = self.look(
            textures,
            source.transmission_texture.as_ref(),
            at,
            Reading::Data,
        ) {
            values.transmission *= t.x;
        }
        if let Some(t) = self.look(textures, source.coat_texture.as_ref(), at, Reading::Data) {
            values.coat *= t.x;
        }
        if let Some(t) = self.look(
            textures,
            source.coat_roughness_texture.as_ref(),
            at,
            Reading::Data,
        ) {
            values.coat_roughness *= t.y;
        }
        values
    }

    /// Presence 0..=1 at a point: mask mode is already a yes or no.
    #[inline]
    pub fn alpha(&self, textures: &[Texture], at: &SurfaceCoordinates) -> f32 {
        let drawn = || {
            let texture = self.look(
                textures,
                self.source.base_color_texture.as_ref(),
                at,
                Reading::Srgb,
            );
            (self.source.alpha * at.alpha * texture.map_or(1.0, |t| t.w)).clamp(0.0, 1.0)
        };
        match self.source.alpha_mode {
            AlphaMode::Opaque => 1.0,
            AlphaMode::Mask(cutoff) => f32::from(drawn() >= cutoff),
            AlphaMode::Blend => drawn(),
        }
    }

    /// Nothing of it is present anywhere, whatever its texture holds.
    pub fn is_absent(&self) -> bool {
        self.source.alpha <= 0.0
            && match self.source.alpha_mode {
                AlphaMode::Opaque => false,
                AlphaMode::Mask(cutoff) => cutoff > 0.0,
                AlphaMode::Blend => true,
            }
    }

    /// Emitted radiance at a point.
    #[inline]
    pub fn emission(&self, textures: &[Texture], at: &SurfaceCoordinates) -> Vec3 {
        if !self.emissive {
            return Vec3::ZERO;
        }
        match self.look(
            textures,
            self.source.emission_texture.as_ref(),
            at,
            Reading::Srgb,
        ) {
            Some(t) => self.emission * t.truncate(),
            None => self.emission,
        }
    }

    /// Emission factor without texture, for light selection.
    pub fn emission_estimate(&self) -> Vec3 {
        self.emission
    }

    /// Tangent-space normal at a point, when the material has a map.
    #[inline]
    pub fn tangent_normal(
        &self,
        textures: &[Texture],
        at: &SurfaceCoordinates,
    ) -> Option<(Vec3, u32)> {
        let use_ = self.source.normal_texture.as_ref()?;
        let t = self.look(textures, Some(use_), at, Reading::Data)?;
        let x = (t.x * 2.0 - 1.0) * self.source.normal_scale;
        let y = (t.y * 2.0 - 1.0) * self.source.normal_scale;
        // Blender's strength: below 1 it also moves z towards the plain normal.
        let z = 1.0 + (t.z * 2.0 - 2.0) * self.source.normal_scale.clamp(0.0, 1.0);
        let z = z.max(1e-3);
        let normal = Vec3::new(x, y, z);
        (sqr(x) + sqr(y) > 0.0).then(|| (normal.normalize_or(Vec3::Z), use_.uv_set.min(1)))
    }
}
