//! Libraries made here: folders, manifests, archives.

use std::path::Path;

use diorama_assets::{AssetError, Library};
use fs_err as fs;

const TETRAHEDRON: &str =
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";
const URDF: &str = "<robot><link><collision><geometry><mesh filename=\"collision_geometry.obj\"/></geometry></collision></link></robot>";

pub(crate) fn hdr(path: &Path) {
    let mut bytes = Vec::new();
    image::codecs::hdr::HdrEncoder::new(&mut bytes)
        .encode(&[image::Rgb([1.0f32, 2.0, 3.0]); 32], 8, 4)
        .unwrap();
    fs::write(path, bytes).unwrap();
}

pub(crate) fn tar_gz(path: &Path, files: &[(&str, &[u8])]) {
    let file = fs::File::create(path).unwrap();
    let gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut builder = tar::Builder::new(gz);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

fn manifest(data_dir: &str) -> String {
    format!(
        r#"{{"name": "mini", "data_dir": "{data_dir}", "assets": {{
          "box_01": {{"asset_type": "FileBasedObject", "license": "CC BY 4.0",
            "kwargs": {{"render_filename": "{{asset_dir}}/visual_geometry.obj",
                       "simulation_filename": "{{asset_dir}}/object.urdf",
                       "mass": 0.5, "friction": 0.4, "restitution": 0.3,
                       "bounds": [[0, 0, 0], [1, 1, 1]]}},
            "metadata": {{"category": "Shoe", "nr_faces": 4}}}},
          "lost": {{"asset_type": "FileBasedObject", "path": null, "kwargs": {{}}}},
          "sky": {{"asset_type": "Texture", "kwargs": {{"filename": "{{asset_dir}}/sky.hdr"}}}}}}}}"#
    )
}

fn ids(records: &[diorama_assets::AssetRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[test]
fn without_folders_the_built_in_library_serves() {
    let (library, warnings) = Library::open(&[]).unwrap();
    assert!(warnings.0.is_empty());
    assert!(!library.objects().is_empty() && !library.environments().is_empty());
    assert!(library.objects().is_sorted_by(|a, b| a.id < b.id));
    let id = &library.objects()[0].id;
    let first = library.load_model(id).unwrap();
    assert!(std::sync::Arc::ptr_eq(
        &first,
        &library.load_model(id).unwrap()
    ));
    assert_eq!(library.record(id).unwrap().id, *id);
}

#[test]
fn a_missing_kind_is_filled_in_and_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("RedBall_01.obj"), TETRAHEDRON).unwrap();
    let dirs = [folder.path().to_owned()];
    let (library, warnings) = Library::open(&dirs).unwrap();
    assert_eq!(ids(library.objects()), ["RedBall_01"]);
    assert_eq!(library.objects()[0].noun, "red ball");
    assert!(library.environments()[0].id.starts_with("builtin/"));
    assert!(warnings.0[0].contains("no environments"), "{warnings:?}");
    let (library, warnings) = Library::open(&["builtin".into(), dirs[0].clone()]).unwrap();
    assert!(library.objects().len() > 1 && warnings.0.is_empty());
}

#[test]
fn hashes_come_with_use() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.obj"), TETRAHEDRON).unwrap();
    hdr(&folder.path().join("night_sky.hdr"));
    let (library, _) = Library::open(&[folder.path().to_owned()]).unwrap();
    assert!(library.objects()[0].blake3.is_empty());
    let record = library.record("a").unwrap();
    assert_eq!(
        record.blake3,
        blake3::hash(TETRAHEDRON.as_bytes()).to_hex().as_str()
    );
    assert_eq!(record.license, "unknown");
    let environment = library.load_environment("night_sky").unwrap();
    assert!(environment.night);
    assert!(!library.record("night_sky").unwrap().blake3.is_empty());
    let error = library.load_model("night_sky").unwrap_err();
    assert!(matches!(error, AssetError::Unknown { .. }), "{error}");
}

#[test]
fn manifests_serve_archives_and_folders_alike() {
    let visual = TETRAHEDRON.as_bytes();
    let files: [(&str, &[u8]); 3] = [
        ("visual_geometry.obj", visual),
        ("collision_geometry.obj", visual),
        ("object.urdf", URDF.as_bytes()),
    ];
    let packed = tempfile::tempdir().unwrap();
    tar_gz(&packed.path().join("box_01.tar.gz"), &files);
    let sky = packed.path().join("sky.hdr");
    hdr(&sky);
    tar_gz(
        &packed.path().join("sky.tar.gz"),
        &[("sky.hdr", &fs::read(&sky).unwrap())],
    );
    fs::remove_file(&sky).unwrap();
    // A mirror keeps the bucket's name in its manifest.
    fs::write(
        packed.path().join("mini.json"),
        manifest("gs://bucket/mini"),
    )
    .unwrap();

    let plain = tempfile::tempdir().unwrap();
    let folder = plain.path().join("data/box_01");
    fs::create_dir_all(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    fs::create_dir_all(plain.path().join("data/sky")).unwrap();
    hdr(&plain.path().join("data/sky/sky.hdr"));
    fs::write(plain.path().join("mini.json"), manifest("data")).unwrap();

    let models = [packed.path(), plain.path()].map(|dir| {
        let (library, warnings) = Library::open(&[dir.to_owned()]).unwrap();
        assert_eq!(ids(library.objects()), ["box_01"], "{}", dir.display());
        assert_eq!(ids(library.environments()), ["sky"]);
        assert!(
            warnings.0.iter().any(|w| w.contains("`lost`")),
            "{warnings:?}"
        );
        let record = library.record("box_01").unwrap();
        assert_eq!(record.noun, "shoe");
        assert_eq!(record.license, "CC-BY-4.0");
        assert_eq!(
            (record.mass_kg, record.friction, record.restitution),
            (Some(0.5), Some(0.4), Some(0.3))
        );
        assert_eq!(record.blake3.len(), 64);
        library.load_environment("sky").unwrap();
        library.load_model("box_01").unwrap()
    });
    assert_eq!(models[0], models[1]);
    assert_eq!(models[0].convex_pieces.len(), 1);
}

#[test]
fn a_manifest_that_points_nowhere_says_where() {
    let folder = tempfile::tempdir().unwrap();
    for data_dir in [
        "gs://kubric-public/assets/GSO",
        "/nowhere/at/all",
        "missing",
    ] {
        fs::write(folder.path().join("m.json"), manifest(data_dir)).unwrap();
        let error = Library::open(&[folder.path().to_owned()])
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains(data_dir) && error.contains("m.json"),
            "{error}"
        );
    }
    fs::write(
        folder.path().join("m.json"),
        r#"{"data_dir": ".", "assets": 7}"#,
    )
    .unwrap();
    let error = Library::open(&[folder.path().to_owned()])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("looks like a Kubric manifest"), "{error}");
}

#[test]
fn names_that_clash_are_told_apart_or_said() {
    let one = tempfile::tempdir().unwrap();
    hdr(&one.path().join("sky.hdr"));
    image::RgbImage::new(8, 4)
        .save(one.path().join("sky.png"))
        .unwrap();
    image::RgbImage::new(8, 8)
        .save(one.path().join("square.png"))
        .unwrap();
    let two = tempfile::tempdir().unwrap();
    hdr(&two.path().join("sky.hdr"));
    let (library, warnings) =
        Library::open(&[one.path().to_owned(), two.path().to_owned()]).unwrap();
    assert_eq!(ids(library.environments()), ["sky", "sky.png"]);
    assert!(
        warnings
            .0
            .iter()
            .any(|w| w.contains("two assets are named `sky`"))
    );
    assert!(warnings.0.iter().any(|w| w.contains("square.png")));
}

#[test]
fn a_broken_collision_mesh_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let asset = folder.path().join("thing");
    fs::create_dir(&asset).unwrap();
    fs::write(asset.join("visual_geometry.obj"), TETRAHEDRON).unwrap();
    fs::write(asset.join("object.urdf"), URDF).unwrap();
    fs::write(asset.join("data.json"), "{").unwrap();
    let (library, warnings) = Library::open(&[folder.path().to_owned()]).unwrap();
    assert!(
        warnings
            .0
            .iter()
            .any(|w| w.contains("data.json is ignored")),
        "{warnings:?}"
    );
    assert!(
        library
            .load_model("thing")
            .unwrap()
            .convex_pieces
            .is_empty()
    );
    let warnings = library.warnings();
    assert!(
        warnings.0[0].contains("collision geometry of `thing`"),
        "{warnings:?}"
    );
}

#[test]
fn hidden_and_foreign_files_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ".hidden.obj",
        "collision_geometry.obj",
        "notes.txt",
        "data.json",
    ] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    fs::write(
        folder.path().join("- dash, ünïcode & 'quote'.obj"),
        TETRAHEDRON,
    )
    .unwrap();
    let (library, _) = Library::open(&[folder.path().to_owned()]).unwrap();
    let [record] = library.objects() else {
        panic!("{:?}", ids(library.objects()))
    };
    assert!(library.load_model(&record.id).is_ok());
}

#[test]
fn a_floor_that_shows_an_environment_takes_its_terms() {
    let folder = tempfile::tempdir().unwrap();
    hdr(&folder.path().join("old_room.hdr"));
    fs::write(
        folder.path().join("ATTRIBUTION.md"),
        "- old_room.hdr: CC0-1.0, by Ann\n",
    )
    .unwrap();
    let (library, _) = Library::open(&[folder.path().to_owned()]).unwrap();
    let id = diorama_assets::builtin::projected_floor_id("old_room");
    let (floor, room) = (
        library.record(&id).unwrap(),
        library.record("old_room").unwrap(),
    );
    assert_eq!(
        (&floor.license, &floor.attribution),
        (&room.license, &room.attribution)
    );
    assert_eq!(
        (floor.noun.as_str(), floor.id.as_str()),
        ("floor", id.as_str())
    );
    assert_ne!(floor.blake3, room.blake3);
    assert_eq!(floor.blake3.len(), 64);
    let model = library.load_model(&id).unwrap();
    assert_eq!((model.meshes.len(), model.images.len()), (1, 1));
    assert!(matches!(
        library.load_model(&diorama_assets::builtin::projected_floor_id("nowhere")),
        Err(AssetError::Unknown { .. })
    ));
}
