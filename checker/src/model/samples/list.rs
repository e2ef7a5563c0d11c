//! Operations on a list.

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::differential::record::{Paper, answered};
use crate::fitting::ModelName;
use crate::history::{self, Datum, Outcome};
use crate::model::list::{Input, List, Micro, Output, Seen};
use crate::model::register::NilRead;

/// Appends of small numbers and reads.
#[derive(Debug)]
pub(crate) struct Lists<'a> {
    pub(crate) list: List<'a>,
    /// Whether every append has a value of its own.
    pub(crate) unique: bool,
    /// The most micro-operations of an operation.
    pub(crate) micros_max: usize,
}

impl<'a> Sampler for Lists<'a> {
    type Model = List<'a>;

    fn model(&self) -> &List<'a> {
        &self.list
    }

    fn ask(&self, random: &mut Random, number: usize) -> Input {
        let micros = 1 + random.below(self.micros_max);
        (0..micros)
            .map(|micro| match random.one_in(2) {
                true => Micro::Read,
                false if self.unique => Micro::Append(Datum::Int((number * self.micros_max + micro) as i64)),
                false => Micro::Append(Datum::Int(random.below(3))),
            })
            .collect()
    }

    fn answer(&self, _random: &mut Random, state: &Vec<Datum>, input: &Input) -> Option<Output<'a>> {
        let mut list = state.clone();
        let mut seen: Vec<Seen<'a>> = Vec::new();
        for micro in input {
            match micro {
                Micro::Append(value) => list.push(*value),
                Micro::Read => seen.push(list.clone().into()),
            }
        }
        Some(seen.into())
    }

    fn lie(&self, random: &mut Random, input: &Input) -> Output<'a> {
        let mut list: Vec<Datum> = Vec::new();
        let values = 6 * self.micros_max as i64;
        for _ in 0..random.below(4) {
            list.push(Datum::Int(random.below(values)));
        }
        self.answer(random, &list, input).unwrap_or_default()
    }

    fn named(&self) -> ModelName {
        ModelName::ListAppend
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &Input,
        output: Option<&Output<'a>>,
    ) -> (history::Input, Outcome) {
        let mut seen = output.into_iter().flatten();
        if let ([only], 1) = (&input[..], self.micros_max) {
            let asked = match *only {
                Micro::Append(value) => history::Input::Append { value },
                Micro::Read => history::Input::Get,
            };
            let answer = output.map(|_| match seen.next() {
                // Nil is what there is before anything is appended, unless it may be anything.
                Some(list) if list.is_empty() && paper.semantics.nil_read == NilRead::Nil => Datum::Nil,
                Some(list) => Datum::List(paper.symbols.list(list)),
                None => Datum::Nil,
            });
            return (asked, answered(answer));
        }
        let (name, key) = (Datum::Name(paper.symbols.intern("append")), Datum::Int(1));
        let read = Datum::Name(paper.symbols.intern("r"));
        let mut parts = |mut seen: Option<&mut dyn Iterator<Item = &Seen<'a>>>| {
            let part = |micro: &Micro| {
                let part = match micro {
                    Micro::Append(value) => [name, key, *value],
                    Micro::Read => {
                        let list = seen.as_mut().and_then(|seen| seen.next());
                        let list = list.map(|list| Datum::List(paper.symbols.list(list)));
                        [read, key, list.unwrap_or_default()]
                    }
                };
                Datum::List(paper.symbols.list(&part))
            };
            let parts: Vec<Datum> = input.iter().map(part).collect();
            paper.symbols.list(&parts)
        };
        let operations = parts(None);
        let answer = output.map(|_| Datum::List(parts(Some(&mut seen))));
        (history::Input::Txn { operations }, answered(answer))
    }
}
