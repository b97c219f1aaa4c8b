//! The mask of a tuple: 0 = remove, 255 = keep, 128 = background.
//!
//! Values are exact here and stay exact in the file (`diorama-video` writes lossless masks). Remove
//! wins over keep, keep over background. What is seen in a mirror or through glass carries the label
//! of the mirror or glass; a through-glass mask asks the second layer too, and the same order decides
//! between the glass and what is behind it: a removed vase is masked where a kept one shines through.

use std::str::FromStr;

use diorama_synth::frame::{Frame, Plane};
use serde::{Deserialize, Serialize};

use crate::tuple::{Fate, Tuple};

/// Mask value of what is taken out.
pub const REMOVE: u8 = 0;
/// Mask value of everything that is neither taken out nor foreground.
pub const BACKGROUND: u8 = 128;
/// Mask value of foreground that stays.
pub const KEEP: u8 = 255;

/// Which values a mask has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskMode {
    /// 0 remove, 128 background, 255 keep.
    #[default]
    Trimask,
    /// 0 remove, 255 everything else.
    Binary,
}

impl FromStr for MaskMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "trimask" => Ok(Self::Trimask),
            "binary" => Ok(Self::Binary),
            _ => Err(format!("`{text}` is not `trimask` or `binary`")),
        }
    }
}

/// What decides the role of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// The first surface at the label ray: pixel centre, lens centre, shutter centre.
    #[default]
    Centre,
    /// Coverage of a role by the RGB rays (soft edges, motion blur, depth of field) above this
    /// share, 0 ..< 1. Remove is asked first, then keep.
    Coverage(f32),
}

impl FromStr for MaskRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "centre" || text == "center" {
            return Ok(Self::Centre);
        }
        let threshold = match text.strip_prefix("coverage") {
            Some("") => Some(0.5),
            Some(rest) => rest.strip_prefix(':').and_then(|t| t.parse().ok()),
            None => None,
        };
        match threshold {
            Some(threshold) if (0.0..1.0).contains(&threshold) => Ok(Self::Coverage(threshold)),
            _ => Err(format!(
                "`{text}` is not `centre` or `coverage:T` with T from 0 to below 1"
            )),
        }
    }
}

impl std::fmt::Display for MaskRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Centre => f.write_str("centre"),
            Self::Coverage(threshold) => write!(f, "coverage:{threshold}"),
        }
    }
}

/// How masks are made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskOptions {
    /// Values.
    pub mode: MaskMode,
    /// Decision.
    pub rule: MaskRule,
    /// Radius, pixels, by which the remove region grows (a disc; 0: not at all).
    pub dilate_px: u32,
    /// What is seen through glass counts beside the glass; under the centre rule only.
    #[serde(default)]
    pub through_glass: bool,
}

/// The mask of one frame, row-major, `width * height` values.
///
/// Under the coverage rule the roles are the Shot's own; [`crate::SampleWriter`] refuses that rule
/// where the tuple's roles differ (several removed sets, counterfactual pairs).
pub fn mask(frame: &Frame, tuple: &Tuple, options: &MaskOptions) -> Vec<u8> {
    let instance = &frame.labels.instance;
    let mut values: Vec<u8> = match options.rule {
        MaskRule::Centre => {
            let value = |id| value_of(tuple.fate_of(id));
            let mut values = by_id(instance, value);
            if options.through_glass {
                let behind = by_id(&frame.labels.second.instance, value);
                for (value, behind) in values.iter_mut().zip(behind) {
                    *value = stronger(*value, behind);
                }
            }
            values
        }
        MaskRule::Coverage(threshold) => frame
            .coverage
            .data
            .iter()
            .map(|share| {
                if share.z > threshold {
                    REMOVE
                } else if share.y > threshold {
                    KEEP
                } else {
                    BACKGROUND
                }
            })
            .collect(),
    };
    dilate(
        &mut values,
        instance.width,
        instance.height,
        options.dilate_px,
    );
    if options.mode == MaskMode::Binary {
        for value in &mut values {
            if *value != REMOVE {
                *value = KEEP;
            }
        }
    }
    values
}

/// `value` of every pixel's id; ids come in runs, of which each is asked once.
fn by_id(ids: &Plane<u32>, value: impl Fn(u32) -> u8) -> Vec<u8> {
    let mut last = (0, BACKGROUND);
    ids.data
        .iter()
        .map(|&id| {
            if id != last.0 {
                last = (id, value(id));
            }
            last.1
        })
        .collect()
}

/// Remove wins over keep, keep over background.
fn stronger(a: u8, b: u8) -> u8 {
    [REMOVE, KEEP]
        .into_iter()
        .find(|value| a == *value || b == *value)
        .unwrap_or(BACKGROUND)
}

fn value_of(fate: Fate) -> u8 {
    match fate {
        Fate::Remove => REMOVE,
        Fate::Keep => KEEP,
        // A moved object is neither kept where it is nor taken out: the trainer must not copy it.
        Fate::Background | Fate::Moved | Fate::Twin | Fate::Elsewhere => BACKGROUND,
    }
}

/// Where kept objects are once the others are gone: 255 for foreground of the removed world (moved
/// objects at their new place), 128 elsewhere, in either mode.
pub fn mask_removed(frame: &Frame, tuple: &Tuple, options: &MaskOptions) -> Vec<u8> {
    let value = |id| match tuple.fate_of(id) {
        Fate::Keep | Fate::Twin => KEEP,
        _ => BACKGROUND,
    };
    let mut values = by_id(&frame.instance_of_world[tuple.world], value);
    if options.through_glass {
        let behind = by_id(&frame.second_instance_of_world[tuple.world], value);
        for (value, behind) in values.iter_mut().zip(behind) {
            *value = stronger(*value, behind);
        }
    }
    values
}

/// Grows the region of [`REMOVE`] by a disc of `radius` pixels: every pixel whose centre is at most
/// that far from a removed pixel's centre.
pub fn dilate(mask: &mut [u8], width: u32, height: u32, radius: u32) {
    if radius == 0 {
        return;
    }
    let near = within(mask, width, height, radius, |value| value == REMOVE);
    for (value, near) in mask.iter_mut().zip(near) {
        if near {
            *value = REMOVE;
        }
    }
}

/// Which pixels are at most `radius` pixels (between centres) from one that `is` set.
pub fn within<T: Copy>(
    values: &[T],
    width: u32,
    height: u32,
    radius: u32,
    is: impl Fn(T) -> bool,
) -> Vec<bool> {
    let (width, height) = (width as usize, height as usize);
    let reach = radius as usize;
    // Distance along the row to the nearest set pixel, cut off beyond the radius.
    let far = reach + 1;
    let mut along_row = vec![far; values.len()];
    for row in 0..height {
        let line = row * width..(row + 1) * width;
        let mut distance = far;
        for index in line.clone() {
            distance = if is(values[index]) {
                0
            } else {
                (distance + 1).min(far)
            };
            along_row[index] = distance;
        }
        distance = far;
        for index in line.rev() {
            distance = if is(values[index]) {
                0
            } else {
                (distance + 1).min(far)
            };
            along_row[index] = along_row[index].min(distance);
        }
    }
    (0..values.len())
        .map(|index| {
            let (column, row) = (index % width, index / width);
            let rows = row.saturating_sub(reach)..=(row + reach).min(height - 1);
            rows.into_iter().any(|other| {
                let dx = along_row[other * width + column];
                let dy = other.abs_diff(row);
                dx <= reach && dx * dx + dy * dy <= reach * reach
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn trimask_has_the_three_levels_of_the_roles() {
        let shot = testing::two_tuple_shot();
        let frame = testing::frame(&shot, 0);
        let tuples = Tuple::all(&shot).unwrap();
        let first = mask(&frame, &tuples[0], &MaskOptions::default());
        let second = mask(&frame, &tuples[1], &MaskOptions::default());
        for (index, id) in frame.labels.instance.data.iter().enumerate() {
            let expected = match id {
                2 => (REMOVE, KEEP),
                3 => (KEEP, REMOVE),
                4 => (KEEP, KEEP),
                _ => (BACKGROUND, BACKGROUND),
            };
            assert_eq!((first[index], second[index]), expected, "pixel {index}");
        }
        assert!(first.contains(&REMOVE) && first.contains(&KEEP));
    }

    #[test]
    fn binary_background_is_keep() {
        let shot = testing::two_tuple_shot();
        let frame = testing::frame(&shot, 0);
        let tuple = &Tuple::all(&shot).unwrap()[0];
        let options = MaskOptions {
            mode: MaskMode::Binary,
            ..MaskOptions::default()
        };
        let values = mask(&frame, tuple, &options);
        for (value, id) in values.iter().zip(&frame.labels.instance.data) {
            assert_eq!(*value, if *id == 2 { REMOVE } else { KEEP });
        }
    }

    #[test]
    fn through_glass_the_stronger_of_both_layers_counts() {
        let shot = testing::two_tuple_shot();
        let mut frame = testing::frame(&shot, 0);
        let tuple = &Tuple::all(&shot).unwrap()[0];
        // Floor, removed ball and kept cube, each as a pane before each.
        let ids = [1, 2, 3];
        for (i, first) in ids.into_iter().enumerate() {
            for (j, second) in ids.into_iter().enumerate() {
                frame.labels.instance.data[3 * i + j] = first;
                frame.labels.second.instance.data[3 * i + j] = second;
            }
        }
        let masked = |through_glass| {
            let options = MaskOptions {
                through_glass,
                ..MaskOptions::default()
            };
            mask(&frame, tuple, &options)
        };
        let [b, r, k] = [BACKGROUND, REMOVE, KEEP];
        assert_eq!(masked(false)[..9], [b, b, b, r, r, r, k, k, k]);
        assert_eq!(masked(true)[..9], [b, r, k, r, r, r, k, r, k]);
        assert_eq!(masked(true)[9..], masked(false)[9..]);
    }

    #[test]
    fn coverage_asks_remove_before_keep() {
        let shot = testing::two_tuple_shot();
        let mut frame = testing::frame(&shot, 0);
        let tuple = &Tuple::all(&shot).unwrap()[0];
        frame.coverage.data[0] = glam::Vec3::new(0.2, 0.4, 0.4);
        frame.coverage.data[1] = glam::Vec3::new(0.2, 0.7, 0.1);
        frame.coverage.data[2] = glam::Vec3::new(0.7, 0.15, 0.15);
        let options = MaskOptions {
            rule: "coverage:0.3".parse().unwrap(),
            ..MaskOptions::default()
        };
        let values = mask(&frame, tuple, &options);
        assert_eq!(values[..3], [REMOVE, KEEP, BACKGROUND]);
    }

    #[test]
    fn dilation_is_the_disc_of_its_radius() {
        let (width, height) = (31, 29);
        for radius in [1, 2, 5, 9] {
            let mut values = vec![KEEP; width * height];
            values[14 * width + 15] = REMOVE;
            values[2 * width] = REMOVE;
            dilate(&mut values, width as u32, height as u32, radius);
            for row in 0..height {
                for column in 0..width {
                    let reached = [(15, 14), (0usize, 2usize)].iter().any(|(x, y)| {
                        column.abs_diff(*x).pow(2) + row.abs_diff(*y).pow(2)
                            <= (radius * radius) as usize
                    });
                    assert_eq!(values[row * width + column] == REMOVE, reached);
                }
            }
        }
    }

    #[test]
    fn moved_objects_are_background_and_show_up_in_mask_removed() {
        let shot = testing::counterfactual_shot();
        let frame = testing::frame(&shot, 1);
        let tuple = &Tuple::all(&shot).unwrap()[0];
        let full = mask(&frame, tuple, &MaskOptions::default());
        for (value, id) in full.iter().zip(&frame.labels.instance.data) {
            assert_eq!(*value, if *id == 2 { REMOVE } else { BACKGROUND });
        }
        let after = mask_removed(&frame, tuple, &MaskOptions::default());
        for (value, id) in after.iter().zip(&frame.instance_of_world[1].data) {
            assert_eq!(*value, if *id == 4 { KEEP } else { BACKGROUND });
        }
        assert!(after.contains(&KEEP));
    }

    #[test]
    fn rules_are_read_as_the_command_line_writes_them() {
        assert_eq!("centre".parse(), Ok(MaskRule::Centre));
        assert_eq!("coverage".parse(), Ok(MaskRule::Coverage(0.5)));
        assert_eq!("coverage:0.25".parse(), Ok(MaskRule::Coverage(0.25)));
        for bad in [
            "coverage:1",
            "coverage:-0.1",
            "coverage:NaN",
            "coverage0.5",
            "soft",
        ] {
            assert!(bad.parse::<MaskRule>().is_err(), "{bad}");
        }
    }
}
