//! What a scenario expects to come of its run.

use std::fmt;

use checker::anomaly::AnomalyKind;
use checker::check::CheckName;
use serde::{Deserialize, Serialize};

use super::word::Word;

/// Which verdict is the expected one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// Every check is valid.
    Pass,
    /// A check finds a violation: there is a bug, and the testbed must catch it.
    Fail(ExpectedFailure),
}

/// The failure that must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct ExpectedFailure {
    /// What must be found.
    pub kind: FailureKind,
    /// Within how many seeds, counted from the plan's own; at least 1.
    pub within_seeds: u32,
}

/// What failures have in common whose particulars differ. It is written `durable/lost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A check finds an anomaly.
    Anomaly(CheckName, AnomalyKind),
    /// The cluster did not stay alive, which is judged in every run.
    Liveness(LivenessKind),
}

/// How a cluster does not stay alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivenessKind {
    /// A node ended by itself, and no fault explains it.
    NodeEnded,
    /// A condition of a step did not come about in time, or did not hold.
    StepUnmet,
    /// The cluster did not serve, or not catch up, after every fault was lifted.
    NotHealed,
}

/// The name that stands where a check does, for what is no check's business.
pub const LIVENESS: &str = "liveness";

/// Who finds a failure: a check, or the judge of liveness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finder {
    Check(CheckName),
    Liveness,
}

impl FailureKind {
    /// The check that finds it; none if it is liveness.
    #[must_use]
    pub fn check(self) -> Option<CheckName> {
        match self {
            FailureKind::Anomaly(check, _) => Some(check),
            FailureKind::Liveness(_) => None,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            FailureKind::Anomaly(check, anomaly) => (check.name(), anomaly.name()),
            FailureKind::Liveness(kind) => (LIVENESS, kind.word()),
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (check, anomaly) = self.words();
        write!(f, "{check}/{anomaly}")
    }
}

impl Word for LivenessKind {
    const ALL: &'static [Self] = &[Self::NodeEnded, Self::StepUnmet, Self::NotHealed];

    fn word(self) -> &'static str {
        match self {
            Self::NodeEnded => "node-ended",
            Self::StepUnmet => "step-unmet",
            Self::NotHealed => "not-healed",
        }
    }
}

impl Word for Finder {
    const ALL: &'static [Self] = &{
        let mut all = [Finder::Liveness; CheckName::ALL.len() + 1];
        let mut place = 0;
        while place < CheckName::ALL.len() {
            all[place] = Finder::Check(CheckName::ALL[place]);
            place += 1;
        }
        all
    };

    fn word(self) -> &'static str {
        match self {
            Self::Check(check) => check.name(),
            Self::Liveness => LIVENESS,
        }
    }
}

/// An expected failure as `plan.yaml` has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Words {
    check: String,
    anomaly: String,
    within_seeds: u32,
}

impl From<ExpectedFailure> for Words {
    fn from(failure: ExpectedFailure) -> Self {
        let (check, anomaly) = failure.kind.words();
        Self { check: check.to_owned(), anomaly: anomaly.to_owned(), within_seeds: failure.within_seeds }
    }
}

impl TryFrom<Words> for ExpectedFailure {
    type Error = String;

    fn try_from(words: Words) -> Result<Self, String> {
        let Words { check, anomaly, within_seeds } = words;
        let unknown = || format!("no check finds `{check}/{anomaly}`");
        let kind = match Finder::of_word(&check).ok_or_else(unknown)? {
            Finder::Check(check) => {
                AnomalyKind::of_word(&anomaly).map(|kind| FailureKind::Anomaly(check, kind))
            }
            Finder::Liveness => LivenessKind::of_word(&anomaly).map(FailureKind::Liveness),
        };
        Ok(Self { kind: kind.ok_or_else(unknown)?, within_seeds })
    }
}
