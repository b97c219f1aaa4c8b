"""Paths per second of this program beside Mitsuba 3: one mesh, one material, one light, paths of equal length.

    python paths.py five_suzannes.glb --diorama target/profiling/diorama --out OUT_DIR [--variant llvm_ad_rgb|scalar_rgb]
                    [--repeat 7] [--size 512] [--samples 8]

Needs mitsuba and numpy (`cargo xtask bench paths` prepares them). Both see all triangles of the file with one two-sided principled
material (base colour 0.7 0.5 0.4, metallic 0.3, roughness 0.3, specular 0.5) under a constant sky and a sun without size, through
one camera, with at most five edges in a path: four hits, a light seen from each.

llvm_ad_rgb needs libLLVM: set DRJIT_LIBLLVM_PATH, or have a Rust toolchain that brings its own. LLVM 15 and 16 fail to compile
Mitsuba's kernels on processors with AVX512-FP16; 19 and 22 work.

A path is a sample of a pixel. Mitsuba: the time of `mi.render` once its kernels are compiled. Ours: a command with --samples and
one with nine times as many; their difference is the time of eight times --samples, without start, loading and trees. All in turn, medians. Means of
both pictures are printed: where they agree, the same work was done.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import time
from pathlib import Path

import numpy as np

MOST_EDGES = 5
# Constant radiance of the sky: 205/256, a number that the shared-exponent pixels of a .hdr file hold exactly.
SKY = 205 / 256
# Irradiance of the sun across its direction, W/m^2; and where its light goes.
SUN = 2.0
SUN_DIRECTION = (-0.4, -0.8, -0.3)
EYE, TARGET, FIELD_OF_VIEW = (9, 5, 9), (0, 1, 0), 40.0
BASE_COLOR, METALLIC, ROUGHNESS = (0.7, 0.5, 0.4), 0.3, 0.3
# Lumens of a watt, as Blender's and our glTF importers read lux.
LUMENS = 683

COMPONENTS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


def read_glb(path):
    """(document, binary chunk) of a .glb file."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    start = 20 + length
    binary = struct.unpack_from("<I", data, start)[0]
    return json.loads(data[20:start]), data[start + 8 : start + 8 + binary]


def write_glb(path, document, binary):
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def accessor(document, binary, index):
    """Values of an accessor without gaps between them (Blender's exporter leaves none)."""
    item = document["accessors"][index]
    view = document["bufferViews"][item["bufferView"]]
    width = WIDTHS[item["type"]]
    start = view.get("byteOffset", 0) + item.get("byteOffset", 0)
    values = np.frombuffer(binary, COMPONENTS[item["componentType"]], item["count"] * width, start)
    return values.reshape(-1, width)


def rotation_matrix(quaternion):
    x, y, z, w = quaternion
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])


def looking(direction, position=(0, 0, 0)):
    """Column-major matrix of a glTF node whose -Z goes along `direction`, with +Y up."""
    back = -np.asarray(direction, float) / np.linalg.norm(direction)
    right = np.cross((0, 1, 0), back)
    right /= np.linalg.norm(right)
    return [*right, 0, *np.cross(back, right), 0, *back, 0, *position, 1]


class Mitsuba:
    def __init__(self, document, binary):
        import mitsuba

        mitsuba.set_variant(args.variant)
        self.mitsuba = mitsuba
        description = {
            "type": "scene",
            "integrator": {"type": "path", "max_depth": MOST_EDGES},
            "environment": {"type": "constant", "radiance": SKY},
            "sun": {"type": "directional", "direction": list(SUN_DIRECTION), "irradiance": SUN},
            "sensor": {
                "type": "perspective", "fov": FIELD_OF_VIEW,
                "to_world": mitsuba.ScalarTransform4f().look_at(list(EYE), list(TARGET), [0, 1, 0]),
                "film": {"type": "hdrfilm", "width": args.size, "height": args.size},
                "sampler": {"type": "independent", "sample_count": args.samples},
            },
        }
        bsdf = mitsuba.load_dict({"type": "twosided", "bsdf": {
            "type": "principled", "base_color": {"type": "rgb", "value": list(BASE_COLOR)},
            "metallic": METALLIC, "roughness": ROUGHNESS, "specular": 0.5}})
        for node in document["nodes"]:
            if "mesh" not in node:
                continue
            turn = rotation_matrix(node.get("rotation", (0, 0, 0, 1))) * np.asarray(node.get("scale", (1, 1, 1)))
            for part in document["meshes"][node["mesh"]]["primitives"]:
                points = accessor(document, binary, part["attributes"]["POSITION"]) @ turn.T
                normals = accessor(document, binary, part["attributes"]["NORMAL"]) @ turn.T
                faces = accessor(document, binary, part["indices"])
                properties = mitsuba.Properties()
                properties["mesh_bsdf"] = bsdf
                mesh = mitsuba.Mesh(
                    node["name"], len(points), len(faces) // 3, has_vertex_normals=True, props=properties)
                parameters = mitsuba.traverse(mesh)
                parameters["vertex_positions"] = (points + node.get("translation", (0, 0, 0))).astype(np.float32).ravel()
                parameters["vertex_normals"] = normals.astype(np.float32).ravel()
                parameters["faces"] = faces.astype(np.uint32).ravel()
                parameters.update()
                description[f"mesh_{len(description)}"] = mesh
        self.scene = mitsuba.load_dict(description)

    def paths_per_second(self, seed):
        start = time.perf_counter()
        self.image = np.array(self.mitsuba.render(self.scene, spp=args.samples, seed=seed))
        return args.size**2 * args.samples / (time.perf_counter() - start)


class Diorama:
    def __init__(self, document, binary):
        self.scene, self.sky = args.out / "paths.glb", args.out / "paths_sky.hdr"
        # 205/256 = 205 · 2^(128 - 136): mantissas of 205, exponent of 128.
        self.sky.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n" + bytes((205, 205, 205, 128)) * 8)
        nodes = [node for node in document["nodes"] if "mesh" in node]
        toward = np.subtract(TARGET, EYE)
        nodes.append({"name": "camera", "camera": 0, "matrix": looking(toward, EYE)})
        nodes.append({"name": "sun", "matrix": looking(SUN_DIRECTION), "extensions": {"KHR_lights_punctual": {"light": 0}}})
        material = {"doubleSided": True, "pbrMetallicRoughness": {
            "baseColorFactor": [*BASE_COLOR, 1], "metallicFactor": METALLIC, "roughnessFactor": ROUGHNESS}}
        write_glb(self.scene, {
            **document,
            "nodes": nodes,
            "scenes": [{"nodes": list(range(len(nodes)))}],
            "materials": [material] * len(document["materials"]),
            "cameras": [{"type": "perspective", "perspective": {
                "aspectRatio": 1, "yfov": np.radians(FIELD_OF_VIEW), "znear": 0.1, "zfar": 1000}}],
            "extensions": {"KHR_lights_punctual": {"lights": [
                {"type": "directional", "color": [1, 1, 1], "intensity": SUN * LUMENS}]}},
            "extensionsUsed": ["KHR_lights_punctual"],
        }, binary)

    def render(self, samples, seed):
        """Seconds of one command."""
        command = [
            args.diorama, "render", self.scene, "--environment", self.sky, "--width", args.size, "--height", args.size,
            # Bounces are counted as in Blender: none is light seen from the first hit.
            "--max-bounces", MOST_EDGES - 2, "--spp", samples, "--seed", seed, "--backend", "cpu", "--quiet",
            "--output", args.out / "paths.exr",
        ]
        start = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    def paths_per_second(self, seed):
        more = 8 * args.samples
        seconds = self.render(args.samples + more, seed) - self.render(args.samples, seed)
        return args.size**2 * more / seconds

    def mean(self):
        """Mean of the radiance of all channels."""
        import OpenEXR

        with OpenEXR.File(str(args.out / "paths.exr"), separate_channels=True) as file:
            return float(np.mean([file.channels()[c].pixels for c in "RGB"]))


def libllvm_of_rust():
    """The compiler's own libLLVM, where it is a library of its own."""
    try:
        root = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return next(iter(sorted(Path(root, "lib").glob("libLLVM.so*"))), None)


parser = argparse.ArgumentParser()
parser.add_argument("scene", type=Path)
parser.add_argument("--diorama", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--variant", default="llvm_ad_rgb")
parser.add_argument("--repeat", type=int, default=7)
parser.add_argument("--size", type=int, default=512)
parser.add_argument("--samples", type=int, default=8)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
if "DRJIT_LIBLLVM_PATH" not in os.environ and (library := libllvm_of_rust()):
    os.environ["DRJIT_LIBLLVM_PATH"] = str(library)

content = read_glb(args.scene)
theirs, ours = Mitsuba(*content), Diorama(*content)
for seed in (0, 1):
    theirs.paths_per_second(seed)
rows = [(theirs.paths_per_second(seed), ours.paths_per_second(seed)) for seed in range(args.repeat)]
their_speed, our_speed = (statistics.median(column) / 1e6 for column in zip(*rows))
ratio = statistics.median(b / a for a, b in rows)
print(f"mitsuba {args.variant}: {their_speed:.2f} Mpaths/s, mean {theirs.image.mean():.4f}")
print(f"diorama: {our_speed:.2f} Mpaths/s, mean {ours.mean():.4f}")
print(f"ratio {ratio:.2f} (median of {args.repeat} in turn)")
