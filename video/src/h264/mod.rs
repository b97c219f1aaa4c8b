//! What this crate writes of H.264 itself (ITU-T H.264, 08/2021): parameter sets, and a lossless coder for masks.

mod flat_intra;
mod luma;
mod mask;
mod motion;
mod params;

pub(crate) use mask::MaskCoder;
pub(crate) use params::{MaskStream, with_centred_chroma};

/// A frame as NAL units, each with its header byte and without start code.
#[derive(Debug)]
pub(crate) struct CodedFrame {
    /// In decoding order.
    pub(crate) nals: Vec<Vec<u8>>,
    /// Decodes alone.
    pub(crate) is_key: bool,
}

/// Frames from one key frame to the next, in every video written here.
pub(crate) const FRAMES_PER_KEY: u64 = 16;
