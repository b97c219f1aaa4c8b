//! Spelling: what people type becomes what clap knows.
//!
//! `--video_length` is `--video-length` (the seed tools use underscores), and a range that starts
//! with a minus sign (`-2,3`) becomes two values, which clap would otherwise take for short flags.

use std::ffi::OsString;

/// Rewrites raw arguments. What follows `--` is left alone.
pub(super) fn normalise(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut out = Vec::new();
    let mut literal = false;
    for arg in args {
        match arg.to_str() {
            Some(text) if !literal => {
                literal = text == "--";
                if let Some(name) = text.strip_prefix("--") {
                    out.push(kebab(name).into());
                } else if is_negative_range(text) {
                    out.extend(text.split(',').map(OsString::from));
                } else {
                    out.push(arg);
                }
            }
            _ => out.push(arg),
        }
    }
    out
}

/// The flag with its name (not its value) in kebab-case.
fn kebab(name: &str) -> String {
    match name.split_once('=') {
        Some((name, value)) => format!("--{}={value}", name.replace('_', "-")),
        None => format!("--{}", name.replace('_', "-")),
    }
}

fn is_negative_range(text: &str) -> bool {
    text.starts_with('-')
        && text.contains(',')
        && text.split(',').all(|part| part.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        normalise(text.split(' ').map(OsString::from))
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect()
    }

    #[test]
    fn underscores_of_names_become_dashes_and_values_stay() {
        assert_eq!(
            words("diorama removal --output_dir a_b --video_length=4 --config=x_y.toml"),
            [
                "diorama",
                "removal",
                "--output-dir",
                "a_b",
                "--video-length=4",
                "--config=x_y.toml"
            ]
        );
        assert_eq!(words("-- --a_b"), ["--", "--a_b"]);
    }

    #[test]
    fn a_negative_range_is_two_numbers() {
        assert_eq!(words("--x -2,3"), ["--x", "-2", "3"]);
        assert_eq!(words("-o -1"), ["-o", "-1"]);
        assert_eq!(words("-a,b"), ["-a,b"]);
    }
}
