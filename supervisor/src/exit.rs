//! How the process ends: the one table of exit codes.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// What an exit of the supervisor means. In a batch the gravest wins; see [`Exit::gravest`].
/// As data it is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Exit {
    /// Every verdict was the expected one.
    Expected,
    /// A property is violated, or an `expect: fail` did not fail.
    Violated,
    /// Wrong usage, a bad scenario, a bad history.
    Usage,
    /// A limit was hit, `reach` was not met, or there was nothing to check.
    Inconclusive,
    /// The environment or the testbed itself failed: could not start, isolate or clean up.
    Harness,
    /// Only thresholds failed.
    Thresholds,
    /// A bug of ours: a panic.
    Bug,
    /// Ended by Ctrl-C, after healing and reporting.
    Interrupted,
    /// Ended by SIGTERM, after healing and reporting.
    Terminated,
}

/// The table for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    as expected
  1    a property is violated (or an `expect: fail` did not fail)
  2    usage, bad scenario, bad history
  3    inconclusive: a limit was hit, `reach` unmet, nothing to check
  4    environment or harness: could not start, isolate, clean up
  6    only thresholds failed (speed, availability)
  70   a bug of ours (panic)
  130  interrupted, after healing and reporting (143: terminated)";

impl Exit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Expected,
        Self::Violated,
        Self::Usage,
        Self::Inconclusive,
        Self::Harness,
        Self::Thresholds,
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Expected => 0,
            Self::Violated => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Harness => 4,
            Self::Thresholds => 6,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The exit with this number, as a shell or a parent sees it.
    #[must_use]
    pub fn of_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// Of two runs of a batch, the exit that must be seen.
    #[must_use]
    pub fn gravest(self, other: Self) -> Self {
        if self.gravity() >= other.gravity() { self } else { other }
    }

    fn gravity(self) -> u8 {
        match self {
            Self::Expected => 0,
            Self::Thresholds => 1,
            Self::Inconclusive => 2,
            Self::Harness => 3,
            Self::Usage => 4,
            // What was found of the system is not hidden by a scenario that could not be read.
            Self::Violated => 5,
            Self::Bug => 6,
            Self::Interrupted => 7,
            Self::Terminated => 8,
        }
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        exit.code()
    }
}

impl TryFrom<u8> for Exit {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        Self::of_code(code.into()).ok_or_else(|| format!("no exit has the number {code}"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_returns_the_gravest_of_its_runs() {
        let order = [
            Exit::Violated,
            Exit::Usage,
            Exit::Harness,
            Exit::Inconclusive,
            Exit::Thresholds,
            Exit::Expected,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].gravest(pair[1]), pair[0]);
            assert_eq!(pair[1].gravest(pair[0]), pair[0]);
        }
    }

    #[test]
    fn the_help_table_names_every_code() {
        for exit in Exit::ALL {
            assert_eq!(Exit::of_code(i32::from(exit.code())), Some(exit));
            assert!(EXIT_CODES.contains(&exit.code().to_string()), "{exit:?} is not in the table");
        }
    }
}
