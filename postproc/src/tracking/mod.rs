//! Tracking videos and point tracks from surface identity.
//!
//! Every pixel's colour is a function of where its surface point was in frame 0. A point is
//! (instance, primitive, barycentrics), or a direction for the environment; where it is follows from
//! the posed meshes and the camera, whether it is seen from a ray to it. Nothing is recovered from a
//! depth image. Frames come one after another and go; what stays is one record per tracked point.
//!
//! Image positions are continuous pixels from the top-left corner: pixel (i, j) covers
//! [i, i+1)×[j, j+1), so that the pixel of a position is its floor. With (x, y) the position and z the
//! depth along the camera axis in frame 0, W×H the picture, a level 255·v rounded half to even and v
//! held in 0..=1, the rules are
//!
//! | rule | red | green | blue | drawn as |
//! |---|---|---|---|---|
//! | `das` | (x − x₀)/(x₁ − x₀), extent of the grid | the same in y | (1/z − P₂)/(P₉₈ − P₂) over the grid | dots, far to near, on black |
//! | `das-dense` | (x − ½)/(W − 1) | (y − ½)/(H − 1) | the same over all pixels of frame 0 | every pixel |
//! | `das-blender` | x/W | y/H | the same with the distance d for z, over all vertices | every pixel |
//!
//! P₂ and P₉₈ are percentiles with linear interpolation (numpy's default); where they are equal blue
//! is 0. Metres are the camera's own, 1/z of the environment is 0. No view transform, no sRGB curve:
//! 255·v is the byte in the file.

mod clip;
mod colour;
mod dots;
mod grid;
mod npz;
mod npz_read;
mod percentile;
mod pickle;
mod tracks;
mod view;

use std::str::FromStr;

use diorama_synth::frame::{Frame, Plane, Sight, SurfacePoint};
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::stream::Stream;
use glam::DVec2;
use serde::{Deserialize, Serialize};

pub use clip::ClipPainter;
pub use colour::FirstFrameColours;
pub use dots::{Dot, half_sizes, paint};
pub use grid::query_grid;
pub use npz_read::{RecordedTrack, recorded_tracks};
pub use percentile::{InverseRange, percentile};
pub use tracks::{TrackArrays, TracksWriter};
pub use view::{FrameView, PointState, TrackedPoint};

use crate::error::{PostprocError, Result};

/// Query points on a side of the public tools' grid.
pub const DEFAULT_GRID_SIZE: u32 = 70;
/// Largest grid: a query point for every pixel of a wide picture.
const MAX_GRID_SIZE: u32 = 2048;

/// How a tracking picture is coloured and drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackingRule {
    /// Dots on a grid, as the public training set has them.
    #[default]
    Das,
    /// Every pixel.
    DasDense,
    /// Every pixel, with the colours of the public Blender script.
    DasBlender,
}

/// What becomes of dots whose point is hidden; the dense rules paint what is seen and have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occluded {
    /// True occlusion.
    #[default]
    Hide,
    /// As the public tools do: every dot in front of the camera is drawn.
    Draw,
}

/// Is the environment, a surface at infinity, part of the tracking picture?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentTracks {
    /// Drawn with 1/z = 0, and counted by the percentiles.
    Draw,
    /// Black, and not counted.
    Black,
}

/// What a surface point gets that is inside the picture of frame 0, but hidden there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenAtStart {
    /// The colour of its position in frame 0.
    #[default]
    Colour,
    /// Black.
    Black,
}

macro_rules! words {
    ($kind:ty: $($word:literal => $value:path),+) => {
        impl FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> std::result::Result<Self, String> {
                match text.replace('_', "-").as_str() {
                    $($word => Ok($value),)+
                    _ => Err(format!("there is no `{text}` (known: {})", [$($word),+].join(", "))),
                }
            }
        }
    };
}

words!(TrackingRule: "das" => Self::Das, "das-dense" => Self::DasDense, "das-blender" => Self::DasBlender);
words!(Occluded: "hide" => Self::Hide, "draw" => Self::Draw);
words!(EnvironmentTracks: "draw" => Self::Draw, "black" => Self::Black);
words!(HiddenAtStart: "colour" => Self::Colour, "color" => Self::Colour, "black" => Self::Black);

/// What to track and how to paint it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackingOptions {
    /// Colours and drawing.
    pub rule: TrackingRule,
    /// Query points on a side of the grid (default [`DEFAULT_GRID_SIZE`]).
    pub grid_size: u32,
    /// Further query points at random positions of frame 0: in tracks.npz, never drawn.
    pub extra_points: u32,
    /// Hidden dots.
    pub occluded: Occluded,
    /// `None`: drawn for das and das-dense, black for das-blender.
    pub environment: Option<EnvironmentTracks>,
    /// For the dense rules.
    pub hidden_at_start: HiddenAtStart,
}

impl Default for TrackingOptions {
    fn default() -> Self {
        Self {
            rule: TrackingRule::default(),
            grid_size: DEFAULT_GRID_SIZE,
            extra_points: 0,
            occluded: Occluded::default(),
            environment: None,
            hidden_at_start: HiddenAtStart::default(),
        }
    }
}

impl TrackingOptions {
    /// The environment's part, default resolved.
    pub fn environment(&self) -> EnvironmentTracks {
        self.environment.unwrap_or(match self.rule {
            TrackingRule::Das | TrackingRule::DasDense => EnvironmentTracks::Draw,
            TrackingRule::DasBlender => EnvironmentTracks::Black,
        })
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.grid_size == 0 || self.grid_size > MAX_GRID_SIZE {
            return Err(PostprocError::Option {
                option: "--grid-size",
                reason: format!("{} is outside 1..={MAX_GRID_SIZE}", self.grid_size),
            });
        }
        Ok(())
    }
}

/// Who can say what is seen at any image position: a renderer. Rays go through lens centre and
/// shutter centre of the full world and pass surfaces of alpha under one half, as label rays do.
pub trait SurfaceVisibility {
    /// What is nearest at each position of `frame`; instance 0: the environment.
    fn surfaces_at(&self, frame: u32, positions: &[DVec2]) -> Vec<SurfacePoint>;
    /// For each sight in `frame`: is the nearest surface there the point's own, at the point's
    /// distance to 1e-4 of it? Positions outside the picture see nothing.
    fn are_visible(&self, frame: u32, sights: &[Sight]) -> Vec<bool>;
}

/// One frame of a tracking video.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedFrame {
    /// The tracking picture.
    pub picture: Plane<[u8; 3]>,
    /// Every tracked point, the grid's first (row by row), then extra ones; empty when nothing asked
    /// for them.
    pub states: Vec<PointState>,
}

/// The points that are followed through the clip.
#[derive(Debug, Clone)]
pub struct TrackedPoints {
    /// What they are.
    pub points: Vec<TrackedPoint>,
    /// Where they were asked for in frame 0, pixels.
    pub positions: Vec<DVec2>,
    /// Their colours by the rule.
    pub colours: Vec<[u8; 3]>,
    /// How many of them are the grid's, which come first.
    pub grid_count: usize,
}

/// Paints tracking pictures of one Shot, frame after frame.
#[derive(Debug)]
pub struct Tracker {
    geometry: ShotGeometry,
    options: TrackingOptions,
    follows_points: bool,
    next_frame: u32,
    start: Option<Start>,
}

/// What is kept of frame 0.
#[derive(Debug)]
struct Start {
    view: FrameView,
    colours: FirstFrameColours,
    points: TrackedPoints,
    /// From where each point comes out in frame 0 to where it was asked for, pixels.
    corrections: Vec<DVec2>,
    /// Half sizes of the dots in frame 0.
    half_sizes: Vec<f64>,
    /// Half size of all dots in later frames.
    later_half_size: f64,
}

impl Tracker {
    /// For the Shot of `geometry`, seen by its first camera. `follows_points`: also give the states
    /// of the points where the rule does not need them.
    ///
    /// # Errors
    /// Options out of range, or a Shot without a camera.
    pub fn new(
        geometry: ShotGeometry,
        options: TrackingOptions,
        follows_points: bool,
    ) -> Result<Self> {
        options.check()?;
        let shot = geometry.shot();
        if shot.cameras.is_empty() {
            return Err(PostprocError::Shot {
                id: shot.sample_id.clone(),
                reason: "it has no camera".into(),
            });
        }
        Ok(Self {
            geometry,
            options,
            follows_points,
            next_frame: 0,
            start: None,
        })
    }

    /// The points, once frame 0 has been seen.
    pub fn points(&self) -> Option<&TrackedPoints> {
        self.start.as_ref().map(|start| &start.points)
    }

    /// The colours' rule with its numbers, once frame 0 has been seen.
    pub fn colours(&self) -> Option<&FirstFrameColours> {
        self.start.as_ref().map(|start| &start.colours)
    }

    /// Frame `index` comes next: those between are left out. Where points are depends on frame 0, which
    /// must have been seen, and on nothing between.
    pub fn skip_to(&mut self, index: u32) {
        self.next_frame = index;
    }

    /// Paints the next frame, from its label passes.
    ///
    /// # Errors
    /// When it is not the next frame of the Shot.
    pub fn frame(&mut self, frame: &Frame, seen: &dyn SurfaceVisibility) -> Result<TrackedFrame> {
        if frame.index != self.next_frame {
            return Err(PostprocError::Frame {
                id: self.geometry.shot().sample_id.clone(),
                frame: frame.index,
                reason: format!("frame {} is due for the tracking video", self.next_frame),
            });
        }
        self.next_frame += 1;
        let view = FrameView::new(&self.geometry, i64::from(frame.index));
        if frame.index == 0 {
            self.start = Some(self.begin(frame, view.clone(), seen));
        }
        let Some(start) = &self.start else {
            return Err(PostprocError::Frame {
                id: self.geometry.shot().sample_id.clone(),
                frame: frame.index,
                reason: "frame 0 has not been seen".into(),
            });
        };
        let is_dots = self.options.rule == TrackingRule::Das;
        let states = if is_dots || self.follows_points {
            start.states(&view, frame.index, seen)
        } else {
            Vec::new()
        };
        let picture = if is_dots {
            start.dots(&states, &view, frame.index, &self.options)
        } else {
            start.dense(frame, &view, seen, &self.options)
        };
        Ok(TrackedFrame { picture, states })
    }

    fn begin(&self, frame: &Frame, view: FrameView, seen: &dyn SurfaceVisibility) -> Start {
        let shot = self.geometry.shot();
        let options = &self.options;
        let mut positions = query_grid(shot.resolution, options.grid_size);
        let grid_count = positions.len();
        let mut stream = Stream::new(shot.seed, &shot.sample_id, "tracks");
        let [width, height] = shot.resolution.map(f64::from);
        for _ in 0..options.extra_points {
            let x = stream.range(0.0, width);
            positions.push(DVec2::new(x, stream.range(0.0, height)));
        }
        let follows = options.rule == TrackingRule::Das || self.follows_points;
        if !follows {
            positions.clear();
        }
        let points: Vec<TrackedPoint> = seen
            .surfaces_at(0, &positions)
            .into_iter()
            .zip(&positions)
            .map(|(surface, position)| view.point(surface, *position))
            .collect();
        let states: Vec<PointState> = points.iter().map(|p| view.state(p)).collect();
        let counts = |point: &TrackedPoint| self.options.counts(point);
        let drawn: Vec<usize> = (0..grid_count.min(points.len()))
            .filter(|i| counts(&points[*i]))
            .collect();

        let blue = match options.rule {
            TrackingRule::Das => InverseRange::of(drawn.iter().map(|i| states[*i].inverse_depth())),
            TrackingRule::DasDense => InverseRange::of(
                frame
                    .labels
                    .depth
                    .data
                    .iter()
                    .map(|z| 1.0 / f64::from(*z))
                    .filter(|inverse| {
                        *inverse > 0.0 || options.environment() == EnvironmentTracks::Draw
                    }),
            ),
            TrackingRule::DasBlender => InverseRange::of(
                view.geometry
                    .vertices()
                    .map(|vertex| 1.0 / vertex.distance(view.origin())),
            ),
        };
        let colours =
            FirstFrameColours::new(options.rule, shot.resolution, options.grid_size, blue);
        // Sizes are a matter of the drawn dots among themselves.
        let places: Vec<(DVec2, f64)> = drawn
            .iter()
            .map(|i| (positions[*i], states[*i].depth))
            .collect();
        let (sizes, later_half_size) = half_sizes(&places);
        let mut all_sizes = vec![0.0; points.len()];
        for (i, size) in drawn.iter().zip(sizes) {
            all_sizes[*i] = size;
        }
        let codes = states
            .iter()
            .zip(&positions)
            .zip(&points)
            .map(|((state, position), point)| {
                if counts(point) {
                    colours.colour(*position, state.depth, state.distance)
                } else {
                    [0; 3]
                }
            })
            .collect();
        let corrections = states
            .iter()
            .zip(&positions)
            .map(|(state, position)| {
                let correction = *position - state.position;
                if correction.is_finite() {
                    correction
                } else {
                    DVec2::ZERO
                }
            })
            .collect();
        Start {
            view,
            colours,
            corrections,
            points: TrackedPoints {
                points,
                positions,
                colours: codes,
                grid_count: if follows { grid_count } else { 0 },
            },
            half_sizes: all_sizes,
            later_half_size,
        }
    }
}

impl TrackingOptions {
    /// Is a point drawn and counted, wherever it is?
    fn counts(&self, point: &TrackedPoint) -> bool {
        self.environment() == EnvironmentTracks::Draw || matches!(point, TrackedPoint::Surface(_))
    }
}

impl Start {
    /// Where every point is, and whether it is seen. In frame 0 all are, where they were asked for.
    fn states(
        &self,
        view: &FrameView,
        frame: u32,
        seen: &dyn SurfaceVisibility,
    ) -> Vec<PointState> {
        let points = &self.points;
        let mut states: Vec<PointState> = points.points.iter().map(|p| view.state(p)).collect();
        // Barycentrics are f32: what a point is off in frame 0 it is off ever after (about 1e-6 px).
        // With this what stands still is at the very position that was asked for, bit for bit.
        for (state, correction) in states.iter_mut().zip(&self.corrections) {
            state.position += *correction;
            state.is_visible = frame == 0;
        }
        if frame == 0 {
            return states;
        }
        let inside: Vec<usize> = (0..states.len())
            .filter(|i| view.is_inside(states[*i].position))
            .collect();
        let sights: Vec<Sight> = inside
            .iter()
            .map(|i| Sight {
                position: states[*i].position,
                point: points.points[*i].surface(),
            })
            .collect();
        for (i, visible) in inside.into_iter().zip(seen.are_visible(frame, &sights)) {
            states[i].is_visible = visible;
        }
        states
    }

    /// Rule `das`.
    fn dots(
        &self,
        states: &[PointState],
        view: &FrameView,
        frame: u32,
        options: &TrackingOptions,
    ) -> Plane<[u8; 3]> {
        let points = &self.points;
        let dots: Vec<Dot> = (0..points.grid_count)
            .filter(|i| options.counts(&points.points[*i]))
            .filter(|i| match options.occluded {
                Occluded::Hide => states[*i].is_visible,
                Occluded::Draw => states[*i].position.is_finite(),
            })
            .map(|i| Dot {
                position: states[i].position,
                depth: states[i].depth,
                half_size: if frame == 0 {
                    self.half_sizes[i]
                } else {
                    self.later_half_size
                },
                colour: points.colours[i],
            })
            .collect();
        let [width, height] = view.resolution();
        paint(width, height, dots)
    }

    /// Rules `das-dense` and `das-blender`.
    fn dense(
        &self,
        frame: &Frame,
        view: &FrameView,
        seen: &dyn SurfaceVisibility,
        options: &TrackingOptions,
    ) -> Plane<[u8; 3]> {
        let [width, height] = view.resolution();
        let mut picture = Plane::filled(width, height, [0u8; 3]);
        let mut hidden_when_unseen: Vec<(usize, Sight)> = Vec::new();
        let surfaces = &frame.labels.surface.data;
        for (index, (pixel, surface)) in picture.data.iter_mut().zip(surfaces).enumerate() {
            let here = DVec2::new(
                (index % width as usize) as f64 + 0.5,
                (index / width as usize) as f64 + 0.5,
            );
            let point = view.point(*surface, here);
            if !options.counts(&point) {
                continue;
            }
            let mut then = self.view.state(&point);
            if frame.index == 0 {
                then.position = here;
            } else if !self.view.is_inside(then.position) {
                continue;
            }
            *pixel = self
                .colours
                .colour(then.position, then.depth, then.distance);
            if options.hidden_at_start == HiddenAtStart::Black && frame.index > 0 {
                let sight = Sight {
                    position: then.position,
                    point: *surface,
                };
                hidden_when_unseen.push((index, sight));
            }
        }
        let (indices, sights): (Vec<usize>, Vec<Sight>) = hidden_when_unseen.into_iter().unzip();
        if !sights.is_empty() {
            for (index, visible) in indices.into_iter().zip(seen.are_visible(0, &sights)) {
                if !visible {
                    picture.data[index] = [0; 3];
                }
            }
        }
        picture
    }
}

#[cfg(test)]
pub(crate) mod tests;
