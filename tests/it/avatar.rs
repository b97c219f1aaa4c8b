//! `diorama avatar`: datasets that the trainer's loader reads, whatever stops the run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::context::{Context, say, shared};

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

/// A number from 0 to 1 that only depends on `kill` and `what`.
fn moment(kill: u32, what: &str) -> f64 {
    let hash = blake3::hash(format!("{what} {kill}").as_bytes());
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&hash.as_bytes()[..4]);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// What a loader that trusts nobody asks of a dataset after a kill: the lists that are there belong
/// together, and everything that has its final name can be read to its end. Returns whether all lists
/// were there.
fn check_what_is_left(context: &Context, name: &str, frames: u64) -> bool {
    let dataset = context.path(name);
    let lists = ["prompt.txt", "videos.txt", "trackings.txt", "images.txt"];
    let there: Vec<_> = lists
        .iter()
        .filter(|list| dataset.join(list).exists())
        .collect();
    let mut lines = there.iter().map(|list| {
        let text = context.read(&format!("{name}/{list}"));
        text.lines().filter(|line| !line.trim().is_empty()).count()
    });
    let first = lines.next();
    assert!(lines.all(|count| Some(count) == first), "{there:?}");
    let mut files = Vec::new();
    if there.len() == lists.len() {
        for [_, video, tracking, image] in loaded(context, name) {
            files.extend([video, tracking, image].map(|file| dataset.join(file)));
        }
    }
    let samples = std::fs::read_dir(dataset.join("samples"));
    for folder in samples.into_iter().flatten().map(Result::unwrap) {
        if !folder.file_name().to_string_lossy().starts_with('.') {
            let files_of = ["video.mp4", "tracking.mp4", "image.png"];
            files.extend(files_of.map(|file| folder.path().join(file)));
            let record = std::fs::read(folder.path().join("sample.json")).unwrap();
            serde_json::from_slice::<serde_json::Value>(&record).unwrap();
        }
    }
    for file in files {
        if file.extension().is_some_and(|ending| ending == "png") {
            diorama_video::whole_png_size(&file).unwrap();
        } else {
            let index = diorama_video::Mp4Index::read(&file).unwrap();
            assert_eq!(index.frames(), frames, "{}", file.display());
        }
    }
    there.len() == lists.len()
}

/// Kills runs of a few clips at `kills` moments, lets the same command go on, and compares each dataset
/// that came to its end with one that nobody disturbed.
fn survives(kills: u32) {
    let context = Context::new();
    let make = |dir: &str| format!("avatar --count 3 {TINY} --output-dir {dir}");
    let start = Instant::now();
    context.run(&make("whole")).expect(0);
    let whole_secs = start.elapsed().as_secs_f64();
    let whole = context.dataset("whole");
    let (mut killed, mut ended, mut listed) = (0, 0, 0);
    let mut dataset = "killed-0".to_owned();
    let mut attempt = 0;
    while killed < kills {
        attempt += 1;
        let mut child = context
            .command(&make(&dataset))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Lists are written in a few milliseconds at the end: every third kill waits for these.
        if attempt % 3 == 0 {
            let last = context.path(&dataset).join("samples/000002");
            while !last.exists() && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_secs_f64(0.1 * moment(attempt, "end")));
        } else {
            std::thread::sleep(Duration::from_secs_f64(
                whole_secs * moment(attempt, "anywhere"),
            ));
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            assert_eq!(context.dataset(&dataset), whole, "attempt {attempt}");
            ended += 1;
            dataset = format!("killed-{ended}");
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        listed += u32::from(check_what_is_left(&context, &dataset, 3));
        // Lists of what is there so far can be asked for at any time.
        if killed % 4 == 0 && context.path(&dataset).join("samples").exists() {
            context.run(&format!("index {dataset}")).expect(0);
            assert!(check_what_is_left(&context, &dataset, 3));
        }
    }
    context.run(&make(&dataset)).expect(0);
    assert_eq!(context.dataset(&dataset), whole);
    say(&format!(
        "{killed} kills, all lists there after {listed}, {} datasets came to their end",
        ended + 1
    ));
}

#[test]
fn kills_at_any_moment_leave_lists_aligned_and_the_next_run_ends_alike() {
    survives(6);
}

#[test]
#[ignore = "slow: cargo xtask slow"]
fn fifty_kills_at_random_moments_leave_lists_aligned_and_the_next_run_ends_alike() {
    survives(50);
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
             --range-camera-orbit 20 --range-camera-handheld 0.02 --motion-blur 0.5 --output-dir {dir}"
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
