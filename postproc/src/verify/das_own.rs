//! Whose the parts of a Diffusion-as-Shader dataset are: a line of the lists is about one sample, and what
//! lies under the names in it is that sample's own.
//!
//! Our own samples say it themselves: `samples/<id>/` is checked against the journal, the files that the
//! trainer opens (hard links, or copies) against `samples/<id>/`. Merged datasets have the hash of every file. Of
//! other tools' only the names can be judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::das::das_laws;
use super::report::{SampleFindings, laws};
use crate::dataset::das::{
    CHECKSUMS, Line, das_sample_folder, das_sample_ids, foreign_names, is_complete_das, main_names,
    own_prompt, read_csv,
};
use crate::dataset::{read_journals, read_json};
use crate::error::Result;
use crate::sample::{hash_file, hash_files};

/// Checks the samples, then the `lines` of the lists and of dataset.csv.
pub(super) fn check(dataset: &Path, lines: &[Line], findings: &mut SampleFindings) -> Result<()> {
    let prompts = check_samples(dataset, lines, findings)?;
    check_merged(dataset, findings)?;
    let owners = Owners::new(lines, &prompts);
    for line in lines {
        findings.check(das_laws::BELONG, owners.fault(line));
    }
    if let Some(rows) = read_csv(dataset) {
        let has_images = lines.iter().all(|line| !line.image.is_empty());
        let files = |line: &Line| {
            let image = has_images.then(|| line.image.clone());
            (line.video.clone(), line.tracking.clone(), image)
        };
        let is_alike = rows.iter().map(files).eq(lines.iter().map(files));
        let other = (!is_alike).then(|| "dataset.csv has other files than the lists".to_owned());
        let fault = other.or_else(|| rows.iter().find_map(|row| owners.fault(row)));
        findings.check(das_laws::BELONG, fault);
    }
    Ok(())
}

/// Files of a merged dataset against what was put there.
fn check_merged(dataset: &Path, findings: &mut SampleFindings) -> Result<()> {
    let path = dataset.join(CHECKSUMS);
    if !path.is_file() {
        return Ok(());
    }
    let given: BTreeMap<String, String> = read_json(&path)?;
    for (name, hash) in given {
        let is_same = hash_file(&dataset.join(&name)).is_ok_and(|found| found == hash);
        findings.check(laws::HASHES, (!is_same).then_some(name));
    }
    Ok(())
}

/// Samples against the journal, their published files against them, and samples that no list has.
/// Returns the prompts of all complete samples, by id.
fn check_samples(
    dataset: &Path,
    lines: &[Line],
    findings: &mut SampleFindings,
) -> Result<BTreeMap<String, String>> {
    let listed: BTreeSet<&str> = lines.iter().map(|line| line.video.as_str()).collect();
    let done = read_journals(dataset)?.done;
    let mut ids: BTreeSet<String> = das_sample_ids(dataset)?.into_iter().collect();
    ids.extend(done.keys().cloned());
    let mut prompts = BTreeMap::new();
    for id in ids {
        let folder = das_sample_folder(dataset, &id);
        let is_there = is_complete_das(&folder);
        if let Some(entry) = done.get(&id) {
            findings.check(
                laws::FILES,
                (!is_there).then(|| format!("the journal calls {id} done, but it is not complete")),
            );
            if is_there {
                let found = hash_files(&folder)?;
                let names = entry.files.keys().chain(found.keys());
                let other = names
                    .filter(|name| entry.files.get(*name) != found.get(*name))
                    .min();
                findings.check(laws::HASHES, other.map(|name| format!("{id}/{name}")));
            }
        }
        if !is_there {
            continue;
        }
        let [video, _, image] = main_names(&id);
        let mut foreign = foreign_names(dataset, &id)?;
        let picture = foreign.iter().position(|name| *name == image);
        let fault = picture.map(|at| {
            let name = foreign.remove(at);
            format!("{name} is another picture: run `diorama index`")
        });
        findings.check(das_laws::IMAGES, fault);
        let fault = foreign
            .first()
            .map(|name| format!("{name} is not what samples/{id} has: run `diorama index`"));
        findings.check(das_laws::OWN, fault);
        if listed.contains(video.as_str()) {
            findings.measure(das_laws::UNLISTED, None, 0.0);
        } else {
            let words = format!("{id} is done but not listed: run `diorama index`");
            findings.warn(das_laws::UNLISTED, words);
        }
        prompts.insert(id.clone(), own_prompt(dataset, &id)?);
    }
    Ok(prompts)
}

/// What is known of who owns what.
struct Owners<'a> {
    /// Stems of videos, listed or of complete samples: files are called after them.
    stems: BTreeSet<&'a str>,
    /// Prompts of complete samples by video.
    prompts: BTreeMap<String, &'a str>,
    /// The same, all of them.
    texts: BTreeSet<&'a str>,
}

impl<'a> Owners<'a> {
    fn new(lines: &'a [Line], prompts: &'a BTreeMap<String, String>) -> Self {
        let ids = prompts.keys().map(String::as_str);
        let by_video = |(id, prompt): (&String, &'a String)| {
            let [video, _, _] = main_names(id);
            (video, prompt.as_str())
        };
        Self {
            stems: lines
                .iter()
                .map(|line| stem(&line.video))
                .chain(ids)
                .collect(),
            prompts: prompts.iter().map(by_video).collect(),
            texts: prompts.values().map(String::as_str).collect(),
        }
    }

    /// What of this line is another's. Prompts may be rewritten, but not be exchanged.
    fn fault(&self, line: &Line) -> Option<String> {
        let own = stem(&line.video);
        for name in [&line.tracking, &line.image] {
            let whole = stem(name);
            let base = whole.strip_suffix("_tracking").unwrap_or(whole);
            if whole != own && base != own && self.stems.contains(base) {
                return Some(format!("{name} stands beside {}", line.video));
            }
        }
        let prompt = self.prompts.get(&line.video)?;
        (line.prompt != *prompt && self.texts.contains(line.prompt.as_str()))
            .then(|| format!("{} has the prompt of another: {}", line.video, line.prompt))
    }
}

/// The name of a file without folders and ending.
fn stem(name: &str) -> &str {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
    stem.unwrap_or(name)
}
