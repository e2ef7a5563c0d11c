//! What one contradiction shows: some operations, and the faults around them.

use super::describe::{self, Focus};
use super::precision::Precision;
use super::the_read;
use super::windows::{Stood, stood};
use crate::history::{History, Input, Moment, Operation, OperationId, Output, Symbol};

/// The most faults of a scene.
const FAULTS_MAX: usize = 4;

/// Some operations of a history and the faults of their time, and how exactly times are told of them.
#[derive(Debug, Clone)]
pub struct Scene<'h> {
    history: &'h History,
    key: Option<Symbol>,
    ids: Vec<OperationId>,
    /// Those of them that are shown beside the proof.
    beside: Vec<OperationId>,
    faults: Vec<Stood<'h>>,
    /// How many faults there were besides.
    other_faults: usize,
    precision: Precision,
    focus: Focus,
}

impl<'h> Scene<'h> {
    /// The scene of some operations on the object `key`. Their order does not matter, and each is shown once.
    #[must_use]
    pub fn new(history: &'h History, key: Option<Symbol>, operations: &[OperationId]) -> Self {
        let mut ids = operations.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let (faults, other_faults) = faults(history, &ids);
        let shown = ids.iter().map(|id| history.operation(*id));
        let moments = shown.flat_map(|operation| [Some(operation.invoked), operation.completed]);
        let fault_moments = faults.iter().flat_map(|fault| [Some(fault.began), fault.ended]);
        let times = moments.chain(fault_moments).flatten().map(|moment| moment.time);
        let precision = Precision::telling_apart(times);
        let mut focus = Focus { name: key, ..Focus::default() };
        for operation in ids.iter().map(|id| history.operation(*id)) {
            if let Input::Send { id } = operation.input {
                focus.messages.push(id);
            }
            if let Some(Output::Sent { seq }) = operation.output() {
                focus.numbers.push(*seq);
            }
        }
        Scene { history, key, ids, beside: Vec::new(), faults, other_faults, precision, focus }
    }

    /// The scene of a proof, `proof`, and of operations that are shown beside it because they are spoken of.
    #[must_use]
    pub fn with_context(
        history: &'h History,
        key: Option<Symbol>,
        proof: &[OperationId],
        context: &[OperationId],
    ) -> Self {
        let beside = context.iter().copied().filter(|id| !proof.contains(id)).collect();
        Scene { beside, ..Scene::new(history, key, &[proof, context].concat()) }
    }

    /// The same scene, in which this message and this number matter: they are shown wherever pages are abridged.
    #[must_use]
    pub fn about(mut self, message: Symbol, number: u64) -> Self {
        self.focus.messages.push(message);
        self.focus.numbers.push(number);
        self
    }

    /// The history.
    #[must_use]
    pub fn history(&self) -> &'h History {
        self.history
    }

    /// The object: a conversation, an account or a register.
    #[must_use]
    pub fn key(&self) -> Option<Symbol> {
        self.key
    }

    /// The operations, in the order of their invocation.
    #[must_use]
    pub fn ids(&self) -> &[OperationId] {
        &self.ids
    }

    /// When something was: `12.013 s`.
    #[must_use]
    pub fn at(&self, moment: Moment) -> String {
        self.precision.seconds(moment.time)
    }

    /// When an operation ended: `12.013 s`, or `the end` of the history.
    #[must_use]
    pub fn ended(&self, operation: &Operation) -> String {
        operation.completed.map_or("the end".to_owned(), |completed| self.at(completed))
    }

    /// Who shows it: `the read by client 3 on n1, which ended at 12.031 s, shows it`.
    #[must_use]
    pub fn shows_it(&self, read: &Operation) -> String {
        format!("{}, which ended at {}, shows it", the_read(self.history, read), self.ended(read))
    }

    /// What a page lacks: `the read by client 5 on n2 began at 12.020 s and ended at number 16 without it`, when it
    /// should have shown the number `seq`.
    #[must_use]
    pub fn without(&self, read: &Operation, seq: u64) -> String {
        let began = format!("{} began at {}", the_read(self.history, read), self.at(read.invoked));
        let Some(Output::Page { entries, head }) = read.output() else { return began };
        match &**entries {
            _ if *head < seq => format!("{began} and ended at number {head} without it"),
            [first, .., last] => {
                format!("{began} and shows numbers {} to {} without it", first.seq, last.seq)
            }
            [only] => format!("{began} and shows only number {}", only.seq),
            [] => format!("{began} and shows nothing"),
        }
    }

    /// Whether an operation is shown beside the proof.
    pub(crate) fn is_beside(&self, id: OperationId) -> bool {
        self.beside.contains(&id)
    }

    /// The faults to show.
    pub(crate) fn faults(&self) -> &[Stood<'h>] {
        &self.faults
    }

    /// How many faults there were besides.
    pub(crate) fn other_faults(&self) -> usize {
        self.other_faults
    }

    /// The operation and its outcome, as this scene abridges it.
    pub(crate) fn describe(&self, operation: &Operation) -> String {
        describe::focused(self.history, operation, &self.focus)
    }
}

fn span(history: &History, ids: &[OperationId]) -> Option<(Moment, Moment)> {
    let first = history.operation(*ids.first()?).invoked;
    let ends =
        ids.iter().map(|id| history.operation(*id)).map(|shown| shown.completed.unwrap_or(shown.invoked));
    Some((first, ends.max()?))
}

/// The faults to show, and how many others there were meanwhile.
///
/// The trouble shows when the second operation begins. What began last before that is nearest to its cause.
fn faults<'h>(history: &'h History, ids: &[OperationId]) -> (Vec<Stood<'h>>, usize) {
    let Some((first, last)) = span(history, ids) else { return (Vec::new(), 0) };
    let trouble = history.operation(*ids.get(1).unwrap_or(&ids[0])).invoked;
    let touches = |fault: &Stood<'_>| {
        fault.began.index < last.index && fault.ended.is_none_or(|ended| ended.index > first.index)
    };
    let touching: Vec<Stood<'h>> = stood(history).into_iter().filter(touches).collect();
    let before = touching.partition_point(|fault| fault.began.index < trouble.index);
    let begin = before.max(FAULTS_MAX.min(touching.len())).saturating_sub(FAULTS_MAX);
    let end = touching.len().min(begin + FAULTS_MAX);
    (touching[begin..end].to_vec(), touching.len() - (end - begin))
}
