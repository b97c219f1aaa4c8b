//! Whole datasets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use diorama_synth::frame::Frame;
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::{Shot, Track};
use diorama_video::{Mp4Index, ReadFormat, ReadOptions, VideoError, VideoReader};
use glam::Vec3;

use super::*;
use crate::dataset::{Journal, read_journals};
use crate::quads::{self, Analytic};
use crate::tracking::{SurfaceVisibility, Tracker, TrackingOptions, TrackingRule};
use crate::verify::{Reshoot, VerifyOptions, das_laws, laws, verify_das};

const SIZE: [u32; 2] = [64, 48];

fn shot(frames: u32) -> Shot {
    let mut shot = quads::empty(SIZE, frames);
    quads::add(&mut shot, [9.0, 9.0], |_| Vec3::new(0.0, 7.0, 0.0));
    quads::add(&mut shot, [0.5, 0.6], |f| {
        Vec3::new(-0.6 + 0.05 * f, 4.0, 0.1)
    });
    shot
}

fn options() -> DasSampleOptions {
    DasSampleOptions {
        tracking: TrackingOptions {
            grid_size: 8,
            ..TrackingOptions::default()
        },
        ..DasSampleOptions::default()
    }
}

fn make(dataset: &Path, id: &str, options: &DasSampleOptions, prompt: &str) -> FinishedDasSample {
    let shot = shot(3);
    let mut writer = DasSampleWriter::new(dataset, id, quads::geometry(&shot), options).unwrap();
    for index in 0..shot.frame_count {
        writer
            .push(&quads::frame(&shot, index), &Analytic(&shot))
            .unwrap();
    }
    writer.finish(prompt).unwrap()
}

fn below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            names.extend(below(&entry.path()).iter().map(|n| format!("{name}/{n}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_sample_has_every_file_and_its_flat_names() {
    let root = tempfile::tempdir().unwrap();
    let all = DasSampleOptions {
        das_tracks: true,
        tracking_lossless: true,
        first_frame_controls: true,
        ..options()
    };
    let finished = make(root.path(), "000007", &all, " A square\n moves. ");
    assert_eq!(
        below(&finished.folder),
        [
            "controls/inverse_depth.png",
            "controls/inverse_depth_16.png",
            "controls/mask.png",
            "controls/normals.png",
            "image.png",
            "prompt.txt",
            "sample.json",
            "shot.json",
            "tracking.mp4",
            "tracking/00000.png",
            "tracking/00001.png",
            "tracking/00002.png",
            "tracks.npy",
            "tracks.npz",
            "video.mp4",
        ]
    );
    assert_eq!(
        finished.files.keys().cloned().collect::<Vec<_>>(),
        below(&finished.folder)
    );
    let flat: Vec<String> = below(root.path())
        .into_iter()
        .filter(|name| !name.starts_with("samples/"))
        .collect();
    assert_eq!(
        flat,
        [
            "controls/000007_inverse_depth.png",
            "controls/000007_inverse_depth_16.png",
            "controls/000007_mask.png",
            "controls/000007_normals.png",
            "images/000007.png",
            "tracking/000007_tracking.mp4",
            "tracks/000007_tracks.npy",
            "tracks/000007_tracks.npz",
            "videos/000007.mp4",
        ]
    );
    assert_eq!(
        read(&finished.folder.join("prompt.txt")),
        "A square moves.\n"
    );
    for name in ["video.mp4", "tracking.mp4"] {
        assert_eq!(
            Mp4Index::read(&finished.folder.join(name))
                .unwrap()
                .frames(),
            3
        );
    }
    let record: DasRecord =
        serde_json::from_str(&read(&finished.folder.join("sample.json"))).unwrap();
    assert_eq!(record.quality, finished.quality);
    assert_eq!(record.quality.points, 64);
    assert!(record.quality.visible_share_at_end > 0.8);
    let again = make(root.path(), "000007", &all, "A square moves.");
    assert_eq!(again.files, finished.files, "the same bytes");
}

#[test]
fn lists_are_derived_from_complete_samples_and_aligned() {
    let root = tempfile::tempdir().unwrap();
    let dataset = root.path();
    for id in ["000010", "000002", "000004"] {
        make(dataset, id, &options(), &format!("Prompt, \"{id}\"."));
    }
    std::fs::remove_file(dataset.join("samples/000004/image.png")).unwrap();
    std::fs::create_dir(dataset.join("samples/.000005.tmp-1")).unwrap();
    let report = index_das(dataset).unwrap();
    assert_eq!(report.samples, 2);
    assert_eq!(report.incomplete, [dataset.join("samples/000004")]);
    assert_eq!(
        read(&dataset.join("prompt.txt")),
        "Prompt, \"000002\".\nPrompt, \"000010\".\n"
    );
    assert_eq!(
        read(&dataset.join("videos.txt")),
        "videos/000002.mp4\nvideos/000010.mp4\n"
    );
    assert_eq!(
        read(&dataset.join("trackings.txt")),
        "tracking/000002_tracking.mp4\ntracking/000010_tracking.mp4\n"
    );
    assert_eq!(
        read(&dataset.join("images.txt")),
        "images/000002.png\nimages/000010.png\n"
    );
    assert_eq!(
        read(&dataset.join("dataset.csv"))
            .lines()
            .next_back()
            .unwrap(),
        "\"Prompt, \"\"000010\"\".\",\"videos/000010.mp4\",\"tracking/000010_tracking.mp4\",\"images/000010.png\""
    );
    // Nothing new: nothing is touched.
    let time = |name: &str| dataset.join(name).metadata().unwrap().modified().unwrap();
    let before = time("videos.txt");
    assert_eq!(index_das(dataset).unwrap(), report);
    assert_eq!(time("videos.txt"), before);
    // A flat name that was lost comes back.
    std::fs::remove_file(dataset.join("videos/000010.mp4")).unwrap();
    index_das(dataset).unwrap();
    assert!(dataset.join("videos/000010.mp4").is_file());
}

#[test]
fn a_writer_that_is_dropped_or_refused_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let shot = shot(3);
    let begin = |id: &str, options: &DasSampleOptions| {
        DasSampleWriter::new(root.path(), id, quads::geometry(&shot), options)
    };
    let mut writer = begin("000001", &options()).unwrap();
    let seen = Analytic(&shot);
    writer.push(&quads::frame(&shot, 0), &seen).unwrap();
    assert!(writer.push(&quads::frame(&shot, 2), &seen).is_err());
    assert!(
        writer
            .finish("x")
            .unwrap_err()
            .to_string()
            .contains("frame 1 of 3")
    );
    let mut writer = begin("000001", &options()).unwrap();
    for index in 0..3 {
        writer.push(&quads::frame(&shot, index), &seen).unwrap();
    }
    assert!(
        writer
            .finish(" \n")
            .unwrap_err()
            .to_string()
            .contains("prompt is empty")
    );
    assert!(begin("a/b", &options()).is_err());
    let coarse = DasSampleOptions {
        tracking_qp: 11,
        ..options()
    };
    assert!(
        begin("000001", &coarse)
            .unwrap_err()
            .to_string()
            .contains("--tracking-qp")
    );
    assert_eq!(below(root.path()), [""; 0]);
    // What a kill leaves is swept, by id.
    for name in [
        "samples/.000001.tmp-9/video.mp4",
        "videos/000001.mp4.tmp-9",
        "controls/000001_mask.png.tmp-9",
        "tracking/000002_tracking.mp4.tmp-9",
    ] {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
    }
    assert_eq!(
        sweep_das(root.path(), |id| id == "000001").unwrap().len(),
        3
    );
    assert_eq!(below(root.path()), ["tracking/000002_tracking.mp4.tmp-9"]);
}

fn ffmpeg_is_there(dataset: &Path) -> bool {
    let path = dataset.join("videos/000000.mp4");
    !matches!(
        VideoReader::open(&path, ReadFormat::Rgb8, &ReadOptions::default()),
        Err(VideoError::ToolMissing { .. })
    )
}

#[test]
fn verification_replays_the_loaders_rules() {
    let root = tempfile::tempdir().unwrap();
    let dataset = root.path();
    let mut journal = Journal::open(dataset, None).unwrap();
    for id in ["000000", "000001"] {
        let finished = make(dataset, id, &options(), "A square moves.");
        let entry = finished.done_entry(7, "cpu", std::collections::BTreeMap::new());
        journal.push_done(&entry).unwrap();
    }
    assert_eq!(read_journals(dataset).unwrap().done.len(), 2);
    index_das(dataset).unwrap();
    if !ffmpeg_is_there(dataset) {
        return;
    }
    let again = |shot: fn(u32) -> Shot| {
        let mut studio = Studio {
            shot,
            open: Arc::new(shot(3)),
        };
        let options = VerifyOptions::default();
        verify_das(dataset, &options, Some(&mut studio), &mut |_, _| ()).unwrap()
    };
    let verify = || again(shot);
    let good = verify();
    assert!(good.is_good(), "{good}");
    assert_eq!(good.rendered, 4);
    for law in [
        das_laws::PLACES,
        das_laws::SEEN,
        das_laws::HITS,
        das_laws::DISTANCES,
        das_laws::TRACK_IDS,
        das_laws::DOTS_MEAN,
        laws::PICTURE,
    ] {
        assert_eq!(good.law(law).unwrap().measured, 4, "{}", law.name);
    }
    // What the samples show is not what this one would show.
    let other = again(|frames| {
        let mut shot = shot(frames);
        if let Track::PerFrame(poses) = &mut shot.objects[1].pose {
            poses.reverse();
        }
        shot
    });
    for law in [das_laws::PLACES, das_laws::DISTANCES] {
        assert!(other.law(law).unwrap().broken > 0, "{other}");
    }
    assert_eq!((good.samples, good.frames), (2, 6));
    assert_eq!(good.law(das_laws::SHORT).unwrap().worst, 46.0);
    assert_eq!(good.warnings.len(), 4, "short and small, twice: {good}");
    assert!(good.to_string().contains("warning: videos/000000.mp4"));

    let broken = |report: &crate::verify::Report, law: crate::verify::Law| {
        report.law(law).is_some_and(|result| result.broken > 0)
    };
    let put = |name: &str, text: &str| {
        diorama_video::fsx::write_atomic(&dataset.join(name), text.as_bytes()).unwrap();
    };
    put("prompt.txt", "A square moves.\n\nA square moves.\n");
    let report = verify();
    assert!(broken(&report, das_laws::LISTS), "{report}");
    assert!(
        report.to_string().contains("prompt.txt, line 2 is blank"),
        "{report}"
    );
    put("prompt.txt", "A square moves.\n");
    assert!(broken(&verify(), das_laws::LISTS));
    put("prompt.txt", &format!("{}\nB.\n", "word ".repeat(200)));
    assert!(broken(&verify(), das_laws::TOKENS));
    put("prompt.txt", "A.\nB.\n");
    put("trackings.txt", "tracking/000000_tracking.mp4\n../x.mp4\n");
    let report = verify();
    assert!(broken(&report, das_laws::LISTED) && report.to_string().contains("leads out"));
    put(
        "trackings.txt",
        "tracking/000000_tracking.mp4\ntracking/000000_tracking.mp4\n",
    );
    assert!(broken(&verify(), das_laws::ONCE));
    std::fs::remove_file(dataset.join("videos.txt")).unwrap();
    assert!(broken(&verify(), das_laws::LISTS));
    index_das(dataset).unwrap();
    assert!(verify().is_good());
    put("samples/000001/prompt.txt", "Something else.\n");
    assert!(broken(&verify(), laws::HASHES));
}

#[test]
fn verification_finds_files_and_lines_of_other_samples() {
    let root = tempfile::tempdir().unwrap();
    let dataset = root.path();
    let mut journal = Journal::open(dataset, None).unwrap();
    let controlled = DasSampleOptions {
        first_frame_controls: true,
        ..options()
    };
    for (id, prompt) in [("000000", "One."), ("000001", "Two \"2\",\"2\"")] {
        let finished = make(dataset, id, &controlled, prompt);
        let entry = finished.done_entry(7, "cpu", std::collections::BTreeMap::new());
        journal.push_done(&entry).unwrap();
    }
    index_das(dataset).unwrap();
    if !ffmpeg_is_there(dataset) {
        return;
    }
    let verify = || {
        let options = VerifyOptions::default();
        verify_das(dataset, &options, None, &mut |_, _| ()).unwrap()
    };
    let broken = |law: crate::verify::Law| verify().law(law).unwrap().broken;
    // Copies of the samples' files, as some file systems and most programs that copy make them, are good.
    let flat: Vec<String> = below(dataset)
        .into_iter()
        .filter(|name| name.contains('/') && !name.starts_with("samples/"))
        .collect();
    let put = |name: &str, bytes: &[u8]| {
        diorama_video::fsx::write_atomic(&dataset.join(name), bytes).unwrap();
    };
    let bytes = |name: &str| std::fs::read(dataset.join(name)).unwrap();
    for name in &flat {
        put(name, &bytes(name));
    }
    assert!(verify().is_good(), "{}", verify());
    // Something else under a name of this sample that is as good in itself, and as long.
    for name in flat.iter().filter(|name| name.contains("000000")) {
        let own = bytes(name);
        let mut other = own.clone();
        *other.last_mut().unwrap() ^= 1;
        put(name, &other);
        let law = if name.starts_with("images/") {
            das_laws::IMAGES
        } else {
            das_laws::OWN
        };
        assert_eq!(broken(law), 1, "{name}");
        assert!(verify().to_string().contains(name.as_str()));
        put(name, &own);
    }
    // A run that lost its journal is looked at as well.
    let tracking = bytes("tracking/000000_tracking.mp4");
    put("tracking/000000_tracking.mp4", &bytes("videos/000001.mp4"));
    std::fs::remove_file(dataset.join("done.jsonl")).unwrap();
    assert_eq!(broken(das_laws::OWN), 1);
    index_das(dataset).unwrap();
    assert_eq!(bytes("tracking/000000_tracking.mp4"), tracking);
    assert!(verify().is_good());

    // Lines that changed places in one list only.
    for list in LISTS {
        let text = read(&dataset.join(list));
        let lines: Vec<&str> = text.lines().collect();
        put(list, format!("{}\n{}\n", lines[1], lines[0]).as_bytes());
        assert!(broken(das_laws::BELONG) >= 2, "{list}");
        put(list, text.as_bytes());
    }
    let csv = read(&dataset.join("dataset.csv"));
    for (from, to) in [
        ("000001_tracking", "000000_tracking"),
        ("\"One.\"", "\"Two \"\"2\"\",\"\"2\"\"\""),
    ] {
        assert!(csv.contains(from), "{csv}");
        put("dataset.csv", csv.replace(from, to).as_bytes());
        assert_eq!(broken(das_laws::BELONG), 1, "{from}");
    }
    put("dataset.csv", csv.as_bytes());
    // Prompts that somebody wrote anew are nobody else's.
    put("prompt.txt", b"Three.\nTwo, better.\n");
    assert!(verify().is_good(), "{}", verify());
}

/// Films a Shot of its own, whatever is asked for.
struct Studio {
    shot: fn(u32) -> Shot,
    open: Arc<Shot>,
}

impl Reshoot for Studio {
    fn open(
        &mut self,
        shot: &Shot,
        _: &BTreeMap<String, serde_json::Value>,
    ) -> Result<ShotGeometry, String> {
        self.open = Arc::new((self.shot)(shot.frame_count));
        Ok(quads::geometry(&self.open))
    }

    fn labels(&mut self, index: u32) -> Result<Frame, String> {
        self.frame(index)
    }

    fn frame(&mut self, index: u32) -> Result<Frame, String> {
        Ok(quads::frame(&self.open, index))
    }

    fn eyes(&self) -> Result<Box<dyn SurfaceVisibility + '_>, String> {
        Ok(Box::new(Analytic(&self.open)))
    }
}

#[test]
fn repainted_first_frames_are_taken_back_by_size_and_stay() {
    let root = tempfile::tempdir().unwrap();
    let dataset = &root.path().join("set");
    for id in ["000000", "000001", "000002", "000003"] {
        make(dataset, id, &options(), "A square moves.");
    }
    let painted = root.path().join("painted");
    std::fs::create_dir(&painted).unwrap();
    let [width, height] = SIZE;
    let paint = |id: &str, width: u32, height: u32| {
        let path = painted.join(format!("{id}.png"));
        let colours = vec![77; (width * height * 3) as usize];
        diorama_video::write_png_rgb8(&path, width, height, &colours).unwrap();
        path
    };
    let good = paint("000000", width, height);
    paint("000001", width, height + 1);
    let torn = paint("000002", width, height);
    let bytes = std::fs::read(&torn).unwrap();
    diorama_video::fsx::write_atomic(&torn, &bytes[..bytes.len() / 2]).unwrap();

    let report = take_repainted(dataset, &painted).unwrap();
    assert_eq!(report.taken, ["000000"]);
    assert_eq!(report.missing, ["000003"]);
    let reasons: Vec<&str> = report.refused.iter().map(|(_, r)| r.as_str()).collect();
    assert!(reasons[0].contains("64x49, the video 64x48"), "{reasons:?}");
    assert!(reasons[1].contains("000002.png"), "{reasons:?}");
    let shown = |id: &str| std::fs::read(dataset.join(format!("images/{id}.png"))).unwrap();
    assert_eq!(shown("000000"), std::fs::read(&good).unwrap());
    // Lists, a sample made again and a second index keep it; the sample itself is what was rendered.
    index_das(dataset).unwrap();
    let remade = make(dataset, "000000", &options(), "A square moves.");
    assert_eq!(shown("000000"), std::fs::read(&good).unwrap());
    assert_ne!(
        shown("000000"),
        std::fs::read(remade.folder.join("image.png")).unwrap()
    );
    assert_eq!(
        shown("000001"),
        std::fs::read(dataset.join("samples/000001/image.png")).unwrap()
    );
    assert_eq!(take_repainted(dataset, &painted).unwrap(), report);
    assert!(take_repainted(dataset, &root.path().join("nowhere")).is_err());
}

#[test]
fn merging_keeps_ratios_and_alignment() {
    let root = tempfile::tempdir().unwrap();
    let [a, b, all] = ["a", "b", "all"].map(|name| root.path().join(name));
    for i in 0..4 {
        make(&a, &format!("{i:06}"), &options(), &format!("A {i}."));
    }
    make(&b, "000000", &options(), "B 0.");
    index_das(&a).unwrap();
    index_das(&b).unwrap();
    let source = |folder: &Path, ratio| DasSource {
        folder: folder.to_owned(),
        ratio,
    };
    let sources = [source(&a, Some(2.0)), source(&b, Some(1.0))];
    let report = merge_das(&sources, &all, MergeMode::Link).unwrap();
    assert_eq!(
        report,
        DasMergeReport {
            taken: vec![2, 1],
            available: vec![4, 1]
        }
    );
    assert_eq!(read(&all.join("prompt.txt")), "A 0.\nB 0.\nA 2.\n");
    assert_eq!(
        read(&all.join("videos.txt")),
        "videos/000000.mp4\nvideos/000001.mp4\nvideos/000002.mp4\n"
    );
    let same = |x: &Path, y: &Path| std::fs::read(x).unwrap() == std::fs::read(y).unwrap();
    assert!(same(
        &all.join("tracking/000002_tracking.mp4"),
        &a.join("tracking/000002_tracking.mp4")
    ));
    assert!(same(
        &all.join("tracks/000001_tracks.npz"),
        &b.join("tracks/000000_tracks.npz")
    ));
    assert!(read(&all.join("sources.csv")).contains("videos/000000.mp4"));
    assert!(read(&all.join("ATTRIBUTION.md")).contains("# From b"));
    let sums: BTreeMap<String, String> =
        serde_json::from_str(&read(&all.join("checksums.json"))).unwrap();
    let found = crate::sample::hash_files(&all).unwrap();
    assert!(sums.keys().any(|name| name == "tracks/000001_tracks.npz"));
    assert!(
        sums.iter()
            .all(|(name, hash)| found.get(name) == Some(hash))
    );
    for changed in ["prompt.txt", "dataset.csv", "ATTRIBUTION.md"] {
        assert!(!sums.contains_key(changed), "{changed} may be edited");
    }
    assert!(
        merge_das(&sources, &all, MergeMode::Copy).is_err(),
        "not empty"
    );
    // A file that became another one is found.
    let verdict = || verify_das(&all, &VerifyOptions::default(), None, &mut |_, _| {}).unwrap();
    assert!(verdict().is_good(), "{}", verdict());
    let exchanged = all.join("tracks/000000_tracks.npz");
    let whole = std::fs::read(&exchanged).unwrap();
    diorama_video::fsx::write_atomic(&exchanged, &whole[1..]).unwrap();
    assert!(!verdict().is_good());
    assert!(verdict().to_string().contains("tracks/000000_tracks.npz"));
    diorama_video::fsx::write_atomic(&exchanged, &whole).unwrap();
    // Its lists cannot be made again.
    let before = below(&all);
    let error = index_das(&all).unwrap_err().to_string();
    assert!(error.contains("no samples/"), "{error}");
    assert_eq!(below(&all), before);
    assert_eq!(read(&all.join("prompt.txt")), "A 0.\nB 0.\nA 2.\n");
    // Where one has a ratio, the others have 1.
    for (ratio, expected) in [
        (2.0, Some([2, 1])),
        (3.5, Some([3, 1])),
        (0.3, None),
        (9.0, None),
    ] {
        let output = root.path().join(format!("of-{ratio}"));
        let sources = [source(&a, Some(ratio)), source(&b, None)];
        let merged = merge_das(&sources, &output, MergeMode::Link);
        assert_eq!(merged.is_ok(), output.exists(), "{ratio}");
        match (merged, expected) {
            (Ok(report), Some(expected)) => assert_eq!(report.taken, expected, "{ratio}"),
            (Err(error), None) => assert!(error.to_string().contains("nothing of"), "{error}"),
            (merged, _) => panic!("{ratio}: {merged:?}"),
        }
    }
    let everything = [source(&a, None), source(&b, None)];
    let copied = root.path().join("copied");
    let report = merge_das(&everything, &copied, MergeMode::Copy).unwrap();
    assert_eq!(report.taken, [4, 1]);
    diorama_video::fsx::write_atomic(&a.join("prompt.txt"), b"one\n").unwrap();
    let error = merge_das(&everything, &root.path().join("c"), MergeMode::Link).unwrap_err();
    assert!(error.to_string().contains("not aligned"), "{error}");
    assert!(!root.path().join("c").exists());
}

/// Mean and 99th percentile of what a decoded tracking video is off, over the pixels that `is_in`
/// picks in each frame.
fn loss(
    rule: TrackingRule,
    size: [u32; 2],
    qp: u8,
    is_in: impl Fn(&[[u8; 3]], usize) -> bool,
) -> Option<(f64, f64)> {
    let mut shot = quads::empty(size, 6);
    quads::add(&mut shot, [9.0, 9.0], |f| Vec3::new(0.02 * f, 7.0, 0.0));
    quads::add(&mut shot, [0.6, 0.7], |f| {
        Vec3::new(-0.6 + 0.03 * f, 4.0, 0.1)
    });
    quads::add(&mut shot, [0.4, 0.5], |f| {
        Vec3::new(0.9, 5.0 - 0.05 * f, -0.4)
    });
    let options = TrackingOptions {
        rule,
        ..TrackingOptions::default()
    };
    let mut tracker = Tracker::new(quads::geometry(&shot), options, false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracking.mp4");
    let video = diorama_video::ColorVideoOptions {
        width: size[0],
        height: size[1],
        fps: 24.0,
        qp,
        encoder: diorama_video::Encoder::Embedded,
    };
    let mut writer = diorama_video::ColorVideoWriter::create(&path, &video).unwrap();
    let mut pictures = Vec::new();
    for index in 0..shot.frame_count {
        let tracked = tracker
            .frame(&quads::frame(&shot, index), &Analytic(&shot))
            .unwrap();
        writer.push(tracked.picture.data.as_flattened()).unwrap();
        pictures.push(tracked.picture.data);
    }
    writer.finish().unwrap();
    let reader = match VideoReader::open(&path, ReadFormat::Rgb8, &ReadOptions::default()) {
        Err(VideoError::ToolMissing { .. }) => return None,
        opened => opened.unwrap(),
    };
    let mut off: Vec<u8> = Vec::new();
    for (decoded, picture) in reader.zip(&pictures) {
        let decoded = decoded.unwrap();
        for (i, (found, truth)) in decoded.data.chunks_exact(3).zip(picture).enumerate() {
            if is_in(picture, i) {
                off.extend((0..3).map(|c| found[c].abs_diff(truth[c])));
            }
        }
    }
    off.sort_unstable();
    let mean = off.iter().map(|v| f64::from(*v)).sum::<f64>() / off.len() as f64;
    Some((mean, f64::from(off[off.len() * 99 / 100])))
}

/// Are all pixels within 4 px of nearly the same colour? A colour sample of 4:2:0 covers 2×2 pixels and
/// a block of the transform 8×8.
fn is_away_from_edges(picture: &[[u8; 3]], width: usize, i: usize) -> bool {
    let (x, y) = (i % width, i / width);
    let height = picture.len() / width;
    let (x0, x1) = (x.saturating_sub(4), (x + 4).min(width - 1));
    let (y0, y1) = (y.saturating_sub(4), (y + 4).min(height - 1));
    (y0..=y1).all(|row| {
        picture[row * width + x0..=row * width + x1]
            .iter()
            .all(|c| (0..3).all(|k| c[k].abs_diff(picture[i][k]) <= 24))
    })
}

#[test]
fn das_dense_survives_the_encoder_away_from_colour_edges() {
    let size = [256, 176];
    let away = |picture: &[[u8; 3]], i: usize| is_away_from_edges(picture, 256, i);
    for qp in [6, TRACKING_QP_LIMIT] {
        if let Some((mean, p99)) = loss(TrackingRule::DasDense, size, qp, away) {
            assert!(mean <= 1.5 && p99 <= 5.0, "at {qp}: mean {mean}, p99 {p99}");
        }
    }
}

#[test]
fn the_loss_of_dots_is_what_the_documentation_says() {
    let coloured = |picture: &[[u8; 3]], i: usize| picture[i] != [0; 3];
    for qp in [0, 6, TRACKING_QP_LIMIT] {
        if let Some((mean, p99)) = loss(TrackingRule::Das, [720, 480], qp, coloured) {
            assert!(
                mean < 12.5 && p99 <= 100.0,
                "at {qp}: mean {mean}, p99 {p99}"
            );
        }
    }
}
