//! What is around a character: background, floor, camera, light.

use diorama_assets::environment::SunRecord;
use diorama_assets::model::AssetRecord;
use diorama_assets::{Material, Model};
use glam::{Quat, Vec3};

use super::{AvatarError, AvatarLibrary, FLOOR_ID};
use crate::draw::material::color_word;
use crate::draw::sample::{look_at, uniform};
use crate::recipe::AvatarRecipe;
use crate::shot::{
    Camera, Environment, Lens, Light, LightKind, Object, Pose, Role, Track, WorldSet,
};
use crate::stream::Stream;

/// Sensor width of `avatar.blend`, millimetres.
const SENSOR_MM: f32 = 36.0;
/// Distance of the camera in `avatar.blend`, metres; the point looked at rises by a tenth of how much
/// nearer the drawn one is.
const ORIGINAL_DISTANCE: f64 = 5.0;
/// Where the area light of `avatar.blend` hangs, metres.
const LIGHT_POSITION: Vec3 = Vec3::new(3.53, -3.37, 5.85);
/// Floor of a blank room.
const ROOM_FLOOR: &str = "builtin/floor?texture=checker-0";

/// Everything but the character.
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
        let environment = Environment {
            rotation_rad: background.range(0.0, std::f64::consts::TAU) as f32,
            strength: uniform(&mut background, recipe.range_sky_strength),
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
        camera: camera(recipe, &mut stream("camera")),
        environment,
        lights,
        assets,
        night,
        description,
    })
}

fn camera(recipe: &AvatarRecipe, stream: &mut Stream) -> Camera {
    let distance = stream.range(
        recipe.range_camera_distance[0],
        recipe.range_camera_distance[1],
    );
    let height = uniform(stream, recipe.range_camera_height);
    let azimuth =
        Quat::from_rotation_z(uniform(stream, recipe.range_camera_azimuth_deg).to_radians());
    let slide = uniform(stream, recipe.range_camera_slide);
    let rise = (ORIGINAL_DISTANCE - distance) * 0.1;
    let target = Vec3::Z * (uniform(stream, recipe.range_look_height) + rise as f32);
    let focal_length_mm = uniform(stream, recipe.range_focal_mm);
    let eye = azimuth * Vec3::new(0.0, -distance as f32, height);
    let along = azimuth * Vec3::X * slide;
    let last = (recipe.video_length.max(2) - 1) as f32;
    let pose = |position: Vec3| Pose {
        position,
        rotation: look_at(position, target),
    };
    let lens = Lens {
        focal_length_mm,
        sensor_width_mm: SENSOR_MM,
        aperture_radius: 0.0,
        focus_distance: distance as f32,
        shift: [0.0; 2],
    };
    Camera {
        name: "camera".into(),
        pose: if slide == 0.0 {
            Track::Constant(pose(eye))
        } else {
            let frames = -1..=i64::from(recipe.video_length);
            Track::PerFrame(
                frames
                    .map(|frame| pose(eye + along * (frame as f32 / last - 0.5)))
                    .collect(),
            )
        },
        lens: Track::Constant(lens),
        shutter: recipe.shutter as f32,
    }
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

/// The character's materials with other colours where the recipe draws them; empty: its own.
///
/// Skin, eyes, hair and what has a texture keep theirs.
pub(super) fn clothes(recipe: &AvatarRecipe, model: &Model, stream: &mut Stream) -> Vec<Material> {
    const BODY: [&str; 9] = [
        "skin", "body", "eye", "hair", "teeth", "tongue", "brow", "lash", "face",
    ];
    if !stream.chance(recipe.prob_recolour) {
        return Vec::new();
    }
    let recolour = |material: &Material| {
        let name = material.name.to_lowercase();
        let is_body = BODY.iter().any(|word| name.contains(word));
        let mut color = || stream.range(0.02, 0.8) as f32;
        let drawn = [color(), color(), color()];
        let mut own = material.clone();
        if !is_body && own.base_color_texture.is_none() {
            own.base_color = drawn;
        }
        own
    };
    model.materials.iter().map(recolour).collect()
}

/// Garments by the names of materials, with the word of their colour where that is plain: `blue shirt`.
pub(super) fn garments(materials: &[Material]) -> Vec<String> {
    const GARMENTS: [(&str, &str); 15] = [
        ("t-shirt", "t-shirt"),
        ("shirt", "shirt"),
        ("sweater", "sweater"),
        ("jacket", "jacket"),
        ("coat", "coat"),
        ("dress", "dress"),
        ("skirt", "skirt"),
        ("trouser", "trousers"),
        ("pants", "trousers"),
        ("jeans", "jeans"),
        ("shorts", "shorts"),
        ("suit", "suit"),
        ("top", "top"),
        ("shoe", "shoes"),
        ("boot", "boots"),
    ];
    let mut found: Vec<String> = Vec::new();
    for material in materials {
        let name = material.name.to_lowercase();
        let Some((_, garment)) = GARMENTS.iter().find(|(part, _)| name.contains(part)) else {
            continue;
        };
        if found.iter().any(|known| known.ends_with(garment)) {
            continue;
        }
        found.push(match material.base_color_texture {
            None => match color_word(material.base_color) {
                Some(color) => format!("{color} {garment}"),
                None => (*garment).to_owned(),
            },
            Some(_) => (*garment).to_owned(),
        });
    }
    found
}
