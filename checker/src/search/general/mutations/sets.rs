//! Lies about sets that grow.

use super::*;
use crate::model::samples::{Asks, Sets};
use crate::model::set;

type Asked = Operation<set::Input, set::Output>;

fn seen(operation: &Asked) -> &[Datum] {
    match &operation.output {
        Some(set::Output::Elements(elements)) => elements,
        _ => &[],
    }
}

fn without(operation: &mut Asked, element: Datum) {
    if let Some(set::Output::Elements(elements)) = &mut operation.output {
        *elements = elements.iter().copied().filter(|other| *other != element).collect();
    }
}

/// A read, and an element on it that was added before it began.
fn known(random: &mut Random, operations: &[Asked]) -> Option<(usize, Datum)> {
    shuffled(random, operations, |read| !seen(read).is_empty()).into_iter().find_map(|read| {
        let added = |element: &&Datum| {
            let is_add = |other: &&Asked| other.input == set::Input::Add(**element);
            operations.iter().find(is_add).is_some_and(|add| ends(add) < operations[read].invoked)
        };
        seen(&operations[read]).iter().find(added).map(|element| (read, *element))
    })
}

pub(super) fn sets(size: Size) {
    let symbols = Symbols::default();
    let growing = Sets { set: set::Set::new(&symbols), asks: Asks::Growing, unique: true };
    let model = ("set", &growing);
    tells(model, size, 1, ("old set", AnomalyKind::StaleRead), |random, operations| {
        let (read, element) = known(random, operations)?;
        let end = ends(&operations[read]);
        let is_later = |other: &Asked| other.invoked > end && seen(other).contains(&element);
        let is_shown = operations.iter().any(is_later);
        without(&mut operations[read], element);
        is_shown.then(|| Lied::of(read))
    });
    tells(model, size, 1, ("element lost", AnomalyKind::Lost), |random, operations| {
        let (_, element) = known(random, operations)?;
        let add = operations.iter().position(|other| other.input == set::Input::Add(element))?;
        // No read shows it, but those that were under way with its addition.
        operations.iter_mut().for_each(|other| without(other, element));
        Some(Lied::of(add))
    });
    tells(model, size, 1, ("never added", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, |read| !seen(read).is_empty()).first()?;
        let elements = seen(&operations[read]).iter().copied().chain([Datum::Int(NOWHERE)]).collect();
        operations[read].output = Some(set::Output::Elements(elements));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("shown twice", AnomalyKind::Duplicate), |random, operations| {
        let read = *shuffled(random, operations, |read| !seen(read).is_empty()).first()?;
        let first = seen(&operations[read])[0];
        let elements = [first].into_iter().chain(seen(&operations[read]).iter().copied()).collect();
        operations[read].output = Some(set::Output::Elements(elements));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("addition failed", AnomalyKind::AbortedRead), |random, operations| {
        let (_, element) = known(random, operations)?;
        let add = operations.iter().position(|other| other.input == set::Input::Add(element))?;
        Some(Lied::failed(add))
    });
}
