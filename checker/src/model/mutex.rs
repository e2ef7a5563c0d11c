//! A lock: taken by one at a time, and given back.
//!
//! Who holds it does not matter: as in Knossos, acquisitions and releases take turns. A refusal may be an answer that
//! proves something: an acquisition was refused because the lock was held, a release because it was not.

use crate::model::Model;

/// What is asked of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Take it.
    Acquire,
    /// Give it back.
    Release,
}

/// What a lock answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// Taken, or given back.
    Done,
    /// Not taken because it was held, or not given back because it was not.
    Refused,
}

/// Whether a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lock {
    /// Nobody holds it.
    Free,
    /// Somebody does.
    Held,
}

/// The model of one lock, free at the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mutex;

impl Mutex {
    /// The state in which the question is answered with [`Output::Done`], and the one that it leaves then.
    #[must_use]
    pub fn turn(input: Input) -> (Lock, Lock) {
        match input {
            Input::Acquire => (Lock::Free, Lock::Held),
            Input::Release => (Lock::Held, Lock::Free),
        }
    }
}

impl Model for Mutex {
    type State = Lock;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<Lock> {
        vec![Lock::Free]
    }

    fn step(&self, state: &Lock, input: &Input, output: Option<&Output>) -> Option<Lock> {
        let (before, after) = Mutex::turn(*input);
        match output {
            None => Some(after),
            Some(Output::Done) => (*state == before).then_some(after),
            Some(Output::Refused) => (*state == after).then_some(after),
        }
    }

    fn refusal(&self, state: &Lock, _input: &Input, _output: Option<&Output>) -> String {
        match state {
            Lock::Free => "nobody holds the lock here".to_owned(),
            Lock::Held => "the lock is held here".to_owned(),
        }
    }

    fn observes(&self, _input: &Input, output: Option<&Output>) -> bool {
        output == Some(&Output::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_it() {
        let step = |state, input, output| Mutex.step(&state, &input, output);
        let (done, refused) = (Some(&Output::Done), Some(&Output::Refused));
        assert_eq!(step(Lock::Free, Input::Acquire, done), Some(Lock::Held));
        assert_eq!(step(Lock::Held, Input::Acquire, done), None);
        assert_eq!(step(Lock::Held, Input::Acquire, refused), Some(Lock::Held));
        assert_eq!(step(Lock::Free, Input::Acquire, refused), None);
        assert_eq!(step(Lock::Held, Input::Release, done), Some(Lock::Free));
        assert_eq!(step(Lock::Free, Input::Release, done), None);
        assert_eq!(step(Lock::Free, Input::Release, refused), Some(Lock::Free));
        assert_eq!(step(Lock::Held, Input::Acquire, None), Some(Lock::Held));
        assert_eq!(Mutex.refusal(&Lock::Held, &Input::Acquire, done), "the lock is held here");
    }
}
