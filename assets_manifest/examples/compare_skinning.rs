//! Compares posed vertices with those that another program made (`xtask/bench/skinned_vertices.py`):
//!
//! ```text
//! cargo run --release --example compare_skinning -- fox.glb fox.json
//! ```
//!
//! Both are taken as point sets; the distance of a point is that to the nearest of the other set,
//! both ways. Prints the largest per clip, millimetres.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::HashMap;
use std::path::Path;

use diorama_assets::rig::{BodyPose, JointTransform};
use diorama_assets::{Model, Motion, load_character_file, load_model_file};
use glam::Vec3;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    clips: Vec<Clip>,
}

#[derive(Deserialize)]
struct Clip {
    name: String,
    times: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    seconds: f32,
    positions: Vec<f32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(reference)) = (arguments.next(), arguments.next()) else {
        return Err("give a model file and a JSON of skinned_vertices.py".into());
    };
    let (model, _, warnings) = load_character_file(Path::new(&file))?;
    for warning in &warnings.0 {
        println!("warning: {warning}");
    }
    let rig = model.rig.as_ref();
    println!(
        "{} vertices, {} joints, {} morph targets, takes {:?}",
        model.meshes[0].positions.len(),
        rig.map_or(0, |rig| rig.joints.len()),
        rig.map_or(0, |rig| rig.morph_names.len()),
        model
            .motions
            .iter()
            .map(|m| format!("{} {} Hz {} frames", m.name, m.rate_hz, m.frames.len()))
            .collect::<Vec<_>>()
    );
    let (shown, ..) = load_model_file(Path::new(&file))?;
    let text = fs_err::read_to_string(&reference)?;
    let reference: Reference = serde_json::from_str(&text)?;
    for clip in &reference.clips {
        let motion = model
            .motions
            .iter()
            .find(|m| clip.name == m.name || clip.name.starts_with(&format!("{}|", m.name)));
        let still = match clip.name.as_str() {
            "(shown)" => Some(shown.meshes[0].positions.clone()),
            "(rest)" => Some(posed(&model, None, 0.0)),
            _ => None,
        };
        if motion.is_none() && still.is_none() {
            println!("{:40} not among our takes", clip.name);
            continue;
        }
        let mut worst = (0.0f32, 0.0, 0.0);
        for shown in &clip.times {
            let ours = still
                .clone()
                .unwrap_or_else(|| posed(&model, motion, shown.seconds));
            let theirs: Vec<Vec3> = shown
                .positions
                .chunks_exact(3)
                .map(Vec3::from_slice)
                .collect();
            let (there, back) = (farthest(&ours, &theirs), farthest(&theirs, &ours));
            if there.max(back) >= worst.0 {
                worst = (there.max(back), shown.seconds, there);
            }
        }
        println!(
            "{:40} {:9.4} mm at {:.3} s, {} times",
            clip.name,
            worst.0 * 1000.0,
            worst.1,
            clip.times.len()
        );
    }
    Ok(())
}

fn posed(model: &Model, motion: Option<&Motion>, seconds: f32) -> Vec<Vec3> {
    let Some(rig) = &model.rig else {
        return model.meshes[0].positions.clone();
    };
    let pose = match motion {
        None => rig.rest_pose(),
        Some(motion) => {
            let at = (seconds * motion.rate_hz).clamp(0.0, (motion.frames.len() - 1) as f32);
            let (before, after) = (at.floor() as usize, at.ceil() as usize);
            let t = at - at.floor();
            let locals: Vec<JointTransform> = motion.frames[before]
                .iter()
                .zip(&motion.frames[after])
                .map(|(a, b)| JointTransform {
                    translation: a.translation.lerp(b.translation, t),
                    rotation: a.rotation.lerp(b.rotation, t),
                    scale: a.scale.lerp(b.scale, t),
                })
                .collect();
            let morph_weights = match motion.morph_weights.get(before) {
                Some(weights) => weights
                    .iter()
                    .zip(&motion.morph_weights[after])
                    .map(|(a, b)| a + (b - a) * t)
                    .collect(),
                None => Vec::new(),
            };
            BodyPose {
                morph_weights,
                ..rig.pose(&locals)
            }
        }
    };
    model.posed(0, &pose).positions
}

/// Largest distance from a point of `from` to the nearest of `to`, by a grid of cells.
fn farthest(from: &[Vec3], to: &[Vec3]) -> f32 {
    const CELL: f32 = 0.02;
    let cell = |p: Vec3| (p / CELL).floor().as_ivec3();
    let mut cells: HashMap<glam::IVec3, Vec<Vec3>> = HashMap::new();
    for point in to {
        cells.entry(cell(*point)).or_default().push(*point);
    }
    let mut worst = 0.0f32;
    for point in from {
        let home = cell(*point);
        let mut nearest = f32::INFINITY;
        for x in -1..=1 {
            for y in -1..=1 {
                for z in -1..=1 {
                    for other in cells
                        .get(&(home + glam::IVec3::new(x, y, z)))
                        .into_iter()
                        .flatten()
                    {
                        nearest = nearest.min(point.distance(*other));
                    }
                }
            }
        }
        if nearest > CELL {
            let all = to.iter().map(|other| point.distance(*other));
            nearest = all.fold(nearest, f32::min);
        }
        worst = worst.max(nearest);
    }
    worst
}
