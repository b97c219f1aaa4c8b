//! What can be wrong with an asset, always with the path and a hint.

use std::path::PathBuf;

/// A fault of one asset. The batch goes on; the samples that need the asset are listed failures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// File or folder asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not what the name promises.
    #[error("cannot decode {path}: {reason}")]
    Decode {
        /// File asked for.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The file needs an extension this build does not have.
    #[error("{path} requires {extension}, which is not supported")]
    UnsupportedExtension {
        /// File asked for.
        path: PathBuf,
        /// glTF extension name.
        extension: String,
    },
    /// The file is well formed but useless: no triangles, NaN positions, a texture of 0×0, …
    #[error("{path} is unusable: {reason}")]
    Unusable {
        /// File asked for, or the asset's id for generated ones.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No asset of this id is in any library.
    #[error("no asset named `{id}`")]
    Unknown {
        /// Id asked for.
        id: String,
    },
    /// A character, and no workspace to take it from.
    #[error("`{id}` is a character of a workspace (hint: `--base-path DIR` names it)")]
    NoWorkspace {
        /// Id asked for.
        id: String,
    },
}

impl AssetError {
    /// Is it that a file is not there?
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } => Some("check the path and its permissions"),
            Self::Decode { .. } => {
                Some("the file may be truncated or misnamed; open it in another program")
            }
            Self::UnsupportedExtension { .. } => {
                Some("re-export without this extension (gltf-transform or Blender can decompress)")
            }
            Self::Unusable { .. } | Self::NoWorkspace { .. } => None,
            Self::Unknown { .. } => Some(
                "give its library with `--assets DIR`, or its workspace with `--base-path DIR`",
            ),
        }
    }
}
