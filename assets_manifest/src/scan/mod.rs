//! What is in whole libraries: every asset looked into once and written down, and looked into again only
//! when a file of it has changed.
//!
//! A root is a workspace (`<root>/raw`, see [`crate::workspace`]) or anything that [`crate::library`]
//! opens. A file that cannot be used is an entry with its reason, never an error: only a root that cannot
//! be read is one.

mod fit;
mod inspect;
mod noun;
mod skeleton;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use serde::Deserialize;

pub use self::fit::misfits;
use self::inspect::{against, inspect, is_unchanged, relative};
pub use self::noun::{
    Content, Fault, Kind, MeshFacts, PictureFacts, SCHEMA_VERSION, ScannedAsset, ScannedAssets,
    ScannedFile, ScannedPlace, ScannedRoot, Signature, SkeletonFacts, Stamp, TakeFacts,
};
use self::walk::{Candidate, walk};
use crate::decode::read_disk;
use crate::library::{Files, state_terms};
use crate::{AssetError, Warnings};

/// Who looks: another version may see other things.
const MADE_BY: &str = concat!("diorama ", env!("CARGO_PKG_VERSION"));
/// Files beyond this are decoded one at a time, bytes: as many as there are threads could take more
/// memory than there is.
const LARGE_FILE: u64 = 32 << 20;
/// A file that changed less than this before the manifest was written is read again: file systems tell
/// the time in ticks of up to two seconds.
const TICK_NS: i64 = 2_000_000_000;

/// A folder to scan, or one manifest or asset file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRoot {
    /// Where it is.
    pub path: PathBuf,
    /// What the manifest calls it.
    pub name: String,
}

/// A manifest that was written before.
#[derive(Debug, Clone)]
pub struct Previous {
    /// What it says.
    pub assets: ScannedAssets,
    /// When it was written, nanoseconds since 1970.
    written_ns: i64,
}

impl Previous {
    /// Reads a manifest. `None`: it is one, but of another version, and nothing can be taken from it.
    ///
    /// # Errors
    /// A file that cannot be read, or is something else.
    pub fn read(path: &Path) -> Result<Option<Self>, AssetError> {
        /// What manifests of all versions have.
        #[derive(Deserialize)]
        struct Head {
            schema_version: u32,
            made_by: String,
        }
        let bytes = read_disk(path)?;
        let written = std::fs::metadata(path).map_err(|source| AssetError::Read {
            path: path.to_owned(),
            source,
        })?;
        let bad = |error: serde_json::Error| AssetError::Decode {
            path: path.to_owned(),
            reason: format!("it is no manifest of a scan: {error}"),
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(bad)?;
        if head.schema_version != SCHEMA_VERSION || head.made_by != MADE_BY {
            return Ok(None);
        }
        Ok(Some(Self {
            assets: serde_json::from_slice(&bytes).map_err(bad)?,
            written_ns: Stamp::of(&written).modified_ns,
        }))
    }

    /// The roots of the manifest `path`, to be scanned again.
    pub fn roots(&self, path: &Path) -> Vec<ScanRoot> {
        let beside = path.parent().unwrap_or(Path::new(""));
        let roots = self.assets.roots.iter();
        roots
            .map(|root| ScanRoot {
                path: beside.join(&root.path),
                name: root.path.clone(),
            })
            .collect()
    }
}

/// An asset of a folder, by name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAsset {
    /// Its file, or the archive it is in.
    pub path: PathBuf,
    /// It is inside an archive.
    pub is_packed: bool,
    /// What its place says it is; `None`: its file alone decides.
    pub meant_as: Option<Kind>,
}

/// The assets of `folder` that are called `id`; only names and small text files are read.
///
/// # Errors
/// When the folder cannot be read.
pub fn find(folder: &Path, id: &str) -> Result<Vec<NamedAsset>, AssetError> {
    let candidates = walk(folder, &mut Warnings::default())?;
    let named = candidates.into_iter().filter(|c| c.record.id == id);
    Ok(named
        .map(|candidate| NamedAsset {
            path: match &candidate.files {
                Files::Folder(within) => within.join(&candidate.main),
                Files::Archive(path) => path.clone(),
            },
            is_packed: matches!(candidate.files, Files::Archive(_)),
            meant_as: candidate.meant_as,
        })
        .collect())
}

/// What a scan found, and what it cost.
#[derive(Debug, Clone)]
pub struct Scan {
    /// To be written down.
    pub assets: ScannedAssets,
    /// Assets that were read, and their bytes; the others were known.
    pub read: u64,
    /// Bytes of those.
    pub read_bytes: u64,
}

/// Looks into all assets of the roots; what `previous` knows of unchanged files is taken from there.
/// `on_asset` is told the number of assets as soon as it is known, and each one that is done.
///
/// # Errors
/// When a root cannot be read.
pub fn scan(
    roots: &[ScanRoot],
    previous: Option<&Previous>,
    on_asset: &(dyn Fn(u64, bool) + Sync),
) -> Result<Scan, AssetError> {
    let mut scan = Scan {
        assets: ScannedAssets {
            schema_version: SCHEMA_VERSION,
            made_by: MADE_BY.to_owned(),
            roots: Vec::new(),
        },
        read: 0,
        read_bytes: 0,
    };
    for root in roots {
        let (root, read) = scan_root(root, previous, on_asset)?;
        scan.assets.roots.push(root);
        scan.read += read.len() as u64;
        scan.read_bytes += read.iter().sum::<u64>();
    }
    Ok(scan)
}

/// One root, and the bytes of each asset that was read for it.
fn scan_root(
    root: &ScanRoot,
    previous: Option<&Previous>,
    on_asset: &(dyn Fn(u64, bool) + Sync),
) -> Result<(ScannedRoot, Vec<u64>), AssetError> {
    let mut warnings = Warnings::default();
    let folder = if root.path.is_file() {
        root.path.parent().unwrap_or(Path::new(""))
    } else {
        &root.path
    };
    let folder: &Path = &folder.components().collect::<PathBuf>();
    let given: PathBuf = root.path.components().collect();
    let candidates = walk(&given, &mut warnings)?;
    let known = previous.map(|previous| Known::of(previous, &root.name));
    on_asset(candidates.len() as u64, false);
    let large = Mutex::new(());
    let looked: Vec<(ScannedAsset, Option<u64>)> = candidates
        .into_par_iter()
        .map(|candidate| {
            let looked = look(&candidate, folder, known.as_ref(), &large);
            on_asset(1, true);
            looked
        })
        .collect();
    let mut read = Vec::new();
    let mut assets = Vec::with_capacity(looked.len());
    for (asset, bytes) in looked {
        read.extend(bytes);
        assets.push(asset);
    }
    assets.sort_by(|a, b| (&a.record.id, &a.place).cmp(&(&b.record.id, &b.place)));
    for pair in assets.windows(2) {
        if pair[0].record.id == pair[1].record.id && pair[0].kind == pair[1].kind {
            warnings.push(format!(
                "two assets are named `{}`: {} and {}",
                pair[0].record.id, pair[0].place.path, pair[1].place.path
            ));
        }
    }
    let warnings = warnings.0.iter().map(|text| against(folder, text));
    let root = ScannedRoot {
        path: root.name.clone(),
        warnings: warnings.collect(),
        assets,
    };
    Ok((root, read))
}

/// What an earlier scan of the same root says, by place.
struct Known<'a> {
    assets: BTreeMap<&'a ScannedPlace, &'a ScannedAsset>,
    before_ns: i64,
}

impl<'a> Known<'a> {
    fn of(previous: &'a Previous, name: &str) -> Self {
        let roots = previous.assets.roots.iter();
        let assets = roots.filter(|root| root.path == name);
        Self {
            assets: assets
                .flat_map(|root| &root.assets)
                .map(|asset| (&asset.place, asset))
                .collect(),
            before_ns: previous.written_ns - TICK_NS,
        }
    }

    fn unchanged(&self, place: &ScannedPlace, folder: &Path) -> Option<&ScannedAsset> {
        let asset = self.assets.get(place)?;
        is_unchanged(&asset.content, folder, self.before_ns).then_some(*asset)
    }
}

/// The entry of one asset; with the bytes that had to be read for it.
fn look(
    candidate: &Candidate,
    folder: &Path,
    known: Option<&Known>,
    large: &Mutex<()>,
) -> (ScannedAsset, Option<u64>) {
    let (file, inside) = match &candidate.files {
        Files::Folder(within) => (within.join(&candidate.main), None),
        Files::Archive(path) => (path.clone(), Some(candidate.main.clone())),
    };
    let place = ScannedPlace {
        path: relative(&file, folder),
        inside,
        simulation: candidate.simulation.clone(),
        meant_as: candidate.meant_as,
    };
    let unchanged = known.and_then(|known| known.unchanged(&place, folder));
    let mut record = candidate.record.clone();
    let (kind, content, read) = if let Some(asset) = unchanged {
        record.blake3.clone_from(&asset.record.blake3);
        (asset.kind, asset.content.clone(), None)
    } else {
        let is_large = std::fs::metadata(&file).is_ok_and(|data| data.len() > LARGE_FILE);
        let _alone = is_large.then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
        let (kind, blake3, content) = inspect(candidate, folder);
        record.blake3 = blake3;
        let bytes = content.bytes;
        (kind, content, Some(bytes))
    };
    if let Some(stated) = &content.stated {
        state_terms(&mut record, stated);
    }
    let asset = ScannedAsset {
        record,
        kind,
        place,
        content,
    };
    (asset, read)
}
