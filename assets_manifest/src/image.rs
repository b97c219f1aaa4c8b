//! Decoded pictures, as textures use them.

/// How stored values map to linear Rec.709.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorSpace {
    /// sRGB-encoded colour (base colour, emission).
    Srgb,
    /// Data or already linear colour (roughness, normals, HDR).
    Linear,
}

/// Pixel storage, row-major, top row first.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// 8 bits per channel, always four channels.
    Rgba8(Vec<[u8; 4]>),
    /// Linear floats, three channels.
    RgbF32(Vec<[f32; 3]>),
}

/// One picture of at least 1×1 pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// File or generator it came from; for messages only.
    pub name: String,
    /// Width in pixels, ≥ 1.
    pub width: u32,
    /// Height in pixels, ≥ 1.
    pub height: u32,
    /// Row-major, top row first, `width * height` long.
    pub pixels: Pixels,
}
