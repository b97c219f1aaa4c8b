//! `diorama render`: a glTF scene or a shot.json to pictures.

pub(super) mod assets;
mod exr;
mod scene;
mod target;

use std::path::{Path, PathBuf};

use anyhow::Result;
use diorama_assets::load_environment_file;
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::shot::{Environment, Exposure, Role, Shot, View, World, WorldSet};
use serde_json::json;

use crate::args::{DenoiseArg, RenderArgs, ViewArg};
use crate::backend::Backend;
use crate::exit::{Status, UserError};
use crate::job::stream;
use crate::output::Output;
use crate::plan::check_noise_threshold;
use crate::progress::Progress;
use assets::StageAssets;
use target::Target;

/// A Shot with what it needs.
struct Stage {
    shot: Shot,
    assets: StageAssets,
}

/// Runs the command.
pub(super) fn run(args: &RenderArgs, output: &Output) -> Result<Status> {
    let target = Target::of(&args.output)?;
    check(args, target.shows_display())?;
    let mut stage = load(args, output)?;
    apply(args, &mut stage.shot)?;
    stage.shot.validate()?;
    if stage.shot.objects.is_empty() {
        output.warning(format!(
            "{} has no mesh: the picture shows its surroundings alone",
            args.file.display()
        ));
    }
    let frames = frames(args, &stage.shot, target.is_folder())?;
    if let Target::Folder(folder) = &target {
        super::make_dir(folder)?;
    }
    let settings = settings(args);
    let asked = args.picture.backend.clone().unwrap_or_default();
    let backend = Backend::resolve(&asked, output)?;
    backend.with_fallback(output, |backend, begun| {
        let settings = RenderSettings {
            gpu: backend.gpu.clone(),
            ..settings.clone()
        };
        let traced = trace(&stage, &frames, settings, &target, output, begun)?;
        output.json(&json!({
            "written": traced.written, "frames": frames.len(), "rays": traced.rays,
            "seconds_per_frame": traced.seconds, "backend": backend.setting,
        }))
    })?;
    output.plain(args.output.display().to_string())?;
    Ok(Status::Good)
}

/// What came of a run.
#[derive(Default)]
struct Traced {
    written: Vec<PathBuf>,
    rays: u64,
    seconds: Vec<f64>,
}

/// Renders frames and writes them; `begun`: there is a first one.
fn trace(
    stage: &Stage,
    frames: &[u32],
    settings: RenderSettings,
    target: &Target,
    output: &Output,
    begun: &mut bool,
) -> Result<Traced> {
    let Stage { shot, assets } = stage;
    let mut renderer = Renderer::new(shot, assets, settings)?;
    for warning in assets.warnings() {
        output.warning(warning);
    }
    let progress = Progress::new(output, 1, 0);
    progress.stage("", "rendering", frames.len() as u64);
    let mut traced = Traced::default();
    stream(
        frames.len() as u32,
        |index| {
            let start = std::time::Instant::now();
            let frame = renderer.render_frame(frames[index as usize])?;
            *begun = true;
            traced.seconds.push(start.elapsed().as_secs_f64());
            traced.rays += frame.rays;
            if index == 0 && matches!(shot.exposure, Exposure::Auto) {
                // One exposure for all frames: the first one's.
                renderer.set_exposure(Renderer::automatic_exposure(&frame));
            }
            Ok(frame)
        },
        |frame| {
            traced.written.extend(target.write(shot, &frame)?);
            progress.frame();
            Ok(())
        },
    )?;
    progress.finish();
    Ok(traced)
}

fn load(args: &RenderArgs, output: &Output) -> Result<Stage> {
    let extension = args
        .file
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("glb" | "gltf") => scene::load(args, output),
        Some("json") => {
            let (shelf, _) = super::open_shelf(&args.assets, output)?;
            let text = fs_err::read_to_string(&args.file)?;
            let shot = Shot::from_json(&text).map_err(|error| {
                anyhow::Error::from(error).context(args.file.display().to_string())
            })?;
            let mut stage = Stage {
                shot,
                assets: StageAssets::with_shelf(shelf),
            };
            if let Some(path) = &args.environment {
                relight(path, &mut stage)?;
            }
            remove(&args.remove, &mut stage.shot)?;
            Ok(stage)
        }
        _ => Err(UserError::new(format!(
            "{}: not a .glb, .gltf or shot.json file",
            args.file.display()
        ))
        .into()),
    }
}

fn settings(args: &RenderArgs) -> RenderSettings {
    let picture = &args.picture;
    let denoise = picture.denoise.unwrap_or(DenoiseArg::None);
    RenderSettings {
        samples: picture.spp.unwrap_or(128),
        noise_threshold: picture.noise_threshold.unwrap_or(0.0) as f32,
        max_bounces: picture.max_bounces.unwrap_or(20),
        clamp_indirect: picture.clamp_indirect.unwrap_or(0.0) as f32,
        denoise: denoise.into(),
        camera: args.camera.clone(),
        ..RenderSettings::default()
    }
}

/// Flags that are wrong by themselves, before any file is read.
fn check(args: &RenderArgs, shows_display: bool) -> Result<(), UserError> {
    if args.picture.spp == Some(0) {
        return Err(UserError::new("`--spp 0` is out of range (at least 1)"));
    }
    check_noise_threshold(args.picture.noise_threshold.unwrap_or(0.0)).map_err(UserError::new)?;
    for (given, flag) in [(args.width, "--width"), (args.height, "--height")] {
        if let Some(given) = given.filter(|given| !(1..=16_384).contains(given)) {
            return Err(UserError::new(format!(
                "`{flag} {given}` is out of range (1 to 16384)"
            )));
        }
    }
    if args
        .environment_rotation
        .is_some_and(|degrees| !degrees.is_finite())
    {
        return Err(UserError::new(
            "`--environment-rotation` is not a finite number",
        ));
    }
    if let Some(strength) = args.environment_strength
        && !(0.0..=1.0e6).contains(&strength)
    {
        return Err(UserError::new(format!(
            "`--environment-strength {strength}` is out of range (0 to 1e6)"
        )));
    }
    match &args.exposure {
        Some(_) if !shows_display => Err(UserError::new(
            "`--exposure` has no effect on EXR, which is linear",
        )
        .hint("give a .png or a folder as `--output`")),
        Some(exposure) => parse_exposure(exposure).map(drop),
        None => Ok(()),
    }
}

/// Flags that change the Shot itself.
fn apply(args: &RenderArgs, shot: &mut Shot) -> Result<()> {
    for (side, given) in [args.width, args.height].into_iter().enumerate() {
        shot.resolution[side] = given.unwrap_or(shot.resolution[side]);
    }
    shot.seed = args.seed.unwrap_or(shot.seed);
    if let Some(view) = args.view {
        shot.view = match view {
            ViewArg::Filmic => View::Filmic,
            ViewArg::Agx => View::Agx,
            ViewArg::Standard => View::Standard,
            ViewArg::None => View::None,
        };
    }
    if let Some(exposure) = &args.exposure {
        shot.exposure = parse_exposure(exposure)?;
    }
    if let Some(degrees) = args.environment_rotation {
        shot.environment.rotation_rad = degrees.to_radians();
    }
    if let Some(strength) = args.environment_strength {
        shot.environment.strength = strength;
    }
    Ok(())
}

fn parse_exposure(text: &str) -> Result<Exposure, UserError> {
    if text == "auto" {
        return Ok(Exposure::Auto);
    }
    match text.parse::<f32>() {
        Ok(ev) if ev.abs() <= 30.0 => Ok(Exposure::Ev(ev)),
        _ => Err(UserError::new(format!(
            "`--exposure {text}` is neither `auto` nor stops from -30 to 30"
        ))),
    }
}

/// `--environment` for a Shot that has another one.
fn relight(path: &Path, stage: &mut Stage) -> Result<()> {
    let record = stage.assets.add_environment(load_environment_file(path)?);
    stage.shot.environment = Environment {
        asset: Some(record.id.clone()),
        color: [1.0; 3],
        rotation_rad: 0.0,
        strength: 1.0,
    };
    stage.shot.assets.retain(|asset| asset.id != record.id);
    stage.shot.assets.push(record);
    Ok(())
}

/// `--remove`: a second world without the named objects.
fn remove(names: &[String], shot: &mut Shot) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut removed = Vec::new();
    for name in names {
        let before = removed.len();
        removed.extend(
            shot.objects
                .iter()
                .filter(|object| object.name == *name)
                .map(|object| object.id),
        );
        if removed.len() == before {
            let mut known: Vec<&str> = shot.objects.iter().map(|o| o.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            known.truncate(20);
            return Err(UserError::new(format!(
                "`--remove {name}`: there is no object of this name"
            ))
            .hint(format!("there are {}", known.join(", ")))
            .into());
        }
    }
    removed.sort_unstable();
    removed.dedup();
    shot.worlds = vec![
        World {
            name: "full".into(),
            removed: Vec::new(),
        },
        World {
            name: "removed".into(),
            removed: removed.clone(),
        },
    ];
    for object in &mut shot.objects {
        let gone = removed.contains(&object.id);
        object.worlds = if gone {
            WorldSet::only(0)
        } else {
            WorldSet::first(2)
        };
        object.role = match (gone, object.role) {
            (true, _) => Role::Remove,
            (false, Role::Remove) => Role::Keep,
            (false, role) => role,
        };
    }
    for light in &mut shot.lights {
        light.worlds = WorldSet::first(2);
    }
    Ok(())
}

/// Indices of the frames asked for.
fn frames(args: &RenderArgs, shot: &Shot, into_folder: bool) -> Result<Vec<u32>> {
    let first = args.frame.unwrap_or(0);
    let left = shot.frame_count.saturating_sub(first);
    if left == 0 {
        return Err(UserError::new(format!(
            "`--frame {first}`: the shot has frames 0 to {}",
            shot.frame_count - 1
        ))
        .into());
    }
    let count = match args.frames {
        None if into_folder && args.frame.is_none() => left,
        None => 1,
        Some(0) => return Err(UserError::new("`--frames 0` renders nothing").into()),
        Some(count) if count > left => {
            return Err(UserError::new(format!(
                "`--frames {count}`: only {left} frames are left from frame {first}"
            ))
            .into());
        }
        Some(count) => count,
    };
    if count > 1 && !into_folder {
        return Err(
            UserError::new(format!("{count} frames do not fit into one file"))
                .hint("give a folder as `--output`")
                .into(),
        );
    }
    Ok((first..first + count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::empty_shot;

    #[test]
    fn exposures_are_words_or_stops() {
        assert!(matches!(parse_exposure("auto"), Ok(Exposure::Auto)));
        assert!(matches!(parse_exposure("-2.5"), Ok(Exposure::Ev(ev)) if ev == -2.5));
        assert!(parse_exposure("bright").is_err());
        assert!(parse_exposure("1e9").is_err());
    }

    #[test]
    fn unknown_objects_are_refused_with_the_names_there_are() {
        let mut shot = empty_shot();
        let error = remove(&["Teapot".into()], &mut shot).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--remove Teapot`: there is no object of this name"
        );
    }
}
