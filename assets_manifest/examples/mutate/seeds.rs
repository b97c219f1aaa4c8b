//! Small valid files, one list for each loader.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};

use crate::fbx_binary::binary;
use crate::fbx_text::{fbx, fbx_node};
use crate::gltf_writer::Writer;
use crate::loaders::Loader;

/// Largest file of a corpus that is taken, bytes.
const MAX_CORPUS_FILE: u64 = 128 << 10;
/// Deepest folder of a corpus.
const MAX_CORPUS_DEPTH: usize = 4;

/// A file that is damaged, and what lies beside it untouched.
pub(crate) struct Seed {
    /// Name of the damaged file.
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) beside: Vec<(&'static str, Vec<u8>)>,
    /// Compress the damaged bytes: damage to a gzip stream itself ends at its checksum.
    pub(crate) gzip: bool,
    /// Made here, not from a corpus.
    pub(crate) is_ours: bool,
}

impl Seed {
    fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            content: content.into(),
            beside: Vec::new(),
            gzip: false,
            is_ours: true,
        }
    }

    fn beside(mut self, name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        self.beside.push((name, content.into()));
        self
    }
}

type Made<T> = Result<T, Box<dyn std::error::Error>>;

/// The seeds of a loader that are made here.
pub(crate) fn of(loader: Loader) -> Made<Vec<Seed>> {
    Ok(match loader {
        Loader::Obj => objs()
            .into_iter()
            .map(|text| Seed::new("a.obj", text).beside("a.mtl", MTL))
            .collect(),
        Loader::Mtl => vec![
            Seed::new("a.mtl", MTL)
                .beside("a.obj", objs().swap_remove(0))
                .beside("t.png", picture(ImageFormat::Png, false)?),
        ],
        Loader::Fbx => {
            let text = fbx_body();
            vec![
                Seed::new("a.fbx", text.clone()).beside("t.png", picture(ImageFormat::Png, false)?),
                Seed::new("a.fbx", binary(&text, false)),
                Seed::new("a.fbx", binary(&text, true)),
            ]
        }
        Loader::Gltf => {
            let writer = gltf_body()?;
            vec![
                Seed::new("a.gltf", writer.json()),
                Seed::new("a.glb", writer.glb()),
            ]
        }
        Loader::Hdr => vec![Seed::new("a.hdr", hdr()?)],
        Loader::Exr => exrs()?
            .into_iter()
            .map(|bytes| Seed::new("a.exr", bytes))
            .collect(),
        Loader::Png => pngs()?
            .into_iter()
            .map(|bytes| Seed::new("a.png", bytes))
            .collect(),
        Loader::Jpg => vec![Seed::new("a.jpg", picture(ImageFormat::Jpeg, false)?)],
        Loader::Webp => vec![Seed::new("a.webp", picture(ImageFormat::WebP, true)?)],
        Loader::Bmp => vec![
            Seed::new("a.bmp", picture(ImageFormat::Bmp, false)?),
            Seed::new("a.bmp", picture(ImageFormat::Bmp, true)?),
        ],
        Loader::Tga => vec![Seed::new("a.tga", picture(ImageFormat::Tga, true)?)],
        Loader::Archive => {
            let tar = tar()?;
            let packed = Seed::new("a.tar.gz", crate::zipped(&tar)?);
            let gzip = Seed {
                gzip: true,
                ..Seed::new("a.tar.gz", tar)
            };
            vec![
                gzip.beside("manifest.json", MANIFEST),
                packed.beside("manifest.json", MANIFEST),
            ]
        }
        Loader::Manifest => {
            vec![Seed::new("manifest.json", MANIFEST).beside("a.tar.gz", crate::zipped(&tar()?)?)]
        }
        Loader::Urdf => vec![
            Seed::new("object/object.urdf", URDF)
                .beside("object/visual_geometry.obj", objs().swap_remove(0))
                .beside("object/collision_geometry.obj", COLLISION)
                .beside("object/data.json", DATA),
            Seed::new("object/collision_geometry.obj", COLLISION)
                .beside("object/visual_geometry.obj", objs().swap_remove(0))
                .beside("object/object.urdf", URDF),
            Seed::new("object/data.json", DATA)
                .beside("object/visual_geometry.obj", objs().swap_remove(0)),
        ],
    })
}

/// Small files of a folder that a loader reads, sorted.
pub(crate) fn corpus(folder: &Path, loader: Loader) -> Made<Vec<Seed>> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)?;
    files.sort();
    let mut seeds = Vec::new();
    for file in files {
        let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
        let extension = extension.to_ascii_lowercase();
        if !loader.extensions().contains(&extension.as_str()) {
            continue;
        }
        if std::fs::metadata(&file)?.len() <= MAX_CORPUS_FILE {
            seeds.push(Seed {
                is_ours: false,
                ..Seed::new(&format!("a.{extension}"), std::fs::read(&file)?)
            });
        }
    }
    Ok(seeds)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<std::path::PathBuf>) -> Made<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() && depth < MAX_CORPUS_DEPTH {
            collect(&path, depth + 1, files)?;
        }
    }
    Ok(())
}

const MTL: &str = "newmtl m\nKd 1 0.5 0.25\nKs 0.1 0.1 0.1\nNs 10\nNi 1.45\nd 1.0\nillum 2\n\
    map_Kd -o 0.1 0.2 -s 2 2 t.png\nmap_Bump -bm 0.5 t.png\nnewmtl n\nKe 1 1 1\nPr 0.5\nPm 1\n";

fn objs() -> Vec<String> {
    vec![
        "mtllib a.mtl\no one\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1 0.5 0.5 0.5\nvt 0 0\nvt 1 0\n\
         vt 0 1\nvn 0 0 1\nusemtl m\ns 1\nf 1/1/1 3/2/1 2/3/1\nf 1//1 2//1 4//1\nusemtl n\n\
         g two\nf -4 -1 -2\nf 2 3 4\nl 1 2 3\np 4\n"
            .into(),
        "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 1 3 0\nv 0 2 0\nf 1 2 3 4 5\nf 1 2 \\\n3\n".into(),
    ]
}

const COLLISION: &str = "o a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 1 3 4\n\
    f 2 3 4\no b\nv 9 9 9\nv 8 9 9\nv 9 8 9\nv 9 9 8\nf 5 6 7\nf 5 6 8\n";

const URDF: &str = "<robot name=\"o\"><link name=\"base\"><inertial><mass value=\"1\"/></inertial>\
    <visual><geometry><mesh filename=\"visual_geometry.obj\"/></geometry></visual>\
    <collision><origin xyz=\"0 0 1\" rpy=\"0 0 1.57\"/><geometry>\
    <mesh filename=\"collision_geometry.obj\" scale=\"2 2 2\"/></geometry></collision></link></robot>";

const DATA: &str = r#"{"id": "object", "asset_type": "FileBasedObject", "license": "CC-BY 4.0",
    "kwargs": {"mass": 0.5, "friction": 0.3, "restitution": 0.1, "bounds": [[0, 0, 0], [1, 1, 1]],
    "render_filename": "visual_geometry.obj", "simulation_filename": "object.urdf"},
    "metadata": {"category": "box", "nr_faces": 4}}"#;

const MANIFEST: &str = r#"{"name": "m", "data_dir": ".", "version": "1.0", "assets": {"a": {
    "asset_type": "FileBasedObject", "license": "CC-BY 4.0", "path": "a.tar.gz", "kwargs": {"mass": 0.5,
    "friction": 0.3, "render_filename": "{asset_dir}/visual_geometry.obj",
    "simulation_filename": "{asset_dir}/object.urdf"}, "metadata": {"category": "box"}}}}"#;

fn tar() -> Made<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let visual = objs().swap_remove(0);
    for (name, content) in [
        ("visual_geometry.obj", visual.as_str()),
        ("a.mtl", MTL),
        ("object.urdf", URDF),
        ("collision_geometry.obj", COLLISION),
        ("data.json", DATA),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes())?;
    }
    Ok(builder.into_inner()?)
}

/// A gradient of 16×8 pixels.
fn picture(format: ImageFormat, alpha: bool) -> Made<Vec<u8>> {
    let value = |x: u32, y: u32| [(x * 16) as u8, (y * 32) as u8, (x * y) as u8];
    let picture: DynamicImage = if alpha {
        RgbaImage::from_fn(16, 8, |x, y| {
            let [r, g, b] = value(x, y);
            image::Rgba([r, g, b, 255 - r / 2])
        })
        .into()
    } else {
        RgbImage::from_fn(16, 8, |x, y| image::Rgb(value(x, y))).into()
    };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

fn pngs() -> Made<Vec<Vec<u8>>> {
    let rgba = image::load_from_memory(&picture(ImageFormat::Png, true)?)?;
    let mut all = vec![
        picture(ImageFormat::Png, false)?,
        picture(ImageFormat::Png, true)?,
    ];
    let deeper: [DynamicImage; 3] = [
        rgba.to_rgb16().into(),
        rgba.to_luma8().into(),
        rgba.to_luma_alpha16().into(),
    ];
    for picture in deeper {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png)?;
        all.push(bytes.into_inner());
    }
    Ok(all)
}

fn hdr() -> Made<Vec<u8>> {
    let texels: Vec<image::Rgb<f32>> = (0..128u32)
        .map(|i| image::Rgb([i as f32 * 0.1, (i % 16) as f32, 0.5]))
        .collect();
    let mut bytes = Vec::new();
    image::codecs::hdr::HdrEncoder::new(&mut bytes).encode(&texels, 16, 8)?;
    Ok(bytes)
}

fn exrs() -> Made<Vec<Vec<u8>>> {
    use exr::prelude::*;
    let mut all = Vec::new();
    for (compression, blocks) in [
        (Compression::Uncompressed, Blocks::ScanLines),
        (Compression::RLE, Blocks::ScanLines),
        (Compression::ZIP1, Blocks::ScanLines),
        (Compression::ZIP16, Blocks::Tiles(Vec2(8, 4))),
        (Compression::PIZ, Blocks::ScanLines),
        (Compression::PXR24, Blocks::ScanLines),
        (Compression::B44, Blocks::ScanLines),
    ] {
        let channels = SpecificChannels::rgb(|at: Vec2<usize>| {
            let value = at.x() as f32 * 0.25;
            (value, f16::from_f32(at.y() as f32), 0.5f32)
        });
        let encoding = Encoding {
            compression,
            blocks,
            line_order: LineOrder::Increasing,
        };
        let layer = Layer::new((16, 8), LayerAttributes::named("a"), encoding, channels);
        let mut bytes = Cursor::new(Vec::new());
        Image::from_layer(layer)
            .write()
            .non_parallel()
            .to_buffered(&mut bytes)?;
        all.push(bytes.into_inner());
    }
    Ok(all)
}

/// Two bones, a skinned triangle with a material, a texture and a blend shape, and a take.
fn fbx_body() -> String {
    let matrix = |y: f32| format!("*16 {{\na: 1,0,0,0,0,1,0,0,0,0,1,0,0,{y},0,1\n}}");
    let cluster = |id: u32, y: f32| {
        format!(
            "Deformer: {id}, \"SubDeformer::\", \"Cluster\" {{\nVersion: 100\nIndexes: *2 {{\na: 0,{}\n}}\n\
             Weights: *2 {{\na: 0.25,1\n}}\nTransform: {}\nTransformLink: {}\n}}\n",
            id - 5,
            matrix(-y),
            matrix(y)
        )
    };
    let objects = [
        fbx_node(1, "root", "LimbNode", 1, 0.0, [1.0; 3]),
        fbx_node(2, "bone", "LimbNode", 2, 100.0, [1.0, 2.0, 1.0]),
        fbx_node(3, "skin", "Mesh", 1, 50.0, [1.0; 3]),
        "Geometry: 4, \"Geometry::\", \"Mesh\" {\nVertices: *12 {\na: 0,0,0,100,0,0,0,100,0,0,0,100\n}\n\
         PolygonVertexIndex: *7 {\na: 0,1,-3,0,1,2,-4\n}\nLayerElementNormal: 0 {\nVersion: 101\n\
         MappingInformationType: \"ByPolygonVertex\"\nReferenceInformationType: \"Direct\"\n\
         Normals: *21 {\na: 0,0,1,0,0,1,0,0,1,0,1,0,0,1,0,0,1,0,0,1,0\n}\n}\nLayerElementUV: 0 {\n\
         Version: 101\nMappingInformationType: \"ByPolygonVertex\"\n\
         ReferenceInformationType: \"IndexToDirect\"\nUV: *6 {\na: 0,0,1,0,0,1\n}\n\
         UVIndex: *7 {\na: 0,1,2,0,1,2,0\n}\n}\nLayerElementMaterial: 0 {\nVersion: 101\n\
         MappingInformationType: \"AllSame\"\nReferenceInformationType: \"IndexToDirect\"\n\
         Materials: *1 {\na: 0\n}\n}\n}\n"
            .into(),
        "Deformer: 5, \"Deformer::\", \"Skin\" {\nVersion: 101\n}\n".into(),
        cluster(6, 0.0),
        cluster(7, 100.0),
        "Material: 10, \"Material::m\", \"\" {\nVersion: 102\nShadingModel: \"phong\"\nProperties70:  {\n\
         P: \"DiffuseColor\", \"Color\", \"\", \"A\",0.8,0.5,0.2\n\
         P: \"TransparencyFactor\", \"Number\", \"\", \"A\",0\n}\n}\n\
         Texture: 11, \"Texture::t\", \"\" {\nFileName: \"C:/x/t.png\"\nRelativeFilename: \"t.png\"\n}\n"
            .into(),
        "Deformer: 12, \"Deformer::\", \"BlendShape\" {\nVersion: 100\n}\n\
         Deformer: 13, \"SubDeformer::smile\", \"BlendShapeChannel\" {\nVersion: 100\n\
         DeformPercent: 50\nFullWeights: *1 {\na: 100\n}\n}\n\
         Geometry: 14, \"Geometry::smile\", \"Shape\" {\nVersion: 100\nIndexes: *1 {\na: 1\n}\n\
         Vertices: *3 {\na: 0,10,0\n}\n}\n"
            .into(),
        "AnimationStack: 20, \"AnimStack::take\", \"\" {\nProperties70:  {\n\
         P: \"LocalStart\", \"KTime\", \"Time\", \"\",0\n\
         P: \"LocalStop\", \"KTime\", \"Time\", \"\",9237231600\n}\n}\n\
         AnimationLayer: 21, \"AnimLayer::base\", \"\" {\n}\n\
         AnimationCurveNode: 22, \"AnimCurveNode::T\", \"\" {\nProperties70:  {\n\
         P: \"d|X\", \"Number\", \"\", \"A\",0\n}\n}\n\
         AnimationCurve: 23, \"AnimCurve::\", \"\" {\nDefault: 0\nKeyVer: 4009\n\
         KeyTime: *3 {\na: 0,4618615800,9237231600\n}\nKeyValueFloat: *3 {\na: 0,10,0\n}\n\
         KeyAttrFlags: *1 {\na: 24840\n}\nKeyAttrDataFloat: *4 {\na: 0,0,255790911,0\n}\n\
         KeyAttrRefCount: *1 {\na: 3\n}\n}\n"
            .into(),
    ]
    .concat();
    let links = [
        (1, 0),
        (2, 1),
        (3, 0),
        (101, 1),
        (102, 2),
        (4, 3),
        (5, 4),
        (6, 5),
        (7, 5),
        (1, 6),
        (2, 7),
        (10, 3),
        (12, 4),
        (13, 12),
        (14, 13),
        (21, 20),
        (22, 21),
    ];
    let properties = "C: \"OP\",11,10, \"DiffuseColor\"\nC: \"OP\",22,2, \"Lcl Translation\"\n\
        C: \"OP\",23,22, \"d|X\"\n}\n";
    let text = fbx(&objects, &links);
    match text.trim_end().strip_suffix('}') {
        Some(open) => format!("{open}{properties}"),
        None => text,
    }
}

/// A skinned, textured ribbon with a morph target, two animations, a camera and a light.
fn gltf_body() -> Made<Writer> {
    let mut writer = Writer::default();
    let position: Vec<f32> = (0..3)
        .flat_map(|y| [0.0, y as f32, 0.0, 0.1, y as f32, 0.0])
        .collect();
    let position = writer.floats(&position, 3);
    let delta = writer.floats(&[0.1; 18], 3);
    let uv = writer.floats(
        &[0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 1.0, 1.0, 1.0],
        2,
    );
    let joints = writer.accessor(&[0, 1, 0, 0].repeat(6), 5121, 6, r#""type": "VEC4""#);
    let weights = writer.floats(&[0.5, 0.5, 0.0, 0.0].repeat(6), 4);
    let indices: Vec<u8> = vec![0, 1, 2, 2, 1, 3, 2, 3, 4, 4, 3, 5];
    let indices = writer.accessor(&indices, 5121, 12, r#""type": "SCALAR""#);
    let mut bind = glam::Mat4::IDENTITY.to_cols_array().to_vec();
    bind.extend(glam::Mat4::from_translation(-glam::Vec3::Y).to_cols_array());
    let bind = writer.floats(&bind, 16);
    let times = writer.floats(&[0.0, 0.1, 0.3], 1);
    let turns = writer.floats(
        &[0.0, 0.0, 0.0, 1.0, 0.0, 0.7, 0.0, 0.7, 0.0, 0.0, 0.0, 1.0],
        4,
    );
    let moves = writer.floats(&[0.0, 0.5, 1.0], 1);
    let sparse_at = writer.accessor(&[1, 0, 2, 0], 5123, 2, r#""type": "SCALAR""#);
    let sparse_to = writer.floats(&[0.5; 6], 3);
    let sparse = writer.accessor(
        &[0; 72],
        5126,
        6,
        &format!(
            r#""type": "VEC3", "sparse": {{"count": 2, "indices": {{"bufferView": {sparse_at},
            "componentType": 5123}}, "values": {{"bufferView": {sparse_to}}}}}"#
        ),
    );
    let png = picture(ImageFormat::Png, false)?;
    let png = writer.accessor(&png, 5121, png.len(), r#""type": "SCALAR""#);
    writer.section(format!(
        r#""meshes": [{{"name": "m", "weights": [0.5], "primitives": [{{"attributes": {{
            "POSITION": {position}, "TEXCOORD_0": {uv}, "JOINTS_0": {joints}, "WEIGHTS_0": {weights}}},
            "indices": {indices}, "material": 0, "targets": [{{"POSITION": {delta}}}]}},
            {{"mode": 5, "attributes": {{"POSITION": {sparse}}}}}], "extras": {{"targetNames": ["a"]}}}}]"#
    ));
    writer.section(format!(
        r#""images": [{{"bufferView": {png}, "mimeType": "image/png"}}], "samplers": [{{"wrapS": 33071}}],
            "textures": [{{"source": 0, "sampler": 0}}], "materials": [{{"name": "a", "alphaMode": "MASK",
            "alphaCutoff": 0.4, "pbrMetallicRoughness": {{"baseColorTexture": {{"index": 0,
            "extensions": {{"KHR_texture_transform": {{"scale": [2, 2]}}}}}},
            "metallicRoughnessTexture": {{"index": 0}}}}, "normalTexture": {{"index": 0, "scale": 0.5}},
            "extensions": {{"KHR_materials_transmission": {{"transmissionFactor": 0.5}}}}}}]"#
    ));
    writer.section(format!(
        r#""skins": [{{"joints": [0, 1], "inverseBindMatrices": {bind}}}]"#
    ));
    writer.section(
        r#""cameras": [{"type": "perspective", "perspective": {"yfov": 0.7, "znear": 0.1}}],
            "extensionsUsed": ["KHR_lights_punctual", "KHR_texture_transform"],
            "extensions": {"KHR_lights_punctual": {"lights": [{"type": "point", "intensity": 10}]}}"#,
    );
    writer.section(
        r#""scene": 0, "scenes": [{"nodes": [0, 2, 3]}], "nodes": [{"name": "Hips", "children": [1]},
            {"name": "Spine", "translation": [0, 1, 0]}, {"mesh": 0, "skin": 0},
            {"camera": 0, "rotation": [0, 0, 0.7, 0.7], "scale": [1, 2, 1], "mesh": 0,
            "extensions": {"KHR_lights_punctual": {"light": 0}}}]"#,
    );
    writer.section(format!(
        r#""animations": [{{"name": "turn", "samplers": [{{"input": {times}, "output": {turns}}},
            {{"input": {times}, "output": {moves}, "interpolation": "STEP"}}],
            "channels": [{{"sampler": 0, "target": {{"node": 1, "path": "rotation"}}}},
            {{"sampler": 1, "target": {{"node": 2, "path": "weights"}}}}]}}]"#
    ));
    Ok(writer)
}
