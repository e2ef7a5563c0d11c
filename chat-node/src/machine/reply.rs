//! The outcomes that a command can have.

use proto::chat::Code;
use proto::log::{Done, Refusal, Reply, Sent, SessionOpened, TopicSet, reply::Outcome};

/// A refusal by the rules of the chat. `message` is a sentence fragment in lower case.
pub(crate) fn refusal(code: Code, message: impl Into<String>) -> Refusal {
    Refusal { code: code.into(), message: message.into() }
}

pub(super) fn refused(code: Code, message: impl Into<String>) -> Reply {
    refusal(code, message).into_reply()
}

pub(super) fn done() -> Reply {
    Reply { outcome: Some(Outcome::Done(Done {})) }
}

pub(super) fn session_opened(expires_ms: u64) -> Reply {
    Reply { outcome: Some(Outcome::SessionOpened(SessionOpened { expires_ms })) }
}

pub(super) fn sent(sent: Sent) -> Reply {
    Reply { outcome: Some(Outcome::Sent(sent)) }
}

pub(super) fn topic_set(set: TopicSet) -> Reply {
    Reply { outcome: Some(Outcome::TopicSet(set)) }
}

/// A refusal is an outcome like any other.
pub(super) trait IntoReply {
    /// The reply that says so.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Refusal {
    fn into_reply(self) -> Reply {
        Reply { outcome: Some(Outcome::Refusal(self)) }
    }
}
