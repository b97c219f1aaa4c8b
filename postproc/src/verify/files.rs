//! Laws on the files of one of our samples: presence, hashes, JSON, captions.

use std::path::Path;

use diorama_synth::shot::Shot;

use super::report::{SampleFindings, laws};
use crate::camera;
use crate::caption::Captions;
use crate::dataset::DoneEntry;
use crate::sample::hash_files;
use crate::sample_json::{FrameRecord, PairKind, SampleJson};
use crate::tuple::{Fate, Tuple};

/// Files of every sample; counterfactual pairs have one more.
const FILES: [&str; 9] = [
    "rgb_full.mp4",
    "rgb_removed.mp4",
    "mask.mp4",
    "tuple.mp4",
    "effect.mp4",
    "effect_mask.mp4",
    "shot.json",
    "sample.json",
    "caption.json",
];

/// A JSON file of a sample as text.
fn read(folder: &Path, name: &str) -> Result<String, String> {
    std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
}

/// Reads sample.json; what is wrong with it is a finding.
pub(super) fn read_sample(folder: &Path, findings: &mut SampleFindings) -> Option<SampleJson> {
    let sample = read(folder, "sample.json")
        .and_then(|text| SampleJson::from_json(&text).map_err(|e| format!("sample.json: {e}")));
    match sample {
        Ok(sample) => Some(sample),
        Err(reason) => {
            findings.check(laws::SAMPLE, Some(reason));
            None
        }
    }
}

/// Reads shot.json; what is wrong with it is a finding.
pub(super) fn read_shot(folder: &Path, findings: &mut SampleFindings) -> Option<Shot> {
    let shot = read(folder, "shot.json")
        .and_then(|text| Shot::from_json(&text).map_err(|e| format!("shot.json: {e}")));
    findings.check(laws::SHOT, shot.as_ref().err().cloned());
    shot.ok()
}

/// Every file there, none empty; equal to what the journal says.
pub(super) fn check_files(
    folder: &Path,
    sample: &SampleJson,
    journal: Option<&DoneEntry>,
    findings: &mut SampleFindings,
) {
    let removed = (sample.pair == PairKind::Counterfactual).then_some("mask_removed.mp4");
    for name in FILES.into_iter().chain(removed) {
        let there = std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0);
        findings.check(
            laws::FILES,
            (!there).then(|| format!("{name} is missing or empty")),
        );
    }
    if !sample.passes.is_empty() {
        for frame in 0..sample.frame_count {
            let name = format!("passes/{frame:05}.exr");
            let there = folder.join(&name).is_file();
            findings.check(laws::FILES, (!there).then(|| format!("{name} is missing")));
        }
    }
    let Some(journal) = journal else { return };
    let found = match hash_files(folder) {
        Ok(found) => found,
        Err(error) => {
            findings.check(laws::HASHES, Some(error.to_string()));
            return;
        }
    };
    for (name, hash) in &journal.files {
        let fault = match found.get(name) {
            Some(other) if other == hash => None,
            Some(_) => Some(format!("{name} is not the file that was journalled")),
            None => Some(format!("{name} is missing")),
        };
        findings.check(laws::HASHES, fault);
    }
}

/// What sample.json says must be what shot.json says. Returns the tuple of the sample.
pub(super) fn check_sample(
    shot: &Shot,
    sample: &SampleJson,
    findings: &mut SampleFindings,
) -> Option<Tuple> {
    let tuple = Tuple::all(shot)
        .ok()
        .and_then(|all| all.into_iter().find(|t| t.sample_id == sample.id));
    let Some(tuple) = tuple else {
        let words = format!("shot.json holds no pair called `{}`", sample.id);
        findings.check(laws::SAMPLE, Some(words));
        return None;
    };
    let mut agree = |is_good: bool, words: &dyn Fn() -> String| {
        findings.check(laws::SAMPLE, (!is_good).then(words));
    };
    agree(sample.frame_count == shot.frame_count, &|| {
        "frame_count differs".into()
    });
    agree(sample.resolution == shot.resolution, &|| {
        "resolution differs".into()
    });
    agree(sample.seed == shot.seed, &|| "seed differs".into());
    agree(sample.video_fps == shot.video_fps, &|| {
        "video_fps differs".into()
    });
    let roles: Vec<(u32, Fate)> = sample.objects.iter().map(|o| (o.id, o.role)).collect();
    let expected: Vec<(u32, Fate)> = shot
        .objects
        .iter()
        .map(|o| o.id)
        .zip(tuple.fates.iter().copied())
        .collect();
    agree(roles == expected, &|| {
        "objects or their roles differ".into()
    });
    agree(sample.frames.len() == sample.frame_count as usize, &|| {
        format!(
            "{} frame records for {} frames",
            sample.frames.len(),
            sample.frame_count
        )
    });
    for (index, record) in sample.frames.iter().enumerate() {
        if let Some(words) = record_fault(shot, index as u32, record) {
            agree(false, &|| format!("frame {index}: {words}"));
        }
    }
    Some(tuple)
}

/// What a frame record says otherwise than the Shot.
fn record_fault(shot: &Shot, index: u32, record: &FrameRecord) -> Option<String> {
    if record.frame != index {
        return Some(format!("the record is numbered {}", record.frame));
    }
    let frame = i64::from(index);
    if record.cameras.len() != shot.cameras.len() {
        return Some("the number of cameras differs".into());
    }
    for (camera, found) in shot.cameras.iter().zip(&record.cameras) {
        let expected = camera::record(camera, frame, shot.resolution);
        let values = |c: &camera::CameraRecord| -> Vec<f64> {
            let matrices = [c.world_from_camera, c.world_from_camera_opencv];
            let poses = matrices.into_iter().flatten().flatten();
            let k = [c.k, c.k_opencv].into_iter().flatten().flatten();
            poses.chain(k).collect()
        };
        let is_near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
        if !values(&expected)
            .into_iter()
            .zip(values(found))
            .all(is_near)
        {
            return Some(format!("camera `{}` differs", camera.name));
        }
    }
    for object in &record.objects {
        let Some(known) = shot.object(object.id) else {
            return Some(format!("object {} is not in the shot", object.id));
        };
        let pose = known.pose.at(frame);
        if pose.position.to_array() != object.position
            || pose.rotation.to_array() != object.rotation_xyzw
        {
            return Some(format!("the pose of object {} differs", object.id));
        }
        if object.visible_pixels > object.amodal_pixels {
            return Some(format!(
                "object {} shows more than all of itself",
                object.id
            ));
        }
    }
    None
}

/// Captions keep their rules.
pub(super) fn check_captions(folder: &Path, sample: &SampleJson, findings: &mut SampleFindings) {
    let captions = read(folder, "caption.json").and_then(|text| {
        serde_json::from_str::<Captions>(&text).map_err(|e| format!("caption.json: {e}"))
    });
    let captions = match captions {
        Ok(captions) => captions,
        Err(reason) => return findings.check(laws::CAPTIONS, Some(reason)),
    };
    let nouns = |pick: &dyn Fn(&crate::sample_json::ObjectRecord) -> bool| -> Vec<String> {
        sample
            .objects
            .iter()
            .filter(|object| pick(object))
            .map(|object| object.noun.clone())
            .collect()
    };
    let removed = nouns(&|object| object.role == Fate::Remove);
    let seen = nouns(&|object| object.in_captions);
    let faults = captions.faults(&removed, &seen);
    if faults.is_empty() {
        findings.check(laws::CAPTIONS, None);
    }
    for fault in faults {
        findings.check(laws::CAPTIONS, Some(fault));
    }
}
