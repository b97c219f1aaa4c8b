//! Which assets a folder holds: names and small text files only.

use std::path::Path;

use super::noun::Kind;
use crate::decode::Format;
use crate::library::terms::{self, TermsReader};
use crate::library::{Files, Found, Place, blank_record, folder};
use crate::workspace::layout::Layout;
use crate::{AssetError, AssetRecord, Warnings};

/// An asset that was found and not looked into yet.
pub(super) struct Candidate {
    pub(super) record: AssetRecord,
    pub(super) files: Files,
    /// Its file among `files`.
    pub(super) main: String,
    pub(super) simulation: Option<String>,
    /// What its place says it is.
    pub(super) meant_as: Option<Kind>,
}

/// Everything in `path`: a workspace of characters (`raw/`), or what `--assets` takes. Files that cannot
/// be read as what they seem to be, such as a broken Kubric manifest, are warnings.
///
/// # Errors
/// When the folder itself cannot be read.
pub(super) fn walk(path: &Path, warnings: &mut Warnings) -> Result<Vec<Candidate>, AssetError> {
    let mut terms = TermsReader::default();
    let raw = path.join("raw");
    if raw.is_dir() {
        return workspace(&raw, &mut terms, warnings);
    }
    if path.file_name().is_some_and(|name| name == "raw") && path.is_dir() {
        return workspace(path, &mut terms, warnings);
    }
    let found = folder::scan(path, folder::Faults::AreWarnings, &mut terms, warnings)?;
    if found.is_empty() {
        warnings.push("there is no asset in it");
    }
    Ok(found.into_iter().map(candidate).collect())
}

fn candidate(found: Found) -> Candidate {
    let Found { record, place } = found;
    match place {
        Place::Object {
            files,
            render,
            simulation,
        } => {
            // Kubric's assets are objects; of other models their content decides.
            let is_object = simulation.is_some()
                || matches!(files, Files::Archive(_))
                || Format::of(Path::new(&render)) == Some(Format::Obj);
            Candidate {
                record,
                files,
                main: render,
                simulation,
                meant_as: is_object.then_some(Kind::Object),
            }
        }
        Place::Environment { files, picture } => Candidate {
            record,
            files,
            main: picture,
            simulation: None,
            meant_as: Some(Kind::Environment),
        },
    }
}

fn workspace(
    raw: &Path,
    terms: &mut TermsReader,
    warnings: &mut Warnings,
) -> Result<Vec<Candidate>, AssetError> {
    let layout = Layout::read(raw)?;
    for words in layout.warnings.0 {
        warnings.push(words);
    }
    let mut all = Vec::new();
    for character in &layout.characters {
        let motions = character.motions.iter();
        let motions = motions.map(|(id, file)| (id, file, Kind::Motion));
        let own = (&character.id, &character.file, Kind::Character);
        for (id, file, kind) in std::iter::once(own).chain(motions) {
            all.extend(rigged(id, file, kind, terms, warnings));
        }
    }
    if let Some(skybox) = &layout.skybox {
        let found = folder::scan(skybox, folder::Faults::AreWarnings, terms, warnings)?;
        all.extend(found.into_iter().map(candidate));
    }
    if layout.characters.is_empty() {
        warnings.push(format!(
            "{}: there is no character in it (<name>/<name>.fbx and <name>/motion/*.fbx)",
            raw.display()
        ));
    }
    Ok(all)
}

/// A file of a workspace, with the terms found beside it.
fn rigged(
    id: &str,
    file: &Path,
    kind: Kind,
    terms: &mut TermsReader,
    warnings: &mut Warnings,
) -> Option<Candidate> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        warnings.push(format!(
            "{}: its name is not UTF-8; left out",
            file.display()
        ));
        return None;
    };
    let mut record = blank_record(id);
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
    let names = [name, &folder_name, terms::distinctive_stem(name)];
    terms.fill(&mut record, folder, folder, &names);
    Some(Candidate {
        record,
        files: Files::Folder(folder.to_owned()),
        main: name.to_owned(),
        simulation: None,
        meant_as: Some(kind),
    })
}
