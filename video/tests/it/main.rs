//! Videos written, read back and taken apart.

mod color;
mod hostile;
mod mask;
mod scene;
mod support;
