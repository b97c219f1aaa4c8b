//! Where points of a filmed clip go: dense optical flow, chained into tracks. No weights.
//!
//! [`PointTracker`] is what a tracker is: frames and query points in, tracks, visibility and confidence
//! out. [`FlowTracker`] is the one that needs nothing but the pictures. Its parts stand by themselves:
//! [`DenseFlow`] from one picture to another, [`find_cut`] for clips that are two.
//!
//! Positions are continuous pixels from the top-left corner: pixel (i, j) covers [i, i+1)×[j, j+1). The
//! same pictures give the same bits on every machine and thread count: pairs of frames are worked on side
//! by side, each by one thread from beginning to end.

mod anchor;
mod chain;
mod cut;
mod dense;
mod dis;
mod plane;
mod refine;
#[cfg(test)]
mod testing;
mod tracker;

pub use chain::{FlowTracker, FlowTrackerSettings};
pub use cut::{CONTEXT, Cut, CutKind, Thumbnail, find_cut};
pub use dense::{DenseFlow, Flow, FlowSettings};
pub use plane::{Luma, Pyramid};
pub use tracker::{Clip, PointTracker, Query, TrackError, Tracks};
