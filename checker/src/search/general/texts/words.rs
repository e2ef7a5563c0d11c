//! What is wrong with a text that was read, word by word.
//!
//! What is put and appended are the words. If a text can be taken apart into them in one way only, and each word was made
//! by one operation, it says what happened: a word that nobody made, one that stands there twice, one behind another
//! that came later, or one that is missing. What this does not do is find a contradiction: there is one already.

use std::collections::{BTreeSet, HashMap};

use crate::anomaly::AnomalyKind;
use crate::model::OperationOf;
use crate::model::kv::{Input, Kv, Output};
use crate::search::Contradiction;

/// The most work that is done for one text: its length times how many lengths its words have.
const WORK_MAX: usize = 1 << 22;

/// What is wrong with a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw<'t> {
    pub(super) kind: AnomalyKind,
    /// The end of a sentence about who read it; none if only the order is wrong.
    pub(super) why: Option<String>,
    /// The words of operations that failed, where they were seen.
    pub(super) failed: Vec<&'t str>,
}

impl<'t> Flaw<'t> {
    fn new(kind: AnomalyKind, why: impl Into<String>) -> Self {
        Flaw { kind, why: Some(why.into()), failed: Vec::new() }
    }
}

/// What is wrong with the text that was read last in a contradiction. `failed` are the words of operations that
/// certainly did not happen; `late` says that the read began after everything else of the contradiction had completed.
pub(super) fn flaw<'t>(
    model: &Kv<'t>,
    operations: &[OperationOf<Kv<'t>>],
    failed: &[&'t str],
    contradiction: &Contradiction,
    late: bool,
) -> Option<Flaw<'t>> {
    let read = &operations[contradiction.blocked];
    let (Input::Get, Some(Output::Value(text)), Some(end)) = (read.input, read.output, read.returned) else {
        return None;
    };
    // By word: who made it. What was there at the start, nobody did.
    let mut makers: HashMap<&'t str, Vec<Option<usize>>> = HashMap::new();
    if !model.initial.is_empty() {
        makers.insert(model.initial, vec![None]);
    }
    for (number, operation) in operations.iter().enumerate().filter(|(_, operation)| operation.invoked < end)
    {
        match operation.input {
            Input::Put(word) | Input::Append(word) if !word.is_empty() => {
                makers.entry(word).or_default().push(Some(number));
            }
            _ => {}
        }
    }
    let made = |word: &str| makers.contains_key(word);
    let lengths =
        |words: &mut dyn Iterator<Item = &&str>| words.map(|word| word.len()).collect::<BTreeSet<_>>();
    let known = lengths(&mut makers.keys());
    let Some((words, is_only)) = split(text, &known, made)? else {
        let all = lengths(&mut makers.keys().chain(failed));
        let parts = split(text, &all, |word| made(word) || failed.contains(&word))?;
        return Some(match parts {
            Some((words, _)) => {
                let seen: Vec<&str> =
                    failed.iter().copied().filter(|word| words.contains(word) && !made(word)).collect();
                let first = seen.first().copied().unwrap_or_default();
                let why = format!("shows \"{first}\", which only operations that failed made");
                Flaw { failed: seen, ..Flaw::new(AnomalyKind::AbortedRead, why) }
            }
            None => Flaw::new(AnomalyKind::Phantom, "shows what nobody had put or appended"),
        });
    };
    let flaw = if is_only { wrong_words(operations, &makers, &words, end) } else { None };
    flaw.or_else(|| late.then(|| missing(operations, &makers, &words, contradiction, end)))
}

/// The words of a text, and whether that is the only way to take it apart; [`None`] inside if there is none, outside if
/// it is too long to find out.
fn split<'s>(
    text: &'s str,
    lengths: &BTreeSet<usize>,
    is_word: impl Fn(&str) -> bool,
) -> Option<Option<(Vec<&'s str>, bool)>> {
    if text.len().checked_mul(lengths.len())? > WORK_MAX {
        return None;
    }
    // From each place on: in how many ways, counted up to 2, and the first word of one.
    let mut ways: Vec<(u8, usize)> = vec![(0, 0); text.len() + 1];
    ways[text.len()].0 = 1;
    for begin in (0..text.len()).rev() {
        for length in lengths.iter().copied().filter(|length| *length > 0 && begin + length <= text.len()) {
            if ways[begin + length].0 > 0 && text.get(begin..begin + length).is_some_and(&is_word) {
                ways[begin] = ((ways[begin].0 + ways[begin + length].0).min(2), length);
            }
        }
    }
    if ways[0].0 == 0 {
        return Some(None);
    }
    let mut words = Vec::new();
    let mut begin = 0;
    while begin < text.len() {
        let end = begin + ways[begin].1;
        words.push(&text[begin..end]);
        begin = end;
    }
    Some(Some((words, ways[0].0 == 1)))
}

/// What no text can be, whatever else happened.
fn wrong_words<'t>(
    operations: &[OperationOf<Kv<'t>>],
    makers: &HashMap<&'t str, Vec<Option<usize>>>,
    words: &[&str],
    end: u32,
) -> Option<Flaw<'t>> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    // What the text begins with, if that was put.
    let put = match makers[*words.first()?][..] {
        [Some(put)] if matches!(operations[put].input, Input::Put(_)) => Some(&operations[put]),
        _ => None,
    };
    // The one of those in front that was invoked last.
    let mut latest: Option<(usize, &str)> = None;
    for word in words {
        let makers = &makers[*word];
        let count = counts.entry(*word).or_default();
        *count += 1;
        if *count > makers.len() {
            let times = if makers.len() == 1 { "once".to_owned() } else { format!("{} times", makers.len()) };
            let why = format!("shows \"{word}\" {count} times, though it was put or appended {times}");
            return Some(Flaw::new(AnomalyKind::Duplicate, why));
        }
        let &[Some(maker)] = &makers[..] else { continue };
        let ended = operations[maker].returned.unwrap_or(u32::MAX);
        if put.is_some_and(|put| ended < put.invoked) {
            let why = format!("shows \"{word}\", though \"{}\" had overwritten it", words[0]);
            return Some(Flaw::new(AnomalyKind::Resurrected, why));
        }
        if let Some((_, before)) = latest.filter(|(other, _)| ended < operations[*other].invoked) {
            let why = format!("shows \"{word}\" behind \"{before}\", which was appended later");
            return Some(Flaw::new(AnomalyKind::LateAppend, why));
        }
        if latest.is_none_or(|(other, _)| operations[other].invoked < operations[maker].invoked) {
            latest = Some((maker, *word));
        }
    }
    let (latest, newer) = latest?;
    let since = put?.returned?;
    // Appended between two words that are there.
    let lacking = operations.iter().find_map(|other| match other.input {
        Input::Append(word) if !word.is_empty() && other.invoked > since && !counts.contains_key(word) => {
            other.returned.filter(|end| *end < operations[latest].invoked).map(|_| word)
        }
        _ => None,
    })?;
    let is_back = texts(operations, end).any(|text| text.contains(lacking));
    let kind = if is_back { AnomalyKind::StaleRead } else { AnomalyKind::Lost };
    Some(Flaw::new(
        kind,
        format!("shows \"{newer}\", but not \"{lacking}\", which had been appended before that"),
    ))
}

/// The texts that were read by those who began after `end`.
fn texts<'o, 't>(
    operations: &'o [OperationOf<Kv<'t>>],
    end: u32,
) -> impl Iterator<Item = &'t str> + use<'o, 't> {
    operations.iter().filter(move |other| other.invoked > end).filter_map(|other| match other.output {
        Some(Output::Value(text)) => Some(text),
        _ => None,
    })
}

/// What a text lacks that was read after all that contradicts it had completed. It is lost if a text of the same beginning
/// shows what was appended after it, and no later read shows it; else the read is stale.
fn missing<'t>(
    operations: &[OperationOf<Kv<'t>>],
    makers: &HashMap<&'t str, Vec<Option<usize>>>,
    words: &[&str],
    contradiction: &Contradiction,
    end: u32,
) -> Flaw<'t> {
    let stale = Flaw { kind: AnomalyKind::StaleRead, why: None, failed: Vec::new() };
    let Some(begin) = words.first().filter(|word| makers[**word].len() == 1) else { return stale };
    let later: Vec<&str> = texts(operations, end).collect();
    let lacking = contradiction.operations.iter().filter_map(|at| match operations[*at].input {
        Input::Append(word) if !words.contains(&word) => Some((*at, word)),
        _ => None,
    });
    for (at, word) in lacking {
        if later.iter().any(|text| text.contains(word)) {
            continue;
        }
        let ended = operations[at].returned.unwrap_or(u32::MAX);
        let newer = operations.iter().find_map(|other| match other.input {
            Input::Append(newer) if other.invoked > ended && !newer.is_empty() => {
                let shows = |text: &&str| text.starts_with(begin) && text.contains(newer);
                (words.contains(&newer) || later.iter().any(shows)).then_some(newer)
            }
            _ => None,
        });
        if let Some(newer) = newer {
            let why = format!(
                "does not show \"{word}\", nor does any later read, though \"{newer}\" was appended after it"
            );
            return Flaw::new(AnomalyKind::Lost, why);
        }
    }
    stale
}
