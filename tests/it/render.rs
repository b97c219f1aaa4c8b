//! `diorama render` on scenes and Shots.

use crate::context::{Context, TINY, shared};

/// A triangle and a second one beside it, without camera or light.
pub(crate) const TRIANGLE: &str = r#"{
  "asset": {"version": "2.0"},
  "scenes": [{"nodes": [0, 1]}],
  "nodes": [{"name": "Left", "mesh": 0}, {"name": "Right", "mesh": 0, "translation": [1.5, 0, 0]}],
  "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
  "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                 "min": [0, 0, 0], "max": [1, 1, 0]}],
  "bufferViews": [{"buffer": 0, "byteLength": 36}],
  "buffers": [{"byteLength": 36,
    "uri": "data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAA"}]
}"#;

#[test]
fn a_scene_without_camera_and_light_gets_both_and_is_told_so() {
    let context = Context::new();
    context.write("t.gltf", TRIANGLE);
    let outcome = context
        .run("render t.gltf --width 32 --height 32 --spp 4 -o x.png")
        .expect(0);
    assert_eq!(outcome.stdout, "x.png\n");
    assert_eq!(
        outcome.stderr.matches("no light").count(),
        1,
        "{}",
        outcome.stderr
    );
    assert_eq!(
        outcome.stderr.matches("no camera").count(),
        1,
        "{}",
        outcome.stderr
    );
    assert!(context.path("x.png").exists());
}

#[test]
fn remove_makes_the_pair_of_a_scene() {
    let context = Context::new();
    context.write("t.gltf", TRIANGLE);
    context
        .run("render t.gltf --width 32 --height 32 --spp 4 --remove Right -o pair")
        .expect(0);
    let full = std::fs::read(context.path("pair/00000.png")).unwrap();
    let removed = std::fs::read(context.path("pair/00000_removed.png")).unwrap();
    assert_ne!(full, removed);
    assert!(context.path("pair/00000.exr").exists());
}

#[test]
fn seeds_decide_the_noise() {
    let context = Context::new();
    context.write("t.gltf", TRIANGLE);
    let picture = |seed: u32, name: &str| {
        context
            .run(&format!(
                "render t.gltf --width 32 --height 32 --spp 2 --seed {seed} -o {name}"
            ))
            .expect(0);
        std::fs::read(context.path(name)).unwrap()
    };
    assert_eq!(picture(1, "a.exr"), picture(1, "b.exr"));
    assert_ne!(picture(1, "a.exr"), picture(2, "c.exr"));
}

#[test]
fn a_shot_is_rendered_as_the_run_rendered_it() {
    let context = Context::new();
    context
        .run(&format!(
            "removal --seed 4 {TINY} --denoise none --frames png --output-dir d"
        ))
        .expect(0);
    context
        .run("render d/000004/shot.json --spp 2 --clamp-indirect 10 -o again")
        .expect(0);
    for frame in ["00000", "00004"] {
        assert_eq!(
            pixels(&context, &format!("again/{frame}.png")),
            pixels(&context, &format!("d/000004/rgb_full/{frame}.png"))
        );
        assert_eq!(
            pixels(&context, &format!("again/{frame}_removed.png")),
            pixels(&context, &format!("d/000004/rgb_removed/{frame}.png"))
        );
    }
}

/// The file itself: both are written by the same writer.
fn pixels(context: &Context, name: &str) -> Vec<u8> {
    std::fs::read(context.path(name)).unwrap()
}

#[test]
fn real_scenes_render() {
    let context = Context::new();
    for scene in ["glass_table.glb", "fox.glb", "attenuation_test.glb"] {
        let Some(path) = shared(&format!("assets/gltf/{scene}")) else {
            return;
        };
        context
            .run(&format!(
                "render {} --width 32 --height 32 --spp 1 -o {scene}.exr",
                path.display()
            ))
            .expect(0);
    }
}
