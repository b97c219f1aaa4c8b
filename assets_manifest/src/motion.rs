//! Motions: skeletons over time, sampled, without meshes.

use crate::rig::{Joint, JointTransform};

/// One take of a file: what each joint of a skeleton does over time.
///
/// The skeleton need not be that of the character it will move: names or roles of joints connect
/// the two.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Motion {
    /// Name of the take in the file, or of the file.
    pub name: String,
    /// Skeleton it was made for, at rest; parents come before their children.
    pub joints: Vec<Joint>,
    /// Samples per second of `frames`.
    pub rate_hz: f32,
    /// At least one; each holds the transforms against their parents of all joints, and the first is
    /// at time 0.
    pub frames: Vec<Vec<JointTransform>>,
    /// Names of the weights in `morph_weights`.
    pub morph_names: Vec<String>,
    /// One list of weights per entry of `frames`; empty: the take moves no morph target.
    pub morph_weights: Vec<Vec<f32>>,
}

impl Motion {
    /// Whether a sample is unlike the first: a T-pose is a take too, and a single pose that is held.
    pub fn moves(&self) -> bool {
        let all_as_first = |count: usize, same: &dyn Fn(usize) -> bool| (1..count).all(same);
        let joints = all_as_first(self.frames.len(), &|i| self.frames[i] == self.frames[0]);
        let morphs = all_as_first(self.morph_weights.len(), &|i| {
            self.morph_weights[i] == self.morph_weights[0]
        });
        !(joints && morphs)
    }

    /// Seconds from the first sample to the last.
    pub fn duration_secs(&self) -> f32 {
        (self.frames.len().max(1) - 1) as f32 / self.rate_hz
    }
}
