//! Operations on an account name.

use crate::differential::Sampler;
use crate::differential::random::Random;
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
}
