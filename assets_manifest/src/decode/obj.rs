//! Wavefront OBJ with MTL, and FBX meshes in their one pose, through `ufbx`.
//!
//! Materials follow Blender 4.3's importers of the two formats, so that a picture of the same file
//! can be compared.

use std::collections::HashMap;
use std::path::Path;

use glam::{DMat3, DVec3, Vec2, Vec3};

use super::textures::Textures;
use super::{Source, finish_mesh};
use crate::{AlphaMode, AssetError, Material, Mesh, Model, TextureRef, Wrap};

/// Memory that `ufbx` may use for the file's content, and again while loading, bytes.
const MAX_UFBX_BYTES: usize = 2 << 30;
/// Depth of node hierarchies; deeper ones are taken for damaged.
const MAX_DEPTH: u32 = 1_000;

/// What the file is, and with it how coordinates and materials are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Kubric's convention: Z up, metres, coordinates as they are.
    Obj,
    /// Axes and unit stated by the file, converted to Z up and metres.
    Fbx,
}

/// Reads everything in the file as one mesh with one material slot per material.
pub(crate) fn load(source: &mut Source, name: &str, dialect: Dialect) -> Result<Model, AssetError> {
    let bytes = source.read(name)?;
    let path = source.path_of(name);
    let scene = parse(source, name, &bytes, dialect)?;
    for warning in &scene.metadata.warnings {
        source
            .warnings
            .push(format!("{}: {}", path.display(), &*warning.description));
    }

    let mut textures = Textures::default();
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut materials = Vec::new();
    for material in &scene.materials {
        let mut reader = MaterialReader {
            source,
            textures: &mut textures,
            path: &path,
            folder,
        };
        materials.push(match dialect {
            Dialect::Obj => reader.obj(material)?,
            Dialect::Fbx => reader.fbx(material)?,
        });
    }
    let mut mesh = Mesh {
        name: name.to_owned(),
        ..Mesh::default()
    };
    let mut builder = MeshBuilder {
        mesh: &mut mesh,
        default_slot: materials.len(),
        uses_default: false,
        without_normals: false,
        with_uvs: false,
    };
    for node in &scene.nodes {
        if let Some(part) = &node.mesh {
            builder.add(node, part);
        }
    }
    let (uses_default, without_normals, with_uvs) = (
        builder.uses_default,
        builder.without_normals,
        builder.with_uvs,
    );
    if uses_default {
        materials.push(default_material(dialect));
    }
    if materials.len() > usize::from(u16::MAX) {
        return Err(AssetError::Unusable {
            path,
            reason: format!("{} materials are too many", materials.len()),
        });
    }
    if without_normals && mesh.normals.iter().all(|normal| *normal == Vec3::ZERO) {
        mesh.normals.clear();
    }
    if !with_uvs {
        mesh.uvs.clear();
    }
    finish_mesh(&mut mesh, &path, &mut source.warnings)?;
    Ok(Model {
        meshes: vec![mesh.into()],
        materials,
        images: textures.images,
        convex_pieces: Vec::new(),
        rig: None,
        motions: Vec::new(),
    })
}

/// Parses the bytes with limits; the MTL files of an OBJ are read through `source`, so that `ufbx`
/// opens no file itself.
pub(super) fn parse(
    source: &mut Source,
    name: &str,
    bytes: &[u8],
    dialect: Dialect,
) -> Result<ufbx::SceneRoot, AssetError> {
    let limits = || ufbx::AllocatorOpts {
        memory_limit: MAX_UFBX_BYTES,
        ..Default::default()
    };
    let mut options = ufbx::LoadOpts {
        temp_allocator: limits(),
        result_allocator: limits(),
        index_error_handling: ufbx::IndexErrorHandling::AbortLoading,
        node_depth_limit: MAX_DEPTH,
        ignore_animation: true,
        no_format_from_extension: true,
        ..Default::default()
    };
    match dialect {
        Dialect::Obj => {
            options.file_format = ufbx::FileFormat::Obj;
            options.obj_mtl_data = material_libraries(source, name, bytes)?.into();
        }
        Dialect::Fbx => {
            options.file_format = ufbx::FileFormat::Fbx;
            options.target_axes = ufbx::axes_right_handed_z_up();
            options.target_unit_meters = 1.0;
            options.evaluate_skinning = true;
        }
    }
    ufbx::load_memory(bytes, options).map_err(|error| {
        let info = error.info();
        let detail = if info.is_empty() {
            String::new()
        } else {
            format!(" ({info})")
        };
        AssetError::Decode {
            path: source.path_of(name),
            reason: format!("{}{detail}", &*error.description),
        }
    })
}

/// The text of every `mtllib` that is there; a missing one is a warning.
fn material_libraries(
    source: &mut Source,
    name: &str,
    bytes: &[u8],
) -> Result<Vec<u8>, AssetError> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut text = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(library) = line.trim_ascii().strip_prefix(b"mtllib") else {
            continue;
        };
        let library = String::from_utf8_lossy(library.trim_ascii()).replace('\\', "/");
        if library.is_empty() {
            continue;
        }
        let library = join(folder, &library);
        if source.has(&library) {
            text.extend(source.read(&library)?);
            text.push(b'\n');
        } else {
            source.warnings.push(format!(
                "material library {} is missing; plain grey is used",
                source.path_of(&library).display()
            ));
        }
    }
    Ok(text)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

struct MeshBuilder<'a> {
    mesh: &'a mut Mesh,
    default_slot: usize,
    uses_default: bool,
    without_normals: bool,
    with_uvs: bool,
}

impl MeshBuilder<'_> {
    fn add(&mut self, node: &ufbx::Node, part: &ufbx::Mesh) {
        let skinned = !part.skin_deformers.is_empty() || !part.blend_deformers.is_empty();
        let (positions, normals) = if skinned && part.skinned_position.exists {
            (&part.skinned_position, &part.skinned_normal)
        } else {
            (&part.vertex_position, &part.vertex_normal)
        };
        let in_world = skinned && part.skinned_position.exists && !part.skinned_is_local;
        let m = &node.geometry_to_world;
        let (linear, offset) = if in_world {
            (DMat3::IDENTITY, DVec3::ZERO)
        } else {
            (
                DMat3::from_cols(
                    DVec3::new(m.m00, m.m10, m.m20),
                    DVec3::new(m.m01, m.m11, m.m21),
                    DVec3::new(m.m02, m.m12, m.m22),
                ),
                DVec3::new(m.m03, m.m13, m.m23),
            )
        };
        let mirrored = linear.determinant() < 0.0;
        // Normals go by the cofactor matrix: right for any scale, and needs no division.
        let cofactor = DMat3::from_cols(
            linear.y_axis.cross(linear.z_axis),
            linear.z_axis.cross(linear.x_axis),
            linear.x_axis.cross(linear.y_axis),
        );
        let uvs = &part.vertex_uv;
        self.with_uvs |= uvs.exists;
        self.without_normals |= !normals.exists;

        // Looked up only, never iterated: vertices are numbered in face order.
        let mut vertex_of: HashMap<(u32, u32, u32), u32> = HashMap::new();
        let mut corners = Vec::new();
        for (index, face) in part.faces.iter().enumerate() {
            let slot = self.slot(node, part, index);
            let count = ufbx::triangulate_face_vec(&mut corners, part, *face) as usize;
            for triangle in corners.chunks_exact(3).take(count) {
                let mut indices = [0; 3];
                for (index, corner) in indices.iter_mut().zip(triangle) {
                    let corner = *corner as usize;
                    let key = (
                        positions.indices[corner],
                        if normals.exists {
                            normals.indices[corner]
                        } else {
                            0
                        },
                        if uvs.exists { uvs.indices[corner] } else { 0 },
                    );
                    *index = *vertex_of.entry(key).or_insert_with(|| {
                        let p = positions[corner];
                        let position = linear * DVec3::new(p.x, p.y, p.z) + offset;
                        self.mesh.positions.push(position.as_vec3());
                        self.mesh.normals.push(if normals.exists {
                            let n = normals[corner];
                            let normal = cofactor * DVec3::new(n.x, n.y, n.z);
                            let normal = if mirrored { -normal } else { normal };
                            normal.try_normalize().unwrap_or_default().as_vec3()
                        } else {
                            Vec3::ZERO
                        });
                        self.mesh.uvs.push(if uvs.exists {
                            let uv = uvs[corner];
                            Vec2::new(uv.x as f32, (1.0 - uv.y) as f32)
                        } else {
                            Vec2::ZERO
                        });
                        self.mesh.positions.len() as u32 - 1
                    });
                }
                if mirrored {
                    indices.swap(1, 2);
                }
                self.mesh.triangles.push(indices);
                self.mesh.material_of_triangle.push(slot as u16);
            }
        }
    }

    fn slot(&mut self, node: &ufbx::Node, part: &ufbx::Mesh, face: usize) -> usize {
        let of_mesh = part.face_material.get(face).copied().unwrap_or(0) as usize;
        let materials = if node.materials.is_empty() {
            &part.materials
        } else {
            &node.materials
        };
        if of_mesh < materials.len() {
            materials[of_mesh].element.typed_id as usize
        } else {
            self.uses_default = true;
            self.default_slot
        }
    }
}

/// What Blender gives a face without material on import.
fn default_material(dialect: Dialect) -> Material {
    Material {
        name: "default".into(),
        roughness: if dialect == Dialect::Obj { 1.0 } else { 0.5 },
        specular: if dialect == Dialect::Obj { 0.0 } else { 0.5 },
        ..Material::default()
    }
}

struct MaterialReader<'a> {
    source: &'a mut Source,
    textures: &'a mut Textures,
    path: &'a Path,
    folder: &'a str,
}

impl MaterialReader<'_> {
    /// Blender's `wm.obj_import`: Ks is the specular level, Ns becomes roughness, the Pbr lines
    /// (Pr, Pm, Ps, Pc, Pcr) win.
    fn obj(&mut self, material: &ufbx::Material) -> Result<Material, AssetError> {
        let (fbx, pbr) = (&material.fbx, &material.pbr);
        let illumination = material
            .element
            .props
            .find_prop("illum")
            .map_or(-1, |prop| prop.value_int);
        let highlight = illumination >= 2;
        let exponent = scalar(&fbx.specular_exponent);
        let emission = color(&pbr.emission_color).unwrap_or([0.0; 3]);
        let base_color_texture = self.texture(&pbr.base_color)?;
        let normal_texture = self.texture(&pbr.normal_map)?;
        let roughness_map = self.texture(&pbr.roughness)?;
        let metallic_map = self.texture(&pbr.metalness)?;
        let roughness = match (features_pbr(material), scalar(&pbr.roughness), exponent) {
            (true, Some(roughness), _) => roughness,
            (_, _, Some(exponent)) => 1.0 - libm::sqrtf((exponent / 1000.0).clamp(0.0, 1.0)),
            _ if highlight => 0.0,
            _ => 1.0,
        };
        let alpha = scalar(&pbr.opacity).unwrap_or(1.0);
        Ok(Material {
            name: material.element.name.to_string(),
            base_color: color(&pbr.base_color).unwrap_or([0.8; 3]),
            base_color_texture,
            metallic: scalar(&pbr.metalness).unwrap_or(0.0),
            roughness,
            metallic_roughness_texture: self.packed(roughness_map, metallic_map)?,
            ior: scalar(&pbr.specular_ior).unwrap_or(1.5),
            specular: color(&pbr.specular_color).map_or(f32::from(u8::from(highlight)), mean),
            alpha,
            alpha_mode: blend_below_one(alpha),
            emission,
            emission_texture: self.texture(&pbr.emission_color)?,
            coat: scalar(&pbr.coat_factor).unwrap_or(0.0),
            coat_roughness: scalar(&pbr.coat_roughness).unwrap_or(0.03),
            sheen: color(&pbr.sheen_color).map_or(0.0, mean),
            normal_texture,
            ..Material::default()
        })
    }

    /// Blender's FBX importer for Lambert and Phong; the file's own numbers for materials that say
    /// they are physically based.
    fn fbx(&mut self, material: &ufbx::Material) -> Result<Material, AssetError> {
        let (fbx, pbr) = (&material.fbx, &material.pbr);
        let base = color(&pbr.base_color).unwrap_or([0.8; 3]);
        let base_factor = scalar(&pbr.base_factor).unwrap_or(1.0);
        let emission_factor = scalar(&pbr.emission_factor).unwrap_or(1.0);
        let emission = color(&pbr.emission_color).unwrap_or([0.0; 3]);
        let base_color_texture = self.texture(&pbr.base_color)?;
        let normal_texture = self.texture(&pbr.normal_map)?;
        let emission_texture = self.texture(&pbr.emission_color)?;
        let mut read = Material {
            name: material.element.name.to_string(),
            base_color: if base_color_texture.is_some() {
                [base_factor; 3]
            } else {
                base.map(|channel| channel * base_factor)
            },
            base_color_texture,
            emission: if emission_texture.is_some() {
                [emission_factor; 3]
            } else {
                emission.map(|channel| channel * emission_factor)
            },
            emission_texture,
            normal_texture,
            ..Material::default()
        };
        if features_pbr(material) {
            let roughness_map = self.texture(&pbr.roughness)?;
            let metallic_map = self.texture(&pbr.metalness)?;
            read.metallic_roughness_texture = self.packed(roughness_map, metallic_map)?;
            let default = |map: Option<TextureRef>, other| if map.is_some() { 1.0 } else { other };
            read.roughness = scalar(&pbr.roughness).unwrap_or(default(roughness_map, 0.5));
            read.metallic = scalar(&pbr.metalness).unwrap_or(default(metallic_map, 0.0));
            read.ior = scalar(&pbr.specular_ior).unwrap_or(1.5);
            read.transmission = scalar(&pbr.transmission_factor).unwrap_or(0.0);
            read.alpha = scalar(&pbr.opacity).unwrap_or(1.0);
            read.coat = scalar(&pbr.coat_factor).unwrap_or(0.0);
            read.coat_roughness = scalar(&pbr.coat_roughness).unwrap_or(0.03);
        } else {
            if let Some(exponent) = scalar(&fbx.specular_exponent) {
                read.roughness = 1.0 - libm::sqrtf(exponent.clamp(0.0, 100.0)) / 10.0;
            }
            // Maya writes factor 1 with a black colour for opaque.
            let transparent = color(&fbx.transparency_color).map_or(1.0, mean)
                * scalar(&fbx.transparency_factor).unwrap_or(0.0);
            read.alpha = 1.0 - transparent.clamp(0.0, 1.0);
        }
        read.alpha_mode = blend_below_one(read.alpha);
        Ok(read)
    }

    fn packed(
        &mut self,
        roughness: Option<TextureRef>,
        metallic: Option<TextureRef>,
    ) -> Result<Option<TextureRef>, AssetError> {
        let image = self.textures.pack_metallic_roughness(
            roughness.map(|map| map.image),
            metallic.map(|map| map.image),
            self.path,
        )?;
        Ok(image.map(|image| TextureRef {
            image,
            ..roughness
                .or(metallic)
                .unwrap_or_else(|| TextureRef::of(image))
        }))
    }

    fn texture(&mut self, map: &ufbx::MaterialMap) -> Result<Option<TextureRef>, AssetError> {
        let Some(texture) = map.texture.as_ref().filter(|_| map.texture_enabled) else {
            return Ok(None);
        };
        // A layered or procedural texture names the files it is made of: the first stands for it.
        let file = if texture.has_file || texture.file_textures.is_empty() {
            texture
        } else {
            &texture.file_textures[0]
        };
        let name = if file.relative_filename.is_empty() {
            &*file.filename
        } else {
            &*file.relative_filename
        };
        let name = name.replace('\\', "/");
        let image = if file.content.is_empty() {
            self.textures.load(self.source, &self.candidates(&name))?
        } else {
            let content: &[u8] = &file.content;
            let path = self.path.join(&name);
            Some(self.textures.embedded(self.source, &name, content, &path)?)
        };
        Ok(image.map(|image| reference(image, file)))
    }

    /// Where a texture may lie: as named, beside the model, in its `textures` folder. Absolute names
    /// are the author's own disk; only their last part means anything here.
    fn candidates(&self, name: &str) -> Vec<String> {
        let last = name.rsplit('/').next().unwrap_or(name);
        if last.is_empty() {
            return Vec::new();
        }
        let mut candidates = Vec::new();
        if Path::new(name).is_relative() && !name.contains(':') {
            candidates.push(join(self.folder, name));
        }
        candidates.push(join(self.folder, last));
        candidates.push(join(self.folder, &format!("textures/{last}")));
        candidates
    }
}

/// FBX and OBJ count v upwards, we downwards: the transform is conjugated with the flip.
fn reference(image: u32, texture: &ufbx::Texture) -> TextureRef {
    let wrap = |mode| match mode {
        ufbx::WrapMode::Clamp => Wrap::Clamp,
        ufbx::WrapMode::Repeat => Wrap::Repeat,
    };
    let mut reference = TextureRef {
        wrap_u: wrap(texture.wrap_u),
        wrap_v: wrap(texture.wrap_v),
        ..TextureRef::of(image)
    };
    if texture.has_uv_transform {
        let m = &texture.uv_to_texture;
        reference.matrix = [m.m00, -m.m01, -m.m10, m.m11].map(|value| value as f32);
        reference.offset = [m.m03 + m.m01, 1.0 - m.m11 - m.m13].map(|value| value as f32);
    }
    reference
}

fn features_pbr(material: &ufbx::Material) -> bool {
    material.features.pbr.enabled
}

fn scalar(map: &ufbx::MaterialMap) -> Option<f32> {
    map.has_value
        .then_some(map.value_vec4.x as f32)
        .filter(|value| value.is_finite())
}

fn color(map: &ufbx::MaterialMap) -> Option<[f32; 3]> {
    let value = &map.value_vec4;
    map.has_value
        .then_some([value.x, value.y, value.z].map(|channel| channel as f32))
        .filter(|channels| channels.iter().all(|channel| channel.is_finite()))
}

fn mean([r, g, b]: [f32; 3]) -> f32 {
    (r + g + b) / 3.0
}

fn blend_below_one(alpha: f32) -> AlphaMode {
    if alpha < 1.0 {
        AlphaMode::Blend
    } else {
        AlphaMode::Opaque
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    const TETRAHEDRON: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n";
    const FACES: &str = "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

    fn read(files: &[(&str, &[u8])]) -> (Result<Model, AssetError>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let mut source = Source::folder(folder.path());
        let model = load(&mut source, "a.obj", Dialect::Obj);
        (model, source.warnings.0)
    }

    fn red_png() -> Vec<u8> {
        let mut bytes = Vec::new();
        ::image::RgbImage::from_pixel(2, 2, ::image::Rgb([255, 0, 0]))
            .write_to(
                &mut std::io::Cursor::new(&mut bytes),
                ::image::ImageFormat::Png,
            )
            .unwrap();
        bytes
    }

    #[test]
    fn coordinates_are_taken_as_they_are() {
        let text = format!("{TETRAHEDRON}{FACES}");
        let (model, warnings) = read(&[("a.obj", text.as_bytes())]);
        let mesh = &model.unwrap().meshes[0];
        assert_eq!(mesh.bounds(), Some((Vec3::ZERO, Vec3::ONE)));
        assert_eq!(mesh.triangles.len(), 4);
        assert!(mesh.normals.is_empty() && mesh.uvs.is_empty());
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn materials_follow_blenders_importer() {
        let text = format!("mtllib a.mtl\n{TETRAHEDRON}vt 0 1\nusemtl m\nf 1/1 3/1 2/1\n");
        let material =
            "newmtl m\nKd 1 0.5 0.25\nKs 0.1 0.1 0.1\nNs 10\nd 1.0\nillum 2\nmap_Kd t.png\n";
        let (model, warnings) = read(&[
            ("a.obj", text.as_bytes()),
            ("a.mtl", material.as_bytes()),
            ("t.png", &red_png()),
        ]);
        let model = model.unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let material = &model.materials[0];
        assert_eq!(material.name, "m");
        assert!((material.roughness - 0.9).abs() < 1e-6);
        assert!((material.specular - 0.1).abs() < 1e-6);
        assert_eq!(material.ior, 1.5);
        assert_eq!(material.alpha_mode, AlphaMode::Opaque);
        assert_eq!(material.base_color_texture, Some(TextureRef::of(0)));
        assert_eq!(model.images.len(), 1);
        // vt 0 1 is the top-left corner of the image.
        assert_eq!(model.meshes[0].uvs[0], Vec2::ZERO);
    }

    #[test]
    fn lost_files_are_warnings_and_bad_ones_errors() {
        let text = format!("mtllib a.mtl\n{TETRAHEDRON}usemtl m\n{FACES}");
        let (model, warnings) = read(&[("a.obj", text.as_bytes())]);
        let materials = model.unwrap().materials;
        let [plain] = materials.as_slice() else {
            panic!("one material expected: {materials:?}")
        };
        // As bpy 4.3 reads it: grey, and without a highlight.
        assert_eq!(
            (plain.base_color, plain.roughness, plain.specular),
            ([0.8; 3], 1.0, 0.0)
        );
        assert!(warnings[0].contains("a.mtl is missing"), "{warnings:?}");
        let library: &[u8] = b"newmtl m\nmap_Kd t.png\n";
        let (model, warnings) = read(&[("a.obj", text.as_bytes()), ("a.mtl", library)]);
        assert!(model.unwrap().materials[0].base_color_texture.is_none());
        assert!(warnings[0].contains("t.png is missing"), "{warnings:?}");
        let (model, _) = read(&[
            ("a.obj", text.as_bytes()),
            ("a.mtl", library),
            ("t.png", &red_png()[..40]),
        ]);
        assert!(model.unwrap_err().to_string().contains("t.png"));
    }

    #[test]
    fn useless_files_are_errors() {
        for (what, text) in [
            ("no faces", TETRAHEDRON),
            ("nan", "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
            ("index", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99\n"),
            ("no area", "v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n"),
            ("empty", ""),
        ] {
            let (model, _) = read(&[("a.obj", text.as_bytes())]);
            assert!(model.is_err(), "{what} was read");
        }
    }
}
