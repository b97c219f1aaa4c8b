//! Progress bars: samples of the whole run, frames of the sample in work. Only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;

/// Bars of one batch, or none. All calls are cheap and safe from any thread.
#[derive(Debug)]
pub struct Progress {
    samples: ProgressBar,
    frames: ProgressBar,
    started: Instant,
    made: std::sync::atomic::AtomicU64,
}

impl Progress {
    /// Bars for `samples` samples, `already` of which were there before this run.
    pub fn new(output: &Output, samples: u64, already: u64) -> Self {
        let bar = |length: u64, template: &str| {
            let Some(bars) = output.bars() else {
                return ProgressBar::hidden();
            };
            let bar = bars.add(ProgressBar::new(length));
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        };
        let total = bar(
            samples,
            "{pos:>6}/{len} clips [{bar:30}] {elapsed_precise}, {msg}",
        );
        total.set_position(already);
        total.set_message("first clip");
        Self {
            samples: total,
            frames: bar(0, "{prefix:>6} {msg:12} [{bar:30}] frame {pos}/{len}"),
            started: Instant::now(),
            made: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// No bars.
    pub fn hidden() -> Self {
        Self {
            samples: ProgressBar::hidden(),
            frames: ProgressBar::hidden(),
            started: Instant::now(),
            made: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// There are this many samples.
    pub fn expect(&self, samples: u64) {
        self.samples.set_length(samples);
    }

    /// A sample is in work. `stage`: `placing`, `rendering`, …
    pub fn stage(&self, id: &str, stage: &'static str, frames: u64) {
        self.frames.set_prefix(id.to_owned());
        self.frames.set_message(stage);
        self.frames.set_length(frames);
        self.frames.set_position(0);
    }

    /// One more frame is finished.
    pub fn frame(&self) {
        self.frames.inc(1);
    }

    /// One more sample is finished or has failed.
    pub fn sample(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        self.samples.inc(1);
        let made = self.made.fetch_add(1, Relaxed) + 1;
        let left = self
            .samples
            .length()
            .unwrap_or(0)
            .saturating_sub(self.samples.position());
        self.samples
            .set_message(forecast(made, left, self.started.elapsed()));
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        self.frames.finish_and_clear();
        self.samples.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// `ETA 1 h 05 min, 12.3 clips/h` after `made` clips in `elapsed` with `left` to go.
fn forecast(made: u64, left: u64, elapsed: Duration) -> String {
    let secs_per_clip = elapsed.as_secs_f64() / made.max(1) as f64;
    if secs_per_clip <= 0.0 {
        return String::new();
    }
    format!(
        "ETA {}, {:.1} clips/h",
        duration_in_words(secs_per_clip * left as f64),
        3600.0 / secs_per_clip
    )
}

/// `41 s`, `12 min`, `3 h 20 min`, `5 days 4 h`.
pub fn duration_in_words(secs: f64) -> String {
    let minutes = (secs / 60.0).round() as u64;
    match secs {
        s if s < 99.5 => format!("{s:.0} s"),
        _ if minutes < 120 => format!("{minutes} min"),
        _ if minutes < 48 * 60 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} days {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(duration_in_words(41.2), "41 s");
        assert_eq!(duration_in_words(720.0), "12 min");
        assert_eq!(duration_in_words(12_000.0), "3 h 20 min");
        assert_eq!(duration_in_words(446_400.0), "5 days 4 h");
    }

    #[test]
    fn the_forecast_counts_what_is_left() {
        let text = forecast(2, 10, Duration::from_mins(2));
        assert_eq!(text, "ETA 10 min, 60.0 clips/h");
    }
}
