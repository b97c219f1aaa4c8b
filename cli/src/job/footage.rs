//! Frames and depth of other people's videos, as a clip needs them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diorama_flow::{CONTEXT, Clip, Luma, Thumbnail};
use diorama_video::{
    DepthMaps, Fit, ReadFormat, ReadOptions, VideoError, VideoFrame, VideoReader, probe,
};

use crate::args::{ClipRule, DepthKind};
use crate::exit::UserError;
use crate::plan::TrackChoices;

/// The public tool's `--crop`, pixels.
const CROP: [f64; 2] = [576.0, 384.0];
/// Shapes of depth and video may differ by this share: sizes are rounded.
const SHAPE_TOLERANCE: f64 = 0.02;

/// A clip, and where it is from.
#[derive(Debug)]
pub(super) struct Footage {
    /// At the size of the dataset.
    pub(super) clip: Clip,
    /// Of the source that is shown.
    pub(super) fit: Fit,
    /// Width and height of the source, pixels.
    pub(super) source_resolution: [u32; 2],
    /// Frame of the source that is the clip's first.
    pub(super) first_frame: u64,
    /// Frames of the source per frame of the clip.
    pub(super) frame_step: u64,
    /// Frames of the source before the clip, up to [`CONTEXT`]; none where frames are left out.
    pub(super) before: Vec<Thumbnail>,
    /// The same after it.
    pub(super) after: Vec<Thumbnail>,
}

/// What [`Footages::next_clip`] came to.
#[derive(Debug)]
pub(super) enum NextClip {
    /// The clip.
    Here(Footage),
    /// One that was not wanted.
    PassedOver,
    /// There is no whole one left.
    End,
}

/// One frame of a video.
enum Pulled {
    /// At the size of the dataset.
    Shown(Vec<u8>),
    PassedOver,
    End,
}

/// The clips of one video, one after another.
pub(super) struct Footages<'a> {
    path: &'a Path,
    choices: &'a TrackChoices,
    reader: VideoReader,
    /// Of the source, next to be decoded.
    next: u64,
    step: u64,
    fit: Option<(Fit, [u32; 2])>,
    is_over: bool,
    /// Frames that were decoded to see what comes after a clip, at the size of the dataset.
    ahead: VecDeque<Vec<u8>>,
    /// What stopped that, to be said when the next clip needs it.
    stopped: Option<VideoError>,
    /// The last frames before `next`.
    behind: VecDeque<Thumbnail>,
}

impl<'a> Footages<'a> {
    /// Starts to decode. `frames`: how many the video has, where that is known; else it is asked.
    pub(super) fn open(
        path: &'a Path,
        choices: &'a TrackChoices,
        frames: Option<u64>,
    ) -> Result<Self, VideoError> {
        let options = ReadOptions::default();
        let step = if choices.clip == ClipRule::Stride {
            // The trainer's own rule for longer videos: range(0, N, N // F)[:F].
            let frames = match frames {
                Some(frames) => frames,
                None => probe(path, &options)?.frames,
            };
            (frames / u64::from(choices.video_length)).max(1)
        } else {
            1
        };
        Ok(Self {
            path,
            choices,
            reader: VideoReader::open(path, ReadFormat::Rgb8, &options)?,
            next: 0,
            step,
            fit: None,
            is_over: false,
            ahead: VecDeque::new(),
            stopped: None,
            behind: VecDeque::new(),
        })
    }

    /// The next clip, or only past it where it is not `wanted`.
    pub(super) fn next_clip(&mut self, wanted: bool) -> Result<NextClip, VideoError> {
        let length = self.choices.video_length as usize;
        if self.is_over {
            return Ok(NextClip::End);
        }
        let first_frame = self.next;
        let before: Vec<Thumbnail> = self.behind.iter().cloned().collect();
        let mut frames = Vec::new();
        let mut taken = 0;
        while taken < length {
            let is_ours = (self.next - first_frame).is_multiple_of(self.step);
            // Of a clip that is not wanted the last frames are what comes before the next.
            let is_near = self.choices.clip == ClipRule::All && taken + CONTEXT >= length;
            let frame = match self.pull((wanted && is_ours) || is_near)? {
                Pulled::Shown(frame) => Some(frame),
                Pulled::PassedOver => None,
                Pulled::End => {
                    self.is_over = true;
                    return Ok(NextClip::End);
                }
            };
            self.next += 1;
            taken += usize::from(is_ours);
            if is_near && let Some(frame) = &frame {
                let thumbnail = self.thumbnail(frame);
                self.behind.push_back(thumbnail);
                if self.behind.len() > CONTEXT {
                    self.behind.pop_front();
                }
            }
            if wanted && is_ours {
                frames.extend(frame);
            }
        }
        self.is_over = self.choices.clip != ClipRule::All;
        // Known since the first frame that was kept.
        let Some((fit, source_resolution)) = self.fit.filter(|_| wanted) else {
            return Ok(NextClip::PassedOver);
        };
        let after = self.look_ahead();
        Ok(NextClip::Here(Footage {
            before,
            after,
            clip: Clip {
                width: self.choices.width,
                height: self.choices.height,
                frames,
            },
            fit,
            source_resolution,
            first_frame,
            frame_step: self.step,
        }))
    }

    /// The next frame, at the size of the dataset where it is `shown`.
    fn pull(&mut self, shown: bool) -> Result<Pulled, VideoError> {
        if let Some(frame) = self.ahead.pop_front() {
            return Ok(Pulled::Shown(frame));
        }
        if let Some(error) = self.stopped.take() {
            return Err(error);
        }
        Ok(match self.reader.next().transpose()? {
            None => Pulled::End,
            Some(frame) if shown => Pulled::Shown(self.fitted(&frame)?),
            Some(_) => Pulled::PassedOver,
        })
    }

    /// What comes after the clip. A file that is damaged there is no fault of the clip's.
    fn look_ahead(&mut self) -> Vec<Thumbnail> {
        while self.step == 1 && self.ahead.len() < CONTEXT && self.stopped.is_none() {
            let next = self.reader.next().transpose();
            match next.and_then(|frame| frame.map(|frame| self.fitted(&frame)).transpose()) {
                Ok(Some(frame)) => self.ahead.push_back(frame),
                Ok(None) => break,
                Err(error) => self.stopped = Some(error),
            }
        }
        self.ahead
            .iter()
            .map(|frame| self.thumbnail(frame))
            .collect()
    }

    fn thumbnail(&self, frame: &[u8]) -> Thumbnail {
        let [width, height] = [self.choices.width, self.choices.height].map(|side| side as usize);
        Thumbnail::of(&Luma::of_rgb(width, height, frame))
    }

    /// Are frames left out?
    pub(super) fn is_spread(&self) -> bool {
        self.step > 1
    }

    /// Frames decoded so far.
    pub(super) fn decoded(&self) -> u64 {
        self.next
    }

    fn fitted(&mut self, frame: &VideoFrame) -> Result<Vec<u8>, VideoError> {
        let choices = self.choices;
        let source = [frame.width, frame.height];
        let (fit, size) = *self.fit.get_or_insert_with(|| {
            let crop = choices
                .crop
                .then(|| CROP.map(|side| side * choices.crop_factor));
            (
                Fit::cover(source, crop, [choices.width, choices.height]),
                source,
            )
        });
        fit.apply(frame).ok_or_else(|| VideoError::NotVideo {
            path: self.path.to_owned(),
            reason: format!(
                "its frames change from {}x{} to {}x{}",
                size[0], size[1], source[0], source[1]
            ),
        })
    }
}

/// Depth of points of a clip.
pub(super) enum Depth {
    /// By the plane.
    Prior,
    /// Of somebody's files.
    Given {
        /// Frame by frame of the source.
        maps: DepthMaps,
        /// Name of the file or folder.
        name: String,
        /// What the numbers are.
        kind: DepthKind,
        /// Metres that 1 is.
        scale: f64,
    },
}

/// 1/z of the prior at the top and at the bottom of the picture, 1/m.
const PRIOR: [f64; 2] = [0.05, 1.0];
/// Nearest and farthest that a depth is held to, metres.
const DEPTH_RANGE: [f64; 2] = [1e-3, 1e6];

impl Depth {
    /// What `--depth` has for the video `path`.
    pub(super) fn open(given: Option<&Path>, path: &Path, choices: &TrackChoices) -> Result<Self> {
        let Some(given) = given else {
            return Ok(Self::Prior);
        };
        let file = depth_of(given, path)?;
        let is_png = |file: &Path| {
            file.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("png"))
        };
        let has_png = || {
            let mut entries = std::fs::read_dir(&file)
                .ok()
                .into_iter()
                .flatten()
                .flatten();
            entries.any(|entry| is_png(&entry.path()))
        };
        let millimetres = is_png(&file) || (file.is_dir() && has_png());
        Ok(Self::Given {
            maps: DepthMaps::open(&file)?,
            name: file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            kind: choices.depth_kind,
            scale: match choices.depth_scale {
                0.0 if millimetres && choices.depth_kind == DepthKind::Depth => 1e-3,
                0.0 => 1.0,
                given => given,
            },
        })
    }

    /// In words, for sample.json.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Prior => format!(
                "prior: a plane, 1/z from {} 1/m in the picture's top row to {} 1/m in its bottom row",
                PRIOR[0], PRIOR[1]
            ),
            Self::Given {
                name, kind, scale, ..
            } => match kind {
                DepthKind::Depth => format!("file {name}: depth, 1 is {scale} m"),
                DepthKind::Inverse => format!("file {name}: inverse depth, 1 is {scale} 1/m"),
            },
        }
    }

    /// Depths of frame `frame` of `footage` at shares of its source; NaN where none is known. The prior
    /// knows the frame of the queries only: how points move says nothing about it.
    ///
    /// # Errors
    /// A file that has no such frame or another shape than the video.
    pub(super) fn at(
        &mut self,
        footage: &Footage,
        frame: u64,
        places: &[[f64; 2]],
    ) -> Result<Vec<f64>> {
        let (maps, kind, scale) = match self {
            Self::Prior => {
                let height = f64::from(footage.clip.height);
                let inverse =
                    |place: &[f64; 2]| PRIOR[0] + (PRIOR[1] - PRIOR[0]) * place[1] / height;
                return Ok(places.iter().map(|place| 1.0 / inverse(place)).collect());
            }
            Self::Given {
                maps, kind, scale, ..
            } => (maps, *kind, *scale),
        };
        let map = maps.frame(footage.first_frame + frame * footage.frame_step)?;
        let ratio = |[w, h]: [u32; 2]| f64::from(w) / f64::from(h);
        let shape = ratio([map.width, map.height]);
        let clip = [footage.clip.width, footage.clip.height];
        let is_like = |size: [u32; 2]| (shape / ratio(size) - 1.0).abs() <= SHAPE_TOLERANCE;
        // Depth of the frames as they are shown is at hand for those who made it from the dataset.
        let is_cropped = [map.width, map.height] == clip;
        if !is_cropped && !is_like(footage.source_resolution) {
            let [w, h] = footage.source_resolution;
            return Err(UserError::new(format!(
                "its depth is {}x{}, the video {w}x{h}",
                map.width, map.height
            ))
            .hint("depth has the shape of the whole picture, or the size of the dataset's videos")
            .into());
        }
        Ok(places
            .iter()
            .map(|place| {
                let share = if is_cropped {
                    [place[0] / f64::from(clip[0]), place[1] / f64::from(clip[1])]
                } else {
                    footage.fit.share_of_source(*place)
                };
                let value = f64::from(map.at(share)) * scale;
                let depth = match kind {
                    DepthKind::Depth => value,
                    DepthKind::Inverse => 1.0 / value,
                };
                // 0 is how depth cameras say that they know nothing; of inverse depth it is infinity.
                if depth > 0.0 {
                    depth.clamp(DEPTH_RANGE[0], DEPTH_RANGE[1])
                } else {
                    f64::NAN
                }
            })
            .collect())
    }
}

/// The file or folder of depth of one video.
fn depth_of(given: &Path, video: &Path) -> Result<PathBuf, UserError> {
    let stem = video.file_stem().unwrap_or_default();
    for ending in ["", ".npy", ".png", ".exr"] {
        let mut name = stem.to_os_string();
        name.push(ending);
        let file = given.join(name);
        if file.exists() {
            return Ok(file);
        }
    }
    // The files of one video itself.
    let is_own = given.is_file() || given.file_name() == Some(stem);
    if is_own || !has_folders_or_arrays(given) {
        return Ok(given.to_owned());
    }
    Err(UserError::new(format!(
        "{} has no depth for {}",
        given.display(),
        video.display()
    ))
    .hint(
        "name it as the video: <name>.npy, <name>.png, <name>.exr, or a folder <name>/ of frames",
    ))
}

/// Does a folder hold depth by the names of videos, rather than the frames of one?
fn has_folders_or_arrays(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder)
        .ok()
        .into_iter()
        .flatten()
        .flatten();
    let mut names = entries.map(|entry| entry.path());
    names.any(|path| {
        path.is_dir()
            || path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("npy"))
    })
}
