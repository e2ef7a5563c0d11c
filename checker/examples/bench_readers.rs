//! How fast each reader is: `cargo run --release -p checker --example bench_readers [EVENTS] [RUNS] [NAME]`.
//!
//! A history of a register (five clients, values written once) is made up, written in each format and read again
//! from memory; the best of the runs counts, and the one in the middle is said too. With a name, only what has it in its own
//! is measured. Where the kernel says it, the time is what this thread had of a processor, so
//! that a busy machine does not count.

use std::io::Write;
use std::time::{Duration, Instant};

use checker::history::format::{self, Format};
use checker::history::{Datum, History, Input, Moment, Outcome, Output, jsonl};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, default| {
        arguments.get(place).map_or(default, |argument| argument.parse().expect("a number"))
    };
    let (events, runs) = (number(0, 2_000_000), number(1, 5).max(1));
    let wanted = arguments.get(2).map_or("", String::as_str);
    let history = register(events);
    let mut output = std::io::stdout().lock();
    for (name, format, layout) in [
        ("jsonl", Format::Jsonl, Layout::Ours),
        ("binary", Format::Binary, Layout::Ours),
        ("edn, ours", Format::Edn, Layout::Ours),
        ("edn, Jepsen's order", Format::Edn, Layout::Jepsen),
        ("edn, Jepsen's records", Format::Edn, Layout::Record),
        ("edn, Jepsen's old order", Format::Edn, Layout::Old),
        ("edn, sorted keys", Format::Edn, Layout::Sorted),
        ("edn, independent keys", Format::Edn, Layout::Keyed),
        ("porcupine-kv", Format::PorcupineKv, Layout::Porcupine),
        ("jepsen-log", Format::JepsenLog, Layout::Log),
    ] {
        if !name.contains(wanted) {
            continue;
        }
        let text = match (layout, format) {
            (Layout::Ours, format) => written(|text| format::write(&history, text, format)),
            (layout, _) => jepsen(&history, layout),
        };
        let mut times: Vec<Duration> = (0..runs).map(|_| timed(&text, format, events)).collect();
        times.sort_unstable();
        let megabytes = text.len() as f64 / 1e6;
        let rate = |time: Duration| megabytes / time.as_secs_f64();
        let (best, middle) = (times[0], times[times.len() / 2]);
        let nanoseconds = best.as_nanos() as f64 / f64::from(events);
        let line = format!(
            "{name:24} {megabytes:7.1} MB {best:9.1?} {:7.0} MB/s (middle {:4.0}) {nanoseconds:6.0} ns/event",
            rate(best),
            rate(middle)
        );
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
    /// As this program writes it.
    Ours,
    /// Jepsen's today, as a map.
    Jepsen,
    /// The same as a record.
    Record,
    /// Jepsen's before 2020.
    Old,
    /// By the alphabet.
    Sorted,
    /// An independent key with each value, and the keys in the order of others.
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
            Layout::Ours => unreachable!("it is written by the library"),
            Layout::Jepsen => writeln!(
                text,
                "{{:index {index}, :time {time}, :type :{type}, :process {process}, :f :{f}, :value {value}}}"
            ),
            Layout::Record => writeln!(
                text,
                "#jepsen.history.Op{{:index {index}, :time {time}, :type :{type}, :process {process}, :f :{f}, :value {value}}}"
            ),
            Layout::Old => writeln!(
                text,
                "{{:type :{type}, :f :{f}, :value {value}, :process {process}, :time {time}, :index {index}}}"
            ),
            Layout::Sorted => writeln!(
                text,
                "{{:f :{f}, :index {index}, :process {process}, :time {time}, :type :{type}, :value {value}}}"
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
