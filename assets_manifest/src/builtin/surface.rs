//! Growing a closed triangle mesh from analytic patches.
//!
//! Patches meet where their vertices have the same position bit for bit; normals and UVs may differ
//! there. Winding is taken from the normals, so that a patch cannot be inside out.

use glam::{Vec2, Vec3};

use crate::Mesh;

/// A corner of the surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    /// Metres, object space.
    pub(super) position: Vec3,
    /// Unit, outward.
    pub(super) normal: Vec3,
    /// Tiles of texture; one tile is one metre unless the patch says otherwise.
    pub(super) uv: Vec2,
}

/// Vertices and triangles collected so far.
#[derive(Debug, Default)]
pub(super) struct Surface {
    vertices: Vec<Vertex>,
    triangles: Vec<[u32; 3]>,
}

impl Surface {
    /// Adds a vertex and returns its index.
    pub(super) fn vertex(&mut self, vertex: Vertex) -> u32 {
        self.vertices.push(vertex);
        (self.vertices.len() - 1) as u32
    }

    /// Adds a triangle, wound so that it faces the way its vertex normals point.
    /// Triangles with two corners in one place (at poles) are left out.
    pub(super) fn triangle(&mut self, corners: [u32; 3]) {
        let [a, b, c] = corners.map(|index| self.vertices[index as usize]);
        let face = (b.position - a.position).cross(c.position - a.position);
        if face.dot(a.normal + b.normal + c.normal) < 0.0 {
            self.triangle_wound([corners[0], corners[2], corners[1]]);
        } else {
            self.triangle_wound(corners);
        }
    }

    /// Adds a triangle in the order given. Triangles with two corners in one place are left out.
    pub(super) fn triangle_wound(&mut self, corners: [u32; 3]) {
        let [a, b, c] = corners.map(|index| self.vertices[index as usize].position);
        if a != b && b != c && c != a {
            self.triangles.push(corners);
        }
    }

    /// Adds the quadrilateral `a b c d` (in order around it) as two triangles.
    pub(super) fn quad(&mut self, [a, b, c, d]: [u32; 4]) {
        self.triangle([a, b, c]);
        self.triangle([a, c, d]);
    }

    /// Adds a patch of `rows × columns` vertices and the quads between them.
    pub(super) fn grid(
        &mut self,
        rows: usize,
        columns: usize,
        vertex: impl FnMut(usize, usize) -> Vertex,
    ) {
        self.grid_where(rows, columns, vertex, |_, _| true);
    }

    /// As [`Self::grid`], with the quads from (row, column) to (row + 1, column + 1) for which `keep`
    /// is false left out.
    pub(super) fn grid_where(
        &mut self,
        rows: usize,
        columns: usize,
        mut vertex: impl FnMut(usize, usize) -> Vertex,
        keep: impl Fn(usize, usize) -> bool,
    ) {
        let first = self.vertices.len();
        for row in 0..rows {
            for column in 0..columns {
                self.vertices.push(vertex(row, column));
            }
        }
        let index = |row: usize, column: usize| (first + row * columns + column) as u32;
        for row in 0..rows.saturating_sub(1) {
            for column in 0..columns.saturating_sub(1) {
                if keep(row, column) {
                    self.quad([
                        index(row, column),
                        index(row, column + 1),
                        index(row + 1, column + 1),
                        index(row + 1, column),
                    ]);
                }
            }
        }
    }

    /// Fills a closed planar outline that runs counter-clockwise seen from where its normal points.
    ///
    /// Ear clipping: always the best-shaped ear, so that few slivers arise.
    pub(super) fn fill(&mut self, outline: &[Vertex]) {
        let Some(normal) = outline.first().map(|vertex| vertex.normal) else {
            return;
        };
        let mut left: Vec<u32> = outline.iter().map(|vertex| self.vertex(*vertex)).collect();
        while left.len() > 3 {
            let count = left.len();
            let at = |index: usize| self.vertices[left[index % count] as usize].position;
            let mut best = (0, -1.0_f32);
            for tip in 0..count {
                let [a, b, c] = [at(tip + count - 1), at(tip), at(tip + 1)];
                let area = (b - a).cross(c - b).dot(normal);
                let longest = (b - a)
                    .length_squared()
                    .max((c - b).length_squared())
                    .max((a - c).length_squared());
                let quality = area / longest;
                if quality <= best.1 {
                    continue;
                }
                let inside = |p: Vec3| {
                    [(a, b), (b, c), (c, a)]
                        .iter()
                        .all(|(from, to)| (*to - *from).cross(p - *from).dot(normal) >= 0.0)
                };
                let blocked =
                    (2..count - 1).any(|step| inside(at(tip + step)) && at(tip + step) != a);
                if !blocked {
                    best = (tip, quality);
                }
            }
            let tip = best.0;
            self.triangle_wound([
                left[(tip + count - 1) % count],
                left[tip],
                left[(tip + 1) % count],
            ]);
            left.remove(tip);
        }
        if let [a, b, c] = left[..] {
            self.triangle_wound([a, b, c]);
        }
    }

    /// The finished mesh, one material slot.
    pub(super) fn into_mesh(self, name: &str) -> Mesh {
        Mesh {
            name: name.to_owned(),
            positions: self.vertices.iter().map(|v| v.position).collect(),
            normals: self.vertices.iter().map(|v| v.normal).collect(),
            uvs: self.vertices.iter().map(|v| v.uv).collect(),
            material_of_triangle: vec![0; self.triangles.len()],
            triangles: self.triangles,
            ..Mesh::default()
        }
    }
}

/// A solid: its surface, and the convex pieces that physics uses for it.
#[derive(Debug, Clone)]
pub(super) struct Solid {
    /// Closed, outward.
    pub(super) mesh: Mesh,
    /// Point clouds whose hulls together fill the solid.
    pub(super) pieces: Vec<Vec<Vec3>>,
}

impl Solid {
    /// Centres the bounding box on the origin and scales its largest side to 1 m.
    pub(super) fn into_unit_size(mut self) -> Self {
        if let Some((low, high)) = self.mesh.bounds() {
            let centre = (low + high) * 0.5;
            let scale = 1.0 / (high - low).max_element();
            let unit = |p: &mut Vec3| *p = (*p - centre) * scale;
            self.mesh.positions.iter_mut().for_each(unit);
            self.pieces.iter_mut().flatten().for_each(unit);
        }
        self
    }
}
