//! How long the deciders of registers and of entries take, on one thread: `cargo bench -p checker --bench objects`.
//!
//! What is measured is the verdict on typed operations, where it says so with the smallest contradiction, and where it
//! says so with the reading of the text. Porcupine's data are skipped where they are not at hand. The time is what the
//! thread had of a processor, where the kernel tells it, so that a busy machine does not count.

#[path = "measure/criterion.rs"]
mod measure;
#[path = "porcupine/table.rs"]
mod table;
#[path = "porcupine/typed.rs"]
mod typed;

use std::hint::black_box;
use std::time::Duration;

use checker::history::format::Format;
use checker::history::{Datum, History, Symbols};
use checker::limits::Limits;
use checker::model::kv::Kv;
use checker::model::register::{Input, NilRead, Output, Register};
use checker::model::{Operation, OperationOf};
use checker::search::{self, Outcome};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use measure::ProcessorTime;

fn histories(directory: &str, format: Format) -> Vec<(String, Vec<u8>, History)> {
    let files = typed::files(directory).unwrap_or_default();
    let named = files.into_iter().map(|path| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("the files have names").to_owned();
        let text = typed::bytes(&path);
        let history = typed::read(&text, format);
        (name, text, history)
    });
    named.collect()
}

/// File by file, beside what Porcupine takes.
fn files(_: &mut Criterion<ProcessorTime>) {
    let rows: Vec<table::Row> = histories("jepsen", Format::JepsenLog)
        .iter()
        .map(|(name, _, history)| {
            let operations = typed::register(history);
            let model = Register::new(&history.symbols, NilRead::Nil);
            let judge = || {
                let outcome = search::decide_register(&model, &operations, &Limits::none());
                matches!(outcome, Outcome::Linearizable(_))
            };
            table::Row::of(name, operations.len(), judge)
        })
        .filter(|row| row.operations > 0)
        .collect();
    table::print("etcd", &rows);
    let rows: Vec<table::Row> = histories("kv", Format::PorcupineKv)
        .iter()
        .map(|(name, _, history)| {
            let entries = typed::entries(history);
            let judge = || {
                entries.iter().all(|operations| {
                    let outcome = search::decide_kv(&Kv::default(), operations, &Limits::none());
                    matches!(outcome, Outcome::Linearizable(_))
                })
            };
            table::Row::of(name, entries.iter().map(Vec::len).sum(), judge)
        })
        .collect();
    table::print("kv", &rows);
}

fn logs(criterion: &mut Criterion<ProcessorTime>) {
    let histories = histories("jepsen", Format::JepsenLog);
    if histories.is_empty() {
        return;
    }
    let all: Vec<_> = histories.iter().map(|(_, _, history)| (history, typed::register(history))).collect();
    let mut group = criterion.benchmark_group("etcd");
    let verdict = |history: &History, operations: &[OperationOf<Register<'_>>]| {
        let model = Register::new(&history.symbols, NilRead::Nil);
        black_box(search::decide_register(&model, operations, &Limits::none()))
    };
    group.bench_function("102 logs, verdict", |bencher| {
        bencher.iter(|| all.iter().for_each(|(history, operations)| drop(verdict(history, operations))));
    });
    group.bench_function("102 logs, contradiction", |bencher| {
        bencher.iter(|| {
            for (history, operations) in &all {
                let model = Register::new(&history.symbols, NilRead::Nil);
                black_box(search::check_register(&model, operations, &Limits::none()));
            }
        });
    });
    group.bench_function("102 logs, read and verdict", |bencher| {
        bencher.iter(|| {
            for (_, text, _) in &histories {
                let history = typed::read(text, Format::JepsenLog);
                verdict(&history, &typed::register(&history));
            }
        });
    });
    group.finish();
}

fn entries(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("kv");
    for (name, text, history) in &histories("kv", Format::PorcupineKv) {
        let entries = typed::entries(history);
        let verdict = |entries: &[Vec<OperationOf<Kv<'_>>>]| {
            entries.iter().any(|operations| {
                let outcome = search::decide_kv(&Kv::default(), operations, &Limits::none());
                matches!(black_box(outcome), Outcome::NotLinearizable(_))
            })
        };
        group.bench_function(format!("{name}, verdict"), |bencher| bencher.iter(|| verdict(&entries)));
        group.bench_function(format!("{name}, read and verdict"), |bencher| {
            bencher.iter(|| verdict(&typed::entries(&typed::read(text, Format::PorcupineKv))));
        });
    }
    group.finish();
}

/// Xorshift (Marsaglia, "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A history that an honest register leaves: so many clients, each of which does one thing after the other. Half of it is
/// reads, and a fifth cas if there are any; values are new ones, or some of `values`.
fn honest(
    count: usize,
    clients: usize,
    values: Option<i64>,
    cas: bool,
) -> Vec<OperationOf<Register<'static>>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut operations: Vec<OperationOf<Register<'static>>> = Vec::with_capacity(count);
    // By client: its operation, and whether that has taken effect.
    let mut open: Vec<Option<(usize, bool)>> = vec![None; clients];
    let (mut state, mut next, mut place) = (Datum::Nil, 0, 0);
    while operations.len() < count || open.iter().any(Option::is_some) {
        let client = random.below(clients);
        match open[client] {
            None if operations.len() < count => {
                next += 1;
                let new = Datum::Int(values.map_or(next, |values| next % values));
                let input = match random.below(10) {
                    0..5 => Input::Read,
                    5..7 if cas => Input::Cas { from: state, to: new },
                    _ => Input::Write(new),
                };
                open[client] = Some((operations.len(), false));
                operations.push(Operation { input, output: None, invoked: place, returned: None });
                place += 1;
            }
            None => {}
            Some((number, false)) => {
                let operation = &mut operations[number];
                operation.output = Some(match operation.input {
                    Input::Read => Output::Value(state),
                    Input::Write(_) => Output::Done,
                    // Its value is gone: it waits until it knows a newer one.
                    Input::Cas { ref mut from, .. } => {
                        *from = state;
                        Output::Done
                    }
                });
                if let Input::Write(to) | Input::Cas { to, .. } = operation.input {
                    state = to;
                }
                open[client] = Some((number, true));
            }
            Some((number, true)) => {
                operations[number].returned = Some(place);
                place += 1;
                open[client] = None;
            }
        }
    }
    operations
}

fn registers(criterion: &mut Criterion<ProcessorTime>) {
    let symbols = Symbols::default();
    let model = Register::new(&symbols, NilRead::Nil);
    let mut group = criterion.benchmark_group("register");
    for (count, clients, values, cas) in [
        (100_000, 5, None, false),
        (1_000_000, 5, None, false),
        (1_000_000, 1_000, None, false),
        (1_000_000, 5, None, true),
        (100_000, 1_000, None, false),
        (10_000_000, 5, None, false),
        (10_000_000, 1_000, None, false),
        (100_000, 5, Some(5), true),
        (100_000, 10, Some(5), true),
        (1_000_000, 5, Some(5), true),
    ] {
        let operations = honest(count, clients, values, cas);
        let kind = values.map_or("unique".to_owned(), |values| format!("{values} values"));
        let cas = if cas { ", cas" } else { "" };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} operations, {clients} clients, {kind}{cas}"), |bencher| {
            bencher.iter(|| {
                let outcome = search::check_register(&model, &operations, &Limits::none());
                assert!(matches!(outcome, Outcome::Linearizable(_)));
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = objects;
    // The kernel counts in milliseconds, so each sample must be many of them.
    config = Criterion::default()
        .with_measurement(ProcessorTime)
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    targets = files, logs, entries, registers
}
criterion_main!(objects);
