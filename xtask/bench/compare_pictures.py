"""Compares our EXR with Cycles' of the same file, object by object.

    python compare_pictures.py OURS.exr CYCLES.exr OUT.png [--names shot.json]     (needs OpenEXR, flip-evaluator, numpy, pillow)

Prints one row per object: pixels, mean luminance of both, their ratio, mean FLIP (standard view, clipped at 1); writes ours | Cycles | FLIP side by side.
"""
import argparse
import json

import flip_evaluator
import numpy as np
import OpenEXR
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("ours")
parser.add_argument("cycles")
parser.add_argument("out")
parser.add_argument("--names")
args = parser.parse_args()


def channels(path):
    with OpenEXR.File(path, separate_channels=True) as f:
        return {name: c.pixels for name, c in f.channels().items()}


def rgb(c, prefix=""):
    names = [prefix + k for k in "RGB"]
    return np.stack([c[n] for n in names], -1).astype("f4")


def srgb(x):
    x = np.clip(x, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype("f4")


ours_channels = channels(args.ours)
cycles_channels = channels(args.cycles)
ours = rgb(ours_channels)
cycles = rgb(cycles_channels, "" if "R" in cycles_channels else next(k for k in cycles_channels if k.endswith(".R"))[:-1])
ids = ours_channels["instance.id"]
names = {0: "(environment)"}
if args.names:
    names |= {o["id"]: o["name"] for o in json.load(open(args.names))["objects"]}
flip_map, mean_flip, _ = flip_evaluator.evaluate(srgb(cycles), srgb(ours), "LDR")
flip_map = np.asarray(flip_map)
per_pixel = flip_evaluator.evaluate(srgb(cycles), srgb(ours), "LDR", applyMagma=False)[0].squeeze()
luminance = lambda x: x @ np.array([0.2126, 0.7152, 0.0722], "f4")
worst = 0
for i in sorted(np.unique(ids)):
    mask = ids == i
    a, b = luminance(ours)[mask].mean(), luminance(cycles)[mask].mean()
    if i and mask.sum() >= 64:
        worst = max(worst, abs(a / b - 1))
    print(f"{names.get(int(i), i)!s:28} {mask.sum():7d} px  ours {a:8.4f}  cycles {b:8.4f}  ratio {a / b:6.4f}  flip {per_pixel[mask].mean():.4f}")
print(f"all: flip {mean_flip:.4f}, largest luminance error of an object {100 * worst:.2f} %")
picture = np.concatenate([srgb(ours), srgb(cycles), flip_map], 1)
Image.fromarray((picture * 255 + 0.5).astype("u1")).save(args.out)
