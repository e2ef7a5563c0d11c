//! Lies about entries of a map of texts.

use super::*;
use crate::model::kv::{Input, Output};
use crate::model::samples::{Words, arranged};

type Asked = Operation<Input<'static>, Output<'static>>;

fn seen(operation: &Asked) -> Option<&'static str> {
    match operation.output {
        Some(Output::Value(text)) => Some(text),
        _ => None,
    }
}

/// The words of a text.
fn words(text: &'static str) -> Vec<&'static str> {
    text.split_inclusive('.').collect()
}

/// Who made a word.
fn maker(operations: &[Asked], word: &str) -> Option<usize> {
    operations
        .iter()
        .position(|other| matches!(other.input, Input::Put(made) | Input::Append(made) if made == word))
}

/// A read, and the place of a word that it shows: it was appended after what the text begins with was put, and before the
/// next word.
fn pair(random: &mut Random, operations: &[Asked]) -> Option<(usize, usize)> {
    let is_long = |read: &Asked| seen(read).is_some_and(|text| words(text).len() > 2);
    shuffled(random, operations, is_long).into_iter().find_map(|read| {
        let words = words(seen(&operations[read])?);
        let put = maker(operations, words[0]).map(|put| &operations[put])?;
        matches!(put.input, Input::Put(_)).then_some(())?;
        let follows = |place: &usize| {
            let [one, other] = [words[*place], words[*place + 1]].map(|word| maker(operations, word));
            one.zip(other).is_some_and(|(one, other)| {
                let (one, other) = (&operations[one], &operations[other]);
                ends(put) < one.invoked && ends(one) < other.invoked
            })
        };
        (1..words.len() - 1).find(follows).map(|place| (read, place))
    })
}

fn show(operation: &mut Asked, words: &[&str]) {
    operation.output = Some(Output::Value(arranged(&words.concat())));
}

pub(super) fn entries(size: Size) {
    let sampler = Words::default();
    let model = ("kv", &sampler);
    tells(model, size, 1, ("old text", AnomalyKind::StaleRead), |random, operations| {
        let is_read = |read: &Asked| seen(read).is_some_and(|text| !text.is_empty());
        shuffled(random, operations, is_read).into_iter().find_map(|read| {
            let begin = operations[read].invoked;
            let is_older = |other: &Asked| is_read(other) && ends(other) < begin;
            // Something was put in between.
            let is_between = |other: usize| {
                operations.iter().any(|put| {
                    matches!(put.input, Input::Put(_))
                        && put.invoked > ends(&operations[other])
                        && ends(put) < begin
                })
            };
            let old = shuffled(random, operations, is_older).into_iter().find(|other| is_between(*other))?;
            operations[read].output = operations[old].output;
            Some(Lied::of(read))
        })
    });
    tells(model, size, 1, ("append lost", AnomalyKind::Lost), |random, operations| {
        let (read, place) = pair(random, operations)?;
        let gone = words(seen(&operations[read])?)[place];
        let lost = maker(operations, gone)?;
        let mut about = vec![lost];
        for (number, other) in operations.iter_mut().enumerate() {
            let Some(text) = seen(other).filter(|text| text.contains(gone)) else { continue };
            show(other, &words(text).into_iter().filter(|word| *word != gone).collect::<Vec<_>>());
            about.push(number);
        }
        Some(Lied { about, failed: Vec::new() })
    });
    tells(model, size, 1, ("wrong order", AnomalyKind::LateAppend), |random, operations| {
        let (read, place) = pair(random, operations)?;
        let mut words = words(seen(&operations[read])?);
        words.swap(place, place + 1);
        show(&mut operations[read], &words);
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("appended twice", AnomalyKind::Duplicate), |random, operations| {
        let (read, place) = pair(random, operations)?;
        let mut words = words(seen(&operations[read])?);
        words.insert(place, words[place]);
        show(&mut operations[read], &words);
        Some(Lied::of(read))
    });
    unwritten(model, size);
}

/// Texts with something that nobody had put or appended by then.
fn unwritten(model: (&str, &Words), size: Size) {
    tells(model, size, 1, ("overwritten", AnomalyKind::Resurrected), |random, operations| {
        shuffled(random, operations, |read| seen(read).is_some()).into_iter().find_map(|read| {
            let mut words = words(seen(&operations[read])?);
            let put = maker(operations, words.first()?)?;
            if !matches!(operations[put].input, Input::Put(_)) {
                return None;
            }
            let begin = operations[put].invoked;
            let before = |other: &Asked| matches!(other.input, Input::Append(_)) && ends(other) < begin;
            let old = *shuffled(random, operations, before).first()?;
            let Input::Append(old) = operations[old].input else { return None };
            words.push(old);
            show(&mut operations[read], &words);
            Some(Lied::of(read))
        })
    });
    tells(model, size, 1, ("never appended", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, |read| seen(read).is_some()).first()?;
        let mut words = words(seen(&operations[read])?);
        words.push("nothing.");
        show(&mut operations[read], &words);
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("append failed", AnomalyKind::AbortedRead), |random, operations| {
        shuffled(random, operations, |operation| seen(operation).is_none() && operation.returned.is_some())
            .into_iter()
            .find(|made| {
                let (Input::Put(word) | Input::Append(word)) = operations[*made].input else { return false };
                operations.iter().any(|read| seen(read).is_some_and(|text| words(text).contains(&word)))
            })
            .map(Lied::failed)
    });
}
