//! Random clusters that keep to Raft, whose traces must be found right; and such as forget what was durable.

use super::*;

/// SplitMix64: the same clusters for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

const NODES: usize = 3;

#[derive(Default)]
struct Node {
    /// Each entry: its term and its hash.
    log: Vec<(u64, u64)>,
    /// How many entries are durable.
    flushed: usize,
    term: u64,
    vote: (usize, bool),
    /// How many entries it knows to be committed in its present life.
    committed: usize,
    /// How many entries are removed from the front; its snapshot ends there.
    purged: usize,
    trace: Vec<String>,
}

struct Cluster {
    random: Random,
    nodes: Vec<Node>,
    leader: Option<usize>,
    entries: u64,
    /// Whether restarts forget what was durable, and how often one did.
    forgetful: bool,
    forgot: usize,
}

impl Cluster {
    fn run(seed: u64, forgetful: bool) -> Self {
        let nodes =
            (0..NODES).map(|_| Node { trace: vec!["start".into(), "found".into()], ..Node::default() });
        let mut cluster = Cluster {
            random: Random(seed),
            nodes: nodes.collect(),
            leader: None,
            entries: 0,
            forgetful,
            forgot: 0,
        };
        for _ in 0..60 {
            let node = cluster.random.below(NODES);
            match (cluster.random.below(20), cluster.leader) {
                (0..2, _) => cluster.elect(node),
                (2..6, Some(leader)) => cluster.append(leader),
                (6..11, Some(leader)) if leader != node => cluster.replicate(leader, node),
                (11..14, _) => cluster.nodes[node].flush(),
                (14..17, Some(leader)) => cluster.commit(leader, node),
                (17, _) => cluster.nodes[node].snapshot(),
                (18, _) => cluster.restart(node),
                _ => {}
            }
        }
        cluster
    }

    fn elect(&mut self, candidate: usize) {
        let term = self.nodes.iter().map(|node| node.term).max().unwrap() + 1;
        let end = |node: &Node| (node.log.last().map(|(term, _)| *term), node.log.len());
        let own = end(&self.nodes[candidate]);
        let voters: Vec<usize> = (0..NODES).filter(|node| end(&self.nodes[*node]) <= own).collect();
        if voters.len() <= NODES / 2 {
            return;
        }
        for node in voters {
            self.nodes[node].term = term;
            self.nodes[node].vote = (candidate, false);
            self.nodes[node].trace.push(format!("vote {term} n{candidate}"));
        }
        self.nodes[candidate].follow(term, candidate);
        self.leader = Some(candidate);
        self.append(candidate);
        self.nodes[candidate].trace.push(format!("leader {term}"));
    }

    fn append(&mut self, leader: usize) {
        self.entries += 1;
        let (entry, from) = ((self.nodes[leader].term, self.entries), self.nodes[leader].log.len());
        self.nodes[leader].take(from, &[entry]);
    }

    fn replicate(&mut self, leader: usize, node: usize) {
        let (term, log) = (self.nodes[leader].term, self.nodes[leader].log.clone());
        if self.nodes[node].term > term {
            return;
        }
        self.nodes[node].follow(term, leader);
        let same = self.nodes[node].log.iter().zip(&log).take_while(|(own, its)| own == its).count();
        let until = same + self.random.below(log.len() - same + 1);
        if until > same {
            self.nodes[node].take(same, &log[same..until]);
        }
    }

    /// The leader counts what is durable; another node learns what the leader knows.
    fn commit(&mut self, leader: usize, node: usize) {
        let log = self.nodes[leader].log.clone();
        let has = |node: &Node, count: usize| node.flushed >= count && node.log[..count] == log[..count];
        let counted = (1..=log.len()).rev().find(|count| {
            log[count - 1].0 == self.nodes[leader].term
                && self.nodes.iter().filter(|node| has(node, *count)).count() > NODES / 2
        });
        if let Some(count) = counted {
            self.nodes[leader].commit(count);
        }
        let known = self.nodes[leader].committed;
        if self.nodes[node].term == self.nodes[leader].term {
            let same = self.nodes[node].log.iter().zip(&log).take_while(|(own, its)| own == its).count();
            self.nodes[node].commit(known.min(same));
        }
    }

    fn restart(&mut self, number: usize) {
        if self.leader == Some(number) {
            self.leader = None;
        }
        let node = &mut self.nodes[number];
        let durable = node.flushed;
        let kept = durable + self.random.below(node.log.len() - durable + 1);
        node.log.truncate(kept);
        if self.forgetful && durable > node.purged {
            node.log.truncate(durable - 1);
            node.flushed = durable - 1;
            self.forgot += 1;
        }
        node.come_up();
    }

    fn evidence(&self) -> Evidence {
        let line = |(number, node): (usize, &Node)| format!("n{number}: {}\n", node.trace.join(", "));
        traces(&self.nodes.iter().enumerate().map(line).collect::<String>())
    }
}

impl Node {
    fn follow(&mut self, term: u64, leader: usize) {
        if (self.term, self.vote) != (term, (leader, true)) {
            (self.term, self.vote) = (term, (leader, true));
            self.trace.push(format!("following {term} n{leader}"));
        }
    }

    /// Takes entries from an index on; what contradicts them goes first.
    fn take(&mut self, from: usize, entries: &[(u64, u64)]) {
        if from < self.log.len() {
            self.trace.push(format!("truncated {from}"));
            self.log.truncate(from);
            self.flushed = self.flushed.min(from);
        }
        for entry in entries {
            self.trace.push(format!("appended {} {} {:x}", self.log.len(), entry.0, entry.1));
            self.log.push(*entry);
        }
    }

    fn flush(&mut self) {
        if self.flushed < self.log.len() {
            self.flushed = self.log.len();
            self.trace.push(format!("flushed {} {}", self.flushed - 1, self.log[self.flushed - 1].0));
        }
    }

    fn commit(&mut self, count: usize) {
        if count > self.committed {
            self.committed = count;
            self.trace.push(format!("commit {} {}", count - 1, self.log[count - 1].0));
        }
    }

    /// Everything that is committed and durable goes into a snapshot, and from the log.
    fn snapshot(&mut self) {
        let upto = self.committed.min(self.flushed);
        if upto > self.purged {
            self.purged = upto;
            let (index, term) = (upto - 1, self.log[upto - 1].0);
            self.trace.extend([format!("made {index} {term}"), format!("purged {index} {term}")]);
        }
    }

    fn come_up(&mut self) {
        self.committed = 0;
        let mut found = "found".to_owned();
        if self.term > 0 {
            let (candidate, elected) = self.vote;
            let word = if elected { "elected" } else { "vote" };
            found.push_str(&format!(" {word} {} n{candidate}", self.term));
        }
        let place = |at: usize| format!("{at}@{}", self.log[at].0);
        if let Some(last) = self.purged.checked_sub(1) {
            found.push_str(&format!(" purged {0} snapshot {0}", place(last)));
        }
        let begins = |at: &usize| *at == self.purged || self.log[at - 1].0 != self.log[*at].0;
        for first in (self.purged..self.log.len()).filter(begins) {
            found.push_str(&format!(" {}", place(first)));
        }
        if self.log.len() > self.purged {
            found.push_str(&format!(" to {}", place(self.log.len() - 1)));
        }
        self.trace.extend(["start".to_owned(), found]);
    }
}

#[test]
fn a_cluster_that_keeps_to_raft_is_found_right() {
    let (mut led, mut truncated, mut restarted) = (0, 0, 0);
    for seed in 0..400 {
        let evidence = Cluster::run(seed, false).evidence();
        for judged in [super::super::log(&evidence, &Limits::none()), elections(&evidence, &Limits::none())] {
            assert_eq!(said(&judged), [], "seed {seed}: {:#?}", evidence.traces);
        }
        for event in evidence.traces.iter().flat_map(|trace| &trace.events) {
            led += usize::from(matches!(event, TraceEvent::Leader { .. }));
            truncated += usize::from(matches!(event, TraceEvent::Truncated { .. }));
            restarted += usize::from(matches!(event, TraceEvent::Start { .. }));
        }
    }
    assert!(led > 400 && truncated > 100 && restarted > 3 * 400 + 400, "{led} {truncated} {restarted}");
}

#[test]
fn a_cluster_that_forgets_what_was_durable_is_found_out() {
    let mut forgetful = 0;
    for seed in 0..400 {
        let cluster = Cluster::run(seed, true);
        let judged = super::super::log(&cluster.evidence(), &Limits::none());
        let found = judged.anomalies.iter().any(|anomaly| anomaly.kind == AnomalyKind::EntryForgotten);
        assert_eq!(found, cluster.forgot > 0, "seed {seed}: {:?}", said(&judged));
        forgetful += usize::from(found);
    }
    assert!(forgetful > 100, "{forgetful}");
}
