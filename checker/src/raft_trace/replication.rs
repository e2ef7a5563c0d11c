//! Logs: what is appended, made durable, committed and removed.

use std::collections::{BTreeMap, HashMap};

use super::Place;
use super::node_log::NodeLog;
use crate::evidence::trace::{LogPlace, TraceEvent};
use crate::verdict::ANOMALIES_MAX;

/// What was seen of the logs so far. The traces are shown one after the other, each from its beginning.
#[derive(Debug, Default)]
pub(super) struct Replication<'e> {
    /// The node whose trace is being shown.
    node: Node<'e>,
    name: Option<&'e str>,
    /// By index and term: the first line about the entry.
    entries: HashMap<LogPlace, Entry<'e>>,
    /// By term: the greatest entry that was known to be committed in it.
    committed: BTreeMap<u64, (LogPlace, Place<'e>)>,
    /// Each leader, with its term and the log that it had.
    leaders: Vec<(u64, NodeLog, Place<'e>)>,
    pub(super) broken: BrokenRules<'e>,
}

/// The rules that were broken: all are counted, the first of each kind are kept.
#[derive(Debug, Default)]
pub(super) struct BrokenRules<'e> {
    pub(super) total: u64,
    pub(super) first: Vec<Broken<'e>>,
}

impl<'e> BrokenRules<'e> {
    fn push(&mut self, broken: Broken<'e>) {
        self.total += 1;
        let same = |other: &&Broken<'_>| std::mem::discriminant(*other) == std::mem::discriminant(&broken);
        if self.first.iter().filter(same).count() < ANOMALIES_MAX {
            self.first.push(broken);
        }
    }
}

/// A rule that was broken, with the lines that prove it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Broken<'e> {
    /// An entry is another one in another log.
    OtherEntry { entry: LogPlace, lines: [Place<'e>; 2] },
    /// The entries in front of an entry have different terms in two logs.
    OtherPredecessor { entry: LogPlace, terms: [u64; 2], lines: [Place<'e>; 2] },
    /// An entry that was durable is not there after a restart.
    Forgotten { entry: LogPlace, lines: [Place<'e>; 2] },
    /// A committed entry was removed from the end of a log.
    Undone { entry: LogPlace, lines: [Place<'e>; 2] },
    /// A leader lacks an entry that was committed in a term before its own.
    Incomplete { entry: LogPlace, term: u64, committed_in: u64, lines: [Place<'e>; 2] },
    /// A node became leader although the members that it knew gave it no vote.
    NotVoter { term: u64, lines: [Place<'e>; 2] },
    /// The commit index went back in one life.
    CommitBack { from: u64, to: u64, lines: [Place<'e>; 2] },
    /// The applied index went back in one life.
    AppliedBack { from: u64, to: u64, lines: [Place<'e>; 2] },
    /// Entries were removed from the front of a log that no snapshot holds; the first line is that of the snapshot.
    Unsaved { purged: u64, snapshot: Option<u64>, lines: [Place<'e>; 2] },
}

/// The first line about an entry.
#[derive(Debug, Clone, Copy)]
struct Entry<'e> {
    hash: u64,
    /// The term of the entry in front of it, if it is known.
    before: Option<u64>,
    line: Place<'e>,
}

/// One node, as far as its trace was shown.
#[derive(Debug, Default)]
struct Node<'e> {
    /// Its log; unknown until the node has said what it found on its disk.
    log: Option<NodeLog>,
    /// The term that it is in.
    term: Option<u64>,
    /// The last entry that is durable.
    durable: Option<(LogPlace, Place<'e>)>,
    /// The last entry that it knows to be committed, from all its lives.
    committed: Option<(LogPlace, Place<'e>)>,
    /// Its commit index and its applied index in the present life.
    commit: Option<(u64, Place<'e>)>,
    applied: Option<(u64, Place<'e>)>,
    /// The last index in its newest snapshot, and the line that says so.
    snapshot: Option<(Option<u64>, Place<'e>)>,
    /// The changes of members that were ever in its log, by their entries, and the first lines that tell them.
    members: BTreeMap<LogPlace, Place<'e>>,
}

impl<'e> Replication<'e> {
    /// Takes a line; returns how many bytes were kept of it.
    pub(super) fn see(&mut self, place: Place<'e>) -> u64 {
        if self.name != Some(place.node()) {
            (self.name, self.node) = (Some(place.node()), Node::default());
        }
        let event = place.event();
        match event {
            // Of a life in which the node did not say what it found, nobody knows what became of what was before.
            TraceEvent::Start { .. } if self.node.log.is_none() => self.node = Node::default(),
            TraceEvent::Start { .. } => {
                (self.node.log, self.node.commit, self.node.applied) = (None, None, None);
            }
            TraceEvent::Recovered { terms, .. } => {
                self.recovered(place);
                return size_of_val(&terms[..]) as u64;
            }
            TraceEvent::Vote { term, .. } | TraceEvent::Following { term, .. } => {
                self.node.term = Some(*term)
            }
            TraceEvent::Leader { term, .. } => return self.leads(place, *term),
            TraceEvent::Appended { index, term, hashes, .. } => {
                return self.appended(place, *index, *term, &hashes.0);
            }
            TraceEvent::Flushed { index, term, .. } => {
                let entry = LogPlace { index: *index, term: *term };
                if self.node.log.as_ref().is_some_and(|log| log.holds(entry)) {
                    self.node.durable = Some((entry, place));
                }
            }
            TraceEvent::Truncated { from, .. } => self.truncated(place, *from),
            TraceEvent::Purged { index, term, .. } => {
                self.purged(place, LogPlace { index: *index, term: *term })
            }
            TraceEvent::Commit { index, term, .. } => {
                self.commits(place, LogPlace { index: *index, term: *term })
            }
            TraceEvent::Applied { index, .. } => {
                if let Some((from, line)) = self.node.applied.filter(|(applied, _)| applied > index) {
                    self.broken.push(Broken::AppliedBack { from, to: *index, lines: [line, place] });
                }
                self.node.applied = Some((*index, place));
            }
            TraceEvent::Members { index, term, .. } | TraceEvent::MembersAppended { index, term, .. } => {
                let known = self.node.members.len();
                self.node.members.entry(LogPlace { index: *index, term: *term }).or_insert(place);
                return 2 * ((self.node.members.len() - known) * size_of::<(LogPlace, Place<'_>)>()) as u64;
            }
            TraceEvent::SnapshotMade { index, .. } | TraceEvent::SnapshotInstalled { index, .. } => {
                let newest = self.node.snapshot.and_then(|(snapshot, _)| snapshot).max(Some(*index));
                self.node.snapshot = Some((newest, place));
            }
        }
        0
    }

    /// What is on the disk is where the node goes on. What was durable, and was not removed since, must be there.
    fn recovered(&mut self, place: Place<'e>) {
        let TraceEvent::Recovered { term, purged, terms, last, snapshot, .. } = place.event() else { return };
        if place.event().is_pristine() {
            // A new disk: another node, whatever was promised under its name.
            let (log, snapshot) = (Some(NodeLog::default()), Some((None, place)));
            self.node = Node { log, snapshot, ..Node::default() };
            return;
        }
        let log = NodeLog::recovered(*purged, terms, *last);
        let node = &mut self.node;
        if let Some((entry, line)) = node.durable.filter(|(entry, _)| !log.may_hold(*entry)) {
            self.broken.push(Broken::Forgotten { entry, lines: [line, place] });
            node.durable = None;
        }
        let snapshot = snapshot.map(|snapshot| snapshot.index);
        if let Some(purged) = purged.map(|purged| purged.index).filter(|purged| Some(*purged) > snapshot) {
            self.broken.push(Broken::Unsaved { purged, snapshot, lines: [place, place] });
        } else if let Some((Some(before), line)) = node.snapshot.filter(|(before, _)| *before > snapshot) {
            self.broken.push(Broken::Unsaved { purged: before, snapshot, lines: [line, place] });
        }
        node.snapshot = Some((snapshot, place));
        (node.term, node.log) = (Some(*term), Some(log));
    }

    fn leads(&mut self, place: Place<'e>, term: u64) -> u64 {
        self.node.term = Some(term);
        let Some(log) = &self.node.log else { return 0 };
        let bytes = log.bytes() + size_of::<(u64, NodeLog, Place<'_>)>() as u64;
        self.leaders.push((term, log.clone(), place));
        if let Some(line) = self.node.members_without_its_vote(log, place.node()) {
            self.broken.push(Broken::NotVoter { term, lines: [line, place] });
        }
        bytes
    }

    fn appended(&mut self, place: Place<'e>, index: u64, term: u64, hashes: &[u64]) -> u64 {
        let Some(log) = &mut self.node.log else { return 0 };
        let mut before = log.term_before(index);
        log.append(index, term, hashes.len() as u64);
        let known = self.entries.len();
        for (index, hash) in (index..).zip(hashes) {
            let entry = LogPlace { index, term };
            let first = *self.entries.entry(entry).or_insert(Entry { hash: *hash, before, line: place });
            let lines = [first.line, place];
            if first.hash != *hash {
                self.broken.push(Broken::OtherEntry { entry, lines });
            } else if let (Some(one), Some(other)) = (first.before, before)
                && one != other
            {
                self.broken.push(Broken::OtherPredecessor { entry, terms: [one, other], lines });
            }
            before = Some(term);
        }
        2 * ((self.entries.len() - known) * size_of::<(LogPlace, Entry<'_>)>()) as u64
    }

    fn truncated(&mut self, place: Place<'e>, from: u64) {
        let node = &mut self.node;
        let Some(log) = &mut node.log else { return };
        if let Some((entry, line)) =
            node.committed.filter(|(entry, _)| entry.index >= from && log.holds(*entry))
        {
            self.broken.push(Broken::Undone { entry, lines: [line, place] });
            node.committed = None;
        }
        let before = log.term_before(from);
        log.truncate(from);
        if let Some((durable, _)) = &mut node.durable
            && durable.index >= from
        {
            match (from.checked_sub(1), before) {
                (Some(index), Some(term)) => *durable = LogPlace { index, term },
                _ => node.durable = None,
            }
        }
    }

    fn purged(&mut self, place: Place<'e>, upto: LogPlace) {
        let Some(log) = &mut self.node.log else { return };
        log.purge(upto);
        if let Some((snapshot, line)) =
            self.node.snapshot.filter(|(snapshot, _)| *snapshot < Some(upto.index))
        {
            self.broken.push(Broken::Unsaved { purged: upto.index, snapshot, lines: [line, place] });
        }
    }

    fn commits(&mut self, place: Place<'e>, entry: LogPlace) {
        let node = &mut self.node;
        if let Some((from, line)) = node.commit.filter(|(commit, _)| *commit > entry.index) {
            self.broken.push(Broken::CommitBack { from, to: entry.index, lines: [line, place] });
        }
        node.commit = Some((entry.index, place));
        if node.committed.is_none_or(|(committed, _)| committed.index <= entry.index) {
            node.committed = Some((entry, place));
        }
        // What a node knows to be committed in its term was committed in that term or before.
        if let (Some(term), Some(_)) = (node.term, &node.log) {
            let (greatest, line) = self.committed.entry(term).or_insert((entry, place));
            if greatest.index < entry.index {
                (*greatest, *line) = (entry, place);
            }
        }
    }

    /// Leader completeness (Raft, section 5.4): whoever leads a term has all that was committed in the terms before. Two
    /// logs with one entry are equal up to it, so the greatest entry of those terms speaks for all of them.
    pub(super) fn finish(&mut self) {
        self.leaders.sort_by_key(|(term, ..)| *term);
        let mut committed = self.committed.iter().peekable();
        let mut greatest: Option<(u64, LogPlace, Place<'e>)> = None;
        for (term, log, line) in &self.leaders {
            while let Some((committed_in, (entry, by))) =
                committed.next_if(|(committed_in, _)| *committed_in < term)
            {
                if greatest.is_none_or(|(_, greatest, _)| greatest.index < entry.index) {
                    greatest = Some((*committed_in, *entry, *by));
                }
            }
            if let Some((committed_in, entry, by)) = greatest.filter(|(_, entry, _)| !log.may_hold(*entry)) {
                let lines = [by, *line];
                self.broken.push(Broken::Incomplete { entry, term: *term, committed_in, lines });
            }
        }
    }
}

impl<'e> Node<'e> {
    /// The last members in its log, if they give it no vote. A change that was removed may be back after a restart, so
    /// which changes are in the log is asked of the log.
    fn members_without_its_vote(&self, log: &NodeLog, name: &str) -> Option<Place<'e>> {
        let is_held = |(entry, _): &(&LogPlace, &Place<'e>)| log.may_hold(**entry);
        let last = self.members.iter().rev().find(is_held)?.0.index;
        let votes = |line: &Place<'e>| match line.event() {
            TraceEvent::Members { voters, .. } | TraceEvent::MembersAppended { voters, .. } => {
                voters.iter().flatten().any(|voter| voter == name)
            }
            _ => false,
        };
        // Of what was removed from the front nobody knows which of two entries it was.
        let of_last = LogPlace { index: last, term: 0 }..=LogPlace { index: last, term: u64::MAX };
        let mut candidates = self.members.range(of_last).filter(is_held).map(|(_, line)| line);
        let first = candidates.clone().next()?;
        (!candidates.any(votes)).then_some(*first)
    }
}
