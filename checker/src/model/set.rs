//! A set: elements are added, removed and looked for, and the whole of it is read.
//!
//! An addition or a removal may answer whether it changed the set, or only that it was done.

use crate::history::{Datum, Symbols};
use crate::model::Model;

/// What is asked of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Add this element.
    Add(Datum),
    /// Remove this element.
    Remove(Datum),
    /// Is this element in it?
    Contains(Datum),
    /// Which elements are in it?
    Read,
}

impl Input {
    /// The one element that this is about.
    #[must_use]
    pub fn element(&self) -> Option<Datum> {
        match *self {
            Input::Add(element) | Input::Remove(element) | Input::Contains(element) => Some(element),
            Input::Read => None,
        }
    }
}

/// What a set answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Output {
    /// Added, or removed; or it was so before.
    Done,
    /// Whether an addition or a removal changed the set.
    Changed(bool),
    /// Whether the element is in it.
    Found(bool),
    /// The elements, ascending. An honest set shows each once.
    Elements(Box<[Datum]>),
}

/// The model of one set, empty at the start.
#[derive(Debug, Clone, Copy)]
pub struct Set<'a> {
    symbols: &'a Symbols,
}

impl<'a> Set<'a> {
    /// A set whose elements have their texts in `symbols`.
    #[must_use]
    pub fn new(symbols: &'a Symbols) -> Self {
        Set { symbols }
    }

    /// The text of an element.
    #[must_use]
    pub fn text(&self, element: Datum) -> String {
        element.told(self.symbols)
    }
}

impl Model for Set<'_> {
    /// The elements, ascending.
    type State = Vec<Datum>;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<Vec<Datum>> {
        vec![Vec::new()]
    }

    fn step(&self, state: &Vec<Datum>, input: &Input, output: Option<&Output>) -> Option<Vec<Datum>> {
        let place = input.element().map(|element| state.binary_search(&element));
        let fits = match (input, output) {
            (_, None) | (Input::Add(_) | Input::Remove(_), Some(Output::Done)) => true,
            (Input::Add(_), Some(Output::Changed(changed))) => {
                *changed == place.is_some_and(|at| at.is_err())
            }
            (Input::Remove(_), Some(Output::Changed(changed))) => {
                *changed == place.is_some_and(|at| at.is_ok())
            }
            (Input::Contains(_), Some(Output::Found(found))) => *found == place.is_some_and(|at| at.is_ok()),
            (Input::Read, Some(Output::Elements(elements))) => **elements == **state,
            (Input::Read | Input::Contains(_), _) | (Input::Add(_) | Input::Remove(_), _) => false,
        };
        fits.then(|| {
            let mut next = state.clone();
            match (input, place) {
                (Input::Add(element), Some(Err(at))) => next.insert(at, *element),
                (Input::Remove(_), Some(Ok(at))) => drop(next.remove(at)),
                _ => {}
            }
            next
        })
    }

    fn refusal(&self, state: &Vec<Datum>, input: &Input, output: Option<&Output>) -> String {
        if let (Input::Read, Some(Output::Elements(elements))) = (input, output) {
            let missing = state.iter().find(|element| elements.binary_search(element).is_err());
            let strange = elements.iter().find(|element| state.binary_search(element).is_err());
            return match (missing, strange) {
                (Some(missing), _) => format!("the set here has {}", self.text(*missing)),
                (None, Some(strange)) => format!("the set here does not have {}", self.text(*strange)),
                (None, None) => "the set here is another one".to_owned(),
            };
        }
        let Some(element) = input.element() else { return "a read answers with elements".to_owned() };
        let has = if state.binary_search(&element).is_ok() { "has" } else { "does not have" };
        format!("the set here {has} {}", self.text(element))
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        matches!((input, output), (Input::Add(_) | Input::Remove(_), Output::Done))
    }

    fn observes(&self, input: &Input, output: Option<&Output>) -> bool {
        matches!(input, Input::Contains(_) | Input::Read) || output == Some(&Output::Changed(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_in_it_until_it_is_removed() {
        let symbols = Symbols::default();
        let set = Set::new(&symbols);
        let [one, two] = [1, 2].map(Datum::Int);
        let both = vec![one, two];
        let step = |state: &[Datum], input, output: Output| set.step(&state.to_vec(), &input, Some(&output));
        assert_eq!(step(&[one], Input::Add(two), Output::Done), Some(both.clone()));
        assert_eq!(step(&[one], Input::Add(two), Output::Changed(true)), Some(both.clone()));
        assert_eq!(step(&[one], Input::Add(one), Output::Changed(true)), None);
        assert_eq!(step(&[one], Input::Remove(one), Output::Changed(true)), Some(vec![]));
        assert_eq!(step(&[one], Input::Remove(two), Output::Changed(false)), Some(vec![one]));
        assert_eq!(step(&[one], Input::Contains(one), Output::Found(true)), Some(vec![one]));
        assert_eq!(step(&[one], Input::Contains(two), Output::Found(true)), None);
        assert_eq!(step(&both, Input::Read, Output::Elements(both.clone().into())), Some(both.clone()));
        assert_eq!(step(&[one], Input::Read, Output::Elements(both.clone().into())), None);
        let elements = |elements: &[Datum]| Some(Output::Elements(elements.into()));
        assert_eq!(set.refusal(&both, &Input::Read, elements(&[one]).as_ref()), "the set here has 2");
        assert_eq!(
            set.refusal(&vec![one], &Input::Contains(two), Some(&Output::Found(true))),
            "the set here does not have 2"
        );
    }
}
