//! Scans of folders made here: what is written down, and what is not read again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diorama_assets::scan::{
    Kind, Previous, Scan, ScanRoot, ScannedAsset, Signature, find, misfits, scan,
};
use fs_err as fs;

use crate::fbx_text::{fbx, fbx_node};
use crate::library::{hdr, tar_gz};
use crate::pack;

const TETRAHEDRON: &str =
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 2\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

fn roots(folder: &Path) -> Vec<ScanRoot> {
    vec![ScanRoot {
        path: folder.to_owned(),
        name: ".".into(),
    }]
}

pub(crate) fn scan_all(folder: &Path) -> Scan {
    scan(&roots(folder), None, &|_, _| {}).unwrap()
}

pub(crate) fn asset<'a>(scan: &'a Scan, id: &str) -> &'a ScannedAsset {
    let found = scan.assets.roots[0]
        .assets
        .iter()
        .find(|a| a.record.id == id);
    found.unwrap_or_else(|| panic!("no `{id}` in {:?}", scan.assets.roots[0]))
}

pub(crate) fn write(path: PathBuf, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A text FBX of a humanoid chain with Mixamo's names and a skinned triangle; `prefix` before each name.
pub(crate) fn person(prefix: &str) -> String {
    let names = [
        "Hips",
        "Spine",
        "Neck",
        "Head",
        "LeftUpLeg",
        "RightUpLeg",
        "LeftLeg",
        "RightLeg",
        "LeftArm",
        "RightArm",
        "LeftForeArm",
        "RightForeArm",
    ];
    let mut objects = String::new();
    let mut links = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let id = index as u32 + 1;
        let y = if id == 1 { 90.0 } else { 20.0 };
        objects += &fbx_node(id, &format!("{prefix}{name}"), "LimbNode", 1, y, [1.0; 3]);
        links.push((id, if id <= 4 { id - 1 } else { 1 }));
        links.push((id + 100, id));
    }
    objects += &fbx_node(50, "skin", "Mesh", 1, 0.0, [1.0; 3]);
    objects += "Geometry: 51, \"Geometry::\", \"Mesh\" {\nVertices: *9 {\na: 0,0,0,50,0,0,0,170,0\n}\n\
        PolygonVertexIndex: *3 {\na: 0,1,-3\n}\n}\n\
        Deformer: 52, \"Deformer::\", \"Skin\" {\nVersion: 101\n}\n\
        Deformer: 53, \"SubDeformer::\", \"Cluster\" {\nVersion: 100\nIndexes: *3 {\na: 0,1,2\n}\n\
        Weights: *3 {\na: 1,1,1\n}\nTransform: *16 {\na: 1,0,0,0,0,1,0,0,0,0,1,0,0,-90,0,1\n}\n\
        TransformLink: *16 {\na: 1,0,0,0,0,1,0,0,0,0,1,0,0,90,0,1\n}\n}\n";
    links.extend([(50, 0), (51, 50), (52, 51), (53, 52), (1, 53)]);
    fbx(&objects, &links)
}

#[test]
fn every_kind_is_written_down_with_its_facts() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(
        at("rock/rock.obj"),
        format!("mtllib gone.mtl\n{TETRAHEDRON}"),
    );
    write(at("rock/LICENSE"), "CC0 1.0 Universal");
    write(at("people/ann smith é.fbx"), person("mixamorig:"));
    write(
        at("people/bob.fbx"),
        person("mixamorig:").replace("Geometry::", "X"),
    );
    write(at("broken.glb"), b"glTF nonsense");
    write(at("empty.fbx"), b"");
    hdr(&at("sky.hdr"));
    let scan = scan_all(folder.path());
    let rock = asset(&scan, "rock");
    assert_eq!(
        (rock.kind, rock.record.license.as_str()),
        (Kind::Object, "CC0-1.0")
    );
    assert_eq!(rock.place.path, "rock/rock.obj");
    let mesh = rock.content.mesh.as_ref().unwrap();
    assert_eq!((mesh.triangles, mesh.high), (4, [1.0, 1.0, 2.0]));
    assert_eq!(rock.content.missing, ["gone.mtl"]);
    assert!(rock.content.warnings[0].starts_with("material library rock/gone.mtl is missing"));
    let whole = fs::read(at("rock/rock.obj")).unwrap();
    assert_eq!(
        rock.record.blake3,
        blake3::hash(&whole).to_hex().to_string()
    );
    assert_eq!(rock.content.bytes, whole.len() as u64);
    let ann = asset(&scan, "people/ann smith é");
    assert_eq!(ann.kind, Kind::Character);
    let skeleton = ann.content.skeleton.as_ref().unwrap();
    assert_eq!(
        (skeleton.bones, skeleton.signature),
        (12, Signature::Mixamo)
    );
    assert!((ann.content.mesh.as_ref().unwrap().high[2] - 1.7).abs() < 1e-5);
    let sky = asset(&scan, "sky");
    assert_eq!(sky.kind, Kind::Environment);
    assert_eq!(sky.content.picture.as_ref().unwrap().width, 8);
    for (id, words) in [("broken", "version"), ("empty", "0 bytes")] {
        let fault = asset(&scan, id).content.unusable.as_ref().unwrap();
        assert!(fault.reason.contains(words), "{id}: {fault:?}");
        assert!(!fault.reason.contains(folder.path().to_str().unwrap()));
    }
    assert_eq!(
        find(folder.path(), "rock").unwrap()[0].path,
        at("rock/rock.obj")
    );
    assert_eq!(find(folder.path(), "stone").unwrap(), []);
}

#[test]
fn a_workspace_has_characters_motions_and_skies() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("raw");
    write(raw.join("ann/ann.fbx"), person("mixamorig:"));
    write(raw.join("ann/motion/wave.fbx"), person("mixamorig9:"));
    let tree = fbx(
        &fbx_node(1, "trunk", "LimbNode", 1, 0.0, [1.0; 3]),
        &[(1, 0), (101, 1)],
    );
    write(raw.join("ann/motion/sway.fbx"), tree);
    write(raw.join("ann/motion/cut.fbx"), &person("")[..300]);
    write(raw.join("lost/readme.txt"), "nothing");
    let scan = scan_all(folder.path());
    let root = &scan.assets.roots[0];
    let named: Vec<(&str, Kind)> = root
        .assets
        .iter()
        .map(|a| (a.record.id.as_str(), a.kind))
        .collect();
    assert_eq!(
        named,
        [
            ("ann/cut", Kind::Motion),
            ("ann/sway", Kind::Motion),
            ("ann/wave", Kind::Motion),
            ("character/ann", Kind::Character),
        ]
    );
    assert!(asset(&scan, "ann/cut").content.unusable.is_some());
    let wave = asset(&scan, "ann/wave");
    assert_eq!(wave.content.takes[0].frames, 1);
    let stands = |words: &String| words.contains("stands still");
    assert!(wave.content.warnings.iter().any(stands));
    for words in [
        "raw/lost: there is no lost.fbx",
        "raw/skybox: there is no picture",
    ] {
        let said = root.warnings.iter().any(|warning| warning.contains(words));
        assert!(said, "{words}: {:?}", root.warnings);
    }
    let misfits = misfits(folder.path(), root).unwrap();
    let [(id, reason)] = misfits.as_slice() else {
        panic!("{misfits:?}")
    };
    assert_eq!(id, "ann/sway");
    assert!(reason.contains("too few joints in common"), "{reason}");
}

/// Writes the manifest, long after its files.
fn remember(folder: &Path, scan: &Scan) -> Previous {
    let path = folder.join("manifest.json.kept");
    fs::write(&path, serde_json::to_string_pretty(&scan.assets).unwrap()).unwrap();
    Previous::read(&path).unwrap().unwrap()
}

/// As if it had been written that much earlier.
fn age(path: &Path, secs: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.file()
        .set_modified(now - Duration::from_secs(secs))
        .unwrap();
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for index in 0..20 {
        let path = at(&format!("many/rock_{index:02}.obj"));
        write(path.clone(), format!("{TETRAHEDRON}# {index}\n"));
        age(&path, 3600);
    }
    write(
        at("chair/chair.obj"),
        format!("mtllib chair.mtl\n{TETRAHEDRON}"),
    );
    write(at("broken.glb"), b"glTF nonsense");
    fs::create_dir(at("data")).unwrap();
    tar_gz(
        &at("data/box.tar.gz"),
        &[("visual_geometry.obj", TETRAHEDRON.as_bytes())],
    );
    // One that nobody can open is known by its size and time as well.
    write(at("data/torn.tar.gz"), b"no archive");
    let kubric = r#"{"data_dir": "data", "assets": {
        "box": {"asset_type": "FileBasedObject"}, "torn": {"asset_type": "FileBasedObject"}}}"#;
    write(at("kubric.json"), kubric);
    for name in [
        "chair/chair.obj",
        "broken.glb",
        "data/box.tar.gz",
        "data/torn.tar.gz",
    ] {
        age(&at(name), 3600);
    }
    let again = |previous: &Previous| scan(&roots(folder.path()), Some(previous), &|_, _| {});
    let first = scan_all(folder.path());
    assert_eq!((first.read, first.assets.roots[0].assets.len()), (24, 24));
    assert!(asset(&first, "torn").content.unusable.is_some());
    let second = again(&remember(folder.path(), &first)).unwrap();
    assert_eq!((second.read, second.read_bytes), (0, 0));
    assert_eq!(second.assets, first.assets);
    let text = |scan: &Scan| serde_json::to_string_pretty(&scan.assets).unwrap();
    assert_eq!(text(&second), text(&first));

    // One file of the same size with another content, another time.
    let path = at("many/rock_07.obj");
    write(
        path.clone(),
        format!("{TETRAHEDRON}# 9\n").replace("v 1", "v 3"),
    );
    age(&path, 1800);
    // A file that was missing is there now; a licence that costs no reading.
    write(at("chair/chair.mtl"), "newmtl m\nKd 1 0 0\n");
    age(&at("chair/chair.mtl"), 1800);
    write(at("many/LICENSE"), "CC0");
    let third = again(&remember(folder.path(), &second)).unwrap();
    assert_eq!(third.read, 2);
    assert_eq!(
        asset(&third, "many/rock_07")
            .content
            .mesh
            .as_ref()
            .unwrap()
            .high[0],
        3.0
    );
    assert!(asset(&third, "chair").content.missing.is_empty());
    assert_eq!(asset(&third, "many/rock_01").record.license, "CC0-1.0");
    assert_eq!(text(&third), text(&scan_all(folder.path())));

    // An archive that was torn is whole.
    tar_gz(
        &at("data/torn.tar.gz"),
        &[("visual_geometry.obj", TETRAHEDRON.as_bytes())],
    );
    age(&at("data/torn.tar.gz"), 1800);
    let fourth = again(&remember(folder.path(), &third)).unwrap();
    assert_eq!(fourth.read, 1);
    assert!(asset(&fourth, "torn").content.unusable.is_none());

    // A file that changed in the moment of the scan may change once more unseen.
    write(at("broken.glb"), b"glTF nonsense");
    let hot = scan_all(folder.path());
    assert_eq!(again(&remember(folder.path(), &hot)).unwrap().read, 1);
    fs::remove_file(at("many/rock_00.obj")).unwrap();
    let less = again(&remember(folder.path(), &hot)).unwrap();
    assert_eq!(less.assets.roots[0].assets.len(), 23);
}

#[test]
fn manifests_of_others_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    fs::write(&path, r#"{"data_dir": ".", "assets": {}}"#).unwrap();
    assert!(Previous::read(&path).is_err());
    fs::write(
        &path,
        r#"{"schema_version": 9999, "made_by": "x", "roots": 7}"#,
    )
    .unwrap();
    assert!(Previous::read(&path).unwrap().is_none());
}

#[test]
fn every_broken_shared_file_is_listed() {
    let Some(pack) = pack("every_broken_shared_file_is_listed") else {
        return;
    };
    for (folder, bad) in [("fbx", 6), ("gltf", 7), ("obj", 5), ("skybox", 5)] {
        let scan = scan_all(&pack.join("broken").join(folder));
        let assets = &scan.assets.roots[0].assets;
        let unusable = assets.iter().filter(|a| a.content.unusable.is_some());
        assert!(unusable.count() >= bad, "{folder}: {assets:#?}");
    }
}

#[test]
fn the_shared_library_is_what_it_is() {
    let Some(pack) = pack("the_shared_library_is_what_it_is") else {
        return;
    };
    let scan = scan_all(&pack.join("motion"));
    let walk = asset(&scan, "walk");
    assert_eq!((walk.kind, walk.content.takes.len()), (Kind::Motion, 1));
    let take = &walk.content.takes[0];
    assert!((take.rate_hz, take.secs > 0.5) == (30.0, true), "{take:?}");
    let skeleton = walk.content.skeleton.as_ref().unwrap();
    assert_eq!(skeleton.signature, Signature::Mixamo);
    let scan = scan_all(&pack.join("objects"));
    let can = asset(&scan, "ycb_005_tomato_soup_can");
    assert_eq!(can.kind, Kind::Object);
    assert!(can.content.mesh.as_ref().unwrap().convex_pieces > 0);
    assert_ne!(can.record.license, "unknown");
}
