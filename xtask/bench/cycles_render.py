"""Renders a glTF file with Cycles under the settings that the comparison and the speed bench state.

    python cycles_render.py FILE OUT.exr [--environment HDR] [--size 256] [--samples 128] [--hide NAME]
                            [--denoise] [--repeat N] [--seed N] [--no-light-sampling]

No clamping, no Filter Glossy, no light threshold, 20 bounces everywhere, no adaptive sampling, Blackman-Harris 1.5 px,
CPU. Prints `seconds MEDIAN`. With --no-light-sampling the world is found by scattering alone.
"""
import argparse
import statistics
import time
from pathlib import Path

import bpy

parser = argparse.ArgumentParser()
parser.add_argument("file", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--environment", type=Path)
parser.add_argument("--size", type=int, default=256)
parser.add_argument("--samples", type=int, default=128)
parser.add_argument("--hide", action="append", default=[])
parser.add_argument("--denoise", action="store_true")
parser.add_argument("--repeat", type=int, default=1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--no-light-sampling", action="store_true")
args = parser.parse_args()

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=str(args.file.resolve()))
scene = bpy.context.scene
scene.camera = next(o for o in scene.objects if o.type == "CAMERA")
for name in args.hide:
    bpy.data.objects.remove(bpy.data.objects[name])
world = bpy.data.worlds.new("world")
scene.world = world
world.use_nodes = True
background = world.node_tree.nodes["Background"]
if args.environment:
    texture = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = bpy.data.images.load(str(args.environment.resolve()))
    world.node_tree.links.new(texture.outputs[0], background.inputs[0])
if args.no_light_sampling:
    world.cycles.sampling_method = "NONE"

scene.render.engine = "CYCLES"
cycles = scene.cycles
cycles.device = "CPU"
cycles.samples = args.samples
cycles.seed = args.seed
cycles.use_adaptive_sampling = False
cycles.use_denoising = args.denoise
if args.denoise:
    cycles.denoiser = "OPENIMAGEDENOISE"
cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 20
cycles.transmission_bounces = cycles.transparent_max_bounces = cycles.volume_bounces = 20
cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0
cycles.blur_glossy = 0
cycles.light_sampling_threshold = 0
cycles.pixel_filter_type = "BLACKMAN_HARRIS"
cycles.filter_width = 1.5
scene.view_settings.view_transform = "Standard"
scene.render.resolution_x = scene.render.resolution_y = args.size
scene.render.resolution_percentage = 100
scene.render.film_transparent = False
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.image_settings.color_depth = "32"
scene.render.filepath = str(args.out.resolve())
seconds = []
for _ in range(args.repeat):
    start = time.perf_counter()
    bpy.ops.render.render(write_still=True)
    seconds.append(time.perf_counter() - start)
print(f"seconds {statistics.median(seconds):.3f}")
