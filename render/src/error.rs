//! What can go wrong in rendering.

use diorama_assets::AssetError;

/// A Shot that cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// An asset is missing or unusable.
    #[error("object `{object}`: {source}")]
    Asset {
        /// Name of the object (or `environment`) that needs it.
        object: String,
        /// What is wrong with it.
        source: AssetError,
    },
    /// The asset has no such mesh.
    #[error("object `{object}`: asset `{asset}` has no mesh number {mesh}")]
    NoMesh {
        /// Name of the object.
        object: String,
        /// Asset id.
        asset: String,
        /// Index asked for.
        mesh: u32,
    },
    /// No camera of this name.
    #[error("the shot has no camera named `{name}` (it has {known})")]
    NoCamera {
        /// Name asked for.
        name: String,
        /// Names there are.
        known: String,
    },
    /// `DIORAMA_ISA` asks for something this processor or program does not have.
    #[error("{0}")]
    InstructionSet(String),
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
    /// The denoiser could not be used.
    #[error(transparent)]
    Denoise(#[from] crate::denoise::OidnError),
}

impl RenderError {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Asset { source, .. } => source.hint(),
            Self::Denoise(error) => error.hint(),
            Self::Gpu(error) => error.hint(),
            Self::NoMesh { .. } | Self::NoCamera { .. } | Self::InstructionSet(_) => None,
        }
    }
}
