//! Colour videos.

use std::path::Path;

use crate::clip::Clip;
use crate::colour::Yuv420;
use crate::error::VideoError;
use crate::ffmpeg::{EncodeProcess, Tools};
use crate::h264::with_centred_chroma;
use crate::mp4::TrackFormat;
use crate::openh264::{LARGEST_SIDES, LibraryError, Openh264, SMALLEST_SIDE, Settings};
use crate::rate::FrameRate;
use crate::size;

/// Quantiser of a video that stands alone.
///
/// 80 noise-free frames of 256×256 take 0.36 MB (still) to 0.85 MB (panning). Most of what separates a decoded frame from
/// its original (1.5 levels in the mean in OpenCV, decord, PyAV, mediapy) is there at any quantiser: 4:2:0 itself, and a
/// darkening by one level in the fast conversion those readers share.
pub const DEFAULT_QP: u8 = 6;

/// Quantiser at which a decoded pair keeps to its limits (away from touched pixels a mean difference of at most
/// 0.5 levels, 3 at the 99th percentile) whatever the content.
///
/// What is touched changes how blocks anywhere else are predicted, and each prediction rounds differently. Measured where
/// no block of the two videos is coded alike: mean 1.1 levels at 6, 0.7 at 4, 0.6 at 3, 0.36 at 2, where steps of 0.8
/// mostly round to the same 8 bits. Of twenty real pairs the worst frame has 0.68 at 6 and 0.42 at 3. 80 noise-free frames
/// of 256×256 take 0.54 MB (still) to 1.5 MB (panning).
pub const PAIR_QP: u8 = 2;

/// Who turns frames into a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Encoder {
    /// OpenH264, built in: nothing to install, the same bytes everywhere.
    #[default]
    Embedded,
    /// An ffmpeg process: x264, NVENC, FFV1, … Bytes depend on its version.
    Ffmpeg {
        /// Arguments for the output, such as `-c:v libx264 -crf 12`; none: libx264 at the constant quantiser.
        /// It gets the same 4:2:0 as the built-in encoder unless a `-pix_fmt` asks for more:
        /// `-c:v ffv1 -pix_fmt gbrp` into an .mkv file loses nothing.
        args: Vec<String>,
        /// The program; none: `$FFMPEG`, then PATH.
        program: Option<std::path::PathBuf>,
    },
}

/// The shape of a colour video and how it is coded.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorVideoOptions {
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Frames per second, constant: 16, 24000/1001, …
    pub fps: f64,
    /// H.264 quantiser of every block of every frame, 0..=51 (default [`DEFAULT_QP`]). Each 6 more double the
    /// step: smaller files, more noise.
    pub qp: u8,
    /// Default: built in.
    pub encoder: Encoder,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSummary {
    /// Frames in the file.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes sRGB frames into an H.264 4:2:0 MP4 file (limited range, BT.601 matrix, BT.709 primaries and
/// transfer, all tagged) with a constant quantiser and a key frame every 16 frames.
///
/// Frame types depend on the frame's number alone, so both videos of a pair have the same. Holds a few
/// frames, never a clip.
#[derive(Debug)]
pub struct ColorVideoWriter {
    /// Values of one frame.
    frame_len: usize,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Embedded(Box<Embedded>),
    Ffmpeg(Box<EncodeProcess>),
}

#[derive(Debug)]
struct Embedded {
    clip: Clip,
    settings: Settings,
    encoder: Openh264,
    picture: Yuv420,
}

impl ColorVideoWriter {
    /// Starts the file that will be `path`.
    pub fn create(path: &Path, options: &ColorVideoOptions) -> Result<Self, VideoError> {
        let rate = FrameRate::from_fps(options.fps).ok_or_else(|| VideoError::FrameRate {
            path: path.to_path_buf(),
            fps: options.fps,
        })?;
        if options.qp > 51 {
            return Err(VideoError::Quantiser {
                path: path.to_path_buf(),
                qp: options.qp,
            });
        }
        let settings = Settings {
            width: options.width,
            height: options.height,
            rate,
            qp: options.qp,
        };
        let way = match &options.encoder {
            Encoder::Embedded => Way::Embedded(Box::new(Embedded::create(path, settings)?)),
            Encoder::Ffmpeg { args, program } => {
                size::check(path, options.width, options.height)?;
                let tools = Tools::find(program.as_deref())?;
                Way::Ffmpeg(Box::new(EncodeProcess::start(
                    &tools, path, &settings, args,
                )?))
            }
        };
        Ok(Self {
            frame_len: options.width as usize * options.height as usize * 3,
            way,
        })
    }

    /// Appends one frame: width × height × 3 bytes of sRGB, row by row.
    pub fn push(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        match &mut self.way {
            Way::Embedded(embedded) => {
                embedded.clip.check_length(self.frame_len, rgb.len())?;
                embedded.push(rgb)
            }
            Way::Ffmpeg(process) => {
                process.check_length(self.frame_len, rgb.len())?;
                process.push(rgb)
            }
        }
    }

    /// Completes the file. Dropped without this, the writer leaves nothing.
    pub fn finish(self) -> Result<VideoSummary, VideoError> {
        match self.way {
            Way::Embedded(embedded) => embedded.finish(),
            Way::Ffmpeg(process) => process.finish(),
        }
    }
}

impl Embedded {
    fn create(path: &Path, settings: Settings) -> Result<Self, VideoError> {
        let (width, height) = (settings.width, settings.height);
        size::check_embedded(path, width, height, SMALLEST_SIDE, LARGEST_SIDES)?;
        let encoder = Openh264::new(&settings).map_err(|error| VideoError::Encoder {
            path: path.to_path_buf(),
            frame: 0,
            reason: error.to_string(),
        })?;
        Ok(Self {
            clip: Clip::create(path)?,
            settings,
            encoder,
            picture: Yuv420::new(width as usize, height as usize),
        })
    }

    fn push(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        self.picture.fill(rgb);
        let coded = self.encoder.encode(&self.picture);
        let frame = coded.map_err(|error| self.error(&error))?;
        self.clip.push(&frame)
    }

    fn finish(self) -> Result<VideoSummary, VideoError> {
        let Some((sps, pps)) = self.encoder.parameter_sets().cloned() else {
            let path = self.clip.path().to_path_buf();
            return Err(VideoError::NoFrames { path });
        };
        let sps =
            with_centred_chroma(&sps).ok_or_else(|| self.error(&LibraryError::ParameterSets))?;
        self.clip.finish(&TrackFormat {
            width: self.settings.width as u16,
            height: self.settings.height as u16,
            rate: self.settings.rate,
            sps,
            pps,
        })
    }

    fn error(&self, error: &LibraryError) -> VideoError {
        let (path, frame) = (self.clip.path().to_path_buf(), self.clip.frames());
        match error {
            LibraryError::TooDetailed => VideoError::TooDetailed { path, frame },
            _ => VideoError::Encoder {
                path,
                frame,
                reason: error.to_string(),
            },
        }
    }
}
