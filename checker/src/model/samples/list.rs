//! Operations on a list.

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::history::Datum;
use crate::model::list::{Input, List, Micro, Output, Seen};

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
}
