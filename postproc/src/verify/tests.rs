use std::path::{Path, PathBuf};

use std::sync::Arc;

use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, Encoder, MaskVideoOptions, MaskVideoWriter, Tools, fsx,
};

use super::*;
use crate::caption::Captions;
use crate::dataset::{DoneEntry, Journal};
use crate::sample::{SampleOptions, SampleWriter};
use crate::testing::{self, FRAMES, SIDE};

/// False, with a word, where there is no ffmpeg to decode with.
fn can_decode() -> bool {
    let found = Tools::find(None).is_ok();
    if !found {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: ffmpeg is not installed");
        }
    }
    found
}

/// A dataset of one sample, journalled.
fn dataset() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let shot = testing::one_tuple_shot();
    let mut writer = SampleWriter::begin(
        folder.path(),
        Arc::new(shot.clone()),
        &SampleOptions::default(),
    )
    .unwrap();
    for index in 0..FRAMES {
        writer.push(&testing::frame(&shot, index)).unwrap();
    }
    let finished = writer.finish().unwrap().remove(0);
    let mut journal = Journal::open(folder.path(), None).unwrap();
    journal
        .push_done(&DoneEntry {
            id: finished.id,
            seed: shot.seed,
            backend: "cpu".into(),
            files: finished.files,
            quality: finished.quality,
            timings: std::collections::BTreeMap::new(),
        })
        .unwrap();
    let sample = folder.path().join("000007");
    (folder, sample)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands for a renderer, which can fail"
)]
fn render(shot: &Shot, _: &SampleJson, index: u32) -> std::result::Result<Frame, String> {
    Ok(testing::frame(shot, index))
}

fn report(dataset: &Path) -> Report {
    verify(
        dataset,
        &VerifyOptions::default(),
        Some(&mut render),
        &mut |_, _| {},
    )
    .unwrap()
}

fn broken(report: &Report) -> Vec<&'static str> {
    report.faults.iter().map(|fault| fault.law).collect()
}

fn names(laws: &[Law]) -> Vec<&'static str> {
    laws.iter().map(|law| law.name).collect()
}

/// The mask of every frame of the sample, as written.
fn masks() -> Vec<Vec<u8>> {
    let shot = testing::one_tuple_shot();
    let tuple = &crate::Tuple::all(&shot).unwrap()[0];
    (0..FRAMES)
        .map(|i| {
            crate::mask::mask(
                &testing::frame(&shot, i),
                tuple,
                &crate::MaskOptions::default(),
            )
        })
        .collect()
}

fn write_mask(path: &Path, frames: &[Vec<u8>]) {
    let options = MaskVideoOptions {
        width: SIDE,
        height: SIDE,
        fps: 16.0,
    };
    let mut video = MaskVideoWriter::create(path, &options).unwrap();
    for frame in frames {
        video.push(frame).unwrap();
    }
    video.finish().unwrap();
}

fn write_color(path: &Path, qp: u8, frames: &[Vec<u8>]) {
    let options = ColorVideoOptions {
        width: SIDE,
        height: SIDE,
        fps: 16.0,
        qp,
        encoder: Encoder::default(),
    };
    let mut video = ColorVideoWriter::create(path, &options).unwrap();
    for frame in frames {
        video.push(frame).unwrap();
    }
    video.finish().unwrap();
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fsx::write_atomic(path, text.replacen(from, to, 1).as_bytes()).unwrap();
}

#[test]
fn a_good_sample_keeps_every_law() {
    if !can_decode() {
        return;
    }
    let (dataset, _) = dataset();
    let report = report(dataset.path());
    assert_eq!(report.faults, []);
    assert_eq!((report.samples, report.foreign, report.rendered), (1, 0, 2));
    assert_eq!(report.frames, u64::from(FRAMES));
    for law in [
        laws::HASHES,
        laws::MASK_LEVELS,
        laws::BOXES,
        laws::AREAS,
        laws::LINEAR_PAIR,
        laws::PAIR_MEAN,
        laws::PAIR_P99,
        laws::MASK_IDS,
        laws::FLOW,
        laws::TRACK,
        laws::ROUND_TRIP,
    ] {
        let result = report
            .law(law)
            .unwrap_or_else(|| panic!("{} was not measured", law.name));
        assert!(result.worst <= law.limit.unwrap(), "{result:?}");
    }
    let text = report.to_string();
    assert!(
        text.contains("mask levels") && !text.contains("FAIL"),
        "{text}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["laws"][0]["limit"], 0.0);

    // A folder that is one sample can be verified alone.
    let alone = verify(
        &dataset.path().join("000007"),
        &VerifyOptions::default(),
        None,
        &mut |_, _| {},
    );
    assert_eq!(alone.unwrap().faults, []);
}

#[test]
fn one_flipped_mask_pixel_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let mut frames = masks();
    // A background pixel far from the removed ball, in a frame that is rendered again.
    frames[2][0] = 0;
    write_mask(&sample.join("mask.mp4"), &frames);
    let report = report(dataset.path());
    let expected = [laws::HASHES, laws::BOXES, laws::AREAS, laws::MASK_IDS];
    let mut found = broken(&report);
    found.sort_unstable();
    let mut expected = names(&expected);
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(report.law(laws::AREAS).unwrap().worst, 1.0);
    assert_eq!(report.law(laws::AREAS).unwrap().at, "000007 frame 2");
    assert!(report.to_string().contains("FAIL"));
}

#[test]
fn mask_values_off_the_levels_are_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let mut frames = masks();
    frames[0][5] = 60;
    write_mask(&sample.join("mask.mp4"), &frames);
    let report = report(dataset.path());
    assert_eq!(report.law(laws::MASK_LEVELS).unwrap().broken, 1);
    assert_eq!(report.law(laws::MASK_LEVELS).unwrap().worst, 1.0);
}

#[test]
fn a_dropped_frame_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let mut frames = masks();
    frames.pop();
    write_mask(&sample.join("mask.mp4"), &frames);
    let report = report(dataset.path());
    let fault = report
        .faults
        .iter()
        .find(|f| f.law == laws::COUNTS.name)
        .unwrap();
    assert!(
        fault.message.contains("mask.mp4 has 3 frames instead of 4"),
        "{}",
        fault.message
    );
}

#[test]
fn a_truncated_video_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let path = sample.join("rgb_removed.mp4");
    let bytes = std::fs::read(&path).unwrap();
    fsx::write_atomic(&path, &bytes[..bytes.len() / 2]).unwrap();
    let report = report(dataset.path());
    assert!(broken(&report).contains(&laws::DECODES.name), "{report}");
}

#[test]
fn a_wrong_box_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let record = crate::testing::frame(&testing::one_tuple_shot(), 2).visible_box[1].unwrap();
    let old = format!(
        "\"box_2d\":[{},{},{},{}]",
        record[0], record[1], record[2], record[3]
    );
    let new = format!(
        "\"box_2d\":[{},{},{},{}]",
        record[0],
        record[1],
        record[2] + 3,
        record[3]
    );
    let path = sample.join("sample.json");
    // The record of frame 2 is the third line of frames.
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text.find("{\"frame\":2,").unwrap();
    let text = format!("{}{}", &text[..at], text[at..].replacen(&old, &new, 1));
    fsx::write_atomic(&path, text.as_bytes()).unwrap();
    let report = report(dataset.path());
    for law in [laws::BOXES, laws::BOX_IDS] {
        assert_eq!(report.law(law).unwrap().worst, 3.0, "{report}");
    }
}

#[test]
fn a_pair_that_differs_where_it_must_not_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let shot = testing::one_tuple_shot();
    // The whole removed picture 6 levels brighter, as a second denoising might leave it.
    let frames: Vec<Vec<u8>> = (0..FRAMES)
        .map(|i| {
            let mut rgb = testing::frame(&shot, i).worlds[1]
                .display
                .data
                .as_flattened()
                .to_vec();
            for value in &mut rgb {
                *value = value.saturating_add(6);
            }
            rgb
        })
        .collect();
    write_color(&sample.join("rgb_removed.mp4"), 10, &frames);
    let found = report(dataset.path());
    assert!(broken(&found).contains(&laws::PAIR_MEAN.name), "{found}");
    assert!(broken(&found).contains(&laws::PAIR_P99.name), "{found}");

    // And in linear radiance, by one bit of one pixel.
    let mut spoiled = |shot: &Shot, _: &SampleJson, index: u32| {
        let mut frame = testing::frame(shot, index);
        let value = &mut frame.worlds[1].radiance.data[3].x;
        *value = f32::from_bits(value.to_bits() + 1);
        Ok(frame)
    };
    let options = VerifyOptions::default();
    let found = verify(dataset.path(), &options, Some(&mut spoiled), &mut |_, _| {}).unwrap();
    assert_eq!(found.law(laws::LINEAR_PAIR).unwrap().worst, 1.0);
}

#[test]
fn json_and_captions_are_checked() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    let captions = Captions {
        short_prompt: "A ball on a floor.".into(),
        prompt: "word ".repeat(76),
        verbose_prompt: "A cube.".into(),
    };
    let text = serde_json::to_string(&captions).unwrap();
    fsx::write_atomic(&sample.join("caption.json"), text.as_bytes()).unwrap();
    edit(
        &sample.join("shot.json"),
        "\"frame_count\": 4",
        "\"frame_count\": 1000000000",
    );
    let report = report(dataset.path());
    assert_eq!(report.law(laws::CAPTIONS).unwrap().broken, 2);
    assert!(
        report
            .faults
            .iter()
            .any(|f| f.message.contains("frame_count")),
        "{report}"
    );
    assert_eq!(report.law(laws::HASHES).unwrap().broken, 2);
    assert_eq!(report.rendered, 0, "a bad shot is not rendered");
}

#[test]
fn a_sample_that_the_journal_knows_but_is_gone_is_found() {
    if !can_decode() {
        return;
    }
    let (dataset, sample) = dataset();
    std::fs::rename(&sample, dataset.path().join("elsewhere")).unwrap();
    let renamed = report(dataset.path());
    assert_eq!(renamed.faults, [], "a renamed folder keeps its id");
    std::fs::rename(dataset.path().join("elsewhere"), &sample).unwrap();
    let mut journal = Journal::open(dataset.path(), None).unwrap();
    let mut entry = crate::dataset::read_journals(dataset.path()).unwrap().done["000007"].clone();
    entry.id = "000008".into();
    journal.push_done(&entry).unwrap();
    let found = report(dataset.path());
    assert!(found.faults.iter().any(|f| f.sample == "000008"), "{found}");
}

#[test]
fn a_tuple_of_another_tool_is_measured_and_reported() {
    if !can_decode() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("clip");
    std::fs::create_dir(&sample).unwrap();
    let shot = testing::one_tuple_shot();
    let of = |world: usize| -> Vec<Vec<u8>> {
        (0..FRAMES)
            .map(|i| {
                testing::frame(&shot, i).worlds[world]
                    .display
                    .data
                    .as_flattened()
                    .to_vec()
            })
            .collect()
    };
    write_color(&sample.join("rgb_full.mp4"), 30, &of(0));
    write_color(&sample.join("rgb_removed.mp4"), 30, &of(1));
    // A mask through a lossy encoder, as the public tool writes it.
    let grey: Vec<Vec<u8>> = masks()
        .iter()
        .map(|mask| mask.iter().flat_map(|v| [*v; 3]).collect())
        .collect();
    write_color(&sample.join("mask.mp4"), 30, &grey);
    let found = report(folder.path());
    assert_eq!(found.foreign, 1);
    assert_eq!(found.faults, [], "figures are no faults");
    assert!(found.law(laws::FOREIGN_LEVELS).unwrap().worst > 0.0);
    assert!(found.law(laws::AWAY_MEAN).is_some());
    assert!(found.law(laws::MASK_LEVELS).is_none());

    // Unequal lengths are a fault for anybody's trainer.
    write_color(&sample.join("mask.mp4"), 30, &grey[..2]);
    assert_eq!(broken(&report(folder.path())), [laws::COUNTS.name]);
}

#[test]
fn a_folder_without_samples_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = verify(
        folder.path(),
        &VerifyOptions::default(),
        None,
        &mut |_, _| {},
    )
    .unwrap_err();
    assert!(error.to_string().contains("holds no sample"), "{error}");
    let error = verify(
        &folder.path().join("none"),
        &VerifyOptions::default(),
        None,
        &mut |_, _| {},
    );
    assert!(error.is_err());
}
