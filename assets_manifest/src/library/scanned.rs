//! A library as a scan has written it down: what can be used of it, without looking for it again.

use std::path::{Path, PathBuf};

use super::{Files, Found, Place};
use crate::scan::{Kind, Previous, ScannedAsset};

/// Objects and environments of the manifest `path` that can be used. `None`: it is something else.
pub(super) fn found(path: &Path) -> Option<Vec<Found>> {
    if path.extension().is_none_or(|found| found != "json") {
        return None;
    }
    let previous = Previous::read(path).ok().flatten()?;
    let roots = previous.roots(path);
    let of_roots = roots.iter().zip(&previous.assets.roots);
    Some(
        of_roots
            .flat_map(|(root, scanned)| {
                let assets = scanned.assets.iter();
                assets.filter_map(|asset| usable(asset, &root.path))
            })
            .collect(),
    )
}

fn usable(asset: &ScannedAsset, root: &Path) -> Option<Found> {
    if asset.content.unusable.is_some() {
        return None;
    }
    let file = root.join(&asset.place.path);
    let (files, main) = match &asset.place.inside {
        Some(inside) => (Files::Archive(file), inside.clone()),
        None => (
            Files::Folder(file.parent().map_or_else(PathBuf::new, Path::to_owned)),
            file.file_name()?.to_str()?.to_owned(),
        ),
    };
    let place = match asset.kind {
        Kind::Object => Place::Object {
            files,
            render: main,
            simulation: asset.place.simulation.clone(),
        },
        Kind::Environment => Place::Environment {
            files,
            picture: main,
        },
        Kind::Character | Kind::Motion => return None,
    };
    let mut record = asset.record.clone();
    // As for every asset of a library: the hash comes with use.
    record.blake3.clear();
    Some(Found { record, place })
}
