"""Measures Blender's display transforms and writes the tables of `render/src/view`.

Needs Blender 4.3 as a Python module (`pip install bpy==4.3.0 "numpy<2"`, Python 3.11). Usage:

    python xtask/python/measure_view.py render/src/view

Everything is measured through `Image.save_render` (16-bit PNG, no dither, sRGB display), the way a
user gets pixels out of Blender; no file of Blender's is read.

Writes into the folder given:
  agx_nodes.bin      values of the AgX formation at the nodes that sRGB colours can reach (see agx.rs)
  filmic_curve.bin   257 u16: the contrast curve from Filmic Log to Filmic
  known_answers.csv  colours with Blender's 8-bit result, for the tests
and prints the desaturation constants of filmic.rs.
"""

import os
import struct
import sys
import tempfile
import zlib

import bpy
import numpy as np

LOG2_MIN, LOG2_MAX = -12.473931188, 12.526068812
AGX_LOG2_MIN, AGX_LOG2_MAX = -12.47393, 12.5260688117
AGX_STEPS = 56  # node spacing of the formation: 25 stops / 56
XYZ_FROM_E_GAMUT = np.array(
    [
        [0.7053968501, 0.1640413283, 0.08101774865],
        [0.2801307241, 0.8202066415, -0.1003373656],
        [-0.1037815116, -0.07290725703, 1.265746519],
    ]
)
REC709_FROM_XYZ = np.array(
    [
        [3.2404373564920070, -1.5371305409000549, -0.4985288240756933],
        [-0.9692674982687597, 1.8760136862977035, 0.0415560804587997],
        [0.0556434463874256, -0.2040259700872272, 1.0572254813610864],
    ]
)
E_GAMUT_FROM_REC709 = np.linalg.inv(XYZ_FROM_E_GAMUT) @ np.linalg.inv(REC709_FROM_XYZ)


def read_png(path):
    """RGB PNG of 8 or 16 bits as integers, height x width x 3."""
    data = open(path, "rb").read()
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[at + 8 : at + 18])
            assert depth in (8, 16) and colour == 2
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    step = 3 * depth // 8
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * step)
    out = np.zeros((height, width * step), np.uint8)
    above = [0] * (width * step)
    for y in range(height):
        kind, line = rows[y, 0], rows[y, 1:].tolist()
        for i in range(len(line) if kind else 0):
            left = line[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = above[i]
            elif kind == 3:
                guess = (left + above[i]) // 2
            else:
                p = left + above[i] - corner
                a, b, c = abs(p - left), abs(p - above[i]), abs(p - corner)
                guess = left if a <= b and a <= c else above[i] if b <= c else corner
            line[i] = (line[i] + guess) & 255
        out[y] = above = line
    if depth == 8:
        return out.reshape(height, width, 3).astype(np.int64)
    pairs = out.reshape(height, width, 3, 2).astype(np.int64)
    return pairs[..., 0] * 256 + pairs[..., 1]


def blender_view(colours, view, depth=16):
    """Display values of linear Rec.709 `colours` (n x 3): integers of `depth` bits."""
    colours = np.asarray(colours, np.float32)
    width = 512
    height = (len(colours) + width - 1) // width
    pixels = np.ones((height * width, 4), np.float32)
    pixels[: len(colours), :3] = colours
    image = bpy.data.images.new("colours", width, height, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Linear Rec.709"
    image.pixels.foreach_set(pixels.ravel())
    scene = bpy.context.scene
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = view
    scene.view_settings.look = "None"
    scene.view_settings.exposure = 0
    scene.view_settings.gamma = 1
    scene.render.dither_intensity = 0
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.color_depth = str(depth)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "view.png")
        image.save_render(path, scene=scene)
        values = read_png(path)
    bpy.data.images.remove(image)
    return values[::-1].reshape(-1, 3)[: len(colours)]  # Blender's rows start at the bottom


def filmic_log(e):
    """Filmic Log values (before the division by 0.66) of log-encoded colours."""
    colours = 2 ** (LOG2_MIN + (LOG2_MAX - LOG2_MIN) * np.asarray(e))
    return blender_view(colours, "Filmic Log") / 65535 * 0.66


def measure_filmic(folder):
    def linear(e):
        return 2 ** (LOG2_MIN + (LOG2_MAX - LOG2_MIN) * e)

    # Colours (x, x, M) in node units. Values above 0.66 are clipped: extrapolate along the edge.
    values, share = {}, 0.125
    for m in range(20, 28):
        x = np.arange(0, 20, 2) / 32
        at = filmic_log(np.stack([x, x, np.full_like(x, m / 32)], 1))[:, 0]
        edge = filmic_log(np.stack([x, x, np.full_like(x, (m - 1 + share) / 32)], 1))[:, 0]
        for i in range(len(x)):
            before = values.get((i, m - 1), 1)
            clipped = at[i] > 0.6599 and before < 0.6599
            values[i, m] = before + (edge[i] - before) / share if clipped else at[i]
        mixes = [(linear(values[i, m]) - linear(x[i])) / (linear(m / 32) - linear(x[i])) for i in range(len(x))]
        print(f"filmic: desaturation at node {m}: {np.median(mixes):.6f}")

    ramp = np.repeat(2 ** (LOG2_MIN + 16.5 * np.linspace(0, 1, 16384))[:, None], 3, 1)
    log = blender_view(ramp, "Filmic Log")[:, 0] / 65535
    shown = blender_view(ramp, "Filmic")[:, 0] / 65535
    nodes = np.interp(np.linspace(0, 1, 257), log, shown)
    nodes[0] = 0
    with open(os.path.join(folder, "filmic_curve.bin"), "wb") as file:
        file.write(np.round(nodes * 65535).astype("<u2").tobytes())


def measure_agx(folder):
    def node_of(colours):
        log = np.log2(np.maximum(colours @ E_GAMUT_FROM_REC709.T, 1e-30))
        return (log - AGX_LOG2_MIN) / (AGX_LOG2_MAX - AGX_LOG2_MIN) * AGX_STEPS

    # All cells that non-negative Rec.709 colours below 2^8 meet.
    k = 240
    chroma = np.array([[i, j, k - i - j] for i in range(k + 1) for j in range(k + 1 - i)]) / k
    chroma = chroma**2 / (chroma**2).sum(1, keepdims=True)
    used = set()
    for stops in np.arange(-15, 9, 0.03):
        cell = np.floor(np.clip(node_of(2**stops * chroma), 0, AGX_STEPS)).astype(int)
        for corner in range(8):
            step = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
            used.update(map(tuple, np.unique(cell + step, axis=0)))
    last = 45  # beyond this node everything reachable is white: checked below
    runs = {}
    for r, g, b in used:
        if max(r, g, b) <= last:
            low, high = runs.get((r, g), (b, b))
            runs[r, g] = (min(low, b), max(high, b))
    nodes = [(r, g, b) for (r, g), (low, high) in sorted(runs.items()) for b in range(low, high + 1)]
    log = AGX_LOG2_MIN + (AGX_LOG2_MAX - AGX_LOG2_MIN) * np.array(nodes) / AGX_STEPS
    shown = blender_view(2**log @ np.linalg.inv(E_GAMUT_FROM_REC709).T, "AgX") / 65535
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    formation = linear ** (1 / 2.4)
    outer = np.array([max(n) == last and min(n) >= last - 8 for n in nodes])
    print("agx: least bright of the outermost nodes:", shown[outer].min())
    with open(os.path.join(folder, "agx_nodes.bin"), "wb") as file:
        for r in range(last + 1):
            for g in range(last + 1):
                low, high = runs.get((r, g), (0, -1))
                file.write(bytes([low, high - low + 1]))
        file.write(np.round(formation * 65535).astype("<u2").tobytes())
    print("agx:", len(nodes), "nodes")


def known_answers(folder):
    rng = np.random.default_rng(20240601)
    grey = np.repeat(np.geomspace(1e-5, 100, 40)[:, None], 3, 1)
    levels = np.geomspace(1e-3, 60, 5)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    drawn = rng.dirichlet([1, 1, 1], 200) * 2 ** rng.uniform(-8, 6, 200)[:, None]
    colours = np.concatenate([grey, grid, drawn]).astype(np.float32)
    shown = [blender_view(colours, view, 8) for view in ("Standard", "Filmic", "AgX")]
    with open(os.path.join(folder, "known_answers.csv"), "w") as file:
        file.write("# linear r,g,b -> Blender 4.3 8-bit standard r,g,b, filmic r,g,b, agx r,g,b\n")
        for i, colour in enumerate(colours):
            row = [f"{c:.9g}" for c in colour] + [str(v) for s in shown for v in s[i]]
            file.write(",".join(row) + "\n")


if __name__ == "__main__":
    measure_filmic(sys.argv[1])
    measure_agx(sys.argv[1])
    known_answers(sys.argv[1])
