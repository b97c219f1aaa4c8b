"""Pairs (full, removed) of one glTF scene: this program beside Blender's Cycles, time and error.

    python pairs.py --diorama target/profiling/diorama --environment sky.hdr --out OUT_DIR [--scene five_suzannes.glb]
                    [--size 256] [--samples 128] [--reference-samples 16384] [--repeat 3] [--names N] [--modes abc]
                    [--error-seeds 4] [--plain]

Needs Python 3.11 with bpy 4.3.0, numpy<2 and OpenEXR (`cargo xtask bench pairs` prepares one). Cycles and we read the same glTF
file under the same picture; clamping, Filter Glossy and light threshold are 0, every bounce limit is 20, no adaptive sampling.

(a) no denoiser, equal samples    (b) OpenImageDenoise on both sides, our noise threshold (at most --most-samples samples; with
--plain: our samples) as high (low) as keeps our error at or below theirs    (c) our own denoiser, likewise

Time is the wall clock of Cycles' two render calls (full, removed; its import of the file and its start are not in it) against
our one command (process start, loading, trees, both pictures, writing), taken in turn. Error is relMSE (epsilon 0.01) of linear
radiance clipped at 10, mean of full and removed, each against its own reference. A reference is the mean of renders of 2,048
samples with seeds of their own; a quarter of the relMSE between the means of its two halves is what its own noise adds to every
error, and is taken off. These renders are kept in OUT_DIR and used again: references that take hours are made bit by bit, by
--references-only if wished. Errors are means over --error-seeds seeds: a few bright paths decide those of one. With
--error-seeds 0 only times are taken, ours at the first of --thresholds.
"""
import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

parser = argparse.ArgumentParser()
parser.add_argument("--diorama", type=Path, required=True)
parser.add_argument("--environment", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--scene", type=Path)
parser.add_argument("--size", type=int, default=256)
parser.add_argument("--samples", type=int, default=128)
parser.add_argument("--reference-samples", type=int, default=16384)
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--names", type=int, default=0, help="how many objects are removed in turn (default: every Suzanne)")
parser.add_argument("--modes", default="abc")
parser.add_argument("--error-seeds", type=int, default=4)
parser.add_argument("--references-only", action="store_true", help="make what references are missing, measure nothing")
parser.add_argument("--plain", action="store_true", help="no noise threshold on our side")
parser.add_argument("--most-samples", type=int, default=256)
parser.add_argument("--thresholds", type=float, nargs="+",
                    default=[0.1, 0.08, 0.07, 0.06, 0.055, 0.05, 0.045, 0.04, 0.035, 0.03, 0.025, 0.02])
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)


# Where our file keeps full and removed.
LAYERS = ("", "rgb_removed")


def channels(path, layer=""):
    """H x W x 3 linear values of a layer of an EXR file."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        values = file.channels()
        prefix = f"{layer}." if layer else ""
        return np.stack([values[prefix + c].pixels for c in "RGB"], axis=-1).astype(np.float64)


def rel_mse(image, reference):
    image, reference = np.clip(image, 0, 10), np.clip(reference, 0, 10)
    return float(np.mean((image - reference) ** 2 / (reference**2 + 0.01)))


class Cycles:
    """The scene in Blender."""

    def __init__(self, scene, environment, size):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.import_scene.gltf(filepath=str(scene.resolve()))
        self.scene = bpy.context.scene
        self.objects = [o for o in self.scene.objects if o.type == "MESH"]
        self.scene.camera = next(o for o in self.scene.objects if o.type == "CAMERA")
        world = bpy.data.worlds.new("world")
        self.scene.world = world
        world.use_nodes = True
        texture = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
        texture.image = bpy.data.images.load(str(environment.resolve()))
        world.node_tree.links.new(texture.outputs[0], world.node_tree.nodes["Background"].inputs[0])
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = size
        render.resolution_percentage = 100
        render.image_settings.file_format = "OPEN_EXR"
        render.image_settings.color_depth = "32"
        render.filter_size = 1.5
        cycles.device = "CPU"
        cycles.use_adaptive_sampling = False
        cycles.pixel_filter_type = "BLACKMAN_HARRIS"
        cycles.filter_width = 1.5
        cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0
        cycles.blur_glossy = 0
        cycles.light_sampling_threshold = 0
        for limit in ["max", "diffuse", "glossy", "transmission", "volume", "transparent_max"]:
            setattr(cycles, f"{limit}_bounces", 20)
        self.scene.view_settings.view_transform = "Standard"

    def render(self, path, removed, samples, denoise, seed=0):
        """Seconds of one render call."""
        self.scene.cycles.seed = seed
        for item in self.objects:
            item.hide_render = item.name == removed
        self.scene.cycles.samples = samples
        self.scene.cycles.use_denoising = denoise
        if denoise:
            self.scene.cycles.denoiser = "OPENIMAGEDENOISE"
        self.scene.render.filepath = str(path.resolve())
        start = time.perf_counter()
        bpy.ops.render.render(write_still=True)
        return time.perf_counter() - start

    def pair(self, name, samples, denoise, tag, seed=0):
        """Seconds and pictures of full and removed."""
        paths = [args.out / f"cycles_{tag}_{which}.exr" for which in ("full", "removed")]
        seconds = sum(
            self.render(path, gone, samples, denoise, seed) for path, gone in zip(paths, (None, name)))
        return seconds, [channels(path) for path in paths]


def ours(scene, name, samples, denoise, tag, seed=0, threshold=0.0):
    """Seconds and pictures of full and removed."""
    path = args.out / f"diorama_{tag}.exr"
    command = [
        args.diorama, "render", scene, "--environment", args.environment, "--width", args.size, "--height", args.size,
        "--spp", samples, "--noise-threshold", threshold, "--seed", seed, "--denoise", denoise, "--remove", name, "--quiet", "--output", path,
    ]
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    return seconds, [channels(path, layer) for layer in LAYERS]


class Reference:
    """What a picture should be, and how much of a measured error is the reference's own noise."""

    def __init__(self, parts):
        halves = [np.mean(parts[which::2], axis=0) for which in (0, 1)]
        self.image = (halves[0] + halves[1]) / 2
        difference = np.clip(halves[0], 0, 10) - np.clip(halves[1], 0, 10)
        self.noise = float(np.mean(difference**2 / (np.clip(self.image, 0, 10) ** 2 + 0.01))) / 4

    def error(self, image):
        return rel_mse(image, self.image) - self.noise


# Samples of one render of a reference; an even number of renders makes one.
PART = 2048


def reference_seeds():
    return range(11, 11 + max(2, args.reference_samples // PART // 2 * 2))


def cycles_reference(removed):
    parts = []
    for seed in reference_seeds():
        path = args.out / f"reference_cycles_{removed or 'full'}_{PART}_{seed}.exr"
        if not path.exists():
            unfinished = path.with_suffix(".part.exr")
            cycles.render(unfinished, removed, PART, False, seed)
            unfinished.rename(path)
        parts.append(channels(path))
    return Reference(parts)


def our_references(name):
    parts = []
    for seed in reference_seeds():
        tag = f"reference_{name}_{PART}_{seed}"
        path = args.out / f"diorama_{tag}.exr"
        if not path.exists():
            ours(scene, name, PART, "none", f"{tag}.part", seed)
            (args.out / f"diorama_{tag}.part.exr").rename(path)
        parts.append([channels(path, layer) for layer in LAYERS])
    return [Reference(pictures) for pictures in zip(*parts)]


def medians_in_turn(*runs):
    """(median seconds, last pictures) of each, the runs taking turns so that a busy machine is fair to both."""
    results = [[run() for run in runs] for _ in range(args.repeat)]
    return [(statistics.median(seconds for seconds, _ in column), column[-1][1]) for column in zip(*results)]


def error(pictures, references):
    return statistics.mean(reference.error(image) for image, reference in zip(pictures, references))


def mean_error(pair, references):
    """Over seeds; `pair(seed)` gives seconds and pictures."""
    return statistics.mean(error(pair(seed)[1], references) for seed in range(args.error_seeds))


scene = args.scene or args.out / "five_suzannes.glb"
if not scene.exists():
    script = Path(__file__).with_name("five_suzannes.py")
    subprocess.run([__import__("sys").executable, str(script), str(args.out), "--repeat", "0"], check=True)
cycles = Cycles(scene, args.environment, args.size)
names = [o.name for o in cycles.objects if "suzanne" in o.name.lower()] or [o.name for o in cycles.objects]
names = names[: args.names or None]
if args.plain:
    settings = [(n, 0.0) for n in (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 384, 512)]
else:
    settings = [(args.most_samples, threshold) for threshold in args.thresholds]
with_errors = args.error_seeds > 0
full_reference = cycles_reference(None) if with_errors else None
if args.references_only:
    for name in names:
        cycles_reference(name)
        our_references(name)
    raise SystemExit
rows = []
for name in names:
    tag = name.replace(".", "_")
    row = {"removed": name}
    if with_errors:
        their_references = [full_reference, cycles_reference(name)]
        our_reference = our_references(name)
        row["references_differ"] = error([r.image for r in our_reference], their_references)
    if "a" in args.modes:
        def their_pair(seed=0):
            return cycles.pair(name, args.samples, False, f"{tag}_a", seed)

        def our_pair(seed=0):
            return ours(scene, name, args.samples, "none", f"{tag}_a", seed)

        (their_seconds, _), (our_seconds, _) = medians_in_turn(their_pair, our_pair)
        row["a"] = {"cycles_s": their_seconds, "diorama_s": our_seconds, "ratio": their_seconds / our_seconds}
        if with_errors:
            row["a"]["cycles_error"] = mean_error(their_pair, their_references)
            row["a"]["diorama_error"] = mean_error(our_pair, our_reference)
    if "b" in args.modes or "c" in args.modes:
        limit, fixed = None, sum(cycles.render(args.out / "fixed.exr", n, 1, False) for n in (None, name))
        if with_errors:
            limit = mean_error(lambda seed: cycles.pair(name, args.samples, True, f"{tag}_b", seed), their_references)
        for mode, denoiser in (("b", "oidn"), ("c", "builtin")):
            if mode not in args.modes:
                continue
            tried = []
            for samples, threshold in settings:
                our_error = mean_error(
                    lambda seed: ours(scene, name, samples, denoiser, f"{tag}_{mode}", seed, threshold), our_reference,
                ) if with_errors else None
                tried.append((samples, threshold, our_error))
                if not with_errors or our_error <= limit:
                    break
            samples, threshold, our_error = tried[-1]
            (their_seconds, _), (our_seconds, _) = medians_in_turn(
                lambda: cycles.pair(name, args.samples, True, f"{tag}_b"),
                lambda: ours(scene, name, samples, denoiser, f"{tag}_{mode}", threshold=threshold),
            )
            row[mode] = {
                "cycles_s": their_seconds, "cycles_error": limit, "cycles_one_sample_s": fixed, "diorama_samples": samples,
                "diorama_threshold": threshold, "diorama_s": our_seconds, "diorama_error": our_error,
                "ratio": their_seconds / our_seconds, "tried": tried,
            }
    rows.append(row)
    print(json.dumps(row), flush=True)
(args.out / "pairs.json").write_text(json.dumps(rows, indent=1))
for mode in "abc":
    if all(mode in row for row in rows):
        ratios = [row[mode]["ratio"] for row in rows]
        print(f"({mode}) median {statistics.median(ratios):.2f} times Cycles, from {min(ratios):.2f} to {max(ratios):.2f}")
