//! Real assets: what is known of each file must come out.

use diorama_assets::scene::{LoadOptions, load_scene};
use diorama_assets::{AssetError, Library, Mesh, Pixels, load_model_file};
use fs_err as fs;
use glam::Vec3;

use crate::pack;

fn extent(mesh: &Mesh) -> Vec3 {
    let (low, high) = mesh.bounds().unwrap();
    high - low
}

#[test]
fn manifest_of_ycb_objects_loads_whole() {
    let Some(pack) = pack("manifest_of_ycb_objects_loads_whole") else {
        return;
    };
    let (library, _) = Library::open(&[pack.join("objects")]).unwrap();
    let manifest = fs::read(pack.join("objects/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    for (id, asset) in manifest["assets"].as_object().unwrap() {
        let model = library.load_model(id).unwrap();
        let mesh = &model.meshes[0];
        assert_eq!(
            mesh.triangles.len() as u64,
            asset["metadata"]["nr_faces"],
            "{id}"
        );
        let corner = |index: usize| -> Vec3 {
            let values = asset["kwargs"]["bounds"][index].as_array().unwrap();
            Vec3::from_slice(
                &values
                    .iter()
                    .map(|v| v.as_f64().unwrap() as f32)
                    .collect::<Vec<_>>(),
            )
        };
        let (low, high) = mesh.bounds().unwrap();
        assert!(
            low.distance(corner(0)) < 1e-5 && high.distance(corner(1)) < 1e-5,
            "{id}"
        );
        assert_eq!(
            model.convex_pieces.len() as u64,
            asset["metadata"]["convex_hulls"],
            "{id}"
        );
        assert_eq!(model.images.len(), 1, "{id}");
        assert_eq!(model.images[0].width, 1024, "{id}");
        assert!(!mesh.uvs.is_empty());
        let record = library.record(id).unwrap();
        assert_eq!(record.license, "CC-BY-4.0", "{id}");
        assert!(
            record.attribution.contains("YCB"),
            "{id}: {}",
            record.attribution
        );
        assert_eq!(record.blake3.len(), 64);
    }
    assert!(library.warnings().0.is_empty(), "{:?}", library.warnings());
    let nouns: Vec<_> = library.objects().iter().map(|r| r.noun.as_str()).collect();
    assert_eq!(
        nouns,
        [
            "egyptian cat statue",
            "glass bottle",
            "stool",
            "sugar box",
            "tomato soup can",
            "mustard bottle",
            "potted meat can",
            "banana",
            "scissors"
        ]
    );
    for id in [
        "egyptian_cat_statue_webp",
        "glass_bottle_fbx",
        "polyhaven_stool",
    ] {
        let record = library.record(id).unwrap();
        assert_ne!(record.license, "unknown", "{id}");
        assert!(!record.attribution.is_empty(), "{id}");
    }
}

#[test]
fn texture_of_the_sugar_box_is_upright() {
    let Some(pack) = pack("texture_of_the_sugar_box_is_upright") else {
        return;
    };
    let path = pack.join("objects/ycb_004_sugar_box/visual_geometry.obj");
    let (model, ..) = load_model_file(&path).unwrap();
    let mesh = &model.meshes[0];
    // Straight from the text: the first `vt` of the first face, v counted from the bottom.
    let text = fs::read_to_string(&path).unwrap();
    let line = |prefix: &str| {
        text.lines()
            .filter(|l| l.starts_with(prefix))
            .collect::<Vec<_>>()
    };
    let (vertices, coordinates) = (line("v "), line("vt "));
    let face = line("f ")[0];
    for (corner, words) in mesh.triangles[0]
        .iter()
        .zip(face.split_whitespace().skip(1))
    {
        let mut indices = words
            .split('/')
            .map(|index| index.parse::<usize>().unwrap() - 1);
        let numbers = |line: &str| -> Vec<f32> {
            line.split_whitespace()
                .skip(1)
                .map(|n| n.parse().unwrap())
                .collect()
        };
        let position = numbers(vertices[indices.next().unwrap()]);
        let uv = numbers(coordinates[indices.next().unwrap()]);
        assert_eq!(mesh.positions[*corner as usize].to_array(), position[..3]);
        let ours = mesh.uvs[*corner as usize];
        assert!((ours.x - uv[0]).abs() < 1e-6 && (ours.y - (1.0 - uv[1])).abs() < 1e-6);
    }
}

#[test]
fn fbx_comes_out_z_up_in_metres() {
    let Some(pack) = pack("fbx_comes_out_z_up_in_metres") else {
        return;
    };
    // Sizes as bpy 4.3 sees them: its object's dimensions, turned by the object's rotation.
    for (file, size) in [
        (
            "objects/glass_bottle_fbx/bottle_glass_01.fbx",
            [0.074_604, 0.074_604, 0.230_365],
        ),
        (
            "broken/fbx/static_mesh_no_armature.fbx",
            [0.093_547, 0.093_547, 0.146_555],
        ),
    ] {
        let (model, ..) = load_model_file(&pack.join(file)).unwrap();
        let found = extent(&model.meshes[0]);
        assert!(
            found.distance(Vec3::from_array(size)) < 1e-4,
            "{file}: {found}"
        );
    }
}

#[test]
fn gltf_objects_load_as_one_mesh() {
    let Some(pack) = pack("gltf_objects_load_as_one_mesh") else {
        return;
    };
    for file in [
        "objects/egyptian_cat_statue_webp.glb",
        "objects/polyhaven_stool/painted_wooden_stool_1k.gltf",
        "gltf/fox.glb",
        "gltf/robot.glb",
        "gltf/mannequiny.glb",
        "gltf/kenney_character/kenney_character.glb",
        "gltf/morph_stress_test.gltf",
        "gltf/glass_table.glb",
        "gltf/attenuation_test.glb",
        "gltf/transmission_roughness_test.glb",
        "gltf/dispersion_test.glb",
    ] {
        let (model, record, _) =
            load_model_file(&pack.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(model.meshes.len(), 1, "{file}");
        model.meshes[0].validate().unwrap();
        assert!(!model.images.is_empty() || !file.contains("cat"), "{file}");
        assert_ne!(record.license, "unknown", "{file}");
    }
}

#[test]
fn stool_stands_on_the_floor() {
    let Some(pack) = pack("stool_stands_on_the_floor") else {
        return;
    };
    let path = pack.join("objects/polyhaven_stool/painted_wooden_stool_1k.gltf");
    let (model, ..) = load_model_file(&path).unwrap();
    let (low, high) = model.meshes[0].bounds().unwrap();
    assert!(
        low.z.abs() < 2e-3 && (high.z - 0.5779).abs() < 1e-3,
        "{low} {high}"
    );
    assert_eq!(model.images.len(), 3);
    assert!(model.materials[0].normal_texture.is_some());
}

#[test]
fn test_scenes_carry_their_materials() {
    let Some(pack) = pack("test_scenes_carry_their_materials") else {
        return;
    };
    let scene = |file: &str| {
        load_scene(&pack.join("gltf").join(file), LoadOptions::default())
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let (glass, _) = scene("transmission_roughness_test.glb");
    let transmissive = |m: &&diorama_assets::Material| m.transmission > 0.0;
    let count = glass.model.materials.iter().filter(transmissive).count();
    assert_eq!(count, 5);
    let (absorbing, _) = scene("attenuation_test.glb");
    let finite = absorbing
        .model
        .materials
        .iter()
        .filter(|m| m.attenuation_distance.is_finite())
        .count();
    assert!(finite >= 4, "{finite}");
    assert!(absorbing.instances.len() >= 10);
    let (_, warnings) = scene("fox.glb");
    assert!(
        warnings.0.iter().any(|w| w.contains("animations")),
        "{warnings:?}"
    );
}

#[test]
fn compressed_files_are_refused_by_name() {
    let Some(pack) = pack("compressed_files_are_refused_by_name") else {
        return;
    };
    let path = pack.join("gltf/chess_board_draco.glb");
    let Err(error) = load_scene(&path, LoadOptions::default()) else {
        panic!("it was read")
    };
    let AssetError::UnsupportedExtension { extension, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(extension, "KHR_draco_mesh_compression");
    assert!(error.hint().is_some());
}

#[test]
fn textures_of_unknown_formats_cost_a_look_not_the_file() {
    let Some(pack) = pack("textures_of_unknown_formats_cost_a_look_not_the_file") else {
        return;
    };
    let file = "gltf/ycb_mustard_ktx2_basisu/006_mustard_bottle_textured.gltf";
    let (scene, warnings) = load_scene(&pack.join(file), LoadOptions::default()).unwrap();
    assert_eq!(scene.instances.len(), 1);
    for words in ["KHR_texture_basisu is ignored", "plain factor is used"] {
        assert!(warnings.0.iter().any(|w| w.contains(words)), "{warnings:?}");
    }
}

fn mean(library: &Library, id: &str) -> f64 {
    let map = library
        .load_environment(id)
        .unwrap_or_else(|error| panic!("{id}: {error}"));
    let Pixels::RgbF32(texels) = &map.image.pixels else {
        panic!("{id} is not float")
    };
    assert_eq!(texels.len() as u32, map.image.width * map.image.height);
    assert!(texels.iter().flatten().all(|v| v.is_finite() && *v >= 0.0));
    texels.iter().flatten().map(|v| f64::from(*v)).sum::<f64>() / (3 * texels.len()) as f64
}

#[test]
fn every_skybox_loads() {
    let Some(pack) = pack("every_skybox_loads") else {
        return;
    };
    let (library, warnings) = Library::open(&[pack.join("skybox")]).unwrap();
    assert_eq!(warnings.0.len(), 1, "{warnings:?}");
    assert_eq!(library.environments().len(), 13);
    for record in library.environments() {
        assert!(mean(&library, &record.id) > 1e-4, "{}", record.id);
        let record = library.record(&record.id).unwrap();
        assert_ne!(record.license, "unknown", "{}", record.id);
    }
    // The lossy compression of one file rang below zero at three pixels.
    let warnings = library.warnings().0;
    assert!(
        warnings.len() == 2
            && warnings[0].contains("dwaa.exr is DWA-compressed")
            && warnings[1].contains("dwaa.exr: 3 pixels"),
        "{warnings:?}"
    );
    assert!(
        library
            .load_environment("dikhololo_night_1k")
            .unwrap()
            .night
    );
    // Re-encodings of the same picture agree.
    for (a, b, tolerance) in [
        ("venice_sunset_1k", "venice_sunset_1k_float_dwaa", 0.02),
        ("rooitou_park_1k", "rooitou_park_512_half_zip", 0.05),
    ] {
        let (a, b) = (mean(&library, a), mean(&library, b));
        assert!((a - b).abs() < tolerance * a, "{a} {b}");
    }
    assert_ne!(
        library
            .environments()
            .iter()
            .find(|r| r.id.starts_with("pannellum"))
            .map(|r| r.license.as_str()),
        Some("unknown")
    );
}

#[test]
fn opening_a_library_reads_no_asset() {
    let Some(pack) = pack("opening_a_library_reads_no_asset") else {
        return;
    };
    let dirs = [pack.join("objects"), pack.join("skybox")];
    let (library, _) = Library::open(&dirs).unwrap();
    assert!(
        library
            .objects()
            .iter()
            .chain(library.environments())
            .all(|r| r.blake3.is_empty())
    );
    assert!(library.warnings().0.is_empty());
}

/// The pack has a place both with its whole range and as eight bits.
#[test]
fn eight_bit_pictures_get_their_main_light_back() {
    let Some(pack) = pack("eight_bit_pictures_get_their_main_light_back") else {
        return;
    };
    let (library, _) = Library::open(&[pack.join("skybox")]).unwrap();
    let whole = "potsdamer_platz_1k";
    assert_eq!(library.expanded_id(whole).unwrap(), whole);
    let id = library.expanded_id("potsdamer_platz_1k_ldr").unwrap();
    assert_ne!(id, "potsdamer_platz_1k_ldr");
    let sun = library.load_environment(&id).unwrap().sun.unwrap();
    // Where the picture that holds it is brightest.
    let truth = library.load_environment(whole).unwrap();
    let Pixels::RgbF32(texels) = &truth.image.pixels else {
        panic!("an environment must be float")
    };
    let width = truth.image.width as usize;
    let brightest = (0..texels.len())
        .max_by(|a, b| texels[*a][1].total_cmp(&texels[*b][1]))
        .unwrap();
    let azimuth = (0.5 - (brightest % width) as f32 / width as f32) * core::f32::consts::TAU;
    let zenith = (brightest / width) as f32 / truth.image.height as f32 * core::f32::consts::PI;
    let there = Vec3::new(
        libm::sinf(zenith) * libm::cosf(azimuth),
        libm::sinf(zenith) * libm::sinf(azimuth),
        libm::cosf(zenith),
    );
    let off = Vec3::from(sun.direction_to_sun).angle_between(there);
    assert!(
        off < sun.angular_diameter_rad / 2.0,
        "{} degrees",
        off.to_degrees()
    );
    let record = library.record(&id).unwrap();
    assert_eq!(record.id, id);
    assert_eq!(
        record.blake3,
        library.record("potsdamer_platz_1k_ldr").unwrap().blake3
    );
}
