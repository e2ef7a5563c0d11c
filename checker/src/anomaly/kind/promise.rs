//! The promise that each kind of contradiction breaks.

use super::{AnomalyKind, texts};

texts! {
    /// Why it is impossible in a system that keeps its word: the promise that is broken, as a sentence.
    why {
        Lost: "What was acknowledged or shown stays: every read of its place that begins later shows it, as long as \
                 nobody deletes it.",
        LostTail: "A subscription that is followed until nothing more is to come has delivered everything that was there \
                 before it was asked for the last time.",
        TwoLeaders: "A leader needs the votes of a majority, two majorities share a node, and a node votes once in a term: \
                 so a term has at most one leader.",
        TwoVotes: "A node votes for one candidate in a term, and has that vote on disk before it says so, so that no \
                 restart makes it forget.",
        Diverged: "Every node applies the same log in the same order, and what an entry does depends on nothing else: so \
                 all nodes arrive at the same state.",
        CommitChanged: "A committed entry is on a majority, and only who has it can be elected: so it never changes, on any \
                 node.",
        TermWentBack: "The term of a node only grows, and is on disk before the node acts in it.",
        TwoHolders: "A lock is held by one at a time: who takes it waits until it was given back, or is refused.",
        LogMismatch: "Only the leader of a term makes entries of that term, and gives each index once: so an index and a \
                 term name one entry, behind the same entries, in every log.",
        EntryForgotten: "An entry that is durable survives every restart, also a power failure, until a leader has it \
                 replaced or a snapshot holds it.",
        CommitUndone: "A committed entry is on a majority, and every later leader has it: so nothing that contradicts it \
                 can come.",
        LeaderIncomplete: "A majority has each committed entry and votes for no candidate whose log ends before it: so every \
                 later leader has it.",
        LeaderNotVoter: "Only a voter stands for election: one that was removed, or has no vote yet, may miss what was \
                 committed.",
        SnapshotForgotten: "The front of a log is removed only when a snapshot on stable storage holds it, and that snapshot \
                 goes only when a newer one is there.",
        CommitWentBack: "What a node knows to be committed stays committed, so its commit index only grows while it runs.",
        AppliedWentBack: "A node applies entries one after the other, so its applied index only grows while it runs.",
        PollSkip: "A subscription delivers the messages of a conversation one after the other and leaves none out.",
        Conflict: "A place is given away once: two messages with one number, or two values in one place of a list, are two logs.",
        Duplicate: "What was sent once is there once, however often the client had to try.",
        InconsistentCursor: "A cursor is a place in the log, and the log is the same for every subscriber on every node.",
        DuplicateDelivery: "A subscription delivers a message once, and goes on behind the cursor that it was given.",
        NonmonotonicPoll: "A subscription delivers in the order of the log, and never goes back.",
        LostUpdate: "What is changed depending on what it was is changed at one moment: nothing comes between the look and the change.",
        DuplicateCreate: "A name that exists cannot be created: of two creations without a deletion in between, one must be \
                 refused.",
        Moved: "A place once given stays: a message has the same number for everybody, for ever.",
        Resurrected: "What was removed stays removed until somebody adds it again.",
        AbortedRead: "What was refused did not happen, so nobody can see it.",
        IntermediateRead: "An operation of several parts takes effect at one moment, so that nobody sees a part of it.",
        Phantom: "What is seen was asked for by somebody before.",
        WrongConversation: "A message stands in the conversation that it was sent to, and nowhere else.",
        Internal: "Within one operation, a read shows what the operation saw and did before.",
        Reordered: "What was put into a queue first is taken out first.",
        NotHeld: "A lock that is given back, or that refuses somebody, is held.",
        StaleRead: "A read shows the newest state of a moment between its beginning and its end. What was acknowledged or \
                 shown before it began is part of every such state.",
        DirtyRead: "A read that may be late shows what its node has applied, and only what is committed is applied: so \
                 every newest read that begins later shows it, too.",
        MonotonicReads: "What a session has read it can read again; and the state of one node never goes back while it runs.",
        ReadYourWrites: "What a session was acknowledged is part of everything that it reads afterwards.",
        MonotonicWrites: "The writes of a session take effect in the order in which they were acknowledged.",
        WritesFollowReads: "What a session sends comes behind everything that it has read.",
        LateAppend: "A message is appended behind everything that was known to be there before its send began.",
        Hole: "Numbers are given one after the other, so each number up to the last is held by a message that somebody \
                 had sent.",
        OverlongPage: "A page has at most as much as was asked for.",
        WrongPage: "A page is the range that was asked for, in ascending order, and leaves nothing out.",
        WrongHead: "The last number of a conversation is not smaller than one that is on the page.",
        NotLinearizable: "Each operation takes effect at one moment between its beginning and its end, so there must be an order \
                 of all of them that agrees with their times and explains every answer.",
    }
}
