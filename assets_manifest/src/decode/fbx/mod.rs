//! FBX, and Wavefront OBJ with MTL, through `ufbx`.
//!
//! Materials follow Blender 4.3's importers of the two formats, so that a picture of the same file
//! can be compared.

mod body;
mod geometry;
mod material;
mod morphs;
mod skeleton;
mod takes;

use std::path::{Path, PathBuf};

use self::geometry::Joined;
use self::material::{MaterialReader, default_material};
use super::Source;
use super::textures::Textures;
use crate::{AssetError, Model};

pub(crate) use self::body::{load_character, load_motions, load_still};

/// Memory that `ufbx` may use for the file's content, and again while loading, bytes: at most, for any
/// file, and for each byte of it.
const MAX_UFBX_BYTES: usize = 2 << 30;
const FREE_UFBX_BYTES: usize = 256 << 20;
const MAX_UFBX_EXPANSION: usize = 64;
/// Depth of node hierarchies; deeper ones are taken for damaged.
const MAX_DEPTH: u32 = 1_000;

/// What the file is, and with it how coordinates and materials are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Kubric's convention: Z up, metres, coordinates as they are.
    Obj,
    /// Axes and unit stated by the file, converted to Z up and metres.
    Fbx,
}

/// Which of a file's content is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Meshes in their one pose.
    Still,
    /// Meshes, what moves them, and takes.
    Body,
    /// Joints and takes.
    Motion,
}

/// Reads and parses a file; its own complaints become warnings.
fn open(
    source: &mut Source,
    name: &str,
    dialect: Dialect,
    content: Content,
) -> Result<ufbx::SceneRoot, AssetError> {
    let bytes = source.read(name)?;
    let path = source.path_of(name);
    let scene = parse(source, name, &bytes, dialect, content)?;
    for warning in &scene.metadata.warnings {
        source
            .warnings
            .push(format!("{}: {}", path.display(), &*warning.description));
    }
    Ok(scene)
}

/// All materials of the file, and one more for faces without.
fn read_materials(
    source: &mut Source,
    name: &str,
    scene: &ufbx::Scene,
    dialect: Dialect,
    joined: &Joined,
    model: &mut Model,
) -> Result<(), AssetError> {
    let path: PathBuf = source.path_of(name);
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let mut textures = Textures::default();
    for material in &scene.materials {
        let mut reader = MaterialReader {
            source: &mut *source,
            textures: &mut textures,
            path: &path,
            folder,
            stem: &stem.to_string_lossy(),
        };
        model.materials.push(match dialect {
            Dialect::Obj => reader.obj(material)?,
            Dialect::Fbx => reader.fbx(material)?,
        });
    }
    if joined.uses_default {
        model.materials.push(default_material(dialect));
    }
    if model.materials.len() > usize::from(u16::MAX) {
        return Err(AssetError::Unusable {
            path,
            reason: format!("{} materials are too many", model.materials.len()),
        });
    }
    model.images = textures.images;
    Ok(())
}

/// Parses the bytes with limits; the MTL files of an OBJ are read through `source`, so that `ufbx`
/// opens no file itself.
pub(super) fn parse(
    source: &mut Source,
    name: &str,
    bytes: &[u8],
    dialect: Dialect,
    content: Content,
) -> Result<ufbx::SceneRoot, AssetError> {
    let held = bytes.len().saturating_mul(MAX_UFBX_EXPANSION);
    let limits = || ufbx::AllocatorOpts {
        memory_limit: MAX_UFBX_BYTES.min(held.saturating_add(FREE_UFBX_BYTES)),
        ..Default::default()
    };
    let mut options = ufbx::LoadOpts {
        temp_allocator: limits(),
        result_allocator: limits(),
        index_error_handling: ufbx::IndexErrorHandling::AbortLoading,
        node_depth_limit: MAX_DEPTH,
        ignore_animation: content == Content::Still,
        ignore_geometry: content == Content::Motion,
        ignore_embedded: content == Content::Motion,
        no_format_from_extension: true,
        ..Default::default()
    };
    match dialect {
        Dialect::Obj => {
            options.file_format = ufbx::FileFormat::Obj;
            // Faces with and without texture coordinates may stand in one mesh; positions are checked below.
            options.index_error_handling = ufbx::IndexErrorHandling::NoIndex;
            options.obj_mtl_data = material_libraries(source, name, bytes)?.into();
        }
        Dialect::Fbx => {
            options.file_format = ufbx::FileFormat::Fbx;
            options.target_axes = ufbx::axes_right_handed_z_up();
            options.target_unit_meters = 1.0;
            // Axes and unit go into the top nodes and the geometry, so that every transform is in
            // metres and the root is the model's own space.
            options.space_conversion = ufbx::SpaceConversion::ModifyGeometry;
            // Transforms then multiply up plainly, also where the file says that children do not
            // inherit a parent's scale.
            options.inherit_mode_handling = ufbx::InheritModeHandling::Compensate;
        }
    }
    let scene = ufbx::load_memory(bytes, options).map_err(|error| {
        let info = error.info();
        let detail = if info.is_empty() {
            String::new()
        } else {
            format!(" ({info})")
        };
        // ufbx has no more words where a part is not what others say of it.
        let description = match &*error.description {
            "Failed to load" => "the file is damaged: its parts contradict each other",
            description => description,
        };
        AssetError::Decode {
            path: source.path_of(name),
            reason: format!("{description}{detail}"),
        }
    })?;
    for mesh in &scene.meshes {
        let positions = &mesh.vertex_position;
        let last = positions.values.len();
        if (positions.indices.iter()).any(|index| *index as usize >= last) {
            return Err(AssetError::Decode {
                path: source.path_of(name),
                reason: format!("a face has an index beyond the last vertex ({last} vertices)"),
            });
        }
    }
    Ok(scene)
}

/// The text of every `mtllib` that is there; a missing one is a warning.
fn material_libraries(
    source: &mut Source,
    name: &str,
    bytes: &[u8],
) -> Result<Vec<u8>, AssetError> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut text = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(library) = line.trim_ascii().strip_prefix(b"mtllib") else {
            continue;
        };
        let library = String::from_utf8_lossy(library.trim_ascii()).replace('\\', "/");
        if library.is_empty() {
            continue;
        }
        let library = join(folder, &library);
        if source.has(&library) {
            text.extend(source.read(&library)?);
            text.push(b'\n');
        } else {
            source.missing.insert(library.clone());
            source.warnings.push(format!(
                "material library {} is missing; plain grey is used",
                source.path_of(&library).display()
            ));
        }
    }
    Ok(text)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AlphaMode, TextureRef};
    use fs_err as fs;
    use glam::{Vec2, Vec3};

    const TETRAHEDRON: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n";
    const FACES: &str = "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

    fn read(files: &[(&str, &[u8])]) -> (Result<Model, AssetError>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let mut source = Source::folder(folder.path());
        let model = load_still(&mut source, "a.obj", Dialect::Obj);
        (model, source.warnings.0)
    }

    fn red_png() -> Vec<u8> {
        let mut bytes = Vec::new();
        ::image::RgbImage::from_pixel(2, 2, ::image::Rgb([255, 0, 0]))
            .write_to(
                &mut std::io::Cursor::new(&mut bytes),
                ::image::ImageFormat::Png,
            )
            .unwrap();
        bytes
    }

    #[test]
    fn coordinates_are_taken_as_they_are() {
        let text = format!("{TETRAHEDRON}{FACES}");
        let (model, warnings) = read(&[("a.obj", text.as_bytes())]);
        let mesh = &model.unwrap().meshes[0];
        assert_eq!(mesh.bounds(), Some((Vec3::ZERO, Vec3::ONE)));
        assert_eq!(mesh.triangles.len(), 4);
        assert!(mesh.normals.is_empty() && mesh.uvs.is_empty());
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn faces_with_and_without_coordinates_may_be_mixed() {
        let text = format!(
            "{TETRAHEDRON}vt 0 0\nvt 1 0\nvt 0 1\nvn 0 0 1\nf 1/1/1 3/3/1 2/2/1\nf 1 2 4\n"
        );
        let (model, _) = read(&[("a.obj", text.as_bytes())]);
        let mesh = &model.unwrap().meshes[0];
        assert_eq!(mesh.triangles.len(), 2);
        assert_eq!(mesh.uvs[..3], [Vec2::Y, Vec2::ZERO, Vec2::ONE]);
        // The second face has no normals of its own: they are made from it.
        assert!(mesh.normals[3..].iter().all(|normal| *normal == -Vec3::Y));
    }

    #[test]
    fn materials_follow_blenders_importer() {
        let text = format!("mtllib a.mtl\n{TETRAHEDRON}vt 0 1\nusemtl m\nf 1/1 3/1 2/1\n");
        let material =
            "newmtl m\nKd 1 0.5 0.25\nKs 0.1 0.1 0.1\nNs 10\nd 1.0\nillum 2\nmap_Kd t.png\n";
        let (model, warnings) = read(&[
            ("a.obj", text.as_bytes()),
            ("a.mtl", material.as_bytes()),
            ("t.png", &red_png()),
        ]);
        let model = model.unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let material = &model.materials[0];
        assert_eq!(material.name, "m");
        assert!((material.roughness - 0.9).abs() < 1e-6);
        assert!((material.specular - 0.1).abs() < 1e-6);
        assert_eq!(material.ior, 1.5);
        assert_eq!(material.alpha_mode, AlphaMode::Opaque);
        assert_eq!(material.base_color_texture, Some(TextureRef::of(0)));
        assert_eq!(model.images.len(), 1);
        // vt 0 1 is the top-left corner of the image.
        assert_eq!(model.meshes[0].uvs[0], Vec2::ZERO);
    }

    #[test]
    fn lost_files_are_warnings_and_bad_ones_errors() {
        let text = format!("mtllib a.mtl\n{TETRAHEDRON}usemtl m\n{FACES}");
        let (model, warnings) = read(&[("a.obj", text.as_bytes())]);
        let materials = model.unwrap().materials;
        let [plain] = materials.as_slice() else {
            panic!("one material expected: {materials:?}")
        };
        // As bpy 4.3 reads it: grey, and without a highlight.
        assert_eq!(
            (plain.base_color, plain.roughness, plain.specular),
            ([0.8; 3], 1.0, 0.0)
        );
        assert!(warnings[0].contains("a.mtl is missing"), "{warnings:?}");
        let library: &[u8] = b"newmtl m\nmap_Kd t.png\n";
        let (model, warnings) = read(&[("a.obj", text.as_bytes()), ("a.mtl", library)]);
        assert!(model.unwrap().materials[0].base_color_texture.is_none());
        assert!(warnings[0].contains("t.png is missing"), "{warnings:?}");
        let (model, _) = read(&[
            ("a.obj", text.as_bytes()),
            ("a.mtl", library),
            ("t.png", &red_png()[..40]),
        ]);
        assert!(model.unwrap_err().to_string().contains("t.png"));
    }

    #[test]
    fn useless_files_are_errors() {
        for (what, text) in [
            ("no faces", TETRAHEDRON),
            ("nan", "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
            ("index", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99\n"),
            ("no area", "v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n"),
            ("empty", ""),
        ] {
            let (model, _) = read(&[("a.obj", text.as_bytes())]);
            assert!(model.is_err(), "{what} was read");
        }
    }
}
