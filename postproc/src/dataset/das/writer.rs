//! [`DasSampleWriter`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diorama_synth::frame::{Frame, Plane};
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::Shot;
use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, DEFAULT_QP, Encoder, fsx, write_png_rgb8,
};

use super::place::{check_id, link_sample};
use super::record::{DasQuality, DasRecord, SCHEMA_VERSION};
use super::{SAMPLES, controls};
use crate::dataset::{DoneEntry, write_json};
use crate::error::{PostprocError, Result, fs_error};
use crate::sample::{BuildFolder, Layout, check_frame, hash_files};
use crate::sample_json::Quality;
use crate::tracking::{PointState, SurfaceVisibility, Tracker, TrackingOptions, TracksWriter};

/// Largest quantiser of a tracking video: colour is the signal.
///
/// Measured, built-in encoder, decoded by ffmpeg: das-dense away from colour edges (256×176, a scene of
/// three moving surfaces) is off by 1.02 levels in the mean and 3 at the 99th percentile, at 6 and at 10.
/// The dots of das (70×70 at 720×480, over the dots' own pixels) lose 11.8 levels in the mean and 95 at
/// the 99th percentile at any quantiser, 0 included: that is 4:2:0, whose colour samples mix a dot's border with
/// the black beside it.
pub const TRACKING_QP_LIMIT: u8 = 10;

/// What to write of a Shot, and how.
#[derive(Debug, Clone)]
pub struct DasSampleOptions {
    /// Tracking video and points.
    pub tracking: TrackingOptions,
    /// Quantiser of the video.
    pub qp: u8,
    /// Quantiser of the tracking video, at most [`TRACKING_QP_LIMIT`]. Default 6.
    pub tracking_qp: u8,
    /// Encoder of both videos.
    pub encoder: Encoder,
    /// Also keep the tracking pictures as PNG files: no video that trainers read keeps the colours of
    /// small dots (4:2:0 has one colour sample per 2×2 pixels), and the built-in encoder has no other.
    pub tracking_lossless: bool,
    /// Write tracks.npz (default).
    pub tracks: bool,
    /// Write tracks.npy as the public tools do.
    pub das_tracks: bool,
    /// Write first-frame controls.
    pub first_frame_controls: bool,
    /// Settings of the renderer that change pixels, for sample.json.
    pub render: BTreeMap<String, serde_json::Value>,
}

impl Default for DasSampleOptions {
    fn default() -> Self {
        Self {
            tracking: TrackingOptions::default(),
            qp: DEFAULT_QP,
            tracking_qp: DEFAULT_QP,
            encoder: Encoder::default(),
            tracking_lossless: false,
            tracks: true,
            das_tracks: false,
            first_frame_controls: false,
            render: BTreeMap::new(),
        }
    }
}

/// A sample that is complete and in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedDasSample {
    /// Sample id.
    pub id: String,
    /// `<dataset>/samples/<id>`.
    pub folder: PathBuf,
    /// blake3 of each file, hex, by path inside the folder.
    pub files: BTreeMap<String, String>,
    /// Figures.
    pub quality: DasQuality,
    /// Deepest penetration and contacts of the Shot, for the journal.
    pub shot_quality: Quality,
}

impl FinishedDasSample {
    /// Its line in the journal; to be pushed last.
    pub fn done_entry(
        self,
        seed: u64,
        backend: impl Into<String>,
        timings: BTreeMap<String, f64>,
    ) -> DoneEntry {
        DoneEntry {
            id: self.id,
            seed,
            backend: backend.into(),
            files: self.files,
            quality: self.shot_quality,
            timings,
        }
    }
}

/// Makes one sample from the Frames of a Shot. Dropped before [`DasSampleWriter::finish`], it leaves
/// nothing behind. Videos come before `folder`, so that they are closed before it is removed.
#[derive(Debug)]
pub struct DasSampleWriter {
    id: String,
    shot: Arc<Shot>,
    options: DasSampleOptions,
    tracker: Tracker,
    video: ColorVideoWriter,
    tracking: ColorVideoWriter,
    tracks: Option<TracksWriter>,
    quality: DasQuality,
    next_frame: u32,
    folder: BuildFolder,
    dataset: PathBuf,
}

impl DasSampleWriter {
    /// Starts sample `id` of the Shot of `geometry` in the dataset folder `dataset` (made if missing).
    ///
    /// # Errors
    /// When options are out of range or the folder cannot be written to.
    pub fn new(
        dataset: &Path,
        id: &str,
        geometry: ShotGeometry,
        options: &DasSampleOptions,
    ) -> Result<Self> {
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
        let shot = geometry.shot().clone();
        let wants_points = options.tracks || options.das_tracks;
        let tracker = Tracker::new(geometry, options.tracking, wants_points)?;
        let folder = BuildFolder::create(&dataset.join(SAMPLES), id)?;
        let path = folder.path();
        let video = |name: &str, qp: u8| {
            let video = ColorVideoOptions {
                width: shot.resolution[0],
                height: shot.resolution[1],
                fps: shot.video_fps,
                qp,
                encoder: options.encoder.clone(),
            };
            ColorVideoWriter::create(&path.join(name), &video)
        };
        if options.tracking_lossless {
            let pictures = path.join("tracking");
            std::fs::create_dir(&pictures).map_err(fs_error("create", &pictures))?;
        }
        Ok(Self {
            id: id.to_owned(),
            video: video("video.mp4", options.qp)?,
            tracking: video("tracking.mp4", options.tracking_qp)?,
            tracks: wants_points
                .then(|| TracksWriter::create(path))
                .transpose()?,
            tracker,
            options: options.clone(),
            quality: DasQuality::default(),
            next_frame: 0,
            folder,
            dataset: dataset.to_owned(),
            shot,
        })
    }

    /// Adds the next frame: the full world's picture and its label passes. `seen` answers for frame 0
    /// and this one.
    ///
    /// # Errors
    /// When it is not the next frame, does not have the Shot's shape, or a file cannot be written.
    pub fn push(&mut self, frame: &Frame, seen: &dyn SurfaceVisibility) -> Result<()> {
        check_frame(&self.shot, frame, self.next_frame)?;
        let tracked = self.tracker.frame(frame, seen)?;
        let display = &frame.worlds[0].display;
        let [width, height] = self.shot.resolution;
        let folder = self.folder.path();
        if frame.index == 0 {
            let image = folder.join("image.png");
            write_png_rgb8(&image, width, height, display.data.as_flattened())?;
            if self.options.first_frame_controls {
                controls::write(&folder.join("controls"), &self.shot, &frame.labels)?;
            }
        }
        self.video.push(display.data.as_flattened())?;
        self.tracking.push(tracked.picture.data.as_flattened())?;
        if self.options.tracking_lossless {
            let path = folder.join(format!("tracking/{:05}.png", frame.index));
            write_png_rgb8(&path, width, height, tracked.picture.data.as_flattened())?;
        }
        if let Some(tracks) = &mut self.tracks {
            tracks.push(&tracked.states)?;
        }
        self.measure(&tracked.states, &tracked.picture);
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

    /// Completes the sample, puts it in its place and gives its files their flat names. `prompt`
    /// becomes one line.
    ///
    /// # Errors
    /// When frames are missing, the prompt is empty, or a file cannot be written.
    pub fn finish(self, prompt: &str) -> Result<FinishedDasSample> {
        let Self {
            id,
            shot,
            options,
            tracker,
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
        if next_frame != shot.frame_count {
            return Err(wrong(format!(
                "the clip ends at frame {next_frame} of {}",
                shot.frame_count
            )));
        }
        let prompt = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        if prompt.is_empty() {
            // The loader drops blank lines, and pairs all later samples wrongly.
            return Err(wrong("its prompt is empty".into()));
        }
        let (Some(points), Some(colours)) = (tracker.points(), tracker.colours()) else {
            return Err(wrong("it has no frame".into()));
        };
        video.finish()?;
        tracking.finish()?;
        let path = folder.path();
        if let Some(tracks) = tracks {
            let npy = path.join("tracks.npy");
            let npy = options.das_tracks.then_some(npy.as_path());
            let npz = path.join("tracks.npz");
            tracks.finish(&npz, npy, &shot, points, &options.tracking)?;
            if !options.tracks {
                std::fs::remove_file(&npz).map_err(fs_error("remove", &npz))?;
            }
        }
        let frames = f64::from(shot.frame_count);
        quality.mean_visible_share /= frames;
        quality.mean_coloured_share /= frames;
        let record = DasRecord {
            schema_version: SCHEMA_VERSION,
            id: id.clone(),
            seed: shot.seed,
            recipe: shot.recipe.clone(),
            resolution: shot.resolution,
            frame_count: shot.frame_count,
            video_fps: shot.video_fps,
            environment: options.tracking.environment(),
            tracking: options.tracking,
            colours: *colours,
            qp: options.qp,
            tracking_qp: options.tracking_qp,
            quality,
            render: options.render,
            attempts: shot.attempts.clone(),
            assets: shot.assets.clone(),
            prompt,
        };
        fsx::write_atomic(
            &path.join("prompt.txt"),
            format!("{}\n", record.prompt).as_bytes(),
        )?;
        fsx::write_atomic(&path.join("shot.json"), shot.to_json().as_bytes())?;
        write_json(&path.join("sample.json"), &record)?;
        let files = hash_files(path)?;
        let folder = folder.put_in_place(Layout::Folders)?;
        link_sample(&dataset, &id)?;
        Ok(FinishedDasSample {
            id,
            folder,
            files,
            quality,
            shot_quality: Quality {
                contacts: shot.contacts.len() as u32,
                largest_penetration: shot
                    .objects
                    .iter()
                    .filter_map(|o| o.physics.as_ref())
                    .fold(0.0, |most, p| p.largest_penetration.max(most)),
                ..Quality::default()
            },
        })
    }
}
