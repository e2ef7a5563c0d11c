//! Deciders against exhaustive search, on very many small random histories.
//!
//! A [`Sampler`] says what operations on an object look like; [`generate`] makes histories of them, as an honest object
//! would have left them, and bends some; [`exhaustive`] tries all orders; [`compare`] asserts that a decider says the
//! same, that the order it found is one, and that the contradiction it found is one. Where they disagree, the history is
//! made smaller as long as they still do, and drawn; the seed is told.
//!
//! Each test compares [`histories`] of them. For a long run set `CHECKER_HISTORIES`:
//!
//! ```text
//! CHECKER_HISTORIES=10000000 cargo test --release -p checker differential -- --nocapture
//! ```
//!
//! What this does not do is test what histories become typed operations: the adapters have tests of their own.

pub(crate) mod exhaustive;
pub(crate) mod generate;
pub(crate) mod random;
pub(crate) mod record;

use exhaustive::{Required, has_order};
use generate::Shape;
use random::Random;

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
#[expect(clippy::disallowed_methods, reason = "how long a test runs is no verdict")]
pub(crate) fn histories() -> u64 {
    match std::env::var("CHECKER_HISTORIES") {
        Ok(count) => count.parse().expect("CHECKER_HISTORIES is a number"),
        Err(_) => 100_000,
    }
}

/// Compares what `decide` says of [`histories`] small random histories with what exhaustive search finds.
///
/// # Panics
/// If they disagree once, or if the histories are too good or too bad to tell much.
#[track_caller]
pub(crate) fn compare<S: Sampler, A: Into<Said>>(
    name: &str,
    sampler: &S,
    decide: impl Fn(&S::Model, &[Sampled<S>]) -> A,
) {
    compare_shaped(name, sampler, histories(), &sampler.shape(), decide);
}

/// [`compare`] with so many histories of another shape.
#[track_caller]
pub(crate) fn compare_shaped<S: Sampler, A: Into<Said>>(
    name: &str,
    sampler: &S,
    histories: u64,
    shape: &Shape,
    decide: impl Fn(&S::Model, &[Sampled<S>]) -> A,
) {
    let model = sampler.model();
    let mut bad = 0;
    for seed in 0..histories {
        let operations = generate::bent(sampler, &mut Random(seed), shape);
        match judge(model, &operations, &decide) {
            Ok(has_order) => bad += u64::from(!has_order),
            Err(_) => {
                let (operations, complaint) = shrink(model, operations, &decide);
                let picture = typed::draw(&operations);
                panic!("{name}, seed {seed}: {complaint}\n{picture}{operations:#?}");
            }
        }
    }
    println!("{name}: {histories} histories, {bad} of them not linearizable, no disagreement");
    let percent = bad * 100 / histories;
    assert!((4..=60).contains(&percent), "{name}: {percent} % of the histories are not linearizable");
}

/// Whether there is an order, if the decider and exhaustive search agree; else what is wrong.
fn judge<M: Model, A: Into<Said>>(
    model: &M,
    operations: &[OperationOf<M>],
    decide: impl Fn(&M, &[OperationOf<M>]) -> A,
) -> Result<bool, String> {
    let expected = has_order(model, operations, Required::completed(operations));
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
        true => Ok(expected),
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

/// After everything that completed before, the operations of a contradiction have no order, whatever the others do.
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
    let past = (0..operations.len()).filter(|position| {
        let operation: &OperationOf<M> = &operations[*position];
        operation.returned.is_some_and(|returned| returned < since)
    });
    let required = Required::of(past.chain(proof.iter().copied()));
    match has_order(model, operations, required) {
        true => Err(format!("{contradiction:?} is none: there is an order with these operations")),
        false => Ok(()),
    }
}

/// The smallest history on the way down on which the two still disagree, and how.
fn shrink<M: Model, A: Into<Said>>(
    model: &M,
    mut operations: Vec<OperationOf<M>>,
    decide: impl Fn(&M, &[OperationOf<M>]) -> A,
) -> (Vec<OperationOf<M>>, String) {
    let mut position = 0;
    while position < operations.len() {
        let removed = operations.remove(position);
        if judge(model, &operations, &decide).is_err() {
            position = 0;
        } else {
            operations.insert(position, removed);
            position += 1;
        }
    }
    let complaint = judge(model, &operations, &decide).expect_err("what was shrunk still disagrees");
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
                    order.sort_unstable_by_key(|position| operations[*position].returned);
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
