//! Damages histories for as long as one likes and reads them:
//! `cargo run --release -p checker --example fuzz_readers [READER] [SECONDS] [SEED]`.
//!
//! A reader is `jsonl`, `edn`, `jepsen-log`, `porcupine-kv`, `binary` or `auto`; without one, all take turns. Each round draws
//! one of the seeds, damages it in a few places, and reads it whole and in small pieces. Whatever stands there, the answer
//! is a history or an error with its place; it is the same for both ways of reading, and it comes within half a minute. A
//! history is written in every format that can say it, and read again. The same seed gives the same rounds.

use std::io::{BufReader, Read, Write};
use std::time::{Duration, Instant};

use checker::history::format::{self, Format, Place, ReadError};
use checker::history::{History, edn, jsonl, timeline};

#[path = "../tests/readers/damage.rs"]
mod damage;

use damage::{Random, SEEDS, damaged};

/// The longest that one small text may take. It takes a millisecond, but a busy machine may leave the fuzzer waiting.
const ROUND_MAX: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "a fuzzer runs for a time")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let reader = arguments.next().unwrap_or_else(|| "all".to_owned());
    let seconds = arguments.next().map_or(10, |text| text.parse().expect("a number of seconds"));
    let seed = arguments.next().map_or(1, |text| text.parse().expect("a seed"));
    let readers: Vec<Option<Format>> = match reader.as_str() {
        "all" => Format::ALL.into_iter().map(Some).chain([None]).collect(),
        "auto" => vec![None],
        name => vec![Some(name.parse().expect("the name of a format"))],
    };
    let (started, mut rounds, mut read) = (Instant::now(), 0_u64, 0_u64);
    while started.elapsed() < Duration::from_secs(seconds) {
        for reader in &readers {
            let text = damaged(&mut Random::new(seed, rounds), *reader);
            let begun = Instant::now();
            read += u64::from(round(&text, *reader));
            let elapsed = begun.elapsed();
            assert!(elapsed < ROUND_MAX, "{elapsed:?} for {:?}", String::from_utf8_lossy(&text));
        }
        rounds += 1;
    }
    let texts = rounds * readers.len() as u64;
    let line =
        format!("{reader}: {texts} texts of {} seeds, {read} of them histories, no complaint", SEEDS.len());
    writeln!(std::io::stdout(), "{line}").expect("stdout is open");
}

/// Reads a text in both ways, and says whether it is a history.
fn round(text: &[u8], reader: Option<Format>) -> bool {
    let whole = format::read(text, reader);
    let pieces = format::read(BufReader::with_capacity(7, Trickle(text)), reader);
    match (whole, pieces) {
        (Ok((history, torn)), Ok((other, other_torn))) => {
            assert_eq!(
                (lines(&history), torn),
                (lines(&other), other_torn),
                "{}",
                String::from_utf8_lossy(text)
            );
            cope_with(&history, text);
            true
        }
        (Err(error), Err(other)) => {
            let ReadError { place, message } = &error;
            let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
            let is_there = match *place {
                Place::Line { line, column } => line >= 1 && line <= lines + 1 && column >= 1,
                Place::Byte(offset) => offset <= text.len() as u64,
            };
            assert!(is_there && !message.is_empty(), "{error}");
            assert_eq!(error, other);
            false
        }
        (one, other) => panic!("{:?} and {:?}: {}", one.err(), other.err(), String::from_utf8_lossy(text)),
    }
}

fn lines(history: &History) -> Vec<jsonl::Event> {
    jsonl::events(history).collect()
}

/// What was read can be written, read again and drawn.
fn cope_with(history: &History, text: &[u8]) {
    let _ = timeline::draw(history);
    for format in [Format::Edn, Format::Jsonl, Format::Binary] {
        if format::loss(history, format).is_some() {
            continue;
        }
        let mut written = Vec::new();
        format::write(history, &mut written, format).expect("a vector takes everything");
        let said = || {
            let [written, text] = [&*written, text].map(String::from_utf8_lossy);
            format!("{format}: {written} from {text}")
        };
        let again = format::read(&*written, Some(format));
        let (again, torn) = again.unwrap_or_else(|error| panic!("{error} in {}", said()));
        assert_eq!((again.next_index(), torn), (history.next_index(), None), "{}", said());
        // A map of EDN comes back sorted, so there the order of keys does not count.
        if format == Format::Edn {
            assert_eq!(lines(&again), lines(history), "{}", said());
        } else {
            assert_eq!(as_edn(&again), as_edn(history), "{}", said());
        }
    }
}

/// Everything that a history says, but what is beyond numbers of 63 bits.
fn as_edn(history: &History) -> String {
    let mut text = Vec::new();
    edn::write(history, &mut text).expect("a vector takes everything");
    String::from_utf8_lossy(&text).into_owned()
}

/// Gives a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(3);
        self.0.read(&mut buffer[..length])
    }
}
