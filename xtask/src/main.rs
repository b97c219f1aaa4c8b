//! Set-up, checks and benches: `cargo xtask <task>`.

mod bench;
mod mutate;
mod setup;
mod step;
mod tasks;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

  test    install what the tests need where possible, then everything CI runs
  check   the same without installing anything, cheapest first
  slow    the slow tests: determinism over instruction sets and an emulated old CPU, statistics
  mutate  damaged files for every loader, under a memory limit (`cargo xtask mutate --help`)
  bench   speed and error beside Cycles, Embree and Mitsuba (`cargo xtask bench --help`)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let done = match task.as_str() {
        "test" => tasks::test(),
        "check" => tasks::check(),
        "slow" => tasks::slow(),
        "mutate" => mutate::run_mutate(&rest),
        "bench" => bench::run_bench(&rest),
        "" | "help" | "--help" | "-h" => {
            step::say(HELP);
            return ExitCode::SUCCESS;
        }
        other => Err(anyhow::anyhow!("no task `{other}`\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
