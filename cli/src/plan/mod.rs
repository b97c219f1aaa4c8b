//! The plan: every value that changes a result, fully resolved.
//!
//! Layers: preset < TOML file < flags. The plan is written to `<out>/plan.toml`; a folder
//! made with another plan is refused with the differing keys named. More seeds is not different,
//! and threads, paths, shards are no part of it.

mod avatar;
mod file;
mod job;
mod layers;
mod setting;
mod track;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use diorama_postproc::{MaskMode, MaskOptions, MaskRule, Pass};
use diorama_render::RenderSettings;
use diorama_synth::recipe::{PairKind, RemovalRecipe};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use avatar::{AvatarOutputPlan, AvatarPlan};
pub use file::{backend_of_folder, check_folder, forget_plan, has_plan, write_plan};
pub use job::{Job, Selection, sample_id};
pub use setting::MaskRuleSetting;
pub use track::{TrackChoices, TrackPlan};

use crate::args::{DenoiseArg, OutputArgs, RecipeArgs};
use crate::backend::BackendSetting;
use crate::exit::UserError;

/// How pictures are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PicturePlan {
    /// Samples per pixel; the most where there is a threshold.
    pub spp: u32,
    /// Noise at which a pixel has samples enough; 0: all get all.
    #[serde(default)]
    pub noise_threshold: f64,
    /// Most bounces of a path.
    pub max_bounces: u32,
    /// Clamp on one indirect sample; 0: none.
    pub clamp_indirect: f64,
    /// What removes noise.
    pub denoise: DenoiseArg,
    /// Where light is traced; what `auto` found, once a run has begun.
    #[serde(default)]
    pub backend: BackendSetting,
}

/// Is it a share that pictures can have?
pub fn check_noise_threshold(threshold: f64) -> Result<(), String> {
    if (0.0..=10.0).contains(&threshold) {
        Ok(())
    } else {
        Err(format!(
            "`--noise-threshold {threshold}` is out of range (0 to 10)"
        ))
    }
}

impl PicturePlan {
    fn check(&self) -> Result<(), String> {
        if !(1..=1 << 20).contains(&self.spp) {
            return Err(format!(
                "`--spp {}` is out of range (1 to {})",
                self.spp,
                1 << 20
            ));
        }
        check_noise_threshold(self.noise_threshold)?;
        if self.max_bounces > 1024 {
            return Err(format!(
                "`--max-bounces {}` is out of range (0 to 1024)",
                self.max_bounces
            ));
        }
        if !(0.0..=1.0e9).contains(&self.clamp_indirect) {
            return Err(format!(
                "`--clamp-indirect {}` is out of range (0 to 1e9)",
                self.clamp_indirect
            ));
        }
        Ok(())
    }

    /// The same as sample.json keeps it.
    pub fn record(&self) -> BTreeMap<String, serde_json::Value> {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(values)) => values.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The same for the renderer, on the CPU.
    pub fn render_settings(&self) -> RenderSettings {
        RenderSettings {
            samples: self.spp,
            noise_threshold: self.noise_threshold as f32,
            max_bounces: self.max_bounces,
            clamp_indirect: self.clamp_indirect as f32,
            denoise: self.denoise.into(),
            ..RenderSettings::default()
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputPlan {
    /// Values of the mask.
    pub mask_mode: MaskMode,
    /// Which pixels belong to an object.
    pub mask_rule: MaskRuleSetting,
    /// What is seen through glass counts beside the glass.
    pub mask_through_glass: bool,
    /// Pixels.
    pub mask_dilate: u32,
    /// Passes written as EXR, sorted.
    pub passes: Vec<Pass>,
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
    /// See [`PicturePlan`].
    pub picture: PicturePlan,
    /// See [`OutputPlan`].
    pub output: OutputPlan,
    /// What the samples show.
    pub recipe: RemovalRecipe,
}

impl Plan {
    /// The complete set of values of a preset.
    pub fn preset(name: &str) -> Result<Self> {
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            libraries: Vec::new(),
            picture: PicturePlan {
                spp: 128,
                noise_threshold: 0.0,
                max_bounces: 20,
                clamp_indirect: 10.0,
                denoise: DenoiseArg::Builtin,
                backend: BackendSetting::Auto,
            },
            output: OutputPlan {
                mask_mode: MaskMode::Trimask,
                mask_rule: MaskRuleSetting::Auto,
                mask_through_glass: false,
                mask_dilate: 0,
                passes: Vec::new(),
                frames: "none".into(),
                qp: diorama_video::PAIR_QP,
                encoder: "builtin".into(),
            },
            recipe: RemovalRecipe::preset(name)?,
        })
    }

    /// Resolves all layers. `libraries` are the hashes of the asset libraries given.
    pub fn resolve(
        recipe: &RecipeArgs,
        output: &OutputArgs,
        libraries: Vec<String>,
    ) -> Result<Self> {
        let mut layer = match &recipe.source.config {
            Some(path) => read_config(path)?,
            None => Table::new(),
        };
        let named_in_file = layer.remove("preset");
        let preset = match (&recipe.source.preset, &named_in_file) {
            (Some(name), _) | (None, Some(Value::String(name))) => name,
            _ => "casper",
        };
        let mut table = Table::try_from(Self::preset(preset)?)?;
        if let Some(path) = &recipe.source.config {
            layers::lay_over(&mut table, layer, "")
                .and_then(|()| typed(&table).map(drop))
                .map_err(|reason| UserError::new(format!("{}: {reason}", path.display())))?;
        }
        layers::lay_over(&mut table, flags(recipe, output)?, "").map_err(UserError::new)?;
        let mut plan = typed(&table).map_err(UserError::new)?;
        if let Some(target) = recipe.parameters.target {
            plan.recipe.aim_at(target);
        }
        for (name, text) in &recipe.parameters.given {
            if ["width", "height", "render_width"].contains(name) {
                plan.recipe.resolutions.clear(); // of the file: the flag wins
            }
            plan.recipe.set(name, text)?;
        }
        plan.version = env!("CARGO_PKG_VERSION").into();
        plan.libraries = libraries;
        plan.output.passes.sort();
        plan.output.passes.dedup();
        if plan.output.mask_rule == MaskRuleSetting::Auto {
            let blurred = plan.recipe.shutter > 0.0 || plan.recipe.f_stop > 0.0;
            // Coverage is known by the roles of the Shot, of which other pairs have several sets, and
            // of first surfaces.
            let one_set = plan.recipe.tuples_per_shot == 1 && plan.recipe.pair == PairKind::Effect;
            let first_surface = !plan.output.mask_through_glass;
            plan.output.mask_rule = MaskRuleSetting::Rule(if blurred && one_set && first_surface {
                MaskRule::Coverage(0.5)
            } else {
                MaskRule::Centre
            });
        }
        plan.check()?;
        Ok(plan)
    }

    /// How masks are made.
    pub fn mask_options(&self) -> MaskOptions {
        MaskOptions {
            mode: self.output.mask_mode,
            rule: match self.output.mask_rule {
                MaskRuleSetting::Rule(rule) => rule,
                MaskRuleSetting::Auto => MaskRule::default(),
            },
            dilate_px: self.output.mask_dilate,
            through_glass: self.output.mask_through_glass,
        }
    }

    fn check(&self) -> Result<()> {
        self.recipe.validate()?;
        self.picture.check().map_err(UserError::new)?;
        let output = &self.output;
        let complaint = if output.qp > 51 {
            format!("`--qp {}` is out of range (0 to 51)", output.qp)
        } else if output.mask_dilate > 1024 {
            format!(
                "`--mask-dilate {}` is out of range (0 to 1024)",
                output.mask_dilate
            )
        } else if output.mask_through_glass && self.mask_options().rule != MaskRule::Centre {
            "`--mask-through-glass` needs `--mask-rule centre`: what is behind glass is known at \
             pixel centres only"
                .into()
        } else if !["png", "none"].contains(&output.frames.as_str()) {
            format!("`--frames {}` is neither `png` nor `none`", output.frames)
        } else {
            check_encoder(&output.encoder).map_err(UserError::new)?;
            return Ok(());
        };
        Err(UserError::new(complaint).into())
    }
}

fn check_encoder(encoder: &str) -> Result<(), String> {
    if ["builtin", "ffmpeg"].contains(&encoder) || encoder.starts_with("ffmpeg:") {
        return Ok(());
    }
    Err(format!(
        "`--encoder {encoder}` is neither `builtin` nor `ffmpeg[:ARGS]`"
    ))
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

/// The layer of the flags beside the recipe's: only what was given.
fn flags(recipe: &RecipeArgs, output: &OutputArgs) -> Result<Table> {
    let mut files = Table::try_from(output)?;
    if output.save_images {
        files.insert("frames".into(), "png".into());
    }
    if !output.passes.is_empty() {
        let passes = output
            .passes
            .iter()
            .map(|name| Ok(name.parse::<Pass>()?.name().into()))
            .collect::<Result<Vec<Value>, String>>()
            .map_err(UserError::new)?;
        files.insert("passes".into(), Value::Array(passes));
    }
    let mut table = Table::new();
    table.insert("picture".into(), Table::try_from(&recipe.picture)?.into());
    table.insert("output".into(), files.into());
    Ok(table)
}

/// Frames that trainers use of a clip: lengths are cut to 4k + 1.
pub fn trained_frames(length: u32) -> u32 {
    (length.max(1) - 1) / 4 * 4 + 1
}

#[cfg(test)]
mod tests {
    use diorama_synth::recipe::ExposureChoice;

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

    #[test]
    fn a_plan_survives_its_file() {
        let plan = plan_of(
            "--exposure -1.5 --video_fps scene --resolutions 672x384,832x480 --passes depth,effect",
        )
        .unwrap();
        let stored: Table = toml::from_str(&file::to_toml(&plan).unwrap()).unwrap();
        assert_eq!(
            file::differences(&plan, &stored).unwrap(),
            Vec::<String>::new()
        );
        assert_eq!(Plan::deserialize(Value::Table(stored)).unwrap(), plan);
        assert_eq!(plan.recipe.exposure, ExposureChoice::Ev(-1.5));
        assert_eq!(plan.output.passes, [Pass::Effect, Pass::Depth]);
    }

    #[test]
    fn layers_are_preset_then_file_then_flags() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("my.toml");
        let with = |text: &str, flags: &str| {
            fs_err::write(&file, text).unwrap();
            plan_of(&format!("--config {} {flags}", file.display()))
        };
        let text = "[picture]\nspp = 16\nmax_bounces = 5\n[recipe]\nprob_wall = 1.0\nprob_ground_mirror = 1.0";
        let plan = with(text, "--spp 4 --prob-wall 0").unwrap();
        assert_eq!(plan.picture.spp, 4);
        assert_eq!(plan.picture.max_bounces, 5);
        assert_eq!(plan.recipe.prob_wall, 0.0);
        assert_eq!(plan.recipe.prob_ground_mirror, 1.0);
        assert_eq!(plan.recipe.video_length, 80);
        let refused = |text: &str| with(text, "").unwrap_err().to_string();
        let wrong = refused("[picture]\nspq = 16\n");
        assert!(
            wrong.contains("`picture.spq` is not a setting (is `spp` meant?)"),
            "{wrong}"
        );
        assert!(refused("[picture]\nspp = 'many'\n").contains("my.toml"));
        assert!(refused("[picture\n").contains("my.toml:1"));
        assert!(refused("preset = 'studio9'\n").contains("no preset `studio9`"));
        // A stored plan is a config file.
        let again = with(&file::to_toml(&plan).unwrap(), "").unwrap();
        assert_eq!(again, plan);
    }

    #[test]
    fn targets_are_sizes_and_lengths_that_flags_may_change() {
        let plan = plan_of("--target casper-wan").unwrap();
        assert_eq!(plan.recipe.video_length, 81);
        assert_eq!([plan.recipe.width, plan.recipe.height], [832, 480]);
        let plan = plan_of("--target das --video-length 9 --render-width 64").unwrap();
        assert_eq!(plan.recipe.video_length, 9);
        assert_eq!([plan.recipe.width, plan.recipe.height], [64, 64]);
    }

    #[test]
    fn the_mask_rule_follows_the_lens() {
        let rule = |flags| plan_of(flags).unwrap().mask_options().rule;
        assert_eq!(rule(""), MaskRule::Centre);
        assert_eq!(rule("--motion-blur 0.5"), MaskRule::Coverage(0.5));
        assert_eq!(rule("--aperture 2.8 --mask-rule centre"), MaskRule::Centre);
        assert_eq!(rule("--aperture 2.8 --tuples-per-shot 2"), MaskRule::Centre);
        assert_eq!(
            rule("--motion-blur 1 --pair counterfactual"),
            MaskRule::Centre
        );
        assert_eq!(rule("--mask-rule coverage:0.25"), MaskRule::Coverage(0.25));
        assert_eq!(
            rule("--aperture 2.8 --mask-through-glass"),
            MaskRule::Centre
        );
    }

    #[test]
    fn differing_keys_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let plan = plan_of("--spp 4").unwrap();
        check_folder(&plan, dir.path()).unwrap();
        write_plan(&plan, dir.path()).unwrap();
        check_folder(&plan, dir.path()).unwrap();
        let other = plan_of("--spp 8 --video-length 5").unwrap();
        let error = check_folder(&other, dir.path()).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "another plan: picture.spp (4 there, 8 here), recipe.video_length (80 there, 5 here)"
            ),
            "{error}"
        );
    }

    #[test]
    fn wrong_values_are_one_line_that_names_the_setting() {
        for (flags, words) in [
            ("--video-length 0", "video_length"),
            ("--render-width 0", "width"),
            ("--width 255 --height 256", "even"),
            ("--range-object-scale 3,1", "upside down"),
            ("--range-num-objs 2,2", "range_num_objs"),
            ("--prob-wall 1.5", "prob_wall"),
            ("--range-object-scale nan,1", "range_object_scale"),
            ("--spp 0", "`--spp 0`"),
            ("--qp 60", "`--qp 60`"),
            ("--exposure bright", "exposure"),
            ("--mask-rule coverage:7", "`centre` or `coverage:T`"),
            ("--mask-mode trinary", "trinary"),
            (
                "--mask-through-glass --mask-rule coverage",
                "needs `--mask-rule centre`",
            ),
            ("--passes colour", "there is no pass `colour`"),
            ("--encoder x265", "neither `builtin` nor"),
        ] {
            let error = plan_of(flags).expect_err(flags);
            let message = error.to_string();
            assert!(message.contains(words), "{flags}: {message}");
            assert!(!message.contains('\n'), "{flags}: {message}");
            assert_eq!(
                crate::exit::classify(&error),
                crate::exit::Status::BadInput,
                "{flags}"
            );
        }
    }

    #[test]
    fn trainers_cut_to_4k_plus_1() {
        assert_eq!(trained_frames(80), 77);
        assert_eq!(trained_frames(81), 81);
        assert_eq!(trained_frames(1), 1);
    }
}
