use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::toll::Toll;
use super::*;
use crate::fabric::Edge;
use crate::fabric::shape::{self, Ways};
use crate::scenario::file::{ScenarioFile, said_verb};
use crate::scenario::plan::{NODES_MAX, Plan};
use crate::scenario::target::{self, NodeStatus, Role};
use crate::scenario::unit::{Chance, Drift, Offset};
use crate::scenario::verb::{
    Crash, Disk, DiskVerb, Kill, Lag, Membership, Network, Partition, Party, Pause, Restart, Verb,
};
use crate::workload;

const ALL: &str = "kinds: { kill: 1, pause: 1, restart: 1, partition: 1, network: 1, clock: 1, disk: 1, crash: 1, membership: 1, transfer-leader: 1, snapshot: 1 }, \
                   options: { crash: [{ target: leader, at: here }, { target: minority, at: there, skip: 1..9 }] }";

/// The most members.
const NODES: usize = NODES_MAX as usize;

fn file(nodes: usize, more: &str, nemesis: &str) -> ScenarioFile {
    file_on("proxy", nodes, more, nemesis)
}

fn file_on(network: &str, nodes: usize, more: &str, nemesis: &str) -> ScenarioFile {
    // As many spares as there may be, and three at most; without any, members do not change.
    let spares = NODES.saturating_sub(nodes).min(3);
    let (spares, nemesis) = match spares {
        0 => (String::new(), nemesis.replace("membership: 1, ", "")),
        count => (format!("spares: {count}, "), nemesis.to_owned()),
    };
    let text = format!(
        "version: 1\nname: storm\ncluster: {{ nodes: {nodes}, {spares}disk: volatile, clock: skewable, network: {network} }}\nworkload: {{ kind: conversation }}\n\
         run: {{ duration: 60s }}\n{more}\
         nemesis: {{ interval: 1s..4s, duration: 1s..5s, {nemesis} }}\nchecks: [linearizable]\n"
    );
    ScenarioFile::parse(Path::new("storm.yaml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Enough for what is said of shares and of every template.
const MANY: u64 = 200;

fn plans(file: &ScenarioFile) -> impl Iterator<Item = Plan> {
    (0..40).map(|seed| Plan::resolve(file, seed))
}

fn many_plans(file: &ScenarioFile) -> impl Iterator<Item = Plan> {
    (0..MANY).map(|seed| Plan::resolve(file, seed))
}

fn lifted(strike: &Strike) -> Duration {
    strike.at + strike.lasts.unwrap_or_else(|| toll::own_length(&strike.verb, NODES))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let file = file(5, "", ALL);
    let yaml = |seed| Plan::resolve(&file, seed).to_yaml();
    let all: BTreeSet<String> = (0..50).map(yaml).collect();
    assert_eq!(all.len(), 50);
    assert!((0..50).map(yaml).all(|text| all.contains(&text)));
    let read = Plan::from_yaml(&yaml(7)).unwrap();
    assert_eq!(read, Plan::resolve(&file, 7));
}

#[test]
fn faults_begin_after_the_start_and_are_lifted_before_the_quiet_time() {
    let file = file(5, "", &format!("start: 5s..8s, quiet: 6s, max-active: 3, {ALL}"));
    let mut last = Duration::ZERO;
    for plan in plans(&file) {
        assert!(!plan.strikes.is_empty(), "at least one fits, seed {}", plan.seed);
        for strike in &plan.strikes {
            assert!(strike.at >= Duration::from_secs(6), "{strike:?}");
            assert!(lifted(strike) <= Duration::from_secs(54), "{strike:?}");
            assert!(strike.lasts.is_none_or(|lasts| lasts >= Duration::from_secs(1) && lasts.as_secs() <= 5));
            assert_eq!(strike.lasts.is_none(), strike.verb.end() == End::Itself, "{strike:?}");
            last = last.max(lifted(strike));
        }
        let gaps = plan.strikes.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(gaps.min().is_none_or(|gap| gap >= Duration::from_secs(1)), "seed {}", plan.seed);
    }
    assert!(last > Duration::from_secs(53), "the time is used to its end, not to {last:?}");
}

#[test]
fn no_more_stand_at_once_than_may() {
    for max in 1..=3 {
        let file = file(9, "", &format!("max-active: {max}, {ALL}"));
        let mut most = 0;
        for plan in plans(&file) {
            for strike in &plan.strikes {
                let stand = plan.strikes.iter().filter(|one| one.at <= strike.at && lifted(one) >= strike.at);
                let stand = stand.count();
                assert!(stand <= max, "seed {}", plan.seed);
                most = most.max(stand);
            }
        }
        assert_eq!(most, max, "as many stand as may");
    }
}

#[test]
fn every_fault_is_named_after_its_kind_and_numbered() {
    for plan in plans(&file(5, "", ALL)) {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for strike in &plan.strikes {
            assert_eq!(strike.fault, format!("nemesis-{}", strike.verb.name()));
            let number = numbers.entry(&strike.fault).or_default();
            *number += 1;
            assert_eq!(strike.name, format!("{}#{number}", strike.fault));
        }
    }
}

#[test]
fn a_swarm_leaves_kinds_out_and_weighs_the_others_anew() {
    let swarm = file(5, "", ALL);
    let kept: Vec<BTreeMap<FaultKind, u32>> = many_plans(&swarm).map(|plan| plan.swarm).collect();
    for kind in FaultKind::ALL {
        let with = kept.iter().filter(|kinds| kinds.contains_key(kind)).count();
        assert!((70..=130).contains(&with), "{kind:?} is in {with} of 200");
    }
    assert!(kept.iter().all(|kinds| !kinds.is_empty()));
    assert!(kept.iter().any(|kinds| kinds.len() == 1) && kept.iter().any(|kinds| kinds.len() > 5));
    let factors: BTreeSet<u32> = kept.iter().flat_map(BTreeMap::values).copied().collect();
    assert_eq!(factors, (1..=FACTOR_MAX).collect());
    for plan in plans(&swarm) {
        let drawn = |strike: &Strike| plan.swarm.keys().any(|kind| kind.word() == strike.verb.name());
        assert!(plan.strikes.iter().all(drawn), "seed {}", plan.seed);
    }
    // Nothing of a kind depends on which others there are.
    let fewer = file(5, "", "kinds: { kill: 1, network: 1, pause: 1 }");
    for (one, other) in plans(&swarm).zip(plans(&fewer)) {
        let common = |plan: &Plan| {
            let mut kinds = plan.swarm.clone();
            kinds.retain(|kind, _| [FaultKind::Kill, FaultKind::Network, FaultKind::Pause].contains(kind));
            kinds
        };
        if !common(&one).is_empty() {
            assert_eq!(common(&one), other.swarm);
        }
    }
}

#[test]
fn without_a_swarm_every_seed_has_all_kinds_as_they_were_weighed() {
    let said = "swarm: false, kinds: { kill: 9, pause: 1 }";
    let (mut kills, mut pauses) = (0, 0);
    for plan in plans(&file(5, "", said)) {
        assert_eq!(plan.swarm, BTreeMap::from([(FaultKind::Kill, 9), (FaultKind::Pause, 1)]));
        kills += plan.strikes.iter().filter(|strike| strike.verb.name() == "kill").count();
        pauses += plan.strikes.iter().filter(|strike| strike.verb.name() == "pause").count();
    }
    assert!((6..=13).contains(&(kills / pauses)), "{kills} kills and {pauses} pauses");
    assert!(Plan::resolve(&file(5, "faults: []\n", said), 1).swarm.len() == 2);
}

/// A verb without what is drawn of it.
fn bare(verb: &Verb) -> Verb {
    let mut verb = verb.clone();
    match &mut verb {
        Verb::Clock(clock) => {
            clock.jump = clock.jump.map(|jump| Offset { ms: jump.ms.signum() });
            clock.timers = clock.timers.map(|_| Duration::ZERO);
            clock.drift = clock.drift.map(|_| Drift { ppm: 1 });
            clock.strobe = clock.strobe.map(|_| Offset { ms: 0 });
            clock.strobe_every = Duration::ZERO;
        }
        Verb::Disk(Disk { fault: DiskVerb::Slow(by), .. }) => *by = Duration::ZERO,
        _ => {}
    }
    if let Verb::Network(network) = &mut verb {
        network.loss = network.loss.map(|_| Chance::ALWAYS);
        let distribution = network.lag.map(|lag| lag.distribution);
        network.lag = distribution.map(|distribution| Lag {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            distribution,
        });
        network.rate = network.rate.map(|_| "1B/s".parse().unwrap());
    }
    verb
}

#[test]
fn every_template_can_be_read_and_is_drawn_by_some_seed() {
    let length = Drawn::exactly(Duration::from_secs(1));
    let mut wanted: Vec<(FaultKind, &str, Verb)> = Vec::new();
    for kind in FaultKind::ALL {
        for (weight, text) in kind.templates() {
            let (said, _) =
                said_verb(kind.word(), text, length).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            let verb = bare(&said.draw(&Rng::from_seed(0)));
            assert!(*weight > 0);
            assert!(wanted.iter().all(|(.., other)| *other != verb), "{text} is there twice");
            wanted.push((*kind, *text, verb));
        }
    }
    let everything = format!("keep-majority: false, swarm: false, max-active: 4, {ALL}");
    for network in ["proxy", "kernel"] {
        for plan in many_plans(&file_on(network, 5, "", &everything)) {
            let drawn: Vec<Verb> = plan.strikes.iter().map(|strike| bare(&strike.verb)).collect();
            wanted.retain(|(.., verb)| !drawn.contains(verb));
        }
    }
    let never: Vec<(FaultKind, &str)> = wanted.into_iter().map(|(kind, text, _)| (kind, text)).collect();
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn an_option_is_the_only_thing_that_is_drawn_of_its_kind() {
    let said = "swarm: false, kinds: { kill: 1, partition: 1, network: 1 }, options: { \
                kill: { target: leader, restart-after: 7s }, partition: { shape: halves } }";
    for plan in plans(&file(5, "", said)) {
        for strike in &plan.strikes {
            match &strike.verb {
                Verb::Kill(kill) => {
                    assert_eq!(kill.target, target::Target::Leader);
                    assert_eq!(strike.lasts, Some(Duration::from_secs(7)), "its own length");
                }
                Verb::Partition(partition) => {
                    assert_eq!(partition.shape, shape::Shape::Halves);
                    assert!(strike.lasts.unwrap() <= Duration::from_secs(5));
                }
                _ => {}
            }
        }
    }
}

/// The nodes and links that are left, as the strikes of a plan meet a cluster one after the other.
struct World {
    nodes: Vec<NodeStatus>,
    cut: BTreeSet<Edge>,
    /// The members that there are to be, while that changes; who joins has not caught up.
    next: Option<Vec<String>>,
    joined: usize,
}

impl World {
    fn new(count: usize, rng: &mut Rng) -> Self {
        let leader = rng.random_range(0..count);
        let role = |index| if index == leader { Role::Leader { term: 1 } } else { Role::Follower };
        let node = |index| NodeStatus { name: format!("n{}", index + 1), role: role(index), alive: true };
        Self { nodes: (0..count).map(node).collect(), cut: BTreeSet::new(), next: None, joined: count }
    }

    /// Strikes as the nemesis does.
    fn strike(&mut self, verb: &Verb, rng: &mut Rng) {
        let ends = |party: &Party, rng: &mut Rng| match party {
            Party::Nodes(of) => target::resolve(of, &self.nodes, rng).unwrap_or_default(),
            Party::Clients => Vec::new(),
        };
        match verb {
            Verb::Disk(Disk { fault: DiskVerb::Slow(_), .. }) => {}
            Verb::Kill(Kill { target, .. })
            | Verb::Pause(Pause { target })
            | Verb::Restart(Restart { target })
            | Verb::Crash(Crash { target, .. })
            | Verb::Disk(Disk { target, .. }) => {
                let struck = target::resolve(target, &self.nodes, rng).unwrap_or_default();
                for node in self.nodes.iter_mut().filter(|node| struck.contains(&node.name)) {
                    node.alive = false;
                }
                self.elect(rng);
            }
            Verb::Partition(Partition { shape, one_way }) => {
                let ways = if *one_way { Ways::One } else { Ways::Both };
                let cut = shape::Partition { shape: shape.clone(), ways }.cut(&self.nodes, rng);
                self.cut.extend(cut.map(|cut| cut.edges).unwrap_or_default());
            }
            Verb::Network(Network { from, to, hold, black_hole, .. }) if *hold || *black_hole => {
                let (from, to) = (ends(from, rng), ends(to, rng));
                self.cut.extend(from.iter().flat_map(|from| to.iter().map(|to| Edge::new(from, to))));
            }
            Verb::Network(_) | Verb::Clock(_) | Verb::TransferLeader(_) | Verb::Snapshot(_) => {}
            Verb::Membership(_) => panic!("a change of members is no strike at nodes"),
        }
    }

    /// Somebody leads.
    fn elect(&mut self, rng: &mut Rng) {
        if self.nodes.iter().all(|node| !node.alive || node.role == Role::Follower) {
            let alive: Vec<usize> = (0..self.nodes.len()).filter(|n| self.nodes[*n].alive).collect();
            if !alive.is_empty() {
                let next = alive[rng.random_range(0..alive.len())];
                self.nodes[next].role = Role::Leader { term: 2 };
            }
        }
    }

    /// Changes members as the nemesis does. One that is over may have failed, unless a disk depends on it.
    fn change(&mut self, change: &Membership, is_over: bool, rng: &mut Rng) {
        let leaving = change.target().map_or(Ok(Vec::new()), |of| target::resolve(of, &self.nodes, rng));
        let Ok(leaving) = leaving else { return };
        let joining = change.needs_spare().then(|| {
            self.joined += 1;
            format!("n{}", self.joined)
        });
        let is_wipe = matches!(change, Membership::Wipe(_));
        if is_over && (is_wipe || rng.random()) {
            self.nodes.retain(|node| !leaving.contains(&node.name));
            self.nodes.extend(joining.map(|name| NodeStatus { name, role: Role::Follower, alive: true }));
        } else if !is_over {
            let stays =
                self.nodes.iter().map(|node| node.name.clone()).filter(|name| !leaving.contains(name));
            self.next = Some(stays.chain(joining).collect());
            let wiped = self.nodes.iter_mut().filter(|node| is_wipe && leaving.contains(&node.name));
            wiped.for_each(|node| node.alive = false);
        }
        self.elect(rng);
    }

    /// Whether some node can work with enough others to be a majority, of the members to be as well.
    fn has_majority(&self) -> bool {
        let alive = || self.nodes.iter().filter(|node| node.alive).map(|node| &node.name);
        let hear = |one: &String, other: &String| {
            one == other
                || !(self.cut.contains(&Edge::new(one, other)) || self.cut.contains(&Edge::new(other, one)))
        };
        let heard = |one: &String, of: &[String]| {
            alive().filter(|other| of.contains(other) && hear(one, other)).count() > of.len() / 2
        };
        let now: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        alive().any(|one| heard(one, &now) && self.next.as_ref().is_none_or(|next| heard(one, next)))
    }
}

/// Whether a majority is there whenever a strike of `plan` begins, as far as some draws of whom they meet tell.
fn majority_is_kept(plan: &Plan, nodes: usize) -> Result<(), String> {
    for now in &plan.strikes {
        let is_out = |one: &&Strike| one.at <= now.at && lifted(one) + toll::recovery(&one.verb) > now.at;
        for draw in 0..8 {
            let mut rng = Rng::from_seed(draw);
            let mut world = World::new(nodes, &mut rng);
            for strike in plan.strikes.iter().filter(|strike| strike.at <= now.at) {
                match &strike.verb {
                    Verb::Membership(change) => world.change(change, !is_out(&strike), &mut rng),
                    verb if is_out(&strike) => world.strike(verb, &mut rng),
                    _ => {}
                }
            }
            if !world.has_majority() {
                return Err(format!("seed {}, at {:?}: {:?}", plan.seed, now.at, now.verb));
            }
        }
    }
    Ok(())
}

#[test]
fn a_majority_that_can_work_together_is_kept() {
    for nodes in 3..=9 {
        let mut overlap = 0;
        for plan in plans(&file(nodes, "", &format!("max-active: 4, {ALL}"))) {
            majority_is_kept(&plan, nodes).unwrap_or_else(|why| panic!("{nodes} nodes, {why}"));
            let out = |one: &Strike| Toll::of(&one.verb, nodes).most > 0;
            let pairs = plan.strikes.windows(2);
            overlap += pairs.filter(|pair| pair.iter().all(out) && lifted(&pair[0]) > pair[1].at).count();
        }
        assert!(nodes < 5 || overlap > 10, "{overlap} faults of {nodes} nodes stood beside another");
    }
    let any = file(5, "", &format!("max-active: 4, keep-majority: false, {ALL}"));
    assert!(plans(&any).any(|plan| majority_is_kept(&plan, 5).is_err()), "the test can tell");
}

#[test]
fn a_majority_is_kept_beside_timed_faults() {
    let timed =
        "faults:\n  - { name: timed, every: 9s, kill: { target: minority-third, restart-after: 3s } }\n";
    for plan in plans(&file(7, timed, &format!("max-active: 3, {ALL}"))) {
        majority_is_kept(&plan, 7).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(plan.strikes.iter().filter(|strike| strike.fault == "timed").count(), 6);
    }
    let for_ever = "faults:\n  - { name: timed, at: 1ms, kill: { target: minority } }\n";
    for plan in plans(&file(5, for_ever, ALL)) {
        let more = plan.strikes.iter().filter(|strike| strike.fault != "timed");
        assert_eq!(more.filter(|strike| Toll::of(&strike.verb, 5).most > 0).count(), 0, "seed {}", plan.seed);
    }
}

#[test]
fn a_majority_is_broken_when_that_is_wanted() {
    for nodes in 1..=6 {
        let kinds = "kinds: { kill: 1, pause: 1, restart: 1, network: 1 }";
        for plan in plans(&file(nodes, "", &format!("break-majority: true, {kinds}"))) {
            let breaking = plan.strikes.iter().filter(|strike| Toll::of(&strike.verb, nodes).breaks(nodes));
            assert!(breaking.count() > 0, "{nodes} nodes, seed {}", plan.seed);
        }
    }
    let broken = |plan: &Plan| majority_is_kept(plan, 5).is_err();
    assert!(plans(&file(5, "", &format!("break-majority: true, {ALL}"))).all(|plan| broken(&plan)));
}

#[test]
fn random_faults_change_nothing_of_the_workload_nor_of_timed_faults() {
    let timed = "faults:\n  - { name: timed, every: 4s..7s, for: 2s, pause: { target: one } }\n";
    let with = file(5, timed, &format!("max-active: 2, {ALL}"));
    let fewer = file(5, "", "kinds: { pause: 1 }");
    let without = ScenarioFile { nemesis: None, ..with.clone() };
    let operations = |plan: &Plan| {
        let mut workload = workload::of_plan(plan, &plan.rng().fork("workload"));
        (0..2_000).map(|number| format!("{:?}\n", workload.next(number % 8))).collect::<String>()
    };
    for seed in 0..20 {
        let plan = |file| Plan::resolve(file, seed);
        let [with, without, fewer] = [&with, &without, &fewer].map(plan);
        assert!(with.strikes.len() > without.strikes.len());
        assert_eq!(with.workload, without.workload);
        assert!(operations(&with) == operations(&without) && operations(&with) == operations(&fewer));
        let mut of_timed = with.strikes.clone();
        of_timed.retain(|strike| strike.fault == "timed");
        assert_eq!(of_timed, without.strikes);
        assert!(without.swarm.is_empty());
    }
}

#[test]
fn the_toll_of_a_fault_is_its_worst_and_its_best_case() {
    let toll = |kind: FaultKind, text: &str, nodes| {
        let length = Drawn::exactly(Duration::from_secs(1));
        let (said, _) = said_verb(kind.word(), text, length).unwrap();
        let Toll { most, least } = Toll::of(&said.draw(&Rng::from_seed(0)), nodes);
        (least, most)
    };
    let (kill, cut, net) = (FaultKind::Kill, FaultKind::Partition, FaultKind::Network);
    assert_eq!(toll(kill, "{ target: minority }", 5), (2, 2));
    assert_eq!(toll(kill, "{ target: any }", 5), (1, 5));
    assert_eq!(toll(kill, "{ target: followers }", 5), (1, 5));
    assert_eq!(toll(kill, "{ target: [n1, n2] }", 5), (2, 2));
    assert_eq!(toll(cut, "{ shape: halves }", 5), (2, 2));
    assert_eq!(toll(cut, "{ shape: halves }", 4), (2, 2), "no half of four is a majority");
    assert_eq!(toll(cut, "{ shape: majorities-ring }", 7), (0, 3));
    assert_eq!(toll(cut, "{ isolate: any }", 5), (1, 2), "those who are left out are the fewer");
    assert_eq!(toll(cut, "{ isolate: majority }", 5), (2, 2));
    assert_eq!(toll(cut, "{ isolate: followers }", 5), (1, 2));
    assert_eq!(toll(cut, "{ groups: [[n1, n2], [n3, n4], [n5]] }", 5), (5, 5));
    assert_eq!(toll(cut, "{ groups: [[n1, n2, n3], [n3, n4, n5]] }", 5), (0, 2));
    assert_eq!(toll(FaultKind::Disk, "{ target: all, slow: 1s }", 5), (0, 0));
    assert_eq!(toll(FaultKind::Disk, "{ target: minority, stuck: true }", 5), (2, 2));
    assert_eq!(toll(FaultKind::Clock, "{ target: all, jump: 1h }", 5), (0, 0));
    assert_eq!(toll(FaultKind::Crash, "{ target: minority, at: here }", 5), (0, 2));
    assert_eq!(toll(net, "{ from: leader, to: followers, hold: true }", 5), (0, 1));
    assert_eq!(toll(net, "{ from: all, to: all, black-hole: true }", 5), (5, 5));
    assert_eq!(toll(net, "{ from: clients, to: all, hold: true }", 5), (0, 0));
    assert_eq!(toll(net, "{ from: all, to: all, delay: 1s }", 5), (0, 0));
}

mod members;
