//! `tracks.npz`: points through the clip in TAP-Vid layout, N points over T frames.
//!
//! | array | type, shape | what |
//! |---|---|---|
//! | `query_points` | f32 [N, 3] | (t, y, x): frame and pixels; t is 0 |
//! | `target_points` | f32 [N, T, 2] | (x, y), pixels from the top-left corner (a pixel's centre is at +0.5); NaN behind the camera |
//! | `occluded` | bool [N, T] | not the nearest surface at its position, outside the picture, or behind the camera |
//! | `tracks_xyz_camera` | f32 [N, T, 3] | OpenCV camera (x right, y down, z forward), metres; NaN for the environment |
//! | `tracks_xyz_world` | f32 [N, T, 3] | world (Z up), metres; NaN for the environment |
//! | `colours` | u8 [N, 3] | R, G, B of the tracking rule |
//! | `instance` | u32 [N] | object id; 0: environment |
//! | `grid_size` | i64 [] | the first `grid_size`² points are the grid, row by row |
//! | `intrinsics` | f64 [T, 3, 3] | K with pixel centres at +0.5 |
//! | `extrinsics` | f64 [T, 4, 4] | camera_from_world, OpenCV camera |
//!
//! `target_points` = K·`tracks_xyz_camera`, and `tracks_xyz_camera` = extrinsics·`tracks_xyz_world`.
//!
//! Of a filmed clip no camera and no object is known: in place of the arrays from `tracks_xyz_camera` and
//! `instance` to `extrinsics` there are
//!
//! | array | type, shape | what |
//! |---|---|---|
//! | `depth` | f32 [N, T] | along the camera axis, in the unit of the depth given, or by the prior |
//! | `confidence` | f32 [N, T] | the tracker's, 0 to 1 |
//!
//! and t of `query_points` is the frame that was asked for.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use diorama_synth::shot::Shot;
use diorama_video::fsx::AtomicFile;
use glam::{DMat4, DVec2};

use super::npz::NpzWriter;
use super::pickle::{DictPickle, NO_AXIS};
use super::view::{PointState, TrackedPoint};
use crate::camera::{self, Projection};
use crate::error::{PostprocError, Result, fs_error};

/// Bytes of one state in the rows: x, y, camera xyz, world xyz, depth, confidence, occluded.
const ROW: usize = 10 * 4 + 1;
/// Points whose whole tracks are held at once while arrays are turned from frame to point order.
const POINTS_AT_ONCE: usize = 256;

/// Gathers the states of all points, frame by frame, in a file of its own beside the result, and
/// writes the arrays at the end: memory does not grow with the clip.
#[derive(Debug)]
pub struct TracksWriter {
    rows: BufWriter<File>,
    path: PathBuf,
    frames: usize,
    points: usize,
}

/// A part of a row.
#[derive(Debug, Clone, Copy)]
enum Part {
    Position,
    Camera,
    World,
    Depth,
    Confidence,
    Occluded,
}

/// What stands in the file beside the states.
#[derive(Debug, Clone, Copy)]
pub struct TrackArrays<'a> {
    /// Frame of the queries.
    pub query_frame: u32,
    /// Where they were asked for, pixels.
    pub positions: &'a [DVec2],
    /// Colours of the tracking rule.
    pub colours: &'a [[u8; 3]],
    /// Query points on a side of the grid.
    pub grid_size: u32,
    /// Cameras and objects of a rendered clip; of a filmed one nothing is known of them.
    pub truth: Option<(&'a Shot, &'a [TrackedPoint])>,
}

impl Part {
    fn bytes(self) -> std::ops::Range<usize> {
        match self {
            Self::Position => 0..8,
            Self::Camera => 8..20,
            Self::World => 20..32,
            Self::Depth => 32..36,
            Self::Confidence => 36..40,
            Self::Occluded => 40..ROW,
        }
    }
}

impl TracksWriter {
    /// Starts the rows in `folder`, under a temporary name.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        let path = folder.join("tracks.tmp-rows");
        let rows = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(fs_error("create", &path))?;
        Ok(Self {
            rows: BufWriter::new(rows),
            path,
            frames: 0,
            points: 0,
        })
    }

    /// Adds one frame; every frame has the same points.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, states: &[PointState]) -> Result<()> {
        let mut frame = Vec::with_capacity(states.len() * ROW);
        for state in states {
            let values = [state.position.x, state.position.y]
                .into_iter()
                .chain(state.camera.to_array())
                .chain(state.world.to_array())
                .chain([state.depth, state.confidence]);
            for value in values {
                frame.extend((value as f32).to_le_bytes());
            }
            frame.push(u8::from(!state.is_visible));
        }
        self.rows
            .write_all(&frame)
            .map_err(fs_error("write", &self.path))?;
        self.frames += 1;
        self.points = states.len();
        Ok(())
    }

    /// Writes `tracks.npz` at `path` and, at `das_npy`, the file of the public tools; removes the rows.
    ///
    /// # Errors
    /// When something cannot be written, or an array is larger than 4 GiB.
    pub fn finish(
        self,
        path: &Path,
        das_npy: Option<&Path>,
        arrays: &TrackArrays<'_>,
    ) -> Result<()> {
        let mut rows = Rows {
            file: self
                .rows
                .into_inner()
                .map_err(|error| fs_error("write", &self.path)(error.into_error()))?,
            path: self.path,
            frames: self.frames,
            points: self.points,
        };
        write_npz(path, &mut rows, arrays)?;
        if let Some(path) = das_npy {
            write_das_npy(path, &mut rows)?;
        }
        std::fs::remove_file(&rows.path).map_err(fs_error("remove", &rows.path))
    }
}

fn write_npz(path: &Path, rows: &mut Rows, arrays: &TrackArrays<'_>) -> Result<()> {
    let (n, t) = (rows.points, rows.frames);
    let mut npz = NpzWriter::create(path)?;
    npz.array("query_points", "<f4", &[n, 3], |out| {
        arrays.positions.iter().try_for_each(|position| {
            [f64::from(arrays.query_frame), position.y, position.x]
                .into_iter()
                .try_for_each(|v| out.bytes(&(v as f32).to_le_bytes()))
        })
    })?;
    let mut by_point = |name: &str, descr: &str, shape: &[usize], part: Part| {
        npz.array(name, descr, shape, |out| {
            rows.by_point(part, |b| out.bytes(b))
        })
    };
    by_point("target_points", "<f4", &[n, t, 2], Part::Position)?;
    by_point("occluded", "|b1", &[n, t], Part::Occluded)?;
    if arrays.truth.is_some() {
        by_point("tracks_xyz_camera", "<f4", &[n, t, 3], Part::Camera)?;
        by_point("tracks_xyz_world", "<f4", &[n, t, 3], Part::World)?;
    } else {
        by_point("depth", "<f4", &[n, t], Part::Depth)?;
        by_point("confidence", "<f4", &[n, t], Part::Confidence)?;
    }
    npz.array("colours", "|u1", &[n, 3], |out| {
        arrays.colours.iter().try_for_each(|c| out.bytes(c))
    })?;
    if let Some((_, points)) = arrays.truth {
        npz.array("instance", "<u4", &[n], |out| {
            let mut ids = points.iter().map(|p| p.surface().instance);
            ids.try_for_each(|id| out.bytes(&id.to_le_bytes()))
        })?;
    }
    npz.array("grid_size", "<i8", &[], |out| {
        out.bytes(&i64::from(arrays.grid_size).to_le_bytes())
    })?;
    if let Some((shot, _)) = arrays.truth {
        write_cameras(&mut npz, shot, t)?;
    }
    npz.finish()
}

/// Of the first camera, frame by frame.
fn write_cameras(npz: &mut NpzWriter, shot: &Shot, t: usize) -> Result<()> {
    let (mut intrinsics, mut extrinsics) = (Vec::new(), Vec::new());
    for frame in 0..t as i64 {
        let k = camera::record(&shot.cameras[0], frame, shot.resolution).k;
        intrinsics.extend(k.into_iter().flatten());
        let projection = Projection::of(&shot.cameras[0], frame, shot.resolution);
        let flip = DMat4::from_diagonal(glam::DVec4::new(1.0, -1.0, -1.0, 1.0));
        let opencv = flip * projection.camera_from_world;
        extrinsics.extend(opencv.transpose().to_cols_array());
    }
    npz.doubles("intrinsics", &[t, 3, 3], &intrinsics)?;
    npz.doubles("extrinsics", &[t, 4, 4], &extrinsics)
}

/// `{stem}_tracks.npy` of the public tools: tracks f32 [1, T, N, 3] = (x px, y px, z), here with z in
/// metres (infinite for the environment), and visibility bool [1, T, N].
fn write_das_npy(path: &Path, rows: &mut Rows) -> Result<()> {
    let (n, t) = (rows.points, rows.frames);
    let length = |bytes: usize| {
        u32::try_from(n * t * bytes).map_err(|_| PostprocError::Option {
            option: "--grid-size",
            reason: format!("{} would be larger than 4 GiB", path.display()),
        })
    };
    let mut file = AtomicFile::create(path)?;
    let mut pickle = DictPickle::new();
    pickle.array("tracks", "<f4", [1, t, n, 3], length(12)?);
    let mut write = |bytes: &[u8]| file.write_all(bytes).map_err(|e| file.error(e).into());
    write(&pickle.take())?;
    rows.by_frame(|row| {
        write(&row[Part::Position.bytes()])?;
        write(&row[Part::Depth.bytes()])
    })?;
    pickle.end_array();
    pickle.array("visibility", "|b1", [1, t, n, NO_AXIS], length(1)?);
    write(&pickle.take())?;
    rows.by_frame(|row| write(&[u8::from(row[Part::Occluded.bytes().start] == 0)]))?;
    pickle.end_array();
    pickle.end();
    write(&pickle.take())?;
    Ok(file.finish()?)
}

/// The finished rows, frame after frame.
struct Rows {
    file: File,
    path: PathBuf,
    frames: usize,
    points: usize,
}

impl Rows {
    /// Gives `part` of every point in every frame: all frames of the first point, then of the second.
    fn by_point(&mut self, part: Part, mut give: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let range = part.bytes();
        let mut block = Vec::new();
        for first in (0..self.points).step_by(POINTS_AT_ONCE) {
            let count = POINTS_AT_ONCE.min(self.points - first);
            block.clear();
            for frame in 0..self.frames {
                let at = block.len();
                block.resize(at + count * ROW, 0);
                self.read((frame * self.points + first) * ROW, &mut block[at..])?;
            }
            for point in 0..count {
                for frame in 0..self.frames {
                    let row = (frame * count + point) * ROW;
                    give(&block[row + range.start..row + range.end])?;
                }
            }
        }
        Ok(())
    }

    /// Gives whole rows: all points of the first frame, then of the second.
    fn by_frame(&mut self, mut give: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut frame = vec![0; self.points * ROW];
        for index in 0..self.frames {
            self.read(index * self.points * ROW, &mut frame)?;
            frame.chunks_exact(ROW).try_for_each(&mut give)?;
        }
        Ok(())
    }

    fn read(&mut self, offset: usize, into: &mut [u8]) -> Result<()> {
        self.file
            .seek(SeekFrom::Start(offset as u64))
            .and_then(|_| self.file.read_exact(into))
            .map_err(fs_error("read", &self.path))
    }
}
