use std::collections::BTreeSet;
use std::sync::Arc;

use std::path::Path;

use diorama_video::Mp4Index;

use super::*;
use crate::caption::Captions;
use crate::mask::{MaskMode, MaskRule};
use crate::pass::Pass;
use crate::sample_json::{PairKind, SampleJson};
use crate::testing::{self, FRAMES, SIDE};
use crate::tuple::Fate;
use diorama_synth::shot::{Exposure, Shot};
use glam::Vec3;

fn make(output: &Path, shot: &Shot, options: &SampleOptions) -> Vec<FinishedSample> {
    let mut writer = SampleWriter::begin(output, Arc::new(shot.clone()), options).unwrap();
    for index in 0..shot.frame_count {
        writer.push(&testing::frame(shot, index)).unwrap();
    }
    writer.finish().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn read_sample(folder: &Path) -> SampleJson {
    let text = std::fs::read_to_string(folder.join("sample.json")).unwrap();
    SampleJson::from_json(&text).unwrap()
}

fn bounds(shot: &Shot) -> crate::ObjectBounds {
    shot.objects
        .iter()
        .skip(1)
        .map(|object| {
            (
                object.id,
                [Vec3::splat(-testing::HALF), Vec3::splat(testing::HALF)],
            )
        })
        .collect()
}

#[test]
fn a_sample_is_complete_and_its_parts_agree() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    let options = SampleOptions {
        bounds: bounds(&shot),
        ..SampleOptions::default()
    };
    let finished = make(output.path(), &shot, &options);
    assert_eq!(
        names(output.path()),
        ["000007"],
        "nothing temporary is left"
    );
    let folder = &finished[0].folder;
    let expected = [
        "caption.json",
        "effect.mp4",
        "effect_mask.mp4",
        "mask.mp4",
        "rgb_full.mp4",
        "rgb_removed.mp4",
        "sample.json",
        "shot.json",
        "tuple.mp4",
    ];
    assert_eq!(names(folder), expected);
    assert_eq!(
        finished[0].files.keys().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    for (name, wide) in [("rgb_full.mp4", 1), ("mask.mp4", 1), ("tuple.mp4", 3)] {
        let video = Mp4Index::read(&folder.join(name)).unwrap();
        assert_eq!((video.width, video.height), (SIDE * wide, SIDE), "{name}");
        assert_eq!(video.frames(), u64::from(FRAMES), "{name}");
        assert_eq!(video.rate.fps(), 16.0, "{name}");
    }
    let stored = Shot::from_json(&std::fs::read_to_string(folder.join("shot.json")).unwrap());
    assert_eq!(stored.unwrap(), shot);
    let captions: Captions =
        serde_json::from_str(&std::fs::read_to_string(folder.join("caption.json")).unwrap())
            .unwrap();
    assert!(captions.prompt.contains("cube"));

    let sample = read_sample(folder);
    assert_eq!((sample.video_fps, sample.frame_count), (16.0, FRAMES));
    assert!((sample.scene_fps - 24.0).abs() < 1e-9);
    assert_eq!(sample.quality, finished[0].quality);
    let roles: Vec<Fate> = sample.objects.iter().map(|o| o.role).collect();
    assert_eq!(
        roles,
        [Fate::Background, Fate::Remove, Fate::Keep, Fate::Keep]
    );
    assert_eq!(sample.frames.len(), FRAMES as usize);
    let frame = testing::frame(&shot, 2);
    let gear = &sample.frames[2].objects[3];
    assert_eq!(gear.box_2d, frame.visible_box[3]);
    assert_eq!(gear.visible_pixels, frame.visible_pixels[3]);
    let expected_fraction = f64::from(frame.visible_pixels[3]) / f64::from(frame.amodal_pixels[3]);
    assert_eq!(gear.visible_fraction, Some(expected_fraction));
    let center = gear.box_3d_center.unwrap();
    assert!(
        (center[0] - 0.22).abs() < 1e-6 && (center[1] - 1.3).abs() < 1e-6,
        "{center:?}"
    );
    assert_eq!(
        sample.objects[3].box_3d_size,
        Some([f64::from(2.0 * testing::HALF); 3])
    );
    assert!(sample.frames[1].objects[1].contact_starts);
    assert!(!sample.frames[0].objects[1].contact_starts);
    assert!(sample.objects[2].in_captions && !sample.objects[1].in_captions);
    assert!(sample.quality.least_seen_removed > 0.99);
    assert!(sample.quality.mean_effect_outside_mask_share > 0.0);
}

#[test]
fn the_same_frames_make_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shot = testing::one_tuple_shot();
    let options = SampleOptions::default();
    assert_eq!(
        make(a.path(), &shot, &options)[0].files,
        make(b.path(), &shot, &options)[0].files
    );
}

#[test]
fn sample_json_is_plain_json_in_the_documented_order() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    let finished = make(output.path(), &shot, &SampleOptions::default());
    let text = std::fs::read_to_string(finished[0].folder.join("sample.json")).unwrap();
    assert!(text.starts_with("{\n  \"schema_version\": 1,\n"));
    assert!(text.ends_with("]\n}\n"));
    // Streaming the frames must give what serde alone would have read and written.
    let sample = SampleJson::from_json(&text).unwrap();
    let compact = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(
        compact(&serde_json::to_string(&sample).unwrap()),
        compact(&text)
    );
    let newer = text.replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
    assert!(SampleJson::from_json(&newer).unwrap_err().contains("newer"));
}

#[test]
fn several_removed_sets_make_several_folders_in_one_pass() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::two_tuple_shot();
    let finished = make(output.path(), &shot, &SampleOptions::default());
    assert_eq!(names(output.path()), ["000007", "000007_2"]);
    let second = read_sample(&finished[1].folder);
    assert_eq!(
        (second.id.as_str(), second.world.as_str()),
        ("000007_2", "removed_2")
    );
    assert_eq!(
        finished[0].files["rgb_full.mp4"],
        finished[1].files["rgb_full.mp4"]
    );
    assert_ne!(finished[0].files["mask.mp4"], finished[1].files["mask.mp4"]);

    let flat = SampleOptions {
        layout: Layout::Flat,
        ..SampleOptions::default()
    };
    assert!(SampleWriter::begin(output.path(), Arc::new(shot.clone()), &flat).is_err());
    let coverage = SampleOptions {
        mask: crate::MaskOptions {
            rule: MaskRule::Coverage(0.5),
            ..Default::default()
        },
        ..SampleOptions::default()
    };
    let error = SampleWriter::begin(output.path(), Arc::new(shot.clone()), &coverage).unwrap_err();
    assert!(error.to_string().contains("--mask-rule centre"), "{error}");
}

#[test]
fn every_option_adds_its_files() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::layered_shot();
    let options = SampleOptions {
        layout: Layout::Flat,
        frames_png: true,
        passes: Pass::ALL.to_vec(),
        layers: true,
        mask: crate::MaskOptions {
            mode: MaskMode::Binary,
            dilate_px: 2,
            ..Default::default()
        },
        render: [("spp".to_owned(), 16.into())].into(),
        ..SampleOptions::default()
    };
    let finished = make(output.path(), &shot, &options);
    assert_eq!(finished[0].folder, output.path());
    let files: BTreeSet<&str> = finished[0].files.keys().map(String::as_str).collect();
    for name in [
        "passes/00000.exr",
        "passes/00003.exr",
        "rgb_full/00000.png",
        "rgb_removed/00003.png",
        "mask/00001.png",
        "tuple/00002.png",
        "layers/2_ball/rgb_removed.mp4",
        "layers/2_ball/effect.mp4",
        "layers/2_ball/matte.mp4",
        "layers/3_cube/effect/00003.exr",
    ] {
        assert!(files.contains(name), "{name} is missing of {files:?}");
        assert!(output.path().join(name).is_file());
    }
    let sample = read_sample(output.path());
    assert_eq!(sample.render["spp"], 16);
    assert_eq!(sample.passes, Pass::ALL);
    assert_eq!(hash_files(output.path()).unwrap(), finished[0].files);

    // Flat again: the older sample is replaced, whatever else lies there stays.
    diorama_video::fsx::write_atomic(&output.path().join("plan.toml"), b"x").unwrap();
    let plain = SampleOptions {
        layout: Layout::Flat,
        ..SampleOptions::default()
    };
    make(output.path(), &shot, &plain);
    assert!(output.path().join("plan.toml").is_file());
    assert!(read_sample(output.path()).passes.is_empty());
}

#[test]
fn counterfactual_pairs_list_what_moves_and_hold_its_new_mask() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::counterfactual_shot();
    let options = SampleOptions {
        pair: PairKind::Counterfactual,
        ..SampleOptions::default()
    };
    let finished = make(output.path(), &shot, &options);
    assert!(finished[0].files.contains_key("mask_removed.mp4"));
    let sample = read_sample(&finished[0].folder);
    assert_eq!(sample.moved_objects, [3]);
    assert_eq!(sample.pair, PairKind::Counterfactual);
}

#[test]
fn an_unfinished_sample_leaves_nothing() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    let mut writer = SampleWriter::begin(
        output.path(),
        Arc::new(shot.clone()),
        &SampleOptions::default(),
    )
    .unwrap();
    writer.push(&testing::frame(&shot, 0)).unwrap();
    let during = names(output.path());
    assert_eq!(during.len(), 1);
    assert!(
        diorama_video::fsx::is_temporary(Path::new(&during[0])),
        "{during:?}"
    );
    assert!(
        crate::dataset::sample_folders(output.path())
            .unwrap()
            .is_empty()
    );
    let error = writer.finish().unwrap_err();
    assert!(
        error.to_string().contains("the shot has 4 frames"),
        "{error}"
    );
    assert!(names(output.path()).is_empty());
}

#[test]
fn folders_of_dead_runs_are_swept_by_their_owner_only() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    make(output.path(), &shot, &SampleOptions::default());
    for stale in [".000007.tmp-1", ".000009_2.tmp-77"] {
        std::fs::create_dir(output.path().join(stale)).unwrap();
    }
    let swept = sweep_temporary(output.path(), |id| id == "000009_2").unwrap();
    assert_eq!(swept, [output.path().join(".000009_2.tmp-77")]);
    assert_eq!(names(output.path()), [".000007.tmp-1", "000007"]);
    sweep_temporary(output.path(), |_| true).unwrap();
    assert_eq!(names(output.path()), ["000007"]);
    assert!(
        sweep_temporary(&output.path().join("none"), |_| true)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_finished_sample_is_replaced_whole() {
    let output = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    let with_png = SampleOptions {
        frames_png: true,
        ..SampleOptions::default()
    };
    make(output.path(), &shot, &with_png);
    let finished = make(output.path(), &shot, &SampleOptions::default());
    assert!(!finished[0].folder.join("tuple").exists());
    assert_eq!(names(output.path()), ["000007"]);
}

#[test]
fn frames_that_do_not_belong_are_refused() {
    let output = tempfile::tempdir().unwrap();
    let mut shot = testing::one_tuple_shot();
    let good = testing::frame(&shot, 0);
    let mut writer = SampleWriter::begin(
        output.path(),
        Arc::new(shot.clone()),
        &SampleOptions::default(),
    )
    .unwrap();
    let mut refuse = |spoil: &dyn Fn(&mut diorama_synth::frame::Frame), words: &str| {
        let mut frame = good.clone();
        spoil(&mut frame);
        let error = writer.push(&frame).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refuse(&|f| f.index = 3, "frame 0 is due");
    refuse(&|f| f.worlds.truncate(1), "worlds");
    refuse(&|f| f.visible_box.clear(), "objects");
    refuse(&|f| f.labels.depth.data.truncate(7), "`depth`");
    refuse(&|f| f.worlds[1].display.width = 16, "`display`");
    writer.push(&good).unwrap();

    shot.exposure = Exposure::Auto;
    let error = SampleWriter::begin(
        output.path(),
        Arc::new(shot.clone()),
        &SampleOptions::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("exposure"), "{error}");
}
