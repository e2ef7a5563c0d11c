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
    /// People set, compare and read what they share one of.
    Register,
    /// People send messages and are told of them by subscriptions.
    Delivery,
    /// All of it at once.
    Mixed,
}

/// Operations that are about the same objects, judged by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Messages, pages and subscriptions.
    Conversations,
    /// Names of accounts.
    Accounts,
    /// Cells with a value.
    Registers,
}

impl Family {
    /// All the families.
    pub const ALL: [Self; 3] = [Self::Conversations, Self::Accounts, Self::Registers];

    /// The name of the family.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Accounts => "accounts",
            Self::Registers => "registers",
        }
    }

    /// Its operations, as the mix of a mixed workload calls them.
    #[must_use]
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Conversations => &["send", "read", "stale-read", "poll"],
            Self::Accounts => &["create-account", "delete-account", "login", "list-accounts"],
            Self::Registers => &["write", "read-register", "cas"],
        }
    }
}

impl WorkloadKind {
    /// The operations that a `mix` of this workload may name.
    #[must_use]
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Conversation => &["send", "read", "stale-read"],
            Self::Accounts => Family::Accounts.operations(),
            Self::Register => &["write", "read", "cas"],
            Self::Delivery => Family::Conversations.operations(),
            Self::Mixed => &[
                "send",
                "read",
                "stale-read",
                "poll",
                "create-account",
                "delete-account",
                "login",
                "list-accounts",
                "write",
                "read-register",
                "cas",
            ],
        }
    }

    /// Whether messages are sent, which have a length.
    #[must_use]
    pub fn has_messages(self) -> bool {
        match self {
            Self::Conversation | Self::Delivery | Self::Mixed => true,
            Self::Accounts | Self::Register => false,
        }
    }

    /// Operations that the format has and this version refuses.
    pub(crate) fn later_operations(self) -> &'static [&'static str] {
        match self {
            Self::Conversation | Self::Delivery | Self::Mixed => &["delete", "mark"],
            Self::Accounts | Self::Register => &[],
        }
    }

    /// The mix of a scenario that states none.
    pub(crate) fn default_mix(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Conversation => &[("send", 50), ("read", 50)],
            Self::Accounts => {
                &[("create-account", 35), ("delete-account", 25), ("login", 30), ("list-accounts", 10)]
            }
            Self::Register => &[("write", 30), ("read", 40), ("cas", 30)],
            Self::Delivery => &[("send", 45), ("read", 10), ("poll", 45)],
            Self::Mixed => &[
                ("send", 16),
                ("read", 6),
                ("stale-read", 4),
                ("poll", 16),
                ("create-account", 10),
                ("delete-account", 10),
                ("login", 10),
                ("list-accounts", 4),
                ("write", 8),
                ("read-register", 9),
                ("cas", 9),
            ],
        }
    }
}

impl Word for WorkloadKind {
    const ALL: &'static [Self] =
        &[Self::Conversation, Self::Accounts, Self::Register, Self::Delivery, Self::Mixed];

    fn word(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Accounts => "accounts",
            Self::Register => "register",
            Self::Delivery => "delivery",
            Self::Mixed => "mixed",
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
    fn a_mixed_workload_has_the_operations_of_all_families() {
        let all: Vec<&str> = Family::ALL.iter().flat_map(|family| family.operations()).copied().collect();
        assert_eq!(WorkloadKind::Mixed.operations(), all);
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
