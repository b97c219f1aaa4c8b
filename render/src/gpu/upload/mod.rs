//! Scenes as the shaders read them.

pub(super) mod frame;
pub(super) mod geometry;
pub(super) mod lights;
pub(super) mod materials;
pub(super) mod nodes;
pub(super) mod texels;
