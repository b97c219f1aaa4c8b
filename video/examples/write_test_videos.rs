//! Writes videos of every kind with what must be read back from them, for `tests/python/check_decoders.py`:
//! `cargo run -p diorama-video --example write_test_videos -- FOLDER [QP]`.
//!
//! Beside each `NAME.mp4` stands `NAME.raw` (all frames, row by row, one or three bytes per pixel);
//! `manifest.json` lists them.

use std::io::Write;
use std::path::Path;

use diorama_video::fsx::{AtomicFile, write_atomic};
use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, DEFAULT_QP, Encoder, MaskVideoOptions, MaskVideoWriter,
};

#[path = "../tests/it/scene.rs"]
mod scene;

type AnyError = Box<dyn std::error::Error>;

/// Writes videos and remembers what they hold.
struct Set<'a> {
    folder: &'a Path,
    entries: Vec<serde_json::Value>,
}

impl Set<'_> {
    fn mask(
        &mut self,
        name: &str,
        (width, height): (u32, u32),
        frames: u32,
        fps: f64,
        frame: impl Fn(u32) -> Vec<u8>,
    ) -> Result<(), AnyError> {
        let options = MaskVideoOptions { width, height, fps };
        let mut writer =
            MaskVideoWriter::create(&self.folder.join(format!("{name}.mp4")), &options)?;
        let mut raw = AtomicFile::create(&self.folder.join(format!("{name}.raw")))?;
        for index in 0..frames {
            let levels = frame(index);
            writer.push(&levels)?;
            raw.write_all(&levels)?;
        }
        raw.finish()?;
        let bytes = writer.finish()?.bytes;
        self.note(name, "mask", (width, height), frames, fps, bytes);
        Ok(())
    }

    fn color(
        &mut self,
        name: &str,
        (width, height): (u32, u32),
        frames: u32,
        (fps, qp): (f64, u8),
        frame: impl Fn(u32) -> Vec<u8>,
    ) -> Result<(), AnyError> {
        let options = ColorVideoOptions {
            width,
            height,
            fps,
            qp,
            encoder: Encoder::Embedded,
        };
        let mut writer =
            ColorVideoWriter::create(&self.folder.join(format!("{name}.mp4")), &options)?;
        let mut raw = AtomicFile::create(&self.folder.join(format!("{name}.raw")))?;
        for index in 0..frames {
            let rgb = frame(index);
            writer.push(&rgb)?;
            raw.write_all(&rgb)?;
        }
        raw.finish()?;
        let bytes = writer.finish()?.bytes;
        self.note(name, "color", (width, height), frames, fps, bytes);
        Ok(())
    }

    fn note(
        &mut self,
        name: &str,
        kind: &str,
        (width, height): (u32, u32),
        frames: u32,
        fps: f64,
        bytes: u64,
    ) {
        self.entries.push(serde_json::json!({
            "name": name, "kind": kind, "width": width, "height": height,
            "frames": frames, "fps": fps, "bytes": bytes,
        }));
    }
}

fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: write_test_videos FOLDER [QP]")?;
    let qp = match arguments.next() {
        Some(text) => text.to_str().ok_or("QP is a number")?.parse()?,
        None => DEFAULT_QP,
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut set = Set {
        folder,
        entries: Vec::new(),
    };
    let square = (256, 256);
    set.mask("mask_trimask", square, 80, 16.0, |f| {
        scene::trimask(256, 256, f)
    })?;
    set.mask("mask_random", square, 40, 16.0, |f| {
        scene::random_mask(256, 256, f, 1)
    })?;
    set.mask("mask_cropped", (250, 198), 40, 24000.0 / 1001.0, |f| {
        scene::random_mask(250, 198, f, 2)
    })?;
    set.mask("mask_noise", (98, 66), 20, 16.0, |f| {
        scene::noise_mask(98, 66, f)
    })?;
    set.mask("mask_small", (64, 64), 20, 16.0, |f| {
        scene::noise_mask(64, 64, f)
    })?;
    set.mask("mask_wide", (832, 480), 81, 16.0, |f| {
        scene::trimask(832, 480, f)
    })?;
    let rate = (16.0, qp);
    set.color("patches", square, 20, rate, |_| scene::patches(256, 256))?;
    set.color(
        "patches_cropped",
        (250, 198),
        20,
        (24000.0 / 1001.0, qp),
        |_| scene::patches(250, 198),
    )?;
    set.color("still_full", square, 80, rate, |f| {
        scene::picture(256, 256, f, 0.0, false)
    })?;
    set.color("still_removed", square, 80, rate, |f| {
        scene::picture(256, 256, f, 0.0, true)
    })?;
    set.color("pan_full", square, 80, rate, |f| {
        scene::picture(256, 256, f, 0.7, false)
    })?;
    set.color("pan_removed", square, 80, rate, |f| {
        scene::picture(256, 256, f, 0.7, true)
    })?;
    set.color("wide_full", (832, 480), 33, rate, |f| {
        scene::picture(832, 480, f, 0.7, false)
    })?;
    let manifest = serde_json::json!({ "qp": qp, "videos": set.entries });
    write_atomic(
        &folder.join("manifest.json"),
        manifest.to_string().as_bytes(),
    )?;
    Ok(())
}
