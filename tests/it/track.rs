//! `diorama track`: real clips into a dataset, by a tracker whose error is known.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use diorama_video::{ColorVideoOptions, ColorVideoWriter};

use crate::context::{Context, say, shared};

const SIZE: [u32; 2] = [160, 96];
const FRAMES: usize = 17;
/// Flags of clips of that size.
const TINY: &str = "--width 160 --height 96 --video-length 17 --grid-size 12";

/// A smooth random texture, defined everywhere, 0 to 255.
fn texture(seed: u32, x: f64, y: f64) -> f64 {
    let value = |i: i64, j: i64, octave: u32| {
        let mut h = (i as u32)
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add((j as u32).wrapping_mul(0x85EB_CA77))
            .wrapping_add((seed * 7 + octave).wrapping_mul(0xC2B2_AE3D));
        h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
        h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
        f64::from((h ^ (h >> 15)) >> 8) / f64::from(1u32 << 24)
    };
    let octaves = [(23.0, 90.0), (9.0, 60.0), (4.0, 40.0)];
    let sum: f64 = octaves
        .into_iter()
        .zip(0..)
        .map(|((size, strength), octave)| {
            let (u, v) = (x / size, y / size);
            let (i, j) = (u.floor(), v.floor());
            let (s, t) = (u - i, v - j);
            let (s, t) = (s * s * (3.0 - 2.0 * s), t * t * (3.0 - 2.0 * t));
            let at = |di, dj| value(i as i64 + di, j as i64 + dj, octave);
            let top = at(0, 0) * (1.0 - s) + at(1, 0) * s;
            let bottom = at(0, 1) * (1.0 - s) + at(1, 1) * s;
            strength * (top * (1.0 - t) + bottom * t)
        })
        .sum();
    30.0 + sum
}

/// A disc before a ground. Both are moved rigidly, so that the truth is known.
#[derive(Clone, Copy)]
struct Scene {
    /// Pixels per frame of the ground: a camera that pans.
    pan: [f64; 2],
    /// Pixels per frame of the disc.
    disc: [f64; 2],
    /// Radians per frame by which the disc turns.
    turn: f64,
}

const RADIUS: f64 = 22.0;

impl Scene {
    fn middle(self, frame: f64) -> [f64; 2] {
        [52.0 + self.disc[0] * frame, 46.0 + self.disc[1] * frame]
    }

    /// Where a point of frame 0 is in another, and whether it is seen.
    fn truth(self, [x, y]: [f64; 2], frame: f64) -> ([f64; 2], bool) {
        let on_disc = |[x, y]: [f64; 2], frame: f64| {
            let [mx, my] = self.middle(frame);
            (x - mx) * (x - mx) + (y - my) * (y - my) < RADIUS * RADIUS
        };
        let now = if on_disc([x, y], 0.0) {
            let ([ax, ay], [bx, by]) = (self.middle(0.0), self.middle(frame));
            let (sin, cos) = turned(self.turn * frame);
            let (dx, dy) = (x - ax, y - ay);
            [bx + cos * dx - sin * dy, by + sin * dx + cos * dy]
        } else {
            [x + self.pan[0] * frame, y + self.pan[1] * frame]
        };
        let inside = (0.0..f64::from(SIZE[0])).contains(&now[0])
            && (0.0..f64::from(SIZE[1])).contains(&now[1]);
        (
            now,
            inside && (on_disc([x, y], 0.0) || !on_disc(now, frame)),
        )
    }

    /// Grey of a place of a frame.
    fn value(self, x: f64, y: f64, frame: f64) -> f64 {
        let [mx, my] = self.middle(frame);
        let (dx, dy) = (x - mx, y - my);
        if dx * dx + dy * dy < RADIUS * RADIUS {
            let (sin, cos) = turned(-self.turn * frame);
            texture(1, cos * dx - sin * dy, sin * dx + cos * dy)
        } else {
            texture(2, x - self.pan[0] * frame, y - self.pan[1] * frame)
        }
    }
}

/// Sine and cosine of a small angle, by their series.
fn turned(angle: f64) -> (f64, f64) {
    let square = angle * angle;
    (
        angle * (1.0 - square / 6.0 * (1.0 - square / 20.0)),
        1.0 - square / 2.0 * (1.0 - square / 12.0),
    )
}

/// Writes a clip of `frames` frames; `value` is the grey of (x, y, frame).
fn film(context: &Context, name: &str, frames: usize, value: impl Fn(f64, f64, f64) -> f64) {
    let options = ColorVideoOptions {
        width: SIZE[0],
        height: SIZE[1],
        fps: 25.0,
        qp: 12,
        encoder: diorama_video::Encoder::default(),
    };
    let path = context.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut video = ColorVideoWriter::create(&path, &options).unwrap();
    for frame in 0..frames {
        let mut rgb = Vec::new();
        for i in 0..SIZE[0] * SIZE[1] {
            let (x, y) = (f64::from(i % SIZE[0]) + 0.5, f64::from(i / SIZE[0]) + 0.5);
            let v = value(x, y, frame as f64).clamp(0.0, 255.0);
            rgb.extend([v, 0.9 * v, 0.8 * v].map(|v| v as u8));
        }
        video.push(&rgb).unwrap();
    }
    video.finish().unwrap();
}

/// An array of an .npz file: its bytes after the header.
fn array(npz: &[u8], name: &str) -> Vec<u8> {
    let mut at = 0;
    let word = |at: usize| u32::from_le_bytes(npz[at..at + 4].try_into().unwrap()) as usize;
    let half = |at: usize| usize::from(u16::from_le_bytes(npz[at..at + 2].try_into().unwrap()));
    while &npz[at..at + 4] == b"PK\x03\x04" {
        let (length, name_length) = (word(at + 18), half(at + 26));
        let data = at + 30 + name_length + half(at + 28);
        if npz[at + 30..at + 30 + name_length] == *format!("{name}.npy").as_bytes() {
            let header = half(data + 8);
            return npz[data + 10 + header..data + length].to_vec();
        }
        at = data + length;
    }
    panic!("no array {name}");
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    let words = bytes.chunks_exact(4);
    words
        .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
        .collect()
}

/// One point in one frame: where it is found and whether it is seen there, and the same in truth.
struct Pair {
    found: [f64; 2],
    found_seen: bool,
    truth: [f64; 2],
    truly_seen: bool,
}

/// Measures of TAP-Vid, percent, at 256×256; and the median error, pixels.
#[derive(Debug)]
struct Score {
    jaccard: f64,
    within: f64,
    occlusion: f64,
    median: f64,
}

fn score(pairs: &[Pair], size: [u32; 2]) -> Score {
    let scale = size.map(|side| 256.0 / f64::from(side));
    let error = |pair: &Pair, scale: [f64; 2]| {
        let d = [0, 1].map(|axis| (pair.found[axis] - pair.truth[axis]) * scale[axis]);
        (d[0] * d[0] + d[1] * d[1]).sqrt()
    };
    let seen = pairs.iter().filter(|p| p.truly_seen).count() as f64;
    let count = |hit: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|p| hit(p)).count() as f64;
    let (mut jaccard, mut within) = (0.0, 0.0);
    for limit in [1.0, 2.0, 4.0, 8.0, 16.0] {
        let near = |p: &Pair| error(p, scale) < limit;
        let hits = count(&|p| p.truly_seen && p.found_seen && near(p));
        let wrong = count(&|p| p.found_seen && !(p.truly_seen && near(p)));
        jaccard += 20.0 * hits / (seen + wrong);
        within += 20.0 * count(&|p| p.truly_seen && near(p)) / seen;
    }
    let mut errors: Vec<f64> = pairs
        .iter()
        .filter(|p| p.truly_seen)
        .map(|p| error(p, [1.0; 2]))
        .collect();
    errors.sort_by(f64::total_cmp);
    Score {
        jaccard,
        within,
        occlusion: 100.0 * count(&|p| p.truly_seen == p.found_seen) / pairs.len() as f64,
        median: errors[errors.len() / 2],
    }
}

/// Found tracks against a truth by (point, frame), from the second frame on.
fn compare(
    npz: &[u8],
    frames: usize,
    truth: impl Fn([f64; 2], usize, usize) -> ([f64; 2], bool),
) -> Vec<Pair> {
    let queries = floats(&array(npz, "query_points"));
    let places = floats(&array(npz, "target_points"));
    let hidden = array(npz, "occluded");
    let points = queries.len() / 3;
    assert_eq!(hidden.len(), points * frames);
    (0..points * frames)
        .filter(|i| i % frames > 0)
        .map(|i| {
            let (point, frame) = (i / frames, i % frames);
            let query = [queries[point * 3 + 2], queries[point * 3 + 1]];
            let (truth, truly_seen) = truth(query, point, frame);
            Pair {
                found: [places[2 * i], places[2 * i + 1]],
                found_seen: hidden[i] == 0,
                truth,
                truly_seen,
            }
        })
        .collect()
}

#[test]
fn clips_of_every_kind_are_tracked_to_a_stated_error() {
    let context = Context::new();
    let kinds = [
        (
            "objects",
            Scene {
                pan: [0.0, 0.0],
                disc: [2.6, 0.3],
                turn: 0.03,
            },
        ),
        (
            "camera",
            Scene {
                pan: [-1.7, 0.6],
                disc: [-1.7, 0.6],
                turn: 0.0,
            },
        ),
        (
            "both",
            Scene {
                pan: [-1.3, 0.4],
                disc: [2.2, -0.2],
                turn: -0.03,
            },
        ),
    ];
    for (name, scene) in kinds {
        film(&context, &format!("v/{name}.mp4"), FRAMES, |x, y, f| {
            scene.value(x, y, f)
        });
    }
    context
        .run("track v --output-dir d --width 160 --height 96 --video-length 17 --grid-size 12")
        .expect(0);
    // By the order of the names: both, camera, objects.
    for (index, (name, scene)) in [(2, kinds[0]), (1, kinds[1]), (0, kinds[2])] {
        let npz = std::fs::read(context.path(&format!("d/samples/{index:06}/tracks.npz"))).unwrap();
        let pairs = compare(&npz, FRAMES, |query, _, frame| {
            scene.truth(query, frame as f64)
        });
        let score = score(&pairs, SIZE);
        say(&format!("{name}: {score:.2?}"));
        assert!(score.jaccard > 82.0, "{name}: {score:?}");
        assert!(score.occlusion > 93.0, "{name}: {score:?}");
        assert!(
            score.within > 92.0 && score.median < 0.15,
            "{name}: {score:?}"
        );
    }
}

#[test]
fn our_own_renders_are_tracked_to_a_stated_error() {
    let Some(assets) = shared("assets") else {
        return;
    };
    let context = Context::new();
    let copy = |from: &str, to: &str| context.write(to, std::fs::read(assets.join(from)).unwrap());
    copy(
        "characters/mh_male/mh_male.fbx",
        "w/raw/mh_male/mh_male.fbx",
    );
    copy(
        "motion/wave_hello.fbx",
        "w/raw/mh_male/motion/wave_hello.fbx",
    );
    copy(
        "skybox/potsdamer_platz_1k_ldr.png",
        "w/raw/skybox/potsdamer_platz_1k_ldr.png",
    );
    let render = |name: &str, flags: &str| {
        let small =
            "--video-length 9 --width 160 --height 96 --spp 4 --grid-size 12 --prob-skybox 1";
        context
            .run(&format!(
                "avatar --base-path w {small} {flags} --output-dir {name}"
            ))
            .expect(0);
        context.run(&format!(
            "track {name}/videos --output-dir {name}_found --width 160 --height 96 --video-length 9 --grid-size 12"
        ))
        .expect(0);
        let tracks = |folder: &str| {
            std::fs::read(context.path(&format!("{folder}/samples/000000/tracks.npz"))).unwrap()
        };
        let (truth, found) = (tracks(name), tracks(&format!("{name}_found")));
        let (places, hidden) = (
            floats(&array(&truth, "target_points")),
            array(&truth, "occluded"),
        );
        let pairs = compare(&found, 9, |_, point, frame| {
            let i = point * 9 + frame;
            ([places[2 * i], places[2 * i + 1]], hidden[i] == 0)
        });
        let score = score(&pairs, SIZE);
        say(&format!("{name}: {score:.2?}"));
        score
    };
    for (name, flags) in [("still", ""), ("sliding", "--range-camera-slide 0.1,0.1")] {
        let score = render(name, flags);
        assert!(
            score.jaccard > 70.0 && score.occlusion > 85.0,
            "{name}: {score:?}"
        );
        assert!(
            score.within > 80.0 && score.median < 0.6,
            "{name}: {score:?}"
        );
    }
}

/// Textured clips that pan, of different lengths.
fn panning(context: &Context, names: &[(&str, usize)]) {
    for (index, (name, frames)) in names.iter().enumerate() {
        let seed = 10 + index as u32;
        film(context, name, *frames, |x, y, f| {
            texture(seed, x - 0.8 * f, y + 0.4 * f)
        });
    }
}

fn lines(context: &Context, name: &str) -> Vec<String> {
    context.read(name).lines().map(str::to_owned).collect()
}

/// Files of a dataset but the journals, whose lines come in the order in which clips end.
fn samples(context: &Context, name: &str) -> BTreeMap<String, String> {
    let mut files = context.dataset(name);
    files.retain(|file, _| !file.contains(".jsonl"));
    files
}

#[test]
fn a_dataset_is_the_same_whatever_stops_or_speeds_the_run() {
    let context = Context::new();
    let clips = [
        ("v/a.mp4", 17),
        ("v/b.mp4", 40),
        ("v/c.mp4", 17),
        ("v/short.mp4", 9),
    ];
    panning(&context, &clips);
    context.write(
        "prompts.txt",
        "b\ta street\nshort\tnever seen\nc.mp4\t  a lake at dawn \nelse\tanother\n",
    );
    let make = |dir: &str, more: &str| {
        format!("track v --clip all --prompts prompts.txt --output-dir {dir} {TINY} {more}")
    };
    let whole = context.run(&make("whole", "--threads 1")).expect(0);
    assert!(
        whole.stderr.contains("short.mp4: 9 frames, a clip has 17"),
        "{}",
        whole.stderr
    );
    assert_eq!(
        lines(&context, "whole/prompt.txt"),
        ["a video clip", "a street", "a street", "a lake at dawn"]
    );
    assert_eq!(
        lines(&context, "whole/videos.txt"),
        ["000000_0000", "000001_0000", "000001_0001", "000002_0000"]
            .map(|id| format!("videos/{id}.mp4"))
    );
    for list in ["trackings.txt", "images.txt"] {
        let files = lines(&context, &format!("whole/{list}"));
        assert_eq!(files.len(), 4);
        assert!(
            files
                .iter()
                .all(|file| context.path("whole").join(file).is_file())
        );
    }
    let expected = samples(&context, "whole");

    context.run(&make("fast", "--jobs 3 --threads 2")).expect(0);
    assert_eq!(samples(&context, "fast"), expected);
    for part in ["0/2", "1/2"] {
        context
            .run(&make("shards", &format!("--shard {part}")))
            .expect(0);
    }
    assert_eq!(samples(&context, "shards"), expected);

    for kill in 0..5u64 {
        let mut child = context
            .command(&make("killed", ""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + kill * 331));
        child.kill().unwrap();
        child.wait().unwrap();
        if context.path("killed/prompt.txt").exists() && context.path("killed/videos.txt").exists()
        {
            assert_eq!(
                lines(&context, "killed/prompt.txt").len(),
                lines(&context, "killed/videos.txt").len()
            );
        }
    }
    context.run(&make("killed", "")).expect(0);
    assert_eq!(samples(&context, "killed"), expected);
    let again = context.run(&make("killed", "")).expect(0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    // Redo makes the same bytes again, of one video; the plan of a dataset is a file for another.
    let redone = context.run(&make("killed", "--redo 1")).expect(0);
    assert!(redone.stderr.contains("2 clips made"), "{}", redone.stderr);
    assert_eq!(samples(&context, "killed"), expected);
    context.run(&make("killed", "--redo failed")).expect(0);
    let beyond = context.run(&make("killed", "--redo 4")).expect(2);
    assert!(beyond.stderr.contains("hint: "), "{}", beyond.stderr);
    let planned = "track v --prompts prompts.txt --output-dir planned --config whole/plan.toml";
    context.run(planned).expect(0);
    assert_eq!(samples(&context, "planned"), expected);
    let other = context.run(&make("killed", "--occluded draw")).expect(2);
    assert!(other.stderr.contains("track.occluded"), "{}", other.stderr);

    // The trainer's rules hold; the line that nobody wrote is warned of.
    let verified = context.run("verify whole").expect(0);
    assert!(
        verified.stdout.contains("nobody described this clip"),
        "{}",
        verified.stdout
    );
    context.run("index whole").expect(0);
    assert_eq!(samples(&context, "whole"), expected);
    context
        .run("merge whole fast --output-dir joined")
        .expect(0);
    assert_eq!(lines(&context, "joined/prompt.txt").len(), 8);
}

#[test]
fn frames_are_spread_over_the_video_and_cuts_are_left_out() {
    let context = Context::new();
    film(&context, "v/cut.mp4", 17, |x, y, f| {
        let seed = if f < 9.0 { 31 } else { 37 };
        texture(seed, x - f, y)
    });
    film(&context, "v/lost.mp4", 17, |x, y, f| {
        texture(41, x - 9.0 * f, y)
    });
    film(&context, "v/mixed.mp4", 17, |x, y, f| {
        let share = ((f - 4.0) / 8.0).clamp(0.0, 1.0);
        let (one, other) = (texture(31, x - 0.2 * f, y), texture(37, x, y));
        one + (other - one) * share
    });
    panning(&context, &[("v/long.mp4", 55)]);
    let made = context
        .run(&format!(
            "track v --clip stride --output-dir d {TINY} --json"
        ))
        .expect(0);
    assert!(
        made.stderr
            .contains("cut.mp4: there is a cut before frame 9"),
        "{}",
        made.stderr
    );
    assert!(
        made.stderr
            .contains("mixed.mp4: there is a dissolve about frame"),
        "{}",
        made.stderr
    );
    assert!(
        made.stderr.contains("points are still seen at the end"),
        "{}",
        made.stderr
    );
    assert_eq!(lines(&context, "d/videos.txt"), ["videos/000001.mp4"]);
    let record: serde_json::Value =
        serde_json::from_str(&context.read("d/samples/000001/sample.json")).unwrap();
    assert_eq!(record["clip"]["frame_step"], 3);
    assert_eq!(record["clip"]["source"], "long.mp4");
    assert!(
        record["clip"]["depth"]
            .as_str()
            .unwrap()
            .starts_with("prior: a plane")
    );
    // Left out is settled: nothing is tried again.
    let again = context
        .run(&format!("track v --clip stride --output-dir d {TINY}"))
        .expect(0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
}

/// An .npy file of f32.
fn npy(shape: &str, values: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[test]
fn depth_files_decide_blue_and_those_of_another_shape_are_refused() {
    let context = Context::new();
    panning(
        &context,
        &[("v/a.mp4", 17), ("v/b.mp4", 17), ("v/c.mp4", 17)],
    );
    // Near on the left, far on the right; half the size of the video will do.
    let map: Vec<f32> = (0..80 * 48).map(|i| 1.0 + (i % 80) as f32 / 10.0).collect();
    let all: Vec<f32> = (0..17).flat_map(|_| map.iter().copied()).collect();
    context.write("z/a.npy", npy("(17, 48, 80)", &all));
    context.write("z/b.npy", npy("(48, 60)", &map[..48 * 60]));
    context.write("z/c.npy", npy("(3, 48, 80)", &all[..3 * 48 * 80]));
    let made = context
        .run(&format!("track v --depth z --output-dir d {TINY}"))
        .expect(1);
    assert!(
        made.stderr
            .contains("b.mp4: its depth is 60x48, the video 160x96"),
        "{}",
        made.stderr
    );
    assert!(made.stderr.contains("3 frames"), "{}", made.stderr);
    assert_eq!(lines(&context, "d/videos.txt"), ["videos/000000.mp4"]);
    let npz = std::fs::read(context.path("d/samples/000000/tracks.npz")).unwrap();
    let blue: Vec<u8> = array(&npz, "colours")
        .chunks_exact(3)
        .map(|c| c[2])
        .collect();
    assert!(
        blue[0] > 250 && blue[11] < 5 && blue[3] > blue[6],
        "{blue:?}"
    );
    let depth = floats(&array(&npz, "depth"));
    assert!(depth[0] < 2.0 && depth[11 * 17] > 8.0);
    let record = context.read("d/samples/000000/sample.json");
    assert!(record.contains("file a.npy: depth, 1 is 1 m"), "{record}");
}

#[test]
fn what_is_no_video_is_listed_and_wrong_flags_have_a_hint() {
    let context = Context::new();
    panning(&context, &[("v/good.mp4", 17)]);
    context.write("v/text.mp4", "not a video");
    context.write("v/empty.mp4", "");
    context.write("v/notes.txt", "no video by its ending");
    let made = context
        .run(&format!("track --data_root v --output_dir d {TINY}"))
        .expect(1);
    assert!(
        made.stderr.contains("text.mp4") && made.stderr.contains("empty.mp4"),
        "{}",
        made.stderr
    );
    assert!(!made.stderr.contains("notes.txt"));
    assert_eq!(lines(&context, "d/videos.txt"), ["videos/000001.mp4"]);
    assert_eq!(context.read("d/failed.jsonl").lines().count(), 2);
    context.write("p.txt", "one line\n");
    for (flags, words) in [
        ("track nowhere", "does not exist"),
        ("track v --rgbd", "`--rgbd`"),
        ("track v --len_track 8", "`--len-track`"),
        ("track v --video-length 48", "4k + 1"),
        ("track v --prompts p.txt", "1 line for 3 videos"),
        ("track v --depth nowhere", "does not exist"),
        ("track v --jobs 0", "--jobs 0"),
        ("track", "VIDEO_OR_DIR"),
    ] {
        let refused = context.run(flags).expect(2);
        assert!(
            refused.stderr.contains(words),
            "{flags}: {}",
            refused.stderr
        );
        assert!(!context.path("vis_results").exists(), "{flags}");
    }
    context.write("none/readme.txt", "");
    let none = context.run("track none").expect(2);
    assert!(
        none.stderr.contains("holds no video") && none.stderr.contains("hint: "),
        "{}",
        none.stderr
    );
}

#[test]
fn transitions_that_end_beyond_the_clip_are_found() {
    let context = Context::new();
    film(&context, "shots/a.mp4", 40, |x, y, f| {
        texture(51, 0.5 * (x - 0.3 * f), 0.5 * y)
    });
    film(&context, "shots/b.mp4", 40, |x, y, f| {
        texture(59, 0.5 * x, 0.5 * (y + 0.3 * f))
    });
    let kinds = ["fade", "dissolve", "wipeleft", "slideup", "circleopen"];
    std::fs::create_dir_all(context.path("v")).unwrap();
    for kind in kinds {
        // Of 17 frames the last show the beginning of it: a circle takes longer to be seen.
        let when = match kind {
            "circleopen" => "duration=0.8:offset=0.24",
            _ => "duration=0.4:offset=0.48",
        };
        let filter = format!("[0:v][1:v]xfade=transition={kind}:{when}");
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(context.path("shots/a.mp4"))
            .arg("-i")
            .arg(context.path("shots/b.mp4"))
            .args(["-filter_complex", &filter, "-qscale:v", "2"])
            .arg(context.path(&format!("v/{kind}.avi")))
            .status();
        assert!(made.is_ok_and(|status| status.success()), "{kind}");
    }
    let made = context.run(&format!("track v --clip first --output-dir d {TINY}"));
    for kind in kinds {
        let line = made.stderr.lines().find(|line| line.contains(kind));
        let line = line.unwrap_or_else(|| panic!("{kind}: {}", made.stderr));
        let what: &[&str] = match kind {
            "fade" | "dissolve" => &["dissolve"],
            // Its border is soft: both shots are seen there at once.
            "circleopen" => &["dissolve", "wipe"],
            _ => &["wipe"],
        };
        let says = |what: &&str| line.contains(&format!("there is a {what} about frame"));
        assert!(what.iter().any(says), "{line}");
    }
}
