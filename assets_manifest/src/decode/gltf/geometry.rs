//! Primitives to meshes: topologies, morph targets and skins at rest, Y up to Z up.

use glam::{DMat4, DVec3, Vec2, Vec3, Vec4};

use crate::decode::binding::WeightLists;

use super::accessor::{checked_count, components, floats, integers};
use super::container::Document;
use super::schema::{Attributes, Primitive};
use crate::Mesh;
use crate::decode::assemble::{Origin, joined_with_origins};

/// Most triangles of one mesh; many primitives may share one buffer, so the file's size is no bound.
const MAX_TRIANGLES: usize = 1 << 26;

/// A mesh, and where its vertices come from.
pub(super) struct Geometry {
    pub(super) mesh: Mesh,
    /// `part`: number of the primitive.
    pub(super) origins: Vec<Origin>,
}

/// Mesh `index` with morph weights applied and, for a skinned one, in world space. `None` when it
/// has nothing but points and lines. In world convention (Z up) in both cases.
///
/// Faces without material get slot `default_slot`.
pub(super) fn mesh(
    document: &Document,
    index: usize,
    weights: &[f32],
    world_from_bind: Option<&[DMat4]>,
    default_slot: usize,
    skipped: &mut Vec<String>,
) -> Result<Option<Geometry>, String> {
    let source = document
        .root
        .meshes
        .get(index)
        .ok_or_else(|| format!("mesh {index} does not exist"))?;
    let name = source
        .name
        .clone()
        .unwrap_or_else(|| format!("mesh_{index}"));
    let mut parts = Vec::new();
    let mut primitives = Vec::new();
    let mut total = 0;
    for (number, primitive) in source.primitives.iter().enumerate() {
        let what = format!("primitive {number} of mesh `{name}`");
        let Some(triangles) = triangles(document, primitive, &what)? else {
            skipped.push(format!("{what} is made of points or lines and left out"));
            continue;
        };
        if triangles.is_empty() {
            continue;
        }
        total += triangles.len();
        if total > MAX_TRIANGLES {
            return Err(format!(
                "mesh `{name}` has more than {MAX_TRIANGLES} triangles"
            ));
        }
        let slot = primitive.material.unwrap_or(default_slot);
        if slot > default_slot {
            return Err(format!(
                "{what} names material {slot}, which does not exist"
            ));
        }
        let mut part = vertices(document, primitive, weights, world_from_bind, &what)?;
        let count = part.positions.len() as u32;
        if let Some(corner) = triangles.iter().flatten().find(|corner| **corner >= count) {
            return Err(format!("{what} uses vertex {corner} of {count}"));
        }
        part.material_of_triangle = vec![slot as u16; triangles.len()];
        part.triangles = triangles;
        to_z_up(&mut part);
        parts.push(part);
        primitives.push(number as u32);
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let (mesh, mut origins) = joined_with_origins(name, parts);
    for origin in &mut origins {
        origin.part = primitives[origin.part as usize];
    }
    Ok(Some(Geometry { mesh, origins }))
}

/// Vertex triples; `None` for points and lines.
fn triangles(
    document: &Document,
    primitive: &Primitive,
    what: &str,
) -> Result<Option<Vec<[u32; 3]>>, String> {
    let mode = primitive.mode.unwrap_or(4);
    if mode < 4 {
        return Ok(None);
    }
    let indices: Vec<u32> = if let Some(accessor) = primitive.indices {
        integers::<1>(document, accessor, &format!("indices of {what}"))?
            .into_iter()
            .map(|[index]| index)
            .collect()
    } else {
        let count = match primitive.attributes.position {
            Some(position) => checked_count(document, position, &format!("POSITION of {what}"))?,
            None => 0,
        };
        (0..count as u32).collect()
    };
    let whole = indices.len().saturating_sub(2);
    Ok(Some(match mode {
        4 => indices
            .chunks_exact(3)
            .map(|corners| [corners[0], corners[1], corners[2]])
            .collect(),
        // Strip: triangle i is (i, i + 1 + i % 2, i + 2 − i % 2).
        5 => (0..whole)
            .map(|i| {
                let odd = i % 2;
                [indices[i], indices[i + 1 + odd], indices[i + 2 - odd]]
            })
            .collect(),
        6 => (0..whole)
            .map(|i| [indices[i + 1], indices[i + 2], indices[0]])
            .collect(),
        _ => return Err(format!("{what} has the unknown mode {mode}")),
    }))
}

fn vertices(
    document: &Document,
    primitive: &Primitive,
    weights: &[f32],
    world_from_bind: Option<&[DMat4]>,
    what: &str,
) -> Result<Mesh, String> {
    let attributes = &primitive.attributes;
    let position = attributes
        .position
        .ok_or_else(|| format!("{what} has no positions"))?;
    let mut positions = vec3s(document, Some(position), what, "POSITION")?;
    let mut normals = vec3s(document, attributes.normal, what, "NORMAL")?;
    let mut tangents: Vec<Vec4> = match attributes.tangent {
        Some(accessor) => floats::<4>(document, accessor, &format!("TANGENT of {what}"))?
            .into_iter()
            .map(Vec4::from_array)
            .collect(),
        None => Vec::new(),
    };
    for (target, weight) in primitive.targets.iter().zip(weights) {
        if *weight == 0.0 {
            continue;
        }
        add_target(document, &mut positions, target.position, *weight, what)?;
        if !normals.is_empty() {
            add_target(document, &mut normals, target.normal, *weight, what)?;
        }
        // Tangents of the unmorphed surface would be wrong; the renderer derives them from the UVs.
        tangents.clear();
    }
    if let Some(world_from_bind) = world_from_bind {
        skin(
            document,
            attributes,
            world_from_bind,
            &mut positions,
            &mut normals,
            what,
        )?;
        tangents.clear();
    }
    let count = positions.len();
    let mut mesh = Mesh {
        positions,
        normals,
        tangents,
        uvs: vec2s(document, attributes.texcoord_0, what)?,
        uvs1: vec2s(document, attributes.texcoord_1, what)?,
        colors: colors(document, attributes.color_0, what)?,
        ..Mesh::default()
    };
    for (name, length) in [
        ("NORMAL", &mut mesh.normals.len()),
        ("TANGENT", &mut mesh.tangents.len()),
        ("TEXCOORD_0", &mut mesh.uvs.len()),
        ("TEXCOORD_1", &mut mesh.uvs1.len()),
        ("COLOR_0", &mut mesh.colors.len()),
    ] {
        if *length != 0 && *length != count {
            return Err(format!("{what} has {length} {name} for {count} positions"));
        }
    }
    if mesh.normals.is_empty() {
        mesh.tangents.clear();
    }
    Ok(mesh)
}

fn vec3s(
    document: &Document,
    accessor: Option<usize>,
    what: &str,
    attribute: &str,
) -> Result<Vec<Vec3>, String> {
    let Some(accessor) = accessor else {
        return Ok(Vec::new());
    };
    let values = floats::<3>(document, accessor, &format!("{attribute} of {what}"))?;
    Ok(values.into_iter().map(Vec3::from_array).collect())
}

fn vec2s(document: &Document, accessor: Option<usize>, what: &str) -> Result<Vec<Vec2>, String> {
    let Some(accessor) = accessor else {
        return Ok(Vec::new());
    };
    let values = floats::<2>(document, accessor, &format!("TEXCOORD of {what}"))?;
    Ok(values.into_iter().map(Vec2::from_array).collect())
}

fn colors(document: &Document, accessor: Option<usize>, what: &str) -> Result<Vec<Vec4>, String> {
    let Some(accessor) = accessor else {
        return Ok(Vec::new());
    };
    let what = format!("COLOR_0 of {what}");
    Ok(if components(document, accessor) == Some(3) {
        floats::<3>(document, accessor, &what)?
            .into_iter()
            .map(|[r, g, b]| Vec4::new(r, g, b, 1.0))
            .collect()
    } else {
        floats::<4>(document, accessor, &what)?
            .into_iter()
            .map(Vec4::from_array)
            .collect()
    })
}

fn add_target(
    document: &Document,
    values: &mut [Vec3],
    accessor: Option<usize>,
    weight: f32,
    what: &str,
) -> Result<(), String> {
    let deltas = vec3s(document, accessor, what, "morph target")?;
    if !deltas.is_empty() && deltas.len() != values.len() {
        return Err(format!(
            "{what} has {} morph deltas for {} vertices",
            deltas.len(),
            values.len()
        ));
    }
    for (value, delta) in values.iter_mut().zip(deltas) {
        *value += delta * weight;
    }
    Ok(())
}

/// Linear blend skinning (glTF 2.0 section 3.7.3.3) of positions and normals into world space.
fn skin(
    document: &Document,
    attributes: &Attributes,
    world_from_bind: &[DMat4],
    positions: &mut [Vec3],
    normals: &mut [Vec3],
    what: &str,
) -> Result<(), String> {
    let count = positions.len();
    let (weights, _) = influences(document, attributes, count, world_from_bind.len(), what)?;
    for (vertex, position) in positions.iter_mut().enumerate() {
        let mut matrix = DMat4::ZERO;
        for (joint, weight) in weights.of(vertex) {
            matrix += world_from_bind[*joint as usize] * f64::from(*weight);
        }
        *position = matrix.transform_point3(position.as_dvec3()).as_vec3();
        if let Some(normal) = normals.get_mut(vertex) {
            let linear = glam::DMat3::from_mat4(matrix);
            let turned: DVec3 = crate::decode::assemble::cofactor(linear) * normal.as_dvec3();
            *normal = turned.try_normalize().unwrap_or_default().as_vec3();
        }
    }
    Ok(())
}

/// Which of a skin's joints each vertex of a primitive follows, and how many vertices had no weight:
/// those follow the joint that is named first, as in Blender.
pub(super) fn influences(
    document: &Document,
    attributes: &Attributes,
    count: usize,
    joint_count: usize,
    what: &str,
) -> Result<(WeightLists, usize), String> {
    let mut sets = Vec::new();
    for (joints, weights) in [
        (attributes.joints_0, attributes.weights_0),
        (attributes.joints_1, attributes.weights_1),
        (attributes.joints_2, attributes.weights_2),
        (attributes.joints_3, attributes.weights_3),
    ] {
        let (Some(joints), Some(weights)) = (joints, weights) else {
            continue;
        };
        let joints = integers::<4>(document, joints, &format!("JOINTS of {what}"))?;
        let weights = floats::<4>(document, weights, &format!("WEIGHTS of {what}"))?;
        if joints.len() != count || weights.len() != count {
            return Err(format!("{what} has not one joint and weight per vertex"));
        }
        sets.push((joints, weights));
    }
    if joint_count == 0 {
        return Err(format!("{what} has a skin without joints"));
    }
    let mut lists = WeightLists::default();
    let mut without = 0;
    for vertex in 0..count {
        let mut list = Vec::with_capacity(4 * sets.len());
        for (joints, weights) in &sets {
            for (joint, weight) in joints[vertex].iter().zip(&weights[vertex]) {
                if *weight == 0.0 {
                    continue;
                }
                if *joint as usize >= joint_count {
                    return Err(format!("{what} uses joint {joint}, which does not exist"));
                }
                list.push((*joint, f64::from(*weight)));
            }
        }
        if !list.iter().any(|(_, weight)| *weight > 0.0) {
            without += 1;
            let named = sets.first().map_or(0, |(joints, _)| joints[vertex][0]);
            let named = if (named as usize) < joint_count {
                named
            } else {
                0
            };
            list = vec![(named, 1.0)];
        }
        lists.push(list);
    }
    Ok((lists, without))
}

/// What morph target `target` adds to a primitive's positions and normals at weight 1, Z up; lists
/// may be empty.
pub(super) fn morph_deltas(
    document: &Document,
    target: &Attributes,
    what: &str,
) -> Result<(Vec<Vec3>, Vec<Vec3>), String> {
    let mut positions = vec3s(document, target.position, what, "morph target")?;
    let mut normals = vec3s(document, target.normal, what, "morph target")?;
    for delta in positions.iter_mut().chain(&mut normals) {
        *delta = z_up(*delta);
    }
    Ok((positions, normals))
}

fn z_up(v: Vec3) -> Vec3 {
    Vec3::new(v.x, -v.z, v.y)
}

/// (x, y, z) → (x, −z, y).
fn to_z_up(mesh: &mut Mesh) {
    for value in mesh.positions.iter_mut().chain(&mut mesh.normals) {
        *value = z_up(*value);
    }
    for tangent in &mut mesh.tangents {
        *tangent = Vec4::new(tangent.x, -tangent.z, tangent.y, tangent.w);
    }
}
