//! What a node says of itself.

/// The part that a node plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It leads.
    Leader,
    /// It asks for votes.
    Candidate,
    /// It follows, and votes.
    Follower,
    /// It follows, and has no vote.
    Learner,
}

/// Whether a node belongs to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Member,
    /// It waits to be added, or has not yet reached the entry that adds it.
    Waiting,
    /// It was removed.
    Removed,
}

/// One node of the cluster, as the answering node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub node: String,
    /// Whether it votes.
    pub voter: bool,
    /// Its address in the answering node's own table, if it has one.
    pub address: Option<String>,
}

/// What a node says of itself, at one moment. An index is 0 when there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub node: String,
    /// The part that it plays.
    pub role: Role,
    /// Whether it belongs to a cluster.
    pub standing: Standing,
    /// The newest term that it has seen.
    pub term: u64,
    /// The leader, when it knows one.
    pub leader: Option<String>,
    /// The last index of its log.
    pub last_log: u64,
    /// The last index that it knows to be committed.
    pub committed: u64,
    /// The last index that is in its state.
    pub applied: u64,
    /// The last index that its newest snapshot holds.
    pub snapshot: u64,
    /// The last index that it removed from its log.
    pub purged: u64,
    /// The members of the cluster, by name.
    pub members: Vec<Member>,
    /// The members are being changed: two sets of voters decide together, or the newest is not committed yet.
    pub changing: bool,
    /// The planted bugs that are switched on.
    pub bugs: Vec<String>,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
}
