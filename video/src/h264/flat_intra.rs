//! A macroblock of one value: Intra_16x16 prediction and, where that is off, one DC coefficient.

use super::luma::{Block, Luma};
use crate::bits::BitWriter;

/// Intra_16x16 prediction modes (table 8-4).
const VERTICAL: u32 = 0;
const HORIZONTAL: u32 = 1;
const DC: u32 = 2;

/// nC (9.2.1) from the coefficients that blocks of the neighbouring macroblocks count as, `None` outside the picture.
pub(super) fn context(left: Option<u32>, above: Option<u32>) -> u32 {
    match (left, above) {
        (Some(left), Some(above)) => (left + above).div_ceil(2),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0,
    }
}

/// Writes `macroblock` of `picture`, all of whose pixels are `value`.
///
/// `type_base`: what mb_type counts before the intra types, 0 in I slices and 5 in P slices (7.4.5).
pub(super) fn write(
    b: &mut BitWriter,
    picture: &Luma,
    macroblock: Block,
    value: u8,
    type_base: u32,
    context: u32,
) {
    let (mode, residual) = predict(picture, macroblock.x, macroblock.y, value);
    b.ue(type_base + 1 + mode); // no AC coefficients, no chroma coefficients
    b.ue(0); // chroma predicted by its mean, which is 128 everywhere
    b.se(0); // same quantiser
    write_lone_coefficient(b, residual, context);
}

/// The prediction mode that leaves the smallest constant residual.
fn predict(picture: &Luma, x: usize, y: usize, value: u8) -> (u32, i32) {
    let above = (y > 0).then(|| picture.row(x, y - 1, 16));
    let left: Option<[u8; 16]> =
        (x > 0).then(|| std::array::from_fn(|row| picture.at(x - 1, y + row)));
    if above.is_some_and(|row| row.iter().all(|&v| v == value)) {
        return (VERTICAL, 0);
    }
    if left.is_some_and(|column| column.iter().all(|&v| v == value)) {
        return (HORIZONTAL, 0);
    }
    let sum = |values: &[u8]| values.iter().map(|&v| i32::from(v)).sum::<i32>();
    let mean = match (above, left) {
        (Some(above), Some(left)) => (sum(above) + sum(&left) + 16) >> 5,
        (Some(only), None) => (sum(only) + 8) >> 4,
        (None, Some(only)) => (sum(&only) + 8) >> 4,
        (None, None) => 128,
    };
    (DC, i32::from(value) - mean)
}

/// residual_block_cavlc (7.3.5.3.2) of 16 coefficients of which only the first, `level`, may differ from 0.
///
/// `context` is nC: here 0, or 8 and more beside I_PCM, for which blocks count as full.
fn write_lone_coefficient(b: &mut BitWriter, level: i32, context: u32) {
    debug_assert!(context == 0 || context >= 8);
    let is_sparse = context == 0;
    // coeff_token, table 9-5, columns 0 <= nC < 2 and 8 <= nC.
    match (level.unsigned_abs(), is_sparse) {
        (0, true) => b.bits(0b1, 1),
        (0, false) => b.bits(0b00_0011, 6),
        (1, true) => b.bits(0b01, 2),
        (1, false) => b.bits(0b00_0001, 6),
        (_, true) => b.bits(0b00_0101, 6),
        (_, false) => b.bits(0b00_0000, 6),
    }
    match level.unsigned_abs() {
        0 => return,
        1 => b.flag(level < 0),
        magnitude => {
            // 9.2.2.1 with suffixLength 0; a first level above 1 is coded one smaller.
            let code = 2 * magnitude - 2 + u32::from(level < 0) - 2;
            match code {
                0..14 => b.bits(1, code + 1),
                14..30 => {
                    b.bits(1, 15);
                    b.bits(code - 14, 4);
                }
                _ => {
                    b.bits(1, 16);
                    b.bits(code - 30, 12);
                }
            }
        }
    }
    b.bits(1, 1); // total_zeros 0, table 9-7
}
