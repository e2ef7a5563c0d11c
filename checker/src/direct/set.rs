//! Sets: the whole of a set that only grows, or each element by itself.
//!
//! - Where nothing is removed or looked for, the sets that were read must be a chain, each a part of the next. So the
//!   [chain](super::chain) is: for each set that was read, first the additions of what is new in it, then its reads. Of
//!   several additions of one element, the one that was invoked first is put there, and the others may come at any time
//!   after the reads without it; so may those of elements that no read shows, after all reads.
//! - Where the set is never read as a whole, the elements do not depend on each other: linearizability is local (Herlihy
//!   and Wing 1990), and each element is a set of its own. Most have few operations, so the search is quick.
//! - Anything else is not decided here.

use std::collections::{BTreeMap, HashMap};

use super::chain::{Chain, Conflict};
use super::{Answer, Violation, returned};
use crate::anomaly::AnomalyKind;
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::set::{Input, Output, Set};
use crate::search::{self, Contradiction, Outcome};

type Operation<'a> = OperationOf<Set<'a>>;

/// Decides whether the operations on one set are linearizable.
///
/// # Errors
/// If a limit was hit.
pub fn decide<'a>(
    model: &Set<'a>,
    operations: &[Operation<'a>],
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let reads = operations.iter().any(|operation| elements(operation).is_some());
    let grows = |operation: &Operation<'a>| match operation.input {
        Input::Add(_) => matches!(operation.output, None | Some(Output::Done)),
        Input::Read => true,
        // Nobody knows whether it was looked for.
        Input::Contains(_) => operation.output.is_none(),
        Input::Remove(_) => false,
    };
    if !reads {
        return each(model, operations, limits, budget);
    }
    if operations.iter().all(grows) { whole(model, operations, budget) } else { Ok(Answer::NotMine) }
}

fn elements<'o>(operation: &'o Operation<'_>) -> Option<&'o [Datum]> {
    match &operation.output {
        Some(Output::Elements(elements)) => Some(elements),
        _ => None,
    }
}

/// What is known of the elements of a set that only grows.
struct Growth<'o, 'a> {
    model: &'o Set<'a>,
    operations: &'o [Operation<'a>],
    /// The reads with an answer, the smaller sets first.
    reads: Vec<usize>,
    /// For each element, the addition that was invoked first.
    first: HashMap<Datum, usize>,
    /// For each element that was read, the size of the smallest set that has it.
    since: HashMap<Datum, u64>,
}

fn whole<'a>(
    model: &Set<'a>,
    operations: &[Operation<'a>],
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let mut growth =
        Growth { model, operations, reads: Vec::new(), first: HashMap::new(), since: HashMap::new() };
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        if let Input::Add(element) = operation.input {
            budget.allocate(4 * size_of::<(Datum, usize)>() as u64)?;
            let first = growth.first.entry(element).or_insert(number);
            if operation.invoked < operations[*first].invoked {
                *first = number;
            }
        } else if elements(operation).is_some() {
            growth.reads.push(number);
        }
    }
    let size = |read: &usize| elements(&operations[*read]).map_or(0, <[Datum]>::len);
    growth.reads.sort_by_key(|read| (size(read), operations[*read].invoked));
    if let Some(violation) = growth.sizes(budget)? {
        return Ok(Answer::Violation(growth.too_early(&violation).unwrap_or(violation)));
    }
    let mut chain = Chain::default();
    for read in &growth.reads {
        chain.link(operations, size(read) as u64, 1, *read);
    }
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        let Input::Add(element) = operation.input else { continue };
        match growth.since.get(&element) {
            Some(since) if growth.first[&element] == number => chain.link(operations, *since, 0, number),
            since if operation.returned.is_some() => {
                chain.float(operations, since.copied().unwrap_or(u64::MAX), number);
            }
            _ => {}
        }
    }
    Ok(match chain.order(operations, budget)? {
        Ok(order) => Answer::Order(order),
        Err(conflict) => {
            let violation = growth.contradicted(conflict);
            Answer::Violation(growth.too_early(&violation).unwrap_or(violation))
        }
    })
}

impl Growth<'_, '_> {
    /// Notes since which size each element is there; or what is wrong, if the sets are no chain.
    fn sizes(&mut self, budget: &mut Budget<'_>) -> Result<Option<Violation>, Exceeded> {
        let mut before: Option<usize> = None;
        for read in self.reads.clone() {
            let seen = elements(&self.operations[read]).unwrap_or_default();
            budget.spend(1 + seen.len() as u64)?;
            if let Some(twice) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
                let why = format!("shows {} twice", self.model.text(twice[0]));
                return Ok(Some(Violation::alone(AnomalyKind::Duplicate, read, why).about(twice[0])));
            }
            let mut old = 0;
            for element in seen {
                if !self.first.contains_key(element) {
                    let why = format!("shows {}, which nobody added", self.model.text(*element));
                    let violation = Violation::alone(AnomalyKind::Phantom, read, why);
                    return Ok(Some(violation.about(*element)));
                }
                let since = self.since.entry(*element).or_insert(seen.len() as u64);
                old += usize::from(
                    *since < seen.len() as u64 || before.is_some_and(|other| self.has(other, *element)),
                );
            }
            // All that was there before must be here; of equal size, the sets are equal.
            if let Some(before) = before {
                let earlier = elements(&self.operations[before]).unwrap_or_default();
                if old < earlier.len() {
                    return Ok(Some(self.torn(before, read)));
                }
            }
            before = Some(read);
        }
        Ok(None)
    }

    /// An operation of a violation that is wrong by itself: it shows what was added only later.
    fn too_early(&self, violation: &Violation) -> Option<Violation> {
        violation.operations.iter().find_map(|read| {
            let end = returned(&self.operations[*read]);
            let is_early = |element: &&Datum| {
                self.first.get(*element).is_some_and(|add| self.operations[*add].invoked > end)
            };
            let element = elements(&self.operations[*read])?.iter().find(is_early)?;
            Some(self.added_later(*read, self.first[element], *element))
        })
    }

    fn added_later(&self, read: usize, add: usize, element: Datum) -> Violation {
        let why = format!("shows {} before anybody began to add it", self.model.text(element));
        Violation::alone(AnomalyKind::Phantom, read, why).beside(add).about(element)
    }

    fn has(&self, read: usize, element: Datum) -> bool {
        elements(&self.operations[read]).is_some_and(|seen| seen.binary_search(&element).is_ok())
    }

    /// Two reads, each with an element that the other lacks.
    fn torn(&self, smaller: usize, larger: usize) -> Violation {
        for (having, lacking) in [(smaller, larger), (larger, smaller)] {
            let begin = self.operations[lacking].invoked;
            let known = |element: &Datum| {
                let add = self.first.get(element).map_or(u32::MAX, |add| returned(&self.operations[*add]));
                add < begin && !self.has(lacking, *element)
            };
            let shown = elements(&self.operations[having]).unwrap_or_default();
            if let Some(element) = shown.iter().copied().find(known) {
                let why = format!("and does not show {}", self.model.text(element));
                let kind = self.kind(element, lacking);
                return Violation::behind(kind, self.first[&element], lacking, why).about(element);
            }
        }
        let shown = elements(&self.operations[smaller]).unwrap_or_default();
        let element = shown.iter().copied().find(|element| !self.has(larger, *element)).unwrap_or_default();
        let text = self.model.text(element);
        if returned(&self.operations[smaller]) < self.operations[larger].invoked {
            let why = format!("and does not show {text}");
            return Violation::behind(self.kind(element, larger), smaller, larger, why).about(element);
        }
        let why = format!("does not show {text}, which another read shows that lacks something else");
        Violation::alone(AnomalyKind::Conflict, larger, why).with(smaller).about(element)
    }

    /// What it is that a read lacks an element: stale if a later read shows it.
    fn kind(&self, element: Datum, lacking: usize) -> AnomalyKind {
        let end = returned(&self.operations[lacking]);
        let is_back = |read: &&usize| self.operations[**read].invoked > end && self.has(**read, element);
        if self.reads.iter().any(|read| is_back(&read)) { AnomalyKind::StaleRead } else { AnomalyKind::Lost }
    }

    fn contradicted(&self, Conflict { early, late }: Conflict) -> Violation {
        match (self.operations[early].input, self.operations[late].input) {
            (Input::Add(element), Input::Read) => {
                let text = self.model.text(element);
                let is_shown = self.since.contains_key(&element);
                let kind = if is_shown { AnomalyKind::StaleRead } else { AnomalyKind::Lost };
                Violation::behind(kind, early, late, format!("and does not show {text}")).about(element)
            }
            (Input::Add(element), Input::Add(other)) => {
                // Some read shows the one that was added later, and not the one before.
                let since = self.since.get(&other);
                let has = |read: &&usize| self.has(**read, other) && !self.has(**read, element);
                let reader = self.reads.iter().find(has).filter(|_| since.is_some());
                let (text, other) = (self.model.text(element), self.model.text(other));
                let is_shown = self.since.contains_key(&element);
                let kind = if is_shown { AnomalyKind::StaleRead } else { AnomalyKind::Lost };
                let why = format!("shows {other} and not {text}, which had been added before");
                let reader = reader.copied().unwrap_or(late);
                Violation::alone(kind, reader, why).with(early).beside(late).about(element)
            }
            (_, Input::Add(element)) => {
                let why = format!("shows {}, or more, before that was added", self.model.text(element));
                Violation::alone(AnomalyKind::Phantom, early, why).beside(late).about(element)
            }
            _ => {
                let [more, less] =
                    [early, late].map(|read| elements(&self.operations[read]).unwrap_or_default());
                let missing = more.iter().copied().find(|element| less.binary_search(element).is_err());
                let element = missing.unwrap_or_default();
                let why = format!("and does not show {}", self.model.text(element));
                Violation::behind(AnomalyKind::StaleRead, early, late, why).about(element)
            }
        }
    }
}

/// Each element as a set of its own.
fn each<'a>(
    model: &Set<'a>,
    operations: &[Operation<'a>],
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let mut by_element: BTreeMap<Datum, Vec<usize>> = BTreeMap::new();
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        budget.allocate((2 * size_of::<usize>()) as u64)?;
        if let Some(element) = operation.input.element() {
            by_element.entry(element).or_default().push(number);
        }
    }
    // When each takes effect: elements are put together by that.
    let mut placed: Vec<(u32, usize)> = Vec::with_capacity(operations.len());
    for (element, numbers) in by_element {
        let alone: Vec<Operation<'a>> = numbers.iter().map(|number| operations[*number].clone()).collect();
        match search::check(model, &alone, limits) {
            Outcome::Linearizable(order) => {
                budget.spend(order.len() as u64)?;
                let mut moment = 0;
                for position in order {
                    moment = moment.max(alone[position].invoked);
                    placed.push((moment, numbers[position]));
                }
            }
            Outcome::NotLinearizable(contradiction) => {
                let violation = of_element(model, &alone, element, &contradiction);
                let back = |position: usize| numbers[position];
                return Ok(Answer::Violation(Violation {
                    operations: violation.operations.iter().copied().map(back).collect(),
                    blocked: back(violation.blocked),
                    context: violation.context.iter().copied().map(back).collect(),
                    after: violation.after.map(back),
                    ..violation
                }));
            }
            Outcome::Unknown(unknown) => return Err(unknown.exceeded),
        }
    }
    // A stable sort: what takes effect at one moment on one element stays in its order.
    placed.sort_by_key(|(moment, _)| *moment);
    Ok(Answer::Order(placed.into_iter().map(|(_, number)| number).collect()))
}

/// What a contradiction about one element is.
fn of_element(
    model: &Set<'_>,
    operations: &[Operation<'_>],
    element: Datum,
    contradiction: &Contradiction,
) -> Violation {
    let Contradiction { operations: proof, blocked, .. } = contradiction;
    let text = model.text(element);
    let blocked_operation = &operations[*blocked];
    let is_there = match blocked_operation.output {
        Some(Output::Found(there)) => Some(there),
        _ => None,
    };
    let end = returned(blocked_operation);
    let before = |wanted: fn(&Input) -> bool| {
        operations.iter().filter(|other| wanted(&other.input) && other.invoked < end).count()
    };
    let after =
        proof.iter().copied().filter(|other| returned(&operations[*other]) < blocked_operation.invoked);
    let after = after.max_by_key(|other| operations[*other].returned);
    let is_later =
        |other: &&Operation<'_>| other.invoked > end && matches!(other.output, Some(Output::Found(true)));
    let (kind, why) = match is_there {
        Some(true) if before(|input| matches!(input, Input::Add(_))) == 0 => {
            (AnomalyKind::Phantom, format!("found {text}, which nobody had added"))
        }
        Some(true) => (AnomalyKind::Resurrected, format!("found {text}, which had been removed")),
        Some(false) => match operations.iter().find(is_later) {
            Some(_) => (AnomalyKind::StaleRead, format!("did not find {text}")),
            None => (AnomalyKind::Lost, format!("did not find {text}, and nobody found it later")),
        },
        None => {
            let why = contradiction.refusals.first().cloned().unwrap_or_default();
            (AnomalyKind::NotLinearizable, format!("cannot be: {why}"))
        }
    };
    let violation = Violation::alone(kind, *blocked, why).about(element);
    Violation { operations: proof.clone(), after, ..violation }
}
