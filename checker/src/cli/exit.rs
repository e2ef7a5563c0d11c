//! The exit codes.

use std::process::{ExitCode, Termination};

use crate::verdict::Verdict;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The history is valid.
    Expected,
    /// A property is violated.
    Violated,
    /// The command line or the history is wrong.
    Usage,
    /// Nobody can say.
    Inconclusive,
    /// The result, or its certificate, could not be written.
    Environment,
    /// The program has a bug.
    Bug,
}

impl Exit {
    const ALL: [Exit; 6] =
        [Exit::Expected, Exit::Violated, Exit::Usage, Exit::Inconclusive, Exit::Environment, Exit::Bug];

    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Expected => 0,
            Exit::Violated => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Environment => 4,
            Exit::Bug => 70,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Exit::Expected => "valid",
            Exit::Violated => "a property is violated",
            Exit::Usage => "wrong command line, or no history that can be read",
            Exit::Inconclusive => "unknown: a limit was hit, or there is nothing to check",
            Exit::Environment => "the verdict, or the certificate that was asked for, could not be written",
            Exit::Bug => "a bug of this program",
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid => Exit::Expected,
            Verdict::Invalid => Exit::Violated,
            Verdict::Unknown => Exit::Inconclusive,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// The table in the help.
pub(super) fn table() -> String {
    let lines = Exit::ALL.map(|exit| format!("  {:>2}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", lines.join("\n"))
}
