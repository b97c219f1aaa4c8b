//! Pictures in one address space of 32-bit words, which the device spreads over pages: 8-bit colours as
//! they are, float colours with a shared exponent, tables of the environment.

use diorama_assets::Pixels;

use crate::scene::StaticScene;

/// Bits of each colour of a float texel.
const MANTISSA_BITS: i32 = 18;

/// All pictures of a scene.
pub(crate) struct Texels {
    /// Words, a multiple of four.
    pub(crate) words: Vec<u32>,
    /// Where each texture of the scene begins.
    pub(crate) first_of_texture: Vec<u32>,
    /// Of the environment's map.
    pub(crate) environment: Option<EnvironmentTexels>,
}

/// Where the parts of the environment's map are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentTexels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) texels: u32,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
}

impl Texels {
    /// Of a scene.
    pub(crate) fn new(scene: &StaticScene) -> Self {
        let mut words = Vec::new();
        let mut first_of_texture = Vec::new();
        for texture in &scene.textures {
            align(&mut words);
            first_of_texture.push(words.len() as u32);
            match texture.pixels() {
                Pixels::Rgba8(values) => {
                    words.extend(values.iter().map(|v| u32::from_le_bytes(*v)));
                }
                Pixels::RgbF32(values) => words.extend(values.iter().flat_map(|v| pack(*v))),
            }
        }
        let environment = scene.environment.map_tables().map(|map| {
            align(&mut words);
            let texels = words.len() as u32;
            words.extend(map.pixels.iter().flat_map(|v| pack(*v)));
            let rows = words.len() as u32;
            words.extend(map.rows.iter().map(|x| x.to_bits()));
            let columns = words.len() as u32;
            words.extend(map.columns.iter().map(|x| x.to_bits()));
            EnvironmentTexels {
                width: map.width,
                height: map.height,
                texels,
                rows,
                columns,
            }
        });
        align(&mut words);
        Self {
            words,
            first_of_texture,
            environment,
        }
    }
}

/// Ends an element of 16 bytes: no float texel lies across two.
fn align(words: &mut Vec<u32>) {
    words.resize(words.len().next_multiple_of(4), 0);
}

/// A colour with one exponent for its channels, 18 bits each: off by 2⁻¹⁸ of the largest channel at
/// most. What is not a positive number is 0.
fn pack(color: [f32; 3]) -> [u32; 2] {
    let clean = color.map(|x| if x > 0.0 { x.min(f32::MAX) } else { 0.0 });
    let largest = clean[0].max(clean[1]).max(clean[2]);
    // Biased exponent of the largest channel, whose mantissa then has its upper bit set.
    let mut exponent = (largest.to_bits() >> 23).max(1);
    let quantise = |exponent: u32| {
        let scale = f64::from(f32::from_bits(exponent << 23)) / f64::from(1 << (MANTISSA_BITS - 1));
        clean.map(|x| (f64::from(x) / scale).round() as u32)
    };
    let mut mantissas = quantise(exponent);
    if mantissas.iter().any(|m| *m >= 1 << MANTISSA_BITS) {
        if exponent < 254 {
            exponent += 1;
            mantissas = quantise(exponent);
        } else {
            mantissas = mantissas.map(|m| m.min((1 << MANTISSA_BITS) - 1));
        }
    }
    let [r, g, b] = mantissas;
    [r | g << 18, g >> 14 | b << 4 | exponent << 24]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As textures.wgsl does.
    fn unpack([low, high]: [u32; 2]) -> [f32; 3] {
        let scale = f32::from_bits((high >> 24) << 23) * (1.0 / 131072.0);
        [
            low & 0x3ffff,
            low >> 18 | (high & 0xf) << 14,
            high >> 4 & 0x3ffff,
        ]
        .map(|m| m as f32 * scale)
    }

    #[test]
    fn colours_survive_packing() {
        for color in [
            [0.0, 0.0, 0.0],
            [1.0, 0.5, 0.25],
            [0.123_456, 7.89, 1e-3],
            [65504.0, 3e6, 12.0],
            [0.999_999_9, 0.1, 0.2],
            [1e-20, 2e-21, 0.0],
        ] {
            let found = unpack(pack(color));
            let largest = color.iter().copied().fold(0.0, f32::max);
            for (a, b) in color.iter().zip(found) {
                assert!((a - b).abs() <= largest / 250_000.0, "{color:?} {found:?}");
            }
        }
        assert_eq!(unpack(pack([-1.0, f32::NAN, 2.0])), [0.0, 0.0, 2.0]);
    }
}
