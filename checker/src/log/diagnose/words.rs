//! The sentences.

use super::case::{Case, Place, Reading};
use crate::anomaly::AnomalyKind;
use crate::explain::{Scene, client, the_read};
use crate::history::{Input, Operation, OperationId, Output, PageRange, Symbol};
use crate::log::online::Violation;

pub(super) fn lost(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    place: &Place,
    first: &Reading<'_>,
    last: &Reading<'_>,
) -> String {
    let missed = missed(case, scene, message, place, first);
    let to_the_last = match last.id == first.id {
        true => String::new(),
        false => format!(", up to {}", the_read(case.history, last.operation)),
    };
    format!("{missed}, and no later read shows it{to_the_last}")
}

pub(super) fn stale(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    place: &Place,
    reading: &Reading<'_>,
    shown_by: Option<OperationId>,
) -> String {
    let missed = missed(case, scene, message, place, reading);
    match shown_by {
        Some(read) => format!("{missed}; {}", scene.shows_it(case.operation(read))),
        None => missed,
    }
}

/// What was known before a read, and that the read does not show it.
fn missed(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    place: &Place,
    reading: &Reading<'_>,
) -> String {
    let known = match reading.floor.proof {
        Some(proof) if !place.known_before(reading) => {
            let id = case.history.text(message);
            format!("{}, and number {} is message {id}", proven(case, scene, proof), place.seq)
        }
        _ => known(case, scene, message, place),
    };
    format!("{known}; {}", scene.without(reading.operation, place.seq))
}

pub(super) fn stale_head(case: &Case<'_>, scene: &Scene<'_>, reading: &Reading<'_>) -> String {
    let proven = reading.floor.proof.map(|proof| format!("{}; ", proven(case, scene, proof)));
    format!("{}{}", proven.unwrap_or_default(), scene.without(reading.operation, reading.floor.seq))
}

pub(super) fn doubled_at_once(
    case: &Case<'_>,
    message: Symbol,
    (one, other): (u64, u64),
    read: OperationId,
) -> String {
    let (id, read) = (case.history.text(message), the_read(case.history, case.operation(read)));
    format!("{read} shows message {id} twice on one page, as number {one} and as number {other}")
}

pub(super) fn doubled(case: &Case<'_>, message: Symbol, one: &Place, other: &Place) -> String {
    let says = |place: &Place| format!("{} says number {}", evidence(case, place.first), place.seq);
    let id = case.history.text(message);
    format!(
        "message {id} stands in the conversation twice: {}, {}, and no page has anything else there",
        says(one),
        says(other)
    )
}

pub(super) fn moved(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    one: &Place,
    other: &Place,
) -> String {
    let (who, at) = (evidence(case, other.first), scene.at(other.known));
    format!("{}, but {who}, which ended at {at}, says number {}", known(case, scene, message, one), other.seq)
}

pub(super) fn conflict(
    case: &Case<'_>,
    seq: u64,
    (one, one_place): &(Symbol, Place),
    (other, other_place): &(Symbol, Place),
) -> String {
    format!(
        "number {seq} is two messages: {} by {}, and {} by {}",
        case.history.text(*one),
        evidence(case, one_place.first),
        case.history.text(*other),
        evidence(case, other_place.first)
    )
}

pub(super) fn phantom(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    place: &Place,
    send: Option<OperationId>,
) -> String {
    let (id, who, seq) = (case.history.text(message), evidence(case, place.first), place.seq);
    match send {
        None => format!("{who} shows message {id} as number {seq}, which nobody has sent"),
        Some(send) => {
            let (ended, began) = (scene.at(place.known), scene.at(case.operation(send).invoked));
            format!(
                "{who}, which ended at {ended}, shows message {id} as number {seq}, but its send began only at {began}"
            )
        }
    }
}

pub(super) fn wrong_conversation(
    case: &Case<'_>,
    message: Symbol,
    place: &Place,
    send: OperationId,
) -> String {
    let name = |key: Option<Symbol>| key.map_or("without a name", |key| case.history.text(key));
    format!(
        "message {} was sent to conversation {}, but {} shows it in {} as number {}",
        case.history.text(message),
        name(case.operation(send).key),
        evidence(case, place.first),
        name(case.key),
        place.seq
    )
}

pub(super) fn aborted(
    case: &Case<'_>,
    scene: &Scene<'_>,
    message: Symbol,
    place: &Place,
    send: OperationId,
) -> String {
    format!(
        "send {} failed at {}, so it never happened, but {} shows it as number {}",
        case.history.text(message),
        scene.ended(case.operation(send)),
        evidence(case, place.first),
        place.seq
    )
}

pub(super) fn late(
    case: &Case<'_>,
    scene: &Scene<'_>,
    before: OperationId,
    send: OperationId,
    seq: u64,
) -> String {
    let (proven, began) = (proven(case, scene, before), scene.at(case.operation(send).invoked));
    format!("{proven}; {} began at {began} but got number {seq}", name(case, send))
}

pub(super) fn page(case: &Case<'_>, reading: &Reading<'_>, what: &str) -> String {
    let (limit, place) = match reading.range {
        PageRange::After { seq, limit } => (limit, format!("after number {seq}")),
        PageRange::Before { seq, limit } => (limit, format!("before number {seq}")),
    };
    let messages = if limit == 1 { "message" } else { "messages" };
    let (who, head) = (the_read(case.history, reading.operation), reading.head);
    format!("{who} asked for at most {limit} {messages} {place} and ended at number {head}, but {what}")
}

pub(super) fn as_found(case: &Case<'_>, scene: &Scene<'_>, violation: &Violation) -> String {
    let operation = case.operation(violation.operation);
    let proven = proven(case, scene, violation.operation);
    let sent_before = |send: &&Operation| {
        matches!(send.input, Input::Send { .. })
            && send.key == case.key
            && operation.completed.is_some_and(|end| send.invoked.index < end.index)
    };
    let sent = case.history.operations().iter().filter(sent_before).count() as u64;
    match violation.kind {
        AnomalyKind::Hole if violation.seq > sent => {
            format!("{proven}, but no more than {sent} had been sent by then")
        }
        AnomalyKind::Hole => format!(
            "{proven}, but nothing can be number {}: every send that had begun has another number or failed",
            violation.seq
        ),
        AnomalyKind::Resurrected | AnomalyKind::NotLinearizable => {
            super::tombstone::words_order(case, violation.seq)
        }
        kind => format!("{proven}, which contradicts what was known before ({kind})"),
    }
}

/// `send c3-17 was acknowledged at 12.013 s as number 17`
fn known(case: &Case<'_>, scene: &Scene<'_>, message: Symbol, place: &Place) -> String {
    if case.sends.get(&message) == Some(&place.first) {
        return proven(case, scene, place.first);
    }
    let (id, at) = (case.history.text(message), scene.at(place.known));
    let reader = the_read(case.history, case.operation(place.first));
    format!("message {id} was shown as number {} at {at} by {reader}", place.seq)
}

/// What an operation proves about the length of the conversation:
/// `send c3-17 was acknowledged at 12.013 s as number 17`.
fn proven(case: &Case<'_>, scene: &Scene<'_>, id: OperationId) -> String {
    let operation = case.operation(id);
    let (name, at) = (name(case, id), scene.ended(operation));
    match operation.output() {
        Some(Output::Sent { seq }) => format!("{name} was acknowledged at {at} as number {seq}"),
        Some(Output::Page { head, .. }) => {
            format!("{name}, which ended at {at}, shows the conversation up to number {head}")
        }
        Some(Output::Done) => format!("{name} was acknowledged at {at}"),
        _ => format!("{name} ended at {at}"),
    }
}

/// `send c3-17`, `the read by client 5 on n2`
fn name(case: &Case<'_>, id: OperationId) -> String {
    let operation = case.operation(id);
    match operation.input {
        Input::Send { id } => format!("send {}", case.history.text(id)),
        Input::Read { .. } => the_read(case.history, operation),
        Input::Delete { seq } => {
            format!("the delete of number {seq} by {}", client(case.history, operation))
        }
        _ => format!("the {} by {}", case.history.f(operation), client(case.history, operation)),
    }
}

/// `the acknowledgement to client 3 on n1`, `the read by client 5 on n2`
fn evidence(case: &Case<'_>, id: OperationId) -> String {
    let operation = case.operation(id);
    match operation.input {
        Input::Send { .. } => format!("the acknowledgement to {}", client(case.history, operation)),
        _ => the_read(case.history, operation),
    }
}
