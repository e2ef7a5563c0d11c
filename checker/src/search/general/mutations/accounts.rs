//! Lies about accounts.

use super::*;
use crate::model::accounts::{Input, Output, Presence, effect};
use crate::model::samples::Accounts;

type Asked = Operation<Input, Output>;

/// An operation with which nothing overlaps and after which the name is there, or is not.
fn leaves(random: &mut Random, operations: &[Asked], wanted: Presence) -> Option<usize> {
    let is_so = |place: &usize| {
        let (needed, left) = effect(operations[*place].input, operations[*place].output);
        left.or(needed) == Some(wanted)
    };
    let places: Vec<usize> = quiet(operations).into_iter().filter(is_so).collect();
    places.get(random.below(places.len().max(1))).copied()
}

/// Ends the history behind an operation with which nothing overlaps.
fn cut(operations: &mut Vec<Asked>, last: usize) -> u32 {
    let end = ends(&operations[last]);
    operations.retain(|operation| operation.invoked < end);
    end
}

const FOUND: Output = Output::Done;
const ABSENT: Output = Output::Seen(Presence::Absent);

pub(super) fn accounts(size: Size) {
    let sampler = Accounts::default();
    let model = ("accounts", &sampler);
    tells(model, size, 0, ("created twice", AnomalyKind::DuplicateCreate), |random, operations| {
        let creates = |place: &usize| {
            operations[*place].input == Input::Create && operations[*place].output == Some(Output::Done)
        };
        let places: Vec<usize> = quiet(operations).into_iter().filter(creates).collect();
        let end = ends(&operations[*places.get(random.below(places.len().max(1)))?]);
        Some(Lied::of(insert(operations, end, Input::Create, Output::Done)))
    });
    tells(model, size, 0, ("missing for a while", AnomalyKind::StaleRead), |random, operations| {
        let end = ends(&operations[leaves(random, operations, Presence::Present)?]);
        let lied = insert(operations, end, Input::Login, ABSENT);
        insert(operations, end + 2, Input::Login, FOUND);
        Some(Lied::of(lied))
    });
    tells(model, size, 0, ("missing for ever", AnomalyKind::Lost), |random, operations| {
        let last = leaves(random, operations, Presence::Present)?;
        let end = cut(operations, last);
        let lied = insert(operations, end, Input::Login, ABSENT);
        insert(operations, end + 2, Input::Login, ABSENT);
        Some(Lied::of(lied))
    });
    tells(model, size, 0, ("back for ever", AnomalyKind::Resurrected), |random, operations| {
        let last = leaves(random, operations, Presence::Absent)?;
        let end = cut(operations, last);
        operations.iter().find(|operation| operation.input == Input::Create && ends(operation) < end)?;
        let lied = insert(operations, end, Input::Login, FOUND);
        insert(operations, end + 2, Input::Login, FOUND);
        Some(Lied::of(lied))
    });
    tells(model, size, 0, ("creation failed", AnomalyKind::AbortedRead), |random, operations| {
        let last = leaves(random, operations, Presence::Absent)?;
        let end = cut(operations, last);
        let failed = insert(operations, end, Input::Create, Output::Done);
        insert(operations, end + 2, Input::Login, FOUND);
        Some(Lied::failed(failed))
    });
    tells(model, size, 0, ("never created", AnomalyKind::Phantom), |_, operations| {
        operations.clear();
        insert(operations, 0, Input::Login, ABSENT);
        Some(Lied::of(insert(operations, 3, Input::Login, FOUND)))
    });
}
