//! Exact passes of one frame as layers of an EXR file.

use std::collections::BTreeMap;
use std::path::Path;

use diorama_synth::frame::{Frame, Plane, SurfacePoint};
use diorama_synth::shot::Shot;
use diorama_video::{ExrLayer, ExrPicture, ExrSamples, write_exr};
use glam::{Vec2, Vec3};

use crate::effect;
use crate::error::Result;
use crate::pass::Pass;
use crate::tuple::Tuple;

/// Values of one channel.
enum Values {
    F32(Vec<f32>),
    U32(Vec<u32>),
}

/// Name and values of each channel of a layer.
type Channels = Vec<(&'static str, Values)>;

fn scalar(name: &'static str, plane: &Plane<f32>) -> Channels {
    vec![(name, Values::F32(plane.data.clone()))]
}

fn ids(plane: &Plane<u32>) -> Channels {
    vec![("id", Values::U32(plane.data.clone()))]
}

fn vec3(names: [&'static str; 3], values: &[Vec3]) -> Channels {
    let channel = |axis: usize| Values::F32(values.iter().map(|v| v[axis]).collect());
    vec![
        (names[0], channel(0)),
        (names[1], channel(1)),
        (names[2], channel(2)),
    ]
}

fn vec2(names: [&'static str; 2], values: &[Vec2]) -> Channels {
    let channel = |axis: usize| Values::F32(values.iter().map(|v| v[axis]).collect());
    vec![(names[0], channel(0)), (names[1], channel(1))]
}

/// Writes the chosen passes of one tuple's frame. `classes`: class number of each object id.
pub(super) fn write(
    path: &Path,
    frame: &Frame,
    tuple: &Tuple,
    passes: &[Pass],
    classes: &BTreeMap<u32, u32>,
) -> Result<()> {
    let layers: Vec<(&str, Channels)> = passes
        .iter()
        .map(|pass| (pass.name(), channels(*pass, frame, tuple, classes)))
        .collect();
    write_layers(path, frame, &layers)
}

/// Writes the effect of one world alone.
pub(super) fn write_effect(path: &Path, frame: &Frame, world: usize) -> Result<()> {
    let effect = effect::effect(&frame.worlds[0].radiance, &frame.worlds[world].radiance);
    let layers = [(Pass::Effect.name(), vec3(["R", "G", "B"], &effect))];
    write_layers(path, frame, &layers)
}

fn write_layers(path: &Path, frame: &Frame, layers: &[(&str, Channels)]) -> Result<()> {
    let picture = ExrPicture {
        width: frame.labels.instance.width,
        height: frame.labels.instance.height,
        layers: layers
            .iter()
            .map(|(name, channels)| ExrLayer {
                name: (*name).to_owned(),
                channels: channels
                    .iter()
                    .map(|(channel, values)| {
                        let samples = match values {
                            Values::F32(values) => ExrSamples::F32(values),
                            Values::U32(values) => ExrSamples::U32(values),
                        };
                        ((*channel).to_owned(), samples)
                    })
                    .collect(),
            })
            .collect(),
    };
    Ok(write_exr(path, &picture)?)
}

fn channels(pass: Pass, frame: &Frame, tuple: &Tuple, classes: &BTreeMap<u32, u32>) -> Channels {
    const RGB: [&str; 3] = ["R", "G", "B"];
    const XYZ: [&str; 3] = ["X", "Y", "Z"];
    let labels = &frame.labels;
    let (full, removed) = (&frame.worlds[0], &frame.worlds[tuple.world]);
    match pass {
        Pass::Effect => vec3(RGB, &effect::effect(&full.radiance, &removed.radiance)),
        Pass::RgbFull => vec3(RGB, &full.radiance.data),
        Pass::RgbRemoved => vec3(RGB, &removed.radiance.data),
        Pass::Touched => vec![(
            "touched",
            Values::U32(removed.touched.data.iter().map(|t| u32::from(*t)).collect()),
        )],
        Pass::Coverage => vec3(["background", "keep", "remove"], &frame.coverage.data),
        Pass::Depth => scalar("Z", &labels.depth),
        Pass::Distance => scalar("D", &labels.distance),
        Pass::Normal => vec3(XYZ, &labels.normal.data),
        Pass::NormalGeometric => vec3(XYZ, &labels.normal_geometric.data),
        Pass::Albedo => vec3(RGB, &labels.albedo.data),
        Pass::Uv => vec2(["U", "V"], &labels.uv.data),
        Pass::Instance => ids(&labels.instance),
        Pass::InstanceRemoved => ids(&frame.instance_of_world[tuple.world]),
        Pass::Semantic => vec![(
            "class",
            Values::U32(
                labels
                    .instance
                    .data
                    .iter()
                    .map(|id| classes.get(id).copied().unwrap_or(0))
                    .collect(),
            ),
        )],
        Pass::Surface => surface(&labels.surface.data),
        Pass::Flow => {
            let mut channels = vec2(["forward_x", "forward_y"], &labels.flow_forward.data);
            channels.extend(vec2(
                ["backward_x", "backward_y"],
                &labels.flow_backward.data,
            ));
            channels.push((
                "occlusion",
                Values::U32(
                    labels
                        .occlusion
                        .data
                        .iter()
                        .map(|bits| u32::from(*bits))
                        .collect(),
                ),
            ));
            channels
        }
        Pass::SecondLayer => {
            let second = &labels.second;
            let mut channels = surface(&second.surface.data);
            channels.extend(scalar("D", &second.distance));
            channels.extend(vec3(XYZ, &second.normal.data));
            channels.extend(vec3(RGB, &second.transmittance.data));
            channels
        }
    }
}

fn surface(points: &[SurfacePoint]) -> Channels {
    let weights: Vec<Vec2> = points.iter().map(|p| p.barycentrics).collect();
    let mut channels = vec2(["u", "v"], &weights);
    let of = |pick: fn(&SurfacePoint) -> u32| Values::U32(points.iter().map(pick).collect());
    channels.push(("instance", of(|p| p.instance)));
    channels.push(("primitive", of(|p| p.primitive)));
    channels
}

/// Class number of each object id: 1-based index of its noun in `names`.
pub(super) fn class_of_id(shot: &Shot, names: &[String]) -> BTreeMap<u32, u32> {
    shot.objects
        .iter()
        .filter_map(|object| {
            let index = names.binary_search(&object.noun).ok()?;
            Some((object.id, index as u32 + 1))
        })
        .collect()
}
