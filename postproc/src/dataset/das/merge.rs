//! Several datasets as one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use diorama_video::fsx;

use super::LISTS;
use super::lists::{Line, read_list, write_lists};
use super::place::{CONTROLS, flat_names, main_names, place};
use crate::dataset::write_json;
use crate::error::{PostprocError, Result};
use crate::sample::{BuildFolder, Layout, hash_files};

/// A dataset to take from.
#[derive(Debug, Clone, PartialEq)]
pub struct DasSource {
    /// Its folder: ours, or any that keeps the trainer's contract.
    pub folder: PathBuf,
    /// How many samples of it there are for one of a source with 1, which is what `None` means as soon as
    /// some source has a ratio; where none has, everything is taken.
    pub ratio: Option<f64>,
}

/// Name of the file with blake3 of every file that a merged dataset was given, by path in it.
pub(crate) const CHECKSUMS: &str = "checksums.json";

/// How files come into the merged dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeMode {
    /// Hard links, or copies where the file system has none.
    #[default]
    Link,
    /// Copies.
    Copy,
}

/// What [`merge_das`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DasMergeReport {
    /// Samples of each source that are in, in the order of the sources.
    pub taken: Vec<u64>,
    /// Samples that each source has.
    pub available: Vec<u64>,
}

/// Joins `sources` into the new dataset `output`, which must not exist (or be empty): as many samples as
/// the ratios allow without repeating one, spread evenly over each source and mixed evenly with each
/// other (the trainer goes through the list in order), numbered anew from 000000. `sources.csv` says
/// where each came from, `checksums.json` what each file is; attributions are kept. There at once, or not at all.
///
/// # Errors
/// Lists of a source that are missing or not aligned, files that are not there, a ratio that is not
/// above 0, ratios by which nothing of a source is left, or an `output` with something in it.
pub fn merge_das(sources: &[DasSource], output: &Path, mode: MergeMode) -> Result<DasMergeReport> {
    let is_taken = std::fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || output.is_file() {
        return Err(wrong(format!("{} is not empty", output.display())));
    }
    let all: Vec<Vec<Line>> = sources
        .iter()
        .map(|source| read_lines(&source.folder))
        .collect::<Result<_>>()?;
    let available: Vec<u64> = all.iter().map(|lines| lines.len() as u64).collect();
    let taken = shares(sources, &available)?;

    // (place in 0..1, source, line): evenly spread, sources with few samples not at the end.
    let mut order = Vec::new();
    for (source, (count, have)) in taken.iter().zip(&available).enumerate() {
        for k in 0..*count {
            let at = (k as f64 + 0.5) / *count as f64;
            order.push((at, source, (k * have / count) as usize));
        }
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));

    let (Some(parent), Some(name)) = (output.parent(), output.file_name()) else {
        return Err(wrong(format!("{} is no name", output.display())));
    };
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let build = BuildFolder::create(parent, &name.to_string_lossy())?;
    let mut lines = Vec::new();
    let mut origins = String::from("video,source,source_video\n");
    for (number, (_, source, line)) in order.iter().enumerate() {
        let (folder, line) = (&sources[*source].folder, &all[*source][*line]);
        let id = format!("{number:06}");
        let [video, tracking, image] = main_names(&id);
        let link = mode == MergeMode::Link;
        let put = |from: &str, to: &str| place(&folder.join(from), &build.path().join(to), link);
        put(&line.video, &video)?;
        put(&line.tracking, &tracking)?;
        if !line.image.is_empty() {
            put(&line.image, &image)?;
        }
        for (from, to) in companions(&line.video, &id) {
            if folder.join(&from).is_file() {
                put(&from, &to)?;
            }
        }
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let source = folder.display().to_string();
        let _ = writeln!(
            origins,
            "{video},{},{}",
            quoted(&source),
            quoted(&line.video)
        );
        lines.push(Line {
            prompt: line.prompt.clone(),
            video,
            tracking,
            image,
        });
    }
    // Before there are lists and notes, which people may edit.
    write_json(&build.path().join(CHECKSUMS), &hash_files(build.path())?)?;
    write_lists(build.path(), &lines)?;
    fsx::write_atomic(&build.path().join("sources.csv"), origins.as_bytes())?;
    let attribution = attributions(sources);
    fsx::write_atomic(&build.path().join("ATTRIBUTION.md"), attribution.as_bytes())?;
    build.put_in_place(Layout::Folders)?;
    Ok(DasMergeReport { taken, available })
}

fn wrong(reason: String) -> PostprocError {
    PostprocError::Option {
        option: "merge",
        reason,
    }
}

/// How many samples to take of each source.
fn shares(sources: &[DasSource], available: &[u64]) -> Result<Vec<u64>> {
    if sources.iter().all(|source| source.ratio.is_none()) {
        return Ok(available.to_vec());
    }
    let ratio = |source: &DasSource| source.ratio.unwrap_or(1.0);
    let mut least = f64::INFINITY;
    for (source, have) in sources.iter().zip(available) {
        let ratio = ratio(source);
        if !(ratio > 0.0 && ratio.is_finite()) {
            return Err(wrong(format!("a ratio of {ratio} is not above 0")));
        }
        least = least.min(*have as f64 / ratio);
    }
    // A hair more, so that 3 of 3 by a ratio of 0.3 are 3.
    let of = |(source, have): (&DasSource, &u64)| {
        ((least * ratio(source) * (1.0 + 1e-12)) as u64).min(*have)
    };
    let shares: Vec<u64> = sources.iter().zip(available).map(of).collect();
    if let Some(at) = shares.iter().position(|share| *share == 0) {
        let folder = sources[at].folder.display();
        return Err(wrong(format!(
            "by these ratios nothing of {folder} would be taken: {available:?} samples are there"
        )));
    }
    Ok(shares)
}

/// The lists of a dataset, which must be aligned. Images may be missing.
fn read_lines(folder: &Path) -> Result<Vec<Line>> {
    let [prompts, videos, trackings, images] = LISTS.map(|name| folder.join(name));
    let (prompts, videos) = (read_list(&prompts)?, read_list(&videos)?);
    let trackings = read_list(&trackings)?;
    let images = if images.is_file() {
        read_list(&images)?
    } else {
        vec![String::new(); videos.len()]
    };
    let lengths = [prompts.len(), videos.len(), trackings.len(), images.len()];
    if lengths != [videos.len(); 4] {
        return Err(wrong(format!(
            "the lists of {} are not aligned: {lengths:?} lines in {LISTS:?}",
            folder.display()
        )));
    }
    let lines = prompts.into_iter().zip(videos).zip(trackings).zip(images);
    let lines = lines.map(|(((prompt, video), tracking), image)| Line {
        prompt,
        video,
        tracking,
        image,
    });
    Ok(lines.collect())
}

/// Tracks and controls that lie beside a video of ours, and where they go.
fn companions(video: &str, id: &str) -> Vec<(String, String)> {
    let Some(stem) = Path::new(video).file_stem().and_then(|stem| stem.to_str()) else {
        return Vec::new();
    };
    let (from, to) = (flat_names(stem), flat_names(id));
    let pairs = from.into_iter().zip(to).map(|(from, to)| (from.1, to.1));
    let main = flat_names(id).len() - CONTROLS.len() - 2;
    pairs.skip(main).collect()
}

fn attributions(sources: &[DasSource]) -> String {
    let mut text = String::from("# Attribution\n");
    for source in sources {
        let path = source.folder.join("ATTRIBUTION.md");
        let Ok(words) = std::fs::read_to_string(&path) else {
            continue;
        };
        let name = source.folder.file_name().unwrap_or_default();
        let _ = write!(text, "\n# From {}\n", name.to_string_lossy());
        let rest = words.strip_prefix("# Attribution\n").unwrap_or(&words);
        text.push_str(rest);
    }
    text
}
