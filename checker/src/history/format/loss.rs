//! What a format cannot say of a history: found before it is written, so that nothing is dropped in silence.
//!
//! | format | what it cannot say |
//! |---|---|
//! | `jsonl`, `binary` | values that JSON has not: keywords, symbols, fractions, tagged literals, maps whose keys are no strings; operations of the chat with a value of their own |
//! | `edn` | processes from 2^63, times from 2^63 ns |
//! | all but `binary` | several nodes of a fault beside a value that does not name them |
//!
//! That an EDN map comes back sorted by its keys is no loss, nor what a reader has passed over: it is in no history.

use crate::history::{
    Datum, Event, Fault, History, Input, Moment, Operation, Outcome, Output, Symbols, format::Format,
};

/// What a format cannot say of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The index of the first event of which it cannot say everything.
    pub index: u32,
    /// What it cannot say of this one.
    pub what: String,
    /// How many such events there are.
    pub events: u32,
}

/// What a format cannot say of a history, if there is such a thing. Of formats that are not written, nothing is said.
#[must_use]
pub fn loss(history: &History, format: Format) -> Option<Loss> {
    let mut found: Option<Loss> = None;
    for (index, event) in (0..).zip(&history.events) {
        let what = match format {
            Format::Jsonl => not_json(history, *event).or_else(|| nodes_lost(history, *event)),
            Format::Binary => not_json(history, *event),
            Format::Edn => not_edn(history, *event).or_else(|| nodes_lost(history, *event)),
            Format::JepsenLog | Format::PorcupineKv => None,
        };
        match (what, &mut found) {
            (Some(_), Some(found)) => found.events += 1,
            (Some(what), None) => found = Some(Loss { index, what, events: 1 }),
            (None, _) => {}
        }
    }
    found
}

/// What JSON cannot say of an event.
fn not_json(history: &History, event: Event) -> Option<String> {
    let symbols = &history.symbols;
    let strange = |value: Datum| strange(value, symbols);
    match event {
        Event::Invoked(id) => {
            let Operation { input, .. } = history.operation(id);
            let value = match *input {
                Input::Cas { from, to } => strange(from).or_else(|| strange(to)),
                input => strange(input.argument()),
            };
            value.or_else(|| {
                let Input::Other { f, value } = *input else { return None };
                // What has a name of the chat is read with the shapes of the chat.
                let f = symbols.text(f);
                let read = Input::parse(f, &value.text(symbols), &mut Symbols::default());
                read.is_err().then(|| format!("`{f}` of a value that is none of this operation"))
            })
        }
        Event::Completed(id) => match &history.operation(id).outcome {
            Outcome::Ok(Output::Value { value }) => strange(*value),
            _ => None,
        },
        Event::FaultBegan(_) | Event::FaultEnded(_) => strange(said(history, event)?.2),
    }
}

/// What JSON cannot say of a value.
fn strange(value: Datum, symbols: &Symbols) -> Option<String> {
    match value {
        Datum::Nil | Datum::Bool(_) | Datum::Int(_) | Datum::Name(_) => None,
        Datum::Other(text) => {
            let text = symbols.text(text);
            let is_text = value.to_json(symbols).is_string();
            is_text.then(|| format!("`{text}`, which JSON has not: it would become a string"))
        }
        Datum::List(list) => symbols.items(list).iter().find_map(|item| strange(*item, symbols)),
        Datum::Map(list) => symbols.items(list).chunks_exact(2).find_map(|entry| match entry[0] {
            Datum::Name(_) => strange(entry[1], symbols),
            key => Some(format!(
                "a map with the key `{}`, which is no string: it would become one",
                key.key_text(symbols)
            )),
        }),
    }
}

/// What EDN cannot say of an event, as it is read here.
fn not_edn(history: &History, event: Event) -> Option<String> {
    let too_great = |number: u64| i64::try_from(number).is_err();
    let (at, process) = match event {
        Event::Invoked(id) | Event::Completed(id) => {
            let operation = history.operation(id);
            let completed = operation.completed.filter(|_| matches!(event, Event::Completed(_)));
            (completed.unwrap_or(operation.invoked), operation.process)
        }
        Event::FaultBegan(_) | Event::FaultEnded(_) => (said(history, event)?.1, 0),
    };
    if too_great(process) {
        return Some(format!("the process {process}, which is not below 2^63"));
    }
    too_great(at.time).then(|| format!("the time {} ns, which is not below 2^63", at.time))
}

/// Whether nodes are lost: the value of a line of the nemesis says them, or is nil, or there is one.
fn nodes_lost(history: &History, event: Event) -> Option<String> {
    let (fault, _, value) = said(history, event)?;
    let [_, _, ..] = *fault.nodes else { return None };
    let named = value == Datum::Nil || value.to_json(&history.symbols).get("nodes").is_some();
    (!named).then(|| format!("{} nodes of a fault beside its value", fault.nodes.len()))
}

/// What a line of the nemesis says, and when.
fn said(history: &History, event: Event) -> Option<(&Fault, Moment, Datum)> {
    match event {
        Event::FaultBegan(number) => {
            let fault = &history.faults[number as usize];
            Some((fault, fault.began, fault.value))
        }
        Event::FaultEnded(number) => {
            let fault = &history.faults[number as usize];
            fault.ended.map(|ended| (fault, ended, fault.effect))
        }
        Event::Invoked(_) | Event::Completed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{FaultLine, edn, format, jsonl, timeline};

    const WRITTEN: [Format; 3] = [Format::Jsonl, Format::Edn, Format::Binary];

    fn of_edn(text: &str) -> History {
        edn::read(text.as_bytes()).unwrap().0
    }

    /// Writes a history, reads it again, and says whether it is the same.
    fn survives(history: &History, format: Format) -> bool {
        let mut bytes = Vec::new();
        format::write(history, &mut bytes, format).unwrap();
        let text = |history: &History| {
            let mut text = Vec::new();
            edn::write(history, &mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        format::read(&*bytes, Some(format)).is_ok_and(|(again, _)| text(&again) == text(history))
    }

    #[test]
    fn what_is_no_loss_survives_and_what_is_one_does_not() {
        for (text, json) in [
            ("{:process 0 :type :invoke :f :write :value [1 nil \"a\" 2.5 18446744073709551615]}", true),
            ("{:process 0 :type :invoke :f :write :value {\"a\" [true]}}", true),
            ("{:process 0 :type :invoke :f :write :value :a}", false),
            ("{:process 0 :type :invoke :f :write :value [[1/2]]}", false),
            ("{:process 0 :type :invoke :f :write :value {:a 1}}", false),
            ("{:process 0 :type :invoke :f :cas :value [1 :a]}", false),
            ("{:process 0 :type :invoke :f :cas :value [1 2 3]}", false),
            ("{:process 0 :type :invoke :f :read :value \"x\"}", false),
            ("{:process 0 :type :invoke :f :dequeue :value 3}", true),
            (
                "{:process 0 :type :invoke :f :get :value nil} {:process 0 :type :ok :f :get :value #inst \"2024\"}",
                false,
            ),
            ("{:process :nemesis :type :info :f :kill :value {\"nodes\" [\"n1\" \"n2\"]}}", true),
            ("{:process :nemesis :type :info :f :kill :value :n1}", false),
        ] {
            let history = of_edn(text);
            for format in WRITTEN {
                let expected = json || format == Format::Edn;
                assert_eq!(loss(&history, format).is_none(), expected, "{text} as {format}");
                assert_eq!(survives(&history, format), expected, "{text} as {format}");
            }
        }
    }

    #[test]
    fn what_is_typed_can_be_said_in_every_format() {
        let picture = "
            p0@n1: |-send a=1-|  |-read 0+9 [a]-|  |-delete #1-|  |-final-read [a†]-|  |-stale-read 0+9 [a†]-|
            p1@n2:   |-send b-?
            p3:    |-create al-|  |-login al-|  |-list like a* after a limit 3 [al]-|  |-final-list [al bo]-|
            p4:    |-get 3-|  |-write {\"a\":[1,2.5]}-|  |-cas 1 null-|  |-get null-|  |-delete-account al-|
            p5:    |-poll by w after 3 [7/k/1/a]-|  |-final-poll []-|  |-call odd [1,null]-|
            nemesis:    |-partition n1 n2------------------------->
        ";
        let history = timeline::parse(picture).unwrap();
        for format in WRITTEN {
            assert_eq!(loss(&history, format), None, "{format}");
            assert!(survives(&history, format), "{format}");
        }
    }

    #[test]
    fn numbers_beyond_63_bits_are_lost_in_edn_alone() {
        let line = |process: u64, time: u64| {
            let event = format!(
                "{{\"index\":0,\"time\":{time},\"process\":{process},\"type\":\"invoke\",\"f\":\"get\"}}"
            );
            let text = format!("{{\"format\":\"hearsay-history\",\"version\":1}}\n{event}\n");
            jsonl::read(text.as_bytes()).unwrap().0
        };
        for (history, is_lost) in [
            (line(i64::MAX as u64, i64::MAX as u64), false),
            (line(1 << 63, 1), true),
            (line(1, u64::MAX), true),
        ] {
            for format in WRITTEN {
                let expected = is_lost && format == Format::Edn;
                assert_eq!(loss(&history, format).is_some(), expected, "{format}");
                assert_eq!(survives(&history, format), !expected, "{format}");
            }
        }
    }

    #[test]
    fn nodes_beside_a_value_are_kept_in_binary_alone_and_each_event_is_counted() {
        let mut history = History::new();
        let [f, one, other] = ["kill", "n1", "n2"].map(|text| history.symbols.intern(text));
        for index in 0..2 {
            let line =
                FaultLine { f, key: None, nodes: [one, other].into(), value: Datum::Int(index.into()) };
            history.nemesis(Moment { index, time: 0 }, line).unwrap();
        }
        let what = "2 nodes of a fault beside its value".to_owned();
        let expected = Some(Loss { index: 0, what, events: 2 });
        assert_eq!(WRITTEN.map(|format| loss(&history, format)), [expected.clone(), expected, None]);
    }
}
