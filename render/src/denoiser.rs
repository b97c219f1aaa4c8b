//! Which denoiser the finished pictures go through.

use glam::Vec3;

use crate::denoise::{self, DenoiseInput, Oidn, OidnError};

/// Choice of denoiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Denoise {
    /// None: pictures are shown as traced.
    #[default]
    None,
    /// Our own; the same bytes on every machine.
    Builtin,
    /// OpenImageDenoise, where the library is found; its bytes depend on its version and processor.
    Oidn,
}

/// The chosen denoiser, ready to run.
#[derive(Debug)]
pub(crate) enum Denoiser {
    None,
    Builtin,
    Oidn(Box<Oidn>),
}

impl Denoiser {
    /// Loads what the choice needs.
    pub(crate) fn new(choice: Denoise) -> Result<Self, OidnError> {
        Ok(match choice {
            Denoise::None => Self::None,
            Denoise::Builtin => Self::Builtin,
            Denoise::Oidn => Self::Oidn(Box::new(Oidn::load(None, None)?)),
        })
    }

    /// Pictures may differ outside of what the worlds' light differs in: join them afterwards.
    pub(crate) fn spreads(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The denoised picture.
    pub(crate) fn run(&self, input: &DenoiseInput<'_>) -> Result<Vec<Vec3>, OidnError> {
        match self {
            Self::None => Ok(input.color.to_vec()),
            Self::Builtin => Ok(denoise::denoise(input)),
            Self::Oidn(library) => library.denoise(input),
        }
    }
}
