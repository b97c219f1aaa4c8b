//! All passes of a frame as one multi-layer EXR file, linear.

use std::path::Path;

use anyhow::Result;
use diorama_synth::frame::{Frame, Plane};
use diorama_synth::shot::Shot;
use diorama_video::{ExrLayer, ExrPicture, ExrSamples, write_exr};
use glam::{Vec2, Vec3};

/// Values of one channel, taken out of a plane of vectors.
enum Values {
    Float(Vec<f32>),
    Whole(Vec<u32>),
}

/// A layer and its channels.
type Layer = (String, Vec<(&'static str, Values)>);

fn vec3(name: &str, channels: [&'static str; 3], plane: &[Vec3]) -> Layer {
    let axis = |axis: usize| Values::Float(plane.iter().map(|v| v[axis]).collect());
    let channels = (0..3).map(|i| (channels[i], axis(i))).collect();
    (name.into(), channels)
}

fn vec2(name: &str, channels: [&'static str; 2], plane: &[Vec2]) -> Layer {
    let axis = |axis: usize| Values::Float(plane.iter().map(|v| v[axis]).collect());
    let channels = (0..2).map(|i| (channels[i], axis(i))).collect();
    (name.into(), channels)
}

fn float(name: &str, channel: &'static str, plane: &Plane<f32>) -> Layer {
    (
        name.into(),
        vec![(channel, Values::Float(plane.data.clone()))],
    )
}

fn whole(name: String, channel: &'static str, plane: &Plane<u32>) -> Layer {
    (name, vec![(channel, Values::Whole(plane.data.clone()))])
}

/// Layers of a frame. The first world is the main picture, which every viewer shows; where there is a
/// denoiser, `noisy` layers hold what was traced, of which the effect is the exact difference.
fn layers(shot: &Shot, frame: &Frame) -> Vec<Layer> {
    const RGB: [&str; 3] = ["R", "G", "B"];
    const XYZ: [&str; 3] = ["X", "Y", "Z"];
    let labels = &frame.labels;
    let mut layers = Vec::new();
    for (index, (world, image)) in shot.worlds.iter().zip(&frame.worlds).enumerate() {
        let noisy = &image.radiance.data;
        let is_denoised = !image.denoised.data.is_empty();
        let shown = if is_denoised {
            &image.denoised.data
        } else {
            noisy
        };
        let name = &world.name;
        let (main, raw) = if index == 0 {
            (String::new(), "noisy".into())
        } else {
            (format!("rgb_{name}"), format!("noisy_{name}"))
        };
        layers.push(vec3(&main, RGB, shown));
        if is_denoised {
            layers.push(vec3(&raw, RGB, noisy));
        }
        if index == 0 {
            continue;
        }
        let full = &frame.worlds[0].radiance.data;
        let effect: Vec<Vec3> = full
            .iter()
            .zip(noisy)
            .map(|(full, other)| *full - *other)
            .collect();
        layers.push(vec3(&format!("effect_{name}"), RGB, &effect));
        let touched = image.touched.data.iter().map(|bit| u32::from(*bit));
        layers.push((
            format!("touched_{name}"),
            vec![("touched", Values::Whole(touched.collect()))],
        ));
        if let Some(ids) = frame.instance_of_world.get(index) {
            layers.push(whole(format!("instance_{name}"), "id", ids));
        }
    }
    layers.extend([
        whole("instance".into(), "id", &labels.instance),
        float("depth", "Z", &labels.depth),
        float("distance", "D", &labels.distance),
        vec3("normal", XYZ, &labels.normal.data),
        vec3("normal_geometric", XYZ, &labels.normal_geometric.data),
        vec3("albedo", RGB, &labels.albedo.data),
        vec2("uv", ["U", "V"], &labels.uv.data),
        vec2("flow_forward", ["X", "Y"], &labels.flow_forward.data),
        vec2("flow_backward", ["X", "Y"], &labels.flow_backward.data),
        vec3(
            "coverage",
            ["background", "keep", "remove"],
            &frame.coverage.data,
        ),
        whole("second_instance".into(), "id", &labels.second.instance),
        float("second_distance", "D", &labels.second.distance),
        vec3("second_normal", XYZ, &labels.second.normal.data),
        vec3("transmittance", RGB, &labels.second.transmittance.data),
    ]);
    layers
}

/// Writes the file.
pub(super) fn write(path: &Path, shot: &Shot, frame: &Frame) -> Result<()> {
    let layers = layers(shot, frame);
    let picture = ExrPicture {
        width: shot.resolution[0],
        height: shot.resolution[1],
        layers: layers
            .iter()
            .map(|(name, channels)| ExrLayer {
                name: name.clone(),
                channels: channels
                    .iter()
                    .map(|(channel, values)| {
                        let samples = match values {
                            Values::Float(values) => ExrSamples::F32(values),
                            Values::Whole(values) => ExrSamples::U32(values),
                        };
                        ((*channel).to_owned(), samples)
                    })
                    .collect(),
            })
            .collect(),
    };
    Ok(write_exr(path, &picture)?)
}

#[cfg(test)]
mod tests {
    use diorama_synth::frame::WorldImage;

    use super::*;

    #[test]
    fn the_effect_is_full_minus_removed() {
        let image = |value: f32| WorldImage {
            radiance: Plane::filled(1, 1, Vec3::splat(value)),
            touched: Plane::filled(1, 1, 1),
            ..WorldImage::default()
        };
        let frame = Frame {
            worlds: vec![image(3.0), image(1.0)],
            ..Frame::default()
        };
        let mut shot = crate::commands::testing::empty_shot();
        shot.worlds.push(diorama_synth::shot::World {
            name: "removed".into(),
            removed: vec![1],
        });
        let layers = layers(&shot, &frame);
        let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names[..4],
            ["", "rgb_removed", "effect_removed", "touched_removed"]
        );
        let Values::Float(red) = &layers[2].1[0].1 else {
            panic!("effect is float");
        };
        assert_eq!(red, &[2.0]);
    }
}
