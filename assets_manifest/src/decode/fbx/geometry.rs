//! Meshes of nodes to one joined mesh.

use std::collections::HashMap;

use glam::{DAffine3, DMat3, DVec3, Vec2, Vec3};

use crate::Mesh;
use crate::decode::assemble::cofactor;

/// Joins the meshes of nodes, with the file's materials as slots.
pub(super) struct MeshBuilder {
    mesh: Mesh,
    /// The file's own number of the point that each vertex is made from.
    points: Vec<u32>,
    default_slot: usize,
    uses_default: bool,
    without_normals: bool,
    with_uvs: bool,
}

/// What a [`MeshBuilder`] made.
pub(super) struct Joined {
    pub(super) mesh: Mesh,
    /// For each vertex, the file's number of the point in its own mesh.
    pub(super) points: Vec<u32>,
    /// Some faces have no material: a slot after the file's is needed.
    pub(super) uses_default: bool,
}

impl MeshBuilder {
    /// `materials`: number of materials in the file.
    pub(super) fn new(name: &str, materials: usize) -> Self {
        Self {
            mesh: Mesh {
                name: name.to_owned(),
                ..Mesh::default()
            },
            points: Vec::new(),
            default_slot: materials,
            uses_default: false,
            without_normals: false,
            with_uvs: false,
        }
    }

    /// Vertices made so far.
    pub(super) fn vertices(&self) -> usize {
        self.points.len()
    }

    /// Adds the mesh `part` of a node, undeformed.
    pub(super) fn add(
        &mut self,
        node: &ufbx::Node,
        part: &ufbx::Mesh,
        model_from_geometry: DAffine3,
    ) {
        let (positions, normals) = (&part.vertex_position, &part.vertex_normal);
        let DAffine3 {
            matrix3: linear,
            translation: offset,
        } = model_from_geometry;
        let mirrored = linear.determinant() < 0.0;
        let normal_matrix = cofactor(linear);
        let uvs = &part.vertex_uv;
        self.with_uvs |= uvs.exists;
        self.without_normals |= !normals.exists;

        // Looked up only, never iterated: vertices are numbered in face order.
        let mut vertex_of: HashMap<(u32, Option<u32>, Option<u32>), u32> = HashMap::new();
        let mut corners = Vec::new();
        for (index, face) in part.faces.iter().enumerate() {
            let slot = self.slot(node, part, index);
            let count = ufbx::triangulate_face_vec(&mut corners, part, *face) as usize;
            for triangle in corners.chunks_exact(3).take(count) {
                let mut indices = [0; 3];
                for (index, corner) in indices.iter_mut().zip(triangle) {
                    let corner = *corner as usize;
                    // Single faces of an OBJ may be without: their index is beyond the values.
                    let normal = (normals.indices.get(corner).copied())
                        .filter(|index| (*index as usize) < normals.values.len());
                    let uv = (uvs.indices.get(corner).copied())
                        .filter(|index| (*index as usize) < uvs.values.len());
                    let key = (positions.indices[corner], normal, uv);
                    *index = *vertex_of.entry(key).or_insert_with(|| {
                        let position = linear * vec3(&positions[corner]) + offset;
                        self.mesh.positions.push(position.as_vec3());
                        self.mesh.normals.push(if normal.is_some() {
                            let normal = normal_matrix * vec3(&normals[corner]);
                            let normal = if mirrored { -normal } else { normal };
                            normal.try_normalize().unwrap_or_default().as_vec3()
                        } else {
                            Vec3::ZERO
                        });
                        self.mesh.uvs.push(if uv.is_some() {
                            let uv = uvs[corner];
                            Vec2::new(uv.x as f32, (1.0 - uv.y) as f32)
                        } else {
                            Vec2::ZERO
                        });
                        self.points.push(part.vertex_indices[corner]);
                        self.mesh.positions.len() as u32 - 1
                    });
                }
                if mirrored {
                    indices.swap(1, 2);
                }
                self.mesh.triangles.push(indices);
                self.mesh.material_of_triangle.push(slot as u16);
            }
        }
    }

    fn slot(&mut self, node: &ufbx::Node, part: &ufbx::Mesh, face: usize) -> usize {
        let of_mesh = part.face_material.get(face).copied().unwrap_or(0) as usize;
        let materials = if node.materials.is_empty() {
            &part.materials
        } else {
            &node.materials
        };
        if of_mesh < materials.len() {
            materials[of_mesh].element.typed_id as usize
        } else {
            self.uses_default = true;
            self.default_slot
        }
    }

    pub(super) fn finish(mut self) -> Joined {
        let mesh = &mut self.mesh;
        if self.without_normals && mesh.normals.iter().all(|normal| *normal == Vec3::ZERO) {
            mesh.normals.clear();
        }
        if !self.with_uvs {
            mesh.uvs.clear();
        }
        Joined {
            mesh: self.mesh,
            points: self.points,
            uses_default: self.uses_default,
        }
    }
}

pub(super) fn vec3(v: &ufbx::Vec3) -> DVec3 {
    DVec3::new(v.x, v.y, v.z)
}

pub(super) fn affine(m: &ufbx::Matrix) -> DAffine3 {
    DAffine3 {
        matrix3: DMat3::from_cols(
            DVec3::new(m.m00, m.m10, m.m20),
            DVec3::new(m.m01, m.m11, m.m21),
            DVec3::new(m.m02, m.m12, m.m22),
        ),
        translation: DVec3::new(m.m03, m.m13, m.m23),
    }
}
