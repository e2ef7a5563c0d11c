//! Who a client is to the cluster's session table, and which of its operations are still open.
//!
//! Each operation gets the next sequence number and keeps it through all its tries. What is below the lowest open number
//! was answered, or given up: its outcome need not be kept any longer, and a try of it that is still under way somewhere
//! is turned away when it arrives.
//!
//! The cluster knows a client from the first operation of it that was applied, and takes one that it does not know but
//! that has had answers for one that it has forgotten. So a client claims no answers before it had one from the log
//! itself ([`Ticket::applied`]): an operation that nobody proposed, or that perhaps was, is none. A client that can go
//! on no further, because it is too far ahead of what it may claim, or because the cluster has forgotten it, is followed
//! by another one under a new id. Its open operations keep the old one: under a new id they would be new operations.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::chat::Attempt;

/// How far the number of an operation may be ahead of the first that is unanswered: less than this. The cluster refuses
/// what is further ahead.
const WINDOW: u64 = 256;

/// 128 random bits as 32 hexadecimal digits, or whatever else a test wants to be called. At most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Another one each time.
    #[must_use]
    pub fn random() -> Self {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the kernel has randomness");
        let mut id = String::with_capacity(2 * bits.len());
        for byte in bits {
            write!(id, "{byte:02x}").expect("a string takes every digit");
        }
        ClientId(id)
    }
}

impl From<&str> for ClientId {
    fn from(id: &str) -> Self {
        ClientId(id.to_owned())
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One client of one account after another, each from where the one before could not go on.
#[derive(Debug)]
pub struct Identity {
    current: Mutex<Arc<Numbering>>,
}

/// One client id, and the numbers of its operations.
#[derive(Debug)]
struct Numbering {
    client_id: ClientId,
    operations: Mutex<Operations>,
}

#[derive(Debug, Default)]
struct Operations {
    /// The highest number given so far.
    last: u64,
    open: BTreeSet<u64>,
    /// One of them was certainly applied, so the cluster knows the client.
    known: bool,
}

impl Identity {
    /// A client that has not done anything yet.
    #[must_use]
    pub fn new(client_id: ClientId) -> Self {
        Identity { current: Mutex::new(Numbering::new(client_id)) }
    }

    /// Opens the next operation. It is open until the ticket is dropped, so an operation that is given up closes too.
    pub fn begin(&self) -> Ticket {
        let mut current = self.current();
        if let Some(ticket) = current.open() {
            return ticket;
        }
        *current = Numbering::new(ClientId::random());
        current.open().expect("the first number of a client is within its window")
    }

    /// The cluster has forgotten the client of `ticket`: what is opened from here on has another one.
    pub fn renew(&self, ticket: &Ticket) {
        let mut current = self.current();
        if Arc::ptr_eq(&current, &ticket.numbering) {
            *current = Numbering::new(ClientId::random());
        }
    }

    fn current(&self) -> MutexGuard<'_, Arc<Numbering>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbering {
    fn new(client_id: ClientId) -> Arc<Self> {
        Arc::new(Numbering { client_id, operations: Mutex::default() })
    }

    /// Opens the next operation, if it is not too far ahead.
    fn open(self: &Arc<Self>) -> Option<Ticket> {
        let mut operations = self.operations();
        let sequence = operations.last + 1;
        let lowest_open = operations.open.first().copied().unwrap_or(sequence);
        let answered_below = if operations.known { lowest_open } else { 1 };
        if sequence - answered_below >= WINDOW {
            return None;
        }
        operations.last = sequence;
        operations.open.insert(sequence);
        Some(Ticket { numbering: Arc::clone(self), sequence, answered_below })
    }

    fn operations(&self) -> MutexGuard<'_, Operations> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open operation.
#[derive(Debug)]
#[must_use = "dropping the ticket closes its operation"]
pub struct Ticket {
    numbering: Arc<Numbering>,
    sequence: u64,
    answered_below: u64,
}

impl Ticket {
    /// What every try of the operation carries.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        Attempt {
            client_id: self.numbering.client_id.0.clone(),
            sequence: self.sequence,
            answered_below: self.answered_below,
        }
    }

    /// The operation was certainly applied, and its outcome is kept: it succeeded, or it was refused for the state that
    /// it was applied to ([`crate::error::Row::kept`]).
    pub fn applied(&self) {
        self.numbering.operations().known = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.numbering.operations().open.remove(&self.sequence);
    }
}
