//! Rigid bodies: convex shapes, the simulation, and how good its result is.
//!
//! The only module that knows rapier. Results are the same bits on every machine: hulls and inertia
//! are computed here without transcendental functions, and the solver runs with its deterministic
//! feature on one thread per clip.

mod hull;
mod inertia;
mod measure;
mod pieces;
mod shape;
mod simulate;
#[cfg(test)]
mod tests;

pub use measure::{gaps, penetrations, touching};
pub use pieces::{PieceStore, Pieces};
pub use shape::BodyShape;
pub use simulate::{
    Body, Led, Limb, Motion, Recording, STEPS_PER_SECOND, TOUCH_DISTANCE, Timing, settle, simulate,
};

impl Body {
    /// Does it never move?
    pub fn is_fixed(&self) -> bool {
        matches!(self.motion, Motion::Fixed)
    }

    /// Do contacts move it?
    pub fn is_dynamic(&self) -> bool {
        matches!(self.motion, Motion::Dynamic { .. })
    }
}

/// Why a simulation could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhysicsError {
    /// An asset has no usable collision shape.
    #[error("`{asset}` has no usable collision shape: {reason}")]
    Shape {
        /// Asset id.
        asset: String,
        /// What is wrong.
        reason: String,
    },
    /// The solver lost a body.
    #[error("the motion of object {id} is no longer finite")]
    Diverged {
        /// Object id.
        id: u32,
    },
}

impl PhysicsError {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Shape { .. } => Some("check the mesh, or give it a collision_geometry.obj"),
            Self::Diverged { .. } => Some("less extreme masses, sizes or speeds"),
        }
    }
}
