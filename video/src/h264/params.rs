//! Sequence and picture parameter sets (7.3.2.1, 7.3.2.2, annex E).

use crate::bits::{BitReader, BitWriter, nal_from_rbsp, rbsp_from_nal};
use crate::mp4::colour_tags;
use crate::rate::FrameRate;

/// NAL unit header of a sequence parameter set.
const SPS_HEADER: u8 = 0x67;
/// NAL unit header of a picture parameter set.
const PPS_HEADER: u8 = 0x68;

/// Quantiser of the mask stream. At 28 the scale of a lone luma DC coefficient (8.5.10) is 256, so that a level
/// of 1 is exactly one grey level in each of the 256 pixels.
const MASK_QUANTISER: i32 = 28;

/// Level number, most macroblocks per frame, most per second (table A-1, from 3.0 on).
const LEVELS: [(u8, u32, u64); 10] = [
    (30, 1620, 40_500),
    (31, 3600, 108_000),
    (32, 5120, 216_000),
    (40, 8192, 245_760),
    (42, 8704, 522_240),
    (50, 22_080, 589_824),
    (51, 36_864, 983_040),
    (52, 36_864, 2_073_600),
    (60, 139_264, 4_177_920),
    (62, 139_264, 16_711_680),
];

/// The shape of a mask stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskStream {
    /// Pixels, even.
    pub(crate) width: u32,
    /// Pixels, even.
    pub(crate) height: u32,
    /// Constant.
    pub(crate) rate: FrameRate,
}

impl MaskStream {
    /// Macroblocks across.
    pub(crate) fn columns(&self) -> u32 {
        self.width.div_ceil(16)
    }

    /// Macroblocks down.
    pub(crate) fn rows(&self) -> u32 {
        self.height.div_ceil(16)
    }

    /// The lowest level (annex A) for this size and rate; bit rate is not looked at.
    fn level(&self) -> u8 {
        let (columns, rows) = (self.columns(), self.rows());
        let blocks = columns * rows;
        let per_second = (f64::from(blocks) * self.rate.fps()).ceil() as u64;
        LEVELS
            .iter()
            .find(|&&(_, most, most_per_second)| {
                let longest_side_squared = 8 * most;
                blocks <= most
                    && per_second <= most_per_second
                    && columns * columns <= longest_side_squared
                    && rows * rows <= longest_side_squared
            })
            .map_or(62, |&(level, ..)| level)
    }

    /// Sequence parameter set: Constrained Baseline, one reference frame, output in decoding order, cropped to size.
    pub(crate) fn sps(&self) -> Vec<u8> {
        let mut b = BitWriter::default();
        b.bits(66, 8); // Baseline …
        b.bits(0b1100_0000, 8); // … constrained: Main decoders read it too
        b.bits(u32::from(self.level()), 8);
        b.ue(0); // id
        b.ue(0); // frame numbers of 4 bits
        b.ue(2); // output order is decoding order
        b.ue(1); // reference frames
        b.flag(false); // no gaps in frame numbers
        b.ue(self.columns() - 1);
        b.ue(self.rows() - 1);
        b.flag(true); // frames, not fields
        b.flag(true); // direct 8×8 inference
        let crop_right = (self.columns() * 16 - self.width) / 2;
        let crop_bottom = (self.rows() * 16 - self.height) / 2;
        b.flag(crop_right + crop_bottom > 0);
        if crop_right + crop_bottom > 0 {
            for offset in [0, crop_right, 0, crop_bottom] {
                b.ue(offset);
            }
        }
        b.flag(true); // video usability information follows
        b.flag(false); // aspect ratio: square by default
        b.flag(false); // overscan
        b.flag(true); // video signal type
        b.bits(5, 3); // format unspecified
        b.flag(false); // limited range
        b.flag(true); // colour description
        for tag in [
            colour_tags::PRIMARIES,
            colour_tags::TRANSFER,
            colour_tags::MATRIX,
        ] {
            b.bits(u32::from(tag), 8);
        }
        b.flag(false); // chroma location: there is no chroma to locate
        b.flag(false); // timing: the container has it
        b.flag(false); // NAL HRD
        b.flag(false); // VCL HRD
        b.flag(false); // picture structure
        b.flag(true); // bitstream restriction
        b.flag(true); // motion over picture edges
        for value in [0, 0, 16, 16] {
            b.ue(value); // no limits on bytes per picture and bits per macroblock; motion range
        }
        b.ue(0); // frames reordered: a decoder may output each at once
        b.ue(1); // frames buffered
        nal_from_rbsp(SPS_HEADER, &b.finish_rbsp())
    }

    /// Picture parameter set: CAVLC, one slice group, the quantiser, deblocking chosen per slice.
    pub(crate) fn pps() -> Vec<u8> {
        let mut b = BitWriter::default();
        b.ue(0); // id
        b.ue(0); // of this sequence parameter set
        b.flag(false); // CAVLC
        b.flag(false); // no picture order in slices
        b.ue(0); // one slice group
        b.ue(0); // one reference
        b.ue(0);
        b.flag(false); // no weighted prediction
        b.bits(0, 2);
        b.se(MASK_QUANTISER - 26);
        b.se(0);
        b.se(0); // chroma quantiser offset
        b.flag(true); // slices say how to deblock
        b.flag(false); // intra prediction from inter blocks allowed
        b.flag(false); // no redundant pictures
        nal_from_rbsp(PPS_HEADER, &b.finish_rbsp())
    }
}

/// A sequence parameter set that also says that colour samples lie in the middle of their 2×2 pixels
/// (chroma_sample_loc_type 1), where [`crate::colour`] takes them. `None` if `sps` has no video usability
/// information, has a scaling matrix, or is damaged.
pub(crate) fn with_centred_chroma(sps: &[u8]) -> Option<Vec<u8>> {
    let rbsp = rbsp_from_nal(sps);
    let mut reader = BitReader::new(&rbsp);
    let flag_at = chroma_location_flag(&mut reader)?;
    // Copy up to the flag, put in the flag and its two values, copy the rest up to the stop bit.
    let stop_bit_at = rbsp
        .iter()
        .rposition(|&byte| byte != 0)
        .map(|at| at * 8 + 7 - rbsp[at].trailing_zeros() as usize)?;
    let mut out = BitWriter::default();
    let mut copy = BitReader::new(&rbsp);
    for _ in 0..flag_at {
        out.flag(copy.flag()?);
    }
    if copy.flag()? {
        return None;
    }
    out.flag(true);
    out.ue(1); // top field
    out.ue(1); // bottom field
    while copy.position() < stop_bit_at {
        out.flag(copy.flag()?);
    }
    Some(nal_from_rbsp(*sps.first()?, &out.finish_rbsp()))
}

/// Position of chroma_loc_info_present_flag in the payload of a sequence parameter set.
fn chroma_location_flag(b: &mut BitReader<'_>) -> Option<usize> {
    let profile = b.bits(8)?;
    b.bits(16)?; // constraints and level
    b.ue()?; // id
    if [100, 110, 122, 244, 44, 83, 86, 118, 128].contains(&profile) {
        if b.ue()? == 3 {
            b.flag()?;
        }
        b.ue()?;
        b.ue()?;
        b.flag()?;
        if b.flag()? {
            return None;
        }
    }
    b.ue()?; // frame number length
    match b.ue()? {
        0 => {
            b.ue()?;
        }
        2 => {}
        _ => return None,
    }
    b.ue()?; // references
    b.flag()?;
    b.ue()?;
    b.ue()?;
    if !b.flag()? {
        b.flag()?;
    }
    b.flag()?;
    if b.flag()? {
        for _ in 0..4 {
            b.ue()?;
        }
    }
    if !b.flag()? {
        return None;
    }
    if b.flag()? && b.bits(8)? == 255 {
        b.bits(32)?; // sample aspect ratio
    }
    if b.flag()? {
        b.flag()?; // overscan
    }
    if b.flag()? {
        b.bits(4)?; // format, range
        if b.flag()? {
            b.bits(24)?; // colour
        }
    }
    Some(b.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(width: u32, height: u32, fps: f64) -> MaskStream {
        MaskStream {
            width,
            height,
            rate: FrameRate::from_fps(fps).unwrap(),
        }
    }

    #[test]
    fn the_level_grows_with_size_and_rate() {
        assert_eq!(stream(256, 256, 16.0).level(), 30);
        assert_eq!(stream(1280, 720, 30.0).level(), 31);
        assert_eq!(stream(1920, 1080, 30.0).level(), 40);
        assert_eq!(stream(3840, 2160, 30.0).level(), 51);
        assert_eq!(stream(16_384, 16, 1.0).level(), 60);
    }

    #[test]
    fn chroma_location_is_put_in_and_nothing_else_moves() {
        for (width, height) in [(256, 256), (250, 198), (1920, 1080)] {
            let plain = stream(width, height, 16.0).sps();
            let centred = with_centred_chroma(&plain).unwrap();
            let (a, b) = (rbsp_from_nal(&plain), rbsp_from_nal(&centred));
            let at = chroma_location_flag(&mut BitReader::new(&a)).unwrap();
            let (mut old, mut new) = (BitReader::new(&a), BitReader::new(&b));
            for _ in 0..at {
                assert_eq!(old.flag(), new.flag());
            }
            assert_eq!(old.flag(), Some(false));
            assert_eq!(
                (new.flag(), new.ue(), new.ue()),
                (Some(true), Some(1), Some(1))
            );
            let bits_left = a.len() * 8 - old.position() - 8;
            for _ in 0..bits_left {
                assert_eq!(old.flag(), new.flag());
            }
            // Twice is refused, so that nothing is tagged by accident.
            assert_eq!(with_centred_chroma(&centred), None);
        }
    }

    #[test]
    fn a_cut_parameter_set_is_none() {
        let whole = stream(250, 198, 16.0).sps();
        for cut in 0..whole.len() - 8 {
            assert_eq!(with_centred_chroma(&whole[..cut]), None);
        }
    }
}
