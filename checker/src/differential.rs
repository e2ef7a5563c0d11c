//! Deciders against exhaustive search, on very many small random histories.
//!
//! A [`Sampler`] says what operations on an object look like; [`generate`] makes histories of them, as an honest object
//! would have left them, and bends some until they have no order; [`exhaustive`] tries all orders; [`compare`] asserts
//! that a decider says the same, that the order it found is one, and that the contradiction it found is one. [`whole`]
//! does the same with a history written down, every model by its name. Where they disagree, the history is made smaller
//! as long as they still do, and drawn; the seed is told. A [`Tally`] sees to it that the histories are worth it.
//!
//! Each test compares [`histories`] of them. For a long run set `CHECKER_HISTORIES`, and for other histories
//! `CHECKER_SEED`, the first seed:
//!
//! ```text
//! CHECKER_HISTORIES=10000000 cargo test --release -p checker --lib agree -- --nocapture --test-threads=1
//! ```

pub(crate) mod exhaustive;
pub(crate) mod generate;
pub(crate) mod random;
pub(crate) mod record;
pub(crate) mod tally;
mod whole;

use std::ops::Range;

use exhaustive::{Required, has_order};
use generate::Shape;
use random::Random;
use record::Paper;
use tally::Tally;

use crate::fitting::ModelName;
use crate::history;
use crate::history::timeline::typed;
use crate::model::{Model, OperationOf};
use crate::search::{Contradiction, Outcome};

/// What operations on an object look like.
pub(crate) trait Sampler {
    /// The object.
    type Model: Model;

    /// The object.
    fn model(&self) -> &Self::Model;

    /// A question; `number` is another one for each operation of a history, for values that must be unique.
    fn ask(&self, random: &mut Random, number: usize) -> <Self::Model as Model>::Input;

    /// The state is now this one, and the client may know: what does it ask then?
    fn inform(&self, _state: &<Self::Model as Model>::State, _input: &mut <Self::Model as Model>::Input) {}

    /// What an honest object answers, one that [`Model::step`] allows; `None` if it cannot answer in this state.
    fn answer(
        &self,
        random: &mut Random,
        state: &<Self::Model as Model>::State,
        input: &<Self::Model as Model>::Input,
    ) -> Option<<Self::Model as Model>::Output>;

    /// How the histories are made.
    fn shape(&self) -> Shape {
        Shape::small()
    }

    /// Any answer, which may well be wrong.
    fn lie(
        &self,
        random: &mut Random,
        input: &<Self::Model as Model>::Input,
    ) -> <Self::Model as Model>::Output;

    /// The model's name.
    fn named(&self) -> ModelName;

    /// How a history has a question and what became of it; `None` if nobody knows.
    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &<Self::Model as Model>::Input,
        output: Option<&<Self::Model as Model>::Output>,
    ) -> (history::Input, history::Outcome);
}

/// The operations that a sampler makes.
pub(crate) type Sampled<S> = OperationOf<<S as Sampler>::Model>;

/// What a decider says.
pub(crate) enum Said {
    /// Whether there is an order, and nothing else.
    Verdict(bool),
    /// With its proof, which is looked at too.
    Outcome(Outcome),
}

impl From<Outcome> for Said {
    fn from(outcome: Outcome) -> Self {
        Said::Outcome(outcome)
    }
}

impl From<bool> for Said {
    fn from(verdict: bool) -> Self {
        Said::Verdict(verdict)
    }
}

/// How many histories each comparison takes: a hundred thousand, or what `CHECKER_HISTORIES` says.
pub(crate) fn histories() -> u64 {
    setting("CHECKER_HISTORIES").unwrap_or(100_000)
}

/// How often each lie is told about large histories: a hundred times, or what `CHECKER_LIES` says.
pub(crate) fn lies() -> usize {
    setting("CHECKER_LIES").map_or(100, |lies| usize::try_from(lies).expect("lies are few"))
}

/// The seeds of so many histories, from what `CHECKER_SEED` says on.
pub(crate) fn seeds(histories: u64) -> Range<u64> {
    let first = setting("CHECKER_SEED").unwrap_or(0);
    first..first + histories
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no verdict")]
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

/// How often a history is bent anew that is to have no order.
const TRIES: usize = 8;

/// A small history, and whether it has an order. Every second one is to have none.
fn sampled<S: Sampler>(sampler: &S, random: &mut Random, shape: &Shape) -> (Vec<Sampled<S>>, bool) {
    let wanted = random.one_in(2);
    let mut tries = 0;
    loop {
        let operations = if wanted {
            generate::honest(sampler, random, shape)
        } else {
            generate::bent(sampler, random, shape)
        };
        tries += 1;
        let has_order = has_order(sampler.model(), &operations, Required::completed(&operations));
        assert!(
            has_order || !wanted,
            "an honest object leaves histories that have an order: {operations:#?}"
        );
        if has_order == wanted || tries == TRIES {
            return (operations, has_order);
        }
    }
}

/// Compares what `decide` says of [`histories`] small random histories with what exhaustive search finds.
///
/// # Panics
/// If they disagree once, or if the histories are too good, too bad or too simple to tell much.
#[track_caller]
pub(crate) fn compare<S: Sampler, A: Into<Said>>(
    name: &str,
    sampler: &S,
    decide: impl Fn(&S::Model, &[Sampled<S>]) -> A,
) {
    let (model, shape) = (sampler.model(), sampler.shape());
    let mut tally = Tally::default();
    for seed in seeds(histories()) {
        let (operations, has_order) = sampled(sampler, &mut Random(seed), &shape);
        if judge(model, &operations, has_order, &decide).is_err() {
            let (operations, complaint) = shrink(model, operations, &decide);
            let picture = typed::draw(&operations);
            panic!("{name}, seed {seed}: {complaint}\n{picture}{operations:#?}");
        }
        tally.count(&[operations], has_order);
    }
    tally.conclude(name);
}

/// What is wrong, if the decider and exhaustive search disagree about whether there is an order.
fn judge<M: Model, A: Into<Said>>(
    model: &M,
    operations: &[OperationOf<M>],
    expected: bool,
    decide: impl Fn(&M, &[OperationOf<M>]) -> A,
) -> Result<(), String> {
    let found = match decide(model, operations).into() {
        Said::Verdict(found) => found,
        Said::Outcome(Outcome::Linearizable(order)) => {
            look_at_order(model, operations, &order)?;
            true
        }
        Said::Outcome(Outcome::NotLinearizable(contradiction)) => {
            if !expected {
                look_at_contradiction(model, operations, &contradiction)?;
            }
            false
        }
        Said::Outcome(Outcome::Unknown(unknown)) => return Err(format!("{unknown:?} without limits")),
    };
    match found == expected {
        true => Ok(()),
        false => Err(format!("there is an order: {expected}; the decider says: {found}")),
    }
}

/// An order holds every completed operation and none twice, agrees with real time, and the model allows it.
pub(crate) fn look_at_order<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    order: &[usize],
) -> Result<(), String> {
    let mut placed = vec![false; operations.len()];
    let mut begun = 0;
    for (place, next) in order.iter().enumerate() {
        let operation = operations.get(*next).ok_or_else(|| format!("there is no operation {next}"))?;
        begun = begun.max(operation.invoked);
        if std::mem::replace(&mut placed[*next], true) {
            return Err(format!("{order:?} has {next} twice"));
        }
        if operation.returned.is_some_and(|returned| returned < begun) {
            return Err(format!("in {order:?} number {place} returned before one in front of it began"));
        }
    }
    if let Some(missing) =
        (0..operations.len()).find(|number| !placed[*number] && operations[*number].returned.is_some())
    {
        return Err(format!("{order:?} lacks {missing}"));
    }
    let allowed = model.initial().into_iter().any(|initial| {
        let mut states = order.iter();
        states
            .try_fold(initial, |state, next| {
                model.step(&state, &operations[*next].input, operations[*next].output.as_ref())
            })
            .is_some()
    });
    if allowed { Ok(()) } else { Err(format!("the model does not allow {order:?}")) }
}

/// After everything that completed before, the operations of a contradiction have no order, whatever the others do; and
/// none of them can be spared.
///
/// An operation that is not named may have taken effect in its time, with the answer that it had, or not. To spare one is
/// to know nothing of how it ended: it may take effect at any time after its beginning, with any answer, or never. What
/// completed before need not have happened either; but of a contradiction that rests on it, it is asked for as it was.
fn look_at_contradiction<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    contradiction: &Contradiction,
) -> Result<(), String> {
    let Contradiction { operations: proof, blocked, refusals, cut_short } = contradiction;
    assert_eq!(*cut_short, None, "small histories need no limit");
    if !proof.contains(blocked) || refusals.is_empty() || !proof.is_sorted_by(|one, other| one < other) {
        return Err(format!("{contradiction:?} is not well formed"));
    }
    let since = proof.iter().map(|position| operations[*position].invoked).min().unwrap_or(0);
    let is_past = |position: &usize| {
        let operation: &OperationOf<M> = &operations[*position];
        operation.returned.is_some_and(|returned| returned < since)
    };
    let past: Vec<usize> = (0..operations.len()).filter(is_past).collect();
    let named = |spared: Option<usize>| proof.iter().copied().filter(move |named| Some(*named) != spared);
    let has_order_after = |reading: Past, spared: Option<usize>| {
        let mut operations = operations.to_vec();
        if let Some(spared) = spared {
            (operations[spared].output, operations[spared].returned) = (None, None);
        }
        match reading {
            Past::InPart => has_order(model, &operations, Required::of(named(spared))),
            Past::Whole => {
                has_order(model, &operations, Required::of(past.iter().copied().chain(named(spared))))
            }
        }
    };
    let readings = [Past::InPart, Past::Whole];
    let Some(reading) = readings.into_iter().find(|reading| !has_order_after(*reading, None)) else {
        return Err(format!("{contradiction:?} is none: there is an order with these operations"));
    };
    match proof.iter().find(|position| !has_order_after(reading, Some(**position))) {
        Some(spare) => Err(format!("{contradiction:?} does not need {spare} ({reading:?})")),
        None => Ok(()),
    }
}

/// How what completed before a contradiction is looked at, the loosest first.
#[derive(Debug, Clone, Copy)]
enum Past {
    InPart,
    Whole,
}

/// The smallest history on the way down on which the two still disagree, and how.
fn shrink<M: Model, A: Into<Said>>(
    model: &M,
    mut operations: Vec<OperationOf<M>>,
    decide: impl Fn(&M, &[OperationOf<M>]) -> A,
) -> (Vec<OperationOf<M>>, String) {
    let disagree = |operations: &[OperationOf<M>]| {
        let expected = has_order(model, operations, Required::completed(operations));
        judge(model, operations, expected, &decide).err()
    };
    let mut position = 0;
    while position < operations.len() {
        let removed = operations.remove(position);
        if disagree(&operations).is_some() {
            position = 0;
        } else {
            operations.insert(position, removed);
            position += 1;
        }
    }
    let complaint = disagree(&operations).expect("what was shrunk still disagrees");
    (operations, complaint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::model::accounts::{Account, Input, Output, Presence};
    use crate::model::samples::Accounts;
    use crate::search;

    #[test]
    #[should_panic(expected = "the decider says: true")]
    fn a_decider_that_is_always_content_is_found_out() {
        compare("content", &Accounts::default(), |_, _| true);
    }

    #[test]
    #[should_panic(expected = "returned before one in front of it began")]
    fn an_order_is_looked_at() {
        compare("a wrong order", &Accounts::default(), |model, operations| {
            match search::check(model, operations, &Limits::none()) {
                Outcome::Linearizable(mut order) => {
                    let ends = |position: usize| operations[position].returned.unwrap_or(u32::MAX);
                    let follows = |pair: &[usize]| ends(pair[0]) < operations[pair[1]].invoked;
                    if let Some(first) = order.windows(2).position(follows) {
                        order.swap(first, first + 1);
                    }
                    Outcome::Linearizable(order)
                }
                outcome => outcome,
            }
        });
    }

    #[test]
    #[should_panic(expected = "is none: there is an order with these operations")]
    fn a_contradiction_is_looked_at() {
        compare("a wrong contradiction", &Accounts::default(), |model, operations| {
            match search::check(model, operations, &Limits::none()) {
                Outcome::NotLinearizable(mut contradiction) if contradiction.operations.len() > 1 => {
                    contradiction.operations.retain(|position| *position == contradiction.blocked);
                    Outcome::NotLinearizable(contradiction)
                }
                outcome => outcome,
            }
        });
    }

    #[test]
    fn what_disagrees_is_made_small() {
        let seen = |presence, invoked| crate::model::Operation {
            input: Input::Login,
            output: Some(Output::Seen(presence)),
            invoked,
            returned: Some(invoked + 1),
        };
        let operations = vec![
            seen(Presence::Absent, 0),
            seen(Presence::Absent, 2),
            seen(Presence::Present, 4),
            seen(Presence::Present, 6),
        ];
        let (small, complaint) = shrink(&Account::default(), operations, |_, _| true);
        assert_eq!(complaint, "there is an order: false; the decider says: true");
        assert_eq!(typed::draw(&small), "p0: |-Login Seen(Absent)-||-Login Seen(Present)-|\n");
    }
}
