//! Laws on the decoded videos of a sample, ours or another tool's.

use std::collections::BTreeMap;
use std::path::Path;

use diorama_video::{Mp4Index, ReadFormat, ReadOptions, VideoError, VideoFrame, VideoReader};

use super::levels::LevelDifferences;
use super::rendered::{Expected, MARGIN_PX, box_distance};
use super::report::{Law, SampleFindings, laws};
use crate::effect::{box_of, count as count_pixels};
use crate::error::Result;
use crate::mask::{self, BACKGROUND, KEEP, MaskMode, MaskRule, REMOVE};
use crate::sample_json::{FrameRecord, SampleJson};
use crate::tuple::Fate;

/// The decoded streams of a sample, read in step.
struct Streams {
    full: Stream,
    removed: Stream,
    mask: Stream,
    /// Ours only.
    effect_mask: Option<Stream>,
}

/// One video being decoded.
struct Stream {
    name: &'static str,
    reader: Option<VideoReader>,
    frames: u64,
    size: Option<(u32, u32)>,
}

impl Stream {
    /// Opens a video. What is wrong with the file is a finding; that ffmpeg is missing is an error.
    fn open(
        folder: &Path,
        name: &'static str,
        format: ReadFormat,
        options: &ReadOptions,
        findings: &mut SampleFindings,
    ) -> Result<Self> {
        let reader = match VideoReader::open(&folder.join(name), format, options) {
            Ok(reader) => Some(reader),
            Err(error @ VideoError::ToolMissing { .. }) => return Err(error.into()),
            Err(error) => {
                findings.check(laws::DECODES, Some(error.to_string()));
                None
            }
        };
        Ok(Self {
            name,
            reader,
            frames: 0,
            size: None,
        })
    }

    /// The next frame; `None` at the end or after damage, which is a finding.
    fn next(&mut self, findings: &mut SampleFindings) -> Option<VideoFrame> {
        match self.reader.as_mut()?.next() {
            Some(Ok(frame)) => {
                self.frames += 1;
                self.size.get_or_insert((frame.width, frame.height));
                Some(frame)
            }
            Some(Err(error)) => {
                findings.check(laws::DECODES, Some(error.to_string()));
                self.reader = None;
                None
            }
            None => {
                findings.check(laws::DECODES, None);
                self.reader = None;
                None
            }
        }
    }
}

/// Decodes a sample whole and measures it; `sample` and `expected` are there for our own samples.
/// Returns the number of frames of rgb_full.
pub(super) fn check(
    folder: &Path,
    sample: Option<&SampleJson>,
    expected: &BTreeMap<u32, Expected>,
    read: &ReadOptions,
    findings: &mut SampleFindings,
) -> Result<u64> {
    if let Some(sample) = sample {
        check_indices(folder, sample, findings);
    }
    let mut open = |name, format| Stream::open(folder, name, format, read, findings);
    let mut streams = Streams {
        full: open("rgb_full.mp4", ReadFormat::Rgb8)?,
        removed: open("rgb_removed.mp4", ReadFormat::Rgb8)?,
        mask: open("mask.mp4", ReadFormat::Gray8)?,
        effect_mask: sample
            .is_some()
            .then(|| open("effect_mask.mp4", ReadFormat::Gray8))
            .transpose()?,
    };
    let mut index = 0u32;
    loop {
        let full = streams.full.next(findings);
        let removed = streams.removed.next(findings);
        let mask = streams.mask.next(findings);
        let effect_mask = streams.effect_mask.as_mut().and_then(|s| s.next(findings));
        if full.is_none() && removed.is_none() && mask.is_none() && effect_mask.is_none() {
            break;
        }
        let frame = DecodedFrame {
            index,
            full: full.as_ref(),
            removed: removed.as_ref(),
            mask: mask.as_ref(),
            effect_mask: effect_mask.as_ref(),
        };
        match sample {
            Some(sample) => frame.check_ours(sample, expected.get(&index), findings),
            None => frame.check_foreign(findings),
        }
        index += 1;
    }

    let all = [
        Some(&streams.full),
        Some(&streams.removed),
        Some(&streams.mask),
        streams.effect_mask.as_ref(),
    ];
    let frames = sample.map_or(streams.full.frames, |s| u64::from(s.frame_count));
    let size = sample.map_or(streams.full.size, |s| Some(s.resolution.into()));
    for stream in all.into_iter().flatten() {
        count(stream.name, stream.frames, frames, findings);
        if let Some(found) = stream.size {
            compare_size(stream.name, found, size.unwrap_or(found), findings);
        }
    }
    Ok(streams.full.frames)
}

fn count(name: &str, found: u64, expected: u64, findings: &mut SampleFindings) {
    if found == expected {
        findings.measure(laws::COUNTS, None, 0.0);
    } else {
        findings.check_with(
            laws::COUNTS,
            found.abs_diff(expected) as f64,
            format!("{name} has {found} frames instead of {expected}"),
        );
    }
}

fn compare_size(
    name: &str,
    found: (u32, u32),
    expected: (u32, u32),
    findings: &mut SampleFindings,
) {
    let fault = (found != expected).then(|| {
        format!(
            "{name} is {}x{} instead of {}x{}",
            found.0, found.1, expected.0, expected.1
        )
    });
    findings.check(laws::SIZES, fault);
}

/// Counts, sizes and rates that the files state, of every video of one of our samples.
fn check_indices(folder: &Path, sample: &SampleJson, findings: &mut SampleFindings) {
    let [width, height] = sample.resolution;
    let names = [
        "rgb_full",
        "rgb_removed",
        "mask",
        "effect",
        "effect_mask",
        "tuple",
    ];
    for name in names {
        let name = format!("{name}.mp4");
        let video = match Mp4Index::read(&folder.join(&name)) {
            Ok(video) => video,
            Err(error) => {
                findings.check(laws::DECODES, Some(error.to_string()));
                continue;
            }
        };
        count(
            &name,
            video.frames(),
            u64::from(sample.frame_count),
            findings,
        );
        let expected = (
            if name == "tuple.mp4" {
                width * 3
            } else {
                width
            },
            height,
        );
        compare_size(&name, (video.width, video.height), expected, findings);
        findings.measure(
            laws::RATES,
            None,
            (video.rate.fps() - sample.video_fps).abs(),
        );
    }
}

/// The pictures of one moment; what a shorter or damaged video lacks is `None`.
struct DecodedFrame<'a> {
    index: u32,
    full: Option<&'a VideoFrame>,
    removed: Option<&'a VideoFrame>,
    mask: Option<&'a VideoFrame>,
    effect_mask: Option<&'a VideoFrame>,
}

impl DecodedFrame<'_> {
    fn check_ours(
        &self,
        sample: &SampleJson,
        expected: Option<&Expected>,
        findings: &mut SampleFindings,
    ) {
        let at = Some(self.index);
        let fits = |frame: &&VideoFrame| [frame.width, frame.height] == sample.resolution;
        let (full, removed) = (self.full.filter(fits), self.removed.filter(fits));
        let (mask, effect_mask) = (self.mask.filter(fits), self.effect_mask.filter(fits));
        if let Some(mask) = mask {
            let levels: &[u8] = match sample.mask.mode {
                MaskMode::Trimask => &[REMOVE, BACKGROUND, KEEP],
                MaskMode::Binary => &[REMOVE, KEEP],
            };
            findings.measure(laws::MASK_LEVELS, at, off_levels(&mask.data, levels) as f64);
            if let Some(record) = sample.frames.get(self.index as usize) {
                check_record(sample, record, mask, findings);
            }
        }
        if let Some(effect_mask) = effect_mask {
            let off = off_levels(&effect_mask.data, &[0, 255]);
            findings.measure(laws::EFFECT_LEVELS, at, off as f64);
        }
        if let (Some(full), Some(removed)) = (full, removed) {
            if let Some(expected) = expected {
                let far = |pixel: usize| !expected.near_touched[pixel];
                let pair = LevelDifferences::between(&full.data, &removed.data, far);
                measure_levels(&pair, (laws::PAIR_MEAN, laws::PAIR_P99), at, findings);
                for (decoded, truth) in [(full, &expected.full), (removed, &expected.removed)] {
                    let all = LevelDifferences::of_luma(&decoded.data, truth);
                    findings.measure(laws::PICTURE, at, all.mean().unwrap_or(0.0));
                }
            }
            if let (Some(mask), Some(effect_mask)) = (mask, effect_mask) {
                let changed: Vec<bool> = mask
                    .data
                    .iter()
                    .zip(&effect_mask.data)
                    .map(|(mask, effect)| *mask < 64 || *effect > 127)
                    .collect();
                measure_away(full, removed, &changed, at, findings);
            }
        }
        if let Some(expected) = expected {
            for (decoded, truth, law) in [
                (mask, &expected.mask, laws::MASK_IDS),
                (effect_mask, &expected.effect_mask, laws::EFFECT_MASK),
            ] {
                if let Some(decoded) = decoded {
                    let unequal = decoded
                        .data
                        .iter()
                        .zip(truth)
                        .filter(|(a, b)| a != b)
                        .count();
                    findings.measure(law, at, unequal as f64);
                }
            }
        }
    }

    fn check_foreign(&self, findings: &mut SampleFindings) {
        let at = Some(self.index);
        let Some(mask) = self.mask else { return };
        // 0.5 is written as 127 or 128.
        let off = off_levels(&mask.data, &[0, 127, 128, 255]);
        let share = off as f64 / mask.data.len().max(1) as f64;
        findings.measure(laws::FOREIGN_LEVELS, at, share);
        if let (Some(full), Some(removed)) = (self.full, self.removed) {
            let size = |frame: &VideoFrame| (frame.width, frame.height);
            if size(full) == size(removed) && size(full) == size(mask) {
                // Snapped as training does (section 7 of the trainer's reader): up to 63 is remove.
                let changed: Vec<bool> = mask.data.iter().map(|value| *value < 64).collect();
                measure_away(full, removed, &changed, at, findings);
            }
        }
    }
}

fn measure_away(
    full: &VideoFrame,
    removed: &VideoFrame,
    changed: &[bool],
    at: Option<u32>,
    findings: &mut SampleFindings,
) {
    let near = mask::within(changed, full.width, full.height, MARGIN_PX, |changed| {
        changed
    });
    let away = LevelDifferences::between(&full.data, &removed.data, |pixel| !near[pixel]);
    measure_levels(&away, (laws::AWAY_MEAN, laws::AWAY_P99), at, findings);
}

fn measure_levels(
    levels: &LevelDifferences,
    (mean, p99): (Law, Law),
    at: Option<u32>,
    findings: &mut SampleFindings,
) {
    // Where everything is touched there is nothing to compare.
    if let (Some(mean_level), Some(p99_level)) = (levels.mean(), levels.percentile(0.99)) {
        findings.measure(mean, at, mean_level);
        findings.measure(p99, at, p99_level);
    }
}

fn off_levels(values: &[u8], levels: &[u8]) -> usize {
    values
        .iter()
        .filter(|value| !levels.contains(value))
        .count()
}

/// Boxes and areas of sample.json against the decoded mask. They are of first surfaces at pixel
/// centres; under the coverage rule, and through glass, nothing exact can be said.
fn check_record(
    sample: &SampleJson,
    record: &FrameRecord,
    mask: &VideoFrame,
    findings: &mut SampleFindings,
) {
    if sample.mask.rule != MaskRule::Centre || sample.mask.through_glass {
        return;
    }
    let grow = sample.mask.dilate_px;
    let mut regions = vec![(Fate::Remove, REMOVE)];
    // A grown remove region eats into what is kept; a binary mask does not tell kept things apart.
    if sample.mask.mode == MaskMode::Trimask && grow == 0 {
        regions.push((Fate::Keep, KEEP));
    }
    let at = Some(record.frame);
    for (fate, level) in regions {
        let of_fate = record.objects.iter().filter(|object| {
            sample
                .objects
                .iter()
                .any(|known| known.id == object.id && known.role == fate)
        });
        let mut union: Option<[u32; 4]> = None;
        let mut pixels = 0u64;
        for object in of_fate {
            pixels += u64::from(object.visible_pixels);
            union = match (union, object.box_2d) {
                (Some(a), Some(b)) => Some([
                    a[0].min(b[0]),
                    a[1].min(b[1]),
                    a[2].max(b[2]),
                    a[3].max(b[3]),
                ]),
                (a, b) => a.or(b),
            };
        }
        let [width, height] = sample.resolution;
        let grown = union.map(|b| {
            [
                b[0].saturating_sub(grow),
                b[1].saturating_sub(grow),
                b[2].saturating_add(grow).min(width),
                b[3].saturating_add(grow).min(height),
            ]
        });
        let seen = box_of(&mask.data, mask.width, |value| value == level);
        let distance = box_distance(seen, grown, sample.resolution);
        findings.measure(laws::BOXES, at, f64::from(distance));
        if grow == 0 {
            let area = count_pixels(&mask.data, |value| value == level) as u64;
            findings.measure(laws::AREAS, at, area.abs_diff(pixels) as f64);
        }
    }
}
