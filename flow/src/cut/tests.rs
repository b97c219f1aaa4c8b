//! Shots that are joined in all ways, and light and motion that join nothing.

use super::*;
use crate::plane::Luma;
use crate::testing::{Texture, moved_texture, paint};

/// Of a clip with nothing around it.
fn find(frames: &[Luma]) -> Option<Cut> {
    let small: Vec<Thumbnail> = frames.iter().map(Thumbnail::of).collect();
    find_cut(&small, 0..small.len())
}

#[test]
fn a_cut_is_found_at_its_frame() {
    let (one, other) = (Texture::new(1), Texture::new(2));
    let frames: Vec<Luma> = (0..12)
        .map(|f| {
            let texture = if f < 7 { one } else { other };
            moved_texture(texture, 96, 64, f as f32 * 1.5, 0.0)
        })
        .collect();
    let cut = Cut {
        frame: 7,
        kind: CutKind::Hard,
    };
    assert_eq!(find(&frames), Some(cut));
    assert_eq!(find(&frames[..7]), None);
    assert_eq!(find(&frames[7..8]), None);
}

/// Two moving shots, the second with the share that `share` says of frame f.
fn mixed(share: impl Fn(usize) -> f32, light: impl Fn(usize) -> f32) -> Vec<Luma> {
    (0..30)
        .map(|f| {
            let (way, share, light) = (f as f32 * 0.15, share(f), light(f));
            let mut picture = moved_texture(Texture::new(4), 96, 64, way, 0.0);
            let other = moved_texture(Texture::new(5), 96, 64, 0.0, way);
            for (a, b) in picture.data.iter_mut().zip(&other.data) {
                *a = (*a * (1.0 - share) + b * share) * light;
            }
            picture
        })
        .collect()
}

#[test]
fn dissolves_and_fades_are_found_at_their_middle() {
    let ramp =
        |from: f32, to: f32| move |f: usize| ((f as f32 - from) / (to - from)).clamp(0.0, 1.0);
    for (from, to) in [(8.0, 14.0), (8.0, 22.0), (4.0, 26.0)] {
        let cut = find(&mixed(ramp(from, to), |_| 1.0)).unwrap();
        assert_eq!(cut.kind, CutKind::Dissolve);
        let middle = (from + to) * 0.5;
        assert!(
            (cut.frame as f32 - middle).abs() <= 4.0,
            "{cut:?} of {from} to {to}"
        );
    }
    // Through black, and only to it.
    let dip = |f: usize| ((f as f32 - 15.0).abs() - 1.0).clamp(0.0, 6.0) / 6.0;
    let cut = find(&mixed(|f| f32::from(f > 15), dip)).unwrap();
    assert_ne!(cut.kind, CutKind::Hard);
    assert!((9..=21).contains(&cut.frame), "{cut:?}");
    assert_eq!(find(&mixed(|_| 0.0, dip)), None);
}

#[test]
fn fast_motion_and_changing_light_are_no_cuts() {
    let texture = Texture::new(3);
    let panned: Vec<Luma> = (0..12)
        .map(|f| moved_texture(texture, 96, 64, f as f32 * 9.0, 0.0))
        .collect();
    assert_eq!(find(&panned), None);
    let darkened: Vec<Luma> = (0..12)
        .map(|f| {
            let mut picture = moved_texture(texture, 96, 64, 0.0, 0.0);
            let light = if f < 6 { 1.0 } else { 0.8 };
            for v in &mut picture.data {
                *v *= light;
            }
            picture
        })
        .collect();
    assert_eq!(find(&darkened), None);
}

/// Width and height of the pictures below.
const SIZE: [usize; 2] = [108, 72];

/// Frame f of the first or the second of two moving shots at a place.
fn shot(which: u32, f: usize, x: f32, y: f32) -> f32 {
    let way = 0.3 * f as f32;
    let (dx, dy) = if which == 0 { (way, 0.0) } else { (0.0, way) };
    let texture = Texture::new(11 + which);
    // Large enough that thumbnails show it.
    texture.at((x - dx) * 0.65, (y - dy) * 0.65)
}

/// `count` frames in which `second` says where the second shot is seen, given a place and the progress; and what
/// it shows there, and what the first does, of the places of their own pictures.
fn wiped(
    count: usize,
    [from, to]: [f32; 2],
    look: impl Fn(f32, f32, f32) -> (u32, f32, f32),
) -> Vec<Thumbnail> {
    (0..count)
        .map(|f| {
            let progress = ((f as f32 - from) / (to - from)).clamp(0.0, 1.0);
            let picture = paint(SIZE[0], SIZE[1], |x, y| {
                let (which, x, y) = look(x, y, progress);
                shot(which, f, x, y)
            });
            Thumbnail::of(&picture)
        })
        .collect()
}

/// A way in which one shot wipes the other away: which shot a place shows, and which place of it.
type Look = fn(f32, f32, f32) -> (u32, f32, f32);

const LOOKS: [(&str, Look); 6] = [
    ("left", |x, y, p| {
        (u32::from(x > (1.0 - p) * SIZE[0] as f32), x, y)
    }),
    ("diagonal", |x, y, p| {
        let way = (SIZE[0] + SIZE[1]) as f32;
        (u32::from(x + y < p * way), x, y)
    }),
    ("circle", |x, y, p| {
        let (x0, y0) = (x - 54.0, y - 36.0);
        (u32::from((x0 * x0 + y0 * y0).sqrt() < p * 66.0), x, y)
    }),
    ("slide up", |x, y, p| {
        let into = p * SIZE[1] as f32;
        let border = SIZE[1] as f32 - into;
        if y > border {
            (1, x, y - border)
        } else {
            (0, x, y + into)
        }
    }),
    ("cover right", |x, y, p| {
        let into = p * SIZE[0] as f32;
        if x < into {
            (1, x + SIZE[0] as f32 - into, y)
        } else {
            (0, x, y)
        }
    }),
    ("reveal down", |x, y, p| {
        let into = p * SIZE[1] as f32;
        if y < into {
            (1, x, y)
        } else {
            (0, x, y - into)
        }
    }),
];

#[test]
fn wipes_of_many_shapes_are_found_in_the_middle_and_beyond_the_ends_of_clips() {
    for (name, look) in LOOKS {
        for (from, to) in [(16.0, 23.0), (10.0, 32.0)] {
            let frames = wiped(44, [from, to], look);
            let cut = find_cut(&frames, 0..44).unwrap_or_else(|| panic!("{name} {from} {to}"));
            let middle = (from + to) * 0.5;
            assert!(
                (cut.frame as f32 - middle).abs() <= 6.0,
                "{name} {from} {to}: {cut:?}"
            );
            // A clip that ends or begins in the middle of it shows too little by itself.
            let middle = middle as usize;
            for clip in [0..middle, middle..44] {
                assert!(
                    find_cut(&frames, clip.clone()).is_some(),
                    "{name}: {clip:?}"
                );
            }
            // Well before and behind it there is only one.
            assert_eq!(find_cut(&frames, 0..from as usize - 6), None, "{name}");
            assert_eq!(find_cut(&frames, to as usize + 7..44), None, "{name}");
        }
    }
}

#[test]
fn dissolves_beyond_the_ends_of_a_clip_count_where_it_shows_a_part() {
    let ramp = |f: usize| ((f as f32 - 8.0) / 14.0).clamp(0.0, 1.0);
    let small: Vec<Thumbnail> = mixed(ramp, |_| 1.0).iter().map(Thumbnail::of).collect();
    for clip in [0..13, 0..30, 17..30] {
        let cut = find_cut(&small, clip.clone()).unwrap();
        assert_eq!(cut.kind, CutKind::Dissolve, "{clip:?}");
    }
    assert_eq!(find_cut(&small, 0..6), None);
    assert_eq!(find_cut(&small, 25..30), None);
}

/// One moving shot under light that `light` says of frame and place: a factor, and what is added.
fn lit(light: impl Fn(usize, f32, f32) -> (f32, f32)) -> Vec<Thumbnail> {
    (0..40)
        .map(|f| {
            let picture = paint(SIZE[0], SIZE[1], |x, y| {
                let (factor, more) = light(f, x, y);
                (shot(0, f, x, y) * factor + more).clamp(0.0, 255.0)
            });
            Thumbnail::of(&picture)
        })
        .collect()
}

#[test]
fn flashes_explosions_and_fast_pans_join_no_shots() {
    let quiet = |name: &str, frames: &[Thumbnail]| {
        assert_eq!(find_cut(frames, 0..frames.len()), None, "{name}");
    };
    let near = |x: f32, y: f32| ((x - 40.0) * (x - 40.0) + (y - 45.0) * (y - 45.0)).sqrt();
    quiet(
        "flash",
        &lit(|f, _, _| if f == 20 { (1.0, 200.0) } else { (1.0, 0.0) }),
    );
    quiet(
        "long flash",
        &lit(|f, _, _| {
            if (18..24).contains(&f) {
                (1.0, 150.0)
            } else {
                (1.0, 0.0)
            }
        }),
    );
    quiet(
        "strobe",
        &lit(|f, _, _| if f % 6 < 2 { (1.6, 30.0) } else { (0.7, 0.0) }),
    );
    quiet(
        "light goes on",
        &lit(|f, _, _| if f < 20 { (0.25, 0.0) } else { (1.0, 0.0) }),
    );
    quiet(
        "overexposed",
        &lit(|f, _, _| if f < 20 { (1.0, 0.0) } else { (2.6, 0.0) }),
    );
    quiet(
        "explosion",
        &lit(|f, x, y| {
            // All bright at once, then a ball that grows and goes.
            let since = f as f32 - 15.0;
            if since < 0.0 {
                return (1.0, 0.0);
            }
            let glow = 120.0 / (1.0 + since * since / 8.0);
            let is_ball = near(x, y) < 8.0 * since;
            let ball = (260.0 - 22.0 * since).max(0.0);
            (1.0, if is_ball { glow.max(ball) } else { glow })
        }),
    );
    quiet(
        "fire that stays",
        &lit(|f, x, y| {
            let since = (f as f32 - 15.0).max(0.0);
            (
                1.0,
                if near(x, y) < 3.0 * since.min(8.0) {
                    180.0
                } else {
                    0.0
                },
            )
        }),
    );
    // A camera that turns by a whole picture has lost all points anyway; up to there it is no cut.
    for speed in [2.4, 6.0] {
        for (dx, dy) in [(1.0, 0.0), (0.0, -1.0), (0.7, 0.7)] {
            let whole = SIZE[usize::from(dx == 0.0)] as f32;
            let count = (0.9 * whole / speed).min(40.0) as usize;
            let frames: Vec<Thumbnail> = (0..count)
                .map(|f| {
                    let way = speed * f as f32;
                    let picture = paint(SIZE[0], SIZE[1], |x, y| {
                        shot(0, 0, x - dx * way, y - dy * way)
                    });
                    Thumbnail::of(&picture)
                })
                .collect();
            quiet(&format!("pan {speed} {dx} {dy}"), &frames);
        }
    }
    // From rest to rest, as fast as a hand turns.
    let whip: Vec<Thumbnail> = (0..40)
        .map(|f| {
            let t = ((f as f32 - 14.0) / 10.0).clamp(0.0, 1.0);
            let way = 100.0 * t * t * (3.0 - 2.0 * t);
            Thumbnail::of(&paint(SIZE[0], SIZE[1], |x, y| shot(0, 0, x + way, y)))
        })
        .collect();
    quiet("whip pan", &whip);
}
