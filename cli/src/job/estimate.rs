//! `--estimate`: two small frames of a few seeds, and what they foretell. Writes nothing.

use std::time::Instant;

use anyhow::Result;
use diorama_render::Renderer;
use diorama_synth::shot::Shot;
use serde::Serialize;

use super::runlog::peak_memory;
use super::sample::Studio;
use crate::progress::duration_in_words;

/// Seeds that are looked at.
const SEEDS: usize = 3;
/// Longer side of the small frames, pixels.
const SIDE: u32 = 96;
/// Planes of one frame in memory: radiance, display, touched, guides per world, labels.
const BYTES_PER_PIXEL_AND_WORLD: f64 = 80.0;
/// Labels, tuple and encoder buffers per pixel.
const BYTES_PER_PIXEL: f64 = 250.0;
/// Frames in memory at once: rendered, waiting, encoded.
const FRAMES_IN_MEMORY: f64 = 3.0;
/// Bytes of all videos of one pixel of one frame at the default quantiser; measured on clips of 256².
const VIDEO_BYTES_PER_PIXEL: f64 = 0.9;
/// How much more one step of the quantiser costs: six double the step, which is near 1.6 times less data.
const BYTES_PER_QP_STEP: f64 = 0.92;
/// Records of a frame in sample.json, bytes.
const JSON_BYTES_PER_FRAME: f64 = 4000.0;

/// What a run would cost.
#[derive(Debug, Serialize)]
pub struct Estimate {
    /// Samples still to be made.
    pub clips: u64,
    /// Wall-clock hours on this machine.
    pub hours: f64,
    /// Samples per hour.
    pub clips_per_hour: f64,
    /// Bytes of all samples.
    pub disk_bytes: f64,
    /// Bytes of main memory.
    pub memory_bytes: f64,
}

impl Estimate {
    /// For people.
    pub fn in_words(&self) -> String {
        format!(
            "{} clips: about {} ({:.1} clips/h), {} of disk, {} of memory",
            self.clips,
            duration_in_words(self.hours * 3600.0),
            self.clips_per_hour,
            bytes_in_words(self.disk_bytes),
            bytes_in_words(self.memory_bytes),
        )
    }
}

/// Draws and renders a little of the first seeds.
pub fn estimate(studio: &Studio<'_>, seeds: &[u64]) -> Result<Estimate> {
    let mut secs = 0.0;
    let mut bytes = 0.0;
    let mut memory: f64 = 0.0;
    let mut looked_at = 0.0;
    let mut last_error = None;
    for seed in seeds.iter().take(SEEDS) {
        let start = Instant::now();
        let shot = match studio.draw(*seed) {
            Ok(shot) => shot,
            Err(error) => {
                // A seed that fails costs its drawing only; the others still tell.
                last_error = Some(error);
                continue;
            }
        };
        let draw_secs = start.elapsed().as_secs_f64();
        secs += draw_secs + render_secs(studio, &shot)?;
        bytes += disk_bytes(studio, &shot);
        memory = memory.max(frame_memory(&shot));
        looked_at += 1.0;
    }
    if looked_at == 0.0
        && let Some(error) = last_error
    {
        return Err(error.into());
    }
    let clips = seeds.len() as f64;
    let secs_per_clip = secs / f64::max(looked_at, 1.0);
    Ok(Estimate {
        clips: seeds.len() as u64,
        hours: secs_per_clip * clips / 3600.0,
        clips_per_hour: if secs_per_clip > 0.0 {
            3600.0 / secs_per_clip
        } else {
            0.0
        },
        disk_bytes: bytes / f64::max(looked_at, 1.0) * clips,
        memory_bytes: peak_memory().unwrap_or(0) as f64 + memory,
    })
}

/// Seconds of the whole clip, from its first and last frame at a small size.
fn render_secs(studio: &Studio<'_>, shot: &Shot) -> Result<f64> {
    let mut small = shot.clone();
    let longer = shot.resolution[0].max(shot.resolution[1]);
    if longer > SIDE {
        small.resolution = shot
            .resolution
            .map(|s| (u64::from(s) * u64::from(SIDE) / u64::from(longer)).max(1) as u32);
    }
    let renderer = Renderer::new(&small, studio.shelf, studio.render_settings())?;
    let start = Instant::now();
    renderer.render_frame(0)?;
    renderer.render_frame(shot.frame_count - 1)?;
    let secs_per_frame = start.elapsed().as_secs_f64() / 2.0;
    Ok(secs_per_frame * pixels(shot) / pixels(&small) * f64::from(shot.frame_count))
}

fn pixels(shot: &Shot) -> f64 {
    f64::from(shot.resolution[0]) * f64::from(shot.resolution[1])
}

fn disk_bytes(studio: &Studio<'_>, shot: &Shot) -> f64 {
    let output = &studio.plan.output;
    let mut finer = 1.0;
    for _ in 0..output.qp.abs_diff(12) {
        finer *= BYTES_PER_QP_STEP;
    }
    if output.qp < 12 {
        finer = 1.0 / finer;
    }
    let frames = pixels(shot) * f64::from(shot.frame_count);
    let tuples = shot
        .worlds
        .iter()
        .filter(|w| w.name.starts_with("removed"))
        .count() as f64;
    let layers = shot
        .worlds
        .iter()
        .filter(|w| w.name.starts_with("layer/"))
        .count() as f64;
    // Uncompressed f32, three channels at most; PNG halves 8-bit pictures of rendered noise.
    let exact = output.passes.len() as f64 * 12.0;
    let pngs = if output.frames == "png" { 9.0 } else { 0.0 };
    tuples
        * (frames * (VIDEO_BYTES_PER_PIXEL * finer * (1.0 + layers * 0.5) + exact + pngs)
            + JSON_BYTES_PER_FRAME * f64::from(shot.frame_count))
}

fn frame_memory(shot: &Shot) -> f64 {
    let worlds = shot.worlds.len() as f64;
    pixels(shot) * FRAMES_IN_MEMORY * (worlds * BYTES_PER_PIXEL_AND_WORLD + BYTES_PER_PIXEL)
}

/// `12 MB`, `3.4 GB`.
pub fn bytes_in_words(bytes: f64) -> String {
    match bytes {
        b if b < 1.0e6 => format!("{:.0} kB", b / 1.0e3),
        b if b < 1.0e9 => format!("{:.0} MB", b / 1.0e6),
        b if b < 1.0e12 => format!("{:.1} GB", b / 1.0e9),
        b => format!("{:.1} TB", b / 1.0e12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_like_speech() {
        assert_eq!(bytes_in_words(4.2e5), "420 kB");
        assert_eq!(bytes_in_words(3.36e9), "3.4 GB");
        let estimate = Estimate {
            clips: 1000,
            hours: 50.0,
            clips_per_hour: 20.0,
            disk_bytes: 5.0e9,
            memory_bytes: 4.0e8,
        };
        assert_eq!(
            estimate.in_words(),
            "1000 clips: about 2 days 2 h (20.0 clips/h), 5.0 GB of disk, 400 MB of memory"
        );
    }
}
