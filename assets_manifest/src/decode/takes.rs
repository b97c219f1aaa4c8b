//! What sampled takes of every format have in common.

use super::Source;
use crate::motion::Motion;

/// Rate of takes whose file says none, Hz.
pub(super) const DEFAULT_RATE_HZ: f32 = 30.0;
/// Most transforms of all takes of a file (320 MiB): longer ones are taken for damaged.
const MAX_TRANSFORMS: u64 = 1 << 23;
/// Transforms that any file may have (40 MiB: ten minutes of a person), and how many more for each byte of
/// it: two keys a year apart are a short file.
const FREE_TRANSFORMS: u64 = 1 << 20;
const TRANSFORMS_PER_BYTE: u64 = 8;

/// Most transforms of all takes of the files read.
pub(super) fn most_transforms(source: &Source) -> usize {
    let held = source.bytes_read.saturating_mul(TRANSFORMS_PER_BYTE);
    MAX_TRANSFORMS.min(held.max(FREE_TRANSFORMS)) as usize
}

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
