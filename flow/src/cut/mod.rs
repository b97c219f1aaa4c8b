//! Cuts, dissolves, fades and wipes: where one shot ends and another begins.

mod gradual;
mod ranges;
#[cfg(test)]
mod tests;
mod thumbnail;
mod wipe;

use std::ops::Range;

pub use thumbnail::Thumbnail;

/// How one shot becomes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// From one frame to the next.
    Hard,
    /// Both are seen at once for a time.
    Dissolve,
    /// Nothing is seen for a time.
    Fade,
    /// Part by part.
    Wipe,
}

/// Where another shot begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// 0-based; the cut is before it, the middle of a dissolve, fade or wipe at it.
    pub frame: usize,
    /// How it begins.
    pub kind: CutKind,
}

/// Mean difference, levels, below which nothing is a cut: the same shot under changing light.
const LEAST_DIFFERENCE: f32 = 12.0;
/// How often the difference must be that of the frames around. Fast camera moves differ all the time, a
/// cut only once.
const LEAST_STRENGTH: f32 = 4.0;
/// Frames around on each side.
const AROUND: usize = 4;
/// Least share of the structure that goes at a cut: 1 − correlation of the small pictures…
const LEAST_UNLIKE: f32 = 0.45;
/// … or this, where both shots are seen in the frames between them…
const LEAST_GRADUALLY_UNLIKE: f32 = 0.3;
/// … or this, where brightness changes as well: light alone changes no structure…
const LEAST_CHANGED: f32 = 0.15;
/// … in this share of the picture.
const LEAST_MOVED: f32 = 0.16;
/// Lengths of gradual transitions that are looked for, steps from frame to frame.
const STEPS: [usize; 8] = [4, 6, 8, 12, 16, 20, 24, 32];
/// Mean difference, levels, between the ends of a gradual transition.
const LEAST_APART: f32 = 10.0;

/// One shot becoming another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Transition {
    /// Last frame of the first shot alone.
    from: usize,
    /// First frame of the second shot alone.
    to: usize,
    /// What [`Cut::frame`] says.
    at: usize,
    kind: CutKind,
}

/// The first place where frames `clip` of `pictures` are no longer the shot that they were, if there is one. The
/// frames around the clip tell what begins or ends beyond its ends: up to [`CONTEXT`] of them are of use on each
/// side.
///
/// - A hard cut: a frame differs from the one before as no frames around it differ, in brightness or in
///   structure.
/// - A dissolve: two frames of different structure, and all between them are mixtures of the two with more
///   and more of the second.
/// - A fade: frames without structure (black, white), and different structure before and after them.
/// - A wipe: two frames of different structure, and all between them show parts of the two, more and more of the
///   second; in place, or pushed by a straight border. (A camera that turns by more than a picture may look like one; its
///   points are lost all the same.)
pub fn find_cut(pictures: &[Thumbnail], clip: Range<usize>) -> Option<Cut> {
    // Neither all before it nor all behind it is in the clip.
    let is_inside = |found: &Transition| found.to > clip.start && found.from + 1 < clip.end;
    let levelled: Vec<Thumbnail> = pictures.iter().map(Thumbnail::without_brightness).collect();
    let hard = hard_cuts(pictures).find(is_inside);
    let first = [
        hard,
        gradual::dissolves(&levelled).find(is_inside),
        gradual::fades(pictures).find(is_inside),
        wipe::wipes(pictures).find(is_inside),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|found| found.at)?;
    // A cut between shots that move may look like a short wipe around it.
    let found = hard
        .filter(|hard| (first.from..=first.to).contains(&hard.at))
        .unwrap_or(first);
    Some(Cut {
        frame: found.at,
        kind: found.kind,
    })
}

/// Frames beyond an end of a clip that tell something of it: the longest transition.
pub const CONTEXT: usize = 32;

/// Hard cuts.
fn hard_cuts(small: &[Thumbnail]) -> impl Iterator<Item = Transition> {
    let steps: Vec<f32> = small
        .windows(2)
        .map(|pair| pair[0].difference(&pair[1]))
        .collect();
    (0..steps.len()).filter_map(move |at| {
        let around =
            (at.saturating_sub(AROUND)..=(at + AROUND).min(steps.len() - 1)).filter(|i| *i != at);
        let usual = around.map(|i| steps[i]).fold(0.0, f32::max);
        let strength = steps[at] / usual.max(1.0);
        let [before, after] = [&small[at], &small[at + 1]];
        let unlike = before.unlike(after);
        let is_cut = steps[at] >= LEAST_DIFFERENCE
            && (strength >= LEAST_STRENGTH || (strength >= 1.5 && unlike >= 2.0 * LEAST_UNLIKE))
            && before.unlike_where_exposed(after) >= LEAST_CHANGED
            && (unlike >= LEAST_UNLIKE
                || (unlike >= LEAST_CHANGED && before.moved(after) >= LEAST_MOVED));
        is_cut.then_some(Transition {
            from: at,
            to: at + 1,
            at: at + 1,
            kind: CutKind::Hard,
        })
    })
}
