//! Loading of assets from files: made here, and real ones from the shared pack when it is there.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod bad_bodies;
mod broken;
mod fbx_text;
mod gltf;
mod gltf_writer;
mod library;
mod rigs;
mod scan;
mod shared;

use std::path::PathBuf;

/// The shared asset pack, or `None` with a message.
fn pack(test: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("DIORAMA_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let pack = shared.join("assets");
    if pack.is_dir() {
        return Some(pack);
    }
    eprintln!("{test}: skipped, there is no {}", pack.display());
    None
}
