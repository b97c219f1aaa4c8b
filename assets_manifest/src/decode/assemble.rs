//! Moving and joining meshes.

use glam::{DAffine3, DMat3, Vec2, Vec3, Vec4};

use crate::Mesh;

/// `mesh` moved by an affine transform; a mirroring one turns the triangles round, so that they
/// stay counter-clockwise seen from outside.
pub(crate) fn transformed(mesh: &Mesh, to_from_mesh: DAffine3) -> Mesh {
    let linear = to_from_mesh.matrix3;
    let mirrored = linear.determinant() < 0.0;
    let normal_matrix = cofactor(linear) * if mirrored { -1.0 } else { 1.0 };
    let mut moved = mesh.clone();
    for position in &mut moved.positions {
        *position = to_from_mesh.transform_point3(position.as_dvec3()).as_vec3();
    }
    for normal in &mut moved.normals {
        *normal = (normal_matrix * normal.as_dvec3())
            .try_normalize()
            .unwrap_or_default()
            .as_vec3();
    }
    for tangent in &mut moved.tangents {
        let along = (linear * tangent.truncate().as_dvec3())
            .try_normalize()
            .unwrap_or_default()
            .as_vec3();
        *tangent = along.extend(if mirrored { -tangent.w } else { tangent.w });
    }
    if mirrored {
        for corners in &mut moved.triangles {
            corners.swap(1, 2);
        }
    }
    moved
}

/// Normals go by the cofactor matrix: the inverse transpose times the determinant, without the
/// division.
pub(crate) fn cofactor(m: DMat3) -> DMat3 {
    DMat3::from_cols(
        m.y_axis.cross(m.z_axis),
        m.z_axis.cross(m.x_axis),
        m.x_axis.cross(m.y_axis),
    )
}

/// One mesh of all `parts`, in their order. What only some have is filled in for the others: flat
/// normals, UVs of zero, white. Tangents are kept only where all have them.
pub(crate) fn joined(name: String, parts: Vec<Mesh>) -> Mesh {
    joined_with_origins(name, parts).0
}

/// Where a vertex of a joined mesh comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) part: u32,
    pub(crate) vertex: u32,
}

/// [`joined`], and where each vertex comes from: flat normals need vertices of their own for each
/// triangle.
pub(crate) fn joined_with_origins(name: String, parts: Vec<Mesh>) -> (Mesh, Vec<Origin>) {
    let any = |has: fn(&Mesh) -> bool| parts.iter().any(has);
    let with_normals = any(|part| !part.normals.is_empty());
    let with_uvs = any(|part| !part.uvs.is_empty());
    let with_uvs1 = any(|part| !part.uvs1.is_empty());
    let with_colors = any(|part| !part.colors.is_empty());
    let with_tangents = parts.iter().all(|part| !part.tangents.is_empty());
    let mut whole = Mesh {
        name,
        ..Mesh::default()
    };
    let mut origins = Vec::new();
    for (number, mut part) in parts.into_iter().enumerate() {
        let origin = |vertex: u32| Origin {
            part: number as u32,
            vertex,
        };
        if with_normals && part.normals.is_empty() {
            origins.extend(part.triangles.iter().flatten().copied().map(origin));
            part = with_flat_normals(&part);
        } else {
            origins.extend((0..part.positions.len() as u32).map(origin));
        }
        let count = part.positions.len();
        let base = whole.positions.len() as u32;
        if with_uvs {
            part.uvs.resize(count, Vec2::ZERO);
        }
        if with_uvs1 {
            part.uvs1.resize(count, Vec2::ZERO);
        }
        if with_colors {
            part.colors.resize(count, Vec4::ONE);
        }
        if with_tangents {
            whole.tangents.append(&mut part.tangents);
        }
        whole.positions.append(&mut part.positions);
        whole.normals.append(&mut part.normals);
        whole.uvs.append(&mut part.uvs);
        whole.uvs1.append(&mut part.uvs1);
        whole.colors.append(&mut part.colors);
        let shifted = part.triangles.iter().map(|t| t.map(|corner| corner + base));
        whole.triangles.extend(shifted);
        whole
            .material_of_triangle
            .append(&mut part.material_of_triangle);
    }
    (whole, origins)
}

/// Three vertices of its own for each triangle, with the face's normal.
fn with_flat_normals(mesh: &Mesh) -> Mesh {
    fn gathered<T: Copy>(values: &[T], corners: &[[u32; 3]]) -> Vec<T> {
        if values.is_empty() {
            return Vec::new();
        }
        corners
            .iter()
            .flatten()
            .map(|corner| values[*corner as usize])
            .collect()
    }
    let corners = &mesh.triangles;
    let positions: Vec<Vec3> = gathered(&mesh.positions, corners);
    let normals = positions
        .chunks_exact(3)
        .flat_map(|p| {
            let (a, b, c) = (p[0].as_dvec3(), p[1].as_dvec3(), p[2].as_dvec3());
            let normal = (b - a).cross(c - a).try_normalize();
            [normal.unwrap_or(glam::DVec3::Z).as_vec3(); 3]
        })
        .collect();
    Mesh {
        name: mesh.name.clone(),
        normals,
        tangents: gathered(&mesh.tangents, corners),
        uvs: gathered(&mesh.uvs, corners),
        uvs1: gathered(&mesh.uvs1, corners),
        colors: gathered(&mesh.colors, corners),
        triangles: (0..corners.len() as u32)
            .map(|index| [3 * index, 3 * index + 1, 3 * index + 2])
            .collect(),
        material_of_triangle: mesh.material_of_triangle.clone(),
        positions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;

    fn triangle() -> Mesh {
        Mesh {
            positions: vec![Vec3::ZERO, Vec3::X, Vec3::Y],
            normals: vec![Vec3::Z; 3],
            tangents: vec![Vec4::new(1.0, 0.0, 0.0, 1.0); 3],
            triangles: vec![[0, 1, 2]],
            material_of_triangle: vec![0],
            ..Mesh::default()
        }
    }

    fn face_normal(mesh: &Mesh) -> Vec3 {
        let [a, b, c] = mesh.triangles[0].map(|corner| mesh.positions[corner as usize]);
        (b - a).cross(c - a).normalize_or_zero()
    }

    #[test]
    fn mirroring_keeps_triangles_and_normals_on_the_outside() {
        for scale in [
            DVec3::new(-1.0, 1.0, 1.0),
            DVec3::new(2.0, 3.0, -0.5),
            DVec3::new(1.0, 5.0, 1.0),
        ] {
            let moved = transformed(&triangle(), DAffine3::from_scale(scale));
            let outside = Vec3::Z * scale.z.signum() as f32;
            assert_eq!(moved.normals[0], outside);
            assert_eq!(face_normal(&moved), outside);
            // Bitangent = cross(normal, tangent) · w follows the surface.
            let tangent = moved.tangents[0];
            let bitangent = moved.normals[0].cross(tangent.truncate()) * tangent.w;
            assert_eq!(bitangent, Vec3::Y * scale.y.signum() as f32);
        }
    }

    #[test]
    fn joining_fills_what_only_some_parts_have() {
        let mut plain = triangle();
        plain.normals.clear();
        plain.tangents.clear();
        plain.material_of_triangle = vec![1];
        let mut colored = triangle();
        colored.uvs = vec![Vec2::ONE; 3];
        let whole = joined("x".into(), vec![colored, plain]);
        whole.validate().unwrap();
        assert_eq!(whole.triangles, [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(whole.material_of_triangle, [0, 1]);
        assert_eq!(whole.normals, [Vec3::Z; 6]);
        assert_eq!(whole.uvs[3..], [Vec2::ZERO; 3]);
        assert!(whole.tangents.is_empty() && whole.colors.is_empty());
    }
}
