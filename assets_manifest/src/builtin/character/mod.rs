//! Built-in people: dressed bodies of any size and build, skinned to Mixamo's skeleton.
//!
//! A body is an implicit surface (`body`, `head`) that a grid turns into a net (`nets`), which is
//! refined, cut along the borders of materials and spread over the layers of skin and clothes
//! (`cut`). Eyes, brows and fingers are parts of their own (`details`).

mod body;
mod cut;
mod details;
mod head;
mod nets;
mod parameters;
pub(super) mod skeleton;
pub(super) mod solid;
#[cfg(test)]
mod tests;
mod weights;

use std::sync::Arc;

use glam::Vec3;
use rayon::prelude::*;

use super::palette::Rgb;
use crate::rig::{Blend, Influence, Rig, Skin};
use crate::{Material, Mesh, Model};
use body::{Body, Slot};
use cut::Layered;
use nets::Grid;
pub use parameters::{Bottom, CharacterParameters, HairStyle, Top};
use skeleton::Landmarks;
use weights::Weights;

/// Grid spacing of the body of standard height, metres.
const SPACING: f32 = 0.0165;
/// Along the height of the head.
const HEAD_SPACING: f32 = 0.0120;

/// Builds a person: one mesh of about 30 thousand triangles, twelve materials, a rig of 65 joints.
pub fn character(parameters: &CharacterParameters) -> Model {
    let body = Body::new(parameters);
    let joints = skeleton::joints(&body.landmarks);
    let mut mesh = surface(&body);
    let weights = Weights::new(&body, &joints);
    let mut influences: Vec<Vec<Influence>> = {
        let mut slots = vec![Slot::Skin; mesh.positions.len()];
        for (triangle, slot) in mesh.triangles.iter().zip(&mesh.slots) {
            for v in triangle {
                slots[*v as usize] = *slot;
            }
        }
        mesh.positions
            .par_iter()
            .zip(&slots)
            .map(|(p, slot)| weights.of_body(*slot, *p))
            .collect()
    };
    for part in details::parts(&body) {
        let mut piece = part.mesh;
        piece.weld();
        influences.extend(
            piece
                .positions
                .iter()
                .map(|p| weights.of_part(&part.joint, *p)),
        );
        let first = mesh.positions.len() as u32;
        mesh.positions.extend(piece.positions);
        mesh.normals.extend(piece.normals);
        mesh.triangles
            .extend(piece.triangles.iter().map(|t| t.map(|v| v + first)));
        mesh.slots.extend(piece.slots);
    }
    let mut first_influence: Vec<u32> = vec![0];
    for list in &influences {
        let end = first_influence.last().copied().unwrap_or(0) + list.len() as u32;
        first_influence.push(end);
    }
    let skin = Skin {
        influences: influences.concat(),
        first_influence,
        joint_from_model: skeleton::joint_from_model(&joints),
        blend: Blend::DualQuaternion,
    };
    Model {
        meshes: vec![Arc::new(Mesh {
            name: "person".to_owned(),
            positions: mesh.positions,
            normals: mesh.normals,
            triangles: mesh.triangles,
            material_of_triangle: mesh.slots.iter().map(|slot| *slot as u16).collect(),
            ..Mesh::default()
        })],
        materials: materials(parameters),
        images: Vec::new(),
        convex_pieces: Vec::new(),
        rig: Some(Rig {
            joints,
            skins: vec![Some(skin)],
            morphs: vec![Vec::new()],
            morph_names: Vec::new(),
        }),
        motions: Vec::new(),
    }
}

/// The body's surface, layered.
fn surface(body: &Body) -> Layered {
    let l = &body.landmarks;
    let mut net = net(body);
    cut::onto_envelope(&mut net.positions, body, 3);
    let size = l.head_scale;
    let face = body.head.model_from_standard(Vec3::new(0.0, -0.085, 0.085));
    cut::refine(&mut net, 3, body, |p| {
        if p.z < l.chin - 0.01 {
            return 0.03 * l.scale;
        }
        // Mouth and nose finest, then the rest of the face and the ears.
        let off = (p - face) / Vec3::new(0.045, 0.060, 0.065);
        let near = off.length() / size;
        if body.is_at_hairline(p) {
            return 0.0095 * size;
        }
        size * (0.0062 + 0.016 * solid::smoothstep(0.8, 1.25, near))
    });
    cut::into_layers(net, body)
}

/// The net of the envelope. Where the grid happens to meet the surface in a way that leaves an edge
/// with four triangles, a grid moved by a part of its spacing is tried.
fn net(body: &Body) -> nets::Net {
    let (low, high) = body.bounds();
    let l = &body.landmarks;
    let spacing = SPACING * l.scale;
    let planes = |from: f32, to: f32, shift: f32, spacing: &dyn Fn(f32) -> f32| {
        let mut planes = vec![from - 3.0 * spacing(from) + shift * spacing(from)];
        let mut at = planes[0];
        while at < to + 2.0 * spacing(to) {
            at += spacing(at);
            planes.push(at);
        }
        planes
    };
    let mut tries = [0.0, 0.37, 0.71, 0.19, 0.53].into_iter().map(|shift| {
        let even = |_: f32| spacing;
        let grid = Grid {
            x: planes(low.x, high.x, shift, &even),
            y: planes(low.y, high.y, shift, &even),
            z: planes(low.z, high.z, shift, &|z| {
                if z > l.chin - 0.02 {
                    HEAD_SPACING * l.head_scale
                } else {
                    spacing
                }
            }),
        };
        grid.net(|p| body.envelope(p))
    });
    let mut last = nets::Net::default();
    for net in &mut tries {
        if net.is_manifold() {
            return net;
        }
        last = net;
    }
    last
}

/// Linear light of an encoded colour.
fn linear(rgb: Rgb) -> [f32; 3] {
    rgb.map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            libm::powf((c + 0.055) / 1.055, 2.4)
        }
    })
}

/// One per [`Slot`], in its order.
fn materials(parameters: &CharacterParameters) -> Vec<Material> {
    let CharacterParameters { skin, hair, .. } = *parameters;
    let mix = |a: Rgb, b: Rgb, t: f32| super::palette::blend(a, b, t);
    let material = |name: &str, rgb: Rgb, roughness: f32| Material {
        name: name.to_owned(),
        base_color: linear(rgb),
        roughness,
        ..Material::default()
    };
    let cloth = |name: &str, rgb: Rgb| Material {
        sheen: 0.25,
        sheen_roughness: 0.5,
        specular: 0.25,
        ..material(name, rgb, 0.85)
    };
    let blood = [skin[0] * 0.88, skin[1] * 0.60, skin[2] * 0.58];
    let gloss = |name: &str, rgb: Rgb| Material {
        coat: 1.0,
        coat_roughness: 0.05,
        ..material(name, rgb, 0.5)
    };
    vec![
        Material {
            specular: 0.4,
            ..material("skin", skin, 0.52)
        },
        material("lips", mix(skin, blood, 0.8), 0.4),
        gloss("eye white", [0.90, 0.89, 0.87]),
        gloss("iris", parameters.iris),
        gloss("pupil", [0.03, 0.03, 0.03]),
        Material {
            specular: 0.35,
            ..material("hair", hair, 0.45)
        },
        cloth(parameters.top.noun(), parameters.top_color),
        cloth(parameters.bottom.noun(), parameters.bottom_color),
        material("shoes", parameters.shoe_color, 0.45),
        material("soles", parameters.sole_color, 0.7),
        cloth("socks", [0.86, 0.85, 0.83]),
        material("brows", mix(hair, [0.10, 0.07, 0.06], 0.35), 0.6),
    ]
}

/// Landmarks of the body that built-in motions are made for.
pub(super) fn standard_landmarks() -> Landmarks {
    Landmarks::of(&CharacterParameters::standard())
}
