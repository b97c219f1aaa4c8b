//! glTF files whose meshes move: skins, morph targets, rigid meshes on moving nodes, animations.

use glam::{DAffine3, DMat4, Vec3};

use super::geometry::{self, Geometry};
use super::schema::{Animation, Mesh as MeshSchema};
use super::skeleton::Skeleton;
use super::takes::{self, NodeMorphs};
use super::{
    attribution, container, joints_of_skin, read_materials, world_from_nodes, z_up_from_y_up,
};
use crate::decode::assemble::{Origin, cofactor, joined_with_origins, transformed};
use crate::decode::binding::{Binder, Binding, Placement, SkinBuilder, WeightLists, make_unique};
use crate::decode::body::{MAX_TRIANGLES, add_morphs, finish_motions, no_takes};
use crate::decode::{Source, finish_mesh};
use crate::motion::Motion;
use crate::rig::{Blend, MorphTarget, Rig};
use crate::scene::LoadOptions;
use crate::{AssetError, Model};

/// A file while its moving parts are read.
struct Opened {
    document: container::Document,
    world_from_node: Vec<Option<DMat4>>,
    animations: Vec<Animation>,
    skeleton: Skeleton,
}

fn open(source: &mut Source, name: &str) -> Result<Opened, AssetError> {
    let path = source.path_of(name);
    let document = container::open(source, name)?;
    let world_from_node = world_from_nodes(&document, &path)?;
    let mut words = Vec::new();
    let animations = takes::animations(&document, &mut words);
    let moving = takes::moving_nodes(&animations);
    let skeleton = Skeleton::of(&document, &world_from_node, &moving);
    let mut skeleton = skeleton.ok_or_else(|| AssetError::Unusable {
        path: path.clone(),
        reason: "it has too many joints".into(),
    })?;
    words.append(&mut skeleton.warnings);
    for words in words {
        let words = format!("{}: {words}", path.display());
        source.warnings.push(words);
    }
    source.attribution = attribution(&document.root.asset);
    Ok(Opened {
        document,
        world_from_node,
        animations,
        skeleton,
    })
}

/// Reads everything in the default scene as one mesh, with what moves it and all animations.
pub(crate) fn load_character(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    let path = source.path_of(name);
    let label = path.display().to_string();
    let opened = open(source, name)?;
    let mut model = Model::default();
    read_materials(
        source,
        name,
        &opened.document,
        &mut model,
        LoadOptions::default(),
    )?;
    let bad = |reason: String| AssetError::Decode {
        path: path.clone(),
        reason,
    };
    let unusable = |reason: String| AssetError::Unusable {
        path: path.clone(),
        reason,
    };
    let mut warnings = Vec::new();
    let mut parts = parts(&opened, &mut warnings).map_err(bad)?;
    for words in warnings {
        source.warnings.push(format!("{label}: {words}"));
    }
    if parts.is_empty() {
        return Err(unusable("it has no triangles".into()));
    }

    let mut binder = Binder::new(opened.skeleton.joints.clone());
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(parts[*index].bindings.len()));
    for index in order {
        let part = &mut parts[index];
        let placement = binder.place(&part.bindings, part.unbound);
        part.placement = placement.ok_or_else(|| unusable("it has too many joints".into()))?;
    }
    let meshes = parts
        .iter()
        .map(|part| transformed(&part.geometry.mesh, part.placement.model_from_geometry))
        .collect();
    let (mut mesh, origins) = joined_with_origins(name.to_owned(), meshes);
    let mut skin = SkinBuilder::default();
    for origin in &origins {
        let part = &parts[origin.part as usize];
        skin.vertex(
            &part.placement.joints,
            part.weights.of(origin.vertex as usize),
        );
    }

    let (morphs, morph_names) = morph_nodes(&opened, &parts);
    if morph_names.len() > usize::from(u16::MAX) {
        return Err(unusable("it has too many morph targets".into()));
    }
    let mut targets = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if let Some(node) = morphs.iter().find(|morphs| morphs.node == part.node) {
            let vertices = vertices_of(&origins, number);
            let with_normals = !mesh.normals.is_empty();
            let read = morph_targets(&opened, part, node, &vertices, with_normals);
            targets.extend(read.map_err(bad)?);
        }
    }
    // Weights at rest are in the mesh already.
    let targets = targets.into_iter().map(|target| (target, 0.0)).collect();
    let targets = add_morphs(&mut mesh, targets);
    finish_mesh(&mut mesh, &path, &mut source.warnings)?;
    model.meshes = vec![mesh.into()];

    let motions = takes::sample(
        &opened.document,
        &opened.animations,
        &opened.skeleton,
        &morphs,
        &morph_names,
        &label,
        source,
    );
    if binder.joints.is_empty() && targets.is_empty() {
        return Ok(model);
    }
    let rig = Rig {
        skins: vec![skin.finish(&binder, Blend::Linear)],
        joints: binder.joints,
        morphs: vec![targets],
        morph_names,
    };
    model.motions = finish_motions(motions, &rig);
    model.rig = Some(rig);
    Ok(model)
}

/// Reads the joints and animations of a file; its meshes do not matter.
pub(crate) fn load_motions(source: &mut Source, name: &str) -> Result<Vec<Motion>, AssetError> {
    let path = source.path_of(name);
    let label = path.display().to_string();
    let opened = open(source, name)?;
    if opened.skeleton.joints.is_empty() {
        return Err(AssetError::Unusable {
            path,
            reason: "it has no skeleton".into(),
        });
    }
    let motions = takes::sample(
        &opened.document,
        &opened.animations,
        &opened.skeleton,
        &[],
        &[],
        &label,
        source,
    );
    Ok(if motions.is_empty() {
        let joints = opened.skeleton.joints;
        vec![no_takes(name, joints, &label, &mut source.warnings)]
    } else {
        motions
    })
}

/// The mesh of one node.
struct Part {
    node: usize,
    geometry: Geometry,
    /// For each vertex of the geometry, indices into `bindings`.
    weights: WeightLists,
    bindings: Vec<Binding>,
    /// Where it lies when nothing moves it.
    unbound: DAffine3,
    placement: Placement,
}

fn parts(opened: &Opened, warnings: &mut Vec<String>) -> Result<Vec<Part>, String> {
    let document = &opened.document;
    if stated_triangles(opened) > MAX_TRIANGLES {
        return Err(format!("it has more than {MAX_TRIANGLES} triangles"));
    }
    let mut parts = Vec::new();
    for (number, world) in opened.world_from_node.iter().enumerate() {
        let node = &document.root.nodes[number];
        let (Some(world), Some(index)) = (world, node.mesh) else {
            continue;
        };
        let mesh = document.root.meshes.get(index);
        let weights = mesh.map_or(Vec::new(), |mesh| {
            rest_weights(mesh, node.weights.as_deref())
        });
        let slots = document.root.materials.len();
        let geometry = geometry::mesh(document, index, &weights, None, slots, warnings)?;
        let (Some(geometry), Some(mesh)) = (geometry, mesh) else {
            continue;
        };
        let unbound = z_up_from_y_up(*world);
        let (bindings, weights) = match node.skin {
            Some(skin) => skinned(opened, skin, mesh, &geometry, warnings)?,
            None => match opened.skeleton.carrier(document, number) {
                Some((joint, joint_from_geometry)) => {
                    let binding = Binding {
                        joint,
                        joint_from_geometry,
                    };
                    (vec![binding], WeightLists::rigid(geometry.origins.len()))
                }
                None => (Vec::new(), WeightLists::default()),
            },
        };
        parts.push(Part {
            node: number,
            geometry,
            weights,
            bindings,
            unbound,
            placement: Placement {
                model_from_geometry: unbound,
                joints: Vec::new(),
            },
        });
    }
    Ok(parts)
}

/// About how many triangles all uses of meshes have, before any is read.
fn stated_triangles(opened: &Opened) -> usize {
    let root = &opened.document.root;
    let of_mesh: Vec<usize> = (root.meshes.iter())
        .map(|mesh| {
            let counts = mesh.primitives.iter().map(|primitive| {
                let accessor = primitive.indices.or(primitive.attributes.position);
                let accessor = accessor.and_then(|index| root.accessors.get(index));
                let corners = accessor.map_or(0, |accessor| accessor.count);
                // Strips and fans have a triangle per corner.
                corners
                    / if primitive.mode.unwrap_or(4) == 4 {
                        3
                    } else {
                        1
                    }
            });
            counts.fold(0, usize::saturating_add)
        })
        .collect();
    let shown = (root.nodes.iter().zip(&opened.world_from_node)).filter(|(_, w)| w.is_some());
    shown
        .filter_map(|(node, _)| of_mesh.get(node.mesh?).copied())
        .fold(0, usize::saturating_add)
}

fn skinned(
    opened: &Opened,
    skin: usize,
    mesh: &MeshSchema,
    geometry: &Geometry,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Binding>, WeightLists), String> {
    let joints = joints_of_skin(&opened.document, skin)?;
    let bindings = joints
        .iter()
        .map(|(node, joint_from_bind)| {
            let joint = opened.skeleton.joint(*node);
            Ok(Binding {
                joint: joint
                    .ok_or_else(|| format!("joint {node} of skin {skin} is not in the scene"))?,
                joint_from_geometry: z_up_from_y_up(*joint_from_bind),
            })
        })
        .collect::<Result<Vec<Binding>, String>>()?;
    // Weights of each primitive that became part of the geometry.
    let mut of_primitive: Vec<Option<WeightLists>> = Vec::new();
    of_primitive.resize_with(mesh.primitives.len(), || None);
    let name = &geometry.mesh.name;
    let mut weights = WeightLists::default();
    for origin in &geometry.origins {
        let number = origin.part as usize;
        if of_primitive[number].is_none() {
            let what = format!("primitive {number} of mesh `{name}`");
            let attributes = &mesh.primitives[number].attributes;
            let position = attributes.position.unwrap_or_default();
            let count = super::accessor::checked_count(&opened.document, position, &what)?;
            let (lists, without) =
                geometry::influences(&opened.document, attributes, count, joints.len(), &what)?;
            if without > 0 {
                warnings.push(format!(
                    "{without} vertices of {what} have no weight; they follow the joint named first"
                ));
            }
            of_primitive[number] = Some(lists);
        }
        let lists = of_primitive[number].as_ref();
        let list = lists.map_or(&[][..], |lists| lists.of(origin.vertex as usize));
        weights.push(
            list.iter()
                .map(|(index, weight)| (*index, f64::from(*weight))),
        );
    }
    // Only joints that hold something have a say where the geometry lies.
    let used: Vec<u32> = weights.used().into_iter().collect();
    weights.renumber(|index| used.binary_search(&index).unwrap_or_default() as u32);
    let bindings = used.iter().map(|index| bindings[*index as usize]).collect();
    Ok((bindings, weights))
}

/// One weight per morph target.
fn rest_weights(mesh: &MeshSchema, of_node: Option<&[f32]>) -> Vec<f32> {
    let count = mesh.primitives.iter().map(|p| p.targets.len()).max();
    let mut weights = of_node.unwrap_or(&mesh.weights).to_vec();
    weights.resize(count.unwrap_or(0), 0.0);
    weights
}

/// Nodes with morph targets, and the names of all weights.
fn morph_nodes(opened: &Opened, parts: &[Part]) -> (Vec<NodeMorphs>, Vec<String>) {
    let (mut nodes, mut names) = (Vec::new(), Vec::new());
    for part in parts {
        let node = &opened.document.root.nodes[part.node];
        let mesh = node
            .mesh
            .and_then(|mesh| opened.document.root.meshes.get(mesh));
        let Some(mesh) = mesh else { continue };
        let rest = rest_weights(mesh, node.weights.as_deref());
        if rest.is_empty() {
            continue;
        }
        let stated = mesh.extras.get("targetNames");
        for number in 0..rest.len() {
            let name = stated.and_then(|names| names.get(number)?.as_str());
            names.push(name.map_or_else(|| format!("target_{number}"), str::to_owned));
        }
        nodes.push(NodeMorphs {
            node: part.node,
            first: names.len() - rest.len(),
            rest,
        });
    }
    make_unique(&mut names, "target");
    (nodes, names)
}

/// (vertex of the whole, vertex of the part) for all vertices of part `number`.
fn vertices_of(origins: &[Origin], number: usize) -> Vec<(u32, u32)> {
    origins
        .iter()
        .enumerate()
        .filter(|(_, origin)| origin.part as usize == number)
        .map(|(vertex, origin)| (vertex as u32, origin.vertex))
        .collect()
}

fn morph_targets(
    opened: &Opened,
    part: &Part,
    node: &NodeMorphs,
    vertices: &[(u32, u32)],
    with_normals: bool,
) -> Result<Vec<MorphTarget>, String> {
    let document = &opened.document;
    let mesh = document.root.nodes[part.node]
        .mesh
        .and_then(|mesh| document.root.meshes.get(mesh));
    let Some(mesh) = mesh else {
        return Ok(Vec::new());
    };
    let linear = part.placement.model_from_geometry.matrix3;
    let matrix = cofactor(linear);
    let scale = libm::cbrt(matrix.determinant().abs());
    let normal_matrix = matrix * (linear.determinant().signum() / scale.max(f64::MIN_POSITIVE));
    let mut targets = Vec::new();
    for number in 0..node.rest.len() {
        let deltas = mesh
            .primitives
            .iter()
            .map(|primitive| match primitive.targets.get(number) {
                Some(target) => geometry::morph_deltas(document, target, "a morph target"),
                None => Ok((Vec::new(), Vec::new())),
            })
            .collect::<Result<Vec<_>, String>>()?;
        let turns = with_normals && deltas.iter().any(|(_, normals)| !normals.is_empty());
        let mut target = MorphTarget {
            weight: (node.first + number) as u16,
            ..MorphTarget::default()
        };
        for (vertex, of_part) in vertices {
            let origin = part.geometry.origins[*of_part as usize];
            let (positions, normals) = &deltas[origin.part as usize];
            let delta = |list: &[Vec3]| {
                let delta = list
                    .get(origin.vertex as usize)
                    .copied()
                    .unwrap_or_default();
                if delta.is_finite() { delta } else { Vec3::ZERO }
            };
            let (moved, turned) = (delta(positions), delta(normals));
            if moved == Vec3::ZERO && turned == Vec3::ZERO {
                continue;
            }
            target.vertices.push(*vertex);
            target
                .position_deltas
                .push((linear * moved.as_dvec3()).as_vec3());
            if turns {
                let turned = normal_matrix * turned.as_dvec3();
                target.normal_deltas.push(turned.as_vec3());
            }
        }
        targets.push(target);
    }
    Ok(targets)
}
