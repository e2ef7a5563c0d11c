//! What a person should look at next.

use super::{Precision, list};
use crate::anomaly::{Anomaly, Window, Witness};

/// The most nodes whose logs are named.
const NODES_MAX: usize = 4;

/// Where in the evidence, and the question to ask there. `suspect` is the position of the operation that gave the answer
/// which cannot be.
pub(crate) fn look_at(anomaly: &Anomaly, suspect: usize) -> String {
    let question = question(anomaly, suspect);
    match anomaly.operations.get(suspect) {
        Some(suspect) => format!("{} {question}", place(anomaly, suspect)),
        None => question,
    }
}

/// `Events 651 to 702 of the history, and the logs of n4 and n1 from 11.402 s to 11.571 s. Meanwhile: partition n1.`
fn place(anomaly: &Anomaly, suspect: &Witness) -> String {
    let first = &anomaly.operations[0];
    let (last_index, last) = ends(suspect).max(ends(first));
    let mut nodes: Vec<&str> = Vec::new();
    for node in
        [first, suspect].into_iter().chain(&anomaly.operations).filter_map(|shown| shown.node.as_deref())
    {
        if !nodes.contains(&node) && nodes.len() < NODES_MAX {
            nodes.push(node);
        }
    }
    let precision = Precision::telling_apart([first.invoked, last]);
    let (from, to) = (precision.seconds(first.invoked), precision.seconds(last));
    let logs = match nodes.len() {
        0 => format!(", from {from} to {to}"),
        1 => format!(", and the log of {} from {from} to {to}", nodes[0]),
        _ => format!(", and the logs of {} from {from} to {to}", list(&nodes)),
    };
    let stood = |fault: &&Window| {
        fault.began_index < last_index && fault.ended_index.is_none_or(|ended| ended > first.index)
    };
    let faults: Vec<String> = anomaly.faults.iter().filter(stood).map(Window::name).collect();
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    let faults = if faults.is_empty() { String::new() } else { format!(" Meanwhile: {}.", list(&faults)) };
    let events = match (first.index, last_index) {
        (one, other) if one == other => format!("Event {one}"),
        (one, other) => format!("Events {one} to {other}"),
    };
    format!("{events} of the history{logs}.{faults}")
}

fn ends(shown: &Witness) -> (u32, u64) {
    shown.completed_index.zip(shown.completed).unwrap_or((shown.index, shown.invoked))
}

/// The question of the kind, about these nodes.
fn question(anomaly: &Anomaly, suspect: usize) -> String {
    let of = |shown: Option<&Witness>| shown.and_then(|shown| shown.node.clone());
    let (first, last) = match anomaly.operations.first() {
        Some(first) => (of(Some(first)), of(anomaly.operations.get(suspect))),
        None => {
            let traced = |event: Option<&crate::evidence::trace::TraceEvent>| {
                event.map(|event| event.node().to_owned())
            };
            (traced(anomaly.trace.first()), traced(anomaly.trace.last()))
        }
    };
    let first = first.unwrap_or_else(|| "the server".to_owned());
    let last = last.unwrap_or_else(|| "the server".to_owned());
    anomaly.kind.look_at().replace("{first}", &first).replace("{last}", &last)
}
