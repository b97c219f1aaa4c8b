//! One character and what it does.

use diorama_assets::model::AssetRecord;
use diorama_assets::retarget::{Retargeted, retarget};
use diorama_assets::rig::BodyPose;
use diorama_assets::{Model, Motion, Rig};
use glam::{Quat, Vec3, Vec3A};

use super::hold::{self, Hand, Holder};
use super::limbs::limbs;
use super::{AvatarError, AvatarLibrary, CHARACTER_ID, Performance, clothes, ground, props};
use crate::physics::PieceStore;
use crate::recipe::{AvatarRecipe, RootMotion};
use crate::shot::{MotionRecord, Object, Pose, Role, Track, WorldSet};
use crate::stream::Stream;

/// A character with its place on the floor.
pub(super) struct Performer {
    pub(super) object: Object,
    pub(super) record: AssetRecord,
    /// What is in its hands.
    pub(super) held: Vec<(Object, AssetRecord)>,
    /// Box around all that it and what it holds are in during the clip, metres, world.
    pub(super) swept: SweptBox,
}

impl Performer {
    /// Takes it and what it holds elsewhere.
    pub(super) fn move_by(&mut self, by: Vec3) {
        self.swept = self.swept.moved(by);
        let held = self.held.iter_mut().map(|(object, _)| object);
        for object in std::iter::once(&mut self.object).chain(held) {
            match &mut object.pose {
                Track::Constant(pose) => pose.position += by,
                Track::PerFrame(poses) => {
                    for pose in poses {
                        pose.position += by;
                    }
                }
            }
        }
    }
}

/// A box along the axes of the world, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SweptBox {
    pub(crate) low: Vec3,
    pub(crate) high: Vec3,
}

impl SweptBox {
    pub(super) fn moved(&self, by: Vec3) -> Self {
        Self {
            low: self.low + by,
            high: self.high + by,
        }
    }

    pub(super) fn middle(&self) -> Vec3 {
        (self.low + self.high) * 0.5
    }

    /// Do the two come within `gap` metres of each other?
    pub(super) fn meets(&self, other: &Self, gap: f32) -> bool {
        let gap = Vec3::splat(gap);
        (self.low - gap).cmple(other.high).all() && (other.low - gap).cmple(self.high).all()
    }
}

/// Draws character `index` of a clip, placed as the recipe says of the first; what it holds has ids from
/// `held_id` on.
pub(super) fn draw(
    recipe: &AvatarRecipe,
    stream: &dyn Fn(&str) -> Stream,
    [index, held_id]: [u32; 2],
    performance: &Performance,
    library: &dyn AvatarLibrary,
    pieces: &PieceStore,
) -> Result<Performer, AvatarError> {
    // Labels of the first are those of clips that have no other.
    let stream = |label: &str| match index {
        0 => stream(label),
        _ => stream(&format!("{label}/{index}")),
    };
    let model = library.model(&performance.character)?;
    let motion = library.motion(&performance.motion)?;
    let rig = model
        .rig
        .as_ref()
        .ok_or_else(|| AvatarError::NoRig(performance.character.clone()))?;
    let performed = retarget(rig, &motion).map_err(|source| AvatarError::Retarget {
        character: performance.character.clone(),
        motion: performance.motion.clone(),
        source,
    })?;
    let start_secs = if recipe.random_start {
        let clip = f64::from(recipe.video_length) / recipe.video_fps;
        let spare = (f64::from(motion.duration_secs()) - clip).max(0.0);
        stream("motion").range(0.0, spare)
    } else {
        0.0
    };
    let frame_secs = 1.0 / recipe.video_fps;
    let times = || times(recipe.video_length, frame_secs, start_secs);
    let hands = hold::hands(rig, &mut stream("held"), recipe.range_held);
    let mut bodies = bodies(rig, &performed, &hands, times());
    if recipe.root_motion == RootMotion::InPlace {
        for body in &mut bodies {
            take_way(body, performed.root);
        }
    }
    let turn = stream("character").range(recipe.range_turn_deg[0], recipe.range_turn_deg[1]);
    let record = library.record(&performance.character)?;
    let rotation = Quat::from_rotation_z((turn as f32).to_radians());
    let scale = scale_to_fit(&model, recipe.fit_height as f32);
    let materials = clothes::clothes(recipe, &model, &mut stream("clothes"));
    let adjectives = clothes::garments(if materials.is_empty() {
        &model.materials
    } else {
        &materials
    });
    let mut boxes = boxes(&model, &bodies, rotation);
    let in_flight = ground::in_flight(&motion, &performed, times());
    ground::stand(&mut bodies, &mut boxes, &in_flight, scale);
    let pose = Pose {
        position: match recipe.root_motion {
            RootMotion::Keep | RootMotion::InPlace => Vec3::ZERO,
            RootMotion::Centred => -middle(&boxes) * scale,
        },
        rotation,
    };
    let mut swept = around(&boxes, scale).moved(pose.position);
    let mut held = Vec::new();
    let mut in_hands = Vec::new();
    if !hands.is_empty() {
        let world_from_model = vec![pose.world_from_object(Vec3::splat(scale)); bodies.len()];
        let holder = Holder {
            rig,
            scale,
            bodies: &bodies,
            world_from_model: &world_from_model,
            limbs: &limbs(&model, &bodies, &world_from_model),
        };
        for (index, hand) in hands.iter().enumerate() {
            let id = held_id + held.len() as u32;
            let mut stream = stream(&format!("held/{index}"));
            let size = recipe.range_held_size;
            let (mut object, mut body, record) =
                props::object(&mut stream, id, size, library, pieces)?;
            let turn = stream.range(0.0, core::f64::consts::TAU) as f32;
            let prop = library.model(&object.asset)?;
            let parts = pieces.pieces(&object.asset, &prop)?;
            let found = holder.hold(hand, &mut object, &mut body, &prop, &parts, turn)?;
            if let Some(found) = found {
                for pose in object.pose.values() {
                    let (low, high) = body.shape.bounds(pose.rotation);
                    swept.low = swept.low.min(low + pose.position);
                    swept.high = swept.high.max(high + pose.position);
                }
                in_hands.push(found);
                held.push((object, record));
            }
        }
    }
    let object = Object {
        id: CHARACTER_ID + index,
        name: match index {
            0 => performance.name.clone(),
            _ => format!("{}_{}", performance.name, index + 1),
        },
        asset: performance.character.clone(),
        mesh: 0,
        materials,
        role: Role::Keep,
        noun: record.noun.clone(),
        adjectives,
        worlds: WorldSet::ALL,
        scale: Vec3::splat(scale),
        pose: Track::Constant(pose),
        body: Some(Track::PerFrame(bodies)),
        motion: Some(MotionRecord {
            start_secs,
            held: in_hands,
            ..motion_record(performance, &motion, &performed, scale)
        }),
        physics: None,
    };
    Ok(Performer {
        object,
        record,
        held,
        swept,
    })
}

/// Seconds of the motion at frames −1 ..= `frame_count`; frame 0 is `start_secs`.
pub(crate) fn times(
    frame_count: u32,
    frame_secs: f64,
    start_secs: f64,
) -> impl Iterator<Item = f64> {
    (-1..=i64::from(frame_count))
        .map(move |frame| (start_secs + frame as f64 * frame_secs).max(0.0))
}

/// What the Shot says of a motion from its start, by somebody with empty hands; `scale` is the size of the model.
pub(crate) fn motion_record(
    performance: &Performance,
    motion: &Motion,
    performed: &Retargeted,
    scale: f32,
) -> MotionRecord {
    MotionRecord {
        id: performance.motion.clone(),
        start_secs: 0.0,
        duration_secs: f64::from(motion.duration_secs()),
        foot_slide_cm_per_s: performed.quality.foot_slide_cm_per_s * scale,
        floor_penetration_cm: performed.quality.floor_penetration_cm * scale,
        joint_limit_violations: performed.quality.joint_limit_violations,
        held: Vec::new(),
    }
}

/// Poses at times of the motion, seconds; `hands` are closed.
pub(crate) fn bodies(
    rig: &Rig,
    performed: &Retargeted,
    hands: &[Hand],
    times: impl Iterator<Item = f64>,
) -> Vec<BodyPose> {
    times
        .map(|time| {
            let mut locals = performed.sample(time as f32);
            for hand in hands {
                hand.close(rig, &mut locals);
            }
            rig.pose(&locals)
        })
        .collect()
}

/// Takes the way of joint `root` over the ground out of a pose, and returns it: metres of the model.
pub(crate) fn take_way(body: &mut BodyPose, root: usize) -> Vec3 {
    let Some(root) = body.joints.get(root) else {
        return Vec3::ZERO;
    };
    let way = Vec3A::new(root.translation.x, root.translation.y, 0.0);
    for joint in &mut body.joints {
        joint.translation -= way;
    }
    way.into()
}

/// Heights of characters, metres, that are taken for what they say.
const HEIGHTS: std::ops::RangeInclusive<f32> = 0.4..=2.6;

/// What is longer than this many of its heights stands on more than two legs: a person with arms spread is as wide
/// as high.
const LONGEST: f32 = 1.2;

/// What brings a character of senseless height to `fit_height`, metres, or what is longer than high to that length;
/// 0: nothing does.
pub(crate) fn scale_to_fit(model: &Model, fit_height: f32) -> f32 {
    let bounds = model.meshes.first().and_then(|mesh| mesh.bounds());
    let size = bounds.map_or(Vec3::ZERO, |(low, high)| high - low);
    if fit_height == 0.0 || HEIGHTS.contains(&size.z) || size.z <= 0.0 {
        return 1.0;
    }
    fit_height / size.z.max(size.x.max(size.y) / LONGEST)
}

/// Above or below which the clip happens: the mean of what its frames sweep, without those before and after
/// it; z is 0.
fn middle(boxes: &[SweptBox]) -> Vec3 {
    let shown = &boxes[1..boxes.len().saturating_sub(1).max(1)];
    let sum: Vec3 = shown.iter().map(SweptBox::middle).sum();
    (sum / shown.len().max(1) as f32).with_z(0.0)
}

/// Box around each pose, turned by `rotation`, in the model's own size.
pub(crate) fn boxes(model: &Model, bodies: &[BodyPose], rotation: Quat) -> Vec<SweptBox> {
    let of = |body| {
        let turned = |vertex: &Vec3| rotation * *vertex;
        let places = model.posed(0, body).positions;
        let (low, high) = places.iter().map(turned).fold(
            (Vec3::INFINITY, Vec3::NEG_INFINITY),
            |(low, high), place| (low.min(place), high.max(place)),
        );
        SweptBox { low, high }
    };
    bodies.iter().map(of).collect()
}

/// Box around boxes, `scale` times as large.
pub(crate) fn around(boxes: &[SweptBox], scale: f32) -> SweptBox {
    let (low, high) = boxes.iter().fold(
        (Vec3::INFINITY, Vec3::NEG_INFINITY),
        |(low, high), other| (low.min(other.low), high.max(other.high)),
    );
    SweptBox {
        low: low * scale,
        high: high * scale,
    }
}
