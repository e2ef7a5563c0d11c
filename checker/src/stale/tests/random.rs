//! Random nodes that apply one log, each in its time, die and come back; and such as go back while they live.

use proptest::prelude::*;

use super::*;
use crate::history::{Datum, FaultLine, Moment, Outcome};

const NODES: usize = 3;

/// What happens next, on which node, in which of two conversations, and how far something goes.
type Happening = (u8, usize, usize, usize);

/// The answers of one node, from the log that all of them apply.
#[derive(Default)]
struct Run {
    history: History,
    /// Each message: its conversation and its id.
    log: Vec<(usize, Symbol)>,
    applied: [usize; NODES],
    process: u64,
}

impl Run {
    fn at(&self) -> Moment {
        let index = self.history.next_index();
        Moment { index, time: u64::from(index) * 1_000 }
    }

    fn name(&mut self, prefix: &str, number: usize) -> Symbol {
        self.history.symbols.intern(&format!("{prefix}{number}"))
    }

    fn operate(&mut self, node: usize, key: usize, input: Input, output: Output) {
        let (node, key) = (Some(self.name("n", node)), Some(self.name("k", key)));
        self.process += 1;
        let f = if matches!(input, Input::Send { .. }) { "send" } else { "read" };
        self.history.invoke(self.at(), self.process, node, key, input).unwrap();
        self.history.complete(self.at(), self.process, f, Outcome::Ok(output)).unwrap();
    }

    fn read(&mut self, node: usize, key: usize, upto: usize, stale: bool) {
        let range = PageRange::After { seq: 0, limit: 100 };
        let own = self.log[..upto].iter().filter(|(conversation, _)| *conversation == key);
        let entries: Box<[Entry]> =
            own.zip(1..).map(|((_, id), seq)| Entry { seq, id: *id, deleted: false }).collect();
        let head = entries.len() as u64;
        let input = if stale { Input::StaleRead { range } } else { Input::Read { range, last: false } };
        self.operate(node, key, input, Output::Page { entries, head });
    }

    /// `goes_back`: a stale read may be answered from any older state.
    fn of(happenings: &[Happening], goes_back: bool) -> Self {
        let mut run = Run::default();
        for &(kind, node, key, far) in happenings {
            let end = run.log.len();
            match kind {
                0..3 => {
                    let id = run.name("m", end);
                    run.log.push((key, id));
                    let seq = run.log.iter().filter(|(conversation, _)| *conversation == key).count() as u64;
                    run.operate(node, key, Input::Send { id }, Output::Sent { seq });
                }
                3 => run.applied[node] = (run.applied[node] + far).min(end),
                4 => {
                    run.applied[node] = end;
                    run.read(node, key, end, false);
                }
                5 => {
                    run.applied[node] -= far.min(run.applied[node]);
                    let kill = run.history.symbols.intern("kill");
                    let nodes: Box<[Symbol]> = Box::new([run.name("n", node)]);
                    for _ in 0..2 {
                        let line = FaultLine { f: kill, key: None, nodes: nodes.clone(), value: Datum::Nil };
                        run.history.nemesis(run.at(), line).unwrap();
                    }
                }
                _ => {
                    let upto = run.applied[node];
                    run.read(node, key, if goes_back { upto.saturating_sub(far) } else { upto }, true);
                }
            }
        }
        run
    }
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    proptest::collection::vec((0..9_u8, 0..NODES, 0..2_usize, 0..4_usize), 1..60)
}

/// The definition: how many stale reads show less than an earlier read through the same node in the same life, or lack
/// what was acknowledged before something was sent that such a read showed.
fn went_back(evidence: &Evidence) -> u64 {
    let (history, lives) = (&evidence.history, Lives::of(evidence));
    let head = |operation: &Operation| match operation.output() {
        Some(Output::Page { head, .. }) => Some(*head),
        _ => None,
    };
    let goes_back = |(at, stale): (usize, &Operation)| {
        let earlier = || history.operations()[..at].iter().filter(|read| lives.is_one(read, stale));
        let sent = |key: Option<Symbol>| {
            let sends = history.operations().iter().filter(move |send| send.key == key);
            sends.filter_map(|send| match send.output() {
                Some(Output::Sent { seq }) => Some((*seq, send)),
                _ => None,
            })
        };
        let lacks = |shown: &Operation| {
            sent(stale.key)
                .any(|(seq, missing)| Some(seq) > head(stale) && missing.returned_before(shown.invoked))
        };
        earlier().filter(|read| read.key == stale.key).filter_map(head).any(|shown| Some(shown) > head(stale))
            || earlier().any(|read| {
                let shown = head(read);
                sent(read.key).any(|(seq, send)| Some(seq) <= shown && lacks(send))
            })
    };
    let stale = history.operations().iter().enumerate();
    stale
        .filter(|(_, read)| matches!(read.input, Input::StaleRead { .. }))
        .filter(|pair| goes_back(*pair))
        .count() as u64
}

proptest! {
    #[test]
    fn a_prefix_of_the_log_is_valid_however_late(happenings in happenings()) {
        let evidence = Evidence { history: Run::of(&happenings, false).history, ..Evidence::default() };
        let result = check(&evidence, &Limits::none());
        prop_assert_eq!(result.anomalies_total, 0, "{:?}\n{}", result.reason, timeline::draw(&evidence.history));
    }

    #[test]
    fn a_node_that_goes_back_is_found_out_each_time(happenings in happenings()) {
        let evidence = Evidence { history: Run::of(&happenings, true).history, ..Evidence::default() };
        let result = check(&evidence, &Limits::none());
        let expected = went_back(&evidence);
        prop_assert_eq!(result.anomalies_total, expected, "{:?}\n{}", result.reason, timeline::draw(&evidence.history));
        prop_assert!(result.anomalies.iter().all(|anomaly| anomaly.kind == AnomalyKind::MonotonicReads));
    }
}
