//! What sampled takes of every format have in common.

use crate::motion::Motion;

/// Rate of takes whose file says none, Hz.
pub(super) const DEFAULT_RATE_HZ: f32 = 30.0;
/// Most transforms of all takes of a file (320 MiB): longer ones are taken for damaged.
pub(super) const MAX_TRANSFORMS: usize = 1 << 23;

/// Turns each rotation to the side of the one before it (q and −q are the same): what lies between
/// two samples can then be interpolated without looking.
pub(super) fn steady(motion: &mut Motion) {
    let Some((first, rest)) = motion.frames.split_first_mut() else {
        return;
    };
    let mut before = first;
    for frame in rest {
        for (now, before) in frame.iter_mut().zip(before.iter()) {
            if now.rotation.dot(before.rotation) < 0.0 {
                now.rotation = -now.rotation;
            }
        }
        before = frame;
    }
}
