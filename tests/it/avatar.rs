//! `diorama avatar`: datasets that the trainer's loader reads, whatever stops the run.

use std::process::Stdio;
use std::time::Duration;

use crate::context::{Context, shared};

/// Clips small enough for a test.
const TINY: &str = "--video-length 3 --width 48 --height 32 --spp 1 --grid-size 8 --denoise none";

/// The part of it that is the recipe's.
const SHORT: &str = "--video-length 3 --width 48 --height 32";

/// The lists of a dataset, paired as the trainer pairs them: stripped, empty lines gone.
fn loaded(context: &Context, name: &str) -> Vec<[String; 4]> {
    let [prompts, videos, trackings, images] =
        ["prompt.txt", "videos.txt", "trackings.txt", "images.txt"].map(|list| {
            let text = context.read(&format!("{name}/{list}"));
            let lines = text.lines().map(|line| line.trim().to_owned());
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
        });
    assert_eq!(prompts.len(), videos.len());
    assert_eq!(prompts.len(), trackings.len());
    assert_eq!(prompts.len(), images.len());
    for file in videos.iter().chain(&trackings).chain(&images) {
        assert!(context.path(name).join(file).is_file(), "{file}");
    }
    for (video, tracking) in videos.iter().zip(&trackings) {
        let number = video.trim_start_matches("videos/").trim_end_matches(".mp4");
        assert_eq!(*tracking, format!("tracking/{number}_tracking.mp4"));
    }
    let columns = prompts.into_iter().zip(videos).zip(trackings).zip(images);
    columns.map(|(((p, v), t), i)| [p, v, t, i]).collect()
}

#[test]
fn the_same_command_makes_the_same_bytes_and_a_finished_dataset_is_left_alone() {
    let context = Context::new();
    let make = |dir: &str| format!("avatar --count 2 {TINY} --output-dir {dir}");
    context.run(&format!("{} --threads 1", make("a"))).expect(0);
    context.run(&format!("{} --threads 2", make("b"))).expect(0);
    let first = context.dataset("a");
    assert_eq!(first, context.dataset("b"));
    let again = context.run(&make("a")).expect(0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(first, context.dataset("a"));

    let samples = loaded(&context, "a");
    assert_eq!(samples.len(), 2);
    assert!(
        samples
            .iter()
            .all(|[prompt, ..]| prompt.ends_with("camera stands still."))
    );
    // Another plan is refused, more clips are not.
    context
        .run(&format!("{} --tracking das-dense", make("a")))
        .expect(2);
    context
        .run(&format!("avatar --count 3 {TINY} --output-dir a"))
        .expect(0);
    assert_eq!(loaded(&context, "a").len(), 3);
}

#[test]
fn kills_at_any_moment_leave_lists_aligned_and_the_next_run_ends_alike() {
    let context = Context::new();
    let make = |dir: &str| format!("avatar --count 3 {TINY} --output-dir {dir}");
    context.run(&make("whole")).expect(0);
    // Moments spread over the run and its end, by an odd step so that they hit different stages.
    for kill in 0..8u64 {
        let mut child = context
            .command(&make("killed"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + kill * 137));
        child.kill().unwrap();
        child.wait().unwrap();
        if context.path("killed/videos.txt").exists() {
            loaded(&context, "killed");
        }
    }
    context.run(&make("killed")).expect(0);
    assert_eq!(context.dataset("killed"), context.dataset("whole"));
}

#[test]
fn workspaces_of_the_public_script_become_datasets() {
    let Some(assets) = shared("assets") else {
        return;
    };
    let context = Context::new();
    let copy = |from: &str, to: &str| {
        context.write(to, std::fs::read(assets.join(from)).unwrap());
    };
    copy(
        "characters/mh_male/mh_male.fbx",
        "w/raw/mh_male/mh_male.fbx",
    );
    copy("motion/walk.fbx", "w/raw/mh_male/motion/walk.fbx");
    copy("motion/dab.fbx", "w/raw/mh_male/motion/dab.fbx");
    copy(
        "broken/fbx/truncated_motion.fbx",
        "w/raw/mh_male/motion/empty.fbx",
    );
    copy(
        "skybox/potsdamer_platz_1k_ldr.png",
        "w/raw/skybox/potsdamer_platz_1k_ldr.png",
    );
    context.write("w/raw/nobody/readme.txt", "not a character");
    let outcome = context.run(&format!("avatar --base-path w {TINY} --prompt-style das"));
    // The broken motion costs its own clip, the folder without a character nothing.
    let outcome = outcome.expect(1);
    assert!(outcome.stderr.contains("nobody"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("empty.fbx"), "{}", outcome.stderr);
    let samples = loaded(&context, "w/trackingavatars");
    assert_eq!(samples.len(), 2);
    assert!(samples[0][0].starts_with("cartoon character mh_male dab in "));

    // Shots that show its characters say where these are, and the dataset lies in the workspace.
    let shot = context.run(&format!(
        "shot avatar --base-path w --clip 2 --output walk.json {SHORT}"
    ));
    shot.expect(0);
    let lost = context.run("render walk.json --output walk.png --spp 1");
    let lost = lost.expect(2);
    assert!(lost.stderr.contains("--base-path"), "{}", lost.stderr);
    let found = "render walk.json --output walk.png --spp 1 --base-path w";
    context.run(found).expect(0);
    let again = context.run("verify w/trackingavatars --json");
    if !again.stderr.contains("ffmpeg") {
        let report = again.expect(0).stdout;
        assert!(
            report.contains("rays through tracks meet their object"),
            "{report}"
        );
        assert!(report.contains("\"rendered\":4"), "{report}");
    }

    let joined = context.run("merge w/trackingavatars=1 --output-dir joined");
    joined.expect(0);
    assert_eq!(loaded(&context, "joined").len(), 2);
}

#[test]
fn crowds_with_props_and_a_moving_camera_are_the_same_on_any_number_of_threads() {
    let context = Context::new();
    let make = |dir: &str| {
        format!(
            "avatar --count 1 {TINY} --range-characters 2,2 --range-props 2,2 \
             --range-camera-orbit 20 --range-camera-handheld 0.02 --output-dir {dir}"
        )
    };
    context.run(&format!("{} --threads 1", make("a"))).expect(0);
    context.run(&format!("{} --threads 2", make("b"))).expect(0);
    assert_eq!(context.dataset("a"), context.dataset("b"));
    let [prompt, ..] = &loaded(&context, "a")[0];
    assert!(
        prompt.contains(" and ") && prompt.contains(" beside "),
        "{prompt}"
    );
}

#[test]
fn somebody_walks_among_the_objects_and_can_be_removed() {
    let context = Context::new();
    let make = |probability: &str, dir: &str| {
        format!(
            // What is left of noise at two samples needs a finer quantiser than pictures do.
            "removal --seeds 0..3 {} --qp 2 --prob-character {probability} --output-dir {dir}",
            crate::context::TINY
        )
    };
    context.run(&make("1", "walked")).expect(0);
    let mut roles = Vec::new();
    for id in ["000000", "000001", "000002"] {
        let shot: serde_json::Value =
            serde_json::from_str(&context.read(&format!("walked/{id}/shot.json"))).unwrap();
        let objects = shot["objects"].as_array().unwrap();
        let walker = objects.iter().find(|object| object["body"].is_array());
        roles.extend(walker.map(|walker| walker["role"].as_str().unwrap().to_owned()));
    }
    assert_eq!(roles.len(), 3, "one in each clip");
    let report = context.run("verify walked --json");
    if !report.stderr.contains("ffmpeg") {
        report.expect(0);
    }
}

#[test]
fn repainted_first_frames_are_checked_and_listed() {
    let context = Context::new();
    context
        .run(&format!("avatar --count 2 {TINY} --output-dir a"))
        .expect(0);
    let read = |name: &str| std::fs::read(context.path(name)).unwrap();
    // Another picture of the right size, and one that is cut off.
    let other = read("a/images/000001.png");
    context.write("painted/000000.png", &other[..]);
    context.write("painted/000001.png", &other[..40]);
    let taken = context.run("index a --images-from painted").expect(1);
    assert!(taken.stderr.contains("1 image taken"), "{}", taken.stderr);
    assert!(taken.stderr.contains("000001.png"), "{}", taken.stderr);
    assert_eq!(read("a/images/000000.png"), other);
    assert_eq!(read("a/images/000001.png"), other);
    context.run("index a").expect(0);
    assert_eq!(read("a/images/000000.png"), other);
    context.run("index a --images-from nowhere").expect(2);
}

#[test]
fn bad_workspaces_are_one_line_with_a_hint() {
    let context = Context::new();
    let missing = context.run("avatar --base-path nowhere").expect(2);
    assert_eq!(
        missing.stderr.matches("os error").count(),
        1,
        "{}",
        missing.stderr
    );
    assert!(missing.stderr.contains("hint: "), "{}", missing.stderr);
    context.write("empty/raw/readme.txt", "nothing here");
    let empty = context.run("avatar --base-path empty").expect(2);
    assert!(empty.stderr.contains("no character"), "{}", empty.stderr);
    // A character that is none is a listed failure, and the rest of the files stay away.
    context.write("w/raw/stone/stone.fbx", "not an FBX file");
    context.write("w/raw/stone/motion/walk.fbx", "");
    let broken = context
        .run(&format!("avatar --base-path w {TINY}"))
        .expect(1);
    assert!(broken.stderr.contains("stone.fbx"), "{}", broken.stderr);
    assert!(broken.stderr.contains("--redo failed"), "{}", broken.stderr);
}
