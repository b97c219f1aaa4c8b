//! glTF 2.0, text and binary. Scenes and objects are read at rest: default morph weights, skins in
//! the pose of their nodes, no animation; characters with what moves them ([`body`]). Y up becomes
//! Z up: (x, y, z) → (x, −z, y).

mod accessor;
mod body;
mod container;
mod geometry;
mod material;
mod schema;
mod skeleton;
mod takes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DMat3, DMat4, DQuat, DVec3};

pub(crate) use self::body::{load_character, load_motions};
use self::container::Document;
use self::material::{MaterialReader, default_material};
use super::assemble::{joined, transformed};
use super::body::MAX_TRIANGLES;
use super::textures::Textures;
use super::{Source, finish_mesh};
use crate::scene::{
    LoadOptions, SceneCamera, SceneFile, SceneInstance, SceneLight, SceneLightKind, ScenePose,
};
use crate::{AssetError, Mesh, Model};

/// Lumens per watt of Blender's importer: candela and lux become W and W/m² through it.
const LUMENS_PER_WATT: f32 = 683.0;
/// Angular diameter of a sun that Blender's importer makes, radians (0.526°).
const BLENDER_SUN_DIAMETER_RAD: f32 = 0.009_180_432;
/// Columns closer to a right angle than this (cosine) count as unsheared.
const SHEAR_TOLERANCE: f64 = 1e-5;

/// Reads a file as a scene.
pub(crate) fn load_scene(
    source: &mut Source,
    name: &str,
    options: LoadOptions,
) -> Result<SceneFile, AssetError> {
    let path = source.path_of(name);
    let document = container::open(source, name)?;
    let mut model = Model::default();
    read_materials(source, name, &document, &mut model, options)?;
    let world_from_node = world_from_nodes(&document, &path)?;
    let mut reader = SceneReader {
        source,
        document: &document,
        path: &path,
        world_from_node: &world_from_node,
        model,
        mesh_of: BTreeMap::new(),
        scene: SceneFile::default(),
    };
    for (node, matrix) in world_from_node.iter().enumerate() {
        if let Some(matrix) = matrix {
            reader.node(node, *matrix)?;
        }
    }
    let SceneReader {
        mut scene, model, ..
    } = reader;
    scene.model = model;
    if !document.root.animations.is_empty() {
        source.warnings.push(format!(
            "{}: its animations are not played; it is shown at rest",
            path.display()
        ));
    }
    source.attribution = attribution(&document.root.asset);
    Ok(scene)
}

/// Reads a file as an object: everything in it as one mesh.
pub(crate) fn load_object(source: &mut Source, name: &str) -> Result<Model, AssetError> {
    let scene = load_scene(source, name, LoadOptions::default())?;
    let SceneFile {
        mut model,
        instances,
        ..
    } = scene;
    let counts = instances
        .iter()
        .map(|instance| model.meshes[instance.mesh as usize].triangles.len());
    if counts.sum::<usize>() > MAX_TRIANGLES {
        return Err(AssetError::Unusable {
            path: source.path_of(name),
            reason: format!("it has more than {MAX_TRIANGLES} triangles"),
        });
    }
    let parts: Vec<Mesh> = instances
        .iter()
        .map(|instance| {
            transformed(
                &model.meshes[instance.mesh as usize],
                instance.world_from_object(),
            )
        })
        .collect();
    let path = source.path_of(name);
    if parts.is_empty() {
        return Err(AssetError::Unusable {
            path,
            reason: "it has no triangles".into(),
        });
    }
    let mut whole = joined(name.to_owned(), parts);
    finish_mesh(&mut whole, &path, &mut source.warnings)?;
    model.meshes = vec![whole.into()];
    Ok(model)
}

fn read_materials(
    source: &mut Source,
    name: &str,
    document: &Document,
    model: &mut Model,
    options: LoadOptions,
) -> Result<(), AssetError> {
    let path = source.path_of(name);
    let count = document.root.materials.len();
    if count >= usize::from(u16::MAX) {
        return Err(AssetError::Unusable {
            path,
            reason: format!("{count} materials are too many"),
        });
    }
    let mut textures = Textures::default();
    let mut reader = MaterialReader {
        document,
        source,
        textures: &mut textures,
        path: &path,
        folder: name.rsplit_once('/').map_or("", |(folder, _)| folder),
        options,
    };
    for (index, material) in document.root.materials.iter().enumerate() {
        model.materials.push(reader.read(index, material)?);
    }
    // The last slot is for faces without material.
    model.materials.push(default_material());
    model.images = textures.images;
    Ok(())
}

/// World matrices in glTF's own space of the nodes of the default scene; `None` for others.
fn world_from_nodes(document: &Document, path: &Path) -> Result<Vec<Option<DMat4>>, AssetError> {
    let root = &document.root;
    let bad = |reason: String| AssetError::Decode {
        path: path.to_owned(),
        reason,
    };
    let mut world = vec![None; root.nodes.len()];
    let roots: Vec<usize> = match root.scenes.get(root.scene.unwrap_or(0)) {
        Some(scene) => scene.nodes.clone(),
        None if root.scenes.is_empty() => {
            let mut is_child = vec![false; root.nodes.len()];
            for child in root.nodes.iter().flat_map(|node| &node.children) {
                if let Some(flag) = is_child.get_mut(*child) {
                    *flag = true;
                }
            }
            (0..root.nodes.len())
                .filter(|node| !is_child[*node])
                .collect()
        }
        None => return Err(bad("its default scene does not exist".into())),
    };
    let mut open: Vec<(usize, DMat4)> = roots
        .into_iter()
        .map(|node| (node, DMat4::IDENTITY))
        .collect();
    while let Some((index, parent)) = open.pop() {
        let node = root
            .nodes
            .get(index)
            .ok_or_else(|| bad(format!("node {index} does not exist")))?;
        if world[index].is_some() {
            return Err(bad(format!("node {index} has two parents or is its own")));
        }
        let local = local_matrix(node);
        let matrix = parent * local;
        if !matrix.is_finite() {
            return Err(bad(format!("the transform of node {index} is not finite")));
        }
        world[index] = Some(matrix);
        open.extend(node.children.iter().map(|child| (*child, matrix)));
    }
    Ok(world)
}

/// A node's transform against its parent, in glTF's own space.
fn local_matrix(node: &schema::Node) -> DMat4 {
    if let Some(columns) = node.matrix {
        return DMat4::from_cols_array(&columns);
    }
    let rotation = DQuat::from_array(node.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]));
    let length = rotation.length();
    let rotation = if length > 1e-9 && length.is_finite() {
        rotation / length
    } else {
        DQuat::IDENTITY
    };
    DMat4::from_scale_rotation_translation(
        DVec3::from_array(node.scale.unwrap_or([1.0; 3])),
        rotation,
        DVec3::from_array(node.translation.unwrap_or([0.0; 3])),
    )
}

/// (mesh, skin, bits of the morph weights): what makes two uses of a mesh the same geometry.
type MeshKey = (usize, Option<usize>, Vec<u32>);

struct SceneReader<'a> {
    source: &'a mut Source,
    document: &'a Document,
    path: &'a Path,
    world_from_node: &'a [Option<DMat4>],
    model: Model,
    mesh_of: BTreeMap<MeshKey, Option<u32>>,
    scene: SceneFile,
}

impl SceneReader<'_> {
    fn bad(&self, reason: String) -> AssetError {
        AssetError::Decode {
            path: self.path.to_owned(),
            reason,
        }
    }

    fn node(&mut self, index: usize, matrix: DMat4) -> Result<(), AssetError> {
        let document = self.document;
        let node = &document.root.nodes[index];
        if let Some(mesh) = node.mesh {
            self.instance(index, mesh, matrix)?;
        }
        if let Some(camera) = node.camera {
            self.camera(index, camera, matrix)?;
        }
        if let Some(light) = &node.extensions.light {
            self.light(index, light.light, matrix)?;
        }
        Ok(())
    }

    fn instance(&mut self, index: usize, mesh: usize, matrix: DMat4) -> Result<(), AssetError> {
        let root = &self.document.root;
        let node = &root.nodes[index];
        let weights = match (&node.weights, root.meshes.get(mesh)) {
            (Some(weights), _) => weights.clone(),
            (None, Some(mesh)) => mesh.weights.clone(),
            (None, None) => Vec::new(),
        };
        let key = (
            mesh,
            node.skin,
            weights.iter().map(|weight| weight.to_bits()).collect(),
        );
        let number = if let Some(known) = self.mesh_of.get(&key) {
            *known
        } else {
            let number = self.mesh(mesh, node.skin, &weights)?;
            self.mesh_of.insert(key, number);
            number
        };
        let Some(number) = number else { return Ok(()) };
        let name = node
            .name
            .clone()
            .unwrap_or_else(|| self.model.meshes[number as usize].name.clone());
        // A skinned mesh is in world space already; its node's own transform does not count.
        let world_from_mesh = if node.skin.is_some() {
            DAffine3::IDENTITY
        } else {
            z_up_from_y_up(matrix)
        };
        let placed = self.place(number, world_from_mesh);
        match placed {
            Some((mesh, pose, scale)) => self.scene.instances.push(SceneInstance {
                name,
                mesh,
                pose,
                scale,
            }),
            None => self.source.warnings.push(format!(
                "{}: `{name}` is scaled to nothing and left out",
                self.path.display()
            )),
        }
        Ok(())
    }

    fn mesh(
        &mut self,
        index: usize,
        skin: Option<usize>,
        weights: &[f32],
    ) -> Result<Option<u32>, AssetError> {
        let world_from_bind = skin
            .map(|skin| self.world_from_bind(skin))
            .transpose()
            .map_err(|reason| self.bad(reason))?;
        let mut skipped = Vec::new();
        let mesh = geometry::mesh(
            self.document,
            index,
            weights,
            world_from_bind.as_deref(),
            self.document.root.materials.len(),
            &mut skipped,
        )
        .map_err(|reason| self.bad(reason))?;
        for words in skipped {
            self.source
                .warnings
                .push(format!("{}: {words}", self.path.display()));
        }
        let Some(geometry::Geometry { mut mesh, .. }) = mesh else {
            return Ok(None);
        };
        let label: PathBuf = self.path.join(&mesh.name);
        finish_mesh(&mut mesh, &label, &mut self.source.warnings)?;
        self.model.meshes.push(mesh.into());
        Ok(Some(self.model.meshes.len() as u32 - 1))
    }

    fn world_from_bind(&self, skin: usize) -> Result<Vec<DMat4>, String> {
        joints_of_skin(self.document, skin)?
            .into_iter()
            .map(|(joint, joint_from_bind)| {
                let world = self.world_from_node.get(joint).copied().flatten();
                let world = world
                    .ok_or_else(|| format!("joint {joint} of skin {skin} is not in the scene"))?;
                Ok(world * joint_from_bind)
            })
            .collect()
    }

    /// Splits a transform into pose and positive scale. Where that cannot be done (shear, mirror) a
    /// copy of the mesh takes the linear part. `None`: nothing is left of it.
    fn place(
        &mut self,
        mesh: u32,
        world_from_mesh: DAffine3,
    ) -> Option<(u32, ScenePose, glam::Vec3)> {
        let linear = world_from_mesh.matrix3;
        let lengths = DVec3::new(
            linear.x_axis.length(),
            linear.y_axis.length(),
            linear.z_axis.length(),
        );
        if lengths.min_element() < 1e-12 {
            return None;
        }
        let turned = DMat3::from_cols(
            linear.x_axis / lengths.x,
            linear.y_axis / lengths.y,
            linear.z_axis / lengths.z,
        );
        let sheared = turned.x_axis.dot(turned.y_axis).abs() > SHEAR_TOLERANCE
            || turned.y_axis.dot(turned.z_axis).abs() > SHEAR_TOLERANCE
            || turned.z_axis.dot(turned.x_axis).abs() > SHEAR_TOLERANCE;
        let position = world_from_mesh.translation.as_vec3();
        if !sheared && turned.determinant() > 0.0 {
            let rotation = DQuat::from_mat3(&turned).normalize().as_quat();
            return Some((mesh, ScenePose { position, rotation }, lengths.as_vec3()));
        }
        let baked = transformed(
            &self.model.meshes[mesh as usize],
            DAffine3::from_mat3(linear),
        );
        self.model.meshes.push(baked.into());
        let pose = ScenePose {
            position,
            rotation: glam::Quat::IDENTITY,
        };
        Some((self.model.meshes.len() as u32 - 1, pose, glam::Vec3::ONE))
    }

    fn camera(&mut self, index: usize, camera: usize, matrix: DMat4) -> Result<(), AssetError> {
        let root = &self.document.root;
        let data = root
            .cameras
            .get(camera)
            .ok_or_else(|| self.bad(format!("camera {camera} does not exist")))?;
        let name = root.nodes[index]
            .name
            .clone()
            .or_else(|| data.name.clone())
            .unwrap_or_else(|| format!("camera_{camera}"));
        let Some(perspective) = data.perspective else {
            self.source.warnings.push(format!(
                "{}: camera `{name}` is orthographic and left out",
                self.path.display()
            ));
            return Ok(());
        };
        if !(perspective.yfov > 0.0 && perspective.yfov < std::f32::consts::PI) {
            return Err(self.bad(format!(
                "camera `{name}` has the vertical angle {} rad",
                perspective.yfov
            )));
        }
        self.scene.cameras.push(SceneCamera {
            name,
            pose: pose_of(matrix),
            yfov_rad: perspective.yfov,
            aspect_ratio: perspective.aspect_ratio.filter(|ratio| *ratio > 0.0),
            znear: perspective.znear,
        });
        Ok(())
    }

    fn light(&mut self, index: usize, light: usize, matrix: DMat4) -> Result<(), AssetError> {
        let root = &self.document.root;
        let data = root
            .extensions
            .lights
            .lights
            .get(light)
            .ok_or_else(|| self.bad(format!("light {light} does not exist")))?;
        let name = root.nodes[index]
            .name
            .clone()
            .or_else(|| data.name.clone())
            .unwrap_or_else(|| format!("light_{light}"));
        let scaled = |factor: f32| data.color.map(|channel| channel * data.intensity * factor);
        // Candela to W of the whole sphere; a spot is a cut-out of one.
        let sphere = 4.0 * std::f32::consts::PI / LUMENS_PER_WATT;
        let kind = match data.kind.as_str() {
            "directional" => SceneLightKind::Sun {
                irradiance: scaled(1.0 / LUMENS_PER_WATT),
                angular_diameter_rad: BLENDER_SUN_DIAMETER_RAD,
            },
            "point" => SceneLightKind::Point {
                watts: scaled(sphere),
                radius: 0.0,
            },
            "spot" => SceneLightKind::Spot {
                watts: scaled(sphere),
                radius: 0.0,
                outer_half_angle_rad: data.spot.outer_cone_angle,
                blend: if data.spot.outer_cone_angle > 0.0 {
                    (1.0 - data.spot.inner_cone_angle / data.spot.outer_cone_angle).clamp(0.0, 1.0)
                } else {
                    0.0
                },
            },
            other => {
                self.source.warnings.push(format!(
                    "{}: light `{name}` is of the unknown kind `{other}` and left out",
                    self.path.display()
                ));
                return Ok(());
            }
        };
        self.scene.lights.push(SceneLight {
            name,
            pose: pose_of(matrix),
            kind,
        });
        Ok(())
    }
}

/// Nodes of a skin's joints, each with its inverse bind matrix.
fn joints_of_skin(document: &Document, skin: usize) -> Result<Vec<(usize, DMat4)>, String> {
    let data = document
        .root
        .skins
        .get(skin)
        .ok_or_else(|| format!("skin {skin} does not exist"))?;
    let inverse_bind = match data.inverse_bind_matrices {
        Some(accessor) => {
            let what = format!("inverse bind matrices of skin {skin}");
            accessor::floats::<16>(document, accessor, &what)?
        }
        None => vec![glam::Mat4::IDENTITY.to_cols_array(); data.joints.len()],
    };
    if inverse_bind.len() < data.joints.len() {
        return Err(format!(
            "skin {skin} has {} inverse bind matrices for {} joints",
            inverse_bind.len(),
            data.joints.len()
        ));
    }
    let matrices = inverse_bind
        .iter()
        .map(|columns| glam::Mat4::from_cols_array(columns).as_dmat4());
    Ok(data.joints.iter().copied().zip(matrices).collect())
}

/// C · M · C⁻¹ with C the change from Y up to Z up: for things whose own space changes too.
fn z_up_from_y_up(matrix: DMat4) -> DAffine3 {
    let change = DAffine3::from_mat3(Z_UP);
    change * DAffine3::from_mat4(matrix) * DAffine3::from_mat3(Z_UP.transpose())
}

const Z_UP: DMat3 = DMat3::from_cols(
    DVec3::new(1.0, 0.0, 0.0),
    DVec3::new(0.0, 0.0, 1.0),
    DVec3::new(0.0, -1.0, 0.0),
);

/// C · M without scale: cameras and lights look along their own −Z in both conventions.
fn pose_of(matrix: DMat4) -> ScenePose {
    let world = DAffine3::from_mat3(Z_UP) * DAffine3::from_mat4(matrix);
    let back = world.matrix3.z_axis.try_normalize().unwrap_or(DVec3::Z);
    let up = world.matrix3.y_axis;
    let right = up
        .cross(back)
        .try_normalize()
        .unwrap_or_else(|| back.any_orthonormal_vector());
    let turned = DMat3::from_cols(right, back.cross(right), back);
    ScenePose {
        position: world.translation.as_vec3(),
        rotation: DQuat::from_mat3(&turned).normalize().as_quat(),
    }
}

/// Copyright line and, as Sketchfab writes them, title, author, source and licence.
fn attribution(asset: &schema::Asset) -> Option<String> {
    let mut words: Vec<String> = asset.copyright.iter().cloned().collect();
    for key in ["title", "author", "source", "license"] {
        if let Some(text) = asset.extras.get(key).and_then(serde_json::Value::as_str) {
            words.push(format!("{key}: {text}"));
        }
    }
    (!words.is_empty()).then(|| words.join("; "))
}
