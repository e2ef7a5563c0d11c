//! What is said and drawn of each kind of anomaly, word for word, in `explanations/KIND.txt`, to be read and reviewed.
//!
//! A file has cases, each a title, what happened, and what is said about it:
//!
//! ```text
//! # linearizable: An acknowledged message that no later read shows
//! p3@n1: |-send a=1-|
//! p5@n2:                  |-read []-|
//! ----
//! ```
//!
//! The title names the check. What happened is a picture of a history ([`timeline`]); `empty at first` says that there
//! were no accounts. Lines of JSON are those of traces, with `kind`, and digests. A line `trace n1: start, leader 5` is a
//! whole trace, a millisecond from one event to the next. The rest, up to the next title, is the answer.
//! `UPDATE_GOLDEN=1 cargo test -p checker --test explanations` writes the answers anew.

#![expect(clippy::disallowed_methods, reason = "the words that are expected are in files")]

use std::fs;
use std::path::{Path, PathBuf};

use checker::anomaly::AnomalyKind;
use checker::check::{self, CheckName};
use checker::evidence::trace::{EntryHashes, LogPlace, TraceEvent};
use checker::evidence::{Evidence, NodeTrace, StateDigest};
use checker::explain::Style;
use checker::history::timeline;
use checker::limits::Limits;
use checker::report;
use checker::verdict::CheckResult;

/// The most anomalies of a case that are told.
const TOLD_MAX: usize = 3;

/// One case of a file.
struct Case {
    title: String,
    input: Vec<String>,
    answer: String,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explanations")
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_answer = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            cases.push(Case { title: title.to_owned(), input: Vec::new(), answer: String::new() });
            in_answer = false;
            continue;
        }
        let case = cases.last_mut().expect("a file begins with a title");
        if in_answer {
            case.answer.push_str(line);
            case.answer.push('\n');
        } else if line == "----" {
            in_answer = true;
        } else {
            case.input.push(line.to_owned());
        }
    }
    for case in &mut cases {
        case.answer.truncate(case.answer.trim_end().len());
        case.answer.push('\n');
    }
    cases
}

fn evidence(input: &[String]) -> Evidence {
    let (traces, input): (Vec<&String>, Vec<&String>) =
        input.iter().partition(|line| line.starts_with("trace "));
    let (json, mut picture): (Vec<&String>, Vec<&String>) =
        input.into_iter().partition(|line| line.trim_start().starts_with('{'));
    let before = picture.len();
    picture.retain(|line| line.as_str() != "empty at first");
    let picture: Vec<&str> = picture.into_iter().map(String::as_str).collect();
    let history =
        timeline::parse(&picture.join("\n")).unwrap_or_else(|error| panic!("{picture:#?}: {error}"));
    let mut evidence = Evidence { history, ..Evidence::default() };
    if picture.len() < before {
        evidence.history.set_initially_empty();
    }
    evidence.traces.extend(traces.into_iter().map(|line| trace(line)));
    for line in json {
        if let Ok(digest) = serde_json::from_str::<StateDigest>(line) {
            evidence.digests.push(digest);
            continue;
        }
        let event: TraceEvent = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let node = event.node().to_owned();
        match evidence.traces.iter_mut().find(|trace| trace.node == node) {
            Some(trace) => trace.events.push(event),
            None => evidence.traces.push(NodeTrace { node, events: vec![event], lines: Vec::new() }),
        }
    }
    evidence
}

/// `trace n1: start, vote 5 n1, leader 5`
fn trace(line: &str) -> NodeTrace {
    let (node, events) = line.strip_prefix("trace ").and_then(|line| line.split_once(": ")).expect(line);
    let events = (1..).zip(events.split(", ")).map(|(at, event)| trace_event(at * 1_000_000, node, event));
    NodeTrace { node: node.to_owned(), events: events.collect(), lines: Vec::new() }
}

fn trace_event(at: u64, node: &str, event: &str) -> TraceEvent {
    let node = node.to_owned();
    let words: Vec<&str> = event.split(' ').collect();
    let number = |word: &str| word.parse().expect(event);
    match words[..] {
        ["start"] => TraceEvent::Start { at, node },
        ["found", ref words @ ..] => found(at, node, words),
        ["vote", term, candidate] => {
            TraceEvent::Vote { at, node, term: number(term), r#for: candidate.to_owned() }
        }
        ["following", term, leader] => {
            TraceEvent::Following { at, node, term: number(term), leader: leader.to_owned() }
        }
        ["leader", term] => TraceEvent::Leader { at, node, term: number(term) },
        ["appended", index, term, ref hashes @ ..] => {
            let hash = |word: &&str| u64::from_str_radix(word, 16).expect(event);
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
        ["commit", index, term] => TraceEvent::Commit { at, node, index: number(index), term: number(term) },
        ["made", index, term] => {
            TraceEvent::SnapshotMade { at, node, index: number(index), term: number(term) }
        }
        _ => panic!("{event}"),
    }
}

/// What a node found on its disk: `vote 5 n1`, `terms 0@1 4@5 to 9@5`, or nothing.
fn found(at: u64, node: String, words: &[&str]) -> TraceEvent {
    let (mut vote, mut terms, mut last) = ((0, String::new()), Vec::new(), None);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut next = || words.next().expect("a word has another behind it");
        match word {
            "vote" => vote = (next().parse().expect("a term is a number"), next().to_owned()),
            "to" => last = Some(place(next())),
            "terms" => {}
            first => terms.push(place(first)),
        }
    }
    let (term, r#for) = vote;
    let (purged, snapshot, elected) = (None, None, false);
    TraceEvent::Recovered { at, node, term, r#for, elected, purged, terms, last, snapshot }
}

/// `9@5` is the entry of index 9 and term 5.
fn place(word: &str) -> LogPlace {
    let number = |word: &str| word.parse().expect("a place is two numbers");
    let (index, term) = word.split_once('@').expect("a place has an index and a term");
    LogPlace { index: number(index), term: number(term) }
}

/// What the check that the title names finds.
fn judged(case: &Case) -> CheckResult {
    let (name, _) = case.title.split_once(": ").expect("a title begins with the name of a check");
    let name: CheckName = name.parse().unwrap_or_else(|error| panic!("{}: {error}", case.title));
    check::check_one(&evidence(&case.input), name, &Limits::none())
}

fn answer(result: &CheckResult, style: Style) -> String {
    report::counterexamples_in(style, result, TOLD_MAX, "`-o json`").join("\n")
}

#[test]
fn each_kind_is_explained() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = String::new();
    for kind in AnomalyKind::ALL {
        let path = directory().join(format!("{kind}.txt"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut written = Vec::new();
        for case in cases(&text) {
            let result = judged(&case);
            let found: Vec<AnomalyKind> = result.anomalies.iter().map(|anomaly| anomaly.kind).collect();
            if !found.contains(&kind) {
                wrong += &format!("{kind}: {}: it is {found:?}, {:?}\n", case.title, result.reason);
            }
            let answer = answer(&result, Style::default());
            if answer != case.answer && !update {
                wrong += &format!("{kind}: {}:\n{answer}\ninstead of\n{}", case.title, case.answer);
            }
            written.push(format!("# {}\n{}\n----\n{answer}", case.title, case.input.join("\n")));
        }
        assert!(!written.is_empty(), "{kind} has no case");
        if update {
            fs::write(&path, written.join("\n\n")).expect("the answers can be written");
        }
    }
    assert!(wrong.is_empty(), "{wrong}UPDATE_GOLDEN=1 writes the answers anew");
}

#[test]
fn no_file_is_left_over() {
    for entry in fs::read_dir(directory()).expect("the directory is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(AnomalyKind::ALL.iter().any(|kind| kind.name() == name), "{} is no kind", path.display());
    }
}

#[test]
fn what_is_said_fits_into_any_terminal() {
    for kind in AnomalyKind::ALL {
        let text = fs::read_to_string(directory().join(format!("{kind}.txt"))).expect("each kind has a file");
        for case in cases(&text) {
            let result = judged(&case);
            for anomaly in &result.anomalies {
                assert!(
                    (1..=5).contains(&anomaly.operations.len())
                        || !anomaly.trace.is_empty()
                        || !anomaly.digests.is_empty()
                );
                assert!(
                    !anomaly.why.is_empty() && !anomaly.look_at.contains('{'),
                    "{kind}: {}",
                    anomaly.look_at
                );
            }
            for (width, ascii) in [(60, false), (80, false), (80, true), (100, false), (132, true)] {
                let text = answer(&result, Style { width, ascii, colour: false });
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{kind} in {width} columns: {line}");
                    assert!(!ascii || line.is_ascii(), "{kind}: {line}");
                }
            }
        }
    }
}
