//! Light from infinitely far away.

use serde::{Deserialize, Serialize};

use crate::Image;

/// An equirectangular picture of incoming radiance, W/(m²·sr), linear Rec.709.
///
/// Row 0 is the zenith (+Z). Column direction follows Blender's equirectangular mapping:
/// a direction d has `u = 0.5 − atan2(d.y, d.x) / 2π` and `v = acos(d.z) / π` (v from the top).
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentMap {
    /// 2:1 picture with [`crate::Pixels::RgbF32`].
    pub image: Image,
    /// The sun, when it is kept out of the picture because it would be a few pixels wide.
    pub sun: Option<SunRecord>,
    /// What to call the light in a caption, e.g. `a clear evening sky`.
    pub description: String,
    /// True when the picture is a night scene (the exposure limits of a shot differ).
    pub night: bool,
}

/// A distant disc of constant radiance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SunRecord {
    /// Unit vector from the scene to the disc's centre.
    pub direction_to_sun: [f32; 3],
    /// Irradiance on a surface facing it, W/m², linear Rec.709.
    pub irradiance: [f32; 3],
    /// Full angle of the disc, radians; 0: a point.
    pub angular_diameter_rad: f32,
}
