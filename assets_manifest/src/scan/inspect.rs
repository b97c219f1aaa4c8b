//! One asset's files to what is written down about it.

use std::path::{Path, PathBuf};

use super::noun::{
    Content, Fault, Kind, MeshFacts, PictureFacts, ScannedFile, SkeletonFacts, Stamp, TakeFacts,
};
use super::skeleton;
use super::walk::Candidate;
use crate::decode::{self, Format, Source};
use crate::library::Files;
use crate::{AssetError, Model, Motion, Pixels};

/// Reads everything of one asset: what it is, its hash, what is in it. A fault of it is part of the answer.
pub(super) fn inspect(candidate: &Candidate, root: &Path) -> (Kind, String, Content) {
    let mut content = Content::default();
    let mut blake3 = String::new();
    let packed = archive_stamp(&candidate.files, root);
    let opened = candidate.files.open();
    let (kind, read, source) = match opened {
        Ok(mut source) => {
            let read = read(candidate, &mut source, &mut content);
            (read.as_ref().ok().copied(), read.err(), Some(source))
        }
        Err(error) => {
            content.files.extend(packed);
            (None, Some(error), None)
        }
    };
    let words = |text: &str| against(root, text);
    if let Some(source) = source {
        blake3 = source.digest_or_none();
        content.stated.clone_from(&source.attribution);
        content.missing = source.missing.iter().cloned().collect();
        content.warnings = source.warnings.0.iter().map(|text| words(text)).collect();
        content.files = source
            .touched
            .iter()
            .map(|(path, stamp)| ScannedFile {
                path: relative(path, root),
                stamp: *stamp,
            })
            .collect();
    }
    if let Some(error) = read {
        content.unusable = Some(Fault {
            reason: words(&error.to_string()),
            hint: error.hint().map(str::to_owned),
        });
        let refused = matches!(&error, AssetError::Read { .. }) && !error.is_not_found();
        let is_known = content.files.iter().any(|file| file.stamp.is_some());
        if refused || !is_known {
            // Nothing that a stamp would tell: looked at again next time.
            content.files.clear();
        }
    }
    content.files.sort_by(|a, b| a.path.cmp(&b.path));
    content.bytes = (content.files.iter())
        .filter_map(|file| file.stamp)
        .map(|stamp| stamp.bytes)
        .sum();
    let promised = candidate.meant_as.unwrap_or_else(|| promise(candidate));
    (kind.unwrap_or(promised), blake3, content)
}

/// The archive that the files are in, as it is before anybody opens it: one that cannot be opened is known
/// by this when it is met again.
fn archive_stamp(files: &Files, root: &Path) -> Option<ScannedFile> {
    let Files::Archive(path) = files else {
        return None;
    };
    let data = std::fs::metadata(path).ok()?;
    Some(ScannedFile {
        path: relative(path, root),
        stamp: Some(Stamp::of(&data)),
    })
}

/// What the name of a file promises.
fn promise(candidate: &Candidate) -> Kind {
    match Format::of(Path::new(&candidate.main)) {
        Some(Format::Radiance | Format::Picture) => Kind::Environment,
        _ => Kind::Object,
    }
}

fn read(
    candidate: &Candidate,
    source: &mut Source,
    content: &mut Content,
) -> Result<Kind, AssetError> {
    let name = candidate.main.as_str();
    match candidate.meant_as {
        Some(Kind::Environment) => environment(source, name, content),
        Some(Kind::Motion) => motion(source, name, content),
        Some(Kind::Character) => {
            let model = decode::load_character(source, name)?;
            character(&model, source, name, content);
            Ok(Kind::Character)
        }
        Some(Kind::Object) => {
            let mut model = decode::load_object(source, name)?;
            if let Some(simulation) = &candidate.simulation {
                match decode::collision::load(source, simulation) {
                    Ok(pieces) => model.convex_pieces = pieces,
                    Err(error) => {
                        let words = format!("the collision geometry is left out: {error}");
                        source.warnings.push(words);
                    }
                }
            }
            content.mesh = Some(mesh_facts(&model));
            Ok(Kind::Object)
        }
        None => loose(source, name, content),
    }
}

/// A model file of which nobody says what it is for.
fn loose(source: &mut Source, name: &str, content: &mut Content) -> Result<Kind, AssetError> {
    if Format::of(Path::new(name)) == Some(Format::Obj) {
        content.mesh = Some(mesh_facts(&decode::load_object(source, name)?));
        return Ok(Kind::Object);
    }
    let warnings = source.warnings.clone();
    let error = match decode::load_moving(source, name) {
        Ok(model) if model.rig.is_some() => {
            character(&model, source, name, content);
            return Ok(Kind::Character);
        }
        Ok(model) => {
            content.mesh = Some(mesh_facts(&model));
            return Ok(Kind::Object);
        }
        Err(error) => error,
    };
    // Motions come without meshes.
    if !matches!(error, AssetError::Unusable { .. }) {
        return Err(error);
    }
    source.warnings = warnings;
    motion(source, name, content).map_err(|_| error)
}

fn character(model: &Model, source: &mut Source, name: &str, content: &mut Content) {
    let facts = mesh_facts(model);
    if let Some(rig) = &model.rig {
        content.skeleton = Some(skeleton::facts(&rig.joints, rig.morph_names.len()));
        let label = source.path_of(name).display().to_string();
        for words in skeleton::odd_pose(rig, facts.high[2] - facts.low[2]) {
            source.warnings.push(format!("{label}: {words}"));
        }
    }
    content.mesh = Some(facts);
    content.takes = model.motions.iter().map(take_facts).collect();
}

fn motion(source: &mut Source, name: &str, content: &mut Content) -> Result<Kind, AssetError> {
    let motions = decode::load_motions(source, name)?;
    if let Some(first) = motions.first() {
        content.skeleton = Some(SkeletonFacts {
            morphs: first.morph_names.len() as u32,
            ..skeleton::facts(&first.joints, 0)
        });
    }
    if motions.iter().all(|motion| motion.frames.len() < 2) {
        let label = source.path_of(name).display().to_string();
        source.warnings.push(format!(
            "{label}: no take has more than one frame: a clip of it stands still"
        ));
    }
    content.takes = motions.iter().map(take_facts).collect();
    Ok(Kind::Motion)
}

fn environment(source: &mut Source, name: &str, content: &mut Content) -> Result<Kind, AssetError> {
    let map = decode::environment::load(source, name)?.map;
    let brightest = match &map.image.pixels {
        Pixels::RgbF32(texels) => texels.iter().flatten().fold(0.0f32, |a, b| a.max(*b)),
        Pixels::Rgba8(_) => 1.0,
    };
    content.picture = Some(PictureFacts {
        width: map.image.width,
        height: map.image.height,
        brightest,
        description: map.description,
    });
    Ok(Kind::Environment)
}

fn mesh_facts(model: &Model) -> MeshFacts {
    let bounds = model.meshes.iter().filter_map(|mesh| mesh.bounds());
    let (low, high) = bounds
        .reduce(|(low, high), (l, h)| (low.min(l), high.max(h)))
        .unwrap_or_default();
    MeshFacts {
        triangles: model.meshes.iter().map(|m| m.triangles.len() as u64).sum(),
        vertices: model.meshes.iter().map(|m| m.positions.len() as u64).sum(),
        materials: model.materials.len() as u32,
        textures: model.images.len() as u32,
        convex_pieces: model.convex_pieces.len() as u32,
        low: low.to_array(),
        high: high.to_array(),
    }
}

fn take_facts(motion: &Motion) -> TakeFacts {
    TakeFacts {
        name: motion.name.clone(),
        frames: motion.frames.len() as u32,
        rate_hz: motion.rate_hz,
        secs: motion.duration_secs(),
    }
}

/// The same words with paths below the root as they are below it.
pub(super) fn against(root: &Path, text: &str) -> String {
    let root = root.to_string_lossy();
    let root = match root.trim_end_matches('/') {
        "" => "./".to_owned(),
        root => format!("{root}/"),
    };
    // Only where a path begins: `../x` holds `./`, and `/a/b/` holds `b/`.
    let begins = |before: &str| {
        let last = before.chars().next_back();
        !last.is_some_and(|c| c.is_alphanumeric() || "/._-~".contains(c))
    };
    let mut shortened = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&root) {
        let (before, after) = rest.split_at(at);
        shortened.push_str(before);
        let kept = if begins(&text[..text.len() - after.len()]) {
            ""
        } else {
            &root
        };
        shortened.push_str(kept);
        rest = &after[root.len()..];
    }
    shortened + rest
}

/// A path below or beside the root, with `/`.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    let path: PathBuf = path.components().collect();
    let below = path.strip_prefix(root).unwrap_or(&path);
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let joined = parts.join("/");
    match joined.strip_prefix("//") {
        Some(absolute) => format!("/{absolute}"),
        None => joined,
    }
}

/// Are all files as they were? `before_ns`: what changed later than that may have changed once more
/// within the same tick of the file system's clock.
pub(super) fn is_unchanged(content: &Content, root: &Path, before_ns: i64) -> bool {
    !content.files.is_empty()
        && content.files.iter().all(|file| {
            let now = std::fs::metadata(root.join(&file.path));
            match (&file.stamp, now) {
                (Some(stamp), Ok(now)) => {
                    *stamp == Stamp::of(&now) && stamp.modified_ns < before_ns
                }
                (None, now) => !now.is_ok_and(|now| now.is_file()),
                (Some(_), Err(_)) => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shortened_where_they_begin_below_the_root_only() {
        let told = |root: &str, text: &str| against(Path::new(root), text);
        assert_eq!(
            told("/lib/kub", "cannot read /lib/kub/a/b.obj"),
            "cannot read a/b.obj"
        );
        assert_eq!(told("kub/", "kub/a.obj: \"kub/t.png\""), "a.obj: \"t.png\"");
        let elsewhere = "cannot decode /lib/kub/a.tar.gz, mykub/x";
        assert_eq!(told("kub", elsewhere), elsewhere);
        assert_eq!(
            told(".", "./a.fbx: texture ../../t.png"),
            "a.fbx: texture ../../t.png"
        );
    }
}
