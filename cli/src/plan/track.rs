//! The plan of `diorama track`.

use std::path::Path;

use anyhow::Result;
use diorama_postproc::dataset::das::{FilmedSampleOptions, TRACKING_QP_LIMIT};
use diorama_postproc::tracking::{Occluded, TrackingOptions};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::layers;
use crate::args::{ClipRule, DepthKind, TrackChoiceArgs};
use crate::exit::UserError;

/// Every choice that changes a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackChoices {
    /// Which frames of a video.
    pub clip: ClipRule,
    /// Frames of a clip.
    pub video_length: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Rate of both videos.
    pub output_fps: f64,
    /// Show the middle only.
    pub crop: bool,
    /// 576x384 pixels times this.
    pub crop_factor: f64,
    /// Dots on a side of the grid.
    pub grid_size: u32,
    /// Frame of the queries.
    pub query_frame: u32,
    /// Follow them to the beginning too.
    pub backward: bool,
    /// Size of the pictures that are tracked on.
    pub downsample: f64,
    /// Hidden dots.
    pub occluded: Occluded,
    /// Numbers in depth files.
    pub depth_kind: DepthKind,
    /// Metres that 1 is; 0: 1, of PNG files 0.001.
    pub depth_scale: f64,
    /// Constant quantiser of the video.
    pub qp: u8,
    /// Constant quantiser of the tracking video.
    pub tracking_qp: u8,
    /// Tracking pictures as PNG too.
    pub tracking_lossless: bool,
    /// tracks.npy too.
    pub das_tracks: bool,
    /// `builtin` or `ffmpeg[:ARGS]`.
    pub encoder: String,
}

/// Everything that changes a result of `diorama track`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackPlan {
    /// Version of the program: another one may make other bytes.
    pub version: String,
    /// Hash over names and sizes of the videos.
    pub videos: String,
    /// Hash of the prompts; none: nothing.
    pub prompts: String,
    /// Hash over names and sizes of the files of depth; none: nothing.
    pub depth: String,
    /// See [`TrackChoices`].
    pub track: TrackChoices,
}

impl TrackPlan {
    /// Defaults under the file of `config` under flags. The hashes are those of the fields of their names.
    ///
    /// # Errors
    /// A file or value that cannot be read, or a value out of range.
    pub fn resolve(
        args: &TrackChoiceArgs,
        config: Option<&Path>,
        videos: String,
        prompts: String,
        depth: String,
    ) -> Result<Self> {
        let defaults = FilmedSampleOptions::default();
        let choices = TrackChoices {
            clip: ClipRule::First,
            video_length: defaults.frame_count,
            width: defaults.resolution[0],
            height: defaults.resolution[1],
            output_fps: defaults.fps,
            crop: false,
            crop_factor: 1.0,
            grid_size: defaults.tracking.grid_size,
            query_frame: 0,
            backward: false,
            downsample: 1.0,
            occluded: defaults.tracking.occluded,
            depth_kind: DepthKind::Depth,
            depth_scale: 0.0,
            qp: defaults.qp,
            tracking_qp: defaults.tracking_qp,
            tracking_lossless: false,
            das_tracks: false,
            encoder: "builtin".into(),
        };
        let mut table = Table::new();
        table.insert("track".into(), Table::try_from(&choices)?.into());
        if let Some(path) = config {
            let mut layer = super::read_config(path)?;
            // What a stored plan has beside choices.
            for key in ["videos", "prompts", "depth"] {
                layer.remove(key);
            }
            layers::lay_over(&mut table, layer, "")
                .map_err(|reason| UserError::new(format!("{}: {reason}", path.display())))?;
        }
        let mut given = Table::new();
        given.insert("track".into(), Table::try_from(args)?.into());
        layers::lay_over(&mut table, given, "").map_err(UserError::new)?;
        let track = table.remove("track").unwrap_or(Value::Table(Table::new()));
        let track = TrackChoices::deserialize(track)
            .map_err(|error| UserError::new(error.to_string().trim().replace('\n', " ")))?;
        track.check().map_err(UserError::new)?;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            videos,
            prompts,
            depth,
            track,
        })
    }

    /// How tracking pictures are made.
    pub fn tracking_options(&self) -> TrackingOptions {
        TrackingOptions {
            grid_size: self.track.grid_size,
            occluded: self.track.occluded,
            ..TrackingOptions::default()
        }
    }
}

impl TrackChoices {
    fn check(&self) -> Result<(), String> {
        let out = |flag: &str, value: String, range: &str| {
            Err(format!("`{flag} {value}` is out of range ({range})"))
        };
        for (flag, side) in [("--width", self.width), ("--height", self.height)] {
            if !(16..=4096).contains(&side) || side % 2 != 0 {
                return out(flag, side.to_string(), "an even number, 16 to 4096");
            }
        }
        // Decoded frames of a clip are held at once.
        if !(5..=1001).contains(&self.video_length) || self.video_length % 4 != 1 {
            return out(
                "--video-length",
                self.video_length.to_string(),
                "5, 9, 13, … 1001: 4k + 1",
            );
        }
        if self.query_frame >= self.video_length {
            return out(
                "--query-frame",
                self.query_frame.to_string(),
                "a frame of the clip",
            );
        }
        if !(1.0..=240.0).contains(&self.output_fps) {
            return out("--output-fps", self.output_fps.to_string(), "1 to 240");
        }
        if !(0.01..=100.0).contains(&self.crop_factor) {
            return out("--crop-factor", self.crop_factor.to_string(), "0.01 to 100");
        }
        if !(0.25..=1.0).contains(&self.downsample) {
            return out("--downsample", self.downsample.to_string(), "0.25 to 1");
        }
        if !(2..=512).contains(&self.grid_size) {
            return out("--grid-size", self.grid_size.to_string(), "2 to 512");
        }
        if !(0.0..=1.0e9).contains(&self.depth_scale) {
            return out("--depth-scale", self.depth_scale.to_string(), "above 0");
        }
        if self.qp > 51 {
            return out("--qp", self.qp.to_string(), "0 to 51");
        }
        if self.tracking_qp > TRACKING_QP_LIMIT {
            return Err(format!(
                "`--tracking-qp {}` is above {TRACKING_QP_LIMIT}: colours would no longer say where \
                 points were",
                self.tracking_qp
            ));
        }
        super::check_encoder(&self.encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command, TrackArgs, parse};

    fn args(flags: &str) -> TrackArgs {
        let args = format!("diorama track videos {flags}");
        let Cli { command, .. } = parse(args.split_whitespace().map(Into::into)).unwrap();
        let Command::Track(args) = command else {
            panic!("not track");
        };
        *args
    }

    fn plan_of(flags: &str) -> Result<TrackPlan> {
        let none = String::new;
        let args = args(flags);
        let config = args.batch.config.as_deref();
        TrackPlan::resolve(&args.choices, config, none(), none(), none())
    }

    #[test]
    fn the_public_tools_line_is_understood() {
        let flags = "--grid_size 50 --output_fps 8 --crop --crop_factor 1.5 --len_track 0 --point_size 10 \
                     --query_frame 3 --backward --downsample 0.8 --gpu 0 --fps 1";
        let plan = plan_of(flags).unwrap().track;
        assert_eq!((plan.grid_size, plan.output_fps), (50, 8.0));
        assert_eq!(
            (plan.crop, plan.crop_factor, plan.downsample),
            (true, 1.5, 0.8)
        );
        assert_eq!((plan.query_frame, plan.backward), (3, true));
        assert_eq!(args(flags).refused.complaint(), None);
        for root in [
            "--root videos --outdir out",
            "--data_root videos --output_dir out",
        ] {
            let line = format!("diorama track {root}");
            let Command::Track(args) = parse(line.split_whitespace().map(Into::into))
                .unwrap()
                .command
            else {
                panic!("not track");
            };
            assert_eq!(args.batch.root, Some("videos".into()));
            assert_eq!(args.batch.output_dir, Some("out".into()));
        }
    }

    #[test]
    fn what_cannot_be_obeyed_is_named() {
        for (flags, named) in [
            ("--rgbd", "--rgbd"),
            ("--len_track 5", "--len-track"),
            ("--point_size 4", "--point-size"),
            ("--vis_support", "--vis-support"),
            ("--gpu 1", "--gpu"),
            ("--fps 8", "--fps"),
        ] {
            assert_eq!(args(flags).refused.complaint().map(|c| c.0), Some(named));
        }
        for (flags, named) in [
            ("--video-length 48", "--video-length 48"),
            ("--query-frame 49", "--query-frame 49"),
            ("--width 721", "--width 721"),
            ("--grid-size 1", "--grid-size 1"),
            ("--downsample 0.1", "--downsample 0.1"),
            ("--depth-scale=-1", "--depth-scale -1"),
            ("--tracking-qp 11", "--tracking-qp 11"),
        ] {
            let error = plan_of(flags).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_stored_plan_is_a_config_file_and_flags_win() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plan.toml");
        let plan = plan_of("--clip all --grid-size 50 --occluded draw").unwrap();
        fs_err::write(&file, super::super::file::to_toml(&plan).unwrap()).unwrap();
        let config = format!("--config {}", file.display());
        assert_eq!(plan_of(&config).unwrap(), plan);
        let changed = plan_of(&format!("{config} --grid-size 20")).unwrap().track;
        assert_eq!((changed.grid_size, changed.clip), (20, ClipRule::All));
        fs_err::write(&file, "[track]\ngrid_sise = 3").unwrap();
        let error = plan_of(&config).unwrap_err().to_string();
        assert!(error.contains("grid_size"), "{error}");
    }

    #[test]
    fn a_plan_survives_its_file() {
        let plan = plan_of("--clip all --occluded draw --output-fps 23.976").unwrap();
        let text = super::super::file::to_toml(&plan).unwrap();
        assert_eq!(toml::from_str::<TrackPlan>(&text).unwrap(), plan);
    }
}
