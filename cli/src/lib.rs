//! The command line of Diorama: flags → [`plan::Plan`] → run.
//!
//! `args` only parses, `plan` resolves, `job` runs batches, `commands` holds one module per
//! command, [`output`] is the only place that prints, [`exit`] says which code an ending gets.

pub mod args;
pub mod backend;
pub mod commands;
pub mod exit;
pub mod job;
pub mod output;
pub mod plan;
pub mod progress;
pub mod shelf;

use std::ffi::OsString;
use std::process::ExitCode;

use exit::Status;
use output::{Output, Style};

/// Runs the program with the arguments of the process (its own name first).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    exit::install_panic_hook();
    let status =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match args::parse(args) {
            Ok(cli) => run_command(cli),
            Err(error) => refuse(&error),
        }));
    // The hook has already said what happened.
    status.unwrap_or(Status::Internal).into()
}

fn run_command(cli: args::Cli) -> Status {
    let output = Output::new(Style {
        json: cli.global.json,
        quiet: cli.global.quiet,
        no_progress: cli.global.no_progress,
    });
    match commands::run(cli, &output) {
        Ok(status) => status,
        Err(error) if exit::is_broken_pipe(&error) => Status::Good,
        Err(error) => {
            output.error(exit::in_words(&error));
            let status = exit::classify(&error);
            match exit::hint(&error) {
                Some(hint) => output.hint(hint),
                None if status == Status::Internal => output.hint(exit::REPORT),
                None => {}
            }
            status
        }
    }
}

/// Help, version, or one line about a wrong flag.
fn refuse(error: &clap::Error) -> Status {
    use clap::error::ErrorKind;
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        Output::help(&error.render().to_string());
        return Status::Good;
    }
    let output = Output::new(Style::default());
    let text = error.render().to_string();
    let (message, tips) = one_line(&text);
    output.error(message);
    for tip in tips {
        output.hint(tip);
    }
    Status::BadInput
}

/// clap's message on one line, and its tips. Usage is left out: `--help` is one word away.
fn one_line(text: &str) -> (String, Vec<String>) {
    let text = text.split("\nUsage:").next().unwrap_or(text);
    let mut message = Vec::new();
    let mut tips = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            tips.push(tip.to_owned());
        } else if !line.starts_with("For more information") {
            message.push(line.strip_prefix("error: ").unwrap_or(line).to_owned());
        }
    }
    if tips.is_empty() {
        tips.push("`--help` lists the flags".into());
    }
    (message.join(" "), tips)
}
