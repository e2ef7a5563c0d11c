//! How long the log checker takes for many operations, and how much memory.
//!
//! ```text
//! cargo run --release -p checker --example log_scale -- [OPERATIONS [SENDS_PERCENT [TAIL_PERCENT [FILE]]]]
//! ```
//!
//! A simulated chat of 1,000 conversations is decided twice: once it keeps its word, and once it lies a single time,
//! near the end. The events are made in blocks and thrown away after they were decided; only the deciding is timed, on
//! the one thread that there is: by what Linux says the thread has run, on the clock of the wall, and as if all blocks
//! had taken as long as the median one. On a machine that does other things too, the clock of the wall says little. The
//! peak of memory is that of the whole process so far, the simulation included. With a file, the operations are
//! written there as a binary history instead, and what is timed is reading and deciding it.
#![expect(clippy::disallowed_methods, reason = "a measurement has a clock and looks at its own process")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod file;
mod load;
#[path = "../../benches/measure/processor.rs"]
mod processor;

use std::io::BufReader;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use checker::log::ledger::{Ledger, Violation};
use checker::log::stream;
use load::{Block, Load, Shape, feed};
use processor::on_processor;

/// So many events are made and then decided at a time.
const BLOCK: usize = 8192;

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
        lie: None,
    };
    if let Some(path) = words.next() {
        return in_file(shape, &path);
    }
    println!("timed: deciding events that are in memory, on one thread; not timed: making them");
    let found = in_memory(shape);
    println!("valid: {found:?}\n");
    assert!(found.is_empty(), "the simulation keeps its word");
    let found = in_memory(Shape { lie: Some(shape.operations / 10 * 9), ..shape });
    println!("invalid: {found:?}");
    assert_eq!(found.len(), 1, "one lie is one violation");
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
    println!("timed: reading a file and deciding what is in it, on one thread; not timed: writing it");
    println!("{} operations in {:.1} MB", streamed.operations, megabytes(bytes));
    spent.tell(shape);
    println!("memory of the checker: {:.1} MB; peak of the process: {}", megabytes(streamed.bytes), peak());
}

/// Makes the operations and decides them. Returns what was found.
fn in_memory(shape: Shape) -> Vec<Violation> {
    let (mut load, mut ledger) = (Load::new(shape), Ledger::new());
    let mut open: Vec<_> = (0..shape.clients).map(|_| None).collect();
    let (mut block, mut spent) = (Block::default(), Spent::default());
    let (mut events, mut pages, mut shown, mut found) = (0, 0, 0, Vec::new());
    while load.fill(&mut block, BLOCK) {
        found.extend(spent.on(|| feed(&mut ledger, &mut open, &block)));
        events += block.events.len();
        pages += block.pages.len();
        shown += block.pages.iter().map(|page| block.messages(page).len()).sum::<usize>();
    }
    found.extend(spent.on(|| ledger.finish()));
    println!(
        "{} operations, {events} events, {} messages sent, {pages} pages that show {shown}",
        shape.operations,
        load.messages()
    );
    spent.tell(shape);
    println!("memory of the checker: {:.1} MB; peak of the process: {}", megabytes(ledger.bytes()), peak());
    found
}

/// What the deciding took.
#[derive(Default)]
struct Spent {
    wall: Duration,
    /// Nothing where the kernel does not tell.
    processor: Duration,
    /// Each piece of work by the clock of the wall.
    pieces: Vec<Duration>,
}

impl Spent {
    fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (processor, wall) = (on_processor(), Instant::now());
        let done = work();
        let spent = wall.elapsed();
        self.pieces.push(spent);
        self.wall += spent;
        let ran = on_processor().zip(processor).map(|(after, before)| after.saturating_sub(before));
        self.processor += ran.unwrap_or_default();
        done
    }

    fn tell(&mut self, shape: Shape) {
        self.pieces.sort_unstable();
        let count = u32::try_from(self.pieces.len()).unwrap_or(u32::MAX);
        let median = self.pieces.get(self.pieces.len() / 2).copied().unwrap_or_default() * count;
        for (clock, spent) in
            [("processor", self.processor), ("clock of the wall", self.wall), ("median block", median)]
        {
            let (ms, each) =
                (spent.as_secs_f64() * 1e3, spent.as_secs_f64() * 1e9 / f64::from(shape.operations));
            println!("deciding, by the {clock}: {ms:.1} ms, {each:.1} ns an operation");
        }
    }
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
