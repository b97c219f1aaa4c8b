//! Writes built-in people side by side as a binary glTF file, to look at them with any renderer.
//!
//! `character_sheet OUT.glb LOOK PERSON…` where LOOK is `all` or `x,z,height` (the middle and height of
//! what the camera sees, metres) and PERSON is `seed[:turn_deg[:motion:frame]]`; seed `s` is the standard
//! person.

use diorama_assets::builtin::character::{CharacterParameters, character};
use diorama_assets::{BodyPose, Model, Rig};
use glam::{Affine3A, Vec3};
use serde_json::{Value, json};

/// Between neighbours, metres.
const APART: f32 = 1.0;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, look, people @ ..] = arguments.as_slice() else {
        return Ok(());
    };
    let mut scene = Scene::default();
    for (index, person) in people.iter().enumerate() {
        let words: Vec<&str> = person.split(':').collect();
        let parameters = match words[0].parse() {
            Ok(seed) => CharacterParameters::from_seed(seed),
            Err(_) => CharacterParameters::standard(),
        };
        let turn: f32 = words.get(1).and_then(|t| t.parse().ok()).unwrap_or(0.0);
        let model = character(&parameters);
        let Some(rig) = &model.rig else { continue };
        let place = Affine3A::from_translation(Vec3::X * (APART * index as f32))
            * Affine3A::from_rotation_z(turn.to_radians());
        scene.add(&model, &pose(rig, &words), place);
    }
    let look: Vec<f32> = look.split(',').filter_map(|n| n.parse().ok()).collect();
    scene.write(out, &look)
}

fn pose(rig: &Rig, words: &[&str]) -> BodyPose {
    let [_, _, motion, frame, ..] = words else {
        return rig.rest_pose();
    };
    let frame: usize = frame.parse().unwrap_or(0);
    let Some(motion) = diorama_assets::builtin::motion::motion(&format!("builtin/motion/{motion}"))
    else {
        return rig.rest_pose();
    };
    let Ok(retargeted) = diorama_assets::retarget(rig, &motion) else {
        return rig.rest_pose();
    };
    let mut locals = retargeted.frames[frame.min(motion.frames.len() - 1)].clone();
    // On the spot.
    locals[0].translation.y = 0.0;
    rig.pose(&locals)
}

/// glTF under construction.
#[derive(Default)]
struct Scene {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
    materials: Vec<Value>,
    meshes: Vec<Value>,
}

impl Scene {
    fn accessor(&mut self, bytes: &[u8], count: usize, kind: Value) -> usize {
        self.views
            .push(json!({"buffer": 0, "byteOffset": self.bytes.len(), "byteLength": bytes.len()}));
        self.bytes.extend_from_slice(bytes);
        let mut accessor = kind;
        accessor["bufferView"] = json!(self.views.len() - 1);
        accessor["count"] = json!(count);
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    fn add(&mut self, model: &Model, pose: &BodyPose, place: Affine3A) {
        let mesh = model.posed(0, pose);
        // glTF is Y up.
        let flat = |points: &[Vec3]| -> Vec<u8> {
            points
                .iter()
                .flat_map(|p| [p.x, p.z, -p.y])
                .flat_map(f32::to_le_bytes)
                .collect()
        };
        let positions: Vec<Vec3> = mesh
            .positions
            .iter()
            .map(|p| place.transform_point3(*p))
            .collect();
        let normals: Vec<Vec3> = mesh
            .normals
            .iter()
            .map(|n| place.transform_vector3(*n))
            .collect();
        let low = positions.iter().fold(Vec3::INFINITY, |a, b| a.min(*b));
        let high = positions.iter().fold(Vec3::NEG_INFINITY, |a, b| a.max(*b));
        let kind = json!({"componentType": 5126, "type": "VEC3",
            "min": [low.x, low.z, -high.y], "max": [high.x, high.z, -low.y]});
        let position = self.accessor(&flat(&positions), positions.len(), kind);
        let kind = json!({"componentType": 5126, "type": "VEC3"});
        let normal = self.accessor(&flat(&normals), normals.len(), kind);
        let mut primitives = Vec::new();
        for (slot, material) in model.materials.iter().enumerate() {
            let indices: Vec<u32> = mesh
                .triangles
                .iter()
                .zip(&mesh.material_of_triangle)
                .filter(|(_, of)| usize::from(**of) == slot)
                .flat_map(|(triangle, _)| *triangle)
                .collect();
            if indices.is_empty() {
                continue;
            }
            let bytes: Vec<u8> = indices.iter().flat_map(|i| i.to_le_bytes()).collect();
            let kind = json!({"componentType": 5125, "type": "SCALAR"});
            let index = self.accessor(&bytes, indices.len(), kind);
            let [r, g, b] = material.base_color;
            primitives.push(
                json!({"attributes": {"POSITION": position, "NORMAL": normal},
                "indices": index, "material": self.materials.len()}),
            );
            self.materials
                .push(json!({"name": material.name, "pbrMetallicRoughness": {
                "baseColorFactor": [r, g, b, 1.0], "metallicFactor": 0.0,
                "roughnessFactor": material.roughness}}));
        }
        self.meshes.push(json!({"primitives": primitives}));
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a picture for people, not a result"
    )]
    fn write(&self, out: &str, look: &[f32]) -> std::io::Result<()> {
        let mut nodes: Vec<Value> = (0..self.meshes.len()).map(|m| json!({"mesh": m})).collect();
        let mut root = json!({"asset": {"version": "2.0"}, "scene": 0,
            "buffers": [{"byteLength": self.bytes.len()}], "bufferViews": self.views,
            "accessors": self.accessors, "materials": self.materials, "meshes": self.meshes});
        if let [x, z, height] = look {
            // From afar, so that it is nearly parallel.
            let distance = height * 6.0;
            root["cameras"] = json!([{"type": "perspective", "perspective":
                {"yfov": 2.0 * libm::atanf(0.5 / 6.0), "znear": 0.05}}]);
            nodes.push(
                json!({"camera": 0, "translation": [x, z + 0.04 * distance, distance],
                "rotation": [-0.02, 0.0, 0.0, 0.9998]}),
            );
        }
        root["scenes"] = json!([{"nodes": (0..nodes.len()).collect::<Vec<_>>()}]);
        root["nodes"] = json!(nodes);
        let mut text = root.to_string().into_bytes();
        text.resize(text.len().next_multiple_of(4), b' ');
        let mut file = Vec::new();
        let words = |file: &mut Vec<u8>, words: &[u32]| {
            for word in words {
                file.extend_from_slice(&word.to_le_bytes());
            }
        };
        let length = 12 + 8 + text.len() + 8 + self.bytes.len();
        words(
            &mut file,
            &[
                0x4654_6C67,
                2,
                length as u32,
                text.len() as u32,
                0x4E4F_534A,
            ],
        );
        file.extend(text);
        words(&mut file, &[self.bytes.len() as u32, 0x004E_4942]);
        file.extend(&self.bytes);
        std::fs::write(out, file)
    }
}
