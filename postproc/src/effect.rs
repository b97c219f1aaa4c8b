//! The effect of the removed objects: everything that full and removed do not share.
//!
//! Exact: `effect = full − removed` in linear radiance, f32, before exposure (negative in shadows).
//! To look at: [`picture`] and [`mask`], both from the finished 8-bit frames.

use diorama_synth::frame::{Frame, Plane};
use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::tuple::Tuple;

/// A pixel has a visible effect when some channel of the finished frames differs by more than this.
pub const MASK_THRESHOLD: u8 = 4;
/// Factor of the display difference in [`picture`].
pub const PICTURE_GAIN: i32 = 2;
/// Grey that stands for no difference in [`picture`].
pub const PICTURE_ZERO: i32 = 128;

/// `full − removed`, linear radiance.
pub fn effect(full: &Plane<Vec3>, removed: &Plane<Vec3>) -> Vec<Vec3> {
    full.data
        .iter()
        .zip(&removed.data)
        .map(|(full, removed)| *full - *removed)
        .collect()
}

/// A picture of the effect, RGB: per channel `clamp(128 + 2 · (full − removed), 0, 255)` of the
/// finished 8-bit frames. Grey: no difference; darker: the removed objects darken (shadows);
/// brighter: they brighten (their own light, reflections, caustics).
pub fn picture(full: &Plane<[u8; 3]>, removed: &Plane<[u8; 3]>) -> Vec<u8> {
    full.data
        .iter()
        .flatten()
        .zip(removed.data.iter().flatten())
        .map(|(full, removed)| {
            let difference = i32::from(*full) - i32::from(*removed);
            (PICTURE_ZERO + PICTURE_GAIN * difference).clamp(0, 255) as u8
        })
        .collect()
}

/// 255 where some channel of the finished frames differs by more than [`MASK_THRESHOLD`], else 0.
pub fn mask(full: &Plane<[u8; 3]>, removed: &Plane<[u8; 3]>) -> Vec<u8> {
    full.data
        .iter()
        .zip(&removed.data)
        .map(|(full, removed)| {
            let seen = full
                .iter()
                .zip(removed)
                .any(|(a, b)| a.abs_diff(*b) > MASK_THRESHOLD);
            if seen { 255 } else { 0 }
        })
        .collect()
}

/// full | mask | removed side by side, RGB, three times as wide.
pub fn side_by_side(full: &Plane<[u8; 3]>, mask: &[u8], removed: &Plane<[u8; 3]>) -> Vec<u8> {
    let width = full.width as usize;
    let mut out = Vec::with_capacity(mask.len() * 9);
    for row in 0..full.height as usize {
        let line = row * width..(row + 1) * width;
        out.extend(full.data[line.clone()].iter().flatten());
        out.extend(mask[line.clone()].iter().flat_map(|value| [*value; 3]));
        out.extend(removed.data[line].iter().flatten());
    }
    out
}

/// How much of one frame the removed objects change. Shares are of all pixels, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectAreas {
    /// Remove region of the mask.
    pub mask_share: f64,
    /// Pixels whose radiance is untouched: equal bit for bit in both worlds.
    pub untouched_share: f64,
    /// Pixels of `effect_mask` (display difference above 4).
    pub effect_share: f64,
    /// The part of `effect_share` outside the remove region: shadows, reflections, indirect light.
    pub effect_outside_mask_share: f64,
    /// Pixels whose exposed linear effect is above 0 but below 1/255 in every channel.
    pub faint_share: f64,
    /// Box of `effect_mask`, `[x_min, y_min, x_max, y_max)` in pixels; null: no effect seen.
    pub effect_box: Option<[u32; 4]>,
}

impl EffectAreas {
    /// Measures one frame. `mask` and `effect_mask` are those of the tuple; `exposure_factor` is
    /// 2^EV of the clip.
    pub fn measure(
        frame: &Frame,
        tuple: &Tuple,
        mask: &[u8],
        effect_mask: &[u8],
        exposure_factor: f32,
    ) -> Self {
        let (full, removed) = (&frame.worlds[0], &frame.worlds[tuple.world]);
        let pixels = mask.len().max(1) as f64;
        let share = |n: usize| n as f64 / pixels;
        let faint = full
            .radiance
            .data
            .iter()
            .zip(&removed.radiance.data)
            .filter(|(full, removed)| {
                let strongest = ((**full - **removed) * exposure_factor).abs().max_element();
                strongest > 0.0 && strongest < 1.0 / 255.0
            })
            .count();
        Self {
            mask_share: share(count(mask, |v| v == crate::mask::REMOVE)),
            untouched_share: share(count(&removed.touched.data, |t| t == 0)),
            effect_share: share(count(effect_mask, |v| v != 0)),
            effect_outside_mask_share: share(
                effect_mask
                    .iter()
                    .zip(mask)
                    .filter(|(effect, mask)| **effect != 0 && **mask != crate::mask::REMOVE)
                    .count(),
            ),
            faint_share: share(faint),
            effect_box: box_of(effect_mask, full.display.width, |v| v != 0),
        }
    }
}

/// How many of the values `is` picks.
pub fn count<T: Copy>(values: &[T], is: impl Fn(T) -> bool) -> usize {
    values.iter().filter(|value| is(**value)).count()
}

/// Smallest box around the pixels that `is` picks, `[x_min, y_min, x_max, y_max)`.
pub fn box_of<T: Copy>(values: &[T], width: u32, is: impl Fn(T) -> bool) -> Option<[u32; 4]> {
    let mut found: Option<[u32; 4]> = None;
    for (index, value) in values.iter().enumerate() {
        if is(*value) {
            let (x, y) = (index as u32 % width, index as u32 / width);
            let b = found.get_or_insert([x, y, x + 1, y + 1]);
            *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1), b[3].max(y + 1)];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::{MaskOptions, REMOVE};
    use crate::testing;

    #[test]
    fn removed_plus_effect_is_full() {
        let shot = testing::two_tuple_shot();
        let frame = testing::frame(&shot, 0);
        let (full, removed) = (&frame.worlds[0].radiance, &frame.worlds[1].radiance);
        let effect = effect(full, removed);
        for ((full, removed), effect) in full.data.iter().zip(&removed.data).zip(&effect) {
            assert_eq!(*full - *removed, *effect);
        }
    }

    #[test]
    fn the_picture_is_grey_where_nothing_differs_and_follows_its_formula() {
        let plane = |values: [[u8; 3]; 2]| Plane {
            width: 2,
            height: 1,
            data: values.to_vec(),
        };
        let full = plane([[10, 20, 30], [200, 90, 0]]);
        let removed = plane([[10, 20, 30], [100, 100, 255]]);
        assert_eq!(picture(&full, &removed), [128, 128, 128, 255, 108, 0]);
        assert_eq!(mask(&full, &removed), [0, 255]);
        let at_threshold = plane([[14, 20, 30], [200, 90, 5]]);
        assert_eq!(mask(&full, &at_threshold), [0, 255]);
    }

    #[test]
    fn the_tuple_is_full_mask_removed_row_by_row() {
        let full = Plane {
            width: 1,
            height: 2,
            data: vec![[1, 2, 3], [4, 5, 6]],
        };
        let removed = Plane {
            width: 1,
            height: 2,
            data: vec![[7, 8, 9], [10, 11, 12]],
        };
        assert_eq!(
            side_by_side(&full, &[0, 255], &removed),
            [
                1, 2, 3, 0, 0, 0, 7, 8, 9, 4, 5, 6, 255, 255, 255, 10, 11, 12
            ]
        );
    }

    #[test]
    fn areas_add_up() {
        let shot = testing::two_tuple_shot();
        let frame = testing::frame(&shot, 0);
        let tuple = &Tuple::all(&shot).unwrap()[0];
        let mask_values = crate::mask::mask(&frame, tuple, &MaskOptions::default());
        let seen = mask(&frame.worlds[0].display, &frame.worlds[1].display);
        let areas = EffectAreas::measure(&frame, tuple, &mask_values, &seen, 1.0);
        let inside = mask_values
            .iter()
            .zip(&seen)
            .filter(|(m, e)| **m == REMOVE && **e != 0);
        let pixels = f64::from(shot.resolution[0] * shot.resolution[1]);
        assert_eq!(
            areas.effect_share,
            areas.effect_outside_mask_share + inside.count() as f64 / pixels
        );
        assert!(
            areas.effect_outside_mask_share > 0.0,
            "the ball has a shadow"
        );
        assert!(areas.untouched_share > 0.5 && areas.untouched_share < 1.0);
        assert!(areas.effect_box.is_some());
    }
}
