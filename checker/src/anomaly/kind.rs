//! The kinds of contradiction, and what a person should know about each who has never met it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes the kinds from the table below, so that none of them lacks a column.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident {
        name: $name:literal,
        elle: $elle:expr,
        why: $why:literal,
        look_at: $look_at:literal,
    })+) => {
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

            /// Why it is impossible in a system that keeps its word: the promise that is broken, as a sentence.
            #[must_use]
            pub fn why(self) -> &'static str {
                match self {
                    $(AnomalyKind::$kind => $why,)+
                }
            }

            /// What to look at next. `{first}` is the node of the first operation or line of the proof, `{last}` the
            /// one that gave the answer which cannot be.
            #[must_use]
            pub fn look_at(self) -> &'static str {
                match self {
                    $(AnomalyKind::$kind => $look_at,)+
                }
            }
        }
    };
}

kinds! {
    /// A message was acknowledged, and a later read of its place does not show it, nor does any read after that.
    Lost {
        name: "lost",
        elle: Some("lost-write"),
        why: "What was acknowledged or shown stays: every read of its place that begins later shows it, as long as \
              nobody deletes it.",
        look_at: "Did a majority have it on disk when {first} answered? A change of leader, a restart, a snapshot or a log \
               that was cut in between is where it went.",
    }
    /// A message is there, and a subscription that was followed to its end never delivered it.
    LostTail {
        name: "lost-tail",
        elle: Some("unseen"),
        why: "A subscription that is followed until nothing more is to come has delivered everything that was there \
              before it was asked for the last time.",
        look_at: "Does {last} have the message in its own log? If so, its stream stopped or jumped; if not, {last} had \
               not caught up when it said that nothing more is to come.",
    }
    /// Two nodes became leader in one term.
    TwoLeaders {
        name: "two-leaders",
        elle: None,
        why: "A leader needs the votes of a majority, two majorities share a node, and a node votes once in a term: \
              so a term has at most one leader.",
        look_at: "The votes of that term in the traces of all nodes: who voted twice? And the members that each leader \
               counted: a majority of other members is no majority.",
    }
    /// A node voted for two candidates in one term.
    TwoVotes {
        name: "two-votes",
        elle: None,
        why: "A node votes for one candidate in a term, and has that vote on disk before it says so, so that no \
              restart makes it forget.",
        look_at: "Was the vote of {first} synced before it was sent? A restart, a power failure or a lost disk between \
               the two lines is the usual cause.",
    }
    /// Two nodes arrived at different states from the same log.
    Diverged {
        name: "diverged",
        elle: None,
        why: "Every node applies the same log in the same order, and what an entry does depends on nothing else: so \
              all nodes arrive at the same state.",
        look_at: "The first index at which the states differ, in the traces: does that entry depend on a clock, a random \
               number or the order of a map, or did one node install a snapshot there?",
    }
    /// Two nodes committed different entries at one index, or a node's commit was undone.
    CommitChanged {
        name: "commit-changed",
        elle: None,
        why: "A committed entry is on a majority, and only who has it can be elected: so it never changes, on any \
              node.",
        look_at: "Who led the two terms, and did the later leader have the entry when it was elected? A vote for a candidate \
               with a shorter log, or a log that lost its end in a restart, is the usual cause.",
    }
    /// A node's term went back.
    TermWentBack {
        name: "term-went-back",
        elle: None,
        why: "The term of a node only grows, and is on disk before the node acts in it.",
        look_at: "What {first} had on disk when it came up again: was its term synced before it used it?",
    }
    /// Two hold one lock at a time.
    TwoHolders {
        name: "two-holders",
        elle: None,
        why: "A lock is held by one at a time: who takes it waits until it was given back, or is refused.",
        look_at: "Who gave the lock to each of the two, and had the first lost it meanwhile? A lease that ran out, or two leaders that each \
               give it away, are the usual causes.",
    }
    /// One index and one term name two entries, in two logs or at two times.
    LogMismatch {
        name: "log-mismatch",
        elle: None,
        why: "Only the leader of a term makes entries of that term, and gives each index once: so an index and a \
              term name one entry, behind the same entries, in every log.",
        look_at: "Who led that term, and did it restart within it? A leader that goes on in its term after a restart \
               gives indexes again that followers have already.",
    }
    /// An entry that was on a node's stable storage is gone.
    EntryForgotten {
        name: "entry-forgotten",
        elle: None,
        why: "An entry that is durable survives every restart, also a power failure, until a leader has it \
              replaced or a snapshot holds it.",
        look_at: "Was the write of {first} really synced when it said so: the file, and the directory if the file was \
               new?",
    }
    /// A node removed an entry that it knew to be committed.
    CommitUndone {
        name: "commit-undone",
        elle: None,
        why: "A committed entry is on a majority, and every later leader has it: so nothing that contradicts it \
              can come.",
        look_at: "Whom {last} followed when it removed the entry, and who voted for that leader: was its log shorter \
               than theirs?",
    }
    /// A leader lacks an entry that was committed before its term.
    LeaderIncomplete {
        name: "leader-incomplete",
        elle: None,
        why: "A majority has each committed entry and votes for no candidate whose log ends before it: so every \
              later leader has it.",
        look_at: "The votes for {last} in its term: whose log ended later than that of {last}, or had lost its end in \
               a restart? And did both terms count the same members?",
    }
    /// A node became leader without a vote of its own.
    LeaderNotVoter {
        name: "leader-not-voter",
        elle: None,
        why: "Only a voter stands for election: one that was removed, or has no vote yet, may miss what was \
              committed.",
        look_at: "What members {last} counted when it was elected, and when the change of members took effect there: \
               it counts from the moment it is in the log.",
    }
    /// Entries are gone from the front of a log, and from every snapshot of its node.
    SnapshotForgotten {
        name: "snapshot-forgotten",
        elle: None,
        why: "The front of a log is removed only when a snapshot on stable storage holds it, and that snapshot \
              goes only when a newer one is there.",
        look_at: "The order in which {last} syncs a snapshot, declares it and removes the log; a crash in between must \
               leave one of the two.",
    }
    /// A node's commit index went back without a restart.
    CommitWentBack {
        name: "commit-went-back",
        elle: None,
        why: "What a node knows to be committed stays committed, so its commit index only grows while it runs.",
        look_at: "Does {last} take the commit index from its leader as it is? A leader that was just elected may know \
               less.",
    }
    /// A node's applied index went back without a restart.
    AppliedWentBack {
        name: "applied-went-back",
        elle: None,
        why: "A node applies entries one after the other, so its applied index only grows while it runs.",
        look_at: "Did {last} install a snapshot that is older than its state?",
    }
    /// A subscription passed over a message and went on behind it.
    PollSkip {
        name: "poll-skip",
        elle: Some("poll-skip"),
        why: "A subscription delivers the messages of a conversation one after the other and leaves none out.",
        look_at: "Where the stream of {last} goes over from what was there to what is new, and where it was taken up \
               again after a break: one of the two left a gap.",
    }
    /// Two messages have one number, and both are shown: the log has forked.
    Conflict {
        name: "conflict",
        elle: Some("incompatible-order"),
        why: "A place is given away once: two messages with one number are two logs.",
        look_at: "Who led when each of the two was acknowledged? Two leaders at a time, or a log that was cut and \
               written again, give one number twice.",
    }
    /// One message has two numbers, and both places keep showing it.
    Duplicate {
        name: "duplicate",
        elle: Some("duplicate-elements"),
        why: "What was sent once is there once, however often the client had to try.",
        look_at: "The second try of that send: did it carry the same id, and was the first still remembered after the \
               change of leader, the restart or the snapshot in between?",
    }
    /// A message has two cursors, or a cursor two messages.
    InconsistentCursor {
        name: "inconsistent-cursor",
        elle: Some("inconsistent-offsets"),
        why: "A cursor is a place in the log, and the log is the same for every subscriber on every node.",
        look_at: "Do the two nodes count the same entries? Compare their logs around that cursor, and what each counted \
               while it was behind.",
    }
    /// A subscription delivered a message again.
    DuplicateDelivery {
        name: "duplicate-delivery",
        elle: Some("duplicate"),
        why: "A subscription delivers a message once, and goes on behind the cursor that it was given.",
        look_at: "How {last} resumes: does it begin at the cursor instead of behind it, or send again what it was not \
               sure to have sent?",
    }
    /// A subscription went back: it delivered what is in front of what it had delivered.
    NonmonotonicPoll {
        name: "nonmonotonic-poll",
        elle: Some("nonmonotonic-poll"),
        why: "A subscription delivers in the order of the log, and never goes back.",
        look_at: "Who feeds the stream of {last}: are there two sources that are not merged in order, such as old \
               messages and new ones?",
    }
    /// Two operations built on the same state, and the one does not know of the other.
    LostUpdate {
        name: "lost-update",
        elle: Some("lost-update"),
        why: "What is changed depending on what it was is changed at one moment: nothing comes between the look and the change.",
        look_at: "Where the value was compared: on the node that applied the change, at that place of its log, or before by {last}?",
    }
    /// An account was created while it existed.
    DuplicateCreate {
        name: "duplicate-create",
        elle: None,
        why: "A name that exists cannot be created: of two creations without a deletion in between, one must be \
              refused.",
        look_at: "Is it decided where the log is applied that a name is free, or by {last} before that? A check of its \
               own state is too early; a second try of one creation must be known as such.",
    }
    /// One message has one number at one time and another at another.
    Moved {
        name: "moved",
        elle: Some("inconsistent-offsets"),
        why: "A place once given stays: a message has the same number for everybody, for ever.",
        look_at: "Do {first} and {last} have the same log? One of them counted other entries in front of it, or its log \
               was written again.",
    }
    /// Something was removed, and a later read shows it although nobody has added it again.
    Resurrected {
        name: "resurrected",
        elle: None,
        why: "What was removed stays removed until somebody adds it again.",
        look_at: "What {last} had when it came up: a snapshot or a log from before the removal? And whether the removal reached a majority.",
    }
    /// An operation that certainly did not happen has an effect.
    AbortedRead {
        name: "aborted-read",
        elle: Some("G1a"),
        why: "What was refused did not happen, so nobody can see it.",
        look_at: "The error that {first} answered: was it said after the operation had been proposed? Then nobody knew, \
               and `info` was the right outcome.",
    }
    /// A part of an operation was seen that happens all at once.
    IntermediateRead {
        name: "intermediate-read",
        elle: Some("G1b"),
        why: "An operation of several parts takes effect at one moment, so that nobody sees a part of it.",
        look_at: "Are the parts one entry of the log, applied in one transaction of the store that {last} reads from?",
    }
    /// What nobody had asked for was shown: a message before it was sent or that nobody sent, a tombstone of a message
    /// that nobody deleted, an account that nobody had created.
    Phantom {
        name: "phantom",
        elle: Some("unexpected"),
        why: "What is seen was asked for by somebody before.",
        look_at: "The bytes that {last} answered and where they come from: another object, another run, or damage. And \
               the recorder: is there a client whose operations are not in the history?",
    }
    /// A message was shown in a conversation it was not sent to.
    WrongConversation {
        name: "wrong-conversation",
        elle: None,
        why: "A message stands in the conversation that it was sent to, and nowhere else.",
        look_at: "How {last} finds the messages of a conversation: a range that runs over its end, or a key that two \
               conversations share.",
    }
    /// An operation of several parts contradicts itself.
    Internal {
        name: "internal",
        elle: Some("internal"),
        why: "Within one operation, a read shows what the operation saw and did before.",
        look_at: "Does {last} read from the state that its own writes have changed, or from an older one?",
    }
    /// Something was taken out of a queue before what had been put in earlier.
    Reordered {
        name: "reordered",
        elle: None,
        why: "What was put into a queue first is taken out first.",
        look_at: "Who gave the two their places: two leaders, or two queues that are merged? And {last}: does it take from an old state?",
    }
    /// A lock was held although nobody had taken it.
    NotHeld {
        name: "not-held",
        elle: None,
        why: "A lock that is given back, or that refuses somebody, is held.",
        look_at: "Was the lock given back twice, by a second try that was not known as such? Or did {last} answer from an old state?",
    }
    /// A read does not show what had been acknowledged or shown before it began, but a later read does.
    StaleRead {
        name: "stale-read",
        elle: Some("G-single-realtime"),
        why: "A read shows the newest state of a moment between its beginning and its end. What was acknowledged or \
              shown before it began is part of every such state.",
        look_at: "Did {last} ask a majority whether it was current before it answered? A node that was cut off, paused \
               or deposed and does not know it answers like this.",
    }
    /// A read that may be late showed what was not committed: a later read does not show it.
    DirtyRead {
        name: "dirty-read",
        elle: Some("dirty"),
        why: "A read that may be late shows what its node has applied, and only what is committed is applied: so \
              every newest read that begins later shows it, too.",
        look_at: "Does {first} show entries before they are committed, or was it {last} that answered from an old \
               state?",
    }
    /// A session, or a node, showed less than it had shown before.
    MonotonicReads {
        name: "monotonic-reads",
        elle: Some("G-single-process"),
        why: "What a session has read it can read again; and the state of one node never goes back while it runs.",
        look_at: "Which state {last} answered from: an older snapshot of it, or that of another node that was behind?",
    }
    /// A session read less than it had been acknowledged.
    ReadYourWrites {
        name: "read-your-writes",
        elle: Some("G-single-process"),
        why: "What a session was acknowledged is part of everything that it reads afterwards.",
        look_at: "Was the read answered by a node that had not applied the write yet? {last} must wait until it has.",
    }
    /// What a session sent later got a smaller number.
    MonotonicWrites {
        name: "monotonic-writes",
        elle: Some("G0-process"),
        why: "The writes of a session take effect in the order in which they were acknowledged.",
        look_at: "Who gave out the two numbers? Two leaders at a time, or numbers reserved in advance, give a small \
               one late.",
    }
    /// What a session sent got a number that it had read before.
    WritesFollowReads {
        name: "writes-follow-reads",
        elle: Some("G1c-process"),
        why: "What a session sends comes behind everything that it has read.",
        look_at: "Was what the session had read committed? And who gave out the number: did that node know all that \
               {first} showed?",
    }
    /// A message got a number that is not greater than one proven before the send began.
    LateAppend {
        name: "late-append",
        elle: Some("G0-realtime"),
        why: "A message is appended behind everything that was known to be there before its send began.",
        look_at: "Who gave out the numbers of both? Two leaders at a time, or numbers reserved in advance, give a small \
               one late.",
    }
    /// A number below the conversation's last that no message can hold.
    Hole {
        name: "hole",
        elle: None,
        why: "Numbers are given one after the other, so each number up to the last is held by a message that somebody \
              had sent.",
        look_at: "What the log of {last} has at that number: an entry that is no message but was counted, or a message \
               that was lost after it was counted.",
    }
    /// A page has more messages than asked for.
    OverlongPage {
        name: "overlong-page",
        elle: None,
        why: "A page has at most as much as was asked for.",
        look_at: "How {last} bounds a page: the limit of the request, or another one?",
    }
    /// A page is not the range asked for, or not in ascending order without gaps.
    WrongPage {
        name: "wrong-page",
        elle: None,
        why: "A page is the range that was asked for, in ascending order, and leaves nothing out.",
        look_at: "How {last} walks through the range: its first and its last number, and what it does about what is \
               written meanwhile.",
    }
    /// The stated last number contradicts the page itself.
    WrongHead {
        name: "wrong-head",
        elle: None,
        why: "The last number of a conversation is not smaller than one that is on the page.",
        look_at: "Does {last} read the page and the last number at one moment, from one snapshot of its state?",
    }
    /// No order of the operations explains their answers.
    NotLinearizable {
        name: "not-linearizable",
        elle: None,
        why: "Each operation takes effect at one moment between its beginning and its end, so there must be an order \
              of all of them that agrees with their times and explains every answer.",
        look_at: "The operation that cannot follow, on {last}: which of the others had {last} not seen, or seen twice, \
               when it answered?",
    }
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
