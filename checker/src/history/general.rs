//! Operations on general objects (registers, maps, lists, sets, queues, locks, counters, transactions) by their names.
//!
//! Names and shapes are those of Jepsen's workloads. What an operation means, the model decides: `add` is about a set
//! or a counter, a `read` sees whatever the object is.

use super::datum::Datum;
use super::input::Input;
use super::operation::Output;
use super::symbol::Symbols;

/// The names that [`input`] knows.
pub(super) const NAMES: [&str; 18] = [
    "read",
    "get",
    "write",
    "cas",
    "put",
    "append",
    "add",
    "remove",
    "enqueue",
    "dequeue",
    "drain",
    "acquire",
    "release",
    "increment",
    "inc",
    "decrement",
    "dec",
    "txn",
];

/// The input that the operation `f` has with an argument. What has an unknown name or no fitting argument is
/// [`Input::Other`].
pub(super) fn input(f: &str, value: Datum, symbols: &mut Symbols) -> Input {
    match (f, value) {
        ("read" | "get", Datum::Nil) => Input::Get,
        ("write", value) => Input::Write { value },
        ("put", value) => Input::Put { value },
        ("append", value) => Input::Append { value },
        ("add", value) => Input::Add { value },
        ("remove", value) => Input::Remove { value },
        ("enqueue", value) => Input::Enqueue { value },
        ("dequeue", Datum::Nil) => Input::Dequeue,
        ("drain", Datum::Nil) => Input::Drain,
        ("acquire", holder) => Input::Acquire { holder },
        ("release", holder) => Input::Release { holder },
        ("increment" | "inc", by) => Input::Increment { by },
        ("decrement" | "dec", by) => Input::Decrement { by },
        ("txn", Datum::List(operations))
            if symbols.items(operations).iter().all(|o| is_micro(*o, symbols)) =>
        {
            Input::Txn { operations }
        }
        ("cas", Datum::List(list)) if symbols.items(list).len() == 2 => {
            let items = symbols.items(list);
            Input::Cas { from: items[0], to: items[1] }
        }
        (other, value) => Input::Other { f: symbols.intern(other), value },
    }
}

/// Whether this is a micro-operation of a transaction: a name, an object and a value.
fn is_micro(operation: Datum, symbols: &Symbols) -> bool {
    matches!(operation.items(symbols), Some([Datum::Name(_) | Datum::Other(_), _, _]))
}

/// The name that the operation has in histories, if this module reads `f` as one; several names may be one.
pub(super) fn canonical(f: &str) -> &str {
    match f {
        "get" => "read",
        "inc" => "increment",
        "dec" => "decrement",
        other => other,
    }
}

impl Input {
    /// The argument of an operation on a general object, as readers find it; of a cas, and of what is about the chat, nil.
    #[must_use]
    pub fn argument(&self) -> Datum {
        match *self {
            Input::Write { value }
            | Input::Put { value }
            | Input::Append { value }
            | Input::Add { value }
            | Input::Remove { value }
            | Input::Enqueue { value }
            | Input::Other { value, .. } => value,
            Input::Acquire { holder } | Input::Release { holder } => holder,
            Input::Increment { by } | Input::Decrement { by } => by,
            Input::Txn { operations } => Datum::List(operations),
            _ => Datum::Nil,
        }
    }
}

/// The answer to an operation that [`input`] made. An acknowledgement that is nil or repeats the argument, as Jepsen's
/// clients do, says nothing more.
pub(super) fn output(input: &Input, value: Datum) -> Output {
    let silent = input.accepts(&Output::Done) && (value == Datum::Nil || value == input.argument());
    if silent { Output::Done } else { Output::Value { value } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(f: &str, json: &str, symbols: &mut Symbols) -> Input {
        let value = Datum::from_json(json, symbols).unwrap();
        input(f, value, symbols)
    }

    #[test]
    fn what_does_not_fit_is_kept_as_it_is() {
        let mut symbols = Symbols::default();
        for (f, json) in [
            ("read", "{\"x\":null}"),
            ("dequeue", "3"),
            ("cas", "[1,2,3]"),
            ("txn", "[[\"r\",1]]"),
            ("txn", "[[1,1,1]]"),
            ("txn", "null"),
            ("transfer", "{\"from\":1}"),
        ] {
            let input = asked(f, json, &mut symbols);
            assert!(matches!(input, Input::Other { .. }), "{f} {json}");
            assert_eq!((input.f(&symbols), input.argument().text(&symbols)), (f, json.to_owned()));
        }
    }

    #[test]
    fn an_acknowledgement_says_more_only_if_it_does_not_repeat() {
        let mut symbols = Symbols::default();
        let answer = |f: &str, asked_for: &str, answered: &str, symbols: &mut Symbols| {
            let input = asked(f, asked_for, symbols);
            let value = Datum::from_json(answered, symbols).unwrap();
            let output = output(&input, value);
            assert!(input.accepts(&output), "{f} {answered}");
            output
        };
        for (f, asked_for, answered) in [("add", "3", "3"), ("add", "3", "null"), ("acquire", "null", "null")]
        {
            assert_eq!(answer(f, asked_for, answered, &mut symbols), Output::Done, "{f}");
        }
        for (f, asked_for, answered) in [
            ("increment", "2", "7"),
            ("read", "null", "null"),
            ("dequeue", "null", "null"),
            ("txn", "[]", "[]"),
        ] {
            let value = Datum::from_json(answered, &mut symbols).unwrap();
            assert_eq!(answer(f, asked_for, answered, &mut symbols), Output::Value { value }, "{f}");
        }
    }

    #[test]
    fn several_names_are_one() {
        let mut symbols = Symbols::default();
        for f in NAMES.into_iter().chain(["anything"]) {
            assert_eq!(asked(f, "null", &mut symbols).f(&symbols), canonical(f));
        }
        for f in NAMES {
            let known = ["null", "[]", "[1,2]"].map(|json| asked(f, json, &mut symbols));
            assert!(known.iter().any(|input| !matches!(input, Input::Other { .. })), "{f}");
        }
    }
}
