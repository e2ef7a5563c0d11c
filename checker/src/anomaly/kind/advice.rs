//! Where to look for the cause of each kind of contradiction.

use super::{AnomalyKind, texts};

texts! {
    /// What to look at next. `{first}` is the node of the first operation or line of the proof, `{last}` the one that gave
    /// the answer which cannot be.
    look_at {
        Lost: "Did a majority have it on disk when {first} answered? A change of leader, a restart, a snapshot or a log \
                 that was cut in between is where it went.",
        LostTail: "Does {last} have the message in its own log? If so, its stream stopped or jumped; if not, {last} had \
                 not caught up when it said that nothing more is to come.",
        TwoLeaders: "The votes of that term in the traces of all nodes: who voted twice? And the members that each leader \
                 counted: a majority of other members is no majority.",
        TwoVotes: "Was the vote of {first} synced before it was sent? A restart, a power failure or a lost disk between \
                 the two lines is the usual cause.",
        Diverged: "The first index at which the states differ, in the traces: does that entry depend on a clock, a random \
                 number or the order of a map, or did one node install a snapshot there?",
        CommitChanged: "Who led the two terms, and did the later leader have the entry when it was elected? A vote for a candidate \
                 with a shorter log, or a log that lost its end in a restart, is the usual cause.",
        TermWentBack: "What {first} had on disk when it came up again: was its term synced before it used it?",
        TwoHolders: "Who gave the lock to each of the two, and had the first lost it meanwhile? A lease that ran out, or two leaders that each \
                 give it away, are the usual causes.",
        LogMismatch: "Who led that term, and did it restart within it? A leader that goes on in its term after a restart \
                 gives indexes again that followers have already.",
        EntryForgotten: "Was the write of {first} really synced when it said so: the file, and the directory if the file was \
                 new?",
        CommitUndone: "Whom {last} followed when it removed the entry, and who voted for that leader: was its log shorter \
                 than theirs?",
        LeaderIncomplete: "The votes for {last} in its term: whose log ended later than that of {last}, or had lost its end in \
                 a restart? And did both terms count the same members?",
        LeaderNotVoter: "What members {last} counted when it was elected, and when the change of members took effect there: \
                 it counts from the moment it is in the log.",
        SnapshotForgotten: "The order in which {last} syncs a snapshot, declares it and removes the log; a crash in between must \
                 leave one of the two.",
        CommitWentBack: "Does {last} take the commit index from its leader as it is? A leader that was just elected may know \
                 less.",
        AppliedWentBack: "Did {last} install a snapshot that is older than its state?",
        PollSkip: "Where the stream of {last} goes over from what was there to what is new, and where it was taken up \
                 again after a break: one of the two left a gap.",
        Conflict: "Who led when each of the two was acknowledged? Two leaders at a time, or a log that was cut and \
                 written again, give one number twice.",
        Duplicate: "The second try of that send: did it carry the same id, and was the first still remembered after the \
                 change of leader, the restart or the snapshot in between?",
        InconsistentCursor: "Do the two nodes count the same entries? Compare their logs around that cursor, and what each counted \
                 while it was behind.",
        DuplicateDelivery: "How {last} resumes: does it begin at the cursor instead of behind it, or send again what it was not \
                 sure to have sent?",
        NonmonotonicPoll: "Who feeds the stream of {last}: are there two sources that are not merged in order, such as old \
                 messages and new ones?",
        LostUpdate: "Where the value was compared: on the node that applied the change, at that place of its log, or before by {last}?",
        DuplicateCreate: "Is it decided where the log is applied that a name is free, or by {last} before that? A check of its \
                 own state is too early; a second try of one creation must be known as such.",
        Moved: "Do {first} and {last} have the same log? One of them counted other entries in front of it, or its log \
                 was written again.",
        Resurrected: "What {last} had when it came up: a snapshot or a log from before the removal? And whether the removal reached a majority.",
        AbortedRead: "The error that {first} answered: was it said after the operation had been proposed? Then nobody knew, \
                 and `info` was the right outcome.",
        IntermediateRead: "Are the parts one entry of the log, applied in one transaction of the store that {last} reads from?",
        Phantom: "The bytes that {last} answered and where they come from: another object, another run, or damage. And \
                 the recorder: is there a client whose operations are not in the history?",
        WrongConversation: "How {last} finds the messages of a conversation: a range that runs over its end, or a key that two \
                 conversations share.",
        Internal: "Does {last} read from the state that its own writes have changed, or from an older one?",
        Reordered: "Who gave the two their places: two leaders, or two queues that are merged? And {last}: does it take from an old state?",
        NotHeld: "Was the lock given back twice, by a second try that was not known as such? Or did {last} answer from an old state?",
        StaleRead: "Did {last} ask a majority whether it was current before it answered? A node that was cut off, paused \
                 or deposed and does not know it answers like this.",
        DirtyRead: "Does {first} show entries before they are committed, or was it {last} that answered from an old \
                 state?",
        MonotonicReads: "Which state {last} answered from: an older snapshot of it, or that of another node that was behind?",
        ReadYourWrites: "Was the read answered by a node that had not applied the write yet? {last} must wait until it has.",
        MonotonicWrites: "Who gave out the two numbers? Two leaders at a time, or numbers reserved in advance, give a small \
                 one late.",
        WritesFollowReads: "Was what the session had read committed? And who gave out the number: did that node know all that \
                 {first} showed?",
        LateAppend: "Who gave out the numbers of both? Two leaders at a time, or numbers reserved in advance, give a small \
                 one late.",
        Hole: "What the log of {last} has at that number: an entry that is no message but was counted, or a message \
                 that was lost after it was counted.",
        OverlongPage: "How {last} bounds a page: the limit of the request, or another one?",
        WrongPage: "How {last} walks through the range: its first and its last number, and what it does about what is \
                 written meanwhile.",
        WrongHead: "Does {last} read the page and the last number at one moment, from one snapshot of its state?",
        NotLinearizable: "The operation that cannot follow, on {last}: which of the others had {last} not seen, or seen twice, \
                 when it answered?",
    }
}
