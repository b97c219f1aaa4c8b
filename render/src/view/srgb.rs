//! The sRGB transfer function (IEC 61966-2-1).

/// Encodes one linear value, 0..=1.
pub(super) fn srgb_from_linear(linear: f32) -> f32 {
    if linear <= 0.0031308 {
        12.92 * linear
    } else {
        1.055 * libm::powf(linear, 1.0 / 2.4) - 0.055
    }
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
