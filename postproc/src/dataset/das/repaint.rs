//! First frames that somebody repainted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diorama_video::{fsx, whole_png_size};

use super::place::{das_sample_folder, das_sample_ids, is_complete_das, link_sample, repainted};
use crate::dataset::index::{Summary, read_json};
use crate::error::{PostprocError, Result, fs_error};

/// What [`take_repainted`] did, by sample id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepaintReport {
    /// Pictures that are the samples' first frames now.
    pub taken: Vec<String>,
    /// Pictures that were left where they are, and why.
    pub refused: Vec<(PathBuf, String)>,
    /// Samples without a picture in the folder: they keep the one they have.
    pub missing: Vec<String>,
    /// What else is in the folder, by path.
    pub unknown: Vec<PathBuf>,
}

/// Takes `<from>/<id>.png` for every complete sample as its first frame in `images/`, if it is a whole
/// PNG picture of the sample's size. Kept as `repainted/<id>.png` of the dataset: the samples
/// themselves, and what the journals say of them, stay what was rendered.
///
/// # Errors
/// When a folder cannot be read or a file not be written.
pub fn take_repainted(dataset: &Path, from: &Path) -> Result<RepaintReport> {
    if !from.is_dir() {
        return Err(PostprocError::Option {
            option: "--images-from",
            reason: format!("{} is no folder", from.display()),
        });
    }
    let mut asked = BTreeSet::new();
    let mut report = RepaintReport::default();
    for id in das_sample_ids(dataset)? {
        let folder = das_sample_folder(dataset, &id);
        if !is_complete_das(&folder) {
            continue;
        }
        let picture = from.join(format!("{id}.png"));
        asked.insert(picture.clone());
        if !picture.is_file() {
            report.missing.push(id);
            continue;
        }
        let summary: Summary = read_json(&folder.join("sample.json"))?;
        let size = match whole_png_size(&picture) {
            Ok((width, height)) => [width, height],
            Err(error) => {
                report.refused.push((picture, error.to_string()));
                continue;
            }
        };
        if size != summary.resolution() {
            let [width, height] = summary.resolution();
            let reason = format!(
                "{} is {}x{}, the video {width}x{height}",
                picture.display(),
                size[0],
                size[1]
            );
            report.refused.push((picture, reason));
            continue;
        }
        let bytes = std::fs::read(&picture).map_err(fs_error("read", &picture))?;
        let kept = repainted(dataset, &id);
        if let Some(folder) = kept.parent() {
            std::fs::create_dir_all(folder).map_err(fs_error("create", folder))?;
        }
        if std::fs::read(&kept).ok().as_ref() != Some(&bytes) {
            fsx::write_atomic(&kept, &bytes)?;
        }
        link_sample(dataset, &id)?;
        report.taken.push(id);
    }
    for entry in std::fs::read_dir(from).map_err(fs_error("list", from))? {
        let path = entry.map_err(fs_error("list", from))?.path();
        if !asked.contains(&path) {
            report.unknown.push(path);
        }
    }
    report.unknown.sort();
    Ok(report)
}
