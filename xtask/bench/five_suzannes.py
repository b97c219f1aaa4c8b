"""Bench scene: five subdivided Suzannes with random Principled materials on a plane under sun and sky (314,882 triangles).

Run with a Python that has Blender as a module (bpy 4.3: Python 3.11, numpy<2):

    python five_suzannes.py OUT_DIR [--size 256] [--samples 128] [--denoise] [--repeat 3]

Writes OUT_DIR/five_suzannes.glb (camera and sun included), OUT_DIR/five_suzannes.bin (u32 nv, u32 nf, f32 vertices[nv][3], u32 faces[nf][3], glTF axes),
renders with Cycles on the CPU (20 bounces, no adaptive sampling), writes OUT_DIR/cycles.exr (linear) and prints one line of seconds per frame.
The sky is Hosek-Wilkie in Cycles only; for picture comparisons give an HDRI through --environment.
"""
import argparse
import random
import statistics
import time
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

parser = argparse.ArgumentParser()
parser.add_argument("out", type=Path)
parser.add_argument("--size", type=int, default=256)
parser.add_argument("--samples", type=int, default=128)
parser.add_argument("--denoise", action="store_true")
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--environment", type=Path)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)

rng = random.Random(3)
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene


def principled():
    material = bpy.data.materials.new("principled")
    material.use_nodes = True
    inputs = material.node_tree.nodes["Principled BSDF"].inputs
    inputs["Base Color"].default_value = (rng.random(), rng.random(), rng.random(), 1.0)
    inputs["Metallic"].default_value = rng.uniform(0, 1)
    inputs["Roughness"].default_value = rng.uniform(0, 0.6)
    inputs["IOR"].default_value = rng.uniform(1, 2.5)
    inputs["Transmission Weight"].default_value = rng.uniform(0, 1)
    return material


bpy.ops.mesh.primitive_plane_add(size=40)
bpy.context.object.data.materials.append(principled())
for _ in range(5):
    bpy.ops.mesh.primitive_monkey_add(
        size=rng.uniform(1, 2.5),
        location=(rng.uniform(-3, 3), rng.uniform(-3, 3), rng.uniform(0.8, 2)),
    )
    monkey = bpy.context.object
    subdivision = monkey.modifiers.new("subdivision", "SUBSURF")
    subdivision.levels = subdivision.render_levels = 3
    monkey.rotation_euler = [rng.uniform(0, 3) for _ in range(3)]
    monkey.data.materials.append(principled())
bpy.ops.object.light_add(type="SUN")
bpy.context.object.data.energy = 5
bpy.context.object.rotation_euler = (0.6, 0.3, 0)

world = bpy.data.worlds.new("world")
scene.world = world
world.use_nodes = True
background = world.node_tree.nodes["Background"]
if args.environment:
    texture = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = bpy.data.images.load(str(args.environment.resolve()))
else:
    texture = world.node_tree.nodes.new("ShaderNodeTexSky")
    texture.sky_type = "HOSEK_WILKIE"
    background.inputs[1].default_value = 0.5
world.node_tree.links.new(texture.outputs[0], background.inputs[0])

camera_data = bpy.data.cameras.new("camera")
camera_data.lens, camera_data.sensor_width = 40, 32
camera = bpy.data.objects.new("camera", camera_data)
scene.collection.objects.link(camera)
camera.location = (9, -9, 5)
camera.rotation_euler = (Vector((0, 0, 1)) - camera.location).to_track_quat("-Z", "Y").to_euler()
scene.camera = camera

scene.render.engine = "CYCLES"
scene.cycles.device = "CPU"
scene.cycles.samples = args.samples
scene.cycles.use_adaptive_sampling = False
scene.cycles.use_denoising = args.denoise
if args.denoise:
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
scene.cycles.max_bounces = scene.cycles.transparent_max_bounces = 20
scene.render.resolution_x = scene.render.resolution_y = args.size
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.image_settings.color_depth = "32"
scene.render.filepath = str((args.out / "cycles.exr").resolve())

bpy.ops.export_scene.gltf(
    filepath=str((args.out / "five_suzannes.glb").resolve()),
    export_apply=True, export_cameras=True, export_lights=True,
)
gltf_from_blender = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))
depsgraph = bpy.context.evaluated_depsgraph_get()
vertices, faces, offset = [], [], 0
for item in scene.objects:
    if item.type != "MESH":
        continue
    mesh = item.evaluated_get(depsgraph).to_mesh()
    mesh.calc_loop_triangles()
    matrix = gltf_from_blender @ item.matrix_world
    vertices.append(np.array([matrix @ v.co for v in mesh.vertices], dtype="f4"))
    faces.append(np.array([t.vertices for t in mesh.loop_triangles], dtype="u4") + offset)
    offset += len(mesh.vertices)
vertices, faces = np.concatenate(vertices), np.concatenate(faces)
with open(args.out / "five_suzannes.bin", "wb") as f:
    np.array([len(vertices), len(faces)], "u4").tofile(f)
    vertices.astype("f4").tofile(f)
    faces.astype("u4").tofile(f)

seconds = []
for _ in range(args.repeat):
    start = time.perf_counter()
    bpy.ops.render.render(write_still=True)
    seconds.append(time.perf_counter() - start)
if seconds:
    print(f"cycles {args.size}x{args.size} {args.samples} spp: median {statistics.median(seconds):.2f} s per frame, "
          f"{args.size**2 * args.samples / statistics.median(seconds) / 1e6:.2f} Mpaths/s, {len(faces)} triangles")
