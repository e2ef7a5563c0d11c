//! How long the log checker takes, on one thread: `cargo bench -p checker --bench log`.
//!
//! What is measured is the verdict on events that are in memory as dense numbers, for 10^5 to 10^7 operations on 1,000
//! conversations: half of them are sends, half are pages of 20 messages, and of one in 200 nobody learns the outcome.
//! Each is decided as it is, and with one lie near its end. The events are made in blocks between what is timed. The
//! time is what the thread had of a processor, where the kernel tells it, so that a busy machine does not count.

#[path = "../examples/log_scale/load.rs"]
mod load;
#[path = "measure/criterion.rs"]
mod measure;

use std::time::Duration;

use checker::log::ledger::Ledger;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use load::{Block, Load, Shape, feed};
use measure::ProcessorTime;

/// So many events are made and then decided at a time.
const BLOCK: usize = 8192;

/// Decides a simulated chat, and returns how long that took.
fn decide(shape: Shape) -> Duration {
    let (mut load, mut ledger) = (Load::new(shape), Ledger::new());
    let mut open: Vec<_> = (0..shape.clients).map(|_| None).collect();
    let (mut block, mut spent, mut found) = (Block::default(), Duration::ZERO, 0);
    while load.fill(&mut block, BLOCK) {
        let begin = ProcessorTime::now();
        found += feed(&mut ledger, &mut open, &block).len();
        spent += ProcessorTime::now().saturating_sub(begin);
    }
    let begin = ProcessorTime::now();
    found += ledger.finish().len();
    spent += ProcessorTime::now().saturating_sub(begin);
    assert_eq!(load.messages() > 0, shape.sends_percent > 0, "messages are sent if they are asked for");
    assert_eq!(found, usize::from(shape.lie.is_some()), "one lie is one violation");
    spent
}

fn logs(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("log");
    for operations in [100_000, 1_000_000, 10_000_000] {
        let honest = Shape {
            operations,
            sends_percent: 50,
            tail_percent: 70,
            conversations: 1000,
            clients: 100,
            page: 20,
            info_permille: 5,
            lie: None,
        };
        group.throughput(Throughput::Elements(operations.into()));
        for (kind, lie) in [("valid", None), ("invalid", Some(operations / 10 * 9))] {
            group.bench_function(format!("{operations} operations, {kind}"), |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| decide(Shape { lie, ..honest })).sum());
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = log;
    // The kernel counts in milliseconds, so each sample must be many of them.
    config = Criterion::default()
        .with_measurement(ProcessorTime)
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    targets = logs
}
criterion_main!(log);
