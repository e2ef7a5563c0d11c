//! What the operations of each sampler are in a history.

use super::*;
use crate::differential::record::Recorded;
use crate::history::{Datum, Input, Output, Symbols};
use crate::model::{counter, kv, list, marks, multi_register, mutex, queue, register, set};

fn value(value: Datum) -> Output {
    Output::Value { value }
}

impl Recorded for Counters {
    fn recorded(
        _symbols: &mut Symbols,
        input: &counter::Input,
        output: Option<&counter::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            counter::Output::Done => Output::Done,
            counter::Output::Value(number) => value(Datum::Int(*number)),
        });
        match input {
            counter::Input::Add(amount) => (Input::Add { value: Datum::Int(*amount) }, answer),
            counter::Input::Read => (Input::Get, answer),
        }
    }
}

impl Recorded for Markers {
    fn recorded(
        symbols: &mut Symbols,
        input: &marks::Input,
        output: Option<&marks::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            marks::Output::Done => value(Datum::Nil),
            marks::Output::Value(number) => value(Datum::Int(*number)),
        });
        match input {
            marks::Input::Mark(number) => {
                (Input::Other { f: symbols.intern("mark"), value: Datum::Int(*number) }, answer)
            }
            marks::Input::Read => (Input::Get, answer),
        }
    }
}

impl Recorded for Locks {
    fn recorded(
        _symbols: &mut Symbols,
        input: &mutex::Input,
        output: Option<&mutex::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            mutex::Output::Done => Output::Done,
            mutex::Output::Refused => value(Datum::Bool(false)),
        });
        match input {
            mutex::Input::Acquire => (Input::Acquire { holder: Datum::Nil }, answer),
            mutex::Input::Release => (Input::Release { holder: Datum::Nil }, answer),
        }
    }
}

impl Recorded for Queues<'_> {
    fn recorded(
        _symbols: &mut Symbols,
        input: &queue::Input,
        output: Option<&queue::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            queue::Output::Done => Output::Done,
            queue::Output::Value(taken) => value(*taken),
            queue::Output::Empty => value(Datum::Nil),
        });
        match input {
            queue::Input::Enqueue(value) => (Input::Enqueue { value: *value }, answer),
            queue::Input::Dequeue => (Input::Dequeue, answer),
        }
    }
}

impl Recorded for Sets<'_> {
    fn recorded(
        symbols: &mut Symbols,
        input: &set::Input,
        output: Option<&set::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            set::Output::Done => Output::Done,
            set::Output::Changed(is) | set::Output::Found(is) => value(Datum::Bool(*is)),
            set::Output::Elements(elements) => value(Datum::List(symbols.list(elements))),
        });
        match *input {
            set::Input::Add(value) => (Input::Add { value }, answer),
            set::Input::Remove(value) => (Input::Remove { value }, answer),
            set::Input::Contains(value) => (Input::Other { f: symbols.intern("contains"), value }, answer),
            set::Input::Read => (Input::Get, answer),
        }
    }
}

/// Operations of one part are recorded by themselves, others as transactions on one list.
impl Recorded for Lists<'_> {
    fn recorded(
        symbols: &mut Symbols,
        input: &list::Input,
        output: Option<&list::Output<'_>>,
    ) -> (Input, Option<Output>) {
        match input[..] {
            [list::Micro::Append(value)] => return (Input::Append { value }, output.map(|_| Output::Done)),
            [list::Micro::Read] => {
                let answer = output.and_then(|output| output.first());
                return (Input::Get, answer.map(|seen| value(Datum::List(symbols.list(seen)))));
            }
            _ => {}
        }
        let part = |micro: &list::Micro| match *micro {
            list::Micro::Append(value) => ("append", value),
            list::Micro::Read => ("r", Datum::Nil),
        };
        let asked: Vec<(&str, Datum)> = input.iter().map(part).collect();
        let mut seen = output.map(|output| output.iter());
        let mut answered = asked.clone();
        for part in answered.iter_mut().filter(|(name, _)| *name == "r") {
            let list = seen.as_mut().and_then(Iterator::next);
            part.1 = list.map_or(Datum::Nil, |list| Datum::List(symbols.list(list)));
        }
        let mut transaction = |parts: Vec<(&str, Datum)>| {
            let parts = parts.into_iter().map(|(name, value)| (name, Datum::Int(7), value));
            self::transaction(symbols, parts)
        };
        let (asked, answered) = (transaction(asked), transaction(answered));
        (Input::Txn { operations: asked }, output.map(|_| value(Datum::List(answered))))
    }
}

impl Recorded for MultiRegisters<'_> {
    fn recorded(
        symbols: &mut Symbols,
        input: &multi_register::Input,
        output: Option<&multi_register::Output>,
    ) -> (Input, Option<Output>) {
        let part = |micro: &multi_register::Micro| match *micro {
            multi_register::Micro::Read(register) => ("r", register, Datum::Nil),
            multi_register::Micro::Write(register, value) => ("w", register, value),
        };
        let asked: Vec<(&str, Datum, Datum)> = input.iter().map(part).collect();
        let mut seen = output.into_iter().flatten();
        let mut answered = asked.clone();
        for part in answered.iter_mut().filter(|(name, _, _)| *name == "r") {
            part.2 = seen.next().copied().unwrap_or_default();
        }
        let asked = transaction(symbols, asked);
        let answered = transaction(symbols, answered);
        (Input::Txn { operations: asked }, output.map(|_| value(Datum::List(answered))))
    }
}

/// A transaction of these parts: what is done, to which object, with which value.
fn transaction<'p>(
    symbols: &mut Symbols,
    parts: impl IntoIterator<Item = (&'p str, Datum, Datum)>,
) -> crate::history::List {
    let mut items = Vec::new();
    for (name, key, value) in parts {
        let name = Datum::Name(symbols.intern(name));
        items.push(Datum::List(symbols.list(&[name, key, value])));
    }
    symbols.list(&items)
}

impl Recorded for Registers<'_> {
    fn recorded(
        _symbols: &mut Symbols,
        input: &register::Input,
        output: Option<&register::Output>,
    ) -> (Input, Option<Output>) {
        let answer = output.map(|output| match output {
            register::Output::Value(seen) => value(*seen),
            register::Output::Done | register::Output::Differed => Output::Done,
        });
        match *input {
            register::Input::Read => (Input::Get, answer),
            register::Input::Write(value) => (Input::Write { value }, answer),
            register::Input::Cas { from, to } => (Input::Cas { from, to }, answer),
        }
    }
}

/// The texts become names of the history.
impl Recorded for Entries {
    fn recorded(
        symbols: &mut Symbols,
        input: &kv::Input<'static>,
        output: Option<&kv::Output<'static>>,
    ) -> (Input, Option<Output>) {
        let mut name = |text: &str| Datum::Name(symbols.intern(text));
        let answer = output.map(|output| match output {
            kv::Output::Value(text) => value(name(text)),
            kv::Output::Done => Output::Done,
        });
        match *input {
            kv::Input::Get => (Input::Get, answer),
            kv::Input::Put(text) => (Input::Put { value: name(text) }, answer),
            kv::Input::Append(text) => (Input::Append { value: name(text) }, answer),
        }
    }
}
