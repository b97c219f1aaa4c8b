//! Laws of Diffusion-as-Shader samples on frames rendered again: tracks, ids, pictures.

use std::collections::BTreeMap;
use std::path::Path;

use diorama_synth::frame::{Frame, Plane};
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::Shot;
use diorama_video::VideoFrame;
use glam::DVec2;

use super::das::das_laws;
use super::files::read_shot;
use super::levels::LevelDifferences;
use super::rendered::chosen_frames;
use super::report::{SampleFindings, laws};
use crate::dataset::das::DasRecord;
use crate::dataset::read_json;
use crate::tracking::{
    FrameView, PointState, RecordedTrack, SurfaceVisibility, TrackedPoints, Tracker, TrackingRule,
    recorded_tracks,
};

/// Renders a sample again, one sample after another. Reasons are for people.
pub trait Reshoot {
    /// Turns to the Shot of a sample; `render` is that of its sample.json.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn open(
        &mut self,
        shot: &Shot,
        render: &BTreeMap<String, serde_json::Value>,
    ) -> Result<ShotGeometry, String>;
    /// The label passes of a frame.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn labels(&mut self, index: u32) -> Result<Frame, String>;
    /// A whole frame.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn frame(&mut self, index: u32) -> Result<Frame, String>;
    /// Answers what is seen, of the Shot that is open.
    ///
    /// # Errors
    /// None is open.
    fn eyes(&self) -> Result<Box<dyn SurfaceVisibility + '_>, String>;
}

/// What the decoded videos must show in one frame.
#[derive(Debug)]
pub(super) struct Rendered {
    /// RGB.
    picture: Vec<u8>,
    tracking: Plane<[u8; 3]>,
    /// Drawn as dots, whose colours 4:2:0 does not keep.
    is_dots: bool,
}

/// Renders some frames of the sample in `folder` again and measures its tracks. Returns what the
/// videos must show.
pub(super) fn check(
    folder: &Path,
    count: u32,
    reshoot: &mut dyn Reshoot,
    findings: &mut SampleFindings,
) -> BTreeMap<u32, Rendered> {
    let mut rendered = BTreeMap::new();
    let record: DasRecord = match read_json(&folder.join("sample.json")) {
        Ok(record) => record,
        Err(error) => {
            findings.check(laws::SAMPLE, Some(error.to_string()));
            return rendered;
        }
    };
    if record.clip.is_some() {
        // Filmed: nobody can render it again.
        return rendered;
    }
    let Some(shot) = read_shot(folder, findings) else {
        return rendered;
    };
    let frames = chosen_frames(shot.frame_count, count);
    if frames.is_empty() {
        return rendered;
    }
    let mut again = match Again::begin(folder, &shot, &record, reshoot) {
        Ok(again) => again,
        Err(reason) => {
            findings.check(laws::RENDERS, Some(reason));
            return rendered;
        }
    };
    for index in frames {
        match again.frame(index, findings) {
            Ok(frame) => {
                findings.check(laws::RENDERS, None);
                rendered.insert(index, frame);
            }
            Err(reason) => {
                findings.check(laws::RENDERS, Some(format!("frame {index}: {reason}")));
                break;
            }
        }
    }
    rendered
}

/// A sample that is being filmed again.
struct Again<'a> {
    folder: &'a Path,
    shot: &'a Shot,
    reshoot: &'a mut dyn Reshoot,
    geometry: ShotGeometry,
    tracker: Tracker,
    is_dots: bool,
}

impl<'a> Again<'a> {
    fn begin(
        folder: &'a Path,
        shot: &'a Shot,
        record: &DasRecord,
        reshoot: &'a mut dyn Reshoot,
    ) -> Result<Self, String> {
        let geometry = reshoot.open(shot, &record.render)?;
        let mut tracker = Tracker::new(geometry.clone(), record.tracking, true)
            .map_err(|error| error.to_string())?;
        let first = reshoot.labels(0)?;
        tracker
            .frame(&first, &*reshoot.eyes()?)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            folder,
            shot,
            reshoot,
            geometry,
            tracker,
            is_dots: record.tracking.rule == TrackingRule::Das,
        })
    }

    fn frame(&mut self, index: u32, findings: &mut SampleFindings) -> Result<Rendered, String> {
        let frame = self.reshoot.frame(index)?;
        crate::sample::check_frame(self.shot, &frame, index).map_err(|error| error.to_string())?;
        self.tracker.skip_to(index);
        let eyes = self.reshoot.eyes()?;
        let tracked = self
            .tracker
            .frame(&frame, &*eyes)
            .map_err(|error| error.to_string())?;
        let path = self.folder.join("tracks.npz");
        if let Some(points) = self.tracker.points().filter(|_| path.is_file()) {
            let recorded = recorded_tracks(&path, index)?;
            if recorded.len() != points.points.len() {
                return Err(format!(
                    "tracks.npz has {} points, {} were asked for",
                    recorded.len(),
                    points.points.len()
                ));
            }
            let tracks = Tracks {
                recorded: &recorded,
                points,
                states: &tracked.states,
                frame: &frame,
            };
            let view = FrameView::new(&self.geometry, i64::from(index));
            tracks.check(&view, &*eyes, findings);
        }
        Ok(Rendered {
            picture: frame
                .worlds
                .first()
                .map(|world| world.display.data.as_flattened().to_vec())
                .unwrap_or_default(),
            tracking: tracked.picture,
            is_dots: self.is_dots,
        })
    }
}

/// The tracks of one frame as recorded, and as they come out again.
struct Tracks<'a> {
    recorded: &'a [RecordedTrack],
    points: &'a TrackedPoints,
    states: &'a [PointState],
    frame: &'a Frame,
}

impl Tracks<'_> {
    fn check(&self, view: &FrameView, eyes: &dyn SurfaceVisibility, findings: &mut SampleFindings) {
        let index = self.frame.index;
        let at = Some(index);
        let mut farthest = 0.0f64;
        let mut other = 0u32;
        for (recorded, state) in self.recorded.iter().zip(self.states) {
            other += u32::from(recorded.is_visible != state.is_visible);
            let off = recorded.position.distance(state.position);
            // Behind the camera both are nowhere.
            if state.position.is_finite() || recorded.position.is_finite() {
                farthest = farthest.max(if off.is_nan() { f64::INFINITY } else { off });
            }
        }
        findings.measure(das_laws::PLACES, at, farthest);
        findings.measure(das_laws::SEEN, at, f64::from(other));

        let visible: Vec<usize> = (0..self.recorded.len())
            .filter(|i| self.recorded[*i].is_visible)
            .collect();
        let positions: Vec<DVec2> = visible.iter().map(|i| self.states[*i].position).collect();
        let (mut elsewhere, mut farthest, mut wrong_ids) = (0u32, 0.0f64, 0u32);
        for (i, surface) in visible.iter().zip(eyes.surfaces_at(index, &positions)) {
            let own = self.points.points[*i].surface().instance;
            if surface.instance != own {
                elsewhere += 1;
            } else if own != 0 {
                let met = view.state(&view.point(surface, self.states[*i].position));
                let distance = self.recorded[*i].world.distance(view.origin());
                farthest = farthest.max((met.distance - distance).abs() / distance);
            }
            wrong_ids += u32::from(
                self.id_off_edges(self.states[*i].position)
                    .is_some_and(|id| id != own),
            );
        }
        findings.measure(das_laws::HITS, at, f64::from(elsewhere));
        findings.measure(das_laws::DISTANCES, at, farthest);
        findings.measure(das_laws::TRACK_IDS, at, f64::from(wrong_ids));
    }

    /// The id at a position that is more than a pixel from every other id.
    fn id_off_edges(&self, position: DVec2) -> Option<u32> {
        let ids = &self.frame.labels.instance;
        let (width, height) = (i64::from(ids.width), i64::from(ids.height));
        let (x, y) = (position.x.floor() as i64, position.y.floor() as i64);
        let id_at = |x: i64, y: i64| {
            let (x, y) = (x.clamp(0, width - 1), y.clamp(0, height - 1));
            ids.data[(y * width + x) as usize]
        };
        let own = id_at(x, y);
        let alone = (-1..=1).all(|dy| (-1..=1).all(|dx| id_at(x + dx, y + dy) == own));
        alone.then_some(own)
    }
}

impl Rendered {
    /// A decoded frame of the video against the one rendered again.
    pub(super) fn compare_video(
        &self,
        index: u32,
        decoded: &VideoFrame,
        findings: &mut SampleFindings,
    ) {
        if decoded.data.len() == self.picture.len() {
            let off = LevelDifferences::of_luma(&decoded.data, &self.picture);
            if let Some(mean) = off.mean() {
                findings.measure(laws::PICTURE, Some(index), mean);
            }
        }
    }

    /// A decoded frame of the tracking video against the one painted again.
    pub(super) fn compare_tracking(
        &self,
        index: u32,
        decoded: &VideoFrame,
        findings: &mut SampleFindings,
    ) {
        let painted = self.tracking.data.as_flattened();
        if decoded.data.len() != painted.len() {
            return;
        }
        let at = Some(index);
        if self.is_dots {
            let is_dot = |pixel: usize| self.tracking.data[pixel] != [0; 3];
            let off = LevelDifferences::between(&decoded.data, painted, is_dot);
            if let Some(mean) = off.mean() {
                findings.measure(das_laws::DOTS_MEAN, at, mean);
            }
            return;
        }
        let off = LevelDifferences::between(&decoded.data, painted, |pixel| self.is_flat(pixel));
        if let (Some(mean), Some(most)) = (off.mean(), off.percentile(0.99)) {
            findings.measure(das_laws::DENSE_MEAN, at, mean);
            findings.measure(das_laws::DENSE_P99, at, most);
        }
    }

    /// Is a pixel of the tracking picture more than [`EDGE_PX`] from an edge of colour?
    fn is_flat(&self, pixel: usize) -> bool {
        let (width, height) = (self.tracking.width as usize, self.tracking.height as usize);
        let (x, y) = (pixel % width, pixel / width);
        let own = self.tracking.data[pixel];
        let near =
            |at: usize, most: usize| at.saturating_sub(EDGE_PX)..=(at + EDGE_PX).min(most - 1);
        near(y, height).all(|y| {
            near(x, width).all(|x| {
                let other = self.tracking.data[y * width + x];
                own.iter()
                    .zip(other)
                    .all(|(a, b)| a.abs_diff(b) <= EDGE_LEVELS)
            })
        })
    }
}

/// How far colours of an edge reach in 4:2:0 video, pixels.
const EDGE_PX: usize = 4;
/// Difference of colours, levels, that is an edge over that distance.
const EDGE_LEVELS: u8 = 24;
