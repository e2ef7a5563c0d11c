//! The faults of a history, with their windows of time as a person means them.
//!
//! A testbed may write down when a fault was put in place and when it was lifted: then the [`Fault`] is the window. Jepsen
//! writes down two operations instead, `start-partition` and `stop-partition`, each with a beginning and an end: then the
//! fault stands from the beginning of the first to the end of the second.

use std::collections::BTreeSet;

use crate::history::{Fault, History, Moment, Symbol};

/// A fault and its window of time.
#[derive(Debug, Clone)]
pub(crate) struct Stood<'h> {
    /// What it was: `partition`.
    pub(crate) name: &'h str,
    /// The nodes it struck.
    pub(crate) nodes: &'h [Symbol],
    pub(crate) began: Moment,
    /// When it was lifted; `None` if the history ends before.
    pub(crate) ended: Option<Moment>,
}

/// What a fault of some name does to one that stands.
enum Role<'n> {
    /// It puts a fault of this name in place, which is lifted by one that [lifts](Role::Lifts) the same.
    Puts(&'n str),
    /// It lifts a fault of this name.
    Lifts(&'n str),
    /// It is one by itself.
    Itself,
}

/// What a name says, in a history that has some names.
fn role<'n>(name: &'n str, has: &impl Fn(&str) -> bool) -> Role<'n> {
    let plain = name.trim_start_matches(':');
    match plain {
        "start" if has("stop") => Role::Puts("nemesis"),
        "stop" => Role::Lifts("nemesis"),
        "start" if has("kill") => Role::Lifts("kill"),
        "kill" if has("start") && !has("stop") => Role::Puts("kill"),
        "resume" => Role::Lifts("pause"),
        "pause" if has("resume") => Role::Puts("pause"),
        _ => match (plain.strip_prefix("start-"), plain.strip_prefix("stop-")) {
            (Some(what), _) => Role::Puts(what),
            (None, Some(what)) => Role::Lifts(what),
            (None, None) => Role::Itself,
        },
    }
}

/// The faults of a history as they stood, in the order in which they began.
pub(crate) fn stood(history: &History) -> Vec<Stood<'_>> {
    let names: BTreeSet<Symbol> = history.faults().iter().map(|fault| fault.f).collect();
    let has = |name: &str| names.iter().any(|other| history.text(*other).trim_start_matches(':') == name);
    let end_of = |fault: &Fault| fault.ended.unwrap_or(fault.began);
    let mut windows: Vec<Stood<'_>> = Vec::new();
    // Those that stand, by their position.
    let mut open: Vec<usize> = Vec::new();
    for fault in history.faults() {
        let name = history.text(fault.f);
        let window = |name, ended| Stood { name, nodes: &fault.nodes, began: fault.began, ended };
        match role(name, &has) {
            Role::Puts(what) => {
                open.push(windows.len());
                windows.push(window(what, None));
            }
            Role::Lifts(what) => {
                let lifted = open.extract_if(.., |at| windows[*at].name == what).collect::<Vec<_>>();
                for at in &lifted {
                    windows[*at].ended = Some(end_of(fault));
                }
                // What was never put in place is told as it was written down.
                if lifted.is_empty() {
                    windows.push(window(name, fault.ended));
                }
            }
            Role::Itself => windows.push(window(name, fault.ended)),
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::edn;

    /// The windows of lines of a nemesis, each a millisecond after the other.
    fn windows(lines: &[&str]) -> Vec<(String, u64, Option<u64>)> {
        let line = |(at, f): (usize, &&str)| {
            format!("{{:process :nemesis, :type :info, :f :{f}, :value nil, :time {}}}\n", at * 1_000_000)
        };
        let text: String = lines.iter().enumerate().map(line).collect();
        let (history, _) = edn::read(text.as_bytes()).unwrap();
        let ms = |moment: Moment| moment.time / 1_000_000;
        stood(&history)
            .iter()
            .map(|stood| (stood.name.to_owned(), ms(stood.began), stood.ended.map(ms)))
            .collect()
    }

    #[test]
    fn a_fault_stands_from_its_start_to_its_stop() {
        let named = |name: &str, began, ended| (name.to_owned(), began, ended);
        assert_eq!(windows(&["start", "start", "stop", "stop"]), [named("nemesis", 0, Some(3))]);
        assert_eq!(
            windows(&[
                "start-partition",
                "start-partition",
                "kill",
                "kill",
                "stop-partition",
                "stop-partition"
            ]),
            [named("partition", 0, Some(5)), named("kill", 2, Some(3))]
        );
        assert_eq!(
            windows(&["kill", "kill", "start", "start", "pause", "pause"]),
            [named("kill", 0, Some(3)), named("pause", 4, Some(5))]
        );
        assert_eq!(windows(&["pause", "pause", "resume", "resume"]), [named("pause", 0, Some(3))]);
        // What is never lifted stands to the end; what was never put in place is told as it is.
        assert_eq!(windows(&["start-clock", "start-clock"]), [named("clock", 0, None)]);
        assert_eq!(windows(&["stop", "stop"]), [named("stop", 0, Some(1))]);
    }
}
