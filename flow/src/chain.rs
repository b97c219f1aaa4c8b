//! Tracks by chained flow.
//!
//! From frame to frame a point goes where the flow at its sub-pixel place takes it. It is seen as long as
//! the flow back brings it home (the rule of Sundaram, Brox and Keutzer, "Dense Point Trajectories by
//! GPU-Accelerated Large Displacement Optical Flow", ECCV 2010) and it looks like before. What it looked
//! like in the frame of its query pulls it back where the chain has drifted ([`Anchor`]). A hidden point
//! goes along with the points that moved as it did; it is seen again where its look is found anew.

use glam::{DMat2, DVec2};
use rayon::prelude::*;

use crate::anchor::Anchor;
use crate::dense::{DenseFlow, Flow};
use crate::plane::{Luma, Pyramid};
use crate::tracker::{Clip, PointTracker, Query, TrackError, Tracks};

/// How flow becomes tracks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowTrackerSettings {
    /// Largest share of the motion that the way there and back may be off…
    pub round_trip_share: f64,
    /// … beside this, pixels² (Sundaram's 0.01 and 0.5).
    pub round_trip_px2: f64,
    /// Pull chains back to what the points looked like.
    pub anchors: bool,
    /// Least correlation with that look for which it is believed.
    pub least_likeness: f32,
    /// Correlation with the latest look under which a point counts as hidden.
    pub hidden_likeness: f32,
    /// Least correlation at which a hidden point is seen again.
    pub seen_again_likeness: f32,
    /// Largest difference of its middle, levels, at which a lost point is taken for what it was where it
    /// was expected.
    pub same_difference: f32,
    /// Difference of its middle, levels, from which a point that has changed its look counts as hidden.
    pub other_difference: f32,
}

impl Default for FlowTrackerSettings {
    fn default() -> Self {
        Self {
            round_trip_share: 0.01,
            round_trip_px2: 0.5,
            anchors: true,
            least_likeness: 0.8,
            hidden_likeness: 0.3,
            seen_again_likeness: 0.85,
            same_difference: 6.0,
            other_difference: 30.0,
        }
    }
}

/// The tracker that needs nothing but the pictures. See the module text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FlowTracker {
    /// How flow is estimated.
    pub flow: DenseFlow,
    /// How it is chained.
    pub settings: FlowTrackerSettings,
}

/// Growth of a chained position's variance per frame, pixels².
const DRIFT: f64 = 0.02;
/// Pixels on each side over which the deformation of the flow is taken.
const DEFORMATION_REACH: f64 = 6.0;
/// Largest change of shape per frame that is believed: more is the edge of something.
const LARGEST_DEFORMATION: f64 = 0.15;
/// Farthest that an anchor may pull at once, pixels.
const FARTHEST_PULL: f64 = 3.0;
/// Points that a hidden one goes along with, at most.
const COMPANIONS: usize = 16;
/// How far away they may have been when it was last seen, in shares of the picture's width.
const COMPANION_REACH: f64 = 0.12;
/// Pixels around the expected place where a hidden point's look is searched for, and the step.
const SEARCH: [f64; 2] = [4.0, 2.0];

/// A point on its way.
#[derive(Debug, Clone)]
struct Runner {
    position: DVec2,
    /// How the surroundings have been deformed since the query.
    shape: DMat2,
    is_visible: bool,
    confidence: f32,
    /// Of the position against the query, pixels².
    variance: f64,
    /// Motion of the last step in which it was seen.
    step: DVec2,
    origin: Anchor,
    /// A later look, and the shape then: where the first no longer fits.
    latest: Option<(Anchor, DMat2)>,
    /// Points it went along with when it was last seen.
    companions: Vec<usize>,
}

impl PointTracker for FlowTracker {
    fn name(&self) -> String {
        "flow".into()
    }

    fn track(
        &self,
        clip: &Clip,
        queries: &[Query],
        frame_done: &(dyn Fn() + Sync),
    ) -> Result<Tracks, TrackError> {
        clip.check()?;
        let count = clip.frames.len();
        if let Some(index) = queries.iter().position(|q| q.frame as usize >= count) {
            return Err(TrackError::Query {
                index,
                frame: queries[index].frame,
                frames: count,
            });
        }
        let points = queries.len();
        let mut tracks = Tracks {
            points,
            positions: vec![DVec2::ZERO; points * count],
            visible: vec![false; points * count],
            confidence: vec![0.0; points * count],
        };
        self.sweep(clip, queries, false, &mut tracks, frame_done);
        self.sweep(clip, queries, true, &mut tracks, frame_done);
        Ok(tracks)
    }
}

impl FlowTracker {
    /// Follows all points from their queries to one end of the clip: in reversed time to its beginning.
    fn sweep(
        &self,
        clip: &Clip,
        queries: &[Query],
        reversed: bool,
        tracks: &mut Tracks,
        frame_done: &(dyn Fn() + Sync),
    ) {
        let count = clip.frames.len();
        let (width, height) = (clip.width as usize, clip.height as usize);
        let frame_at = |time: usize| if reversed { count - 1 - time } else { time };
        let start_of = |query: &Query| {
            let frame = query.frame as usize;
            if reversed { count - 1 - frame } else { frame }
        };
        let Some(first) = queries.iter().map(start_of).min() else {
            return;
        };
        let pyramid = |time: usize| {
            let rgb = &clip.frames[frame_at(time)];
            Pyramid::new(Luma::of_rgb(width, height, rgb))
        };
        let mut runners: Vec<Option<Runner>> = vec![None; queries.len()];
        let begin =
            |time: usize, picture: &Luma, runners: &mut [Option<Runner>], tracks: &mut Tracks| {
                for (index, query) in queries.iter().enumerate() {
                    if start_of(query) == time {
                        runners[index] = Some(Runner::new(picture, query.position));
                        tracks.set(frame_at(time), index, query.position, true, 1.0);
                    }
                }
            };
        // As many pairs at once as there are threads: whatever that number is, each pair's flow is the same.
        let at_once = rayon::current_num_threads().max(1);
        let mut last = pyramid(first);
        begin(first, &last.levels[0], &mut runners, tracks);
        let mut time = first;
        while time + 1 < count {
            let pairs = at_once.min(count - 1 - time);
            let mut pictures = vec![last];
            pictures.par_extend((time + 1..=time + pairs).into_par_iter().map(pyramid));
            let flows: Vec<[Flow; 2]> = pictures
                .par_windows(2)
                .map(|pair| {
                    let flows = self.flow.both_ways(&pair[0], &pair[1]);
                    frame_done();
                    flows
                })
                .collect();
            for (index, flow) in flows.iter().enumerate() {
                let now = time + index + 1;
                let picture = &pictures[index + 1].levels[0];
                self.step(flow, picture, &mut runners);
                for (point, runner) in runners.iter().enumerate() {
                    if let Some(runner) = runner {
                        tracks.set(
                            frame_at(now),
                            point,
                            runner.position,
                            runner.is_visible,
                            runner.confidence,
                        );
                    }
                }
                begin(now, picture, &mut runners, tracks);
            }
            time += pairs;
            last = pictures.swap_remove(pairs);
        }
    }

    /// Takes all points one frame on.
    fn step(&self, flows: &[Flow; 2], picture: &Luma, runners: &mut [Option<Runner>]) {
        let before: Vec<Option<(DVec2, bool, DVec2)>> = runners
            .iter()
            .map(|r| r.as_ref().map(|r| (r.position, r.is_visible, r.step)))
            .collect();
        runners.par_iter_mut().flatten().for_each(|runner| {
            if runner.is_visible {
                self.follow(flows, picture, runner);
            }
        });
        // Those that have just been lost choose whom to go along with, by where all were while it was seen.
        let lost: Vec<usize> = (0..runners.len())
            .filter(|i| {
                let was_seen = before[*i].is_some_and(|(_, seen, _)| seen);
                was_seen && runners[*i].as_ref().is_some_and(|r| !r.is_visible)
            })
            .collect();
        let reach = COMPANION_REACH * picture.width as f64;
        let chosen: Vec<Vec<usize>> = lost
            .par_iter()
            .map(|i| companions(*i, &before, reach))
            .collect();
        for (i, companions) in lost.iter().zip(chosen) {
            if let Some(runner) = &mut runners[*i] {
                runner.companions = companions;
            }
        }
        // How those still seen have moved.
        let moved: Vec<Option<DVec2>> = runners
            .iter()
            .zip(&before)
            .map(|(now, before)| match (now, before) {
                // One that no longer looks as it did may be going along with what covers it.
                (Some(now), Some((position, true, _)))
                    if now.is_visible && now.latest.is_none() =>
                {
                    Some(now.position - *position)
                }
                _ => None,
            })
            .collect();
        runners
            .par_iter_mut()
            .zip(&before)
            .for_each(|(runner, before)| {
                let (Some(runner), Some((position, ..))) = (runner, before) else {
                    return;
                };
                if runner.is_visible {
                    return;
                }
                let steps: Vec<DVec2> =
                    runner.companions.iter().filter_map(|c| moved[*c]).collect();
                // Without company it stays where it is.
                runner.position = *position + median(&steps).unwrap_or_default();
                runner.variance += 4.0 * DRIFT;
                let step = runner.position - *position;
                self.look_again(flows, picture, step, runner);
            });
    }

    /// A seen point goes with the flow.
    fn follow(&self, [there, back]: &[Flow; 2], picture: &Luma, runner: &mut Runner) {
        let settings = &self.settings;
        let from = runner.position;
        let forward = at(there, from);
        let to = from + forward;
        let inside = is_inside(to, picture);
        let backward = at(back, to);
        let error = (forward + backward).length_squared();
        let allowed = settings.round_trip_share
            * (forward.length_squared() + backward.length_squared())
            + settings.round_trip_px2;
        let deformation = deformation(there, from);
        runner.shape = deformation * runner.shape;
        runner.position = to;
        runner.confidence = libm::exp(-error / allowed) as f32;
        runner.variance += DRIFT + 0.1 * error.min(1.0);
        if !inside || error > allowed {
            runner.is_visible = false;
            return;
        }
        runner.step = forward;
        if settings.anchors {
            self.pull(picture, runner);
            runner.is_visible &= is_inside(runner.position, picture);
        }
    }

    /// Pulls a chained point to where its look is, first the look in the query's frame, then a later one.
    fn pull(&self, picture: &Luma, runner: &mut Runner) {
        let settings = &self.settings;
        if !runner.origin.is_telling() {
            return;
        }
        let found = runner
            .origin
            .find(picture, runner.position, runner.shape, runner.variance);
        if found.likeness >= settings.least_likeness
            && found.position.distance(runner.position) <= FARTHEST_PULL
        {
            runner.position = found.position;
            runner.variance = found.variance;
            runner.latest = None;
            return;
        }
        let Some((anchor, shape)) = &runner.latest else {
            // It has changed its look: from here on it is held to the new one, where it was a little like
            // the old one.
            let difference = runner
                .origin
                .difference(picture, runner.position, runner.shape);
            if found.likeness < settings.hidden_likeness || difference > settings.other_difference {
                runner.is_visible = false;
            } else {
                let anchor = Anchor::new(picture, runner.position);
                runner.latest = Some((anchor, runner.shape));
            }
            return;
        };
        let since = runner.shape * shape.inverse();
        let found = anchor.find(picture, runner.position, since, 0.25);
        if found.likeness >= settings.least_likeness
            && found.position.distance(runner.position) <= FARTHEST_PULL
        {
            runner.position = found.position;
        } else if anchor.difference(picture, runner.position, since) > settings.other_difference
            || (anchor.is_telling() && found.likeness < settings.hidden_likeness)
        {
            runner.is_visible = false;
        } else {
            let anchor = Anchor::new(picture, runner.position);
            runner.latest = Some((anchor, runner.shape));
        }
    }

    /// Is a hidden point seen again near where it should be?
    fn look_again(
        &self,
        [_, back]: &[Flow; 2],
        picture: &Luma,
        step_taken: DVec2,
        runner: &mut Runner,
    ) {
        let settings = &self.settings;
        if !settings.anchors || !is_inside(runner.position, picture) {
            return;
        }
        // It looks as it did, and what is there has come the way that was expected.
        let came = -at(back, runner.position);
        let difference = runner
            .origin
            .difference(picture, runner.position, runner.shape);
        if difference <= settings.same_difference && came.distance(step_taken) <= 1.0 {
            runner.step = came;
            runner.is_visible = true;
            runner.confidence = 0.5;
            runner.companions.clear();
            return;
        }
        if !runner.origin.is_telling() {
            return;
        }
        let [reach, step] = SEARCH;
        let mut best: Option<(DVec2, f32)> = None;
        let mut offset = DVec2::splat(-reach);
        while offset.y <= reach {
            let position = runner.position + offset;
            let likeness = runner.origin.likeness(picture, position, runner.shape);
            if best.is_none_or(|(_, most)| likeness > most) {
                best = Some((position, likeness));
            }
            offset.x += step;
            if offset.x > reach {
                offset = DVec2::new(-reach, offset.y + step);
            }
        }
        let Some((position, _)) = best else { return };
        let found = runner
            .origin
            .find(picture, position, runner.shape, step * step);
        // An edge looks the same all along itself: the place must be known in both directions.
        let is_certain = found.likeness >= settings.seen_again_likeness && found.variance < 0.25;
        if !is_certain || !is_inside(found.position, picture) {
            return;
        }
        runner.position = found.position;
        runner.variance = found.variance;
        runner.step = -at(back, found.position);
        runner.is_visible = true;
        runner.confidence = found.likeness;
        runner.companions.clear();
    }
}

impl Runner {
    fn new(picture: &Luma, position: DVec2) -> Self {
        Self {
            position,
            shape: DMat2::IDENTITY,
            is_visible: true,
            confidence: 1.0,
            variance: DRIFT,
            step: DVec2::ZERO,
            origin: Anchor::new(picture, position),
            latest: None,
            companions: Vec::new(),
        }
    }
}

impl Tracks {
    fn set(&mut self, frame: usize, point: usize, position: DVec2, visible: bool, confidence: f32) {
        let index = frame * self.points + point;
        self.positions[index] = position;
        self.visible[index] = visible;
        self.confidence[index] = confidence;
    }
}

fn at(flow: &Flow, position: DVec2) -> DVec2 {
    let [u, v] = flow.at(position.x as f32, position.y as f32);
    DVec2::new(f64::from(u), f64::from(v))
}

fn is_inside(position: DVec2, picture: &Luma) -> bool {
    position.x >= 0.0
        && position.y >= 0.0
        && position.x < picture.width as f64
        && position.y < picture.height as f64
}

/// How the surroundings of a position are turned and stretched by the flow; not at all where it breaks.
fn deformation(flow: &Flow, position: DVec2) -> DMat2 {
    let reach = DEFORMATION_REACH;
    let slope = |axis: DVec2| {
        let difference = at(flow, position + axis * reach) - at(flow, position - axis * reach);
        difference / (2.0 * reach)
    };
    let (x, y) = (slope(DVec2::X), slope(DVec2::Y));
    let largest = x.abs().max_element().max(y.abs().max_element());
    if largest > LARGEST_DEFORMATION {
        return DMat2::IDENTITY;
    }
    DMat2::IDENTITY + DMat2::from_cols(x, y)
}

/// Points near `index` that were seen and moved as it did.
fn companions(index: usize, before: &[Option<(DVec2, bool, DVec2)>], reach: f64) -> Vec<usize> {
    let Some((position, _, step)) = before[index] else {
        return Vec::new();
    };
    let mut near: Vec<(f64, usize)> = before
        .iter()
        .enumerate()
        .filter_map(|(other, state)| {
            let (there, seen, its_step) = (*state)?;
            let distance = there.distance(position);
            let is_alike = its_step.distance(step) <= 0.5 + 0.1 * step.length();
            (other != index && seen && distance <= reach && is_alike).then_some((distance, other))
        })
        .collect();
    near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.truncate(COMPANIONS);
    near.into_iter().map(|(_, other)| other).collect()
}

/// By each axis; `None` of nothing.
fn median(values: &[DVec2]) -> Option<DVec2> {
    let middle = |mut axis: Vec<f64>| {
        axis.sort_unstable_by(f64::total_cmp);
        axis.get(axis.len() / 2).copied()
    };
    let x = middle(values.iter().map(|v| v.x).collect())?;
    let y = middle(values.iter().map(|v| v.y).collect())?;
    Some(DVec2::new(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, paint};

    const SIZE: [u32; 2] = [128, 80];

    /// A clip whose pixel values are given by frame and place.
    fn clip(frames: usize, value: impl Fn(f32, f32, f32) -> f32) -> Clip {
        let [width, height] = SIZE;
        let frames = (0..frames)
            .map(|f| {
                let picture = paint(width as usize, height as usize, |x, y| {
                    value(f as f32, x, y)
                });
                let grey = picture
                    .data
                    .iter()
                    .map(|v| v.clamp(0.0, 255.0).round() as u8);
                grey.flat_map(|v| [v; 3]).collect()
            })
            .collect();
        Clip {
            width,
            height,
            frames,
        }
    }

    fn grid(frame: u32) -> Vec<Query> {
        (0..60)
            .map(|i| Query {
                frame,
                position: DVec2::new(
                    10.0 + f64::from(i % 10) * 11.7,
                    9.0 + f64::from(i / 10) * 12.1,
                ),
            })
            .collect()
    }

    fn track(clip: &Clip, queries: &[Query]) -> Tracks {
        FlowTracker::default().track(clip, queries, &|| ()).unwrap()
    }

    #[test]
    fn points_of_a_moving_plane_keep_to_it_without_drift() {
        let texture = Texture::new(21);
        let clip = clip(17, |f, x, y| texture.at(x - 1.3 * f, y + 0.7 * f));
        let queries = grid(0);
        let tracks = track(&clip, &queries);
        for f in 0..17 {
            for (query, i) in queries.iter().zip(tracks.frame(f)) {
                let truth = query.position + DVec2::new(1.3, -0.7) * f as f64;
                let inside = truth.x < 120.0 && truth.y > 8.0;
                if inside {
                    assert!(tracks.visible[i], "frame {f} {truth}");
                    assert!(
                        tracks.positions[i].distance(truth) < 0.12,
                        "frame {f} {truth} {}",
                        tracks.positions[i]
                    );
                }
                if truth.x > 130.0 || truth.y < -2.0 {
                    assert!(!tracks.visible[i], "frame {f} {truth}");
                }
            }
        }
    }

    /// A square that passes over a background that stands still.
    fn passing() -> Clip {
        let (ground, square) = (Texture::new(22), Texture::new(23));
        clip(25, move |f, x, y| {
            let (sx, sy) = (x - 4.0 * f + 8.0, y - 20.0);
            if (0.0..30.0).contains(&sx) && (0.0..40.0).contains(&sy) {
                square.at(sx, sy)
            } else {
                ground.at(x, y)
            }
        })
    }

    #[test]
    fn what_is_passed_by_is_hidden_and_seen_again() {
        let clip = passing();
        let query = Query {
            frame: 0,
            position: DVec2::new(60.0, 40.0),
        };
        let mut queries = vec![query];
        queries.extend(grid(0));
        let tracks = track(&clip, &queries);
        // The square is over x = 60 while 4 f − 8 is in 30..60.
        let state = |f: usize| {
            (
                tracks.positions[f * tracks.points],
                tracks.visible[f * tracks.points],
            )
        };
        for f in 0..25 {
            let (position, visible) = state(f);
            let left = 4.0 * f as f64 - 8.0;
            if !(22.0..=70.0).contains(&left) {
                assert!(visible, "frame {f}");
                assert!(
                    position.distance(query.position) < 0.3,
                    "frame {f}: {position}"
                );
            } else if left > 36.0 && left < 54.0 {
                assert!(!visible, "frame {f}");
            }
        }
    }

    #[test]
    fn queries_in_the_middle_run_both_ways() {
        let texture = Texture::new(24);
        let clip = clip(9, |f, x, y| texture.at(x - 2.0 * f, y));
        let queries = grid(4);
        let tracks = track(&clip, &queries);
        for f in [0usize, 2, 4, 8] {
            for (query, i) in queries.iter().zip(tracks.frame(f)) {
                let truth = query.position + DVec2::new(2.0 * (f as f64 - 4.0), 0.0);
                if (8.0..120.0).contains(&truth.x) {
                    assert!(
                        tracks.visible[i] && tracks.positions[i].distance(truth) < 0.15,
                        "{f} {truth}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_same_bits_whatever_the_threads() {
        let clip = passing();
        let queries = grid(0);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| track(&clip, &queries))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn what_is_no_clip_is_refused() {
        let tracker = FlowTracker::default();
        let mut clip = clip(2, |_, x, _| x);
        let query = |frame| Query {
            frame,
            position: DVec2::splat(20.0),
        };
        let refused = tracker
            .track(&clip, &[query(0), query(2)], &|| ())
            .unwrap_err();
        assert_eq!(refused.to_string(), "query 1 is at frame 2 of a clip of 2");
        clip.frames[1].pop();
        let refused = tracker.track(&clip, &[query(0)], &|| ()).unwrap_err();
        assert!(
            refused.to_string().contains("frame 1 is not 128x80"),
            "{refused}"
        );
        clip.frames.clear();
        assert!(tracker.track(&clip, &[], &|| ()).is_err());
    }
}
