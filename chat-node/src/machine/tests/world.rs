//! A machine with a log of its own.

use proto::chat::Code;
use proto::log::command::Action;
use proto::log::reply::Outcome;
use proto::log::{Command, Proposal, Reply};
use sha2::{Digest as _, Sha256};

use crate::bug::Bugs;
use crate::machine::session::TokenHash;
use crate::machine::tables::memory::Memory;
use crate::machine::{Applied, apply};

/// One replica, and the clock of its leader.
#[derive(Default)]
pub(super) struct World {
    pub(super) tables: Memory,
    pub(super) index: u64,
    pub(super) clock_ms: u64,
}

/// Which try of which operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Try {
    pub(super) client_id: String,
    pub(super) sequence: u64,
    pub(super) answered_below: u64,
}

impl World {
    /// Applies the next entry of the log.
    pub(super) fn propose(&mut self, token: &str, attempt: &Try, action: Action) -> Reply {
        let proposal = proposal(self.clock_ms, token, attempt, action);
        self.apply(&proposal)
    }

    /// Applies whatever the bytes are.
    pub(super) fn apply(&mut self, proposal: &[u8]) -> Reply {
        self.index += 1;
        apply(&mut self.tables, Applied { index: self.index, bugs: Bugs::default() }, proposal)
            .expect("memory does not fail")
    }
}

/// An encoded proposal. The token may be any text; the empty one is none.
pub(super) fn proposal(time_ms: u64, token: &str, attempt: &Try, action: Action) -> Vec<u8> {
    let Try { client_id, sequence, answered_below } = attempt.clone();
    let command = Command { client_id, sequence, answered_below, action: Some(action) };
    let actor = if token.is_empty() { Vec::new() } else { hash(token).to_vec() };
    let command = prost::Message::encode_to_vec(&command);
    prost::Message::encode_to_vec(&Proposal { time_ms, actor, command })
}

pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

/// A reply in a line.
pub(super) fn show(reply: &Reply) -> String {
    match reply.outcome.as_ref().expect("a reply has an outcome") {
        Outcome::Refusal(refusal) => {
            let code = Code::try_from(refusal.code).expect("the machine knows its codes");
            format!("{}: {}", code.as_str_name().trim_start_matches("CODE_"), refusal.message)
        }
        Outcome::Done(_) => "done".to_owned(),
        Outcome::SessionOpened(opened) => format!("session until {} ms", opened.expires_ms),
        Outcome::TopicSet(set) => {
            format!("topic {} version {} at {} ms", set.conversation, set.version, set.time_ms)
        }
        Outcome::Sent(sent) => format!("sent {}#{} at {} ms", sent.conversation, sent.sequence, sent.time_ms),
    }
}
