//! The kinds of contradiction, and in the modules below it what a person should know about each who has never met it.

mod advice;
mod promise;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes the kinds from the table below, each with its name and that of Jepsen.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $elle:expr;)+) => {
        /// The kinds of contradiction, the gravest first: this order decides which one becomes the headline.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum AnomalyKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl AnomalyKind {
            /// All the kinds there are, the gravest first.
            pub const ALL: [AnomalyKind; [$(AnomalyKind::$kind),+].len()] = [$(AnomalyKind::$kind),+];

            /// The stable name, in kebab case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(AnomalyKind::$kind => $name,)+
                }
            }

            /// The name that Jepsen's checkers and Elle use for it, where there is one.
            ///
            /// Source: Jepsen's `set-full`, `total-queue` and Kafka checkers; Kingsbury and Alvaro, "Elle: Inferring
            /// Isolation Anomalies from Experimental Observations", VLDB 2020.
            #[must_use]
            pub fn elle(self) -> Option<&'static str> {
                match self {
                    $(AnomalyKind::$kind => $elle,)+
                }
            }
        }
    };
}

/// Makes a text for every kind.
macro_rules! texts {
    ($(#[doc = $doc:literal])+ $name:ident { $($kind:ident: $text:literal,)+ }) => {
        impl AnomalyKind {
            $(#[doc = $doc])+
            #[must_use]
            pub fn $name(self) -> &'static str {
                match self {
                    $(AnomalyKind::$kind => $text,)+
                }
            }
        }
    };
}
use texts;

kinds! {
    /// A message was acknowledged, and a later read of its place does not show it, nor does any read after that.
    Lost = "lost", Some("lost-write");
    /// A message is there, and a subscription that was followed to its end never delivered it.
    LostTail = "lost-tail", Some("unseen");
    /// Two nodes became leader in one term.
    TwoLeaders = "two-leaders", None;
    /// A node voted for two candidates in one term.
    TwoVotes = "two-votes", None;
    /// Two nodes arrived at different states from the same log.
    Diverged = "diverged", None;
    /// Two nodes committed different entries at one index, or a node's commit was undone.
    CommitChanged = "commit-changed", None;
    /// A node's term went back.
    TermWentBack = "term-went-back", None;
    /// Two hold one lock at a time.
    TwoHolders = "two-holders", None;
    /// One index and one term name two entries, in two logs or at two times.
    LogMismatch = "log-mismatch", None;
    /// An entry that was on a node's stable storage is gone.
    EntryForgotten = "entry-forgotten", None;
    /// A node removed an entry that it knew to be committed.
    CommitUndone = "commit-undone", None;
    /// A leader lacks an entry that was committed before its term.
    LeaderIncomplete = "leader-incomplete", None;
    /// A node became leader without a vote of its own.
    LeaderNotVoter = "leader-not-voter", None;
    /// Entries are gone from the front of a log, and from every snapshot of its node.
    SnapshotForgotten = "snapshot-forgotten", None;
    /// A node's commit index went back without a restart.
    CommitWentBack = "commit-went-back", None;
    /// A node's applied index went back without a restart.
    AppliedWentBack = "applied-went-back", None;
    /// A subscription passed over a message and went on behind it.
    PollSkip = "poll-skip", Some("poll-skip");
    /// Two messages have one number, and both are shown: the log has forked.
    Conflict = "conflict", Some("incompatible-order");
    /// One message has two numbers, and both places keep showing it.
    Duplicate = "duplicate", Some("duplicate-elements");
    /// A message has two cursors, or a cursor two messages.
    InconsistentCursor = "inconsistent-cursor", Some("inconsistent-offsets");
    /// A subscription delivered a message again.
    DuplicateDelivery = "duplicate-delivery", Some("duplicate");
    /// A subscription went back: it delivered what is in front of what it had delivered.
    NonmonotonicPoll = "nonmonotonic-poll", Some("nonmonotonic-poll");
    /// Two operations built on the same state, and the one does not know of the other.
    LostUpdate = "lost-update", Some("lost-update");
    /// An account was created while it existed.
    DuplicateCreate = "duplicate-create", None;
    /// One message has one number at one time and another at another.
    Moved = "moved", Some("inconsistent-offsets");
    /// Something was removed, and a later read shows it although nobody has added it again.
    Resurrected = "resurrected", None;
    /// An operation that certainly did not happen has an effect.
    AbortedRead = "aborted-read", Some("G1a");
    /// A part of an operation was seen that happens all at once.
    IntermediateRead = "intermediate-read", Some("G1b");
    /// What nobody had asked for was shown: a message before it was sent or that nobody sent, a tombstone of a message
    /// that nobody deleted, an account that nobody had created.
    Phantom = "phantom", Some("unexpected");
    /// A message was shown in a conversation it was not sent to.
    WrongConversation = "wrong-conversation", None;
    /// An operation of several parts contradicts itself.
    Internal = "internal", Some("internal");
    /// Something was taken out of a queue before what had been put in earlier.
    Reordered = "reordered", None;
    /// A lock was held although nobody had taken it.
    NotHeld = "not-held", None;
    /// A read does not show what had been acknowledged or shown before it began, but a later read does.
    StaleRead = "stale-read", Some("G-single-realtime");
    /// A read that may be late showed what was not committed: a later read does not show it.
    DirtyRead = "dirty-read", Some("dirty");
    /// A session, or a node, showed less than it had shown before.
    MonotonicReads = "monotonic-reads", Some("G-single-process");
    /// A session read less than it had been acknowledged.
    ReadYourWrites = "read-your-writes", Some("G-single-process");
    /// What a session sent later got a smaller number.
    MonotonicWrites = "monotonic-writes", Some("G0-process");
    /// What a session sent got a number that it had read before.
    WritesFollowReads = "writes-follow-reads", Some("G1c-process");
    /// A message got a number that is not greater than one proven before the send began.
    LateAppend = "late-append", Some("G0-realtime");
    /// A number below the conversation's last that no message can hold.
    Hole = "hole", None;
    /// A page has more messages than asked for.
    OverlongPage = "overlong-page", None;
    /// A page is not the range asked for, or not in ascending order without gaps.
    WrongPage = "wrong-page", None;
    /// The stated last number contradicts the page itself.
    WrongHead = "wrong-head", None;
    /// No order of the operations explains their answers.
    NotLinearizable = "not-linearizable", None;
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_by_its_name() {
        for kind in AnomalyKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn the_kinds_are_in_the_order_of_their_gravity() {
        assert!(AnomalyKind::ALL.is_sorted());
    }

    #[test]
    fn what_is_said_of_a_kind_are_sentences() {
        for kind in AnomalyKind::ALL {
            for text in [kind.why(), kind.look_at()] {
                assert!(text.ends_with(['.', '?']) && !text.contains("  "), "{kind}: {text}");
            }
        }
    }
}
