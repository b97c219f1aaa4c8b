//! Bad input: an error or a listed warning for each, never a panic.

use std::path::Path;

use diorama_assets::scene::{LoadOptions, load_scene};
use diorama_assets::{Library, load_environment_file, load_model_file};
use fs_err as fs;

use crate::pack;

fn model_words(path: &Path) -> Result<Vec<String>, String> {
    match load_model_file(path) {
        Ok((_, _, warnings)) => Ok(warnings.0),
        Err(error) => Err(error.to_string()),
    }
}

fn environment_words(path: &Path) -> Result<Vec<String>, String> {
    match load_environment_file(path) {
        Ok((_, _, warnings)) => Ok(warnings.0),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn every_broken_model_is_an_error_or_a_warning() {
    let Some(pack) = pack("every_broken_model_is_an_error_or_a_warning") else {
        return;
    };
    let broken = pack.join("broken");
    for (file, words) in [
        ("obj/degenerate_zero_area.obj", "area"),
        ("obj/empty.obj", "0 bytes"),
        ("obj/index_out_of_range.obj", "index"),
        ("obj/nan_vertices.obj", "not a finite number"),
        ("obj/points_only_no_faces.obj", "no triangles"),
        ("gltf/accessor_out_of_range.glb", "beyond its buffer"),
        ("gltf/empty_scene.gltf", "no triangles"),
        ("gltf/invalid_json_chunk.glb", "JSON"),
        (
            "gltf/missing_bin_and_textures.gltf",
            "painted_wooden_stool.bin",
        ),
        ("gltf/truncated.glb", "truncated"),
        ("gltf/wrong_version_1.glb", "version"),
        ("gltf/zero_byte.glb", "0 bytes"),
        ("fbx/armature_only_no_mesh_no_action.fbx", "no triangles"),
        ("fbx/binary_fbx_6100_too_old.fbx", ""),
        ("fbx/bitflips.fbx", ""),
        ("fbx/lfs_pointer.fbx", "Git LFS"),
        ("fbx/png_renamed.fbx", ""),
        ("fbx/truncated_character.fbx", ""),
        ("fbx/truncated_motion.fbx", ""),
        ("fbx/zero_byte.fbx", "0 bytes"),
    ] {
        match model_words(&broken.join(file)) {
            Err(error) => assert!(
                error.contains(words) && error.contains(file.rsplit('/').nth(1).unwrap()),
                "{file}: `{error}` does not say `{words}`"
            ),
            Ok(warnings) => assert!(
                words.is_empty(),
                "{file} was read, with warnings {warnings:?}"
            ),
        }
    }
    for (file, words) in [
        ("obj/huge_scale.obj", "unit"),
        ("obj/missing_mtl.obj", "does_not_exist.mtl is missing"),
        (
            "obj/missing_texture/visual_geometry.obj",
            "texture_not_there.png is missing",
        ),
    ] {
        let warnings = model_words(&broken.join(file)).unwrap();
        assert!(
            warnings.iter().any(|warning| warning.contains(words)),
            "{file}: {warnings:?} does not say `{words}`"
        );
    }
    assert_eq!(
        model_words(&broken.join("fbx/static_mesh_no_armature.fbx"))
            .map(|warnings| warnings.len() < 10),
        Ok(true)
    );
}

#[test]
fn every_broken_skybox_is_an_error_or_a_warning() {
    let Some(pack) = pack("every_broken_skybox_is_an_error_or_a_warning") else {
        return;
    };
    let broken = pack.join("broken/skybox");
    for (file, words) in [
        ("cubemap_strip_6x1_not_equirect.exr", "twice as wide"),
        ("lfs_pointer.hdr", "Git LFS"),
        ("square_not_2to1.png", "twice as wide"),
        ("truncated.exr", "cannot decode"),
        ("truncated.hdr", "cannot decode"),
        ("zero_byte.hdr", "0 bytes"),
    ] {
        let error = environment_words(&broken.join(file)).unwrap_err();
        assert!(
            error.contains(words),
            "{file}: `{error}` does not say `{words}`"
        );
    }
    for (file, words) in [
        ("nan_inf_negative.exr", "NaN"),
        ("png_renamed.exr", "in truth"),
        ("png_renamed.hdr", "in truth"),
    ] {
        let warnings = environment_words(&broken.join(file)).unwrap();
        assert!(
            warnings.iter().any(|warning| warning.contains(words)),
            "{file}: {warnings:?} does not say `{words}`"
        );
    }
    assert_eq!(environment_words(&broken.join("grayscale.png")), Ok(vec![]));
}

#[test]
fn folder_of_broken_objects_opens_and_each_fails_alone() {
    let Some(pack) = pack("folder_of_broken_objects_opens_and_each_fails_alone") else {
        return;
    };
    let (library, warnings) = Library::open(&[pack.join("broken/obj")]).unwrap();
    assert!(
        warnings.0.iter().any(|w| w.contains("bad_object_dir")),
        "{warnings:?}"
    );
    let failures = library
        .objects()
        .iter()
        .filter(|record| library.load_model(&record.id).is_err())
        .count();
    assert_eq!((library.objects().len(), failures), (8, 5));
}

/// Deterministic byte noise.
fn noise(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_769).wrapping_add(1);
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    }
}

#[test]
fn flipped_and_missing_bytes_never_panic() {
    let Some(pack) = pack("flipped_and_missing_bytes_never_panic") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (file, rounds) in [
        ("gltf/glass_table.glb", 40),
        ("gltf/robot.glb", 3),
        ("objects/glass_bottle_fbx/bottle_glass_01.fbx", 30),
        ("skybox/rooitou_park_512_half_zip.exr", 4),
        ("skybox/venice_sunset_1k_float_dwaa.exr", 3),
        ("skybox/dikhololo_night_1k_ldr.jpg", 3),
        ("skybox/potsdamer_platz_1k_ldr.png", 2),
        ("skybox/kiara_1_dawn_1k.hdr", 3),
    ] {
        let whole = fs::read(pack.join(file)).unwrap();
        let path = folder.path().join(file.rsplit('/').next().unwrap());
        for round in 0..rounds {
            let mut next = noise(round);
            let mut bytes = whole.clone();
            // Most damage near the start, where headers and counts are.
            let reach = if round % 2 == 0 {
                bytes.len().min(2_000)
            } else {
                bytes.len()
            };
            for _ in 0..=round % 5 {
                let at = next() as usize % reach;
                bytes[at] ^= 1 << (next() % 8);
            }
            if round % 7 == 3 {
                bytes.truncate(next() as usize % bytes.len());
            }
            fs::write(&path, &bytes).unwrap();
            if file.starts_with("skybox") {
                drop(load_environment_file(&path));
            } else {
                drop(load_model_file(&path));
                drop(load_scene(&path, LoadOptions::default()));
            }
        }
    }
}

#[test]
fn declared_sizes_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    // A Radiance header that promises 2·10⁹ × 10⁹ pixels, and one of 0 × 0.
    for (size, words) in [("-Y 1000000000 +X 2000000000", ""), ("-Y 0 +X 0", "0×0")] {
        let path = folder.path().join("sky.hdr");
        fs::write(
            &path,
            format!("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n{size}\n"),
        )
        .unwrap();
        let error = environment_words(&path).unwrap_err();
        assert!(error.contains(words), "{size}: {error}");
    }
    // A bitmap of 60000 × 30000.
    let mut bitmap = b"BM".to_vec();
    bitmap.extend([0; 8]);
    bitmap.extend(54u32.to_le_bytes());
    bitmap.extend(40u32.to_le_bytes());
    bitmap.extend(60_000i32.to_le_bytes());
    bitmap.extend(30_000i32.to_le_bytes());
    bitmap.extend([1, 0, 24, 0]);
    bitmap.extend([0; 24]);
    let path = folder.path().join("sky.png");
    fs::write(&path, bitmap).unwrap();
    assert!(environment_words(&path).is_err());
}

#[test]
fn missing_files_name_the_path() {
    let error = Library::open(&["no/such/folder".into()]).err().unwrap();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = Library::open(&[empty.path().to_owned()]).err().unwrap();
    assert!(error.to_string().contains("no model"), "{error}");
    let error = load_environment_file(Path::new("no/such.hdr")).unwrap_err();
    assert!(error.to_string().contains("no/such.hdr"), "{error}");
}
