//! What verification found: the worst residual of each law, and the faults.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// Something a dataset is measured by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// In words.
    pub name: &'static str,
    /// Of the residual.
    pub unit: &'static str,
    /// Largest residual that keeps the law; `None`: a figure that is only reported.
    pub limit: Option<f64>,
}

impl Law {
    pub(super) const fn limited(name: &'static str, unit: &'static str, limit: f64) -> Self {
        Self {
            name,
            unit,
            limit: Some(limit),
        }
    }

    pub(super) const fn figure(name: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            unit,
            limit: None,
        }
    }
}

/// The laws, in the order of the report.
pub mod laws {
    use super::Law;

    /// Every file of a sample is there and not empty.
    pub const FILES: Law = Law::limited("files present", "files missing", 0.0);
    /// The journal's blake3 of each file.
    pub const HASHES: Law = Law::limited("files against journal", "files that differ", 0.0);
    /// shot.json reads and keeps its documented ranges.
    pub const SHOT: Law = Law::limited("shot.json is valid", "faults", 0.0);
    /// sample.json reads and says what shot.json says.
    pub const SAMPLE: Law = Law::limited("sample.json against shot.json", "disagreements", 0.0);
    /// Lengths of captions, and no removed object named.
    pub const CAPTIONS: Law = Law::limited("caption rules", "broken rules", 0.0);
    /// Every video decodes.
    pub const DECODES: Law = Law::limited("videos decode", "videos that do not", 0.0);
    /// Every video of a sample has the same number of frames.
    pub const COUNTS: Law = Law::limited("frame counts", "frames too many or too few", 0.0);
    /// Every video has the size of the sample (tuple.mp4 three times as wide).
    pub const SIZES: Law = Law::limited("picture sizes", "videos of another size", 0.0);
    /// Every video has the rate that sample.json states.
    pub const RATES: Law = Law::limited("frame rates", "frames per second off", 0.001);
    /// The decoded mask has no value but 0, 128 and 255 (binary: 0 and 255).
    pub const MASK_LEVELS: Law = Law::limited("mask levels", "pixels off the levels", 0.0);
    /// The decoded effect mask has no value but 0 and 255.
    pub const EFFECT_LEVELS: Law = Law::limited("effect mask levels", "pixels off the levels", 0.0);
    /// Boxes of sample.json around the regions of the decoded mask.
    pub const BOXES: Law = Law::limited("2D boxes against mask", "pixels", 0.0);
    /// Visible pixels of sample.json against the areas of the decoded mask.
    pub const AREAS: Law = Law::limited("visible pixels against mask", "pixels", 0.0);
    /// Untouched pixels are equal bit for bit in linear radiance.
    pub const LINEAR_PAIR: Law =
        Law::limited("linear pair where untouched", "pixels that differ", 0.0);
    /// Finished 8-bit frames before the codec, away from touched pixels.
    pub const FINISHED_PAIR: Law =
        Law::figure("finished pair over 8 px from touched", "pixels that differ");
    /// Decoded pair, more than 8 px from a touched pixel.
    pub const PAIR_MEAN: Law =
        Law::limited("decoded pair over 8 px from touched, mean", "levels", 0.5);
    /// The same, 99th percentile.
    pub const PAIR_P99: Law =
        Law::limited("decoded pair over 8 px from touched, p99", "levels", 3.0);
    /// Luma of decoded pictures against the frames rendered again.
    pub const PICTURE: Law = Law::limited("decoded luma against re-render, mean", "levels", 2.0);
    /// The decoded mask against the ids rendered again.
    pub const MASK_IDS: Law = Law::limited("mask against ids", "pixels that differ", 0.0);
    /// The decoded effect mask against the frames rendered again.
    pub const EFFECT_MASK: Law =
        Law::limited("effect mask against re-render", "pixels that differ", 0.0);
    /// Boxes of sample.json around the ids rendered again.
    pub const BOX_IDS: Law = Law::limited("2D boxes against ids", "pixels", 0.0);
    /// Flow against what poses, camera and depth say, both directions, worst pixel.
    pub const FLOW: Law = Law::limited("flow against pose and depth", "px", 0.05);
    /// Unoccluded points that the flow takes onto another object.
    pub const TRACK: Law = Law::limited("flow against ids", "share of points", 0.01);
    /// Forward flow and the backward flow found there cancel, 99th percentile.
    pub const ROUND_TRIP: Law = Law::limited("flow there and back, p99", "px", 1.0);
    /// A frame could not be rendered again.
    pub const RENDERS: Law = Law::limited("frames render again", "failures", 0.0);
    /// Decoded pair away from removed objects and their visible effect; nothing is known of touch.
    pub const AWAY_MEAN: Law = Law::figure(
        "decoded pair over 8 px from mask and effect, mean",
        "levels",
    );
    /// The same, 99th percentile.
    pub const AWAY_P99: Law =
        Law::figure("decoded pair over 8 px from mask and effect, p99", "levels");
    /// Other people's masks: share of pixels that are none of 0, 127, 128 and 255.
    pub const FOREIGN_LEVELS: Law = Law::figure("foreign mask off its levels", "share of pixels");

    /// All of them.
    pub const ALL: [Law; 28] = [
        FILES,
        HASHES,
        SHOT,
        SAMPLE,
        CAPTIONS,
        DECODES,
        COUNTS,
        SIZES,
        RATES,
        MASK_LEVELS,
        EFFECT_LEVELS,
        BOXES,
        AREAS,
        RENDERS,
        LINEAR_PAIR,
        FINISHED_PAIR,
        PAIR_MEAN,
        PAIR_P99,
        PICTURE,
        MASK_IDS,
        EFFECT_MASK,
        BOX_IDS,
        FLOW,
        TRACK,
        ROUND_TRIP,
        AWAY_MEAN,
        AWAY_P99,
        FOREIGN_LEVELS,
    ];
}

/// The residuals of one law over a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LawResult {
    /// The law in words.
    pub law: &'static str,
    /// Largest residual (a NaN counts as infinity).
    #[serde(serialize_with = "finite_or_text")]
    pub worst: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Largest residual that keeps the law; null: only reported.
    pub limit: Option<f64>,
    /// Where the worst was: sample, and frame where it is about one.
    pub at: String,
    /// Times it was measured.
    pub measured: u64,
    /// Times it was broken.
    pub broken: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn finite_or_text<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(*value)
    } else {
        serializer.serialize_str("infinite")
    }
}

/// A law broken by a sample; one per sample and law, about its worst frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Sample id, or the folder's name.
    pub sample: String,
    /// The law in words.
    pub law: &'static str,
    /// What was found.
    pub message: String,
}

/// What [`super::verify`] found. `Display` is the text for people, `Serialize` the one for programs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// Sample folders looked at.
    pub samples: u64,
    /// Those without sample.json: made by another tool, so that most laws are only reported.
    pub foreign: u64,
    /// Frames decoded.
    pub frames: u64,
    /// Frames rendered again.
    pub rendered: u64,
    /// Every law that was measured.
    pub laws: Vec<LawResult>,
    /// What is broken.
    pub faults: Vec<Fault>,
    /// What is not broken but should be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
}

impl Report {
    /// True when no law is broken.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// The result of a law, if it was measured.
    pub fn law(&self, law: Law) -> Option<&LawResult> {
        self.laws.iter().find(|result| result.law == law.name)
    }

    /// Adds what one sample showed.
    pub(super) fn add(&mut self, mut sample: SampleFindings) {
        self.warnings.append(&mut sample.warnings);
        for (name, finding) in sample.findings {
            let law = finding.law;
            let result = if let Some(at) = self.laws.iter().position(|r| r.law == name) {
                &mut self.laws[at]
            } else {
                self.laws.push(LawResult {
                    law: name,
                    worst: f64::NEG_INFINITY,
                    unit: law.unit,
                    limit: law.limit,
                    at: String::new(),
                    measured: 0,
                    broken: 0,
                });
                let last = self.laws.len() - 1;
                &mut self.laws[last]
            };
            result.measured += finding.measured;
            result.broken += finding.broken;
            if finding.worst > result.worst {
                result.worst = finding.worst;
                result.at = match finding.frame {
                    Some(frame) => format!("{} frame {frame}", sample.name),
                    None => sample.name.clone(),
                };
            }
            if finding.broken > 0 {
                self.faults.push(Fault {
                    sample: sample.name.clone(),
                    law: name,
                    message: finding.message(),
                });
            }
        }
        let place = |name: &str| laws::ALL.iter().position(|law| law.name == name);
        self.laws.sort_by_key(|result| place(result.law));
    }
}

/// A number as people read it.
fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e9 {
        format!("{value:.0}")
    } else {
        format!("{value:.4}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} samples ({} made by another tool), {} frames decoded, {} rendered again",
            self.samples, self.foreign, self.frames, self.rendered
        )?;
        for result in &self.laws {
            let (verdict, limit) = match result.limit {
                None => ("    ", String::new()),
                Some(limit) if result.broken == 0 => ("ok  ", format!(", limit {}", number(limit))),
                Some(limit) => ("FAIL", format!(", limit {}", number(limit))),
            };
            write!(
                f,
                "{verdict}  {:<52} {:>10} {}{limit}",
                result.law,
                number(result.worst),
                result.unit
            )?;
            if result.worst > 0.0 {
                write!(f, " ({})", result.at)?;
            }
            writeln!(f)?;
        }
        for fault in &self.faults {
            writeln!(f, "{}: {}: {}", fault.sample, fault.law, fault.message)?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {}: {}", warning.sample, warning.message)?;
        }
        Ok(())
    }
}

/// One law in one sample.
#[derive(Debug, Clone)]
struct Finding {
    law: Law,
    worst: f64,
    frame: Option<u32>,
    measured: u64,
    broken: u64,
    /// Words for the worst, where a number does not say enough.
    words: Option<String>,
}

impl Finding {
    fn message(&self) -> String {
        let place = self
            .frame
            .map_or_else(String::new, |frame| format!("frame {frame}: "));
        let value = match &self.words {
            Some(words) => words.clone(),
            None => format!(
                "{} {}, limit {}",
                number(self.worst),
                self.law.unit,
                number(self.law.limit.unwrap_or(f64::INFINITY))
            ),
        };
        let more = if self.broken > 1 {
            format!(" (broken {} times)", self.broken)
        } else {
            String::new()
        };
        format!("{place}{value}{more}")
    }
}

/// What one sample shows while it is looked at.
#[derive(Debug, Clone)]
pub(super) struct SampleFindings {
    name: String,
    findings: BTreeMap<&'static str, Finding>,
    warnings: Vec<Fault>,
}

impl SampleFindings {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            findings: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Records a residual.
    pub(super) fn measure(&mut self, law: Law, frame: Option<u32>, residual: f64) {
        self.record(law, frame, residual, None);
    }

    /// Records a law that holds, or is broken in the given words.
    pub(super) fn check(&mut self, law: Law, fault: Option<String>) {
        let residual = if fault.is_some() { 1.0 } else { 0.0 };
        self.record(law, None, residual, fault);
    }

    /// Records a residual with words for it.
    pub(super) fn check_with(&mut self, law: Law, residual: f64, words: String) {
        self.record(law, None, residual, Some(words));
    }

    /// Records something that should be known, in words.
    pub(super) fn warn(&mut self, law: Law, words: String) {
        self.warn_with(law, 1.0, words);
    }

    /// Records a residual that should be known, with words for it. A law with a limit is not measured
    /// by it.
    pub(super) fn warn_with(&mut self, law: Law, residual: f64, words: String) {
        if law.limit.is_none() {
            self.record(law, None, residual, None);
        }
        self.warnings.push(Fault {
            sample: self.name.clone(),
            law: law.name,
            message: words,
        });
    }

    fn record(&mut self, law: Law, frame: Option<u32>, residual: f64, words: Option<String>) {
        let residual = if residual.is_nan() {
            f64::INFINITY
        } else {
            residual
        };
        let finding = self.findings.entry(law.name).or_insert(Finding {
            law,
            worst: f64::NEG_INFINITY,
            frame,
            measured: 0,
            broken: 0,
            words: None,
        });
        finding.measured += 1;
        finding.broken += u64::from(law.limit.is_some_and(|limit| residual > limit));
        if residual > finding.worst {
            finding.worst = residual;
            finding.frame = frame;
            finding.words = words;
        }
    }
}
