//! What a tracker is.

use glam::DVec2;

/// Frames of one shot, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width × height × 3` sRGB bytes each, row by row.
    pub frames: Vec<Vec<u8>>,
}

impl Clip {
    /// Checks that every frame has the size, and that there is one.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), TrackError> {
        let length = self.width as usize * self.height as usize * 3;
        let wrong = |reason| Err(TrackError::Clip { reason });
        if self.frames.is_empty() || length == 0 {
            return wrong("it has no picture".into());
        }
        match self.frames.iter().position(|frame| frame.len() != length) {
            Some(index) => wrong(format!(
                "frame {index} is not {}x{}",
                self.width, self.height
            )),
            None => Ok(()),
        }
    }
}

/// A point to follow: what is seen at `position` of frame `frame`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Query {
    /// 0-based.
    pub frame: u32,
    /// Pixels from the top-left corner.
    pub position: DVec2,
}

/// Where points are. Frame-major: point p of frame f is at `f × points + p`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracks {
    /// Points of each frame.
    pub points: usize,
    /// Pixels from the top-left corner; a guess where the point is hidden.
    pub positions: Vec<DVec2>,
    /// It is seen there. Outside the picture nothing is.
    pub visible: Vec<bool>,
    /// How sure that is, 0 to 1; 1 at the query.
    pub confidence: Vec<f32>,
}

impl Tracks {
    /// Indices of the points of frame `frame`, in the order of the queries.
    pub fn frame(&self, frame: usize) -> std::ops::Range<usize> {
        frame * self.points..(frame + 1) * self.points
    }

    /// Share of the points that is seen in frame `frame`.
    pub fn visible_share(&self, frame: usize) -> f64 {
        let seen = self.visible[self.frame(frame)].iter().filter(|v| **v);
        seen.count() as f64 / self.points.max(1) as f64
    }
}

/// Why nothing was tracked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// The clip is none.
    #[error("the clip cannot be tracked: {reason}")]
    Clip {
        /// What is wrong.
        reason: String,
    },
    /// A query outside the clip.
    #[error("query {index} is at frame {frame} of a clip of {frames}")]
    Query {
        /// Of the query.
        index: usize,
        /// That it asks for.
        frame: u32,
        /// That there are.
        frames: usize,
    },
}

/// Follows points through a clip.
pub trait PointTracker: Sync {
    /// What stands in records: its name and the settings that change a result.
    fn name(&self) -> String;

    /// Follows `queries`, forwards and backwards from their frames. `frame_done` is told each time another
    /// frame has been worked on, from any thread; at most once per frame and direction.
    ///
    /// # Errors
    /// A clip or a query that is none.
    fn track(
        &self,
        clip: &Clip,
        queries: &[Query],
        frame_done: &(dyn Fn() + Sync),
    ) -> Result<Tracks, TrackError>;
}
