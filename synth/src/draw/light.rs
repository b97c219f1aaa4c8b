//! The environment and the sun.

use std::sync::Arc;

use diorama_assets::EnvironmentMap;
use diorama_assets::environment::SunRecord;
use glam::{Quat, Vec3};

use super::sample::{direction_at, half_shell, uniform};
use super::{DrawError, Drawing, choice, listed};
use crate::shot::{Environment, Light, LightKind, Pose, Track, WorldSet};

/// Everything that lights a shot.
pub(super) struct Lighting {
    pub(super) environment: Environment,
    pub(super) sun: Light,
    pub(super) night: bool,
    pub(super) description: String,
}

impl Lighting {
    pub(super) fn draw(drawing: &Drawing<'_>) -> Result<Self, DrawError> {
        let recipe = drawing.recipe;
        let mut stream = drawing.stream("lights");
        let low = stream.chance(recipe.prob_extreme_lighting);
        let position = half_shell(&mut stream, recipe.light_range_position, 0.0);
        let aim = half_shell(&mut stream, recipe.light_range_lookat, 0.0);
        // One draw for either range, so that the range chosen moves nothing after it.
        let share = stream.unit();
        let [lowest, highest] = if low {
            recipe.range_sun_elevation_extreme_deg
        } else {
            recipe.range_sun_elevation_deg
        };
        // To a hundredth, as it is written into the id of a sky.
        let elevation_deg = ((lowest + (highest - lowest) * share) * 100.0).round() / 100.0;
        let intensity = uniform(&mut stream, recipe.light_range_intensity);
        let diameter_deg = uniform(&mut stream, recipe.range_sun_angular_diameter_deg);
        let across = position - aim;
        let azimuth = libm::atan2(f64::from(across.y), f64::from(across.x));
        let to_sun = direction_at(azimuth, elevation_deg.to_radians());

        let (asset, map) = draw_environment(drawing, elevation_deg)?;
        // The sky turns until its sun stands where the light comes from; pictures of real places
        // stay as they are, as in the original.
        let rotation = map.sun.map_or(0.0, |sun| {
            let [x, y, _] = sun.direction_to_sun.map(f64::from);
            azimuth - libm::atan2(y, x)
        });
        let light = Strengths::of(&map, intensity);
        Ok(Self {
            environment: Environment {
                asset: Some(asset),
                color: [1.0; 3],
                rotation_rad: rotation as f32,
                strength: light.environment * recipe.environment_strength as f32,
            },
            sun: Light {
                name: "sun".into(),
                worlds: WorldSet::ALL,
                kind: LightKind::Sun(SunRecord {
                    direction_to_sun: to_sun.to_array(),
                    irradiance: light.sun,
                    angular_diameter_rad: diameter_deg.to_radians(),
                }),
                pose: Track::Constant(Pose {
                    position: Vec3::ZERO,
                    rotation: Quat::from_rotation_arc(Vec3::Z, to_sun).normalize(),
                }),
            },
            night: map.night,
            description: describe(&map, elevation_deg),
        })
    }
}

/// One environment of the library, its sun at the drawn elevation where it has one.
fn draw_environment(
    drawing: &Drawing<'_>,
    elevation_deg: f64,
) -> Result<(String, Arc<EnvironmentMap>), DrawError> {
    let mut stream = drawing.stream("environment");
    let allowed = listed(
        drawing.library.environments(),
        &drawing.recipe.environments,
        "environments",
    )?;
    let id = choice(&mut stream, &allowed).id.clone();
    let id = drawing.library.with_sun(&id, elevation_deg);
    let map = drawing.library.environment(&id)?;
    Ok((id, map))
}

/// How strong sun and environment are.
#[derive(Debug, PartialEq)]
struct Strengths {
    /// Irradiance of a surface that faces the sun, W/m².
    sun: [f32; 3],
    /// Factor of the environment's radiance.
    environment: f32,
}

impl Strengths {
    /// A sky and its own sun are one light, of which the air takes as much as it takes: both are
    /// scaled by one factor, to `intensity` W/m² together (the sun on a surface that faces it, the
    /// sky on level ground). A low sun alone at that strength would drown its sky in red. Where the
    /// environment has no sun, a white one of `intensity` joins it as it is.
    fn of(map: &EnvironmentMap, intensity: f32) -> Self {
        let mean = |color: [f32; 3]| color.iter().sum::<f32>() / 3.0;
        if let Some(sun) = map.sun {
            let together = mean(sun.irradiance) + mean(map.level_irradiance());
            let factor = intensity / together;
            if factor.is_finite() {
                return Self {
                    sun: sun.irradiance.map(|c| c * factor),
                    environment: factor,
                };
            }
        }
        Self {
            sun: [intensity; 3],
            environment: 1.0,
        }
    }
}

/// A phrase for captions. The light is called a sun only where the environment shows a sky of its own
/// with the sun in it; elsewhere it is a strong light.
fn describe(map: &EnvironmentMap, elevation_deg: f64) -> String {
    let light = match (map.sun.is_some(), elevation_deg) {
        (true, e) if e < 12.0 => "a very low sun",
        (true, e) if e < 30.0 => "a low sun",
        (true, e) if e < 55.0 => "the sun shining",
        (true, _) => "the sun high up",
        (false, e) if e < 30.0 => "strong light from low on one side",
        (false, e) if e < 55.0 => "strong light from one side",
        (false, _) => "strong light from above",
    };
    let place = &map.description;
    if place.is_empty() {
        return format!("in {light}");
    }
    let preposition = if place.contains("sky") { "under" } else { "in" };
    format!("{preposition} {place} with {light}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_shines_from_where_the_record_says() {
        for (azimuth, elevation) in [(0.3, 0.1), (2.0, 1.3), (-3.0, 0.7)] {
            let to_sun = direction_at(azimuth, elevation);
            let rotation = Quat::from_rotation_arc(Vec3::Z, to_sun);
            assert!((rotation * Vec3::NEG_Z + to_sun).length() < 1e-5);
        }
    }

    #[test]
    fn a_sky_and_its_sun_keep_their_ratio_and_have_the_drawn_strength_together() {
        for (elevation, sun_share) in [(2.0, 0.05..0.5), (12.0, 0.6..0.85), (60.0, 0.7..0.9)] {
            let id = format!("builtin/sky?elevation={elevation}&turbidity=2.5");
            let mut map = diorama_assets::builtin::environment(&id).unwrap();
            let own = map.sun.unwrap().irradiance;
            let strengths = Strengths::of(&map, 5.0);
            let mean = |color: [f32; 3]| color.iter().sum::<f32>() / 3.0;
            let sky = mean(map.level_irradiance()) * strengths.environment;
            assert!((mean(strengths.sun) + sky - 5.0).abs() < 1e-4);
            for (scaled, own) in strengths.sun.iter().zip(own) {
                assert!((scaled / (own * strengths.environment) - 1.0).abs() < 1e-5);
            }
            let share = mean(strengths.sun) / 5.0;
            assert!(sun_share.contains(&share), "{elevation}: {share}");
            map.sun = None;
            let alone = Strengths::of(&map, 5.0);
            assert_eq!((alone.sun, alone.environment), ([5.0; 3], 1.0));
        }
    }

    #[test]
    fn words_say_sun_only_where_there_is_one() {
        let mut map = EnvironmentMap {
            image: diorama_assets::Image {
                name: String::new(),
                width: 1,
                height: 1,
                pixels: diorama_assets::Pixels::RgbF32(vec![[0.0; 3]]),
            },
            sun: None,
            description: "a bright studio".into(),
            night: false,
        };
        assert_eq!(
            describe(&map, 8.0),
            "in a bright studio with strong light from low on one side"
        );
        map.description = "a clear evening sky".into();
        map.sun = Some(SunRecord {
            direction_to_sun: [1.0, 0.0, 0.0],
            irradiance: [1.0; 3],
            angular_diameter_rad: 0.0,
        });
        assert_eq!(
            describe(&map, 8.0),
            "under a clear evening sky with a very low sun"
        );
    }
}
