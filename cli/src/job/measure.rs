//! Is a Shot good enough? What the recipe asks of a renderer before it accepts one.

use anyhow::Result;
use diorama_assets::AssetSource;
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::draw::{Brightness, Measurements, RemovedSet, accept};
use diorama_synth::recipe::RemovalRecipe;
use diorama_synth::shot::{Shot, World};

/// Longer side of the pictures of the first look, pixels.
const QUICK_SIDE: u32 = 128;
/// Frames of the first look.
const QUICK_FRAMES: u32 = 16;
/// Longer side of the picture whose brightness is measured, pixels.
const BRIGHTNESS_SIDE: u32 = 64;
/// Samples per pixel of it: enough for shares of pixels, not for looking at.
const BRIGHTNESS_SAMPLES: u32 = 32;
/// A pixel with all channels below this 8-bit level counts as black.
const DARK_LEVEL: u8 = 5;

/// Measures what [`accept`] needs. Shots that a quick look already refuses are not looked at closely;
/// an accepted one was measured in every frame at its full size.
/// With `through_glass` an object is also seen where glass shows it.
pub fn measure(
    shot: &Shot,
    recipe: &RemovalRecipe,
    through_glass: bool,
    assets: &dyn AssetSource,
) -> Result<Measurements> {
    let visibility = |shot: &Shot, frames| visibility(shot, through_glass, assets, frames);
    let quick = Measurements {
        removed: visibility(&resized(shot, QUICK_SIDE), QUICK_FRAMES)?,
        brightness: None,
    };
    if accept(&quick, recipe, shot.night).is_err() {
        return Ok(quick);
    }
    let bright = Measurements {
        brightness: Some(brightness(shot, assets)?),
        ..quick
    };
    if accept(&bright, recipe, shot.night).is_err() {
        return Ok(bright);
    }
    Ok(Measurements {
        removed: visibility(shot, shot.frame_count)?,
        ..bright
    })
}

/// The Shot with its longer side at most `side` pixels.
fn resized(shot: &Shot, side: u32) -> Shot {
    let longer = shot.resolution[0].max(shot.resolution[1]);
    let mut small = shot.clone();
    if longer > side {
        small.resolution = shot
            .resolution
            .map(|s| (u64::from(s) * u64::from(side) / u64::from(longer)).max(1) as u32);
    }
    small
}

/// `count` frames of 0..`total`, evenly spaced, first and last included.
fn spread(count: u32, total: u32) -> impl Iterator<Item = u32> {
    let count = count.min(total).max(1);
    (0..count).map(move |i| {
        let steps = u64::from(count - 1).max(1);
        (u64::from(i) * u64::from(total - 1) / steps) as u32
    })
}

/// What is seen of every removed set, in `frames` frames.
fn visibility(
    shot: &Shot,
    through_glass: bool,
    assets: &dyn AssetSource,
    frames: u32,
) -> Result<Vec<RemovedSet>> {
    let settings = RenderSettings {
        full_labels: false,
        ..RenderSettings::default()
    };
    let renderer = Renderer::new(shot, assets, settings)?;
    let pixels = f64::from(shot.resolution[0]) * f64::from(shot.resolution[1]);
    let worlds = shot.worlds.iter().filter(|w| w.name.starts_with("removed"));
    let removed: Vec<Vec<Vec<u32>>> = worlds.map(|world| together(shot, world)).collect();
    let mut sets: Vec<RemovedSet> = removed
        .iter()
        .map(|groups| RemovedSet {
            area: Vec::new(),
            objects: vec![Vec::new(); groups.len()],
        })
        .collect();
    for index in spread(frames, shot.frame_count) {
        let frame = renderer.label_frame(index);
        for (set, groups) in sets.iter_mut().zip(&removed) {
            let mut shows_any = vec![false; frame.labels.instance.data.len()];
            for (shares, group) in set.objects.iter_mut().zip(groups) {
                let mut seen = 0;
                for id in group {
                    for (any, shows) in shows_any.iter_mut().zip(frame.showing(*id, through_glass))
                    {
                        *any |= shows;
                        seen += u32::from(shows);
                    }
                }
                shares.push(f64::from(seen) / pixels);
            }
            let area = shows_any.iter().filter(|any| **any).count() as f64 / pixels;
            set.area.push(area);
        }
    }
    Ok(sets)
}

/// The removed objects of a world, each with what it holds: small things need not be seen for themselves that
/// go because their holder does.
fn together(shot: &Shot, world: &World) -> Vec<Vec<u32>> {
    let leads = |id: &u32| {
        let holder = shot.holder(*id).map(|(holder, _)| holder.id);
        holder.filter(|id| world.removed.contains(id))
    };
    let leaders = world.removed.iter().filter(|id| leads(id).is_none());
    leaders
        .map(|leader| {
            let led = world.removed.iter().filter(|id| leads(id) == Some(*leader));
            std::iter::once(leader).chain(led).copied().collect()
        })
        .collect()
}

/// Brightness of the first full frame after exposure and view, in a small picture.
fn brightness(shot: &Shot, assets: &dyn AssetSource) -> Result<Brightness> {
    let small = resized(&shot.only_world(0), BRIGHTNESS_SIDE);
    let settings = RenderSettings {
        samples: BRIGHTNESS_SAMPLES,
        full_labels: false,
        ..RenderSettings::default()
    };
    let frame = Renderer::new(&small, assets, settings)?.render_frame(0)?;
    let display = &frame.worlds[0].display.data;
    let share = |test: fn(&[u8; 3]) -> bool| {
        display.iter().filter(|pixel| test(pixel)).count() as f64 / display.len().max(1) as f64
    };
    Ok(Brightness {
        clipped: share(|pixel| pixel.contains(&u8::MAX)),
        dark: share(|pixel| pixel.iter().all(|level| *level < DARK_LEVEL)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_over_the_whole_clip() {
        assert_eq!(spread(3, 81).collect::<Vec<_>>(), [0, 40, 80]);
        assert_eq!(spread(9, 4).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(spread(1, 5).collect::<Vec<_>>(), [0]);
        assert_eq!(spread(5, 1).collect::<Vec<_>>(), [0]);
    }
}
