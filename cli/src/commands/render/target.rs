//! Where pictures go: one file, or a folder of frames.

use std::path::{Path, PathBuf};

use anyhow::Result;
use diorama_synth::frame::Frame;
use diorama_synth::shot::Shot;
use diorama_video::write_png_rgb8;

use super::exr;
use crate::exit::UserError;

/// What `--output` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// One EXR with all passes.
    Exr(PathBuf),
    /// One finished picture per world: `X.png`, `X_removed.png`.
    Png(PathBuf),
    /// A folder: `00000.exr`, `00000.png`, `00000_removed.png`, …
    Folder(PathBuf),
}

impl Target {
    /// Decides by the extension.
    pub(super) fn of(path: &Path) -> Result<Self, UserError> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("exr") => Ok(Self::Exr(path.into())),
            Some("png") => Ok(Self::Png(path.into())),
            Some("jpg" | "jpeg" | "mp4" | "hdr" | "tif" | "tiff" | "webp") => Err(UserError::new(
                format!("{}: this format is not written", path.display()),
            )
            .hint("give X.exr, X.png or a folder")),
            _ => Ok(Self::Folder(path.into())),
        }
    }

    /// Does it hold more than one frame?
    pub(super) fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Are finished pictures wanted, or only linear ones?
    pub(super) fn shows_display(&self) -> bool {
        !matches!(self, Self::Exr(_))
    }

    /// Writes one frame; returns what was written.
    pub(super) fn write(&self, shot: &Shot, frame: &Frame) -> Result<Vec<PathBuf>> {
        match self {
            Self::Exr(path) => {
                exr::write(path, shot, frame)?;
                Ok(vec![path.clone()])
            }
            Self::Png(path) => write_pngs(path, shot, frame),
            Self::Folder(folder) => {
                let path = folder.join(format!("{:05}.exr", frame.index));
                exr::write(&path, shot, frame)?;
                let mut written = write_pngs(&path.with_extension("png"), shot, frame)?;
                written.push(path);
                Ok(written)
            }
        }
    }
}

fn write_pngs(path: &Path, shot: &Shot, frame: &Frame) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (index, (world, image)) in shot.worlds.iter().zip(&frame.worlds).enumerate() {
        let path = if index == 0 {
            path.to_owned()
        } else {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = world.name.replace('/', "_");
            path.with_file_name(format!("{stem}_{name}.png"))
        };
        let [width, height] = shot.resolution;
        write_png_rgb8(&path, width, height, image.display.data.as_flattened())?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        let of = |text: &str| Target::of(Path::new(text));
        assert!(matches!(of("a/x.exr"), Ok(Target::Exr(_))));
        assert!(matches!(of("x.PNG"), Ok(Target::Png(_))));
        assert!(matches!(of("frames"), Ok(Target::Folder(_))));
        assert!(matches!(of("v1.2"), Ok(Target::Folder(_))));
        assert!(of("x.mp4").is_err());
    }
}
