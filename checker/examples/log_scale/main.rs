//! How long the log checker takes for many operations, and how much memory.
//!
//! ```text
//! cargo run --release -p checker --example log_scale -- [OPERATIONS [SENDS_PERCENT [TAIL_PERCENT [FILE]]]]
//! ```
//!
//! The operations are made in blocks of 65,536 events and thrown away after they were checked; only the checking is
//! timed: on the clock of the wall, by what Linux says the thread has run (which it counts in whole ticks), and as if
//! all blocks had taken as long as the median one. On a machine that does other things too, the first says little. The peak of memory is that of the whole process, the simulation included. With a
//! file, the operations are written there as a binary history instead, and what is timed is reading and checking it.
#![expect(clippy::disallowed_methods, reason = "a measurement has a clock and looks at its own process")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod file;
mod load;

use std::io::BufReader;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use checker::log::ledger::Ledger;
use checker::log::stream;
use load::{Block, Load, Shape, feed};

const BLOCK: usize = 65_536;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut numbers = words.by_ref().take(3).map(|word| word.parse().expect("a number"));
    let shape = Shape {
        operations: numbers.next().unwrap_or(10_000_000),
        sends_percent: numbers.next().unwrap_or(50),
        tail_percent: numbers.next().unwrap_or(70),
        conversations: 1000,
        clients: 100,
        page: 20,
        info_permille: 5,
    };
    match words.next() {
        Some(path) => in_file(shape, &path),
        None => in_memory(shape),
    }
}

/// Writes the operations to a file, and checks it.
fn in_file(shape: Shape, path: &str) {
    file::write(shape, path).expect("the file can be written");
    let mut spent = Spent::default();
    let streamed = spent.on(|| {
        let file = std::fs::File::open(path).expect("the file is there");
        stream::check(BufReader::with_capacity(1 << 16, file), |_| ControlFlow::Continue(()))
    });
    let streamed = streamed.expect("the file is whole");
    assert!(streamed.violations.is_empty(), "the simulation keeps its word: {:?}", streamed.violations);
    let bytes = std::fs::metadata(path).expect("the file is there").len();
    println!("{} operations in {:.1} MB", streamed.operations, megabytes(bytes));
    spent.tell(shape);
    println!("memory of the checker: {:.1} MB; peak of the process: {}", megabytes(streamed.bytes), peak());
}

fn in_memory(shape: Shape) {
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
    spent.tell(shape);
    println!("memory of the checker: {:.1} MB; peak of the process: {}", megabytes(ledger.bytes()), peak());
}

/// What the checking took.
#[derive(Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
    /// Each piece of work by the clock of the wall.
    pieces: Vec<Duration>,
}

impl Spent {
    fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (wall, processor) = (Instant::now(), on_processor());
        let done = work();
        self.pieces.push(wall.elapsed());
        self.wall += wall.elapsed();
        self.processor += on_processor().saturating_sub(processor);
        done
    }

    fn tell(&mut self, shape: Shape) {
        self.pieces.sort_unstable();
        let count = u32::try_from(self.pieces.len()).unwrap_or(u32::MAX);
        let median = self.pieces.get(self.pieces.len() / 2).copied().unwrap_or_default() * count;
        let clocks =
            [("clock of the wall", self.wall), ("processor", self.processor), ("median block", median)];
        for (clock, spent) in clocks {
            let (ms, each) =
                (spent.as_secs_f64() * 1e3, spent.as_secs_f64() * 1e9 / f64::from(shape.operations));
            println!("checking, by the {clock}: {ms:.1} ms, {each:.1} ns an operation");
        }
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
