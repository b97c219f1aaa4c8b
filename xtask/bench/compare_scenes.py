"""Scenes for the comparison with Cycles: every file gets a camera, and a grid of spheres is made.

    python compare_scenes.py ASSETS_DIR OUT_DIR      (a Python with bpy 4.3 as a module)

Writes OUT_DIR/<scene>.glb|.gltf. Cameras are inserted into the files' JSON, so that nothing else of them changes; but tangents
go: Blender's importer ignores those of the file, we read them, and both derive them from the UVs where there are none.
"""
import json
import math
import shutil
import struct
import sys
from pathlib import Path

import bpy
from mathutils import Vector

assets, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
YFOV = 0.6


def read_glb(path):
    data = path.read_bytes()
    assert data[:4] == b"glTF"
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[20 + length :]


def write_glb(path, document, rest):
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 20 + len(text) + len(rest)
    path.write_bytes(struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON") + text + rest)


def bounds_in_blender(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    corners = [o.matrix_world @ Vector(c) for o in bpy.context.scene.objects if o.type == "MESH" for c in o.bound_box]
    low = Vector(map(min, zip(*corners)))
    high = Vector(map(max, zip(*corners)))
    return low, high


def camera_matrix(position, target):
    """Column-major glTF matrix of a camera at position looking at target, both Z up."""
    to_gltf = lambda v: Vector((v.x, v.z, -v.y))
    position, target = to_gltf(position), to_gltf(target)
    back = (position - target).normalized()
    right = Vector((0, 1, 0)).cross(back).normalized()
    up = back.cross(right)
    return [*right, 0, *up, 0, *back, 0, *position, 1]


def add_camera(document, position, target):
    document.setdefault("cameras", []).append(
        {"type": "perspective", "name": "compare", "perspective": {"yfov": YFOV, "aspectRatio": 1, "znear": 0.001, "zfar": 1000}}
    )
    document["nodes"].append(
        {"name": "compare", "camera": len(document["cameras"]) - 1, "matrix": camera_matrix(position, target)}
    )
    document["scenes"][document.get("scene", 0)].setdefault("nodes", []).append(len(document["nodes"]) - 1)


def drop_tangents(document):
    for mesh in document["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["attributes"].pop("TANGENT", None)


def framed(path, direction=Vector((0.6, -1, 0.55)), fill=0.62):
    low, high = bounds_in_blender(path)
    center = (low + high) / 2
    radius = (high - low).length / 2
    distance = radius / math.sin(YFOV / 2) * fill / 0.62
    return center + direction.normalized() * distance, center


def insert(source, name, **options):
    position, target = framed(source, **options)
    if source.suffix == ".glb":
        document, rest = read_glb(source)
        add_camera(document, position, target)
        drop_tangents(document)
        write_glb(out / f"{name}.glb", document, rest)
    else:
        folder = out / name
        shutil.copytree(source.parent, folder, dirs_exist_ok=True)
        document = json.loads(source.read_text())
        add_camera(document, position, target)
        drop_tangents(document)
        (folder / f"{name}.gltf").write_text(json.dumps(document))


def sphere_grid():
    """6 × 6: rows metallic/roughness, dielectric/roughness, specular IOR, transmission/roughness, transmission/IOR, tinted glass."""
    bpy.ops.wm.read_factory_settings(use_empty=True)

    def material(name, **values):
        m = bpy.data.materials.new(name)
        m.use_nodes = True
        inputs = m.node_tree.nodes["Principled BSDF"].inputs
        for key, value in values.items():
            inputs[key.replace("_", " ")].default_value = value
        return m

    rows = [
        lambda t: {"Base_Color": (0.9, 0.6, 0.3, 1), "Metallic": 1.0, "Roughness": t},
        lambda t: {"Base_Color": (0.2, 0.5, 0.8, 1), "Roughness": t},
        lambda t: {"Base_Color": (0.6, 0.2, 0.2, 1), "Roughness": 0.2, "IOR": 1.05 + 1.4 * t},
        lambda t: {"Base_Color": (1, 1, 1, 1), "Transmission_Weight": 1.0, "Roughness": 0.7 * t},
        lambda t: {"Base_Color": (1, 1, 1, 1), "Transmission_Weight": 1.0, "Roughness": 0.0, "IOR": 1.05 + 1.4 * t},
        lambda t: {"Base_Color": (0.4, 0.8, 0.5, 1), "Metallic": t, "Transmission_Weight": 1 - t, "Roughness": 0.3 * t},
    ]
    for r, row in enumerate(rows):
        for c in range(6):
            bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=0.44, location=(c - 2.5, 0, 2.5 - r))
            bpy.ops.object.shade_smooth()
            ball = bpy.context.object
            ball.name = f"row{r}_col{c}"
            ball.data.materials.append(material(ball.name, **row(c / 5)))
    path = out / "spheres_plain.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_apply=True)
    document, rest = read_glb(path)
    add_camera(document, Vector((0, -11.5, 0)), Vector((0, 0, 0)))
    write_glb(out / "sphere_grid.glb", document, rest)
    path.unlink()


def ycb():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.obj_import(filepath=str(assets / "objects/ycb_006_mustard_bottle/visual_geometry.obj"), forward_axis="Y", up_axis="Z")
    path = out / "ycb_plain.glb"
    bpy.ops.export_scene.gltf(filepath=str(path))
    insert(path, "ycb_mustard")
    path.unlink()


sphere_grid()
ycb()
insert(assets / "gltf/transmission_roughness_test.glb", "transmission_roughness", direction=Vector((0, -1, 0.05)))
insert(assets / "gltf/attenuation_test.glb", "attenuation", direction=Vector((0, -1, 0.05)))
insert(assets / "gltf/glass_table.glb", "glass_table")
insert(assets / "objects/egyptian_cat_statue_webp.glb", "egyptian_cat")
