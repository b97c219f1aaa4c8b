"""Where Blender puts the vertices of an animated file.

Imports an FBX or glTF in Blender (as a module: pip's `bpy` 4.3) and writes, for a few times over
each clip, the world positions of all vertices of faces after all modifiers, in metres with Z up:

    python skinned_vertices.py fox.glb fox.json
    cargo run --example compare_skinning -- fox.glb fox.json

The times are those of keys, so that nothing depends on how a program interpolates. Each clip is
read from a fresh import: what one leaves behind does not reach the next.
"""

import argparse
import json

import bpy
import numpy as np


def load(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.lower().endswith(".fbx"):
        bpy.ops.import_scene.fbx(filepath=path)
    else:
        bpy.ops.import_scene.gltf(filepath=path)


def animated_blocks():
    """(name, block) of all that can carry an action: objects and their shape keys."""
    for thing in bpy.data.objects:
        yield thing.name, thing
        keys = getattr(thing.data, "shape_keys", None)
        if keys:
            yield keys.name, keys


def clips_of(block, name):
    """Actions of one block by clip name: NLA tracks (glTF), or `block|clip` among all (FBX)."""
    data = block.animation_data
    if data is None:
        return {}
    clips = {t.name: t.strips[0].action for t in data.nla_tracks if t.strips}
    if not clips:
        for action in bpy.data.actions:
            head, _, tail = action.name.partition("|")
            if head == name and tail:
                clips[tail] = action
        if data.action and data.action not in clips.values():
            clips[data.action.name] = data.action
    return clips


def all_clips():
    names = []
    for name, block in animated_blocks():
        names += [clip for clip in clips_of(block, name) if clip not in names]
    return names


def play(clip):
    """Gives every block its action of the clip; those without one rest. The keyed frames."""
    frames = set()
    for name, block in animated_blocks():
        if block.animation_data is None:
            continue
        action = clips_of(block, name).get(clip)
        for track in block.animation_data.nla_tracks:
            track.mute = True
        block.animation_data.action = action
        if action is None:
            if getattr(block, "pose", None):
                for bone in block.pose.bones:
                    bone.matrix_basis.identity()
            continue
        for curve in action.fcurves:
            frames |= {point.co.x for point in curve.keyframe_points}
    return sorted(frames)


def evaluated_vertices():
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    parts = []
    for thing in bpy.context.view_layer.objects:
        hidden = any(c.name == "glTF_not_exported" for c in thing.users_collection)
        if thing.type != "MESH" or hidden:
            continue
        seen = thing.evaluated_get(graph)
        mesh = seen.to_mesh()
        flat = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", flat)
        corners = np.empty(len(mesh.loops), np.int32)
        mesh.loops.foreach_get("vertex_index", corners)
        points = flat.reshape(-1, 3)[np.unique(corners)]
        world = np.array(seen.matrix_world)
        parts.append(points @ world[:3, :3].T + world[:3, 3])
        seen.to_mesh_clear()
    return np.concatenate(parts) if parts else np.zeros((0, 3))


def flat(points):
    return [round(float(x), 6) for x in np.asarray(points).ravel()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="FBX, glb or gltf")
    parser.add_argument("output", help="JSON to write")
    parser.add_argument("--times", type=int, default=5, help="times per clip (default 5)")
    options = parser.parse_args()

    load(options.file)
    rate = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
    clips = []
    for clip in all_clips():
        load(options.file)
        frames = play(clip)
        if not frames:
            continue
        picked = np.unique(np.linspace(0, len(frames) - 1, options.times).round().astype(int))
        shown = []
        for frame in (frames[i] for i in picked):
            whole = int(np.floor(frame))
            bpy.context.scene.frame_set(whole, subframe=frame - whole)
            seconds = (frame - frames[0]) / rate
            shown.append({"seconds": seconds, "positions": flat(evaluated_vertices())})
        clips.append({"name": clip, "times": shown})
    # The rest pose of its armatures; and the pose that the file shows, where no clip is played at once.
    load(options.file)
    for name in ["(rest)"] if clips else ["(shown)", "(rest)"]:
        if name == "(rest)":
            for armature in bpy.data.armatures:
                armature.pose_position = "REST"
        clips.append({"name": name, "times": [{"seconds": 0.0, "positions": flat(evaluated_vertices())}]})
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump({"file": options.file, "clips": clips}, file)


if __name__ == "__main__":
    main()
