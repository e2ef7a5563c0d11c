mod log;
mod random;

use super::*;
use crate::anomaly::AnomalyKind;
use crate::evidence::trace::{EntryHashes, LogPlace, StateHash};
use crate::history::timeline;

/// Traces as lines: `n1: start, vote 5 n1, leader 5, commit 9 5, applied 9 5 a`, a millisecond apart.
fn traces(text: &str) -> Evidence {
    let trace = |line: &str| {
        let (node, events) = line.trim().split_once(": ").unwrap();
        let events = (1..).zip(events.split(", ")).map(|(at, event)| parse(at * 1_000_000, node, event));
        NodeTrace { node: node.to_owned(), events: events.collect(), lines: Vec::new() }
    };
    Evidence { traces: text.lines().map(trace).collect(), ..Evidence::default() }
}

fn parse(at: u64, node: &str, event: &str) -> TraceEvent {
    let node = node.to_owned();
    let words: Vec<&str> = event.split(' ').collect();
    let number = |word: &str| word.parse().unwrap();
    match words[..] {
        ["start"] => TraceEvent::Start { at, node },
        ["vote", term, candidate] => {
            TraceEvent::Vote { at, node, term: number(term), r#for: candidate.to_owned() }
        }
        ["leader", term] => TraceEvent::Leader { at, node, term: number(term) },
        ["commit", index, term] => TraceEvent::Commit { at, node, index: number(index), term: number(term) },
        ["applied", index, term, state] => {
            let state = StateHash(u128::from_str_radix(state, 16).unwrap());
            TraceEvent::Applied { at, node, index: number(index), term: number(term), state }
        }
        ["made", index, term] => {
            TraceEvent::SnapshotMade { at, node, index: number(index), term: number(term) }
        }
        ["installed", index, term] => {
            TraceEvent::SnapshotInstalled { at, node, index: number(index), term: number(term) }
        }
        ["following", term, leader] => {
            TraceEvent::Following { at, node, term: number(term), leader: leader.to_owned() }
        }
        ["found", ref words @ ..] => found(at, node, words),
        ["appended", index, term, ref hashes @ ..] => {
            let hash = |word: &&str| u64::from_str_radix(word, 16).unwrap();
            let hashes = EntryHashes(hashes.iter().map(hash).collect());
            TraceEvent::Appended { at, node, index: number(index), term: number(term), hashes }
        }
        ["voters", entry, ref voters @ ..] => {
            let LogPlace { index, term } = place(entry);
            let voters = vec![voters.iter().map(|name| (*name).to_owned()).collect()];
            TraceEvent::MembersAppended { at, node, index, term, voters, learners: Vec::new() }
        }
        ["flushed", index, term] => {
            TraceEvent::Flushed { at, node, index: number(index), term: number(term) }
        }
        ["truncated", from] => TraceEvent::Truncated { at, node, from: number(from) },
        ["purged", index, term] => TraceEvent::Purged { at, node, index: number(index), term: number(term) },
        _ => panic!("{event}"),
    }
}

/// `9@5` is the entry of index 9 and term 5.
fn place(word: &str) -> LogPlace {
    let (index, term) = word.split_once('@').unwrap();
    LogPlace { index: index.parse().unwrap(), term: term.parse().unwrap() }
}

/// What a node found: `vote 5 n1`, `elected 5 n1`, `terms 0@1 4@5 to 9@5`, `purged 3@1`, `snapshot 3@1`, or nothing.
fn found(at: u64, node: String, words: &[&str]) -> TraceEvent {
    let (mut vote, mut elected) = ((0, String::new()), false);
    let (mut purged, mut terms, mut last, mut snapshot) = (None, Vec::new(), None, None);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap();
        match word {
            "vote" | "elected" => {
                elected = word == "elected";
                vote = (next().parse().unwrap(), next().to_owned());
            }
            "purged" => purged = Some(place(next())),
            "snapshot" => snapshot = Some(place(next())),
            "to" => last = Some(place(next())),
            "terms" => {}
            first => terms.push(place(first)),
        }
    }
    let (term, r#for) = vote;
    TraceEvent::Recovered { at, node, term, r#for, elected, purged, terms, last: last.or(purged), snapshot }
}

const HEALTHY: &str = "n1: start, vote 5 n1, leader 5, commit 1 5, applied 1 5 a, start, vote 6 n2, applied 1 5 a, commit 9 6
                       n2: start, vote 5 n1, commit 1 5, applied 1 5 a, vote 6 n2, leader 6, commit 9 6, applied 9 6 b
                       n3: start, vote 5 n1, vote 6 n2, vote 6 n2, applied 9 6 b";

/// What the anomalies say, with the lines they show.
fn said(findings: &Findings) -> Vec<(AnomalyKind, &str, usize)> {
    findings.anomalies.iter().map(|a| (a.kind, a.sentence.as_str(), a.trace.len())).collect()
}

#[test]
fn a_healthy_cluster_keeps_the_rules() {
    let evidence = traces(HEALTHY);
    let judged = elections(&evidence, &Limits::none());
    assert_eq!((said(&judged), &judged.doubts[..], judged.operations, judged.keys), (vec![], &[][..], 22, 3));
    let judged = agreement(&evidence, &Limits::none());
    assert_eq!((said(&judged), &judged.doubts[..]), (vec![], &[][..]));
}

#[test]
fn a_term_has_one_leader() {
    let evidence = traces("n1: start, vote 5 n1, leader 5, leader 5\nn2: leader 5\nn3: leader 4");
    let judged = elections(&evidence, &Limits::none());
    let sentence = "term 5 has 2 leaders: n1 (line 3 of its trace) and n2 (line 1 of its trace)";
    assert_eq!(said(&judged), [(AnomalyKind::TwoLeaders, sentence, 2)]);
    assert_eq!(judged.anomalies_total, 1);
    assert!(
        judged.anomalies[0].drawing.contains("became leader of term 5"),
        "{}",
        judged.anomalies[0].drawing
    );
}

#[test]
fn a_node_votes_once_in_a_term_also_across_a_restart() {
    let judged = elections(&traces("n1: leader 4, vote 5 n2, vote 5 n2, start, vote 5 n3"), &Limits::none());
    let sentence = "n1 voted twice in term 5: for n2 (line 2 of its trace) and for n3 (line 5 of its trace), with a \
                    restart in between";
    assert_eq!(said(&judged), [(AnomalyKind::TwoVotes, sentence, 2)]);
    // Two nodes may vote differently.
    assert_eq!(said(&elections(&traces("n1: leader 4, vote 5 n2\nn2: vote 5 n3"), &Limits::none())), []);
}

#[test]
fn what_followers_know_of_leaders_counts_and_what_a_node_finds_of_its_vote() {
    let judged = elections(
        &traces("n1: leader 5, following 5 n1\nn2: following 5 n1\nn3: following 5 n2"),
        &Limits::none(),
    );
    let sentence = "term 5 has 2 leaders: n1 (line 1 of its trace) and n2, as n3 knows (line 1 of its trace)";
    assert_eq!(said(&judged), [(AnomalyKind::TwoLeaders, sentence, 2)]);

    let forgot = traces("n1: start, found, leader 4, vote 5 n2, start, found vote 4 n1 terms 0@1 to 0@1");
    let sentence = "the term of n1 went back from 5 (line 4 of its trace) to 4 (line 6 of its trace), with a restart in \
                    between";
    assert_eq!(said(&elections(&forgot, &Limits::none())), [(AnomalyKind::TermWentBack, sentence, 2)]);
    let other = traces("n1: start, found, leader 4, vote 5 n2, start, found vote 5 n3 terms 0@1 to 0@1");
    assert_eq!(elections(&other, &Limits::none()).anomalies[0].kind, AnomalyKind::TwoVotes);
    // It may have learned who was elected and died before it wrote that down; and it may have lost its whole disk.
    for fine in ["found elected 5 n3 terms 0@1 to 0@1", "found"] {
        let evidence = traces(&format!("n1: start, found, leader 4, vote 5 n2, start, {fine}"));
        assert_eq!(said(&elections(&evidence, &Limits::none())), [], "{fine}");
    }
}

#[test]
fn a_term_never_goes_back_also_across_a_restart() {
    let judged = elections(&traces("n1: leader 4, vote 7 n2, start, vote 6 n3, vote 5 n3"), &Limits::none());
    let sentence = "the term of n1 went back from 7 (line 2 of its trace) to 6 (line 4 of its trace), with a restart \
                    in between";
    assert_eq!(said(&judged), [(AnomalyKind::TermWentBack, sentence, 2)]);
}

#[test]
fn a_committed_entry_never_changes() {
    let evidence = traces(
        "n1: commit 8 5, commit 9 5, start, commit 9 5\nn2: applied 9 6 a, commit 10 6\nn3: commit 10 7",
    );
    let judged = agreement(&evidence, &Limits::none());
    let sentence = "the log has two entries at index 9: n1 committed an entry of term 5 (line 2 of its trace), n2 \
                    applied an entry of term 6 (line 1 of its trace)";
    assert_eq!(said(&judged), [(AnomalyKind::CommitChanged, sentence, 2)]);
}

#[test]
fn the_same_log_leaves_the_same_state() {
    let judged = agreement(
        &traces("n1: applied 8 5 a, applied 9 5 b\nn2: applied 9 5 c, applied 10 5 d"),
        &Limits::none(),
    );
    let sentence = "n1 (line 2 of its trace) and n2 (line 1 of its trace) applied the same log up to index 9 and have \
                    different states";
    assert_eq!(said(&judged), [(AnomalyKind::Diverged, sentence, 2)]);

    let judged = agreement(&traces("n1: applied 9 5 b, start, applied 9 5 c"), &Limits::none());
    let sentence = "n1 arrived at two states with the same log up to index 9 (line 1 of its trace, and line 3 of its \
                    trace)";
    assert_eq!(said(&judged), [(AnomalyKind::Diverged, sentence, 2)]);
}

#[test]
fn what_was_not_traced_is_unknown() {
    let doubts = |evidence: &Evidence| elections(evidence, &Limits::none()).doubts;
    assert_eq!(doubts(&Evidence::default()), ["there is no trace of any node"]);
    assert_eq!(doubts(&traces("n1: start, vote 5 n1")), ["no leader was ever traced"]);
    let history = timeline::parse("p0@n1: |-get 1-|\np1@n2: |-get 1-|\np2@n3: |-get 1-|").unwrap();
    let evidence = Evidence { history, ..traces("n1: leader 5") };
    assert_eq!(doubts(&evidence), ["there is no trace of n2 and n3"]);
    let limits = Limits { steps: 5, ..Limits::none() };
    let judged = elections(&traces(HEALTHY), &limits);
    assert_eq!(judged.doubts, ["the limit of 5 steps was reached after 5 lines of the nodes' traces"]);
}

#[test]
fn a_time_is_told_if_the_start_of_the_run_is_known() {
    let mut evidence = traces("n1: leader 5\nn2: start, leader 5");
    evidence.history.set_started_unix_ns(500_000);
    let judged = elections(&evidence, &Limits::none());
    assert_eq!(
        judged.anomalies[0].sentence,
        "term 5 has 2 leaders: n1 (line 1 of its trace, 0.000 s by its clock) and n2 (line 2 of its trace, 0.001 s by \
         its clock)"
    );
}

#[test]
fn a_snapshot_holds_the_entries_that_were_committed() {
    let evidence =
        traces("n1: commit 9 5, made 9 5\nn2: installed 9 5, applied 9 5 a, installed 12 6\nn3: commit 12 7");
    assert_eq!(evidence.snapshots_installed(), 2);
    let judged = agreement(&evidence, &Limits::none());
    let sentence = "the log has two entries at index 12: n2 installed a snapshot of an entry of term 6 (line 3 of its \
                    trace), n3 committed an entry of term 7 (line 1 of its trace)";
    assert_eq!(said(&judged), [(AnomalyKind::CommitChanged, sentence, 2)]);
}
