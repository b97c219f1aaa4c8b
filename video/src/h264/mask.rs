//! Masks without loss, in Constrained Baseline H.264 that any decoder reads back bit for bit.
//!
//! Four kinds of macroblock: skipped (as predicted from the previous frame), copied (motion without residual, in
//! pieces down to 4×4), flat (one value) and I_PCM (256 values written out). Deblocking is off, so nothing is
//! smoothed; chroma is 128 everywhere. What the decoder has is what came in, which makes this coder its own decoder.

use super::flat_intra;
use super::luma::{Block, Luma};
use super::motion::{Motion, MotionField, MotionSearch};
use super::{CodedFrame, FRAMES_PER_KEY, MaskStream};
use crate::bits::{BitWriter, nal_from_rbsp};

/// NAL unit header of a slice of a key frame.
const KEY_SLICE_HEADER: u8 = 0x65;
/// NAL unit header of a slice of another frame.
const SLICE_HEADER: u8 = 0x61;

/// What mb_type counts before the intra types in P slices (7.4.5).
const P_TYPES: u32 = 5;
/// I_PCM among the intra types.
const PCM_TYPE: u32 = 25;
/// P_8x8 among the P types.
const QUARTERS_TYPE: u32 = 3;

/// Coefficients that each block of an I_PCM macroblock counts as (9.2.1).
const PCM_COEFFICIENTS: u32 = 16;

/// Chroma of a grey.
const NEUTRAL: u8 = 128;

/// Shapes of the pieces of an 8×8 quarter, in the order of sub_mb_type (table 7-17): width and height.
const PIECES: [(usize, usize); 4] = [(8, 8), (8, 4), (4, 8), (4, 4)];

/// One 8×8 quarter of a macroblock, copied in pieces.
#[derive(Debug, Clone)]
struct Quarter {
    /// sub_mb_type: index into [`PIECES`].
    kind: usize,
    /// Where each piece comes from.
    motions: Vec<(Block, Motion)>,
    /// What is written of it: how each motion differs from its prediction.
    differences: Vec<Motion>,
}

impl Quarter {
    /// Bits it takes.
    fn cost(&self) -> u32 {
        let kind_bits = [1, 3, 3, 5][self.kind];
        let zero = Motion::default();
        kind_bits + self.differences.iter().map(|d| d.cost(zero)).sum::<u32>()
    }
}

/// Codes a mask frame by frame.
#[derive(Debug)]
pub(crate) struct MaskCoder {
    stream: MaskStream,
    current: Luma,
    previous: Luma,
    field: MotionField,
    frames: u64,
}

impl MaskCoder {
    pub(crate) fn new(stream: MaskStream) -> Self {
        let luma = Luma::new(stream.columns(), stream.rows());
        Self {
            field: MotionField::new(luma.width, luma.height),
            current: luma.clone(),
            previous: luma,
            stream,
            frames: 0,
        }
    }

    /// Codes `levels`: width × height full-range greys, row by row.
    pub(crate) fn encode(&mut self, levels: &[u8]) -> CodedFrame {
        std::mem::swap(&mut self.current, &mut self.previous);
        let (width, height) = (self.stream.width as usize, self.stream.height as usize);
        self.current.fill(levels, width, height);
        self.field.clear();
        let is_key = self.frames.is_multiple_of(FRAMES_PER_KEY);
        let mut slice = SliceCoder {
            bits: BitWriter::default(),
            is_key,
            current: &self.current,
            columns: self.stream.columns() as usize,
            field: &mut self.field,
            coefficients: vec![0; (self.stream.columns() * self.stream.rows()) as usize],
            search: MotionSearch::new(&self.current, &self.previous),
            skipped: 0,
        };
        slice.header(self.frames);
        for mb_y in 0..self.stream.rows() as usize {
            for mb_x in 0..self.stream.columns() as usize {
                slice.macroblock(mb_x, mb_y);
            }
        }
        let rbsp = slice.finish();
        self.frames += 1;
        let header = if is_key {
            KEY_SLICE_HEADER
        } else {
            SLICE_HEADER
        };
        CodedFrame {
            nals: vec![nal_from_rbsp(header, &rbsp)],
            is_key,
        }
    }
}

/// Codes the one slice of a frame.
struct SliceCoder<'a> {
    bits: BitWriter,
    is_key: bool,
    current: &'a Luma,
    /// Macroblocks across.
    columns: usize,
    field: &'a mut MotionField,
    /// Per macroblock: coefficients that each of its blocks counts as.
    coefficients: Vec<u32>,
    search: MotionSearch<'a>,
    /// Skipped macroblocks not yet written.
    skipped: u32,
}

impl SliceCoder<'_> {
    fn header(&mut self, frame: u64) {
        let b = &mut self.bits;
        b.ue(0); // first macroblock
        b.ue(if self.is_key { 7 } else { 5 }); // all I, all P
        b.ue(0); // picture parameter set
        b.bits((frame % FRAMES_PER_KEY) as u32, 4); // frame number
        if self.is_key {
            b.ue((frame / FRAMES_PER_KEY % 2) as u32); // neighbouring key frames differ
            b.flag(false); // earlier pictures are output
            b.flag(false); // not a long-term reference
        } else {
            b.flag(false); // number of references as in the picture parameter set
            b.flag(false); // their order too
            b.flag(false); // sliding window
        }
        b.se(0); // quantiser as in the picture parameter set
        b.ue(1); // no deblocking
    }

    fn finish(mut self) -> Vec<u8> {
        self.write_skipped();
        self.bits.finish_rbsp()
    }

    /// mb_skip_run, which stands before every macroblock of a P slice and at its end.
    fn write_skipped(&mut self) {
        if !self.is_key {
            self.bits.ue(self.skipped);
            self.skipped = 0;
        }
    }

    fn macroblock(&mut self, mb_x: usize, mb_y: usize) {
        let block = Block {
            x: mb_x * 16,
            y: mb_y * 16,
            width: 16,
            height: 16,
        };
        let flat = self.current.flat_value(block);
        if !self.is_key && self.inter(block, flat.is_some()) {
            return;
        }
        self.field.set_intra(block);
        self.write_skipped();
        let type_base = if self.is_key { 0 } else { P_TYPES };
        if let Some(value) = flat {
            let at = mb_y * self.columns + mb_x;
            let left = (mb_x > 0).then(|| self.coefficients[at - 1]);
            let above = (mb_y > 0).then(|| self.coefficients[at - self.columns]);
            flat_intra::write(
                &mut self.bits,
                self.current,
                block,
                value,
                type_base,
                flat_intra::context(left, above),
            );
        } else {
            self.pcm(block, type_base);
            self.coefficients[mb_y * self.columns + mb_x] = PCM_COEFFICIENTS;
        }
    }

    fn pcm(&mut self, block: Block, type_base: u32) {
        self.bits.ue(type_base + PCM_TYPE);
        self.bits.align_with_zeros();
        for row in 0..16 {
            self.bits
                .whole_bytes(self.current.row(block.x, block.y + row, 16));
        }
        self.bits.whole_bytes(&[NEUTRAL; 2 * 64]);
    }

    /// Writes the macroblock as a copy of the previous frame; false, and nothing written, where there is none.
    fn inter(&mut self, block: Block, is_flat: bool) -> bool {
        let skip = self.field.skip_motion(block);
        if self.search.matches(block, skip) {
            self.field.set(block, skip);
            self.skipped += 1;
            return true;
        }
        let predicted = self.field.predict(block);
        let whole = if is_flat {
            self.search.nearby(block, predicted)
        } else {
            self.search.find(block, predicted)
        };
        if let Some(motion) = whole {
            self.field.set(block, motion);
            self.search.used(motion);
            self.write_skipped();
            self.bits.ue(0); // P_L0_16x16
            self.write_difference(motion.minus(predicted));
            self.bits.ue(0); // no residual
            return true;
        }
        if is_flat {
            return false;
        }
        let mut quarters = Vec::with_capacity(4);
        for (x, y) in [(0, 0), (8, 0), (0, 8), (8, 8)] {
            let Some(quarter) = self.quarter(block.x + x, block.y + y) else {
                self.field.unset(block);
                return false;
            };
            for &(piece, motion) in &quarter.motions {
                self.field.set(piece, motion);
                self.search.used(motion);
            }
            quarters.push(quarter);
        }
        self.write_skipped();
        self.bits.ue(QUARTERS_TYPE);
        for quarter in &quarters {
            self.bits.ue(quarter.kind as u32);
        }
        for difference in quarters.iter().flat_map(|q| &q.differences) {
            self.write_difference(*difference);
        }
        self.bits.ue(0); // no residual
        true
    }

    /// mvd, in quarter pixels.
    fn write_difference(&mut self, difference: Motion) {
        self.bits.se(4 * difference.x);
        self.bits.se(4 * difference.y);
    }

    /// The cheapest way to copy the 8×8 quarter at (x, y), if there is one.
    fn quarter(&mut self, x: usize, y: usize) -> Option<Quarter> {
        let mut best: Option<Quarter> = None;
        for (kind, (width, height)) in PIECES.into_iter().enumerate() {
            // One motion that is cheap cannot be beaten by several.
            if best
                .as_ref()
                .is_some_and(|quarter| quarter.cost() <= 3 + kind as u32)
            {
                break;
            }
            let tried = self.quarter_in(x, y, kind, width, height);
            if let Some(quarter) = tried
                && best
                    .as_ref()
                    .is_none_or(|best| quarter.cost() < best.cost())
            {
                best = Some(quarter);
            }
        }
        best
    }

    /// The quarter in pieces of one shape. Leaves the motion field as it was.
    fn quarter_in(
        &mut self,
        x: usize,
        y: usize,
        kind: usize,
        width: usize,
        height: usize,
    ) -> Option<Quarter> {
        let mut quarter = Quarter {
            kind,
            motions: Vec::with_capacity(4),
            differences: Vec::with_capacity(4),
        };
        let mut is_found = true;
        'pieces: for row in (0..8).step_by(height) {
            for column in (0..8).step_by(width) {
                let piece = Block {
                    x: x + column,
                    y: y + row,
                    width,
                    height,
                };
                let predicted = self.field.predict(piece);
                let Some(motion) = self.search.find(piece, predicted) else {
                    is_found = false;
                    break 'pieces;
                };
                self.field.set(piece, motion);
                quarter.motions.push((piece, motion));
                quarter.differences.push(motion.minus(predicted));
            }
        }
        self.field.unset(Block {
            x,
            y,
            width: 8,
            height: 8,
        });
        is_found.then_some(quarter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::FrameRate;

    fn coder(width: u32, height: u32) -> MaskCoder {
        MaskCoder::new(MaskStream {
            width,
            height,
            rate: FrameRate::reduced(16, 1),
        })
    }

    #[test]
    fn an_unchanged_frame_takes_a_few_bytes() {
        let mut coder = coder(256, 256);
        let levels: Vec<u8> = (0..256 * 256)
            .map(|i| {
                if (i / 256 + i % 256) % 90 < 40 {
                    255
                } else {
                    128
                }
            })
            .collect();
        coder.encode(&levels);
        let second = coder.encode(&levels);
        assert!(!second.is_key);
        assert!(second.nals[0].len() < 12, "{} bytes", second.nals[0].len());
    }

    #[test]
    fn key_frames_come_every_sixteen() {
        let mut coder = coder(32, 32);
        for index in 0..40 {
            assert_eq!(coder.encode(&[128; 32 * 32]).is_key, index % 16 == 0);
        }
    }

    #[test]
    fn a_moved_disc_is_copied_not_written_out() {
        let mut coder = coder(256, 256);
        let disc = |centre: i32| -> Vec<u8> {
            (0..256 * 256)
                .map(|i| {
                    let (x, y) = (i % 256 - centre, i / 256 - 120);
                    if x * x + y * y < 60 * 60 { 0 } else { 128 }
                })
                .collect()
        };
        let first = coder.encode(&disc(100)).nals[0].len();
        let moved = coder.encode(&disc(103)).nals[0].len();
        assert!(moved < 1500, "{moved} bytes after a key frame of {first}");
    }
}
