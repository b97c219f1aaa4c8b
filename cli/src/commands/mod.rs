//! One module per command.

use anyhow::Result;

use crate::args::{Cli, Command};
use crate::exit::Status;
use crate::output::Output;

/// Runs the command.
pub fn run(cli: Cli, output: &Output) -> Result<Status> {
    match cli.command {
        Command::Version => {
            output.data(&format!("diorama {}", env!("CARGO_PKG_VERSION")))?;
            Ok(Status::Good)
        }
        _ => anyhow::bail!("not yet"),
    }
}
