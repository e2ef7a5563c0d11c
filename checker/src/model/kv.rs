//! An entry of a map of texts, with put, append and get, as in Porcupine's and MIT 6.824's key-value stores.

use crate::model::Model;

/// What is asked of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input<'a> {
    /// What is the text?
    Get,
    /// Set the text.
    Put(&'a str),
    /// Put this behind the text.
    Append(&'a str),
}

/// What an entry answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output<'a> {
    /// It was put or appended.
    Done,
    /// The text.
    Value(&'a str),
}

/// The model of one entry, empty at the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kv<'a> {
    /// The text at the start.
    pub initial: &'a str,
}

/// The most of a text that a sentence quotes, in characters.
const QUOTED_MAX: usize = 40;

impl<'a> Model for Kv<'a> {
    type State = String;
    type Input = Input<'a>;
    type Output = Output<'a>;

    fn initial(&self) -> Vec<String> {
        vec![self.initial.to_owned()]
    }

    fn step(&self, state: &String, input: &Input<'a>, output: Option<&Output<'a>>) -> Option<String> {
        match (input, output) {
            (Input::Get, None) => Some(state.clone()),
            (Input::Get, Some(Output::Value(value))) => (state == value).then(|| state.clone()),
            (Input::Put(value), None | Some(Output::Done)) => Some((*value).to_owned()),
            (Input::Append(value), None | Some(Output::Done)) => Some([state.as_str(), value].concat()),
            (Input::Get, Some(Output::Done)) | (Input::Put(_) | Input::Append(_), Some(Output::Value(_))) => {
                None
            }
        }
    }

    fn refusal(&self, state: &String, input: &Input<'a>, _output: Option<&Output<'a>>) -> String {
        match input {
            Input::Get => {
                let hidden = state.chars().count().saturating_sub(QUOTED_MAX);
                let end: String = state.chars().skip(hidden).collect();
                format!("a get here must return \"{}{end}\"", if hidden > 0 { "…" } else { "" })
            }
            Input::Put(_) | Input::Append(_) => "a put or an append has nothing to answer".to_owned(),
        }
    }

    fn is_bare(&self, input: &Input<'a>, output: &Output<'a>) -> bool {
        matches!((input, output), (Input::Put(_) | Input::Append(_), Output::Done))
    }

    fn observes(&self, input: &Input<'a>, _output: Option<&Output<'a>>) -> bool {
        matches!(input, Input::Get | Input::Append(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_stands_behind_what_was_put() {
        let kv = Kv::default();
        let step = |state: &str, input, output| kv.step(&state.to_owned(), &input, output);
        assert_eq!(step("", Input::Put("a"), Some(&Output::Done)).as_deref(), Some("a"));
        assert_eq!(step("a", Input::Append("b"), Some(&Output::Done)).as_deref(), Some("ab"));
        assert_eq!(step("ab", Input::Get, Some(&Output::Value("ab"))).as_deref(), Some("ab"));
        assert_eq!(step("ab", Input::Get, Some(&Output::Value("a"))), None);
        assert_eq!(step("ab", Input::Put("c"), None).as_deref(), Some("c"));
        assert_eq!(kv.refusal(&"ab".to_owned(), &Input::Get, None), "a get here must return \"ab\"");
    }
}
