//! The MP4 container (ISO/IEC 14496-12 and -15), as much as one H.264 track needs: written frame by
//! frame, with no clock in it, and read back without a decoder.

mod index;
mod mux;

pub use index::Mp4Index;
pub(crate) use mux::{Mp4Writer, TrackFormat};

/// The two tags of one colour space that a decoder sees (H.264 VUI and the container's `colr` box), ISO/IEC 23091-2.
///
/// BT.601 matrix, BT.709 primaries and transfer, limited range: OpenCV ignores tags and takes BT.601,
/// the other readers follow them, so this is what all of them decode alike.
pub(crate) mod colour_tags {
    /// BT.709.
    pub(crate) const PRIMARIES: u8 = 1;
    /// BT.709.
    pub(crate) const TRANSFER: u8 = 1;
    /// SMPTE 170M, the matrix of BT.601.
    pub(crate) const MATRIX: u8 = 6;
}
