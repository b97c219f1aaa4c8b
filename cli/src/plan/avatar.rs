//! The plan of `diorama avatar`.

use anyhow::Result;
use diorama_postproc::dataset::das::{DasSampleOptions, TRACKING_QP_LIMIT};
use diorama_postproc::tracking::{DEFAULT_GRID_SIZE, TrackingOptions};
use diorama_synth::recipe::AvatarRecipe;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{PicturePlan, layers};
use crate::args::{AvatarArgs, DenoiseArg, Takes};
use crate::backend::BackendSetting;
use crate::exit::UserError;

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvatarOutputPlan {
    /// Colours and drawing of the tracking video.
    pub tracking: diorama_postproc::tracking::TrackingRule,
    /// Dots on a side of the grid.
    pub grid_size: u32,
    /// Random points beside the grid.
    pub extra_points: u32,
    /// Hidden dots.
    pub occluded: diorama_postproc::tracking::Occluded,
    /// The surroundings; `None`: as the rule says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_tracks: Option<diorama_postproc::tracking::EnvironmentTracks>,
    /// What was hidden in the first frame.
    pub hidden_at_start: diorama_postproc::tracking::HiddenAtStart,
    /// Constant quantiser of the video.
    pub qp: u8,
    /// Constant quantiser of the tracking video.
    pub tracking_qp: u8,
    /// Tracking pictures as PNG too.
    pub tracking_lossless: bool,
    /// tracks.npy too.
    pub das_tracks: bool,
    /// First-frame controls too.
    pub first_frame_controls: bool,
    /// `sentence` or `das`.
    pub prompt_style: String,
    /// `builtin` or `ffmpeg[:ARGS]`.
    pub encoder: String,
}

/// Everything that changes a result of `diorama avatar`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvatarPlan {
    /// Version of the program: another one may make other bytes.
    pub version: String,
    /// Seed of all draws.
    pub seed: u64,
    /// Characters and motions are drawn; else clip k is pair k of the list.
    pub drawn: bool,
    /// What is a motion.
    #[serde(default)]
    pub takes: Takes,
    /// Hash over the ids of characters, motions and skyboxes; empty until they are known.
    pub library: String,
    /// See [`PicturePlan`].
    pub picture: PicturePlan,
    /// See [`AvatarOutputPlan`].
    pub output: AvatarOutputPlan,
    /// What the samples show.
    pub recipe: AvatarRecipe,
}

impl AvatarPlan {
    /// Defaults under the config file under flags.
    ///
    /// # Errors
    /// A file or value that cannot be read, or a value out of range.
    pub fn resolve(args: &AvatarArgs, drawn: bool) -> Result<Self> {
        let defaults = DasSampleOptions::default();
        let tracking = TrackingOptions::default();
        let plan = Self {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: 0,
            drawn,
            takes: Takes::default(),
            library: String::new(),
            picture: PicturePlan {
                spp: 32,
                noise_threshold: 0.0,
                max_bounces: 8,
                clamp_indirect: 10.0,
                denoise: DenoiseArg::Builtin,
                backend: BackendSetting::Auto,
            },
            output: AvatarOutputPlan {
                tracking: tracking.rule,
                grid_size: DEFAULT_GRID_SIZE,
                extra_points: tracking.extra_points,
                occluded: tracking.occluded,
                environment_tracks: tracking.environment,
                hidden_at_start: tracking.hidden_at_start,
                qp: defaults.qp,
                tracking_qp: defaults.tracking_qp,
                tracking_lossless: false,
                das_tracks: false,
                first_frame_controls: false,
                prompt_style: "sentence".into(),
                encoder: "builtin".into(),
            },
            recipe: AvatarRecipe::default(),
        };
        let mut table = Table::try_from(&plan)?;
        if let Some(path) = &args.batch.config {
            let mut layer = super::read_config(path)?;
            // What a stored plan has beside choices.
            layer.remove("drawn");
            layer.remove("library");
            lay_over(&mut table, layer)
                .map_err(|reason| UserError::new(format!("{}: {reason}", path.display())))?;
        }
        let mut given = Table::new();
        if let Some(seed) = args.batch.seed {
            let seed = i64::try_from(seed)
                .map_err(|_| UserError::new(format!("`--seed {seed}` is larger than 2^63 - 1")))?;
            given.insert("seed".into(), seed.into());
        }
        if let Some(takes) = args.batch.takes {
            given.insert("takes".into(), Value::try_from(takes)?);
        }
        given.insert("picture".into(), Table::try_from(&args.picture)?.into());
        given.insert("output".into(), Table::try_from(&args.output)?.into());
        lay_over(&mut table, given).map_err(UserError::new)?;
        let mut plan = Self::deserialize(Value::Table(table))
            .map_err(|error| UserError::new(error.to_string().trim().replace('\n', " ")))?;
        for (name, text) in &args.parameters.given {
            plan.recipe.set(name, text)?;
        }
        plan.recipe.validate()?;
        plan.picture.check().map_err(UserError::new)?;
        plan.check().map_err(UserError::new)?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        let output = &self.output;
        if output.qp > 51 {
            return Err(format!("`--qp {}` is out of range (0 to 51)", output.qp));
        }
        if output.tracking_qp > TRACKING_QP_LIMIT {
            return Err(format!(
                "`--tracking-qp {}` is above {TRACKING_QP_LIMIT}: colours would no longer say where \
                 points were",
                output.tracking_qp
            ));
        }
        super::check_encoder(&output.encoder)
    }

    /// How tracking pictures are made.
    pub fn tracking_options(&self) -> TrackingOptions {
        TrackingOptions {
            rule: self.output.tracking,
            grid_size: self.output.grid_size,
            extra_points: self.output.extra_points,
            occluded: self.output.occluded,
            environment: self.output.environment_tracks,
            hidden_at_start: self.output.hidden_at_start,
        }
    }
}

/// [`layers::lay_over`], and the one key that has no default and is therefore not in every table.
fn lay_over(table: &mut Table, mut layer: Table) -> Result<(), String> {
    const OPTIONAL: &str = "environment_tracks";
    if let Some(Value::Table(output)) = layer.get_mut("output")
        && let Some(value) = output.remove(OPTIONAL)
        && let Some(Value::Table(below)) = table.get_mut("output")
    {
        below.insert(OPTIONAL.into(), value);
    }
    layers::lay_over(table, layer, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command, parse};

    fn plan_of(flags: &str) -> Result<AvatarPlan> {
        let args = format!("diorama avatar {flags}");
        let Cli { command, .. } = parse(args.split_whitespace().map(Into::into)).unwrap();
        let Command::Avatar(args) = command else {
            panic!("not avatar");
        };
        AvatarPlan::resolve(&args, true)
    }

    #[test]
    fn a_stored_plan_is_a_config_file_and_flags_win() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plan.toml");
        let flags = "--seed 7 --takes all --spp 5 --environment-tracks black --range-turn-deg -30,30 --tracking das-dense";
        let plan = plan_of(flags).unwrap();
        fs_err::write(&file, super::super::file::to_toml(&plan).unwrap()).unwrap();
        let config = format!("--config {}", file.display());
        assert_eq!(plan_of(&config).unwrap(), plan);
        let changed = plan_of(&format!("{config} --spp 6 --seed 8")).unwrap();
        assert_eq!((changed.picture.spp, changed.seed), (6, 8));
        assert_eq!(changed.recipe, plan.recipe);
    }

    #[test]
    fn values_out_of_range_are_refused_by_their_flags() {
        for (flags, named) in [
            ("--tracking-qp 11", "--tracking-qp 11"),
            ("--spp 0", "--spp 0"),
            ("--encoder x265", "--encoder x265"),
            ("--range-focal-mm 80,20", "range_focal_mm"),
        ] {
            let error = plan_of(flags).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
