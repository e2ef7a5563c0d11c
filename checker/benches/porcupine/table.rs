//! A table of Porcupine's data, file by file: how long the verdict takes here, and what Porcupine takes where that is
//! known.
//!
//! The time is the best of many runs on one thread, by the wall clock: a file takes microseconds, which the kernel does
//! not count.

use std::time::{Duration, Instant};

/// How often each file is judged.
const RUNS: usize = 50;

/// The figures of Porcupine.
const PUBLISHED: &str = include_str!("published.txt");

/// A file, and what its verdict took.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) operations: usize,
    pub(crate) is_linearizable: bool,
    time: Duration,
}

impl Row {
    /// Judges a file many times.
    pub(crate) fn of(name: &str, operations: usize, judge: impl Fn() -> bool) -> Self {
        let mut best = Duration::MAX;
        let mut is_linearizable = false;
        for _ in 0..RUNS {
            let begin = now();
            is_linearizable = std::hint::black_box(judge());
            best = best.min(begin.elapsed());
        }
        Row { name: name.to_owned(), operations, is_linearizable, time: best }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has a clock")]
fn now() -> Instant {
    Instant::now()
}

/// What Porcupine takes for a file, or for all of a kind.
fn published(name: &str) -> Option<Duration> {
    let figures = PUBLISHED.lines().filter(|line| !line.starts_with('#'));
    let figure = figures.filter_map(|line| line.split_once('\t')).find(|(file, _)| *file == name)?;
    let milliseconds: f64 = figure.1.parse().expect("the figures are numbers");
    Some(Duration::from_secs_f64(milliseconds / 1000.0))
}

fn line(name: &str, operations: usize, verdict: &str, time: Duration) -> String {
    let [theirs, ratio] = match published(name) {
        Some(theirs) => {
            let ratio = theirs.as_secs_f64() / time.as_secs_f64();
            [format!("{:.1} ms", theirs.as_secs_f64() * 1e3), format!("{ratio:.0}x")]
        }
        None => ["-".to_owned(), "-".to_owned()],
    };
    let micros = time.as_secs_f64() * 1e6;
    format!("{name:<10} {operations:>10} {verdict:>12} {micros:>9.1} us {theirs:>11} {ratio:>8}")
}

/// Prints the table of some files, and of all of them together by the name `all`.
#[expect(clippy::print_stdout, reason = "a benchmark says what it has measured")]
pub(crate) fn print(all: &str, rows: &[Row]) {
    println!(
        "\n{:<10} {:>10} {:>12} {:>12} {:>11} {:>8}",
        "file", "operations", "verdict", "here", "Porcupine", "ratio"
    );
    for row in rows {
        let verdict = if row.is_linearizable { "valid" } else { "invalid" };
        println!("{}", line(&row.name, row.operations, verdict, row.time));
    }
    let operations = rows.iter().map(|row| row.operations).sum();
    println!(
        "{}",
        line(all, operations, &format!("{} files", rows.len()), rows.iter().map(|row| row.time).sum())
    );
}
