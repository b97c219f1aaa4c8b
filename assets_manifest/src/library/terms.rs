//! Licences and attribution found beside assets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::AssetRecord;
use crate::decode::read_disk;

/// Licence of an asset beside which none was found.
pub(super) const UNKNOWN: &str = "unknown";
/// Folders above the library in which ATTRIBUTION.md is looked for.
const LEVELS_UP: usize = 2;

/// Looks terms up, reading each text file once.
#[derive(Default)]
pub(crate) struct TermsReader {
    attributions: BTreeMap<PathBuf, Option<String>>,
    licenses: BTreeMap<PathBuf, Option<String>>,
}

impl TermsReader {
    /// Fills in licence and attribution of a record that has none yet. `folder` holds the asset,
    /// `root` is the library's folder; `names` are what an ATTRIBUTION.md may call it, the surest
    /// first.
    ///
    /// A line of ATTRIBUTION.md that mentions one of the names wins over a LICENSE file; LICENSE
    /// files are taken from the asset's folder and the library's, not from above, where they may
    /// belong to something else.
    pub(crate) fn fill(
        &mut self,
        record: &mut AssetRecord,
        folder: &Path,
        root: &Path,
        names: &[&str],
    ) {
        let above = root.ancestors().skip(1).take(LEVELS_UP);
        let places = [folder, root].into_iter().chain(above);
        for place in places {
            let Some(text) = self.attribution(place) else {
                continue;
            };
            let found = names
                .iter()
                .find_map(|name| text.lines().find(|line| mentions(line, &[name])));
            let Some(line) = found else {
                continue;
            };
            let (license, words) = parse_line(line, names);
            if record.license == UNKNOWN
                && let Some(license) = license
            {
                record.license = license;
            }
            if record.attribution.is_empty() {
                record.attribution = words;
            }
            break;
        }
        if record.license == UNKNOWN
            && let Some(license) = self.license(folder).or_else(|| self.license(root))
        {
            record.license = license;
        }
    }

    fn attribution(&mut self, folder: &Path) -> Option<&str> {
        self.attributions
            .entry(folder.to_owned())
            .or_insert_with(|| text_of(&folder.join("ATTRIBUTION.md")))
            .as_deref()
    }

    fn license(&mut self, folder: &Path) -> Option<String> {
        self.licenses
            .entry(folder.to_owned())
            .or_insert_with(|| {
                let mut names: Vec<PathBuf> = fs::read_dir(folder)
                    .ok()?
                    .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                    .filter(|path| {
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        let name = name.to_ascii_lowercase();
                        name.starts_with("license") || name.starts_with("licence")
                    })
                    .collect();
                names.sort();
                let path = names.first()?;
                let text = text_of(path)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                Some(spdx(&text).unwrap_or_else(|| format!("see {name}")))
            })
            .clone()
    }
}

fn text_of(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let bytes = read_disk(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Does the line contain one of the names as a whole word?
fn mentions(line: &str, names: &[&str]) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    names.iter().any(|name| {
        !name.is_empty()
            && line.match_indices(name).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + name.len()..].chars().next();
                !before.is_some_and(inside) && !after.is_some_and(inside)
            })
    })
}

/// The name without extension where it is no common word, so that a line that means another file
/// will hardly contain it; else empty.
pub(crate) fn distinctive_stem(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem.contains('_') && stem.len() >= 8 && stem != "visual_geometry" {
        stem
    } else {
        ""
    }
}

/// Licence and words of a line; the cells of a Markdown table are taken apart.
fn parse_line(line: &str, names: &[&str]) -> (Option<String>, String) {
    if !line.trim_start().starts_with('|') {
        let words = line.trim_start_matches(['-', '*', ' ']).trim();
        return (spdx(line), words.to_owned());
    }
    let cells: Vec<&str> = line
        .trim()
        .trim_matches('|')
        .split('|')
        .map(str::trim)
        .collect();
    // The shortest cell that states a licence is the licence column; prose may mention others.
    let license_cell = cells
        .iter()
        .filter(|cell| spdx(cell).is_some())
        .min_by_key(|cell| cell.len());
    let license = license_cell.and_then(|cell| spdx(cell));
    let words: Vec<&str> = cells
        .iter()
        .filter(|cell| Some(*cell) != license_cell && !mentions(cell, names) && cell.len() > 2)
        .copied()
        .collect();
    (license, words.join("; "))
}

/// SPDX identifier of the licence that a text names, when it is one that assets come under.
pub(super) fn spdx(text: &str) -> Option<String> {
    let head: String = text.chars().take(4_000).collect();
    let dashed: String = head
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let text = words.join("-");
    let text = text
        .replace("creative-commons-attribution-sharealike", "cc-by-sa")
        .replace("creative-commons-attribution", "cc-by")
        .replace("-international", "");
    let words: Vec<&str> = text.split('-').collect();
    if words.contains(&"cc0") || text.contains("creative-commons-zero") {
        return Some("CC0-1.0".into());
    }
    for (at, pair) in words.windows(2).enumerate() {
        if pair != ["cc", "by"] {
            continue;
        }
        let mut id = String::from("CC-BY");
        let mut rest = words[at + 2..].iter().peekable();
        while let Some(part) = rest.next_if(|word| ["nc", "sa", "nd"].contains(*word)) {
            id = format!("{id}-{}", part.to_uppercase());
        }
        let version = rest
            .find(|word| word.chars().all(|c| c.is_ascii_digit()) && word.len() == 1)
            .copied()
            .unwrap_or("4");
        return Some(format!("{id}-{version}.0"));
    }
    if words.contains(&"apache") {
        return Some("Apache-2.0".into());
    }
    if words.contains(&"mit") {
        return Some("MIT".into());
    }
    if text.contains("bsd-3-clause") {
        return Some("BSD-3-Clause".into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_words_become_spdx() {
        for (words, id) in [
            ("CC BY 4.0", "CC-BY-4.0"),
            ("CC-BY-SA 3.0", "CC-BY-SA-3.0"),
            ("cc by-nc-nd 4.0", "CC-BY-NC-ND-4.0"),
            ("CC0 1.0", "CC0-1.0"),
            (
                "Creative Commons Attribution 4.0 International",
                "CC-BY-4.0",
            ),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("MIT License", "MIT"),
            (
                "license: CC-BY-4.0 (http://creativecommons.org/licenses/by/4.0/)",
                "CC-BY-4.0",
            ),
        ] {
            assert_eq!(spdx(words).as_deref(), Some(id), "{words}");
        }
        assert_eq!(spdx("all rights reserved"), None);
        assert_eq!(spdx("permitted by the author"), None);
    }

    #[test]
    fn table_rows_give_licence_and_author() {
        let row = "| cat.glb, dog.glb | \"Cat\" by Ankledot; playcanvas/engine | CC BY 4.0 | H |";
        assert!(mentions(row, &["cat.glb"]));
        assert!(!mentions(row, &["at.glb"]));
        assert!(!mentions("| ycb_011_banana_2 |", &["ycb_011_banana"]));
        let (license, words) = parse_line(row, &["cat.glb"]);
        assert_eq!(license.as_deref(), Some("CC-BY-4.0"));
        assert_eq!(words, "\"Cat\" by Ankledot; playcanvas/engine");
    }

    #[test]
    fn licence_files_count_for_their_folder_and_the_library_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("library");
        let inner = root.join("asset");
        fs::create_dir_all(&inner).unwrap();
        fs::write(folder.path().join("LICENSE"), "MIT License").unwrap();
        let record = |names: &[&str]| {
            let mut record = super::super::blank_record("asset");
            TermsReader::default().fill(&mut record, &inner, &root, names);
            record
        };
        assert_eq!(record(&["a.obj"]).license, UNKNOWN);
        fs::write(root.join("LICENSE.txt"), "CC0").unwrap();
        assert_eq!(record(&["a.obj"]).license, "CC0-1.0");
        fs::write(
            folder.path().join("ATTRIBUTION.md"),
            "- a.obj: Ada, CC BY 4.0\n",
        )
        .unwrap();
        let found = record(&["a.obj"]);
        assert_eq!(found.license, "CC-BY-4.0");
        assert_eq!(found.attribution, "a.obj: Ada, CC BY 4.0");
    }
}
