//! Built-in motions: short takes of the standard built-in person, made by formula.
//!
//! All are at 30 Hz on Mixamo's skeleton, face −Y and stand on z = 0. Feet that bear weight stay where
//! they are: legs are solved from the feet up.

mod figure;
mod gait;
mod stationary;
#[cfg(test)]
mod tests;

use crate::Motion;
use figure::{Figure, Stance};

/// Samples per second.
pub(super) const RATE_HZ: f32 = 30.0;

/// One entry of the list.
struct Take {
    name: &'static str,
    /// Intervals between frames.
    intervals: usize,
    /// What a caption says the person does.
    verb: &'static str,
    loops: bool,
    stance: fn(f32, &Figure) -> Stance,
}

const fn take(
    name: &'static str,
    intervals: usize,
    verb: &'static str,
    loops: bool,
    stance: fn(f32, &Figure) -> Stance,
) -> Take {
    Take {
        name,
        intervals,
        verb,
        loops,
        stance,
    }
}

/// By name; `stance` takes the share of the take that has gone by.
static TAKES: &[Take] = &[
    take(
        "dance_groove",
        120,
        "dances on the spot",
        true,
        stationary::dance_groove,
    ),
    take(
        "dance_step",
        96,
        "dances from side to side",
        true,
        stationary::dance_step,
    ),
    take(
        "dance_twist",
        96,
        "dances the twist",
        true,
        stationary::dance_twist,
    ),
    take("idle", 180, "stands", true, stationary::idle),
    take(
        "jump",
        (stationary::JUMP_SECS * RATE_HZ) as usize,
        "jumps",
        true,
        stationary::jump,
    ),
    take("run", gait::RUN.frames, "runs", true, |t, figure| {
        gait::RUN.stance(t * gait::RUN.frames as f32 / RATE_HZ, figure)
    }),
    take("sit_down", 60, "sits down", false, stationary::sit_down),
    take("walk", gait::WALK.frames, "walks", true, |t, figure| {
        gait::WALK.stance(t * gait::WALK.frames as f32 / RATE_HZ, figure)
    }),
    take("wave", 105, "waves a hand", true, stationary::wave_hand),
];

fn find(id: &str) -> Option<&'static Take> {
    let name = id.strip_prefix("builtin/motion/")?;
    TAKES.iter().find(|take| take.name == name)
}

/// Ids of all built-in motions, by name.
pub fn motion_ids() -> Vec<String> {
    TAKES
        .iter()
        .map(|take| format!("builtin/motion/{}", take.name))
        .collect()
}

/// Builds `builtin/motion/<name>`; `None` for any other id.
pub fn motion(id: &str) -> Option<Motion> {
    let take = find(id)?;
    let figure = Figure::new();
    let frames = (0..=take.intervals)
        .map(|frame| {
            figure.pose(&(take.stance)(
                frame as f32 / take.intervals as f32,
                &figure,
            ))
        })
        .collect();
    Some(Motion {
        name: take.name.to_owned(),
        joints: figure.joints,
        rate_hz: RATE_HZ,
        frames,
        ..Motion::default()
    })
}

/// What a person in this motion does, for a caption (`walks`); `None` when `id` is none.
pub fn motion_verb(id: &str) -> Option<&'static str> {
    find(id).map(|take| take.verb)
}

/// Whether the motion's last frame joins its first, but for where it is; `None` when `id` is none.
pub fn motion_loops(id: &str) -> Option<bool> {
    find(id).map(|take| take.loops)
}
