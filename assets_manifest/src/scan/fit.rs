//! Do the motions of a workspace fit its characters?

use std::collections::BTreeSet;
use std::path::Path;

use super::noun::{Kind, ScannedRoot};
use crate::{AssetError, AssetSource as _, Workspace, retarget};

/// Motions of the workspace at `path` that cannot be carried over to their character, with the reason,
/// by id. Those that cannot be read are not named again. Nothing for a folder that is no workspace.
///
/// # Errors
/// When the workspace can no longer be opened.
pub fn misfits(path: &Path, scanned: &ScannedRoot) -> Result<Vec<(String, String)>, AssetError> {
    let has = |kind: Kind| scanned.assets.iter().any(|asset| asset.kind == kind);
    let base = if path.join("raw").is_dir() {
        path
    } else if path.file_name().is_some_and(|name| name == "raw") {
        path.parent().unwrap_or(path)
    } else {
        return Ok(Vec::new());
    };
    if !(has(Kind::Character) && has(Kind::Motion)) {
        return Ok(Vec::new());
    }
    let unusable: BTreeSet<&str> = scanned
        .assets
        .iter()
        .filter(|asset| asset.content.unusable.is_some())
        .map(|asset| asset.record.id.as_str())
        .collect();
    let (workspace, _) = Workspace::open(base)?;
    let mut found = Vec::new();
    for character in workspace.characters() {
        if unusable.contains(character.id.as_str()) {
            continue;
        }
        let model = workspace.model(&character.id)?;
        for id in &character.motions {
            if *id == character.id || unusable.contains(id.as_str()) {
                continue;
            }
            let Some(rig) = &model.rig else {
                let reason = format!("its character `{}` has no skeleton", character.name);
                found.push((id.clone(), reason));
                continue;
            };
            if let Err(error) = retarget(rig, &*workspace.motion(id)?) {
                found.push((id.clone(), error.to_string()));
            }
        }
    }
    found.sort();
    Ok(found)
}
