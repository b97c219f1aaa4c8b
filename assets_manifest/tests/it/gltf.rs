//! glTF files made here: each says one thing about the reader.

use std::path::{Path, PathBuf};

use diorama_assets::scene::{LoadOptions, SceneFile, SceneLightKind, load_scene};
use diorama_assets::{AlphaMode, AssetError, Warnings, Wrap};
use fs_err as fs;
use glam::{Quat, Vec2, Vec3};

use crate::gltf_writer::{Writer, base64};

impl Writer {
    fn load(&self) -> Result<(SceneFile, Warnings), AssetError> {
        self.load_with(LoadOptions::default())
    }

    fn load_with(&self, options: LoadOptions) -> Result<(SceneFile, Warnings), AssetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.gltf");
        fs::write(&path, self.json()).unwrap();
        load_scene(&path, options)
    }
}

/// A triangle (0,0,0), (1,0,0), (0,1,0) in the glTF's own space, used by the given nodes.
fn triangle(nodes: &str) -> Writer {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    writer.section(format!(
        r#""meshes": [{{"name": "tri", "primitives": [{{"attributes": {{"POSITION": {position}}}}}]}}]"#
    ));
    writer.section(format!(r#""nodes": [{nodes}]"#));
    writer
}

/// The triangle with one material and, per vertex, UV set 0.
fn with_material(material: &str) -> Writer {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    let uv = writer.floats(&[0.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}, "TEXCOORD_0": {uv}}}, "material": 0}}]}}]"#
    ));
    writer.section(r#""nodes": [{"mesh": 0}]"#);
    writer.section(format!(r#""materials": [{material}]"#));
    writer
}

fn only_material(writer: &Writer) -> diorama_assets::Material {
    let (scene, _) = writer.load().unwrap();
    scene.model.materials[0].clone()
}

/// World positions of instance `index`.
fn placed(scene: &SceneFile, index: usize) -> Vec<Vec3> {
    let instance = &scene.instances[index];
    let mesh = &scene.model.meshes[instance.mesh as usize];
    mesh.positions
        .iter()
        .map(|p| instance.pose.rotation * (*p * instance.scale) + instance.pose.position)
        .collect()
}

pub(crate) fn assert_near(found: &[Vec3], expected: &[[f32; 3]]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!(
            a.distance(Vec3::from_array(*b)) < 1e-5,
            "{found:?} is not {expected:?}"
        );
    }
}

#[test]
fn y_up_becomes_z_up() {
    let scene = triangle(r#"{"mesh": 0, "translation": [1, 2, 3]}"#);
    let (scene, warnings) = scene.load().unwrap();
    assert!(warnings.0.is_empty(), "{warnings:?}");
    assert_near(
        &placed(&scene, 0),
        &[[1.0, -3.0, 2.0], [2.0, -3.0, 2.0], [1.0, -3.0, 3.0]],
    );
}

#[test]
fn text_and_binary_hold_the_same() {
    let writer = triangle(r#"{"mesh": 0, "scale": [2, 2, 2]}"#);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.glb");
    fs::write(&path, writer.glb()).unwrap();
    let (binary, _) = load_scene(&path, LoadOptions::default()).unwrap();
    let (text, _) = writer.load().unwrap();
    assert_eq!(placed(&binary, 0), placed(&text, 0));
}

#[test]
fn node_hierarchy_composes_and_instances_share_meshes() {
    let nodes = r#"{"name": "root", "rotation": [0, 0.7071067811865476, 0, 0.7071067811865476], "children": [1, 2]},
        {"name": "a", "mesh": 0, "scale": [2, 2, 2]}, {"name": "b", "mesh": 0, "translation": [0, 0, 1]}"#;
    let (scene, _) = triangle(nodes).load().unwrap();
    assert_eq!(scene.model.meshes.len(), 1);
    let names: Vec<_> = scene.instances.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    // A quarter turn about glTF's Y takes x to −z, which is +y in the world.
    assert_near(
        &placed(&scene, 0),
        &[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]],
    );
    assert_eq!(scene.instances[0].scale, Vec3::splat(2.0));
    assert_near(
        &placed(&scene, 1),
        &[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0]],
    );
}

#[test]
fn mirrored_and_sheared_nodes_get_meshes_of_their_own() {
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let nodes = r#"{"mesh": 0, "scale": [-1, 1, 1]},
           {"scale": [4, 1, 1], "children": [2]},
           {"mesh": 0, "rotation": [0, 0, 0.3826834323650898, 0.9238795325112867]},
           {"mesh": 0, "scale": [0, 0, 0]}"#;
    let mut writer = triangle(nodes);
    writer.section(r#""scenes": [{"nodes": [0, 1, 3]}]"#);
    let (scene, warnings) = writer.load().unwrap();
    assert!(warnings.0[0].contains("scaled to nothing"), "{warnings:?}");
    assert_eq!(scene.model.meshes.len(), 3);
    assert_near(
        &placed(&scene, 0),
        &[[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    );
    let h = half as f32;
    assert_near(
        &placed(&scene, 1),
        &[[0.0, 0.0, 0.0], [4.0 * h, 0.0, h], [-4.0 * h, 0.0, h]],
    );
    // The front of the mirrored triangle is still its front: glTF's +z mirrored in x stays −y.
    let mesh = &scene.model.meshes[scene.instances[0].mesh as usize];
    let [a, b, c] = mesh.triangles[0].map(|corner| mesh.positions[corner as usize]);
    assert!((b - a).cross(c - a).y < 0.0);
}

#[test]
fn strips_and_fans_are_triangles() {
    for (mode, expected) in [
        (4, vec![[0, 1, 2], [2, 1, 3]]),
        (5, vec![[0, 1, 2], [1, 3, 2]]),
        (6, vec![[1, 2, 0], [2, 3, 0]]),
    ] {
        let mut writer = Writer::default();
        let position = writer.floats(
            &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
            3,
        );
        let indices: &[u8] = if mode == 4 {
            &[0, 1, 2, 2, 1, 3]
        } else {
            &[0, 1, 2, 3]
        };
        let indices = writer.accessor(indices, 5121, indices.len(), r#""type": "SCALAR""#);
        writer.section(format!(
            r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}}}, "indices": {indices}, "mode": {mode}}},
                {{"attributes": {{"POSITION": {position}}}, "mode": 1}}]}}], "nodes": [{{"mesh": 0}}]"#
        ));
        let (scene, warnings) = writer.load().unwrap();
        assert_eq!(scene.model.meshes[0].triangles, expected, "mode {mode}");
        assert!(warnings.0[0].contains("points or lines"));
    }
}

#[test]
fn quantised_attributes_are_read() {
    let mut writer = Writer::default();
    let mut bytes = Vec::new();
    for value in [0i16, 0, 0, 0, 1000, 0, 0, 0, 0, 1000, 0, 0] {
        bytes.extend(value.to_le_bytes());
    }
    writer.accessor(&bytes, 5122, 3, r#""type": "VEC3""#);
    writer.views[0] = writer.views[0].replace('}', r#", "byteStride": 8}"#);
    let normals = [0u8, 0, 127, 0].repeat(3);
    writer.accessor(&normals, 5120, 3, r#""type": "VEC3", "normalized": true"#);
    writer.views[1] = writer.views[1].replace('}', r#", "byteStride": 4}"#);
    let colors = [255u8, 0, 0, 255].repeat(3);
    writer.accessor(&colors, 5121, 3, r#""type": "VEC4", "normalized": true"#);
    writer.section(
        r#""meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}}]}],
           "nodes": [{"mesh": 0, "scale": [0.001, 0.001, 0.001]}],
           "extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]"#,
    );
    let (scene, _) = writer.load().unwrap();
    assert_near(
        &placed(&scene, 0),
        &[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    );
    assert_near(&scene.model.meshes[0].normals, &[[0.0, -1.0, 0.0]; 3]);
    assert_eq!(
        scene.model.meshes[0].colors[0].to_array(),
        [1.0, 0.0, 0.0, 1.0]
    );
}

#[test]
fn morph_weights_and_skins_are_applied_at_rest() {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    let delta = writer.floats(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0], 3);
    let joints = writer.accessor(
        &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        5121,
        3,
        r#""type": "VEC4""#,
    );
    let weights = writer.floats(&[1.0, 0.0, 0.0, 0.0].repeat(3), 4);
    writer.section(format!(
        r#""meshes": [{{"weights": [0.5], "primitives": [{{"attributes": {{"POSITION": {position},
              "JOINTS_0": {joints}, "WEIGHTS_0": {weights}}}, "targets": [{{"POSITION": {delta}}}]}}]}}],
           "skins": [{{"joints": [1, 2]}}],
           "nodes": [{{"mesh": 0, "skin": 0, "translation": [50, 50, 50]}}, {{"children": [2]}},
                     {{"translation": [0, 0, -1]}}]"#
    ));
    let (scene, _) = writer.load().unwrap();
    // The second vertex follows joint 2, by −1 along glTF's z; the third is morphed by half of 2 in y.
    assert_near(
        &placed(&scene, 0),
        &[[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]],
    );
}

#[test]
fn cameras_and_lights_keep_looking_along_their_minus_z() {
    let writer = {
        let mut writer = triangle(
            r#"{"name": "eye", "camera": 0, "translation": [0, 1, 5], "scale": [2, 2, 2]},
               {"name": "ortho", "camera": 1},
               {"name": "sun", "extensions": {"KHR_lights_punctual": {"light": 0}},
                "rotation": [-0.7071067811865476, 0, 0, 0.7071067811865476]},
               {"name": "spot", "extensions": {"KHR_lights_punctual": {"light": 1}}}"#,
        );
        writer.section(
            r#""cameras": [{"type": "perspective", "perspective": {"yfov": 0.8, "aspectRatio": 1.5, "znear": 0.1}},
                           {"type": "orthographic", "orthographic": {"xmag": 1, "ymag": 1, "znear": 0, "zfar": 9}}],
               "extensions": {"KHR_lights_punctual": {"lights": [
                   {"type": "directional", "intensity": 683, "color": [1, 0.5, 0.25]},
                   {"type": "spot", "intensity": 683, "spot": {"innerConeAngle": 0.2, "outerConeAngle": 0.8}}]}}"#,
        );
        writer
    };
    let (scene, warnings) = writer.load().unwrap();
    assert!(
        warnings
            .0
            .iter()
            .any(|w| w.contains("`ortho` is orthographic"))
    );
    let [camera] = scene.cameras.as_slice() else {
        panic!("one camera expected")
    };
    assert_eq!(camera.yfov_rad, 0.8);
    assert_near(&[camera.pose.position], &[[0.0, -5.0, 1.0]]);
    // It looks along glTF's −z: +y in the world, with z up.
    assert_near(
        &[
            camera.pose.rotation * Vec3::NEG_Z,
            camera.pose.rotation * Vec3::Y,
        ],
        &[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    );
    let sun = &scene.lights[0];
    assert_near(&[sun.pose.rotation * Vec3::NEG_Z], &[[0.0, 0.0, -1.0]]);
    let SceneLightKind::Sun { irradiance, .. } = sun.kind else {
        panic!("{sun:?} is no sun")
    };
    assert_eq!(irradiance, [1.0, 0.5, 0.25]);
    let SceneLightKind::Spot {
        watts,
        blend,
        outer_half_angle_rad,
        ..
    } = scene.lights[1].kind
    else {
        panic!("no spot")
    };
    assert!((watts[0] - 4.0 * std::f32::consts::PI).abs() < 1e-5);
    assert!((blend - 0.75).abs() < 1e-6);
    assert_eq!(outer_half_angle_rad, 0.8);
    assert!(scene.instances.is_empty());
}

#[test]
fn materials_map_as_in_blenders_importer() {
    let material = only_material(&with_material(
        r#"{"name": "m", "alphaMode": "MASK", "alphaCutoff": 0.3,
            "pbrMetallicRoughness": {"baseColorFactor": [0.1, 0.2, 0.3, 0.4], "metallicFactor": 0.5, "roughnessFactor": 0.6},
            "emissiveFactor": [1, 0.5, 0],
            "extensions": {
              "KHR_materials_emissive_strength": {"emissiveStrength": 7},
              "KHR_materials_ior": {"ior": 1.33},
              "KHR_materials_transmission": {"transmissionFactor": 0.9},
              "KHR_materials_specular": {"specularFactor": 0.8, "specularColorFactor": [1, 0.9, 0.8]},
              "KHR_materials_clearcoat": {"clearcoatFactor": 0.7},
              "KHR_materials_sheen": {"sheenColorFactor": [0.2, 0.3, 0.4], "sheenRoughnessFactor": 0.25}}}"#,
    ));
    assert_eq!(material.name, "m");
    assert_eq!(material.base_color, [0.1, 0.2, 0.3]);
    assert_eq!(
        (material.alpha, material.alpha_mode),
        (0.4, AlphaMode::Mask(0.3))
    );
    assert_eq!((material.metallic, material.roughness), (0.5, 0.6));
    assert_eq!(
        (material.emission, material.emission_strength),
        ([1.0, 0.5, 0.0], 7.0)
    );
    assert_eq!((material.ior, material.transmission), (1.33, 0.9));
    assert_eq!(
        (material.specular, material.specular_tint),
        (0.4, [1.0, 0.9, 0.8])
    );
    assert_eq!((material.coat, material.coat_roughness), (0.7, 0.03));
    assert_eq!(
        (
            material.sheen,
            material.sheen_tint,
            material.sheen_roughness
        ),
        (1.0, [0.2, 0.3, 0.4], 0.25)
    );
    let plain = only_material(&with_material("{}"));
    assert_eq!(
        (plain.metallic, plain.roughness, plain.specular),
        (1.0, 1.0, 0.5)
    );
    assert_eq!((plain.alpha, plain.alpha_mode), (1.0, AlphaMode::Opaque));
}

#[test]
fn absorption_needs_a_thickness_and_is_blenders_unless_asked() {
    let glass = |thickness: f32| {
        with_material(&format!(
            r#"{{"extensions": {{"KHR_materials_transmission": {{"transmissionFactor": 1}},
                "KHR_materials_volume": {{"thicknessFactor": {thickness}, "attenuationDistance": 0.5,
                                          "attenuationColor": [1, 0.5, 0]}}}}}}"#
        ))
    };
    let solid = only_material(&glass(0.1));
    assert_eq!(solid.attenuation_distance, 0.5);
    // Volume Absorption: (1 − color) / distance.
    let expected = [1.0, 0.606_530_66, 0.367_879_44];
    for (a, b) in solid.attenuation_color.iter().zip(expected) {
        assert!((a - b).abs() < 1e-6);
    }
    let hollow = only_material(&glass(0.0));
    assert!(hollow.attenuation_distance.is_infinite() && !hollow.thin_walled);
    let specified = LoadOptions {
        thin_walled: true,
        specified_absorption: true,
    };
    let material = |writer: Writer| {
        let (scene, _) = writer.load_with(specified).unwrap();
        scene.model.materials[0].clone()
    };
    assert!(material(glass(0.0)).thin_walled);
    let solid = material(glass(0.1));
    assert_eq!(solid.attenuation_color, [1.0, 0.5, 0.0]);
    assert!(!solid.thin_walled);
}

#[test]
fn textures_carry_sampler_and_transform() {
    let mut png = Vec::new();
    image::RgbImage::from_pixel(2, 1, image::Rgb([10, 20, 30]))
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let mut writer = with_material(
        r#"{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "extensions":
              {"KHR_texture_transform": {"offset": [0.5, 0.25], "scale": [2, 3], "texCoord": 1}}}},
            "emissiveTexture": {"index": 1}}"#,
    );
    writer.section(format!(
        r#""images": [{{"uri": "data:image/png;base64,{}"}}, {{"uri": "lost.png"}}],
           "samplers": [{{"wrapS": 33071, "wrapT": 33648, "magFilter": 9728}}],
           "textures": [{{"source": 0, "sampler": 0}}, {{"source": 1}}]"#,
        base64(&png)
    ));
    let (scene, warnings) = writer.load().unwrap();
    let texture = scene.model.materials[0].base_color_texture.unwrap();
    assert_eq!(
        (texture.wrap_u, texture.wrap_v),
        (Wrap::Clamp, Wrap::Mirror)
    );
    assert!(texture.nearest);
    assert_eq!(texture.uv_set, 1);
    assert_eq!(
        (texture.matrix, texture.offset),
        ([2.0, 0.0, 0.0, 3.0], [0.5, 0.25])
    );
    assert_eq!(scene.model.images.len(), 1);
    assert!(scene.model.materials[0].emission_texture.is_none());
    assert!(
        warnings.0[0].contains("lost.png is missing"),
        "{warnings:?}"
    );
    assert_eq!(scene.model.meshes[0].uvs[2], Vec2::new(0.0, 1.0));
}

#[test]
fn webp_source_wins_over_the_fallback() {
    let mut webp = Vec::new();
    image::RgbaImage::from_pixel(1, 1, image::Rgba([1, 2, 3, 255]))
        .write_to(
            &mut std::io::Cursor::new(&mut webp),
            image::ImageFormat::WebP,
        )
        .unwrap();
    let mut writer =
        with_material(r#"{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}"#);
    writer.section(format!(
        r#""images": [{{"uri": "lost.png"}}, {{"uri": "data:image/webp;base64,{}"}}],
           "textures": [{{"source": 0, "extensions": {{"EXT_texture_webp": {{"source": 1}}}}}}],
           "extensionsUsed": ["EXT_texture_webp"], "extensionsRequired": ["EXT_texture_webp"]"#,
        base64(&webp)
    ));
    let (scene, warnings) = writer.load().unwrap();
    assert!(warnings.0.is_empty(), "{warnings:?}");
    let diorama_assets::Pixels::Rgba8(texels) = &scene.model.images[0].pixels else {
        panic!("8-bit expected")
    };
    assert_eq!(texels[0], [1, 2, 3, 255]);
}

#[test]
fn the_same_picture_under_two_names_is_kept_once() {
    let picture = |value: u8| {
        let mut png = Vec::new();
        image::RgbaImage::from_pixel(1, 1, image::Rgba([value, 2, 3, 255]))
            .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
            .unwrap();
        format!(r#"{{"uri": "data:image/png;base64,{}"}}"#, base64(&png))
    };
    let mut writer = with_material(
        r#"{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0},
            "metallicRoughnessTexture": {"index": 1}}, "emissiveTexture": {"index": 2}}"#,
    );
    writer.section(format!(
        r#""images": [{}, {}, {}], "textures": [{{"source": 0}}, {{"source": 1}}, {{"source": 2}}]"#,
        picture(1),
        picture(1),
        picture(7)
    ));
    let (scene, _) = writer.load().unwrap();
    let material = &scene.model.materials[0];
    let image = |texture: &Option<diorama_assets::TextureRef>| texture.as_ref().unwrap().image;
    assert_eq!(scene.model.images.len(), 2);
    let color = image(&material.base_color_texture);
    assert_eq!(image(&material.metallic_roughness_texture), color);
    assert_ne!(image(&material.emission_texture), color);
}

#[test]
fn unsupported_required_extensions_are_named_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gltf");
    // Everything else about this file is wrong, too.
    fs::write(
        &path,
        r#"{"asset": {"version": "2.0"}, "extensionsRequired": ["KHR_draco_mesh_compression"],
            "buffers": [{"byteLength": 9, "uri": "lost.bin"}], "nodes": [{"mesh": 77}]}"#,
    )
    .unwrap();
    let error = load_scene(&path, LoadOptions::default()).unwrap_err();
    let AssetError::UnsupportedExtension { extension, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(extension, "KHR_draco_mesh_compression");
}

#[test]
fn damaged_documents_are_errors() {
    let load = |text: &str, path: &Path| {
        fs::write(path, text).unwrap();
        load_scene(path, LoadOptions::default())
    };
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("a.gltf");
    for (what, text) in [
        ("no JSON", "hello"),
        ("version", r#"{"asset": {"version": "1.0"}}"#),
        (
            "cycle",
            r#"{"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"children": [0]}]}"#,
        ),
        (
            "no node",
            r#"{"asset": {"version": "2.0"}, "scenes": [{"nodes": [7]}]}"#,
        ),
        (
            "no mesh",
            r#"{"asset": {"version": "2.0"}, "nodes": [{"mesh": 7}]}"#,
        ),
        (
            "no scene",
            r#"{"asset": {"version": "2.0"}, "scene": 3, "scenes": [{}]}"#,
        ),
        (
            "deep",
            &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            "huge accessor",
            r#"{"asset": {"version": "2.0"}, "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
            "accessors": [{"componentType": 5126, "count": 4000000000, "type": "VEC3"}]}"#,
        ),
    ] {
        assert!(load(text, &path).is_err(), "{what} was read");
    }
}

#[test]
fn pose_of_an_unturned_camera_is_a_quarter_turn_about_x() {
    let mut writer = triangle(r#"{"camera": 0}"#);
    writer.section(
        r#""cameras": [{"type": "perspective", "perspective": {"yfov": 1, "znear": 0.1}}]"#,
    );
    let (scene, _) = writer.load().unwrap();
    let expected = Quat::from_xyzw(0.5f32.sqrt(), 0.0, 0.0, 0.5f32.sqrt());
    assert!(scene.cameras[0].pose.rotation.dot(expected).abs() > 1.0 - 1e-6);
}
