//! End-to-end tests: they run the real program and look at what it prints, returns and leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod assets;
mod avatar;
mod backend;
mod bad_input;
mod cli_snapshots;
mod context;
mod decoders;
mod determinism;
mod render;
mod resume;
mod statistics;
mod track;
