//! Meshes in one address space of 16-byte elements, which the device spreads over pages.

use std::sync::Arc;

use glam::{DVec3, Vec2, Vec3};

use super::nodes::{CompressedTree, Grid, NODE, Source, compress};
use crate::accel::{BuildOptions, Child, MeshBvh, Quality, Target};
use crate::gpu::layout::NONE;
use crate::scene::static_scene::SceneMesh;

/// Levels of nodes that a mesh may have; deeper trees are built again in halves.
const DEEPEST: u32 = 24;

/// Where the parts of a mesh are; `NONE` for what it does not have.
#[derive(Debug, Clone)]
pub(crate) struct MeshPlaces {
    pub(crate) nodes: u32,
    /// Corners: three elements a triangle, in the order of the tree.
    pub(crate) triangles: u32,
    /// The same as the shutter closes, `triangles` being as it opens, of a mesh that is bent meanwhile.
    pub(crate) closing: u32,
    /// Vertex numbers and material, then the normal: two elements a triangle.
    pub(crate) shading: u32,
    pub(crate) normals: u32,
    /// As the shutter closes.
    pub(crate) closing_normals: u32,
    pub(crate) uvs: u32,
    pub(crate) colors: u32,
    pub(crate) tangents: u32,
    /// Largest magnitude of a coordinate.
    pub(crate) reach: f32,
    /// Of the nodes' corners.
    pub(crate) grid: Grid,
    /// Where each triangle is in the order of the tree.
    pub(crate) slots: Arc<[u32]>,
}

/// Meshes, one behind the other.
pub(crate) struct Geometry {
    /// Elements.
    pub(crate) words: Vec<[u32; 4]>,
    /// Levels of the deepest tree.
    pub(crate) depth: u32,
    /// Nodes of the largest.
    pub(crate) nodes: u64,
}

impl Geometry {
    /// None yet, behind `reserved` elements.
    pub(crate) fn behind(reserved: usize) -> Self {
        Self {
            words: vec![[0; 4]; reserved],
            depth: 1,
            nodes: 0,
        }
    }

    /// Appends a mesh.
    pub(crate) fn add(&mut self, mesh: &SceneMesh) -> MeshPlaces {
        let data = mesh.data();
        let uvs = if data.uvs.is_empty() && data.uvs1.is_empty() {
            NONE
        } else {
            let at = |values: &[Vec2], i: usize| values.get(i).copied().unwrap_or(Vec2::ZERO);
            let pairs = (0..data.positions.len()).map(|i| {
                let (a, b) = (at(&data.uvs, i), at(&data.uvs1, i));
                [a.x, a.y, b.x, b.y].map(f32::to_bits)
            });
            self.attribute(pairs)
        };
        let colors = self.attribute(data.colors.iter().map(|c| c.to_array().map(f32::to_bits)));
        MeshPlaces {
            uvs,
            colors,
            ..self.add_shape(mesh)
        }
    }

    /// Appends a mesh that is another one in another pose: its texture coordinates and colours stay there.
    pub(crate) fn add_posed(&mut self, mesh: &SceneMesh, rest: &MeshPlaces) -> MeshPlaces {
        MeshPlaces {
            uvs: rest.uvs,
            colors: rest.colors,
            ..self.add_shape(mesh)
        }
    }

    /// Appends what depends on a mesh's pose.
    fn add_shape(&mut self, mesh: &SceneMesh) -> MeshPlaces {
        let data = mesh.data();
        let tree = tree_of(mesh);
        self.depth = self.depth.max(tree.depth);
        self.nodes = self.nodes.max(tree.nodes());
        // Nodes are lines of a cache.
        self.words
            .resize(self.words.len().next_multiple_of(NODE), [0; 4]);
        let nodes = self.words.len() as u32;
        self.words.extend(&tree.words);
        let triangles = self.triangles(&tree.items, mesh, 0.0);
        let closing = if mesh.bvh.moves() {
            self.triangles(&tree.items, mesh, 1.0)
        } else {
            NONE
        };
        let mut slots = vec![0; data.triangles.len()];
        for (slot, &primitive) in tree.items.iter().enumerate() {
            slots[primitive as usize] = slot as u32;
        }
        let shading = self.words.len() as u32;
        for &primitive in &tree.items {
            let [i, j, k] = data.triangles[primitive as usize];
            let material = u32::from(data.material_of_triangle[primitive as usize]);
            let normal = geometric_normal(mesh.corners(primitive));
            self.words.extend([[i, j, k, material], element(normal, 0)]);
        }
        let [open, close] = mesh
            .normals_at_ends()
            .map_or([data.normals.as_slice(), &[]], |ends| {
                ends.each_ref().map(Vec::as_slice)
            });
        let normals = self.attribute(open.iter().map(|n| element(*n, 0)));
        let closing_normals = self.attribute(close.iter().map(|n| element(*n, 0)));
        let tangents = self.attribute(data.tangents.iter().map(|t| t.to_array().map(f32::to_bits)));
        MeshPlaces {
            nodes,
            triangles,
            closing,
            shading,
            normals,
            closing_normals,
            uvs: NONE,
            colors: NONE,
            tangents,
            reach: mesh.bvh.largest_coordinate(),
            grid: tree.grid,
            slots: slots.into(),
        }
    }

    /// Appends corners at a time within the shutter; gives where they begin.
    fn triangles(&mut self, order: &[u32], mesh: &SceneMesh, time: f32) -> u32 {
        let first = self.words.len() as u32;
        for &primitive in order {
            let [a, b, c] = mesh.bvh.corners(primitive, time);
            self.words
                .extend([(a, primitive), (b, 0), (c, 0)].map(|(v, w)| element(v, w)));
        }
        first
    }

    /// Appends values for each vertex; gives where they begin, `NONE` where there are none.
    fn attribute(&mut self, values: impl Iterator<Item = [u32; 4]>) -> u32 {
        let first = self.words.len();
        self.words.extend(values);
        if self.words.len() == first {
            NONE
        } else {
            first as u32
        }
    }
}

fn element(v: Vec3, w: u32) -> [u32; 4] {
    [v.x.to_bits(), v.y.to_bits(), v.z.to_bits(), w]
}

/// Unit normal of the front, as accel/surface.rs has it.
fn geometric_normal(corners: [Vec3; 3]) -> Vec3 {
    let [a, b, c]: [DVec3; 3] = corners.map(Vec3::as_dvec3);
    let normal = (b - a).cross(c - a);
    let length = normal.length();
    if length > 0.0 {
        (normal / length).as_vec3()
    } else {
        Vec3::Z
    }
}

fn tree_of(mesh: &SceneMesh) -> CompressedTree {
    let tree = compress_mesh(&mesh.bvh);
    if tree.depth <= DEEPEST {
        return tree;
    }
    let halves = BuildOptions {
        quality: Quality::Halves,
        ..BuildOptions::default()
    };
    let bvh = &mesh.bvh;
    let count = bvh.triangle_count() as u32;
    let apart: Vec<[u32; 3]> = (0..count).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
    let at = |time: f32| -> Vec<Vec3> { (0..count).flat_map(|i| bvh.corners(i, time)).collect() };
    compress_mesh(&if bvh.moves() {
        MeshBvh::build_moving(&at(0.0), &at(1.0), &apart, halves)
    } else {
        MeshBvh::build(&at(0.0), &apart, halves)
    })
}

fn compress_mesh(bvh: &MeshBvh) -> CompressedTree {
    let root = match bvh.root_target() {
        Target::Node(node) => bvh.children_of(node),
        _ if bvh.triangle_count() == 0 => Vec::new(),
        Target::Leaf(leaf) => {
            // One leaf: anything that holds the triangles does for its box.
            let largest = bvh.largest_coordinate();
            vec![Child {
                min: Vec3::splat(-largest),
                max: Vec3::splat(largest),
                target: Target::Leaf(leaf),
            }]
        }
    };
    compress(root, bvh)
}

impl Source for MeshBvh {
    const ITEMS_BY_SLOT: bool = false;

    fn children_of(&self, node: u32) -> Vec<Child> {
        self.children_of(node)
    }

    fn items_of(&self, leaf: u32) -> Vec<u32> {
        self.triangles_of(leaf).collect()
    }

    fn box_of(&self, item: u32) -> (Vec3, Vec3) {
        self.box_of(item)
    }
}
