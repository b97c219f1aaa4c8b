//! The sRGB transfer function (IEC 61966-2-1).

use std::sync::LazyLock;

/// Encodes one linear value, 0..=1.
pub(super) fn srgb_from_linear(linear: f32) -> f32 {
    if linear <= 0.0031308 {
        12.92 * linear
    } else {
        1.055 * libm::powf(linear, 1.0 / 2.4) - 0.055
    }
}

/// Linear value, 0..=1, from which on each level but 0 is shown, in ascending order.
static LEVEL_STARTS: LazyLock<[f32; 255]> = LazyLock::new(|| {
    std::array::from_fn(|below| {
        // Positive floats are ordered as their bits are.
        let (mut low, mut high) = (0, 1.0_f32.to_bits());
        while low < high {
            let middle = u32::midpoint(low, high);
            if super::level(srgb_from_linear(f32::from_bits(middle))) > below as u8 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        f32::from_bits(low)
    })
});

/// [`srgb_from_linear`] in 8 bits: a search among 255 numbers takes a tenth of a power's time.
pub(super) fn srgb_level_from_linear(linear: f32) -> u8 {
    LEVEL_STARTS.partition_point(|start| *start <= linear) as u8
}

/// Encodes a value stored as the power 1/2.4 of the linear one, 0..=1: the same curve, where its
/// long branch needs no power function.
pub(super) fn srgb_from_power_2_4(encoded: f32) -> f32 {
    // 0.0031308^(1/2.4)
    if encoded <= 0.090_47 {
        12.92 * libm::powf(encoded, 2.4)
    } else {
        1.055 * encoded - 0.055
    }
}
