//! Which sizes a video may have.

use std::path::Path;

use crate::error::VideoError;

/// Largest side that the container can state, pixels.
const LARGEST_SIDE: u32 = u16::MAX as u32;

/// Sides are even (4:2:0 has one colour sample per 2×2 pixels) and not zero.
pub(crate) fn check(path: &Path, width: u32, height: u32) -> Result<(), VideoError> {
    let refuse = |reason, hint| {
        Err(VideoError::Size {
            path: path.to_path_buf(),
            width,
            height,
            reason,
            hint,
        })
    };
    if width == 0 || height == 0 {
        return refuse(
            "a side of zero",
            "give a width and a height of at least 2 pixels",
        );
    }
    if !width.is_multiple_of(2) || !height.is_multiple_of(2) {
        return refuse(
            "4:2:0 video needs even sides",
            "use the next even width and height, or write PNG frames",
        );
    }
    if width > LARGEST_SIDE || height > LARGEST_SIDE {
        return refuse(
            "MP4 has 16 bits for a side",
            "use a smaller size, or write PNG frames",
        );
    }
    Ok(())
}

/// The built-in encoder's own limits.
pub(crate) fn check_embedded(
    path: &Path,
    width: u32,
    height: u32,
    smallest: u32,
    (longest, second): (u32, u32),
) -> Result<(), VideoError> {
    check(path, width, height)?;
    if width.min(height) < smallest || width.max(height) > longest || width.min(height) > second {
        return Err(VideoError::Size {
            path: path.to_path_buf(),
            width,
            height,
            reason: "the built-in encoder takes 16x16 to 3840x2160",
            hint: "use a size within that, or an encoder of ffmpeg (`--encoder ffmpeg`)",
        });
    }
    Ok(())
}
