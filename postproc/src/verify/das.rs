//! Verifies a Diffusion-as-Shader dataset by the rules of the trainer's loader.
//!
//! The loader (`VideoDatasetWithResizingTracking`) strips the lines of prompt.txt, videos.txt and
//! trackings.txt, drops empty ones, and pairs what is left line by line; it opens both files with the
//! same frame numbers `range(0, N, N // F)[:F]` for a bucket of F = 49 frames, and fails where N < 49.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use diorama_video::{ReadFormat, VideoError, VideoFrame, VideoReader};

use super::VerifyOptions;
use super::report::{Law, Report, SampleFindings, laws};
use crate::caption::TOKEN_LIMIT;
use crate::caption::words::token_bound;
use crate::dataset::das::{
    LISTS, PLACEHOLDER_PROMPT, das_sample_folder, is_complete_das, read_list,
};
use crate::dataset::read_journals;
use crate::error::{PostprocError, Result, fs_error};
use crate::sample::hash_files;

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
    /// Complete samples that the lists do not have: a run that was cut off.
    pub const UNLISTED: Law = Law::figure("complete samples that are not listed", "samples");
}

/// Replays the loader's rules over a dataset folder, ours or another tool's, decodes every video, and
/// compares the files of `samples/` with the journal. `sample_done` is told the number of samples looked
/// at and their total after each.
///
/// # Errors
/// When the folder is not there, a journal is damaged, or ffmpeg is missing. What is wrong with the
/// dataset is in the report.
pub fn verify_das(
    dataset: &Path,
    options: &VerifyOptions,
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
    check_samples(dataset, &videos, &mut findings)?;
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
        let tracking = trackings.get(index).map(String::as_str);
        let image = images.get(index).map(String::as_str);
        report.frames += check_pair(dataset, video, tracking, image, options, &mut findings)?;
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

/// Files of complete samples against the journal, and samples that no list has.
fn check_samples(dataset: &Path, videos: &[String], findings: &mut SampleFindings) -> Result<()> {
    let listed: BTreeSet<&str> = videos.iter().map(String::as_str).collect();
    for (id, entry) in read_journals(dataset)?.done {
        let folder = das_sample_folder(dataset, &id);
        let is_there = is_complete_das(&folder);
        findings.check(
            laws::FILES,
            (!is_there).then(|| format!("the journal calls {id} done, but it is not complete")),
        );
        if !is_there {
            continue;
        }
        let found = hash_files(&folder)?;
        let names = entry.files.keys().chain(found.keys());
        let other = names
            .filter(|name| entry.files.get(*name) != found.get(*name))
            .min();
        findings.check(laws::HASHES, other.map(|name| format!("{id}/{name}")));
        let is_listed = listed.contains(format!("videos/{id}.mp4").as_str());
        if is_listed {
            findings.measure(das_laws::UNLISTED, None, 0.0);
        } else {
            let words = format!("{id} is done but not listed: run `diorama index`");
            findings.warn(das_laws::UNLISTED, words);
        }
    }
    Ok(())
}

/// Is this a way that stays inside the dataset?
fn is_inside(name: &str) -> bool {
    let parts = Path::new(name).components();
    name != "."
        && parts
            .into_iter()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn check_pair(
    dataset: &Path,
    video: &str,
    tracking: Option<&str>,
    image: Option<&str>,
    options: &VerifyOptions,
    findings: &mut SampleFindings,
) -> Result<u64> {
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
    let first = decode(dataset, video, options, findings)?;
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
    if let Some(tracking) = tracking
        && let Some((count, picture)) = decode(dataset, tracking, options, findings)?
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

/// Frames and the first of them; `None` where there is none, which is a finding.
fn decode(
    dataset: &Path,
    name: &str,
    options: &VerifyOptions,
    findings: &mut SampleFindings,
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
    let Some(size) = png_size(path) else {
        if path.is_file() {
            let fault = Some(format!("{name} is no PNG picture"));
            findings.check(das_laws::SIZES, fault);
        }
        return;
    };
    let fault = (size != (first.width, first.height)).then(|| {
        format!(
            "{name} is {}x{}, the video {}x{}",
            size.0, size.1, first.width, first.height
        )
    });
    findings.check(das_laws::SIZES, fault);
}

/// Width and height of a PNG file.
fn png_size(path: &Path) -> Option<(u32, u32)> {
    let mut head = [0; 24];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    let word = |at: usize| head[at..at + 4].try_into().ok().map(u32::from_be_bytes);
    let is_png = head.starts_with(b"\x89PNG\r\n\x1a\n") && &head[12..16] == b"IHDR";
    is_png.then(|| Some((word(16)?, word(20)?))).flatten()
}
