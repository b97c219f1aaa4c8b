//! Wrong flags, files and places: one clear line, the documented exit code, nothing harmed.

use crate::context::{Context, Outcome, TINY, shared, skip};

/// One `error:` line that holds all of `words`, and no panic.
#[track_caller]
fn refused(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, Some(2), "{}", outcome.snapshot());
    let errors: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{}", outcome.snapshot());
    for word in words {
        assert!(
            errors[0].contains(word),
            "`{word}` is not in: {}",
            errors[0]
        );
    }
    for line in outcome.stderr.lines() {
        assert!(
            ["error: ", "hint: ", "note: ", "warning: "]
                .iter()
                .any(|label| line.starts_with(label)),
            "{}",
            outcome.snapshot()
        );
    }
    assert!(
        !outcome.stderr.contains("panicked"),
        "{}",
        outcome.snapshot()
    );
}

#[test]
fn flags_that_cannot_be() {
    let context = Context::new();
    for (flags, words) in [
        ("--sed 1", &["--sed"] as &[_]),
        ("--seed -1", &["-1"]),
        ("--seed 1 --seeds 0..3", &["--seeds"]),
        ("--seeds 5..5", &["--seeds", "holds no seed"]),
        ("--seeds 9..2", &["--seeds"]),
        ("--video-length 0", &["video_length"]),
        ("--video-length -3", &["video_length"]),
        ("--video-length 1.5", &["video_length"]),
        ("--video-length 10000000000", &["video_length"]),
        ("--render-width 0", &["width"]),
        ("--render-width 255", &["width"]),
        ("--width 64", &["--height"]),
        (
            "--width 64 --height 64 --render-width 64",
            &["--render-width"],
        ),
        ("--resolutions 64x", &["resolutions"]),
        ("--resolutions 64x63", &["resolutions"]),
        ("--range-object-scale 3,1", &["range_object_scale"]),
        ("--range-object-scale 1,2,3", &["range_object_scale"]),
        ("--range-object-scale nan,1", &["range_object_scale"]),
        ("--range-object-scale a,b", &["range_object_scale"]),
        ("--range-velocity inf", &["range_velocity"]),
        ("--range-num-objs 0,0", &["range_num_objs"]),
        ("--prob-wall 2", &["prob_wall"]),
        ("--camera-range-position 15,5", &["camera_range_position"]),
        ("--spp 0", &["--spp"]),
        ("--spp many", &["--spp"]),
        ("--qp 99", &["--qp"]),
        ("--clamp-indirect=-1", &["--clamp-indirect"]),
        ("--exposure bright", &["exposure"]),
        ("--view raw", &["view"]),
        ("--denoise magic", &["--denoise"]),
        ("--mask-mode four", &["mask"]),
        ("--mask-rule coverage:3", &["coverage"]),
        ("--passes depth,colour", &["colour"]),
        ("--frames jpg", &["--frames"]),
        ("--frames png --save-images", &["--save-images"]),
        ("--encoder x265", &["--encoder"]),
        ("--encoder ffmpeg --layout round", &["--layout"]),
        ("--layout flat --seeds 0..2", &["--layout flat"]),
        ("--layout flat --shard 0/2", &["--layout flat"]),
        ("--shard 2/2", &["shard"]),
        ("--redo x", &["--redo"]),
        ("--redo 9 --seeds 0..3", &["seed 9"]),
        ("--redo failed --estimate", &["--estimate"]),
        ("--preset nothing", &["nothing"]),
        ("--target wan", &["--target"]),
        ("--threads 0", &["--threads 0"]),
        ("--config missing.toml", &["missing.toml"]),
        ("--assets missing", &["missing"]),
        ("--objects builtin/unicorn", &["objects"]),
    ] {
        let outcome = context.run(&format!("removal --output-dir d {flags}"));
        refused(&outcome, words);
        assert!(
            !context.path("d/000000").exists() && !context.path("d/000001").exists(),
            "{flags}"
        );
    }
}

#[test]
fn config_files_that_cannot_be() {
    let context = Context::new();
    for (text, words) in [
        ("[recipe\n", &["c.toml:1"] as &[_]),
        (
            "[recipe]\nvideo_lenght = 5\n",
            &["c.toml", "recipe.video_lenght", "video_length"],
        ),
        ("[recipe]\nvideo_length = 'long'\n", &["c.toml"]),
        ("[recipe]\nprob_wall = 7.0\n", &["prob_wall"]),
        ("recipe = 4\n", &["c.toml", "recipe"]),
        ("[output]\nmask_rule = 'both'\n", &["c.toml"]),
        ("preset = 'other'\n", &["other"]),
    ] {
        context.write("c.toml", text);
        refused(
            &context.run("removal --config c.toml --output-dir d"),
            words,
        );
        assert!(!context.path("d").exists());
    }
    context.write("c.toml", [0xff, 0xfe, 0x00]);
    refused(
        &context.run("removal --config c.toml --output-dir d"),
        &["c.toml"],
    );
}

#[test]
fn places_that_cannot_be_written() {
    let context = Context::new();
    context.write("file", "x");
    let run = |dir: &str| context.run(&format!("removal --seed 1 {TINY} --output-dir {dir}"));
    refused(&run("file"), &["file"]);
    refused(&run("file/below"), &["file/below"]);
    refused(&run("/proc/nowhere/d"), &["/proc/nowhere"]);
    refused(
        &context.run(&format!("shot removal --seed 1 {TINY} -o file/shot.json")),
        &["file/shot.json"],
    );
}

#[test]
fn a_full_disk_ends_the_run_and_harms_nothing_that_is_finished() {
    let context = Context::new();
    std::fs::create_dir(context.path("disk")).unwrap();
    // A small disk that only this command sees. The first sample fits, the second does not.
    let script = format!(
        "mount -t tmpfs -o size=600k tmpfs disk && \
         {program} removal --seed 1 {TINY} --output-dir disk/d && \
         head -c 400k /dev/zero > disk/filler; \
         {program} removal --seeds 1..4 {TINY} --output-dir disk/d; code=$?; \
         cp -r disk/d after; exit $code",
        program = env!("CARGO_BIN_EXE_diorama-e2e")
    );
    let outcome: Outcome = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .current_dir(context.path(""))
        .env("DIORAMA_CACHE", context.path("cache"))
        .output()
        .map_or_else(|error| Outcome::failed(&error.to_string()), Outcome::from);
    if outcome.code != Some(2) && !context.path("after").exists() {
        skip(&format!(
            "a small disk cannot be mounted here: {}",
            outcome.stderr
        ));
        return;
    }
    assert_eq!(outcome.code, Some(2), "{}", outcome.snapshot());
    assert!(
        outcome.stderr.contains("No space left"),
        "{}",
        outcome.snapshot()
    );
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.snapshot());
    assert!(context.path("after/000001/sample.json").exists());
    assert!(!context.path("after/000003").exists());
}

#[test]
fn a_shard_that_is_already_running() {
    let context = Context::new();
    std::fs::create_dir(context.path("d")).unwrap();
    let lock = std::fs::File::options()
        .create(true)
        .append(true)
        .open(context.path("d/done.jsonl"))
        .unwrap();
    lock.lock().unwrap();
    let outcome = context.run(&format!("removal --seed 1 {TINY} --output-dir d"));
    refused(&outcome, &["already running"]);
}

#[test]
fn damaged_books_of_a_dataset() {
    let context = Context::new();
    let args = format!("removal --seed 1 {TINY} --output-dir d");
    context.write("d/done.jsonl", "not json\n");
    refused(&context.run(&args), &["done.jsonl", "line 1"]);
    context.write("e/plan.toml", "[picture\n");
    refused(
        &context.run(&format!("removal --seed 1 {TINY} --output-dir e")),
        &["plan.toml"],
    );
}

/// What makes a good shot a bad one.
type Change = fn(&mut serde_json::Value);

#[test]
fn shots_that_cannot_be() {
    let context = Context::new();
    context
        .run(&format!("shot removal --seed 1 {TINY} -o good.json"))
        .expect(0);
    let good: serde_json::Value = serde_json::from_str(&context.read("good.json")).unwrap();
    let changes: [(&str, Change, &[&str]); 8] = [
        (
            "newer",
            |s| s["schema_version"] = 999.into(),
            &["999", "newer"],
        ),
        (
            "frames",
            |s| s["frame_count"] = 1_000_000_000u64.into(),
            &["frame_count"],
        ),
        ("none", |s| s["frame_count"] = 0.into(), &["frame_count"]),
        (
            "wide",
            |s| s["resolution"] = serde_json::json!([0, 64]),
            &["resolution"],
        ),
        (
            "huge",
            |s| s["resolution"] = serde_json::json!([4_000_000_000u64, 2]),
            &["resolution"],
        ),
        (
            "far",
            |s| s["objects"][0]["pose"]["position"] = serde_json::json!([1.0e30, 0.0, 0.0]),
            &["pose"],
        ),
        ("odd", |s| s["colour"] = 3.into(), &["colour"]),
        (
            "asset",
            |s| s["objects"][0]["asset"] = "builtin/unicorn".into(),
            &["builtin/unicorn"],
        ),
    ];
    for (name, change, words) in changes {
        let mut shot = good.clone();
        change(&mut shot);
        let file = format!("{name}.json");
        context.write(&file, shot.to_string());
        let mut all = vec![file.as_str()];
        all.extend(words);
        refused(
            &context.run(&format!("render {file} -o x.png --spp 1")),
            words,
        );
        assert!(!context.path("x.png").exists());
    }
    context.write("half.json", &good.to_string()[..200]);
    refused(&context.run("render half.json -o x.png"), &["half.json"]);
    context.write("empty.json", "");
    refused(&context.run("render empty.json -o x.png"), &["empty.json"]);
    refused(
        &context.run("render missing.json -o x.png"),
        &["missing.json"],
    );
}

#[test]
fn scenes_and_targets_that_cannot_be() {
    let context = Context::new();
    context.write("empty.glb", "");
    context.write("text.glb", "this is no scene");
    context.write("zero.hdr", "");
    context.write("ok.gltf", crate::render::TRIANGLE);
    for (args, words) in [
        ("empty.glb -o x.png", &["empty.glb"] as &[_]),
        ("text.glb -o x.png", &["text.glb"]),
        ("missing.glb -o x.png", &["missing.glb"]),
        ("ok.txt -o x.png", &["ok.txt"]),
        ("ok.gltf -o x.mp4", &["x.mp4"]),
        ("ok.gltf -o x.png --width 0", &["--width 0"]),
        ("ok.gltf -o x.png --spp 0", &["--spp 0"]),
        ("ok.gltf -o x.png --camera nobody", &["nobody"]),
        ("ok.gltf -o x.png --remove Teapot", &["Teapot"]),
        ("ok.gltf -o x.png --environment zero.hdr", &["zero.hdr"]),
        (
            "ok.gltf -o x.png --environment missing.hdr",
            &["missing.hdr"],
        ),
        ("ok.gltf -o x.png --exposure bright", &["bright"]),
        ("ok.gltf -o x.exr --exposure 1", &["--exposure"]),
        ("ok.gltf -o x.png --frame 7", &["--frame 7"]),
        (
            "ok.gltf -o no/where/x.png --width 8 --height 8 --spp 1",
            &["no/where/x.png"],
        ),
    ] {
        refused(&context.run(&format!("render {args}")), words);
    }
    assert!(!context.path("x.png").exists());
}

#[test]
fn assets_that_cannot_be() {
    let context = Context::new();
    let run = |dir: &str| {
        context.run(&format!(
            "removal --seed 1 {TINY} --assets {dir} --output-dir d"
        ))
    };
    std::fs::create_dir(context.path("empty")).unwrap();
    refused(&run("empty"), &["empty"]);
    context.write("nowhere/manifest.json", r#"{"name":"x","data_dir":"gs://gone","assets":{"a":{"asset_type":"FileBasedObject","kwargs":{"render_filename":"{asset_dir}/a.obj"}}}}"#);
    refused(&run("nowhere"), &["nowhere"]);
    context.write("broken/manifest.json", r#"{"name":"x","assets": "#);
    refused(&run("broken"), &["broken"]);
}

#[test]
fn a_bad_asset_costs_its_own_samples_only() {
    let context = Context::new();
    context.write(
        "assets/good.obj",
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n",
    );
    context.write(
        "assets/nan.obj",
        "v 0 0 0\nv nan 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n",
    );
    context.write("assets/zero.obj", "");
    let outcome = context.run(&format!(
        "removal --seeds 0..6 {TINY} --range-num-objs 1,2 --assets assets --output-dir d"
    ));
    // Which seed draws which asset is fixed by the seed; here both kinds are drawn.
    assert_eq!(outcome.code, Some(1), "{}", outcome.snapshot());
    let failed = context.read("d/failed.jsonl");
    let done = context.read("d/done.jsonl");
    assert!(!done.is_empty(), "{failed}");
    for line in failed.lines() {
        assert!(line.contains("nan") || line.contains("zero"), "{line}");
    }
    assert_eq!(failed.lines().count() + done.lines().count(), 6);
}

#[test]
fn an_extension_that_is_not_supported_is_named() {
    let Some(draco) = shared("assets/gltf/chess_board_draco.glb") else {
        return;
    };
    let context = Context::new();
    refused(
        &context.run(&format!("render {} -o x.png", draco.display())),
        &["KHR_draco_mesh_compression"],
    );
}

#[test]
fn datasets_that_cannot_be_merged_or_checked() {
    let context = Context::new();
    refused(&context.run("index missing"), &["missing"]);
    refused(&context.run("verify missing"), &["missing"]);
    for (dir, spp) in [("a", 2), ("b", 3)] {
        context
            .run(&format!(
                "removal --seed 1 {TINY} --spp {spp} --output-dir {dir}"
            ))
            .expect(0);
    }
    refused(
        &context.run("index a b --output-dir merged"),
        &["two different samples", "000001"],
    );
    // Two kinds of samples are in no list together.
    context
        .run("avatar --count 1 --video-length 3 --width 48 --height 32 --spp 1 --grid-size 8 --denoise none --output-dir c")
        .expect(0);
    for pair in ["a c", "c a"] {
        refused(
            &context.run(&format!("index {pair} --output-dir merged")),
            &["a holds object-removal samples", "c Diffusion-as-Shader"],
        );
    }
    std::fs::rename(context.path("a/000001"), context.path("c/000001")).unwrap();
    refused(&context.run("index c"), &["c holds object-removal samples"]);
    for left in ["merged.json", "merged"] {
        assert!(!context.path(left).exists(), "{left}");
    }
    context.write("file", "");
    refused(&context.run("index b --output-dir file"), &["file"]);
}
