//! Joining the denoised pictures of the worlds of one frame.
//!
//! Each world's picture is denoised by itself, so a denoiser with a wide footprint makes pixels
//! differ between worlds far from anything that differs in the scene. The join makes them equal
//! again, bit for bit, farther than [`JOIN_RADIUS_PX`] from a touched pixel.
//!
//! Which picture both take there decides whether a ghost stays. The denoised *full* picture may
//! carry a trace of the removed object a few pixels around it; taken into the removed picture, that
//! is an outline of something that must not be there. The denoised *removed* picture carries at most
//! a trace of the background that the object hides, and that background is plausible next to itself.
//! So with one removed world that world's picture is never altered, and the full picture is
//!
//! ```text
//! full' = full                     where touched
//!       = removed                  farther than N from every touched pixel
//!       = blended by the distance  in between
//! ```
//!
//! With several removed worlds, full' must equal each of them far from *its own* touched set, so the
//! worlds must agree on one picture B there. B is the mean of the removed worlds' pictures, each
//! weighted by 1/d² of the distance d to its own touched set, and by 0 inside it: close to what world w
//! lost, the picture that never saw it dominates. Then, with s the blend of world w (0 where
//! touched, 1 beyond N) and S the largest s of all worlds at the pixel,
//!
//! ```text
//! full' = full + S (B − full)         world' = world + s (B − world)
//! ```
//!
//! which is the rule above when there is one world (B is then its picture).

use diorama_synth::frame::Plane;
use glam::Vec3;
use rayon::prelude::*;

/// Pixels farther than this (Euclidean, between pixel centres) from every touched pixel are equal in
/// both worlds. Video compression adds a few pixels of its own; the pair law for decoded video starts
/// 8 px from a touched pixel, and 6 leaves room for half a chroma block.
pub const JOIN_RADIUS_PX: u32 = 6;

/// Joins the denoised pictures of one frame in place; see the module text.
///
/// `touched[w]` (non-zero: touched) is relative to the full world, for the picture `removed[w]`.
///
/// # Panics
/// When the sizes of the planes, or the lengths of the two lists, differ.
pub fn join_worlds(full: &mut Plane<Vec3>, removed: &mut [Plane<Vec3>], touched: &[&Plane<u8>]) {
    assert_eq!(
        removed.len(),
        touched.len(),
        "one touched plane per removed world"
    );
    let size = (full.width, full.height);
    for (picture, plane) in removed.iter().zip(touched) {
        assert_eq!(
            (picture.width, picture.height),
            size,
            "pictures of one size"
        );
        assert_eq!(
            (plane.width, plane.height),
            size,
            "touched planes of the pictures' size"
        );
    }
    let width = full.width as usize;
    if removed.is_empty() || full.data.is_empty() {
        return;
    }
    let distances: Vec<Vec<u32>> = touched
        .iter()
        .map(|plane| squared_distances(width, &plane.data))
        .collect();

    let mut rows: Vec<Rows> = full
        .data
        .chunks_mut(width)
        .enumerate()
        .map(|(row, full)| Rows {
            first: row * width,
            full,
            removed: Vec::with_capacity(removed.len()),
        })
        .collect();
    for picture in removed.iter_mut() {
        for (rows, row) in rows.iter_mut().zip(picture.data.chunks_mut(width)) {
            rows.removed.push(row);
        }
    }
    rows.par_iter_mut().for_each(|rows| rows.join(&distances));
}

/// The same row of all pictures.
struct Rows<'a> {
    /// Index of the row's first pixel.
    first: usize,
    full: &'a mut [Vec3],
    removed: Vec<&'a mut [Vec3]>,
}

impl Rows<'_> {
    fn join(&mut self, distances: &[Vec<u32>]) {
        for x in 0..self.full.len() {
            let squared = |world: usize| distances[world][self.first + x];
            let mut contributors = 0;
            let mut only = 0;
            let mut weights = 0.0;
            let mut sum = Vec3::ZERO;
            let mut largest_blend = 0.0_f32;
            for (world, picture) in self.removed.iter().enumerate() {
                let blend = blend(squared(world));
                if blend > 0.0 {
                    let weight = blend / squared(world) as f32;
                    contributors += 1;
                    only = world;
                    weights += weight;
                    sum += weight * picture[x];
                    largest_blend = largest_blend.max(blend);
                }
            }
            if contributors == 0 {
                continue;
            }
            // One picture is taken as it is, not through a division.
            let shared = if contributors == 1 {
                self.removed[only][x]
            } else {
                sum / weights
            };
            self.full[x] = mix(self.full[x], shared, largest_blend);
            for (world, picture) in self.removed.iter_mut().enumerate() {
                picture[x] = mix(picture[x], shared, blend(distances[world][self.first + x]));
            }
        }
    }
}

/// `a` at `t` = 0 and `b` at `t` = 1, exactly.
fn mix(a: Vec3, b: Vec3, t: f32) -> Vec3 {
    if t >= 1.0 {
        b
    } else if t <= 0.0 || a == b {
        a
    } else {
        a + t * (b - a)
    }
}

/// Share of the shared picture at a squared distance: 0 at a touched pixel, 1 beyond the radius,
/// with zero slope at both ends.
fn blend(squared_distance: u32) -> f32 {
    if squared_distance > JOIN_RADIUS_PX * JOIN_RADIUS_PX {
        return 1.0;
    }
    let t = (squared_distance as f32).sqrt() / (JOIN_RADIUS_PX + 1) as f32;
    t * t * (3.0 - 2.0 * t)
}

/// Squared Euclidean distance, pixels, of each pixel to the nearest non-zero one; `u32::MAX` when
/// there is none. Exact, in integers (Meijster, Roerdink & Hesselink 2000).
fn squared_distances(width: usize, marked: &[u8]) -> Vec<u32> {
    let height = marked.len() / width;
    // Longer than any distance in the picture, and its square fits in i64 with room.
    let far = (width + height) as i64;
    // Distance to the nearest marked pixel of the same column.
    let mut column = vec![far; marked.len()];
    for x in 0..width {
        let mut since = far;
        for y in (0..height).chain((0..height).rev()) {
            let i = y * width + x;
            since = if marked[i] != 0 {
                0
            } else {
                (since + 1).min(far)
            };
            column[i] = column[i].min(since);
        }
    }
    let mut squared = vec![0; marked.len()];
    squared
        .par_chunks_mut(width)
        .zip(column.par_chunks(width))
        .for_each(|(out, g)| lower_envelope(out, g, far));
    squared
}

/// min over i of (x − i)² + g(i)² for each x of a row.
fn lower_envelope(out: &mut [u32], g: &[i64], far: i64) {
    let f = |x: i64, i: usize| (x - i as i64) * (x - i as i64) + g[i] * g[i];
    // Parabolas of the envelope and where each begins.
    let mut envelope: Vec<(usize, i64)> = vec![(0, 0)];
    for u in 1..g.len() {
        while let Some(&(i, begin)) = envelope.last()
            && f(begin, i) > f(begin, u)
        {
            envelope.pop();
        }
        match envelope.last() {
            None => envelope.push((u, 0)),
            Some(&(i, _)) => {
                let (a, b) = (i as i64, u as i64);
                let begin = 1 + (b * b - a * a + g[u] * g[u] - g[i] * g[i]).div_euclid(2 * (b - a));
                if begin < g.len() as i64 {
                    envelope.push((u, begin));
                }
            }
        }
    }
    for x in (0..g.len()).rev() {
        while envelope.len() > 1 && envelope[envelope.len() - 1].1 > x as i64 {
            envelope.pop();
        }
        let value = f(x as i64, envelope[envelope.len() - 1].0);
        out[x] = if value >= far * far {
            u32::MAX
        } else {
            u32::try_from(value).unwrap_or(u32::MAX)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small deterministic sequence in 0..1.
    fn uniform(seed: u32) -> impl FnMut() -> f32 {
        let mut state = seed.wrapping_mul(747_796_405) | 1;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0
        }
    }

    fn picture(width: u32, height: u32, seed: u32) -> Plane<Vec3> {
        let mut next = uniform(seed);
        let mut plane = Plane::filled(width, height, Vec3::ZERO);
        for value in &mut plane.data {
            *value = Vec3::new(next(), next(), next());
        }
        plane
    }

    fn marks(width: u32, height: u32, seed: u32, share: f32) -> Plane<u8> {
        let mut next = uniform(seed);
        let mut plane = Plane::filled(width, height, 0);
        for value in &mut plane.data {
            *value = u8::from(next() < share);
        }
        plane
    }

    fn brute_force(width: usize, marked: &[u8]) -> Vec<u32> {
        let at = |i: usize| ((i % width) as i64, (i / width) as i64);
        (0..marked.len())
            .map(|p| {
                (0..marked.len())
                    .filter(|&q| marked[q] != 0)
                    .map(|q| {
                        let ((x, y), (u, v)) = (at(p), at(q));
                        ((x - u) * (x - u) + (y - v) * (y - v)) as u32
                    })
                    .min()
                    .unwrap_or(u32::MAX)
            })
            .collect()
    }

    #[test]
    fn distances_are_exact() {
        for (width, height) in [(1, 1), (1, 9), (13, 1), (17, 11), (8, 23)] {
            for (seed, share) in [(1, 0.0), (2, 0.01), (3, 0.1), (4, 0.6), (5, 1.0)] {
                let marked = marks(width, height, seed, share);
                assert_eq!(
                    squared_distances(width as usize, &marked.data),
                    brute_force(width as usize, &marked.data),
                    "{width}x{height}, {share} marked"
                );
            }
        }
    }

    #[test]
    fn one_removed_world_is_never_altered_and_full_follows_it() {
        let (width, height) = (40, 30);
        let full = picture(width, height, 1);
        let removed = picture(width, height, 2);
        let touched = marks(width, height, 3, 0.004);
        let distances = brute_force(width as usize, &touched.data);
        let mut joined_full = full.clone();
        let mut joined = vec![removed.clone()];
        join_worlds(&mut joined_full, &mut joined, &[&touched]);
        assert_eq!(joined[0], removed);
        let mut between = 0;
        for i in 0..full.data.len() {
            if touched.data[i] != 0 {
                assert_eq!(joined_full.data[i], full.data[i]);
            } else if distances[i] > JOIN_RADIUS_PX * JOIN_RADIUS_PX {
                assert_eq!(joined_full.data[i], removed.data[i]);
            } else {
                let low = full.data[i].min(removed.data[i]) - 1e-6;
                let high = full.data[i].max(removed.data[i]) + 1e-6;
                assert!(
                    joined_full.data[i].cmpge(low).all() && joined_full.data[i].cmple(high).all()
                );
                between += 1;
            }
        }
        assert!(between > 0);
    }

    #[test]
    fn every_world_equals_full_far_from_what_it_lost() {
        let (width, height) = (64, 48);
        let mut full = picture(width, height, 1);
        let mut removed: Vec<_> = (2..5).map(|seed| picture(width, height, seed)).collect();
        let own = removed.clone();
        let touched: Vec<_> = (7..10)
            .map(|seed| marks(width, height, seed, 0.001))
            .collect();
        let refs: Vec<_> = touched.iter().collect();
        join_worlds(&mut full, &mut removed, &refs);
        for (world, plane) in touched.iter().enumerate() {
            let distances = brute_force(width as usize, &plane.data);
            assert!(plane.data.contains(&1));
            for i in 0..full.data.len() {
                if distances[i] > JOIN_RADIUS_PX * JOIN_RADIUS_PX {
                    assert_eq!(removed[world].data[i], full.data[i]);
                } else if distances[i] == 0 {
                    assert_eq!(removed[world].data[i], own[world].data[i]);
                }
            }
        }
    }

    #[test]
    fn nothing_touched_makes_all_worlds_equal() {
        let mut full = picture(16, 16, 1);
        let mut removed = vec![picture(16, 16, 2), picture(16, 16, 3)];
        let untouched = Plane::filled(16, 16, 0);
        join_worlds(&mut full, &mut removed, &[&untouched, &untouched]);
        assert_eq!(full, removed[0]);
        assert_eq!(full, removed[1]);
    }

    #[test]
    fn equal_pictures_stay_as_they_are() {
        let same = picture(20, 20, 6);
        let mut full = same.clone();
        let mut removed = vec![same.clone()];
        join_worlds(&mut full, &mut removed, &[&marks(20, 20, 8, 0.05)]);
        assert_eq!(full, same);
        assert_eq!(removed[0], same);
    }
}
