//! How long the log checker takes for many operations, and how much memory.
//!
//! ```text
//! cargo run --release -p checker --example log_scale -- [OPERATIONS [SENDS_PERCENT [TAIL_PERCENT]]]
//! ```
//!
//! The operations are made in blocks of 65,536 events and thrown away after they were checked; only the checking is
//! timed, on the clock of the wall and by what Linux says the thread has run. On a machine that does other things too,
//! the second is the one to look at. The peak of memory is that of the whole process, the simulation included.
#![expect(clippy::disallowed_methods, reason = "a measurement has a clock and looks at its own process")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod load;

use std::time::{Duration, Instant};

use checker::log::ledger::Ledger;
use load::{Block, Load, Shape, feed};

const BLOCK: usize = 65_536;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    let shape = Shape {
        operations: numbers.next().unwrap_or(10_000_000),
        sends_percent: numbers.next().unwrap_or(50),
        tail_percent: numbers.next().unwrap_or(70),
        conversations: 1000,
        clients: 100,
        page: 20,
        info_permille: 5,
    };
    let (mut load, mut ledger) = (Load::new(shape), Ledger::new());
    let mut open: Vec<_> = (0..shape.clients).map(|_| None).collect();
    let (mut block, mut spent) = (Block::default(), Spent::default());
    let (mut events, mut shown) = (0, 0);
    while load.fill(&mut block, BLOCK) {
        spent.on(|| feed(&mut ledger, &mut open, &block));
        events += block.events.len();
        shown += block.messages.len();
    }
    let violations = spent.on(|| ledger.finish());
    assert!(violations.is_empty(), "the simulation keeps its word: {violations:?}");
    println!(
        "{} operations, {events} events, {} messages, {shown} on pages",
        shape.operations,
        load.messages()
    );
    for (clock, spent) in [("of the wall", spent.wall), ("of the processor", spent.processor)] {
        let (ms, each) = (spent.as_secs_f64() * 1e3, spent.as_secs_f64() * 1e9 / f64::from(shape.operations));
        println!("checking, by the clock {clock}: {ms:.1} ms, {each:.1} ns an operation");
    }
    println!("memory of the checker: {:.1} MB; peak of the process: {}", megabytes(ledger.bytes()), peak());
}

/// What the checking took.
#[derive(Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

impl Spent {
    fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (wall, processor) = (Instant::now(), on_processor());
        let done = work();
        self.wall += wall.elapsed();
        self.processor += on_processor().saturating_sub(processor);
        done
    }
}

/// How long this thread has run, as Linux counts it; zero where that is not known.
fn on_processor() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = statistics.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The greatest resident size of this process so far, as Linux counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
