//! The readers of trainers open every file: same frame count, exact masks, the same colours.

use std::path::PathBuf;
use std::process::Command;

use crate::context::{Context, TINY, skip};

/// Reads a sample's videos with every reader there is, and prints what disagrees.
const READERS: &str = r#"
import sys
from pathlib import Path
import numpy as np

folder, frames = Path(sys.argv[1]), int(sys.argv[2])

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
    context.write("readers.py", READERS);
    let output = Command::new(python)
        .arg(context.path("readers.py"))
        .arg(context.path("d/000001"))
        .arg("21")
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
