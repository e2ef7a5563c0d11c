//! What the final reads say about each message.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::history::{Entry, History, Input, Operation, OperationId, Outcome, Output, PageRange, Symbol};
use crate::limits::{Budget, Exceeded, set_bytes};
use crate::log::page;

/// A read, and the number at which it shows a message.
pub(super) type Sighting = (OperationId, u64);

/// The sends and the final reads of a history, by conversation.
pub(super) struct Ending<'a> {
    pub(super) conversations: Vec<Conversation<'a>>,
    /// The conversation of each message, by its position above.
    pub(super) sends: HashMap<Symbol, usize>,
    /// The messages whose id was used twice, of which nothing can be said.
    pub(super) repeated: BTreeSet<Symbol>,
    pub(super) final_reads: u64,
    /// How many operations were looked at.
    pub(super) operations: u64,
}

/// One conversation at its end.
pub(super) struct Conversation<'a> {
    number: usize,
    sends: Vec<(OperationId, Symbol)>,
    reads: Vec<FinalRead<'a>>,
}

struct FinalRead<'a> {
    id: OperationId,
    operation: &'a Operation,
    range: PageRange,
    entries: &'a [Entry],
    head: u64,
}

/// What the final reads say about one message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// The first final read that shows it.
    pub(super) seen: Option<Sighting>,
    /// Two that show it at different numbers.
    pub(super) twice: Option<(Sighting, Sighting)>,
    /// A final read that began after its acknowledgement and covers its number, but does not show it.
    pub(super) missed: Option<OperationId>,
}

impl<'a> Ending<'a> {
    pub(super) fn of(history: &'a History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut ending = Ending {
            conversations: Vec::new(),
            sends: HashMap::new(),
            repeated: BTreeSet::new(),
            final_reads: 0,
            operations: 0,
        };
        let mut by_key: HashMap<Option<Symbol>, usize> = HashMap::new();
        for (id, operation) in history.ids().zip(history.operations()) {
            if !matches!(operation.input, Input::Send { .. } | Input::Read { last: true, .. }) {
                continue;
            }
            budget.step()?;
            budget
                .allocate((size_of::<OperationId>() + 2 * size_of::<Symbol>() + size_of::<usize>()) as u64)?;
            ending.operations += 1;
            let number = *by_key.entry(operation.key).or_insert_with(|| {
                let number = ending.conversations.len();
                ending.conversations.push(Conversation { number, sends: Vec::new(), reads: Vec::new() });
                number
            });
            match (&operation.input, operation.output()) {
                (Input::Send { id: message }, _) => {
                    ending.conversations[number].sends.push((id, *message));
                    if ending.sends.insert(*message, number).is_some() {
                        ending.repeated.insert(*message);
                    }
                }
                (Input::Read { range, .. }, Some(Output::Page { entries, head })) => {
                    let (range, head) = (*range, *head);
                    ending.conversations[number].reads.push(FinalRead {
                        id,
                        operation,
                        range,
                        entries,
                        head,
                    });
                    ending.final_reads += 1;
                }
                _ => {}
            }
        }
        Ok(ending)
    }
}

impl Ending<'_> {
    /// The deletions that were acknowledged and undone: the deletion, a final read that began after it, and the message
    /// that this read shows whole. One for each number.
    pub(super) fn resurrections(
        &self,
        history: &History,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<(OperationId, OperationId, Entry)>, Exceeded> {
        let mut deletions: HashMap<(Option<Symbol>, u64), OperationId> = HashMap::new();
        for id in history.ids() {
            budget.tick()?;
            let operation = history.operation(id);
            if let (Input::Delete { seq }, Outcome::Ok(_)) = (&operation.input, &operation.outcome) {
                budget.room_in_map(&mut deletions)?;
                deletions.entry((operation.key, *seq)).or_insert(id);
            }
        }
        let mut found = Vec::new();
        if deletions.is_empty() {
            return Ok(found);
        }
        for read in self.conversations.iter().flat_map(|conversation| &conversation.reads) {
            for entry in read.entries.iter().filter(|entry| !entry.deleted) {
                budget.tick()?;
                let place = (read.operation.key, entry.seq);
                let Some(&delete) = deletions.get(&place) else { continue };
                if history.operation(delete).returned_before(read.operation.invoked) {
                    deletions.remove(&place);
                    budget.push(&mut found, (delete, read.id, *entry))?;
                }
            }
        }
        Ok(found)
    }
}

impl Conversation<'_> {
    /// What became of each message that was sent, in the order of the sends.
    pub(super) fn fates(
        &self,
        history: &History,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<(OperationId, Symbol, Fate)>, Exceeded> {
        let mut fates: HashMap<Symbol, Fate> = HashMap::new();
        budget.allocate((self.sends.len() * 3 * size_of::<(OperationId, Symbol, Fate)>()) as u64)?;
        for read in &self.reads {
            for entry in read.entries {
                budget.step()?;
                let sighting = (read.id, entry.seq);
                budget.room_in_map(&mut fates)?;
                let fate = fates.entry(entry.id).or_default();
                match fate.seen {
                    None => fate.seen = Some(sighting),
                    Some(first) if first.1 != entry.seq && fate.twice.is_none() => {
                        fate.twice = Some((first, sighting));
                    }
                    Some(_) => {}
                }
            }
        }
        let mut acknowledged: BTreeMap<u64, Vec<(OperationId, Symbol)>> = BTreeMap::new();
        for &(send, message) in &self.sends {
            budget.tick()?;
            if let Outcome::Ok(Output::Sent { seq }) = history.operation(send).outcome {
                acknowledged.entry(seq).or_default().push((send, message));
            }
        }
        let completed = |(send, _): &(OperationId, Symbol)| history.operation(*send).completed;
        let last_send = self.sends.iter().filter_map(completed).max();
        // A read after the last send that ends no later than this one misses what this one misses behind its head.
        let mut shortest = None;
        for read in &self.reads {
            let told = shortest.is_some_and(|head| head <= read.head);
            self.misses(history, read, told, &acknowledged, &mut fates, budget)?;
            if !told && last_send < Some(read.operation.invoked) {
                shortest = Some(read.head);
            }
        }
        let fate = |(send, message): &(OperationId, Symbol)| {
            (*send, *message, fates.get(message).copied().unwrap_or_default())
        };
        Ok(self.sends.iter().map(fate).collect())
    }

    /// Notes what a final read covers and does not show; what is behind its head may be `told` already.
    fn misses(
        &self,
        history: &History,
        read: &FinalRead<'_>,
        told: bool,
        acknowledged: &BTreeMap<u64, Vec<(OperationId, Symbol)>>,
        fates: &mut HashMap<Symbol, Fate>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        budget.ticks(read.entries.len() as u64)?;
        let shown: HashSet<Symbol> = read.entries.iter().map(|entry| entry.id).collect();
        budget.allocate(set_bytes(&shown))?;
        let page = Some(page::covered(read.range, read.head, read.entries));
        let behind = (!told).then(|| read.head.saturating_add(1)..=u64::MAX);
        for range in [page, behind].into_iter().flatten().filter(|range| !range.is_empty()) {
            for &(send, message) in acknowledged.range(range).flat_map(|(_, sends)| sends) {
                budget.step()?;
                let before = history.operation(send).returned_before(read.operation.invoked);
                if before && !shown.contains(&message) {
                    budget.room_in_map(fates)?;
                    fates.entry(message).or_default().missed.get_or_insert(read.id);
                }
            }
        }
        budget.release(set_bytes(&shown));
        Ok(())
    }

    /// The messages of the final reads that were not sent to this conversation, in the order of their sighting.
    pub(super) fn strangers(
        &self,
        sends: &HashMap<Symbol, usize>,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<(Symbol, Sighting)>, Exceeded> {
        let mut strangers = Vec::new();
        let mut known = HashSet::new();
        for read in &self.reads {
            for entry in read.entries {
                budget.tick()?;
                if sends.get(&entry.id) == Some(&self.number) {
                    continue;
                }
                budget.room_in_set(&mut known)?;
                if known.insert(entry.id) {
                    budget.push(&mut strangers, (entry.id, (read.id, entry.seq)))?;
                }
            }
        }
        budget.release(set_bytes(&known));
        Ok(strangers)
    }
}
