//! An account name: it exists or it does not.
//!
//! Creating, deleting and logging in are about one name, so each name is an object of its own. A name may be deleted
//! and created again, any number of times.
//!
//! What each answer proves of a point between the invocation and the completion:
//!
//! | operation | answer | before | after |
//! |---|---|---|---|
//! | create | ok | absent | present |
//! | create | failed: `exists` | present | present |
//! | delete | ok | present | absent |
//! | delete | failed: `not-found` | absent | absent |
//! | log in | ok | present | present |
//! | log in | failed: `not-found` | absent | absent |
//! | list | the name is on the page | present | present |
//! | list | the page covers the name's place and it is not there | absent | absent |
//!
//! Every other failure, such as `wrong-password`, `not-authenticated` or `no-leader`, proves only that the operation
//! did not happen: a server may answer so without looking for the name, or to hide whether it exists.
//!
//! Nobody need know whether a name existed before the history began: [`Initially::Unknown`] allows either, once.

use crate::model::Model;

/// Whether the name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It does not.
    Absent,
    /// It does.
    Present,
}

/// What is asked about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Create the account.
    Create,
    /// Delete the account.
    Delete,
    /// Log in to the account.
    Login,
    /// List accounts, this one among them if it exists.
    List,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// It was done.
    Done,
    /// The name was seen to be so: by a refusal, or by a list.
    Seen(Presence),
}

/// What is known of a name before the history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initially {
    /// It may have existed.
    #[default]
    Unknown,
    /// It did not exist.
    Absent,
}

/// The model of one name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Account {
    /// What is known of it before the history begins.
    pub initially: Initially,
}

/// What an operation with its answer needs of the state before it, and the state it leaves.
///
/// `None` as the need is "either", and as the state left, "as it was".
#[must_use]
pub fn effect(input: Input, output: Option<Output>) -> (Option<Presence>, Option<Presence>) {
    use Presence::{Absent, Present};
    match (input, output) {
        (_, Some(Output::Seen(presence))) => (Some(presence), None),
        (Input::Create, Some(Output::Done)) => (Some(Absent), Some(Present)),
        (Input::Delete, Some(Output::Done)) => (Some(Present), Some(Absent)),
        // A list that is done and says nothing of the name proves nothing.
        (Input::List, Some(Output::Done)) | (Input::Login | Input::List, None) => (None, None),
        (Input::Login, Some(Output::Done)) => (Some(Present), None),
        // If it was refused, then because the name was in that state already.
        (Input::Create, None) => (None, Some(Present)),
        (Input::Delete, None) => (None, Some(Absent)),
    }
}

impl Model for Account {
    type State = Presence;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<Presence> {
        match self.initially {
            Initially::Unknown => vec![Presence::Absent, Presence::Present],
            Initially::Absent => vec![Presence::Absent],
        }
    }

    fn step(&self, state: &Presence, input: &Input, output: Option<&Output>) -> Option<Presence> {
        let (needed, left) = effect(*input, output.copied());
        needed.is_none_or(|needed| needed == *state).then(|| left.unwrap_or(*state))
    }

    fn refusal(&self, state: &Presence, _input: &Input, _output: Option<&Output>) -> String {
        match state {
            Presence::Absent => "the account does not exist here".to_owned(),
            Presence::Present => "the account exists here".to_owned(),
        }
    }

    fn observes(&self, input: &Input, output: Option<&Output>) -> bool {
        effect(*input, output.copied()).1.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Presence::{Absent, Present};

    #[test]
    fn each_answer_proves_what_the_table_says() {
        let table = [
            (Input::Create, Output::Done, Absent, Present),
            (Input::Create, Output::Seen(Present), Present, Present),
            (Input::Delete, Output::Done, Present, Absent),
            (Input::Delete, Output::Seen(Absent), Absent, Absent),
            (Input::Login, Output::Done, Present, Present),
            (Input::Login, Output::Seen(Absent), Absent, Absent),
            (Input::List, Output::Seen(Present), Present, Present),
            (Input::List, Output::Seen(Absent), Absent, Absent),
        ];
        let account = Account::default();
        for (input, output, before, after) in table {
            let other = if before == Absent { Present } else { Absent };
            assert_eq!(account.step(&before, &input, Some(&output)), Some(after), "{input:?} {output:?}");
            assert_eq!(account.step(&other, &input, Some(&output)), None, "{input:?} {output:?}");
            assert_eq!(account.observes(&input, Some(&output)), before == after, "{input:?} {output:?}");
        }
    }

    #[test]
    fn an_unknown_answer_leaves_the_state_that_was_asked_for() {
        let account = Account::default();
        for state in [Absent, Present] {
            assert_eq!(account.step(&state, &Input::Create, None), Some(Present));
            assert_eq!(account.step(&state, &Input::Delete, None), Some(Absent));
            assert_eq!(account.step(&state, &Input::Login, None), Some(state));
        }
    }

    #[test]
    fn a_name_may_have_existed_before() {
        assert_eq!(Account::default().initial(), [Absent, Present]);
        assert_eq!(Account { initially: Initially::Absent }.initial(), [Absent]);
    }
}
