//! Videos written, read back and taken apart.

#![expect(clippy::unwrap_used, reason = "test helpers fail as tests do")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod color;
mod hostile;
mod mask;
mod scene;
mod support;
