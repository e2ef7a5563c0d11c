//! Operations on registers and on entries of maps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::differential::record::{Paper, answered, done};
use crate::fitting::ModelName;
use crate::history::{self, Datum, Outcome, Symbols};
use crate::model::Model;
use crate::model::kv::{self, Kv};
use crate::model::multi_register::{self, MultiRegister};
use crate::model::register::{FailedCas, Input, NilRead, Output, Register, Value};

/// Reads, writes, and compares and sets of some values, nil among them, that repeat or do not.
#[derive(Debug)]
pub(crate) struct Registers<'a> {
    model: Register<'a>,
    /// Whether every write and cas has a value of its own.
    unique: bool,
    /// Whether there are cas.
    cas: bool,
    /// Whether those who compare know the value.
    informed: bool,
}

/// Nil and the positive numbers.
fn value(number: usize) -> Value {
    if number == 0 { Datum::Nil } else { Datum::Int(i64::try_from(number).expect("numbers are small")) }
}

impl<'a> Registers<'a> {
    pub(crate) fn new(symbols: &'a Symbols, nil_read: NilRead) -> Self {
        Registers { model: Register::new(symbols, nil_read), unique: false, cas: true, informed: false }
    }

    /// The same with values that are written once.
    pub(crate) fn unique(self) -> Self {
        Registers { unique: true, ..self }
    }

    /// The same with one of these values at the start.
    pub(crate) fn starting_with(self, initial: &'a [Value]) -> Self {
        Registers { model: self.model.starting_with(initial), ..self }
    }

    /// The same without cas.
    pub(crate) fn without_cas(self) -> Self {
        Registers { cas: false, ..self }
    }

    /// The same with cas that mostly succeed.
    pub(crate) fn informed(self) -> Self {
        Registers { informed: true, ..self }
    }

    fn any(&self, random: &mut Random) -> Value {
        value(random.below(if self.unique { 6 } else { 3 }))
    }
}

impl<'a> Sampler for Registers<'a> {
    type Model = Register<'a>;

    fn model(&self) -> &Register<'a> {
        &self.model
    }

    fn ask(&self, random: &mut Random, number: usize) -> Input {
        let new = if self.unique { value(number + 1) } else { self.any(random) };
        match random.below(5) {
            0 | 1 => Input::Read,
            2 if self.cas => Input::Cas { from: self.any(random), to: new },
            _ => Input::Write(new),
        }
    }

    fn inform(&self, state: &Value, input: &mut Input) {
        if let Input::Cas { from, .. } = input
            && self.informed
        {
            *from = *state;
        }
    }

    fn answer(&self, random: &mut Random, state: &Value, input: &Input) -> Option<Output> {
        let nil = Output::Value(Datum::Nil);
        let possible = match input {
            Input::Read => vec![Output::Value(*state), Output::Value(*state), nil],
            Input::Write(_) => vec![Output::Done],
            Input::Cas { .. } => vec![Output::Done, Output::Differed],
        };
        let allowed = |output: &&Output| self.model.step(state, input, Some(output)).is_some();
        let possible: Vec<Output> = possible.iter().filter(allowed).copied().collect();
        (!possible.is_empty()).then(|| random.pick(&possible))
    }

    fn lie(&self, random: &mut Random, input: &Input) -> Output {
        match input {
            Input::Read => Output::Value(self.any(random)),
            Input::Write(_) => Output::Done,
            Input::Cas { .. } => random.pick(&[Output::Done, Output::Differed]),
        }
    }

    fn named(&self) -> ModelName {
        if self.cas { ModelName::CasRegister } else { ModelName::Register }
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &Input,
        output: Option<&Output>,
    ) -> (history::Input, Outcome) {
        let asked = match *input {
            Input::Read => history::Input::Get,
            Input::Write(value) => history::Input::Write { value },
            Input::Cas { from, to } => history::Input::Cas { from, to },
        };
        let answer = match output {
            Some(Output::Done) => done(),
            Some(Output::Differed) if paper.semantics.failed_cas == FailedCas::ValueDiffered => {
                Outcome::Fail(None)
            }
            Some(Output::Differed) => Outcome::Fail(Some(paper.symbols.intern("conflict: another value"))),
            Some(Output::Value(value)) => answered(Some(*value)),
            None => Outcome::Info(None),
        };
        (asked, answer)
    }
}

/// Transactions of reads and writes over two registers.
#[derive(Debug)]
pub(crate) struct MultiRegisters<'a> {
    model: MultiRegister<'a>,
    /// Whether every write has a value of its own.
    unique: bool,
}

impl<'a> MultiRegisters<'a> {
    pub(crate) fn new(model: MultiRegister<'a>) -> Self {
        MultiRegisters { model, unique: false }
    }

    /// The same with values that are written once.
    pub(crate) fn unique(self) -> Self {
        MultiRegisters { unique: true, ..self }
    }
}

impl<'a> Sampler for MultiRegisters<'a> {
    type Model = MultiRegister<'a>;

    fn model(&self) -> &MultiRegister<'a> {
        &self.model
    }

    fn ask(&self, random: &mut Random, number: usize) -> multi_register::Input {
        let micros = 1 + random.below(3);
        (0..micros)
            .map(|micro| {
                let register = Datum::Int(random.below(2));
                match random.one_in(2) {
                    true => multi_register::Micro::Read(register),
                    false if self.unique => {
                        multi_register::Micro::Write(register, value(1 + 3 * number + micro))
                    }
                    false => multi_register::Micro::Write(register, value(random.below(3))),
                }
            })
            .collect()
    }

    fn answer(
        &self,
        _random: &mut Random,
        state: &BTreeMap<Datum, Datum>,
        input: &multi_register::Input,
    ) -> Option<multi_register::Output> {
        let mut state = state.clone();
        let mut seen = Vec::new();
        for micro in input {
            match *micro {
                multi_register::Micro::Write(register, value) => drop(state.insert(register, value)),
                multi_register::Micro::Read(register) => {
                    seen.push(state.get(&register).copied().unwrap_or_default());
                }
            }
        }
        Some(seen.into())
    }

    fn lie(&self, random: &mut Random, input: &multi_register::Input) -> multi_register::Output {
        let reads = input.iter().filter(|micro| matches!(micro, multi_register::Micro::Read(_)));
        reads.map(|_| value(random.below(3))).collect()
    }

    fn named(&self) -> ModelName {
        ModelName::MultiRegister
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &multi_register::Input,
        output: Option<&multi_register::Output>,
    ) -> (history::Input, Outcome) {
        let [read, write] = ["r", "w"].map(|name| Datum::Name(paper.symbols.intern(name)));
        let mut parts = |seen: &mut dyn FnMut() -> Datum| {
            let part = |micro: &multi_register::Micro| match *micro {
                multi_register::Micro::Read(register) => [read, register, seen()],
                multi_register::Micro::Write(register, value) => [write, register, value],
            };
            let parts: Vec<[Datum; 3]> = input.iter().map(part).collect();
            let parts: Vec<Datum> = parts.iter().map(|part| Datum::List(paper.symbols.list(part))).collect();
            paper.symbols.list(&parts)
        };
        let operations = parts(&mut Datum::default);
        let mut seen = output.into_iter().flatten().copied();
        let answer = output.map(|_| Datum::List(parts(&mut || seen.next().unwrap_or_default())));
        (history::Input::Txn { operations }, answered(answer))
    }
}

/// Puts, appends and gets of short texts.
#[derive(Debug, Default)]
pub(crate) struct Entries(pub(crate) Kv<'static>);

impl Sampler for Entries {
    type Model = Kv<'static>;

    fn model(&self) -> &Kv<'static> {
        &self.0
    }

    fn ask(&self, random: &mut Random, _number: usize) -> kv::Input<'static> {
        match random.below(4) {
            0 | 1 => kv::Input::Get,
            2 => kv::Input::Put(random.pick(&["", "a", "b"])),
            _ => kv::Input::Append(random.pick(&["a", "b"])),
        }
    }

    fn answer(
        &self,
        _random: &mut Random,
        state: &String,
        input: &kv::Input<'static>,
    ) -> Option<kv::Output<'static>> {
        match input {
            kv::Input::Get => TEXTS.iter().find(|text| *text == state).map(|text| kv::Output::Value(text)),
            kv::Input::Put(_) | kv::Input::Append(_) => Some(kv::Output::Done),
        }
    }

    fn lie(&self, random: &mut Random, input: &kv::Input<'static>) -> kv::Output<'static> {
        match input {
            kv::Input::Get => kv::Output::Value(random.pick(&TEXTS[..7])),
            kv::Input::Put(_) | kv::Input::Append(_) => kv::Output::Done,
        }
    }

    fn named(&self) -> ModelName {
        ModelName::Kv
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &kv::Input<'static>,
        output: Option<&kv::Output<'static>>,
    ) -> (history::Input, Outcome) {
        written(paper, input, output)
    }
}

/// The texts that are read; a get of a longer one gets no answer.
const TEXTS: [&str; 15] =
    ["", "a", "b", "aa", "ab", "ba", "bb", "aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"];

/// Puts, appends and gets of texts that are each put or appended once.
#[derive(Debug)]
pub(crate) struct UniqueEntries(Kv<'static>);

impl UniqueEntries {
    /// Entries with this text at the start.
    pub(crate) fn starting_with(initial: &'static str) -> Self {
        UniqueEntries(Kv { initial })
    }
}

impl Sampler for UniqueEntries {
    type Model = Kv<'static>;

    fn model(&self) -> &Kv<'static> {
        &self.0
    }

    fn ask(&self, random: &mut Random, number: usize) -> kv::Input<'static> {
        let letter = &LETTERS[number % LETTERS.len()..][..1];
        match random.below(5) {
            0 | 1 => kv::Input::Get,
            2 => kv::Input::Put(letter),
            _ => kv::Input::Append(letter),
        }
    }

    fn answer(
        &self,
        _random: &mut Random,
        state: &String,
        input: &kv::Input<'static>,
    ) -> Option<kv::Output<'static>> {
        match input {
            kv::Input::Get => Some(kv::Output::Value(arranged(state))),
            kv::Input::Put(_) | kv::Input::Append(_) => Some(kv::Output::Done),
        }
    }

    fn lie(&self, random: &mut Random, input: &kv::Input<'static>) -> kv::Output<'static> {
        match input {
            kv::Input::Get => {
                let letters = (0..random.below(3)).map(|_| random.pick(LETTERS.as_bytes()) as char);
                kv::Output::Value(arranged(&letters.collect::<String>()))
            }
            kv::Input::Put(_) | kv::Input::Append(_) => kv::Output::Done,
        }
    }

    fn named(&self) -> ModelName {
        ModelName::Kv
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &kv::Input<'static>,
        output: Option<&kv::Output<'static>>,
    ) -> (history::Input, Outcome) {
        written(paper, input, output)
    }
}

const LETTERS: &str = "abcdef";

/// Puts, appends and gets of words that are each put or appended once, however many there are.
#[derive(Debug, Default)]
pub(crate) struct Words(Kv<'static>);

impl Sampler for Words {
    type Model = Kv<'static>;

    fn model(&self) -> &Kv<'static> {
        &self.0
    }

    fn ask(&self, random: &mut Random, number: usize) -> kv::Input<'static> {
        let word = || arranged(&format!("w{number}."));
        match random.below(5) {
            0 | 1 => kv::Input::Get,
            2 => kv::Input::Put(word()),
            _ => kv::Input::Append(word()),
        }
    }

    fn answer(
        &self,
        _random: &mut Random,
        state: &String,
        input: &kv::Input<'static>,
    ) -> Option<kv::Output<'static>> {
        match input {
            kv::Input::Get => Some(kv::Output::Value(arranged(state))),
            kv::Input::Put(_) | kv::Input::Append(_) => Some(kv::Output::Done),
        }
    }

    fn lie(&self, random: &mut Random, input: &kv::Input<'static>) -> kv::Output<'static> {
        match input {
            kv::Input::Get => kv::Output::Value(arranged(&format!("w{}.", random.below(6)))),
            kv::Input::Put(_) | kv::Input::Append(_) => kv::Output::Done,
        }
    }

    fn named(&self) -> ModelName {
        ModelName::Kv
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &kv::Input<'static>,
        output: Option<&kv::Output<'static>>,
    ) -> (history::Input, Outcome) {
        written(paper, input, output)
    }
}

/// The same text, for ever. There are few of them.
pub(crate) fn arranged(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap();
    if let Some(text) = texts.get(text) {
        return text;
    }
    let text: &'static str = text.to_owned().leak();
    texts.insert(text);
    text
}

/// What a history has of an operation on an entry.
fn written(
    paper: &mut Paper<'_>,
    input: &kv::Input<'_>,
    output: Option<&kv::Output<'_>>,
) -> (history::Input, Outcome) {
    let mut text = |text: &str| Datum::Name(paper.symbols.intern(text));
    let asked = match input {
        kv::Input::Get => history::Input::Get,
        kv::Input::Put(value) => history::Input::Put { value: text(value) },
        kv::Input::Append(value) => history::Input::Append { value: text(value) },
    };
    let answer = match output {
        Some(kv::Output::Done) => done(),
        Some(kv::Output::Value(value)) => answered(Some(text(value))),
        None => Outcome::Info(None),
    };
    (asked, answer)
}
