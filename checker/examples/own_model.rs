//! A model of one's own: a machine that gives out numbered tickets.
//!
//! `cargo run -p checker --example own_model` prints what is wrong with two small histories.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use checker::anomaly::{Anomaly, Told};
use checker::explain::Style;
use checker::limits::Limits;
use checker::model::{Model, Operation};
use checker::search::{Outcome, check};

/// Each ticket has the number after the last one.
struct Tickets;

impl Model for Tickets {
    /// The next number.
    type State = u32;
    type Input = ();
    /// The number on the ticket.
    type Output = u32;

    fn initial(&self) -> Vec<u32> {
        vec![1]
    }

    fn step(&self, next: &u32, _input: &(), ticket: Option<&u32>) -> Option<u32> {
        ticket.is_none_or(|ticket| ticket == next).then(|| next + 1)
    }

    fn refusal(&self, next: &u32, _input: &(), _ticket: Option<&u32>) -> String {
        format!("the next ticket here is {next}")
    }
}

/// Who took which ticket, from when until when, in ms. Nobody knows the ticket of 0: its taker never heard.
type Taken = (u64, u32, u64, u64);

fn judge(name: &str, history: &[Taken]) {
    // The places of the events on one line: no two are the same.
    let mut events: Vec<(u64, usize, bool)> = Vec::new();
    for (position, (_, ticket, from, until)) in history.iter().enumerate() {
        events.push((*from, position, false));
        events.extend((*ticket > 0).then_some((*until, position, true)));
    }
    events.sort_unstable();
    let place = |position: usize, ends: bool| {
        let event = events.iter().position(|event| (event.1, event.2) == (position, ends))?;
        u32::try_from(event).ok()
    };
    let operations: Vec<Operation<(), u32>> = (0..history.len())
        .map(|position| Operation {
            input: (),
            output: Some(history[position].1).filter(|ticket| *ticket > 0),
            invoked: place(position, false).expect("every operation was invoked"),
            returned: place(position, true),
        })
        .collect();

    match check(&Tickets, &operations, &Limits::none()) {
        Outcome::Linearizable(order) => println!("{name}: valid, in the order {order:?}\n"),
        Outcome::Unknown(unknown) => println!("{name}: unknown, {}\n", unknown.exceeded),
        Outcome::NotLinearizable(contradiction) => {
            let tell = |position: usize| {
                let (client, ticket, from, until) = history[position];
                Told {
                    client,
                    text: format!("take a ticket: {ticket}"),
                    invoked: from * 1_000_000,
                    completed: (ticket > 0).then_some(until * 1_000_000),
                }
            };
            let anomaly = Anomaly::of_contradiction(&Tickets, &operations, &contradiction, name, tell);
            println!("{name}: {}\n\n{}", anomaly.told(), anomaly.draw(Style::default()));
            for refusal in &anomaly.refusals {
                println!("{} is refused: {}", refusal.operation, refusal.why);
            }
        }
    }
}

fn main() {
    judge("monday", &[(1, 2, 10, 30), (2, 1, 20, 40), (3, 3, 50, 60)]);
    judge("tuesday", &[(1, 1, 10, 30), (2, 0, 20, 25), (3, 2, 40, 50), (4, 2, 60, 70)]);
}
