//! How fast each reader is: `cargo run --release -p checker --example bench_readers [EVENTS] [RUNS]`.
//!
//! A history of a register (five clients, values written once) is made up, written in each format and read again
//! from memory; the best of the runs counts. Where the kernel says it, the time is what this thread had of a processor, so
//! that a busy machine does not count.

use std::io::Write;
use std::time::{Duration, Instant};

use checker::history::format::{self, Format};
use checker::history::{Datum, History, Input, Moment, Outcome, Output, edn, jsonl};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let events: u32 = arguments.next().unwrap_or(2_000_000);
    let runs: u32 = arguments.next().unwrap_or(5);
    let history = register(events);
    let texts = [
        ("jsonl", Format::Jsonl, written(|text| jsonl::write(&history, text))),
        ("edn, ours", Format::Edn, written(|text| edn::write(&history, text))),
        ("edn, Jepsen's order", Format::Edn, jepsen(&history, Layout::Jepsen)),
        ("edn, independent keys", Format::Edn, jepsen(&history, Layout::Keyed)),
        ("porcupine-kv", Format::PorcupineKv, jepsen(&history, Layout::Porcupine)),
        ("jepsen-log", Format::JepsenLog, jepsen(&history, Layout::Log)),
    ];
    drop(history);
    let mut output = std::io::stdout().lock();
    for (name, format, text) in &texts {
        let best = (0..runs).map(|_| timed(text, *format, events)).min().unwrap_or_default();
        let megabytes = text.len() as f64 / 1e6;
        let nanoseconds = best.as_nanos() as f64 / f64::from(events);
        let rate = megabytes / best.as_secs_f64();
        let line =
            format!("{name:22} {megabytes:7.1} MB {best:9.1?} {rate:7.0} MB/s {nanoseconds:6.0} ns/event");
        writeln!(output, "{line}").expect("stdout is open");
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has a clock")]
fn timed(text: &[u8], format: Format, events: u32) -> Duration {
    let (wall, started) = (Instant::now(), on_processor());
    let (history, torn) = format::read(text, Some(format)).expect("it was written to be read");
    let busy = started.zip(on_processor()).map(|(begin, end)| end.saturating_sub(begin));
    let elapsed = busy.unwrap_or(wall.elapsed());
    assert_eq!((history.next_index(), torn), (events, None));
    elapsed
}

/// How long this thread has run, on Linux.
#[expect(clippy::disallowed_methods, reason = "the kernel says it in a file")]
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text).expect("a vector takes everything");
    text
}

/// Five clients that write and read in turns.
fn register(events: u32) -> History {
    let mut history = History::new();
    let key = Some(history.symbols.intern("x"));
    let mut last = Datum::Nil;
    let mut next = 0_i64;
    for index in 0..events {
        let at = Moment { index, time: u64::from(index) * 41_203 };
        let process = u64::from(index / 2 % 5);
        match history.open(process) {
            None if index % 4 == 0 => {
                next += 1;
                history.invoke(at, process, None, key, Input::Write { value: Datum::Int(next) }).map(drop)
            }
            None => history.invoke(at, process, None, key, Input::Get).map(drop),
            Some(id) => match history.operation(id).input {
                Input::Write { value } => {
                    last = value;
                    history.complete(at, process, "write", Outcome::Ok(Output::Done)).map(drop)
                }
                _ => history
                    .complete(at, process, "read", Outcome::Ok(Output::Value { value: last }))
                    .map(drop),
            },
        }
        .expect("a history as it should be");
    }
    history
}

#[derive(Clone, Copy)]
enum Layout {
    Jepsen,
    Keyed,
    Porcupine,
    Log,
}

fn jepsen(history: &History, layout: Layout) -> Vec<u8> {
    let mut text = Vec::new();
    for event in jsonl::events(history) {
        let jsonl::Event { index, time, process, r#type, f, .. } = event;
        let r#type = format!("{type:?}").to_lowercase();
        let value = match &event.value {
            serde_json::Value::Null if r#type == "ok" && f == "write" => "1".to_owned(),
            serde_json::Value::Null => "nil".to_owned(),
            value => value.to_string(),
        };
        let key = index / 2 % 5;
        match layout {
            Layout::Jepsen => writeln!(
                text,
                "{{:index {index}, :time {time}, :type :{type}, :process {process}, :f :{f}, :value {value}}}"
            ),
            Layout::Keyed => writeln!(
                text,
                "{{:type :{type}, :f :{f}, :value [{key} {value}], :process {process}, :time {time}, :index {index}}}"
            ),
            Layout::Porcupine => writeln!(
                text,
                "{{:process {process}, :type :{type}, :f :{f}, :key \"{key}\", :value \"x {value} y\"}}"
            ),
            Layout::Log => writeln!(text, "INFO  jepsen.util - {process}\t:{type}\t:{f}\t{value}"),
        }
        .expect("a vector takes everything");
    }
    text
}
