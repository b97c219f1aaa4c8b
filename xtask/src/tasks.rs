//! The checks, cheapest first; the first failure ends them.

use std::time::Instant;

use anyhow::Result;

use crate::step::{cargo, run, say, target, works};
use crate::{mutate, setup};

/// Set-up, then all checks.
pub(crate) fn test() -> Result<()> {
    let start = Instant::now();
    let missing = setup::prepare()?;
    checks()?;
    for line in &missing {
        say(&format!("note: {line}"));
    }
    say(&format!(
        "All tests passed in {:.0} s.",
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// All checks with what is there.
pub(crate) fn check() -> Result<()> {
    checks()?;
    say("All checks passed.");
    Ok(())
}

fn checks() -> Result<()> {
    if works("cargo", &["fmt", "--version"]) {
        run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    } else {
        say("note: rustfmt is missing (`rustup component add rustfmt`): format is not checked");
    }
    if works("cargo", &["clippy", "--version"]) {
        run(
            "lints",
            &mut cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]),
        )?;
    } else {
        say("note: clippy is missing (`rustup component add clippy`): lints are not checked");
    }
    tests(&[])?;
    run(
        "documentation",
        cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// The tests marked `#[ignore]`, minutes each, and some damaged files for every loader.
pub(crate) fn slow() -> Result<()> {
    tests(&["ignored"])?;
    mutate::run_mutate(&[])?;
    say("All slow tests passed.");
    Ok(())
}

/// Runs the tests with nextest where it is installed.
fn tests(flags: &[&str]) -> Result<()> {
    let ignored = flags.contains(&"ignored");
    let python = setup::venv_python(&target().join("decoders-venv"));
    let nextest = works("cargo", &["nextest", "--version"]);
    let mut command = if nextest {
        let mut command = cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--status-level",
            "fail",
            "--no-tests",
            "pass",
        ]);
        if ignored {
            command.args(["--run-ignored", "only"]);
        }
        command
    } else {
        let mut command = cargo(&[
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--quiet",
        ]);
        if ignored {
            command.args(["--", "--ignored"]);
        }
        command
    };
    if python.exists() {
        command.env("DIORAMA_TEST_PYTHON", &python);
    }
    run(if ignored { "slow tests" } else { "tests" }, &mut command)?;
    if nextest && !ignored {
        // nextest leaves out the examples in the documentation.
        run(
            "doc tests",
            &mut cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"]),
        )?;
    }
    Ok(())
}
