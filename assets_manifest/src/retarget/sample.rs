//! Poses between frames, and before and after a take.

use glam::Vec3;

use super::Retargeted;
use crate::rig::JointTransform;

/// What follows the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The first frame again, the way going on: takes whose ends are alike.
    Loop,
    /// Back and forth: takes that stay in one place but end elsewhere than they began.
    PingPong,
    /// The last frame for good: takes that go somewhere, and single frames.
    Hold,
}

/// Ends are alike when no joint turns more than this between them, as |sin| of the half angle …
const ALIKE: f32 = 0.12;
/// … and the way from end to end is nothing but horizontal within this share of the hips' height.
const LEVEL: f32 = 0.05;
/// A take stays in one place when it ends within this share of the hips' height of where it began.
const IN_PLACE: f32 = 0.5;

/// Pose at a time: translations and scales linearly between the two neighbouring frames, rotations the
/// shorter way, normalised. Before the first frame the first, after the last the last. Empty when there
/// are no frames.
pub fn sample(frames: &[Vec<JointTransform>], rate_hz: f32, time_secs: f32) -> Vec<JointTransform> {
    let Some(last) = frames.len().checked_sub(1) else {
        return Vec::new();
    };
    let at = (time_secs * rate_hz).clamp(0.0, last as f32);
    let low = (libm::floorf(at) as usize).min(last);
    let t = at - low as f32;
    if t == 0.0 || low == last {
        return frames[low].clone();
    }
    frames[low]
        .iter()
        .zip(&frames[low + 1])
        .map(|(a, b)| JointTransform {
            translation: a.translation.lerp(b.translation, t),
            rotation: a.rotation.lerp(b.rotation, t),
            scale: a.scale.lerp(b.scale, t),
        })
        .collect()
}

impl Retargeted {
    /// Seconds from the first frame to the last.
    pub fn duration_secs(&self) -> f32 {
        (self.frames.len().max(1) - 1) as f32 / self.rate_hz
    }

    /// What follows the last frame; see [`Ending`].
    pub fn ending(&self) -> Ending {
        let [first, .., last] = self.frames.as_slice() else {
            return Ending::Hold;
        };
        let height = first[self.root].translation.length().max(1e-6);
        let way = last[self.root].translation - first[self.root].translation;
        let alike = first.iter().zip(last).all(|(a, b)| {
            let half = a.rotation.dot(b.rotation).abs().min(1.0);
            libm::sqrtf(1.0 - half * half) < ALIKE
        });
        if alike && way.z.abs() < LEVEL * height {
            Ending::Loop
        } else if way.length() < IN_PLACE * height {
            Ending::PingPong
        } else {
            Ending::Hold
        }
    }

    /// Pose at any time ≥ 0: the take, then what [`Retargeted::ending`] says. A take that is longer than
    /// what is asked for is simply left early.
    ///
    /// When it loops, each round begins where the last one ended.
    pub fn sample(&self, time_secs: f32) -> Vec<JointTransform> {
        let (time, rounds) = self.within_take(time_secs);
        let mut pose = sample(&self.frames, self.rate_hz, time);
        if rounds > 0.0 && self.ending() == Ending::Loop {
            pose[self.root].translation += self.way() * rounds;
        }
        pose
    }

    /// Which time of the take is shown at any time ≥ 0, seconds.
    pub fn take_time(&self, time_secs: f32) -> f32 {
        self.within_take(time_secs).0
    }

    /// The time of the take, and how often it was played before.
    fn within_take(&self, time_secs: f32) -> (f32, f32) {
        let whole = self.duration_secs();
        if whole <= 0.0 || time_secs <= whole {
            return (time_secs, 0.0);
        }
        let rounds = libm::floorf(time_secs / whole);
        let rest = time_secs - rounds * whole;
        let time = match self.ending() {
            Ending::Hold => whole,
            Ending::PingPong if rounds as u64 % 2 == 1 => whole - rest,
            Ending::PingPong | Ending::Loop => rest,
        };
        (time, rounds)
    }

    /// From the first frame's root to the last's, in the space of the root's parent.
    fn way(&self) -> Vec3 {
        match self.frames.as_slice() {
            [first, .., last] => last[self.root].translation - first[self.root].translation,
            _ => Vec3::ZERO,
        }
    }
}
