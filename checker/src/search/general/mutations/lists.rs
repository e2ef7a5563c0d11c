//! Lies about lists.

use super::*;
use crate::model::list;
use crate::model::samples::Lists;

type Asked<'a> = Operation<list::Input, list::Output<'a>>;

fn seen<'o>(operation: &'o Asked<'_>) -> &'o [Datum] {
    operation.output.as_ref().and_then(|output| output.first()).map_or(&[], |seen| &**seen)
}

fn see<'a>(operation: &mut Asked<'a>, list: Vec<Datum>) {
    operation.output = Some(Box::new([list.into()]));
}

/// A read, and a value on it that was appended before it began, not the last.
fn known(random: &mut Random, operations: &[Asked<'_>]) -> Option<(usize, usize)> {
    shuffled(random, operations, |read| seen(read).len() > 1).into_iter().find_map(|read| {
        let list = seen(&operations[read]);
        let at = random.below(list.len() - 1);
        let is_append = |other: &&Asked<'_>| other.input[0] == list::Micro::Append(list[at]);
        let append = operations.iter().find(is_append)?;
        (ends(append) < operations[read].invoked).then_some((read, at))
    })
}

pub(super) fn lists(size: Size) {
    let symbols = Symbols::default();
    let sampler = Lists { list: list::List::new(&symbols), unique: true, micros_max: 1 };
    let model = ("list-append", &sampler);
    tells(model, size, 1, ("old list", AnomalyKind::StaleRead), |random, operations| {
        let (read, at) = known(random, operations)?;
        let list = seen(&operations[read]).to_vec();
        let is_longer = |(number, other): (usize, &Asked<'_>)| number != read && seen(other).len() > at;
        let is_shown = operations.iter().enumerate().any(is_longer);
        see(&mut operations[read], list[..at].to_vec());
        is_shown.then(|| Lied::of(read))
    });
    tells(model, size, 1, ("append lost", AnomalyKind::Lost), |random, operations| {
        let (read, at) = known(random, operations)?;
        let gone = seen(&operations[read])[at];
        for other in operations.iter_mut().filter(|other| seen(other).contains(&gone)) {
            let list = seen(other).iter().copied().filter(|value| *value != gone).collect();
            see(other, list);
        }
        operations.iter().position(|other| other.input[0] == list::Micro::Append(gone)).map(Lied::of)
    });
    tells(model, size, 1, ("two places changed", AnomalyKind::Conflict), |random, operations| {
        let (read, at) = known(random, operations)?;
        let mut list = seen(&operations[read]).to_vec();
        list.swap(at, at + 1);
        let is_longer = |(number, other): (usize, &Asked<'_>)| number != read && seen(other).len() > at + 1;
        let is_shown = operations.iter().enumerate().any(is_longer);
        see(&mut operations[read], list);
        is_shown.then(|| Lied::of(read))
    });
    tells(model, size, 1, ("shown twice", AnomalyKind::Duplicate), |random, operations| {
        let (read, at) = known(random, operations)?;
        let mut list = seen(&operations[read]).to_vec();
        list.insert(at, list[at]);
        see(&mut operations[read], list);
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("never appended", AnomalyKind::Phantom), |random, operations| {
        let (read, at) = known(random, operations)?;
        let mut list = seen(&operations[read]).to_vec();
        list[at] = Datum::Int(NOWHERE);
        see(&mut operations[read], list);
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("append failed", AnomalyKind::AbortedRead), |random, operations| {
        let (read, at) = known(random, operations)?;
        let value = seen(&operations[read])[at];
        let append = operations.iter().position(|other| other.input[0] == list::Micro::Append(value))?;
        Some(Lied::failed(append))
    });
}
