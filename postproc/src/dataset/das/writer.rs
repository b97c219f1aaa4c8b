//! [`DasSampleWriter`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diorama_synth::frame::Frame;
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::Shot;
use diorama_video::{DEFAULT_QP, Encoder, fsx};

use super::controls;
use super::pair::{PairOptions, PairWriter};
use super::record::{CharacterRecord, DasQuality, DasRecord, SCHEMA_VERSION};
use crate::dataset::DoneEntry;
use crate::error::{PostprocError, Result};
use crate::sample::check_frame;
use crate::sample_json::Quality;
use crate::tracking::{SurfaceVisibility, TrackArrays, Tracker, TrackingOptions};

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
/// nothing behind.
#[derive(Debug)]
pub struct DasSampleWriter {
    id: String,
    shot: Arc<Shot>,
    options: DasSampleOptions,
    tracker: Tracker,
    pair: PairWriter,
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
        let shot = geometry.shot().clone();
        let wants_points = options.tracks || options.das_tracks;
        let tracker = Tracker::new(geometry, options.tracking, wants_points)?;
        let pair = PairOptions {
            resolution: shot.resolution,
            fps: shot.video_fps,
            frame_count: shot.frame_count,
            qp: options.qp,
            tracking_qp: options.tracking_qp,
            encoder: options.encoder.clone(),
            tracking_lossless: options.tracking_lossless,
            tracks: options.tracks,
            das_tracks: options.das_tracks,
        };
        Ok(Self {
            id: id.to_owned(),
            pair: PairWriter::new(dataset, id, pair)?,
            tracker,
            options: options.clone(),
            shot,
        })
    }

    /// Adds the next frame: the full world's picture and its label passes. `seen` answers for frame 0
    /// and this one.
    ///
    /// # Errors
    /// When it is not the next frame, does not have the Shot's shape, or a file cannot be written.
    pub fn push(&mut self, frame: &Frame, seen: &dyn SurfaceVisibility) -> Result<()> {
        check_frame(&self.shot, frame, self.pair.next_frame())?;
        let tracked = self.tracker.frame(frame, seen)?;
        if frame.index == 0 && self.options.first_frame_controls {
            controls::write(
                &self.pair.path().join("controls"),
                &self.shot,
                &frame.labels,
            )?;
        }
        let display = &frame.worlds[0].display;
        self.pair.push(
            display.data.as_flattened(),
            &tracked.picture,
            &tracked.states,
        )
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
            pair,
        } = self;
        let (Some(points), Some(colours)) = (tracker.points(), tracker.colours()) else {
            return Err(PostprocError::Shot {
                id,
                reason: "it has no frame".into(),
            });
        };
        fsx::write_atomic(&pair.path().join("shot.json"), shot.to_json().as_bytes())?;
        let arrays = TrackArrays {
            query_frame: 0,
            positions: &points.positions,
            colours: &points.colours,
            grid_size: options.tracking.grid_size,
            truth: Some((&shot, &points.points)),
        };
        let shot_quality = Quality {
            contacts: shot.contacts.len() as u32,
            largest_penetration: shot
                .objects
                .iter()
                .filter_map(|o| o.physics.as_ref())
                .fold(0.0, |most, p| p.largest_penetration.max(most)),
            ..Quality::default()
        };
        pair.finish(prompt, &arrays, shot_quality, |prompt, quality| DasRecord {
            schema_version: SCHEMA_VERSION,
            id,
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
            characters: CharacterRecord::of_shot(&shot),
            assets: shot.assets.clone(),
            clip: None,
            prompt,
        })
    }
}
