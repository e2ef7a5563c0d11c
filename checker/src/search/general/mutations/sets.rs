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
    elements(size, &symbols);
}

/// The same where each element is asked for by itself.
fn elements(size: Size, symbols: &Symbols) {
    let sampler = Sets { set: set::Set::new(symbols), asks: Asks::Elements, unique: false };
    let model = ("set", &sampler);
    /// An operation with which nothing overlaps that left an element in the set, or out of it.
    fn leaves(random: &mut Random, operations: &[Asked], inside: bool) -> Option<(u32, Datum)> {
        let left = |place: usize| match (&operations[place].input, &operations[place].output) {
            (set::Input::Add(element), Some(_)) if inside => Some((ends(&operations[place]), *element)),
            (set::Input::Remove(element), Some(_)) if !inside => Some((ends(&operations[place]), *element)),
            _ => None,
        };
        let places: Vec<(u32, Datum)> = quiet(operations).into_iter().filter_map(left).collect();
        places.get(random.below(places.len().max(1))).copied()
    }
    tells(model, size, 0, ("missing for a while", AnomalyKind::StaleRead), |random, operations| {
        let (end, element) = leaves(random, operations, true)?;
        let lied = insert(operations, end, set::Input::Contains(element), set::Output::Found(false));
        insert(operations, end + 2, set::Input::Contains(element), set::Output::Found(true));
        Some(Lied::of(lied))
    });
    tells(model, size, 0, ("back after removal", AnomalyKind::Resurrected), |random, operations| {
        let (end, element) = leaves(random, operations, false)?;
        let added = |other: &&Asked| other.input == set::Input::Add(element) && ends(other) < end;
        operations.iter().find(added)?;
        Some(Lied::of(insert(operations, end, set::Input::Contains(element), set::Output::Found(true))))
    });
    tells(model, size, 0, ("missing for ever", AnomalyKind::Lost), |random, operations| {
        let (end, element) = leaves(random, operations, true)?;
        operations.retain(|operation| operation.invoked < end || operation.input.element() != Some(element));
        Some(Lied::of(insert(operations, end, set::Input::Contains(element), set::Output::Found(false))))
    });
    tells(model, size, 0, ("found, never added", AnomalyKind::Phantom), |random, operations| {
        let place = *shuffled(random, operations, |operation| operation.returned.is_some()).first()?;
        let end = ends(&operations[place]);
        let nowhere = Datum::Int(NOWHERE);
        Some(Lied::of(insert(operations, end, set::Input::Contains(nowhere), set::Output::Found(true))))
    });
}
