//! The Shot: everything that happens in one clip, explicit, renderer-neutral, serialisable.
//!
//! It holds results, not ranges: reading a Shot needs no random number. Right-handed world, Z up,
//! metres, seconds, radians, kilograms; cameras look along their −Z with +Y up (Blender, glTF).

pub use diorama_assets::model::AssetRecord;
pub use diorama_assets::rig::BodyPose;
use diorama_assets::{Material, environment::SunRecord};
use glam::{Affine3A, Quat, Vec3};
use serde::{Deserialize, Serialize};

/// Version that this build writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 1;
/// Frames beyond which a Shot is taken for damaged rather than long (27 hours at 10 fps).
pub const MAX_FRAMES: u32 = 1_000_000;
/// Worlds in one Shot: bits of a [`WorldSet`].
pub const MAX_WORLDS: usize = 32;

/// A set of worlds, bit w for `Shot::worlds[w]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorldSet(pub u32);

impl WorldSet {
    /// Every world there can be.
    pub const ALL: Self = Self(u32::MAX);

    /// Only world `index`.
    pub fn only(index: usize) -> Self {
        Self(1 << index)
    }

    /// The first `count` worlds.
    pub fn first(count: usize) -> Self {
        Self(if count >= MAX_WORLDS {
            u32::MAX
        } else {
            (1 << count) - 1
        })
    }

    /// Is world `index` a member?
    pub fn contains(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    /// This set without world `index`.
    #[must_use]
    pub fn without(self, index: usize) -> Self {
        Self(self.0 & !(1 << index))
    }
}

/// One of the pictures made of a Shot: the same clip with some objects truly absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// `full`, `removed`, `removed_2`, …, or `layer/<object name>`.
    pub name: String,
    /// Ids of the objects that are absent, ascending.
    pub removed: Vec<u32>,
}

/// What an object is to the removal task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Floor, dome, walls.
    Background,
    /// Foreground that stays.
    Keep,
    /// Foreground that goes.
    Remove,
}

/// Position and orientation at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// Metres, world.
    pub position: Vec3,
    /// `world_from_object` rotation, unit.
    pub rotation: Quat,
}

impl Pose {
    /// No translation, no rotation.
    pub const IDENTITY: Self = Self {
        position: Vec3::ZERO,
        rotation: Quat::IDENTITY,
    };

    /// `world_from_object` with `scale` applied first.
    pub fn world_from_object(&self, scale: Vec3) -> Affine3A {
        Affine3A::from_scale_rotation_translation(scale, self.rotation, self.position)
    }
}

/// Values over time: one for the whole clip, or one per frame from frame −1 to frame N inclusive
/// (one before and one after the clip, for flow and shutter): entry `f + 1` is frame `f`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Track<T> {
    /// The same in every frame.
    Constant(T),
    /// `frame_count + 2` values.
    PerFrame(Vec<T>),
}

impl<T> Track<T> {
    /// Value at frame `frame`, −1 ..= frame_count. Clamped to the ends.
    pub fn at(&self, frame: i64) -> &T {
        match self {
            Self::Constant(value) => value,
            Self::PerFrame(values) => &values[((frame + 1).max(0) as usize).min(values.len() - 1)],
        }
    }

    /// Does it hold the same value at every frame by construction?
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    /// All stored values.
    pub fn values(&self) -> &[T] {
        match self {
            Self::Constant(value) => std::slice::from_ref(value),
            Self::PerFrame(values) => values,
        }
    }
}

/// Lens and sensor at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lens {
    /// Focal length, mm.
    pub focal_length_mm: f32,
    /// Sensor width, mm; it spans the image width.
    pub sensor_width_mm: f32,
    /// Aperture radius, metres; 0: pinhole.
    pub aperture_radius: f32,
    /// Distance of the plane in focus along the camera axis, metres.
    pub focus_distance: f32,
    /// Shift of the principal point in units of image width, +x right, +y up (Blender's shift).
    #[serde(default)]
    pub shift: [f32; 2],
}

/// A camera of the Shot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Name; recipes use `camera`.
    pub name: String,
    /// `world_from_camera`.
    pub pose: Track<Pose>,
    /// Lens over time.
    pub lens: Track<Lens>,
    /// Fraction of the frame interval for which the shutter is open, centred on the frame; 0: no motion blur.
    pub shutter: f32,
}

/// The surroundings: light from infinitely far away, which is also what a ray that meets nothing sees.
/// A backdrop dome is this plus a real floor object of role background, so that its shell can never
/// block light.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Asset id of an equirectangular map; `None`: constant `color`.
    pub asset: Option<String>,
    /// Colour of a constant environment, and factor of the map (normally 1, 1, 1).
    pub color: [f32; 3],
    /// Turn of the map about +Z, radians, counter-clockwise seen from above.
    pub rotation_rad: f32,
    /// Factor of the radiance.
    pub strength: f32,
}

/// An explicit light.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Light {
    /// Name, for people and streams.
    pub name: String,
    /// Worlds it exists in.
    pub worlds: WorldSet,
    /// What it is.
    pub kind: LightKind,
    /// `world_from_light`; a light shines along its −Z.
    pub pose: Track<Pose>,
}

/// Kinds of light. Radiometric units as in Blender: W for point, spot and area; W/m² for the sun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LightKind {
    /// Distant disc; the direction comes from the pose (−Z), `direction_to_sun` in the record is ignored.
    Sun(SunRecord),
    /// Sphere of `radius` (0: a point) with total power `watts` per channel, radiance `watts / (4π² r²)`.
    Point {
        /// Radiant power, W, linear Rec.709.
        watts: [f32; 3],
        /// Metres.
        radius: f32,
    },
    /// Point light limited to a cone; Blender's spot: `watts` is the power of the full sphere.
    Spot {
        /// Radiant power of the uncut point light, W.
        watts: [f32; 3],
        /// Metres.
        radius: f32,
        /// Half angle of the cone, radians.
        outer_half_angle_rad: f32,
        /// Blender's blend, 0 hard … 1 soft.
        blend: f32,
    },
    /// One-sided rectangle in the light's XY plane.
    Area {
        /// Radiant power, W.
        watts: [f32; 3],
        /// Metres.
        size: [f32; 2],
    },
}

/// Something with a surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// 1-based and unique: the value of the instance pass (0 is the environment). Instances of one
    /// object that moves differently in a counterfactual world have ids of their own and share `name`.
    pub id: u32,
    /// Unique but for counterfactual twins.
    pub name: String,
    /// Asset id.
    pub asset: String,
    /// Index into the asset's meshes.
    pub mesh: u32,
    /// Materials that replace the asset's, slot by slot; empty: the asset's own.
    pub materials: Vec<Material>,
    /// What it is to the removal task.
    pub role: Role,
    /// Semantic class for captions and the semantic pass: a plain noun.
    pub noun: String,
    /// Words a caption may use about its look, e.g. `shiny`, `blue`; from the material actually drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjectives: Vec<String>,
    /// Worlds it exists in.
    pub worlds: WorldSet,
    /// Scale, applied before the pose; may be non-uniform.
    pub scale: Vec3,
    /// `world_from_object` without scale.
    pub pose: Track<Pose>,
    /// Pose of the asset's rig: what its joints and morph targets do, in the object's own space;
    /// `None`: the mesh as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Track<BodyPose>>,
    /// The motion that its body plays; `None`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion: Option<MotionRecord>,
    /// What physics did with it; `None`: not simulated (background, glTF scenes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physics: Option<ObjectPhysics>,
}

/// Which motion a body plays, and how well it fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotionRecord {
    /// Id in the library, e.g. `mh_male/walk`.
    pub id: String,
    /// Time of the motion at frame 0, seconds.
    pub start_secs: f64,
    /// Length of the motion, seconds. Clips that are longer repeat it where its ends meet, else hold
    /// its end.
    pub duration_secs: f64,
    /// Mean speed of feet that stand, centimetres a second.
    pub foot_slide_cm_per_s: f32,
    /// Deepest that a foot is below the floor, centimetres.
    pub floor_penetration_cm: f32,
    /// Frames in which a joint is bent as no human's is.
    pub joint_limit_violations: u32,
    /// What its hands hold. That goes wherever the body goes: it is in no world without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
}

/// Something in a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Id of the object. Its place against the joint is the same in all frames.
    pub object: u32,
    /// Index of the joint in the rig of the one who holds it.
    pub joint: u16,
}

/// Physics parameters and quality of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectPhysics {
    /// Kilograms.
    pub mass_kg: f32,
    /// Coulomb friction coefficient.
    pub friction: f32,
    /// Restitution coefficient.
    pub restitution: f32,
    /// Stationary through the clip (settled or floating); else thrown.
    pub stationary: bool,
    /// Largest depth, metres, by which it was inside something else during the clip.
    pub largest_penetration: f32,
    /// Distance to what it rests on, metres, at the first frame, when settled.
    pub resting_gap: Option<f32>,
    /// Poses at every physics step from frame 0 on, when kept (`Shot::physics_step_secs` apart).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_poses: Vec<Pose>,
}

/// A touch between two objects during the clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// First frame (0-based) in which they touch.
    pub frame: u32,
    /// Ids, ascending.
    pub objects: [u32; 2],
    /// World position, metres.
    pub position: Vec3,
    /// Impulse of the contact in that frame, N·s.
    pub impulse: f32,
}

/// Display transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Blender's Filmic, medium contrast.
    Filmic,
    /// AgX as in Blender 4.
    Agx,
    /// sRGB encoding, clipped.
    Standard,
    /// No encoding at all, clipped.
    None,
}

/// One number for the whole clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// To be chosen before the first frame so that the log-mean of the first full frame is 0.18.
    Auto,
    /// Stops: radiance is multiplied by 2^ev.
    Ev(f32),
}

/// How the Shot came to be accepted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// Attempt that was accepted, 0-based.
    pub accepted: u32,
    /// Reason → how many attempts it ended (sorted by reason).
    pub rejected: std::collections::BTreeMap<String, u32>,
}

/// One clip. See the module text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shot {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Recipe that drew it, e.g. `removal`, or `gltf`.
    pub recipe: String,
    /// Run seed; also the seed of the render's own hash.
    pub seed: u64,
    /// Sample id, e.g. `000043`.
    pub sample_id: String,
    /// Rate written into video files, frames per second.
    pub video_fps: f64,
    /// Simulated time between frames, seconds.
    pub frame_time_secs: f64,
    /// Physics step, seconds.
    pub physics_step_secs: f64,
    /// Frames 0..frame_count are rendered.
    pub frame_count: u32,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// See [`Exposure`].
    pub exposure: Exposure,
    /// Display transform.
    pub view: View,
    /// Worlds to render; the first is `full`.
    pub worlds: Vec<World>,
    /// At least one; recipes use the first.
    pub cameras: Vec<Camera>,
    /// Surroundings.
    pub environment: Environment,
    /// Explicit lights.
    pub lights: Vec<Light>,
    /// Everything with a surface, ids ascending.
    pub objects: Vec<Object>,
    /// Contacts during the clip, by frame.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// Every asset used, by id.
    pub assets: Vec<AssetRecord>,
    /// How it was accepted.
    #[serde(default)]
    pub attempts: Attempts,
    /// A night scene: the brightness limits of acceptance do not hold.
    #[serde(default)]
    pub night: bool,
    /// Plain description of place and light for captions, e.g. `under a clear evening sky`.
    #[serde(default)]
    pub light_description: String,
}

/// Why a Shot cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShotError {
    /// Not JSON of a Shot.
    #[error("not a shot: {0}")]
    Parse(#[from] serde_json::Error),
    /// Written by a newer version.
    #[error("schema version {found} is newer than {SCHEMA_VERSION}, the newest this program reads")]
    Newer {
        /// Version in the file.
        found: u32,
    },
    /// A value is out of its documented range.
    #[error("`{field}` {reason}")]
    Value {
        /// Path of the field, e.g. `objects[3].pose`.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl Shot {
    /// Reads and checks a Shot.
    pub fn from_json(text: &str) -> Result<Self, ShotError> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        // A newer file may have fields this version does not know: look at the version first.
        let version: Version = serde_json::from_str(text)?;
        if version.schema_version > SCHEMA_VERSION {
            return Err(ShotError::Newer {
                found: version.schema_version,
            });
        }
        let shot: Self = serde_json::from_str(text)?;
        shot.validate()?;
        Ok(shot)
    }

    /// The Shot as pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Index of the world called `name`.
    pub fn world(&self, name: &str) -> Option<usize> {
        self.worlds.iter().position(|w| w.name == name)
    }

    /// The object of this id.
    pub fn object(&self, id: u32) -> Option<&Object> {
        self.objects.iter().find(|o| o.id == id)
    }

    /// Who holds object `id`, and by which joint.
    pub fn holder(&self, id: u32) -> Option<(&Object, u16)> {
        self.objects.iter().find_map(|object| {
            let held = &object.motion.as_ref()?.held;
            let found = held.iter().find(|held| held.object == id)?;
            Some((object, found.joint))
        })
    }

    /// The Shot with only world `world` left, its absent objects deleted: what a plain renderer
    /// would be given. Its picture must equal that world's picture bit for bit.
    #[must_use]
    pub fn only_world(&self, world: usize) -> Self {
        let mut plain = self.clone();
        plain.worlds = vec![self.worlds[world].clone()];
        plain.objects.retain(|o| o.worlds.contains(world));
        plain.lights.retain(|l| l.worlds.contains(world));
        for object in &mut plain.objects {
            object.worlds = WorldSet::ALL;
        }
        for light in &mut plain.lights {
            light.worlds = WorldSet::ALL;
        }
        plain
    }
}
