//! Checks of plan values: each failure is one line that names the flag.

use crate::exit::UserError;

/// Low and high end, both included unless the flag's help says otherwise.
pub type Range = [f64; 2];

/// Collects the first failure.
#[derive(Debug, Default)]
pub(super) struct Checks {
    failure: Option<String>,
}

impl Checks {
    /// Records `message` unless `ok`; only the first one counts.
    pub(super) fn that(&mut self, ok: bool, message: impl FnOnce() -> String) {
        if !ok && self.failure.is_none() {
            self.failure = Some(message());
        }
    }

    /// A range the right way up, inside `limits`.
    pub(super) fn range(&mut self, table: &str, name: &str, range: Range, limits: Range) {
        let [low, high] = range;
        let shown = || {
            let flag = name.replace('_', "-");
            if low == high {
                format!("`--{flag} {low}` (`{table}.{name}`)")
            } else {
                format!("`--{flag} {low},{high}` (`{table}.{name}`)")
            }
        };
        self.that(low.is_finite() && high.is_finite(), || {
            format!("{} is not a finite number", shown())
        });
        self.that(low <= high, || {
            format!("{} is upside down: the lower end comes first", shown())
        });
        self.that(low >= limits[0] && high <= limits[1], || {
            format!(
                "{} is out of range ({} to {})",
                shown(),
                limits[0],
                limits[1]
            )
        });
    }

    /// A range of whole numbers.
    pub(super) fn whole_range(&mut self, table: &str, name: &str, range: Range, limits: Range) {
        self.range(table, name, range, limits);
        self.that(range.iter().all(|end| end.fract() == 0.0), || {
            format!(
                "`--{} {},{}` takes whole numbers",
                name.replace('_', "-"),
                range[0],
                range[1]
            )
        });
    }

    /// The first failure as an error of the user's.
    pub(super) fn finish(self) -> Result<(), UserError> {
        match self.failure {
            Some(message) => Err(UserError::new(message)),
            None => Ok(()),
        }
    }
}
