//! The clusters: for each value its writer, what it replaced, what replaced it, and when it was certainly there.

use super::{CHUNK, Flaw, Initial, NEVER, Part, Role};
use crate::limits::{Budget, Exceeded};

/// No part, or no value.
pub(super) const NONE: u32 = u32::MAX;
/// The writer of the value at the start.
pub(super) const START: u32 = u32::MAX - 1;

/// A value, its writer and its readers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cluster {
    /// The part that wrote it, [`START`], or [`NONE`].
    pub(super) writer: u32,
    /// The call of its writer.
    pub(super) written: u32,
    /// The first return of its writer or of a reader; [`NEVER`] if none of them has an answer.
    pub(super) first_return: u32,
    /// The last call of its writer or of a reader.
    pub(super) last_call: u32,
    /// The value that it replaced, or [`NONE`].
    pub(super) from: u32,
    /// The value that replaced it, or [`NONE`].
    pub(super) next: u32,
    /// Whether a reader or a replacement saw it.
    seen: bool,
}

/// All clusters, each with at most one writer.
#[derive(Debug)]
pub(super) struct Clusters {
    all: Vec<Cluster>,
    start: Option<u32>,
    fork: Option<(u32, u32)>,
    /// How many of them have a writer.
    written: usize,
}

/// A value has two possible writers.
struct Repeated;

impl Clusters {
    /// Collects the clusters; `None` if a value has two possible writers.
    pub(super) fn collect(
        parts: &[Part],
        values: usize,
        initial: Initial,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Self>, Exceeded> {
        let empty = Cluster {
            writer: NONE,
            written: 0,
            first_return: NEVER,
            last_call: 0,
            from: NONE,
            next: NONE,
            seen: false,
        };
        let mut clusters = Clusters { all: vec![empty; values], start: None, fork: None, written: 0 };
        let mut unanswered = Vec::new();
        let mut position = 0;
        for chunk in parts.chunks(CHUNK) {
            budget.ticks(chunk.len() as u64)?;
            for part in chunk {
                if clusters.add(position, part, &mut unanswered).is_err() {
                    return Ok(None);
                }
                position += 1;
            }
        }
        if clusters.keep_seen(parts, &unanswered, budget)?.is_err() || clusters.begin(initial).is_err() {
            return Ok(None);
        }
        clusters.written = clusters.all.iter().filter(|cluster| cluster.writer != NONE).count();
        Ok(Some(clusters))
    }

    fn add(&mut self, position: u32, part: &Part, unanswered: &mut Vec<u32>) -> Result<(), Repeated> {
        match part.role {
            Role::Reads(value) => {
                let cluster = &mut self.all[value as usize];
                cluster.seen = true;
                cluster.first_return = cluster.first_return.min(part.returned);
                cluster.last_call = cluster.last_call.max(part.invoked);
                Ok(())
            }
            Role::Writes(_) | Role::Replaces { .. } if part.returned == NEVER => {
                unanswered.push(position);
                Ok(())
            }
            Role::Writes(value) => self.write(position, part, value),
            Role::Replaces { from, to } => {
                self.write(position, part, to)?;
                self.link(from, to);
                Ok(())
            }
            Role::Free | Role::Absent => Ok(()),
        }
    }

    fn write(&mut self, position: u32, part: &Part, value: u32) -> Result<(), Repeated> {
        let cluster = &mut self.all[value as usize];
        if cluster.writer != NONE {
            return Err(Repeated);
        }
        cluster.writer = position;
        cluster.written = part.invoked;
        cluster.first_return = cluster.first_return.min(part.returned);
        cluster.last_call = cluster.last_call.max(part.invoked);
        Ok(())
    }

    fn link(&mut self, from: u32, to: u32) {
        self.all[to as usize].from = from;
        let cluster = &mut self.all[from as usize];
        cluster.seen = true;
        if cluster.next == NONE {
            cluster.next = to;
        } else {
            self.fork.get_or_insert((cluster.next, to));
        }
    }

    /// Keeps the writers without an answer whose value was seen, and what those have seen in turn.
    fn keep_seen(
        &mut self,
        parts: &[Part],
        unanswered: &[u32],
        budget: &mut Budget<'_>,
    ) -> Result<Result<(), Repeated>, Exceeded> {
        if unanswered.is_empty() {
            return Ok(Ok(()));
        }
        budget.allocate((self.all.len() * size_of::<u32>()) as u64)?;
        budget.ticks(unanswered.len() as u64)?;
        // By value: its writer without an answer. A second one counts as a second writer.
        let mut candidates = vec![NONE; self.all.len()];
        let mut values = Vec::with_capacity(unanswered.len());
        let mut doubled = Vec::new();
        for position in unanswered {
            let (Role::Writes(value) | Role::Replaces { to: value, .. }) = parts[*position as usize].role
            else {
                continue;
            };
            if candidates[value as usize] == NONE {
                candidates[value as usize] = *position;
                values.push(value);
            } else {
                doubled.push(value);
            }
        }
        values.retain(|value| self.all[*value as usize].seen);
        while let Some(value) = values.pop() {
            let position = std::mem::replace(&mut candidates[value as usize], NONE);
            if position == NONE {
                continue;
            }
            let part = parts[position as usize];
            if self.write(position, &part, value).is_err() {
                return Ok(Err(Repeated));
            }
            if let Role::Replaces { from, .. } = part.role {
                self.link(from, value);
                values.push(from);
            }
        }
        let repeated = doubled.into_iter().any(|value| self.all[value as usize].seen);
        Ok(if repeated { Err(Repeated) } else { Ok(()) })
    }

    /// Gives the value at the start its writer, if anybody saw it.
    fn begin(&mut self, initial: Initial) -> Result<(), Repeated> {
        self.start = match initial {
            Initial::Known(value) => Some(value).filter(|value| self.all[*value as usize].seen),
            Initial::Unwritten => self
                .all
                .iter()
                .position(|cluster| cluster.seen && cluster.writer == NONE)
                .map(|value| u32::try_from(value).expect("there are fewer values than operations")),
        };
        let Some(start) = self.start else { return Ok(()) };
        let cluster = &mut self.all[start as usize];
        if cluster.writer != NONE {
            return Err(Repeated);
        }
        cluster.writer = START;
        Ok(())
    }

    /// The value at the start, if anybody saw it.
    pub(super) fn start(&self) -> Option<u32> {
        self.start
    }

    /// Whether an answer shows what was there at the start.
    pub(super) fn start_is_proven(&self, parts: &[Part]) -> bool {
        self.start.is_some_and(|start| {
            let cluster = self.of(start);
            let next = (cluster.next != NONE).then(|| self.of(cluster.next).writer as usize);
            cluster.first_return != NEVER || next.is_some_and(|next| parts[next].returned != NEVER)
        })
    }

    /// The cluster of a value.
    pub(super) fn of(&self, value: u32) -> &Cluster {
        &self.all[value as usize]
    }

    /// How many values have a writer.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// All clusters by value.
    pub(super) fn all(&self) -> &[Cluster] {
        &self.all
    }

    /// The values of the chain that begins with `root`.
    pub(super) fn chain(&self, root: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(root), |value| Some(self.of(*value).next).filter(|next| *next != NONE))
    }

    /// What is wrong already without a look at the time, except for cycles.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        let phantom = (0..).zip(&self.all).find(|(_, cluster)| cluster.seen && cluster.writer == NONE);
        phantom
            .map(|(value, _)| Flaw::Phantom { value })
            .or_else(|| self.fork.map(|(one, other)| Flaw::Fork { one, other }))
    }
}
