//! What the BSDF is made of at a point.

use glam::Vec3;

use crate::kernels::real::Real;
use crate::kernels::vector::Vector3;

/// Principled inputs at one point, textures already looked up, clamped to their ranges.
#[derive(Debug, Clone, Copy)]
pub struct SurfaceValues {
    /// Albedo, linear.
    pub base_color: Vec3,
    /// 0..1.
    pub metallic: f32,
    /// 0..1.
    pub roughness: f32,
    /// ≥ 1.
    pub ior: f32,
    /// Blender's level, 0.5 neutral.
    pub specular: f32,
    /// See material.
    pub specular_tint: Vec3,
    /// 0..1.
    pub transmission: f32,
    /// Refraction's own roughness; negative: as `roughness`.
    pub transmission_roughness: f32,
    /// See material.
    pub thin_walled: bool,
    /// 0..1.
    pub diffuse_transmission: f32,
    /// 0..1.
    pub coat: f32,
    /// 0..1.
    pub coat_roughness: f32,
    /// ≥ 1.
    pub coat_ior: f32,
    /// Colour.
    pub coat_tint: Vec3,
    /// Weight.
    pub sheen: f32,
    /// 0..1.
    pub sheen_roughness: f32,
    /// Colour.
    pub sheen_tint: Vec3,
}

/// A surface as it is seen, one for each lane.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Principled inputs.
    pub values: &'a SurfaceValues,
    /// Towards the viewer, world, unit.
    pub wo: Vec3,
    /// Shading normal, world, unit, on the viewer's side.
    pub normal: Vec3,
    /// The triangle's normal, world, unit, on the viewer's side.
    pub geometric_normal: Vec3,
    /// The viewer is outside.
    pub entering: bool,
}

/// [`Seen`] and its [`SurfaceValues`] by lanes; fields as there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<R: Real> {
    pub(super) base_color: Vector3<R>,
    pub(super) metallic: R,
    pub(super) roughness: R,
    pub(super) ior: R,
    pub(super) specular: R,
    pub(super) specular_tint: Vector3<R>,
    pub(super) transmission: R,
    pub(super) transmission_roughness: R,
    pub(super) thin_walled: R::Mask,
    pub(super) diffuse_transmission: R,
    pub(super) coat: R,
    pub(super) coat_roughness: R,
    pub(super) coat_ior: R,
    pub(super) coat_tint: Vector3<R>,
    pub(super) sheen: R,
    pub(super) sheen_roughness: R,
    pub(super) sheen_tint: Vector3<R>,
    pub(super) wo: Vector3<R>,
    pub(super) normal: Vector3<R>,
    pub(super) geometric_normal: Vector3<R>,
    pub(super) entering: R::Mask,
}

impl<R: Real> Inputs<R> {
    /// `seen(i)` in lane i.
    #[inline(always)]
    pub(super) fn from_lanes<'a>(token: R::Token, seen: impl Fn(usize) -> Seen<'a>) -> Self {
        macro_rules! gathered {
            ($kind:ident::$gather:ident($($field:ident).+)) => {
                $kind::$gather(
                    token,
                    #[inline(always)]
                    |i| seen(i).$($field).+,
                )
            };
        }
        Self {
            base_color: gathered!(Vector3::from_lanes(values.base_color)),
            metallic: gathered!(R::from_lanes(values.metallic)),
            roughness: gathered!(R::from_lanes(values.roughness)),
            ior: gathered!(R::from_lanes(values.ior)),
            specular: gathered!(R::from_lanes(values.specular)),
            specular_tint: gathered!(Vector3::from_lanes(values.specular_tint)),
            transmission: gathered!(R::from_lanes(values.transmission)),
            transmission_roughness: gathered!(R::from_lanes(values.transmission_roughness)),
            thin_walled: gathered!(R::mask_from_lanes(values.thin_walled)),
            diffuse_transmission: gathered!(R::from_lanes(values.diffuse_transmission)),
            coat: gathered!(R::from_lanes(values.coat)),
            coat_roughness: gathered!(R::from_lanes(values.coat_roughness)),
            coat_ior: gathered!(R::from_lanes(values.coat_ior)),
            coat_tint: gathered!(Vector3::from_lanes(values.coat_tint)),
            sheen: gathered!(R::from_lanes(values.sheen)),
            sheen_roughness: gathered!(R::from_lanes(values.sheen_roughness)),
            sheen_tint: gathered!(Vector3::from_lanes(values.sheen_tint)),
            wo: gathered!(Vector3::from_lanes(wo)),
            normal: gathered!(Vector3::from_lanes(normal)),
            geometric_normal: gathered!(Vector3::from_lanes(geometric_normal)),
            entering: gathered!(R::mask_from_lanes(entering)),
        }
    }
}
