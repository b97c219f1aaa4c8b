//! [`FilmedSampleWriter`]: samples of real clips.

use std::collections::BTreeMap;
use std::path::Path;

use diorama_synth::shot::Attempts;
use diorama_video::{DEFAULT_QP, Encoder};

use super::pair::{PairOptions, PairWriter};
use super::record::{ClipRecord, DasRecord, SCHEMA_VERSION};
use super::writer::FinishedDasSample;
use crate::error::Result;
use crate::sample_json::Quality;
use crate::tracking::{ClipPainter, PointState, TrackArrays, TrackingOptions};

/// What to write of a clip, and how.
#[derive(Debug, Clone)]
pub struct FilmedSampleOptions {
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// Frames of the clip.
    pub frame_count: u32,
    /// Frames per second of both files.
    pub fps: f64,
    /// Dots; the rule is `das`.
    pub tracking: TrackingOptions,
    /// Quantiser of the video.
    pub qp: u8,
    /// Quantiser of the tracking video, at most [`super::TRACKING_QP_LIMIT`].
    pub tracking_qp: u8,
    /// Encoder of both videos.
    pub encoder: Encoder,
    /// Also keep the tracking pictures as PNG files.
    pub tracking_lossless: bool,
    /// Write tracks.npy as the public tools do.
    pub das_tracks: bool,
}

impl Default for FilmedSampleOptions {
    /// What the trainer takes.
    fn default() -> Self {
        Self {
            resolution: [720, 480],
            frame_count: 49,
            fps: 24.0,
            tracking: TrackingOptions::default(),
            qp: DEFAULT_QP,
            tracking_qp: DEFAULT_QP,
            encoder: Encoder::default(),
            tracking_lossless: false,
            das_tracks: false,
        }
    }
}

/// Makes one sample from the frames of a clip and the places of its points. Dropped before
/// [`FilmedSampleWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct FilmedSampleWriter {
    id: String,
    options: FilmedSampleOptions,
    painter: ClipPainter,
    pair: PairWriter,
}

impl FilmedSampleWriter {
    /// Starts sample `id` in the dataset folder `dataset` (made if missing).
    ///
    /// # Errors
    /// When options are out of range or the folder cannot be written to.
    pub fn new(
        dataset: &Path,
        id: &str,
        painter: ClipPainter,
        options: &FilmedSampleOptions,
    ) -> Result<Self> {
        let pair = PairOptions {
            resolution: options.resolution,
            fps: options.fps,
            frame_count: options.frame_count,
            qp: options.qp,
            tracking_qp: options.tracking_qp,
            encoder: options.encoder.clone(),
            tracking_lossless: options.tracking_lossless,
            tracks: true,
            das_tracks: options.das_tracks,
        };
        Ok(Self {
            id: id.to_owned(),
            pair: PairWriter::new(dataset, id, pair)?,
            painter,
            options: options.clone(),
        })
    }

    /// Adds the next frame: RGB bytes row by row, and the states of all points of the grid.
    ///
    /// # Errors
    /// When the frame has another size or a file cannot be written.
    pub fn push(&mut self, rgb: &[u8], states: &[PointState]) -> Result<()> {
        let picture = self.painter.picture(self.pair.next_frame(), states);
        self.pair.push(rgb, &picture, states)
    }

    /// Completes the sample, puts it in its place and gives its files their flat names. `prompt`
    /// becomes one line.
    ///
    /// # Errors
    /// When frames are missing, the prompt is empty, or a file cannot be written.
    pub fn finish(self, prompt: &str, clip: ClipRecord) -> Result<FinishedDasSample> {
        let Self {
            id,
            options,
            painter,
            pair,
        } = self;
        let arrays = TrackArrays {
            query_frame: painter.query_frame(),
            positions: painter.positions(),
            colours: painter.codes(),
            grid_size: options.tracking.grid_size,
            truth: None,
        };
        pair.finish(prompt, &arrays, Quality::default(), |prompt, quality| {
            DasRecord {
                schema_version: SCHEMA_VERSION,
                id,
                seed: 0,
                recipe: "track".into(),
                resolution: options.resolution,
                frame_count: options.frame_count,
                video_fps: options.fps,
                environment: options.tracking.environment(),
                tracking: options.tracking,
                colours: *painter.colours(),
                qp: options.qp,
                tracking_qp: options.tracking_qp,
                quality,
                render: BTreeMap::new(),
                attempts: Attempts::default(),
                characters: Vec::new(),
                assets: Vec::new(),
                clip: Some(clip),
                prompt,
            }
        })
    }
}
