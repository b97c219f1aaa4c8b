//! Flags of the `removal` recipe, made from the recipe's own list of parameters, so that names,
//! texts and defaults are written once, in `diorama-synth`.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use diorama_synth::recipe::{Kind, Parameter, RemovalRecipe, TARGETS, Target};

use super::{AssetArgs, PictureArgs};

/// Headings of the help: each holds from the named parameter on.
const HEADINGS: &[(&str, &str)] = &[
    ("video_length", "Size and length"),
    ("shutter", "Lens and display"),
    ("pair", "What is removed"),
    ("range_num_objs", "Objects"),
    ("range_spawn_xy", "Placement and physics"),
    ("range_material_metallic", "Materials"),
    ("floor", "Floor, wall and mirror"),
    ("camera_max_offset", "Camera"),
    ("light_range_position", "Sun and surroundings"),
    ("min_removed_area", "Acceptance"),
];

/// Other spellings of a parameter's flag.
const ALIASES: &[(&str, &str)] = &[("shutter", "motion-blur"), ("f_stop", "aperture")];

/// A parameter of the recipe as a flag.
pub(super) struct Flag {
    parameter: &'static Parameter,
    long: String,
    heading: &'static str,
    help: String,
}

static FLAGS: LazyLock<Vec<Flag>> = LazyLock::new(|| flags(RemovalRecipe::PARAMETERS, HEADINGS));

/// The flags of a recipe's parameters under their headings.
pub(super) fn flags(
    parameters: &'static [Parameter],
    headings: &[(&str, &'static str)],
) -> Vec<Flag> {
    let mut heading = headings[0].1;
    parameters
        .iter()
        .map(|parameter| {
            if let Some((_, from_here)) = headings.iter().find(|(n, _)| *n == parameter.name) {
                heading = from_here;
            }
            Flag {
                parameter,
                long: parameter.name.replace('_', "-"),
                heading,
                help: parameter.help.trim().to_owned(),
            }
        })
        .collect()
}

/// Name and text of each flag that was given, in the order of the recipe's list.
pub(super) fn given(flags: &[Flag], matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let mut given = Vec::new();
    for flag in flags {
        let parameter = flag.parameter;
        let Some(values) = matches.get_many::<String>(parameter.name) else {
            continue;
        };
        let mut values: Vec<&str> = values.map(String::as_str).collect();
        if parameter.kind == Kind::Range && values.len() == 1 {
            values.push(values[0]); // one number is both ends
        }
        given.push((parameter.name, values.join(",")));
    }
    given
}

/// What the samples show.
#[derive(Debug, Clone, Default, Args)]
pub struct RecipeArgs {
    /// Preset, config file.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Parameters of the recipe.
    #[command(flatten)]
    pub parameters: ParameterArgs,
    /// How the picture is made.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// Where assets are.
    #[command(flatten)]
    pub assets: AssetArgs,
}

/// Where values come from that no flag gives.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Source of values (preset < file < flags)")]
pub struct SourceArgs {
    /// Complete set of values (default casper: the public tool's, its defects mended)
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// TOML file of the form of a plan.toml; any part of it will do
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The parameters that were given, in the order of the recipe's list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParameterArgs {
    /// Size and length of a trainer; the other flags may change them.
    pub target: Option<Target>,
    /// Name and text.
    pub given: Vec<(&'static str, String)>,
}

pub(super) fn arg(flag: &'static Flag) -> Arg {
    let parameter = flag.parameter;
    let first_sentence = flag.help.split_once(". ").map_or(&*flag.help, |(s, _)| s);
    let mut arg = Arg::new(parameter.name)
        .long(flag.long.as_str())
        .help_heading(flag.heading)
        .help(first_sentence.trim_end_matches('.'))
        .long_help(flag.help.as_str())
        .allow_negative_numbers(true);
    for (_, alias) in ALIASES.iter().filter(|(name, _)| *name == parameter.name) {
        arg = arg.visible_alias(*alias);
    }
    match parameter.kind {
        Kind::Number => arg.value_name("X"),
        Kind::Whole => arg.value_name("N"),
        Kind::Switch => arg
            .value_name("true|false")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Range | Kind::WholeRange => arg
            .value_name("LOW,HIGH")
            .num_args(1..=2)
            .value_delimiter(','),
        Kind::Choice(_) | Kind::NumberOr(_) => arg.value_name("WHICH"),
        Kind::Sizes => arg.value_name("WxH,…"),
        Kind::Words => arg.value_name("ID,…"),
    }
}

impl Args for ParameterArgs {
    fn augment_args(command: Command) -> Command {
        let mut command = command
            .arg(
                Arg::new("target")
                    .long("target")
                    .help_heading(HEADINGS[0].1)
                    .value_name("TRAINER")
                    .value_parser(TARGETS.map(|target| target.name))
                    .help("Size and length of a trainer"),
            )
            .arg(
                Arg::new("render_width")
                    .long("render-width")
                    .help_heading(HEADINGS[0].1)
                    .value_name("PX")
                    .conflicts_with_all(["width", "height", "resolutions"])
                    .help("Width and height of a square picture, pixels, even"),
            );
        for flag in FLAGS.iter() {
            let arg = match flag.parameter.name {
                "width" => arg(flag).requires("height").conflicts_with("resolutions"),
                "height" => arg(flag).requires("width").conflicts_with("resolutions"),
                _ => arg(flag),
            };
            command = command.arg(arg);
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ParameterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let target = matches.get_one::<String>("target").cloned();
        let mut given = Vec::new();
        if let Some(side) = matches.get_one::<String>("render_width") {
            given.push(("render_width", side.clone()));
        }
        given.extend(self::given(&FLAGS, matches));
        Ok(Self {
            target: target.and_then(|name| TARGETS.into_iter().find(|t| t.name == name)),
            given,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_aliases_name_parameters_that_exist() {
        let names: Vec<&str> = RemovalRecipe::PARAMETERS.iter().map(|p| p.name).collect();
        for (name, _) in HEADINGS.iter().chain(ALIASES) {
            assert!(names.contains(name), "{name}");
        }
        assert_eq!(FLAGS.len(), names.len());
        assert_eq!(FLAGS[FLAGS.len() - 1].heading, "Acceptance");
    }
}
