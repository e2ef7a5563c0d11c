//! A broken rule about logs as a sentence, with the lines that prove it.

use super::elections::restarted;
use super::replication::Broken;
use super::{Narrator, Place};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::evidence::trace::{LogPlace, TraceEvent};

/// The kind, the lines and the sentence.
type Words<'e> = (AnomalyKind, [Place<'e>; 2], String);

/// The anomaly.
pub(super) fn tell(narrator: &Narrator<'_>, broken: Broken<'_>) -> Anomaly {
    let (kind, [first, second], sentence) = words(narrator, broken);
    let mut trace = vec![first.event().clone()];
    if (first.node(), first.position) != (second.node(), second.position) {
        trace.push(second.event().clone());
    }
    Anomaly::of_trace(kind, trace, sentence)
}

fn words<'e>(narrator: &Narrator<'_>, broken: Broken<'e>) -> Words<'e> {
    use AnomalyKind as Kind;
    let at = |place: Place<'_>| narrator.place(place);
    match broken {
        Broken::OtherEntry { .. }
        | Broken::OtherPredecessor { .. }
        | Broken::Forgotten { .. }
        | Broken::Undone { .. } => words_of_entry(narrator, broken),
        Broken::Incomplete { entry, term, committed_in, lines: lines @ [first, second] } => {
            let sentence = format!(
                "{} knew in term {committed_in} that the entry of {} is committed ({}), but {} became leader of term \
                 {term} without it ({})",
                first.node(),
                of(entry),
                at(first),
                second.node(),
                at(second)
            );
            (Kind::LeaderIncomplete, lines, sentence)
        }
        Broken::NotVoter { term, lines: lines @ [first, second] } => {
            let sentence = format!(
                "{} became leader of term {term} ({}), but by the last members in its log it has no vote ({})",
                second.node(),
                at(second),
                at(first)
            );
            (Kind::LeaderNotVoter, lines, sentence)
        }
        Broken::CommitBack { from, to, lines } => {
            (Kind::CommitWentBack, lines, back(narrator, "commit", from, to, lines))
        }
        Broken::AppliedBack { from, to, lines } => {
            (Kind::AppliedWentBack, lines, back(narrator, "applied", from, to, lines))
        }
        Broken::Unsaved { purged, snapshot, lines } => {
            (Kind::SnapshotForgotten, lines, unsaved(narrator, purged, snapshot, lines))
        }
    }
}

/// Of an entry that is another one, or gone.
fn words_of_entry<'e>(narrator: &Narrator<'_>, broken: Broken<'e>) -> Words<'e> {
    use AnomalyKind as Kind;
    let at = |place: Place<'_>| narrator.place(place);
    match broken {
        Broken::OtherEntry { entry, lines: lines @ [first, second] } => {
            let sentence = format!(
                "two entries have {}: what {} appended ({}), and what {} appended ({}){}",
                of(entry),
                first.node(),
                at(first),
                second.node(),
                at(second),
                restarted(first, second)
            );
            (Kind::LogMismatch, lines, sentence)
        }
        Broken::OtherPredecessor { entry, terms: [one, other], lines: lines @ [first, second] } => {
            let sentence = format!(
                "the entry of {} follows one of term {one} in the log of {} ({}) and one of term {other} in the log of \
                 {} ({})",
                of(entry),
                first.node(),
                at(first),
                second.node(),
                at(second)
            );
            (Kind::LogMismatch, lines, sentence)
        }
        Broken::Forgotten { entry, lines: lines @ [first, second] } => {
            let sentence = format!(
                "the entry of {} was durable on {} ({}), and when it came up again it was gone ({})",
                of(entry),
                first.node(),
                at(first),
                at(second)
            );
            (Kind::EntryForgotten, lines, sentence)
        }
        Broken::Undone { entry, lines: lines @ [first, second] } => {
            let sentence = format!(
                "{} knew that the entry of {} is committed ({}), and removed it ({})",
                first.node(),
                of(entry),
                at(first),
                at(second)
            );
            (Kind::CommitUndone, lines, sentence)
        }
        _ => unreachable!("the others are told elsewhere"),
    }
}

fn back(narrator: &Narrator<'_>, index: &str, from: u64, to: u64, [first, second]: [Place<'_>; 2]) -> String {
    format!(
        "the {index} index of {} went back from {from} ({}) to {to} ({}) without a restart",
        first.node(),
        narrator.place(first),
        narrator.place(second)
    )
}

fn unsaved(
    narrator: &Narrator<'_>,
    purged: u64,
    snapshot: Option<u64>,
    [first, second]: [Place<'_>; 2],
) -> String {
    let newest = snapshot
        .map_or("it has no snapshot".to_owned(), |index| format!("its newest snapshot ends at {index}"));
    let (node, at) = (second.node(), narrator.place(second));
    match (first.event(), second.event()) {
        (_, TraceEvent::Purged { .. }) => {
            format!(
                "{node} removed its log up to index {purged} ({at}), but {newest} ({})",
                narrator.place(first)
            )
        }
        (TraceEvent::Recovered { .. }, _) if first.position == second.position => {
            format!(
                "{node} came up without its log up to index {purged}, which was removed, but {newest} ({at})"
            )
        }
        _ => format!(
            "{node} had a snapshot up to index {purged} ({}), but when it came up again {newest} ({at})",
            narrator.place(first)
        ),
    }
}

fn of(entry: LogPlace) -> String {
    format!("index {} and term {}", entry.index, entry.term)
}
