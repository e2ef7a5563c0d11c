//! Lies about registers, one or several.

use super::*;
use crate::model::multi_register::{Micro, MultiRegister};
use crate::model::register::{Input, NilRead, Output, Value};
use crate::model::samples::{MultiRegisters, Registers};

type Asked = Operation<Input, Output>;

fn seen(operation: &Asked) -> Option<Value> {
    match (operation.input, operation.output) {
        (Input::Read, Some(Output::Value(value))) => Some(value),
        _ => None,
    }
}

/// What an operation certainly set the register to.
fn made(operation: &Asked) -> Option<Value> {
    match (operation.input, operation.output) {
        (Input::Write(value) | Input::Cas { to: value, .. }, Some(Output::Done)) => Some(value),
        _ => None,
    }
}

/// Of two that made values, one after the other, the first, and the end of the second before `begin`.
fn overwritten(random: &mut Random, operations: &[Asked], begin: u32) -> Option<usize> {
    let before = |end: u32| move |operation: &Asked| made(operation).is_some() && ends(operation) < end;
    let second = *shuffled(random, operations, before(begin)).first()?;
    shuffled(random, operations, before(operations[second].invoked)).first().copied()
}

fn lies(model: (&str, &Registers<'_>), size: Size) {
    tells(model, size, 1, ("old value", AnomalyKind::StaleRead), |random, operations| {
        shuffled(random, operations, |operation| seen(operation).is_some()).into_iter().find_map(|read| {
            let old = overwritten(random, operations, operations[read].invoked)?;
            operations[read].output = made(&operations[old]).map(Output::Value);
            Some(Lied::of(read))
        })
    });
    tells(model, size, 1, ("write lost", AnomalyKind::StaleRead), |random, operations| {
        shuffled(random, operations, |operation| made(operation).is_some()).into_iter().find_map(|lost| {
            let (value, end) = (made(&operations[lost])?, ends(&operations[lost]));
            let is_seen = |operation: &Asked| seen(operation) == Some(value);
            operations.iter().find(|read| is_seen(read) && read.invoked > end)?;
            // Nobody built on it.
            let is_replaced = |other: &Asked| matches!(other.input, Input::Cas { from, .. } if from == value);
            if operations.iter().any(is_replaced) {
                return None;
            }
            let before = |other: &Asked| made(other).is_some() && ends(other) < operations[lost].invoked;
            let old = *shuffled(random, operations, before).first()?;
            let old = made(&operations[old])?;
            let mut about = vec![lost];
            for (number, read) in operations.iter_mut().enumerate().filter(|(_, read)| is_seen(read)) {
                read.output = Some(Output::Value(old));
                about.push(number);
            }
            Some(Lied { about, failed: Vec::new() })
        })
    });
    tells(model, size, 1, ("never written", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, |operation| seen(operation).is_some()).first()?;
        operations[read].output = Some(Output::Value(Datum::Int(NOWHERE)));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("write failed", AnomalyKind::AbortedRead), |random, operations| {
        shuffled(random, operations, |operation| made(operation).is_some())
            .into_iter()
            .find(|write| {
                operations.iter().any(|read| seen(read).is_some() && seen(read) == made(&operations[*write]))
            })
            .map(Lied::failed)
    });
}

pub(super) fn registers(size: Size) {
    let symbols = Symbols::default();
    let registers = || Registers::new(&symbols, NilRead::Nil).unique();
    lies(("register", &registers().without_cas()), size);
    let cas = registers().informed();
    let model = ("cas-register", &cas);
    lies(model, size);
    tells(model, size, 1, ("update lost", AnomalyKind::LostUpdate), |random, operations| {
        let replaced = |operation: &Asked| match (operation.input, operation.output) {
            (Input::Cas { from, to }, Some(Output::Done)) if from != to => Some(from),
            _ => None,
        };
        shuffled(random, operations, |operation| replaced(operation).is_some()).into_iter().find_map(|late| {
            let before = |other: &Asked| replaced(other).is_some() && ends(other) < operations[late].invoked;
            let early = *shuffled(random, operations, before).first()?;
            let (value, Input::Cas { to, .. }) = (replaced(&operations[early])?, operations[late].input)
            else {
                return None;
            };
            operations[late].input = Input::Cas { from: value, to };
            Some(Lied::of(late))
        })
    });
}

type Transaction = Operation<crate::model::multi_register::Input, crate::model::multi_register::Output>;

/// The last value that a transaction certainly wrote to a register.
fn wrote(operation: &Transaction, register: Datum) -> Option<Datum> {
    operation.output.as_ref()?;
    operation.input.iter().rev().find_map(|micro| match micro {
        Micro::Write(other, value) if *other == register => Some(*value),
        _ => None,
    })
}

/// The place among the answers of the only thing that a transaction does with a register, which is to read it.
fn only_reads(operation: &Transaction, register: Datum) -> Option<usize> {
    operation.output.as_ref()?;
    let mut place = None;
    let mut reads = 0;
    for micro in &operation.input {
        match *micro {
            Micro::Write(other, _) if other == register => return None,
            Micro::Read(other) if other == register => {
                if place.replace(reads).is_some() {
                    return None;
                }
                reads += 1;
            }
            Micro::Read(_) => reads += 1,
            Micro::Write(..) => {}
        }
    }
    place
}

fn set(operation: &mut Transaction, place: usize, value: Datum) {
    if let Some(answer) = &mut operation.output {
        answer[place] = value;
    }
}

const REGISTERS: [Datum; 2] = [Datum::Int(0), Datum::Int(1)];

pub(super) fn several(size: Size) {
    let symbols = Symbols::default();
    let sampler = MultiRegisters::new(MultiRegister::new(&symbols, NilRead::Nil, Datum::Nil)).unique();
    let model = ("multi-register", &sampler);
    tells(model, size, 1, ("old value", AnomalyKind::StaleRead), |random, operations| {
        let register = random.pick(&REGISTERS);
        let reads = |operation: &Transaction| only_reads(operation, register).is_some();
        let is_alone = |operation: &Transaction| operation.input.len() == 1;
        shuffled(random, operations, |read| reads(read) && is_alone(read)).into_iter().find_map(|read| {
            let before =
                |end: u32| move |other: &Transaction| wrote(other, register).is_some() && ends(other) < end;
            let second = *shuffled(random, operations, before(operations[read].invoked)).first()?;
            let first = *shuffled(random, operations, before(operations[second].invoked)).first()?;
            let old = wrote(&operations[first], register)?;
            set(&mut operations[read], 0, old);
            Some(Lied::of(read))
        })
    });
    tells(model, size, 1, ("half of it", AnomalyKind::IntermediateRead), |random, operations| {
        let [one, other] = REGISTERS;
        let reads_both =
            |read: &Transaction| only_reads(read, one).is_some() && only_reads(read, other).is_some();
        shuffled(random, operations, reads_both).into_iter().find_map(|read| {
            let begin = operations[read].invoked;
            let [place, other_place] =
                [only_reads(&operations[read], one)?, only_reads(&operations[read], other)?];
            let shown = operations[read].output.as_ref()?[place];
            // Who wrote what it shows wrote the other, too, and all that wrote the other before had ended by then.
            let writer = operations.iter().position(|other| wrote(other, one) == Some(shown))?;
            wrote(&operations[writer], other).filter(|_| ends(&operations[writer]) < begin)?;
            let before =
                |it: &Transaction| wrote(it, other).is_some() && ends(it) < operations[writer].invoked;
            let old = *shuffled(random, operations, before).first()?;
            let old = wrote(&operations[old], other)?;
            set(&mut operations[read], other_place, old);
            Some(Lied::of(read))
        })
    });
    tells(model, size, 1, ("never written", AnomalyKind::Phantom), |random, operations| {
        let register = random.pick(&REGISTERS);
        let read = *shuffled(random, operations, |read| only_reads(read, register).is_some()).first()?;
        let place = only_reads(&operations[read], register)?;
        set(&mut operations[read], place, Datum::Int(NOWHERE));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("write failed", AnomalyKind::AbortedRead), |random, operations| {
        let register = random.pick(&REGISTERS);
        shuffled(random, operations, |write| write.returned.is_some() && wrote(write, register).is_some())
            .into_iter()
            .find(|write| {
                let value = wrote(&operations[*write], register);
                operations.iter().any(|read| {
                    let place = only_reads(read, register);
                    place.and_then(|place| read.output.as_ref()?.get(place).copied()) == value
                })
            })
            .map(Lied::failed)
    });
}
