//! What every sample has, rendered or filmed: a video, its tracking video, first frame, points, prompt.

use std::path::{Path, PathBuf};

use diorama_synth::frame::Plane;
use diorama_video::{ColorVideoOptions, ColorVideoWriter, Encoder, fsx, write_png_rgb8};

use super::place::{check_id, link_sample};
use super::record::{DasQuality, DasRecord};
use super::writer::FinishedDasSample;
use super::{SAMPLES, TRACKING_QP_LIMIT};
use crate::dataset::write_json;
use crate::error::{PostprocError, Result, fs_error};
use crate::sample::{BuildFolder, Layout, hash_files};
use crate::sample_json::Quality;
use crate::tracking::{PointState, TrackArrays, TracksWriter};

/// Shape of both videos, and how they are written.
#[derive(Debug, Clone)]
pub(super) struct PairOptions {
    /// Width and height, pixels.
    pub(super) resolution: [u32; 2],
    /// Frames per second of both files.
    pub(super) fps: f64,
    /// Of both.
    pub(super) frame_count: u32,
    /// Quantiser of the video.
    pub(super) qp: u8,
    /// Quantiser of the tracking video.
    pub(super) tracking_qp: u8,
    /// Encoder of both.
    pub(super) encoder: Encoder,
    /// Tracking pictures as PNG too.
    pub(super) tracking_lossless: bool,
    /// tracks.npz.
    pub(super) tracks: bool,
    /// tracks.npy.
    pub(super) das_tracks: bool,
}

/// A sample in the making. Dropped before [`PairWriter::finish`], it leaves nothing behind. Videos come
/// before `folder`, so that they are closed before it is removed.
#[derive(Debug)]
pub(super) struct PairWriter {
    id: String,
    options: PairOptions,
    video: ColorVideoWriter,
    tracking: ColorVideoWriter,
    tracks: Option<TracksWriter>,
    quality: DasQuality,
    next_frame: u32,
    folder: BuildFolder,
    dataset: PathBuf,
}

impl PairWriter {
    pub(super) fn new(dataset: &Path, id: &str, options: PairOptions) -> Result<Self> {
        check_id(id)?;
        if options.tracking_qp > TRACKING_QP_LIMIT {
            return Err(PostprocError::Option {
                option: "--tracking-qp",
                reason: format!(
                    "{} is above {TRACKING_QP_LIMIT}: colours would no longer say where points were",
                    options.tracking_qp
                ),
            });
        }
        let folder = BuildFolder::create(&dataset.join(SAMPLES), id)?;
        let path = folder.path();
        let video = |name: &str, qp: u8| {
            let video = ColorVideoOptions {
                width: options.resolution[0],
                height: options.resolution[1],
                fps: options.fps,
                qp,
                encoder: options.encoder.clone(),
            };
            ColorVideoWriter::create(&path.join(name), &video)
        };
        if options.tracking_lossless {
            let pictures = path.join("tracking");
            std::fs::create_dir(&pictures).map_err(fs_error("create", &pictures))?;
        }
        let wants_points = options.tracks || options.das_tracks;
        Ok(Self {
            id: id.to_owned(),
            video: video("video.mp4", options.qp)?,
            tracking: video("tracking.mp4", options.tracking_qp)?,
            tracks: wants_points
                .then(|| TracksWriter::create(path))
                .transpose()?,
            quality: DasQuality::default(),
            next_frame: 0,
            folder,
            dataset: dataset.to_owned(),
            options,
        })
    }

    /// Where files are written.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Number of the frame that comes next.
    pub(super) fn next_frame(&self) -> u32 {
        self.next_frame
    }

    /// Adds the next frame: RGB bytes, tracking picture, where the points are.
    pub(super) fn push(
        &mut self,
        rgb: &[u8],
        picture: &Plane<[u8; 3]>,
        states: &[PointState],
    ) -> Result<()> {
        let [width, height] = self.options.resolution;
        let folder = self.folder.path();
        if self.next_frame == 0 {
            write_png_rgb8(&folder.join("image.png"), width, height, rgb)?;
        }
        let tracking = picture.data.as_flattened();
        self.video.push(rgb)?;
        self.tracking.push(tracking)?;
        if self.options.tracking_lossless {
            let path = folder.join(format!("tracking/{:05}.png", self.next_frame));
            write_png_rgb8(&path, width, height, tracking)?;
        }
        if let Some(tracks) = &mut self.tracks {
            tracks.push(states)?;
        }
        self.measure(states, picture);
        self.next_frame += 1;
        Ok(())
    }

    fn measure(&mut self, states: &[PointState], picture: &Plane<[u8; 3]>) {
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        let visible = states.iter().filter(|state| state.is_visible).count();
        let coloured = picture.data.iter().filter(|c| **c != [0; 3]).count();
        let quality = &mut self.quality;
        quality.points = states.len() as u64;
        quality.visible_share_at_end = share(visible, states.len());
        quality.mean_visible_share += share(visible, states.len());
        quality.mean_coloured_share += share(coloured, picture.data.len());
    }

    /// Completes the sample, puts it in its place and gives its files their flat names. `prompt` becomes
    /// one line. `record` is told that line and the figures; sample.json goes last into the folder.
    pub(super) fn finish(
        self,
        prompt: &str,
        arrays: &TrackArrays<'_>,
        shot_quality: Quality,
        record: impl FnOnce(String, DasQuality) -> DasRecord,
    ) -> Result<FinishedDasSample> {
        let Self {
            id,
            options,
            video,
            tracking,
            tracks,
            mut quality,
            next_frame,
            folder,
            dataset,
        } = self;
        let wrong = |reason: String| PostprocError::Shot {
            id: id.clone(),
            reason,
        };
        if next_frame != options.frame_count {
            return Err(wrong(format!(
                "the clip ends at frame {next_frame} of {}",
                options.frame_count
            )));
        }
        let prompt = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        if prompt.is_empty() {
            // The loader drops blank lines, and pairs all later samples wrongly.
            return Err(wrong("its prompt is empty".into()));
        }
        video.finish()?;
        tracking.finish()?;
        let path = folder.path();
        if let Some(tracks) = tracks {
            let npy = path.join("tracks.npy");
            let npy = options.das_tracks.then_some(npy.as_path());
            let npz = path.join("tracks.npz");
            tracks.finish(&npz, npy, arrays)?;
            if !options.tracks {
                std::fs::remove_file(&npz).map_err(fs_error("remove", &npz))?;
            }
        }
        let frames = f64::from(options.frame_count);
        quality.mean_visible_share /= frames;
        quality.mean_coloured_share /= frames;
        let record = record(prompt, quality);
        fsx::write_atomic(
            &path.join("prompt.txt"),
            format!("{}\n", record.prompt).as_bytes(),
        )?;
        write_json(&path.join("sample.json"), &record)?;
        let files = hash_files(path)?;
        let folder = folder.put_in_place(Layout::Folders)?;
        link_sample(&dataset, &id)?;
        Ok(FinishedDasSample {
            id,
            folder,
            files,
            quality,
            shot_quality,
        })
    }
}
