//! Frames to files and back: H.264 videos, lossless mask videos, PNG and EXR pictures, and the probing and
//! reading of other people's videos.
//!
//! Videos written by the built-in coders are the same bytes on every machine. Files appear complete or not
//! at all ([`fsx`]). Other people's files are opened by ffmpeg in a process of its own.

mod bits;
mod clip;
mod color_writer;
mod colour;
mod depth_file;
mod error;
mod exr_file;
mod ffmpeg;
mod fit;
pub mod fsx;
mod h264;
mod mask_writer;
mod mp4;
mod openh264;
mod png_file;
mod rate;
mod reader;
mod size;

pub use color_writer::{
    ColorVideoOptions, ColorVideoWriter, DEFAULT_QP, Encoder, PAIR_QP, VideoSummary,
};
pub use depth_file::{DepthMap, DepthMaps};
pub use error::VideoError;
pub use exr_file::{ExrLayer, ExrPicture, ExrSamples, write_exr};
pub use ffmpeg::Tools;
pub use fit::Fit;
pub use mask_writer::{MaskVideoOptions, MaskVideoWriter};
pub use mp4::Mp4Index;
pub use png_file::{whole_png_size, write_png_gray8, write_png_gray16, write_png_rgb8};
pub use rate::FrameRate;
pub use reader::{ReadFormat, ReadOptions, VideoFrame, VideoInfo, VideoReader, probe};
