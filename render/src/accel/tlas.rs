//! The tree of a frame: meshes placed in the world.

use std::sync::Arc;

use glam::{Affine3A, Mat3A, Vec3, Vec3A};

use super::{
    Hit, Ray,
    build::{Bounds, BuildOptions, Node, Quality, WideTree},
    mesh::{MESH_STACK, MeshBvh},
    simd::{Entries, Kernel, STACK_CAPACITY, Simd8, Stack},
    surface::SurfaceFrame,
    traverse::{BoxRay, LocalRay, MeshWalk, Nearest, SLACK, walk_upper},
};

/// Entries that the traversal of the upper tree can have waiting.
const UPPER_STACK: usize = STACK_CAPACITY - MESH_STACK;
/// Rounding error of taking a ray to object space, as a share of coordinates times the condition of
/// the pose: two transforms and an inverse of a few units of 2⁻²⁴ each.
const POSE_SLACK: f32 = 16.0 / 16777216.0;

/// Where an instance is while the shutter is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pose {
    /// `world_from_object`, at rest.
    Still(Affine3A),
    /// `world_from_object` as the shutter opens and as it closes; each vertex moves straight and
    /// evenly between.
    Moving {
        /// At time 0.
        open: Affine3A,
        /// At time 1.
        close: Affine3A,
    },
}

impl Pose {
    /// `world_from_object` at a time from 0 to 1.
    #[inline]
    pub fn world_from_object(&self, time: f32) -> Affine3A {
        match self {
            Self::Still(pose) => *pose,
            Self::Moving { open, close } => {
                let mix = |a: Vec3A, b: Vec3A| a * (1.0 - time) + b * time;
                let (a, b) = (&open.matrix3, &close.matrix3);
                Affine3A {
                    matrix3: Mat3A::from_cols(
                        mix(a.x_axis, b.x_axis),
                        mix(a.y_axis, b.y_axis),
                        mix(a.z_axis, b.z_axis),
                    ),
                    translation: mix(open.translation, close.translation),
                }
            }
        }
    }
}

/// A mesh in the world. Its index in the list given to [`Tlas::build`] is its number in hits.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The geometry.
    pub mesh: Arc<MeshBvh>,
    /// Where it is. A pose without an inverse (flattened to a plane or a point) is never hit.
    pub pose: Pose,
    /// One bit for each world it exists in.
    pub worlds: u32,
    /// Whether its hits are shown to the filter of a query; else each counts.
    pub needs_filter: bool,
}

/// An instance with what rays need of it.
#[derive(Debug, Clone)]
struct Placed {
    instance: Instance,
    frame: Frame,
    /// At rest its own, in motion that at the shutter's opening.
    surface: SurfaceFrame,
}

/// How rays come to object space.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// It is the world.
    World,
    /// `object_from_world`.
    Still(Affine3A),
    /// To be found for each time.
    Moving,
}

/// The instances of one frame and the tree over them. Quick to build: nothing in the meshes is touched.
#[derive(Debug, Clone)]
pub struct Tlas {
    placed: Vec<Placed>,
    pub(super) nodes: Vec<Node>,
    pub(super) root: u32,
    /// The instance in each leaf of the tree.
    pub(super) instance_of_leaf: Vec<u32>,
    /// How far the box test moves planes outwards, as a share of coordinates: [`SLACK`], and what
    /// taking rays to object space needs.
    pub(super) slack: f32,
    /// The largest magnitude that goes into a coordinate of the boxes.
    pub(super) reach: f32,
}

impl Tlas {
    /// The tree over `instances`.
    pub fn build(instances: Vec<Instance>) -> Self {
        let mut boxes = Vec::with_capacity(instances.len());
        let mut with_box = Vec::with_capacity(instances.len());
        let mut condition = 0.0_f32;
        let mut reach = 0.0_f32;
        let placed: Vec<Placed> = instances
            .into_iter()
            .map(|instance| Placed {
                frame: match instance.pose {
                    Pose::Still(pose) if pose == Affine3A::IDENTITY => Frame::World,
                    Pose::Still(pose) => Frame::Still(pose.inverse()),
                    Pose::Moving { .. } => Frame::Moving,
                },
                surface: SurfaceFrame::new(instance.pose.world_from_object(0.0)),
                instance,
            })
            .collect();
        for (index, item) in placed.iter().enumerate() {
            let Some(extent) = extent(item) else {
                continue;
            };
            boxes.push(extent.bounds);
            with_box.push(index as u32);
            condition = condition.max(extent.condition);
            reach = reach.max(extent.reach);
        }
        let options = BuildOptions {
            quality: Quality::Fast,
            leaf_size: 1,
            ..BuildOptions::default()
        };
        let tree = WideTree::build(&boxes, options, UPPER_STACK);
        let slack = POSE_SLACK * condition + SLACK;
        Self {
            placed,
            nodes: tree.nodes,
            root: tree.root,
            instance_of_leaf: tree
                .items
                .iter()
                .map(|item| with_box[*item as usize])
                .collect(),
            slack,
            reach,
        }
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.placed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// The instance with this index.
    #[inline]
    pub fn instance(&self, index: u32) -> &Instance {
        &self.placed[index as usize].instance
    }

    /// How the surface of an instance stands in the world at a time within the shutter.
    #[inline(always)]
    pub fn surface_frame(&self, index: u32, time: f32) -> SurfaceFrame {
        let placed = &self.placed[index as usize];
        match placed.frame {
            Frame::Moving => SurfaceFrame::new(placed.instance.pose.world_from_object(time)),
            Frame::World | Frame::Still(_) => placed.surface,
        }
    }

    /// The corners of a hit's triangle in the space of its mesh, at the time of the ray.
    #[inline(always)]
    pub fn corners(&self, hit: &Hit, time: f32) -> [Vec3; 3] {
        self.instance(hit.instance).mesh.corners_at(hit.slot, time)
    }

    /// The smallest and largest corner of a box around everything while the shutter is open, a
    /// little large; `None` where there is nothing to hit.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        self.placed
            .iter()
            .filter_map(extent)
            .map(|extent| extent.bounds)
            .reduce(Bounds::union)
            .map(|bounds| (bounds.min, bounds.max))
    }

    /// The nearest hit with `t_min < t < t_max` among the instances of the ray's worlds that
    /// `filter` accepts; equal distances go to the lower (instance, primitive).
    ///
    /// The filter sees hits of instances with `needs_filter` only, in no particular order and not
    /// all of them: its answer must depend on the hit alone.
    #[inline(always)]
    pub fn intersect<S: Simd8>(
        &self,
        simd: S,
        ray: &Ray,
        filter: impl FnMut(&Hit) -> bool,
    ) -> Option<Hit> {
        simd.call_apart(Intersect {
            tlas: self,
            ray,
            filter,
        })
    }

    /// As [`Tlas::intersect`], with one instance alone in the world, whatever worlds it is in.
    #[inline(always)]
    pub fn intersect_instance<S: Simd8>(
        &self,
        simd: S,
        index: u32,
        ray: &Ray,
        filter: impl FnMut(&Hit) -> bool,
    ) -> Option<Hit> {
        simd.call(IntersectInstance {
            tlas: self,
            index,
            ray,
            filter,
        })
    }

    /// The worlds of the ray in which something that `filter` accepts lies between `t_min` and
    /// `t_max`. The filter is as in [`Tlas::intersect`].
    #[inline(always)]
    pub fn blocked_worlds<S: Simd8>(
        &self,
        simd: S,
        ray: &Ray,
        filter: impl FnMut(&Hit) -> bool,
    ) -> u32 {
        simd.call_apart(BlockedWorlds {
            tlas: self,
            ray,
            filter,
        })
    }

    /// The upper tree's box test of a ray.
    #[inline(always)]
    fn boxes<S: Simd8>(&self, simd: S, ray: &LocalRay) -> BoxRay<S> {
        let margin = (ray.origin.abs().max_element() + self.reach) * self.slack;
        BoxRay::new(simd, ray, margin)
    }
}

impl Placed {
    #[inline(always)]
    fn is_in_world(&self) -> bool {
        matches!(self.frame, Frame::World)
    }

    /// A ray in object space, its distances those of the world; `None` where the pose has no inverse.
    #[inline(always)]
    fn local(&self, in_world: &LocalRay, time: f32) -> Option<LocalRay> {
        let object_from_world = match &self.frame {
            Frame::World => return Some(*in_world),
            Frame::Still(object_from_world) => *object_from_world,
            Frame::Moving => self.object_from_world(time)?,
        };
        Some(LocalRay::new(
            object_from_world.transform_point3a(in_world.origin),
            object_from_world.transform_vector3a(in_world.direction),
            in_world.t_min,
        ))
    }

    #[inline(never)]
    fn object_from_world(&self, time: f32) -> Option<Affine3A> {
        let inverse = self.instance.pose.world_from_object(time).inverse();
        inverse.is_finite().then_some(inverse)
    }

    /// The walk of the mesh where it stands in the world as it is; `boxes` is the upper tree's box
    /// test, which does for it too.
    #[inline(always)]
    fn walk_in_world<S: Simd8>(
        &self,
        simd: S,
        index: u32,
        in_world: &LocalRay,
        boxes: BoxRay<S>,
        time: f32,
    ) -> MeshWalk<'_, S> {
        let Instance {
            mesh, needs_filter, ..
        } = &self.instance;
        MeshWalk::new(simd, mesh, in_world, boxes, index, *needs_filter, time)
    }

    /// The walk of the mesh in its own space.
    #[inline(always)]
    fn walk<S: Simd8>(&self, simd: S, index: u32, local: &LocalRay, time: f32) -> MeshWalk<'_, S> {
        let Instance {
            mesh, needs_filter, ..
        } = &self.instance;
        let margin = (local.origin.abs().max_element() + mesh.reach()) * SLACK;
        let boxes = BoxRay::new(simd, local, margin);
        MeshWalk::new(simd, mesh, local, boxes, index, *needs_filter, time)
    }
}

/// What the upper tree needs of an instance.
struct Extent {
    /// Around it while the shutter is open.
    bounds: Bounds,
    /// Largest [`condition`] of its pose; 0 for the world's own, which costs no rounding.
    condition: f32,
    /// Largest magnitude that goes into one of its coordinates in the world.
    reach: f32,
}

/// The extent of an instance; `None` for what no ray can hit.
fn extent(placed: &Placed) -> Option<Extent> {
    let mesh = &placed.instance.mesh;
    if mesh.outline().points.is_empty() {
        return None;
    }
    let posed = |pose: &Affine3A| {
        let outline = mesh.outline();
        let points = outline.points.iter().map(|p| pose.transform_point3(*p));
        let scale = pose.matrix3.abs() * Vec3A::ONE;
        let margin = scale.max_element() * outline.margin;
        let size = scale * mesh.reach() + pose.translation.abs();
        (Bounds::around(points).grown(margin), size.max_element())
    };
    let extent = match &placed.instance.pose {
        Pose::Still(pose) => {
            let (bounds, reach) = posed(pose);
            Extent {
                bounds,
                condition: match placed.frame {
                    Frame::World => 0.0,
                    _ => condition(pose),
                },
                reach,
            }
        }
        Pose::Moving { open, close } => {
            let ((at_open, open), (at_close, close)) = (posed(open), posed(close));
            Extent {
                bounds: at_open.union(at_close),
                condition: (0..=8)
                    .map(|eighth| placed.instance.pose.world_from_object(eighth as f32 / 8.0))
                    .map(|pose| condition(&pose))
                    .filter(|condition| condition.is_finite())
                    .fold(0.0, f32::max),
                reach: open.max(close),
            }
        }
    };
    let finite = extent.bounds.min.is_finite()
        && extent.bounds.max.is_finite()
        && extent.condition.is_finite()
        && extent.reach.is_finite();
    finite.then_some(extent)
}

/// The largest row sum of |pose|·|inverse|: what rounding in object space grows to in the world.
/// Not finite without an inverse.
fn condition(pose: &Affine3A) -> f32 {
    let inverse = pose.matrix3.inverse();
    if !inverse.is_finite() {
        return f32::INFINITY;
    }
    let product = pose.matrix3.abs() * (inverse.abs() * Vec3A::ONE);
    product.max_element()
}

struct Intersect<'a, F> {
    tlas: &'a Tlas,
    ray: &'a Ray,
    filter: F,
}

impl<F: FnMut(&Hit) -> bool> Kernel for Intersect<'_, F> {
    type Output = Option<Hit>;

    #[inline(always)]
    fn run<S: Simd8>(mut self, simd: S) -> Option<Hit> {
        let (tlas, ray) = (self.tlas, self.ray);
        let mut nearest = Nearest::before(ray.t_max);
        let mut entries = Entries::new();
        let mut stack = Stack::new(&mut entries);
        if tlas.instance_of_leaf.is_empty() {
            return None;
        }
        let in_world = LocalRay::new(ray.origin.into(), ray.direction.into(), ray.t_min);
        let boxes = tlas.boxes(simd, &in_world);
        walk_upper(
            simd,
            &tlas.nodes,
            tlas.root,
            &boxes,
            &mut stack,
            nearest.limit(),
            #[inline(always)]
            |leaf, stack| {
                let index = tlas.instance_of_leaf[leaf as usize];
                let placed = &tlas.placed[index as usize];
                if placed.instance.worlds & ray.worlds == 0 {
                    return Some(nearest.limit());
                }
                // Two copies of the walk: the first has its numbers ready in registers.
                if placed.is_in_world() {
                    let walk = placed.walk_in_world(simd, index, &in_world, boxes, ray.time);
                    walk.nearest(simd, stack, &mut nearest, &mut self.filter);
                } else if let Some(local) = placed.local(&in_world, ray.time) {
                    let walk = placed.walk(simd, index, &local, ray.time);
                    walk.nearest(simd, stack, &mut nearest, &mut self.filter);
                }
                Some(nearest.limit())
            },
        );
        nearest.into_hit()
    }
}

struct IntersectInstance<'a, F> {
    tlas: &'a Tlas,
    index: u32,
    ray: &'a Ray,
    filter: F,
}

impl<F: FnMut(&Hit) -> bool> Kernel for IntersectInstance<'_, F> {
    type Output = Option<Hit>;

    #[inline(always)]
    fn run<S: Simd8>(mut self, simd: S) -> Option<Hit> {
        let mut nearest = Nearest::before(self.ray.t_max);
        // Instances that cannot be hit have no leaf.
        let placed = &self.tlas.placed[self.index as usize];
        let ray = self.ray;
        let in_world = LocalRay::new(ray.origin.into(), ray.direction.into(), ray.t_min);
        if self.tlas.instance_of_leaf.contains(&self.index)
            && let Some(local) = placed.local(&in_world, ray.time)
        {
            let walk = placed.walk(simd, self.index, &local, ray.time);
            let mut entries = Entries::new();
            let stack = &mut Stack::new(&mut entries);
            walk.nearest(simd, stack, &mut nearest, &mut self.filter);
        }
        nearest.into_hit()
    }
}

struct BlockedWorlds<'a, F> {
    tlas: &'a Tlas,
    ray: &'a Ray,
    filter: F,
}

impl<F: FnMut(&Hit) -> bool> Kernel for BlockedWorlds<'_, F> {
    type Output = u32;

    #[inline(always)]
    fn run<S: Simd8>(mut self, simd: S) -> u32 {
        let (tlas, ray) = (self.tlas, self.ray);
        let mut blocked = 0;
        let mut entries = Entries::new();
        let mut stack = Stack::new(&mut entries);
        if tlas.instance_of_leaf.is_empty() {
            return 0;
        }
        let in_world = LocalRay::new(ray.origin.into(), ray.direction.into(), ray.t_min);
        let boxes = tlas.boxes(simd, &in_world);
        walk_upper(
            simd,
            &tlas.nodes,
            tlas.root,
            &boxes,
            &mut stack,
            ray.t_max,
            #[inline(always)]
            |leaf, stack| {
                let index = tlas.instance_of_leaf[leaf as usize];
                let placed = &tlas.placed[index as usize];
                let worlds = placed.instance.worlds & ray.worlds;
                if worlds & !blocked == 0 {
                    return Some(ray.t_max);
                }
                let hit = if placed.is_in_world() {
                    let walk = placed.walk_in_world(simd, index, &in_world, boxes, ray.time);
                    walk.any(simd, stack, ray.t_max, &mut self.filter)
                } else if let Some(local) = placed.local(&in_world, ray.time) {
                    let walk = placed.walk(simd, index, &local, ray.time);
                    walk.any(simd, stack, ray.t_max, &mut self.filter)
                } else {
                    false
                };
                if hit {
                    blocked |= worlds;
                }
                (blocked != ray.worlds).then_some(ray.t_max)
            },
        );
        blocked
    }
}
