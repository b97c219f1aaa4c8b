//! The plan: every value that changes a result, fully resolved.
//!
//! Layers: defaults < preset < TOML file < flags. The plan is written to `<out>/plan.toml`; a folder
//! made with another plan is refused with the differing keys named. More seeds is not different,
//! and threads, paths, shards are no part of it.

mod checks;
mod job;
mod layers;
mod scene;
mod setting;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use checks::Range;
pub use job::{Job, Selection};
pub use scene::ScenePlan;
pub use setting::{Auto, LookAt, MaskRuleSetting, NumberOr, Scene, Word};

use crate::args::{
    ClipArgs, DenoiseArg, MaskModeArg, OutputArgs, PresetArg, RecipeArgs, Size, TargetArg, ViewArg,
};
use crate::exit::UserError;
use checks::Checks;

/// Name of the file in the output folder.
pub const FILE_NAME: &str = "plan.toml";
/// Longest side of a picture, pixels.
const MAX_SIDE: u32 = 16_384;

/// Size, length and rate of clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipPlan {
    /// Frames.
    pub video_length: u32,
    /// Sizes, one of which is drawn per sample; one entry: that one.
    pub resolutions: Vec<Size>,
    /// Rate of the files, Hz; `scene`: true to the simulated time.
    pub video_fps: NumberOr<Scene>,
}

/// Lens effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensPlan {
    /// Share of the frame time, 0 to 1.
    pub motion_blur: f64,
    /// f-number; 0: pinhole.
    pub aperture: f64,
    /// Metres; `lookat`: the distance to the point looked at.
    pub focus: NumberOr<LookAt>,
}

/// How pictures are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PicturePlan {
    /// Samples per pixel.
    pub spp: u32,
    /// Most bounces of a path.
    pub max_bounces: u32,
    /// Clamp on one indirect sample; 0: none.
    pub clamp_indirect: f64,
    /// What removes noise.
    pub denoise: DenoiseArg,
    /// Display transform.
    pub view: ViewArg,
    /// Stops; `auto`: the log-mean of the first full frame becomes 0.18.
    pub exposure: NumberOr<Auto>,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputPlan {
    /// Values of the mask.
    pub mask_mode: MaskModeArg,
    /// Which pixels belong to an object.
    pub mask_rule: MaskRuleSetting,
    /// Pixels.
    pub mask_dilate: u32,
    /// Passes written as EXR, sorted.
    pub passes: Vec<String>,
    /// `png` or `none`.
    pub frames: String,
    /// Constant quantiser of the colour videos.
    pub qp: u8,
    /// `builtin` or `ffmpeg[:ARGS]`.
    pub encoder: String,
}

/// Everything that changes a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of the program: another one may make other bytes.
    pub version: String,
    /// Hashes of the asset libraries beside the built-in one, in order.
    pub libraries: Vec<String>,
    /// See [`ClipPlan`].
    pub clip: ClipPlan,
    /// See [`PicturePlan`].
    pub picture: PicturePlan,
    /// See [`LensPlan`].
    pub lens: LensPlan,
    /// See [`OutputPlan`].
    pub output: OutputPlan,
    /// See [`ScenePlan`].
    pub scene: ScenePlan,
}

impl Plan {
    /// The complete set of values of a preset.
    pub fn preset(preset: PresetArg) -> Self {
        match preset {
            PresetArg::Casper => Self {
                version: env!("CARGO_PKG_VERSION").into(),
                libraries: Vec::new(),
                clip: ClipPlan {
                    video_length: 80,
                    resolutions: vec![Size {
                        width: 256,
                        height: 256,
                    }],
                    video_fps: NumberOr::number(16.0),
                },
                picture: PicturePlan {
                    spp: 128,
                    max_bounces: 20,
                    clamp_indirect: 10.0,
                    denoise: DenoiseArg::Builtin,
                    view: ViewArg::Filmic,
                    exposure: NumberOr::WORD,
                },
                lens: LensPlan {
                    motion_blur: 0.0,
                    aperture: 0.0,
                    focus: NumberOr::WORD,
                },
                output: OutputPlan {
                    mask_mode: MaskModeArg::Trimask,
                    mask_rule: MaskRuleSetting::Auto,
                    mask_dilate: 0,
                    passes: Vec::new(),
                    frames: "none".into(),
                    qp: 12,
                    encoder: "builtin".into(),
                },
                scene: ScenePlan::default(),
            },
        }
    }

    /// Resolves all layers. `libraries` are the hashes of the asset libraries given.
    pub fn resolve(
        recipe: &RecipeArgs,
        output: &OutputArgs,
        libraries: Vec<String>,
    ) -> Result<Self> {
        let mut table = Table::try_from(Self::preset(
            recipe.source.preset.unwrap_or(PresetArg::Casper),
        ))?;
        if let Some(path) = &recipe.source.config {
            let layer = read_config(path)?;
            layers::lay_over(&mut table, layer, "")
                .and_then(|()| typed(&table).map(drop))
                .map_err(|reason| UserError::new(format!("{}: {reason}", path.display())))?;
        }
        layers::lay_over(&mut table, flags(recipe, output)?, "").map_err(UserError::new)?;
        let mut plan = typed(&table).map_err(UserError::new)?;
        plan.version = env!("CARGO_PKG_VERSION").into();
        plan.libraries = libraries;
        plan.output.passes.sort();
        plan.output.passes.dedup();
        if plan.output.mask_rule == MaskRuleSetting::Auto {
            let blurred = plan.lens.motion_blur > 0.0 || plan.lens.aperture > 0.0;
            plan.output.mask_rule = if blurred {
                MaskRuleSetting::Coverage(0.5)
            } else {
                MaskRuleSetting::Centre
            };
        }
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), UserError> {
        let mut checks = Checks::default();
        let length = self.clip.video_length;
        checks.that(
            (1..=diorama_synth::shot::MAX_FRAMES).contains(&length),
            || {
                format!(
                    "`--video-length {length}` is out of range (1 to {})",
                    diorama_synth::shot::MAX_FRAMES
                )
            },
        );
        checks.that(!self.clip.resolutions.is_empty(), || {
            "`--resolutions` names no size".into()
        });
        for size in &self.clip.resolutions {
            check_size(&mut checks, *size);
        }
        if let Some(rate) = self.clip.video_fps.number {
            checks.that((1.0..=1000.0).contains(&rate), || {
                format!("`--video-fps {rate}` is out of range (1 to 1000)")
            });
        }
        let picture = &self.picture;
        checks.that((1..=1 << 20).contains(&picture.spp), || {
            format!("`--spp {}` is out of range (1 to {})", picture.spp, 1 << 20)
        });
        checks.that(picture.max_bounces <= 1024, || {
            format!(
                "`--max-bounces {}` is out of range (0 to 1024)",
                picture.max_bounces
            )
        });
        checks.range(
            "picture",
            "clamp_indirect",
            [picture.clamp_indirect; 2],
            [0.0, 1.0e9],
        );
        if let Some(ev) = picture.exposure.number {
            checks.range("picture", "exposure", [ev; 2], [-64.0, 64.0]);
        }
        checks.range(
            "lens",
            "motion_blur",
            [self.lens.motion_blur; 2],
            [0.0, 1.0],
        );
        checks.range("lens", "aperture", [self.lens.aperture; 2], [0.0, 1000.0]);
        if let Some(metres) = self.lens.focus.number {
            checks.range("lens", "focus", [metres; 2], [1.0e-3, 1.0e5]);
        }
        let output = &self.output;
        checks.that(output.qp <= 51, || {
            format!("`--qp {}` is out of range (0 to 51)", output.qp)
        });
        checks.that(output.mask_dilate <= 1024, || {
            format!(
                "`--mask-dilate {}` is out of range (0 to 1024)",
                output.mask_dilate
            )
        });
        checks.that(["png", "none"].contains(&output.frames.as_str()), || {
            format!("`--frames {}` is neither `png` nor `none`", output.frames)
        });
        checks.that(
            output.encoder == "builtin"
                || output.encoder == "ffmpeg"
                || output.encoder.starts_with("ffmpeg:"),
            || {
                format!(
                    "`--encoder {}` is neither `builtin` nor `ffmpeg[:ARGS]`",
                    output.encoder
                )
            },
        );
        self.scene.check(&mut checks);
        checks.finish()
    }

    /// The plan as TOML, with a line that says what it is.
    pub fn to_toml(&self) -> Result<String> {
        let mut text =
            String::from("# Everything that decides what the samples of this folder look like.\n");
        text.push_str(&toml::to_string(self)?);
        Ok(text)
    }

    /// `key (value there, value here)` for every value in which a stored plan differs.
    pub fn differences(&self, stored: &Table) -> Result<Vec<String>> {
        let ours: Vec<(String, Value)> = layers::leaves(&Table::try_from(self)?);
        let theirs = layers::leaves(stored);
        let find = |list: &[(String, Value)], key: &str| {
            list.iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.to_string())
        };
        let mut keys: Vec<&String> = ours.iter().chain(&theirs).map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        Ok(keys
            .into_iter()
            .filter_map(|key| {
                let (here, there) = (find(&ours, key), find(&theirs, key));
                let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".into());
                (here != there)
                    .then(|| format!("{key} ({} there, {} here)", shown(there), shown(here)))
            })
            .collect())
    }

    /// Refuses a folder that was made with another plan.
    pub fn check_folder(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE_NAME);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let stored: Table = toml::from_str(&text).map_err(|error| {
            UserError::new(format!(
                "{} is damaged: {}",
                path.display(),
                error.message().trim()
            ))
            .hint("choose another `--output-dir`")
        })?;
        let differences = self.differences(&stored)?;
        if differences.is_empty() {
            return Ok(());
        }
        Err(UserError::new(format!(
            "{} was made with another plan: {}",
            dir.display(),
            differences.join(", ")
        ))
        .hint(
            "choose another `--output-dir`, or repeat the values of its plan.toml with `--config`",
        )
        .into())
    }
}

/// Sizes that H.264 4:2:0 can hold.
fn check_size(checks: &mut Checks, size: Size) {
    let Size { width, height } = size;
    checks.that(width > 0 && height > 0, || {
        format!("a picture of {width}x{height} has no pixels")
    });
    checks.that(width.is_multiple_of(2) && height.is_multiple_of(2), || {
        format!("{width}x{height} has an odd side: video needs even sizes")
    });
    checks.that(
        (16..=MAX_SIDE).contains(&width) && (16..=MAX_SIDE).contains(&height),
        || format!("{width}x{height} is out of range (16 to {MAX_SIDE} pixels a side)"),
    );
}

fn typed(table: &Table) -> Result<Plan, String> {
    Plan::deserialize(Value::Table(table.clone()))
        .map_err(|error| error.to_string().trim().replace('\n', " "))
}

/// A config file as a layer. The keys of a stored plan that are no choice are dropped.
fn read_config(path: &Path) -> Result<Table> {
    let text = fs_err::read_to_string(path).context("cannot read the file of `--config`")?;
    let mut table: Table = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(String::new(), |span| {
            format!(":{}", 1 + text[..span.start].matches('\n').count())
        });
        UserError::new(format!(
            "{}{line}: {}",
            path.display(),
            error.message().trim().replace('\n', " ")
        ))
    })?;
    table.remove("version");
    table.remove("libraries");
    Ok(table)
}

/// The layer of the flags: only what was given.
fn flags(recipe: &RecipeArgs, output: &OutputArgs) -> Result<Table> {
    let mut scene = Table::try_from(&recipe.scene)?;
    for value in scene.iter_mut().map(|(_, value)| value) {
        if let Value::Array(ends) = value
            && ends.len() == 1
        {
            // One number is both ends.
            ends.push(ends[0].clone());
        }
    }
    let mut clip = Table::try_from(&recipe.clip)?;
    clip_flags(&recipe.clip, &mut clip);
    let mut files = Table::try_from(output)?;
    if output.save_images {
        files.insert("frames".into(), "png".into());
    }
    let mut table = Table::new();
    for (key, part) in [
        ("clip", clip),
        ("picture", Table::try_from(&recipe.picture)?),
        ("lens", Table::try_from(&recipe.lens)?),
        ("output", files),
        ("scene", scene),
    ] {
        table.insert(key.into(), Value::Table(part));
    }
    Ok(table)
}

fn clip_flags(args: &ClipArgs, clip: &mut Table) {
    let sizes = |sizes: Vec<Size>| {
        Value::Array(
            sizes
                .into_iter()
                .map(|size| Value::String(size.into()))
                .collect(),
        )
    };
    let one = |width, height| vec![Size { width, height }];
    if let Some(target) = args.target {
        let (width, height, length) = match target {
            TargetArg::CasperCogvideox => (672, 384, 85),
            TargetArg::CasperWan => (832, 480, 81),
            TargetArg::Das => (720, 480, 49),
        };
        clip.entry("video_length").or_insert(Value::Integer(length));
        clip.insert("resolutions".into(), sizes(one(width, height)));
    }
    if let (Some(width), Some(height)) = (args.width, args.height) {
        clip.insert("resolutions".into(), sizes(one(width, height)));
    }
    if let Some(width) = args.render_width {
        clip.insert("resolutions".into(), sizes(one(width, width)));
    }
    if !args.resolutions.is_empty() {
        clip.insert("resolutions".into(), sizes(args.resolutions.clone()));
    }
}

/// Frames that trainers use of a clip: lengths are cut to 4k + 1.
pub fn trained_frames(length: u32) -> u32 {
    (length.max(1) - 1) / 4 * 4 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command, parse};

    fn plan_of(flags: &str) -> Result<Plan> {
        let args = format!("diorama removal {flags}");
        let Cli { command, .. } = parse(args.split_whitespace().map(Into::into)).unwrap();
        let Command::Removal(args) = command else {
            panic!("not removal");
        };
        Plan::resolve(&args.recipe, &args.output, Vec::new())
    }

    fn refusal(flags: &str) -> String {
        plan_of(flags).expect_err(flags).to_string()
    }

    #[test]
    fn a_plan_survives_its_file() {
        let plan =
            plan_of("--exposure -1.5 --video_fps scene --resolutions 672x384,832x480").unwrap();
        let stored: Table = toml::from_str(&plan.to_toml().unwrap()).unwrap();
        assert_eq!(plan.differences(&stored).unwrap(), Vec::<String>::new());
        assert_eq!(Plan::deserialize(Value::Table(stored)).unwrap(), plan);
        assert_eq!(plan.picture.exposure, NumberOr::number(-1.5));
    }

    #[test]
    fn layers_are_defaults_then_preset_then_file_then_flags() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("my.toml");
        fs_err::write(&file, "[picture]\nspp = 16\nmax_bounces = 5\n").unwrap();
        let plan = plan_of(&format!("--config {} --spp 4", file.display())).unwrap();
        assert_eq!(plan.picture.spp, 4);
        assert_eq!(plan.picture.max_bounces, 5);
        assert_eq!(plan.clip.video_length, 80);
        fs_err::write(&file, "[picture]\nspq = 16\n").unwrap();
        let wrong = refusal(&format!("--config {}", file.display()));
        assert!(
            wrong.contains("`picture.spq` is not a setting (is `spp` meant?)"),
            "{wrong}"
        );
        fs_err::write(&file, "[picture]\nspp = 'many'\n").unwrap();
        assert!(refusal(&format!("--config {}", file.display())).contains("my.toml"));
        fs_err::write(&file, "[picture\n").unwrap();
        assert!(refusal(&format!("--config {}", file.display())).contains("my.toml:1"));
    }

    #[test]
    fn targets_are_sizes_and_lengths_that_flags_may_change() {
        let plan = plan_of("--target casper-wan").unwrap();
        assert_eq!(plan.clip.video_length, 81);
        assert_eq!(String::from(plan.clip.resolutions[0]), "832x480");
        let plan = plan_of("--target das --video-length 9 --render-width 64").unwrap();
        assert_eq!(plan.clip.video_length, 9);
        assert_eq!(String::from(plan.clip.resolutions[0]), "64x64");
    }

    #[test]
    fn the_mask_rule_follows_the_lens() {
        let rule = |flags| plan_of(flags).unwrap().output.mask_rule;
        assert_eq!(rule(""), MaskRuleSetting::Centre);
        assert_eq!(rule("--motion-blur 0.5"), MaskRuleSetting::Coverage(0.5));
        assert_eq!(
            rule("--aperture 2.8 --mask-rule centre"),
            MaskRuleSetting::Centre
        );
    }

    #[test]
    fn differing_keys_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let plan = plan_of("--spp 4").unwrap();
        plan.check_folder(dir.path()).unwrap();
        fs_err::write(dir.path().join(FILE_NAME), plan.to_toml().unwrap()).unwrap();
        plan.check_folder(dir.path()).unwrap();
        let other = plan_of("--spp 8 --video-length 5").unwrap();
        let error = other.check_folder(dir.path()).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "another plan: clip.video_length (80 there, 5 here), picture.spp (4 there, 8 here)"
            ),
            "{error}"
        );
    }

    #[test]
    fn wrong_values_are_one_line_that_names_the_flag() {
        for (flags, words) in [
            ("--video-length 0", "`--video-length 0` is out of range"),
            ("--render-width 0", "has no pixels"),
            ("--width 255 --height 256", "odd side"),
            (
                "--range-object-scale 3,1",
                "`--range-object-scale 3,1` (`scene.range_object_scale`) is upside down",
            ),
            ("--range-num-objs 2,2", "holds no number"),
            (
                "--prob-wall 1.5",
                "`--prob-wall 1.5` (`scene.prob_wall`) is out of range (0 to 1)",
            ),
            ("--range-object-scale nan,1", "is not a finite number"),
            ("--spp 0", "`--spp 0`"),
            ("--qp 60", "`--qp 60`"),
            ("--exposure bright", "neither `auto` nor a finite number"),
            (
                "--mask-rule coverage:7",
                "neither `centre` nor `coverage:T`",
            ),
            ("--encoder x265", "neither `builtin` nor"),
        ] {
            let message = refusal(flags);
            assert!(message.contains(words), "{flags}: {message}");
            assert!(!message.contains('\n'), "{flags}: {message}");
        }
    }

    #[test]
    fn trainers_cut_to_4k_plus_1() {
        assert_eq!(trained_frames(80), 77);
        assert_eq!(trained_frames(81), 81);
        assert_eq!(trained_frames(1), 1);
    }
}
