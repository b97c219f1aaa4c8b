//! `run.log`: what a run was told that does not change a result, and how it went. For people.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::batch::Report;
use super::estimate::bytes_in_words;
use crate::exit::in_words;

/// Appends lines; several shards may do so at the same time.
#[derive(Debug)]
pub struct RunLog {
    file: fs_err::File,
}

impl RunLog {
    /// Opens `<dir>/run.log` for appending.
    pub fn open(dir: &Path) -> Result<Self> {
        let file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("run.log"))?;
        Ok(Self { file })
    }

    /// What a run was told.
    pub fn begin(&mut self, samples: usize, present: u64) -> Result<()> {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        self.line(&format!(
            "diorama {} starts: {samples} samples to make, {present} present; {} threads; {}",
            env!("CARGO_PKG_VERSION"),
            rayon::current_num_threads(),
            words.collect::<Vec<_>>().join(" ")
        ))
    }

    /// How it went.
    pub fn end(&mut self, report: &Report) -> Result<()> {
        self.line(&format!(
            "ends: {} made, {} failed, {} present{}",
            report.made,
            report.failed.len(),
            report.present,
            peak_memory().map_or(String::new(), |bytes| format!(
                ", {} of memory at most",
                bytes_in_words(bytes as f64)
            ))
        ))
    }

    /// That it ended before its end. The log is a help, not a promise: where it cannot be written, the
    /// error itself still matters more.
    pub fn stopped(&mut self, error: &anyhow::Error) {
        let _ = self.line(&format!("stopped: {}", in_words(error)));
    }

    /// One line with the time in front, in one write.
    pub fn line(&mut self, text: &str) -> Result<()> {
        let line = format!("{} {text}\n", now());
        self.file.write_all(line.as_bytes())?;
        Ok(())
    }
}

/// UTC, `2026-01-31T12:00:00Z`.
fn now() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the log is about the run; no result depends on it"
    )]
    let secs = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    timestamp(secs)
}

/// Civil time of seconds since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn timestamp(secs: u64) -> String {
    let days = (secs / 86_400) as i64 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let clock = secs % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    )
}

/// Most memory this process ever held, bytes, where the system says so.
pub(super) fn peak_memory() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(timestamp(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
