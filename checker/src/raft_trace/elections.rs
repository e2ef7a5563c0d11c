//! Leaders, votes and terms.

use std::collections::{BTreeMap, HashMap};

use super::{Narrator, Place};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::evidence::trace::TraceEvent;

/// What was seen of elections so far. The traces are shown one after the other.
#[derive(Debug, Default)]
pub(super) struct Elections<'e> {
    /// By term: where each of its leaders first says so.
    leaders: BTreeMap<u64, Vec<Place<'e>>>,
    /// By node and term: the first vote.
    votes: HashMap<(&'e str, u64), Place<'e>>,
    /// By node: the line with the highest term so far.
    highest: HashMap<&'e str, (u64, Place<'e>)>,
    /// Pairs of votes of one node in one term.
    two_votes: Vec<[Place<'e>; 2]>,
    /// For each node whose term went back, the first such line and the highest term before it.
    went_back: BTreeMap<&'e str, [Place<'e>; 2]>,
}

impl<'e> Elections<'e> {
    /// Takes a line; returns how many bytes were kept of it.
    pub(super) fn see(&mut self, place: Place<'e>) -> u64 {
        match place.event() {
            TraceEvent::Vote { term, r#for, .. } => {
                self.see_vote(place, *term, r#for);
                self.see_term(place, *term);
            }
            TraceEvent::Leader { term, .. } => {
                let leaders = self.leaders.entry(*term).or_default();
                if !leaders.iter().any(|leader| leader.node() == place.node()) {
                    leaders.push(place);
                }
                self.see_term(place, *term);
            }
            TraceEvent::Start { .. }
            | TraceEvent::Commit { .. }
            | TraceEvent::Applied { .. }
            | TraceEvent::Members { .. }
            | TraceEvent::SnapshotMade { .. }
            | TraceEvent::SnapshotInstalled { .. } => return 0,
        }
        2 * size_of::<((&str, u64), Place<'_>)>() as u64
    }

    fn see_vote(&mut self, place: Place<'e>, term: u64, candidate: &str) {
        let first = *self.votes.entry((place.node(), term)).or_insert(place);
        let is_other = matches!(first.event(), TraceEvent::Vote { r#for, .. } if r#for != candidate);
        if is_other {
            self.two_votes.push([first, place]);
        }
    }

    fn see_term(&mut self, place: Place<'e>, term: u64) {
        let (highest, line) = self.highest.entry(place.node()).or_insert((term, place));
        if term < *highest {
            self.went_back.entry(place.node()).or_insert([*line, place]);
        } else {
            (*highest, *line) = (term, place);
        }
    }

    /// Whether any node ever became leader.
    pub(super) fn saw_leader(&self) -> bool {
        !self.leaders.is_empty()
    }

    pub(super) fn anomalies(&self, narrator: &Narrator<'_>) -> Vec<Anomaly> {
        let several = self.leaders.iter().filter(|(_, leaders)| leaders.len() > 1);
        let two_leaders = several.map(|(term, leaders)| two_leaders(narrator, *term, leaders));
        let two_votes = self.two_votes.iter().map(|votes| two_votes(narrator, *votes));
        let went_back = self.went_back.values().map(|lines| went_back(narrator, *lines));
        two_leaders.chain(two_votes).chain(went_back).collect()
    }
}

fn two_leaders(narrator: &Narrator<'_>, term: u64, leaders: &[Place<'_>]) -> Anomaly {
    let who: Vec<String> =
        leaders.iter().map(|leader| format!("{} ({})", leader.node(), narrator.place(*leader))).collect();
    let sentence = format!("term {term} has {} leaders: {}", leaders.len(), who.join(" and "));
    let trace = leaders.iter().map(|leader| leader.event().clone()).collect();
    Anomaly::of_trace(AnomalyKind::TwoLeaders, trace, sentence)
}

fn two_votes(narrator: &Narrator<'_>, [first, second]: [Place<'_>; 2]) -> Anomaly {
    let candidate = |place: Place<'_>| match place.event() {
        TraceEvent::Vote { term, r#for, .. } => (*term, r#for.clone()),
        _ => unreachable!("only votes are compared"),
    };
    let ((term, one), (_, other)) = (candidate(first), candidate(second));
    let sentence = format!(
        "{} voted twice in term {term}: for {one} ({}) and for {other} ({}){}",
        first.node(),
        narrator.place(first),
        narrator.place(second),
        restarted(first, second)
    );
    let trace = vec![first.event().clone(), second.event().clone()];
    Anomaly::of_trace(AnomalyKind::TwoVotes, trace, sentence)
}

fn went_back(narrator: &Narrator<'_>, [high, low]: [Place<'_>; 2]) -> Anomaly {
    let term = |place: Place<'_>| match place.event() {
        TraceEvent::Vote { term, .. } | TraceEvent::Leader { term, .. } => *term,
        _ => unreachable!("only votes and leaders are compared"),
    };
    let sentence = format!(
        "the term of {} went back from {} ({}) to {} ({}){}",
        high.node(),
        term(high),
        narrator.place(high),
        term(low),
        narrator.place(low),
        restarted(high, low)
    );
    Anomaly::of_trace(AnomalyKind::TermWentBack, vec![high.event().clone(), low.event().clone()], sentence)
}

fn restarted(first: Place<'_>, second: Place<'_>) -> &'static str {
    if first.restarted_before(second) { ", with a restart in between" } else { "" }
}
