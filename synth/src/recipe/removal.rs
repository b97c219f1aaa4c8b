//! The `removal` recipe: everything that may be drawn for an object-removal clip.
//!
//! The defaults are the preset `casper`: the numbers of the public tool with its defects mended.

use serde::{Deserialize, Serialize};

use super::parameters::{
    AutoExposure, ExposureChoice, Floor, Focus, FocusPoint, Held, Layers, PairKind, Parameter,
    RecipeError, Stationary, VideoFps, parameters, replace, set,
};
use crate::shot::{MAX_FRAMES, MAX_WORLDS, View};

/// Largest side of a picture, pixels.
const MAX_SIDE: u32 = 16_384;
/// Shortest focus distance, metres.
pub(crate) const LEAST_FOCUS: f64 = 0.01;
/// Presets there are, for messages.
const PRESETS: &str = "casper";

/// Size and length that a trainer expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Word for `--target`.
    pub name: &'static str,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
    /// Frames; 4k+1.
    pub video_length: u32,
}

/// The known trainers.
pub const TARGETS: [Target; 3] = [
    Target {
        name: "casper-cogvideox",
        resolution: [672, 384],
        video_length: 85,
    },
    Target {
        name: "casper-wan",
        resolution: [832, 480],
        video_length: 81,
    },
    Target {
        name: "das",
        resolution: [720, 480],
        video_length: 49,
    },
];

parameters! {
/// What may be drawn for one clip. Ranges are uniform, both ends included unless a field says
/// otherwise. See the module text.
pub struct RemovalRecipe {
    /// Frames of the clip, 1 to 1,000,000 (default 80). Trainers cut lengths to 4k+1; more frames
    /// cost time in proportion.
    video_length: u32 = 80;
    /// Width of the picture, pixels, even, 2 to 16,384 (default 256). Trainers only use a clip in
    /// buckets up to 1.25 times its own size.
    width: u32 = 256;
    /// Height of the picture, pixels, even, 2 to 16,384 (default 256).
    height: u32 = 256;
    /// Sizes of which one is drawn per sample, e.g. `672x384,832x480`; when given it replaces width
    /// and height (default: none).
    resolutions: Vec<[u32; 2]> = Vec::new();
    /// Frames per second written into the files: a number, or `scene` for the drawn rate, one of 8,
    /// 12, 16, 20, 24 (default 16). It changes neither physics nor camera.
    video_fps: VideoFps = VideoFps::Fixed(16.0);
    /// Simulated time per frame in steps of 1/240 s, whole numbers (default 8,11: 33–46 ms). Long
    /// frames make motion jump, short ones freeze it.
    range_frame_time: [u32; 2] = [8, 11];
    /// Share of the frame interval for which the shutter is open, 0 to 1 (default 0: no motion blur).
    shutter: f64 = 0.0;
    /// Aperture as an f-number; 0 is a pinhole, everything sharp (default 0). Small numbers blur all
    /// but what is in focus.
    f_stop: f64 = 0.0;
    /// What is in focus with an aperture: `lookat` (the point looked at, frame by frame) or a distance
    /// along the camera's axis, metres, 0.01 to 1e6 (default lookat).
    focus: Focus = Focus::Point(FocusPoint::Lookat);
    /// Exposure in stops, or `auto`: the log-mean of the first full frame becomes 0.18 (default auto).
    exposure: ExposureChoice = ExposureChoice::Measured(AutoExposure::Auto);
    /// Display transform: filmic, agx, standard or none (default filmic).
    view: View = View::Filmic;

    /// What the pair shows: `effect` (same motion, the object and its light are gone) or
    /// `counterfactual` (physics run again without it) (default effect).
    pair: PairKind = PairKind::Effect;
    /// Removed sets drawn from one shot, 1 to 30 (default 1). A shot with too few objects for that
    /// many different sets gives fewer.
    tuples_per_shot: u32 = 1;
    /// `object` adds one world per foreground object that lacks just that object, so that its effect
    /// is full minus that world (default none).
    layers: Layers = Layers::None;

    /// Foreground objects: at least the first number, fewer than the second (default 1,6: one to
    /// five). Many large objects no longer fit and are redrawn.
    range_num_objs: [u32; 2] = [1, 6];
    /// Longest side of an object's box, metres (default 1,3).
    range_object_scale: [f64; 2] = [1.0, 3.0];
    /// Probability that all objects are the same asset (default 0.5).
    prob_same_object: f64 = 0.5;
    /// Probability that a character goes over the floor, 0 to 1 (default 0): somebody of the workspace
    /// (`--base-path`) or a built-in person. It is kept or removed like any object, and its limbs push
    /// what they meet; there is none where objects float.
    prob_character: f64 = 0.0;
    /// Things in the hands of a character, 0 to 2 (default 0,1): of the same objects, each an object of its
    /// own. It is removed with who holds it, or alone. Where nothing fits the hands are empty.
    range_held: [u32; 2] = [0, 1];
    /// Longest side of what is held, metres, above 0 (default 0.12,0.35); it is made smaller where it would
    /// be in the floor or in the body.
    range_held_size: [f64; 2] = [0.12, 0.35];
    /// Things that lie in the way of a character, to be pushed, 0 to 8 (default 0,2).
    range_pushed: [u32; 2] = [0, 2];
    /// Longest side of what is pushed, metres, above 0 (default 0.2,0.5).
    range_pushed_size: [f64; 2] = [0.2, 0.5];
    /// Probability that nothing moves but the camera (default 0.5).
    prob_stationary_object: f64 = 0.5;
    /// What stationary objects do: `settle` (fall before the clip and rest on something) or `float`
    /// (hang in the air as in the original) (default settle).
    stationary: Stationary = Stationary::Settle;
    /// Ids of the objects to draw from; empty: all of the library (default empty).
    objects: Vec<String> = Vec::new();
    /// Ids of the environments to draw from; empty: all of the library (default empty).
    environments: Vec<String> = Vec::new();

    /// x and y of the middle of an object's box at the start, metres (default -4,4).
    range_spawn_xy: [f64; 2] = [-4.0, 4.0];
    /// Height of the lowest point of a thrown object's box at the start, metres (default 2,4).
    range_spawn_z: [f64; 2] = [2.0, 4.0];
    /// The same for stationary objects, before they settle (default 1,2).
    range_spawn_z_stationary: [f64; 2] = [1.0, 2.0];
    /// Each component of the drawn part of the initial velocity, m/s (default -3,3); the object's own
    /// x and y are subtracted, so that objects head inward.
    range_velocity: [f64; 2] = [-3.0, 3.0];
    /// Downward acceleration, m/s², 0 to 100 (default 10, as in the original).
    gravity: f64 = 10.0;
    /// Mass where the library states none, kg, above 0 (default 1).
    mass: f64 = 1.0;
    /// Coulomb friction coefficient where the library states none, 0 to 10; a pair uses the mean of
    /// its two (default 0.5).
    friction: f64 = 0.5;
    /// Restitution coefficient where the library states none, 0 to 1; a pair uses the mean of its two
    /// (default 0.5).
    restitution: f64 = 0.5;
    /// Simulated seconds after which stationary objects must be at rest, above 0, at most 600
    /// (default 10); slower piles are redrawn.
    settle_limit: f64 = 10.0;
    /// Deepest overlap of two objects during the clip, metres, above 0 (default 0.03); deeper ones are
    /// redrawn. The solver itself needs about 0.005.
    max_penetration: f64 = 0.03;
    /// Places tried for each object before the shot is redrawn, at least 1 (default 100).
    placement_tries: u32 = 100;
    /// Keep the poses of every physics step in the shot, for other renderers (default false).
    keep_step_poses: bool = false;

    /// Metallic of random materials (default 0.8,1: nearly everything is chrome).
    range_material_metallic: [f64; 2] = [0.8, 1.0];
    /// Specular level of random materials (default 0,1).
    range_material_specular: [f64; 2] = [0.0, 1.0];
    /// Share of the base colour in the specular tint (default 0,1). Textured surfaces are not tinted:
    /// their colour is not one colour.
    range_material_specular_tint: [f64; 2] = [0.0, 1.0];
    /// Roughness of random materials (default 0,0.6).
    range_material_roughness: [f64; 2] = [0.0, 0.6];
    /// Index of refraction of random materials, at least 1 (default 1,2.5).
    range_material_ior: [f64; 2] = [1.0, 2.5];
    /// Transmission of random materials; it acts on what metallic leaves over (default 0,1).
    range_material_transmission: [f64; 2] = [0.0, 1.0];
    /// Roughness of the transmission of random materials (default 0,0.5).
    range_material_transmission_roughness: [f64; 2] = [0.0, 0.5];
    /// Alpha of wall and mirror; textured objects and the floor ignore it (default 0.7,1).
    range_material_alpha: [f64; 2] = [0.7, 1.0];

    /// What the floor shows: `environment` (with pictures of real places, .hdr or .exr, their ground as
    /// seen from 1.6 m above the middle, as on Kubric's dome; with built-in skies as `texture`) or
    /// `texture` (a generated ground) (default environment).
    floor: Floor = Floor::Environment;
    /// Probability of a wall behind the scene, facing the camera (default 0.25).
    prob_wall: f64 = 0.25;
    /// Half the side of the wall, metres, above 0 (default 2,3); its centre is at half of that height.
    range_wall_size: [f64; 2] = [2.0, 3.0];
    /// Probability of a mirror on the ground (default 0.5).
    prob_ground_mirror: f64 = 0.5;
    /// Half the side of the ground mirror, metres, above 0 (default 4,8); it is 0.2 m thick.
    range_mirror_size: [f64; 2] = [4.0, 8.0];
    /// Metallic of the mirror (default 2.4,3); shading takes more than 1 for 1.
    range_mirror_metallic: [f64; 2] = [2.4, 3.0];
    /// Transmission of the mirror (default 0,0.1).
    range_mirror_transmission: [f64; 2] = [0.0, 0.1];

    /// Radius of the half ball from which the camera path's extra offset is drawn, metres (default 1).
    camera_max_offset: f64 = 1.0;
    /// Inner and outer radius of the half shell in which the camera path begins and ends, metres
    /// (default 5,15). Closer than the objects reach, and the camera may be inside one; such shots are
    /// redrawn.
    camera_range_position: [f64; 2] = [5.0, 15.0];
    /// Inner and outer radius of the half shell from which the points looked at are drawn, metres
    /// (default 0,2.5).
    camera_range_lookat: [f64; 2] = [0.0, 2.5];
    /// Longest camera path, metres; its length is uniform from 0 (default 4).
    camera_max_movement: f64 = 4.0;
    /// Focal length, mm, above 0 (default 35,45).
    camera_range_focal: [f64; 2] = [35.0, 45.0];
    /// Sensor width, mm, above 0 (default 32).
    camera_sensor_width: f64 = 32.0;

    /// Inner and outer radius of the half shell in which the sun's position is drawn, metres
    /// (default 0,4). Only its horizontal direction from the point aimed at is used.
    light_range_position: [f64; 2] = [0.0, 4.0];
    /// Inner and outer radius of the half shell from which the point the sun aims at is drawn, metres
    /// (default 0,1).
    light_range_lookat: [f64; 2] = [0.0, 1.0];
    /// Irradiance of the sun on a surface facing it, W/m² (default 4,6). A sky with a sun of its own
    /// keeps the ratio of the two, whatever the sun's elevation, and gives this much together with it.
    light_range_intensity: [f64; 2] = [4.0, 6.0];
    /// Probability of a low sun (default 0.5).
    prob_extreme_lighting: f64 = 0.5;
    /// Elevation of the sun, degrees, 0 to 90 (default 12,75).
    range_sun_elevation_deg: [f64; 2] = [12.0, 75.0];
    /// Elevation of a low sun, degrees, 0 to 90 (default 2,12). Below 2 shadows leave the scene.
    range_sun_elevation_extreme_deg: [f64; 2] = [2.0, 12.0];
    /// Angular diameter of the sun, degrees, 0 to 90 (default 0.5,5): soft edges of shadows.
    range_sun_angular_diameter_deg: [f64; 2] = [0.5, 5.0];
    /// Factor of the environment's radiance, at least 0 (default 1).
    environment_strength: f64 = 1.0;

    /// Share of the picture that a removed object must show to count as visible in a frame, 0 to 1
    /// (default 0.001).
    min_removed_area: f64 = 0.001;
    /// Share of the frames in which each removed object must be visible, 0 to 1 (default 0.2).
    min_removed_frames: f64 = 0.2;
    /// Share of the picture that the removed objects cover on average, 0 to 1 (default 0.005,0.5).
    range_mask_area: [f64; 2] = [0.005, 0.5];
    /// Largest share of pixels clipped by the exposure, 0 to 1 (default 0.05).
    max_clipped: f64 = 0.05;
    /// Largest share of pixels below level 5, 0 to 1; night scenes are excepted (default 0.3).
    max_dark: f64 = 0.3;
    /// Shots drawn before the sample fails, at least 1 (default 100).
    max_attempts: u32 = 100;
}
}

impl RemovalRecipe {
    /// A preset by name; there is `casper`.
    pub fn preset(name: &str) -> Result<Self, RecipeError> {
        match name {
            "casper" => Ok(Self::default()),
            _ => Err(RecipeError::Preset {
                name: name.to_owned(),
                known: PRESETS,
            }),
        }
    }

    /// A recipe from TOML: the key `preset` (default `casper`) names what the other keys change.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let one_line = |error: toml::de::Error| RecipeError::Toml {
            reason: error
                .to_string()
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('|'))
                .collect::<Vec<_>>()
                .join(" "),
        };
        let mut changes: toml::Table = toml::from_str(text).map_err(one_line)?;
        let preset = match changes.remove("preset") {
            None => Self::default(),
            Some(toml::Value::String(name)) => Self::preset(&name)?,
            Some(other) => {
                return Err(RecipeError::Text {
                    name: "preset".into(),
                    text: other.to_string(),
                    expected: format!("the presets are {PRESETS}"),
                });
            }
        };
        let mut recipe = preset;
        for (name, value) in changes {
            replace(&mut recipe, Self::PARAMETERS, &name, value)?;
        }
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as TOML, every parameter.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Sets one parameter from the text of its flag. `render_width` sets both width and height.
    /// Ranges are not checked until [`Self::validate`].
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), RecipeError> {
        if name.replace('-', "_") == "render_width" {
            self.set("width", text)?;
            return self.set("height", text);
        }
        set(self, Self::PARAMETERS, name, text)
    }

    /// Takes size and length from a trainer.
    pub fn aim_at(&mut self, target: Target) {
        [self.width, self.height] = target.resolution;
        self.resolutions.clear();
        self.video_length = target.video_length;
    }

    /// Checks every range. The first fault is named.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.check_clip()?;
        self.check_ranges()?;
        self.check_scalars()
    }

    fn check_clip(&self) -> Result<(), RecipeError> {
        let wrong = |name, reason: String, hint: &str| {
            Err(RecipeError::Value {
                name,
                reason,
                hint: hint.to_owned(),
            })
        };
        if self.video_length == 0 || self.video_length > MAX_FRAMES {
            return wrong(
                "video_length",
                format!("is {}", self.video_length),
                "1 to 1000000 frames",
            );
        }
        for (name, side) in [("width", self.width), ("height", self.height)]
            .into_iter()
            .chain(
                self.resolutions
                    .iter()
                    .flat_map(|size| size.map(|side| ("resolutions", side))),
            )
        {
            if side == 0 || side > MAX_SIDE || !side.is_multiple_of(2) {
                return wrong(
                    name,
                    format!("has a side of {side} pixels"),
                    "sides are even, 2 to 16384, because the video is 4:2:0",
                );
            }
        }
        if let VideoFps::Fixed(rate) = self.video_fps
            && !(rate > 0.0 && rate <= 1000.0)
        {
            return wrong(
                "video_fps",
                format!("is {rate}"),
                "`scene`, or above 0 and at most 1000",
            );
        }
        if let ExposureChoice::Ev(stops) = self.exposure
            && stops.abs() > 30.0
        {
            return wrong(
                "exposure",
                format!("is {stops}"),
                "`auto`, or -30 to 30 stops",
            );
        }
        if let Focus::Distance(metres) = self.focus
            && !(LEAST_FOCUS..=1.0e6).contains(&metres)
        {
            return wrong(
                "focus",
                format!("is {metres} m"),
                "`lookat`, or 0.01 to 1e6 metres",
            );
        }
        let [fewest, end] = self.range_num_objs;
        if fewest == 0 || end <= fewest {
            return wrong(
                "range_num_objs",
                format!("is {fewest},{end}"),
                "at least 1 object; the second number is one above the most",
            );
        }
        let layers = match self.layers {
            Layers::None => 0,
            Layers::Object if self.prob_character > 0.0 => {
                end + self.range_held[1] + self.range_pushed[1]
            }
            Layers::Object => end - 1,
        };
        let worlds = 1 + u64::from(self.tuples_per_shot) + u64::from(layers);
        if self.tuples_per_shot == 0 || worlds > MAX_WORLDS as u64 {
            return wrong(
                "tuples_per_shot",
                format!("is {} and makes {worlds} worlds", self.tuples_per_shot),
                "at least 1; full, removed sets and layers together are at most 32",
            );
        }
        Ok(())
    }

    fn check_ranges(&self) -> Result<(), RecipeError> {
        const ANY: f64 = 1.0e4;
        const TINY: f64 = 1.0e-3;
        let [first, last] = self.range_frame_time.map(f64::from);
        for (name, [low, high], lowest, highest) in [
            ("range_frame_time", [first, last], 1.0, 2400.0),
            ("range_object_scale", self.range_object_scale, TINY, 1000.0),
            ("range_held", self.range_held.map(f64::from), 0.0, 2.0),
            ("range_held_size", self.range_held_size, TINY, 1000.0),
            ("range_pushed", self.range_pushed.map(f64::from), 0.0, 8.0),
            ("range_pushed_size", self.range_pushed_size, TINY, 1000.0),
            ("range_spawn_xy", self.range_spawn_xy, -ANY, ANY),
            ("range_spawn_z", self.range_spawn_z, 0.0, ANY),
            (
                "range_spawn_z_stationary",
                self.range_spawn_z_stationary,
                0.0,
                ANY,
            ),
            ("range_velocity", self.range_velocity, -400.0, 400.0),
            (
                "range_material_metallic",
                self.range_material_metallic,
                0.0,
                10.0,
            ),
            (
                "range_material_specular",
                self.range_material_specular,
                0.0,
                10.0,
            ),
            (
                "range_material_specular_tint",
                self.range_material_specular_tint,
                0.0,
                1.0,
            ),
            (
                "range_material_roughness",
                self.range_material_roughness,
                0.0,
                1.0,
            ),
            ("range_material_ior", self.range_material_ior, 1.0, 10.0),
            (
                "range_material_transmission",
                self.range_material_transmission,
                0.0,
                1.0,
            ),
            (
                "range_material_transmission_roughness",
                self.range_material_transmission_roughness,
                0.0,
                1.0,
            ),
            ("range_material_alpha", self.range_material_alpha, 0.0, 1.0),
            ("range_wall_size", self.range_wall_size, TINY, 1000.0),
            ("range_mirror_size", self.range_mirror_size, TINY, 1000.0),
            (
                "range_mirror_metallic",
                self.range_mirror_metallic,
                0.0,
                10.0,
            ),
            (
                "range_mirror_transmission",
                self.range_mirror_transmission,
                0.0,
                1.0,
            ),
            (
                "camera_range_position",
                self.camera_range_position,
                0.0,
                ANY,
            ),
            ("camera_range_lookat", self.camera_range_lookat, 0.0, ANY),
            ("camera_range_focal", self.camera_range_focal, TINY, ANY),
            ("light_range_position", self.light_range_position, 0.0, ANY),
            ("light_range_lookat", self.light_range_lookat, 0.0, ANY),
            (
                "light_range_intensity",
                self.light_range_intensity,
                0.0,
                1.0e6,
            ),
            (
                "range_sun_elevation_deg",
                self.range_sun_elevation_deg,
                0.0,
                90.0,
            ),
            (
                "range_sun_elevation_extreme_deg",
                self.range_sun_elevation_extreme_deg,
                0.0,
                90.0,
            ),
            (
                "range_sun_angular_diameter_deg",
                self.range_sun_angular_diameter_deg,
                0.0,
                90.0,
            ),
            ("range_mask_area", self.range_mask_area, 0.0, 1.0),
        ] {
            let value = |reason: String| RecipeError::Value {
                name,
                reason,
                hint: format!("low first, both in {lowest} to {highest}"),
            };
            if low > high {
                return Err(value(format!("is upside down: {low} is above {high}")));
            }
            // Written so that NaN fails too.
            if !(low >= lowest && high <= highest) {
                return Err(value(format!("is {low},{high}")));
            }
        }
        // Half shells without room above their lowest height would be drawn from for ever.
        for (name, outer) in [
            ("camera_range_position", self.camera_range_position[1]),
            ("light_range_position", self.light_range_position[1]),
        ] {
            if outer < 0.2 {
                return Err(RecipeError::Value {
                    name,
                    reason: format!("has an outer radius of {outer} m"),
                    hint: "at least 0.2 m".into(),
                });
            }
        }
        Ok(())
    }

    fn check_scalars(&self) -> Result<(), RecipeError> {
        const LEAST: f64 = 1.0e-6;
        for (name, value, lowest, highest) in [
            ("prob_same_object", self.prob_same_object, 0.0, 1.0),
            ("prob_character", self.prob_character, 0.0, 1.0),
            (
                "prob_stationary_object",
                self.prob_stationary_object,
                0.0,
                1.0,
            ),
            ("prob_wall", self.prob_wall, 0.0, 1.0),
            ("prob_ground_mirror", self.prob_ground_mirror, 0.0, 1.0),
            (
                "prob_extreme_lighting",
                self.prob_extreme_lighting,
                0.0,
                1.0,
            ),
            ("shutter", self.shutter, 0.0, 1.0),
            ("f_stop", self.f_stop, 0.0, 1000.0),
            ("gravity", self.gravity, 0.0, 100.0),
            ("mass", self.mass, LEAST, 1.0e6),
            ("friction", self.friction, 0.0, 10.0),
            ("restitution", self.restitution, 0.0, 1.0),
            ("settle_limit", self.settle_limit, LEAST, 600.0),
            ("max_penetration", self.max_penetration, LEAST, 1000.0),
            (
                "placement_tries",
                f64::from(self.placement_tries),
                1.0,
                1.0e6,
            ),
            ("camera_max_offset", self.camera_max_offset, 0.0, 1.0e4),
            ("camera_max_movement", self.camera_max_movement, 0.0, 1.0e4),
            (
                "camera_sensor_width",
                self.camera_sensor_width,
                LEAST,
                1.0e4,
            ),
            (
                "environment_strength",
                self.environment_strength,
                0.0,
                1.0e6,
            ),
            ("min_removed_area", self.min_removed_area, 0.0, 1.0),
            ("min_removed_frames", self.min_removed_frames, 0.0, 1.0),
            ("max_clipped", self.max_clipped, 0.0, 1.0),
            ("max_dark", self.max_dark, 0.0, 1.0),
            ("max_attempts", f64::from(self.max_attempts), 1.0, 1.0e4),
        ] {
            if !(value >= lowest && value <= highest) {
                return Err(RecipeError::Value {
                    name,
                    reason: format!("is {value}"),
                    hint: format!("{lowest} to {highest}"),
                });
            }
        }
        // Every end of the path must have somewhere to go inside the shell.
        let [inner, outer] = self.camera_range_position;
        if self.camera_max_movement > outer.max(outer - inner) {
            return Err(RecipeError::Value {
                name: "camera_max_movement",
                reason: format!("is {} m", self.camera_max_movement),
                hint: format!("at most the outer radius of camera_range_position, {outer} m"),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preset_is_valid_and_survives_toml() {
        let recipe = RemovalRecipe::preset("casper").unwrap();
        recipe.validate().unwrap();
        assert_eq!(RemovalRecipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
        assert_eq!(RemovalRecipe::from_toml("").unwrap(), recipe);
        assert!(RemovalRecipe::preset("studio9").is_err());
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let recipe = RemovalRecipe::from_toml(
            "preset = \"casper\"\nprob_wall = 1\nrange_object_scale = [2, 2.5]\nvideo_fps = \"scene\"",
        )
        .unwrap();
        assert_eq!(recipe.prob_wall, 1.0);
        assert_eq!(recipe.range_object_scale, [2.0, 2.5]);
        assert_eq!(
            recipe.video_fps,
            VideoFps::Drawn(super::super::SceneRate::Scene)
        );
        assert_eq!(recipe.prob_same_object, 0.5);
    }

    #[test]
    fn flags_take_commas_blanks_words_and_sizes() {
        let mut recipe = RemovalRecipe::default();
        recipe.set("range-object-scale", "1 2").unwrap();
        recipe.set("range_num_objs", "2,4").unwrap();
        recipe.set("resolutions", "672x384,832x480").unwrap();
        recipe.set("render_width", "512").unwrap();
        recipe.set("stationary", "float").unwrap();
        recipe.set("exposure", "-1.5").unwrap();
        recipe.set("focus", "7.5").unwrap();
        recipe.set("keep-step-poses", "true").unwrap();
        recipe.set("objects", "builtin/cube, builtin/gear").unwrap();
        assert_eq!(recipe.range_object_scale, [1.0, 2.0]);
        assert_eq!(recipe.range_num_objs, [2, 4]);
        assert_eq!(recipe.resolutions, [[672, 384], [832, 480]]);
        assert_eq!([recipe.width, recipe.height], [512, 512]);
        assert_eq!(recipe.stationary, Stationary::Float);
        assert_eq!(recipe.exposure, ExposureChoice::Ev(-1.5));
        assert_eq!(recipe.focus, Focus::Distance(7.5));
        assert_eq!(recipe.objects, ["builtin/cube", "builtin/gear"]);
        recipe.validate().unwrap();
    }

    #[test]
    fn wrong_values_give_one_line_that_names_them() {
        let line = |text: &str| {
            let message = RemovalRecipe::from_toml(text).unwrap_err().to_string();
            assert!(!message.contains('\n'), "{message}");
            message
        };
        assert!(line("prob_wal = 1").contains("did you mean `prob_wall`"));
        assert!(line("range_object_scale = [3, 1]").contains("upside down"));
        assert!(line("range_object_scale = [nan, 1]").contains("range_object_scale"));
        assert!(line("prob_wall = 1.5").contains("0 to 1"));
        assert!(line("prob_wall = \"often\"").contains("a number"));
        assert!(line("width = 255").contains("even"));
        assert!(line("height = 0").contains("even"));
        assert!(line("video_length = 0").contains("1 to 1000000"));
        assert!(line("video_length = -3").contains("video_length"));
        assert!(line("range_num_objs = [6, 6]").contains("at least 1 object"));
        assert!(line("stationary = \"hover\"").contains("settle, float"));
        assert!(line("video_fps = 0").contains("scene"));
        assert!(line("focus = 0").contains("lookat"));
        assert!(line("focus = \"near\"").contains("lookat"));
        assert!(line("tuples_per_shot = 40").contains("32"));
        assert!(line("layers = \"object\"\nrange_num_objs = [1, 40]").contains("32"));
        assert!(line("= 3").contains("cannot be read"));
    }

    #[test]
    fn every_parameter_says_what_it_is_and_has_a_settable_text() {
        for parameter in RemovalRecipe::PARAMETERS {
            assert!(parameter.help.contains("default"), "{}", parameter.name);
            assert!(parameter.flag().starts_with("--"));
        }
        let mut recipe = RemovalRecipe::default();
        for target in TARGETS {
            recipe.aim_at(target);
            assert_eq!(recipe.video_length % 4, 1);
            recipe.validate().unwrap();
        }
    }
}
