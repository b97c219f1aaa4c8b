//! Convex pieces from a Kubric asset's URDF and its collision meshes.

use std::collections::BTreeMap;

use glam::{DMat3, DVec3, Vec3};

use super::{Source, fbx};
use crate::AssetError;

/// More pieces than this in one file are no convex decomposition but an unwelded mesh.
const MAX_PIECES: usize = 1_024;

/// One `<collision>` of a URDF.
struct Collision {
    file: String,
    scale: DVec3,
    rotation: DMat3,
    offset: DVec3,
}

/// Point clouds of the convex pieces that the URDF `name` refers to, in object space.
///
/// A file with several objects or groups has one piece each; a file with one has a piece per
/// connected part.
pub(crate) fn load(source: &mut Source, name: &str) -> Result<Vec<Vec<Vec3>>, AssetError> {
    let bytes = source.read(name)?;
    let text = String::from_utf8_lossy(&bytes);
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut pieces = Vec::new();
    for collision in collisions(&text) {
        let file = if folder.is_empty() {
            collision.file.clone()
        } else {
            format!("{folder}/{}", collision.file)
        };
        let bytes = source.read(&file)?;
        let scene = fbx::parse(
            source,
            &file,
            &bytes,
            fbx::Dialect::Obj,
            fbx::Content::Still,
        )?;
        let mut of_file = Vec::new();
        let single = scene.meshes.len() == 1;
        for mesh in &scene.meshes {
            let points: Vec<Vec3> = mesh
                .vertex_position
                .values
                .iter()
                .map(|p| {
                    let local = DVec3::new(p.x, p.y, p.z) * collision.scale;
                    (collision.rotation * local + collision.offset).as_vec3()
                })
                .collect();
            let indices: &[u32] = &mesh.vertex_position.indices;
            let faces = mesh.faces.iter().map(|face| {
                let begin = face.index_begin as usize;
                &indices[begin..begin + face.num_indices as usize]
            });
            if single {
                of_file.extend(connected_parts(&points, faces));
            } else {
                of_file.push(used_points(&points, faces));
            }
        }
        of_file.retain(|piece| piece.len() >= 4);
        if of_file.len() > MAX_PIECES {
            return Err(AssetError::Unusable {
                path: source.path_of(&file),
                reason: format!("{} collision pieces are too many", of_file.len()),
            });
        }
        if of_file.iter().flatten().any(|point| !point.is_finite()) {
            return Err(AssetError::Unusable {
                path: source.path_of(&file),
                reason: "a collision vertex is not a finite number".into(),
            });
        }
        pieces.extend(of_file);
    }
    Ok(pieces)
}

/// The points that faces use, each once, in index order.
fn used_points<'a>(points: &[Vec3], faces: impl Iterator<Item = &'a [u32]>) -> Vec<Vec3> {
    let mut used = vec![false; points.len()];
    for index in faces.flatten() {
        used[*index as usize] = true;
    }
    points
        .iter()
        .zip(used)
        .filter_map(|(point, used)| used.then_some(*point))
        .collect()
}

/// Union-find over shared vertices; parts in the order of their first vertex. A mesh in which most
/// faces stand alone (exported without shared vertices) is welded by position first.
fn connected_parts<'a>(
    points: &[Vec3],
    faces: impl Iterator<Item = &'a [u32]> + Clone,
) -> Vec<Vec<Vec3>> {
    fn root(parents: &mut [u32], mut at: u32) -> u32 {
        while parents[at as usize] != at {
            let above = parents[parents[at as usize] as usize];
            parents[at as usize] = above;
            at = above;
        }
        at
    }
    let mut welded: BTreeMap<[u32; 3], u32> = BTreeMap::new();
    let mut parents: Vec<u32> = points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            *welded
                .entry(point.to_array().map(f32::to_bits))
                .or_insert(index as u32)
        })
        .collect();
    let mut used = vec![false; points.len()];
    for face in faces {
        for index in face {
            let (a, b) = (root(&mut parents, face[0]), root(&mut parents, *index));
            parents[a.max(b) as usize] = a.min(b);
            used[root(&mut parents, *index) as usize] = true;
        }
    }
    let mut parts: BTreeMap<u32, Vec<Vec3>> = BTreeMap::new();
    for (bits, index) in &welded {
        let part = root(&mut parents, *index);
        if used[part as usize] {
            parts
                .entry(part)
                .or_default()
                .push(Vec3::from_array(bits.map(f32::from_bits)));
        }
    }
    parts.into_values().collect()
}

/// The meshes of every `<collision>` element. A URDF is machine-written XML of a few lines: tags
/// and attributes are found by name, everything else is passed over.
fn collisions(text: &str) -> Vec<Collision> {
    text.split("<collision")
        .skip(1)
        .filter_map(|element| {
            let element = element.split("</collision").next()?;
            let mesh = tag(element, "mesh")?;
            let origin = tag(element, "origin").unwrap_or("");
            let [roll, pitch, yaw] = triple(attribute(origin, "rpy"), 0.0);
            // URDF: fixed axes x, y, z in this order, so R = Rz · Ry · Rx.
            let (sr, cr) = (libm::sin(roll), libm::cos(roll));
            let (sp, cp) = (libm::sin(pitch), libm::cos(pitch));
            let (sy, cy) = (libm::sin(yaw), libm::cos(yaw));
            let rotation = DMat3::from_cols(
                DVec3::new(cy * cp, sy * cp, -sp),
                DVec3::new(cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr),
                DVec3::new(cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr),
            );
            Some(Collision {
                file: attribute(mesh, "filename")?
                    .trim_start_matches("package://")
                    .to_owned(),
                scale: DVec3::from_array(triple(attribute(mesh, "scale"), 1.0)),
                rotation,
                offset: DVec3::from_array(triple(attribute(origin, "xyz"), 0.0)),
            })
        })
        .collect()
}

fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.find(&format!("<{name} "))?;
    text[start..].split('>').next()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn triple(text: Option<&str>, default: f64) -> [f64; 3] {
    let mut values = text
        .unwrap_or("")
        .split_whitespace()
        .map(|value| value.parse::<f64>().unwrap_or(default));
    std::array::from_fn(|_| values.next().unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    const CUBE_CORNERS: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n";

    fn pieces(urdf: &str, obj: &str) -> Result<Vec<Vec<Vec3>>, AssetError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("object.urdf"), urdf).unwrap();
        fs::write(folder.path().join("c.obj"), obj).unwrap();
        load(&mut Source::folder(folder.path()), "object.urdf")
    }

    const URDF: &str = "<robot><link><visual><geometry><mesh filename=\"v.obj\"/></geometry></visual>\
        <collision><origin xyz=\"0 0 1\" rpy=\"0 0 1.5707963267948966\"/><geometry>\
        <mesh filename=\"c.obj\" scale=\"2 2 2\"/></geometry></collision></link></robot>";

    #[test]
    fn groups_are_pieces_and_the_origin_is_applied() {
        let obj = format!(
            "o a\n{CUBE_CORNERS}f 1 2 3\nf 1 2 4\no b\n{CUBE_CORNERS}v 9 9 9\nf 5 6 7\nf 5 6 8\n"
        );
        let pieces = pieces(URDF, &obj).unwrap();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].len(), 4, "unused vertices are left out");
        // (1, 0, 0) scaled by 2, turned a quarter about z, lifted by 1.
        let expected = Vec3::new(0.0, 2.0, 1.0);
        assert!(pieces[0].iter().any(|p| p.distance(expected) < 1e-6));
    }

    #[test]
    fn one_group_falls_into_connected_parts() {
        let second = CUBE_CORNERS.replace("v 0", "v 5").replace("v 1", "v 6");
        let obj =
            format!("{CUBE_CORNERS}{second}f 1 2 3\nf 1 2 4\nf 1 3 4\nf 5 6 7\nf 5 6 8\nf 5 7 8\n");
        let pieces = pieces(URDF, &obj).unwrap();
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    }

    #[test]
    fn missing_collision_mesh_is_an_error() {
        let urdf = URDF.replace("c.obj", "nope.obj");
        let error = pieces(&urdf, CUBE_CORNERS).unwrap_err();
        assert!(error.to_string().contains("nope.obj"), "{error}");
    }
}
