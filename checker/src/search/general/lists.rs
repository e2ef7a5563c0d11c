//! Lists and sets of registers in a history: the objects of transactions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::tell::{Shape, Told};
use super::{Adapter, Push};
use crate::anomaly::AnomalyKind;
use crate::direct::{self, Answer};
use crate::history::transaction::{Part, What, answers, parts};
use crate::history::{Datum, History, Input, Operation, Outcome, Output};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::register::{Initially, NilRead, Semantics};
use crate::model::{OperationOf, list, multi_register};
use crate::search::Contradiction;

/// Lists: `append` and `read`, and transactions of those on one list.
pub(super) struct Lists<'h> {
    history: &'h History,
    model: list::List<'h>,
    semantics: Semantics,
}

impl<'h> Lists<'h> {
    pub(super) fn new(history: &'h History, semantics: Semantics) -> Self {
        Lists { history, model: list::List::new(&history.symbols), semantics }
    }

    fn parts(&self, operation: &Operation) -> Vec<Part> {
        let one = |what, value| vec![Part { what, key: Datum::Nil, value }];
        match operation.input {
            Input::Append { value } => one(What::Append, value),
            Input::Txn { operations } => {
                parts(Datum::List(operations), &self.history.symbols).unwrap_or_default()
            }
            _ => one(What::Read, Datum::Nil),
        }
    }
}

impl<'h> Adapter<'h> for Lists<'h> {
    type Model = list::List<'h>;

    fn model(&self) -> &list::List<'h> {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, list::List<'h>>) {
        let asked = self.parts(operation);
        let seen = match (&operation.outcome, &operation.input) {
            (Outcome::Fail(_), _) => return,
            (Outcome::Info(_), _) => None,
            (Outcome::Ok(output), Input::Txn { .. }) => match answers(self.history, &asked, output) {
                Some(seen) => Some(seen),
                None => return,
            },
            (Outcome::Ok(Output::Value { value }), Input::Get) => Some(vec![*value]),
            (Outcome::Ok(_), _) => Some(Vec::new()),
        };
        // What was read as nil may be anything, if the switch says so: then it was not asked.
        let mut unknown = false;
        let micro = |part: &Part| match part.what {
            What::Append | What::Write => list::Micro::Append(part.value),
            What::Read => list::Micro::Read,
        };
        let output = seen.map(|seen| {
            let list = |value: Datum| match value.items(&self.history.symbols) {
                Some(items) => Cow::Borrowed(items),
                None => {
                    unknown |= value == Datum::Nil && self.semantics.nil_read == NilRead::Anything;
                    Cow::Borrowed(&[][..])
                }
            };
            seen.into_iter().map(list).collect()
        });
        let input: list::Input = asked.iter().map(micro).collect();
        if !unknown {
            push(input, output);
        } else if let appends = input.iter().filter(|micro| **micro != list::Micro::Read)
            && appends.clone().count() > 0
        {
            push(appends.copied().collect(), Some(Box::new([])));
        }
    }

    fn decide(
        &self,
        operations: &[OperationOf<list::List<'h>>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::list::decide(&self.model, operations, limits, budget)
    }

    fn makes(&self, operation: &Operation, value: Datum) -> bool {
        self.parts(operation).iter().any(|part| part.what == What::Append && part.value == value)
    }

    fn shows(&self, operation: &OperationOf<list::List<'h>>) -> Vec<Datum> {
        operation.output.iter().flatten().flat_map(|seen| seen.iter().copied()).collect()
    }
}

/// Two registers that one operation wrote, with what it wrote there. Another shows the new one, and not the old one.
struct Half {
    new: (Datum, Datum),
    old: (Datum, Datum),
    /// What it shows instead.
    shown: Datum,
}

/// Several registers: transactions of reads and writes.
pub(super) struct MultiRegisters<'h> {
    history: &'h History,
    model: multi_register::MultiRegister<'h>,
    semantics: Semantics,
    initial: Datum,
}

impl<'h> MultiRegisters<'h> {
    pub(super) fn new(history: &'h History, semantics: Semantics) -> Self {
        let initial = match semantics.initially {
            Initially::Value(value) => value,
            _ => Datum::Nil,
        };
        let model = multi_register::MultiRegister::new(&history.symbols, semantics.nil_read, initial);
        MultiRegisters { history, model, semantics, initial }
    }

    fn parts(&self, operation: &Operation) -> Vec<Part> {
        match operation.input {
            Input::Txn { operations } => {
                parts(Datum::List(operations), &self.history.symbols).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// A half of what the one operation wrote, if the other shows it and not the other half.
    fn part_of(
        &self,
        writer: &OperationOf<multi_register::MultiRegister<'h>>,
        reader: &OperationOf<multi_register::MultiRegister<'h>>,
    ) -> Option<Half> {
        use multi_register::Micro::{Read, Write};
        let written: BTreeMap<Datum, Datum> = writer
            .input
            .iter()
            .filter_map(|micro| match *micro {
                Write(register, value) => Some((register, value)),
                Read(_) => None,
            })
            .collect();
        let mut own: BTreeSet<Datum> = BTreeSet::new();
        let mut seen = reader.output.iter().flatten();
        let (mut new, mut old, mut shown) = (None, None, Datum::Nil);
        for micro in &reader.input {
            let register = match *micro {
                Write(register, _) => {
                    own.insert(register);
                    continue;
                }
                Read(register) => register,
            };
            let value = *seen.next()?;
            let is_any = value == Datum::Nil && self.semantics.nil_read == NilRead::Anything;
            if let Some(wrote) = written.get(&register).filter(|_| !own.contains(&register) && !is_any) {
                if *wrote == value {
                    new = Some((register, *wrote));
                } else {
                    (old, shown) = (Some((register, *wrote)), value);
                }
            }
        }
        Some(Half { new: new?, old: old?, shown })
    }
}

impl<'h> Adapter<'h> for MultiRegisters<'h> {
    type Model = multi_register::MultiRegister<'h>;

    fn model(&self) -> &multi_register::MultiRegister<'h> {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, multi_register::MultiRegister<'h>>) {
        let asked = self.parts(operation);
        let output = match &operation.outcome {
            Outcome::Fail(_) => return,
            Outcome::Info(_) => None,
            Outcome::Ok(output) => match answers(self.history, &asked, output) {
                Some(seen) => Some(seen),
                None => return,
            },
        };
        let is_initial = |value: &Datum| *value == Datum::Nil && self.semantics.nil_read == NilRead::Initial;
        let output = output.map(|seen| {
            seen.into_iter().map(|value| if is_initial(&value) { self.initial } else { value }).collect()
        });
        let micro = |part: &Part| match part.what {
            What::Read => multi_register::Micro::Read(part.key),
            What::Write | What::Append => multi_register::Micro::Write(part.key, part.value),
        };
        push(asked.iter().map(micro).collect(), output);
    }

    /// An operation that shows a part of what another wrote.
    fn recognize(&self, told: &Told<'_, 'h, Self>, contradiction: &Contradiction) -> Option<Shape> {
        let operations = &told.timed.operations;
        let reader = &operations[contradiction.blocked];
        let end = reader.returned?;
        // One that is wrong by itself is so whoever wrote that.
        let writers: Vec<usize> = match contradiction.operations[..] {
            [_] => (0..operations.len()).filter(|writer| operations[*writer].invoked < end).collect(),
            ref some => some.to_vec(),
        };
        let few = contradiction.operations.len() <= 2;
        let parts =
            writers.into_iter().filter(|writer| *writer != contradiction.blocked).find_map(|writer| {
                let half = self.part_of(&operations[writer], reader)?;
                // Others may have come between the two; but not those that had ended before.
                let ended = |other: &OperationOf<multi_register::MultiRegister<'h>>| {
                    other.returned.is_some_and(|end| end < operations[writer].invoked)
                };
                let sets = multi_register::Micro::Write(half.old.0, half.shown);
                let is_old = || operations.iter().filter(|other| other.input.contains(&sets)).all(ended);
                (few || is_old()).then_some(half)
            });
        let Half { new, old, .. } = parts?;
        let text = |(register, value): (Datum, Datum)| {
            let [register, value] = [register, value].map(|datum| datum.text(&self.history.symbols));
            format!("{value} in {register}")
        };
        let why = format!("shows {}, but not {}, which was written with it", text(new), text(old));
        Some(Shape { kind: AnomalyKind::IntermediateRead, why: Some(why), beside: Vec::new() })
    }

    fn makes(&self, operation: &Operation, value: Datum) -> bool {
        self.parts(operation).iter().any(|part| part.what == What::Write && part.value == value)
    }

    fn shows(&self, operation: &OperationOf<multi_register::MultiRegister<'h>>) -> Vec<Datum> {
        // What a transaction has written itself, it may well read.
        let is_own = |value: &Datum| {
            operation
                .input
                .iter()
                .any(|micro| matches!(micro, multi_register::Micro::Write(_, own) if own == value))
        };
        let seen = operation.output.iter().flatten().copied();
        seen.filter(|value| *value != Datum::Nil && *value != self.initial && !is_own(value)).collect()
    }
}
