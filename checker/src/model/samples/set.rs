//! Operations on a set.

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::differential::record::{Paper, answered, done};
use crate::fitting::ModelName;
use crate::history::{self, Datum, Outcome};
use crate::model::register::{FailedCas, NilRead};
use crate::model::set::{Input, Output, Set};

/// What is asked of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Additions and whole reads.
    Growing,
    /// Additions, removals and whether something is in it.
    Elements,
    /// Everything.
    All,
}

/// Operations on a set of small numbers.
#[derive(Debug)]
pub(crate) struct Sets<'a> {
    pub(crate) set: Set<'a>,
    pub(crate) asks: Asks,
    /// Whether every addition has an element of its own.
    pub(crate) unique: bool,
}

impl Sets<'_> {
    fn element(&self, random: &mut Random) -> Datum {
        Datum::Int(random.below(if self.unique { 6 } else { 3 }))
    }
}

impl<'a> Sampler for Sets<'a> {
    type Model = Set<'a>;

    fn model(&self) -> &Set<'a> {
        &self.set
    }

    fn ask(&self, random: &mut Random, number: usize) -> Input {
        let kinds = match self.asks {
            Asks::Growing => 0..2,
            Asks::Elements => 1..4,
            Asks::All => 0..4,
        };
        match kinds.start + random.below(kinds.len()) {
            0 => Input::Read,
            1 if self.unique => Input::Add(Datum::Int(number as i64)),
            1 => Input::Add(self.element(random)),
            2 => Input::Remove(self.element(random)),
            _ => Input::Contains(self.element(random)),
        }
    }

    fn answer(&self, random: &mut Random, state: &Vec<Datum>, input: &Input) -> Option<Output> {
        let has = |element| state.binary_search(element).is_ok();
        // Most sets do not say whether they changed.
        let says = self.asks != Asks::Growing && random.one_in(3);
        Some(match input {
            Input::Add(element) if says => Output::Changed(!has(element)),
            Input::Remove(element) if says => Output::Changed(has(element)),
            Input::Add(_) | Input::Remove(_) => Output::Done,
            Input::Contains(element) => Output::Found(has(element)),
            Input::Read => Output::Elements(state.clone().into()),
        })
    }

    fn lie(&self, random: &mut Random, input: &Input) -> Output {
        match input {
            Input::Add(_) | Input::Remove(_) if self.asks == Asks::Growing => Output::Done,
            Input::Add(_) | Input::Remove(_) => Output::Changed(random.one_in(2)),
            Input::Contains(_) => Output::Found(random.one_in(2)),
            Input::Read => {
                let bits = random.below(64);
                let elements = (0..6).filter(|element| bits & 1 << element != 0).map(Datum::Int);
                Output::Elements(elements.collect())
            }
        }
    }

    fn named(&self) -> ModelName {
        ModelName::Set
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &Input,
        output: Option<&Output>,
    ) -> (history::Input, Outcome) {
        let asked = match *input {
            Input::Add(value) => history::Input::Add { value },
            Input::Remove(value) => history::Input::Remove { value },
            Input::Contains(value) => history::Input::Other { f: paper.symbols.intern("contains"), value },
            Input::Read => history::Input::Get,
        };
        let observed = paper.semantics.failed_cas == FailedCas::ValueDiffered;
        let answer = match output {
            Some(Output::Done) => done(),
            Some(Output::Changed(false)) if observed => Outcome::Fail(None),
            Some(Output::Changed(false)) if matches!(input, Input::Remove(_)) => {
                Outcome::Fail(Some(paper.symbols.intern("not-found: nothing to remove")))
            }
            Some(Output::Changed(is) | Output::Found(is)) => answered(Some(Datum::Bool(*is))),
            Some(Output::Elements(elements))
                if elements.is_empty() && paper.semantics.nil_read == NilRead::Nil =>
            {
                answered(Some(Datum::Nil))
            }
            Some(Output::Elements(elements)) => answered(Some(Datum::List(paper.symbols.list(elements)))),
            None => Outcome::Info(None),
        };
        (asked, answer)
    }
}
