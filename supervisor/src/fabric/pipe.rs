//! The bytes of one direction of one connection, between the socket they came from and the one they go to.
//!
//! No socket and no clock is here: the driver ([`super::connection`]) tells what came in and when, asks what to do next,
//! and tells what it did. The conditions of the edge decide; they may change at any time.
//!
//! A pipe has these invariants:
//!
//! * bytes leave in the order in which they came, and the end of the stream leaves after them;
//! * what leaves is a prefix of what came, unless a black hole has torn the stream: then a reset is all that leaves;
//! * it never keeps more than [`KEPT_BYTES_MAX`].

use std::collections::VecDeque;
use std::rc::Rc;

use tokio::time::Instant;

use super::condition::Passage;
use super::flow::Flow;

/// How many bytes a direction of a connection keeps before it stops reading, so that the sender must wait. With a delay,
/// a connection passes no more than this in each delay.
pub(super) const KEPT_BYTES_MAX: usize = 1 << 20;

/// How much memory an empty pipe keeps.
const IDLE_BYTES_MAX: usize = 16 << 10;

/// How a stream ends; the worst is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// Its sender has sent everything.
    Fin,
    /// The connection is no more.
    Reset,
}

/// What is to be done for a direction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Write these bytes, or some of them.
    Write(&'a [u8]),
    /// End the stream so.
    End(Ending),
    /// Nothing until then; none: until something else happens.
    Wait(Option<Instant>),
}

#[derive(Debug)]
pub(super) struct Pipe {
    flow: Rc<Flow>,
    bytes: VecDeque<u8>,
    /// When how many of `bytes` are due.
    pieces: VecDeque<Piece>,
    /// How the source ended, and when that is due.
    ending: Option<(Ending, Instant)>,
    /// The ending has left, too.
    has_ended: bool,
    /// Something has vanished.
    is_torn: bool,
    /// The conditions that the times in here belong to.
    version: u64,
}

#[derive(Debug)]
struct Piece {
    due: Instant,
    len: usize,
}

impl Pipe {
    pub(super) fn new(flow: Rc<Flow>) -> Self {
        let version = flow.version();
        Self {
            flow,
            bytes: VecDeque::new(),
            pieces: VecDeque::new(),
            ending: None,
            has_ended: false,
            is_torn: false,
            version,
        }
    }

    /// How many bytes it takes; 0 if it is full, or the source has ended.
    pub(super) fn room(&self) -> usize {
        if self.has_source_ended() { 0 } else { KEPT_BYTES_MAX - self.bytes.len() }
    }

    /// The source gives no more.
    pub(super) fn has_source_ended(&self) -> bool {
        self.ending.is_some()
    }

    /// The end of the stream has left.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// These bytes came in.
    pub(super) fn push(&mut self, bytes: &[u8], now: Instant) {
        assert!(bytes.len() <= self.room(), "a pipe gets more than it has room for");
        self.settle(now);
        let conditions = self.flow.conditions();
        let count = bytes.len() as u64;
        self.flow.count(|traffic| match conditions.passage {
            Passage::Lost => traffic.lost_bytes += count,
            Passage::Held => traffic.held_bytes += count,
            Passage::Open if conditions.is_slow() => traffic.slowed_bytes += count,
            Passage::Open => {}
        });
        if conditions.passage == Passage::Lost {
            self.is_torn = true;
            return;
        }
        self.bytes.extend(bytes);
        let due = self.flow.due(now);
        match self.pieces.back_mut() {
            // It can leave with the one before it, and no sooner.
            Some(last) if due <= now.max(last.due) => last.len += bytes.len(),
            _ => self.pieces.push_back(Piece { due, len: bytes.len() }),
        }
    }

    /// The source has ended. What ended in order may still turn out to be reset.
    pub(super) fn end(&mut self, ending: Ending, now: Instant) {
        let before = self.ending.map(|(ending, _)| ending);
        if before.is_none_or(|before| before < ending) {
            self.ending = Some((ending, self.flow.due(now)));
            self.has_ended = false;
        }
    }

    /// What to do now.
    pub(super) fn step(&mut self, now: Instant) -> Step<'_> {
        self.settle(now);
        match self.flow.conditions().passage {
            Passage::Lost | Passage::Held => Step::Wait(None),
            Passage::Open if self.has_ended => Step::Wait(None),
            Passage::Open if self.is_torn => Step::End(Ending::Reset),
            Passage::Open => self.front(now),
        }
    }

    fn front(&mut self, now: Instant) -> Step<'_> {
        let due: usize = self.pieces.iter().take_while(|piece| piece.due <= now).map(|piece| piece.len).sum();
        if due == 0 {
            return match (self.pieces.front(), self.ending) {
                (Some(piece), _) => Step::Wait(Some(piece.due)),
                (None, Some((ending, at))) if at <= now => Step::End(ending),
                (None, ending) => Step::Wait(ending.map(|(_, at)| at)),
            };
        }
        match self.flow.allowance(now) {
            Ok(allowed) => {
                let (front, _) = self.bytes.as_slices();
                Step::Write(&front[..due.min(allowed).min(front.len())])
            }
            Err(at) => Step::Wait(Some(at)),
        }
    }

    /// The first `count` bytes of the step were written.
    pub(super) fn wrote(&mut self, count: usize, now: Instant) {
        self.flow.count(|traffic| traffic.passed_bytes += count as u64);
        self.flow.spend(count, now);
        self.bytes.drain(..count);
        let mut rest = count;
        while rest > 0 {
            let piece = self.pieces.front_mut().expect("the pieces are as long as the bytes");
            let taken = piece.len.min(rest);
            piece.len -= taken;
            rest -= taken;
            if piece.len == 0 {
                self.pieces.pop_front();
            }
        }
        if self.bytes.is_empty() {
            self.bytes.shrink_to(IDLE_BYTES_MAX);
        }
    }

    /// The end of the stream was passed on.
    pub(super) fn ended(&mut self) {
        self.has_ended = true;
        self.forget();
    }

    /// There is nobody any more to whom it could lead: drops what it has.
    pub(super) fn discard(&mut self) {
        self.forget();
        self.has_ended = self.ending.is_some();
    }

    /// Brings the times in here in line with conditions that have changed. Nothing comes later than if it had come in
    /// now, so what was delayed comes at once when the delay is lifted.
    fn settle(&mut self, now: Instant) {
        if self.version == self.flow.version() {
            return;
        }
        self.version = self.flow.version();
        if self.flow.conditions().passage == Passage::Lost {
            self.lose();
        }
        let due_max = self.flow.due_max(now);
        let ending = self.ending.iter_mut().map(|(_, due)| due);
        for due in self.pieces.iter_mut().map(|piece| &mut piece.due).chain(ending) {
            *due = due_max.min(*due);
        }
    }

    /// What is in here is under way, and vanishes.
    fn lose(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        self.is_torn = true;
        self.flow.count(|traffic| traffic.lost_bytes += self.bytes.len() as u64);
        self.forget();
    }

    fn forget(&mut self) {
        self.bytes = VecDeque::new();
        self.pieces.clear();
    }
}

#[cfg(test)]
mod tests;
