//! Operations on an account name.

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::differential::record::{Paper, done};
use crate::fitting::ModelName;
use crate::history::{self, Outcome};
use crate::model::Model;
use crate::model::accounts::{Account, Input, Output, Presence};

/// Creates, deletes, logs in; refusals are answers too.
#[derive(Debug, Default)]
pub(crate) struct Accounts(pub(crate) Account);

const OUTPUTS: [Output; 3] = [Output::Done, Output::Seen(Presence::Present), Output::Seen(Presence::Absent)];

impl Sampler for Accounts {
    type Model = Account;

    fn model(&self) -> &Account {
        &self.0
    }

    fn ask(&self, random: &mut Random, _number: usize) -> Input {
        random.pick(&[Input::Create, Input::Delete, Input::Login])
    }

    fn answer(&self, random: &mut Random, state: &Presence, input: &Input) -> Option<Output> {
        let mut possible = OUTPUTS.to_vec();
        possible.retain(|output| self.0.step(state, input, Some(output)).is_some());
        (!possible.is_empty()).then(|| random.pick(&possible))
    }

    fn lie(&self, random: &mut Random, _input: &Input) -> Output {
        random.pick(&OUTPUTS)
    }

    fn named(&self) -> ModelName {
        ModelName::Accounts
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &Input,
        output: Option<&Output>,
    ) -> (history::Input, Outcome) {
        let asked = match input {
            Input::Create => history::Input::CreateAccount,
            Input::Delete => history::Input::DeleteAccount,
            Input::Login | Input::List => history::Input::Login,
        };
        let mut refused = |error| (asked, Outcome::Fail(Some(paper.symbols.intern(error))));
        match (input, output) {
            (_, None) => (asked, Outcome::Info(None)),
            (_, Some(Output::Done)) | (Input::Login, Some(Output::Seen(Presence::Present))) => {
                (asked, done())
            }
            (Input::Create, Some(Output::Seen(Presence::Present))) => refused("exists"),
            (Input::Delete | Input::Login, Some(Output::Seen(Presence::Absent))) => refused("not-found"),
            // What no such operation can answer, a list can show.
            (_, Some(Output::Seen(presence))) => {
                let pattern = Some(paper.key);
                let list = history::Input::ListAccounts { pattern, after: None, limit: None, last: false };
                let names = (*presence == Presence::Present).then_some(paper.key).into_iter().collect();
                (list, Outcome::Ok(history::Output::Names { names }))
            }
        }
    }
}
