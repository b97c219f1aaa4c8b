//! Other people's videos: what is in them, and their frames, always through ffmpeg in a process of its own.
//!
//! A codec that crashes, allocates without end or hangs takes down that process only. Playlists and network
//! addresses inside a file are not followed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::VideoError;
use crate::ffmpeg::{Process, Tools};

/// Containers that are opened. Playlists, image lists and devices are not among them.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,\
                          h264,hevc,ivf,mxf,nut,rm,dv,m4v,yuv4mpegpipe";

/// Largest single allocation of a child, bytes.
const LARGEST_ALLOCATION: &str = "1073741824";

/// Largest picture, pixels.
const LARGEST_PICTURE: u64 = 1 << 27;

/// Largest description that ffprobe may write, bytes.
const LARGEST_DESCRIPTION: u64 = 1 << 20;

/// Decoded frames that wait for the caller.
const FRAMES_AHEAD: usize = 2;

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// The ffmpeg program; none: `$FFMPEG`, then PATH.
    pub ffmpeg: Option<PathBuf>,
    /// How long nothing may come before the process is stopped (default 60 s).
    pub patience: Duration,
    /// Whether damage in the stream is an error (default), or decoding goes on as well as it can.
    pub strict: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            ffmpeg: None,
            patience: Duration::from_mins(1),
            strict: true,
        }
    }
}

/// What a video says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// Pixels as shown (after rotation).
    pub width: u32,
    /// Pixels as shown (after rotation).
    pub height: u32,
    /// Number of frames.
    pub frames: u64,
    /// True if the container did not state the number and packets were counted.
    pub frames_are_counted: bool,
    /// Frames per second, mean over the clip.
    pub fps: f64,
    /// Length in seconds.
    pub duration_secs: f64,
    /// ffmpeg's name of the codec, such as `h264`.
    pub codec: String,
    /// ffmpeg's name of the pixel format, such as `yuv420p`.
    pub pix_fmt: String,
    /// `tv` or `pc`, if stated.
    pub color_range: Option<String>,
    /// Matrix, such as `smpte170m`, if stated.
    pub color_space: Option<String>,
    /// Transfer, if stated.
    pub color_transfer: Option<String>,
    /// Primaries, if stated.
    pub color_primaries: Option<String>,
    /// Where colour samples lie, such as `left`, if stated.
    pub chroma_location: Option<String>,
    /// Degrees by which frames are turned for showing; frames read here are turned already.
    pub rotation_degrees: i32,
}

/// Asks ffprobe about the first video stream of the file at `path`.
pub fn probe(path: &Path, options: &ReadOptions) -> Result<VideoInfo, VideoError> {
    check_is_file(path)?;
    let tools = Tools::find(options.ffmpeg.as_deref())?;
    let mut stream = describe(&tools, path, options, false)?;
    let mut frames = number(stream.nb_frames.as_deref());
    let frames_are_counted = frames.is_none();
    if frames_are_counted {
        stream = describe(&tools, path, options, true)?;
        frames = number(stream.nb_read_packets.as_deref());
    }
    let not_video = |reason: &str| VideoError::NotVideo {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    };
    let frames = frames
        .filter(|&frames| frames > 0)
        .ok_or_else(|| not_video("it has no frame"))?;
    let (Some(width @ 1..), Some(height @ 1..)) = (stream.width, stream.height) else {
        return Err(not_video("it states no size"));
    };
    let stated_secs: Option<f64> = [&stream.duration, &stream.format_duration]
        .into_iter()
        .find_map(|text| text.as_ref()?.parse().ok())
        .filter(|secs: &f64| secs.is_finite() && *secs > 0.0);
    let fps = [&stream.avg_frame_rate, &stream.r_frame_rate]
        .into_iter()
        .find_map(|text| ratio(text.as_deref()?))
        .or_else(|| Some(frames as f64 / stated_secs?))
        .ok_or_else(|| not_video("it states no frame rate"))?;
    let rotation_degrees = stream
        .side_data_list
        .iter()
        .find_map(|data| data.rotation)
        .map_or(0, |degrees| degrees.round() as i32);
    let is_turned = rotation_degrees.rem_euclid(180) == 90;
    let (width, height) = if is_turned {
        (height, width)
    } else {
        (width, height)
    };
    Ok(VideoInfo {
        width,
        height,
        frames,
        frames_are_counted,
        fps,
        duration_secs: stated_secs.unwrap_or(frames as f64 / fps),
        codec: stream.codec_name.unwrap_or_default(),
        pix_fmt: stream.pix_fmt.unwrap_or_default(),
        color_range: stream.color_range,
        color_space: stream.color_space,
        color_transfer: stream.color_transfer,
        color_primaries: stream.color_primaries,
        chroma_location: stream.chroma_location,
        rotation_degrees,
    })
}

/// What ffprobe's JSON says of one stream; everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    pix_fmt: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    chroma_location: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    duration: Option<String>,
    nb_frames: Option<String>,
    nb_read_packets: Option<String>,
    side_data_list: Vec<SideData>,
    /// Filled in from the container.
    #[serde(skip)]
    format_duration: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Description {
    streams: Vec<Stream>,
    format: Container,
}

fn describe(
    tools: &Tools,
    path: &Path,
    options: &ReadOptions,
    count_packets: bool,
) -> Result<Stream, VideoError> {
    let mut command = Command::new(&tools.ffprobe);
    command.args(["-v", "error", "-max_alloc", LARGEST_ALLOCATION]);
    if count_packets {
        command.arg("-count_packets");
    }
    command
        .args(["-select_streams", "V:0", "-of", "json", "-show_entries"])
        .arg(
            "stream=codec_name,width,height,pix_fmt,color_range,color_space,color_transfer,color_primaries,\
             chroma_location,avg_frame_rate,r_frame_rate,duration,nb_frames,nb_read_packets:\
             stream_side_data=rotation:format=duration",
        )
        .args(input_arguments(path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut process = Process::spawn("ffprobe", path, command)?;
    let stdout = process.stdout();
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new()
        .name("ffprobe stdout".to_owned())
        .spawn(move || {
            let mut text = Vec::new();
            let read = stdout.map(|out| out.take(LARGEST_DESCRIPTION).read_to_end(&mut text));
            // The receiver is gone only when it stopped waiting.
            sender.send(read.transpose().map(|_| text)).ok();
        })
        .map_err(|source| VideoError::io("listen to", &tools.ffprobe, source))?;
    let text = match receiver.recv_timeout(options.patience) {
        Ok(text) => text.map_err(|source| VideoError::io("probe", path, source))?,
        Err(RecvTimeoutError::Timeout) => return Err(process.stalled(options.patience)),
        Err(RecvTimeoutError::Disconnected) => Vec::new(),
    };
    process.finish().map_err(damaged)?;
    let not_video = |reason: String| VideoError::NotVideo {
        path: path.to_path_buf(),
        reason,
    };
    let description: Description = serde_json::from_slice(&text)
        .map_err(|error| not_video(format!("ffprobe's answer is unreadable: {error}")))?;
    let duration = description.format.duration;
    let stream = description.streams.into_iter().next();
    let mut stream = stream.ok_or_else(|| not_video("it has no video stream".to_owned()))?;
    stream.format_duration = duration;
    Ok(stream)
}

/// A tool that refuses a file says that the file is no video.
fn damaged(error: VideoError) -> VideoError {
    match error {
        VideoError::Tool { path, message, .. } => VideoError::NotVideo {
            path,
            reason: message,
        },
        other => other,
    }
}

/// The file as input, with everything off that would open another.
fn input_arguments(path: &Path) -> Vec<std::ffi::OsString> {
    let mut url = std::ffi::OsString::from("file:");
    url.push(path);
    let mut all: Vec<std::ffi::OsString> = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        CONTAINERS,
        "-i",
    ]
    .into_iter()
    .map(Into::into)
    .collect();
    all.push(url);
    all
}

fn check_is_file(path: &Path) -> Result<(), VideoError> {
    let metadata = path
        .metadata()
        .map_err(|source| VideoError::io("open", path, source))?;
    let reason = if !metadata.is_file() {
        "it is not a file"
    } else if metadata.len() == 0 {
        "the file is empty"
    } else {
        return Ok(());
    };
    Err(VideoError::NotVideo {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    })
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// "24000/1001" as a number; `None` for "0/0" and the like.
fn ratio(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let value = numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

/// What frames are turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFormat {
    /// Three bytes per pixel.
    Rgb8,
    /// One full-range byte per pixel.
    Gray8,
}

impl ReadFormat {
    fn channels(self) -> usize {
        match self {
            Self::Rgb8 => 3,
            Self::Gray8 => 1,
        }
    }
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFrame {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width × height × channels`, row by row.
    pub data: Vec<u8>,
}

/// The frames of a video, one after another. Holds a few; the process is stopped when this is dropped.
#[derive(Debug)]
pub struct VideoReader {
    path: PathBuf,
    tools: Tools,
    format: ReadFormat,
    options: ReadOptions,
    /// `None` after the end or an error.
    running: Option<Decoder>,
    frames: u64,
}

/// A decoding process and what comes from it.
#[derive(Debug)]
struct Decoder {
    process: Process,
    pictures: Receiver<Result<VideoFrame, String>>,
    every_frame: EveryFrame,
}

/// How ffmpeg is told to give each frame once, whatever its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EveryFrame {
    /// Since 5.1.
    FpsMode,
    /// Until then.
    Vsync,
}

impl EveryFrame {
    fn option(self) -> &'static str {
        match self {
            Self::FpsMode => "-fps_mode",
            Self::Vsync => "-vsync",
        }
    }
}

impl VideoReader {
    /// Starts to decode the first video stream of the file at `path`.
    pub fn open(
        path: &Path,
        format: ReadFormat,
        options: &ReadOptions,
    ) -> Result<Self, VideoError> {
        check_is_file(path)?;
        let tools = Tools::find(options.ffmpeg.as_deref())?;
        let mut this = Self {
            path: path.to_path_buf(),
            tools,
            format,
            options: options.clone(),
            running: None,
            frames: 0,
        };
        this.running = Some(this.start(EveryFrame::FpsMode)?);
        Ok(this)
    }

    fn start(&self, every_frame: EveryFrame) -> Result<Decoder, VideoError> {
        // Netpbm frames state their own size, so that nothing has to be believed beforehand.
        let (codec, pix_fmt) = match self.format {
            ReadFormat::Rgb8 => ("ppm", "rgb24"),
            ReadFormat::Gray8 => ("pgm", "gray"),
        };
        let mut command = Command::new(&self.tools.ffmpeg);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
        command.args(["-max_alloc", LARGEST_ALLOCATION]);
        if self.options.strict {
            command.args(["-xerror", "-err_detect", "explode"]);
        }
        command
            .args(["-max_pixels", &LARGEST_PICTURE.to_string()])
            .args(input_arguments(&self.path))
            .args(["-map", "0:V:0", "-an", "-sn", "-dn"])
            .args([every_frame.option(), "passthrough"])
            // Its quick conversion cuts off what it should round: a level and a half too dark. Every pixel
            // takes the colour that is stored for it, as the quick one and most readers do.
            .args(["-sws_flags", "neighbor+accurate_rnd+full_chroma_int"])
            .args(["-f", "image2pipe", "-c:v", codec])
            .args(["-pix_fmt", pix_fmt, "pipe:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::spawn("ffmpeg", &self.path, command)?;
        let stdout = process.stdout();
        let channels = self.format.channels();
        let (sender, pictures) = sync_channel(FRAMES_AHEAD);
        std::thread::Builder::new()
            .name("ffmpeg stdout".to_owned())
            .spawn(move || {
                let Some(stdout) = stdout else { return };
                let mut stream = BufReader::with_capacity(1 << 16, stdout);
                while let Some(frame) = next_picture(&mut stream, channels).transpose() {
                    let is_last = frame.is_err();
                    if sender.send(frame).is_err() || is_last {
                        return;
                    }
                }
            })
            .map_err(|source| VideoError::io("listen to", &self.tools.ffmpeg, source))?;
        Ok(Decoder {
            process,
            pictures,
            every_frame,
        })
    }

    fn not_video(&self, reason: String) -> VideoError {
        VideoError::NotVideo {
            path: self.path.clone(),
            reason,
        }
    }
}

impl Iterator for VideoReader {
    type Item = Result<VideoFrame, VideoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let decoder = self.running.take()?;
        match decoder.pictures.recv_timeout(self.options.patience) {
            Ok(Ok(frame)) => {
                self.frames += 1;
                self.running = Some(decoder);
                Some(Ok(frame))
            }
            Ok(Err(reason)) => Some(Err(self.not_video(reason))),
            Err(RecvTimeoutError::Timeout) => {
                Some(Err(decoder.process.stalled(self.options.patience)))
            }
            Err(RecvTimeoutError::Disconnected) => match decoder.process.finish() {
                Err(VideoError::Tool { message, .. })
                    if decoder.every_frame == EveryFrame::FpsMode
                        && message.contains("fps_mode") =>
                {
                    match self.start(EveryFrame::Vsync) {
                        Ok(older) => {
                            self.running = Some(older);
                            self.next()
                        }
                        Err(error) => Some(Err(error)),
                    }
                }
                Err(error) => Some(Err(damaged(error))),
                Ok(()) if self.frames == 0 => {
                    Some(Err(self.not_video("it has no frame".to_owned())))
                }
                Ok(()) => None,
            },
        }
    }
}

/// The next binary Netpbm picture of a stream; `None` at its end.
fn next_picture(stream: &mut impl BufRead, channels: usize) -> Result<Option<VideoFrame>, String> {
    let cut = |error: std::io::Error| format!("its decoded frames are cut short: {error}");
    if stream.fill_buf().map_err(cut)?.is_empty() {
        return Ok(None);
    }
    // Kind, width, height, largest value; each ends with white space.
    let mut header = [0u64; 4];
    for (index, value) in header.iter_mut().enumerate() {
        let mut digits = 0;
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(cut)?;
            match byte[0] {
                b'P' if index == 0 && digits == 0 => {}
                digit @ b'0'..=b'9' if digits < 10 => {
                    *value = *value * 10 + u64::from(digit - b'0');
                }
                b' ' | b'\n' if digits > 0 => break,
                _ => return Err("its decoded frames are not Netpbm".to_owned()),
            }
            digits += 1;
        }
    }
    let [_, width, height, _] = header;
    if width == 0 || height == 0 || width * height > LARGEST_PICTURE {
        return Err(format!("its frames are {width}x{height}"));
    }
    let mut data = vec![0; (width * height) as usize * channels];
    stream.read_exact(&mut data).map_err(cut)?;
    Ok(Some(VideoFrame {
        width: width as u32,
        height: height as u32,
        data,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netpbm_frames_come_apart() {
        let stream = b"P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz";
        let mut stream = &stream[..];
        let first = next_picture(&mut stream, 3).unwrap().unwrap();
        assert_eq!(
            (first.width, first.height, &first.data[..]),
            (2, 1, &b"abcdef"[..])
        );
        let second = next_picture(&mut stream, 3).unwrap().unwrap();
        assert_eq!(second.data, b"xyz");
        assert!(next_picture(&mut stream, 3).unwrap().is_none());
    }

    #[test]
    fn damaged_netpbm_is_an_error() {
        for stream in [
            &b"P6\n2 1\n255\nabc"[..],
            b"P6\n0 1\n255\n",
            b"P6\n99999999 99999999\n255\n",
            b"P6\n123456789012 1\n255\n",
            b"\xff\xd8\xff",
            b"P6\n2",
        ] {
            let mut rest = stream;
            assert!(next_picture(&mut rest, 3).is_err(), "{stream:?}");
        }
    }

    #[test]
    fn ratios_that_are_no_rate_are_none() {
        assert_eq!(ratio("24000/1001"), Some(24000.0 / 1001.0));
        for text in ["0/0", "1/0", "0/1", "x", "-1/1"] {
            assert_eq!(ratio(text), None, "{text}");
        }
    }
}
