//! A Shot and its assets, compiled for tracing.
//!
//! What does not change over the clip is built once ([`StaticScene`]); each frame adds its poses,
//! top-level tree, lights and camera ([`frame_scene::FrameScene`]).

pub mod camera;
pub mod environment;
pub mod frame_scene;
pub mod lights;
pub mod material;
pub mod static_scene;
pub mod texture;

pub use frame_scene::FrameScene;
pub use static_scene::StaticScene;
