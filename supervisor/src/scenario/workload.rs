//! The words of `workload:`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::word::Word;

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// People send messages and read conversations.
    Conversation,
    /// People create accounts, log in and delete accounts.
    Accounts,
}

impl WorkloadKind {
    /// The operations that a `mix` of this workload may name.
    #[must_use]
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Conversation => &["send", "read"],
            Self::Accounts => &["create-account", "delete-account", "login", "list-accounts"],
        }
    }

    /// Operations that the format has and this version refuses.
    pub(crate) fn later_operations(self) -> &'static [&'static str] {
        match self {
            Self::Conversation => &["delete", "mark", "poll"],
            Self::Accounts => &[],
        }
    }

    /// The mix of a scenario that states none.
    pub(crate) fn default_mix(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Conversation => &[("send", 50), ("read", 50)],
            Self::Accounts => {
                &[("create-account", 35), ("delete-account", 25), ("login", 30), ("list-accounts", 10)]
            }
        }
    }
}

impl Word for WorkloadKind {
    const ALL: &'static [Self] = &[Self::Conversation, Self::Accounts];

    fn word(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Accounts => "accounts",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Through which node a client sends its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// A random node for every operation.
    Any,
    /// The node that is believed to lead.
    Leader,
    /// A random node that is not believed to lead.
    Follower,
    /// Every client stays with one node as long as that node answers.
    Sticky,
}

impl Word for Routing {
    const ALL: &'static [Self] = &[Self::Any, Self::Leader, Self::Follower, Self::Sticky];

    fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Sticky => "sticky",
        }
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::Keep;

    fn agrees_with_serde<T: Word + Serialize>() {
        for value in T::ALL {
            assert_eq!(serde_yaml::to_string(value).unwrap().trim(), value.word());
        }
    }

    #[test]
    fn the_words_are_what_serde_writes() {
        agrees_with_serde::<WorkloadKind>();
        agrees_with_serde::<Routing>();
        agrees_with_serde::<Keep>();
        agrees_with_serde::<checker::check::CheckName>();
    }

    #[test]
    fn a_default_mix_has_operations_of_its_workload_only() {
        for kind in WorkloadKind::ALL {
            for (operation, weight) in kind.default_mix() {
                assert!(kind.operations().contains(operation), "{operation} is not of {kind}");
                assert!(*weight > 0);
            }
        }
    }
}
