//! Flags of `diorama removal` and `diorama shot removal`.
//!
//! Names follow the public tool where it has one. The structs that are `Serialize` are one layer of
//! the plan: their field names are the plan's keys, and flags that were not given are left out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{PictureArgs, Redo, SeedRange, ShardArg, Size};

/// Complete sets of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// The public tool's distributions, its defects mended
    Casper,
}

/// Size and length that a trainer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// 672x384, 85 frames
    CasperCogvideox,
    /// 832x480, 81 frames
    CasperWan,
    /// 720x480, 49 frames
    Das,
}

/// What is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairArg {
    /// The objects and their light; everything else moves as before
    Effect,
    /// The objects and their pushes too: physics runs again without them
    Counterfactual,
}

/// Where objects that do not move are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StationaryArg {
    /// They fall before the clip and rest on something
    Settle,
    /// They hang where they were placed
    Float,
}

/// Values of the mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskModeArg {
    /// 0 remove, 128 background, 255 keep
    Trimask,
    /// 0 remove, 255 everything else
    Binary,
}

/// Folders of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// One folder per seed
    Nested,
    /// One seed's files straight into the folder
    Flat,
}

/// Extra layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayersArg {
    /// None
    None,
    /// One effect layer and matte per object
    Object,
}

/// `diorama removal`
#[derive(Debug, Args)]
pub struct RemovalArgs {
    /// Which samples, and where they go.
    #[command(flatten)]
    pub batch: BatchArgs,
    /// What they show.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// What is written.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which samples, and where they go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Batch")]
pub struct BatchArgs {
    /// One seed [default: 0]
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Seeds A to B - 1
    #[arg(long, value_name = "A..B")]
    pub seeds: Option<SeedRange>,
    /// Folder of the dataset [default: test_outputs]
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// `flat`: one seed's files straight into the folder [default: nested]
    #[arg(long, value_name = "WHICH")]
    pub layout: Option<LayoutArg>,
    /// Make part i of n (from 0); the parts may run at the same time into one folder
    #[arg(long, value_name = "i/n")]
    pub shard: Option<ShardArg>,
    /// Make these again: `failed`, or seeds such as `43,57`
    #[arg(long, value_name = "failed|S,S,…", conflicts_with = "estimate")]
    pub redo: Option<Redo>,
    /// Say how long it would take, how much disk and memory; write nothing
    #[arg(long)]
    pub estimate: bool,
    /// The public tool's .blend; here the Shot is always written as shot.json
    #[arg(long, hide = true)]
    pub save_state: bool,
}

/// What the samples show.
#[derive(Debug, Clone, Default, Args)]
pub struct RecipeArgs {
    /// Preset, config file.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Size and length.
    #[command(flatten)]
    pub clip: ClipArgs,
    /// How the picture is made.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// Lens.
    #[command(flatten)]
    pub lens: LensArgs,
    /// Distributions.
    #[command(flatten)]
    pub scene: SceneArgs,
    /// Where assets are.
    #[command(flatten)]
    pub assets: AssetArgs,
}

/// Where values come from that no flag gives.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Source of values (defaults < preset < file < flags)")]
pub struct SourceArgs {
    /// Complete set of values [default: casper]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<PresetArg>,
    /// TOML file of the form of a plan.toml; any part of it will do
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Libraries of assets beside the built-in one.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Assets")]
pub struct AssetArgs {
    /// Kubric manifest folder, or folder of .obj, .glb, .hdr, .exr; may be repeated
    #[arg(long, value_name = "DIR")]
    pub assets: Vec<PathBuf>,
}

/// Size and length of a clip.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Size and length")]
pub struct ClipArgs {
    /// Frames [default: 80]
    #[arg(long, alias = "frames-per-clip", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_length: Option<u32>,
    /// Picture width, pixels, even [default: 256]
    #[arg(long, value_name = "PX", requires = "height")]
    #[serde(skip)]
    pub width: Option<u32>,
    /// Picture height, pixels, even [default: 256]
    #[arg(long, value_name = "PX", requires = "width")]
    #[serde(skip)]
    pub height: Option<u32>,
    /// Width and height of a square picture
    #[arg(long, value_name = "PX", conflicts_with_all = ["width", "height"])]
    #[serde(skip)]
    pub render_width: Option<u32>,
    /// Sizes to draw from, one per sample, e.g. 672x384,832x480
    #[arg(long, value_name = "WxH,…", value_delimiter = ',',
          conflicts_with_all = ["width", "height", "render_width"])]
    #[serde(skip)]
    pub resolutions: Vec<Size>,
    /// Size and length of a trainer
    #[arg(long, value_name = "TRAINER")]
    #[serde(skip)]
    pub target: Option<TargetArg>,
    /// Rate of the files: 16, another number, or `scene` (true to the simulated time) [default: 16]
    #[arg(long, value_name = "scene|HZ")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_fps: Option<String>,
}

/// Motion blur and depth of field.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Lens")]
pub struct LensArgs {
    /// Share of the frame time for which the shutter is open, 0 to 1 [default: 0]
    #[arg(long, value_name = "SHUTTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motion_blur: Option<f64>,
    /// f-number of a thin lens, e.g. 2.8; 0: everything is sharp [default: 0]
    #[arg(long, value_name = "F")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aperture: Option<f64>,
    /// Distance in focus, metres; `lookat`: the point looked at [default: lookat]
    #[arg(long, value_name = "lookat|M")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus: Option<String>,
}

// Twenty-five ranges with the same attributes: written once.
macro_rules! scene_args {
    (
        ranges { $( $(#[doc = $range_doc:literal])+ $range:ident = $range_name:literal, )+ }
        numbers { $( $(#[doc = $number_doc:literal])+ $number:ident = $number_name:literal, )+ }
    ) => {
        /// Distributions that a Shot is drawn from. A range is `LOW,HIGH` or `LOW HIGH`; one
        /// number is both.
        #[derive(Debug, Clone, Default, Args, Serialize)]
        #[command(next_help_heading = "Distributions (a range is `LOW,HIGH` or `LOW HIGH`)")]
        pub struct SceneArgs {
            $(
                $(#[doc = $range_doc])+
                #[arg(long, value_name = $range_name, num_args = 1..=2, value_delimiter = ',',
                      allow_negative_numbers = true)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $range: Option<Vec<f64>>,
            )+
            $(
                $(#[doc = $number_doc])+
                #[arg(long, value_name = $number_name, allow_negative_numbers = true)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $number: Option<f64>,
            )+
            /// Objects that do not move: settled by physics first, or hanging in the air [default: settle]
            #[arg(long, value_name = "WHICH")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub stationary: Option<StationaryArg>,
            /// What is removed: the objects and their light, or their pushes too [default: effect]
            #[arg(long, value_name = "WHICH")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub pair: Option<PairArg>,
            /// Tuples with different removed sets from one Shot [default: 1]
            #[arg(long, value_name = "K")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub tuples_per_shot: Option<u32>,
            /// One effect layer and matte per object [default: none]
            #[arg(long, value_name = "WHICH")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub layers: Option<LayersArg>,
        }
    };
}

scene_args! {
    ranges {
        /// Metallic of materials [default: 0.8,1]
        range_material_metallic = "RANGE",
        /// Specular level [default: 0,1]
        range_material_specular = "RANGE",
        /// Specular tint [default: 0,1]
        range_material_specular_tint = "RANGE",
        /// Roughness [default: 0,0.6]
        range_material_roughness = "RANGE",
        /// Index of refraction [default: 1,2.5]
        range_material_ior = "RANGE",
        /// Transmission [default: 0,1]
        range_material_transmission = "RANGE",
        /// Roughness of transmission [default: 0,0.5]
        range_material_transmission_roughness = "RANGE",
        /// Alpha of wall and ground mirror [default: 0.7,1]
        range_material_alpha = "RANGE",
        /// Largest side of an object's box, metres [default: 1,3]
        range_object_scale = "RANGE",
        /// Number of objects, the upper end not included [default: 1,6]
        range_num_objs = "RANGE",
        /// x of the spawn box, metres, for the centre of an object [default: -4,4]
        range_spawn_x = "RANGE",
        /// y of the spawn box, metres [default: -4,4]
        range_spawn_y = "RANGE",
        /// Height of the lowest point of a thrown object, metres [default: 2,4]
        range_spawn_z = "RANGE",
        /// Height of the lowest point of a stationary object before it settles, metres [default: 1,2]
        range_spawn_z_stationary = "RANGE",
        /// Each component of the initial velocity, m/s [default: -3,3]
        range_velocity = "RANGE",
        /// Simulated time of a frame in 1/240 s, whole numbers, both ends included [default: 8,11]
        range_frame_time = "RANGE",
        /// Distance of camera positions from the origin, metres [default: 5,15]
        camera_range_position = "RANGE",
        /// Distance of look-at points from the origin, metres [default: 0,2.5]
        camera_range_lookat = "RANGE",
        /// Focal length, mm, for a 32 mm sensor [default: 35,45]
        camera_range_focal = "RANGE",
        /// Distance of the sun's position from the origin [default: 0,4]
        light_range_position = "RANGE",
        /// Distance of the sun's target from the origin [default: 0,1]
        light_range_lookat = "RANGE",
        /// Strength of the sun, W/m² [default: 4,6]
        light_range_intensity = "RANGE",
        /// Elevation of the sun, degrees [default: 12,75]
        range_sun_elevation = "RANGE",
        /// Elevation of the sun in extreme lighting, degrees [default: 2,12]
        range_sun_elevation_extreme = "RANGE",
        /// Angular diameter of the sun, degrees [default: 0.5,5]
        range_sun_diameter = "RANGE",
    }
    numbers {
        /// Largest offset between the two look-at points, metres [default: 1]
        camera_max_offset = "M",
        /// Longest path of the camera, metres [default: 4]
        camera_max_movement = "M",
        /// Probability of a wall [default: 0.25]
        prob_wall = "P",
        /// Probability of a ground mirror [default: 0.5]
        prob_ground_mirror = "P",
        /// Probability that all objects are of one asset [default: 0.5]
        prob_same_object = "P",
        /// Probability that the objects of a clip are stationary [default: 0.5]
        prob_stationary_object = "P",
        /// Probability of a low sun [default: 0.5]
        prob_extreme_lighting = "P",
    }
}

/// What is written.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Masks and files")]
pub struct OutputArgs {
    /// Values of the mask [default: trimask]
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_mode: Option<MaskModeArg>,
    /// `centre`: the surface at the pixel centre; `coverage:T`: more than T of the pixel [default: centre, with blur coverage:0.5]
    #[arg(long, value_name = "centre|coverage:T")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_rule: Option<String>,
    /// Grow the removed region by this many pixels [default: 0]
    #[arg(long, value_name = "PX")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_dilate: Option<u32>,
    /// Exact values as EXR: effect, depth, normal, flow, instance, …
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
    /// `png`: every frame as a lossless picture too [default: none]
    #[arg(long, value_name = "png|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<String>,
    /// The same as `--frames png`
    #[arg(long, conflicts_with = "frames")]
    #[serde(skip)]
    pub save_images: bool,
    /// Constant quantiser of the colour videos: lower is closer to the picture [default: 12]
    #[arg(long, value_name = "QP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qp: Option<u8>,
    /// `builtin`, or `ffmpeg[:ARGS]`, e.g. "ffmpeg:-c:v libx264 -qp 10" [default: builtin]
    #[arg(long, value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
}
