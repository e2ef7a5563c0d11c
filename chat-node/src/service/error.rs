//! Why the service did not do what it was asked, in the codes of the wire.

use proto::chat::{Code, ErrorDetail};
use proto::log::Refusal;
use thiserror::Error;

use crate::password::PasswordFault;
use crate::raft::Failure;

/// An operation was not carried out, or may not have been; `code` says which.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ServiceError {
    /// What a client may conclude.
    pub code: Code,
    /// A sentence fragment in lower case.
    pub message: String,
    /// The leader, when this node knows it.
    pub leader: Option<String>,
}

impl ServiceError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), leader: None }
    }

    pub(super) fn not_authenticated() -> Self {
        Self::new(Code::NotAuthenticated, "the session has ended, or never was: log in")
    }

    /// The answer was of another kind than the question. Whatever it was, something may have been applied.
    pub(super) fn misanswered() -> Self {
        Self::new(
            Code::Unknown,
            "the cluster answered something else than was asked; do all nodes have one version?",
        )
    }

    /// The error as a client gets it.
    #[must_use]
    pub fn into_detail(self) -> ErrorDetail {
        let Self { code, message, leader } = self;
        ErrorDetail { code: code.into(), message, leader: leader.unwrap_or_default() }
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        // A code that this version does not know is a refusal all the same: it is certain that nothing was applied.
        let code = Code::try_from(refusal.code).unwrap_or(Code::Invalid);
        Self::new(code, refusal.message)
    }
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        let code = match failure {
            Failure::NoLeader { .. } => Code::NoLeader,
            Failure::Overloaded => Code::Overloaded,
            Failure::Starting => Code::Starting,
            Failure::Stopping => Code::Stopping,
            Failure::NotAMember { .. } => Code::NotAMember,
            Failure::ReadUnavailable { .. } => Code::ReadUnavailable,
            Failure::Unknown { .. } => Code::Unknown,
        };
        let leader = failure.leader().map(str::to_owned);
        Self { code, message: failure.to_string(), leader }
    }
}

/// Passwords are hashed and checked before anything is proposed.
impl From<PasswordFault> for ServiceError {
    fn from(fault: PasswordFault) -> Self {
        let code = match fault {
            PasswordFault::Overloaded => Code::Overloaded,
            PasswordFault::Stopping => Code::Stopping,
            PasswordFault::Argon2(_) => Code::ReadUnavailable,
        };
        Self::new(code, fault.to_string())
    }
}
