//! Meshes of a file and what moves them: skins, blend shapes, rigid meshes on moving nodes, and takes.

use glam::DAffine3;

use super::geometry::{MeshBuilder, affine};
use super::morphs::{self, MorphChannel, Vertices};
use super::skeleton::Skeleton;
use super::{Content, Dialect, open, read_materials, takes};
use crate::decode::binding::{Binder, Binding, Placement, SkinBuilder, WeightLists};
use crate::decode::body::{MAX_TRIANGLES, add_morphs, finish_motions, no_takes};
use crate::decode::{Source, finish_mesh};
use crate::motion::Motion;
use crate::rig::{Blend, Rig};
use crate::{AssetError, Model};

/// Reads everything in the file as one mesh in the pose that the file shows.
pub(crate) fn load_still(
    source: &mut Source,
    name: &str,
    dialect: Dialect,
) -> Result<Model, AssetError> {
    let scene = open(source, name, dialect, Content::Still)?;
    let body = Body::read(source, name, &scene, dialect)?;
    let mut model = body.model;
    if let Some(rig) = model.rig.as_ref().filter(|rig| !rig.joints.is_empty()) {
        let mut shown = body.skeleton.shown;
        shown.extend(rig.joints[shown.len()..].iter().map(|joint| joint.rest));
        let mut mesh = model.posed(0, &rig.pose(&shown));
        finish_mesh(&mut mesh, &source.path_of(name), &mut source.warnings)?;
        model.meshes = vec![mesh.into()];
    }
    model.rig = None;
    Ok(model)
}

/// Reads everything in the file as one mesh, with what moves it and all takes.
pub(crate) fn load_character(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    let label = source.path_of(name).display().to_string();
    let scene = open(source, name, Dialect::Fbx, Content::Body)?;
    let mut body = Body::read(source, name, &scene, Dialect::Fbx)?;
    for twice in &body.skeleton.twice {
        source.warnings.push(format!(
            "{label}: several joints are named `{twice}`; numbered"
        ));
    }
    if let Some(rig) = &body.model.rig {
        let motions = takes::sample(&scene, &body.skeleton, &body.channels, &label, source);
        body.model.motions = finish_motions(motions, rig);
    }
    Ok(body.model)
}

/// A file's one mesh and what moves it.
struct Body {
    model: Model,
    skeleton: Skeleton,
    channels: Vec<MorphChannel>,
}

impl Body {
    fn read(
        source: &mut Source,
        name: &str,
        scene: &ufbx::Scene,
        dialect: Dialect,
    ) -> Result<Self, AssetError> {
        let path = source.path_of(name);
        let label = path.display().to_string();
        let too_many = |what: &str| AssetError::Unusable {
            path: path.clone(),
            reason: format!("it has too many {what}"),
        };
        let meshes = scene.nodes.iter().filter_map(|node| node.mesh.as_ref());
        let triangles: usize = meshes.map(|mesh| mesh.num_triangles).sum();
        if triangles > MAX_TRIANGLES {
            return Err(too_many("triangles"));
        }
        let mut parts: Vec<Part> = (scene.nodes.iter())
            .filter_map(|node| Some(Part::of(node, node.mesh.as_ref()?)))
            .collect();
        // Points that no bone holds stay with their mesh's own node, as in Blender.
        let unheld: Vec<usize> = (parts.iter())
            .filter(|part| part.skinned && part.weights.has_empty())
            .map(|part| super::skeleton::index(part.node))
            .collect();
        let skeleton = Skeleton::of(scene, &unheld).ok_or_else(|| too_many("joints"))?;
        for part in &mut parts {
            if let Some(words) = part.bind(&skeleton) {
                source.warnings.push(format!("{label}: {words}"));
            }
        }
        let mut binder = Binder::new(skeleton.joints.clone());
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(parts[*index].bindings.len()));
        for index in order {
            let part = &mut parts[index];
            let unbound = affine(&part.node.geometry_to_world);
            let placement = binder.place(&part.bindings, unbound);
            part.placement = Some(placement.ok_or_else(|| too_many("joints"))?);
        }

        let mut builder = MeshBuilder::new(name, scene.materials.len());
        let mut starts = Vec::with_capacity(parts.len());
        for part in &parts {
            starts.push(builder.vertices());
            builder.add(part.node, part.mesh, part.model_from_geometry());
        }
        starts.push(builder.vertices());
        let mut joined = builder.finish();

        let channels = morphs::channels(scene).ok_or_else(|| too_many("blend shapes"))?;
        let mut skin = SkinBuilder::default();
        let mut targets = Vec::new();
        for (part, range) in parts.iter().zip(starts.windows(2)) {
            let points = &joined.points[range[0]..range[1]];
            for point in points {
                skin.vertex(part.joints(), part.weights.of(*point as usize));
            }
            let vertices = Vertices {
                first: range[0],
                points,
                model_from_geometry: part.model_from_geometry(),
            };
            let normals = &joined.mesh.normals;
            targets.extend(morphs::targets(part.mesh, &channels, &vertices, normals));
        }
        let targets = add_morphs(&mut joined.mesh, targets);

        let mut model = Model::default();
        read_materials(source, name, scene, dialect, &joined, &mut model)?;
        let mut mesh = joined.mesh;
        finish_mesh(&mut mesh, &path, &mut source.warnings)?;
        model.meshes = vec![mesh.into()];
        if !(binder.joints.is_empty() && targets.is_empty()) {
            model.rig = Some(Rig {
                skins: vec![skin.finish(&binder, blend(&parts, &label, source))],
                joints: binder.joints,
                morphs: vec![targets],
                morph_names: (channels.iter()).flat_map(MorphChannel::names).collect(),
            });
        }
        Ok(Self {
            model,
            skeleton,
            channels,
        })
    }
}

/// Reads the joints and takes of a file; its meshes do not matter.
pub(crate) fn load_motions(source: &mut Source, name: &str) -> Result<Vec<Motion>, AssetError> {
    let path = source.path_of(name);
    let label = path.display().to_string();
    let unusable = |reason: &str| AssetError::Unusable {
        path: path.clone(),
        reason: reason.into(),
    };
    let scene = open(source, name, Dialect::Fbx, Content::Motion)?;
    let skeleton = Skeleton::of(&scene, &[]).ok_or_else(|| unusable("it has too many joints"))?;
    if skeleton.joints.is_empty() {
        return Err(unusable("it has no skeleton"));
    }
    for twice in &skeleton.twice {
        let words = format!("{label}: several joints are named `{twice}`; numbered");
        source.warnings.push(words);
    }
    let motions = takes::sample(&scene, &skeleton, &[], &label, source);
    Ok(if motions.is_empty() {
        vec![no_takes(
            name,
            skeleton.joints,
            &label,
            &mut source.warnings,
        )]
    } else {
        motions
    })
}

/// The mesh of one node.
struct Part<'a> {
    node: &'a ufbx::Node,
    mesh: &'a ufbx::Mesh,
    skinned: bool,
    /// For each point, indices into the skin's clusters, later into `bindings`.
    weights: WeightLists,
    bindings: Vec<Binding>,
    placement: Option<Placement>,
}

impl<'a> Part<'a> {
    fn of(node: &'a ufbx::Node, mesh: &'a ufbx::Mesh) -> Self {
        let count = mesh.num_vertices;
        let skin = mesh.skin_deformers.iter().next();
        let weights = match skin {
            None => WeightLists::rigid(count),
            Some(skin) => {
                let mut weights = WeightLists::default();
                for point in 0..count {
                    weights.push(cluster_weights(skin, point));
                }
                weights
            }
        };
        Self {
            node,
            mesh,
            skinned: skin.is_some(),
            weights,
            bindings: Vec::new(),
            placement: None,
        }
    }

    /// Fills the bindings; words about what was mended.
    fn bind(&mut self, skeleton: &Skeleton) -> Option<String> {
        let carrier = skeleton
            .carrier(self.node)
            .map(|(joint, joint_from_geometry)| Binding {
                joint,
                joint_from_geometry,
            });
        let Some(skin) = self.mesh.skin_deformers.iter().next() else {
            match carrier {
                Some(binding) => self.bindings.push(binding),
                None => self.weights = WeightLists::default(),
            }
            return None;
        };
        // The bindings are all clusters in the file's order, and the carrier.
        let carried = skin.clusters.len() as u32;
        let filled = match carrier {
            Some(_) => self.weights.fill_empty(carried),
            None => 0,
        };
        let used = self.weights.used();
        let mut binding_of = vec![0u32; carried as usize + 1];
        for index in used {
            let binding = if index == carried {
                carrier
            } else {
                let cluster = &skin.clusters[index as usize];
                let bone = cluster.bone_node.as_deref();
                bone.and_then(|bone| skeleton.joint(bone))
                    .map(|joint| Binding {
                        joint,
                        joint_from_geometry: affine(&cluster.geometry_to_bone),
                    })
            };
            if let Some(binding) = binding {
                binding_of[index as usize] = self.bindings.len() as u32;
                self.bindings.push(binding);
            }
        }
        self.weights.renumber(|index| binding_of[index as usize]);
        let name = &*self.node.element.name;
        (filled > 0).then(|| {
            format!("{filled} points of `{name}` have no weight; they stay with their mesh")
        })
    }

    fn model_from_geometry(&self) -> DAffine3 {
        self.placement
            .as_ref()
            .map_or(DAffine3::IDENTITY, |p| p.model_from_geometry)
    }

    fn joints(&self) -> &[u16] {
        self.placement.as_ref().map_or(&[], |p| &p.joints)
    }
}

/// What a point follows: clusters with a bone, and their weights.
fn cluster_weights(
    skin: &ufbx::SkinDeformer,
    point: usize,
) -> impl Iterator<Item = (u32, f64)> + '_ {
    let range = skin.vertices.get(point).map_or(0..0, |vertex| {
        let start = vertex.weight_begin as usize;
        start..start + vertex.num_weights as usize
    });
    range.filter_map(|at| {
        let weight = skin.weights.get(at)?;
        let cluster = skin.clusters.get(weight.cluster_index as usize)?;
        cluster.bone_node.as_ref()?;
        Some((weight.cluster_index, weight.weight))
    })
}

/// One way of mixing joints for the whole mesh.
fn blend(parts: &[Part], label: &str, source: &mut Source) -> Blend {
    let methods: Vec<ufbx::SkinningMethod> = (parts.iter())
        .filter_map(|part| Some(part.mesh.skin_deformers.iter().next()?.skinning_method))
        .collect();
    let dual = ufbx::SkinningMethod::DualQuaternion;
    if !methods.is_empty() && methods.iter().all(|method| *method == dual) {
        return Blend::DualQuaternion;
    }
    if methods
        .iter()
        .any(|m| *m == dual || *m == ufbx::SkinningMethod::BlendedDqLinear)
    {
        source.warnings.push(format!(
            "{label}: it mixes linear and dual quaternion skinning; all of it is linear"
        ));
    }
    Blend::Linear
}
