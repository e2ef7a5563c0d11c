//! Lists of unique values: the longest list that was seen is the order.
//!
//! Every list that was seen must be the beginning of the longest one, in which the values of one operation stand side by
//! side. So the [chain](super::chain) is: for each place in the list, the reads that ended in front of it, and then the
//! operation whose values begin there. What was acknowledged and never seen comes behind all that was seen.
//!
//! An operation of several micro-operations is taken apart first: without its own values, all its reads have seen one
//! list, its *base*, and its own values stand behind that.
//!
//! That reads of whole lists are beginnings of one order is from Elle (Kingsbury and Alvaro, VLDB 2020, section 4); the
//! rest is derived here and compared with exhaustive search in the tests.

mod alone;

use std::collections::HashMap;

use super::chain::{Chain, Conflict};
use super::{Answer, Violation, returned};
use crate::anomaly::AnomalyKind;
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::list::{List, Micro, appended};

type Operation<'a> = OperationOf<List<'a>>;

/// The rank of what only reads: in front of what is appended behind what it saw.
const READ: u8 = 0;
const APPENDED: u8 = 1;

/// What is known of all operations.
struct Known<'o, 'a> {
    model: &'o List<'a>,
    operations: &'o [Operation<'a>],
    /// Who appends a value.
    writers: HashMap<Datum, usize>,
    /// The longest list that was seen, with what its reader appended behind it.
    longest: Vec<Datum>,
    /// Who saw it.
    reader: usize,
    /// Where each value stands in it.
    places: HashMap<Datum, usize>,
}

/// Decides whether the operations on one list are linearizable, in linear time but for a sort, if no value is appended
/// twice.
///
/// # Errors
/// If a limit was hit.
pub fn decide<'a>(
    model: &List<'a>,
    operations: &[Operation<'a>],
    _limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let mut known = Known {
        model,
        operations,
        writers: HashMap::new(),
        longest: Vec::new(),
        reader: 0,
        places: HashMap::new(),
    };
    let mut best = None;
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        for value in appended(&operation.input) {
            budget.allocate(2 * size_of::<(Datum, usize)>() as u64)?;
            if known.writers.insert(value, number).is_some() {
                return Ok(Answer::NotMine);
            }
        }
        if operation.output.as_ref().is_some_and(|output| output.len() != reads(operation).count()) {
            return Ok(Answer::NotMine);
        }
        if let Some(base) = known.base(number) {
            let length = base.len() + appended(&operation.input).count();
            if best.is_none_or(|(longest, _)| length > longest) {
                best = Some((length, number));
            }
        }
    }
    if let Some((length, number)) = best {
        budget.allocate((length * (size_of::<Datum>() + 2 * size_of::<(Datum, usize)>())) as u64)?;
        let base = known.base(number).unwrap_or_default();
        known.longest = base.iter().copied().chain(appended(&operations[number].input)).collect();
        known.reader = number;
        known.places = (0..).zip(&known.longest).map(|(place, value)| (*value, place)).collect();
    }
    let violation = match known.chain(budget)? {
        Err(violation) => *violation,
        Ok(chain) => match chain.order(operations, budget)? {
            Ok(order) => return Ok(Answer::Order(order)),
            Err(conflict) => known.contradicted(conflict),
        },
    };
    Ok(Answer::Violation(known.wrong_by_itself(&violation).unwrap_or(violation)))
}

/// For each read of an operation, how many values it has appended itself before.
fn reads<'o>(operation: &'o Operation<'_>) -> impl Iterator<Item = usize> + 'o {
    let mut own = 0;
    operation.input.iter().filter_map(move |micro| match micro {
        Micro::Append(_) => {
            own += 1;
            None
        }
        Micro::Read => Some(own),
    })
}

impl<'o> Known<'o, '_> {
    /// What stood in the list before the operation, if it says: by its first read.
    fn base(&self, number: usize) -> Option<&'o [Datum]> {
        let operation = &self.operations[number];
        let (own, seen) = (reads(operation).next()?, operation.output.as_ref()?.first()?);
        Some(&seen[..seen.len().saturating_sub(own)])
    }

    /// The order that the lists determine, if they agree with each other.
    fn chain(&self, budget: &mut Budget<'_>) -> Result<Result<Chain, Box<Violation>>, Exceeded> {
        if let Err(violation) = self.elements(&self.longest, self.reader) {
            return Ok(Err(violation));
        }
        let mut chain = Chain::default();
        for number in 0..self.operations.len() {
            let seen = self.operations[number].output.iter().flatten().map(|seen| seen.len());
            budget.spend(1 + seen.sum::<usize>() as u64 / 8)?;
            if let Err(violation) = self.place(number, &mut chain) {
                return Ok(Err(violation));
            }
        }
        Ok(Ok(chain))
    }

    fn place(&self, number: usize, chain: &mut Chain) -> Result<(), Box<Violation>> {
        let operation = &self.operations[number];
        self.agrees_with_itself(number)?;
        let base = self.base(number);
        if let Some(base) = base {
            self.is_beginning(number, base)?;
        }
        let mut own = appended(&operation.input);
        let Some(first) = own.next() else {
            if let Some(base) = base {
                chain.link(self.operations, base.len() as u64, READ, number);
            }
            return Ok(());
        };
        match (self.places.get(&first), base) {
            (Some(place), _) if base.is_none_or(|base| base.len() == *place) => {
                self.is_whole(number, *place)?;
                chain.link(self.operations, *place as u64, APPENDED, number);
            }
            (_, Some(base)) => return Err(self.displaced(number, base.len())),
            _ if own.any(|value| self.places.contains_key(&value)) => {
                return Err(self.torn(self.reader, number));
            }
            _ if operation.returned.is_some() => {
                chain.float(self.operations, self.longest.len() as u64 + 1, number);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether all reads of an operation have seen one list, and behind it what it had appended itself.
    fn agrees_with_itself(&self, number: usize) -> Result<(), Box<Violation>> {
        let operation = &self.operations[number];
        let base = self.base(number).unwrap_or_default();
        for (own, seen) in reads(operation).zip(operation.output.iter().flatten()) {
            let fits = seen.len() == base.len() + own
                && seen.starts_with(base)
                && seen[base.len()..].iter().copied().eq(appended(&operation.input).take(own));
            if !fits {
                let why = "saw something else than what it had seen and appended itself";
                return Err(Violation::alone(AnomalyKind::Internal, number, why).into());
            }
        }
        Ok(())
    }

    /// Whether the values of a list were all appended by somebody, and stand there once.
    fn elements(&self, list: &[Datum], reader: usize) -> Result<(), Box<Violation>> {
        let mut places: HashMap<Datum, usize> = HashMap::with_capacity(list.len());
        for (place, value) in list.iter().enumerate() {
            let text = self.model.text(*value);
            if !self.writers.contains_key(value) {
                let why = format!("shows {text}, which nobody appended");
                return Err(Violation::alone(AnomalyKind::Phantom, reader, why).about(*value).into());
            }
            if let Some(other) = places.insert(*value, place) {
                let why = format!("shows {text} twice, in place {} and in place {}", other + 1, place + 1);
                return Err(Violation::alone(AnomalyKind::Duplicate, reader, why).about(*value).into());
            }
        }
        Ok(())
    }

    /// Whether what an operation saw is the beginning of the longest list, and does not end within another operation.
    fn is_beginning(&self, number: usize, base: &[Datum]) -> Result<(), Box<Violation>> {
        if !self.longest.starts_with(base) {
            self.elements(base, number)?;
            let place = base.iter().zip(&self.longest).take_while(|(one, other)| one == other).count();
            let (one, other) = (base.get(place), self.longest.get(place));
            let text =
                |value: Option<&Datum>| value.map_or("nothing".to_owned(), |value| self.model.text(*value));
            let why =
                format!("shows {} in place {}, where another shows {}", text(one), place + 1, text(other));
            let violation = Violation::alone(AnomalyKind::Conflict, number, why).with(self.reader);
            return Err(Violation { value: one.copied(), ..violation }.into());
        }
        let around = base.last().zip(self.longest.get(base.len()));
        let writers = around.map(|(last, next)| (self.writers.get(last), self.writers.get(next)));
        match writers {
            Some((Some(one), Some(other))) if one == other && *one != number => {
                Err(self.intermediate(number, *one))
            }
            _ => Ok(()),
        }
    }

    /// Whether the values of an operation stand side by side from this place on.
    fn is_whole(&self, number: usize, place: usize) -> Result<(), Box<Violation>> {
        let input = &self.operations[number].input;
        let stands = self.longest[place..].iter().copied();
        let count = appended(input).count();
        if stands.take(count).eq(appended(input)) {
            return Ok(());
        }
        let is_cut = self.longest.len() < place + count
            && self.longest[place..].iter().copied().eq(appended(input).take(self.longest.len() - place));
        Err(if is_cut { self.intermediate(self.reader, number) } else { self.torn(self.reader, number) })
    }

    /// A read that saw a part of an operation.
    fn intermediate(&self, read: usize, writer: usize) -> Box<Violation> {
        let why = "shows only a part of what one operation appended at once";
        Violation::alone(AnomalyKind::IntermediateRead, read, why).beside(writer).into()
    }

    /// The values of an operation stand apart, or in another order.
    fn torn(&self, reader: usize, writer: usize) -> Box<Violation> {
        let why = "shows what one operation appended at once, but not side by side in its order";
        Violation::alone(AnomalyKind::Conflict, reader, why).beside(writer).into()
    }

    /// An operation that read a list and appended to it, and its values do not stand behind that list.
    fn displaced(&self, number: usize, base: usize) -> Box<Violation> {
        let mut seen = self.base(number).into_iter().flatten();
        if let Some(own) = seen.find(|value| self.writers.get(*value) == Some(&number)) {
            let why = format!("saw {} before it had appended that itself", self.model.text(*own));
            return Violation::alone(AnomalyKind::Internal, number, why).about(*own).into();
        }
        let Some(next) = self.longest.get(base) else { return self.torn(self.reader, number) };
        let place = if base == 0 { "at the beginning".to_owned() } else { format!("behind place {base}") };
        let why = format!("appended {place}, where another shows {}", self.model.text(*next));
        let violation = Violation::alone(AnomalyKind::LostUpdate, number, why).with(self.reader);
        let other = self.writers.get(next).copied();
        other.map_or(violation.clone(), |other| violation.beside(other)).about(*next).into()
    }

    /// Two operations whose order in the list is not the one in time.
    fn contradicted(&self, Conflict { early, late }: Conflict) -> Violation {
        let own = appended(&self.operations[early].input).next();
        let is_shown = own.is_none_or(|own| self.places.contains_key(&own));
        // What the later one should have shown.
        let last = self.base(early).and_then(|base| base.last().copied());
        let value = own.or(last);
        let missed = value.map_or(String::new(), |value| self.model.text(value));
        let violation = match (self.base(late).is_some(), own) {
            (true, _) => {
                let kind = if is_shown { AnomalyKind::StaleRead } else { AnomalyKind::Lost };
                Violation::behind(kind, early, late, format!("and does not show {missed}"))
            }
            (false, Some(_)) if is_shown => {
                let next = appended(&self.operations[late].input).next();
                let [missed, next] = [value, next].map(Option::unwrap_or_default);
                self.late_append(self.reader, (early, missed), (late, next))
            }
            (false, Some(_)) => {
                let why = format!("shows what was appended after {missed}, but not {missed}");
                Violation::alone(AnomalyKind::Lost, self.reader, why).with(early).beside(late)
            }
            (false, None) => {
                let next = appended(&self.operations[late].input).next();
                let next = next.map_or(String::new(), |next| self.model.text(next));
                let why = format!("shows {next}, or what stands behind it, before that was appended");
                Violation::alone(AnomalyKind::Phantom, early, why).beside(late)
            }
        };
        Violation { value, ..violation }
    }
}
