"""Seconds per frame of a clip with its tracking video: this program beside Blender's EEVEE and Cycles.

    python avatar.py --diorama target/profiling/diorama --out OUT_DIR --assets DIR [--character mh_male]
                     [--motion wave_hello] [--environment venice_sunset_1k.hdr] [--samples 32] [--frames 49]
                     [--blender-frames 4] [--engines ours,threshold,eevee,cycles] [--noise-threshold 0.1]

Needs Python 3.11 with bpy 4.3.0 and, for EEVEE, a display with OpenGL 4.3 (`cargo xtask bench avatar` brings Xvfb along, where
Mesa draws without a GPU). DIR has characters/NAME/NAME.fbx, motion/NAME.fbx and skybox/.

720x480, one character before the picture of a place, the camera, the light and the floor of avatar.blend. Blender does what
the public script does: two renders a frame with the same samples, one of the clip and one of the tracking colours as emission on black, both
written as H.264. Its seconds are those between two finished frames once the first is done, so that its start, its import and its
shaders are not in them, nor the Python that finds the tracking colours. Ours are those of the whole command from
process start to finished dataset, divided by the frames. CPU seconds are user and system time of all threads.
"""
import argparse
import json
import resource
import shutil
import statistics
import subprocess
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--diorama", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--assets", type=Path, required=True)
parser.add_argument("--character", default="mh_male")
parser.add_argument("--motion", default="wave_hello")
parser.add_argument("--environment", default="venice_sunset_1k.hdr")
parser.add_argument("--samples", type=int, default=32)
parser.add_argument("--frames", type=int, default=49)
parser.add_argument("--blender-frames", type=int, default=4)
parser.add_argument("--engines", default="ours,threshold,eevee,cycles")
parser.add_argument("--noise-threshold", type=float, default=0.1)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
SIZE = (720, 480)
CHARACTER = args.assets / "characters" / args.character
MOTION = args.assets / "motion" / f"{args.motion}.fbx"
SKY = args.assets / "skybox" / args.environment


def cpu_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def workspace():
    """The files as both programs want them laid out."""
    folder = args.out / "workspace"
    shutil.rmtree(folder, ignore_errors=True)
    character = folder / "raw" / args.character
    shutil.copytree(CHARACTER, character, copy_function=shutil.copyfile)
    (character / "motion").mkdir(exist_ok=True)
    shutil.copyfile(MOTION, character / "motion" / MOTION.name)
    (folder / "raw" / "skybox").mkdir()
    shutil.copyfile(SKY, folder / "raw" / "skybox" / SKY.name)
    return folder


RECIPE = ["--prob-skybox", "1", "--video-length", str(args.frames)]


def ours(base, threshold):
    """(wall, CPU) seconds a frame of one clip."""
    dataset = args.out / "dataset"
    shutil.rmtree(dataset, ignore_errors=True)
    command = [args.diorama, "avatar", "--base-path", base, "--output-dir", dataset, *RECIPE, "--spp", args.samples, "--quiet"]
    if threshold:
        command += ["--noise-threshold", threshold]
    cpu, start = cpu_seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(word) for word in command], check=True)
    wall = time.perf_counter() - start
    return wall / args.frames, (cpu_seconds(resource.RUSAGE_CHILDREN) - cpu) / args.frames


class Blender:
    """The scene of our Shot in Blender, with what the public script makes of a motion file."""

    def __init__(self, shot):
        import bpy

        self.bpy = bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        bpy.ops.import_scene.fbx(filepath=str(MOTION))
        motion = next(o for o in bpy.data.objects if o.type == "ARMATURE")
        strays = [o for o in bpy.data.objects if o is not motion]
        for stray in strays:
            bpy.data.objects.remove(stray)
        bpy.ops.import_scene.fbx(filepath=str(CHARACTER / f"{args.character}.fbx"))
        for item in bpy.data.objects:
            for modifier in item.modifiers:
                if modifier.type == "ARMATURE":
                    modifier.object = motion
        bpy.ops.mesh.primitive_plane_add(size=10, location=(0, 2, 0))
        self.plane = bpy.context.object
        self.plane.data.materials.append(self.checker())
        self.meshes = [o for o in bpy.data.objects if o.type == "MESH"]
        self.add_camera(shot["cameras"][0])
        light = bpy.data.lights.new("light", "AREA")
        light.energy, light.size = 500, 5
        light = bpy.data.objects.new("light", light)
        light.location = (3.53, -3.37, 5.85)
        light.rotation_euler = (-light.location).to_track_quat("-Z", "Y").to_euler()
        self.scene.collection.objects.link(light)
        self.add_sky(shot["environment"])
        render = self.scene.render
        render.resolution_x, render.resolution_y = SIZE
        render.resolution_percentage = 100
        render.fps = 24
        render.image_settings.file_format = "FFMPEG"
        render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
        self.scene.view_settings.view_transform = "AgX"
        self.scene.frame_start, self.scene.frame_end = 1, args.blender_frames

    def checker(self):
        material = self.bpy.data.materials.new("plane")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        texture = nodes.new("ShaderNodeTexChecker")
        links.new(texture.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
        return material

    def add_camera(self, camera):
        pose = camera["pose"]
        pose = pose.get("constant") or pose.get("frames", pose)
        pose = pose[0] if isinstance(pose, list) else pose
        lens = self.bpy.data.cameras.new("camera")
        lens.lens, lens.sensor_width = 50, 36
        item = self.bpy.data.objects.new("camera", lens)
        x, y, z, w = pose["rotation"]
        item.rotation_mode, item.rotation_quaternion, item.location = "QUATERNION", (w, x, y, z), pose["position"]
        self.scene.collection.objects.link(item)
        self.scene.camera = item

    def add_sky(self, environment):
        self.scene.world = world = self.bpy.data.worlds.new("world")
        world.use_nodes = True
        nodes, links = world.node_tree.nodes, world.node_tree.links
        texture, mapping, place = (nodes.new(f"ShaderNode{kind}") for kind in ("TexEnvironment", "Mapping", "TexCoord"))
        texture.image = self.bpy.data.images.load(str(SKY))
        mapping.inputs["Rotation"].default_value[2] = -environment["rotation_rad"]
        links.new(place.outputs["Generated"], mapping.inputs["Vector"])
        links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
        links.new(texture.outputs["Color"], nodes["Background"].inputs["Color"])

    def paint_tracking(self):
        """Colours of vertices as emission on black, as the public script has them; which colours costs nothing."""
        material = self.bpy.data.materials.new("tracking")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        nodes.clear()
        colour, shine, out = (nodes.new(f"ShaderNode{kind}") for kind in ("VertexColor", "Emission", "OutputMaterial"))
        colour.layer_name = "tracking"
        links.new(colour.outputs["Color"], shine.inputs["Color"])
        links.new(shine.outputs["Emission"], out.inputs["Surface"])
        for item in self.meshes:
            layer = item.data.color_attributes.new("tracking", "FLOAT_COLOR", "POINT")
            for index, vertex in enumerate(item.data.vertices):
                layer.data[index].color = (vertex.co.x % 1, vertex.co.y % 1, vertex.co.z % 1, 1)
            item.data.materials.clear()
            item.data.materials.append(material)
        background = self.scene.world.node_tree.nodes["Background"]
        for link in list(background.inputs["Color"].links):
            self.scene.world.node_tree.links.remove(link)
        background.inputs["Color"].default_value = (0, 0, 0, 1)

    def use(self, engine):
        self.scene.render.engine = {"eevee": "BLENDER_EEVEE_NEXT", "cycles": "CYCLES"}[engine]
        self.scene.eevee.taa_render_samples = args.samples
        cycles = self.scene.cycles
        cycles.device, cycles.samples = "CPU", args.samples
        cycles.use_adaptive_sampling = False
        cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
        cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 8
        cycles.transmission_bounces = cycles.transparent_max_bounces = 8
        cycles.sample_clamp_indirect = 10
        cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5

    def clip(self, name):
        """(wall, CPU) seconds a frame, medians over all but the first."""
        self.scene.render.filepath = str((args.out / name).resolve())
        finished = []

        def note(*_):
            finished.append((time.perf_counter(), cpu_seconds(resource.RUSAGE_SELF)))

        self.bpy.app.handlers.render_post.append(note)
        self.bpy.ops.render.render(animation=True)
        self.bpy.app.handlers.render_post.remove(note)
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(finished, finished[1:])]
        return tuple(statistics.median(step[i] for step in steps) for i in (0, 1))


def report(name, wall, cpu, parts=""):
    print(f"{name:30} {wall:8.2f} s a frame, CPU {cpu:8.2f} s{parts}", flush=True)
    rows[name] = {"wall_s": wall, "cpu_s": cpu}


engines = args.engines.split(",")
rows = {}
base = workspace()
if "ours" in engines:
    report("ours", *ours(base, None))
if "threshold" in engines:
    report(f"ours, --noise-threshold {args.noise_threshold}", *ours(base, args.noise_threshold))
theirs = [engine for engine in engines if engine in ("eevee", "cycles")]
if theirs:
    shot = args.out / "shot.json"
    command = [args.diorama, "shot", "avatar", "--base-path", base, *RECIPE, "--output", shot]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    shot = json.loads(shot.read_text())
for engine in theirs:
    blender = Blender(shot)
    blender.use(engine)
    clip = blender.clip(f"{engine}_clip.mp4")
    blender.paint_tracking()
    tracking = blender.clip(f"{engine}_tracking.mp4")
    wall, cpu = (a + b for a, b in zip(clip, tracking))
    report(engine, wall, cpu, f" (clip {clip[0]:.2f} s, tracking {tracking[0]:.2f} s)")
(args.out / "avatar.json").write_text(json.dumps(rows, indent=1))
for name in rows:
    for engine in theirs:
        if name.startswith("ours"):
            ratios = [rows[engine][key] / rows[name][key] for key in ("wall_s", "cpu_s")]
            print(f"{engine} ÷ {name}: {ratios[0]:.2f} (CPU {ratios[1]:.2f})")
