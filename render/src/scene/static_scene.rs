//! What stays the same over the clip: meshes with their trees, materials, textures, environment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diorama_assets::rig::BodyPose;
use diorama_assets::{AssetSource, Mesh, Model};
use diorama_synth::shot::{Object, Shot};
use glam::{Vec2, Vec3, Vec4};
use rayon::prelude::*;

use super::camera::body_at;
use super::environment::Environment;
use super::material::{SurfaceCoordinates, SurfaceMaterial};
use super::texture::Texture;
use crate::RenderError;
use crate::accel::{BuildOptions, MeshBvh, Simd8};

/// A mesh ready for tracing and shading.
#[derive(Debug)]
pub struct SceneMesh {
    /// Source data; shared with the asset library unless it is posed.
    mesh: Arc<Mesh>,
    /// Its tree.
    pub bvh: Arc<MeshBvh>,
    /// Normals as the shutter opens and as it closes, where the mesh is bent meanwhile; `mesh` is as it is
    /// halfway.
    normals_at_ends: Option<[Vec<Vec3>; 2]>,
    /// The material slot of all triangles, where they share one.
    only_slot: Option<u16>,
    /// The last material slot that a triangle has.
    last_slot: u16,
}

impl SceneMesh {
    /// Builds the tree of `mesh`.
    pub fn new(mesh: Arc<Mesh>) -> Self {
        let bvh = MeshBvh::build(&mesh.positions, &mesh.triangles, BuildOptions::default());
        Self::with_tree(mesh, bvh, None)
    }

    /// The same of a mesh that is bent while the shutter is open: as it opens, halfway, and as it closes.
    pub fn moving([open, middle, close]: [Mesh; 3]) -> Self {
        let bvh = MeshBvh::build_moving(
            &open.positions,
            &close.positions,
            &middle.triangles,
            BuildOptions::default(),
        );
        let normals = [open.normals, close.normals];
        Self::with_tree(Arc::new(middle), bvh, Some(normals))
    }

    fn with_tree(mesh: Arc<Mesh>, bvh: MeshBvh, normals_at_ends: Option<[Vec<Vec3>; 2]>) -> Self {
        let slots = &mesh.material_of_triangle;
        let only_slot = slots
            .first()
            .copied()
            .filter(|first| slots.iter().all(|slot| slot == first));
        let last_slot = slots.iter().copied().max().unwrap_or(0);
        Self {
            mesh,
            bvh: Arc::new(bvh),
            normals_at_ends,
            only_slot,
            last_slot,
        }
    }

    /// The mesh.
    #[inline(always)]
    pub fn data(&self) -> &Mesh {
        &self.mesh
    }

    /// Normals as the shutter opens and as it closes, where the mesh is bent meanwhile.
    pub(crate) fn normals_at_ends(&self) -> Option<&[Vec<Vec3>; 2]> {
        self.normals_at_ends.as_ref()
    }

    /// Vertex positions of a triangle, object space.
    #[inline(always)]
    pub fn corners(&self, primitive: u32) -> [Vec3; 3] {
        let mesh = self.data();
        mesh.triangles[primitive as usize].map(|i| mesh.positions[i as usize])
    }

    #[inline(always)]
    fn interpolate2(&self, values: &[Vec2], primitive: u32, b: [f32; 2]) -> Vec2 {
        if values.is_empty() {
            return Vec2::ZERO;
        }
        let [i, j, k] = self.data().triangles[primitive as usize].map(|i| values[i as usize]);
        i * (1.0 - b[0] - b[1]) + j * b[0] + k * b[1]
    }

    /// Material slot of a triangle.
    #[inline(always)]
    fn slot(&self, primitive: u32) -> u16 {
        self.only_slot
            .unwrap_or_else(|| self.data().material_of_triangle[primitive as usize])
    }

    /// Asks the caches for the indices of a triangle's corners.
    #[inline(always)]
    pub fn prefetch<S: Simd8>(&self, simd: S, primitive: u32) {
        simd.prefetch(&self.data().triangles[primitive as usize]);
    }

    /// Asks the caches for the normals and texture coordinates of a triangle's corners.
    #[inline(always)]
    pub fn prefetch_corners<S: Simd8>(&self, simd: S, primitive: u32) {
        let mesh = self.data();
        for vertex in mesh.triangles[primitive as usize] {
            if let Some(normal) = mesh.normals.get(vertex as usize) {
                simd.prefetch(normal);
            }
            if let Some(uv) = mesh.uvs.get(vertex as usize) {
                simd.prefetch(uv);
            }
        }
    }

    /// Texture coordinates and vertex colour at barycentric weights `b` of vertices 1 and 2.
    #[inline(always)]
    pub fn coordinates(&self, primitive: u32, b: [f32; 2]) -> SurfaceCoordinates {
        let mesh = self.data();
        SurfaceCoordinates {
            uv: [
                self.interpolate2(&mesh.uvs, primitive, b),
                self.interpolate2(&mesh.uvs1, primitive, b),
            ],
            ..self.color(primitive, b)
        }
    }

    /// [`Self::coordinates`] for surfaces without textures: texture coordinates stay 0.
    #[inline(always)]
    pub fn color(&self, primitive: u32, b: [f32; 2]) -> SurfaceCoordinates {
        let mesh = self.data();
        let color = if mesh.colors.is_empty() {
            Vec4::ONE
        } else {
            let [i, j, k] = mesh.triangles[primitive as usize].map(|i| mesh.colors[i as usize]);
            i * (1.0 - b[0] - b[1]) + j * b[0] + k * b[1]
        };
        SurfaceCoordinates {
            uv: [Vec2::ZERO; 2],
            color: color.truncate(),
            alpha: color.w,
        }
    }

    /// Interpolated vertex normal at a time within the shutter, object space, not normalised; `None` for
    /// flat shading.
    #[inline(always)]
    pub fn shading_normal(&self, primitive: u32, b: [f32; 2], time: f32) -> Option<Vec3> {
        let mesh = self.data();
        if mesh.normals.is_empty() {
            return None;
        }
        let of = |normals: &[Vec3]| {
            let [i, j, k] = mesh.triangles[primitive as usize].map(|i| normals[i as usize]);
            i * (1.0 - b[0] - b[1]) + j * b[0] + k * b[1]
        };
        let n = match &self.normals_at_ends {
            None => of(&mesh.normals),
            Some([open, close]) => of(open) * (1.0 - time) + of(close) * time,
        };
        (n.length_squared() > 1e-12).then_some(n)
    }

    /// Tangent (xyz) and handedness (w), object space: from the file, or from the UV set's derivative.
    pub fn tangent(&self, primitive: u32, b: [f32; 2], uv_set: u32) -> Option<Vec4> {
        let mesh = self.data();
        let triangle = mesh.triangles[primitive as usize];
        if !mesh.tangents.is_empty() && uv_set == 0 {
            let [i, j, k] = triangle.map(|i| mesh.tangents[i as usize]);
            let t = (i * (1.0 - b[0] - b[1]) + j * b[0] + k * b[1]).truncate();
            return Some(t.extend(i.w));
        }
        let uvs = if uv_set == 0 { &mesh.uvs } else { &mesh.uvs1 };
        if uvs.is_empty() {
            return None;
        }
        let [p0, p1, p2] = self.corners(primitive);
        let [a, b, c] = triangle.map(|i| uvs[i as usize]);
        let (d1, d2) = (b - a, c - a);
        let determinant = d1.x * d2.y - d1.y * d2.x;
        if determinant.abs() < 1e-20 {
            return None;
        }
        let tangent = ((p1 - p0) * d2.y - (p2 - p0) * d1.y) / determinant;
        // v runs down the image while a normal map's +Y runs up: a mirrored chart turns it around.
        Some(tangent.extend(if determinant < 0.0 { 1.0 } else { -1.0 }))
    }
}

/// Frames of which the meshes of bodies are kept: the one at hand and its neighbours, which flow asks
/// for, and one that tracking may still be at.
const POSED_FRAMES: usize = 5;

/// Bodies by (index of the object, frame), the oldest first.
type PosedMeshes = VecDeque<((usize, i64), Arc<SceneMesh>)>;

/// See the module text.
#[derive(Debug)]
pub struct StaticScene {
    /// Distinct meshes, at rest.
    pub meshes: Vec<Arc<SceneMesh>>,
    /// Mesh of each object of the Shot.
    pub mesh_of_object: Vec<usize>,
    /// Asset of each object of the Shot that has a body: what poses are applied to.
    pub model_of_object: Vec<Option<Arc<Model>>>,
    /// First material of each object of the Shot; slots follow.
    pub first_material: Vec<usize>,
    /// Materials.
    pub materials: Vec<SurfaceMaterial>,
    /// Textures.
    pub textures: Vec<Texture>,
    /// Surroundings.
    pub environment: Environment,
    /// How many objects have bodies.
    bodies: usize,
    posed: Mutex<PosedMeshes>,
}

/// Gathers what several objects share.
struct Builder<'a> {
    assets: &'a dyn AssetSource,
    models: BTreeMap<String, (Arc<Model>, usize)>,
    /// Distinct meshes.
    meshes: Vec<Arc<Mesh>>,
    mesh_index: BTreeMap<(String, u32), usize>,
    own_materials: BTreeMap<String, usize>,
    materials: Vec<SurfaceMaterial>,
    textures: Vec<Texture>,
}

impl Builder<'_> {
    /// The asset and the index of its first texture.
    fn model(&mut self, object: &Object) -> Result<(Arc<Model>, usize), RenderError> {
        if let Some(found) = self.models.get(&object.asset) {
            return Ok(found.clone());
        }
        let model = self
            .assets
            .model(&object.asset)
            .map_err(|source| RenderError::Asset {
                object: object.name.clone(),
                source,
            })?;
        let first = self.textures.len();
        self.textures.extend(model.images.iter().map(Texture::new));
        self.models
            .insert(object.asset.clone(), (model.clone(), first));
        Ok((model, first))
    }

    fn mesh(&mut self, object: &Object, model: &Model) -> Result<usize, RenderError> {
        let key = (object.asset.clone(), object.mesh);
        if let Some(index) = self.mesh_index.get(&key) {
            return Ok(*index);
        }
        if object.mesh as usize >= model.meshes.len() {
            return Err(RenderError::NoMesh {
                object: object.name.clone(),
                asset: object.asset.clone(),
                mesh: object.mesh,
            });
        }
        self.meshes.push(model.meshes[object.mesh as usize].clone());
        self.mesh_index.insert(key, self.meshes.len() - 1);
        Ok(self.meshes.len() - 1)
    }

    fn materials(&mut self, object: &Object, model: &Model, first_texture: usize) -> usize {
        if object.materials.is_empty()
            && let Some(first) = self.own_materials.get(&object.asset)
        {
            return *first;
        }
        let first = self.materials.len();
        // An object may replace fewer slots than the asset has: the rest stay the asset's.
        let slots = model.materials.len().max(object.materials.len());
        for slot in 0..slots {
            let source = object
                .materials
                .get(slot)
                .or_else(|| model.materials.get(slot));
            self.materials
                .extend(source.map(|m| SurfaceMaterial::new(m, first_texture)));
        }
        if self.materials.len() == first {
            self.materials.push(SurfaceMaterial::new(
                &diorama_assets::Material::default(),
                first_texture,
            ));
        }
        if object.materials.is_empty() {
            self.own_materials.insert(object.asset.clone(), first);
        }
        first
    }
}

impl StaticScene {
    /// Loads and builds everything `shot` names.
    pub fn new(shot: &Shot, assets: &dyn AssetSource) -> Result<Self, RenderError> {
        let mut builder = Builder {
            assets,
            models: BTreeMap::new(),
            meshes: Vec::new(),
            mesh_index: BTreeMap::new(),
            own_materials: BTreeMap::new(),
            materials: Vec::new(),
            textures: Vec::new(),
        };
        let (mut mesh_of_object, mut first_material) = (Vec::new(), Vec::new());
        let mut model_of_object = Vec::new();
        for object in &shot.objects {
            let (model, first_texture) = builder.model(object)?;
            mesh_of_object.push(builder.mesh(object, &model)?);
            first_material.push(builder.materials(object, &model, first_texture));
            model_of_object.push(object.body.is_some().then_some(model));
        }
        let map = match &shot.environment.asset {
            None => None,
            Some(id) => Some(
                assets
                    .environment(id)
                    .map_err(|source| RenderError::Asset {
                        object: "environment".into(),
                        source,
                    })?,
            ),
        };
        let scale = Vec3::from(shot.environment.color) * shot.environment.strength;
        let Builder {
            meshes,
            materials,
            textures,
            ..
        } = builder;
        // One thread for each tree: what comes out does not depend on who built it.
        let (environment, meshes) = rayon::join(
            || Environment::new(map, scale, shot.environment.rotation_rad),
            || {
                meshes
                    .into_par_iter()
                    .map(|mesh| Arc::new(SceneMesh::new(mesh)))
                    .collect()
            },
        );
        Ok(Self {
            meshes,
            model_of_object,
            mesh_of_object,
            first_material,
            materials,
            textures,
            environment,
            bodies: shot.objects.iter().filter(|o| o.body.is_some()).count(),
            posed: Mutex::default(),
        })
    }

    /// Mesh of `object` of the Shot at `frame`, whose index is `index`: posed when it has a body.
    pub fn mesh_at(&self, object: &Object, index: usize, frame: i64) -> Arc<SceneMesh> {
        let (Some(body), Some(model)) = (&object.body, &self.model_of_object[index]) else {
            return self.meshes[self.mesh_of_object[index]].clone();
        };
        let key = (index, frame);
        if let Some(mesh) = self.posed().iter().find(|(known, _)| *known == key) {
            return mesh.1.clone();
        }
        let posed = model.posed(object.mesh as usize, body.at(frame));
        let mesh = Arc::new(SceneMesh::new(Arc::new(posed)));
        let mut kept = self.posed();
        if kept.len() >= POSED_FRAMES * self.bodies {
            kept.pop_front();
        }
        kept.push_back((key, mesh.clone()));
        mesh
    }

    /// The same while the shutter is open from `open` to `close` (frames, fractional): one with a body
    /// that moves meanwhile is bent from its one pose to the other. It is as [`Self::mesh_at`] says where
    /// nothing moves.
    pub fn mesh_over(
        &self,
        object: &Object,
        index: usize,
        frame: i64,
        [open, close]: [f64; 2],
    ) -> Arc<SceneMesh> {
        let (Some(body), Some(model)) = (&object.body, &self.model_of_object[index]) else {
            return self.mesh_at(object, index, frame);
        };
        let (at_open, at_close) = (body_at(body, open), body_at(body, close));
        if at_open == at_close {
            return self.mesh_at(object, index, frame);
        }
        let posed = |pose: &BodyPose| model.posed(object.mesh as usize, pose);
        Arc::new(SceneMesh::moving([
            posed(&at_open),
            posed(body.at(frame)),
            posed(&at_close),
        ]))
    }

    /// A thread that panicked while holding the lock left whole values only: go on.
    fn posed(&self) -> MutexGuard<'_, PosedMeshes> {
        self.posed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Material of a triangle of an object.
    #[inline(always)]
    pub fn material(&self, object: usize, primitive: u32) -> &SurfaceMaterial {
        let slot = self.meshes[self.mesh_of_object[object]].slot(primitive);
        let first = self.first_material[object];
        // A slot beyond the list (a broken file) reads the last one.
        &self.materials[(first + slot as usize).min(self.materials.len() - 1)]
    }

    /// The materials that triangles of an object with this mesh may have.
    pub fn materials_of(&self, object: usize, mesh: &SceneMesh) -> &[SurfaceMaterial] {
        let first = self.first_material[object].min(self.materials.len() - 1);
        let last = (first + usize::from(mesh.last_slot)).min(self.materials.len() - 1);
        &self.materials[first..=last]
    }
}
