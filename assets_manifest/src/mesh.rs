//! Triangle meshes.

use glam::{Vec2, Vec3, Vec4};

/// An indexed triangle mesh in its own object space (Z up, metres).
///
/// Invariants kept by [`Mesh::validate`]: at least one triangle, indices in range, every position
/// finite, attribute lists empty or as long as `positions`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// Name in the source file.
    pub name: String,
    /// Vertex positions, metres.
    pub positions: Vec<Vec3>,
    /// Unit shading normals; empty: flat shading.
    pub normals: Vec<Vec3>,
    /// Tangents with handedness in w; empty: derived from UVs by the renderer when needed.
    pub tangents: Vec<Vec4>,
    /// First UV set, origin top-left; empty: none.
    pub uvs: Vec<Vec2>,
    /// Second UV set; empty: none.
    pub uvs1: Vec<Vec2>,
    /// Linear vertex colours that multiply base colour (and alpha in w); empty: none.
    pub colors: Vec<Vec4>,
    /// Vertex indices, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
    /// Material slot of each triangle, index into [`crate::Model::materials`]; same length as `triangles`.
    pub material_of_triangle: Vec<u16>,
}

impl Mesh {
    /// Smallest and largest corner; `None` without vertices.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        let mut corners = self.positions.iter();
        let first = *corners.next()?;
        Some(corners.fold((first, first), |(low, high), p| (low.min(*p), high.max(*p))))
    }

    /// Why this mesh cannot be used, in words for the user; `Ok` when it can.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn validate(&self) -> Result<(), String> {
        if self.triangles.is_empty() {
            return Err("it has no triangles".into());
        }
        if let Some(index) = self.positions.iter().position(|p| !p.is_finite()) {
            return Err(format!("vertex {index} is not a finite number"));
        }
        let count = self.positions.len() as u32;
        if let Some(triangle) = self
            .triangles
            .iter()
            .position(|t| t.iter().any(|i| *i >= count))
        {
            return Err(format!(
                "triangle {triangle} names a vertex beyond the last ({count} vertices)"
            ));
        }
        if self.material_of_triangle.len() != self.triangles.len() {
            return Err(
                "the list of material slots is not as long as the list of triangles".into(),
            );
        }
        for (name, length) in [
            ("normals", self.normals.len()),
            ("tangents", self.tangents.len()),
            ("uvs", self.uvs.len()),
            ("uvs1", self.uvs1.len()),
            ("colors", self.colors.len()),
        ] {
            if length != 0 && length != self.positions.len() {
                return Err(format!("{length} {name} for {count} vertices"));
            }
        }
        Ok(())
    }
}
