//! Random histories of a conversation, seeded: linearizable as they come, and then bent.

use crate::differential::random::Random;
use crate::history::{self, Entry, History, Input, Moment, OperationId, Output, PageRange, Symbol};

/// One operation as the simulation knows it.
#[derive(Debug, Clone)]
pub(super) struct Simulated {
    pub(super) process: u64,
    pub(super) invoked: u64,
    pub(super) completed: u64,
    pub(super) what: What,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Fail,
    Info,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Send {
        id: u64,
        seq: u64,
    },
    /// `dead` are the numbers of the entries that are tombstones.
    Read {
        range: Range,
        last: bool,
        entries: Vec<(u64, u64)>,
        head: u64,
        dead: Vec<u64>,
    },
    Delete {
        seq: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    After(u64, u64),
    Before(u64, u64),
}

/// The shape of a random history.
pub(super) struct Shape {
    pub(super) processes: u64,
    pub(super) operations: u64,
    pub(super) info_percent: u64,
    pub(super) delete_percent: u64,
    pub(super) limit_max: u64,
    pub(super) final_reads: u64,
    /// How many messages the log forgets in the middle of the run, before it goes on with their numbers.
    pub(super) forgets: usize,
}

/// A history in which every operation takes effect at one point of its interval; linearizable, if nothing is
/// forgotten meanwhile.
pub(super) fn simulate(seed: u64, shape: &Shape) -> Vec<Simulated> {
    let mut random = Random(seed);
    let mut plan = intervals(&mut random, shape);
    // The points: the simulation executes in their order.
    let mut order: Vec<(u64, usize)> = Vec::new();
    for (number, operation) in plan.iter().enumerate() {
        let late = if operation.outcome == Outcome::Info { random.below(20) } else { 0 };
        let point = operation.invoked + random.below(operation.completed + late - operation.invoked + 1);
        order.push((point, number));
    }
    order.sort_unstable();
    let (mut log, mut deleted): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    let middle = order.len() / 2;
    for (step, (_, number)) in order.into_iter().enumerate() {
        if step == middle {
            log.truncate(log.len().saturating_sub(shape.forgets));
            deleted.retain(|seq| *seq <= log.len() as u64);
        }
        let operation = &mut plan[number];
        let happens = match operation.outcome {
            Outcome::Ok => true,
            Outcome::Fail => false,
            Outcome::Info => random.chance(50),
        };
        match &mut operation.what {
            What::Send { id, seq } if happens => {
                log.push(*id);
                *seq = log.len() as u64;
            }
            What::Send { .. } => {}
            What::Delete { seq } if happens && !log.is_empty() => {
                *seq = 1 + *seq % log.len() as u64;
                deleted.push(*seq);
            }
            What::Delete { .. } if operation.outcome == Outcome::Ok => operation.outcome = Outcome::Fail,
            What::Delete { .. } => {}
            What::Read { range, last, entries, head, dead } => {
                *head = log.len() as u64;
                if *last {
                    *range = Range::After(0, 1_000_000);
                }
                *entries = page(&log, *range);
                *dead = entries.iter().map(|(seq, _)| *seq).filter(|seq| deleted.contains(seq)).collect();
            }
        }
    }
    plan
}

pub(super) fn page(log: &[u64], range: Range) -> Vec<(u64, u64)> {
    let all = (1..).zip(log.iter().copied());
    match range {
        Range::After(seq, limit) => all.filter(|(n, _)| *n > seq).take(limit as usize).collect(),
        Range::Before(seq, limit) => {
            let before: Vec<_> = all.filter(|(n, _)| *n < seq).collect();
            before[before.len().saturating_sub(limit as usize)..].to_vec()
        }
    }
}

/// Who does what and when, without results. No two events are at the same time.
fn intervals(random: &mut Random, shape: &Shape) -> Vec<Simulated> {
    let mut processes: Vec<(u64, u64)> = (0..shape.processes).map(|number| (number, 0)).collect();
    let mut plan = Vec::new();
    let mut times = std::collections::HashSet::new();
    let mut at = |wish: u64| (wish..).find(|time| times.insert(*time)).expect("there is a free time");
    for id in 0..shape.operations {
        let number = random.below(shape.processes) as usize;
        let (process, free) = processes[number];
        let invoked = at(free + 1 + random.below(12));
        let completed = at(invoked + 1 + random.below(16));
        let what = if shape.delete_percent > 0 && random.below(100) < shape.delete_percent {
            What::Delete { seq: random.below(shape.operations) }
        } else if random.chance(50) {
            What::Send { id, seq: 0 }
        } else {
            let (seq, limit) = (random.below(shape.operations / 2 + 1), 1 + random.below(shape.limit_max));
            let range =
                if random.chance(70) { Range::After(seq, limit) } else { Range::Before(seq + 1, limit) };
            What::Read { range, last: false, entries: Vec::new(), head: 0, dead: Vec::new() }
        };
        let outcome = match random.below(100) {
            percent if percent < shape.info_percent => Outcome::Info,
            percent if percent < shape.info_percent + 3 => Outcome::Fail,
            _ => Outcome::Ok,
        };
        let successor = if outcome == Outcome::Info { process + 1000 } else { process };
        processes[number] = (successor, completed);
        plan.push(Simulated { process, invoked, completed, what, outcome });
    }
    let end = plan.iter().map(|operation| operation.completed).max().unwrap_or(0) + 30;
    for number in 0..shape.final_reads {
        let (invoked, completed) = (at(end + 10 * number), at(end + 10 * number + 5));
        let range = Range::After(0, 0);
        let what = What::Read { range, last: true, entries: Vec::new(), head: 0, dead: Vec::new() };
        plan.push(Simulated { process: 100_000 + number, invoked, completed, what, outcome: Outcome::Ok });
    }
    plan
}

/// The history that a recorder would have written.
pub(super) fn history(plan: &[Simulated]) -> History {
    record(&[("room".to_owned(), plan.to_vec())]).0
}

/// The history of several conversations by their names, and which of its operations is which, by conversation.
pub(super) fn record(rooms: &[(String, Vec<Simulated>)]) -> (History, Vec<Vec<OperationId>>) {
    let mut history = History::new();
    let mut events: Vec<(u64, usize, usize, bool)> = Vec::new();
    for (room, (_, plan)) in rooms.iter().enumerate() {
        for (number, operation) in plan.iter().enumerate() {
            events.push((operation.invoked, room, number, false));
            events.push((operation.completed, room, number, true));
        }
    }
    events.sort_unstable();
    let mut ids: Vec<Vec<OperationId>> =
        rooms.iter().map(|(_, plan)| vec![OperationId::new(0); plan.len()]).collect();
    for (ms, room, number, completes) in events {
        let (key, plan) = &rooms[room];
        let operation = &plan[number];
        let at = Moment { index: history.next_index(), time: ms * 1_000_000 };
        // Each conversation has clients of its own.
        let process = operation.process + 1_000_000 * room as u64;
        let mut symbols = std::mem::take(&mut history.symbols);
        let prefix = if room == 0 { String::new() } else { format!("{key}-") };
        let mut message = |id: u64| symbols.intern(&format!("{prefix}m{id}"));
        if completes {
            let (f, outcome) = completion(operation, &mut message);
            history.symbols = symbols;
            history.complete(at, process, f, outcome).expect("the process has it open");
        } else {
            let input = invocation(operation, &mut message);
            let (key, node) =
                (symbols.intern(key), symbols.intern(&format!("n{}", operation.process % 5 + 1)));
            history.symbols = symbols;
            ids[room][number] =
                history.invoke(at, process, Some(node), Some(key), input).expect("the process is idle");
        }
    }
    (history, ids)
}

fn invocation(operation: &Simulated, message: &mut impl FnMut(u64) -> Symbol) -> Input {
    match operation.what {
        What::Send { id, .. } => Input::Send { id: message(id) },
        What::Read { range, last, .. } => {
            let range = match range {
                Range::After(seq, limit) => PageRange::After { seq, limit: limit as u32 },
                Range::Before(seq, limit) => PageRange::Before { seq, limit: limit as u32 },
            };
            Input::Read { range, last }
        }
        What::Delete { seq } => Input::Delete { seq },
    }
}

fn completion(
    operation: &Simulated,
    message: &mut impl FnMut(u64) -> Symbol,
) -> (&'static str, history::Outcome) {
    let (f, output) = match &operation.what {
        What::Send { seq, .. } => ("send", Output::Sent { seq: *seq }),
        What::Delete { .. } => ("delete", Output::Done),
        What::Read { entries, head, dead, .. } => {
            let entry =
                |(seq, id): &(u64, u64)| Entry { seq: *seq, id: message(*id), deleted: dead.contains(seq) };
            ("read", Output::Page { entries: entries.iter().map(entry).collect(), head: *head })
        }
    };
    let outcome = match operation.outcome {
        Outcome::Ok => history::Outcome::Ok(output),
        Outcome::Fail => history::Outcome::Fail(None),
        Outcome::Info => history::Outcome::Info(None),
    };
    (f, outcome)
}
