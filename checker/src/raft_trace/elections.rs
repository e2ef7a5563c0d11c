//! Leaders, votes and terms.

use std::collections::{BTreeMap, HashMap};

use super::{Narrator, Place};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::evidence::trace::TraceEvent;
use crate::verdict::ANOMALIES_MAX;

/// What was seen of elections so far. The traces are shown one after the other.
#[derive(Debug, Default)]
pub(super) struct Elections<'e> {
    /// By term: each of its leaders, and the first line that says so.
    leaders: BTreeMap<u64, Vec<(&'e str, Place<'e>)>>,
    /// By node and term: the first vote.
    votes: HashMap<(&'e str, u64), Place<'e>>,
    /// By node: the line with the highest term so far.
    highest: HashMap<&'e str, (u64, Place<'e>)>,
    /// Pairs of votes of one node in one term.
    two_votes: Vec<[Place<'e>; 2]>,
    two_votes_total: u64,
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
                self.see_leader(place, *term, place.node());
                self.see_term(place, *term);
            }
            TraceEvent::Following { term, leader, .. } => {
                self.see_leader(place, *term, leader);
                self.see_term(place, *term);
            }
            TraceEvent::Recovered { term, r#for, elected, .. } if *term > 0 => {
                match elected {
                    true => self.see_leader(place, *term, r#for),
                    false => self.see_vote(place, *term, r#for),
                }
                self.see_term(place, *term);
            }
            TraceEvent::Start { .. }
            | TraceEvent::Recovered { .. }
            | TraceEvent::Appended { .. }
            | TraceEvent::MembersAppended { .. }
            | TraceEvent::Flushed { .. }
            | TraceEvent::Truncated { .. }
            | TraceEvent::Purged { .. }
            | TraceEvent::Commit { .. }
            | TraceEvent::Applied { .. }
            | TraceEvent::Members { .. }
            | TraceEvent::SnapshotMade { .. }
            | TraceEvent::SnapshotInstalled { .. } => return 0,
        }
        2 * size_of::<((&str, u64), Place<'_>)>() as u64
    }

    fn see_leader(&mut self, place: Place<'e>, term: u64, leader: &'e str) {
        let leaders = self.leaders.entry(term).or_default();
        match leaders.iter_mut().find(|(known, _)| *known == leader) {
            None => leaders.push((leader, place)),
            // What a node says of itself is better evidence than what another one was told.
            Some((_, first)) if first.node() != leader && place.node() == leader => *first = place,
            Some(_) => {}
        }
    }

    fn see_vote(&mut self, place: Place<'e>, term: u64, candidate: &str) {
        let first = *self.votes.entry((place.node(), term)).or_insert(place);
        let is_other = voted(first).is_some_and(|(_, before)| before != candidate);
        if is_other {
            self.two_votes_total += 1;
            if self.two_votes.len() < ANOMALIES_MAX {
                self.two_votes.push([first, place]);
            }
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

    fn several_leaders(&self) -> impl Iterator<Item = (&u64, &Vec<(&'e str, Place<'e>)>)> {
        self.leaders.iter().filter(|(_, leaders)| leaders.len() > 1)
    }

    /// How many contradictions there are.
    pub(super) fn total(&self) -> u64 {
        self.several_leaders().count() as u64 + self.two_votes_total + self.went_back.len() as u64
    }

    pub(super) fn anomalies(&self, narrator: &Narrator<'_>) -> Vec<Anomaly> {
        let two_leaders = self
            .several_leaders()
            .take(ANOMALIES_MAX)
            .map(|(term, leaders)| two_leaders(narrator, *term, leaders));
        let two_votes = self.two_votes.iter().map(|votes| two_votes(narrator, *votes));
        let went_back = self.went_back.values().take(ANOMALIES_MAX).map(|lines| went_back(narrator, *lines));
        two_leaders.chain(two_votes).chain(went_back).collect()
    }
}

/// The term and the candidate of a vote.
fn voted(place: Place<'_>) -> Option<(u64, &str)> {
    match place.event() {
        TraceEvent::Vote { term, r#for, .. } | TraceEvent::Recovered { term, r#for, .. } => {
            Some((*term, r#for))
        }
        _ => None,
    }
}

fn two_leaders(narrator: &Narrator<'_>, term: u64, leaders: &[(&str, Place<'_>)]) -> Anomaly {
    let who: Vec<String> = leaders
        .iter()
        .map(|(leader, place)| match place.node() == *leader {
            true => format!("{leader} ({})", narrator.place(*place)),
            false => format!("{leader}, as {} knows ({})", place.node(), narrator.place(*place)),
        })
        .collect();
    let sentence = format!("term {term} has {} leaders: {}", leaders.len(), who.join(" and "));
    let trace = leaders.iter().map(|(_, place)| place.event().clone()).collect();
    Anomaly::of_trace(AnomalyKind::TwoLeaders, trace, sentence)
}

fn two_votes(narrator: &Narrator<'_>, [first, second]: [Place<'_>; 2]) -> Anomaly {
    let candidate = |place| voted(place).expect("only votes are compared");
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
        TraceEvent::Vote { term, .. }
        | TraceEvent::Leader { term, .. }
        | TraceEvent::Following { term, .. }
        | TraceEvent::Recovered { term, .. } => *term,
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

pub(super) fn restarted(first: Place<'_>, second: Place<'_>) -> &'static str {
    if first.restarted_before(second) { ", with a restart in between" } else { "" }
}
