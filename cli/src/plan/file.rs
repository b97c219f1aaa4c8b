//! plan.toml: a plan as it lies in the folder of what was made with it.

use std::path::Path;

use anyhow::Result;
use diorama_postproc::dataset::Turn;
use diorama_video::fsx;
use serde::Serialize;
use toml::{Table, Value};

use super::layers;
use crate::backend::BackendSetting;
use crate::exit::UserError;

/// Name of the file in the output folder.
const FILE_NAME: &str = "plan.toml";

/// A plan as TOML, with a line that says what it is.
pub(super) fn to_toml(plan: &impl Serialize) -> Result<String> {
    let mut text =
        String::from("# Everything that decides what the samples of this folder look like.\n");
    text.push_str(&toml::to_string(plan)?);
    Ok(text)
}

/// `key (value there, value here)` for every value in which a stored plan differs.
pub(super) fn differences(plan: &impl Serialize, stored: &Table) -> Result<Vec<String>> {
    let ours: Vec<(String, Value)> = layers::leaves(&Table::try_from(plan)?);
    let theirs = layers::leaves(stored);
    let find = |list: &[(String, Value)], key: &str| {
        list.iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.to_string())
    };
    let mut keys: Vec<&String> = ours.iter().chain(&theirs).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    Ok(keys
        .into_iter()
        .filter_map(|key| {
            let (here, there) = (find(&ours, key), find(&theirs, key));
            let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".into());
            (here != there).then(|| format!("{key} ({} there, {} here)", shown(there), shown(here)))
        })
        .collect())
}

/// The backend that a folder's samples were made with, where it has any.
pub fn backend_of_folder(dir: &Path) -> Option<BackendSetting> {
    let text = fs_err::read_to_string(dir.join(FILE_NAME)).ok()?;
    let stored: Table = toml::from_str(&text).ok()?;
    let backend = stored.get("picture")?.get("backend")?;
    backend.as_str()?.parse().ok()
}

/// Refuses a folder that was made with another plan.
pub fn check_folder(plan: &impl Serialize, dir: &Path) -> Result<()> {
    let path = dir.join(FILE_NAME);
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let stored: Table = toml::from_str(&text).map_err(|error| {
        UserError::new(format!(
            "{} is damaged: {}",
            path.display(),
            error.message().trim()
        ))
        .hint("choose another `--output-dir`")
    })?;
    let differences = differences(plan, &stored)?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(UserError::new(format!(
        "{} was made with another plan: {}",
        dir.display(),
        differences.join(", ")
    ))
    .hint("choose another `--output-dir`, or repeat the values of its plan.toml with `--config`")
    .into())
}

/// Does a folder have a plan?
pub fn has_plan(dir: &Path) -> bool {
    dir.join(FILE_NAME).exists()
}

/// Takes the plan of a folder away in which nothing was made.
pub fn forget_plan(dir: &Path) -> Result<()> {
    let path = dir.join(FILE_NAME);
    if path.exists() {
        fs_err::remove_file(&path)?;
    }
    Ok(())
}

/// Writes plan.toml unless it is there; [`check_folder`] has compared it.
pub fn write_plan(plan: &impl Serialize, dir: &Path) -> Result<()> {
    let path = dir.join(FILE_NAME);
    if !path.exists() {
        let _turn = Turn::take(dir)?;
        fsx::write_atomic(&path, to_toml(plan)?.as_bytes())?;
    }
    Ok(())
}
