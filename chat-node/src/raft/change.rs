//! Why the members, the leader or the log of a cluster were not changed as an operator wanted.

use proto::chat::Code;
use thiserror::Error;

use super::failure::Failure;
use super::types::BadName;

/// A change that an operator asked for did not take place, or may not have.
///
/// A variant other than [`ChangeError::Late`] and [`ChangeError::Unknown`] is a proof that nothing was begun: it is only
/// made before anything is handed to consensus. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// Another node leads, or none.
    #[error("{}", not_leader(node, leader.as_deref()))]
    NotLeader {
        /// The node that was asked.
        node: String,
        /// The leader that it knows.
        leader: Option<String>,
    },
    /// No node can have this name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// It does not belong to the cluster.
    #[error("{node} is no member of the cluster, which has {members}")]
    NoMember {
        /// The node.
        node: String,
        /// Those that do.
        members: String,
    },
    /// The leader cannot reach it.
    #[error(
        "{leader}, which leads, has no address of {node}: write `{node}=HOST:PORT` into the table of peers of every node"
    )]
    NoAddress {
        /// The node.
        node: String,
        /// The leader.
        leader: String,
    },
    /// It is what it should become.
    #[error("{node} is a member with a vote already")]
    Voter {
        /// The node.
        node: String,
    },
    /// It does not answer.
    #[error("{node} does not answer ({why}): start it, with `--join` if it has no data, and ask again")]
    Silent {
        /// The node.
        node: String,
        /// What the transport said.
        why: String,
    },
    /// Nothing would be changed.
    #[error("neither a node to promote nor one to remove is given")]
    Nothing,
    /// It cannot be both.
    #[error("{node} is both to be promoted and to be removed")]
    Both {
        /// The node.
        node: String,
    },
    /// Nobody would be left who can decide anything.
    #[error("no voter would be left: add and promote another node first")]
    NoVoter,
    /// Too few would be left who answer, and the cluster would stand still.
    #[error(
        "of the voters that there would be, {voters}, only {answering} answer, which is no majority: start or replace \
         the others first"
    )]
    NoMajority {
        /// Who would vote.
        voters: String,
        /// Who of them answers the leader.
        answering: String,
    },
    /// One change at a time.
    #[error("another change of the members is in progress: ask again when it is done")]
    InProgress,
    /// It leads already.
    #[error("{node} leads already")]
    Leads {
        /// The node.
        node: String,
    },
    /// It cannot lead.
    #[error("{node} has no vote, so it cannot lead: promote it first")]
    Learner {
        /// The node.
        node: String,
    },
    /// It would not notice that it is to lead.
    #[error("{node} does not answer {leader}, which leads, so it cannot take over: name another one")]
    Unheard {
        /// The node.
        node: String,
        /// The leader.
        leader: String,
    },
    /// There is nobody else.
    #[error("no other voter answers, so nobody can take over from {leader}")]
    NoHeir {
        /// The leader.
        leader: String,
    },
    /// There is nothing to make a snapshot of.
    #[error("nothing is applied yet, so there is nothing to make a snapshot of")]
    Empty,
    /// The node does not do such things now. Never begun.
    #[error(transparent)]
    Unserved(Failure),
    /// It was begun, and did not end in time. It may end later.
    #[error("{what}")]
    Late {
        /// What did not happen, and what may yet.
        what: String,
        /// The leader, when one is known.
        leader: Option<String>,
    },
    /// It was begun, or may have been. It may be done, now or later, or never.
    #[error("the outcome is unknown, look at the status: {why}")]
    Unknown {
        /// What went wrong.
        why: String,
        /// The leader, when one is known.
        leader: Option<String>,
    },
}

impl ChangeError {
    /// What a client may conclude.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            ChangeError::NotLeader { .. } => Code::NoLeader,
            ChangeError::Name(_)
            | ChangeError::NoAddress { .. }
            | ChangeError::Nothing
            | ChangeError::Both { .. }
            | ChangeError::NoVoter
            | ChangeError::NoMajority { .. }
            | ChangeError::Learner { .. }
            | ChangeError::Unheard { .. }
            | ChangeError::NoHeir { .. }
            | ChangeError::Silent { .. }
            | ChangeError::Empty => Code::Invalid,
            ChangeError::NoMember { .. } => Code::NotFound,
            ChangeError::Voter { .. } | ChangeError::Leads { .. } => Code::Exists,
            ChangeError::InProgress => Code::Overloaded,
            ChangeError::Unserved(failure) => match failure {
                Failure::NoLeader { .. } => Code::NoLeader,
                Failure::Overloaded => Code::Overloaded,
                Failure::Starting => Code::Starting,
                Failure::Stopping => Code::Stopping,
                Failure::NotAMember { .. } => Code::NotAMember,
                Failure::ReadUnavailable { .. } => Code::ReadUnavailable,
                Failure::Unknown { .. } => Code::Unknown,
            },
            ChangeError::Late { .. } | ChangeError::Unknown { .. } => Code::Unknown,
        }
    }

    /// The leader, when one is known.
    #[must_use]
    pub fn leader(&self) -> Option<&str> {
        match self {
            ChangeError::NotLeader { leader, .. }
            | ChangeError::Late { leader, .. }
            | ChangeError::Unknown { leader, .. } => leader.as_deref(),
            ChangeError::Unserved(failure) => failure.leader(),
            ChangeError::NoAddress { leader, .. }
            | ChangeError::Unheard { leader, .. }
            | ChangeError::NoHeir { leader } => Some(leader),
            ChangeError::Leads { node } => Some(node),
            ChangeError::Name(_)
            | ChangeError::NoMember { .. }
            | ChangeError::Voter { .. }
            | ChangeError::Silent { .. }
            | ChangeError::Nothing
            | ChangeError::Both { .. }
            | ChangeError::NoVoter
            | ChangeError::NoMajority { .. }
            | ChangeError::InProgress
            | ChangeError::Learner { .. }
            | ChangeError::Empty => None,
        }
    }
}

fn not_leader(node: &str, leader: Option<&str>) -> String {
    match leader {
        Some(leader) => format!("{node} does not lead: ask {leader}, which does"),
        None => format!("{node} does not lead, and knows of no leader: ask again soon"),
    }
}
