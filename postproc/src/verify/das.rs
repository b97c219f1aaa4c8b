//! Verifies a Diffusion-as-Shader dataset by the rules of the trainer's loader.
//!
//! The loader (`VideoDatasetWithResizingTracking`) strips the lines of prompt.txt, videos.txt and
//! trackings.txt, drops empty ones, and pairs what is left line by line; it opens both files with the
//! same frame numbers `range(0, N, N // F)[:F]` for a bucket of F = 49 frames, and fails where N < 49.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use diorama_video::{ReadFormat, VideoError, VideoFrame, VideoReader, whole_png_size};

use super::VerifyOptions;
use super::das_own;
use super::das_rendered::{self, Rendered, Reshoot};
use super::report::{Law, Report, SampleFindings, laws};
use crate::caption::TOKEN_LIMIT;
use crate::caption::words::token_bound;
use crate::dataset::das::{
    LISTS, Line, PLACEHOLDER_PROMPT, das_sample_folder, is_complete_das, read_list,
};
use crate::error::{PostprocError, Result, fs_error};

/// Size that the trainer's default buckets have.
const TRAINED_SIZE: (u32, u32) = (720, 480);
/// Frames of the trainer's default bucket.
const TRAINED_FRAMES: u64 = 49;

/// Laws of these datasets, beside those of [`laws`].
pub mod das_laws {
    use super::Law;

    /// The lists are there, have no blank line, and are of one length.
    pub const LISTS: Law = Law::limited("lists as the trainer reads them", "faults", 0.0);
    /// Every listed file exists inside the dataset.
    pub const LISTED: Law = Law::limited("listed files exist", "files missing", 0.0);
    /// Nothing is listed twice.
    pub const ONCE: Law = Law::limited("files listed once", "repetitions", 0.0);
    /// Tracking video and video have equal frame counts.
    pub const COUNTS: Law = Law::limited("frames of tracking against video", "frames", 0.0);
    /// Tracking video, image and video have equal sizes.
    pub const SIZES: Law =
        Law::limited("sizes of tracking and image against video", "pictures", 0.0);
    /// An upper estimate of the prompt's T5 tokens.
    pub const TOKENS: Law = Law::limited("tokens of the prompt, at most", "tokens", 226.0);
    /// Prompts that nobody wrote.
    pub const PLACEHOLDER: Law = Law::figure("prompts that only fill a line", "prompts");
    /// Frames that the trainer's default bucket lacks.
    pub const SHORT: Law = Law::figure("frames short of 49", "frames");
    /// Videos that the trainer would stretch to its bucket.
    pub const STRETCHED: Law = Law::figure("videos not of 720x480", "videos");
    /// Pictures of `images/` are the first frames of the samples, or their repaintings.
    pub const IMAGES: Law = Law::limited("images are first frames", "pictures", 0.0);
    /// Files under the names that the trainer reads are those of their samples.
    pub const OWN: Law = Law::limited("files are their samples' own", "files", 0.0);
    /// No line of the lists, or of dataset.csv, has a part of another sample.
    pub const BELONG: Law = Law::limited("lines are of one sample each", "lines", 0.0);
    /// Recorded positions of tracks against the posed surfaces.
    pub const PLACES: Law = Law::limited("tracks against posed surfaces", "px", 0.001);
    /// Recorded visibility of tracks against rays.
    pub const SEEN: Law = Law::limited("visibility of tracks against rays", "tracks", 0.0);
    /// Rays through visible tracks that meet another object.
    pub const HITS: Law = Law::limited("rays through tracks meet their object", "tracks", 0.0);
    /// What these rays meet, against the distance of the track.
    pub const DISTANCES: Law = Law::limited("distance that the rays meet", "share", 1.0e-4);
    /// Ids at visible tracks more than a pixel from an edge of ids.
    pub const TRACK_IDS: Law = Law::limited("ids under tracks off id edges", "tracks", 0.0);
    /// Decoded tracking pictures of the dense rules, away from edges of colour.
    pub const DENSE_MEAN: Law = Law::limited("tracking against repainted, mean", "levels", 1.5);
    /// The same, 99th percentile.
    pub const DENSE_P99: Law = Law::limited("tracking against repainted, p99", "levels", 5.0);
    /// Decoded dots, over their own pixels: 4:2:0 mixes them with the black beside them.
    pub const DOTS_MEAN: Law = Law::limited("decoded dots against repainted, mean", "levels", 25.0);
    /// Complete samples that the lists do not have: a run that was cut off.
    pub const UNLISTED: Law = Law::figure("complete samples that are not listed", "samples");
}

/// Replays the loader's rules over a dataset folder, ours or another tool's, decodes every video, and
/// compares the files of `samples/` with the journal. Of samples of ours some frames are rendered again
/// by `reshoot`, and tracks and pictures measured against them; `None` leaves that out. `sample_done` is
/// told the number of samples looked at and their total after each.
///
/// # Errors
/// When the folder is not there, a journal is damaged, or ffmpeg is missing. What is wrong with the
/// dataset is in the report.
pub fn verify_das(
    dataset: &Path,
    options: &VerifyOptions,
    mut reshoot: Option<&mut dyn Reshoot>,
    sample_done: &mut dyn FnMut(usize, usize),
) -> Result<Report> {
    if !dataset.is_dir() {
        return Err(PostprocError::Option {
            option: "verify",
            reason: format!("{} is no folder", dataset.display()),
        });
    }
    let mut report = Report::default();
    let mut findings = SampleFindings::new("lists".into());
    let [prompts, videos, trackings, images] = LISTS.map(|name| list(dataset, name, &mut findings));
    let lengths = [
        prompts.len(),
        videos.len(),
        trackings.len(),
        // Read by no training code: it may be missing.
        if images.is_empty() {
            videos.len()
        } else {
            images.len()
        },
    ];
    let unequal = (lengths != [videos.len(); 4])
        .then(|| format!("{LISTS:?} have {lengths:?} lines: the trainer would pair them wrongly"));
    findings.check(das_laws::LISTS, unequal);
    for listed in [&videos, &trackings, &images] {
        let different: BTreeSet<&String> = listed.iter().collect();
        findings.measure(
            das_laws::ONCE,
            None,
            (listed.len() - different.len()) as f64,
        );
    }
    let mut next = [prompts.iter(), trackings.iter(), images.iter()];
    let lines: Vec<Line> = videos
        .iter()
        .map(|video| {
            let [prompt, tracking, image] = next
                .each_mut()
                .map(|list| list.next().cloned().unwrap_or_default());
            Line {
                prompt,
                video: video.clone(),
                tracking,
                image,
            }
        })
        .collect();
    das_own::check(dataset, &lines, &mut findings)?;
    report.add(findings);

    for (index, video) in videos.iter().enumerate() {
        let mut findings = SampleFindings::new(video.clone());
        if let Some(prompt) = prompts.get(index) {
            let tokens = token_bound(prompt);
            let words = format!("{tokens} tokens at most, {TOKEN_LIMIT} are read: {prompt}");
            findings.check_with(das_laws::TOKENS, tokens as f64, words);
            if prompt == PLACEHOLDER_PROMPT {
                let words = "nobody described this clip: its prompt only fills the line".into();
                findings.warn(das_laws::PLACEHOLDER, words);
            }
        }
        let rendered = match (&mut reshoot, sample_of(dataset, video)) {
            (Some(reshoot), Some(folder)) => {
                let count = options.frames_per_sample;
                das_rendered::check(&folder, count, &mut **reshoot, &mut findings)
            }
            _ => BTreeMap::new(),
        };
        report.rendered += rendered.len() as u64;
        let pair = Pair {
            dataset,
            video,
            tracking: trackings.get(index).map(String::as_str),
            image: images.get(index).map(String::as_str),
        };
        report.frames += pair.check(options, &rendered, &mut findings)?;
        report.samples += 1;
        report.add(findings);
        sample_done(index + 1, videos.len());
    }
    Ok(report)
}

/// A list as the loader reads it.
fn list(dataset: &Path, name: &'static str, findings: &mut SampleFindings) -> Vec<String> {
    let path = dataset.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if name == "images.txt" && error.kind() == std::io::ErrorKind::NotFound => {
            let words = "images.txt is missing: there are no first frames to repaint".into();
            findings.warn(laws::FILES, words);
            return Vec::new();
        }
        Err(error) => {
            findings.check(
                das_laws::LISTS,
                Some(fs_error("read", &path)(error).to_string()),
            );
            return Vec::new();
        }
    };
    let blank = text.lines().position(|line| line.trim().is_empty());
    findings.check(
        das_laws::LISTS,
        blank.map(|line| {
            format!(
                "{name}, line {} is blank: the trainer drops it and pairs all later lines wrongly",
                line + 1
            )
        }),
    );
    read_list(&path).unwrap_or_default()
}

/// Is this a way that stays inside the dataset?
fn is_inside(name: &str) -> bool {
    let parts = Path::new(name).components();
    name != "."
        && parts
            .into_iter()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// The folder of a listed video's sample, where the sample is ours and complete.
fn sample_of(dataset: &Path, video: &str) -> Option<PathBuf> {
    let id = video.strip_prefix("videos/")?.strip_suffix(".mp4")?;
    let folder = das_sample_folder(dataset, id);
    (is_inside(id) && is_complete_das(&folder)).then_some(folder)
}

/// One line of the lists.
struct Pair<'a> {
    dataset: &'a Path,
    video: &'a str,
    tracking: Option<&'a str>,
    image: Option<&'a str>,
}

impl Pair<'_> {
    fn check(
        &self,
        options: &VerifyOptions,
        rendered: &BTreeMap<u32, Rendered>,
        findings: &mut SampleFindings,
    ) -> Result<u64> {
        let Self {
            dataset,
            video,
            tracking,
            image,
        } = *self;
        let names = [Some(video), tracking, image];
        for name in names.into_iter().flatten() {
            let fault = if !is_inside(name) {
                Some(format!("{name} leads out of the dataset"))
            } else if !dataset.join(name).is_file() {
                Some(format!("{name} is missing"))
            } else {
                None
            };
            findings.check(das_laws::LISTED, fault);
        }
        let mut compare = |index: u32, frame: &VideoFrame, findings: &mut SampleFindings| {
            if let Some(rendered) = rendered.get(&index) {
                rendered.compare_video(index, frame, findings);
            }
        };
        let first = decode(dataset, video, options, findings, &mut compare)?;
        let Some((frames, first_frame)) = first else {
            return Ok(0);
        };
        let size = (first_frame.width, first_frame.height);
        if frames < TRAINED_FRAMES {
            let words = format!(
                "{frames} frames: the trainer's bucket of {TRAINED_FRAMES} cannot be filled, it fails"
            );
            findings.warn_with(das_laws::SHORT, (TRAINED_FRAMES - frames) as f64, words);
        } else {
            findings.measure(das_laws::SHORT, None, 0.0);
        }
        if size == TRAINED_SIZE {
            findings.measure(das_laws::STRETCHED, None, 0.0);
        } else {
            let words = format!("{}x{}: the trainer stretches it to 720x480", size.0, size.1);
            findings.warn(das_laws::STRETCHED, words);
        }
        let mut compare = |index: u32, frame: &VideoFrame, findings: &mut SampleFindings| {
            if let Some(rendered) = rendered.get(&index) {
                rendered.compare_tracking(index, frame, findings);
            }
        };
        if let Some(tracking) = tracking
            && let Some((count, picture)) =
                decode(dataset, tracking, options, findings, &mut compare)?
        {
            let words = format!("{tracking} has {count} frames, the video {frames}");
            findings.check_with(das_laws::COUNTS, count.abs_diff(frames) as f64, words);
            let other = (picture.width, picture.height);
            let fault = (other != size).then(|| {
                format!(
                    "{tracking} is {}x{}, the video {}x{}",
                    other.0, other.1, size.0, size.1
                )
            });
            findings.check(das_laws::SIZES, fault);
        }
        if let Some(image) = image {
            check_image(&dataset.join(image), image, &first_frame, findings);
        }
        Ok(frames)
    }
}

/// Frames and the first of them; `None` where there is none, which is a finding. `compare` sees every one.
fn decode(
    dataset: &Path,
    name: &str,
    options: &VerifyOptions,
    findings: &mut SampleFindings,
    compare: &mut dyn FnMut(u32, &VideoFrame, &mut SampleFindings),
) -> Result<Option<(u64, VideoFrame)>> {
    if !dataset.join(name).is_file() {
        return Ok(None);
    }
    let reader = match VideoReader::open(&dataset.join(name), ReadFormat::Rgb8, &options.read) {
        Ok(reader) => reader,
        Err(error @ VideoError::ToolMissing { .. }) => return Err(error.into()),
        Err(error) => {
            findings.check(laws::DECODES, Some(error.to_string()));
            return Ok(None);
        }
    };
    let (mut frames, mut first) = (0, None);
    for frame in reader {
        match frame {
            Ok(frame) => {
                compare(u32::try_from(frames).unwrap_or(u32::MAX), &frame, findings);
                frames += 1;
                first.get_or_insert(frame);
            }
            Err(error) => {
                findings.check(laws::DECODES, Some(error.to_string()));
                return Ok(None);
            }
        }
    }
    let fault = first.is_none().then(|| format!("{name} has no frame"));
    findings.check(laws::DECODES, fault);
    Ok(first.map(|first| (frames, first)))
}

/// The first-frame picture against the first frame. A repainted one has other colours.
fn check_image(path: &Path, name: &str, first: &VideoFrame, findings: &mut SampleFindings) {
    if !path.is_file() {
        return;
    }
    let size = match whole_png_size(path) {
        Ok(size) => size,
        Err(error) => {
            findings.check(das_laws::SIZES, Some(error.to_string()));
            return;
        }
    };
    let fault = (size != (first.width, first.height)).then(|| {
        format!(
            "{name} is {}x{}, the video {}x{}",
            size.0, size.1, first.width, first.height
        )
    });
    findings.check(das_laws::SIZES, fault);
}
