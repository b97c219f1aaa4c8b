//! `diorama assets show`: a contact sheet of one asset.

use std::path::Path;

use anyhow::{Context as _, Result};
use diorama_assets::scan::{Kind, NamedAsset, find};
use diorama_assets::{
    AssetError, AssetRecord, EnvironmentMap, Library, Model, Motion, Pixels, Rig, builtin,
    load_character_file, load_environment_file, load_model_file, load_motion_file, retarget,
};
use diorama_render::{Denoise, RenderSettings, Renderer, view};
use diorama_synth::frame::Plane;
use diorama_synth::shot::{BodyPose, View};
use diorama_synth::turntable::{FLOOR, Facing, turntable};
use diorama_video::write_png_rgb8;
use glam::Vec3;
use serde_json::json;

use crate::args::{AssetArgs, ShowAssetArgs};
use crate::commands::render::assets::StageAssets;
use crate::exit::{Status, UserError};
use crate::output::Output;
use crate::progress::Progress;
use crate::shelf::Shelf;

/// Who shows motions, and what those do who have none of their own.
const PERSON: &str = "builtin/person/0";
const WALK: &str = "builtin/motion/walk";
/// Side from which movement is shown, radians: from the front, a little from the left.
const THREE_QUARTER_RAD: f32 = -0.6;
/// Largest width of an environment's picture, pixels.
const ENVIRONMENT_WIDTH: u32 = 2048;
/// What the mean of an environment's picture becomes.
const MIDDLE_GREY: f64 = 0.18;

/// What is shown.
enum Subject {
    Model(Box<Model>, AssetRecord),
    Motion(Motion),
    Environment(EnvironmentMap),
}

/// Runs the command.
pub(super) fn run(args: &ShowAssetArgs, output: &Output) -> Result<Status> {
    let subject = subject(args, output)?;
    let (sheet, words) = match subject {
        Subject::Environment(map) => (tone_mapped(&map), map.description),
        Subject::Model(model, record) => model_sheet(args, *model, &record, output)?,
        Subject::Motion(motion) => motion_sheet(args, &motion, output)?,
    };
    let rgb: Vec<u8> = sheet.data.iter().flatten().copied().collect();
    write_png_rgb8(&args.output, sheet.width, sheet.height, &rgb)?;
    output.note(words);
    output.json(&json!({
        "sheet": args.output, "width": sheet.width, "height": sheet.height,
    }))?;
    output.plain(args.output.display().to_string())?;
    Ok(Status::Good)
}

/// Finds and reads the asset.
fn subject(args: &ShowAssetArgs, output: &Output) -> Result<Subject> {
    let file = Path::new(&args.asset);
    if file.is_file() {
        return of_file(file, None, output);
    }
    let id = args.asset.as_str();
    if let Some(motion) = builtin::motion::motion(id) {
        return Ok(Subject::Motion(motion));
    }
    if id.starts_with("builtin/") {
        let (library, _) = Library::open(&[])?;
        return of_library(&library, id);
    }
    let mut found: Vec<(&Path, NamedAsset)> = Vec::new();
    for folder in &args.assets {
        found.extend(
            find(folder, id)?
                .into_iter()
                .map(|asset| (folder.as_path(), asset)),
        );
    }
    match found.as_slice() {
        [] => Err(UserError::new(format!("there is no asset or file `{id}`"))
            .hint("give its library with `--assets DIR`; `diorama assets scan` lists the ids")
            .into()),
        [(folder, asset)] if asset.is_packed => {
            let (library, _) = Library::open(&[folder.to_path_buf()])?;
            of_library(&library, id)
        }
        [(_, asset)] => of_file(&asset.path, asset.meant_as, output),
        several => {
            let paths: Vec<String> = several
                .iter()
                .map(|(_, asset)| asset.path.display().to_string())
                .collect();
            Err(UserError::new(format!("several assets are called `{id}`"))
                .hint(format!("give one of {}", paths.join(", ")))
                .into())
        }
    }
}

fn of_library(library: &Library, id: &str) -> Result<Subject> {
    match library.load_model(id) {
        Ok(model) => Ok(Subject::Model(
            Model::clone(&model).into(),
            library.record(id)?,
        )),
        Err(AssetError::Unknown { .. }) => Ok(Subject::Environment(EnvironmentMap::clone(
            &*library.load_environment(id)?,
        ))),
        Err(error) => Err(error.into()),
    }
}

fn of_file(path: &Path, meant_as: Option<Kind>, output: &Output) -> Result<Subject> {
    let say = |warnings: diorama_assets::model::Warnings| {
        for words in warnings.0 {
            output.warning(words);
        }
    };
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let extension = extension.to_ascii_lowercase();
    if meant_as == Some(Kind::Motion) {
        return motion_of(path, output);
    }
    match extension.as_str() {
        "fbx" | "glb" | "gltf" => match load_character_file(path) {
            Ok((model, record, warnings)) => {
                say(warnings);
                Ok(Subject::Model(model.into(), record))
            }
            // Motions come without meshes.
            Err(error @ AssetError::Unusable { .. }) => {
                motion_of(path, output).map_err(|_| error.into())
            }
            Err(error) => Err(error.into()),
        },
        "obj" => {
            let (model, record, warnings) = load_model_file(path)?;
            say(warnings);
            Ok(Subject::Model(model.into(), record))
        }
        _ => {
            let (map, _, warnings) = load_environment_file(path)?;
            say(warnings);
            Ok(Subject::Environment(map))
        }
    }
}

fn motion_of(path: &Path, output: &Output) -> Result<Subject> {
    let (motions, _, warnings) = load_motion_file(path)?;
    for words in warnings.0 {
        output.warning(words);
    }
    let longest = motions.into_iter().max_by_key(|motion| motion.frames.len());
    let longest = longest.context("a file of motions without any")?;
    Ok(Subject::Motion(longest))
}

/// All sides at rest; of what moves, a second row with its longest take, or walking.
fn model_sheet(
    args: &ShowAssetArgs,
    model: Model,
    record: &AssetRecord,
    output: &Output,
) -> Result<(Plane<[u8; 3]>, String)> {
    let mut views = around(args.views, None);
    let triangles: usize = model.meshes.iter().map(|mesh| mesh.triangles.len()).sum();
    let (low, high) = model
        .meshes
        .iter()
        .filter_map(|mesh| mesh.bounds())
        .reduce(|(low, high), (l, h)| (low.min(l), high.max(h)))
        .unwrap_or_default();
    let size = high - low;
    let mut words = format!(
        "{}: {triangles} triangles, {:.3} × {:.3} × {:.3} m",
        record.id, size.x, size.y, size.z
    );
    if let Some(rig) = &model.rig {
        let longest = model.motions.iter().max_by_key(|take| take.frames.len());
        let moved = match longest {
            Some(take) => Some((take.name.clone(), take_poses(rig, take, args.views))),
            None => builtin::motion::motion(WALK)
                .and_then(|walk| poses(rig, &walk, args.views).ok())
                .map(|poses| ("the built-in walk".to_owned(), poses)),
        };
        if let Some((name, poses)) = moved {
            words = format!("{words}; first row at rest, second row {name}");
            views.extend(poses.into_iter().map(|body| Facing {
                azimuth_rad: THREE_QUARTER_RAD,
                body: Some(body),
            }));
        }
    }
    Ok((render(args, model, record, &views, output)?, words))
}

/// A built-in person in the motion, from two sides.
fn motion_sheet(
    args: &ShowAssetArgs,
    motion: &Motion,
    output: &Output,
) -> Result<(Plane<[u8; 3]>, String)> {
    let (library, _) = Library::open(&[])?;
    let model = Model::clone(&*library.load_model(PERSON)?);
    let record = library.record(PERSON)?;
    let rig = model
        .rig
        .as_ref()
        .context("the built-in person cannot move")?;
    let poses =
        poses(rig, motion, args.views).map_err(|error| UserError::new(error.to_string()))?;
    let views: Vec<Facing> = [THREE_QUARTER_RAD, THREE_QUARTER_RAD + 1.6]
        .into_iter()
        .flat_map(|azimuth_rad| {
            poses.iter().map(move |body| Facing {
                azimuth_rad,
                body: Some(body.clone()),
            })
        })
        .collect();
    let words = format!(
        "{}: {} frames at {} Hz ({:.2} s), {} joints, shown by {PERSON} at {} times",
        motion.name,
        motion.frames.len(),
        motion.rate_hz,
        motion.duration_secs(),
        motion.joints.len(),
        args.views
    );
    Ok((render(args, model, &record, &views, output)?, words))
}

fn around(count: u32, body: Option<&BodyPose>) -> Vec<Facing> {
    (0..count)
        .map(|view| Facing {
            azimuth_rad: std::f32::consts::TAU * view as f32 / count as f32,
            body: body.cloned(),
        })
        .collect()
}

/// The rig's own take at `count` times from its first to its last sample.
fn take_poses(rig: &Rig, take: &Motion, count: u32) -> Vec<BodyPose> {
    let last = take.frames.len().saturating_sub(1);
    (0..count as usize)
        .map(|step| {
            let frame = step * last / (count as usize - 1).max(1);
            BodyPose {
                morph_weights: take.morph_weights.get(frame).cloned().unwrap_or_default(),
                ..rig.pose(&take.frames[frame])
            }
        })
        .collect()
}

/// A foreign motion on the rig, at `count` times.
fn poses(
    rig: &Rig,
    motion: &Motion,
    count: u32,
) -> Result<Vec<BodyPose>, diorama_assets::RetargetError> {
    let carried = retarget(rig, motion)?;
    let duration = motion.duration_secs();
    let steps = (count - 1).max(1) as f32;
    Ok((0..count)
        .map(|step| rig.pose(&carried.sample(duration * step as f32 / steps)))
        .collect())
}

/// The views, as many in a row as were asked for.
fn render(
    args: &ShowAssetArgs,
    model: Model,
    record: &AssetRecord,
    views: &[Facing],
    output: &Output,
) -> Result<Plane<[u8; 3]>> {
    let shelf = Shelf::open(&AssetArgs::default(), output)?;
    let floor = shelf.library.record(FLOOR)?;
    let picture = Path::new(&args.environment);
    let of_library = if picture.is_file() {
        None
    } else {
        Some(shelf.library.record(&args.environment)?)
    };
    let mut assets = StageAssets::with_shelf(shelf);
    let environment = match of_library {
        Some(record) => record,
        None => assets.add_environment(load_environment_file(picture)?),
    };
    let shot = turntable(&model, record, floor, views, environment, args.size);
    shot.validate()?;
    assets.add_model(record.id.clone(), model);
    let settings = RenderSettings {
        samples: args.spp,
        denoise: Denoise::Builtin,
        full_labels: false,
        ..RenderSettings::default()
    };
    let mut renderer = Renderer::new(&shot, &assets, settings)?;
    let rows = views.len().div_ceil(args.views as usize) as u32;
    let mut sheet = Plane::filled(args.views * args.size, rows * args.size, [0u8; 3]);
    let progress = Progress::new(output, 1, 0);
    progress.stage("", "rendering", views.len() as u64);
    for index in 0..views.len() as u32 {
        let frame = renderer.render_frame(index)?;
        if index == 0 {
            renderer.set_exposure(Renderer::automatic_exposure(&frame));
        }
        let tile = &frame.worlds[0].display;
        let (left, top) = (
            index % args.views * args.size,
            index / args.views * args.size,
        );
        for row in 0..args.size {
            let from = tile.index(0, row);
            let to = sheet.index(left, top + row);
            let width = args.size as usize;
            sheet.data[to..to + width].copy_from_slice(&tile.data[from..from + width]);
        }
        progress.frame();
    }
    progress.finish();
    Ok(sheet)
}

/// The picture as it lies in the file, made smaller by whole pixels, its mean at middle grey.
fn tone_mapped(map: &EnvironmentMap) -> Plane<[u8; 3]> {
    let (width, height) = (map.image.width, map.image.height);
    let Pixels::RgbF32(texels) = &map.image.pixels else {
        return Plane::filled(width, height, [0; 3]);
    };
    let step = width.div_ceil(ENVIRONMENT_WIDTH).max(1);
    let mut small = Plane::filled((width / step).max(1), (height / step).max(1), Vec3::ZERO);
    let mut log_sum = 0.0f64;
    for row in 0..small.height {
        for column in 0..small.width {
            let mut sum = Vec3::ZERO;
            for y in 0..step.min(height) {
                for x in 0..step.min(width) {
                    let at =
                        u64::from(row * step + y) * u64::from(width) + u64::from(column * step + x);
                    sum += Vec3::from_array(texels[at as usize]);
                }
            }
            let mean = sum / (step * step) as f32;
            let index = small.index(column, row);
            small.data[index] = mean;
            let luminance = mean.dot(Vec3::new(0.2126, 0.7152, 0.0722));
            log_sum += libm::log2(f64::from(luminance.max(1e-4)));
        }
    }
    let log_mean = log_sum / small.data.len() as f64;
    let scale = MIDDLE_GREY / libm::exp2(log_mean);
    view::display_plane(View::Agx, scale as f32, &small)
}
