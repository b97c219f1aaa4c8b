//! The geometry of a scene in textures, and the part of it that changes from frame to frame.

use super::GpuError;
use super::device::Gpu;
use super::shaders::ROW_SHIFT;
use super::upload::frame::UpperTree;
use super::upload::geometry::{Geometry, MeshPlaces};
use crate::scene::{FrameScene, StaticScene};

/// Elements that a triangle of a body takes, about: 6 for its corners at both ends of the shutter, 2 for shading,
/// 2 for normals and tangents, 2 for nodes.
const BODY_ELEMENTS: usize = 12;

/// The geometry of a scene on a GPU: room for what a frame has of its own, then all meshes.
#[derive(Debug)]
pub(super) struct GeometryPages {
    pub(super) pages: Vec<wgpu::Texture>,
    /// Elements for the tree over the objects, then for bodies in their poses.
    reserved: usize,
    /// Textures that programs see besides.
    texel_pages: u32,
    /// For each object its mesh at rest.
    pub(super) meshes: Vec<MeshPlaces>,
    /// Levels of the deepest of these.
    pub(super) depth: u32,
}

/// A frame's own part of it.
pub(super) struct FrameGeometry {
    /// Elements: room for the tree over the objects, then bodies in their poses.
    pub(super) bodies: Geometry,
    /// Of the former.
    tree_room: usize,
    /// For each object its mesh.
    pub(super) meshes: Vec<MeshPlaces>,
}

impl GeometryPages {
    /// Uploads all meshes; `texel_pages` are besides.
    pub(super) fn new(gpu: &Gpu, scene: &StaticScene, texel_pages: u32) -> Result<Self, GpuError> {
        let bodies = scene.mesh_of_object.iter().zip(&scene.model_of_object);
        let body_room: usize = bodies
            .filter(|(_, model)| model.is_some())
            .map(|(mesh, _)| BODY_ELEMENTS * scene.meshes[*mesh].bvh.triangle_count())
            .sum();
        let tree_room = UpperTree::most_words(scene.mesh_of_object.len());
        Self::behind(gpu, scene, tree_room + body_room, texel_pages)
    }

    /// Uploads all meshes behind room for `reserved` elements.
    fn behind(
        gpu: &Gpu,
        scene: &StaticScene,
        reserved: usize,
        texel_pages: u32,
    ) -> Result<Self, GpuError> {
        let reserved = reserved.next_multiple_of(1 << ROW_SHIFT);
        gpu.check_records("what changes from frame to frame", 16 * reserved as u64)?;
        let mut geometry = Geometry::behind(reserved);
        let places: Vec<MeshPlaces> = scene.meshes.iter().map(|mesh| geometry.add(mesh)).collect();
        gpu.check_tree(geometry.nodes, 0)?;
        gpu.check_pages(pages_of(gpu, geometry.words.len()), texel_pages)?;
        let of_object = scene.mesh_of_object.iter();
        Ok(Self {
            pages: upload_pages(gpu, "geometry", &geometry.words),
            reserved,
            texel_pages,
            meshes: of_object.map(|mesh| places[*mesh].clone()).collect(),
            depth: geometry.depth,
        })
    }

    /// The meshes of a frame, with room for all of them: everything is uploaded once more where there was too
    /// little.
    pub(super) fn of_frame(
        &mut self,
        gpu: &Gpu,
        scene: &FrameScene,
    ) -> Result<FrameGeometry, GpuError> {
        let posed = self.posed(scene);
        let needed = posed.bodies.words.len();
        if needed <= self.reserved {
            return Ok(posed);
        }
        // In other poses trees have other sizes: a quarter more is room for most of them.
        *self = Self::behind(gpu, &scene.fixed, needed + needed / 4, self.texel_pages)?;
        Ok(self.posed(scene))
    }

    fn posed(&self, scene: &FrameScene) -> FrameGeometry {
        let tree_room = UpperTree::most_words(scene.instances.len());
        let mut bodies = Geometry::behind(tree_room);
        let mut meshes = self.meshes.clone();
        let models = &scene.fixed.model_of_object;
        for ((places, mesh), model) in meshes.iter_mut().zip(&scene.meshes).zip(models) {
            if model.is_some() {
                *places = bodies.add_posed(mesh, places);
            }
        }
        FrameGeometry {
            bodies,
            tree_room,
            meshes,
        }
    }

    /// Uploads a frame's part.
    pub(super) fn write(
        &self,
        gpu: &Gpu,
        mut own: FrameGeometry,
        upper: &UpperTree,
    ) -> Result<(), GpuError> {
        let words = &mut own.bodies.words;
        let Some(room) = words.get_mut(..upper.words.len()) else {
            return Err(gpu.internal("the tree over all objects is larger than expected"));
        };
        room.copy_from_slice(&upper.words);
        let changed = if words.len() > own.tree_room {
            words
        } else {
            &upper.words
        };
        gpu.write_records(&self.pages[0], bytemuck::cast_slice(changed));
        Ok(())
    }
}

/// Textures that so many elements are spread over.
pub(super) fn pages_of(gpu: &Gpu, elements: usize) -> u32 {
    (elements as u64).div_ceil(1 << gpu.page_shift()).max(1) as u32
}

/// Uploads elements to as many textures as they need, at least one.
pub(super) fn upload_pages(gpu: &Gpu, what: &str, elements: &[[u32; 4]]) -> Vec<wgpu::Texture> {
    let page = |(index, elements): (usize, &[[u32; 4]])| {
        gpu.records(&format!("render.scene.{what}.{index}"), elements)
    };
    let mut pages: Vec<wgpu::Texture> = elements
        .chunks(1 << gpu.page_shift())
        .enumerate()
        .map(page)
        .collect();
    if pages.is_empty() {
        pages.push(page((0, &[])));
    }
    pages
}
