//! Blend shapes of FBX files: one weight per shape. A channel with shapes in between moves through
//! them one after the other.

use std::collections::BTreeMap;

use glam::{DAffine3, DVec3, Vec3};

use super::geometry::vec3;
use crate::decode::assemble::cofactor;
use crate::rig::MorphTarget;

/// One blend channel of the file.
pub(super) struct MorphChannel {
    /// Index into the scene's blend channels.
    pub(super) index: usize,
    /// Index of its first weight into [`crate::Rig::morph_names`].
    first: u16,
    /// Weights of the channel at which its shapes are reached, ascending.
    targets: Vec<f64>,
    /// Weights of its shapes as the file shows them.
    rest: Vec<f32>,
    name: String,
}

/// All channels with shapes, and the names of their weights. `None`: there are too many.
pub(super) fn channels(scene: &ufbx::Scene) -> Option<Vec<MorphChannel>> {
    let mut channels = Vec::new();
    let mut count = 0usize;
    for (index, channel) in scene.blend_channels.iter().enumerate() {
        if channel.keyframes.is_empty() {
            continue;
        }
        let targets: Vec<f64> = channel.keyframes.iter().map(|k| k.target_weight).collect();
        let mut read = MorphChannel {
            index,
            first: u16::try_from(count).ok()?,
            rest: Vec::new(),
            targets,
            name: channel.element.name.to_string(),
        };
        count += read.targets.len();
        read.rest = read.effective(channel.weight);
        channels.push(read);
    }
    let mut names: Vec<String> = channels.iter().map(|c| c.name.clone()).collect();
    crate::decode::binding::make_unique(&mut names, "shape");
    for (channel, name) in channels.iter_mut().zip(names) {
        channel.name = name;
    }
    Some(channels)
}

impl MorphChannel {
    /// Names of its weights: the channel's for its last shape, with per cent for those in between.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let last = self.targets.len() - 1;
        self.targets.iter().enumerate().map(move |(number, at)| {
            if number == last {
                self.name.clone()
            } else {
                format!("{} {}%", self.name, (at * 100.0).round())
            }
        })
    }

    /// Does the file show it moved?
    pub(super) fn rests_moved(&self) -> bool {
        self.rest.iter().any(|weight| *weight != 0.0)
    }

    /// Weights of its shapes beyond those at rest, for a weight of the channel.
    pub(super) fn weights(&self, weight: f64) -> Vec<f32> {
        let now = self.effective(weight);
        now.iter().zip(&self.rest).map(|(a, b)| a - b).collect()
    }

    /// The channel goes straight from shape to shape, starting at the plain mesh with weight 0; past
    /// the outermost shape it goes on in the same direction.
    fn effective(&self, weight: f64) -> Vec<f32> {
        let mut weights = vec![0.0; self.targets.len()];
        if !weight.is_finite() || weight == 0.0 {
            return weights;
        }
        // The shapes on the side of the weight, the nearest to 0 first.
        let mut side: Vec<usize> = (0..self.targets.len())
            .filter(|i| self.targets[*i] * weight > 0.0)
            .collect();
        side.sort_by(|a, b| self.targets[*a].abs().total_cmp(&self.targets[*b].abs()));
        let Some(outermost) = side.len().checked_sub(1) else {
            // Away from all shapes: straight on beyond the plain mesh.
            let nearest = (0..self.targets.len())
                .filter(|i| self.targets[*i] != 0.0)
                .min_by(|a, b| self.targets[*a].abs().total_cmp(&self.targets[*b].abs()));
            if let Some(nearest) = nearest {
                weights[nearest] = (weight / self.targets[nearest]) as f32;
            }
            return weights;
        };
        let next = side
            .iter()
            .position(|i| self.targets[*i].abs() > weight.abs())
            .unwrap_or(outermost);
        let before = next.checked_sub(1).map(|number| side[number]);
        let start = before.map_or(0.0, |i| self.targets[i]);
        let end = self.targets[side[next]];
        let t = if end == start {
            1.0
        } else {
            (weight - start) / (end - start)
        };
        weights[side[next]] = t as f32;
        if let Some(before) = before {
            weights[before] = (1.0 - t) as f32;
        }
        weights
    }
}

/// The joined mesh's vertices of one node's mesh.
pub(super) struct Vertices<'a> {
    /// The first one.
    pub(super) first: usize,
    /// The file's point of each.
    pub(super) points: &'a [u32],
    pub(super) model_from_geometry: DAffine3,
}

/// Morph targets of the vertices that a node's mesh became, with their weight at rest.
pub(super) fn targets(
    part: &ufbx::Mesh,
    channels: &[MorphChannel],
    vertices: &Vertices,
    normals: &[Vec3],
) -> Vec<(MorphTarget, f32)> {
    let linear = vertices.model_from_geometry.matrix3;
    let mut vertices_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, point) in vertices.points.iter().enumerate() {
        let list = vertices_of.entry(*point).or_default();
        list.push((vertices.first + number) as u32);
    }
    let mut targets = Vec::new();
    let all = part.blend_deformers.iter().flat_map(|d| &d.channels);
    for channel in all {
        let number = channel.element.typed_id as usize;
        let Some(known) = channels.iter().find(|known| known.index == number) else {
            continue;
        };
        for (number, (keyframe, rest)) in channel.keyframes.iter().zip(&known.rest).enumerate() {
            let shape = &keyframe.shape;
            let with_normals =
                !normals.is_empty() && shape.normal_offsets.len() == shape.offset_vertices.len();
            let mut moved: Vec<(u32, Vec3, Vec3)> = Vec::new();
            for (at, point) in shape.offset_vertices.iter().enumerate() {
                let Some(offset) = shape.position_offsets.get(at) else {
                    break;
                };
                let weight = shape.offset_weights.get(at).copied().unwrap_or(1.0);
                let delta = (linear * vec3(offset) * weight).as_vec3();
                let turned = if with_normals {
                    normal_delta(vertices, vec3(&shape.normal_offsets[at]) * weight)
                } else {
                    Vec3::ZERO
                };
                if !delta.is_finite() || !turned.is_finite() {
                    continue;
                }
                for vertex in vertices_of.get(point).into_iter().flatten() {
                    moved.push((*vertex, delta, turned));
                }
            }
            moved.sort_by_key(|(vertex, _, _)| *vertex);
            moved.dedup_by_key(|(vertex, _, _)| *vertex);
            targets.push((
                MorphTarget {
                    weight: known.first + number as u16,
                    vertices: moved.iter().map(|m| m.0).collect(),
                    position_deltas: moved.iter().map(|m| m.1).collect(),
                    normal_deltas: if with_normals {
                        moved.iter().map(|m| m.2).collect()
                    } else {
                        Vec::new()
                    },
                },
                *rest,
            ));
        }
    }
    targets
}

/// A change of a unit normal of the geometry, for unit normals of the model: exact for turns and
/// uniform scales.
fn normal_delta(vertices: &Vertices, delta: DVec3) -> Vec3 {
    let linear = vertices.model_from_geometry.matrix3;
    let matrix = cofactor(linear);
    let size = matrix.determinant().abs();
    let scale = libm::cbrt(size);
    let sign = linear.determinant().signum();
    if scale > 0.0 {
        (matrix * delta * (sign / scale)).as_vec3()
    } else {
        Vec3::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(targets: &[f64]) -> MorphChannel {
        MorphChannel {
            index: 0,
            first: 0,
            rest: vec![0.0; targets.len()],
            targets: targets.to_vec(),
            name: "smile".into(),
        }
    }

    #[test]
    fn channels_go_straight_from_shape_to_shape() {
        let plain = channel(&[1.0]);
        assert_eq!(plain.weights(0.25), [0.25]);
        assert_eq!(plain.weights(1.5), [1.5]);
        assert_eq!(plain.weights(-0.5), [-0.5]);
        let between = channel(&[0.5, 1.0]);
        assert_eq!(between.weights(0.25), [0.5, 0.0]);
        assert_eq!(between.weights(0.75), [0.5, 0.5]);
        assert_eq!(between.weights(1.0), [0.0, 1.0]);
        let names: Vec<String> = between.names().collect();
        assert_eq!(names, ["smile 50%", "smile"]);
    }
}
