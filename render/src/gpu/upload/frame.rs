//! What changes from frame to frame: instances, the tree over them, cameras, settings.

use diorama_synth::shot::Role;
use glam::{Affine3A, Vec3};

use super::geometry::MeshPlaces;
use super::nodes::{GAP, Grid, NODE, Source, compress};
use super::texels::EnvironmentTexels;
use crate::accel::{Child, Pose, Target, Tlas};
use crate::gpu::layout::{
    Camera, Frame, INSTANCE_HAS_ALPHA, INSTANCE_IS_WORLD, INSTANCE_MOVES, InstanceRecord,
    PlacedRecord,
};
use crate::integrator::PathSettings;
use crate::kernels::camera::CameraFrame;
use crate::scene::FrameScene;

/// What the box test in the shaders needs beyond the CPU's: one more product.
const EXTRA_SLACK: f32 = 32.0 / 16777216.0;

/// The tree over a frame's instances.
pub(crate) struct UpperTree {
    /// Nodes, then a [`PlacedRecord`] for each instance in the leaves.
    pub(crate) words: Vec<[u32; 4]>,
    /// Where these begin.
    pub(crate) first_item: u32,
    /// How many there is room for.
    pub(crate) items: u32,
    /// Levels.
    pub(crate) depth: u32,
    /// Of the nodes' corners.
    grid: Grid,
}

/// Elements of a [`PlacedRecord`].
const PLACED: usize = size_of::<PlacedRecord>() / 16;

impl UpperTree {
    /// Elements that suffice for every tree over some instances: inner nodes have two children or more,
    /// but for the root, and there is room for eight nodes and eight instances below each.
    pub(crate) fn most_words(instances: usize) -> usize {
        NODE + 8 * (NODE + PLACED) * instances
    }

    /// Nodes that there is room for.
    pub(crate) fn nodes(&self) -> u64 {
        u64::from(self.first_item) / NODE as u64
    }

    /// Over the instances of a frame, which have these meshes.
    pub(crate) fn new(
        scene: &FrameScene,
        instances: &[InstanceRecord],
        meshes: &[MeshPlaces],
    ) -> Self {
        let tlas = &scene.tlas;
        let root = match tlas.root_target() {
            None => Vec::new(),
            Some(Target::Node(node)) => tlas.children_of(node),
            Some(Target::Leaf(leaf)) => {
                let (min, max) = tlas.bounds().unwrap_or((Vec3::ZERO, Vec3::ZERO));
                vec![Child {
                    min,
                    max,
                    target: Target::Leaf(leaf),
                }]
            }
        };
        let tree = compress(root, tlas);
        let mut words = tree.words;
        let first_item = words.len() as u32;
        for &index in &tree.items {
            if index == GAP {
                words.extend([[0; 4]; PLACED]);
                continue;
            }
            let instance = &instances[index as usize];
            let mesh = &meshes[index as usize];
            let placed = PlacedRecord {
                inverse: instance.inverse,
                nodes: mesh.nodes,
                triangles: mesh.triangles,
                worlds: instance.worlds,
                instance: index,
                reach: mesh.reach,
                planes: mesh.shading + 1,
                flags: instance.flags,
                closing: mesh.closing,
                corner: mesh.grid.corner.to_array(),
                exponents: mesh.grid.packed_exponents(),
            };
            let elements: [[u32; 4]; PLACED] = bytemuck::cast(placed);
            words.extend(elements);
        }
        Self {
            words,
            first_item,
            items: tree.items.len() as u32,
            depth: tree.depth,
            grid: tree.grid,
        }
    }
}

impl Source for Tlas {
    const ITEMS_BY_SLOT: bool = true;

    fn children_of(&self, node: u32) -> Vec<Child> {
        self.children_of(node)
    }

    fn items_of(&self, leaf: u32) -> Vec<u32> {
        vec![self.instance_in(leaf)]
    }

    /// Leaves hold one instance, whose box is the leaf's: nobody asks.
    fn box_of(&self, _: u32) -> (Vec3, Vec3) {
        self.bounds().unwrap_or((Vec3::ZERO, Vec3::ZERO))
    }
}

/// Rows of a transform.
fn rows(pose: &Affine3A) -> [[f32; 4]; 3] {
    let m = &pose.matrix3;
    let [x, y, z, w] = [m.x_axis, m.y_axis, m.z_axis, pose.translation].map(|c| c.to_array());
    [0, 1, 2].map(|i| [x[i], y[i], z[i], w[i]])
}

/// One record for each instance of a frame, which have these meshes.
pub(crate) fn instances(scene: &FrameScene, meshes: &[MeshPlaces]) -> Vec<InstanceRecord> {
    scene
        .instances
        .iter()
        .enumerate()
        .map(|(index, instance)| {
            let placed = scene.tlas.instance(index as u32);
            let (open, close, moves) = match placed.pose {
                Pose::Still(pose) => (pose, pose, 0),
                Pose::Moving { open, close } => (open, close, INSTANCE_MOVES),
            };
            let is_world = moves == 0 && open == Affine3A::IDENTITY;
            let mesh = &meshes[index];
            InstanceRecord {
                open: rows(&open),
                close: rows(&close),
                inverse: rows(&open.inverse()),
                triangles: mesh.triangles,
                shading: mesh.shading,
                normals: mesh.normals,
                uvs: mesh.uvs,
                colors: mesh.colors,
                tangents: mesh.tangents,
                worlds: instance.worlds,
                id: instance.id,
                flags: moves
                    | if is_world { INSTANCE_IS_WORLD } else { 0 }
                    | if placed.needs_filter {
                        INSTANCE_HAS_ALPHA
                    } else {
                        0
                    },
                first_material: scene.fixed.first_material[index] as u32,
                role: match instance.role {
                    Role::Background => 0,
                    Role::Keep => 1,
                    Role::Remove => 2,
                },
                closing: mesh.closing,
                closing_normals: mesh.closing_normals,
                ..bytemuck::Zeroable::zeroed()
            }
        })
        .collect()
}

fn camera(camera: &CameraFrame) -> Camera {
    Camera {
        origin: camera.origin.to_array(),
        tan_half_width: camera.tan_half_width,
        right: camera.right.to_array(),
        width: camera.width,
        up: camera.up.to_array(),
        height: camera.height,
        forward: camera.forward.to_array(),
        aperture_radius: camera.aperture_radius,
        shift: camera.shift,
        focus_distance: camera.focus_distance,
        unused: 0,
    }
}

/// What all paths of a frame share.
pub(crate) fn frame(
    scene: &FrameScene,
    settings: &PathSettings,
    upper: &UpperTree,
    environment: Option<EnvironmentTexels>,
) -> Frame {
    let (scale, (sin, cos)) = scene.fixed.environment.scale_and_turn();
    let (slack, reach) = scene.tlas.slack_and_reach();
    Frame {
        cameras: scene.cameras.each_ref().map(camera),
        environment_scale: scale.to_array(),
        motion_blur: u32::from(scene.motion_blur),
        environment_turn: [sin, cos],
        environment_is_black: u32::from(scene.fixed.environment.is_black()),
        environment_width: environment.map_or(0, |e| e.width),
        environment_height: environment.map_or(0, |e| e.height),
        environment_texels: environment.map_or(0, |e| e.texels),
        environment_rows: environment.map_or(0, |e| e.rows),
        environment_columns: environment.map_or(0, |e| e.columns),
        seed: settings.seed,
        max_bounces: settings.max_bounces,
        clamp_indirect: settings.clamp_indirect,
        world_count: scene.world_count as u32,
        material_count: scene.fixed.materials.len() as u32,
        shared_lights: scene.shared_lights.lights.len() as u32,
        other_lights: scene.other_lights.lights.len() as u32,
        upper_items: upper.first_item,
        instance_count: upper.items,
        upper_slack: slack + EXTRA_SLACK,
        upper_reach: reach,
        zero: 0,
        unused0: 0,
        unused1: 0,
        unused2: 0,
        unused3: 0,
        upper_corner: upper.grid.corner.to_array(),
        upper_exponents: upper.grid.packed_exponents(),
    }
}
