//! What the log writes into the node's trace when entries come.

use std::fmt::Write as _;

use openraft::EntryPayload;
use openraft::entry::RaftEntry as _;
use xxhash_rust::xxh3::xxh3_64;

use super::LogStore;
use crate::raft::types::{Entry, Vote};
use crate::raft::wire;
use crate::trace::Event;

impl LogStore {
    /// Writes down what is appended: a line for the entries of each term, and one for each change of members.
    pub(super) fn trace_append(&self, entries: &[Entry], encoded: &[Vec<u8>]) {
        let trace = &self.shared.trace;
        if !trace.is_on() {
            return;
        }
        let term = |entry: &Entry| entry.log_id.committed_leader_id().term;
        let mut rest = encoded;
        for run in entries.chunk_by(|one, next| term(one) == term(next)) {
            let (own, others) = rest.split_at(run.len());
            rest = others;
            let mut hashes = String::with_capacity(16 * own.len());
            for bytes in own {
                write!(hashes, "{:016x}", xxh3_64(bytes)).expect("a string takes everything");
            }
            trace.write(&Event::Appended { index: run[0].index(), term: term(&run[0]), hashes });
        }
        for entry in entries {
            if let EntryPayload::Membership(members) = &entry.payload {
                trace
                    .write(&Event::members_appended(wire::log_id(&entry.log_id), &wire::membership(members)));
            }
        }
    }

    /// A leader begins its term with an empty entry, and only the leader of a term makes its entries: this node leads.
    pub(super) fn trace_leadership(&self, entry: &Entry, vote: Option<&Vote>) {
        let term = entry.log_id.committed_leader_id().term;
        if matches!(entry.payload, EntryPayload::Blank)
            && vote.is_some_and(|vote| {
                vote.leader_id.term == term && vote.leader_id.voted_for == self.shared.node
            })
        {
            self.shared.trace.write(&Event::Leader { term });
        }
    }
}
