//! What must have happened for a green run to mean anything.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::count::Count;
use crate::scenario::word::Word;

/// Something that must have happened often enough for a green run to mean anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reach {
    /// A node became leader, not counting the first leader.
    LeaderChanges,
    /// An operation succeeded while a fault was in force that did something.
    OkDuringFaults,
    /// A strike struck, and had an effect.
    FaultsInstalled,
    /// An operation completed.
    Operations,
    /// A node replaced its state by a snapshot that a leader sent.
    SnapshotInstalled,
    /// Faults have done something so often.
    Count(Count),
    /// The fault or step of this name has done what it is for: see [`Deed`](crate::scenario::verb::Deed). A step that
    /// stops several nodes does it once for each.
    Struck(String),
}

/// The word for the faults that are named one by one.
pub(crate) const STRUCK: &str = "struck";

/// What can be reached that is neither a figure of all faults nor one fault.
const OWN: [(&str, Reach); 5] = [
    ("leader-changes", Reach::LeaderChanges),
    ("ok-during-faults", Reach::OkDuringFaults),
    ("faults-installed", Reach::FaultsInstalled),
    ("operations", Reach::Operations),
    ("snapshot-installed", Reach::SnapshotInstalled),
];

impl Reach {
    /// What is reached by the run as a whole, in the order in which it is listed to a person.
    pub fn words() -> impl Iterator<Item = &'static str> {
        OWN.iter().map(|(word, _)| *word).chain(Count::words())
    }

    /// What is reached by the run as a whole, by its word.
    #[must_use]
    pub fn of_word(text: &str) -> Option<Self> {
        let own = OWN.iter().find(|(word, _)| *word == text).map(|(_, goal)| goal.clone());
        own.or_else(|| Count::of_word(text).map(Self::Count))
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => f.pad(count.word()),
            Self::Struck(fault) => f.pad(&format!("{STRUCK}.{fault}")),
            own => {
                let (word, _) =
                    OWN.iter().find(|(_, goal)| goal == own).expect("every other goal has a word");
                f.pad(word)
            }
        }
    }
}

impl TryFrom<String> for Reach {
    type Error = String;

    /// Reads `leader-changes`, or `struck.kill-leader`.
    fn try_from(text: String) -> Result<Self, String> {
        let struck = |text: &str| {
            let fault = text.strip_prefix(STRUCK)?.strip_prefix('.')?;
            (!fault.is_empty()).then(|| Self::Struck(fault.to_owned()))
        };
        Self::of_word(&text).or_else(|| struck(&text)).ok_or_else(|| format!("unknown goal `{text}`"))
    }
}

impl From<Reach> for String {
    fn from(goal: Reach) -> Self {
        goal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let words = Reach::words().map(str::to_owned).chain(["struck.kill-leader".to_owned()]);
        for word in words {
            assert_eq!(Reach::try_from(word.clone()).map(String::from), Ok(word));
        }
        for text in ["struck", "struck.", "leader-change", ""] {
            assert_eq!(Reach::try_from(text.to_owned()), Err(format!("unknown goal `{text}`")));
        }
    }
}
