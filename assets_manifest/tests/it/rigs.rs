//! Rigs, skins, morph targets and takes: files made here that each say one thing, and the shared
//! characters and motions.

use std::path::Path;

use diorama_assets::rig::{Blend, JointTransform};
use diorama_assets::{
    AssetError, BodyPose, Model, Motion, Rig, Warnings, load_character_file, load_model_file,
    load_motion_file,
};
use fs_err as fs;
use glam::{Affine3A, Quat, Vec3};

use crate::fbx_text::{fbx, fbx_node};
use crate::gltf::assert_near;
use crate::gltf_writer::Writer;
use crate::pack;

fn character(writer: &Writer) -> (Model, Warnings) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body.gltf");
    fs::write(&path, writer.json()).unwrap();
    let (model, _, warnings) = load_character_file(&path).unwrap();
    (model, warnings)
}

fn rig(model: &Model) -> &Rig {
    model.rig.as_ref().unwrap()
}

/// A ribbon of three pairs of vertices at heights 0, 1 and 2 m (Y up in the file), bound to a joint
/// at 0 and its child at 1; the middle pair follows both by half, the last one by `last`.
fn ribbon(last: [f32; 4]) -> Writer {
    let mut writer = Writer::default();
    let position: Vec<f32> = (0..3)
        .flat_map(|y| [0.0, y as f32, 0.0, 0.1, y as f32, 0.0])
        .collect();
    let position = writer.floats(&position, 3);
    let joints = writer.accessor(&[0, 1, 0, 0].repeat(6), 5121, 6, r#""type": "VEC4""#);
    let pair = [[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], last];
    let weights: Vec<f32> = pair.iter().flat_map(|w| w.repeat(2)).collect();
    let weights = writer.floats(&weights, 4);
    let indices: Vec<u8> = vec![0, 1, 2, 2, 1, 3, 2, 3, 4, 4, 3, 5];
    let indices = writer.accessor(&indices, 5121, 12, r#""type": "SCALAR""#);
    let mut lower = glam::Mat4::IDENTITY.to_cols_array().to_vec();
    lower.extend(glam::Mat4::from_translation(-Vec3::Y).to_cols_array());
    let bind = writer.floats(&lower, 16);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}, "JOINTS_0": {joints},
            "WEIGHTS_0": {weights}}}, "indices": {indices}}}]}}]"#
    ));
    writer.section(format!(
        r#""skins": [{{"joints": [0, 1], "inverseBindMatrices": {bind}}}]"#
    ));
    writer.section(
        r#""nodes": [{"name": "low", "children": [1]}, {"name": "high", "translation": [0, 1, 0]},
            {"mesh": 0, "skin": 0, "translation": [9, 9, 9]}]"#,
    );
    writer
}

fn bent(rig: &Rig, joint: usize, rotation: Quat) -> BodyPose {
    let mut locals: Vec<JointTransform> = rig.joints.iter().map(|j| j.rest).collect();
    locals[joint].rotation = rotation * locals[joint].rotation;
    rig.pose(&locals)
}

#[test]
fn skin_at_rest_is_the_mesh() {
    let (model, warnings) = character(&ribbon([0.0, 1.0, 0.0, 0.0]));
    assert!(warnings.0.is_empty(), "{warnings:?}");
    let rig = rig(&model);
    assert_eq!(rig.joint("high"), Some(1));
    assert_eq!(rig.joints[1].rest.translation, Vec3::Z);
    // The skinned mesh's own node does not count.
    let rest = model.posed(0, &rig.rest_pose());
    assert_eq!(rest.positions, model.meshes[0].positions);
    assert_near(&rest.positions[4..], &[[0.0, 0.0, 2.0], [0.1, 0.0, 2.0]]);
}

#[test]
fn bend_of_two_joints_has_a_known_answer() {
    let (mut model, _) = character(&ribbon([0.0, 1.0, 0.0, 0.0]));
    // A quarter turn of the upper joint about Y takes up (+Z) to +X.
    let pose = bent(
        rig(&model),
        1,
        Quat::from_rotation_y(std::f32::consts::FRAC_PI_2),
    );
    let linear = model.posed(0, &pose).positions;
    let expected = [
        [0.0, 0.0, 0.0],
        [0.1, 0.0, 0.0],
        // At the joint: half of staying and half of turning (0.1, 0, 0) to (0, 0, −0.1).
        [0.0, 0.0, 1.0],
        [0.05, 0.0, 0.95],
        [1.0, 0.0, 1.0],
        [1.0, 0.0, 0.9],
    ];
    assert_near(&linear, &expected);
    // Dual quaternions keep the width: half of a quarter turn.
    let skin = model.rig.as_mut().unwrap().skins[0].as_mut().unwrap();
    skin.blend = Blend::DualQuaternion;
    let dual = model.posed(0, &pose).positions;
    let half = 0.1 * std::f32::consts::FRAC_1_SQRT_2;
    assert_near(&dual[2..4], &[[0.0, 0.0, 1.0], [half, 0.0, 1.0 - half]]);
    // With one influence both are the same.
    for vertex in [0, 1, 4, 5] {
        assert!(dual[vertex].distance(linear[vertex]) < 1e-6);
    }
}

#[test]
fn turning_the_root_turns_every_vertex() {
    let (mut model, _) = character(&ribbon([0.0, 1.0, 0.0, 0.0]));
    for blend in [Blend::Linear, Blend::DualQuaternion] {
        let skin = model.rig.as_mut().unwrap().skins[0].as_mut().unwrap();
        skin.blend = blend;
        let pose = bent(rig(&model), 1, Quat::from_rotation_y(0.7));
        let turn = Affine3A::from_rotation_translation(
            Quat::from_axis_angle(Vec3::new(0.6, 0.0, 0.8), 1.1),
            Vec3::new(1.0, -2.0, 0.5),
        );
        let turned = BodyPose {
            joints: pose.joints.iter().map(|joint| turn * *joint).collect(),
            morph_weights: Vec::new(),
        };
        let before = model.posed(0, &pose).positions;
        let after = model.posed(0, &turned).positions;
        for (a, b) in before.iter().zip(&after) {
            assert!(turn.transform_point3(*a).distance(*b) < 1e-5, "{blend:?}");
        }
    }
}

#[test]
fn vertices_without_weight_follow_the_joint_named_first() {
    let (model, warnings) = character(&ribbon([0.0; 4]));
    assert!(
        warnings
            .0
            .iter()
            .any(|w| w.contains("2 vertices") && w.contains("no weight")),
        "{warnings:?}"
    );
    let pose = bent(rig(&model), 1, Quat::from_rotation_y(1.0));
    assert_near(
        &model.posed(0, &pose).positions[4..],
        &[[0.0, 0.0, 2.0], [0.1, 0.0, 2.0]],
    );
}

#[test]
fn weights_are_normalised_and_eight_influences_count() {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    let first = writer.accessor(&[0, 1, 2, 3].repeat(3), 5121, 3, r#""type": "VEC4""#);
    let second = writer.accessor(&[4, 5, 6, 7].repeat(3), 5121, 3, r#""type": "VEC4""#);
    let weights = writer.floats(&[0.5; 12], 4);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}, "JOINTS_0": {first},
            "WEIGHTS_0": {weights}, "JOINTS_1": {second}, "WEIGHTS_1": {weights}}}}}]}}]"#
    ));
    writer.section(r#""skins": [{"joints": [0, 1, 2, 3, 4, 5, 6, 7]}]"#);
    // The same name eight times, and one that is not ASCII.
    let joints = r#"{"name": "arm é"},"#.repeat(8);
    writer.section(format!(r#""nodes": [{joints} {{"mesh": 0, "skin": 0}}]"#));
    let (model, warnings) = character(&writer);
    let rig = rig(&model);
    let skin = rig.skins[0].as_ref().unwrap();
    assert_eq!(skin.first_influence, [0, 8, 16, 24]);
    assert!(skin.influences.iter().all(|i| i.weight == 0.125));
    assert_eq!(rig.joints[0].name, "arm é");
    assert_eq!(rig.joints[7].name, "arm é.007");
    assert!(
        warnings.0.iter().any(|w| w.contains("named `arm é`")),
        "{warnings:?}"
    );
}

#[test]
fn small_files_that_ask_for_much_are_refused() {
    // Nodes that share a mesh.
    let mut writer = Writer::default();
    let corners = writer.floats(&vec![0.0; 27_000], 3);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {corners}}}}}]}}]"#
    ));
    let nodes = vec![r#"{"mesh": 0}"#; 20_000].join(",");
    writer.section(format!(r#""nodes": [{nodes}]"#));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.gltf");
    fs::write(&path, writer.json()).unwrap();
    let error = load_character_file(&path).unwrap_err().to_string();
    assert!(error.contains("triangles"), "{error}");
    // A take of thirty years.
    let mut writer = ribbon([0.0, 1.0, 0.0, 0.0]);
    let times = writer.floats(&[0.0, 1e9], 1);
    let values = writer.floats(&[0.0; 6], 3);
    writer.section(format!(
        r#""animations": [{{"samplers": [{{"input": {times}, "output": {values}}}],
            "channels": [{{"sampler": 0, "target": {{"node": 1, "path": "translation"}}}}]}}]"#
    ));
    let (model, warnings) = character(&writer);
    assert!(model.motions.is_empty());
    assert!(
        warnings.0.iter().any(|w| w.contains("too long")),
        "{warnings:?}"
    );
}

fn only_take(writer: &Writer) -> Motion {
    let (model, warnings) = character(writer);
    assert!(warnings.0.is_empty(), "{warnings:?}");
    let [motion] = model.motions.as_slice() else {
        panic!("one take expected")
    };
    motion.clone()
}

/// The ribbon with one channel on the upper joint's translation: keys at 0 and 0.1 s.
fn moved_by(interpolation: &str, values: &[f32]) -> Motion {
    let mut writer = ribbon([0.0, 1.0, 0.0, 0.0]);
    let times = writer.floats(&[0.0, 0.1], 1);
    let values = writer.floats(values, 3);
    writer.section(format!(
        r#""animations": [{{"name": "lift", "samplers": [{{"input": {times}, "output": {values},
            "interpolation": "{interpolation}"}}],
            "channels": [{{"sampler": 0, "target": {{"node": 1, "path": "translation"}}}}]}}]"#
    ));
    only_take(&writer)
}

#[test]
fn sampling_follows_the_interpolation() {
    let heights = |motion: &Motion| -> Vec<f32> {
        assert_eq!((motion.rate_hz, motion.name.as_str()), (30.0, "lift"));
        motion.frames.iter().map(|f| f[1].translation.z).collect()
    };
    let near = |found: Vec<f32>, expected: [f32; 4]| {
        assert_eq!(found.len(), 4);
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-5, "{found:?} is not {expected:?}");
        }
    };
    let plain = [0.0, 1.0, 0.0, 0.0, 4.0, 0.0];
    near(heights(&moved_by("LINEAR", &plain)), [1.0, 2.0, 3.0, 4.0]);
    near(heights(&moved_by("STEP", &plain)), [1.0, 1.0, 1.0, 4.0]);
    // In-tangent, value, out-tangent: flat tangents give 3t² − 2t³.
    let flat = [
        [0.0; 3],
        [0.0, 1.0, 0.0],
        [0.0; 3],
        [0.0; 3],
        [0.0, 4.0, 0.0],
        [0.0; 3],
    ]
    .concat();
    let smooth = |t: f32| 1.0 + 3.0 * (3.0 * t * t - 2.0 * t * t * t);
    near(
        heights(&moved_by("CUBICSPLINE", &flat)),
        [1.0, smooth(1.0 / 3.0), smooth(2.0 / 3.0), 4.0],
    );
}

#[test]
fn rotations_turn_at_constant_speed() {
    let mut writer = ribbon([0.0, 1.0, 0.0, 0.0]);
    let times = writer.floats(&[0.0, 0.1], 1);
    let end = Quat::from_rotation_z(1.2);
    // The second key is on the other side: the shorter way is taken.
    let values = writer.floats(&[0.0, 0.0, 0.0, 1.0, -end.x, -end.y, -end.z, -end.w], 4);
    writer.section(format!(
        r#""animations": [{{"samplers": [{{"input": {times}, "output": {values}}}],
            "channels": [{{"sampler": 0, "target": {{"node": 1, "path": "rotation"}}}}]}}]"#
    ));
    let motion = only_take(&writer);
    for (frame, locals) in motion.frames.iter().enumerate() {
        // Z of the file is −Y here.
        let expected = Quat::from_rotation_y(-0.4 * frame as f32);
        assert!(
            locals[1].rotation.dot(expected).abs() > 1.0 - 1e-6,
            "{frame}"
        );
    }
}

#[test]
fn damaged_animations_cost_a_take_not_the_file() {
    let mut writer = ribbon([0.0, 1.0, 0.0, 0.0]);
    let times = writer.floats(&[0.0, 0.1], 1);
    let backwards = writer.floats(&[0.1, 0.0], 1);
    let values = writer.floats(&[0.0; 6], 3);
    let animation = |name: &str, input: usize, output: usize| {
        format!(
            r#"{{"name": "{name}", "samplers": [{{"input": {input}, "output": {output}}}],
                "channels": [{{"sampler": 0, "target": {{"node": 1, "path": "translation"}}}}]}}"#
        )
    };
    writer.section(format!(
        r#""animations": [{}, {}, {}, {}, {{"channels": 7}}]"#,
        animation("backwards", backwards, values),
        animation("short", times, times),
        animation("absent", times, 99),
        animation("good", times, values),
    ));
    let (model, warnings) = character(&writer);
    let names: Vec<&str> = model.motions.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["good"]);
    assert_eq!(warnings.0.len(), 4, "{warnings:?}");
    assert!(warnings.0.iter().all(|w| w.contains("left out")));
}

/// A triangle with one morph target that lifts its last corner by 2 (Y up in the file).
fn morphed(node: &str, rest: &str) -> Writer {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    let delta = writer.floats(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0], 3);
    let times = writer.floats(&[0.0, 0.1], 1);
    let weights = writer.floats(&[0.0, 1.0], 1);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}}},
            "targets": [{{"POSITION": {delta}}}]}}], {rest} "extras": {{"targetNames": ["tall"]}}}}]"#
    ));
    writer.section(format!(r#""nodes": [{{"mesh": 0 {node}}}]"#));
    writer.section(format!(
        r#""animations": [{{"samplers": [{{"input": {times}, "output": {weights}}}],
            "channels": [{{"sampler": 0, "target": {{"node": 0, "path": "weights"}}}}]}}]"#
    ));
    writer
}

#[test]
fn morph_targets_move_vertices_by_their_weight() {
    // The node is scaled; weights at rest are in the mesh.
    for (rest, height) in [("", 3.0), (r#""weights": [0.5],"#, 6.0)] {
        let (model, warnings) = character(&morphed(r#", "scale": [1, 3, 1]"#, rest));
        assert!(warnings.0.is_empty(), "{warnings:?}");
        assert_eq!(rig(&model).morph_names, ["tall"]);
        assert_near(&model.meshes[0].positions[2..], &[[0.0, 0.0, height]]);
        let motion = &model.motions[0];
        assert_eq!((motion.morph_weights.len(), motion.frames.len()), (4, 4));
        for (frame, weights) in motion.morph_weights.iter().enumerate() {
            let pose = BodyPose {
                joints: Vec::new(),
                morph_weights: weights.clone(),
            };
            let lifted = 3.0 + 2.0 * frame as f32;
            assert_near(&model.posed(0, &pose).positions[2..], &[[0.0, 0.0, lifted]]);
        }
    }
}

#[test]
fn rigid_meshes_follow_the_moving_node_above_them() {
    let mut writer = Writer::default();
    let position = writer.floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3);
    let times = writer.floats(&[0.0, 0.1], 1);
    let values = writer.floats(&[0.0, 0.0, 0.0, 0.0, 3.0, 0.0], 3);
    writer.section(format!(
        r#""meshes": [{{"primitives": [{{"attributes": {{"POSITION": {position}}}}}]}}]"#
    ));
    writer.section(
        r#""nodes": [{"name": "lift", "children": [1]}, {"mesh": 0, "translation": [5, 0, 0]},
            {"mesh": 0}]"#,
    );
    writer.section(format!(
        r#""animations": [{{"samplers": [{{"input": {times}, "output": {values}}}],
            "channels": [{{"sampler": 0, "target": {{"node": 0, "path": "translation"}}}}]}}]"#
    ));
    let (model, _) = character(&writer);
    let rig = rig(&model);
    assert_eq!(rig.joints.len(), 1);
    let last = model.posed(0, &rig.pose(&model.motions[0].frames[3]));
    assert_near(
        &last.positions,
        &[
            [5.0, 0.0, 3.0],
            [6.0, 0.0, 3.0],
            [5.0, 0.0, 4.0],
            // Nothing moves the second mesh.
            [0.0, 0.0, 0.0],
            [1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0],
        ],
    );
}

#[test]
fn scale_that_is_not_inherited_multiplies_up_all_the_same() {
    // Once with a uniform scale and once with another.
    for scale in [[2.0, 2.0, 2.0], [3.0, 2.0, 1.0]] {
        let objects = [
            fbx_node(1, "Wurzel ä b", "LimbNode", 1, 100.0, scale),
            fbx_node(2, "Wurzel ä b", "LimbNode", 2, 10.0, [1.0; 3]),
            fbx_node(3, "tip", "LimbNode", 1, 10.0, [1.0; 3]),
        ]
        .concat();
        let links = [(1, 0), (2, 1), (3, 2), (101, 1), (102, 2), (103, 3)];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bones.fbx");
        fs::write(&path, fbx(&objects, &links)).unwrap();
        let (motions, _, warnings) = load_motion_file(&path).unwrap();
        assert!(
            warnings.0.iter().any(|w| w.contains("named `Wurzel ä b`")),
            "{warnings:?}"
        );
        let rig = Rig {
            joints: motions[0].joints.clone(),
            ..Rig::default()
        };
        let world = rig.pose(&motions[0].frames[0]).joints;
        let tip = world[rig.joint("tip").unwrap()];
        // 1 m up, then 10 cm at the parent's scale, then 10 cm at none.
        let foot = Vec3::from(tip.translation);
        assert!(foot.distance(Vec3::Z * 1.3) < 1e-5, "{foot}");
        let (size, ..) = tip.to_scale_rotation_translation();
        assert!(size.distance(Vec3::ONE) < 1e-5, "{size}");
    }
}

#[test]
fn points_without_weight_stay_with_their_mesh() {
    let matrix = |y: f32| format!("*16 {{\na: 1,0,0,0,0,1,0,0,0,0,1,0,0,{y},0,1\n}}");
    let objects = [
        fbx_node(1, "root", "LimbNode", 1, 0.0, [1.0; 3]),
        fbx_node(2, "bone", "LimbNode", 1, 100.0, [1.0; 3]),
        fbx_node(3, "skin", "Mesh", 1, 50.0, [1.0; 3]),
        // A triangle with its last point held by no bone, another's weight far from 1.
        r#"Geometry: 4, "Geometry::", "Mesh" {
    Vertices: *9 {
        a: 0,0,0,100,0,0,0,100,0
    }
    PolygonVertexIndex: *3 {
        a: 0,1,-3
    }
}
Deformer: 5, "Deformer::", "Skin" {
    Version: 101
}
"#
        .to_owned(),
        format!(
            r#"Deformer: 6, "SubDeformer::", "Cluster" {{
    Version: 100
    Indexes: *2 {{
        a: 0,1
    }}
    Weights: *2 {{
        a: 0.25,1
    }}
    Transform: {}
    TransformLink: {}
}}
"#,
            matrix(-50.0),
            matrix(100.0)
        ),
    ]
    .concat();
    let links = [
        (1, 0),
        (2, 1),
        (3, 0),
        (101, 1),
        (102, 2),
        (4, 3),
        (5, 4),
        (6, 5),
        (2, 6),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body.fbx");
    fs::write(&path, fbx(&objects, &links)).unwrap();
    let (model, _, warnings) = load_character_file(&path).unwrap();
    assert!(
        warnings.0.iter().any(|w| w.contains("1 points of `skin`")),
        "{warnings:?}"
    );
    check(&model, &path);
    let rest = [[0.0, 0.0, 0.5], [1.0, 0.0, 0.5], [0.0, 0.0, 1.5]];
    assert_near(&model.meshes[0].positions, &rest);
    assert_near(
        &load_model_file(&path).unwrap().0.meshes[0].positions,
        &rest,
    );
    let rig = rig(&model);
    // The bone is at 1 m; a half turn about X turns what hangs below it up.
    let half = Quat::from_rotation_x(std::f32::consts::PI);
    let pose = bent(rig, rig.joint("bone").unwrap(), half);
    let posed = model.posed(0, &pose).positions;
    assert_near(&posed, &[[0.0, 0.0, 1.5], [1.0, 0.0, 1.5], [0.0, 0.0, 1.5]]);
}

fn check(model: &Model, path: &Path) {
    let mesh = &model.meshes[0];
    mesh.validate().unwrap();
    let Some(rig) = &model.rig else { return };
    for (index, joint) in rig.joints.iter().enumerate() {
        assert!(
            joint
                .parent
                .is_none_or(|parent| usize::from(parent) < index)
        );
        assert!((joint.rest.rotation.length() - 1.0).abs() < 1e-5);
    }
    if let Some(skin) = &rig.skins[0] {
        assert_eq!(skin.first_influence.len(), mesh.positions.len() + 1);
        assert_eq!(skin.joint_from_model.len(), rig.joints.len());
        for range in skin.first_influence.windows(2) {
            let of_vertex = &skin.influences[range[0] as usize..range[1] as usize];
            let sum: f32 = of_vertex.iter().map(|i| i.weight).sum();
            assert!(of_vertex.is_empty() || (sum - 1.0).abs() < 1e-5);
        }
    }
    // At rest nothing moves.
    let (low, high) = mesh.bounds().unwrap();
    let rest = model.posed(0, &rig.rest_pose());
    let moved = rest.positions.iter().zip(&mesh.positions);
    let farthest = moved.map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
    let tolerance = 1e-5 * (high - low).length();
    assert!(farthest <= tolerance, "{}: {farthest} m", path.display());
    for motion in &model.motions {
        assert_eq!(motion.joints, rig.joints);
        for locals in &motion.frames {
            assert_eq!(locals.len(), rig.joints.len());
            assert!(locals.iter().all(|l| l.parent_from_joint().is_finite()));
        }
    }
}

#[test]
fn shared_characters_load_with_their_rigs_and_takes() {
    let Some(pack) = pack("shared_characters_load_with_their_rigs_and_takes") else {
        return;
    };
    for (file, joints, takes, images) in [
        ("characters/kenney_human/kenney_human.fbx", 59, 1, 0),
        ("characters/mh_female/mh_female.fbx", 66, 0, 3),
        ("characters/mh_male/mh_male.fbx", 66, 0, 2),
        ("characters/quaternius_man/quaternius_man.fbx", 43, 11, 0),
        ("characters/unity_human/unity_human.fbx", 73, 0, 0),
        ("gltf/fox.glb", 25, 3, 1),
        ("gltf/kenney_character/kenney_character.glb", 8, 4, 1),
        ("gltf/mannequiny.glb", 47, 10, 0),
        ("gltf/morph_stress_test.gltf", 0, 3, 2),
        ("gltf/robot.glb", 44, 14, 0),
        ("motion/unity_human/PutGlassesOn.fbx", 76, 1, 0),
        ("motion/unity_human/TakeObjectAttempt.fbx", 73, 1, 0),
        ("motion/wave_hello_with_skin.fbx", 66, 1, 3),
    ] {
        let path = pack.join(file);
        let (model, record, _) = load_character_file(&path).unwrap();
        assert_eq!(record.blake3.len(), 64);
        check(&model, &path);
        let found = (
            rig(&model).joints.len(),
            model.motions.len(),
            model.images.len(),
        );
        assert_eq!(found, (joints, takes, images), "{file}");
        // Nobody is invisible.
        assert!(model.materials.iter().all(|m| m.alpha > 0.0), "{file}");
        // The still model has the same surface.
        let (still, ..) = load_model_file(&path).unwrap();
        assert_eq!(
            still.meshes[0].triangles, model.meshes[0].triangles,
            "{file}"
        );
        assert!(still.rig.is_none() && still.motions.is_empty());
    }
}

#[test]
fn shared_motions_load_without_meshes() {
    let Some(pack) = pack("shared_motions_load_without_meshes") else {
        return;
    };
    for (file, joints, frames) in [
        ("dab.fbx", 66, 141),
        ("edge/single_frame_pose.fbx", 66, 1),
        ("edge/tpose_no_animation.fbx", 66, 1),
        ("edge/walk_25joints_no_fingers.fbx", 26, 131),
        ("edge/walk_mixamorig1_prefix.fbx", 66, 131),
        ("edge/walk_no_prefix.fbx", 66, 131),
        ("hop_and_turn.fbx", 66, 301),
        ("unity_human/Walk.fbx", 76, 24),
        ("walk.fbx", 66, 131),
        ("wave_hello_with_skin.fbx", 66, 145),
    ] {
        let (motions, record, warnings) =
            load_motion_file(&pack.join("motion").join(file)).unwrap();
        let [motion] = motions.as_slice() else {
            panic!("{file}: one take expected")
        };
        assert_eq!(record.blake3.len(), 64);
        assert_eq!(
            (motion.joints.len(), motion.frames.len()),
            (joints, frames),
            "{file}"
        );
        assert_eq!(motion.rate_hz, 30.0, "{file}");
        let still = file.contains("tpose");
        assert_eq!(
            warnings.0.iter().any(|w| w.contains("rest pose")),
            still,
            "{file}"
        );
        // In metres and upright: the hips of a walking person.
        let hips = motion
            .joints
            .iter()
            .position(|j| j.name.ends_with("Hips"))
            .unwrap();
        let rig = Rig {
            joints: motion.joints.clone(),
            ..Rig::default()
        };
        let height = rig.pose(&motion.frames[0]).joints[hips].translation.z;
        assert!((0.7..1.2).contains(&height), "{file}: {height} m");
    }
}

#[test]
fn broken_characters_and_motions_are_listed() {
    let Some(pack) = pack("broken_characters_and_motions_are_listed") else {
        return;
    };
    for (file, of_character, of_motion) in [
        (
            "fbx/armature_only_no_mesh_no_action.fbx",
            "no triangles",
            "",
        ),
        ("fbx/bitflips.fbx", "cannot decode", "cannot decode"),
        ("fbx/lfs_pointer.fbx", "Git LFS", "Git LFS"),
        ("fbx/png_renamed.fbx", "Not an FBX file", "Not an FBX file"),
        ("fbx/static_mesh_no_armature.fbx", "", "no skeleton"),
        (
            "fbx/truncated_character.fbx",
            "cannot decode",
            "cannot decode",
        ),
        ("fbx/truncated_motion.fbx", "cannot decode", "cannot decode"),
        ("fbx/zero_byte.fbx", "0 bytes", "0 bytes"),
        (
            "gltf/accessor_out_of_range.glb",
            "beyond its buffer",
            "no skeleton",
        ),
        ("gltf/empty_scene.gltf", "no triangles", "no skeleton"),
        ("gltf/truncated.glb", "truncated", "truncated"),
        ("obj/empty.obj", ".fbx", ".fbx"),
    ] {
        let path = pack.join("broken").join(file);
        let said = |result: Result<Warnings, AssetError>, words: &str| match result {
            Ok(warnings) => assert!(
                words.is_empty() && !warnings.0.is_empty(),
                "{file} was read: {warnings:?}"
            ),
            Err(error) => assert!(
                !words.is_empty() && error.to_string().contains(words),
                "{file}: `{error}` does not say `{words}`"
            ),
        };
        said(load_character_file(&path).map(|r| r.2), of_character);
        said(load_motion_file(&path).map(|r| r.2), of_motion);
    }
}

#[test]
fn flipped_bytes_of_bodies_never_panic() {
    let Some(pack) = pack("flipped_bytes_of_bodies_never_panic") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for (file, rounds) in [
        ("gltf/fox.glb", 20),
        ("gltf/kenney_character/kenney_character.glb", 20),
        ("characters/kenney_human/kenney_human.fbx", 20),
        ("motion/edge/walk_25joints_no_fingers.fbx", 20),
    ] {
        let whole = fs::read(pack.join(file)).unwrap();
        let path = folder.path().join(file.rsplit('/').next().unwrap());
        for round in 0..rounds {
            let mut bytes = whole.clone();
            let reach = if round % 2 == 0 {
                bytes.len().min(20_000)
            } else {
                bytes.len()
            };
            for _ in 0..=round % 5 {
                bytes[next() % reach] ^= 1 << (next() % 8);
            }
            fs::write(&path, &bytes).unwrap();
            drop(load_character_file(&path));
            drop(load_motion_file(&path));
        }
    }
}
