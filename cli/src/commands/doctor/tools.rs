//! Programs and libraries that are used where they are there.

use std::path::Path;
use std::process::{Command, Stdio};

use diorama_render::denoise::Oidn;
use diorama_video::Tools;
use serde::Serialize;

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Version and place; null: not found.
    pub(super) found: Option<String>,
    /// What it is for.
    pub(super) hint: &'static str,
}

/// All of them.
pub(super) fn look() -> Vec<Tool> {
    let ffmpeg = Tools::find(None)
        .ok()
        .and_then(|tools| first_line(&tools.ffmpeg, "-version"));
    let denoiser = Oidn::load(None, None)
        .ok()
        .map(|library| format!("{}, {}", library.version(), library.path().display()));
    vec![
        Tool {
            name: "encoder",
            found: Some("embedded H.264".into()),
            hint: "",
        },
        Tool {
            name: "ffmpeg",
            found: ffmpeg,
            hint: "for `--encoder ffmpeg` and for reading videos",
        },
        Tool {
            name: "Blender",
            found: first_line(Path::new("blender"), "--version"),
            hint: "for comparisons with Cycles",
        },
        Tool {
            name: "OpenImageDenoise",
            found: denoiser,
            hint: "for `--denoise oidn`",
        },
    ]
}

/// The first line that a program says with a flag.
fn first_line(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program)
        .arg(flag)
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Bytes free in the folder at hand, as `df` says.
pub(super) fn disk_free() -> Option<u64> {
    let output = Command::new("df")
        .args(["-Pk", "."])
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let kibibytes: u64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    Some(kibibytes * 1024)
}
