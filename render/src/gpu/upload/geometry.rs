//! Meshes in one address space of 16-byte elements, which the device spreads over pages.

use glam::{DVec3, Vec2, Vec3};

use super::nodes::{CompressedTree, Grid, NODE, Source, compress};
use crate::accel::{BuildOptions, Child, MeshBvh, Quality, Target};
use crate::gpu::layout::NONE;
use crate::scene::StaticScene;
use crate::scene::static_scene::SceneMesh;

/// Levels of nodes that a mesh may have; deeper trees are built again in halves.
const DEEPEST: u32 = 24;

/// Where the parts of a mesh are; `NONE` for what it does not have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeshPlaces {
    pub(crate) nodes: u32,
    /// Corners: three elements a triangle, in the order of the tree.
    pub(crate) triangles: u32,
    /// Vertex numbers and material, then the normal: two elements a triangle.
    pub(crate) shading: u32,
    pub(crate) normals: u32,
    pub(crate) uvs: u32,
    pub(crate) colors: u32,
    pub(crate) tangents: u32,
    /// Largest magnitude of a coordinate.
    pub(crate) reach: f32,
    /// Of the nodes' corners.
    pub(crate) grid: Grid,
}

/// All meshes of a scene.
pub(crate) struct Geometry {
    /// Elements.
    pub(crate) words: Vec<[u32; 4]>,
    /// One for each mesh of the scene.
    pub(crate) meshes: Vec<MeshPlaces>,
    /// For each mesh, where each triangle is in the order of the tree.
    pub(crate) slot_of_primitive: Vec<Vec<u32>>,
    /// Levels of the deepest tree.
    pub(crate) depth: u32,
    /// Nodes of the largest.
    pub(crate) nodes: u64,
}

impl Geometry {
    /// Of a scene, behind `reserved` elements.
    pub(crate) fn new(scene: &StaticScene, reserved: usize) -> Self {
        let mut geometry = Self {
            words: vec![[0; 4]; reserved],
            meshes: Vec::new(),
            slot_of_primitive: Vec::new(),
            depth: 1,
            nodes: 0,
        };
        for mesh in &scene.meshes {
            geometry.add(mesh);
        }
        geometry
    }

    fn add(&mut self, mesh: &SceneMesh) {
        let data = mesh.data();
        let tree = tree_of(mesh);
        self.depth = self.depth.max(tree.depth);
        self.nodes = self.nodes.max(tree.nodes());
        // Nodes are lines of a cache.
        self.words
            .resize(self.words.len().next_multiple_of(NODE), [0; 4]);
        let nodes = self.words.len() as u32;
        self.words.extend(&tree.words);
        let triangles = self.words.len() as u32;
        let mut slots = vec![0; data.triangles.len()];
        for (slot, &primitive) in tree.items.iter().enumerate() {
            slots[primitive as usize] = slot as u32;
            let [a, b, c] = mesh.corners(primitive);
            self.words
                .extend([(a, primitive), (b, 0), (c, 0)].map(|(v, w)| element(v, w)));
        }
        let shading = self.words.len() as u32;
        for &primitive in &tree.items {
            let [i, j, k] = data.triangles[primitive as usize];
            let material = u32::from(data.material_of_triangle[primitive as usize]);
            let normal = geometric_normal(mesh.corners(primitive));
            self.words.extend([[i, j, k, material], element(normal, 0)]);
        }
        let normals = self.attribute(data.normals.iter().map(|n| element(*n, 0)));
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
        let tangents = self.attribute(data.tangents.iter().map(|t| t.to_array().map(f32::to_bits)));
        self.meshes.push(MeshPlaces {
            nodes,
            triangles,
            shading,
            normals,
            uvs,
            colors,
            tangents,
            reach: mesh.bvh.largest_coordinate(),
            grid: tree.grid,
        });
        self.slot_of_primitive.push(slots);
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
    let data = mesh.data();
    let halves = BuildOptions {
        quality: Quality::Halves,
        ..BuildOptions::default()
    };
    compress_mesh(&MeshBvh::build(&data.positions, &data.triangles, halves))
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
