//! Faults of Vulkan's loader and of its drivers' description files (ICDs), with what mends them.

use std::path::{Path, PathBuf};

use diorama_render::gpu::{library_loads, loader_is_there};
use serde::Serialize;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Vulkan {
    /// The loader's library can be loaded.
    loader: bool,
    drivers: Vec<Driver>,
}

/// A file that describes a driver.
#[derive(Debug, Serialize)]
struct Driver {
    file: PathBuf,
    /// What is wrong with it, and what mends it.
    fault: Option<String>,
}

impl Vulkan {
    /// Looks where the loader does.
    pub(super) fn look() -> Self {
        Self {
            loader: loader_is_there(),
            drivers: description_files()
                .into_iter()
                .map(|file| Driver {
                    fault: fault_of(&file),
                    file,
                })
                .collect(),
        }
    }

    /// Only what stands in the way.
    pub(super) fn in_words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.loader {
            lines.push(
                "Vulkan: no loader (libvulkan.so.1); Debian and Ubuntu: `apt install libvulkan1`"
                    .into(),
            );
        } else if self.drivers.is_empty() {
            lines.push(
                "Vulkan: the loader is there, but no driver; install that of your GPU".into(),
            );
        }
        for driver in &self.drivers {
            if let Some(fault) = &driver.fault {
                lines.push(format!("Vulkan driver {}: {fault}", driver.file.display()));
            }
        }
        lines
    }
}

/// The description files in the loader's order.
fn description_files() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let places: Vec<PathBuf> =
        if let Some(list) = set("VK_DRIVER_FILES").or_else(|| set("VK_ICD_FILENAMES")) {
            std::env::split_paths(&list).collect()
        } else {
            let below = |name: &str| set(name).map(|dir| PathBuf::from(dir).join("vulkan/icd.d"));
            let home = set("HOME").map(|dir| PathBuf::from(dir).join(".local/share/vulkan/icd.d"));
            let fixed = [
                "/etc/vulkan/icd.d",
                "/usr/local/share/vulkan/icd.d",
                "/usr/share/vulkan/icd.d",
            ];
            below("XDG_CONFIG_HOME")
                .into_iter()
                .chain(below("XDG_DATA_HOME").or(home))
                .chain(fixed.map(PathBuf::from))
                .collect()
        };
    places.iter().flat_map(|place| files_of(place)).collect()
}

/// A file itself, or the .json files of a folder in order.
fn files_of(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        // One that was named and is not there is worth a word; a folder that is not there is not.
        let named = place.extension().is_some_and(|e| e == "json");
        return if named {
            vec![place.into()]
        } else {
            Vec::new()
        };
    }
    let Ok(entries) = fs_err::read_dir(place) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
}

/// What is wrong with a description file.
fn fault_of(file: &Path) -> Option<String> {
    let text = match fs_err::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Some(format!("cannot be read ({})", error.kind())),
    };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
        return Some("is not JSON; reinstall the driver, or delete the file".into());
    };
    let Some(library) = json.pointer("/ICD/library_path").and_then(|v| v.as_str()) else {
        return Some("names no library; reinstall the driver, or delete the file".into());
    };
    let path = match file.parent() {
        // A path is relative to the file, a bare name is looked up by the system.
        Some(folder) if library.contains('/') => folder.join(library),
        _ => PathBuf::from(library),
    };
    let loads = library_loads(&path.to_string_lossy());
    (!loads).then(|| {
        format!("its library {library} cannot be loaded; reinstall the driver, or delete the file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_description_files_are_named_with_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let with = |name: &str, text: &str| {
            let file = dir.path().join(name);
            fs_err::write(&file, text).unwrap();
            fault_of(&file).unwrap()
        };
        assert!(with("a.json", "{").contains("not JSON"));
        assert!(with("b.json", "{}").contains("names no library"));
        let missing = r#"{"ICD": {"library_path": "./no_such_driver.so"}}"#;
        assert!(with("c.json", missing).contains("no_such_driver.so"));
        assert!(fault_of(&dir.path().join("d.json")).is_some_and(|f| f.contains("cannot be read")));
        let found: Vec<_> = files_of(dir.path());
        assert_eq!(found.len(), 3);
    }
}
