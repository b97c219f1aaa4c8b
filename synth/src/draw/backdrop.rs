//! What stands around the objects: floor, wall, mirror.

use std::sync::Arc;

use diorama_assets::model::AssetRecord;
use glam::{Mat3, Quat, Vec3};

use super::camera::CameraPath;
use super::light::Lighting;
use super::material::{RandomInputs, adjectives};
use super::sample::uniform;
use super::{DrawError, Drawing, Thing};
use crate::physics::{Body, BodyShape, Motion};
use crate::recipe::Floor;
use crate::shot::{Object, Pose, Role, Track, WorldSet};

/// Half the thickness of wall and mirror, metres.
const HALF_THICKNESS: f32 = 0.1;
/// Gap below the mirror, metres: with its underside in the floor's own plane rounding would choose which of
/// the two a ray meets first, and a mirror of alpha below 1 lets rays pass to find out.
const MIRROR_LIFT: f32 = 0.001;

/// Ids of the built-in pieces.
const FLOOR: &str = "builtin/floor";
const WALL: &str = "builtin/wall";
const MIRROR: &str = "builtin/mirror_slab";

/// Floor, then wall and mirror where they were drawn; ids from 1.
pub(super) fn draw(
    drawing: &Drawing<'_>,
    path: &CameraPath,
    lighting: &Lighting,
) -> Result<Vec<Thing>, DrawError> {
    let mut things = vec![floor(drawing, lighting)?];
    let mut stream = drawing.stream("backdrop");
    let with_wall = stream.chance(drawing.recipe.prob_wall);
    let with_mirror = stream.chance(drawing.recipe.prob_ground_mirror);
    if with_wall {
        things.push(wall(drawing, path, things.len() as u32 + 1)?);
    }
    if with_mirror {
        things.push(mirror(drawing, things.len() as u32 + 1)?);
    }
    Ok(things)
}

fn floor(drawing: &Drawing<'_>, lighting: &Lighting) -> Result<Thing, DrawError> {
    let environment = &lighting.environment;
    let shown = match drawing.recipe.floor {
        Floor::Environment => environment
            .asset
            .as_deref()
            .and_then(|id| drawing.library.floor_of(id)),
        Floor::Texture => None,
    };
    let mut stream = drawing.stream("floor/asset");
    let (asset, rotation) = match shown {
        // Turned with the picture, so that the two stay in one place.
        Some(asset) => (asset, Quat::from_rotation_z(environment.rotation_rad)),
        None => (
            drawing
                .library
                .textured(FLOOR, &mut |count| stream.below(count)),
            Quat::IDENTITY,
        ),
    };
    let record = drawing.library.record(&asset)?;
    let model = drawing.library.model(&asset)?;
    let inputs = RandomInputs::draw(&mut drawing.stream("floor/material"), drawing.recipe);
    let materials: Vec<_> = model.materials.iter().map(|own| inputs.over(own)).collect();
    let words = materials
        .first()
        .map(|material| adjectives(drawing.library.words(&asset), &model, material))
        .unwrap_or_default();
    Ok(piece(
        drawing,
        Piece {
            id: 1,
            name: "floor",
            record,
            materials,
            words,
            scale: Vec3::ONE,
            pose: Pose {
                rotation,
                ..Pose::IDENTITY
            },
            shape: BodyShape::floor(),
        },
    ))
}

fn wall(drawing: &Drawing<'_>, path: &CameraPath, id: u32) -> Result<Thing, DrawError> {
    let mut stream = drawing.stream("wall");
    let half = uniform(&mut stream, drawing.recipe.range_wall_size);
    let mut nudge = || {
        let x = stream.range(-1.0, 1.0) as f32;
        Vec3::new(x, stream.range(-1.0, 1.0) as f32, 0.0)
    };
    let ahead = path.look_middle() - path.middle();
    let mut position = path.middle() + ahead * 1.5 + nudge();
    position.z = half * 0.5;
    let eye = path.middle() + nudge();
    let facing = Vec3::new(eye.x - position.x, eye.y - position.y, 0.0)
        .try_normalize()
        .unwrap_or(Vec3::X);
    let rotation = Quat::from_mat3(&Mat3::from_cols(Vec3::Z.cross(facing), Vec3::Z, facing));
    let material = RandomInputs::draw(&mut stream, drawing.recipe).plain("wall");
    slab(
        drawing,
        id,
        ("wall", WALL),
        material,
        Vec3::new(half, half, HALF_THICKNESS),
        Pose {
            position,
            rotation: rotation.normalize(),
        },
    )
}

fn mirror(drawing: &Drawing<'_>, id: u32) -> Result<Thing, DrawError> {
    let mut stream = drawing.stream("mirror");
    let mut material = RandomInputs::draw(&mut stream, drawing.recipe).plain("mirror");
    material.metallic = uniform(&mut stream, drawing.recipe.range_mirror_metallic);
    material.transmission = uniform(&mut stream, drawing.recipe.range_mirror_transmission);
    material.roughness = 0.0;
    material.transmission_roughness = Some(0.0);
    let half = uniform(&mut stream, drawing.recipe.range_mirror_size);
    slab(
        drawing,
        id,
        ("mirror", MIRROR),
        material,
        Vec3::new(half, half, HALF_THICKNESS),
        Pose {
            position: Vec3::new(0.0, 0.0, HALF_THICKNESS + MIRROR_LIFT),
            rotation: Quat::IDENTITY,
        },
    )
}

fn slab(
    drawing: &Drawing<'_>,
    id: u32,
    (name, asset): (&str, &str),
    material: diorama_assets::Material,
    scale: Vec3,
    pose: Pose,
) -> Result<Thing, DrawError> {
    let record = drawing.library.record(asset)?;
    let model = drawing.library.model(asset)?;
    let words = adjectives(Vec::new(), &model, &material);
    Ok(piece(
        drawing,
        Piece {
            id,
            name,
            record,
            materials: vec![material; model.materials.len().max(1)],
            words,
            scale,
            pose,
            // The asset is a box of half extent 1.
            shape: BodyShape::cuboid(scale)?,
        },
    ))
}

struct Piece<'a> {
    id: u32,
    name: &'a str,
    record: AssetRecord,
    materials: Vec<diorama_assets::Material>,
    words: Vec<String>,
    scale: Vec3,
    pose: Pose,
    shape: BodyShape,
}

fn piece(drawing: &Drawing<'_>, piece: Piece<'_>) -> Thing {
    let body = Body {
        id: piece.id,
        shape: Arc::new(piece.shape),
        motion: Motion::Fixed,
        friction: piece
            .record
            .friction
            .unwrap_or(drawing.recipe.friction as f32),
        restitution: piece
            .record
            .restitution
            .unwrap_or(drawing.recipe.restitution as f32),
        pose: piece.pose,
    };
    let object = Object {
        id: piece.id,
        name: piece.name.to_owned(),
        asset: piece.record.id.clone(),
        mesh: 0,
        materials: piece.materials,
        role: Role::Background,
        noun: piece.record.noun.clone(),
        adjectives: piece.words,
        worlds: WorldSet::ALL,
        scale: piece.scale,
        pose: Track::Constant(piece.pose),
        body: None,
        motion: None,
        physics: None,
    };
    Thing {
        object,
        body,
        record: piece.record,
    }
}
