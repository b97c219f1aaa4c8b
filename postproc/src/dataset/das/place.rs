//! Where the files of a sample lie, and how they get there.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use diorama_video::fsx;

use super::SAMPLES;
use crate::error::{PostprocError, Result, fs_error};
use crate::sample::sweep_temporary;

/// Files without which a folder is no complete sample. The record goes last into the folder.
const NEEDED: [&str; 5] = [
    "sample.json",
    "video.mp4",
    "tracking.mp4",
    "image.png",
    "prompt.txt",
];
/// First-frame controls.
pub(super) const CONTROLS: [&str; 4] = ["inverse_depth", "inverse_depth_16", "normals", "mask"];
/// Folders of flat names.
const FLAT: [&str; 5] = ["videos", "tracking", "images", "tracks", "controls"];

/// Where the complete sample `id` of `dataset` is, or will be.
pub fn das_sample_folder(dataset: &Path, id: &str) -> PathBuf {
    dataset.join(SAMPLES).join(id)
}

/// Is this folder (`samples/<id>`) a complete sample?
pub fn is_complete_das(folder: &Path) -> bool {
    NEEDED
        .into_iter()
        .all(|name| std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0))
}

/// Ids become file names and lines of lists.
pub(super) fn check_id(id: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.len() <= 100 && id.chars().all(is_plain) {
        return Ok(());
    }
    Err(PostprocError::Shot {
        id: id.to_owned(),
        reason: "a sample id is letters, digits, `_` and `-`".into(),
    })
}

/// Way of the main files of sample `id` in the dataset: video, tracking, image.
pub(crate) fn main_names(id: &str) -> [String; 3] {
    [
        format!("videos/{id}.mp4"),
        format!("tracking/{id}_tracking.mp4"),
        format!("images/{id}.png"),
    ]
}

/// Every file that has a flat name: where it is in the sample's folder, and in the dataset.
pub(super) fn flat_names(id: &str) -> Vec<(String, String)> {
    let [video, tracking, image] = main_names(id);
    let mut names = vec![
        ("video.mp4".to_owned(), video),
        ("tracking.mp4".into(), tracking),
        ("image.png".into(), image),
        ("tracks.npz".into(), format!("tracks/{id}_tracks.npz")),
        ("tracks.npy".into(), format!("tracks/{id}_tracks.npy")),
    ];
    for control in CONTROLS {
        names.push((
            format!("controls/{control}.png"),
            format!("controls/{id}_{control}.png"),
        ));
    }
    names
}

/// Where a repainted first frame of sample `id` is kept.
pub(super) fn repainted(dataset: &Path, id: &str) -> PathBuf {
    dataset.join("repainted").join(format!("{id}.png"))
}

/// What `images/<id>.png` must show: the repainted first frame where there is one.
fn first_frame(dataset: &Path, id: &str) -> PathBuf {
    let repainted = repainted(dataset, id);
    if repainted.is_file() {
        repainted
    } else {
        das_sample_folder(dataset, id).join("image.png")
    }
}

/// The files of sample `id` that have flat names, and those names.
fn published(dataset: &Path, id: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let folder = das_sample_folder(dataset, id);
    let first_frame = first_frame(dataset, id);
    flat_names(id).into_iter().map(move |(from, to)| {
        let from = if from == "image.png" {
            first_frame.clone()
        } else {
            folder.join(from)
        };
        (from, to)
    })
}

/// Flat names of sample `id` under which something lies that is not its own: another sample's file, or
/// what it had before. `images/` may show the repainted first frame. Missing ones are not told of.
pub(crate) fn foreign_names(dataset: &Path, id: &str) -> Result<Vec<String>> {
    let mut foreign = Vec::new();
    for (from, to) in published(dataset, id) {
        let place = dataset.join(&to);
        if place.exists() && !(from.exists() && is_same(&from, &place)?) {
            foreign.push(to);
        }
    }
    Ok(foreign)
}

/// Names of the folders under `samples/`, sorted; temporary ones are left out.
///
/// # Errors
/// When that folder is there and cannot be read.
pub fn das_sample_ids(dataset: &Path) -> Result<Vec<String>> {
    let samples = dataset.join(SAMPLES);
    let mut ids = Vec::new();
    match std::fs::read_dir(&samples) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(fs_error("list", &samples))?;
                if !fsx::is_temporary(&entry.path()) && entry.path().is_dir() {
                    ids.extend(entry.file_name().into_string());
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fs_error("list", &samples)(error)),
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Gives the files of `samples/<id>` their flat names. What is already right is left alone.
pub(super) fn link_sample(dataset: &Path, id: &str) -> Result<()> {
    for (from, to) in published(dataset, id) {
        if from.exists() {
            place(&from, &dataset.join(to), true)?;
        }
    }
    Ok(())
}

/// Puts the file `from` under the name `to` as well: by a hard link if `link` and the file system has
/// them, else by a copy. A reader of `to` sees the old file or the new one.
pub(super) fn place(from: &Path, to: &Path, link: bool) -> Result<()> {
    if is_same(from, to)? {
        return Ok(());
    }
    let (Some(folder), Some(name)) = (to.parent(), to.file_name()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(fs_error("create", folder))?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(".tmp-{}", std::process::id()));
    let temporary = folder.join(temporary);
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(fs_error("remove", &temporary)(error));
        }
        _ => {}
    }
    if !link || std::fs::hard_link(from, &temporary).is_err() {
        std::fs::copy(from, &temporary).map_err(fs_error("copy", from))?;
        File::open(&temporary)
            .and_then(|file| file.sync_all())
            .map_err(fs_error("sync", &temporary))?;
    }
    std::fs::rename(&temporary, to).map_err(fs_error("put in place", to))?;
    Ok(())
}

/// Are these one file, or two of the same content?
fn is_same(a: &Path, b: &Path) -> Result<bool> {
    let Ok(there) = std::fs::metadata(b) else {
        return Ok(false);
    };
    let here = std::fs::metadata(a).map_err(fs_error("find", a))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (here.dev(), here.ino()) == (there.dev(), there.ino()) {
            return Ok(true);
        }
    }
    if here.len() != there.len() {
        return Ok(false);
    }
    let open = |path: &Path| File::open(path).map_err(fs_error("open", path));
    let (mut a_file, mut b_file) = (open(a)?, open(b)?);
    let (mut a_part, mut b_part) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut left = here.len();
    while left > 0 {
        let count = left.min(a_part.len() as u64) as usize;
        a_file
            .read_exact(&mut a_part[..count])
            .map_err(fs_error("read", a))?;
        b_file
            .read_exact(&mut b_part[..count])
            .map_err(fs_error("read", b))?;
        if a_part[..count] != b_part[..count] {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

/// Removes what dead runs left half made, of samples whose id `owns` claims. Call it while holding the
/// journal's lock. Returns what was removed.
///
/// # Errors
/// When a folder cannot be listed or something not be removed; missing folders are empty.
pub fn sweep_das(dataset: &Path, owns: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut swept = sweep_temporary(&dataset.join(SAMPLES), &owns)?;
    for name in FLAT {
        let folder = dataset.join(name);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(fs_error("list", &folder)(error)),
        };
        for entry in entries {
            let path = entry.map_err(fs_error("list", &folder))?.path();
            let is_ours = fsx::is_temporary(&path)
                && path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| owns(id_of(name)));
            if is_ours {
                std::fs::remove_file(&path).map_err(fs_error("remove", &path))?;
                swept.push(path);
            }
        }
    }
    swept.sort_unstable();
    Ok(swept)
}

/// The sample id in a flat file name.
fn id_of(name: &str) -> &str {
    let stem = name.split('.').next().unwrap_or(name);
    let endings = ["_tracking", "_tracks"].into_iter().chain(CONTROLS);
    for ending in endings {
        let ending = ending.strip_prefix('_').unwrap_or(ending);
        if let Some(id) = stem.strip_suffix(ending).and_then(|s| s.strip_suffix('_')) {
            return id;
        }
    }
    stem
}
