//! Odd characters, motions and skies: each is handled, or listed with its reason.

use std::path::PathBuf;

use diorama_assets::{
    RetargetError, Workspace, load_character_file, load_environment_file, load_motion_file,
    retarget,
};
use fs_err as fs;
use glam::Vec3;

use crate::fbx_text::{fbx, fbx_node};
use crate::library::hdr;
use crate::scan::{asset, person, scan_all, write};

const TRIANGLE: &str = "Geometry: 51, \"Geometry::\", \"Mesh\" {\nVertices: *9 {\na: 0,0,0,50,0,0,0,170,0\n}\n\
    PolygonVertexIndex: *3 {\na: 0,1,-3\n}\n}\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        write(path.clone(), content);
        path
    }
}

#[test]
fn a_character_without_skeleton_is_rigid_and_said_to_be() {
    let folder = Folder::new();
    let objects = [
        fbx_node(50, "statue", "Mesh", 1, 0.0, [1.0; 3]),
        TRIANGLE.into(),
    ]
    .concat();
    let path = folder.file("statue.fbx", fbx(&objects, &[(50, 0), (51, 50)]));
    let (model, _, warnings) = load_character_file(&path).unwrap();
    assert!(model.rig.is_none() && model.motions.is_empty());
    assert!(warnings.0[0].contains("no skeleton"), "{warnings:?}");
    let error = load_motion_file(&path).unwrap_err().to_string();
    assert!(error.contains("no skeleton"), "{error}");
    // Among loose files it is an object like any other.
    let scan = scan_all(folder.0.path());
    assert!(asset(&scan, "statue").content.warnings.is_empty());
}

#[test]
fn motions_of_other_creatures_are_refused_with_the_names() {
    let folder = Folder::new();
    let ann = folder.file("ann.fbx", person("mixamorig:"));
    let tree = [
        fbx_node(1, "trunk", "LimbNode", 1, 0.0, [1.0; 3]),
        fbx_node(2, "branch", "LimbNode", 1, 100.0, [1.0; 3]),
    ]
    .concat();
    let tree = folder.file(
        "tree.fbx",
        fbx(&tree, &[(1, 0), (2, 1), (101, 1), (102, 2)]),
    );
    let (model, _, _) = load_character_file(&ann).unwrap();
    let (motions, _, _) = load_motion_file(&tree).unwrap();
    let error = retarget(model.rig.as_ref().unwrap(), &motions[0]).unwrap_err();
    assert!(matches!(error, RetargetError::NothingInCommon { .. }));
    assert!(error.to_string().contains("trunk"), "{error}");
}

#[test]
fn a_rest_pose_without_take_is_a_motion_of_one_frame() {
    let folder = Folder::new();
    let path = folder.file("t_pose.fbx", person("mixamorig:"));
    let (motions, _, warnings) = load_motion_file(&path).unwrap();
    assert_eq!((motions.len(), motions[0].frames.len()), (1, 1));
    assert!(
        warnings.0.iter().any(|w| w.contains("no take")),
        "{warnings:?}"
    );
    // It can be played: the character stands.
    let (model, _, _) = load_character_file(&path).unwrap();
    let rig = model.rig.as_ref().unwrap();
    let carried = retarget(rig, &motions[0]).unwrap();
    assert_eq!(carried.sample(0.0), carried.sample(5.0));
    assert_eq!(
        rig.pose(&carried.sample(5.0)).joints.len(),
        rig.joints.len()
    );
}

#[test]
fn units_and_axes_of_the_file_are_undone() {
    let folder = Folder::new();
    // 170 units high: in centimetres, in metres (a giant), and with Z up (lying as the file says).
    let text = person("mixamorig:");
    let metres = text.replace(
        "\"UnitScaleFactor\", \"double\", \"Number\", \"\",1",
        "\"UnitScaleFactor\", \"double\", \"Number\", \"\",100",
    );
    let z_up = text
        .replace(
            "\"UpAxis\", \"int\", \"Integer\", \"\",1",
            "\"UpAxis\", \"int\", \"Integer\", \"\",2",
        )
        .replace(
            "\"FrontAxis\", \"int\", \"Integer\", \"\",2",
            "\"FrontAxis\", \"int\", \"Integer\", \"\",1",
        )
        .replace(
            "\"FrontAxisSign\", \"int\", \"Integer\", \"\",1",
            "\"FrontAxisSign\", \"int\", \"Integer\", \"\",-1",
        );
    assert!(metres != text && z_up != text);
    folder.file("cm.fbx", text);
    folder.file("m.fbx", metres);
    folder.file("z.fbx", z_up);
    let scan = scan_all(folder.0.path());
    let high = |id: &str| asset(&scan, id).content.mesh.as_ref().unwrap().high;
    let said = |id: &str| asset(&scan, id).content.warnings.join("\n");
    assert!(Vec3::from(high("cm")).distance(Vec3::new(0.5, 0.0, 1.7)) < 1e-5);
    assert!(!said("cm").contains("tall") && !said("cm").contains("axis"));
    assert!((high("m")[2] - 170.0).abs() < 1e-3);
    assert!(
        said("m").contains("tall: is its unit right"),
        "{}",
        said("m")
    );
    assert!(
        said("z").contains("head is not above its hips"),
        "{}",
        said("z")
    );
}

#[test]
fn a_root_turned_by_a_quarter_stands_again() {
    // As exporters write Z-up scenes into Y-up files: the root carries −90° about X.
    let text = person("mixamorig:").replacen(
        "P: \"Lcl Translation\", \"Lcl Translation\", \"\", \"A\",0,90,0",
        "P: \"Lcl Translation\", \"Lcl Translation\", \"\", \"A\",0,0,90\n\
         P: \"Lcl Rotation\", \"Lcl Rotation\", \"\", \"A\",90,0,0",
        1,
    );
    let root = [fbx_node(90, "Armature", "Null", 1, 0.0, [1.0; 3])]
        .concat()
        .replace(
            "P: \"Lcl Scaling\"",
            "P: \"Lcl Rotation\", \"Lcl Rotation\", \"\", \"A\",-90,0,0\nP: \"Lcl Scaling\"",
        );
    let text = text
        .replace("Objects:  {\n", &format!("Objects:  {{\n{root}"))
        .replace("C: \"OO\",1,0\n", "C: \"OO\",1,90\nC: \"OO\",90,0\n");
    let folder = Folder::new();
    let path = folder.file("turned.fbx", text);
    let (model, _, _) = load_character_file(&path).unwrap();
    let rig = model.rig.as_ref().unwrap();
    let pose = rig.rest_pose();
    let place = |name: &str| {
        let index = rig.joint(name).unwrap();
        Vec3::from(pose.joints[index].translation)
    };
    let up = place("mixamorig:Head") - place("mixamorig:Hips");
    assert!(up.normalize_or_zero().distance(Vec3::Z) < 1e-3, "{up}");
}

#[test]
fn a_lost_texture_costs_its_look_only() {
    let folder = Folder::new();
    let objects = [
        fbx_node(50, "box", "Mesh", 1, 0.0, [1.0; 3]),
        TRIANGLE.into(),
        "Material: 60, \"Material::m\", \"\" {\nShadingModel: \"phong\"\n}\n\
         Texture: 61, \"Texture::t\", \"\" {\nRelativeFilename: \"maps\\gone.png\"\n}\n"
            .into(),
    ]
    .concat();
    let text = fbx(&objects, &[(50, 0), (51, 50), (60, 50)]);
    let at = text.rfind('}').unwrap();
    let text = format!("{}C: \"OP\",61,60, \"DiffuseColor\"\n}}\n", &text[..at]);
    folder.file("box.fbx", text);
    let scan = scan_all(folder.0.path());
    let content = &asset(&scan, "box").content;
    assert!(content.unusable.is_none());
    assert_eq!(content.missing.len(), 1, "{content:?}");
    assert!(content.missing[0].ends_with("gone.png"));
    assert!(
        content
            .warnings
            .iter()
            .any(|w| w.contains("gone.png is missing"))
    );
}

#[test]
fn names_with_spaces_and_letters_of_all_kinds_are_names() {
    let folder = Folder::new();
    let name = "Łódź 張 (copy) #1 & 'x'";
    folder.file(&format!("raw/{name}/{name}.fbx"), person("mixamorig:"));
    folder.file(&format!("raw/{name}/motion/wave – 2.fbx"), person(""));
    let (workspace, _) = Workspace::open(folder.0.path()).unwrap();
    let character = &workspace.characters()[0];
    assert_eq!(character.name, name);
    let motion = workspace.motion(&character.motions[0]).unwrap();
    let scan = scan_all(folder.0.path());
    assert_eq!(
        asset(&scan, &format!("{name}/wave – 2"))
            .content
            .takes
            .len(),
        1
    );
    let (model, _, _) =
        load_character_file(&folder.0.path().join(format!("raw/{name}/{name}.fbx"))).unwrap();
    assert!(retarget(model.rig.as_ref().unwrap(), &motion).is_ok());
}

#[test]
fn a_workspace_without_skies_has_plain_backgrounds() {
    let folder = Folder::new();
    folder.file("raw/ann/ann.fbx", person("mixamorig:"));
    fs::create_dir_all(folder.0.path().join("raw/skybox")).unwrap();
    let (workspace, warnings) = Workspace::open(folder.0.path()).unwrap();
    assert!(workspace.skyboxes().is_empty());
    assert!(
        warnings.0.iter().any(|w| w.contains("no picture")),
        "{warnings:?}"
    );
    let scan = scan_all(folder.0.path());
    let said = &scan.assets.roots[0].warnings;
    assert!(said.iter().any(|w| w.contains("no picture")), "{said:?}");
}

#[test]
fn a_picture_of_another_format_than_its_name_is_read() {
    let folder = Folder::new();
    let mut png = Vec::new();
    image::RgbImage::from_pixel(8, 4, image::Rgb([188, 0, 255]))
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let path = folder.file("sky.hdr", png);
    let (map, _, warnings) = load_environment_file(&path).unwrap();
    assert_eq!(map.image.width, 8);
    assert!(warnings.0[0].contains("in truth a Png"), "{warnings:?}");
    hdr(&folder.0.path().join("real.png"));
    let (_, _, warnings) = load_environment_file(&folder.0.path().join("real.png")).unwrap();
    assert!(warnings.0[0].contains("in truth a Hdr"), "{warnings:?}");
}

#[test]
fn small_files_cannot_ask_for_large_pictures() {
    let folder = Folder::new();
    // A WebP of one colour, 16383×8191: 28 bytes that decode to half a gigabyte.
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|bit| value >> bit & 1 == 1));
    put(0x2f, 8);
    put(16_382, 14);
    put(8_190, 14);
    put(0, 1 + 3);
    put(0, 1 + 1 + 1);
    for _ in 0..5 {
        // One symbol, so that each pixel takes no bit at all.
        put(0b001, 3);
        put(0, 1);
    }
    let mut data: Vec<u8> = bits
        .chunks(8)
        .map(|byte| {
            byte.iter()
                .rev()
                .fold(0, |value, bit| value << 1 | u8::from(*bit))
        })
        .collect();
    data.resize(data.len().next_multiple_of(2), 0);
    let mut webp = b"RIFF".to_vec();
    webp.extend((data.len() as u32 + 12).to_le_bytes());
    webp.extend(b"WEBPVP8L");
    webp.extend((data.len() as u32).to_le_bytes());
    webp.extend(data);
    let path = folder.file("sky.png", webp);
    let error = load_environment_file(&path).unwrap_err().to_string();
    assert!(error.contains("too many"), "{error}");
}
