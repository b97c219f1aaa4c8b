//! Exit codes, and which error means which.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | all good |
//! | 1 | some samples failed; they are listed |
//! | 2 | bad input, or something that the user can mend (disk full, no permission) |
//! | 3 | our fault |
//!
//! Ctrl-C ends the process at once (130 in shells): whatever is finished is complete, and the same
//! command continues.

use std::io;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything asked for is there.
    Good,
    /// The command ran to its end, but some samples failed. They were listed.
    SomeFailed,
    /// Nothing (more) was done because of the input or of the place it should go to.
    BadInput,
    /// A fault of this program.
    Internal,
}

impl Status {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::SomeFailed => 1,
            Self::BadInput => 2,
            Self::Internal => 3,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// An error that the user can mend: what is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UserError {
    /// One line: what is wrong, and where.
    pub message: String,
    /// One line: what to do about it.
    pub hint: Option<String>,
}

impl UserError {
    /// An error without a hint, for messages that already say what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a system error most likely needs from the user; `None` when it is none of theirs.
pub fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    match kind {
        Kind::StorageFull | Kind::QuotaExceeded => {
            Some("free some space, then run the same command again: it continues")
        }
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
            Some("choose a place that you may write to, or change its permissions")
        }
        Kind::NotFound => Some("check the path"),
        Kind::NotADirectory | Kind::IsADirectory | Kind::AlreadyExists => {
            Some("a file stands where a folder is needed, or the other way round")
        }
        Kind::InvalidData => Some("the file is damaged, or it is not UTF-8 text"),
        Kind::InvalidFilename => Some("choose a shorter or plainer name"),
        _ => None,
    }
}

fn io_error(error: &anyhow::Error) -> Option<&io::Error> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// What one cause of an error says about whose fault it is, and what to do. `None`: nothing known.
fn verdict(cause: &(dyn std::error::Error + 'static)) -> Option<(bool, Option<String>)> {
    use diorama_postproc::PostprocError;
    use diorama_render::RenderError;
    use diorama_synth::draw::DrawError;
    use diorama_video::VideoError;
    use diorama_video::fsx::FsError;
    let of = |mendable: bool, hint: Option<&str>| Some((mendable, hint.map(String::from)));
    // Drivers and memory are the user's; what no hint knows is ours.
    let gpu = |error: &diorama_render::gpu::GpuError| of(error.hint().is_some(), error.hint());
    if let Some(error) = cause.downcast_ref::<UserError>() {
        return of(true, error.hint.as_deref());
    }
    if let Some(error) = cause.downcast_ref::<diorama_assets::AssetError>() {
        return of(true, error.hint());
    }
    if let Some(error) = cause.downcast_ref::<PostprocError>() {
        return of(error.is_users_to_mend(), error.hint());
    }
    if let Some(error) = cause.downcast_ref::<VideoError>() {
        return of(error.is_users_to_mend(), error.hint());
    }
    if let Some(error) = cause.downcast_ref::<FsError>() {
        return of(error.is_users_to_mend(), error.hint());
    }
    if let Some(error) = cause.downcast_ref::<RenderError>() {
        // What is left of it are wrong names and what this machine does not have.
        return match error {
            RenderError::Asset { source, .. } => of(true, source.hint()),
            RenderError::Gpu(error) => gpu(error),
            other => of(true, other.hint()),
        };
    }
    if let Some(error) = cause.downcast_ref::<diorama_render::gpu::GpuError>() {
        return gpu(error);
    }
    if let Some(error) = cause.downcast_ref::<DrawError>() {
        return match error {
            DrawError::Asset(asset) => of(true, asset.hint()),
            DrawError::Shot(_) | DrawError::Check(_) => None,
            _ => of(true, None),
        };
    }
    if cause.is::<diorama_synth::shot::ShotError>()
        || cause.is::<diorama_synth::recipe::RecipeError>()
        || cause.is::<diorama_synth::gltf_shot::SceneError>()
    {
        return of(true, None);
    }
    let io = cause.downcast_ref::<io::Error>()?;
    io_hint(io.kind()).map(|hint| (true, Some(hint.to_owned())))
}

/// Whose fault an error is, by everything in its chain.
pub fn classify(error: &anyhow::Error) -> Status {
    let mendable = error
        .chain()
        .filter_map(verdict)
        .any(|(mendable, _)| mendable);
    if mendable {
        Status::BadInput
    } else {
        Status::Internal
    }
}

/// An error and its causes on one line. A cause that the words before it end with already is not said
/// again.
pub fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if words.is_empty() {
            words = cause;
        } else if !words.ends_with(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first hint in an error's chain.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().filter_map(verdict).find_map(|(_, hint)| hint)
}

/// What to say beside a fault of ours.
pub const REPORT: &str = "this is a fault of diorama; please report the command and the line above";

/// A panic prints one line and its place, not a backtrace of ours.
pub fn install_panic_hook() {
    let with_backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if with_backtrace {
            default(info);
            return;
        }
        let output = crate::output::Output::new(crate::output::Style {
            no_progress: true,
            ..Default::default()
        });
        let place = info.location().map_or(String::new(), |at| {
            format!(" at {}:{}", at.file(), at.line())
        });
        output.error(format!(
            "internal error{place}: {}",
            panic_message(info.payload())
        ));
        output.hint(REPORT);
    }));
}

/// The words of a panic.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// Did the reader of our standard output go away (`diorama … | head`)? That is no failure.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    io_error(error).is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn what_the_user_can_mend_is_2_and_the_rest_is_3() {
        let full = anyhow::Error::from(io::Error::from(io::ErrorKind::StorageFull))
            .context("cannot write x");
        assert_eq!(classify(&full), Status::BadInput);
        assert!(hint(&full).is_some_and(|h| h.contains("free some space")));
        let wrong = Err::<(), _>(UserError::new("no").hint("do this")).context("more");
        let wrong = wrong.expect_err("it is an error");
        assert_eq!(classify(&wrong), Status::BadInput);
        assert_eq!(hint(&wrong).as_deref(), Some("do this"));
        assert_eq!(classify(&anyhow::anyhow!("odd")), Status::Internal);
    }

    #[test]
    fn a_closed_pipe_is_recognised() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&error));
    }
}
