"""Our pictures beside Cycles', object by object, scene by scene.

    python cycles_scenes.py --diorama target/profiling/diorama --assets ASSETS_DIR --environment A.hdr [--environment B.hdr]
                            --out OUT_DIR [--size 160] [--samples 512] [--cycles-samples 512] [--scene NAME]... [--sheets DIR]

Needs Python 3.11 with bpy 4.3.0, numpy<2, OpenEXR, flip-evaluator and pillow (`cargo xtask bench cycles` prepares one). Makes the
scenes once (compare_scenes.py, five_suzannes.py), renders each under each environment twice on both sides, with two seeds, and
compares the means of the two; how far the halves lie apart tells the noise. Cycles' pictures are kept in OUT_DIR and made
again only where the file is missing. --no-light-sampling lets Cycles find the world by scattering alone (its light sampling
brightens rough glass).

Prints a Markdown row for every object (what is seen first in a pixel, by our instance ids) of at least 64 pixels:
mean luminance ours / Cycles, its noise (one standard deviation), mean FLIP (standard view, white = 1), mean FLIP between
Cycles' two halves (what noise alone does at half the samples), and a mark where it misses 2 % (4 % for rough glass) or 0.06. Writes OUT_DIR/table_<environment>.md, and one sheet per environment:
ours | Cycles | four times the difference.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import flip_evaluator
import numpy as np
import OpenEXR
from PIL import Image, ImageDraw

SCENES = [
    "five_suzannes",
    "sphere_grid",
    "transmission_roughness",
    "attenuation",
    "glass_table",
    "ycb_mustard",
    "egyptian_cat",
]
# Objects of fewer pixels are mostly edge.
LEAST_PIXELS = 64
LUMINANCE_LIMIT, ROUGH_GLASS_LIMIT, FLIP_LIMIT = 0.02, 0.04, 0.06
# From here on refraction counts as rough.
ROUGH = 0.05
HERE = Path(__file__).parent

parser = argparse.ArgumentParser()
parser.add_argument("--diorama", type=Path, required=True)
parser.add_argument("--assets", type=Path, required=True)
parser.add_argument("--environment", type=Path, action="append", required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--size", type=int, default=160)
parser.add_argument("--samples", type=int, default=512, help="of each of the two seeds")
parser.add_argument("--cycles-samples", type=int, default=512)
parser.add_argument("--scene", action="append", choices=SCENES)
parser.add_argument("--sheets", type=Path, help="where the sheets go (default: OUT_DIR)")
parser.add_argument("--no-light-sampling", action="store_true")
args = parser.parse_args()
scenes_dir = args.out / "scenes"
scenes_dir.mkdir(parents=True, exist_ok=True)


def python(script, *arguments):
    """Blender keeps state: every job gets a process of its own."""
    log = args.out / "blender.log"
    with log.open("a") as out:
        done = subprocess.run([sys.executable, HERE / script, *map(str, arguments)], stdout=out, stderr=out)
    if done.returncode:
        sys.exit(f"{script} failed: see {log}")


def make_scenes():
    if not (scenes_dir / "five_suzannes.glb").exists():
        python("five_suzannes.py", scenes_dir, "--repeat", 0)
    if not all((scenes_dir / f"{name}.glb").exists() for name in SCENES):
        python("compare_scenes.py", args.assets, scenes_dir)


def channels(path):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def rgb(values):
    return np.stack([values[c] for c in "RGB"], -1).astype("f8")


def luminance(image):
    return image @ np.array([0.2126, 0.7152, 0.0722])


def srgb(x):
    x = np.clip(x, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype("f4")


def ours(scene, environment):
    """Two pictures and the ids of what is first seen."""
    pictures, ids = [], None
    for seed in (0, 1):
        path = args.out / f"ours_{scene}_{environment.stem}_{seed}.exr"
        subprocess.run(
            [args.diorama, "--quiet", "render", scenes_dir / f"{scene}.glb", "--environment", environment]
            + ["--width", str(args.size), "--height", str(args.size), "--spp", str(args.samples)]
            + ["--denoise", "none", "--seed", str(seed), "--output", path],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        values = channels(path)
        pictures.append(rgb(values))
        ids = values["instance.id"]
    return pictures, ids


def cycles(scene, environment):
    pictures = []
    for seed in (0, 1):
        kind = "scattering" if args.no_light_sampling else "cycles"
        path = args.out / f"{kind}_{scene}_{environment.stem}_{args.size}_{args.cycles_samples}_{seed}.exr"
        if not path.exists():
            python(
                "cycles_render.py", scenes_dir / f"{scene}.glb", path, "--environment", environment,
                "--size", args.size, "--samples", args.cycles_samples, "--seed", seed,
                *["--no-light-sampling"] * args.no_light_sampling,
            )  # fmt: skip
        pictures.append(rgb(channels(path)))
    return pictures


def objects(scene):
    """(name, is rough glass) of the instances in the order of our ids, from the file's own JSON: nodes with a mesh, depth first."""
    data = (scenes_dir / f"{scene}.glb").read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    found = []

    def rough_glass(mesh):
        for primitive in mesh["primitives"]:
            material = document["materials"][primitive["material"]] if "material" in primitive else {}
            transmission = material.get("extensions", {}).get("KHR_materials_transmission", {})
            roughness = material.get("pbrMetallicRoughness", {}).get("roughnessFactor", 1.0)
            if transmission.get("transmissionFactor", 0) > 0 and roughness > ROUGH:
                return True
        return False

    def visit(index):
        node = document["nodes"][index]
        if "mesh" in node:
            mesh = document["meshes"][node["mesh"]]
            found.append((node.get("name", mesh.get("name", f"node {index}")), rough_glass(mesh)))
        for child in node.get("children", []):
            visit(child)

    for root in document["scenes"][document.get("scene", 0)]["nodes"]:
        visit(root)
    return found


def compare(scene, environment):
    """Table rows and the sheet's row of pictures."""
    (a0, a1), ids = ours(scene, environment)
    b0, b1 = cycles(scene, environment)
    a, b = (a0 + a1) / 2, (b0 + b1) / 2
    flip_of = lambda x, y: flip_evaluator.evaluate(srgb(x), srgb(y), "LDR", applyMagma=False)[0].squeeze()
    flip, own_flip = flip_of(b, a), flip_of(b0, b1)
    names = objects(scene)
    rows = []
    for i in np.unique(ids):
        mask = ids == i
        if i == 0 or mask.sum() < LEAST_PIXELS:
            continue
        name, rough = names[i - 1] if i <= len(names) else (f"instance {i}", False)
        mean = lambda image: luminance(image)[mask].mean()
        ratio = mean(a) / mean(b)
        noise = np.hypot((mean(a0) - mean(a1)) / 2, (mean(b0) - mean(b1)) / 2) / mean(b)
        error = flip[mask].mean()
        misses = [abs(ratio - 1) > (ROUGH_GLASS_LIMIT if rough else LUMINANCE_LIMIT), error >= FLIP_LIMIT]
        mark = " ".join(text for text, miss in zip(("luminance", "FLIP"), misses) if miss)
        rows.append((scene, name, int(mask.sum()), ratio, noise, error, own_flip[mask].mean(), mark))
    difference = np.abs(srgb(a) - srgb(b)) * 4
    return rows, np.concatenate([srgb(a), srgb(b), np.clip(difference, 0, 1)], 1)


def sheet(pictures, labels):
    """The rows two abreast, each with its scene's name."""
    rows = []
    for picture, label in zip(pictures, labels):
        image = Image.fromarray((picture * 255 + 0.5).astype("u1"))
        ImageDraw.Draw(image).text((4, 2), f"{label}: ours | Cycles | difference x 4", fill=(255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0))
        rows.append(np.asarray(image))
    if len(rows) % 2:
        rows.append(np.zeros_like(rows[0]))
    return Image.fromarray(np.concatenate([np.concatenate(rows[0::2]), np.concatenate(rows[1::2])], 1))


make_scenes()
chosen = args.scene or SCENES
for environment in args.environment:
    lines = [
        "| scene | object | pixels | ours ÷ Cycles | noise | FLIP | Cycles' own FLIP | misses |",
        "|---|---|---|---|---|---|---|---|",
    ]
    pictures, count, missed = [], 0, 0
    for scene in chosen:
        rows, picture = compare(scene, environment)
        pictures.append(picture)
        for scene_name, name, pixels, ratio, noise, error, own, mark in rows:
            count, missed = count + 1, missed + bool(mark)
            lines.append(
                f"| {scene_name} | {name} | {pixels} | {ratio:.4f} | {noise:.4f} | {error:.3f} | {own:.3f} | {mark} |"
            )
    text = "\n".join(lines) + f"\n\n{environment.stem}: {count - missed} of {count} objects within the limits\n"
    (args.out / f"table_{environment.stem}.md").write_text(text)
    print(text, flush=True)
    sheets = args.sheets or args.out
    sheets.mkdir(parents=True, exist_ok=True)
    sheet(pictures, chosen).save(sheets / f"cycles_{environment.stem}.png", optimize=True)
