//! What is around a character: background, floor, camera, light.

use diorama_assets::environment::{EnvironmentMap, SunRecord};
use diorama_assets::model::AssetRecord;
use glam::{Quat, Vec3};

use super::{AvatarError, AvatarLibrary, FLOOR_ID, camera};
use crate::draw::material::luminance;
use crate::draw::sample::{look_at, uniform};
use crate::recipe::AvatarRecipe;
use crate::shot::{Camera, Environment, Light, LightKind, Object, Pose, Role, Track, WorldSet};
use crate::stream::Stream;

/// Where the area light of `avatar.blend` hangs, metres.
const LIGHT_POSITION: Vec3 = Vec3::new(3.53, -3.37, 5.85);
/// Light on level ground, W/m², that built-in skies are exposed for: white ground has a radiance of 1.
const EXPOSED_IRRADIANCE: f32 = core::f32::consts::PI;
/// How far dim ones are lifted there, as an exponent: a night stays darker than a day.
const EXPOSED_SHARE: f32 = 0.8;
/// Floor of a blank room.
const ROOM_FLOOR: &str = "builtin/floor?texture=checker-0";

/// Everything but characters and props.
pub(super) struct Stage {
    pub(super) floor: Object,
    pub(super) camera: Camera,
    pub(super) environment: Environment,
    pub(super) lights: Vec<Light>,
    pub(super) assets: Vec<AssetRecord>,
    pub(super) night: bool,
    pub(super) description: String,
}

pub(super) fn draw(
    recipe: &AvatarRecipe,
    stream: &dyn Fn(&str) -> Stream,
    library: &dyn AvatarLibrary,
) -> Result<Stage, AvatarError> {
    let mut background = stream("background");
    let skyboxes = library.skyboxes();
    let with_sky = background.chance(recipe.prob_skybox) && !skyboxes.is_empty();
    let mut assets = Vec::new();
    let mut lights: Vec<Light> = light(recipe, &mut stream("light")).into_iter().collect();
    let (environment, floor_asset, night, description) = if with_sky {
        let mut id = skyboxes[background.below(skyboxes.len() as u64) as usize].clone();
        if recipe.ldr_expand {
            id = library.expanded(&id)?;
        }
        let map = library.environment(&id)?;
        let gain = if id.starts_with("builtin/") {
            exposed(&map)
        } else {
            1.0
        };
        let environment = Environment {
            rotation_rad: background.range(0.0, std::f64::consts::TAU) as f32,
            strength: uniform(&mut background, recipe.range_sky_strength) * gain,
            color: [1.0; 3],
            asset: Some(id.clone()),
        };
        assets.push(library.record(&id)?);
        lights.extend(map.sun.as_ref().map(|own| sun(own, &environment)));
        let place = map.description.clone();
        (environment, library.floor_of(&id), map.night, place)
    } else {
        let mut channel = || uniform(&mut background, recipe.range_room_color);
        let color = [channel(), channel(), channel()];
        let environment = Environment {
            asset: None,
            color,
            rotation_rad: 0.0,
            strength: 1.0,
        };
        (environment, ROOM_FLOOR.to_owned(), false, String::new())
    };
    assets.push(library.record(&floor_asset)?);
    let floor = Object {
        id: FLOOR_ID,
        name: "floor".into(),
        asset: floor_asset,
        mesh: 0,
        materials: Vec::new(),
        role: Role::Background,
        noun: "floor".into(),
        adjectives: Vec::new(),
        worlds: WorldSet::ALL,
        scale: Vec3::ONE,
        // Turned with the picture, so that the two stay in one place.
        pose: Track::Constant(Pose {
            rotation: Quat::from_rotation_z(environment.rotation_rad),
            ..Pose::IDENTITY
        }),
        body: None,
        motion: None,
        physics: None,
    };
    Ok(Stage {
        floor,
        camera: camera::draw(recipe, stream),
        environment,
        lights,
        assets,
        night,
        description,
    })
}

/// What a built-in sky is multiplied with. Their radiances are physical, a clear noon being about 1, while
/// pictures were taken with an exposure for their light, and this recipe has no other: so dim skies are
/// lifted most of the way, by the light on level ground.
fn exposed(map: &EnvironmentMap) -> f32 {
    let light = luminance(map.ground_irradiance());
    if light <= 0.0 {
        return 1.0;
    }
    libm::powf(EXPOSED_IRRADIANCE / light, EXPOSED_SHARE).max(1.0)
}

fn light(recipe: &AvatarRecipe, stream: &mut Stream) -> Option<Light> {
    let watts = uniform(stream, recipe.range_light_watts);
    let side = uniform(stream, recipe.range_light_size);
    (watts > 0.0).then(|| Light {
        name: "area light".into(),
        worlds: WorldSet::ALL,
        kind: LightKind::Area {
            watts: [watts; 3],
            size: [side; 2],
        },
        pose: Track::Constant(Pose {
            position: LIGHT_POSITION,
            rotation: look_at(LIGHT_POSITION, Vec3::ZERO),
        }),
    })
}

/// The sun that a sky keeps out of its picture, turned and scaled with it.
fn sun(own: &SunRecord, environment: &Environment) -> Light {
    let turn = Quat::from_rotation_z(environment.rotation_rad);
    let to_sun = turn * Vec3::from(own.direction_to_sun);
    Light {
        name: "sun".into(),
        worlds: WorldSet::ALL,
        kind: LightKind::Sun(SunRecord {
            direction_to_sun: to_sun.to_array(),
            irradiance: own.irradiance.map(|c| c * environment.strength),
            ..*own
        }),
        pose: Track::Constant(Pose {
            position: Vec3::ZERO,
            rotation: Quat::from_rotation_arc(Vec3::Z, to_sun).normalize(),
        }),
    }
}
