//! A glTF scene as a Shot, with what the flags and the file leave open filled in.

use anyhow::Result;
use diorama_assets::{LoadOptions, SceneFile, load_environment_file, load_scene};
use diorama_synth::gltf_shot::{SceneOptions, shot_from_scene};
use diorama_synth::shot::{Exposure, View};

use super::Stage;
use super::assets::StageAssets;
use crate::args::RenderArgs;
use crate::output::Output;

/// Longer side of the picture where no size is given, pixels.
const DEFAULT_SIDE: u32 = 512;

/// Reads the file of `diorama render`.
pub(super) fn load(args: &RenderArgs, output: &Output) -> Result<Stage> {
    let options = LoadOptions {
        thin_walled: args.thin_walled,
        ..LoadOptions::default()
    };
    let (scene, environment) = rayon::join(
        || load_scene(&args.file, options),
        || args.environment.as_deref().map(load_environment_file),
    );
    let (scene, warnings) = scene?;
    let mut assets = StageAssets::of_scene(warnings.0);
    let environment = match environment {
        Some(loaded) => Some((assets.add_environment(loaded?), 0.0, 1.0)),
        None => None,
    };
    let options = SceneOptions {
        seed: args.seed.unwrap_or(0),
        resolution: resolution(args, &scene),
        camera: args.camera.clone(),
        environment,
        remove: args.remove.clone(),
        exposure: Exposure::Ev(0.0),
        view: View::Standard,
    };
    let (shot, notes) = shot_from_scene(&scene, &options)?;
    for note in notes {
        output.note(format!("note: {}: {note}", args.file.display()));
    }
    assets.add_model(scene.record.id, scene.model);
    Ok(Stage { shot, assets })
}

/// The size asked for; what is not given follows the shape of the camera looked through.
fn resolution(args: &RenderArgs, scene: &SceneFile) -> [u32; 2] {
    let camera = scene
        .cameras
        .iter()
        .find(|camera| args.camera.as_ref().is_none_or(|name| *name == camera.name));
    let aspect = camera
        .and_then(|camera| camera.aspect_ratio)
        .filter(|aspect| (0.05..20.0).contains(aspect))
        .unwrap_or(1.0);
    shape(args.width, args.height, aspect)
}

/// Width and height with the given ratio where one or both are open.
fn shape(width: Option<u32>, height: Option<u32>, aspect: f32) -> [u32; 2] {
    let even = |side: f32| ((side / 2.0).round() as u32 * 2).max(2);
    match (width, height) {
        (Some(width), Some(height)) => [width, height],
        (Some(width), None) => [width, even(width as f32 / aspect)],
        (None, Some(height)) => [even(height as f32 * aspect), height],
        (None, None) if aspect >= 1.0 => [DEFAULT_SIDE, even(DEFAULT_SIDE as f32 / aspect)],
        (None, None) => [even(DEFAULT_SIDE as f32 * aspect), DEFAULT_SIDE],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_sides_follow_the_camera() {
        assert_eq!(shape(None, None, 16.0 / 9.0), [512, 288]);
        assert_eq!(shape(None, None, 0.5), [256, 512]);
        assert_eq!(shape(Some(640), None, 16.0 / 9.0), [640, 360]);
        assert_eq!(shape(None, Some(100), 2.0), [200, 100]);
        assert_eq!(shape(Some(3), Some(5), 2.0), [3, 5]);
    }
}
