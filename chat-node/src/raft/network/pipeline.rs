//! One pipeline of appends to a follower: what was sent and is not answered yet, and the answers.
//!
//! It ends at its first error. It makes two of its own. One when nothing is answered for a while: the library waits for
//! an answer for as long as the transport does. The other when the library asks for entries that were purged. It does
//! so when it takes up a command for the second time, which it had carried out before the follower was sent a snapshot
//! (`select_next_payload` of its replication, when a request without entries was not answered): the command then reads
//! from where the log began long ago. What the log gives it starts too late, and a follower that took that would have a
//! hole in its log; or it is nothing, and the library tries for ever and sees no other command. After an error the
//! library looks where the follower is, and sends what it lacks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt as _;
use openraft::entry::RaftEntry as _;
use openraft::errors::NetworkError;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};
use proto::raft::Kind;

use super::{RpcError, rpc_error, wire_error};
use crate::bug::Bug;
use crate::env::transport::{Incoming, TransportError};
use crate::env::{Env, Instant};
use crate::raft::types::{LogId, NodeName, TypeConfig};
use crate::raft::wire::rpc::{open, parse_append_reply};

/// How long a pipeline may go without the answer to a request that it sent. Longer than a slow fsync, shorter than a
/// person's patience.
const STALL: Duration = Duration::from_millis(1000);
/// How many requests in a row may have no entries though there are committed ones to send. A watch that is a little
/// behind the others explains one.
const IDLE_MAX: u32 = 2;

/// What is sent. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The requests that are not answered yet.
    waiting: VecDeque<Waiting>,
    /// How many requests in a row had no entries though there were committed ones to send.
    idle: u32,
    /// The next request would have had entries that were purged. It was not sent, and nothing is after it.
    purged: bool,
}

/// When a request was sent, and up to which entry it goes.
#[derive(Debug)]
struct Waiting {
    at: Instant,
    upto: Option<LogId>,
}

impl Sent {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing that runs under this lock can panic")
    }

    /// Whether to send `request`, which then waits for its answer from `at` on. When not, the pipeline ends.
    pub(super) fn push(&self, at: Instant, request: &AppendEntriesRequest<TypeConfig>) -> bool {
        let mut state = self.state();
        let previous = request.prev_log_id;
        match request.entries.first() {
            Some(first) => {
                state.idle = 0;
                state.purged |= first.index() != previous.map_or(0, |id| id.index() + 1);
            }
            // A pipeline that has sent all there is has sent what is committed, too.
            None if request.leader_commit > previous => {
                state.idle += 1;
                state.purged |= state.idle > IDLE_MAX;
            }
            None => {}
        }
        if !state.purged {
            let upto = request.entries.last().map(|entry| entry.log_id).or(previous);
            state.waiting.push_back(Waiting { at, upto });
        }
        !state.purged
    }

    fn pop(&self) -> Option<LogId> {
        self.state().waiting.pop_front().and_then(|waiting| waiting.upto)
    }

    fn oldest(&self) -> Option<Instant> {
        self.state().waiting.front().map(|waiting| waiting.at)
    }

    /// Everything that was sent is answered, and no more is sent because it was purged.
    fn ended_at_the_purged(&self) -> bool {
        let state = self.state();
        state.purged && state.waiting.is_empty()
    }
}

/// The answers of one pipeline.
pub(super) struct Pipeline {
    pub(super) env: Env,
    pub(super) peer: NodeName,
    pub(super) sent: Sent,
    pub(super) answers: Incoming,
}

impl Pipeline {
    /// The next answer; `None` when the pipeline ended with every request answered.
    pub(super) async fn next(&mut self) -> Option<Result<StreamAppendResult<TypeConfig>, RpcError>> {
        loop {
            if self.sent.ended_at_the_purged() {
                let why = NetworkError::from_string("entries that were to be sent are purged");
                return Some(Err(RpcError::Network(why)));
            }
            let look_at = self.sent.oldest().unwrap_or(self.env.now()) + STALL;
            match self.env.timeout_at(look_at, self.answers.next()).await {
                Ok(Some(Ok(answer))) => {
                    self.sent.pop();
                    let reply = open(Kind::Append, &answer).and_then(|reply| parse_append_reply(&reply));
                    return Some(reply.map_err(wire_error));
                }
                Ok(Some(Err(error))) => return Some(Err(rpc_error(error))),
                Ok(None) if self.sent.ended_at_the_purged() => {}
                Ok(None) if self.sent.oldest().is_none() => return None,
                Ok(None) => {
                    let why = "the pipeline ended too early".to_owned();
                    return Some(Err(rpc_error(TransportError::Lost { peer: self.peer.to_string(), why })));
                }
                Err(_) if self.sent.oldest().is_some_and(|sent| sent + STALL <= self.env.now()) => {
                    if self.env.bugs.has(Bug::CommitAlone) {
                        return Some(Ok(Ok(self.sent.pop())));
                    }
                    return Some(Err(rpc_error(TransportError::Timeout { peer: self.peer.to_string() })));
                }
                // Nothing was sent for so long that nothing had to be answered.
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
