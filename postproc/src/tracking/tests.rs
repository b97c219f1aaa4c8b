//! Laws of tracking, on scenes whose truth is known in closed form.

use diorama_synth::shot::Shot;
use glam::{DVec2, Quat, Vec3};

use super::*;
use crate::quads::{self, Analytic};

const SIZE: [u32; 2] = [96, 64];

fn options(rule: TrackingRule) -> TrackingOptions {
    TrackingOptions {
        rule,
        grid_size: 12,
        ..TrackingOptions::default()
    }
}

/// All frames of a clip.
fn track(shot: &Shot, options: TrackingOptions) -> (Tracker, Vec<TrackedFrame>) {
    let mut tracker = Tracker::new(quads::geometry(shot), options, true).unwrap();
    let frames = (0..shot.frame_count)
        .map(|i| {
            tracker
                .frame(&quads::frame(shot, i), &Analytic(shot))
                .unwrap()
        })
        .collect();
    (tracker, frames)
}

/// Pixels per metre at `depth` metres.
fn scale(shot: &Shot, depth: f64) -> f64 {
    let lens = shot.cameras[0].lens.at(0);
    f64::from(lens.focal_length_mm) / f64::from(lens.sensor_width_mm)
        * f64::from(shot.resolution[0])
        / depth
}

/// A wall at 7 m that covers the picture's left, and a square at 4 m that moves right by `step`
/// metres a frame.
fn wall_and_square(frames: u32, step: f32) -> Shot {
    let mut shot = quads::empty(SIZE, frames);
    quads::add(&mut shot, [6.0, 6.0], |_| Vec3::new(-4.52, 7.0, 0.0));
    quads::add(&mut shot, [0.5, 0.6], |f| {
        Vec3::new(-0.6 + step * f, 4.0, 0.1)
    });
    shot
}

#[test]
fn what_stands_still_has_the_same_tracking_picture_in_every_frame() {
    let shot = wall_and_square(3, 0.0);
    for rule in [
        TrackingRule::Das,
        TrackingRule::DasDense,
        TrackingRule::DasBlender,
    ] {
        let (_, frames) = track(&shot, options(rule));
        let coloured = |f: &TrackedFrame| f.picture.data.iter().filter(|c| **c != [0; 3]).count();
        assert!(coloured(&frames[0]) > 1000, "{rule:?}");
        assert_eq!(frames[0].picture, frames[1].picture, "{rule:?}");
        assert_eq!(frames[0].picture, frames[2].picture, "{rule:?}");
    }
}

#[test]
fn dots_of_a_translating_plane_move_by_the_exact_projection() {
    let mut shot = quads::empty(SIZE, 4);
    quads::add(&mut shot, [9.0, 9.0], |f| {
        Vec3::new(0.03 * f, 5.0, -0.01 * f)
    });
    let (tracker, frames) = track(&shot, options(TrackingRule::Das));
    let start = &tracker.points().unwrap().positions;
    let pixels = scale(&shot, 5.0);
    let mut seen = 0;
    for (f, frame) in frames.iter().enumerate() {
        let moved = DVec2::new(0.03, 0.01) * f as f64 * pixels;
        for (state, start) in frame.states.iter().zip(start) {
            let expected = *start + moved;
            assert!(state.position.distance(expected) < 1e-4, "frame {f}");
            let inside = expected.x < f64::from(SIZE[0]) && expected.y < f64::from(SIZE[1]);
            assert_eq!(state.is_visible, inside);
            assert!((state.depth - 5.0).abs() < 1e-6);
            seen += u32::from(state.is_visible);
        }
    }
    assert!(seen > 500);
}

#[test]
fn a_colour_stays_with_its_surface_point_under_every_rule() {
    let shot = wall_and_square(4, 0.05);
    for rule in [
        TrackingRule::Das,
        TrackingRule::DasDense,
        TrackingRule::DasBlender,
    ] {
        let (tracker, frames) = track(&shot, options(rule));
        let points = tracker.points().unwrap();
        for (f, frame) in frames.iter().enumerate() {
            let mut checked = 0;
            for (i, state) in frame.states.iter().enumerate() {
                if !state.is_visible || !matches!(points.points[i], TrackedPoint::Surface(_)) {
                    continue;
                }
                let [x, y] = [state.position.x as u32, state.position.y as u32];
                let found = *frame.picture.at(x, y);
                let expected = points.colours[i];
                let near =
                    |tolerance: u8| (0..3).all(|c| found[c].abs_diff(expected[c]) <= tolerance);
                if rule == TrackingRule::Das {
                    // A nearer dot may lie over it: then that colour is one of the dots'.
                    assert!(points.colours.contains(&found), "{found:?}");
                    checked += u32::from(found == expected);
                } else {
                    // The point is up to half a pixel from the centre whose colour the pixel has; at
                    // an edge that is another surface.
                    checked += u32::from(near(3));
                }
            }
            let visible = frame.states.iter().filter(|s| s.is_visible).count();
            assert!(
                checked as usize > visible * 6 / 10,
                "{rule:?} {f}: {checked} of {visible}"
            );
        }
    }
}

#[test]
fn dense_colours_are_those_of_the_place_in_frame_0() {
    let shot = wall_and_square(3, 0.05);
    let (_, frames) = track(&shot, options(TrackingRule::DasDense));
    let moved = 0.05 * scale(&shot, 4.0) * 2.0;
    let ids = quads::frame(&shot, 2).labels.instance;
    let mut checked = 0;
    for row in 0..SIZE[1] {
        for column in 0..SIZE[0] {
            if *ids.at(column, row) != 2 {
                continue;
            }
            let then = f64::from(column) - moved;
            let expected = (255.0 * then / f64::from(SIZE[0] - 1)).clamp(0.0, 255.0);
            let [r, g, b] = *frames[2].picture.at(column, row);
            assert!((f64::from(r) - expected).abs() <= 0.51, "{r} {expected}");
            assert!((f64::from(g) - 255.0 * f64::from(row) / f64::from(SIZE[1] - 1)).abs() <= 0.51);
            assert_eq!(b, 255, "the nearest tenth of the picture");
            checked += 1;
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn what_was_hidden_in_frame_0_keeps_the_colour_of_its_place_or_is_black() {
    let shot = wall_and_square(2, 2.0);
    let colours = |hidden_at_start| {
        let options = TrackingOptions {
            hidden_at_start,
            ..options(TrackingRule::DasDense)
        };
        track(&shot, options).1.remove(1).picture
    };
    let (kept, black) = (
        colours(HiddenAtStart::Colour),
        colours(HiddenAtStart::Black),
    );
    let (before, after) = (quads::frame(&shot, 0), quads::frame(&shot, 1));
    let mut uncovered = 0;
    for (i, colour) in kept.data.iter().enumerate() {
        let was_square = before.labels.instance.data[i] == 2;
        if was_square && after.labels.instance.data[i] == 1 {
            // The wall stands still: its place then is its place now.
            let column = (i as u32 % SIZE[0]) as f64;
            let expected = 255.0 * column / f64::from(SIZE[0] - 1);
            assert!((f64::from(colour[0]) - expected).abs() <= 0.51);
            assert_eq!(black.data[i], [0; 3]);
            uncovered += 1;
        } else if after.labels.instance.data[i] == 1 {
            assert_eq!(*colour, black.data[i]);
        }
    }
    assert!(uncovered > 300, "{uncovered}");
}

#[test]
fn what_was_outside_the_picture_or_behind_the_camera_is_black() {
    // The camera backs away from the wall: new parts come in, and in frame 0 a square was behind it.
    let mut shot = quads::empty(SIZE, 2);
    quads::add(&mut shot, [30.0, 30.0], |_| Vec3::new(0.0, 8.0, 0.0));
    quads::add(&mut shot, [0.3, 0.3], |_| Vec3::new(0.0, -1.0, 0.0));
    shot.cameras[0].pose = quads::per_frame(2, |f| quads::camera(0.0, -3.0 * f));
    for rule in [TrackingRule::DasDense, TrackingRule::DasBlender] {
        let (_, frames) = track(&shot, options(rule));
        let picture = &frames[1].picture;
        assert_eq!(*picture.at(1, 1), [0; 3], "outside the picture");
        assert_eq!(*picture.at(48, 32), [0; 3], "behind the camera");
        assert_ne!(*picture.at(30, 50), [0; 3]);
    }
}

#[test]
fn the_environment_is_moved_by_rotation_alone_and_drawn_as_chosen() {
    let mut shot = wall_and_square(2, 0.0);
    let turned = |angle: f32| {
        let mut pose = quads::camera(0.0, 0.0);
        pose.position.x = angle;
        pose.rotation = Quat::from_rotation_z(-0.05 * angle) * pose.rotation;
        pose
    };
    shot.cameras[0].pose = quads::per_frame(2, turned);
    let sky = quads::frame(&shot, 1).labels.instance;
    let drawn = |rule, environment| {
        let options = TrackingOptions {
            environment,
            ..options(rule)
        };
        let (_, frames) = track(&shot, options);
        let picture = &frames[1].picture.data;
        let coloured = picture
            .iter()
            .zip(&sky.data)
            .filter(|(c, id)| **id == 0 && **c != [0; 3]);
        let count = coloured.count();
        (count, frames)
    };
    let black = Some(EnvironmentTracks::Black);
    let draw = Some(EnvironmentTracks::Draw);
    let (count, frames) = drawn(TrackingRule::DasDense, None);
    assert!(count > 500);
    assert!(frames[0].states.iter().any(|s| s.depth == f64::INFINITY));
    assert_eq!(drawn(TrackingRule::DasDense, black).0, 0);
    assert_eq!(drawn(TrackingRule::DasBlender, None).0, 0);
    assert!(drawn(TrackingRule::DasBlender, draw).0 > 500);
    assert!(drawn(TrackingRule::Das, None).0 > 300);
    // Dots of the wall's edge reach a few pixels into the sky.
    assert!(drawn(TrackingRule::Das, black).0 < 150);
    // One degree and more of rotation, whatever the translation: x moves by f·tan of the angle.
    let (_, frames) = drawn(TrackingRule::Das, None);
    let focal = scale(&shot, 1.0);
    let mut checked = 0;
    for (then, now) in frames[0].states.iter().zip(&frames[1].states) {
        if then.depth == f64::INFINITY && now.position.is_finite() {
            let angle = libm::atan2(then.position.x - 48.0, focal) - f64::from(0.05_f32);
            assert!((now.position.x - 48.0 - focal * libm::tan(angle)).abs() < 1e-3);
            checked += 1;
        }
    }
    assert!(checked > 20);
    // 1/z = 0 is the low end of blue only when it counts.
    let blue = |environment| {
        let options = TrackingOptions {
            environment,
            ..options(TrackingRule::DasDense)
        };
        serde_json::to_value(track(&shot, options).0.colours().unwrap()).unwrap()["blue"]["low"]
            .clone()
    };
    assert_eq!(blue(draw), 0.0);
    assert_eq!(blue(black), 1.0 / 7.0);
}

#[test]
fn occlusion_is_true_or_as_the_public_tools_have_it() {
    let shot = wall_and_square(2, 0.4);
    let with = |occluded| {
        let options = TrackingOptions {
            occluded,
            ..options(TrackingRule::Das)
        };
        track(&shot, options).1.remove(1)
    };
    let (hide, draw) = (with(Occluded::Hide), with(Occluded::Draw));
    let visible = |f: &TrackedFrame| f.states.iter().map(|s| s.is_visible).collect::<Vec<_>>();
    assert_eq!(visible(&hide), visible(&draw));
    let coloured = |f: &TrackedFrame| f.picture.data.iter().filter(|c| **c != [0; 3]).count();
    let hidden = hide
        .states
        .iter()
        .filter(|s| !s.is_visible && s.depth.is_finite())
        .count();
    assert!(hidden >= 3, "{hidden}");
    assert!(coloured(&draw) > coloured(&hide));
}

#[test]
fn the_das_picture_equals_a_numpy_rendering_of_the_public_rule() {
    // Expected values: a numpy script that takes grid positions and depths (z = 4 on the square, 7 on
    // the wall, 1/z = 0 elsewhere) through section 2.5 of the tools' description literally — extents,
    // numpy.percentile(1/z, [2, 98]), round half to even, stable argsort of −z, Python's int().
    let shot = wall_and_square(2, 0.1);
    let (_, frames) = track(&shot, options(TrackingRule::Das));
    let mut sums = [0u64; 4];
    for (i, colour) in frames[1].picture.data.iter().enumerate() {
        for c in 0..3 {
            sums[c] += u64::from(colour[c]);
            sums[3] += u64::from(colour[c]) * (i as u64 % 9973);
        }
    }
    assert_eq!(sums, EXPECTED_SUMS);
}

/// Sum of red, green, blue, and of all levels weighted by pixel number modulo 9973, in frame 1.
const EXPECTED_SUMS: [u64; 4] = [433500, 439875, 426140, 4488626164];

#[test]
fn options_are_words() {
    assert_eq!("das_dense".parse(), Ok(TrackingRule::DasDense));
    assert_eq!("color".parse(), Ok(HiddenAtStart::Colour));
    assert!(
        "none"
            .parse::<Occluded>()
            .unwrap_err()
            .contains("hide, draw")
    );
    let too_many = TrackingOptions {
        grid_size: 0,
        ..TrackingOptions::default()
    };
    let shot = quads::empty(SIZE, 1);
    assert!(Tracker::new(quads::geometry(&shot), too_many, false).is_err());
    let mut blind = shot.clone();
    blind.cameras.clear();
    assert!(Tracker::new(quads::geometry(&blind), TrackingOptions::default(), false).is_err());
}

#[test]
fn npz_arrays_agree_with_the_camera() {
    let shot = wall_and_square(3, 0.1);
    let options = TrackingOptions {
        extra_points: 9,
        ..options(TrackingRule::Das)
    };
    let (tracker, frames) = track(&shot, options);
    let folder = tempfile::tempdir().unwrap();
    let mut writer = TracksWriter::create(folder.path()).unwrap();
    for frame in &frames {
        writer.push(&frame.states).unwrap();
    }
    let (npz, npy) = (
        folder.path().join("tracks.npz"),
        folder.path().join("a_tracks.npy"),
    );
    let points = tracker.points().unwrap();
    let arrays = TrackArrays {
        query_frame: 0,
        positions: &points.positions,
        colours: &points.colours,
        grid_size: options.grid_size,
        truth: Some((&shot, &points.points)),
    };
    writer.finish(&npz, Some(&npy), &arrays).unwrap();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no rows are left"
    );
    // Python's NumPy reads both, where the decoder tests' Python is at hand.
    let Some(python) = std::env::var_os("DIORAMA_TEST_PYTHON") else {
        return;
    };
    let script = r"
import sys, numpy as np
z = np.load(sys.argv[1])
n, t = 153, 3
assert z['query_points'].shape == (n, 3) and z['query_points'].dtype == np.float32
assert z['target_points'].shape == (n, t, 2) and z['occluded'].shape == (n, t)
assert z['occluded'].dtype == bool and z['colours'].shape == (n, 3) and z['grid_size'] == 12
assert (z['query_points'][:, :0:-1] == z['target_points'][:, 0]).all() and not z['occluded'][:, 0].any()
surface = z['instance'] > 0
cam, K, E = z['tracks_xyz_camera'], z['intrinsics'], z['extrinsics']
assert np.isnan(cam[~surface]).all() and surface.any() and not surface.all()
p = np.einsum('tij,ntj->nti', K, cam)
assert np.allclose((p[..., :2] / p[..., 2:])[surface], z['target_points'][surface], atol=1e-2)
w = np.concatenate([z['tracks_xyz_world'], np.ones((n, t, 1))], -1)
assert np.allclose(np.einsum('tij,ntj->nti', E, w)[surface][..., :3], cam[surface], atol=1e-4)
d = np.load(sys.argv[2], allow_pickle=True).item()
assert d['tracks'].shape == (1, t, n, 3) and d['visibility'].shape == (1, t, n)
assert (d['tracks'][0, :, :, :2] == z['target_points'].transpose(1, 0, 2)).all()
assert (d['visibility'][0] == ~z['occluded'].T).all() and np.isinf(d['tracks'][0, :, ~surface, 2]).all()
import zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
";
    let output = std::process::Command::new(python)
        .args(["-c", script])
        .args([&npz, &npy])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
