#!/usr/bin/env python3
"""Reads test videos with the readers that training code uses, and compares every pixel.

    cargo run -p diorama-video --example write_test_videos -- FOLDER
    pip install "opencv-python-headless==4.10.*" av decord mediapy "numpy<2"
    python tests/python/check_decoders.py FOLDER

Masks must come back without one wrong pixel. Saturated patches must be within 1.5 levels in the mean and 4 at most.
Every reader must see every frame and the right rate. Exit status 1 if anything fails; a reader that is
not installed is a failure unless --allow-missing is given.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

MASK_LEVELS = (0, 128, 255)
PATCH_MEAN_LIMIT = 1.5
PATCH_MAX_LIMIT = 4
KEY_FRAME_PERIOD = 16
RATE_TOLERANCE = 2.5e-4  # mediapy keeps two decimals of 23.976


def read_opencv(path):
    import cv2

    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    capture.release()
    return np.array(frames), fps, stated


def read_pyav(path):
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate)
        stated = stream.frames
        frames, keys = [], []
        for frame in container.decode(stream):
            frames.append(frame.to_ndarray(format="rgb24"))
            keys.append(bool(frame.key_frame))
        expected = [index % KEY_FRAME_PERIOD == 0 for index in range(len(keys))]
        if keys != expected:
            raise AssertionError(f"key frames {[i for i, k in enumerate(keys) if k]}")
    return np.array(frames), fps, stated


def read_pyav_gray(path):
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
        return np.repeat(np.array(frames)[..., None], 3, axis=-1), float(stream.average_rate), stream.frames


def read_decord(path):
    import decord

    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    frames = reader.get_batch(list(range(len(reader)))).asnumpy()
    return frames, reader.get_avg_fps(), len(reader)


def read_decord_backwards(path):
    import decord

    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    order = list(range(len(reader)))[::-1]
    frames = np.stack([reader[index].asnumpy() for index in order])[::-1]
    return frames, reader.get_avg_fps(), len(reader)


def read_mediapy(path):
    import mediapy

    video = mediapy.read_video(path)
    return np.asarray(video), video.metadata.fps, video.metadata.num_images


def read_mediapy_gray(path):
    import mediapy

    video = mediapy.read_video(path, output_format="gray")
    return np.repeat(np.asarray(video)[..., None], 3, axis=-1), video.metadata.fps, video.metadata.num_images


READERS = {
    "opencv": (read_opencv, True),
    "pyav": (read_pyav, True),
    "pyav-gray": (read_pyav_gray, False),
    "decord": (read_decord, True),
    "decord-seek": (read_decord_backwards, True),
    "mediapy": (read_mediapy, True),
    "mediapy-gray": (read_mediapy_gray, False),
}


def expected_frames(folder, entry):
    raw = np.fromfile(folder / f"{entry['name']}.raw", dtype=np.uint8)
    channels = 1 if entry["kind"] == "mask" else 3
    frames = raw.reshape(entry["frames"], entry["height"], entry["width"], channels)
    return np.repeat(frames, 3, axis=-1) if channels == 1 else frames


def check(entry, expected, frames, fps, stated):
    """Words about the difference, and what is wrong with it."""
    wrong = []
    if frames.shape != expected.shape:
        return "", [f"shape {frames.shape}, not {expected.shape}"]
    if stated != entry["frames"]:
        wrong.append(f"states {stated} frames")
    if abs(fps - entry["fps"]) > RATE_TOLERANCE * entry["fps"]:
        wrong.append(f"states {fps} fps")
    difference = np.abs(frames.astype(np.int16) - expected)
    mean, largest = float(difference.mean()), int(difference.max())
    p99 = float(np.percentile(difference, 99))
    if entry["kind"] == "mask":
        bad = int((difference > 0).sum())
        words = f"{bad} wrong values of {difference.size}"
        if bad:
            wrong.append(words)
    else:
        words = f"mean {mean:.3f}  p99 {p99:.0f}  max {largest}"
        if entry["name"].startswith("patches"):
            if mean > PATCH_MEAN_LIMIT:
                wrong.append(f"mean above {PATCH_MEAN_LIMIT}")
            if largest > PATCH_MAX_LIMIT:
                wrong.append(f"max above {PATCH_MAX_LIMIT}")
    return words, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--allow-missing", action="store_true", help="skip readers that are not installed")
    arguments = parser.parse_args()
    manifest = json.loads((arguments.folder / "manifest.json").read_text())
    failures = 0
    missing = set()
    for entry in manifest["videos"]:
        expected = expected_frames(arguments.folder, entry)
        path = arguments.folder / f"{entry['name']}.mp4"
        for name, (read, has_color) in READERS.items():
            if name in missing or (entry["kind"] == "color" and not has_color):
                continue
            try:
                words, wrong = check(entry, expected, *read(path))
            except ImportError as error:
                missing.add(name)
                print(f"{name}: not installed ({error})")
                continue
            except Exception as error:  # whatever a reader throws is its verdict on the file
                words, wrong = "", [f"{type(error).__name__}: {error}"]
            failures += bool(wrong)
            verdict = "FAIL " + "; ".join(wrong) if wrong else "ok"
            print(f"{entry['name']:16} {entry['bytes']:9} B  {name:12} {words:40} {verdict}")
    if missing and not arguments.allow_missing:
        failures += len(missing)
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
