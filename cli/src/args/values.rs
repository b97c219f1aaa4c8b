//! Small values with a syntax of their own.

use std::str::FromStr;

/// Half-open run of seeds, `A..B` (B not included) or one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedRange {
    /// First seed.
    pub first: u64,
    /// One past the last.
    pub end: u64,
}

/// Largest seed: sample ids have at least six digits, and JSON readers keep 53 bits.
const MAX_SEED: u64 = (1 << 53) - 1;

impl FromStr for SeedRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.trim()
                .parse::<u64>()
                .ok()
                .filter(|seed| *seed <= MAX_SEED)
                .ok_or_else(|| format!("`{part}` is not a seed (0 to {MAX_SEED})"))
        };
        let (first, end) = match text.split_once("..") {
            Some((first, end)) => match end.strip_prefix('=') {
                Some(last) => (number(first)?, number(last)? + 1),
                None => (number(first)?, number(end)?),
            },
            None => (number(text)?, number(text)? + 1),
        };
        if first >= end {
            return Err(format!(
                "holds no seed: {first} is not below {end} (`A..B` runs from A to B - 1)"
            ));
        }
        Ok(Self { first, end })
    }
}

/// What to make again: everything that failed, or these seeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redo {
    /// `failed`
    Failed,
    /// `43,57`
    Seeds(Vec<u64>),
}

impl FromStr for Redo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "failed" {
            return Ok(Self::Failed);
        }
        text.split(',')
            .map(|part| part.trim().parse::<u64>())
            .collect::<Result<Vec<_>, _>>()
            .map(Self::Seeds)
            .map_err(|_| "is neither `failed` nor a list of seeds such as `43,57`".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_half_open() {
        assert_eq!("0..3".parse(), Ok(SeedRange { first: 0, end: 3 }));
        assert_eq!("0..=3".parse(), Ok(SeedRange { first: 0, end: 4 }));
        assert_eq!("7".parse(), Ok(SeedRange { first: 7, end: 8 }));
        for wrong in ["3..3", "4..3", "-1", "a..b", "", "1..99999999999999999999"] {
            assert!(wrong.parse::<SeedRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn redo_lists() {
        assert_eq!("failed".parse(), Ok(Redo::Failed));
        assert_eq!("4, 5".parse(), Ok(Redo::Seeds(vec![4, 5])));
        assert!("x".parse::<Redo>().is_err());
    }
}
