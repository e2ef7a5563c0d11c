//! Bugs that can be planted, to see whether a testbed finds them.
//!
//! They exist only in a build with the feature `bugs`, which says so in its version. Each bites in one line, marked by
//! [`Bugs::has`]; without the feature the set is always empty.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A bug that a real system had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A linearizable read is answered from the node's own state, without asking whether it is the newest.
    StaleRead,
    /// A subscription that goes on after a cursor passes over the first message behind it (etcd#15271, etcd#17529).
    PollSkip,
    /// A subscription that goes on after a cursor tells the message at the cursor again (etcd#17247).
    PollAgain,
}

impl Bug {
    /// All that can be planted, in a build that can plant any.
    pub const ALL: [Bug; 3] = [Bug::StaleRead, Bug::PollSkip, Bug::PollAgain];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Bug::StaleRead => "stale-read",
            Bug::PollSkip => "poll-skip",
            Bug::PollAgain => "poll-again",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A bug that cannot be planted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadBug {
    /// There is none of this name.
    #[error("there is no bug `{name}` to plant; there are: {}", names().join(", "))]
    NoSuch {
        /// The name.
        name: String,
    },
    /// The build has none at all.
    #[error("this build has no bugs to plant; build it with `--features bugs`")]
    Without,
}

impl FromStr for Bug {
    type Err = BadBug;

    fn from_str(name: &str) -> Result<Self, BadBug> {
        if !PLANTABLE {
            return Err(BadBug::Without);
        }
        let no_such = || BadBug::NoSuch { name: name.to_owned() };
        Bug::ALL.into_iter().find(|bug| bug.name() == name).ok_or_else(no_such)
    }
}

/// Whether this build can plant bugs.
pub const PLANTABLE: bool = cfg!(feature = "bugs");

/// The names of the bugs that this build can plant.
#[must_use]
pub fn names() -> &'static [&'static str] {
    const NAMES: [&str; Bug::ALL.len()] =
        [Bug::StaleRead.name(), Bug::PollSkip.name(), Bug::PollAgain.name()];
    if PLANTABLE { &NAMES } else { &[] }
}

/// The bugs that are planted in a node.
#[derive(Debug, Clone, Default)]
pub struct Bugs(Vec<Bug>);

impl Bugs {
    /// Plants `bugs`; none of them in a build without the feature.
    #[must_use]
    pub fn planted(mut bugs: Vec<Bug>) -> Self {
        bugs.sort_unstable();
        bugs.dedup();
        Self(if PLANTABLE { bugs } else { Vec::new() })
    }

    /// Whether `bug` is planted.
    #[must_use]
    pub fn has(&self, bug: Bug) -> bool {
        PLANTABLE && self.0.contains(&bug)
    }

    /// The names of those that are planted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_planted_only_where_that_was_built_in() {
        let planted = Bugs::planted(vec![Bug::StaleRead, Bug::StaleRead]);
        assert_eq!(planted.has(Bug::StaleRead), PLANTABLE);
        assert_eq!(planted.names().len(), usize::from(PLANTABLE));
        let stale: Result<Bug, _> = "stale-read".parse();
        assert_eq!(stale, if PLANTABLE { Ok(Bug::StaleRead) } else { Err(BadBug::Without) });
        assert!("no-such".parse::<Bug>().is_err());
    }
}
