//! The letters of the operations, where a sentence names them: `send c3-17 (A) was acknowledged at 12.013 s`.

use super::Precision;
use crate::anomaly::{Anomaly, Witness};

/// How far behind a name its time may stand, in bytes.
const TIME_WITHIN: usize = 48;

/// The letter of the operation at a position: `A`, and after `Z`, `A2`.
pub(crate) fn letter(position: usize) -> String {
    let letters = (b'A'..=b'Z').map(char::from).collect::<Vec<_>>();
    let letter = letters[position % letters.len()];
    match position / letters.len() {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

/// The sentence of an anomaly, with the letter of each operation where it is named first.
///
/// If two operations have one name, the time that stands behind it tells which is meant; if that does not either, none
/// gets a letter there.
pub(super) fn lettered(anomaly: &Anomaly) -> String {
    let names: Vec<Vec<String>> = anomaly.operations.iter().map(names).collect();
    let mut marks: Vec<(usize, &str)> = Vec::new();
    for (shown, own) in anomaly.operations.iter().zip(&names) {
        let found = own.iter().find_map(|name| {
            let rivals: Vec<&Witness> = anomaly
                .operations
                .iter()
                .zip(&names)
                .filter(|(other, theirs)| other.index != shown.index && theirs.contains(name))
                .map(|(other, _)| other)
                .collect();
            ends_of(&anomaly.sentence, name).find(|end| is_meant(&anomaly.sentence[*end..], shown, &rivals))
        });
        marks.extend(found.map(|end| (end, shown.label.as_str())));
    }
    marks.extend(last_left(anomaly, &names, &marks));
    marks.sort_unstable();
    // From behind, so that what was found stays where it is.
    let mut sentence = anomaly.sentence.clone();
    for (end, label) in marks.into_iter().rev() {
        sentence.insert_str(end, &format!(" ({label})"));
    }
    sentence
}

/// The one operation without a letter, if there is one place left that has its name.
fn last_left<'a>(
    anomaly: &'a Anomaly,
    names: &[Vec<String>],
    marks: &[(usize, &str)],
) -> Option<(usize, &'a str)> {
    let is_left = |shown: &Witness| marks.iter().all(|(_, label)| *label != shown.label);
    let mut left = anomaly.operations.iter().zip(names).filter(|(shown, _)| is_left(shown));
    let (shown, own) = left.next().filter(|_| left.next().is_none())?;
    let taken = |end: &usize| marks.iter().any(|(other, _)| other == end);
    own.iter().find_map(|name| {
        let mut places = ends_of(&anomaly.sentence, name).filter(|end| !taken(end));
        let place = places.next()?;
        places.next().is_none().then_some((place, shown.label.as_str()))
    })
}

/// The names that sentences give an operation, the most telling first.
fn names(shown: &Witness) -> Vec<String> {
    let client = shown.client();
    let mut names = vec![format!("`{}` of {client}", shown.text)];
    for verb in ["final read", "read", "final poll", "poll"] {
        if shown.text.starts_with(verb) {
            names.push(format!("the {verb} by {client}"));
            break;
        }
    }
    if let Some(id) = shown.value.get("id").and_then(serde_json::Value::as_str) {
        names.push(format!("send {id}"));
        names.push(format!("the acknowledgement of {id}"));
        names.push(format!("the acknowledgement to {client}"));
    }
    names.push(format!("the {} by {client}", shown.f));
    names.push(client);
    names
}

/// Where the name ends, wherever the text has it as a whole.
fn ends_of<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let goes_on = |rest: &str| {
        let mut rest = rest.chars();
        let next = rest.next();
        next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            || (next == Some('-') && rest.next().is_some_and(char::is_alphanumeric))
    };
    let ends = text.match_indices(name).map(|(start, name)| start + name.len());
    ends.filter(move |end| !goes_on(&text[*end..]))
}

/// Whether a name stands for this operation and for none of its rivals, by the time behind it.
fn is_meant(rest: &str, shown: &Witness, rivals: &[&Witness]) -> bool {
    if rivals.is_empty() {
        return true;
    }
    let Some(time) = first_time(rest) else { return false };
    tells(time, shown) && !rivals.iter().any(|rival| tells(time, rival))
}

/// The first time in a text: `12.013` of `, which ended at 12.013 s, shows it`.
fn first_time(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(" s")?;
    let start = before.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
    (before.len() <= TIME_WITHIN && start < before.len()).then(|| &before[start..])
}

fn tells(time: &str, shown: &Witness) -> bool {
    let is_it = |ns: u64| Precision::ALL.iter().any(|precision| precision.number(ns) == time);
    is_it(shown.invoked) || shown.completed.is_some_and(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 1, 25, 26, 53].map(letter), ["A", "B", "Z", "A2", "B3"]);
    }

    #[test]
    fn a_name_is_found_as_a_whole() {
        let ends = |text: &'static str, name: &'static str| ends_of(text, name).collect::<Vec<_>>();
        assert_eq!(ends("send c1-1 and send c1-17, send c1-1, send c1-1-2", "send c1-1"), [9, 35]);
        assert_eq!(ends("client 1 on n1 and client 13", "client 1"), [8]);
    }

    #[test]
    fn a_time_stands_near_its_name() {
        assert_eq!(first_time(", which ended at 12.013 s, shows it"), Some("12.013"));
        assert_eq!(first_time(" shows it"), None);
        assert_eq!(first_time(" shows it as number 3 in the room of somebody else, at 1.000 s"), None);
    }
}
