//! The readers of trainers open every file: same frame count, exact masks, the same colours.

use std::path::{Path, PathBuf};
use std::process::Command;

use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, DEFAULT_QP, Encoder, MaskVideoOptions, MaskVideoWriter,
};

use crate::context::{Context, TINY, skip};

/// Every reader there is, as functions from a path to frames × height × width × RGB.
const READERS: &str = r#"
import sys
from pathlib import Path
import numpy as np

def with_cv2(path):
    import cv2
    capture, out = cv2.VideoCapture(str(path)), []
    while True:
        ok, frame = capture.read()
        if not ok:
            return np.stack(out)
        out.append(frame[:, :, ::-1])

def with_av(path):
    import av
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])

def with_decord(path):
    import decord
    reader = decord.VideoReader(str(path))
    return reader.get_batch(range(len(reader))).asnumpy()

def with_mediapy(path):
    import mediapy
    return np.asarray(mediapy.read_video(str(path)))[..., :3]

readers = []
for name, read in [("cv2", with_cv2), ("av", with_av), ("decord", with_decord), ("mediapy", with_mediapy)]:
    try:
        __import__(name)
    except ImportError:
        print(f"SKIP {name} is not installed")
        continue
    if name == "mediapy":
        import shutil
        if shutil.which("ffmpeg") is None:
            print("SKIP mediapy: there is no ffmpeg")
            continue
    readers.append((name, read))

def check(ok, what):
    if not ok:
        print("FAIL", what)
"#;

/// Reads a sample's videos and prints what disagrees.
const SAMPLE: &str = r#"
folder, frames = Path(sys.argv[1]), int(sys.argv[2])
for path in sorted(folder.glob("*.mp4")):
    pictures = {name: read(path) for name, read in readers}
    first = next(iter(pictures.values()), None)
    for name, video in pictures.items():
        check(len(video) == frames, f"{path.name}: {name} reads {len(video)} of {frames} frames")
        if path.name == "mask.mp4":
            values = sorted(set(np.unique(video)))
            check(set(values) <= {0, 128, 255}, f"{path.name}: {name} reads values {values}")
            check((video == first).all(), f"{path.name}: {name} reads other pixels")
        elif path.name == "effect_mask.mp4":
            values = sorted(set(np.unique(video)))
            check(set(values) <= {0, 255}, f"{path.name}: {name} reads values {values}")
        else:
            difference = np.abs(video.astype(int) - first.astype(int))
            check(difference.mean() <= 1.5, f"{path.name}: {name} is {difference.mean():.2f} levels off")
print("READ", " ".join(name for name, _ in readers))
"#;

/// Compares colours.mp4 and mask.mp4 with what was written into them, next to them as raw bytes.
const EXACT: &str = r#"
folder, width, height = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
patch = int(sys.argv[4])
colours = np.fromfile(folder / "colours.raw", np.uint8).reshape(height, width, 3).astype(int)
mask = np.fromfile(folder / "mask.raw", np.uint8).reshape(-1, height, width, 1)
# Chroma has half the resolution: borders of patches are no flat colour.
inside = np.zeros((height, width), bool)
for y in range(0, height, patch):
    for x in range(0, width, patch):
        inside[y + 8 : y + patch - 8, x + 8 : x + patch - 8] = True
for name, read in readers:
    difference = np.abs(read(folder / "colours.mp4").astype(int) - colours)[:, inside]
    check(difference.mean() <= 1.5, f"{name}: colours are {difference.mean():.2f} levels off in the mean")
    check(difference.max() <= 4, f"{name}: a colour is {difference.max()} levels off")
    video = read(folder / "mask.mp4")
    check(video.shape[0] == mask.shape[0], f"{name}: {video.shape[0]} of {mask.shape[0]} mask frames")
    check((video == mask).all(), f"{name}: {(video != mask).any(-1).sum()} mask pixels differ")
print("READ", " ".join(name for name, _ in readers))
"#;

/// The trainer's loader (`VideoDatasetWithResizingTracking` of Diffusion as Shader), its rules only:
/// lists stripped and without empty lines, paired by line; decord; 49 frames by `range(0, N, N // 49)`.
const DAS_LOADER: &str = r#"
root, samples = Path(sys.argv[1]), int(sys.argv[2])

def load(name):
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]

prompts, videos, trackings, images = map(load, ["prompt.txt", "videos.txt", "trackings.txt", "images.txt"])
check(len(prompts) == samples, f"{len(prompts)} prompts for {samples} samples")
check(len(prompts) == len(videos) == len(trackings) == len(images), "lists of different lengths")
if any(name == "decord" for name, _ in readers):
    import decord
    for video, tracking, image in zip(videos, trackings, images):
        number = Path(video).stem
        check(Path(tracking).name == f"{number}_tracking.mp4", f"{video} beside {tracking}")
        check(Path(image).stem == number, f"{video} beside {image}")
        reader, follower = decord.VideoReader(str(root / video)), decord.VideoReader(str(root / tracking))
        indices = list(range(0, len(reader), len(reader) // 49))
        frames, colours = reader.get_batch(indices).asnumpy(), follower.get_batch(indices).asnumpy()
        frames, colours = frames[:49], colours[:49]
        check(frames.shape == colours.shape and len(frames) == 49, f"{video}: {frames.shape}, {colours.shape}")
        check(colours.max() > 200 and colours.min() == 0, f"{tracking}: no colours on black")
        check(np.abs(frames[0].astype(int) - frames[-1]).max() > 10, f"{video}: nothing moves")
        try:
            import cv2
        except ImportError:
            continue
        first = cv2.imread(str(root / image))[:, :, ::-1].astype(int)
        difference = np.abs(first - frames[0]).mean()
        check(difference < 4, f"{image} is {difference:.1f} levels from the first frame of {video}")
print("READ", " ".join(name for name, _ in readers))
"#;

#[test]
fn a_loader_by_the_trainers_rules_reads_datasets_of_avatars() {
    let Some(python) = python() else {
        return;
    };
    let context = Context::new();
    context
        .run("avatar --count 2 --seed 1 --width 96 --height 64 --spp 2 --output-dir d")
        .expect(0);
    read(&context, &python, DAS_LOADER, &["d", "2"]);
}

/// The Python that the set-up has prepared; `None` (with a message) without one.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("DIORAMA_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        skip("no Python with video readers (`cargo xtask test` prepares one)");
    }
    python
}

#[test]
fn opencv_pyav_decord_and_mediapy_read_every_video() {
    let Some(python) = python() else {
        return;
    };
    let context = Context::new();
    context
        .run(&format!(
            "removal --seed 1 {TINY} --video-length 21 --output-dir d"
        ))
        .expect(0);
    read(&context, &python, SAMPLE, &["d/000001", "21"]);
}

#[test]
fn saturated_colours_and_noisy_masks_come_back_in_every_reader() {
    const PATCH: usize = 64;
    const WIDTH: usize = 4 * PATCH;
    const HEIGHT: usize = 3 * PATCH;
    const FRAMES: usize = 17;
    const COLOURS: [[u8; 3]; 12] = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
        [0, 255, 255],
        [255, 0, 255],
        [255, 255, 255],
        [0, 0, 0],
        [128, 128, 128],
        [200, 30, 60],
        [20, 120, 220],
        [60, 180, 75],
    ];
    let Some(python) = python() else {
        return;
    };
    let context = Context::new();
    let pixels = || (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    let colours: Vec<u8> = pixels()
        .flat_map(|(x, y)| COLOURS[y / PATCH * 4 + x / PATCH])
        .collect();
    let options = ColorVideoOptions {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        fps: 16.0,
        qp: DEFAULT_QP,
        encoder: Encoder::Embedded,
    };
    let mut video = ColorVideoWriter::create(&context.path("colours.mp4"), &options).unwrap();
    for _ in 0..FRAMES {
        video.push(&colours).unwrap();
    }
    video.finish().unwrap();
    context.write("colours.raw", &colours);
    // Each pixel of each frame at random: the hardest mask there is.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        [0, 128, 255][(state >> 16) as usize % 3]
    };
    let options = MaskVideoOptions {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        fps: 16.0,
    };
    let mut video = MaskVideoWriter::create(&context.path("mask.mp4"), &options).unwrap();
    let mut raw = Vec::new();
    for _ in 0..FRAMES {
        let mask: Vec<u8> = pixels().map(|_| noise()).collect();
        video.push(&mask).unwrap();
        raw.extend(mask);
    }
    video.finish().unwrap();
    context.write("mask.raw", raw);
    let size = [WIDTH, HEIGHT, PATCH].map(|n| n.to_string());
    read(
        &context,
        &python,
        EXACT,
        &[".", &size[0], &size[1], &size[2]],
    );
}

/// Runs a script after the readers; fails the test on what it finds.
fn read(context: &Context, python: &Path, script: &str, args: &[&str]) {
    context.write("readers.py", format!("{READERS}{script}"));
    let output = Command::new(python)
        .arg("readers.py")
        .args(args)
        .current_dir(context.path(""))
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{error}");
    for line in out.lines().filter(|line| line.starts_with("SKIP")) {
        skip(line);
    }
    assert!(!out.contains("FAIL"), "{out}");
    assert!(out.contains("READ"), "{out} {error}");
}
