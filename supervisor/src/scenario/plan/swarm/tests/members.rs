//! Changes of members among the random faults, and disks that are lost for good.

use super::*;

fn changes(plan: &Plan) -> impl Iterator<Item = (&Strike, &Membership)> {
    plan.strikes.iter().filter_map(|strike| match &strike.verb {
        Verb::Membership(change) => Some((strike, change)),
        _ => None,
    })
}

fn text(nodes: usize, spares: &str, more: &str, nemesis: &str) -> String {
    format!(
        "version: 1\nname: storm\ncluster: {{ nodes: {nodes}, {spares}disk: volatile }}\n\
         workload: {{ kind: conversation }}\nrun: {{ duration: 4m }}\n{more}\
         nemesis: {{ interval: 1s..4s, duration: 1s..5s, max-active: 3, {nemesis} }}\nchecks: [linearizable]\n"
    )
}

fn read(text: &str) -> ScenarioFile {
    ScenarioFile::parse(Path::new("storm.yaml"), text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong with a scenario.
fn refused(text: &str) -> String {
    ScenarioFile::parse(Path::new("storm.yaml"), text, &[]).expect_err("it is refused").to_string()
}

/// The rules that hold for every plan.
fn check(plan: &Plan, nodes: usize, spares: usize) {
    let (mut added, mut removed, mut used) = (0, 0, 0);
    let mut free_at = Duration::ZERO;
    for (strike, change) in changes(plan) {
        assert!(strike.at >= free_at, "one change at a time, seed {}: {strike:?}", plan.seed);
        free_at = lifted(strike);
        used += usize::from(change.needs_spare());
        added += usize::from(*change == Membership::Add);
        removed += usize::from(matches!(change, Membership::Remove(_)));
        assert!(removed <= added, "seed {}: only who was added makes room", plan.seed);
    }
    assert!(used <= spares, "seed {}: {used} of {spares} spares", plan.seed);
    assert!(removed <= 1 && nodes + added <= NODES, "seed {}", plan.seed);
}

#[test]
fn members_change_one_at_a_time_and_each_finds_its_spare() {
    for (nodes, spares, majority) in
        [(3, 2, "true"), (5, 3, "true"), (5, 4, "false"), (7, 2, "true"), (8, 1, "false")]
    {
        let kinds = format!(
            "keep-majority: {majority}, swarm: false, kinds: {{ membership: 3, kill: 2, disk: 2, partition: 2 }}"
        );
        let file = read(&text(nodes, &format!("spares: {spares}, "), "", &kinds));
        let (mut most, mut words) = (0, BTreeSet::new());
        for plan in plans(&file) {
            check(&plan, nodes, spares);
            if majority == "true" {
                majority_is_kept(&plan, nodes).unwrap_or_else(|why| panic!("{nodes} nodes, {why}"));
            }
            most = most.max(changes(&plan).filter(|(_, change)| change.needs_spare()).count());
            words.extend(changes(&plan).map(|(_, change)| change.word()));
        }
        assert_eq!(most, spares, "the spares of {nodes} nodes are used");
        assert!(words.len() == 4 || nodes == 3, "{words:?} of {nodes} nodes");
    }
}

#[test]
fn a_minority_of_more_members_is_not_added_up_as_one_of_the_founders() {
    let said = "swarm: false, kinds: { membership: 1, kill: 9 }, options: { membership: { add: spare }, \
                kill: [{ target: minority-third }, { target: random:2 }, { target: one }] }";
    let mut grown = 0;
    for plan in plans(&read(&text(5, "spares: 4, ", "", said))) {
        majority_is_kept(&plan, 5).unwrap_or_else(|why| panic!("{why}"));
        grown += usize::from(changes(&plan).count() > 1);
    }
    assert!(grown > 10, "{grown} plans let more than one join");
}

#[test]
fn timed_changes_and_named_nodes_count() {
    let timed = "faults:\n  - { name: join, at: 40s, membership: { add: spare } }\n  \
                 - { name: leave, at: 100s, membership: { remove: follower } }\n";
    let said = "swarm: false, kinds: { membership: 3, kill: 1 }";
    for plan in plans(&read(&text(5, "spares: 3, ", timed, said))) {
        check(&plan, 5, 3);
        majority_is_kept(&plan, 5).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(
            changes(&plan)
                .filter(|(strike, _)| strike.fault != "join")
                .filter(|(_, one)| one.needs_spare())
                .count(),
            2
        );
    }
    let named = "faults:\n  - { name: dead, at: 1ms, kill: { target: [n1, n2] } }\n";
    for plan in plans(&read(&text(5, "spares: 3, ", named, "kinds: { membership: 1, kill: 1 }"))) {
        assert_eq!(plan.strikes.len(), 1, "two of five are gone, seed {}", plan.seed);
    }
}

#[test]
fn a_disk_is_damaged_once_and_only_where_spares_are() {
    let bit_flips = |plan: &Plan| {
        let is_flip =
            |strike: &&Strike| matches!(&strike.verb, Verb::Disk(Disk { fault: DiskVerb::BitFlip(_), .. }));
        plan.strikes.iter().filter(is_flip).count()
    };
    for majority in ["true", "false"] {
        let said = format!("keep-majority: {majority}, swarm: false, kinds: {{ disk: 1 }}");
        let counts: BTreeSet<usize> =
            plans(&read(&text(5, "spares: 1, ", "", &said))).map(|plan| bit_flips(&plan)).collect();
        assert_eq!(counts.last(), Some(&1), "{counts:?}");
        assert!(plans(&read(&text(5, "", "", &said))).all(|plan| bit_flips(&plan) == 0));
    }
}

#[test]
fn changes_that_find_no_spare_are_refused() {
    let kinds = "kinds: { membership: 2 }";
    let why = refused(&text(5, "", "", kinds));
    assert!(why.contains("storm.yaml:6:72: nothing of the kind `membership` can strike this cluster: a change of members needs spares, and the cluster has 0"), "{why}");
    assert!(why.contains("write `cluster: { spares: 1 }`"), "{why}");
    let timed = "faults: [{ name: join, at: 4s, membership: { add: spare } }]\n";
    let why = refused(&text(5, "spares: 1, ", timed, kinds));
    assert!(why.contains("the cluster has 1, 1 of which timed faults may use"), "{why}");
    assert!(why.contains("write `cluster: { spares: 2 }`"), "{why}");
    let only_leave = "kinds: { membership: 2 }, options: { membership: { remove: follower } }";
    let why = refused(&text(5, "spares: 1, ", "", only_leave));
    assert!(why.contains("a node is removed only after one was added"), "{why}");
    read(&text(5, "spares: 2, ", timed, only_leave));
}
