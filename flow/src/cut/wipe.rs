//! Wipes: one shot takes the other's place part by part, whole parts at a time.

use super::ranges::Ranges;
use super::thumbnail::{SIZE, Thumbnail};
use super::{LEAST_APART, LEAST_GRADUALLY_UNLIKE, Transition};
use crate::cut::CutKind;

/// Lengths that are looked for, steps from frame to frame. In fewer a camera that turns gets from one picture to
/// another by way of such as look like parts of both.
const STEPS: [usize; 6] = [8, 12, 16, 20, 24, 32];
/// Largest share of the picture in which the second shot is as the first: fire that grows leaves the rest as it
/// was.
const LARGEST_KEPT: f32 = 0.5;
/// Largest share of a part of the picture that its shot does not show, on the whole: what moves.
const LARGEST_STRANGE: f32 = 0.16;
/// Largest share of the picture that neither shot shows in a wipe in place, in any frame and on the whole: soft
/// borders, what moves.
const LARGEST_BETWEEN: [f32; 2] = [0.45, 0.15];
/// Least share of the picture that only one of the two shots shows.
const LEAST_CLEAR: f32 = 0.35;
/// Largest share of the clear pixels that may go back to the first shot from one frame to the next.
const LARGEST_BACK: f32 = 0.06;
/// Frames between the ends in which both are seen…
const FEWEST_SHARED: usize = 4;
/// … with this much of each…
const LEAST_SHARED: f32 = 0.08;
/// … of which the first have no more of the second shot, and the last no less, than these shares.
const ALMOST: [f32; 2] = [0.3, 0.7];
/// How far the share of the second shot may fall back from one frame to the next…
const BACK: f32 = 0.04;
/// … and grow: a cut in one go is no wipe.
const LEAP: f32 = 0.5;
/// A frame shows one shot alone where no more than these shares are of the other, and of neither.
const ALONE: [f32; 2] = [0.02, 0.05];
/// Parts hang together: where both shots have a fair share of the picture, this share, at most, of the neighbours
/// that chance would part show another shot.
const LARGEST_TORN: f32 = 0.5;
/// A fair share.
const FAIR: f32 = 0.25;
/// A border is where it is, and nowhere else: there this share, at most, is strange of what is usual for borders…
const LARGEST_OF_USUAL: f32 = 0.4;
/// … which is no less than this: of a plain ground all borders look alike.
const LEAST_USUAL: f32 = 0.25;
/// Pictures that lie beside each other differ along their border by this many times what neighbours in them
/// do; a camera that turns shows one picture that is wider.
const SEAM: f32 = 3.0;
/// Of the lines that a border crosses one in so many is looked at, and borders three apart first: surroundings of a
/// pixel count as the pixel.
const LINES: usize = 2;
/// Rows or columns by which such a camera may turn more than a picture.
const GAP: usize = 4;

/// Wipes of any shape between pictures that stay where they are, or that push each other: wherever two frames
/// of different structure have between them frames that show parts of both and nothing else, ever more of the
/// second.
pub(super) fn wipes(small: &[Thumbnail]) -> impl Iterator<Item = Transition> {
    let ranges: Vec<Ranges> = small.iter().map(Ranges::of).collect();
    (0..small.len()).filter_map(move |start| {
        STEPS.into_iter().find_map(|length| {
            // Long windows have room to spare for what is looked for.
            if start % (length / STEPS[0]) != 0 {
                return None;
            }
            let end = start + length;
            let [a, b] = [small.get(start)?, small.get(end)?];
            if a.difference(b) < LEAST_APART || a.unlike(b) < LEAST_GRADUALLY_UNLIKE {
                return None;
            }
            let shots = [&ranges[start], &ranges[end]];
            let kept = (0..b.0.len()).filter(|pixel| shots[0].shows(*pixel, b.0[*pixel]));
            if kept.count() as f32 > LARGEST_KEPT * b.0.len() as f32 {
                return None;
            }
            let between = &small[start + 1..end];
            let shared = in_place(between, shots).or_else(|| pushed(between, [a, b], shots))?;
            let [first, last] = shared.map(|frame| start + 1 + frame);
            if shots[0].are_moved_to(&small[first.midpoint(last)]) {
                return None;
            }
            Some(Transition {
                from: first - 1,
                to: last + 1,
                at: first.midpoint(last),
                kind: CutKind::Wipe,
            })
        })
    })
}

/// How much of the second shot there is in the frames, one after another.
#[derive(Default)]
struct Growth {
    last: f32,
    shared: Option<[usize; 2]>,
    count: usize,
    /// For each frame, whether it shows only the first shot, or only the second.
    alone: Vec<[bool; 2]>,
}

impl Growth {
    /// Takes in the next frame; whether it fits.
    fn push(&mut self, share: f32, strange: f32) -> bool {
        let frame = self.alone.len();
        let other = [share, 1.0 - share];
        self.alone
            .push(other.map(|other| other <= ALONE[0] && strange <= ALONE[1]));
        if frame == 0 && share > ALMOST[0] {
            return false;
        }
        if share < self.last - BACK || share > self.last + LEAP {
            return false;
        }
        self.last = self.last.max(share);
        if (LEAST_SHARED..=1.0 - LEAST_SHARED).contains(&share) {
            self.count += 1;
            self.shared = Some([self.shared.map_or(frame, |[first, _]| first), frame]);
        }
        true
    }

    /// First and last frame that do not show one shot alone, where enough show both.
    fn finish(self) -> Option<[usize; 2]> {
        let is_whole = self.last >= ALMOST[1] && self.count >= FEWEST_SHARED;
        let [mut first, mut last] = self.shared.filter(|_| is_whole)?;
        while first > 0 && !self.alone[first - 1][0] {
            first -= 1;
        }
        while last + 1 < self.alone.len() && !self.alone[last + 1][1] {
            last += 1;
        }
        Some([first, last])
    }
}

/// A wipe of any shape between shots that stay where they are; the first and the last frame of it.
fn in_place(between: &[Thumbnail], [first, second]: [&Ranges; 2]) -> Option<[usize; 2]> {
    let mut growth = Growth::default();
    let mut all_strange = 0.0;
    let mut before: Option<Vec<Option<bool>>> = None;
    for picture in between {
        let count = picture.0.len() as f32;
        let (mut strange, mut of_first, mut of_second) = (0.0f32, 0.0f32, 0.0f32);
        let mut now = Vec::with_capacity(picture.0.len());
        for (pixel, value) in picture.0.iter().enumerate() {
            let shows = [first.shows(pixel, *value), second.shows(pixel, *value)];
            now.push(match shows {
                [true, false] => Some(false),
                [false, true] => Some(true),
                _ => None,
            });
            strange += f32::from(shows == [false, false]);
            of_first += f32::from(shows == [true, false]);
            of_second += f32::from(shows == [false, true]);
        }
        let clear = of_first + of_second;
        let share = of_second / clear;
        let is_fair = (FAIR..=1.0 - FAIR).contains(&share);
        if is_fair && torn(&now) > LARGEST_TORN * 2.0 * share * (1.0 - share) {
            return None;
        }
        let was = before.as_ref();
        let back = was.map_or(0.0, |before| {
            let pairs = before.iter().zip(&now);
            pairs
                .filter(|(a, b)| **a == Some(true) && **b == Some(false))
                .count() as f32
        });
        all_strange += strange / (count * between.len() as f32);
        if strange > LARGEST_BETWEEN[0] * count
            || all_strange > LARGEST_BETWEEN[1]
            || clear < LEAST_CLEAR * count
            || back > LARGEST_BACK * clear
            || !growth.push(share, strange / count)
        {
            return None;
        }
        before = Some(now);
    }
    growth.finish()
}

/// Share of neighbouring pixels, of those that clearly show one of the shots (`true`: the second), that show
/// another than each other.
fn torn(shows: &[Option<bool>]) -> f32 {
    let [columns, rows] = SIZE;
    let (mut count, mut torn) = (0.0f32, 0.0f32);
    let mut compare = |a: Option<bool>, b: Option<bool>| {
        if let (Some(a), Some(b)) = (a, b) {
            count += 1.0;
            torn += f32::from(a != b);
        }
    };
    for y in 0..rows {
        for x in 0..columns {
            let at = y * columns + x;
            if x + 1 < columns {
                compare(shows[at], shows[at + 1]);
            }
            if y + 1 < rows {
                compare(shows[at], shows[at + columns]);
            }
        }
    }
    torn / count.max(1.0)
}

/// Where a straight border between the shots goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Up,
    Down,
}

/// A way in which a border goes over the picture: to which side, and which of the shots go with it.
#[derive(Debug, Clone, Copy)]
struct Push {
    side: Side,
    carries: [bool; 2],
}

impl Push {
    /// Every one but the wipe in place, which needs no straight border.
    const ALL: [Self; 12] = {
        let sides = [Side::Left, Side::Right, Side::Up, Side::Down];
        let carried = [[true, true], [false, true], [true, false]];
        let mut all = [Self {
            side: Side::Left,
            carries: [true, true],
        }; 12];
        let mut index = 0;
        while index < 12 {
            all[index] = Self {
                side: sides[index / 3],
                carries: carried[index % 3],
            };
            index += 1;
        }
        all
    };

    /// Rows or columns that the border crosses.
    fn length(self) -> usize {
        match self.side {
            Side::Left | Side::Right => SIZE[0],
            Side::Up | Side::Down => SIZE[1],
        }
    }

    /// Pixel of place `along` the way of the border (from where the second shot comes in) and `across` it.
    fn pixel(self, along: usize, across: usize) -> usize {
        let [columns, rows] = SIZE;
        match self.side {
            Side::Right => across * columns + along,
            Side::Left => across * columns + columns - 1 - along,
            Side::Down => along * columns + across,
            Side::Up => (rows - 1 - along) * columns + across,
        }
    }

    /// Share of that part of `picture` that is not what it must be when the second shot has come in by `into`: the
    /// part of the first or of the second, whichever is worse.
    fn strange(self, picture: &Thumbnail, [first, second]: [&Ranges; 2], into: usize) -> f32 {
        let length = self.length();
        let across = picture.0.len() / length;
        let mut strange = [0.0f32; 2];
        for along in 0..length {
            let of_second = along < into;
            // Where in its own shot that is seen.
            let own = match (of_second, self.carries) {
                (true, [_, true]) => along + length - into,
                (false, [true, _]) => along - into,
                _ => along,
            };
            let shot = if of_second { second } else { first };
            for across in (0..across).step_by(LINES) {
                let value = picture.0[self.pixel(along, across)];
                let is_shown = shot.shows(self.pixel(own, across), value);
                strange[usize::from(of_second)] += f32::from(!is_shown);
            }
        }
        // Of a small part more may be strange: what moves, and the border.
        let share = |strange: f32, rows: usize| {
            let whole = (rows as f32).max(FAIR * length as f32);
            strange / (whole * across.div_ceil(LINES) as f32)
        };
        share(strange[0], length - into).max(share(strange[1], into))
    }

    /// Are two pictures laid beside each other as this has them one wider picture?
    fn is_seamless(self, [first, second]: [&Thumbnail; 2]) -> bool {
        let length = self.length();
        let count = first.0.len() / length;
        let step = |a: (&Thumbnail, usize), b: (&Thumbnail, usize)| {
            let differ = |across: usize| {
                let at =
                    |(picture, along): (&Thumbnail, usize)| picture.0[self.pixel(along, across)];
                (at(a) - at(b)).abs()
            };
            (0..count).map(differ).sum::<f32>() / count as f32
        };
        let inside = |picture| {
            let steps = (1..length).map(|along| step((picture, along - 1), (picture, along)));
            steps.sum::<f32>() / (length - 1) as f32
        };
        // The beginning of the first follows the end of the second, or what is a little farther in either: a
        // camera need not turn by just a picture.
        let near = (0..=GAP).flat_map(|a| [[a, 0], [0, a]]);
        let seams = near.map(|[a, b]| step((second, length - 1 - a), (first, b)));
        seams.fold(f32::INFINITY, f32::min) < SEAM * 0.5 * (inside(first) + inside(second)).max(1.0)
    }
}

/// A wipe with a straight border that takes one or both of the shots with it; the first and the last frame of
/// it.
fn pushed(
    between: &[Thumbnail],
    pictures: [&Thumbnail; 2],
    shots: [&Ranges; 2],
) -> Option<[usize; 2]> {
    let middle = between.get(between.len() / 2)?;
    Push::ALL.into_iter().find_map(|push| {
        let coarse = || (0..=push.length()).step_by(3);
        let best = |picture: &Thumbnail| {
            let least = |all: &mut dyn Iterator<Item = usize>| {
                let all = all.map(|into| (push.strange(picture, shots, into), into));
                all.min_by(|a, b| a.0.total_cmp(&b.0))
            };
            let (_, near) = least(&mut coarse())?;
            least(&mut (near.saturating_sub(2)..=(near + 2).min(push.length())))
        };
        // Most are out after one look.
        let mut usual: Vec<f32> = coarse()
            .map(|into| push.strange(middle, shots, into))
            .collect();
        usual.sort_unstable_by(f32::total_cmp);
        let usual = usual[usual.len() / 2];
        let limit = LARGEST_STRANGE.min(LARGEST_OF_USUAL * usual);
        if usual < LEAST_USUAL || best(middle)?.0 > limit {
            return None;
        }
        if push.carries == [true, true] && push.is_seamless(pictures) {
            return None;
        }
        let mut growth = Growth::default();
        for picture in between {
            let (strange, into) = best(picture)?;
            let share = into as f32 / push.length() as f32;
            if strange > LARGEST_STRANGE || !growth.push(share, 0.0) {
                return None;
            }
        }
        growth.finish()
    })
}
