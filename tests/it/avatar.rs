//! `diorama avatar`: datasets that the trainer's loader reads, whatever stops the run.

use std::process::Stdio;
use std::time::Duration;

use crate::context::{Context, shared};

/// Clips small enough for a test.
const TINY: &str = "--video-length 3 --width 48 --height 32 --spp 1 --grid-size 8 --denoise none";

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

    let joined = context.run("merge w/trackingavatars=1 --output-dir joined");
    joined.expect(0);
    assert_eq!(loaded(&context, "joined").len(), 2);
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
