//! The `diorama` program. Everything is in the library, so that tests can reach it.

fn main() -> std::process::ExitCode {
    diorama::run(std::env::args_os())
}
