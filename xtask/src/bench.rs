//! Yardsticks beside ours.

use anyhow::{Result, bail};

/// `cargo xtask bench …`
pub(crate) fn run(_args: &[String]) -> Result<()> {
    bail!("no bench is wired up yet")
}
