//! The one place that prints.
//!
//! Standard output carries data (paths, JSON lines); standard error carries words for people.
//! Bars are lines of standard error too: while one is shown, words go above it.

#![expect(clippy::print_stderr, reason = "this is the module that prints")]

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Result;
use indicatif::MultiProgress;
use serde::Serialize;

/// Where words and data go, and how they look.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    color: bool,
    bars: Option<MultiProgress>,
}

/// How to print, as the flags say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// JSON lines on standard output instead of plain ones.
    pub json: bool,
    /// Nothing but errors on standard error.
    pub quiet: bool,
    /// No bars even on a terminal.
    pub no_progress: bool,
}

impl Output {
    /// Looks at the terminal and at `NO_COLOR` (any non-empty value switches colour off).
    pub fn new(style: Style) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            json: style.json,
            quiet: style.quiet,
            color: terminal && !no_color && !dumb,
            bars: (terminal && !style.no_progress && !style.quiet && !dumb)
                .then(MultiProgress::new),
        }
    }

    /// Is standard output JSON lines?
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The place for bars; `None`: show none.
    pub fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// May words be coloured?
    pub fn colored(&self) -> bool {
        self.color
    }

    fn words(&self, text: &str) {
        match &self.bars {
            // Prints above the bars; a lost terminal is no reason to stop.
            Some(bars) => bars.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn labelled(&self, ansi: &str, label: &str, text: &str) {
        if self.color {
            self.words(&format!("\x1b[{ansi}m{label}:\x1b[0m {text}"));
        } else {
            self.words(&format!("{label}: {text}"));
        }
    }

    /// One line for people.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.words(text.as_ref());
        }
    }

    /// Something odd that does not stop the work.
    pub fn warning(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.labelled("33", "warning", text.as_ref());
        }
    }

    /// What went wrong; always shown.
    pub fn error(&self, text: impl AsRef<str>) {
        self.labelled("31", "error", text.as_ref());
    }

    /// What to do about it; always shown.
    pub fn hint(&self, text: impl AsRef<str>) {
        self.labelled("36", "hint", text.as_ref());
    }

    /// Data for a program: one JSON line when `--json` is on, else nothing.
    pub fn json<T: Serialize>(&self, value: &T) -> Result<()> {
        if self.json {
            self.data(&serde_json::to_string(value)?)?;
        }
        Ok(())
    }

    /// Plain data (a path, a number, a document) unless `--json` is on.
    pub fn plain(&self, text: impl AsRef<str>) -> Result<()> {
        if !self.json {
            self.data(text.as_ref())?;
        }
        Ok(())
    }

    /// Data in either mode: what the command was asked to print.
    pub fn data(&self, text: &str) -> Result<()> {
        let print = || writeln!(std::io::stdout().lock(), "{text}");
        match &self.bars {
            Some(bars) => bars.suspend(print)?,
            None => print()?,
        }
        Ok(())
    }

    /// Help and version text, as clap made it.
    pub fn help(text: &str) {
        // A closed pipe must not turn `--help | head` into a failure.
        let _ = write!(std::io::stdout().lock(), "{text}");
    }
}

/// `1 sample`, `2 samples`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// A path as short as it can be said from here.
pub fn shown(path: &Path) -> &Path {
    match std::env::current_dir() {
        Ok(here) => path.strip_prefix(&here).unwrap_or(path),
        Err(_) => path,
    }
}
