//! `diorama assets`: scan, check, show.

use crate::context::Context;

const TETRAHEDRON: &str =
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

fn library() -> Context {
    let context = Context::new();
    std::fs::create_dir_all(context.path("lib/rocks")).unwrap();
    context.write("lib/rocks/grey.obj", TETRAHEDRON);
    context.write("lib/rocks/red.obj", TETRAHEDRON);
    context.write("lib/rocks/flat.obj", "v 0 0 0\nf 1 1 1\n");
    context
}

#[test]
fn a_library_is_scanned_checked_and_drawn_from() {
    let context = library();
    let scan = context
        .run("assets scan lib --output lib/manifest.json")
        .expect(0);
    assert_eq!(scan.stdout, "lib/manifest.json\n");
    assert!(scan.stderr.contains("3 assets"), "{}", scan.stderr);
    assert!(scan.stderr.contains("MB/s"), "{}", scan.stderr);
    let text = std::fs::read_to_string(context.path("lib/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["schema_version"], 1);
    assert_eq!(manifest["roots"][0]["path"], ".");
    let assets = manifest["roots"][0]["assets"].as_array().unwrap();
    let ids: Vec<&str> = assets.iter().filter_map(|a| a["id"].as_str()).collect();
    assert_eq!(ids, ["rocks/flat", "rocks/grey", "rocks/red"]);
    assert_eq!(assets[1]["content"]["mesh"]["triangles"], 4);

    let check = context
        .run("assets check lib/manifest.json --json")
        .expect(1);
    let lines: Vec<serde_json::Value> = check
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["id"], "rocks/flat");
    assert!(lines[0]["reason"].as_str().unwrap().contains("area"));
    assert_eq!(lines[1]["faults"], 1);
    std::fs::remove_file(context.path("lib/rocks/flat.obj")).unwrap();
    context.run("assets check lib").expect(0);

    // What is unusable is not drawn.
    let shot =
        "shot removal --seed 3 --config tiny.toml --assets lib/manifest.json --output s.json";
    context.run(shot).expect(0);
    let shot = std::fs::read_to_string(context.path("s.json")).unwrap();
    assert!(shot.contains("rocks/") && !shot.contains("rocks/flat"));
}

#[test]
fn files_of_others_are_not_overwritten() {
    let context = library();
    context.write("manifest.json", r#"{"data_dir": ".", "assets": {}}"#);
    let refused = context.run("assets scan lib").expect(2);
    assert!(refused.stderr.contains("in the way"), "{}", refused.stderr);
    let kept = std::fs::read_to_string(context.path("manifest.json")).unwrap();
    assert!(kept.contains("data_dir"));
    let absent = context.run("assets scan nowhere --output m.json").expect(2);
    assert!(absent.stderr.contains("nowhere"), "{}", absent.stderr);
}

#[test]
fn sheets_show_objects_people_motions_and_skies() {
    let context = library();
    for (asset, size) in [
        ("rocks/red --assets lib", (96, 32)),
        ("lib/rocks/grey.obj", (96, 32)),
        ("builtin/person/3", (96, 64)),
        ("builtin/motion/wave", (96, 64)),
        ("builtin/studio?seed=0", (0, 0)),
    ] {
        let flags = "--views 3 --size 32 --spp 2 --output sheet.png --json";
        let shown = context
            .run(&format!("assets show {asset} {flags}"))
            .expect(0);
        let line: serde_json::Value = serde_json::from_str(shown.stdout.trim()).unwrap();
        if size != (0, 0) {
            assert_eq!(
                (line["width"].as_u64(), line["height"].as_u64()),
                (Some(size.0), Some(size.1))
            );
        }
        let png = std::fs::read(context.path("sheet.png")).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 200, "{asset}");
    }
    let unknown = context.run("assets show rocks/blue --assets lib").expect(2);
    assert!(unknown.stderr.contains("rocks/blue"), "{}", unknown.stderr);
}
